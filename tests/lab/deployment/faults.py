# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What goes wrong with the deployment itself: clocks, services, replication, the store, other administrators."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from lab.contract import Server
from lab.deployment.certificates import AV_AUTHENTICATION
from lab.objects.nouns import NOUNS
from lab.objects.values import plain
from lab.windows.machine import START_MODES, STOPPED, Machine
from lab.windows.time_service import SERVICE
from lab.windows.zones import parse_zone

if TYPE_CHECKING:
    from lab.deployment.model import LyncDeployment

Injection = Callable[["LyncDeployment", "Server | None", Mapping[str, str]], str]

_CENTURY = 100 * 366 * 86400


@dataclass(frozen=True)
class Fault:
    """One kind: a line of help, the options it takes (None: any), and what does it."""

    help: str
    options: tuple[str, ...] | None
    run: Injection

    def inject(
        self, kind: str, deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]
    ) -> str:
        """Make it happen; a sentence for people. Raises ValueError with one."""
        unknown = [name for name in options if self.options is not None and name not in self.options]
        if unknown:
            known = ", ".join(self.options or ()) or "none"
            raise ValueError(f"{kind} has no option {unknown[0]!r}; its options are: {known}.")
        return self.run(deployment, server, options)


def _machine(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> Machine:
    fqdn = options.get("computer") or (server.fqdn if server else "")
    if deployment.topology.computer(fqdn) is None:
        known = ", ".join(computer.fqdn for computer in deployment.topology.computers())
        raise ValueError(f"There is no computer {fqdn!r}; name a server or computer=<fqdn>, one of {known}.")
    deployment.settle()
    return deployment.machine(fqdn)


def _number(
    options: Mapping[str, str], name: str, default: float | None = None, least: float | None = None
) -> float:
    """An option that is a number, finite and not below ``least``; raises ValueError."""
    if name not in options and default is not None:
        return default
    try:
        number = float(options[name])
    except (KeyError, ValueError):
        raise ValueError(f"This needs {name}=<number>.") from None
    if not math.isfinite(number) or (least is not None and number < least):
        limit = "" if least is None else f" of {least:g} or more"
        raise ValueError(f"{name} must be a number{limit}, not {options[name]}.")
    return number


def _yes(options: Mapping[str, str], name: str, default: bool = True) -> bool:
    text = options.get(name, str(default)).lower()
    if text not in ("true", "yes", "1", "false", "no", "0"):
        raise ValueError(f"{name} is true or false, not {options[name]}.")
    return text in ("true", "yes", "1")


def _seconds_off(options: Mapping[str, str]) -> float:
    """By how much a clock is wrong: less than would take it out of the calendar."""
    seconds = _number(options, "seconds")
    if abs(seconds) > _CENTURY:
        raise ValueError(f"seconds must lie within a century, not {options['seconds']}.")
    return seconds


def _clock_offset(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds = _seconds_off(options)
    machine.set_clock_error(seconds)
    return f"The clock of {machine.fqdn} is {seconds:+g} s off."


def _clock_jump(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds, reading = _seconds_off(options), int(_number(options, "reading", 1.0, 1))
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
    if not path.upper().startswith("HKEY_LOCAL_MACHINE\\"):
        raise ValueError(f"path: {path!r} is not below HKEY_LOCAL_MACHINE\\.")
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
        found.reachable = _yes(options, "reachable")
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
        if (wanted and service.name.lower() == wanted.lower()) or (wanted is None and service.is_lync):
            deployment.control.stop(machine, service, 0.0)
    stopped = [service.name for service in machine.services.values() if service.status == STOPPED]
    return f"Stopped on {machine.fqdn}: {', '.join(stopped)}."


def _reboot(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    seconds = _number(options, "seconds", 5.0, 0)
    deployment.control.reboot(machine, seconds)
    return f"{machine.fqdn} is down for {seconds:g} s."


def _activity(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    machine = _machine(deployment, server, options)
    service = machine.service(options.get("service", ""))
    if service is None:
        raise ValueError("activity needs service=<name> and calls=<number>.")
    service.activity = int(_number(options, "calls", least=0))
    return f"{service.name} of {machine.fqdn} has {service.activity} calls."


def _sql_backend(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    name = options.get("name", "")
    pools = [pool for pool in deployment.topology.pools.values() if not pool.is_edge]
    known = {pool.sql_server.lower(): pool.sql_server for pool in pools}
    if name.lower() not in known:
        raise ValueError(f"There is no SQL Server {name!r}; name=<one of {', '.join(known.values())}>.")
    answers = _yes(options, "reachable", False)
    deployment.control.set_sql_server(name, answers)
    master = deployment.topology.pool(deployment.topology.central_management)
    has_store = master is not None and master.sql_server.lower() == name.lower()
    if has_store:
        deployment.store.unreachable = not answers
    store = ", and with it the Central Management Store" if has_store else ""
    return f"{known[name.lower()]} {'answers' if answers else 'does not answer'}{store}."


def _certificate_replaced(
    deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]
) -> str:
    machine = _machine(deployment, server, options)
    use = options.get("use", AV_AUTHENTICATION)
    held = deployment.certificates(machine.fqdn)
    if use not in held.uses:
        raise ValueError(f"{machine.fqdn} has no such certificate; use=<one of {', '.join(held.uses)}>.")
    former = held.assigned.get(use)
    names = former.names if former is not None else (machine.fqdn,)
    old, left = _number(options, "days_old", 1.0), _number(options, "days_left", 700.0)
    if left <= -old:
        raise ValueError("A certificate must begin before it ends: days_left is more than -days_old.")
    certificate = deployment.other_certificate(names, old, left)
    held.install(certificate)
    held.assigned[use] = certificate
    return f"{use} of {machine.fqdn} is {certificate.thumbprint} now."


def _replica_of(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    fqdn = options.get("replica") or (server.fqdn if server else "")
    if fqdn.lower() not in deployment.store.replicas:
        known = ", ".join(replica.fqdn for replica in deployment.store.replicas.values())
        raise ValueError(f"There is no replica {fqdn!r}; name a server or replica=<fqdn>, one of {known}.")
    return fqdn


def _stick(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    fqdn = _replica_of(deployment, server, options)
    deployment.store.set_stuck(fqdn, True)
    return f"The replica of {fqdn} keeps what it has from now on."


def _release(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    fqdn = _replica_of(deployment, server, options)
    deployment.store.set_stuck(fqdn, False)
    return f"The replica of {fqdn} replicates again."


def _slow(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    fqdn = _replica_of(deployment, server, options)
    seconds = _number(options, "seconds", least=0)
    deployment.store.replicas[fqdn.lower()].seconds = seconds
    return f"The replica of {fqdn} is up to date {seconds:g} s after a change."


def _unreachable(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    deployment.store.unreachable = True
    return "The Central Management Store does not answer."


def _reachable(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    deployment.store.unreachable = False
    return "The Central Management Store answers."


def _discard(deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]) -> str:
    count = int(_number(options, "count", 1, 0))
    deployment.store.discarded_writes = count
    return f"The next {count} change(s) to the Central Management Store report success and change nothing."


def _other_administrator(
    deployment: LyncDeployment, server: Server | None, options: Mapping[str, str]
) -> str:
    noun = NOUNS.get(options.get("noun", ""))
    identity = options.get("identity", "Global")
    if noun is None:
        raise ValueError(f"other_administrator needs noun=<noun>, one of {', '.join(NOUNS)}.")
    if deployment.store.unreachable:
        raise ValueError("The Central Management Store does not answer, to nobody.")
    held = deployment.store.state.get(noun.name, {}).get(identity.lower())
    if held is None:
        raise ValueError(f"There is no {noun.name} {identity!r} to change.")
    changes = {}
    for name, text in options.items():
        if name in ("noun", "identity"):
            continue
        found = next(
            (p for p in noun.properties_in(deployment.version) if p.name.lower() == name.lower()), None
        )
        if found is None:
            raise ValueError(f"{noun.name} has no property {name!r}.")
        value: Any = (
            {"true": True, "false": False}.get(text.lower(), text) if found.type == "Boolean" else text
        )
        changes[found.name] = found.typed(value)
    if not changes:
        raise ValueError("other_administrator needs at least one <property>=<value>.")
    deployment.store.put(noun.name, held[0], {**held[1], **changes})
    return f"{noun.name} {held[0]} now has {', '.join(f'{name}={plain(value)}' for name, value in changes.items())}."


_COMPUTER = ("computer",)
FAULTS: Mapping[str, Fault] = {
    "clock_offset": Fault(
        "the clock of a server is seconds=<number> off", (*_COMPUTER, "seconds"), _clock_offset
    ),
    "clock_jump": Fault(
        "it jumps by seconds=<number> right before its reading=<n>-th reading",
        (*_COMPUTER, "seconds", "reading"),
        _clock_jump,
    ),
    "time_zone_changed": Fault(
        "it is set to zone=<Windows id>, keep=utc or keep=wall (the wall clock)",
        (*_COMPUTER, "zone", "keep"),
        _time_zone,
    ),
    "registry_changed": Fault(
        "somebody sets path= name= value= in its registry, policies too",
        (*_COMPUTER, "path", "name", "value"),
        _registry,
    ),
    "time_service": Fault(
        "its W32Time is state=stopped, disabled or unregistered", (*_COMPUTER, "state"), _time_service
    ),
    "time_server": Fault(
        "the NTP server name= has offset=<seconds>, reachable=true or false",
        ("name", "offset", "reachable"),
        _time_server,
    ),
    "service_fails": Fault(
        "service=<name> of a server does not start", (*_COMPUTER, "service"), _service_trouble("fails")
    ),
    "service_hangs": Fault(
        "service=<name> of a server stays in StartPending",
        (*_COMPUTER, "service"),
        _service_trouble("hangs"),
    ),
    "service_works": Fault(
        "service=<name> of a server starts again", (*_COMPUTER, "service"), _service_trouble(None)
    ),
    "services_stopped": Fault(
        "somebody stops the Lync services of a server, or service=<name>",
        (*_COMPUTER, "service"),
        _services_stopped,
    ),
    "server_reboots": Fault(
        "a server is down for seconds=<number> [5], then starts services",
        (*_COMPUTER, "seconds"),
        _reboot,
    ),
    "activity": Fault(
        "service=<name> of a server has calls=<number>", (*_COMPUTER, "service", "calls"), _activity
    ),
    "sql_backend": Fault(
        "the SQL Server name= of a pool has reachable=false [false] or true",
        ("name", "reachable"),
        _sql_backend,
    ),
    "certificate_replaced": Fault(
        "somebody assigns another certificate of a server to use= [AudioVideoAuthentication], "
        "days_old=<number> [1], days_left=<number> [700]",
        (*_COMPUTER, "use", "days_old", "days_left"),
        _certificate_replaced,
    ),
    "replication_stuck": Fault(
        "the replica of a server, or replica=<fqdn>, keeps what it has", ("replica",), _stick
    ),
    "replication_released": Fault("a stuck replica replicates again", ("replica",), _release),
    "replication_seconds": Fault(
        "seconds=<number> from a change to that replica being up to date", ("replica", "seconds"), _slow
    ),
    "cms_unreachable": Fault("the Central Management Store does not answer", (), _unreachable),
    "cms_reachable": Fault("it answers again", (), _reachable),
    "change_does_not_stick": Fault(
        "the next count=<number> [1] changes of it succeed without effect", ("count",), _discard
    ),
    "other_administrator": Fault(
        "somebody changes noun= identity= [Global] <property>=<value> ...", None, _other_administrator
    ),
}
