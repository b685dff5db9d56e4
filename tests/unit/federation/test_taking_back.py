# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role has changed, by the journal, and how it is taken back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import (
    Change,
    Entry,
    Restorable,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.history import (
    ChangedObject,
    Place,
    changed_by_the_role,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.taking_back import (
    TakingBack,
    taking_back,
)

URL = "https://127.0.0.1:443/OcsPowershell"
PLACE = Place(URL, ["pool01.contoso.com", "dublin.contoso.com"])
ROLE = "lync.remediation.windows_live_av_federation : "
POLICY = "external_access_policy"
AV = "enable_public_cloud_audio_video_access"


class Written:
    """A journal in the making."""

    def __init__(self) -> None:
        self.entries: list[Entry] = []

    def change(
        self,
        resource: str,
        identity: str,
        before: dict[str, Any] | None,
        wanted: dict[str, Any] | None,
        **more: Any,
    ) -> str:
        kind = "create" if before is None else "remove" if wanted is None else "set"
        number = str(len(self.entries))
        self.entries.append(
            Entry(
                id=number,
                run=more.get("run", "run"),
                time=f"2026-11-28T10:00:{len(self.entries):02}Z",
                host=more.get("host", "pool01.contoso.com"),
                url=more.get("url", URL),
                account="CONTOSO\\uc-admin",
                change=Change(resource, identity, kind, before, wanted, Restorable.YES),
                commands=(),
                origin={"task": f"{more.get('role', ROLE)}{more.get('task', 'Change | Policies')}"},
                takes_back=more.get("takes_back", ""),
                outcome=more.get("outcome", {"status": "corrected", "changed": True}),
            )
        )
        return number

    def found(self) -> list[ChangedObject]:
        return changed_by_the_role(self.entries, PLACE)

    def back(
        self, present: dict[str, list[dict[str, Any]]], holders: dict[str, list[str]] | None = None
    ) -> TakingBack:
        return taking_back([each.as_dict() for each in self.found()], present, holders or {})


def policy(identity: str = "Global", **options: Any) -> dict[str, list[dict[str, Any]]]:
    return {POLICY: [{"identity": identity, **options}]}


def test_the_value_before_the_oldest_enabling_run_comes_back() -> None:
    journal = Written()
    journal.change(POLICY, "Global", {AV: False, "description": "x"}, {AV: True})
    journal.change(POLICY, "global", {AV: "by hand"}, {AV: True})
    assert journal.back(policy(**{AV: True})).values == {POLICY: {"Global": {AV: False}}}


def test_what_is_back_already_needs_nothing() -> None:
    journal = Written()
    journal.change(POLICY, "Global", {AV: False}, {AV: True})
    back = journal.back(policy(**{AV: False}))
    assert (back.values, back.left) == ({}, [])


def test_what_somebody_changed_since_is_left_and_the_rest_is_taken_back() -> None:
    journal = Written()
    media = "media_configuration"
    before = {"encryption_level": "RequireEncryption", "max_video_rate_allowed": "VGA600K"}
    written = {"encryption_level": "SupportEncryption", "max_video_rate_allowed": "Hd720p15M"}
    journal.change(media, "Global", before, written)
    now = {"identity": "Global", **written, "max_video_rate_allowed": "CIF250K"}
    back = journal.back({media: [now]})
    assert back.values == {media: {"Global": {"encryption_level": "RequireEncryption"}}}
    assert len(back.left) == 1
    assert "max_video_rate_allowed" in back.left[0]


@pytest.mark.parametrize(
    "more",
    [
        {"role": "", "task": "a task of somebody's own"},
        {"role": "another.collection.role : "},
        {"host": "elsewhere", "url": "https://elsewhere/OcsPowershell"},
        {"outcome": {"status": "drifted", "changed": False}},
    ],
    ids=["no role", "another role", "another deployment", "never happened"],
)
def test_only_what_the_role_changed_here_is_taken_back(more: dict[str, Any]) -> None:
    journal = Written()
    journal.change(POLICY, "Global", {AV: False}, {AV: True}, **more)
    assert journal.found() == []


@pytest.mark.parametrize(
    "more",
    [
        {"url": "https://127.0.0.9:443/OcsPowershell"},
        {"host": "x", "url": "https://Dublin.contoso.com/OcsPowershell"},
        {"host": "alias"},
        {"role": "windows_live_av_federation : "},
        {"outcome": None},
    ],
    ids=["by name", "another pool's endpoint", "by address", "from a roles path", "interrupted"],
)
def test_all_endpoints_of_a_deployment_change_the_same(more: dict[str, Any]) -> None:
    journal = Written()
    journal.change(POLICY, "Global", {AV: False}, {AV: True}, **more)
    assert journal.found()[0].before == {AV: False}


def test_taking_back_once_is_enough_and_enabling_again_begins_anew() -> None:
    journal = Written()
    journal.change(POLICY, "Global", {AV: False}, {AV: True})
    journal.change(POLICY, "Global", {AV: True}, {AV: False}, task="Take back | Policies")
    assert [each.written for each in journal.found()] == [{}]
    assert journal.back(policy(**{AV: True})).values == {}
    journal.change(POLICY, "Global", {AV: "other"}, {AV: True})
    assert journal.found()[0].before == {AV: "other"}


def test_what_roll_back_took_back_is_not_there_any_more_unless_that_was_taken_back() -> None:
    journal = Written()
    first = journal.change(POLICY, "Global", {AV: False}, {AV: True})
    second = journal.change(POLICY, "Global", {AV: True}, {AV: False}, role="", task="x", takes_back=first)
    assert journal.found()[0].written == {}
    journal.change(POLICY, "Global", {AV: False}, {AV: True}, role="", task="x", takes_back=second)
    assert journal.found()[0].written == {AV: True}


CREATED = {AV: True, "enable_outside_access": True}
COPY = "Tag:Windows Live AV"


def created() -> Written:
    journal = Written()
    journal.change(POLICY, COPY, None, CREATED)
    return journal


def granted() -> Written:
    journal = created()
    kind = "external_access_policy"
    journal.change(
        "policy_assignment",
        "external access policy of a",
        {kind: {"sip:a@c.d": None, "sip:b@c.d": "Old"}},
        {kind: {"sip:a@c.d": "Windows Live AV", "sip:b@c.d": "Windows Live AV"}},
    )
    return journal


def test_what_the_role_made_is_removed_after_its_grants() -> None:
    holders = {COPY: ["sip:A@c.d", "sip:b@c.d"]}
    back = granted().back({POLICY: [{"identity": COPY, **CREATED}, {"identity": "Tag:Old"}]}, holders)
    assert back.removals == {POLICY: [COPY]}
    assert [(each["state"], each["policy"], each["users"]) for each in back.grants] == [
        ("absent", "Windows Live AV", ["sip:a@c.d"]),
        ("present", "Old", ["sip:b@c.d"]),
    ]
    assert back.left == []


def test_whose_policy_is_gone_keeps_the_copy_which_stays() -> None:
    back = granted().back(policy(COPY, **CREATED), {COPY: ["sip:a@c.d", "sip:b@c.d"]})
    assert [each["users"] for each in back.grants] == [["sip:a@c.d"]]
    assert back.removals == {}
    assert len(back.left) == 2


def test_who_has_been_granted_another_policy_since_keeps_it() -> None:
    back = granted().back(policy(COPY, **CREATED), {"Tag:Newer": ["sip:a@c.d"], "Tag:Old": ["sip:b@c.d"]})
    assert back.grants == []
    assert len(back.left) == 1
    assert back.removals == {POLICY: [COPY]}


@pytest.mark.parametrize(
    ("present", "holders"),
    [
        ({**CREATED, "enable_outside_access": False}, {}),
        (CREATED, {COPY: ["sip:somebody@c.d"]}),
    ],
    ids=["changed since", "granted to others"],
)
def test_what_others_use_by_now_is_not_removed(
    present: dict[str, Any], holders: dict[str, list[str]]
) -> None:
    back = created().back(policy(COPY, **present), holders)
    assert back.removals == {}
    assert len(back.left) == 1


def test_what_is_gone_is_left() -> None:
    assert created().back({POLICY: []}).removals == {}
    journal = Written()
    journal.change(POLICY, "Site:Redmond", {AV: False}, {AV: True})
    assert len(journal.back({POLICY: []}).left) == 1


def test_removing_what_was_made_ends_the_matter() -> None:
    journal = created()
    journal.change(POLICY, COPY, CREATED, None, task="Take back | Policies")
    assert [(each.created, each.written) for each in journal.found()] == [(False, {})]


def test_another_way_of_routing_comes_back_with_what_belongs_to_it() -> None:
    journal = Written()
    edge = "access_edge_configuration"
    before = {"routing_method": "UseDefaultRouting", "default_route_fqdn": "next.contoso.com"}
    journal.change(edge, "Global", before, {"routing_method": "UseDnsSrvRouting"})
    back = journal.back({edge: [{"identity": "Global", "routing_method": "UseDnsSrvRouting"}]})
    assert back.values == {edge: {"Global": before}}
