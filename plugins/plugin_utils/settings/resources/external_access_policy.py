# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""External access policies (Microsoft Learn, Set-CsExternalAccessPolicy and Grant-CsExternalAccessPolicy)."""

from __future__ import annotations

from collections.abc import Sequence

from ...powershell.commands import Command
from ...powershell.results import RemoteObject
from ...result.refusals import text_of
from ...result.severity import Severity
from ..comparison import Text, Truth
from ..identity import Identity, Scope, stored
from ..resource import Kind, Property, ProposedChange, Requirement, Resource
from .topology import SITE_EXISTS

SCOPES = (Scope.GLOBAL, Scope.SITE, Scope.USER)
_NAMED_USERS = 5


def granted(user: RemoteObject) -> Identity | None:
    """The per-user policy that Get-CsUser shows for a user; None where a site's or the Global one applies."""
    value = user.get("ExternalAccessPolicy")
    name = "" if value is None else text_of(value)
    return stored(name, SCOPES) if name else None


def _takes_a_policy_from_users(proposed: ProposedChange) -> bool:
    return proposed.kind is Kind.REMOVE and proposed.identity.scope is Scope.USER and not proposed.force


def _in_use(proposed: ProposedChange, users: Sequence[RemoteObject] | None) -> str | None:
    hint = "Grant these users another policy first, or give force: true"
    if users is None:
        return (
            f"This session does not offer Get-CsUser, so that nobody knows whether the policy '{proposed.identity}' is "
            "still granted to users. With force: true it is removed all the same"
        )
    holders = [user for user in users if granted(user) == proposed.identity]
    if not holders:
        return None
    names = [text_of(user.get("SipAddress") or user["Identity"]) for user in holders[:_NAMED_USERS]]
    more = f" and {len(holders) - _NAMED_USERS} more" if len(holders) > _NAMED_USERS else ""
    return f"The policy '{proposed.identity}' is granted to {', '.join(names)}{more}. {hint}"


# The cmdlet would ask whether to remove a policy that is in use (nexthop, February 2011), which nobody could
# answer here.
_NOT_IN_USE = Requirement(
    needed=_takes_a_policy_from_users,
    read=Command("Get-CsUser", {"Filter": "ExternalAccessPolicy -ne $Null"}),
    objection=_in_use,
)

EXTERNAL_ACCESS_POLICY = Resource(
    name="external_access_policy",
    noun="CsExternalAccessPolicy",
    title="external access policy",
    plural="external_access_policies",
    scopes=SCOPES,
    severity=Severity.HIGH,
    reason="Which policy applies decides who may be reached from, and may reach, the outside.",
    requirements=(SITE_EXISTS, _NOT_IN_USE),
    properties=(
        Property(
            "description",
            "Description",
            Text(),
            Severity.LOW,
            "The description tells administrators what the policy is for.",
            null="",
        ),
        Property(
            "enable_federation_access",
            "EnableFederationAccess",
            Truth(),
            Severity.HIGH,
            "Decides whether users may communicate with people in federated organizations.",
        ),
        Property(
            "enable_xmpp_access",
            "EnableXmppAccess",
            Truth(),
            Severity.MEDIUM,
            "Decides whether users may communicate with people on XMPP servers.",
        ),
        Property(
            "enable_public_cloud_access",
            "EnablePublicCloudAccess",
            Truth(),
            Severity.HIGH,
            "Decides whether users may communicate with people on public providers such as Windows Live.",
        ),
        Property(
            "enable_public_cloud_audio_video_access",
            "EnablePublicCloudAudioVideoAccess",
            Truth(),
            Severity.HIGH,
            "Decides whether that includes audio and video; the Control Panel does not show it.",
        ),
        Property(
            "enable_outside_access",
            "EnableOutsideAccess",
            Truth(),
            Severity.HIGH,
            "Decides whether users may sign in over the Internet without a virtual private network.",
        ),
    ),
)
