# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock_restart_plan; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ansible import constants as C

from ..modules import clock_restart_plan as module
from ..plugin_utils.clock.described import listed
from ..plugin_utils.clock.judgement import Judgement
from ..plugin_utils.clock.run import saved
from ..plugin_utils.restart.turns import save_plan
from ..plugin_utils.result.failures import has_failed
from ..plugin_utils.run_action import RunAction
from ..plugin_utils.topology.outage_domains import Candidate, UnknownTopology, restart_plan


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        found = saved(C.DEFAULT_LOCAL_TMP, arguments["judgement"]).judgement
        if found.obstacles:
            return {"restart_plans": [], "not_planned": list(found.obstacles)}
        broken = self._broken(arguments["repairs"], variables)
        down = self._down(arguments["services"], found, variables)
        return self._plans(found, broken, down, arguments["at_once"])

    def _broken(self, names: list[str], variables: Mapping[str, Any]) -> set[str]:
        """The hosts whose repair failed."""
        return {
            host
            for name in names
            for host, answer in self.registered(variables, name).items()
            if has_failed(answer)
        }

    def _down(self, name: str | None, found: Judgement, variables: Mapping[str, Any]) -> set[str]:
        """The hosts that serve nobody, as they say now, or else as they said when they were measured."""
        answers = {} if name is None else self.registered(variables, name)
        now = {host: (answer.get("own") or {}).get("running") for host, answer in answers.items()}
        return {
            host
            for host, each in found.servers.items()
            if not (each.measurement.running if now.get(host) is None else now[host])
        }

    def _plans(self, found: Judgement, broken: set[str], down: set[str], at_once: int) -> dict[str, Any]:
        """An order of restarts for each deployment, none where a repair failed: what restarts there would go on with
        the wrong time.
        """
        plans: list[dict[str, Any]] = []
        not_planned: list[str] = []
        for deployment in found.places.deployments:
            candidates = found.candidates(deployment)
            if not candidates:
                continue
            failing = [each.host for each in found.servers.values() if each.host in broken]
            failing = [host for host in failing if found.servers[host].place.deployment is deployment]
            if failing:
                not_planned.append(f"Nothing is restarted, as the repair of {listed(failing)} failed.")
                continue
            to_restart = [
                Candidate(each.host, each.place.computer, each.host not in down) for each in candidates
            ]
            try:
                plan = restart_plan(deployment.pools, to_restart, at_once)
            except UnknownTopology as unknown:
                not_planned.append(f"Nothing is restarted. {unknown}")
                continue
            known = {
                each.host: each.place.computer
                for each in found.servers.values()
                if each.measurement.computer is not None and each.place.deployment is deployment
            }
            plans.append(
                {
                    "deployment": deployment.name,
                    "id": save_plan(C.DEFAULT_LOCAL_TMP, plan, deployment.pools, known),
                    "rounds": [list(each) for each in plan.rounds],
                    "lanes": [list(each) for each in plan.lanes],
                }
            )
        return {"restart_plans": plans, "not_planned": not_planned}
