# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Conferencing policies, so far as they decide about audio and video (Microsoft Learn, Set-CsConferencingPolicy)."""

from __future__ import annotations

from ..result.severity import Severity
from ..settings.comparison import Text, Truth
from ..settings.identity import Scope
from ..settings.resource import Property, Resource

CONFERENCING_POLICY = Resource(
    name="conferencing_policy",
    noun="CsConferencingPolicy",
    title="conferencing policy",
    plural="conferencing_policies",
    scopes=(Scope.GLOBAL, Scope.SITE, Scope.USER),
    severity=Severity.MEDIUM,
    reason="Which policy applies decides what users may do in conferences and in calls between two people.",
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
            "allow_ip_audio",
            "AllowIPAudio",
            Truth(),
            Severity.MEDIUM,
            "Decides whether conferences have audio over the network.",
        ),
        Property(
            "allow_ip_video",
            "AllowIPVideo",
            Truth(),
            Severity.MEDIUM,
            "Decides whether conferences have video over the network.",
        ),
        Property(
            "enable_p2p_video",
            "EnableP2PVideo",
            Truth(),
            Severity.MEDIUM,
            "Decides whether calls between two people have video.",
        ),
    ),
)
"""It is read only."""
