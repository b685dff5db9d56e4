# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Baseline files: what is written is read again, edits change what is meant and nothing else, errors name the line."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift import baseline, documents
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.documents import Document, UnusableFile
from hypothesis import given, settings
from hypothesis import strategies as st

TRAPS = [
    *("null", "true", "+14255551212", "0755", "8:00", "12:30:00", "1.10", "No", "on", "2024-02-03", "=", "~"),
    *(
        "",
        "absent",
        " x ",
        "- a",
        "a: b",
        "a #b",
        "%x",
        "@x",
        "`",
        "<<",
        "0x1F",
        "1e3",
        ".inf",
        "\x0b",
        "\u2028",
        "é",
    ),
]
texts = st.one_of(st.sampled_from(TRAPS), st.text(st.characters(blacklist_categories=("Cs",)), max_size=8))
names = st.text("ABcdé:-. 0'#", min_size=1, max_size=6).filter(lambda name: name.strip() == name)
scalars = st.one_of(st.none(), texts, st.booleans(), st.integers())
values = st.one_of(scalars, st.lists(scalars, max_size=4), st.dictionaries(names, scalars, max_size=3))


def distinct(found: dict[str, Any]) -> dict[str, Any]:
    return {documents.folded(name): (name, value) for name, value in found.items()} and dict(
        {documents.folded(name): (name, value) for name, value in found.items()}.values()
    )


objects = st.dictionaries(
    names, st.one_of(st.none(), st.dictionaries(names, values, max_size=4).map(distinct)), max_size=4
).map(distinct)


def parsed(text: str) -> baseline.NounFile:
    return baseline.parse(Document("CsX.yml", text))


def content(text: str) -> dict[str, Any]:
    return {
        each.identity: None if each.properties is None else {n: v.value for n, v in each.properties.items()}
        for each in parsed(text).objects
    }


def as_text(found: dict[str, Any]) -> dict[str, Any]:
    return {name: None if each is None else baseline.as_text(each) for name, each in found.items()}


@settings(max_examples=150, deadline=None)
@given(objects, st.one_of(st.none(), st.lists(names, unique_by=documents.folded, max_size=3)))
def test_what_is_written_is_read_again(found: dict[str, Any], order: list[str] | None) -> None:
    text = baseline.render("CsX", found, order)
    assert content(text) == as_text(found)
    assert parsed(text).order == (None if order is None else tuple(order))


@settings(max_examples=150, deadline=None)
@given(objects, names, names, values, st.sampled_from(["\n", "\r\n"]))
def test_edits_say_what_they_should_and_stay_editable(
    found: dict[str, Any], identity: str, prop: str, value: Any, end: str
) -> None:
    text = baseline.render("CsX", found).replace("\n", end)
    edited = baseline.with_property(text, "CsX.yml", identity, prop, value)
    assert parsed(edited).find(identity).value_of(prop).value == baseline.as_text(value)  # type: ignore[union-attr]
    again = baseline.with_property(edited, "CsX.yml", identity, prop, value)
    assert content(again) == content(edited)
    without = baseline.without_property(edited, "CsX.yml", identity, prop)
    assert parsed(without).find(identity).value_of(prop) is None  # type: ignore[union-attr]
    gone = baseline.with_object(edited, "CsX.yml", identity, None)
    assert parsed(gone).find(identity).properties is None  # type: ignore[union-attr]
    assert parsed(baseline.without_object(gone, "CsX.yml", identity)).find(identity) is None
    assert parsed(baseline.with_order(text, "CsX.yml", [identity])).order == (identity,)


@settings(max_examples=100, deadline=None)
@given(objects, objects)
def test_an_export_brings_an_old_file_to_the_new_state(before: dict[str, Any], after: dict[str, Any]) -> None:
    text = baseline.render("CsX", before) + "# a comment of somebody\n"
    new = baseline.updated(text, "CsX.yml", "CsX", after, None)
    assert content(new) == as_text(after) | {
        name: value
        for name, value in content(new).items()
        if documents.folded(name) in map(documents.folded, after)
    }
    assert len(content(new)) == len(after)
    assert "# a comment of somebody" in new


FILE = """\
---
# Agreed on by the voice team.
format: 1
noun: CsVoicePolicy
objects:
  # Everybody.
  Global:
    AllowCallForwarding: true  # until summer
    PstnUsages:
      # The order decides which gateway is tried first.
      - Local  # always
      - Long Distance
      - 'International'  # expensive
    # The last word.
    Description: 'Old text'   # of 2019

  Tag:Sales: absent  # merged into Global
"""


def test_comments_survive_edits() -> None:
    text = baseline.with_property(FILE, "f", "global", "allowcallforwarding", False)
    text = baseline.with_property(text, "f", "Global", "PstnUsages", ["Long Distance", "Local", "Mobile"])
    text = baseline.with_property(text, "f", "Global", "Description", None)
    text = baseline.with_property(text, "f", "Global", "EnableTeamCall", True)
    assert text == FILE.replace("true  # until", "false  # until").replace(
        """\
      # The order decides which gateway is tried first.
      - Local  # always
      - Long Distance
      - 'International'  # expensive
""",
        """\
      # The order decides which gateway is tried first.
      - Long Distance
      - Local  # always
      - Mobile
""",
    ).replace("'Old text'   #", "null   #").replace("of 2019\n", "of 2019\n    EnableTeamCall: true\n")


def test_an_object_that_is_added_or_comes_back_keeps_the_others() -> None:
    text = baseline.with_object(FILE, "f", "Tag:Sales", {"AllowCallForwarding": True})
    assert content(text)["Tag:Sales"] == {"AllowCallForwarding": "true"}
    text = baseline.with_object(text, "f", "Site:Redmond", {"PstnUsages": []})
    assert text.startswith(FILE[: FILE.index("  Tag:Sales")])
    assert content(text)["Site:Redmond"] == {"PstnUsages": []}


def test_a_file_that_says_the_same_stays_as_it_is() -> None:
    odd = 'format: 1\nnoun: CsX\nobjects: {Global: {A: "1", B: [x, "y"]}}\n'
    assert baseline.updated(odd, "f", "CsX", {"Global": {"A": 1, "B": ["x", "y"]}}, None) == odd


def test_no_digit_is_lost_and_only_a_bare_null_is_one() -> None:
    lines = "".join(
        f"    P{n}: {text}\n" for n, text in enumerate(["+14255551212", "0755", "8:00", "1.10", "No", "="])
    )
    found = content(f"format: 1\nnoun: CsX\nobjects:\n  Global:\n{lines}    N: null\n    M:\n    Q: 'null'\n")
    assert list(found["Global"].values()) == [
        "+14255551212",
        "0755",
        "8:00",
        "1.10",
        "No",
        "=",
        None,
        None,
        "null",
    ]


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("", 1),
        ("- a\n", 1),
        ("noun: CsX\nobjects: {}\n", 1),
        ("format: 2\nnoun: CsX\nobjects: {}\n", 1),
        ("format: 0\nnoun: CsX\nobjects: {}\n", 1),
        ("format: 1\nnoun: CsY\nobjects: {}\n", 2),
        ("format: 1\nnoun: CsX\n", 1),
        ("format: 1\nnoun: CsX\nobjcts: {}\nobjects: {}\n", 3),
        ("format: 1\nnoun: CsX\nobjects: 5\n", 3),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: 5\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: {}\n  GLOBAL: {}\n", 5),
        ("format: 1\nnoun: CsX\nobjects:\n  Global:\n    A: 1\n    a: 2\n", 6),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: {A: 1, A: 1}\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: &x {}\n  Other: *x\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: {A: !vault x}\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: {A: !!python/name:os.system x}\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global:\n   A: [1\n", 6),
        ("format: 1\nnoun: CsX\nobjects: {}\norder: [a, A]\n", 4),
        ("format: 1\nnoun: CsX\nobjects: {}\norder: a\n", 4),
        ("format: 1\nnoun: CsX\nobjects:\n  Global: {A: 1}\n---\nformat: 1\n", 5),
    ],
)
def test_a_damaged_file_is_named_with_its_line(text: str, line: int) -> None:
    with pytest.raises(UnusableFile) as caught:
        baseline.parse(Document("CsX.yml", text), "CsX")
    assert str(caught.value).startswith(f"CsX.yml:{line}: ")


def test_deep_nesting_and_other_encodings_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnusableFile):
        Document("f", "a: " + "[" * 5000 + "]" * 5000)
    (tmp_path / "CsX.yml").write_bytes(b"format: 1\nnoun: CsX\xff\n")
    with pytest.raises(UnusableFile):
        baseline.load(tmp_path)


def test_two_files_for_one_noun_are_refused(tmp_path: Path) -> None:
    for name in ("CsX.yml", "csx.yaml"):
        (tmp_path / name).write_text(f"format: 1\nnoun: {Path(name).stem}\nobjects: {{}}\n", encoding="utf-8")
    with pytest.raises(UnusableFile, match="has a file already"):
        baseline.load(tmp_path)


def test_writing_leaves_the_old_file_or_the_new_one_and_its_mode(tmp_path: Path) -> None:
    path = tmp_path / "CsX.yml"
    documents.write_atomically(path, "a", 0o600)
    path.chmod(0o640)
    documents.write_atomically(path, "b")
    assert (path.read_text(), path.stat().st_mode & 0o777, list(tmp_path.iterdir())) == ("b", 0o640, [path])
    tmp_path.chmod(0o500)
    assert path.read_text() == "b"
    tmp_path.chmod(0o700)


def test_writing_takes_away_what_killed_runs_have_left_and_nothing_else(tmp_path: Path) -> None:
    left, another_noun = tmp_path / ".CsX.yml.0badcafe", tmp_path / ".CsY.yml.12345678"
    younger, somebody_s = tmp_path / ".CsX.yml.deadbeef", tmp_path / ".CsX.yml.swp"
    for each in (left, another_noun, younger, somebody_s):
        each.touch()
    for each in (left, another_noun, somebody_s):
        os.utime(each, (0, 0))
    documents.write_atomically(tmp_path / "CsX.yml", "a")
    assert sorted(each.name for each in tmp_path.iterdir()) == [younger.name, somebody_s.name, "CsX.yml"]
