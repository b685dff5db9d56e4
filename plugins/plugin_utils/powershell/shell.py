# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the subject rooms see of a server: a shell that runs commands and says what it offers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from .commands import Command
from .errors import CommandError, Endpoint
from .results import ErrorReport, Results

SERVER_VERSION = Command("Get-CsServerVersion")


class ManagementShell(Protocol):
    """An open Management Shell. `session.Session` is the real one."""

    @property
    def endpoint(self) -> Endpoint:
        """What it speaks to."""

    @property
    def protocol_version(self) -> str:
        """The version of the remoting protocol that was agreed on, such as 2.3."""

    @property
    def powershell_version(self) -> str | None:
        """The server's $PSVersionTable.PSVersion, or None if it did not tell when the session was opened."""

    @property
    def resumed(self) -> bool:
        """Whether the session was opened by an earlier task of the run. Known once a command has run."""

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        """Run the commands as the statements of one pipeline, in order (one pipeline each on PowerShell 2 hosts).

        What a statement fails with stands in ``Results.errors``, and ``Results.state`` is the final state received.

        A change may have a ``limit`` in seconds that is tighter than the session's own.

        Reading (``changes`` false) may be repeated, and is: a broken connection is answered with one more try in a new
        session, and where a statement's error may have cost the answers of others, each statement is asked again in a
        pipeline of its own. So every statement of a reading is answered or has an error that names its command.

        With ``changes`` nothing is ever sent twice, on any version. After a terminating failure PowerShell still runs
        the statements that follow and sends nothing of them, so only the last statement of a change may be a reading,
        and it is answered only where the ones before succeeded.

        Raises the subclasses of `errors.ConnectionRefused` where nothing was accepted, and of `errors.OutcomeUnknown`
        where something was, or may have been, and the answer is not complete. Its ``ended`` says whether the final
        state of every pipeline was received in the end: the pipeline is told to stop, and listened to on a new
        connection if need be. Where that state does not come the session is deleted, so far as that can be done, and
        ``ended`` stays false: a stop or a deletion that the server acknowledges does not prove that a cmdlet has let
        go, and a server that does not know a pipeline forgets those that finished and those it never got alike.
        """

    def read_once(self, *commands: Command) -> Results:
        """Run statements that read as one pipeline, and ask nothing again that an error of one of them has cost.

        Where ``Results.whole`` is false, everything behind the first statement that failed may be missing. Raises what
        `run` raises.
        """

    def take_warnings(self) -> list[str]:
        """What the server has warned of since the last call, each text once."""

    def classify(self, report: ErrorReport) -> CommandError:
        """The exception that stands for an error record."""

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        """The statements still needed to learn what these cmdlets offer; none where this session knows already."""

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        """The parameters that the session's cmdlet has, or None where the session does not offer it.

        Empty where the server offers the cmdlet without telling its parameters: then only running it shows what it
        takes. Known once the statements of `describing` have run, and asked for where the session that ran them is
        gone. Raises what `run` raises.
        """

    def parameter_types(self, cmdlet: str) -> Mapping[str, str]:
        """The types of these parameters, as the cmdlet's syntax names them; empty where it does not."""

    def server_version(self) -> str | None:
        """Product and build as Get-CsServerVersion prints them, or None where the session cannot tell."""
