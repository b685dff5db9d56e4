# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""RETURN of the modules about clocks and services, and of the filter about them: every key that is returned is
documented, every documented key is returned, and samples look like what is returned.
"""

from __future__ import annotations

import importlib
import os
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import DEPLOYMENTS

from .in_process import LabInProcess, Worker

COLLECTION = "ansible_collections.lync.remediation.plugins"
TYPES = {
    "str": str,
    "bool": bool,
    "dict": dict,
    "list": list,
    "int": int,
    "float": int | float,
    "raw": object,
}
# What Ansible adds to each result.
OF_ANSIBLE = {"changed", "failed", "exception", "warnings", "deprecations"}
# Dictionaries whose keys are the options that were given, or hosts.
FREE = {"before", "after", "policies", "services", "servers", "pools", "hosts", "groups"}


def documented(kind: str, name: str) -> Mapping[str, Any]:
    return yaml.safe_load(importlib.import_module(f"{COLLECTION}.{kind}.{name}").RETURN)


def contradictions(
    entries: Mapping[str, Any], value: Mapping[str, Any], at: str, failed: bool
) -> Iterator[str]:
    """Where a result and its documentation say something else."""
    yield from (f"{at}{key} is returned and not documented" for key in set(value) - set(entries) - OF_ANSIBLE)
    for key, entry in entries.items():
        if key not in value:
            if entry.get("returned", "always") == ("always" if not failed else "on failure"):
                yield f"{at}{key} is documented and not returned"
        elif value[key] is not None:
            yield from _contradiction(entry, value[key], f"{at}{key}", key)


def _contradiction(entry: Mapping[str, Any], value: Any, at: str, key: str) -> Iterator[str]:
    if not isinstance(value, TYPES[entry["type"]]) or (
        isinstance(value, bool) and entry["type"] in ("int", "float")
    ):
        yield f"{at} is {value!r} and not of type {entry['type']}"
        return
    each = value if isinstance(value, list) else [value]
    if "elements" in entry:
        yield from (f"{at}[] is {item!r}" for item in each if not isinstance(item, TYPES[entry["elements"]]))
    if "contains" in entry:
        for item in each:
            yield from contradictions(entry["contains"], item, f"{at}.", failed=False)
    sample = entry.get("sample")
    samples = sample if isinstance(sample, list) else [sample]
    if key not in FREE and samples and isinstance(samples[0], dict):
        for item in each:
            if set(item) != set(samples[0]):
                yield f"{at} has {sorted(item)}, and its sample has {sorted(samples[0])}"


def check(module: str, result: Mapping[str, Any]) -> None:
    failed = bool(result.get("failed"))
    assert list(contradictions(documented("modules", module), result, "", failed)) == []


TASKS: list[tuple[str, dict[str, Any]]] = [
    ("clock_info", {"ntp_servers": ["ntp1.contoso.com", "ntp3.contoso.com"], "samples": 2}),
    ("time_zone", {"zone": "Central Standard Time"}),
    (
        "time_service",
        {"type": "all", "peers": [{"host": "ntp1.contoso.com"}], "max_pos_phase_correction": 86400},
    ),
    ("clock", {"samples": 2, "timeout": 20}),
    ("clock", {"samples": 2, "max_offset_ms": 3.6e6, "timeout": 20}),
    ("server_services", {}),
    ("restart_note", {"reason": "its time zone was GMT Standard Time"}),
    ("clock_info", {"samples": 2}),
    (
        "server_restart",
        {
            "management_host": "pool01.contoso.com",
            "only_if_restart_pending": True,
            "settle": 0,
            "interval": 1,
        },
    ),
    ("pool_info", {"own": True}),
    ("pool_info", {"pool": "pool01.contoso.com", "health": True, "test_av_edge": True}),
    ("topology_info", {}),
]


AT_ONCE = {"services": {"start_seconds": 0}, "high_availability": {"busy_seconds": 0}}


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[LabInProcess]:
    description = yaml.safe_load((DEPLOYMENTS / "clock.yml").read_text(encoding="utf-8"))
    network = {"network": f"127.{100 + os.getpid() % 100}.9"}
    sleep = time.sleep
    with (
        LabInProcess(
            {**description, **AT_ONCE, **network}, tmp_path_factory.mktemp("lab"), engine=engine
        ) as running,
        pytest.MonkeyPatch.context() as patch,
    ):
        patch.setattr(time, "sleep", lambda seconds: sleep(min(seconds, 0.02)))
        yield running


def results(lab: LabInProcess, folder: Path, *, check: bool = False) -> list[dict[str, Any]]:
    """What the tasks return in the pool of a zone that was flipped."""
    worker = Worker(lab.variables("fe02.contoso.com"), folder / "run", folder / "journal")
    returned = [worker.run(module, options, check=check, hostvars=lab.hostvars) for module, options in TASKS]
    worker.reset_connection()
    return returned


@pytest.mark.parametrize("check_mode", [True, False], ids=["check mode", "for real"])
def test_results_are_as_documented(check_mode: bool, lab: LabInProcess, tmp_path: Path) -> None:
    lab.reset()
    # There is something to do the first time, and nothing the second.
    for turn in ("first", "second"):
        (tmp_path / turn).mkdir()
        found = results(lab, tmp_path / turn, check=check_mode)
        for (module, _), result in zip(TASKS, found, strict=True):
            assert not result.get("failed"), result.get("msg", result)
            check(module, result)
        assert found[7]["restart_pending"] is None or check_mode is False
    assert [result["changed"] for result in found[1:4]] == [check_mode] * 3


# A cmdlet that reads, a program, and a cmdlet that writes; more of them in a sweep.
BREAKING = ("Get-Date", "w32tm", "New-ItemProperty")
ALIKE = ("Get-ItemProperty", "Get-Service", "Get-CsWindowsService", "tzutil")


@pytest.mark.parametrize(
    "command", [*BREAKING, *(pytest.param(each, marks=pytest.mark.sweep) for each in ALIKE)]
)
def test_failures_are_as_documented(command: str, lab: LabInProcess, tmp_path: Path) -> None:
    lab.reset()
    refused = {"message": "Access is denied.", "id": "AccessDenied", "category": "PermissionDenied"}
    lab.inject("error", command=command, times=0, **refused)
    found = results(lab, tmp_path)
    assert any(result.get("failed") or result.get("trouble") for result in found)
    for (module, _), result in zip(TASKS, found, strict=True):
        check(module, result)
        if result.get("failed"):
            assert result["status"] in ("drifted", "unknown")
