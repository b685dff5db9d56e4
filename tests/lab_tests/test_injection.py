# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Faults on request: what the client sees, and whether the command took effect."""

from __future__ import annotations

from typing import Any

import pytest
from lab.injection import Rule
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from requests.exceptions import ChunkedEncodingError, ConnectionError, SSLError

from .conftest import Client, powershell

LOST = (ConnectionError, ChunkedEncodingError)


def inject(client: Client, kind: str, **options: Any) -> None:
    client.running.lab.injector.add(Rule(kind, **options))


def writes(client: Client) -> list[str]:
    return [entry["result"] for entry in client.journal if entry.get("writes")]


@pytest.mark.parametrize(("kind", "effect"), [("drop-before", []), ("drop-after", ["completed"])])
def test_a_request_is_dropped(client: Client, kind: str, effect: list[str]) -> None:
    with RunspacePool(client.wsman()) as pool:
        inject(client, kind, request="Command")
        shell = powershell(pool, ("Set-Variable", "word", 1))
        with pytest.raises(LOST):
            shell.invoke()
        # The shell is none the worse; a further pipeline waits for the first to end.
        powershell(pool, ("Write-Output", 1)).invoke()
        assert writes(client) == effect


@pytest.mark.parametrize(("kind", "effect"), [("drop-before", []), ("drop-after", ["completed"])])
@pytest.mark.parametrize(("auth", "tls"), [("basic", True), ("ntlm", False)])
def test_a_command_drops_the_connection(
    client: Client, kind: str, effect: list[str], auth: str, tls: bool
) -> None:
    pool = RunspacePool(client.wsman(auth, tls))
    pool.open()
    inject(client, kind, command="Set-*")
    with pytest.raises(LOST):
        powershell(pool, ("Set-Variable", "word", 1)).invoke()
    assert writes(client) == effect


def test_a_command_fails(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        inject(client, "error", command="set-variable", message="No.", id="Nope", category="ResourceBusy")
        shell = powershell(pool, ("Set-Variable", "word", 1))
        shell.invoke()
        assert shell.state == PSInvocationState.FAILED
        assert (str(shell.streams.error[0]), shell.streams.error[0].fq_error) == ("No.", "Nope")
        assert "ResourceBusy" in shell.streams.error[0].message
        assert powershell(pool, ("Set-Variable", "word", 1)).invoke() == []


def test_a_command_hangs_until_it_is_stopped(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        inject(client, "hang", command="Set-Variable")
        shell = powershell(pool, ("Set-Variable", "word", 1))
        shell.begin_invoke()
        with pytest.raises(WSManFaultError) as caught:
            pool._receive(shell.id, timeout=1)
        assert caught.value.code == 2150858793
        shell.stop()
        powershell(pool, ("Write-Output", 1)).invoke()
    results = [entry["result"] for entry in client.journal if entry["event"] == "command"]
    assert results[0] == "stopped"
    assert writes(client) == []


@pytest.mark.parametrize(
    ("code", "error"), [(500, WinRMTransportError), (503, WinRMTransportError), (401, AuthenticationError)]
)
def test_http_status(client: Client, code: int, error: type[Exception]) -> None:
    with RunspacePool(client.wsman()) as pool:
        inject(client, "status", code=code, request="Command")
        with pytest.raises(error):
            powershell(pool, ("Set-Variable", "word", 1)).invoke()
    assert writes(client) == []


def test_garbage(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        inject(client, "garbage", request="Receive")
        with pytest.raises(Exception, match="not well-formed"):
            powershell(pool, ("Write-Output", 1)).invoke()


def test_a_truncated_answer(client: Client) -> None:
    pool = RunspacePool(client.wsman())
    pool.open()
    inject(client, "truncate", request="Receive")
    with pytest.raises(LOST):
        powershell(pool, ("Write-Output", 1)).invoke()


def test_the_shell_vanishes(client: Client) -> None:
    pool = RunspacePool(client.wsman())
    pool.open()
    inject(client, "shell-vanishes", request="Command", skip=1)
    assert powershell(pool, ("Write-Output", 1)).invoke() == [1]
    with pytest.raises(WSManFaultError) as caught:
        powershell(pool, ("Set-Variable", "word", 1)).invoke()
    assert caught.value.code == 2150858843
    assert writes(client) == []


def test_tls_fails(client: Client) -> None:
    inject(client, "tls-failure", server="fe01*")
    with pytest.raises(SSLError):
        RunspacePool(client.wsman()).open()
    with RunspacePool(client.wsman()):
        pass


def test_a_delay_outlasts_the_clients_patience(client: Client) -> None:
    pool = RunspacePool(client.wsman(read_timeout=1))
    pool.open()
    inject(client, "delay", request="Command", seconds=3)
    with pytest.raises(Exception, match="Read timed out"):
        powershell(pool, ("Write-Output", 1)).invoke()


def test_other_servers_are_spared(client: Client) -> None:
    inject(client, "drop-before", server="edge*", times=0)
    with RunspacePool(client.wsman()) as pool:
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


@pytest.mark.parametrize(
    "options", [{"kind": "hang"}, {"kind": "garbage", "command": "x"}, {"kind": "delay", "seconds": -1}]
)
def test_a_rule_that_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError):
        Rule(**options)
