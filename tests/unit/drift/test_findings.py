# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Findings, their ids, labels and ages; waivers; changes of our own; and what is remembered."""

from __future__ import annotations

import datetime
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Change, Entry, Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.drift import history, judging, run, waivers
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.comparing import Server
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.documents import Document, UnusableFile
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import (
    Finding,
    Kind,
    Label,
    Trend,
    Unknown,
    worst_first,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.history import LastSeen, Record, SeenNoun
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.summary import not_known
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from hypothesis import given
from hypothesis import strategies as st

TODAY = datetime.date(2026, 11, 28)
NOW = "2026-11-28T02:00:00Z"
MEDIA = Finding(
    "contoso",
    "CsMediaConfiguration",
    "Global",
    "EncryptionLevel",
    Kind.VALUE,
    Status.DRIFTED,
    "SupportEncryption",
    "RequireEncryption",
    Severity.CRITICAL,
)
KEY = MEDIA.key


def seen(value: Any = "RequireEncryption", wanted: Any = "RequireEncryption") -> LastSeen:
    noun = SeenNoun(
        "2026-11-27T02:00:00Z",
        "7.0",
        "admin",
        {"EncryptionLevel": ("str",)},
        {KEY[1]: {KEY[2]: value}},
        {KEY[1]: {KEY[2]: wanted}},
    )
    return LastSeen("2026-11-27T02:00:00Z", {KEY[0]: noun})


values = st.one_of(st.none(), st.booleans(), st.integers(), st.text(), st.lists(st.text(), max_size=3))


@given(values, values, values)
def test_an_id_is_of_the_difference_and_of_nothing_else(one: Any, two: Any, other: Any) -> None:
    finding = replace(MEDIA, current=one, desired=two)
    assert len(finding.id) == 8
    assert set(finding.id) <= set("0123456789abcdef")
    listed = replace(
        finding, since=NOW, trend=Trend.STILL, origins=("a:1",), severity=Severity.LOW, label=Label.BOTH
    )
    assert listed.id == finding.id == replace(finding, identity="GLOBAL", deployment="CONTOSO").id
    if json.dumps(other) != json.dumps(one):
        assert replace(finding, current=other).id != finding.id


@pytest.mark.parametrize(
    ("last", "label"),
    [
        (LastSeen(), Label.FIRST_SEEN),
        (seen(), Label.SERVER_CHANGED),
        (seen("SupportEncryption", "SupportEncryption"), Label.BASELINE_CHANGED),
        (seen("DoNotSupportEncryption", "DoNotSupportEncryption"), Label.BOTH),
    ],
)
def test_the_label_says_what_has_changed_since_it_was_last_seen(last: LastSeen, label: Label) -> None:
    (found,) = history.with_history([MEDIA], last, NOW)
    assert (found.label, found.trend, found.since) == (label, Trend.NEW, NOW)


def test_what_could_not_be_judged_is_named_where_it_stands_alone_and_counted_otherwise() -> None:
    unread = replace(MEDIA, kind=Kind.NOUN, status=Status.UNKNOWN, unknown=Unknown.FAILED)
    nowhere = replace(unread, noun="", unknown=Unknown.UNREACHABLE)
    rows = [each.as_dict() for each in (unread, nowhere)]
    said = not_known(rows)
    assert all(name in said for name in (MEDIA.noun, MEDIA.deployment))
    assert "2 nouns" in not_known([rows[0], *rows])
    assert "1 thing" in not_known([replace(unread, kind=Kind.VALUE).as_dict()])


def test_an_object_that_was_not_there_came_on_the_server() -> None:
    extra = replace(
        MEDIA, identity="Site:X", property="existence", kind=Kind.EXTRA, current="present", desired="absent"
    )
    assert history.with_history([extra], seen(), NOW)[0].label is Label.SERVER_CHANGED


def test_age_and_label_belong_to_the_property_however_often_its_value_changes() -> None:
    first = history.with_history([MEDIA], seen(), NOW)
    last = history.after_run(seen(), first, {KEY[0]: replace(seen("SupportEncryption").nouns[KEY[0]])}, NOW)
    later = "2026-11-29T02:00:00Z"
    (still,) = history.with_history([MEDIA], last, later)
    assert (still.trend, still.since, still.label) == (Trend.STILL, NOW, Label.SERVER_CHANGED)
    (other,) = history.with_history([replace(MEDIA, current="DoNotSupportEncryption")], last, later)
    assert (other.trend, other.since, other.label) == (Trend.STILL, NOW, Label.SERVER_CHANGED)
    assert other.id != still.id


def test_what_was_resolved_returns_and_what_was_not_read_is_not_resolved() -> None:
    nouns = seen().nouns
    last = history.after_run(seen(), history.with_history([MEDIA], seen(), NOW), nouns, NOW)
    assert history.resolved(last, [], set()) == []
    assert history.resolved(last, [], {KEY[0]}) == [KEY]
    last = history.after_run(last, [], nouns, "2026-11-29T02:00:00Z")
    (back,) = history.with_history([MEDIA], last, "2026-11-30T02:00:00Z")
    assert (back.trend, back.since) == (Trend.RETURNED, "2026-11-30T02:00:00Z")


def test_what_is_remembered_survives_its_file() -> None:
    first = history.with_history([MEDIA], seen(), NOW)
    corrections = {KEY: ("a", "b")}
    last = history.after_run(
        seen(), first, seen().nouns, NOW, corrections=corrections, not_kept={KEY: (["x"], "7")}
    )
    assert history.from_json(json.loads(json.dumps(history.to_json(last)))) == last


def test_a_fight_is_three_identical_corrections_in_a_row() -> None:
    last = seen()
    correction = {KEY: (MEDIA.current, MEDIA.desired)}
    for times in (1, 2, 3):
        assert not history.is_fought(last, MEDIA)
        last = history.after_run(last, [], {}, NOW, corrections=correction)
        assert last.fights[KEY].times == times
    assert history.is_fought(last, MEDIA)
    assert not history.is_fought(last, replace(MEDIA, desired="SupportEncryption"))
    checked = history.after_run(last, [], {}, NOW)
    assert history.is_fought(checked, MEDIA), "a check says nothing of fights"
    elsewhere = history.after_run(last, [], {}, NOW, corrections={})
    assert history.is_fought(elsewhere, MEDIA), "a run that did not read it says nothing, either"
    held = history.after_run(last, [MEDIA], last.nouns, NOW, corrections={})
    assert history.is_fought(held, MEDIA), "leaving it alone is no peace"
    quiet = history.after_run(last, [], last.nouns, NOW, corrections={})
    assert not history.is_fought(quiet, MEDIA)


@pytest.mark.parametrize(
    ("now", "is_change"),
    [
        ({"EncryptionLevel": ("str",)}, False),
        ({"EncryptionLevel": ("int",)}, True),
        ({"encryptionlevel": ("int", "str")}, False),
        ({}, False),
        ({"EncryptionLevel": ()}, False),
        ({"EncryptionLevel": ("list",)}, False),
        ({"EncryptionLevel": ("list of text",)}, True),
        ({"EncryptionLevel": ("str",), "New": ("int",)}, False),
    ],
)
def test_the_shape_is_the_types_of_values_that_are_present(
    now: dict[str, tuple[str, ...]], is_change: bool
) -> None:
    assert bool(history.shape_change(seen(), "CsMediaConfiguration", now, "7.0")) is is_change


# -- waivers ----------------------------------------------------------------------------------------------------------

WAIVER = {
    "noun": "CsMediaConfiguration",
    "identity": "Global",
    "property": "EncryptionLevel",
    "value": "SupportEncryption",
    "owner": "Ann",
    "justification": "Windows Live has no encryption",
    "expires": "2027-01-31",
}


def read(text: str, longest: int = 366) -> tuple[waivers.Waiver, ...]:
    known = {"CSMEDIACONFIGURATION", "CSVOICEPOLICY"}
    return waivers.parse(
        Document("waivers.yml", text),
        today=TODAY,
        longest=longest,
        known=lambda noun: noun.upper() in known,
        in_scope={"CSMEDIACONFIGURATION"},
    )


def same(finding: Finding, value: Any) -> bool:
    return str(finding.current).lower() == str(value).lower()


def test_a_waiver_covers_the_value_it_pins_and_no_other() -> None:
    pinned = read(waivers.with_waiver(None, "waivers.yml", WAIVER))
    (waived,) = judging.waive([MEDIA], pinned, TODAY, same).findings
    assert waived.waiver is not None
    assert not waived.counts
    (third,) = judging.waive([replace(MEDIA, current="DoNotSupportEncryption")], pinned, TODAY, same).findings
    assert third.waiver is None
    assert third.counts
    assert "SupportEncryption" in third.detail


def test_waivers_expire_and_are_listed() -> None:
    pinned = read(waivers.with_waiver(None, "waivers.yml", WAIVER))
    day = pinned[0].expires
    assert judging.waive([MEDIA], pinned, day, same).findings[0].waiver is not None
    late = judging.waive([MEDIA], pinned, day + datetime.timedelta(days=1), same)
    assert late.findings[0].counts
    assert late.expired == pinned
    assert judging.waive([MEDIA], pinned, day - datetime.timedelta(days=14), same).expiring == pinned
    assert judging.waive([MEDIA], pinned, day - datetime.timedelta(days=15), same).expiring == ()
    assert judging.waive([], pinned, TODAY, same).unmatched == pinned


def test_a_waiver_is_added_behind_the_others_and_comments_stay() -> None:
    text = waivers.with_waiver(None, "w", WAIVER).replace("waivers:\n", "waivers:\n  # ours\n") + "# end\n"
    second = waivers.with_waiver(text, "w", {**WAIVER, "property": "EnableQoS", "value": None})
    assert second.startswith(text.rstrip())
    assert [each.values for each in read(second)] == [("SupportEncryption",), (None,)]
    empty = waivers.with_waiver("format: 1\nwaivers: []\n", "w", {**WAIVER, "value": ["a", "b"]})
    assert read(empty)[0].values == (["a", "b"],)


@pytest.mark.parametrize(
    "change",
    [
        {"expires": None},
        {"expires": "soon"},
        {"expires": "2028-01-31"},
        {"owner": None},
        {"justification": "  "},
        {"noun": "CsNothing"},
        {"noun": "CsVoicePolicy"},
        {"omit": "x"},
        {"values": ["a"]},
        {"value": ...},
    ],
)
def test_a_waiver_without_effect_is_an_error_with_its_line(change: dict[str, Any]) -> None:
    fields = {name: value for name, value in {**WAIVER, **change}.items() if value is not ...}
    lines = "".join(
        f"    {name}: {'null' if value is None else json.dumps(value)}\n" for name, value in fields.items()
    )
    with pytest.raises(UnusableFile, match=r"^waivers\.yml:\d+: "):
        read(f"format: 1\nwaivers:\n  -\n{lines}")


def test_waivers_that_lie_one_indent_off_are_an_error() -> None:
    with pytest.raises(UnusableFile):
        read("format: 1\nwaivers: []\nnoun: CsMediaConfiguration\n")
    with pytest.raises(UnusableFile):
        read("format: 1\nwaivers: {}\n")


# -- changes of our own -----------------------------------------------------------------------------------------------


def entry(module: str, wanted: Any, resource: str = "media_configuration", **more: Any) -> Entry:
    change = Change(
        resource, "global", "set", {"encryption_level": "RequireEncryption"}, wanted, Restorable.YES
    )
    return Entry("c1", "r1", NOW, "h", "u", "a", change, (), {"module": module}, **more)


@pytest.mark.parametrize(
    ("found", "explains"),
    [
        (entry("lync.remediation.media_configuration", {"encryption_level": "supportencryption"}), True),
        (
            entry(
                "lync.remediation.setting", {"EncryptionLevel": "SupportEncryption"}, "CsMediaConfiguration"
            ),
            True,
        ),
        (
            entry("lync.remediation.media_configuration", {"encryption_level": "DoNotSupportEncryption"}),
            False,
        ),
        (entry("lync.remediation.drift_enforce", {"encryption_level": "SupportEncryption"}), False),
        (
            entry(
                "lync.remediation.media_configuration",
                {"encryption_level": "SupportEncryption"},
                outcome={"changed": False},
            ),
            False,
        ),
    ],
)
def test_our_own_change_explains_what_it_left_behind(found: Entry, explains: bool) -> None:
    (finding,) = judging.explain([replace(MEDIA, label=Label.SERVER_CHANGED)], [found], same)
    assert (finding.explained is not None) is explains
    (newer,) = judging.explain([replace(MEDIA, label=Label.BASELINE_CHANGED)], [found], same)
    assert newer.explained is None, "a baseline that was changed since is the newer decision"


# -- the run ----------------------------------------------------------------------------------------------------------

findings = st.builds(
    replace,
    st.just(MEDIA),
    status=st.sampled_from([Status.DRIFTED, Status.CORRECTED, Status.UNKNOWN]),
    waiver=st.sampled_from([None, {"owner": "Ann"}]),
    trend=st.sampled_from(list(Trend)),
    severity=st.sampled_from(list(Severity)),
)


@given(st.lists(findings, max_size=8), st.integers(0, 100))
def test_counts_add_up_and_the_verdict_follows_from_them(found: list[Finding], as_wanted: int) -> None:
    one = run.Run(Server("contoso"), "check", NOW, "r", findings=tuple(found), as_wanted=as_wanted)
    counts = one.counts
    assert counts.total == as_wanted + len(found)
    assert counts.new + counts.still + counts.returned == counts.drifted + counts.unknown
    assert one.verdict is (
        run.Verdict.DRIFT
        if counts.drifted
        else run.Verdict.INCOMPLETE
        if counts.unknown
        else run.Verdict.CLEAN
    )
    document = json.loads(json.dumps(one.as_dict()))
    assert document["counts"]["total"] == counts.total
    assert [each["id"] for each in document["findings"]] == [
        each.id for each in sorted(found, key=worst_first)
    ]


def test_the_worst_verdict_is_that_of_the_run() -> None:
    verdict = run.Verdict
    assert run.worst([verdict.CLEAN, verdict.INCOMPLETE]) is verdict.INCOMPLETE
    assert run.worst([verdict.INCOMPLETE, verdict.DRIFT, verdict.CLEAN]) is verdict.DRIFT
    assert run.worst([verdict.DRIFT, verdict.REFUSED]) is verdict.REFUSED
    assert run.worst([]) is verdict.REFUSED
    assert run.worst_of([{"verdict": "clean"}, {}]) is verdict.REFUSED


def test_every_reason_for_unknown_has_a_word_of_its_own() -> None:
    assert len({each.value for each in Unknown}) == len(Unknown)
    assert replace(MEDIA, unknown=Unknown.FAILED).id != replace(MEDIA, unknown=Unknown.TIMED_OUT).id


def test_a_record_is_kept_for_corrections_as_resolved() -> None:
    corrected = replace(MEDIA, status=Status.CORRECTED)
    last = history.after_run(LastSeen(), [corrected], {}, NOW, corrections={})
    assert last.records[KEY] == Record(NOW, Label.FIRST_SEEN, MEDIA.id, NOW)
