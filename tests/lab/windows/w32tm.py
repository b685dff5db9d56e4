# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""w32tm: its command line, and what it prints.

Sources: Microsoft Learn, "Windows Time service tools and settings" (switches, /query /status /verbose);
published outputs of /query /configuration, /query /peers, /stripchart, /tz and /register; see the README.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import yaml

from lab.windows.registry import Registry
from lab.windows.time_service import (
    CLIENT,
    POLICY,
    SERVER,
    SERVICE,
    VM_PROVIDER,
    Outcome,
    TimeServer,
    TimeService,
)

if TYPE_CHECKING:
    from lab.windows.machine import Machine

INVALID_ARGUMENT = 0x80070057
NOT_STARTED = 0x80070426  # ERROR_SERVICE_NOT_ACTIVE
NOT_REGISTERED = 0x80070424  # ERROR_SERVICE_DOES_NOT_EXIST
TIMED_OUT = 0x800705B4  # ERROR_TIMEOUT
UNKNOWN_HOST = 0x80072AF9  # WSAHOST_NOT_FOUND
ACCESS_DENIED = 0x80070005  # E_ACCESSDENIED
NO_RPC_SERVER = 0x800706BA  # RPC_S_SERVER_UNAVAILABLE
NO_DOMAIN = 0x8007054B  # ERROR_NO_SUCH_DOMAIN
NO_KEY = 0x80070002  # ERROR_FILE_NOT_FOUND

#: Seconds of waiting; True when the client gave up meanwhile.
Wait = Callable[[float], bool]
#: The computer of ``/computer:``, or the code of the error that it cannot be reached.
Remote = Callable[[str], "Machine | int"]

#: Switches of each verb; ``/force`` is documented nowhere, and taken all the same.
_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "query": ("computer", "source", "configuration", "peers", "status", "verbose"),
    "resync": ("computer", "nowait", "rediscover", "soft", "force"),
    "config": (
        "computer",
        "update",
        "manualpeerlist",
        "syncfromflags",
        "localclockdispersion",
        "reliable",
        "largephaseoffset",
    ),
    "stripchart": ("computer", "period", "dataonly", "samples", "packetinfo", "ipprotocol", "rdtsc"),
    "monitor": ("domain", "computers", "threads", "ipprotocol", "nowarn"),
    "dumpreg": ("subkey", "computer"),
    "tz": (),
    "register": (),
    "unregister": (),
}
_NUMBERS = ("samples", "period", "threads", "largephaseoffset", "localclockdispersion")
_KINDS = {"String": "REG_SZ", "DWord": "REG_DWORD", "MultiString": "REG_MULTI_SZ", "QWord": "REG_QWORD"}
#: Half the width of a chart, and the seconds at its ends.
_CHART, _CHART_SECONDS = 27, 10.0


@cache
def _languages() -> Mapping[str, Mapping[str, Any]]:
    with (Path(__file__).parent / "w32tm_texts.yml").open(encoding="utf-8") as stream:
        return yaml.safe_load(stream)


def languages() -> tuple[str, ...]:
    return tuple(_languages())


def is_write(arguments: Sequence[str]) -> bool:
    """Whether that command line changes something."""
    return _verb(arguments) in ("config", "resync", "register", "unregister", "debug")


def _verb(arguments: Sequence[str]) -> str:
    return arguments[0].lstrip("/-").partition(":")[0].lower() if arguments else "?"


class W32tm:
    """One run of the program on a computer.

    ``remote`` says which computer ``/computer:`` reaches (of ``/stripchart`` it is a time server instead).
    """

    def __init__(self, machine: Machine, arguments: Sequence[str], wait: Wait, remote: Remote) -> None:
        self._own = machine
        self._wait = wait
        self._remote = remote
        self._texts: Mapping[str, Any] = {**_languages()["en"], **_languages()[machine.language]}
        self._verb = _verb(arguments)
        self._options: dict[str, str] = {}
        for argument in arguments[1:]:
            name, _, value = argument.lstrip("/-").partition(":")
            self._options[name.lower()] = value.strip('"')
        self.exit_code = 0  # an HRESULT; that of what went wrong is assumed
        self._look_at(machine)

    def _look_at(self, machine: Machine) -> None:
        self._machine = machine
        self._service: TimeService = machine.time_service

    def run(self) -> Iterator[str]:
        """The lines it prints, a line with an error code where it fails."""
        run: Callable[[], Iterator[str]] | None = {
            "query": self._query,
            "resync": self._resync,
            "config": self._config,
            "register": self._register,
            "unregister": self._unregister,
            "stripchart": self._stripchart,
            "monitor": self._monitor,
            "dumpreg": self._dump_registry,
            "tz": self._zone,
        }.get(self._verb)
        known = _SWITCHES.get(self._verb, ())
        unexpected = [name for name in self._options if name not in known] if run else [self._verb]
        unexpected += [name for name in _NUMBERS if not self._options.get(name, "0").isdigit()]
        if run is None or unexpected:
            self.exit_code = INVALID_ARGUMENT
            yield self._texts["unexpected"]
            yield f" {', '.join(unexpected)}"
            return
        if self._verb != "stripchart" and "computer" in self._options:
            found = self._remote(self._options["computer"])
            if isinstance(found, int):
                if self._verb == "resync":
                    yield self._sending()
                yield self._error(found)
                return
            self._look_at(found)
        yield from run()

    def _error(self, code: int) -> str:
        self.exit_code = code
        text = {
            NOT_STARTED: "not_started",
            NOT_REGISTERED: "not_registered",
            UNKNOWN_HOST: "unknown_host",
            ACCESS_DENIED: "access_denied",
            NO_RPC_SERVER: "no_rpc_server",
            NO_DOMAIN: "no_domain",
            NO_KEY: "no_key",
        }
        return self._texts["error"].format(text=self._texts[text[code]], code=code)

    def _unavailable(self) -> int | None:
        if not self._service.registered:
            return NOT_REGISTERED
        return None if self._machine.is_running("W32Time") else NOT_STARTED

    # /query

    def _query(self) -> Iterator[str]:
        code = self._unavailable()
        if code is not None:
            yield self._error(code)
        elif "status" in self._options:
            yield from self._status("verbose" in self._options)
        elif "configuration" in self._options:
            yield from configuration(self._machine.registry, self._service)
        elif "peers" in self._options:
            yield from self._peers()
        elif "source" in self._options:
            yield self._source()
        else:
            yield self._texts["unexpected"]

    def _source(self) -> str:
        return self._service.last.source if self._service.last else self._texts["local_clock"]

    def _status(self, verbose: bool) -> Iterator[str]:
        texts, service, last = self._texts, self._service, self._service.last
        poll = service.in_force["Config", "MinPollInterval"]
        fine = self._machine.precise
        values = [
            f"0({texts['no_warning']})" if last else f"3({texts['not_synchronized']})",
            self._stratum(last.stratum if last else 0),
            f"-23 ({texts['per_tick'].format(ticks='119.209ns')})"
            if fine
            else f"-6 ({texts['per_tick'].format(ticks='15.625ms')})",
            self._seconds(0.0335388 if last else 0.0),
            self._seconds(0.0346282 if last else 0.0),
            self._reference(last.address if last else None),
            self._date(last.shown) if last else texts["unspecified"],
            self._source(),
            f"{poll} ({2**poll}s)",
        ]
        labels = texts["labels"]
        yield from (f"{label} {value}" for label, value in zip(labels, values, strict=False))
        if not verbose:
            return
        outcome = service.outcome
        flags = last.flags if last else 0
        flag_text = texts["hardware"] if flags & 2 else texts["authenticated"] if flags & 1 else texts["none"]
        since = self._machine.monotonic() - (last.monotonic if last else self._machine.started)
        values = [
            self._seconds(service.phase_offset),
            self._seconds(0.015625),
            f"2 ({texts['sync']})" if last else f"0 ({texts['unset']})",
            f"{flags} ({flag_text})",
            f"0 ({texts['none']})",
            f"{self._machine.sync_error_codes[outcome]} ({texts[outcome.value]})",
            self._seconds(since),
        ]
        yield ""
        yield from (f"{label} {value}" for label, value in zip(labels[9:], values, strict=True))

    def _stratum(self, stratum: int) -> str:
        name = "unspecified" if stratum == 0 else "primary" if stratum == 1 else "secondary"
        return f"{stratum} ({self._texts[name]})"

    def _seconds(self, seconds: float) -> str:
        text = f"{seconds:.7f}s"
        return text.replace(".", ",") if self._machine.decimal_comma else text

    def _reference(self, address: str | None) -> str:
        if address is None:
            return f"0x00000000 ({self._texts['unspecified']})"
        number = "".join(f"{int(part):02X}" for part in address.split("."))
        return f"0x{number} ({self._texts['source_address']} {address})"

    def _date(self, utc: datetime.datetime) -> str:
        local = self._machine.zone.local(utc)
        half = "AM" if local.hour < 12 else "PM"
        return self._texts["date"].format(d=local, hour=local.hour % 12 or 12, half=half)

    def _peers(self) -> Iterator[str]:
        service, texts = self._service, self._texts
        peers = service.peers()
        yield f"#Peers: {len(peers)}"
        poll = service.in_force["Config", "MinPollInterval"]
        for peer in peers:
            server = service.server_of(peer)
            yield ""
            yield f"Peer: {peer.text}"
            if server is not None and server.reachable:
                since = self._machine.monotonic() - (service.last.monotonic if service.last else 0.0)
                yield "State: Active"
                yield f"Time Remaining: {self._seconds(max(2.0**poll - since, 0.0))}"
                yield "Mode: 3 (Client)"
                yield f"Stratum: {self._stratum(server.stratum)}"
                yield f"PeerPoll Interval: {poll} ({2**poll}s)"
                yield f"HostPoll Interval: {poll} ({2**poll}s)"
            else:
                yield "State: Pending"
                yield f"Time Remaining: {self._seconds(900.0)}"
                yield "Mode: 0 (reserved)"
                yield f"Stratum: 0 ({texts['unspecified']})"
                yield f"PeerPoll Interval: 0 ({texts['unspecified']})"
                yield f"HostPoll Interval: 0 ({texts['unspecified']})"

    # /resync, /config, /register, /unregister

    def _sending(self) -> str:
        target = self._options.get("computer")
        return self._texts["sending_to"].format(computer=target) if target else self._texts["sending"]

    def _resync(self) -> Iterator[str]:
        yield self._sending()
        code = self._unavailable()
        if code is not None:
            yield self._error(code)
            return
        outcome = self._machine.synchronise()
        yield self._texts[(Outcome.SUCCESS if "nowait" in self._options else outcome).value]

    def _config(self) -> Iterator[str]:
        service, registry = self._service, self._machine.registry
        kind = _type_of(self._options.get("syncfromflags"))
        if kind == "":
            yield self._texts["unexpected"]
            yield f" {self._options['syncfromflags']}"
            return
        if not service.registered:
            yield self._error(NOT_REGISTERED)
            return
        if "manualpeerlist" in self._options:
            registry.put(
                f"{SERVICE}\\Parameters", "NtpServer", " ".join(self._options["manualpeerlist"].split())
            )
        if kind is not None:
            registry.put(f"{SERVICE}\\Parameters", "Type", kind)
        if "reliable" in self._options:
            flags = 5 if self._options["reliable"].lower() == "yes" else 10
            registry.put(f"{SERVICE}\\Config", "AnnounceFlags", flags)
        if "largephaseoffset" in self._options:
            milliseconds = int(self._options["largephaseoffset"])
            registry.put(f"{SERVICE}\\Config", "LargePhaseOffset", milliseconds * 10000)
        if "localclockdispersion" in self._options:
            seconds = int(self._options["localclockdispersion"])
            registry.put(f"{SERVICE}\\Config", "LocalClockDispersion", seconds)
        if "update" in self._options:
            if not self._machine.is_running("W32Time"):
                yield self._error(NOT_STARTED)
                return
            service.load(restarted=False)
        yield self._texts["success"]

    def _register(self) -> Iterator[str]:
        self._machine.register_time_service()
        yield self._texts["registered"]

    def _unregister(self) -> Iterator[str]:
        if not self._service.registered:
            yield self._error(NOT_REGISTERED)
            return
        self._machine.unregister_time_service()
        yield self._texts["unregistered"]

    # /stripchart, /tz

    def _stripchart(self) -> Iterator[str]:
        if "packetinfo" in self._options:
            # No public output shows the packet.
            yield "The lab's w32tm does not print packets."
            return
        name = self._options.get("computer", "")
        found = self._machine.time_server(name)
        if found is None:
            yield self._error(UNKNOWN_HOST)
            return
        samples = int(self._options["samples"]) if "samples" in self._options else None
        yield f"Tracking {name} [{found.address}:123]."
        if samples is not None:
            yield f"Collecting {samples} samples."
        yield f"The current time is {self._date(self._machine.clock.now())}."
        number = 0
        while samples is None or number < samples:
            if number and self._wait(self._machine.stripchart_period if samples is not None else 1.0):
                return
            number += 1
            yield self._sample(found, "dataonly" in self._options)

    def _sample(self, server: TimeServer, data_only: bool) -> str:
        """Windows Server 2016 and later have a comma after the time of a chart's line."""
        clock = self._machine.clock
        shown = self._machine.zone.local(clock.now()).strftime("%H:%M:%S")
        comma = "," if data_only or self._machine.precise else ""
        if not server.reachable:
            return f"{shown}{comma} error: 0x{TIMED_OUT:08X}"
        offset = server.offset - clock.error()
        if data_only:
            return f"{shown}, {self._signed(offset)}"
        return f"{shown}{comma} d:{self._signed(0.0)} o:{self._signed(offset)}  [{_chart(offset)}]"

    def _signed(self, seconds: float, width: int = 11) -> str:
        text = f"{seconds:+0{width}.7f}s"
        return text.replace(".", ",") if self._machine.decimal_comma else text

    # /monitor, /dumpreg

    def _monitor(self) -> Iterator[str]:
        """Domain controllers against the first of them, or the computers that are named against the own clock."""
        facts = self._machine.facts
        domain = facts.domain_controller
        names = [name.strip() for name in self._options.get("computers", "").split(",") if name.strip()]
        if not names:
            wanted = self._options.get("domain", "").lower()
            suffix = domain.name.lower().partition(".")[2]
            if (facts.in_workgroup and not wanted) or (
                wanted and wanted not in (suffix, suffix.partition(".")[0])
            ):
                yield self._error(NO_DOMAIN)
                return
        for name in names or [domain.name]:
            server = self._machine.time_server(name)
            if server is None:
                yield f"{name} [{self._texts['unknown_host']}]:"
                continue
            mark = "" if names else " *** PDC ***"
            yield f"{server.name}{mark}[{server.address}:123]:"
            yield "    ICMP: 0ms delay"
            if not server.reachable:
                yield "    NTP: error ERROR_TIMEOUT - no response from server in 1000ms"
                continue
            offset = server.offset - self._machine.clock.error() if names else 0.0
            yield f"    NTP: {self._signed(offset, 0)} offset from {'local clock' if names else domain.name}"
            yield f"        RefID: {self._source_of(server)}"
            yield f"        Stratum: {server.stratum}"
        if "nowarn" not in self._options:
            yield ""
            yield "Warning:"
            yield "Reverse name resolution is best effort. It may not be"
            yield "correct since RefID field in time packets differs across"
            yield "NTP implementations and may not be using IP addresses."

    def _source_of(self, server: TimeServer) -> str:
        """Where a server has its time from: the file says so of none but the deployment's own computers."""
        other = self._machine.facts.reach(server.name)
        last = other.time_service.last if other else None
        return f"{last.source.partition(',')[0]} [{last.address}]" if last else "(unknown) [0x4C434F4C]"

    def _dump_registry(self) -> Iterator[str]:
        subkey = self._options.get("subkey", "")
        path = f"{SERVICE}\\{subkey}" if subkey else SERVICE
        registry = self._machine.registry
        if not registry.exists(path):
            yield self._error(NO_KEY)
            return
        yield ""
        yield f"{'Value Name':26} {'Value Type':19} Value Data"
        yield "-" * 60
        yield ""
        for value in registry.values(path):
            kind = "REG_EXPAND_SZ" if "%" in str(value.data) else _KINDS.get(value.kind, "REG_BINARY")
            yield f"{value.name:26} {kind:19} {value.data}"
        yield ""

    def _zone(self) -> Iterator[str]:
        zone, utc = self._machine.zone, self._machine.clock.now()
        changes = zone.transitions(zone.local(utc).year)
        bias = -round(zone.standard_offset(utc).total_seconds() / 60)
        state = "UNKNOWN"
        if changes is not None:
            state = "DAYLIGHT" if zone.offset(utc) != zone.standard_offset(utc) else "STANDARD"
        dates = ["Date:(unspecified)", "Date:(unspecified)"]
        if changes is not None:
            dates = [f"Date:(M:{c.month} D:{c.week} DoW:{c.weekday})" for c in changes]
        yield f"Time zone: Current:TIME_ZONE_ID_{state} Bias: {bias}min (UTC=LocalTime+Bias)"
        yield f'  [Standard Name:"{zone.name}" Bias:0min {dates[0]}]'
        daylight = zone.daylight_name if zone.daylight_saving else zone.name
        yield f'  [Daylight Name:"{daylight}" Bias:{-60 if changes else 0}min {dates[1]}]'


def _chart(offset: float) -> str:
    """The middle is no difference; beyond ten seconds it is ``@`` at the end."""
    position = round(offset / _CHART_SECONDS * _CHART)
    mark = "*" if abs(offset) <= _CHART_SECONDS else "@"
    cells = [" "] * (2 * _CHART + 1)
    cells[_CHART] = "|"
    cells[_CHART + max(-_CHART, min(_CHART, position))] = mark
    return "".join(cells)


def _type_of(flags: str | None) -> str | None:
    """Parameters\\Type for ``/syncfromflags``; '' for flags that do not exist."""
    if flags is None:
        return None
    given = {flag.strip().lower() for flag in flags.split(",")}
    if not given <= {"manual", "domhier", "all", "no"}:
        return ""
    if "all" in given or {"manual", "domhier"} <= given:
        return "AllSync"
    return "NTP" if "manual" in given else "NT5DS" if "domhier" in given else "NoSync"


_BASIC = (
    "EventLogFlags",
    "AnnounceFlags",
    "TimeJumpAuditOffset",
    "MinPollInterval",
    "MaxPollInterval",
    "MaxNegPhaseCorrection",
    "MaxPosPhaseCorrection",
    "MaxAllowedPhaseOffset",
)
_ADVANCED = (
    "FrequencyCorrectRate",
    "PollAdjustFactor",
    "LargePhaseOffset",
    "SpikeWatchPeriod",
    "LocalClockDispersion",
    "HoldPeriod",
    "PhaseCorrectRate",
    "UpdateInterval",
)


def configuration(registry: Registry, service: TimeService) -> Iterator[str]:
    """``w32tm /query /configuration``: each value, and whether it is the computer's own or a policy's."""

    def line(section: str, name: str) -> str:
        value, by_policy = service.configured(section, name, "")
        return f"{name}: {value} ({'Policy' if by_policy else 'Local'})"

    yield from ("[Configuration]", "")
    yield from (line("Config", name) for name in _BASIC)
    yield ""
    yield from (line("Config", name) for name in _ADVANCED)
    yield from ("", "", "[TimeProviders]", "")
    for section in (CLIENT, VM_PROVIDER, SERVER):
        path = f"{SERVICE}\\{section}"
        if not registry.exists(path):
            continue
        name = section.rpartition("\\")[2]
        by_policy = registry.exists(POLICY + "\\" + section)
        yield f"{name} ({'Policy' if by_policy else 'Local'})"
        yield from (line(section, value.name) for value in registry.values(path))
        if section == CLIENT:
            yield line("Parameters", "Type")
            if str(service.configured("Parameters", "Type")[0]).upper() in ("NTP", "ALLSYNC"):
                yield line("Parameters", "NtpServer")
        yield ""
