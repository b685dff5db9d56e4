# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins of clocks and pools, run as Ansible runs them, on a small Windows."""

from __future__ import annotations

import importlib
import time
from dataclasses import replace
from pathlib import Path
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible import constants
from unit.clock.test_judgement import POOLS
from unit.modules.test_actions import COLLECTION, run, run_on
from unit.scripted import ScriptedClock
from unit.scripted_windows import Windows, deployment

CALLS: list[tuple[str, dict[str, Any]]] = [
    ("clock_info", {"ntp_servers": ["ntp1"], "samples": 2}),
    ("time_zone", {"zone": "utc"}),
    ("time_zone", {"zone": "Central Standard Time"}),
    ("time_service", {"type": "Manual", "peers": [{"host": "ntp1"}], "vm_provider": "no"}),
    ("clock", {"max_offset_ms": "500", "samples": 2}),
    ("pool_info", {"health": True}),
    ("pool_info", {"own": True, "health": True}),
    ("pool_info", {"pool": "pool01.contoso.com", "test_av_edge": True}),
    ("server_services", {}),
    ("restart_note", {"reason": "its time zone was UTC"}),
    ("restart_note", {"state": "absent"}),
    ("server_services", {"state": "stopped", "graceful": False}),
]


@pytest.fixture
def there(monkeypatch: pytest.MonkeyPatch) -> Windows:
    """A Front End of three, a minute ahead; the modules live in its time."""
    clock = ScriptedClock()
    for name in ("time", "monotonic", "sleep"):
        monkeypatch.setattr(time, name, getattr(clock, name))
    front_end = deployment(clock, 3).computers[0]
    front_end.offset, front_end.time_servers = 60.0, {"ntp1": 0.0}
    return front_end


@pytest.mark.parametrize(("module", "arguments"), CALLS)
@pytest.mark.parametrize("check", [True, False])
def test_results_hold_what_is_documented(
    there: Windows, module: str, arguments: dict[str, Any], check: bool
) -> None:
    documented = yaml.safe_load(importlib.import_module(f"{COLLECTION}.modules.{module}").RETURN)
    result = run(module, arguments, there, check)  # type: ignore[arg-type]
    assert set(result) - {"changed", "warnings"} <= set(documented)
    always = {key for key, value in documented.items() if value["returned"] == "always"}
    assert always <= set(result)
    types = {"str": str, "bool": bool, "dict": dict, "list": list, "float": float}
    for key in always:
        if result[key] is not None:
            assert isinstance(result[key], types[documented[key]["type"]]), key
    if check or module.endswith("_info"):
        assert there.written == []


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("time_zone", {}, "missing required arguments: zone"),
        ("time_zone", {"zone": "Europe/Berlin"}, "Did you mean 'W. Europe Standard Time'?"),
        ("time_service", {"type": "dns"}, "type: 'dns' is not allowed"),
        ("time_service", {"type": "manual"}, "there is none"),
        ("clock", {"max_offset_ms": 0}, "max_offset_ms: 0 is not between 1 and 3600000"),
        ("clock_info", {"samples": 0}, "samples: 0 is not between 1 and 1000"),
        ("clock_info", {"ntp_servers": ["a b"]}, "'a b' is not the name or address of one time server"),
        ("pool_info", {"pool": "pool9"}, "The topology has pool01.contoso.com"),
        ("pool_info", {"test_av_edge": True}, "this needs the pool"),
        ("restart_note", {}, "reason: state: present needs"),
        ("server_services", {"settle": -1}, "settle: -1 is not between 0 and 604800"),
    ],
)
def test_bad_arguments_are_one_sentence_and_nothing_happens(
    there: Windows, module: str, arguments: dict[str, Any], sentence: str
) -> None:
    result = run(module, arguments, there)  # type: ignore[arg-type]
    assert (result["failed"], result["status"]) == (True, "unknown")
    assert result["failure"] in ("bad_argument", "unusable_argument")
    assert sentence in result["msg"]
    assert result["msg"].endswith("Nothing has been changed.")
    assert there.written == []


def test_a_refusal_and_a_failure_tell_their_status(there: Windows) -> None:
    assert there.pool is not None
    there.pool.computers[1].services["RTCSRV"].status = "Stopped"
    refused = run("server_services", {"state": "stopped"}, there)  # type: ignore[arg-type]
    assert (refused["status"], refused["failure"], refused["changed"]) == ("drifted", "refused", False)
    there.jumps = [0, 9000.0, *[0] * 7] * 2
    unknown = run("clock", {}, there)  # type: ignore[arg-type]
    assert (unknown["status"], unknown["failure"]) == ("unknown", "clock_jumped")


# -- the order of restarts -------------------------------------------------------------------------------------


def pending(*, store: bool = True, **answers: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """The arguments of clock_judgement, and the variables of the hosts, where the restart of all of a pool and its Edge
    Servers is pending.
    """
    front_ends, edges = POOLS
    pools = [
        replace(front_ends, roles=("UserServer", "Registrar"), holds_store=store),
        replace(edges, roles=("EdgeServer",)),
        replace(front_ends, pool="pool02", members=()),
    ]
    hosts = ["fe01", "fe02", "fe03", "edge01"]
    note = {"since": "2026-11-28T09:00:00Z", "reason": "its zone", "stopped": None}
    hostvars = {
        host: {
            "clock": {
                "computer": host,
                "offset_ms": 0.0,
                "uncertainty_ms": 1.0,
                "time_zone": {"zone": "UTC", "daylight_saving": True, "utc_offset_minutes": 0},
                "time_service": {"type": "domain_hierarchy", "peers": [], "service_state": "started"},
                "synchronisation": {"synchronised": True, "source": "dc01"},
                "restart_pending": note,
                "running": True,
            },
            **answers.get(host, {}),
        }
        for host in hosts
    }
    arguments = {
        "measurements": ["clock"],
        "topologies": {"management": {"pools": [each.as_dict() for each in pools]}},
        "controller_synchronised": True,
        "show": False,
    }
    return arguments, {"hostvars": hostvars, "ansible_play_hosts_all": hosts}


def planned(folder: Path, *, store: bool = True, **answers: dict[str, Any]) -> dict[str, Any]:
    arguments, variables = pending(store=store, **answers)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "DEFAULT_LOCAL_TMP", str(folder))
        judgement = run_on(MagicMock(), "clock_judgement", arguments, variables=variables)
        arguments = {"judgement": judgement["id"], "repairs": ["repair"], "services": "services"}
        return {**judgement, **run_on(MagicMock(), "clock_restart_plan", arguments, variables=variables)}


def test_edges_first_then_what_is_down_and_then_what_counts_least(tmp_path: Path) -> None:
    (plan,) = planned(tmp_path, fe01={"services": {"own": {"running": False}}})["restart_plans"]
    assert plan["rounds"] == [["edge01"], ["fe01"], ["fe03"], ["fe02"]]


@pytest.mark.parametrize(("edge", "tested"), [({}, ["pool01", "pool02"]), ({"clock": {}}, ["pool01"])])
def test_whose_users_may_have_felt_it(edge: dict[str, Any], tested: list[str], tmp_path: Path) -> None:
    result = planned(tmp_path, edge01=edge)
    assert result["user_pools"] == [{"pool": name, "asked": "management"} for name in tested]


@pytest.mark.parametrize("store", [True, False])
def test_why_there_is_no_plan_is_told(store: bool, tmp_path: Path) -> None:
    broken = {"fe02": {"repair": {"failed": True, "msg": "W32Time is stopped."}}} if store else {}
    result = planned(tmp_path, store=store, **broken)
    assert result["restart_plans"] == []
    (said,) = result["not_planned"]
    assert ("fe02" if store else "Central Management Store") in said


@pytest.mark.parametrize(("proof", "judged"), [({}, 1), ({"skipped": True}, 1), ({"offset_ms": 1.0}, 2)])
def test_each_measurement_is_judged_once(
    proof: dict[str, Any], judged: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    cases = importlib.import_module(f"{COLLECTION}.plugin_utils.clock.run")
    judge, judgements = cases.judge, []
    monkeypatch.setattr(cases, "judge", lambda *given: judgements.append(judge(*given)) or judgements[-1])
    monkeypatch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
    arguments, variables = pending(fe01={"proof": {**proof, "uncertainty_ms": 1.0} if proof else {}})
    found = run_on(MagicMock(), "clock_judgement", arguments, variables=variables)
    run_on(MagicMock(), "clock_restart_plan", {"judgement": found["id"]}, variables=variables)
    ending = {"judgement": found["id"], "proof": "proof"}
    assert set(run_on(MagicMock(), "clock_report", ending, variables=variables)["results"]) == set(
        found["servers"]
    )
    assert len(judgements) == judged


@pytest.mark.parametrize("module", ["clock_restart_plan", "clock_report"])
@pytest.mark.parametrize("judgement", ["0123456789abcdef", "../../etc/passwd"])
def test_a_judgement_that_this_run_does_not_have(module: str, judgement: str, tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(constants, "DEFAULT_LOCAL_TMP", str(tmp_path))
        variables: dict[str, Any] = {"hostvars": {}, "ansible_play_hosts_all": []}
        result = run_on(MagicMock(), module, {"judgement": judgement}, variables=variables)
    assert (result["failed"], result["failure"]) == (True, "unusable_argument")
