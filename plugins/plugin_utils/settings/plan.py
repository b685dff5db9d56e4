# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what is and what is wanted to what has to be done: pure functions over plain data.

Check mode, diff, report and the commands that are sent all come from one `Plan`.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..change.envelope import Mismatch
from ..powershell.commands import Command, Switch
from ..powershell.ordinal import ordinal_key
from ..result.display import as_line, shown
from ..result.drift import DriftEntry
from ..result.refusals import Refused
from ..result.status import Status
from .identity import Identity, Scope
from .resource import Collection, Desired, Kind, Property, ProposedChange, Resource, Values, applies


class UnknownParameters(Exception):
    """Options whose parameters the server's cmdlet does not have."""

    def __init__(self, cmdlet: str, properties: Sequence[Property]) -> None:
        self.cmdlet = cmdlet
        self.properties = tuple(properties)
        super().__init__(f"{cmdlet} lacks {', '.join(p.parameter for p in properties)}")


@dataclass(frozen=True)
class Cmdlets:
    """The parameters that the session's cmdlets take; None for a cmdlet that it does not offer."""

    parameters: Mapping[str, frozenset[str] | None]
    _folded: Mapping[str, frozenset[str]] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        folded = {
            c: frozenset(ordinal_key(n) for n in names)
            for c, names in self.parameters.items()
            if names is not None
        }
        object.__setattr__(self, "_folded", folded)

    def has(self, cmdlet: str) -> bool:
        return cmdlet in self._folded

    def takes(self, cmdlet: str, parameter: str) -> bool:
        return ordinal_key(parameter) in self._folded.get(cmdlet, frozenset())


@dataclass(frozen=True)
class Assessment:
    """What kind of change is called for, before the server's own defaults are known.

    ``written`` are the options that will be written, in the table's order; ``later`` those of them that New-
    does not take, so that a Set- has to follow it. ``site`` is that of a new collection of a service, where it has been
    read. ``template`` is what a new collection begins as a copy of.
    """

    resource: Resource
    identity: Identity
    actual: Collection | None
    desired: Desired
    cmdlets: Cmdlets
    kind: Kind
    written: Values = field(default_factory=dict)
    later: frozenset[str] = frozenset()
    site: Identity | None = None
    template: Collection | None = None

    @property
    def wanted(self) -> Values | None:
        """The values to be verified afterwards; None for a removal, or a reset, whose values only the server knows."""
        if not self.desired.present:
            return None
        copied = self.template.values if self.template else {}
        return {**copied, **self.desired.values}

    def copying(self, template: Collection | None) -> Assessment:
        """The same, for a new object that begins as a copy. What no cmdlet takes is left to the server, and verified
        like the rest.
        """
        if template is None:
            return self
        verbs = [self.resource.cmdlet("New"), self.resource.cmdlet("Set")]
        settable = {
            p.option
            for p in self.resource.properties
            for verb in verbs
            if not self.cmdlets.has(verb) or self.cmdlets.takes(verb, p.parameter)
        }
        copied = {option: value for option, value in template.server_values.items() if option in settable}
        written, later = _creation(self.resource, {**copied, **self.desired.values}, self.cmdlets)
        return replace(self, written=written, later=later, template=template)

    @property
    def present(self) -> Values:
        """The object's values, as the request has them compared."""
        if self.actual is None:
            return {}
        return self.actual.server_values if self.desired.exact else self.actual.values

    def proposed(self, others: Sequence[Collection]) -> ProposedChange:
        return ProposedChange(self.kind, self.identity, self.written, self.desired.force, others)

    def preview(self) -> Command | None:
        """The command that shows, without writing, the object with every default filled in; None where it is
        not needed.

        New- with -InMemory is Microsoft's own way to see defaults (Microsoft Learn, "Viewing status of global
        settings for a forest").
        """
        new = self.resource.cmdlet("New")
        if self.kind not in (Kind.CREATE, Kind.RECREATE, Kind.RESET) or not self.cmdlets.takes(
            new, "InMemory"
        ):
            return None
        return Command(new, {**self._new().parameters, "InMemory": Switch.PRESENT})

    def _new(self) -> Command:
        first = {option: value for option, value in self.written.items() if option not in self.later}
        parameters = {"Identity": self.identity.argument, **self.resource.sent(first)}
        return Command(self.resource.cmdlet("New"), parameters)

    def _set(self, values: Values) -> Command:
        before = self.actual.values if self.actual else {}
        return Command(
            self.resource.cmdlet("Set"), self.resource.compose(self.resource, self.identity, before, values)
        )

    def commands(self) -> tuple[Command, ...]:
        remove = Command(self.resource.cmdlet("Remove"), {"Identity": self.identity.argument})
        if self.kind is Kind.NOTHING:
            return ()
        if self.kind is Kind.SET:
            return (self._set(self.written),)
        if self.kind in (Kind.REMOVE, Kind.RESET):
            return (remove,)
        later = {option: value for option, value in self.written.items() if option in self.later}
        creation = (self._new(), self._set(later)) if later else (self._new(),)
        return creation if self.kind is Kind.CREATE else (remove, *creation)

    def restoration(self, preview: Values) -> tuple[Command, ...]:
        """What brings the present object back after the change. ``preview`` are a reset's values."""
        remove = Command(self.resource.cmdlet("Remove"), {"Identity": self.identity.argument})
        if self.kind is Kind.CREATE:
            return (remove,)
        if self.actual is None:
            return ()
        if self.kind in (Kind.SET, Kind.RESET):
            replaced = self.written if self.kind is Kind.SET else preview
            present = self.actual.server_values
            values = {o: present[o] for o in replaced if o in present and present[o] != replaced[o]}
            # What exists only with a value that is replaced goes with it.
            values |= {
                p.option: present[p.option]
                for p in self.resource.properties
                if p.only_with and p.only_with[0] in values and p.option in present
            }
            return (self._restoring_set(replaced, values),) if values else ()
        if self.kind not in (Kind.REMOVE, Kind.RECREATE):
            return ()
        written, later = _creation(self.resource, self.actual.server_values, self.cmdlets)
        creation = Assessment(
            self.resource, self.identity, None, self.desired, self.cmdlets, Kind.CREATE, written, later
        ).commands()
        return (remove, *creation) if self.kind is Kind.RECREATE else creation

    def _restoring_set(self, replaced: Values, values: Values) -> Command:
        """The Set- that puts values back, told from the object as it will be."""
        became = {**(self.actual.values if self.actual else {}), **replaced}
        parameters = self.resource.compose(self.resource, self.identity, became, values)
        return Command(self.resource.cmdlet("Set"), parameters)


@dataclass(frozen=True)
class Plan:
    """Everything there is to know about a change before it is made.

    ``before`` and ``after`` are the object as the module's options describe it, None where it does not exist;
    ``wanted`` the options to be verified afterwards, None for a removal. ``commands`` are the writing
    commands as a person would type them, ``written`` the options that they write. ``restoration`` takes the
    change back. ``missing`` names cmdlets among them that the session does not offer. ``exact`` is the request's.
    ``template`` is what a new object begins as a copy of.
    """

    resource: Resource
    kind: Kind
    identity: Identity
    before: Values | None
    after: Values | None
    wanted: Values | None
    written: Values
    drift: tuple[DriftEntry, ...]
    commands: tuple[Command, ...]
    restoration: tuple[Command, ...]
    missing: tuple[str, ...]
    diff: tuple[str, str]
    exact: bool = False
    template: Identity | None = None

    @property
    def changes(self) -> bool:
        return self.kind is not Kind.NOTHING


def assess(resource: Resource, actual: Collection | None, desired: Desired, cmdlets: Cmdlets) -> Assessment:
    """Decide what has to be done. Raises Refused, or UnknownParameters, where it cannot be done."""
    identity = actual.identity if actual else desired.identity
    if not desired.present:
        if actual is None:
            kind = Kind.NOTHING
        elif identity.scope is Scope.GLOBAL:
            kind = Kind.RESET
        else:
            kind = Kind.REMOVE
        return Assessment(resource, identity, actual, desired, cmdlets, kind)
    if actual is None:
        missing = [option for option in resource.required_to_create if option not in desired.values]
        if missing:
            raise Refused(
                f"The {resource.title} '{identity}' does not exist, and creating it takes "
                f"{' and '.join(missing)}"
            )
        written, later = _creation(resource, desired.values, cmdlets)
        return Assessment(resource, identity, actual, desired, cmdlets, Kind.CREATE, written, later)
    changed = _changed(resource, actual, desired, cmdlets)
    if not changed:
        return Assessment(resource, identity, actual, desired, cmdlets, Kind.NOTHING)
    setter = resource.cmdlet("Set")
    unsettable = [
        p
        for p in changed
        if cmdlets.has(setter) and not cmdlets.takes(setter, p.parameter_for(desired.values[p.option]))
    ]
    if not unsettable:
        values = {p.option: desired.values[p.option] for p in changed}
        return Assessment(resource, identity, actual, desired, cmdlets, Kind.SET, values)
    if not resource.recreatable or not all(
        cmdlets.takes(resource.cmdlet("New"), p.parameter) for p in unsettable
    ):
        raise UnknownParameters(setter, unsettable)
    if not desired.recreate:
        raise Refused(
            f"{' and '.join(p.option for p in unsettable)} of the {resource.title} '{identity}' can be given "
            "only when it is created. With recreate: true it is removed and created again, keeping its other values"
        )
    written, later = _creation(resource, {**actual.server_values, **desired.values}, cmdlets)
    return Assessment(resource, identity, actual, desired, cmdlets, Kind.RECREATE, written, later)


def plan(assessed: Assessment, preview: Collection | None = None) -> Plan:
    """Spell an assess out. ``preview`` is what `Assessment.preview` showed, where it was asked."""
    resource, actual, kind = assessed.resource, assessed.actual, assessed.kind
    wanted = assessed.wanted
    present = actual.values if actual else {}
    if kind is Kind.RESET:
        wanted = {o: v for o, v in (preview.values if preview else {}).items() if o in present}
        if not _differing(resource, present, wanted):
            kind = Kind.NOTHING
    before = resource.as_options(actual) if actual else None
    if kind is Kind.NOTHING:
        return Plan(resource, kind, assessed.identity, before, before, wanted, {}, (), (), (), (), ("", ""))
    base = present if kind is Kind.SET else (preview.values if preview else {})
    after: Values | None = None
    if wanted is not None:
        given = {**assessed.written, **wanted}
        overlay = {p.option: p.as_read(given[p.option]) for p in resource.properties if p.option in given}
        combined = {**base, **overlay}
        after = resource.as_options(
            Collection(
                assessed.identity,
                {o: v for o, v in combined.items() if applies(resource.property_of(o), combined)},
            )
        )
    if kind is Kind.CREATE and assessed.template and preview:
        _require_copyable(assessed, preview)
    commands = assessed.commands()
    drift = tuple(_drift(assessed, kind, wanted if kind is Kind.RESET else assessed.desired.values))
    return Plan(
        resource=resource,
        kind=kind,
        identity=assessed.identity,
        before=before,
        after=after,
        wanted=wanted,
        written=(wanted or {}) if kind is Kind.RESET else assessed.written,
        drift=drift,
        commands=commands,
        restoration=assessed.restoration(preview.values if preview else {}),
        missing=tuple(dict.fromkeys(c.name for c in commands if not assessed.cmdlets.has(c.name))),
        diff=_diff(kind, before, after, drift),
        exact=assessed.desired.exact,
        template=assessed.template.identity if assessed.template else None,
    )


def _require_copyable(assessed: Assessment, preview: Collection) -> None:
    """Raise Refused if the new object would differ from what it is a copy of, in what is not written.

    A null is not: what a parameter makes of it depends on its type, and a new object that is not given one begins with
    null mostly.
    """
    wanted = {
        option: value
        for option, value in (assessed.wanted or {}).items()
        if option not in assessed.written and option in preview.values
    }
    differing = _differing(assessed.resource, preview.values, wanted)
    if not differing or not assessed.template:
        return
    names = " and ".join(p.option for p in differing)
    what = f"{names} of {assessed.template.identity} cannot be copied to {assessed.identity}"
    if any(p.option in assessed.template.nulls for p in differing):
        raise Refused(
            f"{what}: it is not set there, and a new object begins with "
            f"{', '.join(shown(preview.values[p.option]) for p in differing)}. Give {names} a value, or "
            "server_defaults: true"
        )
    raise Refused(
        f"{what}: {assessed.resource.cmdlet('New')} and {assessed.resource.cmdlet('Set')} have no parameter for it. "
        "With server_defaults: true the new object begins with the server's defaults"
    )


def mismatches(
    resource: Resource, wanted: Values | None, found: Collection | None, *, exact: bool = False
) -> list[Mismatch]:
    """What a read-back does not bear out; empty where all is as wanted. ``wanted`` is None for a removal."""
    if wanted is None:
        return [Mismatch("state", "absent", "present")] if found else []
    if found is None:
        return [Mismatch("state", "present", "absent")]
    present = found.server_values if exact else found.values
    return [
        Mismatch(p.option, wanted[p.option], present.get(p.option))
        for p in _differing(resource, present, wanted, exact=exact)
    ]


def _creation(resource: Resource, values: Values, cmdlets: Cmdlets) -> tuple[Values, frozenset[str]]:
    """The options to write, in the table's order, and those among them that only Set- takes.

    None is not written: a new object has null where it is given nothing.
    """
    new, setter = resource.cmdlet("New"), resource.cmdlet("Set")
    given = [p for p in resource.properties if values.get(p.option) is not None]
    not_new = [p for p in given if cmdlets.has(new) and not cmdlets.takes(new, p.parameter)]
    unknown = [p for p in not_new if cmdlets.has(setter) and not cmdlets.takes(setter, p.parameter)]
    if unknown:
        raise UnknownParameters(new, unknown)
    return {p.option: values[p.option] for p in given}, frozenset(p.option for p in not_new)


def _differing(resource: Resource, actual: Values, wanted: Values, *, exact: bool = False) -> list[Property]:
    def same(p: Property) -> bool:
        one, other = actual[p.option], wanted[p.option]
        return p.same(one, other) and not (exact and (one is None) != (other is None))

    return [p for p in resource.properties if p.option in wanted and not (p.option in actual and same(p))]


def _changed(resource: Resource, actual: Collection, desired: Desired, cmdlets: Cmdlets) -> list[Property]:
    """The properties to be set, after making sure that every one that was given can be compared at all."""
    wanted = desired.values
    resulting = {**actual.values, **wanted}
    setter = resource.cmdlet("Set")
    unknown: list[Property] = []
    for p in resource.properties:
        if p.option not in wanted:
            continue
        if p.only_with and not applies(p, resulting):
            other, needed = p.only_with
            raise Refused(
                f"{p.option} exists only with {other}: {needed}, which is {resulting.get(other)} here",
                status=Status.UNKNOWN,
            )
        if p.option in actual.values or not applies(p, actual.values):
            continue
        if not cmdlets.has(setter) or cmdlets.takes(setter, p.parameter):
            raise Refused(
                f"{resource.cmdlet('Get')} shows no {p.attribute or p.parameter} on this server, so {p.option} "
                "can be neither compared nor verified",
                status=Status.UNKNOWN,
            )
        unknown.append(p)
    if unknown:
        raise UnknownParameters(setter, unknown)
    present = actual.server_values if desired.exact else actual.values
    return _differing(resource, present, wanted, exact=desired.exact)


def _drift(assessed: Assessment, kind: Kind, wanted: Values | None) -> Iterable[DriftEntry]:
    resource = assessed.resource
    name, identity = resource.name, str(assessed.identity)
    actual = assessed.present
    if kind in (Kind.CREATE, Kind.REMOVE):
        states = ("absent", "present") if kind is Kind.CREATE else ("present", "absent")
        yield DriftEntry(name, identity, "state", *states, resource.severity, resource.reason)
    for p in _differing(resource, actual, wanted or {}, exact=assessed.desired.exact):
        yield DriftEntry(
            name, identity, p.option, actual.get(p.option), (wanted or {})[p.option], p.severity, p.reason
        )


def _diff(
    kind: Kind, before: Values | None, after: Values | None, drift: Iterable[DriftEntry]
) -> tuple[str, str]:
    """The two sides of the diff: the differing properties and no others; all of an object that comes or goes."""
    if kind in (Kind.CREATE, Kind.REMOVE):
        whole = (after if kind is Kind.CREATE else before) or {}
        there = _lines(as_line(option, value) for option, value in whole.items() if option != "identity")
        absent = _lines([as_line("state", "absent")])
        return (absent, there) if kind is Kind.CREATE else (there, absent)
    drift = list(drift)
    left = [as_line(d.property, d.current) for d in drift]
    return _lines(left), _lines(as_line(d.property, d.desired) for d in drift)


def _lines(lines: Iterable[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
