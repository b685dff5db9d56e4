# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One pipeline: handed over once, received to its end, and, where the line breaks or time runs out, brought to an end.

What proves an end is the pipeline's final state (MS-PSRP section 2.2.3.4), and nothing else. A server that no longer
knows a pipeline has told nothing of what that did: it forgets a pipeline that finished, one that it never got, and one
whose shell is gone, all alike.
"""

from __future__ import annotations

import base64
import itertools
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, TypeVar

from .commands import Command
from .error_records import error_report
from .errors import COMMAND_TIMEOUT, LostInMidCommand, SessionGone, TimedOut, UnreadableAnswer
from .opening import Opened, back_off
from .plain_text import one_line
from .pypsrp_library import (
    NAMESPACES,
    OPERATION_TIMED_OUT,
    Argument,
    Cmdlet,
    PowerShell,
    PSInvocationState,
    SignalCode,
    TerminatingError,
    Unreadable,
    WSManFaultError,
    is_output,
)
from .results import ErrorReport, PipelineState, RemoteObject, Results
from .transport_errors import (
    TRANSPORT_ERRORS,
    NotUnderstood,
    is_hardly_read,
    is_never_accepted,
    is_never_sent,
    is_time_out,
    is_transient,
    reason_of,
    refusal,
)

Returned = TypeVar("Returned")

# With which a client asks PowerShell to stop a pipeline and to send its final state. The specification spells it so
# (MS-PSRP section 3.1.5.3.9); pypsrp's constant does not, and a server takes other codes for the end of the command.
_STOP = "powershell/signal/crtl_c"

# How long a pipeline that was told to stop is listened to. A cmdlet that waits for a database takes no notice of a stop
# until it has its answer.
_STOPPING_SECONDS = 30

# A Receive that was not answered in time is repeated as often; as pypsrp does.
_REPEATED_RECEIVES = 5


class Pipeline:
    """The commands of one pipeline on its way. Use `run`, once."""

    def __init__(
        self, opened: Opened, commands: Sequence[Command], *, changes: bool, limit: float | None = None
    ) -> None:
        self._opened = opened
        self._options = opened.options
        own = opened.options.command_timeout
        self._is_own_limit = limit is None or limit >= own
        self._limit = own if limit is None else min(limit, own)
        self._limit += sum(command.waits for command in commands)
        self._changes = changes
        self._has_done_nothing = is_never_sent if changes else is_hardly_read
        self._commands = [command.name for command in commands]
        self._pipeline = _Fragments(opened.pool)
        for command in commands:
            if self._pipeline.commands:
                self._pipeline.add_statement()
            for part in command.piped:
                self._add(part, opened.record.protocol_version)
        # Client and server of Windows Remote Management 2.0: the server chooses the command's identity.
        self._command_id = None if opened.is_version_2 else self._pipeline.id

    def _add(self, command: Command, protocol_version: str) -> None:
        self._pipeline.add_command(Cmdlet(command.name, protocol_version, is_script=False))
        for name, value in command.parameters.items():
            self._pipeline.add_parameter(name, Argument(value))
        for value in command.arguments:
            self._pipeline.add_argument(Argument(value))

    def run(self) -> Results:
        """Raises `SessionGone` and `errors.ConnectionRefused` where nothing was accepted, `errors.OutcomeUnknown` where
        something may have been.
        """
        self._pipeline.begin_invoke()
        first, *rest = self._pipeline.fragments
        self._hand_over(first)
        for fragment in rest:
            self._hand_over_more(fragment)
        self._receive_all()
        self._opened.touch()
        # The server counts a pipeline against the account's quota of operations until it is told that it is done with.
        self._say_goodbye()
        results = self.results()
        unreadable = next((value for value in self._pipeline.output if isinstance(value, Unreadable)), None)
        if unreadable is not None:
            raise UnreadableAnswer(
                self._options.endpoint,
                self._commands,
                str(unreadable),
                results=results,
                changes=self._changes,
            )
        return results

    def results(self) -> Results:
        """What has been answered so far."""
        # pypsrp's classes to the type checker; what the serialiser put in their place at run time.
        streams: Any = self._pipeline.streams
        reports = [
            error_report(record.value, terminating=isinstance(record, TerminatingError))
            for record in streams.error
        ]
        if self._has_ended and self._pipeline.state != PSInvocationState.COMPLETED:
            reports += self._ended_without_a_reason(reports)
        if len(self._commands) == 1:
            # An unknown command's record, for one, does not say which command it is of.
            reports = [
                report if report.command else replace(report, command=self._commands[0]) for report in reports
            ]
        return Results(
            output=tuple(value for value in self._pipeline.output if not isinstance(value, Unreadable)),
            errors=tuple(reports),
            warnings=tuple(_message(record.value) for record in streams.warning),
            verbose=tuple(_message(record.value) for record in streams.verbose),
            state=PipelineState(self._pipeline.state) if self._has_ended else PipelineState.STOPPED,
        )

    def _ended_without_a_reason(self, reports: Sequence[ErrorReport]) -> list[ErrorReport]:
        """What stands for the record that a final state other than Completed carries, where it has none."""
        if any(report.terminating for report in reports):
            return []
        stopped = self._pipeline.state == PSInvocationState.STOPPED
        sentence = "The server stopped it" if stopped else "It failed"
        category = "OperationStopped" if stopped else "NotSpecified"
        return [ErrorReport(f"{sentence}, and gave no reason.", category, terminating=True)]

    @property
    def _has_ended(self) -> bool:
        return self._pipeline.state in (
            PSInvocationState.COMPLETED,
            PSInvocationState.FAILED,
            PSInvocationState.STOPPED,
        )

    # -- handing over --

    def _hand_over(self, fragment: bytes) -> None:
        """The first fragment, with which the server makes the pipeline; once, unless it was certainly not read."""

        def command() -> None:
            response = self._opened.pool.shell.command(
                "", arguments=[base64.b64encode(fragment).decode()], command_id=self._pipeline.id
            )
            named = response.find("rsp:CommandResponse/rsp:CommandId", NAMESPACES)
            self._command_id = (named.text if named is not None else None) or self._pipeline.id

        try:
            self._opened.with_retries(command, self._has_done_nothing)
        except TRANSPORT_ERRORS as error:
            refused = refusal(error, self._options.endpoint)
            if is_never_accepted(error):
                # A fault in place of the CommandResponse: the server has not accepted the pipeline.
                raise SessionGone(refused) from error
            if self._has_done_nothing(error):
                raise refused from error
            raise self._lost(error) from error
        self._pipeline._command_id = self._command_id
        self._pipeline.state = PSInvocationState.RUNNING

    def _hand_over_more(self, fragment: bytes) -> None:
        try:
            self._opened.with_retries(
                lambda: self._opened.pool.shell.send("stdin", fragment, command_id=self._command_id),
                # A part that comes twice breaks the message, and a command that comes once is not run twice.
                is_hardly_read,
            )
        except TRANSPORT_ERRORS as error:
            raise self._lost(error) from error

    # -- receiving --

    def _receive_all(self) -> None:
        deadline = time.monotonic() + self._limit
        repeated = 0
        while not self._has_ended:
            if time.monotonic() > deadline:
                raise self._timed_out()
            try:
                self._receive()
                repeated = 0
                if self._opened.pool.wire.command_is_done and not self._has_ended:
                    # Nothing follows, and how the pipeline ended was not among it.
                    raise NotUnderstood("the command is done, and its pipeline has no final state")
            except TRANSPORT_ERRORS as error:
                if not is_time_out(error) or repeated == _REPEATED_RECEIVES:
                    raise self._lost(error) from error
                repeated += 1
                self._opened.reconnect()
                self._opened.pool.wire.repeat_unanswered()

    def _receive(self, timeout: int | None = None) -> None:
        try:
            responses = self._opened.pool._receive(self._pipeline.id, timeout)
        except WSManFaultError as fault:
            if fault.code != OPERATION_TIMED_OUT:
                raise
            return
        self._pipeline.output.extend(
            message.data.data for message_type, message in responses if is_output(message_type)
        )

    def _say_goodbye(self) -> None:
        try:
            self._opened.pool.shell.signal(
                SignalCode.TERMINATE, self._pipeline._command_id or self._pipeline.id
            )
        except TRANSPORT_ERRORS:
            self._opened.doubtful = True
        self._opened.pool.pipelines.pop(self._pipeline.id, None)

    # -- coming to an end --

    def _lost(self, error: Exception) -> LostInMidCommand:
        ended = self._bring_to_an_end(lost=True)
        return LostInMidCommand(
            self._options.endpoint,
            self._commands,
            reason_of(error),
            ended=ended,
            results=self.results(),
            changes=self._changes,
        )

    def _timed_out(self) -> TimedOut:
        ended = self._bring_to_an_end(lost=False)
        return TimedOut(
            self._options.endpoint,
            self._commands,
            self._limit,
            ended=ended,
            results=self.results(),
            changes=self._changes,
            remedy=COMMAND_TIMEOUT if self._is_own_limit else "",
        )

    def _bring_to_an_end(self, *, lost: bool) -> bool:
        """Stop the pipeline and listen to it until its final state comes; whether it came.

        ``lost``: the line has broken, and a new connection goes on with the same shell.
        """
        if self._command_id is None:
            return False
        wire = self._opened.pool.wire
        command_id = self._pipeline._command_id = self._command_id
        deadline = time.monotonic() + min(_STOPPING_SECONDS, self._options.operation_timeout)
        try:
            if lost:
                self._opened.reconnect()
            self._insist(lambda: self._opened.pool.shell.signal(_STOP, command_id), deadline)
            if lost:
                # The lost answer itself may have held the final state.
                wire.repeat_unanswered()
            while not self._has_ended and time.monotonic() < deadline:
                self._insist(lambda: self._receive(max(1, int(deadline - time.monotonic()))), deadline)
        except TRANSPORT_ERRORS:
            return False
        return self._has_ended

    def _insist(self, attempt: Callable[[], Returned], deadline: float) -> Returned:
        """Stopping and listening do no harm twice, so a line that breaks again is made anew until the deadline."""
        for tried in itertools.count():
            try:
                return attempt()
            except TRANSPORT_ERRORS as error:
                hopeless = not is_transient(error) or tried >= self._options.retries
                if hopeless or time.monotonic() > deadline:
                    raise
            back_off(self._options, tried)
            self._opened.reconnect()
            self._opened.pool.wire.repeat_unanswered()
        raise AssertionError("unreachable")


class _Fragments(PowerShell):
    """pypsrp's pipeline, which keeps the fragments of its message instead of sending them."""

    fragments: Sequence[bytes] = ()

    def _invoke(self, msg: Any) -> None:
        self.fragments = self.runspace_pool._fragmenter.fragment(msg, self.runspace_pool.id, self.id)
        self.runspace_pool.pipelines[self.id] = self


def _message(record: Any) -> str:
    if isinstance(record, RemoteObject):
        return one_line(str(record.get("InformationalRecord_Message") or record.text or ""))
    return one_line(str(record))
