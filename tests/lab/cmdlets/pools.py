# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Front End pools as a whole: readiness, upgrade domains, fabric, starting and resetting.

Behaviour: MicrosoftDocs/office-docs-powershell; Microsoft, "Upgrade or update Front End Servers" (Lync Server
2013).  How Get-CsPoolFabricState lays out its text, and most names of properties, are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.lync_services import await_start, start_machine, stop_machine
from lab.cmdlets.settings import failed
from lab.cmdlets.windows_services import wait_for
from lab.deployment.topology import Pool
from lab.objects.values import NetObject, enumeration, string_list, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements
from lab.windows.machine import AUTOMATIC, DISABLED, STOP_PENDING

_HADR = "Microsoft.Rtc.Management.Hadr"
_STATES = enumeration(f"{_HADR}.PoolUpgradeStates", ("Ready", "Busy", "InsufficientActiveFrontEnds"))


def _own_pool(invocation: Invocation) -> Pool:
    """The pool of the computer the session runs on: there is no option for another."""
    session = invocation.session
    pool = session.deployment.topology.pool(session.computer.pool)
    if pool.is_edge or session.deployment.version == "2010":
        raise failed(invocation, "not_a_front_end", pool.fqdn, command=invocation.command.name)
    return pool


@implements("Get-CsPoolUpgradeReadinessState", "Get-CsUpgradeDomainInfo")
def get_readiness(invocation: Invocation) -> Iterable[NetObject]:
    deployment = invocation.session.deployment
    pool = _own_pool(invocation)
    if not invocation.should_process(pool.fqdn):
        return ()
    deployment.settle()
    domains: list[Any] = [
        # A property bag, so that remoting keeps what is in it.
        NetObject(
            (f"{_HADR}.UpgradeDomain", "System.Object"),
            notes={
                "Name": domain.name,
                "TotalFrontends": len(domain.front_ends),
                "TotalActiveFrontends": domain.active,
                "Frontends": string_list(domain.front_ends),
                "IsReadyForUpgrade": domain.ready,
            },
            text=domain.name,
        )
        for domain in deployment.control.upgrade_domains(pool)
    ]
    invocation.answer = deployment.control.readiness(pool)
    if deployment.high_availability.get("upgrade_domains", "objects") == "texts":
        domains = [domain.text for domain in domains]
    return [
        NetObject(
            (f"{_HADR}.PoolUpgradeState", "System.Object"),
            {
                "PoolFqdn": pool.fqdn,
                "PoolUpgradeState": _STATES[invocation.answer],
                "TotalFrontends": len(pool.computers),
                "TotalActiveFrontends": len(deployment.control.active(pool)),
                "UpgradeDomains": domains,
            },
        )
    ]


def _front_end_pool(invocation: Invocation) -> Pool:
    session = invocation.session
    session.require_store()
    name = text_of(invocation.get("PoolFqdn"))
    pool = session.deployment.topology.pool(name)
    if pool is None or pool.is_edge:
        raise failed(invocation, "does_not_exist", name, type="Cluster", identity=name)
    return pool


@implements("Get-CsPoolFabricState")
def get_fabric_state(invocation: Invocation) -> Iterator[str]:
    """Every text is assumed; the types of services are documented."""
    pool = _front_end_pool(invocation)
    if not invocation.should_process(pool.fqdn):
        return
    control = invocation.session.deployment.control
    control.settle()
    active = control.active(pool)
    wanted = text_of(invocation.get("Type")) or "All"
    yield f"Replica instances of services on all front end machines in pool {pool.fqdn}:"
    for kind in ("MCUFactory", "ConferenceDirectory", "Routing group", "LYSS"):
        if wanted not in ("All", kind):
            continue
        primary = active[0] if active else "none"
        secondaries = ", ".join(active[1:3]) or "none"
        yield f"{kind}: Primary: {primary}; Secondaries: {secondaries}"
    missing = [computer.fqdn for computer in pool.computers if computer.fqdn not in active]
    for fqdn in missing:
        yield f"Replicas missing on {fqdn}"


def _paired_pool(invocation: Invocation) -> tuple[Pool, Pool]:
    """The pool of -PoolFqdn and its backup; raises PowerShellError."""
    pool = _front_end_pool(invocation)
    backup = invocation.session.deployment.topology.pool(pool.backup or "")
    if backup is None:
        raise failed(invocation, "pool_without_backup", pool.fqdn, pool=pool.fqdn)
    return pool, backup


@implements("Get-CsPoolBackupRelationship")
def get_backup_relationship(invocation: Invocation) -> Iterator[NetObject]:
    """Which pool is the backup; the property's name is assumed."""
    _, backup = _paired_pool(invocation)
    yield NetObject(
        (f"{_HADR}.BackupService.BackupRelation", "System.Object"), {"BackupPoolFqdn": backup.fqdn}
    )


@implements("Get-CsBackupServiceStatus")
def get_backup_status(invocation: Invocation) -> Iterator[NetObject]:
    """Of each module of the pool's backup service: whether what it exports and imports works.

    Modules and states: Jens Trier Rasmussen, "What does the status reported by Get-CsBackupServiceStatus mean?"
    """
    pool, backup = _paired_pool(invocation)
    deployment = invocation.session.deployment
    deployment.settle()

    def works(side: Pool) -> bool:
        return any(deployment.machine(computer.fqdn).is_running("LYNCBACKUP") for computer in side.computers)

    is_master = deployment.topology.central_management.lower() == pool.fqdn.lower()
    wanted = text_of(invocation.get("Category")).lower()
    modules = []
    for name, category in (
        ("UserServices.PresenceFocus", "userdata"),
        ("ConfServices.DataConf", "userdata"),
        ("CentralMgmt.CMSMaster", "cms"),
    ):
        if wanted not in ("", category):
            continue
        exports = "FinalState" if works(pool) and works(backup) else "ErrorState"
        if category == "cms" and not is_master:
            exports = "NotInitialized"
        imports = "NormalState" if works(pool) else "ErrorState"
        modules.append(
            NetObject(
                (f"{_HADR}.BackupService.BackupModuleStatus", "System.Object"),
                {"Identity": name, "ExportStatus": exports, "ImportStatus": imports},
                text=f"{name}:[{exports},{imports}]",
            )
        )
    yield NetObject(
        (f"{_HADR}.BackupService.BackupServiceStatus", "System.Object"), {"BackupModules": modules}
    )


@implements("Start-CsPool")
def start_pool(invocation: Invocation) -> Iterable[Any]:
    """All servers of a pool of three or more."""
    deployment = invocation.session.deployment
    pool = _front_end_pool(invocation)
    if len(pool.computers) < 3:
        raise failed(invocation, "pool_too_small", pool.fqdn, pool=pool.fqdn)
    if not invocation.should_process(pool.fqdn):
        return ()
    if not invocation.should_continue(
        deployment.texts.text("confirm_start_pool", pool=pool.fqdn), "Start-CsPool"
    ):
        return ()
    skipped = {text_of(name).lower() for name in invocation.get("SkipServer") or ()}
    machines = [
        deployment.machine(computer.fqdn)
        for computer in pool.computers
        if computer.fqdn.lower() not in skipped
    ]
    for machine in machines:
        start_machine(invocation, machine, _lync(machine))
    if invocation.get("QuorumLossRecovery"):
        deployment.control.recover(pool)
    for machine in machines:
        await_start(invocation, machine, _lync(machine), machine.facts.services.get("wait_seconds", 600.0))
    return ()


def _lync(machine: Any) -> list[Any]:
    return [service for service in machine.services.values() if service.is_lync]


@implements("Reset-CsPoolRegistrarState")
def reset_registrar_state(invocation: Invocation) -> Iterable[Any]:
    """ServiceReset restarts the Front-End services, QuorumLossRecovery lets a pool start with those it has left,
    FullReset enables disabled servers and restarts all; it asks unless told not to.
    """
    deployment = invocation.session.deployment
    pool = _front_end_pool(invocation)
    kind = invocation.get("ResetType")
    kind_name = kind.name if kind is not None else "ServiceReset"
    if not invocation.should_process(pool.fqdn):
        return ()
    query = deployment.texts.text("confirm_reset_pool", pool=pool.fqdn, type=kind_name)
    if not invocation.should_continue(query, "Reset-CsPoolRegistrarState"):
        return ()
    control = deployment.control
    if kind_name == "QuorumLossRecovery":
        control.recover(pool)
        return ()
    if kind_name == "MachineStateRemoved":
        return ()
    machines = [deployment.machine(computer.fqdn) for computer in pool.computers]
    restarted = {}
    for machine in machines:
        chosen = [s for s in _lync(machine) if kind_name == "FullReset" or s.name == "RTCSRV"]
        restarted[machine.fqdn] = (machine, chosen)
        for service in chosen:
            if kind_name == "FullReset" and machine.start_mode(service.name) == DISABLED:
                machine.set_start_mode(service.name, AUTOMATIC)
        stop_machine(invocation, machine, chosen)
    every = [service for _, chosen in restarted.values() for service in chosen]
    wait_for(invocation, lambda: all(service.status != STOP_PENDING for service in every), float("inf"))
    if not invocation.get("NoReStart"):
        for machine, chosen in restarted.values():
            start_machine(invocation, machine, chosen)
    return ()
