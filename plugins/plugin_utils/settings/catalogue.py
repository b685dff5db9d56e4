# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server does not tell of its nouns: which there are, and what their objects and lists mean (`catalogue.json`).

Everything else is learned from the objects and from the cmdlets' own parameters.
"""

from __future__ import annotations

import difflib
import functools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..powershell.ordinal import ordinal_key
from ..result.refusals import UnusableArgument
from ..result.severity import Severity
from .comparison import Comparison, Enumeration, Fqdn, Text, Truth
from .identity import Scope
from .kinds import INTEGERS, Moment, Name, Names, Order, Span

# Members that every object has for the Management Shell's own purposes.
INTERNAL = frozenset(
    map(ordinal_key, ("Anchor", "Element", "Identity", "ScopeClass", "TypedIdentity", "Typename"))
)

SECRET = "secret"  # noqa: S105 - the word for it
NESTED = "nested_value"
CHILDREN = "managed_through_child_noun"
STATE = "state"
UNREADABLE = "unexpected_type"
PRIORITY = "managed_as_order"
PART_OF_IDENTITY = "part_of_identity"
READ_ONLY = "read_only"
"""Why a property is not comparable: enumerated, as results have it."""


@dataclass(frozen=True)
class FollowUp:
    """What an administrator has to run once a change is made; text for people. Without ``properties``, after any."""

    command: str
    reason: str
    properties: tuple[str, ...] = ()


@dataclass(frozen=True)
class Documented:
    """What the reference says of one property. ``comparison`` is None where that says nothing of its type."""

    name: str
    comparison: Comparison | None
    default: Any = None
    refers_to: str | None = None
    not_comparable: str | None = None
    child: str | None = None

    def default_in(self, version: str) -> Any:
        """The documented default of a version; None where there is none."""
        return self.default.get(version) if isinstance(self.default, Mapping) else self.default


@dataclass(frozen=True)
class Noun:
    """One noun of the Get/New/Set/Remove-Cs family.

    ``excluded`` says why it is neither read nor written, ``read_only`` why it is not written. ``always_global``: its
    Global object always exists. ``global_loses`` is what a reset of that one loses beside its values.
    """

    name: str
    area: str
    versions: frozenset[str]
    verbs: frozenset[str]
    scopes: tuple[Scope, ...]
    severity: Severity
    reason: str
    roles: tuple[str, ...] = ()
    type_name: str = ""
    parent: str | None = None
    has_priority: bool = False
    always_global: bool = False
    is_policy: bool = False
    set_without_identity: bool = False
    required: tuple[str, ...] = ()
    excluded: str | None = None
    read_only: str | None = None
    global_loses: str | None = None
    follow_up: tuple[FollowUp, ...] = ()
    properties: Mapping[str, Documented] = field(default_factory=dict)

    def cmdlet(self, verb: str) -> str:
        return f"{verb}-{self.name}"

    def documented(self, name: str) -> Documented | None:
        """What is known of a property, whatever its case."""
        return self._folded.get(ordinal_key(name))

    @functools.cached_property
    def _folded(self) -> Mapping[str, Documented]:
        return {ordinal_key(name): each for name, each in self.properties.items()}

    @property
    def children(self) -> Mapping[str, str]:
        """The lists whose entries have a noun of their own, by property."""
        return {p.name: p.child for p in self.properties.values() if p.child}

    @property
    def references(self) -> Mapping[str, str]:
        """The properties that name objects of another noun."""
        return {p.name: p.refers_to for p in self.properties.values() if p.refers_to}

    @property
    def not_comparable(self) -> Mapping[str, str]:
        return {p.name: p.not_comparable for p in self.properties.values() if p.not_comparable}

    def follow_ups(self, changed: Sequence[str]) -> list[FollowUp]:
        """What has to be run after a change of these properties; of the whole object, where none are given."""
        keys = set(map(ordinal_key, changed))
        return [
            each
            for each in self.follow_up
            if not each.properties or not keys or keys & set(map(ordinal_key, each.properties))
        ]


def noun(name: str, option: str = "noun") -> Noun:
    """The noun of that name, whatever its case. Raises UnusableArgument, naming those that are near."""
    found = _by_key().get(ordinal_key(name))
    if found is not None:
        return found
    near = difflib.get_close_matches(name, nouns(), n=3)
    hint = f" Did you mean {' or '.join(near)}?" if near else ""
    raise UnusableArgument(
        option, f"'{name}' is no noun of the Management Shell that has a Get- cmdlet.{hint}"
    )


def manageable() -> tuple[Noun, ...]:
    """The nouns that hold configuration, in the order in which they are applied."""
    return tuple(each for each in nouns().values() if not each.excluded)


@functools.cache
def nouns() -> Mapping[str, Noun]:
    """Every noun, by name. Whatever others refer to comes before these, and a parent before its children."""
    content = json.loads(Path(__file__).with_name("catalogue.json").read_text(encoding="utf-8"))
    read = {name: _noun(name, entry) for name, entry in content["nouns"].items()}
    ordered: dict[str, Noun] = {}
    # Routes before the policies that lead to them.
    for each in sorted(read.values(), key=lambda found: found.is_policy):
        _place(each, read, ordered)
    return ordered


def _place(each: Noun, read: Mapping[str, Noun], ordered: dict[str, Noun]) -> None:
    """A noun, behind all that it depends on; the catalogue's test makes sure that there is no circle."""
    if each.name in ordered:
        return
    for name in [each.parent, *each.references.values()]:
        if name is not None and name in read and name != each.name:
            _place(read[name], read, ordered)
    ordered[each.name] = each


@functools.cache
def _by_key() -> Mapping[str, Noun]:
    return {ordinal_key(name): each for name, each in nouns().items()}


_SCOPES = {
    "global": Scope.GLOBAL,
    "site": Scope.SITE,
    "service": Scope.SERVICE,
    "tag": Scope.USER,
    "named": Scope.NAMED,
}


def _noun(name: str, entry: Mapping[str, Any]) -> Noun:
    scopes = tuple(_SCOPES[scope] for scope in entry["scopes"])
    return Noun(
        name=name,
        area=entry["area"],
        versions=frozenset(entry["versions"]),
        verbs=frozenset(entry["verbs"]),
        scopes=(*scopes, Scope.ITEM) if entry.get("child") else scopes,
        severity=Severity(entry["severity"]),
        reason=entry["reason"],
        roles=tuple(entry.get("roles", ())),
        type_name=entry.get("type", ""),
        parent=entry.get("parent"),
        has_priority=entry.get("priority", False),
        always_global=entry.get("always_global", False),
        is_policy=entry.get("policy", False),
        set_without_identity=entry.get("set_without_identity", False),
        required=tuple(entry.get("required", ())),
        excluded=entry.get("excluded"),
        read_only=entry.get("read_only"),
        global_loses=entry.get("global_loses"),
        follow_up=tuple(
            FollowUp(each["command"], each["reason"], tuple(each.get("properties", ())))
            for each in entry.get("follow_up", ())
        ),
        properties={
            property_: _documented(property_, {"type": facts} if isinstance(facts, str) else facts)
            for property_, facts in entry["properties"].items()
        },
    )


def _documented(name: str, facts: Mapping[str, Any]) -> Documented:
    reason: str | None = {"secret": SECRET, "nested": NESTED, "state": STATE}.get(
        facts.get("not_comparable", "")
    )
    if "child" in facts:
        reason = CHILDREN
    elif "priority" in facts:
        reason = PRIORITY
    elif "part_of_identity" in facts:
        reason = PART_OF_IDENTITY
    return Documented(
        name=name,
        comparison=_comparison(facts),
        default=facts.get("default"),
        refers_to=facts.get("refers_to"),
        not_comparable=reason,
        child=facts.get("child"),
    )


_KINDS: Mapping[str, Comparison] = {
    "bool": Truth(),
    "text": Text(),
    "enum": Name(),
    "name": Name(),
    "uri": Name(),
    "guid": Name(),
    "fqdn": Name(is_host=True),
    "TimeSpan": Span(),
    "date": Moment(),
    **INTEGERS,
}


def _comparison(facts: Mapping[str, Any]) -> Comparison | None:
    kind = facts.get("type")
    if kind == "list":
        order = Order(facts.get("order", Order.UNKNOWN.value))
        known = order is not Order.UNKNOWN
        return Names(order, ignores_case=known, is_modified="array" not in facts)
    return _KINDS[kind] if kind else None


def is_free_text(comparison: Comparison) -> bool:
    """Whether null and the empty text are the same to a property."""
    return isinstance(comparison, Text | Name | Enumeration | Fqdn)
