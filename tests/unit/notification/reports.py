# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reports of runs, with no more than notifications read."""

from __future__ import annotations

from typing import Any

COUNTS = ("drifted", "unknown", "corrected", "waived")


def finding(name: str, count: str = "drifted", **more: Any) -> dict[str, Any]:
    return {
        "id": name,
        "deployment": "contoso",
        "noun": "CsMediaConfiguration",
        "identity": "Global",
        "property": name,
        "kind": "value",
        "status": "drifted",
        "count": count,
        "severity": "high",
        "trend": "new",
        "since": "2026-11-28T02:00:00Z",
        "current": "SupportEncryption",
        "desired": "RequireEncryption",
        "detail": "",
        **more,
    }


def report(*findings: dict[str, Any], run: str = "run1", **more: Any) -> dict[str, Any]:
    counts = {name: sum(each["count"] == name for each in findings) for name in COUNTS}
    counts |= {"as_wanted": 611, "total": 611 + len(findings)}
    verdict = "drift" if counts["drifted"] else "incomplete" if counts["unknown"] else "clean"
    return {
        "format": 1,
        "run": run,
        "verdict": verdict,
        "exit_code": {"clean": 0, "drift": 10, "incomplete": 11}[verdict],
        "sentence": f"{counts['drifted']} things differ.",
        "not_checked": "",
        "counts": counts,
        "trends": {"new": len(findings), "still": 0, "returned": 0, "resolved": 0},
        "has_history": True,
        "history": [],
        "missed": [],
        "last_complete": "2026-11-28T02:00:00Z",
        "deployments": [{"name": "contoso"}],
        "findings": list(findings),
        **more,
    }
