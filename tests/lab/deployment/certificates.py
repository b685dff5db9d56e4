# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the simulated computers: real X.509, made when somebody looks.

Which uses a computer has: Microsoft, "Certificate infrastructure requirements" and "Plan for Edge Server
certificates" (Lync Server 2013).  All Edge Servers of a pool carry the same A/V authentication certificate.
"""

from __future__ import annotations

import datetime
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from lab.deployment.topology import Computer, Pool, Topology
from lab.objects.values import NetObject, enumeration, string_array
from lab.windows.zones import Zone

AV_AUTHENTICATION = "AudioVideoAuthentication"
_CERT_TYPE = enumeration(
    "Microsoft.Rtc.Management.Deployment.CertType",
    (
        "AccessEdgeExternal",
        AV_AUTHENTICATION,
        "DataEdgeExternal",
        "Default",
        "External",
        "Internal",
        "OAuthTokenIssuer",
        "WebServicesExternal",
        "WebServicesInternal",
    ),
)
_DAYS_OLD, _DAYS_LEFT = 30.0, 700.0


@cache
def _key(purpose: str) -> rsa.RSAPrivateKey:
    """One key for each purpose, for the life of the process: they are the lab's, not secrets."""
    return rsa.generate_private_key(65537, 2048)


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

    def reference(self, use: str, zone: Zone) -> NetObject:
        """Microsoft.Rtc.Management.Deployment.CertificateReference."""
        return NetObject(
            ("Microsoft.Rtc.Management.Deployment.CertificateReference", "System.Object"),
            {
                "Issuer": self.certificate.issuer.rfc4514_string(),
                "NotAfter": zone.local(self.certificate.not_valid_after_utc),
                "NotBefore": zone.local(self.certificate.not_valid_before_utc),
                "SerialNumber": self.serial,
                "Subject": self.certificate.subject.rfc4514_string(),
                "AlternativeNames": string_array(self.names),
                "Thumbprint": self.thumbprint,
                "Use": _CERT_TYPE[use],
            },
        )

    def store_object(self) -> NetObject:
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
                "NotAfter": self.certificate.not_valid_after_utc,
                "NotBefore": self.certificate.not_valid_before_utc,
                "HasPrivateKey": self.has_private_key,
                "SerialNumber": self.serial,
                "Thumbprint": self.thumbprint,
                "Version": 3,
                "Issuer": self.certificate.issuer.rfc4514_string(),
                "Subject": self.certificate.subject.rfc4514_string(),
                "RawData": self.certificate.public_bytes(serialization.Encoding.DER),
            },
            {
                "PSPath": f"{parent}\\{self.thumbprint}",
                "PSParentPath": parent,
                "PSChildName": self.thumbprint,
            },
            text=f"[Subject]\r\n  {self.certificate.subject.rfc4514_string()}",
        )


@dataclass
class HeldCertificates:
    """Of one computer: by use, in the order they are listed; and those of the whole deployment."""

    assigned: dict[str, Certificate]
    shared: dict[str, Certificate]

    @property
    def installed(self) -> list[Certificate]:
        """Each once."""
        every = (*self.assigned.values(), *self.shared.values())
        return list({certificate.thumbprint: certificate for certificate in every}.values())


@dataclass
class CertificateStore:
    """Issues what the computers of a deployment hold."""

    topology: Topology
    version: str
    now: datetime.datetime
    _issued: dict[tuple[str, ...], Certificate] = field(default_factory=dict)

    def of(self, computer: Computer, pool: Pool) -> HeldCertificates:
        wanted: Mapping[str, Mapping[str, Any]] = computer.windows.get("certificates", {})
        if pool.is_edge:
            external = pool.access_edge_external_fqdn or f"sip.{self.topology.domain}"
            suffix = external.partition(".")[2]
            uses = {
                "Internal": ((pool.fqdn, computer.fqdn), True),
                "AccessEdgeExternal": ((external, f"webconf.{suffix}"), False),
                "DataEdgeExternal": ((external, f"webconf.{suffix}"), False),
                AV_AUTHENTICATION: ((f"av.{suffix}",), False),
            }
        else:
            names = (pool.fqdn, computer.fqdn, *(f"sip.{domain}" for domain in self.topology.sip_domains))
            uses = dict.fromkeys(("Default", "WebServicesInternal", "WebServicesExternal"), (names, True))
        assigned = {
            use: self._certificate(names, computer.fqdn if own else pool.fqdn, wanted.get(use, {}))
            for use, (names, own) in (
                (use, (names, wanted.get(use, {}).get("own", own))) for use, (names, own) in uses.items()
            )
            if not wanted.get(use, {}).get("absent", False)
        }
        shared = {}
        if self.version != "2010" and not pool.is_edge:
            shared["OAuthTokenIssuer"] = self._issue(("oauth",), (self.topology.sip_domains[0],), {})
        return HeldCertificates(assigned, shared)

    def _certificate(self, names: tuple[str, ...], holder: str, facts: Mapping[str, Any]) -> Certificate:
        return self._issue((holder, repr(sorted(facts.items())), *names), names, facts)

    def _issue(self, place: tuple[str, ...], names: tuple[str, ...], facts: Mapping[str, Any]) -> Certificate:
        held = self._issued.get(place)
        if held is None:
            held = self._issued[place] = self._sign(names, facts)
        return held

    def _sign(self, names: tuple[str, ...], facts: Mapping[str, Any]) -> Certificate:
        day = datetime.timedelta(days=1)
        issuer = f"{self.topology.netbios.capitalize()} CA"
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(facts.get("subject", names[0])))
            .issuer_name(_name(issuer))
            .public_key(_key("service").public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(self.now - facts.get("days_old", _DAYS_OLD) * day)
            .not_valid_after(self.now + facts.get("days_left", _DAYS_LEFT) * day)
            .add_extension(
                x509.SubjectAlternativeName([x509.DNSName(name) for name in names]), critical=False
            )
            .sign(_key("authority"), hashes.SHA256())
        )
        return Certificate(certificate, names, facts.get("private_key", True))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
