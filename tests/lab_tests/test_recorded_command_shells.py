# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's command shells against those of Windows Server 2008 R2 and 2016; see test_recorded.

An exchange is written as there, but a stream as its name, with the text in it, and ``end`` for its end.
"""

from __future__ import annotations

import base64
import threading
from collections.abc import Callable
from typing import Any
from xml.etree import ElementTree

import pytest
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS

from .conftest import Client
from .small import EVENTS, SmallServer

CREATED = "ResourceCreated[Address ReferenceParameters[ResourceURI SelectorSet[Selector]]]"
BEFORE, AFTER = (
    "ShellId ResourceUri Owner ClientIP",
    "IdleTimeOut InputStreams OutputStreams ShellRunTime ShellInactivity",
)
COMMAND = "Command > CommandResponse[CommandId]"
ENDS = "stdout(end) stderr(end) CommandState=Done[ExitCode={}]"
SIGNAL, DELETED = "Signal > SignalResponse", "Delete > "
FAULT = "Fault[Code[Value Subcode[Value]] Reason[Text] Detail[{}]]"


class Recorder:
    """A client of a small server, and what went over the wire."""

    def __init__(self, client: Client, **options: Any) -> None:
        self.client = client
        self.wsman = client.wsman(**options)
        self.exchanges: list[str] = []
        send = self.wsman.transport.send

        def recording(message: bytes, **more: Any) -> bytes:
            answer: Any = b""
            try:
                answer = send(message, **more)
            except Exception as error:
                answer = getattr(error, "response_text", b"")
                raise
            finally:
                action = ElementTree.fromstring(message)[0].findtext("{*}Action") or ""
                body = " ".join(outline(element) for element in ElementTree.fromstring(answer)[1])
                self.exchanges.append(f"{action.rpartition('/')[2]} > {body}")
            return answer  # type: ignore[no-any-return]

        self.wsman.transport.send = recording


def outline(element: ElementTree.Element) -> str:
    name = element.tag.rpartition("}")[2]
    if name == "Stream":
        text = "end" if element.get("End") == "true" else repr(base64.b64decode(element.text or "").decode())
        return f"{element.get('Name')}({text})"
    if name == "ExitCode":
        return f"ExitCode={element.text}"
    state = element.get("State", "").rpartition("/")[2]
    inner = " ".join(outline(child) for child in element)
    return name + (f"={state}" if state else "") + (f"[{inner}]" if inner else "")


@pytest.fixture
def record(start: Callable[[SmallServer], Client]) -> Callable[..., Recorder]:
    return lambda **options: Recorder(start(SmallServer()), **options)


Record = Callable[..., Recorder]


def test_a_command(record: Record) -> None:
    """test_winrs_standard; test_client_execute_cmd."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        process = Process(shell, "cmd.exe", ["/c", "echo", "hi"])
        process.invoke()
        process.signal(SignalCode.CTRL_C)
        assert shell.idle_time_out == "PT7200.000S"
    assert recorder.exchanges == [
        f"Create > {CREATED} Shell[{BEFORE} {AFTER}]",
        COMMAND,
        f"Receive > ReceiveResponse[stdout('hi\\r\\n') {ENDS.format(0)}]",
        SIGNAL,
        DELETED,
    ]


def test_both_streams_and_a_code(record: Record) -> None:
    """test_winrs_stderr_rc."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        Process(shell, "cmd.exe", ["/c echo out && echo err>&2 && exit 1"]).invoke()
    assert recorder.exchanges[2] == (
        f"Receive > ReceiveResponse[stdout('out \\r\\n') stderr('err \\r\\n') {ENDS.format(1)}]"
    )


def test_what_a_shell_was_asked_for(record: Record) -> None:
    """test_winrs_environment, test_winrs_extra_opts."""
    recorder = record()
    strange = r"_-(){}[]<>*+-/\?\"!@#$^&|;:i,.`~0"
    with WinRS(recorder.wsman, environment={"env1": "var1", 1234: 5678, strange: strange}) as shell:  # type: ignore[dict-item]
        process = Process(shell, "cmd.exe", ["/c", "set"])
        process.invoke()
        assert {"env1=var1", "1234=5678", f"{strange}={strange}"} <= set(process.stdout.decode().splitlines())
    variables = "Environment[Variable Variable Variable]"
    assert recorder.exchanges[0] == f"Create > {CREATED} Shell[{BEFORE} {variables} {AFTER}]"
    recorder.exchanges.clear()
    asked = {"name": "shell 1", "lifetime": 60, "idle_time_out": 60, "working_directory": "C:\\Windows"}
    with WinRS(recorder.wsman, **asked) as shell:
        assert shell.idle_time_out == "PT60.000S"
    assert recorder.exchanges[0] == f"Create > {CREATED} Shell[{BEFORE} WorkingDirectory {AFTER}]"


def test_a_command_that_takes_long(record: Record) -> None:
    """test_winrs_operation_timeout."""
    EVENTS["long"] = threading.Event()
    recorder = record(operation_timeout=1)
    with WinRS(recorder.wsman) as shell:
        process = Process(shell, "wait.exe", ["long"])
        process.begin_invoke()
        process.poll_invoke()
        process.poll_invoke()
        EVENTS["long"].set()
        process.end_invoke()
    assert recorder.exchanges[2:-1] == [
        "Receive > ReceiveResponse[stdout('waiting\\r\\n') CommandState=Running]",
        f"Receive > {FAULT.format('WSManFault[Message]')}",
        f"Receive > ReceiveResponse[stdout('over\\r\\n') {ENDS.format(0)}]",
    ]


def test_standard_input(record: Record) -> None:
    """test_winrs_send."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        process = Process(shell, "powershell.exe", ["-"])
        process.begin_invoke()
        process.send(b"Write-Output 'output 1';", end=False)
        process.send(b"Write-Output 'output 2';")
        process.end_invoke()
    assert recorder.exchanges[2:4] == ["Send > SendResponse"] * 2
    assert recorder.exchanges[4] == (
        f"Receive > ReceiveResponse[stdout('output 1\\r\\n') stdout('output 2\\r\\n') {ENDS.format(0)}]"
    )


def test_a_command_that_there_is_not(record: Record) -> None:
    """test_winrs_bad_cmd_id."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        process = Process(shell, "cmd.exe", ["/c", "echo", "hi"])
        process.begin_invoke()
        right, process.id = process.id, "87E77BEB-6761-4C48-9D70-A00266B8459A"
        with pytest.raises(WSManFaultError, match="a command identifier that does not exist") as caught:
            process.poll_invoke()
        process.id = right
        process.signal(SignalCode.CTRL_C)
    assert caught.value.code == 2150858843
    assert recorder.exchanges[2:] == [
        f"Receive > {FAULT.format('FaultDetail WSManFault[Message]')}",
        SIGNAL,
        DELETED,
    ]


def test_a_receive_without_a_command(record: Record) -> None:
    """test_winrs_fail_poll_process."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        with pytest.raises(WSManFaultError) as caught:
            Process(shell, "cmd.exe", ["/c", "echo", "hi"]).poll_invoke()
        error = caught.value
        assert (error.code, error.provider) == (87, "Shell cmd plugin")
        assert error.provider_path == r"%systemroot%\system32\winrscmd.dll"
        assert error.provider_fault == error.reason == "The parameter is incorrect."
    assert recorder.exchanges[1] == (
        f"Receive > {FAULT.format('FaultDetail WSManFault[Message[ProviderFault]]')}"
    )


def test_a_program_without_cmd(record: Record) -> None:
    """test_winrs_no_cmd_shell."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        for program in ("powershell.exe", "wait.exe", r"C:\Windows\system32\nothing.exe"):
            with pytest.raises(WSManFaultError) as caught:
                Process(shell, program, ["Write-Output", "hi"], no_shell=True).invoke()
            assert caught.value.provider_fault == "The system cannot find the file specified."
            assert caught.value.code == 2147942402
        program = r"C:\Windows\system32\WindowsPowerShell\v1.0\powershell.exe"
        # There is no cmd.exe to make something of the operator.
        process = Process(shell, program, ["Write-Output", "'hi && echo you'"], no_shell=True)
        process.invoke()
        assert (process.rc, process.stdout) == (0, b"hi && echo you\r\n")
    assert recorder.exchanges[1] == f"Command > {FAULT.format('WSManFault[Message[ProviderFault]]')}"


def test_opened_twice_and_closed_twice(record: Record) -> None:
    """test_winrs_open_already_opened."""
    recorder = record()
    with WinRS(recorder.wsman) as shell:
        shell.open()
    shell.close()
    assert recorder.exchanges == [f"Create > {CREATED} Shell[{BEFORE} {AFTER}]", DELETED]
