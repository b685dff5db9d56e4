# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""W32Time: configuration in the registry, the source that follows from it, and corrections with their limits.

Defaults and rules: Microsoft Learn, "Windows Time service tools and settings".
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from lab.windows.clock import Clock
from lab.windows.registry import Registry

SERVICE = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W32Time"
POLICY = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\W32Time"
CLIENT = r"TimeProviders\NtpClient"
SERVER = r"TimeProviders\NtpServer"
VM_PROVIDER = r"TimeProviders\VMICTimeProvider"
#: What makes the service correct the clock however wrong it is.
ALWAYS = 0xFFFFFFFF
FALLBACK_ONLY = 0x2
TYPES = ("NT5DS", "NTP", "AllSync", "NoSync")

_CONFIG = {
    "AnnounceFlags": 10,
    "EventLogFlags": 2,
    "FrequencyCorrectRate": 4,
    "HoldPeriod": 5,
    "LargePhaseOffset": 50000000,
    "LocalClockDispersion": 10,
    "MinPollInterval": 10,
    "MaxPollInterval": 15,
    "PollAdjustFactor": 5,
    "SpikeWatchPeriod": 900,
    "TimeJumpAuditOffset": 28800,
    "UtilizeSslTimeData": 1,
}
_MEMBER = {
    "MaxPosPhaseCorrection": ALWAYS,
    "MaxNegPhaseCorrection": ALWAYS,
    "MaxAllowedPhaseOffset": 300,
    "UpdateInterval": 30000,
    "PhaseCorrectRate": 1,
}
_ALONE = {
    "MaxPosPhaseCorrection": 54000,
    "MaxNegPhaseCorrection": 54000,
    "MaxAllowedPhaseOffset": 1,
    "UpdateInterval": 360000,
    "PhaseCorrectRate": 7,
}
#: Type and action of a trigger (winsvc.h). Only these are modelled.
Trigger = tuple[int, int]
NETWORK_ON, NETWORK_OFF, DOMAIN_JOIN, DOMAIN_LEAVE = (2, 1), (2, 2), (3, 1), (3, 2)
TRIGGER_WORDS: dict[str, Trigger] = {
    "start/networkon": NETWORK_ON,
    "stop/networkoff": NETWORK_OFF,
    "start/domainjoin": DOMAIN_JOIN,
    "stop/domainleave": DOMAIN_LEAVE,
}
_DLL = r"C:\Windows\system32\w32time.dll"


class Outcome(enum.Enum):
    """Of an attempt to synchronise."""

    SUCCESS = "success"
    NO_DATA = "no_data"
    STALE_DATA = "stale_data"
    SHUTTING_DOWN = "shutting_down"
    CHANGE_TOO_BIG = "change_too_big"


@dataclass
class TimeServer:
    """An NTP server somewhere. ``offset``: its time less true time in seconds; a lying one has a large one."""

    name: str
    offset: float = 0.0
    reachable: bool = True
    stratum: int = 2
    address: str = "192.0.2.1"


@dataclass(frozen=True)
class Peer:
    """One entry of NtpServer: ``ntp1.contoso.com,0x8``."""

    name: str
    flags: int | None

    @property
    def text(self) -> str:
        return self.name if self.flags is None else f"{self.name},0x{self.flags:x}"


def parse_peers(text: str) -> list[Peer]:
    """Entries separated by blanks, each with flags or without."""
    peers = []
    for entry in text.split():
        name, _, flags = entry.partition(",")
        try:
            peers.append(Peer(name, int(flags, 16) if flags else None))
        except ValueError:
            peers.append(Peer(name, None))
    return peers


@dataclass(frozen=True)
class Synchronisation:
    """The last time the clock was set by its source."""

    source: str
    address: str | None
    stratum: int  # of the computer, one more than its source's
    flags: int  # 1: authenticated, 2: hardware
    shown: datetime.datetime  # when, by the computer's own clock afterwards (UTC)
    monotonic: float


@dataclass(frozen=True)
class _Source:
    server: TimeServer
    name: str
    flags: int


@dataclass
class TimeService:
    """W32Time of one computer: what is configured, and what it made of it.

    ``host``: the time of the Hyper-V host, None on other machines.  ``correction_delay`` seconds pass from a
    synchronisation until the clock is set; ``slew`` is how long a small error is slewed, None for as long as Windows
    takes: a domain member was seen to slew 234 seconds in 468.
    """

    registry: Registry
    clock: Clock
    find: Callable[[str], TimeServer | None]  # who answers to a name now
    domain_controller: TimeServer | None  # None in a workgroup
    host: TimeServer | None = None
    correction_delay: float = 0.0
    slew: float | None = None

    def __post_init__(self) -> None:
        self.last: Synchronisation | None = None
        self.outcome = Outcome.SUCCESS
        self.phase_offset = 0.0
        self.in_force: dict[tuple[str, str], Any] = {}

    # configuration

    def register(self) -> None:
        """``w32tm /register``: the service's keys with the defaults of the computer's role."""
        member = self.domain_controller is not None
        registry = self.registry
        registry.put_all(
            SERVICE,
            {
                "DisplayName": "Windows Time",
                "ImagePath": r"%SystemRoot%\system32\svchost.exe -k LocalService",
                "Start": 3,
            },
        )
        for number, trigger in enumerate((DOMAIN_JOIN, DOMAIN_LEAVE)):
            self._put_trigger(number, trigger)
        parameters = {"ServiceDll": _DLL, "Type": "NT5DS" if member else "NTP"}
        if not member:
            parameters["NtpServer"] = "time.windows.com,0x1"
        registry.put_all(f"{SERVICE}\\Parameters", parameters)
        registry.put_all(f"{SERVICE}\\Config", {**_CONFIG, **(_MEMBER if member else _ALONE)})
        registry.put_all(
            f"{SERVICE}\\{CLIENT}",
            {
                "DllName": _DLL,
                "Enabled": 1,
                "InputProvider": 1,
                "CrossSiteSyncFlags": 2,
                "AllowNonstandardModeCombinations": 1,
                "ResolvePeerBackoffMinutes": 15,
                "ResolvePeerBackoffMaxTimes": 7,
                "CompatibilityFlags": 0x80000000,
                "EventLogFlags": 1,
                "LargeSampleSkew": 3,
                "SpecialPollInterval": 3600 if member else 604800,
            },
        )
        registry.put_all(
            f"{SERVICE}\\{SERVER}",
            {"DllName": _DLL, "Enabled": 0, "InputProvider": 0, "AllowNonstandardModeCombinations": 1},
        )
        if self.host is not None:
            registry.put_all(
                f"{SERVICE}\\{VM_PROVIDER}",
                {"DllName": r"C:\Windows\System32\vmictimeprovider.dll", "Enabled": 1, "InputProvider": 1},
            )

    def set_triggers(self, triggers: Sequence[Trigger]) -> None:
        """``sc triggerinfo``: these instead of all that were there."""
        self.registry.remove(f"{SERVICE}\\TriggerInfo")
        for number, trigger in enumerate(triggers):
            self._put_trigger(number, trigger)

    def _put_trigger(self, number: int, trigger: Trigger) -> None:
        kind, action = trigger
        self.registry.put_all(f"{SERVICE}\\TriggerInfo\\{number}", {"Type": kind, "Action": action})

    def _has_trigger(self, trigger: Trigger) -> bool:
        return trigger in [
            (self.registry.get(key, "Type"), self.registry.get(key, "Action"))
            for key in self.registry.subkeys(f"{SERVICE}\\TriggerInfo")
        ]

    def runs_after_boot(self, automatic: bool) -> bool:
        """A computer in no domain has "left" it as soon as it has started (KB 2385818)."""
        member = self.domain_controller is not None
        if not member and self._has_trigger(DOMAIN_LEAVE):
            return False
        return automatic or self._has_trigger(NETWORK_ON) or (member and self._has_trigger(DOMAIN_JOIN))

    def unregister(self) -> None:
        self.registry.remove(SERVICE)
        self.forget()

    @property
    def registered(self) -> bool:
        return self.registry.exists(SERVICE)

    def configured(self, section: str, name: str, default: Any = None) -> tuple[Any, bool]:
        """A value as it stands now, and whether a policy sets it."""
        if self.registry.has(f"{POLICY}\\{section}", name):
            return self.registry.get(f"{POLICY}\\{section}", name), True
        return self.registry.get(f"{SERVICE}\\{section}", name, default), False

    def load(self, restarted: bool) -> None:
        """Take over the configuration: all of it when the service starts.

        ``/update`` leaves two things to the next start: synchronising from the domain hierarchy, which is
        documented ("net stop w32time & net start w32time"), and the VM provider, which is what its users report.
        """
        fresh: dict[tuple[str, str], Any] = {}
        for section, name, default in (
            ("Parameters", "Type", "NoSync"),
            ("Parameters", "NtpServer", ""),
            ("Config", "MaxPosPhaseCorrection", ALWAYS),
            ("Config", "MaxNegPhaseCorrection", ALWAYS),
            ("Config", "MaxAllowedPhaseOffset", 300),
            ("Config", "MinPollInterval", 10),
            (CLIENT, "Enabled", 1),
            (CLIENT, "SpecialPollInterval", 3600),
            (VM_PROVIDER, "Enabled", 0),
        ):
            fresh[section, name] = self.configured(section, name, default)[0]
        if not restarted:
            kept = (VM_PROVIDER, "Enabled")
            fresh[kept] = self.in_force.get(kept, fresh[kept])
            held = self.in_force.get(("Parameters", "Type"))
            if held is not None and fresh["Parameters", "Type"] == "NT5DS":
                fresh["Parameters", "Type"] = held
        self.in_force = fresh

    # synchronising

    def forget(self) -> None:
        """The service was started anew and has synchronised with nothing yet."""
        self.last = None
        self.phase_offset = 0.0
        self.outcome = Outcome.NO_DATA

    def start(self) -> None:
        """The service has been started: it reads its configuration and looks for its source."""
        self.forget()
        self.load(restarted=True)
        self.synchronise()

    def synchronise(self) -> Outcome:
        """One attempt with the source in force."""
        source = self._source()
        if source is None:
            self.outcome = Outcome.NO_DATA
            return self.outcome
        needed = source.server.offset - self.clock.final_error()
        limit = self.in_force["Config", "MaxPosPhaseCorrection" if needed > 0 else "MaxNegPhaseCorrection"]
        if limit != ALWAYS and abs(needed) > limit:
            self.outcome = Outcome.CHANGE_TOO_BIG
            return self.outcome
        at_once = abs(needed) > self.in_force["Config", "MaxAllowedPhaseOffset"]
        slewing = 2 * abs(needed) if self.slew is None else self.slew
        self.clock.adjust(needed, self.correction_delay, 0.0 if at_once else slewing)
        self.phase_offset = 0.0 if at_once else needed
        self.note_success(source)
        return self.outcome

    def note_success(self, source: _Source, ago: float = 0.0) -> None:
        error = self.clock.final_error()
        shown = self.clock.utc_now() + datetime.timedelta(seconds=error - ago)
        self.last = Synchronisation(
            source.name,
            source.server.address,
            source.server.stratum + 1,
            source.flags,
            shown,
            self.clock.monotonic() - ago,
        )
        self.outcome = Outcome.SUCCESS

    def pretend_synchronised(self, ago: float) -> None:
        """As if the source in force had set the clock a while ago; what is wrong with the clock came later."""
        self.load(restarted=True)
        source = self._source()
        if source is None:
            self.forget()
        else:
            self.note_success(source, ago)

    def _source(self) -> _Source | None:
        """The source in force; the Hyper-V host comes first, as in what w32tm reports of such guests."""
        if self.host is not None and self.in_force.get((VM_PROVIDER, "Enabled")):
            return _Source(self.host, "VM IC Time Synchronization Provider", 3)
        kind = str(self.in_force.get(("Parameters", "Type"), "NoSync")).lower()
        if kind == "nosync" or not self.in_force.get((CLIENT, "Enabled")):
            return None
        domain = self.domain_controller
        if kind in ("nt5ds", "allsync") and domain is not None and domain.reachable:
            return _Source(domain, domain.name, 1)
        if kind in ("ntp", "allsync"):
            peers = parse_peers(str(self.in_force["Parameters", "NtpServer"]))
            for peer in sorted(peers, key=lambda p: bool((p.flags or 0) & FALLBACK_ONLY)):
                server = self.find(peer.name)
                if server is not None and server.reachable:
                    return _Source(server, peer.text, 0)
        return None
