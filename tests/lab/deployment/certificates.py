# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the simulated computers: real X.509, made when somebody looks.

Which uses a computer has: Microsoft, "Certificate infrastructure requirements" and "Plan for Edge Server
certificates" (Lync Server 2013).  All Edge Servers of a pool carry the same A/V authentication certificate.

One that is rolled is the current one from then on, and becomes effective later; the one before is the previous one
("Staging AV and OAuth certificates using -Roll in Set-CsCertificate").  How Get-CsCertificate shows that, no public
source says.
"""

from __future__ import annotations

import datetime
import hashlib
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
def _key(purpose: str, bits: int) -> rsa.RSAPrivateKey:
    """One key for each purpose, for the life of the process: they are the lab's, not secrets."""
    return rsa.generate_private_key(65537, bits)


def _distinguished(name: x509.Name) -> str:
    """As .NET writes it."""
    return ", ".join(rdn.rfc4514_string() for rdn in reversed(list(name.rdns)))


@dataclass(frozen=True)
class Certificate:
    """``exportable``: its private key; None for one of a key storage provider, of which .NET tells nothing."""

    certificate: x509.Certificate
    names: tuple[str, ...]
    has_private_key: bool = True
    exportable: bool | None = True

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

    def reference(self, use: str, zone: Zone, rolled: Mapping[str, Any]) -> NetObject:
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
                **rolled,
            },
        )

    def _private_key(self) -> NetObject | None:
        """What .NET Framework has of a key of a cryptographic service provider; of others, nothing that can be seen."""
        if not self.has_private_key or self.exportable is None:
            return None
        container = NetObject(
            ("System.Security.Cryptography.CspKeyContainerInfo", "System.Object"),
            {"MachineKeyStore": True, "Exportable": self.exportable, "HardwareDevice": False},
        )
        return NetObject(
            ("System.Security.Cryptography.RSACryptoServiceProvider", "System.Object"),
            {"CspKeyContainerInfo": container, "KeySize": self.certificate.public_key().key_size},  # type: ignore[union-attr]
        )

    def store_object(self, zone: Zone, store: str = "My") -> NetObject:
        """System.Security.Cryptography.X509Certificates.X509Certificate2 of ``Cert:\\LocalMachine\\<store>``.

        PowerShell's types serialise its RawData only (PropertySerializationSet; measured).
        """
        parent = f"Microsoft.PowerShell.Security\\Certificate::LocalMachine\\{store}"
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
                "PrivateKey": self._private_key(),
            },
            {
                "PSPath": f"{parent}\\{self.thumbprint}",
                "PSParentPath": parent,
                "PSChildName": self.thumbprint,
            },
            text=f"[Subject]\r\n  {_distinguished(self.certificate.subject)}",
            serialized=("RawData",),
        )


@dataclass(frozen=True)
class Rolled:
    """A certificate that takes another's place at a moment."""

    certificate: Certificate
    effective: datetime.datetime


@dataclass
class HeldCertificates:
    """Of one computer; ``shared`` are those of the whole deployment, ``roots`` and ``intermediates`` whom it trusts."""

    uses: tuple[str, ...]  # which it has
    shared: dict[str, Certificate]  # by use
    assigned: dict[str, Certificate] = field(default_factory=dict)  # by use
    rolled: dict[str, Rolled] = field(default_factory=dict)  # by use: what is to follow the assigned one
    stored: dict[str, Certificate] = field(default_factory=dict)  # by thumbprint: LocalMachine\My
    roots: tuple[Certificate, ...] = ()

    @property
    def installed(self) -> list[Certificate]:
        """Each once."""
        return list({**self.stored, **{c.thumbprint: c for c in self.shared.values()}}.values())

    def install(self, certificate: Certificate) -> None:
        self.stored[certificate.thumbprint] = certificate

    def in_force(self, use: str, moment: datetime.datetime) -> Certificate | None:
        rolled = self.rolled.get(use)
        return rolled.certificate if rolled and rolled.effective <= moment else self.assigned.get(use)

    def accepted(self, use: str) -> set[str]:
        """The thumbprints of all certificates whose tokens are good."""
        held = [self.assigned.get(use), self.rolled[use].certificate if use in self.rolled else None]
        return {each.thumbprint for each in held if each is not None}


@dataclass
class CertificateStore:
    """Issues what the computers of a deployment hold; ``authority`` is the name of who signs."""

    topology: Topology
    version: str
    now: datetime.datetime
    authority: str
    rolled_properties: Mapping[str, str | None]

    _issued: dict[tuple[str, ...], Certificate] = field(default_factory=dict)
    _held: dict[str, HeldCertificates] = field(default_factory=dict)  # by lower-case FQDN

    def __post_init__(self) -> None:
        self._shared: dict[str, Certificate] = {}
        if self.version != "2010":
            self._shared[OAUTH] = self._once((OAUTH,), (self.topology.sip_domains[0],), {})

    def shown(self, effective: datetime.datetime | None, previous: bool, zone: Zone) -> dict[str, Any]:
        """What a reference says of rolling; ``rolled_properties`` has the names, None where it does not."""
        if self.version == "2010":
            return {}
        values = {"effective_date": zone.local(effective) if effective else None, "previous": previous}
        return {name: values[key] for key, name in self.rolled_properties.items() if name is not None}

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
            EDGE_USES if pool.is_edge else FRONT_END_USES,
            {} if pool.is_edge else self._shared,
            roots=(self._root(self.authority),),
        )
        for use in held.uses:
            facts = wanted.get(use, {})
            if "same_as" in facts:
                held.assigned[use] = held.assigned[facts["same_as"]]
            elif not facts.get("absent", False):
                held.assigned[use] = self._own(use, facts, computer, pool)
                held.install(held.assigned[use])
            if "rolled" in facts:
                effective = self.now + facts["rolled"].get("in_days", 1.0) * _DAY
                held.rolled[use] = Rolled(self._own(use, facts["rolled"], computer, pool), effective)
                held.install(held.rolled[use].certificate)
        if "stored" in wanted:
            use = AV_AUTHENTICATION if pool.is_edge else held.uses[0]
            held.install(self._own(use, wanted["stored"], computer, pool))
        return held

    def _own(self, use: str, facts: Mapping[str, Any], computer: Computer, pool: Pool) -> Certificate:
        names = self._names(use, computer, pool)
        holder = computer.fqdn if facts.get("own", use not in EXTERNAL) else pool.fqdn
        own = sorted((name, value) for name, value in facts.items() if name != "rolled")
        return self._once((holder, repr(own), *names), names, facts)

    def _root(self, name: str) -> Certificate:
        """The authority's own certificate."""
        held = self._issued.get(("root", name))
        if held is None:
            days = {"days_old": 1000.0, "days_left": 5000.0}
            held = self._once(("root", name), (name,), {**days, "subject": name, "authority": name})
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
        subject, authority = facts.get("subject", names[0]), facts.get("authority", self.authority)
        signer = _key(authority, 2048)
        key = signer if subject == authority else _key("service", facts.get("key_bits", 2048))
        alternative = x509.SubjectAlternativeName([x509.DNSName(name.replace(" ", "-")) for name in names])
        certificate = (
            x509.CertificateBuilder()
            .subject_name(_name(subject))
            .issuer_name(_name(authority))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(begins)
            .not_valid_after(ends)
            .add_extension(alternative, critical=False)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .sign(signer, hashes.SHA256())
        )
        if facts.get("signature") == "sha1":
            certificate = _signed_with_sha1(certificate, signer)
        return Certificate(
            certificate, tuple(names), facts.get("private_key", True), facts.get("exportable", True)
        )


def _signed_with_sha1(certificate: x509.Certificate, key: rsa.RSAPrivateKey) -> x509.Certificate:
    """The same with the signature that libraries do not make any more (RFC 8017, EMSA-PKCS1-v1_5)."""
    named = {"sha256": bytes.fromhex("2a864886f70d01010b"), "sha1": bytes.fromhex("2a864886f70d010105")}
    signed = certificate.tbs_certificate_bytes.replace(named["sha256"], named["sha1"])
    digest = bytes.fromhex("3021300906052b0e03021a05000414") + hashlib.sha1(signed).digest()
    numbers, size = key.private_numbers(), key.key_size // 8
    padded = b"\0\1" + b"\xff" * (size - len(digest) - 3) + b"\0" + digest
    modulus = numbers.public_numbers.n
    signature = pow(int.from_bytes(padded, "big"), numbers.d, modulus).to_bytes(size, "big")
    whole = certificate.public_bytes(serialization.Encoding.DER).replace(named["sha256"], named["sha1"])
    return x509.load_der_x509_certificate(whole.replace(certificate.signature, signature))


def _name(common: str) -> x509.Name:
    return x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, common[:64])])
