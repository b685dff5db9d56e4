# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates: which there are, assigned anew, and what A/V authentication makes of them."""

from __future__ import annotations

from typing import Any

import pytest
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
