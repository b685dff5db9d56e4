# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what all servers said to a verdict, a plan of restarts, and a table that fits 80 columns."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.filter.clock_summary import clock_summary
from ansible_collections.lync.remediation.plugins.filter.clock_verdict import clock_verdict
from ansible_collections.lync.remediation.plugins.filter.pool_state import pool_state
from ansible_collections.lync.remediation.plugins.plugin_utils.clock import clock_info as clock_information
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.assessment import WIDTH
from ansible_collections.lync.remediation.plugins.plugin_utils.topology import pool_info
from hypothesis import given
from hypothesis import strategies as st
from unit.scripted import ScriptedClock
from unit.scripted_windows import W32, Pool, Windows, deployment

CLOCK = ScriptedClock()


def seen(pool: Pool, services: bool = True) -> dict[str, Any]:
    (found,) = pool_info.described_pools(
        pool.computers[0], None, services=services, health=False, clock=pool.computers[0].clock
    )
    return found


def answers(*pools: Pool) -> dict[str, dict[str, Any]]:
    return {
        there.fqdn: clock_information.query(there, (), 4, there.clock)
        for pool in pools
        for there in pool.computers
    }


@pytest.fixture
def front_ends() -> Pool:
    return deployment(ScriptedClock(), 3)


@pytest.fixture
def edges(front_ends: Pool) -> Pool:
    pool = Pool("edgepool.contoso.com", services=("EdgeServer",))
    Windows(front_ends.computers[0].clock, "edge01.contoso.com", pool)
    return pool


def test_nothing_is_wrong(front_ends: Pool, edges: Pool) -> None:
    found = clock_verdict(answers(front_ends, edges), [seen(front_ends), seen(edges)])
    assert (found["right"], found["confirmed"], found["wrong"], found["rounds"]) == (
        "controller",
        True,
        [],
        [],
    )
    assert [line.split()[-1] for line in found["table"][:5]] == [
        "VERDICT",
        "right",
        "right",
        "right",
        "right",
    ]


def test_a_clock_that_jumped_while_it_was_measured_is_named(front_ends: Pool) -> None:
    front_ends.computers[1].jumps = [0, 60.0]
    front_ends.computers[1].offset = -60.0
    found = clock_verdict(answers(front_ends), [seen(front_ends)])
    assert found["servers"]["fe02.contoso.com"]["jumped_ms"] == pytest.approx(60_000, rel=0.01)
    assert "fe02 jumped by 60.0 s or more while it was measured: something else" in found["table"]


def test_the_articles_case(front_ends: Pool, edges: Pool) -> None:
    culprit = front_ends.computers[1]
    culprit.zone, culprit.offset = "Mountain Standard Time", 3600.0
    zones = {there.fqdn: {"zone": "Central Standard Time"} for there in front_ends.computers}
    found = clock_verdict(answers(front_ends, edges), [seen(front_ends), seen(edges)], zones)
    assert found["wrong"] == ["fe02.contoso.com"]
    server = found["servers"]["fe02.contoso.com"]
    assert server["problems"] == ["zone", "clock"]
    assert (server["zone_difference_minutes"], server["explained_by"]) == (60, "Central Standard Time")
    assert server["restart_reason"] == "its time zone was Mountain Standard Time"
    assert found["rounds"] == [["fe02.contoso.com"]]
    assert found["table"][2].split() == [
        "fe02",
        "+1",
        "h",
        "0",
        "min",
        "Mountain",
        "Standard",
        "Time",
        "wrong",
        "zone,",
        "clock",
    ]
    assert any("as if the zone was flipped" in line for line in " ".join(found["table"]).split("\n"))


def test_a_pool_says_what_the_zone_is_only_where_that_is_wanted(front_ends: Pool) -> None:
    front_ends.computers[1].zone = "UTC"
    alone = clock_verdict(answers(front_ends), [seen(front_ends)])
    assert alone["wrong"] == []
    followed = clock_verdict(answers(front_ends), [seen(front_ends)], follow_pool=True)
    assert followed["wrong"] == ["fe02.contoso.com"]
    assert followed["servers"]["fe02.contoso.com"]["wanted_zone"] == "Central Standard Time"


@pytest.mark.parametrize(
    ("offset", "reason"), [(2.0, None), (299.0, None), (301.0, "its clock was +5 min off")]
)
def test_only_a_large_error_calls_for_a_restart(front_ends: Pool, offset: float, reason: str | None) -> None:
    front_ends.computers[0].offset = offset
    found = clock_verdict(answers(front_ends), [seen(front_ends)])
    assert found["wrong"] == ["fe01.contoso.com"]
    assert found["servers"]["fe01.contoso.com"]["restart_reason"] == reason


def test_a_restart_that_was_owed_before_is_not_forgotten(front_ends: Pool, edges: Pool) -> None:
    given = answers(front_ends, edges)
    for host in ("fe01.contoso.com", "fe02.contoso.com", "edge01.contoso.com"):
        given[host]["restart_pending"] = {"since": "2026-11-20T10:00:00Z", "reason": "its time zone was UTC"}
    front_ends.computers[0].services["RTCSRV"].status = "Stopped"
    found = clock_verdict(given, [seen(front_ends), seen(edges)])
    assert found["wrong"] == []
    assert found["rounds"] == [["edge01.contoso.com"], ["fe01.contoso.com"], ["fe02.contoso.com"]]
    assert found["table"][1].endswith("restart pending, down")
    assert found["table"][2].endswith("restart pending")


def test_a_host_that_did_not_answer_is_in_the_table(front_ends: Pool) -> None:
    given = answers(front_ends)
    given["fe03.contoso.com"] = {
        "unreachable": True,
        "msg": "No connection to https://fe03.contoso.com:5986/wsman.",
    }
    found = clock_verdict(given, [seen(front_ends)])
    assert found["servers"]["fe03.contoso.com"]["measured"] is False
    assert found["table"][3].split()[-1] == "unknown"
    assert any("No connection" in line for line in found["table"])


def test_a_server_that_an_interrupted_restart_left_stopped_is_named(front_ends: Pool) -> None:
    given = answers(front_ends)
    given["fe02.contoso.com"]["restart_pending"] = {
        "since": None,
        "reason": None,
        "stopped": "2026-11-20T10:00:00Z",
    }
    front_ends.computers[1].services["RTCSRV"].status = "Stopped"
    found = clock_verdict(given, [seen(front_ends)])
    assert found["servers"]["fe02.contoso.com"]["restart_interrupted"]
    assert "fe02 is down: a restart of it was begun and not finished." in " ".join(found["table"])


def test_a_pool_of_which_too_few_were_asked_has_no_majority(front_ends: Pool) -> None:
    front_ends.computers[1].zone = "UTC"
    given = answers(front_ends)
    given["fe03.contoso.com"] = {"unreachable": True, "msg": "No connection."}
    found = clock_verdict(given, [seen(front_ends)], follow_pool=True)
    assert found["wrong"] == []
    said = " ".join(line.strip() for line in found["table"])
    assert "pool01.contoso.com has no time zone that more than half of it have" in said
    assert "(Central Standard Time 1, UTC 1, not known 1): none is called wrong." in said
    alone = {"fe02.contoso.com": given["fe02.contoso.com"]}
    assert "(UTC 1, not known 2)" in " ".join(
        clock_verdict(alone, [seen(front_ends)], follow_pool=True)["table"]
    )
    assert "no time zone that" not in " ".join(clock_verdict(given, [seen(front_ends)])["table"])


def test_hosts_of_no_known_pool_are_pools_of_their_own(front_ends: Pool) -> None:
    given = answers(front_ends)
    for answer in given.values():
        answer["restart_pending"] = {"since": None, "reason": None}
    found = clock_verdict(given)
    assert found["rounds"] == [["fe01.contoso.com", "fe02.contoso.com", "fe03.contoso.com"]]


@given(
    st.dictionaries(
        st.from_regex(r"[a-z]{1,30}(\.[a-z]{1,20}){0,3}", fullmatch=True),
        st.fixed_dictionaries(
            {
                "computer": st.none(),
                "offset_ms": st.one_of(st.none(), st.floats(-1e12, 1e12)),
                "uncertainty_ms": st.floats(0, 300),
                "time_zone": st.one_of(
                    st.none(),
                    st.fixed_dictionaries(
                        {"zone": st.text("abc ", max_size=60), "utc_offset_minutes": st.integers(-720, 840)}
                    ),
                ),
                "trouble": st.lists(st.text("abcdef ", max_size=200), max_size=2),
            }
        ),
        max_size=12,
    )
)
def test_every_line_fits(given: dict[str, dict[str, Any]]) -> None:
    for line in clock_verdict(given)["table"]:
        assert len(line) <= WIDTH


def test_what_members_say_goes_before_what_others_say(front_ends: Pool) -> None:
    outside = seen(front_ends, services=False)
    assert outside["quorum"]["running"] == 0
    front_ends.computers[2].services["RTCSRV"].status = "Stopped"
    asked = [
        {"own": pool_info.own(there, health=False, clock=there.clock)} for there in front_ends.computers[1:]
    ]
    asked.append({"unreachable": True, "msg": "No connection."})
    found = pool_state(outside, asked)
    assert [each["running"] for each in found["members"]] == [None, True, False]
    assert found["quorum"]["running"] == 1


def test_a_pool_is_as_old_as_the_oldest_answer(front_ends: Pool) -> None:
    first = {"own": pool_info.own(front_ends.computers[1], health=False, clock=front_ends.computers[1].clock)}
    front_ends.computers[0].clock.passes(60)
    assert pool_state(seen(front_ends), [first])["observed"] == first["own"]["observed"]


def test_an_old_state_does_where_all_members_answer_for_themselves(front_ends: Pool) -> None:
    old_names, old_state = seen(front_ends, services=False), seen(front_ends)
    front_ends.computers[0].clock.passes(600)
    asked = [{"own": pool_info.own(there, health=False, clock=there.clock)} for there in front_ends.computers]
    now = asked[0]["own"]["observed"]
    assert pool_state(old_state, asked)["observed"] == now
    assert pool_state(old_state, asked[1:])["observed"] == old_state["observed"]
    assert pool_state(old_names, asked[1:])["observed"] == now
    assert pool_state(old_names, [])["observed"] == old_names["observed"]


def test_whom_a_pool_follows_and_what_the_inventory_wants(front_ends: Pool) -> None:
    front_ends.computers[1].registry[W32 + r"\Parameters"].update(Type="NTP", NtpServer="ntp9,0x8")
    given = answers(front_ends)
    assert clock_verdict(given, [seen(front_ends)])["wrong"] == []
    followed = clock_verdict(given, [seen(front_ends)], follow_pool=True)
    assert followed["servers"]["fe02.contoso.com"]["wanted_time_service"] == {"type": "domain_hierarchy"}
    assert followed["servers"]["fe02.contoso.com"]["problems"] == ["source"]
    wanted = {
        "fe02.contoso.com": {"zone": None, "time_service": {"type": "manual", "peers": [{"host": "NTP9"}]}}
    }
    assert clock_verdict(given, [seen(front_ends)], wanted)["wrong"] == []


def test_what_was_done_is_told_in_lines_that_fit(front_ends: Pool) -> None:
    culprit = front_ends.computers[1]
    culprit.zone, culprit.offset = "Mountain Standard Time", 3600.0
    before = clock_verdict(answers(front_ends), [seen(front_ends)])
    culprit.offset = 0.0
    after = clock_verdict(answers(front_ends), [seen(front_ends)])
    zone = {
        "changed": True,
        "before": {"zone": "Mountain Standard Time"},
        "after": {"zone": "Central Standard Time"},
    }
    source = {"changed": True, "drift": [{"property": "type"}, {"property": "peers"}]}
    host = "fe02.contoso.com"
    lines = clock_summary(
        before,
        after,
        zone={host: zone},
        source={host: source},
        clock={host: {"changed": True, "stepped": True}, "fe01.contoso.com": {"changed": False}},
        restart={host: {"changed": True}, "fe01.contoso.com": {}},
    )
    assert lines[0] == "fe02  time zone Mountain Standard Time -> Central Standard Time"
    assert lines[1] == "fe02  W32Time configured (type, peers)"
    assert lines[2].startswith("fe02  clock +1 h 0 min -> ")
    assert lines[2].endswith(" ms, set at once")
    assert lines[3:] == ["fe02  Lync services restarted"]
    assert all(len(line) <= WIDTH for line in lines)
    dry = clock_summary(before, None, clock={host: {"changed": True}}, restart={host: {"skipped": True}})
    assert dry == ["fe02  clock +1 h 0 min -> right"]


def test_what_failed_is_told_too(front_ends: Pool) -> None:
    before = clock_verdict(answers(front_ends), [seen(front_ends)])
    failed = {"failed": True, "changed": True, "msg": "A group policy decides."}
    lines = clock_summary(
        before,
        None,
        tried={"fe01.contoso.com": failed},
        restart={
            "fe02.contoso.com": {"unreachable": True, "msg": "No connection."},
            "fe03.contoso.com": None,
        },
    )
    assert lines == ["fe01  left as it is: A group policy decides.", "fe02  not restarted: No connection."]
