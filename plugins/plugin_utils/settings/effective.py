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
from .resources.topology import service_identity, site_identity, unknown

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


def told(resource: Resource, collection: Collection) -> dict[str, Any]:
    """What the info modules tell about a collection that is in force."""
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
    known = [site_identity(site) for site in _read(shell, Command("Get-CsSite"))]
    _all_known("sites", "site", asked, known)
    return [{"site": site.name, **told(resource, in_force(listed, site))} for site in asked]


def services(
    shell: ManagementShell, resource: Resource, listed: Sequence[Collection], names: Sequence[str]
) -> list[dict[str, Any]]:
    """What is in force for each of these services, ``<role>:<pool FQDN>`` with or without ``service:``."""
    if not names:
        return []
    asked = [wanted(name, (Scope.SERVICE,), resource.roles, option="services") for name in names]
    found = {service_identity(service): service for service in _read(shell, Command("Get-CsService"))}
    _all_known(
        "services",
        "service",
        asked,
        [each for each in found if each.name.partition(":")[0] in resource.roles],
    )
    told_of = []
    for service in asked:
        site = stored(text_of(found[service]["SiteId"]), (Scope.SITE,))
        told_of.append(
            {"service": service.name, "site": site.name, **told(resource, in_force(listed, service, site))}
        )
    return told_of


def users(shell: ManagementShell, listed: Sequence[Collection], names: Sequence[str]) -> list[dict[str, Any]]:
    """Which external access policy is in force for each of these users, by any identity that Get-CsUser
    takes.
    """
    if not names:
        return []
    found = _one_each(shell, [Command("Get-CsUser", {"Identity": name}) for name in names])
    if len(found) != len(names):
        raise UnusableArgument(
            "users",
            f"{len(names)} names stand for {len(found)} users. Give each user by SIP address or user "
            "principal name",
        )
    pools = {
        ordinal_key(text_of(p["Identity"])): stored(text_of(p["Site"]), (Scope.SITE,))
        for p in _read(shell, Command("Get-CsPool"))
    }
    servers_view = _confirmed(shell, names)
    told_of = []
    for name, user, view in zip(names, found, servers_view, strict=True):
        site, collection = of_user(listed, user, pools)
        told_of.append(
            {
                "user": name,
                "site": site.name if site else None,
                **told(EXTERNAL_ACCESS_POLICY, collection),
                "confirmed": None if view is None else view == collection.identity,
            }
        )
    return told_of


def _confirmed(shell: ManagementShell, names: Sequence[str]) -> list[Identity | None]:
    """The policies that Get-CsEffectivePolicy (2013 and later) tells for these users; None where it tells
    nothing.

    That its property is named ExternalAccessPolicy follows from those the documentation shows (assumed: no
    public source found), and so it is used to confirm only.
    """
    cmdlet = "Get-CsEffectivePolicy"
    described = shell.describing(cmdlet)
    if described:
        shell.run(*described)
    if shell.offered(cmdlet) is None:
        return [None] * len(names)
    results = shell.run(*(Command(cmdlet, {"Identity": name}) for name in names))
    views = results.objects()
    if results.errors or len(views) != len(names):
        return [None] * len(names)
    texts = [view.get("ExternalAccessPolicy") for view in views]
    return [None if text is None else stored(text_of(text), SCOPES) for text in texts]


def _read(shell: ManagementShell, command: Command) -> list[RemoteObject]:
    return _one_each(shell, [command])


def _one_each(shell: ManagementShell, commands: Sequence[Command]) -> list[RemoteObject]:
    results = shell.run(*commands)
    if results.errors:
        raise shell.classify(results.errors[0])
    return results.objects()


def _all_known(option: str, word: str, asked: Sequence[Identity], known: Sequence[Identity]) -> None:
    for identity in asked:
        problem = unknown(word, identity, known)
        if problem:
            raise UnusableArgument(option, problem)
