# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's conversions: truth, numbers, and casts to types.

Source: "Windows PowerShell Language Specification Version 3.0", 6; texts: ExtendedTypeSystem.resx; identifiers:
PowerShell/PowerShell, engine/LanguagePrimitives.cs.
"""

from __future__ import annotations

import datetime
import decimal
import enum
import math
import re
from collections.abc import Callable
from typing import Any

from psrpcore.types import (
    ErrorCategory,
    ErrorRecord,
    NETException,
    PSByte,
    PSChar,
    PSEnumBase,
    PSInt16,
    PSInt64,
    PSObject,
    PSSByte,
    PSSingle,
    PSUInt,
    PSUInt16,
    PSUInt64,
    PSVersion,
)

from lab.objects.types import InvalidCast, convert, to_enumeration
from lab.objects.values import NetObject, all_properties, type_names
from lab.powershell.errors import PowerShellError, net_exception, not_modelled
from lab.powershell.exceptions import EXCEPTIONS
from lab.powershell.language.enums import ENUMERATIONS
from lab.powershell.language.literals import number
from lab.powershell.language.text import regex, to_text
from lab.powershell.language.types import ACCELERATORS, NUMBERS, VALUE_TYPES
from lab.powershell.language.values import (
    NOTHING,
    Char,
    Hashtable,
    Instance,
    Reference,
    ScriptBlock,
    TypedList,
    TypeReference,
    byte_array,
    is_array,
    items_of,
)

INTEGERS: dict[str, tuple[Callable[[int], Any], int, int]] = {
    "System.Byte": (PSByte, 0, 2**8 - 1),
    "System.SByte": (PSSByte, -(2**7), 2**7 - 1),
    "System.Int16": (PSInt16, -(2**15), 2**15 - 1),
    "System.UInt16": (PSUInt16, 0, 2**16 - 1),
    "System.Int32": (int, -(2**31), 2**31 - 1),
    "System.UInt32": (PSUInt, 0, 2**32 - 1),
    "System.Int64": (PSInt64, -(2**63), 2**63 - 1),
    "System.UInt64": (PSUInt64, 0, 2**64 - 1),
}
CUSTOM_OBJECT = ("System.Management.Automation.PSCustomObject", "System.Object")


def is_number(value: Any) -> bool:
    """Whether it is of one of .NET's numeric types."""
    return isinstance(value, (int, float, decimal.Decimal)) and not isinstance(
        value, (bool, enum.Enum, PSChar, str)
    )


def is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, (bool, enum.Enum, PSChar))


def to_bool(value: Any) -> bool:
    if value is None or value is NOTHING:
        return False
    if isinstance(value, str):
        return len(value) > 0 if not isinstance(value, Char) else value != "\0"
    if isinstance(value, (bool, int, float, decimal.Decimal)) and not isinstance(value, enum.Enum):
        return bool(value != 0)
    if is_array(value):
        items = items_of(value)
        if len(items) == 1:
            return to_bool(items[0]) if not is_array(items[0]) else True
        return bool(items)
    if isinstance(value, enum.Enum):
        return bool(value.value)
    if isinstance(value, PSObject) and hasattr(value, "IsPresent"):
        return bool(value.IsPresent)
    return True


def invalid_cast(
    value: Any, type_name: str, reason: str | None = None, error_id: str | None = None
) -> PowerShellError:
    if value is None:
        text, error_id = f'Cannot convert null to type "{type_name}".', error_id or "nullToObjectInvalidCast"
    elif reason is None:
        text = f'Cannot convert the "{to_text(value)}" value of type "{type_names(value)[0]}" to type "{type_name}".'
        error_id = error_id or "ConvertToFinalInvalidCastException"
    else:
        text = f'Cannot convert value "{to_text(value)}" to type "{type_name}". Error: "{reason}"'
        error_id = error_id or "InvalidCastIConvertible"
    return PowerShellError(
        text,
        category=ErrorCategory.InvalidArgument,
        error_id=error_id,
        exception="System.Management.Automation.RuntimeException",
        qualified=False,
        inner=("System.Management.Automation.PSInvalidCastException", text),
    )


_BAD_FORMAT = "Input string was not in a correct format."


def to_number(value: Any) -> Any:
    """A value as an operand of arithmetic. Raises PowerShellError."""
    if isinstance(value, Char):
        return ord(value)
    if is_number(value):
        return value
    if value is None or value is NOTHING:
        return 0
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, enum.Enum):
        return int(value.value)
    if isinstance(value, str):
        text = value.strip()
        if not text:
            return 0
        found = number(text)
        if found is None:
            raise invalid_cast(str(value), "System.Int32", _BAD_FORMAT, "InvalidCastFromStringToInteger")
        return found
    if isinstance(value, PSChar):
        return int(value)
    raise invalid_cast(value, "System.Int32")


def to_integer(value: Any, type_name: str = "System.Int32") -> Any:
    """A value as that integer type, rounded to the nearest (even) one. Raises PowerShellError."""
    made, low, high = INTEGERS[type_name]
    if isinstance(value, (str, Char)) and not isinstance(value, Char):
        try:
            exact: Any = to_number(value)
        except PowerShellError:
            raise invalid_cast(value, type_name, _BAD_FORMAT, "InvalidCastFromStringToInteger") from None
    elif value is None or value is NOTHING:
        exact = 0
    else:
        try:
            exact = to_number(value)
        except PowerShellError:
            raise invalid_cast(value, type_name) from None
    whole = high + 1 if isinstance(exact, float) and not math.isfinite(exact) else round(exact)
    if not low <= whole <= high:
        short = type_name.rpartition(".")[2]
        article = "an" if short[0] in "IU" and short != "UInt" else "a"
        article = (
            "an unsigned byte"
            if short == "Byte"
            else "a signed byte"
            if short == "SByte"
            else f"{article} {short}"
        )
        error_id = "InvalidCastFromStringToInteger" if isinstance(value, str) else "InvalidCastIConvertible"
        raise invalid_cast(
            value, type_name, f"Value was either too large or too small for {article}.", error_id
        )
    return made(int(whole))


def _real(value: Any, type_name: str) -> float:
    if value is None:
        return 0.0
    if isinstance(value, str):
        try:
            found = float(to_number(value))
        except PowerShellError:
            raise invalid_cast(
                value, type_name, _BAD_FORMAT, "InvalidCastFromStringToDoubleOrSingle"
            ) from None
    else:
        try:
            found = float(to_number(value))
        except PowerShellError:
            raise invalid_cast(value, type_name) from None
    return PSSingle(found) if type_name == "System.Single" else found


def _decimal(value: Any) -> decimal.Decimal:
    if isinstance(value, float):
        return decimal.Decimal(repr(value)).normalize() + 0 if value else decimal.Decimal(0)
    if isinstance(value, str):
        try:
            return decimal.Decimal(value.strip().replace(",", "") or "0")
        except decimal.InvalidOperation:
            raise invalid_cast(
                value, "System.Decimal", _BAD_FORMAT, "InvalidCastFromStringToDecimal"
            ) from None
    return decimal.Decimal(to_number(value))


def _char(value: Any) -> Char:
    if isinstance(value, str):
        if len(value) == 1:
            return Char(value)
        raise invalid_cast(
            value, "System.Char", "String must be exactly one character long.", "InvalidCastIConvertible"
        )
    if isinstance(value, PSChar):
        return Char(chr(value))
    whole = to_integer(value)
    if not 0 <= whole < 65536:
        raise invalid_cast(value, "System.Char", "Value was either too large or too small for a character.")
    return Char(chr(whole))


def _via_parameter_types(value: Any, type_name: str) -> Any:
    """Conversions that parameters of cmdlets have, too."""
    try:
        return convert(value, type_name.rpartition(".")[2])
    except InvalidCast as error:
        raise PowerShellError(
            str(error),
            category=ErrorCategory.InvalidArgument,
            error_id="InvalidCastParseTargetInvocation",
            exception="System.Management.Automation.RuntimeException",
            qualified=False,
            inner=("System.Management.Automation.PSInvalidCastException", str(error)),
        ) from None


def _version(value: Any) -> PSVersion:
    if isinstance(value, PSVersion):
        return value
    text = to_text(value)
    if isinstance(value, (float, int)) or not re.fullmatch(r"\s*\d+(\.\d+){1,3}\s*", text):
        if isinstance(value, float) and re.fullmatch(r"\d+\.\d+", text):
            return PSVersion(text)
        reason = (
            "Version string portion was too short or too long."
            if re.fullmatch(r"[\d.]+", text)
            else _BAD_FORMAT
        )
        raise invalid_cast(value, "System.Version", reason, "InvalidCastParseTargetInvocation")
    return PSVersion(text.strip())


def _custom_object(value: Any) -> Any:
    if isinstance(value, dict):
        notes = {to_text(key): content for key, content in value.items()}
        names: tuple[str, ...] = CUSTOM_OBJECT
        own = notes.pop("PSTypeName", None)
        if own is not None:
            names = (to_text(own), *CUSTOM_OBJECT)
        return NetObject(names, notes=notes)
    return value


def _hashtable(value: Any) -> Any:
    if isinstance(value, dict):
        return value
    if value is None:
        return None
    raise invalid_cast(value, "System.Collections.Hashtable")


def _exception(value: Any, type_name: str) -> Any:
    if isinstance(value, NETException) and type_name in value.PSTypeNames:
        return value
    if isinstance(value, ErrorRecord):
        return value.Exception
    if isinstance(value, str):
        return net_exception(type_name, to_text(value))
    raise invalid_cast(value, type_name)


def cast(value: Any, target: TypeReference, version: str = "5.1") -> Any:
    """``[type]value``. Raises PowerShellError."""
    name = target.name
    if value is NOTHING:
        value = None
    if name == "System.Object":
        return value
    if name == "System.Void":
        return NOTHING
    if name == "System.Boolean":
        return to_bool(value)
    if name == "System.String":
        return to_text(value)
    if name.endswith("[]"):
        return _array(value, name, version)
    if name == "System.Management.Automation.PSObject":
        return _custom_object(value) if version >= "3" else value
    if name == "System.Array":
        return items_of(value) if not is_array(value) else value
    if name == "System.Management.Automation.SwitchParameter":
        return to_bool(value)
    if value is None and name in VALUE_TYPES - NUMBERS - {"System.Char"}:
        raise invalid_cast(None, name)
    if value is None and name not in VALUE_TYPES and name not in ENUMERATIONS:
        return None
    if is_instance(value, target):
        return value
    if is_array(value) and name in VALUE_TYPES:
        raise invalid_cast(value, name)
    if name in INTEGERS:
        return to_integer(value, name)
    if name in ("System.Double", "System.Single"):
        return _real(value, name)
    special = _SPECIAL.get(name)
    if special is not None:
        return special(value)
    if name in ENUMERATIONS:
        return enumeration_member(value, name, version)
    if name in EXCEPTIONS:
        return _exception(value, name)
    if name.startswith("System.Collections.Generic.List`1[") or name == "System.Collections.ArrayList":
        element = name.partition("[[")[2].removesuffix("]]") or "System.Object"
        return TypedList(
            [cast(item, TypeReference(element), version) for item in items_of(value)], name, element
        )
    raise invalid_cast(value, name)


def enumeration_member(value: Any, name: str, version: str = "5.1") -> Any:
    """A member of an enumeration by name or number; names of flags may be joined by commas."""
    kind: type[PSEnumBase] = ENUMERATIONS[name]
    parts = items_of(value) if is_array(value) else str(to_text(value)).split(",")
    if len(parts) > 1 and not is_number(value):
        total = 0
        for part in parts:
            total |= int(to_enumeration(to_text(part).strip(), kind, version).value)
        return kind(total)
    try:
        return to_enumeration(value if isinstance(value, enum.Enum) else to_text(value), kind, version)
    except InvalidCast as error:
        raise PowerShellError(
            str(error),
            category=ErrorCategory.InvalidArgument,
            error_id="InvalidCastFromStringToEnumeration"
            if isinstance(value, str)
            else "InvalidCastToEnumeration",
            exception="System.Management.Automation.RuntimeException",
            qualified=False,
            inner=("System.Management.Automation.PSInvalidCastException", str(error)),
        ) from None


def _array(value: Any, name: str, version: str) -> Any:
    element = name.removesuffix("[]")
    if value is None:
        return None
    if isinstance(value, bytes):
        value = byte_array(value)
    if name == "System.Char[]" and isinstance(value, str):
        value = [Char(character) for character in value]
    items = [cast(item, TypeReference(element), version) for item in items_of(value)]
    return items if element == "System.Object" else TypedList(items, name, element)


def _script_block(value: Any) -> ScriptBlock:
    if isinstance(value, ScriptBlock):
        return value
    raise invalid_cast(value, "System.Management.Automation.ScriptBlock")


def _type(value: Any) -> TypeReference:
    if isinstance(value, TypeReference):
        return value
    from lab.powershell.language.tree import TypeName
    from lab.powershell.language.types import resolve

    return resolve(TypeName(to_text(value)), "5.1")


_SPECIAL: dict[str, Callable[[Any], Any]] = {
    "System.Decimal": _decimal,
    "System.Char": _char,
    "System.DateTime": lambda value: _date(value),
    "System.TimeSpan": lambda value: _via_parameter_types(value, "System.TimeSpan"),
    "System.Guid": lambda value: _via_parameter_types(value, "System.Guid"),
    "System.Version": _version,
    "System.Collections.Hashtable": _hashtable,
    "System.Management.Automation.ScriptBlock": _script_block,
    "System.Type": _type,
    "System.Text.RegularExpressions.Regex": lambda value: Instance(
        ("System.Text.RegularExpressions.Regex", "System.Object"), regex(to_text(value), 0)
    ),
}

_DATES = (
    *("%m/%d/%Y", "%m/%d/%Y %H:%M", "%m/%d/%Y %H:%M:%S", "%m/%d/%Y %I:%M %p", "%m/%d/%Y %I:%M:%S %p"),
    *("%Y-%m-%d", "%Y-%m-%d %H:%M", "%Y-%m-%d %H:%M:%S", "%Y/%m/%d", "%Y-%m", "%Y/%m/%d %H:%M:%S"),
    *("%d %B %Y", "%d %b %Y", "%B %d, %Y", "%b %d, %Y", "%A, %B %d, %Y", "%A, %B %d, %Y %I:%M:%S %p"),
    *("%B %d, %Y %I:%M:%S %p", "%a, %d %b %Y %H:%M:%S GMT", "%H:%M", "%H:%M:%S", "%I:%M %p"),
)
_ISO = re.compile(
    r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(?P<fraction>\.\d{1,7})?)?(?P<zone>Z|[+-]\d{2}:\d{2})?"
)


def parse_date(text: str) -> datetime.datetime | None:
    """A date as en-US writes it, or in the forms of ISO 8601; None if it is in neither."""
    stripped = text.strip()
    found = _ISO.fullmatch(stripped)
    if found:
        fraction = found["fraction"] or ""
        shortened = stripped.replace(fraction, fraction[:7].ljust(7, "0"), 1) if fraction else stripped
        return datetime.datetime.fromisoformat(shortened.replace("Z", "+00:00"))
    for pattern in _DATES:
        try:
            moment = datetime.datetime.strptime(stripped, pattern)
        except ValueError:
            continue
        if "%Y" not in pattern:
            today = datetime.date.today()
            moment = moment.replace(year=today.year, month=today.month, day=today.day)
        return moment
    return None


def _date(value: Any) -> datetime.datetime:
    if is_whole(value):
        return datetime.datetime(1, 1, 1) + datetime.timedelta(microseconds=int(value) // 10)
    moment = parse_date(to_text(value))
    if moment is None:
        raise invalid_cast(
            value,
            "System.DateTime",
            "String was not recognized as a valid DateTime.",
            "InvalidCastParseTargetInvocation",
        )
    return moment


def is_instance(value: Any, target: TypeReference) -> bool:
    """``value -is [type]``."""
    if value is None or value is NOTHING:
        return False
    name = target.name
    names = names_of(value)
    if name == "System.Object" or name in names:
        return True
    if name == "System.ValueType":
        return names[0] in VALUE_TYPES or isinstance(value, enum.Enum)
    if name == "System.Enum":
        return isinstance(value, enum.Enum)
    if name == "System.Management.Automation.PSObject":
        return isinstance(value, (NetObject, PSObject)) and names[0] not in VALUE_TYPES
    if name == "System.Management.Automation.PSCustomObject":
        return isinstance(value, NetObject) and not value.properties
    if name == "System.Array":
        return isinstance(value, list) and (not isinstance(value, TypedList) or value.is_array)
    if name == "System.Collections.IEnumerable":
        return is_array(value) or isinstance(value, (str, dict))
    if name in ("System.Collections.IList", "System.Collections.ICollection"):
        return is_array(value) or (isinstance(value, dict) and name.endswith("ICollection"))
    if name == "System.Collections.IDictionary":
        return isinstance(value, dict)
    if name == "System.IComparable":
        return isinstance(value, str) or names[0] in VALUE_TYPES
    return False


def names_of(value: Any) -> tuple[str, ...]:
    """Names of a value's type and of those it derives from."""
    if isinstance(value, Reference):
        return value.type_names
    if isinstance(value, PSChar):
        return Char.type_names
    if isinstance(value, bytes):
        return ("System.Byte[]", "System.Array", "System.Object")
    if isinstance(value, decimal.Decimal):
        return ("System.Decimal", "System.ValueType", "System.Object")
    return tuple(type_names(value))


def named_type(text: str) -> str:
    """The full name of a type that is known by an accelerator."""
    return ACCELERATORS.get(text.lower(), text)


def note_properties(value: Any) -> dict[str, Any]:
    """All properties of an object by their own names; the entries of a hash table."""
    if isinstance(value, Hashtable):
        return {to_text(key): content for key, content in value.items()}
    return dict(all_properties(value))


__all__ = [
    "CUSTOM_OBJECT",
    "INTEGERS",
    "cast",
    "enumeration_member",
    "invalid_cast",
    "is_instance",
    "is_number",
    "is_whole",
    "named_type",
    "names_of",
    "not_modelled",
    "note_properties",
    "parse_date",
    "to_bool",
    "to_integer",
    "to_number",
]
