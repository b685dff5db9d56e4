# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What results of tasks amount to; what is missing is never well."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.health import report
from ansible_collections.lync.remediation.plugins.plugin_utils.health.causes import ranked
from ansible_collections.lync.remediation.plugins.plugin_utils.health.evidence import (
    Given,
    assess,
    trace_findings,
)
from unit.health.test_causes import finding
from unit.report import made_up

FE, EDGE, POOL = "fe01.contoso.com", "edge01.contoso.com", "pool01.contoso.com_management"
CONTEXT = ["-i", "hosts.yml"]


def clock(
    verdict: str = "right", error_ms: float | None = 3.0, faults: list[str] | None = None
) -> dict[str, Any]:
    return {
        "computer": FE,
        "pool": "pool01.contoso.com",
        "verdict": verdict,
        "error_ms": error_ms,
        "faults": faults or [],
        "said": [],
    }


def own(*stopped: str, **changes: Any) -> dict[str, Any]:
    states = {"RTCSRV": "Running", "RTCMRAUTH": "Running"} | dict.fromkeys(stopped, "Stopped")
    found = {
        "computer": FE,
        "up": not stopped,
        "running": "RTCSRV" not in stopped,
        "failed_over": False,
        "not_running": list(stopped),
        "services": states,
    }
    return {"own": {**found, **changes}}


def replication(*behind: str, masters: tuple[str, ...] = ("pool01.contoso.com",)) -> dict[str, Any]:
    replicas = [
        {"replica_fqdn": name, "last_status_report": "2026-11-28T08:15:00Z"} for name in (FE, EDGE, *behind)
    ]
    return {"behind": list(behind), "replicas": replicas, "active_masters": list(masters), "trouble": []}


def federation(changes: list[str] | None = None, **states: str) -> dict[str, Any]:
    known = {
        "public_provider": "unmet",
        "policies": "unmet",
        "media_encryption": "unmet",
        "dns_srv": "unknown",
    }
    return {
        "changes": changes or [],
        "prerequisites": [
            {"prerequisite": name, "state": state, "evidence": f"evidence of {name}"}
            for name, state in (known | states).items()
        ],
    }


def traces(*findings: dict[str, Any], problems: tuple[str, ...] = ()) -> dict[str, Any]:
    return {"findings": list(findings), "problems": list(problems), "files": [{"examined": not problems}]}


WELL = Given(
    (POOL,),
    (FE,),
    (EDGE,),
    {FE: {"offset_ms": 3}, EDGE: {"offset_ms": 3}},
    {"servers": {FE: clock(), EDGE: clock()}},
    {FE: own(), EDGE: own()},
    {EDGE: {"assigned": []}},
    {"findings": [], "unknown": []},
    {POOL: replication()},
    {POOL: federation()},
    {POOL: traces()},
)
UNREACHABLE = {"unreachable": True, "msg": "No route. Check the network."}
FAILED = {"failure": "timed_out", "msg": "It took too long. Give it more time."}


def judged(given: Given) -> tuple[str, list[str], list[str]]:
    """The verdict, the names of the causes, and what was not looked at."""
    assessed = assess(given)
    causes = ranked(assessed.observations, trace_findings(given))
    return report.verdict(causes, assessed), [each.name for each in causes], list(assessed.not_examined)


def test_a_deployment_that_is_well() -> None:
    assert judged(WELL) == ("clean", [], [])


@pytest.mark.parametrize(
    ("changes", "cause"),
    [
        (
            {"clocks": {"servers": {FE: clock("wrong", -21_600_000.0, ["zone"]), EDGE: clock()}}},
            "clock_wrong",
        ),
        ({"clocks": {"servers": {FE: clock("wrong", None, ["source"]), EDGE: clock()}}}, "clock_wrong"),
        ({"services": {FE: own(), EDGE: own("RTCMRAUTH")}}, "service_stopped"),
        ({"services": {FE: own("RTCSRV"), EDGE: own()}}, "service_stopped"),
        ({"services": {FE: own("RTCSRV", failed_over=True), EDGE: own()}}, "service_stopped"),
        ({"replication": {POOL: replication("fe03.contoso.com")}}, "replica_behind"),
        ({"replication": {POOL: replication(masters=("a", "b"))}}, "two_masters"),
        ({"federation": {POOL: federation(["a change"], policies="met")}}, "media_encryption"),
        ({"traces": {POOL: traces(finding("52017", "encryption", "high"))}}, "media_encryption"),
        ({"traces": {POOL: traces(finding("23", "ice", "high"))}}, "23"),
    ],
)
def test_one_fault(changes: dict[str, Any], cause: str) -> None:
    verdict, causes, missing = judged(replace(WELL, **changes))
    assert verdict == "trouble"
    assert causes[0] == cause
    assert missing == []


def test_a_certificate() -> None:
    expired = {
        "check": "expired",
        "severity": "critical",
        "pool": "edge.contoso.com",
        "hosts": [EDGE],
        "said": "It has expired.",
        "evidence": [],
        "remedy": None,
    }
    assert judged(replace(WELL, certificates={"findings": [expired], "unknown": []}))[:2] == (
        "trouble",
        ["certificate_expired"],
    )
    soon = {**expired, "check": "expires_soon", "severity": "medium"}
    verdict = judged(replace(WELL, certificates={"findings": [soon], "unknown": []}))
    assert verdict[:2] == ("clean", ["certificate_expires_soon"])
    information = {**expired, "check": "name", "severity": "info"}
    assert judged(replace(WELL, certificates={"findings": [information], "unknown": []})) == ("clean", [], [])


@pytest.mark.parametrize(
    ("option", "host"),
    [("services", FE), ("services", EDGE), ("replication", POOL), ("federation", POOL), ("traces", POOL)],
)
@pytest.mark.parametrize("answer", [{}, {"skipped": True}, FAILED, {"failed": True, "msg": "No."}])
def test_what_was_not_looked_at_is_not_well(option: str, host: str, answer: dict[str, Any]) -> None:
    without = {**getattr(WELL, option), host: answer}
    verdict, causes, missing = judged(replace(WELL, **{option: without}))
    assert verdict == "incomplete"
    assert causes == []
    assert len(missing) == 1


@pytest.mark.parametrize("option", ["clocks", "certificates"])
def test_a_judgement_that_is_missing(option: str) -> None:
    for answer in ({}, FAILED):
        verdict, causes, missing = judged(replace(WELL, **{option: answer}))
        assert (verdict, causes, len(missing)) == ("incomplete", [], 1)


def test_a_front_end_that_does_not_answer_is_a_cause_and_an_edge_is_not() -> None:
    def without(host: str) -> Given:
        return replace(
            WELL,
            clock_readings={**WELL.clock_readings, host: UNREACHABLE},
            services={**WELL.services, host: UNREACHABLE},
            clocks={"servers": {FE: clock(), EDGE: clock(), host: clock("not_known", None)}},
        )

    verdict, causes, missing = judged(without(FE))
    assert (verdict, causes, len(missing)) == ("trouble", ["unreachable"], 1)
    verdict, causes, missing = judged(without(EDGE))
    assert (verdict, causes, len(missing)) == ("incomplete", ["unreachable"], 1)


def test_an_edge_that_does_not_answer_is_a_cause_where_traces_agree() -> None:
    given = replace(
        WELL,
        clock_readings={**WELL.clock_readings, EDGE: UNREACHABLE},
        services={**WELL.services, EDGE: UNREACHABLE},
        traces={POOL: traces(finding("mras_timed_out", "av_authentication"))},
    )
    assert judged(given)[:2] == ("trouble", ["unreachable"])


@pytest.mark.parametrize(
    ("answer", "causes"),
    [
        ({"failure": "command_error", "msg": "The store does not answer."}, ["settings_unreadable"]),
        (UNREACHABLE, ["unreachable"]),
        ({"unreachable": True, "failure": "authentication_refused", "msg": "Refused."}, []),
    ],
)
def test_a_management_endpoint_that_tells_nothing(answer: dict[str, Any], causes: list[str]) -> None:
    given = replace(WELL, replication={POOL: answer}, federation={POOL: answer})
    assert judged(given)[1] == causes
    assert judged(given)[0] == ("trouble" if causes else "incomplete")


def test_a_store_of_which_nothing_can_be_read() -> None:
    refused = {"failure": "command_error", "msg": "The store does not answer."}
    states = dict.fromkeys(("public_provider", "policies", "media_encryption", "dns_srv"), "unknown")
    unknown = federation(**states, version="met")
    given = replace(WELL, replication={POOL: refused}, federation={POOL: unknown})
    assert judged(given)[:2] == ("trouble", ["settings_unreadable"])
    assert judged(replace(WELL, replication={POOL: refused}))[:2] == ("incomplete", [])


def test_a_restart_that_is_pending() -> None:
    servers = {FE: {**clock(), "restart_pending": True}, EDGE: clock()}
    assert judged(replace(WELL, clocks={"servers": servers}))[:2] == ("trouble", ["restart_pending"])


def test_a_search_that_brought_nothing_is_not_clean() -> None:
    verdict, _causes, missing = judged(
        replace(WELL, traces={POOL: traces(problems=("It brought nothing.",))})
    )
    assert verdict == "incomplete"
    assert missing == ["traces: It brought nothing."]


def test_an_inventory_without_servers() -> None:
    verdict, _causes, missing = judged(replace(WELL, front_ends=(), edges=(), clocks={}, certificates={}))
    assert verdict == "incomplete"
    assert len(missing) == 2


def test_the_report_of_a_run_takes_it_in() -> None:
    given = replace(WELL, traces={POOL: FAILED}, replication={POOL: replication("fe03.contoso.com")})
    assessed = assess(given)
    causes = ranked(assessed.observations, trace_findings(given))
    handed_in = report.for_the_run(causes, assessed, [FE, EDGE, POOL], CONTEXT)
    result = {"changed": False, "report": handed_in}
    hosts = dict.fromkeys((FE, EDGE, POOL), "contoso")
    model = made_up.model(made_up.answer("health_judgement", result, POOL), hosts=hosts)
    assert {(each["noun"], each["status"]) for each in model["findings"]} == {
        ("replication", "drifted"),
        ("health", "unknown"),
    }
    assert [each["title"] for each in model["sections"]] == ["Health"]
    assert {each["outcome"] for each in model["hosts"]} == {"judged"}


def test_the_first_screen_has_the_cause_and_the_command() -> None:
    given = replace(
        WELL,
        clocks={"servers": {FE: clock("wrong", -21_600_000.0, ["zone"]), EDGE: clock()}},
        replication={POOL: replication(*(f"fe{number:02}.contoso.com" for number in range(3, 90)))},
        services={FE: own("A", "B", "C", "D"), EDGE: own()},
        traces={
            POOL: traces(
                *(finding(str(number), "other", "low") for number in range(30)), problems=("x",) * 30
            )
        },
    )
    assessed = assess(given)
    lines = report.lines(ranked(assessed.observations, trace_findings(given)), assessed, CONTEXT)
    assert len(lines) <= 22
    assert lines[0].startswith("LIKELY CAUSE")
    assert FE in lines[0]
    command = lines[lines.index("Run next:") + 1]
    assert command.startswith("ansible-playbook -i hosts.yml lync.remediation.fix_clock_drift")
    assert all(len(line) <= 79 for line in lines if not line.lstrip().startswith("ansible"))
