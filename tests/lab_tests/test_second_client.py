# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Another PSRP client than pypsrp: psrpcore's, which is a state machine without a transport, over a WSMan client of the
tests' own. No PSRP client beside pypsrp was found on PyPI, npm or in Debian.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID

import psrpcore
import pytest
from psrpcore.types import (
    PSInvocationState,
    PSSecureString,
    PSThreadOptions,
    RunspacePoolState,
)

from .conftest import Client
from .small import SmallServer
from .wsman_client import POWERSHELL, SHELL, Fault, WSManClient


class PSRPClient:
    """A runspace pool and its pipelines."""

    def __init__(self, client: Client) -> None:
        self.wsman = WSManClient(client)
        self.pool = psrpcore.ClientRunspacePool(max_runspaces=3, thread_options=PSThreadOptions.ReuseThread)
        self.events: list[psrpcore.PSRPEvent] = []
        self.pool.open()
        created = self.wsman.request(
            "Create",
            "<rsp:Shell><rsp:InputStreams>stdin pr</rsp:InputStreams><rsp:OutputStreams>stdout</rsp:OutputStreams>"
            f'<creationXml xmlns="{POWERSHELL}">{self._data()}</creationXml></rsp:Shell>',
            options={"protocolversion": "2.3"},
        )
        selector = next(item for item in created.iter() if item.get("Name") == "ShellId")
        self.selectors = [("ShellId", str(selector.text))]
        self._command_ids: dict[UUID, str] = {}

    def open(self) -> None:
        while self.pool.state != RunspacePoolState.Opened:
            self.receive()

    def close(self) -> None:
        self.wsman.request("Delete", selectors=self.selectors)
        self.wsman.close()

    def _data(self, pipeline: UUID | None = None) -> str:
        payload = self.pool.data_to_send()
        assert payload is not None
        assert payload.pipeline_id == pipeline
        return base64.b64encode(payload.data).decode()

    def send(self, pipeline: UUID | None = None) -> None:
        which = f' CommandId="{self._command_ids[pipeline]}"' if pipeline else ""
        data = self._data(pipeline)
        body = f'<rsp:Send><rsp:Stream Name="stdin"{which}>{data}</rsp:Stream></rsp:Send>'
        self.wsman.request("Send", body, selectors=self.selectors)

    def start(self, pipeline: psrpcore.ClientPowerShell | psrpcore.ClientGetCommandMetadata) -> None:
        body = (
            f'<rsp:CommandLine CommandId="{pipeline.pipeline_id}"><rsp:Command/>'
            f"<rsp:Arguments>{self._data(pipeline.pipeline_id)}</rsp:Arguments></rsp:CommandLine>"
        )
        answer = self.wsman.request("Command", body, selectors=self.selectors)
        self._command_ids[pipeline.pipeline_id] = answer[0][0].text or ""

    def signal(self, pipeline: UUID, code: str) -> None:
        which = self._command_ids[pipeline]
        body = f'<rsp:Signal CommandId="{which}"><rsp:Code>{code}</rsp:Code></rsp:Signal>'
        self.wsman.request("Signal", body, selectors=self.selectors)

    def receive(self, pipeline: UUID | None = None) -> str:
        """Take the next data; the state of the command, if the answer tells it."""
        which = f' CommandId="{self._command_ids[pipeline]}"' if pipeline else ""
        body = f"<rsp:Receive><rsp:DesiredStream{which}>stdout</rsp:DesiredStream></rsp:Receive>"
        state = ""
        for element in self.wsman.request("Receive", body, selectors=self.selectors)[0]:
            if element.tag == f"{{{SHELL}}}Stream":
                data = base64.b64decode(element.text or "")
                self.pool.receive_data(psrpcore.PSRPPayload(data, psrpcore.StreamType.default, pipeline))
            else:
                state = element.attrib["State"].rpartition("/")[2]
        while (event := self.pool.next_event()) is not None:
            self.events.append(event)
        return state

    def run(self, pipeline: Any) -> list[Any]:
        """Start it, fetch all it says and be done with it; the output."""
        pipeline.start()
        self.start(pipeline)
        self.events.clear()
        while self.receive(pipeline.pipeline_id) != "Done":
            pass
        self.signal(pipeline.pipeline_id, "powershell/signal/Terminate")
        return [event.data for event in self.events if isinstance(event, psrpcore.PipelineOutputEvent)]

    def invoke(self, *commands: tuple[Any, ...], **options: Any) -> list[Any]:
        shell = psrpcore.ClientPowerShell(self.pool, **options)
        for name, *arguments in commands:
            shell.add_command(name)
            for argument in arguments:
                shell.add_argument(argument)
            shell.add_statement()
        self.shell = shell
        return self.run(shell)

    def of(self, kind: type[psrpcore.PSRPEvent]) -> list[Any]:
        return [event for event in self.events if isinstance(event, kind)]


@pytest.fixture
def psrp(client: Client) -> Iterator[PSRPClient]:
    made = PSRPClient(client)
    made.open()
    yield made
    made.close()


def test_a_pool_opens_in_the_order_of_the_protocol(client: Client) -> None:
    psrp = PSRPClient(client)
    psrp.receive()
    assert psrp.pool.state != RunspacePoolState.Opened
    psrp.receive()
    assert [type(event) for event in psrp.events] == [
        psrpcore.SessionCapabilityEvent,
        psrpcore.ApplicationPrivateDataEvent,
        psrpcore.RunspacePoolStateEvent,
    ]
    assert psrp.pool.state == RunspacePoolState.Opened
    assert psrp.pool.application_private_data["PSVersionTable"]["PSRemotingProtocolVersion"] == "2.3"
    psrp.close()
    assert client.counters["sessions_open"] == 0


@pytest.mark.parametrize("protocol_version", ["2.1", "2.2", "2.3"])
def test_pipelines(start: Callable[[SmallServer], Client], protocol_version: str) -> None:
    client = start(SmallServer(protocol_version=protocol_version))
    psrp = PSRPClient(client)
    psrp.open()
    assert psrp.invoke(("Write-Output", 1, "two", [3])) == [1, "two", [3]]
    assert psrp.shell.state == PSInvocationState.Completed
    assert psrp.invoke(("Stop-Here",)) == []
    assert psrp.shell.state == PSInvocationState.Failed
    psrp.close()


def test_statements_and_streams(psrp: PSRPClient) -> None:
    assert psrp.invoke(("Write-All",), ("Write-Output", "after")) == ["done", "after"]
    assert [event.record.Message for event in psrp.of(psrpcore.WarningRecordEvent)] == ["a warning"]
    assert [event.record.Message for event in psrp.of(psrpcore.VerboseRecordEvent)] == ["a verbose line"]
    assert [event.record.Message for event in psrp.of(psrpcore.DebugRecordEvent)] == ["a debug line"]
    assert [event.record.Activity for event in psrp.of(psrpcore.ProgressRecordEvent)] == ["Doing"]
    assert [event.record.MessageData for event in psrp.of(psrpcore.InformationRecordEvent)] == [
        "an information"
    ]
    (error,) = psrp.of(psrpcore.ErrorRecordEvent)
    assert error.record.FullyQualifiedErrorId == "SmallError"


def test_input(psrp: PSRPClient) -> None:
    shell = psrpcore.ClientPowerShell(psrp.pool, no_input=False)
    shell.add_command("Get-Input")
    shell.start()
    psrp.start(shell)
    for value in ("one", 2):
        shell.send(value)
    shell.send_eof()
    psrp.send(shell.pipeline_id)
    while psrp.receive(shell.pipeline_id) != "Done":
        pass
    assert [event.data for event in psrp.of(psrpcore.PipelineOutputEvent)] == ["one", 2]


def test_large_objects_come_in_fragments(psrp: PSRPClient) -> None:
    shell = psrpcore.ClientPowerShell(psrp.pool)
    shell.add_command("Write-Output")
    shell.add_argument("x" * 70_000)
    assert psrp.run(shell) == ["x" * 70_000]


def test_a_secret(psrp: PSRPClient) -> None:
    psrp.pool.exchange_key()
    psrp.send()
    psrp.receive()
    assert psrp.invoke(("Get-Secret", PSSecureString("s3cret"))) == ["s3cret"]


def test_the_pool_is_asked(psrp: PSRPClient) -> None:
    psrp.pool.get_available_runspaces()
    psrp.send()
    psrp.receive()
    assert psrp.of(psrpcore.GetRunspaceAvailabilityEvent)[0].count == 3
    psrp.invoke(("Set-Variable", "word", "kept"))
    psrp.pool.reset_runspace_state()
    psrp.send()
    psrp.receive()
    assert psrp.invoke(("Get-Variable", "word")) == [None]


def test_command_metadata(psrp: PSRPClient) -> None:
    count, found = psrp.run(psrpcore.ClientGetCommandMetadata(psrp.pool, ["Write-Output"]))
    assert (count.Count, found.Name) == (1, "Write-Output")


def test_the_host_is_called(psrp: PSRPClient) -> None:
    host = psrpcore.types.HostInfo(
        IsHostNull=False, IsHostUINull=False, IsHostRawUINull=True, UseRunspaceHost=False
    )
    shell = psrpcore.ClientPowerShell(psrp.pool, host=host)
    shell.add_command("Read-Choice")
    shell.start()
    psrp.start(shell)
    psrp.events.clear()
    psrp.receive(shell.pipeline_id)
    (call,) = psrp.of(psrpcore.PipelineHostCallEvent)
    assert (call.method_identifier.name, call.method_parameters[:2]) == (
        "PromptForChoice",
        ["Confirm", "Are you sure?"],
    )
    shell.host_response(call.ci, 1)
    psrp.send(shell.pipeline_id)
    while psrp.receive(shell.pipeline_id) != "Done":
        pass
    assert [event.data for event in psrp.of(psrpcore.PipelineOutputEvent)] == [1]


def test_a_stop(psrp: PSRPClient) -> None:
    shell = psrpcore.ClientPowerShell(psrp.pool)
    shell.add_command("Wait-Stop")
    shell.start()
    psrp.start(shell)
    psrp.receive(shell.pipeline_id)
    psrp.signal(shell.pipeline_id, f"{SHELL}/signal/ctrl_c")
    with pytest.raises(Fault, match="a command identifier that does not exist"):
        psrp.receive(shell.pipeline_id)
    assert psrp.invoke(("Write-Output", 1)) == [1]


def test_another_client_connects(client: Client) -> None:
    first = PSRPClient(client)
    first.open()
    first.invoke(("Set-Variable", "word", "kept"))
    first.wsman.request("Disconnect", "<rsp:Disconnect/>", selectors=first.selectors)
    other = psrpcore.ClientRunspacePool(runspace_pool_id=first.pool.runspace_pool_id)
    other.connect()
    first.pool = other
    answer = first.wsman.request(
        "Connect",
        f'<rsp:Connect><connectXml xmlns="{POWERSHELL}">{first._data()}</connectXml></rsp:Connect>',
        selectors=first.selectors,
    )
    reply = next(item for item in answer.iter() if item.tag.endswith("connectResponseXml"))
    other.receive_data(
        psrpcore.PSRPPayload(base64.b64decode(reply.text or ""), psrpcore.StreamType.default, None)
    )
    first.open()
    assert first.invoke(("Get-Variable", "word")) == ["kept"]
    first.close()
