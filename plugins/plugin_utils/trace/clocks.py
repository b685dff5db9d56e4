# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The difference of two servers' clocks, from their records of the same messages.

A message is written down where it leaves and where it arrives. Its way takes time and never arrives early, so that the
smallest difference in one direction is an upper bound; with both directions the middle is the offset, and half of what
is between them the uncertainty, as in NTP.

Memory is bounded by keeping the calls whose Call-ID has the smallest hashes: both servers keep the same calls, whatever
the order in which their files are read.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass

from .records import Record, Stamp, value_of

MOST_OBSERVATIONS = 1_000
_SHORTEST_MESSAGE = 500
_QUARTER = 15 * 60
_NEAR_A_QUARTER = 90.0
_LINE = re.compile(rb"(?m)^(?:sip/2\.0 (\d{3})|([a-z]{2,12}) sips?:\S+ sip/2\.0)")
_CSEQ = re.compile(rb"[ \t]*(\d{1,10})[ \t]+([a-z]{2,12})")
_BRANCH = re.compile(rb";branch=([^;\s]{1,200})")
_TAG = re.compile(rb";tag=([^;\s]{1,100})")
_CLIENT_DIRECTION = re.compile(rb":: ?(?:data received|(sending packet))")


@dataclass(frozen=True)
class ClockDifference:
    """How far ``server`` is ahead of ``reference``, in seconds; negative where it is behind.

    Without an uncertainty only one direction was seen: the offset is at most what is stated.
    """

    server: str
    reference: str
    offset: float
    uncertainty: float | None
    messages: int

    @property
    def may_be_zone(self) -> bool:
        """Traces do not say in which zone their times are; whole quarters of an hour may be nothing but zones."""
        quarters = round(self.offset / _QUARTER)
        return quarters != 0 and abs(self.offset - quarters * _QUARTER) <= _NEAR_A_QUARTER


class Observations:
    """When each server saw which message.

    What is read has about ``size`` bytes: in large traces the sample begins as small as it is going to be at least.
    """

    def __init__(self, size: int = 0, most: int = MOST_OBSERVATIONS) -> None:
        self._most = most
        messages = max(1, size // _SHORTEST_MESSAGE)
        self._limit = min(1 << 32, (2 * most << 32) // messages)
        self._seen: dict[tuple[int, int], dict[tuple[str, bool], tuple[Stamp, int]]] = {}
        self._count = 0

    def wanted(self, calls: Iterable[bytes]) -> set[bytes]:
        """Those of these calls that belong to the sample."""
        limit, hashed = self._limit, zlib.crc32
        return {call for call in calls if hashed(call) < limit}

    def add(self, record: Record, call: bytes, server: str, file: int) -> None:
        """Remember a record of a message, unless it is not one."""
        text = record.text
        if record.client:
            way = _CLIENT_DIRECTION.search(text)
            line = _LINE.search(text)
            sent = None if way is None else way[1] is not None
        else:
            direction, start = value_of(text, b"direction:"), value_of(text, b"start-line:")
            line = _LINE.match(text[slice(*start)].lstrip()) if start else _LINE.search(text)
            sent = None if direction is None else text[slice(*direction)].lstrip().startswith(b"outgoing")
        sequence = _in_value(text, b"cseq:", _CSEQ.match)
        if record.stamp is None or sent is None or line is None or sequence is None:
            return
        via = _in_value(text, b"via:", _BRANCH.search) or _in_value(text, b"from:", _TAG.search)
        hashed = zlib.crc32(call)
        message = hash((call, line[1], sequence.groups(), via[1] if via else None))
        places = self._seen.setdefault((hashed, message), {})
        place = (server, sent)
        # A message that is sent again is the first one, which cannot have been late.
        if place not in places:
            places[place] = (record.stamp, file)
            self._count += 1
            while self._count > self._most:
                self._halve()

    def _halve(self) -> None:
        self._limit //= 2
        self._seen = {key: places for key, places in self._seen.items() if key[0] < self._limit}
        self._count = sum(map(len, self._seen.values()))

    def differences(self, orders: Mapping[int, str]) -> list[ClockDifference]:
        """Between each two servers that saw the same messages; ``orders`` are those of the files' dates."""
        smallest: dict[tuple[str, str], float] = {}
        messages: dict[tuple[str, str], int] = {}
        for places in self._seen.values():
            for (sender, sent), (left, its_file) in places.items():
                if not sent:
                    continue
                for (receiver, also_sent), (arrived, other_file) in places.items():
                    if also_sent or receiver == sender:
                        continue
                    start, end = left.moment(orders[its_file]), arrived.moment(orders[other_file])
                    if start is None or end is None:
                        continue
                    key = (sender, receiver)
                    took = (end - start).total_seconds()
                    smallest[key] = min(took, smallest.get(key, took))
                    messages[key] = messages.get(key, 0) + 1
        found = []
        for sender, receiver in smallest:
            if (receiver, sender) in smallest and sender > receiver:
                continue
            there, back = smallest[sender, receiver], smallest.get((receiver, sender))
            count = messages[sender, receiver] + messages.get((receiver, sender), 0)
            if back is None:
                found.append(ClockDifference(receiver, sender, there, None, count))
            else:
                found.append(
                    ClockDifference(receiver, sender, (there - back) / 2, abs(there + back) / 2, count)
                )
        return sorted(found, key=lambda each: (-abs(each.offset), each.server, each.reference))


def _in_value(
    text: bytes, name: bytes, search: Callable[[bytes, int, int], re.Match[bytes] | None]
) -> re.Match[bytes] | None:
    found = value_of(text, name)
    return search(text, *found) if found else None
