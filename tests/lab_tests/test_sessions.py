# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Shells: taken over by another process, disconnected, limited in number, gone."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from lab.contract import Quotas, Timings
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell, wait_until
from .small import ADMIN, EVENTS, OTHER, SmallServer

SHELL_GONE = 2150858843

#: What another process needs to go on with a shell: pypsrp's side of it.
RESUME = """
import json, sys
from pypsrp.complex_objects import RunspacePoolState
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import SelectorSet, WSMan

state = json.load(sys.stdin)
wsman = WSMan(**state["connection"])
wsman.session_id = state["session_id"]
pool = RunspacePool(wsman)
pool.id, pool.shell.id, pool.shell.opened = state["pool_id"], state["shell_id"], True
pool.shell._selector_set = SelectorSet()
pool.shell._selector_set.add_option("ShellId", state["shell_id"])
pool._fragmenter.outgoing_counter = state["counter"]
pool.state = RunspacePoolState.OPENED
pool.protocol_version, pool.ps_version, pool.serialization_version = state["versions"]
shell = PowerShell(pool)
shell.add_cmdlet("Get-Variable").add_argument("word")
print(json.dumps([shell.invoke(), pool._fragmenter.outgoing_counter]))
"""


@pytest.fixture
def event() -> Iterator[threading.Event]:
    EVENTS["go"] = threading.Event()
    yield EVENTS["go"]
    EVENTS["go"].set()


def shell_id(pool: RunspacePool) -> str:
    """The identifier the server gave the shell; pypsrp keeps its own proposal in ``shell.id``."""
    return pool.shell._selector_set.values[0][1]  # type: ignore[union-attr]


def resume_elsewhere(client: Client, pool: RunspacePool, auth: str, tls: bool, account: Any) -> Any:
    """Run a pipeline in the pool's shell from another process. Raises CalledProcessError."""
    state = {
        "connection": {
            "server": client.server.address,
            "port": 15986 if tls else 15985,
            "ssl": tls,
            "auth": auth,
            "username": account.name,
            "password": account.password,
            "cert_validation": client.running.ca if tls else True,
        },
        "session_id": pool.connection.session_id,
        "pool_id": pool.id,
        "shell_id": shell_id(pool),
        "counter": pool._fragmenter.outgoing_counter,
        "versions": [pool.protocol_version, pool.ps_version, pool.serialization_version],
    }
    done = subprocess.run(
        [sys.executable, "-c", RESUME], input=json.dumps(state), capture_output=True, text=True, check=True
    )
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("auth", "tls", "protocol_version"),
    [
        ("basic", True, "2.1"),
        ("ntlm", True, "2.3"),
        pytest.param("negotiate", False, "2.1", marks=pytest.mark.sweep),
        pytest.param("basic", True, "2.3", marks=pytest.mark.sweep),
        pytest.param("ntlm", True, "2.1", marks=pytest.mark.sweep),
        pytest.param("negotiate", False, "2.3", marks=pytest.mark.sweep),
    ],
)
def test_another_process_goes_on_with_a_shell(
    start: Callable[[SmallServer], Client], protocol_version: str, auth: str, tls: bool
) -> None:
    client = start(SmallServer(protocol_version=protocol_version))
    pool = RunspacePool(client.wsman(auth, tls))
    pool.open()
    powershell(pool, ("Set-Variable", "word", "kept")).invoke()
    pool.connection.close()
    first, counter = resume_elsewhere(client, pool, auth, tls, ADMIN)
    assert first == ["kept"]
    pool._fragmenter.outgoing_counter = counter
    assert resume_elsewhere(client, pool, auth, tls, ADMIN)[0] == ["kept"]
    assert client.counters["sessions_opened"] == 1
    assert len(client.server.runspaces) == 1


def test_another_account_may_not_go_on_with_it(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        with pytest.raises(subprocess.CalledProcessError) as caught:
            resume_elsewhere(client, pool, "basic", True, OTHER)
        assert "Code: 5" in caught.value.stderr
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


def test_a_lost_connection_does_not_lose_the_shell(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        powershell(pool, ("Set-Variable", "word", "kept")).invoke()
        pool.connection.close()
        assert powershell(pool, ("Get-Variable", "word")).invoke() == ["kept"]
        assert client.counters["connections"] == 2


def test_powershell_2_chooses_the_identifiers_itself(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(protocol_version="2.1"))
    with RunspacePool(client.wsman()) as pool:
        assert pool.protocol_version == "2.1"
        assert shell_id(pool) != pool.id


@pytest.mark.parametrize(
    "use",
    [
        lambda pool: powershell(pool, ("Write-Output", 1)).invoke(),
        lambda pool: pool._receive(),
        lambda pool: pool.shell.close(),
    ],
    ids=["Command", "Receive", "Delete"],
)
def test_a_shell_that_is_gone(client: Client, use: Callable[[RunspacePool], Any]) -> None:
    pool = RunspacePool(client.wsman())
    pool.open()
    client.running.call(lambda: client.running.lab.services[client.server.name].close_shells("test"))
    with pytest.raises(WSManFaultError) as caught:
        use(pool)
    assert caught.value.code == SHELL_GONE
    assert f"ShellId {pool.shell.id} failed because the shell was not found" in str(caught.value.reason)


def test_a_closed_shell_closes_its_runspaces(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        powershell(pool, ("Write-Output", 1)).invoke()
        assert client.counters["sessions_open"] == 1
    assert client.counters["sessions_open"] == 0
    assert all(runspace.closed for runspace in client.server.runspaces)


def test_an_idle_shell_is_taken_away(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(quotas=Quotas(idle_timeout_minimum_s=0.1)))
    pool = RunspacePool(client.wsman(), idle_timeout=1)
    pool.open()
    assert client.counters["sessions_open"] == 1
    wait_until(lambda: client.counters["sessions_open"] == 0)
    with pytest.raises(WSManFaultError) as caught:
        powershell(pool, ("Write-Output", 1)).invoke()
    assert caught.value.code == SHELL_GONE
    assert client.journal[-1]["reason"] == "idle time-out"


def test_an_idle_timeout_below_a_minute_is_refused(client: Client) -> None:
    with pytest.raises(WSManFaultError) as caught:
        RunspacePool(client.wsman(), idle_timeout=59).open()
    assert caught.value.code == 87
    with RunspacePool(client.wsman(), idle_timeout=60) as pool:
        assert pool.shell._get_shell()["IdleTimeOut"] == "PT60.000S"


def test_a_user_may_open_so_many_shells(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(quotas=Quotas(shells_per_user=2)))
    pools = [RunspacePool(client.wsman()) for _ in range(3)]
    pools[0].open()
    pools[1].open()
    with pytest.raises(WSManFaultError) as caught:
        pools[2].open()
    assert caught.value.code == 2150859173
    assert "maximum number of 2 concurrent shells" in str(caught.value.reason)
    with RunspacePool(client.wsman(account=OTHER)):
        pass
    pools[0].close()
    with RunspacePool(client.wsman()):
        pass


@pytest.mark.parametrize(
    ("quotas", "text"),
    [
        (Quotas(operations_per_user=2), "maximum number of 2 concurrent operations"),
        (Quotas(commands_per_shell=2), "maximum number of concurrent commands per shell"),
    ],
)
def test_commands_count_until_they_are_terminated(
    start: Callable[[SmallServer], Client], quotas: Quotas, text: str
) -> None:
    client = start(SmallServer(quotas=quotas))
    with RunspacePool(client.wsman()) as pool:
        for _ in range(3):
            done = powershell(pool, ("Write-Output", 1))
            done.invoke()
            done.close()
        kept = [powershell(pool, ("Write-Output", 1)) for _ in range(3)]
        kept[0].invoke()
        kept[1].invoke()
        with pytest.raises(WSManFaultError, match=text):
            kept[2].invoke()


def test_an_unknown_session_configuration(client: Client) -> None:
    with pytest.raises(WSManFaultError) as caught:
        RunspacePool(client.wsman(), configuration_name="Nobody.Knows").open()
    assert caught.value.code == 2150858811
    assert "powershell/Nobody.Knows) was not found in the WS-Management catalog" in str(caught.value.reason)


def test_the_opening_takes_its_time(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(timings=Timings(session_open_delay_s=1.5)))
    pool = RunspacePool(client.wsman(operation_timeout=1))
    # pypsrp gives up where PowerShell polls on: the fault tells that the pool was not open yet.
    with pytest.raises(WSManFaultError) as caught:
        pool.open()
    assert caught.value.code == 2150858793
    pool._receive(timeout=10)
    assert pool.state == RunspacePoolState.OPENED
    pool.close()
