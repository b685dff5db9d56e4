# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Times of the day: the window that correcting is allowed in, and when a schedule is due."""

from __future__ import annotations

import datetime
import re
from collections.abc import Sequence
from dataclasses import dataclass

from ..result.refusals import UnusableArgument

_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])")
DAY_MINUTES = 24 * 60


def minute_of(option: str, text: str) -> int:
    """The minute of the day. Raises UnusableArgument."""
    found = _TIME.fullmatch(text)
    if not found:
        raise UnusableArgument(option, f"{text!r} is no time of a day. Allowed: 00:00 to 23:59")
    return int(found[1]) * 60 + int(found[2])


def longest_gap(minutes: Sequence[int]) -> int:
    """The longest time between two of these minutes of a day, one after the other, every day; in minutes."""
    ordered = sorted(set(minutes))
    following = [*ordered[1:], ordered[0] + DAY_MINUTES]
    return max(later - earlier for earlier, later in zip(ordered, following, strict=True))


@dataclass(frozen=True)
class Window:
    """From one minute of the day up to another, which may be that of the next day; the end is not part of it."""

    start: int
    end: int

    def has(self, minute: int) -> bool:
        return (minute - self.start) % DAY_MINUTES < (self.end - self.start) % DAY_MINUTES

    def __str__(self) -> str:
        return "-".join(f"{each // 60:02}:{each % 60:02}" for each in (self.start, self.end))

    def has_moment(self, moment: datetime.datetime) -> bool:
        """By the controller's own time zone."""
        local = moment.astimezone()
        return self.has(local.hour * 60 + local.minute)


def window(option: str, text: str) -> Window:
    """Raises UnusableArgument."""
    start, dash, end = text.partition("-")
    if not dash:
        raise UnusableArgument(
            option, f"{text!r} is no window. Allowed: two times of a day, such as 01:00-05:00"
        )
    found = Window(minute_of(option, start.strip()), minute_of(option, end.strip()))
    if found.start == found.end:
        raise UnusableArgument(option, f"{text!r} begins and ends at the same time")
    return found
