# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the hosts of a run registered to the judgement of all Edge pools, and to each host's result. Pure
functions.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.ordinal import ordinal_key
from ..result.failures import has_failed
from ..result.refusals import UnusableArgument
from . import av_edges, described, store, x509_certificate
from .av_edges import EdgePool
from .judgement import EdgeServer, Finding, PoolJudgement, Rules, judge, worst_first

#: By host, what a task registered.
Registered = Mapping[str, Mapping[str, Any]]


@dataclass(frozen=True)
class Wanted:
    """What is to be assigned; ``effective_date`` None: at once."""

    thumbprint: str
    effective_date: datetime.datetime | None = None


@dataclass(frozen=True)
class Run:
    """The judgement of a run. ``unknown`` are sentences, ``obstacles`` speak against assigning anything, by pool."""

    pools: tuple[PoolJudgement, ...]
    findings: tuple[Finding, ...]
    unknown: tuple[str, ...]
    time: str
    obstacles: Mapping[str, Sequence[str]]

    @property
    def verdict(self) -> str:
        return described.verdict(self.findings, self.unknown)

    def against(self, judgement: PoolJudgement) -> Sequence[str]:
        """What speaks against assigning in this pool."""
        return self.obstacles.get(_key(judgement), ())

    def as_dict(self) -> dict[str, Any]:
        return {
            "verdict": self.verdict,
            "findings": [
                {
                    **vars(each),
                    "check": each.check.value,
                    "hosts": list(each.hosts),
                    "evidence": list(each.evidence),
                }
                for each in self.findings
            ],
            "unknown": list(self.unknown),
            "pools": [_pool_as_dict(each) for each in self.pools],
            "obstacles": {name: list(each) for name, each in self.obstacles.items()},
        }

    def lines(self) -> list[str]:
        return described.lines(self.pools, self.findings, self.unknown, self.time)


@dataclass(frozen=True)
class Moments:
    """The right time, by host. ``why``: who tells it."""

    by_host: Mapping[str, datetime.datetime | None]
    errors: Mapping[str, float]
    computers: Mapping[str, str]
    why: tuple[str, ...]


def moments(clocks: Mapping[str, Any], now: datetime.datetime) -> Moments:
    """From what clock_judgement returned. ``now``: the controller's own time. Raises UnusableArgument."""
    by_host: dict[str, datetime.datetime | None] = {}
    errors: dict[str, float] = {}
    computers: dict[str, str] = {}
    try:
        deployments = {
            name: _moment(each["reference_offset"], now) for name, each in clocks["deployments"].items()
        }
        why = tuple(str(each["why"]) for each in clocks["deployments"].values())
        for host, server in clocks["servers"].items():
            # What stands under the empty name is of servers whose deployment nobody knows.
            by_host[host] = deployments.get(server["deployment"] or "")
            computers[host] = str(server["computer"] or host)
            if server["error_ms"] is not None:
                errors[host] = server["error_ms"] / 1000
    except (AttributeError, KeyError, TypeError) as wrong:
        raise UnusableArgument("clocks", f"this is not what clock_judgement returns ({wrong!r})") from None
    return Moments(by_host, errors, computers, why)


def _moment(offset: float | None, now: datetime.datetime) -> datetime.datetime | None:
    return None if offset is None else now + datetime.timedelta(seconds=offset)


def judged(
    answers: Registered,
    edges: Mapping[str, Any],
    right: Moments,
    warn: datetime.timedelta,
    wanted: Wanted | None,
) -> Run:
    """``answers``: what certificate_info returned; ``edges``: by host that was asked, what av_edge_info did."""
    pools, unknown = _pools(edges)
    computers = {ordinal_key(computer) for pool in pools for computer in pool.computers}
    servers = [
        _server(host, answer, right)
        for host, answer in answers.items()
        # In a play that has other servers as well, those were not asked.
        if answer or not pools or ordinal_key(right.computers.get(host, host)) in computers
    ]
    grouped = _grouped(servers, pools)
    judgements = []
    for pool, members in grouped:
        moment = next((right.by_host.get(each.host) for each in members if each.host in right.by_host), None)
        judgements.append(judge(pool, members, Rules(moment, warn)))
    findings = worst_first(each for judgement in judgements for each in judgement.findings)
    unknown += [each.said for judgement in judgements for each in judgement.unknown]
    obstacles: dict[str, Sequence[str]] = {}
    for judgement in judgements if wanted is not None else ():
        against = _obstacles(judgement, wanted, right)  # type: ignore[arg-type]
        if against:
            obstacles[_key(judgement)] = against
    return Run(
        tuple(judgements),
        tuple(findings),
        tuple(dict.fromkeys(unknown)),
        _time(right),
        obstacles,
    )


def _key(judgement: PoolJudgement) -> str:
    """A name for a pool, and for servers of none."""
    return judgement.pool.pool if judgement.pool else judgement.servers[0].host


def _pool_as_dict(judgement: PoolJudgement) -> dict[str, Any]:
    def thumbprints(which: str) -> dict[str, str | None]:
        found = {host: getattr(held, which) for host, held in judgement.held.items()}
        return {host: None if each is None else each.thumbprint for host, each in found.items()}

    pool = judgement.pool
    return {
        "pool": None if pool is None else pool.pool,
        "hosts": [each.host for each in judgement.servers],
        "av_edge_external_fqdn": None if pool is None else pool.av_edge_name,
        "in_force": thumbprints("current"),
        "staged": thumbprints("staged"),
    }


def _time(right: Moments) -> str:
    known = sorted({each for each in right.by_host.values() if each is not None})
    if not known:
        return "It is unclear what time it is, so that nothing can be said of what is valid."
    moment = x509_certificate.moment_text(known[0])
    return f"Judged at {moment}, which no Edge Server's own clock decides. {' '.join(right.why)}"


def _pools(edges: Mapping[str, Any]) -> tuple[list[EdgePool], list[str]]:
    found: dict[str, EdgePool] = {}
    unknown: list[str] = []
    for asked, answer in edges.items():
        if not isinstance(answer, Mapping) or answer.get("edge_pools") is None:
            said = answer.get("msg") if isinstance(answer, Mapping) else None
            unknown.append(
                f"{asked} does not tell which servers make an Edge pool: {said or 'it was not asked.'}"
            )
            continue
        try:
            for each in map(av_edges.from_dict, answer["edge_pools"]):
                found.setdefault(ordinal_key(each.pool), each)
        except (KeyError, TypeError, ValueError) as wrong:
            raise UnusableArgument("edges", f"this is not what av_edge_info returns ({wrong!r})") from None
        unknown += [str(each) for each in answer.get("trouble") or ()]
    return list(found.values()), unknown


def _server(host: str, answer: Mapping[str, Any], right: Moments) -> EdgeServer:
    said = (
        [str(answer["msg"])]
        if has_failed(answer) and answer.get("msg")
        else list(answer.get("trouble") or ())
    )
    computer = str(answer.get("computer") or right.computers.get(host) or host)
    try:
        assigned = answer.get("assigned")
        held = answer.get("store")
        return EdgeServer(
            host=host,
            computer=computer,
            assigned=None if assigned is None else tuple(map(store.assignment_from_dict, assigned)),
            store=None
            if held is None
            else {each["thumbprint"]: x509_certificate.from_dict(dict(each)) for each in held},
            trouble=tuple(said),
            clock_error=right.errors.get(host),
        )
    except (KeyError, TypeError, ValueError) as wrong:
        raise UnusableArgument(
            "certificates", f"what {host} has is not what certificate_info returns ({wrong!r})"
        ) from None


def _grouped(
    servers: Sequence[EdgeServer], pools: Sequence[EdgePool]
) -> list[tuple[EdgePool | None, list[EdgeServer]]]:
    """By pool, in the topology's order; whom it does not know stands alone."""
    places = {ordinal_key(computer): pool for pool in pools for computer in pool.computers}
    by_pool: dict[str, list[EdgeServer]] = {}
    alone: list[EdgeServer] = []
    for each in servers:
        pool = places.get(ordinal_key(each.computer)) or places.get(ordinal_key(each.host))
        if pool is None:
            alone.append(each)
        else:
            by_pool.setdefault(pool.pool, []).append(each)
    known: list[tuple[EdgePool | None, list[EdgeServer]]] = [
        (pool, by_pool[pool.pool]) for pool in pools if pool.pool in by_pool
    ]
    return [*known, *((None, [each]) for each in alone)]


def _obstacles(judgement: PoolJudgement, wanted: Wanted, right: Moments) -> list[str]:
    """What speaks against assigning in this pool: a certificate goes to all of its servers, or to none."""
    pool = judgement.pool
    if pool is None:
        hosts = [each.host for each in judgement.servers]
        return [f"Which servers make the pool of {described.listed(hosts)} is not known."]
    found: list[str] = []
    present = {ordinal_key(each.computer) for each in judgement.servers}
    missing = [each for each in pool.computers if ordinal_key(each) not in present]
    if missing:
        found.append(f"{described.listed(missing)} of {pool.pool} is not in the run.")
    for each in judgement.servers:
        certificate = None if each.store is None else each.store.get(wanted.thumbprint)
        if each.store is None or each.assigned is None:
            found.append(f"{each.host} does not tell what it has.")
        elif certificate is None:
            found.append(f"{wanted.thumbprint} is not in the store of {each.host}.")
        elif certificate.has_private_key is not True:
            found.append(f"The private key of {wanted.thumbprint} is not on {each.host}.")
    moment = next((right.by_host.get(each.host) for each in judgement.servers), None)
    if moment is None:
        return [*found, "It is unclear what time it is."]
    return found + _untimely(judgement, wanted, moment)


def _untimely(judgement: PoolJudgement, wanted: Wanted, moment: datetime.datetime) -> list[str]:
    certificate = next(
        (
            each.store[wanted.thumbprint]
            for each in judgement.servers
            if each.store and wanted.thumbprint in each.store
        ),
        None,
    )
    begins = wanted.effective_date or moment
    text = x509_certificate.moment_text
    found = []
    if certificate and not certificate.not_before <= begins < certificate.not_after:
        found.append(
            f"{wanted.thumbprint} is valid from {text(certificate.not_before)} to {text(certificate.not_after)}, "
            f"and is to be used from {text(begins)} on."
        )
    pool = judgement.pool
    if wanted.effective_date is None or pool is None:
        return found
    if pool.version is not None and pool.version <= 5:
        found.append(f"{pool.pool} runs Lync Server 2010, which cannot assign a certificate for later.")
    lifetime = pool.token_lifetime
    if lifetime is None:
        found.append(f"How long credentials of {pool.pool} are good for is not known (MaxTokenLifetime).")
        return found
    already = all(
        held.current is not None and held.current.thumbprint == wanted.thumbprint and held.staged is None
        for held in judgement.held.values()
    )
    ends = [
        held.current.not_after
        for held in judgement.held.values()
        if held.current is not None and held.current.not_after is not None
    ]
    if ends and not already and wanted.effective_date > min(ends) - lifetime:
        found.append(
            f"{text(wanted.effective_date)} is too late: what the old certificate issues is good until it ends on "
            f"{text(min(ends))}, so that {text(min(ends) - lifetime)} is the latest."
        )
    return found
