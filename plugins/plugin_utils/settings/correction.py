# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying a plan out: write, read back, and tell what has become of the object, whatever goes wrong on the way."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Envelope
from ..change.journal import Change, Restorable
from ..powershell.commands import Command, Switch
from ..powershell.errors import ManagementShellError
from ..result.result import Result
from .identity import Identity, Scope
from .plan import Cmdlets, Plan, mismatches
from .reading import collections, find, is_complete, listed_in
from .resource import Collection, Kind, Resource, Values


def restorable(resource: Resource, kind: Kind, identity: Identity) -> Restorable:
    """Whether a change can be taken back whole: who had been granted a policy, and what properties do not show, is lost
    with the object.
    """
    is_gone = kind in (Kind.REMOVE, Kind.RECREATE, Kind.RESET)
    loses_grants = kind is Kind.REMOVE and identity.scope is Scope.USER and not identity.item
    return Restorable.VALUES_ONLY if loses_grants or (is_gone and resource.is_partial) else Restorable.YES


@dataclass(frozen=True)
class Correction:
    """A plan that is to be carried out. ``actual`` is the object that was read before."""

    envelope: Envelope
    planned: Plan
    cmdlets: Cmdlets
    actual: Collection | None

    def carry_out(self) -> Result:
        """Returns the module's result. Raises ChangeFailed."""
        self.envelope.begin(self._entry())
        found, read = self._write(self.planned.commands)
        if self.planned.kind is Kind.RECREATE and read and found is None and self.envelope.all_ended:
            return self._put_back()
        if not read:
            found = self._read_back()
        return self._conclude(found)

    # -- writing and reading back --

    def _write(self, commands: tuple[Command, ...]) -> tuple[Collection | None, bool]:
        """Send each command in a pipeline of its own, until one fails; what was found then, and whether it was read.

        Only a Set- may share its pipeline with the reading: behind whatever creates or removes, PowerShell sends
        nothing of it after a failure.
        """
        found: Collection | None = None
        read = False
        for command in commands:
            is_set = command.verb == "Set"
            answer = self.envelope.write(self._unattended(command), read=self._get if is_set else None)
            listed = listed_in(answer.results, self.planned.resource) if is_set and answer.whole else []
            read = bool(listed) and is_complete(listed, self.planned.resource)
            if read:
                found = find(listed, self.planned.identity)
            if not answer.whole:
                break
            if command.verb == "Remove" and len(commands) > 1:
                found, read = self._read_back(), True
                if found is not None:
                    break
                read = False
        if not read and self.planned.kind is Kind.RECREATE:
            found, read = self._read_back(), True
        return found, read

    @property
    def _get(self) -> Command:
        return Command(self.planned.resource.cmdlet("Get"))

    def _unattended(self, command: Command) -> Command:
        """The command with what keeps it from asking questions, which nobody could answer."""
        silencing = {"Force": Switch.PRESENT, "Confirm": False}
        taken = {name: value for name, value in silencing.items() if self.cmdlets.takes(command.name, name)}
        return Command(command.name, {**command.parameters, **taken})

    def _read_back(self) -> Collection | None:
        """Read in a pipeline of its own. Raises ChangeFailed where that fails as well."""
        try:
            return find(collections(self.envelope.shell, self.planned.resource), self.planned.identity)
        except ManagementShellError as error:
            raise self.envelope.unread(self._object, error) from error

    # -- afterwards --

    def _put_back(self) -> Result:
        """What a re-creation removed, and did not create, is created as it was. Raises ChangeFailed, unless the object
        turns out to have been created after all.
        """
        remove, *creation = self.planned.restoration
        del remove
        found, read = self._write(tuple(creation))
        if not read:
            found = self._read_back()
        if not mismatches(self.planned.resource, self.planned.wanted, found):
            return self._conclude(found)
        back = self.actual is not None and not mismatches(self.planned.resource, self.actual.values, found)
        outcome = "has been put back" if back else "could not be put back"
        sentences = [str(trouble) for trouble in self.envelope.troubles] or [
            f"{self._object} was created without an error, and is not there."
        ]
        result = replace(
            self.envelope.known,
            after=self._as_options(found),
            changed=not back,
            restore_commands=() if back else tuple(creation),
        )
        raise self.envelope.failed(
            f"{' '.join(sentences)} It had been removed by then, and {outcome}.", result
        )

    def _conclude(self, found: Collection | None) -> Result:
        planned = self.planned
        different = mismatches(planned.resource, planned.wanted, found, exact=planned.exact)
        after = self._as_options(found)
        if not different and after is not None and planned.after is not None:
            # The properties that were foreseen, so that a dry run's result is the real run's, byte for byte.
            after = {option: after.get(option) for option in planned.after}
        return self.envelope.conclude(self._object, after, different)

    @property
    def _object(self) -> str:
        return f"The {self.planned.resource.title} '{self.planned.identity}'"

    def _as_options(self, found: Collection | None) -> dict[str, Any] | None:
        return self.planned.resource.as_options(found) if found else None

    # -- the journal --

    def _entry(self) -> Change:
        planned = self.planned
        return Change(
            resource=planned.resource.name,
            identity=str(planned.identity),
            kind=planned.kind.value,
            before=None if self.actual is None else self.actual.server_values,
            wanted=None if planned.kind is Kind.REMOVE else self._wanted(),
            restorable=restorable(planned.resource, planned.kind, planned.identity),
        )

    def _wanted(self) -> Values:
        """What is written; of an object that is made, all that it will have."""
        planned = self.planned
        if planned.kind not in (Kind.CREATE, Kind.RECREATE) or planned.after is None:
            return planned.written
        properties = [p.option for p in planned.resource.properties]
        return {option: planned.after[option] for option in properties if option in planned.after}
