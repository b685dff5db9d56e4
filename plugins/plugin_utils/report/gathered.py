# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a run of Ansible has shown, before anything is made of it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

COLLECTION = "lync.remediation."
VERDICT = "drift_verdict"
DRIFT = frozenset(("drift_check", "drift_enforce", "drift_accept", "drift_export"))
CLOCKS = "clock_judgement"
_SHOWING = frozenset(
    ("clock_report", "clock_requests", "clock_restart_plan", "drift_notification", "print_lines", VERDICT)
)
"""Modules that pass on what others have found."""


class UnusableReport(ValueError):
    """What was handed in, or was read, cannot be part of a report; the text is one sentence."""


@dataclass(frozen=True)
class Answer:
    """One result of one of our tasks; each item of a loop is one. ``module`` is its name in the collection.

    ``outcome`` is ok, failed, unreachable or skipped. ``speaks_for`` are the inventory's hosts that the task ran for:
    one that runs once runs for all of its play. ``path`` is the task's file and line.
    """

    host: str
    module: str
    task: str
    title: str
    outcome: str
    result: Mapping[str, Any]
    speaks_for: tuple[str, ...] = ()
    is_dry_run: bool = False
    path: str = ""


@dataclass
class Gathered:
    """``hosts`` are those of plays with tasks of ours that judge, with the deployment that the inventory has for each.

    ``exits`` says whether the run is to end with a verdict; ``baselines`` what version control has of each baseline's
    folder; ``interval`` the minutes between two runs of a schedule, 0 where none is known.
    """

    run: str
    playbook: str
    started: str
    ended: str = ""
    name: str = ""
    arguments: tuple[str, ...] = ()
    is_dry_run: bool = False
    collection_version: str = ""
    hosts: dict[str, str] = field(default_factory=dict)
    modules: set[str] = field(default_factory=set)
    """Of the tasks that judge."""
    lost: dict[str, tuple[str, str]] = field(default_factory=dict)
    """Hosts that the run went on without, with the outcome and the sentence of the task that they were lost at."""
    answers: list[Answer] = field(default_factory=list)
    exits: bool = False
    baselines: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    interval: int = 0

    @property
    def is_ours(self) -> bool:
        """Whether there is anything to report."""
        return bool(self.hosts)


def judges(module: str) -> bool:
    """Whether a module says how something is beside how it should be, rather than reads or shows."""
    return not module.endswith("_info") and module not in _SHOWING


def short_name(action: str) -> str:
    """The module's name in the collection; empty for one that is none of it."""
    return action.removeprefix(COLLECTION) if action.startswith(COLLECTION) else ""
