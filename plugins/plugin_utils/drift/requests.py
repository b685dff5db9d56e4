# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is wanted, from wherever it is asked for: baseline files, the variable drift_wanted, and variables of roles.

All of it becomes requests, one for each property, each with its origin. They are merged before anything is compared.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..federation import windows_live
from ..result.display import shown
from ..result.refusals import BadArgument, UnusableArgument
from ..settings import catalogue
from ..settings.identity import Identity, Scope, stored
from ..settings.resources.external_access_policy import EXTERNAL_ACCESS_POLICY
from ..settings.resources.media_configuration import MEDIA_CONFIGURATION
from .baseline import ABSENT, Baseline
from .documents import folded
from .waivers import STATE

PRESENT = "present"
_ROLE = "windows_live_av_federation"
WANTED = "drift_wanted"


@dataclass(frozen=True)
class Request:
    """One property of one object, or that the object is there: then ``property`` is ``existence``.

    ``is_text``: the value was read as text, and is converted by the property's type.
    """

    noun: str
    identity: Identity
    property: str
    value: Any
    origin: str
    is_text: bool = False


@dataclass(frozen=True)
class Requests:
    """``orders`` are wanted sequences of identities, by folded noun, with their origin; ``whole`` the folded nouns
    whose baseline has a file.
    """

    requests: tuple[Request, ...] = ()
    orders: Mapping[str, tuple[tuple[Identity, ...], str]] = field(default_factory=dict)
    whole: frozenset[str] = frozenset()

    @property
    def nouns(self) -> list[str]:
        """The nouns that something is asked of, as the catalogue spells them, in the order of application."""
        named = {folded(each.noun) for each in self.requests} | self.whole | set(self.orders)
        return [name for name in catalogue.nouns() if folded(name) in named]


def from_baseline(baseline: Baseline, chosen: Callable[[str], bool]) -> Requests:
    """Raises BadArgument for a noun or an identity that there cannot be. ``chosen`` tells which nouns are looked at."""
    found: list[Request] = []
    orders: dict[str, tuple[tuple[Identity, ...], str]] = {}
    whole: set[str] = set()
    for file in baseline.files.values():
        noun = known_noun(file.noun, str(file.place))
        if not chosen(noun.name):
            continue
        whole.add(folded(noun.name))
        for each in file.objects:
            identity = known_identity(noun, each.identity, str(each.place))
            if each.properties is None:
                must_be_removable(noun, identity, str(each.place))
                found.append(Request(noun.name, identity, STATE, ABSENT, str(each.place), is_text=True))
                continue
            found.append(Request(noun.name, identity, STATE, PRESENT, str(each.place), is_text=True))
            found += [
                Request(noun.name, identity, name, value.value, str(value.place), is_text=True)
                for name, value in each.properties.items()
            ]
        if file.order is not None:
            origin = str(file.order_place)
            if not noun.has_priority:
                raise BadArgument(f"{origin}: {noun.name} has no priorities, so it can have no order.")
            orders[folded(noun.name)] = (
                tuple(known_identity(noun, each, origin) for each in file.order),
                origin,
            )
    return Requests(tuple(found), orders, frozenset(whole))


def from_variable(wanted: Any, place: str = WANTED) -> list[Request]:
    """The requests of ``drift_wanted``: a list of mappings with noun, identity, and properties or state: absent."""
    found: list[Request] = []
    if not isinstance(wanted, list):
        raise UnusableArgument(place, "a list is expected, of mappings with noun, identity and properties")
    for number, each in enumerate(wanted):
        origin = f"{place}[{number}]"
        if not isinstance(each, Mapping):
            raise UnusableArgument(origin, "a mapping with noun, identity and properties is expected")
        unknown = sorted(set(each) - {"noun", "identity", "properties", "state"})
        if unknown:
            raise UnusableArgument(
                origin, f"there is no key {', '.join(unknown)}. Allowed: noun, identity, properties, state"
            )
        if not isinstance(each.get("noun"), str) or not isinstance(each.get("identity"), str):
            raise UnusableArgument(origin, "noun and identity are texts, and both are needed")
        state, properties = each.get("state", PRESENT), each.get("properties", {})
        if state not in (PRESENT, ABSENT):
            raise UnusableArgument(origin, f"state: {state!r} is not allowed. Allowed: {PRESENT}, {ABSENT}")
        if not isinstance(properties, Mapping) or (state == ABSENT and properties):
            raise UnusableArgument(origin, "properties is a mapping, and has no place beside state: absent")
        noun = known_noun(each["noun"], origin)
        identity = known_identity(noun, each["identity"], origin)
        if state == ABSENT:
            must_be_removable(noun, identity, origin)
        found.append(Request(noun.name, identity, STATE, state, origin))
        found += [
            Request(noun.name, identity, str(name), value, origin) for name, value in properties.items()
        ]
    return found


def from_federation_role(variables: Mapping[str, Any]) -> list[Request]:
    """What the variables of the role windows_live_av_federation ask for, where its state is set for a deployment."""
    state = variables.get(f"{_ROLE}_state")
    if state is None:
        return []
    if state not in (PRESENT, ABSENT):
        raise UnusableArgument(f"{_ROLE}_state", f"{state!r} is not allowed. Allowed: {PRESENT}, {ABSENT}")
    role = windows_live.Request(
        state=state,
        policies=_texts(variables, "policies"),
        media=_texts(variables, "media"),
        people=_texts(variables, "people"),
        people_filter=variables.get(f"{_ROLE}_people_filter", ""),
        people_ldap_filter=variables.get(f"{_ROLE}_people_ldap_filter", ""),
        people_ou=variables.get(f"{_ROLE}_people_ou", ""),
        people_policy="",
        include_shadowing_scopes=False,
        encryption_level=variables.get(f"{_ROLE}_encryption_level", "SupportEncryption"),
        max_video_rate=variables.get(f"{_ROLE}_max_video_rate", "Hd720p15M"),
        providers=(),
        enable_providers=False,
        disable_providers=False,
        manage_access_edge=False,
    )
    return [
        Request(
            resource.noun,
            identity,
            p.attribute or p.parameter,
            values[p.option],
            _role_origin(variables, p.option),
        )
        for resource, identities, values in (
            (EXTERNAL_ACCESS_POLICY, role.policy_scopes, role.policy_values),
            (MEDIA_CONFIGURATION, role.media_scopes, role.media_values),
        )
        for text in identities
        for identity in [known_identity(catalogue.noun(resource.noun), text, _ROLE)]
        for p in resource.properties
        if p.option in values
    ]


def _role_origin(variables: Mapping[str, Any], option: str) -> str:
    name = {"encryption_level": "encryption_level", "max_video_rate_allowed": "max_video_rate"}.get(
        option, ""
    )
    variable = f"{_ROLE}_{name}" if f"{_ROLE}_{name}" in variables else f"{_ROLE}_state"
    return f"role windows_live_av_federation, {variable}"


def _texts(variables: Mapping[str, Any], name: str) -> Sequence[str]:
    value = variables.get(f"{_ROLE}_{name}", [])
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise UnusableArgument(f"{_ROLE}_{name}", "a list of identities is expected")
    return value


# -- nouns and identities ---------------------------------------------------------------------------------------------


def known_noun(name: str, origin: str) -> catalogue.Noun:
    try:
        noun = catalogue.noun(name)
    except BadArgument as error:
        raise BadArgument(f"{origin}: {error}") from None
    if noun.excluded:
        raise BadArgument(f"{origin}: {noun.name} is no noun for a baseline: {noun.excluded}")
    return noun


def known_identity(noun: catalogue.Noun, text: str, origin: str) -> Identity:
    identity = stored(text, noun.scopes)
    if identity.scope not in noun.scopes:
        allowed = ", ".join(scope.value for scope in noun.scopes)
        raise BadArgument(
            f"{origin}: {noun.name} has no {identity.scope.value} objects such as '{text}'. Allowed: {allowed}."
        )
    return identity


def must_be_removable(noun: catalogue.Noun, identity: Identity, origin: str) -> None:
    if identity.scope is Scope.GLOBAL and noun.parent is None:
        raise BadArgument(f"{origin}: the Global object of {noun.name} always exists, and cannot be absent.")
    if "Remove" not in noun.verbs:
        raise BadArgument(f"{origin}: objects of {noun.name} cannot be removed.")


# -- merging ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Wanted:
    """One property of an object, and every place that asks for it."""

    property: str
    value: Any
    origins: tuple[str, ...]


def merged(
    requests: Iterable[Request], same: Callable[[str, Any, Any], bool]
) -> dict[Identity, dict[str, Wanted]]:
    """By object and folded property. Raises BadArgument where one property is wanted with two values.

    The requests are those of one noun, with values that have been converted; ``same`` compares two of a property.
    """
    found: dict[Identity, dict[str, Wanted]] = {}
    for each in requests:
        wanted = found.setdefault(each.identity, {})
        known = wanted.get(folded(each.property))
        if known is None:
            wanted[folded(each.property)] = Wanted(each.property, each.value, (each.origin,))
            continue
        if not same(known.property, known.value, each.value):
            raise BadArgument(
                f"{each.noun} {each.identity}, {each.property}: {known.origins[0]} wants {shown(known.value)}, and "
                f"{each.origin} wants {shown(each.value)}. One of them has to give way."
            )
        if each.origin not in known.origins:
            wanted[folded(each.property)] = Wanted(known.property, known.value, (*known.origins, each.origin))
    for identity, properties in found.items():
        state = properties.get(folded(STATE))
        if state is not None and state.value == ABSENT and len(properties) > 1:
            other = next(each for name, each in properties.items() if name != folded(STATE))
            raise BadArgument(
                f"{identity}: {state.origins[0]} wants it absent, and {other.origins[0]} wants {other.property} to be "
                f"{shown(other.value)}. One of them has to give way."
            )
    return found
