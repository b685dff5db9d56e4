# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What partners see of a deployment, looked at from the controller: DNS, and the certificate of an Access Edge."""

from __future__ import annotations

import datetime
import importlib
import socket
import ssl
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

try:
    from cryptography import x509
except ImportError:  # pypsrp brings it along; who reads the documentation needs neither
    x509 = None  # type: ignore[assignment]

from ..powershell.ordinal import same_name

_SECONDS = 3.0


@dataclass(frozen=True)
class Unreached:
    """Why something outside is not known, and the command that finds out from elsewhere."""

    reason: str
    remedy: str


@dataclass(frozen=True)
class Certificate:
    """``trouble`` is what a partner would object to, besides names."""

    names: tuple[str, ...]
    trouble: str | None = None

    def has(self, name: str) -> bool:
        """Whether partners find this very name: the one behind the SRV record must be in it as it is, without
        wildcards (Skype for Business Server, "Deploy Skype connectivity").
        """
        return any(same_name(each, name) for each in self.names)


def is_suffix_match(target: str, domain: str) -> bool:
    """Whether a server's name is right below a SIP domain: sip.contoso.com for contoso.com, not sip.it.contoso.com."""
    first, dot, rest = target.rstrip(".").partition(".")
    return bool(first and dot) and same_name(rest, domain.rstrip("."))


def federation_record(domain: str) -> str:
    return f"_sipfederationtls._tcp.{domain}"


def federation_targets(domain: str, servers: Sequence[str], port: int) -> tuple[str, ...] | Unreached:
    """The servers that a SIP domain's federation record names; empty if there is none."""
    record = federation_record(domain)
    remedy = f"Resolve-DnsName -Type SRV {record}"
    try:
        resolver = importlib.import_module("dns.resolver")
    except ImportError:
        return Unreached(
            "Looking DNS up takes the Python package dnspython", "python -m pip install dnspython"
        )
    try:
        asked = resolver.Resolver(configure=not servers)
        if servers:
            asked.nameservers, asked.port = list(servers), port
        answer = asked.resolve(record, "SRV", lifetime=_SECONDS)
    except (resolver.NXDOMAIN, resolver.NoAnswer):
        return ()
    except Exception as error:
        # dnspython's own, the system's, and those of a resolv.conf that is missing or cannot be read.
        return Unreached(f"{record} could not be looked up ({type(error).__name__})", remedy)
    return tuple(sorted(str(each.target).rstrip(".") for each in answer))


def presented_certificate(host: str, port: int) -> Certificate | Unreached:
    """The certificate that a server presents at that name.

    It is to be seen whatever it is, so that nothing is verified and nothing is sent; an Access Edge that wants a
    certificate from the other side as well has shown its own by then.
    """
    remedy = f"openssl s_client -connect {host}:{port} -servername {host}"
    try:
        encoded = _presented(host, port, _seeing_all())
    except OSError as error:
        return Unreached(f"{host}:{port} cannot be reached from here ({type(error).__name__})", remedy)
    if encoded is None:
        return Unreached(f"{host}:{port} presents no certificate", remedy)
    return read_certificate(encoded, _objection(host, port))


def _presented(host: str, port: int, context: ssl.SSLContext) -> bytes | None:
    with (
        socket.create_connection((host, port), timeout=_SECONDS) as line,
        context.wrap_socket(line, server_hostname=host) as secured,
    ):
        return secured.getpeercert(binary_form=True)


def _seeing_all() -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    return context


def _objection(host: str, port: int) -> str | None:
    """What this machine's store of public authorities has against the certificate; names are judged elsewhere."""
    context = ssl.create_default_context()
    context.check_hostname = False
    try:
        _presented(host, port, context)
    except ssl.SSLCertVerificationError as error:
        return f"{error.verify_message} (for partners, it must come from a public authority)"
    except OSError:
        return None
    return None


def read_certificate(encoded: bytes, trouble: str | None) -> Certificate:
    certificate = x509.load_der_x509_certificate(encoded)
    common: list[Any] = certificate.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)
    names = [str(each.value) for each in common]
    try:
        alternative = certificate.extensions.get_extension_for_class(x509.SubjectAlternativeName)
        names += alternative.value.get_values_for_type(x509.DNSName)
    except x509.ExtensionNotFound:
        pass
    if trouble is None and _end(certificate) < datetime.datetime.now(datetime.timezone.utc):
        trouble = f"it expired on {_end(certificate):%Y-%m-%d}"
    return Certificate(tuple(dict.fromkeys(names)), trouble)


def _end(certificate: x509.Certificate) -> datetime.datetime:
    """Versions of cryptography before 42 tell the end in UTC without saying so."""
    end: datetime.datetime | None = getattr(certificate, "not_valid_after_utc", None)
    return end or certificate.not_valid_after.replace(tzinfo=datetime.timezone.utc)
