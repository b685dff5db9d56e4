# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.outcome import NOT_ENDED, outcome

RIGHT = {
    "measured": True,
    "problems": [],
    "restart_reason": None,
    "down": False,
    "trouble": None,
}
WRONG = {**RIGHT, "problems": ["zone", "clock"], "restart_reason": "its time zone was GMT Standard Time"}
PENDING = {**RIGHT, "restart_reason": "its time zone was GMT Standard Time"}
CHANGED = {"changed": True, "status": "corrected"}
REFUSED = {"failed": True, "changed": False, "status": "drifted", "msg": "It is refused."}
LOST = {"failed": True, "changed": True, "status": "unknown", "msg": "The line broke."}
GONE = {"unreachable": True, "changed": False, "msg": "It is gone."}


def verdict(server: dict[str, Any], right: str = "controller") -> dict[str, Any]:
    return {"right": right, "why": "Too few clocks agree.", "servers": {"fe01": server}}


def of(
    before: dict[str, Any] | None,
    after: dict[str, Any] | None = None,
    checks: dict[str, Any] | None = None,
    check_mode: bool = False,
    **steps: dict[str, Any],
) -> dict[str, Any]:
    return outcome("fe01", before, after, steps, checks or {}, check_mode)


def test_nothing_to_do() -> None:
    assert of(verdict(RIGHT), zone={}, clock={}) == {
        "status": "in_desired_state",
        "changed": False,
        "unknown": [],
        "reasons": [],
    }


def test_what_was_repaired_and_proven_is_corrected() -> None:
    found = of(verdict(WRONG), verdict(RIGHT), zone=CHANGED, restart=CHANGED)
    assert found == {"status": "corrected", "changed": True, "unknown": [], "reasons": []}


@pytest.mark.parametrize("after", [WRONG, PENDING, {**RIGHT, "down": True}], ids=["wrong", "pending", "down"])
def test_what_is_still_wrong_is_drift_with_a_reason(after: dict[str, Any]) -> None:
    found = of(verdict(WRONG), verdict(after), zone=CHANGED, restart=CHANGED)
    assert (found["status"], found["changed"], found["unknown"]) == ("drifted", True, [])
    assert found["reasons"]


def test_a_server_that_was_down_and_is_not_ours_to_start_is_no_drift() -> None:
    assert of(verdict({**RIGHT, "down": True}), restart={})["status"] == "in_desired_state"


def test_check_mode_tells_what_would_change() -> None:
    found = of(verdict(WRONG), check_mode=True, zone=CHANGED)
    assert (found["status"], found["changed"], found["unknown"]) == ("drifted", True, [])
    assert len(found["reasons"]) == 2


def test_without_a_verdict_nothing_is_known() -> None:
    assert of(None) == {
        "status": "unknown",
        "changed": False,
        "unknown": ["everything"],
        "reasons": [NOT_ENDED],
    }
    assert of(None, checks={"pools": GONE})["reasons"] == ["It is gone."]


def test_a_clock_that_was_not_measured_is_unknown() -> None:
    found = of(verdict({**RIGHT, "measured": False, "trouble": "It did not answer."}))
    assert (found["status"], found["unknown"]) == ("unknown", ["clock"])
    assert found["reasons"] == ["It did not answer."]


def test_where_it_is_unclear_who_is_right_so_is_the_state() -> None:
    found = of(verdict(RIGHT, "unclear"))
    assert (found["status"], found["reasons"]) == ("unknown", ["Too few clocks agree."])


def test_a_refused_repair_is_drift_and_tells_only_what_it_was_refused_for() -> None:
    found = of(verdict(WRONG), tried=REFUSED)
    assert found == {"status": "drifted", "changed": False, "unknown": [], "reasons": ["It is refused."]}


@pytest.mark.parametrize("failed", [LOST, GONE])
def test_a_step_whose_effect_is_not_known_is_named(failed: dict[str, Any]) -> None:
    found = of(verdict(WRONG), zone=CHANGED, clock=failed)
    assert found == {"status": "unknown", "changed": True, "unknown": ["clock"], "reasons": [failed["msg"]]}


def test_a_repair_that_was_not_proven_is_unknown() -> None:
    found = of(verdict(WRONG), zone=CHANGED)
    assert (found["status"], found["changed"], found["reasons"]) == ("unknown", True, [NOT_ENDED])


def test_a_failed_check_of_the_deployment_counts_for_each_server() -> None:
    repaired = (verdict(WRONG), verdict(RIGHT))
    assert of(*repaired, {"replication": REFUSED}, zone=CHANGED)["status"] == "drifted"
    assert of(*repaired, {"replication": GONE}, zone=CHANGED)["unknown"] == ["replication"]
    assert of(*repaired, {"replication": {"skipped": True}}, zone=CHANGED)["status"] == "corrected"
    tests = {"results": [{"av_edge": None}, {"av_edge": {"success": False, "error": "No relay."}}]}
    assert of(*repaired, {"A/V authentication": tests}, zone=CHANGED)["reasons"] == ["No relay."]
    assert of(*repaired, {"A/V authentication": tests}, zone=CHANGED)["status"] == "drifted"
    passed = {"results": [{"av_edge": {"success": None}}, {"skipped": True}]}
    assert of(*repaired, {"A/V authentication": passed}, zone=CHANGED)["status"] == "corrected"
