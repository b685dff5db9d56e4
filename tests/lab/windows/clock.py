# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The clock of a simulated computer: true time, and by how much it is wrong."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Correction:
    """So many seconds more, all at once or evenly over a while."""

    seconds: float
    begins: float  # on the monotonic clock
    takes: float = 0.0

    def done(self, now: float) -> float:
        if now < self.begins:
            return 0.0
        if now >= self.begins + self.takes:
            return self.seconds
        return self.seconds * (now - self.begins) / self.takes


@dataclass
class Clock:
    """What the computer takes for UTC. Thread safe.

    ``offset`` is its time less true time in seconds, ``drift_ppm`` how that grows, ``tick`` the granularity of
    what is read (Windows: 0.015625), ``jumps`` seconds by which the clock changes right before the n-th reading.
    """

    utc_now: Callable[[], datetime.datetime]
    monotonic: Callable[[], float]
    offset: float = 0.0
    drift_ppm: float = 0.0
    tick: float = 0.0
    jumps: dict[int, float] = field(default_factory=dict)
    readings: int = 0

    def __post_init__(self) -> None:
        self._lock = threading.Lock()
        self._since = self.monotonic()
        self._corrections: list[Correction] = []

    def error(self) -> float:
        """The clock's time less true time, in seconds."""
        with self._lock:
            return self._error(self.monotonic())

    def final_error(self) -> float:
        """The same once all corrections under way are done."""
        with self._lock:
            return self._error(float("inf"), self.monotonic())

    def now(self) -> datetime.datetime:
        """The clock's UTC."""
        return self._shown(self.error())

    def read(self) -> datetime.datetime:
        """The clock's UTC as a program reads it; counts as a reading."""
        with self._lock:
            self.readings += 1
            self.offset += self.jumps.pop(self.readings, 0.0)
            error = self._error(self.monotonic())
        return self._shown(error)

    def adjust(self, seconds: float, delay: float = 0.0, takes: float = 0.0) -> None:
        """Move the clock forward, after a while and over a while."""
        with self._lock:
            self._corrections.append(Correction(seconds, self.monotonic() + delay, takes))

    def set_error(self, seconds: float) -> None:
        """Make the clock wrong by so much from now on."""
        with self._lock:
            self._corrections = []
            self._since = self.monotonic()
            self.offset = seconds

    def jump_at(self, jumps: Iterable[tuple[int, float]]) -> None:
        """Jumps before the n-th reading from now."""
        with self._lock:
            self.jumps.update({self.readings + number: seconds for number, seconds in jumps})

    def _error(self, moment: float, drifted_until: float | None = None) -> float:
        drifted = (moment if drifted_until is None else drifted_until) - self._since
        corrected = sum(correction.done(moment) for correction in self._corrections)
        return self.offset + self.drift_ppm * 1e-6 * drifted + corrected

    def _shown(self, error: float) -> datetime.datetime:
        shown = self.utc_now() + datetime.timedelta(seconds=error)
        if self.tick:
            into = (shown.timestamp() / self.tick) % 1
            shown -= datetime.timedelta(seconds=into * self.tick)
        return shown
