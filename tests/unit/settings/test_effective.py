# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which collection is in force: the narrowest there is."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import effective
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import GLOBAL, stored, wanted
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.reading import collections
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Collection
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from hypothesis import given
from hypothesis import strategies as st
from unit.settings.scripted_shell import ScriptedShell, error, remote

MEDIA = RESOURCES["media_configuration"]
POLICY = RESOURCES["external_access_policy"]

REPLIES: dict[str, list[Any]] = {
    "Get-CsSite": [remote("Site", Identity="Site:Redmond"), remote("Site", Identity="Site:Dublin")],
    "Get-CsPool": [
        remote("Pool", Identity="Pool01.contoso.com", Site="Site:Redmond"),
        remote("Pool", Identity="dublin.contoso.com", Site="Site:Dublin"),
    ],
    "Get-CsService": [
        remote("Service", Identity="MediationServer:pool01.contoso.com", SiteId="Site:Redmond"),
        remote("Service", Identity="ConferencingServer:dublin.contoso.com", SiteId="site:Dublin"),
        remote("Service", Identity="Registrar:pool01.contoso.com", SiteId="Site:Redmond"),
    ],
}
POLICIES = {"CsExternalAccessPolicy": {"Tag:Sales": {}, "Site:Dublin": {}}}
COLLECTIONS = {"CsMediaConfiguration": {"Site:Dublin": {}, "Service:MediationServer:pool01.contoso.com": {}}}


def user(pool: str | None, policy: str | None) -> Any:
    return remote("User", Identity="CN=Ken Myer", RegistrarPool=pool, ExternalAccessPolicy=policy)


def of_user(found: Any, **more: Any) -> dict[str, Any]:
    replies = {**REPLIES, "Get-CsUser": [found], **more.pop("replies", {})}
    shell = ScriptedShell("2013", POLICIES, replies=replies, **more)
    return effective.users(shell, collections(shell, POLICY), ["sip:kenmyer@contoso.com"])[0]


@pytest.mark.parametrize(
    ("pool", "granted", "site", "identity", "scope"),
    [
        ("pool01.contoso.com", "Sales", "Redmond", "Tag:Sales", "per-user"),
        ("dublin.contoso.com", "tag:sales", "Dublin", "Tag:Sales", "per-user"),
        ("dublin.contoso.com", None, "Dublin", "Site:Dublin", "site"),
        ("POOL01.contoso.com", None, "Redmond", "Global", "global"),
        (None, "", None, "Global", "global"),
    ],
)
def test_users(pool: str | None, granted: str | None, site: str | None, identity: str, scope: str) -> None:
    answer = of_user(user(pool, granted))
    assert (answer["user"], answer["site"], answer["identity"], answer["scope"]) == (
        "sip:kenmyer@contoso.com",
        site,
        identity,
        scope,
    )
    assert answer["settings"]["identity"] == identity
    assert answer["confirmed"] is None


@pytest.mark.parametrize(
    ("view", "confirmed"), [("Global", False), ("Sales", True), ("tag:SALES", True), (None, None)]
)
def test_the_servers_own_view_confirms(view: str | None, confirmed: bool | None) -> None:
    views = {"Get-CsEffectivePolicy": [remote("EffectivePolicies", ExternalAccessPolicy=view)]}
    assert of_user(user("pool01.contoso.com", "Sales"), replies=views)["confirmed"] is confirmed


def test_a_policy_that_is_granted_and_not_listed_is_not_passed_over() -> None:
    with pytest.raises(Unreadable, match="has been granted Tag:Gone"):
        of_user(user("pool01.contoso.com", "Gone"))


def test_an_unknown_user_is_an_error() -> None:
    with pytest.raises(errors.CommandError):
        of_user(user(None, None), answer=lambda c: error(c.name) if c.name == "Get-CsUser" else None)


def test_each_user_that_a_name_stands_for_is_answered_for_by_name() -> None:
    people = {
        "K*": [
            remote("User", Identity="CN=Ken", SipAddress="sip:ken@contoso.com", ExternalAccessPolicy="Sales"),
            remote("User", Identity="CN=Kim", SipAddress="sip:kim@contoso.com", ExternalAccessPolicy=None),
        ],
        "sip:ann@contoso.com": [remote("User", Identity="CN=Ann", SipAddress="sip:ann@contoso.com")],
    }
    shell = ScriptedShell(
        "2010",
        POLICIES,
        replies=REPLIES,
        answer=lambda c: Results(tuple(people[c.parameters["Identity"]])) if c.name == "Get-CsUser" else None,
    )
    answers = effective.users(shell, collections(shell, POLICY), list(people))
    assert [(each["user"], each["sip_address"], each["identity"]) for each in answers] == [
        ("K*", "sip:ken@contoso.com", "Tag:Sales"),
        ("K*", "sip:kim@contoso.com", "Global"),
        ("sip:ann@contoso.com", "sip:ann@contoso.com", "Global"),
    ]


def test_a_name_for_nobody_is_refused() -> None:
    with pytest.raises(UnusableArgument):
        of_user(user(None, None), replies={"Get-CsUser": []})


def media_shell() -> ScriptedShell:
    return ScriptedShell("2013", COLLECTIONS, replies=REPLIES)


def test_sites_and_services() -> None:
    shell = media_shell()
    listed = collections(shell, MEDIA)
    sites = effective.sites(shell, MEDIA, listed, ["redmond", "Site:Dublin"])
    assert [(each["site"], each["identity"]) for each in sites] == [
        ("redmond", "Global"),
        ("Dublin", "Site:Dublin"),
    ]
    services = effective.services(
        shell,
        MEDIA,
        listed,
        ["mediationserver:pool01.contoso.com", "service:ConferencingServer:dublin.contoso.com"],
    )
    assert [(each["site"], each["identity"]) for each in services] == [
        ("Redmond", "Service:MediationServer:pool01.contoso.com"),
        ("Dublin", "Site:Dublin"),
    ]


def test_what_the_topology_lacks_is_refused_with_what_it_has() -> None:
    shell = media_shell()
    listed = collections(shell, MEDIA)
    with pytest.raises(
        UnusableArgument, match=r"^sites: the topology has no site 'Atlantis'\. It has: Dublin, Redmond"
    ):
        effective.sites(shell, MEDIA, listed, ["Atlantis"])
    with pytest.raises(UnusableArgument, match="It has: ConferencingServer") as refusal:
        effective.services(shell, MEDIA, listed, ["MediationServer:pool09.contoso.com"])
    assert "Registrar" not in str(refusal.value)


def test_nothing_asked_is_nothing_read() -> None:
    shell = media_shell()
    assert effective.sites(shell, MEDIA, [], []) == effective.services(shell, MEDIA, [], []) == []
    assert effective.users(shell, [], []) == []
    assert shell.sent == []


names = st.sampled_from(["Global", "Site:A", "Site:B", "Tag:A", "Tag:B"])


@given(st.sets(names), st.lists(names, max_size=3))
def test_the_narrowest_that_exists_wins(existing: set[str], candidates: list[str]) -> None:
    listed = [Collection(stored(text, POLICY.scopes), {}) for text in existing | {"Global"}]
    chosen = effective.in_force(listed, *(wanted(text, POLICY.scopes) for text in candidates), None)
    expected = next((text for text in candidates if text in existing | {"Global"}), "Global")
    assert str(chosen.identity) == expected


def test_no_global_collection_cannot_be() -> None:
    with pytest.raises(Unreadable):
        effective.in_force([Collection(stored("Site:A", POLICY.scopes), {})], GLOBAL)
