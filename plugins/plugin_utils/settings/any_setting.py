# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The modules `setting` and `setting_info`: one object of any noun, and all objects of many."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..change.envelope import Envelope
from ..powershell.ordinal import same_name
from ..powershell.shell import ManagementShell
from ..result.refusals import UnusableArgument
from ..result.result import Result
from . import any_noun, apply
from .catalogue import Noun, manageable
from .catalogue import noun as find_noun
from .correction import restorable
from .differences import DifferenceKind, differences, wanted_values
from .identity import GLOBAL, Identity, Scope, wanted
from .nouns import Outcome, Reading, read_nouns, version_of
from .reading import find
from .resource import Desired, Kind

ALL = "all"


@dataclass(frozen=True)
class Request:
    """What a task of `setting` asks for, checked as far as that goes without a server."""

    noun: Noun
    identity: Identity
    state: str = "present"
    properties: Mapping[str, Any] = field(default_factory=dict)
    force: bool = False


def request(arguments: Mapping[str, Any]) -> Request:
    """Raises UnusableArgument, and Refused for a noun that is not managed."""
    noun = any_noun.writable(find_noun(arguments["noun"]))
    text = arguments.get("identity")
    if text is None and (Scope.GLOBAL not in noun.scopes or Scope.ITEM in noun.scopes):
        raise UnusableArgument("identity", f"{noun.name} has no Global object, so that one has to be named")
    identity = GLOBAL if text is None else wanted(text, noun.scopes, noun.roles)
    state = arguments.get("state", "present")
    properties = arguments.get("properties") or {}
    if state != "present" and properties:
        raise UnusableArgument("properties", f"they have no meaning with state: {state}")
    is_global = identity == GLOBAL
    if state == "absent" and is_global:
        raise UnusableArgument(
            "state",
            "the Global object always exists, and its removal would only reset it. Allowed: present, and reset, which "
            "gives it the server's defaults",
        )
    if state == "reset" and not is_global:
        raise UnusableArgument(
            "state", "only the Global object can be reset. Allowed here: present and absent"
        )
    if state != "present" and not {"New", "Remove"} <= noun.verbs:
        raise UnusableArgument("state", f"{noun.name} has no Remove- and New- cmdlets. Allowed: present")
    return Request(noun, identity, state, properties, bool(arguments.get("force")))


_KINDS = {"present": Kind.SET, "absent": Kind.REMOVE, "reset": Kind.RESET}


def remediate(envelope: Envelope, asked: Request) -> Result:
    """Bring one object of any noun into the state that was asked for. Raises what `apply.remediate` raises."""
    # A new object's own priority is known once the server has given it one, and a removed one's is to come back.
    with_priority = asked.state == "absent" or any(same_name(name, "Priority") for name in asked.properties)
    table = any_noun.read(
        envelope.shell, asked.noun, with_priority=with_priority, verbs=("Set", "New", "Remove")
    )
    actual = find(table.listed, asked.identity)
    values = wanted_values(table, asked.properties, actual=actual)
    desired = Desired(asked.identity, values, present=asked.state == "present", force=asked.force)
    result = apply.remediate(envelope, table.resource, desired, table.listed)
    changed = [entry.property for entry in result.drift]
    only_order = [
        each.property
        for each in (differences(table.resource, actual, values) if actual else ())
        if each.kind is DifferenceKind.ORDER
    ]
    follow_up = asked.noun.follow_ups(changed) if result.changed else []
    # The sentence there is one for modules where absent stands for a reset.
    details = {
        **{key: value for key, value in result.details.items() if key != "msg"},
        "follow_up": [{"command": each.command, "reason": each.reason} for each in follow_up],
        "order_only": only_order,
        "restorable": restorable(table.resource, _KINDS[asked.state], asked.identity).value,
    }
    result = replace(result, details=details)
    loses = asked.noun.global_loses
    if asked.state == "reset" and result.changed and loses:
        result = result.warned(
            f"A reset of the Global {asked.noun.name} loses {loses} as well, which nothing puts back."
        )
    return result


# -- reading ----------------------------------------------------------------------------------------------------------


def query(shell: ManagementShell, names: Sequence[str], identity: str | None) -> dict[str, Any]:
    """What the module `setting_info` tells. Raises UnusableArgument, and what keeps anything from being read."""
    asked = _asked(names)
    if identity is not None and len(asked) != 1:
        raise UnusableArgument("identity", "it can be given with one noun only")
    only = wanted(identity, asked[0].scopes, asked[0].roles) if identity is not None else None
    readings = read_nouns(shell, [each.name for each in asked])
    outcomes = [reading.outcome for reading in readings.values()]
    return {
        "version": version_of(shell),
        "nouns": {name: described(reading, only) for name, reading in readings.items()},
        "coverage": {each.value: outcomes.count(each) for each in Outcome},
    }


def _asked(names: Sequence[str]) -> list[Noun]:
    if not names:
        raise UnusableArgument("nouns", f"none is named. Allowed: names such as CsVoicePolicy, or {ALL}")
    if [name.lower() for name in names] == [ALL]:
        return list(manageable())
    found = [find_noun(name, "nouns") for name in names]
    for each in found:
        if each.excluded:
            raise UnusableArgument("nouns", f"{each.name} is not read by this collection. {each.excluded}")
    return found


def described(reading: Reading, only: Identity | None = None) -> dict[str, Any]:
    """One noun as results have it."""
    result: dict[str, Any] = {"outcome": reading.outcome.value}
    if reading.outcome is Outcome.FAILED:
        return {**result, "failure": reading.kind, "msg": reading.failure}
    if reading.table is None:
        return result
    listed = [each for each in reading.table.listed if only is None or each.identity == only]
    return {
        **result,
        "objects": {str(each.identity): dict(each.values) for each in listed},
        "order": [str(identity) for identity in reading.order],
        "shape": {name: list(types) for name, types in reading.shape.items()},
        "not_comparable": dict(reading.not_comparable),
        "read_only": reading.noun.read_only,
    }
