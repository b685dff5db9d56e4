# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Zones are found by their id, and whoever writes something near to it is told the right one."""

from __future__ import annotations

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import zones
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.windows_zones import WINDOWS_ID
from hypothesis import given
from hypothesis import strategies as st

LIST = """\
(UTC-08:00) Pacific Time (US & Canada)
Pacific Standard Time

(UTC-07:00) Arizona
US Mountain Standard Time

(UTC-07:00) Mountain Time (US & Canada)
Mountain Standard Time

(UTC-06:00) Central Time (US & Canada)
Central Standard Time

(UTC) Koordinierte Weltzeit
UTC

(UTC+01:00) Amsterdam, Berlin, Bern, Rom, Stockholm, Wien
W. Europe Standard Time

(UTC+01:00) Belgrad, Bratislava, Budapest, Ljubljana, Prag
Central Europe Standard Time

(UTC+05:30) Chennai, Kolkata, Mumbai, New Delhi
India Standard Time
""".splitlines()
OFFERED = zones.read_offered(LIST)


def test_a_list_has_two_lines_a_zone() -> None:
    assert len(OFFERED) == 8
    assert OFFERED[0] == zones.Zone("Pacific Standard Time", "(UTC-08:00) Pacific Time (US & Canada)")
    assert OFFERED[4].id == "UTC"


@pytest.mark.parametrize("lines", [[], ["one line"], ["a", "b", "c"]])
def test_something_else_is_no_list(lines: list[str]) -> None:
    with pytest.raises(Unreadable):
        zones.read_offered(lines)


@given(st.sampled_from(OFFERED), st.sampled_from([str, str.upper, str.lower, lambda text: f" {text} "]))
def test_an_id_is_found_whatever_its_case(zone: zones.Zone, change) -> None:
    assert zones.find(change(zone.id), OFFERED) == zone


@pytest.mark.parametrize(
    ("wanted", "best"),
    [
        ("Europe/Berlin", "W. Europe Standard Time"),
        ("europe/vienna", "W. Europe Standard Time"),
        ("America/Los Angeles", "Pacific Standard Time"),
        ("America/Phoenix", "US Mountain Standard Time"),
        ("Asia/Calcutta", "India Standard Time"),
        ("Mountain Time (US & Canada)", "Mountain Standard Time"),
        ("(UTC-06:00) Central Time (US & Canada)", "Central Standard Time"),
        ("Central Standart Time", "Central Standard Time"),
        ("West Europe Standard Time", "W. Europe Standard Time"),
        ("Pacific", "Pacific Standard Time"),
        ("Budapest", "Central Europe Standard Time"),
    ],
)
def test_the_zone_that_was_meant_comes_first(wanted: str, best: str) -> None:
    assert zones.find(wanted, OFFERED) is None
    assert zones.meant(wanted, OFFERED)[0].id == best


@pytest.mark.parametrize("wanted", ["", "Narnia", "Pacific/Auckland"])
def test_nothing_is_made_up(wanted: str) -> None:
    assert zones.meant(wanted, OFFERED) == []


@given(st.sampled_from(sorted(WINDOWS_ID)))
def test_every_iana_name_leads_to_the_one_windows_zone(iana: str) -> None:
    offered = [zones.Zone(zone_id, zone_id) for zone_id in sorted(set(WINDOWS_ID.values()))]
    if zones.find(iana, offered) is None:
        assert [zone.id for zone in zones.meant(iana, offered)] == [WINDOWS_ID[iana]]
    assert zones.is_iana(iana.upper())


@pytest.mark.parametrize(
    ("printed", "bias", "zone_id", "saving", "offset"),
    [
        ("W. Europe Standard Time", -60, "W. Europe Standard Time", True, 60),
        ("W. Europe Standard Time", 2**32 - 120, "W. Europe Standard Time", True, 120),
        ("Pacific Standard Time_dstoff", 480, "Pacific Standard Time", False, -480),
        ("UTC\n", 0, "UTC", True, 0),
    ],
)
def test_the_zone_in_force(printed: str, bias: int, zone_id: str, saving: bool, offset: int) -> None:
    zone = zones.read_in_force([printed], {"ActiveTimeBias": bias, "RealTimeIsUniversal": 1})
    assert zone == zones.ZoneInForce(zone_id, saving, offset, hardware_clock_in_utc=True)
    assert zones.setting(zone.id, zone.daylight_saving) == printed.strip()


@pytest.mark.parametrize(
    ("lines", "registry"), [([], {"ActiveTimeBias": 0}), (["UTC"], {}), (["a", "b"], {"ActiveTimeBias": 0})]
)
def test_half_an_answer_is_none(lines: list[str], registry: dict[str, int]) -> None:
    with pytest.raises(Unreadable):
        zones.read_in_force(lines, registry)


@pytest.mark.parametrize(("disabled", "saving"), [(0, True), (1, False)])
def test_a_windows_without_tzutil_has_its_zone_in_the_registry(disabled: int, saving: bool) -> None:
    values = {"TimeZoneKeyName": "UTC", "DynamicDaylightTimeDisabled": disabled, "ActiveTimeBias": -60}
    assert zones.read_registry(values) == zones.ZoneInForce("UTC", saving, 60, hardware_clock_in_utc=False)


@pytest.mark.parametrize(
    "values", [{}, {"TimeZoneKeyName": "", "ActiveTimeBias": 0}, {"TimeZoneKeyName": "UTC"}]
)
def test_half_a_registry_is_no_zone(values: dict[str, object]) -> None:
    with pytest.raises(Unreadable):
        zones.read_registry(values)
