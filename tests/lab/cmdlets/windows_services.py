# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Windows services: Get-, Set-, Start-, Stop- and Restart-Service.

Texts and identifiers: Windows PowerShell's, as people published them; PowerShell/PowerShell, Service.cs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from psrpcore.types import ErrorCategory

from lab.contract import PipelineStopped
from lab.deployment.services import ServiceDisabled
from lab.objects.values import NetCollection, NetObject, enumeration
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError
from lab.powershell.registry import implements
from lab.windows.machine import (
    RUNNING,
    START_MODES,
    START_PENDING,
    STOP_PENDING,
    STOPPED,
    Machine,
    WindowsService,
)

#: System.ServiceProcess.ServiceControllerStatus, with its numbers.
STATUS = enumeration(
    "System.ServiceProcess.ServiceControllerStatus",
    ("Stopped", "StartPending", "StopPending", "Running", "ContinuePending", "PausePending", "Paused"),
    first=1,
)
_START = enumeration(
    "System.ServiceProcess.ServiceStartMode", ("Boot", "System", "Automatic", "Manual", "Disabled")
)
_COMMAND_EXCEPTION = "Microsoft.PowerShell.Commands.ServiceCommandException"


#: Seconds between two readings of a cmdlet that waits.
_INTERVAL = 0.05


def wait_for(invocation: Invocation, condition: Callable[[], bool], seconds: float) -> bool:
    """Wait until it holds; False when time is up. Raises PipelineStopped."""
    deployment = invocation.session.deployment
    deadline = deployment.monotonic() + seconds
    while True:
        deployment.settle()
        if condition():
            return True
        if deployment.monotonic() >= deadline:
            return False
        if invocation.streams.stopped.wait(_INTERVAL):
            raise PipelineStopped


def _object(machine: Machine, service: WindowsService, powershell_version: str) -> NetObject:
    running = service.status == RUNNING
    depended_on = [other.name for other in machine.prerequisites(service)]
    properties: dict[str, Any] = {
        "CanPauseAndContinue": False,
        "CanShutdown": running,
        "CanStop": running,
        "DisplayName": service.display_name,
        "DependentServices": _services([other.name for other in machine.dependents(service)]),
        "MachineName": ".",
        "ServiceName": service.name,
        "ServicesDependedOn": _services(depended_on),
        "ServiceHandle": "Microsoft.Win32.SafeHandles.SafeServiceHandle",
        "Status": STATUS[service.status],
        "ServiceType": "Win32OwnProcess",
        **({"StartType": _START(machine.start_mode(service.name))} if powershell_version[0] == "5" else {}),
        "Site": None,
        "Container": None,
    }
    return NetObject(
        (
            "System.ServiceProcess.ServiceController",
            "System.ComponentModel.Component",
            "System.MarshalByRefObject",
            "System.Object",
        ),
        properties,
        {"Name": service.name, "RequiredServices": _services(depended_on)},
        text=service.name,
    )


def _services(names: Sequence[str]) -> NetCollection:
    """An array of services: one level down remoting makes texts of them."""
    kind = "System.ServiceProcess.ServiceController[]"
    return NetCollection((kind, "System.Array", "System.Object"), tuple(names))


def _not_found(name: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot find any service with service name '{name}'.",
        category=ErrorCategory.ObjectNotFound,
        error_id="NoServiceFoundForGivenName",
        exception=_COMMAND_EXCEPTION,
        target=name,
    )


def _found(invocation: Invocation, names: Iterable[str]) -> Iterator[WindowsService]:
    """The services of those names (wildcards); one that does not exist is a non-terminating error."""
    services = sorted(invocation.session.machine.services.values(), key=lambda s: s.name.lower())
    for name in names:
        found = [service for service in services if matches(service.name, name)]
        if not found and not has_wildcard(name):
            invocation.error(_not_found(name))
        yield from found


@implements("Get-Service")
def get_service(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    machine = session.machine
    patterns = invocation.get("DisplayName")
    if patterns is not None:
        found = [s for s in machine.services.values() if any(matches(s.display_name, p) for p in patterns)]
    else:
        found = list(_found(invocation, invocation.get("Name") or ["*"]))
    yield from (_object(machine, service, session.powershell_version) for service in found)


def _start(invocation: Invocation, service: WindowsService) -> None:
    """Waits without end for a service that is starting (recorded)."""
    session = invocation.session
    control, machine = session.deployment.control, session.machine
    shown = f"{service.display_name} ({service.name})"
    try:
        for each in (*machine.prerequisites(service), service):
            control.start(machine, each, machine.start_seconds(each))
    except ServiceDisabled:
        refused = f"Cannot start service {service.name} on computer '.'."
        raise PowerShellError(
            f"Service '{shown}' cannot be started due to the following error: {refused}",
            category=ErrorCategory.OpenError,
            error_id="CouldNotStartService",
            exception=_COMMAND_EXCEPTION,
            target=_object(machine, service, session.powershell_version),
            inner=("System.InvalidOperationException", refused),
        ) from None
    wait_for(invocation, lambda: service.status != START_PENDING, float("inf"))
    if service.status != RUNNING:
        raise PowerShellError(
            f"Failed to start service '{shown}'.",
            category=ErrorCategory.OpenError,
            error_id="StartServiceFailed",
            exception=_COMMAND_EXCEPTION,
            target=_object(machine, service, session.powershell_version),
        )


def _stop(invocation: Invocation, service: WindowsService) -> list[WindowsService]:
    """Stop a service; with -Force those that depend on it before. Returns what was stopped."""
    session = invocation.session
    machine = session.machine
    dependents = [other for other in machine.dependents(service) if other.status != STOPPED]
    if dependents and not invocation.get("Force"):
        raise PowerShellError(
            f"Cannot stop service '{service.display_name} ({service.name})' because it has dependent services. "
            "It can only be stopped if the Force flag is set.",
            category=ErrorCategory.InvalidOperation,
            error_id="ServiceHasDependentServices",
            exception=_COMMAND_EXCEPTION,
            target=_object(machine, service, session.powershell_version),
        )
    stopped = [*dependents, service]
    for each in stopped:
        session.deployment.control.stop(machine, each, machine.stop_seconds(each))
    if not invocation.get("NoWait"):
        wait_for(invocation, lambda: all(each.status != STOP_PENDING for each in stopped), float("inf"))
    return stopped


def _restart(invocation: Invocation, service: WindowsService) -> None:
    for each in reversed(_stop(invocation, service)):
        _start(invocation, each)


def _act(invocation: Invocation, action: Callable[[Invocation, WindowsService], Any]) -> Iterator[NetObject]:
    session = invocation.session
    for service in _found(invocation, invocation.get("Name")):
        if not invocation.should_process(f"{service.display_name} ({service.name})"):
            continue
        try:
            action(invocation, service)
        except PowerShellError as error:
            invocation.error(error)
            continue
        if invocation.get("PassThru"):
            yield _object(session.machine, service, session.powershell_version)


@implements("Start-Service")
def start_service(invocation: Invocation) -> Iterator[NetObject]:
    return _act(invocation, _start)


@implements("Stop-Service")
def stop_service(invocation: Invocation) -> Iterator[NetObject]:
    return _act(invocation, _stop)


@implements("Restart-Service")
def restart_service(invocation: Invocation) -> Iterator[NetObject]:
    return _act(invocation, _restart)


@implements("Set-Service")
def set_service(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    name = invocation.get("Name")
    service = session.machine.service(name)
    if service is None:
        raise PowerShellError(
            f"Service '{name}' was not found on computer '.'.",
            category=ErrorCategory.ObjectNotFound,
            error_id="InvalidOperationException",
            exception="System.InvalidOperationException",
            target=name,
        )
    if not invocation.should_process(f"{service.display_name} ({service.name})"):
        return
    mode = invocation.get("StartupType")
    if mode is not None:
        session.machine.set_start_mode(service.name, START_MODES[mode.name.lower()])
    status = (invocation.get("Status") or "").lower()
    if status == "running":
        _start(invocation, service)
    elif status == "stopped":
        _stop(invocation, service)
    if invocation.get("PassThru"):
        yield _object(session.machine, service, session.powershell_version)
