# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reading a script's text: white space, comments, positions, and what PowerShell says of text that is no script.

Texts and identifiers of parser errors: PowerShell/PowerShell, resources/ParserStrings.resx and
engine/parser/Parser.cs.
"""

from __future__ import annotations

import re

#: What ends a word in a command's arguments.
WORD_ENDS = frozenset(" \t\r\n\f\v\xa0\u0085{}();,|&<>\0")
_BLANK = re.compile(r"(?:[ \t\f\v\xa0\u0085]|`\r?\n|<\#.*?\#>)+", re.DOTALL)
_COMMENT = re.compile(r"#[^\n]*")
_NEW_LINE = re.compile(r"\r?\n|\r")
_NAME = re.compile(r"[^\W\d]\w*")


class ParseFailure(Exception):
    """The text is no script: PowerShell's message and error identifier, and where."""

    def __init__(self, message: str, error_id: str, text: str, at: int, length: int = 1) -> None:
        super().__init__(message)
        self.message = message
        self.error_id = error_id
        self.text = text
        self.at = at
        self.length = length

    def positioned(self) -> str:
        """The message as ParseException has it from PowerShell 3.0 on: the line is shown first."""
        return f"{position_message(self.text, self.at, self.length)}\r\n{self.message}"


class NotModelledSyntax(Exception):
    """A part of the language that the lab does not have."""


def line_and_column(text: str, at: int) -> tuple[int, int]:
    """Both count from 1."""
    before = text[:at]
    line = before.count("\n") + 1
    return line, at - (before.rfind("\n") + 1) + 1


def line_of(text: str, at: int) -> str:
    start = text.rfind("\n", 0, at) + 1
    end = text.find("\n", at)
    return text[start : end if end >= 0 else len(text)].rstrip("\r")


def position_message(text: str, at: int, length: int = 1) -> str:
    """``At line:1 char:5``, the line, and what of it is meant (InvocationInfo.PositionMessage, PowerShell 3.0 on)."""
    number, column = line_and_column(text, at)
    line = line_of(text, at)
    length = max(1, min(length, len(line) - column + 1))
    shown = line.lstrip()
    indent = column - 1 - (len(line) - len(shown))
    return f"At line:{number} char:{column}\r\n+ {shown}\r\n+ {' ' * max(indent, 0)}{'~' * length}"


class Reader:
    """A position in a text."""

    def __init__(self, text: str) -> None:
        self.text = text
        self.at = 0

    def peek(self, count: int = 1, offset: int = 0) -> str:
        return self.text[self.at + offset : self.at + offset + count]

    def starts(self, expected: str) -> bool:
        return self.text.startswith(expected, self.at)

    def take(self, expected: str) -> bool:
        """Go behind that text if it is here."""
        if self.text.startswith(expected, self.at):
            self.at += len(expected)
            return True
        return False

    def match(self, pattern: re.Pattern[str]) -> re.Match[str] | None:
        return pattern.match(self.text, self.at)

    def blanks(self) -> bool:
        """Skip white space within a line, continued lines and comments; whether there was any."""
        start = self.at
        while (found := _BLANK.match(self.text, self.at)) or (found := _COMMENT.match(self.text, self.at)):
            self.at = found.end()
        return self.at > start

    def new_lines(self) -> bool:
        """Skip white space over lines; whether a line ended."""
        ended = False
        while True:
            self.blanks()
            found = _NEW_LINE.match(self.text, self.at)
            if not found:
                return ended
            ended = True
            self.at = found.end()

    def separators(self) -> None:
        """Skip what stands between statements."""
        while True:
            self.new_lines()
            if not self.take(";"):
                return

    @property
    def at_end(self) -> bool:
        return self.at >= len(self.text)

    @property
    def at_line_end(self) -> bool:
        return self.at_end or self.text[self.at] in "\r\n"

    def word(self) -> str:
        """The identifier that stands here, in lower case, without going behind it."""
        found = _NAME.match(self.text, self.at)
        return found.group().lower() if found else ""

    def failure(self, message: str, error_id: str, at: int | None = None, length: int = 1) -> ParseFailure:
        return ParseFailure(message, error_id, self.text, self.at if at is None else at, length)

    def unexpected(self) -> ParseFailure:
        """What stands here has no place in what came before."""
        token = re.compile(r"\w+|\S|$").match(self.text, self.at)
        shown = token.group() if token else ""
        return self.failure(
            f"Unexpected token '{shown}' in expression or statement.",
            "UnexpectedToken",
            length=max(len(shown), 1),
        )

    def expect(self, expected: str, message: str, error_id: str) -> None:
        if not self.take(expected):
            raise self.failure(message, error_id)
