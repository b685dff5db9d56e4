# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Centralized Logging, searched over the wire; on Lync Server 2010, which has none, the steps instead."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import DEPLOYMENTS

from . import trace_records
from .in_process import LabInProcess, Worker
from .test_documented_results import check

FE02, EDGE = "fe02.contoso.com", "edge01.contoso.com"
MANAGEMENT = "pool01.contoso.com"
# fe02 is six hours behind, so that its last hour is not the controller's.
SEVEN_HOURS = 7 * 60
TRACES = [
    trace_records.expired_request(FE02),
    trace_records.refused_for_encryption(EDGE),
    trace_records.ordinary(EDGE),
]
Search = Callable[..., dict[str, Any]]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[LabInProcess]:
    description = yaml.safe_load((DEPLOYMENTS / "clock.yml").read_text(encoding="utf-8"))
    network = f"127.{100 + os.getpid() % 100}.60"
    document = {**description, "network": network, "traces": TRACES}
    with LabInProcess(document, tmp_path_factory.mktemp("lab"), engine=engine) as running:
        yield running


@pytest.fixture
def search(lab: LabInProcess, tmp_path: Path) -> Iterator[Search]:
    lab.reset()
    with ExitStack() as stack:
        worker = Worker(lab.variables(MANAGEMENT), tmp_path / "run", tmp_path / "journal")
        stack.callback(worker.reset_connection)

        yield lambda **options: worker.run("central_logging_info", options)


def ids(result: dict[str, Any]) -> list[str]:
    return [each["id"] for each in result["findings"]]


def test_findings_of_the_servers_that_are_asked_for(search: Search, lab: LabInProcess) -> None:
    result = search()
    assert result["searched"]
    assert ids(result) == ["52017"]
    check("central_logging_info", result)
    assert result["findings"][0]["servers"] == ["edge01"]
    assert ids(search(minutes=SEVEN_HOURS)) == ["52017", "mras_expired"]
    assert ids(search(minutes=SEVEN_HOURS, pools=[MANAGEMENT])) == ["mras_expired"]
    assert ids(search(minutes=SEVEN_HOURS, computers=[EDGE])) == ["52017"]
    assert not lab.writes


def test_a_search_that_brings_nothing_is_no_all_clear(search: Search) -> None:
    result = search(computers=["fe01.contoso.com"])
    assert result["findings"] == []
    assert not result["complete"]
    assert not any(each["examined"] for each in result["files"])
    assert "AlwaysOn" in result["problems"][0]


def test_a_server_that_cannot_be_searched_is_named(search: Search, lab: LabInProcess) -> None:
    lab.inject("services_stopped", computer=FE02, service="RTCCLSAGT")
    result = search(minutes=SEVEN_HOURS)
    assert ids(result) == ["52017"]
    assert not result["complete"]
    assert FE02 in " ".join(result["problems"])


def test_2010_has_none(tmp_path: Path, engine: str) -> None:
    description = yaml.safe_load((DEPLOYMENTS / "lync2010.yml").read_text(encoding="utf-8"))
    document = {**description, "network": f"127.{100 + os.getpid() % 100}.61"}
    with LabInProcess(document, tmp_path / "lab", engine=engine) as lab:
        management = next(each.name for each in lab.deployment.servers if each.groups == ("management",))
        worker = Worker(lab.variables(management), tmp_path / "run", tmp_path / "journal")
        result = worker.run("central_logging_info", {})
        worker.reset_connection()
    check("central_logging_info", result)
    assert not result["searched"]
    assert not result["complete"]
    assert len(result["steps"]) >= 5
    assert "diagnose_calls_traces=FOLDER" in result["steps"][-1]
