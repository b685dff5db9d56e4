# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a certificate is assigned, where that is taken back, and what each server's fact says of it."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.outcome import Outcome
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.run import (
    Run,
    Wanted,
    judged,
    moments,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import UnusableArgument
from unit.certificate.held import DAY, GOOD, HOUR, NOW, OTHER, POOL, certificate, server

EDGE01, EDGE02 = POOL.computers
CLOCKS: dict[str, Any] = {
    "deployments": {
        "pool01.contoso.com": {"reference_offset": 0.0, "why": "The controller tells the right time."}
    },
    "servers": {
        host: {"computer": host, "deployment": "pool01.contoso.com", "error_ms": 4.0}
        for host in POOL.computers
    },
}
EDGES = {"pool01.contoso.com": {"edge_pools": [POOL.as_dict()], "trouble": []}}


def answer(number: int, *held: Any) -> dict[str, Any]:
    """What certificate_info returns."""
    found = server(number, *held)
    return {
        "computer": found.computer,
        "assigned": [each.as_dict() for each in found.assigned or ()],
        "store": [each.as_dict() for each in (found.store or {}).values()],
        "trouble": [],
    }


OLD = certificate(not_after=NOW + 5 * DAY)
NEW = certificate(OTHER)
BOTH = {EDGE01: answer(1, OLD, NEW), EDGE02: answer(2, OLD, NEW)}


def run(
    answers: dict[str, Any] | None = None,
    wanted: Wanted | None = Wanted(OTHER),  # noqa: B008 - it cannot be changed
    **more: Any,
) -> Run:
    right = moments(more.get("clocks", CLOCKS), NOW)
    month = datetime.timedelta(days=30)
    return judged(answers or BOTH, more.get("edges", EDGES), right, month, wanted)


def outcome(found: Run, check_mode: bool = False, fail_from: str = "high", **steps: Any) -> Outcome:
    return Outcome(found, steps, check_mode, fail_from)


def test_a_certificate_that_all_have_is_assigned_on_all() -> None:
    assert outcome(run()).to_assign() == [EDGE01, EDGE02]
    assert run().obstacles == {}


@pytest.mark.parametrize(
    "answers",
    [
        {EDGE01: answer(1, OLD, NEW)},
        {EDGE01: answer(1, OLD, NEW), EDGE02: answer(2, OLD)},
        {EDGE01: answer(1, OLD, NEW), EDGE02: answer(2, OLD, certificate(OTHER, has_private_key=False))},
        {EDGE01: answer(1, OLD, NEW), EDGE02: {"unreachable": True, "msg": "It cannot be reached."}},
        {EDGE01: answer(1, OLD, NEW), EDGE02: {}},
        {
            EDGE01: answer(1, OLD, certificate(OTHER, not_before=NOW + HOUR)),
            EDGE02: answer(2, OLD, certificate(OTHER, not_before=NOW + HOUR)),
        },
    ],
)
def test_where_one_of_a_pool_could_not_have_it_none_gets_it(answers: dict[str, Any]) -> None:
    found = run(answers)
    assert outcome(found).to_assign() == []
    assert list(found.obstacles) == [POOL.pool]
    assert EDGE01 in outcome(found, fail_from="never").as_dict(list(answers))["failing"]


@pytest.mark.parametrize(
    ("version", "hours", "allowed"),
    [(8, 112, True), (8, 113, False), (8, 1, True), (5, 1, False), (6, 1, True)],
)
def test_for_later_it_comes_before_what_is_issued_ends(version: int, hours: int, allowed: bool) -> None:
    edges = {"pool01.contoso.com": {"edge_pools": [{**POOL.as_dict(), "version": version}]}}
    found = run(wanted=Wanted(OTHER, NOW + hours * HOUR), edges=edges)
    assert (found.obstacles == {}) is allowed


def test_without_the_right_time_nothing_is_assigned() -> None:
    clocks = {
        **CLOCKS,
        "deployments": {"pool01.contoso.com": {"reference_offset": None, "why": "It is unclear."}},
    }
    found = run(clocks=clocks)
    assert outcome(found).to_assign() == []
    assert found.verdict == "unknown"


def test_what_fails_dry_on_one_is_assigned_on_none() -> None:
    # The role goes on with the other servers, so that Ansible does not call it failed.
    tried = {EDGE01: {"changed": True}, EDGE02: {"failed": False, "failure": "refused", "msg": "Refused."}}
    assert outcome(run(), tried=tried).to_assign() == []


FAILED = {"failed": True, "changed": False, "status": "drifted", "msg": "Access is denied."}
LOST = {"failed": True, "changed": True, "status": "unknown", "msg": "The connection broke."}
DONE = {"changed": True, "status": "corrected"}


@pytest.mark.parametrize(
    ("second", "back"),
    [
        (FAILED, [EDGE01]),
        (LOST, [EDGE01, EDGE02]),
        ({"unreachable": True, "msg": "Gone."}, [EDGE01]),
        (DONE, []),
    ],
)
def test_what_one_did_not_get_the_others_give_back(second: dict[str, Any], back: list[str]) -> None:
    assert outcome(run(), assigned={EDGE01: DONE, EDGE02: second}).to_take_back() == back


def test_each_server_has_one_fact() -> None:
    after = {EDGE01: answer(1, NEW), EDGE02: answer(2, NEW)}
    ended = outcome(run(after), assigned={EDGE01: DONE, EDGE02: DONE}).as_dict([EDGE01, EDGE02])
    assert {each["status"] for each in ended["results"].values()} == {"corrected"}
    assert ended["failing"] == []
    broken = outcome(run(), assigned={EDGE01: DONE, EDGE02: FAILED}, taken_back={EDGE01: DONE})
    results = broken.as_dict([EDGE01, EDGE02])["results"]
    assert {host: each["status"] for host, each in results.items()} == {EDGE01: "drifted", EDGE02: "drifted"}
    assert results[EDGE02]["reasons"][0] == "Access is denied."
    assert broken.as_dict([EDGE01, EDGE02])["failing"] == [EDGE02]
    assert any("Taken back" in line for line in broken.lines())
    lost = outcome(run(), assigned={EDGE01: LOST}).as_dict([EDGE01])["results"][EDGE01]
    assert (lost["status"], lost["changed"]) == ("unknown", True)


def test_a_dry_run_says_what_a_real_one_would_do() -> None:
    dry = outcome(run(), True, assigned={EDGE01: DONE, EDGE02: DONE})
    assert dry.as_dict([EDGE01])["results"][EDGE01]["status"] == "drifted"
    assert any("would assign" in line for line in dry.lines())


@pytest.mark.parametrize(
    ("fail_from", "fails"), [("critical", False), ("high", False), ("medium", True), ("never", False)]
)
def test_what_is_a_failure_can_be_chosen(fail_from: str, fails: bool) -> None:
    ended = outcome(run(wanted=None), fail_from=fail_from).as_dict([EDGE01, EDGE02])
    assert bool(ended["failing"]) is fails
    assert ended["results"][EDGE01]["status"] == "drifted"


def test_servers_of_the_play_that_are_none_of_the_edges_are_left_out() -> None:
    found = run({**BOTH, "fe01.contoso.com": {}})
    assert [each.host for pool in found.pools for each in pool.servers] == [EDGE01, EDGE02]
    assert found.unknown == ()


def test_hosts_that_nobody_knows_are_not_known() -> None:
    found = run({EDGE01: answer(1, NEW)}, None, edges={"pool01.contoso.com": {"failed": True, "msg": "No."}})
    assert found.verdict == "unknown"
    assert any("No." in each for each in found.unknown)
    ended = outcome(found).as_dict([EDGE01])
    assert ended["results"][EDGE01]["status"] == "unknown"
    assert ended["failing"] == [EDGE01]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("clocks", {}),
        ("clocks", {"deployments": {"a": {}}, "servers": {}}),
        ("edges", {"pool01.contoso.com": {"edge_pools": [{"pool": "x"}]}}),
    ],
)
def test_what_no_module_returns_is_refused(name: str, value: Any) -> None:
    with pytest.raises(UnusableArgument, match=name):
        run(**{name: value})


def test_what_no_certificate_info_returns_is_refused() -> None:
    with pytest.raises(UnusableArgument, match="certificates"):
        run({EDGE01: {"assigned": [{"use": GOOD}]}})
