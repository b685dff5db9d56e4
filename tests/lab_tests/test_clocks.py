# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clocks, zones, W32Time and the programs that show and change them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from lab.windows.zones import WINDOWS_ZONES, Zone, parse_zone

from .direct import TRUE_TIME, Shell, call, front_end

THIRTEEN_YEARS = 13 * 365.25 * 86400
ONE_SERVER = {"time_servers": {"ntp1.contoso.com": {}}}


def on(server: str = "fe01.contoso.com", **changes: Any) -> Shell:
    """A WinRM session on one computer, without the Management Shell."""
    account = "EDGE01\\Administrator" if server.startswith("edge") else "uc-admin"
    return Shell(account=account, server=server, path="/wsman", **changes)


def shown_error(shell: Shell) -> float:
    """By how much Get-Date is wrong, in seconds."""
    (date,) = shell.run(call("Get-Date"))
    return (date - shell.clock.utc_now()).total_seconds()


def settled_error(shell: Shell) -> float:
    """The same when nothing is slewed any more."""
    shell.clock.advance(600)
    return shown_error(shell)


def status(shell: Shell) -> dict[str, str]:
    lines = shell.lines(call("w32tm", "/query", "/status", "/verbose"))
    return dict(line.split(": ", 1) for line in lines if line)


# The clock


@pytest.mark.parametrize(
    "offset", [0.003, -0.003, 1.5, -299.0, 25200.0, -50400.0, THIRTEEN_YEARS, -THIRTEEN_YEARS]
)
def test_get_date_shows_the_computers_clock_in_its_zone(offset: float) -> None:
    shell = on(clock={"offset": offset, "time_zone": "Central Standard Time"})
    assert shown_error(shell) == pytest.approx(offset, abs=1e-5)
    (date,) = shell.run(call("Get-Date"))
    true = TRUE_TIME + datetime.timedelta(seconds=offset)
    assert date.utcoffset() == Zone("Central Standard Time").offset(true)


def test_a_clock_drifts_and_ticks() -> None:
    shell = on(clock={"offset": 1.0, "drift_ppm": 100.0})
    shell.clock.advance(3600)
    assert shown_error(shell) == pytest.approx(1.36, abs=1e-5)
    coarse = on(clock={"tick": 0.015625})
    coarse.clock.advance(0.020)
    assert shown_error(coarse) == pytest.approx(-0.004375, abs=1e-5)


def test_a_clock_jumps_right_before_the_reading_that_the_file_names() -> None:
    shell = on(clock={"jumps": [{"reading": 2, "seconds": 60}]})
    assert [round(shown_error(shell)) for _ in range(3)] == [0, 60, 60]


def test_set_date_moves_the_clock_by_a_span() -> None:
    shell = on(clock={"offset": 5.0})
    shell.run(call("Set-Date", Adjust=datetime.timedelta(seconds=-5)))
    assert shown_error(shell) == pytest.approx(0.0, abs=1e-5)
    assert shell.streams.journal[-1].name == "Get-Date"
    shell.run(call("Set-Date", Adjust=datetime.timedelta(days=1), WhatIf=None))
    assert not shell.streams.written
    assert shown_error(shell) == pytest.approx(0.0, abs=1e-5)


def test_a_flipped_zone_keeps_the_wall_clock_and_spoils_utc() -> None:
    shell = on(clock={"time_zone": "GMT Standard Time", "flipped_from": "Central Standard Time"})
    assert shown_error(shell) == pytest.approx(-6 * 3600)
    (date,) = shell.run(call("Get-Date"))
    expected = Zone("Central Standard Time").local(TRUE_TIME)
    assert (date.hour, date.minute) == (expected.hour, expected.minute)


# Zones


def test_tzutil_shows_and_sets_the_zone_and_leaves_utc_alone() -> None:
    shell = on(clock={"time_zone": "Eastern Standard Time"})
    assert shell.lines(call("tzutil", "/g")) == ["Eastern Standard Time"]
    shell.run(call("tzutil", "/s", "Tokyo Standard Time"))
    assert shell.streams.written == ["tzutil"]
    assert shown_error(shell) == pytest.approx(0.0)
    (values,) = shell.rows(
        call("Get-ItemProperty", LiteralPath=r"HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation")
    )
    assert (values["TimeZoneKeyName"], values["ActiveTimeBias"]) == ("Tokyo Standard Time", 2**32 - 540)
    shell.run(call("tzutil", "/s", "Eastern Standard Time_dstoff"))
    assert shell.lines(call("tzutil", "/g")) == ["Eastern Standard Time_dstoff"]


def test_an_unknown_zone_is_an_error_record_of_the_program_and_changes_nothing() -> None:
    shell = on()
    assert shell.lines(call("tzutil", "/s", "Europe/Berlin")) == []
    (record,) = shell.streams.errors
    assert record.FullyQualifiedErrorId == "NativeCommandError"
    assert record.CategoryInfo.Activity == ""
    assert shell.lines(call("tzutil", "/g")) == ["Pacific Standard Time"]


def test_a_server_of_2008_has_no_tzutil() -> None:
    record = on(clock={"tzutil": False}).failure(call("tzutil", "/g"))
    assert record.FullyQualifiedErrorId == "CommandNotFoundException"


def test_daylight_saving_time_follows_the_real_rules() -> None:
    summer = datetime.datetime(2026, 7, 1, tzinfo=datetime.timezone.utc)
    assert Zone("Central Standard Time").offset(summer) == datetime.timedelta(hours=-5)
    assert Zone("Central Standard Time", False).offset(summer) == datetime.timedelta(hours=-6)


@given(
    st.sampled_from(sorted(WINDOWS_ZONES)),
    st.booleans(),
    st.datetimes(timezones=st.just(datetime.timezone.utc)),
)
def test_every_zone_has_an_offset_at_any_time(name: str, daylight: bool, moment: datetime.datetime) -> None:
    zone = parse_zone(Zone(name, daylight).setting.upper())
    assert zone == Zone(name, daylight)
    assert abs(zone.offset(moment)) <= datetime.timedelta(hours=16)


# W32Time: what it says


def test_status_of_a_domain_member_that_is_synchronised() -> None:
    shell = on(clock={"time_zone": "UTC"})
    lines = shell.lines(call("w32tm", "/query", "/status", "/verbose"))
    assert lines[0] == "Leap Indicator: 0(no warning)"
    assert lines[6:10] == [
        "Last Successful Sync Time: 11/21/2026 2:50:00 PM",
        "Source: dc01.contoso.com",
        "Poll Interval: 10 (1024s)",
        "",
    ]
    assert lines[-2] == "Last Sync Error: 0 (The command completed successfully.)"
    assert lines[-1] == "Time since Last Good Sync Time: 600.0000000s"
    assert not shell.streams.written


def test_status_of_a_server_that_never_synchronised() -> None:
    shell = on(time_service={"last_sync_seconds": "never"})
    found = status(shell)
    assert found["Leap Indicator"] == "3(not synchronized)"
    assert found["Stratum"] == "0 (unspecified)"
    assert found["Last Successful Sync Time"] == "unspecified"
    assert found["Source"] == "Local CMOS Clock"


def test_status_in_german_with_a_decimal_comma() -> None:
    shell = on(time_service={"language": "de", "decimal_comma": True}, clock={"time_zone": "UTC"})
    lines = shell.lines(call("w32tm", "/query", "/status", "/verbose"))
    assert lines[0] == "Sprungindikator: 0(keine Warnung)"
    assert lines[3] == "Stammverzögerung: 0,0335388s"
    assert lines[6] == "Letzte erfolgr. Synchronisierungszeit: 21.11.2026 14:50:00"
    assert len(lines) == 17


@pytest.mark.parametrize(
    ("state", "code"), [({"running": False}, "0x80070426"), ({"registered": False}, "0x80070424")]
)
def test_w32tm_names_the_code_when_the_service_does_not_run(state: dict[str, Any], code: str) -> None:
    shell = on(time_service=state)
    for arguments in (("/query", "/status"), ("/query", "/source"), ("/resync",), ("/config", "/update")):
        lines = shell.lines(call("w32tm", *arguments))
        assert code in lines[-1]
        assert not shell.streams.errors


@pytest.mark.parametrize(
    ("server", "offset", "line"),
    [
        ({}, 7.5, "-07.5000000s"),
        ({}, -7.5, "+07.5000000s"),
        ({"offset": 3600.0}, 0.0, "+3600.0000000s"),
        ({"reachable": False}, 0.0, "error: 0x800705B4"),
    ],
)
def test_stripchart_shows_the_other_clock_less_the_own(
    server: dict[str, Any], offset: float, line: str
) -> None:
    shell = on(clock={"offset": offset, "time_zone": "UTC"}, time_servers={"ntp1.contoso.com": server})
    lines = shell.lines(call("w32tm", "/stripchart", "/computer:ntp1.contoso.com", "/samples:3", "/dataonly"))
    assert lines[:2] == ["Tracking ntp1.contoso.com [192.0.2.102:123].", "Collecting 3 samples."]
    assert [sample.partition(", ")[2] for sample in lines[3:]] == [line] * 3


@pytest.mark.parametrize(
    "arguments",
    [
        ("/bogus",),
        ("/resync", "/bogus"),
        ("/query", "/status", "/verbos"),
        ("/stripchart", "/computer:ntp1.contoso.com", "/samples:many"),
    ],
)
def test_unexpected_arguments(arguments: tuple[str, ...]) -> None:
    assert on().lines(call("w32tm", *arguments))[0] == "The following arguments were unexpected:"


def test_stripchart_of_a_name_that_does_not_exist() -> None:
    (line,) = on().lines(call("w32tm", "/stripchart", "/computer:nowhere", "/samples:1", "/dataonly"))
    assert line.endswith("(0x80072AF9)")


# W32Time: what it does


def resync(shell: Shell, *more: str) -> str:
    first, second = shell.lines(call("w32tm", "/resync", *more))
    assert first == "Sending resync command to local computer"
    return second


@pytest.mark.parametrize("offset", [0.4, -72.0, 6 * 3600.0, -THIRTEEN_YEARS])
def test_a_domain_member_is_corrected_however_wrong_it_is(offset: float) -> None:
    shell = on(clock={"offset": offset})
    assert resync(shell, "/rediscover") == "The command completed successfully."
    assert shell.streams.written == ["w32tm"]
    assert settled_error(shell) == pytest.approx(0.0, abs=1e-4)


@pytest.mark.parametrize(("offset", "corrected"), [(53000.0, True), (-55000.0, False), (55000.0, False)])
def test_an_edge_in_a_workgroup_refuses_more_than_fifteen_hours(offset: float, corrected: bool) -> None:
    shell = on(
        "edge01.contoso.com",
        clock={"offset": offset},
        time_service={"type": "NTP", "peers": "ntp1.contoso.com,0x8"},
        **ONE_SERVER,
    )
    said = resync(shell)
    if corrected:
        assert said == "The command completed successfully."
        assert shown_error(shell) == pytest.approx(0.0, abs=1e-4)
    else:
        assert said == "The computer did not resync because the required time change was too big."
        assert status(shell)["Last Sync Error"].startswith("4 (")
        assert shown_error(shell) == pytest.approx(offset)


def test_no_source_no_data() -> None:
    unreachable = {"domain_controller": {"reachable": False}}
    shell = on(clock={"offset": 10.0}, **unreachable)
    assert resync(shell) == "The computer did not resync because no time data was available."
    assert status(shell)["Last Sync Error"].startswith("1 (")
    assert shown_error(shell) == pytest.approx(10.0)
    edge = on("edge01.contoso.com", time_service={"type": "NT5DS"})
    assert resync(edge).endswith("no time data was available.")


def test_a_lying_time_server_is_believed_and_a_dead_one_passed_over() -> None:
    shell = on(
        time_service={"type": "NTP", "peers": "dead.contoso.com,0x8 liar.contoso.com,0x8"},
        time_servers={"dead.contoso.com": {"reachable": False}, "liar.contoso.com": {"offset": 3600}},
    )
    resync(shell)
    assert shown_error(shell) == pytest.approx(3600.0)
    assert shell.lines(call("w32tm", "/query", "/source")) == ["liar.contoso.com,0x8"]


def test_a_correction_takes_its_time() -> None:
    shell = on(clock={"offset": 4000.0}, time_service={"correction_seconds": 3})
    resync(shell)
    assert shown_error(shell) == pytest.approx(4000.0)
    shell.clock.advance(3)
    assert shown_error(shell) == pytest.approx(0.0, abs=1e-4)
    windows_own = on(clock={"offset": 234.0})
    resync(windows_own)
    windows_own.clock.advance(234)
    assert shown_error(windows_own) == pytest.approx(117.0, abs=1e-4)
    slewed = on(clock={"offset": 100.0}, time_service={"slew_seconds": 10})
    resync(slewed)
    slewed.clock.advance(5)
    assert shown_error(slewed) == pytest.approx(50.0, abs=1e-4)


def test_the_hyper_v_host_is_the_source_until_its_provider_is_off_and_the_service_restarted() -> None:
    shell = on(clock={"offset": 25.0}, time_service={"hyper_v_host": {"offset": 25.0}})
    assert shell.lines(call("w32tm", "/query", "/source")) == ["VM IC Time Synchronization Provider"]
    resync(shell)
    assert shown_error(shell) == pytest.approx(25.0)
    key = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\TimeProviders\VMICTimeProvider"
    shell.run(
        call("New-ItemProperty", LiteralPath=key, Name="Enabled", Value=0, PropertyType="DWord", Force=None)
    )
    shell.run(call("w32tm", "/config", "/update"))
    resync(shell)
    assert shown_error(shell) == pytest.approx(25.0)
    shell.run(call("Restart-Service", "W32Time"))
    assert shell.lines(call("w32tm", "/query", "/source")) == ["dc01.contoso.com"]
    assert settled_error(shell) == pytest.approx(0.0, abs=1e-4)


def test_config_writes_the_registry_and_update_takes_it_over() -> None:
    shell = on(clock={"offset": 9.0}, **ONE_SERVER, domain_controller={"reachable": False})
    said = shell.lines(
        call("w32tm", "/config", "/manualpeerlist:ntp1.contoso.com,0x8", "/syncfromflags:manual", "/update")
    )
    assert said == ["The command completed successfully."]
    key = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters"
    values = shell.row(call("Get-ItemProperty", LiteralPath=key))
    assert (values["Type"], values["NtpServer"]) == ("NTP", "ntp1.contoso.com,0x8")
    resync(shell)
    assert settled_error(shell) == pytest.approx(0.0, abs=1e-4)


def test_the_domain_hierarchy_is_followed_only_after_a_restart() -> None:
    shell = on(time_service={"type": "NTP", "peers": "ntp1.contoso.com"}, **ONE_SERVER)
    shell.run(call("w32tm", "/config", "/syncfromflags:domhier", "/update"))
    resync(shell)
    assert shell.lines(call("w32tm", "/query", "/source")) == ["ntp1.contoso.com"]
    shell.run(call("Restart-Service", "W32Time", Force=None))
    assert shell.lines(call("w32tm", "/query", "/source")) == ["dc01.contoso.com"]


def test_register_brings_back_the_defaults_of_the_role() -> None:
    shell = on("edge01.contoso.com", time_service={"registered": False})
    missing = shell.failure(call("Get-Service", "W32Time"))
    assert missing.FullyQualifiedErrorId == (
        "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"
    )
    assert shell.lines(call("w32tm", "/register")) == ["W32Time successfully registered."]
    assert shell.row(call("Get-Service", Name="W32Time"))["Status"] == "Stopped"
    key = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time"
    rows = shell.rows(call("Get-ItemProperty", LiteralPath=[key + r"\Parameters", key + r"\Config"]))
    assert (rows[0]["Type"], rows[1]["MaxPosPhaseCorrection"]) == ("NTP", 54000)
    assert shell.lines(call("w32tm", "/unregister")) == ["W32Time successfully unregistered."]


def test_only_what_changes_something_is_journalled_as_a_write() -> None:
    shell = on()
    for arguments, writes in (
        (("w32tm", "/query", "/status"), False),
        (("w32tm", "/stripchart", "/computer:dc01.contoso.com", "/samples:1"), False),
        (("w32tm", "/resync"), True),
        (("w32tm", "/config", "/update"), True),
        (("tzutil", "/g"), False),
        (("klist",), False),
        (("klist", "-li", "0x3e7", "purge"), True),
    ):
        shell.run(call(*arguments))
        assert bool(shell.streams.written) is writes, arguments


# Services of Windows


def test_service_cmdlets() -> None:
    shell = front_end()
    row = shell.row(call("Get-Service", Name="W32Time"))
    assert (row["Name"], row["Status"], row["DisplayName"]) == ("W32Time", "Running", "Windows Time")
    shell.run(call("Stop-Service", Name="W32Time", Force=None))
    assert shell.row(call("Get-Service", "w32*"))["Status"] == "Stopped"
    shell.run(call("Set-Service", Name="W32Time", StartupType="Disabled"))
    record = shell.failure(call("Start-Service", Name="W32Time"))
    assert str(record).startswith(
        "Service 'Windows Time (W32Time)' cannot be started due to the following error"
    )
    assert record.FullyQualifiedErrorId == (
        "CouldNotStartService,Microsoft.PowerShell.Commands.StartServiceCommand"
    )
    key = r"HKLM:\SYSTEM\CurrentControlSet\Services\W32Time"
    assert shell.row(call("Get-ItemProperty", LiteralPath=key))["Start"] == 4
    shell.run(call("Set-Service", Name="W32Time", StartupType="Automatic", Status="Running"))
    assert shell.row(call("Get-Service", "W32Time"))["Status"] == "Running"


# Faults


def test_faults_of_clocks() -> None:
    shell = on(**ONE_SERVER)
    deployment = shell.deployment
    server = next(s for s in deployment.servers if s.name == "fe01.contoso.com")
    deployment.inject("clock_offset", server, {"seconds": "-7200"})
    assert shown_error(shell) == pytest.approx(-7200)
    assert server.clock_offset_s == pytest.approx(-7200)
    deployment.domain_controller.offset = -7000.0
    assert server.clock_offset_s == pytest.approx(-200)
    deployment.inject("time_zone_changed", server, {"zone": "UTC", "keep": "wall"})
    assert shown_error(shell) == pytest.approx(-7200 - 8 * 3600)
    deployment.inject("clock_jump", server, {"seconds": "10", "reading": "2"})
    assert shown_error(shell) == pytest.approx(-36000)
    assert shown_error(shell) == pytest.approx(-35990)
    deployment.inject("time_server", None, {"name": "ntp1.contoso.com", "offset": "60", "reachable": "false"})
    assert not deployment.time_servers["ntp1.contoso.com"].reachable
    deployment.inject("time_service", server, {"state": "stopped"})
    assert "0x80070426" in shell.lines(call("w32tm", "/query", "/status"))[0]
    with pytest.raises(ValueError, match="zone="):
        deployment.inject("time_zone_changed", server, {"zone": "Europe/Berlin"})
    with pytest.raises(ValueError, match="path:"):
        deployment.inject("registry_changed", server, {"path": "HKLM:\\SOFTWARE", "name": "a", "value": "1"})
    deployment.reset()
    assert shown_error(shell) == pytest.approx(0.0)
    assert deployment.time_servers["ntp1.contoso.com"].offset == 0.0
