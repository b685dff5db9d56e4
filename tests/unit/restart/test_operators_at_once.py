# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two and three operators who restart the servers of one pool at the same time, in any order in which their requests
may reach the servers, some of them killed at any point: never are two servers down, and what each is told is true.
"""

from __future__ import annotations

import random
import threading
from collections import Counter
from dataclasses import dataclass, field, replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import ManagementShellError
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from ansible_collections.lync.remediation.plugins.plugin_utils.restart import server_restart
from ansible_collections.lync.remediation.plugins.plugin_utils.restart.processes import Process
from ansible_collections.lync.remediation.plugins.plugin_utils.result.failures import failure_result
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.restart_note import NOTE_KEY
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.stopping_mark import MARK_KEY
from unit.scripted import ScriptedClock
from unit.scripted_windows import Pool, Windows

from .test_server_restart import ALIVE, Inventory, note, restart

STOPS = ("stop", "fail over")


class Killed(BaseException):
    """The operator's process ends here."""


class Turns(ScriptedClock):
    """Lets one operator at a time go on by one step, chosen by chance, and time pass when all of them sleep."""

    def __init__(self, chance: random.Random) -> None:
        super().__init__()
        self.chance = chance
        self.operators: list[Operator] = []
        self.idle = threading.Semaphore(0)

    def sleep(self, seconds: float) -> None:
        here = self.current()
        if here is None:
            super().sleep(seconds)
        else:
            here.step(self.monotonic() + seconds)

    def current(self) -> Operator | None:
        return next((each for each in self.operators if each.thread is threading.current_thread()), None)

    def run(self) -> None:
        for each in self.operators:
            each.thread.start()
            self.idle.acquire()
        while waiting := [each for each in self.operators if not each.ended]:
            ready = [each for each in waiting if each.wakes <= self.monotonic()]
            if not ready:
                self.passes(min(each.wakes for each in waiting) - self.monotonic())
                continue
            self.chance.choice(ready).turn.release()
            self.idle.acquire()
        for each in self.operators:
            each.thread.join()


@dataclass(eq=False)
class Operator:
    """``dies``: after so many steps his process is killed, None where it is not. ``reports``: what he is told of each
    server.
    """

    turns: Turns
    number: int
    servers: list[Windows]
    dies: int | None
    reports: dict[str, dict[str, Any]] = field(default_factory=dict)
    steps: int = 0
    wakes: float = 0.0
    ended: bool = False

    def __post_init__(self) -> None:
        self.turn = threading.Semaphore(0)
        self.thread = threading.Thread(target=self._work, daemon=True)
        self.process: Process = replace(ALIVE, started=f"operator {self.number}")

    def step(self, until: float = 0.0) -> None:
        self.wakes = until
        self.turns.idle.release()
        self.turn.acquire()
        self.steps += 1
        if self.steps == self.dies:
            raise Killed

    def _work(self) -> None:
        try:
            self.step()
            for there in self.servers:
                self.reports[there.fqdn] = self._restarted(there)
        except Killed:
            pass
        finally:
            self.ended = True
            self.turns.idle.release()

    def _restarted(self, there: Windows) -> dict[str, Any]:
        assert there.pool is not None
        try:
            return restart(there, inventory=Inventory(there.pool), only_if_restart_pending=True)
        except ManagementShellError as failed:
            return failure_result(failed)


class Shared(Windows):
    """A server that several operators ask: each request is a step of theirs, and so is each answer."""

    def run(self, *commands: Command, **more: Any) -> Results:
        here = self.clock.current()  # type: ignore[attr-defined]
        if here is not None:
            here.step()
        results = super().run(*commands, **more)
        if here is not None:
            here.step()
        return results


def shared_pool(turns: Turns, version: int) -> Pool:
    pool = Pool("pool01.contoso.com", version)
    for number in (1, 2, 3):
        note(Shared(turns, f"fe0{number}.contoso.com", pool))
    return pool


def work(seed: int, version: int, monkeypatch: pytest.MonkeyPatch) -> list[Operator]:
    chance = random.Random(seed)
    turns = Turns(chance)
    pool = shared_pool(turns, version)
    to_die = chance.choice((0, 0, 1, 2))
    for number in range(2 + seed % 2):
        servers = chance.sample(pool.computers, chance.choice((1, 3, 3)))
        dies = chance.randrange(1, 200) if number < to_die else None
        turns.operators.append(Operator(turns, number, servers, dies))

    def this_process() -> Process:
        here = turns.current()
        return ALIVE if here is None else here.process

    def is_dead(other: Process, _here: Process) -> bool:
        return any(each.process == other and each.ended and each.dies for each in turns.operators)

    monkeypatch.setattr(server_restart, "this_process", this_process)
    monkeypatch.setattr(server_restart, "is_dead", is_dead)
    turns.run()
    check(pool, turns.operators)
    left = [each for each in pool.computers if NOTE_KEY in each.registry]
    # As a plan has it: what is down comes first.
    for there in sorted(left, key=lambda each: each.fqdn not in pool.down()):
        assert restart(there, only_if_restart_pending=True)["status"] == "corrected"
    assert pool.down() == []
    assert pool.most_down <= 1
    assert not any(NOTE_KEY in each.registry for each in pool.computers)
    # A mark that a dead process has left on a server that is well stands in nobody's way.
    marks = [mark for each in pool.computers for mark in each.registry.get(MARK_KEY, {}).values()]
    assert all(any(f'"{each.process.started}"' in mark for each in killed(turns.operators)) for mark in marks)
    return turns.operators


def killed(operators: list[Operator]) -> list[Operator]:
    return [each for each in operators if each.dies is not None and each.steps >= each.dies]


def check(pool: Pool, operators: list[Operator]) -> None:
    assert pool.most_down <= 1, pool.history
    stopped = Counter(what.rpartition(" ")[2] for what in pool.history if what.startswith(STOPS))
    for each in operators:
        if each not in killed(operators):
            assert len(each.reports) == len(each.servers)
        for server, report in each.reports.items():
            if report["status"] == "corrected":
                stopped[server] -= 1
            elif report["status"] != "in_desired_state":
                assert report["failure"] in ("being_restarted", "refused", "change_failed"), report
                assert report["changed"] is False, report
    # Nothing was stopped that nobody tells, but by those who were killed.
    assert sum(map(abs, stopped.values())) <= len(killed(operators))


@pytest.mark.parametrize("version", [6, 8])
def test_never_two_servers_down_and_every_report_true(version: int, monkeypatch: pytest.MonkeyPatch) -> None:
    corrected = 0
    for seed in range(50):
        operators = work(seed, version, monkeypatch)
        reports = [report for each in operators for report in each.reports.values()]
        corrected += any(report["status"] == "corrected" for report in reports)
    # They do not only keep each other from working.
    assert corrected > 25
