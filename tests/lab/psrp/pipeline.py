# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One pipeline: its commands run on a worker thread, its records go to the client (MS-PSRP 3.2)."""

from __future__ import annotations

import threading
import traceback
from collections.abc import Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any
from uuid import UUID

from psrpcore import PowerShell, ServerHostRequestor, ServerPipeline
from psrpcore.types import (
    ChoiceDescription,
    DebugRecord,
    ErrorCategory,
    ErrorRecord,
    HostInfo,
    InformationalRecord,
    InvocationInfo,
    PSInvocationState,
    PSRPMessageType,
    PSVersion,
    RemoteStreamOptions,
    VerboseRecord,
    WarningRecord,
)

from ..contract import (
    Argument,
    CommandCall,
    CommandEntry,
    PipelineStopped,
    Runspace,
    Statement,
    Streams,
    TerminatingError,
)
from ..host_process import Execution
from .outbox import Outbox
from .records import error_as_sent, error_record, informational, pipeline_stopped

if TYPE_CHECKING:
    from .pool import Pool


class Pipeline:
    """A pipeline of a pool; it is also the ``Streams`` that the deployment half writes to."""

    def __init__(self, pool: Pool, pipeline_id: UUID, outbox: Outbox[bytes]) -> None:
        self.id = pipeline_id
        self.outbox = outbox
        self.stopped = threading.Event()
        self.received = 0  # bytes from the client
        self._pool = pool
        self._protocol = ServerPipeline(pool.protocol, pipeline_id)
        self._work: PowerShell | None = None
        self._input: list[Any] = []
        self._execution = Execution(
            pool.host, str(pipeline_id).upper(), self.stopped, lambda: outbox.close("drop")
        )
        self._host_answers: dict[int, Any] = {}
        self._answered = threading.Condition()
        self._over = False

    # The client's side

    def begin(self, work: PowerShell) -> None:
        """The client said what to run; it starts at once unless input is to come."""
        self._work = work
        if work.no_input:
            self.run()

    def add_input(self, value: Any) -> None:
        self._input.append(value)

    def run(self) -> None:
        """Start on a worker thread."""
        # Real servers do not announce this state, so psrpcore's start() will not do.
        self._protocol.state = PSInvocationState.Running
        self._pool.execute(self._run)

    def stop(self) -> None:
        """The client's stop signal, or the end of the shell."""
        self.stopped.set()
        with self._answered:
            self._answered.notify_all()
        if self._protocol.state == PSInvocationState.NotStarted:
            self._finish(PSInvocationState.Stopped, pipeline_stopped())

    def answer_host_call(self, call_id: int, result: Any) -> None:
        with self._answered:
            self._host_answers[call_id] = result
            self._answered.notify_all()

    @property
    def over(self) -> bool:
        return self._over

    # The worker's side

    def _run(self) -> None:
        try:
            with self._pool.runspace(self.stopped) as runspace:
                self._execute(runspace)
        except PipelineStopped:
            self._finish(PSInvocationState.Stopped, pipeline_stopped())
        except TerminatingError as error:
            self._finish(PSInvocationState.Failed, error.record)
        except Exception as error:
            # A defect of the lab: it must show in the lab's log, and the client must not wait for ever.
            traceback.print_exc()
            record = error_record(
                ["System.Management.Automation.CmdletInvocationException"],
                f"The simulated server failed: {error!r}",
                ErrorCategory.NotSpecified,
                "LabDefect",
            )
            self._finish(PSInvocationState.Failed, record)
        else:
            if self.stopped.is_set():
                self._finish(PSInvocationState.Stopped, pipeline_stopped())
            else:
                self._finish(PSInvocationState.Completed)

    def _execute(self, runspace: Runspace) -> None:
        assert self._work is not None
        statements = statements_of(self._work)
        if self._pool.speaks("2.2"):
            runspace.run(statements, self, self._input)
        else:
            # PowerShell 2.0 does not know ExtraCmds; Cmds holds the first statement (MS-PSRP 2.2.3.11).
            runspace.run(statements[:1], self, self._input)

    def _finish(self, state: PSInvocationState, record: ErrorRecord | None = None) -> None:
        with self._pool.lock:
            if self._over:
                return
            self._over = True
            error = error_as_sent(record, RemoteStreamOptions.none) if record is not None else None
            self._protocol._change_state(state, error)
            self._protocol.close()
        self.outbox.finish()

    # Streams

    def output(self, value: Any) -> None:
        self._send(value, PSRPMessageType.PipelineOutput)

    def error(self, record: ErrorRecord) -> None:
        self._send(error_as_sent(record, self._options), PSRPMessageType.ErrorRecord)

    def warning(self, text: str) -> None:
        self._inform(WarningRecord, text, RemoteStreamOptions.AddInvocationInfoToWarningRecord)

    def verbose(self, text: str) -> None:
        self._inform(VerboseRecord, text, RemoteStreamOptions.AddInvocationInfoToVerboseRecord)

    def debug(self, text: str) -> None:
        self._inform(DebugRecord, text, RemoteStreamOptions.AddInvocationInfoToDebugRecord)

    def _inform(self, kind: type[InformationalRecord], text: str, asked: RemoteStreamOptions) -> None:
        command = self._execution.running if self._options & asked else None
        self._send(informational(kind, text, command), PSRPMessageType[kind.__name__])

    def finish(self, failure: ErrorRecord | None = None) -> Streams:
        self._finish(PSInvocationState.Completed if failure is None else PSInvocationState.Failed, failure)
        return Unheard(self)

    def host_write_line(self, text: str) -> None:
        if self._host is not None:
            with self._pool.lock:
                ServerHostRequestor(self._protocol).write_line(text)

    def host_exit(self, code: int) -> None:
        if self._host is not None:
            with self._pool.lock:
                ServerHostRequestor(self._protocol).set_should_exit(code)

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        """Ask and wait. Raises TerminatingError if the client has no host, PipelineStopped if it stops instead."""
        host = self._host
        if host is None or host.IsHostUINull:
            raise TerminatingError(not_interactive(message, self._execution.running or ""))
        with self._pool.lock:
            described = [ChoiceDescription(Label=choice) for choice in choices]
            call_id = ServerHostRequestor(self._protocol).prompt_for_choice(
                caption, message, described, default
            )
        self.outbox.put([], urgent=True)
        with self._answered:
            self._answered.wait_for(lambda: call_id in self._host_answers or self.stopped.is_set())
            if call_id not in self._host_answers:
                raise PipelineStopped
            return int(self._host_answers.pop(call_id))

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        return self._execution.command(name, statement, program)

    def _send(self, value: Any, message_type: PSRPMessageType) -> None:
        with self._pool.lock:
            if not self._over:
                self._protocol.prepare_message(value, message_type)

    @property
    def _options(self) -> RemoteStreamOptions:
        return RemoteStreamOptions.none if self._work is None else self._work.remote_stream_options

    @property
    def _host(self) -> HostInfo | None:
        """The client's host: the pipeline's own, or the pool's if it says so; None if there is none."""
        host = None if self._work is None else self._work.host
        if host is None or host.UseRunspaceHost:
            host = self._pool.protocol.host
        return None if host is None or host.IsHostNull else host


def not_interactive(message: str, command: str) -> ErrorRecord:
    """A question that no host can ask."""
    record = error_record(
        [
            "System.Management.Automation.Host.HostException",
            "System.Management.Automation.RuntimeException",
            "System.SystemException",
        ],
        "A command that prompts the user failed because the host program or the command type does not support user "
        f"interaction. The host was attempting to request confirmation with the following message: {message}",
        ErrorCategory.NotImplemented,
        "HostFunctionNotImplemented",
        command,
    )
    record.InvocationInfo = InvocationInfo(InvocationName=command)
    return record


class Unheard(Streams):
    """Streams of statements that run after the client was told that their pipeline is over: no signal stops them."""

    def __init__(self, streams: Streams) -> None:
        self.stopped = threading.Event()
        self._streams = streams

    def output(self, value: Any) -> None:
        """Nobody hears of it; likewise the others."""

    def error(self, record: ErrorRecord) -> None: ...

    def warning(self, text: str) -> None: ...

    def verbose(self, text: str) -> None: ...

    def debug(self, text: str) -> None: ...

    def host_write_line(self, text: str) -> None: ...

    def host_exit(self, code: int) -> None: ...

    def finish(self, failure: ErrorRecord | None = None) -> Streams:
        return self

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        return self._streams.host_prompt_for_choice(caption, message, choices, default)

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        return self._streams.command(name, statement, program)


def statements_of(work: PowerShell) -> list[Statement]:
    """The commands of a CREATE_PIPELINE message, statement by statement."""
    statements: list[Statement] = []
    current: list[CommandCall] = []
    for command in work.commands:
        arguments = tuple(argument_of(name, value) for name, value in command.parameters)
        call = CommandCall(str(command.command_text), arguments, bool(command.is_script))
        current.append(call)
        if command.end_of_statement:
            statements.append(tuple(current))
            current = []
    if current:
        statements.append(tuple(current))
    return statements


def argument_of(name: str | None, value: Any) -> Argument:
    """A parameter of a command.

    A name that begins with a dash and has neither value nor colon stands for itself (CommandParameter in
    PowerShell/PowerShell).
    """
    if not name:
        return Argument(None, value)
    typed = str(name).rstrip()
    return Argument(
        typed.lstrip("-").rstrip(":"), value, typed.startswith("-") and value is None and typed[-1] != ":"
    )


def version_at_least(version: PSVersion | str, least: str) -> bool:
    """Compare protocol versions such as 2.1 and 2.3."""
    return [int(part) for part in str(version).split(".")] >= [int(part) for part in least.split(".")]
