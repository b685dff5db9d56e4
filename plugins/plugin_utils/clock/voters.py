# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Whose time counts where it is asked who is right, and what they decide. Pure functions.

A clock votes once, however many computers follow it: each named time server as the servers measured it, the domain as
its PDC emulator, the source of a server that has one of its own, and the controller. Named time servers at different
addresses that agree decide alone.
"""

from __future__ import annotations

import enum
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from ..result.spans import span_text
from .measurement import Comparison, Measurement, key
from .selection import Agreement, Candidate, select


class Right(enum.Enum):
    """Who tells the right time."""

    TIME_SERVERS = "time_servers"
    VOTERS = "voters"
    UNCLEAR = "unclear"


class Kind(enum.Enum):
    """What a voter is."""

    TIME_SERVER = "time_server"
    DOMAIN = "domain"
    SOURCE = "source"
    CONTROLLER = "controller"


@dataclass(frozen=True)
class Voter:
    """``measured_by``: how many servers compared themselves with it, 0 for the controller."""

    kind: Kind
    candidate: Candidate
    measured_by: int
    address: str | None = None

    @property
    def name(self) -> str:
        return self.candidate.name

    def described(self) -> str:
        of = {
            Kind.TIME_SERVER: f"the time server {self.name}",
            Kind.DOMAIN: f"the domain (PDC emulator {self.name})",
            Kind.SOURCE: f"{self.name} (a server's own source)",
            Kind.CONTROLLER: "the controller",
        }
        return of[self.kind]


@dataclass(frozen=True)
class Decision:
    """``agreement`` is None where it is unclear who is right. ``voters``: all that counted; ``silent``: why others did
    not; ``falsetickers``: those of whom another is right.
    """

    right: Right
    why: str
    agreement: Agreement | None
    voters: tuple[Voter, ...]
    silent: tuple[str, ...] = ()
    falsetickers: tuple[Voter, ...] = ()

    @property
    def reference(self) -> float | None:
        return None if self.agreement is None else self.agreement.reference

    @property
    def confirmed(self) -> bool:
        """Whether a clock besides the controller's speaks for it."""
        deciders = () if self.agreement is None else self.agreement.truechimers
        return any(voter.candidate in deciders and voter.kind is not Kind.CONTROLLER for voter in self.voters)


def decide(
    measurements: Sequence[Measurement],
    disqualified: Callable[[Measurement], bool],
    synchronised: bool | None,
    tolerance: float,
) -> Decision:
    """``disqualified`` servers have a wrong zone, or an error that a zone explains: their own time counts nothing.

    ``synchronised``: what the controller's kernel says of its clock, None where it does not tell.
    """
    silent: list[str] = []
    named = list(_time_servers(measurements, tolerance, silent))
    domain = list(_domain(measurements, tolerance, silent, taken=_keys(named)))
    sources = list(
        _sources(
            [each for each in measurements if not disqualified(each)], tolerance, _keys([*named, *domain])
        )
    )
    controller = []
    if synchronised is False:
        silent.append(
            "The controller's own kernel says that its clock is not synchronised, so that it does not vote."
        )
    else:
        weight = 2 if synchronised else 1
        controller = [Voter(Kind.CONTROLLER, Candidate("controller", 0.0, 0.0, weight), 0)]
    alone = _decide_alone(named, tolerance)
    if alone is not None:
        return _decided(Right.TIME_SERVERS, alone, (*named, *domain, *sources, *controller), silent)
    voters = (*named, *domain, *sources, *controller)
    agreement = select([voter.candidate for voter in voters], tolerance)
    if agreement is None:
        return Decision(Right.UNCLEAR, f"{_unclear(voters)}.", None, voters, tuple(silent))
    return _decided(Right.VOTERS, agreement, voters, silent)


def _decide_alone(named: Sequence[Voter], tolerance: float) -> Agreement | None:
    agreement = select([voter.candidate for voter in named], tolerance)
    if agreement is None:
        return None
    agreeing = [voter for voter in named if voter.candidate in agreement.truechimers]
    return agreement if len(agreeing) >= 2 else None


def _decided(right: Right, agreement: Agreement, voters: Sequence[Voter], silent: Sequence[str]) -> Decision:
    deciders = [voter for voter in voters if voter.candidate in agreement.truechimers]
    if right is Right.TIME_SERVERS:
        deciders = [voter for voter in deciders if voter.kind is Kind.TIME_SERVER]
    against = [
        voter
        for voter in voters
        if agreement.distance(voter.candidate.seconds) > voter.candidate.uncertainty and voter not in deciders
    ]
    names = _listed([voter.described() for voter in deciders])
    verb = "tells" if len(deciders) == 1 else "agree, and tell"
    if names.startswith("the "):  # a server's name stays as it is
        names = f"The {names[4:]}"
    why = f"{names} {verb} the right time."
    if against:
        contradicting = _listed(
            [
                f"{voter.described()} ({span_text(voter.candidate.seconds - agreement.reference, signed=True)})"
                for voter in against
            ]
        )
        why += f" Not so {contradicting}."
    return Decision(right, why, agreement, tuple(voters), tuple(silent), tuple(against))


def _unclear(voters: Sequence[Voter]) -> str:
    if not voters:
        return (
            "Nothing tells the time that could be believed: no time server is named, the domain's PDC emulator was not "
            "found, no server follows a source of its own, and the controller is not synchronised. Name two time "
            "servers in clock_drift_ntp_servers"
        )
    said = _listed(
        [f"{voter.described()} ({span_text(voter.candidate.seconds, signed=True)})" for voter in voters]
    )
    named = sum(voter.kind is Kind.TIME_SERVER for voter in voters)
    add = "one more time server" if named else "two time servers"
    return (
        f"It is not clear who is right: {said} contradict each other, each against the controller's clock. Name {add} "
        "in clock_drift_ntp_servers"
    )


# -- who votes ---------------------------------------------------------------------------------------------------------


def _time_servers(
    measurements: Iterable[Measurement], tolerance: float, silent: list[str]
) -> Iterable[Voter]:
    seen: dict[str, list[tuple[Measurement, Comparison]]] = {}
    for measurement in measurements:
        for comparison in measurement.time_servers:
            seen.setdefault(key(comparison.name), []).append((measurement, comparison))
    addresses: dict[str, str] = {}
    for comparisons in seen.values():
        name = comparisons[0][1].name
        voter = _measured(Kind.TIME_SERVER, name, comparisons, tolerance)
        if isinstance(voter, str):
            silent.append(f"The time server {name} {voter}.")
        elif voter.address is not None and voter.address in addresses:
            silent.append(
                f"The time server {name} is the same as {addresses[voter.address]} ({voter.address})."
            )
        else:
            addresses.update({voter.address: name} if voter.address else {})
            yield voter


def _domain(
    measurements: Iterable[Measurement], tolerance: float, silent: list[str], taken: set[str]
) -> Iterable[Voter]:
    """One domain is one voter, whatever number of members has measured its PDC emulator; a forest may have several."""
    seen: dict[str, list[tuple[Measurement, Comparison]]] = {}
    for measurement in measurements:
        if measurement.domain_controller is not None:
            seen.setdefault(key(measurement.domain_controller.name), []).append(
                (measurement, measurement.domain_controller)
            )
    known = set(taken)
    for name, comparisons in seen.items():
        voter = _measured(Kind.DOMAIN, comparisons[0][1].name, comparisons, tolerance)
        if isinstance(voter, str):
            silent.append(f"The domain's PDC emulator {comparisons[0][1].name} {voter}.")
        elif name not in known and voter.address not in known:
            known |= _keys([voter])
            yield voter


def _sources(measurements: Iterable[Measurement], tolerance: float, taken: set[str]) -> Iterable[Voter]:
    """The sources that servers follow by themselves: measured by those servers, or else their own clocks."""
    followed: dict[str, list[tuple[Measurement, Comparison]]] = {}
    for measurement in measurements:
        source = measurement.own_source
        if source is None or not measurement.measured:
            continue
        compared = next(
            (
                each
                for each in measurement.sources
                if key(each.name) == key(source) and each.seconds is not None
            ),
            Comparison(source, 0.0),
        )
        followed.setdefault(key(source), []).append((measurement, compared))
    known = set(taken)
    for name, comparisons in followed.items():
        voter = _measured(Kind.SOURCE, comparisons[0][1].name, comparisons, tolerance)
        if isinstance(voter, Voter) and name not in known and voter.address not in known:
            known |= _keys([voter])
            yield voter


def _measured(
    kind: Kind, name: str, comparisons: Sequence[tuple[Measurement, Comparison]], tolerance: float
) -> Voter | str:
    """One clock that several servers compared themselves with; why it cannot vote, where it cannot.

    A server whose clock jumped meanwhile, or that sees somebody else under that name, is outvoted by the others.
    """
    answers = [
        Candidate(
            measurement.host, measurement.offset.seconds - comparison.seconds, measurement.offset.uncertainty
        )
        for measurement, comparison in comparisons
        if measurement.offset is not None and comparison.seconds is not None
    ]
    if not answers:
        return "did not answer"
    agreement = select(answers, tolerance)
    if agreement is None:
        return "was seen with different times by different servers, and does not vote"
    addresses = [comparison.address for _server, comparison in comparisons if comparison.address]
    candidate = Candidate(name, agreement.reference, agreement.uncertainty)
    return Voter(kind, candidate, len(agreement.truechimers), addresses[0] if addresses else None)


def _keys(voters: Iterable[Voter]) -> set[str]:
    """Names and addresses."""
    return {text for voter in voters for text in (key(voter.name), voter.address) if text}


def _listed(texts: Sequence[str]) -> str:
    return texts[0] if len(texts) == 1 else f"{', '.join(texts[:-1])} and {texts[-1]}"
