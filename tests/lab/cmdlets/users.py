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
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.topology import User
from lab.objects.nouns import NOUNS, Noun
from lab.objects.values import NetObject, get_property, text_of
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

POLICIES = [noun for noun in NOUNS.values() if noun.is_policy]
#: Policies a user object shows that the lab does not model: nothing is assigned.
_OTHER_POLICIES = (
    "VoicePolicy",
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
            **{
                noun.name.removeprefix("Cs"): deployment.granted_policy(noun.name, user.sam_account_name)
                for noun in POLICIES
            },
            "HostedVoiceMail": None,
            "HostedVoicemailPolicy": None,
            "HostingProvider": "SRV:",
            "RegistrarPool": user.pool,
            "Enabled": True,
            "SipAddress": user.sip_address,
            "LineURI": "",
            "EnterpriseVoiceEnabled": user.enterprise_voice,
            "AudioVideoDisabled": user.audio_video_disabled,
            "DisplayName": user.display_name,
            "UserPrincipalName": user.principal,
            "SamAccountName": user.sam_account_name,
        },
        text=user.distinguished_name,
    )


def found_users(invocation: Invocation, identity: str) -> list[User]:
    """By SIP address, principal, logon, display name (with ``*``) or DN; raises PowerShellError."""
    invocation.session.require_store()
    topology = invocation.session.deployment.topology
    if has_wildcard(identity):
        return [user for user in topology.users if matches(user.display_name, identity)]
    found = topology.users_by_name.get(identity.lower())
    if not found:
        raise failed(invocation, "user_unknown", identity=identity)
    return list(found)


_COMPARISON = re.compile(
    r"""\s*(?P<name>\w+)\s+-(?P<operator>eq|ne|like)\s+(?P<value>\$null|\$true|\$false|"[^"]*"|'[^']*'|\S+)\s*""",
    re.IGNORECASE,
)
Test = Callable[[NetObject], bool]


def _filter(text: str) -> Test:
    """``Property -eq "value" -and ...``, from left to right; raises ValueError for what is not modelled."""
    first, *rest = re.split(r"\s-(and|or)\s", text, flags=re.IGNORECASE)
    test = _comparison(first)
    for joined, part in zip(rest[::2], rest[1::2], strict=True):
        test = _joined(all if joined.lower() == "and" else any, [test, _comparison(part)])
    return test


def _joined(how: Callable[[Iterable[bool]], bool], tests: list[Test]) -> Test:
    return lambda user: how(test(user) for test in tests)


def _comparison(text: str) -> Test:
    match = _COMPARISON.fullmatch(text)
    if not match:
        raise ValueError(text)
    name, operator, value = match["name"], match["operator"].lower(), match["value"].strip("\"'")
    is_null = match["value"].lower() == "$null"
    if match["value"].lower() in ("$true", "$false"):
        value = value[1:]

    def equal(user: NetObject) -> bool:
        held = get_property(user, name)
        if operator == "like":
            return matches(text_of(held), value)
        return (held is None if is_null else text_of(held).lower() == value.lower()) == (operator == "eq")

    return equal


def _ldap(text: str) -> Callable[[User], bool]:
    """An LDAP filter (RFC 4515) over texts, its outer brackets optional; raises ValueError."""
    text = text.strip()
    if text.startswith("(") and text.endswith(")") and _groups(text) == [text[1:-1]]:
        return _ldap(text[1:-1])
    if text[:1] in ("&", "|", "!"):
        parts = [_ldap(group) for group in _groups(text[1:])]
        if text[0] == "!":
            return lambda user: not parts[0](user)
        how = all if text[0] == "&" else any
        return lambda user: how(part(user) for part in parts)
    name, equals, pattern = text.partition("=")
    if not equals or "(" in text:
        raise ValueError(text)
    return lambda user: matches(user.attributes.get(name.strip().lower(), ""), pattern)


def _groups(text: str) -> list[str]:
    found, depth, start = [], 0, 0
    for place, character in enumerate(text):
        if character == "(":
            depth += 1
            start = place + 1 if depth == 1 else start
        elif character == ")":
            depth -= 1
            if depth == 0:
                found.append(text[start:place])
        elif depth == 0 and not character.isspace():
            raise ValueError(text)
    if depth or not found:
        raise ValueError(text)
    return found


def _chosen(invocation: Invocation) -> Iterable[User]:
    """Those in the OU that pass the LDAP filter; raises PowerShellError."""
    topology = invocation.session.deployment.topology
    identity, ou, ldap = (invocation.get(name) for name in ("Identity", "OU", "LdapFilter"))
    users: Iterable[User] = topology.users if identity is None else found_users(invocation, identity)
    if ou is not None:
        users = [user for user in users if user.distinguished_name.lower().endswith(f",{ou.lower()}")]
        if not users:
            raise failed(invocation, "ou_unknown", ou=ou)
    if ldap is not None:
        if invocation.get("Filter") is not None:
            raise failed(invocation, "filters_together")
        try:
            passes = _ldap(ldap)
        except ValueError:
            raise failed(invocation, "filter_malformed", filter=ldap) from None
        users = [user for user in users if passes(user)]
    return users


@implements("Get-CsUser")
def get_user(invocation: Invocation) -> Iterator[NetObject]:
    invocation.session.require_store()
    objects = [user_object(invocation, user) for user in _chosen(invocation)]
    filter_text = invocation.get("Filter")
    if filter_text is not None:
        try:
            passes = _filter(filter_text)
        except ValueError:
            raise failed(invocation, "filter_malformed", filter=filter_text) from None
        objects = [found for found in objects if passes(found)]
    limit = text_of(invocation.get("ResultSize"))
    yield from objects[: int(limit)] if limit.isdigit() and int(limit) else objects


_ALWAYS_GLOBAL = (
    "ClientPolicy",
    "ClientVersionPolicy",
    "LocationPolicy",
    "LocationProfile",
    "PresencePolicy",
    "VoicePolicy",
)


@implements("Get-CsEffectivePolicy")
def get_effective_policy(invocation: Invocation) -> Iterator[NetObject]:
    """Per-user over site over global."""
    for user in found_users(invocation, invocation.get("Identity")):
        yield NetObject(
            ("Microsoft.Rtc.Management.AD.Cmdlets.EffectivePolicies", "System.Object"),
            {
                "Identity": user.sip_address,
                **dict.fromkeys(_ALWAYS_GLOBAL, "Global"),
                **{noun.name.removeprefix("Cs"): _in_force(invocation, noun, user) for noun in POLICIES},
            },
        )


def _in_force(invocation: Invocation, noun: Noun, user: User) -> str:
    session = invocation.session
    pool = session.deployment.topology.pool(user.pool)
    assert pool is not None
    policies = session.entries(noun.name)
    granted = session.deployment.granted_policy(noun.name, user.sam_account_name)
    for identity in (f"tag:{(granted or '').lower()}", f"site:{pool.site.lower()}"):
        if identity in policies:
            return policies[identity][0]
    return "Global"


def _grant(invocation: Invocation, noun: Noun) -> Iterator[Any]:
    """A null policy takes the assignment away; only per-user policies can be granted."""
    session = invocation.session
    deployment = session.deployment
    users = found_users(invocation, invocation.get("Identity"))
    policy = invocation.get("PolicyName") or None
    name = None
    if policy is not None:
        bare = policy.removeprefix("Tag:").removeprefix("tag:")
        held = session.entries(noun.name).get(f"tag:{bare.lower()}")
        if held is None or not deployment.is_grantable(noun.name, bare):
            raise failed(invocation, "not_a_user_policy", policy, policy=bare)
        name = held[0].removeprefix("Tag:")
    for user in users:
        if invocation.should_process(user.distinguished_name):
            deployment.grant(noun.name, user.sam_account_name, name)
            if invocation.get("PassThru"):
                yield user_object(invocation, user)


def _register(noun: Noun) -> None:
    @implements(f"Grant-{noun.name}")
    def grant(invocation: Invocation) -> Iterator[Any]:
        return _grant(invocation, noun)


for _noun in POLICIES:
    _register(_noun)
