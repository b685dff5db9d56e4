# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The model of a run: what one deployment was found to be, counted once, for whoever shows it."""

from __future__ import annotations

import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from typing import Any

from ..result.status import Status
from .comparing import Coverage, Server
from .findings import Finding, Kind, Resolved, Trend, worst_first
from .waivers import Waiver


class Verdict(enum.Enum):
    """What a run comes to, from the best to the worst. The value is what users see."""

    CLEAN = "clean"
    INCOMPLETE = "incomplete"
    DRIFT = "drift"
    REFUSED = "refused"


EXIT_CODES: Mapping[str, int] = {"clean": 0, "drift": 10, "incomplete": 11, "refused": 12}


def worst(verdicts: Iterable[Verdict]) -> Verdict:
    """The verdict on several deployments; that on none is refused: nothing was judged."""
    found = list(verdicts)
    return max(found, key=list(Verdict).index) if found else Verdict.REFUSED


def worst_of(results: Iterable[Mapping[str, Any]]) -> Verdict:
    """The verdict on what tasks have returned; a result without one has judged nothing."""
    known = {each.value: each for each in Verdict}
    return worst(known.get(str(each.get("verdict")), Verdict.REFUSED) for each in results)


def counted_once(results: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The results without what another host says of a deployment that one has judged already. A dry run keeps nothing
    that could tell the second host.
    """
    judged: set[str] = set()
    found = []
    for each in results:
        name = str(each.get("deployment") or "")
        has_judged = bool(name and (each.get("nouns") or {}).get("judged"))
        if each.get("same_deployment_as") or (has_judged and name in judged):
            continue
        judged |= {name} if has_judged else set()
        found.append(each)
    return found


def total_of(results: Iterable[Mapping[str, Any]]) -> dict[str, int]:
    """The counts of several deployments. A host without a result is one thing that could not be judged."""
    total = {**asdict(Counts()), "total": 0}
    for each in results:
        for name, number in (each.get("counts") or {"unknown": 1, "total": 1}).items():
            total[name] += number
    return total


@dataclass(frozen=True)
class Counts:
    """Each property and object is in exactly one of the first five; their sum is ``total``."""

    as_wanted: int = 0
    drifted: int = 0
    corrected: int = 0
    waived: int = 0
    unknown: int = 0
    new: int = 0
    still: int = 0
    returned: int = 0
    resolved: int = 0

    @property
    def total(self) -> int:
        return self.as_wanted + self.drifted + self.corrected + self.waived + self.unknown


@dataclass(frozen=True)
class Run:
    """``mode`` is check, enforce or export. ``refusal`` is the sentence that ended it, "" otherwise. ``commands``
    are the lines that an enforcing run sends, ``follow_ups`` what people have to run afterwards.
    """

    server: Server
    mode: str
    time: str
    id: str
    state: str = ""
    baseline: str = ""
    findings: tuple[Finding, ...] = ()
    as_wanted: int = 0
    nouns: int = 0
    resolved: tuple[Resolved, ...] = ()
    coverage: Coverage = field(default_factory=Coverage)
    expired: tuple[Waiver, ...] = ()
    expiring: tuple[Waiver, ...] = ()
    unmatched: tuple[Waiver, ...] = ()
    commands: tuple[str, ...] = ()
    follow_ups: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    journal: str = ""
    """The folder that this run's corrections are written down in, if it has made any."""
    refusal: str = ""
    failure: str = ""
    has_history: bool = True
    collection_version: str = ""
    previous_version: str = ""
    context: tuple[str, ...] = ()
    """The arguments that a playbook needs to reach this deployment again."""

    @property
    def verdict(self) -> Verdict:
        """Drift outranks incomplete, incomplete outranks clean."""
        if self.refusal:
            return Verdict.REFUSED
        counting = [each for each in self.findings if each.counts]
        if any(each.status is Status.DRIFTED for each in counting):
            return Verdict.DRIFT
        return Verdict.INCOMPLETE if counting else Verdict.CLEAN

    @property
    def counts(self) -> Counts:
        def number(chosen: Sequence[Finding]) -> int:
            return len(chosen)

        unwaived = [each for each in self.findings if each.waiver is None]
        open_now = [each for each in unwaived if each.counts]
        return Counts(
            as_wanted=self.as_wanted,
            drifted=number([each for each in unwaived if each.status is Status.DRIFTED]),
            corrected=number([each for each in unwaived if each.status is Status.CORRECTED]),
            waived=number([each for each in self.findings if each.waiver is not None]),
            unknown=number([each for each in unwaived if each.status is Status.UNKNOWN]),
            new=number([each for each in open_now if each.trend is Trend.NEW]),
            still=number([each for each in open_now if each.trend is Trend.STILL]),
            returned=number([each for each in open_now if each.trend is Trend.RETURNED]),
            resolved=len(self.resolved),
        )

    @property
    def unread(self) -> int:
        return sum(each.kind is Kind.NOUN for each in self.findings)

    def sorted_findings(self) -> list[Finding]:
        return sorted(self.findings, key=worst_first)

    def as_dict(self) -> dict[str, Any]:
        """As it is saved, registered and rendered."""
        counts = self.counts
        return {
            "deployment": self.server.deployment,
            "mode": self.mode,
            "verdict": self.verdict.value,
            "time": self.time,
            "run": self.id,
            "host": self.server.host,
            "account": self.server.account,
            "server_version": self.server.version,
            "collection_version": self.collection_version,
            "previous_collection_version": self.previous_version,
            "state": self.state,
            "baseline": self.baseline,
            "journal": self.journal,
            "has_history": self.has_history,
            "counts": {**asdict(counts), "total": counts.total},
            "nouns": {"judged": self.nouns, "unread": self.unread},
            "findings": [each.as_dict() for each in self.sorted_findings()],
            "resolved": [vars(each) for each in self.resolved],
            "coverage": _coverage(self.coverage),
            "waivers": {
                name: [each.as_dict() for each in getattr(self, name)]
                for name in ("expired", "expiring", "unmatched")
            },
            "commands": list(self.commands),
            "follow_ups": list(self.follow_ups),
            "notes": list(self.notes),
            "context": list(self.context),
            "refusal": self.refusal,
            "failure": self.failure,
        }


def _coverage(coverage: Coverage) -> dict[str, Any]:
    return {
        "not_comparable": {noun: dict(reasons) for noun, reasons in coverage.not_comparable.items()},
        "not_permitted": list(coverage.not_permitted),
        "not_in_version": list(coverage.not_in_version),
        "excluded": list(coverage.excluded),
        "not_managed": {noun: list(names) for noun, names in coverage.not_managed.items() if names},
    }
