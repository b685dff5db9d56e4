# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The table of any noun, made of what its objects show, its cmdlets take and the catalogue knows.

Its options are the Management Shell's own names. A noun that has a module of its own keeps that module's table: its
severities, reasons and requirements, under these names.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..powershell.commands import Command
from ..powershell.ordinal import ordinal_key
from ..powershell.results import Hidden, RemoteObject
from ..powershell.shell import ManagementShell
from ..result.refusals import Refused, Unreadable
from .catalogue import (
    CHILDREN,
    INTERNAL,
    NESTED,
    PRIORITY,
    READ_ONLY,
    SECRET,
    UNREADABLE,
    Noun,
    is_free_text,
)
from .comparison import Comparison
from .identity import Identity, Scope
from .in_use import not_in_use
from .kinds import Names, of_parameter, of_values, type_name
from .reading import is_complete
from .resource import Collection, Property, ProposedChange, Requirement, Resource, Values
from .resources.registry import RESOURCES
from .resources.topology import SERVICE_EXISTS, SITE_EXISTS

Types = Mapping[str, str]
"""Parameters and their types."""


@dataclass(frozen=True)
class Table:
    """A noun as this server shows it. ``not_comparable`` are the reasons by property; ``shape`` the types of the values
    that are present, by property: null has none.
    """

    noun: Noun
    resource: Resource
    listed: tuple[Collection, ...]
    order: tuple[Identity, ...]
    not_comparable: Mapping[str, str]
    shape: Mapping[str, tuple[str, ...]]


def read(
    shell: ManagementShell, noun: Noun, *, with_priority: bool = False, verbs: Sequence[str] = ()
) -> Table:
    """Every object of a noun, with what the cmdlets of these verbs take, in one pipeline.

    Raises what the server answered if reading failed, and Unreadable for an answer that proves nothing.
    """
    cmdlets = [noun.cmdlet(verb) for verb in verbs if verb in noun.verbs]
    results = shell.run(*shell.describing(*cmdlets), Command(noun.cmdlet("Get")))
    if results.errors:
        raise shell.classify(results.errors[0])
    # What a session does not offer says nothing of its parameters.
    offered = [cmdlet for cmdlet in cmdlets if shell.parameters_of(cmdlet) is not None]
    types = [shell.parameter_types(cmdlet) for cmdlet in offered if not cmdlet.startswith("Remove-")]
    return described(noun, results.objects(), types, with_priority=with_priority)


def described(
    noun: Noun,
    remotes: Sequence[RemoteObject],
    parameters: Iterable[Types] = (),
    *,
    with_priority: bool = False,
) -> Table:
    """The table for what was read. ``with_priority``: a priority is a property like others, as a person sets one."""
    typed = _by_property_names(noun.name)
    parameters = list(parameters)
    # Where a cmdlet's parameters are not told, any property may be one of them.
    are_known = bool(parameters) and all(parameters)
    types = {ordinal_key(name): kind for each in parameters for name, kind in each.items()}
    skipped: dict[str, str] = {}
    found = {ordinal_key(p.attribute or p.parameter): p for p in (typed.properties if typed else ())}
    spelled = _spellings(noun, remotes)
    properties: list[Property] = list(found.values())
    shape: dict[str, tuple[str, ...]] = {}
    for key, name in spelled.items():
        values = [value for value in (remote.get(name) for remote in remotes) if value is not None]
        if values:
            shape[name] = tuple(sorted(set(map(type_name, values))))
        if key in found:
            continue
        known = noun.documented(name)
        reason = known.not_comparable if known else None
        if any(isinstance(value, Hidden) for value in values) or _is_secret(types.get(key, "")):
            reason = SECRET
        if reason is None and are_known and key not in types:
            reason = READ_ONLY
        if reason is not None and not (with_priority and reason == PRIORITY):
            skipped[name] = reason
            continue
        documented = known.comparison if known else None
        comparison = of_values(values, documented or of_parameter(types.get(key, "")))
        if comparison is None:
            if values:
                skipped[name] = UNREADABLE
            continue
        properties.append(_property(noun, name, comparison, is_shown=any(name in each for each in remotes)))
    resource = _resource(noun, typed, tuple(sorted(properties, key=lambda p: p.option.casefold())))
    lost = {CHILDREN, NESTED, SECRET, UNREADABLE}
    resource = replace(resource, is_partial=any(shape.get(n) and r in lost for n, r in skipped.items()))
    listed = tuple(resource.collection(remote) for remote in remotes)
    if not is_complete(listed, resource):
        raise Unreadable(f"{noun.cmdlet('Get')} returned no Global object, although there always is one.")
    return Table(noun, resource, listed, _order(noun, remotes, listed), skipped, dict(sorted(shape.items())))


def _spellings(noun: Noun, remotes: Sequence[RemoteObject]) -> dict[str, str]:
    """The properties by key: as the objects spell them, or the reference where no object shows them."""
    shown = {ordinal_key(name): name for remote in remotes for name in remote}
    documented = {ordinal_key(name): name for name in noun.properties}
    return {key: name for key, name in {**documented, **shown}.items() if key not in INTERNAL}


def _is_secret(type_of_parameter: str) -> bool:
    return type_of_parameter.rpartition(".")[2].lower() in ("securestring", "pscredential")


def _property(noun: Noun, name: str, comparison: Comparison, *, is_shown: bool) -> Property:
    is_list = isinstance(comparison, Names)
    return Property(
        option=name,
        parameter=name,
        comparison=comparison,
        severity=noun.severity,
        reason=noun.reason,
        null=[] if is_list else "" if is_free_text(comparison) else None,
        missing_is_null=is_list and is_shown,
    )


def _resource(noun: Noun, typed: Resource | None, properties: tuple[Property, ...]) -> Resource:
    if typed is not None:
        return replace(typed, properties=properties)
    requirements: list[Requirement] = []
    if Scope.ITEM not in noun.scopes:
        requirements = [SITE_EXISTS, SERVICE_EXISTS]
    if noun.is_policy:
        requirements.append(not_in_use(noun.name))
    return Resource(
        name=noun.name,
        noun=noun.name,
        title=noun.name,
        plural="objects",
        scopes=noun.scopes,
        properties=properties,
        severity=noun.severity,
        reason=noun.reason,
        roles=noun.roles,
        creatable="New" in noun.verbs,
        required_to_create=noun.required,
        requirements=tuple(requirements),
        may_lack_global=not noun.always_global,
        compose=_without_identity if noun.set_without_identity else _with_identity,
    )


def _with_identity(
    resource: Resource, identity: Identity, before: Values, values: Values
) -> Mapping[str, Any]:
    return {"Identity": identity.argument, **resource.sent(values, before)}


def _without_identity(
    resource: Resource, identity: Identity, before: Values, values: Values
) -> Mapping[str, Any]:
    """For a noun whose only object is never named."""
    return resource.sent(values, before)


def _order(noun: Noun, remotes: Sequence[RemoteObject], listed: Sequence[Collection]) -> tuple[Identity, ...]:
    """The sequence that the priorities make, scope by scope."""
    if not noun.has_priority:
        return ()
    ranked = []
    for remote, each in zip(remotes, listed, strict=True):
        priority = remote.get("Priority")
        ranked.append((each.identity.parent.key if each.identity.item else (), priority, each.identity))
    if not all(isinstance(priority, int) for _scope, priority, _identity in ranked):
        return tuple(identity for _scope, _priority, identity in ranked)
    return tuple(identity for _scope, _priority, identity in sorted(ranked, key=lambda each: each[:2]))


# -- nouns that have a module of their own ----------------------------------------------------------------------------


def _by_property_names(name: str) -> Resource | None:
    """The module's table, with the Management Shell's names for its options."""
    resource = next((each for each in RESOURCES.values() if each.noun == name), None)
    if resource is None:
        return None
    names = {p.option: p.attribute or p.parameter for p in resource.properties}
    options = {property_: option for option, property_ in names.items()}

    def renamed(p: Property) -> Property:
        only_with = (names[p.only_with[0]], p.only_with[1]) if p.only_with else None
        return replace(p, option=names[p.option], only_with=only_with)

    def compose(_resource: Resource, identity: Identity, before: Values, values: Values) -> Mapping[str, Any]:
        known = {name: value for name, value in values.items() if name in options}
        further = {name: value for name, value in values.items() if name not in options}
        parameters = resource.compose(
            resource, identity, _translated(before, options), _translated(known, options)
        )
        return {**parameters, **_resource.sent(further, before)}

    return replace(
        resource,
        name=name,
        properties=tuple(renamed(p) for p in resource.properties),
        required_to_create=tuple(names[option] for option in resource.required_to_create),
        requirements=tuple(_translating(each, options) for each in resource.requirements),
        compose=compose,
    )


def _translated(values: Values, options: Mapping[str, str]) -> dict[str, Any]:
    return {options.get(name, name): value for name, value in values.items()}


def _translating(requirement: Requirement, options: Mapping[str, str]) -> Requirement:
    def translated(proposed: ProposedChange) -> ProposedChange:
        others = [replace(other, values=_translated(other.values, options)) for other in proposed.others]
        return replace(proposed, values=_translated(proposed.values, options), others=others)

    needed: Callable[[ProposedChange], bool] = requirement.needed
    objection = requirement.objection
    return replace(
        requirement,
        needed=lambda proposed: needed(translated(proposed)),
        objection=lambda proposed, objects: objection(translated(proposed), objects),
    )


# -- what a person may ask for ----------------------------------------------------------------------------------------


def writable(noun: Noun) -> Noun:
    """The noun, if it may be written at all. Raises Refused with the reason."""
    reason = noun.excluded or noun.read_only
    if reason is None:
        return noun
    follow_up = " ".join(
        f"After a change by hand, run {each.command}: {each.reason}" for each in noun.follow_up
    )
    raise Refused(f"{noun.name} is not managed by this collection. {reason} {follow_up}".strip())
