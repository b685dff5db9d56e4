# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import clock_info as module
from ..plugin_utils.clock import clock_info
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.windows.w32time import one_host


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        for name in arguments["ntp_servers"]:
            one_host("ntp_servers", name)
        enough = arguments["precise_to_ms"]
        return clock_info.query(
            shell, arguments["ntp_servers"], arguments["samples"], None if enough is None else enough / 1000
        )
