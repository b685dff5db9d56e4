# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""In which order servers are restarted: rounds, of which each has at most one server of a pool. Pure
functions.

What one round has begun must be well again before the next begins. Edge Servers go first: a Front End that
asks an Edge Server with a wrong clock for credentials fails again. Pools are independent of each other, so
each may be in every round.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A server that is to be restarted. ``position``: its place in the pool as Get-CsComputer shows it;
    ``running``: whether its services run now.
    """

    host: str
    pool: str
    is_edge: bool
    position: int
    running: bool


def rounds(candidates: Iterable[Candidate]) -> list[list[str]]:
    """The hosts of each round. Within a pool, a server that is down already comes first, since nothing may be
    stopped before it is back; then those that count least for the quorum, which are the last of the pool.
    """
    everyone = list(candidates)
    edges = _one_of_a_pool_at_a_time([each for each in everyone if each.is_edge])
    return edges + _one_of_a_pool_at_a_time([each for each in everyone if not each.is_edge])


def _one_of_a_pool_at_a_time(candidates: Sequence[Candidate]) -> list[list[str]]:
    queues: dict[str, list[Candidate]] = {}
    for each in sorted(candidates, key=lambda each: (each.running, -each.position, each.host)):
        queues.setdefault(each.pool.casefold(), []).append(each)
    longest = max(map(len, queues.values()), default=0)
    return [
        [queues[pool][index].host for pool in sorted(queues) if index < len(queues[pool])]
        for index in range(longest)
    ]
