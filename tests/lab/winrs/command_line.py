# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""cmd.exe's command lines, taken apart.

Sources: Microsoft Learn, "cmd", "Using command redirection operators" and "Command shell overview" (operators, quotes,
the caret); Windows' "set /?" (variables, of which those that there are not stay as they are outside batch files).
Blocks in parentheses, parts of variables (``%A:~1%``) and redirections to and from files are not understood.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal

Operator = Literal["&", "||", "&&", "|"]
Target = Literal["stdout", "stderr", "nul"]

#: From the one that binds loosest to the one that binds tightest.
_OPERATORS: Sequence[Operator] = ("&", "||", "&&", "|")
_VARIABLE = re.compile(r"%([^%:]+)%")
_REDIRECTION = re.compile(r"([012]?)(>>|>|<)[ \t]*(?:&([012])|([^\s<>&|]*))")
_STREAMS: Mapping[str, Literal["stdout", "stderr"]] = {"1": "stdout", "2": "stderr"}


class NotUnderstood(Exception):
    """The lab's cmd.exe does not know this."""


class IncorrectSyntax(Exception):
    """cmd.exe does not run such a line, and says why."""


@dataclass(frozen=True)
class Simple:
    """One command: its text as it was typed, without redirections, and where its output goes."""

    text: str
    stdout: Target = "stdout"
    stderr: Target = "stderr"


@dataclass(frozen=True)
class Joined:
    """Two commands: both in turn, the second if the first failed or did not, or the first's output into the second."""

    operator: Operator
    left: CommandLine
    right: CommandLine


CommandLine = Simple | Joined


@dataclass
class _Words:
    """A simple command that is being read."""

    text: str = ""
    stdout: Target = "stdout"
    stderr: Target = "stderr"


def expand(line: str, variables: Mapping[str, str]) -> str:
    """Put the values of variables in their places."""
    return _VARIABLE.sub(lambda found: variables.get(found[1], found[0]), line)


def parse(line: str) -> CommandLine | None:
    """What a line says, None if it says nothing. Raises NotUnderstood, IncorrectSyntax."""
    parts = _split(line)
    if len(parts) == 1 and isinstance(parts[0], _Words) and not parts[0].text.strip():
        return None
    if isinstance(parts[-1], _Words) and not parts[-1].text.strip() and parts[-2:-1] == ["&"]:
        parts = parts[:-2]
    return _join(parts, 0)


def _join(parts: Sequence[_Words | Operator], level: int) -> CommandLine:
    if level == len(_OPERATORS):
        (words,) = parts
        assert isinstance(words, _Words)
        if not words.text.strip():
            raise IncorrectSyntax("The syntax of the command is incorrect.")
        if words.text.lstrip().startswith("("):
            raise NotUnderstood("commands in parentheses")
        return Simple(words.text.lstrip(), words.stdout, words.stderr)
    operator = _OPERATORS[level]
    last = max((index for index, part in enumerate(parts) if part == operator), default=None)
    if last is None:
        return _join(parts, level + 1)
    return Joined(operator, _join(parts[:last], level), _join(parts[last + 1 :], level + 1))


def _split(line: str) -> list[_Words | Operator]:
    """Commands with the operators between them."""
    words = _Words()
    parts: list[_Words | Operator] = [words]
    at = 0
    quoted = False
    while at < len(line):
        character = line[at]
        redirection = None if quoted else _redirection(line, at)
        operator = next((found for found in ("&&", "||", "&", "|") if line.startswith(found, at)), None)
        if character == '"':
            quoted = not quoted
        if character == "^" and not quoted:
            words.text += line[at + 1 : at + 2]
            at += 2
        elif redirection is not None:
            _redirect(words, redirection)
            at = redirection.end()
        elif operator is not None and not quoted:
            if not words.text.strip():
                raise IncorrectSyntax(f"{operator} was unexpected at this time.")
            words = _Words()
            parts += [operator, words]  # type: ignore[list-item]  # next() forgets that they are literals
            at += len(operator)
        else:
            words.text += character
            at += 1
    return parts


def _redirection(line: str, at: int) -> re.Match[str] | None:
    """A redirection that begins here; its digit stands alone, as the ``2`` of ``x2>y`` does not."""
    found = _REDIRECTION.match(line, at)
    if found is not None and found[1] and at > 0 and not line[at - 1].isspace():
        return None
    return found


def _redirect(words: _Words, found: re.Match[str]) -> None:
    source, kind, handle, file = found.groups()
    if not handle and not file:
        raise IncorrectSyntax("The syntax of the command is incorrect.")
    if kind == "<" and not handle and file.lower() == "nul":
        return
    if kind == "<" or handle == "0" or (not handle and file.lower() != "nul"):
        raise NotUnderstood(f"the redirection {found.group().strip()}")
    target: Target = "nul" if not handle else getattr(words, _STREAMS[handle])
    if source == "2":
        words.stderr = target
    else:
        words.stdout = target
