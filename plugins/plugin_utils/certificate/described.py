# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The judgement of certificates as people read it: a verdict, then what is wrong, worst first. Pure functions."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Sequence

from ..result.display import typed_lines
from .judgement import INFO, SEVERITIES, Finding, PoolJudgement, worst_first

WIDTH = 79
CLEAN = "clean"
UNKNOWN = "unknown"
_HOSTS = 4
_NOT_KNOWN = 3


def verdict(findings: Iterable[Finding], unknown: Sequence[str]) -> str:
    """The worst severity; ``unknown`` where nothing worse than a remark was found and something could not be judged."""
    worst = worst_first(findings)
    if worst and worst[0].severity != INFO:
        return worst[0].severity
    if unknown:
        return UNKNOWN
    return worst[0].severity if worst else CLEAN


def lines(
    pools: Sequence[PoolJudgement], findings: Sequence[Finding], unknown: Sequence[str], time: str
) -> list[str]:
    """One screen, unless much is wrong."""
    servers = sum(len(each.servers) for each in pools)
    found = wrapped([_first_line(findings, unknown, servers)])
    found += wrapped(_services(each) for each in pools)
    for each in findings:
        found += _finding(each) if each.severity != INFO else []
    remarks = [each for each in findings if each.severity == INFO]
    found += [""] if remarks else []
    found += wrapped(f"{INFO.upper()}  {listed(each.hosts)}: {each.said}" for each in remarks)
    if unknown:
        found += ["", "Not known:"]
        found += wrapped((f"- {each}" for each in unknown[:_NOT_KNOWN]), "  ")
        if len(unknown) > _NOT_KNOWN:
            found.append(f"- and {len(unknown) - _NOT_KNOWN} more")
    return [*found, "", *wrapped([time])]


def _first_line(findings: Sequence[Finding], unknown: Sequence[str], servers: int) -> str:
    subject = f"A/V authentication certificate of {servers} Edge Server{'s' if servers != 1 else ''}"
    word = verdict(findings, unknown)
    if word == CLEAN:
        return f"OK: {subject}."
    if word == UNKNOWN:
        return f"NOT KNOWN: {subject}."
    if word == INFO:
        return f"OK: {subject}, with remarks."
    counts = ", ".join(
        f"{number} {severity}"
        for severity in SEVERITIES
        if severity != INFO and (number := sum(each.severity == severity for each in findings))
    )
    return f"{word.upper()}: {subject} ({counts})."


def _services(judgement: PoolJudgement) -> str:
    pool = judgement.pool
    if pool is None:
        return f"No pool: {listed([each.host for each in judgement.servers])}."
    port = "" if pool.authentication_port is None else f":{pool.authentication_port}"
    text = f"{pool.pool}: A/V Authentication is {pool.pool}{port}, inside, and needs this certificate."
    if pool.av_edge_name:
        text += f" A/V Edge is {pool.av_edge_name}, outside, and needs none."
    return text


def _finding(finding: Finding) -> list[str]:
    where = listed(finding.hosts)
    found = ["", *wrapped([f"{finding.severity.upper()}  {where}: {finding.said}"], "  ")]
    for each in finding.evidence[:_HOSTS]:
        found += wrapped([f"    {each}"], "      ")
    if finding.remedy:
        found += ["  On each of them:"] if len(finding.hosts) > 1 else []
        found += [f"  > {finding.remedy}"] if len(finding.remedy) < WIDTH - 3 else _command(finding.remedy)
    return found


def _command(text: str) -> list[str]:
    first, *rest = typed_lines(text, WIDTH - 4)
    return [f"  > {first}", *(f"    {each}" for each in rest)]


def listed(names: Sequence[str]) -> str:
    """``edge01, edge02 and 7 more``"""
    short = _short(names)
    if len(short) <= _HOSTS:
        return short[0] if len(short) == 1 else f"{', '.join(short[:-1])} and {short[-1]}"
    return f"{', '.join(short[: _HOSTS - 1])} and {len(short) - _HOSTS + 1} more"


def _short(names: Sequence[str]) -> list[str]:
    """Without their domain where they stay different."""
    short = [name.partition(".")[0] for name in names]
    return short if len(set(short)) == len(names) else list(names)


def wrapped(sentences: Iterable[str], indent: str = "  ") -> list[str]:
    return [
        line
        for sentence in sentences
        for line in textwrap.wrap(
            sentence, WIDTH, subsequent_indent=indent, break_long_words=False, break_on_hyphens=False
        )
    ]
