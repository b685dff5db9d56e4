# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One session a host and run, however a play goes about it, where the server allows no more than that."""

from __future__ import annotations

import json
from typing import Any

import pytest

from .conftest import Ansible, Start
from .test_sessions import LAST, AnsibleAt, sessions

ONE_SHELL = {"quotas": {"shells_per_user": 1}}

#: Each with versions that are run only in a sweep.
EVERY_VERSION = [
    "lync2010",
    *(
        pytest.param(name, marks=pytest.mark.sweep)
        for name in ("lync2013", "lync2013_powershell2", "skype2015", "skype2019", "skype_se")
    ),
]
SCOPES = {
    "sites": {name: {} for name in ("Redmond", "Dublin", "Portland", "Oslo")},
    "settings": {
        "ExternalAccessPolicy": [
            *({"Identity": f"Tag:Team{number}"} for number in range(6)),
            {"Identity": "Site:Dublin"},
            {"Identity": "Site:Oslo"},
        ],
        "MediaConfiguration": [
            {"Identity": f"Site:{site}", "EncryptionLevel": "RequireEncryption"}
            for site in ("Redmond", "Dublin", "Portland")
        ],
    },
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01", "fe02", "fe03"]}},
    "edges": {},
    "central_management": "pool01.contoso.com",
    "users": [{"name": "kenmyer", "display_name": "Ken Myer", "pool": "pool01.contoso.com"}],
    "replication": {"seconds": 0.2},
}


def policy(**options: Any) -> dict[str, Any]:
    return {"lync.remediation.external_access_policy": options}


@pytest.fixture
def one_shell(start: Start, ansible_at: AnsibleAt) -> Ansible:
    return ansible_at(start("lync2010", **ONE_SHELL))


@pytest.mark.parametrize("deployment", EVERY_VERSION)
def test_both_playbooks_with_all_that_they_can_do(
    start: Start, ansible_at: AnsibleAt, deployment: str
) -> None:
    lab = start(deployment, **SCOPES, **ONE_SHELL)
    ansible = ansible_at(lab)
    everything = {
        "include_shadowing_scopes": True,
        "manage_access_edge": True,
        "force_replication": True,
        "users": ["sip:kenmyer@contoso.com"],
        "sites": ["Redmond"],
    }
    before = lab.dump()
    enabled = ansible.enable(**everything, enable_providers=True)
    assert enabled.exit_code == 0, enabled.output
    assert len(lab.writes()) > 10
    held = json.loads(lab.dump())
    assert {each["EncryptionLevel"] for each in held["CsMediaConfiguration"]} == {"SupportEncryption"}
    assert {each["EnablePublicCloudAudioVideoAccess"] for each in held["CsExternalAccessPolicy"]} == {True}
    assert sessions(lab) == (1, 0)
    disabled = ansible.disable(**everything, disable_providers=True)
    assert disabled.exit_code == 0, disabled.output
    assert lab.dump() == before
    assert sessions(lab) == (2, 0)


@pytest.mark.sweep
@pytest.mark.parametrize("deployment", ["lync2013_powershell2", "skype2015", "skype2019", "skype_se"])
def test_a_loop_of_fifty_items(start: Start, ansible_at: AnsibleAt, deployment: str) -> None:
    lab = start(deployment, **ONE_SHELL)
    loop = {
        # Two pools of one deployment would be in each other's way.
        **policy(identity="Tag:{{ inventory_hostname }}{{ item }}", enable_federation_access=True),
        "loop": "{{ range(50) | list }}",
    }
    run = ansible_at(lab).tasks([loop, LAST])
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (1, 0)


def test_items_that_fail_in_a_loop_leave_the_session_to_the_next(one_shell: Ansible) -> None:
    """Refused by the server, refused by the module, and lost on the way."""
    one_shell.lab.inject("error", command="New-CsExternalAccessPolicy", skip=4, times=2)
    one_shell.lab.inject("drop-before", command="New-CsExternalAccessPolicy", skip=4)
    identities = ["Tag:A", "site:Nowhere", "Tag:B", "Tag:C", "Tag:D", "Tag:E", "Tag:F"]
    loop = {**policy(identity="{{ item }}", enable_federation_access=True), "loop": identities}
    loop["ignore_errors"] = True
    run = one_shell.tasks([loop, loop, LAST])
    assert run.exit_code == 0, run.output
    opened, still_open = sessions(one_shell.lab)
    assert opened <= 2  # a session whose line was lost in the middle of a change is ended
    assert still_open == 0


@pytest.mark.parametrize(
    "keywords",
    [
        {"serial": 1},
        pytest.param({"run_once": True}, marks=pytest.mark.sweep),
        {"serial": [1, 4, 7], "throttle": 1},
    ],
    ids=["serial", "run once", "growing batches"],
)
def test_hosts_that_take_turns_go_on_with_one_session(one_shell: Ansible, keywords: dict[str, Any]) -> None:
    lab = one_shell.lab
    (lab.state / "many").write_text(
        "[many]\n" + "".join(f"h{number} ansible_connection=local\n" for number in range(8))
    )
    management = "{{ groups['management'][0] }}"
    task = {
        **policy(identity="Tag:{{ inventory_hostname }}{{ item }}", enable_federation_access=True),
        "loop": [1, 2],
        "delegate_to": management,
    }
    play = {"serial": keywords["serial"]} if "serial" in keywords else {}
    task |= {key: value for key, value in keywords.items() if key not in play}
    run = one_shell.tasks([task, task], "--forks", "8", "--inventory", "many", hosts="many", **play)
    assert run.exit_code == 0, run.output
    assert sessions(lab)[0] == 1


@pytest.mark.sweep
def test_each_of_many_hosts_has_one_session(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock", **ONE_SHELL)
    loop = {"lync.remediation.clock_info": {}, "loop": [1, 2]}
    run = ansible_at(lab).tasks([loop, loop, LAST], hosts="all", strategy="ansible.builtin.free")
    assert run.exit_code == 0, run.output
    assert sessions(lab) == (1, 0)
