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


# Centralized logging


def test_no_scenario_no_records() -> None:
    case = Case()
    before = len(case.deployment.status()["traces"])
    management = case.management()
    management.run(call("Stop-CsClsLogging", Scenario="AlwaysOn", Pools="pool01.contoso.com"))
    assert management.streams.written == ["Stop-CsClsLogging"]
    case.clock.advance(3000)
    assert len(case.deployment.status()["traces"]) == before
    management.run(call("Start-CsClsLogging", Scenario="alwayson", Computers="fe02.contoso.com"))
    case.clock.advance(301)
    assert len(case.deployment.status()["traces"]) == before + 2


def test_a_file_may_begin_without_logging() -> None:
    shell = Shell("2019", centralized_logging=[], certificates={"AudioVideoAuthentication": {"absent": True}})
    assert shell.deployment.status()["traces"] == []


def test_one_scenario_runs_beside_always_on_and_ends_by_itself() -> None:
    case = Case()
    management = case.management()
    start = call("Start-CsClsLogging", Scenario="RGS", Duration="0.02:00", Computers="fe01.contoso.com")
    management.run(start)
    assert not management.streams.errors
    lines = management.run(call("Show-CsClsLogging", Computers="fe01.contoso.com"))
    assert lines == [
        "Success Code - 0, Successful on 1 agents",
        "Tracing Status:",
        "pool01.contoso.com (FE01 v5.0.8308.0) (AlwaysOn=Yes,Scenario=RGS,Started=11/21/2026 9:00:00 AM,"
        "By=CONTOSO\\uc-admin,Duration=0.02:00)",
        "fe01.contoso.com (FE01 v5.0.8308.0) (Same as pool)",
    ]
    other = call("Start-CsClsLogging", Scenario="CPS", Computers="fe01.contoso.com")
    assert "RGS is running" in str(management.failure(other))
    case.clock.advance(7201)
    assert "Scenario=" not in "".join(management.run(call("Show-CsClsLogging")))
    management.run(other)
    management.run(call("Update-CsClsLogging", Duration="60"))
    case.clock.advance(3601)
    assert "Scenario=" not in "".join(management.run(call("Show-CsClsLogging")))
    assert management.failure(call("Start-CsClsLogging", Scenario="CPS", Duration="soon"))
    assert management.failure(call("Show-CsClsLogging", Pools="nowhere.contoso.com"))


def test_from_2015_on_each_computer_is_an_object() -> None:
    shell = Shell("2019")
    shell.deployment.inject(
        "services_stopped", None, {"computer": "fe02.contoso.com", "service": "RTCCLSAGT"}
    )
    first, second = shell.rows(call("Show-CsClsLogging", Pools="pool01.contoso.com"))
    assert (first["PoolFqdn"], first["MachineFqdn"]) == ("pool01.contoso.com", "fe01.contoso.com")
    assert (first["AlwaysOn"], first["ScenarioName"], first["ResponseMessage"]) == (True, "", "")
    assert second["AlwaysOn"] is None
    assert "does not answer" in second["ResponseMessage"]


def test_a_silent_agent_is_not_searched() -> None:
    case = Case()
    window = {"StartTime": case.clock.utc_now() - datetime.timedelta(days=1), "EndTime": case.clock.utc_now()}
    assert case.management().run(call("Search-CsClsLogging", **window))
    case.deployment.inject("services_stopped", None, {"computer": "fe02.contoso.com", "service": "RTCCLSAGT"})
    assert case.management().run(call("Search-CsClsLogging", **window)) == []


# Federation


@pytest.mark.parametrize("version", ["2010", "2019"])
def test_a_federated_partner_answers_if_it_is_allowed(version: str) -> None:
    shell = Shell(version, federated_partners={"silent.example": {"reachable": False}})

    def result(domain: str) -> str:
        row = shell.row(call("Test-CsFederatedPartner", TargetFqdn="edge.contoso.com", Domain=domain))
        assert (row["Error"] == "") is (row["Result"] == "Success")
        return str(row["Result"])

    for domain in ("fabrikam.com", "silent.example"):
        shell.rows(call("New-CsAllowedDomain", domain))
    assert result("fabrikam.com") == "Failure"
    shell.rows(call("Set-CsAccessEdgeConfiguration", AllowFederatedUsers=True, UseDnsSrvRouting=None))
    assert result("fabrikam.com") == "Success"
    assert result("litwareinc.com") == "Failure"
    assert result("silent.example") == "Failure"
    shell.deployment.inject("federated_partner", None, {"domain": "fabrikam.com"})
    assert result("fabrikam.com") == "Failure"
    shell.deployment.reset()
    shell.rows(call("New-CsAllowedDomain", "fabrikam.com"))
    shell.rows(call("Set-CsAccessEdgeConfiguration", AllowFederatedUsers=True, UseDnsSrvRouting=None))
    assert result("fabrikam.com") == "Success"
    assert shell.failure(call("Test-CsFederatedPartner", "pool01.contoso.com", "fabrikam.com"))


def test_what_is_local_and_what_is_not_modelled_say_so() -> None:
    shell = Shell("2013")
    for cmdlet in ("Test-CsReplica", "Test-CsComputer"):
        assert "on the local computer only" in str(shell.failure(call(cmdlet)))
    record = shell.failure(call("Get-CsTopology", AsXml=None))
    assert record.CategoryInfo.Category.name == "NotImplemented"
