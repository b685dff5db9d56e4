# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run that is killed while it changes settings: the journal tells the truth of each, and the next run finishes."""

from __future__ import annotations

import datetime
import json
import os
import random
import signal
from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
import yaml
from forked_ansible import AnsibleForks
from lab.engine import EMBEDDED
from running import RunningLab, ansible_environment, playbook_command

from .in_process import LabInProcess
from .test_clock_drift_killed import descendants, kill

pytestmark = pytest.mark.embedded_only(
    "it judges what a lab in the tests' own process holds once nothing runs there, and a PowerShell does not tell that"
)

DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "sites": {"Redmond": {}, "Dublin": {}},
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01"]}},
    "replication": {"seconds": 0},
    "quotas": {"shells_per_user": 200},
    "settings": {
        "ExternalAccessPolicy": [{"Identity": f"Tag:Team{number}"} for number in range(3)],
        "MediaConfiguration": [
            {"Identity": f"Site:{site}", "EncryptionLevel": "RequireEncryption"}
            for site in ("Redmond", "Dublin")
        ],
        "PublicProvider": [{"Identity": "MSN", "ProxyFqdn": "federation.messenger.msn.com"}],
    },
}
VARIABLES = {
    "windows_live_av_federation_include_shadowing_scopes": True,
    "windows_live_av_federation_enable_providers": True,
    "windows_live_av_federation_manage_access_edge": True,
    "windows_live_av_federation_replication_interval": 1,
}
VERSIONS = {"2.1": 2010, "2.3": 2019}
ROLE = "lync.remediation.enable_windows_live_av_federation"
ALLOWED = {"enable_public_cloud_access": True, "enable_public_cloud_audio_video_access": True}
#: The role's changes without all that it reads and says, which takes four times as long.
TASKS = [
    {"lync.remediation.access_edge_configuration": {"allow_federated_users": True}},
    {"lync.remediation.public_provider": {"identity": "MSN", "enabled": True}},
    {
        "lync.remediation.external_access_policy": {"identity": "{{ item }}", **ALLOWED},
        "loop": ["Global", "Tag:Team0", "Tag:Team1", "Tag:Team2"],
    },
    {
        "lync.remediation.media_configuration": {
            "identity": "{{ item }}",
            "encryption_level": "SupportEncryption",
        },
        "loop": ["Global", "Site:Redmond", "Site:Dublin"],
    },
    {"ansible.builtin.meta": "reset_connection"},
]
RANDOM = random.Random(20261128)
MOMENTS = [
    (RANDOM.randrange(200, 1000), ("all", "worker", "ctrl-c")[number % 3], RANDOM.random() < 0.5)
    for number in range(60)
]


class Killer:
    """Runs of the playbook, one of which ends when the lab has got so many requests."""

    def __init__(self, lab: LabInProcess, home: Path, forks: AnsibleForks, *, role: bool) -> None:
        self.lab = lab
        self.role = role
        self._playbook = ROLE if role else str(home / "playbook.yml")
        play = {"hosts": "management", "gather_facts": False, "tasks": TASKS}
        (home / "playbook.yml").write_text(yaml.safe_dump([play]), encoding="utf-8")
        self.journal = home / "journal"
        self._forks = forks
        self._printed = home / "output"
        self._running = RunningLab(lab.state)
        self._environment = ansible_environment(home)

    def run(self, after: int | None = None, how: str = "", *, answered: bool = True) -> int:
        """Run it; the exit code. ``answered``: the request at which it ends is carried out all the same."""
        variables = {**VARIABLES, "lync_remediation_journal": str(self.journal)}
        process = self._forks.start(
            playbook_command(self._running, self._playbook, ["--extra-vars", json.dumps(variables)]),
            self.lab.state,
            self._environment,
            self._printed,
        )

        def strike(number: int) -> None:
            if number == after:
                end(process.pid, how)
                if not answered:
                    self.lab.inject("drop-before", request="*")

        self.lab.striker.on_request = strike
        code = process.wait(timeout=240)
        self.output = self._printed.read_text(encoding="utf-8")
        self.lab.settle()
        return code


def end(process: int, how: str) -> None:
    workers = descendants_of(process)
    if how == "ctrl-c":
        os.killpg(process, signal.SIGINT)
        return
    if how == "all":
        os.kill(process, signal.SIGKILL)
    kill(workers)


def descendants_of(process: int) -> list[int]:
    with suppress(FileNotFoundError, ProcessLookupError):
        return descendants(process)
    return []


@pytest.fixture(scope="module", params=VERSIONS)
def lab(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInProcess]:
    number = list(VERSIONS).index(request.param)
    network = f"127.{200 + os.getpid() % 50}.{number}"
    document = {**DEPLOYMENT, "version": VERSIONS[request.param], "network": network}
    with LabInProcess(document, tmp_path_factory.mktemp("lab"), number, engine=EMBEDDED) as running:
        yield running


@pytest.fixture
def killer(lab: LabInProcess, role: bool, tmp_path: Path, forks_of_the_session: AnsibleForks) -> Killer:
    """After a run that nobody disturbed."""
    if role not in lab.references:
        lab.reset()
        untouched = Killer(lab, tmp_path, forks_of_the_session, role=role)
        assert untouched.run() == 0, untouched.output
        lab.references[role] = len(lab.striker.names), lab.status()["settings"]
        untouched.journal.rename(tmp_path / "journal of the whole")
    lab.reset()
    return Killer(lab, tmp_path, forks_of_the_session, role=role)


def lines_of(journal: Path) -> list[dict[str, Any]]:
    """What is in the journal's files, all of it readable."""
    return [json.loads(line) for path in journal.glob("*.jsonl") for line in path.read_text().splitlines()]


def untruths(lines: list[dict[str, Any]], lab: LabInProcess, wanted: Mapping[str, Any]) -> Iterator[str]:
    changes = [line for line in lines if line["entry"] == "change"]
    outcomes = {line["id"]: line for line in lines if line["entry"] == "outcome"}
    for write in lab.writes:
        before = [
            change
            for change in changes
            if change["identity"].lower() == str(write["parameters"]["Identity"]).lower()
            and any(command.startswith(write["name"]) for command in change["commands"])
            and datetime.datetime.fromisoformat(change["time"].replace("Z", "+00:00")) <= write["time"]
        ]
        if len(before) != 1:
            yield f"{write['name']} {write['parameters']} has {len(before)} entries"
    if len(changes) - len(outcomes) > 1:
        yield f"{len(changes) - len(outcomes)} changes without an outcome"
    held = lab.status()["settings"]
    for change in changes:
        outcome = outcomes.get(change["id"])
        written = [
            write
            for write in lab.writes
            if str(write["parameters"]["Identity"]).lower() == change["identity"].lower()
        ]
        if outcome is not None and outcome["status"] == "corrected":
            noun = {write["name"].partition("-")[2] for write in written}
            if not noun or any(
                find(held, name, change["identity"]) != find(wanted, name, change["identity"])
                for name in noun
            ):
                yield f"{change['identity']} is told as corrected, and is not"


def find(settings: Mapping[str, Any], noun: str, identity: str) -> Any:
    return next(
        (each for each in settings[noun] if each["Identity"].lower() == identity.lower()),
        None,
    )


def check(killer: Killer, moment: tuple[int, str, bool]) -> None:
    """``moment``: after how many thousandths of a whole run, what ends it, and whether the request at hand is carried
    out.
    """
    lab = killer.lab
    requests, wanted = lab.references[killer.role]
    thousandth, how, answered = moment
    code = killer.run(max(1, requests * thousandth // 1000), how, answered=answered)
    assert code != 0, killer.output
    lines = lines_of(killer.journal)
    assert list(untruths(lines, lab, wanted)) == []
    sent = [(write["name"], json.dumps(write["parameters"], sort_keys=True)) for write in lab.writes]
    assert len(sent) == len(set(sent))
    lab.heal()
    assert killer.run() == 0, killer.output
    assert lab.status()["settings"] == wanted


@pytest.mark.parametrize(
    ("lab", "role", "number"),
    [
        # Each end once: MOMENTS[1], [3] and [5].
        *(pytest.param("2.3", False, number, id=f"tasks-{number}") for number in range(3)),
        *(
            pytest.param(version, True, number, marks=pytest.mark.sweep)
            for version in VERSIONS
            for number in range(30)
        ),
    ],
    indirect=["lab"],
)
def test_a_change_that_is_killed_is_told_and_finished(killer: Killer, number: int) -> None:
    check(killer, MOMENTS[2 * number + killer.lab.number])
