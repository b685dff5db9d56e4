# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role drift_schedule decides: on which computers, by what, when, and what it refuses."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from ansible_collections.lync.remediation.plugins.plugin_utils.schedule import objections, plan

VARIABLES: dict[str, Any] = {
    "name": "nightly",
    "method": "auto",
    "mode": "check",
    "inventory": ["/srv/inventory"],
    "members": [],
    "report_formats": ["html"],
    "writable_folders": [],
    "variables_files": [],
    "nouns": [],
    "severities": [],
    "window": "",
    "max_corrections": None,
    "times": ["02:00"],
    "random_delay_minutes": 15,
    "timeout_minutes": 60,
    "keep_days": 90,
    "credentials": {},
    "encrypted_credentials": {},
    "mail": {},
    "webhooks": [],
}
ENFORCING = {"mode": "enforce", "severities": ["high"], "window": "01:00-05:00", "max_corrections": 5}
SERVER: dict[str, Any] = {"kernel": "6.1.0-28-amd64", "runs_systemd": True, "hardware": []}


def planned(**more: Any) -> dict[str, Any]:
    return plan({**VARIABLES, **more}, SERVER)


def test_a_server_with_systemd() -> None:
    found = planned(times=["14:30", "02:00", "02:00"])
    assert found == {
        "method": "systemd",
        "is_running": True,
        "why_not_running": "",
        "on_calendar": ["*-*-* 02:00:00", "*-*-* 14:30:00"],
        "cron_times": [{"hour": 2, "minute": 0}, {"hour": 14, "minute": 30}],
        "interval_minutes": 12 * 60 + 30,
        "objections": [],
    }


@pytest.mark.parametrize(
    ("method", "runs_systemd", "expected"),
    [
        ("auto", True, ("systemd", True)),
        ("auto", False, ("cron", True)),
        ("cron", True, ("cron", True)),
        ("systemd", False, ("systemd", False)),
    ],
)
def test_cron_where_there_is_no_systemd(method: str, runs_systemd: bool, expected: tuple[str, bool]) -> None:
    found = plan({**VARIABLES, "method": method}, {**SERVER, "runs_systemd": runs_systemd})
    assert (found["method"], found["is_running"]) == expected


POWER = "/sys/class/power_supply"


@pytest.mark.parametrize(
    ("machine", "number"),
    [
        ({}, 0),
        ({"kernel": "5.15.167.4-microsoft-standard-WSL2"}, 1),
        ({"kernel": "4.4.0-19041-Microsoft"}, 1),
        ({"hardware": ["/sys/class/dmi/id/chassis_type:10"]}, 1),
        ({"hardware": ["/sys/class/dmi/id/chassis_type:23"]}, 0),
        ({"hardware": [f"{POWER}/BAT0/type:Battery", "/sys/class/dmi/id/chassis_type:9"]}, 2),
        ({"hardware": [f"{POWER}/BAT0/type:Battery", f"{POWER}/BAT0/scope:System"]}, 1),
        ({"hardware": [f"{POWER}/mouse/type:Battery", f"{POWER}/mouse/scope:Device"]}, 0),
        ({"hardware": [f"{POWER}/AC/type:Mains", f"{POWER}/ups/type:UPS"]}, 0),
    ],
)
def test_computers_that_nobody_can_rely_on_at_night(machine: dict[str, Any], number: int) -> None:
    assert len(list(objections({**SERVER, **machine}))) == number


@pytest.mark.parametrize(
    "more",
    [
        {"name": "Nightly"},
        {"name": "../nightly"},
        {"name": ""},
        {"times": []},
        {"times": ["2:00"]},
        {"random_delay_minutes": -1},
        {"timeout_minutes": 0},
        {"keep_days": 0},
        {"inventory": []},
        {"inventory": ["inventory"]},
        {"variables_files": ["~/more.yml"]},
        {"webhooks": [{"name": "team", "url": "https://example.com/secret"}]},
        {"mail": {"password": "secret"}},
        {"method": "cron", "credentials": {"ansible": "/etc/password"}},
        {"credentials": {"a/b": "/etc/password"}},
        {"mode": "enforce"},
        *({**ENFORCING, name: empty} for name, empty in (("window", ""), ("max_corrections", None))),
        {**ENFORCING, "severities": []},
        {**ENFORCING, "severities": ["awful"]},
        {**ENFORCING, "max_corrections": 0},
        {**ENFORCING, "times": ["02:00", "05:00"]},
        {**ENFORCING, "times": ["04:50"]},
    ],
)
def test_what_cannot_work_is_refused_by_the_name_of_the_variable(more: dict[str, Any]) -> None:
    with pytest.raises(BadArgument, match=r"^drift_schedule_\w+"):
        planned(**more)


def test_a_schedule_corrects_with_what_it_needs() -> None:
    assert planned(**ENFORCING)["method"] == "systemd"
    assert planned(**{**ENFORCING, "severities": [], "nouns": ["CsVoicePolicy"]})["method"] == "systemd"


@pytest.mark.parametrize(
    "option", ["inventory", "members", "nouns", "report_formats", "times", "writable_folders"]
)
def test_a_text_is_not_taken_for_a_list_of_its_letters(option: str) -> None:
    with pytest.raises(BadArgument, match=rf"drift_schedule_{option}: .* is a text"):
        planned(**{option: "/srv/inventory"})


def test_numbers_of_the_command_line_are_numbers() -> None:
    with pytest.raises(BadArgument, match="drift_schedule_keep_days: 0 is not between"):
        planned(keep_days="0")
    assert planned(random_delay_minutes="20") == planned(random_delay_minutes=20)
