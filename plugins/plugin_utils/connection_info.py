# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a person needs to know about a connection that does not do what it should."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import Any

from .certificate import av_edges, store
from .drift import enforcing, rights
from .federation import reading
from .people import effective_policies, granting
from .powershell.commands import Command
from .powershell.errors import Endpoint
from .powershell.shell import SERVER_VERSION, ManagementShell
from .restart import server_services
from .settings import effective
from .settings.resources.registry import RESOURCES
from .topology import deployment, pools, replication
from .trace import central_logging

# A command that does nothing, and that every constrained endpoint offers: Import-PSSession depends on it.
_NO_OPERATION = Command("Measure-Object")
_MEASUREMENTS = 3


def used_cmdlets() -> list[str]:
    """Every Lync cmdlet that the modules of this collection may send, as the rooms that send them say."""
    names = {SERVER_VERSION.name}
    rooms = (
        *(deployment, effective, effective_policies, enforcing, granting, pools, reading),
        *(replication, rights, server_services, av_edges, store, central_logging),
    )
    for room in rooms:
        names.update(room.CMDLETS)
    for resource in RESOURCES.values():
        verbs = ("Get", "Set", "New", "Remove") if resource.creatable else ("Get", "Set")
        names.update(resource.cmdlet(verb) for verb in verbs)
        names.update(requirement.read.name for requirement in resource.requirements)
    return sorted(names)


def roles_query(missing: Sequence[str]) -> str | None:
    """The line for the Management Shell that lists the RBAC roles which have one of these cmdlets."""
    if not missing:
        return None
    return f"Get-CsAdminRole | Where-Object {{$_.Cmdlets -match '\\b({'|'.join(missing)})\\b'}}"


def connection(shell: ManagementShell) -> dict[str, Any]:
    """Who is connected to what, how fast, and what for."""
    # Asking for the version first makes the session import its Management Shell module, where that is still
    # to be done.
    version = shell.server_version()
    cmdlets = used_cmdlets()
    described = shell.describing(*cmdlets)
    if described:
        results = shell.run(*described)
        if results.errors:
            raise shell.classify(results.errors[0])
    endpoint: Endpoint = shell.endpoint
    missing = [cmdlet for cmdlet in cmdlets if shell.parameters_of(cmdlet) is None]
    return {
        "account": endpoint.account,
        "url": endpoint.url,
        "host": endpoint.host,
        "authentication": endpoint.authentication,
        "configuration_name": endpoint.configuration_name,
        "protocol_version": shell.protocol_version,
        "powershell_version": shell.powershell_version,
        "product_version": version,
        "latency_ms": round(min(_seconds(shell) for attempt in range(_MEASUREMENTS)) * 1000, 1),
        "session_resumed": shell.resumed,
        "cmdlets": {cmdlet: cmdlet not in missing for cmdlet in cmdlets},
        "missing_cmdlets": missing,
        "roles_query": roles_query(missing),
    }


def _seconds(shell: ManagementShell) -> float:
    start = time.perf_counter()
    shell.run(_NO_OPERATION)
    return time.perf_counter() - start
