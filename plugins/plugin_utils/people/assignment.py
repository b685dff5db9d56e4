# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Granting and withdrawing per-user policies: who is to hold which, as data, and how that is shown."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.ordinal import same_name
from ..result.display import as_line, shown
from ..result.drift import DriftEntry
from ..result.result import Result
from ..result.severity import Severity
from ..result.status import Status
from .kinds import KINDS, Kind
from .users import Choice, Found, User

RESOURCE = "policy_assignment"
_REASON = "Which policy a user has been granted decides what the user may do, before any policy of a site or of all."
_LISTED = 20
"""As many users as a difference and the lines for people name; the result has them all."""
_NAMED_USERS = 3


@dataclass(frozen=True)
class Request:
    """The module's options.

    ``policy`` is to be held by whoever is meant, or, with ``present`` false, not to be held any more: then only those
    who hold it are meant, and None stands for whatever they hold. ``made_in_this_run``: in check mode the policy need
    not exist. ``retry_timeout`` are seconds.
    """

    kind: Kind
    policy: str | None
    present: bool
    chosen: Choice
    made_in_this_run: bool = False
    retry_timeout: float = 180
    batch_size: int = 100


@dataclass(frozen=True)
class Assignment:
    """One user, with the policy that was held and the one to be held; None for no per-user policy."""

    user: User
    asked: str | None
    before: str | None
    after: str | None

    @property
    def changes(self) -> bool:
        return not same_policy(self.before, self.after)

    def is_kept_by(self, user: User | None, kind: Kind) -> bool:
        return user is not None and same_policy(kind.held_by(user.remote), self.after)

    def granting(self, kind: Kind) -> Command:
        return _grant(kind, self.user, self.after)

    def restoring(self, kind: Kind) -> Command:
        return _grant(kind, self.user, self.before)


def _grant(kind: Kind, user: User, policy: str | None) -> Command:
    return Command(kind.grant, {"Identity": user.name, "PolicyName": policy})


def same_policy(one: str | None, other: str | None) -> bool:
    if one is None or other is None:
        return one is other
    return same_name(one, other)


def planned(request: Request, policy: str | None, found: Sequence[Found]) -> list[Assignment]:
    """What everybody who was found is to hold. ``policy`` is the request's, as the server spells it."""
    assignments = []
    for each in found:
        held = request.kind.held_by(each.user.remote)
        wanted = policy if request.present else _left_over(held, policy)
        # A policy that is held already keeps the server's spelling.
        after = held if same_policy(held, wanted) else wanted
        assignments.append(Assignment(each.user, each.asked, held, after))
    return assignments


def _left_over(held: str | None, withdrawn: str | None) -> str | None:
    return None if withdrawn is None or same_policy(held, withdrawn) else held


# -- results ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Progress:
    """What has become of the assignments by now, by the users' keys. Whoever is in neither has not been tried."""

    kept: frozenset[str] = frozenset()
    unknown: frozenset[str] = frozenset()

    def status_of(self, each: Assignment) -> Status:
        if not each.changes:
            return Status.IN_DESIRED_STATE
        if each.user.key in self.unknown:
            return Status.UNKNOWN
        return Status.CORRECTED if each.user.key in self.kept else Status.DRIFTED


def result(
    kind: Kind, endpoint: str, assignments: Sequence[Assignment], progress: Progress | None = None
) -> Result:
    """The result before anything is done, or, with its ``progress``, of a change that has begun."""
    changes = [each for each in assignments if each.changes]
    tried = progress or Progress()
    touched = [each for each in changes if each.user.key in tried.kept | tried.unknown]
    left = [each for each in changes if each.user.key not in tried.kept]
    if not left:
        status = Status.CORRECTED if changes else Status.IN_DESIRED_STATE
    else:
        status = Status.UNKNOWN if tried.unknown else Status.DRIFTED
    reached = {each.user.key for each in (touched if progress else changes)}
    after = {each.user.name: each.after if each.user.key in reached else each.before for each in assignments}
    return Result(
        status=status,
        changed=bool(touched if progress else changes),
        before={each.user.name: each.before for each in assignments},
        after=None if tried.unknown else after,
        drift=tuple(
            DriftEntry(RESOURCE, each.user.name, kind.option, each.before, each.after, Severity.HIGH, _REASON)
            for each in changes
        ),
        commands=tuple(each.granting(kind) for each in changes),
        restore_commands=tuple(each.restoring(kind) for each in (touched if progress else changes)),
        header=f"{kind.title} of users on {endpoint}",
        diff=(_listed(changes, "before"), _listed(changes, "after")),
        details={
            "kind": kind.option,
            "found": len(assignments),
            "to_change": len(changes),
            "users": [_described(each, tried.status_of(each)) for each in assignments],
            "summary": summary(kind, assignments),
        },
    )


def _described(each: Assignment, status: Status) -> dict[str, Any]:
    return {
        "user": each.asked,
        "sip_address": each.user.sip_address,
        "display_name": each.user.display_name,
        "identity": each.user.distinguished_name,
        "pool": each.user.pool,
        "before": each.before,
        "after": each.after,
        "status": status.value,
    }


def _listed(changes: Sequence[Assignment], side: str) -> str:
    lines = [as_line(each.user.name, getattr(each, side)) for each in changes[:_LISTED]]
    if len(changes) > _LISTED:
        counts = Counter(shown(getattr(each, side)) for each in changes[_LISTED:])
        lines.append(
            f"{len(changes) - _LISTED} more users: "
            + ", ".join(f"{number} with {policy}" for policy, number in sorted(counts.items()))
        )
    return "".join(f"{line}\n" for line in lines)


def summary(kind: Kind, assignments: Sequence[Assignment]) -> list[str]:
    """How many users there are, and who holds what now and then, in lines that a narrow terminal holds."""
    changes = [each for each in assignments if each.changes]
    lines = [f"{len(assignments)} users found, {len(changes)} of them to be changed"]
    groups: dict[tuple[str, str], list[Assignment]] = {}
    for each in changes:
        groups.setdefault((_called(each.before), _called(each.after)), []).append(each)
    for (before, after), group in sorted(groups.items(), key=lambda item: (-len(item[1]), item[0])):
        lines.append(f"{len(group)} from {before} to {after}: {named(each.user.name for each in group)}")
    if len(lines) > _LISTED:
        lines[_LISTED - 1 :] = [f"and {len(lines) - _LISTED + 1} further groups of users"]
    return lines


def _called(policy: str | None) -> str:
    return "no policy of their own" if policy is None else shown(policy)


def named(names: Iterable[str]) -> str:
    """The first of many names, and how many more there are."""
    listed = list(names)
    text = ", ".join(listed[:_NAMED_USERS])
    return text if len(listed) <= _NAMED_USERS else f"{text} and {len(listed) - _NAMED_USERS} more"


@dataclass(frozen=True)
class Held:
    """A user, and the policy of one kind that the user holds."""

    user: User
    policy: str | None


# -- the journal ------------------------------------------------------------------------------------------------------


def journalled(kind: Kind, batch: Sequence[Assignment], side: str) -> dict[str, Any]:
    """What the users of a batch hold, as the journal of changes has it."""
    return {kind.option: {each.user.name: getattr(each, side) for each in batch}}


def held_back_then(values: Mapping[str, Any] | None) -> tuple[Kind, dict[str, str | None]]:
    """From the journal: the kind, and the policies by users."""
    ((option, policies),) = (values or {}).items()
    return KINDS[option], dict(policies)
