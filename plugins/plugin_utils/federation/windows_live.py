# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Audio and video with Windows Live: what it takes, what stands in its way, and what there is to change.

Everything here is decided from what the info modules have read; nothing is asked of a server.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..result.status import Status
from ..settings.identity import Identity, Scope, stored
from .shadowing import SCOPES, Options, differs, identity_of, shadowing

MESSENGER = "federation.messenger.msn.com"
"""The server of Messenger, MSN before it and Skype after it; a provider is known by it, whatever its name (Lync Server
2013, "Accessing the Lync Server 2013 public IM connectivity provisioning site").
"""
DNS_SRV_ROUTING = "UseDnsSrvRouting"
"""The only routing method that public providers can be used with (Microsoft Learn, New-CsPublicProvider)."""
REQUIRED = "RequireEncryption"
_ROLE = "windows_live_av_federation"


@dataclass(frozen=True)
class Request:
    """The role's variables, without their prefix; what each means is said in its argument specs."""

    state: str
    policies: Sequence[str]
    media: Sequence[str]
    include_shadowing_scopes: bool
    encryption_level: str
    max_video_rate: str
    providers: Sequence[str]
    enable_providers: bool
    disable_providers: bool
    manage_access_edge: bool

    @property
    def enabling(self) -> bool:
        return self.state == "present"

    @property
    def policy_values(self) -> dict[str, Any]:
        return {
            "enable_public_cloud_access": self.enabling,
            "enable_public_cloud_audio_video_access": self.enabling,
        }

    @property
    def media_values(self) -> dict[str, Any]:
        if self.enabling:
            return {
                "encryption_level": self.encryption_level,
                "max_video_rate_allowed": self.max_video_rate,
            }
        return {"encryption_level": REQUIRED}


@dataclass(frozen=True)
class Findings:
    """The results of the info modules."""

    connection: Options
    access_edge: Options
    providers: Sequence[Options]
    replication: Options
    policies: Sequence[Options]
    media: Sequence[Options]
    services: Sequence[Options]
    """``service`` and ``site`` of the services that have media settings of their own."""


def assess(found: Findings, request: Request, *, check_mode: bool) -> dict[str, Any]:
    """What there is to change, what keeps it from being changed, and what keeps it from having an effect.

    Returns ``policies``, ``media`` and ``providers`` (identities to change), ``access_edge`` (options to set),
    ``policy_values`` and ``media_values`` (options wanted at those identities), ``pending`` (texts on what is not
    as wanted yet), ``shadowing`` (texts on collections that are left as they are), ``obstacles`` (sentences; none if
    all is well) and ``summary`` (lines for people). ``check_mode`` is true in check mode.
    """
    sites = {
        stored(f"service:{each['service']}", SCOPES): Identity(Scope.SITE, each["site"])
        for each in found.services
    }
    policies = _scope_of_change(request, request.policies, found.policies, request.policy_values, {})
    media = _scope_of_change(request, request.media, found.media, request.media_values, sites)
    providers = _providers(found, request)
    to_switch = request.enable_providers if request.enabling else request.disable_providers
    access_edge = (
        {"allow_federated_users": True, "routing_method": DNS_SRV_ROUTING}
        if request.enabling and request.manage_access_edge
        else {}
    )
    result: dict[str, Any] = {
        "policies": policies.identities,
        "policy_values": request.policy_values,
        "media": media.identities,
        "media_values": request.media_values,
        "providers": [each["identity"] for each in providers] if to_switch else [],
        "access_edge": access_edge,
        "pending": [
            *(
                f"{option} of the Access Edge"
                for option, value in access_edge.items()
                if found.access_edge[option] != value
            ),
            *(
                f"public provider {each['identity']}"
                for each in providers
                if to_switch and each["enabled"] != request.enabling
            ),
            *(f"policy {identity}" for identity in policies.pending),
            *(f"media settings {identity}" for identity in media.pending),
        ],
        "shadowing": [
            *(f"policy {each['identity']}, which {_policy_text(each)}" for each in policies.untouched),
            *(f"media settings {each['identity']}, {_media_text(each)}" for each in media.untouched),
        ],
    }
    needed = [
        cmdlet
        for cmdlet, use in (
            ("Set-CsExternalAccessPolicy", result["policies"]),
            ("Set-CsMediaConfiguration", result["media"]),
            ("Set-CsPublicProvider", result["providers"]),
            ("Set-CsAccessEdgeConfiguration", result["access_edge"]),
        )
        if use
    ]
    withheld = [cmdlet for cmdlet in needed if not found.connection["cmdlets"].get(cmdlet)]
    obstacles = list(_obstacles_to_enabling(found, request, providers)) if request.enabling else []
    obstacles += _obstacles_to_any_change(found, [] if check_mode else withheld)
    return {**result, "obstacles": obstacles, "summary": list(_summary(found, result, providers))}


# -- scopes -----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Scope:
    identities: list[str]
    """What is to be as wanted, in the server's spelling where it exists."""
    pending: list[str]
    """Those of them that are not, yet."""
    untouched: list[Options]
    """What goes before the change somewhere, and is left as it is."""


def _scope_of_change(
    request: Request,
    chosen: Sequence[str],
    collections: Sequence[Options],
    values: Options,
    sites: Mapping[Identity, Identity],
) -> _Scope:
    existing = {identity_of(each): each for each in collections}
    # The way back creates nothing: a collection that does not exist allows nothing.
    wanted = [
        identity for text in chosen if (identity := stored(text, SCOPES)) in existing or request.enabling
    ]
    narrower = shadowing(collections, wanted, values, sites)
    if request.include_shadowing_scopes:
        wanted += [identity_of(each) for each in narrower]
    names = {
        identity: existing[identity]["identity"] if identity in existing else str(identity)
        for identity in wanted
    }
    return _Scope(
        identities=list(names.values()),
        pending=[
            name
            for identity, name in names.items()
            if identity not in existing or differs(existing[identity], values)
        ],
        untouched=[] if request.include_shadowing_scopes else list(narrower),
    )


def _policy_text(policy: Options) -> str:
    audio_video = policy["enable_public_cloud_access"] and policy["enable_public_cloud_audio_video_access"]
    return "allows it" if audio_video else "does not allow it"


def _media_text(media: Options) -> str:
    return f"{media['encryption_level']}, {media['max_video_rate_allowed']}"


# -- what stands in the way -------------------------------------------------------------------------------------------


def _providers(found: Findings, request: Request) -> list[Options]:
    names = {name.casefold() for name in request.providers}
    if names:
        return [each for each in found.providers if each["identity"].casefold() in names]
    return [each for each in found.providers if str(each.get("proxy_fqdn")).casefold() == MESSENGER]


def _obstacles_to_enabling(found: Findings, request: Request, providers: Sequence[Options]) -> Iterator[str]:
    there_are = ", ".join(each["identity"] for each in found.providers) or "none"
    if request.providers:
        known = {each["identity"].casefold() for each in providers}
        missing = [name for name in request.providers if name.casefold() not in known]
        if missing:
            yield f"There is no public provider {' and no '.join(missing)}. The public providers are: {there_are}."
    elif not providers:
        yield (
            f"No public provider leads to {MESSENGER} (the public providers are: {there_are}). Create one with "
            f"lync.remediation.public_provider, or name yours in {_ROLE}_providers."
        )
    disabled = [each["identity"] for each in providers if not each["enabled"]]
    if disabled and not request.enable_providers:
        yield (
            f"The public provider {' and '.join(disabled)} is disabled. Set {_ROLE}_enable_providers: true to have "
            "it enabled."
        )
    if request.manage_access_edge:
        return
    remedy = f"Set {_ROLE}_manage_access_edge: true to have that changed, for all federated partners."
    if not found.access_edge["allow_federated_users"]:
        yield f"The Access Edge does not allow federation. {remedy}"
    if found.access_edge["routing_method"] != DNS_SRV_ROUTING:
        yield (
            f"The Access Edge does not route by DNS SRV records ({found.access_edge['routing_method']}), without which "
            f"public providers cannot be used. {remedy}"
        )


def _obstacles_to_any_change(found: Findings, withheld: Sequence[str]) -> Iterator[str]:
    store = found.replication["central_management_store"]
    if store is not None and not store["active_master_fqdn"]:
        yield (
            "The Central Management Store has no active master, so nothing would replicate. Check that the service "
            "MASTER runs on the Central Management Server."
        )
    if withheld:
        yield (
            f"{found.connection['account']} may not use {' and '.join(withheld)} here. Changing settings takes the "
            "role CsAdministrator; a dry run (--check) needs no more than CsViewOnlyAdministrator."
        )


# -- for people -------------------------------------------------------------------------------------------------------


def _summary(found: Findings, result: Options, providers: Sequence[Options]) -> Iterator[str]:
    replicas = found.replication["replicas"]
    versions = sorted({str(each["product_version"]) for each in replicas if each["product_version"]})
    yield _line("server", found.connection["product_version"] or ", ".join(versions) or "version unknown")
    yield _line("account", found.connection["account"])
    allowed = "allowed" if found.access_edge["allow_federated_users"] else "not allowed"
    yield _line("federation", f"{allowed}, {found.access_edge['routing_method']}")
    described = [f"{each['identity']} ({'enabled' if each['enabled'] else 'disabled'})" for each in providers]
    yield _line("public provider", ", ".join(described) or "none")
    behind = found.replication["behind"]
    yield _line("replication", f"{len(replicas) - len(behind)} of {len(replicas)} servers are up to date")
    yield from (_line("behind", fqdn) for fqdn in behind)
    yield _line("policies", ", ".join(result["policies"]) or "none")
    yield _line("media settings", ", ".join(result["media"]) or "none")
    yield _line("differing", ", ".join(result["pending"]) or "nothing")
    yield from (
        _line("and" if number else "go before it", text) for number, text in enumerate(result["shadowing"])
    )


def _line(label: str, text: str) -> str:
    return f"{label:<16} {text}"


def outcome(before: Options | None, after: Options | None, steps: Sequence[Options]) -> dict[str, Any]:
    """The one fact that the role returns: ``status``, ``changed``, ``unknown`` and ``reasons``.

    ``before`` and ``after`` are what `assess` said before the change and once everything was read again, None where it
    did not come to that; ``steps`` are the results of the tasks that ran. ``unknown`` names what is not known,
    ``reasons`` say why the state is not the one that was asked for.
    """
    taken = [each for step in steps for each in step.get("results", [step])]
    failed = [each for each in taken if each.get("failed") or each.get("unreachable")]
    changed = any(each.get("changed") for each in taken)
    pending = list((after or before or {}).get("pending", ()))
    obstacles = [] if after else list((before or {}).get("obstacles", ()))
    reasons = [str(each.get("msg")) for each in failed] + obstacles
    if before is None or any(each.get("status") == Status.UNKNOWN.value for each in failed):
        reasons = reasons or ["The role did not come to its end."]
        return {
            "status": Status.UNKNOWN.value,
            "changed": changed,
            "unknown": pending or ["everything"],
            "reasons": reasons,
        }
    if after is None:
        status = Status.DRIFTED if pending or obstacles else Status.IN_DESIRED_STATE
        return {"status": status.value, "changed": changed, "unknown": [], "reasons": reasons or pending}
    status = Status.DRIFTED if pending else Status.CORRECTED if changed else Status.IN_DESIRED_STATE
    return {"status": status.value, "changed": changed, "unknown": [], "reasons": reasons or pending}
