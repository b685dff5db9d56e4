# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Comparison, matching, splitting and joining.

Source: about_Comparison_Operators, about_Split, about_Join, about_Regular_Expressions.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable
from typing import Any

from psrpcore.types import ErrorCategory, PSEnumBase, PSVersion

from lab.objects.types import InvalidCast, to_enumeration
from lab.powershell.errors import PowerShellError
from lab.powershell.language.arithmetic import runtime_error
from lab.powershell.language.conversions import cast, is_number, names_of, to_bool, to_number
from lab.powershell.language.text import group_names, like, regex, substitution, to_text
from lab.powershell.language.values import (
    NOTHING,
    Char,
    Hashtable,
    ScriptBlock,
    TypeReference,
    is_array,
    items_of,
    strings,
)

Compare = Callable[[Any, Any, bool], Any]


def equal(left: Any, right: Any, case_sensitive: bool = False) -> bool:
    """``-eq`` of two single values."""
    left = None if left is NOTHING else left
    right = None if right is NOTHING else right
    if left is None or right is None:
        return left is right
    if isinstance(left, str):
        one, other = to_text(left), to_text(right)
        return one == other if case_sensitive else one.lower() == other.lower()
    if isinstance(left, bool):
        return left == to_bool(right)
    if isinstance(left, PSEnumBase):
        try:
            return bool(left == right) or left == _member(left, right)
        except InvalidCast:
            return False
    if is_number(left):
        try:
            return bool(left == to_number(right))
        except PowerShellError:
            return False
    if isinstance(left, datetime.datetime):
        try:
            moment = cast(right, TypeReference("System.DateTime"))
        except PowerShellError:
            return False
        return bool(left.replace(tzinfo=None) == moment.replace(tzinfo=None))
    if isinstance(left, TypeReference):
        return str(left) == str(right)
    if left is right:
        return True
    if is_array(left) or is_array(right) or isinstance(left, dict):
        return False
    try:
        return bool(left == cast(right, TypeReference(names_of(left)[0])))
    except (PowerShellError, TypeError):
        return False


def text_order(one: str, other: str, case_sensitive: bool = False) -> int:
    """Which of two texts comes first: letter by letter, case only where all else is the same, small letters first."""
    first, second = one.lower(), other.lower()
    order = (first > second) - (first < second)
    if order or not case_sensitive:
        return order
    first, second = one.swapcase(), other.swapcase()
    return (first > second) - (first < second)


def order_of(left: Any, right: Any, case_sensitive: bool = False) -> int:
    """Negative, zero or positive, as the left value is smaller, equal or greater. Raises PowerShellError."""
    left = None if left is NOTHING else left
    right = None if right is NOTHING else right
    if left is None or right is None:
        if left is right:
            return 0
        other = right if left is None else left
        if is_number(other):
            return (other < 0) - (other > 0) if left is None else (other > 0) - (other < 0)
        return -1 if left is None else 1
    if isinstance(left, str) and not isinstance(left, Char):
        return text_order(to_text(left), to_text(right), case_sensitive)
    if isinstance(left, Char) and isinstance(right, str):
        return text_order(to_text(left), to_text(right), case_sensitive)
    if is_number(left) or isinstance(left, (bool, Char)):
        one, other = to_number(left), _comparable(left, right, to_number)
        return bool(one > other) - bool(one < other)
    if isinstance(left, PSEnumBase):
        try:
            member = _member(left, right)
        except InvalidCast as error:
            raise _not_comparable(left, right, str(error)) from None
        return (left.value > member.value) - (left.value < member.value)
    if isinstance(left, datetime.datetime):
        moment = _comparable(left, right, lambda value: cast(value, TypeReference("System.DateTime")))
        one, other = left.replace(tzinfo=None), moment.replace(tzinfo=None)
        return (one > other) - (one < other)
    if isinstance(left, (datetime.timedelta, PSVersion)) or names_of(left)[0] == "System.Guid":
        other = _comparable(left, right, lambda value: cast(value, TypeReference(names_of(left)[0])))
        if isinstance(left, PSVersion):
            one, other = _numbers(left), _numbers(other)
            return (one > other) - (one < other)
        return bool(left > other) - bool(left < other)
    raise runtime_error(
        f'Cannot compare "{to_text(left)}" because it is not IComparable.',
        "NotIcomparable",
        category=ErrorCategory.InvalidOperation,
    )


def _numbers(version: Any) -> tuple[int, ...]:
    return (
        version.major,
        version.minor,
        -1 if version.build is None else version.build,
        -1 if version.revision is None else version.revision,
    )


def _member(left: Any, right: Any) -> Any:
    """The other value as a member of the same enumeration. Raises InvalidCast."""
    return right if type(right) is type(left) else to_enumeration(to_text(right), type(left))


def _not_comparable(left: Any, right: Any, reason: str) -> PowerShellError:
    return runtime_error(
        f'Could not compare "{to_text(left)}" to "{to_text(right)}". Error: "{reason}"', "ComparisonFailure"
    )


def _comparable(left: Any, right: Any, converted: Callable[[Any], Any]) -> Any:
    try:
        return converted(right)
    except PowerShellError as error:
        raise _not_comparable(left, right, error.message) from None


_ORDERS: dict[str, Callable[[int], bool]] = {
    "gt": lambda order: order > 0,
    "ge": lambda order: order >= 0,
    "lt": lambda order: order < 0,
    "le": lambda order: order <= 0,
}


def _test(name: str, left: Any, right: Any, case_sensitive: bool) -> bool:
    if name in ("eq", "ne"):
        return equal(left, right, case_sensitive) == (name == "eq")
    if name in ("like", "notlike"):
        return like(to_text(left), to_text(right), case_sensitive) == (name == "like")
    return _ORDERS[name](order_of(left, right, case_sensitive))


def compare(name: str, left: Any, right: Any, case_sensitive: bool) -> Any:
    """``-eq -ne -gt -ge -lt -le -like -notlike``: a Boolean, or the items of an array for which it is true."""
    if is_array(left):
        return [item for item in items_of(left) if _test(name, item, right, case_sensitive)]
    return _test(name, left, right, case_sensitive)


def contains(collection: Any, value: Any, case_sensitive: bool) -> bool:
    return any(equal(item, value, case_sensitive) for item in items_of(collection))


def match(left: Any, pattern: Any, case_sensitive: bool, negated: bool) -> tuple[Any, Hashtable | None]:
    """``-match``: the result, and what ``$Matches`` becomes (None: it stays)."""
    expression = regex(_pattern(pattern), 0 if case_sensitive else re.IGNORECASE)
    if is_array(left):
        found = [item for item in items_of(left) if (expression.search(to_text(item)) is None) == negated]
        return found, None
    hit = expression.search(to_text(left))
    return (hit is None) == negated, None if hit is None else groups(hit)


def groups(hit: re.Match[str]) -> Hashtable:
    """``$Matches``: the groups that took part, by name or number."""
    return Hashtable((name, text) for name, text in group_names(hit).items() if text is not None)


def _pattern(value: Any) -> str:
    inner = getattr(value, "state", None)
    return inner.pattern if isinstance(inner, re.Pattern) else to_text(value)


def replace(left: Any, right: Any, case_sensitive: bool) -> Any:
    """``-replace 'pattern', 'substitute'``; of an array each item."""
    operands = items_of(right)
    if len(operands) > 2:
        raise runtime_error(
            f"The -{'creplace' if case_sensitive else 'ireplace'} operator allows only two elements to follow it, not "
            f"{len(operands)}.",
            "BadReplaceArgument",
            right,
        )
    expression = regex(_pattern(operands[0]) if operands else "", 0 if case_sensitive else re.IGNORECASE)
    template = to_text(operands[1]) if len(operands) > 1 else ""

    def replaced(value: Any) -> str:
        return expression.sub(lambda hit: substitution(template, hit), to_text(value))

    return [replaced(item) for item in items_of(left)] if is_array(left) else replaced(left)


def split(left: Any, right: Any, case_sensitive: bool, test: Callable[[ScriptBlock, str], bool]) -> Any:
    """``-split``: by a regular expression, or by the characters for which a script block is true."""
    operands = items_of(right)
    delimiter = operands[0] if operands else ""
    limit = int(to_number(operands[1])) if len(operands) > 1 else 0
    options = to_text(operands[2]).lower() if len(operands) > 2 else ""
    if isinstance(delimiter, ScriptBlock):
        found = [
            piece
            for item in items_of(left)
            for piece in _split_by(to_text(item), limit, lambda character: test(delimiter, character))
        ]
        return strings(found)
    flags = 0 if case_sensitive else re.IGNORECASE
    text = _pattern(delimiter)
    expression = regex(re.escape(text) if "simplematch" in options else text, flags)
    pieces: list[str] = []
    for item in items_of(left):
        pieces += _pieces(to_text(item), expression, limit)
    return strings(pieces)


def _pieces(text: str, expression: re.Pattern[str], limit: int) -> list[str]:
    pieces: list[str] = []
    at = 0
    for hit in expression.finditer(text):
        if limit > 0 and len(pieces) >= limit - 1:
            break
        pieces.append(text[at : hit.start()])
        pieces.extend(group for group in hit.groups() if group is not None)
        at = hit.end()
    return [*pieces, text[at:]]


def _split_by(text: str, limit: int, is_delimiter: Callable[[str], bool]) -> list[str]:
    pieces = [""]
    for character in text:
        if (limit <= 0 or len(pieces) < limit) and is_delimiter(character):
            pieces.append("")
        else:
            pieces[-1] += character
    return pieces


def split_words(value: Any) -> Any:
    """Unary ``-split``."""
    return strings([word for item in items_of(value) for word in to_text(item).split()])


def join(left: Any, separator: Any) -> str:
    return to_text(separator).join(to_text(item) for item in items_of(left))
