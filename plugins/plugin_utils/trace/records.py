# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records of client logs and server traces, and of parts of them that were pasted somewhere.

Reading has to be fast, so that a block is searched for the few words that make a record interesting, and only the
records with such a word in them are looked at closely.
"""

from __future__ import annotations

import datetime
import itertools
import re
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

LONGEST_RECORD = 1 << 18
"""Whatever is longer is taken in parts of that size."""

_DATE = rb"(?P<first>\d{1,4})[./-] ?(?P<second>\d{1,2})[./-] ?(?P<third>\d{1,4})\.?"
_TIME = (
    rb"(?P<hours>\d{1,2})[:.](?P<minutes>\d\d)[:.](?P<seconds>\d\d(?:[.,]\d{1,3})?)(?P<half> ?[ap]\.?m\.?)?"
)
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
_NEWLINE = 10
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
    """Some whole records at once. Where one begins is looked up only where it matters."""

    original: bytes
    text: bytes
    line: int

    def records(
        self, words: Iterable[bytes], harmless: Callable[[bytes, int], bool] = lambda _text, _at: False
    ) -> Iterator[Record]:
        """The records that have one of these words somewhere where it is not harmless, as they stand in the file."""
        found = {}
        for word in words:
            at = self.text.find(word)
            while at >= 0:
                end = at + len(word)
                if not harmless(self.text, at):
                    start, end = self._around(at)
                    found[start] = end
                at = self.text.find(word, end)
        line, counted = self.line, 0
        for start, end in sorted(found.items()):
            line += self.text.count(b"\n", counted, start)
            counted = start
            yield from parsed(self.original[start:end], self.text[start:end], line)

    def at(self, place: int) -> Iterator[Record]:
        """The records with and below the header before this place of the text, without their lines' numbers."""
        start, end = self._around(place)
        yield from parsed(self.original[start:end], self.text[start:end], 0)

    def first_with_header(self) -> Record | None:
        """The first record, which tells the format and the time, unless it has no header."""
        start = 0
        for _block in range(2):
            end = self._end(start)
            for record in parsed(self.original[start:end], self.text[start:end], self.line):
                if record.stamp is not None:
                    return record
            start = end
        return None

    def _around(self, place: int) -> tuple[int, int]:
        """From the header before a place to the next one."""
        return last_start(self.text, place), self._end(place)

    def _end(self, place: int) -> int:
        found = _START.search(self.text, place)
        return found.start() + 1 if found else len(self.text)


def last_start(text: bytes, before: int) -> int:
    """Where the last record's header begins before a place; 0 where there is none."""
    if _START.search(text, 0, before) is None:
        return 0
    newline = text.rfind(b"\n", 0, before)
    while newline >= 0 and _START.match(text, newline) is None:
        newline = text.rfind(b"\n", 0, newline)
    return newline + 1


def grouped(stream: Iterable[bytes]) -> Iterator[Block]:
    """Blocks of whole records, in bounded memory."""
    rest = b""
    line = 1
    for data in stream:
        rest += data
        lowered = rest.lower()
        cut = last_start(lowered, len(lowered))
        if not cut:
            if len(rest) <= LONGEST_RECORD:
                continue
            cut = rest.rfind(b"\n") + 1 or len(rest)
        text = lowered[:cut]
        yield Block(rest[:cut], text, line)
        line += text.count(b"\n")
        rest = rest[cut:]
    if rest:
        yield Block(rest, rest.lower(), line)


def value_of(text: bytes, name: bytes) -> tuple[int, int] | None:
    """From where to where the value of a line with this name and colon stands; faster than any expression."""
    at = text.find(name)
    while at >= 0:
        if not at or text[at - 1] == _NEWLINE:
            start = at + len(name)
            end = text.find(b"\n", start)
            return start, len(text) if end < 0 else end
        at = text.find(name, at + 1)
    return None


def parsed(original: bytes, text: bytes, line: int) -> Iterator[Record]:
    """One record with a header, and those without one that follow it."""
    header = _SERVER.match(text) or _CLIENT.match(text)
    begin = 0
    if header is not None:
        end = text.find(_END)
        begin = len(text) if end < 0 else end + len(_END)
        server = header.re is _SERVER
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
    if begin < len(text) and not text[begin:].isspace():
        cuts = [begin, *(match.start() for match in _HEADLESS.finditer(text, begin)), len(text)]
        counted = 0
        for start, stop in itertools.pairwise(cuts):
            line += text.count(b"\n", counted, start)
            counted = start
            if not text[start:stop].isspace() and start < stop:
                yield Record(original[start:stop], text[start:stop], line)


def _stamp(header: re.Match[bytes]) -> Stamp:
    first, second, third, hours, minutes, seconds, half = header.group(
        "first", "second", "third", "hours", "minutes", "seconds", "half"
    )
    hour = int(hours)
    if half:
        hour = hour % 12 + (12 if b"p" in half else 0)
    passed = hour * 3600 + int(minutes) * 60 + float(seconds.replace(b",", b"."))
    return Stamp((int(first), int(second), int(third)), passed)


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
