# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The Central Management Store: what it holds, and how it reaches the replicas.

Every host of a deployment shares one store.  A write makes a new state at once; each replica has it some
seconds later (``Get-CsManagementStoreReplicationStatus`` says ``UpToDate`` False until then), or never.
Nothing runs in the background: what a replica holds follows from the time of the last writes.
"""

from __future__ import annotations

import datetime
import threading
import time
from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any

#: Identity (canonical spelling) and values of one object.
Entry = tuple[str, Mapping[str, Any]]
#: noun -> lower-case identity -> entry
State = Mapping[str, Mapping[str, Entry]]


class StoreUnreachable(Exception):
    """The store's SQL Server does not answer."""


@dataclass
class Replica:
    """The local copy of one computer."""

    fqdn: str
    seconds: float  # from a write (or a forced replication) to being up to date
    stuck: bool = False
    forced_at: float = float("-inf")
    frozen: State | None = None  # what a stuck replica holds


@dataclass(frozen=True)
class ReplicaStatus:
    up_to_date: bool
    last_status_report: datetime.datetime | None
    last_update_creation: datetime.datetime | None


@dataclass
class CentralManagementStore:
    """All settings, and their replication."""

    initial: State
    replicas: dict[str, Replica]  # by lower-case FQDN
    monotonic: Callable[[], float] = time.monotonic
    utc_now: Callable[[], datetime.datetime] = lambda: datetime.datetime.now(datetime.timezone.utc)
    unreachable: bool = False
    silent: bool = False  # no replica hears of a change, and each goes on saying that it is up to date
    discarded_writes: int = 0  # so many of the next writes report success and change nothing
    lock: threading.RLock = field(default_factory=threading.RLock)

    def __post_init__(self) -> None:
        self._started = self.monotonic()
        self._started_wall = self.utc_now()
        self._states: list[tuple[float, State]] = [(float("-inf"), self.initial)]
        self._initial_replicas = {
            key: (replica.seconds, replica.stuck) for key, replica in self.replicas.items()
        }
        for replica in self.replicas.values():
            replica.frozen = self.initial if replica.stuck else None

    def reset(self) -> None:
        """Back to the deployment file: content, speeds, reachability; every replica up to date."""
        with self.lock:
            self.unreachable = False
            self.discarded_writes = 0
            self._states = [(float("-inf"), self.initial)]
            for key, replica in self.replicas.items():
                replica.seconds, replica.stuck = self._initial_replicas[key]
                replica.forced_at = float("-inf")
                replica.frozen = self.initial if replica.stuck else None

    @property
    def state(self) -> State:
        """The current content; raises StoreUnreachable."""
        if self.unreachable:
            raise StoreUnreachable
        return self._states[-1][1]

    def local(self, computer: str) -> State:
        """What the replica of that computer holds now; works while the store does not."""
        with self.lock:
            replica = self.replicas.get(computer.lower())
            if replica is None or replica.frozen is not None:
                return replica.frozen if replica and replica.frozen is not None else self._states[-1][1]
            moment = self.monotonic() - replica.seconds
            number = bisect_right([written for written, _ in self._states], moment)
            return self._states[max(number - 1, 0)][1]

    def put(self, noun: str, identity: str, values: Mapping[str, Any]) -> None:
        """Create or replace one object."""
        with self.lock:
            held = dict(self.state.get(noun, {}))
            held[identity.lower()] = (identity, MappingProxyType(dict(values)))
            self._write(noun, held)

    def remove(self, noun: str, identity: str) -> None:
        with self.lock:
            held = dict(self.state.get(noun, {}))
            del held[identity.lower()]
            self._write(noun, held)

    def _write(self, noun: str, held: Mapping[str, Entry]) -> None:
        if self.discarded_writes > 0:
            self.discarded_writes -= 1
            return
        now = self.monotonic()
        self._states.append((now, {**self._states[-1][1], noun: held}))
        slowest = max((replica.seconds for replica in self.replicas.values()), default=0.0)
        needed = bisect_right([written for written, _ in self._states], now - slowest) - 1
        del self._states[: max(needed, 0)]

    def force_replication(self, fqdns: Iterable[str]) -> None:
        """A full replication: the replicas' status is deleted and comes anew."""
        with self.lock:
            if self.unreachable:
                raise StoreUnreachable
            now = self.monotonic()
            for fqdn in fqdns:
                self.replicas[fqdn.lower()].forced_at = now

    def set_stuck(self, fqdn: str, stuck: bool) -> None:
        """A stuck replica keeps what it has and never becomes up to date again."""
        with self.lock:
            replica = self.replicas[fqdn.lower()]
            held = self.local(fqdn)
            replica.stuck = stuck
            replica.frozen = held if stuck else None
            if not stuck:
                replica.forced_at = self.monotonic()

    def status(self, fqdn: str) -> ReplicaStatus:
        """UpToDate and the two times, as the replicator reports them."""
        if self.silent:
            started = self._wall(self._started)
            return ReplicaStatus(True, started, started)
        with self.lock:
            replica = self.replicas[fqdn.lower()]
            last_write = self._states[-1][0]
            behind = last_write if replica.stuck else max(last_write, replica.forced_at)
            never_written = last_write == float("-inf")
            due = behind + replica.seconds
            now = self.monotonic()
            up_to_date = now >= due and not (replica.stuck and replica.frozen is not self._states[-1][1])
            deleted = replica.forced_at > float("-inf") and now < replica.forced_at + replica.seconds
            if replica.stuck and replica.forced_at > float("-inf"):
                deleted, up_to_date = True, False
            reported_at = due if up_to_date and due > self._started else self._started
            return ReplicaStatus(
                up_to_date,
                None if deleted else self._wall(reported_at),
                self._wall(self._started if never_written else last_write),
            )

    def _wall(self, moment: float) -> datetime.datetime:
        return self._started_wall + datetime.timedelta(seconds=moment - self._started)
