# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking changes of the journal back, newest first, each by the module's own request."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..change.envelope import Envelope
from ..change.journal import Entry, Restorable
from ..powershell.errors import ManagementShellError
from ..powershell.values import as_result
from ..result.display import shown
from ..result.refusals import ChangeFailed, Refused
from ..result.result import Result
from ..result.status import Status
from .handlers import HANDLERS, Handler
from .selection import Selected, object_key
from .steps import LEFT, Outcome, Step, summary


class LaterChanges(ManagementShellError):
    """Somebody has changed since what was to be taken back."""


def roll_back(
    envelope: Envelope,
    selected: Selected,
    already: frozenset[str],
    half: frozenset[str],
    *,
    overwrite_later_changes: bool,
) -> Result:
    """Take back what was selected. ``already`` are the ids of changes that were taken back before, ``half`` of those
    where that was begun and may have been interrupted anywhere.

    Raises ChangeFailed where something that should have been taken back is not, and what kept the first of all changes
    from being read, with nothing changed.
    """
    work = _Work(envelope, overwrite_later_changes)
    steps: list[Step] = []
    for entry in selected.entries:
        # What is there by now may be what was left then: it is as uncertain as after a change that was interrupted.
        known = replace(entry, outcome=None) if entry.id in half and entry.is_certain else entry
        steps.append(work.step(known, taken_back_before=entry.id in already))
        envelope.expects(_result(envelope, steps, Status.UNKNOWN))
    steps += [Step(entry, Outcome.ELSEWHERE, f"It was made at {entry.url}.") for entry in selected.elsewhere]
    return _conclude(envelope, steps)


class _Work:
    """What has been learned on the way through the changes."""

    def __init__(self, envelope: Envelope, overwrite_later_changes: bool) -> None:
        self._envelope = envelope
        self._overwrite = overwrite_later_changes
        self._handlers: dict[str, Handler] = {}
        self._held_up: set[tuple[str, object]] = set()
        self._done: set[tuple[str, object]] = set()
        self._stopped = False

    def step(self, entry: Entry, *, taken_back_before: bool) -> Step:
        change = entry.change
        key = object_key(change.resource, change.identity)
        if taken_back_before:
            return Step(entry, Outcome.BACK_ALREADY, "It was taken back before.")
        if entry.never_happened:
            return Step(entry, Outcome.BACK_ALREADY, "It never came about.")
        if change.restorable is Restorable.NO:
            return Step(entry, Outcome.IMPOSSIBLE, "Nothing takes it back.")
        if change.resource not in HANDLERS:
            return Step(
                entry, Outcome.IMPOSSIBLE, f"This version does not know how {change.resource} is taken back."
            )
        if self._stopped:
            return Step(entry, Outcome.NOT_TRIED, "Something newer failed.")
        if key in self._held_up:
            return Step(
                entry, Outcome.BEHIND_CONFLICT, "A newer change of the same object was not taken back."
            )
        handler = self._handlers.setdefault(change.resource, HANDLERS[change.resource]())
        try:
            step = self._take_back(handler, entry, after_others=bool(self._done - {key}))
        except Refused as refused:
            step = Step(entry, Outcome.REFUSED, str(refused), error=refused)
        except ChangeFailed as failed:
            self._stopped = True
            return Step(entry, Outcome.FAILED, str(failed), result=failed.result, error=failed)
        except ManagementShellError as error:
            if not self._done or self._envelope.check_mode:
                raise
            self._stopped = True
            return Step(
                entry, Outcome.FAILED, f"{error} Of this change nothing has been taken back.", error=error
            )
        if step.outcome is Outcome.TAKEN_BACK:
            self._done.add(key)
        elif step.outcome in LEFT:
            self._held_up.add(key)
        return step

    def _take_back(self, handler: Handler, entry: Entry, *, after_others: bool) -> Step:
        judgement = handler.judge(self._envelope.shell, entry, overwrite_later_changes=self._overwrite)
        if judgement.conflicts and judgement.request is None:
            later = LaterChanges("It was changed since.")
            return Step(entry, Outcome.CONFLICT, str(later), judgement.conflicts, error=later)
        if judgement.obstacle:
            return Step(entry, Outcome.IMPOSSIBLE, judgement.obstacle)
        if judgement.request is None:
            return Step(entry, Outcome.BACK_ALREADY, "The server has what was there before.")
        part = self._envelope.taking_back(entry.id)
        result = handler.take_back(part, entry, judgement.request, after_others=after_others)
        if judgement.conflicts:
            later = LaterChanges("Some of it was changed since; the rest was taken back.")
            return Step(entry, Outcome.CONFLICT, str(later), judgement.conflicts, result, later)
        if not result.changed:
            return Step(entry, Outcome.BACK_ALREADY, "The server has what was there before.", result=result)
        reason = ""
        if entry.change.restorable is Restorable.VALUES_ONLY:
            reason = (
                "It has its values, but neither what they do not show nor what referred to it, such as the users it "
                "was granted to."
            )
            if entry.change.wanted is not None:
                reason = "It has the values that its module has options for, and no others."
        return Step(entry, Outcome.TAKEN_BACK, reason, result=result)


def _conclude(envelope: Envelope, steps: Sequence[Step]) -> Result:
    left = [step for step in steps if step.outcome in LEFT]
    if left:
        lost = any(step.result is not None and step.result.status is Status.UNKNOWN for step in left)
        sentence = " ".join(map(_sentence, left))
        causes = [cause for step in left for cause in _causes(step)]
        result = _result(envelope, steps, Status.UNKNOWN if lost else Status.DRIFTED)
        raise ChangeFailed(sentence, result, causes)
    if not any(step.outcome is Outcome.TAKEN_BACK for step in steps):
        return _result(envelope, steps, Status.IN_DESIRED_STATE)
    return _result(envelope, steps, Status.DRIFTED if envelope.check_mode else Status.CORRECTED)


def _sentence(step: Step) -> str:
    found = [
        f"{c.property} was written as {shown(as_result(c.wanted))} and is {shown(as_result(c.found))} now"
        for c in step.conflicts
    ]
    return f"{step.name}, change {step.entry.id}: {'; '.join(found) + '.' if found else step.reason}"


def _causes(step: Step) -> Sequence[ManagementShellError]:
    if isinstance(step.error, ChangeFailed) and step.error.causes:
        return step.error.causes
    return (step.error,) if step.error else ()


def _result(envelope: Envelope, steps: Sequence[Step], status: Status) -> Result:
    done = [(step.name, step.result) for step in steps if step.result is not None]
    before: dict[str, Any] = {}
    after: dict[str, Any] = {}
    for name, result in done:
        before.setdefault(name, result.before)
        after[name] = result.after
    return Result(
        status,
        changed=any(result.changed for _name, result in done),
        before=before,
        after=after,
        drift=tuple(entry for _name, result in done for entry in result.drift),
        commands=tuple(command for _name, result in done for command in result.commands),
        restore_commands=tuple(
            command for _name, result in reversed(done) for command in result.restore_commands
        ),
        details={
            "steps": [step.as_dict() for step in steps],
            "summary": summary(steps, check_mode=envelope.check_mode),
            "diff": [result.as_dict()["diff"] for _name, result in done if result.changed],
        },
        warnings=tuple(warning for _name, result in done for warning in result.warnings),
    )
