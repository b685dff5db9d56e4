# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the role windows_live_av_federation has changed in a deployment, as the journal of changes has it.

The way back is told from here: for each property the value before the oldest change of the role that is not yet taken
back. What the role took back since, and what roll_back took back, is not there any more.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from ..change.journal import Entry, taken_back
from ..powershell.ordinal import ordinal_key
from ..powershell.values import as_result
from ..settings.identity import stored
from ..settings.resource import Kind
from ..settings.resources.registry import RESOURCES

ROLE = "windows_live_av_federation"
TAKING_BACK = "Take back"
"""How the names of the role's tasks begin that take something back."""
GRANTS = "policy_assignment"


@dataclass(frozen=True)
class Place:
    """A deployment, as its changes are found in the journal: the endpoint of this run, and the names of its pools and
    computers, whose endpoints change the same settings.
    """

    url: str
    names: Collection[str]

    def has(self, entry: Entry) -> bool:
        known = {ordinal_key(name) for name in self.names}
        host = urlsplit(entry.url).hostname or ""
        return entry.url == self.url or ordinal_key(entry.host) in known or ordinal_key(host) in known


@dataclass
class ChangedObject:
    """One object that the role has changed. ``written`` and ``before`` hold the options that are not taken back yet;
    both are empty where all of it is. ``created``: the object was not there before.
    """

    resource: str
    identity: str
    created: bool = False
    before: dict[str, Any] = field(default_factory=dict)
    written: dict[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        return {
            "resource": self.resource,
            "identity": self.identity,
            "created": self.created,
            "before": as_result(self.before),
            "written": as_result(self.written),
        }


def changed_by_the_role(journal: Sequence[Entry], place: Place) -> list[ChangedObject]:
    """Every object that the role has ever changed there, in the order of their first change."""
    gone = taken_back(journal)
    objects: dict[tuple[str, object], ChangedObject] = {}
    for entry in journal:
        task = _task_of_the_role(entry)
        if task is None or entry.never_happened or not place.has(entry):
            continue
        change = entry.change
        key = _key(change.resource, change.identity)
        known = objects.setdefault(key, ChangedObject(change.resource, change.identity))
        if entry.id in gone:
            continue
        if task.startswith(TAKING_BACK):
            _take_back(known, entry)
        else:
            _add(known, entry)
    return list(objects.values())


def _task_of_the_role(entry: Entry) -> str | None:
    """The task's own name, where the role made the change."""
    role, colon, task = str(entry.origin.get("task", "")).partition(" : ")
    return task if colon and role.rpartition(".")[2] == ROLE else None


def _key(resource: str, identity: str) -> tuple[str, object]:
    known = RESOURCES.get(resource)
    # All grants of a deployment are one object here, whoever they were made for.
    name: object = "" if resource == GRANTS else identity
    return resource, stored(identity, known.scopes) if known else name


def _add(known: ChangedObject, entry: Entry) -> None:
    before, wanted = _values(entry.change.before), _values(entry.change.wanted)
    if entry.change.kind == Kind.CREATE.value:
        known.created = True
        known.before = {}
        known.written = wanted
        return
    for option, value in wanted.items():
        if option in before and not known.created:
            known.before.setdefault(option, before[option])
        known.written[option] = value
    if known.resource in RESOURCES and not known.created:
        # What went along, as the options of another way of routing, comes back along.
        for option in before:
            if RESOURCES[known.resource].property_of(option).only_with:
                known.before.setdefault(option, before[option])


def _take_back(known: ChangedObject, entry: Entry) -> None:
    wanted = _values(entry.change.wanted)
    if entry.change.wanted is None:
        known.created = False
        known.before, known.written = {}, {}
    for option in wanted:
        known.before.pop(option, None)
        known.written.pop(option, None)


def _values(values: Mapping[str, Any] | None) -> dict[str, Any]:
    """The options of a change. Those of grants are the users, each with the policy that is held."""
    plain = dict(values or {})
    if len(plain) == 1:
        (only,) = plain.values()
        if isinstance(only, Mapping):
            return dict(only)
    return plain
