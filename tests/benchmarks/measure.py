# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Running ansible-playbook against the lab, and counting what that costs."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml
from lab import control

TESTS = Path(__file__).resolve().parent.parent
FORKS = 20
COUNTS = ("requests", "bytes", "connections", "sessions")


@dataclass(frozen=True)
class Way:
    """One way to spend a task. ``task`` makes the task with the given number; ``variables`` are the play's."""

    name: str
    task: Callable[[int], dict[str, Any]]
    variables: dict[str, Any] = field(default_factory=dict)
    hosts: str = "management"

    def play(self, tasks: int) -> list[dict[str, Any]]:
        return [
            {
                "hosts": self.hosts,
                "gather_facts": False,
                "vars": self.variables,
                "tasks": [self.task(number) for number in range(tasks)],
            }
        ]


def settled(number: int) -> dict[str, Any]:
    return {
        "lync.remediation.media_configuration": {
            "identity": "Global",
            "encryption_level": "RequireEncryption",
        }
    }


def changing(number: int) -> dict[str, Any]:
    # All pools share one store, so each host has a policy of its own to change, and no description comes twice.
    description = f"{number} {time.monotonic_ns()}"
    policy = {"identity": "{{ inventory_hostname }}", "description": description}
    return {"lync.remediation.external_access_policy": policy}


FLOOR = Way("nothing (floor)", lambda number: {"ansible.builtin.assert": {"that": [True], "quiet": True}})
NO_CHANGE = Way("no change", settled)
CHANGE = Way("change", changing)
# /OcsPowershell takes no scripts, and raw sends one: its hosts are the same pools' Front Ends, by WinRM, and
# what it runs there is the least there is to run.
CORE = Way(
    "psrp with raw",
    lambda number: {"ansible.builtin.raw": "hostname"},
    {"ansible_connection": "ansible.builtin.psrp"},
    "front_ends",
)
NO_RESUMING = Way("session a task", settled, {"ansible_management_shell_keep_session": False})
WAYS = (FLOOR, NO_CHANGE, CHANGE, CORE, NO_RESUMING)


@dataclass(frozen=True)
class Cell:
    """One place in the table. Delays are seconds."""

    hosts: int
    request_delay: float
    open_delay: float

    def __str__(self) -> str:
        hosts = "1 host" if self.hosts == 1 else f"{self.hosts} hosts"
        return f"{hosts}, {self.request_delay * 1000:g} ms a request, {self.open_delay:g} s to open a session"

    def deployment(self) -> dict[str, Any]:
        """A description for the lab: each pool has one /OcsPowershell endpoint and one Front End."""
        return {
            "version": "2013",
            "domain": "contoso.com",
            "network": f"127.{128 + os.getpid() // 250 % 64}.{os.getpid() % 250}",
            "accounts": [{"name": "uc-admin", "password": "Benchmark-1", "roles": ["CsAdministrator"]}],
            "generate": {"pools": self.hosts, "computers_per_pool": 1, "computer_endpoints": True},
            "timings": {"request_delay": self.request_delay, "session_open_delay": self.open_delay},
            # Changes of many hosts to one store would otherwise wait for each other's replication.
            "replication": {"seconds": 0},
        }


@dataclass(frozen=True)
class Cost:
    """What one run of ansible-playbook took, its processes all counted: seconds, MiB of the largest, and the
    lab's counts.
    """

    cpu: float
    wall: float
    memory: float
    counts: dict[str, float]


@contextmanager
def running_lab(cell: Cell) -> Iterator[Path]:
    """The lab for a cell; yields its state directory."""
    with tempfile.TemporaryDirectory(prefix="lync-benchmark-") as folder:
        description, state = Path(folder, "deployment.yml"), Path(folder, "state")
        description.write_text(yaml.safe_dump(cell.deployment()))
        lab = [sys.executable, "-m", "lab"]
        subprocess.run(
            [*lab, "up", str(description), "--state", str(state)],
            cwd=TESTS,
            check=True,
            stdout=subprocess.DEVNULL,
        )
        try:
            yield state
        finally:
            subprocess.run([*lab, "down", "--state", str(state)], cwd=TESTS, check=True)


def cost_of(way: Way, tasks: int, state: Path) -> Cost:
    """Run a play of so many tasks. Raises RuntimeError with its output if it fails."""
    playbook = state.parent / "play.yml"
    playbook.write_text(yaml.safe_dump(way.play(tasks)))
    ansible = Path(sys.executable).with_name("ansible-playbook")
    command = [str(ansible), "-i", str(state / "inventory"), "-f", str(FORKS), str(playbook)]
    before = _counts(state)
    began = time.perf_counter()
    output, status, used = run(command, state.parent / "output")
    wall = time.perf_counter() - began
    after = _counts(state)
    if status:
        raise RuntimeError(f"{way.name}: ansible-playbook failed.\n{output[-4000:]}")
    return Cost(
        cpu=used.ru_utime + used.ru_stime,
        wall=wall,
        memory=used.ru_maxrss / 1024,
        counts={name: after[name] - before[name] for name in COUNTS},
    )


def run(command: list[str], log: Path) -> tuple[str, int, resource.struct_rusage]:
    """Run; the resources are those of the process and of all its descendants that were waited for."""
    with log.open("wb") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, env=os.environ)
        status, used = os.wait4(process.pid, 0)[1:]
        process.returncode = os.waitstatus_to_exitcode(status)
    return log.read_text(errors="replace"), process.returncode, used


def _counts(state: Path) -> dict[str, int]:
    totals = control.ask(state, "status")["totals"]
    return {
        "requests": totals["requests"],
        "bytes": totals["bytes_in"] + totals["bytes_out"],
        "connections": totals["connections"],
        "sessions": totals["sessions_opened"],
    }
