# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Numbers of which only some make sense."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from .result.refusals import UnusableArgument


def at_least(arguments: Mapping[str, Any], **lowest: float) -> None:
    """Raises UnusableArgument for the first option that is below its bound; options that are not given are left
    alone.
    """
    for option, bound in lowest.items():
        value = arguments[option]
        if value is not None and value < bound:
            raise UnusableArgument(option, f"{value:g} is too small; the least is {bound:g}.")
