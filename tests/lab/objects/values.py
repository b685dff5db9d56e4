# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects as they flow through a pipeline, and how PowerShell remoting writes them.

Inside the lab an object is a :class:`NetObject`: type names, properties, text.  Scalars are ``str``,
``bool``, ``int``, psrpcore's typed numbers, ``datetime``, ``timedelta``, ``UUID`` and members of
:class:`psrpcore.types.PSEnumBase`.  ``to_wire`` turns them into what psrpcore serialises, with the depth that
remoting has: one.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import types
import uuid
from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from psrpcore.types import (
    PSBool,
    PSChar,
    PSDateTime,
    PSDict,
    PSDouble,
    PSDuration,
    PSEnumBase,
    PSFlagBase,
    PSGuid,
    PSList,
    PSNoteProperty,
    PSObject,
    PSString,
    PSType,
    PSVersion,
)


class NetValue(ABC):
    """A value of a type that knows itself what it is on the wire."""

    type_names: tuple[str, ...]

    @abstractmethod
    def wired(self, depth: int) -> Any:
        """The psrpcore value that stands for it, see ``to_wire``."""


@dataclass
class NetObject:
    """One .NET object.

    ``properties`` are the members of the .NET type itself, ``notes`` those that PowerShell added
    (``Select-Object`` gives objects that have nothing else).
    """

    type_names: tuple[str, ...]
    properties: dict[str, Any] = field(default_factory=dict)
    notes: dict[str, Any] = field(default_factory=dict)
    text: str | None = None  # ToString(); None: the type's name
    hidden: dict[str, Any] = field(default_factory=dict)  # what only scripts see: methods, private members
    serialized: tuple[str, ...] | None = (
        None  # the type's PropertySerializationSet: other members stay behind
    )

    def __str__(self) -> str:
        return self.type_names[0] if self.text is None else self.text


@dataclass(frozen=True)
class NetCollection:
    """A collection of another type than ``System.Object[]`` (whose Python shape is ``list``)."""

    type_names: tuple[str, ...]
    items: tuple[Any, ...]


def string_array(items: Iterable[str]) -> NetCollection:
    return NetCollection(("System.String[]", "System.Array", "System.Object"), tuple(items))


def string_list(items: Iterable[str]) -> NetCollection:
    """A ``List<string>``, which is what list-valued properties of the topology are (type name: .NET 2.0's spelling)."""
    name = (
        "System.Collections.Generic.List`1[[System.String, mscorlib, Version=2.0.0.0, Culture=neutral, "
        "PublicKeyToken=b77a5c561934e089]]"
    )
    return NetCollection((name, "System.Object"), tuple(items))


@cache
def enumeration(type_name: str, names: tuple[str, ...], flags: bool = False, first: int = 0) -> Any:
    """The enumeration of that .NET type; the members count from ``first`` in the order given.

    Microsoft's reference gives the names of the Lync enumerations, not their numbers: the numbers are
    assumed.
    """
    values = {name: 1 << number if flags else first + number for number, name in enumerate(names)}

    def body(namespace: dict[str, Any]) -> None:
        for name, value in values.items():
            namespace[name] = value

    base = PSFlagBase if flags else PSEnumBase
    made = types.new_class(type_name.rpartition(".")[2], (base,), exec_body=body)
    return PSType([type_name], rehydrate=False)(made)


def get_property(value: Any, name: str) -> Any:
    """A property by name, whatever its case; None when the object has none of that name."""
    wanted = name.lower()
    for held, content in all_properties(value).items():
        if held.lower() == wanted:
            return content
    return None


def has_property(value: Any, name: str) -> bool:
    wanted = name.lower()
    return any(held.lower() == wanted for held in all_properties(value))


def all_properties(value: Any) -> Mapping[str, Any]:
    """Every property, an object's own first; of a dictionary its entries, of a string its length."""
    if isinstance(value, NetObject):
        return {**value.properties, **value.notes}
    if isinstance(value, str):
        return {"Length": len(value)}
    if isinstance(value, dict):
        return {str(key): content for key, content in value.items()}
    if isinstance(value, PSObject):
        members = [*value.PSObject.adapted_properties, *value.PSObject.extended_properties]
        return {member.name: member.get_value(value) for member in members}
    return {}


def type_names(value: Any) -> tuple[str, ...]:
    if isinstance(value, (NetObject, NetCollection, NetValue)):
        return value.type_names
    if isinstance(value, PSObject):
        return tuple(value.PSTypeNames)
    for native, name in _SCALARS:
        if isinstance(value, native):
            return (name, "System.Object")
    wired = to_wire(value)
    return tuple(wired.PSTypeNames) if isinstance(wired, PSObject) else ("System.Object",)


_SCALARS: tuple[tuple[type, str], ...] = (
    (str, "System.String"),
    (bool, "System.Boolean"),
    (int, "System.Int32"),
    (float, "System.Double"),
    (list, "System.Object[]"),
    (dict, "System.Collections.Hashtable"),
)


def text_of(value: Any) -> str:
    """What PowerShell shows of a value that stands in a text."""
    if value is None:
        return ""
    if isinstance(value, bool) or type(value) is PSBool:
        return str(bool(value))
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, PSDuration | datetime.timedelta):
        return time_span_text(value)
    if isinstance(value, datetime.datetime):
        return f"{value.month}/{value.day}/{value.year} {value:%I:%M:%S %p}".replace(" 0", " ", 1)
    if isinstance(value, (list, tuple)):
        return " ".join(text_of(item) for item in value)
    if isinstance(value, NetCollection):
        return " ".join(text_of(item) for item in value.items)
    if isinstance(value, dict):
        return "System.Collections.Hashtable"
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, PSObject) and value.PSObject.to_string is not None:
        return value.PSObject.to_string
    return str(value)


def time_span_text(value: datetime.timedelta) -> str:
    """A TimeSpan in .NET's constant format: ``[-][d.]hh:mm:ss[.fffffff]``."""
    total = round(value.total_seconds() * 10**7)
    sign, total = ("-", -total) if total < 0 else ("", total)
    seconds, ticks = divmod(total, 10**7)
    days, seconds = divmod(seconds, 86400)
    text = (
        f"{sign}{f'{days}.' if days else ''}{seconds // 3600:02}:{seconds % 3600 // 60:02}:{seconds % 60:02}"
    )
    return f"{text}.{ticks:07}" if ticks else text


def plain(value: Any) -> Any:
    """A value as JSON has it, for the journal and the status: enumerations by name, secrets as ``***``."""
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return value.name
    if isinstance(value, PSChar):
        return str(value)
    if isinstance(value, int):
        return int(value)
    if isinstance(value, float):
        return float(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, datetime.timedelta):
        return time_span_text(value)
    if isinstance(value, datetime.datetime):
        return value.isoformat()
    if isinstance(value, (list, tuple)):
        return [plain(item) for item in value]
    if isinstance(value, NetCollection):
        return [plain(item) for item in value.items]
    if isinstance(value, dict):
        return {str(key): plain(content) for key, content in value.items()}
    if isinstance(value, NetObject):
        return {name: plain(content) for name, content in all_properties(value).items()}
    if isinstance(value, PSObject) and any(
        "SecureString" in name or "PSCredential" in name for name in value.PSTypeNames
    ):
        return "***"
    if isinstance(value, PSObject) and all_properties(value):
        return {name: plain(content) for name, content in all_properties(value).items()}
    return text_of(value)


_NATIVE: tuple[tuple[type, type], ...] = (
    (datetime.datetime, PSDateTime),
    (datetime.timedelta, PSDuration),
    (uuid.UUID, PSGuid),
)


def to_wire(value: Any, depth: int = 1) -> Any:
    """The psrpcore value that stands for ``value`` in a message.

    Remoting serialises one level deep.  A property of a .NET object that is itself a complex object, an
    enumeration included, is therefore written as its text; a property bag (``Select-Object``) costs no level,
    and neither does a collection.  Source: recorded exchanges of Windows PowerShell 5.1 in the test suite of
    jborean93/pypsrp, where ``CommandOrigin`` of a .NET object is a string and ``CommandType`` of a
    ``Selected.`` object is an enumeration.
    """
    if isinstance(value, NetValue):
        return value.wired(depth)
    if value is None or isinstance(value, (bool, str, bytes, decimal.Decimal, PSVersion)):
        return value
    if isinstance(value, float):
        return value if isinstance(value, PSObject) else PSDouble(value)
    if isinstance(value, enum.Enum):
        return value if depth > 0 else PSString((value.name or str(value.value)).replace("|", ", "))
    if isinstance(value, NetObject):
        return _wire_object(value, depth)
    if isinstance(value, NetCollection):
        collection = PSList([to_wire(item, depth) for item in value.items])
        collection.PSObject.type_names = list(value.type_names)
        return collection
    if isinstance(value, dict):
        dictionary = PSDict({to_wire(key, depth): to_wire(content, depth) for key, content in value.items()})
        if isinstance(value, PSObject):
            dictionary.PSObject.type_names = list(value.PSTypeNames)
        return dictionary
    if isinstance(value, PSObject):
        return value
    if isinstance(value, (list, tuple)):
        array = PSList([to_wire(item, depth) for item in value])
        array.PSObject.type_names = ["System.Object[]", "System.Array", "System.Object"]
        return array
    for native, wired in _NATIVE:
        if isinstance(value, native):
            return wired(value) if native is not uuid.UUID else PSGuid(str(value))
    return value


def _wire_object(value: NetObject, depth: int) -> Any:
    is_bag = not value.properties
    if depth <= 0 and not is_bag:
        return PSString(str(value))
    inner = depth if is_bag else depth - 1
    wired = PSObject()
    wired.PSObject.type_names = list(value.type_names)
    if value.text is not None:
        wired.PSObject.to_string = value.text
    elif not is_bag:
        wired.PSObject.to_string = value.type_names[0]
    wired.PSObject.adapted_properties = [
        PSNoteProperty(name, to_wire(content, inner))
        for name, content in value.properties.items()
        if value.serialized is None or name in value.serialized
    ]
    wired.PSObject.extended_properties = [
        PSNoteProperty(name, to_wire(content, depth)) for name, content in value.notes.items()
    ]
    return wired
