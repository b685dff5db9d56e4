# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Identities of settings: what people may write, and how the Management Shell prints them.

Input ``global``, ``site:Redmond``, ``RedmondPolicy`` or ``tag:RedmondPolicy``, ``service:EdgeServer:fqdn`` or
``EdgeServer:fqdn``; output ``Global``, ``Site:Redmond``, ``Tag:RedmondPolicy``, ``Service:EdgeServer:fqdn``;
providers and domains have their bare name.  Source: MicrosoftDocs/office-docs-powershell, the Identity
parameters and printed samples.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from lab.objects.nouns import Noun

if TYPE_CHECKING:
    from lab.deployment.topology import Topology


class IdentityError(ValueError):
    """An identity cannot be used; ``key`` and ``values`` name the text that says why (see ``assumed_texts.yml``)."""

    def __init__(self, key: str, **values: str) -> None:
        super().__init__(f"{key.replace('_', ' ')} ({', '.join(values.values())}).")
        self.key = key
        self.values = values


def canonical_identity(text: str, noun: Noun, topology: Topology) -> str:
    """The identity as the Management Shell prints it; raises IdentityError."""
    text = text.strip()
    if not text:
        raise IdentityError("identity_malformed", identity=text)
    if any(character in text for character in "*?["):
        raise IdentityError("wildcard_refused", identity=text)
    if "name" in noun.scopes:
        return text
    if noun.has_items:
        scope, slash, item = text.partition("/")
        if not item:
            raise IdentityError("identity_malformed", identity=text)
        return f"{canonical_identity(scope, replace(noun, has_items=False), topology)}{slash}{item}"
    scope, separator, rest = text.partition(":")
    kind = scope.lower()
    if not separator:
        if kind == "global":
            return "Global"
        if "tag" in noun.scopes:
            return f"Tag:{text}"
        raise IdentityError("identity_malformed", identity=text)
    if kind == "tag":
        _require("tag", "per-user", text, noun)
        if not rest:
            raise IdentityError("identity_malformed", identity=text)
        return f"Tag:{rest}"
    if kind == "site":
        _require("site", "site", text, noun)
        site = topology.site(rest)
        if site is None:
            raise IdentityError("site_unknown", site=rest)
        return site.identity
    if kind == "service":
        kind, _, rest = rest.partition(":")
    return _service_identity(text, kind, rest, noun, topology)


def _service_identity(text: str, role: str, fqdn: str, noun: Noun, topology: Topology) -> str:
    known = {service.role.lower(): service.role for service in topology.services}
    if not fqdn or role.lower() not in known:
        raise IdentityError("identity_malformed", identity=text)
    _require("service", "service", text, noun)
    name = known[role.lower()]
    if noun.service_roles and name not in noun.service_roles:
        raise IdentityError("service_role_refused", identity=text, type=noun.short_type, role=name)
    service = topology.service(f"{name}:{fqdn}")
    if service is None:
        raise IdentityError("service_unknown", service=f"{name}:{fqdn}")
    return f"Service:{service.identity}"


def _require(scope: str, spoken: str, text: str, noun: Noun) -> None:
    if scope not in noun.scopes:
        raise IdentityError("scope_refused", identity=text, type=noun.short_type, scope=spoken)
