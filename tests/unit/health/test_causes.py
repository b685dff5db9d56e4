# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is called the likely cause, by what servers say and what traces say."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.health.causes import (
    Kind,
    Observation,
    ranked,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity

LOW, MEDIUM, HIGH, CRITICAL = Severity


def finding(name: str, family: str, confidence: str = "medium", **changes: Any) -> dict[str, Any]:
    return {
        "id": name,
        "family": family,
        "confidence": confidence,
        "meaning": f"meaning of {name}",
        "causes": ["a cause"],
        "remedy": None,
        "count": 3,
        "first": "2026-11-28T08:15:00.000Z",
        "last": "2026-11-28T09:10:00.000Z",
        "servers": ["fe02"],
        "edge": None,
        **changes,
    }


CLOCK = Observation(Kind.CLOCK, "clock_wrong", HIGH, "clock", ("fe02",), breaks_av=True)
SECONDS = Observation(Kind.CLOCK, "clock_wrong", MEDIUM, "a few seconds", ("fe02",))
EXPIRED = Observation(
    Kind.CERTIFICATE, "certificate_expired", CRITICAL, "expired", ("edge01",), breaks_av=True
)
EXPIRES_SOON = Observation(Kind.CERTIFICATE, "certificate_expires_soon", LOW, "soon", ("edge01",))
STOPPED = Observation(Kind.SERVICE, "service_stopped", HIGH, "stopped", ("edge01",), breaks_av=True)
ANOTHER_SERVICE = Observation(Kind.SERVICE, "service_stopped", MEDIUM, "another", ("fe01",))
STALE = Observation(Kind.REPLICATION, "replica_behind", MEDIUM, "stale", ("fe03",))
REQUIRED = Observation(Kind.ENCRYPTION, "media_encryption", LOW, "required", normal=True)
MRAS = finding("mras_expired", "av_authentication", edge="edge01.contoso.com")
REFUSED = finding("52017", "encryption", "high")
SKEWED = finding("1020", "clock", "high")
TIMED_OUT = finding("transaction_timed_out", "other", "low")


def first(observations: list[Observation], findings: list[dict[str, Any]]) -> str:
    return ranked(observations, findings)[0].said


@pytest.mark.parametrize(
    ("observations", "findings", "likely"),
    [
        ([CLOCK], [], "clock"),
        ([CLOCK], [MRAS], "clock"),
        ([CLOCK, STALE], [MRAS], "clock"),
        ([STALE], [], "stale"),
        ([STOPPED], [MRAS], "stopped"),
        ([STOPPED, SECONDS], [MRAS], "stopped"),
        ([EXPIRED, CLOCK], [MRAS], "expired"),
        ([CLOCK, STOPPED], [MRAS], "clock"),
        ([EXPIRES_SOON, STALE], [], "stale"),
        ([REQUIRED], [REFUSED], "required"),
        ([REQUIRED, STALE], [REFUSED], "required"),
        ([REQUIRED, CLOCK], [REFUSED], "required"),
        ([SECONDS], [SKEWED], "a few seconds"),
        ([], [MRAS], "meaning of mras_expired"),
        ([STALE], [MRAS], "meaning of mras_expired"),
        ([ANOTHER_SERVICE], [TIMED_OUT], "another"),
    ],
)
def test_the_likely_cause(
    observations: list[Observation], findings: list[dict[str, Any]], likely: str
) -> None:
    for order in itertools.permutations(observations):
        assert first(list(order), findings) == likely


def test_what_is_normal_is_no_cause_unless_somebody_suffers_from_it() -> None:
    assert ranked([REQUIRED], []) == []
    assert ranked([REQUIRED], [MRAS])[0].kind is Kind.AV_AUTHENTICATION
    (cause,) = ranked([REQUIRED], [REFUSED])
    assert cause.is_likely
    assert cause.severity is HIGH
    assert cause.supported_by == ("52017",)


@pytest.mark.parametrize("nothing_much", [([EXPIRES_SOON], []), ([], [TIMED_OUT])])
def test_what_cannot_be_what_people_complain_of_is_told_and_not_called_likely(
    nothing_much: tuple[list[Observation], list[dict[str, Any]]],
) -> None:
    (cause,) = ranked(*nothing_much)
    assert not cause.is_likely


def test_a_finding_that_a_cause_explains_is_no_cause_of_its_own() -> None:
    assert [each.kind for each in ranked([CLOCK], [MRAS, SKEWED])] == [Kind.CLOCK]
    assert [each.kind for each in ranked([SECONDS], [MRAS])] == [Kind.AV_AUTHENTICATION, Kind.CLOCK]


def test_evidence_of_both_stands_together() -> None:
    (cause,) = ranked([CLOCK], [MRAS])
    (evidence,) = cause.evidence
    assert all(text in evidence for text in ("mras_expired", "fe02", "edge01.contoso.com", "08:15 to 09:10"))


def test_every_cause_is_told_once() -> None:
    observations = [CLOCK, EXPIRED, STOPPED, STALE, EXPIRES_SOON]
    found = ranked(observations, [MRAS, REFUSED, TIMED_OUT])
    assert sorted(each.said for each in found) == sorted(
        [*(each.said for each in observations), "meaning of 52017", "meaning of transaction_timed_out"]
    )
