# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One server of an outage domain is restarted at a time, by whomever, and whatever is not known is refused."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import CmdletNotOffered
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.shell import ManagementShell
from ansible_collections.lync.remediation.plugins.plugin_utils.restart import server_restart
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.acting import Waits
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.processes import this_process
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.server_restart import BeingRestarted
from ansible_collections.lync.remediation.plugins.plugin_utils.result.failures import kind_of
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    Unreadable,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.topology import pools
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.pool_state import PoolState
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.restart_note import NOTE_KEY
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.stopping_mark import MARK_KEY
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock, remote
from unit.scripted_windows import Pool, Refuses, Windows, deployment

ALIVE = this_process()
DEAD = replace(ALIVE, started="1")
ELSEWHERE = replace(ALIVE, controller="another", boot="another", machine="another")
STOP, START = "Stop-CsWindowsService", "Start-CsWindowsService"
PURGE = ["klist purge", "klist -li '0x3e7' purge", "klist -li '0x3e4' purge"]
WAITS = Waits(drain=600, start=600, settle=None, busy=600, busy_tries=3, interval=10)


class Inventory:
    """Every computer is a host of its own name. ``before_each``: called with the name of a host that is about to be
    asked.
    """

    def __init__(self, *pools: Pool) -> None:
        self.there = {each.fqdn: each for pool in pools for each in pool.computers}
        self.before_each: Callable[[str], None] = lambda host: None
        self.asked: list[str] = []

    def hosts_of(self, computer: str) -> list[str]:
        return [host for host in self.there if host == computer]

    @contextmanager
    def session(self, host: str) -> Iterator[ManagementShell]:
        self.before_each(host)
        self.asked.append(host)
        yield self.there[host]  # type: ignore[misc]


def topology(*some: Pool) -> list[PoolState]:
    return [pool for each in some for pool in pools.topology(each.computers[0], each.computers[0].clock)]


def restart(
    there: Windows, *others: Pool, check_mode: bool = False, journal: Any = None, **options: Any
) -> dict[str, Any]:
    assert there.pool is not None
    inventory = options.pop("inventory", None) or Inventory(there.pool, *others)
    waits = {name: options.pop(name) for name in asdict(WAITS) if name in options}
    request = server_restart.Request(
        **{
            "pools": topology(there.pool, *others),
            "computer": there.fqdn,
            "management_host": None,
            "only_if_restart_pending": False,
            "method": "auto",
            "graceful": True,
            "accept_fabric_warnings": False,
            "take_over": (),
            "interrupted_wait": 60,
            "waits": replace(WAITS, **waits),
            **options,
        }
    )
    surrounding = envelope(there, check_mode, journal)
    return server_restart.remediate(surrounding, request, inventory, there.clock).as_dict()


def mark(there: Windows, by: Any = ELSEWHERE, token: str = "0" * 16) -> None:
    said = by if isinstance(by, str) else json.dumps({"since": "2026-11-28T09:00:00Z", **asdict(by)})
    there.registry.setdefault(MARK_KEY, {})[token] = said


def note(there: Windows, **values: Any) -> None:
    there.registry[NOTE_KEY] = {"Since": "2026-11-28T09:00:00Z", "Reason": "its zone", **values}


def written_but_marks(there: Windows) -> list[str]:
    """The commands, without those that mark the server."""
    return [line for line in there.written if MARK_KEY not in line and not line.startswith("New-Item ")]


def names_of(lines: list[str]) -> list[str]:
    return [line.partition(" ")[0] for line in lines]


@pytest.mark.parametrize(
    ("version", "servers"),
    [(5, 2), (6, 1), (6, 2), (6, 3), (6, 8), (6, 9), (6, 12), (7, 1), (7, 3), (8, 1), (8, 3), (8, 16)],
)
def test_every_server_of_a_pool_one_after_the_other(version: int, servers: int) -> None:
    pool = deployment(ScriptedClock(), servers, version)
    for there in pool.computers:
        note(there)
        result = restart(there)
        assert (result["status"], result["changed"]) == ("corrected", True)
        assert result["after"] == {"services": "running, restarted"}
        assert pool.down() == []
        assert NOTE_KEY not in there.registry
        assert there.registry[MARK_KEY] == {}
    assert pool.most_down == 1
    over = version >= 7 and servers > 1
    down, up = ("fail over", "fail back") if over else ("stop", "start")
    assert pool.history == [f"{what} {there.fqdn}" for there in pool.computers for what in (down, up)]


def test_the_mark_stands_from_before_the_stop_until_the_server_is_well() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    restart(there)
    written = [line for line in there.written if "Get-" not in line]
    key = written[2]
    assert names_of(written) == [
        *("New-Item", "New-Item", "New-ItemProperty"),
        *("klist", "klist", "klist", STOP, "New-ItemProperty", START, "Remove-Item", "Remove-ItemProperty"),
    ]
    assert MARK_KEY in key
    assert ALIVE.controller in key


def test_check_mode_looks_and_writes_nothing() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    note(there)
    dry = restart(there, check_mode=True)
    assert there.written == []
    assert dry["status"] == "drifted"
    wet = restart(there)
    assert dry["commands"] == wet["commands"]
    assert dry["diff"] == wet["diff"]
    assert [each["computer"] for each in dry["peers"]] == [each.fqdn for each in pool.computers[1:]]


def test_without_a_note_it_is_left_alone_where_that_is_asked_for() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    inventory = Inventory()
    result = restart(there, only_if_restart_pending=True, inventory=inventory)
    assert (result["status"], result["changed"]) == ("in_desired_state", False)
    assert (there.written, inventory.asked) == ([], [])


def test_what_was_interrupted_after_its_stop_is_only_started_though_others_are_silent() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    note(there, Stopped="2026-11-28T09:01:00Z")
    for service in there.services.values():
        service.status = "Stopped"
    mark(there, DEAD)
    assert restart(there, inventory=Inventory())["status"] == "corrected"
    assert pool.history == [f"start {there.fqdn}"]
    assert there.registry[MARK_KEY] == {}


# -- what is not known ---------------------------------------------------------------------------------------


def fabric_warns(there: Windows) -> None:
    original = there.run

    def run(*commands: Any, **more: Any) -> Any:
        results = original(*commands, **more)
        if any(command.name == pools.FABRIC for command in commands):
            return replace(results, warnings=("eine Replik fehlt",))
        return results

    there.run = run  # type: ignore[method-assign]


def answers_for_another(there: Windows) -> None:
    there.registry[next(key for key in there.registry if "Tcpip" in key)]["Hostname"] = "other"


PEER: dict[str, Callable[[Windows], None]] = {
    "is down": lambda there: setattr(there.services["RTCSRV"], "status", "Stopped"),
    "is silent": lambda there: setattr(there, "is_gone", True),
    "answers for another": answers_for_another,
    "hides its marks": lambda there: there.unreadable.add(MARK_KEY),
    "hides its services": lambda there: there.refuses.update(
        {"Get-CsWindowsService": Refuses("Access is denied.", "PermissionDenied")}
    ),
}
OWN: dict[str, Callable[[Windows], None]] = {
    "readiness without its property": lambda there: setattr(
        there, "_get_cspoolupgradereadinessstate", lambda given: [remote(State="Ready")]
    ),
    "no readiness": lambda there: setattr(there, "_get_cspoolupgradereadinessstate", lambda given: []),
    "a pool that is not ready": lambda there: setattr(
        there,
        "_get_cspoolupgradereadinessstate",
        lambda given: [remote(PoolUpgradeState="InsufficientActiveFrontEnds")],
    ),
    "readiness not offered": lambda there: there.offers.discard("Get-CsPoolUpgradeReadinessState"),
    "fabric not offered": lambda there: there.offers.discard("Get-CsPoolFabricState"),
    "fabric silent": lambda there: setattr(there, "_get_cspoolfabricstate", lambda given: []),
    "fabric fails": lambda there: there.refuses.update({"Get-CsPoolFabricState": Refuses("No.")}),
    "fabric warns": fabric_warns,
}


@pytest.mark.parametrize("trouble", PEER)
def test_a_peer_that_is_not_known_to_run(trouble: str) -> None:
    there, peer, _third = deployment(ScriptedClock(), 3).computers
    PEER[trouble](peer)
    with pytest.raises(Refused) as refused:
        restart(there)
    assert peer.fqdn in str(refused.value)
    assert there.written == []


@pytest.mark.parametrize("trouble", OWN)
def test_a_pool_that_is_not_known_to_be_well(trouble: str) -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    OWN[trouble](there)
    with pytest.raises((Refused, Unreadable)):
        restart(there)
    assert there.written == []


def test_warnings_of_the_fabric_may_be_accepted() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    fabric_warns(there)
    assert restart(there, accept_fabric_warnings=True)["status"] == "corrected"


def test_a_peer_that_the_inventory_does_not_have() -> None:
    there, peer, _third = deployment(ScriptedClock(), 3).computers
    assert there.pool is not None
    inventory = Inventory(there.pool)
    del inventory.there[peer.fqdn]
    with pytest.raises(Refused, match=r"fe02.*the inventory has no host"):
        restart(there, inventory=inventory)
    assert there.written == []


def test_a_server_that_answers_for_another() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    with pytest.raises(Refused, match="says that it is fe01"):
        restart(there, computer="fe02.contoso.com")
    assert there.written == []


def test_the_pool_that_stands_in_for_it_counts_as_well() -> None:
    clock = ScriptedClock()
    first, second = deployment(clock, 3), deployment(clock, 1)
    second.fqdn = second.computers[0].fqdn = "dublin.contoso.com"
    answers = second.computers[0].registry
    answers[next(key for key in answers if "Tcpip" in key)]["Hostname"] = "dublin"
    second.computers[0].services["RTCSRV"].status = "Stopped"
    there = first.computers[0]
    pair = [
        replace(each, backup="dublin.contoso.com" if each.pool == first.fqdn else None)
        for each in topology(first, second)
    ]
    with pytest.raises(Refused, match=r"dublin\.contoso\.com"):
        restart(there, second, pools=pair)
    assert restart(there, second)["status"] == "corrected"


# -- marks ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("index", [0, 1, 2])
@pytest.mark.parametrize(
    "by", [ALIVE, ELSEWHERE, "what nobody understands"], ids=["here", "elsewhere", "odd"]
)
def test_nothing_is_stopped_while_a_mark_stands(index: int, by: Any) -> None:
    pool = deployment(ScriptedClock(), 3)
    mark(pool.computers[index], by)
    with pytest.raises(BeingRestarted) as refused:
        restart(pool.computers[1])
    assert pool.computers[index].fqdn in str(refused.value)
    assert all(each.written == [] for each in pool.computers)


@pytest.mark.parametrize("index", [0, 1, 2])
def test_a_mark_may_be_taken_over_by_name(index: int) -> None:
    pool = deployment(ScriptedClock(), 3)
    mark(pool.computers[index])
    names = [each.fqdn.upper() for each in pool.computers]
    with pytest.raises(BeingRestarted):
        restart(pool.computers[1], take_over=[name for number, name in enumerate(names) if number != index])
    assert restart(pool.computers[1], take_over=[names[index]])["status"] == "corrected"


def test_a_process_that_died_on_the_same_controller_is_taken_over_at_once() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    mark(there, DEAD)
    assert restart(there)["status"] == "corrected"
    assert there.registry[MARK_KEY] == {}


@pytest.mark.parametrize("stops_after", [None, 0, 30, 59])
def test_a_peer_whose_restart_was_interrupted_must_have_run_for_a_while(stops_after: int | None) -> None:
    clock = ScriptedClock()
    there, peer, _third = deployment(clock, 3).computers
    mark(peer, DEAD)
    if stops_after is not None:
        # What the dead process sent arrives late.
        peer.services["RTCSRV"].next_status = "Stopped"
        peer.services["RTCSRV"].due = clock.monotonic() + stops_after
    if stops_after is None:
        result = restart(there)
        assert (result["status"], len(result["warnings"])) == ("corrected", 1)
    else:
        with pytest.raises((ChangeFailed, Refused)):
            restart(there)
        assert STOP not in names_of(there.written)
        assert there.registry.get(MARK_KEY, {}) == {}


def test_of_two_who_mark_servers_at_the_same_time_the_lower_name_waits_for_the_other_to_withdraw() -> None:
    pool = deployment(ScriptedClock(), 3)
    low, _middle, high = pool.computers
    inventory = Inventory(pool)

    def appear(host: str) -> None:
        # The other has looked before, and marks his server when this one has been marked.
        if host == high.fqdn and low.registry.get(MARK_KEY):
            mark(high)
            inventory.before_each = withdraw

    def withdraw(host: str) -> None:
        if host == low.fqdn or inventory.asked.count(high.fqdn) > 4:
            high.registry[MARK_KEY].clear()

    inventory.before_each = appear
    assert restart(low, inventory=inventory)["status"] == "corrected"


@pytest.mark.parametrize("loses", ["at once, on the higher name", "after a while, on the lower name"])
def test_who_does_not_go_on_withdraws(loses: str) -> None:
    pool = deployment(ScriptedClock(), 3)
    low, _middle, high = pool.computers
    mine, other = (high, low) if "higher" in loses else (low, high)
    inventory, journal = Inventory(pool), MemoryJournal()

    def appear(host: str) -> None:
        if mine.registry.get(MARK_KEY):
            mark(other)

    inventory.before_each = appear
    with pytest.raises(ChangeFailed) as failed:
        restart(mine, inventory=inventory, journal=journal)
    assert kind_of(failed.value.causes[0]) == "being_restarted"
    assert failed.value.result.changed is False
    assert mine.registry[MARK_KEY] == {}
    assert pool.history == []
    assert [outcome["changed"] for outcome in journal.outcomes.values()] == [False]


def test_what_happens_between_the_look_and_the_mark_is_seen() -> None:
    there, peer, _third = deployment(ScriptedClock(), 3).computers
    assert there.pool is not None
    inventory = Inventory(there.pool)

    def goes_down(host: str) -> None:
        if there.registry.get(MARK_KEY):
            peer.services["RTCSRV"].status = "Stopped"

    inventory.before_each = goes_down
    with pytest.raises(ChangeFailed) as failed:
        restart(there, inventory=inventory)
    assert kind_of(failed.value.causes[0]) == "refused"
    assert STOP not in names_of(there.written)
    assert there.registry[MARK_KEY] == {}


def test_a_mark_that_was_not_kept_stops_nothing() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    there._new_itemproperty = lambda given: []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed):
        restart(there)
    assert STOP not in names_of(there.written)


# -- ways out ------------------------------------------------------------------------------------------------


def test_a_drain_that_takes_too_long_leads_back() -> None:
    pool = deployment(ScriptedClock(), 3, draining=1e9)
    there = pool.computers[0]
    note(there)
    with pytest.raises(ChangeFailed) as failed:
        restart(there)
    result = failed.value.result.as_dict()
    assert names_of(result["restore_commands"]) == [START]
    assert (result["status"], result["changed"]) == ("drifted", True)
    assert "state: running" in str(failed.value)
    assert there.registry[MARK_KEY] == {}
    assert NOTE_KEY in there.registry


def test_services_that_somebody_else_starts_again_are_not_waited_for() -> None:
    clock = ScriptedClock()
    there = deployment(clock, 3, draining=100.0).computers[0]
    sleep = clock.sleep

    def start(seconds: float) -> None:
        sleep(seconds)
        if clock.monotonic() > 50:
            for service in there.services.values():
                service.status, service.next_status = "Running", None

    clock.sleep = start  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="Somebody else"):
        restart(there)
    assert clock.monotonic() < 100


def test_what_is_not_lyncs_own_need_not_stop() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    change = there._change

    def leaves_the_web_server(pending: str, final: str, seconds: float) -> None:
        change(pending, final, seconds)
        there.services["W3SVC"].status, there.services["W3SVC"].next_status = "Running", None

    there._change = leaves_the_web_server  # type: ignore[method-assign]
    assert restart(there)["status"] == "corrected"


def test_what_may_still_be_at_work_keeps_its_mark() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    there.breaks.add(STOP)
    there.ends = False
    with pytest.raises(ChangeFailed) as failed:
        restart(there)
    assert failed.value.result.status.value == "unknown"
    assert len(there.registry[MARK_KEY]) == 1
    assert NOTE_KEY in there.registry


def test_it_is_journalled_with_its_mark_as_something_that_cannot_be_taken_back() -> None:
    there, journal = deployment(ScriptedClock(), 3).computers[0], MemoryJournal()
    restart(there, journal=journal)
    ((change, commands),) = journal.changes.values()
    assert (change.resource, change.restorable) == ("server_restart", Restorable.NO)
    assert any(MARK_KEY in command for command in commands)
    assert [outcome["status"] for outcome in journal.outcomes.values()] == ["corrected"]


# -- stopping and starting -----------------------------------------------------------------------------------


def test_draining_in_2013_settles_for_twenty_minutes() -> None:
    there = deployment(ScriptedClock(), 3, 6, busy_for=300.0).computers[0]
    restart(there)
    assert there.clock.monotonic() >= 30 + 60 + 300 + 1200
    assert names_of(written_but_marks(there)) == [STOP, START]


@pytest.mark.parametrize(("version", "settle"), [(5, None), (6, 0), (7, None), (8, None)])
def test_elsewhere_it_does_not(version: int, settle: float | None) -> None:
    there = deployment(ScriptedClock(), 3, version).computers[0]
    restart(there, settle=settle)
    assert there.clock.monotonic() < 200


def test_the_time_to_settle_starts_again_when_the_pool_is_not_ready() -> None:
    pool = deployment(ScriptedClock(), 3, 6)
    there = pool.computers[0]
    readiness = there._readiness

    def with_a_break(given: dict[str, Any]) -> list[Any]:
        if 600 < there.clock.monotonic() < 800:
            pool.busy_until = max(pool.busy_until, 800.0)
        return readiness(given)

    there._get_cspoolupgradereadinessstate = with_a_break  # type: ignore[method-assign]
    restart(there)
    assert there.clock.monotonic() >= 800 + 1200


def test_a_busy_pool_is_waited_for_and_one_that_stays_busy_is_ill() -> None:
    pool = deployment(ScriptedClock(), 3)
    pool.busy_until = 700
    restart(pool.computers[0], settle=0)
    assert pool.history[0] == "stop fe01.contoso.com"
    assert pool.computers[0].clock.monotonic() >= 1200
    pool.busy_until = 1e9
    with pytest.raises(Refused, match=r"not ready for it \(Busy\)"):
        restart(pool.computers[1])
    assert pool.history == ["stop fe01.contoso.com", "start fe01.contoso.com"]


def test_a_server_that_offers_readiness_has_a_quorum_whatever_version_the_topology_has() -> None:
    pool = deployment(ScriptedClock(), 3, 5, busy_until=float("inf"))
    there = pool.computers[0]
    there.offers.update({*pools.READINESS, pools.FABRIC})
    with pytest.raises(Refused, match=r"not ready for it \(Busy\)"):
        restart(there)
    assert pool.history == []


def test_a_method_that_a_version_does_not_have_is_said() -> None:
    with pytest.raises(CmdletNotOffered):
        restart(deployment(ScriptedClock(), 3, 6).computers[0], method="failover")


def test_a_server_that_is_down_already_is_only_started() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    for service in there.services.values():
        service.status = "Stopped"
    restart(there, settle=0)
    assert names_of(written_but_marks(there)) == [START]
    assert pool.down() == []


def test_a_server_that_is_failed_over_is_only_failed_back() -> None:
    pool = deployment(ScriptedClock(), 3, 7)
    there = pool.computers[0]
    there._invoke_cscomputerfailover({})
    there.clock.passes(600)
    assert restart(there)["status"] == "corrected"
    assert pool.history == ["fail over fe01.contoso.com", "fail back fe01.contoso.com"]


def test_a_session_that_is_lost_while_failing_over_is_waited_for() -> None:
    pool = deployment(ScriptedClock(), 3, 7)
    there = pool.computers[0]
    there.breaks.add(pools.FAIL_OVER)
    result = restart(there)
    assert (result["status"], pool.most_down) == ("corrected", 1)
    assert pools.FAIL_OVER in result["warnings"][0]


@pytest.mark.parametrize("command", [STOP, START])
def test_a_line_that_breaks_after_a_command_took_effect_is_a_warning(command: str) -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    there.breaks = {command}
    result = restart(there, settle=0)
    assert result["status"] == "corrected"
    assert command in result["warnings"][0]
    assert pool.history == ["stop fe01.contoso.com", "start fe01.contoso.com"]


@pytest.mark.parametrize(
    ("command", "history", "changed"), [(STOP, [], False), (START, ["stop fe01.contoso.com"], True)]
)
def test_a_refused_command_is_told_with_what_it_left(command: str, history: list[str], changed: bool) -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    there.refuses[command] = Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
    with pytest.raises(ChangeFailed, match="Access is denied") as caught:
        restart(there)
    assert pool.history == history
    result = caught.value.result
    assert (result.status.value, result.changed) == ("drifted", changed)
    assert result.after == {"services": "stopped" if changed else "running"}


def after_starting(there: Windows, then: Callable[[], None]) -> None:
    """Something happens when the services are told to start."""
    start = there._start_cswindowsservice

    def and_then(given: dict[str, Any]) -> list[Any]:
        then()
        return start(given)

    there._start_cswindowsservice = and_then  # type: ignore[method-assign]


def test_a_service_that_does_not_come_up_is_named() -> None:
    pool = deployment(ScriptedClock(), 3)
    there = pool.computers[0]
    after_starting(there, lambda: pool.hangs.add("fe01.contoso.com:RTCAVMCU"))
    with pytest.raises(ChangeFailed, match=r"RTCAVMCU \(StartPending\)") as caught:
        restart(there)
    states = caught.value.result.details["services"]
    assert (states["RTCAVMCU"], states["RTCSRV"]) == ("StartPending", "Running")
    assert caught.value.result.after == {"services": "partly running"}


@pytest.mark.parametrize("loses_quorum", [True, False])
def test_a_front_end_service_that_waits_for_its_pool_is_explained(loses_quorum: bool) -> None:
    pool = deployment(ScriptedClock(), 3, starting=1e9)
    there = pool.computers[0]

    def waits() -> None:
        there._get_cspoolupgradereadinessstate = lambda given: [  # type: ignore[method-assign]
            remote(PoolUpgradeState="InsufficientActiveFrontEnds")
        ]
        if loses_quorum:
            pool.computers[1].services["RTCSRV"].status = "Stopped"

    after_starting(there, waits)
    with pytest.raises(ChangeFailed) as one:
        restart(there)
    # Two of three are the quorum: as long as they run it is not the pool that is ill.
    assert ("QuorumLossRecovery" in str(one.value)) == loses_quorum


def test_a_pool_that_does_not_get_ready_again_is_a_failure() -> None:
    there = deployment(ScriptedClock(), 3, busy_for=1e9).computers[0]
    with pytest.raises(ChangeFailed, match=r"the pool is not settled \(Busy\)"):
        restart(there)
    assert there.registry[MARK_KEY] == {}


# -- the note ------------------------------------------------------------------------------------------------


def test_a_note_is_settled_with_the_tickets_and_what_was_stopped_is_written_into_it() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    result = restart(there, settle=0, only_if_restart_pending=True)
    done = written_but_marks(there)
    assert names_of(done) == [*["klist"] * 3, STOP, "New-ItemProperty", START, "Remove-Item"]
    assert result["commands"] == [*PURGE, *(line for line in done[3:] if "New-ItemProperty" not in line)]
    assert result["restart_pending"] is None
    assert restart(there, only_if_restart_pending=True)["changed"] is False


def test_the_note_stays_until_the_restart_is_through_and_the_next_only_starts() -> None:
    pool = deployment(ScriptedClock(), 3, starting=1e9)
    there = pool.computers[0]
    note(there)
    with pytest.raises(ChangeFailed):
        restart(there)
    for service in there.services.values():
        service.status, service.next_status = "Running", None
    pool.busy_until, pool.starting = 0.0, 60.0
    there.written.clear()
    assert restart(there, settle=0)["restart_pending"] is None
    assert names_of(written_but_marks(there)) == [*["klist"] * 3, START, "Remove-Item"]


def test_a_note_that_another_run_took_away_is_settled() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    after_starting(there, lambda: there.registry.__delitem__(NOTE_KEY))
    assert restart(there, settle=0)["status"] == "corrected"


def test_a_note_that_was_never_finished_holds() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    there.registry[NOTE_KEY] = {}
    assert restart(there, settle=0, only_if_restart_pending=True)["status"] == "corrected"
    assert NOTE_KEY not in there.registry


def test_a_note_stays_where_a_stop_may_still_be_at_work_and_the_next_run_only_starts() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    there.breaks, there.ends = {STOP}, False
    with pytest.raises(ChangeFailed) as caught:
        restart(there, settle=0)
    assert caught.value.result.details["restart_pending"]["stopped"]
    there.registry[MARK_KEY].clear()
    there.written.clear()
    assert restart(there, settle=0)["status"] == "corrected"
    assert names_of(written_but_marks(there)) == [*["klist"] * 3, START, "Remove-Item"]


def test_a_ticket_that_cannot_be_thrown_away_is_a_warning() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    there.refuses["klist"] = Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
    result = restart(there, settle=0)
    assert (result["status"], len(result["warnings"])) == ("corrected", 1)


def test_a_note_that_stays_is_told() -> None:
    there = deployment(ScriptedClock(), 3).computers[0]
    note(there)
    there.refuses["Remove-Item"] = Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
    with pytest.raises(ChangeFailed) as caught:
        restart(there, settle=0)
    result = caught.value.result
    assert (result.status.value, result.changed) == ("drifted", True)
    assert result.details["restart_pending"]["reason"] == "its zone"
