# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the simulated computers: real X.509, made when somebody looks.

Which uses a computer has: Microsoft, "Certificate infrastructure requirements" and "Plan for Edge Server
certificates" (Lync Server 2013).  All Edge Servers of a pool carry the same A/V authentication certificate.
Staging: Microsoft, "Staging AV and OAuth certificates using -Roll in Set-CsCertificate".
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from lab.catalogue import lync_commands
from lab.deployment.topology import Computer, Pool, Topology
from lab.objects.types import full_name
from lab.objects.values import NetObject, enumeration, string_array
from lab.windows.zones import Zone

AV_AUTHENTICATION = "AudioVideoAuthentication"
OAUTH = "OAuthTokenIssuer"
#: What the wizard's ``External`` stands for since Lync Server 2013.
EXTERNAL = ("AccessEdgeExternal", "DataEdgeExternal", AV_AUTHENTICATION)
FRONT_END_USES = ("Default", "WebServicesInternal", "WebServicesExternal")
EDGE_USES = ("Internal", *EXTERNAL)

_DAYS_OLD, _DAYS_LEFT = 30.0, 700.0
_DAY = datetime.timedelta(days=1)
#: A Windows certification authority dates what it issues back, so that clocks may differ a little.
_DATED_BACK = datetime.timedelta(minutes=10)
_CURVES: Mapping[str, ec.EllipticCurve] = {
    "ECDH_P256": ec.SECP256R1(),
    "ECDH_P384": ec.SECP384R1(),
    "ECDH_P521": ec.SECP521R1(),
}


def cert_type() -> Any:
    """The enumeration of uses, as parameters have it."""
    values = lync_commands("2019")["get-cscertificate"].parameters["type"].values
    return enumeration(full_name("CertType"), values or ())


@cache
def _key(
    purpose: str, algorithm: str = "RSA", size: int = 2048
) -> rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey:
    """One key for each purpose, for the life of the process: they are the lab's, not secrets."""
    if algorithm in _CURVES:
        return ec.generate_private_key(_CURVES[algorithm])
    return rsa.generate_private_key(65537, size)


def _distinguished(name: x509.Name) -> str:
    """As .NET writes it."""
    return ", ".join(
        rdn.rfc4514_string({NameOID.STATE_OR_PROVINCE_NAME: "S"}) for rdn in reversed(list(name.rdns))
    )


@dataclass(frozen=True)
class Certificate:
    certificate: x509.Certificate
    names: tuple[str, ...]
    has_private_key: bool = True
    friendly_name: str = ""

    @property
    def thumbprint(self) -> str:
        # SHA-1 is what Windows calls the thumbprint.
        return self.certificate.fingerprint(hashes.SHA1()).hex().upper()

    @property
    def serial(self) -> str:
        text = f"{self.certificate.serial_number:X}"
        return text.zfill(len(text) + len(text) % 2)

    def valid_at(self, moment: datetime.datetime) -> bool:
        return self.certificate.not_valid_before_utc <= moment <= self.certificate.not_valid_after_utc

    def reference(self, use: str, zone: Zone) -> NetObject:
        """Microsoft.Rtc.Management.Deployment.CertificateReference."""
        return NetObject(
            ("Microsoft.Rtc.Management.Deployment.CertificateReference", "System.Object"),
            {
                "Issuer": _distinguished(self.certificate.issuer),
                "NotAfter": zone.local(self.certificate.not_valid_after_utc),
                "NotBefore": zone.local(self.certificate.not_valid_before_utc),
                "SerialNumber": self.serial,
                "Subject": _distinguished(self.certificate.subject),
                "AlternativeNames": string_array(self.names),
                "Thumbprint": self.thumbprint,
                "Use": cert_type()[use],
            },
        )

    def store_object(self, zone: Zone) -> NetObject:
        """System.Security.Cryptography.X509Certificates.X509Certificate2 of ``Cert:\\LocalMachine\\My``."""
        parent = "Microsoft.PowerShell.Security\\Certificate::LocalMachine\\My"
        return NetObject(
            (
                "System.Security.Cryptography.X509Certificates.X509Certificate2",
                "System.Security.Cryptography.X509Certificates.X509Certificate",
                "System.Object",
            ),
            {
                "Archived": False,
                "FriendlyName": self.friendly_name,
                "NotAfter": zone.local(self.certificate.not_valid_after_utc),
                "NotBefore": zone.local(self.certificate.not_valid_before_utc),
                "HasPrivateKey": self.has_private_key,
                "SerialNumber": self.serial,
                "Thumbprint": self.thumbprint,
                "Version": 3,
                "Issuer": _distinguished(self.certificate.issuer),
                "Subject": _distinguished(self.certificate.subject),
                "RawData": self.certificate.public_bytes(serialization.Encoding.DER),
            },
            {
                "PSPath": f"{parent}\\{self.thumbprint}",
                "PSParentPath": parent,
                "PSChildName": self.thumbprint,
            },
            text=f"[Subject]\r\n  {_distinguished(self.certificate.subject)}",
        )


@dataclass(frozen=True)
class Staged:
    """A certificate that takes over at a moment by the computer's own clock."""

    certificate: Certificate
    effective: datetime.datetime
    rolls: bool  # the one before stays, so that what it signed is still accepted


@dataclass
class Assignments:
    """Which certificate serves which use, on one computer or in the whole deployment."""

    current: dict[str, Certificate] = field(default_factory=dict)
    previous: dict[str, Certificate] = field(default_factory=dict)
    staged: dict[str, Staged] = field(default_factory=dict)

    def settle(self, now: datetime.datetime) -> None:
        """Let staged certificates take over whose time has come."""
        for use, staged in list(self.staged.items()):
            if staged.effective <= now:
                del self.staged[use]
                before = self.current.pop(use, None)
                if staged.rolls and before is not None:
                    self.previous[use] = before
                self.current[use] = staged.certificate

    def assign(self, use: str, certificate: Certificate) -> None:
        self.current[use] = certificate
        self.previous.pop(use, None)
        self.staged.pop(use, None)

    def remove_previous(self, use: str) -> Certificate | None:
        """Take the former certificate away, or what has been staged and has not taken over yet."""
        staged = self.staged.pop(use, None)
        return staged.certificate if staged is not None else self.previous.pop(use, None)

    def listed(self, with_staged: bool) -> list[tuple[str, Certificate]]:
        """Use by use: the certificate in force, the former and the coming one."""
        rows = []
        for use in dict.fromkeys((*self.current, *self.previous, *self.staged)):
            staged = self.staged[use].certificate if use in self.staged else None
            every = (self.current.get(use), self.previous.get(use), staged)
            rows += [(use, found) for found in every[: 3 if with_staged else 1] if found is not None]
        return rows

    def accepted(self, use: str) -> list[Certificate]:
        """Certificates whose tokens are taken: new ones are tried first, then the former."""
        staged = self.staged[use].certificate if use in self.staged else None
        every = (staged, self.current.get(use), self.previous.get(use))
        return [found for found in every if found is not None]


@dataclass
class Request:
    """A request made with Request-CsCertificate that has not been completed."""

    number: int
    uses: tuple[str, ...]
    certificate: Certificate  # what the authority will issue
    status: str = "Pending"  # or 'Issued', 'Denied'


@dataclass
class HeldCertificates:
    """Of one computer; ``shared`` are those of the whole deployment."""

    uses: tuple[str, ...]  # which it has
    assigned: Assignments
    shared: Assignments
    stored: dict[str, Certificate] = field(default_factory=dict)  # by thumbprint: LocalMachine\My
    requests: list[Request] = field(default_factory=list)

    @property
    def installed(self) -> list[Certificate]:
        """Each once."""
        return list({**self.stored, **{c.thumbprint: c for _, c in self.shared.listed(True)}}.values())

    def install(self, certificate: Certificate) -> None:
        self.stored[certificate.thumbprint] = certificate


@dataclass
class Authority:
    """The enterprise certification authority. ``name`` is what -CA wants: ``computer\\name``."""

    name: str
    reachable: bool = True
    approval: bool = False  # requests wait for somebody to approve them
    days: float = 730.0


@dataclass
class CertificateStore:
    """Issues what the computers of a deployment hold."""

    topology: Topology
    version: str
    now: datetime.datetime
    authority: Authority
    files: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)  # by lower-case path

    _issued: dict[tuple[str, ...], Certificate] = field(default_factory=dict)
    _held: dict[str, HeldCertificates] = field(default_factory=dict)  # by lower-case FQDN

    def __post_init__(self) -> None:
        self._shared = Assignments()
        if self.version != "2010":
            self._shared.current[OAUTH] = self._once((OAUTH,), (self.topology.sip_domains[0],), {})

    def of(self, computer: Computer, pool: Pool) -> HeldCertificates:
        held = self._held.get(computer.fqdn.lower())
        if held is None:
            held = self._held[computer.fqdn.lower()] = self._first(computer, pool)
        return held

    def names_for(self, use: str, computer: Computer, pool: Pool, domains: Iterable[str]) -> tuple[str, ...]:
        """Subject and alternative names that the topology asks for."""
        if not pool.is_edge:
            return (pool.fqdn, computer.fqdn, *(f"sip.{domain}" for domain in domains))
        if use == "Internal":
            return (pool.fqdn, computer.fqdn)
        external = pool.access_edge_external_fqdn or f"sip.{self.topology.domain}"
        suffix = external.partition(".")[2]
        return (f"av.{suffix}",) if use == AV_AUTHENTICATION else (external, f"webconf.{suffix}")

    def from_file(self, path: str) -> Certificate | None:
        """What is in the file of that path, the same wherever it is read; None if there is no such file."""
        facts = self.files.get(path.lower())
        if facts is None:
            return None
        names = tuple(facts.get("names", (facts.get("subject", "certificate"),)))
        return self._once(("file", path.lower()), names, facts)

    def issue(
        self,
        names: Sequence[str],
        begins: datetime.datetime,
        days: float,
        organisation: Mapping[str, str] | None = None,
        friendly_name: str = "",
        algorithm: str = "RSA",
        size: int = 2048,
        for_clients: bool = False,
    ) -> Certificate:
        """A new certificate of the authority, valid from a little before ``begins``."""
        return self._signed(
            names,
            {"subject": names[0]},
            begins - _DATED_BACK,
            begins + days * _DAY,
            organisation or {},
            friendly_name,
            (algorithm, size),
            for_clients,
        )

    def bring(
        self, names: Sequence[str], now: datetime.datetime, days_old: float, days_left: float
    ) -> Certificate:
        """A certificate of the authority that somebody had before."""
        return self._signed(names, {}, now - days_old * _DAY, now + days_left * _DAY)

    def _first(self, computer: Computer, pool: Pool) -> HeldCertificates:
        wanted: Mapping[str, Mapping[str, Any]] = computer.windows.get("certificates", {})
        uses = EDGE_USES if pool.is_edge else FRONT_END_USES
        held = HeldCertificates(uses, Assignments(), Assignments() if pool.is_edge else self._shared)
        for use in uses:
            facts = wanted.get(use, {})
            if facts.get("absent", False):
                continue
            own = facts.get("own", use not in EXTERNAL)
            names = self.names_for(use, computer, pool, self.topology.sip_domains)
            holder = computer.fqdn if own else pool.fqdn
            certificate = self._once((holder, repr(sorted(facts.items())), *names), names, facts)
            held.assigned.current[use] = certificate
            held.install(certificate)
        return held

    def _once(self, place: tuple[str, ...], names: tuple[str, ...], facts: Mapping[str, Any]) -> Certificate:
        held = self._issued.get(place)
        if held is None:
            begins = self.now - facts.get("days_old", _DAYS_OLD) * _DAY
            ends = self.now + facts.get("days_left", _DAYS_LEFT) * _DAY
            held = self._issued[place] = self._signed(names, facts, begins, ends)
        return held

    def _signed(
        self,
        names: Sequence[str],
        facts: Mapping[str, Any],
        begins: datetime.datetime,
        ends: datetime.datetime,
        organisation: Mapping[str, str] | None = None,
        friendly_name: str = "",
        key: tuple[str, int] = ("RSA", 2048),
        for_clients: bool = False,
    ) -> Certificate:
        purposes = [ExtendedKeyUsageOID.SERVER_AUTH]
        if for_clients:
            purposes.append(ExtendedKeyUsageOID.CLIENT_AUTH)
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(facts.get("subject", names[0]), organisation or {}))
            .issuer_name(_name(self.authority.name.rpartition("\\")[2]))
            .public_key(_key("service", *key).public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .add_extension(x509.ExtendedKeyUsage(purposes), critical=False)
            .sign(_key("authority"), hashes.SHA256())
        )
        return Certificate(certificate, tuple(names), facts.get("private_key", True), friendly_name)


_ATTRIBUTES = {
    "Country": NameOID.COUNTRY_NAME,
    "State": NameOID.STATE_OR_PROVINCE_NAME,
    "City": NameOID.LOCALITY_NAME,
    "Organization": NameOID.ORGANIZATION_NAME,
    "OU": NameOID.ORGANIZATIONAL_UNIT_NAME,
}


def _name(common: str, organisation: Mapping[str, str] | None = None) -> x509.Name:
    given = organisation or {}
    attributes = [x509.NameAttribute(oid, given[key]) for key, oid in _ATTRIBUTES.items() if given.get(key)]
    return x509.Name([*attributes, x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
