# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Literals: numbers, strings, variables, names of types.

Source: "Windows PowerShell Language Specification Version 3.0", 2.3; about_Quoting_Rules, about_Special_Characters,
about_Numeric_Literals.
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from decimal import Decimal
from typing import Any

from psrpcore.types import PSInt64

from lab.powershell.language.reader import WORD_ENDS, Reader
from lab.powershell.language.tree import (
    Block,
    Constant,
    Expandable,
    Node,
    SubExpression,
    TypeName,
    Variable,
)

_NUMBER = re.compile(
    r"(?P<sign>[+-])?(?:0x(?P<hex>[0-9a-f]+)|(?P<digits>\d+\.\d+|\d+\.(?![.\w])|\.\d+|\d+)(?P<exponent>e[+-]?\d+)?)"
    r"(?P<suffix>[dl])?(?P<unit>[kmgtp]b)?",
    re.IGNORECASE,
)
_UNITS = {"kb": 2**10, "mb": 2**20, "gb": 2**30, "tb": 2**40, "pb": 2**50}
_VARIABLE = re.compile(
    r"\$(?:\{(?P<braced>(?:`.|[^}`])*)\}|(?:(?P<scope>\w+):(?!:))?(?P<name>[\w?]+)|(?P<special>[$^]))",
    re.DOTALL,
)
_SPLATTED = re.compile(r"@(?:(?P<scope>\w+):)?(?P<name>\w+)")
_DRIVE_WITHOUT_NAME = re.compile(r"\$\w+:(?![\w?:])")
_SINGLE_QUOTES = "'\u2018\u2019\u201a\u201b"
_DOUBLE_QUOTES = '"\u201c\u201d\u201e'
_HERE_FOOTER = {"'": re.compile(rf"\r?\n[{_SINGLE_QUOTES}]@"), '"': re.compile(rf"\r?\n[{_DOUBLE_QUOTES}]@")}
_ESCAPES = {"0": "\0", "a": "\a", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t", "v": "\v"}
_SCOPES = ("global", "script", "local", "private", "using")
_TYPE_NAME = re.compile(r"[^\W\d][\w.+`]*(?:,\s*[\w.]+(?:,\s*\w+=[\w.]+)*(?=\]))?")


def number(text: str) -> Any:
    """The value of a numeric literal, or None if the text is none."""
    found = _NUMBER.fullmatch(text)
    return _value(found) if found else None


def _value(found: re.Match[str]) -> Any:
    sign = -1 if found["sign"] == "-" else 1
    unit = _UNITS[found["unit"].lower()] if found["unit"] else 1
    suffix = (found["suffix"] or "").lower()
    if found["hex"]:
        digits = int(found["hex"], 16)
        bits = 32 if digits < 2**32 else 64
        if bits == 64 and digits >= 2**64:
            return None
        whole = sign * (digits - 2**bits if digits >= 2 ** (bits - 1) else digits)
        return fitting(whole * unit, suffix == "l" or bits == 64)
    if suffix == "d":
        return Decimal(found["digits"] + (found["exponent"] or "")) * unit * sign
    if "." in found["digits"] or found["exponent"]:
        real = float(found["digits"] + (found["exponent"] or "")) * unit * sign
        return PSInt64(round(real)) if suffix == "l" else real
    return fitting(int(found["digits"]) * unit * sign, suffix == "l")


def fitting(whole: int, long: bool = False) -> Any:
    """An integer as the smallest of Int32, Int64, Decimal and Double that holds it."""
    if -(2**31) <= whole < 2**31 and not long:
        return whole
    if -(2**63) <= whole < 2**63:
        return PSInt64(whole)
    return Decimal(whole) if abs(whole) < 2**96 else float(whole)


class Literals(Reader, ABC):
    """The part of the parser that reads literals."""

    @abstractmethod
    def statements(self, closing: str) -> Block:
        """Statements up to that closing bracket, which is not taken."""

    # Numbers

    def number(self) -> Constant | None:
        """A number that is not the beginning of a word."""
        found = self.match(_NUMBER)
        if not found or found["sign"]:
            return None
        following = self.text[found.end() : found.end() + 1]
        if following and (following.isalpha() or following in "_$'\"`\\"):
            return None
        value = _value(found)
        if value is None:
            raise self.failure(
                f"The numeric constant {found.group()} is not valid.",
                "BadNumericConstant",
                length=len(found.group()),
            )
        start, self.at = self.at, found.end()
        return Constant(start, self.at, value)

    # Variables

    def variable(self, in_string: bool = False) -> Variable | None:
        found = self.match(_VARIABLE)
        if in_string and self.match(_DRIVE_WITHOUT_NAME):
            raise self.failure(
                "Variable reference is not valid. ':' was not followed by a valid variable name character. Consider "
                "using ${} to delimit the name.",
                "InvalidVariableReferenceWithDrive",
            )
        if not found:
            if self.starts("${"):
                raise self.failure(
                    "${variable} reference starting is missing the closing '}'.",
                    "IncompleteDollarVariableReference",
                )
            return None
        start, self.at = self.at, found.end()
        if found["braced"] is None:
            return Variable(start, self.at, found["name"] or found["special"], (found["scope"] or "").lower())
        name = re.sub(r"`(.)", r"\1", found["braced"])
        if not name:
            raise self.failure(
                "An empty ${} variable reference was found. A name is required inside the braces.",
                "EmptyVariableReference",
                start,
            )
        scope, colon, rest = name.partition(":")
        if colon and (scope.lower() in _SCOPES or re.fullmatch(r"\w+", scope)):
            return Variable(start, self.at, rest, scope.lower())
        return Variable(start, self.at, name)

    def splatted(self) -> Variable | None:
        found = self.match(_SPLATTED)
        if not found:
            return None
        start, self.at = self.at, found.end()
        return Variable(start, self.at, found["name"], (found["scope"] or "").lower(), splatted=True)

    # Strings

    def string(self) -> Node | None:
        start = self.at
        if self.peek() == "@" and self.peek(1, 1) and self.peek(1, 1) in _SINGLE_QUOTES + _DOUBLE_QUOTES:
            return self._here_string(start)
        quote = self.peek()
        if quote and quote in _SINGLE_QUOTES:
            return self._verbatim(start)
        if quote and quote in _DOUBLE_QUOTES:
            self.at += 1
            parts = self._expandable(start)
            return _string(start, self.at, parts)
        return None

    def _verbatim(self, start: int) -> Constant:
        pieces: list[str] = []
        self.at += 1
        while True:
            character = self.peek()
            if not character:
                raise self._unterminated("'", start)
            self.at += 1
            if character in _SINGLE_QUOTES:
                following = self.peek()
                if not following or following not in _SINGLE_QUOTES:
                    return Constant(start, self.at, "".join(pieces))
                self.at += 1
            pieces.append(character)

    def _expandable(self, start: int, word: bool = False) -> list[str | Node]:
        """Up to the closing quote, or, in a word, too, where the caller went behind the opening one."""
        parts: list[str | Node] = []
        while True:
            character = self.peek()
            if not character:
                raise self._unterminated('"', start)
            if character in _DOUBLE_QUOTES:
                self.at += 1
                following = self.peek()
                if not following or following not in _DOUBLE_QUOTES:
                    return parts
                parts.append(character)
                self.at += 1
            elif character == "`":
                parts.append(self._escape())
            elif character == "$":
                parts.append(self._expansion())
            else:
                parts.append(character)
                self.at += 1

    def _escape(self) -> str:
        escaped = self.peek(1, 1)
        self.at += 1 + len(escaped)
        return _ESCAPES.get(escaped, escaped)

    def _expansion(self) -> str | Node:
        """What a dollar sign in a string stands for."""
        if self.starts("$("):
            return self.subexpression()
        variable = self.variable(in_string=True)
        if variable is not None:
            return variable
        self.at += 1
        return "$"

    def subexpression(self) -> SubExpression:
        """``$(…)``, at the dollar sign."""
        start = self.at
        self.at += 2
        body = self.statements(")")
        self.expect(")", "Missing closing ')' in subexpression.", "MissingEndParenthesisInSubexpression")
        return SubExpression(start, self.at, body)

    def _here_string(self, start: int) -> Node:
        kind = "'" if self.peek(1, 1) in _SINGLE_QUOTES else '"'
        opening = re.compile(r"@.[ \t]*(\r?\n)", re.DOTALL).match(self.text, self.at)
        if not opening:
            raise self.failure(
                "No characters are allowed after a here-string header but before the end of the line.",
                "UnexpectedCharactersAfterHereStringHeader",
            )
        self.at = opening.end()
        footer = _HERE_FOOTER[kind]
        closing = footer.match(self.text, opening.start(1))
        if closing:  # an empty here-string
            self.at = closing.end()
            return Constant(start, self.at, "")
        if kind == "'":
            closing = footer.search(self.text, self.at)
            if not closing:
                raise self._unterminated("'@", start)
            text = self.text[self.at : closing.start()]
            self.at = closing.end()
            return Constant(start, self.at, text)
        parts: list[str | Node] = []
        while not (closing := footer.match(self.text, self.at)):
            character = self.peek()
            if not character:
                raise self._unterminated('"@', start)
            if character == "`":
                parts.append(self._escape())
            elif character == "$":
                parts.append(self._expansion())
            elif character in _DOUBLE_QUOTES and self.peek(1, 1) == character:
                parts.append(character)
                self.at += 2
            else:
                parts.append(character)
                self.at += 1
        self.at = closing.end()
        return _string(start, self.at, parts)

    def _unterminated(self, terminator: str, start: int) -> Exception:
        return self.failure(
            f"The string is missing the terminator: {terminator}.",
            "TerminatorExpectedAtEndOfString",
            start,
            len(self.text) - start,
        )

    # Words: arguments of commands without quotes

    def bare_word(self) -> Node | None:
        """A word up to white space or a separator; quotes, escapes and variables in it are looked at."""
        start = self.at
        parts: list[str | Node] = []
        quoted = False
        while (character := self.peek()) and character not in WORD_ENDS:
            if character in _SINGLE_QUOTES:
                parts.append(self._verbatim(self.at).value)
                quoted = True
            elif character in _DOUBLE_QUOTES:
                opened = self.at
                self.at += 1
                parts.extend(self._expandable(opened))
                quoted = True
            elif character == "`":
                if self.peek(1, 1) in ("\r", "\n", ""):
                    break
                parts.append(self._escape())
                quoted = True
            elif character == "$":
                parts.append(self._expansion())
            else:
                parts.append(character)
                self.at += 1
        if self.at == start:
            return None
        made = _string(start, self.at, parts)
        if isinstance(made, Constant):
            value = None if quoted else number(made.value)
            return Constant(start, self.at, made.value if value is None else value, bare=True)
        return made

    # Types

    def type_name(self) -> TypeName | None:
        """The name of a type behind its opening bracket, up to the closing one, which is not taken."""
        start = self.at
        self.new_lines()
        found = self.match(_TYPE_NAME)
        if not found:
            self.at = start
            return None
        name, self.at = found.group(), found.end()
        arguments: list[TypeName] = []
        ranks = 0
        self.blanks()
        while self.peek() == "[":
            if re.compile(r"\[\s*,*\s*\]").match(self.text, self.at):
                self.at = self.text.index("]", self.at) + 1
                ranks += 1
                continue
            if arguments or ranks:
                break
            self.at += 1
            arguments = self._type_arguments()
        self.blanks()
        if self.peek() != "]":
            self.at = start
            return None
        return TypeName(name, tuple(arguments), ranks)

    def _type_arguments(self) -> list[TypeName]:
        arguments: list[TypeName] = []
        while True:
            self.blanks()
            bracketed = self.take("[")
            found = re.compile(r"[^\W\d][\w.+`]*").match(self.text, self.at)
            if not found:
                return arguments
            self.at = found.end()
            inner: list[TypeName] = []
            ranks = 0
            while self.peek() == "[":
                if self.starts("[]"):
                    self.at += 2
                    ranks += 1
                else:
                    self.at += 1
                    inner = self._type_arguments()
            arguments.append(TypeName(found.group(), tuple(inner), ranks))
            if bracketed:
                self.take("]")
            self.blanks()
            if not self.take(","):
                self.take("]")
                return arguments


def _string(start: int, end: int, parts: list[str | Node]) -> Node:
    """One constant where nothing is to be expanded; neighbouring texts joined."""
    joined: list[str | Node] = []
    for part in parts:
        if isinstance(part, str) and joined and isinstance(joined[-1], str):
            joined[-1] += part
        else:
            joined.append(part)
    if not joined:
        return Constant(start, end, "")
    if len(joined) == 1 and isinstance(joined[0], str):
        return Constant(start, end, joined[0])
    return Expandable(start, end, tuple(joined))
