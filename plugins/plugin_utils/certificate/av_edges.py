# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module av_edge_info: the Edge pools of a deployment, with what the A/V authentication certificate is judged
by.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable, text_of
from ..topology import deployment
from .store import UNKNOWN

_ROLE = "EdgeServer"
_SERVICES = Command("Get-CsService")
_CONFIGURATION = Command("Get-CsAVEdgeConfiguration")
CMDLETS = (*deployment.CMDLETS, _CONFIGURATION.name)


@dataclass(frozen=True)
class EdgePool:
    """``av_edge_name``: the A/V Edge service's external name; ``authentication_port``: that of A/V Authentication, on
    the internal interface. ``token_lifetime`` is how long credentials are good for. None where they are not known.
    """

    pool: str
    computers: tuple[str, ...]
    site: str | None = None
    version: int | None = None
    av_edge_name: str | None = None
    authentication_port: int | None = None
    token_lifetime: datetime.timedelta | None = None

    def as_dict(self) -> dict[str, Any]:
        lifetime = self.token_lifetime
        return {
            "pool": self.pool,
            "site": self.site,
            "computers": list(self.computers),
            "version": self.version,
            "av_edge_external_fqdn": self.av_edge_name,
            "authentication_port": self.authentication_port,
            "max_token_lifetime_s": None if lifetime is None else lifetime.total_seconds(),
        }


def from_dict(values: Mapping[str, Any]) -> EdgePool:
    """Back from `EdgePool.as_dict`. Raises KeyError, ValueError or TypeError for anything else."""
    lifetime = values["max_token_lifetime_s"]
    return EdgePool(
        pool=str(values["pool"]),
        computers=tuple(str(each) for each in values["computers"]),
        site=values["site"],
        version=values["version"],
        av_edge_name=values["av_edge_external_fqdn"],
        authentication_port=values["authentication_port"],
        token_lifetime=None if lifetime is None else datetime.timedelta(seconds=float(lifetime)),
    )


def query(shell: ManagementShell) -> dict[str, Any]:
    """What the module returns. Raises what keeps the topology from being read; what else cannot be known is null."""
    topology = deployment.read(shell)
    trouble: list[str] = []
    services: Sequence[RemoteObject] = ()
    lifetimes: Mapping[str, datetime.timedelta] = {}
    try:
        services = _objects(shell, _SERVICES)
    except UNKNOWN as unknown:
        trouble.append(str(unknown))
    try:
        lifetimes = _lifetimes(_objects(shell, _CONFIGURATION))
    except UNKNOWN as unknown:
        trouble.append(str(unknown))
    pools = [
        _edge_pool(pool, services, lifetimes)
        for pool in topology.pools
        if any(same_name(role, _ROLE) for role in pool.roles)
    ]
    return {"edge_pools": [pool.as_dict() for pool in pools], "trouble": trouble}


def _objects(shell: ManagementShell, command: Command) -> list[RemoteObject]:
    results = shell.run(command)
    for report in results.errors:
        raise shell.classify(report)
    return results.objects()


def _lifetimes(objects: Sequence[RemoteObject]) -> dict[str, datetime.timedelta]:
    """By identity."""
    found = {}
    for each in objects:
        lifetime = each.get("MaxTokenLifetime")
        if isinstance(lifetime, datetime.timedelta):
            found[ordinal_key(text_of(each["Identity"]))] = lifetime
    if not found:
        raise Unreadable(f"{_CONFIGURATION.name} returned nothing, although there always is something.")
    return found


def _edge_pool(
    pool: deployment.Pool,
    services: Sequence[RemoteObject],
    lifetimes: Mapping[str, datetime.timedelta],
) -> EdgePool:
    own = next(
        (each for each in services if same_name(text_of(each.get("Identity") or ""), f"{_ROLE}:{pool.fqdn}")),
        None,
    )
    name = None if own is None else own.get("AVEdgeExternalFqdn")
    port = None if own is None else own.get("MediaRelayAuthEdgePort")
    # The narrowest of them is in force.
    scopes = (f"Service:{_ROLE}:{pool.fqdn}", f"{_ROLE}:{pool.fqdn}", f"Site:{pool.site}", "Global")
    return EdgePool(
        pool=pool.fqdn,
        computers=pool.computers,
        site=pool.site,
        version=pool.version,
        av_edge_name=None if name is None else text_of(name),
        authentication_port=port if isinstance(port, int) else None,
        token_lifetime=next(
            (lifetimes[ordinal_key(scope)] for scope in scopes if ordinal_key(scope) in lifetimes), None
        ),
    )
