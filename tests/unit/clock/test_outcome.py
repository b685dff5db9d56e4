# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run has come to: one fact of each server, and an end that says all in a terminal's width."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.described import WIDTH, as_dict, lines
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.judgement import Judgement, Rules, judge
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.measurement import read
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.outcome import (
    Run,
    outcome,
    report,
    troubles,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.places import Topology
from unit.clock.test_judgement import POOLS, judged, server

NOTE = {"reason": "its clock was +10 min off", "offset_ms": 600000.0}
DONE = {"clock": {"changed": True, "status": "corrected"}}
FAILED = {"clock": {"changed": False, "failed": True, "status": "drifted", "msg": "W32Time is stopped."}}


def deployment(off: float = 0.0, note: dict[str, Any] | None = None) -> Judgement:
    return judged(server("fe01", off, dc=0.0, note=note), server("fe02", dc=0.0), server("fe03", dc=0.0))


@pytest.mark.parametrize(
    ("run", "status", "changed", "fails"),
    [
        (Run(deployment()), "in_desired_state", False, False),
        (Run(deployment(600), check_mode=True), "drifted", False, False),
        (Run(deployment(600), check_mode=True, steps={"fe01": DONE}), "drifted", True, False),
        (Run(deployment(600), deployment(), {"fe01": DONE}), "corrected", True, False),
        (Run(deployment(600), deployment(600), {"fe01": FAILED}), "drifted", False, True),
        (Run(deployment(600), deployment(note=NOTE), {"fe01": DONE}, restarts=False), "drifted", True, False),
        (Run(deployment(600), deployment(note=NOTE), {"fe01": DONE}, restarts=True), "drifted", True, True),
    ],
)
def test_one_fact_of_a_server(run: Run, status: str, changed: bool, fails: bool) -> None:
    found = outcome(run, "fe01")
    assert (found["status"], found["changed"], found["failed"]) == (status, changed, fails)
    assert bool(found["reasons"]) is (status not in ("in_desired_state", "corrected"))


def test_what_is_not_known_and_what_is_unclear() -> None:
    lost = judged(read("fe01", {"unreachable": True, "msg": "No connection."}), server("fe02", dc=0.0))
    assert outcome(Run(lost), "fe01") == {
        "status": "unknown",
        "changed": False,
        "unknown": ["clock"],
        "reasons": ["No connection."],
        "failed": True,
    }
    unclear = Run(judged(server("fe01"), server("fe02")))
    assert (outcome(unclear, "fe01")["status"], outcome(unclear, "fe01")["failed"]) == ("unknown", False)
    assert len(troubles(unclear)) == 1


def test_a_pending_restart_that_nobody_decided_on_ends_the_run() -> None:
    run = Run(deployment(600), deployment(note=NOTE), {"fe01": DONE})
    assert len(troubles(run)) == 1
    assert any("clock_drift_restart=true" in line for line in report(run, {"fe01": outcome(run, "fe01")}))


@pytest.mark.parametrize(
    ("steps", "check_mode", "told"),
    [({"fe01": DONE}, False, True), ({"fe01": DONE}, True, False), ({}, False, False)],
)
def test_who_must_sign_in_again_is_told(steps: dict[str, Any], check_mode: bool, told: bool) -> None:
    run = Run(deployment(600), deployment(), steps, check_mode=check_mode)
    shown = " ".join(report(run, {"fe01": outcome(run, "fe01")}))
    assert ("People of pool01 sign in again" in shown) is told


@pytest.mark.parametrize(
    ("test", "said", "fails"),
    [
        ({"av_edge": {"success": True}}, "passed", False),
        ({"av_edge": {"success": False, "error": "504"}}, "failed", True),
        ({"av_edge": {"success": None, "error": "no user"}}, "not tested", False),
        ({"av_edge": None}, "not tested", False),
        ({}, "not tested", False),
    ],
)
def test_av_authentication_passed_failed_or_was_not_tested(
    test: dict[str, Any], said: str, fails: bool
) -> None:
    run = Run(
        deployment(600), deployment(), {"fe01": DONE}, av_before={"pool01": {}}, av_after={"pool01": test}
    )
    assert f"not tested before the repair, {said}" in " ".join(" ".join(report(run, {})).split())
    assert bool(troubles(run)) is fails


def test_pools_whose_users_felt_nothing_are_named_as_not_tested() -> None:
    def said(**tested: Any) -> str:
        return " ".join(
            " ".join(report(Run(deployment(600), deployment(), {"fe01": DONE}, **tested), {})).split()
        )

    assert "users of pool01: not tested, as nothing there" in said(av_before={"dublin": {}})
    assert "as nothing there" not in said(av_before={"pool01": {}})
    assert "as nothing there" not in said()


@pytest.mark.parametrize("wrong", [0, 8, 300])
def test_many_servers_in_few_lines_of_a_terminals_width(wrong: int) -> None:
    names = [f"a-server-with-a-long-name-{number:03}.contoso.com" for number in range(500)]
    servers = [
        server(name, 600.0 if number < wrong else 0.0, dc=0.0, ntp={"ntp1": 0.0, "ntp2": 0.0})
        for number, name in enumerate(names)
    ]
    found = lines(judged(*servers, time_servers=("ntp1", "ntp2")))
    assert max(map(len, found)) <= WIDTH
    assert len(found) < 20 + 2 * min(wrong, 70) * 2
    assert len(as_dict(judged(*servers[:3]))["servers"]) == 3


def test_many_servers_of_which_each_has_its_own_trouble_are_not_all_listed() -> None:
    servers = [read(f"fe{n:03}", {"unreachable": True, "msg": f"fe{n:03} is silent."}) for n in range(300)]
    found = lines(judged(*servers, server("fe999", dc=0.0)))
    assert len(found) < 110
    assert "and 280 sentences more" in " ".join(found)


def test_why_nothing_is_restarted_is_told() -> None:
    run = Run(deployment(600), deployment(note=NOTE), restarts=True, not_planned=["No order is known."])
    assert "No order is known." in report(run, {})


@pytest.mark.parametrize(("version", "fails_back"), [(6, False), (7, True), (None, True)])
def test_a_server_that_is_down_has_a_way_back(version: int | None, fails_back: bool) -> None:
    there = server("fe01", dc=0.0, note={"reason": "its zone"}, running=False)
    topology = Topology("management", tuple(replace(each, version=version) for each in POOLS))
    found = judge([there, server("fe02", dc=0.0)], [topology], {}, Rules(synchronised=False))
    said = report(Run(found, restarts=True), {})
    assert "  Start-CsWindowsService" in said
    assert ("  Invoke-CsComputerFailBack -ComputerName fe01" in said) is fails_back
    assert max(map(len, said)) <= WIDTH
