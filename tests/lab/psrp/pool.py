# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""One runspace pool of one caller (MS-PSRP 3.2): negotiation, pipelines, and what a client asks of the pool itself."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any
from uuid import UUID

from psrpcore import (
    CreatePipelineEvent,
    EndOfPipelineInputEvent,
    PipelineHostResponseEvent,
    PipelineInputEvent,
    PSRPEvent,
    PSRPPayload,
    StreamType,
)
from psrpcore.types import PSList, PSPrimitiveDictionary, PSVersion

from ..contract import PipelineStopped, Runspace, Server
from ..host_process import HostProcess
from .outbox import Outbox
from .pipeline import Pipeline, version_at_least
from .protocol import InvalidFragments, ProtocolPool, check_fragments

#: Of the process in which a shell lives (rsp:MemoryUsed, recorded).
_HOST_PROCESS_MB = 58


class Pool:
    """A runspace pool. Its methods are called on the event loop; its pipelines run on threads.

    Args:
        open_runspace: opens one more runspace for the caller.
        fragment_size: of outgoing PSRP fragments, bounded by the client's envelope size.
        exhausted: called on the event loop when it wants more memory than its host process may have.
    """

    def __init__(
        self,
        host: HostProcess,
        open_runspace: Callable[[], Runspace],
        fragment_size: int,
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        exhausted: Callable[[], None],
    ) -> None:
        self.host = host
        self._exhausted = exhausted
        self.lock = threading.RLock()
        self.outbox = Outbox[bytes](loop)
        self.pipelines: dict[UUID, Pipeline] = {}
        self._loop = loop
        self._executor = executor
        self._open_runspace = open_runspace
        self._idle: list[Runspace] = [open_runspace()]
        self._runspaces = 1
        self._released = threading.Condition()
        self._closed = False
        self._incomplete = 0  # bytes of messages that did not arrive whole yet
        self.protocol = ProtocolPool(
            self._sink, host.server.protocol_version, private_data(host.server), fragment_size
        )

    # Incoming

    def receive(self, data: bytes) -> None:
        """Take PSRP fragments from the client and act on the messages they complete.

        Raises InvalidFragments or one of psrpcore's and ElementTree's errors when they make no sense.
        """
        check_fragments(data)
        with self.lock:
            self._incomplete += len(data)
            self.protocol.receive_data(PSRPPayload(data, StreamType.default, None))
            while (event := self.protocol.next_event()) is not None:
                self._incomplete = 0
                self._act(event)
        self._check_memory()

    def new_pipeline(self, pipeline_id: UUID) -> Pipeline:
        """Make room for a pipeline; what it runs comes with the next data."""
        with self.lock:
            if pipeline_id in self.pipelines:
                raise InvalidFragments("There is a pipeline with this identifier already.")
            pipeline = Pipeline(self, pipeline_id, Outbox[bytes](self._loop))
            self.pipelines[pipeline_id] = pipeline
            return pipeline

    def forget(self, pipeline_id: UUID) -> None:
        """The client gave the pipeline its Terminate signal: it is stopped and gone."""
        with self.lock:
            pipeline = self.pipelines.pop(pipeline_id, None)
        if pipeline is not None:
            pipeline.stop()
            pipeline.outbox.close()

    def _act(self, event: PSRPEvent) -> None:
        if isinstance(event, CreatePipelineEvent):
            self.pipelines[event.pipeline_id].begin(event.pipeline)
        elif isinstance(event, PipelineInputEvent):
            self._pipeline(event).add_input(event.data)
        elif isinstance(event, EndOfPipelineInputEvent):
            self._pipeline(event).run()
        elif isinstance(event, PipelineHostResponseEvent):
            self._pipeline(event).answer_host_call(event.ci, event.result)

    def _pipeline(self, event: PSRPEvent) -> Pipeline:
        pipeline = self.pipelines.get(event.pipeline_id) if event.pipeline_id is not None else None
        if pipeline is None:
            raise InvalidFragments("The message is for a pipeline that does not exist.")
        return pipeline

    # Outgoing

    def _sink(self, fragments: list[bytes], pipeline_id: UUID | None, announces_state: bool) -> None:
        if pipeline_id is not None:
            pipeline = self.pipelines.get(pipeline_id)
            if pipeline is not None:
                pipeline.outbox.put(fragments)
                if pipeline.outbox.held >= 2**20:  # less is no matter until the next request
                    self._check_memory()
        elif announces_state and not self._closed:
            # The pool is open once its first runspace is; loading a Management Shell takes a while.
            self._loop.call_soon_threadsafe(
                self._loop.call_later,
                self.host.server.timings.session_open_delay_s,
                self._announce,
                fragments,
            )
        else:
            self.outbox.put(fragments)

    def _announce(self, fragments: list[bytes]) -> None:
        self.outbox.put(fragments, alone=True)

    # Resources

    def memory_mb(self) -> int:
        """What the host process of the shell takes: a constant, and the data that wait in it.

        58 MB is what a recorded server told of a fresh shell; what each object takes beyond its bytes on the wire is
        left out (assumed).
        """
        waiting = self.outbox.held + self._incomplete
        for pipeline in list(self.pipelines.values()):
            # A pipeline keeps its input until it is over.
            waiting += pipeline.outbox.held + (0 if pipeline.over else pipeline.received)
        return _HOST_PROCESS_MB + waiting // 2**20

    def _check_memory(self) -> None:
        if self.memory_mb() > self.host.limits.memory_per_shell_mb:
            self._loop.call_soon_threadsafe(self._exhausted)

    # Execution

    def execute(self, work: Callable[[], None]) -> None:
        self._executor.submit(work)

    @contextmanager
    def runspace(self, stopped: threading.Event) -> Iterator[Runspace]:
        """One of the pool's runspaces, waiting for one if all are busy. Raises PipelineStopped."""
        runspace = self._acquire(stopped)
        try:
            yield runspace
        finally:
            with self._released:
                if self._closed:
                    runspace.close()
                else:
                    self._idle.append(runspace)
                self._released.notify()

    def _acquire(self, stopped: threading.Event) -> Runspace:
        with self._released:
            while True:
                if stopped.is_set() or self._closed:
                    raise PipelineStopped
                if self._idle:
                    return self._idle.pop()
                if self._runspaces < max(self.protocol.max_runspaces, 1):
                    self._runspaces += 1
                    return self._open_runspace()
                # A stop does not notify this condition, hence the look every now and then.
                self._released.wait(0.2)

    def close(self, reason: str | None = None) -> None:
        """The shell is gone: stop what runs, close the runspaces, end pending Receives (with that reason)."""
        with self._released:
            if self._closed:
                return
            self._closed = True
            for runspace in self._idle:
                runspace.close()
            self._idle.clear()
            self._released.notify_all()
        for pipeline in list(self.pipelines.values()):
            pipeline.outbox.close(reason)
            pipeline.stop()
        self.outbox.close(reason)

    def speaks(self, version: str) -> bool:
        """Whether both sides speak at least this protocol version."""
        theirs = self.protocol.their_capability
        return version_at_least(self.host.server.protocol_version, version) and (
            theirs is not None and version_at_least(theirs.protocolversion, version)
        )


def private_data(server: Server) -> dict[str, Any]:
    """The PSVersionTable a server tells its clients (MS-PSRP 2.2.2.13), as recorded from 2.0, 4.0 and 5.1."""
    version = server.powershell_version
    modern = version_at_least(server.protocol_version, "2.2")
    newest = version_at_least(server.protocol_version, "2.3")
    compatible = ["1.0", "2.0", *(["3.0"] if modern else []), *(["4.0", "5.0"] if newest else [])]
    if version not in compatible:
        compatible.append(version)
    versions = PSList([PSVersion(item) for item in compatible])
    versions.PSObject.type_names = ["System.Version[]", "System.Array", "System.Object"]
    table = PSPrimitiveDictionary(
        PSVersion=PSVersion(version),
        **({"PSEdition": "Desktop"} if newest else {}),
        PSCompatibleVersions=versions,
        CLRVersion=PSVersion(server.clr_version),
        BuildVersion=PSVersion(server.build_version),
        WSManStackVersion=PSVersion("3.0" if modern else "2.0"),
        PSRemotingProtocolVersion=PSVersion(server.protocol_version),
        SerializationVersion=PSVersion("1.1.0.1"),
    )
    if modern and not newest and version.startswith("4."):
        # What its debugger has for clients; neither older nor newer servers sent it.
        return {"DebugMode": 1, "DebugStop": False, "PSVersionTable": table, "DebugBreakpointCount": 0}
    return {"PSVersionTable": table}
