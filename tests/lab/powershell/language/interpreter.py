# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs scripts in a runspace: pipelines, functions, variables, and what lives from one pipeline to the next."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain
from typing import Any, Protocol

from psrpcore.types import ErrorCategory, ErrorRecord

from lab.catalogue import Command as CatalogueCommand
from lab.contract import (
    Argument,
    PipelineStopped,
    RedirectedStream,
    RedirectedStreams,
    Streams,
    TerminatingError,
)
from lab.objects.values import NetObject
from lab.powershell.errors import PowerShellError, command_not_found, not_modelled
from lab.powershell.language import automatic, static_members  # noqa: F401  registers members
from lab.powershell.language.conversions import to_bool
from lab.powershell.language.execute import Executor, Thrown
from lab.powershell.language.frame import ExitScript, Frame, LeaveLoop, ReturnFromScript
from lab.powershell.language.functions import FunctionBinding, arguments_of
from lab.powershell.language.parser import parse
from lab.powershell.language.reader import NotModelledSyntax, ParseFailure
from lab.powershell.language.scope import Function, Scope
from lab.powershell.language.text import to_text
from lab.powershell.language.tree import (
    Command,
    CommandExpression,
    Constant,
    Node,
    Pipeline,
    Redirection,
    Script,
    Variable,
)
from lab.powershell.language.values import (
    NOTHING,
    Hashtable,
    Instance,
    ScriptBlock,
    TypedList,
    collected,
    enumerate_value,
    is_array,
)

#: Calls of functions and script blocks inside one another. Windows PowerShell 2.0 allows 1000; later versions as
#: many as
#: their stack has room for, which is taken to be the same (assumed).
MAXIMUM_DEPTH = 1000
#: Python's own limit while scripts run, with room for the depth above, and the stack that takes.
_PYTHON_FRAMES = 30_000
_STACK_BYTES = 256 * 2**20
_REDIRECTED: dict[int, RedirectedStream] = {
    2: "error",
    3: "warning",
    4: "verbose",
    5: "debug",
    6: "information",
}
_thread_start = threading.Lock()


class Commands(Protocol):
    """What the interpreter needs of the engine that runs commands."""

    def find(self, name: str, frame: Frame) -> CatalogueCommand | None: ...

    def run_command(
        self,
        command: CatalogueCommand,
        arguments: Sequence[Argument],
        frame: Frame,
        flow: Iterable[Any] | None,
        name: str = "",
    ) -> Iterator[Any]: ...


class Interpreter(Executor):
    """The language side of one runspace."""

    def __init__(self, session: Any, commands: Commands) -> None:
        super().__init__()
        self.session = session
        self.commands = commands
        self.version: str = session.powershell_version
        self.strict = False
        self.succeeded = True
        self.errors = TypedList([], "System.Collections.ArrayList")
        self.environment = automatic.environment(session)
        self.root = Scope(is_script=True)
        automatic.declare(self)
        self._lasting: ErrorRecord | None = None

    # Entry points

    def run_script(
        self,
        text: str,
        arguments: Sequence[Argument],
        streams: Streams,
        statement: int,
        flow: Iterable[Any] | None,
    ) -> Iterator[Any]:
        """A script that a client sent, in the runspace's global scope. Raises TerminatingError, ExitScript."""
        frame = Frame(self.root, streams, statement=statement)
        script = self.parse(text)
        try:
            yield from self.call(script, "", arguments, frame, flow, dotted=True)
        except LeaveLoop:
            return

    def expression(self, text: str, frame: Frame) -> Iterator[Any]:
        """Invoke-Expression: a text as a script in the scope that is there."""
        script = self.parse(text)
        yield from self.call(script, "", (), frame, None, dotted=True)

    def parse(self, text: str) -> Script:
        """Raises PowerShellError: the text is no script, or has what the lab does not."""
        try:
            return parse(text, self.version)
        except ParseFailure as failure:
            raise PowerShellError(
                failure.positioned() if self.version >= "3" else failure.message,
                category=ErrorCategory.ParserError,
                error_id=failure.error_id,
                exception="System.Management.Automation.ParseException",
                qualified=False,
            ) from None
        except NotModelledSyntax as reason:
            raise not_modelled(str(reason)) from None

    def parse_block(self, text: str) -> ScriptBlock:
        return ScriptBlock(self.parse(text))

    def expand(self, text: str, frame: Frame) -> str:
        """A text with its variables and subexpressions replaced, as if it stood in double quotes."""
        script = self.parse('"' + text.replace('"', '""') + '"')
        return to_text(collected(list(self.call(script, "", (), frame, None, dotted=True))))

    # Errors

    def note(self, record: ErrorRecord) -> None:
        if record is not self._lasting:
            self._lasting = record
            self.errors.insert(0, record)
            del self.errors[256:]

    def report(self, record: ErrorRecord, frame: Frame) -> None:
        self.note(record)
        frame.streams.error(record)

    def preference(self, frame: Frame, name: str) -> str:
        return to_text(frame.scope.get(name))

    # Variables

    def variable(self, node: Variable, frame: Frame) -> Any:
        name, scope = node.name, node.scope
        if not scope:
            if name == "?":
                return self.succeeded
            found = frame.scope.slot("_" if name.lower() == "psitem" and self.version >= "3" else name)
            if found is not None:
                return found.value
            return self._missing(name, frame)
        if scope in ("global", "script", "local", "private"):
            found = frame.scope.named(scope).slot(name)
            return found.value if found is not None else self._missing(f"{scope}:{name}", frame)
        return self._of_drive(scope, name, frame)

    def _missing(self, name: str, frame: Frame) -> Any:
        if name.lower() == "input":
            return list(frame.input or ())
        if self.strict:
            raise PowerShellError(
                f"The variable '${name}' cannot be retrieved because it has not been set.",
                category=ErrorCategory.InvalidOperation,
                error_id="VariableIsUndefined",
                exception="System.Management.Automation.RuntimeException",
                target=name,
                qualified=False,
            )
        return None

    def _of_drive(self, drive: str, name: str, frame: Frame) -> Any:
        if drive == "env":
            return self.environment.get(name)
        if drive == "variable":
            return frame.scope.get(name)
        if drive == "function":
            function = frame.scope.function(name)
            return None if function is None else ScriptBlock(function.script, name=function.name)
        if drive == "using":
            raise PowerShellError(
                "A Using variable cannot be retrieved. A Using variable can be used only with Invoke-Command, "
                "Start-Job, "
                "or InlineScript in the script workflow. When it is used with Invoke-Command, the Using variable "
                "is valid "
                "only if the script block is invoked on a remote computer.",
                category=ErrorCategory.InvalidOperation,
                error_id="UsingWithoutInvokeCommand",
                exception="System.Management.Automation.RuntimeException",
                qualified=False,
            )
        if drive == "alias":
            return frame.scope.alias(name)
        raise _no_drive(drive)

    def assign_variable(self, node: Variable, value: Any, frame: Frame, convert: Any = None) -> None:
        value = None if value is NOTHING else value
        name, scope = node.name, node.scope
        if name.lower() == "null" and not scope:
            return  # where values are thrown away
        if not scope:
            frame.scope.set("_" if name.lower() == "psitem" else name, value, convert)
        elif scope in ("global", "script", "local"):
            frame.scope.named(scope).set(name, value, convert)
        elif scope == "private":
            frame.scope.set(name, value, convert)
            frame.scope.variables[name.lower()].private = True
        elif scope == "env":
            self.set_environment(name, value)
        elif scope == "variable":
            frame.scope.set(name, value)
        elif scope == "function" and isinstance(value, ScriptBlock):
            frame.scope.functions[name.lower()] = Function(name, value.script)
        else:
            raise _no_drive(scope)

    def set_environment(self, name: str, value: Any) -> None:
        """A variable of the process; null or an empty text removes it."""
        text = to_text(value)
        if text:
            self.environment[name] = text
        elif name in self.environment:
            del self.environment[name]

    # Script blocks and functions

    def invoke(
        self, block: ScriptBlock, arguments: Iterable[Any], frame: Frame, **details: Any
    ) -> Iterator[Any]:
        """Run a script block; ``underscore`` is its ``$_``, ``dotted``: in the scope that is there.

        Blocks given to commands (``underscore``) run in the scope that is there, too, as those of ForEach-Object do.
        """
        if "underscore" in details:
            before = frame.scope.get("_")
            frame.scope.set("_", details["underscore"])
            try:
                yield from self.call(block.script, "", arguments_of(arguments), frame, None, dotted=True)
            finally:
                frame.scope.set("_", before)
            return
        yield from self.call(
            block.script,
            block.name,
            arguments_of(arguments),
            frame,
            details.get("flow"),
            dotted=bool(details.get("dotted")),
            closure=block.closure,
        )

    def call(
        self,
        script: Script,
        name: str,
        arguments: Sequence[Argument],
        frame: Frame,
        flow: Iterable[Any] | None,
        dotted: bool = False,
        closure: Scope | None = None,
        is_filter: bool = False,
    ) -> Iterator[Any]:
        """Bind the arguments of a script, a function or a script block, and run it."""
        if frame.depth >= MAXIMUM_DEPTH:
            raise call_depth(self.version)
        scope = frame.scope
        if not dotted:
            scope = Scope(closure or frame.scope)
        inner = frame.with_scope(
            scope,
            depth=frame.depth + 1,
            source=script.text,
            label=name or "<ScriptBlock>",
            caller=frame,
            node=None,
        )
        before = {"args": scope.variables.get("args")} if dotted else {}
        scope.variables.pop("args", None)
        try:
            binding = self._bound(script, name, arguments, inner)
            scope.set("args", binding.unbound)
            inner.function = name if binding.advanced else frame.function
            if name or binding.values or not dotted:
                scope.set("PSBoundParameters", binding.bound_parameters())
            invocation = self._invocation(script, name, binding, inner)
            scope.set("MyInvocation", invocation)
            if binding.advanced:
                cmdlet = (
                    "System.Management.Automation.PSScriptCmdlet",
                    "System.Management.Automation.PSCmdlet",
                )
                scope.set(
                    "PSCmdlet",
                    Instance(
                        (*cmdlet, "System.Management.Automation.Cmdlet", "System.Object"),
                        name,
                        {"MyInvocation": invocation, "ParameterSetName": binding.set_name()},
                    ),
                )
            try:
                yield from self._run_parts(script, binding, inner, flow, is_filter)
            except ReturnFromScript:
                return
        finally:
            for key, slot in before.items():
                if slot is None:
                    scope.variables.pop(key, None)
                else:
                    scope.variables[key] = slot

    def _bound(
        self, script: Script, name: str, arguments: Sequence[Argument], frame: Frame
    ) -> FunctionBinding:
        def test(block: Any, item: Any) -> bool:
            return to_bool(collected(list(self.invoke(block, (), frame, underscore=item))))

        binding = FunctionBinding(
            name, script, arguments, lambda node: self.evaluate(node, frame), self.version, test
        )
        for variable, value in binding.values.items():
            frame.scope.variables.pop(variable.lower(), None)
            frame.scope.set(variable, value)
        for parameter in binding.parameters:
            if parameter.name in binding.values:
                continue
            frame.scope.variables.pop(parameter.name.lower(), None)
            if parameter.node.default is not None:
                value = self.evaluate(parameter.node.default, frame)
                value = None if value is NOTHING else value
                frame.scope.set(
                    parameter.name, value if parameter.node.type is None else self._typed(parameter, value)
                )
            else:
                frame.scope.set(parameter.name, self._initial(parameter))
        for common, preference in _PREFERENCES.items():
            if common in binding.common:
                value = binding.common[common]
                switched = "Continue" if value else "SilentlyContinue"
                frame.scope.set(
                    preference, switched if isinstance(value, bool) and common != "WhatIf" else value
                )
        return binding

    def _typed(self, parameter: Any, value: Any) -> Any:
        from lab.powershell.language.conversions import cast
        from lab.powershell.language.types import resolve

        return cast(value, resolve(parameter.node.type, self.version), self.version)

    def _initial(self, parameter: Any) -> Any:
        """The value of a parameter that was not given and has no default."""
        if parameter.is_switch:
            return False
        if parameter.node.type is None:
            return None
        name = parameter.node.type.name.lower().rpartition(".")[2]
        if parameter.node.type.ranks:
            return None
        simple = {"string": "", "int": 0, "int32": 0, "bool": False, "boolean": False, "double": 0.0}
        return simple.get(name)

    def _invocation(self, script: Script, name: str, binding: FunctionBinding, frame: Frame) -> NetObject:
        return NetObject(
            ("System.Management.Automation.InvocationInfo", "System.Object"),
            {
                "MyCommand": name or script.source,
                "BoundParameters": binding.bound_parameters(),
                "UnboundArguments": TypedList(
                    binding.unbound, "System.Collections.Generic.List`1[[System.Object]]"
                ),
                "ScriptLineNumber": 0,
                "OffsetInLine": 0,
                "ScriptName": None,
                "Line": "",
                "PositionMessage": "",
                "InvocationName": name,
                "PipelineLength": 1,
                "PipelinePosition": 1,
                "ExpectingInput": frame.input is not None,
                "CommandOrigin": "Internal",
            },
        )

    def _run_parts(
        self,
        script: Script,
        binding: FunctionBinding,
        frame: Frame,
        flow: Iterable[Any] | None,
        is_filter: bool,
    ) -> Iterator[Any]:
        process = script.process or (script.final if is_filter else None)
        takes_input = binding.takes_input() if flow is not None else []
        if not takes_input:
            binding.finish()
        if script.begin is not None:
            yield from self.run_block(script.begin, frame)
        if process is not None:
            yield from self._processed(process, binding, takes_input, frame, flow)
            if script.final is not None and not is_filter:
                frame.input = None
                yield from self.run_block(script.final, frame)
            return
        if script.final is None:
            return
        items = list(flow) if flow is not None else []
        if takes_input and items:
            self._bind_item(binding, takes_input, items[-1], frame)
        elif flow is not None and frame.scope.parent is not None:
            frame.scope.set("_", None)
        if flow is not None:
            frame.scope.set("input", items)
        frame.input = iter(items) if flow is not None else None
        yield from self.run_block(script.final, frame)

    def _processed(
        self,
        process: Any,
        binding: FunctionBinding,
        takes_input: list[Any],
        frame: Frame,
        flow: Iterable[Any] | None,
    ) -> Iterator[Any]:
        if flow is None:
            yield from self._once(process, frame)
            return
        for item in flow:
            if frame.streams.stopped.is_set():
                raise PipelineStopped
            frame.scope.set("_", item)
            frame.scope.set("input", [item])
            if takes_input:
                try:
                    self._bind_item(binding, takes_input, item, frame)
                except PowerShellError as error:
                    record = error.record(error.activity or "")
                    if frame.catching:
                        raise TerminatingError(record) from None
                    self.succeeded = False
                    self.report(record, frame)
                    continue
            yield from self._once(process, frame)

    def _once(self, process: Any, frame: Frame) -> Iterator[Any]:
        try:
            yield from self.run_block(process, frame)
        except ReturnFromScript:
            return

    def _bind_item(self, binding: FunctionBinding, takes_input: list[Any], item: Any, frame: Frame) -> None:
        """Bind an object of the pipeline: by value, else by property name."""
        from lab.objects.values import get_property, has_property

        bound = False
        given = {name for name in binding.values if name not in getattr(binding, "from_pipeline", ())}
        taken: set[str] = set()
        for parameter, by_value in takes_input:
            if parameter.name in given or parameter.name in taken:
                continue
            if by_value:
                value = binding.convert(parameter, item)
            elif has_property(item, parameter.name):
                value = binding.convert(parameter, get_property(item, parameter.name))
            else:
                continue
            bound = True
            taken.add(parameter.name)
            frame.scope.variables.pop(parameter.name.lower(), None)
            frame.scope.set(parameter.name, value)
        if not bound:
            from lab.powershell.errors import input_not_bound

            error = input_not_bound(item)
            error.activity = binding.name
            raise error
        kept = {name: value for name, value in binding.values.items() if name in given}
        try:
            binding.values = {**kept, **{name: frame.scope.get(name) for name in taken}}
            binding.finish()
        finally:
            binding.values = kept

    # Pipelines

    def pipeline(self, node: Pipeline, frame: Frame) -> Iterator[Any]:
        self.succeeded = True
        flow: Iterator[Any] | None = None
        for element in node.elements:
            flow = self._stage(element, frame, flow)
        assert flow is not None
        yield from flow

    def _stage(
        self, element: Command | CommandExpression, frame: Frame, flow: Iterator[Any] | None
    ) -> Iterator[Any]:
        inner, redirected, target = self._redirected(element.redirections, frame.derive(node=element))
        if isinstance(element, CommandExpression):
            made = self._expression_stage(element, inner)
        else:
            made = self._command_stage(element, inner, flow)
        if redirected is not None:
            made = _merged(made, redirected)
        return made if target is None else self._written(made, target, frame)

    def _expression_stage(self, element: CommandExpression, frame: Frame) -> Iterator[Any]:
        yield from enumerate_value(self.evaluate(element.expression, frame))

    def _redirected(
        self, redirections: tuple[Redirection, ...], frame: Frame
    ) -> tuple[Frame, RedirectedStreams | None, Redirection | None]:
        """The frame with the streams redirected, these streams, and where the output itself goes."""
        streams: dict[Any, Any] = {}
        output: Redirection | None = None
        for redirection in redirections:
            numbers = [1, *_REDIRECTED] if redirection.stream == 0 else [redirection.stream]
            for number in numbers:
                if number == 1:
                    output = redirection if redirection.target is not None else output
                elif redirection.target is None:
                    streams[_REDIRECTED[number]] = "output"
                elif self._is_null(redirection.target, frame):
                    streams[_REDIRECTED[number]] = "null"
                else:
                    raise not_modelled("redirection of this stream into a file")
        if not streams:
            return frame, None, output
        redirected = frame.streams.redirected(streams)
        return frame.derive(streams=redirected), redirected, output

    def _is_null(self, target: Node, frame: Frame) -> bool:
        return isinstance(target, Variable) and target.name.lower() == "null"

    def _written(self, made: Iterator[Any], redirection: Redirection, frame: Frame) -> Iterator[Any]:
        """``> $null`` throws the output away, ``> file`` writes it as Out-File does."""
        assert redirection.target is not None
        if self._is_null(redirection.target, frame):
            for _ in made:
                pass
            return
        path = to_text(self.evaluate(redirection.target, frame))
        arguments = [Argument("FilePath", path)]
        if redirection.appends:
            arguments.append(Argument("Append", True))
        command = self.commands.find("Out-File", frame)
        if command is None:
            raise command_not_found("Out-File")
        yield from self.commands.run_command(command, arguments, frame, made)

    def _command_stage(self, element: Command, frame: Frame, flow: Iterator[Any] | None) -> Iterator[Any]:
        target: Any = (
            element.name.value if isinstance(element.name, Constant) else self.evaluate(element.name, frame)
        )
        if isinstance(target, NetObject) and "CommandType" in target.properties:
            target = target.properties["Name"]
        if isinstance(target, ScriptBlock):
            arguments = self.arguments(element, frame)
            return self._guarded(
                self.call(
                    target.script,
                    target.name,
                    arguments,
                    frame,
                    flow,
                    dotted=element.operator == ".",
                    closure=target.closure,
                )
            )
        if target is None or target is NOTHING or is_array(target):
            raise PowerShellError(
                f"The expression after '{element.operator}' in a pipeline element produced an object that was not "
                "valid. "
                "It must result in a command name, a script block, or a CommandInfo object.",
                category=ErrorCategory.InvalidOperation,
                error_id="BadExpression",
                exception="System.Management.Automation.RuntimeException",
                target=element.operator,
                qualified=False,
            )
        return self.command(
            to_text(target), self.arguments(element, frame), frame, flow, element.operator == "."
        )

    def _guarded(self, made: Iterator[Any]) -> Iterator[Any]:
        self.succeeded = True
        return made

    def command(
        self,
        name: str,
        arguments: Sequence[Argument],
        frame: Frame,
        flow: Iterable[Any] | None,
        dotted: bool = False,
    ) -> Iterator[Any]:
        """A command by name: alias, function, cmdlet, program, in that order (about_Command_Precedence)."""
        resolved = self.resolve_alias(name, frame)
        function = frame.scope.function(
            resolved.rpartition("\\")[2] if resolved.startswith("function:") else resolved
        )
        if function is not None:
            return self.call(
                function.script, function.name, arguments, frame, flow, dotted, is_filter=function.is_filter
            )
        command = self.commands.find(resolved, frame)
        if command is None and "-" not in resolved:
            command = self.commands.find(f"Get-{resolved}", frame)
        if command is None:
            raise self._unknown(resolved)
        return self.commands.run_command(command, arguments, frame, flow, resolved)

    def resolve_alias(self, name: str, frame: Frame) -> str:
        seen: set[str] = set()
        while name.lower() not in seen:
            seen.add(name.lower())
            target = frame.scope.alias(name)
            if target is None:
                break
            name = target
        return name

    def _unknown(self, name: str) -> PowerShellError:
        if automatic.exists_on_windows(name, self.version):
            return not_modelled(f"the command {name}")
        error = command_not_found(name)
        error.invocation_name = name
        return error

    def arguments(self, element: Command, frame: Frame) -> list[Argument]:
        """The arguments of a command, evaluated."""
        found: list[Argument] = []
        for part in element.elements:
            if part.value is None:
                found.append(Argument(part.name, None, bare=True))
            elif isinstance(part.value, Variable) and part.value.splatted:
                found.extend(self._splatted(part.value, frame))
            else:
                value = self.evaluate(part.value, frame)
                found.append(Argument(part.name, None if value is NOTHING else value))
        return found

    def _splatted(self, node: Variable, frame: Frame) -> Iterator[Argument]:
        value = self.variable(Variable(node.at, node.end, node.name, node.scope), frame)
        if isinstance(value, dict):
            for key, content in value.items():
                yield Argument(to_text(key), content)
            return
        for item in enumerate_value(value):
            yield Argument(None, item)


_PREFERENCES = {
    "ErrorAction": "ErrorActionPreference",
    "WarningAction": "WarningPreference",
    "InformationAction": "InformationPreference",
    "Verbose": "VerbosePreference",
    "Debug": "DebugPreference",
    "WhatIf": "WhatIfPreference",
}


def _merged(flow: Iterable[Any], streams: RedirectedStreams) -> Iterator[Any]:
    """The output of a command, and between it what its other streams were merged into it."""
    failure: BaseException | None = None
    source = iter(flow)
    while True:
        try:
            value = next(source)
        except StopIteration:
            break
        except TerminatingError as error:
            failure = error
            break
        yield from streams.take()
        yield value
    yield from streams.take()
    if failure is not None:
        raise failure


def _no_drive(name: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot find drive. A drive with the name '{name}' does not exist.",
        category=ErrorCategory.ObjectNotFound,
        error_id="DriveNotFound",
        exception="System.Management.Automation.DriveNotFoundException",
        target=name,
        qualified=False,
    )


def call_depth(version: str) -> TerminatingError:
    """Source: GetErrorText.resx; ScriptCallDepthException in PowerShell/PowerShell; 2.0 counted."""
    text = "The script failed due to call depth overflow."
    if version < "3":
        text += f" The call depth reached {MAXIMUM_DEPTH + 1} and the maximum is {MAXIMUM_DEPTH}."
    record = PowerShellError(
        text,
        category=ErrorCategory.InvalidOperation,
        error_id="CallDepthOverflow",
        exception="System.Management.Automation.ScriptCallDepthException",
        target=0,
        qualified=False,
    ).record()
    return TerminatingError(record)


def on_a_deep_stack(work: Callable[[], Any]) -> Any:
    """Run ``work`` on a thread whose stack has room for deep recursion; what it raises is raised here."""
    result: list[Any] = []

    def run() -> None:
        try:
            work()
        except RecursionError:
            result.append(call_depth("5.1"))
        except BaseException as error:
            result.append(error)

    with _thread_start:
        if sys.getrecursionlimit() < _PYTHON_FRAMES:
            sys.setrecursionlimit(_PYTHON_FRAMES)
        before = threading.stack_size(_STACK_BYTES)
        try:
            thread = threading.Thread(target=run, name="script", daemon=True)
            thread.start()
        finally:
            threading.stack_size(before)
    thread.join()
    if result:
        raise result[0]
    return None


__all__ = [
    "ExitScript",
    "Frame",
    "Hashtable",
    "Interpreter",
    "Thrown",
    "chain",
    "on_a_deep_stack",
]
