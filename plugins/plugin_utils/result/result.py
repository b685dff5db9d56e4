# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of every module that changes something: the same keys, whatever became of the change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.commands import Command
from .display import as_line
from .drift import DriftEntry, Reason
from .status import Status


@dataclass(frozen=True)
class Result:
    """Built before anything is written, and completed by what becomes of the change.

    ``before`` and ``after`` are the object as the module's options describe it, None where it does not exist or is not
    known. ``commands`` make the change, ``restore_commands`` would take it back. ``details`` are the module's own keys.
    """

    status: Status
    changed: bool
    before: Mapping[str, Any] | None = None
    after: Mapping[str, Any] | None = None
    drift: tuple[DriftEntry, ...] = ()
    commands: tuple[Command, ...] = ()
    restore_commands: tuple[Command, ...] = ()
    header: str = ""
    diff: tuple[str, str] = ("", "")
    details: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "changed": self.changed,
            "status": self.status.value,
            "before": None if self.before is None else dict(self.before),
            "after": None if self.after is None else dict(self.after),
            "drift": [entry.as_dict() for entry in self.drift],
            "commands": [command.as_text() for command in self.commands],
            "restore_commands": [command.as_text() for command in self.restore_commands],
            "diff": {
                "before": self.diff[0],
                "after": self.diff[1],
                "before_header": self.header,
                "after_header": self.header,
            },
            **self.details,
        }
        return {**found, "warnings": list(self.warnings)} if self.warnings else found

    def warned(self, *warnings: str) -> Result:
        return replace(self, warnings=self.warnings + warnings)

    def with_details(self, **details: Any) -> Result:
        return replace(self, details={**self.details, **details})


NOTHING_KNOWN = Result(Status.UNKNOWN, changed=False)
"""The result of a task that ended before it had read anything."""


def computer_result(
    computer: str,
    resource: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    changed: Iterable[str],
    reasons: Mapping[str, Reason],
    commands: Iterable[Command],
    restore_commands: Iterable[Command] = (),
) -> Result:
    """The result of a change to one computer before anything is done. ``changed`` names the options that differ."""
    options = list(changed)
    return Result(
        status=Status.DRIFTED if options else Status.IN_DESIRED_STATE,
        changed=bool(options),
        before=dict(before),
        after=dict(after),
        drift=tuple(
            DriftEntry(
                resource,
                computer,
                option,
                before.get(option),
                after.get(option),
                reasons[option].severity,
                reasons[option].text,
            )
            for option in options
        ),
        commands=tuple(commands),
        restore_commands=tuple(restore_commands),
        header=f"{resource} of {computer}",
        diff=(
            "".join(f"{as_line(option, before.get(option))}\n" for option in options),
            "".join(f"{as_line(option, after.get(option))}\n" for option in options),
        ),
    )
