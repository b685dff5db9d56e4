# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A simulated Windows computer: its clock, zone, registry and services."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from lab.windows.clock import Clock
from lab.windows.registry import Registry
from lab.windows.time_service import POLICY, SERVER, SERVICE, Outcome, TimeServer, TimeService
from lab.windows.zones import WINDOWS_ZONES, Zone, display_name, parse_zone

SERVICES = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services"
TIME_ZONE = r"HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"
TIME_ZONES = r"HKEY_LOCAL_MACHINE\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Time Zones"
TCPIP = f"{SERVICES}\\Tcpip\\Parameters"

AUTOMATIC, MANUAL, DISABLED = 2, 3, 4
START_MODES = {"automatic": AUTOMATIC, "manual": MANUAL, "disabled": DISABLED}

RUNNING, STOPPED = "Running", "Stopped"
START_PENDING, STOP_PENDING, PAUSED = "StartPending", "StopPending", "Paused"
#: A service that drains is paused; its process is still there.
ALIVE = (RUNNING, PAUSED, STOP_PENDING)

#: Last Sync Error of /query /status; which of 3 and 4 means what differs between sources, see the README.
SYNC_ERROR_CODES = {
    Outcome.SUCCESS: 0,
    Outcome.NO_DATA: 1,
    Outcome.STALE_DATA: 2,
    Outcome.SHUTTING_DOWN: 3,
    Outcome.CHANGE_TOO_BIG: 4,
}


@dataclass(eq=False)
class WindowsService:
    """A service of one computer. ``roles`` are those Get-CsWindowsService shows, empty for Windows' own services.

    ``trouble``: None, 'fails' (it stops again when started) or 'hangs' (it stays in StartPending).
    """

    name: str
    display_name: str
    roles: tuple[str, ...] = ()
    status: str = RUNNING
    trouble: str | None = None
    activity: int = 0
    attempt: int = 0  # of starting or stopping; what an older one had planned is void
    waits_for_pool: bool = False  # started, but its pool has no quorum
    clock_epoch: int = 0  # the computer's when the process began
    zone: str = ""  # which the process keeps as long as it lives

    @property
    def is_lync(self) -> bool:
        return bool(self.roles)


@dataclass(frozen=True)
class Facts:
    """What a deployment file says about one computer, and what it has from its surroundings."""

    fqdn: str
    address: str  # as time servers and their clients see it
    powershell_version: str
    in_workgroup: bool
    clock: Mapping[str, Any]
    time_service: Mapping[str, Any]
    services: Mapping[str, Any]
    time_servers: Mapping[str, TimeServer]
    domain_controller: TimeServer
    reach: Callable[[str], Machine | None]  # another computer of the deployment
    big_step: float  # a clock that is moved by more confuses the processes that run


class Machine:
    """One computer. Made when first looked at; everything in it follows from the file and the time since."""

    def __init__(
        self, facts: Facts, utc_now: Callable[[], datetime.datetime], monotonic: Callable[[], float]
    ) -> None:
        self.facts = facts
        self.monotonic = monotonic
        self.started = monotonic()
        self.fqdn = facts.fqdn
        self.down_until: float | None = None  # it reboots
        clock, service = facts.clock, facts.time_service
        zone = _zone_of(clock)
        offset = float(clock.get("offset", 0.0))
        flipped = clock.get("flipped_from")
        if flipped is not None:
            # Somebody changed the zone and kept what the wall clock shows.
            before = parse_zone(flipped)
            assert before is not None
            true = utc_now()
            offset += (before.offset(true) - zone.offset(true)).total_seconds()
        self.clock = Clock(utc_now, monotonic, offset, clock.get("drift_ppm", 0.0), clock.get("tick", 0.0))
        self.clock.jump_at((jump["reading"], jump["seconds"]) for jump in clock.get("jumps", ()))
        self.zone = zone
        self.clock_epoch = 0
        self.has_tzutil = bool(clock.get("tzutil", True))
        self.language: str = service.get("language", "en")
        self.decimal_comma = bool(service.get("decimal_comma", False))
        # That and how lines are broken, and in which code page they are read, is assumed.
        self.columns = int(service.get("columns", 1000))
        self.code_pages: tuple[str, str] = tuple(service.get("code_pages", ("utf-8", "utf-8")))
        self.precise = facts.powershell_version.startswith("5")
        self.stripchart_period = float(service.get("stripchart_seconds", 0.0))
        self.sync_error_codes = dict(SYNC_ERROR_CODES)
        if service.get("change_too_big", 4) == 3:
            self.sync_error_codes[Outcome.CHANGE_TOO_BIG] = 3
            self.sync_error_codes[Outcome.SHUTTING_DOWN] = 4
        self._registry = Registry()
        host = service.get("hyper_v_host")
        self.time_service = TimeService(
            self._registry,
            self.clock,
            self.time_server,
            None if facts.in_workgroup else facts.domain_controller,
            TimeServer("hypervisor", host.get("offset", 0.0), stratum=3, address="86.77.84.80")
            if host
            else None,
            float(service.get("correction_seconds", 0.0)),
            service.get("slew_seconds"),
        )
        self.services: dict[str, WindowsService] = {}
        self._depends_on: Mapping[str, Sequence[str]] = {
            name.lower(): others for name, others in facts.services.get("depends_on", {}).items()
        }
        self._fill_registry()
        self._configure_time_service()

    # what others ask

    @property
    def registry(self) -> Registry:
        """The registry, with what changes by itself brought up to date."""
        self._show_zone()
        return self._registry

    @property
    def host_name(self) -> str:
        return self.fqdn.partition(".")[0]

    def service(self, name: str) -> WindowsService | None:
        return self.services.get(name.lower())

    def start_seconds(self, service: WindowsService) -> float:
        """How long it takes to start; Windows' own services take no time."""
        return float(self.facts.services.get("start_seconds", 0.0)) if service.is_lync else 0.0

    def stop_seconds(self, service: WindowsService) -> float:
        """How long it takes to stop, without what it drains before."""
        return float(self.facts.services.get("stop_seconds", 0.0)) if service.is_lync else 0.0

    def drain_seconds(self, service: WindowsService) -> float:
        """How long it finishes what it has before it stops gracefully."""
        return float(self.facts.services.get("drain_seconds", 0.0)) if service.is_lync else 0.0

    def prerequisites(self, service: WindowsService) -> list[WindowsService]:
        """Services it depends on, those they depend on first."""
        found: dict[str, WindowsService] = {}
        for name in self._depends_on.get(service.name.lower(), ()):
            other = self.service(name)
            if other is not None:
                for each in (*self.prerequisites(other), other):
                    found[each.name] = each
        return list(found.values())

    def dependents(self, service: WindowsService) -> list[WindowsService]:
        """Services that depend on it, directly or not, those that nothing depends on first."""
        found = [other for other in self.services.values() if service in self.prerequisites(other)]
        return sorted(found, key=lambda other: -len(self.prerequisites(other)))

    def is_running(self, name: str) -> bool:
        service = self.service(name)
        return service is not None and service.status == RUNNING

    def add_service(self, service: WindowsService, start: int = AUTOMATIC) -> None:
        self.services[service.name.lower()] = service
        path = f"{SERVICES}\\{service.name}"
        self._registry.put(path, "DisplayName", service.display_name)
        if not self._registry.has(path, "Start"):
            self._registry.put(path, "Start", start)

    def start_mode(self, name: str) -> int:
        return int(self._registry.get(f"{SERVICES}\\{name}", "Start", MANUAL))

    def set_start_mode(self, name: str, mode: int) -> None:
        self._registry.put(f"{SERVICES}\\{name}", "Start", mode)

    def time_server(self, name: str) -> TimeServer | None:
        """Who answers NTP under that name; None where there is no such computer.

        Other computers of the deployment answer if their W32Time runs and its NtpServer is on.
        """
        domain = self.facts.domain_controller
        if name.lower() == domain.name.lower():
            return domain
        known = self.facts.time_servers.get(name.lower())
        if known is not None:
            return known
        other = self if name.lower() in (self.fqdn.lower(), "localhost") else self.facts.reach(name)
        return None if other is None else other.as_time_server()

    def as_time_server(self) -> TimeServer:
        """This computer as others see it on UDP port 123."""
        service = self.time_service
        answers = (
            self.down_until is None
            and self.is_running("W32Time")
            and bool(service.configured(SERVER, "Enabled", 0)[0])
        )
        stratum = service.last.stratum if service.last else 15
        return TimeServer(self.fqdn, self.clock.error(), answers, stratum, self.facts.address)

    # what changes the clock

    def synchronise(self) -> Outcome:
        before = self.clock.final_error()
        outcome = self.time_service.synchronise()
        self._note_step(self.clock.final_error() - before)
        return outcome

    def start_time_service(self) -> None:
        """W32Time's process begins: it reads its configuration and synchronises."""
        before = self.clock.final_error()
        self.time_service.start()
        self._note_step(self.clock.final_error() - before)

    def step_clock(self, seconds: float) -> None:
        self.clock.adjust(seconds)
        self._note_step(seconds)

    def set_clock_error(self, seconds: float) -> None:
        self._note_step(seconds - self.clock.final_error())
        self.clock.set_error(seconds)

    def set_zone(self, zone: Zone, keep_wall_clock: bool = False) -> None:
        """Another zone; UTC stays, unless what the wall clock shows is kept instead."""
        utc = self.clock.now()
        if keep_wall_clock:
            self.step_clock((self.zone.offset(utc) - zone.offset(utc)).total_seconds())
        self.zone = zone

    def _note_step(self, seconds: float) -> None:
        if abs(seconds) > self.facts.big_step:
            self.clock_epoch += 1

    # W32Time's registration

    def register_time_service(self) -> None:
        if not self.time_service.registered:
            self.time_service.register()
            self.add_service(WindowsService("W32Time", "Windows Time", status=STOPPED))

    def unregister_time_service(self) -> None:
        self.services.pop("w32time", None)
        self.time_service.unregister()

    # the beginning

    def _fill_registry(self) -> None:
        registry = self._registry
        host, _, domain = self.fqdn.partition(".")
        registry.put_all(
            TCPIP, {"Hostname": host, "NV Hostname": host, "Domain": domain, "NV Domain": domain}
        )
        registry.create(r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft")
        registry.create(TIME_ZONES)
        self._show_zone()

    def _show_zone(self) -> None:
        utc = self.clock.now()
        standard = -round(self.zone.standard_offset(utc).total_seconds() / 60)
        self._registry.put_all(
            TIME_ZONE,
            {
                "Bias": standard,
                "ActiveTimeBias": -round(self.zone.offset(utc).total_seconds() / 60),
                "DaylightBias": -60 if self.zone.daylight_saving else 0,
                "StandardBias": 0,
                "StandardName": self.zone.name,
                "DaylightName": self.zone.daylight_name,
                "TimeZoneKeyName": self.zone.name,
                "DynamicDaylightTimeDisabled": 0 if self.zone.daylight_saving else 1,
            },
        )

    def list_zones(self) -> None:
        """Fill the key with the zones the computer offers; it has some hundred subkeys that few look at."""
        utc = self.clock.now()
        for name in WINDOWS_ZONES:
            values = {"Std": name, "Dlt": Zone(name).daylight_name, "Display": display_name(name, utc)}
            self._registry.put_all(f"{TIME_ZONES}\\{name}", values)

    def _configure_time_service(self) -> None:
        """The state of W32Time in which the file wants it."""
        wanted, service = self.facts.time_service, self.time_service
        for section, values in wanted.get("policy", {}).items():
            self._registry.put_all(f"{POLICY}\\{section}", values)
        self.add_service(WindowsService("WinRM", "Windows Remote Management (WS-Management)"))
        if not wanted.get("registered", True):
            return
        service.register()
        registry = self._registry
        if "type" in wanted:
            registry.put(f"{SERVICE}\\Parameters", "Type", wanted["type"])
        if "peers" in wanted:
            registry.put(f"{SERVICE}\\Parameters", "NtpServer", wanted["peers"])
        if wanted.get("hyper_v_host") and "enabled" in wanted["hyper_v_host"]:
            enabled = int(wanted["hyper_v_host"]["enabled"])
            registry.put(f"{SERVICE}\\TimeProviders\\VMICTimeProvider", "Enabled", enabled)
        for section, values in wanted.get("registry", {}).items():
            registry.put_all(f"{SERVICE}\\{section}", values)
        registry.put(SERVICE, "Start", START_MODES[wanted.get("start", "automatic")])
        running = wanted.get("running", True)
        self.add_service(WindowsService("W32Time", "Windows Time", status=RUNNING if running else STOPPED))
        if running:
            ago = wanted.get("last_sync_seconds", 600)
            if ago == "never":
                service.load(restarted=True)
                service.forget()
            else:
                service.pretend_synchronised(float(ago))


def _zone_of(clock: Mapping[str, Any]) -> Zone:
    zone = parse_zone(clock.get("time_zone", "Pacific Standard Time"))
    assert zone is not None
    return Zone(zone.name, zone.daylight_saving and bool(clock.get("daylight_saving", True)))
