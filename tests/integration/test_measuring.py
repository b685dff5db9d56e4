# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Clocks measured over the wire: what is stated is compared with what the lab knows to be true."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from typing import Any

import pytest
from lab import control
from running import RunningLab

from .conftest import Ansible, Start

AnsibleAt = Callable[[RunningLab], Ansible]
HOUR, DAY, YEAR = 3600.0, 86400.0, 365.25 * 86400
OFFSETS = (0.003, 0.05, 0.9, 1.5, 59.0, 299.0, HOUR, 6 * HOUR, 15 * HOUR + 60, 40 * DAY, 13 * YEAR)
DELAYS = (0.0, 0.02, 0.1, 0.3)
ZONES = (
    "Central Standard Time",
    "W. Europe Standard Time",
    "Nepal Standard Time",
    "Lord Howe Standard Time",
    "UTC",
)


def computers(clocks: list[dict[str, Any]], **details: Any) -> dict[str, Any]:
    """A deployment of one pool for every twelve of these clocks, and no Edge Server. A clock may have its server's
    ``request_delay`` beside it.
    """
    described = [
        {
            "name": f"fe{number:02}",
            "timings": {"request_delay": clock.pop("request_delay", 0.0)},
            "clock": clock,
            **details,
        }
        for number, clock in enumerate(map(dict, clocks), 1)
    ]
    return {
        "pools": {
            f"pool{first // 12 + 1:02}.contoso.com": {
                "site": "Redmond",
                "computers": described[first : first + 12],
            }
            for first in range(0, len(described), 12)
        },
        "edges": {},
        "sites": {"Redmond": {}},
        "users": [],
    }


def errors(lab: RunningLab) -> dict[str, float]:
    """By server, how far its clock is off true time, in seconds."""
    found = control.ask(lab.state, "status")["state"]["computers"]
    return {name: computer["clock_error"] for name, computer in found.items()}


def moments(lab: RunningLab) -> dict[str, datetime.datetime]:
    """By server, when its clock was last looked at."""
    return {
        entry["server"]: datetime.datetime.fromisoformat(entry["time"])
        for entry in lab.commands()
        if entry["name"] == "Get-Date"
    }


def contradicted(
    lab: RunningLab, found: Mapping[str, Mapping[str, Any]], rate: float = 0.0
) -> dict[str, str]:
    """The servers whose true offset is not within what was stated. ``rate``: how fast their clocks drift."""
    then, now = moments(lab), datetime.datetime.now(datetime.timezone.utc)
    wrong = {}
    for host, true in errors(lab).items():
        true -= rate * (now - then[host]).total_seconds()
        stated, uncertainty = found[host]["offset_ms"] / 1000, found[host]["uncertainty_ms"] / 1000
        # The journal's times are milliseconds.
        if abs(stated - true) > uncertainty + rate * 0.01:
            wrong[host] = f"{stated} ± {uncertainty}, and {true} is true"
    return wrong


@pytest.mark.parametrize(
    ("version", "powershell"),
    [
        pytest.param(2010, "2.0", marks=pytest.mark.sweep),
        (2013, "4.0"),
        pytest.param(2019, "5.1", marks=pytest.mark.sweep),
    ],
)
def test_the_true_offset_is_within_the_stated_uncertainty(
    version: int, powershell: str, start: Start, ansible_at: AnsibleAt
) -> None:
    clocks = [
        {
            "offset": -offset if number % 2 else offset,
            "tick": 1 / 64 if number % 3 else 0.0,
            "time_zone": ZONES[number % len(ZONES)],
            "request_delay": DELAYS[number % len(DELAYS)],
        }
        for number, offset in enumerate(OFFSETS)
    ]
    lab = start("clock", version=version, powershell=powershell, **computers(clocks))
    found = ansible_at(lab).modules("clock_info", "--forks", "12", hosts="front_ends", samples=4)
    assert len(found) == len(clocks)
    assert contradicted(lab, found) == {}
    assert {host: result["trouble"] for host, result in found.items() if result["trouble"]} == {}


# By zone, moments of UTC that its calendar or its daylight saving time make special, a second before they come.
SPECIAL = [
    ("UTC", "2026-12-31T23:59:59"),
    ("W. Europe Standard Time", "2038-12-31T22:59:59"),
    ("Nepal Standard Time", "2028-02-28T18:14:59"),
    ("Central Standard Time", "2027-11-07T06:30:00"),  # 01:30, for the first time
    ("Central Standard Time", "2027-11-07T07:30:00"),  # 01:30, for the second time
    ("Central Standard Time", "2027-03-14T07:59:59"),  # an hour is left out
    ("GMT Standard Time", "2013-10-27T00:59:59"),
]


def test_special_days_do_not_matter(start: Start, ansible_at: AnsibleAt) -> None:
    now = datetime.datetime.now(datetime.timezone.utc)
    clocks = [
        {
            "time_zone": zone,
            "offset": (datetime.datetime.fromisoformat(f"{moment}+00:00") - now).total_seconds(),
        }
        for zone, moment in SPECIAL
    ]
    lab = start("clock", **computers(clocks))
    found = ansible_at(lab).modules("clock_info", "--forks", "12", hosts="front_ends", samples=4)
    assert len(found) == len(clocks)
    assert contradicted(lab, found) == {}


DRIFT = 400e-6


def test_a_clock_that_drifts_is_within_its_uncertainty(start: Start, ansible_at: AnsibleAt) -> None:
    clocks = [
        {"offset": offset, "drift_ppm": DRIFT * 1e6, "request_delay": delay}
        for offset, delay in ((0.003, 0.3), (-2 * HOUR, 0.0), (13 * YEAR, 0.3))
    ]
    lab = start("clock", **computers(clocks))
    found = ansible_at(lab).modules("clock_info", "--forks", "12", hosts="front_ends", samples=6)
    assert len(found) == len(clocks)
    assert contradicted(lab, found, DRIFT) == {}


@pytest.mark.parametrize("request_delayed", ["Command", "Receive"])
@pytest.mark.parametrize("times", [0, pytest.param(1, marks=pytest.mark.sweep)])
def test_a_delay_on_one_way_only_is_within_the_uncertainty(
    request_delayed: str, times: int, start: Start, ansible_at: AnsibleAt
) -> None:
    """``Command`` is the way there: the clock is looked at when that arrives. ``Receive`` is the way back."""
    clocks = [{"offset": offset} for offset in (0.003, -42.0, 13 * YEAR)]
    lab = start("clock", **computers(clocks))
    for number in range(1, len(clocks) + 1):
        # The first commands read the registry; of a delay that comes once, it is a look at the clock that is late.
        lab.inject(
            "delay", f"fe{number:02}.contoso.com", request=request_delayed, times=times, seconds=0.3, skip=2
        )
    found = ansible_at(lab).modules("clock_info", "--forks", "12", hosts="front_ends", samples=3)
    assert len(found) == len(clocks)
    assert contradicted(lab, found) == {}


@pytest.mark.engine_core
def test_a_clock_that_jumps_once_is_measured_again(start: Start, ansible_at: AnsibleAt) -> None:
    jumps = (0.5, -2.0, 7 * HOUR, -13 * YEAR)
    lab = start("clock", **computers([{"jumps": [{"reading": 4, "seconds": seconds}]} for seconds in jumps]))
    found = ansible_at(lab).modules("clock_info", hosts="front_ends", samples=4)
    assert contradicted(lab, found) == {}
    for number, seconds in enumerate(jumps, 1):
        result = found[f"fe{number:02}.contoso.com"]
        assert abs(seconds) - 0.4 < result["jumped_ms"] / 1000 <= abs(seconds)
        (sentence,) = result["trouble"]
        assert sentence.startswith("The server's clock jumped by ")
        assert "and was measured again since" in sentence


def test_a_clock_that_goes_on_jumping_has_no_offset(start: Start, ansible_at: AnsibleAt) -> None:
    lab = start("clock", **computers([{"jumps": [{"reading": n, "seconds": 60} for n in range(2, 12)]}]))
    ansible = ansible_at(lab)
    found = ansible.module("clock_info", hosts="front_ends", samples=4)
    assert (found["offset_ms"], found["uncertainty_ms"]) == (None, None)
    assert "so its offset is not known. Something else sets that clock" in found["trouble"][0]
    lab.reset()
    failed = ansible.module("clock", hosts="front_ends", samples=4)
    assert (failed["reached"], failed["status"]) == ("FAILED!", "unknown")
    assert "so its offset is not known" in failed["msg"]
    assert lab.writes() == []
