# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what every server said to what is to be done with each, and to a table for people. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..restart.restart_order import Candidate, rounds
from ..result.spans import milliseconds, span_text
from ..topology.pool_state import PoolState, from_dict
from ..windows.w32time import differing, is_option_value
from .offset import Offset
from .verdict import Finding, Reading, Right, Verdict, majority_zone, verdict

# Ansible's own output shows a list's lines between eight spaces, two quotes and a comma: this much is left of
# 80 columns.
WIDTH = 69


@dataclass(frozen=True)
class Rules:
    """``tolerance``: seconds that a clock may be off; ``restart_from``: from how many on its services must be
    restarted.

    ``follow_pool``: a server for which the inventory wants no zone, or no source, shall have that of more
    than half of its pool.
    """

    tolerance: float
    restart_from: float
    follow_pool: bool


def assess(
    answers: Mapping[str, Mapping[str, Any]],
    pools: Sequence[Mapping[str, Any]],
    wanted: Mapping[str, Mapping[str, Any]],
    rules: Rules,
) -> dict[str, Any]:
    """What the filter clock_verdict returns.

    ``answers``: by host, what clock_info returned, be it a failure; ``pools``: what pool_info returned;
    ``wanted``: by host, the ``zone`` and the ``time_service`` that the inventory wants, if any. A host whose
    computer is in no pool is a pool of its own.
    """
    topology = [from_dict(pool) for pool in pools]
    places = {host: _Place.of(host, answer, topology) for host, answer in answers.items()}
    readings = [_reading(places[host], answer) for host, answer in answers.items()]
    found = verdict(readings, rules.tolerance)
    sizes = {pool.pool: len(pool.members) for pool in topology}
    zones = majority_zone(readings, sizes) if rules.follow_pool else {}
    sources = _majority_source(places, answers, sizes) if rules.follow_pool else {}
    findings = {finding.host: finding for finding in found.findings}
    servers = {
        reading.host: _server(
            places[reading.host],
            reading,
            answers[reading.host],
            findings.get(reading.host),
            {
                "zone": wanted.get(reading.host, {}).get("zone") or zones.get(reading.pool),
                "time_service": wanted.get(reading.host, {}).get("time_service") or sources.get(reading.pool),
            },
            found,
            rules,
        )
        for reading in readings
    }
    pending = [places[host].candidate() for host, server in servers.items() if server["restart_reason"]]
    return {
        "right": found.right.value,
        "why": found.why,
        "reference_offset": found.reference,
        "confirmed": found.right is not Right.UNCLEAR and found.witnesses > 0,
        "falsetickers": list(found.falsetickers),
        "farthest": None
        if found.farthest is None
        else {"hosts": list(found.farthest.hosts), "offset_ms": milliseconds(found.farthest.seconds)},
        "pools": {
            pool: {
                "hosts": list(each.hosts),
                "offset_ms": milliseconds(each.offset),
                "outliers": list(each.outliers),
            }
            for pool, each in found.pools.items()
        },
        "servers": servers,
        "wrong": [host for host, server in servers.items() if server["problems"]],
        "rounds": rounds(pending),
        "table": _table(servers)
        + _lines([*_sentences(found, servers, rules), *_without_majority(servers, sizes, rules)]),
    }


def _majority_source(
    places: Mapping[str, _Place], answers: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int]
) -> dict[str, dict[str, Any]]:
    """By pool, whom the clocks of more than half of its servers follow."""
    by_pool: dict[str, list[dict[str, Any]]] = {}
    for host, answer in answers.items():
        configured = answer.get("time_service")
        if configured and all(is_option_value(each, configured[each]) for each in ("type", "peers")):
            peers = {"peers": configured["peers"]} if configured["type"] in ("manual", "all") else {}
            by_pool.setdefault(places[host].pool, []).append({"type": configured["type"], **peers})
    return {
        pool: source
        for pool, sources in by_pool.items()
        for source in sources
        if 2 * sum(not differing(other, source) for other in sources) > max(len(sources), sizes.get(pool, 0))
    }


@dataclass(frozen=True)
class _Place:
    """Where a host stands in the topology."""

    host: str
    computer: str
    pool: str
    is_edge: bool
    position: int
    running: bool

    @classmethod
    def of(cls, host: str, answer: Mapping[str, Any], topology: Iterable[PoolState]) -> _Place:
        for name in dict.fromkeys((str(answer.get("computer") or host), host)):
            for pool in topology:
                member = pool.member(name)
                if member is not None:
                    position = pool.members.index(member)
                    return cls(
                        host, member.computer, pool.pool, pool.is_edge, position, member.running is not False
                    )
        return cls(
            host, str(answer.get("computer") or host), str(answer.get("computer") or host), False, 0, True
        )

    def candidate(self) -> Candidate:
        return Candidate(self.host, self.pool, self.is_edge, self.position, self.running)


def _reading(place: _Place, answer: Mapping[str, Any]) -> Reading:
    offset = None
    if answer.get("offset_ms") is not None:
        offset = Offset(answer["offset_ms"] / 1000, answer["uncertainty_ms"] / 1000)
    zone = answer.get("time_zone") or {}
    trouble = _said(answer) or " ".join(answer.get("trouble") or []) or "it was not measured"
    return Reading(
        host=place.host,
        pool=place.pool,
        is_edge=place.is_edge,
        offset=offset,
        zone=zone.get("zone"),
        utc_offset=zone.get("utc_offset_minutes"),
        ntp={
            each["name"]: None if each["offset_ms"] is None else each["offset_ms"] / 1000
            for each in answer.get("ntp_servers") or []
        },
        trouble="" if offset is not None else trouble,
    )


def _server(
    place: _Place,
    reading: Reading,
    answer: Mapping[str, Any],
    finding: Finding | None,
    wanted: Mapping[str, Any],
    found: Verdict,
    rules: Rules,
) -> dict[str, Any]:
    wanted_zone, wanted_source = wanted["zone"], wanted["time_service"]
    zone_wrong = (
        wanted_zone is not None
        and reading.zone is not None
        and wanted_zone.casefold() != reading.zone.casefold()
    )
    configured = answer.get("time_service")
    source_wrong = bool(wanted_source and configured and differing(configured, wanted_source))
    wrong = {"zone": zone_wrong, "source": source_wrong, "clock": finding is not None}
    problems = [name for name, is_wrong in wrong.items() if is_wrong]
    note = answer.get("restart_pending")
    reason = None
    if zone_wrong:
        reason = f"its time zone was {reading.zone}"
    elif finding is not None and abs(finding.error.seconds) >= rules.restart_from:
        reason = f"its clock was {span_text(finding.error.seconds, signed=True)} off"
    calls_for_restart = reason is not None
    if note is not None:
        reason = str(note.get("reason") or reason or "an earlier repair")
    error = reading.offset
    if error is not None and found.reference is not None:
        error = Offset(error.seconds - found.reference, error.uncertainty)
    return {
        "computer": place.computer,
        "pool": place.pool,
        "is_edge": place.is_edge,
        "measured": reading.offset is not None,
        "error_ms": None if error is None else milliseconds(error.seconds),
        "uncertainty_ms": None if error is None else milliseconds(error.uncertainty),
        "zone": reading.zone,
        "wanted_zone": wanted_zone,
        "wanted_time_service": wanted_source,
        "problems": problems,
        "zone_difference_minutes": finding.zone_difference if finding else None,
        "explained_by": finding.explained_by if finding else None,
        "restart_pending": note is not None,
        "restart_reason": reason,
        "repair_calls_for_restart": calls_for_restart,
        "down": not place.running,
        "restart_interrupted": bool(note and note.get("stopped")),
        "jumped_ms": answer.get("jumped_ms"),
        "trouble": reading.trouble or None,
    }


# -- for people ----------------------------------------------------------------------------------------------


def _table(servers: Mapping[str, Mapping[str, Any]]) -> list[str]:
    names = short_names(servers)
    rows = [("SERVER", "CLOCK", "TIME ZONE", "VERDICT")]
    for host, server in servers.items():
        measured = (
            "not measured"
            if server["error_ms"] is None
            else span_text(server["error_ms"] / 1000, signed=True)
        )
        rows.append((names[host], measured, server["zone"] or "not known", _word(server)))
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    widths[0] = min(widths[0], 16)
    widths[2] = min(widths[2], WIDTH - widths[0] - widths[1] - max(len(row[3]) for row in rows) - 6)
    return [
        "  ".join([*(_cut(cell, width) for cell, width in zip(row, widths, strict=False)), row[3]])
        for row in rows
    ]


def _cut(text: str, width: int) -> str:
    return f"{text[: width - 1]}…" if len(text) > width else text.ljust(width)


def _word(server: Mapping[str, Any]) -> str:
    if not server["measured"]:
        word = "unknown"
    elif server["problems"]:
        word = f"wrong {', '.join(server['problems'])}"
    else:
        word = "restart pending" if server["restart_pending"] else "right"
    return f"{word}, down" if server["down"] else word


def short_names(hosts: Iterable[str]) -> dict[str, str]:
    """Hosts by their first label, where that is enough to tell them apart."""
    names = {host: host.partition(".")[0] for host in hosts}
    return names if len(set(names.values())) == len(names) else {host: host for host in names}


def _sentences(found: Verdict, servers: Mapping[str, Mapping[str, Any]], rules: Rules) -> list[str]:
    names = short_names(servers)
    sentences = [found.why]
    for finding in found.findings:
        off = f"{names[finding.host]} is {span_text(finding.error.seconds, signed=True)} off"
        if finding.explained_by:
            zone = servers[finding.host]["zone"]
            sentences.append(
                f"{off}: just the difference between {zone} and {finding.explained_by}, as if the zone was "
                "flipped."
            )
        elif finding.zone_difference is not None:
            sentences.append(f"{off}, which has the size of a difference between two zones.")
        else:
            sentences.append(f"{off}, which is not the size of a difference between two zones.")
    sentences += [f"{names[host]}: {trouble}" for host, trouble in found.unmeasured.items()]
    sentences += [
        f"{names[host]} is down: a restart of it was begun and not finished."
        for host, server in servers.items()
        if server["down"] and server["restart_interrupted"]
    ]
    sentences += [
        f"{names[host]} jumped by {span_text(server['jumped_ms'] / 1000)} or more while it was measured: "
        "something else sets its clock."
        for host, server in servers.items()
        if server["measured"] and server["jumped_ms"]
    ]
    sentences += [f"The time server {name} contradicts them." for name in found.falsetickers]
    if found.farthest is not None and found.farthest.seconds > rules.tolerance:
        one, other = (names[host] for host in found.farthest.hosts)
        sentences.append(
            f"Farthest apart of servers that talk to each other: {one} and {other}, "
            f"{span_text(found.farthest.seconds)}."
        )
    return sentences


def _without_majority(
    servers: Mapping[str, Mapping[str, Any]], sizes: Mapping[str, int], rules: Rules
) -> Iterable[str]:
    """Of each pool that should be followed and has no zone that more than half of it have."""
    by_pool: dict[str, list[Mapping[str, Any]]] = {}
    for server in servers.values():
        by_pool.setdefault(server["pool"], []).append(server)
    for pool, members in by_pool.items():
        if not rules.follow_pool or any(server["wanted_zone"] for server in members):
            continue
        zones = [server["zone"] for server in members if server["zone"]]
        counts = [f"{zone} {zones.count(zone)}" for zone in sorted(set(zones))]
        unknown = max(sizes.get(pool, 0), len(members)) - len(zones)
        said = ", ".join([*counts, *([f"not known {unknown}"] if unknown else [])])
        yield f"The pool {pool} has no time zone that more than half of it have ({said}): none is called wrong."


def _lines(sentences: Iterable[str]) -> list[str]:
    return [
        "",
        *(line for sentence in sentences for line in _wrapped(sentence, WIDTH, "  ")),
    ]


def _wrapped(text: str, width: int, indent: str = "") -> list[str]:
    # A sign stays with its number, a cmdlet's verb with its noun.
    return textwrap.wrap(text, width, subsequent_indent=indent, break_on_hyphens=False)


def summary(
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None,
    done: Mapping[str, Mapping[str, Mapping[str, Any]]],
) -> list[str]:
    """What was done to each server, or in check mode would be, and what failed, a line each.

    ``before`` and ``after`` are verdicts; ``after`` is None in check mode. ``done``: of the tasks ``tried`` (what was
    tried dry), ``noted`` (that a restart is pending), ``zone``, ``source``, ``clock`` and ``restart``, the results by
    host, empty where a task did not run.
    """
    names = short_names(before["servers"])
    width = max((len(name) for name in names.values()), default=0)
    lines = []
    for host, name in names.items():
        own = {kind: results.get(host) or {} for kind, results in done.items()}
        changed = {
            kind: result for kind, result in own.items() if result.get("changed") and not _failed(result)
        }
        deeds = [*_deeds(before["servers"][host], (after or {}).get("servers", {}).get(host), changed)]
        deeds += [f"{_FAILED[kind]}: {_said(result)}" for kind, result in own.items() if _failed(result)]
        for deed in deeds:
            first, *more = _wrapped(deed, WIDTH - width - 2)
            lines += [f"{name:{width}}  {first}", *(" " * (width + 2) + line for line in more)]
    return lines


_FAILED = {
    "tried": "left as it is",
    "noted": "left as it is",
    "zone": "time zone not set",
    "source": "W32Time not configured",
    "clock": "clock not corrected",
    "restart": "not restarted",
}


def _failed(result: Mapping[str, Any]) -> bool:
    return bool(result.get("failed") or result.get("unreachable"))


def _said(result: Mapping[str, Any]) -> str:
    return str(result.get("msg") or "")


def _deeds(
    before: Mapping[str, Any], after: Mapping[str, Any] | None, changed: Mapping[str, Mapping[str, Any]]
) -> Iterable[str]:
    if "zone" in changed:
        yield f"time zone {changed['zone']['before']['zone']} -> {changed['zone']['after']['zone']}"
    if "source" in changed:
        yield f"W32Time configured ({', '.join(each['property'] for each in changed['source']['drift'])})"
    if "clock" in changed:
        was = "unknown" if before["error_ms"] is None else span_text(before["error_ms"] / 1000, signed=True)
        known = after is not None and after["error_ms"] is not None
        now = span_text(after["error_ms"] / 1000, signed=True) if after and known else "right"
        yield f"clock {was} -> {now}{', set at once' if changed['clock'].get('stepped') else ''}"
    if "restart" in changed:
        yield "Lync services restarted"
