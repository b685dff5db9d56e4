# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A restart waits for those before it, and does not begin after one that did not come to a good end."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.turns import (
    PATIENCE,
    PredecessorFailed,
    Turns,
    outcomes,
    save_plan,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    Refused,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.outage_domains import Plan
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.pools import topology
from unit.scripted import ScriptedClock
from unit.scripted_windows import deployment

GOOD, BAD = {"changed": True, "status": "corrected"}, {"failed": True, "status": "drifted", "msg": "No."}
ONE_LANE = Plan((("a",), ("b",), ("c",)))
TWO_LANES = Plan((("a", "b"), ("c", "d")))


def saved(folder: Path, plan: Plan) -> Turns:
    return Turns(
        str(folder), save_plan(str(folder), plan, (), {host: f"{host}.contoso.com" for host in "abcd"})
    )


def test_a_plan_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    pools = topology(deployment(ScriptedClock(), 3).computers[0], ScriptedClock())
    plan_id = save_plan(str(tmp_path), TWO_LANES, pools, {"a": "FE01.contoso.com"})
    found = Turns(str(tmp_path), plan_id).saved
    assert (found.plan, list(found.pools)) == (TWO_LANES, pools)
    assert found.named("fe01.contoso.com") == ["a"]
    assert (tmp_path / f"lync-remediation-restart-{plan_id}").stat().st_mode & 0o077 == 0


@pytest.mark.parametrize("plan_id", ["0123456789abcdef", "../elsewhere", ""])
def test_a_plan_that_this_run_does_not_have(plan_id: str, tmp_path: Path) -> None:
    with pytest.raises(UnusableArgument):
        Turns(str(tmp_path), plan_id)


def test_a_host_that_is_not_in_the_plan(tmp_path: Path) -> None:
    with pytest.raises(UnusableArgument):
        saved(tmp_path, ONE_LANE).require("elsewhere")


def test_one_after_the_other(tmp_path: Path) -> None:
    turns, clock = saved(tmp_path, ONE_LANE), ScriptedClock()
    for host in "abc":
        turns.await_turn(host, clock)
        turns.begin(host).end(GOOD)
    assert clock.monotonic() == 0
    assert {host: result["status"] for host, result in _outcomes(turns).items()} == dict.fromkeys(
        "abc", "corrected"
    )


@pytest.mark.parametrize(
    "ending", [BAD, {"unreachable": True}, {"failed": True, "failure": "predecessor_failed"}]
)
def test_nothing_begins_after_a_failure(ending: dict[str, object], tmp_path: Path) -> None:
    turns = saved(tmp_path, ONE_LANE)
    turns.begin("a").end(ending)
    for host in "bc":
        with pytest.raises(PredecessorFailed, match="restart of a "):
            turns.await_turn(host, ScriptedClock())


def test_nothing_begins_out_of_turn(tmp_path: Path) -> None:
    clock = ScriptedClock()
    with pytest.raises(PredecessorFailed, match="a comes before it"):
        saved(tmp_path, ONE_LANE).await_turn("b", clock)
    assert clock.monotonic() == 0


def test_a_worker_that_died_has_failed(tmp_path: Path) -> None:
    turns = saved(tmp_path, ONE_LANE)
    # The operating system lets go of a dead worker's files.
    os.close(turns.begin("a")._descriptor)
    with pytest.raises(PredecessorFailed):
        turns.await_turn("b", ScriptedClock())
    assert _outcomes(turns)["a"]["failure"] == "worker_died"


def test_a_round_waits_for_the_one_before_it_as_long_as_that_works(tmp_path: Path) -> None:
    turns = saved(tmp_path, TWO_LANES)
    turns.begin("a").end(GOOD)
    begun = turns.begin("b")
    clock = Interrupted(10 * PATIENCE, lambda: begun.end(GOOD))
    turns.await_turn("c", clock)
    assert clock.monotonic() >= 10 * PATIENCE


def test_a_round_that_nobody_works_on_is_not_waited_for_for_ever(tmp_path: Path) -> None:
    turns, clock = saved(tmp_path, TWO_LANES), ScriptedClock()
    turns.begin("a").end(GOOD)
    with pytest.raises(PredecessorFailed, match="b comes before it"):
        turns.await_turn("d", clock)
    assert PATIENCE <= clock.monotonic() <= PATIENCE + 1


def test_a_failure_ends_the_waiting_of_other_lanes(tmp_path: Path) -> None:
    turns = saved(tmp_path, TWO_LANES)
    begun, _other = turns.begin("a"), turns.begin("b")
    clock = Interrupted(5, lambda: begun.end(BAD))
    with pytest.raises(PredecessorFailed):
        turns.await_turn("d", clock)


def test_two_tasks_do_not_restart_the_same_host(tmp_path: Path) -> None:
    turns = saved(tmp_path, ONE_LANE)
    begun = turns.begin("a")
    with pytest.raises(Refused, match="Another task"):
        turns.begin("a")
    begun.end(BAD)
    turns.begin("a").end(GOOD)
    assert _outcomes(turns)["a"]["status"] == "corrected"


def _outcomes(turns: Turns) -> dict[str, dict[str, object]]:
    folder = turns._folder
    return outcomes(str(folder.parent), folder.name.rpartition("-")[2])


class Interrupted(ScriptedClock):
    """Something happens after so many seconds."""

    def __init__(self, after: float, then: Callable[[], None]) -> None:
        super().__init__()
        self.after, self.then = after, then

    def sleep(self, seconds: float) -> None:
        super().sleep(seconds)
        if self.monotonic() >= self.after:
            self.after = float("inf")
            self.then()
