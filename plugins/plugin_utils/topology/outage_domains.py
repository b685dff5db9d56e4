# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers must not be down at the same time, and in which order servers are restarted. Pure functions.

An outage domain is what users have in one place: if two of its servers are down at once, somebody has lost both what he
uses and what stands in for it. One outage domain is worked on at a time unless the user gives a number, and one
server of it.

Pools make one outage domain where

* they are paired: each takes the other's users over;
* they are Edge pools: remote users, federation and public providers come in by one of them, as the DNS records of the
  whole deployment say, and the others are what is left;
* they are Directors, or stand-alone Mediation pools, of the same site: they stand in for each other.

Edge pools go first: a Front End that asks an Edge Server with a wrong clock for credentials fails again. What holds the
Central Management Store goes last, as in Microsoft's order of upgrading: until then every server can be told what has
changed.
"""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import zip_longest

from ..powershell.errors import ManagementShellError
from ..powershell.ordinal import ordinal_key
from .pool_state import PoolState


class UnknownTopology(ManagementShellError):
    """What the topology does not tell, and without which nothing can be said to be safe."""

    def __init__(self, problem: str) -> None:
        super().__init__(f"{problem}. Without that no order of restarts is known to be safe.")


class Role(enum.Enum):
    """What a pool is for, in the order of restarts."""

    EDGE = 0
    DIRECTOR = 1
    MEDIATION = 2
    PERSISTENT_CHAT = 3
    BRANCH = 4
    """A Registrar without user data, as survivable branches have; a Director, where the topology calls it so."""
    VIDEO_INTEROP = 5
    FRONT_END = 6


# What the services of the topology make of a pool; the first that applies.
_ROLES = (
    ("edgeserver", Role.EDGE),
    ("userserver", Role.FRONT_END),
    ("director", Role.DIRECTOR),
    ("persistentchatserver", Role.PERSISTENT_CHAT),
    ("registrar", Role.BRANCH),
    ("mediationserver", Role.MEDIATION),
    ("videointeropserver", Role.VIDEO_INTEROP),
)


def role(pool: PoolState) -> Role | None:
    """None for what has no Lync services of its own, such as SQL Servers, file stores and gateways."""
    roles = {each.casefold() for each in pool.roles}
    return next((found for name, found in _ROLES if name in roles), None)


@dataclass(frozen=True)
class OutageDomain:
    """``pools`` in the order of restarts."""

    pools: tuple[PoolState, ...]

    @property
    def computers(self) -> tuple[str, ...]:
        return tuple(each.computer for pool in self.pools for each in pool.members)

    @property
    def holds_store(self) -> bool:
        return any(pool.holds_store for pool in self.pools)

    def pool_of(self, computer: str) -> PoolState:
        return next(pool for pool in self.pools if pool.member(computer))


@dataclass(frozen=True)
class Candidate:
    """A server that is to be restarted. ``host``: what the inventory calls it; ``computer``: its FQDN, as it says
    itself; ``running``: whether its services run now.
    """

    host: str
    computer: str
    running: bool


@dataclass(frozen=True)
class Plan:
    """``rounds``: hosts that may be restarted at the same time. Each round begins when the one before ended well."""

    rounds: tuple[tuple[str, ...], ...]

    @property
    def hosts(self) -> tuple[str, ...]:
        return tuple(host for one in self.rounds for host in one)

    @property
    def lanes(self) -> tuple[tuple[str, ...], ...]:
        """The rounds by columns: what each of several workers does, one after the other."""
        columns = zip_longest(*self.rounds)
        return tuple(tuple(host for host in column if host is not None) for column in columns)

    def before(self, host: str) -> tuple[str, ...]:
        """The hosts of all rounds before this host's. Raises KeyError for a host that is not in the plan."""
        earlier: list[str] = []
        for one in self.rounds:
            if host in one:
                return tuple(earlier)
            earlier += one
        raise KeyError(host)


def outage_domains(pools: Iterable[PoolState]) -> list[OutageDomain]:
    """All of a deployment. Raises UnknownTopology."""
    ours = [pool for pool in pools if role(pool) is not None]
    together: dict[str, set[str]] = {_name(pool): {_name(pool)} for pool in ours}
    for names in _joined(ours):
        merged = set().union(*(together[name] for name in names))
        together.update(dict.fromkeys(merged, merged))
    by_name = {_name(pool): pool for pool in ours}
    distinct = {frozenset(names) for names in together.values()}
    domains = [OutageDomain(tuple(sorted(map(by_name.__getitem__, names), key=_place))) for names in distinct]
    return sorted(domains, key=lambda domain: (domain.holds_store, _place(domain.pools[0])))


def outage_domain(pools: Sequence[PoolState], computer: str) -> OutageDomain:
    """The one that a computer is in. Raises UnknownTopology."""
    return _find(outage_domains(pools), pools, computer)


def _find(domains: Iterable[OutageDomain], pools: Iterable[PoolState], computer: str) -> OutageDomain:
    known = [pool for pool in pools if pool.member(computer)]
    if not known:
        raise UnknownTopology(f"{computer} is in no pool of the topology")
    if len(known) > 1:
        where = ", ".join(pool.pool for pool in known)
        raise UnknownTopology(f"{computer} is in more than one pool of the topology ({where})")
    if role(known[0]) is None:
        raise UnknownTopology(f"The topology does not say what the pool {known[0].pool} of {computer} is for")
    return next(domain for domain in domains if known[0] in domain.pools)


def restart_plan(pools: Sequence[PoolState], candidates: Iterable[Candidate], at_once: int = 1) -> Plan:
    """In which order servers of a deployment are restarted, and which at the same time: at most ``at_once``, each of
    another outage domain. Raises UnknownTopology.

    Within a domain a server that is down already comes first, since nothing may be stopped before it is back; then
    those that count least for the quorum, which are the last of the pool.
    """
    if at_once < 1:
        raise ValueError(f"at_once is {at_once}, and must be at least 1")
    domains = outage_domains(pools)
    queues: list[list[Candidate]] = [[] for _domain in domains]
    for each in candidates:
        queues[domains.index(_find(domains, pools, each.computer))].append(each)
    if sum(map(bool, queues)) > 1:
        _require_store(pools)
    phases: tuple[list[list[Candidate]], ...] = ([], [], [])
    for domain, queue in zip(domains, queues, strict=True):
        queue.sort(key=functools.partial(_turn, domain))
        phases[_phase(domain)].append(queue)
    rounds = [one for phase in phases for one in _rounds(phase, at_once)]
    return Plan(tuple(tuple(each.host for each in one) for one in rounds))


def _phase(domain: OutageDomain) -> int:
    return 2 if domain.holds_store else role(domain.pools[0]) is not Role.EDGE


def _rounds(queues: Sequence[list[Candidate]], at_once: int) -> Iterable[list[Candidate]]:
    """One queue after the other; of several at once the first of the longest, so that few rounds are left with less."""
    waiting = [list(queue) for queue in queues]
    while any(waiting):
        left = [queue for queue in waiting if queue]
        chosen = left if at_once == 1 else sorted(left, key=len, reverse=True)
        yield [queue.pop(0) for queue in chosen[:at_once]]


def _turn(domain: OutageDomain, candidate: Candidate) -> tuple[bool, int, int]:
    pool = domain.pool_of(candidate.computer)
    names = [ordinal_key(each.computer) for each in pool.members]
    return candidate.running, domain.pools.index(pool), -names.index(ordinal_key(candidate.computer))


def _joined(pools: Sequence[PoolState]) -> Iterable[list[str]]:
    """Names of pools that belong together."""
    with_users = [pool for pool in pools if role(pool) is Role.FRONT_END]
    names = {_name(pool) for pool in with_users}
    for pool in with_users:
        if not pool.backup_known and len(with_users) > 1:
            raise UnknownTopology(f"The topology does not say which pool {pool.pool} is paired with")
        if pool.backup and ordinal_key(pool.backup) in names:
            yield [_name(pool), ordinal_key(pool.backup)]
    yield [_name(pool) for pool in pools if role(pool) is Role.EDGE]
    for kind in (Role.DIRECTOR, Role.MEDIATION):
        of_kind = [pool for pool in pools if role(pool) is kind]
        for site in {pool.site for pool in of_kind}:
            # Those whose site is not known belong to every other.
            yield [_name(pool) for pool in of_kind if pool.site in (site, None)]


def _require_store(pools: Iterable[PoolState]) -> None:
    holders = [pool.pool for pool in pools if pool.holds_store]
    if len(holders) != 1:
        names = " and ".join(holders) or "none"
        raise UnknownTopology(
            f"One pool has the Central Management Store and is restarted last; the topology names {names}"
        )


def _place(pool: PoolState) -> tuple[bool, int, str]:
    found = role(pool)
    return pool.holds_store, found.value if found else len(Role), _name(pool)


def _name(pool: PoolState) -> str:
    return ordinal_key(pool.pool)
