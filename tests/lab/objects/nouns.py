# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings and policies kept in the Central Management Store: types, properties, defaults, scopes, per version.

A noun is a table.  Sources: the cmdlet reference (MicrosoftDocs/office-docs-powershell) for parameters,
defaults and scopes; Microsoft's Lync Server 2013 and Skype for Business Server articles for printed objects
and their order.  A default marked ``assumed`` is printed by no public source.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

from lab.catalogue import PRODUCT_VERSIONS, noun_facts
from lab.objects.types import convert

ALL = frozenset(PRODUCT_VERSIONS)
SINCE_2013 = frozenset({"2013", "2015", "2019", "SE"})
SINCE_2015 = frozenset({"2015", "2019", "SE"})
SINCE_2019 = frozenset({"2019", "SE"})

#: Enumerations by the name parameters have them, in the order that gives their (assumed) numbers.
ENUMERATIONS: Mapping[str, tuple[str, ...]] = {
    "EncryptionLevel": ("SupportEncryption", "RequireEncryption", "DoNotSupportEncryption"),
    "MaxVideoRateAllowed": ("Hd720p15M", "VGA600K", "CIF250K"),
    # Microsoft's recipe for Skype passes the integer 2; by the order of the help that is
    # UseSourceVerification.
    "VerificationLevelType": ("AlwaysVerifiable", "AlwaysUnverifiable", "UseSourceVerification"),
    "RoutingMethod": ("UseDnsSrvRouting", "UseDefaultRouting"),
}


_NULLABLE = frozenset({"String", "Fqdn", "Uri", "Guid", "DateTime"})


@dataclass(frozen=True)
class Property:
    """One property of a setting.

    ``default`` may differ by version (a mapping).  ``parameter`` is the cmdlet parameter where it is spelled
    otherwise.
    """

    name: str
    type: str
    default: Any = None
    versions: frozenset[str] = ALL
    parameter: str | None = None
    assumed: bool = False  # the default is not documented
    values: tuple[str, ...] = ()  # of an enumeration that is not in ENUMERATIONS
    is_nested: bool = False  # objects within the object

    def default_in(self, version: str) -> Any:
        value = self.default
        if isinstance(value, Mapping):
            value = value["2019" if version == "SE" and "SE" not in value else version]
        return self.typed(value)

    def typed(self, value: Any) -> Any:
        """``value`` (from a deployment file, say) as the property's type; None stays None for texts."""
        if self.is_list:
            return tuple(value or ())
        if value is None and (self.is_nested or self.type in _NULLABLE):
            return None
        return convert(value, self.type, self.values or ENUMERATIONS.get(self.type))

    @property
    def is_list(self) -> bool:
        return self.type in ("PSListModifier", "String[]")


@dataclass(frozen=True)
class Noun:
    """One kind of object in the Central Management Store."""

    name: str  # 'CsMediaConfiguration'
    type_name: str
    properties: tuple[Property, ...]
    scopes: frozenset[
        str
    ]  # of 'global', 'site', 'service', 'tag', or 'name' for objects that have a bare name
    service_roles: tuple[str, ...] = ()  # none: any
    is_policy: bool = False
    has_items: bool = False  # several objects a scope, named behind a slash

    @property
    def short_type(self) -> str:
        return self.type_name.rpartition(".")[2]

    def properties_in(self, version: str) -> tuple[Property, ...]:
        return _properties_in(self.name, version)

    def defaults(self, version: str) -> dict[str, Any]:
        return {p.name: p.default_in(version) for p in self.properties_in(version)}

    @property
    def has_priority(self) -> bool:
        return self.name in PRIORITIES

    def by_parameter(self, parameter: str, version: str) -> Property | None:
        for p in self.properties_in(version):
            if (p.parameter or p.name).lower() == parameter.lower():
                return p
        return None


@cache
def _properties_in(noun: str, version: str) -> tuple[Property, ...]:
    return tuple(p for p in NOUNS[noun].properties if version in p.versions)


def _false(name: str, versions: frozenset[str] = ALL, assumed: bool = False) -> Property:
    return Property(name, "Boolean", False, versions, assumed=assumed)


def _true(name: str, versions: frozenset[str] = ALL, assumed: bool = False) -> Property:
    return Property(name, "Boolean", True, versions, assumed=assumed)


EXTERNAL_ACCESS_POLICY = Noun(
    "CsExternalAccessPolicy",
    "Microsoft.Rtc.Management.WritableConfig.Policy.ExternalAccess.ExternalAccessPolicy",
    (
        Property("Description", "String"),
        _false("EnableFederationAccess"),
        _false("EnableXmppAccess", SINCE_2013),
        _false("EnablePublicCloudAccess"),
        _false("EnablePublicCloudAudioVideoAccess"),
        _false("EnableOutsideAccess"),
    ),
    frozenset({"global", "site", "tag"}),
    is_policy=True,
)

#: No more than what decides about calls between two people.
# Whether 2015 still has the three properties of 2013's codecs is unconfirmed: a page of its era prints them.
_CODECS = frozenset({"2013", "2015"})
MEDIA_CONFIGURATION = Noun(
    "CsMediaConfiguration",
    "Microsoft.Rtc.Management.WritableConfig.Settings.Media.MediaSettings",
    (
        _false("EnableQoS"),
        Property("EncryptionLevel", "EncryptionLevel", "RequireEncryption"),
        _false("EnableSiren"),
        Property("MaxVideoRateAllowed", "MaxVideoRateAllowed", "VGA600K"),
        _true("EnableG722StereoCodec", _CODECS),
        _true("EnableH264Codec", _CODECS),
        Property(
            "EnableAdaptiveBandwidthEstimation",
            "Boolean",
            True,
            _CODECS,
            parameter="EnableAdaptiveBandWidthEstimation",
        ),
        _true("EnableInCallQoS", SINCE_2015),
        Property("InCallQoSIntervalSeconds", "UInt16", 35, SINCE_2015),
        _true("EnableRtpRtcpMultiplexing", SINCE_2015),
        _false("EnableVideoBasedSharing", SINCE_2015, assumed=True),
        _false("EnableDtls", SINCE_2019, assumed=True),
        _false("EnableSilkForAudioVideoConferences", SINCE_2019, assumed=True),
        _false("EnableServerFecForVideoInterop", SINCE_2019, assumed=True),
        _false("WaitIceCompletedToAddDialOutUser", SINCE_2019, assumed=True),
        _false("EnableRtx", SINCE_2019, assumed=True),
        _false("EnableAVBundling", SINCE_2019, assumed=True),
        _false("EnableReceiveAgc", SINCE_2019, assumed=True),
    ),
    frozenset({"global", "site", "service"}),
    ("ConferencingServer", "MediationServer", "ApplicationServer"),
)

PUBLIC_PROVIDER = Noun(
    "CsPublicProvider",
    "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.DisplayPublicProvider",
    (
        Property("Name", "String"),
        Property("ProxyFqdn", "String"),
        Property("IconUrl", "String", versions=SINCE_2013),
        Property("NameDecorationDomain", "String", versions=SINCE_2013),
        Property("NameDecorationRoutingDomain", "String", versions=SINCE_2013),
        Property("NameDecorationExcludedDomainList", "String", versions=SINCE_2013),
        Property("VerificationLevel", "VerificationLevelType", "AlwaysVerifiable"),
        _false("Enabled"),
        _false("EnableSkypeIdRouting", SINCE_2015, assumed=True),
        _false("EnableSkypeDirectorySearch", SINCE_2015, assumed=True),
    ),
    frozenset({"name"}),
)

HOSTING_PROVIDER = Noun(
    "CsHostingProvider",
    "Microsoft.Rtc.Management.WritableConfig.Settings.Edge.DisplayHostingProvider",
    (
        Property("Name", "String"),
        Property("ProxyFqdn", "String"),
        Property("VerificationLevel", "VerificationLevelType", "AlwaysVerifiable"),
        _false("Enabled"),
        _false("EnabledSharedAddressSpace"),
        _false("HostsOCSUsers"),
        _false("IsLocal"),
        Property("AutodiscoverUrl", "String", versions=SINCE_2013),
        Property("SipClientPort", "UInt64", 443, SINCE_2013),
    ),
    frozenset({"name"}),
)

_EDGE = "Microsoft.Rtc.Management.WritableConfig.Settings.Edge"
#: All properties of the Access Edge, of both routing methods; which of them an object shows, its routing
#: method says.
ACCESS_EDGE_CONFIGURATION = Noun(
    "CsAccessEdgeConfiguration",
    f"{_EDGE}.DisplayAccessEdgeSettings",
    (
        _false("AllowAnonymousUsers"),
        _false("AllowFederatedUsers"),
        # 2010's printed sample has False, 2013's True; the reference's default is True.
        Property(
            "AllowOutsideUsers",
            "Boolean",
            {"2010": False, "2013": True, "2015": True, "2019": True, "SE": True},
        ),
        _false("BeClearingHouse"),
        _false("EnablePartnerDiscovery"),
        Property("VerificationLevel", "VerificationLevelType", "AlwaysUnverifiable", assumed=True),
        _false("IsPublicProvider", assumed=True),
        Property("DefaultRouteFqdn", "String"),
        Property(
            "DiscoveredPartnerVerificationLevel",
            "VerificationLevelType",
            "UseSourceVerification",
            SINCE_2013,
            assumed=True,
        ),
        _false("EnableArchivingDisclaimer"),
        _true("EnableUserReplicator", SINCE_2013),  # the printed sample; the reference's text says False
        _true("KeepCrlsUpToDateForPeers"),
        _true("MarkSourceVerifiableOnOutgoingMessages"),
        Property("OutgoingTlsCountForFederatedPartners", "UInt32", 4),
        Property("DnsSrvCacheRecordCount", "UInt32", 0, SINCE_2015, assumed=True),
        Property("DiscoveredPartnerStandardRate", "UInt32", 20, SINCE_2013),
        _true("EnableDiscoveredPartnerContactsLimit", SINCE_2013),
        Property("MaxContactsPerDiscoveredPartner", "UInt32", 1000, SINCE_2013),
        Property("DiscoveredPartnerReportPeriodMinutes", "UInt32", 60, SINCE_2013),
        Property("MaxAcceptedCertificatesStored", "UInt32", 1000, SINCE_2013),
        Property("MaxRejectedCertificatesStored", "UInt32", 500, SINCE_2013),
        Property("CertificatesDeletedPercentage", "UInt32", 20, SINCE_2013),
        Property("SkypeSearchUrl", "String", versions=SINCE_2015),
        Property("RoutingMethod", "RoutingMethod", "UseDnsSrvRouting"),
    ),
    frozenset({"global"}),
)
DNS_SRV_ONLY = frozenset({"BeClearingHouse", "EnablePartnerDiscovery", "DiscoveredPartnerVerificationLevel"})
DEFAULT_ROUTE_ONLY = frozenset({"VerificationLevel", "IsPublicProvider", "DefaultRouteFqdn"})

AV_EDGE_CONFIGURATION = Noun(
    "CsAVEdgeConfiguration",
    f"{_EDGE}.MediaRelaySettings",
    (
        Property("MaxTokenLifetime", "TimeSpan", datetime.timedelta(hours=8)),
        Property("MaxBandwidthPerUserKb", "UInt32", 10000),
        Property("MaxBandwidthPerPortKb", "UInt32", 3000),
    ),
    frozenset({"global", "site", "service"}),
    ("EdgeServer",),
)

ALLOWED_DOMAIN = Noun(
    "CsAllowedDomain",
    f"{_EDGE}.AllowedDomain",
    (
        Property("Domain", "String"),
        Property("ProxyFqdn", "String"),
        Property(
            "VerificationLevel", "VerificationLevelType", "UseSourceVerification", SINCE_2013, assumed=True
        ),
        Property("Comment", "String"),
        _false("MarkForMonitoring"),
    ),
    frozenset({"name"}),
)
BLOCKED_DOMAIN = Noun(
    "CsBlockedDomain",
    f"{_EDGE}.BlockedDomain",
    (Property("Domain", "String"), Property("Comment", "String")),
    frozenset({"name"}),
)

#: Rules that belong to another noun, and the list there that shows them. Source: ref, the pages of the parents, whose
#: parameters of these names are lists of such rules.
PARENTS: Mapping[str, tuple[str, str]] = {
    "CsVoiceNormalizationRule": ("CsDialPlan", "NormalizationRules"),
    "CsOutboundTranslationRule": ("CsTrunkConfiguration", "OutboundTranslationRulesList"),
    "CsOutboundCallingNumberTranslationRule": (
        "CsTrunkConfiguration",
        "OutboundCallingNumberTranslationRulesList",
    ),
    "CsSipResponseCodeTranslationRule": ("CsTrunkConfiguration", "SipResponseCodeTranslationRulesList"),
    "CsClientVersionPolicyRule": ("CsClientVersionPolicy", "Rules"),
    "CsAddressBookNormalizationRule": (
        "CsAddressBookNormalizationConfiguration",
        "AddressBookNormalizationRules",
    ),
    "CsPresenceProvider": ("CsUserServicesConfiguration", "PresenceProviders"),
    "CsClsRegion": ("CsClsConfiguration", "Regions"),
    "CsClsScenario": ("CsClsConfiguration", "Scenarios"),
    "CsClsSearchTerm": ("CsClsConfiguration", "SearchTerms"),
    "CsClsSecurityGroup": ("CsClsConfiguration", "SecurityGroups"),
}
#: Nouns whose objects the server numbers. Source: ref, the pages with a -Priority.
PRIORITIES = frozenset(
    {
        "CsAddressBookNormalizationRule",
        "CsClientVersionPolicyRule",
        "CsDialInConferencingAccessNumber",
        "CsOutboundCallingNumberTranslationRule",
        "CsOutboundTranslationRule",
        "CsServerApplication",
        "CsSipResponseCodeTranslationRule",
        "CsUnassignedNumber",
        "CsVoiceNormalizationRule",
        "CsVoiceRoute",
    }
)


def _generated(name: str, facts: Mapping[str, Any]) -> Noun:
    properties = []
    for property_, each in facts["properties"].items():
        versions = frozenset(each.get("versions", ("2010", "2013", "2015", "2019")))
        properties.append(
            Property(
                property_,
                each["type"],
                each["default"] if "default" in each else _assumed_default(each),
                versions | {"SE"} if "2019" in versions else versions,
                assumed="default" not in each,
                values=tuple(each.get("values", ())),
                is_nested=each.get("nested", False),
            )
        )
    return Noun(
        name,
        facts["type"],
        tuple(properties),
        frozenset(facts["scopes"]),
        tuple(facts.get("roles", ())),
        facts.get("policy", False),
        facts.get("items", False),
    )


def _assumed_default(facts: Mapping[str, Any]) -> Any:
    """What stands for a default that no public source has."""
    if facts.get("nested") or facts["type"] in _NULLABLE:
        return None
    if "values" in facts:
        return facts["values"][0]
    return {"Boolean": False, "PSListModifier": (), "String[]": ()}.get(facts["type"], 0)


NOUNS: Mapping[str, Noun] = {
    **{name: _generated(name, facts) for name, facts in noun_facts().items()},
    **{
        noun.name: noun
        for noun in (
            EXTERNAL_ACCESS_POLICY,
            MEDIA_CONFIGURATION,
            PUBLIC_PROVIDER,
            HOSTING_PROVIDER,
            ACCESS_EDGE_CONFIGURATION,
            AV_EDGE_CONFIGURATION,
            ALLOWED_DOMAIN,
            BLOCKED_DOMAIN,
        )
    },
}

#: Providers that setup creates, all disabled. 2010 and 2013: Microsoft's documentation names them. From 2015
#: on the initial content is not documented; a Skype provider is assumed.  The proxies of Yahoo! and AOL are
#: assumed.
SHIPPED_PROVIDERS: Mapping[str, Mapping[str, str]] = {
    "2010": {
        "MSN": "federation.messenger.msn.com",
        "Yahoo!": "lcsap.msg.yahoo.com",
        "AOL": "sip.oscar.aol.com",
    },
    "2013": {
        "Messenger": "federation.messenger.msn.com",
        "Yahoo!": "lcsap.msg.yahoo.com",
        "AIM": "sip.oscar.aol.com",
    },
    "2015": {"Skype": "federation.messenger.msn.com"},
    "2019": {"Skype": "federation.messenger.msn.com"},
    "SE": {"Skype": "federation.messenger.msn.com"},
}
