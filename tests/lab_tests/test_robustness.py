# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Whatever arrives, the server answers with a fault or a 4xx, and goes on."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
import requests
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell, wait_until
from .small import EVENTS
from .wsman_client import WSManClient


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
        wanted = f'<rsp:DesiredStream CommandId="{shell.id}">stdout</rsp:DesiredStream>'
        wsman = WSManClient(client)
        receive = wsman.envelope(
            "Receive", f"<rsp:Receive>{wanted}</rsp:Receive>", selectors=[("ShellId", pool.id)]
        )
        with pytest.raises(requests.exceptions.ReadTimeout):
            pool.connection.transport.send(receive.encode(), timeout=1)
        listeners = client.running.lab.listeners[client.server.name]
        wait_until(lambda: not any(listener.open_transports for listener in listeners))
        event.set()
        assert shell.end_invoke() == ["waiting", "over"]


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
    def run(number: int) -> Any:
        with RunspacePool(client.wsman("negotiate", number % 2 == 0)) as pool:
            return powershell(pool, ("Write-Output", number)).invoke()

    with ThreadPoolExecutor(20) as clients:
        assert list(clients.map(run, range(20))) == [[number] for number in range(20)]
    assert client.counters["sessions_open"] == 0
