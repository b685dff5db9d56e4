# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the clocks of a whole deployment, seen together, say: who is right, who is wrong, by how much, and
how. Pure functions.

All offsets are seconds against the controller's clock, positive where a clock is ahead of it.
"""

from __future__ import annotations

import enum
import itertools
from collections.abc import Iterable, Mapping, Sequence, Sized
from dataclasses import dataclass, field

from ..result.spans import span_text
from .offset import Offset

# The offsets of all zones in the world are multiples of a quarter of an hour, from UTC-12 to UTC+14.
_ZONE_STEP = 15 * 60
_LARGEST_ZONE_DIFFERENCE = 26 * 3600
# How near to such a multiple an error must be to look like a zone's: clocks that are off by hours are off by
# seconds as well.
_ZONE_SIZED = 60.0


@dataclass(frozen=True)
class Reading:
    """One server as it was measured. ``offset`` is None where it could not be, which ``trouble`` explains.

    ``ntp``: by time server, the server's clock minus the time server's as the server itself sees it, None
    where the time server did not answer. ``utc_offset``: minutes that the server's zone adds to UTC now.
    """

    host: str
    pool: str
    is_edge: bool = False
    offset: Offset | None = None
    zone: str | None = None
    utc_offset: int | None = None
    ntp: Mapping[str, float | None] = field(default_factory=dict)
    trouble: str = ""


class Right(enum.Enum):
    """Whose clock is taken to be right."""

    CONTROLLER = "controller"
    SERVERS = "servers"
    UNCLEAR = "unclear"


@dataclass(frozen=True)
class Consensus:
    """The most servers of a group that agree with each other: ``offset`` is the middle of what they have in
    common. ``outliers``: the others.
    """

    hosts: tuple[str, ...]
    offset: float
    outliers: tuple[str, ...] = ()

    def __len__(self) -> int:
        return len(self.hosts)


@dataclass(frozen=True)
class Finding:
    """What is wrong with one server's clock. ``error`` is against the clock that is right.

    ``zone_difference``: the quarter-hours that the error amounts to, in minutes, where it has the size of a
    difference between two zones; ``explained_by``: the zone that the others of its pool have, where the
    difference to it is just that.
    """

    host: str
    error: Offset
    zone_difference: int | None = None
    explained_by: str | None = None


@dataclass(frozen=True)
class Spread:
    """The two servers that must talk to each other and are farthest apart, and by how many seconds."""

    hosts: tuple[str, str]
    seconds: float


@dataclass(frozen=True)
class Verdict:
    """``reference`` is the right time against the controller's, None where it is unclear; ``why`` says how
    that was found out.

    ``witnesses`` counts the clocks besides the controller's that speak for it. ``falsetickers``: time servers
    that contradict it.
    """

    right: Right
    why: str
    reference: float | None
    witnesses: int
    pools: Mapping[str, Consensus]
    findings: tuple[Finding, ...]
    farthest: Spread | None
    falsetickers: tuple[str, ...]
    unmeasured: Mapping[str, str]


def verdict(readings: Sequence[Reading], tolerance: float) -> Verdict:
    """Judge all servers. ``tolerance``: how many seconds a clock may be off and still be called right."""
    measured = {reading.host: reading.offset for reading in readings if reading.offset is not None}
    everyone = consensus(measured, tolerance)
    time_servers = _time_servers(readings)
    right, why, reference = _who_is_right(measured, everyone, time_servers, tolerance)
    findings = _findings(readings, reference, tolerance) if reference is not None else ()
    spoken = [*time_servers.values(), *((each.seconds, each.uncertainty) for each in measured.values())]
    return Verdict(
        right=right,
        why=why,
        reference=reference,
        witnesses=0 if reference is None else sum(_agrees(value, reference, tolerance) for value in spoken),
        pools={pool: found for pool, found in _by_pool(readings, tolerance) if found is not None},
        findings=findings,
        farthest=farthest(readings),
        falsetickers=tuple(
            name
            for name, value in time_servers.items()
            if reference is not None and not _agrees(value, reference, tolerance)
        ),
        unmeasured={reading.host: reading.trouble for reading in readings if reading.offset is None},
    )


def consensus(offsets: Mapping[str, Offset], tolerance: float) -> Consensus | None:
    """The largest group in which all agree within the tolerance (Marzullo's algorithm); None without any
    offset.

    Of groups of the same size, the one nearest to the controller's clock.
    """
    if not offsets:
        return None
    bounds = {
        host: (
            each.seconds - each.uncertainty - tolerance / 2,
            each.seconds + each.uncertainty + tolerance / 2,
        )
        for host, each in offsets.items()
    }
    groups = []
    for low in (start for start, end in bounds.values()):
        members = [host for host, (start, end) in bounds.items() if start <= low <= end]
        high = min(bounds[host][1] for host in members)
        others = tuple(host for host in bounds if host not in members)
        groups.append(Consensus(tuple(members), (low + high) / 2, others))
    return max(groups, key=lambda group: (len(group), -abs(group.offset)))


def _by_pool(readings: Iterable[Reading], tolerance: float) -> Iterable[tuple[str, Consensus | None]]:
    ordered = sorted(readings, key=lambda reading: reading.pool)
    for pool, group in itertools.groupby(ordered, key=lambda reading: reading.pool):
        offsets = {reading.host: reading.offset for reading in group if reading.offset is not None}
        yield pool, consensus(offsets, tolerance)


def _time_servers(readings: Iterable[Reading]) -> dict[str, tuple[float, float]]:
    """Each time server's clock against the controller's with its uncertainty, by way of the servers that
    asked it.

    Several servers may have asked; the one that was measured best speaks.
    """
    found: dict[str, tuple[float, float]] = {}
    for reading in readings:
        if reading.offset is None:
            continue
        for name, difference in reading.ntp.items():
            if difference is None:
                continue
            seen = (reading.offset.seconds - difference, reading.offset.uncertainty)
            if name not in found or seen[1] < found[name][1]:
                found[name] = seen
    return found


def _agrees(value: tuple[float, float], reference: float, tolerance: float) -> bool:
    seconds, uncertainty = value
    return abs(seconds - reference) <= uncertainty + tolerance


def _who_is_right(
    measured: Mapping[str, Offset],
    everyone: Consensus | None,
    time_servers: Mapping[str, tuple[float, float]],
    tolerance: float,
) -> tuple[Right, str, float | None]:
    if everyone is None:
        return Right.UNCLEAR, "No server's clock could be measured.", None
    for_controller = [name for name, value in time_servers.items() if _agrees(value, 0.0, tolerance)]
    for_servers = [
        name
        for name, value in time_servers.items()
        if _agrees(value, everyone.offset, tolerance) and name not in for_controller
    ]
    agreeing = [
        host for host, each in measured.items() if _agrees((each.seconds, each.uncertainty), 0.0, tolerance)
    ]
    if len(for_controller) > len(for_servers):
        return Right.CONTROLLER, f"The controller agrees with {_counted(for_controller, 'time server')}.", 0.0
    apart = f"not with the controller (they are {span_text(everyone.offset, signed=True)} from it)"
    if len(for_servers) > len(for_controller):
        agree = f"What most servers have agrees with {_counted(for_servers, 'time server')}, and {apart}."
        return Right.SERVERS, agree, everyone.offset
    # The controller's clock is one clock more, and the majority of all clocks decides.
    of_all = f"of {_counted(measured, 'server')}"
    if 2 * (len(agreeing) + 1) > len(measured) + 1:
        return Right.CONTROLLER, f"The controller agrees with {len(agreeing)} {of_all}.", 0.0
    if 2 * len(everyone) > len(measured) + 1:
        agree = f"{len(everyone)} {of_all} agree with each other, and {apart}."
        return Right.SERVERS, agree, everyone.offset
    why = "Too few clocks agree with each other or with the controller to tell who is right"
    return Right.UNCLEAR, f"{why}; a time server that can be asked would decide it.", None


def _counted(things: Sized, noun: str) -> str:
    return f"1 {noun}" if len(things) == 1 else f"{len(things)} {noun}s"


def _findings(readings: Sequence[Reading], reference: float, tolerance: float) -> tuple[Finding, ...]:
    findings = []
    for reading in readings:
        if reading.offset is None:
            continue
        error = Offset(reading.offset.seconds - reference, reading.offset.uncertainty)
        if not error.certainly_beyond(tolerance):
            continue
        difference = zone_difference(error.seconds, error.uncertainty)
        explained = None if difference is None else _explanation(reading, readings, difference)
        findings.append(Finding(reading.host, error, difference, explained))
    return tuple(findings)


def zone_difference(error: float, uncertainty: float = 0.0) -> int | None:
    """The difference between two zones, in minutes, that an error in seconds amounts to; None where it is not
    the size of one.
    """
    steps = round(error / _ZONE_STEP)
    near = abs(error - steps * _ZONE_STEP) <= _ZONE_SIZED + uncertainty
    return steps * 15 if steps and near and abs(error) <= _LARGEST_ZONE_DIFFERENCE + _ZONE_SIZED else None


def _explanation(reading: Reading, readings: Iterable[Reading], difference: int) -> str | None:
    """The zone of others that this server's clock was set for, while it has another one.

    A clock that shows the right wall time in the wrong zone is off by what the right zone adds to UTC less
    what the wrong one does.
    """
    if reading.utc_offset is None:
        return None
    others = sorted(readings, key=lambda other: (other.pool != reading.pool, other.host))
    for other in others:
        known = other.zone is not None and other.zone != reading.zone and other.utc_offset is not None
        if known and other.utc_offset - reading.utc_offset == difference:  # type: ignore[operator]
            return other.zone
    return None


def must_talk(one: Reading, other: Reading) -> bool:
    """Front Ends talk to all other Front Ends and to the Edge Servers; Edge Servers among themselves within
    their pool.
    """
    return not (one.is_edge and other.is_edge) or one.pool.casefold() == other.pool.casefold()


def farthest(readings: Iterable[Reading]) -> Spread | None:
    pairs = [
        Spread((one.host, other.host), abs(one.offset.seconds - other.offset.seconds))
        for one, other in itertools.combinations(readings, 2)
        if one.offset is not None and other.offset is not None and must_talk(one, other)
    ]
    return max(pairs, key=lambda pair: pair.seconds, default=None)


def majority_zone(readings: Iterable[Reading], sizes: Mapping[str, int]) -> dict[str, str]:
    """By pool, the zone that more than half of its servers have, of which there are ``sizes`` and not all need have
    been asked.
    """
    zones: dict[str, list[str]] = {}
    for reading in readings:
        if reading.zone is not None:
            zones.setdefault(reading.pool, []).append(reading.zone)
    return {
        pool: zone
        for pool, found in zones.items()
        for zone in sorted(set(found))
        if 2 * found.count(zone) > max(len(found), sizes.get(pool, 0))
    }
