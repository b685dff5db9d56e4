# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is read from a certificate itself, and its way up to a root."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate import x509_certificate
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import Unreadable
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from hypothesis import given
from hypothesis import strategies as st

BEGINS = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
ENDS = datetime.datetime(2027, 1, 1, tzinfo=datetime.timezone.utc)


class Signer:
    def __init__(self, name: str, above: Signer | None = None) -> None:
        self.name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
        self.key = ec.generate_private_key(ec.SECP256R1())
        above = above or self
        alternative = x509.SubjectAlternativeName(
            [x509.DNSName("av.contoso.com"), x509.DNSName("x.contoso.com")]
        )
        self.certificate = (
            x509.CertificateBuilder()
            .subject_name(self.name)
            .issuer_name(above.name)
            .public_key(self.key.public_key())
            .serial_number(7)
            .not_valid_before(BEGINS)
            .not_valid_after(ENDS)
            .add_extension(alternative, critical=False)
            .sign(above.key, hashes.SHA256())
        )


ROOT = Signer("Root")
BETWEEN = Signer("Between", ROOT)
LEAF = Signer("av.contoso.com", BETWEEN)
IMPOSTOR = Signer("Between", Signer("Root"))


def described(roots: Any, others: Any) -> x509_certificate.Certificate:
    return x509_certificate.described(LEAF.certificate, roots, others, has_private_key=True, exportable=None)


def test_it_says_what_it_is_and_comes_back_from_a_result() -> None:
    found = described([ROOT.certificate], [BETWEEN.certificate])
    assert found.names == ("av.contoso.com", "x.contoso.com")
    assert (found.not_before, found.not_after) == (BEGINS, ENDS)
    assert (found.key_algorithm, found.key_bits, found.signature_hash) == ("EC", 256, "sha256")
    assert found.thumbprint == LEAF.certificate.fingerprint(hashes.SHA1()).hex().upper()
    assert x509_certificate.from_dict(found.as_dict()) == found


@pytest.mark.parametrize(
    ("roots", "others", "chain", "complete"),
    [
        ([ROOT], [BETWEEN], ("CN=Between", "CN=Root"), True),
        ([BETWEEN], [], ("CN=Between",), True),
        ([LEAF], [], (), True),
        ([ROOT], [], (), False),
        ([ROOT], [IMPOSTOR], (), False),
        ([ROOT], [IMPOSTOR, BETWEEN], ("CN=Between", "CN=Root"), True),
        ([], [BETWEEN, ROOT], ("CN=Between", "CN=Root"), False),
    ],
)
def test_the_way_up_ends_at_a_root_that_is_trusted(
    roots: list[Signer], others: list[Signer], chain: tuple[str, ...], complete: bool
) -> None:
    found = described([each.certificate for each in roots], [each.certificate for each in others])
    assert (found.chain, found.chain_complete) == (chain, complete)


def test_without_the_stores_the_chain_is_not_known() -> None:
    assert described(None, []).chain_complete is None


@given(st.binary(max_size=60) | st.none() | st.text(max_size=9))
def test_what_is_no_certificate_is_never_taken_for_one(encoded: Any) -> None:
    with pytest.raises(Unreadable):
        x509_certificate.decode(encoded)


def test_one_that_is_cut_off_is_none() -> None:
    whole = LEAF.certificate.public_bytes(serialization.Encoding.DER)
    for length in range(len(whole)):
        with pytest.raises(Unreadable):
            x509_certificate.decode(whole[:length])


@pytest.mark.parametrize(
    "text", ["", "tomorrow", "2026-12-01", "2026-12-01T06:00:00", "99999-01-01T00:00:00Z"]
)
def test_a_time_without_a_zone_is_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        x509_certificate.read_moment(text)
