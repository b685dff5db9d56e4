# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Who is right about time, what is wrong with whom, and what is to be done: by example, and for any deployment."""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.judgement import (
    Fault,
    Judgement,
    Note,
    Request,
    Rules,
    Word,
    judge,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.measurement import (
    Comparison,
    Measurement,
    read,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.offset import Offset
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.places import Topology
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.selection import Candidate, select
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.voters import Right
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.pool_state import Member, PoolState
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.quorum import Kind
from hypothesis import assume, given
from hypothesis import strategies as st

NOW = datetime.datetime(2026, 11, 28, tzinfo=datetime.timezone.utc)
CENTRAL, GREENWICH = "Central Standard Time", "GMT Standard Time"
OFFSETS = {CENTRAL: -360, GREENWICH: 0}
MEMBER = {"type": "domain_hierarchy", "peers": [], "service_state": "started", "start_mode": "automatic"}
NTP = {
    "type": "manual",
    "peers": [{"host": "ntp.example.net", "flags": ["client"]}],
    "service_state": "started",
    "start_mode": "automatic",
}
MINUTES = 60.0


def pool(name: str, *computers: str, is_edge: bool = False) -> PoolState:
    kind = Kind.OTHER if is_edge else Kind.FRONT_ENDS
    return PoolState(name, "Redmond", kind, is_edge, 6, tuple(Member(each) for each in computers), NOW)


POOLS = (pool("pool01", "fe01", "fe02", "fe03"), pool("edge", "edge01", "edge02", is_edge=True))
TOPOLOGY = (Topology("management", POOLS),)


def server(host: str, off: float = 0.0, uncertainty: float = 0.01, **more: Any) -> Measurement:
    """A server that is off by so much, as the true time and the controller's agree unless ``controller`` says more."""
    zone = more.pop("zone", CENTRAL)
    controller = more.pop("controller", 0.0)
    time_servers = more.pop("ntp", {})
    domain = more.pop("dc", None)
    measured = off - controller
    is_edge = host.startswith("edge")
    defaults: dict[str, Any] = {
        "computer": host,
        "zone": zone,
        "daylight_saving": True,
        "utc_offset": OFFSETS.get(zone),
        "time_service": NTP if is_edge else MEMBER,
        "synchronised": True,
        "source": "ntp.example.net,0x8" if is_edge else "dc01",
        "time_servers": tuple(
            Comparison(name, None if value is None else off - value, f"10.0.0.{number}")
            for number, (name, value) in enumerate(time_servers.items())
        ),
        "domain_controller": None if domain is None else Comparison("dc01", off - domain, "10.0.1.1"),
    }
    return Measurement(host=host, offset=Offset(measured, uncertainty), **{**defaults, **more})


def judged(*servers: Measurement, requests: Mapping[str, Request] | None = None, **rules: Any) -> Judgement:
    return judge(servers, TOPOLOGY, requests or {}, Rules(**{"synchronised": False, **rules}))


def words(found: Judgement) -> dict[str, str]:
    return {host: each.word.value for host, each in found.servers.items()}


def right(found: Judgement) -> Right:
    (decision,) = found.decisions.values()
    return decision.right


# -- who is right ----------------------------------------------------------------------------------------------------


def test_the_domain_alone_decides_where_nobody_else_votes() -> None:
    found = judged(server("fe01", dc=0.0), server("fe02", 400.0, dc=0.0), server("fe03", dc=0.0))
    assert words(found) == {"fe01": "right", "fe02": "wrong", "fe03": "right"}
    fe02 = found.servers["fe02"]
    assert (fe02.faults, fe02.note) == ((Fault.CLOCK,), Note.WRITE)
    assert fe02.repair.clock == pytest.approx(0.0, abs=0.01)


def test_a_controller_that_is_not_synchronised_does_not_vote() -> None:
    found = judged(*(server(f"fe0{n}", dc=0.0, controller=600.0) for n in (1, 2, 3)))
    assert set(words(found).values()) == {"right"}
    (decision,) = found.decisions.values()
    assert decision.reference == pytest.approx(-600.0, abs=0.1)


def test_two_time_servers_that_agree_decide_against_the_domain_and_the_controller() -> None:
    named = {"ntp1": 0.0, "ntp2": 0.0}
    off = 10 * MINUTES
    found = judged(
        *(server(f"fe0{n}", off, dc=off, controller=off, ntp=named) for n in (1, 2, 3)),
        server("edge01", 0.0, controller=off, ntp=named),
        time_servers=("ntp1", "ntp2"),
        synchronised=True,
    )
    assert right(found) is Right.TIME_SERVERS
    assert words(found) == {"fe01": "wrong", "fe02": "wrong", "fe03": "wrong", "edge01": "right"}
    # Their domain would undo whatever were done to them.
    assert not any(each.repair for each in found.servers.values())
    assert "PDC emulator dc01 is +10 min off" in found.servers["fe01"].said[-1]


def test_two_names_of_one_time_server_are_one_voter() -> None:
    def seen(host: str) -> Measurement:
        return server(
            host,
            dc=0.0,
            time_servers=(Comparison("a", -600.0, "10.0.0.9"), Comparison("b", -600.0, "10.0.0.9")),
        )

    found = judged(seen("fe01"), seen("fe02"), time_servers=("a", "b"))
    assert right(found) is Right.UNCLEAR
    assert set(words(found).values()) == {"unclear"}


@pytest.mark.parametrize("synchronised", [True, None])
def test_a_controller_against_the_domain_is_unclear(synchronised: bool | None) -> None:
    found = judged(*(server(f"fe0{n}", dc=0.0, controller=600.0) for n in (1, 2)), synchronised=synchronised)
    assert right(found) is Right.UNCLEAR
    assert not any(each.repair or each.note or each.restart for each in found.servers.values())


def test_a_synchronised_controller_breaks_a_tie() -> None:
    servers = (
        *(server(f"fe0{n}", 600.0, dc=600.0) for n in (1, 2, 3)),
        server("edge01", 600.0, time_service={**NTP, "peers": [{"host": "x", "flags": []}]}, source="x"),
        server("edge02", 0.0),
    )
    assert right(judged(*servers, synchronised=None)) is Right.UNCLEAR
    found = judged(*servers, synchronised=True)
    assert (right(found), words(found)["edge02"]) == (Right.VOTERS, "right")


@pytest.mark.parametrize("names", [("dc01", "dc01.contoso.com"), ("ntp.example.net", "10.0.1.1")])
def test_one_clock_under_two_names_has_one_vote(names: tuple[str, str]) -> None:
    def seen(host: str, name: str) -> Measurement:
        compared = Comparison(name, -600.0, "10.0.1.1")
        if name.startswith("dc"):
            return server(host, domain_controller=compared)
        own = {**NTP, "peers": [{"host": name, "flags": ["client"]}]}
        return server(host, time_service=own, source=name, sources=(compared,))

    found = judged(seen("fe01", names[0]), seen("fe02", names[1]), synchronised=None)
    # Against the controller it is one clock, and no majority.
    assert right(found) is Right.UNCLEAR


def test_nobody_tells_the_time() -> None:
    found = judged(server("fe01"), server("fe02"))
    assert (right(found), set(words(found).values())) == (Right.UNCLEAR, {"unclear"})
    assert "clock_drift_ntp_servers" in next(iter(found.decisions.values())).why


def test_members_of_one_domain_are_one_clock() -> None:
    """Three Front Ends do not outvote the Edge Server's source and the controller."""
    found = judged(
        *(server(f"fe0{n}", -300.0, dc=-300.0) for n in (1, 2, 3)), server("edge01"), synchronised=True
    )
    assert words(found)["edge01"] == "right"
    assert words(found)["fe01"] == "wrong"


def test_servers_whose_error_a_zone_explains_neither_vote_nor_say_what_zone_is_right() -> None:
    flipped = {"zone": GREENWICH, "time_service": NTP, "source": "ntp.example.net"}
    found = judged(
        server("fe01", -6 * 3600.0, **flipped),
        server("fe02", -6 * 3600.0, **flipped),
        server("edge01", dc=0.0, time_service=MEMBER, source="dc01"),
    )
    assert words(found) == {"fe01": "wrong", "fe02": "wrong", "edge01": "right"}
    assert "just the difference between GMT Standard Time and Central" in found.servers["fe01"].said[0]


# -- one server ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("more", "word", "faults"),
    [
        ({}, Word.RIGHT, ()),
        ({"off": 0.9}, Word.RIGHT, ()),
        ({"off": 1.2}, Word.WRONG, (Fault.CLOCK,)),
        ({"off": 0.806, "uncertainty": 1.1}, Word.NOT_KNOWN, ()),
        ({"zone": None}, Word.NOT_KNOWN, ()),
        ({"time_service": None}, Word.NOT_KNOWN, ()),
        ({"zone": GREENWICH}, Word.WRONG, (Fault.ZONE,)),
        ({"daylight_saving": False}, Word.WRONG, (Fault.ZONE,)),
        ({"synchronised": False, "source": "Local CMOS Clock"}, Word.WRONG, (Fault.SOURCE,)),
        ({"time_service": {**MEMBER, "service_state": "stopped"}}, Word.WRONG, (Fault.SERVICE,)),
        ({"time_service": {**MEMBER, "peers": "ntp1,0x8,ntp2"}}, Word.WRONG, (Fault.SOURCE,)),
    ],
)
def test_four_words(more: dict[str, Any], word: Word, faults: tuple[Fault, ...]) -> None:
    others = [server(name, dc=0.0) for name in ("fe02", "fe03")]
    found = judged(server("fe01", dc=0.0, **more), *others).servers["fe01"]
    assert (found.word, found.faults) == (word, faults)


def test_what_was_not_measured_is_not_known() -> None:
    lost = read("fe01", {"unreachable": True, "msg": "No connection."})
    found = judged(lost, server("fe02", dc=0.0)).servers["fe01"]
    assert (found.word, found.said) == (Word.NOT_KNOWN, ("No connection.",))
    # The role goes on with the other servers, so that Ansible does not call it failed.
    covered = read("fe01", {"failed": False, "failure": "options_do_not_fit", "msg": "No file."})
    assert judged(covered, server("fe02", dc=0.0)).servers["fe01"].said == ("No file.",)
    assert judged(read("fe01", {}), server("fe02", dc=0.0)).servers["fe01"].word is Word.NOT_KNOWN


@pytest.mark.parametrize(
    ("note", "off", "expected"),
    [
        ({"reason": "x", "offset_ms": 0.0, "zone": None}, 0.0, (Note.REMOVE, None)),
        ({"reason": "x", "offset_ms": 600000.0, "zone": None}, 0.0, (Note.KEEP, "x")),
        ({"reason": "x", "offset_ms": 0.0, "zone": GREENWICH}, 0.0, (Note.KEEP, "x")),
        ({"reason": "x", "offset_ms": 0.0, "zone": CENTRAL, "stopped": "y"}, 0.0, (Note.KEEP, "x")),
        ({"reason": None}, 0.0, (Note.KEEP, "an earlier repair")),
        ({"reason": "x", "offset_ms": 600000.0}, 600.0, (Note.KEEP, "x")),
    ],
)
def test_notes_follow_the_verdict(
    note: dict[str, Any], off: float, expected: tuple[Note, str | None]
) -> None:
    found = judged(server("fe01", off, dc=0.0, note=note), server("fe02", dc=0.0)).servers["fe01"]
    assert (found.note, found.restart) == expected


def test_what_is_requested_is_repaired_and_daylight_saving_left_alone() -> None:
    requests = {
        "fe01": Request(zone=GREENWICH, time_service={**NTP, "service_state": None, "start_mode": None})
    }
    servers = [server("fe01", dc=0.0, daylight_saving=False), *(server(n, dc=0.0) for n in ("fe02", "fe03"))]
    found = judged(*servers, requests=requests).servers["fe01"]
    assert found.faults == (Fault.ZONE, Fault.SOURCE)
    assert found.repair.zone == f"{GREENWICH}_dstoff"
    assert found.repair.time_service is not None
    assert found.restart == f"its time zone was {CENTRAL}_dstoff"


DOMAIN_TRIGGERS = ["start/domainjoin", "stop/domainleave"]


@pytest.mark.parametrize(
    ("host", "request_of", "word"),
    [
        ("edge01", {"type": "manual"}, "wrong"),
        ("edge01", {"type": "manual", "start_without_domain": False}, "right"),
        ("edge01", None, "right"),
        ("fe01", {"type": "manual"}, "right"),
    ],
)
def test_a_source_that_is_requested_of_an_edge_is_to_last(
    host: str, request_of: dict[str, Any] | None, word: str
) -> None:
    waiting = server(host, time_service={**NTP, "triggers": DOMAIN_TRIGGERS})
    found = judged(
        server("fe02", dc=0.0),
        server("fe03", dc=0.0),
        waiting,
        requests={host: Request(time_service=request_of)},
    )
    repair = found.servers[host].repair.time_service
    assert words(found)[host] == word
    assert (repair is not None and repair["start_without_domain"]) is (word == "wrong")
    assert any("KB 2385818" in text for text in found.servers[host].said) is (host == "edge01")


def test_a_source_that_is_requested_is_asked() -> None:
    silent = server("fe01", time_service={**MEMBER, "ntp_client": False})
    request = Request(time_service={"type": "domain_hierarchy"})
    repair = (
        judged(server("fe02", dc=0.0), server("fe03", dc=0.0), silent, requests={"fe01": request})
        .servers["fe01"]
        .repair
    )
    assert repair.time_service == {
        "type": "domain_hierarchy",
        "ntp_client": True,
        "start_without_domain": False,
    }


def test_an_inventory_that_contradicts_most_servers_is_the_suspect() -> None:
    servers = [server(f"fe0{n}", dc=0.0) for n in (1, 2, 3)]
    requests = {each.host: Request(zone=GREENWICH) for each in servers}
    found = judged(*servers, requests=requests)
    assert len(found.obstacles) == 1
    assert "contradicts 3 of 3" in found.obstacles[0]
    assert judged(*servers, requests=requests, zones_confirmed=True).obstacles == ()
    few = {host: request for host, request in requests.items() if host == "fe01"}
    assert judged(*servers, requests=few).obstacles == ()


def test_a_server_that_is_to_follow_time_servers_has_one() -> None:
    servers = [server("fe01", dc=0.0), server("edge01"), server("fe02", dc=0.0)]
    asked = Request(time_service={"type": "manual"})
    found = judged(*servers, requests={"fe01": asked, "edge01": asked})
    assert len(found.obstacles) == 1
    assert found.obstacles[0].startswith("clock_drift_time_service of fe01: type: manual")


def test_who_is_to_be_taken_over_from_is_in_the_topology() -> None:
    found = judged(server("fe01", dc=0.0), take_over=("FE02", "fe09.contoso.com"))
    assert [each.partition(" is ")[0] for each in found.obstacles] == [
        "clock_drift_take_over: fe09.contoso.com"
    ]


# -- places ----------------------------------------------------------------------------------------------------------


def test_one_zone_with_different_rules_is_told() -> None:
    found = judged(server("fe01", dc=0.0), server("fe02", dc=0.0, utc_offset=-300), server("fe03", dc=0.0))
    (said,) = [each for each in found.remarks if "updates" in each]
    assert "-360 min on fe01, -300 min on fe02" in said
    assert words(found) == dict.fromkeys(("fe01", "fe02", "fe03"), "right")
    flipped = judged(server("fe01", dc=0.0), server("fe02", dc=0.0, zone=GREENWICH))
    assert not any("updates" in each for each in flipped.remarks)


def test_deployments_are_judged_by_themselves() -> None:
    other = Topology("other", (pool("pool09", "fe09"),))
    found = judge(
        [server("fe01", dc=0.0), server("fe02", dc=0.0), server("fe09", 600.0)],
        (*TOPOLOGY, other),
        {},
        Rules(synchronised=False),
    )
    assert words(found) == {"fe01": "right", "fe02": "right", "fe09": "unclear"}
    assert found.unclear == ["pool09"]


def test_what_is_wrong_with_the_inventory_is_told() -> None:
    swapped = judged(server("fe01", computer="fe02"), server("fe03"))
    assert "fe01 answers as fe02" in swapped.obstacles[0]
    strange = judged(server("fe01", dc=0.0), server("web", computer="web.example.net", dc=0.0))
    assert "its deployment cannot be told" in strange.obstacles[0]
    twice = judged(server("fe01", dc=0.0), server("alias", computer="fe01", dc=0.0), read("pool01", {}))
    assert set(twice.servers) == {"fe01"}
    assert len(twice.places.beside) == 2
    assert any("fe02" in each for each in twice.remarks)
    silent = judge([server("fe01")], [Topology("management", (), "No connection.")], {}, Rules())
    assert "management does not tell" in silent.obstacles[0]


# -- for any deployment ----------------------------------------------------------------------------------------------

seconds = st.floats(-1000, 1000).map(lambda value: round(value, 3))
precision = st.floats(0.001, 0.4)


@st.composite
def deployments(draw: st.DrawFn) -> tuple[list[Measurement], dict[str, Any]]:
    names = [f"fe0{n}" for n in range(1, 4)] + ["edge01", "edge02"]
    near = st.sampled_from([0.0, 0.0, 0.3, -0.6, 2.0, 600.0, -3600.0, 7.5])
    named = draw(st.dictionaries(st.sampled_from(["ntp1", "ntp2", "ntp3"]), near, max_size=3))
    domain = draw(st.none() | near)
    controller = draw(near)
    servers = [
        server(name, draw(near | seconds), draw(precision), controller=controller, ntp=named, dc=domain)
        for name in draw(st.lists(st.sampled_from(names), min_size=1, unique=True))
    ]
    rules = {"time_servers": tuple(named), "synchronised": draw(st.sampled_from([True, False, None]))}
    return servers, rules


@given(deployments())
def test_a_server_that_agrees_with_the_deciders_is_never_stepped(
    deployment: tuple[list[Measurement], dict[str, Any]],
) -> None:
    servers, rules = deployment
    found = judged(*servers, **rules)
    (decision,) = found.decisions.values()
    for each in found.servers.values():
        offset = each.measurement.offset
        deciders = () if decision.agreement is None else decision.agreement.truechimers
        if offset is not None and all(abs(offset.seconds - decider.seconds) <= 1.0 for decider in deciders):
            assert each.repair.clock is None


@given(deployments(), precision, st.sampled_from(["ntp8", "ntp9"]))
def test_adding_a_voter_that_agrees_never_turns_a_right_server_wrong(
    deployment: tuple[list[Measurement], dict[str, Any]], uncertainty: float, name: str
) -> None:
    servers, rules = deployment
    before = judged(*servers, **rules)
    (decision,) = before.decisions.values()
    assume(decision.agreement is not None)
    # A source that one more Edge Server follows is an ordinary voter.
    source = {**NTP, "peers": [{"host": name, "flags": []}]}
    more = Measurement(
        host="edge09",
        computer="edge09",
        offset=Offset(decision.reference or 0.0, uncertainty),
        zone=CENTRAL,
        time_service=source,
        synchronised=True,
        source=name,
    )
    after = judged(*servers, more, **rules)
    for host, each in before.servers.items():
        if each.word is Word.RIGHT:
            assert after.servers[host].word is not Word.WRONG


@given(st.lists(st.tuples(seconds, precision, st.integers(1, 2)), min_size=1, max_size=7))
def test_truechimers_are_a_majority_and_have_a_time_in_common(
    clocks: list[tuple[float, float, int]],
) -> None:
    candidates = [Candidate(str(number), *clock) for number, clock in enumerate(clocks)]
    found = select(candidates, 1.0)
    if found is None:
        return
    assert 2 * sum(each.weight for each in found.truechimers) > sum(each.weight for each in candidates)
    assert found.low <= found.reference <= found.high
    for each in found.truechimers:
        away = 1.0 + found.uncertainty
        assert each.low - away <= found.reference <= each.high + away
