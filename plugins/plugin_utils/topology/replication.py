# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Replication of the Central Management Store: who is up to date, and waiting until all are.

Invoke-CsManagementStoreReplication makes a replica start over by deleting its status, which may take minutes
to show (Microsoft Learn, Get-CsManagementStoreReplicationStatus and Invoke-CsManagementStoreReplication).
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from ..change.envelope import Envelope
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import CommandError, ConnectionRefused, ManagementShellError
from ..powershell.ordinal import ordinal_key
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..powershell.values import as_result
from ..result.drift import DriftEntry
from ..result.refusals import Unreadable, UnusableArgument, text_of
from ..result.result import Result
from ..result.severity import Severity
from ..result.status import Status

RESOURCE = "replication"
STATUS = Command("Get-CsManagementStoreReplicationStatus")
FORCE = "Invoke-CsManagementStoreReplication"
STORES = Command("Get-CsService", {"CentralManagement": Switch.PRESENT})
CMDLETS = (STATUS.name, FORCE, STORES.name)
_REASON = "A server that is behind goes on with the settings as they were before the last changes."


@dataclass(frozen=True)
class Replica:
    """One server's copy (Microsoft.Rtc.Management.Xds.ReplicaState). Times are None where it has never
    reported.
    """

    fqdn: str
    up_to_date: bool
    last_status_report: datetime.datetime | None
    last_update_creation: datetime.datetime | None
    product_version: str | None

    def as_dict(self) -> dict[str, Any]:
        return {
            "replica_fqdn": self.fqdn,
            "up_to_date": self.up_to_date,
            "last_status_report": as_result(self.last_status_report),
            "last_update_creation": as_result(self.last_update_creation),
            "product_version": self.product_version,
        }


def replica(remote: RemoteObject) -> Replica:
    """Raises Unreadable for anything but a replica's state."""
    if "ReplicaFqdn" not in remote:
        raise Unreadable(f"{STATUS.name} returned something that is not the state of a replica.")
    version = remote.get("ProductVersion")
    return Replica(
        fqdn=text_of(remote["ReplicaFqdn"]),
        up_to_date=remote.get("UpToDate") is True,
        last_status_report=_moment(remote.get("LastStatusReport")),
        last_update_creation=_moment(remote.get("LastUpdateCreation")),
        product_version=None if version is None else text_of(version),
    )


def replicas(shell: ManagementShell, names: Sequence[str]) -> list[Replica]:
    """The state of the named replicas, or of all. Raises UnusableArgument for a name that has none."""
    results = shell.run(STATUS)
    if results.errors:
        raise shell.classify(results.errors[0])
    listed = [replica(remote) for remote in results.objects()]
    if not listed:
        raise Unreadable(
            f"{STATUS.name} listed no replica at all: the Central Management Store may be out of reach."
        )
    return chosen(listed, names)


@dataclass(frozen=True)
class Overview:
    """``store`` is the state of the store itself, None where it could not be read, which ``trouble`` explains.

    ``masters`` are the pools whose Central Management service calls itself active, None where they could not be read.
    After a failover that nobody finished there may be two, and then nothing replicates although every replica is called
    up to date.
    """

    replicas: list[Replica]
    store: dict[str, Any] | None
    masters: list[str] | None
    trouble: tuple[str, ...] = ()


def overview(shell: ManagementShell, names: Sequence[str]) -> Overview:
    """The replicas, and the state of the store itself; one pipeline where all is well."""
    store = Command(STATUS.name, {"CentralManagementStoreStatus": Switch.PRESENT})
    results = shell.run(STATUS, store, STORES)
    if not results.errors:
        states = [remote for remote in results.objects() if "ReplicaFqdn" in remote]
        masters = [remote for remote in results.objects() if "PoolFqdn" in remote]
        others = [remote for remote in results.objects() if remote not in states and remote not in masters]
        return Overview(
            chosen([replica(remote) for remote in states], names), _store(others), _masters(masters)
        )
    # An error does not say of which statement it is, where two have one name.
    found = replicas(shell, names)
    trouble: list[str] = []
    of_store = _read(shell, store, trouble)
    of_masters = _read(shell, STORES, trouble)
    return Overview(
        found,
        None if of_store is None else _store(of_store),
        None if of_masters is None else _masters(of_masters),
        tuple(trouble),
    )


def _read(shell: ManagementShell, command: Command, trouble: list[str]) -> list[RemoteObject] | None:
    results = shell.run(command)
    if results.errors:
        trouble.append(str(shell.classify(results.errors[0])))
        return None
    return results.objects()


def _masters(services: Sequence[RemoteObject]) -> list[str]:
    return [text_of(each["PoolFqdn"]) for each in services if each.get("Active") is True]


def _store(others: Sequence[RemoteObject]) -> dict[str, Any]:
    """Of the store's properties the documentation names two; the others are handed on as the server names them."""
    properties = as_result(others[0]) if others else {}
    agents = others[0].get("ActiveFileTransferAgents") if others else None
    return {
        "active_master_fqdn": as_result(others[0].get("ActiveMasterFqdn")) if others else None,
        "active_file_transfer_agents": as_result(agents)
        if isinstance(agents, list)
        else [as_result(agents)]
        if agents
        else [],
        "properties": properties,
    }


def chosen(listed: Sequence[Replica], names: Sequence[str]) -> list[Replica]:
    by_name = {ordinal_key(each.fqdn): each for each in listed}
    unknown = [name for name in names if ordinal_key(name) not in by_name]
    if unknown:
        known = ", ".join(sorted(each.fqdn for each in listed))
        raise UnusableArgument(
            "replicas", f"{', '.join(unknown)}: there is no such replica. There are: {known}"
        )
    return [by_name[ordinal_key(name)] for name in names] or list(listed)


Reports = Mapping[str, Any]
"""What each replica had reported last, as results have it, by its folded name."""


def reports(listed: Sequence[Any]) -> Reports:
    """The reports in a list of replicas as the info module returns them. Raises UnusableArgument for anything else."""
    for each in listed:
        if not isinstance(each, Mapping) or not {"replica_fqdn", "last_status_report"} <= set(each):
            raise UnusableArgument(
                "since",
                f"{each!r} is no replica. Allowed: the replicas that lync.remediation.replication_info returned",
            )
    return {ordinal_key(str(each["replica_fqdn"])): each["last_status_report"] for each in listed}


def behind(listed: Sequence[Replica], since: Reports = MappingProxyType({})) -> list[Replica]:
    """Those that are not known to have everything: not up to date, never heard of, or silent ``since`` then.

    A replica may be called up to date by a report that is older than the change. Clocks are not compared: whose they
    are is not known, and they may be wrong.
    """
    return [each for each in listed if not each.up_to_date or _is_silent(each, since)]


def _is_silent(each: Replica, since: Reports) -> bool:
    if each.last_status_report is None:
        return True
    key = ordinal_key(each.fqdn)
    return key in since and since[key] == as_result(each.last_status_report)


@dataclass(frozen=True)
class Request:
    """The module's options; ``timeout`` and ``interval`` are seconds."""

    names: Sequence[str]
    force: bool
    timeout: float
    interval: float
    since: Reports = field(default_factory=dict)

    def behind(self, found: Sequence[Replica]) -> list[Replica]:
        return behind(found, self.since)


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Wait until the replicas are up to date, and before that, with ``force``, make those behind start over.

    Raises ChangeFailed with the names of those behind when time is up.
    """
    found = replicas(envelope.shell, request.names)
    late = request.behind(found)
    commands = tuple(Command(FORCE, {"ReplicaFqdn": each.fqdn}) for each in late) if request.force else ()
    result = envelope.expects(_result(envelope, found, late, commands))
    if envelope.check_mode or not late:
        return result
    may_wait = True
    if commands:
        before, after = {"behind": [each.fqdn for each in late]}, {"behind": list[str]()}
        envelope.begin(
            Change(RESOURCE, envelope.shell.endpoint.name, "force", before, after, Restorable.NO), commands
        )
        troubles = [envelope.write(command).trouble for command in commands]
        # Where every one was refused, nothing has begun that could be waited for.
        may_wait = not all(isinstance(trouble, CommandError | ConnectionRefused) for trouble in troubles)
    try:
        found = _await(envelope, request, clock) if may_wait else replicas(envelope.shell, request.names)
    except ManagementShellError as error:
        if not commands:
            raise
        raise envelope.unread("Replication", error) from error
    return _concluded(envelope, request, found, waited=may_wait)


def _await(envelope: Envelope, request: Request, clock: Clock) -> list[Replica]:
    """The replicas once all are up to date, or when time is up."""
    deadline = clock.monotonic() + request.timeout
    while True:
        left = deadline - clock.monotonic()
        clock.sleep(max(min(request.interval, left), 0))
        found = replicas(envelope.shell, request.names)
        if not request.behind(found) or clock.monotonic() >= deadline:
            return found


def _concluded(envelope: Envelope, request: Request, found: Sequence[Replica], *, waited: bool) -> Result:
    late = request.behind(found)
    result = envelope.known.with_details(replicas=[each.as_dict() for each in found])
    if late:
        sentences = [
            *(str(trouble) for trouble in envelope.troubles),
            _overdue(found, late, request.timeout, waited=waited),
        ]
        accepted = waited and envelope.has_written
        result = replace(result, status=Status.DRIFTED, changed=accepted, after=_sorted_out(found, late))
        raise envelope.failed(" ".join(sentences), result)
    if not envelope.has_written:
        return replace(result, status=Status.IN_DESIRED_STATE, after=_sorted_out(found, late))
    return envelope.conclude("Replication", dict(_sorted_out(found, late)), [], result=result)


def _overdue(found: Sequence[Replica], late: Sequence[Replica], timeout: float, *, waited: bool) -> str:
    named = ", ".join(
        f"{each.fqdn} (last report: {as_result(each.last_status_report) or 'never'}"
        f"{', none since the change' if each.up_to_date and each.last_status_report else ''})"
        for each in late
    )
    when = f"After {timeout:g} seconds " if waited else ""
    return (
        f"{when}{len(late)} of {len(found)} replicas are still behind: {named}. Check that the service REPLICA runs "
        "there, and MASTER and FTA on the Central Management Server, and for an Edge Server that TCP port 4443 is open "
        "to it."
    )


def _sorted_out(found: Sequence[Replica], late: Sequence[Replica]) -> dict[str, list[str]]:
    return {
        "up_to_date": [each.fqdn for each in found if each not in late],
        "behind": [each.fqdn for each in late],
    }


def _result(
    envelope: Envelope, found: Sequence[Replica], late: Sequence[Replica], commands: Sequence[Command]
) -> Result:
    forced = late if commands else []
    return Result(
        status=Status.DRIFTED if late else Status.IN_DESIRED_STATE,
        changed=bool(commands),
        before=_sorted_out(found, late),
        after=_sorted_out(found, late),
        drift=tuple(
            DriftEntry(RESOURCE, each.fqdn, "up_to_date", False, True, Severity.HIGH, _REASON)
            for each in late
        ),
        commands=tuple(commands),
        header=f"replication on {envelope.shell.endpoint.name}",
        diff=(
            "".join(f"{each.fqdn}: behind\n" for each in forced),
            "".join(f"{each.fqdn}: up to date\n" for each in forced),
        ),
        details={"replicas": [each.as_dict() for each in found]},
    )


def _moment(raw: Any) -> datetime.datetime | None:
    if raw is None or isinstance(raw, datetime.datetime):
        # .NET's DateTime.MinValue stands for no time at all.
        return None if raw is None or raw.year == 1 else raw
    raise Unreadable(f"The server sent {raw!r} where a point in time was expected.")
