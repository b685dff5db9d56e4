# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Kerberos, against a real key distribution centre."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.contract import Listener
from lab.deployment import build_deployment
from lab.journal import read
from lab.runtime import Lab
from pypsrp.exceptions import AuthenticationError
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests_credssp.exceptions import AuthenticationException

from .conftest import Client, powershell
from .direct import document
from .kdc import KeyDistributionCentre, available
from .small import ADDRESS, ADMIN, LOCKED, RunningLab, SmallServer

pytest.importorskip("gssapi", reason="Kerberos needs pyspnego[kerberos]")
pytest.importorskip("krb5", reason="Kerberos needs pyspnego[kerberos]")
pytestmark = pytest.mark.skipif(not available(), reason="Kerberos needs Debian's krb5-kdc and krb5-user")

PASSWORD = "Kerberos-1"


@pytest.fixture(scope="module")
def centre(tmp_path_factory: pytest.TempPathFactory) -> Iterator[KeyDistributionCentre]:
    made = KeyDistributionCentre(tmp_path_factory.mktemp("kdc"), ADDRESS)
    for account in (ADMIN, LOCKED):
        made.add_user(account.principal, PASSWORD)
    made.add_user("stranger@CONTOSO.COM", PASSWORD)
    made.add_service("WSMAN/fe01.contoso.com")
    made.add_service("WSMAN/edge01.contoso.com")
    made.start()
    yield made
    made.stop()


@pytest.fixture
def client(
    centre: KeyDistributionCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Client]:
    for name, value in centre.environment.items():
        monkeypatch.setenv(name, value)
    server = SmallServer(keytab=str(centre.keytab))
    with RunningLab(tmp_path / "lab", server) as running:
        yield Client(running, server)


def as_user(client: Client, name: str, tls: bool, auth: str = "kerberos", **options: Any) -> RunspacePool:
    return RunspacePool(
        client.wsman(
            auth,
            tls,
            username=name,
            password=PASSWORD,
            negotiate_service="WSMAN",
            negotiate_hostname_override=client.server.fqdn,
            **options,
        )
    )


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
@pytest.mark.parametrize(("tls", "opening"), [(True, 4), (False, 5)])
def test_a_ticket_opens_the_door(client: Client, auth: str, tls: bool, opening: int) -> None:
    with as_user(client, ADMIN.principal, tls, auth) as pool:
        assert client.counters["requests"] == opening
        assert powershell(pool, ("Write-Output", "héllo")).invoke() == ["héllo"]
    opened = next(entry for entry in client.journal if entry["event"] == "session_opened")
    assert (opened["caller"], opened["authentication"]) == (ADMIN.name, "kerberos")


@pytest.mark.parametrize("name", ["stranger@CONTOSO.COM", LOCKED.principal])
def test_a_ticket_is_not_enough(client: Client, name: str) -> None:
    with pytest.raises(AuthenticationError):
        as_user(client, name, tls=False).open()
    assert client.counters["authentications_refused"] == 1


def test_a_delegated_ticket_makes_a_second_hop_possible(
    client: Client, centre: KeyDistributionCentre, monkeypatch: pytest.MonkeyPatch
) -> None:
    callers: list[Any] = []
    open_runspace = client.server.open_runspace
    monkeypatch.setattr(
        client.server,
        "open_runspace",
        lambda caller, *rest: callers.append(caller) or open_runspace(caller, *rest),
    )
    subprocess.run(
        ["kinit", "-f", ADMIN.principal],
        input=PASSWORD.encode(),
        env={**os.environ, **centre.environment},
        check=True,
        capture_output=True,
    )
    for delegate in (False, True):
        with RunspacePool(
            client.wsman(
                "kerberos",
                False,
                username=None,
                password=None,
                negotiate_service="WSMAN",
                negotiate_hostname_override=client.server.fqdn,
                negotiate_delegate=delegate,
            )
        ):
            pass
    assert [caller.delegated for caller in callers] == [False, True]


@pytest.mark.parametrize("offset", [299.0, -299.0])
def test_a_clock_may_be_off_by_five_minutes(client: Client, offset: float) -> None:
    client.server.clock_offset_s = offset
    with as_user(client, ADMIN.principal, tls=False):
        pass


@pytest.mark.parametrize("offset", [301.0, -301.0, 86400.0])
@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_a_clock_off_by_more_refuses_tickets(client: Client, auth: str, offset: float) -> None:
    client.server.clock_offset_s = offset
    with pytest.raises(AuthenticationError):
        as_user(client, ADMIN.principal, tls=False, auth=auth).open()
    refusal = next(entry for entry in client.journal if entry["event"] == "authentication_refused")
    assert "KRB_AP_ERR_SKEW" in refusal["reason"]
    # The clock is looked at each time, and others than Kerberos do not mind it.
    with RunspacePool(client.wsman("ntlm", False)):
        pass
    client.server.clock_offset_s = 0.0
    with as_user(client, ADMIN.principal, tls=False, auth=auth):
        pass


@pytest.mark.parametrize("auth", ["kerberos", "negotiate"])
def test_channel_bindings_are_asked_for_when_strict(
    centre: KeyDistributionCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, auth: str
) -> None:
    for name, value in centre.environment.items():
        monkeypatch.setenv(name, value)
    listener = Listener("https", 15986, channel_binding="strict")
    server = SmallServer(keytab=str(centre.keytab), listeners=(listener,))
    with RunningLab(tmp_path / "lab", server) as running:
        client = Client(running, server)
        with as_user(client, ADMIN.principal, True, auth):
            pass
        with pytest.raises(AuthenticationError):
            as_user(client, ADMIN.principal, True, auth, negotiate_send_cbt=False).open()


class Deployed(RunningLab):
    """A modelled domain, whose computers' clocks are their own."""

    keytab = ""

    def _make(self) -> Lab:
        listeners = [
            {"scheme": "http", "port": 15985},
            {"scheme": "https", "port": 15986, "authentication": ["basic", "negotiate", "credssp"]},
        ]
        made = document(
            "2013",
            network=ADDRESS.rpartition(".")[0],
            listeners={"computers": listeners, "management": [{"scheme": "https", "port": 18443}]},
            keytab=self.keytab,
        )
        made["edges"]["edge.contoso.com"]["accounts"] = [{"name": "uc-admin", "password": PASSWORD}]
        return Lab(build_deployment(made), self.state)

    def wsman(self, auth: str, host: str = "fe01", **options: Any) -> WSMan:
        encrypted = auth != "basic"
        return WSMan(
            self.address(host),
            **{
                "port": 15985 if encrypted else 15986,
                "ssl": not encrypted,
                "auth": auth,
                "username": ADMIN.principal,
                "password": PASSWORD if auth == "kerberos" else "x",
                "cert_validation": self.ca,
                "negotiate_service": "WSMAN",
                "negotiate_hostname_override": f"{host}.contoso.com",
                **options,
            },
        )

    def address(self, host: str) -> str:
        return next(s.address for s in self.lab.deployment.servers if s.name == f"{host}.contoso.com")

    def inject(self, kind: str, server: str | None = "fe01.contoso.com", **options: str) -> None:
        request = {"kind": kind, "server": server, "options": options}
        self.call(lambda: self.lab.inject(request))

    def accepts(self, auth: str, host: str = "fe01", **options: Any) -> bool:
        try:
            with RunspacePool(self.wsman(auth, host, **options)):
                return True
        except (AuthenticationError, AuthenticationException):
            return False


@pytest.fixture
def domain(
    centre: KeyDistributionCentre, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[Deployed]:
    for name, value in centre.environment.items():
        monkeypatch.setenv(name, value)
    running = Deployed(tmp_path / "lab")
    running.keytab = str(centre.keytab)
    with running:
        yield running


@pytest.mark.parametrize("seconds", ["301", "-301", "-7200", "400000000"])
def test_a_wrong_clock_refuses_tickets_until_it_is_right(domain: Deployed, seconds: str) -> None:
    assert domain.accepts("kerberos")
    domain.inject("clock_offset", seconds=seconds)
    assert not domain.accepts("kerberos")
    assert "KRB_AP_ERR_SKEW" in read(domain.lab.journal.path)[-1]["reason"]
    assert domain.accepts("ntlm")
    assert domain.accepts("basic")
    domain.inject("clock_offset", seconds="-299")
    assert domain.accepts("kerberos")


def test_a_clock_is_put_right_over_ntlm(domain: Deployed) -> None:
    domain.inject("clock_offset", seconds="4000")
    assert not domain.accepts("kerberos")
    with RunspacePool(domain.wsman("ntlm")) as pool:
        PowerShell(pool).add_cmdlet("w32tm").add_argument("/resync").invoke()
    assert domain.accepts("kerberos")


def test_it_is_the_domain_controllers_clock_that_counts(domain: Deployed) -> None:
    domain.inject("time_server", None, name="dc01.contoso.com", offset="7200")
    assert not domain.accepts("kerberos")
    domain.inject("clock_offset", seconds="7100")
    assert domain.accepts("kerberos")
    domain.call(domain.lab.reset)
    assert domain.accepts("kerberos")


def test_a_workgroup_takes_no_tickets(domain: Deployed) -> None:
    """Although its key is in the keytab."""
    assert domain.accepts("kerberos")
    assert not domain.accepts("kerberos", "edge01")
    assert domain.accepts("ntlm", "edge01", password=PASSWORD, username="EDGE01\\uc-admin")
