# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_verdict; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import drift_verdict as module
from ..plugin_utils.drift.run import EXIT_CODES, counted_once, total_of, worst_of
from ..plugin_utils.module_action import ControllerAction


class ActionModule(ControllerAction):
    DOCUMENTATION = module.DOCUMENTATION

    def assess(self, arguments: dict[str, Any]) -> dict[str, Any]:
        results = [dict(each) for each in arguments["results"]]
        for each in results:
            for line in each.get("summary") or ():
                self._display.display(line)
        verdict = worst_of(results)
        counts = total_of(counted_once(results))
        sentence = (
            f"Verdict: {verdict.value}. {counts['drifted']} differ, {counts['corrected']} corrected, "
            f"{counts['waived']} waived, {counts['unknown']} unknown, {counts['as_wanted']} as wanted."
        )
        found = {"verdict": verdict.value, "exit_code": EXIT_CODES[verdict.value], "counts": counts}
        stats = {"data": {"lync_remediation_drift": found}, "per_host": False, "aggregate": True}
        return {**found, "msg": sentence, "ansible_stats": stats}
