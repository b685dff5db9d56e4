# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values on their way to a server and back: Python on this side, CLIXML (MS-PSRP section 2.2.5) on the other.

One table, `_SCALARS`, holds both directions of every simple type; lists, dictionaries, custom objects and enumerations
are structural and follow it. A value that has no place here raises `UnconvertibleValue`, which names it: a server that
cannot read what it is sent does not answer at all.
"""

from __future__ import annotations

import base64
import datetime
import decimal
import itertools
import math
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .commands import Switch
from .errors import UnconvertibleValue
from .plain_text import one_line
from .results import Hidden, RemoteObject
from .times import (
    DateTime,
    TimeSpan,
    is_time_span,
    read_date_time,
    read_duration,
    write_date_time,
    write_duration,
)


class Version(str):
    """A System.Version such as ``5.0.8308.0``. Plain text to Python; sent and received as a version."""

    __slots__ = ()


# -- text: MS-PSRP section 2.2.5.3.2 escapes what XML cannot carry as _xHHHH_, one UTF-16 unit each -------------------

# Every "_x" as well, as PowerShell does itself: what follows it may be escaped, and complete the pattern.
_NEEDS_ESCAPE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff\U00010000-\U0010ffff]|_(?=[xX])")
_ESCAPED = re.compile("(?:_[xX][0-9A-Fa-f]{4}_)+")


def escape_text(text: str) -> str:
    def units(match: re.Match[str]) -> str:
        encoded = match.group().encode("utf-16-be", "surrogatepass")
        return "".join(
            f"_x{encoded[index : index + 2].hex().upper()}_" for index in range(0, len(encoded), 2)
        )

    return _NEEDS_ESCAPE.sub(units, text)


def unescape_text(text: str) -> str:
    def characters(match: re.Match[str]) -> str:
        units = bytes.fromhex(
            "".join(match.group()[index + 2 : index + 6] for index in range(0, len(match.group()), 7))
        )
        return units.decode("utf-16-be", "surrogatepass")

    return _ESCAPED.sub(characters, text) if "_" in text else text


# -- the table --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scalar:
    """A primitive type of MS-PSRP section 2.2.5.1. ``python`` and ``write`` are set for the types that are sent."""

    tag: str
    read: Callable[[str], Any]
    python: type | None = None
    write: Callable[[Any], str] = str
    fits: Callable[[Any], bool] = lambda value: True


def _between(low: int, high: int) -> Callable[[int], bool]:
    return lambda value: low <= value <= high


def _read_boolean(text: str) -> bool:
    return {"true": True, "false": False}[text]


def _write_float(number: float) -> str:
    if math.isfinite(number):
        return repr(number)
    return "NaN" if math.isnan(number) else "INF" if number > 0 else "-INF"


def _is_net_decimal(number: decimal.Decimal) -> bool:
    """System.Decimal: 96 bits, of which up to 28 decimal digits stand behind the point."""
    if not number.is_finite():
        return False
    _sign, digits, exponent = number.as_tuple()
    shift = int(exponent)
    return -28 <= shift <= 28 and int("".join(map(str, digits))) * 10 ** max(shift, 0) < 2**96


_VERSION = re.compile(r"\d{1,10}(\.\d{1,10}){1,3}", re.ASCII)


def _is_net_version(version: str) -> bool:
    return bool(_VERSION.fullmatch(version)) and all(int(part) < 2**31 for part in version.split("."))


# Where several rows share a Python type, the first that fits is sent.
_SCALARS = (
    _Scalar("B", _read_boolean, bool, lambda value: "true" if value else "false"),
    _Scalar("I32", int, int, fits=_between(-(2**31), 2**31 - 1)),
    _Scalar("I64", int, int, fits=_between(-(2**63), 2**63 - 1)),
    _Scalar("U64", int, int, fits=_between(0, 2**64 - 1)),
    _Scalar("U32", int),
    _Scalar("I16", int),
    _Scalar("U16", int),
    _Scalar("By", int),
    _Scalar("SB", int),
    _Scalar("Db", float, float, _write_float),
    _Scalar("Sg", float),
    _Scalar("D", decimal.Decimal, decimal.Decimal, lambda value: format(value, "f"), _is_net_decimal),
    _Scalar("Version", Version, Version, fits=_is_net_version),
    _Scalar("S", unescape_text, str, escape_text),
    _Scalar("C", lambda text: chr(int(text))),
    _Scalar("URI", unescape_text),
    _Scalar("XD", unescape_text),
    _Scalar("SBK", unescape_text),
    _Scalar("DT", read_date_time, datetime.datetime, write_date_time),
    _Scalar("TS", read_duration, datetime.timedelta, write_duration, is_time_span),
    _Scalar("G", uuid.UUID, uuid.UUID),
    _Scalar("BA", base64.b64decode, bytes, lambda value: base64.b64encode(value).decode("ascii")),
    _Scalar("SS", lambda _encrypted: Hidden.SECURE_STRING),
)
_READ = {scalar.tag: scalar.read for scalar in _SCALARS}
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})
_CUSTOM_OBJECT = ("System.Management.Automation.PSCustomObject", "System.Object")
_WRITTEN = {
    kind: [row for row in _SCALARS if row.python is kind] for kind in {row.python for row in _SCALARS}
}
_WRITTEN |= {DateTime: _WRITTEN[datetime.datetime], TimeSpan: _WRITTEN[datetime.timedelta]}


# -- to the server ----------------------------------------------------------------------------------------------------


# A server reads 50 levels, and the message around an argument has up to ten of them.
_DEEPEST = 32


def to_clixml(value: Any, next_reference: Callable[[], str] | None = None) -> ET.Element:
    """The CLIXML element of one argument. ``next_reference`` makes ids that are unique within the message.

    Takes bool, int, float, Decimal, str, `Version`, aware datetime, timedelta, UUID, bytes, None, lists, tuples,
    mappings, `RemoteObject` (sent as a custom object) and `Switch.PRESENT`. Raises `UnconvertibleValue` for anything
    else.

    A list reaches the server as an ArrayList, whatever type it is sent as. That fits arrays and PSListModifier, but not
    List<T>, for which a session therefore refuses one.
    """
    return _write(value, _References(next_reference or map(str, itertools.count()).__next__), 0)


_FIRST_TYPE_REFERENCE = 1_000_000


class _References:
    def __init__(self, next_reference: Callable[[], str]) -> None:
        self._next = next_reference

    def element(self, type_names: tuple[str, ...]) -> ET.Element:
        element = ET.Element("Obj", RefId=self._next())
        # Lists of types are numbered apart from objects, and pypsrp numbers its own from 0.
        names = ET.SubElement(element, "TN", RefId=str(_FIRST_TYPE_REFERENCE + int(element.attrib["RefId"])))
        for name in type_names:
            ET.SubElement(names, "T").text = name
        return element


def _write(value: Any, references: _References, depth: int) -> ET.Element:
    if value is None:
        return ET.Element("Nil")
    if value is Switch.PRESENT:
        value = True
    # Exact types: bool is an int to Python, and a Version is a str.
    scalar = next((row for row in _WRITTEN.get(type(value), ()) if row.fits(value)), None)
    if scalar is not None:
        element = ET.Element(scalar.tag)
        element.text = scalar.write(value)
        return element
    if depth == _DEEPEST:
        raise UnconvertibleValue(f"A value with more than {_DEEPEST} levels cannot be sent to a server.")
    if isinstance(value, list | tuple):
        element = references.element(("System.Object[]", "System.Array", "System.Object"))
        content = ET.SubElement(element, "LST")
        # Given a generator, extend() loses the reason why a value cannot be written, up to Python 3.12.
        content.extend([_write(item, references, depth + 1) for item in value])
        return element
    if isinstance(value, Mapping) and None not in value:
        element = references.element(("System.Collections.Hashtable", "System.Object"))
        content = ET.SubElement(element, "DCT")
        for key, item in value.items():
            entry = ET.SubElement(content, "En")
            for name, part in (("Key", key), ("Value", item)):
                written = _write(part, references, depth + 1)
                written.set("N", name)
                entry.append(written)
        return element
    if isinstance(value, RemoteObject) and "" not in value:
        element = references.element(_CUSTOM_OBJECT)
        members = ET.SubElement(element, "MS")
        for name, item in value.properties.items():
            written = _write(item, references, depth + 1)
            written.set("N", escape_text(name))
            members.append(written)
        return element
    raise UnconvertibleValue(
        f"The value {one_line(repr(value))} of type {type(value).__name__} cannot be sent to a server."
    )


# -- from the server --------------------------------------------------------------------------------------------------


# PowerShell writes these two as references, which XML does not allow; a text of these letters has its & escaped.
_NONCHARACTER = re.compile("&#(?:x0*([Ff]{3}[EeFf])|0*6553([45]));")


def parse(document: str) -> ET.Element:
    """The XML of one message. Raises `xml.etree.ElementTree.ParseError`."""
    if "&#" in document:
        document = _NONCHARACTER.sub(
            lambda match: f"_x{match[1] or ('FFFE' if match[2] == '4' else 'FFFF')}_", document
        )
    # pypsrp parses the envelopes around it with the same parser; expat bounds entity expansion since 2.4.1.
    return ET.fromstring(document)  # noqa: S314


def from_clixml(document: str) -> Any:
    """The value of one CLIXML document: a native Python value, or a `RemoteObject`. Raises `UnconvertibleValue`.

    An enumeration becomes its name. A simple value or a list that carries note properties, such as what Get-Date
    returns, becomes the simple value or the list.
    """
    if not document:
        # An empty payload is how servers write $null into the output stream.
        return None
    try:
        return _Reader().read(parse(document))
    except (ET.ParseError, RecursionError) as error:
        raise UnconvertibleValue("The server sent something that is not CLIXML.") from error


class _Reader:
    """Reads one document; type names and objects may be named once and referred to later."""

    def __init__(self) -> None:
        self._type_names: dict[str, tuple[str, ...]] = {}
        self._objects: dict[str, Any] = {}

    def read(self, element: ET.Element) -> Any:
        tag, text = element.tag, element.text or ""
        read = _READ.get(tag)
        try:
            if read is not None:
                return read(text)
            if tag == "Nil":
                return None
            if tag == "Obj":
                return self._object(element)
            if tag == "Ref":
                return self._objects[element.attrib["RefId"]]
        except (ValueError, ArithmeticError, LookupError) as error:
            raise UnconvertibleValue(
                f"The server sent <{tag}>{one_line(text)}</{tag}>, which cannot be read."
            ) from error
        raise UnconvertibleValue(
            f"The server sent a value of the type <{tag}>, which has no counterpart here."
        )

    def _object(self, element: ET.Element) -> Any:
        type_names: tuple[str, ...] = ()
        text: str | None = None
        content: ET.Element | None = None
        members: list[ET.Element] = []
        for child in element:
            if child.tag == "TN":
                type_names = tuple((name.text or "").removeprefix("Deserialized.") for name in child)
                self._type_names[child.attrib["RefId"]] = type_names
            elif child.tag == "TNRef":
                type_names = self._type_names.get(child.attrib["RefId"], ())
            elif child.tag == "ToString":
                text = unescape_text(child.text or "")
            elif child.tag in ("Props", "MS"):
                members.extend(child)
            else:
                content = child
        if content is None:
            return self._remote_object(element, type_names, members, text)
        value = self._content(element, content, type_names, text)
        if _says_more_by_its_properties(type_names, value, members):
            shown = value if isinstance(value, str) else text
            return self._remote_object(element, type_names or _CUSTOM_OBJECT, members, shown)
        for member in members:
            # Not part of the value, but what it names may be referred to later.
            self.read(member)
        return value

    def _content(
        self, element: ET.Element, content: ET.Element, type_names: tuple[str, ...], text: str | None
    ) -> Any:
        if "System.Enum" in type_names:
            return self._known(element, text if text is not None else str(self.read(content)))
        if content.tag in _LISTS:
            items = self._known(element, [])
            items.extend(self.read(item) for item in content)
            return items
        if content.tag == "DCT":
            entries = self._known(element, {})
            entries.update((_key(self.read(entry[0])), self.read(entry[1])) for entry in content)
            return entries
        return self._known(element, self.read(content))

    def _known(self, element: ET.Element, value: Any) -> Any:
        """Remember the object before its content is read, which may refer to it."""
        self._objects[element.attrib.get("RefId", "")] = value
        return value

    def _remote_object(
        self, element: ET.Element, type_names: tuple[str, ...], members: list[ET.Element], text: str | None
    ) -> RemoteObject:
        properties: dict[str, Any] = {}
        remote = self._known(element, RemoteObject(type_names, properties, text))
        for member in members:
            properties[unescape_text(member.attrib["N"])] = self.read(member)
        return remote


def _says_more_by_its_properties(type_names: tuple[str, ...], value: Any, members: list[ET.Element]) -> bool:
    """An XmlElement is sent as its children without what they hold, with attributes and texts as properties. A custom
    object that lies too deep is sent as its text, which starts with its first property, with properties as notes.
    """
    if not members or not isinstance(value, str | list):
        return False
    if isinstance(value, list):
        return "System.Xml.XmlNode" in type_names
    return value.startswith(f"@{{{unescape_text(members[0].attrib['N'])}=")


def _key(key: Any) -> Any:
    """A dictionary's key as Python can have it."""
    if isinstance(key, RemoteObject):
        return key.text or ""
    if isinstance(key, dict):
        return tuple((_key(name), _key(value)) for name, value in key.items())
    return tuple(map(_key, key)) if isinstance(key, list) else key


# -- to a task's result -----------------------------------------------------------------------------------------------


def as_result(value: Any) -> Any:
    """The JSON-ready form of a value in a task's result: times as ISO 8601 in UTC, spans as seconds, objects as
    dictionaries. A SecureString is never shown.
    """
    return _shown(value, ())


def _shown(value: Any, around: tuple[Any, ...]) -> Any:
    """``around`` are the containers that the value stands in, which it may contain in its turn."""
    if any(value is container for container in around):
        return "(contains itself)"
    within = (*around, value)
    if isinstance(value, Hidden):
        return f"({value.value}, not shown)"
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, Version | uuid.UUID | decimal.Decimal):
        return str(value)
    if isinstance(value, float) and not math.isfinite(value):
        return _write_float(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, RemoteObject):
        shown = {name: _shown(item, within) for name, item in value.properties.items()}
        return shown or value.text or {}
    if isinstance(value, Mapping):
        return {_shown_key(key): _shown(item, within) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_shown(item, within) for item in value]
    return value


def _shown_key(key: Any) -> str:
    if isinstance(key, tuple):
        return ", ".join(map(_shown_key, key))
    return str(_shown(key, ()))
