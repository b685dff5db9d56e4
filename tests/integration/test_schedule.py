# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A schedule as it is installed, runs, is told of and is removed, on a computer of its own (see machine.py)."""

from __future__ import annotations

import email
import email.policy
import json
import shutil
import socket
import subprocess
from collections.abc import Iterator
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import pytest
import yaml
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session
from running import CHECKOUT, RunningLab, ansible_environment, recap

from .conftest import Ansible
from .machine import ROOTS_HOME, Machine, has_systemd, why_not

on_a_machine = pytest.mark.skipif(bool(why_not()), reason=f"no computer of one's own: {why_not()}")

PLAYBOOK = shutil.which("ansible-playbook") or ""
NOUNS = "CsMediaConfiguration,CsExternalAccessPolicy"
UNIT = "lync-drift-nightly"


class Mails:
    def __init__(self) -> None:
        self.subjects: list[str] = []
        self.works = True

    async def handle_RCPT(
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if self.works:
            envelope.rcpt_tos.append(address)
        return "250 OK" if self.works else "450 try later"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:
        content = envelope.content
        assert isinstance(content, bytes)
        mail: EmailMessage = email.message_from_bytes(content, policy=email.policy.default)
        self.subjects.append(str(mail["Subject"]))
        return "250 OK"

    def take(self) -> list[str]:
        taken, self.subjects = self.subjects, []
        return taken


@pytest.fixture
def mails() -> Iterator[tuple[Mails, int]]:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    handler = Mails()
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    yield handler, port
    controller.stop()


@pytest.fixture
def lab(contoso: Ansible) -> RunningLab:
    """With a baseline, and readable for other accounts as far as the folders above let them pass."""
    arguments = [
        "-i",
        contoso.lab.inventory.name,
        "lync.remediation.export_baseline",
        "-e",
        f"drift_nouns={NOUNS}",
    ]
    exported = contoso.run(["ansible-playbook", *arguments])
    assert exported.exit_code == 0, exported.output
    return contoso.lab


@pytest.fixture
def machine(tmp_path: Path, lab: RunningLab) -> Iterator[Machine]:
    """Where other accounts may read the lab's inventory."""
    machine = Machine([tmp_path, lab.state], ansible_environment(tmp_path))
    machine.must("chmod", "-R", "a+rX", str(lab.state))
    yield machine
    machine.stop()


@pytest.fixture
def root_s_machine(tmp_path: Path) -> Iterator[Machine]:
    machine = Machine([], ansible_environment(tmp_path))
    yield machine
    machine.stop()


def installing(machine: Machine, variables: dict[str, Any], *arguments: str) -> dict[str, int]:
    command = [PLAYBOOK, "-i", "localhost,", "lync.remediation.schedule_drift"]
    # What a module is goes to Python at once then, without a folder and three more processes for each.
    pipelining = {"ANSIBLE_PIPELINING": "1"}
    output = machine.must(*command, "-e", json.dumps(variables), *arguments, **pipelining)
    return recap(output)["localhost"]


@on_a_machine
def test_for_the_computer_under_an_account_of_its_own(
    machine: Machine, lab: RunningLab, mails: tuple[Mails, int]
) -> None:
    received, port = mails
    mail = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "d@contoso.com",
        "recipients": ["a@contoso.com"],
    }
    variables = {
        "drift_schedule_inventory": [str(lab.inventory)],
        "drift_schedule_method": "systemd",
        "drift_schedule_allow_portable": True,
        "drift_schedule_mail": mail,
        "drift_schedule_random_delay_minutes": 0,
        "drift_schedule_textfile": "/var/lib/lync-drift/metrics/nightly.prom",
        "drift_schedule_writable_folders": ["/var/lib/lync-drift/metrics"],
    }
    machine.must("useradd", "ann")
    variables["drift_schedule_members"] = ["ann"]
    assert installing(machine, variables, "--check", "--diff")["changed"] > 0
    assert machine.run("id", "lync-drift").returncode
    assert installing(machine, variables)["changed"] > 0
    assert installing(machine, variables)["changed"] == 0
    assert "lync-drift" in machine.must("id", "--name", "--groups", "ann")

    units = [f"/etc/systemd/system/{UNIT}{each}" for each in (".service", ".timer", "-failed.service")]
    verified = machine.run("systemd-analyze", "verify", *units)
    assert (verified.returncode, verified.stdout + verified.stderr) == (0, "")
    for unit in (units[0], units[2]):
        machine.must("systemd-analyze", "security", "--offline=true", "--threshold=20", unit)
    rules = yaml.safe_load(machine.must("cat", "/etc/lync-drift/nightly/prometheus_rules.yml"))
    assert {
        set(rule) >= {"alert", "expr", "labels", "annotations"} for rule in rules["groups"][0]["rules"]
    } == {True}
    if shutil.which("promtool"):
        machine.must("promtool", "check", "rules", "/etc/lync-drift/nightly/prometheus_rules.yml")

    def run(word: str, **environment: str) -> int:
        command = ["runuser", "-u", "lync-drift", "--", "/bin/sh", "/etc/lync-drift/nightly/run", word]
        ended = machine.run(*command, **environment)
        print(ended.stdout, ended.stderr)  # for whoever has to find out why
        return ended.returncode

    machine.must("install", "-d", "-o", "lync-drift", "/var/lib/lync-drift/metrics")
    lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    received.works = False
    assert run("cron") == 12
    received.works = True
    assert (run("cron"), len(received.take())) == (10, 1)
    model = json.loads(machine.must("cat", "/var/lib/lync-drift/reports/nightly.json"))
    assert (model["verdict"], model["counts"]["drifted"]) == ("drift", 1)
    # Whoever comes in the morning accepts it, under an account of her own.
    machine.must("chgrp", "-R", "lync-drift", str(lab.state / "baseline"))
    machine.must("chmod", "-R", "g+rwXs", str(lab.state / "baseline"))
    accepting = [PLAYBOOK, "-i", str(lab.inventory), "lync.remediation.accept_drift", "-e"]
    accepting += [
        f"drift_accept={model['findings'][0]['id']} lync_remediation_state=/var/lib/lync-drift/state"
    ]
    machine.must("install", "-d", "-o", "ann", "/home/ann")
    machine.must("runuser", "-u", "ann", "--", "env", "HOME=/home/ann", "ANSIBLE_HOME=/home/ann/.ansible",
                 "ANSIBLE_LOCAL_TEMP=/home/ann/.ansible/tmp", "XDG_STATE_HOME=/home/ann/state", *accepting)  # fmt: skip
    assert (run("cron"), len(received.take())) == (0, 1)
    age = 'lync_remediation_drift_last_success_timestamp_seconds{report="nightly"}'
    assert age in machine.must("cat", str(variables["drift_schedule_textfile"]))

    assert installing(machine, {**variables, "drift_schedule_method": "cron"})["changed"] > 0
    table = machine.must("cat", f"/etc/cron.d/{UNIT}").splitlines()
    assert table[-1] == "0 2 * * * lync-drift /bin/sh /etc/lync-drift/nightly/run cron"
    assert installing(machine, {**variables, "drift_schedule_state": "absent"})["changed"] > 0
    assert machine.must("ls", "/var/lib/lync-drift/state").split() == ["contoso"]
    assert installing(machine, {**variables, "drift_schedule_state": "purged"})["changed"] > 0
    left = machine.must("find", "/etc", "/var", "-name", "*lync-drift*")
    assert (left, machine.run("id", "lync-drift").returncode) == ("", 1)


@on_a_machine
@pytest.mark.sweep
@pytest.mark.skipif(not has_systemd(), reason="there is no systemd to be had")
def test_for_an_account_with_a_systemd_that_runs(
    root_s_machine: Machine, lab: RunningLab, mails: tuple[Mails, int], tmp_path: Path
) -> None:
    machine, (received, port) = root_s_machine, mails
    mail = {
        "host": "127.0.0.1",
        "port": port,
        "security": "none",
        "sender": "d@contoso.com",
        "recipients": ["a@contoso.com"],
    }
    (tmp_path / "vault").write_text("password")
    drop_in = f"{ROOTS_HOME}/.config/systemd/user/{UNIT}.service.d"
    machine.start_systemd()
    variables = {
        "drift_schedule_scope": "user",
        "drift_schedule_inventory": [str(lab.inventory)],
        "drift_schedule_allow_portable": True,
        "drift_schedule_mail": mail,
        "drift_schedule_vault_password_file": str(tmp_path / "vault"),
    }
    assert installing(machine, variables)["changed"] > 0
    assert installing(machine, variables)["changed"] == 0
    assert f"{UNIT}.timer" in machine.must("systemctl", "--user", "list-timers", "--all")

    def start() -> tuple[int, dict[str, str]]:
        ended = machine.run("systemctl", "--user", "start", f"{UNIT}.service")
        shown = machine.must(
            "systemctl", "--user", "show", f"{UNIT}.service", "--property=Result,ExecMainStatus"
        )
        return ended.returncode, dict(line.split("=", 1) for line in shown.splitlines())

    def alarms() -> str:
        shown = machine.must(
            "systemctl", "--user", "show", f"{UNIT}-failed.service", "--property=InvocationID"
        )
        return shown.strip()

    quiet = alarms()
    lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    assert start() == (0, {"Result": "success", "ExecMainStatus": "10"})
    assert (len(received.take()), alarms()) == (1, quiet)

    # Somebody else changes more, and the mail server does not take mail: the verdict stays, and the unit fails.
    lab.inject("other_administrator", noun="CsExternalAccessPolicy", EnableOutsideAccess="true")
    received.works = False
    failed = start()
    assert (failed[0] != 0, failed[1]) == (True, {"Result": "exit-code", "ExecMainStatus": "10"})
    assert alarms() != quiet
    received.works = True
    assert (start()[0], len(received.take())) == (0, 1)

    # A run that never ends is ended, and that is written about.
    machine.must("mkdir", drop_in)
    machine.must("sh", "-c", f"printf '[Service]\\nTimeoutStartSec=4\\n' >{drop_in}/short.conf")
    machine.must("systemctl", "--user", "daemon-reload")
    lab.inject("hang", command="Get-Cs*", times=0, seconds=600)
    assert start()[1]["Result"] == "timeout"
    (subject,) = received.take()
    assert "timeout" in subject
    lab.reset()
    machine.must("rm", "-r", drop_in)
    machine.must("systemctl", "--user", "daemon-reload")
    assert start() == (0, {"Result": "success", "ExecMainStatus": "0"})
    (subject,) = received.take()
    assert "as wanted" in subject

    inventory = lab.inventory.rename(tmp_path / "gone")
    assert start()[1] == {"Result": "exit-code", "ExecMainStatus": "12"}
    assert len(received.take()) == 1
    inventory.rename(lab.inventory)

    assert installing(machine, {**variables, "drift_schedule_state": "purged"})["changed"] > 0
    left = machine.must("find", ROOTS_HOME, "-name", "*lync-drift*")
    assert left == ""


def test_a_project_of_ansible_runner(lab: RunningLab, tmp_path: Path) -> None:
    project = tmp_path / "drift"
    shutil.copytree(CHECKOUT / "runner.example", project)
    shutil.rmtree(project / "inventory")
    not_inventory = shutil.ignore_patterns("*.sock", "control*", "baseline")
    shutil.copytree(lab.state, project / "inventory", ignore=not_inventory)
    shutil.copytree(lab.state / "baseline", project / "baseline")
    lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    command = ["ansible-runner", "run", str(project), "--playbook", "check_drift.yml", "--quiet"]
    ran = subprocess.run(
        command, check=False, capture_output=True, text=True, env=ansible_environment(tmp_path)
    )
    assert ran.returncode == 10, ran.stdout + ran.stderr
    assert json.loads((project / "report" / "drift.json").read_text())["counts"]["drifted"] == 1
    assert (project / "state" / "contoso").is_dir()
