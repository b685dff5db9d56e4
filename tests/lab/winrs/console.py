# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What a process prints, and how what comes out of PowerShell's streams is printed there."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, replace
from typing import Any

from psrpcore.types import ErrorCategory, ErrorRecord

from ..contract import CommandEntry, RedirectedStreams, Streams, TerminatingError
from ..host_process import Execution
from ..psrp.records import error_record
from ..psrp.redirection import Redirected, Redirections

Write = Callable[[str], None]


@dataclass(frozen=True)
class Console:
    """Standard output, standard error and (all of) standard input of a process."""

    stdout: Write
    stderr: Write
    stdin: Callable[[], str]

    def redirected(self, stdout: str, stderr: str) -> Console:
        """With output that goes to 'stdout', 'stderr' or 'nul'."""
        targets: Mapping[str, Write] = {
            "stdout": self.stdout,
            "stderr": self.stderr,
            "nul": lambda text: None,
        }
        return replace(self, stdout=targets[stdout], stderr=targets[stderr])


@dataclass(frozen=True)
class Window:
    """What all programs of one command have in common: how they are executed, and whether they are to end."""

    execution: Execution
    stopped: threading.Event


class ProgramStreams(Streams):
    """The streams of a native program: lines, and error records that are lines of its standard error."""

    def __init__(self, window: Window, console: Console) -> None:
        self.stopped = window.stopped
        self.exit_code: int | None = None
        self._execution = window.execution
        self._console = console

    def output(self, value: Any) -> None:
        self._console.stdout(f"{value}\r\n")

    def error(self, record: ErrorRecord) -> None:
        self._console.stderr(f"{record}\r\n")

    def warning(self, text: str) -> None:
        self._console.stdout(f"WARNING: {text}\r\n")

    def verbose(self, text: str) -> None:
        self._console.stdout(f"VERBOSE: {text}\r\n")

    def debug(self, text: str) -> None:
        self._console.stdout(f"DEBUG: {text}\r\n")

    def information(self, data: Any, source: str, tags: Sequence[str] = ()) -> None:
        """Not shown, unless as the host's own (Write-Host), which comes by host_write_line as well."""

    def progress(self, activity: str, status: str, percent: int = -1, completed: bool = False) -> None:
        """Shown in a window only."""

    def host_write_line(self, text: str) -> None:
        """Recorded: a line of the host's ends with a line feed alone where its output is redirected."""
        self._console.stdout(f"{text}\n")

    def host_exit(self, code: int) -> None:
        self.exit_code = code

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        """Nobody can answer.

        Source: PowerShell/PowerShell, ConsoleHostUserInterfaceStrings.resx and ConsoleHostUserInterface.cs; that it is
        so without -NonInteractive, too, is a simplification.
        """
        raise TerminatingError(
            error_record(
                [
                    "System.Management.Automation.PSInvalidOperationException",
                    "System.InvalidOperationException",
                ],
                "Windows PowerShell is in NonInteractive mode. Read and Prompt functionality is not available.",
                ErrorCategory.InvalidOperation,
                "InvalidOperation",
            )
        )

    def redirected(self, redirections: Redirections) -> RedirectedStreams:
        return Redirected(self, redirections, {})

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        return self._execution.command(name, statement, program)
