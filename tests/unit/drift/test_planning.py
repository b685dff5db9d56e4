# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Merging what is wanted, comparing it with what was read, and planning what is done: pure functions on real tables."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift import baseline, plan, requests
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.assessing import must_be_whole, reported
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.baseline import Baseline
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.comparing import (
    Comparison,
    Server,
    compare,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.documents import Document, UnusableFile
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import (
    Explanation,
    Finding,
    Kind,
    Unknown,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.history import Fight, LastSeen, SeenNoun
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.manifest import (
    Export,
    Manifest,
    NounExport,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.plan import (
    Choice,
    Limits,
    Plan,
    Rights,
    brake,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import RemoteObject
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import BadArgument
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import catalogue
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.any_noun import described
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.nouns import Outcome, Reading

NOW = "2026-11-28T02:00:00Z"
SERVER = Server("contoso", "pool01", "admin", "2013 (5.0.8308.0)")
WHOLE = Manifest(
    nouns={
        name: NounExport(Export.READ)
        for name in ("CsVoicePolicy", "CsVoiceRoute", "CsPstnUsage", "CsMediaConfiguration")
    }
)
EVERYTHING = Rights({name: frozenset(("Get", "New", "Set", "Remove")) for name in catalogue.nouns()})


def reading(noun: str, *objects: dict[str, Any]) -> Reading:
    known = catalogue.noun(noun)
    remotes = [RemoteObject((known.type_name, "System.Object"), each) for each in objects]
    return Reading(known, Outcome.READ, described(known, remotes))


USAGES = reading("CsPstnUsage", {"Identity": "Global", "Usage": ["Local", "Long"]})
POLICIES = reading(
    "CsVoicePolicy",
    {"Identity": "Global", "AllowCallForwarding": True, "PstnUsages": ["Local"], "Description": None},
    {
        "Identity": "Tag:Sales",
        "AllowCallForwarding": True,
        "PstnUsages": ["Local", "Long"],
        "Description": None,
    },
)
ROUTES = reading(
    "CsVoiceRoute",
    *(
        {
            "Identity": name,
            "Priority": number,
            "NumberPattern": "^1",
            "PstnUsages": ["Local"],
            "PstnGatewayList": [],
        }
        for number, name in enumerate("ABC")
    ),
)
READINGS = {each.noun.name: each for each in (USAGES, POLICIES, ROUTES)}
FILES = {
    "CsPstnUsage": "objects:\n  Global:\n    Usage: [Long, Local]\n",
    "CsVoicePolicy": (
        "objects:\n  Global:\n    AllowCallForwarding: true\n    PstnUsages: [Local]\n"
        "  Tag:Sales:\n    AllowCallForwarding: true\n    PstnUsages: [Local, Long]\n"
    ),
    "CsVoiceRoute": (
        "order: [A, B, C]\nobjects:\n"
        + "".join(f"  {name}:\n    NumberPattern: ^1\n    PstnUsages: [Local]\n" for name in "ABC")
    ),
}


def asked(wanted: Any = None, **files: str) -> requests.Requests:
    parsed = {
        name.upper(): baseline.parse(Document(f"b/{name}.yml", f"format: 1\nnoun: {name}\n{text}"))
        for name, text in files.items()
    }
    found = requests.from_baseline(baseline.Baseline("b", parsed), lambda noun: True)
    return replace(found, requests=(*found.requests, *(requests.from_variable(wanted) if wanted else ())))


def compared(
    files: dict[str, str],
    readings: dict[str, Reading] | None = None,
    last: LastSeen | None = None,
    manifest: Manifest | None = WHOLE,
    **more: Any,
) -> Comparison:
    return compare(
        SERVER, asked(**files, **more), {**READINGS, **(readings or {})}, last or LastSeen(), manifest, NOW
    )


def found(comparison: Comparison) -> list[tuple[str, str, Kind]]:
    return [(each.name, each.property, each.kind) for each in comparison.findings]


def edited(noun: str, old: str, new: str) -> dict[str, str]:
    assert old in FILES[noun]
    return {**FILES, noun: FILES[noun].replace(old, new)}


def test_what_is_as_wanted_is_counted_and_nothing_is_found() -> None:
    comparison = compared(FILES)
    assert comparison.findings == ()
    assert comparison.as_wanted == {"CsPstnUsage": 2, "CsVoicePolicy": 6, "CsVoiceRoute": 12}


@pytest.mark.parametrize(
    ("noun", "old", "new", "expected"),
    [
        (
            "CsVoicePolicy",
            "[Local, Long]",
            "[Long, Local]",
            [("CsVoicePolicy Tag:Sales", "PstnUsages", Kind.VALUE)],
        ),
        ("CsVoicePolicy", "[Local, Long]", "[]", [("CsVoicePolicy Tag:Sales", "PstnUsages", Kind.VALUE)]),
        ("CsVoicePolicy", "[Local, Long]", "null", [("CsVoicePolicy Tag:Sales", "PstnUsages", Kind.VALUE)]),
        ("CsPstnUsage", "[Long, Local]", "[LOCAL, long]", []),
        ("CsVoicePolicy", "Tag:Sales", "sales", []),
        (
            "CsVoicePolicy",
            "AllowCallForwarding: true\n    PstnUsages: [Local]",
            "allowcallforwarding: True",
            [],
        ),
        ("CsVoicePolicy", "PstnUsages: [Local]", "Description: ''", []),
        (
            "CsVoiceRoute",
            "order: [A, B, C]",
            "order: [C, A, B]",
            [("CsVoiceRoute C", "order", Kind.SEQUENCE)],
        ),
        (
            "CsVoiceRoute",
            "^1\n    PstnUsages: [Local]\n  B",
            "^2\n    PstnUsages: [Local]\n  B",
            [("CsVoiceRoute A", "NumberPattern", Kind.VALUE)],
        ),
        (
            "CsVoicePolicy",
            "  Tag:Sales:",
            "  Tag:Other: {}\n  Tag:Sales:",
            [("CsVoicePolicy Tag:Other", "existence", Kind.MISSING)],
        ),
        (
            "CsVoicePolicy",
            "  Tag:Sales:\n    AllowCallForwarding: true\n    PstnUsages: [Local, Long]",
            "  Tag:Sales: absent",
            [("CsVoicePolicy Tag:Sales", "existence", Kind.UNWANTED)],
        ),
        (
            "CsVoicePolicy",
            "  Tag:Sales:\n    AllowCallForwarding: true\n    PstnUsages: [Local, Long]\n",
            "",
            [("CsVoicePolicy Tag:Sales", "existence", Kind.EXTRA)],
        ),
    ],
)
def test_one_change_is_one_finding(
    noun: str, old: str, new: str, expected: list[tuple[str, str, Kind]]
) -> None:
    assert found(compared(edited(noun, old, new))) == expected


def test_an_object_is_extra_only_where_the_whole_noun_was_written_down() -> None:
    files = {"CsVoicePolicy": "objects:\n  Global:\n    AllowCallForwarding: true\n"}
    assert found(compared(files)) == [("CsVoicePolicy Tag:Sales", "existence", Kind.EXTRA)]
    assert found(compared(files, manifest=None)) == []


def test_an_object_under_another_name_is_shown_beside_the_one_that_is_missing() -> None:
    now = [
        {"Identity": "Global", "PstnUsages": ["Local"]},
        {"Identity": "Tag:Sellers", "PstnUsages": ["Long"], "Description": "They sell"},
        {"Identity": "Tag:Other", "PstnUsages": [], "Description": "They sell"},
    ]
    files = {
        "CsVoicePolicy": "objects:\n  Global: {}\n  Tag:Sales:\n    PstnUsages: [Long]\n    Description: They sell\n"
    }
    details = {
        each.identity: each.detail
        for each in compared(files, {"CsVoicePolicy": reading("CsVoicePolicy", *now)}).findings
    }
    assert "Tag:Sellers" in details["Tag:Sales"]
    assert "Tag:Sales" in details["Tag:Sellers"]
    assert details["Tag:Other"] == ""


def test_no_global_object_in_a_file_is_no_extra_object() -> None:
    assert found(compared({"CsPstnUsage": "objects: {}\n"})) == []


@pytest.mark.parametrize(
    "text",
    [
        "objects:\n  Global:\n    Nothing: 1\n",
        "objects:\n  Global:\n    AllowCallForwarding: maybe\n",
        "objects:\n  Service:X:pool.contoso.com: {}\n",
        "objects:\n  Global: absent\n",
        "order: [Global]\nobjects:\n  Global: {}\n",
    ],
)
def test_what_cannot_be_wanted_is_refused_with_file_and_line(text: str) -> None:
    with pytest.raises(BadArgument, match=r"^b/CsVoicePolicy\.yml:\d+"):
        compared({"CsVoicePolicy": text})


def test_a_property_of_another_version_is_refused_though_a_module_knows_it() -> None:
    media = reading("CsMediaConfiguration", {"Identity": "Global", "EnableQoS": False})
    files = {"CsMediaConfiguration": "objects:\n  Global:\n    EnableQoS: false\n    EnableSiren: true\n"}
    with pytest.raises(BadArgument, match=r"^b/CsMediaConfiguration\.yml:6: .* no property EnableSiren"):
        compared(files, {"CsMediaConfiguration": media})


def test_two_values_for_one_property_are_an_error_that_names_both_places() -> None:
    wanted = [{"noun": "csvoicepolicy", "identity": "GLOBAL", "properties": {"allowcallforwarding": False}}]
    with pytest.raises(BadArgument) as caught:
        compared(FILES, wanted=wanted)
    assert "b/CsVoicePolicy.yml:5" in str(caught.value)
    assert "drift_wanted[0]" in str(caught.value)


def test_the_same_value_from_two_places_names_both() -> None:
    wanted = [{"noun": "CsVoicePolicy", "identity": "Global", "properties": {"AllowCallForwarding": False}}]
    files = edited(
        "CsVoicePolicy", "AllowCallForwarding: true\n    PstnUsages: [Local]", "AllowCallForwarding: 'False'"
    )
    (finding,) = compared(files, wanted=wanted).findings
    assert finding.origins == ("b/CsVoicePolicy.yml:5", "drift_wanted[0]")
    assert "Set-CsVoicePolicy" in finding.command


def test_a_role_that_contradicts_the_baseline_is_named() -> None:
    role = requests.from_federation_role({"windows_live_av_federation_state": "present"})
    media = reading(
        "CsMediaConfiguration",
        {"Identity": "Global", "EncryptionLevel": "RequireEncryption", "MaxVideoRateAllowed": "VGA600K"},
    )
    access = reading(
        "CsExternalAccessPolicy",
        {"Identity": "Global", "EnablePublicCloudAccess": True, "EnablePublicCloudAudioVideoAccess": True},
    )
    files = asked(CsMediaConfiguration="objects:\n  Global:\n    EncryptionLevel: RequireEncryption\n")
    both = replace(files, requests=(*files.requests, *role))
    with pytest.raises(BadArgument, match="windows_live_av_federation_state"):
        compare(SERVER, both, {media.noun.name: media, access.noun.name: access}, LastSeen(), None, NOW)


@pytest.mark.parametrize(
    "wanted",
    [
        {},
        [5],
        [{"noun": "CsVoicePolicy"}],
        [{"noun": "CsVoicePolicy", "identity": "Global", "property": {}}],
        [{"noun": "CsNothing", "identity": "Global"}],
        [{"noun": "CsUser", "identity": "ken"}],
        [{"noun": "CsVoicePolicy", "identity": "Global", "state": "gone"}],
        [{"noun": "CsVoicePolicy", "identity": "Tag:X", "state": "absent", "properties": {"A": 1}}],
    ],
)
def test_a_variable_that_cannot_be_right_is_named(wanted: Any) -> None:
    with pytest.raises(BadArgument, match=r"^drift_wanted"):
        requests.from_variable(wanted)


# -- what cannot be judged --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("outcome", "kind", "unknown"),
    [
        (Outcome.FAILED, "timed_out", Unknown.TIMED_OUT),
        (Outcome.FAILED, "command_error", Unknown.FAILED),
        (Outcome.NOT_PERMITTED, "", Unknown.NOT_PERMITTED),
    ],
)
def test_a_noun_that_was_not_read_is_unknown_and_the_others_are_judged(
    outcome: Outcome, kind: str, unknown: Unknown
) -> None:
    lost = Reading(catalogue.noun("CsVoicePolicy"), outcome, failure="It failed.", kind=kind)
    comparison = compared(FILES, {"CsVoicePolicy": lost})
    assert [(each.noun, each.unknown) for each in comparison.findings] == [("CsVoicePolicy", unknown)]
    assert set(comparison.as_wanted) == {"CsPstnUsage", "CsVoiceRoute"}
    assert "CSVOICEPOLICY" not in comparison.seen


def test_what_the_manifest_records_as_not_permitted_is_coverage() -> None:
    lost = Reading(catalogue.noun("CsVoicePolicy"), Outcome.NOT_PERMITTED)
    manifest = Manifest(nouns={"CsVoicePolicy": NounExport(Export.NOT_PERMITTED)})
    comparison = compared(FILES, {"CsVoicePolicy": lost}, manifest=manifest)
    assert comparison.findings == ()
    assert comparison.coverage.not_permitted == ("CsVoicePolicy",)


def test_a_changed_shape_is_one_unknown_noun() -> None:
    last = LastSeen(
        NOW, {"CSVOICEPOLICY": SeenNoun(NOW, "x", "admin", {"AllowCallForwarding": ("str",)}, {})}
    )
    (finding,) = compared(FILES, last=last).findings
    assert (finding.unknown, finding.noun) == (Unknown.SHAPE_CHANGED, "CsVoicePolicy")


@pytest.mark.parametrize(
    ("account", "unknown"), [("other", Unknown.NOT_PERMITTED), ("ADMIN", Unknown.SHAPE_CHANGED)]
)
def test_a_property_that_is_not_shown_any_more(account: str, unknown: Unknown) -> None:
    last = LastSeen(NOW, {"CSVOICEPOLICY": SeenNoun(NOW, "x", account, {"Hidden": ("bool",)}, {})})
    files = edited("CsVoicePolicy", "PstnUsages: [Local]\n", "Hidden: true\n")
    (finding,) = compared(files, last=last).findings
    assert finding.unknown is unknown


# -- plans ------------------------------------------------------------------------------------------------------------


def planned(
    files: dict[str, str],
    choice: Choice | None = None,
    last: LastSeen | None = None,
    rights: Rights = EVERYTHING,
    **more: Any,
) -> Plan:
    comparison = compared(files)
    findings = [replace(each, **more) for each in comparison.findings]
    return plan.plan(
        comparison, findings, READINGS, last or LastSeen(), choice or Choice(), rights, SERVER.version
    )


DIFFERENT = {
    "CsPstnUsage": "objects:\n  Global:\n    Usage: [Long, Local, New]\n",
    "CsVoicePolicy": (
        "objects:\n  Global:\n    PstnUsages: [New]\n  Tag:Sales: absent\n  Tag:More:\n    PstnUsages: [New]\n"
    ),
    "CsVoiceRoute": "order: [B, A, C]\nobjects:\n  A: {PstnUsages: [New]}\n  B: {}\n  C: {}\n",
}


def test_the_order_is_that_of_references_and_removals_come_last() -> None:
    steps = planned(DIFFERENT).steps
    assert [(step.noun, str(step.identity or "order"), step.present) for step in steps] == [
        ("CsPstnUsage", "Global", True),
        ("CsVoiceRoute", "A", True),
        ("CsVoiceRoute", "order", True),
        ("CsVoicePolicy", "Global", True),
        ("CsVoicePolicy", "Tag:More", True),
        ("CsVoicePolicy", "Tag:Sales", False),
    ]
    assert steps[4].values == {"PstnUsages": ["New"]}


def test_a_usage_goes_when_nothing_has_it_any_more() -> None:
    files = {
        "CsPstnUsage": "objects:\n  Global:\n    Usage: [local]\n",
        "CsVoicePolicy": "objects:\n  Global:\n    PstnUsages: []\n  Tag:Sales: absent\n",
    }
    assert [step.noun for step in planned(files).steps] == ["CsVoicePolicy", "CsVoicePolicy", "CsPstnUsage"]


def test_what_is_new_is_brought_into_its_place() -> None:
    files = {
        "CsVoiceRoute": "order: [New, A, B, C]\nobjects:\n  A: {}\n  B: {}\n  C: {}\n  New: {NumberPattern: ^2}\n"
    }
    found = planned(files)
    assert [str(step.identity or "order") for step in found.steps] == ["New", "order"]
    assert (found.corrections, found.corrected_objects) == (1, 1)


def test_a_reference_to_what_exists_nowhere_is_refused() -> None:
    with pytest.raises(BadArgument, match=r"^b/CsVoicePolicy\.yml:\d+: .*Nowhere"):
        planned({"CsVoicePolicy": "objects:\n  Global:\n    PstnUsages: [Nowhere]\n"})


def only(finding: Finding) -> Choice:
    return Choice(frozenset((finding.id,)))


def test_what_is_waived_explained_or_fought_is_left_alone() -> None:
    files = edited("CsVoicePolicy", "[Local, Long]", "[Long]")
    (finding,) = planned(files).findings
    assert len(planned(files).steps) == 1
    assert not planned(files, waiver={"owner": "Ann"}).steps
    assert not planned(files, only(finding), waiver={"owner": "Ann"}).steps
    ours = Explanation("run", "change", "module", NOW)
    assert not planned(files, explained=ours).steps
    assert planned(files, only(finding), explained=ours).steps
    fought = LastSeen(fights={finding.key: Fight(finding.current, finding.desired, 3)})
    assert not planned(files, last=fought).steps
    assert planned(files, only(finding), last=fought).steps
    kept = LastSeen(not_kept={finding.key: (finding.desired, SERVER.version)})
    assert not planned(files, last=kept).steps
    assert planned(files, only(finding), last=kept).steps
    assert planned(files, last=replace(kept, not_kept={finding.key: (finding.desired, "other")})).steps
    assert not planned(files, rights=Rights({"CsVoicePolicy": frozenset(("Get",))})).steps
    assert all(each.held for each in planned(files, waiver={"owner": "Ann"}).findings)


def test_extra_objects_are_removed_only_where_that_is_asked_for() -> None:
    files = {"CsVoicePolicy": "objects:\n  Global: {}\n"}
    (finding,) = planned(files).findings
    assert finding.held
    assert planned(files, Choice(remove_unmanaged=True)).removals == 1
    assert planned(files, only(finding)).removals == 1


def test_an_id_that_no_finding_has_is_refused() -> None:
    with pytest.raises(BadArgument, match="0badcafe"):
        planned(FILES, Choice(frozenset(("0badcafe",))))


@pytest.mark.parametrize(
    ("limits", "unknown", "named", "stops"),
    [
        (Limits(), 0, False, "removals=1"),
        (Limits(removals=1), 0, False, ""),
        (Limits(confirmed_removals=1), 0, False, ""),
        (Limits(confirmed_removals=2), 0, False, "removals=1"),
        (Limits(removals=1, corrections=4), 0, False, "corrections=5"),
        (Limits(removals=1, corrections=4, confirmed_corrections=5), 0, False, ""),
        (Limits(removals=1, corrections=4, confirmed_corrections=4), 0, False, "corrections=5"),
        (Limits(removals=1, corrections=4), 0, True, ""),
        (Limits(corrections=0), 0, True, "removals=1"),
        (Limits(removals=1), 1, False, "unknown=1"),
        (Limits(removals=1, confirmed_unknown=1), 1, False, ""),
    ],
)
def test_brakes_are_released_by_the_number_and_by_no_other(
    limits: Limits, unknown: int, named: bool, stops: str
) -> None:
    objection = brake(planned(DIFFERENT), unknown, 3, limits, named=named)
    assert objection.endswith(f"drift_confirm_{stops}") if stops else objection == ""


def test_a_share_of_many_objects_stops_as_well() -> None:
    few = replace(planned(edited("CsVoicePolicy", "[Local, Long]", "[Long]")), objects=9)
    assert brake(few, 0, 3, Limits(share=0.05), named=False) == ""
    many = replace(few, objects=10)
    assert brake(many, 0, 3, Limits(share=0.05), named=False)
    assert brake(many, 0, 3, Limits(share=0.1), named=False) == ""


UTC = datetime.timezone.utc


@pytest.mark.parametrize(("until", "paused"), [("2026-11-28T03:00Z", True), ("2026-11-28 01:00", False)])
def test_a_pause_ends(until: str, paused: bool) -> None:
    value = {"until": until, "owner": "Ann", "reason": "Migration"}
    assert (plan.pause_of(value, datetime.datetime(2026, 11, 28, 2, tzinfo=UTC)) is not None) is paused


@pytest.mark.parametrize(
    "value",
    [
        {"until": "x"},
        {"until": "x", "owner": "a", "reason": "b"},
        "soon",
        {"until": "2027-01-01", "owner": "", "reason": "b"},
    ],
)
def test_a_pause_that_nobody_answers_for_is_refused(value: Any) -> None:
    with pytest.raises(BadArgument, match=r"^drift_pause"):
        plan.pause_of(value, datetime.datetime(2026, 11, 28, 2, tzinfo=UTC))


@pytest.mark.parametrize("text", ["", "7c1e09", "7c1e09ab,xyz", "7c1e09ab1"])
def test_only_ids_are_ids(text: str) -> None:
    with pytest.raises(BadArgument):
        plan.chosen_ids(text)
    assert plan.chosen_ids("7C1E09AB, 0b3df211") == {"7c1e09ab", "0b3df211"}


def test_severity_and_reason_come_from_the_table() -> None:
    (finding,) = compared(edited("CsVoicePolicy", "[Local, Long]", "[Long]")).findings
    assert finding.severity in Severity
    assert finding.reason == catalogue.noun("CsVoicePolicy").reason


def test_a_file_that_got_lost_is_no_reason_to_find_everything_as_wanted() -> None:
    exported = Manifest(nouns={"CsVoicePolicy": NounExport(Export.READ, 3)})
    with pytest.raises(UnusableFile, match="CsVoicePolicy"):
        must_be_whole(Baseline("b"), exported, lambda noun: True)
    must_be_whole(Baseline("b"), exported, lambda noun: False)


# -- other tasks ------------------------------------------------------------------------------------------------------


def result(desired: str, **more: Any) -> dict[str, Any]:
    entry = {
        "resource": "media_configuration",
        "identity": "Global",
        "property": "encryption_level",
        "current": "DoNotSupportEncryption",
        "desired": desired,
        "severity": "critical",
        "reason": "It matters.",
    }
    return {"status": "drifted", "drift": [entry], **more}


def test_what_other_tasks_found_joins_and_a_contradiction_is_named() -> None:
    media = reading(
        "CsMediaConfiguration", {"Identity": "Global", "EncryptionLevel": "DoNotSupportEncryption"}
    )
    files = {"CsMediaConfiguration": "objects:\n  Global:\n    EncryptionLevel: RequireEncryption\n"}
    comparison = compared(files, {"CsMediaConfiguration": media})
    assert reported("contoso", [result("RequireEncryption")], comparison) == []
    (other,) = reported("contoso", [result("SupportEncryption")], comparison)
    assert other.key == comparison.findings[0].key
    assert "b/CsMediaConfiguration.yml:5" in other.detail
    assert other.origins == ("drift_results[0]",)
    (named,) = reported("contoso", [result("SupportEncryption", task="Media, site.yml:12")], comparison)
    assert named.origins == ("task Media, site.yml:12",)
    (lost,) = reported("contoso", [{"status": "unknown", "drift": [], "msg": "No answer."}], comparison)
    assert lost.unknown is Unknown.FAILED
    with pytest.raises(BadArgument, match=r"^results"):
        reported("contoso", [{"changed": False}], comparison)
