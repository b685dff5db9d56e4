# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Each prerequisite, broken once and unread once."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.messenger import MESSENGER
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.outside import (
    Certificate,
    Unreached,
    is_suffix_match,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.prerequisites import (
    Deployment,
    Prerequisite,
    Reading,
    State,
    prerequisites,
    product_of,
)

EDGE = "EdgeServer:edge01.contoso.com"
EDGE_SERVICE = {
    "Identity": EDGE,
    "Role": "EdgeServer",
    "PoolFqdn": "edge01.contoso.com",
    "DependentServiceList": ["Registrar:pool01.contoso.com"],
    "AccessEdgeExternalFqdn": "sip.contoso.com",
    "AVEdgeExternalFqdn": "av.contoso.com",
}
REGISTRAR = {
    "Identity": "Registrar:pool01.contoso.com",
    "Role": "Registrar",
    "PoolFqdn": "pool01.contoso.com",
}
SITE = {"Identity": "Site:Redmond", "SiteType": "CentralSite", "FederationRoute": EDGE}
MESSENGER_PROVIDER = {"Identity": "MSN", "ProxyFqdn": MESSENGER, "Enabled": True}
ACCESS_EDGE = {"AllowFederatedUsers": True, "AllowOutsideUsers": True, "RoutingMethod": "UseDnsSrvRouting"}
POLICY = {
    "Identity": "Global",
    "EnablePublicCloudAccess": True,
    "EnablePublicCloudAudioVideoAccess": True,
    "EnableOutsideAccess": True,
}


def read(*objects: Any) -> Reading:
    return Reading("Get-Something", objects)


READY = Deployment(
    version="Lync Server 2010 (4.0.7577.0): Volume license key installed.",
    access_edge=read(ACCESS_EDGE),
    public_providers=read(MESSENGER_PROVIDER),
    hosting_providers=read(),
    allowed_domains=read({"Identity": "fabrikam.com", "ProxyFqdn": None}),
    blocked_domains=read(),
    sip_domains=read({"Identity": "contoso.com", "Name": "contoso.com"}),
    sites=read(SITE),
    services=read(EDGE_SERVICE, REGISTRAR),
    policies=read(POLICY),
    conferencing_policies=read({"Identity": "Global", "EnableP2PVideo": True}),
    media=read({"Identity": "Global", "EncryptionLevel": "SupportEncryption"}),
    audio_video_disabled=read(),
    replicas=read({"replica_fqdn": "fe01.contoso.com", "behind": False}),
    masters=read({"active_master": "pool01.contoso.com"}),
    license=read({"Version": "Volume license key installed."}),
    srv={"contoso.com": ("sip.contoso.com",)},
    certificates={"sip.contoso.com": Certificate(("sip.contoso.com",))},
)
BY_NAME = {each.name: each for each in prerequisites(READY)}
NEVER_KNOWN = {"license", "ports"}


def judged(found: Deployment, name: str) -> Prerequisite:
    return next(each for each in prerequisites(found) if each.name == name)


def test_a_deployment_that_is_ready_leaves_only_what_no_source_can_answer() -> None:
    assert {name for name, each in BY_NAME.items() if each.state is not State.MET} == NEVER_KNOWN
    assert {BY_NAME[name].state for name in NEVER_KNOWN} == {State.UNKNOWN}


BROKEN: list[tuple[str, dict[str, Any], str]] = [
    ("version", {"version": "Skype for Business Server 2019 (7.0.2046.0)"}, "ansible-playbook"),
    ("access_edge", {"access_edge": read({**ACCESS_EDGE, "AllowFederatedUsers": False})}, "Federated"),
    ("access_edge", {"access_edge": read({**ACCESS_EDGE, "RoutingMethod": "UseDefaultRouting"})}, "DnsSrv"),
    ("outside_access", {"access_edge": read({**ACCESS_EDGE, "AllowOutsideUsers": False})}, "AllowOutside"),
    ("outside_access", {"policies": read({**POLICY, "EnableOutsideAccess": False})}, "EnableOutsideAccess"),
    ("federation_route", {"sites": read({**SITE, "FederationRoute": None})}, "Topology Builder"),
    ("federation_route", {"services": read(REGISTRAR)}, "Topology Builder"),
    (
        "federation_route",
        {"services": read({**EDGE_SERVICE, "AccessEdgeExternalFqdn": None}, REGISTRAR)},
        "Topology Builder",
    ),
    ("media_edge", {"services": read({**EDGE_SERVICE, "DependentServiceList": []}, REGISTRAR)}, "Edge pool"),
    ("media_edge", {"services": read({**EDGE_SERVICE, "AVEdgeExternalFqdn": None}, REGISTRAR)}, "Edge pool"),
    ("public_provider", {"public_providers": read()}, "New-CsPublicProvider"),
    (
        "public_provider",
        {"public_providers": read({**MESSENGER_PROVIDER, "Enabled": False})},
        "Set-CsPublicProvider -Identity MSN -Enabled $true",
    ),
    (
        "public_provider",
        {"hosting_providers": read({"Identity": "Hosted", "ProxyFqdn": f"{MESSENGER}."})},
        "Remove-CsHostingProvider -Identity Hosted",
    ),
    (
        "allowed_domains",
        {"allowed_domains": read({"Identity": "msn.com", "ProxyFqdn": MESSENGER.upper()})},
        "Set-CsAllowedDomain -Identity msn.com -ProxyFqdn $null",
    ),
    ("blocked_domains", {"blocked_domains": read({"Identity": "Hotmail.com"})}, "Remove-CsBlockedDomain"),
    ("policies", {"policies": read({**POLICY, "EnablePublicCloudAudioVideoAccess": False})}, "$true"),
    (
        "media_encryption",
        {"media": read({"Identity": "Global", "EncryptionLevel": "RequireEncryption"})},
        "SupportEncryption",
    ),
    (
        "p2p_video",
        {"conferencing_policies": read({"Identity": "Tag:NoVideo", "EnableP2PVideo": False})},
        "Set-CsConferencingPolicy -Identity Tag:NoVideo -EnableP2PVideo $true",
    ),
    (
        "audio_video_users",
        {"audio_video_disabled": read({"Identity": "CN=1", "SipAddress": "sip:ken@contoso.com"})},
        "-AudioVideoDisabled $false",
    ),
    ("dns_srv", {"srv": {"contoso.com": ()}}, "Resolve-DnsName"),
    ("dns_srv", {"srv": {"contoso.com": ("sip.contoso-edge.com",)}}, "Resolve-DnsName"),
    (
        "external_certificate",
        {"certificates": {"sip.contoso.com": Certificate(("*.contoso.com",))}},
        "Get-CsCertificate",
    ),
    (
        "external_certificate",
        {"certificates": {"sip.contoso.com": Certificate(("sip.contoso.com",), "it expired")}},
        "Get-CsCertificate",
    ),
    ("external_certificate", {"certificates": {}}, "Get-CsService"),
    (
        "replication",
        {"replicas": read({"replica_fqdn": "fe01.contoso.com", "behind": True})},
        "Get-CsManagementStoreReplicationStatus",
    ),
    ("replication", {"masters": read()}, "Get-CsManagementStoreReplicationStatus"),
    (
        "replication",
        {"masters": read({"active_master": "a.b"}, {"active_master": "c.d"})},
        "Get-CsManagementStoreReplicationStatus",
    ),
]


@pytest.mark.parametrize(("name", "changes", "remedy"), BROKEN)
def test_each_that_is_broken_is_unmet_with_its_remedy(
    name: str, changes: dict[str, Any], remedy: str
) -> None:
    found = replace(READY, **changes)
    broken = judged(found, name)
    assert broken.state is State.UNMET
    assert broken.evidence
    assert remedy in " ".join(broken.remedy)


def test_every_prerequisite_has_been_broken() -> None:
    assert {name for name, _changes, _remedy in BROKEN} | NEVER_KNOWN == set(BY_NAME)


UNREADABLE = Reading("Get-Something", failure="Access is denied.")
NOT_READ = {
    "access_edge": ["access_edge", "outside_access"],
    "public_providers": ["public_provider", "allowed_domains"],
    "hosting_providers": ["public_provider", "allowed_domains"],
    "allowed_domains": ["allowed_domains"],
    "blocked_domains": ["blocked_domains"],
    "sip_domains": ["dns_srv"],
    "sites": ["federation_route"],
    "services": ["federation_route", "media_edge", "external_certificate"],
    "policies": ["policies", "outside_access"],
    "conferencing_policies": ["p2p_video"],
    "media": ["media_encryption"],
    "audio_video_disabled": ["audio_video_users"],
    "replicas": ["replication"],
    "masters": ["replication"],
}


@pytest.mark.parametrize("reading", NOT_READ)
def test_what_could_not_be_read_is_unknown_and_nothing_else_is(reading: str) -> None:
    found = prerequisites(replace(READY, **{reading: UNREADABLE}))
    unknown = {each.name: each for each in found if each.state is State.UNKNOWN}
    assert set(unknown) == {*NOT_READ[reading], *NEVER_KNOWN}
    for name in NOT_READ[reading]:
        assert unknown[name].evidence == "Access is denied."
        assert unknown[name].remedy == ("Get-Something",)
    assert not any(each.state is State.UNMET for each in found)


@pytest.mark.parametrize(
    ("name", "changes"),
    [
        ("version", {"version": None}),
        ("federation_route", {"sites": read({"Identity": "Site:Redmond"})}),
        ("p2p_video", {"conferencing_policies": read({"Identity": "Global"})}),
        ("dns_srv", {"srv": {"contoso.com": Unreached("no dnspython", "pip")}}),
        ("external_certificate", {"certificates": {"sip.contoso.com": Unreached("no way", "openssl")}}),
    ],
)
def test_what_nobody_tells_is_unknown(name: str, changes: dict[str, Any]) -> None:
    assert judged(replace(READY, **changes), name).state is State.UNKNOWN


def test_one_domain_without_a_record_is_unmet_whatever_is_unknown_of_others() -> None:
    found = replace(READY, srv={"a.com": Unreached("timeout", "dig"), "b.com": ()})
    assert judged(found, "dns_srv").state is State.UNMET


@pytest.mark.parametrize(
    ("target", "matches"),
    [
        ("sip.contoso.com", True),
        ("SIP.contoso.com.", True),
        ("sip.it.contoso.com", False),
        ("contoso.com", False),
    ],
)
def test_a_server_is_right_below_its_domain(target: str, matches: bool) -> None:
    assert is_suffix_match(target, "contoso.com") is matches


@pytest.mark.parametrize(
    ("version", "product"),
    [
        ("Lync Server 2013 (5.0.8308.0): Evaluation license key installed.", 5),
        ("7.0.2046.0", 7),
        ("Lync", None),
        (None, None),
    ],
)
def test_the_product_is_told_by_the_build(version: str | None, product: int | None) -> None:
    assert product_of(version) == product
