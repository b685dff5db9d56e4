# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In what order servers are restarted, in pools of every size and in every version, as the servers' journal has it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
from running import RunningLab

from .clock_drift import (
    CENTRAL,
    FAIL_BACK,
    FAIL_OVER,
    START,
    STOP,
    TIMES,
    another_zone,
    changes,
    fix,
    owe_restart,
)
from .conftest import Ansible, Start

Entry = dict[str, Any]

PURGES = ["klist purge", "klist -li 0x3e7 purge", "klist -li 0x3e4 purge"]
DRAINED = [STOP, "New-ItemProperty Stopped", START, "Remove-Item"]
FAILED_OVER = [FAIL_OVER, "New-ItemProperty Stopped", FAIL_BACK, "Remove-Item"]

SIZES = (1, 2, 3, 6, 9, 12)
# "Topologies and components for Front End Servers": by the size of a pool, how many of its first servers count for its
# quorum, and how many of those must run.
QUORUM = {2: (2, 1), 3: (3, 2), 6: (6, 3), 9: (7, 4), 12: (9, 5)}
READINESS = {
    2013: "Get-CsPoolUpgradeReadinessState",
    2015: "Get-CsPoolUpgradeReadinessState",
    2019: "Get-CsUpgradeDomainInfo",
    "SE": "Get-CsUpgradeDomainInfo",
}
EDGES = ["edge01.contoso.com", "edge02.contoso.com"]
STANDARD_EDITION = "dublin.contoso.com"

pytestmark = pytest.mark.sweep


def pools_of(sizes: Sequence[int]) -> dict[str, list[str]]:
    """By pool, its servers in the order of Get-CsComputer."""
    return {
        "edge.contoso.com": EDGES,
        STANDARD_EDITION: [STANDARD_EDITION],
        **{
            f"pool{number:03}.contoso.com": [
                f"fe{number:03}-{member:02}.contoso.com" for member in range(1, size + 1)
            ]
            for number, size in enumerate(sizes, 1)
        },
    }


def deployment(start: Start, version: object, sizes: Sequence[int]) -> RunningLab:
    """An interrupted run has put the clocks right, and everybody must still be restarted."""
    lab = start(
        "pool_sizes",
        **TIMES,
        version=version,
        generate={"pools": len(sizes), "computers_per_pool": [*sizes], "computer_endpoints": True},
        sites={"Dublin": {}},
        pools={
            STANDARD_EDITION: {
                "site": "Dublin",
                "edition": "standard",
                "computers": ["dublin"],
                "management": False,
                "computer_endpoints": True,
            }
        },
        edges={
            "edge.contoso.com": {
                "site": "Dublin",
                "computers": ["edge01", "edge02"],
                "next_hop": "pool001.contoso.com",
            }
        },
    )
    for server in ("fe*", "edge0*", STANDARD_EDITION):
        owe_restart(lab, server)
    return lab


@pytest.mark.parametrize(
    ("version", "sizes"),
    [
        (2013, (3,)),
        *((version, SIZES) for version in (2010, 2013, 2015)),
        # Pools of two are not supported any longer.
        *((version, (1, 3, 6, 9, 12)) for version in (2019, "SE")),
    ],
    ids=str,
)
def test_restarts_of_pools_of_every_size(
    version: object, sizes: Sequence[int], start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    lab = deployment(start, version, sizes)
    run = fix(ansible_at(lab), "--forks", "20", restart=True, settle=0, samples=2)
    assert run.exit_code == 0, run.output
    journal = lab.journal()
    edges_are_up = last(journal, EDGES, START)
    for pool, members in pools_of(sizes).items():
        # One server alone is asked for no quorum that it could lose.
        has_fabric = version != 2010 and pool.startswith("pool") and len(members) > 1
        fails_over = has_fabric and version != 2013
        sequence = Restarts(journal, members)
        sequence.is_one_at_a_time(QUORUM[len(members)] if has_fabric else None)
        sequence.stops_with(FAIL_OVER if fails_over else STOP)
        sequence.reads_before_each_stop(READINESS[version] if has_fabric else None)
        if pool != "edge.contoso.com":
            assert first(journal, members, STOP, FAIL_OVER) > edges_are_up


@pytest.mark.parametrize(
    ("version", "size", "restart"),
    [
        pytest.param(2010, 2, DRAINED, marks=pytest.mark.sweep),
        pytest.param(2013, 3, DRAINED, marks=pytest.mark.sweep),
        (2015, 3, FAILED_OVER),
    ],
)
def test_all_are_repaired_before_the_first_is_restarted(
    version: object,
    size: int,
    restart: list[str],
    start: Start,
    ansible_at: Callable[[RunningLab], Ansible],
) -> None:
    ansible = ansible_at(another_zone(start, version, size))
    run = fix(ansible, "--forks", "10", restart=True, time_zone=CENTRAL)
    assert run.exit_code == 0, run.output
    done = changes(ansible.lab)
    last_repair = max(number for number, (_, command) in enumerate(done) if command.startswith("tzutil"))
    front_ends = [f"fe0{number}" for number in range(size, 0, -1)]
    assert done[last_repair + 1 :] == [
        *(("edge01", command) for command in [*PURGES, *DRAINED]),
        *((server, command) for server in front_ends for command in [*PURGES, *restart]),
    ]


def first(journal: list[Entry], servers: list[str], *names: str) -> int:
    return min(
        n for n, entry in enumerate(journal) if entry["server"] in servers and entry.get("name") in names
    )


def last(journal: list[Entry], servers: list[str], *names: str) -> int:
    return max(
        n for n, entry in enumerate(journal) if entry["server"] in servers and entry.get("name") in names
    )


class Restarts:
    """What happened on the servers of one pool."""

    def __init__(self, journal: list[Entry], members: list[str]) -> None:
        self.members = members
        self.entries = [entry for entry in journal if entry["server"] in members]

    def is_one_at_a_time(self, quorum: tuple[int, int] | None) -> None:
        """Never two servers that serve nobody, nor fewer than the quorum."""
        serving = list(self.members)
        happened = []
        for entry in self.entries:
            if entry["event"] != "computer":
                continue
            happened.append((entry["server"], entry["serves"]))
            if entry["serves"]:
                serving.append(entry["server"])
            else:
                serving.remove(entry["server"])
            assert len(serving) >= len(self.members) - 1
            if quorum is not None:
                counted, to_stay = quorum
                assert sum(member in serving for member in self.members[:counted]) >= to_stay
        # Those that count least for the quorum come first.
        assert happened == [(member, serves) for member in reversed(self.members) for serves in (False, True)]

    def stops_with(self, command: str) -> None:
        """Calls and conferences may end."""
        changes = [
            entry for entry in self.entries if entry.get("name") in (STOP, START, FAIL_OVER, FAIL_BACK)
        ]
        back = {STOP: START, FAIL_OVER: FAIL_BACK}[command]
        assert [(entry["server"], entry["name"], entry["result"]) for entry in changes] == [
            (member, name, "completed") for member in reversed(self.members) for name in (command, back)
        ]
        for entry in changes[::2]:
            parameters = entry["parameters"]
            assert parameters["Graceful"] if command == STOP else parameters["WaitTime"] == "01:00:00"
            assert "Force" not in parameters

    def reads_before_each_stop(self, readiness: str | None) -> None:
        """Between a start and the next stop everybody was asked and ran, and the pool was ready on the server that had
        been started and on the one to be stopped; likewise after the last start.
        """
        stops = [n for n, entry in enumerate(self.entries) if entry.get("name") in (STOP, FAIL_OVER)]
        starts = [n for n, entry in enumerate(self.entries) if entry.get("name") in (START, FAIL_BACK)]
        for begin, end in zip([0, *starts], [*stops, len(self.entries)], strict=True):
            started = self.entries[begin]["server"] if begin else None
            stopped = self.entries[end]["server"] if end < len(self.entries) else None
            said = {
                (entry["server"], entry["name"]): entry.get("answer")
                for entry in self.entries[begin + 1 : end]
                if "name" in entry
            }
            asked = self.members if stopped else [started]
            assert {said.get((member, "Get-CsWindowsService")) for member in asked} == {"Running"}
            if readiness is not None:
                assert {said.get((server, readiness)) for server in (started, stopped) if server} == {"Ready"}
