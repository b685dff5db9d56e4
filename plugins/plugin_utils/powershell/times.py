# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Moments and spans: .NET counts them in steps of 100 ns, Python in microseconds.

Most need no digit more than Python has, and are plain `datetime.datetime` and `datetime.timedelta`. The others are the
two classes here, which compare, hash, print and travel with their last digit; arithmetic has Python's precision.
"""

from __future__ import annotations

import datetime
import re
from typing import Any

from .errors import UnconvertibleValue

_DATE_TIME = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.(?P<fraction>\d{1,7}))?(?P<zone>Z|[+-]\d\d:\d\d)?", re.ASCII
)
_DURATION = re.compile(
    r"(?P<sign>-?)P(?:(?P<days>\d+)D)?"
    r"(?:T(?:(?P<hours>\d+)H)?(?:(?P<minutes>\d+)M)?(?:(?P<seconds>\d+)(?:\.(?P<fraction>\d{1,7}))?S)?)?",
    re.ASCII,
)
# DateTime.MinValue and MaxValue mean "never". A server adds its own offset to them, in whatever zone it stands.
_NEVER = ("0001-01-01T00:00:00", "9999-12-31T23:59:59.9999999")
_TICKS_PER_SECOND = 10_000_000
_TICKS_PER_DAY = 86_400 * _TICKS_PER_SECOND
# TimeSpan.MinValue and MaxValue are a signed count of 64 bits.
_MOST_TICKS = 2**63 - 1


class _WithTick:
    """A comparison in which the last digit decides between what is the same microsecond."""

    tick: int

    def __eq__(self, other: object) -> Any:
        same = super().__eq__(other)
        return same if same is not True else self.tick == _tick(other)

    def __ne__(self, other: object) -> Any:
        same = self.__eq__(other)
        return same if same is NotImplemented else not same

    def __lt__(self, other: Any) -> Any:
        less: Any = super().__lt__(other)  # type: ignore[misc]  # the other base has it
        return less if less is not False else super().__eq__(other) is True and self.tick < _tick(other)

    def __gt__(self, other: Any) -> Any:
        more: Any = super().__gt__(other)  # type: ignore[misc]  # the other base has it
        return more if more is not False else super().__eq__(other) is True and self.tick > _tick(other)

    def __le__(self, other: Any) -> Any:
        more = self.__gt__(other)
        return more if more is NotImplemented else not more

    def __ge__(self, other: Any) -> Any:
        less = self.__lt__(other)
        return less if less is NotImplemented else not less

    def __hash__(self) -> int:
        return hash((super().__hash__(), self.tick)) if self.tick else super().__hash__()


class DateTime(_WithTick, datetime.datetime):
    tick = 0

    def isoformat(self, sep: str = "T", timespec: str = "auto") -> str:
        text = super().isoformat(sep, "microseconds" if self.tick else timespec)
        end = len("0001-01-01T00:00:00.000000")
        return f"{text[:end]}{self.tick}{text[end:]}" if self.tick else text

    def __reduce_ex__(self, protocol: Any) -> Any:
        return with_tick, (datetime.datetime.combine(self.date(), self.timetz()), self.tick)


class TimeSpan(_WithTick, datetime.timedelta):
    """The digit is added, to negative spans as well."""

    tick = 0

    def total_seconds(self) -> float:
        return _ticks(self) / _TICKS_PER_SECOND

    def __reduce_ex__(self, protocol: Any) -> Any:
        return with_tick, (datetime.timedelta(self.days, self.seconds, self.microseconds), self.tick)


def with_tick(value: Any, tick: int) -> Any:
    """The same moment or span with this last digit."""
    if not tick:
        return value
    if isinstance(value, datetime.timedelta):
        precise: Any = TimeSpan(value.days, value.seconds, value.microseconds)
    else:
        precise = DateTime.combine(value.date(), value.timetz())
    precise.tick = tick
    return precise


def _tick(value: Any) -> int:
    return getattr(value, "tick", 0)


def read_date_time(text: str) -> datetime.datetime:
    """An aware time in UTC; a DateTime that the server sent without a zone stays without one."""
    match = _DATE_TIME.fullmatch(text)
    if match is None:
        raise UnconvertibleValue(f"'{text}' is not a DateTime as the remoting protocol writes it.")
    fraction = (match["fraction"] or "").ljust(7, "0")
    moment = datetime.datetime.fromisoformat(match[1]).replace(microsecond=int(fraction[:6]))
    zone = match["zone"]
    if zone is not None:
        if zone != "Z" and text.removesuffix(zone) not in _NEVER:
            offset = datetime.timedelta(hours=int(zone[1:3]), minutes=int(zone[4:6]))
            moment = moment + offset if zone[0] == "-" else moment - offset
        moment = moment.replace(tzinfo=datetime.timezone.utc)
    precise: datetime.datetime = with_tick(moment, int(fraction[6]))
    return precise


def write_date_time(moment: datetime.datetime) -> str:
    if moment.tzinfo is None:
        raise UnconvertibleValue(
            f"The time {moment.isoformat()} has no zone: the server would read it in its own."
        )
    utc = moment.astimezone(datetime.timezone.utc).replace(tzinfo=None)
    return f"{utc.isoformat(timespec='microseconds')}{_tick(moment) or ''}Z"


def read_duration(text: str) -> datetime.timedelta:
    match = _DURATION.fullmatch(text)
    if match is None or text.endswith(("P", "T")):
        raise UnconvertibleValue(f"'{text}' is not a TimeSpan as the remoting protocol writes it.")
    days, hours, minutes, seconds = (
        int(match[part] or 0) for part in ("days", "hours", "minutes", "seconds")
    )
    ticks = (((days * 24 + hours) * 60 + minutes) * 60 + seconds) * _TICKS_PER_SECOND
    ticks += int((match["fraction"] or "").ljust(7, "0"))
    microseconds, tick = divmod(-ticks if match["sign"] else ticks, 10)
    span: datetime.timedelta = with_tick(datetime.timedelta(microseconds=microseconds), tick)
    return span


def write_duration(span: datetime.timedelta) -> str:
    sign, days, seconds, fraction = _parts(span)
    return f"{sign}P{days}DT{seconds}{fraction.removesuffix('0')}S"


def span_text(span: datetime.timedelta) -> str:
    """As TimeSpan.Parse reads it: ``[-][d.]hh:mm:ss[.fffffff]``."""
    sign, days, seconds, fraction = _parts(span)
    time = f"{seconds // 3600:02}:{seconds // 60 % 60:02}:{seconds % 60:02}{fraction}"
    return f"{sign}{f'{days}.' if days else ''}{time}"


def _parts(span: datetime.timedelta) -> tuple[str, int, int, str]:
    ticks = _ticks(span)
    days, rest = divmod(abs(ticks), _TICKS_PER_DAY)
    seconds, fraction = divmod(rest, _TICKS_PER_SECOND)
    return "-" if ticks < 0 else "", days, seconds, f".{fraction:07d}" if fraction else ""


def is_time_span(span: datetime.timedelta) -> bool:
    """Whether .NET can count that far."""
    return -_MOST_TICKS - 1 <= _ticks(span) <= _MOST_TICKS


def _ticks(span: datetime.timedelta) -> int:
    return ((span.days * 86_400 + span.seconds) * 1_000_000 + span.microseconds) * 10 + _tick(span)
