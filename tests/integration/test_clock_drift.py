# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks, zones and restarts from one end to the other. What was written is told by the servers' journal."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import RunningLab, ansible_environment, playbook_command, recap

from .conftest import Ansible, Run, Start

PLAYBOOK = "lync.remediation.fix_clock_drift"
CENTRAL, GREENWICH = "Central Standard Time", "GMT Standard Time"
# The lab's pools are ready sooner than real ones.
QUICK = {
    "clock_drift_settle": 1,
    "clock_drift_busy_wait": 1,
    "clock_drift_interval": 1,
    "clock_drift_samples": 4,
}
TIMES = {
    "services": {"start_seconds": 0, "stop_seconds": 0, "drain_seconds": 0},
    "high_availability": {"busy_seconds": 0.3, "quorum_loss_seconds": 0.2},
}
PURGES = ["klist purge", "klist -li 0x3e7 purge"]
DRAINED = ["Stop-CsWindowsService", "New-ItemProperty Stopped", "Start-CsWindowsService", "Remove-Item"]
FAILED_OVER = [
    "Invoke-CsComputerFailOver",
    "New-ItemProperty Stopped",
    "Invoke-CsComputerFailBack",
    "Remove-Item",
]
NOTED = ["New-Item", "New-ItemProperty Since", "New-ItemProperty Reason"]


def fix(ansible: Ansible, *arguments: str, **variables: Any) -> Run:
    prefixed = {f"clock_drift_{name}": value for name, value in variables.items()}
    return ansible.playbook(PLAYBOOK, "--diff", *arguments, **QUICK, **prefixed)


def writes(lab: RunningLab) -> list[tuple[str, str]]:
    """Server and command of all that was written, in order; native programs with their arguments."""
    found = []
    for entry in lab.commands():
        if entry["writes"]:
            parameters = entry["parameters"]
            detail = parameters.get("Arguments", [])
            if entry["name"] == "New-ItemProperty":
                detail = [parameters["Name"]]
            found.append((entry["server"].partition(".")[0], " ".join([entry["name"], *detail])))
    return found


def stops(lab: RunningLab) -> list[str]:
    """The servers whose services were stopped, in order."""
    names = ("Stop-CsWindowsService", "Invoke-CsComputerFailOver")
    return [server for server, command in writes(lab) if command in names]


@pytest.fixture
def article(start: Start, ansible_at: Callable[[RunningLab], Ansible]) -> Ansible:
    """One Front End of three whose zone was flipped, on Lync Server 2013."""
    return ansible_at(start("clock", **TIMES))


def another_zone(start: Start, version: object = 2013, size: int = 3) -> RunningLab:
    """A pool and its Edge Server, all of which stand in another zone than they should; their UTC is right."""
    clock = {"time_zone": GREENWICH}
    computers = [{"name": f"fe0{number}", "clock": clock} for number in range(1, size + 1)]
    return start(
        "clock",
        **TIMES,
        version=version,
        pools={"pool01.contoso.com": {"site": "Redmond", "edge": "edge.contoso.com", "computers": computers}},
        edges={
            "edge.contoso.com": {
                "site": "Redmond",
                "computers": [{"name": "edge01", "clock": clock}],
                "next_hop": "pool01.contoso.com",
            }
        },
        users=[{"name": "kenmyer", "pool": "pool01.contoso.com"}],
    )


def av_authentication(ansible: Ansible) -> bool | None:
    found = ansible.module("pool_info", pool="pool01.contoso.com", services=False, test_av_edge=True)
    return found["av_edge"]["success"]


def test_the_flipped_zone_of_one_front_end(article: Ansible) -> None:
    assert av_authentication(article) is False

    dry = fix(article, "--check", restart=True, follow_pool=True)
    assert (dry.exit_code, dry.changed) == (0, 4), dry.output
    assert writes(article.lab) == []
    assert "just the difference between GMT Standard Time and Central Standard Time" in dry.text.replace(
        "- ", ""
    )

    real = fix(article, restart=True, follow_pool=True)
    assert (real.exit_code, real.changed) == (0, 4), real.output
    assert real.differences == dry.differences
    done = writes(article.lab)
    assert done == [
        ("fe02", command)
        for command in [
            *NOTED,
            f"tzutil /s {CENTRAL}",
            "w32tm /resync /rediscover",
            *PURGES,
            *PURGES,
            *DRAINED,
        ]
    ]
    assert av_authentication(article) is True

    again = fix(article, restart=True, follow_pool=True)
    assert (again.exit_code, again.changed, again.differences) == (0, 0, []), again.output
    assert writes(article.lab) == done


def test_the_user_says_whether_to_restart(article: Ansible) -> None:
    unsaid = fix(article, follow_pool=True)
    assert unsaid.exit_code == 2, unsaid.output
    assert "Set clock_drift_restart to true or false." in unsaid.text
    assert "fe02.contoso.com" in unsaid.text
    assert stops(article.lab) == []

    later = fix(article, follow_pool=True, restart=False)
    assert (later.exit_code, later.changed) == (0, 0), later.output
    assert "Still to be restarted" in later.text
    assert stops(article.lab) == []

    now = fix(article, follow_pool=True, restart=True)
    assert now.exit_code == 0, now.output
    assert stops(article.lab) == ["fe02"]
    assert av_authentication(article) is True


@pytest.mark.parametrize(
    ("version", "size", "restart"),
    [(2010, 3, DRAINED), (2013, 2, DRAINED), (2013, 3, DRAINED), (2015, 3, FAILED_OVER)],
)
def test_one_server_of_a_pool_at_a_time(
    version: object,
    size: int,
    restart: list[str],
    start: Start,
    ansible_at: Callable[[RunningLab], Ansible],
) -> None:
    ansible = ansible_at(another_zone(start, version, size))
    run = fix(ansible, "--forks", "10", restart=True, time_zone=CENTRAL)
    assert run.exit_code == 0, run.output
    done = writes(ansible.lab)
    last_repair = max(number for number, (_, command) in enumerate(done) if command.startswith("tzutil"))
    front_ends = [f"fe0{number}" for number in range(size, 0, -1)]
    assert done[last_repair + 1 :] == [
        *(("edge01", command) for command in [*PURGES, *DRAINED]),
        *((server, command) for server in front_ends for command in [*PURGES, *restart]),
    ]


def kill_while(ansible: Ansible, home: Path, command: str, **variables: Any) -> None:
    """Start the playbook, and kill it and its workers while that command of it hangs."""
    lab = ansible.lab
    lab.inject("hang", command=command)
    arguments = ["--extra-vars", json.dumps({**QUICK, **variables})]
    with subprocess.Popen(
        playbook_command(lab, PLAYBOOK, arguments),
        cwd=lab.state,
        env=ansible_environment(home),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as process:
        deadline = time.monotonic() + 60
        while not any(entry["event"] == "fault" for entry in lab.journal()):
            assert process.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.05)
        for number in [process.pid, *descendants(process.pid)]:
            os.kill(number, signal.SIGKILL)


def descendants(process: int) -> list[int]:
    """Ansible's workers make sessions of their own, so that a signal to the group does not reach them."""
    children = Path(f"/proc/{process}/task/{process}/children").read_text(encoding="ascii").split()
    return [each for child in map(int, children) for each in (child, *descendants(child))]


@pytest.mark.parametrize(
    ("command", "stopped_before", "stopped_after"),
    [
        # Zone and clock are right by then, and only the note on the server tells that its services must be restarted.
        ("klist", [], ["fe02"]),
        # Its services are stopped, and stay so.
        ("Start-CsWindowsService", ["fe02"], ["fe02"]),
    ],
)
def test_a_killed_run_is_finished_by_the_next(
    command: str, stopped_before: list[str], stopped_after: list[str], article: Ansible, tmp_path: Path
) -> None:
    wish = {"clock_drift_restart": True, "clock_drift_follow_pool": True}
    kill_while(article, tmp_path, command, **wish)
    assert stops(article.lab) == stopped_before
    run = fix(article, restart=True, follow_pool=True)
    assert run.exit_code == 0, run.output
    assert stops(article.lab) == stopped_after
    assert av_authentication(article) is True


POLICIES = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\W32Time"


def test_a_group_policy_in_charge_of_the_source_is_named(article: Ansible) -> None:
    article.lab.inject(
        "registry_changed", "fe02.contoso.com", path=rf"{POLICIES}\Parameters", name="Type", value="NTP"
    )
    wanted = "{{ {'type': 'manual' if inventory_hostname in groups['edges'] else 'domain_hierarchy'} }}"
    run = fix(article, restart=True, follow_pool=True, time_service=wanted)
    assert run.exit_code == 2, run.output
    assert "fe02" in run.text
    assert "policy" in run.text
    assert r"SOFTWARE Policies Microsoft W32Time Parameters" in run.text
    assert writes(article.lab) == []


def test_a_clock_that_w32time_does_not_correct_is_set_only_if_allowed(article: Ansible) -> None:
    article.lab.inject("clock_offset", "edge01.contoso.com", seconds=-72000)
    refused = fix(article, "--limit", "edges:dublin", restart=True)
    assert refused.exit_code == 2, refused.output
    assert "W32Time corrects no more than 15 h 0 min there" in refused.text
    assert "allow_step: true" in refused.text
    assert writes(article.lab) == []
    allowed = fix(article, restart=True, follow_pool=True, allow_step=True)
    assert allowed.exit_code == 0, allowed.output
    assert ("edge01", "Set-Date") in writes(article.lab)
    assert stops(article.lab) == ["edge01", "fe02"]


def test_an_unreachable_server_is_named_and_the_others_are_repaired(article: Ansible) -> None:
    article.lab.inject("drop-before", "fe03.contoso.com", times=0)
    # The rest of a pool of which one server is unknown is no majority.
    zone = f"{{{{ '{GREENWICH}' if inventory_hostname == 'dublin.contoso.com' else '{CENTRAL}' }}}}"
    run = fix(article, restart=True, time_zone=zone)
    assert run.exit_code == 2, run.output
    assert "fe03 not measured not known unknown" in run.text
    assert "Nothing is known of the clock of this server." in run.text
    assert {host: counts["failed"] for host, counts in recap(run.output).items()} == {
        "fe03.contoso.com": 1,
        **dict.fromkeys(
            ("dublin.contoso.com", "edge01.contoso.com", "fe01.contoso.com", "fe02.contoso.com"), 0
        ),
    }
    assert stops(article.lab) == ["fe02"]
    assert av_authentication(article) is True


def test_nothing_is_stopped_while_another_server_is_down(article: Ansible) -> None:
    article.lab.inject("services_stopped", "fe03.contoso.com")
    run = fix(article, restart=True, follow_pool=True)
    assert run.exit_code == 2, run.output
    assert "fe03.contoso.com is down, and only one server of a pool may be down at a time" in run.text
    assert stops(article.lab) == []


def test_a_service_that_does_not_come_up_ends_the_run(
    start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    ansible = ansible_at(another_zone(start))
    ansible.lab.inject("service_fails", "fe03.contoso.com", service="RTCSRV")
    run = fix(ansible, restart=True, time_zone=CENTRAL, start_timeout=3)
    assert run.exit_code == 2, run.output
    assert "RTCSRV" in run.text
    assert stops(ansible.lab) == ["edge01", "fe03"]
