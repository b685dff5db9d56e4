# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A few Windows computers with a clock, a registry, W32Time and Lync services, as far as the clock and pool
rooms look at them.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CannotConnect,
    CommandError,
    Endpoint,
    LostInMidCommand,
    classify_report,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    RemoteObject,
    Results,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import w32time
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.computer import NAME_KEY, ZONE_KEY
from unit.scripted import ScriptedClock, remote

ZONES = {
    "Central Standard Time": -360,
    "Mountain Standard Time": -420,
    "UTC": 0,
    "W. Europe Standard Time": 60,
}
W32 = w32time.SERVICE_KEY
STATUS = """\
Leap Indicator: {leap}(x)
Stratum: {stratum} (x)
Precision: -23 (119.209ns per tick)
Root Delay: 0.0312500s
Root Dispersion: 0.0100000s
ReferenceId: 0x0A00000A (x)
Last Successful Sync Time: 5/23/2023 7:51:39 PM
Source: {source}
Poll Interval: 10 (1024s)

Phase Offset: 0.0000000s
ClockRate: 0.0156250s
State Machine: 2 (x)
Time Source Flags: 0 (x)
Server Role: 0 (x)
Last Sync Error: {error} (x)
Time since Last Good Sync Time: 15.7s
"""


class Refuses(Exception):
    def __init__(
        self,
        message: str,
        category: str = "InvalidOperation",
        fqid: str = "",
        target: str | None = None,
        exception_type: str = "",
    ) -> None:
        self.message, self.category, self.fqid, self.target = message, category, fqid, target
        self.exception_type = exception_type


def missing(what: str, fqid: str) -> Refuses:
    return Refuses(f"Cannot find {what}.", "ObjectNotFound", fqid, what)


def login_failed() -> Refuses:
    return Refuses("Login failed.", "PermissionDenied", exception_type="System.Data.SqlClient.SqlException")


@dataclass
class Service:
    status: str = "Running"
    start: int = 2
    """When it reaches ``next_status``; hangs where that is never."""
    due: float = 0.0
    next_status: str | None = None


@dataclass
class Pool:
    fqdn: str
    version: int = 6
    services: tuple[str, ...] = ("Registrar", "UserServer")
    computers: list[Windows] = field(default_factory=list)
    busy_until: float = 0.0
    busy_for: float = 0.0
    draining: float = 30.0
    starting: float = 60.0
    hangs: set[str] = field(default_factory=set)
    history: list[str] = field(default_factory=list)
    most_down: int = 0

    def down(self) -> list[str]:
        return [
            computer.fqdn for computer in self.computers if computer.service_status("RTCSRV") != "Running"
        ]

    def happened(self, what: str) -> None:
        self.history.append(what)
        self.most_down = max(self.most_down, len(self.down()))


class Windows:
    """One computer and the session to it; a `shell.ManagementShell`."""

    def __init__(
        self, clock: ScriptedClock, fqdn: str = "fe01.contoso.com", pool: Pool | None = None
    ) -> None:
        self.clock, self.fqdn, self.pool = clock, fqdn, pool
        if pool is not None:
            pool.computers.append(self)
        self.offset = 0.0
        self.delay = 0.004
        self.jumps: list[float] = []
        self.zone = "Central Standard Time"
        self.source: Callable[[], float | None] = lambda: 0.0
        self.emulator = "dc01.contoso.com"  # the domain controller that the domain's time comes from
        self.time_servers: dict[str, float | None] = {self.emulator: 0.0}
        self.sync_error = 0
        self.w32time: Service | None = Service()
        host, _, domain = fqdn.partition(".")
        self.registry: dict[str, dict[str, Any]] = {
            NAME_KEY: {"Hostname": host, "Domain": domain},
            ZONE_KEY: {},
            W32: {"Start": 2},
            W32 + r"\Parameters": {"Type": "NT5DS", "NtpServer": ""},
            W32 + r"\Config": {
                "MinPollInterval": 10,
                "MaxPollInterval": 15,
                "MaxPosPhaseCorrection": -1,
                "MaxNegPhaseCorrection": -1,
            },
            W32 + r"\TimeProviders\NtpClient": {"SpecialPollInterval": 3600},
        }
        self.services = {name: Service() for name in ("W3SVC", "RTCSRV", "RTCAVMCU", "REPLICA")}
        self.offers = set(_OFFERS[pool.version if pool else 5])
        self.second_hop = True
        self.breaks: set[str] = set()
        self.ends = True  # whether the final state of what broke is received in the end
        self.goes_after: str | None = None  # with this command the server is gone
        self.is_gone = False
        self.unreadable: set[str] = set()  # keys of the registry
        self.refuses: dict[str, Refuses] = {}  # by command
        self.sent: list[str] = []
        self.written: list[str] = []

    # -- the session -----------------------------------------------------------------------------------------

    @property
    def endpoint(self) -> Endpoint:
        return Endpoint(
            f"https://{self.fqdn}:5986/wsman",
            self.fqdn,
            self.fqdn,
            "admin",
            "ntlm",
            "Microsoft.PowerShell",
        )

    def classify(self, report: ErrorReport) -> CommandError:
        return classify_report(report, self.endpoint)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        return ()

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        return frozenset({"Confirm"}) if cmdlet in self.offers else None

    def server_version(self) -> str | None:
        return None

    def take_warnings(self) -> list[str]:
        return []

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        self.clock.passes(self.delay / 2)
        if self.is_gone:
            raise CannotConnect(self.endpoint, "no route to host")
        output: list[Any] = []
        errors: list[ErrorReport] = []
        for command in commands:
            text = command.as_text()
            self.sent.append(text)
            if changes and not command.name.startswith("Get-") and "/g" not in command.arguments:
                self.written.append(text)
            try:
                said = self._execute(command)
            except Refuses as refused:
                said = [refused]
            output += [item for item in said if not isinstance(item, Refuses)]
            errors += [
                ErrorReport(
                    item.message, item.category, item.fqid, item.exception_type, item.target, command.name
                )
                for item in said
                if isinstance(item, Refuses)
            ]
            if command.name == self.goes_after and changes:
                self.is_gone = True
                raise LostInMidCommand(self.endpoint, [command.name], "the line broke")
            if command.name in self.breaks and changes:
                self.breaks.discard(command.name)
                raise LostInMidCommand(self.endpoint, [command.name], "the line broke", ended=self.ends)
        self.clock.passes(self.delay / 2)
        return Results(tuple(output), tuple(errors))

    def _execute(self, command: Command) -> list[Any]:
        if command.name in self.refuses:
            raise self.refuses[command.name]
        if command.name in ("w32tm", "tzutil", "klist", "nltest", "sc.exe"):
            return self._program(command.name, [str(argument) for argument in command.arguments])
        handler = getattr(self, "_" + command.name.replace("-", "_").lower(), None)
        if handler is None:
            raise Refuses(
                f"The term {command.name} is not recognized",
                "ObjectNotFound",
                "CommandNotFoundException",
                command.name,
            )
        return handler(dict(command.parameters)) or []

    # -- Windows itself --------------------------------------------------------------------------------------

    def now(self) -> float:
        return self.clock.time() + self.offset

    def _get_date(self, given: dict[str, Any]) -> list[Any]:
        if self.jumps:
            self.offset += self.jumps.pop(0)
        return [datetime.datetime.fromtimestamp(self.now(), datetime.timezone.utc)]

    def _set_date(self, given: dict[str, Any]) -> list[Any]:
        """SetLocalTime takes a local time in the zone that is set now."""
        local = datetime.datetime.fromisoformat(given["Date"]).replace(tzinfo=datetime.timezone.utc)
        self.offset = local.timestamp() - 60 * ZONES[self.zone.removesuffix("_dstoff")] - self.clock.time()
        return self._get_date({})

    def _get_itemproperty(self, given: dict[str, Any]) -> list[Any]:
        """Nothing for a key without values, an error for each that does not exist."""
        there, identifier = (
            self._all_keys(),
            "PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand",
        )
        denied = "Requested registry access is not allowed."
        return [
            Refuses(denied, "PermissionDenied", "System.Security.SecurityException", key)
            if key in self.unreadable
            else self._key(key)
            if key in there
            else missing(key, identifier)
            for key in given["LiteralPath"]
            if there.get(key, True) or key == ZONE_KEY or key in self.unreadable
        ]

    def _all_keys(self) -> dict[str, dict[str, Any]]:
        own = r"HKLM:\SYSTEM\CurrentControlSet\Services"
        return {
            **self.registry,
            **{rf"{own}\{name}": {"Start": each.start} for name, each in self.services.items()},
        }

    def _key(self, key: str) -> RemoteObject:
        path = "Microsoft.PowerShell.Core\\Registry::" + key.replace("HKLM:", "HKEY_LOCAL_MACHINE")
        values = dict(self._all_keys()[key])
        if key == ZONE_KEY:
            values["ActiveTimeBias"] = -ZONES[self.zone.removesuffix("_dstoff")]
        return remote(
            "System.Management.Automation.PSCustomObject",
            **values,
            PSPath=path,
            PSChildName=key.rpartition("\\")[2],
        )

    def _new_item(self, given: dict[str, Any]) -> list[Any]:
        key = f"{given['Path']}\\{given['Name']}"
        if "Force" in given or key not in self.registry:
            self.registry[key] = {}
        return []

    def _new_itemproperty(self, given: dict[str, Any]) -> list[Any]:
        if given["LiteralPath"] not in self.registry:
            raise missing(
                given["LiteralPath"], "PathNotFound,Microsoft.PowerShell.Commands.NewItemPropertyCommand"
            )
        self.registry[given["LiteralPath"]][given["Name"]] = given["Value"]
        return [self._key(given["LiteralPath"])]

    def _remove_itemproperty(self, given: dict[str, Any]) -> list[Any]:
        if given["Name"] not in self.registry.get(given["LiteralPath"], {}):
            raise missing(given["Name"], "System.Management.Automation.PSArgumentException")
        del self.registry[given["LiteralPath"]][given["Name"]]
        return []

    def _remove_item(self, given: dict[str, Any]) -> list[Any]:
        if self.registry.pop(given["LiteralPath"], None) is None:
            raise missing(
                given["LiteralPath"], "PathNotFound,Microsoft.PowerShell.Commands.RemoveItemCommand"
            )
        return []

    def _get_service(self, given: dict[str, Any]) -> list[Any]:
        if self.w32time is None:
            raise missing(
                "W32Time", "NoServiceFoundForGivenName,Microsoft.PowerShell.Commands.GetServiceCommand"
            )
        return [remote("System.ServiceProcess.ServiceController", Name="W32Time", Status=self.w32time.status)]

    def _start_service(self, given: dict[str, Any]) -> list[Any]:
        assert self.w32time is not None
        self.w32time.status = "Running"
        return []

    def _restart_service(self, given: dict[str, Any]) -> list[Any]:
        return self._start_service(given)

    def _stop_service(self, given: dict[str, Any]) -> list[Any]:
        assert self.w32time is not None
        self.w32time.status = "Stopped"
        return []

    def _set_service(self, given: dict[str, Any]) -> list[Any]:
        self.registry[W32]["Start"] = {"Automatic": 2, "Manual": 3, "Disabled": 4}[given["StartupType"]]
        return []

    def _program(self, name: str, arguments: list[str]) -> list[Any]:
        if name == "klist":
            return ["Current LogonId is 0:0x3e7", "Ticket(s) purged!"]
        if name == "sc.exe":
            self._sc(arguments)
            return []
        if name == "tzutil":
            return self._tzutil(arguments)
        if name == "nltest":
            return [
                rf"           DC: \\{self.emulator}",
                r"      Address: \10.0.0.10",
                "        Flags: PDC GC DS",
            ]
        if arguments[0] == "/register":
            self.w32time = Service("Stopped")
        elif self.w32time is None or self.w32time.status != "Running":
            code = "0x80070424" if self.w32time is None else "0x80070426"
            if "/update" in arguments or arguments[0] != "/config":
                return [f"The following error occurred: ({code})"]
        if arguments[0] == "/config":
            self._w32tm_config(arguments)
        if arguments[0] == "/resync":
            return self._w32tm_resync()
        if arguments[:2] == ["/query", "/status"]:
            leap, stratum = (0, 3) if self.source() is not None else (3, 0)
            return STATUS.format(
                leap=leap, stratum=stratum, source="dc01.contoso.com", error=self.sync_error
            ).splitlines()
        if arguments[0] == "/stripchart":
            truth = self.time_servers.get(arguments[1].removeprefix("/computer:"))
            line = "error: 0x800705B4" if truth is None else f"{truth - self.offset:+011.7f}s"
            return ["Tracking x [10.0.0.1:123].", *([f"09:00:00, {line}"] * 3)]
        return ["The command completed successfully."]

    def _sc(self, arguments: list[str]) -> None:
        words = {word: numbers for numbers, word in w32time.TRIGGERS.items()}
        for key in [key for key in self.registry if key.startswith(W32 + r"\TriggerInfo")]:
            del self.registry[key]
        for number, word in enumerate(word for word in arguments[2:] if word in words):
            kind, action = words[word]
            self.registry[rf"{W32}\TriggerInfo\{number}"] = {"Type": kind, "Action": action}

    def _tzutil(self, arguments: list[str]) -> list[Any]:
        if arguments[0] == "/g":
            return [self.zone]
        if arguments[0] == "/s":
            if arguments[1].removesuffix("_dstoff") not in ZONES:
                raise Refuses("The time zone ID is invalid.", "NotSpecified", "NativeCommandError")
            self.zone = arguments[1]
            return []
        return [line for zone in ZONES for line in (f"(UTC) {zone} in words", zone, "")]

    def _w32tm_config(self, arguments: list[str]) -> None:
        parameters = self.registry[W32 + r"\Parameters"]
        names = {"manual": "NTP", "domhier": "NT5DS", "all": "AllSync", "no": "NoSync"}
        for argument in arguments:
            if argument.startswith("/syncfromflags:"):
                parameters["Type"] = names[argument.partition(":")[2]]
            if argument.startswith("/manualpeerlist:"):
                parameters["NtpServer"] = argument.partition(":")[2]

    def _w32tm_resync(self) -> list[Any]:
        truth = self.source()
        limit = self.registry[W32 + r"\Config"]["MaxPosPhaseCorrection"] % 2**32
        if truth is None:
            self.sync_error = 1
        elif abs(truth - self.offset) > limit and limit != 2**32 - 1:
            self.sync_error = 4
        else:
            self.sync_error, self.offset = 0, truth
        return ["Sending resync command to local computer", "(an answer in some language)"]

    # -- Lync ------------------------------------------------------------------------------------------------

    def service_status(self, name: str) -> str:
        service = self.services[name]
        if service.next_status and self.clock.monotonic() >= service.due:
            service.status, service.next_status = service.next_status, None
        return service.status

    def _target(self, given: dict[str, Any]) -> Windows:
        name = given.get("ComputerName", self.fqdn)
        if name == self.fqdn:
            return self
        if not self.second_hop:
            raise login_failed()
        assert self.pool is not None
        return next(each for each in self.pool.computers if each.fqdn == name)

    def _get_cswindowsservice(self, given: dict[str, Any]) -> list[Any]:
        there = self._target(given)
        return [
            remote(Name=name, Status=there.service_status(name), RoleName=[name]) for name in there.services
        ]

    def _change(self, pending: str, final: str, seconds: float) -> None:
        for name, service in self.services.items():
            if self.service_status(name) != final:
                hangs = self.pool is not None and f"{self.fqdn}:{name}" in self.pool.hangs
                service.status, service.next_status = pending, final
                service.due = float("inf") if hangs else self.clock.monotonic() + seconds

    def _stop_cswindowsservice(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        self._change("StopPending", "Stopped", self.pool.draining if "Graceful" in given else 0)
        self.pool.happened(f"stop {self.fqdn}")
        return []

    def _start_cswindowsservice(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        self._change("StartPending", "Running", self.pool.starting)
        self.pool.busy_until = self.clock.monotonic() + self.pool.starting + self.pool.busy_for
        self.pool.happened(f"start {self.fqdn}")
        return []

    def _invoke_cscomputerfailover(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        for service in self.services.values():
            service.status, service.start, service.next_status = "Stopped", 4, None
        self.pool.happened(f"fail over {self.fqdn}")
        return []

    def _invoke_cscomputerfailback(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        for service in self.services.values():
            service.start = 2
        self._change("StartPending", "Running", self.pool.starting)
        self.pool.happened(f"fail back {self.fqdn}")
        return []

    def _readiness(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        busy = self.clock.monotonic() < self.pool.busy_until or self.pool.down()
        domains = ["Microsoft.Rtc.Management.Hadr.UpgradeDomain" for _computer in self.pool.computers]
        return [remote(PoolUpgradeState="Busy" if busy else "Ready", UpgradeDomains=domains)]

    _get_cspoolupgradereadinessstate = _get_csupgradedomaininfo = _readiness

    def _get_cspoolfabricstate(self, given: dict[str, Any]) -> list[Any]:
        return ["Replicas:", "all there"]

    def _get_cspool(self, given: dict[str, Any]) -> list[Any]:
        if not self.second_hop:
            raise login_failed()
        assert self.pool is not None
        names = [each.fqdn for each in self.pool.computers]
        services = [f"{role}:{self.pool.fqdn}" for role in self.pool.services]
        return [
            remote(
                Identity=self.pool.fqdn,
                Fqdn=self.pool.fqdn,
                Services=services,
                Computers=sorted(names, reverse=True),
                Site="Site:Redmond",
            )
        ]

    def _get_cscomputer(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        return [
            remote(Identity=each.fqdn, Fqdn=each.fqdn, Pool=self.pool.fqdn) for each in self.pool.computers
        ]

    def _get_csservice(self, given: dict[str, Any]) -> list[Any]:
        assert self.pool is not None
        return [
            remote(
                Identity=f"{role}:{self.pool.fqdn}",
                PoolFqdn=self.pool.fqdn,
                Role=role,
                Version=self.pool.version,
                **({"BackupRegistrar": None} if role == "Registrar" else {}),
            )
            for role in self.pool.services
        ]

    def _test_csavedgeconnectivity(self, given: dict[str, Any]) -> list[Any]:
        return [
            remote(
                TargetFqdn=given["TargetFqdn"], Result="Success", Latency="00:00:01", Error="", Diagnosis=""
            )
        ]


_OFFERS = {
    5: (),
    6: ("Get-CsPoolUpgradeReadinessState", "Get-CsPoolFabricState", "Test-CsAVEdgeConnectivity"),
    7: (
        "Get-CsPoolUpgradeReadinessState",
        "Get-CsPoolFabricState",
        "Test-CsAVEdgeConnectivity",
        "Invoke-CsComputerFailOver",
        "Invoke-CsComputerFailBack",
    ),
    8: (
        "Get-CsUpgradeDomainInfo",
        "Get-CsPoolFabricState",
        "Test-CsAVEdgeConnectivity",
        "Invoke-CsComputerFailOver",
        "Invoke-CsComputerFailBack",
    ),
}


def deployment(clock: ScriptedClock, servers: int, version: int = 6, **changes: Any) -> Pool:
    """A pool of Front Ends; a pool of one is a Standard Edition server."""
    names = [f"fe{number:02}.contoso.com" for number in range(1, servers + 1)]
    pool = Pool(names[0] if servers == 1 else "pool01.contoso.com", version, **changes)
    for name in names:
        Windows(clock, name, pool)
    return pool
