# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How far a server's clock is from the controller's: NTP's four timestamps (RFC 5905, section 8) over an open
session.

The server is asked for its time. T1 is the controller's clock when the question leaves, T4 when the answer is
there; the server's answer stands for both T2 and T3. However the delay is spread over the two ways, the
server looked at its clock between T1 and T4, so every sample bounds the offset from both sides, and what all
samples allow is the result.
"""

from __future__ import annotations

import datetime
import math
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from ..result.spans import span_text

# Windows hands out the time of its last timer tick, 64 of them a second (the ClockRate of 0.0156250 s that
# w32tm shows): a clock may be this much further on than what it was read as.
GRANULARITY = 1 / 64

# CLIXML's 100 ns are cut to 1 us here, seconds since 1970 are no finer than that as a float, and results are
# rounded to it.
ROUNDING = 3e-6

# What an undisciplined or a slewed clock may gain or lose in a second; NTP's own assumption is 500 ppm (RFC
# 5905, MAXFREQ).
DRIFT_RATE = 500e-6

# A step of the controller's own clock that is smaller than this is not looked for while others are measured.
_CONTROLLER_STEP = 0.05

# Reading two clocks at one moment takes microseconds, unless the process is not let run in between.
_ONE_MOMENT = 1e-3
_READINGS = 10

# How many questions more than usual may be asked where the answers come late, by the usual number.
_MORE = 4

ASK = Command("Get-Date")


_CULPRITS = "Something else sets that clock, such as a virtual machine's host or a second time service."


class ClockJumped(ManagementShellError):
    """The samples contradict each other: a clock was set while it was measured. ``seconds`` is by how much at
    least.
    """

    def __init__(self, whose: str, seconds: float) -> None:
        self.seconds = seconds
        self._jumped = f"{whose} clock jumped by {span_text(seconds)} or more while it was measured"
        super().__init__(
            f"{self._jumped}, so its offset is not known. {_CULPRITS} Find it, and measure again."
        )

    def in_passing(self) -> str:
        """What is to be said where it kept still when it was measured again."""
        return f"{self._jumped}, and was measured again since. {_CULPRITS}"


@dataclass(frozen=True)
class Sample:
    """One question. All in seconds since 1970 UTC: ``before`` (T1) and ``after`` (T4) by the controller's
    clock.
    """

    before: float
    server: float
    after: float


@dataclass(frozen=True)
class Offset:
    """The server's clock minus the controller's, in seconds: the true one is within ``seconds`` ±
    ``uncertainty``.
    """

    seconds: float
    uncertainty: float

    def certainly_within(self, limit: float) -> bool:
        return abs(self.seconds) + self.uncertainty <= limit

    def certainly_beyond(self, limit: float) -> bool:
        return abs(self.seconds) - self.uncertainty > limit

    def __str__(self) -> str:
        return f"{span_text(self.seconds, signed=True)} ± {span_text(self.uncertainty)}"


def estimate(samples: Sequence[Sample], whose: str = "The server's") -> Offset:
    """What all samples together allow. Raises ClockJumped where that is nothing, ValueError without a sample."""
    if not samples:
        raise ValueError("no sample")
    now = samples[-1].after
    lowest, highest = -math.inf, math.inf
    for sample in samples:
        wander = DRIFT_RATE * (now - sample.before)
        lowest = max(lowest, sample.server - sample.after - wander - ROUNDING)
        highest = min(highest, sample.server + GRANULARITY - sample.before + wander + ROUNDING)
    if lowest > highest:
        raise ClockJumped(whose, lowest - highest)
    return Offset((lowest + highest) / 2, (highest - lowest) / 2)


class Watch:
    """Samples of one server's clock, taken on their own or in passing, before and behind other statements."""

    def __init__(self, shell: ManagementShell, clock: Clock = time) -> None:
        self._shell, self._clock = shell, clock
        self._wall, self._start = _both(clock)
        self._taken: list[Sample] = []

    def _now(self) -> float:
        return self._wall + (self._clock.monotonic() - self._start)

    def run(self, *commands: Command) -> Results:
        """What these statements return. A question before them bounds the offset from one side, and one behind them
        from the other, as closely as questions of their own. Raises Unreadable, and what the wire raises.
        """
        asked = (ASK, *commands, ASK) if commands else (ASK,)
        before = self._now()
        results = self._shell.run(*asked)
        after = self._now()
        for report in results.errors:
            if not commands or report.command == ASK.name:
                raise self._shell.classify(report)
        places = [
            number
            for number, value in enumerate(results.output)
            if isinstance(value, datetime.datetime) and value.tzinfo
        ]
        if len(places) < len(asked) - len(commands):
            raise Unreadable(f"{ASK.name} did not return a point in time: {results.output!r}.")
        ends = {places[0], places[-1]}
        for place in sorted(ends):
            self._taken.append(Sample(before, results.output[place].timestamp(), after))
        kept = tuple(value for number, value in enumerate(results.output) if number not in ends)
        return replace(results, output=kept)

    def ask(self, samples: int, enough: float | None = None) -> Offset:
        """What all samples allow, with so many more, and more than that until it is known to ``enough``: a server that
        is busy answers late now, and in time soon. Raises ClockJumped, Unreadable, and what the wire raises.
        """
        for _sample in range(samples):
            self.run()
        left = _MORE * max(samples, 1)
        # No number of questions makes a tick of the server's clock shorter.
        while enough is not None and left and estimate(self._taken).uncertainty > max(enough, GRANULARITY):
            self.run()
            left -= 1
        return self._offset()

    def _offset(self) -> Offset:
        wall, now = _both(self._clock)
        step = wall - (self._wall + (now - self._start))
        if abs(step) > _CONTROLLER_STEP:
            raise ClockJumped("The controller's own", abs(step))
        return estimate(self._taken)


def _both(clock: Clock) -> tuple[float, float]:
    """The controller's time and its monotonic clock at one moment, as nearly as can be had."""
    best = (math.inf, 0.0, 0.0)
    for _reading in range(_READINGS):
        before, wall, after = clock.monotonic(), clock.time(), clock.monotonic()
        best = min(best, (after - before, wall, (before + after) / 2))
        if best[0] < _ONE_MOMENT:
            break
    return best[1:]


def measure(shell: ManagementShell, samples: int, clock: Clock = time, enough: float | None = None) -> Offset:
    """Ask ``samples`` times, or more until the offset is known to ``enough``. Raises what `Watch.ask` raises."""
    return Watch(shell, clock).ask(samples, enough)


def measure_settled(
    shell: ManagementShell, samples: int, clock: Clock = time, enough: float | None = None
) -> tuple[Offset, ClockJumped | None]:
    """Measure, and once more where a clock was set meanwhile; what was noticed then comes with the result.

    Raises ClockJumped for a clock that does not keep still, and what `measure` raises.
    """
    try:
        return measure(shell, samples, clock, enough), None
    except ClockJumped as jump:
        return measure(shell, samples, clock, enough), jump
