# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""An enforcing run from the assessment to its result: what keeps it from acting, the plan, and what became of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from ..change.envelope import Envelope
from ..result.refusals import BadArgument, UnusableArgument
from ..result.severity import Severity
from ..result.status import Status
from ..settings import catalogue
from . import plan as planning
from .assessing import Assessment, Task, must_be_certain, remember
from .documents import folded
from .enforcing import Outcome, copy_store, enforce, planned_lines
from .findings import Finding
from .judging import correctable
from .plan import Choice, Limits, Plan
from .rights import rights_for
from .run import Run
from .state import Now
from .times import window


def limits_of(arguments: Mapping[str, Any]) -> Limits:
    return Limits(
        arguments["max_corrections"],
        arguments["max_share"],
        arguments["max_removals"],
        arguments["max_unknown_share"],
        arguments["confirm_corrections"],
        arguments["confirm_removals"],
        arguments["confirm_unknown"],
    )


class Correcting:
    """``display`` shows a line to people at once, before anything is sent. ``journal`` is its folder; None in check
    mode.
    """

    def __init__(
        self,
        envelope: Envelope,
        task: Task,
        assessment: Assessment,
        now: Now,
        limits: Limits,
        display: Callable[[str], Any],
        journal: Path | None,
    ) -> None:
        self._envelope = envelope
        self._task = task
        self._assessment = assessment
        self._now = now
        self._limits = limits
        self._display = display
        self._journal = journal

    def carry_out(self, arguments: Mapping[str, Any]) -> tuple[Run, dict[str, Any]]:
        """Raises BadArgument before anything is written where nothing may be."""
        paused = planning.pause_of(arguments["pause"], self._now.time)
        choice = self._choice(arguments)
        allowed = window("drift_window", arguments["window"]) if arguments["window"] else None
        note = ""
        if paused is not None:
            until = f"{paused.until:%Y-%m-%d %H:%M %Z}"
            note = f"Paused until {until} by {paused.owner}: {paused.reason}. Nothing was corrected."
        elif allowed is not None and not allowed.has_moment(self._now.time):
            note = f"Corrections are allowed from {allowed} by the controller's clock. Nothing was corrected."
        if note:
            return self._concluded(Outcome({each.id: each for each in self._assessment.findings}), [note], [])
        self._must_be_allowed()
        planned = self._plan(choice)
        unknown = {folded(each.noun) for each in planned.findings if each.unknown is not None and each.noun}
        nouns = len(self._assessment.requests.nouns)
        objection = planning.brake(planned, len(unknown), nouns, self._limits, named=choice.only is not None)
        if objection:
            raise BadArgument(f"{objection}. Nothing has been changed.")
        lines = planned_lines(planned, self._assessment)
        notes = []
        if lines and not self._envelope.check_mode:
            foreseen = self._assessment.run(self._task, self._now, "enforce").as_dict()
            self._task.state.must_have_room(self._assessment.last, foreseen)
            if arguments["store_copy"]:
                notes.append(
                    copy_store(self._envelope.shell, self._task.state, self._now, arguments["store_copies"])
                )
            self._display(f"{self._task.deployment}: these lines are sent now")
            for line in lines:
                self._display(line)
        outcome = enforce(self._envelope, self._assessment, planned, self._now.text)
        return self._concluded(outcome, [note for note in notes if note], lines)

    def _choice(self, arguments: Mapping[str, Any]) -> Choice:
        only = arguments["only"]
        ids = None
        if only:
            path = Path(str(only)).expanduser()
            if str(only).endswith(".json"):
                document = self._task.state.read_run(path)
                if folded(str(document.get("deployment"))) != folded(self._task.deployment):
                    raise UnusableArgument("only", f"{path} is a run of {document.get('deployment')}")
                ids = frozenset(
                    each["id"] for each in document["findings"] if each["status"] == Status.DRIFTED.value
                ) & {each.id for each in self._assessment.findings}
            else:
                ids = planning.chosen_ids(only)
        severities = frozenset(Severity(each) for each in arguments["severities"])
        return Choice(ids, arguments["remove_unmanaged"], severities)

    def _must_be_allowed(self) -> None:
        if self._envelope.check_mode:
            return
        must_be_certain(self._assessment.binding)
        if not self._task.persists:
            raise BadArgument(
                f"{self._task.state.root} is gone when this container is, so there is neither history nor journal, and "
                "nothing is corrected. Set lync_remediation_state to a folder that stays, or "
                "lync_remediation_state_persists: true where it is known to."
            )
        if self._assessment.waived.expired:
            first = self._assessment.waived.expired[0]
            raise BadArgument(
                f"{first.place}: the waiver of {first.noun} {first.identity} {first.property} expired on "
                f"{first.expires}. Renew it, or remove it; until then nothing is corrected."
            )

    def _plan(self, choice: Choice) -> Plan:
        findings = self._assessment.findings
        nouns = {each.noun for each in findings if correctable(each)}
        rights = rights_for(self._envelope.shell, [name for name in catalogue.nouns() if name in nouns])
        return planning.plan(
            self._assessment.compared,
            findings,
            self._assessment.readings,
            self._assessment.last,
            choice,
            rights,
            self._assessment.server.version,
        )

    def _concluded(self, outcome: Outcome, notes: list[str], lines: list[str]) -> tuple[Run, dict[str, Any]]:
        findings: tuple[Finding, ...] = tuple(outcome.findings.values())
        if self._task.keeps:
            remember(
                self._task,
                _as_corrected(self._assessment, outcome),
                self._now,
                findings,
                corrections=outcome.corrected,
                not_kept=outcome.not_kept,
            )
        run = replace(
            self._assessment.run(self._task, self._now, "enforce"),
            findings=findings,
            commands=tuple(lines),
            follow_ups=tuple(outcome.follow_ups),
            journal=str(self._journal) if outcome.corrected else "",
            notes=tuple(notes),
        )
        results = outcome.results
        statuses = {each.status for each in findings if each.counts or each.status is Status.CORRECTED}
        order = (Status.UNKNOWN, Status.DRIFTED, Status.CORRECTED)
        status = next((each for each in order if each in statuses), Status.IN_DESIRED_STATE)
        return run, {
            "changed": any(each.changed for each in results),
            "status": status.value,
            "before": {each.header: each.before for each in results},
            "after": {each.header: each.after for each in results},
            "drift": [entry.as_dict() for each in results for entry in each.drift],
            "commands": [command.as_text() for each in results for command in each.commands],
            "restore_commands": [
                command.as_text() for each in reversed(results) for command in each.restore_commands
            ],
            "diff": [each.as_dict()["diff"] for each in results if each.changed],
        }


def _as_corrected(assessment: Assessment, outcome: Outcome) -> Assessment:
    """What has been seen by the end of the run: the corrected values."""
    seen = dict(assessment.compared.seen)
    for key, (_before, after) in outcome.corrected.items():
        noun = seen.get(key[0])
        if noun is not None:
            values = {identity: dict(each) for identity, each in noun.values.items()}
            values.setdefault(key[1], {})[key[2]] = after
            seen[key[0]] = replace(noun, values=values)
    return replace(assessment, compared=replace(assessment.compared, seen=seen))
