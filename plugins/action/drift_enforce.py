# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_enforce; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modules import drift_enforce as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.change.journal import NoJournal
from ..plugin_utils.drift.action import DriftAction
from ..plugin_utils.drift.assessing import Task, assess
from ..plugin_utils.drift.correcting import Correcting, limits_of
from ..plugin_utils.drift.run import Run
from ..plugin_utils.powershell.shell import ManagementShell

_OF_CHANGES = (
    "changed",
    "status",
    "before",
    "after",
    "drift",
    "commands",
    "restore_commands",
    "diff",
)


class ActionModule(DriftAction):
    DOCUMENTATION = module.DOCUMENTATION
    MODE = "enforce"

    def work(
        self, arguments: dict[str, Any], task: Task, shell: ManagementShell
    ) -> tuple[Run, dict[str, Any]]:
        task = self._with_requests(task, arguments)
        assessment = assess(shell, task, self._now)
        is_dry = bool(self._task.check_mode)
        journal = NoJournal() if is_dry else self._journal_of(task)
        self._writing = Envelope(shell, journal, check_mode=is_dry)
        folder = journal.path.parent if journal.path else None
        limits = limits_of(arguments)
        work = Correcting(self._writing, task, assessment, self._now, limits, self._display.display, folder)
        return work.carry_out(arguments)

    def _of_changes(self, result: Mapping[str, Any]) -> dict[str, Any]:
        return {name: result[name] for name in _OF_CHANGES}
