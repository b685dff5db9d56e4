# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module pool_info: pools with their members, services, quorum and health; or what one server says about
itself.
"""

from __future__ import annotations

import datetime
import time
from dataclasses import replace
from typing import Any

from ..change.waiting import Clock
from ..powershell.shell import ManagementShell
from . import pools
from .pool_state import PoolState, Readiness
from .quorum import Kind


def own(shell: ManagementShell, *, health: bool, clock: Clock = time) -> dict[str, Any]:
    """What the session's computer says about itself, without the topology, which an Edge Server does not
    know.
    """
    name = pools.own_name(shell)
    found = pools.own_services(shell)
    ready, trouble = _readiness(shell) if health else (None, ())
    now = datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc).replace(microsecond=0)
    return {
        "computer": name,
        "running": found.takes_part,
        "up": found.up,
        "failed_over": found.failed_over,
        "not_running": [service.name for service in found.not_running],
        "services": found.states,
        "readiness": ready.state if ready else None,
        "observed": now.isoformat().replace("+00:00", "Z"),
        "trouble": list(trouble),
    }


def described_pools(
    shell: ManagementShell, pool: str | None, *, services: bool, health: bool, clock: Clock = time
) -> list[dict[str, Any]]:
    """The pools as results show them. Raises UnusableArgument for an unknown pool."""
    listed = pools.topology(shell, clock)
    chosen = [pools.find(listed, pool, None)] if pool is not None else listed
    name = pools.own_name(shell) if services or health else None
    if services:
        chosen = [pools.with_services(shell, each, name, clock) for each in chosen]
    if health:
        chosen = [_with_health(shell, each, name) for each in chosen]
    return [each.as_dict() for each in chosen]


def _with_health(shell: ManagementShell, state: PoolState, name: str | None) -> PoolState:
    if state.kind is not Kind.FRONT_ENDS:
        return state
    # The statement for readiness looks at the pool of the computer that it runs on, and at no other.
    inside = name is not None and state.member(name) is not None
    ready, trouble = _readiness(shell) if inside else (None, ())
    try:
        found = pools.fabric(shell, state.pool)
        lines = (*found.warnings, *found.lines) if found else ()
        return replace(state, readiness=ready, fabric=lines, trouble=trouble)
    except pools.UNKNOWN as unknown:
        return replace(state, readiness=ready, trouble=(*trouble, str(unknown)))


def _readiness(shell: ManagementShell) -> tuple[Readiness | None, tuple[str, ...]]:
    """What the pool says, and why it could not be asked."""
    try:
        return pools.readiness(shell), ()
    except pools.UNKNOWN as unknown:
        return None, (str(unknown),)
