# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an enforcing run is going to do, in which order, and whether it may at all: pure functions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..result.display import shown
from ..result.refusals import BadArgument, UnusableArgument
from ..result.severity import Severity
from ..result.status import Status
from ..settings import catalogue
from ..settings.identity import Identity, stored
from ..settings.nouns import Reading
from ..settings.order import references_of
from .comparing import Comparison
from .documents import folded
from .findings import Finding, Kind
from .history import LastSeen, is_fought
from .waivers import STATE

_FEW = 10
"""Below so many objects a share says nothing."""
_USAGES = "CsPstnUsage"


@dataclass(frozen=True)
class Limits:
    """The brakes. ``confirmed_…`` are numbers that somebody has typed, each of which releases exactly that number."""

    corrections: int = 20
    share: float = 0.3
    removals: int = 0
    unknown_share: float = 0.2
    confirmed_corrections: int | None = None
    confirmed_removals: int | None = None
    confirmed_unknown: int | None = None


@dataclass(frozen=True)
class Pause:
    """Until when, by whom and why nothing is enforced."""

    until: datetime.datetime
    owner: str
    reason: str


@dataclass(frozen=True)
class Choice:
    """What an enforcing run may correct. ``only`` are ids, None for all; ``remove_unmanaged`` also objects that the
    baseline does not have. ``severities`` are those that are corrected, empty for all; ids go before them.
    """

    only: frozenset[str] | None = None
    remove_unmanaged: bool = False
    severities: frozenset[Severity] = frozenset()

    def names(self, finding: Finding) -> bool:
        return self.only is not None and finding.id in self.only


@dataclass(frozen=True)
class Step:
    """What is done to one object, or to the sequence of a noun: then there is no ``identity``, and the findings are
    those on its order, and on objects that an earlier step makes.
    """

    noun: str
    identity: Identity | None
    present: bool
    values: Mapping[str, Any]
    findings: tuple[Finding, ...]

    @property
    def is_removal(self) -> bool:
        return not self.present


@dataclass(frozen=True)
class Plan:
    """``findings`` are all of the run, those that are left alone with the reason in ``held``."""

    steps: tuple[Step, ...]
    findings: tuple[Finding, ...]
    objects: int = 0

    @property
    def corrections(self) -> int:
        return len({each.id for step in self.steps if not step.is_removal for each in step.findings})

    @property
    def removals(self) -> int:
        return sum(step.is_removal for step in self.steps)

    @property
    def corrected_objects(self) -> int:
        """Objects, and the order of a noun as one more."""
        return sum(
            not step.is_removal
            and (step.identity is not None or any(each.kind is Kind.SEQUENCE for each in step.findings))
            for step in self.steps
        )


@dataclass(frozen=True)
class Rights:
    """The verbs that this session offers, by noun, and what is known of the least role that would offer a cmdlet."""

    verbs: Mapping[str, frozenset[str]] = field(default_factory=dict)
    roles: Mapping[str, str] = field(default_factory=dict)

    def missing(self, noun: str, kinds: Iterable[Kind]) -> str:
        """The cmdlet that corrections of these kinds take and that is not offered, or ""."""
        verbs = {Kind.MISSING: "New", Kind.UNWANTED: "Remove", Kind.EXTRA: "Remove"}
        for kind in kinds:
            verb = verbs.get(kind, "Set")
            if verb not in self.verbs.get(noun, frozenset()):
                return f"{verb}-{noun}"
        return ""


def plan(
    compared: Comparison,
    findings: Sequence[Finding],
    readings: Mapping[str, Reading],
    last: LastSeen,
    choice: Choice,
    rights: Rights,
    version: str,
) -> Plan:
    """Raises BadArgument for an id that no finding has, and for a reference to what exists nowhere."""
    if choice.only is not None:
        unknown = sorted(choice.only - {each.id for each in findings})
        if unknown:
            raise UnusableArgument(
                "only", f"{', '.join(unknown)}: no such finding now; it was resolved, or is another"
            )
    judged = [_held(each, last, choice, rights, version) for each in findings]
    chosen = [each for each in judged if each.status is Status.DRIFTED and not each.held]
    steps = _steps(chosen, compared)
    _must_refer_to_something(steps, readings)
    objects = sum(
        len(reading.objects) for reading in readings.values() if reading.noun.name in compared.as_wanted
    )
    return Plan(tuple(steps), tuple(judged), objects)


def _held(finding: Finding, last: LastSeen, choice: Choice, rights: Rights, version: str) -> Finding:
    """The finding, with why it is left alone."""
    if finding.status is not Status.DRIFTED:
        return finding
    return replace(finding, held=_reason_to_leave(finding, last, choice, rights, version))


def _reason_to_leave(finding: Finding, last: LastSeen, choice: Choice, rights: Rights, version: str) -> str:
    named = choice.names(finding)
    if finding.waiver is not None:
        return "it is waived"
    if choice.only is not None and not named:
        return "it was not chosen"
    if choice.severities and finding.severity not in choice.severities and not named:
        return f"its severity is {finding.severity.value}, which is not among those that are corrected"
    if finding.kind in (Kind.ORDER, Kind.REPORTED, Kind.NOUN):
        return (
            "only the order differs" if finding.kind is Kind.ORDER else "another task is responsible for it"
        )
    noun = catalogue.noun(finding.noun)
    if noun.read_only:
        return f"{noun.name} is only read: {noun.read_only}"
    if finding.kind is Kind.EXTRA and not (named or choice.remove_unmanaged):
        return "objects that the baseline does not have are removed only where that is asked for"
    if finding.explained is not None and not named:
        return f"a change of our own made it, run {finding.explained.run}; accept it, or name it"
    if is_fought(last, finding) and not named:
        return "something sets it back, three times by now; find out what, or name it"
    if last.not_kept.get(finding.key) == (finding.desired, version) and not named:
        return "this server did not keep it when it was set; name it to have that tried again"
    missing = rights.missing(noun.name, [finding.kind])
    if missing:
        role = rights.roles.get(missing)
        return f"{missing} is not offered to this account" + (f"; the role {role} has it" if role else "")
    return ""


def _steps(chosen: Sequence[Finding], compared: Comparison) -> list[Step]:
    """First what is created and changed, in the order that references demand; then removals, the other way round."""
    place = {name: number for number, name in enumerate(catalogue.nouns())}
    groups: dict[tuple[str, str, bool], list[Finding]] = {}
    for each in chosen:
        is_sequence = each.kind is Kind.SEQUENCE
        groups.setdefault((each.noun, "" if is_sequence else each.identity, is_sequence), []).append(each)
    for each in chosen:
        # A server puts what is new behind the others.
        if each.kind is Kind.MISSING and each.noun in compared.orders:
            groups.setdefault((each.noun, "", True), []).append(each)
    steps = []
    for (noun, text, is_sequence), own in groups.items():
        if is_sequence:
            steps.append(Step(noun, None, True, {}, tuple(own)))
            continue
        identity = stored(text, catalogue.noun(noun).scopes)
        present = own[0].kind not in (Kind.UNWANTED, Kind.EXTRA)
        values = {each.property: each.desired for each in own if each.kind is Kind.VALUE}
        if own[0].kind is Kind.MISSING:
            wanted = compared.wanted[noun][identity]
            values = {each.property: each.value for key, each in wanted.items() if key != folded(STATE)}
        steps.append(Step(noun, identity, present, values, tuple(own)))

    def turn(step: Step) -> tuple[bool, bool, int, bool]:
        number = place[step.noun]
        return (
            _takes_away(step),
            step.is_removal,
            -number if step.is_removal else number,
            step.identity is None,
        )

    return sorted(steps, key=turn)


def _takes_away(step: Step) -> bool:
    """Whether it only takes usages away, which others are rid of first."""
    return step.noun == _USAGES and all(
        isinstance(each.current, list)
        and set(map(folded, each.desired or ())) < set(map(folded, each.current))
        for each in step.findings
    )


def _must_refer_to_something(steps: Sequence[Step], readings: Mapping[str, Reading]) -> None:
    """Raises BadArgument for a reference to an object that is neither there nor made by this run."""
    made = {
        (folded(step.noun), folded(str(step.identity))) for step in steps if step.present and step.identity
    }
    usages = [
        folded(item)
        for step in steps
        for value in step.values.values()
        if step.noun == _USAGES and isinstance(value, list)
        for item in value
    ]
    for step in steps:
        for each in references_of(catalogue.noun(step.noun), step.values) if step.present else ():
            reading = readings.get(each.noun)
            if reading is None or reading.resource is None:
                continue
            identity = stored(each.name, reading.noun.scopes)
            listed = {folded(item) for one in reading.objects.values() for item in _items(one.values)}
            exists = identity in reading.objects or (folded(each.noun), folded(str(identity))) in made
            if (
                exists
                or folded(each.name) in listed
                or (each.noun == _USAGES and folded(each.name) in usages)
            ):
                continue
            finding = next(
                (one for one in step.findings if folded(one.property) == folded(each.property)),
                step.findings[0],
            )
            origin = finding.origins[0] if finding.origins else step.noun
            raise BadArgument(
                f"{origin}: {step.noun} {step.identity}, {each.property}: there is no {each.noun} {shown(each.name)}, "
                "neither on the server nor in the baseline."
            )


def _items(values: Mapping[str, Any]) -> list[str]:
    """The texts that an object lists: a PSTN usage is an entry of one."""
    return [
        item
        for value in values.values()
        if isinstance(value, list)
        for item in value
        if isinstance(item, str)
    ]


def brake(planned: Plan, unknown: int, nouns: int, limits: Limits, *, named: bool) -> str:
    """Why nothing may be corrected, with what to type to have it done all the same; "" where everything may.

    ``unknown`` of ``nouns`` could not be judged. What was chosen by name needs no brake on its number.
    """
    if nouns and unknown / nouns > limits.unknown_share and limits.confirmed_unknown != unknown:
        return (
            f"{unknown} of {nouns} nouns could not be judged, and at most {limits.unknown_share:.0%} may be unknown. "
            f"To correct the others all the same: -e drift_confirm_unknown={unknown}"
        )
    if planned.removals > limits.removals and limits.confirmed_removals != planned.removals:
        return (
            f"{planned.removals} objects would be removed, and {limits.removals} may be. To have that done: "
            f"-e drift_confirm_removals={planned.removals}"
        )
    if named or limits.confirmed_corrections == planned.corrections:
        return ""
    share = planned.corrected_objects / planned.objects if planned.objects >= _FEW else 0.0
    if planned.corrections > limits.corrections or share > limits.share:
        return (
            f"{planned.corrections} corrections of {planned.corrected_objects} of {planned.objects} objects are called "
            f"for, and at most {limits.corrections} corrections, and {limits.share:.0%} of the objects, may be made. "
            f"To have them made: -e drift_confirm_corrections={planned.corrections}"
        )
    return ""


def pause_of(value: Any, now: datetime.datetime) -> Pause | None:
    """What the variable drift_pause says; None where there is none, or it has ended. Raises UnusableArgument."""
    if not value:
        return None
    option = "drift_pause"
    if not isinstance(value, Mapping) or set(value) != {"until", "owner", "reason"}:
        raise UnusableArgument(option, "a mapping of until, owner and reason is expected, and nothing else")
    texts = {name: str(value[name]).strip() for name in ("until", "owner", "reason")}
    if not all(texts.values()):
        raise UnusableArgument(option, "until, owner and reason are needed, all of them")
    try:
        until = datetime.datetime.fromisoformat(texts["until"].replace("Z", "+00:00"))
    except ValueError:
        raise UnusableArgument(
            option, f"until: '{texts['until']}' is no time such as 2027-01-31T18:00Z"
        ) from None
    until = until.replace(tzinfo=until.tzinfo or datetime.timezone.utc)
    return Pause(until, texts["owner"], texts["reason"]) if now < until else None


def chosen_ids(text: Any) -> frozenset[str]:
    """The ids of ``drift_only`` in plain text: 7c1e09ab,… Raises UnusableArgument."""
    ids = [each.strip().lower() for each in str(text).replace(",", " ").split()]
    wrong = [each for each in ids if len(each) != 8 or set(each) - set("0123456789abcdef")]
    if wrong or not ids:
        raise UnusableArgument(
            "only", f"{', '.join(wrong) or 'it'} is no id of a finding, which has 8 hex digits"
        )
    return frozenset(ids)
