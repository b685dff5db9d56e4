# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The documented table, its first-servers rule, and the pools that have no quorum."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.quorum import (
    Kind,
    UnknownSize,
    quorum,
    rule,
)
from hypothesis import assume, given
from hypothesis import strategies as st


def members(count: int) -> list[str]:
    return [f"fe{number:02}.contoso.com" for number in range(1, count + 1)]


@pytest.mark.parametrize(
    ("version", "servers", "to_start", "to_stay", "counted"),
    [
        (6, 2, 1, 1, 2),
        (6, 3, 3, 2, 3),
        (7, 4, 3, 2, 4),
        (8, 5, 4, 3, 5),
        (7, 6, 5, 3, 6),
        (7, 7, 5, 4, 7),
        (8, 8, 6, 4, 7),
        (7, 9, 7, 4, 7),
        (7, 10, 8, 5, 9),
        (8, 11, 9, 5, 9),
        (6, 12, 10, 5, 9),
        (7, 12, 10, 5, 9),
        (8, 12, 10, 7, 12),
        (8, 13, 12, 7, 12),
        (8, 15, 13, 7, 12),
        (8, 16, 12, 7, 12),
        (None, 12, 10, 7, 12),
    ],
)
def test_the_table(version: int | None, servers: int, to_start: int, to_stay: int, counted: int) -> None:
    found = quorum(Kind.FRONT_ENDS, members(servers), members(servers), version)
    assert (found.rule.to_start, found.rule.to_stay, len(found.counted)) == (to_start, to_stay, counted)
    assert found.may_go_down == counted - to_stay
    assert found.functional


@pytest.mark.parametrize(("version", "servers"), [(6, 13), (7, 13), (8, 17), (8, 2), (None, 2)])
def test_a_size_that_nobody_documents_is_not_guessed(version: int | None, servers: int) -> None:
    with pytest.raises(UnknownSize, match=str(servers)):
        quorum(Kind.FRONT_ENDS, members(servers), [], version)


def test_two_servers() -> None:
    both = quorum(Kind.FRONT_ENDS, members(2), members(2), 7)
    assert both.may_go_down == 1
    assert both.survives_without("fe01.contoso.com")
    one = quorum(Kind.FRONT_ENDS, members(2), ["fe02.contoso.com"], 7)
    assert one.functional
    assert one.may_go_down == 0
    assert not one.survives_without("fe02.contoso.com")


def test_from_eight_servers_on_only_the_first_count() -> None:
    first = members(9)[:7]
    at_the_limit = quorum(Kind.FRONT_ENDS, members(9), [*first[:4], "fe08.contoso.com", "fe09.contoso.com"])
    assert at_the_limit.may_go_down == 0
    assert at_the_limit.survives_without("fe09.contoso.com")
    assert not at_the_limit.survives_without("fe01.contoso.com")
    last_two = quorum(Kind.FRONT_ENDS, members(9), [*first[:3], "fe08.contoso.com", "fe09.contoso.com"])
    assert not last_two.functional


@pytest.mark.parametrize("kind", list(Kind))
def test_a_pool_of_one_loses_what_everybody_knows(kind: Kind) -> None:
    alone = quorum(kind, members(1), members(1))
    assert alone.may_go_down == 0
    assert alone.survives_without("fe01.contoso.com")


@pytest.mark.parametrize("kind", [Kind.FRONT_ENDS_2010, Kind.OTHER])
def test_without_a_quorum_one_server_must_be_there(kind: Kind) -> None:
    found = quorum(kind, members(15), members(3))
    assert found.may_go_down == 2
    assert not quorum(kind, members(15), members(1)).survives_without("fe01.contoso.com")


def test_a_stranger_is_not_counted() -> None:
    with pytest.raises(ValueError, match="not members"):
        quorum(Kind.FRONT_ENDS, members(3), ["edge01.contoso.com"])


@given(st.sampled_from(list(Kind)), st.integers(3, 16), st.data())
def test_as_many_as_are_said_to_may_go_down_and_not_one_more(
    kind: Kind, servers: int, data: st.DataObject
) -> None:
    running = data.draw(st.sets(st.sampled_from(members(servers))))
    before = quorum(kind, members(servers), running)
    assume(before.functional)
    counted = [member for member in before.counted if member in running]
    gone = data.draw(st.permutations(counted))
    after = quorum(kind, members(servers), running - set(gone[: before.may_go_down]))
    assert after.functional
    one_more = quorum(kind, members(servers), running - set(gone[: before.may_go_down + 1]))
    assert not one_more.functional


@given(st.sampled_from(list(Kind)), st.integers(3, 16), st.data())
def test_one_after_the_other_always_gets_through_a_healthy_pool(
    kind: Kind, servers: int, data: st.DataObject
) -> None:
    everyone = members(servers)
    for member in data.draw(st.permutations(everyone)):
        assert quorum(kind, everyone, everyone).survives_without(member)


@pytest.mark.parametrize(("version", "sizes"), [(7, range(2, 13)), (8, range(3, 17))])
def test_it_takes_no_fewer_to_start_than_to_stay(version: int, sizes: range) -> None:
    rules = [rule(Kind.FRONT_ENDS, servers, version) for servers in sizes]
    assert all(each.to_start >= each.to_stay for each in rules)
