# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module central_logging_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import central_logging_info as module
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.result.pasting import inventory_arguments
from ..plugin_utils.trace.central_logging import central_logging_info


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._inventory = inventory_arguments(task_vars or {})
        return super().run(tmp, task_vars)

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        return central_logging_info(shell, arguments, inventory=self._inventory)
