# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A note in a server's registry that a restart of its services is pending.

Services keep the zone and the tickets of a clock that has been put right since. The note is made before the
clock is touched and taken away after the restart, so that whoever comes next knows what is left to do,
however the run before ended.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..powershell.commands import Command, Switch
from ..powershell.ordinal import ordinal_key
from .registry import Values, writing

_PARENT = r"HKLM:\SOFTWARE\lync.remediation"
_NAME = "RestartPending"
NOTE_KEY = rf"{_PARENT}\{_NAME}"


def read_note(keys: Mapping[str, Values]) -> dict[str, Any] | None:
    """The note as results show it, None where there is none. A key without values is a note, too."""
    if NOTE_KEY not in keys:
        return None
    values = {ordinal_key(name): value for name, value in keys[NOTE_KEY].items()}
    note = {name: values.get(ordinal_key(name)) for name in ("since", "reason", "stopped", "zone")}
    return {**note, "offset_ms": _number(values.get(ordinal_key("offset")))}


def _number(value: object) -> float | None:
    try:
        return float(value) if isinstance(value, str) else None
    except ValueError:
        return None


def making(
    since: datetime.datetime, reason: str, offset_ms: float | None = None, zone: str | None = None
) -> tuple[Command, ...]:
    """``since`` is the controller's UTC; ``offset_ms`` and ``zone`` say how the server stood then. The reason is
    written last: a note without one was never finished, but holds.
    """
    return (
        Command("New-Item", {"Path": _PARENT, "Name": _NAME, "Force": Switch.PRESENT}),
        writing(NOTE_KEY, "Since", _stamp(since)),
        *([] if offset_ms is None else [writing(NOTE_KEY, "Offset", f"{offset_ms:.3f}")]),
        *([] if zone is None else [writing(NOTE_KEY, "Zone", zone)]),
        writing(NOTE_KEY, "Reason", reason),
    )


def stopped(when: datetime.datetime) -> Command:
    """Add to the note that everything has been stopped since: starting is all that is left."""
    return writing(NOTE_KEY, "Stopped", _stamp(when))


def removing() -> Command:
    return Command(
        "Remove-Item", {"LiteralPath": NOTE_KEY, "Recurse": Switch.PRESENT, "Force": Switch.PRESENT}
    )


def _stamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")
