# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows of the day, and the time between two runs."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.times import (
    DAY_MINUTES,
    Window,
    longest_gap,
    minute_of,
    window,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from hypothesis import given
from hypothesis import strategies as some

minutes = some.integers(0, DAY_MINUTES - 1)


@given(minutes, minutes.filter(bool))
def test_a_window_is_as_long_as_it_says(start: int, length: int) -> None:
    found = Window(start, (start + length) % DAY_MINUTES)
    assert sum(map(found.has, range(DAY_MINUTES))) == length
    assert found.has(start)
    assert not found.has(found.end)
    assert window("window", str(found)) == found


@given(some.sets(minutes, min_size=1))
def test_the_longest_gap_is_one_of_those_that_make_up_a_day(times: set[int]) -> None:
    gap = longest_gap(sorted(times))
    assert DAY_MINUTES / len(times) <= gap <= DAY_MINUTES
    assert any((each + gap) % DAY_MINUTES in times for each in times)


def test_a_window_is_by_the_local_time_zone() -> None:
    moment = datetime.datetime.now().astimezone().replace(hour=23, minute=30)
    assert window("window", "23:00-01:00").has_moment(moment.astimezone(datetime.timezone.utc))
    assert not window("window", "01:00-23:00").has_moment(moment.astimezone(datetime.timezone.utc))


@pytest.mark.parametrize("text", ["24:00", "1:00", "01:60", "", "01:00:00", "0\u0661:00"])
def test_what_is_no_time_of_a_day_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        minute_of("times", text)


@pytest.mark.parametrize("text", ["", "01:00", "01:00-01:00", "01:00-25:00", "01:00\u201305:00"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(BadArgument):
        window("window", text)
