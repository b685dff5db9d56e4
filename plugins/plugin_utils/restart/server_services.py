# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module server_services: stop and start the Lync services of one computer without breaking its pool.

Before anything is stopped the pool's state is read, and whatever speaks against it is a refusal. What is stopped
is drained; what is started must be up before the module says so.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Envelope
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
from ..windows import computer, registry, stopping_mark
from .acting import START, STOP, Acting, Step, Waits, summary
from .processes import is_dead, this_process

RESOURCE = "server_services"
CMDLETS = (STOP, START)

# How old what is known of the pool may be when something is stopped because of it.
_FRESH = 120.0

_REASON = Reason(
    Severity.HIGH, "Services that are not what they should be take a server out of its pool, or keep it in."
)


@dataclass(frozen=True)
class Request:
    """The module's options. ``pool_state``: the pool as it was seen from outside."""

    state: str
    graceful: bool
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
        before = pools.own_services(self.shell)
        self._know(self._result(before, [], summary(before)))
        acting = Acting(
            self.envelope, self.name, before, self.request.waits, self._outline, self._seen_now, self.clock
        )
        step = self._step(acting, before)
        if step is None:
            return self.envelope.known
        after = _AFTER[self.request.state]
        self._know(self._result(before, [step.command], after))
        if step.takes_down:
            self._respect(stopping_mark.read(keys))
            self._guard()
        if self.envelope.check_mode:
            return self.envelope.known
        states = {"services": summary(before)}, {"services": after}
        change = Change(RESOURCE, self.name, self.request.state, *states, Restorable.NO)
        self.envelope.begin(change, [step.command])
        return self._carry_out(acting, step, after)

    def _know(self, result: Result) -> None:
        self.envelope.expects(result.warned(*self.envelope.known.warnings))

    def _result(self, before: Services, commands: Sequence[Command], after: str) -> Result:
        states = {"services": summary(before)}, {"services": after}
        changed = ["services"] if commands else []
        result = computer_result(
            self.shell.endpoint.name, RESOURCE, *states, changed, {"services": _REASON}, commands
        )
        return result.with_details(computer=self.name, services=before.states)

    def _carry_out(self, acting: Acting, step: Step, after: str) -> Result:
        """Raises ChangeFailed, also for a server that is gone in the middle of it."""
        try:
            acting.take(step)
            found = pools.own_services(self.shell)
        except ChangeFailed:
            raise
        except ManagementShellError as lost:
            if not self.envelope.has_written:
                raise
            self.envelope.expects(self.envelope.known.with_details(services={}))
            raise self.envelope.unread(self.name, lost) from lost
        result = self.envelope.known.with_details(services=found.states)
        return self.envelope.conclude(f"The services of {self.name}", {"services": after}, [], result=result)

    # -- what there is to do ---------------------------------------------------------------------------------

    def _keys(self) -> Mapping[str, registry.Values]:
        keys = [computer.NAME_KEY, stopping_mark.MARK_KEY]
        return registry.read(self.shell, self.shell.run(registry.reading(keys)), keys)

    def _step(self, acting: Acting, before: Services) -> Step | None:
        """What leads to the state; None where it is there already. Raises Refused, CmdletNotOffered."""
        state = self.request.state
        if state == "running":
            if before.failed_over:
                raise Refused(
                    f"The services of {self.shell.endpoint.name} were failed over, and are disabled. state: "
                    "failed_back brings them back, with their users"
                )
            return None if before.up else acting.start(settles=False)
        if state == "stopped":
            return None if before.down else acting.stop(graceful=self.request.graceful)
        if before.failed_over if state == "failed_over" else before.up:
            return None
        acting.require_failing_over()
        return acting.fail_over() if state == "failed_over" else acting.fail_back()

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


_AFTER = {
    "running": "running",
    "stopped": "stopped",
    "failed_over": "failed over",
    "failed_back": "running",
}
