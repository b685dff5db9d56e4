# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a client's commands is being executed in the PowerShell's process, so that the journal has each at its place.

A cmdlet of the lab says by itself that it runs; of PowerShell's own commands, and of those that were refused before they
ran, the client's messages and the answers tell.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalogue.binder import Binder
from ..contract import CommandCall, Statement
from ..host_process import Execution
from ..powershell.errors import PowerShellError
from .model import journalled

#: The identifier, activity and target of an error record.
Failure = tuple[str, str, str]


@dataclass
class Sent:
    """A command that a client sent and that is not in the journal yet."""

    call: CommandCall
    statement: int


@dataclass
class Conduct:
    """A pipeline: what it was sent, and what came of it so far."""

    pipeline_id: str
    drop: Callable[[], None]
    waiting: list[Sent]
    failures: list[Failure] = field(default_factory=list)


class CommandJournal:
    """The commands of one runspace pool. Thread safe."""

    def __init__(self, runspace: Any, answered: Collection[str], execution: Callable[..., Execution]) -> None:
        """``answered`` are the names, in lower case, of the commands that the model answers."""
        self._runspace = runspace
        self._answered = answered
        self._execution = execution
        self._lock = threading.RLock()
        self._pipelines: list[Conduct] = []
        self._running: dict[int, tuple[Conduct, int]] = {}  # by the cmdlet's own number

    def begin(self, pipeline_id: str, statements: Sequence[Statement], drop: Callable[[], None]) -> None:
        waiting = [Sent(call, number) for number, statement in enumerate(statements) for call in statement]
        with self._lock:
            self._pipelines.append(Conduct(pipeline_id, drop, waiting))

    def execution(self, name: str, invocation: int | None, stopped: threading.Event) -> tuple[Execution, int]:
        """Where to execute a command of the model, and the number of its statement."""
        with self._lock:
            place = self._running.get(invocation) if invocation is not None else None
            if place is None:
                place = self._place(name.lower())
                if invocation is not None:
                    self._running[invocation] = place
        conduct, statement = place
        return self._execution(conduct.pipeline_id, stopped, conduct.drop), statement

    def _place(self, name: str) -> tuple[Conduct, int]:
        for conduct in self._pipelines:
            for position, sent in enumerate(conduct.waiting):
                if _own_name(sent.call) == name:
                    before, conduct.waiting[: position + 1] = conduct.waiting[:position], []
                    self._record(conduct, before)
                    return conduct, sent.statement
        # A command that a script or another command runs.
        return self._pipelines[-1], 0

    def failed(self, pipeline_id: str, failure: Failure) -> None:
        with self._lock:
            for conduct in self._pipelines:
                if conduct.pipeline_id == pipeline_id:
                    conduct.failures.append(failure)

    def over(self, pipeline_id: str) -> None:
        """The process said so. Commands of the model that did not run may still do, unheard."""
        with self._lock:
            for conduct in self._pipelines:
                if conduct.pipeline_id == pipeline_id:
                    settled = [sent for sent in conduct.waiting if self._is_settled(conduct, sent)]
                    conduct.waiting = [sent for sent in conduct.waiting if sent not in settled]
                    self._record(conduct, settled)
            self._pipelines = [
                conduct for conduct in self._pipelines if conduct.waiting or conduct is self._pipelines[-1]
            ]

    def _is_settled(self, conduct: Conduct, sent: Sent) -> bool:
        return _own_name(sent.call) not in self._answered or _failure(conduct, sent) is not None

    def _record(self, conduct: Conduct, ones: Sequence[Sent]) -> None:
        for sent in ones:
            failure = _failure(conduct, sent)
            if failure is not None:
                conduct.failures.remove(failure)
            execution = self._execution(conduct.pipeline_id, threading.Event(), conduct.drop)
            with execution.described(sent.call.name, sent.statement) as entry:
                entry.parameters = self._parameters(sent.call)
                if failure is not None:
                    entry.result = failure[0]

    def _parameters(self, call: CommandCall) -> Mapping[str, Any]:
        given = {argument.name or "": argument.value for argument in call.arguments}
        command = self._runspace.command(call.name)
        if command is not None:
            try:
                given = Binder(self._runspace.powershell_version).bind(command, call.arguments, True).values
            except PowerShellError:
                pass
        return journalled(given)


def _own_name(call: CommandCall) -> str:
    return call.name.lower().removesuffix(".exe")


def _failure(conduct: Conduct, sent: Sent) -> Failure | None:
    """The error of that command: it names the command as what failed, or as what was not found."""
    wanted = sent.call.name.lower()
    return next((f for f in conduct.failures if wanted in (f[1].lower(), f[2].lower())), None)
