# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PowerShell behind the lab's WSMan: each runspace pool is a process that serves PSRP on its standard streams.

``pwsh -s`` takes and gives packets, one a line: ``<Data Stream='Default' PSGuid='...'>`` with PSRP fragments in base64,
``<Command/>``, ``<Signal/>`` and ``<Close/>``, each answered by one of the same name and ``Ack``. The identifier is the
pipeline's, or all zeros for the pool. Source: PowerShell/PowerShell, engine/remoting/fanin/OutOfProcTransportManager.cs.
"""

from __future__ import annotations

import asyncio
import base64
import os
import queue
import re
import shlex
import shutil
import struct
import subprocess
import sys
import tempfile
import threading
import time
import uuid
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from psrpcore import CreatePipelineEvent, PSRPPayload, ServerPipeline, StreamType
from psrpcore.types import PSRPMessageType

from lab.catalogue import Command, lync_commands, module_name, powershell_commands
from lab.windows.zones import WINDOWS_ZONES

from ..contract import Runspace, Server
from ..host_process import Execution, HostProcess
from ..psrp.outbox import Outbox
from ..psrp.pipeline import statements_of
from ..psrp.protocol import FRAGMENT_HEADER_SIZE, InvalidFragments, ProtocolPool, check_fragments
from .journal import CommandJournal
from .model import Model
from .module import OF_THE_COMPUTER, assembly, source_of, write_module

_FOLDER = Path(__file__).parent
_NOBODY = uuid.UUID(int=0)
_PACKET = re.compile(rb"<(\w+)(?: Stream='\w+')? PSGuid='([0-9a-fA-F-]+)'\s*(?:/>|>([^<]*)</)")
_ENDED = re.compile(rb'N="PipelineState">[345]<')  # Stopped, Completed, Failed (MS-PSRP 2.2.3.5)
_FAILURE = re.compile(rb'<(?:S|Nil) N="(FullyQualifiedErrorId|ErrorCategory_Activity|ErrorCategory_TargetName)"(?:>([^<]*)<|/>)')
_PATIENCE_S = 60.0
#: What the process itself takes, see lab.psrp.pool.
_HOST_PROCESS_MB = 58


@dataclass
class _Message:
    """A message of the process of which not all fragments have come."""

    kind: int
    data: bytes = b""


class ExternalEngine:
    """Makes pools of processes of that command line. Implements lab.engine.Engine.

    Args:
        command: a PowerShell 7 on Linux, ``pwsh``; it is given ``-s`` and a session configuration.
        folder: for the modules and the sessions; made anew.
    """

    def __init__(self, command: str, folder: Path) -> None:
        self._command = shlex.split(command)
        self._folder = folder
        self._modules: dict[str, Path] = {}  # of the computer's commands, by version of PowerShell

    def prepare(self, servers: Sequence[Server]) -> None:
        program = shutil.which(self._command[0]) if self._command else None
        if program is None:
            raise ValueError(f"there is no program {' '.join(self._command)!r} that could be the engine")
        self._command[0] = program
        shutil.rmtree(self._folder, ignore_errors=True)
        (self._folder / "home").mkdir(mode=0o700, parents=True)
        for server in servers:
            self._add_modules(server)

    def _add_modules(self, server: Any) -> None:
        version = server.deployment.version
        product = module_name(version)
        if not (self._modules_folder / product).exists():
            commands = lync_commands(version).values()
            built = assembly(self._command, product, source_of(commands))
            write_module(self._modules_folder, product, server.deployment.build, built, commands)
        version = _short(server.powershell_version)
        if version not in self._modules:
            commands = computer_commands(version)
            built = assembly(self._command, "Computer", source_of(commands))
            self._modules[version] = write_module(self._folder / f"computer-{version}", "Computer", version, built, commands)

    @property
    def _modules_folder(self) -> Path:
        return self._folder / "modules"

    def open_pool(
        self,
        host: HostProcess,
        open_runspace: Callable[[], Runspace],
        fragment_size: int,
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        exhausted: Callable[..., None],
    ) -> ExternalPool:
        return ExternalPool(host, open_runspace(), self, loop, exhausted)

    def start(self, session: Any, model: Model, folder: Path) -> subprocess.Popen[bytes]:
        """The process for a session, which finds its own things in that folder. Call it on the lab's main thread."""
        programs = folder / "programs"
        programs.mkdir()
        program = programs / "program"
        program.write_text(f"#!{sys.executable} -IS\n{(_FOLDER / 'program.py').read_text(encoding='utf-8')}", encoding="utf-8")
        program.chmod(0o700)
        for command in session.visible_commands():
            if command.kind == "Application":
                (programs / command.name).symlink_to(program.name)
                (programs / f"{command.name}.exe").symlink_to(program.name)
        configuration = folder / "session.pssc"
        configuration.write_text(self._configuration(session), encoding="utf-8")
        zone = WINDOWS_ZONES.get(session.machine.zone.name, "UTC")
        environment = {
            "PATH": str(programs),
            "HOME": str(self._folder / "home"),
            "TMPDIR": str(folder),
            "PSModulePath": str(self._modules_folder),
            "TZ": zone,
            "LANG": "en_US.UTF-8",
            "POWERSHELL_TELEMETRY_OPTOUT": "1",
            "POWERSHELL_UPDATECHECK": "Off",
            "LAB_MODEL_ADDRESS": model.address,
            "LAB_MODEL_TOKEN": model.token,
        }
        kept = {name: value for name, value in os.environ.items() if name.startswith(("DOTNET_", "LD_LIBRARY"))}
        return subprocess.Popen(
            [
                *(sys.executable, "-IS", str(_FOLDER / "launch.py"), str(os.getpid()), *self._command),
                *("-s", "-NoLogo", "-NoProfile", "-ConfigurationFile", str(configuration)),
            ],
            cwd=folder,
            env={**kept, **environment},
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            start_new_session=True,
        )

    def _configuration(self, session: Any) -> str:
        """A session configuration: what is imported, and in a restricted endpoint what is visible.

        PowerShell's own modules come first: a later import of one of theirs must not put its Set-Date before the lab's.
        """
        computer = self._modules[_short(session.powershell_version)]
        product = self._modules_folder / module_name(session.deployment.version)
        lines = ["SchemaVersion = '2.0.0.0'", "GUID = '3f0c6ad1-5a6f-4cc3-8b5a-6d7c7f7f2b10'"]
        if session.constrained:
            names = ", ".join(
                f"'{command.name}'" for command in session.visible_commands() if not session.is_proxy(command)
            )
            lines += [
                "SessionType = 'RestrictedRemoteServer'",
                f"ModulesToImport = '{product}'",
                f"VisibleCmdlets = @({names})",
            ]
        else:
            own = "'Microsoft.PowerShell.Utility', 'Microsoft.PowerShell.Management'"
            lines += ["SessionType = 'Default'", f"ModulesToImport = {own}, '{computer}'"]
        return "@{\n" + "\n".join(lines) + "\n}\n"

    def folder(self) -> Path:
        return Path(tempfile.mkdtemp(prefix="session-", dir=self._folder))


def computer_commands(powershell_version: str) -> list[Command]:
    known = powershell_commands(powershell_version)
    return [command for key, command in known.items() if key in OF_THE_COMPUTER]


def _short(version: str) -> str:
    return ".".join(version.split(".")[:2])


class ExternalPipeline:
    """A pipeline that the process runs. Implements lab.engine.Pipeline."""

    line = ""

    def __init__(self, pool: ExternalPool, pipeline_id: uuid.UUID, outbox: Outbox[bytes]) -> None:
        self.id = pipeline_id
        self.outbox = outbox
        self.received = 0
        self.over = False
        self._pool = pool

    def stop(self) -> None:
        if not self.over:
            self._pool.write("Signal", self.id)


class ExternalPool:
    """A runspace pool in a process of its own. Implements lab.engine.RunspacePool."""

    def __init__(
        self,
        host: HostProcess,
        session: Any,
        engine: ExternalEngine,
        loop: asyncio.AbstractEventLoop,
        ended: Callable[[str], None],
    ) -> None:
        self.host = host
        self.outbox = Outbox[bytes](loop)
        self.pipelines: dict[uuid.UUID, ExternalPipeline] = {}
        self._loop = loop
        self._ended = ended
        self._closed = False
        self._messages: dict[int, _Message] = {}
        self._owners: dict[int, uuid.UUID] = {}
        self._packets: queue.SimpleQueue[bytes | None] = queue.SimpleQueue()
        self._acknowledged = threading.Event()
        self._listener = Listener(host)
        names = {command.name.lower() for command in (*computer_commands(session.powershell_version),)}
        answered = (
            names
            | set(lync_commands(session.deployment.version))
            | {c.name for c in session.visible_commands() if c.kind == "Application"}
        )
        self._journal = CommandJournal(session, answered, self._execution)
        self._model = Model(session, self._journal.execution)
        self._folder = engine.folder()
        self._process = engine.start(session, self._model, self._folder)
        # The process knows itself which modules it has imported; the model is to know all commands.
        session.import_module(module_name(session.deployment.version))
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _execution(self, pipeline_id: str, stopped: threading.Event, drop: Callable[[], None]) -> Execution:
        return Execution(self.host, pipeline_id, stopped, drop)

    # The client's side

    def receive(self, data: bytes) -> None:
        check_fragments(data)
        for pipeline_id, statements in self._listener.hear(data):
            pipeline = self.pipelines[pipeline_id]
            self._journal.begin(str(pipeline_id).upper(), statements, lambda: pipeline.outbox.close("drop"))
        for object_id, flags, content, whole in _fragments(data):
            if flags & 1:
                # The identifier of the pipeline, in the message's header (MS-PSRP 2.2.1).
                self._owners[object_id] = uuid.UUID(bytes_le=content[24:40])
            owner = self._owners.get(object_id, _NOBODY)
            if flags & 2:
                self._owners.pop(object_id, None)
            self.write("Data", owner, whole)

    def new_pipeline(self, pipeline_id: uuid.UUID) -> ExternalPipeline:
        if pipeline_id in self.pipelines:
            raise InvalidFragments("There is a pipeline with this identifier already.")
        pipeline = self.pipelines[pipeline_id] = ExternalPipeline(self, pipeline_id, Outbox[bytes](self._loop))
        self.write("Command", pipeline_id)
        return pipeline

    def forget(self, pipeline_id: uuid.UUID) -> None:
        pipeline = self.pipelines.pop(pipeline_id, None)
        if pipeline is not None:
            self.write("Close", pipeline_id)
            pipeline.outbox.close()

    def connect(self, data: bytes) -> bytes:
        raise InvalidFragments("A process that serves one client cannot be taken over by another.")

    def memory_mb(self) -> int:
        return _HOST_PROCESS_MB

    def close(self, reason: str | None = None) -> None:
        """The shell is gone, and the process with it."""
        if self._closed:
            return
        self._closed = True
        self._close_outboxes(reason)
        self._model.close()
        self._packets.put(None)
        self._process.kill()

    def _close_outboxes(self, reason: str | None) -> None:
        for pipeline in list(self.pipelines.values()):
            pipeline.outbox.close(reason)
        self.outbox.close(reason)

    # The process's side

    def write(self, kind: str, owner: uuid.UUID, data: bytes | None = None) -> None:
        if data is None:
            packet = f"<{kind} PSGuid='{owner}' />"
        else:
            packet = f"<{kind} Stream='Default' PSGuid='{owner}'>{base64.b64encode(data).decode()}</{kind}>"
        self._packets.put(packet.encode() + b"\n")

    def _write(self) -> None:
        """One packet at a time, the next after the acknowledgement of the last: the process takes each on another thread."""
        assert self._process.stdin is not None
        while (packet := self._packets.get()) is not None:
            self._acknowledged.clear()
            try:
                self._process.stdin.write(packet)
                self._process.stdin.flush()
            except OSError:
                return
            if not packet.startswith(b"<Signal") and not self._acknowledged.wait(_PATIENCE_S):
                self._process.kill()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            for kind, owner, content in _PACKET.findall(line):
                if kind == b"Data":
                    self._deliver(uuid.UUID(owner.decode()), base64.b64decode(content))
                elif kind in (b"DataAck", b"CommandAck", b"CloseAck"):
                    self._acknowledged.set()
        self._process.wait()
        self._acknowledged.set()
        shutil.rmtree(self._folder, ignore_errors=True)
        if not self._closed:
            self._loop.call_soon_threadsafe(self._ended, "its process ended")

    def _deliver(self, owner: uuid.UUID, data: bytes) -> None:
        pipeline = self.pipelines.get(owner)
        for object_id, flags, content, whole in _fragments(data):
            if flags & 1:
                self._messages[object_id] = _Message(struct.unpack("<I", content[4:8])[0])
            message = self._messages[object_id]
            message.data += content
            if pipeline is not None:
                urgent = message.kind == PSRPMessageType.PipelineHostCall
                pipeline.outbox.put([whole], urgent=urgent)
            elif owner == _NOBODY:
                self._deliver_to_pool(message.kind, whole)
            if flags & 2:
                del self._messages[object_id]
                self._note(owner, pipeline, message)

    def _deliver_to_pool(self, kind: int, fragment: bytes) -> None:
        if kind != PSRPMessageType.RunspacePoolState:
            self.outbox.put([fragment])
            return

        def announce() -> None:
            self.outbox.put([fragment], alone=True)

        self._loop.call_soon_threadsafe(
            self._loop.call_later, self.host.server.timings.session_open_delay_s, announce
        )

    def _note(self, owner: uuid.UUID, pipeline: ExternalPipeline | None, message: _Message) -> None:
        """What a whole message tells of its pipeline: which command failed, and that it is over."""
        state = message.kind == PSRPMessageType.PipelineState
        if state or message.kind == PSRPMessageType.ErrorRecord:
            found = {name: text.decode() for name, text in reversed(_FAILURE.findall(message.data))}
            if b"FullyQualifiedErrorId" in found:
                parts = (b"FullyQualifiedErrorId", b"ErrorCategory_Activity", b"ErrorCategory_TargetName")
                identifier, activity, target = (found.get(name, "") for name in parts)
                self._journal.failed(str(owner).upper(), (identifier, activity, target))
        if state and _ENDED.search(message.data):
            self._journal.over(str(owner).upper())
            if pipeline is not None:
                pipeline.over = True
                pipeline.outbox.finish()


class Listener:
    """Understands what a client sends to the process: the commands of its pipelines."""

    def __init__(self, host: HostProcess) -> None:
        self._protocol = ProtocolPool(lambda *arguments: None, host.server.protocol_version, {}, FRAGMENT_HEADER_SIZE + 2**15)
        self._is_lost = False

    def hear(self, data: bytes) -> Iterator[tuple[uuid.UUID, Any]]:
        """The pipelines that these fragments complete, with their statements."""
        for object_id, flags, content, whole in _fragments(data):
            pipeline_id = uuid.UUID(bytes_le=content[24:40]) if flags & 1 else _NOBODY
            if flags & 1 and pipeline_id != _NOBODY and pipeline_id not in self._protocol.pipeline_table:
                ServerPipeline(self._protocol, pipeline_id)
            self._protocol.receive_data(PSRPPayload(whole, StreamType.default, None))
        while (event := self._protocol.next_event()) is not None:
            if isinstance(event, CreatePipelineEvent):
                yield event.pipeline_id, statements_of(event.pipeline)


def _fragments(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Object, flags (1: the first of its message, 2: the last), content, and the whole, of each fragment (MS-PSRP 2.2.4)."""
    start = 0
    while start < len(data):
        object_id, _, flags, size = struct.unpack(">QQBI", data[start : start + FRAGMENT_HEADER_SIZE])
        end = start + FRAGMENT_HEADER_SIZE + size
        yield object_id, flags, data[start + FRAGMENT_HEADER_SIZE : end], data[start:end]
        start = end
