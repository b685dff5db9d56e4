# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Services of all computers: starting, draining, stopping, and the quorum of Front End pools.

Nothing runs in the background: what is due is done, in the order it was due, when somebody looks (``settle``).

Sources: Microsoft, "Topologies and components for Front End Servers" (Lync Server 2013) and "Front End Pool
high availability and management" (Skype for Business Server) for the quorum; the README says what is assumed.
"""

from __future__ import annotations

import heapq
import itertools
import threading
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from lab.deployment.topology import Pool, Topology
from lab.windows.machine import (
    ALIVE,
    AUTOMATIC,
    DISABLED,
    PAUSED,
    RUNNING,
    START_PENDING,
    STOP_PENDING,
    STOPPED,
    Machine,
    WindowsService,
)

REGISTRAR, MEDIATION = "RTCSRV", "RTCMEDSRV"
MEDIA_RELAY_AUTHENTICATION = "RTCMRAUTH"

#: Front Ends in a pool: how many to start it the first time, how many to stay functional, how many of the first
#: servers count for that.
QUORUM: Mapping[int, tuple[int, int, int]] = {
    2: (1, 1, 2),
    3: (3, 2, 3),
    4: (3, 2, 4),
    5: (4, 3, 5),
    6: (5, 3, 6),
    7: (5, 4, 7),
    8: (6, 4, 7),
    9: (7, 4, 7),
    10: (8, 5, 9),
    11: (9, 5, 9),
    12: (10, 5, 9),
}
#: 2019 has no pools of two, and rows of its own from 12 servers on; how many start one of 13 to 15 is assumed.
QUORUM_2019: Mapping[int, tuple[int, int, int]] = {
    **{size: rule for size, rule in QUORUM.items() if 2 < size < 12},
    **{size: (10 if size == 12 else 12, 7, 12) for size in range(12, 17)},
}

_2013, _2015 = ("2013", "2015", "2019", "SE"), ("2015", "2019", "SE")
_EVER = ("2010", *_2013)
#: Name, display name, roles and versions, in the order of Get-CsWindowsService's published samples.
_FRONT_END: Sequence[tuple[str, str, str, Sequence[str]]] = (
    ("W3SVC", "World Wide Web Publishing Service", "W3SVC", _EVER),
    ("MASTER", "Master Replicator Agent", "CentralManagement", _EVER),
    ("REPLICA", "Replica Replicator Agent", "Replica", _EVER),
    ("RTCCLSAGT", "Centralized Logging Service Agent", "ClsAgent", _2013),
    ("FabricHostSvc", "Windows Fabric Host Service", "FabricHost", _2013),
    ("RTCSRV", "Front-End", "Registrar UserServer EdgeServer", _EVER),
    ("RTCCAA", "Conferencing Attendant", "ApplicationServer", _EVER),
    ("RTCCAS", "Conferencing Announcement", "ApplicationServer", _EVER),
    ("RTCRGS", "Response Group", "ApplicationServer", _EVER),
    ("RTCCPS", "Call Park", "ApplicationServer", _EVER),
    ("RTCATS", "Audio Test Service", "ApplicationServer", _EVER),
    ("RTCIMMCU", "IM Conferencing", "ConferencingServer", _EVER),
    ("RTCMEETINGMCU", "Web Conferencing Compatibility", "ConferencingServer", ("2010",)),
    ("RTCDATAMCU", "Web Conferencing", "ConferencingServer", _EVER),
    ("RTCAVMCU", "Audio/Video Conferencing", "ConferencingServer", _EVER),
    ("RTCASMCU", "Application Sharing", "ConferencingServer", _EVER),
    ("RTCMEDSRV", "Mediation", "MediationServer", _EVER),
    ("FTA", "File Transfer Agent", "CentralManagement", _EVER),
    ("RTCXMPPTGW", "XMPP Translating Gateway", "XmppGateway", ("2013", "2015")),
    ("RTCHA", "Health Agent", "HealthAgent", _2015),
    ("LYNCBACKUP", "Backup Service", "BackupService", _2013),
)
_EDGE: Sequence[tuple[str, str, str, Sequence[str]]] = (
    ("REPLICA", "Replica Replicator Agent", "Replica", _EVER),
    ("RTCCLSAGT", "Centralized Logging Service Agent", "ClsAgent", _2013),
    ("RTCSRV", "Access Edge", "Registrar UserServer EdgeServer", _EVER),
    ("RTCDATAPROXY", "Web Conferencing Edge", "EdgeServer", _EVER),
    ("RTCMEDIARELAY", "Audio/Video Edge", "EdgeServer", _EVER),
    ("RTCMRAUTH", "Audio/Video Authentication", "EdgeServer", _EVER),
    ("RTCXMPPTGWPROXY", "XMPP Translating Gateway Proxy", "XmppGateway", ("2013", "2015")),
)
#: What a Director and a stand-alone Mediation Server have of a Front End's; assumed.
_OF_KIND = {
    "director": ("W3SVC", "REPLICA", "RTCCLSAGT", "RTCSRV"),
    "mediation": ("REPLICA", "RTCCLSAGT", "RTCMEDSRV"),
}
#: Listed among Lync's; no source says that they stop with them, so that they are left running.
FOREIGN = ("W3SVC", "FabricHostSvc")  # Windows' and Windows Fabric's own display names


def lync_services(pool: Pool, topology: Topology, version: str) -> list[WindowsService]:
    """The services of a computer of that pool."""
    product = "Skype for Business Server" if version in _2015 else "Lync Server"
    is_master = topology.central_management.lower() == pool.fqdn.lower()
    left_out = set() if is_master else {"MASTER", "FTA"}
    if pool.backup is None:
        left_out.add("LYNCBACKUP")
    return [
        WindowsService(name, text if name in FOREIGN else f"{product} {text}", tuple(roles.split()))
        for name, text, roles, versions in (_EDGE if pool.is_edge else _FRONT_END)
        if version in versions and name not in left_out and name in _OF_KIND.get(pool.kind, (name,))
    ]


class ServiceDisabled(Exception):
    """A service that is disabled cannot be started."""


@dataclass
class PoolHealth:
    """What a Front End pool's Windows Fabric remembers."""

    changed: float = float("-inf")  # when a Front End came or went
    last_down: str | None = None
    lost: bool = False  # the quorum was lost, and the pool has not run since


@dataclass(frozen=True)
class UpgradeDomain:
    name: str
    front_ends: tuple[str, ...]
    active: int
    ready: bool


@dataclass
class ServiceControl:
    """The services of a deployment. Thread safe."""

    topology: Topology
    version: str
    machine: Callable[[str], Machine]
    monotonic: Callable[[], float]
    busy_seconds: float = 0.0
    quorum_loss_seconds: float = 0.0
    upgrade_domain_size: int | None = None
    went_down: Callable[[], None] = lambda: None
    tell: Callable[..., None] = lambda *event, **details: None  # of lab.contract.Deployment.watch
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._agenda: list[tuple[float, int, Callable[[float], None]]] = []
        self._numbers = itertools.count()
        self._health: dict[str, PoolHealth] = {}
        self.events: list[tuple[float, str]] = []
        self.silent_sql_servers: set[str] = set()  # lower-case names

    # looking

    def settle(self) -> None:
        """Do what has become due."""
        with self.lock:
            while self._agenda and self._agenda[0][0] <= self.monotonic():
                due, _, action = heapq.heappop(self._agenda)
                action(due)

    def health(self, pool: Pool) -> PoolHealth:
        return self._health.setdefault(pool.fqdn.lower(), PoolHealth())

    def has_quorum_rules(self, pool: Pool) -> bool:
        """Front Ends of 2013 and later, two or more of them."""
        return pool.has_users and self.version != "2010" and len(pool.computers) in self._quorum

    @property
    def _quorum(self) -> Mapping[int, tuple[int, int, int]]:
        return QUORUM_2019 if self.version in ("2019", "SE") else QUORUM

    def active(self, pool: Pool) -> list[str]:
        """Members whose Front-End (or Access Edge) service runs, in the pool's order; a draining one still does."""
        return [c.fqdn for c in pool.computers if self._registrar(c.fqdn).status in ALIVE]

    def functional(self, pool: Pool, without: Iterable[str] = ()) -> bool:
        """Whether the pool keeps its quorum with what runs now, less those servers."""
        gone = set(without)
        running = [fqdn for fqdn in self.active(pool) if fqdn not in gone]
        if not self.has_quorum_rules(pool):
            return bool(running)
        first = {c.fqdn for c in pool.computers[: self._quorum[len(pool.computers)][2]]}
        return sum(fqdn in first for fqdn in running) >= self._to_stay(pool)

    def _to_stay(self, pool: Pool) -> int:
        """How many of the servers that count keep the pool functional.

        Where that is half of them, the SQL Server back end is the witness that makes a majority; without it one
        more server is needed.
        """
        _, to_stay, counted = self._quorum[len(pool.computers)]
        has_witness = 2 * to_stay == counted
        return to_stay + (has_witness and pool.sql_server.lower() in self.silent_sql_servers)

    def set_sql_server(self, name: str, answers: bool) -> None:
        """A back end goes or comes back; pools whose majority it made lose their quorum."""
        with self.lock:
            self.settle()
            now = self.monotonic()
            if answers:
                self.silent_sql_servers.discard(name.lower())
            else:
                self.silent_sql_servers.add(name.lower())
            self._event(now, f"{name} {'answers again' if answers else 'does not answer'}")
            for pool in self.topology.pools.values():
                if pool.sql_server.lower() == name.lower() and not pool.is_edge:
                    self._check_quorum(pool, now)
                    self._admit(pool, now)
            self.settle()

    def upgrade_domains(self, pool: Pool) -> list[UpgradeDomain]:
        """How servers are assigned is assumed: each its own up to five servers, two to a domain beyond that."""
        size = self.upgrade_domain_size or (1 if len(pool.computers) <= 5 else 2)
        names = [computer.fqdn for computer in pool.computers]
        active = set(self.active(pool))
        busy = self._is_busy(pool)
        domains = []
        for number, start in enumerate(range(0, len(names), size)):
            members = tuple(names[start : start + size])
            survives = len(names) == 1 or self.functional(pool, members)
            domains.append(
                UpgradeDomain(
                    f"UpgradeDomain{number}", members, len(active & set(members)), survives and not busy
                )
            )
        return domains

    def readiness(self, pool: Pool) -> str:
        """Ready, Busy or InsufficientActiveFrontEnds."""
        if self._is_busy(pool):
            return "Busy"
        names = [computer.fqdn for computer in pool.computers]
        enough = bool(self.active(pool)) and (
            len(names) == 1 or all(self.functional(pool, [name]) for name in names)
        )
        return "Ready" if enough else "InsufficientActiveFrontEnds"

    def _is_busy(self, pool: Pool) -> bool:
        return self.monotonic() < self.health(pool).changed + self.busy_seconds

    def _registrar(self, fqdn: str) -> WindowsService:
        """The service with which a computer takes part."""
        services = self.machine(fqdn).services
        return services.get(REGISTRAR.lower()) or services[MEDIATION.lower()]

    def _pool_of(self, machine: Machine) -> Pool:
        computer = self.topology.computer(machine.fqdn)
        pool = self.topology.pool(computer.pool) if computer else None
        assert pool is not None
        return pool

    # acting

    def stop(self, machine: Machine, service: WindowsService, seconds: float, draining: float = 0.0) -> None:
        """Begin to stop, after ``draining`` seconds in which the service takes no new requests."""
        with self.lock:
            self.settle()
            if service.status in (STOPPED, STOP_PENDING) or (service.status == PAUSED and draining):
                return

            def drained(machine: Machine, service: WindowsService, when: float) -> None:
                service.status = STOP_PENDING
                self._plan(machine, service, when + seconds, self._stopped)

            service.status = PAUSED if draining else STOP_PENDING
            now = self.monotonic()
            if draining:
                self._plan(machine, service, now + draining, drained)
            else:
                self._plan(machine, service, now + seconds, self._stopped)
            self.settle()

    def start(self, machine: Machine, service: WindowsService, seconds: float) -> None:
        """Begin to start; raises ServiceDisabled."""
        with self.lock:
            self.settle()
            if machine.start_mode(service.name) == DISABLED:
                raise ServiceDisabled(service.name)
            if service.status in (RUNNING, START_PENDING):
                return
            service.status = START_PENDING
            self._plan(machine, service, self.monotonic() + seconds, self._started)
            self.settle()

    def reboot(self, machine: Machine, seconds: float) -> None:
        """The computer goes down at once, and what starts automatically starts when it is back."""
        with self.lock:
            self.settle()
            now = self.monotonic()
            machine.down_until = now + seconds
            for service in machine.services.values():
                service.attempt += 1
                was_running, service.status = service.status, STOPPED
                if was_running != STOPPED:
                    self._gone(machine, service, now)
            self._event(now, f"{machine.fqdn} went down")
            self._at(now + seconds, lambda due: self._booted(machine, due))
            self.settle()
        self.went_down()

    def kill(self, machine: Machine) -> None:
        """All Lync services of a computer end at once."""
        served = self._registrar(machine.fqdn).status != STOPPED
        for service in machine.services.values():
            if not service.is_lync:
                continue
            service.attempt += 1
            service.waits_for_pool = False
            service.status = STOPPED
        if served:
            self._serves(machine, False)

    def reset(self) -> None:
        with self.lock:
            self._agenda = []
            self._health = {}
            self.events = []
            self.silent_sql_servers = set()

    def _plan(
        self,
        machine: Machine,
        service: WindowsService,
        due: float,
        then: Callable[[Machine, WindowsService, float], None],
    ) -> None:
        service.attempt += 1
        service.waits_for_pool = False
        attempt = service.attempt

        def act(due: float) -> None:
            if service.attempt == attempt:
                then(machine, service, due)

        self._at(due, act)

    def _at(self, due: float, action: Callable[[float], None]) -> None:
        heapq.heappush(self._agenda, (due, next(self._numbers), action))

    def _event(self, when: float, text: str) -> None:
        self.events.append((when, text))

    def _serves(self, machine: Machine, serves: bool) -> None:
        self.tell("computer", machine.fqdn, pool=self._pool_of(machine).fqdn, serves=serves)

    def _booted(self, machine: Machine, due: float) -> None:
        machine.down_until = None
        self._event(due, f"{machine.fqdn} came up")
        for service in machine.services.values():
            mode = machine.start_mode(service.name)
            starts = mode == AUTOMATIC
            if service.name == "W32Time":
                starts = mode != DISABLED and machine.time_service.runs_after_boot(starts)
            if starts:
                self.start(machine, service, 0.0)

    def _started(self, machine: Machine, service: WindowsService, when: float) -> None:
        if service.trouble == "fails":
            service.status = STOPPED
            self._event(when, f"{service.name} of {machine.fqdn} did not start")
        elif service.trouble == "hangs":
            return
        elif service.name == REGISTRAR and self.has_quorum_rules(self._pool_of(machine)):
            service.waits_for_pool = True
            self._admit(self._pool_of(machine), when)
        else:
            self._runs(machine, service, when)

    def _runs(self, machine: Machine, service: WindowsService, when: float) -> None:
        service.status = RUNNING
        service.waits_for_pool = False
        service.clock_epoch, service.zone = machine.clock_epoch, machine.zone.name
        if service.name == "W32Time":
            machine.start_time_service()
        if service is self._registrar(machine.fqdn):
            self.health(self._pool_of(machine)).changed = when
            self._serves(machine, True)

    def _stopped(self, machine: Machine, service: WindowsService, when: float) -> None:
        service.status = STOPPED
        self._gone(machine, service, when)

    def _gone(self, machine: Machine, service: WindowsService, when: float) -> None:
        if service is not self._registrar(machine.fqdn):
            return
        pool = self._pool_of(machine)
        health = self.health(pool)
        health.changed, health.last_down = when, machine.fqdn
        self._serves(machine, False)
        self._check_quorum(pool, when)

    def _check_quorum(self, pool: Pool, when: float) -> None:
        if self.has_quorum_rules(pool) and self.active(pool) and not self.functional(pool):
            self._at(when + self.quorum_loss_seconds, lambda due: self._lose(pool, due))

    def _lose(self, pool: Pool, when: float) -> None:
        """Below the functional level the remaining servers stop all services."""
        left = self.active(pool)
        if not left or self.functional(pool):
            return
        health = self.health(pool)
        health.lost, health.changed, health.last_down = True, when, left[-1]
        self._event(when, f"{pool.fqdn} lost its quorum; its remaining servers stopped all services")
        for fqdn in left:
            self.kill(self.machine(fqdn))

    def _admit(self, pool: Pool, when: float) -> None:
        """Let the Front-End services run that wait for their pool, if it has enough servers now."""
        if not self.has_quorum_rules(pool):
            return
        waiting = [c.fqdn for c in pool.computers if self._registrar(c.fqdn).waits_for_pool]
        if not waiting or not self._may_run(pool, waiting):
            return
        health = self.health(pool)
        health.lost = False
        for fqdn in waiting:
            self._runs(self.machine(fqdn), self._registrar(fqdn), when)

    def _may_run(self, pool: Pool, waiting: Sequence[str]) -> bool:
        to_start, _, counted = self._quorum[len(pool.computers)]
        to_stay = self._to_stay(pool)
        if self.functional(pool):
            return True
        ready = {*waiting, *self.active(pool)}
        health = self.health(pool)
        if self.active(pool):
            # As long as some run, those that come back in time restore what is needed to stay functional.
            return sum(c.fqdn in ready for c in pool.computers[:counted]) >= to_stay
        if len(ready) < to_stay:
            return False
        if len(pool.computers) == 2 and len(ready) == 1:
            # Both at once, or in the reverse order of going down.
            return health.last_down is None or health.last_down in ready
        return len(ready) >= to_start
