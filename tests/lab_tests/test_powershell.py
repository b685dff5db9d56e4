# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines, common parameters and PowerShell's own commands."""

from __future__ import annotations

import datetime
import re

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


WRITE = (call("Set-CsMediaConfiguration", EnableQoS=True),)
READ = (call("Get-CsMediaConfiguration"),)


def heard(shell: Shell) -> list[bool]:
    return [properties(output)["EnableQoS"] for output in shell.streams.outputs]


def test_after_a_first_statement_that_terminates_one_more_is_heard_and_the_rest_runs() -> None:
    shell = Shell()
    shell.run_statements((UNKNOWN,), READ, WRITE, READ)
    (record,) = shell.streams.errors
    assert record.FullyQualifiedErrorId == "CommandNotFoundException"
    assert record.CategoryInfo.Reason == "ParentContainsErrorRecordException"
    assert (record.CategoryInfo.Activity, record.InvocationInfo) == ("", None)
    assert (heard(shell), shell.streams.failures) == ([False], [None])
    assert shell.streams.written == ["Set-CsMediaConfiguration"]


def test_a_later_statement_that_terminates_fails_the_pipeline_and_the_rest_runs_unheard() -> None:
    shell = Shell()
    shell.run_statements(READ, (UNKNOWN,), WRITE, READ)
    assert (heard(shell), shell.streams.errors) == ([False], [])
    (failure,) = shell.streams.failures
    assert failure is not None
    assert failure.FullyQualifiedErrorId == "CommandNotFoundException"
    assert shell.streams.written == ["Set-CsMediaConfiguration"]


def test_powershell_3_does_not_run_what_follows_the_second() -> None:
    shell = Shell("2013", powershell="3.0")
    shell.run_statements(READ, (UNKNOWN,), WRITE)
    assert (heard(shell), len(shell.streams.errors), shell.streams.written) == ([False], 1, [])


def test_error_action_stop_ends_the_batch() -> None:
    shell = Shell()
    stop = call("Get-CsMediaConfiguration", Identity="site:Dublin", ErrorAction="Stop")
    with pytest.raises(TerminatingError) as caught:
        shell.run_statements((stop,), (call("Get-CsSite"),))
    assert shell.streams.outputs == []
    assert str(caught.value.record) == 'Cannot find "MediaSettings" "Site:Dublin" because it does not exist.'
    assert shell.streams.journal[0].result == caught.value.record.FullyQualifiedErrorId


def test_nothing_runs_when_a_later_command_cannot_be_bound() -> None:
    shell = Shell()
    with pytest.raises(TerminatingError):
        shell.run(
            call("New-CsMediaConfiguration", Identity="site:Dublin"), call("Measure-Object", Colour="red")
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
    found = shell.run(call("Get-CsUser"), input=["kenmyer", "kaya"])
    assert [properties(user)["SamAccountName"] for user in found] == ["kenmyer", "kaya"]


def test_verbose_tells_the_operation() -> None:
    shell = Shell()
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True, Verbose=None))
    assert shell.streams.verboses == [
        'Performing the operation "Set-CsMediaConfiguration" on target "Global".'
    ]


def test_a_stopped_pipeline_ends() -> None:
    shell = Shell()
    streams = RecordingStreams()
    streams.stopped.set()
    with pytest.raises(PipelineStopped):
        shell.runspace.run([(call("Get-CsSite"),)], streams, [])


def test_scripts_of_plain_command_lines_run_on_a_full_endpoint() -> None:
    shell = full()
    lines = (
        "Get-CsSite -Identity:Dublin\nWrite-Output 'it''s' \"two words\"\nw32tm /bogus\nexit $LASTEXITCODE"
    )
    (site, *words) = shell.run(CommandCall(lines, is_script=True))
    assert properties(site)["Identity"] == "Site:Dublin"
    assert words[:2] == ["it's", "two words"]
    assert shell.streams.exit_code != 0
    assert shell.run(CommandCall("exit 3", is_script=True)) == []
    assert shell.streams.exit_code == 3


@pytest.mark.parametrize(
    "text", ["$x = 1", "Get-CsSite | Out-String", "Write-Output (1)", 'echo "$x"', "a; b"]
)
def test_scripts_beyond_plain_command_lines_are_not_modelled(text: str) -> None:
    assert full().failure(CommandCall(text, is_script=True)).CategoryInfo.Category.name == "NotImplemented"


def test_a_command_the_lab_does_not_model_says_so() -> None:
    record = full().failure(call("Invoke-CsPoolFailOver", PoolFqdn="pool01.contoso.com"))
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
        assert (row["Name"], row["CommandType"]) == ("Get-CsSite", "Cmdlet")
        assert row["ModuleName"] == "SkypeForBusiness"
        assert {"Identity", "Filter", "Verbose"} <= row["Parameters"].keys()
        assert row["Definition"].startswith("\r\nGet-CsSite [[-Identity] <XdsGlobalRelativeIdentity>]")

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


class TestGetDate:
    def test_the_extended_date(self) -> None:
        shell = full()
        (now,) = shell.run(call("Get-Date"))
        assert isinstance(now, datetime.datetime)
        (hint,) = now.PSObject.extended_properties
        assert (hint.name, hint.get_value(now).name) == ("DisplayHint", "DateTime")
        assert now == shell.clock.utc_now()


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
            "sql-pool01.contoso.com",
            "files.contoso.com",
            "gateway.contoso.com",
        ]
        (database,) = shell.rows(call("Get-CsService", CentralManagementDatabase=None))
        assert database["PoolFqdn"] == "sql-pool01.contoso.com"
        assert shell.row(call("Get-CsComputer", Pool="files.contoso.com"))["Fqdn"] == "files.contoso.com"
        for command, error_id in (
            (call("Get-CsSite", "site:Redmond"), "ObjectNotFound,"),
            (call("Get-CsPool", Site="Nowhere"), "SiteNotFound,"),
        ):
            assert shell.failure(command).FullyQualifiedErrorId.startswith(error_id)

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


@pytest.mark.parametrize("language", ["de", "fr", "ja"])
def test_messages_in_another_language_have_no_english_word(language: str) -> None:
    shell = Shell(language=language)
    unknown = shell.failure(call("Get-CsNope"))
    assert unknown.FullyQualifiedErrorId == "CommandNotFoundException"
    missing = shell.failure(call("Get-CsMediaConfiguration", Identity="site:Dublin"))
    refused = shell.failure(call("Set-CsMediaConfiguration", EncryptionLevel="Foo"))
    for record in (unknown, missing, refused):
        words = set(re.findall(r"[^\W\d_]+", record.Exception.Message.lower()))
        assert not words & {"the", "is", "not", "of", "cannot", "to", "a", "name", "value", "find"}
    assert "Get-CsNope" in unknown.Exception.Message
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True, WhatIf=None))
    assert "Performing" not in " ".join(shell.streams.host_lines)
