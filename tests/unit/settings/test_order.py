# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Nouns by their references, objects by their priorities."""

from __future__ import annotations

from ansible_collections.lync.remediation.plugins.plugin_utils.settings import catalogue, order
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import Scope, stored
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.reorder import renumbered
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Collection
from hypothesis import given
from hypothesis import strategies as st

LINES = st.lists(st.integers(0, 30), unique=True, max_size=12)


def moved(current: list[int], steps: list[tuple[int, int]]) -> list[int]:
    """As a server does: an object is taken out and put at its place."""
    line = list(current)
    for item, place in steps:
        line.remove(item)
        line.insert(place, item)
    return line


@given(LINES, LINES)
def test_moves_bring_what_both_have_into_the_wanted_order(current: list[int], wanted: list[int]) -> None:
    made = moved(current, order.placements(current, wanted))
    common = [each for each in wanted if each in current]
    assert [each for each in made if each in wanted] == common
    assert sorted(made) == sorted(current)
    assert order.placements(made, wanted) == []


@given(st.lists(st.integers(), unique=True, min_size=2, max_size=12), st.data())
def test_one_object_that_moved_is_one_move(line: list[int], data: st.DataObject) -> None:
    item = data.draw(st.sampled_from(line))
    others = [each for each in line if each != item]
    others.insert(data.draw(st.integers(0, len(others))), item)
    assert len(order.placements(others, line)) <= 1


@given(LINES, st.data())
def test_an_object_that_came_or_went_moves_no_other(line: list[int], data: st.DataObject) -> None:
    kept = [each for each in line if data.draw(st.booleans())]
    assert order.placements(line, kept) == []
    assert order.placements(kept, line) == []


def test_usages_come_before_routes_and_these_before_nothing_that_they_need() -> None:
    names = ["CsVoicePolicy", "CsVoiceNormalizationRule", "CsVoiceRoute", "CsDialPlan", "CsPstnUsage"]
    ordered = order.in_order(names)
    assert sorted(ordered) == sorted(names)
    assert ordered.index("CsPstnUsage") < ordered.index("CsVoiceRoute")
    assert ordered.index("CsDialPlan") < ordered.index("CsVoiceNormalizationRule")


def test_references_are_told_one_by_one() -> None:
    noun = catalogue.noun("CsVoicePolicy")
    values = {"pstnusages": ["Local", "Long"], "Description": "x", "CustomCallForwardingSimulRingUsages": []}
    assert [(each.noun, each.name) for each in order.references_of(noun, values)] == [
        ("CsPstnUsage", "Local"),
        ("CsPstnUsage", "Long"),
    ]


def numbered(**priorities: int) -> list[Collection]:
    return [
        Collection(stored(name, (Scope.NAMED,)), {"Priority": number}) for name, number in priorities.items()
    ]


def test_the_others_make_room_for_a_place_that_was_given_and_close_up() -> None:
    before = numbered(a=0, b=1, c=2)
    for after, expected in (
        (numbered(a=0, b=1, c=0), {"c": 0, "a": 1, "b": 2}),
        (numbered(a=0, b=2, c=2), {"a": 0, "c": 1, "b": 2}),
        (numbered(b=1, c=2), {"b": 0, "c": 1}),
        (numbered(a=0, b=1, c=2, d=1), {"a": 0, "d": 1, "b": 2, "c": 3}),
    ):
        changed = next(
            (each.identity for each in after if each not in before),
            before[0].identity,
        )
        made = renumbered(before, after, changed)
        assert {str(each.identity): each.values["Priority"] for each in made} == expected
