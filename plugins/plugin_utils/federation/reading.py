# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading what the prerequisites of Windows Live audio and video are judged by. One command fails alone."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import CommandError
from ..powershell.results import RemoteObject
from ..powershell.shell import SERVER_VERSION, ManagementShell
from ..powershell.values import as_result
from ..result.refusals import Unreadable
from ..topology import replication
from .outside import (
    Certificate,
    Unreached,
    federation_record,
    federation_targets,
    presented_certificate,
)
from .prerequisites import Deployment, Object, Reading

_SERVICE = (
    "Identity",
    "Role",
    "PoolFqdn",
    "DependentServiceList",
    "AccessEdgeExternalFqdn",
    "AccessEdgeExternalSipPort",
    "AVEdgeExternalFqdn",
)
_PROVIDER = ("Identity", "ProxyFqdn", "Enabled")
_READ: Mapping[str, tuple[Command, tuple[str, ...]]] = {
    "access_edge": (
        Command("Get-CsAccessEdgeConfiguration"),
        ("Identity", "AllowFederatedUsers", "AllowOutsideUsers", "RoutingMethod"),
    ),
    "public_providers": (Command("Get-CsPublicProvider"), _PROVIDER),
    "hosting_providers": (Command("Get-CsHostingProvider"), _PROVIDER),
    "allowed_domains": (Command("Get-CsAllowedDomain"), ("Identity", "Domain", "ProxyFqdn")),
    "blocked_domains": (Command("Get-CsBlockedDomain"), ("Identity", "Domain")),
    "sip_domains": (Command("Get-CsSipDomain"), ("Identity",)),
    "sites": (Command("Get-CsSite"), ("Identity", "SiteType", "FederationRoute")),
    "services": (Command("Get-CsService"), _SERVICE),
    "policies": (
        Command("Get-CsExternalAccessPolicy"),
        ("Identity", "EnablePublicCloudAccess", "EnablePublicCloudAudioVideoAccess", "EnableOutsideAccess"),
    ),
    "conferencing_policies": (Command("Get-CsConferencingPolicy"), ("Identity", "EnableP2PVideo")),
    "media": (Command("Get-CsMediaConfiguration"), ("Identity", "EncryptionLevel")),
    "audio_video_disabled": (
        Command("Get-CsUser", {"Filter": "AudioVideoDisabled -eq $True"}),
        ("Identity", "SipAddress"),
    ),
}
_ALWAYS_THERE = frozenset(
    {"access_edge", "sip_domains", "sites", "services", "policies", "conferencing_policies", "media"}
)
"""What no deployment is without: an empty answer proves nothing."""
CMDLETS = tuple(dict.fromkeys([*(reading[0].name for reading in _READ.values()), SERVER_VERSION.name]))


@dataclass(frozen=True)
class OutsideOptions:
    """What is looked at from the controller; ``servers`` are name servers, this machine's where there are none."""

    enabled: bool
    servers: Sequence[str]
    port: int


def deployment(shell: ManagementShell, outside: OutsideOptions) -> Deployment:
    """Everything that can be known. Raises only what keeps anything from being read."""
    read = {name: _reading(shell, name, *what) for name, what in _READ.items()}
    replicas, masters, versions = _replication(shell)
    version = shell.server_version()
    return Deployment(
        version=version or ", ".join(versions) or None,
        **read,
        replicas=replicas,
        masters=masters,
        license=Reading(SERVER_VERSION.name, [{"Version": version}] if version else []),
        srv={domain: _targets(domain, outside) for domain in _domains(read["sip_domains"])},
        certificates={
            host: _certificate(host, port, outside) for host, port in _edge_names(read["services"])
        },
    )


def _reading(shell: ManagementShell, name: str, command: Command, properties: Sequence[str]) -> Reading:
    results = shell.run(command)
    text = command.as_text()
    if results.errors:
        return Reading(text, failure=str(shell.classify(results.errors[0])))
    objects = [_object(remote, properties) for remote in results.objects()]
    if not objects and name in _ALWAYS_THERE:
        return Reading(text, failure=f"{text} returned nothing, although there always is something.")
    return Reading(text, objects)


def _object(remote: RemoteObject, properties: Sequence[str]) -> Object:
    """These properties of an object. What is shown as a text, such as an identity or an enumeration, is that text."""
    return {name: _plain(remote[name]) for name in properties if name in remote}


def _plain(value: Any) -> Any:
    if isinstance(value, RemoteObject) and value.text is not None:
        return value.text
    if isinstance(value, list):
        return [_plain(each) for each in value]
    return as_result(value)


def _replication(shell: ManagementShell) -> tuple[Reading, Reading, list[str]]:
    try:
        found = replication.overview(shell, [])
    except (CommandError, Unreadable) as error:
        unread = Reading(replication.STATUS.name, failure=str(error))
        return unread, unread, []
    late = replication.behind(found.replicas)
    replicas = [{"replica_fqdn": each.fqdn, "behind": each in late} for each in found.replicas]
    versions = sorted({each.product_version for each in found.replicas if each.product_version})
    stores = replication.STORES.as_text()
    if found.masters is None:
        failure = " ".join(found.trouble)
        return Reading(replication.STATUS.name, replicas), Reading(stores, failure=failure), versions
    masters = [{"active_master": each} for each in found.masters]
    if found.store is not None and not found.store["active_master_fqdn"]:
        masters = []
    return Reading(replication.STATUS.name, replicas), Reading(stores, masters), versions


def _domains(read: Reading) -> list[str]:
    return [str(each["Identity"]) for each in read.objects]


def _edge_names(read: Reading) -> list[tuple[str, int]]:
    return [
        (str(each["AccessEdgeExternalFqdn"]), int(each.get("AccessEdgeExternalSipPort") or 5061))
        for each in read.objects
        if each.get("AccessEdgeExternalFqdn")
    ]


def _targets(domain: str, outside: OutsideOptions) -> tuple[str, ...] | Unreached:
    return _if_enabled(
        outside,
        lambda: federation_targets(domain, outside.servers, outside.port),
        f"Resolve-DnsName -Type SRV {federation_record(domain)}",
    )


def _certificate(host: str, port: int, outside: OutsideOptions) -> Certificate | Unreached:
    return _if_enabled(
        outside,
        lambda: presented_certificate(host, port),
        f"openssl s_client -connect {host}:{port} -servername {host}",
    )


def _if_enabled(outside: OutsideOptions, ask: Callable[[], Any], remedy: str) -> Any:
    return ask() if outside.enabled else Unreached("Not looked at, as outside: false says", remedy)
