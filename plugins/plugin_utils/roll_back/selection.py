# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which changes of the journal are meant, and in which order they are taken back: pure functions over its entries."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from ..change.journal import Entry
from ..powershell.ordinal import ordinal_key, same_name
from ..result.refusals import UnusableArgument
from ..settings.catalogue import nouns
from ..settings.identity import stored
from ..settings.resources.registry import RESOURCES

LATEST = "latest"
_NAMED_RUNS = 5


@dataclass(frozen=True)
class Selection:
    """What a task asks for; all that is given must hold. ``host`` is the inventory name that the changes were made
    under, and ``url`` where; None for wherever that was.
    """

    host: str
    url: str | None
    run: str | None = None
    resource: str | None = None
    identity: str | None = None
    ids: frozenset[str] = frozenset()
    since: datetime.datetime | None = None


@dataclass(frozen=True)
class Selected:
    """The changes that are meant, newest first. ``elsewhere`` were made under the same name at another address."""

    entries: tuple[Entry, ...]
    elsewhere: tuple[Entry, ...]


def moment(option: str, text: str) -> datetime.datetime:
    """A time as ISO 8601 writes it; one without a zone is local, as people mean it. Raises UnusableArgument."""
    try:
        # Python 3.10 does not know Z.
        return datetime.datetime.fromisoformat(text.strip().replace("Z", "+00:00")).astimezone()
    except (ValueError, OverflowError, OSError):
        raise UnusableArgument(
            option,
            f"'{text}' is not a time. Allowed: ISO 8601, such as 2026-03-31T14:00 or 2026-03-31T12:00Z",
        ) from None


def select(journal: Sequence[Entry], selection: Selection) -> Selected:
    """Raises UnusableArgument for a run, or for ids, that the journal does not have at all."""
    run = _run(journal, selection.run)
    unknown = selection.ids - {entry.id for entry in journal}
    if unknown:
        raise UnusableArgument("entries", f"the journal has no change {' and '.join(sorted(unknown))}")
    meant = [
        entry
        for entry in reversed(journal)
        if entry.host == selection.host and _matches(entry, selection, run)
    ]
    here = [entry for entry in meant if selection.url in (None, entry.url)]
    return Selected(tuple(here), tuple(entry for entry in meant if entry not in here))


def _run(journal: Sequence[Entry], wanted: str | None) -> str | None:
    """The run's id. The latest is the newest that did more than taking back, whether it was taken back or not: who asks
    twice must not get the run before it.
    """
    runs = list(dict.fromkeys(entry.run for entry in reversed(journal)))
    if wanted is None or wanted in runs:
        return wanted
    if same_name(wanted, LATEST):
        return next((entry.run for entry in reversed(journal) if not entry.takes_back), None)
    known = ", ".join(runs[:_NAMED_RUNS]) or "none"
    raise UnusableArgument("run", f"the journal has no run '{wanted}'. The newest are: {known}")


def _matches(entry: Entry, selection: Selection, run: str | None) -> bool:
    change = entry.change
    return (
        (selection.run is None or entry.run == run)
        and selection.resource in (None, change.resource)
        and (selection.identity is None or _same_object(change.resource, change.identity, selection.identity))
        and (not selection.ids or entry.id in selection.ids)
        and (selection.since is None or moment("time", entry.time) >= selection.since)
    )


def _same_object(resource: str, one: str, other: str) -> bool:
    return object_key(resource, one) == object_key(resource, other)


def object_key(resource: str, identity: str) -> tuple[str, object]:
    """The same for every spelling of one object, whichever module changed it."""
    known = RESOURCES.get(resource)
    noun = nouns().get(known.noun if known else resource)
    if noun is None:
        return resource, ordinal_key(identity)
    return noun.name, stored(identity, noun.scopes)


def taken_back(journal: Iterable[Entry]) -> frozenset[str]:
    """The ids of changes that are known to have been taken back, by changes that were not taken back in their turn."""
    takers: dict[str, list[Entry]] = {}
    for entry in journal:
        if entry.takes_back and entry.is_certain:
            takers.setdefault(entry.takes_back, []).append(entry)

    def is_back(change_id: str) -> bool:
        return any(not is_back(taker.id) for taker in takers.get(change_id, ()))

    return frozenset(change_id for change_id in takers if is_back(change_id))
