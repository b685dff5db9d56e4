# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The plan of a run's restarts, and what has become of each, in the run's private folder.

Ansible's workers know nothing of each other, and neither a loop nor a throttle stops at a failure. So each restart
reads what became of those before it, and writes down what became of itself. A file's lock is held for as long as its
worker works; the operating system frees it when the worker dies.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..change.waiting import Clock
from ..powershell.ordinal import same_name
from ..result.refusals import Refused, UnusableArgument
from ..topology.outage_domains import Plan
from ..topology.pool_state import PoolState, from_dict

_FOLDER = "lync-remediation-restart-{}"
_PLAN = "plan.json"
_POLL = 0.5

# How long a round waits for the one before it while nobody works on that: Ansible may be busy with other hosts.
PATIENCE = 120.0


class PredecessorFailed(Refused):
    """A server that comes before this one in the plan is not well, or nobody knows what became of it."""


@dataclass(frozen=True)
class SavedPlan:
    """``hosts``: the computers of the inventory's hosts, as they say themselves, be they in the plan or not."""

    plan: Plan
    pools: tuple[PoolState, ...]
    hosts: Mapping[str, str]

    def named(self, computer: str) -> list[str]:
        """The inventory's hosts that are this computer."""
        return [host for host, name in self.hosts.items() if same_name(name, computer)]


def save_plan(folder: str, plan: Plan, pools: Sequence[PoolState], hosts: Mapping[str, str]) -> str:
    """Write a plan down for the restarts of this run; its id. ``folder``: the run's private one."""
    plan_id = secrets.token_hex(8)
    path = Path(folder, _FOLDER.format(plan_id))
    path.mkdir(mode=0o700)
    content = {
        "rounds": plan.rounds,
        "pools": [pool.as_dict() for pool in pools],
        "hosts": dict(hosts),
    }
    (path / _PLAN).write_text(json.dumps(content), encoding="utf-8")
    return plan_id


def outcomes(folder: str, plan_id: str) -> dict[str, dict[str, Any]]:
    """The result of every restart of the plan that has begun, by host. Raises UnusableArgument."""
    turns = Turns(folder, plan_id)
    found = {host: turns.outcome(host) for host in turns.saved.plan.hosts}
    return {host: outcome.result for host, outcome in found.items() if outcome.result is not None}


@dataclass(frozen=True)
class Outcome:
    """``result`` is None for a restart that has not ended, or not begun."""

    result: dict[str, Any] | None
    at_work: bool = False

    @property
    def went_well(self) -> bool:
        return (
            self.result is not None and not self.result.get("failed") and not self.result.get("unreachable")
        )


_DIED: dict[str, Any] = {
    "failed": True,
    "changed": True,
    "status": "unknown",
    "msg": "The worker that restarted this server ended before it was done.",
    "failure": "worker_died",
}


class Turns:
    """One plan. Raises UnusableArgument for one that this run does not have."""

    def __init__(self, folder: str, plan_id: str) -> None:
        self._folder = Path(folder, _FOLDER.format(plan_id))
        try:
            content = json.loads((self._folder / _PLAN).read_bytes())
            self.saved = SavedPlan(
                Plan(tuple(tuple(one) for one in content["rounds"])),
                tuple(from_dict(each) for each in content["pools"]),
                content["hosts"],
            )
        except (OSError, ValueError, KeyError, TypeError):
            raise UnusableArgument("plan", f"this run has no plan '{plan_id}'") from None

    def require(self, host: str) -> None:
        if host not in self.saved.plan.hosts:
            raise UnusableArgument("plan", f"{host} is not in it")

    def outcome(self, host: str) -> Outcome:
        try:
            return Outcome(json.loads(self._path(host, "json").read_bytes()))
        except OSError:
            pass
        except ValueError:
            return Outcome(_DIED)
        try:
            descriptor = os.open(self._path(host, "lock"), os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return Outcome(None)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return Outcome(None, at_work=True)
        finally:
            os.close(descriptor)
        # Whoever ended in between has left its result.
        return Outcome(_DIED) if not self._path(host, "json").exists() else self.outcome(host)

    def await_turn(self, host: str, clock: Clock) -> None:
        """Wait for the rounds before this host's. Raises PredecessorFailed."""
        deadline = clock.monotonic() + PATIENCE
        while True:
            waiting = []
            for earlier in self.saved.plan.before(host):
                found = self.outcome(earlier)
                if found.result is None:
                    waiting.append((earlier, found.at_work))
                elif not found.went_well:
                    raise PredecessorFailed(
                        f"{host} is not restarted, since the restart of {earlier} before it did not come to a good end"
                    )
            if not waiting:
                return
            if any(at_work for _host, at_work in waiting):
                deadline = clock.monotonic() + PATIENCE
            elif len(self.saved.plan.lanes) == 1 or clock.monotonic() >= deadline:
                raise PredecessorFailed(
                    f"{host} is not restarted, since {waiting[0][0]} comes before it and has not been restarted"
                )
            clock.sleep(_POLL)

    def begin(self, host: str) -> Turn:
        """Raises Refused while another worker is at it."""
        path = self._path(host, "lock")
        # It appears locked: a file that nobody has locked means a worker that died.
        fresh = path.with_name(f"{secrets.token_hex(8)}.fresh")
        descriptor = os.open(fresh, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
        fcntl.flock(descriptor, fcntl.LOCK_EX)
        try:
            path.hardlink_to(fresh)
        except FileExistsError:
            os.close(descriptor)
            descriptor = os.open(path, os.O_RDWR | os.O_CLOEXEC)
        finally:
            fresh.unlink()
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            raise Refused(f"Another task of this run restarts {host} at this moment") from None
        return Turn(self._path(host, "json"), descriptor)

    def _path(self, host: str, suffix: str) -> Path:
        return self._folder / f"{hashlib.sha256(host.encode()).hexdigest()[:32]}.{suffix}"


class Turn:
    """A restart that is under way."""

    def __init__(self, path: Path, descriptor: int) -> None:
        self._path, self._descriptor = path, descriptor

    def end(self, result: Mapping[str, Any]) -> None:
        """Write down what became of it, for those that come after."""
        fresh = self._path.with_suffix(".new")
        fresh.write_text(json.dumps(dict(result), default=str), encoding="utf-8")
        fresh.replace(self._path)
        os.close(self._descriptor)
