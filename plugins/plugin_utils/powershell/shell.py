# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the subject rooms see of a server: a shell that runs commands and says what it offers."""

from __future__ import annotations

from typing import Protocol

from .commands import Command
from .errors import CommandError, Endpoint
from .results import ErrorReport, Results


class ManagementShell(Protocol):
    """An open Management Shell. `session.Session` is the real one."""

    @property
    def endpoint(self) -> Endpoint: ...

    @property
    def protocol_version(self) -> str:
        """The version of the remoting protocol that was agreed on, such as 2.3."""

    @property
    def powershell_version(self) -> str | None:
        """The server's $PSVersionTable.PSVersion, or None if it did not tell when the session was opened."""

    @property
    def resumed(self) -> bool:
        """Whether the session was opened by an earlier task of the run. Known once a command has run."""

    def run(self, *commands: Command, changes: bool = False) -> Results:
        """Run the commands as the statements of one pipeline, in order (one pipeline each on PowerShell 2 hosts).

        What a statement fails with stands in ``Results.errors``; the next statement runs all the same, as in
        PowerShell. With ``changes`` nothing is ever sent twice: raises `errors.LostInMidCommand` or `errors.TimedOut`
        when the outcome is not known. Without it, a broken connection is answered with one more try in a new session.
        Raises the subclasses of `errors.ConnectionRefused` where no session can be had.
        """

    def classify(self, report: ErrorReport) -> CommandError:
        """The exception that stands for an error record."""

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        """The statements still needed to learn what these cmdlets offer; none where this session knows already."""

    def offered(self, cmdlet: str) -> frozenset[str] | None:
        """The parameters that the session's cmdlet has, or None where the session does not offer it.

        Empty where the server offers the cmdlet without telling its parameters: then only running it shows what it
        takes. Known once the statements of `describing` have run. Raises KeyError before that.
        """

    def server_version(self) -> str | None:
        """Product and build as Get-CsServerVersion prints them, or None where the session cannot tell."""
