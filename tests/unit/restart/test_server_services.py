# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Services are stopped without ever having two servers of a pool down, and what stands in the way is named."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CmdletNotOffered,
    SecondHopDenied,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.restart import server_services
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.acting import Waits
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.processes import this_process
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.topology import pool_info, pools
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.stopping_mark import MARK_KEY
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import Pool, Refuses, Windows, deployment

REQUEST = server_services.Request(
    state="stopped",
    graceful=True,
    pool_state=None,
    waits=Waits(drain=600, start=600, settle=0, busy=600, busy_tries=3, interval=10),
)
WAITS = {"drain_timeout": "drain", "start_timeout": "start", "settle": "settle", "busy_wait": "busy"}
STOP = "Stop-CsWindowsService -Graceful -NoWait -Confirm:$false"
START = "Start-CsWindowsService -NoWait -Confirm:$false"
PURGE = ["klist purge", "klist -li '0x3e7' purge", "klist -li '0x3e4' purge"]


def remediate(there: Windows, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    waits = {WAITS[name]: options.pop(name) for name in list(options) if name in WAITS}
    request = replace(REQUEST, waits=replace(REQUEST.waits, **waits), **options)
    return server_services.remediate(envelope(there, check_mode), request, there.clock).as_dict()


@pytest.mark.parametrize("version", [5, 6, 7])
def test_no_second_server_is_stopped(version: int) -> None:
    pool = deployment(ScriptedClock(), 6, version)
    pool.computers[4].services["RTCSRV"].status = "Stopped"
    with pytest.raises(Refused, match=r"fe05\.contoso\.com is down, and only one server"):
        remediate(pool.computers[0])
    assert pool.history == []


def test_the_quorum_is_named_too() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.computers[2].services["RTCSRV"].status = "StartPending"
    with pytest.raises(Refused, match=r"needs 2 of its first 3 servers, and without it 1 would be"):
        remediate(pool.computers[0])


def test_a_pool_of_a_size_that_nobody_documents_is_left_alone() -> None:
    pool = deployment(ScriptedClock(), 13)
    with pytest.raises(Refused, match="No quorum is documented for a pool of 13"):
        remediate(pool.computers[0])
    assert pool.history == []


def test_a_standard_edition_server_is_stopped_with_a_warning() -> None:
    pool = deployment(ScriptedClock(), 1)
    result = remediate(pool.computers[0])
    assert "only server" in result["warnings"][0]
    assert pool.computers[0].written == [STOP]


def test_check_mode_writes_nothing_and_shows_the_same() -> None:
    dry_pool, wet_pool = deployment(ScriptedClock(), 3), deployment(ScriptedClock(), 3)
    dry, wet = remediate(dry_pool.computers[0], check_mode=True), remediate(wet_pool.computers[0])
    assert dry_pool.history == []
    assert dry_pool.computers[0].written == []
    for key in ("changed", "diff", "drift", "commands", "before", "after"):
        assert dry[key] == wet[key]
    assert (dry["status"], wet["status"]) == ("drifted", "corrected")


def test_check_mode_refuses_what_enforcing_would() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.computers[2].services["RTCSRV"].status = "Stopped"
    with pytest.raises(Refused):
        remediate(pool.computers[0], check_mode=True)


# -- a busy pool ---------------------------------------------------------------------------------------------


def test_a_busy_pool_is_waited_for() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.busy_until = 700
    remediate(pool.computers[0])
    assert pool.history[0] == "stop fe01.contoso.com"
    assert pool.computers[0].clock.monotonic() >= 1200


def test_a_pool_that_stays_busy_is_ill() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.busy_until = 1e9
    with pytest.raises(Refused, match=r"not ready for it \(Busy\)"):
        remediate(pool.computers[0])
    assert pool.computers[0].clock.monotonic() >= 1200
    assert pool.history == []


# -- what goes wrong -----------------------------------------------------------------------------------------


def test_calls_that_do_not_end_stop_the_restart_and_nothing_is_forced() -> None:
    pool = deployment(ScriptedClock(), 3, draining=float("inf"))
    there = pool.computers[0]
    with pytest.raises(ChangeFailed, match="may still be draining"):
        remediate(there)
    assert there.written == [STOP]


def test_a_line_that_breaks_before_anything_happened_is_told_apart() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    there.breaks = {"Stop-CsWindowsService"}
    there._stop_cswindowsservice = lambda given: []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="nothing was stopped"):
        remediate(there)


def test_a_front_end_without_a_second_hop_says_what_it_lacks() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.computers[0].second_hop = False
    with pytest.raises(SecondHopDenied):
        remediate(pool.computers[0])
    assert pool.history == []


# -- seen from outside -------------------------------------------------------------------------------------


def outside(pool: Pool, clock: ScriptedClock) -> dict[str, Any]:
    """What a management session sees."""
    (seen,) = pool_info.described_pools(
        pool.computers[-1], pool.fqdn, services=True, health=False, clock=clock
    )
    return seen


def test_seen_from_outside_no_second_hop_is_needed() -> None:
    clock = ScriptedClock()
    pool = deployment(clock, 3)
    there = pool.computers[0]
    there.second_hop = False
    assert remediate(there, pool_state=outside(pool, clock))["status"] == "corrected"


def test_an_old_pool_state_is_refused() -> None:
    clock = ScriptedClock()
    pool = deployment(clock, 3)
    seen = outside(pool, clock)
    clock.passes(300)
    with pytest.raises(Refused, match="5 min old"):
        remediate(pool.computers[0], pool_state=seen)
    assert pool.history == []


@pytest.mark.parametrize("given", [{}, {"pool": "pool01"}, {"pool": "x", "site": None, "kind": "none"}])
def test_something_else_is_no_pool_state(given: dict[str, Any]) -> None:
    pool = deployment(ScriptedClock(), 3)
    with pytest.raises(UnusableArgument, match="pool_info"):
        remediate(pool.computers[0], pool_state=given)


def test_a_member_that_nobody_saw_is_not_known_to_run() -> None:
    clock = ScriptedClock()
    pool = deployment(clock, 3)
    (seen,) = pool_info.described_pools(pool.computers[0], None, services=False, health=False, clock=clock)
    with pytest.raises(Refused, match=r"whether fe02\.contoso\.com runs is not known"):
        remediate(pool.computers[0], pool_state=seen)


def test_a_stranger_is_not_stopped_by_another_pools_state() -> None:
    clock = ScriptedClock()
    pool, other = deployment(clock, 3), Windows(clock, "fe99.contoso.com", Pool("pool99.contoso.com"))
    with pytest.raises(Refused, match="not a member"):
        remediate(other, pool_state=outside(pool, clock))


# -- an interrupted restart ----------------------------------------------------------------------------------


def test_a_server_that_is_failed_over_is_failed_back() -> None:
    pool = deployment(ScriptedClock(), 3, 7)
    there = pool.computers[0]
    assert remediate(there, state="failed_over")["status"] == "corrected"
    assert remediate(there, state="failed_over")["changed"] is False
    with pytest.raises(Refused, match="failed_back"):
        remediate(there, state="running")
    assert remediate(there, state="failed_back")["status"] == "corrected"
    assert pool.history == ["fail over fe01.contoso.com", "fail back fe01.contoso.com"]
    assert remediate(there, state="failed_back")["changed"] is False


@pytest.mark.parametrize("state", ["failed_over", "failed_back"])
def test_what_a_version_does_not_have_is_said(state: str) -> None:
    pool = deployment(ScriptedClock(), 3, 6)
    if state == "failed_back":
        remediate(pool.computers[0], state="stopped")
    with pytest.raises(CmdletNotOffered):
        remediate(pool.computers[0], state=state)


def test_running_and_stopped_are_states() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    assert remediate(there, state="running")["changed"] is False
    assert remediate(there, state="stopped", graceful=False)["after"] == {"services": "stopped"}
    assert remediate(there, state="stopped")["changed"] is False
    assert remediate(there, state="running")["status"] == "corrected"
    assert there.written == ["Stop-CsWindowsService -NoWait -Confirm:$false", START]


def test_a_server_that_is_gone_in_the_middle_of_it_is_told_from_one_that_was_never_there() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    there.goes_after = "Stop-CsWindowsService"
    with pytest.raises(
        ChangeFailed, match=r"lost while Stop-CsWindowsService ran.*could not be read back.*no route"
    ) as failure:
        remediate(there)
    assert (failure.value.result.status, failure.value.result.after) == (Status.UNKNOWN, None)


# -- reading -------------------------------------------------------------------------------------------------


def test_what_a_pool_looks_like() -> None:
    pool = deployment(ScriptedClock(), 9)
    pool.computers[0].services["RTCSRV"].status = "Stopped"
    (seen,) = pool_info.described_pools(pool.computers[1], "POOL01.contoso.com", services=True, health=True)
    assert (seen["kind"], seen["product"], seen["is_edge"]) == ("front_end_pool", "Lync Server 2013", False)
    assert [each["computer"] for each in seen["members"]] == [each.fqdn for each in pool.computers]
    assert seen["quorum"]["counted"] == [each.fqdn for each in pool.computers[:7]]
    assert (seen["quorum"]["running"], seen["quorum"]["may_go_down"]) == (6, 2)
    assert seen["readiness"] == "Busy"
    assert len(seen["upgrade_domains"]) == 9
    assert seen["fabric_state"] == ["Replicas:", "all there"]


@pytest.mark.parametrize(
    ("version", "kind"), [(5, "front_end_pool_2010"), (6, "front_end_pool"), (8, "front_end_pool")]
)
def test_kinds_of_pools(version: int, kind: str) -> None:
    pool = deployment(ScriptedClock(), 3, version)
    (seen,) = pool_info.described_pools(pool.computers[0], None, services=False, health=False)
    assert seen["kind"] == kind


def test_an_edge_pool_has_no_quorum_and_needs_one_server() -> None:
    pool = deployment(ScriptedClock(), 2, services=("EdgeServer",))
    (seen,) = pool_info.described_pools(pool.computers[0], None, services=True, health=True)
    assert (seen["kind"], seen["is_edge"], seen["quorum"]["may_go_down"]) == ("other", True, 1)


def test_an_unknown_pool_is_answered_with_those_that_there_are() -> None:
    pool = deployment(ScriptedClock(), 3)
    with pytest.raises(
        UnusableArgument, match=r"there is no pool 'pool1'. The topology has pool01\.contoso\.com"
    ):
        pool_info.described_pools(pool.computers[0], "pool1", services=True, health=False)


def test_what_a_server_says_about_itself() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    there.second_hop = False
    there.services["RTCAVMCU"].status = "Stopped"
    there.services["REPLICA"].start = 3
    there.services["REPLICA"].status = "Stopped"
    own = pool_info.own(there, health=False)
    assert (own["computer"], own["running"], own["up"]) == ("fe01.contoso.com", True, False)
    assert own["not_running"] == ["RTCAVMCU"]


def test_the_av_edge_test_is_what_the_version_offers() -> None:
    older, newer = deployment(ScriptedClock(), 1, 5), deployment(ScriptedClock(), 1, 6)
    assert pools.av_edge(older.computers[0], older.fqdn, None) is None
    found = pools.av_edge(newer.computers[0], newer.fqdn, "sip:test@contoso.com")
    assert found == {"success": True, "error": None, "diagnosis": None}
    assert (
        newer.computers[0].sent[-1].endswith("-UserSipAddress sip:test@contoso.com")
        or "'sip:" in newer.computers[0].sent[-1]
    )


# -- after the first write -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "history", "found"),
    [("stopped", [], "running"), ("running", [], "stopped")],
)
def test_a_refused_command_is_told_with_what_it_left(state: str, history: list[str], found: str) -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    if state == "running":
        remediate(there)
        pool.history.clear()
    for command in ("Stop-CsWindowsService", "Start-CsWindowsService"):
        there.refuses[command] = Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
    with pytest.raises(ChangeFailed, match="Access is denied") as caught:
        remediate(there, state=state)
    assert pool.history == history
    result = caught.value.result
    assert (result.status, result.changed, result.after) == (Status.DRIFTED, False, {"services": found})


def test_an_error_beside_services_that_are_as_wanted_is_a_warning() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]

    def with_trouble(acts: Callable[[dict[str, Any]], object]) -> Callable[[dict[str, Any]], list[Refuses]]:
        def act(given: dict[str, Any]) -> list[Refuses]:
            acts(given)
            there.clock.passes(3600)
            return [Refuses("Something went wrong.", "NotSpecified", "")]

        return act

    for name in ("_stop_cswindowsservice", "_start_cswindowsservice"):
        setattr(there, name, with_trouble(getattr(there, name)))
    for state in ("stopped", "running"):
        result = remediate(there, state=state)
        assert (result["status"], result["after"]) == ("corrected", {"services": state})
        assert "Something went wrong." in result["warnings"][0]


def test_what_is_done_is_journalled_as_something_that_cannot_be_taken_back() -> None:
    there, journal = deployment(ScriptedClock(), 3).computers[0], MemoryJournal()
    server_services.remediate(envelope(there, journal=journal), REQUEST, there.clock)
    assert [(change.kind, change.restorable) for change, _ in journal.changes.values()] == [
        ("stopped", Restorable.NO)
    ]
    assert {each["status"] for each in journal.outcomes.values()} == {"corrected"}


# -- one part that cannot be read ----------------------------------------------------------------------------


def test_a_pool_that_does_not_tell_how_it_is_leaves_the_rest() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    for cmdlet in ("Get-CsPoolUpgradeReadinessState", "Get-CsPoolFabricState"):
        there.refuses[cmdlet] = Refuses("It failed.", "InvalidOperation", "Odd")
    (found,) = pool_info.described_pools(there, None, services=True, health=True, clock=there.clock)
    assert (found["readiness"], found["fabric_state"], len(found["trouble"])) == (None, [], 2)
    assert found["quorum"]["running"] == 3
    own = pool_info.own(there, health=True, clock=there.clock)
    assert (own["up"], own["readiness"], len(own["trouble"])) == (True, None, 1)


def test_a_server_that_is_being_restarted_is_not_stopped() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    alive = {"since": "2026-11-28T09:00:00Z", **asdict(this_process())}
    there.registry[MARK_KEY] = {"0" * 16: json.dumps(alive)}
    with pytest.raises(Refused, match="being restarted"):
        remediate(there, state="stopped")
    assert there.written == []
    there.registry[MARK_KEY] = {"0" * 16: json.dumps({**alive, "started": "1"})}
    assert remediate(there, state="stopped")["status"] == "corrected"
