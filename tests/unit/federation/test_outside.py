# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What partners see, from a name server and a server of this machine."""

from __future__ import annotations

import datetime
import socket
import ssl
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import dns.flags
import dns.message
import dns.rcode
import dns.rrset
import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.federation.outside import (
    Certificate,
    Unreached,
    federation_targets,
    presented_certificate,
    read_certificate,
)
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

RECORDS = {
    "_sipfederationtls._tcp.contoso.com.": "0 0 5061 sip.contoso.com.",
    "_sipfederationtls._tcp.fabrikam.com.": None,
}


def answered(query: bytes) -> bytes:
    asked = dns.message.from_wire(query)
    answer = dns.message.make_response(asked)
    answer.flags |= dns.flags.RA
    name = asked.question[0].name.to_text()
    if name not in RECORDS:
        answer.set_rcode(dns.rcode.SERVFAIL if "broken" in name else dns.rcode.NXDOMAIN)
    elif RECORDS[name]:
        answer.answer.append(dns.rrset.from_text(name, 60, "IN", "SRV", RECORDS[name]))
    return answer.to_wire()


@pytest.fixture
def name_server() -> Iterator[int]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as line:
        line.bind(("127.0.0.1", 0))

        def serve() -> None:
            while True:
                query, address = line.recvfrom(4096)
                if not query:
                    return
                line.sendto(answered(query), address)

        thread = threading.Thread(target=serve)
        thread.start()
        yield line.getsockname()[1]
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as end:
            end.sendto(b"", line.getsockname())
        thread.join()


@pytest.mark.parametrize(
    ("domain", "targets"),
    [("contoso.com", ("sip.contoso.com",)), ("fabrikam.com", ()), ("nowhere.com", ())],
)
def test_the_record_of_a_domain(name_server: int, domain: str, targets: tuple[str, ...]) -> None:
    assert federation_targets(domain, ["127.0.0.1"], name_server) == targets


def test_a_name_server_that_fails_is_no_record_that_is_missing(name_server: int) -> None:
    answer = federation_targets("broken.com", ["127.0.0.1"], name_server)
    assert isinstance(answer, Unreached)
    assert "_sipfederationtls._tcp.broken.com" in answer.remedy


def test_without_dnspython_the_package_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dns.resolver", None)
    answer = federation_targets("contoso.com", [], 53)
    assert isinstance(answer, Unreached)
    assert "dnspython" in answer.reason
    assert "dnspython" in answer.remedy


def certificate(days: int) -> tuple[bytes, bytes]:
    """A certificate of its own making, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "localhost")])
    end = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(end - datetime.timedelta(days=365))
        .not_valid_after(end)
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("sip.contoso.com")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    return made.public_bytes(pem), private


@pytest.fixture
def edge(tmp_path: Path) -> Iterator[int]:
    """A server with a certificate that no public authority has signed."""
    public, private = certificate(100)
    file = tmp_path / "edge.pem"
    file.write_bytes(public + private)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(file)
    ended = threading.Event()
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve() -> None:
            while True:
                line, _address = listening.accept()
                if ended.is_set():
                    line.close()
                    return
                try:
                    context.wrap_socket(line, server_side=True).close()
                except OSError:
                    line.close()

        thread = threading.Thread(target=serve)
        thread.start()
        port = listening.getsockname()[1]
        yield port
        ended.set()
        socket.create_connection(("127.0.0.1", port)).close()
        thread.join()


def test_a_certificate_is_seen_and_what_partners_object_to_is_told(edge: int) -> None:
    seen = presented_certificate("localhost", edge)
    assert isinstance(seen, Certificate)
    assert seen.has("SIP.contoso.com")
    assert seen.trouble


def test_a_server_that_does_not_answer_is_not_known() -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        answer = presented_certificate("localhost", unused.getsockname()[1])
    assert isinstance(answer, Unreached)
    assert "openssl s_client" in answer.remedy


@pytest.mark.parametrize(("days", "expired"), [(100, False), (-1, True)])
def test_a_certificate_that_has_expired_is_told(days: int, expired: bool) -> None:
    public, _private = certificate(days)
    encoded = x509.load_pem_x509_certificate(public).public_bytes(serialization.Encoding.DER)
    read = read_certificate(encoded, None)
    assert read.names == ("localhost", "sip.contoso.com")
    assert bool(read.trouble) is expired
