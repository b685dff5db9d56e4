# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""w32tm: its command line, and what it prints.

Sources: Microsoft Learn, "Windows Time service tools and settings" (switches, /query /status /verbose);
published outputs of /stripchart and /register; see the README. Other verbs are not modelled.
"""

from __future__ import annotations

import datetime
import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lab.tables import table
from lab.windows.time_service import SERVICE, Outcome, TimeServer, TimeService

if TYPE_CHECKING:
    from lab.windows.machine import Machine

INVALID_ARGUMENT = 0x80070057
NOT_STARTED = 0x80070426  # ERROR_SERVICE_NOT_ACTIVE
NOT_REGISTERED = 0x80070424  # ERROR_SERVICE_DOES_NOT_EXIST
TIMED_OUT = 0x800705B4  # ERROR_TIMEOUT
UNKNOWN_HOST = 0x80072AF9  # WSAHOST_NOT_FOUND

#: Seconds of waiting; True when the client gave up meanwhile.
Wait = Callable[[float], bool]

#: Switches of each verb; ``/force`` is documented nowhere, and taken all the same.
_SWITCHES: Mapping[str, tuple[str, ...]] = {
    "query": ("source", "status", "verbose"),
    "resync": ("nowait", "rediscover", "soft", "force"),
    "config": ("update", "manualpeerlist", "syncfromflags", "reliable"),
    "stripchart": ("computer", "period", "dataonly", "samples"),
    "register": (),
    "unregister": (),
}
_NUMBERS = ("samples", "period")


@cache
def _languages() -> Mapping[str, Mapping[str, Any]]:
    found: Mapping[str, Mapping[str, Any]] = table(Path(__file__).parent / "w32tm_texts.yml")
    return found


def languages() -> tuple[str, ...]:
    return tuple(_languages())


def is_write(arguments: Sequence[str]) -> bool:
    """Whether that command line changes something."""
    return _verb(arguments) in ("config", "resync", "register", "unregister")


def _verb(arguments: Sequence[str]) -> str:
    return arguments[0].lstrip("/-").partition(":")[0].lower() if arguments else "?"


class W32tm:
    """One run of the program on a computer."""

    def __init__(self, machine: Machine, arguments: Sequence[str], wait: Wait) -> None:
        self._machine = machine
        self._service: TimeService = machine.time_service
        self._wait = wait
        self._texts: Mapping[str, Any] = {**_languages()["en"], **_languages()[machine.language]}
        self._verb = _verb(arguments)
        self._options: dict[str, str] = {}
        for argument in arguments[1:]:
            name, _, value = argument.lstrip("/-").partition(":")
            self._options[name.lower()] = value.strip('"')
        self.exit_code = 0  # an HRESULT; that of what went wrong is assumed

    def run(self) -> Iterator[str]:
        """The lines as they are read: in another code page than the program printed them in, and broken where the
        console is too narrow for them.
        """
        for line in self._lines():
            written, read = self._machine.code_pages
            text = line.encode(written, "replace").decode(read, "replace")
            yield from textwrap.wrap(text, self._machine.columns) or [text]

    def _lines(self) -> Iterator[str]:
        """What it prints, a line with an error code where it fails."""
        run: Callable[[], Iterator[str]] | None = {
            "query": self._query,
            "resync": self._resync,
            "config": self._config,
            "register": self._register,
            "unregister": self._unregister,
            "stripchart": self._stripchart,
        }.get(self._verb)
        known = _SWITCHES.get(self._verb, ())
        unexpected = [name for name in self._options if name not in known] if run else [self._verb]
        unexpected += [name for name in _NUMBERS if not self._options.get(name, "0").isdigit()]
        if run is None or unexpected:
            self.exit_code = INVALID_ARGUMENT
            yield self._texts["unexpected"]
            yield f" {', '.join(unexpected)}"
            return
        yield from run()

    def _error(self, code: int) -> str:
        self.exit_code = code
        text = {
            NOT_STARTED: "not_started",
            NOT_REGISTERED: "not_registered",
            UNKNOWN_HOST: "unknown_host",
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

    def _resync(self) -> Iterator[str]:
        yield self._texts["sending"]
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

    def _stripchart(self) -> Iterator[str]:
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
        """Windows Server 2016 and later have a comma after the time of a chart's line; charts are left out."""
        clock = self._machine.clock
        shown = self._machine.zone.local(clock.now()).strftime("%H:%M:%S")
        comma = "," if data_only or self._machine.precise else ""
        if not server.reachable:
            return f"{shown}{comma} error: 0x{TIMED_OUT:08X}"
        offset = self._signed(server.offset - clock.error())
        return f"{shown}, {offset}" if data_only else f"{shown}{comma} d:{self._signed(0.0)} o:{offset}"

    def _signed(self, seconds: float) -> str:
        text = f"{seconds:+011.7f}s"
        return text.replace(".", ",") if self._machine.decimal_comma else text


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
