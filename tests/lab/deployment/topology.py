# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The topology of a deployment: sites, pools, computers, services, people."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

#: Product builds by product numbering; 4.0.7577.0 is Lync Server 2010, 7.0.2046.0 Skype for Business Server
#: 2019.
BUILDS: Mapping[str, str] = {
    "2010": "4.0.7577.0",
    "2013": "5.0.8308.0",
    "2015": "6.0.9319.0",
    "2019": "7.0.2046.0",
    "SE": "7.0.2046.0",
}
PRODUCT_NAMES: Mapping[str, str] = {
    "2010": "Lync Server 2010",
    "2013": "Lync Server 2013",
    "2015": "Skype for Business Server 2015",
    "2019": "Skype for Business Server 2019",
    "SE": "Skype for Business Server 2019",
}
#: ``Version`` of a service: 5 is printed for 2010 and 2013 documents, 8 for 2019; 7 for 2015 is inferred.
SERVICE_VERSIONS: Mapping[str, int] = {"2010": 5, "2013": 6, "2015": 7, "2019": 8, "SE": 8}

FRONT_END_ROLES = (
    "Registrar",
    "UserServer",
    "ApplicationServer",
    "ConferencingServer",
    "MediationServer",
    "WebServer",
)
#: By the kind of a pool; what a Director has besides its role is assumed.
ROLES: Mapping[str, Sequence[str]] = {
    "enterprise": FRONT_END_ROLES,
    "standard": FRONT_END_ROLES,
    "edge": ("EdgeServer",),
    "director": ("Director", "Registrar", "WebServer"),
    "mediation": ("MediationServer",),
}


@dataclass(frozen=True)
class Person:
    """A Windows account of a deployment file with what it may do."""

    name: str  # 'CONTOSO\\uc-admin'
    password: str
    principal: str
    roles: tuple[str, ...] = ()
    refusal: str | None = None
    remote_shell: bool = True  # may open WinRM shells (local Administrators)
    delegation: bool = False  # its Kerberos tickets may be forwarded

    @property
    def sam_account_name(self) -> str:
        return self.name.rpartition("\\")[2]


@dataclass(frozen=True)
class Site:
    name: str
    description: str | None = None
    federation_route: str | None = None  # Edge pool
    parent: str | None = None

    @property
    def identity(self) -> str:
        return f"Site:{self.name}"


@dataclass(frozen=True)
class Computer:
    fqdn: str
    pool: str
    powershell_version: str
    timings: Mapping[str, float]
    listeners: tuple[Mapping[str, Any], ...] | None  # None: the deployment's
    windows: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # clock, services ...

    @property
    def host_name(self) -> str:
        return self.fqdn.partition(".")[0]


@dataclass(frozen=True)
class Pool:
    """Of Front Ends, or of what stands by itself."""

    fqdn: str
    site: str
    kind: str  # one of ROLES
    computers: tuple[Computer, ...]
    sql_server: str = ""
    edge: str | None = None
    next_hop: str | None = None
    backup: str | None = None
    access_edge_external_fqdn: str | None = None
    accounts: tuple[Person, ...] = ()  # of an Edge, which stands in a workgroup
    management: bool = True  # publishes /OcsPowershell
    computer_endpoints: bool = True  # its computers answer WinRM

    @property
    def is_edge(self) -> bool:
        return self.kind == "edge"

    @property
    def has_users(self) -> bool:
        return self.kind in ("enterprise", "standard")


@dataclass(frozen=True)
class Service:
    role: str
    pool: str
    site: str

    @property
    def identity(self) -> str:
        return f"{self.role}:{self.pool}"


@dataclass(frozen=True)
class OtherServer:
    """A SQL Server, file store or gateway: Topology Builder publishes it as a pool of one computer with services."""

    fqdn: str
    site: str
    roles: tuple[str, ...]

    @property
    def services(self) -> list[str]:
        return [f"{role}:{self.fqdn}" for role in self.roles]


@dataclass(frozen=True)
class User:
    sam_account_name: str
    display_name: str
    sip_address: str
    pool: str
    principal: str
    distinguished_name: str
    enterprise_voice: bool
    audio_video_disabled: bool = False
    #: By lower-case name: what Active Directory has beyond that, for LDAP filters.
    attributes: Mapping[str, str] = field(default_factory=dict)

    def names(self, netbios: str) -> set[str]:
        """All that it can be called, in lower case."""
        return {
            name.lower()
            for name in (
                self.sip_address,
                self.sip_address.removeprefix("sip:"),
                self.principal,
                self.sam_account_name,
                f"{netbios}\\{self.sam_account_name}",
                self.display_name,
                self.distinguished_name,
            )
        }


@dataclass(frozen=True)
class Topology:
    """What Topology Builder published; fixed while the lab runs."""

    domain: str
    netbios: str
    sip_domains: tuple[str, ...]
    sites: Mapping[str, Site]  # by lower-case name
    pools: Mapping[str, Pool]  # by lower-case FQDN
    services: tuple[Service, ...]
    users: tuple[User, ...]
    central_management: str  # pool
    others: tuple[OtherServer, ...] = ()

    @cached_property
    def users_by_name(self) -> Mapping[str, Sequence[User]]:
        found: dict[str, list[User]] = {}
        for user in self.users:
            for name in user.names(self.netbios):
                found.setdefault(name, []).append(user)
        return found

    def site(self, name: str) -> Site | None:
        return self.sites.get(name.lower())

    def pool(self, fqdn: str) -> Pool | None:
        return self.pools.get(fqdn.lower())

    def computers(self) -> list[Computer]:
        return [computer for pool in self.pools.values() for computer in pool.computers]

    def computer(self, fqdn: str) -> Computer | None:
        return next((c for c in self.computers() if c.fqdn.lower() == fqdn.lower()), None)

    def service(self, identity: str) -> Service | None:
        wanted = identity.lower()
        return next((service for service in self.services if service.identity.lower() == wanted), None)

    def edge_pools(self) -> list[Pool]:
        return [pool for pool in self.pools.values() if pool.is_edge]


def services_of(pool: Pool, is_central_management: bool) -> list[Service]:
    roles = list(ROLES[pool.kind])
    if is_central_management:
        roles.append("CentralManagement")
    return [Service(role, pool.fqdn, pool.site) for role in roles]
