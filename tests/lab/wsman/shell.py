# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A shell of the WS-Management service (MS-WSMV 3.1.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ..contract import Caller
from .envelope import element, format_elapsed
from .plugin import Plugin

#: rsp:MaxIdleTimeOut of a server that was not configured otherwise, in seconds.
MAXIMUM_IDLE_TIMEOUT = "PT2147483.647S"


@dataclass
class Shell:
    """A shell and what belongs to it. ``expire`` is called when nobody used it for ``idle_timeout`` seconds."""

    id: str
    resource_uri: str
    caller: Caller
    client_address: str
    idle_timeout: float
    input_streams: str
    output_streams: str
    plugin: Plugin
    loop: asyncio.AbstractEventLoop
    expire: Callable[[Shell], None]
    #: The last answer of each command's Receives, and of the shell's own: message identifier, body.
    receives: dict[str | None, tuple[str, str]] = field(default_factory=dict)
    _in_use: int = 0

    def __post_init__(self) -> None:
        self._opened = self._touched = self.loop.time()
        self._timer = self.loop.call_later(self.idle_timeout, self._close_if_idle)

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
        self.plugin.close(pending)

    def _close_if_idle(self) -> None:
        busy = self._in_use or any(not command.over for command in self.plugin.commands.values())
        remaining = self.idle_timeout if busy else self._touched + self.idle_timeout - self.loop.time()
        if remaining <= 0:
            self.expire(self)
        else:
            self._timer = self.loop.call_later(remaining, self._close_if_idle)

    def describe(self, memory: bool) -> str:
        """The rsp:Shell element. A Get also tells the memory used and the child processes."""
        now = self.loop.time()
        items = [
            element("rsp:ShellId", self.id),
            element("rsp:ResourceUri", self.resource_uri),
            element("rsp:Owner", self.caller.account),
            element("rsp:ClientIP", self.client_address),
            element("rsp:ProcessId", str(self.plugin.host.process_id)),
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
            element("rsp:State", "Connected"),
            element("rsp:ShellRunTime", format_elapsed(now - self._opened)),
            element("rsp:ShellInactivity", format_elapsed(now - self._touched)),
        ]
        if memory:
            items += [
                element("rsp:MemoryUsed", f"{self.plugin.memory_mb()}MB"),
                element("rsp:ChildProcesses", str(self.plugin.host.child_processes)),
            ]
        return f"<rsp:Shell>{''.join(items)}</rsp:Shell>"
