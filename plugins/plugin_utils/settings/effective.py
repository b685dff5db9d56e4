# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which collection of settings is in force for a user, a site or a service.

A per-user policy goes before the site's, and that before the Global one (Microsoft Learn,
Grant-CsExternalAccessPolicy). Settings of a service go before those of its site, and these before the Global
ones; the documentation says so for site and Global, the service's place is Lync's usual order (assumed: no
public source found).
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..powershell.commands import Command
from ..powershell.ordinal import ordinal_key
from ..powershell.results import RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable, UnusableArgument, text_of
from .identity import GLOBAL, Identity, Scope, stored, wanted
from .resource import Collection, Resource
from .resources.external_access_policy import EXTERNAL_ACCESS_POLICY, SCOPES, granted
from .resources.topology import SERVICES, SITES, service_identity, site_identity, unknown

_POOLS = Command("Get-CsPool")
_USER = "Get-CsUser"
_EFFECTIVE_POLICY = "Get-CsEffectivePolicy"
CMDLETS = (SITES.name, SERVICES.name, _POOLS.name, _USER, _EFFECTIVE_POLICY)

# -- deciding ------------------------------------------------------------------------------------------------


def in_force(listed: Sequence[Collection], *candidates: Identity | None) -> Collection:
    """The first of the candidates, narrowest first, that has a collection of its own, or else the Global one.

    Raises Unreadable if there is no Global collection, which always exists.
    """
    by_identity = {collection.identity: collection for collection in listed}
    for candidate in (*candidates, GLOBAL):
        if candidate is not None and candidate in by_identity:
            return by_identity[candidate]
    raise Unreadable("The server listed no Global collection, although there always is one.")


def described(resource: Resource, collection: Collection) -> dict[str, Any]:
    """What the info modules say of a collection that is in force."""
    return {
        "identity": str(collection.identity),
        "scope": collection.identity.scope.value,
        "settings": resource.as_options(collection),
    }


def of_user(
    listed: Sequence[Collection], user: RemoteObject, sites: dict[str, Identity]
) -> tuple[Identity | None, Collection]:
    """The user's site and external access policy; ``sites`` holds the site of each pool, by its FQDN in lower
    case.

    Raises Unreadable if the user has been granted a policy that is not listed.
    """
    policy = granted(user)
    pool = user.get("RegistrarPool")
    site = None if pool is None else sites.get(ordinal_key(text_of(pool)))
    collection = in_force(listed, policy, site)
    if policy is not None and collection.identity != policy:
        raise Unreadable(
            f"{text_of(user['Identity'])} has been granted {policy}, which Get-CsExternalAccessPolicy does "
            "not list."
        )
    return site, collection


# -- reading -------------------------------------------------------------------------------------------------


def sites(
    shell: ManagementShell, resource: Resource, listed: Sequence[Collection], names: Sequence[str]
) -> list[dict[str, Any]]:
    """What is in force at each of these sites, which may be written with or without ``site:``."""
    if not names:
        return []
    asked = [wanted(name if ":" in name else f"site:{name}", (Scope.SITE,), option="sites") for name in names]
    known = [site_identity(site) for site in _read(shell, SITES)]
    _all_known("sites", "site", asked, known)
    return [{"site": site.name, **described(resource, in_force(listed, site))} for site in asked]


def services(
    shell: ManagementShell, resource: Resource, listed: Sequence[Collection], names: Sequence[str]
) -> list[dict[str, Any]]:
    """What is in force for each of these services, ``<role>:<pool FQDN>`` with or without ``service:``."""
    if not names:
        return []
    asked = [wanted(name, (Scope.SERVICE,), resource.roles, option="services") for name in names]
    found = {service_identity(service): service for service in _read(shell, SERVICES)}
    _all_known(
        "services",
        "service",
        asked,
        [each for each in found if each.name.partition(":")[0] in resource.roles],
    )
    answers = []
    for service in asked:
        site = stored(text_of(found[service]["SiteId"]), (Scope.SITE,))
        answers.append(
            {
                "service": service.name,
                "site": site.name,
                **described(resource, in_force(listed, service, site)),
            }
        )
    return answers


def users(shell: ManagementShell, listed: Sequence[Collection], names: Sequence[str]) -> list[dict[str, Any]]:
    """Which external access policy is in force for each user that these names stand for.

    A name is any identity that Get-CsUser takes; a display name or one with wildcards may stand for several users, and
    each of them is answered for. Raises UnusableArgument for a name that stands for nobody.
    """
    if not names:
        return []
    found = [(name, user) for name in names for user in _named(shell, name)]
    pools = {
        ordinal_key(text_of(p["Identity"])): stored(text_of(p["Site"]), (Scope.SITE,))
        for p in _read(shell, _POOLS)
    }
    servers_view = _confirmed(shell, [text_of(user["Identity"]) for _name, user in found])
    answers = []
    for (name, user), view in zip(found, servers_view, strict=True):
        site, collection = of_user(listed, user, pools)
        answers.append(
            {
                "user": name,
                "sip_address": text_of(user.get("SipAddress") or user["Identity"]),
                "site": site.name if site else None,
                **described(EXTERNAL_ACCESS_POLICY, collection),
                "confirmed": None if view is None else view == collection.identity,
            }
        )
    return answers


def _named(shell: ManagementShell, name: str) -> list[RemoteObject]:
    """The users that a name stands for. Each name is asked by itself: an answer does not say to which it belongs."""
    found = _read(shell, Command(_USER, {"Identity": name}))
    if not found:
        raise UnusableArgument("users", f"'{name}' stands for no user")
    return found


def _confirmed(shell: ManagementShell, identities: Sequence[str]) -> list[Identity | None]:
    """The policies that Get-CsEffectivePolicy (2013 and later) tells for these users; None where it tells
    nothing.

    That its property is named ExternalAccessPolicy follows from those the documentation shows (assumed: no
    public source found), and so it is used to confirm only.
    """
    described_already = shell.describing(_EFFECTIVE_POLICY)
    if described_already:
        shell.run(*described_already)
    if shell.parameters_of(_EFFECTIVE_POLICY) is None:
        return [None] * len(identities)
    return [
        _confirmed_for(shell, Command(_EFFECTIVE_POLICY, {"Identity": identity})) for identity in identities
    ]


def _confirmed_for(shell: ManagementShell, command: Command) -> Identity | None:
    results = shell.run(command)
    texts = [view.get("ExternalAccessPolicy") for view in results.objects()]
    if results.errors or len(texts) != 1 or texts[0] is None:
        return None
    return stored(text_of(texts[0]), SCOPES)


def _read(shell: ManagementShell, command: Command) -> list[RemoteObject]:
    results = shell.run(command)
    if results.errors:
        raise shell.classify(results.errors[0])
    return results.objects()


def _all_known(option: str, word: str, asked: Sequence[Identity], known: Sequence[Identity]) -> None:
    for identity in asked:
        problem = unknown(word, identity, known)
        if problem:
            raise UnusableArgument(option, problem)
