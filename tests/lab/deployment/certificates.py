# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the simulated computers: real X.509, made when somebody looks.

Which uses a computer has: Microsoft, "Certificate infrastructure requirements" and "Plan for Edge Server
certificates" (Lync Server 2013).  All Edge Servers of a pool carry the same A/V authentication certificate.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
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


def cert_type() -> Any:
    """The enumeration of uses, as parameters have it."""
    values = lync_commands("2019")["get-cscertificate"].parameters["type"].values
    return enumeration(full_name("CertType"), values or ())


@cache
def _key(purpose: str) -> rsa.RSAPrivateKey:
    """One key for each purpose, for the life of the process: they are the lab's, not secrets."""
    return rsa.generate_private_key(65537, 2048)


def _distinguished(name: x509.Name) -> str:
    """As .NET writes it."""
    return ", ".join(rdn.rfc4514_string() for rdn in reversed(list(name.rdns)))


@dataclass(frozen=True)
class Certificate:
    certificate: x509.Certificate
    names: tuple[str, ...]
    has_private_key: bool = True

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
                "FriendlyName": "",
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


@dataclass
class HeldCertificates:
    """Of one computer; ``shared`` are those of the whole deployment."""

    uses: tuple[str, ...]  # which it has
    shared: dict[str, Certificate]  # by use
    assigned: dict[str, Certificate] = field(default_factory=dict)  # by use
    stored: dict[str, Certificate] = field(default_factory=dict)  # by thumbprint: LocalMachine\My

    @property
    def installed(self) -> list[Certificate]:
        """Each once."""
        return list({**self.stored, **{c.thumbprint: c for c in self.shared.values()}}.values())

    def install(self, certificate: Certificate) -> None:
        self.stored[certificate.thumbprint] = certificate


@dataclass
class CertificateStore:
    """Issues what the computers of a deployment hold; ``authority`` is the name of who signs."""

    topology: Topology
    version: str
    now: datetime.datetime
    authority: str

    _issued: dict[tuple[str, ...], Certificate] = field(default_factory=dict)
    _held: dict[str, HeldCertificates] = field(default_factory=dict)  # by lower-case FQDN

    def __post_init__(self) -> None:
        self._shared: dict[str, Certificate] = {}
        if self.version != "2010":
            self._shared[OAUTH] = self._once((OAUTH,), (self.topology.sip_domains[0],), {})

    def of(self, computer: Computer, pool: Pool) -> HeldCertificates:
        held = self._held.get(computer.fqdn.lower())
        if held is None:
            held = self._held[computer.fqdn.lower()] = self._first(computer, pool)
        return held

    def bring(
        self, names: Sequence[str], now: datetime.datetime, days_old: float, days_left: float
    ) -> Certificate:
        """A certificate of the authority that somebody had before."""
        return self._signed(names, {}, now - days_old * _DAY, now + days_left * _DAY)

    def _names(self, use: str, computer: Computer, pool: Pool) -> tuple[str, ...]:
        """Subject and alternative names that the topology asks for."""
        if not pool.is_edge:
            sip = (f"sip.{domain}" for domain in self.topology.sip_domains)
            return (pool.fqdn, computer.fqdn, *sip)
        if use == "Internal":
            return (pool.fqdn, computer.fqdn)
        external = pool.access_edge_external_fqdn or f"sip.{self.topology.domain}"
        suffix = external.partition(".")[2]
        return (f"av.{suffix}",) if use == AV_AUTHENTICATION else (external, f"webconf.{suffix}")

    def _first(self, computer: Computer, pool: Pool) -> HeldCertificates:
        wanted: Mapping[str, Mapping[str, Any]] = computer.windows.get("certificates", {})
        held = HeldCertificates(
            EDGE_USES if pool.is_edge else FRONT_END_USES, {} if pool.is_edge else self._shared
        )
        for use in held.uses:
            facts = wanted.get(use, {})
            if facts.get("absent", False):
                continue
            names = self._names(use, computer, pool)
            holder = computer.fqdn if facts.get("own", use not in EXTERNAL) else pool.fqdn
            certificate = self._once((holder, repr(sorted(facts.items())), *names), names, facts)
            held.assigned[use] = certificate
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
    ) -> Certificate:
        alternative = x509.SubjectAlternativeName([x509.DNSName(name) for name in names])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(facts.get("subject", names[0])))
            .issuer_name(_name(self.authority))
            .public_key(_key("service").public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(alternative, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(_key("authority"), hashes.SHA256())
        )
        return Certificate(certificate, tuple(names), facts.get("private_key", True))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
