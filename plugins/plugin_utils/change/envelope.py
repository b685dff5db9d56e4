# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The envelope around every write: it journals, sends once, and owns the truth of the task from then on.

A subject hands over its commands and, once it has read back, what it found. From the first write on whatever happens is
told as what was written and what is known of it; nothing that was written can end as "unreachable" or "unchanged".
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import (
    CommandError,
    ConnectionRefused,
    ManagementShellError,
    OutcomeUnknown,
    UnconvertibleValue,
)
from ..powershell.results import PipelineState, Results
from ..powershell.shell import ManagementShell
from ..result.display import shown
from ..result.failures import failure_result
from ..result.refusals import ChangeFailed
from ..result.result import NOTHING_KNOWN, Result
from ..result.status import Status
from .journal import Change, Journal, JournalUnusable, NoJournal

_LINES_IN_A_SENTENCE = 10


@dataclass(frozen=True)
class Mismatch:
    """A property, or ``state``, that a read-back does not bear out."""

    property: str
    wanted: Any
    found: Any


@dataclass(frozen=True)
class Answer:
    """What came back from one write. ``results`` may be incomplete unless ``whole``."""

    results: Results
    whole: bool
    trouble: ManagementShellError | None = None

    @property
    def went_through(self) -> bool:
        """Whether the commands ran to their end. What programs wrote to standard error says nothing of that."""
        return self.whole or (
            isinstance(self.trouble, CommandError)
            and self.results.state is PipelineState.COMPLETED
            and all(report.is_from_program for report in self.results.errors)
        )


class Envelope:
    """One task's way to a server. ``shell`` is for reading; `write` is the only way to change anything."""

    def __init__(self, shell: ManagementShell, journal: Journal | NoJournal, *, check_mode: bool) -> None:
        self.shell = shell
        self.check_mode = check_mode
        self.known: Result = NOTHING_KNOWN
        self._journal = journal
        self._change: Change | None = None
        self._change_id = ""
        self._troubles: list[ManagementShellError] = []
        self._written: list[Command] = []
        self._ended = True
        self._parts: list[Envelope] = []

    def taking_back(self, change_id: str) -> Envelope:
        """An envelope for one of several changes of this task, which takes that one of the journal back."""
        return self._part(self._journal.taking_back(change_id))

    def part(self) -> Envelope:
        """An envelope for one of several changes of this task."""
        return self._part(self._journal)

    def _part(self, journal: Journal | NoJournal) -> Envelope:
        part = Envelope(self.shell, journal, check_mode=self.check_mode)
        self._parts.append(part)
        return part

    # -- before a write ---------------------------------------------------------------------------------------

    def expects(self, result: Result) -> Result:
        """Remember what is known before anything is written: every failure tells at least that."""
        self.known = result
        return result

    def begin(self, change: Change, commands: Sequence[Command] = ()) -> None:
        """What the next writes are about; it is journalled when the first of them is sent.

        Where all of its ``commands`` are given it is journalled now, so that nothing delays the first of them.
        """
        if self._change_id:
            certain = self._ended and not self._troubles
            self._end(Status.CORRECTED if certain else Status.UNKNOWN, changed=True)
        self._change = change
        if commands:
            self._journal_change(change, commands)

    # -- writing ----------------------------------------------------------------------------------------------

    @property
    def has_written(self) -> bool:
        """Whether any command was handed over that may have changed something."""
        return bool(self._written) or any(part.has_written for part in self._parts)

    @property
    def all_ended(self) -> bool:
        """Whether the final state of every write was received, so that nothing of them is still at work."""
        return self._ended

    @property
    def troubles(self) -> tuple[ManagementShellError, ...]:
        """What went wrong since the first write, in order."""
        return tuple(self._troubles)

    def write(self, *commands: Command, read: Command | None = None, limit: float | None = None) -> Answer:
        """Journal and send commands that change something, with at most one reading behind them, as one pipeline.

        Raises what kept the first write of a task from being sent, with nothing changed; afterwards raises nothing
        but remembers it. The answer is whole where every statement answered without an error. ``limit``: seconds that
        the commands may take, where that is less than the session allows.
        """
        if self.check_mode:
            raise AssertionError(f"{commands[0].name} must not be sent in check mode")
        if self._change is not None and not self._change_id:
            self._journal_change(self._change, commands)
        first = not self._written
        self._written += commands
        try:
            results = self.shell.run(*commands, *([read] if read else []), changes=True, limit=limit)
        except OutcomeUnknown as lost:
            self._ended = self._ended and lost.ended
            return self._noted(lost, lost.results)
        except (ConnectionRefused, UnconvertibleValue) as refused:
            if not first:
                return self._noted(refused, Results())
            # Nothing left this machine, or nothing was accepted.
            self._written.clear()
            self._end(Status.DRIFTED, changed=False)
            raise
        troubles = self._classified(results)
        self._troubles += troubles
        whole = not troubles and results.state is PipelineState.COMPLETED
        return Answer(results, whole, troubles[-1] if troubles else None)

    def notice(self, trouble: ManagementShellError) -> None:
        """Remember what an answer says went wrong where no error record says so, as programs print it."""
        self._troubles.append(trouble)

    def _journal_change(self, change: Change, commands: Sequence[Command]) -> None:
        endpoint = self.shell.endpoint
        texts = tuple(command.as_text() for command in commands)
        self._change_id = self._journal.begin(change, texts, endpoint.url, endpoint.account)

    def _classified(self, results: Results) -> list[ManagementShellError]:
        return [self.shell.classify(report) for report in results.errors if not report.is_empty_line]

    def _noted(self, trouble: ManagementShellError, results: Results) -> Answer:
        self._troubles += [trouble, *self._classified(results)]
        return Answer(results, whole=False, trouble=trouble)

    # -- afterwards -------------------------------------------------------------------------------------------

    def conclude(
        self,
        subject: str,
        after: dict[str, Any] | None,
        mismatches: Sequence[Mismatch],
        *,
        result: Result | None = None,
        changed: bool | None = None,
    ) -> Result:
        """The result of a change that was read back. Raises ChangeFailed unless it is in place and certain to stay.

        ``subject`` names the object in a sentence; ``after`` is what was read. ``changed``: whether that is other than
        it was, where ``after`` does not show all of it.
        """
        known = replace(result or self.known, after=after)
        changed = after != known.before if changed is None else changed
        sentences = [str(trouble) for trouble in self._troubles]
        if not self._ended:
            sentences.append(f"Read back since: {_state(subject, mismatches, changed)}")
            raise self._failed(sentences, replace(known, status=Status.UNKNOWN, changed=True))
        if not mismatches:
            corrected = replace(known, status=Status.CORRECTED, changed=True)
            if sentences:
                corrected = corrected.warned(
                    " ".join([*sentences, "Read back since: everything is as wanted."])
                )
            return self._closed(corrected)
        if not sentences:
            kept = "; ".join(
                f"{m.property} should be {shown(m.wanted)} and is {shown(m.found)}" for m in mismatches
            )
            sentences = [f"{subject} was written without an error, but did not keep it: {kept}."]
        else:
            sentences.append(f"Read back since: {_state(subject, mismatches, changed)}")
        raise self._failed(sentences, replace(known, status=Status.DRIFTED, changed=changed))

    def unread(self, subject: str, error: ManagementShellError) -> ChangeFailed:
        """The failure of a change whose effect could not be read back."""
        sentences = [str(trouble) for trouble in self._troubles] or [f"{subject} was written."]
        sentences.append(f"It could not be read back: {error} Whether the change took effect is not known.")
        self._troubles = self._troubles or [error]
        return self._failed(sentences, replace(self.known, status=Status.UNKNOWN, changed=True, after=None))

    def settle(self, status: Status, *, changed: bool) -> tuple[str, ...]:
        """Journal a change that its subject has read back and judged, and that is no more than a part of its task's
        result; what there is to warn of.
        """
        certain = self._ended or status is Status.UNKNOWN
        return tuple(self._end(status if certain else Status.UNKNOWN, changed=changed or not self._ended))

    def failed(self, sentence: str, result: Result) -> ChangeFailed:
        """The failure of a change that its subject has judged itself."""
        if not self._ended:
            result = replace(result, status=Status.UNKNOWN, changed=True)
        return self._failed([sentence], result)

    def failure(self, error: BaseException) -> dict[str, Any]:
        """The task's result after whatever ended it, for errors that nobody else has told."""
        if isinstance(error, ChangeFailed):
            # Who raised it has judged the change, and the journal knows it.
            return failure_result(error, self.known)
        if not self.has_written:
            self._end(Status.DRIFTED, changed=False)
            return failure_result(error, self.known)
        self._troubles = self._troubles or ([error] if isinstance(error, ManagementShellError) else [])
        sentences = [*(str(trouble) for trouble in self._troubles if trouble is not error), str(error)]
        sentences.append("Whether the change took effect is not known.")
        unknown = replace(self._known_of_all(), status=Status.UNKNOWN, changed=True, after=None)
        return failure_result(self._failed(sentences, unknown), self.known)

    def _known_of_all(self) -> Result:
        """What is known, with what leads back from a part that has written and that nobody has told of yet."""
        ways: list[Command] = []
        lines: list[Command] = []
        for part in self._parts:
            if part.has_written:
                new = [
                    each for each in part.known.restore_commands if each not in self.known.restore_commands
                ]
                ways = new + ways
                lines += [each for each in part.known.commands if each not in self.known.commands]
        return replace(
            self.known,
            commands=(*self.known.commands, *lines),
            restore_commands=(*ways, *self.known.restore_commands),
        )

    def _failed(self, sentences: Sequence[str], result: Result) -> ChangeFailed:
        sentences = list(sentences)
        if result.restore_commands and result.changed:
            lines = [command.as_text() for command in result.restore_commands[:_LINES_IN_A_SENTENCE]]
            more = len(result.restore_commands) - len(lines)
            lines += [f"and {more} more lines, which restore_commands holds"] if more else []
            sentences.append(f"To put back what was there before, run: {'; '.join(lines)}")
        return ChangeFailed(" ".join(sentences), self._closed(result), self._troubles)

    def _closed(self, result: Result) -> Result:
        """The result, once the journal knows it as well."""
        return result.warned(*self._end_all(result.status, changed=result.changed))

    def _end_all(self, status: Status, *, changed: bool) -> list[str]:
        own = self._end(status, changed=changed)
        return own + [each for part in self._parts for each in part._end_all(status, changed=changed)]

    def _end(self, status: Status, *, changed: bool) -> list[str]:
        """Journal what became of the change. A journal that fails by now does not make the change undone: a warning."""
        if not self._change_id:
            return []
        change_id, self._change_id, self._change = self._change_id, "", None
        try:
            self._journal.end(change_id, {"status": status.value, "changed": changed})
        except JournalUnusable as unusable:
            return [str(unusable)]
        return []


def _state(subject: str, mismatches: Sequence[Mismatch], changed: bool) -> str:
    if not mismatches:
        return "everything is as wanted."
    if not changed:
        return "nothing has been changed."
    details = "; ".join(f"{mismatch.property} is {shown(mismatch.found)}" for mismatch in mismatches)
    return f"{subject}: {details}."
