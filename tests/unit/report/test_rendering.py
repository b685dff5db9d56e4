# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random runs, with whatever values a server may have: every format is valid, and says the same."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.findings import (
    Kind,
    Label,
    Trend,
    Unknown,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.report.rendering import render
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from report_formats import assert_all_say_the_same

from .made_up import WAIVER, answer, checked, entry, finding, gathered, many, model, typed

HOSTILE = (
    '=HYPERLINK("http://evil")',
    "+14255550100",
    "-1",
    "@SUM(A1)",
    "</script><script>alert(1)</script>",
    "<!--<script>",
    "\"'><img src=x onerror=alert(1)>",
    "]]>",
    "\x00\x0b\x1b[31m",
    "\ud800 half",
    "\u202egnirts",
    "{{ 7 * 7 }}",
    "a\r\nb",
    "\ufffe",
    " ",
)
TEXTS = st.one_of(st.sampled_from(HOSTILE), st.text(max_size=12))
VALUES = st.one_of(st.none(), st.booleans(), st.integers(-9, 9), TEXTS, st.lists(TEXTS, max_size=3))


def _enumeration(chosen: Any) -> Any:
    return st.sampled_from(list(chosen))


FINDINGS = st.builds(
    lambda kind, status, waived, unknown, trend, label, **values: finding(
        **values,
        kind=kind,
        status=status,
        waiver={**WAIVER, "owner": values["reason"]} if waived and status is Status.DRIFTED else None,
        unknown=unknown if status is Status.UNKNOWN else None,
        trend=trend,
        label=label,
    ),
    noun=TEXTS,
    identity=TEXTS,
    property=TEXTS,
    kind=_enumeration(Kind),
    status=st.sampled_from([Status.DRIFTED, Status.CORRECTED, Status.UNKNOWN]),
    current=VALUES,
    desired=VALUES,
    severity=_enumeration(Severity),
    reason=TEXTS,
    origins=st.tuples(TEXTS),
    detail=TEXTS,
    held=TEXTS,
    command=TEXTS,
    range=TEXTS,
    waived=st.booleans(),
    unknown=_enumeration(Unknown),
    trend=_enumeration(Trend),
    label=_enumeration(Label),
)
DRIFT = st.builds(
    lambda findings, number, as_wanted, refusal: answer(
        "drift_check",
        checked(
            *() if refusal else {each.key: each for each in findings}.values(),
            name=f"deployment{number}",
            host=f"host{number}",
            as_wanted=0 if refusal else as_wanted,
            refusal=refusal,
        ),
        f"host{number}",
    ),
    st.lists(FINDINGS, max_size=6),
    st.integers(0, 3),
    st.integers(0, 700),
    st.one_of(st.just(""), st.just(""), TEXTS),
)
TYPED = st.builds(
    lambda status, host, identity, current, known: answer(
        "media_configuration",
        typed(
            status,
            *([entry(identity=identity, current=current)] if known else []),
            identity=identity,
            msg=identity,
        ),
        f"host{host}",
    ),
    st.sampled_from([each.value for each in Status]),
    st.integers(0, 6),
    TEXTS,
    VALUES,
    st.booleans(),
)
RUNS = st.builds(
    lambda answers, more, name: gathered(
        answers,
        {**{each.host: name if each.module == "media_configuration" else "" for each in answers}, **more},
        lost=dict.fromkeys(list(more)[:1], ("unreachable", name)),
    ),
    st.lists(st.one_of(DRIFT, TYPED), max_size=6),
    st.dictionaries(TEXTS.filter(lambda text: not text.startswith("host")), TEXTS, max_size=3),
    TEXTS,
)


@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@given(RUNS)
def test_whatever_a_run_has_shown_all_formats_say_the_same(run: Any) -> None:
    built = model(*run.answers, hosts=run.hosts, lost=run.lost)
    assert_all_say_the_same(built)


@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_in_every_field(value: str) -> None:
    given = dict.fromkeys(
        ("noun", "identity", "property", "reason", "detail", "held", "command", "range"), value
    )
    hostile = finding(**given, current=value, desired=[value], origins=(value,))
    waived = finding(
        **given, waiver={**dict.fromkeys(WAIVER, value), "values": [value], "expires": "2026-12-07"}
    )
    other = finding(**{**given, "identity": "x"}, status=Status.UNKNOWN, unknown=Unknown.FAILED)
    result = checked(
        hostile, waived, other, name=value or "x", notes=(value,), commands=(value,), follow_ups=(value,)
    )
    assert_all_say_the_same(model(answer("drift_check", result), hosts={"pool01": value, value: value}))


def test_five_thousand_findings_fit_into_ten_megabytes() -> None:
    built = model(*many(5000, 25))
    assert len(render("html", built)) < 10_000_000
    assert len(render("junit", built)) < 5_000_000
