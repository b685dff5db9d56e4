# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Access Edge settings (Microsoft Learn, Set-CsAccessEdgeConfiguration). There is one object, the Global one.

Which properties exist depends on how the Edge Servers route federation requests, and each way has a parameter
set of its own that knows no -Identity.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ...powershell.commands import Command
from ...powershell.results import RemoteObject
from ...result.refusals import Refused, text_of
from ...result.severity import Severity
from ..comparison import UINT32, Enumeration, Fqdn, Text, Truth
from ..identity import Identity, Scope
from ..resource import Property, ProposedChange, Requirement, Resource, Values
from .public_provider import VERIFICATION_LEVEL

DNS_SRV_ROUTING = "UseDnsSrvRouting"
DEFAULT_ROUTING = "UseDefaultRouting"
_DNS_SRV = ("routing_method", DNS_SRV_ROUTING)
_DEFAULT = ("routing_method", DEFAULT_ROUTING)


def _set_parameters(
    resource: Resource, identity: Identity, before: Values, values: Values
) -> Mapping[str, Any]:
    """The parameters of the set that holds everything to be written.

    With a routing method its own main parameter is required as well: -EnablePartnerDiscovery,
    -DefaultRouteFqdn.
    """
    of_one_method = any(p.only_with or p.is_switch for p in resource.properties if p.option in values)
    if not of_one_method:
        return {"Identity": identity.argument, **resource.sent(values)}
    method = values.get("routing_method", before.get("routing_method"))
    if method == DNS_SRV_ROUTING:
        # False is the documented default, and what partner discovery is as long as another method is in use.
        needed = {"enable_partner_discovery": before.get("enable_partner_discovery", False)}
    else:
        needed = {"default_route_fqdn": before.get("default_route_fqdn")}
        if not values.get("default_route_fqdn", needed["default_route_fqdn"]):
            raise Refused(f"routing_method: {DEFAULT_ROUTING} needs default_route_fqdn")
    return resource.sent({"routing_method": method, **needed, **values})


def _changes_default_route(proposed: ProposedChange) -> bool:
    return proposed.values.get("routing_method") == DEFAULT_ROUTING or "default_route_fqdn" in proposed.values


def _no_providers(kind: str, cmdlet: str) -> Requirement:
    """All providers have to be deleted before a new default route is assigned (parameter DefaultRouteFqdn)."""

    def objection(proposed: ProposedChange, providers: Sequence[RemoteObject] | None) -> str | None:
        if not providers:
            return None
        names = ", ".join(text_of(provider["Identity"]) for provider in providers)
        return (
            "A default route can be set only where there are no public and no hosting providers. "
            f"Remove the {kind} providers first: {names}"
        )

    return Requirement(_changes_default_route, Command(cmdlet), objection)


def _number(option: str, parameter: str, reason: str, severity: Severity = Severity.LOW) -> Property:
    return Property(option, parameter, UINT32, severity, reason)


ACCESS_EDGE_CONFIGURATION = Resource(
    name="access_edge_configuration",
    noun="CsAccessEdgeConfiguration",
    title="Access Edge configuration",
    plural="access_edge_configurations",
    scopes=(Scope.GLOBAL,),
    severity=Severity.HIGH,
    reason="The Access Edge configuration decides what crosses the perimeter.",
    creatable=False,
    compose=_set_parameters,
    requirements=(
        _no_providers("public", "Get-CsPublicProvider"),
        _no_providers("hosting", "Get-CsHostingProvider"),
    ),
    properties=(
        Property(
            "allow_anonymous_users",
            "AllowAnonymousUsers",
            Truth(),
            Severity.HIGH,
            "Decides whether people who have not been authenticated may join meetings from outside.",
        ),
        Property(
            "allow_federated_users",
            "AllowFederatedUsers",
            Truth(),
            Severity.CRITICAL,
            "Decides whether there is any federation at all, public providers included.",
        ),
        Property(
            "allow_outside_users",
            "AllowOutsideUsers",
            Truth(),
            Severity.HIGH,
            "Decides whether anybody can reach the deployment over the Internet.",
        ),
        Property(
            "routing_method",
            "RoutingMethod",
            Enumeration((DNS_SRV_ROUTING, DEFAULT_ROUTING)),
            Severity.CRITICAL,
            "Decides how federated partners are found; public providers cannot be used with default routing.",
            is_switch=True,
        ),
        Property(
            "enable_partner_discovery",
            "EnablePartnerDiscovery",
            Truth(),
            Severity.HIGH,
            "Decides whether partners may be found by DNS, or only those on the list of allowed domains are "
            "federated with.",
            only_with=_DNS_SRV,
        ),
        Property(
            "be_clearing_house",
            "BeClearingHouse",
            Truth(),
            Severity.HIGH,
            "Decides whether the Edge Servers are directly connected to other organizations; for Microsoft's "
            "support only.",
            only_with=_DNS_SRV,
        ),
        Property(
            "discovered_partner_verification_level",
            "DiscoveredPartnerVerificationLevel",
            VERIFICATION_LEVEL,
            Severity.MEDIUM,
            "Decides which messages from discovered partners are believed to come from them.",
            only_with=_DNS_SRV,
        ),
        Property(
            "default_route_fqdn",
            "DefaultRouteFqdn",
            Fqdn(),
            Severity.CRITICAL,
            "Is the server that all federation requests go to.",
            only_with=_DEFAULT,
        ),
        Property(
            "is_public_provider",
            "IsPublicProvider",
            Truth(),
            Severity.MEDIUM,
            "Tells whether the default route takes a licence for public instant messaging.",
            only_with=_DEFAULT,
        ),
        Property(
            "verification_level",
            "VerificationLevel",
            VERIFICATION_LEVEL,
            Severity.MEDIUM,
            "Decides which messages over the default route are believed to come from their senders.",
            only_with=_DEFAULT,
        ),
        Property(
            "enable_archiving_disclaimer",
            "EnableArchivingDisclaimer",
            Truth(),
            Severity.MEDIUM,
            "Decides whether federated partners are told that conversations may be archived.",
        ),
        Property(
            "enable_user_replicator",
            "EnableUserReplicator",
            Truth(),
            Severity.LOW,
            "Is a property of which Microsoft documents the default alone.",
        ),
        Property(
            "keep_crls_up_to_date_for_peers",
            "KeepCrlsUpToDateForPeers",
            Truth(),
            Severity.HIGH,
            "Decides whether revoked certificates of federated partners are noticed.",
        ),
        Property(
            "mark_source_verifiable_on_outgoing_messages",
            "MarkSourceVerifiableOnOutgoingMessages",
            Truth(),
            Severity.MEDIUM,
            "Decides whether partners can tell that outgoing messages come from a verified source.",
        ),
        _number(
            "outgoing_tls_count_for_federated_partners",
            "OutgoingTlsCountForFederatedPartners",
            "Limits the connections to a federated partner.",
            Severity.MEDIUM,
        ),
        _number(
            "discovered_partner_standard_rate",
            "DiscoveredPartnerStandardRate",
            "Limits the rate of messages from a discovered partner.",
            Severity.MEDIUM,
        ),
        Property(
            "enable_discovered_partner_contacts_limit",
            "EnableDiscoveredPartnerContactsLimit",
            Truth(),
            Severity.MEDIUM,
            "Protects against discovered partners who try out which users exist.",
        ),
        _number(
            "max_contacts_per_discovered_partner",
            "MaxContactsPerDiscoveredPartner",
            "Limits how many users a discovered partner may contact.",
            Severity.MEDIUM,
        ),
        _number(
            "discovered_partner_report_period_minutes",
            "DiscoveredPartnerReportPeriodMinutes",
            "Sets how often discovered partners are reported.",
        ),
        _number(
            "max_accepted_certificates_stored",
            "MaxAcceptedCertificatesStored",
            "Limits how many accepted certificates are remembered.",
        ),
        _number(
            "max_rejected_certificates_stored",
            "MaxRejectedCertificatesStored",
            "Limits how many rejected certificates are remembered.",
        ),
        _number(
            "certificates_deleted_percentage",
            "CertificatesDeletedPercentage",
            "Sets the share of remembered certificates that is dropped at a time.",
        ),
        _number(
            "dns_srv_cache_record_count",
            "DnsSrvCacheRecordCount",
            "Limits how many DNS SRV records are cached.",
        ),
        Property(
            "skype_search_url",
            "SkypeSearchUrl",
            Text(),
            Severity.LOW,
            "Is the address that the Skype directory is searched at.",
            null="",
        ),
    ),
)
