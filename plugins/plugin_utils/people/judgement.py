# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is governed by what, and who would be: pure functions over what was read."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.ordinal import same_name
from ..settings.identity import GLOBAL, Identity, Scope, stored
from .kinds import SCOPES

ReportedUser = Mapping[str, Any]
"""A user as the module effective_policy_info returns one."""


@dataclass(frozen=True)
class InForce:
    """``identity`` is None where it cannot be known; ``why`` is a sentence."""

    identity: Identity | None
    why: str


def policy_of_user(
    granted: Identity | None, site: Identity | None, existing: Collection[Identity]
) -> InForce:
    """The policy that was granted, else that of the site of the user's pool, else the Global one."""
    if granted is not None:
        if granted in existing:
            return InForce(granted, "It has been granted to the user.")
        return InForce(None, f"{granted} has been granted to the user, and the server does not list it.")
    below = policy_of_site(site, existing)
    return InForce(below.identity, f"None has been granted to the user. {below.why}")


def policy_of_site(site: Identity | None, existing: Collection[Identity]) -> InForce:
    """``site`` is None for a user who is homed on no pool."""
    if site is None:
        return InForce(GLOBAL, "The user is homed on no pool that is known, and so belongs to no site.")
    if site in existing:
        return InForce(site, f"The site {site.name} has one of its own.")
    return InForce(GLOBAL, f"The site {site.name} has none of its own.")


def settings_of_service(service: Identity, site: Identity | None, existing: Collection[Identity]) -> InForce:
    if service in existing:
        return InForce(service, "The service has settings of its own.")
    below = policy_of_site(site, existing)
    return InForce(below.identity, f"The service has none of its own. {below.why}")


# -- for whoever plans a change ---------------------------------------------------------------------------------------

_WIDEST_FIRST = (Scope.GLOBAL, Scope.SITE, Scope.SERVICE, Scope.USER)


def grouped(users: Sequence[ReportedUser], option: str) -> dict[str | None, list[ReportedUser]]:
    """Users by the policy in force, widest first; under None those of whom it is not known.

    ``option`` is the key of that kind of policy, such as ``external_access_policy``.
    """
    groups: dict[Identity | None, list[ReportedUser]] = {}
    for user in users:
        text = user[option]["identity"]
        groups.setdefault(None if text is None else stored(text, SCOPES), []).append(user)
    known = sorted(
        (identity for identity in groups if identity is not None),
        key=lambda identity: (_WIDEST_FIRST.index(identity.scope), identity.name.casefold()),
    )
    named: dict[str | None, list[ReportedUser]] = {str(identity): groups[identity] for identity in known}
    return {**named, None: groups[None]} if None in groups else named


def copy_name(of: str, label: str, taken: Iterable[str]) -> str:
    """A name for a copy of the policy ``of`` that is made for ``label``, and that no policy of those ``taken`` has.

    All policies are written as the server prints them. The same arguments give the same name.
    """
    original = stored(of, SCOPES)
    name = label if original == GLOBAL else f"{original.name} {label}"
    used = [stored(text, SCOPES) for text in taken]
    proposed, number = name, 1
    while Identity(Scope.USER, proposed) in used:
        number += 1
        proposed = f"{name} {number}"
    return proposed


def affected_by(media: str, users: Sequence[ReportedUser], existing: Iterable[str]) -> list[ReportedUser]:
    """The users whose media settings change with those of the scope ``media``, whether these exist or are made.

    Those of a service govern whoever is homed on its pool. ``existing`` are the collections that there are.
    """
    identity = stored(media, SCOPES)
    own = {stored(text, SCOPES) for text in existing}
    if identity.scope is Scope.SITE:
        return [user for user in users if user["site"] is not None and same_name(user["site"], identity.name)]
    if identity.scope is Scope.SERVICE:
        pool = identity.name.partition(":")[2]
        return [user for user in users if user["pool"] is not None and same_name(user["pool"], pool)]
    return [user for user in users if user["site"] is None or Identity(Scope.SITE, user["site"]) not in own]


def holders_of(users: Sequence[ReportedUser], option: str) -> dict[str, list[str]]:
    """The users who have been granted a policy of that kind, by policy."""
    return {
        identity: [user["sip_address"] or user["identity"] for user in group]
        for identity, group in grouped(users, option).items()
        if identity is not None and stored(identity, SCOPES).scope is Scope.USER
    }
