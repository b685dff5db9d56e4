# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the tasks of a run have found out: observations, what is well, and what was not looked at. Pure functions.

Everything is read as the modules return it. A result that is missing, failed or unreachable is something that was not
looked at, and never something that is well.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from typing import Any

from ..result.severity import Severity
from ..result.spans import span_text
from .causes import Kind, Observation

Result = Mapping[str, Any]
AV_AUTHENTICATION = "RTCMRAUTH"
_SERVING = ("RTCSRV", AV_AUTHENTICATION)
"""The Front-End or Access Edge service, and the A/V Authentication service: without them nobody calls."""
_NAMES = {
    "RTCSRV": "Front-End or Access Edge",
    AV_AUTHENTICATION: "A/V Authentication",
    "RTCMEDIARELAY": "A/V Edge",
}
_FIVE_MINUTES = 300_000.0
_FIX_CLOCKS = "ansible-playbook -i inventory lync.remediation.fix_clock_drift --check --diff"
_AUDIT_CERTIFICATE = "ansible-playbook -i inventory lync.remediation.audit_av_authentication_certificate"
_START = "ansible -i inventory {host} -m lync.remediation.server_services -a state=running --check --diff"
_STATUS = "ansible -i inventory {host} -m lync.remediation.pool_info -a own=true"
_REPLICATE = "ansible -i inventory {host} -m lync.remediation.replication --check"
_MASTERS = "ansible -i inventory {host} -m lync.remediation.replication_info"
_WINDOWS_LIVE = (
    "ansible-playbook -i inventory lync.remediation.enable_windows_live_av_federation --check --diff"
)
_FEDERATION = "ansible -i inventory {host} -m lync.remediation.federation_info"
_RESTART = "ansible-playbook -i inventory lync.remediation.fix_clock_drift -e clock_drift_restart=true --check --diff"
_REACH = "ansible -i inventory {host} -m lync.remediation.connection_info"
_NO_ANSWER = ("cannot_connect", "cannot_resolve", "opening_timed_out")
_LATENT_CHECKS = (
    *("expires_soon", "not_exportable", "shared_with_internal", "weak_key", "weak_signature"),
    *("staged_too_late", "staged_differs", "name", "coupled", "chain"),
)
"""What may go wrong with a certificate one day, or is untidy, and keeps nobody from calling today."""
_OUTSIDE = ("dns_srv", "external_certificate")
_STORE_FAILS = ("command_error", "unreadable", "second_hop_denied", "timed_out")
_SEVERITIES = {each.value: each for each in Severity}


@dataclasses.dataclass(frozen=True)
class Assessed:
    """``examined`` says in a few words what was; ``not_examined`` are sentences."""

    observations: tuple[Observation, ...] = ()
    examined: tuple[str, ...] = ()
    not_examined: tuple[str, ...] = ()


@dataclasses.dataclass(frozen=True)
class Given:
    """Everything that the tasks have registered, by inventory host; ``clocks`` and ``certificates`` are the judgements
    of all.
    """

    management: tuple[str, ...] = ()
    front_ends: tuple[str, ...] = ()
    edges: tuple[str, ...] = ()
    clock_readings: Mapping[str, Result] = dataclasses.field(default_factory=dict)
    clocks: Result = dataclasses.field(default_factory=dict)
    services: Mapping[str, Result] = dataclasses.field(default_factory=dict)
    certificate_readings: Mapping[str, Result] = dataclasses.field(default_factory=dict)
    certificates: Result = dataclasses.field(default_factory=dict)
    replication: Mapping[str, Result] = dataclasses.field(default_factory=dict)
    federation: Mapping[str, Result] = dataclasses.field(default_factory=dict)
    traces: Mapping[str, Result] = dataclasses.field(default_factory=dict)


def assess(given: Given) -> Assessed:
    """All observations, in no order."""
    parts = [
        reachability(given),
        clocks(given),
        services(given),
        certificates(given),
        replication(given),
        federation(given),
        traces(given),
    ]
    return Assessed(
        tuple(each for part in parts for each in part.observations),
        tuple(each for part in parts for each in part.examined),
        tuple(dict.fromkeys(each for part in parts for each in part.not_examined)),
    )


def trace_findings(given: Given) -> list[Mapping[str, Any]]:
    """Of every deployment's search."""
    return [each for result in given.traces.values() for each in result.get("findings") or ()]


def why_not(result: Result | None) -> str | None:
    """Why a task has nothing to say; None where it has."""
    if not result or result.get("skipped"):
        return "it was not asked."
    if result.get("unreachable") or result.get("failed") or "failure" in result:
        return str(result.get("msg") or "it failed.")
    return None


def is_unreachable(result: Result | None) -> bool:
    """Whether nobody answered; one that answers and refuses is there."""
    if not result:
        return False
    failure = result.get("failure")
    return failure in _NO_ANSWER if failure else bool(result.get("unreachable"))


def reachability(given: Given) -> Assessed:
    """Servers that answer nothing at all. That an Edge Server cannot be reached from here may be as it should, unless
    traces tell of it.
    """
    observations, missing = [], []
    for host in (*given.front_ends, *given.edges):
        answer = given.clock_readings.get(host)
        if not (is_unreachable(answer) and is_unreachable(given.services.get(host))):
            continue
        reason = _first_sentence(why_not(answer) or "")
        missing.append(f"{host} (clock, services): {reason}")
        observations.append(_unreachable(host, reason, is_edge=host in given.edges))
    for host in given.management:
        answers = (given.replication.get(host), given.federation.get(host))
        if all(is_unreachable(each) for each in answers):
            observations.append(_unreachable(host, _first_sentence(why_not(answers[0]) or ""), is_edge=False))
        elif all(map(_cannot_read_the_store, answers)):
            observations.append(
                Observation(
                    Kind.REPLICATION,
                    "settings_unreadable",
                    Severity.MEDIUM,
                    f"{host} answers, and cannot read the settings of the deployment.",
                    (host,),
                    evidence=(_first_sentence(why_not(answers[0]) or ""),),
                    remedy=_REACH.replace("{host}", host),
                )
            )
    return Assessed(tuple(observations), (), tuple(missing))


def _cannot_read_the_store(result: Result | None) -> bool:
    """Whether a task was refused by the store, or nothing that it read of it is known."""
    if not result:
        return False
    if result.get("failure"):
        return result["failure"] in _STORE_FAILS
    # The version is the server's own.
    states = {
        each["state"] for each in result.get("prerequisites") or () if each["prerequisite"] != "version"
    }
    return states == {"unknown"}


def _unreachable(host: str, reason: str, *, is_edge: bool) -> Observation:
    return Observation(
        Kind.SERVER,
        "unreachable",
        Severity.LOW if is_edge else Severity.MEDIUM,
        f"{host} does not answer.",
        (host,),
        evidence=(reason,),
        remedy=_REACH.replace("{host}", host),
        breaks_av=is_edge,
        latent=is_edge,
    )


def clocks(given: Given) -> Assessed:
    hosts = (*given.front_ends, *given.edges)
    if not hosts:
        return Assessed(not_examined=("clocks: the inventory has no Front End and no Edge Server.",))
    reason = why_not(given.clocks)
    if reason is not None:
        return Assessed(not_examined=(f"clocks: {reason}",))
    servers: Mapping[str, Result] = given.clocks.get("servers") or {}
    observations = [
        _wrong_clock(host, server) for host, server in servers.items() if server["verdict"] == "wrong"
    ]
    observations += [
        Observation(
            Kind.CLOCK,
            "restart_pending",
            Severity.MEDIUM,
            f"The services of {host} have not been restarted since its clock was put right.",
            (host, str(server.get("computer") or host)),
            server.get("pool"),
            remedy=_RESTART,
            breaks_av=True,
        )
        for host, server in servers.items()
        if server.get("restart_pending")
    ]
    missing = []
    for host, server in servers.items():
        answer = given.clock_readings.get(host)
        if server["verdict"] not in ("right", "wrong") and not is_unreachable(answer):
            said = why_not(answer) or " ".join(server["said"]) or "it cannot be said whose clock is right."
            missing.append(f"clock of {host}: {_first_sentence(said)}")
    judged = sum(server["verdict"] in ("right", "wrong") for server in servers.values())
    return Assessed(tuple(observations), (counted(judged, "clock"),) if judged else (), tuple(missing))


def _wrong_clock(host: str, server: Result) -> Observation:
    error = server.get("error_ms")
    zone_is_wrong = "zone" in server["faults"]
    far = zone_is_wrong or (error is not None and abs(error) >= _FIVE_MINUTES)
    said = f"The clock of {host} is wrong."
    if error is not None:
        span = span_text(abs(error) / 1000)
        said = f"The clock of {host} is {span} {'ahead' if error > 0 else 'behind'}."
        if zone_is_wrong and abs(error) < 1000:
            said = f"The time zone of {host} is wrong."
    return Observation(
        Kind.CLOCK,
        "clock_wrong",
        Severity.HIGH if far else Severity.MEDIUM,
        said,
        (host, str(server.get("computer") or host)),
        server.get("pool"),
        tuple(f"{each[:1].upper()}{each[1:]}" for each in server["said"][:2]),
        _FIX_CLOCKS,
        breaks_av=far,
    )


def services(given: Given) -> Assessed:
    observations, missing, answered = [], [], 0
    for host in (*given.front_ends, *given.edges):
        answer = given.services.get(host)
        reason = why_not(answer)
        if reason is not None or answer is None:
            if not is_unreachable(answer):
                missing.append(f"services of {host}: {_first_sentence(reason or '')}")
            continue
        own, answered = answer["own"], answered + 1
        stopped = [str(each) for each in own["not_running"]]
        named = [f"{each} ({_NAMES[each]})" if each in _NAMES else each for each in stopped]
        if own["up"]:
            continue
        serving = own["failed_over"] or not own["running"] or any(each in _SERVING for each in stopped)
        if own["failed_over"]:
            said = f"{host} is failed over: its services are stopped and disabled."
        elif len(stopped) > 3:
            said = f"{len(stopped)} services of {host} do not run, {', '.join(named[:3])} among them."
        else:
            said = f"{', '.join(named) or 'A service'} of {host} {'does' if len(stopped) == 1 else 'do'} not run."
        states = own.get("services") or {}
        observations.append(
            Observation(
                Kind.SERVICE,
                "service_stopped",
                Severity.HIGH if serving else Severity.MEDIUM,
                said,
                (host, str(own.get("computer") or host)),
                evidence=tuple(f"{each}: {states[each]}" for each in stopped[:3] if each in states),
                remedy=(_STATUS if own["failed_over"] else _START).replace("{host}", host),
                breaks_av=AV_AUTHENTICATION in stopped,
            )
        )
    return Assessed(
        tuple(observations),
        (f"services of {counted(answered, 'server')}",) if answered else (),
        tuple(missing),
    )


def certificates(given: Given) -> Assessed:
    if not given.edges:
        return Assessed(not_examined=("A/V authentication certificate: the inventory has no Edge Server.",))
    reason = why_not(given.certificates)
    if reason is not None:
        return Assessed(not_examined=(f"A/V authentication certificate: {_first_sentence(reason)}",))
    observations = []
    for finding in given.certificates["findings"]:
        severity = _SEVERITIES.get(finding["severity"])
        if severity is None:  # Information is nothing to worry about.
            continue
        observations.append(
            Observation(
                Kind.CERTIFICATE,
                f"certificate_{finding['check']}",
                severity,
                finding["said"],
                tuple(finding["hosts"]),
                finding["pool"],
                tuple(finding["evidence"][:2]),
                _AUDIT_CERTIFICATE,
                breaks_av=finding["check"] not in _LATENT_CHECKS,
                latent=finding["check"] in _LATENT_CHECKS,
            )
        )
    unknown = [f"A/V authentication certificate: {each}" for each in given.certificates["unknown"]]
    read = [host for host in given.edges if why_not(given.certificate_readings.get(host)) is None]
    well = (f"certificates of {counted(len(read), 'Edge Server')}",) if read else ()
    return Assessed(tuple(observations), well, tuple(unknown))


def replication(given: Given) -> Assessed:
    observations, missing, read = [], [], 0
    for host in given.management:
        answer = given.replication.get(host)
        reason = why_not(answer)
        if reason is not None or answer is None:
            missing.append(f"replication ({host}): {_first_sentence(reason or '')}")
            continue
        masters = answer["active_masters"]
        if masters is not None and len(masters) > 1:
            observations.append(
                Observation(
                    Kind.REPLICATION,
                    "two_masters",
                    Severity.HIGH,
                    "Two pools hold the Central Management Store for theirs, so that nothing replicates.",
                    tuple(masters),
                    evidence=tuple(f"{each} calls itself the active master" for each in masters),
                    remedy=_MASTERS.replace("{host}", host),
                )
            )
        behind = list(answer["behind"])
        if behind:
            observations.append(
                Observation(
                    Kind.REPLICATION,
                    "replica_behind",
                    Severity.MEDIUM,
                    f"{' and '.join(behind[:3])}{f' and {len(behind) - 3} more' if len(behind) > 3 else ''} "
                    f"{'has' if len(behind) == 1 else 'have'} not got the last changes of the settings.",
                    tuple(behind),
                    evidence=tuple(
                        _last_report(each) for each in answer["replicas"] if each["replica_fqdn"] in behind
                    )[:3],
                    remedy=_REPLICATE.replace("{host}", host),
                )
            )
        read += len(answer["replicas"])
        missing += [f"replication ({host}): {each}" for each in answer["trouble"]]
    return Assessed(tuple(observations), (counted(read, "replica"),) if read else (), tuple(missing))


def _last_report(replica: Result) -> str:
    last = replica["last_status_report"]
    return f"{replica['replica_fqdn']}: {f'last heard of {last[:16]} UTC' if last else 'never heard of'}".replace(
        "T", " "
    )


def federation(given: Given) -> Assessed:
    """Windows Live: a prerequisite that is not met matters only where somebody wants it."""
    observations, missing, well = [], [], 0
    for host in given.management:
        answer = given.federation.get(host)
        reason = why_not(answer)
        if reason is not None or answer is None:
            missing.append(f"federation ({host}): {_first_sentence(reason or '')}")
            continue
        well += 1
        state = {each["prerequisite"]: each for each in answer["prerequisites"]}
        wanted = bool(answer["changes"]) or all(
            state[name]["state"] == "met" for name in ("public_provider", "policies")
        )
        observations += list(_of_federation(state, wanted, host))
        missing += [
            f"federation ({host}), {name}: {_first_sentence(each['evidence'])}"
            for name, each in state.items()
            if each["state"] == "unknown" and name not in (*_OUTSIDE, "license", "ports")
        ]
    return Assessed(tuple(observations), ("federation settings",) if well else (), tuple(missing))


def _of_federation(state: Mapping[str, Result], wanted: bool, host: str) -> Iterator[Observation]:
    for name, each in state.items():
        if each["state"] != "unmet" or name in (
            *_OUTSIDE,
            "replication",
            "version",
            "p2p_video",
            "audio_video_users",
        ):
            continue
        encryption = name == "media_encryption"
        yield Observation(
            Kind.ENCRYPTION if encryption else Kind.FEDERATION,
            name,
            # As it is delivered, a deployment requires encryption and federates with nobody.
            Severity.MEDIUM if wanted else Severity.LOW,
            f"{each['evidence']}.",
            evidence=("Windows Live audio and video is set up otherwise",) if wanted else (),
            remedy=_WINDOWS_LIVE
            if encryption or name in ("policies", "public_provider")
            else _FEDERATION.replace("{host}", host),
            normal=not wanted,
        )


def traces(given: Given) -> Assessed:
    missing, well = [], []
    for host in given.management:
        answer = given.traces.get(host)
        reason = why_not(answer)
        if reason is not None or answer is None:
            missing.append(f"traces: {_first_sentence(reason or '')}")
            continue
        missing += [f"traces: {_first_sentence(each)}" for each in answer["problems"]]
        if any(each["examined"] for each in answer["files"]):
            well.append("traces")
    if not given.management:
        missing.append("traces, replication, federation: the inventory has no management endpoint.")
    return Assessed((), tuple(dict.fromkeys(well)), tuple(missing))


def counted(number: int, name: str) -> str:
    return f"{number} {name}" if number == 1 else f"{number} {name}s"


def _first_sentence(text: str) -> str:
    sentence, stop, _rest = text.strip().partition(". ")
    return f"{sentence}{stop}".strip() or "it is not known why."
