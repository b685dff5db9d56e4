# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A judgement for people, in lines of a terminal's width, and for playbooks, as plain values. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..result.spans import milliseconds, span_text
from .judgement import Judgement, Server, Word
from .voters import Decision

WIDTH = 79

# More servers than this are counted rather than listed.
_ROWS = 60
_NAMES = 4
_SENTENCES = 20

_WORDS = {Word.RIGHT: "right", Word.WRONG: "wrong", Word.NOT_KNOWN: "not known", Word.UNCLEAR: "unclear"}


def as_dict(judgement: Judgement) -> dict[str, Any]:
    return {
        "deployments": {name: _decision(each) for name, each in judgement.decisions.items()},
        "servers": {host: _server(each) for host, each in judgement.servers.items()},
        "obstacles": list(judgement.obstacles),
        "remarks": list(judgement.remarks),
        "unclear": judgement.unclear,
    }


def _decision(decision: Decision) -> dict[str, Any]:
    deciders = () if decision.agreement is None else decision.agreement.truechimers
    return {
        "right": decision.right.value,
        "why": decision.why,
        "reference_offset": decision.reference,
        "confirmed": decision.confirmed,
        "voters": [
            {
                "name": voter.name,
                "kind": voter.kind.value,
                "offset_ms": milliseconds(voter.candidate.seconds),
                "uncertainty_ms": milliseconds(voter.candidate.uncertainty),
                "measured_by": voter.measured_by,
                "decides": voter.candidate in deciders,
            }
            for voter in decision.voters
        ],
        "silent": list(decision.silent),
    }


def _server(server: Server) -> dict[str, Any]:
    place, repair = server.place, server.repair
    return {
        "computer": place.computer,
        "pool": None if place.pool is None else place.pool.pool,
        "deployment": None if place.deployment is None else place.deployment.name,
        "is_edge": place.is_edge,
        "verdict": server.word.value,
        "error_ms": None if server.error is None else milliseconds(server.error.seconds),
        "uncertainty_ms": None if server.error is None else milliseconds(server.error.uncertainty),
        "faults": [each.value for each in server.faults],
        "repair": {
            "zone": repair.zone,
            "time_service": None if repair.time_service is None else dict(repair.time_service),
            "clock": None
            if repair.clock is None
            else {"reference_offset": repair.clock, "confirmed": repair.confirmed},
        },
        "to_repair": bool(repair),
        "restart": server.restart,
        "restart_pending": server.measurement.note is not None,
        "note": None if server.note is None else server.note.value,
        "found": {
            "offset_ms": None
            if server.measurement.offset is None
            else milliseconds(server.measurement.offset.seconds),
            "zone": server.zone,
        },
        "said": list(server.said),
    }


# -- for people --------------------------------------------------------------------------------------------------------


def lines(judgement: Judgement) -> list[str]:
    """A table of what is not right, a count of what is, who is right and why, and what else must be said."""
    names = short_names(judgement.servers)
    return [
        *_table(judgement, names),
        *wrapped(_counts(judgement)),
        *wrapped(_deciding(judgement)),
        *wrapped(shortened(_sentences(judgement.servers.values(), names))),
        *wrapped(judgement.remarks),
    ]


def short_names(hosts: Iterable[str]) -> dict[str, str]:
    """Hosts by their first label, where that is enough to tell them apart."""
    names = {host: host.partition(".")[0] for host in hosts}
    return names if len(set(names.values())) == len(names) else {host: host for host in names}


def wrapped(sentences: Iterable[str]) -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            sentence, WIDTH, subsequent_indent="  ", break_long_words=False, break_on_hyphens=False
        )
    ]


def with_commands(sentence: str, *commands: str) -> list[str]:
    """What is to be copied stays whole."""
    return [*wrapped([sentence]), *(f"  {each}" for each in commands)]


def shortened(sentences: Iterable[str]) -> list[str]:
    """What is said of servers, as far as somebody reads it."""
    found = list(sentences)
    left = len(found) - _SENTENCES
    if left <= 1:
        return found
    return [
        *found[:_SENTENCES],
        f"... and {left} sentences more, which are in clock_drift_result of the other servers.",
    ]


def listed(names: Sequence[str]) -> str:
    """``fe01, fe02 and 7 more``"""
    if len(names) <= _NAMES:
        return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return f"{', '.join(names[: _NAMES - 1])} and {len(names) - _NAMES + 1} more"


def _table(judgement: Judgement, names: Mapping[str, str]) -> list[str]:
    shown = [each for each in judgement.servers.values() if _row_matters(each)]
    if not shown:
        return []
    rows = [("SERVER", "VERDICT", "CLOCK", "TIME ZONE")]
    for server in shown[:_ROWS]:
        clock = "not measured" if server.measurement.offset is None else "not known"
        if server.error is not None:
            clock = f"{span_text(server.error.seconds, signed=True)} ± {span_text(server.error.uncertainty)}"
        rows.append((names[server.host], _verdict(server), clock, server.zone or "not known"))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    found = []
    for row in rows:
        cells = "  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=False))
        whole = f"{cells}  {row[3]}"
        # A name is never cut: two that differ at the end would look alike.
        found += [whole] if len(whole) <= WIDTH else [cells.rstrip(), f"    {row[3]}"]
    if len(shown) > _ROWS:
        found.append(f"... and {len(shown) - _ROWS} more servers that are not right.")
    return found


def _row_matters(server: Server) -> bool:
    return server.word is not Word.RIGHT or server.measurement.note is not None


def _verdict(server: Server) -> str:
    word = _WORDS[server.word]
    if server.faults and server.word is Word.WRONG:
        word += f" {', '.join(each.value for each in server.faults)}"
    if server.measurement.note is not None:
        word += ", restart pending" if server.measurement.running else ", restart pending, down"
    return word


def _counts(judgement: Judgement) -> Iterable[str]:
    right = sum(not _row_matters(each) for each in judgement.servers.values())
    if right == len(judgement.servers):
        yield f"All {right} servers are right." if right != 1 else "The server is right."
    elif right:
        yield f"{right} servers are right." if right != 1 else "1 server is right."


def _deciding(judgement: Judgement) -> Iterable[str]:
    several = len(judgement.decisions) > 1
    for name, decision in judgement.decisions.items():
        yield f"{name or 'No deployment'}: {decision.why}" if several else decision.why
        yield from decision.silent


def _sentences(servers: Iterable[Server], names: Mapping[str, str]) -> Iterable[str]:
    """What is said of servers, the same of several once."""
    by_text: dict[str, list[str]] = {}
    for server in servers:
        for text in server.said:
            by_text.setdefault(text, []).append(names[server.host])
    for text, hosts in by_text.items():
        yield f"{listed(hosts)}: {text}"
