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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Answer, Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import CommandError, ManagementShellError, OutcomeUnknown, cmdlet_not_offered
from ..result.drift import Reason
from ..result.refusals import ChangeFailed, Refused, UnusableArgument
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..result.spans import span_text
from ..result.status import Status
from ..topology import pools
from ..topology.pool_state import BUSY, READY, PoolState, Readiness, from_dict, objections
from ..topology.quorum import Kind
from ..topology.services import Services
from ..windows import computer, registry, restart_note
from ..windows.kerberos_tickets import PURGE_TICKETS

RESOURCE = "server_services"
STOP = "Stop-CsWindowsService"
START = "Start-CsWindowsService"
CMDLETS = (STOP, START)

# How old what is known of the pool may be when something is stopped because of it.
_FRESH = 120.0

# What Microsoft asks for after each upgrade domain of Lync Server 2013: twenty minutes of the pool being
# ready without a break ("Upgrade or update Front End Servers"). The failing over of 2015 and later waits by
# itself.
SETTLE_AFTER_DRAINING = 20 * 60

_REASON = Reason(
    Severity.HIGH,
    "Services that are not what they should be take a server out of its pool, or keep an old clock's zone in use.",
)


@dataclass(frozen=True)
class Request:
    """The module's options; spans are seconds. ``settle`` None: what the documents ask for. ``pool_state``: the pool as
    it was seen from outside.
    """

    state: str
    graceful: bool
    method: str
    only_if_restart_pending: bool
    reason: str
    pool_state: Mapping[str, Any] | None
    drain_timeout: float
    start_timeout: float
    settle: float | None
    busy_wait: float
    busy_tries: int
    interval: float


def remediate(envelope: Envelope, request: Request, clock: Clock = time) -> Result:
    """Raises Refused, UnusableArgument, ChangeFailed, CmdletNotOffered, and the wire's errors."""
    return _Operation(envelope, request, clock).run()


class _Operation:
    def __init__(self, envelope: Envelope, request: Request, clock: Clock) -> None:
        self.envelope, self.request, self.clock = envelope, request, clock
        self.shell = envelope.shell
        self.name = self.shell.endpoint.name
        self._pool: PoolState | None = None
        self._before: Services | None = None
        self._has_moved = False

    def run(self) -> Result:
        keys = self._keys()
        self.name = computer.name(keys) or self.shell.endpoint.name
        note = restart_note.read_note(keys)
        if self.request.state == "restart_pending":
            return self._leave_note(note)
        before = self._before = pools.own_services(self.shell)
        self._know(self._result(before, [], _summary(before), note))
        wanted = self._wanted(before, note)
        steps = self._steps(before, wanted, note)
        settles = note is not None and wanted == "restarted"
        after = _AFTER[wanted] if steps else _summary(before)
        commands = [
            *(PURGE_TICKETS if settles else ()),
            *(step.command for step in steps),
            *([restart_note.removing()] if settles else []),
        ]
        self._know(self._result(before, commands, after, note))
        if any(step.takes_down for step in steps):
            self._guard()
        if self.envelope.check_mode or not steps:
            return self.envelope.known
        change = Change(
            RESOURCE,
            self.name,
            self.request.state,
            {"services": _summary(before)},
            {"services": after},
            Restorable.NO,
        )
        self.envelope.begin(change, commands)
        return self._carry_out(steps, after, settles=settles)

    def _know(self, result: Result) -> None:
        self.envelope.expects(result.warned(*self.envelope.known.warnings))

    def _result(
        self, before: Services, commands: Sequence[Command], after: str, note: Mapping[str, Any] | None
    ) -> Result:
        states = {"services": _summary(before)}, {"services": after}
        changed = ["services"] if commands else []
        result = computer_result(
            self.shell.endpoint.name, RESOURCE, *states, changed, {"services": _REASON}, commands
        )
        return result.with_details(computer=self.name, services=before.states, restart_pending=note)

    def _carry_out(self, steps: Sequence[_Step], after: str, *, settles: bool) -> Result:
        """Raises ChangeFailed, also for a server that is gone in the middle of it."""
        note = self.envelope.known.details["restart_pending"]
        try:
            if settles:
                for command in PURGE_TICKETS:
                    self.envelope.write(command)
            for step in steps:
                step.take()
                self._has_moved = True
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
        keys = [computer.NAME_KEY, restart_note.NOTE_KEY]
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

    def _steps(self, before: Services, wanted: str, note: Mapping[str, Any] | None) -> list[_Step]:
        over = self._fails_over(wanted)
        down = self._fail_over() if over else self._stop()
        up = self._fail_back() if over or before.failed_over else self._start()
        return {
            "as_it_is": [],
            "running": [self._start()],
            "failed_back": [up],
            "stopped": [down],
            "failed_over": [down],
            # What has been stopped since the note was made, such as by a restart that was interrupted, need not be
            # stopped again.
            "restarted": [up]
            if before.down or before.failed_over or (note and note["stopped"])
            else [down, up],
        }[wanted]

    def _fails_over(self, wanted: str) -> bool:
        if wanted in ("failed_over", "failed_back"):
            for cmdlet in (pools.FAIL_OVER, pools.FAIL_BACK):
                if not pools.has_cmdlet(self.shell, cmdlet):
                    raise cmdlet_not_offered(self.shell.endpoint, cmdlet)
            return True
        if wanted != "restarted" or self.request.method == "drain":
            return False
        offered = pools.has_cmdlet(self.shell, pools.FAIL_OVER)
        if self.request.method == "failover" and not offered:
            raise cmdlet_not_offered(self.shell.endpoint, pools.FAIL_OVER)
        # Failing over needs other Front Ends, and Windows Fabric, that take the users.
        return offered and self._outline().kind is Kind.FRONT_ENDS and len(self._outline().members) > 1

    def _stop(self) -> _Step:
        graceful = {"Graceful": Switch.PRESENT} if self.request.graceful else {}
        command = Command(STOP, {**graceful, "NoWait": Switch.PRESENT, "Confirm": False})
        return _Step(command, lambda: self._take_down(command), takes_down=True)

    def _start(self) -> _Step:
        command = Command(START, {"NoWait": Switch.PRESENT, "Confirm": False})
        return _Step(command, lambda: self._bring_up(command, SETTLE_AFTER_DRAINING))

    def _fail_over(self) -> _Step:
        wait = datetime.timedelta(seconds=self.request.drain_timeout)
        command = Command(pools.FAIL_OVER, {"ComputerName": self.name, "WaitTime": wait, "Confirm": False})
        return _Step(command, lambda: self._take_over(command), takes_down=True)

    def _fail_back(self) -> _Step:
        wait = datetime.timedelta(seconds=self.request.start_timeout)
        command = Command(pools.FAIL_BACK, {"ComputerName": self.name, "WaitTime": wait, "Confirm": False})
        return _Step(command, lambda: self._bring_up(command, 0))

    # -- the guard -------------------------------------------------------------------------------------------

    def _outline(self) -> PoolState:
        """The pool's members and kind, which do not change meanwhile."""
        if self._pool is None:
            given = self._given()
            found = given or pools.find(pools.topology(self.shell, self.clock), None, self.name)
            self._pool = replace(found, kind=self._stricter(found.kind))
        return self._pool

    def _stricter(self, kind: Kind) -> Kind:
        """Microsoft's documents of Lync Server 2013 show service versions of 2010, too; its servers tell that they are
        of 2013 by what they offer.
        """
        has_fabric = kind is Kind.FRONT_ENDS_2010 and any(
            pools.has_cmdlet(self.shell, cmdlet) for cmdlet in pools.READINESS
        )
        return Kind.FRONT_ENDS if has_fabric else kind

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
            return pools.with_services(self.shell, self._outline(), self.name, self.clock)
        state = replace(given, kind=self._outline().kind)
        age = self.clock.time() - state.observed.timestamp()
        if age > _FRESH:
            raise Refused(
                f"The pool_state of {state.pool} is {span_text(age)} old, and servers may have gone down since. Run "
                "pool_info right before"
            )
        return state

    def _readiness(self) -> Readiness | None:
        return pools.readiness(self.shell) if self._outline().kind is Kind.FRONT_ENDS else None

    def _guard(self) -> None:
        for left in range(self.request.busy_tries, 0, -1):
            state, ready = self._seen(), self._readiness()
            against = objections(state, self.name, ready)
            busy = ready is not None and ready.state == BUSY and len(against) == 1
            if busy and left > 1 and not self.envelope.check_mode and self.request.pool_state is None:
                # Microsoft's procedure: wait, ask again, and take a pool that stays busy for ill.
                self.clock.sleep(self.request.busy_wait)
                continue
            if against:
                raise Refused(f"{self.name} is not stopped: {'; '.join(against)}")
            if len(state.members) == 1:
                alone = f"{self.name} is the only server of {state.pool}: its users are without service meanwhile."
                self.envelope.expects(self.envelope.known.warned(alone))
            return

    # -- acting ----------------------------------------------------------------------------------------------

    def _send(self, command: Command) -> Answer:
        """Raises ChangeFailed with what the server said against it."""
        answer = self.envelope.write(command)
        if isinstance(answer.trouble, CommandError):
            found = pools.own_services(self.shell)
            raise self._failure(_described(found), found)
        return answer

    def _take_down(self, command: Command) -> None:
        answer = self._send(command)
        if isinstance(answer.trouble, OutcomeUnknown):
            found = pools.own_services(self.shell)
            if found.up:
                raise self._failure("Read back since: all services run, so that nothing was stopped.", found)
        self._await(
            lambda found: found.down,
            self.request.drain_timeout,
            "are not stopped; calls and conferences may still be draining",
        )

    def _take_over(self, command: Command) -> None:
        self._send(command)
        found = pools.own_services(self.shell)
        if not found.failed_over:
            raise self._failure(f"{command.name} did not fail the computer over. {_described(found)}", found)
        # What the session lost goes on there.
        self._await(
            lambda found: found.failed_over and not found.stopping,
            self.request.drain_timeout,
            "are not stopped; calls and conferences may still be draining",
        )

    def _bring_up(self, command: Command, settling: float) -> None:
        self._send(command)
        self._await(lambda found: found.up, self.request.start_timeout, "do not run")
        if self.request.state != "running":
            self._await_ready(settling if self.request.settle is None else self.request.settle)

    def _await(self, reached: Callable[[Services], bool], timeout: float, otherwise: str) -> None:
        deadline = self.clock.monotonic() + timeout
        while True:
            found = pools.own_services(self.shell)
            if reached(found):
                return
            left = deadline - self.clock.monotonic()
            if left <= 0:
                raise self._failure(
                    f"After {span_text(timeout)} services {otherwise}. {_described(found)}{self._of_the_pool(found)}",
                    found,
                )
            self.clock.sleep(min(self.request.interval, left))

    def _of_the_pool(self, found: Services) -> str:
        """What the pool has to do with a Front-End service that waits to start."""
        if not found.awaits_pool or self._outline().kind is not Kind.FRONT_ENDS:
            return ""
        ready = self._readiness()
        if ready is None or ready.state in (READY, BUSY):
            return ""
        return (
            f" The Front-End service waits for its pool, which says {ready.state}: a pool that has lost its quorum "
            "starts with as many Front Ends as it takes to start the first time, or after Reset-CsPoolRegistrarState "
            "-ResetType QuorumLossRecovery."
        )

    def _await_ready(self, settle_for: float) -> None:
        """Wait until the pool is ready, and has been so for ``settle_for`` without a break, where its version
        can tell.
        """
        # Long enough for a pool that was not ready once more, and has to settle anew.
        limit = self.request.start_timeout + 2 * settle_for
        deadline = self.clock.monotonic() + limit
        ready_since: float | None = None
        while True:
            ready = self._readiness()
            now = self.clock.monotonic()
            if ready is None:
                return
            ready_since = None if ready.state != READY else now if ready_since is None else ready_since
            if ready_since is not None and now - ready_since >= settle_for:
                return
            if now >= deadline:
                raise self._failure(
                    f"The services run again, but {span_text(limit)} later the pool is not settled ({ready.state}). "
                    "Look at Get-CsPoolFabricState before anything else of it is touched."
                )
            until = deadline if ready_since is None else min(deadline, ready_since + settle_for)
            self.clock.sleep(min(self.request.interval, max(until - now, 0)))

    def _failure(self, sentence: str, found: Services | None = None) -> ChangeFailed:
        """The failure with what went wrong before it, and the services as they are then."""
        found = found or pools.own_services(self.shell)
        moved = self._has_moved or (self._before is not None and found.states != self._before.states)
        result = replace(
            self.envelope.known.with_details(services=found.states),
            status=Status.DRIFTED,
            changed=moved,
            after={"services": _summary(found)},
        )
        sentences = [*(str(trouble) for trouble in self.envelope.troubles), sentence]
        return self.envelope.failed(" ".join(sentences), result)

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


@dataclass(frozen=True)
class _Step:
    command: Command
    take: Callable[[], None]
    takes_down: bool = False


_AFTER = {
    "running": "running",
    "stopped": "stopped",
    "failed_over": "failed over",
    "failed_back": "running",
    "restarted": "running, restarted",
}


def _summary(found: Services) -> str:
    if found.failed_over:
        return "failed over"
    if found.up:
        return "running"
    return "stopped" if found.down else "partly running"


def _described(found: Services) -> str:
    if found.failed_over:
        return "The services are failed over and disabled now."
    missing = ", ".join(f"{service.name} ({service.status})" for service in found.not_running)
    return f"Not running now: {missing}." if missing else "All services run now."
