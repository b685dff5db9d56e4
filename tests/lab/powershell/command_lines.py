# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Scripts that are plain command lines, which is what ansible.builtin.raw sends: a command, its parameters, ``exit``.

A word is bare or quoted; there are no variables, operators or pipelines. Everything else is refused.
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from lab.contract import Argument, CommandCall

_WORD = re.compile(
    r"""'(?P<single>(?:[^']|'')*)'|"(?P<double>[^"`$]*)"|(?P<bare>[^\s'"`$|;&<>(){}@#,]+)|(?P<exit>\$LASTEXITCODE)""",
    re.IGNORECASE,
)


class NotACommandLine(Exception):
    """The script needs the language; the text says what was not understood."""


@dataclass(frozen=True)
class Exit:
    """``exit``; without a code that of the last native program."""

    code: int | None


def parse(text: str) -> list[CommandCall | Exit]:
    """The commands of a script, a line each. Raises NotACommandLine."""
    found: list[CommandCall | Exit] = []
    for line in text.splitlines():
        words = _words(line)
        if not words:
            continue
        name, *rest = (word for word, _ in words)
        if name.lower() == "exit":
            found.append(Exit(int(rest[0]) if rest and rest[0].isdigit() else None))
        else:
            found.append(CommandCall(name, tuple(_argument(*word) for word in words[1:])))
    return found


def _words(line: str) -> list[tuple[str, bool]]:
    """The words of a line, and whether each is bare."""
    words: list[tuple[str, bool]] = []
    rest = line.strip()
    while rest:
        match = _WORD.match(rest)
        if match is None or (match.end() < len(rest) and not rest[match.end()].isspace()):
            raise NotACommandLine(f"scripts beyond plain command lines: {rest}")
        single, double = match["single"], match["double"]
        quoted = single.replace("''", "'") if single is not None else double
        words.append((match.group() if quoted is None else quoted, quoted is None))
        rest = rest[match.end() :].lstrip()
    return words


def _argument(word: str, bare: bool) -> Argument:
    named = re.fullmatch(r"-([A-Za-z]\w*)(?::(.*))?", word) if bare else None
    if named is None:
        return Argument(None, word)
    return Argument(named[1], named[2] or None, bare=named[2] is None)
