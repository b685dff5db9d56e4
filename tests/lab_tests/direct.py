# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modelled deployment without the wire: runspaces are called directly, their streams recorded."""

from __future__ import annotations

import datetime
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import lab
from lab.contract import Argument, Caller, CommandCall, CommandEntry, Statement, Streams, TerminatingError
from lab.deployment import LyncDeployment, build_deployment
from lab.psrp.pipeline import Unheard, not_interactive
from psrpcore.types import ErrorRecord, PSObject

DEPLOYMENTS = Path(lab.__file__).parent / "deployments"
VERSIONS = ("2010", "2013", "2015", "2019", "SE")


#: When tests begin; a winter's day on the northern half of the world.
TRUE_TIME = datetime.datetime(2026, 11, 21, 15, 0, 0, tzinfo=datetime.timezone.utc)


class Clock:
    """A monotonic clock that goes on when told to."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now

    def advance(self, seconds: float) -> None:
        self.now += seconds

    def utc_now(self) -> datetime.datetime:
        """True time, which goes on with it."""
        return TRUE_TIME + datetime.timedelta(seconds=self.now - 1000.0)


class RecordingStreams:
    """Streams of one pipeline, kept."""

    def __init__(self, answer: int | None = 0) -> None:
        self.stopped = threading.Event()
        self.answer = answer
        self.outputs: list[Any] = []
        self.errors: list[ErrorRecord] = []
        self.warnings: list[str] = []
        self.verboses: list[str] = []
        self.host_lines: list[str] = []
        self.prompts: list[tuple[str, str]] = []
        self.exit_code: int | None = None
        self.journal: list[CommandEntry] = []
        self.told: list[tuple[str, Any]] = []  # the messages in their order
        #: With which the client was told that the pipeline is over.
        self.failures: list[ErrorRecord | None] = []

    def output(self, value: Any) -> None:
        self.outputs.append(value)
        self.told.append(("PIPELINE_OUTPUT", value))

    def error(self, record: ErrorRecord) -> None:
        self.errors.append(record)
        self.told.append(("ERROR_RECORD", record))

    def warning(self, text: str) -> None:
        self.warnings.append(text)

    def verbose(self, text: str) -> None:
        self.verboses.append(text)

    def debug(self, text: str) -> None:
        raise AssertionError(text)

    def host_write_line(self, text: str) -> None:
        self.host_lines.append(text)

    def host_exit(self, code: int) -> None:
        self.exit_code = code

    def finish(self, failure: ErrorRecord | None = None) -> Streams:
        self.failures.append(failure)
        self.told.append(("PIPELINE_STATE", failure))
        return Unheard(self)

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        self.prompts.append((caption, message))
        if self.answer is None:
            raise TerminatingError(not_interactive(message, self.journal[-1].name))
        return self.answer

    @contextmanager
    def command(self, name: str, statement: int = 0, program: bool = False) -> Iterator[CommandEntry]:
        entry = CommandEntry(name, statement)
        self.journal.append(entry)
        try:
            yield entry
        except TerminatingError as error:
            entry.result = error.record.FullyQualifiedErrorId
            raise

    @property
    def written(self) -> list[str]:
        """Names of the commands that changed the deployment."""
        return [entry.name for entry in self.journal if entry.writes]


def document(version: str = "2019", **changes: Any) -> dict[str, Any]:
    """A small deployment: two sites, two pools, an Edge, three people."""
    return {
        "version": version,
        "domain": "contoso.com",
        "accounts": [
            {"name": "uc-admin", "password": "x", "roles": ["CsAdministrator"]},
            {"name": "user-admin", "password": "x", "roles": ["CsUserAdministrator"]},
            {"name": "server-admin", "password": "x", "roles": ["CsServerAdministrator"]},
            {"name": "viewer", "password": "x", "roles": ["CsViewOnlyAdministrator"]},
            {"name": "guest", "password": "x"},
            {"name": "nobody", "password": "x", "remote_shell": False},
        ],
        "sites": {"Redmond": {"federation_route": "edge.contoso.com"}, "Dublin": None},
        "pools": {
            "pool01.contoso.com": {
                "site": "Redmond",
                "computers": ["fe01", "fe02"],
                "edge": "edge.contoso.com",
            },
            "dublin.contoso.com": {"site": "Dublin", "edition": "standard", "computers": ["dublin"]},
        },
        "edges": {
            "edge.contoso.com": {"site": "Redmond", "computers": ["edge01"], "next_hop": "pool01.contoso.com"}
        },
        "central_management": "pool01.contoso.com",
        "users": [
            {"name": "kenmyer", "display_name": "Ken Myer", "pool": "pool01.contoso.com"},
            {"name": "kaya", "display_name": "Kaya Elias", "pool": "dublin.contoso.com"},
        ],
        "settings": {},
        "replication": {"seconds": 5},
        **changes,
    }


class Shell:
    """A runspace of a small deployment, and short ways to run commands in it."""

    def __init__(
        self,
        version: str = "2019",
        account: str = "uc-admin",
        server: str = "pool01.contoso.com",
        path: str = "/OcsPowershell",
        delegated: bool = True,
        deployment: LyncDeployment | None = None,
        **changes: Any,
    ) -> None:
        self.clock = Clock()
        self.deployment = deployment or build_deployment(
            document(version, **changes), monotonic=self.clock, utc_now=self.clock.utc_now
        )
        found = next(s for s in self.deployment.servers if s.name == server)
        authority = account if "\\" in account else f"CONTOSO\\{account}"
        caller = Caller(authority, "basic" if delegated else "ntlm", delegated)
        self.runspace = found.open_runspace(caller, path, "Microsoft.PowerShell")
        self.streams = RecordingStreams()

    def run(self, *calls: CommandCall, input: Sequence[Any] = (), answer: int = 0) -> list[Any]:
        """One pipeline of one statement; its streams are kept in ``streams``. Raises TerminatingError."""
        return self.run_statements(calls, input=input, answer=answer)

    def run_statements(
        self, *statements: Statement, input: Sequence[Any] = (), answer: int | None = 0
    ) -> list[Any]:
        self.streams = RecordingStreams(answer)
        self.runspace.run(statements, self.streams, input)
        return self.streams.outputs

    def lines(self, *calls: CommandCall) -> list[str]:
        """What a native program prints."""
        return [str(line) for line in self.run(*calls)]

    def rows(self, *calls: CommandCall) -> list[dict[str, Any]]:
        """The output objects' properties; raises what went wrong, terminating or not."""
        outputs = self.run(*calls)
        assert not self.streams.errors, [str(record) for record in self.streams.errors]
        return [properties(output) for output in outputs]

    def row(self, *calls: CommandCall) -> dict[str, Any]:
        (row,) = self.rows(*calls)
        return row

    def failure(self, *calls: CommandCall, answer: int = 0) -> ErrorRecord:
        """The error of a pipeline that has exactly one."""
        try:
            self.run(*calls, answer=answer)
        except TerminatingError as error:
            return error.record
        (record,) = self.streams.errors
        return record


def front_end(version: str = "2019", server: str = "fe01.contoso.com", **changes: Any) -> Shell:
    """A WinRM session on a Front End with the Management Shell loaded."""
    shell = Shell(version, server=server, path="/wsman", **changes)
    shell.run(call("Import-Module", "Lync" if version in ("2010", "2013") else "SkypeForBusiness"))
    return shell


def call(name: str, *positional: Any, **parameters: Any) -> CommandCall:
    """A command; a switch is given as None, which is how clients send it."""
    arguments = [Argument(None, value) for value in positional]
    arguments += [Argument(parameter, value) for parameter, value in parameters.items()]
    return CommandCall(name, tuple(arguments))


def properties(value: Any) -> dict[str, Any]:
    assert isinstance(value, PSObject)
    members = [*value.PSObject.adapted_properties, *value.PSObject.extended_properties]
    return {member.name: member.get_value(value) for member in members}
