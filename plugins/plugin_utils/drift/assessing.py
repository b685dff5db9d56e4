# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading a deployment and judging it: what every run does before it shows, corrects or accepts anything."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from ..change import journal
from ..powershell.shell import ManagementShell
from ..result.display import shown
from ..result.refusals import BadArgument, Unreadable, UnusableArgument
from ..result.severity import Severity
from ..result.status import Status
from ..settings import catalogue
from ..settings.comparison import Unacceptable
from ..settings.nouns import Outcome, Reading, read_nouns
from ..settings.resources.registry import RESOURCES
from . import baseline, deployment, manifest, requests, waivers
from .baseline import Baseline
from .comparing import SEQUENCE, Comparison, Server, compare
from .deployment import Binding
from .documents import Document, UnusableFile, folded
from .findings import Finding, Key, Kind, Resolved, Trend, Unknown
from .history import LastSeen, after_run, resolved, with_history
from .judging import Waived, explain, waive
from .manifest import Export, Manifest
from .requests import Requests, Wanted
from .rights import least_roles
from .run import Run
from .state import Now, State
from .waivers import STATE, Waiver


@dataclass(frozen=True)
class Task:
    """What a task asks for. ``baseline`` is the folder; ``nouns`` narrows down, folded, None for all.

    ``wanted`` is the variable drift_wanted, ``variables`` those of roles, ``results`` those of other tasks.
    ``journals`` are the folders that changes of our own are written down in. ``accepted`` are folded nouns whose
    changed shape is accepted. ``read_again`` is the least severity of a new difference whose noun is read once more.
    """

    deployment: str
    state: State
    baseline: Path
    host: str
    nouns: frozenset[str] | None = None
    wanted: Any = None
    variables: Mapping[str, Any] = field(default_factory=dict)
    results: Sequence[Mapping[str, Any]] = ()
    waiver_days: int = 366
    journals: tuple[Path, ...] = ()
    accepted: frozenset[str] = frozenset()
    read_again: Severity | None = None
    persists: bool = True
    collection_version: str = ""
    keeps: bool = True
    """Whether anything is written on the controller; a dry run does not."""

    def includes(self, noun: str) -> bool:
        return self.nouns is None or folded(noun) in self.nouns


@dataclass(frozen=True)
class Assessment:
    """All that is known of a deployment before anybody acts."""

    server: Server
    binding: Binding
    files: Baseline
    manifest: Manifest | None
    requests: Requests
    readings: Mapping[str, Reading]
    last: LastSeen
    compared: Comparison
    waived: Waived
    findings: tuple[Finding, ...]

    @property
    def whole(self) -> frozenset[str]:
        """The folded nouns of which the baseline names every object."""
        named = self.manifest.nouns if self.manifest else {}
        return self.requests.whole & {
            folded(name) for name, each in named.items() if each.state is Export.READ
        }

    def run(self, task: Task, now: Now, mode: str) -> Run:
        read = set(self.compared.seen)
        latest = task.state.latest_run() or {}
        before = str(latest.get("collection_version") or task.collection_version)
        return Run(
            server=self.server,
            mode=mode,
            time=now.text,
            id=now.run,
            state=str(task.state.root),
            baseline=str(task.baseline),
            findings=self.findings,
            as_wanted=sum(self.compared.as_wanted.values()),
            nouns=self.compared.nouns,
            resolved=tuple(self._gone(key) for key in resolved(self.last, self.findings, read)),
            coverage=self.compared.coverage,
            expired=self.waived.expired,
            expiring=self.waived.expiring,
            unmatched=self.waived.unmatched,
            has_history=task.persists,
            collection_version=task.collection_version,
            previous_version=before if before != task.collection_version else "",
        )

    def _gone(self, key: Key) -> Resolved:
        record = self.last.records[key]
        reading = next((each for name, each in self.readings.items() if folded(name) == key[0]), None)
        known = (reading.noun.name, *map(str, reading.objects), *reading.shape) if reading is not None else ()
        spelled = {folded(name): name for name in (*known, STATE, SEQUENCE)}
        noun, identity, name = (spelled.get(part, part) for part in key)
        return Resolved(record.id, noun, identity, name, record.since)


def server_of(shell: ManagementShell, task: Task) -> Server:
    return Server(task.deployment, task.host, shell.endpoint.account, shell.server_version() or "")


def bound(shell: ManagementShell, task: Task, from_manifest: Manifest | None) -> Binding:
    """The deployment, once it is certain that its name means it and no other. Where that takes more than could be read,
    raises Unreadable.
    """
    found = deployment.read_binding(shell)
    bindings = task.state.bindings()
    known = from_manifest.binding if from_manifest else None
    place = str(from_manifest.place) if from_manifest else ""
    deployment.must_be_same(task.deployment, found, bindings, known, place)
    if not found.is_whole:
        earlier = bindings.get(task.deployment, known)
        if earlier is None:
            raise Unreadable(f"Which deployment this is cannot be told ({found}).")
        return replace(found, sites=found.sites or earlier.sites)
    if task.keeps:
        task.state.bind(found)
    return found


def must_be_certain(binding: Binding) -> None:
    """Raises Unreadable where the deployment was recognised by its sites alone: enough to look at it, and no more."""
    if not binding.default_sip_domain:
        raise Unreadable(f"Which deployment this is is not certain ({binding}), so nothing was changed.")


def load_manifest(folder: Path) -> Manifest | None:
    path = folder / baseline.MANIFEST
    return manifest.parse(Document.at(path)) if path.exists() else None


def must_be_whole(files: Baseline, exported: Manifest | None, includes: Callable[[str], bool]) -> None:
    """A file that got lost would make everything in it look as wanted."""
    for name, each in (exported.nouns if exported else {}).items():
        if each.state is Export.READ and includes(name) and files.file_of(name) is None:
            raise UnusableFile(
                each.place or Path(files.folder),
                f"the export wrote {name}.yml, which is not there any more. Bring it back, or take the noun out of "
                "the manifest",
            )


def assess(shell: ManagementShell, task: Task, now: Now) -> Assessment:
    """Raises what makes all of it impossible: bad input as BadArgument, the state folder's errors, and the wire's."""
    files = baseline.load(task.baseline)
    exported = load_manifest(task.baseline)
    must_be_whole(files, exported, task.includes)
    asked = all_requests(files, task)
    if not asked.nouns:
        raise BadArgument(
            f"{task.baseline}: there is no baseline yet, and drift_wanted asks for nothing. Write one with "
            "lync.remediation.export_baseline."
        )
    pinned = load_waivers(task, asked, now)
    last = task.state.load()
    binding = bound(shell, task, exported)
    readings = read_nouns(shell, _with_references(asked.nouns))
    withheld = [
        each.noun.cmdlet("Get") for each in readings.values() if each.outcome is Outcome.NOT_PERMITTED
    ]
    server = server_of(shell, task)
    server = replace(server, roles=least_roles(shell, withheld)) if withheld else server
    compared = compare(server, asked, readings, last, exported, now.text, task.accepted)
    findings = with_history(compared.findings, last, now.text)
    doubtful = nouns_to_read_again(findings, task.read_again)
    if doubtful:
        readings = {**readings, **read_nouns(shell, doubtful)}
        compared = compare(server, asked, readings, last, exported, now.text, task.accepted)
        findings = with_history(compared.findings, last, now.text)
    entries = [entry for folder in task.journals for entry in journal.entries(folder)]
    findings = explain(findings, sorted(entries, key=lambda entry: entry.time), _same(readings))
    findings += with_history(reported(task.deployment, task.results, compared), last, now.text)
    waived = waive(findings, pinned, now.today, _same(readings))
    return Assessment(
        server, binding, files, exported, asked, readings, last, compared, waived, waived.findings
    )


def nouns_to_read_again(findings: Sequence[Finding], least: Severity | None) -> list[str]:
    """The nouns that have a difference of that severity or a worse one which the run before did not have."""
    severities = list(Severity)
    chosen = [] if least is None else severities[severities.index(least) :]
    nouns = [
        each.noun
        for each in findings
        if each.status is Status.DRIFTED and each.severity in chosen and each.trend is not Trend.STILL
    ]
    return list(dict.fromkeys(nouns))


def all_requests(files: Baseline, task: Task) -> Requests:
    found = requests.from_baseline(files, task.includes)
    further = [
        *(requests.from_variable(task.wanted) if task.wanted is not None else ()),
        *requests.from_federation_role(task.variables),
    ]
    chosen = tuple(each for each in further if task.includes(each.noun))
    return replace(found, requests=found.requests + chosen)


def load_waivers(task: Task, asked: Requests, now: Now) -> tuple[Waiver, ...]:
    path = task.baseline / baseline.WAIVERS
    if not path.exists():
        return ()
    known = {folded(name) for name in catalogue.nouns()}
    # A run that looks at fewer nouns has the same file.
    scope = known if task.nouns is not None else {folded(noun) for noun in asked.nouns}
    return waivers.parse(
        Document.at(path),
        today=now.today,
        longest=task.waiver_days,
        known=lambda noun: folded(noun) in known,
        in_scope=scope,
    )


def _with_references(nouns: Sequence[str]) -> list[str]:
    """The nouns, and those that their objects refer to: only so can it be known what a reference leads to."""
    needed = dict.fromkeys(nouns)
    for name in nouns:
        for target in catalogue.noun(name).references.values():
            if not catalogue.noun(target).excluded:
                needed.setdefault(target)
    return [name for name in catalogue.nouns() if name in needed]


def _same(readings: Mapping[str, Reading]) -> Callable[[Finding, Any], bool]:
    def same(finding: Finding, value: Any) -> bool:
        reading = readings.get(finding.noun)
        if folded(finding.property) == folded(STATE) or reading is None or reading.resource is None:
            return isinstance(value, str) and folded(value) == folded(str(finding.current))
        found = next(
            (p for p in reading.resource.properties if folded(p.option) == folded(finding.property)), None
        )
        if found is None:
            return bool(value == finding.current)
        try:
            accepted = None if value is None else found.comparison.accept(value)
        except Unacceptable:
            return False
        return found.same(finding.current, accepted)

    return same


def reported(
    deployment_name: str, results: Sequence[Mapping[str, Any]], compared: Comparison
) -> list[Finding]:
    """What other tasks of the run have found, as findings of this deployment. What the baseline asks for as well is a
    finding already; where it asks for something else, that is said.
    """
    found = []
    for number, result in enumerate(results):
        origin = f"task {result['task']}" if result.get("task") else f"drift_results[{number}]"
        drift = result.get("drift")
        if not isinstance(drift, Sequence) or isinstance(drift, str):
            raise UnusableArgument("results", f"number {number} is no result of a module of this collection")
        status = Status(result.get("status", Status.UNKNOWN.value))
        for each in drift:
            found_as = Status.CORRECTED if status is Status.CORRECTED else Status.DRIFTED
            finding = as_finding(deployment_name, each, found_as, origin)
            wanted = _wanted_of(compared, finding)
            if wanted is None or wanted.value != finding.desired:
                detail = (
                    f"{wanted.origins[0]} contradicts this: it wants {shown(wanted.value)}."
                    if wanted is not None
                    else ""
                )
                found.append(replace(finding, detail=detail))
        if status is Status.UNKNOWN:
            found.append(
                Finding(
                    deployment_name,
                    str(result.get("resource", "task")),
                    str(number),
                    "",
                    Kind.REPORTED,
                    Status.UNKNOWN,
                    origins=(origin,),
                    unknown=Unknown.FAILED,
                    detail=str(result.get("msg", "")),
                )
            )
    return found


def as_finding(deployment_name: str, entry: Mapping[str, Any], status: Status, origin: str) -> Finding:
    """An entry of a module's drift under the Management Shell's names, where the module is one of settings."""
    resource = RESOURCES.get(str(entry["resource"]))
    names = {p.option: p.attribute or p.parameter for p in resource.properties} if resource else {}
    return Finding(
        deployment_name,
        resource.noun if resource else str(entry["resource"]),
        str(entry["identity"]),
        names.get(str(entry["property"]), str(entry["property"])),
        Kind.REPORTED,
        status,
        entry.get("current"),
        entry.get("desired"),
        Severity(entry["severity"]),
        str(entry["reason"]),
        (origin,),
    )


def _wanted_of(compared: Comparison, finding: Finding) -> Wanted | None:
    for identity, properties in compared.wanted.get(finding.noun, {}).items():
        if folded(str(identity)) == folded(finding.identity):
            return properties.get(folded(finding.property))
    return None


def remember(task: Task, assessment: Assessment, now: Now, findings: Sequence[Finding], **more: Any) -> None:
    """Keep what was seen, for the next run."""
    if task.keeps:
        task.state.save(after_run(assessment.last, findings, assessment.compared.seen, now.text, **more))


# -- what keeps a deployment from being judged at all ----------------------------------------------------------------

_REASONS = {
    "timed_out": Unknown.TIMED_OUT,
    "task_timed_out": Unknown.TIMED_OUT,
    "opening_timed_out": Unknown.TIMED_OUT,
    "cmdlet_not_offered": Unknown.NOT_PERMITTED,
    "no_rights_to_open_shell": Unknown.NOT_PERMITTED,
    "authentication_refused": Unknown.NOT_PERMITTED,
    "second_hop_denied": Unknown.NOT_PERMITTED,
    "command_error": Unknown.FAILED,
    "defect": Unknown.FAILED,
    "unreadable": Unknown.FAILED,
}


def unread_run(task: Task, now: Now, mode: str, sentence: str, failure: str) -> Run:
    """The run of a deployment that did not answer: incomplete, and nothing of it is taken for absent."""
    finding = Finding(
        task.deployment,
        "",
        task.host,
        "",
        Kind.NOUN,
        Status.UNKNOWN,
        severity=Severity.HIGH,
        unknown=_REASONS.get(failure, Unknown.UNREACHABLE),
        detail=sentence,
    )
    return Run(
        Server(task.deployment, task.host),
        mode,
        now.text,
        now.run,
        str(task.state.root),
        str(task.baseline),
        (finding,),
        failure=failure,
        has_history=task.persists,
        collection_version=task.collection_version,
    )


def refused_run(task: Task, now: Now, mode: str, sentence: str, failure: str) -> Run:
    return Run(
        Server(task.deployment, task.host),
        mode,
        now.text,
        now.run,
        str(task.state.root),
        str(task.baseline),
        refusal=sentence,
        failure=failure,
        has_history=task.persists,
        collection_version=task.collection_version,
    )
