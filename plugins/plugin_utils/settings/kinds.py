# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of value that any property may have, and how one is found for a property that no table describes.

What a server shows decides. A text may be free text, a name or an address, and null may be anything: there the type
of the cmdlet's parameter decides, and where that is not to be had, the catalogue.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
import struct
import uuid
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.results import Hidden, RemoteObject
from ..powershell.times import is_time_span, span_text, with_tick
from ..powershell.values import Version
from ..result.bounds import NOT_FINITE
from ..result.display import shown
from ..result.refusals import Unreadable, text_of
from .comparison import Comparison, Integer, Text, Truth, Unacceptable, spelled


class Order(enum.Enum):
    """What the order of a list means."""

    MATTERS = "ordered"
    MEANS_NOTHING = "set"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Name(Comparison):
    """An enumeration's name, an identity, a URI, a GUID: a text whose case means nothing. The server knows which there
    are; one that nobody here has heard of is carried as it is. A host's name may end in a dot.
    """

    is_host: bool = False
    option_type = "str"

    def read(self, raw: Any) -> str:
        return str(raw) if isinstance(raw, uuid.UUID) else text_of(raw)

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        if one is None or other is None:
            return False
        end = "." if self.is_host else ""
        return same_name(one.rstrip(end), other.rstrip(end)) if end else same_name(one, other)

    def send(self, value: Any) -> Any:
        return value or None


@dataclass(frozen=True)
class Span(Comparison):
    """System.TimeSpan, written ``[-][days.]hours:minutes[:seconds[.fraction]]``."""

    option_type = "str"

    def read(self, raw: Any) -> str:
        if isinstance(raw, datetime.timedelta):
            return span_text(raw)
        raise Unreadable(f"The server sent {raw!r} where a time span was expected.")

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        return bool(one == other)

    def send(self, value: Any) -> Any:
        return _span(value)

    def parse(self, text: str) -> str:
        return span_text(_span(text))


_SPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<days>\d{1,8})\.)?(?P<hours>\d{1,2}):(?P<minutes>\d{1,2})(?::(?P<seconds>\d{1,2})(?:\.(?P<fraction>\d{1,7}))?)?"
)


def _span(text: str) -> datetime.timedelta:
    """Raises Unacceptable. A number without a colon would be days to .NET, and anything to people."""
    match = _SPAN.fullmatch(text.strip())
    parts = {name: int(match[name] or 0) for name in ("days", "hours", "minutes", "seconds")} if match else {}
    if not match or parts["hours"] > 23 or parts["minutes"] > 59 or parts["seconds"] > 59:
        raise Unacceptable(
            f"{shown(text)} is not a time span. Allowed: [days.]hours:minutes:seconds, in quotes"
        )
    ticks = int((match["fraction"] or "").ljust(7, "0"))
    sign = -1 if match["sign"] else 1
    whole = sign * datetime.timedelta(**parts)
    # The last digit is below a microsecond, and is added to negative spans as well.
    micro, tick = divmod(sign * ticks, 10)
    span: datetime.timedelta = with_tick(whole + datetime.timedelta(microseconds=micro), tick)
    if not is_time_span(span):
        raise Unacceptable(f"{shown(text)} is longer than a time span can be")
    return span


@dataclass(frozen=True)
class Real(Comparison):
    """Single, Double and Decimal. A Single has some seven digits, so that what is sent comes back rounded."""

    option_type = "float"

    def read(self, raw: Any) -> float:
        if isinstance(raw, float | int | decimal.Decimal) and not isinstance(raw, bool):
            return float(raw)
        raise Unreadable(f"The server sent {raw!r} where a number was expected.")

    def problem(self, value: Any) -> str | None:
        return None if math.isfinite(value) else NOT_FINITE.format(value)

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and (one == other or _single(one) == _single(other))

    def send(self, value: Any) -> Any:
        return float(value)

    def parse(self, text: str) -> float:
        try:
            return float(text)
        except ValueError:
            raise Unacceptable(f"{shown(text)} is not a number") from None

    def accept(self, value: Any) -> float:
        if isinstance(value, float | int) and not isinstance(value, bool):
            return float(value)
        if isinstance(value, str):
            return self.parse(value)
        raise Unacceptable(f"{spelled(value)} is not a number")


def _single(number: float) -> float:
    """The nearest number of 32 bits."""
    try:
        return float(struct.unpack("f", struct.pack("f", number))[0])
    except OverflowError:
        return math.inf if number > 0 else -math.inf


@dataclass(frozen=True)
class VersionNumber(Comparison):
    """System.Version: parts of numbers, compared as numbers."""

    option_type = "str"

    def read(self, raw: Any) -> str:
        return str(raw) if isinstance(raw, Version) else text_of(raw)

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        if one is None or other is None:
            return False
        return bool(
            one == other or (_is_version(one) and _is_version(other) and _parts(one) == _parts(other))
        )

    def send(self, value: Any) -> Any:
        return Version(value)

    def parse(self, text: str) -> str:
        if _is_version(text):
            return text
        raise Unacceptable(
            f"{shown(text)} is not a version. Allowed: two to four numbers with points between"
        )


def _is_version(text: str) -> bool:
    return re.fullmatch(r"\d{1,10}(?:\.\d{1,10}){1,3}", text, re.ASCII) is not None


def _parts(text: str) -> list[int]:
    return [int(part) for part in text.split(".")]


@dataclass(frozen=True)
class Moment(Comparison):
    """System.DateTime, as ISO 8601."""

    option_type = "str"

    def read(self, raw: Any) -> str:
        if isinstance(raw, datetime.datetime):
            return raw.isoformat()
        raise Unreadable(f"The server sent {raw!r} where a time was expected.")

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and _moment(one) == _moment(other)

    def send(self, value: Any) -> Any:
        return _moment(value)

    def parse(self, text: str) -> str:
        return _moment(text).isoformat()


def _moment(text: str) -> datetime.datetime:
    try:
        # Python 3.10 does not know Z.
        return datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    except ValueError:
        raise Unacceptable(f"{shown(text)} is not a time. Allowed: ISO 8601, in quotes") from None


@dataclass(frozen=True)
class Names(Comparison):
    """A list of texts. ``is_modified``: the parameter takes what is to be added, removed or put in its place
    (PSListModifier), so that entries which others have added meanwhile stay; otherwise it takes the list.
    """

    order: Order = Order.UNKNOWN
    ignores_case: bool = False
    is_modified: bool = True
    option_type = "list"

    def read(self, raw: Any) -> list[str]:
        if isinstance(raw, list):
            return [Name().read(item) for item in raw]
        raise Unreadable(f"The server sent {raw!r} where a list was expected.")

    def problem(self, value: Any) -> str | None:
        return None

    def _keys(self, values: Iterable[str]) -> list[str]:
        keys = [ordinal_key(value) if self.ignores_case else value for value in values]
        return keys if self.order is Order.MATTERS else sorted(keys)

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and self._keys(one) == self._keys(other)

    def differs_in_order_only(self, one: Any, other: Any) -> bool:
        ordered = Names(Order.MATTERS, self.ignores_case)
        return self.order is Order.UNKNOWN and self.same(one, other) and not ordered.same(one, other)

    @property
    def ordered(self) -> Names:
        return replace(self, order=Order.MATTERS)

    def send(self, value: Any) -> Any:
        return list(value)

    def modify(self, value: Any, present: Any) -> Any:
        if not self.is_modified:
            return list(value)
        had = {key for item in present or () for key in self._keys([item])}
        wanted = {key for item in value for key in self._keys([item])}
        if present and value and (self.order is Order.MATTERS or had == wanted):
            return {"Replace": list(value)}
        # Only a list that is not empty replaces another one, so that all of what is there is removed.
        added = [item for item in value if self._keys([item])[0] not in had]
        removed = [item for item in present or () if self._keys([item])[0] not in wanted]
        change = {"Remove": removed, "Add": added}
        return {name: items for name, items in change.items() if items} or {"Replace": list(value)}

    def parse(self, text: str) -> list[str]:
        raise Unacceptable(f"{shown(text)} is not a list")

    def accept(self, value: Any) -> list[str]:
        if isinstance(value, list):
            return [Text().accept(item) for item in value]
        raise Unacceptable(f"{spelled(value)} is not a list")


@dataclass(frozen=True)
class Entries(Comparison):
    """A dictionary of simple values. What one of them is to the server is not known, so that texts stand for all: a
    baseline has nothing but texts.
    """

    option_type = "dict"

    def read(self, raw: Any) -> dict[str, Any]:
        if isinstance(raw, dict) and all(isinstance(key, str) for key in raw):
            return {key: _simple(value) for key, value in raw.items()}
        raise Unreadable(f"The server sent {raw!r} where a dictionary was expected.")

    def problem(self, value: Any) -> str | None:
        return None

    def same(self, one: Any, other: Any) -> bool:
        return one is not None and other is not None and _as_texts(one) == _as_texts(other)

    def send(self, value: Any) -> Any:
        return dict(value)

    def parse(self, text: str) -> dict[str, Any]:
        raise Unacceptable(f"{shown(text)} is not a dictionary")

    def accept(self, value: Any) -> dict[str, Any]:
        if isinstance(value, dict) and all(isinstance(key, str) for key in value):
            return value
        raise Unacceptable(f"{spelled(value)} is not a dictionary")


def _as_texts(entries: dict[str, Any]) -> dict[str, str]:
    return {
        ordinal_key(key): str(value).lower()
        if isinstance(value, bool)
        else ""
        if value is None
        else str(value)
        for key, value in entries.items()
    }


def _simple(value: Any) -> Any:
    if value is None or isinstance(value, bool | int | float | str):
        return value
    raise Unreadable(f"The server sent {value!r} in a dictionary, where a simple value was expected.")


# -- finding the kind of a property -----------------------------------------------------------------------------------

_INT64 = Integer(2**63 - 1, -(2**63))
INTEGERS = {
    "Byte": Integer(2**8 - 1),
    "Int16": Integer(2**15 - 1, -(2**15)),
    "Int32": Integer(2**31 - 1, -(2**31)),
    "Int64": _INT64,
    "UInt16": Integer(2**16 - 1),
    "UInt32": Integer(2**32 - 1),
    "UInt64": Integer(2**64 - 1),
}
# The words that the syntax of a cmdlet has for types, C#'s among them, in lower case.
_OF_PARAMETER: dict[str, Comparison] = {
    "bool": Truth(),
    "boolean": Truth(),
    "string": Text(),
    "timespan": Span(),
    "version": VersionNumber(),
    "datetime": Moment(),
    "single": Real(),
    "float": Real(),
    "double": Real(),
    "decimal": Real(),
    "hashtable": Entries(),
    "psobject": Entries(),
    "fqdn": Name(is_host=True),
    "uri": Name(),
    "guid": Name(),
    "string[]": Names(is_modified=False),
    "pslistmodifier": Names(),
    "ushort": INTEGERS["UInt16"],
    "uint": INTEGERS["UInt32"],
    "ulong": INTEGERS["UInt64"],
    "short": INTEGERS["Int16"],
    "int": INTEGERS["Int32"],
    "long": INTEGERS["Int64"],
    **{name.lower(): kind for name, kind in INTEGERS.items()},
}
_UNTYPED = frozenset({"psobject", "object", ""})
_GENERIC_ARGUMENT = re.compile(r"^(?:pslistmodifier|multivaluedproperty)(?:<|\[).*$")


def of_parameter(type_name: str) -> Comparison | None:
    """The kind of a parameter's type, as the syntax of a cmdlet names it; None where that says nothing."""
    name = type_name.rpartition(".")[2].lower() if "[" not in type_name else type_name.lower()
    if name in _UNTYPED:
        return None
    if _GENERIC_ARGUMENT.match(name):
        return _OF_PARAMETER["pslistmodifier"]
    return _OF_PARAMETER.get(name) or (None if name.endswith(("[]", ">")) else Name())


def of_values(values: Sequence[Any], described: Comparison | None) -> Comparison | None:
    """The kind of what a server shows, none of which is null; ``described`` is what is known beside it.

    None where remoting does not show it faithfully: secrets, objects within objects, bytes, an enumeration as a number.
    """
    found: Comparison | None = described
    if not values:
        return described
    if all(isinstance(value, bool) for value in values):
        found = Truth()
    elif all(isinstance(value, int) and not isinstance(value, bool) for value in values):
        found = (
            described if isinstance(described, Integer | Real) else None if _is_text(described) else _INT64
        )
    elif all(isinstance(value, float | decimal.Decimal) for value in values):
        found = Real()
    elif all(isinstance(value, datetime.timedelta) for value in values):
        found = Span()
    elif all(isinstance(value, datetime.datetime) for value in values):
        found = Moment()
    elif all(isinstance(value, Version) for value in values):
        found = VersionNumber()
    elif all(isinstance(value, uuid.UUID) for value in values):
        found = Name()
    elif all(isinstance(value, list) for value in values):
        items = [item for value in values for item in value]
        if items and all(isinstance(item, str) for item in items) and _are_types(items):
            return None
        found = described if isinstance(described, Names) else Names()
    elif all(isinstance(value, dict) for value in values):
        found = Entries()
    elif all(isinstance(value, str) for value in values):
        found = described if described is None or _is_text(described) else None
        found = found or (Text() if described is None and not _are_types(values) else None)
    elif not _is_text(described):
        return None
    return found if found is not None and _reads(found, values) else None


def _is_text(kind: Comparison | None) -> bool:
    return (
        kind is not None and kind.option_type == "str" and not isinstance(kind, Span | Moment | VersionNumber)
    )


def _reads(kind: Comparison, values: Iterable[Any]) -> bool:
    try:
        for value in values:
            kind.read(value)
    except Unreadable:
        return False
    return True


_TYPE_NAME = re.compile(r"(?:Microsoft|System)(?:\.[A-Za-z_]\w*)+(?:`\d+.*)?", re.ASCII)


def _are_types(values: Iterable[str]) -> bool:
    """Whether these are the texts of objects that lie too deep: .NET shows an object as the name of its type."""
    return all(_TYPE_NAME.fullmatch(value) for value in values)


def type_name(value: Any) -> str:
    """A short name for the type of a value, as a noun's shape has it."""
    if isinstance(value, list):
        items = sorted({type_name(item) for item in value})
        return f"list of {' or '.join(items)}" if items else "list"
    if isinstance(value, RemoteObject):
        return value.type_names[0].rpartition(".")[2] if value.type_names else "object"
    if isinstance(value, Hidden):
        return value.value
    for kind, name in _TYPE_NAMES:
        if isinstance(value, kind):
            return name
    return type(value).__name__


_TYPE_NAMES: tuple[tuple[type, str], ...] = (
    (bool, "bool"),
    (int, "int"),
    (float, "float"),
    (decimal.Decimal, "decimal"),
    (Version, "version"),
    (str, "text"),
    (datetime.timedelta, "time span"),
    (datetime.datetime, "date"),
    (uuid.UUID, "guid"),
    (dict, "dictionary"),
    (bytes, "bytes"),
)
