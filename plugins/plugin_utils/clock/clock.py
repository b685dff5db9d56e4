# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module clock: measure, let W32Time put the clock right, prove it; step it only where that is allowed
and certain.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Envelope
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import CommandError, ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.drift import Reason
from ..result.refusals import ChangeFailed, Refused, Unreadable
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..result.spans import milliseconds, span_text
from ..result.status import Status
from ..windows import computer, programs, time_service, w32tm
from ..windows.kerberos_tickets import PURGE_TICKETS
from ..windows.w32time import Configuration
from .offset import ClockJumped, Offset, measure, measure_settled

RESOURCE = "clock"
RESYNC = Command("w32tm", arguments=("/resync", "/rediscover"))

# A w32tm that does not come back is not waited for longer; the clock is measured all the same.
_RESYNC_LIMIT = 120.0

# A step goes by the server's local time; across a change of daylight saving time it lands an hour off and is
# made again.
_MOST_STEPS = 3

_REASONS = {
    "offset": Reason(
        Severity.CRITICAL,
        "Clocks that differ break sign-in (Kerberos tolerates five minutes), signed requests to the Edge Server and "
        "A/V authentication.",
    )
}


@dataclass(frozen=True)
class Request:
    """The module's options. ``limit`` and ``reference`` are seconds; the right time is the controller's plus
    ``reference``.

    ``confirmed``: something other than the controller vouches for that. ``time_server``: whom else to ask
    for the time.
    """

    limit: float
    reference: float
    confirmed: bool
    time_server: str | None
    may_step: bool
    purge_tickets: bool
    samples: int
    timeout: float
    interval: float


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises Refused where nothing can or should be done, ClockJumped, ChangeFailed, and the wire's errors."""
    shell = envelope.shell
    offset, jump = measure_settled(shell, request.samples, clock, request.limit / 2)
    error = _against_right_time(offset, request)
    wrong = error.certainly_beyond(request.limit)
    envelope.expects(_result(shell, request, error, wrong, ()))
    if error.uncertainty > request.limit:
        raise Refused(
            f"The clock of {shell.endpoint.name} can be measured to {span_text(error.uncertainty)} over this line, "
            f"which is more than max_offset_ms ({span_text(request.limit)}) allows. Ask for less, or for more samples"
        )
    configuration = time_service.read(shell) if wrong else None
    step = configuration is not None and _needs_step(configuration, error)
    if configuration is not None:
        _make_sure(shell, request, configuration, error, step, jump)
    commands = []
    if wrong:
        commands += [_stepping(shell, request, error, clock)] if step else []
        commands += [RESYNC, *(PURGE_TICKETS if request.purge_tickets else ())]
    result = _result(shell, request, error, wrong, commands).with_details(stepped=step)
    result = envelope.expects(result.warned(*([jump.in_passing()] if jump else [])))
    if envelope.check_mode or not wrong:
        return result
    return _Correction(envelope, request, clock, result, error).carry_out(step=step)


def _result(
    shell: ManagementShell, request: Request, error: Offset, wrong: bool, commands: Sequence[Command]
) -> Result:
    before, after = _state(request, wrong), _state(request, False)
    changed = ["offset"] if wrong else []
    result = computer_result(shell.endpoint.name, RESOURCE, before, after, changed, _REASONS, commands)
    return result.with_details(**_measured(error), stepped=False)


def _against_right_time(offset: Offset, request: Request) -> Offset:
    return Offset(offset.seconds - request.reference, offset.uncertainty)


def _state(request: Request, wrong: bool) -> dict[str, Any]:
    # Numbers that differ from one measurement to the next have no place in a diff.
    return {"offset": f"{'more than' if wrong else 'at most'} {span_text(request.limit)}"}


def _measured(error: Offset) -> dict[str, float]:
    return {"offset_ms": milliseconds(error.seconds), "uncertainty_ms": milliseconds(error.uncertainty)}


def _needs_step(configuration: Configuration, error: Offset) -> bool:
    forwards, backwards = configuration.correction_limits()
    return abs(error.seconds) > (forwards if error.seconds < 0 else backwards)


def _stepping(shell: ManagementShell, request: Request, error: Offset, clock: Clock) -> Command:
    """The command that sets the clock right when it is sent at once.

    Windows takes a local time, and reads it in the zone that is set now. To adjust the clock by a span instead would
    make PowerShell add that to a local time in the zone that was set when the session was opened. The uncertainty of
    the measurement is the way to the server, about, which the command has to take first.
    """
    zone = datetime.timedelta(minutes=computer.utc_offset(shell))
    right = clock.time() + request.reference + error.uncertainty
    local = datetime.datetime.fromtimestamp(right, datetime.timezone.utc).replace(tzinfo=None) + zone
    return Command("Set-Date", {"Date": local.isoformat(timespec="milliseconds")})


# -- before anything is done ---------------------------------------------------------------------------------


def _make_sure(
    shell: ManagementShell,
    request: Request,
    configuration: Configuration,
    error: Offset,
    step: bool,
    jump: ClockJumped | None,
) -> None:
    host, off = shell.endpoint.name, span_text(error.seconds, signed=True)
    if configuration.idle:
        remedy = "Start it" if configuration.registered else "Set it up"
        remedy += " with time_service" + (
            ", start_mode: automatic" if "disabled" in configuration.idle else ""
        )
        raise Refused(
            f"The clock of {host} is {off} off, and W32Time is {configuration.idle} there. {remedy}"
        )
    if configuration.in_force["type"] == "none":
        raise Refused(
            f"The clock of {host} is {off} off, and W32Time follows nobody there (NoSync). Give it a source with "
            "time_service"
        )
    if not step:
        return
    limit = span_text(min(configuration.correction_limits()))
    if not request.may_step:
        raise Refused(
            f"The clock of {host} is {off} off, and W32Time corrects no more than {limit} there, so that it will not "
            "put it right. With allow_step: true the clock is set at once, if it is certain which clock is right"
        )
    objection = jump.in_passing() if jump else _doubt(shell, request, error)
    if objection:
        raise Refused(
            f"The clock of {host} is {off} off by the controller's clock, and is not set at once: {objection}"
        )


def _doubt(shell: ManagementShell, request: Request, error: Offset) -> str | None:
    """Why it is not certain which clock is right; None where it is."""
    if request.time_server is None:
        return (
            None
            if request.confirmed
            else "no other clock confirms the controller's. Name an ntp_server that the server can ask"
        )
    try:
        chart = computer.stripchart(shell, request.time_server)
    except (Unreadable, CommandError) as unread:
        return f"{request.time_server} could not be asked ({unread})"
    if chart.best is None:
        codes = ", ".join(sorted({f"0x{code:08X}" for code in chart.errors}))
        return f"{request.time_server} does not answer it (error {codes})"
    by_time_server = -chart.best
    if abs(by_time_server - error.seconds) > error.uncertainty + request.limit:
        return (
            f"by {request.time_server} it is {span_text(by_time_server, signed=True)} off. Find out whether the "
            "controller or that time server is right"
        )
    return None


def _is_smaller(error: Offset, before: Offset) -> bool:
    return abs(error.seconds) + error.uncertainty < abs(before.seconds) - before.uncertainty


# -- the correction ------------------------------------------------------------------------------------------


class _Correction:
    """``result`` is what is known before anything is written, ``error`` what was measured then."""

    def __init__(
        self, envelope: Envelope, request: Request, clock: Clock, result: Result, error: Offset
    ) -> None:
        self.envelope, self.request, self.clock = envelope, request, clock
        self.shell = envelope.shell
        self.result = result
        self.first = self.error = error
        self.accepted = False
        name = self.shell.endpoint.name
        self.subject = f"The clock of {name}"
        wanted = {"offset_ms": 0.0, "at_most_ms": milliseconds(request.limit)}
        self.change = Change(RESOURCE, name, "correct", _measured(error), wanted, Restorable.NO)

    def carry_out(self, *, step: bool) -> Result:
        """Raises ChangeFailed."""
        # Journalled before the first command is made: one that sets the clock must not wait for a disk.
        self.envelope.begin(self.change, self.result.commands)
        if step:
            self._step()
        self._resynchronise()
        if self.request.purge_tickets:
            for command in PURGE_TICKETS:
                self.envelope.write(command)
        return self.envelope.conclude(
            self.subject, _state(self.request, False), [], result=self._with_error()
        )

    def _step(self) -> None:
        for _attempt in range(_MOST_STEPS):
            try:
                command = _stepping(self.shell, self.request, self.error, self.clock)
            except ManagementShellError as error:
                raise self._unread(error) from error
            answer = self.envelope.write(command)
            self.accepted = self.accepted or answer.went_through
            restless = self._measure()
            if restless is not None:
                raise self._unknown(f"Since it was set: {restless}") from restless
            if not self.error.certainly_beyond(self.request.limit):
                return
            # One that may still be at work would set the clock once more, to a time that has passed.
            if isinstance(answer.trouble, CommandError) or not self.envelope.all_ended:
                raise self._wrong()
        raise self._wrong(
            f"{self.subject} was set {_MOST_STEPS} times and is still {self._off} off: something else sets it, such as "
            "a virtual machine's host."
        )

    def _resynchronise(self) -> None:
        """Let W32Time find its source again, and measure until the clock is right or time is up.

        A small error is corrected little by little, a member of a domain's at half a second a second, which is waited
        for as long as it takes: time is up when the error has not become smaller for so long.
        """
        deadline = self.clock.monotonic() + self.request.timeout
        smallest = self.error
        answer = self.envelope.write(RESYNC, limit=_RESYNC_LIMIT)
        said = programs.text_lines(programs.strings(answer.results))
        code = w32tm.error_code(said)
        refused = code is not None or (isinstance(answer.trouble, CommandError) and not answer.went_through)
        if code is not None:
            self.envelope.notice(w32tm.ProgramFailed(code, said))
        self.accepted = self.accepted or not refused
        while True:
            # W32Time sets the clock while it is measured: that is what is being waited for.
            restless = self._measure()
            if restless is None and not self.error.certainly_beyond(self.request.limit):
                return
            if restless is None and refused:
                # Nothing has begun that could be waited for.
                raise self._wrong()
            if restless is None and _is_smaller(self.error, smallest):
                smallest = self.error
                deadline = self.clock.monotonic() + self.request.timeout
            left = deadline - self.clock.monotonic()
            if left <= 0 and restless is not None:
                raise self._unknown(
                    f"After {self.request.timeout:g} seconds {self._lower_subject} still does not keep still. "
                    f"{restless}"
                ) from restless
            if left <= 0:
                raise self._wrong(self._overdue(said))
            self.clock.sleep(min(self.request.interval, left))

    def _measure(self) -> ClockJumped | None:
        """Measure again; where the clock did not keep still, that."""
        try:
            offset = measure(self.shell, self.request.samples, self.clock, self.request.limit / 2)
        except ClockJumped as restless:
            return restless
        except ManagementShellError as error:
            raise self._unread(error) from error
        self.error = _against_right_time(offset, self.request)
        return None

    # -- what became of it --

    @property
    def _off(self) -> str:
        return span_text(self.error.seconds, signed=True)

    @property
    def _lower_subject(self) -> str:
        return f"the clock of {self.shell.endpoint.name}"

    def _with_error(self) -> Result:
        return self.result.with_details(**_measured(self.error))

    def _unread(self, error: ManagementShellError) -> ChangeFailed:
        return self.envelope.unread(self.subject, error)

    def _unknown(self, sentence: str) -> ChangeFailed:
        unknown = replace(self.result, status=Status.UNKNOWN, changed=True, after=None)
        return self.envelope.failed(self._in_full(sentence), unknown)

    def _wrong(self, sentence: str | None = None) -> ChangeFailed:
        """The clock is still wrong. It counts as changed unless it stands as before and no command was accepted."""
        has_shifted = (
            abs(self.error.seconds - self.first.seconds) > self.error.uncertainty + self.first.uncertainty
        )
        result = replace(
            self._with_error(),
            status=Status.DRIFTED,
            changed=self.accepted or has_shifted,
            after=self.result.before,
        )
        sentence = sentence or f"{self.subject} is still {self._off} off."
        return self.envelope.failed(self._in_full(sentence), result)

    def _in_full(self, sentence: str) -> str:
        return " ".join([sentence, *(str(trouble) for trouble in self.envelope.troubles)])

    def _overdue(self, said: Sequence[str]) -> str:
        waited = f"and has not come nearer for {self.request.timeout:g} seconds"
        sentence = f"{self.subject} is still {self._off} off, {waited}. "
        try:
            status = computer.synchronisation(self.shell)
        except ManagementShellError as unread:
            return f"{sentence}{unread}"
        why = status.why_not_synchronised
        if why:
            return f"{sentence}W32Time did not synchronise: {why} (source: {status.source}, stratum {status.stratum})."
        if status.follows_itself:
            return f"{sentence}W32Time follows nobody but this computer's own clock ({status.source})."
        if status.synchronised:
            return (
                f"{sentence}W32Time says that it is synchronised with {status.source}, stratum {status.stratum}: that "
                "source has another time than the controller."
            )
        return f"{sentence}W32Time follows nobody (source: {status.source}). It said: {' '.join(said) or 'nothing'}"
