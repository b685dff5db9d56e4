# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines, common parameters and PowerShell's own commands."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.contract import CommandCall, PipelineStopped, TerminatingError
from lab.objects.values import NetObject, plain, string_list, time_span_text, to_wire

from .direct import RecordingStreams, Shell, call, properties

MISSING = call("Get-CsMediaConfiguration", Identity="site:Dublin")
UNKNOWN = call("Get-CsNothing")


def full(version: str = "2019", **arguments: object) -> Shell:
    """A WinRM session with the product's module imported."""
    shell = Shell(version, server="fe01.contoso.com", path="/wsman", **arguments)
    shell.run(call("Import-Module", "Lync" if version in ("2010", "2013") else "SkypeForBusiness"))
    return shell


def test_statements_go_on_after_a_terminating_error() -> None:
    shell = Shell()
    shell.run_statements((UNKNOWN,), (call("Get-CsSite", "Redmond"),))
    assert [record.FullyQualifiedErrorId for record in shell.streams.errors] == ["CommandNotFoundException"]
    assert len(shell.streams.outputs) == 1


def test_a_single_statement_that_terminates_fails_the_pipeline() -> None:
    with pytest.raises(TerminatingError):
        Shell().run_statements((UNKNOWN,))


def test_an_error_that_does_not_terminate_does_not_fail_the_pipeline() -> None:
    shell = Shell()
    shell.run(MISSING)
    assert len(shell.streams.errors) == 1


def test_error_action_stop_ends_the_batch() -> None:
    shell = Shell()
    stop = call("Get-CsMediaConfiguration", Identity="site:Dublin", ErrorAction="Stop")
    with pytest.raises(TerminatingError) as caught:
        shell.run_statements((stop,), (call("Get-CsSite"),))
    assert shell.streams.outputs == []
    assert str(caught.value.record) == 'Cannot find "MediaSettings" "Site:Dublin" because it does not exist.'
    assert shell.streams.journal[0].result == caught.value.record.FullyQualifiedErrorId


@pytest.mark.parametrize("action", ["SilentlyContinue", "Ignore", "ignore"])
def test_errors_can_be_silenced(action: str) -> None:
    shell = Shell()
    shell.run(call("Get-CsMediaConfiguration", Identity="site:Dublin", ErrorAction=action))
    assert shell.streams.errors == []
    assert shell.streams.journal[0].result.startswith("ObjectNotFound,")


def test_nothing_runs_when_a_later_command_cannot_be_bound() -> None:
    shell = Shell()
    with pytest.raises(TerminatingError):
        shell.run(
            call("New-CsMediaConfiguration", Identity="site:Dublin"), call("Select-Object", Colour="red")
        )
    assert shell.streams.written == []
    assert len(shell.rows(call("Get-CsMediaConfiguration"))) == 1


def test_each_pipeline_object_that_does_not_fit_is_an_error_of_its_own() -> None:
    shell = full()
    shell.run(call("Write-Output", [1, 2]), call("Remove-CsMediaConfiguration"))
    assert [record.FullyQualifiedErrorId.partition(",")[0] for record in shell.streams.errors] == [
        "InputObjectNotBound"
    ] * 2


def test_the_clients_input_reaches_the_first_command() -> None:
    shell = Shell()
    assert [
        properties(o)["SamAccountName"] for o in shell.run(call("Get-CsUser"), input=["kenmyer", "kaya"])
    ] == [
        "kenmyer",
        "kaya",
    ]


def test_verbose_tells_the_operation() -> None:
    shell = Shell()
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True, Verbose=None))
    assert shell.streams.verboses == [
        'Performing the operation "Set-CsMediaConfiguration" on target "Global".'
    ]


def test_whatif_on_powershell_2() -> None:
    shell = Shell("2010")
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True, WhatIf=None))
    assert shell.streams.host_lines == [
        'What if: Performing operation "Set-CsMediaConfiguration" on Target "Global".'
    ]


def test_a_stopped_pipeline_ends() -> None:
    shell = Shell()
    streams = RecordingStreams()
    streams.stopped.set()
    with pytest.raises(PipelineStopped):
        shell.runspace.run([(call("Get-CsSite"),)], streams, [])


def test_scripts_of_plain_command_lines_run_on_a_full_endpoint() -> None:
    shell = full()
    outputs = shell.run(
        CommandCall("Get-CsSite | Select-Object -Property Identity\nexit $LASTEXITCODE", is_script=True)
    )
    assert [properties(output) for output in outputs] == [
        {"Identity": "Site:Redmond"},
        {"Identity": "Site:Dublin"},
    ]
    assert shell.streams.exit_code == 0


def test_a_command_the_lab_does_not_model_says_so() -> None:
    record = full().failure(call("Get-CsTrunkConfiguration"))
    assert record.CategoryInfo.Category.name == "NotImplemented"


class TestGetCommand:
    def test_a_cmdlet(self) -> None:
        (output,) = Shell().run(call("Get-Command", "get-cssite"))
        assert output.PSTypeNames == [
            "System.Management.Automation.CmdletInfo",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        ]
        row = properties(output)
        assert (row["Name"], row["CommandType"], row["ModuleName"]) == (
            "Get-CsSite",
            "Cmdlet",
            "SkypeForBusiness",
        )
        assert {"Identity", "Filter", "Verbose"} <= row["Parameters"].keys()
        assert row["Definition"].startswith("Get-CsSite [[-Identity] <XdsGlobalRelativeIdentity>]")

    def test_the_implicit_remoting_set_is_made_of_functions(self) -> None:
        (output,) = Shell().run(call("Get-Command", "Measure-Object"))
        assert output.PSTypeNames[0] == "System.Management.Automation.FunctionInfo"

    def test_several_names_wildcards_and_a_name_that_does_not_exist(self) -> None:
        shell = Shell()
        outputs = shell.run(
            call("Get-Command", ["Get-CsSite", "*-CsMediaConfiguration", "Get-CsNothing", "Nothing*"])
        )
        assert [properties(output)["Name"] for output in outputs] == [
            "Get-CsSite",
            "Get-CsMediaConfiguration",
            "New-CsMediaConfiguration",
            "Remove-CsMediaConfiguration",
            "Set-CsMediaConfiguration",
        ]
        (record,) = shell.streams.errors
        assert record.FullyQualifiedErrorId == (
            "CommandNotFoundException,Microsoft.PowerShell.Commands.GetCommandCommand"
        )
        assert "'Get-CsNothing'" in str(record)

    def test_by_verb_and_noun(self) -> None:
        rows = Shell().rows(call("Get-Command", Verb="Get", Noun="CsMedia*"))
        assert [row["Name"] for row in rows] == ["Get-CsMediaConfiguration"]

    def test_metadata_for_implicit_remoting(self) -> None:
        (metadata,) = Shell().runspace.command_metadata(["Set-CsPublicProvider"])
        row = properties(metadata)
        assert metadata.PSTypeNames[0] == "Selected.System.Management.Automation.CmdletInfo"
        assert list(row) == [
            "Name",
            "Namespace",
            "HelpUri",
            "CommandType",
            "ResolvedCommandName",
            "OutputType",
            "Parameters",
        ]
        assert properties(row["Parameters"]["Enabled"])["ParameterType"] == "System.Boolean"


class TestObjects:
    def test_select_object_makes_a_property_bag(self) -> None:
        (output,) = Shell().run(
            call("Get-CsMediaConfiguration"), call("Select-Object", Property=["identity", "Encr*", "Colour"])
        )
        assert output.PSTypeNames[0] == (
            "Selected.Microsoft.Rtc.Management.WritableConfig.Settings.Media.MediaSettings"
        )
        row = properties(output)
        assert list(row) == ["Identity", "EncryptionLevel", "Colour"]
        assert row["EncryptionLevel"].name == "RequireEncryption"  # a bag keeps the enumeration
        assert row["Colour"] is None

    def test_first_and_expand(self) -> None:
        shell = Shell()
        assert shell.run(call("Get-CsPool"), call("Select-Object", First=1, ExpandProperty="Computers")) == [
            "fe01.contoso.com",
            "fe02.contoso.com",
        ]
        record = shell.failure(
            call("Get-CsPool", "dublin.contoso.com"), call("Select-Object", ExpandProperty="Colour")
        )
        assert str(record) == 'Property "Colour" cannot be found.'

    def test_measure_counts(self) -> None:
        row = Shell().row(call("Get-CsPool"), call("Measure-Object"))
        assert (row["Count"], row["Sum"]) == (3, None)

    def test_sort(self) -> None:
        shell = full()
        outputs = shell.run(call("Get-CsComputer"), call("Sort-Object", Property="Fqdn", Descending=None))
        assert [properties(output)["Fqdn"].partition(".")[0] for output in outputs] == [
            "fe02",
            "fe01",
            "edge01",
            "dublin",
        ]

    def test_out_string_lists_properties(self) -> None:
        (text,) = full("2010").run(call("Get-CsMediaConfiguration"), call("Out-String"))
        assert text.strip().splitlines()[:3] == [
            "Identity            : Global",
            "EnableQoS           : False",
            "EncryptionLevel     : RequireEncryption",
        ]

    def test_out_default_passes_objects(self) -> None:
        assert len(Shell().run(call("Get-CsPool"), call("Out-Default"))) == 3


class TestGetDate:
    def test_the_extended_date(self) -> None:
        shell = full()
        (now,) = shell.run(call("Get-Date"))
        assert isinstance(now, datetime.datetime)
        (hint,) = now.PSObject.extended_properties
        assert (hint.name, hint.get_value(now).name) == ("DisplayHint", "DateTime")
        assert now == shell.clock.utc_now()

    def test_formats(self) -> None:
        shell = full()
        moment = datetime.datetime(2026, 11, 21, 4, 5, 6, tzinfo=datetime.timezone.utc)
        assert shell.run(call("Get-Date", moment, Format="yyyy-MM-dd HH:mm:ss")) == ["2026-11-21 04:05:06"]
        assert shell.run(call("Get-Date", moment, Format="s")) == ["2026-11-21T04:05:06"]


class TestUsers:
    POLICY = {"ExternalAccessPolicy": [{"Identity": "Tag:Partners"}, {"Identity": "Site:Dublin"}]}

    @pytest.mark.parametrize(
        "identity",
        ["kenmyer", "sip:kenmyer@contoso.com", "KenMyer@contoso.com", "CONTOSO\\kenmyer", "Ken Myer", "Ken*"],
    )
    def test_a_user_by_each_kind_of_name(self, identity: str) -> None:
        assert Shell().row(call("Get-CsUser", identity))["SipAddress"] == "sip:kenmyer@contoso.com"

    def test_an_unknown_user(self) -> None:
        record = Shell().failure(call("Get-CsUser", "nobody"))
        assert str(record) == 'Management object not found for identity "nobody".'

    def test_granting_and_taking_away(self) -> None:
        shell = Shell(settings=self.POLICY)
        assert shell.run(call("Grant-CsExternalAccessPolicy", "kenmyer", "tag:partners")) == []
        assert shell.row(call("Get-CsUser", "kenmyer"))["ExternalAccessPolicy"] == "Partners"
        assert len(shell.rows(call("Get-CsUser", Filter="ExternalAccessPolicy -eq 'Partners'"))) == 1
        row = shell.row(call("Grant-CsExternalAccessPolicy", "kenmyer", None, PassThru=None))
        assert row["ExternalAccessPolicy"] is None

    @pytest.mark.parametrize("policy", ["Nothing", "Dublin", "Global"])
    def test_only_user_policies_can_be_granted(self, policy: str) -> None:
        record = Shell(settings=self.POLICY).failure(call("Grant-CsExternalAccessPolicy", "kenmyer", policy))
        assert str(record) == (
            f'Policy "{policy}" is not a user policy. You can assign only a user policy to a specific user.'
        )

    def test_a_policy_just_created_cannot_be_granted_yet(self) -> None:
        shell = Shell(replication={"policy_lag_seconds": 120})
        shell.run(call("New-CsExternalAccessPolicy", "Partners"))
        grant = call("Grant-CsExternalAccessPolicy", "kenmyer", "Partners")
        assert "is not a user policy" in str(shell.failure(grant))
        shell.clock.advance(120)
        shell.run(grant)
        assert shell.row(call("Get-CsUser", "kenmyer"))["ExternalAccessPolicy"] == "Partners"

    def test_effective_policies(self) -> None:
        shell = Shell(settings=self.POLICY)

        def effective(user: str) -> str:
            return shell.row(call("Get-CsEffectivePolicy", user))["ExternalAccessPolicy"]

        assert (effective("kenmyer"), effective("kaya")) == ("Global", "Site:Dublin")
        shell.run(call("Grant-CsExternalAccessPolicy", "kaya", "Partners"))
        assert effective("kaya") == "Tag:Partners"


class TestTopology:
    def test_sites_and_pools(self) -> None:
        shell = Shell()
        assert [row["DisplayName"] for row in shell.rows(call("Get-CsSite"))] == ["Redmond", "Dublin"]
        assert [row["Identity"] for row in shell.rows(call("Get-CsPool", Site="redmond"))] == [
            "pool01.contoso.com",
            "edge.contoso.com",
        ]
        assert shell.failure(call("Get-CsSite", "site:Redmond")).FullyQualifiedErrorId.startswith(
            "ObjectNotFound,"
        )
        assert shell.failure(call("Get-CsPool", Site="Nowhere")).FullyQualifiedErrorId.startswith(
            "SiteNotFound,"
        )

    def test_computers_keep_the_order_of_their_pool(self) -> None:
        rows = Shell().rows(call("Get-CsComputer", Pool="POOL01.contoso.com"))
        assert [row["Fqdn"] for row in rows] == ["fe01.contoso.com", "fe02.contoso.com"]

    def test_services_by_role(self) -> None:
        row = Shell().row(call("Get-CsService", EdgeServer=None))
        assert (row["Identity"], row["MediaRelayAuthEdgePort"], row["Role"]) == (
            "EdgeServer:edge.contoso.com",
            5062,
            "EdgeServer",
        )
        assert row["SkypeSearchProxyPort"] == 4443
        assert "SkypeSearchProxyPort" not in Shell("2015").row(call("Get-CsService", EdgeServer=None))
        assert Shell().row(call("Get-CsService", CentralManagement=None))["Active"] is True
        assert len(Shell().rows(call("Get-CsService", PoolFqdn="dublin.contoso.com"))) == 6

    @pytest.mark.parametrize(
        ("version", "text"),
        [
            ("2010", "Lync Server 2010 (4.0.7577.0): Volume license key installed."),
            ("2019", "Skype for Business Server 2019 (7.0.2046.0): Volume license key installed."),
        ],
    )
    def test_the_version(self, version: str, text: str) -> None:
        assert Shell(version).run(call("Get-CsServerVersion")) == [text]

    def test_patch_versions_and_sip_domains(self) -> None:
        shell = Shell(patch="7.0.2046.252", sip_domains=["contoso.com", "fabrikam.com"])
        assert {row["Version"] for row in shell.rows(call("Get-CsServerPatchVersion"))} == {"7.0.2046.252"}
        assert [row["IsDefault"] for row in shell.rows(call("Get-CsSipDomain"))] == [True, False]
        assert shell.row(call("Get-CsManagementConnection"))["SqlServer"] == "sql-pool01.contoso.com"
        assert "fe01.contoso.com" in shell.row(call("Get-CsTopology"))["Machines"]


def test_objects_lose_depth_on_the_wire() -> None:
    inner = NetObject(("Inner", "System.Object"), {"Name": "x"}, text="the inner one")
    outer = NetObject(("Outer", "System.Object"), {"Inner": inner, "Names": string_list(["a"]), "None": None})
    row = properties(to_wire(outer))
    assert row["Inner"] == "the inner one"
    assert list(row["Names"]) == ["a"]
    bag = NetObject(("Selected.Outer", "System.Object"), notes={"Inner": inner})
    assert properties(properties(to_wire(bag))["Inner"]) == {"Name": "x"}


@given(st.timedeltas(datetime.timedelta(days=-200), datetime.timedelta(days=200)))
def test_time_spans_are_written_as_they_are_read(span: datetime.timedelta) -> None:
    from lab.objects.types import convert

    assert convert(time_span_text(span), "TimeSpan") == span
    assert plain(span) == time_span_text(span)
