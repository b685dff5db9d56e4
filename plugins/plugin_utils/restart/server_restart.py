# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module server_restart: one server's whole restart, which nobody else's in its outage domain gets in the way of.

Looking and stopping belong together. The server is marked before anything else is done to it; then the marks and the
services of its whole outage domain are read, by the peers' own sessions. Who sees a mark of somebody else does not go
on. Of two who see each other the one on the lower FQDN waits for the other to withdraw; which of them was earlier
says nothing, since clocks may be what is wrong.
"""

from __future__ import annotations

import datetime
import secrets
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..powershell.ordinal import ordinal_key, same_name
from ..result.drift import Reason
from ..result.refusals import ChangeFailed, Refused
from ..result.result import Result, computer_result
from ..result.severity import Severity
from ..result.spans import span_text
from ..result.status import Status
from ..topology import pools
from ..topology.outage_domains import OutageDomain, outage_domain
from ..topology.pool_state import BUSY, Member, PoolState, Readiness, objections
from ..topology.quorum import Kind
from ..topology.services import Services
from ..windows import computer, registry, restart_note, stopping_mark
from ..windows.kerberos_tickets import PURGE_TICKETS
from ..windows.stopping_mark import MARK_KEY, Mark
from .acting import Acting, Step, Waits, summary
from .peers import Inventory, Peer, Rival, query_peers, rivals
from .processes import is_dead, this_process

RESOURCE = "server_restart"
_RESTARTED = "running, restarted"

# How long somebody else who has seen our mark may take to withdraw his: a few requests.
_WITHDRAWAL = 30.0

_REASON = Reason(
    Severity.HIGH,
    "Services that have run since before a repair keep the zone and the tickets of the wrong clock.",
)


class BeingRestarted(Refused):
    """Somebody else restarts a server of the outage domain."""


@dataclass(frozen=True)
class Request:
    """``pools``: of the topology. ``computer``: the FQDN that the server must have, where that is known.
    ``management_host``: who knows what the server's own session may not read. ``take_over``: FQDNs of servers whose
    marks count no more. ``interrupted_wait``: seconds.
    """

    pools: Sequence[PoolState]
    computer: str | None
    management_host: str | None
    only_if_restart_pending: bool
    method: str
    graceful: bool
    accept_fabric_warnings: bool
    take_over: Sequence[str]
    interrupted_wait: float
    waits: Waits


def remediate(envelope: Envelope, request: Request, inventory: Inventory, clock: Clock = time) -> Result:
    """Raises Refused, ChangeFailed, CmdletNotOffered, UnknownTopology, and the wire's errors."""
    return _Restart(envelope, request, inventory, clock).run()


class _Restart:
    def __init__(self, envelope: Envelope, request: Request, inventory: Inventory, clock: Clock) -> None:
        self.envelope, self.request, self.inventory, self.clock = envelope, request, inventory, clock
        self.shell = envelope.shell
        self.here = this_process()
        self.token = secrets.token_hex(8)
        self.name = self.shell.endpoint.name
        self.marked = False

    def run(self) -> Result:
        keys = self._keys()
        self._identify(keys)
        note = restart_note.read_note(keys)
        before = pools.own_services(self.shell)
        self.before, self.note = before, note
        if self.request.only_if_restart_pending and note is None:
            return self.envelope.expects(self._result(summary(before), []))
        self.envelope.expects(self._result(summary(before), []))
        self.domain: OutageDomain = outage_domain(self.request.pools, self.name)
        found = self.domain.pool_of(self.name)
        self.pool = replace(found, kind=pools.stricter(self.shell, found.kind))
        self.acting = Acting(
            self.envelope, self.name, before, self.request.waits, lambda: self.pool, self._seen, self.clock
        )
        steps = self.acting.restart(
            self.request.method,
            graceful=self.request.graceful,
            stopped=note is not None and note["stopped"] is not None,
        )
        commands = [
            *(PURGE_TICKETS if note else ()),
            *(step.command for step in steps),
            *([restart_note.removing()] if note else []),
        ]
        self.envelope.expects(self._result(_RESTARTED, commands))
        self.takes_down = any(step.takes_down for step in steps)
        self._check_beforehand(stopping_mark.read(keys))
        if self.envelope.check_mode:
            return self.envelope.known
        return self._change(keys, steps, commands)

    # -- what is known ---------------------------------------------------------------------------------------

    def _keys(self) -> Mapping[str, registry.Values]:
        keys = [computer.NAME_KEY, restart_note.NOTE_KEY, MARK_KEY]
        return registry.read(self.shell, self.shell.run(registry.reading(keys)), keys)

    def _identify(self, keys: Mapping[str, registry.Values]) -> None:
        said = computer.name(keys)
        if said is None:
            raise Refused(f"{self.name} does not say which computer it is", Status.UNKNOWN)
        if self.request.computer is not None and not same_name(said, self.request.computer):
            raise Refused(
                f"{self.name} is {self.request.computer} in the plan, and says that it is {said}",
                Status.UNKNOWN,
            )
        self.name = said

    def _result(self, after: str, commands: Sequence[Command]) -> Result:
        states = {"services": summary(self.before)}, {"services": after}
        changed = ["services"] if commands else []
        result = computer_result(
            self.shell.endpoint.name, RESOURCE, *states, changed, {"services": _REASON}, commands
        )
        result = result.with_details(
            computer=self.name, services=self.before.states, restart_pending=self.note, peers=[]
        )
        return result.warned(*self.envelope.known.warnings)

    def _query_peers(self) -> tuple[Peer, ...]:
        others = [each for each in self.domain.computers if not same_name(each, self.name)]
        found = query_peers(self.inventory, others)
        self.peers = found
        self.envelope.expects(self.envelope.known.with_details(peers=[each.as_dict() for each in found]))
        return found

    def _seen(self) -> PoolState:
        """The pool as its members say that it is now."""
        return self._as_seen(self._query_peers(), pools.own_services(self.shell))

    def _as_seen(self, peers: Sequence[Peer], own: Services) -> PoolState:
        said = {ordinal_key(each.computer): each for each in peers}
        members = [
            Member(each.computer, found.running, found.states, found.trouble)
            if (found := said.get(ordinal_key(each.computer)))
            else Member(each.computer, own.takes_part, own.states)
            for each in self.pool.members
        ]
        return replace(self.pool, members=tuple(members))

    # -- whether it may be stopped ---------------------------------------------------------------------------

    def _check_beforehand(self, own: Sequence[Mark]) -> None:
        """What can be seen to be impossible is found out before anything is written, and in check mode."""
        for left in range(self.request.waits.busy_tries, 0, -1):
            standing, _over = self._rivals(own, self._query_peers() if self.takes_down else ())
            if standing:
                raise BeingRestarted(f"{self.name} is not restarted: {self._said(standing)}")
            if not self.takes_down:
                return
            readiness = self._readiness()
            against = self._objections(readiness)
            busy = readiness is not None and readiness.state == BUSY and len(against) == 1
            if busy and left > 1 and not self.envelope.check_mode:
                # Microsoft's procedure: wait, ask again, and take a pool that stays busy for ill.
                self.clock.sleep(self.request.waits.busy)
                continue
            self._refuse(against)
            if len(self.pool.members) == 1:
                alone = f"{self.name} is the only server of {self.pool.pool}: its users are without service meanwhile."
                self.envelope.expects(self.envelope.known.warned(alone))
            return

    def _readiness(self) -> Readiness | None:
        """Windows Fabric's word on the pool; a server that does not take part any more has none to lose."""
        return pools.readiness(self.shell) if self._asks_fabric() else None

    def _asks_fabric(self) -> bool:
        return self.pool.kind is Kind.FRONT_ENDS and len(self.pool.members) > 1 and self.before.takes_part

    def _objections(self, readiness: Readiness | None) -> list[str]:
        seen = self._as_seen(self.peers, self.before)
        if self._asks_fabric():
            found = objections(seen, self.name, readiness) + self._of_fabric()
        else:
            found = objections(replace(seen, kind=_without_fabric(seen.kind)), self.name, None)
        own_pool = {ordinal_key(each.computer) for each in self.pool.members}
        for peer in self.peers:
            if ordinal_key(peer.computer) in own_pool or peer.running:
                continue
            pool = self.domain.pool_of(peer.computer).pool
            found.append(
                f"whether {peer.computer} of {pool} runs, which stands in for it, is not known ({peer.trouble})"
                if peer.running is None
                else f"{peer.computer} of {pool}, which stands in for it, is down"
            )
        return found

    def _of_fabric(self) -> list[str]:
        try:
            state = self._fabric()
        except ManagementShellError as unknown:
            return [f"what Windows Fabric says of {self.pool.pool} is not known ({unknown})"]
        if state is None:
            return [f"what Windows Fabric says of {self.pool.pool} is not known"]
        if state.warnings and not self.request.accept_fabric_warnings:
            return [f"Windows Fabric warns of {self.pool.pool}: {' '.join(state.warnings)}"]
        return []

    def _fabric(self) -> pools.FabricState | None:
        """By the server's own session, or by the management host's, where that one may not make the second hop."""
        try:
            return pools.fabric(self.shell, self.pool.pool)
        except pools.UNKNOWN:
            if self.request.management_host is None:
                raise
        with self.inventory.session(self.request.management_host) as shell:
            return pools.fabric(shell, self.pool.pool)

    def _refuse(self, against: Sequence[str]) -> None:
        if against:
            raise Refused(f"{self.name} is not stopped: {'; '.join(against)}")

    # -- marks -----------------------------------------------------------------------------------------------

    def _rivals(self, own: Sequence[Mark], peers: Sequence[Peer]) -> tuple[list[Rival], list[Rival]]:
        others = [mark for mark in own if mark.token != self.token]
        marks = [(self.name, others), *((each.computer, each.marks) for each in peers)]
        return rivals(marks, self._is_over)

    def _is_over(self, name: str, mark: Mark) -> bool:
        given_up = any(same_name(name, each) for each in self.request.take_over)
        return given_up or (mark.by is not None and is_dead(mark.by, self.here))

    def _said(self, standing: Sequence[Rival]) -> str:
        unknown = [each.computer for each in standing if not self._is_over(each.computer, each.mark)]
        said = "; ".join(each.described for each in standing)
        return (
            f"{said}. If that is not so any more, take_over with {', '.join(dict.fromkeys(unknown))} goes on"
        )

    def _claim(self, keys: Mapping[str, registry.Values]) -> None:
        """Mark the server, and make certain that nobody else has. Raises BeingRestarted and Refused, without a mark."""
        over = [mark for mark in stopping_mark.read(keys) if self._is_over(self.name, mark)]
        for command in stopping_mark.making_key(keys):
            self.envelope.write(command)
        self.marked = True
        self.envelope.write(stopping_mark.making(self.token, self._now(), self.here))
        for command in stopping_mark.removing(over):
            self.envelope.write(command)
        deadline = self.clock.monotonic() + _WITHDRAWAL
        while True:
            own = stopping_mark.read(self._keys())
            if not any(mark.token == self.token for mark in own):
                raise Refused(f"The mark on {self.name} could not be made, or was taken away", Status.UNKNOWN)
            standing, interrupted = self._rivals(own, self._query_peers() if self.takes_down else ())
            if not standing:
                break
            lost = min(each.rank for each in standing) < (ordinal_key(self.name), self.token)
            if lost or self.clock.monotonic() >= deadline:
                raise BeingRestarted(f"{self.name} is not restarted: {self._said(standing)}")
            self.clock.sleep(min(self.request.waits.interval, 1.0))
        if self.takes_down:
            self._outlast(interrupted)
            self._refuse(self._objections(self._readiness()))

    def _outlast(self, interrupted: Sequence[Rival]) -> None:
        """A process that died may have told a peer to stop just before: such a peer must have run for a while since."""
        elsewhere = [each for each in interrupted if not same_name(each.computer, self.name)]
        if not elsewhere:
            return
        waited = span_text(self.request.interrupted_wait)
        names = ", ".join(dict.fromkeys(each.computer for each in elsewhere))
        deadline = self.clock.monotonic() + self.request.interrupted_wait
        while self.clock.monotonic() < deadline:
            self.clock.sleep(min(self.request.waits.interval, max(deadline - self.clock.monotonic(), 0.0)))
            standing, _over = self._rivals((), self._query_peers())
            if standing:
                raise BeingRestarted(f"{self.name} is not restarted: {self._said(standing)}")
            self._refuse(self._objections(self._readiness()))
        left = (
            f"The restart of {names} was interrupted, and left its mark there. It has run for {waited} since."
        )
        self.envelope.expects(self.envelope.known.warned(left))

    def _is_marked(self, keys: Mapping[str, registry.Values]) -> bool:
        return any(mark.token == self.token for mark in stopping_mark.read(keys))

    def _unmark(self) -> bool:
        """Take the mark away; whether that is done. What may still be at work keeps it."""
        if not self.marked or not self.envelope.all_ended:
            return not self.marked
        own = [Mark(self.token, None, None)]
        self.marked = not all(self.envelope.write(each).went_through for each in stopping_mark.removing(own))
        return not self.marked

    # -- acting ----------------------------------------------------------------------------------------------

    def _change(
        self, keys: Mapping[str, registry.Values], steps: Sequence[Step], commands: Sequence[Command]
    ) -> Result:
        before, after = {"services": summary(self.before)}, {"services": _RESTARTED}
        change = Change(RESOURCE, self.name, "restart", before, after, Restorable.NO)
        marking = [*stopping_mark.making_key(keys), stopping_mark.making(self.token, self._now(), self.here)]
        self.envelope.begin(change, [*marking, *commands])
        try:
            self._claim(keys)
        except ManagementShellError as refused:
            outcome = self._withdrawn(refused)
            raise outcome from (refused if outcome is not refused else None)
        try:
            self._take(steps)
            return self._concluded()
        except ChangeFailed:
            raise
        except ManagementShellError as lost:
            self.envelope.expects(self.envelope.known.with_details(services={}))
            raise self.envelope.unread(self.name, lost) from lost

    def _withdrawn(self, refused: ManagementShellError) -> ManagementShellError:
        """What is left of an attempt that touched nothing but its mark."""
        if not self.envelope.has_written:
            return refused
        self.envelope.notice(refused)
        known = self.envelope.known
        if self._unmark():
            kept = replace(known, after=known.before, status=Status.DRIFTED, changed=False)
            return self.envelope.failed(str(refused), kept)
        command = registry.removing(MARK_KEY, self.token).as_text()
        return self.envelope.failed(
            f"{refused} But the mark of this attempt could not be taken away again. This does it: {command}",
            replace(known, status=Status.UNKNOWN, changed=True),
        )

    def _take(self, steps: Sequence[Step]) -> None:
        if self.note:
            for command in PURGE_TICKETS:
                self.envelope.write(command)
        try:
            for step in steps:
                self.acting.take(step)
                if step.takes_down and self.note:
                    # Without this an interrupted restart is made again as a whole; nothing worse comes of a failure.
                    self.envelope.write(restart_note.stopped(self._now()))
        except ChangeFailed:
            self._unmark()
            raise

    def _concluded(self) -> Result:
        found = pools.own_services(self.shell)
        if self.note and self.envelope.all_ended:
            # Where a command may still be at work the note stays, and the next run sees to it.
            self.envelope.write(restart_note.removing())
        self._unmark()
        keys = self._keys()
        if self._is_marked(keys) and self._unmark():
            keys = self._keys()
        note = restart_note.read_note(keys)
        mismatches = [Mismatch("restart_pending", None, note)] if note is not None else []
        if self._is_marked(keys):
            mismatches.append(Mismatch("mark", None, self.token))
        result = self.envelope.known.with_details(services=found.states, restart_pending=note)
        return self.envelope.conclude(
            f"The restart of {self.name}", {"services": _RESTARTED}, mismatches, result=result
        )

    def _now(self) -> datetime.datetime:
        return datetime.datetime.fromtimestamp(self.clock.time(), datetime.timezone.utc)


def _without_fabric(kind: Kind) -> Kind:
    """The kind by which a pool is judged of which a server is out already: one must be there, and none be down."""
    return Kind.OTHER if kind is Kind.FRONT_ENDS else kind
