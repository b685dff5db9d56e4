# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""People: Get-CsUser, the effective policies, granting.

Sources: MicrosoftDocs/office-docs-powershell (Get-CsUser, Get-CsEffectivePolicy,
Grant-CsExternalAccessPolicy); texts of unknown users and policies: see ``assumed_texts.yml``.  Names of
properties beyond those in the examples are assumed.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.topology import User
from lab.objects.values import NetObject, get_property, text_of
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

#: Policies a user object shows that the lab does not model: nothing is assigned.
_OTHER_POLICIES = (
    "VoicePolicy",
    "ConferencingPolicy",
    "PresencePolicy",
    "DialPlan",
    "LocationPolicy",
    "ClientPolicy",
    "ClientVersionPolicy",
    "ArchivingPolicy",
    "PinPolicy",
)


def user_object(invocation: Invocation, user: User) -> NetObject:
    deployment = invocation.session.deployment
    return NetObject(
        ("Microsoft.Rtc.Management.ADConnect.Schema.OCSADUser", "System.Object"),
        {
            "Identity": user.distinguished_name,
            **dict.fromkeys(_OTHER_POLICIES),
            "ExternalAccessPolicy": deployment.external_access_policy(user.sam_account_name),
            "HostedVoiceMail": None,
            "HostedVoicemailPolicy": None,
            "HostingProvider": "SRV:",
            "RegistrarPool": user.pool,
            "Enabled": True,
            "SipAddress": user.sip_address,
            "LineURI": "",
            "EnterpriseVoiceEnabled": user.enterprise_voice,
            "DisplayName": user.display_name,
            "UserPrincipalName": user.principal,
            "SamAccountName": user.sam_account_name,
        },
        text=user.distinguished_name,
    )


def _names(user: User, netbios: str) -> set[str]:
    return {
        name.lower()
        for name in (
            user.sip_address,
            user.sip_address.removeprefix("sip:"),
            user.principal,
            user.sam_account_name,
            f"{netbios}\\{user.sam_account_name}",
            user.display_name,
            user.distinguished_name,
        )
    }


def found_users(invocation: Invocation, identity: str) -> list[User]:
    """By SIP address, principal, logon, display name (with ``*``) or DN; raises PowerShellError."""
    invocation.session.require_store()
    topology = invocation.session.deployment.topology
    if has_wildcard(identity):
        found = [user for user in topology.users if matches(user.display_name, identity)]
    else:
        found = [user for user in topology.users if identity.lower() in _names(user, topology.netbios)]
    if not found and not has_wildcard(identity):
        raise failed(invocation, "user_unknown", identity=identity)
    return found


_COMPARISON = re.compile(
    r"""\s*(?P<name>\w+)\s+-(?P<operator>eq|ne|like)\s+(?P<value>\$null|\$true|\$false|"[^"]*"|'[^']*'|\S+)\s*""",
    re.IGNORECASE,
)


def _passes(user: NetObject, filter_text: str) -> bool:
    """``-Filter {Property -eq "value" -and ...}``; only comparisons joined by -and are modelled."""
    for part in re.split(r"\s-and\s", filter_text, flags=re.IGNORECASE):
        match = _COMPARISON.fullmatch(part)
        if not match:
            return False
        value = match["value"].strip("\"'")
        held = get_property(user, match["name"])
        is_null = match["value"].lower() == "$null"
        if match["value"].lower() in ("$true", "$false"):
            value = value[1:]
        if match["operator"].lower() == "like":
            equal = matches(text_of(held), value)
        else:
            equal = held is None if is_null else text_of(held).lower() == value.lower()
        if equal == (match["operator"].lower() == "ne"):
            return False
    return True


@implements("Get-CsUser")
def get_user(invocation: Invocation) -> Iterator[NetObject]:
    invocation.session.require_store()
    identity = invocation.get("Identity")
    users = (
        found_users(invocation, identity)
        if identity is not None
        else list(invocation.session.deployment.topology.users)
    )
    objects = [user_object(invocation, user) for user in users]
    filter_text = invocation.get("Filter")
    if filter_text is not None:
        objects = [found for found in objects if _passes(found, filter_text)]
    limit = text_of(invocation.get("ResultSize"))
    yield from objects[: int(limit)] if limit.isdigit() and int(limit) else objects


@implements("Get-CsEffectivePolicy")
def get_effective_policy(invocation: Invocation) -> Iterator[NetObject]:
    """Per-user over site over global."""
    session = invocation.session
    topology = session.deployment.topology
    for user in found_users(invocation, invocation.get("Identity")):
        pool = topology.pool(user.pool)
        assert pool is not None
        policies = session.entries("CsExternalAccessPolicy")
        granted = session.deployment.external_access_policy(user.sam_account_name)
        effective = "Global"
        if granted is not None and f"tag:{granted.lower()}" in policies:
            effective = f"Tag:{granted}"
        elif f"site:{pool.site.lower()}" in policies:
            effective = policies[f"site:{pool.site.lower()}"][0]
        others = dict.fromkeys(
            (
                "ClientPolicy",
                "ClientVersionPolicy",
                "ConferencingPolicy",
                "LocationPolicy",
                "LocationProfile",
                "PresencePolicy",
                "VoicePolicy",
            ),
            "Global",
        )
        yield NetObject(
            ("Microsoft.Rtc.Management.AD.Cmdlets.EffectivePolicies", "System.Object"),
            {"Identity": user.sip_address, **others, "ExternalAccessPolicy": effective},
        )


@implements("Grant-CsExternalAccessPolicy")
def grant_external_access_policy(invocation: Invocation) -> Iterator[Any]:
    """A null policy takes the assignment away; only per-user policies can be granted."""
    session = invocation.session
    deployment = session.deployment
    users = found_users(invocation, invocation.get("Identity"))
    policy = invocation.get("PolicyName") or None
    name = None
    if policy is not None:
        bare = policy.removeprefix("Tag:").removeprefix("tag:")
        held = session.entries("CsExternalAccessPolicy").get(f"tag:{bare.lower()}")
        if held is None or not deployment.is_grantable(bare):
            raise failed(invocation, "not_a_user_policy", policy, policy=bare)
        name = held[0].removeprefix("Tag:")
    for user in users:
        if invocation.should_process(user.distinguished_name):
            deployment.grant_external_access_policy(user.sam_account_name, name)
            if invocation.get("PassThru"):
                yield user_object(invocation, user)
