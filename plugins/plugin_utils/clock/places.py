# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which deployment and which pool a host of the inventory belongs to, and what is wrong with the inventory. Pure
functions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from ..topology.pool_state import PoolState
from .measurement import Measurement, key


@dataclass(frozen=True)
class Topology:
    """What one host answered that was asked for the pools; ``trouble`` says why it did not."""

    asked: str
    pools: tuple[PoolState, ...] = ()
    trouble: str = ""


@dataclass(frozen=True)
class Deployment:
    """Topologies that have a pool in common are one deployment, whose name is that of the pool with the store."""

    name: str
    pools: tuple[PoolState, ...]


@dataclass(frozen=True)
class Place:
    """Where a host stands; ``pool`` is None where the topology does not know it."""

    host: str
    computer: str
    deployment: Deployment | None = None
    pool: PoolState | None = None

    @property
    def is_edge(self) -> bool:
        return self.pool is not None and self.pool.is_edge


@dataclass(frozen=True)
class Places:
    """``obstacles`` are sentences that must be cleared up before anything is changed; ``remarks`` only need saying.

    ``beside``: hosts that are no servers of their own, and why.
    """

    deployments: tuple[Deployment, ...]
    by_host: Mapping[str, Place]
    beside: Mapping[str, str]
    obstacles: tuple[str, ...] = ()
    remarks: tuple[str, ...] = field(default=())


def places(measurements: Sequence[Measurement], topologies: Sequence[Topology]) -> Places:
    deployments = _deployments(topologies)
    members = _members(deployments)
    pools = {key(pool.pool) for deployment in deployments for pool in deployment.pools}
    obstacles = [
        f"{each.asked} does not tell which servers make a pool, and without that none is repaired: {each.trouble}"
        for each in topologies
        if each.trouble
    ]
    found: dict[str, Place] = {}
    beside: dict[str, str] = {}
    holders: dict[str, str] = {}
    for measurement in measurements:
        host = measurement.host
        place = _place(measurement, deployments, members)
        by_name = members.get(key(host))
        if place.pool is None and key(host) in pools:
            beside[host] = f"{host} is a pool's name, and no server."
        elif measurement.computer is not None and key(place.computer) in holders:
            beside[host] = f"{host} is the same server as {holders[key(place.computer)]}."
        else:
            found[host] = place
            holders.setdefault(key(place.computer), host)
            if (
                measurement.computer is not None
                and by_name is not None
                and key(host) != key(measurement.computer)
            ):
                obstacles.append(
                    f"{host} answers as {measurement.computer}: what ansible_host says leads to another server"
                )
            elif place.pool is None and measurement.measured and deployments and not obstacles:
                obstacles.append(
                    f"{host} calls itself {place.computer}, and is in no pool that "
                    f"{_listed([each.asked for each in topologies])} knows: its deployment cannot be told. "
                    "Leave it out, or name the host that knows its pools in clock_drift_management_host"
                )
    return Places(deployments, found, beside, tuple(obstacles), tuple(_missing(found.values(), deployments)))


def _deployments(topologies: Iterable[Topology]) -> tuple[Deployment, ...]:
    found: list[dict[str, PoolState]] = []
    for topology in topologies:
        pools = {key(pool.pool): pool for pool in topology.pools}
        same = [each for each in found if each.keys() & pools.keys()]
        for each in same:
            found.remove(each)
            pools = {**each, **pools}
        found += [pools] if pools else []
    return tuple(_deployment(tuple(pools.values())) for pools in found)


def _deployment(pools: tuple[PoolState, ...]) -> Deployment:
    store = next((pool for pool in pools if pool.holds_store), pools[0])
    return Deployment(store.pool, pools)


def _members(deployments: Iterable[Deployment]) -> dict[str, tuple[Deployment, PoolState, str]]:
    return {
        key(member.computer): (deployment, pool, member.computer)
        for deployment in deployments
        for pool in deployment.pools
        for member in pool.members
    }


def _place(
    measurement: Measurement,
    deployments: Sequence[Deployment],
    members: Mapping[str, tuple[Deployment, PoolState, str]],
) -> Place:
    name = measurement.computer or measurement.host
    found = members.get(key(name))
    if found is None:
        only = deployments[0] if len(deployments) == 1 and not measurement.measured else None
        return Place(measurement.host, name, only)
    deployment, pool, computer = found
    return Place(measurement.host, computer, deployment, pool)


def _missing(known: Iterable[Place], deployments: Iterable[Deployment]) -> Iterable[str]:
    """Servers that talk to those of the run, and are not in it."""
    places_known = list(known)
    computers = {key(place.computer) for place in places_known}
    for deployment in deployments:
        pools = {place.pool.pool for place in places_known if place.pool and place.deployment is deployment}
        missing = [
            member.computer
            for pool in deployment.pools
            for member in pool.members
            if (pool.is_edge or pool.pool in pools) and key(member.computer) not in computers
        ]
        if pools and missing:
            more = f" and {len(missing) - 5} more" if len(missing) > 5 else ""
            yield (
                f"Not looked at, though the topology has {'them' if len(missing) > 1 else 'it'}: "
                f"{', '.join(missing[:5])}{more}."
            )


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
