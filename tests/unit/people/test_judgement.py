# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is governed by what: pure functions."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.people import judgement
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import (
    GLOBAL,
    Identity,
    Scope,
)
from hypothesis import given
from hypothesis import strategies as st

names = st.sampled_from(["Redmond", "Dublin", "Partners"])
sites = st.builds(lambda name: Identity(Scope.SITE, name), names)
policies = st.builds(lambda name: Identity(Scope.USER, name), names)
services = st.builds(lambda name: Identity(Scope.SERVICE, f"MediationServer:{name}.contoso.com"), names)
existing = st.sets(st.one_of(sites, policies, services)).map(lambda found: found | {GLOBAL})


@given(st.none() | policies, st.none() | sites, existing)
def test_the_narrowest_that_exists_governs_a_user(
    granted: Identity | None, site: Identity | None, listed: set[Identity]
) -> None:
    answer = judgement.policy_of_user(granted, site, listed)
    if granted is not None and granted not in listed:
        assert answer.identity is None, "what was granted is never passed over"
    else:
        assert answer.identity == next(each for each in (granted, site, GLOBAL) if each in listed)
    assert answer.why.endswith(".")


@given(services, st.none() | sites, existing)
def test_the_narrowest_that_exists_governs_a_service(
    service: Identity, site: Identity | None, listed: set[Identity]
) -> None:
    answer = judgement.settings_of_service(service, site, listed)
    assert answer.identity == next(each for each in (service, site, GLOBAL) if each in listed)


texts = st.sampled_from(["Global", "Site:Redmond", "Tag:Partners", "Tag:partners", None])


def person(
    number: int, identity: str | None, site: str | None = None, pool: str | None = None
) -> dict[str, Any]:
    return {
        "sip_address": f"sip:{number}@contoso.com",
        "identity": f"CN={number}",
        "site": site,
        "pool": pool,
        "external_access_policy": {"identity": identity},
    }


@given(st.lists(texts))
def test_groups_hold_everybody_once(held: list[str | None]) -> None:
    people = [person(number, text) for number, text in enumerate(held)]
    groups = judgement.grouped(people, "external_access_policy")
    assert sorted(each["sip_address"] for group in groups.values() for each in group) == sorted(
        each["sip_address"] for each in people
    )
    assert list(groups) == sorted(
        groups, key=lambda text: ("Global", "Site:Redmond", "Tag:Partners", "Tag:partners", None).index(text)
    )
    holders = judgement.holders_of(people, "external_access_policy")
    assert sum(map(len, holders.values())) == sum(1 for text in held if text and text.startswith("Tag:"))


@given(
    st.sampled_from(["Global", "Site:Redmond", "Tag:Partners"]),
    st.sets(
        st.sampled_from(["Tag:Live", "Tag:LIVE 2", "Tag:Redmond Live", "Tag:Partners live", "Site:Live"])
    ),
)
def test_the_name_of_a_copy_is_free_and_always_the_same(of: str, taken: set[str]) -> None:
    name = judgement.copy_name(of, "Live", taken)
    assert name.upper() not in {
        text.removeprefix("Tag:").upper() for text in taken if text.startswith("Tag:")
    }
    assert name == judgement.copy_name(of, "Live", sorted(taken))
    if not taken:
        assert name == {"Global": "Live", "Site:Redmond": "Redmond Live", "Tag:Partners": "Partners Live"}[of]


@pytest.mark.parametrize(
    ("media", "own", "affected"),
    [
        ("Global", [], ["0", "1", "2"]),
        ("Global", ["Global", "site:redmond"], ["1", "2"]),
        ("Site:redmond", [], ["0"]),
        ("Service:ConferencingServer:POOL.contoso.com", [], ["0"]),
        ("Site:Nowhere", [], []),
    ],
)
def test_whose_media_a_scope_decides(media: str, own: list[str], affected: list[str]) -> None:
    people = [
        person(0, "Global", "Redmond", "pool.contoso.com"),
        person(1, "Global", "Dublin", "dublin.contoso.com"),
        person(2, "Global"),
    ]
    found = judgement.affected_by(media, people, own)
    assert [each["sip_address"][4] for each in found] == affected
