# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a module is made of: a Cs noun, its scopes and properties, and what must hold before it is changed."""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.commands import Command, Switch
from ..powershell.ordinal import same_name
from ..powershell.results import RemoteObject
from ..result.refusals import Unreadable, UnusableArgument, text_of
from ..result.severity import Severity
from .comparison import Comparison
from .identity import Identity, Scope, stored

Values = Mapping[str, Any]
"""Option names and values as the module takes them."""


@dataclass(frozen=True)
class Property:
    """One property of a noun.

    ``option`` is the module's option; ``parameter`` that of Set- and New-; ``attribute`` the object's
    property, where its spelling differs by more than case. ``null`` is the option's value that a null on the
    server stands for. ``reason`` is one sentence on why a difference matters. ``only_with`` names another
    option and the value it must have for the property to exist at all. ``is_switch``: the cmdlet has a switch
    parameter for each value, named like it. ``missing_is_null``: to it null, ``null``'s value and missing are one, as
    remoting may leave an empty list out.
    """

    option: str
    parameter: str
    comparison: Comparison
    severity: Severity
    reason: str
    attribute: str | None = None
    null: Any = None
    only_with: tuple[str, str] | None = None
    is_switch: bool = False
    missing_is_null: bool = False

    @property
    def ordered(self) -> Property:
        """As an object is put back: lists in the order in which they were."""
        return replace(self, comparison=self.comparison.ordered)

    def parameter_for(self, value: Any) -> str:
        return str(value) if self.is_switch else self.parameter

    def shown_by(self, remote: RemoteObject) -> bool:
        return self.missing_is_null or (self.attribute or self.parameter) in remote

    def is_null(self, remote: RemoteObject) -> bool:
        return not self.missing_is_null and remote.get(self.attribute or self.parameter) is None

    def read(self, remote: RemoteObject) -> Any:
        raw = remote.get(self.attribute or self.parameter)
        return self.null if raw is None else self.comparison.read(raw)

    def sent(self, value: Any, present: Any = None) -> Any:
        """The parameter's value for an option's value, None for null; ``present`` is what an object has now."""
        return None if value is None else self.comparison.modify(value, present)

    def as_read(self, value: Any) -> Any:
        """The option's value as the server will show it once it has been written."""
        return self.null if value is None else self.comparison.read(self.comparison.send(value))

    def same(self, one: Any, other: Any) -> bool:
        """Whether two values of the option, either of which may be None for 'not set', mean the same."""
        one, other = (self.null if value is None else value for value in (one, other))
        return one is other or self.comparison.same(one, other)


@dataclass(frozen=True)
class Collection:
    """One object of a noun as it was read; ``values`` holds the properties that the server shows, no others.

    ``nulls`` are those of them that are null on the server, which to an option may be the same as empty.
    """

    identity: Identity
    values: Values
    nulls: frozenset[str] = frozenset()

    @property
    def server_values(self) -> Values:
        """The values as they have to be sent to make the object what it is: null where it is null."""
        return {option: None if option in self.nulls else value for option, value in self.values.items()}


class Kind(enum.Enum):
    """What has to be done to an object."""

    NOTHING = "nothing"
    SET = "set"
    CREATE = "create"
    RECREATE = "recreate"
    REMOVE = "remove"
    RESET = "reset"


@dataclass(frozen=True)
class Desired:
    """What a task asks for. ``values`` holds the options that were given, no others.

    ``recreate``: an object may be removed and created again for the sake of properties that Set- cannot
    change. ``force``: an object may be removed although it is in use. ``exact``: a null on the server is not
    the value that it stands for, and None asks for it; the values are all that a new object is to have.
    ``copy_of`` names the collection that a new one begins as a copy of, instead of the one in force there;
    ``server_defaults``: it begins with the defaults of its cmdlet.
    """

    identity: Identity
    values: Values = field(default_factory=dict)
    present: bool = True
    recreate: bool = False
    force: bool = False
    exact: bool = False
    copy_of: Identity | None = None
    server_defaults: bool = False


@dataclass(frozen=True)
class ProposedChange:
    """What is about to be done, for those who may object: ``values`` are the options that are going to be
    written.
    """

    kind: Kind
    identity: Identity
    values: Values
    force: bool
    others: Sequence[Collection]


@dataclass(frozen=True)
class Requirement:
    """Something outside the object that must hold before it is changed.

    ``needed`` tells whether it matters for a change; ``read`` is the command that finds out, and ``objection`` is the
    sentence against the change, or None, for the objects it returned. The objects are None where the session does not
    offer the command. ``identities`` are those that the objects stand for: the one that is meant lends its spelling.
    ``site`` is the site of the object that is meant, for what is at one.
    """

    needed: Callable[[ProposedChange], bool]
    read: Command
    objection: Callable[[ProposedChange, Sequence[RemoteObject] | None], str | None]
    identities: Callable[[Sequence[RemoteObject]], Iterable[Identity]] = lambda objects: ()
    site: Callable[[Sequence[RemoteObject], Identity], Identity | None] = lambda objects, identity: None


def _by_parameter(
    resource: Resource, identity: Identity, before: Values, values: Values
) -> Mapping[str, Any]:
    return {"Identity": identity.argument, **resource.sent(values, before)}


@dataclass(frozen=True)
class Resource:
    """A noun, its scopes and its properties.

    ``name`` is the module's; ``title`` what people call one object; ``plural`` the key of the info module's
    list. ``creatable``: there are New- and Remove- cmdlets; otherwise there is one object, which always
    exists. ``required_to_create`` names options that New- demands. ``compose`` makes the parameters of Set-
    out of the object's present values and those to be written, for cmdlets with parameter sets of their own.
    ``may_lack_global``: the Global object, where there is one, need not exist. ``is_partial``: objects have more than
    these properties show, which a removal loses for good.
    """

    name: str
    noun: str
    title: str
    plural: str
    scopes: tuple[Scope, ...]
    properties: tuple[Property, ...]
    severity: Severity
    reason: str
    roles: tuple[str, ...] = ()
    creatable: bool = True
    recreatable: bool = False
    required_to_create: tuple[str, ...] = ()
    requirements: tuple[Requirement, ...] = ()
    compose: Callable[[Resource, Identity, Values, Values], Mapping[str, Any]] = _by_parameter
    may_lack_global: bool = False
    is_partial: bool = False

    @property
    def ordered(self) -> Resource:
        """As objects are put back: lists in the order in which they were."""
        return replace(self, properties=tuple(p.ordered for p in self.properties))

    @property
    def layered(self) -> bool:
        """Whether a narrower collection takes the place of a wider one."""
        return self.creatable and Scope.GLOBAL in self.scopes

    def cmdlet(self, verb: str) -> str:
        return f"{verb}-{self.noun}"

    def property_of(self, option: str) -> Property:
        return next(candidate for candidate in self.properties if candidate.option == option)

    def sent(self, values: Values, present: Values | None = None) -> dict[str, Any]:
        """The parameters for these options, in the table's order; ``present`` are those of an object that exists."""
        given = [(p, values[p.option]) for p in self.properties if p.option in values]
        before = present or {}
        return {
            p.parameter_for(v): Switch.PRESENT if p.is_switch else p.sent(v, before.get(p.option))
            for p, v in given
        }

    def checked(self, values: Values) -> None:
        """Raise UnusableArgument for the first value that no version of the server would take."""
        for option, value in values.items():
            problem = self.property_of(option).comparison.problem(value)
            if problem:
                raise UnusableArgument(option, problem)

    def collection(self, remote: RemoteObject) -> Collection:
        """Read one object. Raises Unreadable if it has no identity, or a value of an unexpected type."""
        if "Identity" not in remote:
            kind = remote.type_names[0] if remote.type_names else "an object without a type"
            raise Unreadable(f"{self.cmdlet('Get')} returned {kind}, which has no Identity.")
        identity = stored(text_of(remote["Identity"]), self.scopes)
        shown = [p for p in self.properties if p.shown_by(remote)]
        values = {p.option: p.read(remote) for p in shown}
        return Collection(
            identity,
            {o: v for o, v in values.items() if applies(self.property_of(o), values)},
            frozenset(p.option for p in shown if p.is_null(remote)),
        )

    def as_options(self, collection: Collection) -> dict[str, Any]:
        """The object as the module's options describe it, in the table's order."""
        options: dict[str, Any] = {}
        if self.creatable:
            options = {"identity": str(collection.identity), "state": "present"}
        return options | {
            p.option: collection.values[p.option] for p in self.properties if p.option in collection.values
        }


def applies(property_: Property, values: Values) -> bool:
    """Whether a property exists beside these values of the object's other properties."""
    if property_.only_with is None:
        return True
    other, needed = property_.only_with
    return same_name(str(values.get(other)), needed)
