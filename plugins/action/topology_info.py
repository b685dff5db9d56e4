# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module topology_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import topology_info as module
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.topology import deployment
from ..plugin_utils.topology.inventory import inventory


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        topology = deployment.read(shell)
        return {**topology.as_dict(), **inventory(topology, shell.endpoint).as_dict()}
