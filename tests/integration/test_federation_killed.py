# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The federation role, killed at each of its writes: there and back ends where it began all the same."""

from __future__ import annotations

import itertools
import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from forked_ansible import AnsibleForks
from lab.engine import EMBEDDED
from running import DEPLOYMENTS, RunningLab, ansible_environment, playbook_command

from .in_process import LabInProcess
from .test_killed_changes import end
from .test_scopes import EVERYBODY, PEOPLE, POLICIES, SCOPES

pytestmark = [
    pytest.mark.sweep,
    pytest.mark.embedded_only(
        "its labs run in the tests' own process, where they see each write when it comes"
    ),
]
CASES = {"sites": SCOPES["sites"], "everybody": EVERYBODY}


class Killer:
    def __init__(self, lab: LabInProcess, home: Path, forks: AnsibleForks) -> None:
        self._lab, self._home, self._forks = lab, home, forks
        self._environment = ansible_environment(home)
        self.output = ""

    def run(self, verb: str, variables: dict[str, Any], *, writes: int | None = None) -> int:
        """Run a playbook, killed with all of its workers once the lab has seen so many writes; its exit code."""
        given = {f"windows_live_av_federation_{name}": value for name, value in variables.items()}
        arguments = [
            "--extra-vars",
            json.dumps({**given, "lync_remediation_journal": str(self._home / "journal")}),
        ]
        playbook = f"lync.remediation.{verb}_windows_live_av_federation"
        command = playbook_command(RunningLab(self._lab.state), playbook, arguments)
        printed = self._home / "output"
        process = self._forks.start(command, self._lab.state, self._environment, printed)
        before = len(self._lab.writes)

        def strike(name: str) -> None:
            if writes is not None and len(self._lab.writes) - before == writes:
                end(process.pid, "all")

        self._lab.on_write = strike
        code = process.wait(timeout=240)
        self._lab.on_write = None
        self._lab.settle()
        self.output = printed.read_text(encoding="utf-8")
        return code

    @property
    def held(self) -> str:
        status = self._lab.status()
        return json.dumps([status["settings"], status["users"]], sort_keys=True, indent=1)


@pytest.mark.parametrize(
    ("verb", "then", "first"),
    [("enable", "enable", 1), ("enable", "disable", 2), ("disable", "enable", 3), ("disable", "disable", 1)],
)
@pytest.mark.parametrize(("case", "version"), [("sites", 2010), ("everybody", 2019)])
def test_wherever_a_run_is_killed_the_way_back_ends_where_it_began(
    case: str,
    version: int,
    verb: str,
    then: str,
    first: int,
    tmp_path: Path,
    forks_of_the_session: AnsibleForks,
) -> None:
    """Killed at its ``first`` write, and once more at each third one behind it."""
    demo = yaml.safe_load((DEPLOYMENTS / "demo.yml").read_text(encoding="utf-8"))
    changes: dict[str, Any] = {
        "settings": {**demo["settings"], "ExternalAccessPolicy": POLICIES},
        "users": PEOPLE,
    }
    document = {
        **demo,
        **(changes if case == "everybody" else {}),
        "version": version,
        "network": f"127.{110 + os.getpid() % 60}.1",
        "replication": {"seconds": 0},
    }
    variables = {**CASES[case], "replication_interval": 1, "outside": False}
    with LabInProcess(document, tmp_path / "lab", engine=EMBEDDED) as lab:
        killer = Killer(lab, tmp_path, forks_of_the_session)
        before = killer.held
        for killed in itertools.count(first, 3):
            if verb == "disable":
                assert killer.run("enable", variables) == 0, killer.output
            code = killer.run(verb, variables if verb == "enable" else {}, writes=killed)
            if then == "enable":
                assert killer.run("enable", variables) == 0, (killed, killer.output)
            assert killer.run("disable", {}) == 0, (killed, killer.output)
            assert killer.held == before, (killed, killer.output)
            if code == 0:
                break  # it has no more writes
        assert killed > first
