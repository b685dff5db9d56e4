# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which of a client's commands the PowerShell's process is executing, so that the journal has each at its place.

A command that the model answers says by itself that it runs; of PowerShell's own, and of those that were refused before
they ran, the client's messages and the process's answers tell.
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..catalogue.binder import Binder
from ..contract import CommandCall, Statement
from ..host_process import Execution
from ..powershell.errors import PowerShellError
from .model import journalled
from .module import is_answered

#: The identifier, activity and target of an error record.
Failure = tuple[str, str, str]


@dataclass
class Sent:
    """A command that a client sent and that is not in the journal yet."""

    call: CommandCall
    statement: int


@dataclass
class Course:
    """A pipeline: what it was sent, and what came of it so far."""

    pipeline_id: str
    drop: Callable[[], None]
    waiting: list[Sent]
    failures: list[Failure] = field(default_factory=list)


class CommandJournal:
    """The commands of one runspace pool. Thread safe."""

    def __init__(self, session: Any, execution: Callable[..., Execution]) -> None:
        self._session = session
        self._execution = execution
        self._lock = threading.RLock()
        self._pipelines: list[Course] = []
        self._running: dict[str, tuple[Course, int]] = {}  # by the cmdlet's own identifier

    def begin(self, pipeline_id: str, statements: Sequence[Statement], drop: Callable[[], None]) -> None:
        waiting = [Sent(call, number) for number, statement in enumerate(statements) for call in statement]
        with self._lock:
            self._pipelines.append(Course(pipeline_id, drop, waiting))

    def execution(self, name: str, invocation: str | None, stopped: threading.Event) -> tuple[Execution, int]:
        """Where to execute a command of the model, and the number of its statement."""
        with self._lock:
            place = self._running.get(invocation) if invocation is not None else None
            if place is None:
                place = self._place(name.lower())
                if invocation is not None:
                    self._running[invocation] = place
        course, statement = place
        return self._execution(course.pipeline_id, stopped, course.drop), statement

    def _place(self, name: str) -> tuple[Course, int]:
        for course in self._pipelines:
            for position, sent in enumerate(course.waiting):
                if _own_name(sent.call) == name:
                    before, course.waiting[: position + 1] = course.waiting[:position], []
                    self._record(course, before)
                    return course, sent.statement
        # A command that a script or another command runs.
        return self._pipelines[-1], 0

    def failed(self, pipeline_id: str, failure: Failure) -> None:
        with self._lock:
            for course in self._pipelines:
                if course.pipeline_id == pipeline_id:
                    course.failures.append(failure)

    def over(self, pipeline_id: str) -> None:
        """The process said so. Commands of the model that did not run may still do, unheard."""
        with self._lock:
            for course in self._pipelines:
                if course.pipeline_id == pipeline_id:
                    settled = [sent for sent in course.waiting if self._is_settled(course, sent)]
                    course.waiting = [sent for sent in course.waiting if sent not in settled]
                    self._record(course, settled)
            self._pipelines = [
                course for course in self._pipelines if course.waiting or course is self._pipelines[-1]
            ]
            self._running = {
                key: place for key, place in self._running.items() if place[0] in self._pipelines
            }

    def _is_settled(self, course: Course, sent: Sent) -> bool:
        command = self._session.command(_own_name(sent.call))
        return command is None or not is_answered(command) or _failure(course, sent) is not None

    def _record(self, course: Course, ones: Sequence[Sent]) -> None:
        for sent in ones:
            failure = _failure(course, sent)
            if failure is not None:
                course.failures.remove(failure)
            execution = self._execution(course.pipeline_id, threading.Event(), course.drop)
            with execution.described(sent.call.name, sent.statement) as entry:
                entry.parameters = self._parameters(sent.call)
                if failure is not None:
                    entry.result = failure[0]

    def _parameters(self, call: CommandCall) -> Mapping[str, Any]:
        given = {argument.name or "": argument.value for argument in call.arguments}
        command = self._session.command(call.name)
        if command is not None:
            with contextlib.suppress(PowerShellError):
                given = Binder(self._session.powershell_version).bind(command, call.arguments, True).values
        return journalled(given)


def _own_name(call: CommandCall) -> str:
    return call.name.lower().removesuffix(".exe")


def _failure(course: Course, sent: Sent) -> Failure | None:
    """The error of that command: it names the command as what failed, or as what was not found."""
    wanted = sent.call.name.lower()
    return next((f for f in course.failures if wanted in (f[1].lower(), f[2].lower())), None)
