# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who gets in: every mechanism, with and without message encryption, and who does not."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests
from lab.contract import Account, Listener
from lab.wsman.authentication import check_kerberos
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from requests.exceptions import SSLError
from spnego._ntlm_raw.messages import AvId, Challenge, Negotiate, NegotiateFlags, Version

from .conftest import Client, powershell
from .small import ADMIN, EVERY_WAY, GUEST, LOCKED, SmallServer

WAYS = [
    # authentication, TLS, further options, requests to open a pool
    ("basic", True, {}, 3),
    ("ntlm", True, {}, 5),
    ("negotiate", True, {}, 5),
    ("ntlm", False, {}, 6),
    ("negotiate", False, {}, 6),
    ("negotiate", True, {"encryption": "always"}, 6),
]


@pytest.mark.parametrize(("auth", "tls", "options", "opening"), WAYS)
def test_a_pipeline_takes_two_requests(
    client: Client, auth: str, tls: bool, options: dict[str, Any], opening: int
) -> None:
    with RunspacePool(client.wsman(auth, tls, **options)) as pool:
        assert client.counters["requests"] == opening
        assert powershell(pool, ("Write-Output", "héllo")).invoke() == ["héllo"]
        assert client.counters["requests"] == opening + 2
        assert client.counters["connections"] == 1
    opened = next(entry for entry in client.journal if entry["event"] == "session_opened")
    assert opened["authentication"] == ("basic" if auth == "basic" else "ntlm")


@pytest.mark.parametrize("name", ["uc-admin", "UC-Admin@contoso.com", "contoso\\UC-ADMIN"])
@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_an_account_may_be_spelled_in_many_ways(client: Client, name: str, auth: str) -> None:
    with RunspacePool(client.wsman(auth, username=name)):
        pass
    assert {entry["caller"] for entry in client.journal} == {ADMIN.name}


@pytest.mark.parametrize(
    ("account", "reason"),
    [(Account(ADMIN.name, "wrong"), ""), (Account("CONTOSO\\nobody", "x"), ""), (LOCKED, "locked")],
    ids=["wrong password", "unknown account", "locked account"],
)
@pytest.mark.parametrize(("auth", "tls"), [("basic", True), ("ntlm", True), ("ntlm", False)])
def test_a_bad_logon_is_answered_401(
    client: Client, account: Account, reason: str, auth: str, tls: bool
) -> None:
    with pytest.raises(AuthenticationError):
        RunspacePool(client.wsman(auth, tls, account=account)).open()
    refusal = next(entry for entry in client.journal if entry["event"] == "authentication_refused")
    assert refusal["account"].lower() == account.name.lower()
    assert reason in refusal["reason"]
    assert client.counters["authentications_refused"] == 1


def test_an_account_without_rights_gets_access_denied(client: Client) -> None:
    with pytest.raises(WSManFaultError) as caught:
        RunspacePool(client.wsman(account=GUEST)).open()
    assert caught.value.code == 5
    assert "Access is denied" in str(caught.value.reason)
    assert client.counters["sessions_opened"] == 0


def test_basic_is_refused_over_plain_http(client: Client) -> None:
    with pytest.raises(AuthenticationError):
        RunspacePool(client.wsman("basic", False, encryption="never")).open()


def test_plain_soap_over_http_is_refused(client: Client) -> None:
    with pytest.raises(WinRMTransportError) as caught:
        RunspacePool(client.wsman("ntlm", False, encryption="never")).open()
    assert caught.value.code == 500


def test_unencrypted_http_works_where_it_is_allowed(start: Callable[[SmallServer], Client]) -> None:
    listener = Listener("http", 15985, authentication=frozenset({"basic"}), allow_unencrypted=True)
    client = start(SmallServer(listeners=(listener,)))
    with RunspacePool(client.wsman("basic", False, encryption="never")) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


def test_a_client_certificate_stands_for_its_account(client: Client) -> None:
    certificate = str(client.running.state / "certificates" / f"client-{ADMIN.principal}.pem")
    with RunspacePool(
        client.wsman("certificate", certificate_pem=certificate, certificate_key_pem=certificate)
    ) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]
    opened = next(entry for entry in client.journal if entry["event"] == "session_opened")
    assert (opened["caller"], opened["authentication"]) == (ADMIN.name, "certificate")


@pytest.mark.parametrize("tls", [True, False])
def test_credssp_gives_the_server_the_password(client: Client, tls: bool) -> None:
    pytest.importorskip("requests_credssp", reason="CredSSP needs pypsrp[credssp]")
    with RunspacePool(client.wsman("credssp", tls)) as pool:
        text = "x" * 100_000  # more than one TLS record, both ways
        assert powershell(pool, ("Write-Output", text)).invoke() == [text]
    opened = next(entry for entry in client.journal if entry["event"] == "session_opened")
    assert (opened["caller"], opened["authentication"]) == (ADMIN.name, "credssp")


def test_credssp_refuses_a_wrong_password(client: Client) -> None:
    requests_credssp = pytest.importorskip("requests_credssp", reason="CredSSP needs pypsrp[credssp]")
    with pytest.raises(requests_credssp.exceptions.NTStatusException):
        RunspacePool(client.wsman("credssp", password="wrong")).open()
    assert client.counters["authentications_refused"] == 1


def test_channel_bindings_are_asked_for_when_strict(start: Callable[[SmallServer], Client]) -> None:
    listener = Listener("https", 15986, authentication=EVERY_WAY, channel_binding="strict")
    client = start(SmallServer(listeners=(listener,)))
    with RunspacePool(client.wsman("ntlm")):
        pass
    with pytest.raises(AuthenticationError):
        RunspacePool(client.wsman("ntlm", negotiate_send_cbt=False)).open()


def test_channel_bindings_may_be_missing_when_relaxed(client: Client) -> None:
    with RunspacePool(client.wsman("ntlm", negotiate_send_cbt=False)):
        pass


@pytest.mark.parametrize(
    ("flavour", "text"),
    [
        ("expired", "expired"),
        ("wrong_name", "mismatch"),
        ("self_signed", "self-signed|unable to get local issuer"),
    ],
)
def test_bad_certificates(start: Callable[[SmallServer], Client], flavour: str, text: str) -> None:
    client = start(SmallServer(listeners=(Listener("https", 15986, certificate=flavour),)))
    with pytest.raises(SSLError, match=text):
        RunspacePool(client.wsman()).open()


def test_the_certificate_is_good_for_the_name_too(client: Client) -> None:
    pem = ssl.get_server_certificate((client.server.address, 15986))
    context = ssl.create_default_context(cafile=client.running.ca)
    assert pem.startswith("-----BEGIN CERTIFICATE-----")
    with (
        socket.create_connection((client.server.address, 15986)) as raw,
        context.wrap_socket(raw, server_hostname=client.server.fqdn) as tls,
    ):
        assert ("DNS", client.server.fqdn) in tls.getpeercert()["subjectAltName"]  # type: ignore[index]


def test_http_below_soap(client: Client) -> None:
    url, logon = f"https://{client.server.address}:15986", (ADMIN.name, ADMIN.password)
    soap = {"Content-Type": "application/soap+xml;charset=UTF-8"}

    def status(path: str = "/wsman", method: str = "POST", **options: Any) -> int:
        options = {"auth": logon, "headers": soap, "verify": client.running.ca, **options}
        return requests.request(method, url + path, timeout=5, **options).status_code

    assert status("/elsewhere", data=b"<x/>") == 404
    assert status(method="GET") == 405
    assert status(data=b"<x/>", headers={"Content-Type": "text/plain"}) == 415
    assert status(data=b"x" * 600_000) == 413
    assert status(data=b"<not xml") == 400
    assert status(data=b"<x/>", auth=None) == 401


def test_an_ntlm_challenge_names_the_domain(client: Client) -> None:
    asked = Negotiate(NegotiateFlags.unicode | NegotiateFlags.version, version=Version(10, 0, 17763)).pack()
    answer = requests.post(
        f"https://{client.server.address}:15986/wsman",
        headers={"Authorization": f"Negotiate {base64.b64encode(asked).decode()}"},
        timeout=5,
        verify=client.running.ca,
    )
    token = answer.headers["WWW-Authenticate"].partition(" ")[2]
    challenge = Challenge.unpack(base64.b64decode(token))
    assert challenge.flags & NegotiateFlags.target_type_domain
    assert not challenge.flags & NegotiateFlags.target_type_server
    assert challenge.target_name == "CONTOSO"
    assert challenge.target_info is not None
    assert challenge.target_info[AvId.nb_domain_name] == "CONTOSO"
    assert challenge.target_info[AvId.dns_computer_name] == client.server.fqdn
    assert challenge.version is not None
    assert client.server.build_version.startswith(f"{challenge.version.major}.{challenge.version.minor}.")


def test_a_keytab_without_kerberos_is_an_error(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ValueError, match="Kerberos needs the Python packages gssapi and krb5"):
        check_kerberos([SmallServer(keytab=str(tmp_path / "keytab"))])
    check_kerberos([SmallServer()])
