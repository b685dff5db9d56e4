# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What goes wrong while servers are repaired and restarted is told apart, and nothing is stopped without need."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import RunningLab, recap

from .clock_drift import (
    CENTRAL,
    FAIL_OVER,
    GREENWICH,
    START,
    STOP,
    another_zone,
    down,
    fix,
    last_table,
    results,
    stops,
    writes,
)
from .conftest import Ansible, Start

AnsibleAt = Callable[[RunningLab], Ansible]

pytestmark = pytest.mark.sweep


@contextmanager
def meanwhile(
    lab: RunningLab, command: str, then: Callable[[], None], server: str = "fe03.contoso.com"
) -> Iterator[None]:
    """While that command of the server hangs for two seconds, something else happens."""
    lab.inject("hang", server, command=command, seconds=2)
    over = threading.Event()

    def watch() -> None:
        while not over.wait(0.05):
            if any(entry["event"] == "fault" and entry["name"] == command for entry in lab.journal()):
                then()
                return

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        yield
    finally:
        over.set()
        watcher.join()


def test_an_unreachable_server_is_named_and_the_others_are_repaired(article: Ansible) -> None:
    article.lab.inject("drop-before", "fe03.contoso.com", times=0)
    zone = f"{{{{ '{GREENWICH}' if inventory_hostname == 'dublin.contoso.com' else '{CENTRAL}' }}}}"
    run = fix(article, restart=True, time_zone=zone)
    assert run.exit_code == 2, run.output
    assert last_table(run) == {"fe02": "right, restart pending", "fe03": "not known"}
    failed = {host for host, counts in recap(run.output).items() if counts["failed"]}
    assert failed == {"fe02.contoso.com", "fe03.contoso.com"}
    # Whether the other server of its pool runs is not known.
    assert ("fe02", f"tzutil /s {CENTRAL}") in writes(article.lab)
    assert stops(article.lab) == []


def test_the_rest_of_a_pool_of_which_a_server_is_unreachable_may_be_no_majority(article: Ansible) -> None:
    article.lab.inject("drop-before", "fe03.contoso.com", times=0)
    run = fix(article, "--limit", "pool01", restart=True, follow_pool=True)
    assert run.exit_code == 2, run.output
    assert last_table(run) == {"fe02": "right, restart pending", "fe03": "not known"}
    assert stops(article.lab) == []
    assert not [command for _, command in writes(article.lab) if command.startswith("tzutil")]


def test_nothing_is_stopped_while_another_server_is_down(article: Ansible) -> None:
    article.lab.inject("services_stopped", "fe03.contoso.com")
    run = fix(article, restart=True, follow_pool=True)
    assert run.exit_code == 2, run.output
    assert "fe03.contoso.com is down, and only one server of a pool may be down at a time" in run.text
    assert last_table(run) == {"fe02": "right, restart pending"}
    assert stops(article.lab) == []


def test_a_quorum_that_was_lost_before_is_explained(start: Start, ansible_at: AnsibleAt) -> None:
    ansible = ansible_at(another_zone(start))
    for server in ("fe01.contoso.com", "fe02.contoso.com"):
        ansible.lab.inject("services_stopped", server)
    run = fix(ansible, restart=True, time_zone=CENTRAL, start_timeout=2)
    assert run.exit_code == 2, run.output
    assert "The Front-End service waits for its pool, which says InsufficientActiveFrontEnds" in run.text
    assert "QuorumLossRecovery" in run.text
    assert stops(ansible.lab) == ["edge01"]


def test_a_quorum_that_is_lost_while_a_server_is_restarted_is_explained(
    start: Start, ansible_at: AnsibleAt
) -> None:
    ansible = ansible_at(another_zone(start))
    with meanwhile(ansible.lab, START, lambda: ansible.lab.inject("services_stopped", "fe01.contoso.com")):
        run = fix(ansible, restart=True, time_zone=CENTRAL, start_timeout=2)
    assert run.exit_code == 2, run.output
    assert "The Front-End service waits for its pool" in run.text
    assert last_table(run) == dict.fromkeys(("fe01", "fe02", "fe03"), "right, restart pending, down")
    assert stops(ansible.lab) == ["edge01", "fe03"]


@pytest.mark.parametrize(
    ("kind", "options", "said"),
    [
        ("services_stopped", {}, "fe01.contoso.com is down"),
        ("server_reboots", {"seconds": 600}, "whether fe01.contoso.com runs is not known"),
    ],
)
def test_what_others_do_to_the_pool_between_two_servers(
    kind: str, options: dict[str, Any], said: str, start: Start, ansible_at: AnsibleAt
) -> None:
    ansible = ansible_at(another_zone(start))
    with meanwhile(
        ansible.lab, "Remove-Item", lambda: ansible.lab.inject(kind, "fe01.contoso.com", **options)
    ):
        run = fix(ansible, restart=True, time_zone=CENTRAL)
    assert run.exit_code == 2, run.output
    assert f"fe02.contoso.com is not stopped: {said}" in run.text
    assert last_table(run)["fe02"] == "right, restart pending"
    assert "fe03" not in last_table(run)
    assert stops(ansible.lab) == ["edge01", "fe03"]
    assert "fe01 and fe02" in run.text[run.text.index("still to be restarted") :]


def test_a_server_that_is_gone_in_the_middle_of_its_restart(start: Start, ansible_at: AnsibleAt) -> None:
    ansible = ansible_at(another_zone(start))
    with meanwhile(
        ansible.lab, START, lambda: ansible.lab.inject("server_reboots", "fe03.contoso.com", seconds=600)
    ):
        run = fix(ansible, restart=True, time_zone=CENTRAL)
    assert run.exit_code == 2, run.output
    assert "Whether the change took effect is not known." in run.text
    assert (last_table(run)["fe02"], last_table(run)["fe03"]) == ("right, restart pending", "not known")
    assert stops(ansible.lab) == ["edge01", "fe03"]


def test_a_service_that_does_not_come_up_ends_the_restarts(start: Start, ansible_at: AnsibleAt) -> None:
    ansible = ansible_at(another_zone(start))
    ansible.lab.inject("service_fails", "fe03.contoso.com", service="RTCSRV")
    run = fix(ansible, restart=True, time_zone=CENTRAL, start_timeout=2)
    assert run.exit_code == 2, run.output
    assert "After 2.0 s services do not run. Not running now: RTCSRV (Stopped)." in run.text
    assert last_table(run) == {
        "fe01": "right, restart pending",
        "fe02": "right, restart pending",
        "fe03": "right, restart pending, down",
    }
    assert stops(ansible.lab) == ["edge01", "fe03"]


@pytest.mark.parametrize(
    ("busy_before", "said", "stopped"),
    [
        (True, "the pool pool01.contoso.com says that it is not ready for it (Busy)", ["edge01"]),
        (False, "later the pool is not settled (Busy)", ["edge01", "fe03"]),
    ],
)
def test_a_pool_that_stays_busy(
    busy_before: bool, said: str, stopped: list[str], start: Start, ansible_at: AnsibleAt
) -> None:
    ansible = ansible_at(another_zone(start, high_availability={"busy_seconds": 3600}))
    if busy_before:
        ansible.lab.inject("server_reboots", "fe01.contoso.com", seconds=0)
    run = fix(ansible, restart=True, time_zone=CENTRAL, start_timeout=1, busy_tries=2)
    assert run.exit_code == 2, run.output
    assert said in run.text
    assert stops(ansible.lab) == stopped
    assert down(ansible.lab) == set()


@pytest.mark.parametrize(("version", "command"), [(2013, STOP), (2015, FAIL_OVER)])
def test_a_session_that_dies_right_after_the_stop_leaves_it_unknown_and_the_next_run_goes_on(
    version: int, command: str, start: Start, ansible_at: AnsibleAt
) -> None:
    ansible = ansible_at(another_zone(start, version, 2))
    ansible.lab.inject("drop-after", "fe02.contoso.com", command=command)
    run = fix(ansible, restart=True, time_zone=CENTRAL)
    assert run.exit_code == 2, run.output
    assert f"was lost while {command} ran" in run.text
    assert down(ansible.lab) == set()
    assert stops(ansible.lab) == ["edge01", "fe02"]
    again = fix(ansible, restart=True, time_zone=CENTRAL)
    assert again.exit_code == 0, again.output
    assert stops(ansible.lab) == ["edge01", "fe02", "fe01"]


def test_a_session_that_dies_before_the_stop_leaves_everything_running(
    start: Start, ansible_at: AnsibleAt
) -> None:
    ansible = ansible_at(another_zone(start))
    ansible.lab.inject("drop-before", "fe03.contoso.com", command=STOP)
    run = fix(ansible, restart=True, time_zone=CENTRAL)
    assert run.exit_code == 2, run.output
    assert "Read back since: all services run, so that nothing was stopped." in run.text
    assert down(ansible.lab) == set()
    again = fix(ansible, restart=True, time_zone=CENTRAL)
    assert again.exit_code == 0, again.output


def as_account(ansible: Ansible, host: str, account: str) -> None:
    folder = ansible.lab.state / "host_vars"
    folder.mkdir(exist_ok=True)
    (folder / f"{host}.yml").write_text(
        yaml.safe_dump({"ansible_user": f"CONTOSO\\{account}"}), encoding="utf-8"
    )


@pytest.fixture
def accounts(start: Start, ansible_at: AnsibleAt) -> Ansible:
    """A deployment in which the account nobody has no rights at all."""
    password = "Lab-Passw0rd"
    return ansible_at(
        another_zone(
            start,
            accounts=[
                {"name": "uc-admin", "password": password, "roles": ["CsAdministrator"], "delegation": True},
                {"name": "nobody", "password": password, "remote_shell": False},
            ],
        )
    )


@pytest.mark.parametrize(
    ("host", "said"),
    [
        ("fe02.contoso.com", "is authenticated, but has no right to open a session"),
        ("pool01.contoso.com", "pool01.contoso.com does not tell which servers make a pool"),
    ],
)
def test_an_account_without_rights(host: str, said: str, accounts: Ansible) -> None:
    as_account(accounts, host, "nobody")
    try:
        run = fix(accounts, restart=True)
    finally:
        (accounts.lab.state / "host_vars" / f"{host}.yml").unlink()
    assert run.exit_code == 2, run.output
    assert said in run.text.replace("- ", "")
    assert writes(accounts.lab) == []


def test_the_neighbours_of_a_limited_run_are_asked(article: Ansible) -> None:
    article.lab.inject("services_stopped", "fe03.contoso.com")
    limited = ("--limit", "fe02.contoso.com,edges")
    refused = fix(article, *limited, restart=True, time_zone=CENTRAL)
    assert refused.exit_code == 2, refused.output
    assert "fe03.contoso.com is down, and only one server" in refused.text
    assert stops(article.lab) == []
    article.lab.inject("server_reboots", "fe03.contoso.com", seconds=0)
    allowed = fix(article, *limited, restart=True, time_zone=CENTRAL)
    assert allowed.exit_code == 0, allowed.output
    assert stops(article.lab) == ["fe02"]


@pytest.mark.parametrize(
    "play",
    [{"strategy": "free"}, {"strategy": "host_pinned"}, {"serial": 1}],
)
@pytest.mark.parametrize("at_once", ["1", "20"])
def test_a_play_that_is_not_in_step_is_refused(
    at_once: str, play: dict[str, Any], article: Ansible, tmp_path: Path
) -> None:
    path = tmp_path / "play.yml"
    role = {"role": "lync.remediation.clock_drift"}
    description = {"hosts": "edges:front_ends", "gather_facts": False, "roles": [role], **play}
    path.write_text(yaml.safe_dump([description]), encoding="utf-8")
    article.expected_warnings = ["Using run_once with the free strategy"]
    run = article.playbook(
        str(path), "--forks", at_once, clock_drift_restart=True, clock_drift_follow_pool=True
    )
    assert run.exit_code == 2, run.output
    said = "the play must have the linear strategy, and not have serial. Nothing has been changed."
    assert said in run.text.replace("- ", "")
    assert writes(article.lab) == []


def test_a_reading_that_hangs_before_a_restart_is_given_up_soon(article: Ansible) -> None:
    article.lab.inject("hang", "fe02.contoso.com", command="Get-CsPoolUpgradeReadinessState", times=0)
    run = fix(article, restart=True, follow_pool=True, command_timeout=10)
    assert run.exit_code == 2, run.output
    assert "did not finish within 10 seconds" in run.text
    assert stops(article.lab) == []
    assert last_table(run) == {"fe02": "right, restart pending"}


def test_a_domain_that_is_wrong_sets_nobody_wrong(article: Ansible) -> None:
    article.lab.inject("time_server", name="dc01.contoso.com", offset=600)
    for server in ("fe01", "fe02", "fe03", "dublin"):
        article.lab.inject("clock_offset", f"{server}.contoso.com", seconds=600)
    run = fix(article, restart=True, follow_pool=True, allow_step=True, controller_synchronised=True)
    assert run.exit_code == 2, run.output
    assert {"fe01", "fe03", "dublin"} <= set(last_table(run))
    assert "PDC emulator dc01.contoso.com is +10 min off" in run.text
    assert not [each for each in writes(article.lab) if each[0] in ("fe01", "fe03", "dublin", "edge01")]
    assert stops(article.lab) == []


def test_time_servers_that_die_while_a_server_is_repaired(article: Ansible, tmp_path: Path) -> None:
    names = ["ntp1.contoso.com", "ntp2.contoso.com"]
    dead = []

    def die() -> None:
        for name in names:
            article.lab.inject("time_server", name=name, reachable="false")
            dead.append(name)

    with meanwhile(article.lab, "klist", die, "fe02.contoso.com"):
        run, facts = results(article, tmp_path, follow_pool=True, restart=True, ntp_servers=names)
    assert dead == names
    assert run.exit_code == 0, run.output
    assert {server for server, fact in facts.items() if fact["status"] == "corrected"} == {"fe02"}
    assert stops(article.lab) == ["fe02"]
