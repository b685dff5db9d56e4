# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module server_services: stop, start and restart the Lync services of one computer without breaking its
pool.

Before anything is stopped the pool is looked at, and whatever speaks against it is a refusal. What is stopped
is drained; what is started must be up, and its pool ready, before the module says so.
"""

from __future__ import annotations

import datetime
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import ConnectionRefused, LostInMidCommand, TimedOut, cmdlet_not_offered
from ..powershell.shell import ManagementShell
from ..result.outcome import Reason, failed, outcome, with_warnings
from ..result.refusals import Refused, UnusableArgument
from ..result.severity import Severity
from ..result.spans import span_text
from ..topology import pools
from ..topology.pool_state import BUSY, READY, PoolState, Readiness, from_dict, objections
from ..topology.quorum import Kind
from ..topology.services import Services
from ..windows import computer, registry
from ..windows.kerberos_tickets import PURGE_TICKETS
from ..windows.restart_note import OWED_KEY, half_way, note, read_owed, settle

# How old a look at the pool may be when something is stopped because of it.
_FRESH = 120.0

# What Microsoft asks for after each upgrade domain of Lync Server 2013: twenty minutes of the pool being
# ready without a break ("Upgrade or update Front End Servers"). The failing over of 2015 and later waits by
# itself.
SETTLE_AFTER_DRAINING = 20 * 60

_REASON = Reason(
    Severity.HIGH,
    "Services that are not what they should be take a server out of its pool, or keep an old clock's zone in "
    "use.",
)


@dataclass(frozen=True)
class Wish:
    """The module's options; spans are seconds. ``settle`` None: what the documents ask for. ``pool_state``: a
    look from outside.
    """

    state: str
    graceful: bool
    method: str
    only_if_owed: bool
    reason: str
    pool_state: Mapping[str, Any] | None
    drain_timeout: float
    start_timeout: float
    settle: float | None
    busy_wait: float
    busy_tries: int
    interval: float


def remediate(shell: ManagementShell, wish: Wish, *, check_mode: bool, clock: Clock = time) -> dict[str, Any]:
    """Raises Refused, UnusableArgument, ChangeFailed, CmdletNotOffered, and the wire's errors."""
    return _Operation(shell, wish, clock).run(check_mode)


class _Operation:
    def __init__(self, shell: ManagementShell, wish: Wish, clock: Clock) -> None:
        self.shell, self.wish, self.clock = shell, wish, clock
        self.name = shell.endpoint.name
        self.warnings: list[str] = []
        self._pool: PoolState | None = None
        self.result: dict[str, Any] = {}

    def run(self, check_mode: bool) -> dict[str, Any]:
        keys = self._keys()
        self.name = computer.name(keys) or self.shell.endpoint.name
        owed = read_owed(keys)
        if self.wish.state == "restart_owed":
            return self._owe(owed, check_mode)
        before = pools.own_services(self.shell)
        wanted = self._wanted(before, owed)
        steps = self._steps(before, wanted, owed)
        settles = owed is not None and wanted == "restarted"
        states = {"services": _summary(before)}, {"services": _AFTER[wanted] if steps else _summary(before)}
        self.result = {
            **outcome(
                self.shell,
                "server_services",
                *states,
                ["services"] if steps else [],
                {"services": _REASON},
                [
                    *(PURGE_TICKETS if settles else ()),
                    *(step.command for step in steps),
                    *([settle()] if settles else []),
                ],
            ),
            "computer": self.name,
            "services": before.states,
            "restart_owed": owed,
        }
        if any(step.takes_down for step in steps):
            self._guard(check_mode)
        if check_mode or not steps:
            return with_warnings(self.result, self.warnings)
        if settles:
            purged = self.shell.run(*PURGE_TICKETS, changes=True)
            self.warnings += [
                f"Kerberos tickets were not purged: {report.message}" for report in purged.errors
            ]
        after = self._carry_out(steps, settles=settles)
        done = {"status": "corrected", "services": after.states, "restart_owed": None if settles else owed}
        return with_warnings({**self.result, **done}, self.warnings)

    def _carry_out(self, steps: Sequence[_Step], *, settles: bool) -> Services:
        """The services afterwards. A server that is gone in the middle of it is no server that was never reached."""
        try:
            for step in steps:
                step.take()
                if step.takes_down and settles:
                    self._note_half_way()
            if settles:
                self._forgive()
            return pools.own_services(self.shell)
        except (ConnectionRefused, LostInMidCommand, TimedOut) as lost:
            result = {**self.result, "after": None, "services": {}}
            raise failed(
                f"{self.name} is gone in the middle of it, and whether its services run is not known. {lost}",
                result,
                status="unknown",
            ) from lost

    # -- what there is to do ---------------------------------------------------------------------------------

    def _keys(self) -> dict[str, registry.Values]:
        keys = [computer.NAME_KEY, OWED_KEY]
        return registry.read(self.shell, self.shell.run(registry.reading(keys)), keys)

    def _wanted(self, before: Services, owed: Mapping[str, Any] | None) -> str:
        """The state to reach; the state that is there already where nothing is to be done."""
        wanted = self.wish.state
        if wanted == "restarted" and self.wish.only_if_owed and owed is None:
            return "as_it_is"
        reached = {
            "running": before.up,
            "stopped": before.down,
            "failed_over": before.failed_over,
            "failed_back": before.up,
        }
        if wanted == "running" and before.failed_over:
            raise Refused(
                f"The services of {self.shell.endpoint.name} were failed over, and are disabled. state: "
                "failed_back brings "
                "them back, with their users"
            )
        return "as_it_is" if reached.get(wanted, False) else wanted

    def _steps(self, before: Services, wanted: str, owed: Mapping[str, Any] | None) -> list[_Step]:
        over = self._fails_over(wanted)
        down = self._fail_over() if over else self._stop()
        up = self._fail_back() if over or before.failed_over else self._start()
        return {
            "as_it_is": [],
            "running": [self._start()],
            "failed_back": [up],
            "stopped": [down],
            "failed_over": [down],
            # What has been stopped since it was owed, such as by a restart that was interrupted, need not be
            # stopped again.
            "restarted": [up]
            if before.down or before.failed_over or (owed and owed["stopped"])
            else [down, up],
        }[wanted]

    def _fails_over(self, wanted: str) -> bool:
        if wanted in ("failed_over", "failed_back"):
            for cmdlet in (pools.FAIL_OVER, pools.FAIL_BACK):
                if not pools.offers(self.shell, cmdlet):
                    raise cmdlet_not_offered(self.shell.endpoint, cmdlet)
            return True
        if wanted != "restarted" or self.wish.method == "drain":
            return False
        offered = pools.offers(self.shell, pools.FAIL_OVER)
        if self.wish.method == "failover" and not offered:
            raise cmdlet_not_offered(self.shell.endpoint, pools.FAIL_OVER)
        # Failing over needs other Front Ends, and Windows Fabric, that take the users.
        return offered and self._outline().kind is Kind.FRONT_ENDS and len(self._outline().members) > 1

    def _stop(self) -> _Step:
        graceful = {"Graceful": Switch.PRESENT} if self.wish.graceful else {}
        command = Command("Stop-CsWindowsService", {**graceful, "NoWait": Switch.PRESENT, "Confirm": False})
        return _Step(command, lambda: self._take_down(command), takes_down=True)

    def _start(self) -> _Step:
        command = Command("Start-CsWindowsService", {"NoWait": Switch.PRESENT, "Confirm": False})
        return _Step(command, lambda: self._bring_up(command, SETTLE_AFTER_DRAINING))

    def _fail_over(self) -> _Step:
        wait = datetime.timedelta(seconds=self.wish.drain_timeout)
        command = Command(pools.FAIL_OVER, {"ComputerName": self.name, "WaitTime": wait, "Confirm": False})
        return _Step(command, lambda: self._take_over(command), takes_down=True)

    def _fail_back(self) -> _Step:
        wait = datetime.timedelta(seconds=self.wish.start_timeout)
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
            pools.offers(self.shell, cmdlet) for cmdlet in pools.READINESS
        )
        return Kind.FRONT_ENDS if has_fabric else kind

    def _given(self) -> PoolState | None:
        if self.wish.pool_state is None:
            return None
        try:
            return from_dict(self.wish.pool_state)
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
                f"The look at the pool {state.pool} is {span_text(age)} old, and servers may have gone down "
                "since. Run pool_info "
                "right before"
            )
        return state

    def _readiness(self) -> Readiness | None:
        return pools.readiness(self.shell) if self._outline().kind is Kind.FRONT_ENDS else None

    def _guard(self, check_mode: bool) -> None:
        for left in range(self.wish.busy_tries, 0, -1):
            state, ready = self._seen(), self._readiness()
            against = objections(state, self.name, ready)
            busy = ready is not None and ready.state == BUSY and len(against) == 1
            if busy and left > 1 and not check_mode and self.wish.pool_state is None:
                # Microsoft's procedure: wait, ask again, and take a pool that stays busy for ill.
                self.clock.sleep(self.wish.busy_wait)
                continue
            if against:
                raise Refused(f"{self.name} is not stopped: {'; '.join(against)}")
            if len(state.members) == 1:
                self.warnings.append(
                    f"{self.name} is the only server of {state.pool}: its users are without service "
                    "meanwhile."
                )
            return

    # -- acting ----------------------------------------------------------------------------------------------

    def _send(self, command: Command) -> bool:
        """Whether the command is known to have been carried out; raises what the server said against it."""
        try:
            results = self.shell.run(command, changes=True)
        except (LostInMidCommand, TimedOut) as lost:
            self.warnings.append(str(lost))
            return False
        if results.errors:
            cause, found = self.shell.classify(results.errors[0]), pools.own_services(self.shell)
            raise failed(f"{cause} {_described(found)}", self._with(found), cause)
        return True

    def _take_down(self, command: Command) -> None:
        sure = self._send(command)
        if not sure and pools.own_services(self.shell).up:
            raise self._failure(
                f"{self.warnings[-1]} Looked at since: all services run, so that nothing was stopped."
            )
        self._await(
            lambda found: found.down,
            self.wish.drain_timeout,
            "are not stopped; calls and conferences may still be draining",
        )

    def _take_over(self, command: Command) -> None:
        sure = self._send(command)
        found = pools.own_services(self.shell)
        if not found.failed_over:
            said = "" if sure else f"{self.warnings[-1]} Looked at since: "
            raise self._failure(
                f"{said}{command.name} did not fail the computer over. {_described(found)}", found
            )
        # What the session lost goes on there.
        self._await(
            lambda found: found.failed_over and not found.stopping,
            self.wish.drain_timeout,
            "are not stopped; calls and conferences may still be draining",
        )

    def _bring_up(self, command: Command, settling: float) -> None:
        self._send(command)
        self._await(lambda found: found.up, self.wish.start_timeout, "do not run")
        if self.wish.state != "running":
            self._await_ready(settling if self.wish.settle is None else self.wish.settle)

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
            self.clock.sleep(min(self.wish.interval, left))

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
        limit = self.wish.start_timeout + 2 * settle_for
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
                    f"The services run again, but {span_text(limit)} later the pool is not settled "
                    f"({ready.state}). Look at "
                    "Get-CsPoolFabricState before anything else of it is touched."
                )
            until = deadline if ready_since is None else min(deadline, ready_since + settle_for)
            self.clock.sleep(min(self.wish.interval, max(until - now, 0)))

    def _failure(self, sentence: str, found: Services | None = None) -> Exception:
        return failed(sentence, self._with(found or pools.own_services(self.shell)))

    def _with(self, found: Services) -> dict[str, Any]:
        """The result as it stands with these services."""
        return {**self.result, "after": {"services": _summary(found)}, "services": found.states}

    # -- the note --------------------------------------------------------------------------------------------

    def _owe(self, owed: Mapping[str, Any] | None, check_mode: bool) -> dict[str, Any]:
        # A note that is half settled speaks of an earlier repair, and the whole restart is owed again; one without a
        # reason was never finished.
        noted = owed is not None and bool(owed["reason"]) and not owed["stopped"]
        commands = () if noted else note(self._now(), self.wish.reason)
        states = {"restart_owed": noted}, {"restart_owed": True}
        changed = ["restart_owed"] if commands else []
        result = {
            **outcome(self.shell, "server_services", *states, changed, {"restart_owed": _REASON}, commands),
            "computer": self.name,
            "restart_owed": owed,
        }
        if check_mode or not commands:
            return result
        results = self.shell.run(*commands, changes=True)
        found = read_owed(self._keys())
        if found is None or results.errors:
            said = (
                str(self.shell.classify(results.errors[0]))
                if results.errors
                else "it is not there when read back"
            )
            raise failed(f"The note that a restart is owed could not be made: {said}", result)
        return {**result, "status": "corrected", "restart_owed": found}

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.clock.time(), datetime.timezone.utc)

    def _note_half_way(self) -> None:
        """Without this an interrupted restart is made again as a whole; nothing worse comes of a failure."""
        try:
            self.shell.run(half_way(self._now()), changes=True)
        except (LostInMidCommand, TimedOut) as lost:
            self.warnings.append(str(lost))

    def _forgive(self) -> None:
        results = self.shell.run(settle(), changes=True)
        # A worker that outlived an interrupted run may have taken the note away already.
        refused = [report for report in results.errors if report.category != "ObjectNotFound"]
        if refused:
            cause = self.shell.classify(refused[0])
            raise failed(
                f"The services were restarted, but the note that it is owed stays: {cause}",
                self.result,
                cause,
            )


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
