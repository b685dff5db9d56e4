# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: which there are, assigned anew, and what A/V authentication makes of them."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from cryptography import x509
from lab.deployment import LyncDeployment, build_deployment

from .direct import Clock, Shell, call, document, front_end

AV = "AudioVideoAuthentication"


class Edges:
    """Two Edges of a pool, and the pool behind them."""

    def __init__(self, version: str = "2019", **changes: Any) -> None:
        self.clock = Clock()
        edge = {"site": "Redmond", "computers": ["edge01", "edge02"], "next_hop": "pool01.contoso.com"}
        self.version = version
        self.deployment: LyncDeployment = build_deployment(
            document(version, edges={"edge.contoso.com": edge}, **changes),
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
        return not self.deployment.status()["av_authentication_fails"]


# Assigning


@pytest.mark.parametrize(
    ("parameters", "text"),
    [
        ({"Thumbprint": "00" * 20, "Type": AV}, "Cannot find the certificate"),
        ({"Thumbprint": "own", "Type": "Default"}, "does not apply"),
        ({"Thumbprint": "own", "Type": "OAuthTokenIssuer"}, "connection to SQL Server"),
        ({"Thumbprint": "own"}, "Type parameter"),
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
    edges.edge(2).rows(call("Set-CsCertificate", Type=AV, Thumbprint=before))
    assert edges.works()


def test_validity_counts_by_the_computers_own_clock() -> None:
    wrong = {"clock": {"offset": -60 * 86400.0}, "time_service": {"last_sync_seconds": "never"}}
    assert not Edges(**wrong).works()  # all of them agree, and none of their certificates has begun
    assert Edges(**wrong, certificates={use: {"days_old": 90} for use in (AV, "Internal", "Default")}).works()


def test_a_reset_brings_the_first_certificates_back() -> None:
    edges = Edges()
    edges.deployment.inject("certificate_replaced", None, {"computer": "edge01.contoso.com"})
    edges.deployment.reset()
    assert len(edges.thumbprints(1)) == 1
    assert edges.works()


# The store


STORE = call("Get-ChildItem", r"Cert:\LocalMachine\My")


def selected(edges: Edges, *properties: str) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = edges.edge(1).rows(STORE, call("Select-Object", list(properties)))
    return rows


def exportable(edges: Edges) -> dict[str, bool]:
    """By thumbprint, as far as .NET tells it."""
    expanding = [
        call("Select-Object", "Thumbprint", ExpandProperty=name, ErrorAction="SilentlyContinue")
        for name in ("PrivateKey", "CspKeyContainerInfo")
    ]
    rows = edges.edge(1).rows(STORE, *expanding, call("Select-Object", ["Thumbprint", "Exportable"]))
    return {row["Thumbprint"]: row["Exportable"] for row in rows}


def test_what_a_client_is_to_see_of_the_store_it_selects() -> None:
    edges = Edges(certificates={AV: {"private_key": False}, "stored": {"days_left": 9}})
    (own,) = edges.thumbprints(1)
    rows = selected(edges, "Thumbprint", "HasPrivateKey", "RawData", "Missing")
    assert len(rows) == 4
    assert [row["Thumbprint"] for row in rows if not row["HasPrivateKey"]] == [own]
    assert all(row["RawData"] and row["Missing"] is None for row in rows)


@pytest.mark.parametrize("facts", [{"exportable": False}, {"exportable": True}])
def test_whether_a_key_may_be_exported_is_told_for_those_of_a_cryptographic_provider(
    facts: dict[str, Any],
) -> None:
    edges = Edges(certificates={AV: facts})
    assert exportable(edges)[edges.thumbprints(1)[0]] is facts["exportable"]


@pytest.mark.parametrize("facts", [{"exportable": None}, {"private_key": False}])
def test_of_other_keys_and_of_none_nothing_is_told(facts: dict[str, Any]) -> None:
    edges = Edges(certificates={AV: facts})
    found = exportable(edges)
    assert edges.thumbprints(1)[0] not in found
    assert len(found) == 2


def test_a_member_that_is_not_there_cannot_be_expanded() -> None:
    edge = Edges().edge(1)
    one = call(
        "Get-Item",
        rf"Cert:\LocalMachine\My\{edge.rows(STORE, call('Select-Object', 'Thumbprint'))[0]['Thumbprint']}",
    )
    failure = edge.failure(one, call("Select-Object", ExpandProperty="Nothing"))
    assert failure.FullyQualifiedErrorId.startswith("ExpandPropertyNotFound,")


def test_the_authoritys_root_is_trusted() -> None:
    edges = Edges(certificates={AV: {"authority": "Another CA", "signature": "sha1", "key_bits": 1024}})
    (root,) = edges.edge(1).rows(call("Get-ChildItem", r"Cert:\LocalMachine\Root"))
    certificate = x509.load_der_x509_certificate(bytes(root["RawData"]))
    assert certificate.issuer == certificate.subject
    assert edges.edge(1).rows(call("Get-ChildItem", r"Cert:\LocalMachine\CA")) == []
    (held,) = edges.edge(1).rows(call("Get-CsCertificate", Type=AV))
    assert held["Issuer"] == "CN=Another CA"


# Rolling


def spare(edges: Edges) -> str:
    held = edges.deployment.certificates("edge01.contoso.com")
    (thumbprint,) = set(held.stored) - {each.thumbprint for each in held.assigned.values()}
    return thumbprint


def roll(edges: Edges, number: int, days: float) -> None:
    effective = edges.clock.utc_now() + datetime.timedelta(days=days)
    edges.edge(number).rows(
        call("Set-CsCertificate", Type=AV, Thumbprint=spare(edges), Roll=True, EffectiveDate=effective)
    )


def test_what_is_rolled_is_shown_beside_what_is_in_force_and_takes_its_place() -> None:
    edges = Edges(certificates={"stored": {"days_left": 900}})
    (old,), new = edges.thumbprints(1), spare(edges)
    roll(edges, 1, 0.5)
    roll(edges, 2, 0.5)
    rows = edges.edge(1).rows(call("Get-CsCertificate", Type=AV))
    assert [(row["Thumbprint"], row["Previous"]) for row in rows] == [(new, False), (old, True)]
    assert rows[1]["EffectiveDate"] is None
    assert edges.works()
    edges.clock.advance(86400)
    assert edges.works()
    edges.edge(1).rows(call("Remove-CsCertificate", Type=AV, Previous=True))
    assert edges.thumbprints(1) == [new]


def test_a_pool_that_is_rolled_in_part_fails_from_then_on() -> None:
    edges = Edges(certificates={"stored": {"days_left": 900}})
    roll(edges, 1, 0.5)
    assert edges.works()
    edges.clock.advance(86400)
    assert not edges.works()
    edges.edge(1).rows(call("Set-CsCertificate", Type=AV, Thumbprint=edges.thumbprints(2)[0]))
    assert edges.works()


def test_rolling_takes_a_date_and_what_is_in_use_is_not_removed_without_a_word() -> None:
    edges = Edges(certificates={"stored": {"days_left": 900}})
    given = {"Type": AV, "Thumbprint": spare(edges)}
    assert "EffectiveDate" in str(edges.edge(1).failure(call("Set-CsCertificate", Roll=True, **given)))
    edges.edge(1).run(call("Remove-CsCertificate", Type=AV), answer=1)
    assert len(edges.thumbprints(1)) == 1
    edges.edge(1).rows(call("Remove-CsCertificate", Type=AV, Force=True))
    assert edges.thumbprints(1) == []
    assert edges.edge(1).rows(call("Remove-CsCertificate", Type=AV)) == []


@pytest.mark.parametrize(
    "names", [{"effective_date": None, "previous": None}, {"effective_date": "From", "previous": None}]
)
def test_how_rolling_is_shown_is_up_to_the_file(names: dict[str, Any]) -> None:
    edges = Edges(certificates={AV: {"rolled": {"in_days": 2}}}, rolled_properties=names)
    for row in edges.edge(1).rows(call("Get-CsCertificate", Type=AV)):
        assert ("From" in row) is (names["effective_date"] is not None)
        assert "Previous" not in row
