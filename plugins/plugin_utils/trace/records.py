# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of client logs and server traces, and of parts of them that were pasted somewhere.

Reading has to be fast, so that a block is searched for the few words that make a record interesting, and only the
records with such a word in them are looked at closely.
"""

from __future__ import annotations

import bisect
import datetime
import itertools
import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

LONGEST_RECORD = 1 << 18
"""Whatever is longer is taken in parts of that size."""

_DATE = rb"(?P<date>\d{1,4}[./-] ?\d{1,2}[./-] ?\d{1,4}\.?)"
_TIME = rb"(?P<time>\d{1,2}[:.]\d\d[:.]\d\d(?:[.,]\d{1,3})?)(?P<half> ?[ap]\.?m\.?)?"
# All patterns are for text in lower case.
_START = re.compile(rb"\n(?:tl_[a-z]+\(|\d{1,4}[./-] ?\d{1,2}[./-] ?\d{1,4}\.? ?\|)")
_SERVER = re.compile(
    rb"tl_(?P<level>[a-z]+)\((?P<flag>tf_[a-z]+)\)\s*\[(?P<where>[^\]\n]{0,200})\](?P<process>[0-9a-f]+\.[0-9a-f]+)::"
    + _DATE
    + rb" ?-"
    + _TIME
    + rb"(?:\.(?P<sequence>[0-9a-f]{8}))?"
)
_CLIENT = re.compile(
    _DATE + rb" ?\|" + _TIME + rb" (?P<process>[0-9a-f]+:[0-9a-f]+) +(?P<level>[a-z]+) +:: ?"
)
_HEADLESS = re.compile(
    rb"(?m)^[ \t|]*(?:logtype:|start-line:|sip(?:/2\.0)? [1-6]\d\d |[a-z]{2,12} sips?:\S+ sip/2\.0)"
)
_END = b"$$end_record"
OURS = re.compile(
    rb"\$\$(?:begin|end)_record|(?m:^(?:logtype: *diagnostic|sip-start-line:)"
    rb"|^(?:start-line: *)?sip(?:/2\.0)? [1-6]\d\d |^(?:start-line: *)?[a-z]{2,12} sips?:\S+ sip/2\.0"
    rb"|^ms-(?:client-)?diagnostics)"
)
"""What only records of Lync have, or SIP as they show it."""


@dataclass(frozen=True)
class Stamp:
    """What a clock showed: a date whose order of day and month is not decided yet, and the seconds of the day."""

    date: tuple[int, int, int]
    seconds: float

    def moment(self, order: str) -> datetime.datetime | None:
        numbers = dict(zip(order, self.date, strict=True))
        year = numbers["y"] + 2000 if numbers["y"] < 100 else numbers["y"]
        try:
            day = datetime.datetime(year, numbers["m"], numbers["d"], tzinfo=datetime.timezone.utc)
            return day + datetime.timedelta(seconds=self.seconds)
        except (ValueError, OverflowError):
            return None


@dataclass(frozen=True)
class Record:
    """A record as it stands in the file. ``text`` is in lower case, and as long as ``original``."""

    original: bytes
    text: bytes
    line: int
    stamp: Stamp | None = None
    where: str | None = None
    flag: str | None = None
    identity: bytes | None = None
    client: bool = False


@dataclass(frozen=True)
class Block:
    """Some whole records at once."""

    original: bytes
    text: bytes
    line: int
    starts: tuple[int, ...]

    def records(self, words: Iterable[bytes]) -> Iterator[Record]:
        """The records that have one of these words, as they stand in the file."""
        found = set()
        for word in words:
            at = self.text.find(word)
            while at >= 0:
                number = bisect.bisect_right(self.starts, at) - 1
                found.add(number)
                end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
                at = self.text.find(word, end)
        yield from self._parsed(sorted(found))

    def at(self, places: Iterable[int]) -> Iterator[Record]:
        """The records at these places of the text."""
        yield from self._parsed(sorted({bisect.bisect_right(self.starts, place) - 1 for place in places}))

    def _parsed(self, numbers: Iterable[int]) -> Iterator[Record]:
        line, counted = self.line, 0
        for number in numbers:
            start = self.starts[number]
            end = self.starts[number + 1] if number + 1 < len(self.starts) else len(self.text)
            line += self.text.count(b"\n", counted, start)
            counted = start
            yield from parsed(self.original[start:end], self.text[start:end], line)

    def first_with_header(self) -> Record | None:
        """The first record, which tells the format and the time, unless it has no header."""
        for number in range(min(2, len(self.starts))):
            for record in self._parsed([number]):
                if record.stamp is not None:
                    return record
        return None


def grouped(stream: Iterable[bytes]) -> Iterator[Block]:
    """Blocks of whole records, in bounded memory."""
    rest = b""
    line = 1
    for data in stream:
        rest += data
        lowered = b"\n" + rest.lower()
        starts = [match.start() for match in _START.finditer(lowered)]
        if starts and starts[-1] > 0:
            cut = starts[-1]
            starts.pop()
        elif len(rest) > LONGEST_RECORD:
            cut = rest.rfind(b"\n") + 1 or len(rest)
        else:
            continue
        if not starts or starts[0] != 0:
            starts.insert(0, 0)
        text = lowered[1 : cut + 1]
        yield Block(rest[:cut], text, line, tuple(starts))
        line += text.count(b"\n")
        rest = rest[cut:]
    if rest:
        lowered = b"\n" + rest.lower()
        starts = [match.start() for match in _START.finditer(lowered)]
        if not starts or starts[0] != 0:
            starts.insert(0, 0)
        yield Block(rest, lowered[1:], line, tuple(starts))


def parsed(original: bytes, text: bytes, line: int) -> Iterator[Record]:
    """One record with a header, and those without one that follow it."""
    header = _SERVER.match(text) or _CLIENT.match(text)
    begin = 0
    if header is not None:
        end = text.find(_END)
        begin = len(text) if end < 0 else end + len(_END)
        server = "flag" in header.groupdict()
        where = header["where"].decode("utf-8", "replace").strip() if server else None
        yield Record(
            original[:begin],
            text[:begin],
            line,
            _stamp(header),
            # A number is the processor's.
            where.rpartition("\\")[2] if where and not where.isdigit() else None,
            header["flag"].decode() if server else None,
            header.group() if server and header["sequence"] else text[:begin],
            not server,
        )
    if begin < len(text) and text[begin:].strip():
        cuts = [begin, *(match.start() for match in _HEADLESS.finditer(text, begin)), len(text)]
        for start, stop in itertools.pairwise(cuts):
            if text[start:stop].strip():
                yield Record(original[start:stop], text[start:stop], line + text.count(b"\n", 0, start))


def _stamp(header: re.Match[bytes]) -> Stamp:
    first, second, third = (int(number) for number in re.findall(rb"\d+", header["date"]))
    hours, minutes, seconds, *fraction = re.split(rb"[:.,]", header["time"])
    hour = int(hours)
    if header["half"]:
        hour = hour % 12 + (12 if b"p" in header["half"] else 0)
    passed = hour * 3600 + int(minutes) * 60 + int(seconds)
    return Stamp((first, second, third), passed + (float(b"0." + fraction[0]) if fraction else 0.0))


def order_of(dates: Iterable[tuple[int, int, int]]) -> tuple[str, bool]:
    """In which order a file writes year, month and day, and whether that is known.

    Every genuine record seen has the American order, also on computers elsewhere; nothing is concluded from a locale. A
    number that is no month decides. Else the order counts in which the file spans fewer days, as a trace is short.
    """
    seen = set(dates)
    if any(first > 31 for first, _second, _third in seen):
        return "ymd", True
    day_first = any(first > 12 for first, _second, _third in seen)
    month_first = any(second > 12 for _first, second, _third in seen)
    if day_first != month_first:
        return ("dmy", True) if day_first else ("mdy", True)
    spans = {order: _span(seen, order) for order in ("mdy", "dmy")}
    if not day_first and spans["dmy"] != spans["mdy"]:
        return min(spans, key=lambda order: spans[order]), False
    return "mdy", False


def _span(dates: Iterable[tuple[int, int, int]], order: str) -> float:
    moments = [moment for date in dates if (moment := Stamp(date, 0).moment(order)) is not None]
    return (max(moments) - min(moments)).total_seconds() if moments else 0.0
