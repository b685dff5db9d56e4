# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is right, who is wrong, by how much, and whether it looks like a flipped zone."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.offset import Offset
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.verdict import (
    Reading,
    Right,
    consensus,
    farthest,
    majority_zone,
    verdict,
    zone_difference,
)
from hypothesis import given
from hypothesis import strategies as st

HOUR = 3600.0


def front_end(host: str, offset: float | None, pool: str = "pool01", **more: object) -> Reading:
    measured = None if offset is None else Offset(offset, 0.02)
    return Reading(
        host, pool, offset=measured, **{"zone": "Central Standard Time", "utc_offset": -360, **more}
    )  # type: ignore[arg-type]


def edge(host: str, offset: float, **more: object) -> Reading:
    return front_end(host, offset, "edgepool", is_edge=True, **more)


def test_the_articles_case() -> None:
    """One Front End of three whose zone was flipped, with a wall clock that looks right."""
    found = verdict(
        [
            front_end("fe1", 0.01),
            front_end("fe2", 1 * HOUR + 0.4, zone="Mountain Standard Time", utc_offset=-420),
            front_end("fe3", -0.02),
            edge("edge1", 0.05),
        ],
        tolerance=1,
    )
    assert found.right is Right.CONTROLLER
    (finding,) = found.findings
    assert (finding.host, finding.zone_difference, finding.explained_by) == (
        "fe2",
        60,
        "Central Standard Time",
    )
    assert finding.error.seconds == pytest.approx(1 * HOUR + 0.4)
    assert found.farthest is not None
    assert set(found.farthest.hosts) == {"fe2", "fe3"}
    assert (found.pools["pool01"].hosts, found.pools["pool01"].outliers) == (("fe1", "fe3"), ("fe2",))
    assert found.witnesses == 3


def test_an_error_of_hours_and_minutes_is_no_zone() -> None:
    (finding,) = verdict(
        [front_end("fe1", 0), front_end("fe2", 0), front_end("fe3", 5 * HOUR + 7 * 60)], 1
    ).findings
    assert finding.zone_difference is None


def test_the_controller_is_the_one_that_is_wrong() -> None:
    found = verdict(
        [front_end("fe1", 2 * HOUR), front_end("fe2", 2 * HOUR + 0.3), edge("edge1", 2 * HOUR)], 1
    )
    assert found.right is Right.SERVERS
    assert found.reference == pytest.approx(2 * HOUR, abs=1)
    assert found.findings == ()


def test_a_time_server_decides_against_the_majority() -> None:
    readings = [
        front_end("fe1", 300, ntp={"ntp1": 300.01}),
        front_end("fe2", 300, ntp={"ntp1": 299.99}),
        front_end("fe3", 300),
    ]
    found = verdict(readings, 1)
    assert found.right is Right.CONTROLLER
    assert [finding.host for finding in found.findings] == ["fe1", "fe2", "fe3"]


def test_a_time_server_convicts_the_controller() -> None:
    found = verdict([front_end("fe1", 300, ntp={"ntp1": 0.01})], 1)
    assert found.right is Right.SERVERS
    assert found.findings == ()


def test_a_lying_time_server_convinces_nobody() -> None:
    found = verdict(
        [front_end("fe1", 0, ntp={"liar": -900, "dead": None}), front_end("fe2", 0), front_end("fe3", 40)], 1
    )
    assert found.right is Right.CONTROLLER
    assert found.falsetickers == ("liar",)
    assert [finding.host for finding in found.findings] == ["fe3"]


@pytest.mark.parametrize(
    "readings",
    [
        [front_end("fe1", 100)],
        [front_end("fe1", 100), front_end("fe2", -100)],
        [front_end("fe1", 100), front_end("fe2", 100), front_end("fe3", -100), front_end("fe4", -100)],
        [front_end("fe1", None, trouble="no connection")],
    ],
    ids=["one against one", "all differ", "two parties", "nobody measured"],
)
def test_when_it_is_unclear_nobody_is_called_wrong(readings: list[Reading]) -> None:
    found = verdict(readings, 1)
    assert found.right is Right.UNCLEAR
    assert (found.findings, found.reference, found.witnesses) == ((), None, 0)


def test_who_could_not_be_measured_is_named() -> None:
    found = verdict([front_end("fe1", 0), front_end("fe2", None, trouble="no connection")], 1)
    assert found.unmeasured == {"fe2": "no connection"}
    assert found.right is Right.CONTROLLER


def test_edge_servers_of_different_pools_do_not_talk_to_each_other() -> None:
    readings = [edge("edge1", -50), front_end("edge9", 50, "otheredge", is_edge=True), front_end("fe1", 0)]
    spread = farthest(readings)
    assert spread is not None
    assert "fe1" in spread.hosts
    assert spread.seconds == 50


def test_the_zone_of_a_pool_is_that_of_more_than_half() -> None:
    readings = [
        front_end("fe1", 0),
        front_end("fe2", 0),
        front_end("fe3", 0, zone="UTC"),
        front_end("fe4", 0, "pool02"),
        front_end("fe5", 0, "pool02", zone="UTC"),
    ]
    assert majority_zone(readings, {}) == {"pool01": "Central Standard Time"}
    assert majority_zone(readings, {"pool01": 3, "pool02": 2}) == {"pool01": "Central Standard Time"}
    # A server that nobody asked may have any.
    assert majority_zone(readings, {"pool01": 4}) == {}


@pytest.mark.parametrize(
    ("seconds", "minutes"),
    [
        (HOUR, 60),
        (-7 * HOUR + 20, -420),
        (5.5 * HOUR, 330),
        (5.75 * HOUR, 345),
        (59, None),
        (0, None),
        (27 * HOUR, None),
        (600, None),
    ],
)
def test_sizes_of_zone_differences(seconds: float, minutes: int | None) -> None:
    assert zone_difference(seconds) == minutes


values = st.builds(Offset, st.one_of(st.floats(-2, 2), st.floats(-1e8, 1e8)), st.floats(0, 0.3))


@given(
    st.dictionaries(st.text("abcdef", min_size=1, max_size=3), values, min_size=1, max_size=9),
    st.floats(0.001, 10),
)
def test_the_consensus_is_as_large_as_any_group_that_agrees(
    offsets: dict[str, Offset], tolerance: float
) -> None:
    found = consensus(offsets, tolerance)
    assert found is not None
    for host in found.hosts:
        each = offsets[host]
        assert abs(each.seconds - found.offset) <= each.uncertainty + tolerance / 2 + 1e-6
    for point in offsets.values():
        around = [
            e for e in offsets.values() if abs(e.seconds - point.seconds) <= e.uncertainty + tolerance / 2
        ]
        assert len(around) <= len(found)


@given(
    st.lists(st.floats(-0.4, 0.4), min_size=2, max_size=8),
    st.lists(st.one_of(st.floats(3, 1e8), st.floats(-1e8, -3)), max_size=6),
    # A controller that agrees with some of those who are right, and not with others, may shift the bounds.
    st.one_of(st.just(0.0), st.floats(-1e6, -5), st.floats(5, 1e6)),
)
def test_the_minority_is_found_and_nobody_else(right: list[float], wrong: list[float], shift: float) -> None:
    """However the controller's own clock stands, as long as most clocks agree."""
    wrong = wrong[: len(right) - 1]
    readings = [front_end(f"good{index}", value + shift) for index, value in enumerate(right)]
    readings += [front_end(f"bad{index}", value + shift) for index, value in enumerate(wrong)]
    found = verdict(readings, tolerance=1.5)
    if found.right is not Right.UNCLEAR and 2 * len(right) > len(readings) + 1:
        assert found.reference is not None
        beyond = {
            r.host for r in readings if r.offset and abs(r.offset.seconds - found.reference) > 0.02 + 1.5
        }
        assert {finding.host for finding in found.findings} == beyond
        assert not any(host.startswith("good") for host in beyond)
    elif 2 * len(right) > len(readings) + 1:
        pytest.fail("most clocks agree, and yet nobody was believed")
