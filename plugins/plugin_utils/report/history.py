# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Earlier runs of the same report: counts for the strip, and since when what is open has been. Pure functions."""

from __future__ import annotations

import datetime
import itertools
import json
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from .gathered import UnusableReport

FORMAT = 1
# What was resolved so long ago does not return; it is new.
_REMEMBERED = datetime.timedelta(days=366)
_MOST_MISSED = 60

Key = tuple[str, ...]
"""Deployment, noun, identity and property, folded."""


@dataclass(frozen=True)
class Record:
    """``source`` is the module that found it and the host it did so at: only they can say that it is gone."""

    key: Key
    id: str
    source: tuple[str, str]
    names: tuple[str, str, str]
    since: str
    resolved: str = ""


@dataclass(frozen=True)
class History:
    """``runs`` from the oldest to the newest, as the model has them; ``records`` of what no state folder remembers."""

    runs: tuple[Mapping[str, Any], ...] = ()
    records: tuple[Record, ...] = ()
    last_complete: str = ""


def load(text: str) -> History:
    """Raises UnusableReport."""
    try:
        document = json.loads(text)
        found = document["format"]
        if found != FORMAT:
            raise UnusableReport(f"it has the format {found}, and this version knows {FORMAT}")
        return History(
            tuple(dict(each) for each in document["runs"]),
            tuple(
                Record(
                    tuple(each["key"]),
                    each["id"],
                    (each["source"][0], each["source"][1]),
                    (each["names"][0], each["names"][1], each["names"][2]),
                    each["since"],
                    each["resolved"],
                )
                for each in document["records"]
            ),
            document["last_complete"],
        )
    except UnusableReport:
        raise
    except (ValueError, LookupError, TypeError, AttributeError, RecursionError):
        raise UnusableReport("it is damaged") from None


def dump(history: History) -> str:
    return json.dumps({"format": FORMAT, **asdict(history)}, indent=1, ensure_ascii=True) + "\n"


def trend_of(records: Mapping[Key, Record], key: Key, now: str) -> tuple[str, str]:
    """The trend of what is open now, and since when it is."""
    known = records.get(key)
    if known is None:
        return "new", now
    return ("returned", now) if known.resolved else ("still", known.since)


def resolved(
    records: Iterable[Record], open_now: Collection[Key], judged: Collection[tuple[str, str]]
) -> list[Record]:
    """What was open and is not: only where its source has judged again."""
    return [
        each for each in records if not each.resolved and each.key not in open_now and each.source in judged
    ]


def after(
    history: History, entry: Mapping[str, Any], open_now: Sequence[Record], gone: Collection[Key], keep: int
) -> History:
    """What is to be remembered. ``keep``: so many runs."""
    now = str(entry["time"])
    records = {each.key: each for each in history.records}
    for key in gone:
        records[key] = replace(records[key], resolved=now)
    records.update((each.key, each) for each in open_now)
    oldest = _text(_time(now) - _REMEMBERED)
    kept = tuple(each for each in records.values() if not each.resolved or each.resolved >= oldest)
    complete = now if entry["verdict"] in ("clean", "drift") else history.last_complete
    return History((*history.runs, entry)[-keep:], kept, complete)


def missed(runs: Sequence[Mapping[str, Any]], interval: int) -> list[str]:
    """When a run should have been and none was, by the schedule's interval in minutes. A run that was late is none that
    was missed.
    """
    step = datetime.timedelta(minutes=interval)
    found: list[str] = []
    for before, following in itertools.pairwise(runs):
        expected, end = _time(before["time"]) + step, _time(following["time"]) - step / 2
        while interval and expected < end and len(found) < _MOST_MISSED:
            found.append(_text(expected))
            expected += step
    return found


def _time(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))


def _text(time: datetime.datetime) -> str:
    return f"{time:%Y-%m-%dT%H:%M:%SZ}"
