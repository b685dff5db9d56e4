# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which of several clocks tell the time: the selection of RFC 5905, section 11.2.1, over intervals. Pure functions.

A clock that was measured as 3 s off, to 1 s, says that the time lies within 2 s and 4 s. The most clocks that have a
time in common are the truechimers, if they are more than half; the others are falsetickers.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Candidate:
    """A clock that votes: its time less the controller's is within ``seconds`` ± ``uncertainty``."""

    name: str
    seconds: float
    uncertainty: float
    weight: int = 1

    @property
    def low(self) -> float:
        return self.seconds - self.uncertainty

    @property
    def high(self) -> float:
        return self.seconds + self.uncertainty


@dataclass(frozen=True)
class Agreement:
    """The truechimers, and what they say together: the right time less the controller's lies within ``low`` and
    ``high``.
    """

    truechimers: tuple[Candidate, ...]
    falsetickers: tuple[Candidate, ...]
    low: float
    high: float
    exact: bool

    @property
    def reference(self) -> float:
        return (self.low + self.high) / 2

    @property
    def uncertainty(self) -> float:
        """How far the right time may be from the reference. Clocks that agree within what is allowed, and not better,
        say nothing of it.
        """
        return (self.high - self.low) / 2 if self.exact else 0.0

    def distance(self, seconds: float) -> float:
        """How far a time is from all that the truechimers allow."""
        return max(self.low - seconds, seconds - self.high, 0.0)


def select(candidates: Sequence[Candidate], tolerance: float) -> Agreement | None:
    """The truechimers, None where there is no majority.

    Clocks may differ by the ``tolerance``. A majority is more than half of the weights, and of at least two clocks
    where another contradicts: one clock is never right against another just by its weight.
    """
    total = sum(each.weight for each in candidates)
    spans = [
        _Span(each.low - tolerance / 2, each.seconds, each.high + tolerance / 2, each.weight)
        for each in candidates
    ]
    allowed = 0
    while 2 * allowed < total:
        common = _intersection(spans, total, allowed)
        if common is not None:
            return _agreement(candidates, spans, common)
        allowed += 1
    return None


@dataclass(frozen=True)
class _Span:
    low: float
    middle: float
    high: float
    weight: int


def _intersection(spans: Sequence[_Span], total: int, allowed: int) -> tuple[float, float] | None:
    """From the lowest to the highest point that all but ``allowed`` of the spans have in common, if not more than that
    have their middle outside.
    """
    low = next(_covered(((s.low, s.high, s.weight) for s in spans), total - allowed), None)
    mirrored = next(_covered(((-s.high, -s.low, s.weight) for s in spans), total - allowed), None)
    if low is None or mirrored is None or low > -mirrored:
        return None
    outside = sum(span.weight for span in spans if not low <= span.middle <= -mirrored)
    return (low, -mirrored) if outside <= allowed else None


def _covered(spans: Iterable[tuple[float, float, int]], needed: int) -> Iterator[float]:
    """The lower ends, from the lowest, at which spans of the needed weight overlap."""
    everyone = list(spans)
    for start in sorted(low for low, _high, _weight in everyone):
        if sum(weight for low, high, weight in everyone if low <= start <= high) >= needed:
            yield start


def _agreement(
    candidates: Sequence[Candidate], spans: Sequence[_Span], common: tuple[float, float]
) -> Agreement | None:
    low, high = common
    right = [
        each for each, span in zip(candidates, spans, strict=True) if span.low <= high and low <= span.high
    ]
    wrong = [each for each in candidates if each not in right]
    if 2 * sum(each.weight for each in right) <= sum(each.weight for each in candidates):
        return None
    if wrong and len(right) < 2:
        return None
    ends = _common(right)
    if ends[0] > ends[1]:
        # Who was measured over a slow line may be right, and says nothing against those who certainly are.
        middles = [each for each in right if low <= each.seconds <= high]
        ends = _common(middles or right)
    return Agreement(tuple(right), tuple(wrong), min(ends), max(ends), exact=ends[0] <= ends[1])


def _common(candidates: Sequence[Candidate]) -> tuple[float, float]:
    """What all of them allow; the first is greater than the second where that is nothing."""
    return max(each.low for each in candidates), min(each.high for each in candidates)
