# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A computer that reboots, as its clients see it."""

from __future__ import annotations

import asyncio
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest
from lab.journal import read
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError

from .conftest import powershell, wait_until
from .test_deployment_wire import DeployedLab

LONG = "1000000"


@pytest.fixture
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedLab]:
    with DeployedLab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


def address(running: DeployedLab, host: str) -> str:
    return next(
        server.address for server in running.lab.deployment.servers if server.name == f"{host}.contoso.com"
    )


def open_pool(running: DeployedLab, host: str = "fe01", **options: Any) -> RunspacePool:
    wsman = WSMan(
        address(running, host),
        port=15986,
        username="CONTOSO\\uc-admin",
        password="x",
        cert_validation=running.ca,
        **{"auth": "basic", "reconnection_retries": 0, **options},
    )
    pool = RunspacePool(wsman)
    pool.open()
    return pool


def reboot(running: DeployedLab, seconds: str, server: str = "fe01.contoso.com") -> None:
    request = {"kind": "server_reboots", "server": server, "options": {"seconds": seconds}}
    running.call(lambda: running.lab.inject(request))


def answers(running: DeployedLab, host: str = "fe01", port: int = 15986) -> bool:
    context = ssl.create_default_context(cafile=running.ca)
    try:
        with socket.create_connection((address(running, host), port), timeout=5) as raw:
            context.wrap_socket(raw, server_hostname=address(running, host)).close()
    except ConnectionRefusedError:
        return False
    return True


def events(running: DeployedLab, *kinds: str) -> list[str]:
    entries = read(running.lab.journal.path)
    return [f"{entry['event']} {entry['server']}" for entry in entries if entry["event"] in kinds]


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_its_connections_are_reset_and_its_ports_refuse(running: DeployedLab, auth: str) -> None:
    assert answers(running)
    pool, other = open_pool(running, auth=auth), open_pool(running, "fe02")
    outcome: list[BaseException] = []

    def wait_for_what_never_comes() -> None:
        try:
            pool.connection.receive(
                pool.shell.resource_uri, _receive(), selector_set=pool.shell._selector_set
            )
        except BaseException as error:
            outcome.append(error)

    waiting = threading.Thread(target=wait_for_what_never_comes)
    waiting.start()
    service = running.lab.services["fe01.contoso.com"]
    (shell,) = service.shells.values()
    wait_until(lambda: shell._in_use == 1)
    reboot(running, LONG)
    waiting.join(10)
    assert isinstance(outcome[0], ConnectionError)
    assert not answers(running)
    with pytest.raises(ConnectionError, match="refused"):
        open_pool(running)
    assert powershell(other, ("Get-Date",)).invoke()
    assert answers(running, "dublin-management", 18443)
    # The other Front End of its pool publishes the web service.
    assert answers(running, "pool01", 18443)
    assert events(running, "went_down", "came_up") == ["went_down fe01.contoso.com"]


def test_nobody_publishes_the_web_service_of_a_pool_that_is_down(running: DeployedLab) -> None:
    reboot(running, LONG)
    reboot(running, LONG, "fe02.contoso.com")
    assert not answers(running, "pool01", 18443)


def test_its_shells_are_gone_afterwards(running: DeployedLab) -> None:
    pool = open_pool(running)
    reboot(running, "0.5")
    wait_until(lambda: answers(running))
    with pytest.raises(WSManFaultError) as caught:
        powershell(pool, ("Get-Date",)).invoke()
    assert caught.value.code == 2150858843
    assert powershell(open_pool(running), ("Get-Date",)).invoke()
    reasons = [entry.get("reason") for entry in read(running.lab.journal.path)]
    assert "the computer went down" in reasons
    assert "came_up fe01.contoso.com" in events(running, "came_up")


def test_a_command_that_a_reboot_forestalls(running: DeployedLab) -> None:
    pool = open_pool(running)
    options = {"command": "Set-Date", "seconds": LONG}
    running.call(
        lambda: running.lab.inject({"kind": "server_reboots", "server": "fe01*", "options": options})
    )
    with pytest.raises(ConnectionError):
        powershell(pool, ("Set-Date", "2030-01-01")).invoke()
    wait_until(lambda: events(running, "command") != [])
    (entry,) = [entry for entry in read(running.lab.journal.path) if entry["event"] == "command"]
    assert (entry["name"], entry["result"], entry["writes"]) == ("Set-Date", "stopped", False)
    server = next(s for s in running.lab.deployment.servers if s.name == "fe01.contoso.com")
    assert abs(server.clock_offset_s) < 1


def test_a_reset_brings_it_up(running: DeployedLab) -> None:
    reboot(running, LONG)
    running.call(running.lab.reset)
    assert powershell(open_pool(running), ("Get-Date",)).invoke()


def test_the_lab_stops_while_it_is_down(running: DeployedLab) -> None:
    """Leaving the fixture stops the lab."""
    reboot(running, LONG)


def test_a_handshake_that_is_under_way_leads_nowhere(running: DeployedLab) -> None:
    with socket.create_connection((address(running, "fe01"), 15986), timeout=10) as raw:
        for _turn in range(5):  # of the event loop, which accepts the connection meanwhile
            running.call(lambda: asyncio.sleep(0))
        reboot(running, LONG)
        context = ssl.create_default_context(cafile=running.ca)
        answer = b""
        try:
            with context.wrap_socket(raw, server_hostname="fe01.contoso.com") as connection:
                connection.sendall(b"POST /wsman HTTP/1.1\r\nHost: fe01\r\nContent-Length: 0\r\n\r\n")
                answer = connection.recv(100)
        except (ConnectionError, ssl.SSLEOFError):
            """Before or after the handshake."""
        assert answer == b""


def _receive() -> ElementTree.Element:
    rsp = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell"
    receive = ElementTree.Element(f"{{{rsp}}}Receive")
    ElementTree.SubElement(receive, f"{{{rsp}}}DesiredStream").text = "stdout"
    return receive
