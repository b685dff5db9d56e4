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
from ..powershell.errors import CommandError
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from ..result.spans import milliseconds
from ..windows import computer, programs, registry, w32time, zones
from ..windows.restart_note import NOTE_KEY, read_note
from .offset import ClockJumped, measure_settled

Part = TypeVar("Part")

_KEYS = (computer.NAME_KEY, computer.ZONE_KEY, NOTE_KEY, *w32time.READ_KEYS)


def query(
    shell: ManagementShell, time_servers: Sequence[str], samples: int, clock: Clock = time
) -> dict[str, Any]:
    """What the module returns. A part that cannot be known is null, and ``trouble`` says why; raises the
    wire's errors.
    """
    return _Query(shell).all(time_servers, samples, clock)


class _Query:
    def __init__(self, shell: ManagementShell) -> None:
        self.shell = shell
        self.trouble: list[str] = []

    def all(self, time_servers: Sequence[str], samples: int, clock: Clock) -> dict[str, Any]:
        results = self.shell.run(registry.reading(_KEYS), computer.GET_SERVICE, computer.GET_ZONE)
        self.keys = registry.read_some(self.shell, results, _KEYS)
        name = self._part([computer.NAME_KEY], lambda: computer.name(self.keys.values))
        configuration = self._part(
            w32time.READ_KEYS,
            lambda: computer.time_configuration(self.shell, results, self.keys.values),
        )
        self.trouble += configuration.problems.values() if configuration else []
        zone = self._part([computer.ZONE_KEY], lambda: self._zone(results))
        note = self._part([NOTE_KEY], lambda: read_note(self.keys.values))
        return {
            "computer": name,
            **self._offset(samples, clock),
            "time_zone": zone,
            "time_service": configuration.as_options() if configuration else None,
            "policies": dict(configuration.policies) if configuration else {},
            "synchronisation": self._synchronisation(configuration),
            "ntp_servers": [self._compared(name) for name in time_servers],
            "restart_pending": note,
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

    def _offset(self, samples: int, clock: Clock) -> dict[str, Any]:
        offset, jump = None, None
        try:
            offset, jump = measure_settled(self.shell, samples, clock)
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

    def _synchronisation(self, configuration: w32time.Configuration | None) -> dict[str, Any] | None:
        if configuration is not None and configuration.idle:
            self.trouble.append(f"W32Time is {configuration.idle}.")
            return None
        status = self._part([], lambda: computer.synchronisation(self.shell))
        if status is None:
            return None
        return {
            "synchronised": status.synchronised,
            "source": status.source,
            "stratum": status.stratum,
            "seconds_since_last_sync": status.since_last_sync,
            "last_sync_error": status.why_not_synchronised,
            "root_dispersion_ms": milliseconds(status.root_dispersion),
        }

    def _compared(self, time_server: str) -> dict[str, Any]:
        chart = self._part([], lambda: computer.stripchart(self.shell, time_server))
        if chart is None:
            return {"name": time_server, "offset_ms": None, "errors": []}
        if chart.best is None:
            codes = ", ".join(sorted({f"0x{code:08X}" for code in chart.errors}))
            self.trouble.append(f"The time server {time_server} does not answer (error {codes}).")
        return {
            "name": time_server,
            "offset_ms": None if chart.best is None else milliseconds(-chart.best),
            "errors": [f"0x{code:08X}" for code in chart.errors],
        }
