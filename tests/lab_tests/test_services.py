# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Lync services of a computer, and the quorum of its pool."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from lab.deployment.services import FOREIGN, QUORUM, QUORUM_2019

from .direct import VERSIONS, Shell, call, front_end, properties

WITH_FABRIC = ("2013", "2015", "2019", "SE")
SIZES = (1, 2, 3, 6, 9, 12)


def pool_of(size: int, **more: Any) -> dict[str, Any]:
    """A deployment whose first pool has so many Front Ends."""
    pools = {
        "pool01.contoso.com": {
            "site": "Redmond",
            "computers": [f"fe{number:02}" for number in range(1, size + 1)],
            "edge": "edge.contoso.com",
        }
    }
    more["high_availability"] = {"upgrade_domains": "objects", **more.get("high_availability", {})}
    return {"pools": pools, "users": [{"name": "kenmyer", "pool": "pool01.contoso.com"}], **more}


def name(number: int) -> str:
    return f"fe{number:02}.contoso.com"


def quorum_of(version: str) -> Mapping[int, tuple[int, int, int]]:
    return QUORUM_2019 if version in ("2019", "SE") else QUORUM


class Pool:
    """A pool, spoken to over WinRM on its servers."""

    def __init__(self, version: str, size: int, **more: Any) -> None:
        self.version = version
        self.first = front_end(version, **pool_of(size, **more))
        self.shells = {1: self.first}
        self.size = size

    def shell(self, number: int) -> Shell:
        if number not in self.shells:
            made = front_end(self.version, server=name(number), deployment=self.first.deployment)
            made.clock = self.first.clock
            self.shells[number] = made
        return self.shells[number]

    def stop(self, *numbers: int) -> None:
        for number in numbers:
            self.shell(number).run(call("Stop-CsWindowsService", NoWait=None, Confirm=False))

    def start(self, *numbers: int) -> None:
        for number in numbers:
            self.shell(number).run(call("Start-CsWindowsService", NoWait=None, Confirm=False))

    def registrar(self, number: int) -> str:
        return self.statuses(number)["RTCSRV"]

    def statuses(self, number: int) -> dict[str, str]:
        rows = self.shell(number).rows(call("Get-CsWindowsService", ExcludeActivityLevel=None))
        return {row["Name"]: row["Status"] for row in rows if row["Name"] not in FOREIGN}

    def running(self) -> list[int]:
        return [number for number in range(1, self.size + 1) if self.registrar(number) == "Running"]

    def readiness(self, number: int = 1) -> dict[str, Any]:
        older = self.version in ("2013", "2015")
        cmdlet = "Get-CsPoolUpgradeReadinessState" if older else "Get-CsUpgradeDomainInfo"
        return self.shell(number).row(call(cmdlet, Confirm=False))


# Services


@pytest.mark.parametrize("version", VERSIONS)
def test_services_of_a_front_end_by_version(version: str) -> None:
    rows = Pool(version, 3).first.rows(call("Get-CsWindowsService"))
    names = {row["Name"] for row in rows}
    assert {"RTCSRV", "RTCAVMCU", "MASTER", "FTA", "W3SVC"} <= names
    assert ("FabricHostSvc" in names) is (version != "2010")
    assert ("RTCHA" in names) is (version in ("2015", "2019", "SE"))
    assert ("RTCMEETINGMCU" in names) is (version == "2010")
    (registrar,) = (row for row in rows if row["Name"] == "RTCSRV")
    assert list(registrar["RoleName"]) == ["Registrar", "UserServer", "EdgeServer"]
    product = "Lync Server" if version in ("2010", "2013") else "Skype for Business Server"
    assert registrar["DisplayName"] == f"{product} Front-End"
    assert "W32Time" not in names


def test_a_graceful_stop_drains_first() -> None:
    pool = Pool("2013", 3, services={"stop_seconds": 1, "drain_seconds": 30, "start_seconds": 2})
    pool.shell(2).run(call("Stop-CsWindowsService", Graceful=None, NoWait=None, Confirm=False))
    assert pool.shell(2).streams.written == ["Stop-CsWindowsService"]
    assert set(pool.statuses(2).values()) == {"Paused"}
    pool.first.clock.advance(30)
    assert set(pool.statuses(2).values()) == {"StopPending"}
    pool.first.clock.advance(1)
    assert set(pool.statuses(2).values()) == {"Stopped"}
    pool.start(2)
    assert set(pool.statuses(2).values()) == {"StartPending"}
    pool.first.clock.advance(2)
    assert set(pool.statuses(2).values()) == {"Running"}


def test_stopping_ends_the_draining() -> None:
    pool = Pool("2013", 3, services={"drain_seconds": 30})
    for graceful in ({"Graceful": None}, {"Graceful": None}, {}):
        assert set(pool.statuses(2).values()) != {"Stopped"}
        pool.shell(2).run(call("Stop-CsWindowsService", NoWait=None, Confirm=False, **graceful))
    assert set(pool.statuses(2).values()) == {"Stopped"}


DEPENDENCIES = {"RTCCAA": ["RTCSRV"], "RTCCAS": ["RTCCAA"]}


def test_services_depend_on_each_other_where_the_file_says_so() -> None:
    pool = Pool("2019", 3, services={"depends_on": DEPENDENCIES})
    shell = pool.shell(2)
    stop = call("Stop-CsWindowsService", Name="RTCSRV", Confirm=False)
    shell.run(stop)
    gone = {name for name, status in pool.statuses(2).items() if status == "Stopped"}
    assert gone == {"RTCSRV", "RTCCAA", "RTCCAS"}
    shell.run(call("Start-CsWindowsService", Name="RTCSRV", Confirm=False))
    gone = {name for name, status in pool.statuses(2).items() if status == "Stopped"}
    assert gone == {"RTCCAA", "RTCCAS"}
    shell.run(stop)
    shell.run(call("Start-CsWindowsService", Name="RTCCAS", Confirm=False))
    assert set(pool.statuses(2).values()) == {"Running"}


def test_windows_wants_force_for_a_service_that_others_depend_on() -> None:
    pool = Pool("2019", 3, services={"depends_on": DEPENDENCIES})
    shell = pool.shell(2)
    row = shell.row(call("Get-Service", "RTCCAA"))
    assert (list(row["DependentServices"]), list(row["ServicesDependedOn"])) == (["RTCCAS"], ["RTCSRV"])
    for command in ("Stop-Service", "Restart-Service"):
        record = shell.failure(call(command, "RTCCAA"))
        assert record.FullyQualifiedErrorId.startswith("ServiceHasDependentServices,")
    shell.run(call("Restart-Service", "RTCCAA", Force=None))
    assert set(pool.statuses(2).values()) == {"Running"}
    shell.run(call("Stop-Service", "RTCCAA", Force=None))
    assert pool.statuses(2)["RTCCAS"] == "Stopped"
    shell.run(call("Start-Service", "RTCCAS"))
    assert pool.statuses(2)["RTCCAA"] == "Running"


@pytest.mark.parametrize(("size", "spared"), [(2, 1), (4, 2), (6, 3)])
def test_without_its_sql_server_an_even_pool_can_spare_one_server_less(size: int, spared: int) -> None:
    pool = Pool("2013", size)
    pool.stop(*range(size - spared + 1, size + 1))
    assert len(pool.running()) == size - spared
    deployment = pool.first.deployment
    deployment.inject("sql_backend", None, {"name": "sql-pool01.contoso.com"})
    assert pool.running() == []
    assert not deployment.status()["central_management_reachable"]
    pool.start(*range(1, size - spared + 1))
    assert pool.running() == []
    deployment.inject("sql_backend", None, {"name": "sql-pool01.contoso.com", "reachable": "true"})
    assert deployment.status()["central_management_reachable"]


@pytest.mark.parametrize(
    ("kind", "status"), [("service_fails", "Stopped"), ("service_hangs", "StartPending")]
)
def test_a_service_that_does_not_come_up(kind: str, status: str) -> None:
    pool = Pool("2019", 3)
    deployment = pool.first.deployment
    server = next(s for s in deployment.servers if s.name == name(2))
    deployment.inject(kind, server, {"service": "RTCASMCU"})
    pool.stop(2)
    pool.start(2)
    found = pool.statuses(2)
    assert found.pop("RTCASMCU") == status
    assert set(found.values()) == {"Running"}


def test_starting_a_disabled_service_fails() -> None:
    shell = front_end(services={"disabled": ["RTCATS"]})
    record = shell.failure(call("Start-CsWindowsService", "RTCATS", Confirm=False))
    assert record.FullyQualifiedErrorId == (
        "ProcessingFailed,Microsoft.Rtc.Management.Deployment.StartWindowsServiceCmdlet"
    )


def test_other_computers_are_reached_from_management_but_no_edge() -> None:
    shell = Shell()
    rows = shell.rows(call("Get-CsWindowsService", ComputerName="fe02.contoso.com"))
    assert {row["Name"] for row in rows} >= {"RTCSRV"}
    for computer in ("edge01.contoso.com", "nowhere.contoso.com"):
        record = shell.failure(call("Get-CsWindowsService", ComputerName=computer))
        assert record.FullyQualifiedErrorId.startswith("ProcessingFailed,")


def test_from_a_front_end_another_needs_delegation() -> None:
    other = call("Get-CsWindowsService", ComputerName="fe02.contoso.com")
    assert front_end(delegated=True).rows(other)
    assert front_end(delegated=False).failure(other).CategoryInfo.Category.name == "InvalidOperation"


# Quorum


@pytest.mark.parametrize(
    ("version", "size"),
    [
        (version, size)
        for version in WITH_FABRIC
        for size in (2, 3, 6, 9, 12, 16)
        if size in quorum_of(version)
    ],
)
def test_below_the_functional_level_the_remaining_servers_stop_all_services(version: str, size: int) -> None:
    _, to_stay, counted = quorum_of(version)[size]
    pool = Pool(version, size)
    may_go = list(range(1, counted - to_stay + 1))
    pool.stop(*may_go)
    assert pool.running() == list(range(len(may_go) + 1, size + 1))
    pool.stop(counted - to_stay + 1)
    assert pool.running() == []
    if to_stay > 1:
        assert set(pool.statuses(size).values()) == {"Stopped"}
        assert "lost its quorum" in pool.first.deployment.status()["events"][-1]


def test_who_begins_and_ceases_to_serve_users_is_told() -> None:
    pool = Pool("2013", 3)
    seen: list[tuple[str, bool]] = []
    pool.first.deployment.watch(lambda event, server, pool, serves: seen.append((server, serves)))
    pool.stop(2)
    pool.start(2)
    pool.start(2)
    assert seen == [(name(2), False), (name(2), True)]
    pool.stop(1, 3)
    assert seen[2:] == [(name(number), False) for number in (1, 3, 2)]


def test_the_journal_has_what_services_and_pools_answered() -> None:
    pool = Pool("2013", 3, high_availability={"busy_seconds": 60})
    services = call("Get-CsWindowsService")
    readiness = call("Get-CsPoolUpgradeReadinessState", Confirm=False)
    stop = call("Stop-CsWindowsService", Name="RTCSRV", NoWait=None, Confirm=False)
    answers = []
    for command in (services, stop, services, readiness):
        pool.first.run(command)
        answers.append(pool.first.streams.journal[0].answer)
    assert answers == ["Running", None, "Running, Stopped", "Busy"]


def test_servers_beyond_the_first_do_not_count() -> None:
    pool = Pool("2019", 9)
    pool.stop(8, 9, 1, 2, 3)
    assert pool.running() == [4, 5, 6, 7]
    pool.stop(4)
    assert pool.running() == []


def test_the_quorum_is_lost_a_while_after_the_server() -> None:
    pool = Pool("2015", 3, high_availability={"quorum_loss_seconds": 10})
    pool.stop(1, 2)
    assert pool.running() == [3]
    pool.first.clock.advance(9)
    assert pool.running() == [3]
    pool.start(1)
    pool.first.clock.advance(5)
    assert pool.running() == [1, 3]


@pytest.mark.parametrize("size", [3, 6, 9, 12])
def test_a_pool_that_lost_its_quorum_starts_only_with_enough_servers(size: int) -> None:
    to_start, to_stay, _ = QUORUM[size]
    pool = Pool("2013", size)
    pool.stop(*range(1, size + 1))
    assert pool.running() == []
    pool.start(*range(1, to_start))
    assert pool.running() == []
    assert pool.registrar(1) == "StartPending"
    assert pool.statuses(1)["RTCAVMCU"] == "Running"
    pool.start(to_start)
    assert pool.running() == list(range(1, to_start + 1))
    assert to_stay <= to_start


def test_of_two_servers_the_last_to_go_must_come_first() -> None:
    pool = Pool("2013", 2)
    pool.stop(1, 2)
    pool.start(1)
    assert (pool.registrar(1), pool.registrar(2)) == ("StartPending", "Stopped")
    pool.start(2)
    assert pool.running() == [1, 2]
    pool.stop(1, 2)
    pool.start(2)
    assert pool.running() == [2]


@pytest.mark.parametrize("size", [2, 3, 9])
def test_lync_2010_knows_no_quorum(size: int) -> None:
    pool = Pool("2010", size)
    pool.stop(*range(1, size))
    assert pool.running() == [size]
    pool.stop(size)
    pool.start(1)
    assert pool.running() == [1]


def test_another_administrator_takes_a_server_down() -> None:
    pool = Pool("2015", 3)
    deployment = pool.first.deployment
    pool.stop(1)
    said = deployment.inject("services_stopped", None, {"computer": name(2)})
    assert said.startswith("Stopped on fe02.contoso.com: W3SVC")
    assert pool.running() == []


def test_a_server_that_reboots_starts_what_starts_automatically() -> None:
    pool = Pool("2019", 3)
    deployment = pool.first.deployment
    server = next(s for s in deployment.servers if s.name == name(3))
    deployment.inject("server_reboots", server, {"seconds": "20"})
    assert server.down_s == 20
    management = Shell(deployment=deployment)
    assert management.failure(call("Get-CsWindowsService", ComputerName=name(3)))
    pool.first.clock.advance(20)
    assert server.down_s == 0
    assert pool.running() == [1, 2, 3]


# Readiness, failing over


@pytest.mark.parametrize("version", WITH_FABRIC)
@pytest.mark.parametrize("size", SIZES)
def test_a_healthy_pool_is_ready_and_lists_every_server_once(version: str, size: int) -> None:
    found = Pool(version, size).readiness()
    assert found["PoolUpgradeState"] == "Ready"
    domains = [properties(domain) for domain in found["UpgradeDomains"]]
    servers = [server for domain in domains for server in domain["Frontends"]]
    assert servers == [name(number) for number in range(1, size + 1)]
    assert all(domain["IsReadyForUpgrade"] is True for domain in domains)
    assert all(domain["TotalActiveFrontends"] == domain["TotalFrontends"] for domain in domains)


def test_a_pool_is_busy_for_a_while_after_a_server_has_come_or_gone() -> None:
    pool = Pool("2013", 6, high_availability={"busy_seconds": 600})
    pool.stop(2)
    assert pool.readiness()["PoolUpgradeState"] == "Busy"
    pool.first.clock.advance(600)
    assert pool.readiness()["PoolUpgradeState"] == "Ready"
    pool.start(2)
    assert pool.readiness()["PoolUpgradeState"] == "Busy"


def test_a_pool_that_can_spare_no_server_says_so() -> None:
    pool = Pool("2019", 3)
    pool.stop(3)
    found = pool.readiness()
    assert found["PoolUpgradeState"] == "InsufficientActiveFrontEnds"
    ready = [properties(domain)["IsReadyForUpgrade"] for domain in found["UpgradeDomains"]]
    assert ready == [False, False, True]


def test_readiness_is_for_front_ends_only_and_each_version_has_its_own_cmdlet() -> None:
    for version, offered in (("2010", None), ("2013", 0), ("2015", 0), ("2019", 1)):
        shell = front_end(version)
        for number, cmdlet in enumerate(("Get-CsPoolUpgradeReadinessState", "Get-CsUpgradeDomainInfo")):
            if number == offered:
                assert shell.rows(call(cmdlet))
            else:
                assert shell.failure(call(cmdlet)).FullyQualifiedErrorId == "CommandNotFoundException"


def test_failing_over_drains_stops_and_disables_and_failing_back_undoes_that() -> None:
    pool = Pool("2015", 3)
    shell = pool.shell(2)
    shell.run(call("Invoke-CsComputerFailOver", ComputerName=name(2), Confirm=False))
    assert shell.streams.written == ["Invoke-CsComputerFailOver"]
    assert set(pool.statuses(2).values()) == {"Stopped"}
    key = r"HKLM:\SYSTEM\CurrentControlSet\Services\RTCSRV"
    assert shell.row(call("Get-ItemProperty", LiteralPath=key))["Start"] == 4
    shell.run(call("Start-CsWindowsService", NoWait=None, Confirm=False))
    assert shell.streams.errors
    assert pool.registrar(2) == "Stopped"
    shell.run(call("Invoke-CsComputerFailBack", ComputerName=name(2), Confirm=False))
    assert set(pool.statuses(2).values()) == {"Running"}
    assert shell.row(call("Get-ItemProperty", LiteralPath=key))["Start"] == 2


def test_failing_over_needs_a_pool_that_can_do_without() -> None:
    pool = Pool("2019", 3)
    pool.stop(1)
    shell = pool.shell(2)
    record = shell.failure(call("Invoke-CsComputerFailOver", Confirm=False))
    assert record.FullyQualifiedErrorId.startswith("ProcessingFailed,")
    assert pool.running() == [2, 3]
    alone = Pool("2019", 1)
    record = alone.first.failure(call("Invoke-CsComputerFailOver", Confirm=False))
    assert record.FullyQualifiedErrorId.startswith("NotFrontEnd")


def test_failing_over_does_nothing_when_the_pool_stays_busy() -> None:
    pool = Pool("2019", 6, high_availability={"busy_seconds": 1e9})
    pool.stop(1)
    pool.start(1)
    wait = datetime.timedelta(0)
    record = pool.shell(2).failure(call("Invoke-CsComputerFailOver", WaitTime=wait, Confirm=False))
    assert "was not ready" in str(record)
    assert pool.registrar(2) == "Running"


def test_fabric_state_tells_of_missing_servers() -> None:
    pool = Pool("2013", 3)
    pool.stop(3)
    shell = Shell("2013", deployment=pool.first.deployment)
    shell.run(call("Get-CsPoolFabricState", PoolFqdn="pool01.contoso.com", Confirm=False))
    assert shell.streams.warnings == ["Replicas missing on fe03.contoso.com"]
