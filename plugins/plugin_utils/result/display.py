# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Options and their values as people read them, in differences and in messages."""

from __future__ import annotations

import json
import re
from typing import Any


def shown(value: Any) -> str:
    """A value for people: a text as it is where that cannot be misread, anything else as YAML and JSON both
    write it.
    """
    if isinstance(value, str) and value and value == value.strip() and value.isprintable():
        return value
    text = json.dumps(value, ensure_ascii=False)
    return text if text.isprintable() else json.dumps(value)


def as_line(option: str, value: Any) -> str:
    return f"{option}: {shown(value)}"


_WORD = re.compile(r"(?:'(?:[^']|'')*'|\S)+")


def typed_lines(command: str, width: int) -> list[str]:
    """A command as a person types it into a narrow Management Shell: broken before parameters, each line but the last
    with the backtick that continues it.

    A parameter that is too long by itself stays whole.
    """
    parts: list[str] = []
    for word in _WORD.findall(command):
        if not parts or word.startswith("-"):
            parts.append(word)
        else:
            parts[-1] += f" {word}"
    lines = parts[:1]
    for part in parts[1:]:
        if len(lines[-1]) + 1 + len(part) <= width - len(" `"):
            lines[-1] += f" {part}"
        else:
            lines[-1] += " `"
            lines.append(f"    {part}")
    return lines
