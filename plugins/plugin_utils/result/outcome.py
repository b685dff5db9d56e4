# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The result of a change to one computer: the same keys whether it was made, or only would be."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import CommandError, LostInMidCommand, ManagementShellError, TimedOut
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from .display import as_line
from .refusals import ChangeFailed
from .severity import Severity


@dataclass(frozen=True)
class Reason:
    """Why a difference in one option matters."""

    severity: Severity
    text: str


def outcome(
    shell: ManagementShell,
    resource: str,
    before: Mapping[str, Any],
    after: Mapping[str, Any],
    changed: Iterable[str],
    reasons: Mapping[str, Reason],
    commands: Iterable[Command],
) -> dict[str, Any]:
    """The result before anything is done; what is done is then added to it. ``changed`` names the options
    that differ.
    """
    options = list(changed)
    header = f"{resource} of {shell.endpoint.name}"
    return {
        "changed": bool(options),
        "status": "drifted" if options else "in_desired_state",
        "before": dict(before),
        "after": dict(after),
        "drift": [
            {
                "resource": resource,
                "identity": shell.endpoint.name,
                "property": option,
                "current": before.get(option),
                "desired": after.get(option),
                "severity": reasons[option].severity.value,
                "reason": reasons[option].text,
            }
            for option in options
        ],
        "commands": [command.as_text() for command in commands],
        "diff": {
            "before": "".join(f"{as_line(option, before.get(option))}\n" for option in options),
            "after": "".join(f"{as_line(option, after.get(option))}\n" for option in options),
            "before_header": header,
            "after_header": header,
        },
    }


def with_warnings(result: Mapping[str, Any], warnings: Iterable[str]) -> dict[str, Any]:
    found = list(warnings)
    return {**result, "warnings": found} if found else dict(result)


def failed(
    sentence: str, result: Mapping[str, Any], cause: CommandError | None = None, *, status: str = "drifted"
) -> ChangeFailed:
    return ChangeFailed(sentence, {**result, "status": status}, cause)


def write_and_read(
    shell: ManagementShell, commands: Iterable[Command], reads: Iterable[Command], result: Mapping[str, Any]
) -> tuple[Results, list[str]]:
    """Write and read back in one pipeline; where the line breaks, read again and say so in the warnings.

    Raises ChangeFailed with status unknown where not even reading works any more.
    """
    reads = list(reads)
    try:
        return shell.run(*commands, *reads, changes=True), []
    except (LostInMidCommand, TimedOut) as lost:
        try:
            return shell.run(*reads), [str(lost)]
        except ManagementShellError as unread:
            raise failed(
                f"{lost} Reading it back failed as well: {unread}",
                {**result, "after": None},
                status="unknown",
            ) from lost
