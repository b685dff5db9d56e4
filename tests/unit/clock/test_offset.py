# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The true offset is within the stated uncertainty, whatever the delays are; a clock that is set meanwhile is
noticed.
"""

from __future__ import annotations

import datetime
import math
from fractions import Fraction

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.offset import (
    DRIFT_RATE,
    GRANULARITY,
    ClockJumped,
    Offset,
    Sample,
    estimate,
    measure,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import ErrorReport, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.result.spans import milliseconds, span_text
from hypothesis import given
from hypothesis import strategies as st
from unit.scripted import Scripted, ScriptedClock

START = 1_795_000_000.0
FLOAT_NOISE = 1e-5

YEARS_13 = 13 * 365.25 * 86400
offsets = st.one_of(
    st.floats(-0.003, 0.003), st.floats(-10, 10), st.floats(-86400, 86400), st.floats(-YEARS_13, YEARS_13)
)
delays = st.tuples(st.floats(0, 0.3), st.floats(0, 0.3), st.floats(0, 1.0))


def sampled(
    offset: float, ways: list[tuple[float, float, float]], tick: float, rate: float = 0.0
) -> list[Sample]:
    """Samples of a clock that is ``offset`` ahead, each with its delay there, back, and pause before; read in
    steps of ``tick``.
    """
    now, samples = START, []
    for there, back, pause in ways:
        now += pause
        before = now
        now += there
        ahead = offset + rate * (now - START)
        read = now + ahead
        read = math.floor(read / tick) * tick if tick else read
        # 100 ns cross the wire, and a datetime keeps microseconds.
        moment = datetime.datetime.fromtimestamp(math.floor(read * 1e6) / 1e6, datetime.timezone.utc)
        samples.append(Sample(before, moment.timestamp(), now + back))
        now += back
    return samples


@given(offsets, st.lists(delays, min_size=1, max_size=8), st.sampled_from([0.0, 0.001, 1 / 64]))
def test_the_true_offset_is_within_the_uncertainty(
    offset: float, ways: list[tuple[float, float, float]], tick: float
) -> None:
    found = estimate(sampled(offset, ways, tick))
    stated, uncertainty = milliseconds(found.seconds), milliseconds(found.uncertainty)
    assert abs(Fraction(stated) - Fraction(offset) * 1000) <= Fraction(uncertainty)


@given(offsets, st.lists(delays, min_size=1, max_size=8))
def test_more_samples_never_make_it_worse_than_the_best_of_them(
    offset: float, ways: list[tuple[float, float, float]]
) -> None:
    samples = sampled(offset, ways, 0.0)
    best = min(sample.after - sample.before for sample in samples)
    wander = DRIFT_RATE * (samples[-1].after - samples[0].before)
    assert estimate(samples).uncertainty <= (best + GRANULARITY) / 2 + wander + FLOAT_NOISE


@given(offsets, st.lists(delays, min_size=2, max_size=8), st.floats(-DRIFT_RATE, DRIFT_RATE))
def test_a_clock_that_is_being_slewed_is_not_taken_for_one_that_jumped(
    offset: float, ways: list[tuple[float, float, float]], rate: float
) -> None:
    samples = sampled(offset, ways, 0.0, rate)
    last = offset + rate * (samples[-1].after - START)
    found = estimate(samples)
    assert abs(found.seconds - last) <= found.uncertainty + FLOAT_NOISE


@given(
    offsets,
    st.lists(delays, min_size=1, max_size=4),
    st.lists(delays, min_size=1, max_size=4),
    st.floats(3, YEARS_13),
    st.sampled_from([-1, 1]),
)
def test_a_jump_is_detected(
    offset: float,
    first: list[tuple[float, float, float]],
    then: list[tuple[float, float, float]],
    jump: float,
    sign: int,
) -> None:
    samples = sampled(offset, [*first, *then], 0.0)
    jumped = [
        sample if index < len(first) else Sample(sample.before, sample.server + sign * jump, sample.after)
        for index, sample in enumerate(samples)
    ]
    with pytest.raises(ClockJumped) as caught:
        estimate(jumped)
    assert 0 < caught.value.seconds <= jump + FLOAT_NOISE


@pytest.mark.parametrize("seconds", [-1e-9, -0.0, 0.0])
def test_no_result_holds_a_negative_nothing(seconds: float) -> None:
    assert str(milliseconds(seconds)) == "0.0"


def test_nothing_measured_is_no_offset() -> None:
    with pytest.raises(ValueError, match="no sample"):
        estimate([])


def test_measuring_asks_the_server_and_uses_the_time_that_passes_meanwhile() -> None:
    clock = ScriptedClock(START)

    def answer(delay: float, ahead: float) -> Results:
        clock.passes(delay / 2)
        moment = datetime.datetime.fromtimestamp(clock.time() + ahead, datetime.timezone.utc)
        clock.passes(delay / 2)
        return Results((moment,))

    shell = Scripted(lambda: answer(0.3, 5), lambda: answer(0.02, 5), lambda: answer(0.2, 5))
    found = measure(shell, 3, clock)
    assert shell.sent == ["Get-Date"] * 3
    assert abs(found.seconds - 5) <= found.uncertainty < 0.02


def test_a_step_of_the_controllers_own_clock_is_noticed() -> None:
    clock = ScriptedClock(START)

    def answer() -> Results:
        clock.wall += 2
        return Results((datetime.datetime.fromtimestamp(START, datetime.timezone.utc),))

    with pytest.raises(ClockJumped, match="controller's own"):
        measure(Scripted(answer), 1, clock)


@pytest.mark.parametrize("output", [(), ("21 November 2026",), (datetime.datetime(2026, 11, 21),)])
def test_what_is_no_point_in_time_is_no_measurement(output: tuple[object, ...]) -> None:
    with pytest.raises(Unreadable):
        measure(Scripted(Results(output)), 1, ScriptedClock(START))


def test_an_error_is_an_error() -> None:
    refused = Results(errors=(ErrorReport("Access is denied.", "PermissionDenied"),))
    with pytest.raises(Exception, match="Access is denied"):
        measure(Scripted(refused), 1, ScriptedClock(START))


@pytest.mark.parametrize(
    ("offset", "within", "beyond"),
    [(Offset(0.4, 0.1), True, False), (Offset(-0.95, 0.1), False, False), (Offset(-1.2, 0.1), False, True)],
)
def test_an_offset_near_the_limit_is_neither_within_nor_beyond(
    offset: Offset, within: bool, beyond: bool
) -> None:
    assert offset.certainly_within(1) is within
    assert offset.certainly_beyond(1) is beyond


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (0.003, "+3 ms"),
        (0.0004, "0 ms"),
        (-0.0004, "0 ms"),
        (-0.0005, "0 ms"),
        (-0.0, "0 ms"),
        (-0.0006, "-1 ms"),
        (-0.25, "-250 ms"),
        (0.9996, "+1.0 s"),
        (-42.51, "-42.5 s"),
        (300, "+5 min"),
        (-7 * 3600 - 12, "-7 h 0 min"),
        (410_270_400, "+4748 d 12 h"),
    ],
)
def test_spans_as_people_say_them(seconds: float, text: str) -> None:
    assert span_text(seconds, signed=True) == text


class Interrupted(ScriptedClock):
    """The process is not let run for 0.3 s between its first two looks at two clocks."""

    looks = 0

    def time(self) -> float:
        self.looks += 1
        if self.looks <= 2:
            self.passes(0.3)
        return super().time()


def test_a_controller_that_is_busy_itself_is_no_clock_that_jumped() -> None:
    clock = Interrupted()

    def answer() -> Results:
        return Results((datetime.datetime.fromtimestamp(clock.wall, datetime.timezone.utc),))

    found = measure(Scripted(answer, answer), 2, clock)
    assert abs(found.seconds) <= found.uncertainty + FLOAT_NOISE
