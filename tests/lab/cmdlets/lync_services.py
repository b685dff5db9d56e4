# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Lync services of a computer: Get-, Start- and Stop-CsWindowsService, failing over and back.

Behaviour: MicrosoftDocs/office-docs-powershell, the pages of the cmdlets; texts of errors are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.cmdlets.windows_services import STATUS, wait_for
from lab.deployment.services import FOREIGN, ServiceDisabled
from lab.objects.values import NetObject, get_property, string_array, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements
from lab.windows.machine import (
    ALIVE,
    AUTOMATIC,
    DISABLED,
    PAUSED,
    RUNNING,
    START_PENDING,
    STOP_PENDING,
    STOPPED,
    Machine,
    WindowsService,
)

#: How long Invoke-CsComputerFailOver waits for the pool by default: one hour.
_FAIL_OVER_WAIT = 3600.0


def target_machine(invocation: Invocation) -> Machine:
    """The computer of -ComputerName, or the session's own.

    Another computer is reached by its Service Control Manager: not from or to an Edge, which stands outside
    the domain, and not from a WinRM session without delegation.
    """
    session = invocation.session
    own: Machine = session.machine
    item = invocation.get("InputObject")
    name = invocation.get("ComputerName") or (
        get_property(item, "ComputerName") if item is not None else None
    )
    if not name or text_of(name).lower() in (own.fqdn.lower(), own.host_name.lower(), "localhost", "."):
        return own
    topology = session.deployment.topology
    wanted = text_of(name).lower()
    computer = next(
        (c for c in topology.computers() if wanted in (c.fqdn.lower(), c.host_name.lower())), None
    )
    if computer is None:
        raise failed(invocation, "computer_unknown", name, computer=name)
    pool = topology.pool(computer.pool)
    machine: Machine = session.deployment.machine(computer.fqdn)
    cut_off = session.on_edge or pool.is_edge or not (session.constrained or session.caller.delegated)
    if cut_off or machine.down_until is not None:
        raise failed(invocation, "computer_unreachable", computer.fqdn, computer=computer.fqdn)
    return machine


def _chosen(invocation: Invocation, machine: Machine) -> list[WindowsService]:
    """The service of -Name (or the one piped in), or all Lync services."""
    item = invocation.get("InputObject")
    name = invocation.get("Name") or (text_of(get_property(item, "Name")) if item is not None else None)
    services = [service for service in machine.services.values() if service.is_lync]
    if name is None:
        return services
    found = [service for service in services if service.name.lower() == name.lower()]
    if not found:
        raise failed(invocation, "service_name_unknown", name, service=name, computer=machine.fqdn)
    return found


def _object(invocation: Invocation, service: WindowsService) -> NetObject:
    properties: dict[str, Any] = {"Status": STATUS[service.status], "Name": service.name}
    if not invocation.get("ExcludeActivityLevel"):
        number = service.activity if service.status in ALIVE else 0
        texts = invocation.session.deployment.texts
        properties["ActivityLevel"] = texts.text("activity_level", number=number)
    properties |= {"DisplayName": service.display_name, "RoleName": string_array(service.roles)}
    return NetObject(
        ("Microsoft.Rtc.Management.Deployment.Core.NTService", "System.Object"), properties, text=service.name
    )


def stop_machine(
    invocation: Invocation, machine: Machine, services: Iterable[WindowsService], graceful: bool = False
) -> None:
    """Begin to stop services, which drain before if it is to be graceful."""
    control = invocation.session.deployment.control
    for service in services:
        draining = machine.drain_seconds(service) if graceful else 0.0
        control.stop(machine, service, machine.stop_seconds(service), draining)


def start_machine(invocation: Invocation, machine: Machine, services: Iterable[WindowsService]) -> None:
    """Begin to start services; a disabled one is a non-terminating error."""
    control = invocation.session.deployment.control
    for service in services:
        try:
            control.start(machine, service, machine.start_seconds(service))
        except ServiceDisabled:
            error = failed(
                invocation, "service_disabled", service.name, service=service.name, computer=machine.fqdn
            )
            invocation.error(error)


def await_start(
    invocation: Invocation, machine: Machine, services: Iterable[WindowsService], seconds: float
) -> None:
    """Wait for services that were told to start; those that do not come up are non-terminating errors."""
    started = [service for service in services if machine.start_mode(service.name) != DISABLED]
    wait_for(invocation, lambda: all(service.status != START_PENDING for service in started), seconds)
    for service in started:
        if service.status != RUNNING:
            error = failed(
                invocation, "service_not_started", service.name, service=service.name, computer=machine.fqdn
            )
            invocation.error(error)


@implements("Get-CsWindowsService")
def get_windows_service(invocation: Invocation) -> Iterator[NetObject]:
    machine = target_machine(invocation)
    services = _chosen(invocation, machine)
    invocation.answer = ", ".join(sorted({service.status for service in services}))
    for service in services:
        yield _object(invocation, service)


@implements("Stop-CsWindowsService")
def stop_windows_service(invocation: Invocation) -> Iterable[Any]:
    """Graceful: no new requests, and the service stops when those that it has are done.

    Services that depend on it stop, too.
    """
    machine = target_machine(invocation)
    services = _chosen(invocation, machine)
    if invocation.get("LeaveClsAgentRunning"):
        services = [service for service in services if service.name != "RTCCLSAGT"]
    if invocation.get("Name") is None:
        services = [service for service in services if service.name not in FOREIGN]
    if not invocation.should_process(machine.fqdn):
        return ()
    every = list(dict.fromkeys(s for service in services for s in (*machine.dependents(service), service)))
    stop_machine(invocation, machine, every, bool(invocation.get("Graceful")))
    if not invocation.get("NoWait"):
        wait_for(invocation, lambda: not any(s.status in (PAUSED, STOP_PENDING) for s in every), float("inf"))
    return ()


@implements("Start-CsWindowsService")
def start_windows_service(invocation: Invocation) -> Iterable[Any]:
    """Starting what runs is no error; what a service depends on is started before it."""
    machine = target_machine(invocation)
    chosen = _chosen(invocation, machine)
    services = list(dict.fromkeys(s for each in chosen for s in (*machine.prerequisites(each), each)))
    if not invocation.should_process(machine.fqdn):
        return ()
    start_machine(invocation, machine, services)
    if not invocation.get("NoWait"):
        await_start(invocation, machine, services, machine.facts.services.get("wait_seconds", 600.0))
    return ()


@implements("Invoke-CsComputerFailOver")
def fail_over(invocation: Invocation) -> Iterable[Any]:
    """Drains, stops and disables the services, so that a reboot does not start them.

    Within -WaitTime the pool must be ready, else nothing is done.  -Force skips the check of the capacity, and
    makes -WhatIf ineffective.
    """
    session = invocation.session
    deployment = session.deployment
    machine = target_machine(invocation)
    pool = deployment.topology.pool(deployment.topology.computer(machine.fqdn).pool)
    control, force = deployment.control, bool(invocation.get("Force"))
    if pool.is_edge or not control.has_quorum_rules(pool):
        raise failed(invocation, "not_a_front_end", machine.fqdn, command=invocation.command.name)
    if not force and not control.functional(pool, [machine.fqdn]):
        raise failed(invocation, "failover_no_capacity", machine.fqdn, pool=pool.fqdn, computer=machine.fqdn)
    if not force and not invocation.should_process(machine.fqdn):
        return ()
    wait = invocation.get("WaitTime")
    seconds = wait.total_seconds() if wait is not None else _FAIL_OVER_WAIT
    if not force and not wait_for(invocation, lambda: control.readiness(pool) == "Ready", seconds):
        raise failed(invocation, "failover_wait_elapsed", machine.fqdn, pool=pool.fqdn)
    services = _chosen_for_failing(machine)
    for service in services:
        machine.set_start_mode(service.name, DISABLED)
    if invocation.get("NoStop"):
        return ()
    stop_machine(invocation, machine, services, graceful=True)
    wait_for(invocation, lambda: all(service.status == STOPPED for service in services), float("inf"))
    return ()


@implements("Invoke-CsComputerFailBack")
def fail_back(invocation: Invocation) -> Iterable[Any]:
    """Enables the services again and starts them."""
    deployment = invocation.session.deployment
    machine = target_machine(invocation)
    pool = deployment.topology.pool(deployment.topology.computer(machine.fqdn).pool)
    if pool.is_edge or not deployment.control.has_quorum_rules(pool):
        raise failed(invocation, "not_a_front_end", machine.fqdn, command=invocation.command.name)
    if not invocation.should_process(machine.fqdn):
        return ()
    services = _chosen_for_failing(machine)
    for service in services:
        if machine.start_mode(service.name) == DISABLED:
            machine.set_start_mode(service.name, AUTOMATIC)
    if invocation.get("NoStart"):
        return ()
    start_machine(invocation, machine, services)
    wait = invocation.get("WaitTime")
    await_start(invocation, machine, services, wait.total_seconds() if wait is not None else _FAIL_OVER_WAIT)
    return ()


def _chosen_for_failing(machine: Machine) -> list[WindowsService]:
    return [
        service for service in machine.services.values() if service.is_lync and service.name not in FOREIGN
    ]
