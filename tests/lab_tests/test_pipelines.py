# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Pipelines: streams, statements, states, fragments, keys, hosts."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator

import pytest
from lab.contract import Quotas
from pypsrp.complex_objects import (
    GenericComplexObject,
    ObjectMeta,
    PSInvocationState,
)
from pypsrp.exceptions import WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool

from .conftest import Client, powershell
from .small import EVENTS, SmallServer


@pytest.fixture
def pool(client: Client) -> Iterator[RunspacePool]:
    with RunspacePool(client.wsman(), host=a_host()) as pool:
        yield pool


def a_host() -> PSHost:
    return PSHost(None, None, False, "a host", None, PSHostUserInterface(), None)


@pytest.fixture
def event() -> Iterator[threading.Event]:
    EVENTS["go"] = threading.Event()
    yield EVENTS["go"]
    EVENTS["go"].set()


def test_every_stream_arrives(pool: RunspacePool) -> None:
    shell = powershell(pool, ("Write-All",))
    assert shell.invoke() == ["done"]
    streams = shell.streams
    assert [str(error) for error in streams.error] == ["it went wrong"]
    assert [(record.message, str(record)) for record in streams.warning] == [("a warning", "a warning")]
    assert [record.message for record in streams.verbose] == ["a verbose line"]
    assert [record.message for record in streams.debug] == ["a debug line"]
    assert pool.host.ui.stdout == ["What if: nothing\r\n"]
    assert shell.state == PSInvocationState.COMPLETED


def test_an_error_record_in_full(pool: RunspacePool) -> None:
    shell = powershell(pool, ("Write-All",))
    shell.invoke()
    error = shell.streams.error[0]
    assert error.message == "InvalidOperation: (:) [Stop-Here], InvalidOperationException"
    assert error.fq_error == "SmallError"
    assert error.reason == "InvalidOperationException"
    assert error.exception.types[:2] == ["System.InvalidOperationException", "System.SystemException"]
    assert error.extended_info_present
    assert error.invocation_name == "Stop-Here"


def test_a_client_without_a_host_is_not_called(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        assert powershell(pool, ("Write-All",)).invoke() == ["done"]


def test_many_statements_take_two_requests(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        before = client.counters["requests"]
        statements = [("Write-Output", number) for number in range(60)]
        assert powershell(pool, *statements).invoke() == list(range(60))
        assert client.counters["requests"] == before + 2
    commands = [entry for entry in client.journal if entry["event"] == "command"]
    assert [entry["statement"] for entry in commands] == list(range(60))


def test_powershell_2_runs_only_the_first_statement(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(protocol_version="2.1"))
    with RunspacePool(client.wsman()) as pool:
        assert powershell(pool, ("Write-Output", 1), ("Write-Output", 2)).invoke() == [1]


def test_values_come_back_as_they_went(pool: RunspacePool) -> None:
    values = ["", "é𝄞 <&> \x01 _x0041_", True, False, None, -1, 2**31 - 1, [1, "two", None], {"a": 1}]
    # Null has no data at all, which pypsrp takes for an empty text.
    assert powershell(pool, ("Write-Output", *values)).invoke() == [
        v if v is not None else "" for v in values
    ]


@pytest.mark.parametrize("length", [1, 30_000, 70_000, 2_000_000])
def test_fragments_both_ways(pool: RunspacePool, length: int) -> None:
    text = "x" * length
    assert powershell(pool, ("Get-Length", text)).invoke() == [length]
    assert powershell(pool, ("Write-Output", text)).invoke() == [text]


def test_fragments_in_small_envelopes(start: Callable[[SmallServer], Client]) -> None:
    client = start(SmallServer(quotas=Quotas(envelope_size_kb=150)))
    with RunspacePool(client.wsman(max_envelope_size=8192)) as pool:
        pool.connection.update_max_payload_size(8192)
        pool._fragmenter.max_size = pool.connection.max_payload_size
        assert powershell(pool, ("Write-Output", "x" * 100_000)).invoke() == ["x" * 100_000]


def test_input(pool: RunspacePool) -> None:
    shell = powershell(pool, ("Get-Input",))
    assert shell.invoke(item for item in ["one", 2, ["three"]]) == ["one", 2, "three"]


def test_pipelines_wait_for_a_free_runspace(pool: RunspacePool, event: threading.Event) -> None:
    first, second = powershell(pool, ("Wait-Event", "go")), powershell(pool, ("Write-Output", 2))
    first.begin_invoke()
    second.begin_invoke()
    first.poll_invoke()
    assert first.output == ["waiting"]
    with pytest.raises(WSManFaultError) as caught:
        pool._receive(second.id, timeout=1)
    assert caught.value.code == 2150858793
    event.set()
    assert first.end_invoke() == ["waiting", "over"]
    assert second.end_invoke() == [2]


def test_a_pool_of_several_runspaces(client: Client, event: threading.Event) -> None:
    with RunspacePool(client.wsman(), max_runspaces=2) as pool:
        first, second = powershell(pool, ("Wait-Event", "go")), powershell(pool, ("Write-Output", 2))
        first.begin_invoke()
        first.poll_invoke()
        assert second.invoke() == [2]
        event.set()
        first.end_invoke()
    assert len(client.server.runspaces) == 2


def test_a_pipeline_is_stopped(pool: RunspacePool) -> None:
    shell = powershell(pool, ("Wait-Stop",))
    shell.begin_invoke()
    shell.poll_invoke()
    shell.stop()
    assert shell.state == PSInvocationState.STOPPED
    assert powershell(pool, ("Write-Output", 1)).invoke() == [1]


def test_a_long_command_makes_the_client_poll(pool: RunspacePool, event: threading.Event) -> None:
    shell = powershell(pool, ("Wait-Event", "go"))
    shell.begin_invoke()
    shell.poll_invoke()
    with pytest.raises(WSManFaultError) as caught:
        pool._receive(shell.id, timeout=1)
    assert caught.value.code == 2150858793
    event.set()
    assert shell.end_invoke() == ["waiting", "over"]


def test_secure_strings(pool: RunspacePool) -> None:
    pool.exchange_keys()
    secret = pool.serialize("a secret", ObjectMeta("SS"))
    shell = PowerShell(pool)
    shell.add_cmdlet("Get-Secret").add_argument(secret)
    assert shell.invoke() == ["a secret"]


def test_the_host_is_asked(client: Client) -> None:
    class Chooser(PSHostUserInterface):
        def PromptForChoice(self, runspace, pipeline, caption, message, choices, default_choice):
            self.asked = (caption, message, default_choice)
            return 1

    chooser = Chooser()
    with RunspacePool(client.wsman(), host=PSHost(None, None, False, "host", None, chooser, None)) as pool:
        assert powershell(pool, ("Read-Choice",)).invoke() == [1]
    assert chooser.asked == ("Confirm", "Are you sure?", 0)


def test_a_question_without_a_host_fails(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        shell = powershell(pool, ("Read-Choice",))
        shell.invoke()
        assert shell.state == PSInvocationState.FAILED
        assert "A command that prompts the user failed" in str(shell.streams.error[0])


def test_a_script_tells_its_exit_code(pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_script("Write-Output 'from a script'\nexit 3")
    assert shell.invoke() == ["from a script"]
    assert pool.host.rc == 3


def test_the_server_tells_its_versions(pool: RunspacePool) -> None:
    table = pool.application_private_data.data["PSVersionTable"]
    assert table["PSVersion"] == "5.1.14393.1884"
    assert table["PSRemotingProtocolVersion"] == "2.3"
    assert table["BuildVersion"] == "10.0.14393.1884"


def test_the_journal_tells_what_ran(client: Client) -> None:
    with RunspacePool(client.wsman()) as pool:
        powershell(pool, ("Set-Variable", "word", 1), ("Stop-Here",)).invoke()
        shell_id = pool.shell.id
    commands = [entry for entry in client.journal if entry["event"] == "command"]
    assert [(entry["name"], entry["writes"], entry["result"]) for entry in commands] == [
        ("Set-Variable", True, "completed"),
        ("Stop-Here", False, "SmallError"),
    ]
    assert {entry["session"] for entry in commands} == {shell_id}
    assert {entry["caller"] for entry in commands} == {"CONTOSO\\uc-admin"}


def test_objects_keep_their_types(pool: RunspacePool) -> None:
    shell = powershell(pool, ("Get-Object",))
    (found,) = shell.invoke()
    assert isinstance(found, GenericComplexObject)
    assert found.types == ["Deserialized.Small", "System.Object"]
    assert found.adapted_properties == {"Name": "one", "Kind": found.adapted_properties["Kind"]}
    assert found.adapted_properties["Kind"].to_string == "ObjectNotFound"
