# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects that belong together in the store: rules and what they are the rules of, and those that share a sequence.

Which nouns these are, ``lab.objects.nouns`` says. That a new priority pushes the others back, and that a removed one
closes up, is documented for server applications (ref, Set-CsServerApplication) and *assumed* for the rest; so is that
the list at the parent shows the rules by their names.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from psrpcore.types import PSInt

from lab.deployment.store import Entry
from lab.objects.nouns import NOUNS, PARENTS, Noun
from lab.powershell.engine import Invocation

#: What New- of a parent makes beside it (ref, New-CsDialPlan); its name is *assumed*.
FIRST_RULE = {"CsDialPlan": ("CsVoiceNormalizationRule", "Keep All")}


def _scope(identity: str) -> str:
    return identity.rpartition("/")[0].lower()


def _others(invocation: Invocation, noun: Noun, identity: str) -> list[Entry]:
    """The objects of the same sequence, in order."""
    entries = invocation.session.entries(noun.name).values()
    same = [e for e in entries if _scope(e[0]) == _scope(identity) and e[0].lower() != identity.lower()]
    return sorted(same, key=lambda entry: entry[1]["Priority"])


def ranked(noun: Noun, entries: Mapping[str, Entry]) -> list[Entry]:
    """By priority, where there is one; otherwise as they were created."""
    if not noun.has_priority:
        return list(entries.values())
    return sorted(entries.values(), key=lambda entry: entry[1]["Priority"])


def shown(invocation: Invocation, noun: Noun, identity: str, values: Mapping[str, Any]) -> dict[str, Any]:
    """The values of an object with the lists of its rules."""
    lists = {
        listed: tuple(
            entry[0].rpartition("/")[2]
            for entry in ranked(NOUNS[child], invocation.session.entries(child))
            if _scope(entry[0]) == identity.lower()
        )
        for child, (parent, listed) in PARENTS.items()
        if parent == noun.name and listed in values
    }
    return {**values, **lists}


def create(invocation: Invocation, noun: Noun, identity: str, values: dict[str, Any]) -> None:
    """Store a new object: last of its sequence, unless a place was asked for; its parent is made, if need be."""
    parent = PARENTS.get(noun.name)
    if parent is not None and _scope(identity) not in invocation.session.entries(parent[0]):
        family = NOUNS[parent[0]]
        defaults = family.defaults(invocation.session.deployment.version)
        invocation.session.deployment.store.put(family.name, identity.rpartition("/")[0], defaults)
    if noun.has_priority and not invocation.given("Priority"):
        values["Priority"] = len(_others(invocation, noun, identity))
    put(invocation, noun, identity, values)
    if noun.name in FIRST_RULE:
        child, name = FIRST_RULE[noun.name]
        rule = NOUNS[child].defaults(invocation.session.deployment.version)
        invocation.session.deployment.store.put(child, f"{identity}/{name}", {**rule, "Name": name})


def put(invocation: Invocation, noun: Noun, identity: str, values: Mapping[str, Any]) -> None:
    """Store an object, and number those of its sequence anew."""
    store = invocation.session.deployment.store
    if not noun.has_priority:
        store.put(noun.name, identity, values)
        return
    line = _others(invocation, noun, identity)
    line.insert(max(0, int(values["Priority"])), (identity, values))
    _number(invocation, noun, line)


def _number(invocation: Invocation, noun: Noun, line: list[Entry]) -> None:
    held = invocation.session.entries(noun.name)
    for number, (identity, values) in enumerate(line):
        if (
            identity.lower() not in held
            or values is not held[identity.lower()][1]
            or values["Priority"] != number
        ):
            invocation.session.deployment.store.put(
                noun.name, identity, {**values, "Priority": PSInt(number)}
            )


def remove(invocation: Invocation, noun: Noun, identity: str) -> None:
    """Remove an object with its rules; those behind it in a sequence move up."""
    line = _others(invocation, noun, identity) if noun.has_priority else []
    invocation.session.deployment.store.remove(noun.name, identity)
    _number(invocation, noun, line)
    _remove_rules(invocation, noun, identity)


def _remove_rules(invocation: Invocation, noun: Noun, identity: str) -> None:
    for child, (parent, _listed) in PARENTS.items():
        rules = [e[0] for e in invocation.session.entries(child).values() if _scope(e[0]) == identity.lower()]
        for rule in rules if parent == noun.name else ():
            invocation.session.deployment.store.remove(child, rule)


def reset(invocation: Invocation, noun: Noun) -> None:
    """Global with the type's defaults, and without its rules."""
    deployment = invocation.session.deployment
    with deployment.store.lock:
        _remove_rules(invocation, noun, "Global")
        deployment.store.put(noun.name, "Global", noun.defaults(deployment.version))
