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
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.ordinal import ordinal_key
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..powershell.values import as_result
from ..result.refusals import ChangeFailed, Unreadable, UnusableArgument, text_of
from ..result.severity import Severity

STATUS = Command("Get-CsManagementStoreReplicationStatus")
FORCE = "Invoke-CsManagementStoreReplication"
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


def overview(shell: ManagementShell, names: Sequence[str]) -> tuple[list[Replica], dict[str, Any]]:
    """The replicas, and the state of the store itself; one pipeline.

    Of the store's properties the documentation names two; the others are handed on as the server names them.
    """
    results = shell.run(STATUS, Command(STATUS.name, {"CentralManagementStoreStatus": Switch.PRESENT}))
    if results.errors:
        raise shell.classify(results.errors[0])
    states = [remote for remote in results.objects() if "ReplicaFqdn" in remote]
    others = [remote for remote in results.objects() if "ReplicaFqdn" not in remote]
    properties = as_result(others[0]) if others else {}
    agents = others[0].get("ActiveFileTransferAgents") if others else None
    store = {
        "active_master_fqdn": as_result(others[0].get("ActiveMasterFqdn")) if others else None,
        "active_file_transfer_agents": as_result(agents)
        if isinstance(agents, list)
        else [as_result(agents)]
        if agents
        else [],
        "properties": properties,
    }
    return chosen([replica(remote) for remote in states], names), store


def chosen(listed: Sequence[Replica], names: Sequence[str]) -> list[Replica]:
    by_name = {ordinal_key(each.fqdn): each for each in listed}
    unknown = [name for name in names if ordinal_key(name) not in by_name]
    if unknown:
        known = ", ".join(sorted(each.fqdn for each in listed))
        raise UnusableArgument(
            "replicas", f"{', '.join(unknown)}: there is no such replica. There are: {known}"
        )
    return [by_name[ordinal_key(name)] for name in names] or list(listed)


def behind(listed: Sequence[Replica]) -> list[Replica]:
    return [each for each in listed if not each.up_to_date]


def remediate(
    shell: ManagementShell,
    names: Sequence[str],
    *,
    force: bool,
    timeout: float,
    interval: float,
    check_mode: bool,
    clock: Clock = time,
) -> dict[str, Any]:
    """Wait until the replicas are up to date, and before that, with ``force``, make those behind start over.

    ``timeout`` and ``interval`` are seconds. Raises ChangeFailed with the names of those behind when time is
    up.
    """
    found = replicas(shell, names)
    late = behind(found)
    commands = [Command(FORCE, {"ReplicaFqdn": each.fqdn}) for each in late] if force else []
    result = _result(shell, found, commands)
    if check_mode or not late:
        return result
    if commands:
        forced = shell.run(*commands, changes=True)
        if forced.errors:
            cause = shell.classify(forced.errors[0])
            raise ChangeFailed(str(cause), {**result, "status": "unknown"}, cause)
    deadline = clock.monotonic() + timeout
    while late:
        left = deadline - clock.monotonic()
        if left <= 0:
            raise ChangeFailed(_overdue(found, timeout), {**result, **_states(found), "status": "drifted"})
        clock.sleep(min(interval, left))
        found = replicas(shell, names)
        late = behind(found)
    return {**result, **_states(found), "status": "corrected" if commands else "in_desired_state"}


def _overdue(found: Sequence[Replica], timeout: float) -> str:
    late = behind(found)
    named = ", ".join(
        f"{each.fqdn} (last report: {as_result(each.last_status_report) or 'never'})" for each in late
    )
    return (
        f"After {timeout:g} seconds {len(late)} of {len(found)} replicas are still behind: {named}. Check "
        "that the service REPLICA "
        "runs there, and MASTER and FTA on the Central Management Server, and for an Edge Server that TCP "
        "port 4443 is open to it."
    )


def _states(found: Sequence[Replica]) -> dict[str, Any]:
    return {"after": _sorted_out(found), "replicas": [each.as_dict() for each in found]}


def _sorted_out(found: Sequence[Replica]) -> dict[str, list[str]]:
    return {
        "up_to_date": [each.fqdn for each in found if each.up_to_date],
        "behind": [each.fqdn for each in behind(found)],
    }


def _result(shell: ManagementShell, found: Sequence[Replica], commands: Sequence[Command]) -> dict[str, Any]:
    late = behind(found)
    header = f"replication on {shell.endpoint.name}"
    forced = late if commands else []
    return {
        "changed": bool(commands),
        "status": "drifted" if late else "in_desired_state",
        "before": _sorted_out(found),
        **_states(found),
        "drift": [
            {
                "resource": "replication",
                "identity": each.fqdn,
                "property": "up_to_date",
                "current": False,
                "desired": True,
                "severity": Severity.HIGH.value,
                "reason": _REASON,
            }
            for each in late
        ],
        "commands": [command.as_text() for command in commands],
        "diff": {
            "before": "".join(f"{each.fqdn}: behind\n" for each in forced),
            "after": "".join(f"{each.fqdn}: up to date\n" for each in forced),
            "before_header": header,
            "after_header": header,
        },
    }


def _moment(raw: Any) -> datetime.datetime | None:
    if raw is None or isinstance(raw, datetime.datetime):
        return raw
    raise Unreadable(f"The server sent {raw!r} where a point in time was expected.")
