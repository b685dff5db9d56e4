# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The kinds of policies that can be granted to a user, as Microsoft Learn has their Grant- cmdlets."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from ..powershell.results import RemoteObject
from ..result.refusals import Unreadable, text_of
from ..settings.identity import Scope, stored

SCOPES = (Scope.GLOBAL, Scope.SITE, Scope.SERVICE, Scope.USER)


@dataclass(frozen=True)
class Kind:
    """``option`` is what the modules call it, ``noun`` what the cmdlets do."""

    option: str
    noun: str

    @property
    def title(self) -> str:
        """What people call one of them."""
        return self.option.replace("_", " ")

    @property
    def grant(self) -> str:
        return f"Grant-{self.noun}"

    @property
    def get(self) -> str:
        return f"Get-{self.noun}"

    @property
    def attribute(self) -> str:
        """The property of Get-CsUser."""
        return self.noun.removeprefix("Cs")

    def held_by(self, user: RemoteObject) -> str | None:
        """The name of the policy that has been granted to a user; None where there is none.

        That Get-CsUser names the property like the policy is documented for most kinds, and assumed for the others (no
        public source found): without the property nothing is known. Raises Unreadable.
        """
        if self.attribute not in user:
            raise Unreadable(f"Get-CsUser does not show here which {self.title} a user has been granted.")
        value = user[self.attribute]
        text = "" if value is None else text_of(value)
        return stored(text, SCOPES).name if text else None

    def in_force_for(self, effective: RemoteObject) -> str | None:
        """The identity that Get-CsEffectivePolicy tells; None where it tells nothing.

        It calls a dial plan a location profile. The other properties that its documentation shows are named like the
        policy; that those it does not show are as well is assumed (no public source found).
        """
        value = effective.get("LocationProfile" if self.noun == "CsDialPlan" else self.attribute)
        return (text_of(value) or None) if value is not None else None


KINDS: Mapping[str, Kind] = {
    kind.option: kind
    for kind in (
        Kind("archiving_policy", "CsArchivingPolicy"),
        Kind("call_via_work_policy", "CsCallViaWorkPolicy"),
        Kind("client_policy", "CsClientPolicy"),
        Kind("client_version_policy", "CsClientVersionPolicy"),
        Kind("conferencing_policy", "CsConferencingPolicy"),
        Kind("dial_plan", "CsDialPlan"),
        Kind("external_access_policy", "CsExternalAccessPolicy"),
        Kind("hosted_voicemail_policy", "CsHostedVoicemailPolicy"),
        Kind("ip_phone_policy", "CsIPPhonePolicy"),
        Kind("location_policy", "CsLocationPolicy"),
        Kind("mobility_policy", "CsMobilityPolicy"),
        Kind("persistent_chat_policy", "CsPersistentChatPolicy"),
        Kind("pin_policy", "CsPinPolicy"),
        Kind("presence_policy", "CsPresencePolicy"),
        Kind("third_party_video_system_policy", "CsThirdPartyVideoSystemPolicy"),
        Kind("user_services_policy", "CsUserServicesPolicy"),
        Kind("voice_policy", "CsVoicePolicy"),
        Kind("voice_routing_policy", "CsVoiceRoutingPolicy"),
    )
}
"""By what the modules call them. Which of them a server has, only the server tells."""

EXTERNAL_ACCESS = KINDS["external_access_policy"]
CONFERENCING = KINDS["conferencing_policy"]
