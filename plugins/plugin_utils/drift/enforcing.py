# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Carrying a plan out: object by object, each read once more right before it is written, each change in the journal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..change.envelope import Envelope
from ..powershell.commands import Command, Switch
from ..powershell.errors import ManagementShellError
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.failures import kind_of
from ..result.refusals import ChangeFailed, Refused, UnusableArgument
from ..result.result import Result
from ..result.status import Status
from ..settings import any_noun, apply, catalogue
from ..settings.identity import stored
from ..settings.nouns import Reading
from ..settings.reorder import reorder
from ..settings.resource import Collection, Desired, Resource
from .assessing import Assessment
from .baseline import ABSENT
from .documents import folded
from .findings import Finding, Key, Kind, Label, Trend, Unknown
from .plan import Plan, Step
from .requests import PRESENT
from .state import Now, State
from .waivers import STATE

COPY = Command("Export-CsConfiguration", {"AsBytes": Switch.PRESENT})
CMDLETS = (COPY.name,)


@dataclass
class Outcome:
    """What became of a plan: the findings as they are afterwards, and the results of the changes."""

    findings: dict[str, Finding]
    results: list[Result] = field(default_factory=list)
    not_kept: dict[Key, tuple[Any, str]] = field(default_factory=dict)
    follow_ups: list[str] = field(default_factory=list)
    corrected: dict[Key, tuple[Any, Any]] = field(default_factory=dict)


def copy_store(shell: ManagementShell, state: State, now: Now, keep: int) -> str:
    """A copy of the whole store before the first enforcing run of a day; what is to be said of it."""
    if state.has_copy_of(now.today):
        return ""
    try:
        results: Results = shell.run(COPY)
        if results.errors:
            raise shell.classify(results.errors[0])
    except ManagementShellError as error:
        return f"There is no copy of the store of today: {error}"
    content = b"".join(each for each in results.output if isinstance(each, bytes))
    content = content or bytes(each for each in results.output if isinstance(each, int) and 0 <= each < 256)
    if not content:
        return "There is no copy of the store of today: the server sent an empty one."
    return f"The store was copied before: {state.save_copy(now, content, keep)}"


def planned_lines(planned: Plan, assessment: Assessment) -> list[str]:
    """The Management Shell's lines of a plan, before anything of it is sent; what cannot be taken back is said."""
    return [line for step in planned.steps for line in _lines_of(step, assessment.readings[step.noun])]


def _lines_of(step: Step, reading: Reading) -> list[str]:
    resource = reading.resource
    if step.identity is None or resource is None:
        return [f"# {step.noun}: {', '.join(each.identity for each in step.findings)} back into their order"]
    if not step.present:
        line = Command(resource.cmdlet("Remove"), {"Identity": step.identity.argument}).as_text()
        if reading.noun.is_policy:
            line += "  # can be taken back as values only: grants of the policy are lost"
        return [line]
    actual = reading.objects.get(step.identity)
    if actual is None:
        return [
            Command(
                resource.cmdlet("New"), {"Identity": step.identity.argument, **resource.sent(step.values)}
            ).as_text()
        ]
    parameters = resource.compose(resource, step.identity, actual.values, step.values)
    return [Command(resource.cmdlet("Set"), parameters).as_text()]


def enforce(envelope: Envelope, assessment: Assessment, planned: Plan, now: str) -> Outcome:
    """Never raises what the server or the wire does: that becomes what is known of the findings."""
    outcome = _enforced(envelope, assessment, planned)
    made = [
        step
        for step in planned.steps
        if step.identity is not None
        and any(
            each.kind is Kind.MISSING and outcome.findings[each.id].status is Status.CORRECTED
            for each in step.findings
        )
    ]
    for step in made:
        for child in sorted(set(catalogue.noun(step.noun).children.values())):
            if child in assessment.compared.wanted and folded(child) in assessment.whole:
                for finding in _came_with(envelope, assessment, step, child, now):
                    outcome.findings[finding.id] = finding
    return outcome


def _came_with(envelope: Envelope, assessment: Assessment, step: Step, child: str, now: str) -> list[Finding]:
    """What a server made with an object, as a dial plan comes with a rule of its own, and nobody asks for."""
    noun, wanted = catalogue.noun(child), assessment.compared.wanted[child]
    made = Finding(
        assessment.server.deployment,
        child,
        "",
        STATE,
        Kind.EXTRA,
        Status.DRIFTED,
        PRESENT,
        ABSENT,
        noun.severity,
        f"The server made it with {step.noun} {step.identity}, and the baseline does not have it.",
        label=Label.SERVER_CHANGED,
        since=now,
        trend=Trend.NEW,
        held="objects that the baseline does not have are removed only where that is asked for",
    )
    try:
        listed = any_noun.read(envelope.shell, noun).listed
    except (ManagementShellError, Refused) as error:
        return [
            replace(
                made,
                property="",
                kind=Kind.NOUN,
                status=Status.UNKNOWN,
                current=None,
                desired=None,
                unknown=_unknown(error),
                detail=str(error),
                held="",
            )
        ]
    return [
        replace(made, identity=str(each.identity))
        for each in listed
        if each.identity.parent == step.identity and each.identity not in wanted
    ]


def _enforced(envelope: Envelope, assessment: Assessment, planned: Plan) -> Outcome:
    outcome = Outcome({each.id: each for each in planned.findings})
    stopped = ""
    for step in planned.steps:
        if stopped:
            _all(outcome, step, Unknown.NOT_REACHED, f"It was not tried: {stopped}")
            continue
        part = envelope.part()
        try:
            results = _carry_out(part, assessment, step)
        except _ChangedMeanwhile:
            sentence = "The object changed between the reading and the correction, so it was left alone."
            _all(outcome, step, Unknown.CHANGED_WHILE_READING, sentence)
            continue
        except ChangeFailed as failed:
            _failed(outcome, step, failed, assessment.server.version)
            if not part.all_ended:
                stopped = "an earlier change may still be at work"
            continue
        except (Refused, UnusableArgument) as refused:
            for each in step.findings:
                if outcome.findings[each.id].status is not Status.CORRECTED:
                    outcome.findings[each.id] = replace(
                        outcome.findings[each.id], held=str(refused).rstrip(".")
                    )
            continue
        except ManagementShellError as error:
            part.failure(error)
            _all(outcome, step, _unknown(error), str(error))
            if not part.all_ended or kind_of(error) != "command_error":
                stopped = str(error)
            continue
        _corrected(outcome, step, results)
    return outcome


class _ChangedMeanwhile(Exception):
    pass


def _carry_out(envelope: Envelope, assessment: Assessment, step: Step) -> list[Result]:
    reading = assessment.readings[step.noun]
    if step.identity is None:
        made = [
            stored(each.identity, reading.noun.scopes) for each in step.findings if each.kind is Kind.MISSING
        ]
        return [reorder(envelope, reading.noun, assessment.compared.orders[step.noun], made)]
    # What is removed comes back into its place, if it is ever to come back.
    table = any_noun.read(
        envelope.shell, reading.noun, with_priority=not step.present, verbs=("Set", "New", "Remove")
    )
    now = next((each for each in table.listed if each.identity == step.identity), None)
    if not is_as_seen(table.resource, reading.objects.get(step.identity), now):
        raise _ChangedMeanwhile
    request = Desired(step.identity, dict(step.values), present=step.present)
    return [apply.remediate(envelope, table.resource, request, listed=list(table.listed))]


def is_as_seen(resource: Resource, then: Collection | None, now: Collection | None) -> bool:
    """Whether an object is what the plan was made for, as its properties compare values."""
    if then is None or now is None:
        return then is now
    both = [p for p in resource.properties if p.option in then.values and p.option in now.values]
    return all(p.same(then.values[p.option], now.values[p.option]) for p in both)


# -- what became of it -----------------------------------------------------------------------------------------------


def _all(outcome: Outcome, step: Step, unknown: Unknown, sentence: str) -> None:
    for each in step.findings:
        outcome.findings[each.id] = replace(
            outcome.findings[each.id], status=Status.UNKNOWN, unknown=unknown, detail=sentence
        )


def _corrected(outcome: Outcome, step: Step, results: Sequence[Result]) -> None:
    outcome.results += results
    if any(each.status is Status.DRIFTED for each in results):
        return  # Check mode foretells.
    for each in step.findings:
        if step.identity is None and each.kind is Kind.MISSING:
            continue  # Whether it was made is known from the step that makes it.
        outcome.corrected[each.key] = (each.current, each.desired)
        outcome.findings[each.id] = replace(outcome.findings[each.id], status=Status.CORRECTED)
    changed = [each.property for each in step.findings if each.kind is Kind.VALUE]
    for follow_up in catalogue.noun(step.noun).follow_ups(changed):
        line = f"{follow_up.command}  # {step.noun}: {follow_up.reason}"
        if line not in outcome.follow_ups:
            outcome.follow_ups.append(line)


def _failed(outcome: Outcome, step: Step, failed: ChangeFailed, version: str) -> None:
    """Read back after a failure: some properties may be in place, some not, and some not known."""
    outcome.results.append(failed.result)
    after = failed.result.after
    if failed.result.status is Status.UNKNOWN or after is None:
        cause = failed.causes[0] if failed.causes else failed
        _all(outcome, step, _unknown(cause), str(failed))
        return
    for each in step.findings:
        if each.kind is Kind.VALUE and after.get(each.property) == each.desired:
            outcome.corrected[each.key] = (each.current, each.desired)
            outcome.findings[each.id] = replace(outcome.findings[each.id], status=Status.CORRECTED)
        elif failed.causes and outcome.findings[each.id].status is not Status.CORRECTED:
            outcome.findings[each.id] = replace(outcome.findings[each.id], held=str(failed).rstrip("."))
        else:
            if not failed.causes:
                outcome.not_kept[each.key] = (each.desired, version)
            outcome.findings[each.id] = replace(
                outcome.findings[each.id],
                status=Status.UNKNOWN,
                unknown=Unknown.FAILED if failed.causes else Unknown.NOT_KEPT,
                detail=str(failed),
            )


def _unknown(error: BaseException) -> Unknown:
    kinds: Mapping[str, Unknown] = {
        "timed_out": Unknown.TIMED_OUT,
        "task_timed_out": Unknown.TIMED_OUT,
        "cmdlet_not_offered": Unknown.NOT_PERMITTED,
        "command_error": Unknown.FAILED,
        "unreadable": Unknown.FAILED,
        "value_not_allowed": Unknown.FAILED,
        "journal_unusable": Unknown.FAILED,
        "change_failed": Unknown.FAILED,
    }
    return kinds.get(kind_of(error), Unknown.UNREACHABLE)
