# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whole runs of Ansible, as a user starts them, against simulated deployments.

Labs are started once for each deployment and put back before each test; those that were used last go on running.
Each process of the tests has its own, on loopback addresses of its own.
"""

from __future__ import annotations

import itertools
import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml
from forked_ansible import PROGRAMS, AnsibleForks, ForkedRun
from forked_lab import LabForks
from running import (
    DEPLOYMENTS,
    RunningLab,
    ansible_environment,
    differences,
    playbook_command,
    recap,
    without_colour,
    write_variables,
)

from .clock_drift import TIMES

Start = Callable[..., RunningLab]
#: So many deployments run at once, each in a process of some 100 MB.
LABS = 16


@pytest.fixture(scope="session")
def start(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[Start]:
    """Start a deployment by the name of its file, with changes to its description, or reset it if it runs already."""
    forks = LabForks()
    running: dict[str, tuple[AbstractContextManager[RunningLab], RunningLab]] = {}  # the last used one last
    numbers = itertools.count()

    def start_or_reset(deployment: str = "demo", **changes: Any) -> RunningLab:
        key = json.dumps([deployment, changes], sort_keys=True)
        if key in running:
            running[key] = running.pop(key)
            running[key][1].reset()
            return running[key][1]
        while len(running) >= LABS:
            running.pop(next(iter(running)))[0].__exit__(None, None, None)
        folder = tmp_path_factory.mktemp(deployment)
        description = yaml.safe_load((DEPLOYMENTS / f"{deployment}.yml").read_text(encoding="utf-8"))
        network = f"127.{16 + os.getpid() % 80}.{next(numbers) % 250}"
        # Each change is everywhere at once, unless a test is about waiting for it.
        description |= {"network": network, "replication": {"seconds": 0}} | changes
        (folder / "deployment.yml").write_text(yaml.safe_dump(description), encoding="utf-8")
        starting = forks.running(folder / "deployment.yml", folder / "lab", engine)
        lab = starting.__enter__()
        running[key] = (starting, lab)
        # The deployment's names are in no DNS.
        prefix = "windows_live_av_federation_"
        write_variables(lab, "all", {f"{prefix}replication_interval": 1, f"{prefix}outside": False})
        return lab

    yield start_or_reset
    for each, _ in running.values():
        each.__exit__(None, None, None)
    forks.close()


@dataclass(frozen=True)
class Run:
    """What came of a run."""

    exit_code: int
    output: str

    @property
    def changed(self) -> int:
        return sum(host["changed"] for host in recap(self.output).values())

    @property
    def differences(self) -> list[str]:
        return differences(self.output)

    @property
    def text(self) -> str:
        """The output in one line, without what Ansible breaks, indents and quotes."""
        return re.sub(r"[\s\"'\\]+", " ", self.output)


class Ansible:
    """Ansible as a person at a lab runs it. A warning fails, unless it begins like one of ``expected_warnings``."""

    def __init__(self, lab: RunningLab, home: Path, forks: AnsibleForks | None = None) -> None:
        self.lab = lab
        self.expected_warnings: list[str] = []
        self._home = home
        self._forks = forks
        self._environment = ansible_environment(home, ANSIBLE_CALLBACK_RESULT_FORMAT="yaml")

    def run(self, command: list[str], folder: Path | None = None, **environment: str) -> Run:
        """In the lab's state directory, if no other folder is named."""
        output = self._home / "output"
        where = folder or self.lab.state
        exit_code = self._start(command, where, {**self._environment, **environment}, output).wait(
            timeout=300
        )
        run = Run(exit_code, without_colour(output.read_text(encoding="utf-8")))
        assert "Traceback (most recent call last)" not in run.output, run.output
        assert "lync.remediation has an error of its own" not in run.output, run.output
        assert "[DEPRECATION WARNING]" not in run.output, run.output
        warnings = re.findall(r"^\[WARNING\]: (.*)", run.output, re.MULTILINE)
        unexpected = [
            each for each in warnings if not any(re.match(like, each) for like in self.expected_warnings)
        ]
        assert unexpected == [], run.output
        return run

    def _start(
        self, command: list[str], folder: Path, environment: Mapping[str, str], output: Path
    ) -> ForkedRun | subprocess.Popen[bytes]:
        # What was imported once comes from one place.
        is_elsewhere = (
            environment["ANSIBLE_COLLECTIONS_PATH"] != self._environment["ANSIBLE_COLLECTIONS_PATH"]
        )
        if self._forks is not None and command[0] in PROGRAMS and not is_elsewhere:
            return self._forks.start(command, folder, environment, output)
        with output.open("wb") as printed:
            return subprocess.Popen(
                command,
                cwd=folder,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=printed,
                stderr=subprocess.STDOUT,
            )

    def playbook(self, playbook: str, *arguments: str, **variables: Any) -> Run:
        return self.run(
            playbook_command(self.lab, playbook, [*arguments, "--extra-vars", json.dumps(variables)])
        )

    def enable(self, *arguments: str, **variables: Any) -> Run:
        return self._federation("enable", arguments, variables)

    def disable(self, *arguments: str, **variables: Any) -> Run:
        return self._federation("disable", arguments, variables)

    def _federation(self, verb: str, arguments: tuple[str, ...], variables: Mapping[str, Any]) -> Run:
        prefixed = {f"windows_live_av_federation_{name}": value for name, value in variables.items()}
        return self.playbook(
            f"lync.remediation.{verb}_windows_live_av_federation", "--diff", *arguments, **prefixed
        )

    def tasks(
        self, tasks: list[dict[str, Any]], *arguments: str, hosts: str = "management", **keywords: Any
    ) -> Run:
        """A playbook of one play. ``keywords`` are more of the play's."""
        play = [{"hosts": hosts, "gather_facts": False, **keywords, "tasks": tasks}]
        path = self._home / "playbook.yml"
        path.write_text(yaml.safe_dump(play, sort_keys=False), encoding="utf-8")
        return self.run(playbook_command(self.lab, str(path), arguments))

    def module(self, name: str, *arguments: str, hosts: str = "management", **options: Any) -> dict[str, Any]:
        """One module's result on one host, with ``reached``: SUCCESS, CHANGED, FAILED! or UNREACHABLE!."""
        (result,) = self.modules(name, *arguments, hosts=hosts, **options).values()
        return result

    def modules(self, name: str, *arguments: str, hosts: str, **options: Any) -> dict[str, dict[str, Any]]:
        """The same of several hosts at once, by host."""
        run = self.run(
            [
                *(
                    "ansible",
                    "-i",
                    self.lab.inventory.name,
                    hosts,
                    "--module-name",
                    f"lync.remediation.{name}",
                ),
                *(("--args", json.dumps(options)) if options else ()),
                # A run of one task has nobody to leave a session to.
                *("--extra-vars", "ansible_management_shell_keep_session=false"),
                *arguments,
            ],
            ANSIBLE_CALLBACK_RESULT_FORMAT="json",
        )
        decode = json.JSONDecoder().raw_decode
        found = {
            match[1]: {**decode(run.output, match.end())[0], "reached": match[2]}
            for match in re.finditer(r"^(\S+) \| (\S+) => (?=\{)", run.output, re.MULTILINE)
        }
        assert found, run.output
        return found

    def results(
        self, tasks: list[dict[str, Any]], *arguments: str, hosts: str
    ) -> tuple[Run, dict[str, list[dict[str, Any]]]]:
        """A play of these tasks, all of them whatever fails, and by host what each returned."""
        folder = self._home / "results"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        names = [f"result_{number}" for number in range(len(tasks))]
        kept = {
            "ansible.builtin.copy": {
                "content": f"{{{{ [{', '.join(names)}] | to_json }}}}",
                "dest": f"{folder}/{{{{ inventory_hostname }}}}",
                "mode": "0600",
            },
            "delegate_to": "localhost",
            "check_mode": False,
            "diff": False,
        }
        noted = [
            {**task, "register": name, "ignore_errors": True} for task, name in zip(tasks, names, strict=True)
        ]
        # Many runs in a row would leave more sessions than a server of 2010 allows.
        closed = {"ansible.builtin.meta": "reset_connection"}
        run = self.tasks([*noted, kept, closed], *arguments, hosts=hosts)
        found = {path.name: json.loads(path.read_text()) for path in folder.iterdir()}
        assert found, run.output
        return run, found


@pytest.fixture(scope="session")
def forks_of_the_session() -> Iterator[AnsibleForks]:
    forks = AnsibleForks()
    yield forks
    forks.close()


@pytest.fixture
def forks(request: pytest.FixtureRequest, forks_of_the_session: AnsibleForks) -> AnsibleForks | None:
    """None where the commands themselves are to be started."""
    return None if request.node.get_closest_marker("smoke") else forks_of_the_session


@pytest.fixture
def ansible_at(tmp_path: Path, forks: AnsibleForks | None) -> Callable[[RunningLab], Ansible]:
    return lambda lab: Ansible(lab, tmp_path, forks)


@pytest.fixture
def article(start: Start, ansible_at: Callable[[RunningLab], Ansible]) -> Ansible:
    """One Front End of three whose zone was flipped, on Lync Server 2013."""
    return ansible_at(start("clock", **TIMES))


@pytest.fixture
def demo(start: Start, ansible_at: Callable[[RunningLab], Ansible]) -> Ansible:
    """Ansible at the deployment of the demonstration: Lync Server 2010, everything ready but the two settings."""
    return ansible_at(start("demo"))


@pytest.fixture
def contoso(demo: Ansible) -> Ansible:
    """The demo's deployment with a name of its own, and no baseline yet."""
    shutil.rmtree(demo.lab.state / "baseline", ignore_errors=True)
    variables = {"lync_remediation_deployment": "contoso", "lync_remediation_state_persists": True}
    write_variables(demo.lab, "management", variables)
    return demo
