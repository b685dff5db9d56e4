# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module health_judgement; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modules import health_judgement as module
from ..plugin_utils.health import report
from ..plugin_utils.health.causes import ranked
from ..plugin_utils.health.evidence import Given, assess, trace_findings
from ..plugin_utils.result.pasting import inventory_arguments
from ..plugin_utils.run_action import RunAction

_ROLES = ("management", "front_ends", "edges")
_OF_HOSTS = ("clock_readings", "services", "certificate_readings", "replication", "federation", "traces")


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        hosts = [str(host) for host in variables["ansible_play_hosts_all"]]
        groups = variables.get("groups") or {}
        values: dict[str, Any] = {name: arguments[name] for name in ("clocks", "certificates")}
        for role in _ROLES:
            values[role] = tuple(host for host in hosts if host in groups.get(role, ()))
        for name in _OF_HOSTS:
            values[name] = self.registered(variables, arguments[name]) if arguments[name] else {}
        given = Given(**values)
        assessed = assess(given)
        causes = ranked(assessed.observations, trace_findings(given))
        context = inventory_arguments(variables)
        lines = report.lines(causes, assessed, context)
        if arguments["show"]:
            self.show(lines)
        return {
            "verdict": report.verdict(causes, assessed),
            "causes": [report.as_dict(each, context) for each in causes],
            "examined": list(assessed.examined),
            "not_examined": list(assessed.not_examined),
            "lines": lines,
            "report": report.for_the_run(causes, assessed, hosts, context),
        }
