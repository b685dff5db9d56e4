# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The whole topology as Topology Builder published it: sites, and pools with their computers and roles."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable, text_of

_SITES = Command("Get-CsSite")
_POOLS = Command("Get-CsPool")
_COMPUTERS = Command("Get-CsComputer")
_SERVICES = Command("Get-CsService")
CMDLETS = tuple(command.name for command in (_SITES, _POOLS, _COMPUTERS, _SERVICES))

# Whose version is the pool's. What a pool shares with another version, such as a database, says nothing of it.
_ROLES_WITH_THE_VERSION = (
    "UserServer",
    "Director",
    "Registrar",
    "EdgeServer",
    "PersistentChatServer",
    "MediationServer",
)


@dataclass(frozen=True)
class Site:
    """``kind`` is CentralSite or RemoteSite; ``parent`` the central site of a remote one."""

    name: str
    kind: str | None
    parent: str | None


@dataclass(frozen=True)
class Pool:
    """``computers`` in the order of Get-CsComputer, by which Windows Fabric counts; ``version``: of its services in the
    topology, such as 6 for Lync Server 2013.
    """

    fqdn: str
    site: str | None
    roles: tuple[str, ...]
    version: int | None
    computers: tuple[str, ...]


@dataclass(frozen=True)
class Topology:
    """``product`` is what Get-CsServerVersion says, None where the session has no such cmdlet."""

    product: str | None
    sites: tuple[Site, ...]
    pools: tuple[Pool, ...]

    def as_dict(self) -> dict[str, Any]:
        return {
            "product": self.product,
            "sites": [asdict(site) for site in self.sites],
            "pools": [
                {**asdict(pool), "roles": list(pool.roles), "computers": list(pool.computers)}
                for pool in self.pools
            ],
        }


def from_dict(values: Mapping[str, Any]) -> Topology:
    """Back from `Topology.as_dict`. Raises KeyError, ValueError or TypeError for anything else."""
    return Topology(
        _optional_text(values["product"]),
        tuple(
            Site(_text(each["name"]), _optional_text(each["kind"]), _optional_text(each["parent"]))
            for each in values["sites"]
        ),
        tuple(
            Pool(
                _text(each["fqdn"]),
                _optional_text(each["site"]),
                tuple(map(_text, each["roles"])),
                None if each["version"] is None else int(each["version"]),
                tuple(map(_text, each["computers"])),
            )
            for each in values["pools"]
        ),
    )


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError(f"{value!r} is no text")
    return str.__str__(value)


def _optional_text(value: Any) -> str | None:
    return None if value is None else _text(value)


def read(shell: ManagementShell) -> Topology:
    """Ask for everything. Raises the wire's errors, and Unreadable: half a topology is none."""
    # A statement each: what a service of a role that nobody has described looks like cannot be told from a pool.
    sites, pools, computers, services = (
        _answer(shell, command) for command in (_SITES, _POOLS, _COMPUTERS, _SERVICES)
    )
    if not pools:
        raise Unreadable("Get-CsPool listed no pool at all.")
    return Topology(
        product=shell.server_version(),
        sites=tuple(map(_site, sites)),
        pools=tuple(_pool(each, computers, services) for each in pools),
    )


def _answer(shell: ManagementShell, command: Command) -> list[RemoteObject]:
    results = shell.run(command)
    for report in results.errors:
        raise shell.classify(report)
    return results.objects()


def _site(remote: RemoteObject) -> Site:
    parent = remote.get("ParentSite")
    kind = remote.get("SiteType")
    return Site(
        name=_after_prefix(text_of(remote.get("Identity"))),
        kind=None if kind is None else text_of(kind),
        parent=None if parent is None else _after_prefix(text_of(parent)),
    )


def _pool(remote: RemoteObject, computers: Iterable[RemoteObject], services: Iterable[RemoteObject]) -> Pool:
    fqdn = _fqdn(remote)
    own = [each for each in services if same_name(text_of(each.get("PoolFqdn")), fqdn)]
    listed = [text_of(each).partition(":")[0] for each in remote.get("Services") or ()]
    ordered = [_fqdn(each) for each in computers if same_name(text_of(each.get("Pool")), fqdn)]
    site = remote.get("Site")
    versions = {ordinal_key(_role(each)): each.get("Version") for each in own}
    numbers = (versions.get(ordinal_key(role)) for role in _ROLES_WITH_THE_VERSION)
    return Pool(
        fqdn=fqdn,
        site=None if site is None else _after_prefix(text_of(site)),
        roles=tuple({ordinal_key(role): role for role in [*map(_role, own), *listed]}.values()),
        version=next((number for number in numbers if isinstance(number, int)), None),
        computers=tuple(ordered or (text_of(each) for each in remote.get("Computers") or ())),
    )


def _role(service: RemoteObject) -> str:
    role = service.get("Role")
    return text_of(service.get("Identity")).partition(":")[0] if role is None else text_of(role)


def _fqdn(remote: RemoteObject) -> str:
    return text_of(remote.get("Fqdn") or remote.get("Identity"))


def _after_prefix(identity: str) -> str:
    """``Redmond`` of ``Site:Redmond``."""
    prefix, colon, name = identity.partition(":")
    return name if colon and same_name(prefix, "Site") else identity
