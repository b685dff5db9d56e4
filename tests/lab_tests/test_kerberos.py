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
from pypsrp.exceptions import AuthenticationError
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell
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
