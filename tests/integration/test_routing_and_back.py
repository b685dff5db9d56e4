# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The routing method of the Access Edge is changed and taken back: the store is as it was before, to the last value."""

from __future__ import annotations

import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from .in_process import LabInProcess, Worker

POOL = "pool01.contoso.com"
BY_DNS = {"EnablePartnerDiscovery": True, "BeClearingHouse": True}
BY_DEFAULT = {
    "RoutingMethod": "UseDefaultRouting",
    "DefaultRouteFqdn": "route.contoso.com",
    "IsPublicProvider": True,
    "VerificationLevel": "AlwaysVerifiable",
}
TO_DEFAULT = {"routing_method": "UseDefaultRouting", "default_route_fqdn": "other.contoso.com"}
TO_DNS = {"routing_method": "UseDnsSrvRouting", "enable_partner_discovery": True}


@pytest.fixture(params=[2010, 2013, 2019])
def version(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=[(BY_DNS, TO_DEFAULT), (BY_DEFAULT, TO_DNS)], ids=["DNS", "default"])
def case(request: pytest.FixtureRequest) -> tuple[dict[str, Any], dict[str, Any]]:
    values: tuple[dict[str, Any], dict[str, Any]] = request.param
    return values


@pytest.fixture
def lab(
    version: int, case: tuple[dict[str, Any], Any], tmp_path: Path, engine: str
) -> Iterator[LabInProcess]:
    document = {
        "version": version,
        "domain": "contoso.com",
        "netbios": "CONTOSO",
        "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
        "sites": {"Redmond": None},
        "pools": {POOL: {"site": "Redmond", "computers": ["fe01"]}},
        "replication": {"seconds": 0},
        "network": f"127.{30 + os.getpid() % 60}.{version % 100}",
        "settings": {
            "AccessEdgeConfiguration": [{"Identity": "Global", **case[0]}],
            "PublicProvider": [],
        },
    }
    with LabInProcess(document, tmp_path / "lab", engine=engine) as running:
        yield running


def test_the_store_is_as_before(lab: LabInProcess, case: tuple[Any, dict[str, Any]], tmp_path: Path) -> None:
    before = json.dumps(lab.status()["settings"])
    worker = Worker(lab.variables(POOL), tmp_path / "run", tmp_path / "journal")
    changed = worker.run("access_edge_configuration", case[1])
    assert changed["status"] == "corrected", changed
    assert json.dumps(lab.status()["settings"]) != before
    back = worker.run("roll_back", {"run": "latest"})
    assert back["status"] == "corrected", back
    assert [step["restorable"] for step in back["steps"]] == ["values_only"]
    assert (
        lab.status()["settings"]["CsAccessEdgeConfiguration"]
        == json.loads(before)["CsAccessEdgeConfiguration"]
    )
    assert json.dumps(lab.status()["settings"]) == before
    assert back["commands"] == changed["restore_commands"]
    worker.reset_connection()
