# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A task's own ``timeout``, as Ansible itself lets it run out."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

from running import RunningLab

from .conftest import Ansible, Start

KEYS = {
    "changed",
    "status",
    "before",
    "after",
    "drift",
    "commands",
    "restore_commands",
    "diff",
    "msg",
    "failure",
    "failed",
}
POLICY = "lync.remediation.external_access_policy"


def test_a_time_out_before_and_after_the_first_write(
    start: Start, ansible_at: Callable[[RunningLab], Ansible], tmp_path: Path
) -> None:
    lab = start("lync2013")
    # One task for each; the second is stopped while its write is at work.
    lab.inject("hang", command="Get-CsExternalAccessPolicy", seconds=30)
    lab.inject("hang", command="Set-CsExternalAccessPolicy", seconds=30)
    tasks = [
        {
            "block": [{POLICY: {"enable_public_cloud_access": True}, "timeout": 3}],
            "rescue": [
                {
                    "ansible.builtin.copy": {
                        "content": "{{ ansible_failed_result | to_json }}",
                        "dest": str(tmp_path / name),
                        "mode": "0600",
                    },
                    "delegate_to": "localhost",
                }
            ],
        }
        for name in ("before", "after")
    ]
    run = ansible_at(lab).tasks(tasks, hosts="management[0]")
    assert run.exit_code == 0, run.output
    before, after = (json.loads((tmp_path / name).read_text()) for name in ("before", "after"))
    for result in (before, after):
        assert set(result) >= KEYS
        assert (result["failed"], result["failure"]) == (True, "task_timed_out")
    assert (before["status"], before["changed"], before["commands"]) == ("unknown", False, [])
    assert (after["status"], after["changed"]) == ("unknown", True)
    assert [command.split()[0] for command in after["commands"]] == ["Set-CsExternalAccessPolicy"]
    assert after["restore_commands"]
