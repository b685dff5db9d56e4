# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab against what Windows Server 2008 R2 to 2022 answered.

Facts read from the exchanges recorded in the tests of pypsrp (https://github.com/jborean93/pypsrp,
tests/tests_pypsrp/responses, at 42a34ed): which messages came in what order, which elements they had, how PSRP messages
lay in fragments, what faults looked like. pypsrp sends the same requests here. The lab's README.md tells where the two
differ, and why.

An exchange is written as the action of the request, ``>``, and the answer's body: elements by their local names,
children in brackets, and in place of data the PSRP messages in it.
"""

from __future__ import annotations

import base64
import struct
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID
from xml.etree import ElementTree

import pytest
from psrpcore.types import PSRPMessageType
from pypsrp.exceptions import WSManFaultError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import RunspacePool

from .conftest import Client, powershell
from .small import SmallServer

CREATED = "ResourceCreated[Address ReferenceParameters[ResourceURI SelectorSet[Selector]]]"
SHELL_BEFORE = "ShellId ResourceUri Owner ClientIP ProcessId IdleTimeOut InputStreams OutputStreams"
SHELL = (
    f"{SHELL_BEFORE} MaxIdleTimeOut Locale DataLocale CompressionMode ProfileLoaded Encoding BufferMode State "
    "ShellRunTime ShellInactivity"
)
SHELL_NOW = f"Shell[{SHELL} MemoryUsed ChildProcesses]"
#: What ends every pipeline that was not stopped.
DONE = "Stream[PipelineState] CommandState=Done[ExitCode]"
INVALID = "Fault[Code[Value Subcode[Value]] Reason[Text] Detail[{}]]"

OPENED = [
    f"Create > {CREATED} Shell[{SHELL}]",
    "Receive > ReceiveResponse[Stream[SessionCapability] Stream[ApplicationPrivateData]]",
    "Receive > ReceiveResponse[Stream[RunspacePoolState]]",
]
OPENED_2_1 = [f"Create > {CREATED}", *OPENED[1:]]
COMMAND = "Command > CommandResponse[CommandId]"
CLOSED = ["Delete > "]


@dataclass
class Message:
    """A PSRP message and how it travelled."""

    kind: str
    object_id: int
    fragments: list[tuple[int, int]]  # number, flags: 1 for the first, 2 for the last
    pool: UUID
    pipeline: UUID
    mark: bool  # a byte order mark starts its data
    data: ElementTree.Element | None


class Recorder:
    """What went over the wire."""

    def __init__(self, client: Client) -> None:
        self.client = client
        self.exchanges: list[str] = []
        self.headers: list[str] = []
        self.messages: list[Message] = []
        self._parts: dict[int, list[tuple[int, int, bytes]]] = {}

    def watch(self, transport: Any) -> None:
        send = transport.send

        def recording(message: bytes, **options: Any) -> bytes:
            answer: bytes = b""
            try:
                answer = send(message, **options)
            except Exception as error:
                # pypsrp raises what is not 200, with the body in it.
                answer = getattr(error, "response_text", b"")
                raise
            finally:
                self._note(message, answer)
            return answer

        transport.send = recording

    def _note(self, message: bytes, answer: str | bytes) -> None:
        action = ElementTree.fromstring(message)[0].find("{*}Action")
        assert action is not None
        envelope = ElementTree.fromstring(answer)
        self.headers.append(" ".join(name(element) for element in envelope[0]))
        body = " ".join(self._outline(element) for element in envelope[1])
        self.exchanges.append(f"{(action.text or '').rpartition('/')[2]} > {body}")

    def _outline(self, element: ElementTree.Element) -> str:
        inner = " ".join(self._outline(child) for child in element)
        state = element.get("State", "").rpartition("/")[2]
        if name(element) in ("Stream", "connectResponseXml"):
            inner = " ".join(self._take(base64.b64decode(element.text or "")))
        return name(element) + (f"={state}" if state else "") + (f"[{inner}]" if inner else "")

    def _take(self, data: bytes) -> Iterator[str]:
        """The kinds of the messages that end in this data; ``+`` where one goes on."""
        while data:
            object_id, number, flags, size = struct.unpack(">QQBI", data[:21])
            parts = self._parts.setdefault(object_id, [])
            parts.append((number, flags, data[21 : 21 + size]))
            data = data[21 + size :]
            if not flags & 2:
                yield "+"
                continue
            del self._parts[object_id]
            whole = b"".join(part for _, _, part in parts)
            kind = PSRPMessageType(struct.unpack("<I", whole[4:8])[0]).name
            mark = whole[40:43] == b"\xef\xbb\xbf"
            self.messages.append(
                Message(
                    kind,
                    object_id,
                    [(number, flags) for number, flags, _ in parts],
                    UUID(bytes_le=whole[8:24]),
                    UUID(bytes_le=whole[24:40]),
                    mark,
                    ElementTree.fromstring(whole[43:]) if len(whole) > 43 else None,
                )
            )
            yield kind

    def members(self, kind: str) -> list[set[str]]:
        """The names of the members of each message of that kind."""
        return [
            {item.get("N", "") for item in message.data.findall("MS/*")}
            for message in self.messages
            if message.kind == kind and message.data is not None
        ]


def name(element: ElementTree.Element) -> str:
    return element.tag.rpartition("}")[2]


@pytest.fixture
def record(start: Callable[[SmallServer], Client]) -> Callable[..., tuple[RunspacePool, Recorder]]:
    """Start a server, open a pool and watch it from its first message on."""

    def opened(server: SmallServer | None = None, **options: Any) -> tuple[RunspacePool, Recorder]:
        recorder = Recorder(start(server or SmallServer()))
        pool = RunspacePool(recorder.client.wsman(), **options)
        recorder.watch(pool.connection.transport)
        pool.open()
        return pool, recorder

    return opened


Record = Callable[..., tuple[RunspacePool, Recorder]]


@pytest.mark.parametrize(
    ("protocol_version", "opened", "headers"),
    [
        ("2.1", OPENED_2_1, "Action MessageID To RelatesTo"),
        ("2.2", OPENED, "Action MessageID ActivityId To RelatesTo"),
        ("2.3", OPENED, "Action MessageID ActivityId To RelatesTo"),
    ],
)
def test_a_pipeline_with_input(
    record: Record,
    protocol_version: str,
    opened: list[str],
    headers: str,
) -> None:
    """test_psrp_run_protocol_version_2.1, 2.2 and 2.3; test_psrp_with_input."""
    pool, recorder = record(SmallServer(protocol_version=protocol_version))
    powershell(pool, ("Get-Input",)).invoke(["one", 2, [3]])
    pool.close()
    assert recorder.exchanges == [
        *opened,
        COMMAND,
        "Send > SendResponse",
        f"Receive > ReceiveResponse[{'Stream[PipelineOutput] ' * 3}{DONE}]",
        *CLOSED,
    ]
    assert set(recorder.headers) == {headers}


def test_the_layout_of_fragments(record: Record) -> None:
    """Of every recorded exchange of a pool, whatever it is about."""
    pool, recorder = record()
    shell = powershell(pool, ("Write-Output", "one", "two"))
    shell.invoke()
    pool.close()
    messages = recorder.messages
    # Objects are numbered through the pool, its pipelines included, from one; each that fits is one fragment.
    assert [message.object_id for message in messages] == list(range(1, len(messages) + 1))
    assert all(message.fragments == [(0, 3)] for message in messages)
    assert all(message.mark for message in messages)
    # The first message names no pool yet, the others do; what is about the pool names no pipeline.
    pools = {message.kind: message.pool for message in messages}
    assert pools.pop("SessionCapability") == UUID(int=0)
    assert set(pools.values()) == {UUID(pool.id)}
    pipelines = {message.kind: message.pipeline for message in messages}
    assert {kind for kind, pipeline in pipelines.items() if pipeline == UUID(int=0)} == {
        "SessionCapability",
        "ApplicationPrivateData",
        "RunspacePoolState",
    }
    assert pipelines["PipelineOutput"] == UUID(shell.id)


def test_every_stream(record: Record) -> None:
    """test_psrp_stream_output_invocation: all streams in the order they were written."""
    pool, recorder = record(host=a_host())
    powershell(pool, ("Write-All",)).invoke()
    pool.close()
    kinds = (
        "VerboseRecord DebugRecord WarningRecord ErrorRecord PipelineHostCall PipelineOutput PipelineState"
    )
    assert [message.kind for message in recorder.messages[3:]] == kinds.split()
    assert (recorder.exchanges[3], recorder.exchanges[-1:]) == (COMMAND, CLOSED)


_INVOCATION = {
    *(
        f"InvocationInfo_{name}"
        for name in ("BoundParameters", "CommandOrigin", "ExpectingInput", "HistoryId")
    ),
    *(f"InvocationInfo_{name}" for name in ("InvocationName", "Line", "OffsetInLine", "UnboundArguments")),
    *(f"InvocationInfo_Pipeline{name}" for name in ("IterationInfo", "Length", "Position")),
    *(f"InvocationInfo_PS{name}" for name in ("ScriptRoot", "CommandPath")),
    *(f"InvocationInfo_{name}" for name in ("PositionMessage", "ScriptLineNumber", "ScriptName")),
    *(f"CommandInfo_{name}" for name in ("CommandType", "Definition", "Name", "Visibility")),
    "SerializeExtent",
}
_ERROR = {
    *("writeErrorStream", "Exception", "TargetObject", "FullyQualifiedErrorId", "InvocationInfo"),
    *(f"ErrorCategory_{name}" for name in ("Category", "Activity", "Reason", "Message")),
    *("ErrorCategory_TargetName", "ErrorCategory_TargetType", "SerializeExtendedInfo", "PSMessageDetails"),
}
_INFORMATIONAL = {"InformationalRecord_Message", "InformationalRecord_SerializeInvocationInfo"}
#: With the invocation details that pypsrp asks for unless told otherwise.
MEMBERS: Mapping[str, set[str]] = {
    "SessionCapability": {"protocolversion", "PSVersion", "SerializationVersion"},
    "ApplicationPrivateData": {"ApplicationPrivateData"},
    "RunspacePoolState": {"RunspaceState"},
    "PipelineState": {"PipelineState"},
    "WarningRecord": _INFORMATIONAL | _INVOCATION | {"InformationalRecord_PipelineIterationInfo"},
    "VerboseRecord": _INFORMATIONAL | _INVOCATION | {"InformationalRecord_PipelineIterationInfo"},
    "DebugRecord": _INFORMATIONAL | _INVOCATION | {"InformationalRecord_PipelineIterationInfo"},
    "ErrorRecord": _ERROR | _INVOCATION | {"PipelineIterationInfo"},
    "PipelineHostCall": {"ci", "mi", "mp"},
    "EncryptedSessionKey": {"EncryptedSessionKey"},
}


@pytest.mark.parametrize("kind", MEMBERS)
def test_the_members_of_messages(record: Record, kind: str) -> None:
    """As in every recording in which such a message is."""
    pool, recorder = record(host=a_host())
    powershell(pool, ("Write-All",)).invoke()
    pool.exchange_keys()
    pool.close()
    assert recorder.members(kind) == [MEMBERS[kind]] * len(recorder.members(kind))
    assert recorder.members(kind)


def test_records_without_invocation_details(record: Record) -> None:
    """test_psrp_stream_no_output_invocation."""
    pool, recorder = record()
    powershell(pool, ("Write-All",)).invoke(remote_stream_options=0)
    pool.close()
    for kind in ("WarningRecord", "VerboseRecord", "DebugRecord"):
        assert recorder.members(kind) == [_INFORMATIONAL]
    assert recorder.members("ErrorRecord") == [_ERROR]


def test_what_a_host_is_told_and_asked(record: Record) -> None:
    """test_psrp_pshost_ui_mocked_methods: a call that wants an answer leaves the command pending."""

    class Chooser(PSHostUserInterface):
        def PromptForChoice(self, *question: Any) -> int:
            return 0

    pool, recorder = record(host=PSHost(None, None, False, "a host", None, Chooser(), None))
    powershell(pool, ("Read-Choice",)).invoke()
    pool.close()
    assert recorder.exchanges[3:] == [
        COMMAND,
        "Receive > ReceiveResponse[Stream[PipelineHostCall] CommandState=Pending]",
        "Send > SendResponse",
        f"Receive > ReceiveResponse[Stream[PipelineOutput] {DONE}]",
        *CLOSED,
    ]


def test_a_pipeline_that_fails(record: Record) -> None:
    """test_psrp_error_failed: no error record; the state carries it, and the command is done all the same."""
    pool, recorder = record()
    powershell(pool, ("Stop-Here",)).invoke()
    pool.close()
    assert recorder.exchanges[3:] == [COMMAND, f"Receive > ReceiveResponse[{DONE}]", *CLOSED]
    assert recorder.members("PipelineState") == [{"PipelineState", "ExceptionAsErrorRecord"}]


def test_a_shell_that_is_asked_for(record: Record) -> None:
    """test_psrp_is_alive_state_disconnected."""
    pool, recorder = record()
    assert pool.is_alive()
    pool.close()
    assert recorder.exchanges[3:] == [f"Get > {SHELL_NOW}", *CLOSED]


@dataclass
class RecordedFault:
    """A fault, and whether its reason is the message of the WSManFault (or one more general)."""

    request: str
    code: int
    value: str
    subcode: str
    detail: str
    provoke: Callable[[RunspacePool, Client], object]


def _gone(pool: RunspacePool, client: Client) -> object:
    client.running.call(lambda: client.running.lab.services[client.server.name].close_shells("test"))
    return pool.shell._get_shell()


def _negative(pool: RunspacePool, client: Client) -> object:
    pool.connection.operation_timeout = -1
    try:
        return pool.shell._get_shell()
    finally:
        pool.connection.operation_timeout = 20


FAULTS = {
    # test_psrp_is_alive_invalid_selectors; the message repeats the fault as the shell provider's.
    "a Get of a shell that is gone": RecordedFault(
        "Get",
        2150858843,
        "s:Sender",
        "w:InvalidSelectors",
        "FaultDetail WSManFault[Message[ProviderFault[WSManFault[Message]]]]",
        _gone,
    ),
    # test_psrp_is_alive_other_wsman_error
    "a timeout that is none": RecordedFault(
        "Get",
        2150858767,
        "s:Sender",
        "a:InvalidMessageInformationHeader",
        "WSManFault[Message]",
        _negative,
    ),
    # test_psrp_long_running_cmdlet
    "nothing to tell yet": RecordedFault(
        "Receive",
        2150858793,
        "s:Receiver",
        "w:TimedOut",
        "WSManFault[Message]",
        lambda pool, client: pool._receive(timeout=1),
    ),
    # test_psrp_receive_failure
    "a command that does not exist": RecordedFault(
        "Receive",
        2150858843,
        "s:Sender",
        "w:InvalidSelectors",
        "FaultDetail WSManFault[Message]",
        lambda pool, client: pool.shell.receive("stdout", command_id="00000000-0000-0000-0000-000000000000"),
    ),
}


@pytest.mark.parametrize("fault", FAULTS.values(), ids=FAULTS)
def test_faults(record: Record, fault: RecordedFault) -> None:
    pool, recorder = record()
    with pytest.raises(WSManFaultError) as caught:
        fault.provoke(pool, recorder.client)
    assert recorder.exchanges[-1] == f"{fault.request} > {INVALID.format(fault.detail)}"
    assert caught.value.code == fault.code
    assert caught.value.machine == recorder.client.server.address  # as the client called it


def a_host() -> PSHost:
    return PSHost(None, None, False, "a host", None, PSHostUserInterface(), None)
