# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The way back: from what the role has changed to what it has to write, to withdraw and to remove.

What somebody has changed since is not the role's any more; it is left, and named.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..powershell.ordinal import ordinal_key
from ..result.display import shown
from ..settings.identity import Identity, Scope, stored
from ..settings.resource import Resource
from ..settings.resources.external_access_policy import EXTERNAL_ACCESS_POLICY
from ..settings.resources.registry import RESOURCES
from .history import GRANTS
from .screen import counted
from .shadowing import SCOPES, Options


@dataclass
class TakingBack:
    """``values`` are the options to write to each object, by module; ``removals`` the objects to remove, ``grants`` the
    users by the policy that they are to hold again. ``left`` are sentences on what stays as it is.
    """

    values: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    removals: dict[str, list[str]] = field(default_factory=dict)
    grants: list[dict[str, Any]] = field(default_factory=list)
    left: list[str] = field(default_factory=list)


def taking_back(
    changes: Sequence[Options],
    present: Mapping[str, Sequence[Options]],
    holders: Mapping[str, Sequence[str]],
) -> TakingBack:
    """``changes`` are those that federation_info returns; ``present`` are the objects of each module, as its info
    module lists them; ``holders`` the users of each per-user policy, by its identity.
    """
    result = TakingBack()
    policies = {stored(each["identity"], SCOPES) for each in present.get(EXTERNAL_ACCESS_POLICY.name, ())}
    withdrawn = _grants(changes, holders, policies, result)
    for change in changes:
        if change["resource"] in RESOURCES and change["written"]:
            resource = RESOURCES[change["resource"]]
            identity = stored(change["identity"], resource.scopes)
            found = _find(resource, present.get(resource.name, ()), identity)
            if change["created"]:
                _remove(resource, change, found, holders, withdrawn, result)
            else:
                _restore(resource, change, found, result)
    return result


def _find(resource: Resource, listed: Sequence[Options], identity: Identity) -> Options | None:
    return next((each for each in listed if stored(each["identity"], resource.scopes) == identity), None)


def _restore(resource: Resource, change: Options, found: Options | None, result: TakingBack) -> None:
    name = f"{resource.title} {change['identity']}"
    if found is None:
        result.left.append(f"The {name} is gone.")
        return
    written, before = change["written"], change["before"]
    values = {}
    for option in written:
        if option not in before:
            continue
        p, now = resource.property_of(option), found.get(option)
        if p.same(now, before[option]):
            continue
        if p.same(now, written[option]):
            values[option] = before[option]
        else:
            result.left.append(
                f"{option} of the {name} has been changed to {shown(now)} since, and is left. It was "
                f"{shown(before[option])} before."
            )
    for option in before:
        # What exists only together with another option comes back with it.
        if option not in written and option not in found:
            companion = resource.property_of(option).only_with
            if companion and companion[0] in values:
                values[option] = before[option]
    if values:
        result.values.setdefault(resource.name, {})[found["identity"]] = values


def _remove(
    resource: Resource,
    change: Options,
    found: Options | None,
    holders: Mapping[str, Sequence[str]],
    withdrawn: frozenset[str],
    result: TakingBack,
) -> None:
    if found is None:
        return
    name = f"{resource.title} {found['identity']}"
    differing = [
        p.option
        for p in resource.properties
        if p.option in change["written"] and not p.same(found.get(p.option), change["written"][p.option])
    ]
    others = [user for user in holders.get(found["identity"], ()) if ordinal_key(user) not in withdrawn]
    if differing:
        result.left.append(f"The {name} is left: {', '.join(differing)} changed since it was created.")
    elif others:
        result.left.append(
            f"The {name} is left, as it is still held by {counted(others)}, such as {others[0]}."
        )
    else:
        result.removals.setdefault(resource.name, []).append(found["identity"])


def _grants(
    changes: Sequence[Options],
    holders: Mapping[str, Sequence[str]],
    policies: Collection[Identity],
    result: TakingBack,
) -> frozenset[str]:
    """Plan the grants; the users, folded, who will no longer hold what the role granted them."""
    held = {
        ordinal_key(user): stored(policy, (Scope.USER,))
        for policy, users in holders.items()
        for user in users
    }
    back: dict[str | None, dict[str, list[str]]] = {}
    withdrawn = set()
    for change in changes:
        if change["resource"] != GRANTS:
            continue
        for user, policy in change["written"].items():
            before, now = change["before"].get(user), held.get(ordinal_key(user))
            if _same(now, before):
                continue
            if _same(now, policy) and before is not None and stored(before, (Scope.USER,)) not in policies:
                result.left.append(
                    f"{user} held the policy {before} before, which is gone, and keeps {policy}."
                )
            elif _same(now, policy):
                back.setdefault(before, {}).setdefault(policy, []).append(user)
                withdrawn.add(ordinal_key(user))
            elif now is None:
                result.left.append(f"{user} has no policy of their own any more, which is left so.")
            else:
                result.left.append(f"{user} has been granted {now} since, and keeps it.")
    for before, groups in back.items():
        for policy, users in groups.items():
            withdraws = before is None
            result.grants.append(
                {
                    "policy": policy if withdraws else before,
                    "state": "absent" if withdraws else "present",
                    "users": sorted(users),
                    "made": False,
                }
            )
    return frozenset(withdrawn)


def _same(now: Identity | None, policy: str | None) -> bool:
    return now == (None if policy is None else stored(policy, (Scope.USER,)))
