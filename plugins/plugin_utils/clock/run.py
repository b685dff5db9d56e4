# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the hosts of a run registered to its judgement."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..result.refusals import UnusableArgument
from ..run_action import Registered, latest
from ..topology.pool_state import from_dict
from .controller import is_synchronised
from .judgement import Judgement, Request, Rules, judge
from .measurement import read
from .places import Topology


def judged(arguments: Mapping[str, Any], registered: Registered) -> Judgement:
    """``arguments`` are those of the module clock_judgement. Raises UnusableArgument."""
    measured = [read(host, answer) for host, answer in latest(arguments["measurements"], registered).items()]
    requests = {
        host: Request(request.get("zone"), request.get("time_service"))
        for host, request in arguments["requests"].items()
    }
    synchronised = arguments["controller_synchronised"]
    rules = Rules(
        tolerance=arguments["max_offset_ms"] / 1000,
        restart_from=arguments["restart_offset_ms"] / 1000,
        time_servers=tuple(arguments["ntp_servers"]),
        synchronised=is_synchronised() if synchronised is None else synchronised,
        follow_pool=arguments["follow_pool"],
        zones_confirmed=arguments["time_zone_confirmed"],
    )
    return judge(measured, list(topologies(arguments["topologies"])), requests, rules)


def topologies(given: Mapping[str, Any]) -> list[Topology]:
    """By the host that was asked, what pool_info returned."""
    found = []
    for asked, answer in given.items():
        if not isinstance(answer, Mapping) or answer.get("pools") is None:
            said = answer.get("msg") if isinstance(answer, Mapping) else None
            found.append(Topology(asked, (), str(said or "it was not asked.")))
            continue
        try:
            found.append(Topology(asked, tuple(from_dict(each) for each in answer["pools"])))
        except (KeyError, ValueError, TypeError) as wrong:
            raise UnusableArgument("topologies", f"this is not what pool_info returns ({wrong!r})") from None
    return found
