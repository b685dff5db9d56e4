# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Front End pools as a whole: readiness, upgrade domains, fabric.

Behaviour: MicrosoftDocs/office-docs-powershell; Microsoft, "Upgrade or update Front End Servers" (Lync Server
2013).  How Get-CsPoolFabricState lays out its text, and most names of properties, are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.topology import Pool
from lab.objects.values import NetObject, enumeration, string_list, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

_HADR = "Microsoft.Rtc.Management.Hadr"
_STATES = enumeration(f"{_HADR}.PoolUpgradeStates", ("Ready", "Busy", "InsufficientActiveFrontEnds"))


def _own_pool(invocation: Invocation) -> Pool:
    """The pool of the computer the session runs on: there is no option for another."""
    session = invocation.session
    pool = session.deployment.topology.pool(session.computer.pool)
    if not pool.has_users or session.deployment.version == "2010":
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
        # A property bag, so that remoting keeps what is in it where the file wants objects.
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
    if deployment.high_availability.get("upgrade_domains", "texts") == "texts":
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
    if pool is None or not pool.has_users:
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
        invocation.warning(f"Replicas missing on {fqdn}")
