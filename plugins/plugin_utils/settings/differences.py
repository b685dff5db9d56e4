# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted of an object of any noun, and how it differs from what is: pure functions.

A key that is missing is not managed. Null and the empty list ask for nothing to be there: to a text null is the empty
text, and to a list the empty list; to truths and numbers it is neither False nor zero.
"""

from __future__ import annotations

import enum
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.ordinal import ordinal_key
from ..result.display import shown
from ..result.refusals import UnusableArgument
from ..result.severity import Severity
from .any_noun import Table
from .catalogue import CHILDREN, NESTED, PART_OF_IDENTITY, PRIORITY, READ_ONLY, SECRET, STATE, UNREADABLE
from .comparison import Unacceptable
from .identity import Identity
from .kinds import Names
from .resource import Collection, Property, Resource, Values


class DifferenceKind(enum.Enum):
    """``ORDER``: the entries of a list are the same in another order, of which nobody knows whether it matters."""

    VALUE = "value"
    ORDER = "order"


@dataclass(frozen=True)
class Difference:
    """One property that is not as wanted."""

    property: str
    current: Any
    desired: Any
    severity: Severity
    reason: str
    kind: DifferenceKind = DifferenceKind.VALUE


_ORDER = (
    "The entries are the same in another order, and nobody knows whether that matters; it is not corrected."
)

WHY_NOT_COMPARABLE: Mapping[str, str] = {
    SECRET: "it is a secret",
    NESTED: "its values are objects within an object, which remoting does not show",
    CHILDREN: "its entries are managed through their own noun",
    STATE: "it is a state that changes by itself",
    UNREADABLE: "this server does not show it as the value that it is",
    PRIORITY: "priorities are managed as the order of the objects",
    PART_OF_IDENTITY: "it is part of the identity",
    READ_ONLY: "no cmdlet of this server sets it",
}


def wanted_values(
    table: Table, given: Mapping[str, Any], *, actual: Collection | None = None
) -> dict[str, Any]:
    """What a person gave, under the properties' own names and as their types have it.

    Text is converted by the property's type. A list may be given as what to add to, and what to remove from, what
    ``actual`` has. Raises UnusableArgument, naming the property.
    """
    properties = {ordinal_key(p.option): p for p in table.resource.properties}
    skipped = {ordinal_key(name): reason for name, reason in table.not_comparable.items()}
    wanted: dict[str, Any] = {}
    for name, value in given.items():
        key = ordinal_key(name)
        if key in skipped:
            raise UnusableArgument(
                name, f"{WHY_NOT_COMPARABLE[skipped[key]]}, so that it cannot be managed here"
            )
        found = properties.get(key)
        if found is None:
            raise UnusableArgument(
                name,
                f"{table.noun.name} has no such property. It has: {', '.join(_names(properties.values()))}",
            )
        if found.option in wanted:
            raise UnusableArgument(name, "it is given twice")
        try:
            wanted[found.option] = _wanted(found, value, actual)
        except Unacceptable as unacceptable:
            raise UnusableArgument(name, str(unacceptable)) from None
    return wanted


def _names(properties: Any) -> list[str]:
    return [p.option for p in properties]


_MODIFIERS = {"ADD": "add", "REMOVE": "remove", "REPLACE": "replace"}


def _wanted(found: Property, value: Any, actual: Collection | None) -> Any:
    comparison = found.comparison
    if value is None:
        return [] if isinstance(comparison, Names) else None
    if isinstance(comparison, Names) and isinstance(value, Mapping):
        present = list((actual.values.get(found.option) if actual else None) or [])
        return _modified(comparison, present, value)
    value = comparison.accept(value)
    problem = comparison.problem(value)
    if problem:
        raise Unacceptable(problem)
    return value


def _modified(comparison: Names, present: list[str], change: Mapping[str, Any]) -> list[str]:
    """What a list becomes when entries are added to it and removed from it."""
    unknown = [str(name) for name in change if ordinal_key(str(name)) not in _MODIFIERS]
    if unknown:
        raise Unacceptable(
            f"{shown(unknown[0])} is no way to change a list. Allowed: add, remove and replace"
        )
    given = {
        _MODIFIERS[ordinal_key(str(name))]: comparison.accept(items if isinstance(items, list) else [items])
        for name, items in change.items()
        if items is not None
    }
    if "replace" in given and len(given) > 1:
        raise Unacceptable("replace cannot be given together with add or remove")
    if "replace" in given:
        return given["replace"]
    both = [each for each in given.get("add", ()) if _is_in(comparison, each, given.get("remove", ()))]
    if both:
        raise Unacceptable(f"{shown(both[0])} is to be added and to be removed")
    kept = [each for each in present if not _is_in(comparison, each, given.get("remove", ()))]
    for each in given.get("add", ()):
        if not _is_in(comparison, each, kept):
            kept.append(each)
    return kept


def _is_in(comparison: Names, one: str, others: Sequence[str]) -> bool:
    return any(comparison.same([one], [other]) for other in others)


def differences(resource: Resource, actual: Collection, wanted: Values) -> list[Difference]:
    """What of an object is not as wanted, in the table's order; a property that the object lacks is one as well."""
    found: list[Difference] = []
    for p in resource.properties:
        if p.option not in wanted:
            continue
        current, desired = actual.values.get(p.option), wanted[p.option]
        if p.option not in actual.values or not p.same(current, desired):
            found.append(Difference(p.option, current, desired, p.severity, p.reason))
        elif None not in (current, desired) and p.comparison.differs_in_order_only(current, desired):
            found.append(Difference(p.option, current, desired, Severity.LOW, _ORDER, DifferenceKind.ORDER))
    return found


def renames(
    resource: Resource, missing: Mapping[Identity, Values], extra: Sequence[Collection]
) -> list[tuple[Identity, Identity]]:
    """The objects that are wanted and missing, each beside one that nobody asked for and that has all its values: it
    may be the same under another name. Both stay what they are; where two would do for one, neither is told.
    """
    pairs = [
        (identity, each.identity)
        for identity, wanted in missing.items()
        for each in extra
        if wanted
        and each.identity.scope is identity.scope
        and (not identity.item or each.identity.parent == identity.parent)
        and not differences(resource, each, wanted)
    ]
    olds, news = [old for old, _new in pairs], [new for _old, new in pairs]
    return [(old, new) for old, new in pairs if olds.count(old) == 1 and news.count(new) == 1]
