# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A topology as hosts, groups and variables for Ansible. Pure functions.

A host is one PowerShell endpoint, so what has none in which a Lync Server command could run is in the topology alone.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ..powershell.errors import Endpoint
from ..powershell.ordinal import ordinal_key, same_name
from .deployment import Pool, Topology

CONNECTION = "lync.remediation.management_shell"

EVERYTHING = "lync"
MANAGEMENT = "management"
ENDPOINTS = "management_endpoints"

# The roles of Lync Server's own computers, of those that Get-CsService knows. The others are databases, file stores,
# gateways, Office Web Apps and applications of others.
_OWN_ROLES = (
    "ApplicationServer",
    "ArchivingServer",
    "BackupServer",
    "CentralManagement",
    "ConferencingServer",
    "Director",
    "EdgeServer",
    "LegalInterceptServer",
    "ManagementServer",
    "MediationServer",
    "MonitoringServer",
    "PersistentChatServer",
    "ProvisionServer",
    "Registrar",
    "UserServer",
    "VideoInteropServer",
    "WebServer",
)
_OTHER_ROLES = (
    "ApplicationDatabase",
    "ArchivingDatabase",
    "CentralManagementDatabase",
    "FileStore",
    "MonitoringDatabase",
    "PersistentChatComplianceDatabase",
    "PersistentChatDatabase",
    "ProvisionDatabase",
    "PstnGateway",
    "TrustedApplicationPool",
    "UserDatabase",
    "VideoGateway",
    "WacServer",
)
# What a pool is: the first whose role it has. A Front End may have the roles of all those below it; a Registrar without
# users of its own is that of a survivable branch.
_KINDS = {
    "EdgeServer": "edges",
    "Director": "directors",
    "UserServer": "front_ends",
    "PersistentChatServer": "persistent_chat",
    "Registrar": "survivable_branches",
    "MediationServer": "mediation",
}

NOT_OURS = "not_a_lync_server"
UNKNOWN_ROLE = "unknown_role"
NO_HOST_NAME = "not_a_host_name"
NAME_TAKEN = "group_name_taken"


@dataclass(frozen=True)
class LeftOut:
    """What has no place in the inventory: a pool, a computer or a group, and why."""

    name: str
    what: str
    reason: str

    @property
    def sentence(self) -> str:
        return f"The {self.what} '{self.name}' {_BECAUSE[self.reason]}."


_BECAUSE = {
    NOT_OURS: "runs no role of Lync Server or Skype for Business Server, and is left out",
    UNKNOWN_ROLE: "has no role but such that are not known here, and is left out",
    NO_HOST_NAME: "has a name that is no fully qualified host name, and is left out",
    NAME_TAKEN: "would share its name with another one that differs in punctuation or case only; neither is made",
}


@dataclass
class Group:
    hosts: list[str] = field(default_factory=list)
    children: list[str] = field(default_factory=list)
    variables: dict[str, Any] = field(default_factory=dict)


@dataclass
class Inventory:
    """Hosts with their variables, groups, and what is in neither."""

    hosts: dict[str, dict[str, Any]] = field(default_factory=dict)
    groups: dict[str, Group] = field(default_factory=dict)
    left_out: list[LeftOut] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        return {
            "hosts": {name: dict(variables) for name, variables in self.hosts.items()},
            "groups": {
                name: {
                    "hosts": list(group.hosts),
                    "children": list(group.children),
                    "variables": dict(group.variables),
                }
                for name, group in self.groups.items()
            },
            "left_out": [{**vars(each), "description": each.sentence} for each in self.left_out],
        }

    def _group(self, name: str, parent: str = EVERYTHING) -> Group:
        group = self.groups.setdefault(name, Group())
        children = self.groups[parent].children
        if name not in children:
            children.append(name)
        return group

    def _host(self, name: str, groups: Iterable[str], variables: dict[str, Any]) -> None:
        self.hosts.setdefault(name, variables)
        for group in groups:
            if name not in self.groups[group].hosts:
                self.groups[group].hosts.append(name)


def inventory(topology: Topology, endpoint: Endpoint) -> Inventory:
    """``endpoint`` is where the topology was read."""
    found = Inventory()
    found.groups[EVERYTHING] = Group(variables={"ansible_connection": CONNECTION})
    found._group(ENDPOINTS).variables = _address_variables(endpoint)
    found._group(MANAGEMENT, ENDPOINTS)
    for name in _KINDS.values():
        found._group(name)
    own = [pool for pool in topology.pools if _is_own(pool, found)]
    sites = _group_names("site", (pool.site for pool in own if pool.site is not None), found)
    pools = _group_names("pool", (pool.fqdn for pool in own), found)
    _add_management(found, own, sites, endpoint.host)
    for pool in own:
        _add_computers(found, pool, _groups_of(pool, sites), pools.get(pool.fqdn))
    return found


def _address_variables(endpoint: Endpoint) -> dict[str, Any]:
    scheme, rest = endpoint.url.split("://", 1)
    # The host is whatever a person has written, and may be no part of a valid URL.
    behind = rest[rest.index(endpoint.host) + len(endpoint.host) :].lstrip("]")
    port, path = [*behind.split("/", 1), ""][:2]
    return {
        "ansible_port": int(port.removeprefix(":")),
        "ansible_psrp_path": path,
        "ansible_psrp_protocol": scheme,
    }


def _is_own(pool: Pool, found: Inventory) -> bool:
    roles = [ordinal_key(role) for role in pool.roles]
    if any(ordinal_key(role) in roles for role in _OWN_ROLES):
        return True
    known = {ordinal_key(role) for role in _OTHER_ROLES}
    reason = UNKNOWN_ROLE if set(roles) - known else NOT_OURS
    found.left_out.append(LeftOut(pool.fqdn, "pool", reason))
    return False


def _own_roles(pool: Pool) -> list[str]:
    roles = {ordinal_key(role) for role in pool.roles}
    return [role for role in _OWN_ROLES if ordinal_key(role) in roles]


def _kind(pool: Pool) -> str | None:
    roles = _own_roles(pool)
    return next((group for role, group in _KINDS.items() if role in roles), None)


def _groups_of(pool: Pool, sites: dict[str, str]) -> list[str]:
    """What the pool's computers are in, besides its own group."""
    kind = _kind(pool)
    return [
        *([kind] if kind else []),
        *_place_of(pool, sites),
        *(f"role_{_snake_case(role)}" for role in _own_roles(pool)),
    ]


def _place_of(pool: Pool, sites: dict[str, str]) -> list[str]:
    site = sites.get(pool.site) if pool.site is not None else None
    return [
        *([site] if site else []),
        *([f"version_{pool.version}"] if pool.version is not None else []),
    ]


def _add_management(found: Inventory, own: list[Pool], sites: dict[str, str], endpoint: str) -> None:
    """The endpoint that the topology was read from, which speaks for the whole deployment, and those of other pools."""
    publishing = [
        pool for pool in own if "WebServer" in _own_roles(pool) and _kind(pool) != _KINDS["EdgeServer"]
    ]
    chosen = _pool_of(own, publishing, endpoint)
    for pool in [*([chosen] if chosen else []), *(pool for pool in publishing if pool is not chosen)]:
        if not is_host_name(pool.fqdn):
            found.left_out.append(LeftOut(pool.fqdn, "pool", NO_HOST_NAME))
            continue
        groups = [MANAGEMENT if pool is chosen else ENDPOINTS, *_place_of(pool, sites)]
        for group in groups[1:]:
            found._group(group)
        address = endpoint if pool is chosen else pool.fqdn.lower()
        found._host(f"{pool.fqdn.lower()}_management", groups, {**_variables(pool), "ansible_host": address})


def _pool_of(own: list[Pool], publishing: list[Pool], endpoint: str) -> Pool | None:
    """Whose endpoint it is; under a name of its own or an address, it passes for the Central Management Server's."""
    for pool in own:
        if any(same_name(name, endpoint) for name in (pool.fqdn, *pool.computers)):
            return pool
    return next(
        (pool for pool in publishing if "CentralManagement" in _own_roles(pool)), next(iter(publishing), None)
    )


def _add_computers(found: Inventory, pool: Pool, groups: list[str], own_group: str | None) -> None:
    for group in groups:
        found._group(group)
        if own_group:
            # A pool below its site and kind: what a person says about the pool goes before what they say about those.
            found._group(own_group, group)
    for computer in pool.computers:
        if is_host_name(computer):
            name = computer.lower()
            found._host(
                name, [own_group] if own_group else groups, {**_variables(pool), "ansible_host": name}
            )
        else:
            found.left_out.append(LeftOut(computer, "computer", NO_HOST_NAME))


def _variables(pool: Pool) -> dict[str, Any]:
    return {
        "lync_pool": pool.fqdn,
        "lync_site": pool.site,
        "lync_roles": _own_roles(pool),
        "lync_version": pool.version,
    }


# What Ansible takes in a group's name are letters of any script, digits and the underscore.
_NOT_IN_A_NAME = re.compile(r"\W")


def _group_names(prefix: str, names: Iterable[str], found: Inventory) -> dict[str, str]:
    """The group of each name. Two that differ in what no group's name can show get none, rather than one together."""
    groups = {name: f"{prefix}_{_NOT_IN_A_NAME.sub('_', name.lower())}" for name in dict.fromkeys(names)}
    distinct = {ordinal_key(name): group for name, group in groups.items()}
    uses = Counter(distinct.values())
    for group in [group for group, number in uses.items() if number > 1]:
        found.left_out.append(LeftOut(group, "group", NAME_TAKEN))
    return {name: group for name, group in groups.items() if uses[group] == 1}


def _snake_case(role: str) -> str:
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "_", role).lower()


_LABEL = r"(?!-)[a-z0-9-]{1,63}(?<!-)"
_HOST_NAME = re.compile(rf"{_LABEL}(\.{_LABEL})*\.(?!\d+$){_LABEL}", re.IGNORECASE | re.ASCII)


def is_host_name(name: str) -> bool:
    """Whether it is a fully qualified host name (RFC 1123 section 2.1); an address is none."""
    return len(name) <= 253 and _HOST_NAME.fullmatch(name) is not None
