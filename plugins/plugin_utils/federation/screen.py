# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One screen for people, 80 columns wide: what is in force, what changes, who is affected, and what is in the way."""

from __future__ import annotations

import textwrap
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

_WIDTH = 72
"""Narrow enough for a pager with line numbers on 80 columns."""
_LABEL = 18
_MOST = 8
"""As many lines of a section as a screen can spare."""


def screen(
    *,
    now: Sequence[tuple[str, str]],
    changes: Sequence[str],
    affected: Sequence[str],
    shadowing: Sequence[str],
    left: Sequence[str],
    prerequisites: Sequence[Mapping[str, Any]],
    settled: Collection[str],
    obstacles: Sequence[str],
    check_mode: bool,
) -> list[str]:
    """``settled`` are the prerequisites that are told elsewhere."""
    lines = ["IN FORCE NOW", *_short([line for each in now for line in _labelled(*each)])]
    lines += ["WOULD CHANGE" if check_mode else "CHANGES", *_items(changes, "nothing")]
    if affected:
        lines += ["WHO IS AFFECTED", *_items(list(dict.fromkeys(affected)))]
    if shadowing:
        lines += ["GOES BEFORE IT, and is left as it is", *_items(shadowing)]
    if left:
        lines += ["IS LEFT", *_items(left)]
    unmet = [
        each for each in prerequisites if each["state"] == "unmet" and each["prerequisite"] not in settled
    ]
    unknown = [
        each for each in prerequisites if each["state"] == "unknown" and each["prerequisite"] not in settled
    ]
    if unmet or obstacles:
        lines += ["IN THE WAY", *_items([*obstacles, *map(_prerequisite, unmet)])]
    if unknown:
        names = ", ".join(each["prerequisite"] for each in unknown)
        lines += ["NOT KNOWN", *_items([f"{names} (lync.remediation.federation_info tells why)"])]
    return lines


def counted(users: Sequence[str]) -> str:
    return "1 user" if len(users) == 1 else f"{len(users)} users"


def _prerequisite(each: Mapping[str, Any]) -> str:
    remedy = each["remedy"][0] if each["remedy"] else ""
    more = f" (and {len(each['remedy']) - 1} more)" if len(each["remedy"]) > 1 else ""
    return f"{each['prerequisite']}: {each['evidence']}. {remedy}{more}"


def _items(texts: Sequence[str], none: str = "") -> list[str]:
    listed = texts or ([none] if none else [])
    wrapped = [line for text in listed[:_MOST] for line in _wrapped(text, "* ", "  ")]
    return wrapped + ([f"  and {len(listed) - _MOST} more"] if len(listed) > _MOST else [])


def _short(lines: list[str]) -> list[str]:
    more = len(lines) - _MOST
    return lines if more <= 0 else [*lines[:_MOST], f"  and {more} more lines"]


def _labelled(label: str, text: str) -> Iterator[str]:
    if len(label) > _LABEL:
        yield f"  {label}"
        label = ""
    yield from _wrapped(text, f"  {label:<{_LABEL}} ", " " * (_LABEL + 3))


def _wrapped(text: str, first: str, later: str) -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=first,
        subsequent_indent=later,
        break_on_hyphens=False,
        break_long_words=False,
    )
