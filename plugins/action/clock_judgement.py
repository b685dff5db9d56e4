# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock_judgement; what it does is described there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from ansible import constants as C

from ..modules import clock_judgement as module
from ..plugin_utils.clock import described
from ..plugin_utils.clock.run import Case, judged, save
from ..plugin_utils.run_action import RunAction
from ..plugin_utils.topology.quorum import Kind


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        case = judged(arguments, lambda name: self.registered(variables, name))
        found = case.judgement
        lines = described.lines(found)
        affected = [
            host
            for host, each in found.servers.items()
            if not found.obstacles and (each.repair or each.note is not None)
        ]
        if arguments["show"]:
            self.show(lines)
        return {
            **described.as_dict(found),
            "id": save(C.DEFAULT_LOCAL_TMP, case),
            "lines": lines,
            "affected": affected,
            "user_pools": list(self._user_pools(case, affected)),
        }

    def _user_pools(self, case: Case, affected: list[str]) -> Iterator[dict[str, str]]:
        """Whose users may have felt it: those of the servers in question, and everybody where an Edge Server is one."""
        found = case.judgement
        hosts = {pool.pool: each.asked for each in case.topologies for pool in each.pools}
        for deployment in found.places.deployments:
            places = [found.servers[host].place for host in affected]
            places = [place for place in places if place.deployment is deployment]
            own = {place.pool.pool for place in places if place.pool is not None}
            for pool in deployment.pools:
                if pool.kind is not Kind.OTHER and (
                    pool.pool in own or any(place.is_edge for place in places)
                ):
                    yield {"pool": pool.pool, "asked": hosts[pool.pool]}
