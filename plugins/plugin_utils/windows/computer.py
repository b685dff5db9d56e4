# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a server says about itself, its zone and its time service; the statements to ask, and how the answers
are read.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import CmdletNotOffered
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from . import registry, w32time, w32tm, zones

# Where Windows keeps a computer's name and DNS suffix; an Edge Server in a workgroup has its suffix here as
# well.
NAME_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
ZONE_KEY = r"HKLM:\SYSTEM\CurrentControlSet\Control\TimeZoneInformation"

GET_ZONE = Command("tzutil", arguments=("/g",))
LIST_ZONES = Command("tzutil", arguments=("/l",))
GET_SERVICE = Command("Get-Service", {"Name": w32time.SERVICE})
QUERY_STATUS = Command("w32tm", arguments=("/query", "/status", "/verbose"))

_CHART_SAMPLES = 3


class ProgramMissing(Unreadable):
    """A program that Windows has from Server 2008 R2 on is not there."""

    def __init__(self, program: str, server: str) -> None:
        super().__init__(f"{program} does not exist on {server}; it came with Windows Server 2008 R2.")


def name(keys: Mapping[str, registry.Values]) -> str | None:
    """The computer's FQDN in lower case; the topology knows it by that."""
    values = {key.casefold(): value for key, value in keys.get(NAME_KEY, {}).items()}
    host, domain = values.get("hostname"), values.get("domain") or values.get("nv domain")
    return ".".join(str(part) for part in (host, domain) if part).lower() if host else None


def zone(shell: ManagementShell, results: Results, keys: Mapping[str, registry.Values]) -> zones.ZoneInForce:
    """Of a pipeline with GET_ZONE as its only native program. Raises Unreadable."""
    raise_errors_of(shell, results, GET_ZONE)
    return zones.read_in_force(strings(results), keys.get(ZONE_KEY, {}))


def raise_errors_of(shell: ManagementShell, results: Results, program: Command) -> None:
    """What kept a native program from answering. Its own complaints carry no command, other commands' errors
    carry theirs.
    """
    for report in results.errors:
        failure = shell.classify(report)
        if isinstance(failure, CmdletNotOffered) and (report.target or "").casefold() == program.name:
            raise ProgramMissing(program.name, shell.endpoint.name)
        if report.category == "NotSpecified" and report.fully_qualified_id.startswith("NativeCommandError"):
            raise Unreadable(f"{program.as_text()} failed: {report.message}")


def strings(results: Results) -> list[str]:
    return [value for value in results.output if isinstance(value, str)]


def time_configuration(
    shell: ManagementShell, results: Results, keys: Mapping[str, registry.Values]
) -> w32time.Configuration:
    """Of a pipeline with the time service's keys and GET_SERVICE. Raises Unreadable, and what kept
    Get-Service from answering.
    """
    for report in results.errors:
        if report.command == GET_SERVICE.name and report.category != "ObjectNotFound":
            raise shell.classify(report)
    status = [
        str(remote["Status"]) for remote in results.objects() if "Status" in remote and "PSPath" not in remote
    ]
    return w32time.read(keys, status[0] if status else None)


def synchronisation(shell: ManagementShell) -> w32tm.Status:
    """Raises w32tm.ProgramFailed where the service is stopped or missing, Unreadable where the answer is not
    understood.
    """
    results = shell.run(QUERY_STATUS)
    raise_errors_of(shell, results, QUERY_STATUS)
    return w32tm.read_status(results.output)


def stripchart(shell: ManagementShell, time_server: str) -> w32tm.Stripchart:
    """Let the server compare its own clock with a time server's. Raises Unreadable."""
    arguments = (
        "/stripchart",
        f"/computer:{time_server}",
        "/period:1",
        f"/samples:{_CHART_SAMPLES}",
        "/dataonly",
    )
    command = Command("w32tm", arguments=arguments)
    results = shell.run(command)
    raise_errors_of(shell, results, command)
    return w32tm.read_stripchart(results.output)


def as_result(configuration: w32time.Configuration) -> dict[str, Any]:
    """The configuration in force as the options of the module time_service."""
    return configuration.as_options()
