# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings gathered from records: what, when, who to whom, how often, and the lines that prove it.

Everything that grows with a trace is bounded; beyond a bound counts of calls turn into least counts, and nothing else.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .catalogue import CONFIDENCES, FAMILIES, Diagnostic, catalogue, remedy
from .clocks import ClockDifference
from .records import Record, Stamp
from .telling import Interpretation, Occurrence, proof

WINDOW_OF_DUPLICATES = 50_000
"""How many records with a diagnostic are remembered, so that the same one of two overlapping searches counts once."""
MOST_CALLS = 100_000
MOST_WAITING = 2_000
MOST_GROUPS = 1_000
MOST_PARTICIPANTS = 500
SHOWN_PARTICIPANTS = 10
MOST_DAYS = 1_000
ZONES = 14 * 3600
"""Between which offsets of UTC a time lies whose zone is not known."""
WORTH_TELLING = 60.0
"""Clocks that are closer than this are left to the audit of the clocks."""


class Days:
    """The earliest and latest time of each day, by file, until it is known how the file writes its dates."""

    def __init__(self) -> None:
        self._days: dict[tuple[int, tuple[int, int, int]], tuple[float, float]] = {}

    def add(self, file: int, stamp: Stamp) -> None:
        key = (file, stamp.date)
        low, high = self._days.get(key, (stamp.seconds, stamp.seconds))
        if key in self._days or len(self._days) < MOST_DAYS:
            self._days[key] = (min(low, stamp.seconds), max(high, stamp.seconds))

    def dates(self) -> set[tuple[int, int, int]]:
        return {date for _file, date in self._days}

    def span(self, orders: Mapping[int, str]) -> tuple[datetime.datetime, datetime.datetime] | None:
        moments = [
            moment
            for (file, date), seconds in self._days.items()
            for each in seconds
            if (moment := Stamp(date, each).moment(orders[file])) is not None
        ]
        return (min(moments), max(moments)) if moments else None


@dataclass
class Evidence:
    """One record that proves a finding."""

    file: str
    line: int
    lines: tuple[str, ...]


@dataclass
class Group:
    """All occurrences of one diagnostic."""

    diagnostic: Diagnostic
    family: str
    remedy: str | None
    edge: str | None
    days: Days = field(default_factory=Days)
    records: int = 0
    count: int = 0
    servers: dict[str, None] = field(default_factory=dict)
    participants: dict[tuple[str | None, str | None], int] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    evidence: list[Evidence] = field(default_factory=list)


@dataclass(frozen=True)
class _Place:
    source: str
    server: str
    file: int
    line: int
    stamp: Stamp | None


class Gathering:
    """What all records together tell."""

    def __init__(self, evidence: int) -> None:
        self._evidence = evidence
        self._groups: dict[tuple[str, int | str, str, str | None], Group] = {}
        self._uncatalogued: dict[tuple[str, int], int] = {}
        self._duplicates: dict[int, None] = {}
        self._calls: dict[tuple[int, int], None] = {}
        self._asking: dict[int, None] = {}
        self._codes_of_calls: dict[tuple[int | str, int], None] = {}
        self._waiting: list[tuple[Occurrence, _Place, tuple[str, ...]]] = []
        self.all_calls_counted = True

    def add(
        self, interpretation: Interpretation, record: Record, source: str, server: str, file: int
    ) -> None:
        call = None if interpretation.call is None else hash(interpretation.call)
        if interpretation.asks_for_credentials and call is not None:
            _remember(self._asking, call, MOST_CALLS)
        if not (interpretation.occurrences or interpretation.uncatalogued) or self._is_duplicate(
            record, server
        ):
            return
        for key in interpretation.uncatalogued:
            if key in self._uncatalogued or len(self._uncatalogued) < MOST_GROUPS:
                self._uncatalogued[key] = self._uncatalogued.get(key, 0) + 1
        place = _Place(source, server, file, record.line, record.stamp)
        for occurrence in interpretation.occurrences:
            if call is not None and occurrence.diagnostic.family == "clock":
                _remember(self._codes_of_calls, (occurrence.diagnostic.code, call), MOST_CALLS)
            if _depends(occurrence.diagnostic) and call is not None and len(self._waiting) < MOST_WAITING:
                self._waiting.append((occurrence, place, proof(record)))
            else:
                self._count(occurrence, place, record)

    def _is_duplicate(self, record: Record, server: str) -> bool:
        if record.identity is None:
            return False
        key = hash((server, record.identity))
        known = key in self._duplicates
        _remember(self._duplicates, key, WINDOW_OF_DUPLICATES)
        return known

    def _count(self, occurrence: Occurrence, place: _Place, proven_by: Record | tuple[str, ...]) -> None:
        diagnostic = occurrence.diagnostic
        family, remedy_of_it = diagnostic.family, diagnostic.remedy
        call = None if occurrence.call is None else hash(occurrence.call)
        after = diagnostic.after
        if after and (after["code"], call) in self._codes_of_calls:
            family, remedy_of_it = after["family"], remedy(after["remedy"])
        if diagnostic.code == "transaction_timed_out" and call in self._asking:
            diagnostic = catalogue()["rule", "mras_timed_out"]
            family, remedy_of_it = diagnostic.family, diagnostic.remedy
        edge = occurrence.edge if len(self._groups) < MOST_GROUPS else None
        key = (diagnostic.field, diagnostic.code, family, edge)
        group = self._groups.setdefault(key, Group(diagnostic, family, remedy_of_it, edge))
        group.records += 1
        if call is None or self._is_new_call(hash(key), call):
            group.count += 1
            pair = (occurrence.sender, occurrence.recipient)
            if pair != (None, None) and (
                pair in group.participants or len(group.participants) < MOST_PARTICIPANTS
            ):
                group.participants[pair] = group.participants.get(pair, 0) + 1
        if len(group.servers) < MOST_PARTICIPANTS:
            group.servers[place.server] = None
        group.attributes = group.attributes or occurrence.attributes
        if place.stamp is not None:
            group.days.add(place.file, place.stamp)
        if len(group.evidence) < self._evidence:
            lines = proof(proven_by) if isinstance(proven_by, Record) else proven_by
            group.evidence.append(Evidence(place.source, place.line, lines))

    def _is_new_call(self, group: int, call: int) -> bool:
        if (group, call) in self._calls:
            return False
        if len(self._calls) >= MOST_CALLS:
            # Later records of calls that are not remembered would be counted again.
            self.all_calls_counted = False
            return False
        self._calls[group, call] = None
        return True

    def findings(
        self, orders: Mapping[int, str], differences: Iterable[ClockDifference], utc_offset: float | None
    ) -> list[dict[str, Any]]:
        """All findings, the likely cause first."""
        for occurrence, place, lines in self._waiting:
            self._count(occurrence, place, lines)
        self._waiting.clear()
        differences = list(differences)
        found = [_of_clocks(each) for each in differences if _is_worth_telling(each)]
        off = _largest(differences)
        found += [_finding(group, orders, off, utc_offset) for group in self._groups.values()]
        clock = [each["id"] for each in found if each["family"] == "clock" and each["confidence"] != "low"]
        for each in found:
            if each["family"] == "av_authentication" and clock and each["confidence"] == "medium":
                each.update(confidence="high", supported_by=list(dict.fromkeys(clock)))
        return sorted(
            found,
            key=lambda each: (
                FAMILIES.index(each["family"]),
                CONFIDENCES.index(each["confidence"]),
                -each["count"],
                each["id"],
            ),
        )

    def uncatalogued(self) -> list[dict[str, Any]]:
        """Numbers that the catalogue does not have: nothing is known of them, and nothing is concluded."""
        return [
            {"field": place, "code": code, "records": count}
            for (place, code), count in sorted(self._uncatalogued.items(), key=lambda each: -each[1])
        ]


def _depends(diagnostic: Diagnostic) -> bool:
    """Whether other records of the call decide what it means, which may stand behind it."""
    return bool(diagnostic.after) or diagnostic.code == "transaction_timed_out"


def _remember(where: dict[Any, None], key: Any, most: int) -> None:
    if key not in where:
        where[key] = None
        if len(where) > most:
            del where[next(iter(where))]


def _largest(differences: Iterable[ClockDifference]) -> dict[str, float]:
    found: dict[str, float] = {}
    for each in differences:
        for server in (each.server, each.reference):
            found[server] = max(found.get(server, 0.0), abs(each.offset))
    return found


def _is_worth_telling(difference: ClockDifference) -> bool:
    return abs(difference.offset) - (difference.uncertainty or 0.0) >= WORTH_TELLING


def _confidence(difference: ClockDifference) -> str:
    # What arrives before it was sent proves that the clocks differ; what arrives late may have been on its way.
    proven = difference.uncertainty is not None or difference.offset < 0
    if not proven:
        return "low"
    return "medium" if difference.may_be_zone else "high"


def _finding(
    group: Group, orders: Mapping[int, str], off: Mapping[str, float], utc_offset: float | None
) -> dict[str, Any]:
    span = group.days.span(orders)
    first, last = (in_utc(each, utc_offset) for each in span) if span else (None, None)
    participants = sorted(group.participants.items(), key=lambda each: -each[1])[:SHOWN_PARTICIPANTS]
    clock = max((off.get(server, 0.0) for server in group.servers), default=0.0)
    return {
        "id": str(group.diagnostic.code),
        "family": group.family,
        "meaning": group.diagnostic.meaning,
        "causes": list(group.diagnostic.causes),
        "confidence": group.diagnostic.confidence,
        "supported_by": [],
        "remedy": group.remedy,
        "count": group.count,
        "records": group.records,
        "first": first,
        "last": last,
        "uncertainty_seconds": None if span is None else (0 if utc_offset is not None else ZONES) + clock,
        "servers": list(group.servers),
        "edge": group.edge,
        "participants": [
            {"from": sender, "to": recipient, "count": count} for (sender, recipient), count in participants
        ],
        "attributes": dict(group.attributes),
        "evidence": [
            {"file": each.file, "line": each.line, "lines": list(each.lines)} for each in group.evidence
        ],
    }


def _of_clocks(difference: ClockDifference) -> dict[str, Any]:
    causes = ["one of the two clocks is wrong"]
    if difference.may_be_zone:
        causes.insert(0, "the two traces write their times in different zones")
    return {
        "id": "clock_difference",
        "family": "clock",
        "meaning": "Two servers wrote down the same messages at times that do not fit together.",
        "causes": causes,
        "confidence": _confidence(difference),
        "supported_by": [],
        "remedy": remedy("clock"),
        "count": difference.messages,
        "records": 2 * difference.messages,
        "first": None,
        "last": None,
        "uncertainty_seconds": None,
        "servers": [difference.server, difference.reference],
        "edge": None,
        "participants": [],
        "attributes": {},
        "evidence": [],
    }


def in_utc(moment: datetime.datetime, utc_offset: float | None) -> str | None:
    """A trace's time in UTC; where nobody states its zone it is taken for UTC, as Centralized Logging writes it."""
    try:
        moment -= datetime.timedelta(seconds=utc_offset or 0)
    except OverflowError:
        return None
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
