# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any noun by its name: what is learned of it, what may be asked of it, and how it differs from that."""

from __future__ import annotations

import datetime
import decimal
import uuid
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Hidden, RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.values import Version
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    Refused,
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import (
    any_noun,
    any_setting,
    catalogue,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.any_noun import Table
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.differences import (
    DifferenceKind,
    differences,
    renames,
    wanted_values,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import GLOBAL, stored
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.kinds import INTEGERS, Name
from hypothesis import given
from hypothesis import strategies as st

NOUNS = catalogue.nouns()
MANAGEABLE = catalogue.manageable()


def remote(noun: str, identity: str = "Global", /, **properties: Any) -> RemoteObject:
    return RemoteObject((NOUNS[noun].type_name,), {"Identity": identity, **properties}, None)


def table(noun: str, *objects: RemoteObject, **options: Any) -> Table:
    return any_noun.described(NOUNS[noun], objects, **options)


def found(noun: str, wanted: Mapping[str, Any], /, **properties: Any) -> list[tuple[str, DifferenceKind]]:
    """What of an object with these properties is not as wanted."""
    learned = table(noun, remote(noun, **properties))
    values = wanted_values(learned, wanted)
    return [(each.property, each.kind) for each in differences(learned.resource, learned.listed[0], values)]


VALUE, ORDER = DifferenceKind.VALUE, DifferenceKind.ORDER

# -- the catalogue ----------------------------------------------------------------------------------------------------


def test_a_noun_comes_behind_what_it_refers_to() -> None:
    names = list(NOUNS)
    for noun in NOUNS.values():
        for before in filter(None, [noun.parent, *noun.references.values()]):
            assert names.index(before) < names.index(noun.name), noun.name


@pytest.mark.parametrize("noun", NOUNS.values(), ids=lambda noun: noun.name)
def test_what_the_catalogue_names_is_in_it(noun: catalogue.Noun) -> None:
    assert {"Get"} <= noun.verbs <= {"Get", "New", "Set", "Remove"}
    assert noun.versions
    assert set(noun.children.values()) <= NOUNS.keys()
    assert all(NOUNS[child].parent == noun.name for child in noun.children.values() if NOUNS[child].parent)
    assert all(noun.documented(each) for follow in noun.follow_up for each in follow.properties)
    assert all(noun.documented(each) for each in noun.required if not noun.excluded)
    assert noun.has_priority == (
        noun.documented("Priority") is not None and "Priority" in noun.not_comparable
    )


def test_a_noun_is_found_in_any_case_and_a_slip_is_answered_with_what_is_near() -> None:
    assert catalogue.noun("csvoicepolicy").name == "CsVoicePolicy"
    with pytest.raises(UnusableArgument, match="CsVoicePolicy"):
        catalogue.noun("CsVoicePolcy")


@pytest.mark.parametrize(
    "noun", ["CsUser", "CsLisSubnet", "CsCertificate", "CsUserDatabaseState", "CsAdminRole", "CsSite"]
)
def test_what_is_not_configuration_is_refused_with_the_reason(noun: str) -> None:
    with pytest.raises(Refused, match=noun):
        any_setting.request({"noun": noun, "identity": "x"})


def test_follow_ups_may_belong_to_one_property() -> None:
    noun = NOUNS["CsSipDomain"]
    assert not noun.follow_ups(["Name"])
    assert noun.follow_ups(["isdefault"])[0].command == "Restart-Service RTCCAA, RTCCAS"
    assert NOUNS["CsAuthConfig"].follow_ups(["Scenario"])


# -- null, empty and missing ------------------------------------------------------------------------------------------

TEXTS_AND_LISTS = [
    (noun.name, name, documented.comparison)
    for noun in MANAGEABLE
    for name, documented in noun.properties.items()
    if documented.comparison is not None
    and documented.not_comparable is None
    and documented.comparison.option_type in ("str", "list")
    and not noun.name.startswith(("CsPublic", "CsMedia", "CsAccessEdge", "CsExternal"))
]


@pytest.mark.parametrize(("noun", "name", "comparison"), TEXTS_AND_LISTS, ids=lambda part: str(part)[:40])
def test_null_and_empty_are_the_same_to_texts_and_lists(noun: str, name: str, comparison: Any) -> None:
    is_list = comparison.option_type == "list"
    empty: Any = [] if is_list else ""
    if is_list or comparison == Name() or type(comparison).__name__ == "Text":
        for raw in (None, empty):
            learned = table(noun, remote(noun, **{name: raw}))
            for asked in (None, empty):
                values = wanted_values(learned, {name: asked})
                assert not differences(learned.resource, learned.listed[0], values)
    if is_list:
        learned = table(noun, remote(noun, **{name: ["a"]}))
        for asked in (None, empty):
            values = wanted_values(learned, {name: asked})
            assert differences(learned.resource, learned.listed[0], values)


def test_a_list_that_remoting_left_out_is_empty() -> None:
    learned = table(
        "CsVoicePolicy", remote("CsVoicePolicy", PstnUsages=["Local"]), remote("CsVoicePolicy", "Tag:Sales")
    )
    assert learned.listed[1].values["PstnUsages"] == []
    assert not differences(learned.resource, learned.listed[1], {"PstnUsages": []})
    assert differences(learned.resource, learned.listed[1], {"PstnUsages": ["Local"]})


@pytest.mark.parametrize("name", ["MaxTokenLifetime", "Newest"])
def test_null_comes_back_as_null_where_it_is_no_text(name: str) -> None:
    noun = "CsAVEdgeConfiguration"
    learned = table(
        noun, remote(noun, **{name: None}), parameters=[{"Newest": "datetime", "MaxTokenLifetime": ""}]
    )
    value = learned.listed[0].values[name]
    assert value is None
    assert not differences(learned.resource, learned.listed[0], wanted_values(learned, {name: value}))


def test_null_is_neither_false_nor_zero() -> None:
    assert found("CsVoicePolicy", {"EnableTeamCall": False}, EnableTeamCall=None) == [
        ("EnableTeamCall", VALUE)
    ]
    assert found("CsPinPolicy", {"MinPasswordLength": 0}, MinPasswordLength=None) == [
        ("MinPasswordLength", VALUE)
    ]


# -- case -------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "name", "current", "desired", "differs"),
    [
        ("CsTrunkConfiguration", "SRTPMode", "Required", "required", False),
        ("CsVoiceRoute", "NumberPattern", "^\\D", "^\\d", True),
        ("CsVoiceRoute", "Description", "Redmond", "redmond", True),
        ("CsVoiceRoute", "PstnUsages", ["Local"], ["LOCAL"], False),
        ("CsNetworkSite", "NetworkRegionID", "EMEA", "emea", False),
        ("CsAllowedDomain", "ProxyFqdn", "Edge.contoso.com", "edge.contoso.com.", False),
    ],
)
def test_names_fold_and_free_text_does_not(
    noun: str, name: str, current: Any, desired: Any, differs: bool
) -> None:
    assert bool(found(noun, {name.lower(): desired}, **{name: current})) == differs


def test_an_enumeration_of_a_later_update_is_carried_as_it_is() -> None:
    assert not found("CsTrunkConfiguration", {"SRTPMode": "BestEffort"}, SRTPMode="BestEffort")


# -- lists ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "name", "expected"),
    [
        ("CsVoicePolicy", "PstnUsages", [VALUE]),
        ("CsVoiceRoutingPolicy", "PstnUsages", [VALUE]),
        ("CsVoiceRoute", "PstnUsages", []),
        ("CsVoiceRoute", "PstnGatewayList", []),
        ("CsNetworkInterRegionRoute", "NetworkRegionLinks", [ORDER]),
    ],
)
def test_order_matters_where_it_is_known_to(noun: str, name: str, expected: list[DifferenceKind]) -> None:
    different = found(noun, {name: ["b", "a"]}, **{name: ["a", "b"]})
    assert [kind for _name, kind in different] == expected
    assert not found(noun, {name: ["a", "b"]}, **{name: ["a", "b"]})


@pytest.mark.parametrize("count", [0, 1, 2, 50])
def test_no_entry_is_lost(count: int) -> None:
    usages = [f"Usage {number}" for number in range(count)]
    assert table("CsPstnUsage", remote("CsPstnUsage", Usage=usages)).listed[0].values["Usage"] == usages


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"add": ["C"]}, ["A", "B", "C"]),
        ({"Add": "b"}, ["A", "B"]),
        ({"remove": ["a"], "add": ["C"]}, ["B", "C"]),
        ({"replace": ["X"]}, ["X"]),
        ({"remove": ["A", "B"]}, []),
    ],
)
def test_a_list_may_be_given_as_what_to_change(change: Any, expected: list[str]) -> None:
    learned = table("CsVoiceRoute", remote("CsVoiceRoute", "Route", PstnUsages=["A", "B"]))
    assert wanted_values(learned, {"PstnUsages": change}, actual=learned.listed[0]) == {
        "PstnUsages": expected
    }


@pytest.mark.parametrize(
    "change", [{"ad": ["C"]}, {"replace": [], "add": ["x"]}, {"add": ["x"], "remove": ["X"]}]
)
def test_a_change_of_a_list_that_has_no_meaning_is_refused(change: Any) -> None:
    learned = table("CsVoiceRoute", remote("CsVoiceRoute", "Route", PstnUsages=[]))
    with pytest.raises(UnusableArgument, match="PstnUsages"):
        wanted_values(learned, {"PstnUsages": change}, actual=learned.listed[0])


LISTS = st.lists(st.sampled_from("abcdefgABC"), unique_by=str.lower, max_size=6)


@given(LISTS, LISTS, st.sampled_from(["CsVoicePolicy", "CsVoiceRoute", "CsNetworkInterRegionRoute"]))
def test_a_list_modifier_makes_of_the_present_list_the_wanted_one(
    present: list[str], desired: list[str], noun: str
) -> None:
    name = "NetworkRegionLinks" if noun == "CsNetworkInterRegionRoute" else "PstnUsages"
    comparison = NOUNS[noun].properties[name].comparison
    assert comparison is not None
    change = comparison.modify(desired, present)
    made = list(present)
    if change.get("Replace"):
        made = list(change["Replace"])
    else:
        made = [each for each in made if each not in change.get("Remove", ())] + change.get("Add", [])
    assert comparison.same(made, desired)
    # An empty replacement replaces nothing.
    assert change != {"Replace": []} or not present


def test_a_list_that_is_put_back_has_its_order_again() -> None:
    comparison = NOUNS["CsPstnUsage"].properties["Usage"].comparison
    assert comparison is not None
    assert comparison.modify(["Local", "Fax"], ["Fax"]) == {"Add": ["Local"]}
    assert comparison.ordered.modify(["Local", "Fax"], ["Fax"]) == {"Replace": ["Local", "Fax"]}
    assert not comparison.ordered.same(["Local", "Fax"], ["Fax", "Local"])


# -- what is written by hand ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("noun", "name", "given_value", "expected"),
    [
        ("CsUnassignedNumber", "NumberRangeStart", "+14255551212", "+14255551212"),
        ("CsUnassignedNumber", "NumberRangeStart", 14255551212, None),
        ("CsCallParkOrbit", "NumberRangeStart", "0755", "0755"),
        ("CsCallParkOrbit", "NumberRangeStart", 493, None),
        ("CsDialInConferencingAccessNumber", "LineURI", 14255551212, None),
        ("CsVoiceNormalizationRule", "Pattern", "^(\\d{4})$", "^(\\d{4})$"),
        ("CsLocationPolicy", "LocationRequired", "no", "no"),
        ("CsLocationPolicy", "LocationRequired", False, None),
        ("CsAVEdgeConfiguration", "MaxTokenLifetime", "8:00", "08:00:00"),
        ("CsAVEdgeConfiguration", "MaxTokenLifetime", 480, None),
        ("CsAVEdgeConfiguration", "MaxTokenLifetime", "8", None),
        ("CsAVEdgeConfiguration", "MaxTokenLifetime", "25:00:00", None),
        ("CsAVEdgeConfiguration", "MaxTokenLifetime", "1.02:03:04.5", "1.02:03:04.5000000"),
        ("CsVoicePolicy", "EnableTeamCall", "no", False),
        ("CsVoicePolicy", "EnableTeamCall", "$true", True),
        ("CsVoicePolicy", "EnableTeamCall", "maybe", None),
        ("CsVoicePolicy", "EnableTeamCall", 1, None),
        ("CsPinPolicy", "MinPasswordLength", "5", 5),
        ("CsPinPolicy", "MinPasswordLength", "05", None),
        ("CsPinPolicy", "MinPasswordLength", True, None),
        ("CsPinPolicy", "MinPasswordLength", -1, None),
        ("CsVoicePolicy", "PstnUsages", ["Local", 911], None),
        ("CsVoicePolicy", "PstnUsages", "Local", None),
        ("CsVoicePolicy", "Description", datetime.date(2024, 2, 3), None),
    ],
)
def test_nothing_that_a_person_wrote_loses_a_digit(
    noun: str, name: str, given_value: Any, expected: Any
) -> None:
    learned = table(noun, *([remote(noun)] if NOUNS[noun].always_global else []))
    if expected is None:
        with pytest.raises(UnusableArgument, match=f"^{name}: "):
            wanted_values(learned, {name: given_value})
    else:
        assert wanted_values(learned, {name: given_value}) == {name: expected}


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("Colour", "no such property"),
        ("NormalizationRules", "own noun"),
        ("normalizationrules", "own noun"),
    ],
)
def test_what_is_not_managed_is_refused_by_its_name(name: str, sentence: str) -> None:
    with pytest.raises(UnusableArgument, match=sentence):
        wanted_values(table("CsDialPlan", remote("CsDialPlan")), {name: "x"})


def test_one_property_in_two_spellings_is_refused() -> None:
    with pytest.raises(UnusableArgument, match="twice"):
        wanted_values(table("CsDialPlan", remote("CsDialPlan")), {"City": "a", "city": "b"})


# -- what the wire makes of values ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("raw", "desired", "differs"),
    [
        (datetime.timedelta(hours=8), "8:00:00", False),
        (datetime.timedelta(hours=8), "08:00:01", True),
        (decimal.Decimal("0.1"), 0.1, False),
        (0.10000000149011612, "0.1", False),
        (0.11, 0.1, True),
        (Version("1.10"), "1.1", True),
        (Version("1.10.0.0"), "1.10.0.0", False),
        (uuid.UUID(int=1), "00000000-0000-0000-0000-000000000001", False),
        ({"a": 1}, {"a": 1}, False),
        ({"a": 1}, {"a": 2}, True),
        ({"a": 1, "b": True, "c": None, "d": "x"}, {"A": "1", "b": "true", "c": "", "d": "x"}, False),
        ({"a": 1}, {"a": "01"}, True),
        (2**40, 2**40, False),
        (datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc), "2026-01-01T00:00:00Z", False),
    ],
)
def test_values_are_compared_by_what_they_are(raw: Any, desired: Any, differs: bool) -> None:
    assert bool(found("CsVoicePolicy", {"Newest": desired}, Newest=raw)) == differs


@given(st.timedeltas(datetime.timedelta(-9999), datetime.timedelta(9999)))
def test_a_time_span_comes_back_as_it_was_read(span: datetime.timedelta) -> None:
    learned = table("CsAVEdgeConfiguration", remote("CsAVEdgeConfiguration", MaxTokenLifetime=span))
    text = learned.listed[0].values["MaxTokenLifetime"]
    assert wanted_values(learned, {"MaxTokenLifetime": text}) == {"MaxTokenLifetime": text}
    assert learned.resource.property_of("MaxTokenLifetime").sent(text) == span


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"SRTPMode": 1}, catalogue.UNREADABLE),
        ({"EnableBypass": "True"}, catalogue.UNREADABLE),
        ({"PstnUsages": "a b"}, catalogue.UNREADABLE),
        ({"Newest": b"bytes"}, catalogue.UNREADABLE),
        ({"Newest": "Microsoft.Rtc.Management.WritableConfig.Thing"}, catalogue.UNREADABLE),
        ({"Newest": ["Microsoft.Rtc.Management.WritableConfig.Thing"]}, catalogue.UNREADABLE),
        ({"Newest": RemoteObject(("A.B",), {"x": 1}, None)}, catalogue.UNREADABLE),
        ({"Newest": Hidden.SECURE_STRING}, catalogue.SECRET),
        ({"OutboundTranslationRulesList": ["a"]}, catalogue.CHILDREN),
    ],
)
def test_what_remoting_does_not_show_faithfully_is_not_comparable(properties: Any, reason: str) -> None:
    learned = table("CsTrunkConfiguration", remote("CsTrunkConfiguration", **properties))
    (name,) = properties
    assert learned.not_comparable[name] == reason
    assert name not in learned.listed[0].values


def test_no_secret_is_read() -> None:
    canary = "canary-4711"
    learned = table(
        "CsXmppGatewayConfiguration", remote("CsXmppGatewayConfiguration", DialbackPassphrase=canary, Other=1)
    )
    assert canary not in repr((learned.listed, learned.shape))
    assert learned.not_comparable["DialbackPassphrase"] == catalogue.SECRET


def test_a_parameter_of_a_secret_type_is_a_secret_whatever_its_name() -> None:
    learned = table(
        "CsDialPlan", remote("CsDialPlan", Harmless="x"), parameters=[{"Harmless": "SecureString"}]
    )
    assert learned.not_comparable["Harmless"] == catalogue.SECRET


def test_the_type_of_a_parameter_tells_text_from_a_name() -> None:
    for type_name, differs in (("string", True), ("DisplayMode", False)):
        learned = table("CsDialPlan", remote("CsDialPlan", Newest="Big"), parameters=[{"Newest": type_name}])
        values = wanted_values(learned, {"Newest": "big"})
        assert bool(differences(learned.resource, learned.listed[0], values)) == differs


def test_a_shape_is_the_types_of_the_values_that_are_present() -> None:
    learned = table(
        "CsDialPlan",
        remote("CsDialPlan", City=None, Name="x", NormalizationRules=["a"]),
        remote("CsDialPlan", "Tag:Other", City="Redmond", Numbers=[1, "a"]),
    )
    assert learned.shape == {
        "City": ("text",),
        "Name": ("text",),
        "NormalizationRules": ("list of text",),
        "Numbers": ("list of int or text",),
    }


def test_an_answer_without_what_always_exists_proves_nothing() -> None:
    with pytest.raises(Unreadable):
        table("CsVoicePolicy")
    assert table("CsVoiceRoute").listed == ()


def test_an_object_under_another_name_is_found_where_only_one_will_do() -> None:
    noun = "CsVoiceRoute"
    learned = table(
        noun, *(remote(noun, name, NumberPattern=pattern) for name, pattern in [("B", "^1"), ("C", "^2")])
    )
    scopes = NOUNS[noun].scopes
    missing: dict[Any, Any] = {stored("A", scopes): {"NumberPattern": "^1"}}
    pairs = renames(learned.resource, missing, learned.listed)
    assert [(str(old), str(new)) for old, new in pairs] == [("A", "B")]
    missing[stored("Z", scopes)] = {"NumberPattern": "^1"}
    assert renames(learned.resource, missing, learned.listed) == []
    assert renames(learned.resource, {stored("A", scopes): {}}, learned.listed) == []


# -- identities and order ---------------------------------------------------------------------------------------------


def test_a_rule_is_found_in_every_spelling() -> None:
    scopes = NOUNS["CsVoiceNormalizationRule"].scopes
    assert stored("Tag:Redmond/Prefix All", scopes) == stored("redmond/PREFIX ALL", scopes)
    assert str(stored("global/Keep All", scopes)) == "Global/Keep All"
    assert stored("Service:PstnGateway:gw.contoso.com/x", scopes).argument == "PstnGateway:gw.contoso.com/x"
    assert stored("Global/a", scopes) != GLOBAL


def test_the_order_of_rules_is_that_of_their_priorities_in_each_dial_plan() -> None:
    noun = "CsVoiceNormalizationRule"
    rules = [("Tag:A/x", 1), ("Global/b", 1), ("Tag:A/y", 0), ("Global/a", 0)]
    learned = table(noun, *(remote(noun, name, Priority=priority, Pattern="^1$") for name, priority in rules))
    assert [str(each) for each in learned.order] == ["Global/a", "Global/b", "Tag:A/y", "Tag:A/x"]
    assert all("Priority" not in each.values for each in learned.listed)
    assert learned.not_comparable["Priority"] == catalogue.PRIORITY
    asked = table(noun, remote(noun, "Global/a", Priority=3), with_priority=True)
    assert asked.listed[0].values["Priority"] == 3


@pytest.mark.parametrize("noun", ["CsMediaConfiguration", "CsPublicProvider", "CsAccessEdgeConfiguration"])
def test_a_noun_with_a_module_keeps_its_reasons_under_the_management_shells_names(noun: str) -> None:
    resource = any_noun._by_property_names(noun)
    assert resource is not None
    assert resource.name == noun
    assert all(p.option == (p.attribute or p.parameter) for p in resource.properties)
    assert {p.only_with[0] for p in resource.properties if p.only_with} <= {
        p.option for p in resource.properties
    }


@pytest.mark.parametrize(
    "arguments",
    [
        {"noun": "CsVoicePolicy", "state": "absent"},
        {"noun": "CsVoicePolicy", "identity": "Tag:Sales", "state": "reset"},
        {"noun": "CsVoicePolicy", "identity": "Tag:Sales", "state": "absent", "properties": {"Name": "x"}},
        {"noun": "CsVoiceRoute"},
        {"noun": "CsVoiceNormalizationRule", "identity": "Global"},
        {"noun": "CsVoicePolicy", "identity": "service:Registrar:pool01.contoso.com"},
        {"noun": "CsPstnUsage", "state": "reset"},
    ],
)
def test_what_cannot_be_asked_is_refused_before_anything_is_read(arguments: Any) -> None:
    with pytest.raises(UnusableArgument):
        any_setting.request(arguments)


def test_the_integers_of_net_know_their_ends() -> None:
    for bits in (16, 32, 64):
        assert INTEGERS[f"UInt{bits}"].problem(2**bits) is not None
        assert INTEGERS[f"UInt{bits}"].problem(2**bits - 1) is None
        assert INTEGERS[f"Int{bits}"].problem(-(2 ** (bits - 1)) - 1) is not None
        assert INTEGERS[f"Int{bits}"].problem(-(2 ** (bits - 1))) is None
