# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whether Front Ends get A/V credentials from their Edge, and what their traces say when they do not.

The trace lines are those of the article "It's About Time" (confusedamused.com); the frame around them is that
of published records of Lync Server 2010 and of centralized logging, see the README.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from lab.deployment.certificates import AV_AUTHENTICATION, HeldCertificates
from lab.deployment.services import MEDIA_RELAY_AUTHENTICATION, REGISTRAR, ServiceControl
from lab.deployment.topology import Pool, Topology
from lab.windows.machine import ALIVE, Machine

TRANSACTION_TIMEOUT = "0xc3e93f5b"
#: Records of what happened before the lab began: as far back as a search looks by itself.
_PAST_SECONDS = 1500.0


@dataclass(frozen=True)
class TraceRecord:
    """One record of a computer's trace; ``shown`` is its own UTC then, ``local`` what the record bears."""

    computer: str
    pool: str
    shown: datetime.datetime
    local: datetime.datetime
    severity: str  # 'error' or 'warning'
    call_id: str
    body: tuple[str, ...]

    def text(self, sequence: int) -> str:
        level = {"error": "TL_ERROR", "warning": "TL_WARN"}[self.severity]
        host = self.computer.partition(".")[0]
        time = f"{self.local:%m/%d/%Y-%H:%M:%S}.{self.local.microsecond // 1000:03}.{sequence:08X}"
        head = (
            f"{level}(TF_DIAG) [{self.pool.partition('.')[0]}\\{host}]06E4.0EB4::{time} "
            "(SIPStack,SIPAdminLog::WriteDiagnosticEvent:SIPAdminLog.cpp(830)) $$begin_record"
        )
        return "\r\n".join(
            (head, "LogType: diagnostic", f"Severity: {self.severity}", *self.body, "$$end_record")
        )


@dataclass
class MediaAuthentication:
    """A/V authentication (MRAS) of all pools.

    It takes a running service, clocks that agree, and certificates that are valid by the computers' own clocks: an
    Edge's private key of AudioVideoAuthentication makes the credentials, and the Edges of a pool share it.

    ``tolerance``: by how many seconds a Front End's clock and its Edge's may differ; ``period``: seconds
    between two attempts, each of which leaves two records when it fails.
    """

    topology: Topology
    control: ServiceControl
    machine: Callable[[str], Machine]
    monotonic: Callable[[], float]
    tolerance: float
    period: float
    certificates: Callable[[str], HeldCertificates]
    logged: Callable[[str, float], bool]  # whether a computer traces what happens then

    records: list[TraceRecord] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._next = self.monotonic() - _PAST_SECONDS

    def reset(self) -> None:
        self.records.clear()
        self._next = self.monotonic() - _PAST_SECONDS

    def failing(self, pool: Pool) -> list[str]:
        """The running Front Ends of the pool that get no credentials."""
        if pool.is_edge or pool.edge is None:
            return []
        edge = self.topology.pool(pool.edge)
        assert edge is not None
        edges = [self.machine(computer.fqdn) for computer in edge.computers]
        return [fqdn for fqdn in self.control.active(pool) if not self._served(self.machine(fqdn), edges)]

    def _served(self, front_end: Machine, edges: list[Machine]) -> bool:
        running = [edge for edge in edges if edge.is_running(MEDIA_RELAY_AUTHENTICATION)]
        return (
            bool(running)
            and all(
                _knows_its_clock(front_end, REGISTRAR)
                and _knows_its_clock(edge, MEDIA_RELAY_AUTHENTICATION)
                and abs(front_end.clock.error() - edge.clock.error()) <= self.tolerance
                and self._trust_each_other(front_end, edge)
                for edge in running
            )
            and self._take_each_others_tokens(running)
        )

    def _trust_each_other(self, front_end: Machine, edge: Machine) -> bool:
        """The certificates of their TLS connection are valid, by both clocks."""
        presented = (
            self.certificates(front_end.fqdn).assigned.current.get("Default"),
            self.certificates(edge.fqdn).assigned.current.get("Internal"),
        )
        moments = (front_end.clock.now(), edge.clock.now())
        return all(
            certificate is not None and certificate.valid_at(moment)
            for certificate in presented
            for moment in moments
        )

    def _take_each_others_tokens(self, edges: list[Machine]) -> bool:
        """Each Edge issues tokens with a certificate that is valid by its clock, and that all of them hold."""
        for edge in edges:
            issuing = self.certificates(edge.fqdn).assigned.current.get(AV_AUTHENTICATION)
            if issuing is None or not issuing.has_private_key or not issuing.valid_at(edge.clock.now()):
                return False
            for other in edges:
                accepted = self.certificates(other.fqdn).assigned.accepted(AV_AUTHENTICATION)
                if issuing.thumbprint not in [certificate.thumbprint for certificate in accepted]:
                    return False
        return True

    def settle(self) -> None:
        """Write down the attempts that have failed since somebody looked."""
        now = self.monotonic()
        moments = []
        while self._next <= now:
            moments.append(self._next)
            self._next += self.period
        if not moments:
            return
        for pool in self.topology.pools.values():
            if pool.edge is None:
                continue
            for fqdn in self.failing(pool):
                for moment in moments:
                    if not self.logged(fqdn, moment):
                        continue
                    self.records.extend(self._attempt(pool, self.machine(fqdn), now - moment))

    def _attempt(self, pool: Pool, machine: Machine, ago: float) -> Iterator[TraceRecord]:
        shown = machine.clock.now() - datetime.timedelta(seconds=ago)
        call_id = hashlib.md5(f"{machine.fqdn} {shown}".encode(), usedforsecurity=False).hexdigest()
        common = (machine.fqdn, pool.fqdn, shown, machine.zone.local(shown))
        yield TraceRecord(
            *common,
            "error",
            call_id,
            (
                "Text: Message expired in the outbound queue before it could be sent",
                f"Result-Code: {TRANSACTION_TIMEOUT} SIPPROXY_E_TRANSACTION_TIMEOUT",
                f"SIP-Start-Line: SERVICE sip:{pool.edge}:5062;grid SIP/2.0",
                f"SIP-Call-ID: {call_id}",
                f"Peer: {pool.edge}:5062",
            ),
        )
        user = next((u for u in self.topology.users if u.pool == pool.fqdn), None)
        address = user.sip_address if user else f"sip:user@{self.topology.sip_domains[0]}"
        gruu = f"{address};opaque=user:epid:uZWEVFe3nFqIKFtM_NzmFwAA;gruu"
        yield TraceRecord(
            *common,
            "warning",
            call_id,
            (
                "Text: Message or one of its headers caused SIP transaction processing error",
                f"Data: Transaction Time-out: Type [2] Method [0x40] Call-Id [{call_id}\\n] RUri[{gruu}] "
                f"From[{address};tag={call_id[:8].upper()}] To[{address};tag={call_id[8:18]}]",
            ),
        )


def _knows_its_clock(machine: Machine, service: str) -> bool:
    """The process runs, and began after the clock was last moved by much."""
    held = machine.service(service)
    return held is not None and held.status in ALIVE and held.clock_epoch == machine.clock_epoch
