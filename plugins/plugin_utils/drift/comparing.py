# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted beside what was read: every difference becomes a finding, and whatever could not be judged one as
well.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.commands import Command
from ..result.display import shown
from ..result.refusals import BadArgument, UnusableArgument
from ..result.severity import Severity
from ..result.status import Status
from ..settings import catalogue
from ..settings.differences import DifferenceKind, differences, renames, wanted_values
from ..settings.identity import GLOBAL, Identity, Scope
from ..settings.kinds import Names, Order
from ..settings.nouns import Outcome, Reading
from ..settings.order import placements
from ..settings.resource import Collection, Resource
from .baseline import ABSENT
from .documents import folded
from .findings import Finding, Kind, Unknown
from .history import LastSeen, SeenNoun, shape_change, was_shown
from .manifest import Export, Manifest
from .requests import PRESENT, Request, Requests, Wanted, merged
from .waivers import STATE

_STATE = folded(STATE)
SEQUENCE = "order"
_NARROWER = (Scope.SITE, Scope.SERVICE, Scope.USER)
# So many objects are named.
_LISTED = 4
_EXTRA = "It is on the server, and the baseline, which names every object of the noun, does not have it."
_SEQUENCE = "Objects of this noun are tried one after the other, so their order decides."
_UNKNOWN = {
    "timed_out": Unknown.TIMED_OUT,
    "task_timed_out": Unknown.TIMED_OUT,
    "cmdlet_not_offered": Unknown.NOT_PERMITTED,
    "lost_in_mid_command": Unknown.UNREACHABLE,
    "cannot_connect": Unknown.UNREACHABLE,
}


@dataclass(frozen=True)
class Server:
    """Whom a run speaks to. ``roles`` are the least roles that offer a cmdlet that this account lacks."""

    deployment: str
    host: str = ""
    account: str = ""
    version: str = ""
    roles: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Coverage:
    """What a run says nothing of, and why: by noun, properties that cannot be compared; nouns by reason; and properties
    that the server has and the baseline has not.
    """

    not_comparable: Mapping[str, Mapping[str, str]] = field(default_factory=dict)
    not_permitted: tuple[str, ...] = ()
    not_in_version: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    not_managed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@dataclass(frozen=True)
class Comparison:
    """``as_wanted`` counts, by noun, the properties and objects that are; ``wanted`` is what is wanted of each
    object of the nouns that were read, ``seen`` what was read of them, for the next run.
    """

    findings: tuple[Finding, ...]
    as_wanted: Mapping[str, int]
    coverage: Coverage
    wanted: Mapping[str, Mapping[Identity, Mapping[str, Wanted]]]
    seen: Mapping[str, SeenNoun]
    orders: Mapping[str, tuple[Identity, ...]] = field(default_factory=dict)

    @property
    def nouns(self) -> int:
        return len(self.as_wanted)


def compare(
    server: Server,
    requests: Requests,
    readings: Mapping[str, Reading],
    last: LastSeen,
    manifest: Manifest | None,
    now: str,
    accepted_shapes: frozenset[str] = frozenset(),
) -> Comparison:
    """Raises BadArgument for a request that cannot be one, and for two that contradict each other.

    ``accepted_shapes`` are the folded nouns whose changed shape somebody has accepted.
    """
    work = _Work(server, last, manifest, now, accepted_shapes)
    by_noun: dict[str, list[Request]] = {}
    for request in requests.requests:
        by_noun.setdefault(folded(request.noun), []).append(request)
    for name in requests.nouns:
        own = by_noun.get(folded(name), [])
        work.noun(readings[name], own, requests.orders.get(folded(name)), folded(name) in requests.whole)
    return work.result()


class _Work:
    def __init__(
        self, server: Server, last: LastSeen, manifest: Manifest | None, now: str, accepted: frozenset[str]
    ) -> None:
        self._server = server
        self._last = last
        self._manifest = manifest
        self._now = now
        self._accepted = accepted
        self._findings: list[Finding] = []
        self._as_wanted: dict[str, int] = {}
        self._wanted: dict[str, Mapping[Identity, Mapping[str, Wanted]]] = {}
        self._orders: dict[str, tuple[Identity, ...]] = {}
        self._seen: dict[str, SeenNoun] = {}
        self._not_comparable: dict[str, Mapping[str, str]] = {}
        self._not_permitted: list[str] = []
        self._not_in_version: list[str] = []
        self._not_managed: dict[str, tuple[str, ...]] = {}

    def result(self) -> Comparison:
        excluded = tuple(name for name, each in catalogue.nouns().items() if each.excluded)
        return Comparison(
            tuple(self._findings),
            self._as_wanted,
            Coverage(
                self._not_comparable,
                tuple(self._not_permitted),
                tuple(self._not_in_version),
                excluded,
                self._not_managed,
            ),
            self._wanted,
            self._seen,
            self._orders,
        )

    def noun(
        self,
        reading: Reading,
        requests: Sequence[Request],
        order: tuple[tuple[Identity, ...], str] | None,
        has_file: bool,
    ) -> None:
        name = reading.noun.name
        exported = self._manifest.state_of(name) if self._manifest else None
        if reading.outcome is not Outcome.READ or reading.resource is None:
            self._unread(reading, requests, exported)
            return
        if reading.not_comparable:
            self._not_comparable[name] = reading.not_comparable
        change = shape_change(self._last, name, reading.shape, self._server.version)
        if change and folded(name) not in self._accepted:
            self._unknown(reading, requests, Unknown.SHAPE_CHANGED, f"The shape changed: {change}.")
            return
        try:
            wanted = self._merged(reading, requests)
        except _Hidden as hidden:
            self._unknown(reading, requests, hidden.unknown, hidden.sentence)
            return
        self._wanted[name] = wanted
        self._as_wanted[name] = 0
        self._not_managed[name] = _not_managed(reading, wanted)
        for identity, properties in wanted.items():
            self._object(reading, identity, properties)
        is_whole = has_file and exported is Export.READ
        extra = [
            each
            for identity, each in (reading.objects if is_whole else {}).items()
            if identity not in wanted and not (reading.noun.always_global and identity == GLOBAL)
        ]
        for each in extra:
            self._found(
                reading, each.identity, STATE, Kind.EXTRA, PRESENT, ABSENT, reading.noun.severity, _EXTRA, ()
            )
        self._renamed(reading, wanted, extra)
        if order is not None:
            self._order(reading, *order)
        self._seen[folded(name)] = _seen(self._server, reading, wanted, self._now)

    # -- what cannot be judged --

    def _unread(self, reading: Reading, requests: Sequence[Request], exported: Export | None) -> None:
        name = reading.noun.name
        if reading.outcome is Outcome.NOT_OFFERED:
            first = next(iter(requests), None)
            if first is not None:
                raise BadArgument(f"{first.origin}: {self._server.version or 'this server'} has no {name}.")
            self._not_in_version.append(name)
            return
        if reading.outcome is Outcome.NOT_PERMITTED and exported in (Export.NOT_PERMITTED, Export.EXCLUDED):
            self._not_permitted.append(name)
            return
        if reading.outcome is Outcome.NOT_PERMITTED:
            cmdlet, account = reading.noun.cmdlet("Get"), self._server.account
            sentence = f"{cmdlet} is not offered to {account}, although this version has it."
            sentence += (
                f" The role {self._server.roles[cmdlet]} has it." if cmdlet in self._server.roles else ""
            )
            self._unknown(reading, requests, Unknown.NOT_PERMITTED, sentence)
            return
        self._unknown(reading, requests, _UNKNOWN.get(reading.kind, Unknown.FAILED), reading.failure)

    def _unknown(
        self, reading: Reading, requests: Sequence[Request], unknown: Unknown, sentence: str
    ) -> None:
        origins = tuple(dict.fromkeys(each.origin.rpartition(":")[0] or each.origin for each in requests))
        self._findings.append(
            Finding(
                self._server.deployment,
                reading.noun.name,
                "",
                "",
                Kind.NOUN,
                Status.UNKNOWN,
                severity=reading.noun.severity,
                reason=reading.noun.reason,
                origins=origins[:3],
                unknown=unknown,
                detail=sentence,
            )
        )

    # -- requests as this server's types have them --

    def _merged(self, reading: Reading, requests: Sequence[Request]) -> dict[Identity, dict[str, Wanted]]:
        resource = reading.as_read.resource
        shown_now = {folded(name) for one in reading.objects.values() for name in one.values}
        converted = [self._converted(reading, each, shown_now) for each in requests]

        def same(name: str, one: Any, other: Any) -> bool:
            return (
                bool(one == other) if folded(name) == _STATE else resource.property_of(name).same(one, other)
            )

        return merged(converted, same)

    def _converted(self, reading: Reading, request: Request, shown_now: Set[str]) -> Request:
        if folded(request.property) == _STATE and request.value in (PRESENT, ABSENT):
            return request
        actual = reading.objects.get(request.identity)
        self._must_be_shown(reading, request, shown_now)
        try:
            ((name, value),) = wanted_values(
                reading.as_read, {request.property: request.value}, actual=actual
            ).items()
        except UnusableArgument as error:
            raise BadArgument(f"{request.origin}: {reading.noun.name} {request.identity}, {error}") from None
        return Request(request.noun, request.identity, name, value, request.origin)

    def _must_be_shown(self, reading: Reading, request: Request, shown_now: Set[str]) -> None:
        """Raises _Hidden for a property that was shown once, and BadArgument for one that this version does not have,
        though others do. Where there is no object nothing is shown, and some properties only beside another's value.
        """
        name = folded(request.property)
        if not shown_now or name in shown_now or name in map(folded, reading.not_comparable):
            return
        known = next(
            (each for each in reading.as_read.resource.properties if folded(each.option) == name), None
        )
        if known is not None and known.only_with:
            return
        seen = was_shown(self._last, reading.noun.name, request.property)
        if seen is not None:
            raise _Hidden(request.property, seen, self._server)
        if known is not None:
            place = f"{request.origin}: {reading.noun.name} {request.identity}"
            version = self._server.version or "this server"
            raise BadArgument(f"{place}: {version} has no property {request.property} of it.")

    # -- differences --

    def _object(self, reading: Reading, identity: Identity, wanted: Mapping[str, Wanted]) -> None:
        noun, resource = reading.noun, reading.as_read.resource
        actual = reading.objects.get(identity)
        state = wanted.get(_STATE)
        if state is not None and state.value == ABSENT:
            if actual is None:
                self._as_wanted[noun.name] += 1
            else:
                self._found(
                    reading,
                    identity,
                    STATE,
                    Kind.UNWANTED,
                    PRESENT,
                    ABSENT,
                    noun.severity,
                    noun.reason,
                    state.origins,
                )
            return
        values = {each.property: each.value for key, each in wanted.items() if key != _STATE}
        if actual is None:
            if state is None:
                return
            self._found(
                reading,
                identity,
                STATE,
                Kind.MISSING,
                ABSENT,
                PRESENT,
                noun.severity,
                noun.reason,
                state.origins,
            )
            return
        self._as_wanted[noun.name] += 1
        found = differences(resource, actual, values)
        self._as_wanted[noun.name] += len(values) - len(found)
        for each in found:
            kind = Kind.ORDER if each.kind is DifferenceKind.ORDER else Kind.VALUE
            command = _set_line(resource, actual, each.property, each.desired) if kind is Kind.VALUE else ""
            self._found(
                reading,
                identity,
                each.property,
                kind,
                settled(resource, each.property, each.current),
                settled(resource, each.property, each.desired),
                each.severity,
                each.reason,
                wanted[folded(each.property)].origins,
                command,
            )

    def _renamed(
        self, reading: Reading, wanted: Mapping[Identity, Mapping[str, Wanted]], extra: Sequence[Collection]
    ) -> None:
        """Says of an object that is missing, and of one too many, that they may be one."""
        missing = {
            identity: {each.property: each.value for key, each in properties.items() if key != _STATE}
            for identity, properties in wanted.items()
            if identity not in reading.objects
            and _STATE in properties
            and properties[_STATE].value == PRESENT
        }
        pairs = renames(reading.as_read.resource, missing, extra)
        details = {str(old): f"It may have been renamed: {new} has the same values." for old, new in pairs}
        details |= {
            str(new): f"It may be {old} under another name: it has the same values." for old, new in pairs
        }
        self._findings = [
            replace(each, detail=details[each.identity])
            if each.noun == reading.noun.name and each.property == STATE and each.identity in details
            else each
            for each in self._findings
        ]

    def _order(self, reading: Reading, order: tuple[Identity, ...], origin: str) -> None:
        missing = [each for each in order if each not in (self._wanted[reading.noun.name])]
        if missing:
            raise BadArgument(
                f"{origin}: order names {missing[0]}, which is none of the objects of the file."
            )
        self._orders[reading.noun.name] = order
        groups: dict[object, list[Identity]] = {}
        for each in reading.order:
            groups.setdefault(each.parent.key if each.item else None, []).append(each)
        for current in groups.values():
            wanted = [each for each in order if each in set(current)]
            common = [each for each in current if each in set(wanted)]
            for identity, _place in placements(common, wanted):
                self._found(
                    reading,
                    identity,
                    SEQUENCE,
                    Kind.SEQUENCE,
                    _behind(common, identity),
                    _behind(wanted, identity),
                    reading.noun.severity,
                    _SEQUENCE,
                    (origin,),
                )
            self._as_wanted[reading.noun.name] += len(common) - len(placements(common, wanted))

    def _found(
        self,
        reading: Reading,
        identity: Identity,
        name: str,
        kind: Kind,
        current: Any,
        desired: Any,
        severity: Severity,
        reason: str,
        origins: tuple[str, ...],
        command: str = "",
    ) -> None:
        self._findings.append(
            Finding(
                self._server.deployment,
                reading.noun.name,
                str(identity),
                name,
                kind,
                Status.DRIFTED,
                current,
                desired,
                severity,
                reason,
                origins,
                command=command,
                range=range_of(reading, identity),
            )
        )


class _Hidden(Exception):
    """A property that was there, and is not shown any more."""

    def __init__(self, name: str, seen: SeenNoun, server: Server) -> None:
        if folded(seen.account) != folded(server.account):
            self.unknown = Unknown.NOT_PERMITTED
            self.sentence = f"{name} was shown to {seen.account}, and is not to {server.account}."
        else:
            self.unknown = Unknown.SHAPE_CHANGED
            self.sentence = f"{name} was shown by server {seen.version}, and is not by {server.version}."
        super().__init__(self.sentence)


def range_of(reading: Reading, identity: Identity) -> str:
    """For what part of the deployment the object decides, as far as the noun's other objects tell."""
    scope = identity.scope
    if scope is Scope.GLOBAL:
        own = sorted({str(each.parent) for each in reading.objects if each.scope in _NARROWER})
        if not own:
            return "The whole deployment."
        more = f" and {len(own) - _LISTED} more" if len(own) > _LISTED else ""
        return f"The deployment, but for what has its own: {', '.join(own[:_LISTED])}{more}."
    if scope is Scope.SITE:
        return f"The site {identity.name}."
    if scope is Scope.SERVICE:
        return f"The service {identity.name}."
    return "Whoever was granted it." if scope is Scope.USER else ""


def _behind(sequence: Sequence[Identity], identity: Identity) -> str:
    place = sequence.index(identity)
    return f"behind {sequence[place - 1]}" if place else "first"


def _set_line(resource: Resource, actual: Collection, name: str, desired: Any) -> str:
    """The line that puts one property back."""
    parameters = resource.compose(resource, actual.identity, actual.values, {name: desired})
    return Command(resource.cmdlet("Set"), parameters).as_text()


def settled(resource: Resource, name: str, value: Any) -> Any:
    """The same for all that mean the same: where the order of a list means nothing, it is sorted."""
    kind = next((p.comparison for p in resource.properties if folded(p.option) == folded(name)), None)
    if isinstance(kind, Names) and kind.order is Order.MEANS_NOTHING and value:
        return sorted(value, key=lambda item: (folded(item), item))
    return value


def _not_managed(reading: Reading, wanted: Mapping[Identity, Mapping[str, Wanted]]) -> tuple[str, ...]:
    named = {name for properties in wanted.values() for name in properties}
    present = {name for each in reading.objects.values() for name in each.values}
    return tuple(sorted(name for name in present if folded(name) not in named))


def _seen(
    server: Server, reading: Reading, wanted: Mapping[Identity, Mapping[str, Wanted]], now: str
) -> SeenNoun:
    resource = reading.as_read.resource
    values: dict[str, dict[str, Any]] = {
        folded(str(identity)): {
            folded(name): settled(resource, name, value) for name, value in each.values.items()
        }
        | {_STATE: PRESENT}
        for identity, each in reading.objects.items()
    }
    for identity in wanted:
        values.setdefault(folded(str(identity)), {_STATE: ABSENT})
    return SeenNoun(
        now,
        server.version,
        server.account,
        dict(reading.shape),
        values,
        {
            folded(str(identity)): {
                name: settled(resource, name, each.value) for name, each in properties.items()
            }
            for identity, properties in wanted.items()
        },
    )


def seen_only(server: Server, readings: Iterable[Reading], now: str) -> dict[str, SeenNoun]:
    """What an export has seen; what was read is what is wanted."""
    return {
        folded(each.noun.name): _seen(server, each, {}, now)
        for each in readings
        if each.outcome is Outcome.READ and each.resource is not None
    }


def described_value(value: Any) -> str:
    """A value for people: what cannot be seen is written out."""
    if value is None:
        return "(not set)"
    if value == "":
        return "(empty)"
    return "(none)" if value == [] else shown(value)
