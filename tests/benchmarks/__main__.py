# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a task costs, side by side in one run against the simulated deployment.

Five ways to spend a task are compared: doing nothing at all (the floor), finding nothing to change, changing
something, ansible-core's own psrp connection with raw, and ours with a new session for every task. Each is
run as ansible-playbook runs it, with one task and with many; the difference is what the further tasks cost,
without the start of Ansible. The whole run of many tasks is shown too, since that is what a person waits for.
The ways take turns, so that a machine that slows down does so for all of them; figures are medians over the
rounds, and ratios are taken within a round.

At the end, what reading many nouns in one task costs, against what the wire library alone needs for the same answers.

CPU and memory are those of ansible-playbook and its workers. The simulated servers run beside them on the
same processors, and are not counted.
"""

from __future__ import annotations

import argparse
import itertools
import statistics
from collections.abc import Callable, Sequence

from . import reading
from .measure import CHANGE, CORE, COUNTS, FLOOR, NO_CHANGE, WAYS, Cell, Cost, cost_of, running_lab

HEADINGS = (
    "",
    "CPU s",
    "x floor",
    "wall s",
    "requests",
    "KB",
    "connect.",
    "sessions",
    "run CPU s",
    "run wall s",
    "MiB",
)
WIDTHS = (16, 7, 8, 8, 9, 7, 9, 9, 10, 11, 5)

Round = dict[str, tuple[Cost, Cost]]
"""By way: the run with one task, and the one with many."""


def main(arguments: Sequence[str] | None = None) -> None:
    options = _options(arguments)
    print(
        f"{options.tasks} tasks a run, medians of {options.rounds} rounds. The first figures are for a task on a host."
    )
    promises = []
    for hosts, request_delay, open_delay in itertools.product(
        options.hosts, options.request_ms, options.open_s
    ):
        cell = Cell(hosts, request_delay / 1000, open_delay)
        rounds = measured(cell, options.rounds, options.tasks)
        print(f"\n{cell}")
        for line in table(cell, rounds, options.tasks):
            print(line, flush=True)
        promises += [f"{cell}: {promise}" for promise in broken(cell, rounds, options.tasks)]
    print("\n".join(reading.report()), flush=True)
    print("\nReached in every cell: " + REACH if not promises else "\nNot reached:\n" + "\n".join(promises))


def measured(cell: Cell, rounds: int, tasks: int) -> list[Round]:
    with running_lab(cell) as state:
        return [
            {way.name: (cost_of(way, 1, state), cost_of(way, tasks, state)) for way in WAYS}
            for turn in range(rounds)
        ]


def a_task(cell: Cell, tasks: int, runs: tuple[Cost, Cost], figure: Callable[[Cost], float]) -> float:
    """What one further task costs on one host."""
    one, many = runs
    return (figure(many) - figure(one)) / ((tasks - 1) * cell.hosts)


def median(rounds: list[Round], figure: Callable[[Round], float]) -> float:
    return statistics.median(figure(each) for each in rounds)


def cpu_ratio(cell: Cell, rounds: list[Round], tasks: int, name: str, other: str) -> float:
    def cpu(costs: Cost) -> float:
        return costs.cpu

    return median(rounds, lambda r: a_task(cell, tasks, r[name], cpu) / a_task(cell, tasks, r[other], cpu))


def table(cell: Cell, rounds: list[Round], tasks: int) -> list[str]:
    lines = [_row(HEADINGS)]
    for way in WAYS:

        def per_task(figure: Callable[[Cost], float], name: str = way.name) -> float:
            return median(rounds, lambda r: a_task(cell, tasks, r[name], figure))

        def of_run(figure: Callable[[Cost], float], name: str = way.name) -> float:
            return median(rounds, lambda r: figure(r[name][1]))

        requests, size, connections, sessions = (
            per_task(lambda cost, count=count: cost.counts[count]) for count in COUNTS
        )
        lines.append(
            _row(
                (
                    way.name,
                    f"{per_task(lambda cost: cost.cpu):.3f}",
                    f"{cpu_ratio(cell, rounds, tasks, way.name, FLOOR.name):.2f}",
                    f"{per_task(lambda cost: cost.wall):.3f}",
                    f"{requests:.1f}",
                    f"{size / 1024:.1f}",
                    f"{connections:.1f}",
                    f"{sessions:.2f}",
                    f"{of_run(lambda cost: cost.cpu):.1f}",
                    f"{of_run(lambda cost: cost.wall):.1f}",
                    f"{of_run(lambda cost: cost.memory):.0f}",
                )
            )
        )
    return lines


REACH = (
    "a task without a change costs at most twice the floor's CPU, less than psrp with raw, and at most three requests "
    "beside authentication; one session a host and run."
)


def broken(cell: Cell, rounds: list[Round], tasks: int) -> list[str]:
    """What the cell's figures do not keep of what is promised."""
    found = []
    ratio = cpu_ratio(cell, rounds, tasks, NO_CHANGE.name, FLOOR.name)
    if ratio > 2:
        found.append(f"a task without a change costs {ratio:.2f} times the floor's CPU")
    ratio = cpu_ratio(cell, rounds, tasks, NO_CHANGE.name, CORE.name)
    if ratio >= 1:
        found.append(f"a task without a change costs {ratio:.2f} times the CPU of psrp with raw")
    for name in (NO_CHANGE.name, CHANGE.name):
        sessions = median(rounds, lambda r, name=name: r[name][1].counts["sessions"] / cell.hosts)
        if sessions != 1:
            found.append(f"{name}: {sessions:g} sessions a host")
    requests = median(
        rounds, lambda r: a_task(cell, tasks, r[NO_CHANGE.name], lambda cost: cost.counts["requests"])
    )
    if requests > 3 + AUTHENTICATION_REQUESTS:
        found.append(f"a task without a change takes {requests:.1f} requests")
    return found


AUTHENTICATION_REQUESTS = 2
"""The two further requests of an NTLM handshake over HTTPS, which each worker's connection begins with."""


def _row(cells: Sequence[str]) -> str:
    first, *others = (cell.rjust(width) for cell, width in zip(cells, WIDTHS, strict=True))
    return first.strip().ljust(WIDTHS[0]) + "".join(others)


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="make bench", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--hosts", type=int, nargs="+", default=[1, 10, 50], help="how many hosts (default: 1 10 50)"
    )
    parser.add_argument(
        "--request-ms", type=float, nargs="+", default=[0, 20], help="added to each request (default: 0 20)"
    )
    parser.add_argument(
        "--open-s", type=float, nargs="+", default=[0, 2.5], help="to open a session (default: 0 2.5)"
    )
    parser.add_argument("--rounds", type=int, default=3, help="how often each run is repeated (default: 3)")
    parser.add_argument("--tasks", type=int, default=11, help="tasks of the longer run (default: 11)")
    return parser.parse_args(arguments)


if __name__ == "__main__":
    main()
