# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_check; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from ..modules import drift_check as module
from ..plugin_utils.drift import summary
from ..plugin_utils.drift.action import DriftAction
from ..plugin_utils.drift.assessing import Task, assess, remember
from ..plugin_utils.drift.rights import withheld
from ..plugin_utils.drift.run import Run, Verdict
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.result.severity import Severity


class ActionModule(DriftAction):
    DOCUMENTATION = module.DOCUMENTATION
    MODE = "check"

    def work(
        self, arguments: dict[str, Any], task: Task, shell: ManagementShell
    ) -> tuple[Run, dict[str, Any]]:
        task = self._with_requests(task, arguments)
        if arguments["read_again"] != "never":
            task = replace(task, read_again=Severity(arguments["read_again"]))
        assessment = assess(shell, task, self._now)
        remember(task, assessment, self._now, assessment.findings)
        missing = withheld(shell, assessment.requests.nouns) if arguments["preflight"] else []
        run = replace(assessment.run(task, self._now, self.MODE), notes=tuple(map(_sentence, missing)))
        if arguments["display"] and run.verdict is Verdict.DRIFT:
            for line in summary.lines(run, self._context(task, run)):
                self._display.display(line)
        return run, {"preflight": missing}


def _sentence(missing: Mapping[str, str]) -> str:
    role = f"; the role {missing['role']} has it" if missing["role"] else ""
    return f"{missing['cmdlet']} is not offered to this account{role}."
