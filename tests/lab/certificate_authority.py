# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's own certificate authority: server certificates in the flavours that tests ask for."""

from __future__ import annotations

import ipaddress
import ssl
from datetime import datetime, timedelta, timezone
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID, ObjectIdentifier

#: szOID_NT_PRINCIPAL_NAME: the user principal name in a client certificate (Microsoft Learn, certificate mapping).
_PRINCIPAL_NAME = ObjectIdentifier("1.3.6.1.4.1.311.20.2.3")
_DAY = timedelta(days=1)


class CertificateAuthority:
    """Issues certificates below one self-signed root, with one key for all servers: they are the lab's, not secrets."""

    def __init__(self, directory: Path) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        self._directory = directory
        self._now = datetime.now(timezone.utc)
        self._key = ec.generate_private_key(ec.SECP256R1())
        self._server_key = ec.generate_private_key(ec.SECP256R1())
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Simulated Lync deployment root")])
        self._certificate = (
            self._builder(name, name, self._key, self._now + 365 * _DAY)
            .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
            .add_extension(
                x509.KeyUsage(
                    digital_signature=True,
                    key_cert_sign=True,
                    crl_sign=True,
                    content_commitment=False,
                    key_encipherment=False,
                    data_encipherment=False,
                    key_agreement=False,
                    encipher_only=False,
                    decipher_only=False,
                ),
                critical=True,
            )
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self._key.public_key()), critical=False)
            .sign(self._key, hashes.SHA256())
        )
        self.path = directory / "ca.pem"
        self.path.write_bytes(self._certificate.public_bytes(serialization.Encoding.PEM))

    def server_context(
        self, fqdn: str, address: str, flavour: str, ask_client: bool
    ) -> tuple[ssl.SSLContext, bytes]:
        """A TLS context for a server, and the hash of its certificate that channel bindings use (RFC 5929 4.1).

        Args:
            flavour: 'valid', 'expired', 'wrong_name' (another server's) or 'self_signed'.
            ask_client: ask clients for a certificate of this authority; they may decline.
        """
        name = f"wrong.{fqdn}" if flavour == "wrong_name" else fqdn
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name[:64])])
        alternatives: list[x509.GeneralName] = [x509.DNSName(name)]
        if flavour != "wrong_name":
            alternatives.append(x509.IPAddress(ipaddress.ip_address(address)))
        expires = self._now - _DAY if flavour == "expired" else self._now + 90 * _DAY
        issuer, key = (
            (subject, self._server_key)
            if flavour == "self_signed"
            else (self._certificate.subject, self._key)
        )
        certificate = (
            self._builder(subject, issuer, self._server_key, expires)
            .add_extension(x509.SubjectAlternativeName(alternatives), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(key.public_key()), critical=False
            )
            .sign(key, hashes.SHA256())
        )
        path = self._directory / f"{fqdn}-{flavour}.pem"
        self._write(path, certificate, self._server_key)
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(path)
        if ask_client:
            context.load_verify_locations(self.path)
            context.verify_mode = ssl.CERT_OPTIONAL
        return context, certificate.fingerprint(hashes.SHA256())

    def client_certificate(self, principal: str) -> Path:
        """A client certificate and its key, in one PEM file, that stands for a user principal name."""
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, principal[:64])])
        # A DER UTF8String: tag 0x0C, length, text.
        text = principal.encode()
        other_name = x509.OtherName(_PRINCIPAL_NAME, bytes([0x0C, len(text)]) + text)
        certificate = (
            self._builder(subject, self._certificate.subject, key, self._now + 90 * _DAY)
            .add_extension(x509.SubjectAlternativeName([other_name]), critical=False)
            .add_extension(x509.BasicConstraints(ca=False, path_length=None), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CLIENT_AUTH]), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self._key.public_key()), critical=False
            )
            .sign(self._key, hashes.SHA256())
        )
        path = self._directory / f"client-{principal}.pem"
        self._write(path, certificate, key)
        return path

    def _builder(
        self, subject: x509.Name, issuer: x509.Name, key: ec.EllipticCurvePrivateKey, expires: datetime
    ) -> x509.CertificateBuilder:
        return (
            x509.CertificateBuilder()
            .subject_name(subject)
            .issuer_name(issuer)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(min(self._now, expires) - 2 * _DAY)
            .not_valid_after(expires)
        )

    @staticmethod
    def _write(path: Path, certificate: x509.Certificate, key: ec.EllipticCurvePrivateKey) -> None:
        path.touch(mode=0o600)
        path.write_bytes(
            certificate.public_bytes(serialization.Encoding.PEM)
            + key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )


def principal_of(certificate: bytes) -> str | None:
    """The user principal name in a client certificate (DER); None if it has none."""
    try:
        names = x509.load_der_x509_certificate(certificate).extensions.get_extension_for_class(
            x509.SubjectAlternativeName
        )
    except x509.ExtensionNotFound:
        return None
    for name in names.value.get_values_for_type(x509.OtherName):
        if name.type_id == _PRINCIPAL_NAME:
            return name.value[2:].decode()
    return None
