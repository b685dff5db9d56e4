# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Public providers (Microsoft Learn, New-CsPublicProvider and Set-CsPublicProvider)."""

from __future__ import annotations

from collections.abc import Sequence

from ...powershell.commands import Command
from ...powershell.ordinal import same_name
from ...powershell.results import RemoteObject
from ...result.refusals import text_of
from ...result.severity import Severity
from ..comparison import DomainSet, Enumeration, Fqdn, Text, Truth
from ..identity import Scope
from ..resource import Kind, Property, ProposedChange, Requirement, Resource

VERIFICATION_LEVEL = Enumeration(("AlwaysVerifiable", "AlwaysUnverifiable", "UseSourceVerification"))


def _taken(proposed: ProposedChange, hosting: Sequence[RemoteObject] | None) -> str | None:
    """New- fails for an Identity or a ProxyFqdn that another public or hosting provider has
    (New-CsPublicProvider).
    """
    rivals = [
        (str(other.identity), other.values.get("proxy_fqdn"), "public")
        for other in proposed.others
        if other.identity != proposed.identity
    ]
    for provider in hosting or ():
        proxy = provider.get("ProxyFqdn")
        rivals.append((text_of(provider["Identity"]), None if proxy is None else text_of(proxy), "hosting"))
    for name, proxy, kind in rivals:
        if same_name(name, proposed.identity.name):
            return f"identity: '{name}' is the name of a {kind} provider already"
        if Fqdn().same(proxy, proposed.values["proxy_fqdn"]):
            return (
                f"proxy_fqdn: {proxy} belongs to the {kind} provider '{name}' already, and no two providers "
                "may share it"
            )
    return None


_IDENTITY_AND_PROXY_ARE_FREE = Requirement(
    needed=lambda proposed: proposed.kind in (Kind.CREATE, Kind.RECREATE),
    read=Command("Get-CsHostingProvider"),
    objection=_taken,
)


def _default_routing(proposed: ProposedChange, configurations: Sequence[RemoteObject] | None) -> str | None:
    for configuration in configurations or ():
        method = configuration.get("RoutingMethod")
        if method is not None and same_name(text_of(method), "UseDefaultRouting"):
            return (
                "A public provider cannot be used while the Access Edge routes to a default route. Give "
                "access_edge_configuration the routing_method UseDnsSrvRouting first"
            )
    return None


# New-CsPublicProvider: no federation with a public provider as long as the Edge Servers use default routing.
_DNS_SRV_ROUTING = Requirement(
    needed=lambda proposed: proposed.kind is Kind.CREATE,
    read=Command("Get-CsAccessEdgeConfiguration"),
    objection=_default_routing,
)

PUBLIC_PROVIDER = Resource(
    name="public_provider",
    noun="CsPublicProvider",
    title="public provider",
    plural="public_providers",
    scopes=(Scope.NAMED,),
    severity=Severity.HIGH,
    reason="Only a public provider that is defined can be federated with.",
    recreatable=True,
    required_to_create=("proxy_fqdn", "enabled"),
    requirements=(_IDENTITY_AND_PROXY_ARE_FREE, _DNS_SRV_ROUTING),
    properties=(
        Property(
            "proxy_fqdn",
            "ProxyFqdn",
            Fqdn(),
            Severity.HIGH,
            "Is the server that messages to the provider's users are sent to.",
        ),
        Property(
            "enabled",
            "Enabled",
            Truth(),
            Severity.HIGH,
            "Decides whether the provider's users can be reached at all.",
        ),
        Property(
            "verification_level",
            "VerificationLevel",
            VERIFICATION_LEVEL,
            Severity.MEDIUM,
            "Decides which messages from the provider are believed to come from it.",
        ),
        Property(
            "icon_url",
            "IconUrl",
            Text(),
            Severity.LOW,
            "Is the picture that marks the provider's contacts.",
            null="",
        ),
        Property(
            "name_decoration_domain",
            "NameDecorationDomain",
            Text(),
            Severity.LOW,
            "Is the domain that decorated addresses of the provider's users get.",
            null="",
        ),
        Property(
            "name_decoration_routing_domain",
            "NameDecorationRoutingDomain",
            Text(),
            Severity.MEDIUM,
            "Is the domain that decorated addresses are routed by.",
            null="",
        ),
        Property(
            "name_decoration_excluded_domain_list",
            "NameDecorationExcludedDomainList",
            DomainSet(),
            Severity.MEDIUM,
            "Names the domains whose addresses are not decorated.",
            null=[],
        ),
        Property(
            "enable_skype_id_routing",
            "EnableSkypeIdRouting",
            Truth(),
            Severity.MEDIUM,
            "Decides whether people can be reached by their Skype name.",
        ),
        Property(
            "enable_skype_directory_search",
            "EnableSkypeDirectorySearch",
            Truth(),
            Severity.LOW,
            "Decides whether people can be found in the Skype directory.",
        ),
    ),
)
