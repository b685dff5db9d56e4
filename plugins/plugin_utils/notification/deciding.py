# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whether anybody is to be written to after a run: a comparison of what was found with what was written last.

Each channel is decided for by itself, so that one that did not get through is tried again after the next run, and the
others stay quiet.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..drift.run import Verdict

OPEN = ("drifted", "unknown")
"""The counts whose findings are open."""


class Outcome(enum.Enum):
    """What a run came to: a report's verdict, or that there is no report of it."""

    CLEAN = Verdict.CLEAN.value
    INCOMPLETE = Verdict.INCOMPLETE.value
    DRIFT = Verdict.DRIFT.value
    REFUSED = Verdict.REFUSED.value
    FAILED = "failed"

    @property
    def is_complete(self) -> bool:
        """Whether everything was judged as far as it is known."""
        return self in (Outcome.CLEAN, Outcome.DRIFT)

    @property
    def has_findings(self) -> bool:
        """Whether the run judged anything, so that its findings can be compared with those of another."""
        return self not in (Outcome.REFUSED, Outcome.FAILED)


class Reason(enum.Enum):
    """Why somebody is written to, from the most urgent to the least."""

    FAILED = "failed"
    REFUSED = "refused"
    INCOMPLETE = "incomplete"
    CORRECTED = "corrected"
    CHANGED = "changed"
    MISSED = "missed"
    RECOVERED = "recovered"
    REMINDER = "reminder"


@dataclass(frozen=True)
class Seen:
    """What a run found. ``findings`` and ``corrected`` are ids; ``missed`` is when the last run should have been that
    was not, "" where none was missed. Times are ISO 8601 in UTC.
    """

    outcome: Outcome
    time: datetime.datetime
    findings: frozenset[str] = frozenset()
    corrected: frozenset[str] = frozenset()
    missed: str = ""


@dataclass(frozen=True)
class Written:
    """What a channel was last written: nothing at all stands for a deployment that was as wanted."""

    outcome: Outcome = Outcome.CLEAN
    findings: frozenset[str] = frozenset()
    missed: str = ""
    time: datetime.datetime | None = None


def reasons(written: Written, seen: Seen, remind_after: datetime.timedelta) -> tuple[Reason, ...]:
    """Why this channel is to be written to now; empty where it is to stay quiet."""
    found = set()
    if seen.outcome is not written.outcome:
        if seen.outcome in _TROUBLES:
            found.add(_TROUBLES[seen.outcome])
        elif seen.outcome is Outcome.CLEAN or not written.outcome.is_complete:
            found.add(Reason.RECOVERED)
    if seen.outcome.has_findings and seen.findings != written.findings:
        found.add(Reason.CHANGED)
    if seen.corrected:
        found.add(Reason.CORRECTED)
    if seen.missed > written.missed:
        found.add(Reason.MISSED)
    if not found and seen.outcome is not Outcome.CLEAN and written.time is not None:
        due = remind_after and seen.time - written.time >= remind_after
        found.update({Reason.REMINDER} if due else ())
    return tuple(each for each in Reason if each in found)


_TROUBLES: Mapping[Outcome, Reason] = {
    Outcome.FAILED: Reason.FAILED,
    Outcome.REFUSED: Reason.REFUSED,
    Outcome.INCOMPLETE: Reason.INCOMPLETE,
}


def after_writing(written: Written, seen: Seen) -> Written:
    """What a channel knows when it has been written what was seen. A run without findings of its own says nothing of
    the earlier ones.
    """
    return replace(
        written,
        outcome=seen.outcome,
        findings=seen.findings if seen.outcome.has_findings else written.findings,
        missed=max(seen.missed, written.missed),
        time=seen.time,
    )


def seen_in(
    report: Mapping[str, Any] | None, last_run: str, exit_status: str, now: datetime.datetime
) -> Seen:
    """What a run found, from its report and from how its process ended.

    ``last_run`` is the run whose report was looked at last, ``exit_status`` a number or the name of a signal, "" where
    it is not known. A run that ended has failed where its report is missing, or is that of the run before, or says
    that it ended otherwise.
    """
    if report is None:
        return Seen(Outcome.FAILED, now)
    is_new = report["run"] != last_run
    missed = max(report["missed"], default="")
    expected = report["exit_code"]
    if exit_status and (not is_new or (expected is not None and exit_status != str(expected))):
        return Seen(Outcome.FAILED, now, missed=missed)
    findings = report["findings"]
    return Seen(
        Outcome(report["verdict"]),
        now,
        frozenset(each["id"] for each in findings if each["count"] in OPEN),
        frozenset(each["id"] for each in findings if each["count"] == "corrected") if is_new else frozenset(),
        missed,
    )
