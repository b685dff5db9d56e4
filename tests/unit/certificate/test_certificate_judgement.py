# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wrong with the certificate of A/V authentication, from what servers hold and the right time."""

from __future__ import annotations

import datetime
import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate import described
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.av_edges import EdgePool
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.judgement import (
    SEVERITIES,
    Check,
    EdgeServer,
    PoolJudgement,
    Rules,
    judge,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.store import (
    AV_AUTHENTICATION,
    INTERNAL,
    Assignment,
    in_force,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.x509_certificate import Certificate
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.certificate.held import DAY, GOOD, HOUR, NOW, OTHER, POOL, assigned, certificate, server


def judged(
    *servers: EdgeServer, pool: EdgePool | None = POOL, now: datetime.datetime | None = NOW
) -> PoolJudgement:
    return judge(pool, servers, Rules(now))


def found(judgement: PoolJudgement) -> dict[str, str]:
    return {each.check.value: each.severity for each in judgement.findings}


def both(*held: Certificate, **more: Any) -> PoolJudgement:
    return judged(server(1, *held, **more), server(2, *held, **more))


def test_a_pool_as_it_should_be_has_nothing_to_be_said_of() -> None:
    judgement = both()
    assert found(judgement) == {}
    assert judgement.unknown == ()


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        ({"not_after": NOW}, {"expired": "critical"}),
        ({"not_after": NOW + DAY / 86400}, {"expires_within_token_lifetime": "high"}),
        ({"not_after": NOW + 8 * HOUR}, {"expires_within_token_lifetime": "high"}),
        ({"not_after": NOW + 9 * HOUR}, {"expires_soon": "medium"}),
        ({"not_after": NOW + 30 * DAY}, {"expires_soon": "medium"}),
        ({"not_after": NOW + 31 * DAY}, {}),
        ({"not_before": NOW + HOUR}, {"not_yet_valid": "critical"}),
        ({"not_before": NOW}, {}),
        ({"has_private_key": False, "exportable": None}, {"key_missing": "high"}),
        ({"exportable": False}, {"not_exportable": "high"}),
        ({"key_bits": 1024}, {"weak_key": "medium"}),
        ({"key_bits": 256, "key_algorithm": "EC"}, {}),
        ({"signature_hash": "sha1"}, {"weak_signature": "medium"}),
        ({"chain_complete": False, "chain": ()}, {"chain": "info"}),
        ({"names": ("edge.contoso.com",)}, {"name": "info"}),
        ({"names": ("AV.Contoso.com",)}, {}),
    ],
)
def test_each_fault_has_its_severity(facts: dict[str, Any], expected: dict[str, str]) -> None:
    judgement = both(certificate(**facts))
    assert found(judgement) == expected
    assert judgement.unknown == ()


def test_the_name_is_never_worse_than_a_remark_and_has_its_reason() -> None:
    (finding,) = both(certificate(names=("whatever.example",))).findings
    assert (finding.check, finding.severity, finding.remedy) == (Check.NAME, "info", None)
    assert "av.contoso.com" in finding.said


def test_one_server_without_a_certificate_gets_what_the_other_has_if_it_could() -> None:
    judgement = judged(server(1), server(2, av=()))
    (finding,) = judgement.findings
    assert (finding.check, finding.hosts) == (Check.MISSING, ("edge02.contoso.com",))
    assert finding.remedy == f"Set-CsCertificate -Type {AV_AUTHENTICATION} -Thumbprint {GOOD}"
    (finding,) = judged(server(1), server(2, certificate(OTHER), av=())).findings
    assert finding.remedy is not None
    assert finding.remedy.startswith("Request-CsCertificate ")


def test_servers_of_a_pool_that_differ_are_told_with_what_each_has() -> None:
    judgement = judged(server(1), server(2, certificate(OTHER)))
    assert found(judgement) == {"differing": "critical"}
    assert judgement.findings[0].evidence == (
        f"edge01.contoso.com: {GOOD}",
        f"edge02.contoso.com: {OTHER}",
    )
    assert judgement.findings[0].hosts == ("edge01.contoso.com", "edge02.contoso.com")


def test_a_single_server_whose_key_stays_is_less_of_a_fault() -> None:
    alone = replace(POOL, computers=("edge01.contoso.com",))
    assert found(judged(server(1, certificate(exportable=False)), pool=alone)) == {"not_exportable": "medium"}


def test_one_server_that_gives_the_key_away_is_enough() -> None:
    judgement = judged(server(1, certificate(exportable=False)), server(2))
    assert found(judgement) == {}


def test_what_is_shared_with_other_uses() -> None:
    held = certificate()
    inside = [assigned(held), assigned(held, INTERNAL)]
    access = [assigned(held), assigned(held, "AccessEdgeExternal")]
    first = EdgeServer(POOL.computers[0], POOL.computers[0], tuple(inside), {GOOD: held})
    second = EdgeServer(POOL.computers[1], POOL.computers[1], tuple(access), {GOOD: held})
    judgement = judged(first, second)
    assert found(judgement) == {"shared_with_internal": "low", "coupled": "info"}


# -- time -------------------------------------------------------------------------------------------------------------


def test_where_it_is_unclear_what_time_it_is_nothing_is_said_of_what_is_valid() -> None:
    judgement = judged(server(1), server(2), now=None)
    assert found(judgement) == {}
    assert len(judgement.unknown) == 1


def test_a_servers_own_clock_is_no_more_than_evidence() -> None:
    late = 800 * 86400.0
    judgement = both(certificate(not_after=NOW + DAY), clock_error=late)
    assert found(judgement) == {"expires_soon": "medium"}
    judgement = both(certificate(not_after=NOW), clock_error=-86400.0)
    assert found(judgement) == {"expired": "critical"}
    assert len(judgement.findings[0].evidence) == 3


# -- rolling ----------------------------------------------------------------------------------------------------------


def rolled(old: Certificate, new: Certificate, effective: datetime.datetime) -> list[Assignment]:
    return [assigned(new, effective=effective, previous=False), assigned(old, previous=True)]


@pytest.mark.parametrize(
    ("hours", "expected"),
    [(1, {}), (16, {}), (16.1, {"staged_too_late": "high"}), (23, {"staged_too_late": "high"})],
)
def test_what_is_to_follow_comes_before_what_is_issued_ends(hours: float, expected: dict[str, str]) -> None:
    old, new = certificate(not_after=NOW + DAY), certificate(OTHER)
    av = rolled(old, new, NOW + hours * HOUR)
    assert found(both(old, new, av=av)) == expected


@pytest.mark.parametrize(
    "facts",
    [{"has_private_key": False}, {"not_after": NOW + 5 * HOUR}, {"not_before": NOW + 7 * HOUR}],
)
def test_what_is_to_follow_must_be_good_then(facts: dict[str, Any]) -> None:
    old, new = certificate(), certificate(OTHER, **facts)
    assert found(both(old, new, av=rolled(old, new, NOW + 6 * HOUR))) == {"staged_unusable": "high"}


def test_all_servers_of_a_pool_are_to_get_the_same_next() -> None:
    old, new = certificate(), certificate(OTHER)
    first = server(1, old, new, av=rolled(old, new, NOW + DAY))
    judgement = judged(first, server(2, old, new))
    assert found(judgement) == {"staged_differs": "high"}
    assert "-EffectiveDate" in (judgement.findings[0].remedy or "")


def test_what_has_taken_its_place_is_in_force() -> None:
    old, new = certificate(not_after=NOW + HOUR), certificate(OTHER)
    judgement = both(old, new, av=rolled(old, new, NOW - HOUR))
    assert found(judgement) == {}
    held = judgement.held["edge01.contoso.com"]
    assert held.current is not None
    assert held.former is not None
    assert (held.current.thumbprint, held.former.thumbprint, held.staged) == (OTHER, GOOD, None)


@pytest.mark.parametrize(
    "assignments",
    [
        [assigned(certificate()), assigned(certificate(OTHER))],
        [assigned(certificate(), effective=NOW), assigned(certificate(OTHER), effective=NOW)],
        [assigned(certificate(), previous=True), assigned(certificate(OTHER), previous=True)],
        [assigned(certificate(), effective=NOW, previous=True), assigned(certificate(OTHER))],
        [
            assigned(certificate(), effective=NOW),
            assigned(certificate(OTHER), effective=NOW + HOUR, previous=True),
        ],
        [assigned(certificate(), effective=NOW), assigned(certificate(OTHER), previous=False)],
        [assigned(certificate())] * 3,
    ],
)
def test_which_of_several_is_in_force_is_never_guessed(assignments: list[Assignment]) -> None:
    assert in_force(assignments, AV_AUTHENTICATION, NOW) is None
    judgement = both(certificate(), certificate(OTHER), av=assignments)
    assert found(judgement) == {}
    assert len(judgement.unknown) == 2


# -- what is not known ------------------------------------------------------------------------------------------------


def test_a_pool_that_was_looked_at_in_part_is_not_known() -> None:
    judgement = judged(server(1))
    assert found(judgement) == {}
    assert len(judgement.unknown) == 1


@pytest.mark.parametrize("facts", [{"exportable": None}, {"chain_complete": None}, {"has_private_key": None}])
def test_what_no_command_shows_is_not_known(facts: dict[str, Any]) -> None:
    judgement = both(certificate(**facts))
    assert found(judgement) == {}
    assert len(judgement.unknown) == 1


def test_a_server_that_tells_nothing_costs_no_other_its_judgement() -> None:
    silent = EdgeServer(POOL.computers[1], POOL.computers[1], trouble=("It cannot be reached.",))
    judgement = judged(server(1, certificate(not_after=NOW)), silent)
    assert found(judgement) == {"expired": "critical"}
    assert any("It cannot be reached." in each.said for each in judgement.unknown)


def test_without_the_store_what_is_assigned_is_judged_all_the_same() -> None:
    ends = certificate(not_after=NOW - HOUR)
    bare = replace(server(1, ends), store=None)
    judgement = judged(bare, server(2, ends))
    assert found(judgement) == {"expired": "critical"}
    assert any("store" in each.said for each in judgement.unknown)


def test_servers_of_no_pool_are_judged_by_themselves() -> None:
    judgement = judged(server(1, certificate(not_after=NOW)), pool=None)
    assert found(judgement) == {"expired": "critical"}
    assert len(judgement.unknown) == 1


# -- whatever there is ------------------------------------------------------------------------------------------------

moments = st.integers(-3000, 3000).map(lambda hours: NOW + hours * HOUR)
held = st.builds(
    certificate,
    st.sampled_from([GOOD, OTHER]),
    not_before=moments,
    not_after=moments,
    has_private_key=st.sampled_from([True, False, None]),
    exportable=st.sampled_from([True, False, None]),
    key_bits=st.sampled_from([None, 512, 2048]),
    signature_hash=st.sampled_from([None, "sha1", "sha512"]),
    chain_complete=st.sampled_from([True, False, None]),
)


@st.composite
def servers(draw: Any) -> EdgeServer:
    number = draw(st.sampled_from([1, 2, 3]))
    own = draw(st.lists(held, max_size=3))
    uses = [
        assigned(
            each, effective=draw(st.none() | moments), previous=draw(st.sampled_from([None, True, False]))
        )
        for each in draw(st.lists(held, max_size=3))
    ]
    name = f"edge{number:02}.contoso.com"
    return EdgeServer(
        name,
        name,
        draw(st.none() | st.just(tuple(uses))),
        draw(st.none() | st.just({each.thumbprint: each for each in own})),
        ("It was asked in vain.",),
        draw(st.none() | st.floats(-1e8, 1e8)),
    )


@settings(max_examples=60)
@given(
    st.lists(servers(), min_size=1, max_size=3, unique_by=lambda each: each.host),
    st.none() | st.just(POOL) | st.just(replace(POOL, token_lifetime=None, av_edge_name=None, version=5)),
    st.none() | moments,
)
def test_whatever_is_there_every_server_is_judged_or_said_not_to_be(
    members: list[EdgeServer], pool: EdgePool | None, now: datetime.datetime | None
) -> None:
    judgement = judge(pool, members, Rules(now))
    order = [SEVERITIES.index(each.severity) for each in judgement.findings]
    assert order == sorted(order)
    unknown = [each.said for each in judgement.unknown]
    for each in members:
        if each.assigned is None:
            assert any(each.host in (u.hosts) for u in judgement.unknown)
    for finding in judgement.findings:
        assert finding.hosts
        assert set(finding.hosts) <= {each.host for each in members}
        assert (finding.remedy is None) is (finding.severity == "info")
    if now is None:
        assert not {"expired", "not_yet_valid"} & set(found(judgement))
    lines = described.lines([judgement], judgement.findings, unknown, "now")
    assert [line for line in lines if len(line) > described.WIDTH] == []
    word = described.verdict(judgement.findings, unknown)
    assert word in (*SEVERITIES, "clean", "unknown")
    assert word != "clean" or not unknown
    first = re.match(r"[A-Z ]+:", lines[0])
    assert first is not None
