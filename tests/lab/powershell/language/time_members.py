# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""DateTime, TimeSpan, TimeZoneInfo, Stopwatch. The clock and the zone are the simulated computer's (.NET's
reference)."""

from __future__ import annotations

import calendar
import datetime
import time
from typing import Any

from psrpcore.types import PSInt64

from lab.objects.values import NetObject
from lab.powershell.language.conversions import cast, parse_date, to_text
from lab.powershell.language.enums import ENUMERATIONS
from lab.powershell.language.instance_members import OUT_OF_RANGE, mutation
from lab.powershell.language.members import Context, NetError, constructor, method, prop, static, static_prop
from lab.powershell.language.text import format_value
from lab.powershell.language.values import Instance, Reference, TypeReference

_DATE, _SPAN, _ZONE = "System.DateTime", "System.TimeSpan", "System.TimeZoneInfo"
_UNREPRESENTABLE = (
    "The added or subtracted value results in an un-representable DateTime.\r\nParameter name: "
)
_EPOCH_TICKS = 504911232000000000  # of 1601, where file times begin


def kind_of(moment: datetime.datetime) -> str:
    if moment.tzinfo is None:
        return "Unspecified"
    return "Utc" if moment.tzinfo is datetime.timezone.utc else "Local"


def _bare(moment: datetime.datetime) -> datetime.datetime:
    """Without the notes that Get-Date adds."""
    return datetime.datetime(
        *moment.timetuple()[:6], microsecond=moment.microsecond, tzinfo=moment.tzinfo, fold=moment.fold
    )


def span_ticks(span: datetime.timedelta) -> int:
    return (span.days * 86400 + span.seconds) * 10**7 + span.microseconds * 10


def _ticks(moment: datetime.datetime) -> int:
    return span_ticks(moment.replace(tzinfo=None) - datetime.datetime(1, 1, 1))


def _time_of_day(moment: datetime.datetime) -> datetime.timedelta:
    bare = moment.replace(tzinfo=None)
    return bare - bare.replace(hour=0, minute=0, second=0, microsecond=0)


for _name, _getter in (
    ("Year", lambda value, context: value.year),
    ("Month", lambda value, context: value.month),
    ("Day", lambda value, context: value.day),
    ("Hour", lambda value, context: value.hour),
    ("Minute", lambda value, context: value.minute),
    ("Second", lambda value, context: value.second),
    ("Millisecond", lambda value, context: value.microsecond // 1000),
    ("DayOfYear", lambda value, context: value.timetuple().tm_yday),
    ("DayOfWeek", lambda value, context: ENUMERATIONS["System.DayOfWeek"]((value.weekday() + 1) % 7)),
    ("Ticks", lambda value, context: PSInt64(_ticks(value))),
    ("Date", lambda value, context: _bare(value).replace(hour=0, minute=0, second=0, microsecond=0)),
    ("TimeOfDay", lambda value, context: _time_of_day(value)),
    ("Kind", lambda value, context: ENUMERATIONS["System.DateTimeKind"][kind_of(value)]),
    ("DateTime", lambda value, context: format_value(value, "F")),
):
    prop(_DATE, _name)(_getter)


def _moved(moment: datetime.datetime, span: datetime.timedelta) -> datetime.datetime:
    try:
        return _bare(moment) + span
    except OverflowError:
        raise NetError(OUT_OF_RANGE, f"{_UNREPRESENTABLE}value") from None


def _span_of(unit: str, count: float) -> datetime.timedelta:
    try:
        return datetime.timedelta(**{unit: count})
    except OverflowError:
        raise NetError(
            "System.OverflowException", "TimeSpan overflowed because the duration is too long."
        ) from None


for _name, _unit in (
    *(("AddDays", "days"), ("AddHours", "hours"), ("AddMinutes", "minutes"), ("AddSeconds", "seconds")),
    ("AddMilliseconds", "milliseconds"),
):
    method(_DATE, _name, "double")(lambda moment, count, _unit=_unit: _moved(moment, _span_of(_unit, count)))
method(_DATE, "AddTicks", "long")(
    lambda moment, ticks: _moved(moment, datetime.timedelta(microseconds=ticks // 10))
)
method(_DATE, "Add", "span")(_moved)
method(_DATE, "Subtract", "span")(lambda moment, span: _moved(moment, -span))
method(_DATE, "Subtract", "date")(
    lambda moment, other: moment.replace(tzinfo=None) - other.replace(tzinfo=None)
)


@method(_DATE, "AddMonths", "int")
def _add_months(moment: datetime.datetime, months: int) -> datetime.datetime:
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    if not 1 <= year <= 9999:
        raise NetError(OUT_OF_RANGE, f"{_UNREPRESENTABLE}months")
    day = min(moment.day, calendar.monthrange(year, month + 1)[1])
    return _bare(moment).replace(year=year, month=month + 1, day=day)


method(_DATE, "AddYears", "int")(lambda moment, years: _add_months(moment, years * 12))


def local_time(context: Context, moment: datetime.datetime) -> datetime.datetime:
    """A time without zone as the computer's local one."""
    zone = context.session.machine.zone
    guess = moment.replace(tzinfo=datetime.timezone.utc)
    return moment.replace(tzinfo=datetime.timezone(zone.offset(guess - zone.offset(guess))))


@method(_DATE, "ToUniversalTime", context=True)
def _to_utc(context: Context, moment: datetime.datetime) -> datetime.datetime:
    if moment.tzinfo is None:
        moment = local_time(context, moment)
    return _bare(moment).astimezone(datetime.timezone.utc)


@method(_DATE, "ToLocalTime", context=True)
def _to_local(context: Context, moment: datetime.datetime) -> datetime.datetime:
    if kind_of(moment) == "Local":
        return moment
    return context.session.machine.zone.local(_bare(moment).replace(tzinfo=datetime.timezone.utc))


for _name, _pattern in (
    *(("ToShortDateString", "d"), ("ToLongDateString", "D"), ("ToShortTimeString", "t")),
    ("ToLongTimeString", "T"),
):
    method(_DATE, _name)(lambda moment, _pattern=_pattern: format_value(moment, _pattern))
for _name in ("ToFileTime", "ToFileTimeUtc"):
    method(_DATE, _name, context=True)(
        lambda context, moment: PSInt64(_ticks(_to_utc(context, moment)) - _EPOCH_TICKS)
    )


@method(_DATE, "IsDaylightSavingTime", context=True)
def _is_daylight(context: Context, moment: datetime.datetime) -> bool:
    zone, utc = context.session.machine.zone, _to_utc(context, moment)
    return zone.standard_offset(utc) != zone.offset(utc)


# Static members of DateTime

_NOW = lambda context: context.session.local_time()  # noqa: E731  one of a table of getters
static_prop(_DATE, "Now")(_NOW)
static_prop(_DATE, "UtcNow")(lambda context: _NOW(context).astimezone(datetime.timezone.utc))
static_prop(_DATE, "Today")(lambda context: _NOW(context).replace(hour=0, minute=0, second=0, microsecond=0))
static_prop(_DATE, "MinValue")(lambda context: datetime.datetime.min)
static_prop(_DATE, "MaxValue")(lambda context: datetime.datetime.max)
static(_DATE, "IsLeapYear", "int")(calendar.isleap)
static(_DATE, "DaysInMonth", "int int")(lambda year, month: calendar.monthrange(year, month)[1])


@static(_DATE, "Parse", "str", context=True)
def _parse(context: Context, text: str) -> datetime.datetime:
    found = parse_date(text or "")
    if found is None:
        raise NetError("System.FormatException", "String was not recognized as a valid DateTime.")
    return _to_local(context, found.astimezone(datetime.timezone.utc)) if found.tzinfo else found


@static(_DATE, "TryParse", "str any")
def _try_parse(text: str, target: Reference) -> bool:
    found = parse_date(text or "")
    target.value = datetime.datetime.min if found is None else found
    return found is not None


_EXACT = {
    **{"yyyy": "%Y", "yy": "%y", "MMMM": "%B", "MMM": "%b", "MM": "%m", "M": "%m", "dddd": "%A", "ddd": "%a"},
    **{
        "dd": "%d",
        "d": "%d",
        "HH": "%H",
        "H": "%H",
        "hh": "%I",
        "h": "%I",
        "mm": "%M",
        "m": "%M",
        "ss": "%S",
    },
    **{"s": "%S", "tt": "%p", "fff": "%f", "ffffff": "%f", "fffffff": "%f"},
}


@static(_DATE, "ParseExact", "str str any")
def _parse_exact(text: str, pattern: str, provider: Any) -> datetime.datetime:
    import re

    made = re.sub(
        r"yyyy|yy|M{1,4}|d{1,4}|HH?|hh?|mm?|ss?|tt|f+|'[^']*'",
        lambda token: _EXACT.get(token.group(), token.group().strip("'").replace("%", "%%")),
        pattern,
    )
    try:
        return datetime.datetime.strptime(text, made)
    except ValueError:
        raise NetError("System.FormatException", "String was not recognized as a valid DateTime.") from None


@static(_DATE, "SpecifyKind", "date System.DateTimeKind", context=True)
def _specify(context: Context, moment: datetime.datetime, kind: Any) -> datetime.datetime:
    bare = _bare(moment).replace(tzinfo=None)
    if kind.name == "Utc":
        return bare.replace(tzinfo=datetime.timezone.utc)
    return local_time(context, bare) if kind.name == "Local" else bare


static(_DATE, "FromFileTimeUtc", "long")(
    lambda ticks: (
        datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
        + datetime.timedelta(microseconds=ticks // 10)
    )
)
static(_DATE, "FromFileTime", "long", context=True)(
    lambda context, ticks: _to_local(
        context,
        datetime.datetime(1601, 1, 1, tzinfo=datetime.timezone.utc)
        + datetime.timedelta(microseconds=ticks // 10),
    )
)


def _made(*parts: int) -> datetime.datetime:
    try:
        return datetime.datetime(*parts)  # type: ignore[arg-type]  # at most seven numbers
    except ValueError:
        raise NetError(
            OUT_OF_RANGE, "Year, Month, and Day parameters describe an un-representable DateTime."
        ) from None


constructor(_DATE, "int int int")(_made)
constructor(_DATE, "int int int int int int")(_made)
constructor(_DATE, "long")(
    lambda ticks: datetime.datetime(1, 1, 1) + datetime.timedelta(microseconds=ticks // 10)
)
constructor(_DATE, "")(lambda: datetime.datetime.min)

# Spans of time

_UNITS = {
    "Days": 864 * 10**9,
    "Hours": 36 * 10**9,
    "Minutes": 6 * 10**8,
    "Seconds": 10**7,
    "Milliseconds": 10**4,
}
_MODULI = {"Days": 10**9, "Hours": 24, "Minutes": 60, "Seconds": 60, "Milliseconds": 1000}


def _part(span: datetime.timedelta, unit: str) -> int:
    ticks = span_ticks(span)
    whole = abs(ticks) // _UNITS[unit] % _MODULI[unit]
    return whole if ticks >= 0 else -whole


for _unit in _UNITS:
    prop(_SPAN, _unit)(lambda span, context, _unit=_unit: _part(span, _unit))
    prop(_SPAN, f"Total{_unit}")(lambda span, context, _unit=_unit: span_ticks(span) / _UNITS[_unit])
    static(_SPAN, f"From{_unit}", "double")(lambda count, _unit=_unit: _span_of(_unit.lower(), count))
prop(_SPAN, "Ticks")(lambda span, context: PSInt64(span_ticks(span)))
method(_SPAN, "Add", "span")(lambda span, other: span + other)
method(_SPAN, "Subtract", "span")(lambda span, other: span - other)
method(_SPAN, "Negate")(lambda span: -span)
method(_SPAN, "Duration")(lambda span: abs(span))
static_prop(_SPAN, "Zero")(lambda context: datetime.timedelta())
static(_SPAN, "FromTicks", "long")(lambda ticks: datetime.timedelta(microseconds=ticks / 10))
static(_SPAN, "Parse", "str")(lambda text: cast(text, TypeReference(_SPAN)))
constructor(_SPAN, "long")(lambda ticks: datetime.timedelta(microseconds=ticks / 10))
constructor(_SPAN, "int int int")(lambda h, m, s: datetime.timedelta(hours=h, minutes=m, seconds=s))
constructor(_SPAN, "int int int int")(lambda d, h, m, s: datetime.timedelta(d, hours=h, minutes=m, seconds=s))

# Zones


def zone_information(context: Context) -> NetObject:
    """TimeZoneInfo of the computer's zone; names are those the registry has of it."""
    zone, now = context.session.machine.zone, context.session.machine.clock.read()
    offset = zone.standard_offset(now)
    sign = "-" if offset < datetime.timedelta() else "+"
    minutes = int(abs(offset).total_seconds() // 60)
    shown = (
        f"(UTC{sign}{minutes // 60:02}:{minutes % 60:02}) {zone.name}" if minutes else f"(UTC) {zone.name}"
    )
    return NetObject(
        ("System.TimeZoneInfo", "System.Object"),
        {
            "Id": zone.name,
            "DisplayName": shown,
            "StandardName": zone.name,
            "DaylightName": zone.daylight_name,
            "BaseUtcOffset": offset,
            "SupportsDaylightSavingTime": zone.daylight_saving and zone.transitions(now.year) is not None,
        },
        text=shown,
    )


static_prop(_ZONE, "Local")(zone_information)
static_prop("System.TimeZone", "CurrentTimeZone")(zone_information)


@static(_ZONE, "ConvertTimeToUtc", "date", context=True)
def _convert_to_utc(context: Context, moment: datetime.datetime) -> datetime.datetime:
    return _to_utc(context, moment)


@method(_ZONE, "GetUtcOffset", "date", context=True)
def _utc_offset(context: Context, zone: Any, moment: datetime.datetime) -> datetime.timedelta:
    return context.session.machine.zone.offset(_to_utc(context, moment))


method(_ZONE, "IsDaylightSavingTime", "date", context=True)(
    lambda context, zone, moment: _is_daylight(context, moment)
)
static(_ZONE, "ClearCachedData")(mutation(lambda: None))

# What time has passed

_WATCH = "System.Diagnostics.Stopwatch"


def _elapsed(value: Instance) -> datetime.timedelta:
    running = time.monotonic() - value.state["since"] if value.state["since"] is not None else 0.0
    return datetime.timedelta(seconds=value.state["before"] + running)


def _turned(value: Instance, running: bool, keep: bool = True) -> Instance:
    before = _elapsed(value).total_seconds() if keep else 0.0
    value.state.update(before=before, since=time.monotonic() if running else None)
    return value


def _stopwatch() -> Instance:
    return Instance((_WATCH, "System.Object"), {"before": 0.0, "since": None})


constructor(_WATCH, "")(_stopwatch)
static(_WATCH, "StartNew")(lambda: _turned(_stopwatch(), running=True))
method(_WATCH, "Start")(mutation(lambda value: _turned(value, running=True)))
method(_WATCH, "Stop")(mutation(lambda value: _turned(value, running=False)))
method(_WATCH, "Reset")(mutation(lambda value: _turned(value, running=False, keep=False)))
method(_WATCH, "Restart")(mutation(lambda value: _turned(value, running=True, keep=False)))
prop(_WATCH, "Elapsed")(lambda value, context: _elapsed(value))
prop(_WATCH, "ElapsedMilliseconds")(
    lambda value, context: PSInt64(int(_elapsed(value).total_seconds() * 1000))
)
prop(_WATCH, "IsRunning")(lambda value, context: value.state["since"] is not None)

__all__ = ["kind_of", "local_time", "span_ticks", "to_text", "zone_information"]
