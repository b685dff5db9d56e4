# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock_report; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import constants as C

from ..modules import clock_report as module
from ..plugin_utils.clock.outcome import Run, outcome, report, troubles
from ..plugin_utils.clock.run import saved
from ..plugin_utils.restart.turns import outcomes
from ..plugin_utils.result.pasting import inventory_arguments, reaching
from ..plugin_utils.run_action import RunAction


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        def registered(name: str) -> dict[str, dict[str, Any]]:
            return self.registered(variables, name)

        case = saved(C.DEFAULT_LOCAL_TMP, arguments["judgement"])
        proof = arguments["proof"]
        after = None if proof is None or self.check_mode else case.with_proof(proof, registered)
        steps: dict[str, dict[str, Any]] = {}
        for step, name in arguments["steps"].items():
            for host, answer in registered(name).items():
                steps.setdefault(host, {})[step] = answer
        for plan in arguments["restart_plans"]:
            for host, result in outcomes(C.DEFAULT_LOCAL_TMP, plan["id"]).items():
                steps.setdefault(host, {})["restart"] = result
        run = Run(
            case.judgement,
            after,
            steps,
            arguments["replication"],
            arguments["av_before"],
            arguments["av_after"],
            arguments["restarts"],
            self.check_mode,
            arguments["not_planned"],
        )
        results = {host: outcome(run, host) for host in map(str, variables["ansible_play_hosts_all"])}
        inventory = inventory_arguments(variables)
        lines = [reaching(line, inventory) for line in report(run, results)]
        self.show(lines)
        failing = [host for host, result in results.items() if result.pop("failed")]
        return {"results": results, "failing": failing, "troubles": troubles(run), "lines": lines}
