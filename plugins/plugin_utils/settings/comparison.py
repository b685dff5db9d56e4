# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How the values of a property are read, judged, compared and sent: one small class for each kind of value.

The rules are Lync's: enumeration names, host names and domains are equal without regard to case; text is not.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Protocol

from ..powershell.ordinal import ordinal_key, same_name
from ..result.bounds import not_between
from ..result.display import shown
from ..result.refusals import Unreadable, text_of
from .identity import is_fqdn


class Unacceptable(ValueError):
    """A value that a person gave is not of the property's type; the text says what it is, and what is allowed."""


def spelled(value: Any) -> str:
    """A value for people, whatever YAML made of it: dates are values there."""
    return str(value) if isinstance(value, datetime.date) else shown(value)


class Comparison(Protocol):
    """``option_type`` and ``elements`` are the option's type in the module's documentation."""

    @property
    def option_type(self) -> str:
        """Such as ``bool``."""

    def read(self, raw: Any) -> Any:
        """The option's value for what the server sent, which is not null. Raises Unreadable if it has another
        type.
        """

    def problem(self, value: Any) -> str | None:
        """What is wrong with a value that a person gave, or None."""

    def same(self, one: Any, other: Any) -> bool:
        """Whether two values are one to the server."""

    def differs_in_order_only(self, one: Any, other: Any) -> bool:
        """Whether two values that are the same have another order, of which nobody knows whether it matters."""
        return False

    @property
    def ordered(self) -> Comparison:
        """The same where the order of a list counts, whatever it means."""
        return self

    def send(self, value: Any) -> Any:
        """The parameter's value for an option's value."""

    def modify(self, value: Any, present: Any) -> Any:
        """The parameter's value that makes ``value`` of what an object has at present, None for a new object."""
        return self.send(value)

    def parse(self, text: str) -> Any:
        """The option's value for a scalar that was loaded as text. Raises Unacceptable."""
        return text

    def accept(self, value: Any) -> Any:
        """The option's value for what YAML made of what a person wrote. Raises Unacceptable.

        Nothing is made a text of: YAML has taken the leading zeros and plus signs of numbers by then.
        """
        if isinstance(value, str):
            return self.parse(value)
        raise Unacceptable(
            f"{spelled(value)} is not a text. Write it in quotes, so that YAML leaves it as it is"
        )


# Words of YAML 1.1, and the Management Shell's own.
_TRUTHS = {
    **dict.fromkeys(("TRUE", "YES", "ON", "$TRUE"), True),
    **dict.fromkeys(("FALSE", "NO", "OFF", "$FALSE"), False),
}


@dataclass(frozen=True)
class Truth(Comparison):
    """System.Boolean."""

    option_type = "bool"

    def read(self, raw: Any) -> bool:
        if isinstance(raw, bool):
            return raw
        raise Unreadable(f"The server sent {raw!r} where True or False was expected.")

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        return bool(one is other)

    def send(self, value: Any) -> Any:
        return value

    def parse(self, text: str) -> bool:
        if ordinal_key(text) in _TRUTHS:
            return _TRUTHS[ordinal_key(text)]
        raise Unacceptable(f"{shown(text)} is neither True nor False")

    def accept(self, value: Any) -> bool:
        if isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.parse(value)
        raise Unacceptable(f"{spelled(value)} is neither True nor False")


@dataclass(frozen=True)
class Enumeration(Comparison):
    """A .NET enumeration, by its names. A name that the server knows and this table does not is kept as it
    is.
    """

    names: tuple[str, ...]
    option_type = "str"

    def _canonical(self, name: str) -> str:
        return next((known for known in self.names if same_name(known, name)), name)

    def read(self, raw: Any) -> str:
        return self._canonical(text_of(raw))

    def problem(self, value: Any) -> str | None:
        if any(same_name(value, name) for name in self.names):
            return None
        return f"'{value}' is not known. Allowed: {', '.join(self.names)}"

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and same_name(one, other)

    def send(self, value: Any) -> Any:
        return self._canonical(value)


@dataclass(frozen=True)
class Integer(Comparison):
    """An integer up to ``highest``: 65535 for System.UInt16, 4294967295 for System.UInt32."""

    highest: int
    lowest: int = 0
    option_type = "int"

    def read(self, raw: Any) -> int:
        if isinstance(raw, int) and not isinstance(raw, bool):
            return raw
        raise Unreadable(f"The server sent {raw!r} where a whole number was expected.")

    def problem(self, value: Any) -> str | None:
        return not_between(value, self.lowest, self.highest)

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)

    def send(self, value: Any) -> Any:
        return value

    def parse(self, text: str) -> int:
        if _WHOLE_NUMBER.fullmatch(text):
            return int(text)
        raise Unacceptable(f"{shown(text)} is not a whole number")

    def accept(self, value: Any) -> int:
        if isinstance(value, int) and not isinstance(value, bool):
            return value
        if isinstance(value, str):
            return self.parse(value)
        raise Unacceptable(f"{spelled(value)} is not a whole number")


# A number with zeros before it is more likely an extension, or octal.
_WHOLE_NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)")

UINT16 = Integer(2**16 - 1)
UINT32 = Integer(2**32 - 1)


@dataclass(frozen=True)
class Text(Comparison):
    """System.String that people read, or an address whose case may matter."""

    option_type = "str"

    def read(self, raw: Any) -> str:
        return text_of(raw)

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)

    def send(self, value: Any) -> Any:
        return value


@dataclass(frozen=True)
class Fqdn(Comparison):
    """A fully qualified domain name; case and a final dot mean nothing."""

    option_type = "str"

    def read(self, raw: Any) -> str:
        return text_of(raw)

    def problem(self, value: Any) -> str | None:
        return None if is_fqdn(value.rstrip(".")) else f"'{value}' is not a fully qualified domain name"

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and same_name(one.rstrip("."), other.rstrip("."))

    def send(self, value: Any) -> Any:
        return value.rstrip(".")


@dataclass(frozen=True)
class DomainSet(Comparison):
    """Domains that the cmdlet takes and shows as one text with commas between; their order means nothing."""

    option_type = "list"

    def read(self, raw: Any) -> list[str]:
        parts: Iterable[Any] = raw if isinstance(raw, list) else text_of(raw).split(",")
        return [name for name in (text_of(part).strip() for part in parts) if name]

    def problem(self, value: Any) -> str | None:
        wrong = [name for name in value if not is_fqdn(name)]
        return f"{', '.join(repr(name) for name in wrong)}: not a domain name" if wrong else None

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and self._key(one) == self._key(other)

    @staticmethod
    def _key(names: Iterable[str]) -> set[str]:
        return {ordinal_key(name) for name in names}

    def send(self, value: Any) -> Any:
        return ",".join(value)

    def parse(self, text: str) -> list[str]:
        return self.read(text)

    def accept(self, value: Any) -> list[str]:
        if isinstance(value, str):
            return self.parse(value)
        if isinstance(value, list):
            return [Text().accept(item) for item in value]
        raise Unacceptable(f"{spelled(value)} is not a list of domains")
