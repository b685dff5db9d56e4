# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a repair of clocks has come to for one server: the one fact that the role returns. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ..result.status import Status
from .verdict import Right

NOT_ENDED = "The role did not come to its end."

Answer = Mapping[str, Any]


def outcome(
    host: str,
    before: Answer | None,
    after: Answer | None,
    steps: Mapping[str, Answer],
    checks: Mapping[str, Answer],
    check_mode: bool,
) -> dict[str, Any]:
    """``status``, ``changed``, ``unknown`` and ``reasons`` for one host.

    ``before`` and ``after`` are what `assessment.assess` said before the repair and after it, None where it did not
    come to that. ``steps``: by name, what a task returned that worked on this host, empty where it did not run;
    ``checks``: likewise, of what was checked for the whole deployment.
    """
    found = after or before or {}
    server = found.get("servers", {}).get(host)
    unknown: list[str] = []
    reasons: list[str] = []
    for name, answer in _answers({**steps, **checks}):
        if _failed(answer):
            reasons.append(str(answer.get("msg") or f"{name} failed."))
            if answer.get("status", Status.UNKNOWN.value) == Status.UNKNOWN.value:
                unknown.append(name)
        elif (answer.get("av_edge") or {}).get("success") is False:
            reasons.append(str(answer["av_edge"].get("error") or f"{name} fails."))
    changed = any(answer.get("changed") for _name, answer in _answers(steps))
    if server is None:
        unknown = ["everything"]
        reasons = reasons or [NOT_ENDED]
    elif not server["measured"]:
        unknown.append("clock")
        reasons.append(str(server["trouble"]))
    elif found["right"] == Right.UNCLEAR.value:
        unknown.append("right time")
        reasons.append(str(found["why"]))
    elif after or check_mode or not (changed or reasons or server["problems"]):
        reasons += _shortcomings(server, bool(steps.get("restart")) and not check_mode)
    elif not reasons:
        unknown.append("effect of the repair")
        reasons.append(NOT_ENDED)
    if unknown:
        status = Status.UNKNOWN
    elif reasons:
        status = Status.DRIFTED
    else:
        status = Status.CORRECTED if changed else Status.IN_DESIRED_STATE
    return {"status": status.value, "changed": changed, "unknown": unknown, "reasons": reasons}


def _answers(named: Mapping[str, Answer]) -> Iterator[tuple[str, Answer]]:
    """The results that there are, those of loops one by one."""
    for name, answer in named.items():
        for each in answer.get("results", [answer]):
            if each and not each.get("skipped"):
                yield name, each


def _failed(answer: Answer) -> bool:
    return bool(answer.get("failed") or answer.get("unreachable"))


def _shortcomings(server: Mapping[str, Any], was_restarted: bool) -> Iterator[str]:
    """Why a server that was measured is not as it should be."""
    if server["problems"]:
        yield f"Wrong: {', '.join(server['problems'])}."
    if server["restart_reason"]:
        yield f"A restart is pending: {server['restart_reason']}."
    if server["down"] and was_restarted:
        yield "Not all of its services run."
