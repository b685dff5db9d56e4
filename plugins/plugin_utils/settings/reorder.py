# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Bringing the objects of a noun into an order: the fewest of them are moved, lowest first, each read back."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any

from ..change.envelope import Envelope
from ..powershell.commands import Command
from ..result.display import as_line
from ..result.drift import DriftEntry
from ..result.refusals import Refused
from ..result.result import Result
from ..result.status import Status
from . import any_noun, apply
from .any_noun import Table
from .catalogue import Noun
from .identity import Identity
from .order import placements
from .reading import find
from .resource import Collection, Desired

# Its -Priority is one within a region, which has to be named as well (Set-CsDialInConferencingAccessNumber).
_BY_REGION = "CsDialInConferencingAccessNumber"


def reorder(
    envelope: Envelope, noun: Noun, wanted: Sequence[Identity], made: Sequence[Identity] = ()
) -> Result:
    """Objects that are not in ``wanted`` stay where they are among the others.

    ``made`` were made right before: check mode, where they are not there, takes them to come last.

    Every move is a change of its own in the journal, so that taking them back, newest first, brings the order back.
    Raises Refused, and what `apply.remediate` raises.
    """
    if noun.name == _BY_REGION:
        raise Refused(
            f"The order of {noun.name} is one within each region, and is not managed by this collection"
        )
    table = _read(envelope, noun)
    if envelope.check_mode:
        table = replace(table, order=(*table.order, *(each for each in made if each not in table.order)))
    steps = _steps(table, wanted)
    after = _foreseen(table.order, steps)
    result = Result(
        status=Status.DRIFTED if steps else Status.IN_DESIRED_STATE,
        changed=bool(steps),
        before={"order": [str(each) for each in table.order]},
        after={"order": [str(each) for each in after]},
        header=f"{noun.name} on {envelope.shell.endpoint.name}",
    )
    if not steps:
        return result
    current, desired = list((result.before or {})["order"]), list((result.after or {})["order"])
    result = replace(
        result,
        drift=(DriftEntry(noun.name, "", "order", current, desired, noun.severity, noun.reason),),
        commands=tuple(_command(noun, table, identity, place) for identity, place in steps),
        diff=(f"{as_line('order', current)}\n", f"{as_line('order', desired)}\n"),
    )
    if envelope.check_mode:
        return result
    done: list[Result] = []
    while steps:
        identity, place = steps[0]
        values = {"Priority": _number(table, identity, place)}
        done.append(apply.remediate(envelope, table.resource, Desired(identity, values), table.listed))
        table = _read(envelope, noun)
        following = _steps(table, wanted)
        if len(following) >= len(steps):
            raise envelope.failed(
                f"{noun.name} was written without an error, but the server does not keep the order.",
                replace(result, status=Status.DRIFTED, after={"order": [str(each) for each in table.order]}),
            )
        steps = following
    return replace(
        result,
        status=Status.CORRECTED,
        after={"order": [str(each) for each in table.order]},
        commands=tuple(command for each in done for command in each.commands),
        restore_commands=tuple(command for each in reversed(done) for command in each.restore_commands),
        warnings=tuple(warning for each in done for warning in each.warnings),
    )


def is_sequence(noun: Noun) -> bool:
    """Whether its objects are numbered one after the other, in each scope."""
    return noun.has_priority and noun.name != _BY_REGION


def renumbered(
    before: Sequence[Collection], after: Sequence[Collection], changed: Identity
) -> list[Collection]:
    """What the server makes of a sequence of which one object was written, or has come or gone: the others make room
    for it, or close up.
    """
    line = [each for each in after if _scope(each.identity) == _scope(changed)]
    numbers = [each.values.get("Priority") for each in line]
    if not all(isinstance(number, int) for number in numbers):
        return list(after)
    known = [each.values["Priority"] for each in before if _scope(each.identity) == _scope(changed)]
    first = min([*known, *numbers], default=0)
    line.sort(key=lambda each: each.values["Priority"])
    placed = find(line, changed)
    if placed is not None:
        line.remove(placed)
        line.insert(placed.values["Priority"] - first, placed)
    others = [each for each in after if _scope(each.identity) != _scope(changed)]
    return [
        *others,
        *(
            replace(each, values={**each.values, "Priority": number})
            for number, each in enumerate(line, start=first)
        ),
    ]


def _read(envelope: Envelope, noun: Noun) -> Table:
    return any_noun.read(envelope.shell, noun, with_priority=True, verbs=("Set", "New"))


def _steps(table: Table, wanted: Sequence[Identity]) -> list[tuple[Identity, int]]:
    """The moves within each scope, which has a sequence of its own."""
    return [
        step
        for scope in dict.fromkeys(_scope(each) for each in table.order)
        for step in placements(_within(table.order, scope), _within(wanted, scope))
    ]


def _scope(identity: Identity) -> Identity | None:
    return identity.parent if identity.item else None


def _within(identities: Iterable[Identity], scope: Identity | None) -> list[Identity]:
    return [each for each in identities if _scope(each) == scope]


def _number(table: Table, identity: Identity, place: int) -> Any:
    """The priority that stands for a place: the server's own numbers, in order."""
    line = _within(table.order, _scope(identity))
    numbers = [found.values["Priority"] for each in line if (found := find(table.listed, each)) is not None]
    numbers = sorted(numbers)
    while len(numbers) <= place:
        numbers.append(numbers[-1] + 1 if numbers else 0)
    return numbers[place]


def _command(noun: Noun, table: Table, identity: Identity, place: int) -> Command:
    return Command(
        noun.cmdlet("Set"), {"Identity": identity.argument, "Priority": _number(table, identity, place)}
    )


def _foreseen(order: Sequence[Identity], steps: Sequence[tuple[Identity, int]]) -> list[Identity]:
    lines: dict[Identity | None, list[Identity]] = {}
    for each in order:
        lines.setdefault(_scope(each), []).append(each)
    for identity, place in steps:
        line = lines[_scope(identity)]
        line.remove(identity)
        line.insert(place, identity)
    return [each for line in lines.values() for each in line]
