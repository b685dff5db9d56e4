# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever arrives, the server answers with a fault or a 4xx, and goes on."""

from __future__ import annotations

import random
import re
import socket
import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from lab.psrp.protocol import InvalidFragments, check_fragments
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell, wait_until
from .small import ADMIN, EVENTS

SOAP = {"Content-Type": "application/soap+xml;charset=UTF-8"}


@pytest.fixture
def recorded(client: Client, monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The requests of a whole session, still open."""
    wsman = client.wsman()
    sent: list[bytes] = []
    send = wsman.transport.send

    def recording(message: bytes, **options: Any) -> bytes:
        sent.append(message)
        return send(message, **options)

    monkeypatch.setattr(wsman.transport, "send", recording)
    pool = RunspacePool(wsman)
    pool.open()
    powershell(pool, ("Write-Output", 1)).invoke(item for item in [1, 2])
    pool.get_available_runspaces()
    pool.is_alive()
    RunspacePool.get_runspace_pools(wsman)
    return sent


def broken(message: bytes, chance: random.Random) -> bytes:
    """The message with a few things wrong."""
    data = bytearray(message)
    for _ in range(chance.randint(1, 4)):
        at = chance.randrange(len(data))
        kind = chance.randrange(5)
        if kind == 0:
            data[at] = chance.randrange(256)
        elif kind == 1:
            del data[at : at + chance.randint(1, 40)]
        elif kind == 2:
            data[at:at] = bytes(chance.randrange(32, 127) for _ in range(chance.randint(1, 40)))
        elif kind == 3:
            values = re.findall(rb">([^<>]+)<", bytes(data)) or [b""]
            one, other = chance.choice(values), chance.choice(values)
            data = bytearray(bytes(data).replace(b">" + one + b"<", b">" + other + b"<", 1))
        else:
            tags = re.findall(rb"<([A-Za-z:]+)[ >/]", bytes(data)) or [b"x"]
            data = bytearray(bytes(data).replace(chance.choice(tags), chance.choice(tags)))
        if not data:
            return b"<"
    return bytes(data)


@pytest.mark.parametrize("seed", range(8))
def test_broken_requests(client: Client, recorded: list[bytes], seed: int) -> None:
    chance = random.Random(seed)
    with requests.Session() as session:
        session.auth = (ADMIN.name, ADMIN.password)
        for _ in range(60):
            message = broken(chance.choice(recorded).replace(b"PT20S", b"PT0.01S"), chance)
            answer = session.post(
                f"https://{client.server.address}:15986/wsman",
                data=message,
                headers=SOAP,
                verify=client.running.ca,
                timeout=10,
            )
            assert answer.status_code in (200, 400, 500)
            if answer.status_code == 500:
                assert b"<s:Fault>" in answer.content
    with RunspacePool(client.wsman(account=ADMIN)) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\x00" * 3,
        b"GET / HTTP/1.1\r\n\r\n",
        b"POST /wsman HTTP/1.1\r\nContent-Length: 99999\r\n\r\nx",
        b"\xff" * 4000,
    ],
)
@pytest.mark.parametrize("port", [15985, 15986])
def test_noise_on_the_socket(client: Client, data: bytes, port: int) -> None:
    with socket.create_connection((client.server.address, port)) as raw:
        raw.sendall(data)
    with RunspacePool(client.wsman()) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


@pytest.mark.parametrize("token", ["", "!!!", "TlRMTVNTUAA=", "TlRMTVNTUAADAAAA", "YIIAAA=="])
@pytest.mark.parametrize("scheme", ["Basic", "Negotiate", "NTLM", "Kerberos", "Nonsense"])
def test_noise_as_authorization(client: Client, scheme: str, token: str) -> None:
    answer = requests.post(
        f"https://{client.server.address}:15986/wsman",
        data=b"<x/>",
        headers={**SOAP, "Authorization": f"{scheme} {token}"},
        verify=client.running.ca,
        timeout=10,
    )
    assert answer.status_code == 401


@pytest.mark.parametrize("data", [b"\x00" * 20, b"\x00" * 20 + b"\x05abc", b"\x00" * 20 + b"\x01ab"])
def test_fragments_must_be_whole(data: bytes) -> None:
    with pytest.raises(InvalidFragments):
        check_fragments(data)


@pytest.fixture
def event() -> Iterator[threading.Event]:
    EVENTS["go"] = threading.Event()
    yield EVENTS["go"]
    EVENTS["go"].set()


def test_a_client_that_leaves_while_it_waits_loses_nothing(client: Client, event: threading.Event) -> None:
    with RunspacePool(client.wsman(read_timeout=1)) as pool:
        shell = powershell(pool, ("Wait-Event", "go"))
        shell.begin_invoke()
        shell.poll_invoke()
        with pytest.raises(requests.exceptions.ReadTimeout):
            pool.connection.transport.send(pool_receive(shell.id, pool.shell.id), timeout=1)
        wait_until(lambda: not any(listener.open_transports for listener in client.running.lab.listeners))
        event.set()
        assert shell.end_invoke() == ["waiting", "over"]


def pool_receive(command_id: str, shell_id: str) -> bytes:
    """A Receive that waits for long."""
    return (
        '<s:Envelope xmlns:s="http://www.w3.org/2003/05/soap-envelope" xmlns:a="http://schemas.xmlsoap.org/ws/2004/08/addressing"'
        ' xmlns:w="http://schemas.dmtf.org/wbem/wsman/1/wsman.xsd"'
        ' xmlns:rsp="http://schemas.microsoft.com/wbem/wsman/1/windows/shell"><s:Header>'
        "<a:Action>http://schemas.microsoft.com/wbem/wsman/1/windows/shell/Receive</a:Action>"
        "<w:OperationTimeout>PT20S</w:OperationTimeout>"
        f'<w:SelectorSet><w:Selector Name="ShellId">{shell_id}</w:Selector></w:SelectorSet></s:Header><s:Body>'
        f'<rsp:Receive><rsp:DesiredStream CommandId="{command_id}">stdout</rsp:DesiredStream></rsp:Receive>'
        "</s:Body></s:Envelope>"
    ).encode()


def test_the_same_receive_is_answered_again(client: Client) -> None:
    """A client that lost the answer on its way repeats its request, message identifier and all."""
    with RunspacePool(client.wsman()) as pool:
        answers: list[bytes] = []
        send = pool.connection.transport.send

        def twice(message: bytes, **options: Any) -> bytes:
            answers.append(send(message, **options))
            answers.append(send(message, **options) if b"/Receive<" in message else answers[-1])
            return answers[-1]

        pool.connection.transport.send = twice
        assert powershell(pool, ("Write-Output", "once")).invoke() == ["once"]
        pool.connection.transport.send = send
        bodies = [re.search(rb"<s:Body>.*", answer) for answer in answers[-2:]]
        assert bodies[0].group() == bodies[1].group()  # type: ignore[union-attr]


def test_many_clients_at_once(client: Client) -> None:
    results: list[Any] = []

    def run(number: int) -> None:
        with RunspacePool(client.wsman("negotiate", number % 2 == 0)) as pool:
            results.extend(powershell(pool, ("Write-Output", number)).invoke())

    threads = [threading.Thread(target=run, args=(number,)) for number in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(results) == list(range(20))
    assert client.counters["sessions_open"] == 0
