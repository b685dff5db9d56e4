# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report of a deployment's health: for people in lines of a terminal's width, and for the report of a run.

The likely cause and what to run for it stand first; commands are never broken.
"""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence
from typing import Any

from ..result.pasting import reaching
from .causes import Cause
from .evidence import Assessed, counted

WIDTH = 79
_EVIDENCE = 5
_OTHERS = 4
_MISSING = 6


def verdict(causes: Iterable[Cause], assessed: Assessed) -> str:
    """``trouble``, ``incomplete`` where something was not looked at and no cause is likely, or ``clean``."""
    if any(each.is_likely for each in causes):
        return "trouble"
    return "incomplete" if assessed.not_examined else "clean"


def lines(
    causes: Sequence[Cause], assessed: Assessed, context: Sequence[str], shown: int | None = None
) -> list[str]:
    """``shown`` limits how many causes are listed beside the likely one."""
    likely = [each for each in causes if each.is_likely]
    found: list[str] = []
    if likely:
        first, *rest = likely
        found += _wrapped(f"LIKELY CAUSE  {first.said}")
        for each in first.evidence[:_EVIDENCE]:
            found += _wrapped(f"- {each}", "  ")
        command = _reaching(first.remedy, context)
        found += (
            ["", "Run next:", command] if command else ["", "No playbook of this collection addresses it."]
        )
    else:
        rest = []
        found.append("NO LIKELY CAUSE  Nothing is wrong with what was looked at.")
    found += _others([*rest, *(each for each in causes if not each.is_likely)], context, shown or _OTHERS)
    found.append("")
    found += _wrapped(f"Looked at: {', '.join(assessed.examined) or 'nothing'}.")
    missing = assessed.not_examined
    for each in missing[:_MISSING]:
        found += _wrapped(f"Not looked at: {each}")
    if len(missing) > _MISSING:
        found.append(f"Not looked at: {counted(len(missing) - _MISSING, 'thing')} more.")
    return found


def _others(others: Sequence[Cause], context: Sequence[str], shown: int) -> list[str]:
    if not others:
        return []
    found = ["", "Then:"]
    printed = set()
    for each in others[:shown]:
        found += _wrapped(f"{each.severity.value:<8}  {each.said}", "", " " * 10)
        command = _reaching(each.remedy, context)
        if command and command not in printed:
            printed.add(command)
            found.append(f"  {command}")
    if len(others) > shown:
        found.append(f"and {counted(len(others) - shown, 'thing')} more.")
    return found


def _reaching(command: str | None, context: Sequence[str]) -> str | None:
    return None if command is None else reaching(command, context)


def as_dict(cause: Cause, context: Sequence[str]) -> dict[str, Any]:
    return {
        "kind": cause.kind.value,
        "name": cause.name,
        "severity": cause.severity.value,
        "is_likely": cause.is_likely,
        "said": cause.said,
        "evidence": list(cause.evidence),
        "remedy": _reaching(cause.remedy, context),
        "servers": list(dict.fromkeys(cause.servers)),
        "pool": cause.pool,
        "supported_by": list(cause.supported_by),
    }


def for_the_run(
    causes: Iterable[Cause], assessed: Assessed, hosts: Sequence[str], context: Sequence[str]
) -> dict[str, Any]:
    """What the report of a run takes in from any module; ``hosts`` are all that are judged."""
    findings = [
        {
            "noun": each.kind.value,
            "identity": (each.servers[0] if each.servers else each.pool) or "deployment",
            "property": each.name,
            "status": "drifted",
            "severity": each.severity.value,
            "reason": each.said,
            "detail": " ".join(each.evidence),
            "put_back": _reaching(each.remedy, context) or "",
            "server": each.servers[0] if each.servers else "",
            "pool": each.pool or "",
        }
        for each in causes
    ]
    for each in assessed.not_examined:
        subject, _colon, reason = each.partition(": ")
        findings.append(
            {
                "noun": "health",
                "identity": subject,
                "property": "not_examined",
                "status": "unknown",
                "unknown": "failed",
                "severity": "medium",
                "detail": reason,
            }
        )
    text = [f"Looked at: {', '.join(assessed.examined) or 'nothing'}."]
    text += [f"Not looked at: {each}" for each in assessed.not_examined]
    return {"judged": list(hosts), "findings": findings, "sections": [{"title": "Health", "text": text}]}


def _wrapped(text: str, first: str = "", rest: str | None = None) -> list[str]:
    return textwrap.wrap(
        text,
        WIDTH,
        initial_indent=first,
        subsequent_indent=f"{first}  " if rest is None else rest,
        break_long_words=False,
        break_on_hyphens=False,
    )
