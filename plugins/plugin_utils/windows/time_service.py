# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module time_service: read, compare, write to the registry and with w32tm, read back."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Answer, Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.display import shown
from ..result.drift import Reason
from ..result.refusals import Refused
from ..result.result import Result, computer_result
from ..result.severity import Severity
from . import computer, programs, registry, w32time, w32tm

RESOURCE = "time_service"
_READS = (registry.reading(w32time.READ_KEYS), computer.GET_SERVICE)
# These wait without end for a service that neither starts nor stops, so they are given a limit.
_WAITING = ("Start-Service", "Restart-Service", "Stop-Service")
# Seconds between two readings of a service that is on its way.
_INTERVAL = 2.0
_REASONS = {
    "type": Reason(
        Severity.HIGH,
        "Decides whom the clock follows; an Edge Server in a workgroup has no domain to follow.",
    ),
    "peers": Reason(
        Severity.HIGH, "The time servers that the clock follows where it does not follow the domain."
    ),
    "special_poll_interval": Reason(
        Severity.LOW, "How often a time server is asked; one that is asked rarely corrects an error late."
    ),
    "min_poll_interval": Reason(Severity.LOW, "How often a time server is asked at most."),
    "max_poll_interval": Reason(
        Severity.LOW, "How seldom a time server is asked; one that is asked rarely corrects an error late."
    ),
    "max_pos_phase_correction": Reason(
        Severity.MEDIUM, "A clock that is further behind than this is never put right by itself."
    ),
    "max_neg_phase_correction": Reason(
        Severity.MEDIUM, "A clock that is further ahead than this is never put right by itself."
    ),
    "ntp_client": Reason(
        Severity.HIGH, "Without it W32Time asks no time server, neither its own nor the domain's."
    ),
    "ssl_time_data": Reason(
        Severity.MEDIUM,
        "With it Windows may set the clock by what the other ends of TLS connections say, which can be wrong.",
    ),
    "triggers": Reason(
        Severity.HIGH,
        "On a server in no domain, triggers that wait for one stop W32Time when Windows starts.",
    ),
    "vm_provider": Reason(
        Severity.MEDIUM, "With it the clock follows the virtual machine's host instead of the domain."
    ),
    "start_mode": Reason(Severity.HIGH, "A time service that does not start leaves the clock to itself."),
    "service_state": Reason(Severity.HIGH, "While the time service is stopped, nothing corrects the clock."),
}


@dataclass(frozen=True)
class Request:
    """``options``: those of the module that describe the service, None for what is to be left alone; and ``triggers``,
    which a change had. ``timeout``: seconds that the service may take to start or stop. ``start_without_domain``: a
    service that follows time servers of its own is to run after the next start as well.
    """

    options: Mapping[str, Any]
    timeout: float = 120
    start_without_domain: bool = False


class ServiceStillPending(ManagementShellError):
    """The service has neither started nor stopped in the time that it was given."""

    def __init__(self, state: str, seconds: float) -> None:
        super().__init__(f"After {seconds:g} seconds W32Time is still {state.replace('_', ' ')}.")


def restoring_request(change: Change) -> Request:
    """What takes a journalled change back, as far as the module's options can say it."""
    return Request(
        {
            option: value
            for option, value in (change.before or {}).items()
            if w32time.is_option_value(option, value)
        }
    )


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises UnusableArgument, Refused where a group policy decides, ChangeFailed, and the wire's errors."""
    w32time.check(request.options)
    name = envelope.shell.endpoint.name
    actual = read(envelope.shell)
    wanted = request.options
    if request.start_without_domain:
        wanted = w32time.with_triggers(actual.as_options(), wanted)
    w32time.check_together(actual, wanted)
    planned = w32time.plan(actual, wanted)
    result = computer_result(
        name,
        RESOURCE,
        planned.before,
        planned.after,
        planned.changed,
        _REASONS,
        planned.commands,
        planned.restore_commands,
    )
    envelope.expects(result)
    if planned.overridden:
        raise Refused(_ruled(planned))
    if envelope.check_mode or not planned.changed:
        return result
    change = Change(
        RESOURCE,
        name,
        "set",
        {option: planned.before[option] for option in planned.changed},
        {option: planned.after[option] for option in planned.changed},
        Restorable.YES if planned.restorable else Restorable.VALUES_ONLY,
    )
    envelope.begin(change, planned.commands)
    return _carry_out(envelope, replace(request, options=wanted), planned, clock)


def read(shell: ManagementShell) -> w32time.Configuration:
    results = shell.run(*_READS)
    keys = registry.read(shell, results, w32time.READ_KEYS)
    return computer.time_configuration(shell, results, keys)


def _carry_out(envelope: Envelope, request: Request, planned: w32time.Plan, clock: Clock) -> Result:
    deadline = clock.monotonic() + request.timeout
    for command in planned.commands:
        limit = request.timeout if command.name in _WAITING else None
        if not _is_done(envelope, command, envelope.write(command, limit=limit)):
            break
    subject = f"W32Time on {envelope.shell.endpoint.name}"
    waits = any(command.name in _WAITING for command in planned.commands)
    try:
        found = _read_settled(envelope, deadline if waits else clock.monotonic(), clock)
    except ManagementShellError as error:
        raise envelope.unread(subject, error) from error
    if waits and found.is_pending and not envelope.troubles:
        envelope.notice(ServiceStillPending(str(found.service_state), request.timeout))
    left = w32time.plan(found, request.options)
    mismatches = [Mismatch(option, left.after[option], left.before[option]) for option in left.changed]
    return envelope.conclude(subject, dict(left.before), mismatches)


def _is_done(envelope: Envelope, command: Command, answer: Answer) -> bool:
    """Whether nothing speaks against going on. w32tm tells its failures on standard output, by their numbers."""
    if command.name == "w32tm":
        said = programs.text_lines(programs.strings(answer.results))
        code = w32tm.error_code(said)
        if code is not None:
            envelope.notice(w32tm.ProgramFailed(code, said))
            return False
    return answer.went_through


def _read_settled(envelope: Envelope, deadline: float, clock: Clock) -> w32time.Configuration:
    """Read back, and while the service is on its way to another state read again, until the deadline."""
    while True:
        found = read(envelope.shell)
        left = deadline - clock.monotonic()
        if not found.is_pending or left <= 0:
            return found
        clock.sleep(min(_INTERVAL, left))


def _ruled(planned: w32time.Plan) -> str:
    parts = [
        f"{option} is {shown(planned.before[option])} by {value}, and {shown(planned.after[option])} was asked for"
        for option, value in planned.overridden.items()
    ]
    return f"A group policy decides: {'; '.join(parts)}. Change the policy, or ask for what it says"
