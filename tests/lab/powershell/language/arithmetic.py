# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Arithmetic, with .NET's numeric types.

Source: about_Arithmetic_Operators, about_Numeric_Literals; "Windows PowerShell Language Specification Version 3.0",
6.15 and 7.6: integers that overflow become Double.
"""

from __future__ import annotations

import datetime
import decimal
import math
from collections.abc import Callable
from typing import Any

from psrpcore.types import ErrorCategory, PSInt64, PSUInt, PSUInt64

from lab.powershell.errors import PowerShellError
from lab.powershell.language.conversions import (
    cast,
    invalid_cast,
    is_number,
    is_whole,
    names_of,
    to_integer,
    to_number,
)
from lab.powershell.language.text import to_text
from lab.powershell.language.values import NOTHING, Char, Hashtable, TypeReference, is_array, items_of

#: Characters of a text, and items of an array, beyond which a result is refused for lack of memory: each shell has a
#: quota, and the lab is one process for all of them.
LARGEST = 2**26
LARGEST_ARRAY = 2**23

_NAMES = {"+": "Addition", "-": "Subtraction", "*": "Multiply", "/": "Division", "%": "Modulus"}
_SPAN = TypeReference("System.TimeSpan")


def runtime_error(message: str, error_id: str, target: Any = None, **details: Any) -> PowerShellError:
    """An error of the language itself."""
    return PowerShellError(
        message,
        category=details.pop("category", ErrorCategory.InvalidOperation),
        error_id=error_id,
        exception="System.Management.Automation.RuntimeException",
        target=target,
        qualified=False,
        **details,
    )


def out_of_memory() -> PowerShellError:
    text = "Exception of type 'System.OutOfMemoryException' was thrown."
    return PowerShellError(
        text,
        category=ErrorCategory.OperationStopped,
        error_id="System.OutOfMemoryException",
        exception="System.OutOfMemoryException",
        qualified=False,
    )


def _undefined(value: Any, operator: str) -> PowerShellError:
    """The left operand's type has no such operator."""
    return runtime_error(
        f"Method invocation failed because [{names_of(value)[0]}] does not contain a method named "
        f"'op_{_NAMES[operator]}'.",
        "MethodNotFound",
        f"op_{_NAMES[operator]}",
    )


def arithmetic(operator: str, left: Any, right: Any) -> Any:
    """``+ - * / %``. Raises PowerShellError."""
    left = None if left is NOTHING else left
    right = None if right is NOTHING else right
    special = _special(operator, left, right)
    if special is not NOTHING:
        return special
    if not isinstance(left, (str, bool)) and left is not None and not is_number(_numeric(left)):
        raise _undefined(left, operator)
    if is_array(right) or isinstance(right, dict):
        raise _undefined(right, operator)
    return numeric(operator, to_number(left), to_number(right))


def _numeric(value: Any) -> Any:
    try:
        return to_number(value)
    except PowerShellError:
        return None


def _special(operator: str, left: Any, right: Any) -> Any:
    """Operations of others than numbers; NOTHING if it is none."""
    if operator == "+":
        return _sum(left, right)
    if operator == "*":
        return _repeated(left, right)
    if operator == "-" and isinstance(left, datetime.datetime):
        if isinstance(right, datetime.datetime):
            return _same_kind(left) - _same_kind(right)
        return left - cast(right, _SPAN)
    if operator == "-" and isinstance(left, datetime.timedelta):
        return left - cast(right, _SPAN)
    return NOTHING


def _same_kind(moment: datetime.datetime) -> datetime.datetime:
    """DateTime's difference goes by the shown time, whatever its zone."""
    return moment.replace(tzinfo=None)


def _sum(left: Any, right: Any) -> Any:
    if left is None:
        return right
    if isinstance(left, str) and (not isinstance(left, Char) or isinstance(right, str)):
        text = to_text(left) + to_text(right)
        if len(text) > LARGEST:
            raise out_of_memory()
        return text
    if is_array(left):
        items = [*items_of(left), *(items_of(right) if right is not None else [None])]
        if len(items) > LARGEST_ARRAY:
            raise out_of_memory()
        return items
    if isinstance(left, dict):
        if not isinstance(right, dict):
            raise runtime_error(
                "A hash table can only be added to another hash table.", "AddHashTableToNonHashTable"
            )
        merged = left.copy() if isinstance(left, Hashtable) else Hashtable(left.items())
        for key, value in right.items():
            if key in merged:
                raise runtime_error(
                    f"Item has already been added. Key in dictionary: '{to_text(merged.held(key))}'  Key being added: "
                    f"'{to_text(key)}'",
                    "System.ArgumentException",
                    category=ErrorCategory.OperationStopped,
                )
            merged[key] = value
        return merged
    if isinstance(left, datetime.datetime | datetime.timedelta):
        return left + cast(right, _SPAN)
    return NOTHING


def _repeated(left: Any, right: Any) -> Any:
    if left is None:
        return None
    if isinstance(left, str) and not isinstance(left, Char):
        times = to_integer(right, "System.Int32")
        return _times(str(left), times)
    if is_array(left):
        return _times(items_of(left), to_integer(right, "System.Int32"))
    return NOTHING


def _times(value: Any, times: int) -> Any:
    if times < 0:
        raise runtime_error(
            "Specified argument was out of the range of valid values.\r\nParameter name: times",
            "System.ArgumentOutOfRangeException",
            category=ErrorCategory.OperationStopped,
        )
    if len(value) * times > (LARGEST if isinstance(value, str) else LARGEST_ARRAY):
        raise out_of_memory()
    return value * times


def numeric(operator: str, left: Any, right: Any) -> Any:
    """An operation of two numbers, in the type that both fit into."""
    if isinstance(left, float) or isinstance(right, float):
        return _double(operator, float(left), float(right))
    if isinstance(left, decimal.Decimal) or isinstance(right, decimal.Decimal):
        return _decimal(operator, decimal.Decimal(left), decimal.Decimal(right))
    return _whole(operator, left, right)


def _zero() -> PowerShellError:
    text = "Attempted to divide by zero."
    return runtime_error(
        text,
        "RuntimeException",
        category=ErrorCategory.NotSpecified,
        inner=("System.DivideByZeroException", text),
    )


def _double(operator: str, left: float, right: float) -> float:
    try:
        if operator == "/":
            if right == 0:
                return math.nan if left == 0 or math.isnan(left) else math.copysign(math.inf, left)
            return left / right
        if operator == "%":
            return math.fmod(left, right) if right else math.nan
        return float(_PLAIN[operator](left, right))
    except (OverflowError, ValueError):
        return math.nan if operator == "%" else math.copysign(math.inf, left)


_PLAIN: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda left, right: left + right,
    "-": lambda left, right: left - right,
    "*": lambda left, right: left * right,
}
_CONTEXT = decimal.Context(prec=29)


def _decimal(operator: str, left: decimal.Decimal, right: decimal.Decimal) -> decimal.Decimal:
    if operator in "/%" and right == 0:
        raise _zero()
    operations = {
        "+": _CONTEXT.add,
        "-": _CONTEXT.subtract,
        "*": _CONTEXT.multiply,
        "/": _CONTEXT.divide,
        "%": _CONTEXT.remainder,
    }
    return operations[operator](left, right)


def _whole(operator: str, left: int, right: int) -> Any:
    width = max(_width(left), _width(right))
    if isinstance(left, PSUInt64) or isinstance(right, PSUInt64):
        width = 3 if left >= 0 and right >= 0 else 2
    one, other = int(left), int(right)
    if operator in "/%":
        if other == 0:
            raise _zero()
        if operator == "%":
            return sized(int(math.fmod(one, other)) if abs(one) < 2**53 else _remainder(one, other), width)
        if one % other:
            return one / other
        return sized(one // other, width)
    return sized(int(_PLAIN[operator](one, other)), width)


def _remainder(one: int, other: int) -> int:
    return (abs(one) % abs(other)) * (1 if one >= 0 else -1)


def _width(value: int) -> int:
    """1: Int32 and smaller, 2: Int64 (UInt32 needs it, too)."""
    return 2 if isinstance(value, (PSInt64, PSUInt, PSUInt64)) or not -(2**31) <= value < 2**31 else 1


def sized(whole: int, width: int) -> Any:
    """An integer as Int32, Int64 or UInt64, or as Double where it does not fit."""
    if width == 1:
        return whole if -(2**31) <= whole < 2**31 else float(whole)
    if width == 3:
        return PSUInt64(whole) if 0 <= whole < 2**64 else float(whole)
    return PSInt64(whole) if -(2**63) <= whole < 2**63 else float(whole)


def negated(value: Any) -> Any:
    """Unary minus."""
    if isinstance(value, datetime.timedelta):
        return -value
    return numeric("-", 0, to_number(value))


def bitwise(operator: str, left: Any, right: Any) -> Any:
    """``-band -bor -bxor -shl -shr`` (about_Arithmetic_Operators)."""
    import enum

    one, other = (int(to_number(_rounded(value))) for value in (left, right))
    wide = _width(to_number(_rounded(left))) == 2 or _width(to_number(_rounded(right))) == 2
    if operator in ("shl", "shr"):
        wide = _width(to_number(_rounded(left))) == 2
        bits = 64 if wide else 32
        shift = other & (bits - 1)
        result = one >> shift if operator == "shr" else _wrapped(one << shift, bits)
    else:
        result = {"band": one & other, "bor": one | other, "bxor": one ^ other}[operator]
    if isinstance(left, enum.Enum) and operator in ("band", "bor", "bxor"):
        return type(left)(result)
    return PSInt64(result) if wide else result


def _rounded(value: Any) -> Any:
    found = to_number(value)
    return found if is_whole(found) else to_integer(found, "System.Int64")


def _wrapped(whole: int, bits: int) -> int:
    whole &= 2**bits - 1
    return whole - 2**bits if whole >= 2 ** (bits - 1) else whole


def complement(value: Any) -> Any:
    found = _rounded(value)
    return PSInt64(~int(found)) if _width(found) == 2 else ~int(found)


def span_range(left: Any, right: Any) -> list[int]:
    """``left..right``."""
    first, last = to_integer(left), to_integer(right)
    if abs(last - first) >= LARGEST_ARRAY:
        raise out_of_memory()
    return list(range(first, last + 1)) if first <= last else list(range(first, last - 1, -1))


__all__ = [
    "arithmetic",
    "bitwise",
    "complement",
    "invalid_cast",
    "negated",
    "numeric",
    "out_of_memory",
    "runtime_error",
    "span_range",
]
