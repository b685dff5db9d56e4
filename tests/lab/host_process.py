# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process on a server that hosts one shell; its commands are counted, struck by faults, and put in the journal."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, nullcontext
from dataclasses import dataclass, field

from psrpcore.types import ErrorCategory

from .contract import Caller, CommandEntry, PipelineStopped, Quotas, Server, TerminatingError
from .injection import Injector, Rule
from .journal import Journal
from .psrp.records import error_record, no_more_processes


class NoMoreProcesses(Exception):
    """MaxProcessesPerShell is reached."""


@dataclass
class HostProcess:
    """wsmprovhost.exe. Thread safe."""

    server: Server
    caller: Caller
    shell_id: str
    process_id: int
    limits: Quotas
    injector: Injector
    journal: Journal
    child_processes: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @contextmanager
    def child_process(self) -> Iterator[None]:
        """Around the life of a child process. Raises NoMoreProcesses where there are too many already.

        The shell's processes form a job object, whose limit counts the host process too; creating one more fails with
        ERROR_NOT_ENOUGH_QUOTA (Microsoft Learn, "Job Objects").
        """
        with self._lock:
            if self.child_processes + 1 >= self.limits.processes_per_shell:
                raise NoMoreProcesses
            self.child_processes += 1
        try:
            yield
        finally:
            with self._lock:
                self.child_processes -= 1


class Execution:
    """The commands of one pipeline, on its worker thread.

    Args:
        command_id: of the pipeline, for the journal.
        stopped: set when the client stops it.
        drop: cuts the client's connection.
    """

    def __init__(
        self, host: HostProcess, command_id: str, stopped: threading.Event, drop: Callable[[], None]
    ) -> None:
        self._host = host
        self._command_id = command_id
        self._stopped = stopped
        self._drop = drop
        self._running: list[str] = []

    @property
    def running(self) -> str | None:
        """The command that runs; of several of a pipeline, the last."""
        return self._running[-1] if self._running else None

    @contextmanager
    def command(self, name: str, statement: int = 0, program: bool = False) -> Iterator[CommandEntry]:
        """See lab.contract.Streams.command."""
        fault = self._host.injector.command_fault(self._host.server.name, name)
        entry = CommandEntry(name, statement, effective=fault is None or fault.kind != "no-effect")
        depth = len(self._running)
        try:
            if fault is not None:
                self._strike_before(fault, name)
            self._running.append(name)
            with self._program(name) if program else nullcontext():
                yield entry
        except TerminatingError as error:
            entry.result = error.record.FullyQualifiedErrorId or "error"
            raise
        except PipelineStopped:
            entry.result = "stopped"
            raise
        finally:
            del self._running[depth:]
            self._record(entry)
        if fault is not None and fault.kind == "drop-after":
            self._drop()
            raise PipelineStopped

    @contextmanager
    def _program(self, name: str) -> Iterator[None]:
        """PowerShell reports a program that cannot be started as one that failed to run.

        Sources: ParserStrings.resx and NativeCommandProcessor.cs of PowerShell/PowerShell.
        """
        with ExitStack() as child:
            try:
                child.enter_context(self._host.child_process())
            except NoMoreProcesses:
                raise TerminatingError(no_more_processes(name)) from None
            yield

    def _strike_before(self, fault: Rule, name: str) -> None:
        self._record_fault(fault, name)
        if fault.action is not None:
            try:
                fault.action(self._host.server)
            except ValueError as error:
                self._record_fault(fault, name, failed=str(error))
            if self._host.server.down_s > 0:
                raise PipelineStopped  # the computer reboots, and the process with it
        elif fault.kind == "hang":
            self._stopped.wait(fault.seconds or None)
            if self._stopped.is_set():
                raise PipelineStopped
        elif fault.kind == "drop-before":
            self._drop()
            raise PipelineStopped
        elif fault.kind == "error":
            category = getattr(ErrorCategory, fault.category, ErrorCategory.NotSpecified)
            raise TerminatingError(
                error_record(
                    ["System.Management.Automation.RuntimeException"], fault.message, category, fault.id, name
                )
            )

    def _record_fault(self, fault: Rule, name: str, **details: str) -> None:
        host = self._host
        host.journal.record(
            "fault", host.server.name, session=host.shell_id, kind=fault.kind, name=name, **details
        )

    @contextmanager
    def described(self, name: str, statement: int) -> Iterator[CommandEntry]:
        """Into the journal with a command that ran, or was refused, without the lab: no fault strikes it."""
        entry = CommandEntry(name, statement)
        yield entry
        self._record(entry)

    def _record(self, entry: CommandEntry) -> None:
        self._host.journal.record(
            "command",
            self._host.server.name,
            caller=self._host.caller.account,
            session=self._host.shell_id,
            pipeline=self._command_id,
            statement=entry.statement,
            name=entry.name,
            parameters=dict(entry.parameters),
            writes=entry.writes,
            result=entry.result,
            **({} if entry.answer is None else {"answer": entry.answer}),
        )
