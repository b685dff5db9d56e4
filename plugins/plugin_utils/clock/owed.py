# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A note in a server's registry that its services must still be restarted.

Services keep the zone and the tickets of a clock that has been put right since. The note is made before the
clock is touched and taken away after the restart, so that whoever comes next knows what is left to do,
however the run before ended.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

from ..powershell.commands import Command, Switch
from .registry import Values

_PARENT = r"HKLM:\SOFTWARE\lync.remediation"
_NAME = "RestartOwed"
OWED_KEY = rf"{_PARENT}\{_NAME}"


def read_owed(keys: Mapping[str, Values]) -> dict[str, Any] | None:
    """The note as results show it, None where there is none."""
    if OWED_KEY not in keys:
        return None
    values = {name.casefold(): value for name, value in keys[OWED_KEY].items()}
    return {"since": values.get("since"), "reason": values.get("reason")}


def note(since: datetime.datetime, reason: str) -> tuple[Command, ...]:
    """``since`` is the controller's UTC. The reason is written last: a note without one was never finished,
    but holds.
    """
    value = {"PropertyType": "String", "Force": Switch.PRESENT}
    stamp = since.strftime("%Y-%m-%dT%H:%M:%SZ")
    return (
        Command("New-Item", {"Path": _PARENT, "Name": _NAME, "Force": Switch.PRESENT}),
        Command("New-ItemProperty", {"LiteralPath": OWED_KEY, "Name": "Since", "Value": stamp, **value}),
        Command("New-ItemProperty", {"LiteralPath": OWED_KEY, "Name": "Reason", "Value": reason, **value}),
    )


def settle() -> Command:
    return Command(
        "Remove-Item", {"LiteralPath": OWED_KEY, "Recurse": Switch.PRESENT, "Force": Switch.PRESENT}
    )
