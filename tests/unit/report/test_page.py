# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The HTML report in Chromium, from file://: at three widths, light and dark, by keyboard, by link, on paper, axe."""

from __future__ import annotations

import json
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import Kind, Resolved, Trend
from ansible_collections.lync.remediation.plugins.plugin_utils.report.history import History
from ansible_collections.lync.remediation.plugins.plugin_utils.report.rendering import render
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity

from .made_up import WAIVER, answer, checked, clocks, finding, many, model

BROWSER = Path(__file__).parents[2] / "browser"
CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), "")
NODE = shutil.which("node") or ""
MISSING = [
    name
    for name, is_there in (
        ("node", NODE),
        ("chromium", CHROMIUM),
        ("npm's packages in tests/browser", (BROWSER / "node_modules" / "playwright-core").is_dir()),
    )
    if not is_there
]
pytestmark = pytest.mark.skipif(bool(MISSING), reason=f"no {', no '.join(MISSING)} (tests/setup/browser)")
HOSTILE = "</script><img src=x onerror=alert(1)>\u202e\x00\ud800 {{ 7 }}"


def run(number: int) -> Mapping[str, Any]:
    drifted = (0, 1, 1, 2, 5, 3, 1)[number % 7]
    counts = {"as_wanted": 611, "drifted": drifted, "corrected": 0, "waived": 1, "unknown": number % 9 == 4}
    return {
        "run": f"r{number}",
        "time": f"2026-11-{number:02}T02:00:00Z",
        "mode": "enforce" if number == 15 else "check",
        "is_dry_run": False,
        "verdict": "drift",
        "counts": {**counts, "total": sum(counts.values())},
        "trends": {"new": 0, "still": drifted, "returned": 0, "resolved": 0},
        "deployments": ["contoso"],
        "collection_version": "1.0.3",
    }


PAST = History(tuple(run(number) for number in range(1, 28) if number != 24))
GONE = (Resolved("0badcafe", "CsVoiceRoute", "Local", "NumberPattern", "2026-11-01T02:00:00Z"),)


def pages() -> dict[str, dict[str, Any]]:
    hosts = {"host0": "contoso", "lost": "contoso", **dict.fromkeys(clocks()["servers"], "contoso")}
    route = {"noun": "CsVoiceRoute", "property": "PstnGatewayList", "kind": Kind.VALUE}
    three = (
        finding(severity=Severity.CRITICAL, trend=Trend.STILL, since="2026-11-25T02:00:00Z"),
        finding(**route, current=["gw1", "gw9"], desired=["gw1", "gw2"]),
        finding(
            noun="CsExternalAccessPolicy",
            property="Description",
            current="for sales\u200b ",
            desired="for sales",
            severity=Severity.LOW,
            reason="People read it.",
        ),
        finding(property="EnableQoS", current=True, desired=False, waiver=WAIVER),
    )
    hostile = dict.fromkeys(("noun", "identity", "property", "reason", "detail", "command", "range"), HOSTILE)
    bad = finding(**hostile, current=HOSTILE, desired=[HOSTILE], origins=(HOSTILE,))
    return {
        "zero": model(answer("drift_check", checked(resolved=GONE)), past=PAST, interval=1440),
        "three": model(answer("drift_check", checked(*three)), past=PAST, interval=1440),
        "forty": model(
            *many(40),
            answer("clock_judgement", clocks()),
            past=PAST,
            hosts=hosts,
            lost={"lost": ("unreachable", "No connection to the server.")},
        ),
        "hostile": model(
            answer("drift_check", checked(bad, name=HOSTILE, notes=(HOSTILE,), refusal=HOSTILE))
        ),
    }


def examined(folder: Path, built: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
    for name, each in built.items():
        (folder / f"{name}.html").write_text(render("html", each), encoding="utf-8")
    done = subprocess.run(
        [NODE, str(BROWSER / "look.mjs"), CHROMIUM, str(folder)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    seen: dict[str, Any] = json.loads(done.stdout)
    return seen


def test_the_page_is_what_people_need(tmp_path: Path) -> None:
    assert examined(tmp_path, pages())["wrong"] == []


@pytest.mark.sweep
def test_five_thousand_findings_of_five_hundred_servers(tmp_path: Path) -> None:
    servers = {"deployments": {}, "servers": {}}
    hosts = {}
    for number in range(500):
        deployment = f"deployment{number % 25:03}"
        one = clocks(deployment)
        servers["deployments"] |= one["deployments"]
        servers["servers"][f"fe{number}"] = {**one["servers"]["fe01"], "computer": f"fe{number}.contoso.com"}
        hosts |= {f"fe{number}": deployment, f"host{number % 25}": deployment}
    large = model(*many(5000, 25), answer("clock_judgement", servers), hosts=hosts)
    assert large["counts"]["total"] > 20_000
    seen = examined(tmp_path, {**pages(), "many": large})
    assert seen["wrong"] == []
    print(f"opened in {seen['times']['open']} ms, filtered in {seen['times']['filter']} ms")
