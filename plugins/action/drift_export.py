# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_export; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import drift_export as module
from ..plugin_utils.drift import exporting
from ..plugin_utils.drift.action import DriftAction
from ..plugin_utils.drift.assessing import Task, server_of
from ..plugin_utils.drift.documents import folded
from ..plugin_utils.drift.manifest import Export
from ..plugin_utils.drift.requests import known_noun
from ..plugin_utils.drift.run import Run
from ..plugin_utils.powershell.shell import ManagementShell


class ActionModule(DriftAction):
    DOCUMENTATION = module.DOCUMENTATION
    MODE = "export"

    def work(
        self, arguments: dict[str, Any], task: Task, shell: ManagementShell
    ) -> tuple[Run, dict[str, Any]]:
        excluded = {
            folded(known_noun(name, "exclude").name): "It was excluded by hand."
            for name in arguments["exclude"] or ()
        }
        exported = exporting.export(shell, task, self._now, excluded)
        nouns = exported.manifest.nouns
        run = Run(
            server_of(shell, task),
            self.MODE,
            self._now.text,
            self._now.run,
            str(task.state.root),
            str(task.baseline),
            nouns=sum(each.state is Export.READ for each in nouns.values()),
            as_wanted=sum(each.objects for each in nouns.values()),
            findings=exporting.unread(task.deployment, exported.manifest),
            has_history=task.persists,
            collection_version=task.collection_version,
        )
        return run, {
            "changed": bool(exported.changed),
            "files": sorted(exported.changed),
            "not_default": list(exported.not_default),
            "summary": exporting.lines(task, exported),
        }
