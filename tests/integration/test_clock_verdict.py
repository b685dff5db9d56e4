# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the filter clock_verdict says of whole deployments that were measured over the wire."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from running import RunningLab

from .conftest import Ansible, Start

AnsibleAt = Callable[[RunningLab], Ansible]
HOUR = 3600
COMPUTERS = "front_ends:edges"
TASKS: list[dict[str, Any]] = [
    {"lync.remediation.clock_info": {"samples": 3, "ntp_servers": "{{ time_servers | default([]) }}"}},
    {
        "lync.remediation.pool_info": {"services": False},
        "delegate_to": "{{ groups['management'][0] }}",
        "run_once": True,
    },
    {
        "ansible.builtin.set_fact": {
            "verdict": "{{ dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'result_0')))"
            " | lync.remediation.clock_verdict(result_1.pools) }}"
        },
        "run_once": True,
    },
]


def verdict(ansible: Ansible, *arguments: str) -> dict[str, Any]:
    _, found = ansible.results(TASKS, *arguments, hosts=COMPUTERS)
    return next(iter(found.values()))[2]["ansible_facts"]["verdict"]


def deployment(clocks: dict[str, float], **more: Any) -> dict[str, Any]:
    """Two pools of two Front Ends, and one Edge Server. ``clocks``: by name, how many seconds they are off."""

    def computers(*names: str) -> list[dict[str, Any]]:
        return [{"name": name, "clock": {"offset": clocks.get(name, 0.0)}} for name in names]

    edge = {"site": "Redmond", "edge": "edge.contoso.com"}
    return {
        "sites": {"Redmond": {}},
        "pools": {
            "pool01.contoso.com": {**edge, "computers": computers("fe01", "fe02")},
            "pool02.contoso.com": {**edge, "computers": computers("fe11", "fe12"), "management": False},
        },
        "edges": {
            "edge.contoso.com": {
                "site": "Redmond",
                "computers": computers("edge01"),
                "next_hop": "pool01.contoso.com",
            }
        },
        "users": [],
        **more,
    }


def text(found: dict[str, Any]) -> str:
    return " ".join(" ".join(found["table"]).split())


def fqdns(*names: str) -> list[str]:
    return [f"{name}.contoso.com" for name in names]


def test_the_article_s_deployment(start: Start, ansible_at: AnsibleAt) -> None:
    found = verdict(ansible_at(start("clock")))
    assert (found["right"], found["reference_offset"], found["confirmed"]) == ("controller", 0.0, True)
    assert found["wrong"] == fqdns("fe02")
    assert {pool: (each["hosts"], each["outliers"]) for pool, each in found["pools"].items()} == {
        "pool01.contoso.com": (fqdns("fe01", "fe03"), fqdns("fe02")),
        "dublin.contoso.com": (fqdns("dublin"), []),
        "edge.contoso.com": (fqdns("edge01"), []),
    }
    assert all(abs(each["offset_ms"]) < 500 for each in found["pools"].values())
    # Its zone is Greenwich's, and its wall clock is that of the others.
    assert found["servers"]["fe02.contoso.com"]["zone_difference_minutes"] == -360
    assert found["servers"]["fe02.contoso.com"]["explained_by"] == "Central Standard Time"
    assert "fe02.contoso.com" in found["farthest"]["hosts"]
    assert found["farthest"]["offset_ms"] == pytest.approx(6 * HOUR * 1000, abs=500)
    assert found["table"][0].split() == ["SERVER", "CLOCK", "TIME", "ZONE", "VERDICT"]
    assert max(map(len, found["table"])) <= 69
    assert (
        "fe02 is -6 h 0 min off: just the difference between GMT Standard Time and Central Standard Time"
        in text(found)
    )
    assert "-0 ms" not in text(found)
    # A time server that is asked and lies is named, and changes nothing.
    lying = start("clock", time_servers={"ntp1.contoso.com": {}, "ntp2.contoso.com": {"offset": 300}})
    asked = '{"time_servers": ["ntp1.contoso.com", "ntp2.contoso.com"]}'
    found = verdict(ansible_at(lying), "--extra-vars", asked)
    assert (found["right"], found["wrong"]) == ("controller", fqdns("fe02"))
    assert found["falsetickers"] == ["ntp2.contoso.com"]
    assert "The time server ntp2.contoso.com contradicts them." in text(found)


@pytest.mark.parametrize(
    ("edge", "zone_difference"), [(0.0, -30), (1800 - 47.0, None), (1800 + 4 * HOUR - 13.0, 240)]
)
def test_it_is_rather_the_controller_that_is_wrong(
    edge: float, zone_difference: int | None, start: Start, ansible_at: AnsibleAt
) -> None:
    """Two pools agree, half an hour ahead of the controller, and their Edge Server differs, or agrees with it."""
    clocks = {**dict.fromkeys(("fe01", "fe02", "fe11", "fe12"), 1800.0), "edge01": edge}
    found = verdict(ansible_at(start("clock", **deployment(clocks))))
    assert found["right"] == "servers"
    assert found["reference_offset"] == pytest.approx(1800, abs=1)
    assert found["wrong"] == fqdns("edge01")
    assert {pool: each["outliers"] for pool, each in found["pools"].items()} == {
        "pool01.contoso.com": [],
        "pool02.contoso.com": [],
        "edge.contoso.com": [],
    }
    assert found["pools"]["pool01.contoso.com"]["offset_ms"] == pytest.approx(1_800_000, abs=500)
    server = found["servers"]["edge01.contoso.com"]
    assert server["error_ms"] / 1000 == pytest.approx(edge - 1800, abs=1)
    assert server["zone_difference_minutes"] == zone_difference
    assert found["farthest"]["offset_ms"] / 1000 == pytest.approx(abs(edge - 1800), abs=1)
    assert "edge01.contoso.com" in found["farthest"]["hosts"]
    assert (
        "4 of 5 servers agree with each other, and not with the controller (they are +30 min from it)."
        in text(found)
    )
    sized = "which has the size of a difference between two zones."
    assert (sized in text(found)) == (zone_difference is not None)


@pytest.mark.parametrize(
    ("error", "zone_difference"),
    [
        (HOUR - 45, 60),
        pytest.param(HOUR, 60, marks=pytest.mark.sweep),
        (HOUR + 90, None),
        pytest.param(-90 * 60 + 30, -90, marks=pytest.mark.sweep),
        pytest.param(-8 * HOUR - 5 * 60, None, marks=pytest.mark.sweep),
        pytest.param(27 * HOUR, None, marks=pytest.mark.sweep),
    ],
)
def test_an_error_near_a_zone_difference(
    error: float, zone_difference: int | None, start: Start, ansible_at: AnsibleAt
) -> None:
    lab = start("clock", **deployment({}))
    lab.inject("clock_offset", "fe12.contoso.com", seconds=error)
    found = verdict(ansible_at(lab))
    assert (found["right"], found["wrong"]) == ("controller", fqdns("fe12"))
    server = found["servers"]["fe12.contoso.com"]
    # All have the same zone, so that none of theirs explains it.
    assert (server["zone_difference_minutes"], server["explained_by"]) == (zone_difference, None)
    size = "has the size" if zone_difference else "is not the size"
    assert f"off, which {size} of a difference between two zones." in text(found)


def test_whom_nobody_confirms_nobody_is_called_wrong(start: Start, ansible_at: AnsibleAt) -> None:
    """Each of the clocks says something else."""
    clocks = {"fe01": 100.0, "fe02": 200.0, "fe11": 300.0, "fe12": 400.0, "edge01": 500.0}
    lab = start("clock", **deployment(clocks, time_servers={"ntp1.contoso.com": {}}))
    found = verdict(ansible_at(lab))
    assert (found["right"], found["reference_offset"], found["wrong"]) == ("unclear", None, [])
    assert "a time server that can be asked would decide it" in text(found)
    # One time server does decide it.
    found = verdict(ansible_at(lab), "--extra-vars", '{"time_servers": ["ntp1.contoso.com"]}')
    assert (found["right"], found["confirmed"], len(found["wrong"])) == ("controller", True, 5)
    assert "The controller agrees with 1 time server." in text(found)
