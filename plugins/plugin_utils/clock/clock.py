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
from dataclasses import dataclass
from typing import Any

from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import CommandError, LostInMidCommand, ManagementShellError, TimedOut
from ..powershell.shell import ManagementShell
from ..result.outcome import Reason, failed, outcome, with_warnings
from ..result.refusals import Refused, Unreadable
from ..result.severity import Severity
from ..result.spans import milliseconds, span_text
from ..windows import computer, time_service, w32tm
from ..windows.kerberos_tickets import PURGE_TICKETS
from ..windows.w32time import Configuration
from .offset import ClockJumped, Offset, measure, measure_settled

RESYNC = Command("w32tm", arguments=("/resync", "/rediscover"))

# A step goes by the server's local time; across a change of daylight saving time it lands an hour off and is
# made again.
_MOST_STEPS = 3

_REASONS = {
    "offset": Reason(
        Severity.CRITICAL,
        "Clocks that differ break sign-in (Kerberos tolerates five minutes), signed requests to the Edge "
        "Server and A/V "
        "authentication.",
    )
}


@dataclass(frozen=True)
class Wish:
    """The module's options. ``limit`` and ``reference`` are seconds; the right time is the controller's plus
    ``reference``.

    ``confirmed``: something other than the controller vouches for that. ``time_server``: whom else to ask
    about it.
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


def remediate(shell: ManagementShell, wish: Wish, *, check_mode: bool, clock: Clock = time) -> dict[str, Any]:
    """Raises Refused where nothing can or should be done, ClockJumped, ChangeFailed, and the wire's errors."""
    offset, jump = measure_settled(shell, wish.samples, clock)
    error = _against_right_time(offset, wish)
    if error.uncertainty > wish.limit:
        raise Refused(
            f"The clock of {shell.endpoint.name} can be measured to {span_text(error.uncertainty)} over this "
            "line, which is more "
            f"than max_offset_ms ({span_text(wish.limit)}) allows. Ask for less, or for more samples"
        )
    wrong = error.certainly_beyond(wish.limit)
    configuration = time_service.read(shell, shell.run(*time_service.READS)) if wrong else None
    step = configuration is not None and _needs_step(configuration, error)
    if configuration is not None:
        _make_sure(shell, wish, configuration, error, step, jump)
    commands = _commands(wish, error, step) if wrong else []
    before, after = _state(wish, wrong), _state(wish, False)
    result = {
        **outcome(shell, "clock", before, after, ["offset"] if wrong else [], _REASONS, commands),
        **_measured(error),
        "stepped": step,
    }
    warnings = [jump.in_passing()] if jump else []
    if check_mode or not wrong:
        return with_warnings(result, warnings)
    final = _step(shell, wish, error, result, warnings, clock) if step else error
    final = _resynchronise(shell, wish, final, result, warnings, clock)
    if wish.purge_tickets:
        purged = shell.run(*PURGE_TICKETS, changes=True)
        warnings += [f"Kerberos tickets were not purged: {report.message}" for report in purged.errors]
    return with_warnings({**result, **_measured(final), "status": "corrected"}, warnings)


def _error(shell: ManagementShell, wish: Wish, clock: Clock) -> Offset:
    return _against_right_time(measure(shell, wish.samples, clock), wish)


def _against_right_time(offset: Offset, wish: Wish) -> Offset:
    return Offset(offset.seconds - wish.reference, offset.uncertainty)


def _state(wish: Wish, wrong: bool) -> dict[str, Any]:
    # Numbers that differ from one measurement to the next have no place in a diff.
    return {"offset": f"{'more than' if wrong else 'at most'} {span_text(wish.limit)}"}


def _measured(error: Offset) -> dict[str, float]:
    return {"offset_ms": milliseconds(error.seconds), "uncertainty_ms": milliseconds(error.uncertainty)}


def _needs_step(configuration: Configuration, error: Offset) -> bool:
    forwards, backwards = configuration.correction_limits()
    return abs(error.seconds) > (forwards if error.seconds < 0 else backwards)


def _commands(wish: Wish, error: Offset, step: bool) -> list[Command]:
    purge = PURGE_TICKETS if wish.purge_tickets else ()
    return [*([_stepping(error)] if step else []), RESYNC, *purge]


def _stepping(error: Offset) -> Command:
    return Command("Set-Date", {"Adjust": datetime.timedelta(seconds=-error.seconds)})


# -- before anything is done ---------------------------------------------------------------------------------


def _make_sure(
    shell: ManagementShell,
    wish: Wish,
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
            f"The clock of {host} is {off} off, and W32Time follows nobody there (NoSync). Give it a source "
            "with "
            "time_service"
        )
    if not step:
        return
    limit = span_text(min(configuration.correction_limits()))
    if not wish.may_step:
        raise Refused(
            f"The clock of {host} is {off} off, and W32Time corrects no more than {limit} there, so that it "
            "will not put it "
            "right. With allow_step: true the clock is set at once, if it is certain which clock is right"
        )
    objection = jump.in_passing() if jump else _doubt(shell, wish, error)
    if objection:
        raise Refused(
            f"The clock of {host} is {off} off by the controller's clock, and is not set at once: {objection}"
        )


def _doubt(shell: ManagementShell, wish: Wish, error: Offset) -> str | None:
    """Why it is not certain which clock is right; None where it is."""
    if wish.time_server is None:
        return (
            None
            if wish.confirmed
            else "no other clock confirms the controller's. Name an ntp_server that the server can ask"
        )
    try:
        chart = computer.stripchart(shell, wish.time_server)
    except Unreadable as unread:
        return f"{wish.time_server} could not be asked ({unread})"
    if chart.best is None:
        codes = ", ".join(sorted({f"0x{code:08X}" for code in chart.errors}))
        return f"{wish.time_server} does not answer it (error {codes})"
    by_time_server = -chart.best
    if abs(by_time_server - error.seconds) > error.uncertainty + wish.limit:
        return (
            f"by {wish.time_server} it is {span_text(by_time_server, signed=True)} off. Find out whether the "
            "controller or that "
            "time server is right"
        )
    return None


# -- the correction ------------------------------------------------------------------------------------------


def _step(
    shell: ManagementShell,
    wish: Wish,
    error: Offset,
    result: dict[str, Any],
    warnings: list[str],
    clock: Clock,
) -> Offset:
    for _attempt in range(_MOST_STEPS):
        try:
            results = shell.run(_stepping(error), changes=True)
        except (LostInMidCommand, TimedOut) as lost:
            # Measuring again shows whether it took effect.
            warnings.append(str(lost))
        else:
            if results.errors:
                cause = shell.classify(results.errors[0])
                raise failed(str(cause), result, cause)
        try:
            error = _error(shell, wish, clock)
        except ClockJumped as jump:
            raise failed(f"Since it was set: {jump}", {**result, "after": None}, status="unknown") from jump
        if not error.certainly_beyond(wish.limit):
            return error
    raise failed(
        f"The clock of {shell.endpoint.name} was set {_MOST_STEPS} times and is still "
        f"{span_text(error.seconds, signed=True)} off: "
        "something else sets it, such as a virtual machine's host.",
        {**result, **_measured(error), "after": result["before"]},
    )


def _resynchronise(
    shell: ManagementShell,
    wish: Wish,
    error: Offset,
    result: dict[str, Any],
    warnings: list[str],
    clock: Clock,
) -> Offset:
    """Let W32Time look for its source again, and measure until the clock is right or time is up."""
    deadline = clock.monotonic() + wish.timeout
    said: list[str] = []
    refusal: ManagementShellError | None = None
    try:
        results = shell.run(RESYNC, changes=True)
    except (LostInMidCommand, TimedOut) as lost:
        warnings.append(str(lost))
    else:
        said = w32tm.text_lines(computer.strings(results))
        code = w32tm.error_code(said)
        if results.errors:
            refusal = shell.classify(results.errors[0])
        elif code is not None:
            refusal = w32tm.ProgramFailed(code, said)
    while True:
        # W32Time sets the clock while it is looked at: that is what is being waited for.
        try:
            error = _error(shell, wish, clock)
            if not error.certainly_beyond(wish.limit):
                return error
            jump = None
        except ClockJumped as restless:
            jump = restless
        if refusal is not None and jump is None:
            # Nothing has begun that could be waited for.
            raise failed(
                f"The clock of {shell.endpoint.name} is still {span_text(error.seconds, signed=True)} off. {refusal}",
                {**result, **_measured(error), "after": result["before"]},
                refusal if isinstance(refusal, CommandError) else None,
            )
        left = deadline - clock.monotonic()
        if left <= 0 and jump is not None:
            raise failed(
                f"After {wish.timeout:g} seconds the clock of {shell.endpoint.name} still does not keep still. {jump}",
                {**result, "after": None},
                status="unknown",
            ) from jump
        if left <= 0:
            raise failed(
                _overdue(shell, wish, error, said), {**result, **_measured(error), "after": result["before"]}
            )
        clock.sleep(min(wish.interval, left))


def _overdue(shell: ManagementShell, wish: Wish, error: Offset, said: Sequence[str]) -> str:
    error_text = span_text(error.seconds, signed=True)
    sentence = (
        f"After {wish.timeout:g} seconds the clock of {shell.endpoint.name} is still {error_text} off. "
    )
    try:
        status = computer.synchronisation(shell)
    except Unreadable as unread:
        return f"{sentence}{unread}"
    why = status.why_not_synchronised
    if why:
        return f"{sentence}W32Time did not synchronise: {why} (source: {status.source}, stratum {status.stratum})."
    if status.synchronised:
        return (
            f"{sentence}W32Time says that it is synchronised with {status.source}, stratum {status.stratum}: "
            "that source has "
            "another time than the controller."
        )
    return (
        f"{sentence}W32Time follows nobody (source: {status.source}). It said: {' '.join(said) or 'nothing'}"
    )
