# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tests of the role clock_drift share: its runs, and what the lab's journal tells about them."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml
from running import RunningLab

if TYPE_CHECKING:
    from .conftest import Ansible, Run, Start

PLAYBOOK = "lync.remediation.fix_clock_drift"
CENTRAL, GREENWICH = "Central Standard Time", "GMT Standard Time"
# The lab's pools are ready sooner than real ones.
QUICK = {
    "clock_drift_settle": 1,
    "clock_drift_busy_wait": 1,
    "clock_drift_interval": 1,
    # In many of these deployments every server has another zone than it should.
    "clock_drift_time_zone_confirmed": True,
}
TIMES = {
    "services": {"start_seconds": 0, "stop_seconds": 0, "drain_seconds": 0},
    "high_availability": {"busy_seconds": 0.3, "quorum_loss_seconds": 0.2},
}
STOP, START = "Stop-CsWindowsService", "Start-CsWindowsService"
FAIL_OVER, FAIL_BACK = "Invoke-CsComputerFailOver", "Invoke-CsComputerFailBack"


# Get-CsPoolFabricState says so while a server is down.
OF_THE_POOL = r"Replicas missing on "
OF_A_RESTART = r"\S+ is the only server of \S+: its users are without service meanwhile"


def fix(ansible: Ansible, *arguments: str, **variables: Any) -> Run:
    return _playbook(ansible, PLAYBOOK, "--diff", *arguments, **variables)


def _playbook(ansible: Ansible, playbook: str, *arguments: str, **variables: Any) -> Run:
    ansible.expected_warnings = [OF_THE_POOL, *([OF_A_RESTART] if variables.get("restart") else [])]
    return ansible.playbook(playbook, *arguments, **{**QUICK, **prefixed(variables)})


def results(
    ansible: Ansible, folder: Path, *arguments: str, **variables: Any
) -> tuple[Run, dict[str, dict[str, Any]]]:
    """The run, and by server the fact that the role sets, as a play after the playbook reads it."""
    file = folder / "results.json"
    reading = {
        "hosts": "management",
        "gather_facts": False,
        "tasks": [
            {
                "ansible.builtin.copy": {
                    "content": "{{ dict(servers | zip(facts)) | to_json }}",
                    "dest": str(file),
                    "mode": "0600",
                },
                "vars": {
                    "servers": "{{ groups['edges'] + groups['front_ends'] }}",
                    "facts": "{{ servers | map('extract', hostvars, 'clock_drift_result') }}",
                },
                "delegate_to": "localhost",
                "changed_when": False,
                "check_mode": False,
                "diff": False,
            }
        ],
    }
    (folder / "results.yml").write_text(
        yaml.safe_dump([{"import_playbook": PLAYBOOK}, reading]), encoding="utf-8"
    )
    run = _playbook(ansible, str(folder / "results.yml"), *arguments, **variables)
    assert file.exists(), run.output
    found = json.loads(file.read_text(encoding="utf-8"))
    return run, {server.partition(".")[0]: result for server, result in found.items()}


def prefixed(variables: dict[str, Any]) -> dict[str, Any]:
    return {f"clock_drift_{name}": value for name, value in variables.items()}


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


def changes(lab: RunningLab) -> list[tuple[str, str]]:
    """The same without the marks that servers bear while they are restarted."""
    mark = re.compile(r"New-Item|New-ItemProperty [0-9a-f]{16}|Remove-ItemProperty")
    return [each for each in writes(lab) if not mark.fullmatch(each[1])]


def stops(lab: RunningLab) -> list[str]:
    """The servers whose services were stopped, in order."""
    return [server for server, command in writes(lab) if command in (STOP, FAIL_OVER)]


def down(lab: RunningLab) -> set[str]:
    """The servers that serve nobody at the end, as the journal has it."""
    serves = {entry["server"]: entry["serves"] for entry in lab.journal() if entry["event"] == "computer"}
    return {server.partition(".")[0] for server, it_does in serves.items() if not it_does}


def last_table(run: Run) -> dict[str, str]:
    """By server, the verdict of the last table, in which those are that are not right."""
    rows = run.output[run.output.rindex("SERVER  ") :].splitlines()[1:]
    found = {}
    for row in rows:
        name, *rest = re.split(r" {2,}", row)
        if not rest:
            break
        found[name] = rest[0]
    return found


def another_zone(start: Start, version: object = 2013, size: int = 3, **changes: Any) -> RunningLab:
    """A pool and its Edge Server, all of which stand in another zone than they should; their UTC is right."""
    clock = {"time_zone": GREENWICH}
    computers = [{"name": f"fe0{number}", "clock": clock} for number in range(1, size + 1)]
    return start(
        "clock",
        **{**TIMES, **changes},
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


RESTART_PENDING = r"HKEY_LOCAL_MACHINE\SOFTWARE\lync.remediation\RestartPending"


def owe_restart(lab: RunningLab, server: str) -> None:
    """The note that an interrupted run leaves on servers (a pattern)."""
    for name, value in (("Since", "2026-11-20T10:00:00Z"), ("Reason", "its time zone was UTC")):
        lab.inject("registry_changed", server, path=RESTART_PENDING, name=name, value=value)


def av_authentication(ansible: Ansible) -> bool | None:
    found = ansible.module("pool_info", pool="pool01.contoso.com", services=False, test_av_edge=True)
    return found["av_edge"]["success"]
