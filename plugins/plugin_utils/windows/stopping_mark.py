# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Marks in a server's registry: somebody is about to stop it, or has, since when, and who.

Each mark is a value of its own under one key, so that it appears in one step, two of them never hide each other, and
all are read at once. Whoever stops a server marks it first, and looks at the marks of its outage domain afterwards:
of two who do so at the same time at least one sees the other.
"""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from ..powershell.commands import Command
from . import registry

_ROOT, _PARENT, _NAME = r"HKLM:\SOFTWARE", "lync.remediation", "Stopping"
MARK_KEY = rf"{_ROOT}\{_PARENT}\{_NAME}"


@dataclass(frozen=True)
class Process:
    """Who acts. ``process`` is its id and ``started`` what tells it from others that had the id before or after;
    ``machine``, ``boot`` and ``namespace`` are what makes the id mean something. Empty: not known.
    """

    controller: str
    user: str
    process: int
    started: str
    machine: str
    boot: str
    namespace: str


@dataclass(frozen=True)
class Mark:
    """``token`` names the mark; ``by`` is None where what it says cannot be understood."""

    token: str
    since: str | None
    by: Process | None

    @property
    def described(self) -> str:
        if self.by is None:
            return "by somebody whose mark cannot be understood"
        return f"by {self.by.user} on {self.by.controller} (process {self.by.process}) since {self.since} of its clock"

    def as_dict(self) -> dict[str, Any]:
        who = {} if self.by is None else asdict(self.by)
        return {
            "since": self.since,
            "controller": who.get("controller"),
            "user": who.get("user"),
            "process": who.get("process"),
        }


def read(keys: Mapping[str, registry.Values]) -> tuple[Mark, ...]:
    """All marks; none where there is no key."""
    return tuple(_mark(token, text) for token, text in keys.get(MARK_KEY, {}).items())


def making_key(keys: Mapping[str, registry.Values]) -> tuple[Command, ...]:
    """The statements that make the key where it was missing.

    Never by -Force, which would empty a key that somebody has made since; that it is there by then is no error.
    """
    if MARK_KEY in keys:
        return ()
    return tuple(
        Command("New-Item", {"Path": path, "Name": name, "ErrorAction": "SilentlyContinue"})
        for path, name in ((_ROOT, _PARENT), (rf"{_ROOT}\{_PARENT}", _NAME))
    )


def making(token: str, since: datetime.datetime, by: Process) -> Command:
    """``since`` is the controller's UTC."""
    said = {"since": since.strftime("%Y-%m-%dT%H:%M:%SZ"), **asdict(by)}
    return registry.writing(MARK_KEY, token, json.dumps(said, sort_keys=True))


def removing(marks: Iterable[Mark]) -> Sequence[Command]:
    return [registry.removing(MARK_KEY, mark.token) for mark in marks]


def _mark(token: str, text: Any) -> Mark:
    try:
        said = json.loads(text)
        since = str(said.pop("since"))
        process = Process(**said)
        if not isinstance(process.process, int) or isinstance(process.process, bool):
            raise TypeError("no process id")
    except (ValueError, TypeError, KeyError, AttributeError, RecursionError):
        return Mark(token, None, None)
    return Mark(token, since, process)
