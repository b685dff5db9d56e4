# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The first command: deployments with one hidden fault each, and what stands on its first screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import yaml
from running import DEPLOYMENTS, RunningLab

from . import trace_records
from .clock_drift import TIMES
from .conftest import Ansible, Run, Start

AnsibleAt = Callable[[RunningLab], Ansible]
FE02, FE03, EDGE = "fe02.contoso.com", "fe03.contoso.com", "edge01.contoso.com"
TRACES = [trace_records.ordinary(FE02), trace_records.ordinary(EDGE)]
CLOCK_OF_FE02 = {"name": "fe02", "clock": {"offset": 0.004}}
COMMAND = "ansible-playbook -i"


def deployment(*traces: dict[str, Any], fe02: Any = CLOCK_OF_FE02, **edge: Any) -> dict[str, Any]:
    """`clock` without its fault, with records of every server, and TIMES."""
    described = yaml.safe_load((DEPLOYMENTS / "clock.yml").read_text(encoding="utf-8"))
    pools, edges = described["pools"], described["edges"]
    if fe02 is not None:
        pools["pool01.contoso.com"]["computers"][1] = fe02
    edges["edge.contoso.com"]["computers"][0].update(edge)
    return {"pools": pools, "edges": edges, "traces": [*TRACES, *traces], **TIMES}


def health(ansible: Ansible, **variables: Any) -> tuple[Run, list[str]]:
    """The run, and what stands on its last screen: the report."""
    run = ansible.playbook("lync.remediation.health", **variables)
    assert run.exit_code == 0, run.output
    assert not [each for each in ansible.lab.commands() if each["writes"]]
    lines = run.output.splitlines()
    (start,) = [n for n, line in enumerate(lines) if line.startswith(("LIKELY CAUSE", "NO LIKELY CAUSE"))]
    end = next(n for n in range(start, len(lines)) if lines[n].startswith(("ok:", "PLAY")))
    return run, lines[start:end]


def test_a_wrong_clock_is_named_with_what_it_brings_about(start: Start, ansible_at: AnsibleAt) -> None:
    expired = trace_records.expired_request(FE02)
    lab = start("clock", **deployment(expired, fe02=None))
    lab.inject("services_stopped", FE03, service="RTCCLSAGT")
    _run, report = health(ansible_at(lab))
    assert len(report) <= 24
    assert all(len(line) <= 79 for line in report if not line.lstrip().startswith("ansible"))
    first, rest = report[0], "\n".join(report[1:])
    assert FE02 in first
    assert "6 h" in first
    # What its clock brings about is found although the records are six hours old by it, and is no cause of its own.
    assert "mras_expired" in rest
    assert report[report.index("Run next:") + 1].endswith("lync.remediation.fix_clock_drift --check --diff")
    assert any(line.startswith("Not looked at: traces: ") for line in report)


FAULTS: dict[str, tuple[dict[str, Any], tuple[Any, ...], str, str]] = {
    "A/V authentication stopped": (
        deployment(trace_records.expired_request(FE02)),
        ("services_stopped", EDGE, {"service": "RTCMRAUTH"}),
        "RTCMRAUTH",
        "server_services",
    ),
    "a Front End stopped": (deployment(), ("services_stopped", FE03, {}), FE03, "server_services"),
    "expired certificate": (
        deployment(certificates={"AudioVideoAuthentication": {"days_old": 800, "days_left": -2}}),
        (),
        f"A/V authentication, {EDGE}: The certificate expired",
        "certificate",
    ),
    "stale replica": (deployment(), ("replication_stuck", FE03, {}), FE03, "replication"),
    "encryption": (
        deployment(trace_records.refused_for_encryption(EDGE)),
        (),
        "Encryption is required",
        "enable_windows_live",
    ),
    "no store": (
        deployment(),
        ("cms_unreachable", "pool01.contoso.com", {}),
        "cannot read",
        "connection_info",
    ),
    "a Front End is down": (deployment(), ("drop-before", FE03, {"times": 0}), FE03, "connection_info"),
    "an Edge Server is down": (
        deployment(trace_records.expired_request(FE02)),
        ("drop-before", EDGE, {"times": 0}),
        EDGE,
        "connection_info",
    ),
    "no certificate": (
        deployment(
            trace_records.expired_request(FE02), certificates={"AudioVideoAuthentication": {"absent": True}}
        ),
        (),
        "certificate",
        "certificate",
    ),
    "only traces tell": (deployment(trace_records.expired_request(FE02)), (), "A/V", "fix_clock_drift"),
}


@pytest.mark.sweep
@pytest.mark.parametrize("fault", FAULTS)
def test_the_first_screen_names_the_fault(fault: str, start: Start, ansible_at: AnsibleAt) -> None:
    changes, injected, named, remedy = FAULTS[fault]
    lab = start("clock", **changes)
    if injected:
        kind, server, options = injected
        lab.inject(kind, server, **options)
        if kind == "replication_stuck":
            lab.inject(
                "other_administrator",
                "pool01.contoso.com",
                noun="CsMediaConfiguration",
                MaxVideoRateAllowed="CIF250K",
            )
    _run, report = health(ansible_at(lab))
    assert report[0].startswith("LIKELY CAUSE")
    until_the_command = report[: report.index("Run next:") + 2]
    assert named in " ".join(until_the_command)
    assert remedy in until_the_command[-1]


@pytest.mark.sweep
def test_it_is_silent_where_nothing_is_wrong(start: Start, ansible_at: AnsibleAt) -> None:
    _run, report = health(ansible_at(start("clock", **deployment())))
    assert report[0].startswith("NO LIKELY CAUSE")
    assert not any(line.startswith(("Then:", "Not looked at")) for line in report)


@pytest.mark.sweep
def test_what_cannot_be_read_is_told_and_everything_else_still_is(
    start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("clock", **deployment())
    lab.inject("drop-before", EDGE, times=0)
    for command in ("Search-CsClsLogging", "Get-CsManagementStoreReplicationStatus"):
        lab.inject("error", "pool01.contoso.com", command=command, times=0)
    _run, report = health(ansible_at(lab))
    assert report[0].startswith("NO LIKELY CAUSE")
    missing = " ".join(line for line in report if line.startswith("Not looked at"))
    for each in (EDGE, "traces", "replication"):
        assert each in missing


@pytest.mark.sweep
def test_2010_has_no_central_logging(start: Start, ansible_at: AnsibleAt) -> None:
    _run, report = health(ansible_at(start("demo")))
    assert any(line.startswith("Not looked at: traces: Lync Server 2010") for line in report)
