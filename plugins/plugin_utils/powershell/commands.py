# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a server: command names with typed parameters, never script text."""

from __future__ import annotations

import datetime
import enum
import re
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


class Switch(enum.Enum):
    """The value of a switch parameter, such as ``-Force``, that is given without a value."""

    PRESENT = True


@dataclass(frozen=True)
class Command:
    """One command with its named parameters, in the order in which they are to be shown.

    ``parameters`` maps a parameter's name to a native Python value that `values.to_clixml` knows, or to
    `Switch.PRESENT`. ``arguments`` are the positional ones, which is how native programs such as w32tm take theirs.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[Any, ...] = ()

    @property
    def verb(self) -> str:
        return self.name.partition("-")[0]

    def as_text(self) -> str:
        """The line a person would type into the Management Shell for this command; for display only, never sent."""
        words = [self.name]
        for name, value in self.parameters.items():
            if value is Switch.PRESENT:
                words.append(f"-{name}")
            elif isinstance(value, bool) and name in _SWITCHES:
                words.append(f"-{name}:{_literal(value)}")
            else:
                words += [f"-{name}", _literal(value)]
        words.extend(_positional(value) for value in self.arguments)
        return " ".join(words)


# Common parameters that are switches (about_CommonParameters): a value has to be joined to them by a colon.
_SWITCHES = frozenset({"Confirm", "WhatIf", "Verbose", "Debug"})

_BAREWORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/!-]*")
# A native program's switch, such as /query or -li; a cmdlet never gets one as an argument.
_PROGRAM_SWITCH = re.compile(r"[/-][A-Za-z][A-Za-z0-9_.:/!-]*")
# A bareword that PowerShell would read as something else, or a person could misread.
_NOT_BARE = frozenset({"true", "false", "null"})


def _positional(value: Any) -> str:
    return value if isinstance(value, str) and _PROGRAM_SWITCH.fullmatch(value) else _literal(value)


def _literal(value: Any) -> str:
    """PowerShell's spelling of a value in argument mode (about_Parsing, about_Quoting_Rules)."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, int | float):
        return str(value)
    if isinstance(value, datetime.timedelta):
        return f"([TimeSpan]::FromSeconds({value.total_seconds():g}))"
    if isinstance(value, datetime.datetime):
        return f"([DateTime]'{value.isoformat()}')"
    if isinstance(value, Mapping):
        return (
            "@{" + "; ".join(f"{_quoted(str(key))} = {_literal(item)}" for key, item in value.items()) + "}"
        )
    if isinstance(value, Iterable) and not isinstance(value, str | bytes):
        return (
            "@("
            + ", ".join(_quoted(item) if isinstance(item, str) else _literal(item) for item in value)
            + ")"
        )
    text = str(value) if isinstance(value, str | uuid.UUID) else repr(value)
    if _BAREWORD.fullmatch(text) and text.lower() not in _NOT_BARE:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    # Typographic single quotes end a PowerShell string just as the plain one does, so all are doubled.
    return "'" + re.sub("(['\u2018\u2019\u201a\u201b])", r"\1\1", text) + "'"
