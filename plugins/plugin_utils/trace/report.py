# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings for people, in lines of a terminal's width. Commands and proofs are never broken."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

WIDTH = 79
_SHOWN = 8
_PROOFS = 2
_TELLING = (
    "diagnostics",
    "hresult",
    "result-code",
    "data:",
    "text:",
    "sip-start-line:",
    "start-line:",
    "sip/2.0",
    "warning:",
)


def lines(result: Mapping[str, Any]) -> list[str]:
    """What was found, the likely cause first; what to run; and what was not looked at."""
    findings: Sequence[Mapping[str, Any]] = result["findings"]
    examined = [each for each in result["files"] if each["examined"]]
    found = list(_wrapped(_headline(findings, examined)))
    for finding in findings[:_SHOWN]:
        found += ["", *_finding(finding)]
    if len(findings) > _SHOWN:
        found += ["", f"And {len(findings) - _SHOWN} more kinds."]
    remedies = dict.fromkeys(each["remedy"] for each in findings if each["remedy"])
    if remedies:
        found += ["", "What to run:", *remedies]
    notes = [*(f"Not looked at: {each}" for each in result["problems"])]
    notes += [f"{each['path']}: {note}" for each in result["files"] for note in each["notes"]]
    if notes:
        found.append("")
    for note in notes:
        found += _wrapped(note)
    if findings and not result["time_zone_known"]:
        found += _wrapped(
            "Times are taken for UTC, as traces do not say in which zone they are; utc_offset would."
        )
    return found


def _headline(findings: Sequence[Mapping[str, Any]], examined: Sequence[Mapping[str, Any]]) -> str:
    if not examined:
        return "No trace was looked at."
    bytes_read = sum(each["bytes"] for each in examined)
    size = f"{bytes_read / (1 << 20):.1f} MiB" if bytes_read >= 1 << 20 else f"{bytes_read} bytes"
    moments = [each[key] for each in examined for key in ("first", "last") if each[key]]
    span = f", {span_of(min(moments), max(moments))}" if moments else ""
    number = len(findings)
    if not number:
        return f"Nothing that this collection knows of is in {size} of traces{span}. That proves nothing."
    kinds = "1 kind of trouble" if number == 1 else f"{number} kinds of trouble"
    return f"{kinds} in {size} of traces{span}."


def _finding(finding: Mapping[str, Any]) -> Iterator[str]:
    yield from _wrapped(f"{finding['confidence'].upper()}  {finding['id']}  {finding['meaning']}")
    yield from _wrapped(f"{when_and_where(finding)}.", "  ")
    for each in finding["participants"][:3]:
        yield from _wrapped(f"{each['from'] or '?'} to {each['to'] or '?'}: {each['count']}", "  ")
    for cause in finding["causes"]:
        yield from _wrapped(f"- {cause}", "  ")
    if finding["supported_by"]:
        yield from _wrapped(f"{', '.join(finding['supported_by'])} makes it surer.", "  ")
    for evidence in finding["evidence"][:1]:
        yield f"  {evidence['file']}, line {evidence['line']}:"
        yield from (f"    {line[: WIDTH - 4]}" for line in proofs(evidence["lines"]))


def when_and_where(finding: Mapping[str, Any]) -> str:
    """``12 calls, 2026-11-28 08:15 to 09:10 UTC, at fe01 and fe02``"""
    word = "message" if finding["id"] == "clock_difference" else "call"
    parts = [f"{finding['count']} {word}{'' if finding['count'] == 1 else 's'}"]
    if finding["first"]:
        parts.append(span_of(finding["first"], finding["last"]))
    if finding["servers"]:
        parts.append(f"at {' and '.join(finding['servers'][:3])}")
    return ", ".join(parts)


def proofs(proof: Iterable[str]) -> list[str]:
    """The lines of a record that tell most, in their order."""
    given = list(proof)
    ranked = sorted(range(len(given)), key=lambda number: (_rank(given[number]), number))
    return [given[number] for number in sorted(ranked[:_PROOFS])]


def _rank(line: str) -> int:
    folded = line.lower()
    if folded.startswith("tl_"):
        return len(_TELLING)
    return next((number for number, word in enumerate(_TELLING) if word in folded), len(_TELLING))


def span_of(first: str, last: str) -> str:
    """``2026-11-28 08:15 to 09:10 UTC``"""
    begin, end = first[:16].replace("T", " "), last[:16].replace("T", " ")
    if begin == end:
        return f"{begin} UTC"
    day, hour = end.split(" ", 1) if " " in end else (end, "")
    return f"{begin} to {hour if begin.startswith(day) else end} UTC"


def _wrapped(text: str, indentation: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=indentation,
        subsequent_indent=f"{indentation}  ",
        break_long_words=False,
        break_on_hyphens=False,
    )
