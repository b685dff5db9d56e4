# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying a plan out: write, read back, and say what has become of the object, whatever goes wrong on the
way.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell import errors
from ..powershell.commands import Command, Switch
from ..powershell.ordinal import same_name
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.display import as_line, shown
from ..result.refusals import ChangeFailed
from .plan import Offer, Plan, unkept
from .reading import collections, find, listed_in
from .resource import Collection


@dataclass(frozen=True)
class Change:
    """A plan that is to be carried out, and ``result``, what is known of the outcome beforehand."""

    shell: ManagementShell
    planned: Plan
    offer: Offer
    result: dict[str, Any]

    def carry_out(self) -> dict[str, Any]:
        """Write and read back in one pipeline; returns the module's result. Raises ChangeFailed."""
        try:
            results = self._write(self.planned.commands)
        except (errors.LostInMidCommand, errors.TimedOut) as lost:
            return self._after_losing_the_line(lost)
        found = self._read_back(results)
        differences = unkept(self.planned.resource, self.planned.wanted, found)
        if results.errors:
            cause = self.shell.classify(results.errors[0])
            if differences:
                raise self._after_a_refusal(cause, found)
            # Another administrator, or another host of the same deployment, came first.
            return self._corrected(found, f"{cause} Read back since: everything is as wanted.")
        if differences:
            details = "; ".join(
                f"{each.option} should be {shown(each.wanted)} and is {shown(each.found)}"
                for each in differences
            )
            raise self._failed(
                f"{self._object} was written without an error, but did not keep it: {details}.", found
            )
        return self._corrected(found)

    # -- writing and reading back --

    def _write(self, commands: Sequence[Command]) -> Results:
        return self.shell.run(*(self._unattended(c) for c in commands), self._read, changes=True)

    @property
    def _read(self) -> Command:
        return Command(self.planned.resource.cmdlet("Get"))

    def _unattended(self, command: Command) -> Command:
        """The command with what keeps it from asking questions, which nobody could answer."""
        silencing = {"Force": Switch.PRESENT, "Confirm": False}
        taken = {name: value for name, value in silencing.items() if self.offer.takes(command.name, name)}
        return Command(command.name, {**command.parameters, **taken})

    def _read_back(self, results: Results) -> Collection | None:
        read = self._read.name
        for report in results.errors:
            if same_name(report.command or "", read):
                cause = self.shell.classify(report)
                raise self._unknown(f"{self._object} was written and could not be read back: {cause}", cause)
        return find(listed_in(results, self.planned.resource), self.planned.identity)

    # -- when it does not go as planned --

    def _after_losing_the_line(self, lost: errors.ManagementShellError) -> dict[str, Any]:
        try:
            found = find(collections(self.shell, self.planned.resource), self.planned.identity)
        except errors.ManagementShellError as unread:
            raise self._unknown(f"{lost} Reading it back failed as well: {unread}") from lost
        if not unkept(self.planned.resource, self.planned.wanted, found):
            return self._corrected(found, f"{lost} Read back since: the change is in place.")
        sentence = f"{lost} Read back since: {self._state(found)}"
        if self.planned.restoration and found is None:
            sentence += f" {self._way_back}"
        raise self._failed(sentence, found) from lost

    def _after_a_refusal(self, cause: errors.CommandError, found: Collection | None) -> ChangeFailed:
        """The error to raise, after putting back what a removal has taken away."""
        sentence = str(cause)
        if self.planned.restoration and found is None:
            try:
                again = self._write(self.planned.restoration)
                found = self._read_back(again)
                failure = "; ".join(str(self.shell.classify(report)) for report in again.errors)
            except errors.ManagementShellError as error:
                failure = str(error)
            if found is None:
                return self._failed(
                    f"{sentence} {self._object} had been removed by then, and could not be put back: "
                    f"{failure} "
                    f"{self._way_back}",
                    found,
                    cause,
                )
            sentence += " It had been removed by then, and has been put back."
        return self._failed(f"{sentence} Read back since: {self._state(found)}", found, cause)

    @property
    def _object(self) -> str:
        return f"The {self.planned.resource.title} '{self.planned.identity}'"

    @property
    def _way_back(self) -> str:
        return "To put it back, run: " + "; ".join(command.as_text() for command in self.planned.restoration)

    def _state(self, found: Collection | None) -> str:
        if found is None:
            return f"the {self.planned.resource.title} '{self.planned.identity}' does not exist."
        if self._as_options(found) == self.planned.before:
            return "nothing has been changed."
        wrong = unkept(self.planned.resource, self.planned.wanted, found)
        return "; ".join(as_line(each.option, each.found) for each in wrong) + "."

    # -- results --

    def _as_options(self, found: Collection | None) -> dict[str, Any] | None:
        return self.planned.resource.as_options(found) if found else None

    def _corrected(self, found: Collection | None, *warnings: str) -> dict[str, Any]:
        told = {"warnings": list(warnings)} if warnings else {}
        return {**self.result, "status": "corrected", "after": self._as_options(found), **told}

    def _failed(
        self, sentence: str, found: Collection | None, cause: errors.CommandError | None = None
    ) -> ChangeFailed:
        after = self._as_options(found)
        outcome = {"changed": after != self.planned.before, "status": "drifted", "after": after}
        return ChangeFailed(sentence, {**self.result, **outcome}, cause)

    def _unknown(self, sentence: str, cause: errors.CommandError | None = None) -> ChangeFailed:
        sentence += " Whether the change took effect is not known."
        return ChangeFailed(sentence, {**self.result, "status": "unknown", "after": None}, cause)
