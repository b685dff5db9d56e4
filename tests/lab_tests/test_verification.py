# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A/V authentication: the case of the article, from the complaint to the cure."""

from __future__ import annotations

import datetime

import pytest
from lab.deployment import load_deployment

from .direct import DEPLOYMENTS, Clock, Shell, call, front_end


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
