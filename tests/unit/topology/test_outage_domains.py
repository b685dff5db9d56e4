# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""No order of restarts breaks a quorum or stops two servers of one outage domain, and none is made of guesses."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.outage_domains import (
    Candidate,
    Plan,
    UnknownTopology,
    outage_domain,
    outage_domains,
    restart_plan,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.pool_state import Member, PoolState
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.quorum import Kind, quorum
from hypothesis import given
from hypothesis import strategies as st

FRONT_END = ("Registrar", "UserServer", "MediationServer", "WebServer")
KINDS = {("UserServer",): Kind.FRONT_ENDS}


def pool(name: str, roles: tuple[str, ...] = FRONT_END, servers: int = 3, **more: Any) -> PoolState:
    kind = Kind.OTHER if "UserServer" not in roles else Kind.FRONT_ENDS
    computers = [f"{name}{number}.contoso.com" for number in range(1, servers + 1)]
    if servers == 1 and kind is Kind.FRONT_ENDS:
        kind, computers = Kind.STANDARD_EDITION, [f"{name}.contoso.com"]
    return PoolState(
        **{
            "pool": f"{name}.contoso.com",
            "site": "Site:Redmond",
            "kind": kind,
            "is_edge": "EdgeServer" in roles,
            "version": 6,
            "members": tuple(Member(computer, running=True) for computer in computers),
            "observed": datetime.datetime(2026, 11, 28, tzinfo=datetime.timezone.utc),
            "roles": roles,
            **more,
        }
    )


def everyone(pools: list[PoolState], running: bool = True) -> list[Candidate]:
    """Each computer's host is its short name."""
    return [
        Candidate(each.computer.partition(".")[0], each.computer.upper(), running)
        for one in pools
        for each in one.members
    ]


DEPLOYMENT = [
    pool("fe", holds_store=True, backup="se.contoso.com"),
    pool("se", servers=1, backup="FE.contoso.com"),
    pool("dublin", servers=1, site="Site:Dublin"),
    pool("edge", ("EdgeServer",), 2),
    pool("dubedge", ("EdgeServer",), 1, site="Site:Dublin"),
    pool("dir", ("Director", "Registrar"), 1),
    pool("dirtwo", ("Director", "Registrar"), 1),
    pool("med", ("MediationServer",), 1),
    pool("dubmed", ("MediationServer",), 1, site="Site:Dublin"),
    pool("chat", ("PersistentChatServer",), 1),
    pool("sql", ("UserDatabase",), 1),
]


def test_what_must_not_be_down_together() -> None:
    names = [
        sorted(each.pool.partition(".")[0] for each in domain.pools) for domain in outage_domains(DEPLOYMENT)
    ]
    assert names == [
        ["dubedge", "edge"],
        ["dir", "dirtwo"],
        ["dubmed"],
        ["med"],
        ["chat"],
        ["dublin"],
        ["fe", "se"],
    ]


def test_one_server_at_a_time_edges_first_and_the_store_last() -> None:
    ours = [each for each in DEPLOYMENT if each.pool != "sql.contoso.com"]
    found = restart_plan(DEPLOYMENT, everyone(ours))
    assert found.hosts == (
        *("dubedge1", "edge2", "edge1", "dir1", "dirtwo1", "dubmed1", "med1", "chat1", "dublin", "se"),
        *("fe3", "fe2", "fe1"),
    )
    assert {len(one) for one in found.rounds} == {1}
    assert found.lanes == (found.hosts,)


def test_more_at_once_only_of_different_outage_domains() -> None:
    ours = [each for each in DEPLOYMENT if each.pool != "sql.contoso.com"]
    assert restart_plan(DEPLOYMENT, everyone(ours), 3).rounds == (
        *(("dubedge1",), ("edge2",), ("edge1",)),
        *(("dir1", "dubmed1", "med1"), ("dirtwo1", "chat1", "dublin")),
        *(("se",), ("fe3",), ("fe2",), ("fe1",)),
    )


def test_what_is_down_comes_first_in_its_outage_domain() -> None:
    down = [Candidate("fe1", "fe1.contoso.com", running=False)]
    others = [each for each in everyone(DEPLOYMENT[:2]) if each.host != "fe1"]
    assert restart_plan(DEPLOYMENT, others + down).hosts == ("fe1", "se", "fe3", "fe2")


@pytest.mark.parametrize(
    ("pools", "candidate"),
    [
        ([pool("fe")], "elsewhere.contoso.com"),
        ([pool("fe"), pool("fe")], "fe1.contoso.com"),
        ([pool("sql", ("UserDatabase",), 1)], "sql1.contoso.com"),
        ([pool("fe", backup_known=False), pool("other")], "fe1.contoso.com"),
    ],
    ids=["in no pool", "in two pools", "of no role of Lync's", "pair not known"],
)
def test_what_the_topology_does_not_tell_is_not_guessed(pools: list[PoolState], candidate: str) -> None:
    with pytest.raises(UnknownTopology):
        restart_plan(pools, [Candidate("host", candidate, running=True)])


@pytest.mark.parametrize("holders", [0, 2])
def test_one_pool_must_have_the_store_where_the_order_hangs_on_it(holders: int) -> None:
    pools = [pool(name, holds_store=number < holders) for number, name in enumerate(("one", "two"))]
    assert restart_plan(pools, everyone(pools[:1])).hosts == ("one3", "one2", "one1")
    with pytest.raises(UnknownTopology):
        restart_plan(pools, everyone(pools))


def test_a_pair_that_only_one_side_names_is_a_pair() -> None:
    pools = [pool("one", backup="two.contoso.com"), pool("two"), pool("three", backup="gone.contoso.com")]
    assert [len(each.pools) for each in outage_domains(pools)] == [2, 1]
    assert {each.pool for each in outage_domain(pools, "two1.contoso.com").pools} == {
        "one.contoso.com",
        "two.contoso.com",
    }


def test_the_hosts_before_a_host() -> None:
    found = Plan((("a", "b"), ("c",), ("d", "e")))
    assert found.before("a") == found.before("b") == ()
    assert found.before("e") == ("a", "b", "c")
    assert found.lanes == (("a", "c", "d"), ("b", "e"))
    assert Plan(()).lanes == ()


@st.composite
def deployments(draw: st.DrawFn) -> list[PoolState]:
    roles = [FRONT_END, ("EdgeServer",), ("Director",), ("MediationServer",), ("PersistentChatServer",)]
    count = draw(st.integers(1, 6))
    store = draw(st.integers(0, count - 1))
    pools = []
    for number in range(count):
        chosen = FRONT_END if number == store else draw(st.sampled_from(roles))
        backup = draw(st.none() | st.integers(0, count - 1).map("p{}x.contoso.com".format))
        pools.append(
            pool(
                f"p{number}x",
                chosen,
                draw(st.integers(3, 16) | st.just(1)),
                site=draw(st.sampled_from(["Site:One", "Site:Two", None])),
                version=8,
                backup=backup if chosen is FRONT_END else None,
                holds_store=number == store,
            )
        )
    return pools


@given(deployments(), st.integers(1, 5), st.data())
def test_no_schedule_breaks_a_quorum_or_stops_two_of_one_outage_domain(
    pools: list[PoolState], at_once: int, data: st.DataObject
) -> None:
    chosen = data.draw(st.lists(st.sampled_from(everyone(pools)), unique_by=lambda each: each.host))
    computers = {each.host: each.computer.lower() for each in chosen}
    found = restart_plan(pools, chosen, at_once)
    assert sorted(found.hosts) == sorted(computers)
    domains = outage_domains(pools)
    assert sorted(name for domain in domains for name in domain.computers) == sorted(
        each.computer for one in pools for each in one.members
    )
    for one in found.rounds:
        assert 1 <= len(one) <= at_once
        stopped = {computers[host] for host in one}
        assert all(len(stopped.intersection(domain.computers)) <= 1 for domain in domains)
        for each in pools:
            if len(each.members) > 1:
                names = [member.computer for member in each.members]
                assert quorum(each.kind, names, set(names) - stopped, each.version).functional
    of_store = {each.computer for one in pools if one.holds_store for each in one.members}
    order = [computers[host] in of_store for host in found.hosts]
    assert order == sorted(order)
    edges = {each.computer for one in pools if one.is_edge for each in one.members}
    assert [computers[host] not in edges for host in found.hosts] == sorted(
        computers[host] not in edges for host in found.hosts
    )
    assert sorted(host for lane in found.lanes for host in lane) == sorted(computers)


@given(deployments(), st.data())
def test_nothing_is_stopped_before_what_is_down_in_its_outage_domain(
    pools: list[PoolState], data: st.DataObject
) -> None:
    chosen = [
        Candidate(each.host, each.computer, data.draw(st.booleans()))
        for each in data.draw(st.lists(st.sampled_from(everyone(pools)), unique_by=lambda each: each.host))
    ]
    by_host = {each.host: each for each in chosen}
    order = [by_host[host] for host in restart_plan(pools, chosen).hosts]
    for domain in outage_domains(pools):
        running = [each.running for each in order if each.computer.lower() in domain.computers]
        assert running == sorted(running)
