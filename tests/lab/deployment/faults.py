# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with clocks and services while the lab runs."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

from lab.contract import Server
from lab.windows.machine import START_MODES, STOPPED, Machine
from lab.windows.time_service import SERVICE
from lab.windows.zones import parse_zone

if TYPE_CHECKING:
    from lab.deployment.model import LyncDeployment

Injection = Callable[["LyncDeployment", "Server | None", Mapping[str, str]], str]


def _machine(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> Machine:
    fqdn = options.get("computer") or (server.fqdn if server else "")
    if deployment.topology.computer(fqdn) is None:
        known = ", ".join(computer.fqdn for computer in deployment.topology.computers())
        raise ValueError(f"There is no computer {fqdn!r}; name a server or computer=<fqdn>, one of {known}.")
    deployment.settle()
    return deployment.machine(fqdn)


def _number(options: Mapping[str, str], name: str, default: float | None = None) -> float:
    try:
        return float(options[name]) if name in options or default is None else default
    except (KeyError, ValueError):
        raise ValueError(f"This needs {name}=<number>.") from None


def _clock_offset(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds = _number(options, "seconds")
    machine.set_clock_error(seconds)
    return f"The clock of {machine.fqdn} is {seconds:+g} s off."


def _clock_jump(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds, reading = _number(options, "seconds"), int(_number(options, "reading", 1.0))
    machine.clock.jump_at([(reading, seconds)])
    return f"The clock of {machine.fqdn} jumps by {seconds:+g} s right before it is read the {reading}. time."


def _time_zone(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    zone = parse_zone(options.get("zone", ""))
    if zone is None:
        raise ValueError("time_zone_changed needs zone=<Windows id>.")
    keep = options.get("keep", "utc")
    if keep not in ("utc", "wall"):
        raise ValueError("time_zone_changed takes keep=utc or keep=wall.")
    machine.set_zone(zone, keep_wall_clock=keep == "wall")
    return f"{machine.fqdn} is in {zone.setting}; its clock is {machine.clock.error():+g} s off."


def _registry(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    try:
        path, name, text = options["path"], options["name"], options["value"]
    except KeyError:
        raise ValueError("registry_changed needs path=HKEY_LOCAL_MACHINE\\..., name= and value=.") from None
    data: Any = int(text, 0) if text.lstrip("-").isdigit() or text.lower().startswith("0x") else text
    machine.registry.put(path, name, data)
    return f"{path} {name} of {machine.fqdn} is {text}."


def _time_server(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    name = options.get("name", "")
    domain = deployment.domain_controller
    found = domain if name.lower() == domain.name.lower() else deployment.time_servers.get(name.lower())
    if found is None:
        known = ", ".join([domain.name, *(other.name for other in deployment.time_servers.values())])
        raise ValueError(f"There is no time server {name!r}; name=<one of {known}>.")
    if "offset" in options:
        found.offset = _number(options, "offset")
    if "reachable" in options:
        found.reachable = options["reachable"].lower() in ("true", "yes", "1")
    return (
        f"{found.name} is {found.offset:+g} s off and {'answers' if found.reachable else 'does not answer'}."
    )


def _time_service(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    state = options.get("state", "stopped")
    if state == "unregistered":
        machine.unregister_time_service()
    elif state in ("stopped", "disabled") and machine.time_service.registered:
        deployment.control.stop(machine, machine.services["w32time"], 0.0)
        if state == "disabled":
            machine.registry.put(SERVICE, "Start", START_MODES["disabled"])
    else:
        raise ValueError("time_service takes state=stopped, disabled or unregistered.")
    return f"W32Time of {machine.fqdn} is {state}."


def _service_trouble(trouble: str | None) -> Injection:
    def inject(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
        machine = _machine(deployment, server, options)
        service = machine.service(options.get("service", ""))
        if service is None:
            names = ", ".join(held.name for held in machine.services.values())
            raise ValueError(f"{machine.fqdn} has no such service; service=<one of {names}>.")
        service.trouble = trouble
        what = {"fails": "will not start", "hangs": "will hang when started", None: "will start again"}
        return f"{service.name} of {machine.fqdn} {what[trouble]}."

    return inject


def _services_stopped(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    wanted = options.get("service")
    if wanted is not None and machine.service(wanted) is None:
        raise ValueError(f"{machine.fqdn} has no service {wanted}.")
    for service in list(machine.services.values()):
        if service.name == wanted or (wanted is None and service.is_lync):
            deployment.control.stop(machine, service, 0.0)
    stopped = [service.name for service in machine.services.values() if service.status == STOPPED]
    return f"Stopped on {machine.fqdn}: {', '.join(stopped)}."


def _reboot(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds = _number(options, "seconds", 5.0)
    deployment.control.reboot(machine, seconds)
    return f"{machine.fqdn} is down for {seconds:g} s."


def _activity(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    service = machine.service(options.get("service", ""))
    if service is None:
        raise ValueError("activity needs service=<name> and calls=<number>.")
    service.activity = int(_number(options, "calls"))
    return f"{service.name} of {machine.fqdn} has {service.activity} calls."


FAULTS: Mapping[str, tuple[str, Injection]] = {
    "clock_offset": ("the clock of a server (or computer=<fqdn>) is seconds=<number> off", _clock_offset),
    "clock_jump": ("it jumps by seconds=<number> right before its reading=<n>-th reading", _clock_jump),
    "time_zone_changed": (
        "it is set to zone=<Windows id>, keep=utc or keep=wall (the wall clock)",
        _time_zone,
    ),
    "registry_changed": ("somebody sets path= name= value= in its registry, policies too", _registry),
    "time_server": ("name=<time server> has offset=<seconds> and is reachable=true or false", _time_server),
    "time_service": ("W32Time of a server is state=stopped, disabled or unregistered", _time_service),
    "service_fails": ("service=<name> of a server does not start", _service_trouble("fails")),
    "service_hangs": ("service=<name> of a server stays in StartPending", _service_trouble("hangs")),
    "service_works": ("service=<name> of a server starts again", _service_trouble(None)),
    "services_stopped": (
        "another administrator stops the Lync services of a server, or service=<name>",
        _services_stopped,
    ),
    "server_reboots": ("a server is down for seconds=<number>, then starts its services", _reboot),
    "activity": ("service=<name> of a server has calls=<number>", _activity),
}
