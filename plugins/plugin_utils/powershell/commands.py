# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is sent to a server: command names with typed parameters, never script text."""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from .ordinal import ordinal_key
from .results import RemoteObject
from .times import span_text


class Switch(enum.Enum):
    """The value of a switch parameter, such as ``-Force``, that is given without a value."""

    PRESENT = True


@dataclass(frozen=True)
class Command:
    """One command with its named parameters, in the order in which they are to be shown.

    ``parameters`` maps a parameter's name to a native Python value that `values.to_clixml` knows, or to
    `Switch.PRESENT`. ``arguments`` are the positional ones, which is how native programs such as w32tm take theirs.
    ``into`` are the commands that what it puts out goes through, in order: one statement with pipes. ``waits``: seconds
    that its parameters tell it to wait for something, and which it may take beyond what any other may.
    """

    name: str
    parameters: Mapping[str, Any] = field(default_factory=dict)
    arguments: tuple[Any, ...] = ()
    into: tuple[Command, ...] = ()
    waits: float = 0.0

    @property
    def verb(self) -> str:
        return self.name.partition("-")[0]

    @property
    def piped(self) -> tuple[Command, ...]:
        """The commands of its statement, this one first."""
        return (self, *self.into)

    def as_text(self) -> str:
        """The line a person would type into the Management Shell for this command; for display only, never sent.

        PowerShell reads it as this command with these values, whatever they contain, and it is one line.
        """
        return " | ".join(command._own_text() for command in self.piped)

    def _own_text(self) -> str:
        words = [self.name if _BAREWORD.fullmatch(self.name) else f"& {_quoted(self.name)}"]
        for name, value in self.parameters.items():
            if value is Switch.PRESENT:
                words.append(f"-{name}")
            elif isinstance(value, bool) and ordinal_key(name) in _SWITCHES:
                words.append(f"-{name}:{_argument(value)}")
            else:
                words += [f"-{name}", _argument(value)]
        words.extend(
            value if isinstance(value, str) and _PROGRAM_SWITCH.fullmatch(value) else _argument(value)
            for value in self.arguments
        )
        return " ".join(words)


# Common parameters that are switches (about_CommonParameters), and Force: a value has to be joined to them by a colon.
_SWITCHES = frozenset(map(ordinal_key, ("Confirm", "WhatIf", "Verbose", "Debug", "Force")))

_BAREWORD = re.compile(r"[A-Za-z][A-Za-z0-9_.:/!-]*")
# A native program's switch, such as /query or -li; a cmdlet never gets one as an argument. A point after a dash would
# begin a second argument.
_PROGRAM_SWITCH = re.compile(r"/[A-Za-z][A-Za-z0-9_.:/!-]*|-[A-Za-z][A-Za-z0-9_-]*")
# A bareword that a person could misread.
_NOT_BARE = frozenset({"true", "false", "null"})


def _argument(value: Any) -> str:
    """PowerShell's spelling of a value as an argument (about_Parsing): what it takes for text needs no quotes."""
    if isinstance(value, str) and _BAREWORD.fullmatch(value) and value.lower() not in _NOT_BARE:
        return value
    literal = _literal(value)
    return f"({literal})" if literal.startswith(("[", "-")) else literal


def _literal(value: Any) -> str:
    """PowerShell's spelling of a value inside an expression."""
    if value is None:
        return "$null"
    if isinstance(value, bool):
        return "$true" if value else "$false"
    if isinstance(value, float) and not math.isfinite(value):
        return f"[double]::{'NaN' if math.isnan(value) else 'PositiveInfinity' if value > 0 else 'NegativeInfinity'}"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, decimal.Decimal):
        return f"{value:f}d"
    if isinstance(value, datetime.timedelta):
        return f"[TimeSpan]'{span_text(value)}'"
    if isinstance(value, datetime.datetime):
        return f"[DateTime]'{value.isoformat()}'"
    if isinstance(value, bytes):
        return f"[byte[]]@({', '.join(map(str, value))})"
    if isinstance(value, RemoteObject):
        return f"[pscustomobject]{_literal(value.properties)}"
    if isinstance(value, Mapping):
        return "@{" + "; ".join(f"{_key(key)} = {_literal(item)}" for key, item in value.items()) + "}"
    if isinstance(value, list | tuple):
        # Without the comma a single list would be taken for its items.
        comma = "," if len(value) == 1 and isinstance(value[0], list | tuple | bytes) else ""
        return f"@({comma}{', '.join(map(_literal, value))})"
    return _quoted(str(value) if isinstance(value, str | uuid.UUID) else repr(value))


def _key(key: Any) -> str:
    literal = _literal(key)
    return literal if literal.startswith("'") else f"({literal})"


# What has no place in a line: control characters, line ends, marks of direction, halves of surrogate pairs.
_UNPRINTABLE = re.compile(
    "[\x00-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff\ufeff\ufffe\uffff]"
)
_SHORT = {"\0": "`0", "\a": "`a", "\b": "`b", "\t": "`t", "\n": "`n", "\v": "`v", "\f": "`f", "\r": "`r"}


def _quoted(text: str) -> str:
    """A text in quotes (about_Quoting_Rules). PowerShell takes typographic quotes for the plain ones."""
    if not _UNPRINTABLE.search(text):
        return "'" + re.sub("(['\u2018-\u201b])", r"\1\1", text) + "'"
    text = re.sub('([`$"\u201c-\u201e])', r"`\1", text)
    return f'"{_UNPRINTABLE.sub(_escape, text)}"'


def _escape(match: re.Match[str]) -> str:
    character = match.group()
    return _SHORT.get(character) or f"$([char]{ord(character)})"
