# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What runs the pipelines of a runspace pool: the lab's embedded engine, or a PowerShell in a process of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Protocol
from uuid import UUID

from ..contract import Runspace, Server
from ..host_process import HostProcess
from ..psrp.outbox import Outbox

EMBEDDED = "embedded"


class Pipeline(Protocol):
    """What a shell knows of a pipeline."""

    outbox: Outbox[bytes]
    received: int  # bytes from the client

    @property
    def id(self) -> UUID: ...

    @property
    def over(self) -> bool: ...

    def stop(self) -> None:
        """The client's stop signal, or the end of the shell."""


class RunspacePool(Protocol):
    """What a shell knows of its runspace pool. Called on the event loop."""

    outbox: Outbox[bytes]

    @property
    def host(self) -> HostProcess: ...

    def receive(self, data: bytes) -> Any:
        """Take PSRP fragments from the client. Raises what the decoding of senseless ones raises."""

    def new_pipeline(self, pipeline_id: UUID) -> Pipeline: ...

    def forget(self, pipeline_id: UUID) -> None: ...

    def memory_mb(self) -> int: ...

    def close(self, reason: str | None = None) -> None: ...


class Engine(Protocol):
    """Makes runspace pools."""

    def prepare(self, servers: Sequence[Server]) -> None:
        """Before the servers listen. Raises ValueError with a sentence where it cannot work."""

    def open_pool(
        self,
        host: HostProcess,
        open_runspace: Callable[[], Runspace],
        fragment_size: int,
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        exhausted: Callable[..., None],
    ) -> RunspacePool: ...


class EmbeddedEngine:
    """The lab's own. Implements Engine."""

    def prepare(self, servers: Sequence[Server]) -> None:
        """There is nothing to prepare."""

    def open_pool(self, *arguments: Any) -> RunspacePool:
        from ..psrp.pool import Pool

        return Pool(*arguments)


def engine_named(command: str, state: Path) -> Engine:
    """The embedded engine, or the one which that command line starts."""
    if command == EMBEDDED:
        return EmbeddedEngine()
    from .external import ExternalEngine

    return ExternalEngine(command, state / "engine")
