# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What most likely is behind the trouble, from all that was found out. Pure functions.

What servers say when they are asked is an observation; what their traces say supports one, or stands for itself. A
cause that both agree on goes before one that only one of them knows.
"""

from __future__ import annotations

import dataclasses
import enum
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from ..result.severity import Severity
from ..trace.report import when_and_where


class Kind(enum.Enum):
    """What is wrong, in the order in which one explains another: a wrong clock goes before what it brings about."""

    CLOCK = "clock"
    CERTIFICATE = "certificate"
    SERVICE = "service"
    REPLICATION = "replication"
    ENCRYPTION = "encryption"
    FEDERATION = "federation"
    AV_AUTHENTICATION = "av_authentication"
    ICE = "ice"
    SERVER = "server"
    OTHER = "other"


@dataclasses.dataclass(frozen=True)
class Observation:
    """Something that is not as it should be, by a server's own word.

    ``breaks_av`` says that it keeps an A/V Authentication service from working. What is ``normal`` by itself counts
    only where traces show that somebody suffers from it.
    """

    kind: Kind
    name: str
    severity: Severity
    said: str
    servers: tuple[str, ...] = ()
    pool: str | None = None
    evidence: tuple[str, ...] = ()
    remedy: str | None = None
    breaks_av: bool = False
    normal: bool = False


@dataclasses.dataclass(frozen=True)
class Cause:
    """``is_likely``: whether it can be what people complain of. ``supported_by`` are the traces' findings."""

    kind: Kind
    name: str
    severity: Severity
    said: str
    evidence: tuple[str, ...]
    remedy: str | None
    is_likely: bool
    servers: tuple[str, ...] = ()
    pool: str | None = None
    supported_by: tuple[str, ...] = ()
    score: int = 0


_WEIGHTS = {Severity.CRITICAL: 8, Severity.HIGH: 6, Severity.MEDIUM: 3, Severity.LOW: 1}
_SUPPORT = 3
_LIKELY_FROM = _WEIGHTS[Severity.MEDIUM]
_OF_TRACES = {"high": 5, "medium": 4, "low": 1}
_SEVERITY_OF_TRACES = {"high": Severity.HIGH, "medium": Severity.MEDIUM, "low": Severity.LOW}
_KIND_OF_FAMILY = {
    "clock": Kind.CLOCK,
    "encryption": Kind.ENCRYPTION,
    "av_authentication": Kind.AV_AUTHENTICATION,
    "certificate": Kind.CERTIFICATE,
    "federation": Kind.FEDERATION,
    "ice": Kind.ICE,
}
_ORDER = {kind: number for number, kind in enumerate(Kind)}


def ranked(observations: Iterable[Observation], findings: Sequence[Mapping[str, Any]]) -> list[Cause]:
    """All of them, the likely cause first. ``findings`` are those of trace_info."""
    causes = []
    explained: set[int] = set()
    for observation in observations:
        support = [number for number, each in enumerate(findings) if _supports(each, observation)]
        explained.update(support)
        if observation.normal and not support:
            continue
        severity, score = observation.severity, _WEIGHTS[observation.severity]
        for number in support:
            confidence = findings[number]["confidence"]
            score = max(score, _OF_TRACES[confidence])
            severity = max(severity, _SEVERITY_OF_TRACES[confidence], key=list(Severity).index)
        score += _SUPPORT if support else 0
        causes.append(
            Cause(
                observation.kind,
                observation.name,
                severity,
                observation.said,
                (*observation.evidence, *(trace_evidence(findings[number]) for number in support)),
                observation.remedy,
                score >= _LIKELY_FROM,
                observation.servers,
                observation.pool,
                tuple(str(findings[number]["id"]) for number in support),
                score,
            )
        )
    causes += [_of_trace(each) for number, each in enumerate(findings) if number not in explained]
    return sorted(causes, key=lambda each: (-each.score, _ORDER[each.kind], each.said))


def _supports(finding: Mapping[str, Any], observation: Observation) -> bool:
    family, kind = finding["family"], observation.kind
    if family == "av_authentication":
        return observation.breaks_av
    if family == "clock":
        return kind is Kind.CLOCK
    if family == "certificate":
        # A certificate is as valid as the clock that judges it says.
        return kind is Kind.CERTIFICATE or (kind is Kind.CLOCK and observation.breaks_av)
    if family == "ice":
        return observation.breaks_av
    return _KIND_OF_FAMILY.get(family) is kind


def _of_trace(finding: Mapping[str, Any]) -> Cause:
    family, confidence = finding["family"], finding["confidence"]
    score = 1 if family == "other" else _OF_TRACES[confidence]
    causes = tuple(f"perhaps {each}" for each in finding["causes"])
    return Cause(
        _KIND_OF_FAMILY.get(family, Kind.OTHER),
        str(finding["id"]),
        Severity.LOW if family == "other" else _SEVERITY_OF_TRACES[confidence],
        finding["meaning"],
        (trace_evidence(finding), *causes),
        finding["remedy"],
        score >= _LIKELY_FROM,
        tuple(finding["servers"]),
        None,
        (str(finding["id"]),),
        score,
    )


def trace_evidence(finding: Mapping[str, Any]) -> str:
    """``traces: 52017, 3 calls, 2026-11-28 08:15 to 09:10 UTC, at edge01``"""
    edge = f", to {finding['edge']}" if finding["edge"] else ""
    return f"traces: {finding['id']}, {when_and_where(finding)}{edge}"
