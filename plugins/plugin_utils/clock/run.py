# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what the hosts of a run registered to its judgement, which later tasks of the run take up as it is."""

from __future__ import annotations

import pickle
import re
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..result.refusals import UnusableArgument
from ..run_action import Registered, latest
from ..topology.pool_state import from_dict
from .controller import is_synchronised
from .judgement import Judgement, Request, Rules, judge
from .measurement import Measurement, read
from .places import Topology

_FILE = "lync-remediation-judgement-{}"


@dataclass(frozen=True)
class Case:
    """What is judged, and the judgement on it."""

    measurements: tuple[Measurement, ...]
    topologies: tuple[Topology, ...]
    requests: Mapping[str, Request]
    rules: Rules
    judgement: Judgement

    def with_proof(self, name: str, registered: Registered) -> Judgement | None:
        """The judgement on what was measured since, of the hosts that were asked again; None where none was."""
        again = {
            host: read(host, answer)
            for host, answer in registered(name).items()
            if answer and not answer.get("skipped")
        }
        if not again:
            return None
        measured = [again.get(each.host, each) for each in self.measurements]
        return judge(measured, self.topologies, self.requests, self.rules)


def judged(arguments: Mapping[str, Any], registered: Registered) -> Case:
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
        take_over=tuple(arguments["take_over"]),
    )
    known = topologies(arguments["topologies"])
    judgement = judge(measured, known, requests, rules)
    return Case(tuple(measured), tuple(known), requests, rules, judgement)


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


# -- between the tasks of a run ----------------------------------------------------------------------------------------


def save(folder: str, case: Case) -> str:
    """Keep a case for the later tasks of this run; its id. ``folder``: the run's private one."""
    judgement_id = secrets.token_hex(8)
    path = Path(folder, _FILE.format(judgement_id))
    path.touch(mode=0o600)
    path.write_bytes(pickle.dumps(case))
    return judgement_id


def saved(folder: str, judgement_id: str) -> Case:
    """Raises UnusableArgument for one that this run does not have."""
    try:
        if not re.fullmatch(r"[0-9a-f]{16}", judgement_id):
            raise FileNotFoundError
        written = Path(folder, _FILE.format(judgement_id)).read_bytes()
    except OSError:
        raise UnusableArgument("judgement", f"this run has no judgement '{judgement_id}'") from None
    case: Case = pickle.loads(written)  # noqa: S301  # This run wrote it, in a folder that nobody else gets into.
    return case
