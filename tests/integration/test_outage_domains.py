# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Over the wire: what stands in for a server must run before that one is stopped, be it of its pool or of another."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .clock_drift import fix, owe_restart
from .conftest import Ansible, Start
from .in_process import LabInProcess, Worker

#: By pool: its servers, and what else the lab is to know of it.
POOLS: dict[str, tuple[list[str], dict[str, Any]]] = {
    "pool01": (["fe01", "fe02"], {}),
    "se01": (["se01"], {"edition": "standard", "backup": "se02.contoso.com"}),
    "se02": (["se02"], {"edition": "standard", "backup": "se01.contoso.com"}),
    "dirs": (["dir01", "dir02"], {"edition": "director"}),
    "lone": (["dir03"], {"edition": "director"}),
    "med1": (["med01", "med02"], {"edition": "mediation"}),
    "med2": (["med03"], {"edition": "mediation"}),
}
EDGES = {"edge": ["edge01"], "hide": ["edge02"]}
DEPLOYMENT: dict[str, Any] = {
    "version": 2013,
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [
        {"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"], "delegation": True}
    ],
    "inventory": {"management": "basic", "computers": "basic"},
    "sites": {"Redmond": {}},
    "pools": {
        f"{pool}.contoso.com": {
            "site": "Redmond",
            "computers": computers,
            "management": pool == "pool01",
            **more,
        }
        for pool, (computers, more) in POOLS.items()
    },
    "edges": {
        f"{pool}.contoso.com": {"site": "Redmond", "computers": computers, "next_hop": "pool01.contoso.com"}
        for pool, computers in EDGES.items()
    },
    "central_management": "pool01.contoso.com",
    "services": {"start_seconds": 0, "stop_seconds": 0, "drain_seconds": 0},
    "high_availability": {"busy_seconds": 0, "quorum_loss_seconds": 5},
}
OPTIONS = {"management_host": "pool01.contoso.com", "settle": 0, "interval": 1, "busy_wait": 0}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[LabInProcess]:
    network = {"network": f"127.{100 + os.getpid() % 100}.7"}
    sleep = time.sleep
    with (
        LabInProcess({**DEPLOYMENT, **network}, tmp_path_factory.mktemp("lab"), engine=engine) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.02)))
        yield running


@pytest.mark.parametrize(
    ("down", "restarted", "refused"),
    [
        ("se02", "se01", True),
        ("edge02", "edge01", True),
        ("dir03", "dir01", True),
        ("med03", "med01", True),
        ("med01", "dir01", False),
        ("se01", "med03", False),
    ],
)
def test_what_stands_in_for_a_server_must_run(
    down: str, restarted: str, refused: bool, lab: LabInProcess, tmp_path: Path
) -> None:
    lab.reset()
    lab.inject("services_stopped", computer=f"{down}.contoso.com")
    worker = Worker(lab.variables(f"{restarted}.contoso.com"), tmp_path / "run", tmp_path / "journal")
    result = worker.run("server_restart", OPTIONS, hostvars=lab.hostvars)
    stopped = {each["server"] for each in lab.writes if each["name"] == "Stop-CsWindowsService"}
    if refused:
        assert (result.get("failure"), result["changed"]) == ("refused", False), result
        assert f"{down}.contoso.com" in result["msg"]
        assert stopped == set()
    else:
        assert result["status"] == "corrected", result
        assert stopped == {f"{restarted}.contoso.com"}


@pytest.mark.sweep
def test_every_kind_of_pool_is_restarted_in_its_turn(start: Start, ansible_at: Any) -> None:
    lab = start(
        "clock", users=[], **{key: DEPLOYMENT[key] for key in ("sites", "pools", "edges", "services")}
    )
    for servers in ("fe*", "se*", "dir*", "med*", "edge0*"):
        owe_restart(lab, servers)
    ansible: Ansible = ansible_at(lab)
    run = fix(ansible, "--forks", "10", restart=True, settle=0)
    assert run.exit_code == 0, run.output
    down = [
        entry["server"].partition(".")[0]
        for entry in lab.journal()
        if entry["event"] == "computer" and not entry["serves"]
    ]
    assert down == [
        *("edge01", "edge02", "dir02", "dir01", "dir03", "med02", "med01", "med03"),
        *("se01", "se02", "fe02", "fe01"),
    ]
