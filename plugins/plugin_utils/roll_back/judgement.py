# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What takes one change of settings back, judged by what the server has now: a pure function over plain data."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from ..change.envelope import Mismatch
from ..change.journal import Entry
from ..settings.identity import Identity, stored
from ..settings.resource import Collection, Desired, Kind, Property, Resource, Values, applies


@dataclass(frozen=True)
class Judgement:
    """``request`` takes the change back; None where there is nothing to do, ``conflicts`` are in the way, or the
    sentence ``obstacle`` says why it cannot be done. With both a request and conflicts it takes back all but these.

    A conflict is a property that the change wrote and that differs now from what it wrote.
    """

    request: Any = None
    conflicts: tuple[Mismatch, ...] = ()
    obstacle: str = ""


NOTHING_TO_DO = Judgement()


def judge(
    resource: Resource, entry: Entry, current: Collection | None, *, overwrite_later_changes: bool
) -> Judgement:
    """What has what was written is as the change left it, what has what was there before never changed, or is back
    already, and anything else is a later change. So it does not matter whether the change was interrupted.
    """
    before, wanted = entry.change.before, entry.change.wanted
    identity = current.identity if current else stored(entry.change.identity, resource.scopes)
    if before is None:
        return _creation(resource, identity, wanted or {}, current, overwrite_later_changes)
    if current is None:
        # Between a removal and a creation there was nothing.
        was_removed = wanted is None or (entry.change.kind == Kind.RECREATE.value and not entry.is_certain)
        conflicts = () if was_removed else (Mismatch("state", "present", "absent"),)
        return _judgement(Desired(identity, before, exact=True), conflicts, overwrite_later_changes)
    if wanted is None:
        return _removal(resource, before, current, overwrite_later_changes)
    return _setting(resource, entry, current, overwrite_later_changes)


def _judgement(request: Desired, conflicts: tuple[Mismatch, ...], overwrite: bool) -> Judgement:
    return Judgement(request) if overwrite or not conflicts else Judgement(conflicts=conflicts)


def _creation(
    resource: Resource, identity: Identity, wanted: Values, current: Collection | None, overwrite: bool
) -> Judgement:
    if current is None:
        return NOTHING_TO_DO
    conflicts = tuple(
        Mismatch(p.option, wanted[p.option], current.values[p.option])
        for p in resource.properties
        if p.option in wanted
        and p.option in current.values
        and not p.same(current.values[p.option], wanted[p.option])
    )
    # Users to whom the policy was granted since are a later change as well.
    return _judgement(Desired(identity, present=False, force=overwrite), conflicts, overwrite)


def _removal(resource: Resource, before: Values, current: Collection, overwrite: bool) -> Judgement:
    present = current.server_values
    differing = {
        p.option: before[p.option]
        for p in resource.properties
        if p.option in before and not _exactly(p, present.get(p.option), before[p.option])
    }
    if not differing:
        return NOTHING_TO_DO
    request = Desired(current.identity, differing, recreate=resource.recreatable, exact=True)
    return _judgement(request, (Mismatch("state", "absent", "present"),), overwrite)


def _setting(resource: Resource, entry: Entry, current: Collection, overwrite: bool) -> Judgement:
    before, wanted = entry.change.before or {}, entry.change.wanted or {}
    present = current.server_values
    restored: dict[str, Any] = {}
    conflicts: list[Mismatch] = []
    for p in resource.properties:
        if p.option not in wanted:
            continue
        now = present.get(p.option)
        is_ours = p.option in present and p.same(now, wanted[p.option])
        if p.option not in before:
            # It came with another property, and goes with it.
            if p.option in present and not is_ours:
                conflicts.append(Mismatch(p.option, wanted[p.option], now))
        elif (p.option in present and _exactly(p, now, before[p.option])) or (
            not is_ours and p.same(before[p.option], wanted[p.option])
        ):
            continue
        else:
            restored[p.option] = before[p.option]
            if not is_ours:
                conflicts.append(Mismatch(p.option, wanted[p.option], now))
    restored.update(_coming_along(resource, before, present, restored))
    if not restored:
        return NOTHING_TO_DO
    recreate = entry.change.kind == Kind.RECREATE.value
    request = Desired(current.identity, restored, recreate=recreate, exact=True)
    return _judgement(request, tuple(conflicts), overwrite)


def _coming_along(
    resource: Resource, before: Values, present: Values, restored: Mapping[str, Any]
) -> Iterator[tuple[str, Any]]:
    """Properties that went when another one was written, and exist again once it is restored."""
    resulting = {**present, **restored}
    for p in resource.properties:
        gone = p.option in before and p.option not in present
        if gone and p.only_with and p.only_with[0] in restored and applies(p, resulting):
            yield p.option, before[p.option]


def _exactly(p: Property, one: Any, other: Any) -> bool:
    return p.ordered.same(one, other) and (one is None) == (other is None)
