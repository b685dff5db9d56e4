# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Counters of what clients cost a server."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field, fields


@dataclass
class Counters:
    """Of one server, since the lab started or was reset. Bytes are those of HTTP, under TLS."""

    connections: int = 0
    requests: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    authentications: int = 0
    authentications_refused: int = 0
    sessions_opened: int = 0
    sessions_open: int = 0
    pipelines: int = 0
    faults: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock, repr=False, compare=False)

    def add(self, **amounts: int) -> None:
        """Add to several counters at once. Thread safe."""
        with self._lock:
            for name, amount in amounts.items():
                setattr(self, name, getattr(self, name) + amount)

    def reset(self) -> None:
        """Zero all but what is open now."""
        with self._lock:
            for name in NAMES:
                if name != "sessions_open":
                    setattr(self, name, 0)

    def values(self) -> dict[str, int]:
        with self._lock:
            return {name: getattr(self, name) for name in NAMES}


NAMES = tuple(item.name for item in fields(Counters) if not item.name.startswith("_"))


def total(counters: list[Counters]) -> dict[str, int]:
    """The sum of several servers' counters."""
    values = [item.values() for item in counters]
    return {name: sum(value[name] for value in values) for name in NAMES}
