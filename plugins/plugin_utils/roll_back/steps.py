# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What became of each change that was to be taken back, and how people are told."""

from __future__ import annotations

import enum
import textwrap
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from ..change.envelope import Mismatch
from ..change.journal import Entry
from ..powershell.errors import ManagementShellError
from ..powershell.values import as_result
from ..result.display import shown
from ..result.drift import DriftEntry
from ..result.result import Result

_WIDTH = 76
_NAMED = 20
"""As many differences of one change as the lines for people name."""


class Outcome(enum.Enum):
    """What became of one change; in check mode, what would. The value is what users see."""

    TAKEN_BACK = "taken_back"
    BACK_ALREADY = "back_already"
    """It was taken back before, never came about, or the server has the former values for another reason."""
    CONFLICT = "conflict"
    """The server has neither the former values nor those that were written."""
    BEHIND_CONFLICT = "behind_conflict"
    """A newer change of the same object could not be taken back."""
    IMPOSSIBLE = "impossible"
    """Nothing takes such a change back, as a restart."""
    ELSEWHERE = "elsewhere"
    """It was made under the same name at another address."""
    REFUSED = "refused"
    FAILED = "failed"
    NOT_TRIED = "not_tried"
    """Something failed before its turn came."""


LEFT = frozenset(
    {Outcome.CONFLICT, Outcome.BEHIND_CONFLICT, Outcome.REFUSED, Outcome.FAILED, Outcome.NOT_TRIED}
)
"""What was to be taken back, and is not."""


@dataclass(frozen=True)
class Step:
    """One change of the journal, and what became of it.

    ``result`` is the module's, where it was asked, and ``error`` is its failure.
    """

    entry: Entry
    outcome: Outcome
    reason: str = ""
    conflicts: tuple[Mismatch, ...] = ()
    result: Result | None = None
    error: ManagementShellError | None = None

    @property
    def name(self) -> str:
        return f"{self.entry.change.resource} {self.entry.change.identity}"

    def as_dict(self) -> dict[str, Any]:
        entry, change = self.entry, self.entry.change
        return {
            "id": entry.id,
            "run": entry.run,
            "time": entry.time,
            "resource": change.resource,
            "identity": change.identity,
            "kind": change.kind,
            "restorable": change.restorable.value,
            "outcome": self.outcome.value,
            "reason": self.reason,
            "conflicts": [
                {"property": c.property, "written": as_result(c.wanted), "found": as_result(c.found)}
                for c in self.conflicts
            ],
        }


def summary(steps: Sequence[Step], *, check_mode: bool) -> list[str]:
    """The changes in lines that a narrow terminal holds."""
    sections = (
        ("Would be taken back" if check_mode else "Taken back", {Outcome.TAKEN_BACK}),
        ("Not taken back", LEFT),
        ("Cannot be taken back", {Outcome.IMPOSSIBLE, Outcome.ELSEWHERE}),
        ("Nothing to do", {Outcome.BACK_ALREADY}),
    )
    lines: list[str] = []
    for title, outcomes in sections:
        chosen = [step for step in steps if step.outcome in outcomes]
        lines += [title] if chosen else []
        for step in chosen:
            lines += _wrapped(
                f"{step.name}, changed {step.entry.time[:19].replace('T', ' ')} UTC", "* ", "  "
            )
            for line in _details(step):
                lines += _wrapped(line, "  - ", "    ")
    return lines


def _details(step: Step) -> Iterator[str]:
    for conflict in step.conflicts:
        written, found = shown(as_result(conflict.wanted)), shown(as_result(conflict.found))
        yield f"{conflict.property}: written {written}, now {found}"
    if step.result is not None and step.outcome is Outcome.TAKEN_BACK:
        for entry in step.result.drift[:_NAMED]:
            yield f"{_of(step, entry)}: {shown(as_result(entry.current))} -> {shown(as_result(entry.desired))}"
        if len(step.result.drift) > _NAMED:
            yield f"and {len(step.result.drift) - _NAMED} more"
    if step.reason:
        yield step.reason


def _of(step: Step, entry: DriftEntry) -> str:
    """What differed: a property of the object, or one of several objects that were changed together."""
    several = len({each.identity for each in step.result.drift}) > 1 if step.result else False
    return entry.identity if several else entry.property


def _wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(text, _WIDTH, initial_indent=first, subsequent_indent=later, break_on_hyphens=False)
