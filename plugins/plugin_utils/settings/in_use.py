# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Per-user policies that somebody has been granted are not removed."""

from __future__ import annotations

from collections.abc import Sequence

from ..powershell.commands import Command
from ..powershell.results import RemoteObject
from ..result.refusals import text_of
from .identity import Identity, Scope, stored
from .resource import Kind, ProposedChange, Requirement

_NAMED_USERS = 5
_PER_USER = (Scope.GLOBAL, Scope.SITE, Scope.USER)


def granted(user: RemoteObject, policy: str) -> Identity | None:
    """The per-user policy that Get-CsUser shows for a user; None where a site's or the Global one applies."""
    value = user.get(policy)
    name = "" if value is None else text_of(value)
    return stored(name, _PER_USER) if name else None


def not_in_use(noun: str) -> Requirement:
    """That nobody has been granted the policy that is to be removed.

    The cmdlet would ask whether to remove a policy that is in use (nexthop, February 2011), which nobody could answer
    here. Get-CsUser shows a policy under the noun's name.
    """
    policy = noun.removeprefix("Cs")

    def needed(proposed: ProposedChange) -> bool:
        return proposed.kind is Kind.REMOVE and proposed.identity.scope is Scope.USER and not proposed.force

    def objection(proposed: ProposedChange, users: Sequence[RemoteObject] | None) -> str | None:
        if users is None:
            return (
                "This session does not offer Get-CsUser, so that nobody knows whether the policy "
                f"'{proposed.identity}' is still granted to users. With force: true it is removed all the same"
            )
        holders = [user for user in users if granted(user, policy) == proposed.identity]
        if not holders:
            return None
        names = [text_of(user.get("SipAddress") or user["Identity"]) for user in holders[:_NAMED_USERS]]
        more = f" and {len(holders) - _NAMED_USERS} more" if len(holders) > _NAMED_USERS else ""
        return (
            f"The policy '{proposed.identity}' is granted to {', '.join(names)}{more} ({len(holders)} in all). Grant "
            "these users another policy first, or give force: true"
        )

    return Requirement(
        needed=needed,
        read=Command("Get-CsUser", {"Filter": f"{policy} -ne $Null"}),
        objection=objection,
    )
