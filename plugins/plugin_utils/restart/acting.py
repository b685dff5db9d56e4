# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Stopping and starting the Lync services of one computer, and waiting until they are what they should be.

Whether that may be done is for others to judge. What is stopped is drained; what is started must be up, and its pool
ready, before it counts.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

from ..change.envelope import Answer, Envelope
from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import CommandError, OutcomeUnknown, cmdlet_not_offered
from ..result.refusals import ChangeFailed
from ..result.spans import span_text
from ..result.status import Status
from ..topology import pools
from ..topology.pool_state import BUSY, READY, PoolState
from ..topology.quorum import Kind, UnknownSize
from ..topology.services import Services

STOP = "Stop-CsWindowsService"
START = "Start-CsWindowsService"

# What Microsoft asks for after each upgrade domain of Lync Server 2013: twenty minutes of the pool being
# ready without a break ("Upgrade or update Front End Servers"). The failing over of 2015 and later waits by
# itself.
SETTLE_AFTER_DRAINING = 20 * 60

# What a command may take that is told not to wait for the services.
_NO_WAIT_LIMIT = 300.0


@dataclass(frozen=True)
class Waits:
    """Seconds. ``settle`` None: what the documents ask for."""

    drain: float
    start: float
    settle: float | None
    busy: float
    busy_tries: int
    interval: float

    @classmethod
    def of(cls, arguments: dict[str, Any]) -> Waits:
        """From a module's options."""
        return cls(
            drain=arguments["drain_timeout"],
            start=arguments["start_timeout"],
            settle=arguments["settle"],
            busy=arguments["busy_wait"],
            busy_tries=arguments["busy_tries"],
            interval=arguments["interval"],
        )


@dataclass(frozen=True)
class Step:
    command: Command
    take: Callable[[], None]
    takes_down: bool = False


class Acting:
    """``before``: the services as they were found. ``pool``: the computer's pool, and ``seen``: the same with what runs
    there now; they are asked for where they are needed.
    """

    def __init__(
        self,
        envelope: Envelope,
        computer: str,
        before: Services,
        waits: Waits,
        pool: Callable[[], PoolState],
        seen: Callable[[], PoolState],
        clock: Clock,
    ) -> None:
        self.envelope, self.computer, self.before = envelope, computer, before
        self.waits, self.pool, self.seen, self.clock = waits, pool, seen, clock
        self.shell = envelope.shell
        self._has_acted = False

    # -- what can be done ------------------------------------------------------------------------------------

    def fails_over(self, method: str) -> bool:
        """Whether the computer is failed over to be restarted. Raises CmdletNotOffered."""
        if method == "drain":
            return False
        offered = pools.has_cmdlet(self.shell, pools.FAIL_OVER)
        if method == "failover" and not offered:
            raise cmdlet_not_offered(self.shell.endpoint, pools.FAIL_OVER)
        # Failing over needs other Front Ends, and Windows Fabric, that take the users.
        return offered and self.pool().kind is Kind.FRONT_ENDS and len(self.pool().members) > 1

    def require_failing_over(self) -> None:
        """Raises CmdletNotOffered."""
        for cmdlet in (pools.FAIL_OVER, pools.FAIL_BACK):
            if not pools.has_cmdlet(self.shell, cmdlet):
                raise cmdlet_not_offered(self.shell.endpoint, cmdlet)

    def stop(self, *, graceful: bool) -> Step:
        drains = {"Graceful": Switch.PRESENT} if graceful else {}
        command = Command(STOP, {**drains, "NoWait": Switch.PRESENT, "Confirm": False})
        return Step(command, lambda: self._take_down(command), takes_down=True)

    def start(self, *, settles: bool = True) -> Step:
        command = Command(START, {"NoWait": Switch.PRESENT, "Confirm": False})
        return Step(command, lambda: self._bring_up(command, SETTLE_AFTER_DRAINING if settles else None))

    def fail_over(self) -> Step:
        command = self._moving(pools.FAIL_OVER, self.waits.drain)
        return Step(command, lambda: self._take_over(command), takes_down=True)

    def fail_back(self) -> Step:
        command = self._moving(pools.FAIL_BACK, self.waits.start)
        return Step(command, lambda: self._bring_up(command, 0))

    def _moving(self, cmdlet: str, seconds: float) -> Command:
        wait = datetime.timedelta(seconds=seconds)
        parameters = {"ComputerName": self.computer, "WaitTime": wait, "Confirm": False}
        return Command(cmdlet, parameters, waits=seconds)

    def restart(self, method: str, *, graceful: bool, stopped: bool) -> list[Step]:
        """``stopped``: everything has been stopped already for this restart, and need not be stopped again."""
        over = self.fails_over(method)
        up = self.fail_back() if over or self.before.failed_over else self.start()
        if stopped or self.before.down or self.before.failed_over:
            return [up]
        return [self.fail_over() if over else self.stop(graceful=graceful), up]

    def take(self, step: Step) -> None:
        """Raises ChangeFailed, and the wire's errors."""
        step.take()
        self._has_acted = True

    # -- doing it --------------------------------------------------------------------------------------------

    def _send(self, command: Command, reached: Callable[[Services], bool]) -> Answer:
        """Raises ChangeFailed with what the server said against it, unless it has ``reached`` what it is for."""
        limit = _NO_WAIT_LIMIT if "NoWait" in command.parameters else None
        answer = self.envelope.write(command, limit=limit)
        if isinstance(answer.trouble, CommandError):
            found = pools.own_services(self.shell)
            if not reached(found):
                raise self._failure(described(found), found)
        return answer

    def _take_down(self, command: Command) -> None:
        answer = self._send(command, lambda found: found.down)
        if isinstance(answer.trouble, OutcomeUnknown):
            found = pools.own_services(self.shell)
            if found.up:
                raise self._failure("Read back since: all services run, so that nothing was stopped.", found)
        self._await(
            lambda found: found.down,
            self.waits.drain,
            "are not stopped; calls and conferences may still be draining",
        )

    def _take_over(self, command: Command) -> None:
        self._send(command, lambda found: found.failed_over)
        found = pools.own_services(self.shell)
        if not found.failed_over:
            raise self._failure(f"{command.name} did not fail the computer over. {described(found)}", found)
        # What the session lost goes on there.
        self._await(
            lambda found: found.failed_over and not found.stopping,
            self.waits.drain,
            "are not stopped; calls and conferences may still be draining",
        )

    def _bring_up(self, command: Command, settling: float | None) -> None:
        """``settling`` None: nobody has taken the computer out of its pool, so that nothing is waited for."""
        self._send(command, lambda found: found.up)
        self._await(lambda found: found.up, self.waits.start, "do not run")
        if settling is not None:
            self._await_ready(settling if self.waits.settle is None else self.waits.settle)

    def _await(self, reached: Callable[[Services], bool], timeout: float, otherwise: str) -> None:
        deadline = self.clock.monotonic() + timeout
        has_stopped = False
        while True:
            found = pools.own_services(self.shell)
            if reached(found):
                return
            if has_stopped and found.up:
                # What was waited for will not come: these services were told to stop, and did.
                raise self._failure("Somebody else has started the services again meanwhile.", found)
            has_stopped = has_stopped or not found.up
            left = deadline - self.clock.monotonic()
            if left <= 0:
                raise self._failure(
                    f"After {span_text(timeout)} services {otherwise}. {described(found)}{self._of_the_pool(found)}",
                    found,
                )
            self.clock.sleep(min(self.waits.interval, left))

    def _of_the_pool(self, found: Services) -> str:
        """What the pool has to do with a Front-End service that waits to start."""
        if not found.awaits_pool or self.pool().kind is not Kind.FRONT_ENDS:
            return ""
        ready = pools.readiness(self.shell)
        if ready is None or ready.state in (READY, BUSY):
            return ""
        said = f" The Front-End service waits for its pool, which says {ready.state}"
        seen = self.seen()
        try:
            has_quorum = seen.quorum().functional
        except UnknownSize:
            has_quorum = False
        if has_quorum:
            running = ", ".join(each.computer for each in seen.members if each.running)
            return f"{said}. The pool has its quorum ({running}), so that the fault is this computer's own."
        if any(each.running is None for each in seen.members):
            unknown = ", ".join(each.computer for each in seen.members if each.running is None)
            return f"{said}. Whether it has its quorum is not known: {unknown} did not answer."
        return (
            f"{said}: a pool that has lost its quorum starts with as many Front Ends as it takes to start the first "
            "time, or after Reset-CsPoolRegistrarState -ResetType QuorumLossRecovery."
        )

    def _await_ready(self, settle_for: float) -> None:
        """Wait until the pool is ready, and has been so for ``settle_for`` without a break, where its version
        can tell.
        """
        if self.pool().kind is not Kind.FRONT_ENDS:
            return
        # Long enough for a pool that was not ready once more, and has to settle anew.
        limit = self.waits.start + 2 * settle_for
        deadline = self.clock.monotonic() + limit
        ready_since: float | None = None
        while True:
            ready = pools.readiness(self.shell)
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
            self.clock.sleep(min(self.waits.interval, max(until - now, 0)))

    def _failure(self, sentence: str, found: Services | None = None) -> ChangeFailed:
        """The failure with what went wrong before it, the services as they are then, and the way back."""
        found = found or pools.own_services(self.shell)
        changed = self._has_acted or found.states != self.before.states
        result = replace(
            self.envelope.known.with_details(services=found.states),
            status=Status.DRIFTED,
            changed=changed,
            after={"services": summary(found)},
            restore_commands=self._way_back(found),
        )
        sentences = [*(str(trouble) for trouble in self.envelope.troubles), sentence]
        if result.restore_commands:
            state = "failed_back" if found.failed_over else "running"
            sentences.append(f"The module server_services with state: {state} leads back.")
        return self.envelope.failed(" ".join(sentences), result)

    def _way_back(self, found: Services) -> tuple[Command, ...]:
        """What brings up again what was up, and is not."""
        if found.up or not self.before.up:
            return ()
        return (self.fail_back().command if found.failed_over else self.start().command,)


def summary(found: Services) -> str:
    if found.failed_over:
        return "failed over"
    if found.up:
        return "running"
    return "stopped" if found.down else "partly running"


def described(found: Services) -> str:
    if found.failed_over:
        return "The services are failed over and disabled now."
    missing = ", ".join(f"{service.name} ({service.status})" for service in found.not_running)
    return f"Not running now: {missing}." if missing else "All services run now."
