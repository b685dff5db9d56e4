# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs statements: resolves commands, binds parameters, moves objects through the pipeline, keeps the streams apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from lab.catalogue import Command
from lab.catalogue.binder import Binder, Binding
from lab.contract import (
    Argument,
    CommandCall,
    PipelineStopped,
    RedirectedStreams,
    Statement,
    Streams,
    TerminatingError,
)
from lab.objects.values import plain, to_wire
from lab.powershell.errors import PowerShellError, command_not_found, not_modelled, scripts_refused
from lab.powershell.language.execute import Thrown
from lab.powershell.language.frame import ExitScript, Frame
from lab.powershell.language.interpreter import Interpreter, on_a_deep_stack
from lab.powershell.language.scope import Scope
from lab.powershell.language.values import TypedList

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
    item: Any = None  # the pipeline object that this execution is for
    declined: bool = False  # a prompt was answered with no, or -WhatIf was given
    engine: Any = None
    surroundings: Frame | None = None  # None: a command that a client sent as such
    scripted: bool = False  # it is a command of a script
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
    def frame(self) -> Frame:
        """Where it runs, for commands that have to do with the language."""
        if self.surroundings is None:
            self.surroundings = self.engine.frame(self.streams)
        return self.surroundings

    @property
    def language(self) -> Interpreter:
        return self.engine.language

    def action(self, parameter: str, variable: str) -> str:
        """What that common parameter, or else the preference variable, says."""
        given = self.get(parameter)
        if given is None and self.engine is not None and self.engine.has_language:
            given = self.frame.scope.get(variable)
        return _preference(given)

    @property
    def error_action(self) -> str:
        return self.action("ErrorAction", "ErrorActionPreference")

    def error(self, error: PowerShellError) -> None:
        """A non-terminating error, subject to -ErrorAction."""
        record = error.record(self.command.name, self.command.class_name)
        action = self.error_action
        if self.engine is not None and self.engine.has_language:
            self._tell_language(record, action)
        if action == "Stop":
            raise StopRequested(record)
        if action not in _SILENT:
            self.streams.error(record)

    def _tell_language(self, record: Any, action: str) -> None:
        """Note it in ``$Error`` and ``$?``, and where it happened."""
        language = self.language
        language.succeeded = False
        if self.surroundings is not None and self.surroundings.node is not None:
            language.locate(record, self.surroundings.node, self.surroundings)
        if action != "Ignore":
            language.note(record)
        if action == "Stop":
            record.script_stops = True
        self.collect("ErrorVariable", record)

    def collect(self, parameter: str, value: Any) -> None:
        """Add a value to the variable that -ErrorVariable or one of its kind names (about_CommonParameters)."""
        name = self.get(parameter)
        if name is None:
            return
        self.engine.collect(self, parameter, str(name), value)

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
        if self.engine is not None and self.engine.has_language:
            self.language.note(record)
        if self.error_action not in _SILENT:
            self.streams.error(record)

    def warning(self, text: str) -> None:
        self.collect("WarningVariable", text)
        if self.action("WarningAction", "WarningPreference") not in _SILENT:
            self.streams.warning(text)

    def verbose(self, text: str) -> None:
        if self._wanted("Verbose", "VerbosePreference"):
            self.streams.verbose(text)

    def debug(self, text: str) -> None:
        if self._wanted("Debug", "DebugPreference"):
            self.streams.debug(text)

    def _wanted(self, switch: str, variable: str) -> bool:
        if self.given(switch) or self.engine is None or not self.engine.has_language:
            return bool(self.get(switch))
        return _preference(self.frame.scope.get(variable)) not in _SILENT

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
    """How a command works.

    Once for each pipeline object; or once with all of them in a list (``collects``); or once with an iterator of them
    (``flows``), which it takes as it puts out: script blocks run meanwhile.
    """

    run: Callable[..., Iterable[Any]]
    collects: bool = False
    flows: bool = False


def _until_stopped(flow: Iterable[Any], streams: Streams) -> Iterator[Any]:
    """What comes down a pipeline until the client stops it."""
    for value in flow:
        if streams.stopped.is_set():
            raise PipelineStopped
        yield value


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
    """An action by its own spelling, whether it comes as a member of the enumeration, as a text or as a number."""
    if value is None:
        return "Continue"
    text = str(getattr(value, "name", value))
    return next((action for action in _ACTIONS if text.lower() in (action.lower(), _ACTIONS[action])), text)


#: ActionPreference, with its numbers.
_ACTIONS = {"SilentlyContinue": "0", "Stop": "1", "Continue": "2", "Inquire": "3", "Ignore": "4"}


#: Commands that run scripts: they, too, may need a deep stack.
_RUN_SCRIPTS = {
    "invoke-expression",
    "invoke-command",
    "foreach-object",
    "where-object",
    "sort-object",
    "group-object",
}


class Engine:
    """Runs the statements of one runspace."""

    def __init__(self, session: Session) -> None:
        self._session = session
        self._binder = Binder(session.powershell_version)
        self._language: Interpreter | None = None
        self.last_exit_code = 0  # of the last native program
        self._leaving: list[int] = []  # the code that a script exited with

    # The language

    @property
    def has_language(self) -> bool:
        """Whether anything has had to do with the language since the runspace was opened or reset."""
        return self._language is not None

    @property
    def language(self) -> Interpreter:
        if self._language is None:
            self._language = Interpreter(self._session, self)
            if self.last_exit_code:
                self._language.root.set("LASTEXITCODE", self.last_exit_code)
        return self._language

    def reset(self) -> None:
        """Forget variables and functions."""
        self._language = None

    def frame(self, streams: Streams, number: int = 0) -> Frame:
        return Frame(self.language.root, streams, statement=number)

    def collect(self, invocation: Invocation, parameter: str, name: str, value: Any) -> None:
        appends = name.startswith("+")
        scope: Scope = invocation.frame.scope
        name = name.lstrip("+")
        marked = f"{parameter}:{id(invocation.binding)}"
        held = scope.get(name)
        if isinstance(held, TypedList) and (appends or getattr(held, "owner", "") == marked):
            held.append(value)
            return
        made = TypedList([value], "System.Collections.ArrayList")
        made.owner = marked  # type: ignore[attr-defined]  # whose list it is, so that its next value is added
        scope.set(name, made)

    def _runs_scripts(self, call: CommandCall) -> bool:
        if self._session.constrained:
            return False
        key = call.name.lower()
        if call.is_script or key in _RUN_SCRIPTS:
            return True
        return self._session.command(call.name) is None or (
            self._language is not None and key in self._language.root.functions
        )

    # Statements

    def run(self, statements: Sequence[Statement], streams: Streams, items: Sequence[Any]) -> None:
        """Run the statements in order; see :class:`lab.contract.Runspace`."""
        if any(self._runs_scripts(call) for statement in statements for call in statement):
            on_a_deep_stack(lambda: self._run(statements, streams, items))
        else:
            self._run(statements, streams, items)

    def _run(self, statements: Sequence[Statement], streams: Streams, items: Sequence[Any]) -> None:
        self._leaving.clear()
        for number, statement in enumerate(statements):
            if streams.stopped.is_set():
                raise PipelineStopped
            try:
                self._statement(statement, number, streams, items if number == 0 else ())
            except (StopRequested, Thrown):
                raise
            except TerminatingError as error:
                if len(statements) == 1:
                    raise
                streams.error(error.record)
            if self._leaving:
                streams.host_exit(self._leaving[-1])
                return

    def _statement(self, statement: Statement, number: int, streams: Streams, items: Sequence[Any]) -> None:
        flow: Iterable[Any] | None = list(items) or None
        for call in statement:
            if call.redirections:
                redirected = streams.redirected(call.redirections)
                flow = _with_merged(self._call(call, number, redirected, flow), redirected)
            else:
                flow = self._call(call, number, streams, flow)
        for value in flow or ():
            if streams.stopped.is_set():
                raise PipelineStopped
            streams.output(to_wire(value))

    def _call(
        self, call: CommandCall, number: int, streams: Streams, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        """One command of a client's pipeline."""
        if call.is_script:
            return self._script(call, number, streams, flow)
        if self._runs_scripts(call):
            return self._through_language(call, number, streams, flow)
        return self._command(
            self._session.command(call.name), call.name, call.arguments, number, streams, flow
        )

    def _script(
        self, call: CommandCall, number: int, streams: Streams, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        if self._session.constrained:
            with streams.command(call.name, number) as entry:
                entry.parameters = {}
                raise TerminatingError(scripts_refused().record())
        try:
            yield from self.language.run_script(call.name, call.arguments, streams, number, flow)
        except ExitScript as leaving:
            self._leaving.append(leaving.code)  # what follows in the pipeline ends in good order
        except PowerShellError as error:
            raise TerminatingError(error.record()) from None

    def _through_language(
        self, call: CommandCall, number: int, streams: Streams, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        """A command that may be an alias or a function."""
        frame = self.frame(streams, number)
        resolved = self.language.resolve_alias(call.name, frame)
        if frame.scope.function(resolved) is None:
            command = self.find(resolved, frame)
            return self._command(command, resolved, call.arguments, number, streams, flow, frame)
        return self._function(resolved, call, frame, flow)

    def _function(
        self, name: str, call: CommandCall, frame: Frame, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        try:
            yield from self.language.command(name, call.arguments, frame, flow)
        except PowerShellError as error:
            raise TerminatingError(error.record()) from None

    # Commands

    def find(self, name: str, frame: Frame) -> Command | None:
        """The command that a script means by a name: with its module's, or with a program's ending, too."""
        found = self._session.command(name)
        if found is None and "\\" in name:
            found = self._session.command(name.rpartition("\\")[2])
            name = name.rpartition("\\")[2]
        if found is None and name.lower().endswith(".exe"):
            found = self._session.command(name[:-4])
        return found

    def run_command(
        self,
        command: Command,
        arguments: Sequence[Argument],
        frame: Frame,
        flow: Iterable[Any] | None,
        name: str = "",
    ) -> Iterator[Any]:
        """A command of a script."""
        return self._command(
            command, name or command.name, arguments, frame.statement, frame.streams, flow, frame
        )

    def _command(
        self,
        command: Command | None,
        name: str,
        arguments: Sequence[Argument],
        number: int,
        streams: Streams,
        flow: Iterable[Any] | None,
        frame: Frame | None = None,
    ) -> Iterator[Any]:
        """Bind the command at once, run it as its output is asked for."""
        try:
            if command is None:
                raise command_not_found(name)
            binding = self._binder.bind(command, arguments, expects_input=flow is not None)
        except PowerShellError as error:
            with streams.command(command.name if command else name, number) as entry:
                entry.parameters = {a.name or "": _told(a.name or "", a.value) for a in arguments}
                own_name, class_name = (command.name, command.class_name) if command else (name, "")
                raise TerminatingError(error.record(own_name, class_name)) from None
        implementation = self._session.implementation(command)
        made = self._running(command, binding, implementation, number, streams, flow, frame)
        if binding.given("PipelineVariable"):
            raise TerminatingError(not_modelled("-PipelineVariable").record(command.name))
        if binding.given("OutVariable"):
            return self._with_copy(
                made, Invocation(self._session, command, binding, streams, engine=self, surroundings=frame)
            )
        return made

    def _with_copy(self, flow: Iterable[Any], invocation: Invocation) -> Iterator[Any]:
        for value in flow:
            invocation.collect("OutVariable", value)
            yield value

    def _running(
        self,
        command: Command,
        binding: Binding,
        implementation: Implementation,
        number: int,
        streams: Streams,
        flow: Iterable[Any] | None,
        frame: Frame | None,
    ) -> Iterator[Any]:
        def made(item: Any = None) -> Invocation:
            return Invocation(self._session, command, binding, streams, item, engine=self, surroundings=frame)

        if implementation.flows:
            return self._flow(made(), implementation, number, flow)
        if implementation.collects:
            return self._collect(made(), implementation, number, flow)
        return self._process(made, implementation, number, flow)

    def _settle(self, invocation: Invocation, flow: Iterable[Any] | None) -> None:
        try:
            self._binder.finish(invocation.binding, expects_input=flow is not None)
        except PowerShellError as error:
            command = invocation.command
            raise TerminatingError(error.record(command.name, command.class_name)) from None

    def _flow(
        self, invocation: Invocation, implementation: Implementation, number: int, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        self._settle(invocation, flow)
        with invocation.streams.command(invocation.command.name, number) as entry:
            entry.parameters = {name: _told(name, value) for name, value in invocation.values.items()}
            if not entry.effective:
                return
            try:
                yield from implementation.run(
                    invocation, None if flow is None else _until_stopped(flow, invocation.streams)
                )
            except ExitScript as leaving:
                if invocation.scripted:
                    raise
                self._leaving.append(leaving.code)
            except PowerShellError as error:
                entry.result = self._identifier(error, invocation)
                invocation.error(error)

    def _collect(
        self, invocation: Invocation, implementation: Implementation, number: int, flow: Iterable[Any] | None
    ) -> Iterator[Any]:
        items = list(_until_stopped(flow or (), invocation.streams))
        self._settle(invocation, flow)
        yield from self._execute(invocation, number, lambda: implementation.run(invocation, items))

    def _process(
        self,
        made: Callable[..., Invocation],
        implementation: Implementation,
        number: int,
        flow: Iterable[Any] | None,
    ) -> Iterator[Any]:
        if flow is None:
            invocation = made()
            yield from self._execute(invocation, number, lambda: implementation.run(invocation))
            return
        for item in flow:
            invocation = made(item)
            try:
                invocation.binding = self._binder.bind_input(invocation.binding, item)
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
                entry.result = self._identifier(error, invocation)
                invocation.error(error)
                return []
            finally:
                entry.answer = invocation.answer
                if is_program:
                    self.last_exit_code = invocation.exit_code
                if invocation.declined:
                    entry.writes = False
                if is_program and self._language is not None:
                    self._language.root.set("LASTEXITCODE", invocation.exit_code)
                    self._language.succeeded = self._language.succeeded and invocation.exit_code == 0

    def _identifier(self, error: PowerShellError, invocation: Invocation) -> str:
        return str(error.record(invocation.command.name, invocation.command.class_name).FullyQualifiedErrorId)
