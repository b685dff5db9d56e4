# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Public and hosting providers.

Behaviour: MicrosoftDocs/office-docs-powershell, the -CsPublicProvider and -CsHostingProvider pages: Identity
and ProxyFqdn are unique over both kinds; Disable- on a disabled provider is an error; no provider beside a
default route.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from lab.cmdlets.settings import (
    failed,
    get_setting,
    held_entry,
    new_setting,
    remove_setting,
    resolved,
    set_setting,
)
from lab.objects.nouns import ACCESS_EDGE_CONFIGURATION, HOSTING_PROVIDER, PUBLIC_PROVIDER, Noun
from lab.objects.values import get_property, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

PROVIDERS = (PUBLIC_PROVIDER, HOSTING_PROVIDER)


def uses_default_route(invocation: Invocation) -> bool:
    _, values = invocation.session.entries(ACCESS_EDGE_CONFIGURATION.name)["global"]
    return values["RoutingMethod"].name == "UseDefaultRouting"


def provider_names(invocation: Invocation) -> list[str]:
    return [identity for noun in PROVIDERS for identity, _ in invocation.session.entries(noun.name).values()]


def new_provider(invocation: Invocation, noun: Noun) -> Iterable[Any]:
    if not invocation.get("InMemory"):
        identity, proxy = invocation.get("Identity"), text_of(invocation.get("ProxyFqdn"))
        for other in PROVIDERS:
            for held, values in invocation.session.entries(other.name).values():
                if held.lower() == identity.lower():
                    raise failed(invocation, "already_exists", identity, type=other.short_type, identity=held)
                if text_of(values["ProxyFqdn"]).lower() == proxy.lower():
                    raise failed(invocation, "proxy_fqdn_taken", identity, proxy=proxy, identity=held)
        if uses_default_route(invocation):
            raise failed(invocation, "providers_need_dns_srv_routing", identity)
    return new_setting(invocation, noun)


def _identity(invocation: Invocation, noun: Noun) -> str:
    text = invocation.get("Identity")
    if text is None and invocation.given("Instance"):
        text = text_of(get_property(invocation.get("Instance"), "Identity"))
    if text is None:
        raise failed(invocation, "identity_malformed", identity="")
    return resolved(invocation, noun, text)


def enable_provider(invocation: Invocation, noun: Noun) -> Iterable[Any]:
    identity, values = held_entry(invocation, noun, _identity(invocation, noun))
    if uses_default_route(invocation):
        raise failed(invocation, "providers_need_dns_srv_routing", identity)
    if invocation.should_process(identity):
        invocation.session.deployment.store.put(noun.name, identity, {**values, "Enabled": True})
    return ()


def disable_provider(invocation: Invocation, noun: Noun) -> Iterable[Any]:
    identity, values = held_entry(invocation, noun, _identity(invocation, noun))
    if not values["Enabled"]:
        raise failed(invocation, "provider_already_disabled", identity, identity=identity)
    if invocation.should_process(identity):
        invocation.session.deployment.store.put(noun.name, identity, {**values, "Enabled": False})
    return ()


def _register(noun: Noun) -> None:
    for verb, run in (
        ("Get", get_setting),
        ("New", new_provider),
        ("Set", set_setting),
        ("Remove", remove_setting),
        ("Enable", enable_provider),
        ("Disable", disable_provider),
    ):

        def body(invocation: Invocation, run: Any = run) -> Iterable[Any]:
            return run(invocation, noun)

        implements(f"{verb}-{noun.name}")(body)


for _noun in PROVIDERS:
    _register(_noun)
