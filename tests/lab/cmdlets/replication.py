# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication of the Central Management Store.

Source: MicrosoftDocs/office-docs-powershell, Get-CsManagementStoreReplicationStatus and
Invoke-CsManagementStoreReplication; order of the properties: onpremdiag/SfBServer.  The times are UTC
instants.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.objects.values import NetObject, string_list
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements


def _replica_names(invocation: Invocation) -> list[str]:
    """The replica asked for, or all; raises PowerShellError for one that does not exist."""
    replicas = invocation.session.deployment.store.replicas
    wanted = invocation.get("ReplicaFqdn")
    if wanted is None:
        return [replica.fqdn for replica in replicas.values()]
    if wanted.lower() not in replicas:
        raise failed(invocation, "replica_unknown", wanted, replica=wanted)
    return [replicas[wanted.lower()].fqdn]


@implements("Get-CsManagementStoreReplicationStatus")
def get_replication_status(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    deployment = session.deployment
    session.require_store()
    if invocation.get("CentralManagementStoreStatus"):
        yield _store_status(invocation)
        return
    for fqdn in _replica_names(invocation):
        status = deployment.store.status(fqdn)
        yield NetObject(
            ("Microsoft.Rtc.Management.Xds.ReplicaState", "System.Object"),
            {
                "UpToDate": status.up_to_date,
                "ReplicaFqdn": fqdn,
                "LastStatusReport": status.last_status_report,
                "LastUpdateCreation": status.last_update_creation,
                "ProductVersion": deployment.build if status.last_status_report else "",
            },
        )


def _store_status(invocation: Invocation) -> NetObject:
    """Names other than ActiveMasterFqdn and ActiveFileTransferAgents are assumed."""
    deployment = invocation.session.deployment
    master = deployment.topology.pool(deployment.topology.central_management)
    assert master is not None
    now = deployment.utc_now()
    return NetObject(
        ("Microsoft.Rtc.Management.Xds.CentralManagementStoreStatusResult", "System.Object"),
        {
            "LastUpdatedOn": now,
            "ActiveMasterFqdn": master.computers[0].fqdn,
            "ActiveMasterLastHeartbeat": now,
            "ActiveFileTransferAgents": string_list([computer.fqdn for computer in master.computers]),
            "ActiveFileTransferAgentsLastHeartbeat": now,
            "ActiveReplicas": string_list([replica.fqdn for replica in deployment.store.replicas.values()]),
            "DeletedReplicas": string_list([]),
        },
    )


@implements("Invoke-CsManagementStoreReplication")
def invoke_replication(invocation: Invocation) -> Iterable[Any]:
    """A full replication: the status of the replicas is deleted and comes anew. Returns nothing, knows no -WhatIf."""
    invocation.session.require_store()
    invocation.session.deployment.store.force_replication(_replica_names(invocation))
    return ()
