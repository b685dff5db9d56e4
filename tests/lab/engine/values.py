# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The model's values and errors as JSON for the cmdlets in a PowerShell's process (``model.cs``), and theirs back."""

from __future__ import annotations

import base64
import datetime
import decimal
import enum
import uuid
from collections.abc import Mapping
from typing import Any

from psrpcore.types import ErrorRecord, PSFlagBase, PSObject, PSVersion

from lab.objects.nouns import NOUNS
from lab.objects.values import NetCollection, NetObject, text_of, time_span_text, type_names
from lab.powershell.errors import PowerShellError
from lab.powershell.exceptions import ancestors

_SETTINGS = tuple(noun.type_name for noun in NOUNS.values())
_IDENTITY = "Microsoft.Rtc.Management.Xds.XdsIdentity"


def sent(value: Any) -> Any:
    """A value as ``Values.Received`` takes it."""
    notes = {p.name: p.get_value(value) for p in _notes(value)}
    if notes:
        return {"noted": _bare(value), "notes": {name: sent(content) for name, content in notes.items()}}
    return _bare(value)


def _notes(value: Any) -> Any:
    """Of a primitive value that PowerShell added properties to."""
    is_primitive = isinstance(value, PSObject) and isinstance(value, (str, int, datetime.datetime))
    return value.PSObject.extended_properties if is_primitive else ()


def _bare(value: Any) -> Any:
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, enum.Enum):
        return _enumeration(value)
    if isinstance(value, str):
        return str.__str__(value)
    if isinstance(value, bytes):
        return {"bytes": base64.b64encode(value).decode()}
    if isinstance(value, NetObject):
        return _object(value)
    if isinstance(value, NetCollection):
        return _collection(value)
    if isinstance(value, datetime.datetime):
        return _moment(value)
    if isinstance(value, Mapping):
        return {"dictionary": [[sent(key), sent(content)] for key, content in value.items()]}
    if isinstance(value, (list, tuple)):
        return [sent(item) for item in value]
    return {"scalar": _scalar_type(value), "value": _scalar_text(value)}


def _enumeration(value: Any) -> Any:
    return {
        "enumeration": type_names(value)[0],
        "number": int(value.value),
        "members": {member.name: int(member.value) for member in type(value)},
        "flags": isinstance(value, PSFlagBase),
    }


def _object(value: NetObject) -> Any:
    properties = {name: sent(content) for name, content in value.properties.items()}
    if value.type_names[0].startswith(_SETTINGS) and "Identity" in properties:
        properties["Identity"] = {"scalar": _IDENTITY, "value": properties["Identity"]}
    return {
        "object": list(value.type_names),
        "properties": properties,
        "notes": {name: sent(content) for name, content in value.notes.items()},
        "text": str(value),
    }


def _collection(value: NetCollection) -> Any:
    if value.type_names[0] == "System.String[]":
        return {"strings": [text_of(item) for item in value.items]}
    if value.type_names[0].startswith("System.Collections.Generic.List`1[[System.String"):
        return {"string_list": [text_of(item) for item in value.items]}
    return [sent(item) for item in value.items]


def _moment(value: datetime.datetime) -> Any:
    """.NET has universal and local times, and those that say nothing; a local one becomes the process's own."""
    text = value.isoformat()
    if value.tzinfo is None:
        return {"date": text}
    return {"utc" if value.tzinfo is datetime.timezone.utc else "instant": text}


def _scalar_type(value: Any) -> str:
    if isinstance(value, PSObject):
        return type_names(value)[0]
    if isinstance(value, int):
        return "System.Int32" if -(2**31) <= value < 2**31 else "System.Int64"
    return next(name for kind, name in _SCALARS.items() if isinstance(value, kind))


_SCALARS: Mapping[type, str] = {
    float: "System.Double",
    decimal.Decimal: "System.Decimal",
    datetime.timedelta: "System.TimeSpan",
    uuid.UUID: "System.Guid",
    PSVersion: "System.Version",
}


def _scalar_text(value: Any) -> str:
    if isinstance(value, datetime.timedelta):
        return time_span_text(value)
    if isinstance(value, int):
        return str(int(value))
    return str(value)


def received(value: Any) -> Any:
    """What ``Values.Sent`` made of a parameter's value."""
    if isinstance(value, list):
        return [received(item) for item in value]
    if not isinstance(value, dict):
        return value
    if "bytes" in value:
        return base64.b64decode(value["bytes"])
    if "dictionary" in value:
        return {received(key): received(content) for key, content in value["dictionary"]}
    members = {name: received(content) for name, content in value["properties"].items()}
    return NetObject(tuple(value["object"]), members, text=value["text"])


def sent_error(error: PowerShellError) -> Any:
    """An error as ``Values.Error`` takes it."""
    return {
        "exception": _exception(error.exception, error.message, error.inner),
        "id": error.error_id,
        "category": error.category.name,
        "target": sent(error.target),
    }


def sent_record(record: ErrorRecord) -> Any:
    """An error record of the lab's protocol half: an injected fault, or a process too many."""
    names = [name for name in record.Exception.PSTypeNames if name != "System.Object"]
    return {
        "exception": {"types": names, "message": str(record.Exception.Message), "inner": None},
        "id": str(record.FullyQualifiedErrorId).partition(",")[0],  # PowerShell adds the class
        "category": record.CategoryInfo.Category.name,
        "target": None,
    }


def _exception(name: str, message: str, inner: tuple[str, str] | None) -> Any:
    return {
        "types": ancestors(name),
        "message": message,
        "inner": _exception(*inner, None) if inner else None,
    }
