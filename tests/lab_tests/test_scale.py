# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Five hundred servers in one process: what memory they take."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from pypsrp.powershell import RunspacePool

from .conftest import powershell
from .small import ADDRESS
from .test_command_line import DEPLOYMENT, connect, hosts, lab

GIGABYTE_KB = 2**20


def memory_kb(process: int) -> int:
    """The most that a process ever had in memory."""
    status = Path(f"/proc/{process}/status").read_text()
    return int(next(line.split()[1] for line in status.splitlines() if line.startswith("VmHWM:")))


@pytest.mark.sweep
def test_five_hundred_servers_take_less_than_a_gigabyte(tmp_path: Path) -> None:
    deployment, state = tmp_path / "large.yml", tmp_path / "state"
    first, second = ADDRESS.split(".")[:2]
    deployment.write_text(
        yaml.safe_dump(
            {
                **{
                    key: value
                    for key, value in DEPLOYMENT.items()
                    if key not in ("pools", "central_management")
                },
                "network": f"{first}.{second}.251",
                # A pool's own web service is a server, too.
                "generate": {"pools": 125, "computers_per_pool": 3, "sites": 5, "computer_endpoints": True},
            }
        )
    )
    lab("up", deployment, "--state", state)
    try:
        status = json.loads(lab("status", "--json", "--state", state).stdout)
        assert len(status["servers"]) == 500
        process = json.loads((state / "control.json").read_text())["pid"]
        every = list(hosts(state).values())
        assert len(every) == 500
        pools = [RunspacePool(connect(variables)) for variables in every[::10]]
        for pool in pools:
            pool.open()
        for pool in pools:
            assert powershell(pool, ("Get-Command", "Get-Command")).invoke()
        assert json.loads(lab("status", "--json", "--state", state).stdout)["totals"]["sessions_open"] == 50
        assert memory_kb(process) < GIGABYTE_KB
        for pool in pools:
            pool.close()
    finally:
        lab("down", "--state", state)
