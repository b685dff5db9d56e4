# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What any plan must be, whatever is found and whatever is wanted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.envelope import Mismatch
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Refused
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.comparison import (
    DomainSet,
    Enumeration,
    Fqdn,
    Integer,
    Truth,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import (
    GLOBAL,
    Identity,
    Scope,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.plan import (
    Assessment,
    Cmdlets,
    Plan,
    UnknownParameters,
    assess,
    mismatches,
    plan,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import (
    Collection,
    Desired,
    Kind,
    Property,
    Resource,
    applies,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from hypothesis import assume, given
from hypothesis import strategies as st
from unit.settings.scripted_shell import PARAMETERS, parameters_of

domains = st.sampled_from(["msn.com", "live.com", "outlook.com", "contoso.com"])


def values_of(property_: Property) -> st.SearchStrategy[Any]:
    kind = property_.comparison
    if isinstance(kind, Truth):
        return st.booleans()
    if isinstance(kind, Enumeration):
        return st.sampled_from(kind.names)
    if isinstance(kind, Integer):
        return st.integers(0, kind.highest)
    if isinstance(kind, Fqdn):
        return domains
    if isinstance(kind, DomainSet):
        return st.lists(domains, unique=True)
    return st.text(max_size=20)


def cmdlets_of(resource: Resource, version: str) -> Cmdlets:
    cmdlets = [resource.cmdlet(verb) for verb in ("Set", "New", "Remove")]
    return Cmdlets({cmdlet: parameters_of(cmdlet, version) for cmdlet in cmdlets})


# Every parameter of any version, so that every property of a table can take part.
EVERYTHING = {
    name: Cmdlets(
        {cmdlet: frozenset(known) for cmdlet, known in PARAMETERS.items() if cmdlet.endswith(resource.noun)}
    )
    for name, resource in RESOURCES.items()
}
OBJECTS = (
    Identity(Scope.USER, "Sales"),
    Identity(Scope.NAMED, "Fabrikam"),
    Identity(Scope.SITE, "Redmond"),
    GLOBAL,
)
IDENTITIES = {
    name: next(each for each in OBJECTS if each.scope in resource.scopes)
    for name, resource in RESOURCES.items()
}


Situation = tuple[str, Collection, Desired]


@st.composite
def situations(draw: st.DrawFn) -> Situation:
    """A table's name, an object with all its properties, and a request for some of them."""
    resource = RESOURCES[draw(st.sampled_from(sorted(RESOURCES)))]
    identity = IDENTITIES[resource.name]
    values = {p.option: draw(values_of(p)) for p in resource.properties}
    actual = Collection(
        identity, {o: v for o, v in values.items() if applies(resource.property_of(o), values)}
    )
    options = draw(st.sets(st.sampled_from([p.option for p in resource.properties])))
    wanted_values = {option: draw(values_of(resource.property_of(option))) for option in options}
    resulting = {**values, **wanted_values}
    wanted_values = {
        option: value
        for option, value in wanted_values.items()
        if applies(resource.property_of(option), resulting)
    }
    return resource.name, actual, Desired(identity, wanted_values, recreate=True)


def carried_out(intended: Assessment, actual: Collection | None) -> Collection:
    """What a server makes of the plan: what is written replaces what was, all else stays."""
    before = actual.values if actual else {}
    values = {**before, **intended.written}
    kept = {o: v for o, v in values.items() if applies(intended.resource.property_of(o), values)}
    return Collection(intended.identity, kept)


def planned(resource: Resource, actual: Collection | None, desired: Desired) -> tuple[Assessment, Plan]:
    intended = assess(resource, actual, desired, EVERYTHING[resource.name])
    return intended, plan(intended)


@given(situations())
def test_what_has_been_carried_out_leaves_nothing_to_do(situation: Situation) -> None:
    name, actual, desired = situation
    resource = RESOURCES[name]
    intended, _ = planned_or_skipped(resource, actual, desired)
    result = carried_out(intended, actual)
    assert mismatches(resource, desired.values, result) == []
    again, plan_again = planned(resource, result, desired)
    assert again.kind is Kind.NOTHING
    assert (plan_again.commands, plan_again.drift, plan_again.diff) == ((), (), ("", ""))
    assert plan_again.before == plan_again.after


@given(situations())
def test_only_what_differs_is_written(situation: Situation) -> None:
    name, actual, desired = situation
    resource = RESOURCES[name]
    intended, made = planned_or_skipped(resource, actual, desired)
    differing = {
        option
        for option, value in desired.values.items()
        if not resource.property_of(option).same(actual.values.get(option), value)
    }
    assert {difference.property for difference in made.drift} == differing
    if intended.kind is Kind.SET:
        assert set(intended.written) == differing
    for option, value in (made.after or {}).items():
        if option not in desired.values and option in actual.values:
            assert value == actual.values[option]


@given(situations())
def test_the_diff_shows_the_drift_and_nothing_else(situation: Situation) -> None:
    name, actual, desired = situation
    resource = RESOURCES[name]
    _, made = planned_or_skipped(resource, actual, desired)
    for side in made.diff:
        assert [line.partition(":")[0] for line in side.splitlines()] == [d.property for d in made.drift]
    assert made.diff[0] != made.diff[1] or not made.drift


@given(situations())
def test_a_plan_is_a_function_of_what_goes_in(situation: Situation) -> None:
    name, actual, desired = situation
    resource = RESOURCES[name]
    _, first = planned_or_skipped(resource, actual, desired)
    _, second = planned(resource, actual, desired)
    assert first == second


@given(situations())
def test_an_object_fed_back_to_its_module_is_in_the_desired_state(
    situation: Situation,
) -> None:
    name, actual, desired = situation
    resource = RESOURCES[name]
    intended, _ = planned(resource, actual, Desired(desired.identity, dict(actual.values)))
    assert intended.kind is Kind.NOTHING


def planned_or_skipped(resource: Resource, actual: Collection, desired: Desired) -> tuple[Assessment, Plan]:
    """Going over to default routing without a default route is the one wanted_values here that cannot be granted."""
    lacks_route = "default_route_fqdn" not in {**actual.values, **desired.values}
    assume(not (desired.values.get("routing_method") == "UseDefaultRouting" and lacks_route))
    return planned(resource, actual, desired)


MEDIA = RESOURCES["media_configuration"]
PROVIDER = RESOURCES["public_provider"]
EDGE = RESOURCES["access_edge_configuration"]
MEDIA_2010 = {
    "enable_qos": False,
    "encryption_level": "RequireEncryption",
    "enable_siren": False,
    "max_video_rate_allowed": "VGA600K",
}


def lines(made: Plan) -> list[str]:
    return [command.as_text() for command in made.commands]


def test_creation_sets_what_new_does_not_take_yet() -> None:
    site = Identity(Scope.SITE, "Redmond")
    intended, made = planned(MEDIA, None, Desired(site, {"enable_dtls": True, "enable_qos": True}))
    assert lines(made) == [
        "New-CsMediaConfiguration -Identity Site:Redmond -EnableQoS $true",
        "Set-CsMediaConfiguration -Identity Site:Redmond -EnableDtls $true",
    ]
    preview = intended.preview()
    assert preview is not None
    assert preview.as_text() == "New-CsMediaConfiguration -Identity Site:Redmond -EnableQoS $true -InMemory"
    assert made.before is None
    assert made.diff == ("state: absent\n", "state: present\nenable_qos: true\nenable_dtls: true\n")


def test_a_service_is_addressed_as_new_wants_it() -> None:
    service = Identity(Scope.SERVICE, "MediationServer:pool01.contoso.com")
    _, made = planned(MEDIA, None, Desired(service, {"enable_siren": True}))
    assert lines(made) == [
        "New-CsMediaConfiguration -Identity MediationServer:pool01.contoso.com -EnableSiren $true"
    ]
    assert made.after is not None
    assert made.after["identity"] == "Service:MediationServer:pool01.contoso.com"


def test_absent_on_global_resets_what_differs_from_the_defaults() -> None:
    actual = Collection(GLOBAL, {**MEDIA_2010, "enable_qos": True})
    intended = assess(MEDIA, actual, Desired(GLOBAL, present=False), EVERYTHING[MEDIA.name])
    made = plan(intended, Collection(GLOBAL, {**MEDIA_2010, "enable_dtls": True}))
    assert made.kind is Kind.RESET
    assert lines(made) == ["Remove-CsMediaConfiguration -Identity Global"]
    assert made.diff == ("enable_qos: true\n", "enable_qos: false\n")
    same = plan(
        assess(MEDIA, Collection(GLOBAL, MEDIA_2010), Desired(GLOBAL, present=False), EVERYTHING[MEDIA.name]),
        Collection(GLOBAL, MEDIA_2010),
    )
    assert same.kind is Kind.NOTHING


def test_a_removal_shows_what_is_lost() -> None:
    site = Identity(Scope.SITE, "Redmond")
    _, made = planned(MEDIA, Collection(site, MEDIA_2010), Desired(site, present=False))
    assert made.after is None
    assert made.diff[0].splitlines()[0] == "state: present"
    assert "encryption_level: RequireEncryption" in made.diff[0]
    assert made.diff[1] == "state: absent\n"
    assert mismatches(MEDIA, made.wanted, Collection(site, MEDIA_2010)) == [
        Mismatch("state", "absent", "present")
    ]


def test_parameters_that_a_version_lacks_are_all_named() -> None:
    actual = Collection(GLOBAL, MEDIA_2010)
    desired = Desired(GLOBAL, {"enable_dtls": True, "enable_h264_codec": False, "enable_qos": True})
    with pytest.raises(UnknownParameters) as unknown:
        assess(MEDIA, actual, desired, cmdlets_of(MEDIA, "2010"))
    assert [p.parameter for p in unknown.value.properties] == ["EnableH264Codec", "EnableDtls"]
    with pytest.raises(UnknownParameters):
        assess(MEDIA, None, Desired(IDENTITIES[MEDIA.name], {"enable_dtls": True}), cmdlets_of(MEDIA, "2010"))


def test_a_property_that_is_settable_but_not_shown_is_refused() -> None:
    with pytest.raises(Refused, match="can be neither compared nor verified"):
        planned(MEDIA, Collection(GLOBAL, MEDIA_2010), Desired(GLOBAL, {"enable_rtx": True}))


def test_without_a_setting_cmdlet_the_difference_is_told_all_the_same() -> None:
    cmdlets = Cmdlets({"Set-CsMediaConfiguration": None, "New-CsMediaConfiguration": None})
    made = plan(assess(MEDIA, Collection(GLOBAL, MEDIA_2010), Desired(GLOBAL, {"enable_qos": True}), cmdlets))
    assert made.missing == ("Set-CsMediaConfiguration",)
    assert made.diff == ("enable_qos: false\n", "enable_qos: true\n")


PROVIDER_VALUES = {
    "proxy_fqdn": "proxy.fabrikam.com",
    "enabled": True,
    "verification_level": "AlwaysVerifiable",
    "icon_url": "",
}


def test_what_only_new_takes_needs_leave_to_recreate() -> None:
    nulls = frozenset(option for option, value in PROVIDER_VALUES.items() if value in ("", []))
    actual = Collection(IDENTITIES["public_provider"], PROVIDER_VALUES, nulls)
    wanted_values = {"proxy_fqdn": "proxy2.fabrikam.com"}
    with pytest.raises(Refused, match=r"proxy_fqdn of the public provider 'Fabrikam'.*recreate: true"):
        planned(PROVIDER, actual, Desired(actual.identity, wanted_values))
    _, made = planned(PROVIDER, actual, Desired(actual.identity, wanted_values, recreate=True))
    assert lines(made) == [
        "Remove-CsPublicProvider -Identity Fabrikam",
        "New-CsPublicProvider -Identity Fabrikam -ProxyFqdn proxy2.fabrikam.com -Enabled $true -VerificationLevel "
        "AlwaysVerifiable",
    ]
    assert [command.as_text() for command in made.restoration] == [
        "Remove-CsPublicProvider -Identity Fabrikam",
        "New-CsPublicProvider -Identity Fabrikam -ProxyFqdn proxy.fabrikam.com -Enabled $true -VerificationLevel "
        "AlwaysVerifiable",
    ]


def test_leave_to_recreate_is_not_used_for_what_can_be_set() -> None:
    actual = Collection(IDENTITIES["public_provider"], PROVIDER_VALUES)
    intended, made = planned(PROVIDER, actual, Desired(actual.identity, {"enabled": False}, recreate=True))
    assert intended.kind is Kind.SET
    assert lines(made) == ["Set-CsPublicProvider -Identity Fabrikam -Enabled $false"]
    (back,) = made.restoration
    assert back.as_text() == "Set-CsPublicProvider -Identity Fabrikam -Enabled $true"


def test_creation_names_what_is_missing() -> None:
    with pytest.raises(Refused, match="does not exist, and creating it takes proxy_fqdn and enabled"):
        planned(
            PROVIDER, None, Desired(IDENTITIES["public_provider"], {"verification_level": "AlwaysVerifiable"})
        )


BY_DNS = {
    "allow_federated_users": False,
    "routing_method": "UseDnsSrvRouting",
    "enable_partner_discovery": True,
}
BY_DEFAULT = {
    "allow_federated_users": False,
    "routing_method": "UseDefaultRouting",
    "default_route_fqdn": "next.contoso.com",
}


@pytest.mark.parametrize(
    ("before", "wanted_values", "line"),
    [
        (BY_DNS, {"allow_federated_users": True}, "-Identity Global -AllowFederatedUsers $true"),
        (BY_DNS, {"enable_partner_discovery": False}, "-UseDnsSrvRouting -EnablePartnerDiscovery $false"),
        (
            BY_DNS,
            {"routing_method": "UseDefaultRouting", "default_route_fqdn": "edge.contoso.com"},
            "-UseDefaultRouting -DefaultRouteFqdn edge.contoso.com",
        ),
        (
            BY_DEFAULT,
            {"routing_method": "UseDnsSrvRouting", "allow_federated_users": True},
            "-AllowFederatedUsers $true -UseDnsSrvRouting -EnablePartnerDiscovery $false",
        ),
        (
            BY_DEFAULT,
            {"default_route_fqdn": "other.contoso.com"},
            "-UseDefaultRouting -DefaultRouteFqdn other.contoso.com",
        ),
    ],
)
def test_the_edge_is_written_by_the_parameter_set_of_its_routing(
    before: dict[str, Any], wanted_values: dict[str, Any], line: str
) -> None:
    _, made = planned(EDGE, Collection(GLOBAL, before), Desired(GLOBAL, wanted_values))
    assert lines(made) == [f"Set-CsAccessEdgeConfiguration {line}"]


def test_the_edge_keeps_the_route_it_has() -> None:
    before = {**BY_DEFAULT, "is_public_provider": False}
    _, made = planned(EDGE, Collection(GLOBAL, before), Desired(GLOBAL, {"is_public_provider": True}))
    assert lines(made) == [
        "Set-CsAccessEdgeConfiguration -UseDefaultRouting -DefaultRouteFqdn next.contoso.com -IsPublicProvider $true"
    ]


def test_a_property_of_the_other_routing_is_refused() -> None:
    with pytest.raises(
        Refused, match="default_route_fqdn exists only with routing_method: UseDefaultRouting"
    ):
        planned(EDGE, Collection(GLOBAL, BY_DNS), Desired(GLOBAL, {"default_route_fqdn": "edge.contoso.com"}))
    with pytest.raises(Refused, match="UseDefaultRouting needs default_route_fqdn"):
        planned(EDGE, Collection(GLOBAL, BY_DNS), Desired(GLOBAL, {"routing_method": "UseDefaultRouting"}))
