# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who takes back the changes of which module: each makes the module's own request of a change, and carries it out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Protocol

from ..certificate import assignment as certificate_assignment
from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Entry, NoJournal
from ..people import assignment, granting
from ..people.kinds import Kind
from ..powershell.shell import ManagementShell
from ..result.drift import DriftEntry, Reason
from ..result.refusals import Refused
from ..result.result import NOTHING_KNOWN, Result, computer_result
from ..settings import any_noun, apply
from ..settings.catalogue import Noun, manageable
from ..settings.identity import stored
from ..settings.reading import collections, find
from ..settings.reorder import is_sequence, renumbered
from ..settings.resource import Collection, Desired, Resource
from ..settings.resources.registry import RESOURCES
from ..windows import time_service, time_zone
from .judgement import NOTHING_TO_DO, Judgement, judge


class Handler(Protocol):
    """Lives as long as one task, and sees its changes newest first.

    A dry run judges each change as if the newer ones had been taken back, so a handler remembers what it foretold.
    """

    def judge(self, shell: ManagementShell, entry: Entry, *, overwrite_later_changes: bool) -> Judgement:
        """What to request, by what the server has now. Raises what reading raises."""

    def take_back(self, envelope: Envelope, entry: Entry, request: Any, *, after_others: bool) -> Result:
        """Carry the request out, or in check mode foretell it. Raises what a module's task raises.

        ``after_others``: newer changes of other objects are taken back before this one.
        """


Read = Callable[[ManagementShell], tuple[Resource, Sequence[Collection]]]


def _read_by(resource: Resource) -> Read:
    """The objects of a noun whose table is known."""
    return lambda shell: (resource, collections(shell, resource))


def _read_any(noun: Noun) -> Read:
    """The objects of a noun with the table that is learned from them."""

    def read(shell: ManagementShell) -> tuple[Resource, Sequence[Collection]]:
        table = any_noun.read(shell, noun, with_priority=True, verbs=("Set", "New", "Remove"))
        return table.resource, table.listed

    return read


class SettingsHandler:
    """For one noun of the Central Management Store."""

    def __init__(self, read: Read, *, is_sequence: bool = False) -> None:
        self._read = read
        self._is_sequence = is_sequence
        self._resource: Resource
        self._listed: Sequence[Collection] = ()
        self._predicted: Sequence[Collection] | None = None

    def judge(self, shell: ManagementShell, entry: Entry, *, overwrite_later_changes: bool) -> Judgement:
        if self._predicted is None:
            self._resource, self._listed = self._read(shell)
        else:
            self._listed = self._predicted
        current = find(self._listed, stored(entry.change.identity, self._resource.scopes))
        return judge(self._resource, entry, current, overwrite_later_changes=overwrite_later_changes)

    def take_back(self, envelope: Envelope, entry: Entry, request: Desired, *, after_others: bool) -> Result:
        try:
            result = apply.remediate(envelope, self._resource.ordered, request, self._listed)
        except Refused as refused:
            if not (envelope.check_mode and after_others):
                raise
            # What stands in the way may be what is taken back first.
            free = replace(self._resource.ordered, requirements=())
            result = apply.remediate(envelope, free, request, self._listed).warned(
                f"As long as the newer changes have not been taken back, this one is refused: {refused}"
            )
        if envelope.check_mode:
            predicted = self._as_predicted(request, result)
            if self._is_sequence:
                predicted = renumbered(self._listed, predicted, request.identity)
            self._predicted = predicted
        return result

    def _as_predicted(self, request: Desired, result: Result) -> list[Collection]:
        others = [each for each in self._listed if each.identity != request.identity]
        if result.after is None:
            return others
        before = find(self._listed, request.identity)
        kept = before.server_values if before else {}
        values = {
            p.option: result.after[p.option] for p in self._resource.properties if p.option in result.after
        }
        nulls = {option for option in values if {**kept, **request.values}.get(option, "") is None}
        return [*others, Collection(request.identity, values, frozenset(nulls))]


class RequestHandler:
    """For a module of one computer, whose values are compared as they are.

    ``restoring`` makes the module's request that puts a change's former values back, ``remediate`` carries it out.
    """

    def __init__(
        self, restoring: Callable[[Change], Any], remediate: Callable[[Envelope, Any], Result]
    ) -> None:
        self._restoring = restoring
        self._remediate = remediate
        self._dry = NOTHING_KNOWN
        self._newer: Result | None = None
        self._predicted: dict[str, Any] = {}
        self._differed: dict[str, DriftEntry] = {}

    def judge(self, shell: ManagementShell, entry: Entry, *, overwrite_later_changes: bool) -> Judgement:
        request = self._restoring(entry.change)
        self._dry = self._remediate(Envelope(shell, NoJournal(), check_mode=True), request)
        foreseen = self._dry.after or {}
        # What newer changes did not write is as the server has it.
        current = {**(self._dry.before or {}), **self._predicted}
        before, wanted = entry.change.before or {}, entry.change.wanted or {}
        written = [option for option in wanted if option in before and before[option] != wanted[option]]
        conflicts = tuple(
            Mismatch(option, wanted[option], current.get(option))
            for option in written
            if current.get(option) not in (wanted[option], before[option])
        )
        if conflicts and not overwrite_later_changes:
            return Judgement(conflicts=conflicts)
        if all(current.get(option) == before[option] for option in written):
            return NOTHING_TO_DO
        if not any(current.get(option) != foreseen.get(option) == before[option] for option in written):
            return Judgement(obstacle="The module has no options for the values that were there before.")
        return Judgement(request)

    def take_back(self, envelope: Envelope, entry: Entry, request: Any, *, after_others: bool) -> Result:
        if not envelope.check_mode:
            return self._remediate(envelope, request)
        # Whatever differs on the way back differed from here, or does so after a newer change.
        self._differed.update((each.property, each) for each in self._dry.drift)
        result = self._dry if self._newer is None else self._following(entry, self._newer)
        self._newer = result
        self._predicted.update(result.after or {})
        return result

    def _following(self, entry: Entry, newer: Result) -> Result:
        """What the module foretold, told from where the newer change's taking back will have led.

        Its commands are those from here: only the module knows others.
        """
        before = {
            option: self._predicted.get(option, value) for option, value in (self._dry.before or {}).items()
        }
        foreseen = self._dry.after or {}
        written = [o for o in entry.change.wanted or {} if o in (entry.change.before or {}) and o in foreseen]
        after = {**before, **{option: foreseen[option] for option in written}}
        known = self._differed.values()
        return computer_result(
            next(iter(known)).identity,
            entry.change.resource,
            before,
            after,
            [option for option in after if after[option] != before.get(option)],
            {each.property: Reason(each.severity, each.reason) for each in known},
            self._dry.commands or newer.restore_commands,
            newer.commands,
        )


class AssignmentHandler:
    """For the policies of users: each gets back what was held before, and whoever was changed since is left."""

    def __init__(self) -> None:
        self._found: Mapping[str, assignment.Held] = {}
        self._predicted: dict[tuple[str, str], str | None] = {}

    def judge(self, shell: ManagementShell, entry: Entry, *, overwrite_later_changes: bool) -> Judgement:
        kind, before = assignment.held_back_then(entry.change.before)
        _kind, wanted = assignment.held_back_then(entry.change.wanted)
        self._found = granting.held_now(shell, kind, list(before))
        present = {name: each.policy for name, each in self._found.items()}
        present.update({name: policy for (k, name), policy in self._predicted.items() if k == kind.option})
        restored = {}
        conflicts = []
        for name, policy in before.items():
            if name not in self._found:
                conflicts.append(Mismatch(name, wanted.get(name), "no such user"))
            elif assignment.same_policy(present[name], policy):
                continue
            elif overwrite_later_changes or assignment.same_policy(present[name], wanted.get(name)):
                restored[name] = policy
            else:
                conflicts.append(Mismatch(name, wanted.get(name), present[name]))
        left = () if overwrite_later_changes else tuple(conflicts)
        return Judgement(Restoring(kind, present, restored, bool(left)) if restored else None, left)

    def take_back(
        self, envelope: Envelope, entry: Entry, request: Restoring, *, after_others: bool
    ) -> Result:
        assignments = [
            assignment.Assignment(self._found[name].user, None, request.present[name], policy)
            for name, policy in request.restored.items()
        ]
        result = granting.restore(
            envelope,
            request.kind,
            assignments,
            policies_may_come=after_others,
            leaves_some=request.leaves_some,
        )
        if envelope.check_mode:
            self._predicted.update(
                ((request.kind.option, name), policy) for name, policy in request.restored.items()
            )
        return result


@dataclass(frozen=True)
class Restoring:
    """What users hold now, and what those of them are to hold who get back what they held; whether others do not."""

    kind: Kind
    present: Mapping[str, str | None]
    restored: Mapping[str, str | None]
    leaves_some: bool


HANDLERS: Mapping[str, Callable[[], Handler]] = {
    **{
        noun.name: partial(SettingsHandler, _read_any(noun), is_sequence=is_sequence(noun))
        for noun in manageable()
        if not noun.read_only
    },
    **{name: partial(SettingsHandler, _read_by(resource)) for name, resource in RESOURCES.items()},
    assignment.RESOURCE: AssignmentHandler,
    certificate_assignment.RESOURCE: partial(
        RequestHandler, certificate_assignment.restoring_request, certificate_assignment.remediate
    ),
    "time_zone": partial(RequestHandler, time_zone.restoring_request, time_zone.remediate),
    "time_service": partial(RequestHandler, time_service.restoring_request, time_service.remediate),
}
"""By the name of the module, or of the noun that the module `setting` was given."""
