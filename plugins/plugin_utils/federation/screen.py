# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One screen for people, 80 columns wide: what is in force, what changes, who is affected, and what is in the way."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Mapping, Sequence
from typing import Any

_WIDTH = 74
"""Narrow enough for a pager with line numbers on 80 columns."""
_LABEL = 18
_LINES = 42
"""As many as one look takes in, with the task that prints them."""

Section = tuple[str, Sequence[list[str]]]
"""A heading, and below it items of one line or several."""


def screen(
    *,
    now: Sequence[tuple[str, str]],
    in_force: Sequence[str],
    changes: Sequence[str],
    warnings: Sequence[str],
    affected: Sequence[str],
    shadowing: Sequence[str],
    left: Sequence[str],
    prerequisites: Sequence[Mapping[str, Any]],
    settled: Collection[str],
    obstacles: Sequence[str],
    check_mode: bool,
) -> list[str]:
    """``settled`` are the prerequisites that are told elsewhere. Where it would be too long, the longest sections are
    cut.
    """
    unmet, unknown = (
        [each for each in prerequisites if each["state"] == state and each["prerequisite"] not in settled]
        for state in ("unmet", "unknown")
    )
    names = ", ".join(each["prerequisite"] for each in unknown)
    sections: list[Section] = [
        ("IN FORCE NOW", [_labelled(*each) for each in now]),
        ("FOR WHOM YOU NAMED, audio and video; encryption", items(in_force)),
        ("WOULD CHANGE" if check_mode else "CHANGES", items(changes or ["nothing"])),
        ("WARNING", items(warnings)),
        ("WHO IS AFFECTED", items(list(dict.fromkeys(affected)))),
        ("GOES BEFORE IT, and is left as it is", items(shadowing)),
        ("IS LEFT", items(left)),
        ("IN THE WAY", items([*obstacles, *map(_prerequisite, unmet)])),
        ("NOT KNOWN", items([f"{names} (lync.remediation.federation_info tells why)"] if names else [])),
    ]
    lines: list[str] = []
    for most in range(_LINES, 1, -1):
        lines = [line for section in sections for line in _lines(section, most)]
        if len(lines) <= _LINES:
            break
    return lines


def _lines(section: Section, most: int) -> list[str]:
    """A section with ``most`` lines of items, but one item at least."""
    heading, listed = section
    if not listed:
        return []
    lines = [heading]
    for number, item in enumerate(listed):
        if number and len(lines) + len(item) > most + 1:
            return [*lines, f"  and {len(listed) - number} more"]
        lines += item
    return lines


def counted(users: Sequence[str]) -> str:
    return "1 user" if len(users) == 1 else f"{len(users)} users"


def _prerequisite(each: Mapping[str, Any]) -> str:
    remedy = each["remedy"][0] if each["remedy"] else ""
    more = f" (and {len(each['remedy']) - 1} more)" if len(each["remedy"]) > 1 else ""
    return f"{each['prerequisite']}: {each['evidence']}. {remedy}{more}"


def items(texts: Sequence[str]) -> list[list[str]]:
    """Each text as the lines of an item."""
    return [_wrapped(text, "* ", "  ") for text in texts]


def _labelled(label: str, text: str) -> list[str]:
    if len(label) > _LABEL:
        return [f"  {label}", *_labelled("", text)]
    return _wrapped(text, f"  {label:<{_LABEL}} ", " " * (_LABEL + 3))


def _wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )
