# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities: every way of writing one comes to the same, and what cannot be one is refused with what can."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.ordinal import same_name
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import UnusableArgument
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import (
    GLOBAL,
    Identity,
    Scope,
    stored,
    wanted,
)
from hypothesis import assume, given
from hypothesis import strategies as st

POLICY = (Scope.GLOBAL, Scope.SITE, Scope.USER)
MEDIA = (Scope.GLOBAL, Scope.SITE, Scope.SERVICE)
ROLES = ("ConferencingServer", "MediationServer", "ApplicationServer")

names = st.text(
    st.characters(categories=("L", "N"), include_characters=" .-_!'"), min_size=1, max_size=30
).filter(lambda name: name == name.strip() and not same_name(name, "Global"))
labels = st.from_regex(r"[a-z]([a-z0-9-]{0,8}[a-z0-9])?", fullmatch=True)
fqdns = st.lists(labels, min_size=2, max_size=4).map(".".join)


@given(st.sampled_from([Scope.SITE, Scope.USER]), names)
def test_the_stored_form_of_a_policy_reads_back(scope: Scope, name: str) -> None:
    identity = Identity(scope, name)
    assert wanted(str(identity), POLICY) == identity
    assert stored(str(identity), POLICY) == identity


@given(st.sampled_from(ROLES), fqdns)
def test_the_stored_form_of_a_service_reads_back(role: str, pool: str) -> None:
    identity = Identity(Scope.SERVICE, f"{role}:{pool}")
    assert wanted(str(identity), MEDIA, ROLES) == identity
    assert wanted(identity.argument, MEDIA, ROLES) == identity
    assert str(wanted(f"SERVICE:{role.lower()}:{pool}", MEDIA, ROLES)) == str(identity)


@given(names)
def test_tag_is_optional_and_case_means_nothing(name: str) -> None:
    assume(same_name(name.swapcase(), name))
    assert wanted(name, POLICY) == Identity(Scope.USER, name)
    assert (
        wanted(f"tag:{name}", POLICY)
        == wanted(f"TAG:{name.swapcase()}", POLICY)
        == Identity(Scope.USER, name)
    )


@pytest.mark.parametrize("text", ["Global", "global", "GLOBAL", " global "])
def test_there_is_one_global(text: str) -> None:
    assert wanted(text, POLICY) == GLOBAL
    assert hash(wanted(text, POLICY)) == hash(GLOBAL)


def test_equal_identities_have_equal_hashes() -> None:
    assert len({stored("Site:Redmond", MEDIA), stored("site:REDMOND", MEDIA)}) == 1
    assert stored("Site:Redmond", POLICY) != stored("Tag:Redmond", POLICY)


@pytest.mark.parametrize(
    ("text", "scopes", "allowed"),
    [
        ("", POLICY, "name of a per-user policy"),
        ("site:", POLICY, "site:<site name>"),
        ("tag: padded", POLICY, "name of a per-user policy"),
        ("Red*", POLICY, "name of a per-user policy"),
        ("site:a:b", POLICY, "site:<site name>"),
        ("service:MediationServer:pool01.contoso.com", POLICY, "Global, site:<site name> or the name"),
        ("RedmondPolicy", MEDIA, "Global, site:<site name> or service:<role>:<pool FQDN>"),
        ("tag:RedmondPolicy", MEDIA, "Global, site:<site name> or service:<role>:<pool FQDN>"),
        ("EdgeServer:edge01.contoso.com", MEDIA, "ConferencingServer, MediationServer, ApplicationServer"),
        ("MediationServer:pool01", MEDIA, "service:<role>:<pool FQDN>"),
        ("MSN:x", (Scope.NAMED,), "a name without colons"),
        ("bell\x07", (Scope.NAMED,), "a name without colons"),
    ],
)
def test_what_cannot_be_used_is_refused_with_what_can(
    text: str, scopes: tuple[Scope, ...], allowed: str
) -> None:
    with pytest.raises(UnusableArgument, match=r"^identity: '") as refusal:
        wanted(text, scopes, ROLES)
    assert allowed in str(refusal.value)


def test_reading_never_refuses() -> None:
    assert stored("Service:EdgeServer:edge01.contoso.com", MEDIA).scope is Scope.SERVICE
    assert stored("MediationServer:pool01.contoso.com", MEDIA).scope is Scope.SERVICE
    assert stored("Global", (Scope.NAMED,)) == Identity(Scope.NAMED, "Global")
