# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module time_zone: read, compare, set with tzutil, read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ..change.envelope import Envelope, Mismatch
from ..change.journal import Change, Restorable
from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..powershell.ordinal import same_name
from ..powershell.shell import ManagementShell
from ..result.drift import Reason
from ..result.refusals import UnusableArgument
from ..result.result import Result, computer_result
from ..result.severity import Severity
from . import computer, programs, registry, zones

RESOURCE = "time_zone"
_READS = (registry.reading([computer.ZONE_KEY]), computer.GET_ZONE)
_REASONS = {
    "zone": Reason(
        Severity.HIGH,
        "A wrong zone makes people and programs set the clock wrong, and then sign-in and A/V authentication fail; "
        "services that run keep the zone they were started with.",
    ),
    "daylight_saving": Reason(
        Severity.HIGH, "A clock that does not follow daylight saving time is an hour off for half a year."
    ),
}


@dataclass(frozen=True)
class Request:
    """The module's options. ``daylight_saving`` None: as it is."""

    zone: str
    daylight_saving: bool | None = None


def restoring_request(change: Change) -> Request:
    """What takes a journalled change back."""
    before = change.before or {}
    return Request(before["zone"], before["daylight_saving"])


def remediate(envelope: Envelope, request: Request) -> Result:
    """Raises UnusableArgument with the right id for a zone that the server does not offer, ChangeFailed, and
    the wire's errors.
    """
    shell = envelope.shell
    name = shell.endpoint.name
    found = _read(shell)
    before = _options(found)
    daylight_saving = found.daylight_saving if request.daylight_saving is None else request.daylight_saving
    after = {"zone": _chosen(shell, request.zone, found.id), "daylight_saving": daylight_saving}
    changed = [option for option in before if before[option] != after[option]]
    result = computer_result(
        name,
        RESOURCE,
        before,
        after,
        changed,
        _REASONS,
        [_setting(after)] if changed else [],
        [_setting(before)] if changed else [],
    )
    result = envelope.expects(result.warned(*([found.problem] if found.problem else [])))
    if envelope.check_mode or not changed:
        return result
    envelope.begin(Change(RESOURCE, name, "set", before, after, Restorable.YES))
    return _set(envelope, after)


def _set(envelope: Envelope, wanted: dict[str, Any]) -> Result:
    command = _setting(wanted)
    subject = f"The time zone of {envelope.shell.endpoint.name}"
    answer = envelope.write(command)
    try:
        # In a pipeline of its own: whatever setting printed would be taken for the zone.
        found = _options(_read(envelope.shell))
    except ManagementShellError as error:
        raise envelope.unread(subject, error) from error
    mismatches = [
        Mismatch(option, value, found[option])
        for option, value in wanted.items()
        if not _same(found[option], value)
    ]
    said = programs.text_lines(programs.strings(answer.results))
    if mismatches and said:
        envelope.notice(programs.Printed(command, said))
    return envelope.conclude(subject, found, mismatches)


def _same(one: Any, other: Any) -> bool:
    return same_name(one, other) if isinstance(one, str) else bool(one == other)


def _setting(options: dict[str, Any]) -> Command:
    return Command("tzutil", arguments=("/s", zones.setting(options["zone"], options["daylight_saving"])))


def _read(shell: ManagementShell) -> zones.ZoneInForce:
    results = shell.run(*_READS)
    return computer.zone(shell, results, registry.read(shell, results, [computer.ZONE_KEY]))


def _options(zone: zones.ZoneInForce) -> dict[str, Any]:
    return {"zone": zone.id, "daylight_saving": zone.daylight_saving}


def _chosen(shell: ManagementShell, wanted: str, current: str) -> str:
    """The id of the wanted zone as the server spells it."""
    if same_name(wanted.strip(), current):
        return current
    offered = zones.read_offered(programs.output(shell, shell.run(computer.LIST_ZONES), computer.LIST_ZONES))
    found = zones.find(wanted, offered)
    if found is not None:
        return found.id
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
