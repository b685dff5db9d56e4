# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""External access policies (Microsoft Learn, Set-CsExternalAccessPolicy and Grant-CsExternalAccessPolicy)."""

from __future__ import annotations

from ...powershell.results import RemoteObject
from ...result.severity import Severity
from .. import in_use
from ..comparison import Text, Truth
from ..identity import Identity, Scope
from ..resource import Property, Resource
from .topology import SITE_EXISTS

SCOPES = (Scope.GLOBAL, Scope.SITE, Scope.USER)


def granted(user: RemoteObject) -> Identity | None:
    """The per-user policy that Get-CsUser shows for a user; None where a site's or the Global one applies."""
    return in_use.granted(user, "ExternalAccessPolicy")


EXTERNAL_ACCESS_POLICY = Resource(
    name="external_access_policy",
    noun="CsExternalAccessPolicy",
    title="external access policy",
    plural="external_access_policies",
    scopes=SCOPES,
    severity=Severity.HIGH,
    reason="Which policy applies decides who may be reached from, and may reach, the outside.",
    requirements=(SITE_EXISTS, in_use.not_in_use("CsExternalAccessPolicy")),
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
