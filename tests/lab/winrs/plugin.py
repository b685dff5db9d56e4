# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM's plug-in for command lines: a shell has an environment, its commands are processes (MS-WSMV 3.1.4)."""

from __future__ import annotations

import asyncio
import base64
import codecs
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from xml.etree import ElementTree

from ..contract import Runspace
from ..host_process import HostProcess, NoMoreProcesses
from ..psrp.outbox import Delivery, Outbox
from ..wsman import fault
from ..wsman.envelope import SHELL, Request, element, local_name
from ..wsman.plugin import STREAM_OVERHEAD, Plugin, decode
from .environment import Environment, environment
from .process import Chunk, CommandProcess, is_path

#: Of winrshost.exe (assumed).
_HOST_PROCESS_MB = 8
#: The console's code page of an English Windows, which WINRS_CODEPAGE changes (Learn, chcp).
_CODE_PAGE = "437"


class CommandShellPlugin(Plugin[Chunk]):
    """One shell for command lines."""

    input_streams = "stdin"
    output_streams = "stdout stderr"
    is_described_in_full = False

    def __init__(
        self,
        host: HostProcess,
        opened: ElementTree.Element,
        options: Mapping[str, str],
        open_runspace: Callable[[], Runspace],
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        exhausted: Callable[[], None],
    ) -> None:
        """``exhausted`` is called on the event loop when there is not enough memory.

        Raises Fault, or WsmanRefusal where the caller may have no shell.
        """
        super().__init__(host)
        self._exhausted = exhausted
        self._loop = loop
        self._executor = executor
        self._open_runspace = open_runspace
        self._processes: dict[str, CommandProcess] = {}
        self._encoding = _encoding(options.get("WINRS_CODEPAGE", _CODE_PAGE))
        self._asked = {
            variable.get("Name", ""): variable.text or ""
            for part in opened
            if local_name(part) == "Environment"
            for variable in part
        }
        has_profile = options.get("WINRS_NOPROFILE", "FALSE").upper() != "TRUE"
        self._environment = environment(host.server.fqdn, host.caller.account, has_profile)
        for name, value in self._asked.items():
            self._environment[name] = value
        directory = next((part.text or "" for part in opened if local_name(part) == "WorkingDirectory"), "")
        self._asked_directory = directory.strip()
        self._directory = self._asked_directory or self._environment["USERPROFILE"]
        open_runspace().close()

    @property
    def commands(self) -> Mapping[str, CommandProcess]:
        return self._processes

    def memory_mb(self) -> int:
        return _HOST_PROCESS_MB + sum(process.held for process in list(self._processes.values())) // 2**20

    def _check_memory(self) -> None:
        if self.memory_mb() > self.host.limits.memory_per_shell_mb:
            self._loop.call_soon_threadsafe(self._exhausted)

    def description(self) -> str:
        variables = "".join(element("rsp:Variable", value, Name=name) for name, value in self._asked.items())
        directory = self._asked_directory
        return (f"<rsp:Environment>{variables}</rsp:Environment>" if variables else "") + (
            element("rsp:WorkingDirectory", directory) if directory else ""
        )

    def start(self, command_id: str, line: ElementTree.Element, request: Request) -> None:
        parts = [(local_name(part), part.text or "") for part in line]
        program = next((text.strip() for name, text in parts if name == "Command"), "")
        if not program:
            raise fault.schema_validation("Command")
        arguments = [text for name, text in parts if name == "Arguments"]
        directly = request.options.get("WINRS_SKIP_CMD_SHELL", "FALSE").upper() == "TRUE"
        process = CommandProcess(
            self.host,
            command_id,
            " ".join([program, *arguments]),
            Environment(self._environment),
            self._directory,
            self._encoding,
            self._open_runspace,
            Outbox[Chunk](self._loop),
            self._check_memory,
        )
        if directly and not (is_path(program) and process.finds(program)):
            raise fault.file_not_found()
        try:
            process.create(self._executor, directly)
        except NoMoreProcesses:
            raise fault.not_enough_quota() from None
        self._processes[command_id] = process

    def send(self, command_id: str | None, stream: ElementTree.Element) -> None:
        if command_id is None:
            raise fault.no_command_given()
        process = self._processes[command_id]
        process.write(decode(stream.text or ""), stream.get("End", "false").lower() in ("true", "1"))
        self._check_memory()

    def signal(self, command_id: str, code: str) -> bool:
        """A terminate ends a command for good; Ctrl+C and Ctrl+Break only end its process."""
        self._processes[command_id].stop()
        return code.lower().endswith("/terminate")

    def end(self, command_id: str) -> None:
        process = self._processes.pop(command_id)
        process.stop()
        process.outbox.close()

    def outbox(self, command_id: str | None) -> Outbox[Chunk]:
        if command_id is None:
            raise fault.no_command_given()
        return self._processes[command_id].outbox

    def size(self, piece: Chunk) -> int:
        return (len(piece) + 2) // 3 * 4 + STREAM_OVERHEAD

    def delivered(self, command_id: str | None, delivery: Delivery[Chunk]) -> str:
        assert command_id is not None
        which = {"CommandId": command_id}
        streams = "".join(
            element("rsp:Stream", base64.b64encode(chunk.data).decode(), Name=chunk.stream, **which)
            for chunk in delivery.pieces
        )
        state = f'CommandId="{command_id}" State="{SHELL}/CommandState/'
        if not delivery.done:
            return f'{streams}<rsp:CommandState {state}Running"></rsp:CommandState>'
        ends = "".join(
            element("rsp:Stream", "", Name=name, **which, End="true") for name in ("stdout", "stderr")
        )
        code = element("rsp:ExitCode", str(self._processes[command_id].exit_code % 2**32))
        return f'{streams}{ends}<rsp:CommandState {state}Done">{code}</rsp:CommandState>'

    def interrupt(self) -> None:
        raise fault.not_supported()

    def connect(self, connect: ElementTree.Element) -> str:
        raise fault.not_supported()

    def close(self, pending: str | None = None) -> None:
        for process in self._processes.values():
            process.outbox.close(pending)
            process.stop()


def _encoding(code_page: str) -> str:
    """Python's name of a code page. Raises Fault for what Windows does not have."""
    name = {"65001": "utf-8", "20127": "ascii", "28591": "latin-1"}.get(code_page, f"cp{code_page}")
    try:
        return codecs.lookup(name).name
    except LookupError:
        raise fault.invalid_parameter() from None
