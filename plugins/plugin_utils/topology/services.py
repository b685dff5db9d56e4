# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The Lync services of one computer: what they are doing, and what that means for the computer. Pure
functions.

Names and states are those of Get-CsWindowsService, which shows Windows services that belong to Lync, W3SVC
among them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.ordinal import same_name
from ..powershell.results import RemoteObject
from ..result.refusals import Unreadable

# The Front-End service of a Front End, and the Access Edge service of an Edge Server: with it the computer
# takes part.
REGISTRAR = "RTCSRV"

RUNNING = "Running"
STOPPED = "Stopped"
STARTING = "StartPending"
STOPPING = "StopPending"

# Windows' own web server and Windows Fabric's host, which Get-CsWindowsService lists beside Lync's services. No
# document says that Stop-CsWindowsService stops them.
_NOT_LYNC = frozenset({"w3svc", "fabrichostsvc"})

# Values of Start under a service's key in the registry.
_AUTOMATIC = 2
_DISABLED = 4


def start_key(service: str) -> str:
    return rf"HKLM:\SYSTEM\CurrentControlSet\Services\{service}"


@dataclass(frozen=True)
class Service:
    """``start`` is the registry's start mode, None where it was not looked up."""

    name: str
    status: str
    start: int | None = None

    @property
    def wanted_up(self) -> bool:
        """Whether Windows would start it: what is manual or disabled may well be stopped."""
        return self.start in (None, _AUTOMATIC)


@dataclass(frozen=True)
class Services:
    """All of one computer."""

    all: tuple[Service, ...]

    @property
    def takes_part(self) -> bool:
        """Whether the computer serves users now, which its Front-End or Access Edge service decides where it
        has one.
        """
        registrar = self._registrar()
        return registrar.status == RUNNING if registrar else self.up

    @property
    def up(self) -> bool:
        """Whether everything runs that should."""
        return not self.failed_over and not self.not_running

    @property
    def down(self) -> bool:
        """Whether every service of Lync's own is stopped."""
        own = [service for service in self.all if service.name.casefold() not in _NOT_LYNC]
        return bool(own) and all(service.status == STOPPED for service in own)

    @property
    def stopping(self) -> bool:
        return any(service.status == STOPPING for service in self.all)

    @property
    def awaits_pool(self) -> bool:
        """Whether the Front-End service starts and starts, which it does until enough of its pool are there."""
        registrar = self._registrar()
        return registrar is not None and registrar.status == STARTING

    @property
    def not_running(self) -> tuple[Service, ...]:
        return tuple(service for service in self.all if service.wanted_up and service.status != RUNNING)

    @property
    def failed_over(self) -> bool:
        """Invoke-CsComputerFailOver stops the services and disables them, so that a reboot does not start
        them.
        """
        registrar = self._registrar()
        return registrar is not None and registrar.start == _DISABLED and registrar.status != RUNNING

    @property
    def states(self) -> dict[str, str]:
        return {service.name: service.status for service in self.all}

    def _registrar(self) -> Service | None:
        return next((service for service in self.all if same_name(service.name, REGISTRAR)), None)


def read(objects: Iterable[RemoteObject]) -> list[Service]:
    """From Microsoft.Rtc.Management.Deployment.Core.NTService. Raises Unreadable where there is not one."""
    found = [
        Service(str(each["Name"]), str(each["Status"]))
        for each in objects
        if "Name" in each and "Status" in each
    ]
    if not found:
        raise Unreadable("Get-CsWindowsService listed no service at all.")
    return found


def with_start_modes(listed: Sequence[Service], values: Mapping[str, Mapping[str, Any]]) -> Services:
    """``values``: the registry by key, as in `start_key`."""
    return Services(
        tuple(
            Service(
                each.name,
                each.status,
                start
                if isinstance(start := values.get(start_key(each.name), {}).get("Start"), int)
                else None,
            )
            for each in listed
        )
    )
