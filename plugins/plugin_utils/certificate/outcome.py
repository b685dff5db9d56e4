# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where to assign a certificate, where to take that back, and what has come of it: one fact for each server. A
certificate goes to all Edge Servers of a pool, or to none. Pure functions.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..result.failures import has_failed
from ..result.status import Status
from .described import listed, wrapped
from .judgement import INFO, SEVERITIES, PoolJudgement
from .run import Run

#: By step and host, what a task returned.
Steps = Mapping[str, Mapping[str, Mapping[str, Any]]]
TRIED, ASSIGNED, TAKEN_BACK = "tried", "assigned", "taken_back"
NEVER = "never"
_NO_SOURCE = (
    "Nothing was restarted: no source says whether the service must be to use it. Make a call from outside."
)


@dataclass(frozen=True)
class Outcome:
    """``fail_from``: the severity from which on a finding is a failure of its server."""

    run: Run
    steps: Steps
    check_mode: bool
    fail_from: str

    def to_assign(self) -> list[str]:
        """All servers of the pools that nothing speaks against, and where trying it failed nowhere."""
        return [
            each.host
            for pool in self.run.pools
            if not self.run.against(pool) and not self._failures(pool, TRIED)
            for each in pool.servers
        ]

    def to_take_back(self) -> list[str]:
        """The servers that have, or may have, what another of their pool did not get."""
        return [
            each.host
            for pool in self.run.pools
            if self._failures(pool, ASSIGNED)
            for each in pool.servers
            if self._answer(ASSIGNED, each.host).get("changed")
        ]

    def as_dict(self, hosts: Sequence[str]) -> dict[str, Any]:
        results = {host: self._result(host) for host in hosts}
        return {
            "to_assign": self.to_assign(),
            "to_take_back": self.to_take_back(),
            "results": results,
            "failing": [host for host in hosts if self._fails(host, results[host])],
        }

    def lines(self) -> list[str]:
        sentences = []
        for pool in self.run.pools:
            hosts = listed([each.host for each in pool.servers])
            against = self.run.against(pool)
            if against:
                sentences.append(f"Nothing is assigned on {hosts}: {' '.join(against)}")
            sentences += self._pool_lines(pool, hosts)
        return ["", *wrapped(sentences)] if sentences else []

    def _pool_lines(self, pool: PoolJudgement, hosts: str) -> Iterator[str]:
        for step in (TRIED, ASSIGNED, TAKEN_BACK):
            yield from (f"{host}: {said}" for host, said in self._failures(pool, step).items())
        assigned = [each.host for each in pool.servers if self._answer(ASSIGNED, each.host).get("changed")]
        if self._failures(pool, ASSIGNED):
            back = [each.host for each in pool.servers if self._answer(TAKEN_BACK, each.host).get("changed")]
            if back:
                yield f"Taken back on {listed(back)}, as another Edge Server of the pool did not get it."
        elif assigned and self.check_mode:
            yield f"A real run would assign it on {listed(assigned)}."
        elif assigned:
            yield f"Assigned on {listed(assigned)}. {_NO_SOURCE}"
        elif self.steps.get(ASSIGNED) and any(self._answer(ASSIGNED, each.host) for each in pool.servers):
            yield f"{hosts} had it already."

    def _answer(self, step: str, host: str) -> Mapping[str, Any]:
        answer = self.steps.get(step, {}).get(host) or {}
        return {} if answer.get("skipped") else answer

    def _failures(self, pool: PoolJudgement, step: str) -> dict[str, str]:
        """By host, the sentence."""
        answers = {each.host: self._answer(step, each.host) for each in pool.servers}
        return {
            host: str(answer.get("msg") or "it failed.")
            for host, answer in answers.items()
            if has_failed(answer)
        }

    def _result(self, host: str) -> dict[str, Any]:
        findings = [each for each in self.run.findings if host in each.hosts and each.severity != INFO]
        pool = next((each for each in self.run.pools if any(s.host == host for s in each.servers)), None)
        unknown = [] if pool is None else [each.said for each in pool.unknown if host in each.hosts]
        troubles = [] if pool is None else list(self.run.against(pool))
        answers = [self._answer(step, host) for step in (TRIED, ASSIGNED, TAKEN_BACK)]
        troubles += [str(each.get("msg") or "It failed.") for each in answers if has_failed(each)]
        uncertain = any(has_failed(each) and each.get("status", "unknown") == "unknown" for each in answers)
        changed = any(bool(each.get("changed")) for each in answers[1:])
        status = Status.CORRECTED if changed else Status.IN_DESIRED_STATE
        if findings or troubles or (changed and self.check_mode):
            status = Status.DRIFTED
        elif unknown:
            status = Status.UNKNOWN
        if uncertain:
            status = Status.UNKNOWN
        return {
            "status": status.value,
            "changed": changed,
            "unknown": unknown,
            "reasons": list(dict.fromkeys([*troubles, *(each.said for each in findings), *unknown])),
        }

    def _fails(self, host: str, result: Mapping[str, Any]) -> bool:
        answers = [self._answer(step, host) for step in (TRIED, ASSIGNED, TAKEN_BACK)]
        pool = next((each for each in self.run.pools if any(s.host == host for s in each.servers)), None)
        if any(map(has_failed, answers)) or (pool is not None and self.run.against(pool)):
            return True
        if self.fail_from == NEVER:
            return False
        worst = SEVERITIES.index(self.fail_from)
        return bool(result["unknown"]) or any(
            SEVERITIES.index(each.severity) <= worst for each in self.run.findings if host in each.hosts
        )
