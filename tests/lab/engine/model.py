# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Answers the commands that a PowerShell's process runs, out of the deployment's model.

One connection is one execution: the process says what runs with which parameters, the lab answers with output, errors,
questions (ShouldProcess, ShouldContinue) and the end. JSON, one message a line; on a loopback port, for whoever knows
the token.
"""

from __future__ import annotations

import contextlib
import json
import queue
import secrets
import socket
import threading
import traceback
from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

from lab.catalogue import Command
from lab.catalogue.binder import Binding
from lab.contract import PipelineStopped, TerminatingError
from lab.objects.types import convert
from lab.objects.values import plain
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError

from ..host_process import Execution
from .values import received, sent, sent_error, sent_record

#: Gives the execution of a command by its name and the process's identifier for it, and the number of its statement.
Place = Callable[[str, "str | None", threading.Event], "tuple[Execution, int]"]


def journalled(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Parameters as the journal tells them: without passwords."""
    return {
        name: "***" if name.lower().endswith("password") else plain(value) for name, value in values.items()
    }


class Conversation:
    """One connection of the process."""

    def __init__(self, connection: socket.socket) -> None:
        self.stopped = threading.Event()
        self._connection = connection
        self._lines = connection.makefile("r", encoding="utf-8")
        self._answers: queue.SimpleQueue[Any] = queue.SimpleQueue()

    def request(self) -> Any:
        """What the other end asks, who may be anybody: None if that makes no sense."""
        try:
            asked = json.loads(self._lines.readline(2**26))
        except (ValueError, OSError):
            return None
        threading.Thread(target=self._read, daemon=True).start()
        return asked

    def _read(self) -> None:
        with contextlib.suppress(OSError, ValueError):
            for line in self._lines:
                self._answers.put(json.loads(line))
        self.stopped.set()
        self._answers.put(None)

    def say(self, kind: str, content: Any = None) -> None:
        """Raises PipelineStopped if nobody listens any more."""
        try:
            self._connection.sendall(json.dumps([kind, content]).encode() + b"\n")
        except OSError:
            raise PipelineStopped from None

    def ask(self, kind: str, content: Any) -> bool:
        self.say(kind, content)
        answer = self._answers.get()
        if answer is None:
            raise PipelineStopped
        return bool(answer)

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._connection.shutdown(socket.SHUT_RDWR)
        self._connection.close()


class RemoteInvocation(Invocation):
    """An execution whose streams and whose confirmations are the process's business."""

    conversation: Conversation

    def error(self, error: PowerShellError) -> None:
        self.conversation.say("error", sent_error(error))

    def program_error(self, line: str) -> None:
        self.exit_code = self.exit_code or 1
        self.conversation.say("program_error", line)

    def warning(self, text: str) -> None:
        self.conversation.say("warning", text)

    def verbose(self, text: str) -> None:
        self.conversation.say("verbose", text)

    def debug(self, text: str) -> None:
        self.conversation.say("debug", text)

    def should_process(self, target: str) -> bool:
        return self._consents("should_process", target)

    def should_continue(self, query: str, caption: str) -> bool:
        return bool(self.get("Force")) or self._consents("should_continue", [query, caption])

    def _consents(self, kind: str, question: Any) -> bool:
        self.declined = not self.conversation.ask(kind, question)
        return not self.declined


class Model:
    """Listens for the process of one runspace pool.

    Args:
        session: a runspace of the deployment half: who asks, and on which computer.
        place: where in the journal a command belongs.
    """

    def __init__(self, session: Any, place: Place) -> None:
        self.token = secrets.token_hex(32)
        self._session = session
        self._place = place
        self._conversations: set[Conversation] = set()
        self._listening = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._listen, daemon=True).start()

    @property
    def address(self) -> str:
        return "{}:{}".format(*self._listening.getsockname())

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._listening.shutdown(socket.SHUT_RDWR)
        self._listening.close()
        for conversation in list(self._conversations):
            conversation.close()

    def _listen(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._listening.accept()
                threading.Thread(target=self._converse, args=(Conversation(connection),), daemon=True).start()

    def _converse(self, conversation: Conversation) -> None:
        self._conversations.add(conversation)
        try:
            request = conversation.request()
            if isinstance(request, dict) and secrets.compare_digest(str(request.get("token")), self.token):
                self._answer(conversation, request)
        except PipelineStopped:
            pass
        except Exception:
            traceback.print_exc()  # a defect of the lab
        finally:
            self._conversations.discard(conversation)
            conversation.close()

    def _answer(self, conversation: Conversation, request: Mapping[str, Any]) -> None:
        command = self._session.command(request["command"])
        is_program = command.kind == "Application"
        invocation = RemoteInvocation(
            self._session, command, _binding(command, request), SimpleNamespace(stopped=conversation.stopped)
        )
        invocation.conversation = conversation
        execution, statement = self._place(command.name, request.get("invocation"), conversation.stopped)
        try:
            self._execute(invocation, execution, statement, is_program)
        except TerminatingError as error:
            if is_program:
                conversation.say("program_error", str(error.record.Exception.Message))
                conversation.say("exit_code", 1)
            conversation.say("terminating_error", sent_record(error.record))
        conversation.say("exit_code" if is_program else "done", invocation.exit_code)

    def _execute(
        self, invocation: RemoteInvocation, execution: Execution, statement: int, is_program: bool
    ) -> None:
        command, conversation = invocation.command, invocation.conversation
        with execution.command(command.name, statement, is_program) as entry:
            entry.parameters = journalled(invocation.values)
            entry.writes = self._session.writes(command, invocation.values)
            if not entry.effective:
                return
            try:
                for value in self._session.implementation(command).run(invocation):
                    conversation.say("output", sent(value))
            except PowerShellError as error:
                entry.result = str(error.record(command.name, command.class_name).FullyQualifiedErrorId)
                invocation.error(error)
            finally:
                entry.answer = invocation.answer
                entry.writes = entry.writes and not invocation.declined


def _binding(command: Command, request: Mapping[str, Any]) -> Binding:
    """The parameters that PowerShell bound, as values of the model."""
    if command.kind == "Application":
        return Binding(
            command, command.sets, {"Arguments": request["arguments"]} if request["arguments"] else {}
        )
    values = {}
    for name, value in request["parameters"].items():
        parameter = command.parameters.get(name.lower())
        # What the command does not have is a common parameter.
        values[name] = (
            received(value)
            if parameter is None
            else convert(received(value), parameter.type, parameter.values)
        )
    return Binding(command, (request["parameter_set"],), values)
