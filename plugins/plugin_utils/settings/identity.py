# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Identities of Cs objects: ``Global``, ``Site:Redmond``, ``Tag:SalesPolicy``,
``Service:MediationServer:pool01.contoso.com``.

Input may leave out ``Tag:`` and ``Service:`` and use any case; output always has the stored form (Microsoft
Learn, Get-CsExternalAccessPolicy and New-CsMediaConfiguration). Names are compared as .NET compares them
(`powershell.ordinal`).
"""

from __future__ import annotations

import enum
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ..powershell.ordinal import ordinal_key, same_name
from ..result.refusals import UnusableArgument


class Scope(enum.Enum):
    """Where a collection of settings applies. The value is the word Microsoft's documentation uses."""

    GLOBAL = "global"
    SITE = "site"
    SERVICE = "service"
    USER = "per-user"
    NAMED = "named"
    """No scope at all: the object is found by its bare name, as a public provider is."""
    ITEM = "item"
    """Beside the others: one of several objects of a scope, as ``Site:Redmond/Prefix`` is a rule of a dial plan."""


_PREFIXES = {Scope.SITE: "Site", Scope.SERVICE: "Service", Scope.USER: "Tag"}
_SCOPE_OF_PREFIX = {ordinal_key(prefix): scope for scope, prefix in _PREFIXES.items()}

_FQDN = re.compile(
    r"(?=.{3,255}\Z)(?:[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?\.)+[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
)
# The Identity parameters take no wildcards (Microsoft Learn, Get-CsExternalAccessPolicy); control characters
# and colons have no place in a name.
_NAME = re.compile(r"[^\x00-\x1f\x7f*?:]+")
_ITEM = re.compile(r"[^\x00-\x1f\x7f*?]+")


def is_fqdn(text: str) -> bool:
    """Whether the text has the form of a fully qualified domain name (RFC 1123, underscore tolerated)."""
    return _FQDN.fullmatch(text) is not None


@dataclass(frozen=True)
class Identity:
    """One object's identity. ``name`` is the site, policy or provider, or ``<role>:<pool>`` at the service
    scope; ``item`` what stands behind the slash, where a scope has several objects.
    """

    scope: Scope
    name: str = ""
    item: str = ""

    def __str__(self) -> str:
        """The stored form, as the server prints it."""
        prefix = _PREFIXES.get(self.scope)
        base = f"{prefix}:{self.name}" if prefix else self.name
        return ("Global" if self.scope is Scope.GLOBAL else base) + self._behind

    @property
    def _behind(self) -> str:
        return f"/{self.item}" if self.item else ""

    @property
    def parent(self) -> Identity:
        """The scope's own identity."""
        return Identity(self.scope, self.name)

    @property
    def argument(self) -> str:
        """The form that every cmdlet takes for -Identity, New- included, which wants services without
        ``Service:``.
        """
        return f"{self.name}{self._behind}" if self.scope is Scope.SERVICE else str(self)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Identity):
            return NotImplemented
        return self.key == other.key

    def __hash__(self) -> int:
        return hash(self.key)

    @property
    def key(self) -> tuple[str, str, str]:
        """The same for every spelling."""
        return self.scope.value, ordinal_key(self.name), ordinal_key(self.item)


GLOBAL = Identity(Scope.GLOBAL)


def stored(text: str, scopes: Sequence[Scope]) -> Identity:
    """Read an identity that a server printed. Never refuses: what has no known prefix is a bare name."""
    text = text.strip()
    if Scope.NAMED in scopes:
        return Identity(Scope.NAMED, text)
    if Scope.ITEM in scopes:
        base, _slash, item = text.partition("/")
        return replace(stored(base, [each for each in scopes if each is not Scope.ITEM]), item=item)
    if same_name(text, "Global"):
        return GLOBAL
    prefix, colon, name = text.partition(":")
    scope = _SCOPE_OF_PREFIX.get(ordinal_key(prefix)) if colon else None
    if scope:
        return Identity(scope, name)
    return Identity(Scope.SERVICE if colon else Scope.USER, text)


def wanted(
    text: str, scopes: Sequence[Scope], roles: Sequence[str] = (), option: str = "identity"
) -> Identity:
    """Read an identity that a person wrote, for a noun that has these scopes and, at the service scope, these
    roles.

    Raises UnusableArgument, naming what is allowed, if the form is wrong or the noun lacks the scope.
    """
    identity = stored(text, scopes)
    if identity.scope not in scopes:
        raise _unusable(option, text, scopes, roles)
    if Scope.ITEM in scopes:
        if not _ITEM.fullmatch(identity.item):
            raise _unusable(option, text, scopes, roles)
        others = [each for each in scopes if each is not Scope.ITEM]
        return replace(wanted(str(identity.parent), others, roles, option), item=identity.item)
    if identity.scope is Scope.GLOBAL:
        return identity
    if identity.scope is Scope.SERVICE:
        role, colon, pool = identity.name.partition(":")
        known = {ordinal_key(name): name for name in roles or (role,)}
        if not colon or ordinal_key(role) not in known or not is_fqdn(pool):
            raise _unusable(option, text, scopes, roles)
        return Identity(Scope.SERVICE, f"{known[ordinal_key(role)]}:{pool}")
    if not _NAME.fullmatch(identity.name) or identity.name != identity.name.strip():
        raise _unusable(option, text, scopes, roles)
    return identity


def _unusable(option: str, text: str, scopes: Sequence[Scope], roles: Sequence[str]) -> UnusableArgument:
    forms = {
        Scope.GLOBAL: "Global",
        Scope.SITE: "site:<site name>",
        Scope.SERVICE: "service:<role>:<pool FQDN>"
        + (f" with one of the roles {', '.join(roles)}" if roles else ""),
        Scope.USER: "the name of a per-user policy, with or without Tag: before it",
        Scope.NAMED: "a name without colons, wildcards or spaces around it",
    }
    allowed = [forms[scope] for scope in scopes if scope is not Scope.ITEM]
    if Scope.ITEM in scopes:
        allowed = [f"{form}, a slash, and the object's name" for form in allowed]
    listed = " or ".join(filter(None, [", ".join(allowed[:-1]), allowed[-1]]))
    return UnusableArgument(option, f"'{text}' is not an identity that can be used here. Allowed: {listed}")
