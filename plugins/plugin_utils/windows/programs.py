# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Native programs as commands of a pipeline: they answer on standard output, and what stands on standard error says
nothing of success.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..powershell.commands import Command
from ..powershell.ordinal import same_name
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable


class ProgramMissing(Unreadable):
    """A program that Windows has from Server 2008 R2 on is not there."""

    def __init__(self, program: str, server: str) -> None:
        super().__init__(f"{program} does not exist on {server}; it came with Windows Server 2008 R2.")


class ProgramPrinted(Unreadable):
    """What a program had to say that did not do what it was asked for."""

    def __init__(self, program: Command, lines: Sequence[str]) -> None:
        super().__init__(f"{program.as_text()} printed: {' '.join(line.strip() for line in lines)}")


def output(shell: ManagementShell, results: Results, program: Command) -> list[str]:
    """What the program printed, of a pipeline in which it is the only program.

    Raises ProgramMissing, Unreadable with its complaints, or what the server said, where it printed nothing.
    """
    printed = strings(results)
    if printed:
        return printed
    complaints = []
    for report in results.errors:
        if report.identifier == "CommandNotFoundException":
            if same_name(report.target or "", program.name):
                raise ProgramMissing(program.name, shell.endpoint.name)
        elif report.is_from_program:
            complaints += [] if report.is_empty_line else [report.message]
        elif report.command in (None, program.name):
            raise shell.classify(report)
    if complaints:
        raise Unreadable(f"{program.as_text()} failed: {' '.join(complaints)}")
    return []


def strings(results: Results) -> list[str]:
    return [value for value in results.output if isinstance(value, str)]


def text_lines(printed: Sequence[object]) -> list[str]:
    """A program's output as its lines that are not empty, however it was cut into strings."""
    return [line for line in "\n".join(str(part) for part in printed).splitlines() if line.strip()]
