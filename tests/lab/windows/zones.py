# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows time zones: their ids, and what they are at a moment.

Which IANA zone stands for a Windows id: Unicode CLDR, windowsZones.xml, as the package tzlocal publishes it;
the rules are the IANA database's.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from tzlocal.windows_tz import win_tz

#: Windows id -> IANA name, ids in their own spelling.
WINDOWS_ZONES: Mapping[str, str] = dict(sorted(win_tz.items()))
_SPELLINGS = {name.lower(): name for name in WINDOWS_ZONES}
_SUFFIX = "_dstoff"


@dataclass(frozen=True)
class Zone:
    """A time zone setting of a computer. ``daylight_saving`` False: 'Adjust for daylight saving time' is off."""

    name: str
    daylight_saving: bool = True

    @property
    def setting(self) -> str:
        """What ``tzutil /g`` prints."""
        return self.name if self.daylight_saving else self.name + _SUFFIX

    @property
    def daylight_name(self) -> str:
        """Assumed for most zones: Windows' own names are resources of tzres.dll."""
        return self.name.replace("Standard", "Daylight")

    def offset(self, utc: datetime.datetime) -> datetime.timedelta:
        """Local time less UTC at that moment."""
        shown = utc.astimezone(ZoneInfo(WINDOWS_ZONES[self.name]))
        offset = shown.utcoffset() or datetime.timedelta()
        return offset if self.daylight_saving else offset - (shown.dst() or datetime.timedelta())

    def standard_offset(self, utc: datetime.datetime) -> datetime.timedelta:
        return Zone(self.name, daylight_saving=False).offset(utc)

    def local(self, utc: datetime.datetime) -> datetime.datetime:
        """The local time with the offset that holds then."""
        return utc.astimezone(datetime.timezone(self.offset(utc)))


def parse_zone(text: str) -> Zone | None:
    """A setting as ``tzutil /s`` takes it (any case, with or without ``_dstoff``); None if there is no such zone."""
    off = text.lower().endswith(_SUFFIX)
    name = _SPELLINGS.get(text.lower().removesuffix(_SUFFIX))
    return Zone(name, not off) if name is not None else None


def display_name(name: str, utc: datetime.datetime) -> str:
    """``(UTC-06:00) Central Time``; assumed: Windows' own display names are resources of tzres.dll."""
    offset = Zone(name, daylight_saving=False).offset(utc)
    minutes = round(offset.total_seconds() / 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    shown = f"{sign}{minutes // 60:02}:{minutes % 60:02}" if minutes else ""
    return f"(UTC{shown}) {name.replace(' Standard Time', ' Time')}"
