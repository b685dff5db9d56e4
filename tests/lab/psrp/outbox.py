# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits to be fetched by a client's Receive: fragments of one runspace pool or one pipeline."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass

#: A Receive that finds a pipeline's first records waits this long for the rest, so that a short command takes one.
#: Real servers gather too (rsp:BufferMode is Block); how long is not documented (assumed).
GATHER_S = 0.05


@dataclass(frozen=True)
class Delivery:
    """The answer to one Receive."""

    fragments: tuple[bytes, ...]
    done: bool  # the last of it: the command is over
    pending: bool  # the command waits for an answer of the client's host


class OutboxClosed(Exception):
    """The shell or the command went away while a Receive was pending. ``reason`` None: it was closed in good order."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


class Outbox:
    """A queue filled from any thread and emptied on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._fragments: deque[bytes | None] = deque()  # None: what follows goes into a Receive of its own
        self._changed = asyncio.Event()
        self._watched = False
        self._urgent = False
        self._interrupted = False
        self._done = False
        self._closed: OutboxClosed | None = None
        #: Bytes that wait.
        self.held = 0

    def put(self, fragments: list[bytes], *, alone: bool = False, urgent: bool = False) -> None:
        """Queue fragments. ``alone`` starts a new Receive with them; ``urgent`` ends the gathering (a host waits)."""
        with self._lock:
            if alone and self._fragments:
                self._fragments.append(None)
            self._fragments.extend(fragments)
            self.held += sum(map(len, fragments))
            self._urgent = self._urgent or urgent
            self._notify()

    def put_back(self, fragments: Sequence[bytes]) -> None:
        """Queue fragments that were delivered before, to come first and alone."""
        with self._lock:
            if self._fragments:
                self._fragments.appendleft(None)
            self._fragments.extendleft(reversed(fragments))
            self.held += sum(map(len, fragments))
            self._notify()

    def finish(self) -> None:
        """Nothing more will come."""
        with self._lock:
            self._done = True
            self._notify()

    def close(self, reason: str | None = None) -> None:
        """End pending and future Receives with OutboxClosed; the first reason holds."""
        with self._lock:
            self._closed = self._closed or OutboxClosed(reason)
            self._notify()

    def interrupt(self) -> None:
        """End a pending Receive as if its time were up; what was queued stays."""
        with self._lock:
            self._interrupted = True
            self._notify()

    @property
    def exhausted(self) -> bool:
        """Everything, the end included, was delivered."""
        with self._lock:
            return self._done and not self._fragments

    async def collect(
        self, room: int, measure: Callable[[bytes], int], timeout: float, gather: bool
    ) -> Delivery | None:
        """What is there and fits into ``room``, as ``measure`` tells the size of a fragment.

        Waits up to ``timeout`` seconds for the first fragment; None after that. Raises OutboxClosed.
        """
        deadline = self._loop.time() + timeout
        gathering = False
        self._interrupted = False
        while True:
            with self._lock:
                if self._closed is not None:
                    raise self._closed
                if self._interrupted:
                    return None
                ready = bool(self._fragments) or self._done
                if ready and (self._done or self._urgent or not gather or self._loop.time() >= deadline):
                    return self._take(room, measure)
                if not ready and self._loop.time() >= deadline:
                    return None
                if ready and not gathering:
                    gathering = True
                    deadline = min(deadline, self._loop.time() + GATHER_S)
                self._changed.clear()
                self._watched = True
            try:
                await asyncio.wait_for(self._changed.wait(), max(deadline - self._loop.time(), 0))
            except asyncio.TimeoutError:
                pass
            finally:
                self._watched = False

    def _take(self, room: int, measure: Callable[[bytes], int]) -> Delivery:
        taken: list[bytes] = []
        size = 0
        while self._fragments:
            fragment = self._fragments[0]
            if fragment is None:
                self._fragments.popleft()
                if taken:
                    break
                continue
            size += measure(fragment)
            if taken and size > room:
                break
            taken.append(fragment)
            self._fragments.popleft()
            self.held -= len(fragment)
        pending = self._urgent and not self._fragments
        if not self._fragments:
            self._urgent = False
        return Delivery(tuple(taken), self._done and not self._fragments, pending)

    def _notify(self) -> None:
        if self._watched:
            self._loop.call_soon_threadsafe(self._changed.set)
