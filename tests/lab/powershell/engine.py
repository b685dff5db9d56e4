# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs statements: resolves commands, binds parameters, moves objects through the pipeline, keeps the streams apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from psrpcore.types import ErrorRecord, InvocationInfo

from lab.catalogue import Command
from lab.catalogue.binder import Binder, Binding
from lab.contract import CommandCall, PipelineStopped, Statement, Streams, TerminatingError
from lab.objects.values import plain, text_of, to_wire
from lab.powershell.command_lines import NotACommandLine, parse
from lab.powershell.errors import (
    PowerShellError,
    command_not_found,
    net_exception,
    not_modelled,
    scripts_refused,
)
from lab.powershell.exceptions import AUTOMATION

_SILENT = ("SilentlyContinue", "Ignore")


class StopRequested(TerminatingError):
    """A command ran into an error under -ErrorAction Stop: nothing that follows it runs."""


class Session(Protocol):
    """What the engine needs of the runspace it runs in."""

    powershell_version: str
    constrained: bool  # it takes no scripts

    def command(self, name: str) -> Command | None:
        """The command of that name (any case) that this session may run."""

    def implementation(self, command: Command) -> Implementation: ...

    def writes(self, command: Command, values: Mapping[str, Any]) -> bool: ...


@dataclass
class Invocation:
    """One execution of a command, as its implementation sees it."""

    session: Any
    command: Command
    binding: Binding
    streams: Streams
    declined: bool = False  # a prompt was answered with no, or -WhatIf was given
    exit_code: int = 0  # of a native program
    complained: bool = False  # a native program has written to its standard error
    answer: str | None = None  # for the journal

    @property
    def values(self) -> Mapping[str, Any]:
        return self.binding.values

    def get(self, name: str, default: Any = None) -> Any:
        return self.binding.values.get(name, default)

    def given(self, name: str) -> bool:
        return name in self.binding.values

    def error(self, error: PowerShellError) -> None:
        """A non-terminating error, subject to -ErrorAction."""
        self._report(error.record(self.command.name, self.command.class_name))

    def _report(self, record: ErrorRecord) -> None:
        action = text_of(self.get("ErrorAction"))
        if action == "Stop":
            raise StopRequested(record)
        if action not in _SILENT:
            self.streams.error(record)

    def program_error(self, line: str) -> None:
        """A line that a native program writes to its standard error: the first one's record differs from the others'.

        Source: PowerShell/PowerShell, engine/NativeCommandProcessor.cs; measured.
        """
        self.exit_code = self.exit_code or 1
        error = PowerShellError(
            line,
            error_id="NativeCommandErrorMessage" if self.complained else "NativeCommandError",
            exception=f"{AUTOMATION}.RemoteException",
            target=None if self.complained else line,
        )
        self.complained = True
        record = error.record()
        record.InvocationInfo = InvocationInfo(InvocationName=self.command.name)
        self._report(record)

    def warning(self, text: str) -> None:
        if text_of(self.get("WarningAction")) not in _SILENT:
            self.streams.warning(text)

    def verbose(self, text: str) -> None:
        if self.get("Verbose"):
            self.streams.verbose(text)

    def should_process(self, target: str) -> bool:
        """Cmdlet.ShouldProcess: -WhatIf tells on the host, -Confirm asks there.

        Source: PowerShell/PowerShell, CommandBaseStrings.resx; Windows PowerShell 2.0 has the shorter
        wording.
        """
        action = f'Performing the operation "{self.command.name}" on target "{target}".'
        if self.session.powershell_version.startswith("2."):
            action = f'Performing operation "{self.command.name}" on Target "{target}".'
        if self.get("WhatIf"):
            self.streams.host_write_line(f"What if: {action}")
            self.declined = True
            return False
        self.verbose(action)
        if self.get("Confirm"):
            choices = ("&Yes", "Yes to &All", "&No", "No to A&ll", "&Suspend")
            message = f"Are you sure you want to perform this action?\r\n{action}"
            answer = self._ask("Confirm", message, choices)
            self.declined = answer not in (0, 1)
        return not self.declined

    def should_continue(self, query: str, caption: str) -> bool:
        """Cmdlet.ShouldContinue: asks unless -Force was given; -Confirm:$false does not silence it (measured)."""
        if self.get("Force"):
            return True
        answer = self._ask(caption, query, ("&Yes", "&No", "&Suspend"))
        self.declined = answer != 0
        return not self.declined

    def _ask(self, caption: str, message: str, choices: Sequence[str]) -> int:
        try:
            return self.streams.host_prompt_for_choice(caption, message, choices, 0)
        except TerminatingError as error:
            error.record.FullyQualifiedErrorId += f",{self.command.class_name}"
            raise


@dataclass(frozen=True)
class Implementation:
    """How a command works: once for each pipeline object, or once with all of them in a list (``collects``)."""

    run: Callable[..., Iterable[Any]]
    collects: bool = False


def _in_a_batch(record: ErrorRecord) -> ErrorRecord:
    """An unknown command as the first of several statements has lost its own exception (measured)."""
    if record.FullyQualifiedErrorId == "CommandNotFoundException":
        record.Exception = net_exception(f"{AUTOMATION}.ParentContainsErrorRecordException", str(record))
        record.CategoryInfo.Reason = "ParentContainsErrorRecordException"
    return record


def _shown(name: str, value: Any) -> Any:
    """What the journal says of a parameter: not its passwords."""
    return "***" if name.lower().endswith("password") else plain(value)


class Engine:
    """Runs the statements of one runspace.

    After a statement that a TerminatingError ended, the others run, but the client does not hear of all of them
    (measured with PowerShell 7, which 5.x agrees with as decompiled; of 4.0 the same is assumed):

    - where it was the first, its error is a record, one more statement is heard, and the pipeline is Completed;
    - where it was a later one, the pipeline is Failed at once.

    -ErrorAction Stop ends everything.  PowerShell 3.0 reports the error and goes on with the second statement only.
    """

    def __init__(self, session: Session) -> None:
        self._session = session
        self._binder = Binder(session.powershell_version)
        self._last_exit_code = 0  # $LASTEXITCODE

    def run(self, statements: Sequence[Statement], streams: Streams, items: Sequence[Any]) -> None:
        """Run the statements in order; see :class:`lab.contract.Runspace`."""
        is_old = self._session.powershell_version.startswith("3")
        failed_first = False
        for number, statement in enumerate(statements):
            if streams.stopped.is_set():
                raise PipelineStopped
            if failed_first and number == 2:
                if is_old:
                    return
                streams = streams.finish()
            try:
                if any(call.is_script for call in statement):
                    self._script(statement, number, streams)
                else:
                    self._statement(statement, number, streams, items if number == 0 else ())
            except StopRequested:
                raise
            except TerminatingError as error:
                if len(statements) == 1:
                    raise
                failed_first = failed_first or number == 0 or is_old
                if number == 0 or is_old:
                    streams.error(_in_a_batch(error.record))
                else:
                    streams = streams.finish(error.record)

    def _script(self, statement: Statement, number: int, streams: Streams) -> None:
        """Plain command lines, one after the other, as ansible.builtin.raw sends them; no language beyond."""
        text = statement[0].name
        try:
            if self._session.constrained:
                raise scripts_refused()
            if len(statement) > 1:
                raise not_modelled("pipelines of scripts")
            lines = parse(text)
        except (PowerShellError, NotACommandLine) as error:
            refusal = not_modelled(str(error)) if isinstance(error, NotACommandLine) else error
            with streams.command(text, number):
                raise TerminatingError(refusal.record()) from None
        for line in lines:
            if isinstance(line, CommandCall):
                self._statement((line,), number, streams, ())
            else:
                streams.host_exit(self._last_exit_code if line.code is None else line.code)
                return

    def _statement(self, statement: Statement, number: int, streams: Streams, items: Sequence[Any]) -> None:
        """All commands are bound before the first runs; each gets what the one before it has put out."""
        flow: list[Any] | None = list(items) or None
        bindings = [
            self._bind(call, number, streams, bool(position) or flow is not None)
            for position, call in enumerate(statement)
        ]
        for binding in bindings:
            flow = self._run_command(binding, number, streams, flow)
        for value in flow or ():
            if streams.stopped.is_set():
                raise PipelineStopped
            streams.output(to_wire(value))

    def _bind(self, call: CommandCall, number: int, streams: Streams, expects_input: bool) -> Binding:
        command = self._session.command(call.name)
        name, class_name = (command.name, command.class_name) if command else (call.name, "")
        try:
            if command is None:
                raise command_not_found(name)
            binding = self._binder.bind(command, call.arguments, expects_input)
            if self._session.implementation(command).collects:
                self._binder.finish(binding, expects_input)
            return binding
        except PowerShellError as error:
            with streams.command(name, number) as entry:
                entry.parameters = {a.name or "": _shown(a.name or "", a.value) for a in call.arguments}
                record = error.record() if command is None else error.record(name, class_name)
                raise TerminatingError(record) from None

    def _run_command(
        self, binding: Binding, number: int, streams: Streams, flow: list[Any] | None
    ) -> list[Any]:
        """``flow`` is what comes down the pipeline, None for its first command."""
        implementation = self._session.implementation(binding.command)
        if flow is None or implementation.collects:
            invocation = Invocation(self._session, binding.command, binding, streams)
            collected = (list(flow or ()),) if implementation.collects else ()
            return self._execute(invocation, number, lambda: implementation.run(invocation, *collected))
        found = []
        for item in flow:
            found += self._process(item, binding, implementation, number, streams)
        return found

    def _process(
        self, item: Any, binding: Binding, implementation: Implementation, number: int, streams: Streams
    ) -> list[Any]:
        """A command's execution for one object of the pipeline."""
        invocation = Invocation(self._session, binding.command, binding, streams)
        try:
            invocation.binding = self._binder.bind_input(binding, item)
        except PowerShellError as error:
            invocation.error(error)
            return []
        return self._execute(invocation, number, lambda: implementation.run(invocation))

    def _execute(self, invocation: Invocation, number: int, run: Callable[[], Iterable[Any]]) -> list[Any]:
        """One execution, with its journal entry. Errors the implementation raises are non-terminating."""
        command = invocation.command
        is_program = command.kind == "Application"
        with invocation.streams.command(command.name, number, is_program) as entry:
            entry.parameters = {name: _shown(name, value) for name, value in invocation.values.items()}
            entry.writes = self._session.writes(command, invocation.values)
            if not entry.effective:
                return []
            try:
                return list(run())
            except PowerShellError as error:
                entry.result = str(error.record(command.name, command.class_name).FullyQualifiedErrorId)
                invocation.error(error)
                return []
            finally:
                entry.answer = invocation.answer
                if is_program:
                    self._last_exit_code = invocation.exit_code
                if invocation.declined:
                    entry.writes = False
