# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The little of PowerShell's language the lab understands: plain command lines.

``ansible.builtin.raw`` over ``ansible.builtin.psrp`` sends its command line and ``exit $LASTEXITCODE`` as a script.
Understood are commands with parameters, joined by ``|`` and separated by ``;`` or line ends; bare words, quoted strings
without expansion, integers, ``$true``, ``$false``, ``$null``, commas between values, and ``exit``, the latter also at
the end under the condition that the last statement failed.  Everything else raises UnsupportedScript: the lab is no
PowerShell.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from .contract import Argument, CommandCall, Statement

_TOKEN = re.compile(
    r"""
      (?P<space>[ \t]+|`\r?\n)
    | (?P<comment>\#[^\n]*)
    | (?P<end>;|\r?\n)
    | (?P<pipe>\|)
    | (?P<comma>,)
    | (?P<single>'(?:[^']|'')*')
    | (?P<double>"(?:[^"`$]|"")*")
    | (?P<parameter>-[A-Za-z][A-Za-z0-9_]*:?)
    | (?P<variable>\$[A-Za-z_][A-Za-z0-9_]*)
    | (?P<word>[^\s;|,'"$(){}\[\]@&<>`\#]+)
    """,
    re.VERBOSE,
)
_CONSTANTS = {"$true": True, "$false": False, "$null": None}
_INTEGER = re.compile(r"-?\d{1,9}")


#: What the winrm gem of Ruby puts behind every script.
_EXIT_ON_FAILURE = re.compile(
    r"\s*if\s*\(!\$\?\)\s*\{\s*if\s*\(\$LASTEXITCODE\)\s*\{\s*exit\s+\$LASTEXITCODE\s*\}"
    r"\s*else\s*\{\s*exit\s+1\s*\}\s*\}\s*$"
)


class UnsupportedScript(Exception):
    """The script needs more of the language than there is here."""


@dataclass(frozen=True)
class Script:
    """A script's statements, and the code it exits with, always or if the last one failed (None: it does not exit)."""

    statements: tuple[Statement, ...]
    exit_code: int | None = None
    failure_code: int | None = None


def parse(text: str) -> Script:
    """Raises UnsupportedScript."""
    statements: list[Statement] = []
    ending = _EXIT_ON_FAILURE.search(text)
    for line in _lines(text[: ending.start()] if ending else text):
        if line[0][1].lower() == "exit":
            return Script(tuple(statements), _exit_code(line[1:]))
        statements.append(tuple(_command(part) for part in _split(line, "pipe")))
    return Script(tuple(statements), failure_code=1 if ending else None)


_Tokens = list[tuple[str, str]]


def _lines(text: str) -> list[_Tokens]:
    tokens: _Tokens = []
    position = 0
    while position < len(text):
        match = _TOKEN.match(text, position)
        if match is None:
            raise UnsupportedScript(f"not understood from {text[position : position + 20]!r}")
        position = match.end()
        if match.lastgroup not in ("space", "comment"):
            tokens.append((str(match.lastgroup), match.group()))
    return [line for line in _split(tokens, "end") if line]


def _split(tokens: _Tokens, kind: str) -> list[_Tokens]:
    parts: list[_Tokens] = [[]]
    for token in tokens:
        if token[0] == kind:
            parts.append([])
        else:
            parts[-1].append(token)
    return parts


def _exit_code(tokens: _Tokens) -> int:
    if not tokens or tokens == [("variable", "$LASTEXITCODE")]:
        return 0  # no native program has run
    if len(tokens) == 1 and _INTEGER.fullmatch(tokens[0][1]):
        return int(tokens[0][1])
    raise UnsupportedScript("exit with something other than a number")


def _command(tokens: _Tokens) -> CommandCall:
    if not tokens or tokens[0][0] != "word":
        raise UnsupportedScript("a statement that does not begin with a command")
    arguments: list[Argument] = []
    name: str | None = None
    position = 1
    while position < len(tokens):
        kind, text = tokens[position]
        if kind == "parameter":
            if name is not None:
                arguments.append(Argument(name, True))
            name = text.strip("-:")
            position += 1
            continue
        values = [_value(tokens[position])]
        position += 1
        while position < len(tokens) and tokens[position][0] == "comma":
            if position + 1 == len(tokens):
                raise UnsupportedScript("a comma at the end")
            values.append(_value(tokens[position + 1]))
            position += 2
        arguments.append(Argument(name, values if len(values) > 1 else values[0]))
        name = None
    if name is not None:
        arguments.append(Argument(name, True))
    return CommandCall(tokens[0][1], tuple(arguments))


def _value(token: tuple[str, str]) -> Any:
    kind, text = token
    if kind == "single":
        return text[1:-1].replace("''", "'")
    if kind == "double":
        return text[1:-1].replace('""', '"')
    if kind == "variable":
        if text.lower() not in _CONSTANTS:
            raise UnsupportedScript(f"the variable {text}")
        return _CONSTANTS[text.lower()]
    if kind == "word":
        return int(text) if _INTEGER.fullmatch(text) else text
    raise UnsupportedScript(f"a value that begins with {text!r}")
