# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What Windows Live audio and video takes, besides the settings that a run changes: met, unmet or not known.

Each prerequisite is judged by itself, from what was read. What could not be read is unknown, with the reason; nothing
is taken for absent because its reading failed. The order is Microsoft's (Lync Server 2013, "Supporting public instant
messenger connectivity"; Skype for Business Server, "Deploy Skype connectivity").
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command, Switch
from ..powershell.ordinal import ordinal_key, same_name
from ..result.pasting import reaching
from .messenger import DNS_SRV_ROUTING, MESSENGER
from .outside import Certificate, Unreached, is_suffix_match
from .screen import counted

Object = Mapping[str, Any]
"""An object as the server sent it: its properties by their names."""

LIVE_DOMAINS = ("msn.com", "outlook.com", "live.com", "hotmail.com")
"""The domains of Windows Live accounts (Lync Server 2013, "Accessing the public IM connectivity provisioning site")."""
_NAMED = 3


class State(enum.Enum):
    MET = "met"
    UNMET = "unmet"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Reading:
    """What a command returned; ``failure`` says why there is nothing, where it failed."""

    command: str
    objects: Sequence[Object] = ()
    failure: str | None = None


@dataclass(frozen=True)
class Prerequisite:
    """``remedy`` are lines for the Management Shell or, where it cannot help, for another command line."""

    name: str
    state: State
    evidence: str
    remedy: tuple[str, ...] = ()

    def as_dict(self, inventory: Sequence[str] = ()) -> dict[str, Any]:
        """For the result of a module. ``inventory`` are the arguments that reach the inventory of the run."""
        return {
            "prerequisite": self.name,
            "state": self.state.value,
            "evidence": self.evidence,
            "remedy": [reaching(line, inventory) for line in self.remedy],
        }


@dataclass(frozen=True)
class Deployment:
    """What was read. ``srv`` holds the targets of each SIP domain's federation record, or why they are not known;
    ``certificates`` what each external name of an Access Edge presents.
    """

    version: str | None
    access_edge: Reading
    public_providers: Reading
    hosting_providers: Reading
    allowed_domains: Reading
    blocked_domains: Reading
    sip_domains: Reading
    sites: Reading
    services: Reading
    policies: Reading
    conferencing_policies: Reading
    media: Reading
    audio_video_disabled: Reading
    replicas: Reading
    masters: Reading
    license: Reading
    srv: Mapping[str, tuple[str, ...] | Unreached]
    certificates: Mapping[str, Certificate | Unreached]

    @property
    def names(self) -> frozenset[str]:
        """The pools, and the computers with a replica."""
        pools = {str(each["PoolFqdn"]) for each in self.services.objects if each.get("PoolFqdn")}
        return frozenset(pools | {str(each["replica_fqdn"]) for each in self.replicas.objects})


def prerequisites(found: Deployment) -> list[Prerequisite]:
    """Every prerequisite, in the order in which they are put right."""
    return [judge(found) for judge in _JUDGES]


def product_of(version: str | None) -> int | None:
    """The first number of the product's build: 4 is Lync Server 2010, 5 is 2013, 6 is Skype for Business Server 2015,
    7 is 2019 and the Subscription Edition. ``version`` is what the server calls itself, with the build in parentheses,
    or a build.
    """
    build = (version or "").rpartition("(")[2].partition(")")[0].partition(".")[0]
    return int(build) if build.isdecimal() else None


# -- judging ----------------------------------------------------------------------------------------------------------


def _unread(name: str, *readings: Reading) -> Prerequisite | None:
    """That a prerequisite is not known, where one of its readings failed."""
    failed = [each for each in readings if each.failure is not None]
    if not failed:
        return None
    evidence = " ".join(str(each.failure) for each in failed)
    return Prerequisite(name, State.UNKNOWN, evidence, tuple(each.command for each in failed))


def _verdict(
    name: str, faults: Sequence[str], fine: str, remedy: Iterable[Command | str] = ()
) -> Prerequisite:
    if not faults:
        return Prerequisite(name, State.MET, fine)
    lines = tuple(each if isinstance(each, str) else each.as_text() for each in remedy)
    return Prerequisite(name, State.UNMET, "; ".join(faults), lines)


def _version(found: Deployment) -> Prerequisite:
    product = product_of(found.version)
    if product is None:
        evidence = "Neither the server nor its replicas say which version they are."
        return Prerequisite("version", State.UNKNOWN, evidence, ("Get-CsServerVersion",))
    left = (
        "no public provider is left to reach since 2025-05-05. What makes sense is an audit of what is still open, and "
        "the way back"
    )
    audit = "ansible-playbook -i inventory lync.remediation.disable_windows_live_av_federation --check --diff"
    return _verdict(
        "version", [f"{found.version}: {left}"] if product >= _SE else [], str(found.version), [audit]
    )


_SE = 7


def _provider(found: Deployment) -> Prerequisite:
    name = "public_provider"
    unread = _unread(name, found.public_providers, found.hosting_providers)
    if unread:
        return unread
    hosting = [each for each in found.hosting_providers.objects if _has_proxy(each, MESSENGER)]
    there = [each for each in found.public_providers.objects if _has_proxy(each, MESSENGER)]
    if hosting:
        taken = f"{MESSENGER} belongs to the hosting provider {_name(hosting[0])}, and two providers cannot share it"
        return _verdict(
            name, [taken], "", [Command("Remove-CsHostingProvider", {"Identity": _name(hosting[0])})]
        )
    if not there:
        new = {"Identity": "Messenger", "ProxyFqdn": MESSENGER, "Enabled": True}
        return _verdict(
            name, [f"No public provider leads to {MESSENGER}"], "", [Command("New-CsPublicProvider", new)]
        )
    off = [each for each in there if each.get("Enabled") is not True]
    remedy = [Command("Set-CsPublicProvider", {"Identity": _name(each), "Enabled": True}) for each in off]
    return _verdict(
        name,
        [f"{_name(each)} is disabled" for each in off],
        f"{_listed(map(_name, there))} is enabled",
        remedy,
    )


def _access_edge(found: Deployment) -> Prerequisite:
    name = "access_edge"
    unread = _unread(name, found.access_edge)
    if unread:
        return unread
    edge = found.access_edge.objects[0]
    routing = str(edge.get("RoutingMethod"))
    faults = []
    remedy: dict[str, Any] = {}
    if edge.get("AllowFederatedUsers") is not True:
        faults.append("Federation is not allowed")
        remedy["AllowFederatedUsers"] = True
    if not same_name(routing, DNS_SRV_ROUTING):
        faults.append(f"Routing is {routing}, with which public providers cannot be used")
        remedy["UseDnsSrvRouting"] = Switch.PRESENT
    return _verdict(
        name,
        faults,
        f"Federation is allowed, and routing is {routing}",
        [Command("Set-CsAccessEdgeConfiguration", remedy)],
    )


def _outside_access(found: Deployment) -> Prerequisite:
    """Of no concern to people inside, who need no Access Edge to sign in."""
    name = "outside_access"
    unread = _unread(name, found.access_edge, found.policies)
    if unread:
        return unread
    faults = []
    remedy = []
    if found.access_edge.objects[0].get("AllowOutsideUsers") is not True:
        faults.append("The Access Edge does not let remote users sign in")
        remedy.append(Command("Set-CsAccessEdgeConfiguration", {"AllowOutsideUsers": True}))
    closed = [each for each in found.policies.objects if each.get("EnableOutsideAccess") is not True]
    if closed:
        faults.append(f"Remote users are shut out by {_listed(map(_name, closed))}")
    remedy += [_set_policy("CsExternalAccessPolicy", each, EnableOutsideAccess=True) for each in closed]
    return _verdict(name, faults, "Remote users may sign in under every policy", remedy)


def _federation_route(found: Deployment) -> Prerequisite:
    name = "federation_route"
    unread = _unread(name, found.sites, found.services)
    if unread:
        return unread
    central = [each for each in found.sites.objects if not same_name(str(each.get("SiteType")), "RemoteSite")]
    if not any("FederationRoute" in each for each in central):
        return Prerequisite(name, State.UNKNOWN, "Get-CsSite shows no FederationRoute here", ("Get-CsSite",))
    edges = {ordinal_key(_name(each)): each for each in _edges(found)}
    faults = []
    routes = []
    for site in central:
        route = str(site.get("FederationRoute") or "")
        if not route:
            faults.append(f"{_name(site)} has no federation route")
        elif ordinal_key(route) not in edges:
            faults.append(f"{_name(site)} is routed to {route}, which the topology does not have")
        else:
            routes.append(route)
            if not edges[ordinal_key(route)].get("AccessEdgeExternalFqdn"):
                faults.append(f"{route}, the route of {_name(site)}, has no external name")
    publish = "Topology Builder: the site's properties, Federation route; then Publish-CsTopology"
    return _verdict(name, faults, f"Every site is routed to {_listed(dict.fromkeys(routes))}", [publish])


def _media_edge(found: Deployment) -> Prerequisite:
    name = "media_edge"
    unread = _unread(name, found.services)
    if unread:
        return unread
    served = {
        ordinal_key(str(dependent))
        for edge in _edges(found)
        for dependent in edge.get("DependentServiceList") or ()
    }
    without = [
        each
        for each in found.services.objects
        if same_name(str(each.get("Role")), "Registrar") and ordinal_key(_name(each)) not in served
    ]
    if not any("DependentServiceList" in edge for edge in _edges(found)) and _edges(found):
        evidence = "Get-CsService shows no DependentServiceList of the Edge Servers here"
        return Prerequisite(name, State.UNKNOWN, evidence, ("Get-CsService -EdgeServer",))
    nameless = [each for each in _edges(found) if not each.get("AVEdgeExternalFqdn")]
    faults = [f"{each.get('PoolFqdn')} has no Edge Server for media" for each in without]
    faults += [f"{_name(each)} has no external name for audio and video" for each in nameless]
    publish = "Topology Builder: the pool's properties, Associate Edge pool; then Publish-CsTopology"
    return _verdict(name, faults, "Every pool has an Edge Server for media", [publish])


def _allowed_domains(found: Deployment) -> Prerequisite:
    """From Lync Server 2013's cumulative update of October 2013 on, an Access Edge that finds a provider's server as
    that of an allowed domain as well does not start (event 14517); the tools do not prevent it.
    """
    name = "allowed_domains"
    unread = _unread(name, found.allowed_domains, found.public_providers, found.hosting_providers)
    if unread:
        return unread
    providers = [*found.public_providers.objects, *found.hosting_providers.objects]
    proxies = {ordinal_key(_proxy(each)): each for each in providers if _proxy(each)}
    clashing = [each for each in found.allowed_domains.objects if ordinal_key(_proxy(each)) in proxies]
    faults = [
        f"The allowed domain {_name(each)} names {_proxy(each)}, the server of the provider "
        f"{_name(proxies[ordinal_key(_proxy(each))])}: an Access Edge may not start with both (event 14517)"
        for each in clashing
    ]
    remedy = [
        Command("Set-CsAllowedDomain", {"Identity": _name(each), "ProxyFqdn": None}) for each in clashing
    ]
    return _verdict(name, faults, "No allowed domain names the server of a provider", remedy)


def _blocked_domains(found: Deployment) -> Prerequisite:
    name = "blocked_domains"
    unread = _unread(name, found.blocked_domains)
    if unread:
        return unread
    blocked = [
        each
        for each in found.blocked_domains.objects
        if any(
            same_name(str(each.get("Domain") or _name(each)), domain) for domain in (*LIVE_DOMAINS, MESSENGER)
        )
    ]
    remedy = [Command("Remove-CsBlockedDomain", {"Identity": _name(each)}) for each in blocked]
    return _verdict(
        name,
        [f"{_name(each)} is blocked" for each in blocked],
        "No domain of Windows Live is blocked",
        remedy,
    )


def _policies(found: Deployment) -> Prerequisite:
    name = "policies"
    unread = _unread(name, found.policies)
    if unread:
        return unread
    flags = ("EnablePublicCloudAccess", "EnablePublicCloudAudioVideoAccess")
    closed = [each for each in found.policies.objects if any(each.get(flag) is not True for flag in flags)]
    remedy = [_set_policy("CsExternalAccessPolicy", each, **dict.fromkeys(flags, True)) for each in closed]
    faults = [f"Not allowed by {_listed(map(_name, closed))}"] if closed else []
    return _verdict(name, faults, "Every external access policy allows it", remedy)


def _media_encryption(found: Deployment) -> Prerequisite:
    name = "media_encryption"
    unread = _unread(name, found.media)
    if unread:
        return unread
    strict = [
        each
        for each in found.media.objects
        if same_name(str(each.get("EncryptionLevel")), "RequireEncryption")
    ]
    remedy = [
        Command("Set-CsMediaConfiguration", {"Identity": _name(each), "EncryptionLevel": "SupportEncryption"})
        for each in strict
    ]
    faults = [f"Encryption is required by {_listed(map(_name, strict))}"] if strict else []
    return _verdict(name, faults, "No media configuration requires encryption", remedy)


def _p2p_video(found: Deployment) -> Prerequisite:
    name = "p2p_video"
    unread = _unread(name, found.conferencing_policies)
    if unread:
        return unread
    if not all("EnableP2PVideo" in each for each in found.conferencing_policies.objects):
        evidence = "Get-CsConferencingPolicy shows no EnableP2PVideo here"
        return Prerequisite(name, State.UNKNOWN, evidence, ("Get-CsConferencingPolicy",))
    closed = [each for each in found.conferencing_policies.objects if each.get("EnableP2PVideo") is not True]
    remedy = [_set_policy("CsConferencingPolicy", each, EnableP2PVideo=True) for each in closed]
    faults = [f"Video between two people is off in {_listed(map(_name, closed))}"] if closed else []
    return _verdict(name, faults, "Every conferencing policy allows video between two people", remedy)


def _audio_video_disabled(found: Deployment) -> Prerequisite:
    name = "audio_video_users"
    unread = _unread(name, found.audio_video_disabled)
    if unread:
        return unread
    people = [str(each.get("SipAddress") or _name(each)) for each in found.audio_video_disabled.objects]
    faults = [f"Audio and video are off for {counted(people)}: {_listed(people)}"] if people else []
    remedy = [
        Command("Set-CsUser", {"Identity": each, "AudioVideoDisabled": False}) for each in people[:_NAMED]
    ]
    return _verdict(name, faults, "Audio and video are on for every user", remedy)


def _dns_srv(found: Deployment) -> Prerequisite:
    name = "dns_srv"
    unread = _unread(name, found.sip_domains)
    if unread:
        return unread
    record = "_sipfederationtls._tcp"
    faults = []
    unknown = []
    remedy = []
    fine = []
    for domain, answer in found.srv.items():
        if isinstance(answer, Unreached):
            unknown.append(answer)
            continue
        matching = [target for target in answer if is_suffix_match(target, domain)]
        if not answer:
            faults.append(f"{record}.{domain} does not exist")
        elif not matching:
            faults.append(f"{record}.{domain} leads to {_listed(answer)}, which is not right below {domain}")
        else:
            fine.append(f"{domain} to {matching[0]}")
        if not matching:
            remedy.append(f"Resolve-DnsName -Type SRV {record}.{domain}")
    if faults or not unknown:
        return _verdict(name, faults, f"Federation is published for {_listed(fine)}", remedy)
    commands = dict.fromkeys(each.remedy for each in unknown)
    return Prerequisite(
        name, State.UNKNOWN, "; ".join(dict.fromkeys(each.reason for each in unknown)), tuple(commands)
    )


def _external_certificate(found: Deployment) -> Prerequisite:
    name = "external_certificate"
    unread = _unread(name, found.services)
    if unread:
        return unread
    if not found.certificates:
        return _verdict(name, ["No Edge Server has an external name"], "", ["Get-CsService -EdgeServer"])
    wanted = {
        target
        for domain, answer in found.srv.items()
        if not isinstance(answer, Unreached)
        for target in answer
        if is_suffix_match(target, domain)
    }
    faults = []
    unknown = []
    for host, certificate in found.certificates.items():
        if isinstance(certificate, Unreached):
            unknown.append(certificate)
            continue
        names = [host, *sorted(target for target in wanted if not same_name(target, host))]
        missing = [each for each in names if not certificate.has(each)]
        faults += [f"The certificate of {host} does not have the name {each}" for each in missing]
        if certificate.trouble:
            faults.append(f"The certificate of {host}: {certificate.trouble}")
    if faults or not unknown:
        hosts = [host for host, each in found.certificates.items() if isinstance(each, Certificate)]
        return _verdict(
            name,
            faults,
            f"{_listed(hosts)} presents a public certificate with the names that partners ask for",
            ["Get-CsCertificate -Type AccessEdgeExternal"],
        )
    commands = dict.fromkeys(each.remedy for each in unknown)
    return Prerequisite(name, State.UNKNOWN, "; ".join(each.reason for each in unknown), tuple(commands))


def _replication(found: Deployment) -> Prerequisite:
    name = "replication"
    unread = _unread(name, found.replicas, found.masters)
    if unread:
        return unread
    masters = [str(each["active_master"]) for each in found.masters.objects]
    late = [str(each["replica_fqdn"]) for each in found.replicas.objects if each["behind"]]
    faults = []
    if not masters:
        faults.append("The Central Management Store has no active master")
    if len(masters) > 1:
        faults.append(f"{' and '.join(masters)} both call themselves the active master: nothing replicates")
    if late:
        faults.append(f"Behind, or never heard of: {_listed(late)}")
    remedy = [
        "Get-CsManagementStoreReplicationStatus -CentralManagementStoreStatus",
        "Get-CsService -CentralManagement",
    ]
    return _verdict(
        name,
        faults,
        f"{len(found.replicas.objects)} servers are up to date; the master is {_listed(masters)}",
        remedy,
    )


def _license(found: Deployment) -> Prerequisite:
    """No server knows which client licences were bought."""
    server = "; ".join(str(each.get("Version")) for each in found.license.objects)
    evidence = (
        "A Standard client access license covers Messenger and Skype, and no cmdlet knows which were bought"
    )
    return Prerequisite(
        "license", State.UNKNOWN, f"{evidence} ({server})" if server else evidence, ("Get-CsServerVersion",)
    )


def _ports(found: Deployment) -> Prerequisite:
    evidence = (
        "Between the Edge Servers and the Internet: TCP 5061 both ways, UDP 3478 and, for audio and video with "
        "Messenger, TCP 50,000-59,999. The far side cannot be asked from here"
    )
    return Prerequisite(
        "ports",
        State.UNKNOWN,
        evidence,
        (f"Test-NetConnection {MESSENGER} -Port 5061  # on each Edge Server",),
    )


_JUDGES: tuple[Callable[[Deployment], Prerequisite], ...] = (
    _version,
    _license,
    _dns_srv,
    _external_certificate,
    _ports,
    _access_edge,
    _federation_route,
    _media_edge,
    _provider,
    _allowed_domains,
    _blocked_domains,
    _replication,
    _outside_access,
    _p2p_video,
    _audio_video_disabled,
    _policies,
    _media_encryption,
)

# -- what objects say -------------------------------------------------------------------------------------------------


def _name(each: Object) -> str:
    return str(each.get("Identity"))


def _proxy(each: Object) -> str:
    return str(each.get("ProxyFqdn") or "").rstrip(".")


def _has_proxy(each: Object, proxy: str) -> bool:
    return same_name(_proxy(each), proxy)


def _edges(found: Deployment) -> list[Object]:
    return [each for each in found.services.objects if same_name(str(each.get("Role")), "EdgeServer")]


def _set_policy(noun: str, policy: Object, **values: Any) -> Command:
    return Command(f"Set-{noun}", {"Identity": _name(policy), **values})


def _listed(names: Iterable[Any]) -> str:
    """The first of many names, and how many more there are."""
    texts = [str(name) for name in names]
    more = f" and {len(texts) - _NAMED} more" if len(texts) > _NAMED else ""
    return ", ".join(texts[:_NAMED]) + more
