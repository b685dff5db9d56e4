# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows time zones: which there are on a server, which one it has, and which one a person may have meant."""

from __future__ import annotations

import difflib
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from ..result.display import shown
from ..result.refusals import Unreadable
from .programs import text_lines
from .windows_zones import WINDOWS_ID

# What tzutil appends where the zone's daylight saving time is switched off.
DST_OFF = "_dstoff"

_BY_IANA_KEY = {ordinal_key(name): windows for name, windows in WINDOWS_ID.items()}


@dataclass(frozen=True)
class Zone:
    """A zone that a server offers: its id, which is never translated, and the name it has in the server's
    language.
    """

    id: str
    name: str


@dataclass(frozen=True)
class ZoneInForce:
    """What a server has set. ``utc_offset`` are minutes to be added to UTC now, daylight saving time
    included.

    ``hardware_clock_in_utc`` is the registry's RealTimeIsUniversal: where it does not fit what a hypervisor
    hands out, the clock is wrong by the zone's offset after every start. ``raw`` is the id as it stands where
    something follows its end.
    """

    id: str
    daylight_saving: bool
    utc_offset: int
    hardware_clock_in_utc: bool
    raw: str | None = None

    @property
    def problem(self) -> str | None:
        """What is odd about the id, for people."""
        return (
            f"TimeZoneKeyName is {shown(self.raw)}. Windows reads it up to the first NUL."
            if self.raw
            else None
        )


def setting(zone_id: str, daylight_saving: bool) -> str:
    """A zone as tzutil /s takes it."""
    return zone_id if daylight_saving else zone_id + DST_OFF


def read_offered(output: Sequence[object]) -> list[Zone]:
    """``tzutil /l`` prints two lines a zone, name and id. Raises Unreadable for anything else."""
    lines = [line.strip() for line in text_lines(output)]
    if not lines or len(lines) % 2:
        raise Unreadable(
            f"tzutil /l printed something else than is documented: {' | '.join(lines[:4]) or 'nothing'}"
        )
    return [Zone(zone_id, name) for name, zone_id in zip(lines[::2], lines[1::2], strict=True)]


def read_in_force(output: Sequence[object], registry: Mapping[str, Any]) -> ZoneInForce:
    """From ``tzutil /g`` and the registry's TimeZoneInformation. Raises Unreadable."""
    printed = "\n".join(str(part) for part in output)
    lines = text_lines([_without_junk(printed)])
    if len(lines) != 1:
        raise Unreadable(f"tzutil /g printed {' | '.join(lines) or 'nothing'}.")
    zone_id = lines[0].strip()
    stored = registry.get("TimeZoneKeyName")
    raw = next((text for text in (stored, printed) if isinstance(text, str) and _NUL in text), None)
    return _in_force(zone_id.removesuffix(DST_OFF), not zone_id.endswith(DST_OFF), registry, raw)


def read_registry(registry: Mapping[str, Any]) -> ZoneInForce:
    """The same on Windows Server 2008, which has no tzutil. What its registry holds is what the Win32 structure
    DYNAMIC_TIME_ZONE_INFORMATION says. Raises Unreadable.
    """
    stored = registry.get("TimeZoneKeyName")
    if not isinstance(stored, str) or not _without_junk(stored):
        raise Unreadable(f"TimeZoneKeyName is {stored!r}.")
    daylight_saving = registry.get("DynamicDaylightTimeDisabled") != 1
    return _in_force(_without_junk(stored), daylight_saving, registry, stored if _NUL in stored else None)


_NUL = "\0"


def _without_junk(text: str) -> str:
    """Windows takes the id for a C string, and Server 2008 leaves whatever was in its buffer behind the end."""
    return text.partition(_NUL)[0]


def read_utc_offset(registry: Mapping[str, Any]) -> int:
    """The minutes that the zone adds to UTC now. Raises Unreadable."""
    bias = registry.get("ActiveTimeBias")
    if not isinstance(bias, int):
        raise Unreadable(f"ActiveTimeBias is {bias!r}.")
    return -signed(bias)


def _in_force(
    zone_id: str, daylight_saving: bool, registry: Mapping[str, Any], raw: str | None
) -> ZoneInForce:
    in_utc = registry.get("RealTimeIsUniversal") == 1
    return ZoneInForce(zone_id, daylight_saving, read_utc_offset(registry), in_utc, raw)


def signed(dword: int) -> int:
    """A DWORD of the registry as the signed number that it stands for."""
    return dword - 2**32 if dword >= 2**31 else dword


def find(wanted: str, offered: Sequence[Zone]) -> Zone | None:
    """The zone with this id; ids are compared without regard to case."""
    return next((zone for zone in offered if same_name(zone.id, wanted.strip())), None)


def meant(wanted: str, offered: Sequence[Zone]) -> list[Zone]:
    """Zones that somebody may have meant with a text that is no id, best first; empty where nothing comes
    near.
    """
    text = ordinal_key(wanted.strip())
    by_iana = find(_BY_IANA_KEY.get(text.replace(" ", "_"), ""), offered)
    if by_iana:
        return [by_iana]
    by_name = [
        zone for zone in offered if text in (ordinal_key(zone.name), ordinal_key(_without_offset(zone.name)))
    ]
    if by_name:
        return by_name
    near = {
        **{ordinal_key(_without_offset(zone.name)): zone for zone in offered},
        **{ordinal_key(zone.id): zone for zone in offered},
    }
    candidates = [near[key] for key in difflib.get_close_matches(text, list(near), n=6, cutoff=0.7)]
    words = re.findall(r"\w+", text)
    candidates += [
        zone
        for zone in offered
        if words and all(word in ordinal_key(f"{zone.id} {zone.name}") for word in words)
    ]
    return list(dict.fromkeys(candidates))[:3]


def is_iana(wanted: str) -> bool:
    return ordinal_key(wanted.strip().replace(" ", "_")) in _BY_IANA_KEY


def _without_offset(name: str) -> str:
    return re.sub(r"^\((?:UTC|GMT)[^)]*\)\s*", "", name)
