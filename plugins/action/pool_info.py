# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module pool_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import pool_info as module
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.result.refusals import UnusableArgument
from ..plugin_utils.topology import pool_info, pools


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        if arguments["test_av_edge"] and arguments["pool"] is None:
            raise UnusableArgument("test_av_edge", "this needs the pool to test, in the option pool.")
        if arguments["own"]:
            return {"own": pool_info.own(shell, health=arguments["health"])}
        found = pool_info.described_pools(
            shell, arguments["pool"], services=arguments["services"], health=arguments["health"]
        )
        result: dict[str, Any] = {"pools": found}
        if arguments["test_av_edge"]:
            result["av_edge"] = pools.av_edge(shell, arguments["pool"], arguments["test_user"])
        return result
