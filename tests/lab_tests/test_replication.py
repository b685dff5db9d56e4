# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication of the Central Management Store, on a clock that the tests move."""

from __future__ import annotations

import pytest

from .direct import Shell, call

CHANGE = call("Set-CsMediaConfiguration", EncryptionLevel="SupportEncryption")
STATUS = call("Get-CsManagementStoreReplicationStatus")


def up_to_date(shell: Shell) -> dict[str, bool]:
    return {row["ReplicaFqdn"].partition(".")[0]: row["UpToDate"] for row in shell.rows(STATUS)}


def test_every_computer_with_a_replica_is_listed_with_its_product() -> None:
    shell = Shell("2010")
    rows = shell.rows(STATUS)
    assert list(rows[0]) == [
        "UpToDate",
        "ReplicaFqdn",
        "LastStatusReport",
        "LastUpdateCreation",
        "ProductVersion",
    ]
    assert [row["ReplicaFqdn"] for row in rows] == [
        f"{n}.contoso.com" for n in ("fe01", "fe02", "dublin", "edge01")
    ]
    assert {row["ProductVersion"] for row in rows} == {"4.0.7577.0"}
    assert all(up_to_date(shell).values())


def test_a_change_takes_its_time_to_each_replica() -> None:
    shell = Shell(replication={"seconds": 5, "replicas": {"edge01.contoso.com": 20}})
    shell.run(CHANGE)
    assert not any(up_to_date(shell).values())
    shell.clock.advance(5)
    assert up_to_date(shell) == {"fe01": True, "fe02": True, "dublin": True, "edge01": False}
    shell.clock.advance(15)
    assert all(up_to_date(shell).values())


def test_the_times_of_a_report() -> None:
    shell = Shell()
    before = shell.rows(STATUS)[0]
    shell.clock.advance(100)
    shell.run(CHANGE)
    shell.clock.advance(60)
    after = shell.rows(STATUS)[0]
    assert (after["LastUpdateCreation"] - before["LastUpdateCreation"]).total_seconds() == 100
    assert (after["LastStatusReport"] - before["LastStatusReport"]).total_seconds() == 105


def test_forcing_deletes_the_status_and_is_a_write_without_whatif() -> None:
    shell = Shell()
    assert shell.run(call("Invoke-CsManagementStoreReplication", ReplicaFqdn="fe01.contoso.com")) == []
    assert shell.streams.written == ["Invoke-CsManagementStoreReplication"]
    first = shell.rows(STATUS)[0]
    assert (first["UpToDate"], first["LastStatusReport"], first["ProductVersion"]) == (False, None, "")
    assert up_to_date(shell) == {"fe01": False, "fe02": True, "dublin": True, "edge01": True}
    shell.clock.advance(5)
    assert all(up_to_date(shell).values())
    record = shell.failure(call("Invoke-CsManagementStoreReplication", WhatIf=None))
    assert record.FullyQualifiedErrorId.startswith("NamedParameterNotFound,")


def test_a_replica_that_never_gets_there() -> None:
    shell = Shell(replication={"seconds": 5, "replicas": {"edge01.contoso.com": "never"}})
    assert all(up_to_date(shell).values())
    shell.run(CHANGE)
    shell.clock.advance(10**6)
    assert up_to_date(shell) == {"fe01": True, "fe02": True, "dublin": True, "edge01": False}
    shell.run(call("Invoke-CsManagementStoreReplication"))
    shell.clock.advance(10**6)
    assert not up_to_date(shell)["edge01"]


def test_replication_stuck_and_released_while_the_lab_runs() -> None:
    shell = Shell()
    server = next(s for s in shell.deployment.servers if s.name == "fe02.contoso.com")
    shell.deployment.inject("replication_stuck", server, {})
    shell.run(CHANGE)
    shell.clock.advance(60)
    assert not up_to_date(shell)["fe02"]
    shell.deployment.inject("replication_released", server, {})
    shell.clock.advance(5)
    assert up_to_date(shell)["fe02"]


def test_the_local_store_lags_behind() -> None:
    shell = Shell()
    local = call("Get-CsMediaConfiguration", LocalStore=None)
    shell.run(CHANGE)
    assert shell.row(local)["EncryptionLevel"] == "RequireEncryption"
    assert shell.row(call("Get-CsMediaConfiguration"))["EncryptionLevel"] == "SupportEncryption"
    shell.clock.advance(5)
    assert shell.row(local)["EncryptionLevel"] == "SupportEncryption"


def test_the_local_store_works_while_the_central_one_does_not() -> None:
    shell = Shell()
    shell.deployment.inject("cms_unreachable", None, {})
    assert (
        shell.row(call("Get-CsMediaConfiguration", LocalStore=None))["EncryptionLevel"] == "RequireEncryption"
    )
    for command in (call("Get-CsMediaConfiguration"), CHANGE, STATUS, call("Get-CsUser")):
        record = shell.failure(command)
        assert record.FullyQualifiedErrorId.startswith("CannotConnectToStore,")
        assert record.CategoryInfo.Category.name == "ResourceUnavailable"
    shell.deployment.inject("cms_reachable", None, {})
    assert shell.row(call("Get-CsMediaConfiguration"))["EncryptionLevel"] == "RequireEncryption"


@pytest.mark.parametrize("count", [1, 2])
def test_changes_that_do_not_stick(count: int) -> None:
    shell = Shell()
    shell.deployment.inject("change_does_not_stick", None, {"count": str(count)})
    for _ in range(count):
        shell.run(CHANGE)
        assert not shell.streams.errors
        assert shell.row(call("Get-CsMediaConfiguration"))["EncryptionLevel"] == "RequireEncryption"
    shell.run(CHANGE)
    assert shell.row(call("Get-CsMediaConfiguration"))["EncryptionLevel"] == "SupportEncryption"


def test_another_administrators_change() -> None:
    shell = Shell()
    answer = shell.deployment.inject(
        "other_administrator",
        None,
        {"noun": "CsMediaConfiguration", "EncryptionLevel": "supp", "EnableQoS": "true"},
    )
    assert answer == "CsMediaConfiguration Global now has EncryptionLevel=SupportEncryption, EnableQoS=True."
    assert shell.row(call("Get-CsMediaConfiguration"))["EnableQoS"] is True
    with pytest.raises(ValueError, match="no property 'Colour'"):
        shell.deployment.inject(
            "other_administrator", None, {"noun": "CsMediaConfiguration", "Colour": "red"}
        )


def test_nobody_changes_a_store_that_does_not_answer() -> None:
    shell = Shell()
    shell.deployment.inject("cms_unreachable", None, {})
    with pytest.raises(ValueError, match="does not answer"):
        shell.deployment.inject(
            "other_administrator", None, {"noun": "CsMediaConfiguration", "EnableQoS": "true"}
        )


def test_with_two_masters_every_replica_says_it_is_up_to_date_and_none_reports() -> None:
    shell = Shell(second_master="dublin.contoso.com")
    before = shell.rows(STATUS)
    shell.run(CHANGE)
    shell.clock.advance(60)
    assert shell.rows(STATUS) == before
    assert all(up_to_date(shell).values())
    services = shell.rows(call("Get-CsService", CentralManagement=None))
    assert [row["PoolFqdn"] for row in services if row["Active"]] == [
        "pool01.contoso.com",
        "dublin.contoso.com",
    ]
