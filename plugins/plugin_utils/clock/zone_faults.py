# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which servers have a wrong time zone, and which right one is known; what a zone explains. Pure functions.

A zone and a clock are two things: a zone that is changed leaves UTC as it is. But who sets a clock by hand sets what it
shows, and so a wrong zone and a clock that is off by just its difference go together.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from ..powershell.ordinal import ordinal_key, same_name
from ..windows import zones
from .measurement import Measurement
from .places import Place

# The offsets of all zones in the world are multiples of a quarter of an hour, from UTC-12 to UTC+14.
_ZONE_STEP = 15 * 60
_LARGEST_DIFFERENCE = 26 * 3600
# How near to such a multiple an error must be to look like a zone's: clocks that are off by hours are off by
# seconds as well.
_ZONE_SIZED = 60.0

#: So many servers must be readable before what the inventory wants can be doubted.
_ENOUGH = 3


@dataclass(frozen=True)
class ZoneFault:
    """``right``: what the zone should be as tzutil takes it, None where that is not known; ``others``: what most of the
    others have.
    """

    right: str | None
    others: str | None
    requested: bool


def zone_faults(
    measurements: Sequence[Measurement],
    places: Mapping[str, Place],
    requested: Mapping[str, str | None],
    explained: Container[str],
    *,
    follow: bool,
) -> dict[str, ZoneFault]:
    """By host. What the inventory requests goes before what others of the pool, or else of the site, have; those whose
    clock a zone puts wrong (``explained``) count nothing there.
    """
    readable = [each for each in measurements if each.zone is not None]
    sound = [each for each in readable if each.host not in explained]
    pools = _majorities(sound, lambda each: _pool(places[each.host]), _sizes(places.values()))
    sites = _majorities(sound, lambda each: _site(places[each.host]), {})
    faults = {}
    for each in readable:
        wanted = requested.get(each.host)
        if wanted:
            if not _fulfils(each, wanted):
                faults[each.host] = ZoneFault(_setting(each, wanted), None, requested=True)
            continue
        place = places[each.host]
        others = pools.get(_pool(place) or "") or sites.get(_site(place) or "")
        if others is not None and not same_name(others, setting(each)):
            faults[each.host] = ZoneFault(others if follow else None, others, requested=False)
    return faults


def setting(measurement: Measurement) -> str:
    """The zone as tzutil tells it, with the suffix where daylight saving time is switched off."""
    return zones.setting(measurement.zone or "", measurement.daylight_saving is not False)


def doubts(
    measurements: Sequence[Measurement], places: Mapping[str, Place], requested: Mapping[str, str | None]
) -> list[str]:
    """Where the inventory contradicts more than half of at least three servers, it is the one to be suspected."""
    asked = [each for each in measurements if each.zone is not None and requested.get(each.host)]
    groups: dict[str, list[Measurement]] = {}
    for each in asked:
        place = places[each.host]
        deployment = place.deployment.name if place.deployment else ""
        for group in (
            f"all:{deployment}",
            f"pool:{_pool(place)}",
            f"zone:{deployment}:{ordinal_key(str(requested[each.host]))}",
        ):
            groups.setdefault(group, []).append(each)
    found = []
    for members in groups.values():
        against = [each for each in members if not _fulfils(each, str(requested[each.host]))]
        if len(members) >= _ENOUGH and 2 * len(against) > len(members):
            first = against[0]
            found.append(
                f"clock_drift_time_zone: '{requested[first.host]}' contradicts {len(against)} of {len(members)} "
                f"servers ({first.host} has {setting(first)}), so that the inventory is more likely to be wrong "
                "than they are. If they are, say so with clock_drift_time_zone_confirmed: true"
            )
    return found[:1]


def different_rules(measurements: Iterable[Measurement]) -> Iterator[str]:
    """Zones of one name that add different times to UTC, since some servers lack Windows' updates of time zones."""
    by_zone: dict[str, dict[int, Measurement]] = {}
    for each in measurements:
        if each.zone is not None and each.utc_offset is not None and each.daylight_saving is not None:
            by_zone.setdefault(ordinal_key(setting(each)), {}).setdefault(each.utc_offset, each)
    for seen in by_zone.values():
        if len(seen) > 1:
            differing = ", ".join(
                f"{minutes:+d} min on {each.host}" for minutes, each in sorted(seen.items())
            )
            zone = setting(seen[min(seen)])
            yield (
                f"{zone} adds different times to UTC on different servers ({differing}): some of them lack Windows' "
                "updates of time zones."
            )


def _fulfils(measurement: Measurement, wanted: str) -> bool:
    """A name without the suffix asks for the zone only; daylight saving time is left as it is."""
    plain, off = without_suffix(wanted)
    same = same_name(plain, measurement.zone or "")
    return same and (not off or measurement.daylight_saving is False)


def without_suffix(wanted: str) -> tuple[str, bool]:
    off = wanted.casefold().endswith(zones.DST_OFF)
    return (wanted[: -len(zones.DST_OFF)] if off else wanted), off


def _setting(measurement: Measurement, wanted: str) -> str:
    plain, off = without_suffix(wanted)
    return zones.setting(plain, not off and measurement.daylight_saving is not False)


def _majorities(
    measurements: Iterable[Measurement],
    group_of: Callable[[Measurement], str | None],
    sizes: Mapping[str, int],
) -> dict[str, str]:
    """By group, what more than half of it have, of which not all need have been asked, and at least three must be."""
    found: dict[str, list[str]] = {}
    for each in measurements:
        group = group_of(each)
        if group is not None:
            found.setdefault(group, []).append(setting(each))
    majorities = {}
    for group, settings in found.items():
        size = max(len(settings), sizes.get(group, 0))
        most, number = Counter(map(ordinal_key, settings)).most_common(1)[0]
        if size >= _ENOUGH and 2 * number > size:
            majorities[group] = next(each for each in settings if ordinal_key(each) == most)
    return majorities


def _pool(place: Place) -> str | None:
    return None if place.pool is None else f"pool {ordinal_key(place.pool.pool)}"


def _site(place: Place) -> str | None:
    if place.pool is None or place.pool.site is None or place.deployment is None:
        return None
    return f"site {place.deployment.name} {ordinal_key(place.pool.site)}"


def _sizes(places: Iterable[Place]) -> dict[str, int]:
    return {str(_pool(place)): len(place.pool.members) for place in places if place.pool is not None}


# -- what a zone explains ----------------------------------------------------------------------------------------------


def zone_difference(error: float, uncertainty: float = 0.0) -> int | None:
    """The difference between two zones, in minutes, that an error in seconds amounts to; None where it is not
    the size of one.
    """
    steps = round(error / _ZONE_STEP)
    near = abs(error - steps * _ZONE_STEP) <= _ZONE_SIZED + uncertainty
    return steps * 15 if steps and near and abs(error) <= _LARGEST_DIFFERENCE + _ZONE_SIZED else None


def explanation(
    measurement: Measurement, others: Iterable[Measurement], difference: int | None
) -> str | None:
    """The zone of others that this server's clock was set for, while its own adds something else to UTC: it is another
    zone, or lacks daylight saving time, or Windows' updates.

    A clock that shows the right wall time in the wrong zone is off by what the right zone adds to UTC less
    what the wrong one does.
    """
    if difference is None or measurement.utc_offset is None or measurement.zone is None:
        return None
    for other in others:
        if other.zone is None or other.utc_offset is None:
            continue
        if other.utc_offset - measurement.utc_offset == difference:
            return setting(other)
    return None
