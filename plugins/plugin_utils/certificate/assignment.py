# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module certificate_assignment: read, compare, assign at once or roll, read back.

Whether a service must be restarted before it uses what it was assigned no source says, so nothing is restarted here.
"""

from __future__ import annotations

import datetime
import re
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.drift import Reason
from ..result.refusals import Refused, UnusableArgument
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..result.status import Status
from . import store
from .judgement import assigning_command
from .store import RolledNames
from .x509_certificate import Certificate, moment_text, read_moment

RESOURCE = "certificate_assignment"
_THUMBPRINT = re.compile(r"[0-9A-F]{40}")
# What people copy along with a thumbprint from Windows' own dialogue: blanks, and an invisible mark of direction.
_BETWEEN = re.compile("[\\s:\u200e\u200f\u202a-\u202e\ufeff-]")
_REASONS = {
    "thumbprint": Reason(
        Severity.CRITICAL,
        "What the service uses; all Edge Servers of a pool must have the same for A/V authentication.",
    ),
    "effective_date": Reason(
        Severity.HIGH,
        "From when on the certificate is used; what was issued before must be good until it ends.",
    ),
}


@dataclass(frozen=True)
class Request:
    """The module's options. ``thumbprint`` None: nothing is to be assigned. ``effective_date`` None: at once.

    ``only_if_usable``: one that has expired, or whose dates do not fit, is refused; what was there before goes back
    whatever they are.
    """

    use: str
    thumbprint: str | None
    effective_date: datetime.datetime | None = None
    token_lifetime: datetime.timedelta = datetime.timedelta(hours=8)
    names: RolledNames = field(default_factory=RolledNames)
    only_if_usable: bool = True


@dataclass(frozen=True)
class Found:
    """What the server has; ``held`` by thumbprint."""

    in_force: store.InForce
    held: Mapping[str, Certificate]

    def options(self, use: str) -> dict[str, Any]:
        """As the module's options say it: what is to follow goes before what is in force."""
        shown = self.in_force.staged or self.in_force.current
        date = None if self.in_force.staged is None else self.in_force.staged.effective_date
        return {
            "use": use,
            "thumbprint": None if shown is None else shown.thumbprint,
            "effective_date": None if date is None else moment_text(date),
        }


def read_thumbprint(option: str, text: str) -> str:
    """Forty hexadecimal digits as PowerShell shows them. Raises UnusableArgument."""
    plain = _BETWEEN.sub("", text).upper()
    if not _THUMBPRINT.fullmatch(plain):
        raise UnusableArgument(option, f"{text!r} is no thumbprint. Allowed are 40 hexadecimal digits")
    return plain


def read_date(option: str, text: str) -> datetime.datetime:
    """Raises UnusableArgument."""
    try:
        return read_moment(text).replace(microsecond=0)
    except ValueError:
        raise UnusableArgument(
            option, f"{text!r} is no time. Allowed is one with its zone, such as 2026-12-01T06:00:00Z"
        ) from None


def restoring_request(change: Change) -> Request:
    """What takes a journalled change back."""
    before = change.before or {}
    date = before["effective_date"]
    return Request(
        before["use"],
        before["thumbprint"],
        None if date is None else read_moment(date),
        only_if_usable=False,
    )


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises Refused for what cannot or must not be assigned, ChangeFailed, and the wire's errors."""
    name = envelope.shell.endpoint.name
    identity = f"{request.use} of {name}"
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc)
    found = _read(envelope.shell, request, now)
    before = found.options(request.use)
    after = _wanted(request, before, now)
    changed = [option for option in before if before[option] != after[option]]
    commands = _commands(found, after) if changed else []
    result = computer_result(
        identity,
        RESOURCE,
        before,
        after,
        changed,
        _REASONS,
        commands,
        _restoring(found, before) if changed else [],
    )
    result = envelope.expects(result)
    if not changed:
        return result
    if request.thumbprint is not None:
        _check(request, found, now, name)
    if envelope.check_mode:
        return result
    envelope.begin(Change(RESOURCE, identity, "set", before, after, Restorable.YES))
    return _assign(envelope, request, commands, after, now)


def _wanted(request: Request, before: Mapping[str, Any], now: datetime.datetime) -> dict[str, Any]:
    """A date that has passed is none any more: what it was to bring is in force."""
    date = request.effective_date
    in_place = before["thumbprint"] == request.thumbprint and before["effective_date"] is None
    if date is None or in_place or (not request.only_if_usable and date <= now):
        return {"use": request.use, "thumbprint": request.thumbprint, "effective_date": None}
    return {"use": request.use, "thumbprint": request.thumbprint, "effective_date": moment_text(date)}


def _commands(found: Found, after: Mapping[str, Any]) -> list[Command]:
    if after["thumbprint"] is None:
        return [
            Command("Remove-CsCertificate", {"Type": after["use"], "Force": Switch.PRESENT, "Confirm": False})
        ]
    date = after["effective_date"]
    current = found.in_force.current
    commands = []
    if date is not None and found.in_force.staged is not None and current is not None:
        # What was to follow must not become the one before.
        commands.append(_silent(assigning_command(current.thumbprint, after["use"])))
    commands.append(
        _silent(
            assigning_command(after["thumbprint"], after["use"], None if date is None else read_moment(date))
        )
    )
    return commands


def _silent(command: Command) -> Command:
    return Command(command.name, {**command.parameters, "Confirm": False})


def _restoring(found: Found, before: Mapping[str, Any]) -> list[Command]:
    current, staged = found.in_force.current, found.in_force.staged
    if current is None or staged is None:
        return _commands(Found(store.InForce(current), found.held), before)
    at_once = _silent(assigning_command(current.thumbprint, before["use"]))
    return [
        at_once,
        _silent(assigning_command(staged.thumbprint, before["use"], staged.effective_date)),
    ]


def _read(shell: ManagementShell, request: Request, now: datetime.datetime) -> Found:
    """Raises Refused where it cannot be told what is in force."""
    results = shell.run(store.ASSIGNED, store.STORE)
    assigned = store.read_assigned(shell, results, request.names)
    held = store.described(store.read_store(shell, results), {}, None)
    in_force = store.in_force(assigned, request.use, now)
    if in_force is None:
        raise Refused(
            f"Which of the certificates that are assigned to {request.use} is in force is not known: the server does "
            "not tell it under the names that effective_date_property and previous_property have",
            Status.UNKNOWN,
        )
    return Found(in_force, held)


def _check(request: Request, found: Found, now: datetime.datetime, name: str) -> None:
    """Raises Refused for what must not be assigned."""
    thumbprint = str(request.thumbprint)
    certificate = found.held.get(thumbprint)
    if certificate is None:
        raise Refused(f"thumbprint: {thumbprint} is not in the store of {name} (Cert:\\LocalMachine\\My)")
    if certificate.has_private_key is False:
        raise Refused(f"thumbprint: the private key of {thumbprint} is not on {name}")
    if not request.only_if_usable:
        return
    begins = request.effective_date or now
    if not certificate.not_before <= begins < certificate.not_after:
        valid = f"{moment_text(certificate.not_before)} to {moment_text(certificate.not_after)}"
        raise Refused(
            f"thumbprint: {thumbprint} is valid from {valid}, and is to be used from {moment_text(begins)} on"
        )
    if request.effective_date is not None:
        _check_rolling(request, request.effective_date, found, now)


def _check_rolling(request: Request, date: datetime.datetime, found: Found, now: datetime.datetime) -> None:
    current = found.in_force.current
    if request.use != store.AV_AUTHENTICATION:
        raise Refused(
            f"effective_date: only {store.AV_AUTHENTICATION} goes on with the old certificate meanwhile"
        )
    if current is None or current.not_after is None:
        raise Refused("effective_date: nothing is assigned that could be replaced later. Leave the date out")
    if date <= now:
        raise Refused(
            f"effective_date: {moment_text(date)} has passed. Leave it out to assign the certificate at once"
        )
    latest = current.not_after - request.token_lifetime
    if date > latest:
        raise Refused(
            f"effective_date: {moment_text(date)} is too late. What the old certificate issues is good for "
            f"{request.token_lifetime}, and it ends on {moment_text(current.not_after)}: the latest that is allowed is "
            f"{moment_text(latest)}"
        )


def _assign(
    envelope: Envelope,
    request: Request,
    commands: list[Command],
    after: Mapping[str, Any],
    now: datetime.datetime,
) -> Result:
    subject = f"{request.use} of {envelope.shell.endpoint.name}"
    for command in commands:
        answer = envelope.write(command)
        if not answer.whole:
            break
    try:
        found = _read(envelope.shell, request, now).options(request.use)
    except ManagementShellError as error:
        raise envelope.unread(subject, error) from error
    mismatches = [
        Mismatch(option, value, found[option]) for option, value in after.items() if found[option] != value
    ]
    return envelope.conclude(subject, found, mismatches)
