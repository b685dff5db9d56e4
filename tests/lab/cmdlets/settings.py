# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-, New-, Set- and Remove- of the settings and policies in the Central Management Store.

The four verbs behave alike for every noun, so they are written once, over the tables of
``lab.objects.nouns``. Behaviour: MicrosoftDocs/office-docs-powershell, the pages of the nouns registered at
the end.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.cmdlets import families
from lab.contract import TerminatingError
from lab.deployment.store import Entry
from lab.objects import nouns
from lab.objects.identity import IdentityError, canonical_identity
from lab.objects.nouns import Noun, Property
from lab.objects.types import full_name, items_of
from lab.objects.values import NetObject, all_properties, get_property, string_list, text_of
from lab.powershell.builtin import matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, binding_error
from lab.powershell.registry import implements

#: Parameters of Set- and New- that are no properties.
NOT_PROPERTIES = frozenset({"Identity", "Instance", "Force", "InMemory", "Tenant"})


def setting_object(noun: Noun, identity: str, values: Mapping[str, Any]) -> NetObject:
    shown = {name: string_list(v) if isinstance(v, tuple) else v for name, v in values.items()}
    return NetObject((noun.type_name, "System.Object"), {"Identity": identity, **shown}, text=noun.type_name)


def failed(invocation: Invocation, key: str, target: Any = None, **values: Any) -> PowerShellError:
    return invocation.session.deployment.texts.error(key, target, **values)


def resolved(invocation: Invocation, noun: Noun, text: str) -> str:
    """The canonical identity; raises PowerShellError."""
    try:
        return canonical_identity(text, noun, invocation.session.deployment.topology)
    except IdentityError as error:
        refusal = failed(invocation, error.key, text, **error.values)
        if error.key not in ("identity_malformed", "wildcard_refused"):
            raise refusal from None
        # What its constructor refuses never reaches the cmdlet.
        raise TerminatingError(
            binding_error(
                f"Cannot bind parameter 'Identity'. Cannot convert value \"{text}\" to type "
                f'"{full_name("XdsIdentity")}". Error: "{refusal.message}"',
                "CannotConvertArgumentNoMessage",
            ).record(invocation.command.name, invocation.command.class_name)
        ) from None


def missing(invocation: Invocation, noun: Noun, identity: str) -> PowerShellError:
    return failed(invocation, "does_not_exist", identity, type=noun.short_type, identity=identity)


def held_entry(invocation: Invocation, noun: Noun, identity: str) -> Entry:
    """The stored object of that canonical identity; raises PowerShellError."""
    entry = invocation.session.entries(noun.name).get(identity.lower())
    if entry is None:
        raise missing(invocation, noun, identity)
    return entry


def selected_entries(invocation: Invocation, noun: Noun) -> Iterator[Entry]:
    """What Get- was asked for: one by -Identity, some by -Filter, or all, Global first."""
    entries = invocation.session.entries(noun.name, local=bool(invocation.get("LocalStore")))
    text = invocation.get("Identity")
    if text is not None:
        identity = resolved(invocation, noun, text)
        if identity.lower() not in entries:
            raise missing(invocation, noun, identity)
        yield entries[identity.lower()]
        return
    pattern = invocation.get("Filter")
    for identity, values in (
        sorted(entries.values(), key=_scope_order)
        if "name" not in noun.scopes
        else families.ranked(noun, entries)
    ):
        if pattern is None or matches(identity, pattern):
            yield identity, values


_SCOPES = ("global", "site", "service", "tag")


def _scope_order(entry: Entry) -> tuple[int, str, int]:
    scope = entry[0].partition("/")[0]
    return _SCOPES.index(scope.partition(":")[0].lower()), scope.lower(), entry[1].get("Priority", 0)


def changes(invocation: Invocation, noun: Noun) -> dict[str, Any]:
    """The properties that the bound parameters set."""
    version = invocation.session.deployment.version
    found = {}
    for name, value in invocation.values.items():
        held = noun.by_parameter(name, version) if name not in NOT_PROPERTIES else None
        if held is not None:
            found[held.name] = Modification(held, value) if held.is_list else value
    return found


@dataclass(frozen=True)
class Modification:
    """What a list parameter was given: entries to add and to remove, or others in their place."""

    held: Property
    given: Any

    def of(self, present: Sequence[Any]) -> tuple[Any, ...]:
        if not isinstance(self.given, Mapping):
            others = tuple(text_of(item) for item in items_of(self.given) if item is not None)
            is_nothing = not others and self.given is not None and self.held.type == "PSListModifier"
            return tuple(present) if is_nothing else others
        asked = {
            str(name).lower(): [text_of(item) for item in items_of(items)]
            for name, items in self.given.items()
            if items is not None
        }
        if asked.get("replace"):
            return tuple(asked["replace"])
        removed = {item.lower() for item in asked.get("remove", ())}
        kept = [item for item in present if item.lower() not in removed]
        return (*kept, *(item for item in asked.get("add", ()) if item not in kept))


def applied(values: Mapping[str, Any], changed: Mapping[str, Any]) -> dict[str, Any]:
    """These values with what parameters changed."""
    return {
        **values,
        **{
            name: value.of(values.get(name) or ()) if isinstance(value, Modification) else value
            for name, value in changed.items()
        },
    }


def instance_values(invocation: Invocation, noun: Noun) -> dict[str, Any]:
    """The property values of an object given as -Instance (typed, or as it comes back from a client)."""
    held = all_properties(invocation.get("Instance"))
    return {
        p.name: p.typed(get_property(invocation.get("Instance"), p.name))
        for p in noun.properties_in(invocation.session.deployment.version)
        if any(p.name.lower() == name.lower() for name in held)
    }


def check_ranges(invocation: Invocation, values: Mapping[str, Any]) -> None:
    """Limits that the reference gives: the life of an A/V token lies between a minute and 180 days."""
    lifetime = values.get("MaxTokenLifetime")
    low, high = datetime.timedelta(minutes=1), datetime.timedelta(days=180)
    if lifetime is not None and not low <= lifetime <= high:
        raise failed(
            invocation,
            "value_out_of_range",
            value=text_of(lifetime),
            property="MaxTokenLifetime",
            low=text_of(low),
            high=text_of(high),
        )


def asked_identity(invocation: Invocation) -> str:
    """The identity, or the scope and the name that make it."""
    if invocation.given("Identity"):
        return text_of(invocation.get("Identity"))
    return f"{text_of(invocation.get('Parent'))}/{text_of(invocation.get('Name'))}"


def get_setting(invocation: Invocation, noun: Noun) -> Iterator[NetObject]:
    for identity, values in selected_entries(invocation, noun):
        yield setting_object(noun, identity, families.shown(invocation, noun, identity, values))


def new_setting(invocation: Invocation, noun: Noun) -> Iterator[NetObject]:
    """Creates from the type's defaults, not from the global object; -InMemory writes nothing."""
    session = invocation.session
    identity = resolved(invocation, noun, asked_identity(invocation))
    values = applied(noun.defaults(session.deployment.version), changes(invocation, noun))
    for name in ("Name", "Domain"):
        if name in values and values[name] is None and not noun.is_policy:
            values[name] = identity.rpartition("/")[2]
    check_ranges(invocation, values)
    if invocation.get("InMemory"):
        yield setting_object(noun, identity, values)
        return
    with session.deployment.store.lock:
        if identity.lower() in session.entries(noun.name):
            raise failed(invocation, "already_exists", identity, type=noun.short_type, identity=identity)
    if not invocation.should_process(identity):
        return
    with session.deployment.store.lock:
        families.create(invocation, noun, identity, values)
    if noun.is_policy and identity.startswith("Tag:"):
        session.deployment.note_creation(identity.removeprefix("Tag:"))
    yield setting_object(noun, identity, values)


def set_setting(invocation: Invocation, noun: Noun) -> Iterable[Any]:
    """Acts on Global without -Identity; an -Instance that exists only in memory is created."""
    session = invocation.session
    default = "Global" if "global" in noun.scopes else None
    values: dict[str, Any] = {}
    if invocation.given("Instance"):
        identity = resolved(invocation, noun, text_of(get_property(invocation.get("Instance"), "Identity")))
        values = instance_values(invocation, noun)
    else:
        text = invocation.get("Identity", default)
        if text is None:
            raise failed(invocation, "identity_malformed", identity="")
        identity = resolved(invocation, noun, text)
        held_entry(invocation, noun, identity)
    values |= changes(invocation, noun)
    check_ranges(invocation, values)
    if not invocation.should_process(identity):
        return ()
    with session.deployment.store.lock:
        held = session.entries(noun.name).get(identity.lower())
        before = held[1] if held else noun.defaults(session.deployment.version)
        families.put(invocation, noun, held[0] if held else identity, applied(before, values))
    return ()


def remove_setting(invocation: Invocation, noun: Noun) -> Iterable[Any]:
    """Removing Global resets it; removing a policy that is granted asks first."""
    deployment = invocation.session.deployment
    identity = resolved(invocation, noun, invocation.get("Identity"))
    identity = held_entry(invocation, noun, identity)[0]
    if not invocation.should_process(identity):
        return ()
    policy = identity.removeprefix("Tag:")
    if noun.is_policy and identity.startswith("Tag:") and deployment.is_granted(policy):
        message = (
            f'The policy "{policy}" is currently assigned to one or more users. Assign a different policy '
            "to the users before "
            "removing this one."
        )
        if not invocation.should_continue(message, "The policy is in use."):
            return ()
    if identity == "Global":
        invocation.warning(deployment.texts.text("global_reset", type=noun.short_type))
        families.reset(invocation, noun)
    else:
        with deployment.store.lock:
            held_entry(invocation, noun, identity)
            families.remove(invocation, noun, identity)
    return ()


def _register(noun: Noun) -> None:
    for verb, run in (
        ("Get", get_setting),
        ("New", new_setting),
        ("Set", set_setting),
        ("Remove", remove_setting),
    ):

        def body(invocation: Invocation, run: Any = run) -> Iterable[Any]:
            return run(invocation, noun)

        implements(f"{verb}-{noun.name}")(body)


_OWN = frozenset({"CsPublicProvider", "CsHostingProvider", "CsAccessEdgeConfiguration"})
for _noun in nouns.NOUNS.values():
    if _noun.name not in _OWN:
        _register(_noun)
