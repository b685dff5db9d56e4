# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module clock_info: everything that can be known about one server's clock, and what could not be found
out.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from ..change.waiting import Clock
from ..powershell.errors import CommandError
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from ..result.spans import milliseconds
from ..windows import computer, registry, w32time, zones
from ..windows.restart_note import OWED_KEY, read_owed
from .offset import ClockJumped, measure_settled

_KEYS = (computer.NAME_KEY, computer.ZONE_KEY, OWED_KEY, *w32time.READ_KEYS)


def about(
    shell: ManagementShell, time_servers: Sequence[str], samples: int, clock: Clock = time
) -> dict[str, Any]:
    """What the module returns. A part that cannot be known is null, and ``trouble`` says why; raises the
    wire's errors.
    """
    trouble: list[str] = []
    results = shell.run(registry.reading(_KEYS), computer.GET_SERVICE, computer.GET_ZONE)
    keys = registry.read(shell, results, _KEYS)
    configuration = _configuration(shell, results, keys, trouble)
    zone = _zone(shell, results, keys, trouble)
    offset, jump = None, None
    try:
        offset, jump = measure_settled(shell, samples, clock)
        trouble += [jump.in_passing()] if jump else []
    except ClockJumped as restless:
        jump = restless
        trouble.append(str(restless))
    except (Unreadable, CommandError) as unknown:
        trouble.append(str(unknown))
    return {
        "computer": computer.name(keys),
        "offset_ms": None if offset is None else milliseconds(offset.seconds),
        "uncertainty_ms": None if offset is None else milliseconds(offset.uncertainty),
        "jumped_ms": None if jump is None else milliseconds(jump.seconds),
        "time_zone": zone,
        "time_service": configuration.as_options() if configuration else None,
        "policies": dict(configuration.policies) if configuration else {},
        "synchronisation": _synchronisation(shell, configuration, trouble),
        "ntp_servers": [_compared(shell, name, trouble) for name in time_servers],
        "restart_owed": read_owed(keys),
        "trouble": trouble,
    }


def _configuration(
    shell: ManagementShell, results: Any, keys: Any, trouble: list[str]
) -> w32time.Configuration | None:
    try:
        return computer.time_configuration(shell, results, keys)
    except (Unreadable, CommandError) as unread:
        trouble.append(str(unread))
        return None


def _zone(shell: ManagementShell, results: Any, keys: Any, trouble: list[str]) -> dict[str, Any] | None:
    try:
        try:
            zone = computer.zone(shell, results, keys)
        except computer.ProgramMissing:
            zone = zones.read_registry(keys.get(computer.ZONE_KEY, {}))
    except Unreadable as unread:
        trouble.append(str(unread))
        return None
    return {
        "zone": zone.id,
        "daylight_saving": zone.daylight_saving,
        "utc_offset_minutes": zone.utc_offset,
        "hardware_clock_in_utc": zone.hardware_clock_in_utc,
    }


def _synchronisation(
    shell: ManagementShell, configuration: w32time.Configuration | None, trouble: list[str]
) -> dict[str, Any] | None:
    if configuration is not None and configuration.idle:
        trouble.append(f"W32Time is {configuration.idle}.")
        return None
    try:
        status = computer.synchronisation(shell)
    except Unreadable as unread:
        trouble.append(str(unread))
        return None
    return {
        "synchronised": status.synchronised,
        "source": status.source,
        "stratum": status.stratum,
        "seconds_since_last_sync": status.since_last_sync,
        "last_sync_error": status.why_not_synchronised,
        "root_dispersion_ms": milliseconds(status.root_dispersion),
    }


def _compared(shell: ManagementShell, time_server: str, trouble: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {"name": time_server, "offset_ms": None, "errors": []}
    try:
        chart = computer.stripchart(shell, time_server)
    except (Unreadable, CommandError) as unread:
        trouble.append(str(unread))
        return found
    if chart.best is None:
        codes = ", ".join(sorted({f"0x{code:08X}" for code in chart.errors}))
        trouble.append(f"The time server {time_server} does not answer (error {codes}).")
    return {
        **found,
        "offset_ms": None if chart.best is None else milliseconds(-chart.best),
        "errors": [f"0x{code:08X}" for code in chart.errors],
    }
