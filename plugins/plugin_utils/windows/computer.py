# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server says about itself, its zone and its time service; the statements to ask, and how the answers
are read.
"""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping, Sequence

from ..powershell.commands import Command
from ..powershell.ordinal import ordinal_key
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from . import domain, programs, registry, w32time, w32tm, zones

# Where Windows keeps a computer's name and DNS suffix; an Edge Server in a workgroup has its suffix here as
# well.
NAME_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
ZONE_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"

GET_ZONE = Command("tzutil", arguments=("/g",))
LIST_ZONES = Command("tzutil", arguments=("/l",))
GET_SERVICE = Command("Get-Service", {"Name": w32time.SERVICE})
QUERY_STATUS = Command("w32tm", arguments=("/query", "/status", "/verbose"))

#: Runs statements as those of one pipeline.
Run = Callable[..., Results]

_NO_SERVICE = "NoServiceFoundForGivenName"
_CHART_SAMPLES = 3


def name(keys: Mapping[str, registry.Values]) -> str | None:
    """The computer's FQDN in lower case; the topology knows it by that."""
    values = {ordinal_key(key): value for key, value in keys.get(NAME_KEY, {}).items()}
    host, domain = values.get("HOSTNAME"), values.get("DOMAIN") or values.get("NV DOMAIN")
    return ".".join(str(part) for part in (host, domain) if part).lower() if host else None


def zone(shell: ManagementShell, results: Results, keys: Mapping[str, registry.Values]) -> zones.ZoneInForce:
    """Of a pipeline with GET_ZONE as its only native program. Raises Unreadable, and what kept it from answering."""
    return zones.read_in_force(programs.output(shell, results, GET_ZONE), keys.get(ZONE_KEY, {}))


def utc_offset(shell: ManagementShell) -> int:
    """The minutes that the server's zone adds to UTC now. Raises Unreadable, and the wire's errors."""
    keys = registry.read(shell, shell.run(registry.reading([ZONE_KEY])), [ZONE_KEY])
    return zones.read_utc_offset(keys.get(ZONE_KEY, {}))


def time_configuration(
    shell: ManagementShell, results: Results, keys: Mapping[str, registry.Values]
) -> w32time.Configuration:
    """Of a pipeline with the time service's keys and GET_SERVICE. Raises Unreadable, and what kept
    Get-Service from answering.
    """
    missing = False
    for report in results.errors:
        if report.command == GET_SERVICE.name:
            if report.identifier != _NO_SERVICE:
                raise shell.classify(report)
            missing = True
    status = [
        str(remote["Status"]) for remote in results.objects() if "Status" in remote and "PSPath" not in remote
    ]
    if not status and not missing:
        raise Unreadable(f"{GET_SERVICE.as_text()} returned nothing.")
    return w32time.read(keys, status[0] if status else None)


def domain_suffix(keys: Mapping[str, registry.Values]) -> str | None:
    """The DNS suffix, which is the domain's name on a member."""
    return (name(keys) or "").partition(".")[2] or None


def synchronisation(shell: ManagementShell, run: Run | None = None) -> w32tm.Status:
    """Raises w32tm.ProgramFailed where the service is stopped or missing, Unreadable where the answer is not
    understood. ``run``: how statements are run, where that is not just the shell's way.
    """
    results = run(QUERY_STATUS) if run else shell.run(QUERY_STATUS)
    return w32tm.read_status(programs.output(shell, results, QUERY_STATUS))


def synchronisation_and_domain(
    shell: ManagementShell, run: Run, suffix: str
) -> tuple[w32tm.Status | Unreadable, str | None]:
    """The same, and the domain's PDC emulator, in one pipeline. What kept the status from being read comes in its
    place.
    """
    find = domain.finding(suffix)
    results = run(QUERY_STATUS, _SEPARATOR, find)
    status_lines, *found = _divided(results)
    emulator = domain.read_found(found[0]) if found else None
    complaints = Results((), tuple(each for each in results.errors if each.command != find.name))
    try:
        printed = status_lines or programs.output(shell, complaints, QUERY_STATUS)
        return w32tm.read_status(printed), emulator
    except Unreadable as unread:
        return unread, emulator


def stripchart(shell: ManagementShell, time_server: str) -> w32tm.Stripchart:
    """Let the server compare its own clock with a time server's. Raises Unreadable."""
    command = _charting(time_server)
    return w32tm.read_stripchart(programs.output(shell, shell.run(command), command))


def stripcharts(run: Run, time_servers: Sequence[str]) -> dict[str, w32tm.Stripchart | Unreadable]:
    """The same of several, in one pipeline; what kept one from being read comes in its place."""
    commands: list[Command] = []
    for name in time_servers:
        commands += [_charting(name), _SEPARATOR]
    if not commands:
        return {}
    results = run(*commands[:-1])
    parts = _divided(results)
    charts: dict[str, w32tm.Stripchart | Unreadable] = {}
    for number, name in enumerate(time_servers):
        try:
            charts[name] = w32tm.read_stripchart(parts[number] if number < len(parts) else [])
        except Unreadable as unread:
            charts[name] = unread
    return charts


def _charting(time_server: str) -> Command:
    arguments = (
        "/stripchart",
        f"/computer:{time_server}",
        "/period:1",
        f"/samples:{_CHART_SAMPLES}",
        "/dataonly",
    )
    return Command("w32tm", arguments=arguments)


# Programs only print lines; a moment between them tells whose they are.
_SEPARATOR = Command("Get-Date")


def _divided(results: Results) -> list[list[str]]:
    """What each of several programs printed that have the separator between them."""
    parts: list[list[str]] = [[]]
    for value in results.output:
        if isinstance(value, datetime.datetime):
            parts.append([])
        elif isinstance(value, str):
            parts[-1].append(value)
    return parts
