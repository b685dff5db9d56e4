# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""What waits to be fetched by a client's Receive: PSRP fragments of a pool or pipeline, a program's output."""

from __future__ import annotations

import asyncio
import threading
from collections import deque
from collections.abc import Callable, Sized
from dataclasses import dataclass
from typing import Generic, TypeVar

#: What is delivered whole; its length is what it takes of the host process's memory.
Piece = TypeVar("Piece", bound=Sized)

#: A Receive that finds a pipeline's first records waits this long for the rest, so that a short command takes one.
#: Real servers gather too (rsp:BufferMode is Block); how long is not documented (assumed).
GATHER_S = 0.05


@dataclass(frozen=True)
class Delivery(Generic[Piece]):
    """The answer to one Receive."""

    pieces: tuple[Piece, ...]
    done: bool  # the last of it: the command is over
    pending: bool  # the command waits for an answer of the client's host


class OutboxClosed(Exception):
    """The shell or the command went away while a Receive was pending. ``reason`` None: it was closed in good order."""

    def __init__(self, reason: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason


class Outbox(Generic[Piece]):
    """A queue filled from any thread and emptied on the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._lock = threading.Lock()
        self._pieces: deque[Piece | None] = deque()  # None: what follows goes into a Receive of its own
        self._changed = asyncio.Event()
        self._watched = False
        self._urgent = False
        self._done = False
        self._ended = False
        self._closed: OutboxClosed | None = None
        #: Bytes that wait.
        self.held = 0

    def put(self, pieces: list[Piece], *, alone: bool = False, urgent: bool = False) -> None:
        """Queue pieces. ``alone`` starts a new Receive with them; ``urgent`` ends the gathering (a host waits)."""
        with self._lock:
            if alone and self._pieces:
                self._pieces.append(None)
            self._pieces.extend(pieces)
            self.held += sum(map(len, pieces))
            self._urgent = self._urgent or urgent
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

    @property
    def exhausted(self) -> bool:
        """Everything, the end included, was delivered."""
        return self._ended

    async def collect(
        self, room: int, measure: Callable[[Piece], int], timeout: float, gather: bool
    ) -> Delivery[Piece] | None:
        """What is there and fits into ``room``, as ``measure`` tells the size of a piece.

        Waits up to ``timeout`` seconds for the first piece; None after that. Raises OutboxClosed.
        """
        deadline = self._loop.time() + timeout
        gathering = False
        while True:
            with self._lock:
                if self._closed is not None:
                    raise self._closed
                ready = bool(self._pieces) or self._done
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

    def _take(self, room: int, measure: Callable[[Piece], int]) -> Delivery[Piece]:
        taken: list[Piece] = []
        size = 0
        while self._pieces:
            piece = self._pieces[0]
            if piece is None:
                self._pieces.popleft()
                if taken:
                    break
                continue
            size += measure(piece)
            if taken and size > room:
                break
            taken.append(piece)
            self._pieces.popleft()
            self.held -= len(piece)
        pending = self._urgent and not self._pieces
        if not self._pieces:
            self._urgent = False
        self._ended = self._done and not self._pieces
        return Delivery(tuple(taken), self._ended, pending)

    def _notify(self) -> None:
        if self._watched:
            self._loop.call_soon_threadsafe(self._changed.set)
