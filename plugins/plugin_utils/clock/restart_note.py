# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module restart_note: a note on a server that a restart of its services is pending."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.errors import ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.drift import Reason
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..windows import computer, registry, restart_note

RESOURCE = "restart_note"
_OPTION = "restart_pending"
_REASONS = {
    _OPTION: Reason(
        Severity.HIGH, "Services that run keep the zone and the tickets of a clock that was put right."
    )
}
_KEYS = (computer.NAME_KEY, restart_note.NOTE_KEY)


@dataclass(frozen=True)
class Request:
    """The module's options. ``offset_ms`` and ``zone``: how the server stands before it is repaired."""

    present: bool
    reason: str
    offset_ms: float | None
    zone: str | None


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises ChangeFailed, and the wire's errors."""
    shell = envelope.shell
    keys = _read(shell)
    note = restart_note.read_note(keys)
    name = computer.name(keys) or shell.endpoint.name
    there = _is_whole(note) if request.present else note is not None
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc)
    making = restart_note.making(now, request.reason, request.offset_ms, request.zone)
    commands = () if there is request.present else making if request.present else (restart_note.removing(),)
    result = computer_result(
        shell.endpoint.name,
        RESOURCE,
        {_OPTION: there},
        {_OPTION: request.present},
        [_OPTION] if commands else [],
        _REASONS,
        commands,
    )
    result = envelope.expects(result.with_details(computer=name, restart_pending=note))
    if envelope.check_mode or not commands:
        return result
    wanted = {_OPTION: {"reason": request.reason}} if request.present else {_OPTION: None}
    envelope.begin(Change(RESOURCE, name, "note", {_OPTION: note}, wanted, Restorable.NO), commands)
    for command in commands:
        if not envelope.write(command).went_through:
            break
    subject = f"The note on {name} that a restart is pending"
    try:
        found = restart_note.read_note(_read(shell))
    except ManagementShellError as error:
        raise envelope.unread(subject, error) from error
    is_there = _is_whole(found) if request.present else found is not None
    mismatches = [] if is_there is request.present else [Mismatch(_OPTION, request.present, found)]
    return envelope.conclude(
        subject,
        {_OPTION: is_there},
        mismatches,
        result=envelope.known.with_details(restart_pending=found),
        # One that was begun and not finished is not there, and yet is something that was not there before.
        changed=found != note,
    )


def _read(shell: ManagementShell) -> Mapping[str, registry.Values]:
    return registry.read(shell, shell.run(registry.reading(_KEYS)), _KEYS)


def _is_whole(note: Mapping[str, Any] | None) -> bool:
    """A note of a restart that was interrupted speaks of an earlier repair, and the whole restart is pending again; one
    without a reason was never finished.
    """
    return note is not None and bool(note["reason"]) and not note["stopped"]
