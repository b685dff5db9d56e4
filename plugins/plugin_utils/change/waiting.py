# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""What waiting takes, so that tests can wait without time passing."""

from __future__ import annotations

from typing import Protocol


class Clock(Protocol):
    """What measuring and waiting take; the module ``time`` is the real one."""

    def time(self) -> float:
        """Seconds since 1970."""

    def monotonic(self) -> float:
        """Seconds since some moment, which nobody sets back."""

    def sleep(self, seconds: float, /) -> None:
        """Wait so long."""
