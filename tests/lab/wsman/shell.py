# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell of the WS-Management service, which holds one runspace pool (MS-WSMV 3.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..contract import Caller
from ..psrp.pipeline import Pipeline
from ..psrp.pool import Pool
from .envelope import element, format_elapsed

#: rsp:MaxIdleTimeOut of a server that was not configured otherwise, in seconds.
MAXIMUM_IDLE_TIMEOUT = "PT2147483.647S"


@dataclass
class Shell:
    """A shell and what belongs to it. ``expire`` is called when nobody used it for ``idle_timeout`` seconds."""

    id: str
    resource_uri: str
    caller: Caller
    client_address: str
    process_id: int
    idle_timeout: float
    input_streams: str
    output_streams: str
    pool: Pool
    loop: asyncio.AbstractEventLoop
    expire: Callable[[Shell], None]
    connected: bool = True
    commands: dict[str, Pipeline] = field(default_factory=dict)  # by WSMan command identifier
    receives: dict[str, tuple[str, str]] = field(
        default_factory=dict
    )  # last answer: message identifier, body
    #: What the last Receive of the pool got, while nothing since then tells that it arrived.
    unacknowledged: tuple[bytes, ...] = ()
    _in_use: int = 0

    def __post_init__(self) -> None:
        self._opened = self._touched = self.loop.time()
        self._timer = self.loop.call_later(self.idle_timeout, self._look)

    @contextmanager
    def used(self) -> Iterator[None]:
        """While a request works on the shell it is not idle."""
        self._in_use += 1
        try:
            yield
        finally:
            self._in_use -= 1
            self._touched = self.loop.time()

    def close(self, pending: str | None = None) -> None:
        """End it; ``pending`` tells what its pending Receives are answered (see OutboxClosed)."""
        self._timer.cancel()
        self.pool.close(pending)

    def _look(self) -> None:
        busy = self._in_use or any(not pipeline.over for pipeline in self.commands.values())
        remaining = self.idle_timeout if busy else self._touched + self.idle_timeout - self.loop.time()
        if remaining <= 0:
            self.expire(self)
        else:
            self._timer = self.loop.call_later(remaining, self._look)

    def describe(self, memory: bool) -> str:
        """The rsp:Shell element. A Get and an Enumerate also tell the memory used and the child processes."""
        now = self.loop.time()
        items = [
            element("rsp:ShellId", self.id),
            element("rsp:ResourceUri", self.resource_uri),
            element("rsp:Owner", self.caller.account),
            element("rsp:ClientIP", self.client_address),
            element("rsp:ProcessId", str(self.process_id)),
            element("rsp:IdleTimeOut", f"PT{self.idle_timeout:.3f}S"),
            element("rsp:InputStreams", self.input_streams),
            element("rsp:OutputStreams", self.output_streams),
            element("rsp:MaxIdleTimeOut", MAXIMUM_IDLE_TIMEOUT),
            element("rsp:Locale", "en-US"),
            element("rsp:DataLocale", "en-US"),
            element("rsp:CompressionMode", "NoCompression"),
            element("rsp:ProfileLoaded", "Yes"),
            element("rsp:Encoding", "UTF8"),
            element("rsp:BufferMode", "Block"),
            element("rsp:State", "Connected" if self.connected else "Disconnected"),
            element("rsp:ShellRunTime", format_elapsed(now - self._opened)),
            element("rsp:ShellInactivity", format_elapsed(now - self._touched)),
        ]
        if memory:
            items += [
                element("rsp:MemoryUsed", f"{self.pool.memory_mb()}MB"),
                element("rsp:ChildProcesses", str(self.pool.child_processes)),
            ]
        return f"<rsp:Shell>{''.join(items)}</rsp:Shell>"
