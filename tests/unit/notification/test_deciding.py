# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""When people are written to after a run, and when they are left alone."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.notification.deciding import (
    Outcome,
    Reason,
    Seen,
    Written,
    after_writing,
    reasons,
    seen_in,
)
from hypothesis import given
from hypothesis import strategies as some

NIGHT = datetime.datetime(2026, 11, 28, 2, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
WEEK = 7 * DAY

ids = some.frozensets(some.sampled_from("abcd"))
outcomes = some.sampled_from(Outcome)


@some.composite
def seen(draw: some.DrawFn, night: int = 0) -> Seen:
    outcome = draw(outcomes)
    found = {Outcome.CLEAN: frozenset[str](), Outcome.REFUSED: frozenset(), Outcome.FAILED: frozenset()}
    findings = found[outcome] if outcome in found else draw(ids.filter(bool))
    missed = draw(some.sampled_from(["", "2026-11-20T02:00:00Z", "2026-11-24T02:00:00Z"]))
    return Seen(outcome, NIGHT + night * DAY, findings, frozenset(), missed)


@some.composite
def nights(draw: some.DrawFn) -> list[Seen]:
    return [draw(seen(night)) for night in range(draw(some.integers(1, 12)))]


def written_after(past: list[Seen]) -> Written:
    written = Written()
    for each in past:
        if reasons(written, each, WEEK):
            written = after_writing(written, each)
    return written


@given(nights())
def test_no_two_equal_nights_write_twice(past: list[Seen]) -> None:
    written = written_after(past)
    again = Seen(past[-1].outcome, past[-1].time, past[-1].findings, missed=past[-1].missed)
    assert reasons(written, again, WEEK) == ()


@given(nights(), seen(12))
def test_another_outcome_or_other_findings_always_write(past: list[Seen], new: Seen) -> None:
    written = written_after(past)
    found = reasons(written, new, WEEK)
    if new.outcome is not written.outcome:
        assert found
    if new.outcome.has_findings and new.findings != written.findings:
        assert Reason.CHANGED in found


@given(nights(), seen(12))
def test_what_is_remembered_does_not_depend_on_quiet_nights(past: list[Seen], new: Seen) -> None:
    written = written_after(past)
    quiet = Seen(written.outcome, past[-1].time, written.findings, missed=written.missed)
    assert reasons(written_after([*past, quiet]), new, WEEK) == reasons(written, new, WEEK)


@given(nights())
def test_a_reminder_never_stands_beside_another_reason(past: list[Seen]) -> None:
    written = Written()
    for each in past:
        found = reasons(written, each, DAY)
        assert Reason.REMINDER not in found or found == (Reason.REMINDER,)
        if found:
            written = after_writing(written, each)


DRIFT = Seen(Outcome.DRIFT, NIGHT, frozenset("a"))
CLEAN = Seen(Outcome.CLEAN, NIGHT)
INCOMPLETE = Seen(Outcome.INCOMPLETE, NIGHT, frozenset("u"))
FAILED = Seen(Outcome.FAILED, NIGHT)
REFUSED = Seen(Outcome.REFUSED, NIGHT)


@pytest.mark.parametrize(
    ("past", "new", "expected"),
    [
        ([], CLEAN, ()),
        ([], DRIFT, (Reason.CHANGED,)),
        ([DRIFT], CLEAN, (Reason.CHANGED, Reason.RECOVERED)),
        ([DRIFT], Seen(Outcome.DRIFT, NIGHT, frozenset("ab")), (Reason.CHANGED,)),
        ([DRIFT], INCOMPLETE, (Reason.INCOMPLETE, Reason.CHANGED)),
        ([DRIFT], FAILED, (Reason.FAILED,)),
        ([DRIFT, FAILED], DRIFT, (Reason.RECOVERED,)),
        ([DRIFT, FAILED], CLEAN, (Reason.CHANGED, Reason.RECOVERED)),
        ([FAILED], REFUSED, (Reason.REFUSED,)),
        ([FAILED], FAILED, ()),
        ([], Seen(Outcome.CLEAN, NIGHT, missed="2026-11-27T02:00:00Z"), (Reason.MISSED,)),
        ([], Seen(Outcome.CLEAN, NIGHT, corrected=frozenset("a")), (Reason.CORRECTED,)),
        ([DRIFT], Seen(Outcome.DRIFT, NIGHT + WEEK, frozenset("a")), (Reason.REMINDER,)),
        ([DRIFT], Seen(Outcome.DRIFT, NIGHT + 6 * DAY, frozenset("a")), ()),
        ([CLEAN], Seen(Outcome.CLEAN, NIGHT + 9 * WEEK), ()),
        ([FAILED], Seen(Outcome.FAILED, NIGHT + WEEK), (Reason.REMINDER,)),
    ],
)
def test_one_night_after_others(past: list[Seen], new: Seen, expected: tuple[Reason, ...]) -> None:
    assert reasons(written_after(past), new, WEEK) == expected


def test_a_reminder_can_be_done_without() -> None:
    later = Seen(Outcome.DRIFT, NIGHT + 9 * WEEK, frozenset("a"))
    assert reasons(written_after([DRIFT]), later, datetime.timedelta()) == ()


def report(**more: Any) -> dict[str, Any]:
    found = [{"id": name, "count": count} for name, count in zip("duwc", COUNTS, strict=True)]
    return {
        "run": "second",
        "verdict": "drift",
        "exit_code": 10,
        "missed": ["2026-11-24T02:00:00Z", "2026-11-20T02:00:00Z"],
        "findings": found,
        **more,
    }


COUNTS = ("drifted", "unknown", "waived", "corrected")


def test_what_a_report_says() -> None:
    found = seen_in(report(), "first", "10", NIGHT)
    assert found == Seen(Outcome.DRIFT, NIGHT, frozenset("du"), frozenset("c"), "2026-11-24T02:00:00Z")


@pytest.mark.parametrize(
    ("known", "status", "outcome"),
    [
        ("first", "10", Outcome.DRIFT),
        ("first", "", Outcome.DRIFT),
        ("second", "", Outcome.DRIFT),
        ("second", "10", Outcome.FAILED),
        ("first", "12", Outcome.FAILED),
        ("first", "KILL", Outcome.FAILED),
        ("second", "timeout", Outcome.FAILED),
    ],
)
def test_a_run_that_left_no_report_of_its_own_has_failed(known: str, status: str, outcome: Outcome) -> None:
    assert seen_in(report(), known, status, NIGHT).outcome is outcome


def test_without_a_report_a_run_has_failed() -> None:
    assert seen_in(None, "", "", NIGHT) == FAILED


def test_what_was_corrected_is_written_of_once() -> None:
    assert seen_in(report(), "second", "", NIGHT).corrected == frozenset()
