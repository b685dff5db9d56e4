# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Deployments in which much points to the wrong clock: who is right all the same, or that nobody can tell."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.described import WIDTH, lines
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.measurement import (
    Comparison,
    Measurement,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.voters import Right

from .test_judgement import GREENWICH, MEMBER, judged, right, server, words

HOUR, MINUTE = 3600.0, 60.0
ALL = ("fe01", "fe02", "fe03")
ZONES = {"India Standard Time": 330, "Nepal Standard Time": 345, "Central Standard Time": -360}


def flipped(host: str, zone: str, others: str = "Central Standard Time", **more: Any) -> Measurement:
    """A server in a zone of its own that shows the others' wall time."""
    off = (ZONES[others] - ZONES[zone]) * MINUTE
    return server(host, off, zone=zone, utc_offset=ZONES[zone], **more)


def in_perimeter(host: str, off: float = 0.0) -> Measurement:
    """A member of another domain than the Front Ends'."""
    emulator = Comparison("dc.perimeter.net", off, "10.9.9.9")
    return server(host, off, time_service=MEMBER, source="dc.perimeter.net", domain_controller=emulator)


def named(hosts: tuple[str, ...], times: Mapping[str, float | None], **more: Any) -> list[Measurement]:
    return [server(host, ntp=dict(times), **more) for host in hosts]


@dataclass(frozen=True)
class Case:
    """``wrong``: the servers that are, of which nothing is done to the clocks of ``left``. ``not_known`` likewise."""

    servers: list[Measurement]
    right: Right = Right.VOTERS
    wrong: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    not_known: tuple[str, ...] = ()
    said: str = ""
    rules: dict[str, Any] = field(default_factory=dict)


CASES = {
    "a day ahead, all but an hour": Case(
        [server("fe01", 23 * HOUR, dc=0.0), *(server(name, dc=0.0) for name in ("fe02", "fe03"))],
        wrong=("fe01",),
        said="+23 h 0 min off",
    ),
    "a zone of half hours": Case(
        [
            flipped("fe01", "India Standard Time", dc=0.0),
            *(server(name, dc=0.0) for name in ("fe02", "fe03")),
        ],
        wrong=("fe01",),
        said="just the difference between India Standard Time and Central Standard Time",
    ),
    "an Edge Server in a zone of quarter hours, with a source of its own": Case(
        [flipped("edge01", "Nepal Standard Time"), *(server(name, dc=0.0) for name in ("fe02", "fe03"))],
        wrong=("edge01",),
        said="just the difference between Nepal Standard Time and Central Standard Time",
    ),
    "daylight saving time switched off, and the clock set for it": Case(
        [
            server("edge01", HOUR, daylight_saving=False, utc_offset=-360),
            *(server(name, dc=0.0, utc_offset=-300) for name in ("fe02", "fe03")),
        ],
        wrong=("edge01",),
        said="between Central Standard Time_dstoff and Central Standard Time",
    ),
    "rules of a zone that Windows was never told": Case(
        [
            server("edge01", HOUR, utc_offset=-360),
            *(server(name, dc=0.0, utc_offset=-300) for name in ("fe02", "fe03")),
        ],
        wrong=("edge01",),
        said="adds to UTC there and on other servers",
    ),
    "two camps of two, and nobody else": Case(
        [
            *(server(name, 5 * MINUTE, dc=5 * MINUTE) for name in ("fe01", "fe02")),
            server("edge01"),
            server("edge02"),
        ],
        Right.UNCLEAR,
    ),
    "two camps of two named time servers": Case(
        named(ALL, {"a": 0.0, "b": 0.0, "c": 300.0, "d": 300.0}),
        Right.UNCLEAR,
        rules={"time_servers": ("a", "b", "c", "d")},
    ),
    "two camps of two named time servers, with a synchronised controller in one": Case(
        named(ALL, {"a": 0.0, "b": 0.0, "c": 300.0, "d": 300.0}),
        rules={"time_servers": ("a", "b", "c", "d"), "synchronised": True},
    ),
    "a time server that dies while it is asked": Case(
        [
            server("fe01", dc=0.0, ntp={"a": 0.0, "b": None}),
            server("fe02", 600.0, dc=0.0, ntp={"a": None, "b": None}),
        ],
        wrong=("fe02",),
        said="The time server b did not answer",
        rules={"time_servers": ("a", "b")},
    ),
    "time servers that differ by a leap second": Case(
        [*named(ALL, {"a": 0.0, "b": -1.1})], Right.UNCLEAR, rules={"time_servers": ("a", "b")}
    ),
    "time servers that smear a leap second, and one that does not": Case(
        [*named(ALL, {"a": 0.0, "b": -0.5})], Right.TIME_SERVERS, rules={"time_servers": ("a", "b")}
    ),
    "a slow line": Case(
        [server("edge01", 1.9, 1.1), *(server(name, -0.9, dc=0.0) for name in ALL)],
        not_known=("edge01",),
        said="whether the clock is within 1.0 s",
        rules={"synchronised": True},
    ),
    "a controller that was set in a wrong zone": Case(
        [
            *(server(name, dc=0.0, controller=-6 * HOUR) for name in ALL),
            server("edge01", controller=-6 * HOUR),
        ],
        said="Not so the controller (-6 h 0 min)",
        rules={"synchronised": None},
    ),
    "the domain is wrong, and the Front Ends with it": Case(
        [*(server(name, 10 * MINUTE, dc=10 * MINUTE) for name in ALL), server("edge01")],
        wrong=ALL,
        left=ALL,
        said="PDC emulator dc01 is +10 min off",
        rules={"synchronised": True},
    ),
    "a domain controller is wrong that is not the PDC emulator": Case(
        [
            server("fe01", 10 * MINUTE, dc=0.0, source="dc02"),
            *(server(name, dc=0.0) for name in ("fe02", "fe03")),
        ],
        wrong=("fe01",),
    ),
    "an Edge Server in another domain, of which nobody knows who is right": Case(
        [*(server(name, 5 * MINUTE, dc=5 * MINUTE) for name in ALL), in_perimeter("edge01")], Right.UNCLEAR
    ),
    "an Edge Server in another domain that a synchronised controller agrees with": Case(
        [*(server(name, 5 * MINUTE, dc=5 * MINUTE) for name in ALL), in_perimeter("edge01")],
        wrong=ALL,
        left=ALL,
        rules={"synchronised": True},
    ),
    "one server that finds somebody else under a time server's name": Case(
        [*named(("fe01", "fe02"), {"a": 0.0}, dc=0.0), server("edge01", ntp={"a": 600.0})],
        rules={"time_servers": ("a",)},
    ),
    "all of a pool in another zone, with the right UTC": Case(
        [server(name, dc=0.0, zone=GREENWICH) for name in ALL],
    ),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES)
def test_who_is_right_all_the_same(case: Case) -> None:
    found = judged(*case.servers, **case.rules)
    assert right(found) is case.right
    hosts = {each.host for each in case.servers}
    if case.right is Right.UNCLEAR:
        assert set(words(found).values()) == {"unclear"}
    else:
        expected = dict.fromkeys(hosts, "right") | dict.fromkeys(case.wrong, "wrong")
        assert words(found) == expected | dict.fromkeys(case.not_known, "not_known")
    set_right = {host for host, each in found.servers.items() if each.repair.clock is not None}
    assert set_right == set(case.wrong) - set(case.left)
    shown = lines(found)
    assert all(len(line) <= WIDTH for line in shown)
    assert case.said in " ".join(" ".join(shown).split())
