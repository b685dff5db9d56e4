# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module time_zone: read, compare, set with tzutil, read back."""

from __future__ import annotations

from typing import Any

from ..powershell.commands import Command
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.outcome import Reason, failed, outcome, with_warnings, write_and_read
from ..result.refusals import UnusableArgument
from ..result.severity import Severity
from . import computer, registry, zones

_READS = (registry.reading([computer.ZONE_KEY]), computer.GET_ZONE)
_REASONS = {
    "zone": Reason(
        Severity.HIGH,
        "A wrong zone makes people and programs set the clock wrong, and then sign-in and A/V authentication "
        "fail; services "
        "that run keep the zone they were started with.",
    ),
    "daylight_saving": Reason(
        Severity.HIGH, "A clock that does not follow daylight saving time is an hour off for half a year."
    ),
}


def remediate(
    shell: ManagementShell, wanted: str, daylight_saving: bool, *, check_mode: bool
) -> dict[str, Any]:
    """Raises UnusableArgument with the right id for a zone that the server does not offer, ChangeFailed, and
    the wire's errors.
    """
    before = _read(shell, shell.run(*_READS))
    chosen = (
        zones.Zone(before.id, "")
        if wanted.strip().casefold() == before.id.casefold()
        else _offered(shell, wanted)
    )
    after = zones.ZoneInForce(chosen.id, daylight_saving, before.utc_offset, before.hardware_clock_in_utc)
    commands = [Command("tzutil", arguments=("/s", after.setting))] if after != before else []
    options = _options(before), _options(after)
    changed = [option for option in options[0] if options[0][option] != options[1][option]]
    result = outcome(shell, "time_zone", *options, changed, _REASONS, commands)
    if check_mode or not commands:
        return result
    results, warnings = write_and_read(shell, commands, _READS, result)
    complaints = [
        report for report in results.errors if report.fully_qualified_id.startswith("NativeCommandError")
    ]
    found = _read(shell, Results(results.output)) if not complaints else None
    if found is None or found.setting.casefold() != after.setting.casefold():
        said = (
            " ".join(report.message for report in complaints)
            or f"read back since: {found.setting if found else 'nothing'}"
        )
        raise failed(
            f"{commands[0].as_text()} did not set the zone: {said}",
            result,
            shell.classify(complaints[0]) if complaints else None,
        )
    return with_warnings({**result, "status": "corrected", "after": _options(found)}, warnings)


def _read(shell: ManagementShell, results: Results) -> zones.ZoneInForce:
    return computer.zone(shell, results, registry.read(shell, results, [computer.ZONE_KEY]))


def _options(zone: zones.ZoneInForce) -> dict[str, Any]:
    return {"zone": zone.id, "daylight_saving": zone.daylight_saving}


def _offered(shell: ManagementShell, wanted: str) -> zones.Zone:
    results = shell.run(computer.LIST_ZONES)
    computer.raise_errors_of(shell, results, computer.LIST_ZONES)
    offered = zones.read_offered(results.output)
    found = zones.find(wanted, offered)
    if found is not None:
        return found
    without = zones.find(wanted.removesuffix(zones.DST_OFF), offered)
    if without is not None:
        candidates = [f"'{without.id}' with daylight_saving: false"]
    else:
        candidates = [f"'{zone.id}'" for zone in zones.meant(wanted, offered)]
    kind = (
        "is an IANA name, and Windows has its own"
        if zones.is_iana(wanted)
        else f"is no time zone of {shell.endpoint.name}"
    )
    hint = (
        f"Did you mean {' or '.join(candidates)}?" if candidates else "tzutil /l lists those that there are."
    )
    raise UnusableArgument("zone", f"'{wanted}' {kind}. {hint}")
