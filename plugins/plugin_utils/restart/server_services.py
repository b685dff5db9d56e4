# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module server_services: stop, start and restart the Lync services of one computer without breaking its
pool.

Before anything is stopped the pool's state is read, and whatever speaks against it is a refusal. What is stopped
is drained; what is started must be up, and its pool ready, before the module says so.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..result.drift import Reason
from ..result.refusals import ChangeFailed, Refused, UnusableArgument
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..result.spans import span_text
from ..topology import pools
from ..topology.pool_state import BUSY, PoolState, Readiness, from_dict, objections
from ..topology.quorum import Kind
from ..topology.services import Services
from ..windows import computer, registry, restart_note, stopping_mark
from ..windows.kerberos_tickets import PURGE_TICKETS
from .acting import START, STOP, Acting, Step, Waits, summary
from .processes import is_dead, this_process

RESOURCE = "server_services"
CMDLETS = (STOP, START)

# How old what is known of the pool may be when something is stopped because of it.
_FRESH = 120.0

_REASON = Reason(
    Severity.HIGH,
    "Services that are not what they should be take a server out of its pool, or keep an old clock's zone in use.",
)


@dataclass(frozen=True)
class Request:
    """The module's options. ``pool_state``: the pool as it was seen from outside."""

    state: str
    graceful: bool
    method: str
    only_if_restart_pending: bool
    reason: str
    pool_state: Mapping[str, Any] | None
    waits: Waits


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises Refused, UnusableArgument, ChangeFailed, CmdletNotOffered, and the wire's errors."""
    return _Operation(envelope, request, clock).run()


class _Operation:
    def __init__(self, envelope: Envelope, request: Request, clock: Clock) -> None:
        self.envelope, self.request, self.clock = envelope, request, clock
        self.shell = envelope.shell
        self.name = self.shell.endpoint.name
        self._pool: PoolState | None = None

    def run(self) -> Result:
        keys = self._keys()
        self.name = computer.name(keys) or self.shell.endpoint.name
        note = restart_note.read_note(keys)
        if self.request.state == "restart_pending":
            return self._leave_note(note)
        before = pools.own_services(self.shell)
        self._know(self._result(before, [], summary(before), note))
        wanted = self._wanted(before, note)
        acting = Acting(
            self.envelope, self.name, before, self.request.waits, self._outline, self._seen_now, self.clock
        )
        steps = self._steps(acting, wanted, note)
        settles = note is not None and wanted == "restarted"
        after = _AFTER[wanted] if steps else summary(before)
        commands = [
            *(PURGE_TICKETS if settles else ()),
            *(step.command for step in steps),
            *([restart_note.removing()] if settles else []),
        ]
        self._know(self._result(before, commands, after, note))
        if any(step.takes_down for step in steps):
            self._respect(stopping_mark.read(keys))
            self._guard()
        if self.envelope.check_mode or not steps:
            return self.envelope.known
        change = Change(
            RESOURCE,
            self.name,
            self.request.state,
            {"services": summary(before)},
            {"services": after},
            Restorable.NO,
        )
        self.envelope.begin(change, commands)
        return self._carry_out(acting, steps, after, settles=settles)

    def _know(self, result: Result) -> None:
        self.envelope.expects(result.warned(*self.envelope.known.warnings))

    def _result(
        self, before: Services, commands: Sequence[Command], after: str, note: Mapping[str, Any] | None
    ) -> Result:
        states = {"services": summary(before)}, {"services": after}
        changed = ["services"] if commands else []
        result = computer_result(
            self.shell.endpoint.name, RESOURCE, *states, changed, {"services": _REASON}, commands
        )
        return result.with_details(computer=self.name, services=before.states, restart_pending=note)

    def _carry_out(self, acting: Acting, steps: Sequence[Step], after: str, *, settles: bool) -> Result:
        """Raises ChangeFailed, also for a server that is gone in the middle of it."""
        note = self.envelope.known.details["restart_pending"]
        try:
            if settles:
                for command in PURGE_TICKETS:
                    self.envelope.write(command)
            for step in steps:
                acting.take(step)
                if step.takes_down and settles:
                    # Without this an interrupted restart is made again as a whole; nothing worse comes of a failure.
                    self.envelope.write(restart_note.stopped(self._now()))
            found = pools.own_services(self.shell)
            if settles:
                note = self._remove_note()
        except ChangeFailed:
            raise
        except ManagementShellError as lost:
            if not self.envelope.has_written:
                raise
            self.envelope.expects(self.envelope.known.with_details(services={}))
            raise self.envelope.unread(self.name, lost) from lost
        result = self.envelope.known.with_details(services=found.states, restart_pending=note)
        mismatches = [Mismatch("restart_pending", None, note)] if settles and note is not None else []
        return self.envelope.conclude(
            f"The restart of {self.name}", {"services": after}, mismatches, result=result
        )

    # -- what there is to do ---------------------------------------------------------------------------------

    def _keys(self) -> Mapping[str, registry.Values]:
        keys = [computer.NAME_KEY, restart_note.NOTE_KEY, stopping_mark.MARK_KEY]
        return registry.read(self.shell, self.shell.run(registry.reading(keys)), keys)

    def _wanted(self, before: Services, note: Mapping[str, Any] | None) -> str:
        """The state to reach; the state that is there already where nothing is to be done."""
        wanted = self.request.state
        if wanted == "restarted" and self.request.only_if_restart_pending and note is None:
            return "as_it_is"
        reached = {
            "running": before.up,
            "stopped": before.down,
            "failed_over": before.failed_over,
            "failed_back": before.up,
        }
        if wanted == "running" and before.failed_over:
            raise Refused(
                f"The services of {self.shell.endpoint.name} were failed over, and are disabled. state: failed_back "
                "brings them back, with their users"
            )
        return "as_it_is" if reached.get(wanted, False) else wanted

    def _steps(self, acting: Acting, wanted: str, note: Mapping[str, Any] | None) -> list[Step]:
        if wanted in ("failed_over", "failed_back"):
            acting.require_failing_over()
        return {
            "as_it_is": list,
            "running": lambda: [acting.start(settles=False)],
            "failed_back": lambda: [acting.fail_back()],
            "stopped": lambda: [acting.stop(graceful=self.request.graceful)],
            "failed_over": lambda: [acting.fail_over()],
            # What has been stopped since the note was made, such as by a restart that was interrupted, need not be
            # stopped again.
            "restarted": lambda: acting.restart(
                self.request.method,
                graceful=self.request.graceful,
                stopped=note is not None and note["stopped"] is not None,
            ),
        }[wanted]()

    # -- the guard -------------------------------------------------------------------------------------------

    def _outline(self) -> PoolState:
        """The pool's members and kind, which do not change meanwhile."""
        if self._pool is None:
            given = self._given()
            found = given or pools.find(pools.topology(self.shell, self.clock), None, self.name)
            self._pool = replace(found, kind=pools.stricter(self.shell, found.kind))
        return self._pool

    def _given(self) -> PoolState | None:
        if self.request.pool_state is None:
            return None
        try:
            return from_dict(self.request.pool_state)
        except (KeyError, ValueError, TypeError) as wrong:
            raise UnusableArgument("pool_state", f"this is not what pool_info returns ({wrong!r})") from None

    def _seen(self) -> PoolState:
        """The pool as it is now: from outside if the task brought that along, else as this session can see
        it.
        """
        given = self._given()
        if given is None:
            return self._seen_now()
        state = replace(given, kind=self._outline().kind)
        age = self.clock.time() - state.observed.timestamp()
        if age > _FRESH:
            raise Refused(
                f"The pool_state of {state.pool} is {span_text(age)} old, and servers may have gone down since. Run "
                "pool_info right before"
            )
        return state

    def _seen_now(self) -> PoolState:
        return pools.with_services(self.shell, self._outline(), self.name, self.clock)

    def _readiness(self) -> Readiness | None:
        return pools.readiness(self.shell) if self._outline().kind is Kind.FRONT_ENDS else None

    def _respect(self, marks: Iterable[stopping_mark.Mark]) -> None:
        """Raises Refused while somebody restarts the server."""
        here = this_process()
        for mark in marks:
            if mark.by is None or not is_dead(mark.by, here):
                raise Refused(f"{self.name} is not stopped: it is being restarted {mark.described}")

    def _guard(self) -> None:
        for left in range(self.request.waits.busy_tries, 0, -1):
            state, ready = self._seen(), self._readiness()
            against = objections(state, self.name, ready)
            busy = ready is not None and ready.state == BUSY and len(against) == 1
            if busy and left > 1 and not self.envelope.check_mode and self.request.pool_state is None:
                # Microsoft's procedure: wait, ask again, and take a pool that stays busy for ill.
                self.clock.sleep(self.request.waits.busy)
                continue
            if against:
                raise Refused(f"{self.name} is not stopped: {'; '.join(against)}")
            if len(state.members) == 1:
                alone = f"{self.name} is the only server of {state.pool}: its users are without service meanwhile."
                self.envelope.expects(self.envelope.known.warned(alone))
            return

    # -- the note --------------------------------------------------------------------------------------------

    def _leave_note(self, note: Mapping[str, Any] | None) -> Result:
        # A note of a restart that was interrupted speaks of an earlier repair, and the whole restart is pending again;
        # one without a reason was never finished.
        noted = note is not None and bool(note["reason"]) and not note["stopped"]
        commands = () if noted else restart_note.making(self._now(), self.request.reason)
        states = {"restart_pending": noted}, {"restart_pending": True}
        changed = ["restart_pending"] if commands else []
        result = computer_result(
            self.shell.endpoint.name, RESOURCE, *states, changed, {"restart_pending": _REASON}, commands
        )
        self.envelope.expects(result.with_details(computer=self.name, restart_pending=note))
        if self.envelope.check_mode or not commands:
            return self.envelope.known
        change = Change(
            RESOURCE,
            self.name,
            "note",
            {"restart_pending": note},
            {"restart_pending": {"reason": self.request.reason}},
            Restorable.NO,
        )
        self.envelope.begin(change, commands)
        for command in commands:
            if not self.envelope.write(command).went_through:
                break
        subject = f"The note on {self.name} that a restart is pending"
        try:
            found = restart_note.read_note(self._keys())
        except ManagementShellError as error:
            raise self.envelope.unread(subject, error) from error
        there = found is not None and bool(found["reason"]) and not found["stopped"]
        mismatches = [] if there else [Mismatch("restart_pending", True, found)]
        return self.envelope.conclude(
            subject,
            {"restart_pending": there},
            mismatches,
            result=self.envelope.known.with_details(restart_pending=found),
            # One that was begun and not finished is not there, and yet is something that was not there before.
            changed=found != note,
        )

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.clock.time(), datetime.timezone.utc)

    def _remove_note(self) -> Mapping[str, Any] | None:
        """The note as it is then. A worker that outlived an interrupted run may have taken it away already.

        Where a command may still be at work the note stays, and the next run sees to it.
        """
        if self.envelope.all_ended:
            self.envelope.write(restart_note.removing())
        return restart_note.read_note(self._keys())


_AFTER = {
    "running": "running",
    "stopped": "stopped",
    "failed_over": "failed over",
    "failed_back": "running",
    "restarted": "running, restarted",
}
