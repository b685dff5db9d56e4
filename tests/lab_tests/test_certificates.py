# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: requested, imported, assigned, staged, removed; and what A/V authentication makes of them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID
from lab.deployment import LyncDeployment, build_deployment

from .direct import TRUE_TIME, Clock, Shell, call, document, front_end

AV = "AudioVideoAuthentication"
CA = "dc01.contoso.com\\Contoso CA"
PFX = r"C:\Certificates\av.pfx"
FILES = {PFX: {"names": ["av.contoso.com"], "days_left": 900, "password": "P@ssw0rd"}}
DAY = datetime.timedelta(days=1)


class Edges:
    """Two Edges of a pool, and the pool behind them."""

    def __init__(self, version: str = "2019", **changes: Any) -> None:
        self.clock = Clock()
        edge = {"site": "Redmond", "computers": ["edge01", "edge02"], "next_hop": "pool01.contoso.com"}
        self.version = version
        self.deployment: LyncDeployment = build_deployment(
            document(version, edges={"edge.contoso.com": edge}, certificate_files=FILES, **changes),
            monotonic=self.clock,
            utc_now=self.clock.utc_now,
        )

    def edge(self, number: int) -> Shell:
        name = f"edge{number:02}"
        return front_end(
            self.version,
            server=f"{name}.contoso.com",
            account=f"{name.upper()}\\Administrator",
            deployment=self.deployment,
        )

    def thumbprints(self, number: int, use: str = AV) -> list[str]:
        return [row["Thumbprint"] for row in self.edge(number).rows(call("Get-CsCertificate", Type=use))]

    def works(self) -> bool:
        pool = self.deployment.topology.pool("pool01.contoso.com")
        assert pool is not None
        self.deployment.settle()
        return not self.deployment.media_authentication.failing(pool)

    def stage(self, number: int, thumbprint: str, effective: datetime.datetime) -> None:
        self.edge(number).rows(
            call("Set-CsCertificate", Type=AV, Thumbprint=thumbprint, Roll=None, EffectiveDate=effective)
        )

    def import_file(self, number: int) -> str:
        shell = self.edge(number)
        before = {row["Thumbprint"] for row in shell.rows(call("Get-ChildItem", r"Cert:\LocalMachine\My"))}
        shell.rows(call("Import-CsCertificate", Path=PFX, Password="P@ssw0rd"))
        assert shell.streams.written == ["Import-CsCertificate"]
        (added,) = {
            row["Thumbprint"] for row in shell.rows(call("Get-ChildItem", r"Cert:\LocalMachine\My"))
        } - before
        return added


def stored(shell: Shell, thumbprint: str) -> x509.Certificate:
    row = shell.row(call("Get-Item", rf"Cert:\LocalMachine\My\{thumbprint}"))
    return x509.load_der_x509_certificate(bytes(row["RawData"]))


# Requests


def test_a_request_brings_a_certificate_that_can_be_assigned() -> None:
    shell = front_end()
    row = shell.row(
        call(
            "Request-CsCertificate",
            New=None,
            Type=["Default", "WebServicesInternal"],
            CA=CA,
            DomainName="lyncdiscover.contoso.com, meet.contoso.com",
            FriendlyName="Pool certificate",
            City="Redmond",
            State="WA",
            Country="US",
            Organization="Contoso",
            ClientEKU=True,
        )
    )
    assert shell.streams.written == ["Request-CsCertificate"]
    assert row["Subject"] == "CN=pool01.contoso.com, O=Contoso, L=Redmond, S=WA, C=US"
    assert list(row["AlternativeNames"]) == [
        "pool01.contoso.com",
        "fe01.contoso.com",
        "sip.contoso.com",
        "lyncdiscover.contoso.com",
        "meet.contoso.com",
    ]
    certificate = stored(shell, row["Thumbprint"])
    usage = certificate.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert list(usage) == [ExtendedKeyUsageOID.SERVER_AUTH, ExtendedKeyUsageOID.CLIENT_AUTH]
    assert certificate.not_valid_before_utc < TRUE_TIME < certificate.not_valid_after_utc - 729 * DAY
    assert row["Thumbprint"] not in [
        found["Thumbprint"] for found in shell.rows(call("Get-CsCertificate", Type="Default"))
    ]
    shell.rows(call("Set-CsCertificate", Type="Default", Thumbprint=row["Thumbprint"].lower()))
    assert shell.row(call("Get-CsCertificate", Type="Default"))["Thumbprint"] == row["Thumbprint"]
    other = shell.row(call("Get-CsCertificate", Type="WebServicesInternal"))
    assert other["Thumbprint"] != row["Thumbprint"]


def test_keys_and_names_are_those_asked_for() -> None:
    shell = front_end("2013", sip_domains=["contoso.com", "fabrikam.com"])
    one = shell.row(call("Request-CsCertificate", New=None, Type="Default", KeyAlg="ECDH_P384"))
    assert "sip.fabrikam.com" not in list(one["AlternativeNames"])
    key = stored(shell, one["Thumbprint"]).public_key()
    assert isinstance(key, ec.EllipticCurvePublicKey)
    assert key.key_size == 384
    every = shell.row(
        call("Request-CsCertificate", New=None, Type="Default", AllSipDomain=None, KeySize=1024)
    )
    assert "sip.fabrikam.com" in list(every["AlternativeNames"])
    assert stored(shell, every["Thumbprint"]).public_key().key_size == 1024  # type: ignore[union-attr]  # RSA


def test_a_request_may_wait_for_approval() -> None:
    shell = front_end(certificate_authority={"approval": True})
    new = call("Request-CsCertificate", New=None, Type="Default")
    assert shell.rows(new) == []
    assert shell.rows(new) == []
    first, second = shell.rows(call("Request-CsCertificate", List=None))
    assert not shell.streams.written
    assert (first["RequestId"], list(first["CertificateUses"]), first["Status"]) == (
        1,
        ["Default"],
        "Pending",
    )
    assert shell.rows(call("Request-CsCertificate", Retrieve=None)) == []
    fe01 = {"computer": "fe01.contoso.com"}
    shell.deployment.inject("certificate_request", None, {**fe01, "id": "1"})
    shell.deployment.inject("certificate_request", None, {**fe01, "id": "2", "state": "denied"})
    row = shell.row(call("Request-CsCertificate", Retrieve=None, RequestId=1))
    assert stored(shell, row["Thumbprint"])
    assert "denied" in str(shell.failure(call("Request-CsCertificate", Retrieve=None, RequestId=2)))
    shell.rows(call("Request-CsCertificate", Clear=None, RequestId=second["RequestId"]))
    assert shell.rows(call("Request-CsCertificate", List=None)) == []
    assert shell.failure(call("Request-CsCertificate", List=None, RequestId=7))
    with pytest.raises(ValueError, match="no certificate request 7"):
        shell.deployment.inject("certificate_request", None, {**fe01, "id": "7"})


def test_an_offline_request_is_pending_and_asks_nobody() -> None:
    shell = front_end(certificate_authority={"reachable": False}, delegated=False)
    assert shell.rows(call("Request-CsCertificate", New=None, Type="Default", Output=r"C:\request.txt")) == []
    assert shell.row(call("Request-CsCertificate", List=None))["Status"] == "Pending"


def test_the_authority_must_answer_and_know_who_asks() -> None:
    new = call("Request-CsCertificate", New=None, Type="Default")
    shell = front_end()
    assert "Cannot find" in str(
        shell.failure(call("Request-CsCertificate", New=None, Type="Default", CA="x\\y"))
    )
    shell.deployment.inject("certificate_authority", None, {"reachable": "false"})
    record = shell.failure(new)
    assert "does not answer" in str(record)
    assert record.FullyQualifiedErrorId.startswith(
        "ProcessingFailed,Microsoft.Rtc.Management.Deployment.Request"
    )
    assert "denied" in str(front_end(delegated=False).failure(new))
    assert Shell().rows(call("Request-CsCertificate", New=None, Type="Default"))


def test_an_edge_names_an_account_and_the_journal_keeps_its_password() -> None:
    shell = Edges().edge(1)
    new = {"New": None, "Type": "Internal", "CA": CA}
    assert "denied" in str(shell.failure(call("Request-CsCertificate", **new)))
    account = {"CaAccount": "CONTOSO\\uc-admin", "CaPassword": "y"}
    assert "denied" in str(shell.failure(call("Request-CsCertificate", **new, **account)))
    row = shell.row(call("Request-CsCertificate", **new, **{**account, "CaPassword": "x"}))
    assert list(row["AlternativeNames"]) == ["edge.contoso.com", "edge01.contoso.com"]
    assert shell.streams.journal[-1].parameters["CaPassword"] == "***"
    shell.failure(call("Request-CsCertificate", **new, **account, Colour="red"))
    assert shell.streams.journal[-1].parameters["CaPassword"] == "***"


def test_what_the_authority_issues_begins_by_its_own_clock() -> None:
    shell = front_end(domain_controller={"offset": 86400.0})
    row = shell.row(call("Request-CsCertificate", New=None, Type="Default"))
    assert row["NotBefore"] > TRUE_TIME


def test_what_if_changes_nothing() -> None:
    shell = front_end()
    count = len(shell.rows(call("Get-ChildItem", r"Cert:\LocalMachine\My")))
    thumbprint = shell.row(call("Get-CsCertificate", Type="OAuthTokenIssuer"))["Thumbprint"]
    for command in (
        call("Request-CsCertificate", New=None, Type="Default", WhatIf=None),
        call("Set-CsCertificate", Type="Default", Thumbprint=thumbprint, WhatIf=None),
        call("Remove-CsCertificate", Type="Default", WhatIf=None),
    ):
        assert shell.rows(command) == []
        assert not shell.streams.written
    assert len(shell.rows(call("Get-ChildItem", r"Cert:\LocalMachine\My"))) == count
    assert shell.row(call("Get-CsCertificate", Type="Default"))["Thumbprint"] != thumbprint


# Assigning


def test_the_token_issuer_is_the_same_everywhere() -> None:
    shell = front_end()
    new = shell.row(call("Request-CsCertificate", New=None, Type="OAuthTokenIssuer"))
    shell.rows(
        call("Set-CsCertificate", Identity="global", Type="OAuthTokenIssuer", Thumbprint=new["Thumbprint"])
    )
    other = front_end(server="dublin.contoso.com", deployment=shell.deployment)
    assert other.row(call("Get-CsCertificate", "global"))["Thumbprint"] == new["Thumbprint"]
    assert front_end(deployment=shell.deployment, delegated=False).failure(
        call("Set-CsCertificate", Identity="global", Type="OAuthTokenIssuer", Thumbprint=new["Thumbprint"])
    )


def test_a_reference_may_come_through_the_pipeline() -> None:
    shell = front_end()
    shell.run(
        call("Request-CsCertificate", New=None, Type="Default"),
        call("Set-CsCertificate", Type=["Default", "WebServicesExternal"]),
    )
    assert not shell.streams.errors
    default = shell.row(call("Get-CsCertificate", Type="Default"))["Thumbprint"]
    assert default == shell.row(call("Get-CsCertificate", Type="WebServicesExternal"))["Thumbprint"]
    assert default != shell.row(call("Get-CsCertificate", Type="WebServicesInternal"))["Thumbprint"]


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"Thumbprint": "00" * 20, "Type": AV}, "Cannot find the certificate"),
        ({"Thumbprint": "own", "Type": "Default"}, "does not apply"),
        ({"Thumbprint": "own", "Type": "OAuthTokenIssuer"}, "connection to SQL Server"),
        ({"Thumbprint": "own"}, "Type parameter"),
        ({"Thumbprint": "own", "Type": AV, "Roll": None}, "EffectiveDate"),
    ],
)
def test_what_cannot_be_assigned(parameters: dict[str, Any], text: str) -> None:
    edges = Edges()
    own = edges.thumbprints(1)[0]
    given = {name: own if value == "own" else value for name, value in parameters.items()}
    assert text in str(edges.edge(1).failure(call("Set-CsCertificate", **given)))


def test_a_certificate_without_its_key_cannot_be_assigned() -> None:
    edges = Edges(certificates={"Internal": {"private_key": False}})
    thumbprint = edges.thumbprints(1, "Internal")[0]
    assert "private key" in str(
        edges.edge(1).failure(call("Set-CsCertificate", Type=AV, Thumbprint=thumbprint))
    )


def test_removing_takes_the_assignment_and_leaves_the_certificate() -> None:
    edges = Edges()
    (thumbprint,) = edges.thumbprints(1)
    shell = edges.edge(1)
    shell.run(call("Remove-CsCertificate", Type=AV), answer=1)
    assert len(shell.streams.prompts) == 1
    assert edges.thumbprints(1) == [thumbprint]
    shell.rows(call("Remove-CsCertificate", Type=AV, Force=None))
    assert edges.thumbprints(1) == []
    assert stored(shell, thumbprint)
    assert not edges.works()
    assert "No certificate" in str(shell.failure(call("Remove-CsCertificate", Type=AV, Force=None)))
    shell.rows(call("Set-CsCertificate", Type=AV, Thumbprint=thumbprint))
    assert edges.works()


def test_external_stands_for_three_uses() -> None:
    edges = Edges("2013")
    thumbprint = edges.import_file(1)
    edges.edge(1).rows(call("Set-CsCertificate", Type="External", Thumbprint=thumbprint))
    for use in ("AccessEdgeExternal", "DataEdgeExternal", AV):
        assert edges.thumbprints(1, use) == [thumbprint]


# Files


def test_a_file_is_the_same_certificate_on_every_edge() -> None:
    edges = Edges()
    assert edges.import_file(1) == edges.import_file(2)
    shell = edges.edge(1)
    assert "password" in str(shell.failure(call("Import-CsCertificate", Path=PFX, Password="wrong")))
    assert "Cannot find" in str(shell.failure(call("Import-CsCertificate", Path=r"C:\other.pfx")))


def test_a_file_may_be_assigned_globally_at_once() -> None:
    shell = front_end(certificate_files=FILES)
    shell.rows(call("Import-CsCertificate", "global", Path=PFX, Password="P@ssw0rd", Type="OAuthTokenIssuer"))
    assert shell.row(call("Get-CsCertificate", "global"))["Subject"] == "CN=av.contoso.com"


# A/V authentication


@pytest.mark.parametrize(
    ("use", "facts", "works"),
    [
        (AV, {}, True),
        (AV, {"days_left": -1}, False),
        (AV, {"days_old": -1}, False),
        (AV, {"own": True}, False),
        (AV, {"private_key": False}, False),
        (AV, {"absent": True}, False),
        (AV, {"subject": "whatever.example"}, True),
        ("Internal", {"days_left": -1}, False),
        ("AccessEdgeExternal", {"days_left": -1}, True),
    ],
)
def test_what_certificates_do_to_av_authentication(use: str, facts: dict[str, Any], works: bool) -> None:
    assert Edges(certificates={use: facts}).works() is works


def test_another_certificate_on_one_edge_breaks_the_pool_until_it_is_put_back() -> None:
    edges = Edges()
    (before,) = edges.thumbprints(2)
    edges.deployment.inject("certificate_replaced", None, {"computer": "edge02.contoso.com"})
    assert not edges.works()
    edges.clock.advance(301)
    (first, *_) = edges.deployment.status()["traces"]
    assert "SIP-Start-Line: SERVICE sip:edge.contoso.com:5062;grid SIP/2.0" in first
    edges.edge(2).rows(call("Set-CsCertificate", Type=AV, Thumbprint=before))
    assert edges.works()


def test_validity_counts_by_the_computers_own_clock() -> None:
    wrong = {"clock": {"offset": -60 * 86400.0}, "time_service": {"last_sync_seconds": "never"}}
    assert not Edges(**wrong).works()  # all of them agree, and none of their certificates has begun
    assert Edges(**wrong, certificates={use: {"days_old": 90} for use in (AV, "Internal", "Default")}).works()


def test_a_staged_certificate_takes_over_and_the_former_is_still_accepted() -> None:
    edges = Edges(certificates={AV: {"days_left": 1}})
    (old,) = edges.thumbprints(1)
    new = edges.import_file(1)
    assert edges.import_file(2) == new
    effective = edges.clock.utc_now() + datetime.timedelta(hours=16)
    edges.stage(1, new, effective)
    assert edges.thumbprints(1) == [old, new]
    edges.stage(2, new, effective)
    edges.clock.advance(16 * 3600)
    assert edges.thumbprints(1) == edges.thumbprints(2) == [new, old]
    assert edges.works()
    edges.clock.advance(9 * 3600)
    assert edges.works()
    for number in (1, 2):
        edges.edge(number).rows(call("Remove-CsCertificate", Type=AV, Previous=None))
    assert edges.thumbprints(1) == [new]
    assert edges.works()
    assert edges.edge(1).failure(call("Remove-CsCertificate", Type=AV, Previous=None))


def test_an_edge_that_was_forgotten_when_staging_breaks_the_pool() -> None:
    edges = Edges()
    new = edges.import_file(1)
    edges.stage(1, new, edges.clock.utc_now() + datetime.timedelta(hours=1))
    assert edges.works()
    edges.clock.advance(3601)
    assert not edges.works()
    edges.import_file(2)
    edges.stage(2, new, edges.clock.utc_now() + datetime.timedelta(hours=1))
    assert edges.works()  # it knows the coming certificate, and the other one the former


def test_a_staged_certificate_can_be_taken_back() -> None:
    edges = Edges(staged_certificates="hidden")
    (old,) = edges.thumbprints(1)
    edges.stage(1, edges.import_file(1), edges.clock.utc_now() + DAY)
    assert edges.thumbprints(1) == [old]
    edges.edge(1).rows(call("Remove-CsCertificate", Type=AV, Previous=None))
    edges.clock.advance(90000)
    assert edges.thumbprints(1) == [old]


def test_lync_2010_cannot_stage_and_has_no_token_issuer() -> None:
    edges = Edges("2010")
    record = edges.edge(1).failure(
        call("Set-CsCertificate", Type=AV, Thumbprint="x", Roll=None, EffectiveDate="7/22/2015 6:00:00 AM")
    )
    assert record.FullyQualifiedErrorId.startswith("NamedParameterNotFound")
    shell = front_end("2010")
    assert {row["Use"] for row in shell.rows(call("Get-CsCertificate"))} == {
        "Default",
        "WebServicesInternal",
        "WebServicesExternal",
    }
    assert shell.failure(call("Request-CsCertificate", New=None, Type="OAuthTokenIssuer"))


def test_the_configuration_lists_what_is_assigned() -> None:
    rows = Edges().edge(1).rows(call("Test-CsCertificateConfiguration"))
    assert [row["Use"] for row in rows] == ["Internal", "AccessEdgeExternal", "DataEdgeExternal", AV]


def test_a_reset_brings_the_first_certificates_back() -> None:
    edges = Edges()
    edges.edge(1).rows(call("Remove-CsCertificate", Type=AV, Force=None))
    edges.deployment.reset()
    assert len(edges.thumbprints(1)) == 1
    assert edges.works()
