# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading, planning and granting: what the module policy_assignment does."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace

from ..change.envelope import Envelope
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell import errors
from ..powershell.commands import Command
from ..powershell.errors import CommandError, ManagementShellError
from ..powershell.ordinal import ordinal_key
from ..powershell.shell import ManagementShell
from ..result.refusals import Refused, Unreadable, UnusableArgument, text_of
from ..result.result import Result
from ..result.status import Status
from ..settings.identity import GLOBAL, Identity, Scope, stored
from . import users
from .assignment import (
    RESOURCE,
    Assignment,
    Held,
    Progress,
    Request,
    journalled,
    named,
    planned,
    result,
    same_policy,
)
from .kinds import KINDS, SCOPES, Kind


class PolicyGone(ManagementShellError):
    """What was to be granted was there when the task began, and has been removed since."""

    def __init__(self, kind: Kind, policy: str) -> None:
        super().__init__(
            f"The per-user {kind.title} '{policy}' has been removed since this task began, and cannot be granted."
        )


Telling = Callable[[str], None]
"""Shows one line to whoever watches."""

CMDLETS = (users.GET, *(name for kind in KINDS.values() for name in (kind.get, kind.grant)))

_RETRY_SECONDS = 15.0
_NEW_POLICY_SECONDS = 900.0
"""For how long a policy that was made anew may refuse to be granted."""
# A grant that was not accepted for one of these reasons is not accepted later either.
_LASTING = (
    errors.CmdletNotOffered,
    errors.EndpointRefusesCommand,
    errors.ParameterNotKnown,
    errors.SecondHopDenied,
)


def remediate(envelope: Envelope, request: Request, show: Telling, clock: Clock = time) -> Result:
    """Grant or withdraw, or in check mode foretell it. Every user and policy is found before anything is written.

    Raises UnusableArgument and Refused before anything was written, ChangeFailed afterwards, and the errors of the
    wire.
    """
    shell, kind = envelope.shell, request.kind
    policies = _policies(shell, kind)
    policy = _policy(envelope, request, policies)
    if request.chosen.is_empty:
        found = [users.Found(user) for user in users.holders(shell, kind)]
    else:
        found = users.find_one_each(shell, request.chosen)
    assignments = planned(request, policy, found)
    return carry_out(envelope, kind, assignments, show, clock, request.retry_timeout, request.batch_size)


def carry_out(
    envelope: Envelope,
    kind: Kind,
    assignments: Sequence[Assignment],
    show: Telling,
    clock: Clock,
    retry_timeout: float,
    batch_size: int,
    in_place: Status = Status.CORRECTED,
) -> Result:
    """Bring about what was planned. The parameters of the kind's Grant- are known by now.

    ``in_place`` is what the journal has of a batch that everybody has got.
    """
    shell = envelope.shell
    known = envelope.expects(result(kind, shell.endpoint.name, assignments))
    if not known.changed:
        return known
    offered = shell.parameters_of(kind.grant)
    withheld = errors.cmdlet_not_offered(shell.endpoint, kind.grant) if offered is None else None
    if envelope.check_mode:
        return known.warned(f"{withheld} The change cannot be made in this session.") if withheld else known
    if withheld:
        raise Refused(str(withheld))
    changes = [each for each in assignments if each.changes]
    # Nobody could answer a question.
    silent = {"Confirm": False} if offered and "Confirm" in offered else {}
    work = _Work(
        envelope, kind, assignments, silent, show, clock, clock.monotonic() + retry_timeout, in_place
    )
    try:
        for batch in users.batches(changes, batch_size):
            work.grant(batch)
            if work.stopped:
                break
            if len(changes) > batch_size:
                show(
                    f"{shell.endpoint.name}: {len(work.kept)} of {len(changes)} users have their {kind.title}"
                )
    except BaseException:
        if envelope.has_written:
            envelope.expects(work.result())
        raise
    return work.concluded()


# -- taking back ------------------------------------------------------------------------------------------------------


def held_now(shell: ManagementShell, kind: Kind, names: Sequence[str]) -> dict[str, Held]:
    """What users of these names hold, without those whom nobody finds any more."""
    now = users.again(shell, names)
    found = {name: now.get(ordinal_key(name)) for name in names}
    return {name: Held(user, kind.held_by(user.remote)) for name, user in found.items() if user is not None}


def restore(
    envelope: Envelope,
    kind: Kind,
    assignments: Sequence[Assignment],
    *,
    policies_may_come: bool,
    leaves_some: bool,
) -> Result:
    """Give users back what they held. ``policies_may_come``: in check mode a policy need not exist, since what is taken
    back before may make it. ``leaves_some``: others of the same change are left, so that it is not taken back.
    """
    known = {each.name for each in _policies(envelope.shell, kind) if each.scope is Scope.USER}
    for policy in {each.after for each in assignments} - {None}:
        if not any(same_policy(policy, name) for name in known) and not (
            envelope.check_mode and policies_may_come
        ):
            raise Refused(f"There is no per-user {kind.title} '{policy}' any more")
    return carry_out(
        envelope,
        kind,
        assignments,
        lambda line: None,
        time,
        _NEW_POLICY_SECONDS,
        len(assignments),
        in_place=Status.DRIFTED if leaves_some else Status.CORRECTED,
    )


# -- before the change ------------------------------------------------------------------------------------------------


def _policies(shell: ManagementShell, kind: Kind) -> list[Identity]:
    """The policies of that kind, whatever their scope, learning on the way what Grant- takes."""
    results = shell.run(*shell.describing(kind.grant, users.GET), Command(kind.get))
    if results.errors:
        raise shell.classify(results.errors[0])
    listed = [stored(text_of(each.get("Identity")), SCOPES) for each in results.objects()]
    if GLOBAL not in listed:
        raise Unreadable(f"{kind.get} returned no {GLOBAL} {kind.title}, although there always is one.")
    return listed


def _policy(envelope: Envelope, request: Request, policies: Sequence[Identity]) -> str | None:
    """The policy's name as the server spells it."""
    if request.policy is None:
        return None
    wanted = Identity(Scope.USER, request.policy)
    spelled = next((each.name for each in policies if each == wanted), None)
    if spelled is not None or not request.present:
        # A policy that was removed may still be held, and can be withdrawn.
        return spelled or request.policy
    if envelope.check_mode and request.made_in_this_run:
        return request.policy
    names = ", ".join(sorted(each.name for each in policies if each.scope is Scope.USER)) or "none"
    raise UnusableArgument(
        "policy", f"there is no per-user {request.kind.title} '{request.policy}'. There are: {names}"
    )


# -- the change -------------------------------------------------------------------------------------------------------


@dataclass
class _Work:
    """One change on its way, and what is known of it."""

    envelope: Envelope
    kind: Kind
    assignments: Sequence[Assignment]
    silent: dict[str, bool]
    show: Telling
    clock: Clock
    deadline: float
    in_place: Status
    kept: set[str] = field(default_factory=set)
    unknown: set[str] = field(default_factory=set)
    left: list[Assignment] = field(default_factory=list)
    """Who was tried, and is known not to hold what was granted."""
    causes: list[ManagementShellError] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)
    stopped: bool = False

    def grant(self, batch: Sequence[Assignment]) -> None:
        """One batch, in a pipeline, as one change of the journal."""
        keys = {each.user.key for each in batch}
        self.unknown |= keys
        part = self.envelope.part()
        try:
            part.begin(self._change(batch), [each.granting(self.kind) for each in batch])
            left = self._until_somebody_has_it(part, batch)
        except ManagementShellError as refused:
            # Nothing of this batch was accepted, or written down.
            self.unknown -= keys
            if not self.envelope.has_written:
                raise
            self.causes.append(refused)
            self.stopped = True
            return
        if 0 < len(left) < len(batch):
            # What ended a pipeline may have kept those behind it from being granted; alone, each has its own error.
            left = [each for one in left for each in self._try(part, [one])]
        self._close(part, batch, left)

    def _change(self, batch: Sequence[Assignment]) -> Change:
        return Change(
            RESOURCE,
            f"{self.kind.title} of {named(each.user.name for each in batch)}",
            "grant",
            journalled(self.kind, batch, "before"),
            journalled(self.kind, batch, "after"),
            Restorable.YES,
        )

    def _until_somebody_has_it(self, part: Envelope, batch: Sequence[Assignment]) -> list[Assignment]:
        """Who of the batch has not got it. Where nobody has, the policy may be too new, and is tried again.

        A policy cannot be granted until minutes after it was made. What the server says then is no reason to go by; it
        is the same for everybody.
        """
        left = self._try(part, batch)
        waits = len(batch) == 1
        while len(left) == len(batch) and self._may_come(part, batch):
            if waits:
                self.show(
                    f"{self.envelope.shell.endpoint.name}: the {self.kind.title} cannot be granted yet, trying again "
                    f"in {_RETRY_SECONDS:g} seconds"
                )
                self.clock.sleep(_RETRY_SECONDS)
            waits = True
            # A session may end each pipeline at its first error, so that one user shows whether it works by now.
            if not self._try(part, batch[-1:]):
                left = self._try(part, batch[:-1])
        return left

    def _may_come(self, part: Envelope, batch: Sequence[Assignment]) -> bool:
        """Whether what nobody of the batch has may still come."""
        if self.stopped or self.clock.monotonic() + _RETRY_SECONDS > self.deadline:
            return False
        if not part.troubles:
            return True
        wanted = [each.after for each in batch if each.after is not None]
        if not wanted or self.kept or any(isinstance(each, _LASTING) for each in part.troubles):
            return False
        return not self._are_gone(wanted)

    def _are_gone(self, wanted: Sequence[str]) -> bool:
        """Whether none of these policies is there any more, since nobody gets what somebody else has removed.

        The Central Management Store lists a policy from the moment on that it is made: one that is not listed is not
        merely too new. What cannot be read proves nothing.
        """
        try:
            listed = _policies(self.envelope.shell, self.kind)
        except ManagementShellError:
            return False
        if any(Identity(Scope.USER, policy) in listed for policy in wanted):
            return False
        self.causes.append(PolicyGone(self.kind, wanted[0]))
        return True

    def _try(self, part: Envelope, some: Sequence[Assignment]) -> list[Assignment]:
        """Grant in one pipeline and read back; who does not hold what was granted.

        Where that cannot be read they stay unknown, and the work stops.
        """
        if self.stopped or not some:
            return list(some)
        commands = [each.granting(self.kind) for each in some]
        answer = part.write(*(Command(each.name, {**each.parameters, **self.silent}) for each in commands))
        if answer.trouble is not None and not isinstance(answer.trouble, CommandError):
            self.stopped = True
        try:
            now = users.again(self.envelope.shell, [each.user.name for each in some])
            found = {each.user.key: each.is_kept_by(now.get(each.user.key), self.kind) for each in some}
        except ManagementShellError as error:
            part.notice(error)
            self.unknown |= {each.user.key for each in some}
            self.stopped = True
            return []
        if part.all_ended:
            self.unknown -= set(found)
            self.kept |= {key for key, kept in found.items() if kept}
        return [each for each in some if not found[each.user.key]]

    def _close(self, part: Envelope, batch: Sequence[Assignment], left: Sequence[Assignment]) -> None:
        self.left += [each for each in left if each.user.key not in self.unknown]
        self.stopped = self.stopped or len(left) == len(batch)
        keys = {each.user.key for each in batch}
        status = Status.DRIFTED if left else Status.CORRECTED
        if self.unknown & keys:
            status = Status.UNKNOWN
        changed = bool((self.kept | self.unknown) & keys)
        if status is not Status.CORRECTED:
            self.causes += part.troubles
        self.warnings += [
            f"{trouble} Read back since: everything is as wanted."
            for trouble in part.troubles
            if status is Status.CORRECTED and not isinstance(trouble, CommandError)
        ]
        journalled_as = self.in_place if status is Status.CORRECTED else status
        self.warnings += part.settle(journalled_as, changed=changed)

    def result(self) -> Result:
        made = result(
            self.kind,
            self.envelope.shell.endpoint.name,
            self.assignments,
            Progress(frozenset(self.kept), frozenset(self.unknown)),
        )
        return replace(made, warnings=self.envelope.known.warnings)

    # -- afterwards --

    def concluded(self) -> Result:
        """The result. Raises ChangeFailed unless everybody has got it."""
        made = self.result().warned(*self.warnings)
        tried = self.kept | self.unknown | {each.user.key for each in self.left}
        waiting = [each for each in self.assignments if each.changes and each.user.key not in tried]
        if not self.left and not self.unknown and not waiting:
            return made
        for cause in self.causes:
            self.envelope.notice(cause)
        raise self.envelope.failed(" ".join(self._sentences(waiting)), made)

    def _sentences(self, waiting: Sequence[Assignment]) -> list[str]:
        sentences = []
        if self.causes:
            sentences.append(str(self.causes[0]))
        if self.left:
            names = named(each.user.name for each in self.left)
            sentences.append(f"{_many(len(self.left))} not been changed: {names}.")
        if self.unknown:
            names = named(each.user.name for each in self.assignments if each.user.key in self.unknown)
            sentences.append(f"Whether it took effect is not known of {names}.")
        if waiting:
            sentences.append(
                f"{_many(len(waiting))} not been tried: {named(each.user.name for each in waiting)}."
            )
        sentences.append(f"{len(self.kept)} have their {self.kind.title} now.")
        return sentences


def _many(number: int) -> str:
    return "1 user has" if number == 1 else f"{number} users have"
