# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""time_zone, time_service, clock and clock_info over the wire: wrong input, bad luck, and what check mode promises."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import DEPLOYMENTS, RunningLab

from .conftest import Ansible, Start
from .in_process import LabInProcess, Worker

AnsibleAt = Callable[[RunningLab], Ansible]
HOUR = 3600
FE, EDGE = "fe01.contoso.com", "edge01.contoso.com"
SERVERS = "front_ends:edges"
TIME_SERVERS = {
    "ntp1.contoso.com": {},
    "liar.contoso.com": {"offset": 5 * HOUR},
    "dead.contoso.com": {"reachable": False},
}
CENTRAL, GREENWICH = "Central Standard Time", "GMT Standard Time"


def deployment(*front_ends: Mapping[str, Any], edge: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """One pool of these Front Ends, fe01 and so on, and an Edge Server."""
    computers = [{"name": f"fe{number:02}", **each} for number, each in enumerate(front_ends or ({},), 1)]
    return {
        "sites": {"Redmond": {}},
        "pools": {
            "pool01.contoso.com": {"site": "Redmond", "edge": "edge.contoso.com", "computers": computers}
        },
        "edges": {
            "edge.contoso.com": {
                "site": "Redmond",
                "computers": [{"name": "edge01", **(edge or {})}],
                "next_hop": "pool01.contoso.com",
            }
        },
        "users": [],
        "time_servers": TIME_SERVERS,
    }


def task(module: str, **options: Any) -> dict[str, Any]:
    return {f"lync.remediation.{module}": options}


def host(number: int) -> str:
    return f"fe{number:02}.contoso.com"


InProcess = Callable[..., LabInProcess]


@pytest.fixture
def in_process(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[InProcess]:
    """Start a deployment like `clock`, with changes to its description, in the tests' own process."""
    with ExitStack() as stack:

        def start(**changes: Any) -> LabInProcess:
            description = yaml.safe_load((DEPLOYMENTS / "clock.yml").read_text(encoding="utf-8"))
            description |= {"network": f"127.{100 + os.getpid() % 100}.8"} | changes
            folder = tmp_path_factory.mktemp("lab")
            return stack.enter_context(LabInProcess(description, folder, engine=engine))

        yield start


# -- wrong input ---------------------------------------------------------------------------------------------

ANY_TIME_SERVER = "is not the name or address of one time server."
WRONG: list[tuple[str, dict[str, Any], str]] = [
    ("time_zone", {}, "missing required arguments: zone."),
    (
        "time_zone",
        {"zone": "Europe/Berlin"},
        "zone: 'Europe/Berlin' is an IANA name, and Windows has its own. Did you mean 'W. Europe Standard Time'?",
    ),
    (
        "time_zone",
        {"zone": "Central Standart Time"},
        f"zone: 'Central Standart Time' is no time zone of {FE}. Did you mean 'Central Standard Time' or ",
    ),
    (
        "time_zone",
        {"zone": "Central Standard Time_dstoff"},
        "Did you mean 'Central Standard Time' with daylight_saving: false?",
    ),
    (
        "time_zone",
        {"zone": "Mars"},
        f"zone: 'Mars' is no time zone of {FE}. tzutil /l lists those that there are.",
    ),
    ("time_zone", {"zone": ""}, f"zone: '' is no time zone of {FE}. tzutil /l lists those that there are."),
    ("time_zone", {"zone": "UTC", "daylight_saving": "perhaps"}, "daylight_saving"),
    (
        "time_service",
        {"type": "dns"},
        "type: 'dns' is not allowed. Allowed are domain_hierarchy, manual, all and none.",
    ),
    ("time_service", {"type": "manual"}, "peers: type: manual follows time servers, and there is none."),
    (
        "time_service",
        {"type": "all", "peers": []},
        "peers: type: all follows time servers, and there is none.",
    ),
    ("time_service", {"peers": [{"host": "a,0x9"}]}, f"peers: 'a,0x9' {ANY_TIME_SERVER}"),
    ("time_service", {"peers": [{"host": "a b"}]}, f"peers: 'a b' {ANY_TIME_SERVER}"),
    ("time_service", {"peers": [{"host": ""}]}, f"peers: '' {ANY_TIME_SERVER}"),
    ("time_service", {"peers": [{"host": "/update"}]}, f"peers: '/update' {ANY_TIME_SERVER}"),
    ("time_service", {"peers": [{"flags": ["client"]}]}, "missing required arguments: host found in peers."),
    ("time_service", {"peers": [{"host": "a"}, {"host": "A"}]}, "peers: 'a' is named more than once."),
    ("time_service", {"peers": [{"host": "a", "flags": ["fast"]}]}, "special_interval, use_as_fallback_only"),
    (
        "time_service",
        {"special_poll_interval": 0},
        "special_poll_interval: 0 is not between 1 and",
    ),
    ("time_service", {"min_poll_interval": -1}, "min_poll_interval: -1 is not between 0 and 17."),
    ("time_service", {"max_poll_interval": 18}, "max_poll_interval: 18 is not between 0 and 17."),
    (
        "time_service",
        {"min_poll_interval": 16},
        "min_poll_interval: with 16 the shortest interval (16) would be longer than the longest (15).",
    ),
    (
        "time_service",
        {"min_poll_interval": 9, "max_poll_interval": 8},
        "with 9 the shortest interval (9) would be longer than the longest (8).",
    ),
    (
        "time_service",
        {"max_pos_phase_correction": -1},
        "max_pos_phase_correction: -1 is not between 0 and",
    ),
    (
        "time_service",
        {"max_neg_phase_correction": 2**32},
        "max_neg_phase_correction: 4294967296 is not between 0 and 4294967295.",
    ),
    (
        "time_service",
        {"vm_provider": True},
        r"vm_provider: there is no TimeProviders\VMICTimeProvider on this server",
    ),
    (
        "time_service",
        {"start_mode": "boot"},
        "start_mode: 'boot' is not allowed. Allowed are automatic, manual and",
    ),
    (
        "time_service",
        {"service_state": "up"},
        "service_state: 'up' is not allowed. Allowed are started and stopped.",
    ),
    (
        "time_service",
        {"start_mode": "disabled", "service_state": "started"},
        "start_mode: 'disabled' contradicts service_state: started. Allowed with that are automatic and manual.",
    ),
    ("time_service", {"interval": 1}, "'interval': there is no such option. The options are"),
    ("clock", {"max_offset_ms": 0}, "max_offset_ms: 0 is not between 1 and 3600000."),
    ("clock", {"max_offset_ms": "nan"}, "max_offset_ms: nan is not between 1 and 3600000."),
    ("clock", {"max_offset_ms": "soon"}, "max_offset_ms"),
    (
        "clock",
        {"reference_offset": "inf"},
        "reference_offset: inf is not between -3153600000 and 3153600000.",
    ),
    ("clock", {"ntp_server": "a b"}, f"ntp_server: 'a b' {ANY_TIME_SERVER}"),
    ("clock", {"samples": 0}, "samples: 0 is not between 1 and 1000."),
    ("clock", {"timeout": -1}, "timeout: -1 is not between 0 and 604800."),
    ("clock", {"interval": 0}, "interval: 0 is not between 1 and 86400."),
    ("clock_info", {"samples": -4}, "samples: -4 is not between 1 and 1000."),
    ("clock_info", {"ntp_servers": ["ntp1.contoso.com", '"']}, f"ntp_servers: '\"' {ANY_TIME_SERVER}"),
]


def test_wrong_input_is_one_sentence_and_changes_nothing(in_process: InProcess, tmp_path: Path) -> None:
    lab = in_process(**deployment())
    for check in (False, True):
        worker = Worker(lab.variables(FE), tmp_path / f"run {check}", tmp_path / "journal")
        for module, options, sentence in WRONG:
            result = worker.run(module, options, check=check)
            assert result["failed"], (module, options, result)
            assert sentence in result["msg"], (module, options, result["msg"])
            assert result["msg"].endswith(" Nothing has been changed."), result["msg"]
        worker.reset_connection()
    assert lab.writes == []


@pytest.mark.engine_core
def test_a_disabled_time_service_is_not_started_without_a_start_mode(
    start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("clock", **deployment({"time_service": {"running": False, "start": "disabled"}}))
    ansible = ansible_at(lab)
    refused = ansible.module("time_service", hosts="front_ends", service_state="started")
    assert (
        "W32Time is disabled and cannot be started. Ask for start_mode: automatic as well." in refused["msg"]
    )
    assert lab.writes() == []
    done = ansible.module("time_service", hosts="front_ends", service_state="started", start_mode="automatic")
    assert (done["status"], done["after"]) == (
        "corrected",
        {"start_mode": "automatic", "service_state": "started"},
    )


# -- what check mode promises --------------------------------------------------------------------------------

PEERS = [{"host": "ntp1.contoso.com", "flags": ["special_interval", "client"]}, {"host": "liar.contoso.com"}]
# What there is to do does not depend on whether the changes above it have been made.
CHANGES: list[tuple[str, dict[str, Any], set[str]]] = [
    (host(1), task("clock", samples=2, interval=1), {"offset"}),
    (
        host(1),
        task("time_zone", zone="gmt standard time", daylight_saving=False),
        {"zone", "daylight_saving"},
    ),
    (host(1), task("time_service", type="manual", peers=PEERS), {"type", "peers", "triggers"}),
    (
        host(1),
        task(
            "time_service",
            special_poll_interval=900,
            min_poll_interval=6,
            max_poll_interval=10,
            max_pos_phase_correction=7200,
            max_neg_phase_correction=4294967295,
        ),
        {
            "special_poll_interval",
            "min_poll_interval",
            "max_poll_interval",
            "max_pos_phase_correction",
            "max_neg_phase_correction",
        },
    ),
    (host(1), task("time_service", vm_provider=False), {"vm_provider"}),
    (
        host(1),
        task("time_service", start_mode="disabled", service_state="stopped"),
        {"start_mode", "service_state"},
    ),
    (host(2), task("time_zone", zone=CENTRAL, daylight_saving=True), {"daylight_saving"}),
    (
        host(2),
        task("time_service", start_mode="automatic", service_state="started"),
        {"start_mode", "service_state"},
    ),
    (
        host(3),
        task("time_service", type="all", peers=PEERS[:1], start_mode="manual", service_state="started"),
        {"type", "peers", "start_mode", "service_state"},
    ),
    (host(4), task("time_service", type="domain_hierarchy"), {"type"}),
    (host(5), task("clock", samples=2, allow_step=True, ntp_server="ntp1.contoso.com"), {"offset"}),
]
STATES = [
    {
        "clock": {"offset": -HOUR, "time_zone": CENTRAL},
        "time_service": {"hyper_v_host": {"offset": 0}, "registry": {"Config": {"MaxNegPhaseCorrection": 5}}},
    },
    {
        "clock": {"time_zone": CENTRAL, "daylight_saving": False},
        "time_service": {"running": False, "start": "disabled"},
    },
    {"time_service": {"registered": False}},
    {"time_service": {"type": "NTP", "peers": "ntp1.contoso.com,0x8"}},
    {
        "clock": {"offset": 16 * HOUR},
        "time_service": {"registry": {"Config": {"MaxNegPhaseCorrection": 54000}}},
    },
]


@pytest.mark.parametrize(
    ("version", "powershell"),
    [
        (2010, "2.0"),
        pytest.param(2013, "2.0", marks=pytest.mark.sweep),
        pytest.param(2013, "4.0", marks=pytest.mark.sweep),
        (2019, "5.1"),
    ],
)
def test_check_mode_writes_nothing_and_shows_what_a_run_then_does(
    version: int, powershell: str, in_process: InProcess, tmp_path: Path
) -> None:
    lab = in_process(version=version, powershell=powershell, **deployment(*STATES))
    workers = {
        where: Worker(lab.variables(where), tmp_path / f"run at {where}", tmp_path / "journal")
        for where in {where for where, _, _ in CHANGES}
    }

    def run(*, check: bool = False) -> list[dict[str, Any]]:
        return [
            workers[where].run(name.rpartition(".")[2], options, check=check)
            for where, change, _ in CHANGES
            for name, options in change.items()
        ]

    promised = run(check=True)
    assert lab.writes == []
    done = run()
    for dry, real, (_, change, options) in zip(promised, done, CHANGES, strict=True):
        assert (dry["changed"], dry["status"]) == (True, "drifted"), (change, dry)
        assert (real["changed"], real["status"]) == (True, "corrected"), (change, real)
        assert real["diff"]["before"] != real["diff"]["after"], change
        for key in ("before", "after", "drift", "diff"):
            assert dry[key] == real[key], (change, key)
        # By how much a clock is set at once is measured anew each time.
        assert [line.partition(" -Date ")[0] for line in dry["commands"]] == [
            line.partition(" -Date ")[0] for line in real["commands"]
        ]
        assert {each["property"] for each in real["drift"]} == options
        assert set(dry) - {"warnings"} == set(real) - {"warnings"}
    written = len(lab.writes)
    assert written
    for result, (_, change, _) in zip(run(), CHANGES, strict=True):
        assert (result["changed"], result["status"]) == (False, "in_desired_state"), (change, result)
        assert (result["drift"], result["commands"], result["before"]) == ([], [], result["after"]), change
        assert result["diff"]["before"] == result["diff"]["after"], change
    assert len(lab.writes) == written
    for worker in workers.values():
        worker.reset_connection()
