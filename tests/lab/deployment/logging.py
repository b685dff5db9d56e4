# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Centralized logging: which scenarios run on which computer, and so what is in its traces.

Behaviour: MicrosoftDocs/office-docs-powershell, Start-, Stop-, Show- and Update-CsClsLogging: at most AlwaysOn and
one other scenario on a computer; four hours unless told otherwise.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

ALWAYS_ON = "AlwaysOn"
DEFAULT_DURATION = 4 * 3600.0


@dataclass(frozen=True)
class Run:
    """One scenario on one computer, while it is (or was) on. Times are of the lab's monotonic clock."""

    scenario: str
    begins: float
    ends: float
    started: str  # by the computer's own clock, as it is shown
    by: str
    duration: str

    def covers(self, moment: float) -> bool:
        return self.begins <= moment < self.ends


@dataclass
class CentralizedLogging:
    """All computers. ``first`` are the scenarios that run everywhere from the beginning, since ever."""

    monotonic: Callable[[], float]
    first: Sequence[str]
    _runs: dict[str, list[Run]] = field(default_factory=dict)  # by lower-case FQDN

    def reset(self) -> None:
        self._runs.clear()

    def runs(self, fqdn: str) -> list[Run]:
        """What runs on the computer now, AlwaysOn first."""
        now = self.monotonic()
        return sorted(
            (run for run in self._of(fqdn) if run.covers(now)), key=lambda run: run.scenario != ALWAYS_ON
        )

    def logged(self, fqdn: str, moment: float) -> bool:
        """Whether something that happened then stands in the computer's traces."""
        return any(run.covers(moment) for run in self._of(fqdn))

    def start(
        self, fqdn: str, scenario: str, seconds: float, started: str, by: str, duration: str
    ) -> str | None:
        """Begin; returns the scenario that stands in the way."""
        for run in self.runs(fqdn):
            both_special = ALWAYS_ON in (run.scenario, scenario) and run.scenario != scenario
            if not both_special:
                return run.scenario
        now = self.monotonic()
        self._of(fqdn).append(Run(scenario, now, now + seconds, started, by, duration))
        return None

    def stop(self, fqdn: str, scenario: str) -> bool:
        """End it; False if it did not run."""
        return self._end(fqdn, scenario, self.monotonic()) is not None

    def extend(self, fqdn: str, seconds: float) -> None:
        """Give all that runs a new end."""
        for run in self.runs(fqdn):
            self._end(fqdn, run.scenario, self.monotonic() + seconds)

    def _end(self, fqdn: str, scenario: str, ends: float) -> Run | None:
        found = next((run for run in self.runs(fqdn) if run.scenario.lower() == scenario.lower()), None)
        if found is not None:
            runs = self._of(fqdn)
            changed = Run(found.scenario, found.begins, ends, found.started, found.by, found.duration)
            runs[runs.index(found)] = changed
        return found

    def _of(self, fqdn: str) -> list[Run]:
        """All runs of the computer, former ones too."""
        return self._runs.setdefault(
            fqdn.lower(),
            [Run(name, float("-inf"), float("inf"), "", "", "") for name in self.first],
        )
