# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What fix_clock_drift costs a server, from a few servers to many: nothing wrong, and one server in ten.

A cost that does not grow with the number of servers is what is promised.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lab import control

from .measure import TESTS, run

SERVERS = (3, 36, 201, 501)
MOST_REQUESTS = 20
MOST_SECONDS = 300
COUNTS = {"requests": "requests", "pipelines": "pipelines", "sessions": "sessions_opened"}
"""By what they are called here, the lab's counts."""
GROWTH = {**dict.fromkeys(COUNTS, 1.2), "CPU s": 1.5}
"""How many times as much as with fewer servers a server may cost: one in ten is not the same share of every number."""


@dataclass(frozen=True)
class Cost:
    """``counts`` are the lab's."""

    cpu: float
    wall: float
    counts: dict[str, int]


def deployment(servers: int, wrong: int) -> dict[str, Any]:
    """Pools of three Front Ends. ``wrong``: the clocks of so many are ten minutes ahead."""
    names = [f"fe{number:03}" for number in range(1, servers + 1)]
    off = set(names[:: max(servers // wrong, 1)][:wrong]) if wrong else set()
    computers = [{"name": name, "clock": {"offset": 600.0}} if name in off else name for name in names]
    pools = {
        f"pool{number // 3 + 1:03}.contoso.com": {
            "site": "Redmond",
            "computers": computers[number : number + 3],
            "management": number == 0,
        }
        for number in range(0, servers, 3)
    }
    return {
        "version": "2013",
        "domain": "contoso.com",
        "network": f"127.{128 + os.getpid() // 250 % 64}.{os.getpid() % 250}",
        "accounts": [
            {"name": "uc-admin", "password": "Benchmark-1", "roles": ["CsAdministrator"], "delegation": True}
        ],
        "inventory": {"management": "basic", "computers": "basic"},
        "sites": {"Redmond": {}},
        "pools": pools,
        "services": {"start_seconds": 0, "stop_seconds": 0, "drain_seconds": 0},
        "high_availability": {"busy_seconds": 0.1, "quorum_loss_seconds": 30},
        "replication": {"seconds": 0},
    }


@contextmanager
def _lab(document: dict[str, Any]) -> Any:
    with tempfile.TemporaryDirectory(prefix="lync-benchmark-") as folder:
        description, state = Path(folder, "deployment.yml"), Path(folder, "state")
        description.write_text(yaml.safe_dump(document))
        lab = [sys.executable, "-m", "lab"]
        up = [*lab, "up", str(description), "--state", str(state)]
        subprocess.run(up, cwd=TESTS, check=True, stdout=subprocess.DEVNULL)
        try:
            yield state
        finally:
            subprocess.run([*lab, "down", "--state", str(state)], cwd=TESTS, check=True)


def cost(servers: int, wrong: int, forks: int) -> Cost:
    """Raises RuntimeError with the run's output if it fails."""
    with _lab(deployment(servers, wrong)) as state:
        ansible = Path(sys.executable).with_name("ansible-playbook")
        command = [
            str(ansible),
            "-i",
            str(state / "inventory"),
            "-f",
            str(forks),
            "lync.remediation.fix_clock_drift",
        ]
        for setting in ("restart=true", "settle=0", "interval=1"):
            command += ["--extra-vars", f"clock_drift_{setting}"]
        before, began = _counts(state), time.perf_counter()
        output, status, used = run(command, state.parent / "output")
        wall, after = time.perf_counter() - began, _counts(state)
    if status:
        raise RuntimeError(f"fix_clock_drift failed with {servers} servers.\n{output[-4000:]}")
    counts = {name: after[name] - before[name] for name in COUNTS}
    return Cost(used.ru_utime + used.ru_stime, wall, counts)


def _counts(state: Path) -> dict[str, int]:
    totals = control.ask(state, "status")["totals"]
    return {name: totals[key] for name, key in COUNTS.items()}


def curve(sizes: Sequence[int], forks: int) -> list[str]:
    """Print the table; what of the promises was not kept."""
    headings = ("servers", "wrong", "wall s", *(f"{name}/server" for name in GROWTH))
    print("\nfix_clock_drift, restarts included\n" + "".join(each.rjust(17) for each in headings))
    broken = []
    for tenth in (False, True):
        least: dict[str, float] = {}
        for servers in sizes:
            wrong = max(servers // 10, 1) if tenth else 0
            found = cost(servers, wrong, forks)
            each = {name: count / servers for name, count in {**found.counts, "CPU s": found.cpu}.items()}
            row = (str(servers), str(wrong), f"{found.wall:.0f}", *(f"{each[name]:.2f}" for name in GROWTH))
            print("".join(cell.rjust(17) for cell in row), flush=True)
            if not tenth and each["requests"] > MOST_REQUESTS + 10 / servers:
                broken.append(
                    f"{servers} servers with nothing wrong take {each['requests']:.1f} requests each"
                )
            if not tenth and found.wall > MOST_SECONDS:
                broken.append(f"{servers} servers with nothing wrong take {found.wall:.0f} s")
            for name, most in GROWTH.items():
                if each[name] > most * least.setdefault(name, each[name]):
                    broken.append(
                        f"a server takes {each[name]:.2f} {name} of {servers}, {least[name]:.2f} of fewer"
                    )
                least[name] = min(least[name], each[name])
    return broken
