# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Executes statements: each is a generator of what it puts out."""

from __future__ import annotations

import re
from abc import abstractmethod
from collections.abc import Callable, Iterator
from typing import Any

from psrpcore.types import ErrorCategory, ErrorRecord, NETException

from lab.contract import PipelineStopped, TerminatingError
from lab.powershell.errors import PowerShellError, net_exception
from lab.powershell.language import comparison
from lab.powershell.language.conversions import to_bool, to_integer
from lab.powershell.language.evaluate import Evaluator
from lab.powershell.language.frame import ExitScript, Frame, LeaveLoop, ReturnFromScript
from lab.powershell.language.reader import line_and_column, line_of, position_message
from lab.powershell.language.scope import Function
from lab.powershell.language.text import like, regex, to_text
from lab.powershell.language.tree import (
    Assignment,
    Block,
    Catch,
    CommandExpression,
    Constant,
    Exit,
    For,
    ForEach,
    FunctionDefinition,
    If,
    Jump,
    Loop,
    Node,
    Pipeline,
    Return,
    ScriptBlockExpression,
    Step,
    Switch,
    Throw,
    Trap,
    Try,
    TypeName,
)
from lab.powershell.language.types import resolve
from lab.powershell.language.values import NOTHING, ScriptBlock, collected, enumerate_value, items_of

_AUTOMATION = "System.Management.Automation"


class Thrown(TerminatingError):
    """``throw``, or an error under $ErrorActionPreference Stop: it ends the script unless something catches it."""


class Executor(Evaluator):
    """The part of the interpreter that executes statements."""

    succeeded: bool  # ``$?``

    def __init__(self) -> None:
        super().__init__()
        self._statements: dict[type, Callable[[Any, Frame], Iterator[Any]]] = {
            Pipeline: self._pipeline,
            If: self._if,
            Loop: self._loop,
            For: self._for,
            ForEach: self._foreach,
            Switch: self._switch,
            Jump: self._jump,
            Return: self._return,
            Exit: self._exit,
            Throw: self._throw,
            Try: self._try,
        }

    @abstractmethod
    def pipeline(self, node: Pipeline, frame: Frame) -> Iterator[Any]:
        """Run a pipeline of commands and give its output."""

    @abstractmethod
    def report(self, record: ErrorRecord, frame: Frame) -> None:
        """Note an error in $Error and write it to the error stream."""

    @abstractmethod
    def note(self, record: ErrorRecord) -> None:
        """Note an error in $Error."""

    @abstractmethod
    def preference(self, frame: Frame, name: str) -> str:
        """What a preference variable such as $ErrorActionPreference says."""

    # Blocks

    def run_block(self, block: Block, frame: Frame) -> Iterator[Any]:
        if block.traps:
            yield from self._trapped(block, frame)
            return
        stopped = frame.streams.stopped
        for node in block.statements:
            if stopped.is_set():
                raise PipelineStopped
            try:
                if isinstance(node, Assignment):
                    self.assign(node, frame)
                    self.succeeded = True
                else:
                    yield from self.statement(node, frame)
            except (PowerShellError, TerminatingError) as error:
                self._failed(error, node, frame)

    def statement(self, node: Node, frame: Frame) -> Iterator[Any]:
        handler = self._statements.get(type(node))
        if handler is not None:
            yield from handler(node, frame)
        elif isinstance(node, FunctionDefinition):
            self._define(node, frame)
        elif isinstance(node, Assignment):
            self.assign(node, frame)

    def _failed(self, error: PowerShellError | TerminatingError, node: Node, frame: Frame) -> None:
        """An error ended a statement: pass it on, or report it and go on with the next one.

        Source: PowerShell/PowerShell, ExceptionHandlingOps.CheckActionPreference.
        """
        record = self.record_of(error, node, frame)
        self.succeeded = False
        if frame.catching:
            raise error if isinstance(error, TerminatingError) else TerminatingError(record)
        action = self.preference(frame, "ErrorActionPreference").lower()
        if getattr(record, "script_stops", False):
            raise error
        if action in ("silentlycontinue", "ignore"):
            self.note(record)
            return
        if action == "stop" or isinstance(error, Thrown):
            record.script_stops = True
            raise error if isinstance(error, TerminatingError) else Thrown(record)
        self.report(record, frame)

    def record_of(self, error: PowerShellError | TerminatingError, node: Node, frame: Frame) -> ErrorRecord:
        """The error's record, with the place in the script."""
        if isinstance(error, PowerShellError):
            record = error.record()
            self.locate(record, node, frame)
            error.located = record  # type: ignore[attr-defined]
            return record
        if getattr(error.record.InvocationInfo, "ScriptLineNumber", None) is None:
            self.locate(error.record, node, frame)
        return error.record

    def locate(self, record: ErrorRecord, node: Node, frame: Frame) -> None:
        """Say in the record's invocation details where the node stands."""
        text = frame.source
        if not text or node.at > len(text):
            return
        line, column = line_and_column(text, node.at)
        if self.version >= "3":
            record.ScriptStackTrace = "\r\n".join(_stack(frame, line))
        info = record.InvocationInfo
        info.ScriptLineNumber = line
        info.OffsetInLine = column
        info.Line = line_of(text, node.at)
        info.PositionMessage = position_message(text, node.at, node.end - node.at)

    def _trapped(self, block: Block, frame: Frame) -> Iterator[Any]:
        """A block with traps: each statement's error goes to the trap that takes it (about_Trap)."""
        inner = frame.derive(catching=True)
        for node in block.statements:
            try:
                yield from self.statement(node, inner)
                continue
            except (PowerShellError, TerminatingError) as error:
                record = self.record_of(error, node, frame)
                trap = self._trap_for(record, block.traps)
                if trap is None:
                    self._failed(error, node, frame)
                    continue
                failure = error
            self.note(record)
            try:
                yield from self.invoke(
                    ScriptBlock(_body_of(trap.body, frame.source)), (), frame, underscore=record
                )
            except LeaveLoop as leaving:
                if leaving.kind == "continue":
                    continue
                raise failure from None
            self.report(record, frame)

    def _trap_for(self, record: ErrorRecord, traps: tuple[Trap, ...]) -> Trap | None:
        for trap in traps:
            if trap.type is None or self._matching(record, (trap.type,)):
                return trap
        return None

    def _define(self, node: FunctionDefinition, frame: Frame) -> None:
        qualifier, colon, name = node.name.partition(":")
        if not colon:
            qualifier, name = "local", node.name
        scope = frame.scope.named(qualifier.lower())
        scope.functions[name.lower()] = Function(name, node.script, node.is_filter)

    # Pipelines

    def _pipeline(self, node: Pipeline, frame: Frame) -> Iterator[Any]:
        first = node.elements[0]
        if len(node.elements) == 1 and isinstance(first, CommandExpression) and not first.redirections:
            value = self.evaluate(first.expression, frame)
            self.succeeded = True
            if not isinstance(first.expression, Step):
                yield from enumerate_value(value)
            return
        yield from self.pipeline(node, frame)

    # Conditions and loops

    def _if(self, node: If, frame: Frame) -> Iterator[Any]:
        for condition, body in node.clauses:
            if self.condition(condition, frame):
                yield from self.run_block(body, frame)
                return
        if node.otherwise is not None:
            yield from self.run_block(node.otherwise, frame)

    def _round(self, body: Block, label: str, frame: Frame) -> Iterator[Any]:
        """One round of a loop. Raises LeaveLoop if the loop ends."""
        if frame.streams.stopped.is_set():
            raise PipelineStopped
        try:
            yield from self.run_block(body, frame)
        except LeaveLoop as leaving:
            if leaving.kind == "break" or (leaving.label and leaving.label.lower() != label.lower()):
                raise

    def _repeat(self, rounds: Iterator[Iterator[Any]], label: str) -> Iterator[Any]:
        try:
            for one in rounds:
                yield from one
        except LeaveLoop as leaving:
            if leaving.label and leaving.label.lower() != label.lower():
                raise

    def _loop(self, node: Loop, frame: Frame) -> Iterator[Any]:
        def rounds() -> Iterator[Iterator[Any]]:
            first = node.body_first
            while first or self.condition(node.condition, frame) != node.until:
                first = False
                yield self._round(node.body, node.label, frame)

        yield from self._repeat(rounds(), node.label)

    def _for(self, node: For, frame: Frame) -> Iterator[Any]:
        if node.initializer is not None:
            self.value_of(node.initializer, frame)

        def rounds() -> Iterator[Iterator[Any]]:
            while node.condition is None or self.condition(node.condition, frame):
                yield self._round(node.body, node.label, frame)
                if node.iterator is not None:
                    self.value_of(node.iterator, frame)

        yield from self._repeat(rounds(), node.label)

    def _foreach(self, node: ForEach, frame: Frame) -> Iterator[Any]:
        collection = self.value_of(node.collection, frame)
        if collection is None and self.version >= "3":
            return

        def rounds() -> Iterator[Iterator[Any]]:
            for item in items_of(collection):
                self.assign_variable(node.variable, item, frame)
                yield self._round(node.body, node.label, frame)

        yield from self._repeat(rounds(), node.label)

    def _switch(self, node: Switch, frame: Frame) -> Iterator[Any]:
        value = self.value_of(node.value, frame)
        items = items_of(value) if value is not NOTHING else []
        before = frame.scope.get("_")

        def rounds() -> Iterator[Iterator[Any]]:
            for item in items:
                frame.scope.set("_", item)
                yield self._switched(node, item, frame)

        try:
            yield from self._repeat(rounds(), node.label)
        finally:
            frame.scope.set("_", before)

    def _switched(self, node: Switch, item: Any, frame: Frame) -> Iterator[Any]:
        matched = False
        try:
            for condition, body in node.clauses:
                if self._applies(node, condition, item, frame):
                    matched = True
                    yield from self.run_block(body, frame)
            if not matched and node.default is not None:
                yield from self.run_block(node.default, frame)
        except LeaveLoop as leaving:
            if leaving.kind == "break" or leaving.label:
                raise

    def _applies(self, node: Switch, condition: Node, item: Any, frame: Frame) -> bool:
        if isinstance(condition, ScriptBlockExpression):
            return to_bool(
                collected(list(self.invoke(ScriptBlock(condition.script), (), frame, dotted=True)))
            )
        wanted = self.evaluate(condition, frame)
        if node.mode == "regex":
            expression = regex(to_text(wanted), 0 if node.case_sensitive else re.IGNORECASE)
            found = expression.search(to_text(item))
            if found:
                frame.scope.set("Matches", comparison.groups(found))
            return found is not None
        if node.mode == "wildcard":
            return like(to_text(item), to_text(wanted), node.case_sensitive)
        if isinstance(item, str) or isinstance(wanted, str):
            item = to_text(item) if not isinstance(item, str) else item
        return comparison.equal(item, wanted, node.case_sensitive)

    # Leaving

    def _jump(self, node: Jump, frame: Frame) -> Iterator[Any]:
        label = to_text(self.evaluate(node.label, frame)) if node.label is not None else ""
        raise LeaveLoop(node.kind, label)

    def _return(self, node: Return, frame: Frame) -> Iterator[Any]:
        if node.value is not None:
            yield from self.statement(node.value, frame)
        raise ReturnFromScript

    def _exit(self, node: Exit, frame: Frame) -> Iterator[Any]:
        code = 0
        if node.code is not None:
            value = self.value_of(node.code, frame)
            try:
                code = to_integer(value)
            except PowerShellError:
                code = 0
        raise ExitScript(code)

    def _throw(self, node: Throw, frame: Frame) -> Iterator[Any]:
        if node.value is None:
            if frame.rethrown is not None:
                raise Thrown(frame.rethrown)
            thrown: Any = None
        else:
            thrown = self.value_of(node.value, frame)
        record = thrown_record(None if thrown is NOTHING else thrown)
        self.locate(record, node, frame)
        raise Thrown(record)

    # Catching

    def _try(self, node: Try, frame: Frame) -> Iterator[Any]:
        left = False
        try:
            yield from self._caught(node, frame)
            left = True
        except (LeaveLoop, ReturnFromScript, ExitScript, PowerShellError, TerminatingError):
            left = True
            if node.final is not None:
                yield from self.run_block(node.final, frame)
            raise
        finally:
            # Where the output is wanted no more (a stop, Select-Object -First) the block still runs.
            if not left and node.final is not None:
                for _ in self.run_block(node.final, frame.derive(streams=_unstopped(frame))):
                    pass
        if node.final is not None:
            yield from self.run_block(node.final, frame)

    def _caught(self, node: Try, frame: Frame) -> Iterator[Any]:
        inner = frame.derive(catching=True) if node.catches else frame
        try:
            yield from self.run_block(node.body, inner)
            return
        except (PowerShellError, TerminatingError) as error:
            record = self.record_of(error, node.body, frame)
            handler = self._handler(record, node.catches)
            if handler is None:
                raise
        self.note(record)
        self.succeeded = False
        before = frame.scope.get("_")
        frame.scope.set("_", record)
        try:
            yield from self.run_block(handler.body, frame.derive(rethrown=record))
        finally:
            frame.scope.set("_", before)

    def _handler(self, record: ErrorRecord, catches: tuple[Catch, ...]) -> Catch | None:
        for handler in catches:
            if not handler.types or self._matching(record, handler.types):
                return handler
        return None

    def _matching(self, record: ErrorRecord, types: tuple[TypeName, ...]) -> bool:
        """Whether the exception, or one inside it, is of one of these types."""
        wanted = {resolve(name, self.version).name for name in types}
        exception: Any = record.Exception
        while isinstance(exception, NETException):
            if wanted & set(exception.PSTypeNames):
                return True
            exception = getattr(exception, "InnerException", None)
        return False


def _stack(frame: Frame, line: int) -> Iterator[str]:
    """ErrorRecord.ScriptStackTrace: where the error is, and what called that."""
    at: Frame | None = frame
    while at is not None and at.source:
        yield f"at {at.label}, <No file>: line {line}"
        at = at.caller
        if at is not None and at.node is not None and at.source:
            line = line_and_column(at.source, at.node.at)[0]


def _unstopped(frame: Frame) -> Any:
    """Streams for what runs although the pipeline was stopped."""
    import threading

    redirected = frame.streams.redirected({})
    redirected.stopped = threading.Event()
    return redirected


def _body_of(block: Block, text: str) -> Any:
    from lab.powershell.language.tree import Script

    return Script(text, block.at, block.end, final=block)


def thrown_record(thrown: Any) -> ErrorRecord:
    """The record of what ``throw`` was given (InterpreterError, ExceptionHandlingOps.ConvertToException)."""
    if isinstance(thrown, ErrorRecord):
        return thrown
    if isinstance(thrown, NETException):
        name = thrown.PSTypeNames[0]
        made = PowerShellError(
            str(thrown.Message),
            category=ErrorCategory.OperationStopped,
            error_id=str(thrown.Message),
            exception=name,
            qualified=False,
        ).record()
        made.Exception = thrown
        return made
    text = "ScriptHalted" if thrown is None else to_text(thrown)
    record = PowerShellError(
        text,
        category=ErrorCategory.OperationStopped,
        error_id=text,
        exception=f"{_AUTOMATION}.RuntimeException",
        target=thrown,
        qualified=False,
    ).record()
    record.Exception = net_exception(f"{_AUTOMATION}.RuntimeException", text)
    return record


__all__ = ["Constant", "Executor", "Thrown", "thrown_record"]
