# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""WinRM's plug-in for PowerShell: a shell is a runspace pool, its commands are pipelines (MS-PSRP 4.1)."""

from __future__ import annotations

import base64
import traceback
import uuid
from collections.abc import Callable, Mapping
from typing import TypeVar
from xml.etree import ElementTree

from ..engine import Pipeline, RunspacePool
from ..wsman import fault
from ..wsman.envelope import SHELL, Request, element, local_name
from ..wsman.plugin import STREAM_OVERHEAD, Plugin, decode
from .outbox import Delivery, Outbox
from .protocol import FRAGMENT_HEADER_SIZE, InvalidFragments

Result = TypeVar("Result")


class PowerShellPlugin(Plugin[bytes]):
    """A runspace pool as WinRM sees it."""

    input_streams = "stdin pr"
    output_streams = "stdout"

    def __init__(self, pool: RunspacePool, creation: bytes) -> None:
        super().__init__(pool.host)
        self._pool = pool
        self._pipelines: dict[str, Pipeline] = {}  # by WSMan command identifier
        try:
            self._feed(creation)
        except fault.Fault:
            pool.close()
            raise

    @property
    def commands(self) -> Mapping[str, Pipeline]:
        return self._pipelines

    def memory_mb(self) -> int:
        return self._pool.memory_mb()

    def start(self, command_id: str, line: ElementTree.Element, request: Request) -> None:
        arguments = next((part for part in line if local_name(part) == "Arguments"), None)
        if arguments is None:
            raise fault.schema_validation("CommandLine")
        data = decode(arguments.text or "")
        if len(data) < FRAGMENT_HEADER_SIZE + 40:
            raise fault.protocol_violation("The data are too short for a PSRP message.")
        # The pipeline's identifier, in the PSRP message header (MS-PSRP 2.2.1), is the client's; the command's may
        # be the server's.
        pipeline_id = uuid.UUID(bytes_le=data[FRAGMENT_HEADER_SIZE + 24 : FRAGMENT_HEADER_SIZE + 40])
        pipeline = guarded(lambda: self._pool.new_pipeline(pipeline_id))
        self._pipelines[command_id] = pipeline
        pipeline.received += len(data)
        try:
            self._feed(data)
        except fault.Fault:
            self.end(command_id)
            raise

    def send(self, command_id: str | None, stream: ElementTree.Element) -> None:
        data = decode(stream.text or "")
        if command_id is not None:
            self._pipelines[command_id].received += len(data)
        self._feed(data)

    def signal(self, command_id: str, code: str) -> bool:
        self._pipelines[command_id].stop()
        # It forgets a stopped pipeline after a ctrl_c too: clients do not Receive after either signal.
        return code.lower().endswith(("/terminate", "signal/ctrl_c"))

    def end(self, command_id: str) -> None:
        self._pool.forget(self._pipelines.pop(command_id).id)

    def outbox(self, command_id: str | None) -> Outbox[bytes]:
        return self._pool.outbox if command_id is None else self._pipelines[command_id].outbox

    def size(self, piece: bytes) -> int:
        return (len(piece) + 2) // 3 * 4 + STREAM_OVERHEAD

    def delivered(self, command_id: str | None, delivery: Delivery[bytes]) -> str:
        attributes = {"Name": "stdout"} | ({"CommandId": command_id} if command_id else {})
        streams = "".join(
            element("rsp:Stream", base64.b64encode(fragment).decode(), **attributes)
            for fragment in delivery.pieces
        )
        if command_id is None:
            return streams
        which = f'CommandId="{command_id}" State="{SHELL}/CommandState/'
        if delivery.done:
            return (
                f'{streams}<rsp:CommandState {which}Done"><rsp:ExitCode>0</rsp:ExitCode></rsp:CommandState>'
            )
        return f'{streams}<rsp:CommandState {which}Pending"/>' if delivery.pending else streams

    def close(self, pending: str | None = None) -> None:
        self._pool.close(pending)

    def _feed(self, data: bytes) -> None:
        guarded(lambda: self._pool.receive(data))


def guarded(work: Callable[[], Result]) -> Result:
    """Run what decodes a client's data; its complaint becomes a fault, for no data may kill the server."""
    try:
        return work()
    except Exception as error:
        if not isinstance(error, (InvalidFragments, ValueError)):
            traceback.print_exc()  # psrpcore's own way to say that data make no sense, or a defect
        raise fault.protocol_violation("The data could not be processed.") from error
