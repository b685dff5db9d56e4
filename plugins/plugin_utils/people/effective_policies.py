# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which policies are in force for users, sites and services: read, computed, and asked of the server where it tells."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import CommandError
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import UnusableArgument, text_of
from ..settings.identity import Identity, Scope, stored, wanted
from ..settings.reading import collections, find
from ..settings.resource import Collection, Resource
from ..settings.resources.external_access_policy import EXTERNAL_ACCESS_POLICY
from ..settings.resources.media_configuration import MEDIA_CONFIGURATION
from ..settings.resources.topology import SERVICES, SITES, service_identity, site_identity, unknown
from . import users
from .conferencing_policy import CONFERENCING_POLICY
from .judgement import InForce, policy_of_site, policy_of_user, settings_of_service
from .kinds import CONFERENCING, EXTERNAL_ACCESS, SCOPES, Kind
from .users import Choice, Found, User

_POOLS = Command("Get-CsPool")
_EFFECTIVE_POLICY = "Get-CsEffectivePolicy"
CMDLETS = (
    users.GET,
    _EFFECTIVE_POLICY,
    _POOLS.name,
    SITES.name,
    SERVICES.name,
    CONFERENCING_POLICY.cmdlet("Get"),
)

_POLICIES: Mapping[Kind, Resource] = {
    EXTERNAL_ACCESS: EXTERNAL_ACCESS_POLICY,
    CONFERENCING: CONFERENCING_POLICY,
}


@dataclass(frozen=True)
class Question:
    """The module's options."""

    chosen: Choice
    sites: Sequence[str]
    services: Sequence[str]
    holders: bool
    ask_server: bool


def query(shell: ManagementShell, question: Question) -> dict[str, Any]:
    """The module's own keys. Raises UnusableArgument for what does not exist, and what reading raises.

    Not every account may read conferencing policies, and none needs to for federation: where the server refuses them,
    they are unknown, and all else is told.
    """
    listed = {
        resource.name: collections(shell, resource)
        for resource in (EXTERNAL_ACCESS_POLICY, MEDIA_CONFIGURATION)
    }
    unread: dict[str, str] = {}
    try:
        listed[CONFERENCING_POLICY.name] = collections(shell, CONFERENCING_POLICY)
    except CommandError as error:
        unread[CONFERENCING_POLICY.name] = str(error)
    answering = _Answering(listed, unread)
    found = users.find(shell, question.chosen)
    views = _views(shell, [each.user for each in found]) if question.ask_server and found else None
    result = {
        "users": _users(shell, answering, found, views) if found else [],
        "sites": [answering.site(site) for site in _sites(shell, question.sites)],
        "services": [answering.service(*each) for each in _services(shell, question.services)],
        "asked": views is not None,
    }
    if question.holders:
        result["holders"] = {
            kind.option: _holders(kind, listed[resource.name], users.holders(shell, kind))
            if resource.name in listed
            else None
            for kind, resource in _POLICIES.items()
        }
    return result


# -- answers ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Answering:
    """Puts answers together. ``listed`` are the collections of each resource, by its name; ``unread``, likewise, why
    there are none.
    """

    listed: Mapping[str, Sequence[Collection]]
    unread: Mapping[str, str]

    def policy_of_user(self, resource: Resource, granted: Identity | None, site: Identity | None) -> InForce:
        if resource.name in self.unread:
            return InForce(None, self.unread[resource.name])
        return policy_of_user(granted, site, self._existing(resource))

    def policy_of_site(self, resource: Resource, site: Identity | None) -> InForce:
        if resource.name in self.unread:
            return InForce(None, self.unread[resource.name])
        return policy_of_site(site, self._existing(resource))

    def _existing(self, resource: Resource) -> set[Identity]:
        return {each.identity for each in self.listed[resource.name]}

    def user(self, each: Found, site: Identity | None, view: RemoteObject | None) -> dict[str, Any]:
        user = each.user
        answer: dict[str, Any] = {
            "user": each.asked,
            "sip_address": user.sip_address,
            "display_name": user.display_name,
            "identity": user.distinguished_name,
            "pool": user.pool,
            "site": site.name if site else None,
            "audio_video_disabled": _truth(user.remote.get("AudioVideoDisabled")),
        }
        for kind, resource in _POLICIES.items():
            held = kind.held_by(user.remote)
            granted = Identity(Scope.USER, held) if held else None
            computed = self.policy_of_user(resource, granted, site)
            stated = kind.in_force_for(view) if view is not None else None
            answer[resource.name] = self.described(resource, computed, stated)
        media = self.policy_of_site(MEDIA_CONFIGURATION, site)
        answer[MEDIA_CONFIGURATION.name] = self.described(
            MEDIA_CONFIGURATION, InForce(media.identity, f"They have no user scope. {media.why}")
        )
        return answer

    def site(self, site: Identity) -> dict[str, Any]:
        resources = (*_POLICIES.values(), MEDIA_CONFIGURATION)
        answers = {
            resource.name: self.described(resource, self.policy_of_site(resource, site))
            for resource in resources
        }
        return {"site": site.name, **answers}

    def service(self, service: Identity, site: Identity) -> dict[str, Any]:
        media = settings_of_service(service, site, self._existing(MEDIA_CONFIGURATION))
        return {
            "service": service.name,
            "site": site.name,
            MEDIA_CONFIGURATION.name: self.described(MEDIA_CONFIGURATION, media),
        }

    def described(self, resource: Resource, computed: InForce, stated: str | None = None) -> dict[str, Any]:
        """``stated`` is what the server says itself, which counts where it differs."""
        identity = computed.identity if stated is None else stored(stated, SCOPES)
        why = computed.why
        if identity != computed.identity:
            why = f"The server says so. Computed, it would be {computed.identity or 'unknown'}: {why}"
        collection = None if identity is None else find(self.listed.get(resource.name, ()), identity)
        return {
            "identity": None if identity is None else str(collection.identity if collection else identity),
            "scope": None if identity is None else identity.scope.value,
            "source": "computed" if stated is None else "server",
            "computed": None if computed.identity is None else str(computed.identity),
            "why": why,
            "settings": resource.as_options(collection) if collection else None,
        }


def _truth(raw: Any) -> bool | None:
    return raw if isinstance(raw, bool) else None


def _holders(kind: Kind, listed: Sequence[Collection], found: Sequence[User]) -> list[dict[str, Any]]:
    """Every per-user policy, with whoever holds it; those that are held and not listed come last."""
    by_policy: dict[Identity, list[str]] = {
        each.identity: [] for each in listed if each.identity.scope is Scope.USER
    }
    for user in found:
        by_policy.setdefault(Identity(Scope.USER, kind.held_by(user.remote) or ""), []).append(user.name)
    return [
        {"identity": str(identity), "number": len(names), "users": names}
        for identity, names in by_policy.items()
    ]


# -- reading ----------------------------------------------------------------------------------------------------------


def _users(
    shell: ManagementShell, answering: _Answering, found: Sequence[Found], views: _Views | None
) -> list[dict[str, Any]]:
    pools = {
        ordinal_key(text_of(pool["Identity"])): stored(text_of(pool["Site"]), (Scope.SITE,))
        for pool in _read(shell, _POOLS)
    }
    return [
        answering.user(
            each,
            pools.get(ordinal_key(each.user.pool)) if each.user.pool else None,
            (views or {}).get(each.user.key),
        )
        for each in found
    ]


_Views = Mapping[str, RemoteObject]


def _views(shell: ManagementShell, people: Sequence[User]) -> _Views | None:
    """What Get-CsEffectivePolicy (2013 and later) tells of these users, by their keys; None where it is not offered.

    Whoever it tells nothing of is missing.
    """
    described = shell.describing(_EFFECTIVE_POLICY)
    if described:
        shell.run(*described)
    if shell.parameters_of(_EFFECTIVE_POLICY) is None:
        return None
    views: dict[str, RemoteObject] = {}
    for some in users.batches(people, users.NAMES_AT_ONCE):
        together = _views_together(shell, some)
        if together is None:
            for user in some:
                alone = _views_together(shell, [user])
                views.update(alone or {})
        else:
            views.update(together)
    return views


def _views_together(shell: ManagementShell, people: Sequence[User]) -> dict[str, RemoteObject] | None:
    """None where it is not certain whom each answer is of: they come in order, and each bears an identity."""
    results = shell.run(*(Command(_EFFECTIVE_POLICY, {"Identity": user.name}) for user in people))
    views = results.objects()
    if results.errors or len(views) != len(people):
        return None
    if len(people) > 1 and not all(map(_is_of, views, people)):
        return None
    return {user.key: view for user, view in zip(people, views, strict=True)}


def _is_of(view: RemoteObject, user: User) -> bool:
    """That Get-CsEffectivePolicy shows an Identity is documented; in which form is not."""
    shown = view.get("Identity")
    if shown is None:
        return False
    names = (user.distinguished_name, user.sip_address, user.display_name)
    return any(name is not None and same_name(text_of(shown), name) for name in names)


def _sites(shell: ManagementShell, names: Sequence[str]) -> list[Identity]:
    if not names:
        return []
    asked = [wanted(name if ":" in name else f"site:{name}", (Scope.SITE,), option="sites") for name in names]
    known = [site_identity(site) for site in _read(shell, SITES)]
    return [_known("sites", "site", each, known) for each in asked]


def _services(shell: ManagementShell, names: Sequence[str]) -> list[tuple[Identity, Identity]]:
    """Each with its site."""
    if not names:
        return []
    roles = MEDIA_CONFIGURATION.roles
    asked = [wanted(name, (Scope.SERVICE,), roles, option="services") for name in names]
    found = {service_identity(service): service for service in _read(shell, SERVICES)}
    known = [each for each in found if each.name.partition(":")[0] in roles]
    services = [_known("services", "service", each, known) for each in asked]
    return [(each, stored(text_of(found[each]["SiteId"]), (Scope.SITE,))) for each in services]


def _known(option: str, word: str, asked: Identity, known: Sequence[Identity]) -> Identity:
    """In the topology's spelling."""
    problem = unknown(word, asked, known)
    if problem:
        raise UnusableArgument(option, problem)
    return next(each for each in known if each == asked)


def _read(shell: ManagementShell, command: Command) -> list[RemoteObject]:
    results = shell.run(command)
    if results.errors:
        raise shell.classify(results.errors[0])
    return results.objects()
