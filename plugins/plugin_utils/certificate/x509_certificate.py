# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a certificate says of itself, read on the controller from its encoded form: what a server shows of it beside
that is in the server's own time and language.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

try:
    from cryptography import x509
    from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
    from cryptography.hazmat.primitives.serialization import Encoding
except ImportError:  # pypsrp brings it along; who reads the documentation needs neither
    x509 = None  # type: ignore[assignment]

from ..result.refusals import Unreadable


@dataclass(frozen=True)
class Certificate:
    """A certificate of a computer's store, with what the store knows of it.

    ``key_bits`` and ``signature_hash`` are None where they mean nothing, ``has_private_key`` and ``exportable`` where
    no command showed them. ``chain`` has the subjects of those who signed it, upwards as far as they are in the
    computer's stores; ``chain_complete`` says whether a root that the computer trusts is the last, None where that is
    not known.
    """

    thumbprint: str
    subject: str
    issuer: str
    names: tuple[str, ...]
    not_before: datetime.datetime
    not_after: datetime.datetime
    key_algorithm: str
    key_bits: int | None
    signature_hash: str | None
    has_private_key: bool | None = None
    exportable: bool | None = None
    chain: tuple[str, ...] = ()
    chain_complete: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        return {
            **vars(self),
            "names": list(self.names),
            "chain": list(self.chain),
            "not_before": moment_text(self.not_before),
            "not_after": moment_text(self.not_after),
        }


def from_dict(values: dict[str, Any]) -> Certificate:
    """Back from `Certificate.as_dict`. Raises KeyError, ValueError or TypeError for anything else."""
    return Certificate(
        **{
            **values,
            "names": tuple(values["names"]),
            "chain": tuple(values["chain"]),
            "not_before": read_moment(values["not_before"]),
            "not_after": read_moment(values["not_after"]),
        }
    )


def moment_text(moment: datetime.datetime) -> str:
    """UTC to the second, as results have it."""
    return f"{moment.astimezone(datetime.timezone.utc):%Y-%m-%dT%H:%M:%SZ}"


def read_moment(text: str) -> datetime.datetime:
    """Raises ValueError for what is not a time with a zone."""
    moment = datetime.datetime.fromisoformat(text.replace("Z", "+00:00").replace("z", "+00:00"))
    if moment.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return moment.astimezone(datetime.timezone.utc)


def decode(encoded: Any) -> x509.Certificate:
    """Raises Unreadable for anything but a certificate."""
    try:
        return x509.load_der_x509_certificate(encoded)
    except (TypeError, ValueError) as error:
        raise Unreadable("The server sent something that is no certificate.") from error


def thumbprint_of(certificate: x509.Certificate) -> str:
    # What Windows calls the thumbprint is a name, and protects nothing.
    encoded = certificate.public_bytes(Encoding.DER)
    return hashlib.sha1(encoded, usedforsecurity=False).hexdigest().upper()


def described(
    certificate: x509.Certificate,
    roots: Sequence[x509.Certificate] | None,
    others: Sequence[x509.Certificate],
    *,
    has_private_key: bool | None,
    exportable: bool | None,
) -> Certificate:
    """``roots`` are those that the computer trusts, None where they could not be read; ``others`` may stand between."""
    signers, complete = _chain(certificate, roots or (), others)
    algorithm, bits = _key(certificate)
    return Certificate(
        thumbprint=thumbprint_of(certificate),
        subject=certificate.subject.rfc4514_string(),
        issuer=certificate.issuer.rfc4514_string(),
        names=_names(certificate),
        not_before=_utc(certificate, "not_valid_before"),
        not_after=_utc(certificate, "not_valid_after"),
        key_algorithm=algorithm,
        key_bits=bits,
        signature_hash=_signature_hash(certificate),
        has_private_key=has_private_key,
        exportable=exportable,
        chain=tuple(each.subject.rfc4514_string() for each in signers),
        chain_complete=None if roots is None else complete,
    )


def _chain(
    certificate: x509.Certificate, roots: Sequence[x509.Certificate], others: Sequence[x509.Certificate]
) -> tuple[list[x509.Certificate], bool | None]:
    found: list[x509.Certificate] = []
    current = certificate
    while True:
        if current in roots:
            return found, True
        above = [each for each in (*roots, *others) if each.subject == current.issuer]
        signed = [(each, _has_signed(each, current)) for each in above]
        signer = next((each for each, is_it in signed if is_it), None)
        if signer is None:
            # One whose signature cannot be checked here may be the one.
            return found, None if any(is_it is None for _each, is_it in signed) else False
        if signer == current or signer in found:
            return found, False
        found.append(signer)
        current = signer


def _has_signed(signer: x509.Certificate, certificate: x509.Certificate) -> bool | None:
    """None where it cannot be told: an algorithm that is not checked here, as SHA-1, or a library before version 40."""
    if not hasattr(certificate, "verify_directly_issued_by"):
        return None
    try:
        certificate.verify_directly_issued_by(signer)
    except InvalidSignature:
        return False
    except (UnsupportedAlgorithm, TypeError, ValueError):
        return None
    return True


def _key(certificate: x509.Certificate) -> tuple[str, int | None]:
    try:
        key: Any = certificate.public_key()
    except (UnsupportedAlgorithm, ValueError):
        return "unknown", None
    kind = type(key).__name__.removesuffix("PublicKey").strip("_")
    return {"EllipticCurve": "EC"}.get(kind, kind), getattr(key, "key_size", None)


def _signature_hash(certificate: x509.Certificate) -> str | None:
    try:
        algorithm = certificate.signature_hash_algorithm
    except UnsupportedAlgorithm:
        return None
    return None if algorithm is None else str(algorithm.name)


def _names(certificate: x509.Certificate) -> tuple[str, ...]:
    """Common names and DNS names, each once; the subject's first."""
    names = [str(each.value) for each in certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names += alternative.value.get_values_for_type(x509.DNSName)
    except (x509.ExtensionNotFound, ValueError):
        # Without them, or with some that cannot be read, the subject's own is left.
        pass
    return tuple(dict.fromkeys(names))


def _utc(certificate: x509.Certificate, name: str) -> datetime.datetime:
    """Versions of cryptography before 42 tell it in UTC without saying so."""
    moment: datetime.datetime | None = getattr(certificate, f"{name}_utc", None)
    if moment is None:
        moment = getattr(certificate, name).replace(tzinfo=datetime.timezone.utc)
    return moment
