# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The other servers of an outage domain, asked themselves: what runs there, and who is about to stop it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from ..powershell.errors import ManagementShellError
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from ..topology import pools, services
from ..windows import computer, registry, stopping_mark
from ..windows.stopping_mark import MARK_KEY, Mark


class Inventory(Protocol):
    """How other servers are reached: as the inventory says, be they in this run or not."""

    def hosts_of(self, computer: str) -> list[str]:
        """The hosts that may be this computer."""

    def session(self, host: str) -> AbstractContextManager[ManagementShell]:
        """A session there, which ends with the block."""


@dataclass(frozen=True)
class Peer:
    """``running``: whether it serves users, None where that is not known, which ``trouble`` explains."""

    computer: str
    running: bool | None
    marks: tuple[Mark, ...] = ()
    states: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    def as_dict(self) -> dict[str, Any]:
        return {
            "computer": self.computer,
            "running": self.running,
            "marks": [mark.as_dict() for mark in self.marks],
            "trouble": self.trouble or None,
        }


def query_peers(inventory: Inventory, computers: Iterable[str]) -> tuple[Peer, ...]:
    return tuple(_query(inventory, each) for each in computers)


def _query(inventory: Inventory, name: str) -> Peer:
    troubles = []
    for host in inventory.hosts_of(name):
        try:
            with inventory.session(host) as shell:
                return _peer(shell, name)
        except ManagementShellError as trouble:
            troubles.append(f"{host}: {trouble}")
    return Peer(name, None, trouble=" ".join(troubles) or "the inventory has no host for it")


def _peer(shell: ManagementShell, name: str) -> Peer:
    keys = [computer.NAME_KEY, MARK_KEY]
    results = shell.run(pools.list_services(), registry.reading(keys))
    for report in results.errors:
        if report.command == pools.SERVICES:
            raise shell.classify(report)
    values = registry.read(shell, results, keys)
    said = computer.name(values)
    if said is None or not same_name(said, name):
        raise Unreadable(f"The host says that it is {said or 'nameless'}, not {name}.")
    listed = services.read(each for each in results.objects() if "PSPath" not in each)
    found = services.Services(tuple(listed))
    return Peer(name, found.takes_part, stopping_mark.read(values), found.states)


@dataclass(frozen=True)
class Rival:
    """A mark on a computer."""

    computer: str
    mark: Mark

    @property
    def rank(self) -> tuple[str, str]:
        return ordinal_key(self.computer), self.mark.token

    @property
    def described(self) -> str:
        return f"{self.computer} is being restarted {self.mark.described}"


def rivals(
    marks: Iterable[tuple[str, Iterable[Mark]]], is_over: Callable[[str, Mark], bool]
) -> tuple[list[Rival], list[Rival]]:
    """Marks that stand, and those of restarts that are over for certain, though nobody has taken them away."""
    found = [Rival(name, mark) for name, those in marks for mark in those]
    over = [each for each in found if is_over(each.computer, each.mark)]
    return [each for each in found if each not in over], over
