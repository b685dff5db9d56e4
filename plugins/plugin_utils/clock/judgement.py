# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From all measurements, the topology, what the inventory requests and the rules to who is right about time, what is
wrong with each server, and what is to be done to it. Pure functions, evaluated once a run.

Each deployment is judged by itself.
"""

from __future__ import annotations

import enum
from collections import Counter
from collections.abc import Container, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from ..result.spans import span_text
from ..windows.w32time import differing, is_option_value, waits_for_domain, with_triggers
from .measurement import Measurement, key
from .offset import Offset
from .places import Deployment, Place, Places, Topology, places
from .selection import Agreement
from .voters import Decision, Kind, Right, decide
from .zone_faults import (
    ZoneFault,
    different_rules,
    doubts,
    explanation,
    setting,
    zone_difference,
    zone_faults,
)

# What a clock drifts and a measurement errs between a note and the next run, at least.
_STANDS = 2.0


class Word(enum.Enum):
    """What is said of a server."""

    RIGHT = "right"
    WRONG = "wrong"
    NOT_KNOWN = "not_known"
    UNCLEAR = "unclear"


class Fault(enum.Enum):
    """What is wrong with a server, in the order of its repair."""

    ZONE = "zone"
    SERVICE = "service"
    SOURCE = "source"
    CLOCK = "clock"


class Note(enum.Enum):
    """What is to become of the note in a server's registry that a restart is pending."""

    WRITE = "write"
    KEEP = "keep"
    REMOVE = "remove"


@dataclass(frozen=True)
class Request:
    """What the inventory wants of a server. ``zone`` may have tzutil's suffix for daylight saving time switched off."""

    zone: str | None = None
    time_service: Mapping[str, Any] | None = None


@dataclass(frozen=True)
class Rules:
    """``tolerance``: seconds that a clock may be off; ``restart_from``: from how many on its services are restarted.

    ``time_servers``: those that the inventory names. ``synchronised``: what the controller's kernel says of its clock,
    None where it does not tell. ``follow_pool``: a server for which the inventory requests no zone, or no source,
    shall have that of more than half of its pool. ``zones_confirmed``: the inventory is right even where most servers
    contradict it. ``take_over``: the servers, by FQDN, whose marks of a restart are not to count.
    """

    tolerance: float = 1.0
    restart_from: float = 300.0
    time_servers: tuple[str, ...] = ()
    synchronised: bool | None = None
    follow_pool: bool = False
    zones_confirmed: bool = False
    take_over: tuple[str, ...] = ()


@dataclass(frozen=True)
class Repair:
    """What is to be done to a server; None where it is left as it is. ``clock``: the right time less the controller's.

    ``confirmed``: a clock besides the controller's speaks for that.
    """

    zone: str | None = None
    time_service: Mapping[str, Any] | None = None
    clock: float | None = None
    confirmed: bool = False

    def __bool__(self) -> bool:
        return self.zone is not None or self.time_service is not None or self.clock is not None


@dataclass(frozen=True)
class Server:
    """``error`` is against the clock that is right. ``said``: sentences on this server. ``restart``: why its services
    must be restarted, None where they need not be.
    """

    place: Place
    measurement: Measurement
    word: Word
    error: Offset | None = None
    faults: tuple[Fault, ...] = ()
    repair: Repair = field(default_factory=Repair)
    note: Note | None = None
    restart: str | None = None
    said: tuple[str, ...] = ()

    @property
    def host(self) -> str:
        return self.place.host

    @property
    def zone(self) -> str | None:
        """As tzutil tells it."""
        return None if self.measurement.zone is None else setting(self.measurement)


@dataclass(frozen=True)
class Judgement:
    """``decisions`` by deployment; what stands under None is of servers whose deployment nobody knows.

    ``obstacles``: with any of them nothing may be changed.
    """

    decisions: Mapping[str, Decision]
    servers: Mapping[str, Server]
    places: Places
    obstacles: tuple[str, ...]
    remarks: tuple[str, ...]

    @property
    def unclear(self) -> list[str]:
        return [name for name, each in self.decisions.items() if each.right is Right.UNCLEAR]

    def candidates(self, deployment: Deployment) -> list[Server]:
        """The servers of a deployment whose services must be restarted."""
        return [
            each
            for each in self.servers.values()
            if each.restart is not None and each.place.deployment is deployment
        ]


def judge(
    measurements: Sequence[Measurement],
    topologies: Sequence[Topology],
    requests: Mapping[str, Request],
    rules: Rules,
) -> Judgement:
    found = places(measurements, topologies)
    counted = [each for each in measurements if each.host in found.by_host]
    decisions: dict[str, Decision] = {}
    servers: dict[str, Server] = {}
    obstacles = [*found.obstacles, *_strangers(rules.take_over, found)]
    for name, members in _by_deployment(counted, found).items():
        zones = {each.host: requests.get(each.host, Request()).zone for each in members}
        if not rules.zones_confirmed:
            obstacles += doubts(members, found.by_host, zones)
        obstacles += _unresolved(members, rules, requests)
        obstacles += _without_peers(members, requests)
        voting = _voting(members, rules)
        explained = _explained(voting, _decide(voting, (), rules))
        faults = zone_faults(members, found.by_host, zones, explained, follow=rules.follow_pool)
        decision = _decide(voting, {*faults, *explained}, rules)
        decisions[name] = decision
        sources = _majority_sources(members, found.by_host) if rules.follow_pool else {}
        for each in members:
            request = requests.get(each.host, Request())
            if request.time_service is None and found.by_host[each.host].pool is not None:
                pool = key(found.by_host[each.host].pool.pool)  # type: ignore[union-attr]
                request = replace(request, time_service=sources.get(pool))
            place = found.by_host[each.host]
            servers[each.host] = _server(
                each, place, request, faults.get(each.host), decision, members, rules
            )
    remarks = [*different_rules(counted), *found.remarks, *found.beside.values()]
    in_order = {each.host: servers[each.host] for each in counted}
    ended = [f"{each.rstrip('.')}." for each in obstacles]
    return Judgement(decisions, in_order, found, tuple(dict.fromkeys(ended)), tuple(remarks))


def _by_deployment(measurements: Iterable[Measurement], found: Places) -> dict[str, list[Measurement]]:
    groups: dict[str, list[Measurement]] = {}
    for each in measurements:
        deployment = found.by_host[each.host].deployment
        groups.setdefault(deployment.name if deployment else "", []).append(each)
    return groups


def _voting(members: Sequence[Measurement], rules: Rules) -> list[Measurement]:
    """The measurements with those time servers only that the inventory names as such."""
    named = {key(name) for name in rules.time_servers}
    return [
        replace(each, time_servers=tuple(c for c in each.time_servers if key(c.name) in named))
        for each in members
    ]


def _decide(voting: Sequence[Measurement], disqualified: Container[str], rules: Rules) -> Decision:
    return decide(voting, lambda each: each.host in disqualified, rules.synchronised, rules.tolerance)


def _explained(members: Sequence[Measurement], decision: Decision) -> set[str]:
    """The servers whose error is just the difference between their zone and one that others have, be it against the
    controller where it is not clear who is right.
    """
    found = set()
    for each in members:
        if each.offset is not None:
            error = each.offset.seconds - (decision.reference or 0.0)
            if explanation(each, members, zone_difference(error, each.offset.uncertainty)) is not None:
                found.add(each.host)
    return found


def _unresolved(
    members: Sequence[Measurement], rules: Rules, requests: Mapping[str, Request]
) -> Iterable[str]:
    """Time servers that no server of the run could find by their name."""
    seen: dict[str, list[bool]] = {}
    for each in members:
        for comparison in each.time_servers:
            seen.setdefault(key(comparison.name), []).append(comparison.unknown_host)
    for name in dict.fromkeys((*rules.time_servers, *_requested_peers(members, requests))):
        answers = seen.get(key(name))
        if answers and all(answers):
            option = (
                "clock_drift_ntp_servers" if name in rules.time_servers else "clock_drift_time_service: peers"
            )
            yield f"{option}: no server can resolve the name '{name}'"


def _strangers(names: Iterable[str], found: Places) -> Iterable[str]:
    """Servers that are named, and that no topology has."""
    pools = [pool for deployment in found.deployments for pool in deployment.pools]
    for name in names:
        if pools and not any(same_name(member.computer, name) for pool in pools for member in pool.members):
            yield f"clock_drift_take_over: {name} is no server that the topology has"


def _without_peers(members: Iterable[Measurement], requests: Mapping[str, Request]) -> Iterable[str]:
    """Servers that are to follow time servers, of which neither the inventory nor they themselves have one."""
    for each in members:
        wanted = requests.get(each.host, Request()).time_service or {}
        together = {**(each.time_service or {"peers": None}), **wanted}
        if wanted.get("type") in ("manual", "all") and together.get("peers") == []:
            yield (
                f"clock_drift_time_service of {each.host}: type: {wanted['type']} follows time servers, and there is "
                "none in peers"
            )


def _requested_peers(members: Iterable[Measurement], requests: Mapping[str, Request]) -> Iterable[str]:
    for each in members:
        for peer in (requests.get(each.host, Request()).time_service or {}).get("peers") or ():
            yield str(peer["host"])


def _majority_sources(
    members: Iterable[Measurement], places_by_host: Mapping[str, Place]
) -> dict[str, Mapping[str, Any]]:
    """By pool, whom the clocks of more than half of its servers follow."""
    by_pool: dict[str, list[dict[str, Any]]] = {}
    sizes: dict[str, int] = {}
    for each in members:
        configured, pool = each.time_service, places_by_host[each.host].pool
        if pool is None or not configured:
            continue
        sizes[key(pool.pool)] = len(pool.members)
        if all(is_option_value(option, configured[option]) for option in ("type", "peers")):
            peers = {"peers": configured["peers"]} if configured["type"] in ("manual", "all") else {}
            # That a source is common to a pool does not say that it is to last.
            source = {"type": configured["type"], **peers, "start_without_domain": False}
            by_pool.setdefault(key(pool.pool), []).append(source)
    found: dict[str, Mapping[str, Any]] = {}
    for name, sources in by_pool.items():
        forms = [
            (each["type"], frozenset(ordinal_key(str(peer.get("host"))) for peer in each.get("peers", ())))
            for each in sources
        ]
        most, number = Counter(forms).most_common(1)[0]
        if 2 * number > max(len(sources), sizes[name]):
            found[name] = sources[forms.index(most)]
    return found


# -- one server --------------------------------------------------------------------------------------------------------


def _server(
    measurement: Measurement,
    place: Place,
    request: Request,
    zone: ZoneFault | None,
    decision: Decision,
    members: Sequence[Measurement],
    rules: Rules,
) -> Server:
    if measurement.offset is None:
        trouble = measurement.trouble or ("its clock could not be measured.",)
        return Server(place, measurement, Word.NOT_KNOWN, said=trouble)
    said: list[str] = []
    faults: list[Fault] = []
    unknown: list[str] = []
    if zone is not None:
        faults.append(Fault.ZONE)
        said.append(_zone_sentence(measurement, zone))
    elif measurement.zone is None:
        unknown.append("the time zone")
    source = _source_fault(measurement, place, request, said)
    faults += source
    if measurement.time_service is None:
        unknown.append("the configuration of its time service")
    error = None
    if decision.agreement is not None:
        error = _error(measurement.offset, decision.agreement)
        wrong = _is_wrong(measurement.offset, decision.agreement, rules.tolerance)
        if wrong:
            faults.append(Fault.CLOCK)
            said.append(_clock_sentence(measurement, error, members))
        elif wrong is None:
            unknown.append(f"whether the clock is within {span_text(rules.tolerance)} (it is {error})")
    if measurement.jumped is not None:
        said.append(
            f"jumped by {span_text(measurement.jumped)} or more while it was measured: something else sets its clock, "
            "such as the host of a virtual machine."
        )
    if (Fault.CLOCK in faults or measurement.jumped is not None) and (measurement.time_service or {}).get(
        "ssl_time_data"
    ):
        said.append(
            "Windows may set its clock by the times of TLS connections (UtilizeSslTimeData), which can be a cause."
        )
    if unknown:
        said.append(f"not known: {', '.join(unknown)}. {' '.join(measurement.trouble)}".strip())
    server = Server(place, measurement, Word.RIGHT, error, tuple(faults), said=tuple(said))
    if decision.agreement is None:
        # Nothing is noted, repaired or restarted before it is certain who is right.
        return replace(server, word=Word.UNCLEAR)
    if not faults:
        word = Word.NOT_KNOWN if unknown else Word.RIGHT
        return _with_restart(replace(server, word=word), rules)
    repair = Repair(
        zone=zone.right if zone is not None else None,
        time_service=_wanted_service(measurement, place, request),
        clock=decision.reference if Fault.CLOCK in faults else None,
        confirmed=decision.confirmed,
    )
    if repair.clock is not None and repair.time_service is None:
        misled = _misled(measurement, decision)
        if misled is not None:
            # Whatever were done to its clock, its source would undo.
            repair = replace(repair, clock=None)
            server = replace(server, said=(*server.said, misled))
    return _with_restart(replace(server, word=Word.WRONG, repair=repair), rules)


def _misled(measurement: Measurement, decision: Decision) -> str | None:
    """Of a server whose source is itself wrong."""
    controller, source = measurement.domain_controller, measurement.own_source
    follows_domain = (measurement.time_service or {}).get("type") == "domain_hierarchy"
    for voter in decision.falsetickers:
        off = span_text(voter.candidate.seconds - (decision.reference or 0.0), signed=True)
        if (
            voter.kind is Kind.DOMAIN
            and follows_domain
            and controller
            and key(controller.name) == key(voter.name)
        ):
            return f"the clock follows its domain, whose PDC emulator {voter.name} is {off} off: put that right first."
        if source is not None and key(source) == key(voter.name):
            return (
                f"the clock follows {voter.name}, which is {off} off: give it another source with "
                "clock_drift_time_service."
            )
    return None


def _error(offset: Offset, agreement: Agreement) -> Offset:
    return Offset(offset.seconds - agreement.reference, offset.uncertainty + agreement.uncertainty)


def _is_wrong(offset: Offset, agreement: Agreement, tolerance: float) -> bool | None:
    """None where it cannot be told. A clock that agrees with all that the deciders allow is never wrong."""
    if agreement.distance(offset.seconds) > tolerance + offset.uncertainty:
        return True
    return False if _error(offset, agreement).certainly_within(tolerance) else None


def _source_fault(measurement: Measurement, place: Place, request: Request, said: list[str]) -> list[Fault]:
    configured = measurement.time_service
    if configured is None:
        return []
    wanted = _state_requested(configured, place, request)
    found: list[Fault] = []
    different = differing(configured, wanted)
    service = [option for option in different if option in ("service_state", "start_mode", "triggers")]
    if place.is_edge and waits_for_domain(configured):
        said.append(
            "W32Time waits for a domain, and without one is stopped when Windows starts (KB 2385818)."
        )
    if configured.get("ntp_client") is False and configured.get("type") != "none":
        said.append("W32Time's NtpClient is switched off, so that it asks no time server.")
    idle = measurement.idle
    if service or (idle is not None and wanted.get("service_state") != "stopped"):
        found.append(Fault.SERVICE)
        said.append(
            f"W32Time is {idle}."
            if idle is not None
            else f"W32Time is not as the inventory wants it ({', '.join(service)})."
        )
    unreadable = [
        option for option in ("type", "peers") if not _is_understood(option, configured.get(option))
    ]
    if unreadable:
        found.append(Fault.SOURCE)
        said.append(
            f"W32Time's {' and '.join(unreadable)} cannot be understood as it stands: {configured[unreadable[0]]!r}."
        )
    elif [option for option in different if option not in service]:
        found.append(Fault.SOURCE)
        options = ", ".join(option for option in different if option not in service)
        said.append(f"the time source is not what it should be ({options}).")
    elif measurement.follows_itself:
        found.append(Fault.SOURCE)
        said.append("W32Time follows nobody but this computer's own clock.")
    return found


def _is_understood(option: str, value: Any) -> bool:
    return value is None or is_option_value(option, value)


def _wanted_service(measurement: Measurement, place: Place, request: Request) -> Mapping[str, Any] | None:
    """As the parameters of the module time_service."""
    state = _state_requested(measurement.time_service or {}, place, request)
    if not differing(measurement.time_service or {}, state):
        return None
    parameters = {option: value for option, value in state.items() if option != "triggers"}
    return {**parameters, "start_without_domain": place.is_edge and _survives(request)}


def _state_requested(configured: Mapping[str, Any], place: Place, request: Request) -> Mapping[str, Any]:
    """What the inventory requests, and without which that would not last or not work."""
    given = request.time_service or {}
    state = {option: value for option, value in given.items() if option != "start_without_domain"}
    if not state:
        return {}
    if configured.get("ntp_client") is False and {**configured, **state}.get("type") != "none":
        state.setdefault("ntp_client", True)
    # Only of Edge Servers it is likely that they are in no domain.
    return with_triggers(configured, state) if place.is_edge and _survives(request) else state


def _survives(request: Request) -> bool:
    return (request.time_service or {}).get("start_without_domain", True) is not False


def _with_restart(server: Server, rules: Rules) -> Server:
    """Notes follow the verdict: one whose cause was never there is taken back, and none is made before it is certain.

    Services that would start with a clock that is still wrong, or may be, are not restarted.
    """
    note = server.measurement.note
    if server.word is Word.NOT_KNOWN or (Fault.CLOCK in server.faults and server.repair.clock is None):
        return replace(server, note=None if note is None else Note.KEEP)
    reason = None
    if server.repair.zone is not None and server.measurement.zone is not None:
        reason = f"its time zone was {setting(server.measurement)}"
    elif (
        server.repair.clock is not None
        and server.error is not None
        and abs(server.error.seconds) >= rules.restart_from
    ):
        reason = f"its clock was {span_text(server.error.seconds, signed=True)} off"
    if note is None:
        return replace(server, restart=reason, note=Note.WRITE if reason else None)
    if reason is None and server.word is Word.RIGHT and _is_groundless(note, server.measurement):
        return replace(server, note=Note.REMOVE)
    return replace(server, note=Note.KEEP, restart=str(note.get("reason") or reason or "an earlier repair"))


def _is_groundless(note: Mapping[str, Any], measurement: Measurement) -> bool:
    """Whether the server stands as it stood when the note was made, which then was made by mistake: what it accuses the
    server of is not so, and nobody has repaired it since.
    """
    noted_offset, noted_zone = note.get("offset_ms"), note.get("zone")
    if note.get("stopped") or (noted_offset is None and noted_zone is None):
        return False
    if noted_offset is not None and measurement.offset is not None:
        away = abs(measurement.offset.seconds - noted_offset / 1000)
        if away > measurement.offset.uncertainty + _STANDS:
            return False
    return noted_zone is None or (
        measurement.zone is not None and same_name(str(noted_zone), setting(measurement))
    )


def _zone_sentence(measurement: Measurement, fault: ZoneFault) -> str:
    has = f"the time zone is {setting(measurement)}"
    if fault.requested:
        return f"{has}, and should be {fault.right}."
    return f"{has}, and that of most others {fault.others}."


def _clock_sentence(measurement: Measurement, error: Offset, members: Sequence[Measurement]) -> str:
    off = f"the clock is {span_text(error.seconds, signed=True)} off"
    difference = zone_difference(error.seconds, error.uncertainty)
    zone = explanation(measurement, members, difference)
    if zone is not None and same_name(zone, setting(measurement)):
        return f"{off}: just the difference between what {zone} adds to UTC there and on other servers."
    if zone is not None:
        own = setting(measurement)
        return f"{off}: just the difference between {own} and {zone}, as if it had been set for that zone."
    if difference is not None:
        return f"{off}, which has the size of a difference between two zones."
    return f"{off}."
