# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many Front Ends of a pool must run, which of them count, and how many more may go down. Pure functions.

The figures are Microsoft's: for Lync Server 2013 in "Topologies and components for Front End Servers", for Skype for
Business Server in "Front End Pool high availability and management", which has rows of their own for pools of 12 and
more servers of 2019. Below the functional level the servers that are left stop all their services. They assume that
the SQL Server back end is up, which is a witness of pools with an even number of servers.
"""

from __future__ import annotations

import enum
from collections.abc import Collection, Sequence
from dataclasses import dataclass


class Kind(enum.Enum):
    """What a pool is to its quorum. The value is what results show."""

    FRONT_ENDS = "front_end_pool"
    """Front Ends of 2013 and later: Windows Fabric keeps them together."""

    FRONT_ENDS_2010 = "front_end_pool_2010"
    """Front Ends of Lync Server 2010, which know no quorum; a load balancer spreads the users."""

    STANDARD_EDITION = "standard_edition"
    """The one server that is its own pool."""

    OTHER = "other"
    """Edge, Mediation, Director and other pools without user data: any server will do, but one must be there.
    """


@dataclass(frozen=True)
class Rule:
    """``counted``: how many of the pool's first servers count; ``to_start``: how many it takes to start the
    pool for the first time; ``to_stay``: how many of the counted ones must run.
    """

    counted: int
    to_start: int
    to_stay: int


# By the number of Front Ends. "First" servers are those that Get-CsComputer shows first for the pool.
TABLE = {
    2: Rule(counted=2, to_start=1, to_stay=1),
    3: Rule(counted=3, to_start=3, to_stay=2),
    4: Rule(counted=4, to_start=3, to_stay=2),
    5: Rule(counted=5, to_start=4, to_stay=3),
    6: Rule(counted=6, to_start=5, to_stay=3),
    7: Rule(counted=7, to_start=5, to_stay=4),
    8: Rule(counted=7, to_start=6, to_stay=4),
    9: Rule(counted=7, to_start=7, to_stay=4),
    10: Rule(counted=9, to_start=8, to_stay=5),
    11: Rule(counted=9, to_start=9, to_stay=5),
    12: Rule(counted=9, to_start=10, to_stay=5),
}
# 2019 and later: any 7 of the first 12 keep a pool of 12 to 16 functional. How many start one is published for 12 and
# for 16 alone; between them the larger of 12 and 85 percent, which the same page asks for in general, is on the safe
# side. The older row for 12 servers (5 of 9) stands on that page as well, and is the weaker one.
TABLE_2019 = {
    **{servers: TABLE[servers] for servers in range(3, 12)},
    12: Rule(counted=12, to_start=10, to_stay=7),
    13: Rule(counted=12, to_start=12, to_stay=7),
    14: Rule(counted=12, to_start=12, to_stay=7),
    15: Rule(counted=12, to_start=13, to_stay=7),
    16: Rule(counted=12, to_start=12, to_stay=7),
}
# Version of the Registrar service from which the second table holds.
_2019 = 8
_ALONE = Rule(counted=1, to_start=1, to_stay=1)


class UnknownSize(ValueError):
    """A pool of a size for which nobody has published a quorum."""

    def __init__(self, servers: int, known: Collection[int]) -> None:
        super().__init__(
            f"No quorum is documented for a pool of {servers} Front Ends of this version; there are figures for "
            f"{min(known)} to {max(known)}."
        )


def rule(kind: Kind, servers: int, version: int | None = None) -> Rule:
    """``version``: of the Registrar service; where it is not known the stricter figures hold. Raises UnknownSize."""
    if servers <= 1:
        return _ALONE
    if kind is not Kind.FRONT_ENDS:
        return Rule(counted=servers, to_start=1, to_stay=1)
    table = TABLE_2019 if version is None or version >= _2019 else TABLE
    if servers not in table:
        raise UnknownSize(servers, table)
    return table[servers]


@dataclass(frozen=True)
class Quorum:
    """A pool's quorum at one moment. ``members`` in the order of Get-CsComputer; ``running`` those known to
    run.
    """

    kind: Kind
    members: tuple[str, ...]
    running: frozenset[str]
    rule: Rule

    @property
    def counted(self) -> tuple[str, ...]:
        return self.members[: self.rule.counted]

    @property
    def running_counted(self) -> int:
        return sum(member in self.running for member in self.counted)

    @property
    def functional(self) -> bool:
        return self.running_counted >= self.rule.to_stay

    @property
    def may_go_down(self) -> int:
        """How many more of the counted servers may go down, whichever they are; 0 where the pool is not
        functional.
        """
        return max(0, self.running_counted - self.rule.to_stay)

    def survives_without(self, member: str) -> bool:
        """Whether the pool stays functional if this server goes down now, other things being equal.

        True also for the only server of a pool: nothing is lost but what everybody knows to be lost with it.
        """
        if len(self.members) == 1:
            return member in self.members
        return self.left_without(member) >= self.rule.to_stay

    def left_without(self, member: str) -> int:
        """How many of the counted servers are known to run, this one aside."""
        return sum(other in self.running and other != member for other in self.counted)


def quorum(
    kind: Kind, members: Sequence[str], running: Collection[str], version: int | None = None
) -> Quorum:
    """Raises UnknownSize, and ValueError for a running server that is no member."""
    strangers = set(running) - set(members)
    if strangers:
        raise ValueError(f"not members of the pool: {', '.join(sorted(strangers))}")
    return Quorum(kind, tuple(members), frozenset(running), rule(kind, len(members), version))
