# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A report in lines of a terminal, for the end of a run and for mails."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator, Mapping
from typing import Any

from . import words
from .counting import WAIVED

WIDTH = 79
_SHOWN = 5


def render(model: Mapping[str, Any]) -> str:
    return "".join(f"{line}\n" for line in lines(model))


def lines(model: Mapping[str, Any], shown: int = _SHOWN) -> list[str]:
    """The verdict, the counts, and the worst findings."""
    counts = model["counts"]
    listed = [each for each in model["findings"] if each["count"] != WAIVED]
    numbers = ", ".join(f"{counts[name]} {title}" for name, title in words.TITLES.items())
    found = [
        *_wrapped(f"{words.word(model).upper()}. {words.visible(model['sentence'])}"),
        *_wrapped(f"{numbers}: {counts['total']} in all.", "  "),
    ]
    trends = model["trends"]
    is_first = len(model["history"]) < 2 and trends["new"] == sum(trends.values())
    if model["has_history"] and not is_first:
        found += _wrapped(
            f"Since the last run: {', '.join(f'{number} {name}' for name, number in trends.items())}.", "  "
        )
    if model["not_checked"]:
        found += _wrapped(model["not_checked"], "  ")
    for each in listed[:shown]:
        found += _finding(each, several=len(model["deployments"]) > 1)
    if len(listed) > shown:
        found.append(f"and {len(listed) - shown} more.")
    return found


def _finding(finding: Mapping[str, Any], *, several: bool) -> Iterator[str]:
    state = {"unknown": "CANNOT SAY", "corrected": "CORRECTED"}.get(
        finding["count"], finding["severity"].upper()
    )
    trend = finding["trend"] or ""
    age = f"since {finding['since'][:10]}" if trend == "still" and finding["since"] else trend
    where = finding["deployment"] if several else ""
    name = (where, finding["noun"], finding["identity"], finding["property"])
    yield from _wrapped(
        "  ".join(filter(None, (state, age, words.visible(" ".join(filter(None, name)))))), "", "    "
    )
    if finding["count"] == "unknown":
        yield from _wrapped(words.visible(finding["detail"]), "    ")
    elif finding["current"] is None and finding["desired"] is None:
        yield from _wrapped(words.visible(finding["reason"]), "    ")
    else:
        now, wanted = words.value(finding["current"]), words.value(finding["desired"])
        was, became = ("was", "is") if finding["count"] == "corrected" else ("now", "wanted")
        yield from _wrapped(f"{was} {now}, {became} {wanted}", "    ", long=True)


def _wrapped(
    text: str, indentation: str = "", following: str | None = None, *, long: bool = False
) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indentation,
        subsequent_indent=indentation if following is None else following,
        max_lines=3 if long else None,
        placeholder=" …",
        break_on_hyphens=False,
        break_long_words=False,
    )
