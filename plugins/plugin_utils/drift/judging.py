# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is to be made of findings before anybody acts: waivers, and changes of our own that explain them. Pure
functions.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.journal import Entry
from ..result.status import Status
from ..settings.resources.registry import RESOURCES
from .baseline import ABSENT
from .documents import folded
from .findings import Explanation, Finding, Kind, Label
from .requests import PRESENT
from .waivers import STATE, Waiver

OWN_MODULE = "lync.remediation.drift_enforce"
EXPIRING_DAYS = 14

Same = Callable[[Finding, Any], bool]
"""Whether a value is what a finding has found, as the property compares values."""


@dataclass(frozen=True)
class Waived:
    """Findings with their waivers, and what is to be said of the waivers themselves."""

    findings: tuple[Finding, ...]
    expired: tuple[Waiver, ...] = ()
    expiring: tuple[Waiver, ...] = ()
    unmatched: tuple[Waiver, ...] = ()


def waive(findings: Iterable[Finding], waivers: Sequence[Waiver], today: datetime.date, same: Same) -> Waived:
    """A waiver covers the value that was accepted, and no other; what it does not cover is a finding like any other."""
    by_key = {waiver.key: waiver for waiver in waivers}
    judged: list[Finding] = []
    used: set[tuple[str, str, str]] = set()
    for finding in findings:
        waiver = by_key.get(finding.key)
        if waiver is None or finding.status is not Status.DRIFTED:
            judged.append(finding)
            continue
        used.add(waiver.key)
        accepted = ", ".join("null" if value is None else str(value) for value in waiver.values)
        if waiver.has_expired(today):
            judged.append(
                replace(finding, detail=f"Its waiver expired on {waiver.expires} ({waiver.place}).")
            )
        elif any(same(finding, value) for value in waiver.values):
            judged.append(replace(finding, waiver=waiver.as_dict()))
        else:
            judged.append(
                replace(
                    finding,
                    detail=f"It was waived for {accepted}, and is something else now ({waiver.place}).",
                )
            )
    soon = today + datetime.timedelta(days=EXPIRING_DAYS)
    return Waived(
        tuple(judged),
        tuple(each for each in waivers if each.has_expired(today)),
        tuple(each for each in waivers if not each.has_expired(today) and each.expires <= soon),
        tuple(each for each in waivers if each.key not in used and not each.has_expired(today)),
    )


# -- changes of our own -----------------------------------------------------------------------------------------------


def explain(findings: Iterable[Finding], entries: Iterable[Entry], same: Same) -> list[Finding]:
    """A difference that the newest change of the journal made is a decision of somebody here, until it is accepted
    or named.

    What an enforcing run wrote explains nothing: the baseline asked for it then. Where the baseline has been changed
    since, that is the newer decision.
    """
    written: dict[tuple[str, str, str], tuple[Any, Entry]] = {}
    for entry in entries:
        if entry.never_happened:
            continue
        for key, value in _written(entry).items():
            written[key] = (value, entry)
    explained = []
    for finding in findings:
        value, found = written.get(finding.key, (None, None))
        if (
            found is not None
            and finding.status is Status.DRIFTED
            and finding.label is not Label.BASELINE_CHANGED
            and found.origin.get("module") != OWN_MODULE
            and same(finding, value)
        ):
            module = str(found.origin.get("module", ""))
            finding = replace(finding, explained=Explanation(found.run, found.id, module, found.time))
        explained.append(finding)
    return explained


def _written(entry: Entry) -> dict[tuple[str, str, str], Any]:
    """What a change left behind, by noun, identity and property."""
    change = entry.change
    resource = RESOURCES.get(change.resource)
    noun = folded(resource.noun if resource else change.resource)
    names: Mapping[str, str] = (
        {p.option: p.attribute or p.parameter for p in resource.properties} if resource else {}
    )
    identity = folded(change.identity)
    state = {(noun, identity, folded(STATE)): ABSENT if change.wanted is None else PRESENT}
    if change.wanted is not None and change.before is not None:
        state = {}
    return {
        **state,
        **{
            (noun, identity, folded(names.get(name, name))): value
            for name, value in (change.wanted or {}).items()
        },
    }


# -- an enforcing run's plan ------------------------------------------------------------------------------------------


CORRECTABLE = frozenset((Kind.VALUE, Kind.SEQUENCE, Kind.MISSING, Kind.UNWANTED, Kind.EXTRA))


def correctable(finding: Finding) -> bool:
    return finding.status is Status.DRIFTED and finding.kind in CORRECTABLE
