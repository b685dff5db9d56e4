# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_accept; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import drift_accept as module
from ..plugin_utils.drift import accepting
from ..plugin_utils.drift.action import DriftAction
from ..plugin_utils.drift.assessing import Task
from ..plugin_utils.drift.run import Run
from ..plugin_utils.powershell.shell import ManagementShell


class ActionModule(DriftAction):
    DOCUMENTATION = module.DOCUMENTATION
    MODE = "accept"

    def work(
        self, arguments: dict[str, Any], task: Task, shell: ManagementShell
    ) -> tuple[Run, dict[str, Any]]:
        task = self._with_requests(task, arguments)
        return accepting.accept(shell, task, self._now, arguments)
