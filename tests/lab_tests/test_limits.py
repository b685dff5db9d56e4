# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a server says no: quotas, envelopes that are too large, selectors that select nothing, maintenance."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from lab.contract import WINRM_2, WINRM_3, Quotas
from lab.injection import Rule
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WSManFaultError
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell, wait_until
from .small import EVENTS, OTHER, SmallServer
from .wsman_client import SHELL, Fault, WSManClient

MEGABYTE = "x" * 2**20


@pytest.fixture
def event() -> Iterator[threading.Event]:
    EVENTS["go"] = threading.Event()
    yield EVENTS["go"]
    EVENTS["go"].set()


@pytest.fixture
def wsman(client: Client) -> Iterator[WSManClient]:
    made = WSManClient(client)
    yield made
    made.close()


# Quotas


@pytest.mark.parametrize(
    ("protocol_version", "shipped"), [("2.1", WINRM_2), ("2.2", WINRM_3), ("2.3", WINRM_3)]
)
def test_what_a_server_ships_with(protocol_version: str, shipped: Quotas) -> None:
    assert Quotas().on(protocol_version) == shipped
    assert Quotas(shells_per_user=7).on(protocol_version).shells_per_user == 7
    assert Quotas(shells_per_user=7).on(protocol_version).envelope_size_kb == shipped.envelope_size_kb


def test_powershell_2_allows_five_shells_and_fifteen_operations(
    start: Callable[[SmallServer], Client],
) -> None:
    client = start(SmallServer(protocol_version="2.1"))
    pools = [RunspacePool(client.wsman()) for _ in range(6)]
    for pool in pools[:5]:
        pool.open()
    with pytest.raises(WSManFaultError, match="maximum number of 5 concurrent shells"):
        pools[5].open()
    for number in range(15):
        powershell(pools[number % 5], ("Write-Output", 1)).invoke()
    with pytest.raises(WSManFaultError, match="maximum number of 15 concurrent operations") as caught:
        powershell(pools[0], ("Write-Output", 1)).invoke()
    assert caught.value.code == 2150859174


def test_so_many_users_may_have_shells(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(quotas=Quotas(concurrent_users=1)))
    with RunspacePool(client.wsman()), RunspacePool(client.wsman()):
        with pytest.raises(WSManFaultError) as caught:
            RunspacePool(client.wsman(account=OTHER)).open()
        assert caught.value.code == 2150859179
        assert "a maximum of 1 concurrent shell users" in str(caught.value.reason)
    with RunspacePool(client.wsman(account=OTHER)):
        pass


def test_a_shell_tells_how_much_it_takes(client: Client, event: threading.Event) -> None:
    with RunspacePool(client.wsman()) as pool:
        assert pool.shell._get_shell()["MemoryUsed"] == "58MB"
        shell = powershell(pool, ("wait.exe", "go", MEGABYTE, MEGABYTE))
        shell.begin_invoke()
        wait_until(lambda: pool.shell._get_shell()["ChildProcesses"] == "1")
        assert pool.shell._get_shell()["MemoryUsed"] == "60MB"
        event.set()
        shell.end_invoke()
        assert pool.shell._get_shell()["ChildProcesses"] == "0"
        assert pool.shell._get_shell()["MemoryUsed"] == "58MB"


@pytest.mark.parametrize(
    "arguments", [[MEGABYTE] * 3, [MEGABYTE, MEGABYTE]], ids=["given by the client", "made by a command"]
)
def test_too_much_memory_ends_the_host_process(
    start: Callable[[SmallServer], Client], arguments: list[str]
) -> None:
    client = start(SmallServer(quotas=Quotas(memory_per_shell_mb=60)))
    pool = RunspacePool(client.wsman())
    pool.open()
    with pytest.raises(WSManFaultError) as caught:
        powershell(pool, ("Write-Output", *arguments)).invoke()
    # Whether a request was pending, or the next one comes too late:
    assert caught.value.code in (1726, 2150858843)
    assert client.counters["sessions_open"] == 0
    assert client.journal[-1]["reason"] == "memory quota"
    with RunspacePool(client.wsman()) as other:
        assert powershell(other, ("Write-Output", 1)).invoke() == [1]


def test_a_receive_is_pending_when_the_host_process_ends(
    start: Callable[[SmallServer], Client], event: threading.Event
) -> None:
    client = start(SmallServer(quotas=Quotas(memory_per_shell_mb=60)))
    pool = RunspacePool(client.wsman())
    pool.open()
    waiting = powershell(pool, ("Wait-Event", "go"))
    waiting.begin_invoke()
    waiting.poll_invoke()
    (service,) = client.running.lab.services.values()
    (shell,) = service.shells.values()
    with ThreadPoolExecutor() as others:
        receiving = others.submit(pool._receive, waiting.id, timeout=20)
        wait_until(lambda: shell._in_use > 0)
        client.running.call(lambda: service._exhausted(shell.id))
        with pytest.raises(WSManFaultError, match="did not return a proper response") as caught:
            receiving.result()
    assert caught.value.code == 1726


def test_a_shell_has_so_many_processes(
    start: Callable[[SmallServer], Client], event: threading.Event
) -> None:
    client = start(SmallServer(quotas=Quotas(processes_per_shell=3)))
    with RunspacePool(client.wsman(), max_runspaces=3) as pool:
        running = [powershell(pool, ("wait.exe", "go")) for _ in range(2)]
        for shell in running:
            shell.begin_invoke()
        wait_until(lambda: pool.shell._get_shell()["ChildProcesses"] == "2")
        third = powershell(pool, ("wait.exe", "go"))
        third.invoke()
        assert third.state == PSInvocationState.FAILED
        assert str(third.streams.error[0]) == (
            "Program 'wait.exe' failed to run: Not enough quota is available to process this command"
        )
        assert third.streams.error[0].fq_error == "NativeCommandFailed"
        event.set()
        for shell in running:
            assert shell.end_invoke() == ["waiting", "over"]
        assert powershell(pool, ("wait.exe", "go")).invoke() == ["waiting", "over"]


# Envelopes


def test_an_envelope_the_client_allows_must_not_be_too_small(wsman: WSManClient) -> None:
    with pytest.raises(Fault) as caught:
        wsman.request("Get", resource=SHELL, size="8191")
    fault = caught.value
    assert (fault.code, fault.value, fault.subcode) == (2150858878, "Sender", "w:EncodingLimit")
    assert fault.detail == "MinimumEnvelopeLimit"
    assert "(8191) too small. The size must be 8192 or larger" in fault.message
    with pytest.raises(Fault, match="did not contain all required selectors"):
        wsman.request("Get", resource=SHELL, size="8192")


@pytest.mark.parametrize("size", ["", "many", "-1", "1e6", "9" * 11])
def test_an_envelope_size_that_is_none(wsman: WSManClient, size: str) -> None:
    with pytest.raises(Fault, match="the maximum envelope size header was invalid") as caught:
        wsman.request("Get", resource=SHELL, size=size)
    assert (caught.value.code, caught.value.subcode) == (2150858767, "a:InvalidMessageInformationHeader")


# Headers that have to be understood


@pytest.mark.parametrize("must", ["1", "true"])
def test_a_header_that_has_to_be_understood_and_is_not(wsman: WSManClient, must: str) -> None:
    header = f'<t:Trail xmlns:t="urn:trail" s:mustUnderstand="{must}"/>'
    with pytest.raises(Fault, match="Trail") as caught:
        wsman.request("Get", resource=SHELL, more=header)
    assert (caught.value.value, caught.value.subcode) == ("MustUnderstand", "")


@pytest.mark.parametrize("header", ['<t:Trail xmlns:t="urn:trail"/>', '<w:Locale s:mustUnderstand="false"/>'])
def test_a_header_that_need_not_be_understood(wsman: WSManClient, header: str) -> None:
    with pytest.raises(Fault, match="did not contain all required selectors"):
        wsman.request("Get", resource=SHELL, more=header)


def test_a_language_is_a_hint(wsman: WSManClient) -> None:
    with pytest.raises(Fault) as caught:
        wsman.request("Get", resource=SHELL, more='<w:Locale xml:lang="de-DE" s:mustUnderstand="true"/>')
    assert (caught.value.code, caught.value.subcode) == (2150858887, "w:UnsupportedFeature")


@pytest.mark.parametrize("size", [8192, 100_000])
def test_many_small_records_fit_into_envelopes(client: Client, size: int) -> None:
    with RunspacePool(client.wsman(max_envelope_size=size)) as pool:
        sent = pool.connection.transport.send
        sizes: list[int] = []

        def measured(message: bytes, **options: Any) -> bytes:
            answer: bytes = sent(message, **options)
            sizes.append(len(answer))
            return answer

        pool.connection.transport.send = measured
        assert powershell(pool, ("Write-Output", *range(3000))).invoke() == list(range(3000))
        assert max(sizes) <= size
        assert max(sizes) > size * 0.8


@pytest.mark.parametrize("protocol_version", ["2.1", "2.3"])
def test_a_request_larger_than_the_server_allows(
    start: Callable[[SmallServer], Client], protocol_version: str
) -> None:
    client = start(SmallServer(protocol_version=protocol_version))
    limit = {"2.1": 150, "2.3": 500}[protocol_version] * 1024
    wsman = WSManClient(client)
    assert wsman.post(b" " * (limit + 5000)).status_code == 413
    assert wsman.post(b" " * limit).status_code == 400
    wsman.close()


# Selectors


@pytest.mark.parametrize(
    ("selectors", "code", "detail"),
    [
        ([], 2150858842, "InsufficientSelectors"),
        ([("Name", "x")], 2150858843, "UnexpectedSelectors"),
        ([("ShellId", "{id}"), ("Name", "x")], 2150858843, "UnexpectedSelectors"),
        ([("ShellId", "{id}"), ("ShellId", "{id}")], 2150858847, "DuplicateSelectors"),
        ([("ShellId", "")], 2150858843, "UnexpectedSelectors"),
    ],
)
@pytest.mark.parametrize("action", ["Get", "Delete", "Command", "Receive", "Send", "Signal"])
def test_selectors_that_select_nothing(
    client: Client, wsman: WSManClient, action: str, selectors: list[tuple[str, str]], code: int, detail: str
) -> None:
    with RunspacePool(client.wsman()) as pool:
        chosen = [(key, value.format(id=pool.id)) for key, value in selectors]
        with pytest.raises(Fault) as caught:
            wsman.request(action, f"<rsp:{action}/>", selectors=chosen)
        fault = caught.value
        assert (fault.code, fault.value, fault.subcode) == (code, "Sender", "w:InvalidSelectors")
        assert fault.detail == detail
        assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


# Maintenance


def test_maintenance(client: Client) -> None:
    pool = RunspacePool(client.wsman())
    pool.open()
    client.running.lab.injector.add(Rule("maintenance", times=2))
    with pytest.raises(WSManFaultError) as caught:
        powershell(pool, ("Set-Variable", "word", 1)).invoke()
    assert caught.value.code == 2150859118
    assert "was being shutdown" in str(caught.value.reason)
    with pytest.raises(WSManFaultError, match="2150859118"):
        RunspacePool(client.wsman()).open()
    with pytest.raises(WSManFaultError, match="2150858843"):
        powershell(pool, ("Write-Output", 1)).invoke()
    with RunspacePool(client.wsman()):
        pass
    assert not any(entry.get("writes") for entry in client.journal)


# The tests' own servers
