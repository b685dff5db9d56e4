# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module server_restart; what it does is described there."""

from __future__ import annotations

import time
from typing import Any

from ansible import constants as C

from ..modules import server_restart as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.inventory_sessions import InventorySessions
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.powershell.errors import ManagementShellError
from ..plugin_utils.restart import server_restart
from ..plugin_utils.restart.acting import Waits
from ..plugin_utils.restart.turns import Turn, Turns
from ..plugin_utils.result.refusals import UnusableArgument
from ..plugin_utils.result.result import Result
from ..plugin_utils.topology import pools
from ..plugin_utils.topology.outage_domains import UnknownTopology
from ..plugin_utils.topology.pool_state import PoolState


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    _turn: Turn | None = None

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._task_vars = task_vars or {}
        result = super().run(tmp, task_vars)
        if self._turn is not None:
            # Those that come after it read what became of it, however it ended.
            self._turn.end(result)
        return result

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        waits = Waits.of(arguments)
        plan_id, management = arguments["plan"], arguments["management_host"]
        if plan_id is None and management is None:
            raise UnusableArgument(
                "plan", "this is missing. Give it, or management_host, which tells the topology instead"
            )
        host = str(self._task.delegate_to or self._task_vars["inventory_hostname"])
        turns = None if plan_id is None else Turns(C.DEFAULT_LOCAL_TMP, plan_id)
        sessions = InventorySessions(
            self._task_vars["hostvars"],
            turns.saved.hosts if turns else {},
            self._play_context,
            {"remote_user": self._task.remote_user, "port": self._task.port, **self._password()},
            self._task.connection,
        )
        if turns is not None:
            turns.require(host)
            self._turn = turns.begin(host)
            turns.await_turn(host, time)
            topology = turns.saved.pools
        else:
            topology = _topology(sessions, management)
        request = server_restart.Request(
            pools=topology,
            computer=turns.saved.hosts[host] if turns else None,
            management_host=management,
            only_if_restart_pending=arguments["only_if_restart_pending"],
            method=arguments["method"],
            graceful=arguments["graceful"],
            accept_fabric_warnings=arguments["accept_fabric_warnings"],
            take_over=arguments["take_over"],
            interrupted_wait=arguments["interrupted_wait"],
            waits=waits,
        )
        return server_restart.remediate(envelope, request, sessions)

    def _password(self) -> dict[str, str]:
        given = self._play_context.password
        return {"password": given} if given else {}


def _topology(sessions: InventorySessions, host: str) -> tuple[PoolState, ...]:
    """Raises UnknownTopology: that another host cannot be reached says nothing of the task's own."""
    try:
        with sessions.session(host) as shell:
            return tuple(pools.topology(shell))
    except ManagementShellError as unknown:
        raise UnknownTopology(f"{host} does not tell which servers make a pool ({unknown})") from unknown
