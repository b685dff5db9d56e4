# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running lab, and Ansible run against it as a user runs it. The demo and the integration tests share this."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from lab import control, journal

TESTS = Path(__file__).parent
CHECKOUT = TESTS.parent
DEPLOYMENTS = TESTS / "lab" / "deployments"


@dataclass(frozen=True)
class RunningLab:
    """``state`` is its state directory; beside the inventory there, group_vars and host_vars may be written."""

    state: Path

    @property
    def inventory(self) -> Path:
        return self.state / "inventory"

    def journal(self) -> list[dict[str, Any]]:
        """What happened since the start or the last `reset`."""
        return journal.read(self.state / "journal.jsonl")

    def commands(self) -> list[dict[str, Any]]:
        """The commands that were executed."""
        return [entry for entry in self.journal() if entry["event"] == "command"]

    def writes(self) -> list[str]:
        """The names of the commands that changed the deployment, or tried to."""
        return [entry["name"] for entry in self.commands() if entry["writes"]]

    def dump(self) -> str:
        """What the Central Management Store holds."""
        return json.dumps(control.ask(self.state, "status")["state"]["settings"], indent=1)

    def reset(self) -> None:
        control.ask(self.state, "reset")

    def inject(self, kind: str, server: str = "*", **details: Any) -> None:
        control.ask(self.state, "inject", kind=kind, server=server, options=details)


class LabNotStarted(Exception):
    """The lab's own words why."""


@contextmanager
def running_lab(
    deployment: Path, state: Path, engine: str = "embedded", *, keep: bool = False
) -> Iterator[RunningLab]:
    """Start a deployment on that engine; stop it whatever happens. Raises LabNotStarted.

    With ``keep`` it goes on running unless an exception ends the block.
    """
    command = [sys.executable, "-m", "lab", "up", str(deployment), "--state", str(state), "--engine", engine]
    try:
        # A session of its own: Ctrl-C is for whoever started the lab, who then stops it properly.
        starting = subprocess.Popen(
            command,
            cwd=TESTS,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )
        try:
            _, said = starting.communicate()
        except BaseException:
            # Whoever is interrupted meanwhile leaves no servers behind that are still being started.
            starting.terminate()
            starting.communicate()
            raise
        if starting.returncode:
            raise LabNotStarted(said.strip())
        yield RunningLab(state)
    except BaseException:
        keep = False
        raise
    finally:
        if not keep:
            with suppress(control.NotRunning):
                control.ask(state, "down")


def ansible_environment(home: Path, **settings: str) -> dict[str, str]:
    """An environment in which Ansible finds this checkout, and neither the person's settings nor their journal."""
    home.mkdir(exist_ok=True)
    configuration = home / "ansible.cfg"
    # Ansible looks for results a thousand times a second, which a busy machine feels.
    configuration.write_text("[defaults]\ninternal_poll_interval = 0.005\n", encoding="utf-8")
    kept = {name: value for name, value in os.environ.items() if not name.startswith("ANSIBLE_")}
    return {
        **kept,
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{kept.get('PATH', '')}",
        "ANSIBLE_COLLECTIONS_PATH": str(CHECKOUT / ".collections"),
        "ANSIBLE_CONFIG": str(configuration),
        "ANSIBLE_HOME": str(home / ".ansible"),
        "ANSIBLE_LOCAL_TEMP": str(home / ".ansible" / "tmp"),
        "ANSIBLE_NOCOWS": "1",
        "XDG_STATE_HOME": str(home / "state"),
        "PYTHONUNBUFFERED": "1",
        **settings,
    }


def write_variables(lab: RunningLab, group: str, variables: Mapping[str, Any]) -> None:
    folder = lab.state / "group_vars"
    folder.mkdir(exist_ok=True)
    (folder / f"{group}.yml").write_text(yaml.safe_dump(dict(variables)), encoding="utf-8")


_RECAP = re.compile(r"^(\S+)\s+: (ok=\d+.*)$", re.MULTILINE)
_COLOUR = re.compile(r"\x1b\[[0-9;]*m")


def without_colour(text: str) -> str:
    return _COLOUR.sub("", text)


def recap(output: str) -> dict[str, dict[str, int]]:
    """Ansible's closing counts, by host: ``{'pool01.contoso.com': {'ok': 22, 'changed': 2, ...}}``."""
    return {
        host: {name: int(number) for name, number in re.findall(r"(\w+)=(\d+)", counts)}
        for host, counts in _RECAP.findall(without_colour(output))
    }


def differences(output: str) -> list[str]:
    """Every diff that a run printed, in order."""
    lines = without_colour(output).splitlines()
    found: list[str] = []
    for number, line in enumerate(lines):
        if line.startswith("--- before"):
            end = next(n for n in range(number, len(lines)) if not lines[n])
            found.append("\n".join(lines[number:end]))
    return found


def playbook_command(lab: RunningLab, playbook: str, arguments: Sequence[str]) -> list[str]:
    """As it is typed in the lab's state directory; ``playbook`` is a name of the collection or a file."""
    return ["ansible-playbook", "-i", lab.inventory.name, playbook, *arguments]
