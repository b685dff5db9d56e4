# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The five counts, which are computed here and nowhere else: whoever shows them takes them from the model."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

AS_WANTED = "as_wanted"
DRIFTED = "drifted"
CORRECTED = "corrected"
WAIVED = "waived"
UNKNOWN = "unknown"
COUNTS = (AS_WANTED, DRIFTED, CORRECTED, WAIVED, UNKNOWN)
OPEN = (DRIFTED, UNKNOWN)
"""What keeps a run from being clean."""
TRENDS = ("new", "still", "returned", "resolved")


def count_of(finding: Mapping[str, Any]) -> str:
    """Which of the five a finding is in. Waived wins: a waiver is there because of what it covers."""
    return WAIVED if finding["waiver"] else str(finding["status"])


def counted(findings: Iterable[Mapping[str, Any]], as_wanted: int) -> dict[str, int]:
    """The five, and their sum."""
    counts = dict.fromkeys(COUNTS, 0)
    counts[AS_WANTED] = as_wanted
    for each in findings:
        counts[each["count"]] += 1
    return {**counts, "total": sum(counts.values())}


def trends(findings: Iterable[Mapping[str, Any]], resolved: int) -> dict[str, int]:
    """Beside the run before; what is open now, and what is gone."""
    found = dict.fromkeys(TRENDS, 0)
    for each in findings:
        if each["count"] in OPEN and each["trend"]:
            found[each["trend"]] += 1
    return {**found, "resolved": resolved}
