# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What was seen last, and what that says of what is found now: pure functions over what ``last_seen.json`` holds."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..result.status import Status
from .baseline import ABSENT
from .documents import folded
from .findings import Finding, Key, Kind, Label, Trend
from .waivers import STATE

FIGHTS = 3
"""After so many identical corrections in a row something else sets the value back."""


@dataclass(frozen=True)
class SeenNoun:
    """One noun when it was last read: values by folded identity and property, what was wanted, and the shape."""

    time: str
    version: str
    account: str
    shape: Mapping[str, tuple[str, ...]]
    values: Mapping[str, Mapping[str, Any]]
    wanted: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Record:
    """A difference that was found: since when, with which label, and when it was gone again."""

    since: str
    label: Label
    id: str
    resolved: str = ""


@dataclass(frozen=True)
class Fight:
    """The same correction, in so many enforcing runs in a row."""

    before: Any
    after: Any
    times: int


@dataclass(frozen=True)
class LastSeen:
    """``nouns`` by folded name. ``not_kept``: what a version did not keep, with the value and the version."""

    time: str = ""
    nouns: Mapping[str, SeenNoun] = field(default_factory=dict)
    records: Mapping[Key, Record] = field(default_factory=dict)
    fights: Mapping[Key, Fight] = field(default_factory=dict)
    not_kept: Mapping[Key, tuple[Any, str]] = field(default_factory=dict)

    def value(self, key: Key) -> tuple[bool, Any]:
        """Whether the property was seen, and its value. An object that was not listed was seen to be absent."""
        noun = self.nouns.get(key[0])
        if noun is not None and key[2] == folded(STATE) and key[1] not in noun.values:
            return True, ABSENT
        return _within(noun.values if noun is not None else {}, key)

    def wanted(self, key: Key) -> tuple[bool, Any]:
        return _within(self.nouns[key[0]].wanted if key[0] in self.nouns else {}, key)


def _within(objects: Mapping[str, Mapping[str, Any]], key: Key) -> tuple[bool, Any]:
    found = objects.get(key[1], {})
    return key[2] in found, found.get(key[2])


def label_of(seen: tuple[bool, Any], wanted_then: tuple[bool, Any], current: Any, desired: Any) -> Label:
    """Corrective is what the server's own change calls for; a changed baseline is somebody's intention."""
    if not seen[0]:
        return Label.FIRST_SEEN
    server = seen[1] != current
    baseline = not wanted_then[0] or wanted_then[1] != desired
    if server and baseline and wanted_then[0]:
        return Label.BOTH
    return Label.SERVER_CHANGED if server else Label.BASELINE_CHANGED


def with_history(findings: Iterable[Finding], last: LastSeen, now: str) -> list[Finding]:
    """The findings with label, age and trend."""
    return [_with_history(each, last, now) for each in findings]


def _with_history(finding: Finding, last: LastSeen, now: str) -> Finding:
    record = last.records.get(finding.key)
    known = record is not None and not record.resolved
    trend = Trend.STILL if known else Trend.RETURNED if record is not None else Trend.NEW
    since = record.since if record is not None and known else now
    if finding.status is Status.UNKNOWN or finding.kind is Kind.REPORTED:
        return replace(finding, trend=trend, since=since)
    seen = last.value(finding.key)
    wanted = last.wanted(finding.key)
    unchanged = seen[0] and seen[1] == finding.current and wanted[0] and wanted[1] == finding.desired
    label = (
        record.label
        if record is not None and known and unchanged
        else label_of(seen, wanted, finding.current, finding.desired)
    )
    return replace(finding, label=label, trend=trend, since=since)


def resolved(last: LastSeen, findings: Iterable[Finding], read: Collection[str]) -> list[Key]:
    """What differed and does no longer. Of a noun that was not read nothing is known; ``read`` are those that were."""
    open_now = {each.key for each in findings if each.status in (Status.DRIFTED, Status.UNKNOWN)}
    return [
        key
        for key, record in last.records.items()
        if not record.resolved and key not in open_now and (key[0] in read or key[0] not in last.nouns)
    ]


def after_run(
    last: LastSeen,
    findings: Iterable[Finding],
    nouns: Mapping[str, SeenNoun],
    now: str,
    *,
    corrections: Mapping[Key, tuple[Any, Any]] | None = None,
    not_kept: Mapping[Key, tuple[Any, str]] | None = None,
) -> LastSeen:
    """What is to be remembered. ``nouns`` are those that this run has read, by folded name.

    ``corrections`` are an enforcing run's, from and to; None for a run that only checks, which says nothing of fights.
    """
    findings = list(findings)
    records = dict(last.records)
    for key in resolved(last, findings, nouns.keys()):
        records[key] = replace(records[key], resolved=now)
    for each in findings:
        if each.status in (Status.DRIFTED, Status.UNKNOWN):
            records[each.key] = Record(each.since or now, each.label or Label.FIRST_SEEN, each.id)
        elif each.status is Status.CORRECTED:
            records[each.key] = Record(each.since or now, each.label or Label.FIRST_SEEN, each.id, now)
    fights = last.fights if corrections is None else _fights(last, corrections, findings, nouns)
    kept = {**last.not_kept, **(not_kept or {})}
    known = {name: _with_earlier_shape(seen, last.nouns.get(name)) for name, seen in nouns.items()}
    return LastSeen(now, {**last.nouns, **known}, records, fights, kept)


def _with_earlier_shape(seen: SeenNoun, earlier: SeenNoun | None) -> SeenNoun:
    """What has no type for the time being keeps the one that it had."""
    if earlier is None or folded(earlier.account) != folded(seen.account):
        return seen
    known = {folded(name) for name, types in seen.shape.items() if _telling_types(types)}
    kept = {name: types for name, types in earlier.shape.items() if folded(name) not in known}
    return replace(seen, shape={**{n: t for n, t in seen.shape.items() if _telling_types(t)}, **kept})


def _fights(
    last: LastSeen,
    corrections: Mapping[Key, tuple[Any, Any]],
    findings: list[Finding],
    read: Collection[str],
) -> dict[Key, Fight]:
    held = {each.key: (each.current, each.desired) for each in findings if each.status is Status.DRIFTED}
    fights: dict[Key, Fight] = {}
    for key, (before, after) in corrections.items():
        earlier = last.fights.get(key)
        same = earlier is not None and (earlier.before, earlier.after) == (before, after)
        fights[key] = Fight(before, after, earlier.times + 1 if earlier is not None and same else 1)
    for key, earlier in last.fights.items():
        # One that is no longer answered goes on until a quiet run, or until something else is wanted.
        if key not in fights and (key[0] not in read or held.get(key) == (earlier.before, earlier.after)):
            fights[key] = earlier
    return fights


def is_fought(last: LastSeen, finding: Finding) -> bool:
    fight = last.fights.get(finding.key)
    return (
        fight is not None
        and fight.times >= FIGHTS
        and (fight.before, fight.after) == (finding.current, finding.desired)
    )


# -- the shape of a noun ----------------------------------------------------------------------------------------------


def shape_change(last: LastSeen, noun: str, shape: Mapping[str, tuple[str, ...]], version: str) -> str:
    """In what the noun's shape differs from the one last seen; "" if in nothing.

    Null has no type, so what has none now, or had none, says nothing. A property that came new is no change of what was
    there.
    """
    seen = last.nouns.get(folded(noun))
    if seen is None:
        return ""
    now = {folded(name): _telling_types(types) for name, types in shape.items()}
    changed = sorted(
        f"{name} was {' or '.join(types)} and is {' or '.join(sorted(now[folded(name)]))}"
        for name, types in seen.shape.items()
        if _telling_types(types)
        and now.get(folded(name))
        and now[folded(name)].isdisjoint(_telling_types(types))
    )
    versions = version if seen.version == version else f"{seen.version}, now {version}"
    return f"{'; '.join(changed)} (server {versions})" if changed else ""


def _telling_types(types: Iterable[str]) -> set[str]:
    """The types without that of an empty list, which says as little as null."""
    return set(types) - {"list"}


def was_shown(last: LastSeen, noun: str, name: str) -> SeenNoun | None:
    """The noun as it was last seen, if it had that property then."""
    seen = last.nouns.get(folded(noun))
    return seen if seen is not None and folded(name) in {folded(each) for each in seen.shape} else None


# -- as JSON has it ---------------------------------------------------------------------------------------------------


def to_json(last: LastSeen) -> dict[str, Any]:
    return {
        "time": last.time,
        "nouns": {
            noun: {**vars(seen), "shape": {name: list(types) for name, types in seen.shape.items()}}
            for noun, seen in last.nouns.items()
        },
        "records": [
            {"key": list(key), **vars(record), "label": record.label.value}
            for key, record in last.records.items()
        ],
        "fights": [{"key": list(key), **vars(fight)} for key, fight in last.fights.items()],
        "not_kept": [
            {"key": list(key), "value": v, "version": version} for key, (v, version) in last.not_kept.items()
        ],
    }


def from_json(document: Mapping[str, Any]) -> LastSeen:
    """Raises KeyError, TypeError or ValueError for what `to_json` has not written."""
    return LastSeen(
        document["time"],
        {
            noun: SeenNoun(**{**seen, "shape": {name: tuple(types) for name, types in seen["shape"].items()}})
            for noun, seen in document["nouns"].items()
        },
        {
            _key(each["key"]): Record(each["since"], Label(each["label"]), each["id"], each["resolved"])
            for each in document["records"]
        },
        {
            _key(each["key"]): Fight(each["before"], each["after"], each["times"])
            for each in document["fights"]
        },
        {_key(each["key"]): (each["value"], each["version"]) for each in document["not_kept"]},
    )


def _key(parts: list[str]) -> Key:
    noun, identity, name = parts
    return noun, identity, name
