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
    """The note as results show it, None where there is none. A key without values is a note, too."""
    if OWED_KEY not in keys:
        return None
    values = {name.casefold(): value for name, value in keys[OWED_KEY].items()}
    return {"since": values.get("since"), "reason": values.get("reason"), "stopped": values.get("stopped")}


def note(since: datetime.datetime, reason: str) -> tuple[Command, ...]:
    """``since`` is the controller's UTC. The reason is written last: a note without one was never finished,
    but holds.
    """
    return (
        Command("New-Item", {"Path": _PARENT, "Name": _NAME, "Force": Switch.PRESENT}),
        _value("Since", _stamp(since)),
        _value("Reason", reason),
    )


def half_way(stopped: datetime.datetime) -> Command:
    """Add to the note that everything has been stopped since: starting is all that is left."""
    return _value("Stopped", _stamp(stopped))


def _value(name: str, text: str) -> Command:
    parameters = {"LiteralPath": OWED_KEY, "Name": name, "Value": text, "PropertyType": "String"}
    return Command("New-ItemProperty", {**parameters, "Force": Switch.PRESENT})


def _stamp(moment: datetime.datetime) -> str:
    return moment.strftime("%Y-%m-%dT%H:%M:%SZ")


def settle() -> Command:
    return Command(
        "Remove-Item", {"LiteralPath": OWED_KEY, "Recurse": Switch.PRESENT, "Force": Switch.PRESENT}
    )
