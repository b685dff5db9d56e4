# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of which only some make sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .refusals import UnusableArgument

DAY, WEEK = 86_400, 604_800
_HOUR_MS, _YEAR_MS = 3_600_000, 365 * DAY * 1000
_CENTURY = 100 * 365 * DAY

# What an option of that name allows, in whatever module it is: seconds where nothing else is said. Nobody waits for
# longer than a week, and a number beyond these is a slip of the keyboard or of the unit.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "at_once": (1, 100),
    "batch_size": (1, 500),
    "busy_tries": (1, 1000),
    "busy_wait": (0, WEEK),
    "confirm_corrections": (0, 100_000),
    "confirm_removals": (0, 100_000),
    "confirm_unknown": (0, 100_000),
    "dns_port": (1, 65535),
    "drain_timeout": (1, WEEK),
    "interrupted_wait": (0, WEEK),
    "interval": (1, DAY),
    "max_corrections": (0, 100_000),
    "max_offset_ms": (1, _HOUR_MS),
    "max_removals": (0, 100_000),
    "max_share": (0, 1),
    "max_unknown_share": (0, 1),
    "precise_to_ms": (0.001, _HOUR_MS),
    "reference_offset": (-_CENTURY, _CENTURY),
    "restart_offset_ms": (0, _YEAR_MS),
    "retry_timeout": (0, WEEK),
    "samples": (1, 1000),
    "settle": (0, WEEK),
    "start_timeout": (1, WEEK),
    "store_copies": (1, 1000),
    "timeout": (0, WEEK),
    "waiver_days": (0, 3650),
}

NOT_FINITE = "{} is not a finite number"


def finite(arguments: Mapping[str, Any], *options: str) -> None:
    """Raises UnusableArgument for the first of these options that is infinite, or no number at all."""
    for option in options:
        value = arguments.get(option)
        if value is not None and not math.isfinite(value):
            raise UnusableArgument(option, NOT_FINITE.format(value))


def not_between(value: float, lowest: float, highest: float) -> str | None:
    """What is wrong with a number that is outside its bounds, which are allowed themselves."""
    if lowest <= value <= highest:
        return None
    return f"{_written(value)} is not between {_written(lowest)} and {_written(highest)}"


def _written(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:.15g}"


def between(arguments: Mapping[str, Any], **bounds: tuple[float, float]) -> None:
    """Raises UnusableArgument for the first option that is outside its bounds, which are allowed themselves; options
    that are not given are left alone.
    """
    for option, (lowest, highest) in bounds.items():
        value = arguments.get(option)
        problem = None if value is None else not_between(value, lowest, highest)
        if problem is not None:
            raise UnusableArgument(option, problem)


def check(arguments: Mapping[str, Any]) -> None:
    """Raises UnusableArgument for the first option that is outside `BOUNDS`."""
    between(arguments, **BOUNDS)
