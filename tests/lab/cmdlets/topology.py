# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology: sites, pools, computers, services, versions.

Sources: MicrosoftDocs/office-docs-powershell; printed Edge service: Microsoft, "Viewing the status of global
settings for a forest" (Lync Server 2013); onpremdiag/SfBServer for 2019.  Property names of sites and pools
are partly assumed, see the README's table.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from psrpcore.types import PSByteArray, PSUInt16

from lab.cmdlets.settings import failed
from lab.deployment.topology import PRODUCT_NAMES, SERVICE_VERSIONS, OtherServer, Pool, Service, Site
from lab.objects.nouns import SINCE_2019
from lab.objects.values import NetObject, enumeration, string_list
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import not_modelled
from lab.powershell.registry import implements

_DEPLOY = "Microsoft.Rtc.Management.Deploy.Internal"
_SITE_TYPE = enumeration(f"{_DEPLOY}.SiteType", ("CentralSite", "RemoteSite"))


def _chosen(invocation: Invocation, named: Mapping[str, Any], type_name: str) -> Iterator[Any]:
    """By -Identity, by -Filter, or all; an unknown identity is an error."""
    identity = invocation.get("Identity")
    pattern = invocation.get("Filter")
    if identity is not None:
        if has_wildcard(identity):
            raise failed(invocation, "wildcard_refused", identity, identity=identity)
        found = next((value for name, value in named.items() if name.lower() == identity.lower()), None)
        if found is None:
            raise failed(invocation, "does_not_exist", identity, type=type_name, identity=identity)
        yield found
        return
    for name, value in named.items():
        if pattern is None or matches(name, pattern):
            yield value


@implements("Export-CsConfiguration")
def export_configuration(invocation: Invocation) -> Iterator[PSByteArray]:
    """The whole store as bytes (ref). That these are one array, and what is in it, is *assumed*."""
    invocation.session.require_store()
    if not invocation.get("AsBytes"):
        raise not_modelled("Export-CsConfiguration without -AsBytes")
    yield PSByteArray(repr(invocation.session.deployment.store.state).encode("utf-8"))


@implements("Get-CsSite")
def get_site(invocation: Invocation) -> Iterator[NetObject]:
    invocation.session.require_store()
    topology = invocation.session.deployment.topology
    sites = {site.name: site for site in topology.sites.values()}
    for site in _chosen(invocation, sites, "Site"):
        yield _site_object(site, topology)


def _site_object(site: Site, topology: Any) -> NetObject:
    is_remote = site.parent is not None
    services = [service.identity for service in topology.services if service.site == site.name]
    route = f"EdgeServer:{site.federation_route}" if site.federation_route else None
    return NetObject(
        (
            f"{_DEPLOY}.Site+{'RemoteSite' if is_remote else 'CentralSite'}",
            f"{_DEPLOY}.Site",
            "System.Object",
        ),
        {
            "Identity": site.identity,
            "SiteId": site.identity,
            "Services": string_list(services),
            "Pools": string_list([pool.fqdn for pool in topology.pools.values() if pool.site == site.name]),
            "FederationRoute": route,
            "XmppFederationRoute": None,
            "DefaultPersistentChatPool": None,
            "Description": site.description,
            "DisplayName": site.name,
            "SiteType": _SITE_TYPE.RemoteSite if is_remote else _SITE_TYPE.CentralSite,
            "ParentSite": f"Site:{site.parent}" if site.parent else None,
        },
        text=site.identity,
    )


@implements("Get-CsPool")
def get_pool(invocation: Invocation) -> Iterator[NetObject]:
    """-Site takes the site's name without ``site:``."""
    invocation.session.require_store()
    topology = invocation.session.deployment.topology
    wanted = invocation.get("Site")
    if wanted is not None and topology.site(wanted) is None:
        raise failed(invocation, "site_unknown", wanted, site=wanted)
    pools = {
        pool.fqdn: pool
        for pool in (*topology.pools.values(), *topology.others)
        if wanted is None or pool.site.lower() == wanted.lower()
    }
    for pool in _chosen(invocation, pools, "Cluster"):
        if isinstance(pool, OtherServer):
            services, computers, backup = pool.services, [pool.fqdn], None
        else:
            services = [service.identity for service in topology.services if service.pool == pool.fqdn]
            computers, backup = [computer.fqdn for computer in pool.computers], pool.backup
        yield NetObject(
            (f"{_DEPLOY}.Cluster", "System.Object"),
            {
                "Identity": pool.fqdn,
                "Services": string_list(services),
                "Computers": string_list(computers),
                "Fqdn": pool.fqdn,
                "BackupPoolFqdn": backup,
                "Site": f"Site:{pool.site}",
            },
            text=pool.fqdn,
        )


@implements("Get-CsComputer")
def get_computer(invocation: Invocation) -> Iterator[NetObject]:
    """In the order of the pool, which is the order that counts for quorum."""
    session = invocation.session
    session.require_store()
    topology = session.deployment.topology
    wanted = invocation.get("Pool")
    pools = {computer.fqdn: computer.pool for computer in topology.computers()}
    pools |= {other.fqdn: other.fqdn for other in topology.others}
    if wanted is not None and wanted.lower() not in (pool.lower() for pool in pools.values()):
        raise failed(invocation, "does_not_exist", wanted, type="Cluster", identity=wanted)
    computers = {
        fqdn: (fqdn, pool)
        for fqdn, pool in pools.items()
        if (wanted is None or pool.lower() == wanted.lower())
        and (not invocation.get("Local") or fqdn == session.computer.fqdn)
    }
    for fqdn, pool in _chosen(invocation, computers, "Machine"):
        yield NetObject(
            (f"{_DEPLOY}.Machine", "System.Object"),
            {"Identity": fqdn, "Pool": pool, "Fqdn": fqdn},
            text=fqdn,
        )


@implements("Get-CsService")
def get_service(invocation: Invocation) -> Iterator[NetObject]:
    invocation.session.require_store()
    topology = invocation.session.deployment.topology
    wanted = invocation.get("PoolFqdn")
    others = [Service(role, other.fqdn, other.site) for other in topology.others for role in other.roles]
    everything = (*topology.services, *others)
    if wanted is not None and wanted.lower() not in (service.pool.lower() for service in everything):
        raise failed(invocation, "does_not_exist", wanted, type="Cluster", identity=wanted)
    roles = [
        name
        for name, value in invocation.values.items()
        if value is True and invocation.command.parameters.get(name.lower(), None) is not None
    ]
    services = {
        service.identity: service
        for service in everything
        if (wanted is None or service.pool.lower() == wanted.lower()) and (not roles or service.role in roles)
    }
    numbers = {service.identity: number for number, service in enumerate(everything, 1)}
    for service in _chosen(invocation, services, "Service"):
        yield _service_object(invocation, service, numbers[service.identity])


def _service_object(invocation: Invocation, service: Service, number: int) -> NetObject:
    deployment = invocation.session.deployment
    pool = deployment.topology.pool(service.pool)
    site = f"Site:{service.site}"
    own = _SERVICE_PROPERTIES.get(service.role, _no_properties)(deployment, pool) if pool else {}
    return NetObject(
        (f"Microsoft.Rtc.Management.Xds.Display{service.role}", "System.Object"),
        {
            "Identity": service.identity,
            **own,
            "ServiceId": f"{service.site}-{service.role}-{number}",
            "SiteId": site,
            "PoolFqdn": service.pool,
            "Version": SERVICE_VERSIONS[deployment.version],
            "Role": service.role,
        },
        text=service.identity,
    )


def _no_properties(deployment: Any, pool: Pool) -> Mapping[str, Any]:
    return {}


def _edge_server(deployment: Any, pool: Pool) -> Mapping[str, Any]:
    next_hop = pool.next_hop or ""
    served = {other.fqdn for other in deployment.topology.pools.values() if other.edge == pool.fqdn}
    served.add(next_hop)
    dependents = [
        service.identity
        for service in deployment.topology.services
        if service.pool in served and service.role in ("Registrar", "ConferencingServer", "MediationServer")
    ]
    external = pool.access_edge_external_fqdn
    suffix = external.partition(".")[2] if external else deployment.topology.domain
    ports = {
        "AccessEdgeInternalSipPort": 5061,
        "AccessEdgeExternalSipPort": 5061,
        "AccessEdgeClientPort": 443,
        "DataPsomServerPort": 8057,
        "DataPsomClientPort": 444,
        "MediaRelayAuthEdgePort": 5062,
        "MediaRelayAuthInternalTurnTcpPort": 443,
        "MediaRelayAuthExternalTurnTcpPort": 445,
        "MediaRelayAuthInternalTurnUdpPort": 3478,
        "MediaRelayAuthExternalTurnUdpPort": 3478,
        "MediaCommunicationPortStart": 50000,
        "MediaCommunicationPortCount": 10000,
    }
    if deployment.version in SINCE_2019:
        ports["SkypeSearchProxyPort"] = 4443
    return {
        "Registrar": f"Registrar:{next_hop}",
        **{name: PSUInt16(port) for name, port in ports.items()},
        "AccessEdgeExternalFqdn": external,
        "DataEdgeExternalFqdn": f"webconf.{suffix}",
        "AVEdgeExternalFqdn": f"av.{suffix}",
        "InternalInterfaceFqdn": pool.fqdn,
        "ExternalMrasFqdn": f"av.{suffix}",
        "DependentServiceList": string_list(dependents),
    }


def _user_server(deployment: Any, pool: Pool) -> Mapping[str, Any]:
    return {
        "UserDatabase": f"UserDatabase:{pool.sql_server}",
        "McuFactorySipPort": PSUInt16(444),
        "UserPinManagementWcfHttpPort": PSUInt16(443),
    }


def _registrar(deployment: Any, pool: Pool) -> Mapping[str, Any]:
    return {
        "UserServer": f"UserServer:{pool.fqdn}",
        "BackupRegistrar": f"Registrar:{pool.backup}" if pool.backup else None,
    }


def _central_management(deployment: Any, pool: Pool) -> Mapping[str, Any]:
    return {"CentralManagementDatabase": f"CentralManagementDatabase:{pool.sql_server}", "Active": True}


_SERVICE_PROPERTIES = {
    "EdgeServer": _edge_server,
    "UserServer": _user_server,
    "Registrar": _registrar,
    "CentralManagement": _central_management,
}


@implements("Get-CsServerVersion")
def get_server_version(invocation: Invocation) -> Iterator[str]:
    """One text, about the computer the session runs on."""
    deployment = invocation.session.deployment
    licence = {
        "volume": "Volume license key installed.",
        "evaluation": "Evaluation license key installed.",
        "none": "No license key required.",
    }[deployment.license]
    yield f"{PRODUCT_NAMES[deployment.version]} ({deployment.build}): {licence}"
