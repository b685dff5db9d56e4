# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Two and three people restart the servers of one pool at the same time, and some of them are killed: never are two
servers down, and every report is true. The lab's journal is the witness.
"""

from __future__ import annotations

import json
import os
import random
import re
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.engine import EMBEDDED
from running import RunningLab, ansible_environment, playbook_command

from .clock_drift import RESTART_PENDING, prefixed
from .in_process import LabInProcess
from .test_clock_drift_killed import kill
from .test_killed_changes import descendants_of

pytestmark = pytest.mark.embedded_only(
    "it judges what a lab in the tests' own process holds once nothing runs there, and a PowerShell does not tell that"
)

FRONT_ENDS = [f"fe0{number}.contoso.com" for number in (1, 2, 3)]
DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [
        {"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"], "delegation": True}
    ],
    "inventory": {"management": "basic", "computers": "basic"},
    "sites": {"Redmond": {}},
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01", "fe02", "fe03"]}},
    "services": {"start_seconds": 0.3, "stop_seconds": 0.1, "drain_seconds": 0.2},
    "high_availability": {"busy_seconds": 0.2, "quorum_loss_seconds": 0.1},
    "replication": {"seconds": 0},
    "quotas": {"shells_per_user": 200},
}
VERSIONS = (2013, 2019)
#: By default: two operators, one of whom loses a worker.
ONCE = {(2013, 1)}
KILLS = ("everything", "the worker", "ansible alone", "ctrl-c")
#: What a run may say of a server that it has not restarted. None of them says that something was changed.
REFUSALS = {"being_restarted", "refused"}


@dataclass(frozen=True)
class Round:
    """``orders``: the servers of each operator, in his order. ``kills``: who is killed, how, and after how many
    requests that the lab has got.
    """

    orders: tuple[tuple[str, ...], ...]
    kills: dict[int, tuple[int, str]]


def rounds(count: int) -> list[Round]:
    made = []
    for number in range(count):
        chance = random.Random(20261128 + number)
        operators = 2 + number % 2
        orders = [tuple(chance.sample(FRONT_ENDS, chance.choice((1, 3, 3)))) for _ in range(operators)]
        killed = chance.sample(range(operators), chance.choice((0, 1, 1, operators)))
        kills = {each: (chance.randrange(20, 400), chance.choice(KILLS)) for each in killed}
        made.append(Round(tuple(orders), kills))
    return made


ROUNDS = rounds(100)


@pytest.fixture(scope="module", params=VERSIONS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInProcess]:
    number = VERSIONS.index(request.param)
    network = f"127.{100 + os.getpid() % 100}.{number}"
    document = {**DEPLOYMENT, "version": request.param, "network": network}
    with LabInProcess(document, tmp_path_factory.mktemp("lab"), number, engine=EMBEDDED) as running:
        yield running


class Operator:
    """One person with a home and a playbook of his own, at the same controller as the others."""

    def __init__(self, lab: LabInProcess, home: Path, servers: tuple[str, ...]) -> None:
        home.mkdir()
        self.results = home / "results.json"
        (home / "playbook.yml").write_text(yaml.safe_dump(self._plays(servers)), encoding="utf-8")
        self._command = playbook_command(RunningLab(lab.state), str(home / "playbook.yml"), [])
        self._state, self._environment = lab.state, ansible_environment(home)

    def _plays(self, servers: tuple[str, ...]) -> list[dict[str, Any]]:
        restart = {
            "lync.remediation.server_restart": {
                "management_host": "pool01.contoso.com",
                "only_if_restart_pending": True,
                **{"settle": 0, "interval": 1, "busy_wait": 1, "busy_tries": 5, "interrupted_wait": 1},
            },
            "delegate_to": "{{ item }}",
            "loop": list(servers),
            "run_once": True,
            "ignore_errors": True,
            "register": "restarted",
        }
        tasks = [restart, self._keeping("{{ restarted.results | to_json }}")]
        return [{"hosts": "front_ends", "gather_facts": False, "tasks": tasks}]

    def _keeping(self, content: str) -> dict[str, Any]:
        return {
            "ansible.builtin.copy": {"content": content, "dest": str(self.results), "mode": "0600"},
            "delegate_to": "localhost",
            "run_once": True,
        }

    def start(self) -> subprocess.Popen[bytes]:
        return subprocess.Popen(
            self._command,
            cwd=self._state,
            env=self._environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )

    def reported(self) -> dict[str, dict[str, Any]]:
        """By server, what came of it; empty where the run did not come to its end."""
        found = json.loads(self.results.read_text(encoding="utf-8")) if self.results.exists() else []
        return {each["item"]: each for each in found}


class OperatorOfTheRole(Operator):
    """The same with all of fix_clock_drift; he cannot choose the order."""

    def _plays(self, servers: tuple[str, ...]) -> list[dict[str, Any]]:
        waits = {"settle": 0, "interval": 1, "busy_wait": 1, "busy_tries": 5, "replication_timeout": 30}
        role = {
            "ansible.builtin.import_role": {"name": "lync.remediation.clock_drift"},
            "vars": prefixed({"restart": True, **waits}),
        }
        facts = (
            "{{ dict(servers | zip(servers | map('extract', hostvars, 'clock_drift_result'))) | to_json }}"
        )
        keeping = {**self._keeping(facts), "vars": {"servers": FRONT_ENDS}}
        # Where all servers of a play have failed Ansible does not go on to another.
        tasks = [{"block": [role], "always": [keeping]}]
        defaults = {"lync.remediation.server_restart": {"interrupted_wait": 1}}
        return [{"hosts": "front_ends", "gather_facts": False, "tasks": tasks, "module_defaults": defaults}]

    def reported(self) -> dict[str, dict[str, Any]]:
        return dict(json.loads(self.results.read_text(encoding="utf-8")) if self.results.exists() else {})


def strike(process: int, how: str) -> list[int]:
    """The workers of a run that is killed."""
    workers = descendants_of(process)
    if how == "ctrl-c":
        os.killpg(process, signal.SIGINT)
        return workers
    if how != "the worker":
        kill([process])
    if how != "ansible alone":
        kill(workers)
    return workers


def await_end(processes: list[int]) -> None:
    """A worker that has lost its Ansible goes on to the end of its task."""
    deadline = time.monotonic() + 120
    while any(is_alive(each) for each in processes):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def is_alive(process: int) -> bool:
    with suppress(FileNotFoundError, ProcessLookupError):
        state = Path(f"/proc/{process}/stat").read_text(encoding="ascii").rpartition(")")[2].split()[0]
        return state not in ("Z", "X")
    return False


def work(lab: LabInProcess, operators: list[Operator], kills: dict[int, tuple[int, str]]) -> list[str]:
    """Let them work at the same time; what each of them was shown."""
    with ExitStack() as running:
        processes = [running.enter_context(each.start()) for each in operators]
        workers: list[int] = []

        def on_request(number: int) -> None:
            for operator, (moment, how) in kills.items():
                if number == moment:
                    workers.extend(strike(processes[operator].pid, how))

        lab.striker.on_request = on_request
        try:
            shown = [process.communicate(timeout=240)[0].decode() for process in processes]
            await_end(workers)
            return shown
        finally:
            lab.striker.on_request = None
            for process in processes:
                kill([*descendants_of(process.pid), process.pid])


def most_down(journal: list[dict[str, Any]]) -> int:
    down: set[str] = set()
    most = 0
    for entry in journal:
        if entry["event"] == "computer":
            (down.discard if entry["serves"] else down.add)(entry["server"])
            most = max(most, len(down))
    return most


def leave_notes(lab: LabInProcess) -> None:
    for name, value in (("Since", "2026-11-20T10:00:00Z"), ("Reason", "its time zone was UTC")):
        for server in FRONT_ENDS:
            lab.deployment.machine(server).registry.put(RESTART_PENDING, name, value)


def noted(lab: LabInProcess) -> list[str]:
    return [
        server for server in FRONT_ENDS if lab.deployment.machine(server).registry.exists(RESTART_PENDING)
    ]


# Ctrl-C while a process of Ansible's forks: Python then tells where it struck.
OF_PYTHON_ITSELF = re.compile(
    r"^Exception ignored in: <function _afterFork .*\nTraceback .*\n(?:  .*\n)+KeyboardInterrupt.*\n",
    re.MULTILINE,
)


def check(lab: LabInProcess, folder: Path, one: Round, kind: type[Operator] = Operator) -> None:
    lab.reset()
    leave_notes(lab)
    operators = [kind(lab, folder / f"operator{n}", order) for n, order in enumerate(one.orders)]
    shown = work(lab, operators, one.kills)
    lab.settle()
    assert most_down(RunningLab(lab.state).journal()) <= 1, shown
    untouched = [each for number, each in enumerate(operators) if number not in one.kills]
    stopped = Counter(
        each["server"]
        for each in lab.commands
        if each["name"].startswith(("Stop-Cs", "Invoke-CsComputerFailOver"))
    )
    for each, text in zip(operators, shown, strict=True):
        assert "Traceback" not in OF_PYTHON_ITSELF.sub("", text), text
        for server, result in each.reported().items():
            if result["status"] == "corrected":
                stopped[server] -= 1
            elif result["status"] != "in_desired_state":
                assert result.get("failure", "refused") in REFUSALS or one.kills, result
                assert result["changed"] is False or one.kills, result
    assert min(stopped.values(), default=0) >= 0
    assert all(each.results.exists() for each in untouched), shown
    # Who comes afterwards finds what is left, whatever it is, and finishes it.
    lab.heal()
    left = sorted(noted(lab), key=lambda server: runs(lab, server))  # as a plan has it: what is down first
    last = kind(lab, folder / "last", tuple(left) or (FRONT_ENDS[0],))
    (text,) = work(lab, [last], {})
    assert {each["status"] for each in last.reported().values()} <= {"corrected", "in_desired_state"}, text
    assert last.reported(), text
    assert noted(lab) == []
    assert most_down(RunningLab(lab.state).journal()) <= 1
    down = [server for server in FRONT_ENDS if not runs(lab, server)]
    assert down == []


def runs(lab: LabInProcess, server: str) -> bool:
    return all(
        each.status == "Running" for each in lab.deployment.machine(server).services.values() if each.is_lync
    )


@pytest.mark.parametrize(
    ("lab", "number"),
    [
        pytest.param(version, number, marks=[] if (version, number) in ONCE else [pytest.mark.sweep])
        for version in VERSIONS
        for number in range(50)
    ],
    indirect=["lab"],
)
def test_never_two_servers_down_and_every_report_true(lab: LabInProcess, tmp_path: Path, number: int) -> None:
    check(lab, tmp_path, ROUNDS[2 * number % 100 + lab.number])


@pytest.mark.sweep
@pytest.mark.parametrize("number", range(50))
def test_the_whole_role_at_the_same_time(lab: LabInProcess, tmp_path: Path, number: int) -> None:
    check(lab, tmp_path, ROUNDS[2 * number % 100 + lab.number], OperatorOfTheRole)
