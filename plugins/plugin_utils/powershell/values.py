# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Values on their way to a server and back: Python on this side, CLIXML (MS-PSRP section 2.2.5) on the other.

One table, `_SCALARS`, holds both directions of every simple type; lists, dictionaries, custom objects and enumerations
are structural and follow it. A value that has no place here raises `UnconvertibleValue`, which names it.
"""

from __future__ import annotations

import base64
import contextlib
import datetime
import decimal
import itertools
import re
import uuid
import xml.etree.ElementTree as ET
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from .commands import Switch
from .errors import UnconvertibleValue
from .results import RemoteObject


class Version(str):
    """A System.Version such as ``5.0.8308.0``. Plain text to Python; sent and received as a version."""

    __slots__ = ()


# -- text: MS-PSRP section 2.2.5.3.2 escapes what XML cannot carry as _xHHHH_, one UTF-16 unit each -------------------

_NEEDS_ESCAPE = re.compile("[\x00-\x1f\x7f-\x9f\ud800-\udfff\U00010000-\U0010ffff]|_(?=[xX][0-9A-Fa-f]{4}_)")
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


# -- times ------------------------------------------------------------------------------------------------------------

_DATE_TIME = re.compile(
    r"(?P<main>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,7}))?(?P<zone>Z|[+-]\d\d:\d\d)?"
)
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d+)D)?(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+(?:\.\d+)?)S)?)?"
)


def _read_date_time(text: str) -> datetime.datetime:
    """An aware UTC time; a DateTime that the server sent without a zone stays without one. 100 ns digits are cut to 1
    us.
    """
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise UnconvertibleValue(f"'{text}' is not a DateTime as the remoting protocol writes it.")
    moment = datetime.datetime.strptime(match["main"], "%Y-%m-%dT%H:%M:%S")
    moment = moment.replace(microsecond=int((match["fraction"] or "0").ljust(6, "0")[:6]))
    zone = match["zone"]
    if zone is None:
        return moment
    offset = datetime.timedelta()
    if zone != "Z":
        offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6])) * (
            -1 if zone[0] == "-" else 1
        )
    # DateTime.MinValue and MaxValue carry the server's local offset; they mean "never", whatever the zone.
    with contextlib.suppress(OverflowError):
        moment -= offset
    return moment.replace(tzinfo=datetime.timezone.utc)


def _write_date_time(moment: datetime.datetime) -> str:
    if moment.tzinfo is None:
        raise UnconvertibleValue(
            f"The time {moment.isoformat()} has no zone: the server would read it in its own."
        )
    utc = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return utc.isoformat(timespec="microseconds") + "Z"


def _read_duration(text: str) -> datetime.timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise UnconvertibleValue(f"'{text}' is not a TimeSpan as the remoting protocol writes it.")
    seconds = decimal.Decimal(match["seconds"] or 0)
    span = datetime.timedelta(
        days=int(match["days"] or 0),
        hours=int(match["hours"] or 0),
        minutes=int(match["minutes"] or 0),
        seconds=int(seconds),
        microseconds=int(seconds % 1 * 1_000_000),
    )
    return -span if match["sign"] else span


def _write_duration(span: datetime.timedelta) -> str:
    sign = "-" if span < datetime.timedelta() else ""
    span = abs(span)
    seconds = f"{span.seconds}.{span.microseconds:06d}" if span.microseconds else str(span.seconds)
    return f"{sign}P{span.days}DT{seconds}S"


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


# Where several rows share a Python type, the first that fits is sent.
_SCALARS = (
    _Scalar("B", lambda text: text == "true", bool, lambda value: "true" if value else "false"),
    _Scalar("I32", int, int, fits=_between(-(2**31), 2**31 - 1)),
    _Scalar("I64", int, int, fits=_between(-(2**63), 2**63 - 1)),
    _Scalar("U64", int, int, fits=_between(0, 2**64 - 1)),
    _Scalar("U32", int),
    _Scalar("I16", int),
    _Scalar("U16", int),
    _Scalar("By", int),
    _Scalar("SB", int),
    _Scalar("Db", float, float, repr),
    _Scalar("Sg", float),
    _Scalar("D", decimal.Decimal, decimal.Decimal, lambda value: format(value, "f")),
    _Scalar("Version", Version, Version),
    _Scalar("S", unescape_text, str, escape_text),
    _Scalar("C", lambda text: chr(int(text))),
    _Scalar("URI", unescape_text),
    _Scalar("XD", unescape_text),
    _Scalar("SBK", unescape_text),
    _Scalar("DT", _read_date_time, datetime.datetime, _write_date_time),
    _Scalar("TS", _read_duration, datetime.timedelta, _write_duration),
    _Scalar("G", uuid.UUID, uuid.UUID),
    _Scalar("BA", base64.b64decode, bytes, lambda value: base64.b64encode(value).decode("ascii")),
)
_READ = {scalar.tag: scalar.read for scalar in _SCALARS}
_LISTS = frozenset({"LST", "IE", "QUE", "STK"})


# -- to the server ----------------------------------------------------------------------------------------------------


def to_clixml(value: Any, next_reference: Callable[[], str] | None = None) -> ET.Element:
    """The CLIXML element of one argument. ``next_reference`` makes ids that are unique within the message.

    Takes bool, int, float, Decimal, str, `Version`, aware datetime, timedelta, UUID, bytes, None, lists, tuples,
    mappings, `RemoteObject` (sent as a custom object) and `Switch.PRESENT`. Raises `UnconvertibleValue` for anything
    else.
    """
    return _write(value, _References(next_reference or map(str, itertools.count()).__next__))


_FIRST_TYPE_REFERENCE = 1_000_000


class _References:
    def __init__(self, next_reference: Callable[[], str]) -> None:
        self._next = next_reference

    def element(self, type_names: tuple[str, ...]) -> ET.Element:
        element = ET.Element("Obj", RefId=self._next())
        if type_names:
            # Lists of types are numbered apart from objects, and pypsrp numbers its own from 0.
            names = ET.SubElement(
                element, "TN", RefId=str(_FIRST_TYPE_REFERENCE + int(element.attrib["RefId"]))
            )
            for name in type_names:
                ET.SubElement(names, "T").text = name
        return element


def _write(value: Any, references: _References) -> ET.Element:
    if value is None:
        return ET.Element("Nil")
    if value is Switch.PRESENT:
        value = True
    for scalar in _SCALARS:
        # Exact types first: bool is an int to Python, and a Version is a str.
        if scalar.python is type(value) and scalar.fits(value):
            element = ET.Element(scalar.tag)
            element.text = scalar.write(value)
            return element
    if isinstance(value, list | tuple):
        element = references.element(("System.Object[]", "System.Array", "System.Object"))
        content = ET.SubElement(element, "LST")
        content.extend(_write(item, references) for item in value)
        return element
    if isinstance(value, Mapping):
        element = references.element(("System.Collections.Hashtable", "System.Object"))
        content = ET.SubElement(element, "DCT")
        for key, item in value.items():
            entry = ET.SubElement(content, "En")
            for name, part in (("Key", key), ("Value", item)):
                written = _write(part, references)
                written.set("N", name)
                entry.append(written)
        return element
    if isinstance(value, RemoteObject):
        element = references.element(("System.Management.Automation.PSCustomObject", "System.Object"))
        members = ET.SubElement(element, "MS")
        for name, item in value.properties.items():
            written = _write(item, references)
            written.set("N", escape_text(name))
            members.append(written)
        return element
    raise UnconvertibleValue(
        f"The value {value!r} of type {type(value).__name__} cannot be sent to a server."
    )


# -- from the server --------------------------------------------------------------------------------------------------


def from_clixml(document: str) -> Any:
    """The value of one CLIXML document: a native Python value, or a `RemoteObject`. Raises `UnconvertibleValue`.

    An enumeration becomes its name. A simple value that carries note properties, such as what Get-Date returns,
    becomes the simple value.
    """
    if not document:
        # An empty payload is how some servers write $null into the output stream.
        return None
    try:
        # pypsrp parses the envelopes around it with the same parser; expat bounds entity expansion since 2.4.1.
        root = ET.fromstring(document)  # noqa: S314
    except ET.ParseError as error:
        raise UnconvertibleValue(
            f"The server sent something that is not CLIXML ({error}): {document[:80]!r}"
        ) from error
    return _Reader().read(root)


class _Reader:
    """Reads one document; type names and objects may be named once and referred to later."""

    def __init__(self) -> None:
        self._type_names: dict[str, tuple[str, ...]] = {}
        self._objects: dict[str, Any] = {}

    def read(self, element: ET.Element) -> Any:
        tag = element.tag
        read = _READ.get(tag)
        if read is not None:
            return read(element.text or "")
        if tag == "Nil":
            return None
        if tag == "Obj":
            return self._object(element)
        if tag == "Ref":
            return self._objects.get(element.attrib["RefId"])
        raise UnconvertibleValue(
            f"The server sent a value of the type <{tag}>, which has no counterpart here."
        )

    def _object(self, element: ET.Element) -> Any:
        type_names: tuple[str, ...] = ()
        text: str | None = None
        simple: list[Any] = []
        container: Any = None
        members: list[ET.Element] = []
        for child in element:
            if child.tag == "TN":
                type_names = tuple((name.text or "").removeprefix("Deserialized.") for name in child)
                self._type_names[child.attrib["RefId"]] = type_names
            elif child.tag == "TNRef":
                type_names = self._type_names.get(child.attrib["RefId"], ())
            elif child.tag == "ToString":
                text = unescape_text(child.text or "")
            elif child.tag in _LISTS:
                container = [self.read(item) for item in child]
            elif child.tag == "DCT":
                container = {self._key(entry): self.read(entry[1]) for entry in child}
            elif child.tag in ("Props", "MS"):
                members.extend(child)
            else:
                simple.append(self.read(child))
        value: Any
        if container is not None:
            value = container
        elif "System.Enum" in type_names:
            value = text if text is not None else str(simple[0])
        elif simple:
            value = simple[0]
        else:
            value = RemoteObject(
                type_names, {unescape_text(member.attrib["N"]): self.read(member) for member in members}, text
            )
        self._objects[element.attrib.get("RefId", "")] = value
        return value

    def _key(self, entry: ET.Element) -> Any:
        key = self.read(entry[0])
        return key.text or "" if isinstance(key, RemoteObject) else key


# -- to a task's result -----------------------------------------------------------------------------------------------


def as_result(value: Any) -> Any:
    """The JSON-ready form of a value in a task's result: times as ISO 8601 in UTC, spans as seconds, objects as
    dictionaries.
    """
    if isinstance(value, datetime.datetime):
        return value.isoformat().replace("+00:00", "Z")
    if isinstance(value, datetime.timedelta):
        return value.total_seconds()
    if isinstance(value, Version | uuid.UUID | decimal.Decimal):
        return str(value)
    if isinstance(value, bytes):
        return base64.b64encode(value).decode("ascii")
    if isinstance(value, RemoteObject):
        return {name: as_result(item) for name, item in value.properties.items()}
    if isinstance(value, Mapping):
        return {str(key): as_result(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [as_result(item) for item in value]
    return value
