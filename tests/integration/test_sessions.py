# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""How many sessions a run opens, and what is left of them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from running import RunningLab, recap

from .conftest import Ansible, Start

AnsibleAt = Callable[[RunningLab], Ansible]

INFO: dict[str, Any] = {"lync.remediation.media_configuration_info": {}}
LAST: dict[str, Any] = {"ansible.builtin.meta": "reset_connection"}


def sessions(lab: RunningLab) -> tuple[int, int]:
    """How many were opened on the server that got most, and how many on all are open still."""
    opened = Counter(entry["server"] for entry in lab.journal() if entry["event"] == "session_opened")
    closed = [entry for entry in lab.journal() if entry["event"] == "session_closed"]
    return max(opened.values(), default=0), opened.total() - len(closed)


@pytest.mark.parametrize("deployment", ["lync2010", pytest.param("lync2013", marks=pytest.mark.sweep)])
def test_a_loop_of_fifty_items_takes_one_session(
    start: Start, ansible_at: AnsibleAt, deployment: str
) -> None:
    lab = start(deployment)
    policy = {"identity": "Tag:P{{ item }}", "enable_federation_access": True}
    loop = {"lync.remediation.external_access_policy": policy, "loop": "{{ range(50) | list }}"}
    run = ansible_at(lab).tasks([loop, INFO, LAST], hosts="management[0]")
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (1, 0)


def test_delegated_loops_take_one_session_a_host(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock")
    loop = {
        "lync.remediation.clock_info": {},
        "delegate_to": "{{ item }}",
        "loop": "{{ groups['front_ends'] + groups['front_ends'] }}",
    }
    run = ansible_at(lab).tasks([loop, loop], hosts="localhost", connection="local")
    assert run.exit_code == 0, run.output
    assert sessions(lab)[0] == 1


@pytest.mark.parametrize(
    ("deployment", "strategy"),
    [
        ("lync2010", "linear"),
        pytest.param("lync2013", "free", marks=pytest.mark.sweep),
        pytest.param("lync2010", "free", marks=pytest.mark.sweep),
        pytest.param("lync2013", "linear", marks=pytest.mark.sweep),
    ],
)
def test_hosts_that_delegate_to_one_share_two_sessions(
    start: Start, ansible_at: AnsibleAt, deployment: str, strategy: str
) -> None:
    hosts_that_delegate_to_one(ansible_at, start(deployment), strategy)


def test_hosts_that_delegate_to_one_share_the_only_session_that_it_allows(
    start: Start, ansible_at: AnsibleAt
) -> None:
    hosts_that_delegate_to_one(ansible_at, start("lync2010", quotas={"shells_per_user": 1}), "free")


def hosts_that_delegate_to_one(ansible_at: AnsibleAt, lab: RunningLab, strategy: str) -> None:
    (lab.state / "many").write_text(
        "[many]\n" + "".join(f"h{number} ansible_connection=local\n" for number in range(12))
    )
    tasks = [{**INFO, "delegate_to": "{{ groups['management'][0] }}"} for _ in range(2)]
    run = ansible_at(lab).tasks(
        tasks, "--forks", "12", "--inventory", "many", hosts="many", strategy=f"ansible.builtin.{strategy}"
    )
    assert run.exit_code == 0, run.output
    assert sessions(lab)[0] <= 2


def test_resetting_the_connection_closes_all_that_was_left(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("lync2013")
    (lab.state / "many").write_text(
        "[many]\n" + "".join(f"h{number} ansible_connection=local\n" for number in range(6))
    )
    shared = {**INFO, "delegate_to": "{{ groups['management'][0] }}"}
    ansible = ansible_at(lab)
    path = lab.state / "two.yml"
    path.write_text(
        yaml.safe_dump(
            [
                {"hosts": "many", "gather_facts": False, "tasks": [shared]},
                {"hosts": "management", "gather_facts": False, "tasks": [INFO, LAST]},
            ]
        )
    )
    run = ansible.run(["ansible-playbook", "-i", lab.inventory.name, "-i", "many", str(path), "--forks", "6"])
    assert run.exit_code == 0, run.output
    opened, still_open = sessions(lab)
    assert opened <= 2
    assert still_open == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"ansible_psrp_read_timeout": 5},
        {"ansible_management_shell_idle_timeout": 1},
        {"ansible_psrp_ca_cert": "/nowhere/ca.pem"},
        {"ansible_psrp_auth": "basic", "ansible_psrp_message_encryption": "always"},
        {"ansible_psrp_auth": "basic", "ansible_password": "pä€ß"},
        {"ansible_port": 1},
    ],
)
def test_resetting_never_ends_the_run(start: Start, ansible_at: AnsibleAt, wrong: dict[str, Any]) -> None:
    ansible = ansible_at(start("lync2013"))
    # It names the host first.
    ansible.expected_warnings = ["127."]
    run = ansible.tasks(
        [
            INFO,
            {"ansible.builtin.set_fact": wrong},
            LAST,
            {"ansible.builtin.debug": {"msg": "went on"}},
        ],
        hosts="management[0]",
    )
    assert run.exit_code == 0, run.output
    assert "went on" in run.output


def test_an_account_that_changes_from_item_to_item_has_its_own_session(
    start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("lync2013")
    item = {
        **INFO,
        "loop": ["uc-admin", "server-admin", "uc-admin"],
        "vars": {"ansible_user": "CONTOSO\\{{ item }}"},
        "ignore_errors": True,
    }
    ansible_at(lab).tasks([item], hosts="management[0]")
    opened = [entry for entry in lab.journal() if entry["event"] == "session_opened"]
    assert sorted(entry["caller"].rpartition("\\")[2] for entry in opened) == ["server-admin", "uc-admin"]


def test_waiting_for_the_connection_opens_a_session_for_the_next_task(
    start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("lync2013")
    run = ansible_at(lab).tasks(
        [
            INFO,
            {"ansible.builtin.wait_for_connection": {"timeout": 20}},
            INFO,
            {"ansible.builtin.ping": {}},
            LAST,
        ]
    )
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (2, 0)


def test_waiting_for_a_server_that_is_away_goes_on_until_it_is_there(
    start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("lync2013")
    lab.inject("status", request="*", times=8, code=503)
    wait = {"ansible.builtin.wait_for_connection": {"timeout": 60, "sleep": 0}}
    run = ansible_at(lab).tasks([wait, INFO], "--extra-vars", "ansible_psrp_reconnection_retries=0")
    assert run.exit_code == 0, run.output


def test_options_that_no_server_can_make_work_are_not_waited_for(start: Start, ansible_at: AnsibleAt) -> None:
    wait = {"ansible.builtin.wait_for_connection": {"timeout": 900}, "vars": {"ansible_psrp_read_timeout": 5}}
    run = ansible_at(start("lync2013")).tasks([wait])
    assert run.exit_code == 2, run.output
    assert "ansible_psrp_read_timeout (5) must be more than" in run.text


def test_other_modules_are_refused_as_before(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("lync2013")
    tasks: list[dict[str, Any]] = [
        {"ansible.builtin.setup": {}},
        {"ansible.builtin.raw": "echo ping"},
        {"ansible.builtin.stat": {"path": "/"}},
    ]
    run = ansible_at(lab).tasks([{**task, "ignore_errors": True} for task in tasks])
    counts = recap(run.output)
    assert {host["ignored"] for host in counts.values()} == {len(tasks)}
    assert run.text.count("runs Management Shell commands only") >= len(tasks) * len(counts)
    assert sessions(lab) == (0, 0)


@pytest.mark.sweep
@pytest.mark.parametrize("deployment", ["lync2013_powershell2", "demo", "lync2010"])
def test_the_playbook_with_all_scopes_takes_one_session(
    start: Start, ansible_at: AnsibleAt, deployment: str
) -> None:
    lab = start(deployment)
    run = ansible_at(lab).enable(
        include_shadowing_scopes=True, enable_providers=True, manage_access_edge=True
    )
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (1, 0)


def test_a_server_that_is_slow_to_open_a_session_is_waited_for(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("lync2013", timings={"session_open_delay": 5})
    variables = ["--extra-vars", "ansible_psrp_operation_timeout=2 ansible_psrp_read_timeout=4"]
    run = ansible_at(lab).tasks([INFO, LAST], *variables)
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (1, 0)
