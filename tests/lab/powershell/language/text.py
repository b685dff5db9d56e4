# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values as texts: .NET's format strings, wildcards, regular expressions. The culture is en-US.

Source: .NET's "Standard numeric format strings", "Custom numeric format strings" and the same for DateTime and
TimeSpan;
the default text of a Double is that of .NET Framework (15 digits).
"""

from __future__ import annotations

import datetime
import decimal
import enum
import re
import uuid
from functools import lru_cache
from typing import Any

from psrpcore.types import ErrorCategory, PSObject, PSVersion

from lab.objects.values import NetCollection, NetObject, text_of, time_span_text, type_names
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language.values import NOTHING, is_array

_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    *("January", "February", "March", "April", "May", "June", "July"),
    *("August", "September", "October", "November", "December"),
)


def to_text(value: Any, separator: str = " ") -> str:
    """A value as PowerShell makes a string of it: in the invariant culture, arrays joined."""
    if value is None or value is NOTHING:
        return ""
    if isinstance(value, str):
        return str.__str__(value)
    if is_array(value):
        items = value.items if isinstance(value, NetCollection) else value
        return separator.join(_item_text(item) for item in items)
    if isinstance(value, datetime.datetime):
        return f"{value:%m/%d/%Y %H:%M:%S}"
    return plain_text(value)


def _item_text(item: Any) -> str:
    return type_names(item)[0] if is_array(item) else to_text(item)


def plain_text(value: Any) -> str:
    """``ToString()``."""
    if isinstance(value, bool) or value is None:
        return "" if value is None else str(value)
    if isinstance(value, enum.Enum):
        return value.name or str(value.value)
    if isinstance(value, float):
        return double_text(value)
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, decimal.Decimal):
        return f"{value:f}"
    if isinstance(value, NetObject) and value.text is None and not value.properties:
        shown = "; ".join(f"{name}={_member_text(content)}" for name, content in value.notes.items())
        return f"@{{{shown}}}"
    if isinstance(value, datetime.timedelta):
        return time_span_text(value)
    if isinstance(value, (datetime.datetime, str)):
        return text_of(value)
    if is_array(value):
        return type_names(value)[0]
    if isinstance(value, dict):
        return type_names(value)[0]
    if isinstance(value, (uuid.UUID, PSVersion)):
        return str(value)
    if isinstance(value, PSObject):
        return text_of(value) if value.PSObject.to_string is not None else str(value)
    return str(value)


def _member_text(value: Any) -> str:
    return type_names(value)[0] if is_array(value) else to_text(value)


def double_text(value: float, digits: int = 15) -> str:
    """A Double in the general format."""
    if value != value:
        return "NaN"
    if value in (float("inf"), float("-inf")):
        return "Infinity" if value > 0 else "-Infinity"
    if value == 0:
        return "0"
    mantissa, _, exponent = f"{value:.{digits - 1}e}".partition("e")
    power = int(exponent)
    if -5 < power < digits:
        shown = f"{decimal.Decimal(f'{mantissa}e{power}'):f}"
        return shown.rstrip("0").rstrip(".") if "." in shown else shown
    mantissa = mantissa.rstrip("0").rstrip(".")
    return f"{mantissa}E{'-' if power < 0 else '+'}{abs(power):02}"


# Format strings


def format_string(pattern: str, values: list[Any]) -> str:
    """String.Format, which is the operator -f. Raises PowerShellError."""
    pieces: list[str] = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        if character in "{}" and pattern[at : at + 2] == character * 2:
            pieces.append(character)
            at += 2
        elif character == "{":
            found = _PLACEHOLDER.match(pattern, at)
            if not found:
                raise _format_error("Input string was not in a correct format.")
            if int(found[1]) >= len(values):
                raise _format_error(
                    "Index (zero based) must be greater than or equal to zero and less than the size of the "
                    "argument list."
                )
            text = format_value(values[int(found[1])], (found[3] or "").replace("}}", "}"))
            width = int(found[2] or 0)
            pieces.append(text.rjust(width) if width >= 0 else text.ljust(-width))
            at = found.end()
        elif character == "}":
            raise _format_error("Input string was not in a correct format.")
        else:
            pieces.append(character)
            at += 1
    return "".join(pieces)


_PLACEHOLDER = re.compile(r"\{(\d+)\s*(?:,\s*(-?\d+)\s*)?(?::((?:[^{}]|\}\}|\{\{)*))?\}")


def _format_error(reason: str) -> PowerShellError:
    return PowerShellError(
        f"Error formatting a string: {reason}.",
        category=ErrorCategory.InvalidOperation,
        error_id="FormatError",
        exception="System.Management.Automation.RuntimeException",
        qualified=False,
        inner=("System.FormatException", reason),
    )


class InvalidFormat(ValueError):
    """The format string is not one of the value's type."""


def format_value(value: Any, pattern: str) -> str:
    """``value.ToString(pattern)`` in the current culture."""
    if not pattern:
        return text_of(value) if isinstance(value, datetime.datetime) else plain_text(value)
    if value is None or isinstance(value, (bool, str)):
        return plain_text(value)
    if isinstance(value, enum.Enum):
        if pattern in "dD":
            return str(int(value.value))
        return f"{int(value.value):08X}" if pattern in "xX" else value.name
    if isinstance(value, datetime.datetime):
        return format_date(value, pattern)
    if isinstance(value, datetime.timedelta):
        return format_span(value, pattern)
    if isinstance(value, uuid.UUID):
        return format_guid(value, pattern)
    if isinstance(value, (int, float, decimal.Decimal)):
        return format_number(value, pattern)
    return plain_text(value)


def format_guid(value: uuid.UUID, pattern: str) -> str:
    shapes = {"n": value.hex, "d": str(value), "b": f"{{{value}}}", "p": f"({value})"}
    if pattern.lower() not in shapes:
        raise InvalidFormat('Format String can be only "D", "d", "N", "n", "P", "p", "B", "b", "X" or "x".')
    return shapes[pattern.lower()]


_STANDARD = re.compile(r"([A-Za-z])(\d{0,2})")


def format_number(value: Any, pattern: str) -> str:
    standard = _STANDARD.fullmatch(pattern)
    if not standard:
        return _custom_number(value, pattern)
    kind, digits = standard[1].lower(), int(standard[2]) if standard[2] else None
    is_whole = isinstance(value, int)
    if kind in "dx" and not is_whole:
        raise InvalidFormat("Format specifier was invalid.")
    if kind == "d":
        return f"{'-' if value < 0 else ''}{abs(int(value)):0{digits or 1}d}"
    if kind == "x":
        bits = 64 if not -(2**31) <= value < 2**32 else 32
        shown = f"{int(value) % 2**bits if value < 0 else int(value):0{digits or 1}x}"
        return shown.upper() if standard[1] == "X" else shown
    if kind in "fncp":
        exact = decimal.Decimal(
            repr(float(value)) if isinstance(value, float) else int(value) if is_whole else value
        )
        if kind == "p":
            exact *= 100
        places = 2 if digits is None else digits
        rounded = exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP, context=_WIDE)
        shown = f"{abs(rounded):{',' if kind != 'f' else ''}.{places}f}"
        negative = rounded < 0
        if kind == "c":
            return f"(${shown})" if negative else f"${shown}"
        suffix = " %" if kind == "p" else ""
        return f"{'-' if negative else ''}{shown}{suffix}"
    if kind == "e":
        mantissa, _, exponent = f"{float(value):.{6 if digits is None else digits}e}".partition("e")
        return f"{mantissa}{standard[1]}{exponent[0]}{abs(int(exponent)):03}"
    if kind == "g":
        return double_text(float(value), digits or 15) if digits or not is_whole else plain_text(value)
    if kind == "r":
        return plain_text(value) if is_whole else repr(float(value)).replace("e", "E")
    raise InvalidFormat("Format specifier was invalid.")


_WIDE = decimal.Context(prec=400)


def _custom_number(value: Any, pattern: str) -> str:
    sections = re.split(r";(?=(?:[^'\"]|'[^']*'|\"[^\"]*\")*$)", pattern)
    exact = decimal.Decimal(
        repr(float(value)) if isinstance(value, float) else int(value) if isinstance(value, int) else value
    )
    negative = exact < 0
    section = sections[0]
    if negative and len(sections) > 1 and sections[1]:
        section, negative = sections[1], False
    elif exact == 0 and len(sections) > 2:
        section = sections[2]
    exact = abs(exact)
    tokens = re.findall(r"'[^']*'|\"[^\"]*\"|\\.|[Ee][+-]?0+|.", section)
    if any(re.fullmatch(r"[Ee][+-]?0+", token) for token in tokens):
        raise not_modelled(f"the number format {pattern!r}")
    if "%" in tokens:
        exact *= 100
    point = tokens.index(".") if "." in tokens else len(tokens)
    places = sum(token in "0#" for token in tokens[point:])
    required = sum(token == "0" for token in tokens[point:])
    grouped = "," in tokens[:point] and any(token in "0#" for token in tokens[tokens.index(",") :])
    rounded = exact.quantize(decimal.Decimal(1).scaleb(-places), decimal.ROUND_HALF_UP, context=_WIDE)
    whole, _, fraction = f"{rounded:.{places}f}".partition(".")
    while len(fraction) > required and fraction.endswith("0"):
        fraction = fraction[:-1]
    least = sum(token == "0" for token in tokens[:point])
    whole = whole.lstrip("0").rjust(least, "0")
    if grouped:
        whole = re.sub(r"(?<=\d)(?=(\d{3})+$)", ",", whole)
    # The first digit placeholder takes all digits of the whole part that have none of their own.
    placeholders = [index for index, token in enumerate(tokens[:point]) if token in ("0", "#")]
    digits = re.findall(r"\d,?|,", whole)
    extra = len(digits) - len(placeholders)
    pieces: list[str] = []
    for index, token in enumerate(tokens[:point]):
        if token in ("0", "#"):
            order = placeholders.index(index)
            if order == 0 and extra > 0:
                pieces.append("".join(digits[: extra + 1]))
            elif order + extra >= 0 and digits:
                pieces.append(digits[order + extra])
        elif token != ",":
            pieces.append(_literal(token))
    if fraction:
        pieces.append("." + fraction)
    pieces.extend(_literal(token) for token in tokens[point + 1 :] if token not in ("0", "#"))
    return ("-" if negative and rounded != 0 else "") + "".join(pieces)


def _literal(token: str) -> str:
    if token[0] in "'\"" and len(token) > 1:
        return token[1:-1]
    return token[1] if token[0] == "\\" and len(token) == 2 else token


_DATE_TOKENS = re.compile(r"d+|M+|y+|h+|H+|m+|s+|f+|F+|t+|K|z+|g+|'[^']*'|\"[^\"]*\"|\\.|%.|.", re.DOTALL)
_STANDARD_DATES = {
    "d": "M/d/yyyy",
    "D": "dddd, MMMM d, yyyy",
    "f": "dddd, MMMM d, yyyy h:mm tt",
    "F": "dddd, MMMM d, yyyy h:mm:ss tt",
    "g": "M/d/yyyy h:mm tt",
    "G": "M/d/yyyy h:mm:ss tt",
    "m": "MMMM dd",
    "M": "MMMM dd",
    "o": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "O": "yyyy-MM-ddTHH:mm:ss.fffffffK",
    "r": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "R": "ddd, dd MMM yyyy HH:mm:ss 'GMT'",
    "s": "yyyy-MM-ddTHH:mm:ss",
    "t": "h:mm tt",
    "T": "h:mm:ss tt",
    "u": "yyyy-MM-dd HH:mm:ssZ",
    "U": "dddd, MMMM d, yyyy h:mm:ss tt",
    "y": "MMMM, yyyy",
    "Y": "MMMM, yyyy",
}


def format_date(moment: datetime.datetime, pattern: str) -> str:
    """DateTime.ToString(pattern)."""
    if len(pattern) == 1:
        if pattern not in _STANDARD_DATES:
            raise InvalidFormat("Input string was not in a correct format.")
        if pattern == "U" and moment.tzinfo:
            moment = moment.astimezone(datetime.timezone.utc)
        pattern = _STANDARD_DATES[pattern]
    return "".join(_date_part(moment, token) for token in _DATE_TOKENS.findall(pattern))


def _date_part(moment: datetime.datetime, token: str) -> str:
    length, kind = len(token), token[0]
    if kind == "%" and length == 2:
        return _date_part(moment, token[1])
    if kind == "d":
        names = {1: str(moment.day), 2: f"{moment.day:02}", 3: _DAYS[moment.weekday()][:3]}
        return names.get(length, _DAYS[moment.weekday()])
    if kind == "M":
        names = {1: str(moment.month), 2: f"{moment.month:02}", 3: _MONTHS[moment.month - 1][:3]}
        return names.get(length, _MONTHS[moment.month - 1])
    if kind == "y":
        return f"{moment.year % 100:0{length}}" if length < 3 else f"{moment.year:0{length}}"
    numbers = {"h": (moment.hour + 11) % 12 + 1, "H": moment.hour, "m": moment.minute, "s": moment.second}
    if kind in numbers:
        return f"{numbers[kind]:0{min(length, 2)}}"
    if kind in "fF":
        digits = f"{moment.microsecond:06}0"[:length]
        return digits if kind == "f" else digits.rstrip("0")
    if kind == "t":
        return ("AM" if moment.hour < 12 else "PM")[:length]
    if kind in "Kz":
        return _offset(moment, "zzz" if kind == "K" else token, kind == "K")
    if kind == "g":
        return "A.D."
    return _literal(token)


def _offset(moment: datetime.datetime, token: str, is_kind: bool) -> str:
    offset = moment.utcoffset()
    if is_kind and offset is None:
        return ""
    if is_kind and moment.tzinfo is datetime.timezone.utc:
        return "Z"
    minutes = int((offset or datetime.timedelta()).total_seconds() // 60)
    sign, minutes = ("-", -minutes) if minutes < 0 else ("+", minutes)
    if len(token) < 3:
        return f"{sign}{minutes // 60:0{len(token)}}"
    return f"{sign}{minutes // 60:02}:{minutes % 60:02}"


_SPAN_TOKENS = re.compile(r"d+|h+|m+|s+|f+|F+|'[^']*'|\"[^\"]*\"|\\.|%.|.", re.DOTALL)


def format_span(span: datetime.timedelta, pattern: str) -> str:
    """TimeSpan.ToString(pattern)."""
    if pattern in ("c", "t", "T"):
        return time_span_text(span)
    ticks = abs(round(span.total_seconds() * 10**7))
    seconds, fraction = divmod(ticks, 10**7)
    days, seconds = divmod(seconds, 86400)
    numbers = {"d": days, "h": seconds // 3600, "m": seconds % 3600 // 60, "s": seconds % 60}
    if pattern in ("g", "G"):
        sign = "-" if span < datetime.timedelta() else ""
        clock = f"{numbers['h']:{'02' if pattern == 'G' else ''}}:{numbers['m']:02}:{numbers['s']:02}"
        if pattern == "G":
            return f"{sign}{days}:{clock}.{fraction:07}"
        shown = f".{fraction:07}".rstrip("0") if fraction else ""
        return f"{sign}{f'{days}:' if days else ''}{clock}{shown}"
    pieces = []
    for token in _SPAN_TOKENS.findall(pattern):
        token = token[1] if token[0] == "%" and len(token) == 2 else token
        if token[0] in numbers:
            pieces.append(f"{numbers[token[0]]:0{len(token)}}")
        elif token[0] in "fF":
            digits = f"{fraction:07}"[: len(token)]
            pieces.append(digits if token[0] == "f" else digits.rstrip("0"))
        elif token[0] in "'\"\\":
            pieces.append(_literal(token))
        else:
            raise InvalidFormat("Input string was not in a correct format.")
    return "".join(pieces)


# Patterns


@lru_cache(maxsize=512)
def wildcard(pattern: str, case_sensitive: bool = False) -> re.Pattern[str]:
    """``*``, ``?``, ``[a-c]``, and a backtick before what stands for itself (about_Wildcards)."""
    pieces = []
    at = 0
    while at < len(pattern):
        character = pattern[at]
        at += 1
        if character == "`" and at < len(pattern):
            pieces.append(re.escape(pattern[at]))
            at += 1
        elif character == "*":
            pieces.append(".*")
        elif character == "?":
            pieces.append(".")
        elif character == "[" and "]" in pattern[at + 1 :]:
            end = pattern.index("]", at + 1)
            inner = re.sub(r"([\\^\[\]])", r"\\\1", pattern[at:end])
            pieces.append(f"[{inner}]")
            at = end + 1
        else:
            pieces.append(re.escape(character))
    return re.compile("".join(pieces), re.DOTALL | (0 if case_sensitive else re.IGNORECASE))


def like(text: str, pattern: str, case_sensitive: bool = False) -> bool:
    return wildcard(pattern, case_sensitive).fullmatch(text) is not None


_REASONS = {
    "unterminated character set": "Unterminated [] set.",
    "missing ), unterminated subpattern": "Not enough )'s.",
    "unbalanced parenthesis": "Too many )'s.",
    "nothing to repeat": "Quantifier {x,y} following nothing.",
    "multiple repeat": "Nested quantifier {0}.",
    "bad escape (end of pattern)": "Illegal \\ at end of pattern.",
}
_NOT_PYTHON = re.compile(r"\\[pPGkX]|\(\?>|\[[^\]]*-\[|\(\?\(|\\c[A-Z]")


@lru_cache(maxsize=512)
def regex(pattern: str, flags: int = re.IGNORECASE) -> re.Pattern[str]:
    """A regular expression of .NET. Raises PowerShellError where it is none, or the lab cannot have it."""
    translated = re.sub(r"\(\?<(?![=!])([^>]+)>", r"(?P<\1>", pattern)
    translated = re.sub(r"\(\?'(\w+)'", r"(?P<\1>", translated)
    translated = re.sub(r"(?<!\\)((?:\\\\)*)\\Z", r"\1(?=\\n?\\Z)", translated)
    translated = re.sub(r"(?<!\\)((?:\\\\)*)\\z", r"\1\\Z", translated)
    if _NOT_PYTHON.search(translated.replace("\\\\", "")):
        raise not_modelled(f"the regular expression {pattern}")
    try:
        return re.compile(translated, flags)
    except re.error as error:
        reason = next((text for start, text in _REASONS.items() if error.msg.startswith(start)), None)
        if reason is None:
            raise not_modelled(f"the regular expression {pattern}") from None
        raise PowerShellError(
            f'parsing "{pattern}" - {reason}',
            category=ErrorCategory.OperationStopped,
            error_id="System.ArgumentException",
            exception="System.ArgumentException",
            qualified=False,
        ) from None


def group_names(found: re.Match[str]) -> dict[str | int, str | None]:
    """The groups of a match by .NET's numbers, in which those without a name come first, and by name."""
    named = set(found.re.groupindex.values())
    groups: dict[str | int, str | None] = {0: found.group()}
    for number in range(1, found.re.groups + 1):
        if number not in named:
            groups[len(groups)] = found.group(number)
    return {**groups, **{name: found.group(name) for name in found.re.groupindex}}


_SUBSTITUTION = re.compile(r"\$(?:(\d+)|\{(\w+)\}|([$&`'_+]))")


def substitution(template: str, found: re.Match[str]) -> str:
    """A replacement text of .NET: ``$1``, ``${name}``, ``$&``, ``$$`` ..."""

    def expand(mark: re.Match[str]) -> str:
        name = mark[1] or mark[2]
        if name is not None:
            groups = group_names(found)
            key = int(name) if name.isdigit() else name
            return mark.group() if key not in groups else groups[key] or ""
        special = {
            "$": "$",
            "&": found.group(),
            "`": found.string[: found.start()],
            "'": found.string[found.end() :],
            "_": found.string,
            "+": found[found.re.groups] or "" if found.re.groups else "",
        }
        return special[mark[3]]

    return _SUBSTITUTION.sub(expand, template)
