# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of which only some make sense."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import Any

from .refusals import UnusableArgument


def finite(arguments: Mapping[str, Any], *options: str) -> None:
    """Raises UnusableArgument for the first of these options that is infinite, or no number at all."""
    for option in options:
        value = arguments.get(option)
        if value is not None and not math.isfinite(value):
            raise UnusableArgument(option, f"{value:g} is no number that can be measured")


def at_least(arguments: Mapping[str, Any], **lowest: float) -> None:
    """Raises UnusableArgument for the first option that is below its bound, or no number; options that are not given
    are left alone.
    """
    finite(arguments, *lowest)
    for option, bound in lowest.items():
        value = arguments.get(option)
        if value is not None and value < bound:
            raise UnusableArgument(option, f"{value:g} is too small; the least is {bound:g}")


def between(arguments: Mapping[str, Any], **bounds: tuple[int, int]) -> None:
    """Raises UnusableArgument for the first option that is outside its bounds, which are allowed themselves."""
    for option, (lowest, highest) in bounds.items():
        value = arguments.get(option)
        if value is not None and not lowest <= value <= highest:
            raise UnusableArgument(option, f"{value} is not allowed. Allowed is {lowest} to {highest}")
