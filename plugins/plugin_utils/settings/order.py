# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes before what: nouns by their references, and the objects of a noun by their priorities.

A priority is a place in a sequence, which the server renumbers; so sequences are compared, and one object that came,
went or moved is one difference, however many numbers it changed.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from ..powershell.ordinal import ordinal_key
from .catalogue import Noun, nouns

Item = TypeVar("Item", bound=Hashable)


def in_order(names: Iterable[str]) -> list[str]:
    """The nouns in the order in which they are created and changed; they are removed in the reverse one."""
    wanted = set(names)
    return [name for name in nouns() if name in wanted]


@dataclass(frozen=True)
class Reference:
    """A property that names an object of another noun. An entry of the PSTN usages is named by its text."""

    property: str
    noun: str
    name: str


def references_of(noun: Noun, values: Mapping[str, Any]) -> list[Reference]:
    """Everything that these values refer to."""
    found = []
    targets = {ordinal_key(property_): target for property_, target in noun.references.items()}
    for property_, value in values.items():
        target = targets.get(ordinal_key(property_))
        if target is None or not value:
            continue
        names = value if isinstance(value, list) else [value]
        found += [Reference(property_, target, name) for name in names]
    return found


def placements(current: Sequence[Item], wanted: Sequence[Item]) -> list[tuple[Item, int]]:
    """The fewest objects to be moved, each to its place, that bring ``current`` into the order of ``wanted``, the
    lowest place first. Objects that only one of them has stay out of it: the order of the others is what counts.

    A place is one in ``current``, of which every object has one.
    """
    ranks = {item: rank for rank, item in enumerate(wanted)}
    known = [item for item in current if item in ranks]
    stay = _longest_rising([ranks[item] for item in known])
    result: list[tuple[Item, int]] = []
    line = list(current)
    settled = set(stay)
    for item in sorted(known, key=lambda each: ranks[each]):
        if ranks[item] in settled:
            continue
        line.remove(item)
        before = [
            each for each in line if each in ranks and ranks[each] in settled and ranks[each] < ranks[item]
        ]
        place = line.index(before[-1]) + 1 if before else _first_settled(line, ranks, settled)
        line.insert(place, item)
        settled.add(ranks[item])
        result.append((item, place))
    return result


def _first_settled(line: Sequence[Item], ranks: Mapping[Item, int], settled: set[int]) -> int:
    """The place before the first object that stays."""
    return next((place for place, each in enumerate(line) if each in ranks and ranks[each] in settled), 0)


def _longest_rising(numbers: Sequence[int]) -> list[int]:
    """The longest rising selection of distinct numbers, in order."""
    tails: list[int] = []
    ends: list[int] = []
    previous: list[int | None] = []
    for place, number in enumerate(numbers):
        length = bisect_left(tails, number)
        previous.append(ends[length - 1] if length else None)
        if length == len(tails):
            tails.append(number)
            ends.append(place)
        else:
            tails[length], ends[length] = number, place
    chosen: list[int] = []
    step: int | None = ends[-1] if ends else None
    while step is not None:
        chosen.append(numbers[step])
        step = previous[step]
    return chosen[::-1]
