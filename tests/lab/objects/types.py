# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Parameter types: their full names and PowerShell's conversions to them.

Conversion texts: PowerShell/PowerShell, resources/ExtendedTypeSystem.resx and
EnumExpressionEvaluatorStrings.resx; the wording of Windows PowerShell 2.0 where that differs.
"""

from __future__ import annotations

import datetime
import enum
import math
import re
import uuid
from collections.abc import Callable, Sequence
from typing import Any

from psrpcore.types import (
    PSDict,
    PSEnumBase,
    PSInt,
    PSInt16,
    PSInt64,
    PSObject,
    PSUInt,
    PSUInt16,
    PSUInt64,
)

from lab.objects.values import NetCollection, NetObject, enumeration, text_of, type_names


class InvalidCast(Exception):
    """A value cannot become the type; the text is PSInvalidCastException's."""


class NullForValue(InvalidCast):
    """Null for what cannot be null."""


class CollectionForScalar(Exception):
    """A collection was given where one value is wanted (NotSupportedException)."""


class NotBoolean(Exception):
    """Only Boolean values and numbers become a Boolean or a switch."""


class NullRefused(Exception):
    """A Boolean cannot be null."""


#: Namespaces that Microsoft's reference gives for types it names by their last part only; the rest of the
#: Lync types is assumed to sit in Microsoft.Rtc.Management.
FULL_NAMES = {
    "Boolean": "System.Boolean",
    "Byte[]": "System.Byte[]",
    "CertType": "Microsoft.Rtc.Management.Deployment.CertType",
    "CertType[]": "Microsoft.Rtc.Management.Deployment.CertType[]",
    "DateTime": "System.DateTime",
    "Double": "System.Double",
    "EncryptionLevel": "Microsoft.Rtc.Management.WritableConfig.Settings.Media.EncryptionLevel",
    "Fqdn": "Microsoft.Rtc.Management.Deploy.Fqdn",
    "Guid": "System.Guid",
    "Hashtable": "System.Collections.Hashtable",
    "IPAddress": "System.Net.IPAddress",
    "Int16": "System.Int16",
    "Int32": "System.Int32",
    "Int64": "System.Int64",
    "MaxVideoRateAllowed": "Microsoft.Rtc.Management.WritableConfig.Settings.Media.MaxVideoRateAllowed",
    "NTService": "Microsoft.Rtc.Management.Deployment.Core.NTService",
    "Object": "System.Object",
    "Object[]": "System.Object[]",
    "PSCredential": "System.Management.Automation.PSCredential",
    "PSListModifier": "System.Management.Automation.PSListModifier",
    "PSObject": "System.Management.Automation.PSObject",
    "ActionPreference": "System.Management.Automation.ActionPreference",
    "RegistryValueKind": "Microsoft.Win32.RegistryValueKind",
    "ServiceStartMode": "System.ServiceProcess.ServiceStartMode",
    "RoutingMethod": "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.RoutingMethod",
    "ScriptBlock": "System.Management.Automation.ScriptBlock",
    "String": "System.String",
    "String[]": "System.String[]",
    "SwitchParameter": "System.Management.Automation.SwitchParameter",
    "TimeSpan": "System.TimeSpan",
    "UInt16": "System.UInt16",
    "UInt32": "System.UInt32",
    "UInt64": "System.UInt64",
    "Unlimited<UInt32>": "Microsoft.Rtc.Management.ADConnect.Core.Unlimited`1[System.UInt32]",
    "UserIdParameter": "Microsoft.Rtc.Management.AD.UserIdParameter",
    "VerificationLevelType": "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.VerificationLevelType",
    "X509Certificate2": "System.Security.Cryptography.X509Certificates.X509Certificate2",
    "XElement": "System.Xml.Linq.XElement",
    "XdsGlobalRelativeIdentity": "Microsoft.Rtc.Management.Xds.XdsGlobalRelativeIdentity",
    "XdsIdentity": "Microsoft.Rtc.Management.Xds.XdsIdentity",
}


def full_name(type_name: str) -> str:
    known = FULL_NAMES.get(type_name)
    if known:
        return known
    return type_name if "." in type_name else f"Microsoft.Rtc.Management.{type_name}"


def is_collection(value: Any) -> bool:
    return isinstance(value, (list, tuple, NetCollection)) and not isinstance(value, dict)


def items_of(value: Any) -> list[Any]:
    if isinstance(value, NetCollection):
        return list(value.items)
    return list(value) if is_collection(value) else [value]


def is_number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, (bool, enum.Enum))


_INTEGERS: dict[str, tuple[type, int, int]] = {
    "Int16": (PSInt16, -(2**15), 2**15 - 1),
    "Int32": (PSInt, -(2**31), 2**31 - 1),
    "Int64": (PSInt64, -(2**63), 2**63 - 1),
    "UInt16": (PSUInt16, 0, 2**16 - 1),
    "UInt32": (PSUInt, 0, 2**32 - 1),
    "UInt64": (PSUInt64, 0, 2**64 - 1),
}


def convert(value: Any, type_name: str, values: Sequence[str] | None = None, dialect: str = "5.1") -> Any:
    """``value`` as that parameter type.

    ``values`` are the names of an enumeration; ``dialect`` is the version of PowerShell whose texts are used.
    Raises InvalidCast, CollectionForScalar, NotBoolean or NullRefused.
    """
    if type_name in ("Boolean", "SwitchParameter"):
        return _boolean(value, type_name)
    if type_name == "PSListModifier" or type_name in ("Object", "PSObject"):
        return value
    if value is None:
        failed = f'Cannot convert null to type "{full_name(type_name)}"'
        if values:
            raise NullForValue(
                f"{failed} due to enumeration values that are not valid. Specify one of the following enumeration "
                f'values and try again. The possible enumeration values are "{",".join(values)}".'
            )
        if type_name in _INTEGERS or type_name in ("TimeSpan", "Guid", "DateTime"):
            raise NullForValue(f"{failed}.")
        return None
    if type_name.endswith("[]"):
        element = type_name[:-2]
        return [convert(item, element, values, dialect) for item in items_of(value)]
    if is_collection(value):
        raise CollectionForScalar(value)
    if values:
        return to_enumeration(value, enumeration(full_name(type_name), tuple(values)), dialect)
    if type_name in _INTEGERS:
        return _integer(value, type_name)
    special = _CONVERTERS.get(type_name)
    return special(value) if special else _text(value)


def _boolean(value: Any, type_name: str) -> bool:
    if value is None:
        if type_name == "SwitchParameter":
            return True
        raise NullRefused
    if isinstance(value, bool):
        return value
    if is_number(value):
        return value != 0
    if isinstance(value, PSObject) and any(name.endswith("SwitchParameter") for name in value.PSTypeNames):
        return bool(getattr(value, "IsPresent", False))
    raise NotBoolean(type_names(value)[0])


def _failed(value: Any, type_name: str, reason: str) -> InvalidCast:
    return InvalidCast(
        f'Cannot convert value "{text_of(value)}" to type "{full_name(type_name)}". Error: "{reason}"'
    )


def _integer(value: Any, type_name: str) -> int:
    kind, low, high = _INTEGERS[type_name]
    if isinstance(value, (bool, int)):
        number = int(value)
    elif isinstance(value, float) and math.isfinite(value):
        number = round(value)
    else:
        text = text_of(value).strip()
        if re.fullmatch(r"0[xX][0-9a-fA-F]+", text):
            number = int(text, 16)
        elif re.fullmatch(r"[+-]?\d+", text):
            number = int(text)
        elif text == "":
            number = 0
        else:
            raise _failed(value, type_name, "Input string was not in a correct format.")
    if not low <= number <= high:
        article = "an" if type_name.startswith("I") else "a"
        raise _failed(value, type_name, f"Value was either too large or too small for {article} {type_name}.")
    return kind(number)


def to_enumeration(value: Any, kind: type[PSEnumBase], dialect: str = "5.1") -> PSEnumBase:
    """A member by name (any case; an unambiguous beginning from PowerShell 3.0 on) or number."""
    names = [member.name for member in kind]
    full = kind.PSObject.type_names[0]
    text = value.name if isinstance(value, enum.Enum) else text_of(value).strip()
    if re.fullmatch(r"[+-]?\d+", text):
        for member in kind:
            if int(member.value) == int(text):
                return member
        # The number's text differs from the name's in every version.
        raise InvalidCast(_enumeration_values(text, full, names, dialect))
    exact = [name for name in names if name.lower() == text.lower()]
    if dialect.startswith("2."):
        if not exact:
            raise InvalidCast(_enumeration_values(text, full, names, dialect))
        return kind[exact[0]]
    matching = exact or [name for name in names if name.lower().startswith(text.lower())]
    if len(matching) == 1:
        return kind[matching[0]]
    if matching:
        reason = (
            f"The identifier name {text} cannot be processed because it is either too similar or identical "
            "to the following "
            f"enumerator names: {', '.join(matching)}. Use a more specific identifier name."
        )
    else:
        reason = (
            f"Unable to match the identifier name {text} to a valid enumerator name. Specify one of the "
            "following enumerator "
            f"names and try again:\r\n{', '.join(names)}"
        )
    raise InvalidCast(f'Cannot convert value "{text}" to type "{full}". Error: "{reason}"')


def _enumeration_values(text: str, full: str, names: Sequence[str], dialect: str) -> str:
    cause = (
        "invalid enumeration values" if dialect.startswith("2.") else "enumeration values that are not valid"
    )
    return (
        f'Cannot convert value "{text}" to type "{full}" due to {cause}. Specify one of the following '
        "enumeration values and "
        f'try again. The possible enumeration values are "{", ".join(names)}".'
    )


_TIME_SPAN = re.compile(
    r"(?P<sign>-)?(?:(?P<d>\d+)\.)?(?P<h>\d{1,2}):(?P<m>\d{1,2})(?::(?P<s>\d{1,2})(?:\.(?P<f>\d{1,7}))?)?"
)


def _time_span(value: Any) -> datetime.timedelta:
    if isinstance(value, datetime.timedelta):
        return value
    if is_number(value):
        return datetime.timedelta(microseconds=int(value) / 10)  # a number counts ticks
    text = text_of(value).strip()
    if re.fullmatch(r"-?\d+", text):
        return datetime.timedelta(days=int(text))
    match = _TIME_SPAN.fullmatch(text)
    if not match or int(match["h"]) > 23 or int(match["m"]) > 59 or int(match["s"] or 0) > 59:
        raise _failed(value, "TimeSpan", "String was not recognized as a valid TimeSpan.")
    span = datetime.timedelta(
        days=int(match["d"] or 0),
        hours=int(match["h"]),
        minutes=int(match["m"]),
        seconds=int(match["s"] or 0),
        microseconds=int((match["f"] or "0").ljust(7, "0")) // 10,
    )
    return -span if match["sign"] else span


def _guid(value: Any) -> uuid.UUID:
    if isinstance(value, uuid.UUID):
        return value
    try:
        return uuid.UUID(text_of(value))
    except ValueError:
        raise _failed(
            value,
            "Guid",
            "Guid should contain 32 digits with 4 dashes (xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx).",
        ) from None


def _date_time(value: Any) -> datetime.datetime:
    if isinstance(value, datetime.datetime):
        return value
    text = text_of(value)
    for pattern in (
        "%m/%d/%Y",
        "%m/%d/%Y %I:%M:%S %p",
        "%m/%d/%Y %I:%M %p",
        "%m/%d/%Y %H:%M:%S",
        "%m/%d/%Y %H:%M",
    ):
        try:
            return datetime.datetime.strptime(text, pattern)
        except ValueError:
            continue
    try:
        return datetime.datetime.fromisoformat(text)
    except ValueError:
        raise _failed(value, "DateTime", "String was not recognized as a valid DateTime.") from None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else text_of(value)


def _identity(value: Any) -> str:
    """The text of an identity; an object that has an Identity stands for it."""
    if isinstance(value, NetObject) and "Identity" in value.properties:
        return text_of(value.properties["Identity"])
    return _text(value)


def _pass(value: Any) -> Any:
    return value


def _hashtable(value: Any) -> dict[Any, Any]:
    if isinstance(value, (dict, PSDict)):
        return value
    raise InvalidCast(
        f'Cannot convert the "{text_of(value)}" value of type "{type_names(value)[0]}" to type '
        '"System.Collections.Hashtable".'
    )


def _double(value: Any) -> float:
    try:
        return float(value if is_number(value) else text_of(value))
    except ValueError:
        raise _failed(value, "Double", "Input string was not in a correct format.") from None


_CONVERTERS: dict[str, Callable[[Any], Any]] = {
    "Double": _double,
    "TimeSpan": _time_span,
    "Guid": _guid,
    "DateTime": _date_time,
    "XdsIdentity": _identity,
    "XdsGlobalRelativeIdentity": _identity,
    "UserIdParameter": _identity,
    "Hashtable": _hashtable,
    "PSCredential": _pass,
    "ScriptBlock": _pass,
    "Byte": _pass,
    "NTService": _pass,
    "CertificateReference": _pass,
}
