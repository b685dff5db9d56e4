# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Access Edge: one global object that shows the properties of its routing method, and holds (assumed: the reference
speaks of one method at a time) those alone.

Source: MicrosoftDocs/office-docs-powershell, Set-CsAccessEdgeConfiguration; printed objects: Microsoft,
"Manage Access Edge configuration for your organization" (Lync Server 2013).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from lab.cmdlets.providers import provider_names
from lab.cmdlets.settings import changes, failed, held_entry, instance_values, resolved, selected_entries
from lab.objects.nouns import ACCESS_EDGE_CONFIGURATION, DEFAULT_ROUTE_ONLY, DNS_SRV_ONLY
from lab.objects.types import to_enumeration
from lab.objects.values import NetObject, get_property, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements

NOUN = ACCESS_EDGE_CONFIGURATION


def access_edge_object(identity: str, values: Mapping[str, Any]) -> NetObject:
    by_default_route = values["RoutingMethod"].name == "UseDefaultRouting"
    hidden = DNS_SRV_ONLY if by_default_route else DEFAULT_ROUTE_ONLY
    type_name = f"{NOUN.type_name}{'DefaultRoute' if by_default_route else 'DnsSrvRouting'}"
    shown = {name: value for name, value in values.items() if name not in hidden}
    return NetObject((type_name, "System.Object"), {"Identity": identity, **shown}, text=type_name)


@implements("Get-CsAccessEdgeConfiguration")
def get_access_edge(invocation: Invocation) -> Iterator[NetObject]:
    for identity, values in selected_entries(invocation, NOUN):
        yield access_edge_object(identity, values)


@implements("Set-CsAccessEdgeConfiguration")
def set_access_edge(invocation: Invocation) -> Iterable[Any]:
    session = invocation.session
    text = invocation.get("Identity", "Global")
    if invocation.given("Instance"):
        text = text_of(get_property(invocation.get("Instance"), "Identity"))
    identity, before = held_entry(invocation, NOUN, resolved(invocation, NOUN, text))
    values = instance_values(invocation, NOUN) if invocation.given("Instance") else changes(invocation, NOUN)
    for switch in ("UseDefaultRouting", "UseDnsSrvRouting"):
        if invocation.get(switch):
            values["RoutingMethod"] = to_enumeration(switch, type(before["RoutingMethod"]))
    routing = values["RoutingMethod"] if "RoutingMethod" in values else before["RoutingMethod"]
    providers = provider_names(invocation)
    if routing.name == "UseDefaultRouting" and providers:
        raise failed(invocation, "default_route_needs_no_providers", identity, providers=", ".join(providers))
    if invocation.should_process(identity):
        with session.deployment.store.lock:
            _, held = held_entry(invocation, NOUN, identity)
            defaults = NOUN.defaults(session.deployment.version)
            left = DNS_SRV_ONLY if routing.name == "UseDefaultRouting" else DEFAULT_ROUTE_ONLY
            dropped = {name: defaults[name] for name in left & set(held)} if "RoutingMethod" in values else {}
            session.deployment.store.put(NOUN.name, identity, {**held, **dropped, **values})
    return ()
