# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modelled deployment, as the protocol half and the cmdlets see it."""

from __future__ import annotations

import datetime
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from lab.assumed import Texts
from lab.contract import Account, Caller, Listener, Quotas, Runspace, Server, Timings, WsmanRefusal
from lab.deployment.certificates import Certificate, CertificateStore, HeldCertificates
from lab.deployment.faults import FAULTS
from lab.deployment.media_authentication import MediaAuthentication
from lab.deployment.runspace import LyncRunspace
from lab.deployment.services import ServiceControl, lync_services
from lab.deployment.store import CentralManagementStore
from lab.deployment.topology import Computer, Person, Pool, Topology
from lab.objects.values import plain
from lab.rbac import Role
from lab.windows.machine import AUTOMATIC, DISABLED, RUNNING, STOPPED, Facts, Machine
from lab.windows.time_service import TimeServer
from lab.windows.zones import Zone

ACCESS_DENIED = 5
#: Fault for a session configuration that does not exist (ERROR_WSMAN_INVALID_RESOURCE_URI).
UNKNOWN_RESOURCE = 2150858811

#: What a host with that PowerShell reports of itself: PSVersion, CLR, Windows build, PSRP version.
_FLAVOURS = {
    "2.0": ("2.0", "2.0.50727.5420", "6.1.7601.17514", "2.1"),
    "3.0": ("3.0", "4.0.30319.18408", "6.2.9200.16398", "2.2"),
    "4.0": ("4.0", "4.0.30319.34209", "6.3.9600.17400", "2.2"),
    "5.1": ("5.1.14393.1884", "4.0.30319.42000", "10.0.14393.1884", "2.3"),
}


@dataclass
class EndpointServer:
    """A computer's WinRM, or the web service of a pool. Implements :class:`lab.contract.Server`."""

    deployment: LyncDeployment
    name: str
    fqdn: str
    address: str
    computer: Computer  # whose settings it has
    people: Sequence[Person]
    listeners: Sequence[Listener]
    groups: Sequence[str]
    timings: Timings
    quotas: Quotas
    inventory_account: Account
    inventory_authentication: str
    accounts: Sequence[Account] = ()
    inventory_variables: Mapping[str, Any] = field(default_factory=dict)
    keytab: str | None = None
    members: Sequence[
        Computer
    ] = ()  # of a pool's web service: the Front Ends a load balancer spreads it over

    def __post_init__(self) -> None:
        self.powershell_version, self.clr_version, self.build_version, self.protocol_version = _FLAVOURS[
            self.computer.powershell_version
        ]

    @property
    def clock_offset_s(self) -> float:
        """The computer's clock less the domain controller's, in seconds."""
        error = self.deployment.machine(self._serving.fqdn).clock.error()
        return error - self.deployment.domain_controller.offset

    @property
    def down_s(self) -> float:
        """How long the computer still reboots, in seconds; a pool's web service is there while one of it is."""
        return self.deployment.down_s(self._serving.fqdn)

    @property
    def _serving(self) -> Computer:
        """The first of the computers that is soonest up."""
        return min(self.members or (self.computer,), key=lambda member: self.deployment.down_s(member.fqdn))

    def open_runspace(self, caller: Caller, path: str, configuration_name: str) -> Runspace:
        """A restricted runspace at /OcsPowershell, a full one at /wsman; see the contract for refusals."""
        if configuration_name.lower() not in ("", "microsoft.powershell"):
            raise WsmanRefusal(
                UNKNOWN_RESOURCE,
                "The WS-Management service cannot process the request. The resource URI "
                f"(http://schemas.microsoft.com/powershell/{configuration_name}) was not found in the "
                "WS-Management catalog.",
            )
        person = next((p for p in self.people if p.name.lower() == caller.account.lower()), None)
        constrained = path.lower().rstrip("/").endswith("/ocspowershell")
        may = person is not None and (bool(person.roles) if constrained else person.remote_shell)
        if person is None or not may:
            raise WsmanRefusal(ACCESS_DENIED, "Access is denied. ")
        self.deployment.settle()
        return LyncRunspace(self.deployment, self._serving, caller, person, constrained)


@dataclass
class LyncDeployment:
    """Everything of one deployment file. Implements :class:`lab.contract.Deployment`."""

    name: str
    version: str
    build: str
    license: str
    topology: Topology
    people: Sequence[Person]
    roles: Mapping[str, Role]  # by lower-case name
    store: CentralManagementStore
    texts: Texts
    granted: Mapping[tuple[str, str], str]  # noun and lower-case sam account name -> per-user policy
    policy_lag_s: float = 0.0
    time_servers: Mapping[str, TimeServer] = field(default_factory=dict)  # by lower-case name
    domain_controller: TimeServer = field(default_factory=lambda: TimeServer("dc01"))
    high_availability: Mapping[str, Any] = field(default_factory=dict)
    traces: Sequence[Mapping[str, Any]] = ()
    authority: str = "CA"  # who signs certificates
    rolled_properties: Mapping[str, str | None] = field(
        default_factory=lambda: {"effective_date": "EffectiveDate", "previous": "Previous"}
    )
    monotonic: Callable[[], float] = time.monotonic
    utc_now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.timezone.utc)

    def __post_init__(self) -> None:
        self.faults: Sequence[Mapping[str, Any]] = ()
        self.went_down: Callable[[], None] = lambda: None
        self.servers: Sequence[Server] = ()
        self.lock = threading.RLock()
        self._grants = dict(self.granted)
        self._created: dict[tuple[str, str], float] = {}
        self._machines: dict[str, Machine] = {}
        self._being_made: set[str] = set()
        self._file_says = [
            (thing, dict(vars(thing))) for thing in (*self.time_servers.values(), self.domain_controller)
        ]
        self._certificates = self._first_certificates()
        options = self.high_availability
        self.control = ServiceControl(
            self.topology,
            self.version,
            self.machine,
            self.monotonic,
            options.get("busy_seconds", 0.0),
            options.get("quorum_loss_seconds", 0.0),
            options.get("upgrade_domain_size"),
            lambda: self.went_down(),
        )
        self.media_authentication = MediaAuthentication(
            self.topology,
            self.control,
            self.machine,
            options.get("av_authentication_tolerance", 300.0),
            self.certificates,
        )

    def _first_certificates(self) -> CertificateStore:
        return CertificateStore(
            self.topology, self.version, self.utc_now(), self.authority, self.rolled_properties
        )

    @property
    def fault_kinds(self) -> Mapping[str, str]:
        return {kind: fault.help for kind, fault in FAULTS.items()}

    def inject(self, kind: str, server: Server | None, options: Mapping[str, str]) -> str:
        if kind not in FAULTS:
            raise ValueError(f"There is no fault {kind!r}; the kinds are {', '.join(FAULTS)}.")
        return FAULTS[kind].inject(kind, self, server, options)

    def status(self) -> Mapping[str, Any]:
        replicas = {}
        for replica in self.store.replicas.values():
            status = self.store.status(replica.fqdn)
            replicas[replica.fqdn] = {
                "up_to_date": status.up_to_date,
                "stuck": replica.stuck,
                "seconds": replica.seconds,
                "last_status_report": plain(status.last_status_report),
                "last_update_creation": plain(status.last_update_creation),
            }
        self.settle()
        failing = [
            f for pool in self.topology.pools.values() for f in self.media_authentication.failing(pool)
        ]
        policies: dict[str, dict[str, str]] = {}
        for (noun, name), policy in self._grants.items():
            policies.setdefault(name, {})[noun.removeprefix("Cs")] = policy
        unreachable = self.store.unreachable
        content = self.store.local(self.topology.central_management) if unreachable else self.store.state
        return {
            "name": self.name,
            "version": self.version,
            "build": self.build,
            "central_management": self.topology.central_management,
            "central_management_reachable": not unreachable,
            "settings": {
                noun: [
                    {"Identity": identity, **plain(dict(values))}
                    for _, (identity, values) in sorted(held.items())
                ]
                for noun, held in sorted(content.items())
            },
            "replicas": replicas,
            "pools": {
                pool.fqdn: {
                    "site": pool.site,
                    "kind": pool.kind,
                    "computers": [c.fqdn for c in pool.computers],
                }
                for pool in self.topology.pools.values()
            },
            "computers": {
                fqdn: _computer_status(machine) for fqdn, machine in sorted(self._machines.items())
            },
            "events": [text for _, text in self.control.events],
            "av_authentication_fails": failing,
            "users": {
                user.sam_account_name: {
                    "sip_address": user.sip_address,
                    "pool": user.pool,
                    "policies": policies.get(user.sam_account_name.lower(), {}),
                }
                for user in self.topology.users
            },
        }

    def watch(self, tell: Callable[..., None]) -> None:
        self.control.tell = tell

    def reset(self) -> None:
        with self.control.lock, self.lock:
            self.store.reset()
            self._grants = dict(self.granted)
            self._created = {}
            for thing, values in self._file_says:
                vars(thing).update(values)
            self._machines = {}
            self._certificates = self._first_certificates()
            self.control.reset()

    def close(self) -> None:
        """Nothing runs in the background."""

    def machine(self, fqdn: str) -> Machine:
        """The computer of that name, which must be of the topology."""
        with self.lock:
            made = self._machines.get(fqdn.lower())
            if made is None:
                self._being_made.add(fqdn.lower())
                made = self._machines[fqdn.lower()] = self._made(fqdn)
                self._being_made.remove(fqdn.lower())
            return made

    def _reach(self, name: str) -> Machine | None:
        """The computer of that name, fully qualified or not; not one that is asked for while it is made."""
        wanted = name.lower()
        computer = next(
            (c for c in self.topology.computers() if wanted in (c.fqdn.lower(), c.host_name.lower())), None
        )
        if computer is None or computer.fqdn.lower() in self._being_made:
            return None
        return self.machine(computer.fqdn)

    def down_s(self, fqdn: str) -> float:
        """How long the computer of that name still reboots, in seconds."""
        self.settle()
        made = self._machines.get(fqdn.lower())  # one that nobody has looked at is up
        until = None if made is None else made.down_until
        return 0.0 if until is None else max(until - self.monotonic(), 0.0)

    def _made(self, fqdn: str) -> Machine:
        computer = self.topology.computer(fqdn)
        pool = self.topology.pool(computer.pool) if computer else None
        assert computer is not None
        assert pool is not None
        empty: Mapping[str, Any] = {}
        services = computer.windows.get("services", empty)
        number = self.topology.computers().index(computer) + 1
        facts = Facts(
            computer.fqdn,
            f"10.0.{number // 250}.{number % 250}",
            computer.powershell_version,
            pool.is_edge,
            computer.windows.get("clock", empty),
            computer.windows.get("time_service", empty),
            services,
            self.time_servers,
            self.domain_controller,
            self._reach,
            self.high_availability.get("av_authentication_tolerance", 300.0),
        )
        machine = Machine(facts, self.utc_now, self.monotonic)
        disabled = {name.lower() for name in services.get("disabled", ())}
        stopped = {name.lower() for name in services.get("stopped", ())} | disabled
        troubles = {
            name.lower(): trouble
            for trouble, key in (("fails", "fail"), ("hangs", "hang"))
            for name in services.get(key, ())
        }
        activity = {name.lower(): number for name, number in services.get("activity", {}).items()}
        for service in lync_services(pool, self.topology, self.version):
            key = service.name.lower()
            service.status = STOPPED if key in stopped else RUNNING
            service.activity = activity.get(key, 0)
            service.zone = machine.zone.name
            machine.add_service(service, DISABLED if key in disabled else AUTOMATIC)
        for key, trouble in troubles.items():
            if key in machine.services:
                machine.services[key].trouble = trouble
        return machine

    def certificates(self, fqdn: str) -> HeldCertificates:
        """What the computer of that name holds, by its own clock."""
        computer = self.topology.computer(fqdn)
        pool = self.topology.pool(computer.pool) if computer else None
        assert computer is not None
        assert pool is not None
        with self.lock:
            return self._certificates.of(computer, pool)

    def rolling_shown(
        self, effective: datetime.datetime | None, previous: bool, zone: Zone
    ) -> dict[str, Any]:
        return self._certificates.shown(effective, previous, zone)

    def other_certificate(self, names: Sequence[str], days_old: float, days_left: float) -> Certificate:
        """One that somebody had before."""
        return self._certificates.bring(names, self.utc_now(), days_old, days_left)

    def settle(self) -> None:
        """Let everything happen that has become due."""
        self.control.settle()

    def roles_of(self, person: Person) -> list[Role]:
        return [self.roles[name.lower()] for name in person.roles]

    def granted_policy(self, noun: str, sam_account_name: str) -> str | None:
        """The per-user policy granted to a user (kept in Active Directory), without ``Tag:``."""
        return self._grants.get((noun, sam_account_name.lower()))

    def grant(self, noun: str, sam_account_name: str, policy: str | None) -> None:
        with self.lock:
            if policy is None:
                self._grants.pop((noun, sam_account_name.lower()), None)
            else:
                self._grants[noun, sam_account_name.lower()] = policy

    def is_granted(self, noun: str, policy: str) -> bool:
        with self.lock:
            return any(n == noun and p.lower() == policy.lower() for (n, _), p in self._grants.items())

    def note_creation(self, noun: str, policy: str) -> None:
        """A per-user policy cannot be granted until Active Directory has it (``policy_lag_seconds``)."""
        self._created[noun, policy.lower()] = self.monotonic()

    def is_grantable(self, noun: str, policy: str) -> bool:
        created = self._created.get((noun, policy.lower()))
        return created is None or self.monotonic() >= created + self.policy_lag_s


def _computer_status(machine: Machine) -> Mapping[str, Any]:
    """Of a computer that somebody has looked at; the others are as their file says."""
    last = machine.time_service.last
    return {
        "clock_error": round(machine.clock.error(), 7),
        "time_zone": machine.zone.setting,
        "time_source": last.source if last else None,
        "last_sync_error": machine.time_service.outcome.value,
        "down": machine.down_until is not None,
        "services": {service.name: service.status for service in machine.services.values()},
    }


def group_name(pool: Pool) -> str:
    """The inventory group of a pool: its host name, made of letters Ansible allows."""
    return pool.fqdn.partition(".")[0].replace("-", "_").lower()
