# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs statements: resolves commands, binds parameters, moves objects through the pipeline, keeps the streams apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

from lab.catalogue import Command
from lab.catalogue.binder import Binder, Binding
from lab.contract import (
    CommandCall,
    PipelineStopped,
    RedirectedStreams,
    Statement,
    Streams,
    TerminatingError,
)
from lab.objects.values import plain, to_wire
from lab.powershell.errors import PowerShellError, command_not_found
from lab.script import Script

_SILENT = ("SilentlyContinue", "Ignore")


class StopRequested(TerminatingError):
    """A command ran into an error under -ErrorAction Stop: nothing that follows it runs."""


class Session(Protocol):
    """What the engine needs of the runspace it runs in."""

    powershell_version: str

    def command(self, name: str) -> Command | None:
        """The command of that name (any case) that this session may run."""

    def implementation(self, command: Command) -> Implementation: ...

    def script(self, text: str) -> Script:
        """A script's statements; raises PowerShellError where scripts are refused or not understood."""

    def writes(self, command: Command, values: Mapping[str, Any]) -> bool: ...


@dataclass
class Invocation:
    """One execution of a command, as its implementation sees it."""

    session: Any
    command: Command
    binding: Binding
    streams: Streams
    item: Any = None  # the pipeline object that this execution is for
    declined: bool = False  # a prompt was answered with no, or -WhatIf was given
    exit_code: int = 0  # of a native program
    answer: str | None = None  # for the journal

    @property
    def values(self) -> Mapping[str, Any]:
        return self.binding.values

    def get(self, name: str, default: Any = None) -> Any:
        return self.binding.values.get(name, default)

    def given(self, name: str) -> bool:
        return name in self.binding.values

    @property
    def error_action(self) -> str:
        return _preference(self.get("ErrorAction"))

    def error(self, error: PowerShellError) -> None:
        """A non-terminating error, subject to -ErrorAction."""
        record = error.record(self.command.name, self.command.class_name)
        if self.error_action == "Stop":
            raise StopRequested(record)
        if self.error_action not in _SILENT:
            self.streams.error(record)

    def program_error(self, line: str) -> None:
        """A line that a native program writes to its standard error: an error record without a command.

        Source: PowerShell/PowerShell, engine/NativeCommandProcessor.cs.
        """
        record = PowerShellError(
            line,
            error_id="NativeCommandError",
            exception="System.Management.Automation.RemoteException",
            target=line,
            qualified=False,
        ).record()
        self.exit_code = self.exit_code or 1
        if self.error_action not in _SILENT:
            self.streams.error(record)

    def warning(self, text: str) -> None:
        if _preference(self.get("WarningAction")) not in _SILENT:
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
            answer = self.streams.host_prompt_for_choice("Confirm", message, choices, 0)
            self.declined = answer not in (0, 1)
        return not self.declined

    def should_continue(self, query: str, caption: str) -> bool:
        """Cmdlet.ShouldContinue: asks unless -Force or -Confirm:$false was given."""
        if self.get("Force") or self.get("Confirm") is False:
            return True
        answer = self.streams.host_prompt_for_choice(caption, query, ("&Yes", "&No", "&Suspend"), 0)
        self.declined = answer != 0
        return not self.declined


@dataclass(frozen=True)
class Implementation:
    """How a command works: once for each pipeline object, or once with all of them (``collects``)."""

    run: Callable[..., Iterable[Any]]
    collects: bool = False


def _with_merged(flow: Iterable[Any], streams: RedirectedStreams) -> Iterator[Any]:
    """The output of a command, and between it what its other streams were merged into it."""
    for value in flow:
        yield from streams.take()
        yield value
    yield from streams.take()


def _told(name: str, value: Any) -> Any:
    """What the journal says of a parameter: not its passwords."""
    return "***" if name.lower().endswith("password") else plain(value)


def _preference(value: Any) -> str:
    return value.name if value is not None else "Continue"


class Engine:
    """Executes the statements of one runspace."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._binder = Binder(session.powershell_version)
        self.last_exit_code = 0  # of the last native program

    def run(self, statements: Sequence[Statement], streams: Streams, items: Sequence[Any]) -> None:
        """Run the statements in order; see :class:`lab.contract.Runspace`."""
        for number, statement in enumerate(statements):
            if streams.stopped.is_set():
                raise PipelineStopped
            try:
                self._statement(statement, number, streams, items if number == 0 else ())
            except StopRequested:
                raise
            except TerminatingError as error:
                if len(statements) == 1:
                    raise
                streams.error(error.record)

    def _statement(self, statement: Statement, number: int, streams: Streams, items: Sequence[Any]) -> None:
        expression = self._expression(statement[0])
        if expression is not None:
            statement = (replace(statement[0], name=expression, arguments=(), is_script=True), *statement[1:])
        if any(call.is_script for call in statement):
            self._script(statement, number, streams, items)
            return
        flow: Iterable[Any] | None = list(items) or None
        for call in statement:
            if call.redirections:
                redirected = streams.redirected(call.redirections)
                flow = _with_merged(self._command(call, number, redirected, flow), redirected)
            else:
                flow = self._command(call, number, streams, flow)
        for value in flow or ():
            if streams.stopped.is_set():
                raise PipelineStopped
            streams.output(to_wire(value))

    def _expression(self, call: CommandCall) -> str | None:
        """What Invoke-Expression is given to run, which then runs as a script does."""
        command = None if call.is_script else self._session.command(call.name)
        if command is None or command.name != "Invoke-Expression":
            return None
        try:
            return str(self._binder.bind(command, call.arguments).values["Command"])
        except PowerShellError:
            return None  # which the command itself will tell

    def _script(self, statement: Statement, number: int, streams: Streams, items: Sequence[Any]) -> None:
        """A script, and what follows it in its pipeline (such as ``Out-String``)."""
        try:
            script = self._session.script(statement[0].name)
        except PowerShellError as error:
            with streams.command(statement[0].name, number) as entry:
                entry.parameters = {}
                raise TerminatingError(error.record()) from None
        followers = [call for call in statement[1:] if call.name.lower() != "out-default"]
        redirections = statement[0].redirections
        failed = False
        for calls in script.statements:
            own = [replace(call, redirections=redirections) for call in calls]
            watched = streams.redirected({})
            try:
                self._statement((*own, *followers), number, watched, items)
            except StopRequested:
                raise
            except TerminatingError as error:
                if len(script.statements) == 1 and script.failure_code is None:
                    raise
                watched.error(error.record)
            failed = watched.failed
        if script.exit_code is not None:
            streams.host_exit(script.exit_code)
        elif failed and script.failure_code is not None:
            streams.host_exit(script.failure_code)

    def _command(
        self, call: CommandCall, number: int, streams: Streams, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        """Bind the command at once, run it as its output is asked for."""
        try:
            command = self._session.command(call.name)
            if command is None:
                raise command_not_found(call.name)
            binding = self._binder.bind(command, call.arguments, expects_input=flow is not None)
        except PowerShellError as error:
            known = self._session.command(call.name)
            with streams.command(known.name if known else call.name, number) as entry:
                entry.parameters = {a.name or "": _told(a.name or "", a.value) for a in call.arguments}
                name, class_name = (known.name, known.class_name) if known else (call.name, "")
                raise TerminatingError(error.record(name, class_name)) from None
        implementation = self._session.implementation(command)
        if implementation.collects:
            return self._collect(command, binding, implementation, number, streams, list(flow or ()))
        return self._process(command, binding, implementation, number, streams, flow)

    def _collect(
        self,
        command: Command,
        binding: Binding,
        implementation: Implementation,
        number: int,
        streams: Streams,
        items: list[Any],
    ) -> Iterator[Any]:
        self._binder.finish(binding)
        invocation = Invocation(self._session, command, binding, streams)
        yield from self._execute(invocation, number, lambda: implementation.run(invocation, items))

    def _process(
        self,
        command: Command,
        binding: Binding,
        implementation: Implementation,
        number: int,
        streams: Streams,
        flow: Iterable[Any] | None,
    ) -> Iterator[Any]:
        if flow is None:
            invocation = Invocation(self._session, command, binding, streams)
            yield from self._execute(invocation, number, lambda: implementation.run(invocation))
            return
        for item in flow:
            invocation = Invocation(self._session, command, binding, streams, item)
            try:
                invocation.binding = self._binder.bind_input(binding, item)
            except PowerShellError as error:
                invocation.error(error)
                continue
            yield from self._execute(invocation, number, lambda: implementation.run(invocation))  # noqa: B023

    def _execute(self, invocation: Invocation, number: int, run: Callable[[], Iterable[Any]]) -> list[Any]:
        """One execution, with its journal entry. Errors the implementation raises are non-terminating."""
        is_program = invocation.command.kind == "Application"
        with invocation.streams.command(invocation.command.name, number, is_program) as entry:
            entry.parameters = {name: _told(name, value) for name, value in invocation.values.items()}
            entry.writes = self._session.writes(invocation.command, invocation.values)
            if not entry.effective:
                return []
            try:
                return list(run())
            except PowerShellError as error:
                entry.result = error.record(
                    invocation.command.name, invocation.command.class_name
                ).FullyQualifiedErrorId
                invocation.error(error)
                return []
            finally:
                entry.answer = invocation.answer
                if is_program:
                    self.last_exit_code = invocation.exit_code
                if invocation.declined:
                    entry.writes = False
