# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What cannot be right about an inventory is one sentence that names the variable, the value and what is allowed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.requests import (
    BOUNDS,
    check_management_host,
    check_variables,
    check_zone,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument

MORE = ("restart", "ntp_servers", "take_over", "test_user")
KNOWN = [f"clock_drift_{name}" for name in (*BOUNDS, *MORE)]


@pytest.mark.parametrize("option", BOUNDS)
@pytest.mark.parametrize("value", [float("nan"), float("inf"), -1, "soon", True, 10**12])
def test_a_number_that_cannot_be(option: str, value: Any) -> None:
    with pytest.raises(BadArgument, match=f"^clock_drift_{option}: .+"):
        check_variables("clock_drift_", {f"clock_drift_{option}": value}, KNOWN)


def test_a_name_that_there_is_not_is_answered_with_the_nearest() -> None:
    with pytest.raises(BadArgument, match="Did you mean clock_drift_restart"):
        check_variables("clock_drift_", {"clock_drift_restrat": True}, KNOWN)


@pytest.mark.parametrize("name", ["", "two names", "/computer", 7, None])
def test_a_time_server_that_cannot_be(name: Any) -> None:
    with pytest.raises(BadArgument):
        check_variables("clock_drift_", {"clock_drift_ntp_servers": [name]}, KNOWN)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        *(("ntp_servers", value) for value in ("ntp1", {"host": "ntp1"})),
        *(("take_over", value) for value in ("fe01.contoso.com", [5], ["fe01"])),
        *(("test_user", value) for value in ("kenmyer", {}, "")),
    ],
)
def test_what_is_no_name(option: str, value: Any) -> None:
    with pytest.raises(BadArgument, match=f"^clock_drift_{option}: "):
        check_variables("clock_drift_", {f"clock_drift_{option}": value}, KNOWN)


def test_what_is_right_goes_through() -> None:
    given = {"clock_drift_settle": "20", "clock_drift_interval": None, "clock_drift_ntp_servers": ["ntp1"]}
    given |= {"clock_drift_take_over": ["fe01.contoso.com"], "clock_drift_test_user": "sip:ken@contoso.com"}
    check_variables("clock_drift_", given, KNOWN)


@pytest.mark.parametrize(
    ("zone", "taken"),
    [
        (None, None),
        ("central standard time ", "Central Standard Time"),
        ("W. Europe Standard Time_dstoff", "W. Europe Standard Time_dstoff"),
    ],
)
def test_a_zone_is_taken_as_windows_spells_it(zone: str | None, taken: str | None) -> None:
    assert check_zone("clock_drift_time_zone", "fe01", zone) == taken


@pytest.mark.parametrize(
    ("zone", "nearest"),
    [
        ("Central Standrad Time", "Central Standard Time"),
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("Pacific", "Pacific Standard Time"),
        ("CST", "'Central Standard Time'.*'China Standard Time'"),
        (7, ""),
        (" ", ""),
    ],
)
def test_a_zone_that_there_is_not_is_answered_with_the_nearest(zone: Any, nearest: str) -> None:
    with pytest.raises(BadArgument, match=f"fe01.*{nearest}"):
        check_zone("clock_drift_time_zone", "fe01", zone)


@pytest.mark.parametrize("name", ["", 5, None, True, {"a": 1}, "elsewhere"])
def test_who_is_asked_for_the_topology_is_in_the_inventory(name: Any) -> None:
    check_management_host("clock_drift_management_host", "fe01", "fe02", {"fe01", "fe02"})
    with pytest.raises(BadArgument, match=r"^clock_drift_management_host: .* of fe01"):
        check_management_host("clock_drift_management_host", "fe01", name, {"fe01", "fe02"})
