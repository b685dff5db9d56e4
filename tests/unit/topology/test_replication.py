# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication: waiting for those behind, and forcing no others."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterable
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject, Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.topology import replication
from unit.envelopes import envelope
from unit.settings.scripted_shell import Answer, ScriptedShell, error, remote

REPORTED = datetime.datetime(2026, 11, 21, 8, 30, tzinfo=datetime.timezone.utc)


def state(fqdn: str, up_to_date: bool | None, reported: datetime.datetime | None = REPORTED) -> RemoteObject:
    return remote(
        "Microsoft.Rtc.Management.Xds.ReplicaState",
        UpToDate=up_to_date,
        ReplicaFqdn=fqdn,
        LastStatusReport=reported,
        LastUpdateCreation=REPORTED,
        ProductVersion="4.0.7577.0",
    )


class Clock:
    """A clock that only moves when somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float, /) -> None:
        self.slept.append(seconds)
        self.now += seconds


def server(*readings: Iterable[bool]) -> ScriptedShell:
    """One that shows fe01, fe02 and edge01 as in these readings, one after the other; the last one stays."""
    left = [list(reading) for reading in readings]

    def answer(command: Command) -> Answer:
        if command.name == "Get-CsManagementStoreReplicationStatus":
            reading = left.pop(0) if len(left) > 1 else left[0]
            return Results(
                tuple(
                    state(f"{n}.contoso.com", up)
                    for n, up in zip(("fe01", "fe02", "edge01"), reading, strict=True)
                )
            )
        return Results()

    return ScriptedShell(answer=answer)


def remediate(shell: ScriptedShell, clock: Clock | None = None, **options: Any) -> dict[str, Any]:
    check_mode = options.pop("check_mode", False)
    request = replication.Request(**{"names": [], "force": False, "timeout": 60, "interval": 10, **options})
    return replication.remediate(envelope(shell, check_mode), request, clock or Clock()).as_dict()


def test_nobody_behind_is_one_reading() -> None:
    shell, clock = server([True] * 3), Clock()
    result = remediate(shell, clock, force=True)
    assert (result["changed"], result["status"], result["commands"]) == (False, "in_desired_state", [])
    assert len(shell.sent) == 1
    assert clock.slept == []


def test_it_waits_until_all_are_up_to_date() -> None:
    clock = Clock()
    result = remediate(server([True, False, False], [True, True, False], [True] * 3), clock)
    assert (result["changed"], result["status"]) == (False, "in_desired_state")
    assert clock.slept == [10, 10]
    assert result["before"] == {
        "up_to_date": ["fe01.contoso.com"],
        "behind": ["fe02.contoso.com", "edge01.contoso.com"],
    }
    assert result["after"]["behind"] == []
    assert [d["identity"] for d in result["drift"]] == ["fe02.contoso.com", "edge01.contoso.com"]
    assert result["diff"]["before"] == ""


def test_only_the_named_are_waited_for() -> None:
    clock = Clock()
    result = remediate(server([True, False, True]), clock, names=["FE01.contoso.com", "edge01.contoso.com"])
    assert result["status"] == "in_desired_state"
    assert [each["replica_fqdn"] for each in result["replicas"]] == ["fe01.contoso.com", "edge01.contoso.com"]


def test_time_up_names_those_behind() -> None:
    clock = Clock()
    with pytest.raises(ChangeFailed) as failure:
        remediate(server([True, True, False]), clock, timeout=25)
    assert "After 25 seconds 1 of 3 replicas are still behind: edge01.contoso.com" in str(failure.value)
    assert failure.value.result.status is Status.DRIFTED
    assert (failure.value.result.after or {})["behind"] == ["edge01.contoso.com"]
    assert clock.slept == [10, 10, 5]


def test_only_those_behind_are_forced_and_once() -> None:
    shell = server([True, False, True], [True, False, True], [True] * 3)
    result = remediate(shell, force=True)
    forced = [c.as_text() for c in shell.sent if c.verb == "Invoke"]
    assert (
        forced == result["commands"] == ["Invoke-CsManagementStoreReplication -ReplicaFqdn fe02.contoso.com"]
    )
    assert shell.repeatable == [True, False, True, True]
    assert (result["changed"], result["status"]) == (True, "corrected")


@pytest.mark.parametrize("force", [True, False])
def test_check_mode_neither_forces_nor_waits_and_foretells(force: bool) -> None:
    readings = ([True, False, True], [True] * 3)
    checked_shell, clock = server(*readings), Clock()
    checked = remediate(checked_shell, clock, force=force, check_mode=True)
    done = remediate(server(*readings), force=force)
    assert len(checked_shell.sent) == 1
    assert clock.slept == []
    assert checked["status"] == "drifted"
    for key in ("changed", "before", "drift", "commands", "diff"):
        assert checked[key] == done[key]


def test_a_replica_that_does_not_exist() -> None:
    with pytest.raises(
        UnusableArgument, match=r"fe09: there is no such replica. There are: edge01"
    ) as refusal:
        remediate(server([True] * 3), names=["fe09"])
    assert str(refusal.value).startswith("replicas: ")


def test_no_replicas_at_all_is_no_health() -> None:
    with pytest.raises(Unreadable):
        remediate(ScriptedShell(answer=lambda command: Results()))


@pytest.mark.parametrize(
    "answer",
    [
        lambda command: error(command.name),
        lambda command: error(command.name) if command.verb == "Invoke" else Results((state("a.b", False),)),
    ],
)
def test_a_refusal_is_told(answer: Callable[[Command], Answer]) -> None:
    with pytest.raises((errors.CommandError, ChangeFailed), match="Access is denied"):
        remediate(ScriptedShell(answer=answer), force=True)


def test_what_has_never_reported_is_behind() -> None:
    shown = replication.replica(state("fe01.contoso.com", None, None))
    assert not shown.up_to_date
    assert shown.as_dict()["last_status_report"] is None
    assert (
        replication.replica(state("fe01.contoso.com", True)).as_dict()["last_status_report"]
        == "2026-11-21T08:30:00Z"
    )


def reporting(*reports: datetime.datetime | None) -> ScriptedShell:
    """One replica that is called up to date at each reading, whatever it has reported."""
    left = list(reports)
    return ScriptedShell(
        answer=lambda command: Results(
            (state("a.b", True, left.pop(0) if len(left) > 1 else left[0]),)
            if command == replication.STATUS
            else ()
        )
    )


LATER = REPORTED + datetime.timedelta(seconds=1)
SINCE = replication.reports([{"replica_fqdn": "A.b", "last_status_report": "2026-11-21T08:30:00Z"}])
NEVER = replication.reports([{"replica_fqdn": "a.b", "last_status_report": None}])


@pytest.mark.parametrize(
    ("since", "readings", "slept"),
    [
        ({}, [REPORTED], 0),
        (SINCE, [LATER], 0),
        (SINCE, [REPORTED - datetime.timedelta(days=1)], 0),
        (SINCE, [REPORTED, REPORTED, LATER], 2),
        (NEVER, [None, REPORTED], 1),
        ({}, [None, REPORTED], 1),
    ],
    ids=["nothing written", "reported since", "clocks are not compared", "silent", "first report", "never"],
)
def test_up_to_date_counts_by_a_report_since_the_change(since: Any, readings: list[Any], slept: int) -> None:
    clock = Clock()
    result = remediate(reporting(*readings), clock, since=since)
    assert (result["status"], len(clock.slept)) == ("in_desired_state", slept)


def test_a_replica_that_stays_silent_is_behind() -> None:
    with pytest.raises(ChangeFailed) as failure:
        remediate(reporting(REPORTED), since=SINCE)
    assert failure.value.result.after == {"up_to_date": [], "behind": ["a.b"]}
    assert "none since the change" in str(failure.value)
    with pytest.raises(ChangeFailed, match="last report: never"):
        remediate(reporting(None))


def test_only_what_the_info_module_returned_is_known_to_be_a_report() -> None:
    with pytest.raises(UnusableArgument, match="since: "):
        replication.reports([{"fqdn": "a.b"}])


@pytest.mark.parametrize("active", [["a.b"], ["a.b", "c.d"]])
def test_every_active_master_is_named(active: list[str]) -> None:
    services = [remote("Service", PoolFqdn=pool, Active=pool in active) for pool in ("a.b", "c.d")]

    def answer(command: Command) -> Answer:
        if command == replication.STORES:
            return Results(tuple(services))
        return Results(() if command.parameters else (state("fe01.contoso.com", True),))

    assert replication.overview(ScriptedShell(answer=answer), []).masters == active


def test_the_overview_tells_of_the_store() -> None:
    store = remote(
        "Status", ActiveMasterFqdn="fe01.contoso.com", ActiveFileTransferAgents=["fe01.contoso.com"]
    )

    def answer(command: Command) -> Answer:
        if command == replication.STORES:
            return Results()
        return Results((store,) if command.parameters else (state("fe01.contoso.com", True),))

    shell = ScriptedShell(answer=answer)
    found = replication.overview(shell, [])
    store_state = found.store or {}
    assert [each.fqdn for each in found.replicas] == ["fe01.contoso.com"]
    assert store_state["active_master_fqdn"] == "fe01.contoso.com"
    assert store_state["active_file_transfer_agents"] == ["fe01.contoso.com"]
    assert store_state["properties"]["ActiveMasterFqdn"] == "fe01.contoso.com"
    assert len(shell.pipelines) == 1


def test_a_store_that_is_down_has_no_master() -> None:
    shell = ScriptedShell(
        answer=lambda c: Results(() if c.parameters else (state("fe01.contoso.com", True),))
    )
    assert replication.overview(shell, []).store == {
        "active_master_fqdn": None,
        "active_file_transfer_agents": [],
        "properties": {},
    }


# -- after the first write -----------------------------------------------------------------------------------


def forced(answers: Callable[[Command], Answer], **options: Any) -> tuple[ChangeFailed, Clock]:
    clock = Clock()
    with pytest.raises(ChangeFailed) as caught:
        remediate(ScriptedShell(answer=answers), clock, force=True, **options)
    return caught.value, clock


def test_where_all_is_refused_nothing_is_waited_for_and_nothing_has_changed() -> None:
    failure, clock = forced(
        lambda c: error(c.name) if c.verb == "Invoke" else Results((state("a.b", False), state("c.d", False)))
    )
    assert len(failure.causes) == 2
    assert clock.slept == []
    assert (failure.result.status, failure.result.changed) == (Status.DRIFTED, False)


def test_one_refusal_beside_replicas_that_come_up_is_a_warning() -> None:
    readings = [(False, False), (True, True)]

    def answer(command: Command) -> Answer:
        if command.verb == "Invoke":
            return error(command.name) if command.parameters["ReplicaFqdn"] == "a.b" else Results()
        one, other = readings.pop(0)
        return Results((state("a.b", one), state("c.d", other)))

    result = remediate(ScriptedShell(answer=answer), force=True)
    assert (result["status"], result["changed"], len(result["warnings"])) == ("corrected", True, 1)


def test_a_store_that_is_lost_after_forcing_leaves_the_effect_unknown() -> None:
    readings = [Results((state("a.b", False),))]

    def answer(command: Command) -> Answer:
        if command.verb == "Invoke":
            return Results()
        return (
            readings.pop() if readings else errors.CannotConnect(ScriptedShell.endpoint, "no route to host")
        )

    failure, _ = forced(answer)
    assert (failure.result.status, failure.result.changed, failure.result.after) == (
        Status.UNKNOWN,
        True,
        None,
    )
    assert failure.result.before == {"up_to_date": [], "behind": ["a.b"]}


@pytest.mark.parametrize("ended", [True, False])
def test_a_force_that_may_still_be_at_work_is_unknown(ended: bool) -> None:
    readings = [False, True]

    def answer(command: Command) -> Answer:
        if command.verb == "Invoke":
            return errors.LostInMidCommand(ScriptedShell.endpoint, [command.name], "it broke", ended=ended)
        return Results((state("a.b", readings.pop(0)),))

    if ended:
        assert remediate(ScriptedShell(answer=answer), force=True)["status"] == "corrected"
    else:
        assert forced(answer)[0].result.status is Status.UNKNOWN


def test_a_store_that_does_not_tell_its_own_state_leaves_the_replicas() -> None:
    shell = ScriptedShell(answer=lambda c: error(c.name) if c.parameters else Results((state("a.b", True),)))
    found = replication.overview(shell, [])
    assert [each.fqdn for each in found.replicas] == ["a.b"]
    assert (found.store, found.masters, len(found.trouble)) == (None, None, 2)


def test_the_least_datetime_is_never() -> None:
    never = datetime.datetime(1, 1, 1, tzinfo=datetime.timezone.utc)
    assert replication.replica(state("a.b", False, never)).last_status_report is None
