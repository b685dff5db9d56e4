# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runspace pool in a process that serves PSRP on its standard input and output.

``pwsh -s`` takes and gives packets, one a line: ``<Data Stream='Default' PSGuid='...'>`` with PSRP fragments in base64,
``<Command/>``, ``<Signal/>`` and ``<Close/>``, each answered by one of the same name and ``Ack``. The identifier is the
pipeline's, or all zeros for the pool. Source: PowerShell/PowerShell, OutOfProcTransportManager.cs.
"""

from __future__ import annotations

import asyncio
import base64
import contextlib
import queue
import re
import shutil
import struct
import subprocess
import threading
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from psrpcore import CreatePipelineEvent, PSRPPayload, ServerPipeline, StreamType
from psrpcore.types import PSRPMessageType

from ..host_process import Execution, HostProcess
from ..psrp.outbox import Outbox
from ..psrp.pipeline import statements_of
from ..psrp.protocol import (
    FRAGMENT_HEADER_SIZE,
    FRAGMENT_SIZE,
    InvalidFragments,
    ProtocolPool,
    check_fragments,
)
from .journal import CommandJournal
from .model import Model

_NOBODY = uuid.UUID(int=0)
_PACKET = re.compile(rb"<(\w+)(?: Stream='\w+')? PSGuid='([0-9a-fA-F-]+)'\s*(?:/>|>([^<]*)</)")
_ENDED = re.compile(rb'N="PipelineState">[345]<')  # Stopped, Completed, Failed (MS-PSRP 2.2.3.5)
_FAILURE = re.compile(
    rb'<S N="(FullyQualifiedErrorId|ErrorCategory_Activity|ErrorCategory_TargetName)">([^<]*)</S>'
)
#: The identifier of a host call that wants no answer.
_NO_ANSWER = b'N="ci">-100<'
#: How long the process may take to acknowledge a packet before it is given up.
_PATIENCE_S = 60.0
#: What a shell's host process takes, see lab.psrp.pool.
_HOST_PROCESS_MB = 58

#: Starts the process of a session whose commands that model answers; the folder is the process's own.
Start = Callable[[Model], "tuple[subprocess.Popen[bytes], Path]"]


@dataclass
class _Message:
    """A message of the process of which not all fragments have come."""

    kind: int
    data: bytes = b""


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
        start: Start,
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
        self._journal = CommandJournal(session, self._execution)
        self._model = Model(session, self._journal.execution)
        self._process, self._folder = start(self._model)
        threading.Thread(target=self._read, daemon=True).start()
        threading.Thread(target=self._write, daemon=True).start()

    def _execution(self, pipeline_id: str, stopped: threading.Event, drop: Callable[[], None]) -> Execution:
        return Execution(self.host, pipeline_id, stopped, drop)

    # The client's side

    def receive(self, data: bytes) -> None:
        check_fragments(data)
        for pipeline_id, statements in self._listener.hear(data):
            self._journal.begin(
                _name(pipeline_id), statements, partial(self.pipelines[pipeline_id].outbox.close, "drop")
            )
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
        pipeline = self.pipelines[pipeline_id] = ExternalPipeline(
            self, pipeline_id, Outbox[bytes](self._loop)
        )
        self.write("Command", pipeline_id)
        return pipeline

    def forget(self, pipeline_id: uuid.UUID) -> None:
        pipeline = self.pipelines.pop(pipeline_id, None)
        if pipeline is not None:
            self.write("Close", pipeline_id)
            pipeline.outbox.close()

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
        """One packet at a time, the next after the acknowledgement of the last: each is taken on another thread."""
        stdin = self._process.stdin
        assert stdin is not None
        while (packet := self._packets.get()) is not None:
            self._acknowledged.clear()
            try:
                stdin.write(packet)
                stdin.flush()
            except OSError:
                break  # it has ended, as _read sees
            if not packet.startswith(b"<Signal") and not self._acknowledged.wait(_PATIENCE_S):
                self._process.kill()
        with contextlib.suppress(OSError):
            stdin.close()

    def _read(self) -> None:
        stdout = self._process.stdout
        assert stdout is not None
        for line in stdout:
            for kind, owner, content in _PACKET.findall(line):
                if kind == b"Data":
                    self._deliver(uuid.UUID(owner.decode()), base64.b64decode(content))
                elif kind in (b"DataAck", b"CommandAck", b"CloseAck"):
                    self._acknowledged.set()
        stdout.close()
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
                pipeline.outbox.put([whole])
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
        """What a whole message tells of its pipeline: which command failed, that it waits for an answer, or is over."""
        if pipeline is not None and message.kind == PSRPMessageType.PipelineHostCall:
            pipeline.outbox.put([], urgent=_NO_ANSWER not in message.data)
        state = message.kind == PSRPMessageType.PipelineState
        if state or message.kind == PSRPMessageType.ErrorRecord:
            found = {name: text.decode() for name, text in reversed(_FAILURE.findall(message.data))}
            if b"FullyQualifiedErrorId" in found:
                parts = (b"FullyQualifiedErrorId", b"ErrorCategory_Activity", b"ErrorCategory_TargetName")
                identifier, activity, target = (found.get(name, "") for name in parts)
                self._journal.failed(_name(owner), (identifier, activity, target))
        if state and _ENDED.search(message.data):
            self._journal.over(_name(owner))
            if pipeline is not None:
                pipeline.over = True
                pipeline.outbox.finish()


class Listener:
    """Understands what a client sends to the process: the commands of its pipelines."""

    def __init__(self, host: HostProcess) -> None:
        self._protocol = ProtocolPool(
            lambda *arguments: None, host.server.protocol_version, {}, FRAGMENT_SIZE
        )

    def hear(self, data: bytes) -> Iterator[tuple[uuid.UUID, Any]]:
        """The pipelines that these fragments complete, with their statements."""
        for _, flags, content, whole in _fragments(data):
            pipeline_id = uuid.UUID(bytes_le=content[24:40]) if flags & 1 else _NOBODY
            if flags & 1 and pipeline_id != _NOBODY and pipeline_id not in self._protocol.pipeline_table:
                ServerPipeline(self._protocol, pipeline_id)
            self._protocol.receive_data(PSRPPayload(whole, StreamType.default, None))
        while (event := self._protocol.next_event()) is not None:
            if isinstance(event, CreatePipelineEvent):
                yield event.pipeline_id, statements_of(event.pipeline)


def _fragments(data: bytes) -> Iterator[tuple[int, int, bytes, bytes]]:
    """Of each fragment its object, flags (1: first of its message, 2: last), content, and the whole (MS-PSRP 2.2.4)."""
    start = 0
    while start < len(data):
        object_id, _, flags, size = struct.unpack(">QQBI", data[start : start + FRAGMENT_HEADER_SIZE])
        end = start + FRAGMENT_HEADER_SIZE + size
        yield object_id, flags, data[start + FRAGMENT_HEADER_SIZE : end], data[start:end]
        start = end


def _name(pipeline_id: uuid.UUID) -> str:
    return str(pipeline_id).upper()
