# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Settings, policies and providers: defaults, scopes, what is written, what is refused."""

from __future__ import annotations

import pytest
from lab.catalogue import lync_commands
from lab.cmdlets.writes import writes

from .direct import VERSIONS, Shell, call

MEDIA_2013 = {
    "Identity": "Global",
    "EnableQoS": False,
    "EncryptionLevel": "RequireEncryption",
    "EnableSiren": False,
    "MaxVideoRateAllowed": "VGA600K",
    "EnableG722StereoCodec": True,
    "EnableH264Codec": True,
    "EnableAdaptiveBandwidthEstimation": True,
}
ACCESS_EDGE_2013 = {
    "Identity": "Global",
    "AllowAnonymousUsers": False,
    "AllowFederatedUsers": False,
    "AllowOutsideUsers": True,
    "BeClearingHouse": False,
    "EnablePartnerDiscovery": False,
    "EnableArchivingDisclaimer": False,
    "EnableUserReplicator": True,
    "KeepCrlsUpToDateForPeers": True,
    "MarkSourceVerifiableOnOutgoingMessages": True,
    "OutgoingTlsCountForFederatedPartners": 4,
    "DiscoveredPartnerStandardRate": 20,
    "EnableDiscoveredPartnerContactsLimit": True,
    "MaxContactsPerDiscoveredPartner": 1000,
    "DiscoveredPartnerReportPeriodMinutes": 60,
    "MaxAcceptedCertificatesStored": 1000,
    "MaxRejectedCertificatesStored": 500,
    "CertificatesDeletedPercentage": 20,
    "RoutingMethod": "UseDnsSrvRouting",
}


def test_an_untouched_media_configuration_prints_as_microsofts_sample() -> None:
    row = Shell("2013").row(call("Get-CsMediaConfiguration"))
    assert list(row.items()) == list(MEDIA_2013.items())


@pytest.mark.parametrize(
    ("version", "absent", "present"),
    [
        ("2010", {"EnableH264Codec", "EnableInCallQoS", "EnableDtls"}, {"MaxVideoRateAllowed"}),
        ("2015", {"EnableDtls"}, {"EnableInCallQoS", "InCallQoSIntervalSeconds", "EnableH264Codec"}),
        ("2019", {"EnableH264Codec"}, {"EnableDtls", "EnableRtx", "EnableInCallQoS"}),
        ("SE", {"EnableH264Codec"}, {"EnableDtls", "EnableAVBundling"}),
    ],
)
def test_media_properties_by_version(version: str, absent: set[str], present: set[str]) -> None:
    row = Shell(version).row(call("Get-CsMediaConfiguration"))
    assert present <= row.keys()
    assert not absent & row.keys()


def test_the_access_edge_prints_as_microsofts_sample() -> None:
    row = Shell("2013").row(call("Get-CsAccessEdgeConfiguration"))
    # The sample is older than DiscoveredPartnerVerificationLevel, which the reference documents for 2013.
    row.pop("DiscoveredPartnerVerificationLevel")
    assert list(row.items()) == list(ACCESS_EDGE_2013.items())


@pytest.mark.parametrize("version", VERSIONS)
def test_external_access_is_off_by_default(version: str) -> None:
    row = Shell(version).row(call("Get-CsExternalAccessPolicy"))
    assert {value for name, value in row.items() if name.startswith("Enable")} == {False}
    assert ("EnableXmppAccess" in row) is (version != "2010")
    assert row["Description"] is None


@pytest.mark.parametrize(
    ("version", "names"), [("2010", ["MSN", "Yahoo!", "AOL"]), ("2013", ["Messenger", "Yahoo!", "AIM"])]
)
def test_shipped_providers_are_disabled(version: str, names: list[str]) -> None:
    rows = Shell(version).rows(call("Get-CsPublicProvider"))
    assert [row["Identity"] for row in rows] == names
    assert not any(row["Enabled"] for row in rows)


def test_the_type_names_end_in_object() -> None:
    (output,) = Shell().run(call("Get-CsMediaConfiguration"))
    assert output.PSTypeNames == [
        "Microsoft.Rtc.Management.WritableConfig.Settings.Media.MediaSettings",
        "System.Object",
    ]


@pytest.mark.parametrize("identity", ["global", "GLOBAL", None])
def test_set_changes_what_is_named_and_nothing_else(identity: str | None) -> None:
    shell = Shell()
    before = shell.row(call("Get-CsMediaConfiguration"))
    given = {"Identity": identity} if identity else {}
    assert shell.run(call("Set-CsMediaConfiguration", EncryptionLevel="supportencryption", **given)) == []
    after = shell.row(call("Get-CsMediaConfiguration"))
    assert after == {**before, "EncryptionLevel": "SupportEncryption"}


def test_new_starts_from_the_types_defaults_not_from_global() -> None:
    shell = Shell()
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True, EncryptionLevel="SupportEncryption"))
    row = shell.row(call("New-CsMediaConfiguration", Identity="SITE:dublin", EnableSiren=True))
    assert (row["Identity"], row["EnableQoS"], row["EnableSiren"]) == ("Site:Dublin", False, True)
    assert row["EncryptionLevel"] == "RequireEncryption"
    assert [r["Identity"] for r in shell.rows(call("Get-CsMediaConfiguration"))] == ["Global", "Site:Dublin"]


def test_in_memory_of_global_shows_the_defaults() -> None:
    shell = Shell()
    shell.run(call("Set-CsMediaConfiguration", EncryptionLevel="SupportEncryption"))
    row = shell.row(call("New-CsMediaConfiguration", Identity="Global", InMemory=None))
    assert row["EncryptionLevel"] == "RequireEncryption"


@pytest.mark.parametrize(
    ("identity", "stored"),
    [("Partners", "Tag:Partners"), ("tag:Partners", "Tag:Partners"), ("site:dublin", "Site:Dublin")],
)
def test_identities_are_printed_canonically(identity: str, stored: str) -> None:
    assert Shell().row(call("New-CsExternalAccessPolicy", Identity=identity))["Identity"] == stored


@pytest.mark.parametrize(
    ("noun", "identity", "error_id"),
    [
        ("CsMediaConfiguration", "tag:Partners", "ScopeNotSupported"),
        ("CsMediaConfiguration", "Partners", "CannotConvertArgumentNoMessage"),
        ("CsMediaConfiguration", "site:Nowhere", "SiteNotFound"),
        ("CsMediaConfiguration", "service:Registrar:pool01.contoso.com", "ServiceRoleNotSupported"),
        ("CsMediaConfiguration", "service:MediationServer:nowhere.contoso.com", "ServiceNotFound"),
        ("CsMediaConfiguration", "global", "ObjectAlreadyExists"),
        ("CsMediaConfiguration", "site:*", "CannotConvertArgumentNoMessage"),
        ("CsExternalAccessPolicy", "service:EdgeServer:edge.contoso.com", "ScopeNotSupported"),
        ("CsAVEdgeConfiguration", "EdgeServer:nowhere.contoso.com", "ServiceNotFound"),
    ],
)
def test_identities_a_noun_does_not_have(noun: str, identity: str, error_id: str) -> None:
    shell = Shell()
    record = shell.failure(call(f"New-{noun}", Identity=identity))
    assert record.FullyQualifiedErrorId.startswith(f"{error_id},")
    assert shell.deployment.store.state == shell.deployment.store.initial


@pytest.mark.parametrize("verb", ["Get", "Set", "Remove"])
def test_what_does_not_exist_is_an_error(verb: str) -> None:
    shell = Shell()
    record = shell.failure(call(f"{verb}-CsMediaConfiguration", Identity="site:Dublin"))
    assert str(record) == 'Cannot find "MediaSettings" "Site:Dublin" because it does not exist.'
    assert record.CategoryInfo.Category.name == "ObjectNotFound"


def test_filters_match_the_stored_identity() -> None:
    shell = Shell()
    for identity in ("site:Dublin", "Sales", "Partners"):
        shell.run(call("New-CsExternalAccessPolicy", Identity=identity))
    found = shell.rows(call("Get-CsExternalAccessPolicy", Filter="TAG:*"))
    assert [row["Identity"] for row in found] == ["Tag:Partners", "Tag:Sales"]


def test_removing_global_resets_it() -> None:
    shell = Shell()
    shell.run(call("Set-CsMediaConfiguration", EncryptionLevel="DoNotSupportEncryption", EnableQoS=True))
    shell.run(call("Remove-CsMediaConfiguration", Identity="global"))
    row = shell.row(call("Get-CsMediaConfiguration"))
    assert (row["EncryptionLevel"], row["EnableQoS"]) == ("RequireEncryption", False)


def test_the_pipeline_carries_identities() -> None:
    shell = Shell()
    for site in ("Redmond", "Dublin"):
        shell.run(call("New-CsMediaConfiguration", Identity=f"site:{site}"))
    shell.run(
        call("Get-CsMediaConfiguration", Filter="site:*"), call("Set-CsMediaConfiguration", EnableQoS=True)
    )
    assert [row["EnableQoS"] for row in shell.rows(call("Get-CsMediaConfiguration"))] == [False, True, True]
    shell.run(call("Get-CsMediaConfiguration", Filter="site:*"), call("Remove-CsMediaConfiguration"))
    assert shell.streams.written == ["Remove-CsMediaConfiguration"] * 2
    assert len(shell.rows(call("Get-CsMediaConfiguration"))) == 1


class TestAssignedPolicies:
    def shell(self) -> Shell:
        return Shell(
            settings={"ExternalAccessPolicy": [{"Identity": "Tag:Partners"}]},
            users=[{"name": "kenmyer", "pool": "pool01.contoso.com", "external_access_policy": "Partners"}],
        )

    def test_removal_asks_and_no_is_no(self) -> None:
        shell = self.shell()
        shell.run(call("Remove-CsExternalAccessPolicy", Identity="Partners"), answer=1)
        ((caption, message),) = shell.streams.prompts
        assert caption == "The policy is in use."
        assert message == (
            'The policy "Partners" is currently assigned to one or more users. Assign a different policy '
            "to the users "
            "before removing this one."
        )
        assert shell.streams.written == []
        assert shell.row(call("Get-CsExternalAccessPolicy", Identity="Partners"))

    def test_only_force_does_not_ask(self) -> None:
        shell = self.shell()
        shell.run(call("Remove-CsExternalAccessPolicy", Identity="Partners", Confirm=False), answer=1)
        assert len(shell.streams.prompts) == 1
        shell.run(call("Remove-CsExternalAccessPolicy", Identity="Partners", Force=None))
        assert shell.streams.prompts == []
        assert len(shell.rows(call("Get-CsExternalAccessPolicy"))) == 1


class TestProviders:
    PROVIDER = {"Identity": "Skype", "ProxyFqdn": "federation.messenger.msn.com", "Enabled": True}

    def test_microsofts_recipe_for_skype(self) -> None:
        shell = Shell("2013")
        shell.run(call("Remove-CsPublicProvider", Identity="Messenger"))
        row = shell.row(
            call("New-CsPublicProvider", **{**self.PROVIDER, "VerificationLevel": 2, "Enabled": 1})
        )
        assert (row["Name"], row["Enabled"]) == ("Skype", True)
        assert row["VerificationLevel"] == "UseSourceVerification"

    def test_a_proxy_belongs_to_one_provider(self) -> None:
        shell = Shell("2013")
        record = shell.failure(call("New-CsPublicProvider", **self.PROVIDER))
        assert record.FullyQualifiedErrorId.startswith("DuplicateProxyFqdn,")
        hosting = {**self.PROVIDER, "EnabledSharedAddressSpace": False, "HostsOCSUsers": False}
        record = shell.failure(call("New-CsHostingProvider", **hosting))
        assert record.FullyQualifiedErrorId.startswith("DuplicateProxyFqdn,")

    def test_enable_and_disable(self) -> None:
        shell = Shell("2010")
        assert shell.failure(call("Disable-CsPublicProvider", "MSN")).FullyQualifiedErrorId.startswith(
            "ProviderAlreadyDisabled,"
        )
        shell.run(call("Enable-CsPublicProvider", "msn"))
        assert shell.row(call("Get-CsPublicProvider", "MSN"))["Enabled"] is True
        shell.run(call("Get-CsPublicProvider", "MSN"), call("Disable-CsPublicProvider"))
        assert shell.row(call("Get-CsPublicProvider", "MSN"))["Enabled"] is False

    def test_a_default_route_and_providers_exclude_each_other(self) -> None:
        shell = Shell("2010")
        route = call(
            "Set-CsAccessEdgeConfiguration", UseDefaultRouting=None, DefaultRouteFqdn="hop.contoso.com"
        )
        assert shell.failure(route).FullyQualifiedErrorId.startswith("ProvidersExist,")
        shell.run(call("Get-CsPublicProvider"), call("Remove-CsPublicProvider"))
        shell.run(route)
        (output,) = shell.run(call("Get-CsAccessEdgeConfiguration"))
        assert output.PSTypeNames[0].endswith("DisplayAccessEdgeSettingsDefaultRoute")
        row = shell.row(call("Get-CsAccessEdgeConfiguration"))
        assert row["RoutingMethod"] == "UseDefaultRouting"
        assert {"DefaultRouteFqdn", "VerificationLevel", "IsPublicProvider"} <= row.keys()
        assert not {"BeClearingHouse", "EnablePartnerDiscovery"} & row.keys()
        assert shell.failure(call("New-CsPublicProvider", **self.PROVIDER)).FullyQualifiedErrorId.startswith(
            "DefaultRoutingInUse,"
        )


WRITING = [
    call("Set-CsExternalAccessPolicy", EnableOutsideAccess=True),
    call("New-CsExternalAccessPolicy", Identity="Partners"),
    call("Remove-CsExternalAccessPolicy", Identity="Global"),
    call("Set-CsMediaConfiguration", EnableQoS=True),
    call("New-CsMediaConfiguration", Identity="site:Dublin"),
    call("Set-CsAccessEdgeConfiguration", AllowFederatedUsers=True),
    call("Set-CsAVEdgeConfiguration", MaxBandwidthPerPortKb=1),
    call("Enable-CsPublicProvider", Identity="Skype"),
    call("Set-CsPublicProvider", Identity="Skype", Enabled=True),
    call("Remove-CsPublicProvider", Identity="Skype"),
    call("New-CsAllowedDomain", Identity="fabrikam.com"),
    call("New-CsBlockedDomain", Identity="blocked.com"),
    call("Grant-CsExternalAccessPolicy", Identity="kenmyer", PolicyName=None),
]


@pytest.mark.parametrize("command", WRITING, ids=lambda c: c.name)
def test_every_write_is_flagged_and_whatif_writes_nothing(command: object) -> None:
    shell = Shell()
    before = shell.deployment.status()
    shell.run(call(command.name, **{a.name: a.value for a in command.arguments}, WhatIf=None))
    assert shell.streams.written == []
    assert shell.streams.host_lines[0].startswith(
        f'What if: Performing the operation "{command.name}" on target "'
    )
    assert shell.deployment.status() == before
    shell.run(command)
    assert not shell.streams.errors
    assert shell.streams.written == [command.name]


@pytest.mark.parametrize("version", VERSIONS)
def test_commands_that_read_are_no_writes(version: str) -> None:
    writing = {c.name for c in lync_commands(version).values() if writes(c, {})}
    assert not [name for name in writing if name.startswith(("Get-", "Test-", "Show-", "Search-", "Export-"))]
    verbs = {c.name.partition("-")[0] for c in lync_commands(version).values() if c.name in writing}
    assert {
        "Set",
        "New",
        "Remove",
        "Grant",
        "Enable",
        "Disable",
        "Invoke",
        "Start",
        "Stop",
        "Publish",
    } <= verbs


def test_sip_domains_are_those_of_the_file() -> None:
    shell = Shell(sip_domains=["contoso.com", "fabrikam.com"])
    rows = shell.rows(call("Get-CsSipDomain"))
    assert [(row["Identity"], row["IsDefault"]) for row in rows] == [
        ("contoso.com", True),
        ("fabrikam.com", False),
    ]
