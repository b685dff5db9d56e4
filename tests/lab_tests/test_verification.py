# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A/V authentication and its traces: the case of the article, from the complaint to the cure."""

from __future__ import annotations

import datetime
import json
import re

import pytest
from lab.deployment import load_deployment

from .direct import DEPLOYMENTS, Clock, Shell, call, front_end

_HEADER = re.compile(
    r"^TL_(?P<level>[A-Z]+)\((?P<flag>TF_[A-Z]+)\)\s*\[(?P<host>[^\]]*)\](?P<pid>[0-9A-F]{4,})\.(?P<tid>[0-9A-F]{4,})"
    r"::(?P<time>\d\d/\d\d/\d{4}-\d\d:\d\d:\d\d\.\d{3}\.[0-9A-Fa-f]{8})\s*\((?P<component>[^,]+),"
    r"(?P<function>[^)]*\([0-9]+\))\)(?:\s*\[[0-9]+\])?\s*\$\$begin_record"
)


class Case:
    """clock.yml with time that goes on when told to."""

    def __init__(self) -> None:
        self.clock = Clock()
        self.deployment = load_deployment(DEPLOYMENTS / "clock.yml", self.clock, self.clock.utc_now)

    def management(self) -> Shell:
        return Shell("2013", deployment=self.deployment)

    def server(self, name: str) -> Shell:
        shell = front_end("2013", server=f"{name}.contoso.com", deployment=self.deployment)
        shell.clock = self.clock
        return shell

    def works(self) -> bool:
        row = self.management().row(call("Test-CsAVEdgeConnectivity", TargetFqdn="pool01.contoso.com"))
        return row["Result"] == "Success"


def test_authentication_works_again_after_zone_time_and_restart() -> None:
    case = Case()
    assert not case.works()
    fe02 = case.server("fe02")
    assert case.deployment.machine("fe02.contoso.com").clock.error() == pytest.approx(-6 * 3600)
    fe02.run(call("tzutil", "/s", "Central Standard Time"))
    assert not case.works()
    fe02.run(call("w32tm", "/resync", "/rediscover"))
    assert abs(case.deployment.machine("fe02.contoso.com").clock.error()) < 0.001
    assert not case.works()
    fe02.run(call("Stop-CsWindowsService", Graceful=None, NoWait=None, Confirm=False))
    case.clock.advance(2)
    fe02.run(call("Start-CsWindowsService", NoWait=None, Confirm=False))
    case.clock.advance(2)
    assert case.works()


def test_the_other_pool_is_well() -> None:
    row = Case().management().row(call("Test-CsAVEdgeConnectivity", "dublin.contoso.com"))
    assert (row["Result"], row["Error"]) == ("Success", "")


def test_failure_as_the_synthetic_transaction_shows_it() -> None:
    case = Case()
    row = case.management().row(
        call(
            "Test-CsAVEdgeConnectivity",
            TargetFqdn="pool01.contoso.com",
            UserSipAddress="sip:kenmyer@contoso.com",
        )
    )
    assert (row["Result"], row["Latency"]) == ("Failure", datetime.timedelta())
    assert row["Error"] == "504, Server time-out"
    assert "Source=fe02.contoso.com" in row["Diagnosis"]
    assert case.management().failure(
        call("Test-CsAVEdgeConnectivity", "pool01.contoso.com", UserSipAddress="sip:nobody@contoso.com")
    )
    assert case.management().failure(call("Test-CsAVEdgeConnectivity", "edge.contoso.com"))


def test_an_edge_with_a_wrong_clock_breaks_every_pool() -> None:
    case = Case()
    case.deployment.inject("clock_offset", None, {"computer": "edge01.contoso.com", "seconds": "60000"})
    for pool in ("pool01.contoso.com", "dublin.contoso.com"):
        assert case.management().row(call("Test-CsAVEdgeConnectivity", pool))["Result"] == "Failure"


def test_traces_bear_the_articles_lines_and_the_servers_own_time() -> None:
    case = Case()
    start = case.clock.utc_now() - datetime.timedelta(hours=7)
    records = case.management().run(
        call(
            "Search-CsClsLogging",
            Pools="pool01.contoso.com",
            Components="SIPStack",
            StartTime=start,
            EndTime=case.clock.utc_now(),
        )
    )
    assert len(records) >= 8
    assert len(records) % 2 == 0
    header = _HEADER.match(records[0])
    assert header
    assert header["host"] == r"pool01\fe02"
    wrong = case.clock.utc_now() - datetime.timedelta(hours=6, minutes=25)
    assert header["time"].startswith(wrong.strftime("%m/%d/%Y-%H:%M:%S"))
    assert records[0].split("\r\n")[1:4] == [
        "LogType: diagnostic",
        "Severity: error",
        "Text: Message expired in the outbound queue before it could be sent",
    ]
    assert "SIP-Start-Line: SERVICE sip:edge.contoso.com:5062;grid SIP/2.0" in records[0]
    assert "Text: Message or one of its headers caused SIP transaction processing error" in records[1]
    assert re.search(
        r"Data: Transaction Time-out: Type \[2\] Method \[0x40\] Call-Id \[[0-9a-f]{32}\\n\]", records[1]
    )
    assert case.management().run(call("Search-CsClsLogging")) == []


def test_records_go_on_until_the_cure_and_the_status_has_them_all() -> None:
    case = Case()
    before = len(case.deployment.status()["traces"])
    case.clock.advance(601)
    after = len(case.deployment.status()["traces"])
    assert after == before + 4
    assert (
        json.loads(json.dumps(case.deployment.status()))["computers"]["fe02.contoso.com"]["clock_error"]
        == -21600
    )


def test_conditions_of_a_search() -> None:
    case = Case()
    wide = {"StartTime": case.clock.utc_now() - datetime.timedelta(days=1), "EndTime": case.clock.utc_now()}
    search = case.management()

    def count(**more: object) -> int:
        return len(search.run(call("Search-CsClsLogging", **wide, **more)))

    every = count()
    assert count(LogLevel="Error") == every // 2
    assert count(SipContents="SERVICE sip:edge") == every // 2
    assert count(SipContents="SERVICE sip:edge", Uri="kenmyer@contoso.com") == every
    assert count(SipContents="SERVICE sip:edge", Uri="kenmyer@contoso.com", MatchAll=None) == 0
    assert count(Computers="fe01.contoso.com") == 0
    assert count(Components="S4") == 0


def test_2010_has_no_such_cmdlets() -> None:
    for cmdlet in ("Test-CsAVEdgeConnectivity", "Search-CsClsLogging"):
        assert Shell("2010").failure(call(cmdlet, "x")).FullyQualifiedErrorId == "CommandNotFoundException"
