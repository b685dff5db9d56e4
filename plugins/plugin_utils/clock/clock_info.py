# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module clock_info: everything that can be known of one server's clock, and what could not be found
out.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from ..change.waiting import Clock
from ..powershell.commands import Command
from ..powershell.errors import CommandError
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from ..result.spans import milliseconds
from ..topology import pools
from ..windows import computer, domain, programs, registry, w32time, w32tm, zones
from ..windows.restart_note import NOTE_KEY, read_note
from .offset import ClockJumped, Offset, Watch, measure

Part = TypeVar("Part")

_KEYS = (computer.NAME_KEY, computer.ZONE_KEY, NOTE_KEY, *w32time.READ_KEYS)


def query(
    shell: ManagementShell,
    time_servers: Sequence[str],
    samples: int,
    enough: float | None = None,
    clock: Clock = time,
) -> dict[str, Any]:
    """What the module returns. A part that cannot be known is null, and ``trouble`` says why; raises the
    wire's errors.
    """
    return _Query(shell).all(time_servers, samples, enough, clock)


class _Query:
    def __init__(self, shell: ManagementShell) -> None:
        self.shell = shell
        self.trouble: list[str] = []
        self.samples = 0

    def all(
        self, time_servers: Sequence[str], samples: int, enough: float | None, clock: Clock
    ) -> dict[str, Any]:
        self.watch = Watch(self.shell, clock)
        results = self._watched(registry.reading(_KEYS), computer.GET_SERVICE, computer.GET_ZONE)
        self.keys = registry.read_some(self.shell, results, _KEYS)
        name = self._part([computer.NAME_KEY], lambda: computer.name(self.keys.values))
        configuration = self._part(
            w32time.READ_KEYS,
            lambda: computer.time_configuration(self.shell, results, self.keys.values),
        )
        self.trouble += configuration.problems.values() if configuration else []
        zone = self._part([computer.ZONE_KEY], lambda: self._zone(results))
        note = self._part([NOTE_KEY], lambda: read_note(self.keys.values))
        suffix = computer.domain_suffix(self.keys.values)
        synchronisation, emulator = self._synchronisation(configuration, suffix)
        charts = self._charts(
            [*time_servers, *_own_sources(configuration), *([emulator] if emulator else [])]
        )
        offset = self._offset(samples, enough, clock)
        return {
            "computer": name,
            **offset,
            "time_zone": zone,
            "time_service": configuration.as_options() if configuration else None,
            "policies": dict(configuration.policies) if configuration else {},
            "synchronisation": synchronisation,
            "ntp_servers": [charts[each] for each in time_servers],
            "sources": [charts[each] for each in _own_sources(configuration)],
            "domain_controller": charts[emulator] if emulator else None,
            "restart_pending": note,
            "running": self._running() if note else None,
            "trouble": list(dict.fromkeys(self.trouble)),
        }

    def _part(self, keys: Sequence[str], read: Callable[[], Part]) -> Part | None:
        """What ``read`` makes of these keys; None, and the trouble with it, where it cannot."""
        unread = [str(self.keys.unread[key]) for key in keys if key in self.keys.unread]
        if unread:
            self.trouble += unread
            return None
        try:
            return read()
        except (Unreadable, CommandError) as unknown:
            self.trouble.append(str(unknown))
            return None

    def _zone(self, results: Results) -> dict[str, Any]:
        try:
            zone = computer.zone(self.shell, results, self.keys.values)
        except programs.ProgramMissing:
            zone = zones.read_registry(self.keys.values.get(computer.ZONE_KEY, {}))
        self.trouble += [zone.problem] if zone.problem else []
        return {
            "zone": zone.id,
            "daylight_saving": zone.daylight_saving,
            "utc_offset_minutes": zone.utc_offset,
            "hardware_clock_in_utc": zone.hardware_clock_in_utc,
        }

    def _watched(self, *commands: Command) -> Results:
        """The clock is sampled in passing; where it cannot be read the rest is."""
        try:
            results = self.watch.run(*commands)
        except (Unreadable, CommandError):
            return self.shell.run(*commands)
        self.samples += 1
        return results

    def _offset(self, samples: int, enough: float | None, clock: Clock) -> dict[str, Any]:
        offset, jump = None, None
        try:
            offset, jump = self._settled(samples, enough, clock)
            self.trouble += [jump.in_passing()] if jump else []
        except ClockJumped as restless:
            jump = restless
            self.trouble.append(str(restless))
        except (Unreadable, CommandError) as unknown:
            self.trouble.append(str(unknown))
        return {
            "offset_ms": None if offset is None else milliseconds(offset.seconds),
            "uncertainty_ms": None if offset is None else milliseconds(offset.uncertainty),
            "jumped_ms": None if jump is None else milliseconds(jump.seconds),
        }

    def _settled(self, samples: int, enough: float | None, clock: Clock) -> tuple[Offset, ClockJumped | None]:
        """From the samples taken in passing, and as many more as are asked for. Where a clock was set meanwhile, it is
        measured once more.
        """
        try:
            return self.watch.ask(max(samples - self.samples, 0), enough), None
        except ClockJumped as jump:
            return measure(self.shell, samples, clock, enough), jump

    def _synchronisation(
        self, configuration: w32time.Configuration | None, suffix: str | None
    ) -> tuple[dict[str, Any] | None, str | None]:
        """How W32Time stands with its source; and, of a member that follows its domain, the domain's PDC emulator."""
        if configuration is not None and configuration.idle:
            self.trouble.append(f"W32Time is {configuration.idle}.")
            return None, None
        follows_domain = configuration is not None and configuration.in_force["type"] in (
            "domain_hierarchy",
            "all",
        )
        emulator = None
        if follows_domain and suffix is not None:
            answer = self._part(
                [], lambda: computer.synchronisation_and_domain(self.shell, self._watched, suffix)
            )
            found, emulator = answer if answer else (None, None)
            emulator = emulator or domain.by_dns(suffix)
            status = None if found is None else self._part([], lambda: _or_raise(found))
        else:
            status = self._part([], lambda: computer.synchronisation(self.shell, self._watched))
        if status is None:
            return None, emulator
        return {
            "synchronised": status.synchronised,
            "source": status.source,
            "stratum": status.stratum,
            "seconds_since_last_sync": status.since_last_sync,
            "last_sync_error": status.why_not_synchronised,
            "root_dispersion_ms": milliseconds(status.root_dispersion),
        }, emulator

    def _charts(self, names: Sequence[str]) -> dict[str, dict[str, Any]]:
        """By name, the server's clock against these computers'."""
        wanted = list(dict.fromkeys(names))
        charts = self._part([], lambda: computer.stripcharts(self._watched, wanted)) or {}
        return {name: self._compared(name, charts.get(name)) for name in wanted}

    def _compared(self, name: str, chart: w32tm.Stripchart | Unreadable | None) -> dict[str, Any]:
        found: dict[str, Any] = {
            "name": name,
            "address": None,
            "offset_ms": None,
            "unknown_host": False,
            "errors": [],
        }
        if chart is None:
            return found
        if isinstance(chart, Unreadable):
            self.trouble.append(str(chart))
            return found
        if chart.best is None:
            codes = ", ".join(sorted({f"0x{code:08X}" for code in chart.errors}))
            self.trouble.append(f"The time server {name} does not answer (error {codes}).")
        return {
            "name": name,
            "address": chart.address,
            "offset_ms": None if chart.best is None else milliseconds(-chart.best),
            "unknown_host": chart.unknown_host,
            "errors": [f"0x{code:08X}" for code in chart.errors],
        }

    def _running(self) -> bool | None:
        """Whether the Lync services run, of a server that is to be restarted."""
        try:
            return pools.own_services(self.shell).takes_part
        except pools.UNKNOWN as unknown:
            self.trouble.append(str(unknown))
            return None


def _or_raise(found: w32tm.Status | Unreadable) -> w32tm.Status:
    if isinstance(found, Unreadable):
        raise found
    return found


def _own_sources(configuration: w32time.Configuration | None) -> list[str]:
    """The time servers that the computer follows by itself."""
    if configuration is None or configuration.idle or configuration.in_force["type"] not in ("manual", "all"):
        return []
    peers = configuration.in_force["peers"]
    return [peer["host"] for peer in peers] if isinstance(peers, list) else []
