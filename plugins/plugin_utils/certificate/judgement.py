# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From the Edge pools, what their servers hold and the right time to what is wrong with the certificate of A/V
authentication. Pure functions, evaluated once a run.

The service signs nothing with it on the wire: the private key makes the credentials of media relays, which every Edge
Server of a pool must accept. So its key, its time and that all of them have it decide, and its name does not.
"""

from __future__ import annotations

import datetime
import enum
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace

from ..powershell.commands import Command, Switch
from ..powershell.ordinal import same_name
from ..result.severity import Severity
from .av_edges import EdgePool
from .store import AV_AUTHENTICATION, EXTERNAL, INTERNAL, Assignment, InForce, in_force
from .x509_certificate import Certificate, moment_text

INFO = "info"
SEVERITIES = (*(each.value for each in reversed(Severity)), INFO)
"""Worst first."""
_LEAST_BITS = 2048
_WEAK_HASHES = ("sha1", "md5", "md2")


class Check(enum.Enum):
    """What is looked at; its value is what users see."""

    MISSING = "missing"
    DIFFERING = "differing"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    EXPIRES_WITHIN_LIFETIME = "expires_within_token_lifetime"
    EXPIRES_SOON = "expires_soon"
    KEY_MISSING = "key_missing"
    NOT_EXPORTABLE = "not_exportable"
    STAGED_TOO_LATE = "staged_too_late"
    STAGED_DIFFERS = "staged_differs"
    STAGED_UNUSABLE = "staged_unusable"
    WEAK_KEY = "weak_key"
    WEAK_SIGNATURE = "weak_signature"
    SHARED_WITH_INTERNAL = "shared_with_internal"
    NAME = "name"
    COUPLED = "coupled"
    CHAIN = "chain"


@dataclass(frozen=True)
class EdgeServer:
    """One server's answer. ``assigned`` and ``store`` (by thumbprint) are None where they are not known, which
    ``trouble`` explains. ``clock_error``: seconds that its own clock is ahead, None where that is not known.
    """

    host: str
    computer: str
    assigned: tuple[Assignment, ...] | None = None
    store: Mapping[str, Certificate] | None = None
    trouble: tuple[str, ...] = ()
    clock_error: float | None = None

    def thumbprint_of(self, use: str) -> str | None:
        return next((each.thumbprint for each in self.assigned or () if each.use == use), None)


@dataclass(frozen=True)
class Rules:
    """``moment``: by deployment's server, the right time; None where it is unclear who is right."""

    moment: datetime.datetime | None
    warn: datetime.timedelta = datetime.timedelta(days=30)


@dataclass(frozen=True)
class Finding:
    """``remedy`` is a command to paste, None where there is nothing to be done."""

    check: Check
    severity: str
    pool: str | None
    hosts: tuple[str, ...]
    said: str
    evidence: tuple[str, ...] = ()
    remedy: str | None = None


@dataclass(frozen=True)
class Unknown:
    """Something that could not be judged, of these hosts."""

    hosts: tuple[str, ...]
    said: str


@dataclass(frozen=True)
class PoolJudgement:
    """``pool`` is None for servers of which the topology knows nothing. ``held``: by host, what is in force."""

    pool: EdgePool | None
    servers: tuple[EdgeServer, ...]
    held: Mapping[str, InForce]
    findings: tuple[Finding, ...]
    unknown: tuple[Unknown, ...]


def judge(pool: EdgePool | None, servers: Sequence[EdgeServer], rules: Rules) -> PoolJudgement:
    """One Edge pool. ``servers`` are those of its computers that are in the run."""
    return _Pool(pool, servers, rules).judged()


def worst_first(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda each: SEVERITIES.index(each.severity))


def _merged(findings: Iterable[Finding]) -> list[Finding]:
    """What is said of several servers, once."""
    found: dict[tuple[Check, str, str, str | None], Finding] = {}
    for each in findings:
        key = (each.check, each.severity, each.said, each.remedy)
        known = found.get(key)
        if known is not None:
            each = replace(
                known,
                hosts=tuple(dict.fromkeys((*known.hosts, *each.hosts))),
                evidence=tuple(dict.fromkeys((*known.evidence, *each.evidence))),
            )
        found[key] = each
    return list(found.values())


@dataclass
class _Pool:
    pool: EdgePool | None
    servers: Sequence[EdgeServer]
    rules: Rules
    findings: list[Finding] = field(default_factory=list)
    unknown: list[Unknown] = field(default_factory=list)

    def judged(self) -> PoolJudgement:
        self._missing_members()
        held = self._held()
        self._assigned(held)
        for thumbprint, servers in self._by_thumbprint(held, lambda each: each.current).items():
            self._certificate(thumbprint, servers, held)
        self._staged(held)
        findings = worst_first(_merged(self.findings))
        return PoolJudgement(self.pool, tuple(self.servers), held, tuple(findings), tuple(self.unknown))

    @property
    def name(self) -> str | None:
        return None if self.pool is None else self.pool.pool

    @property
    def size(self) -> int:
        return max(len(self.servers), len(self.pool.computers) if self.pool else 0)

    def add(
        self,
        check: Check,
        severity: Severity | str,
        servers: Iterable[EdgeServer],
        said: str,
        *,
        evidence: Sequence[str] = (),
        remedy: str | None = None,
    ) -> None:
        level = severity.value if isinstance(severity, Severity) else severity
        hosts = tuple(each.host for each in servers)
        self.findings.append(Finding(check, level, self.name, hosts, said, tuple(evidence), remedy))

    def not_known(self, servers: Iterable[EdgeServer], said: str) -> None:
        self.unknown.append(Unknown(tuple(each.host for each in servers), said))

    # -- who is there -------------------------------------------------------------------------------------------

    def _missing_members(self) -> None:
        if self.pool is None:
            self.not_known(
                self.servers,
                f"Which servers make an Edge pool with {_listed([s.host for s in self.servers])} is not known.",
            )
            return
        present = [each.computer for each in self.servers]
        missing = [c for c in self.pool.computers if not any(same_name(c, name) for name in present)]
        if missing:
            self.not_known(
                self.servers,
                f"{_listed(missing)} of the pool {self.pool.pool} was not looked at, so that it may hold another "
                "certificate.",
            )

    def _held(self) -> dict[str, InForce]:
        """By host. Who is not in it could not be read, or does not tell which of several is in force."""
        found = {}
        for each in self.servers:
            if each.assigned is None:
                why = " ".join(each.trouble) or "It was not asked."
                self.not_known([each], f"What {each.host} has assigned is not known. {why}")
                continue
            held = in_force(each.assigned, AV_AUTHENTICATION, self.rules.moment)
            if held is not None:
                found[each.host] = held
            elif self.rules.moment is None:
                self.not_known(
                    [each],
                    f"Which of the certificates that are assigned on {each.host} is in force is not known, as it is "
                    "unclear what time it is.",
                )
            else:
                self.not_known(
                    [each],
                    f"Which of the certificates that are assigned on {each.host} is in force is not known: the "
                    "server does not tell it under the names that effective_date_property and previous_property have.",
                )
        return found

    def _by_thumbprint(
        self, held: Mapping[str, InForce], which: Callable[[InForce], Assignment | None]
    ) -> dict[str, list[EdgeServer]]:
        found: dict[str, list[EdgeServer]] = {}
        for each in self.servers:
            assignment = which(held[each.host]) if each.host in held else None
            if assignment is not None:
                found.setdefault(assignment.thumbprint, []).append(each)
        return found

    # -- what is assigned ---------------------------------------------------------------------------------------

    def _assigned(self, held: Mapping[str, InForce]) -> None:
        candidate = self._candidate(held)
        remedy = assigning(candidate) if candidate else self._requesting()
        without = [each for each in self.servers if each.host in held and held[each.host].current is None]
        if without:
            self.add(
                Check.MISSING,
                Severity.CRITICAL,
                without,
                "No certificate is assigned to A/V authentication: nobody outside gets audio or video.",
                evidence=[f"{each.host}: Get-CsCertificate shows no {AV_AUTHENTICATION}" for each in without],
                remedy=remedy,
            )
        holders = self._by_thumbprint(held, lambda each: each.current)
        if len(holders) > 1:
            self.add(
                Check.DIFFERING,
                Severity.CRITICAL,
                [each for servers in holders.values() for each in servers],
                "The Edge Servers of the pool do not have the same certificate: what one issues the others refuse.",
                evidence=[
                    f"{_listed([each.host for each in servers])}: {thumbprint}"
                    for thumbprint, servers in holders.items()
                ],
                remedy=remedy,
            )

    def _candidate(self, held: Mapping[str, InForce]) -> str | None:
        """The certificate that every server of the pool could have: its key is there, it is valid now, and of several
        it is one that is assigned already, or else the one that ends last.
        """
        moment = self.rules.moment
        if moment is None or any(each.store is None for each in self.servers) or not self.servers:
            return None
        assigned = self._by_thumbprint(held, lambda each: each.current)
        stores = [each.store or {} for each in self.servers]
        common = [
            certificate
            for thumbprint, certificate in stores[0].items()
            if all(thumbprint in store and store[thumbprint].has_private_key is not False for store in stores)
            and certificate.not_before <= moment < certificate.not_after
            and all(
                each.thumbprint_of(use) != thumbprint
                for each in self.servers
                for use in (INTERNAL, *EXTERNAL)
            )
        ]
        common.sort(key=lambda each: (len(assigned.get(each.thumbprint, ())), each.not_after))
        return common[-1].thumbprint if common else None

    def _requesting(self) -> str:
        name = self.pool.av_edge_name if self.pool else None
        return Command(
            "Request-CsCertificate",
            {
                "New": Switch.PRESENT,
                "Type": AV_AUTHENTICATION,
                "KeySize": _LEAST_BITS,
                "PrivateKeyExportable": True,
                **({"DomainName": name} if name else {}),
                "Output": "C:\\av_authentication.req",
            },
        ).as_text()

    # -- the certificate in force -------------------------------------------------------------------------------

    def _certificate(
        self, thumbprint: str, servers: Sequence[EdgeServer], held: Mapping[str, InForce]
    ) -> None:
        stored = [each for each in servers if each.store is not None]
        for each in servers:
            if each.store is None:
                why = " ".join(each.trouble)
                self.not_known([each], f"What the store of {each.host} holds is not known. {why}".strip())
        holding = [each for each in stored if thumbprint in (each.store or {})]
        certificate = next(((each.store or {})[thumbprint] for each in holding), None)
        assignment = next(
            each.current for each in (held[s.host] for s in servers) if each.current is not None
        )
        self._time(assignment, certificate, servers, held)
        self._key(thumbprint, stored)
        if certificate is not None:
            self._strength(certificate, holding)
            self._chain(certificate, holding)
        self._name(assignment, certificate, servers)
        self._shared(thumbprint, servers)

    def _time(
        self,
        assignment: Assignment,
        certificate: Certificate | None,
        servers: Sequence[EdgeServer],
        held: Mapping[str, InForce],
    ) -> None:
        begins = certificate.not_before if certificate else assignment.not_before
        ends = certificate.not_after if certificate else assignment.not_after
        if begins is None or ends is None:
            self.not_known(servers, f"Until when {assignment.thumbprint} is valid is not known.")
            return
        moment = self.rules.moment
        if moment is None:
            self.not_known(
                servers,
                f"Whether {assignment.thumbprint} is valid is not known, as it is unclear what time it is.",
            )
            return
        evidence = [
            f"valid from {moment_text(begins)} to {moment_text(ends)}; the right time is {moment_text(moment)}"
        ]
        for each in servers:
            own = moment + datetime.timedelta(seconds=each.clock_error or 0.0)
            if (begins <= own < ends) is not (begins <= moment < ends):
                evidence.append(f"{each.host} sees it otherwise: its own clock says {moment_text(own)}")
        candidate = self._candidate(held)
        other = candidate if candidate != assignment.thumbprint else None
        remedy = assigning(other) if other else self._requesting()
        if ends <= moment:
            self.add(
                Check.EXPIRED,
                Severity.CRITICAL,
                servers,
                f"The certificate expired {_days(moment - ends)} ago, and with it what it issues.",
                evidence=evidence,
                remedy=remedy,
            )
            return
        if begins > moment:
            self.add(
                Check.NOT_YET_VALID,
                Severity.CRITICAL,
                servers,
                f"The certificate becomes valid in {_days(begins - moment)} only.",
                evidence=evidence,
                remedy=remedy,
            )
            return
        self._ending(ends, moment, servers, held, evidence, other)

    def _ending(
        self,
        ends: datetime.datetime,
        moment: datetime.datetime,
        servers: Sequence[EdgeServer],
        held: Mapping[str, InForce],
        evidence: Sequence[str],
        other: str | None,
    ) -> None:
        if all(held[each.host].staged is not None for each in servers):
            return
        left = ends - moment
        lifetime = self.pool.token_lifetime if self.pool else None
        rolls = self.pool is not None and (self.pool.version or 0) > 5
        latest = None if lifetime is None else ends - lifetime
        if latest is not None and latest <= moment:
            self.add(
                Check.EXPIRES_WITHIN_LIFETIME,
                Severity.HIGH,
                servers,
                f"The certificate expires in {_days(left)}, sooner than what it issues, and nothing is to follow it.",
                evidence=evidence,
                remedy=assigning(other) if other else self._requesting(),
            )
            return
        if latest is None and left <= self.rules.warn:
            self.not_known(servers, "How long credentials are good for is not known (MaxTokenLifetime).")
        if left <= self.rules.warn:
            remedy = self._requesting()
            if other:
                remedy = assigning(other, latest if rolls else None)
            self.add(
                Check.EXPIRES_SOON,
                Severity.MEDIUM,
                servers,
                f"The certificate expires in {_days(left)}, and nothing is to follow it.",
                evidence=evidence,
                remedy=remedy,
            )

    def _key(self, thumbprint: str, stored: Sequence[EdgeServer]) -> None:
        by_key: dict[bool | None, list[EdgeServer]] = {}
        for each in stored:
            certificate = (each.store or {}).get(thumbprint)
            by_key.setdefault(False if certificate is None else certificate.has_private_key, []).append(each)
        if by_key.get(False):
            self.add(
                Check.KEY_MISSING,
                Severity.HIGH,
                by_key[False],
                "The private key is not there, and it is what makes the credentials.",
                evidence=[
                    f"{each.host}: no private key for {thumbprint} in Cert:\\LocalMachine\\My"
                    for each in by_key[False]
                ],
                remedy=Command(
                    "Import-CsCertificate",
                    {"Path": "C:\\av_authentication.pfx", "PrivateKeyExportable": True},
                ).as_text(),
            )
        if by_key.get(None):
            self.not_known(by_key[None], f"Whether the private key of {thumbprint} is there is not known.")
        self._exportable(thumbprint, by_key.get(True, ()))

    def _exportable(self, thumbprint: str, stored: Sequence[EdgeServer]) -> None:
        known = {each.host: (each.store or {})[thumbprint].exportable for each in stored}
        if True in known.values():
            # One server that gives it away is enough for another to get it.
            return
        refusing = [each for each in stored if known[each.host] is False]
        if refusing:
            self.add(
                Check.NOT_EXPORTABLE,
                Severity.HIGH if self.size > 1 else Severity.MEDIUM,
                refusing,
                "The private key cannot be exported, so that no other Edge Server can get it.",
                evidence=[f"{each.host}: CspKeyContainerInfo.Exportable is False" for each in refusing],
                remedy=self._requesting(),
            )
        elif stored:
            self.not_known(
                stored,
                f"Whether the private key of {thumbprint} may be exported is not known: no command shows it.",
            )

    def _strength(self, certificate: Certificate, servers: Sequence[EdgeServer]) -> None:
        bits = certificate.key_bits
        if certificate.key_algorithm in ("RSA", "DSA") and bits is not None and bits < _LEAST_BITS:
            self.add(
                Check.WEAK_KEY,
                Severity.MEDIUM,
                servers,
                f"The key has {bits} bits; 2048 are the least that is held to be safe.",
                evidence=[f"{certificate.key_algorithm}, {bits} bits"],
                remedy=self._requesting(),
            )
        if certificate.signature_hash in _WEAK_HASHES:
            self.add(
                Check.WEAK_SIGNATURE,
                Severity.MEDIUM,
                servers,
                f"The certificate is signed with {certificate.signature_hash.upper()}, which can be forged.",
                evidence=[f"signature hash {certificate.signature_hash}"],
                remedy=self._requesting(),
            )

    def _chain(self, certificate: Certificate, servers: Sequence[EdgeServer]) -> None:
        last = certificate.chain[-1] if certificate.chain else certificate.issuer
        if certificate.chain_complete is False:
            self.add(
                Check.CHAIN,
                INFO,
                servers,
                f"No root that the server trusts stands above {last}. That is no fault: nobody checks the chain.",
                evidence=[f"issuer {certificate.issuer}"],
            )
        elif certificate.chain_complete is None:
            self.not_known(
                servers, f"Whether the chain of {certificate.thumbprint} is complete is not known."
            )

    def _name(
        self, assignment: Assignment, certificate: Certificate | None, servers: Sequence[EdgeServer]
    ) -> None:
        recommended = self.pool.av_edge_name if self.pool else None
        names = certificate.names if certificate else assignment.names
        if recommended and not any(same_name(name, recommended) for name in names):
            self.add(
                Check.NAME,
                INFO,
                servers,
                f"Its name is not {recommended}, which is recommended. That is no fault: nobody checks the name.",
                evidence=[f"names: {', '.join(names) or 'none'}"],
            )

    def _shared(self, thumbprint: str, servers: Sequence[EdgeServer]) -> None:
        internal = [each for each in servers if each.thumbprint_of(INTERNAL) == thumbprint]
        if internal:
            self.add(
                Check.SHARED_WITH_INTERNAL,
                Severity.LOW,
                internal,
                "It is the certificate of the internal interface as well, which Microsoft advised against.",
                evidence=[f"{each.host}: {INTERNAL} is {thumbprint}" for each in internal],
                remedy=self._requesting(),
            )
        coupled = [each for each in servers if thumbprint in map(each.thumbprint_of, EXTERNAL)]
        if coupled:
            self.add(
                Check.COUPLED,
                INFO,
                coupled,
                "It is the certificate of the Access or Web Conferencing Edge as well, which cannot be replaced "
                "without a break.",
                evidence=[f"{each.host}: External is {thumbprint}" for each in coupled],
            )

    # -- what is to follow --------------------------------------------------------------------------------------

    def _staged(self, held: Mapping[str, InForce]) -> None:
        staged = self._by_thumbprint(held, lambda each: each.staged)
        if not staged:
            return
        self._staged_alike(held, staged)
        lifetime = self.pool.token_lifetime if self.pool else None
        for each in self.servers:
            state = held.get(each.host)
            if state is None or state.staged is None:
                continue
            begins = state.staged.effective_date
            ends = None if state.current is None else state.current.not_after
            if begins is None or ends is None:
                continue
            if lifetime is None:
                self.not_known([each], "How long credentials are good for is not known (MaxTokenLifetime).")
            elif begins > ends - lifetime:
                self.add(
                    Check.STAGED_TOO_LATE,
                    Severity.HIGH,
                    [each],
                    "The certificate that is to follow comes too late: what the old one issues last outlives it.",
                    evidence=[
                        f"{each.host}: effective from {moment_text(begins)}",
                        f"it should be by {moment_text(ends - lifetime)}",
                    ],
                    remedy=assigning(state.staged.thumbprint, ends - lifetime),
                )
            self._staged_certificate(each, state.staged, begins)

    def _staged_alike(self, held: Mapping[str, InForce], staged: Mapping[str, Sequence[EdgeServer]]) -> None:
        known = [each for each in self.servers if each.host in held]
        without = [each for each in known if held[each.host].staged is None]
        # One that has it already goes before the others, and what it issues they refuse.
        if len(staged) > 1 or without:
            thumbprint = next(iter(staged))
            first = min(
                (held[each.host].staged for servers in staged.values() for each in servers),
                key=lambda each: each.effective_date,  # type: ignore[union-attr, arg-type, return-value]
            )
            self.add(
                Check.STAGED_DIFFERS,
                Severity.HIGH,
                known,
                "Not every Edge Server of the pool is to get the same certificate next.",
                evidence=[
                    *(
                        f"{_listed([each.host for each in servers])}: {name} is to follow"
                        for name, servers in staged.items()
                    ),
                    *(
                        [f"{_listed([each.host for each in without])}: nothing is to follow"]
                        if without
                        else []
                    ),
                ],
                remedy=assigning(thumbprint, first.effective_date if first else None),
            )

    def _staged_certificate(self, server: EdgeServer, staged: Assignment, begins: datetime.datetime) -> None:
        if server.store is None:
            return
        certificate = server.store.get(staged.thumbprint)
        wrong = None
        if certificate is None or certificate.has_private_key is False:
            wrong = "its private key is not there"
        elif not certificate.not_before <= begins < certificate.not_after:
            wrong = f"it is valid from {moment_text(certificate.not_before)} to {moment_text(certificate.not_after)}"
        if wrong:
            self.add(
                Check.STAGED_UNUSABLE,
                Severity.HIGH,
                [server],
                f"The certificate that is to follow will be of no use: {wrong}.",
                evidence=[f"{server.host}: {staged.thumbprint} from {moment_text(begins)}"],
                remedy=self._requesting(),
            )


def assigning(thumbprint: str, effective: datetime.datetime | None = None) -> str:
    """The line that assigns a certificate, at once or from a moment on."""
    return assigning_command(thumbprint, AV_AUTHENTICATION, effective).as_text()


def assigning_command(thumbprint: str, use: str, effective: datetime.datetime | None = None) -> Command:
    rolling = {} if effective is None else {"Roll": Switch.PRESENT, "EffectiveDate": effective}
    return Command("Set-CsCertificate", {"Type": use, "Thumbprint": thumbprint, **rolling})


def _listed(names: Sequence[str]) -> str:
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


def _days(span: datetime.timedelta) -> str:
    hours = span.total_seconds() / 3600
    if hours < 48:
        return f"{hours:.0f} h" if hours >= 1 else f"{hours * 60:.0f} min"
    return f"{hours / 24:.0f} days"
