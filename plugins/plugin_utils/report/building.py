# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""From what a run has shown to the model of its report: every row in one of the five counts, and each counted once.

The model is plain values, as the JSON file holds them and ``report.schema.json`` describes them. Pure functions.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..drift.accepting import NOT_ACCEPTABLE, asked_for_elsewhere
from ..drift.assessing import as_finding
from ..drift.documents import folded
from ..drift.findings import Finding, Kind, Unknown
from ..drift.judging import CORRECTABLE
from ..drift.run import EXIT_CODES, Verdict, counted_once, worst, worst_of
from ..drift.summary import playbook_line
from ..result.severity import Severity
from ..result.spans import span_text
from ..result.status import Status
from ..settings.resources.registry import RESOURCES
from . import history, words
from .counting import AS_WANTED, CORRECTED, DRIFTED, OPEN, UNKNOWN, WAIVED, count_of, counted, trends
from .gathered import CLOCKS, DRIFT, VERDICT, Answer, Gathered, UnusableReport, judges
from .history import History, Record

FORMAT = 1
_CORRECTABLE = frozenset(each.value for each in CORRECTABLE)
_NOT_ACCEPTABLE = frozenset(each.value for each in NOT_ACCEPTABLE)
_SEVERITIES = [each.value for each in Severity]
_HOST = "host"
_DRIFT = "drift"
_CLOCK = "clock"
_WHY_NOT = {
    "unreachable": "It could not be reached",
    "failed": "It failed before anything was judged",
    "skipped": "Every task that judges it was skipped",
    "not_reached": "The run ended before it came to this host",
}
_ENDED = {"unreachable": "It could not be reached any more", "failed": "It failed"}
_UNKNOWN_OF_HOST = {"unreachable": Unknown.UNREACHABLE, "failed": Unknown.FAILED}
_OF_CLOCKS = ("clock", "time_zone", "time_service")
_CHANGED_BY = {"certificate_judgement": "certificate_assignment"}
_CLOCK_TROUBLES = {"not_known": "Its clock is not known.", "unclear": "It is unclear whose clock is right."}


@dataclass(frozen=True)
class Place:
    """Where a row belongs. Without a pool and a server it is one of the deployment as a whole."""

    deployment: str
    pool: str = ""
    server: str = ""


@dataclass
class _Object:
    """What tasks have said of one object, the last one deciding; what was corrected stays so."""

    place: Place
    host: str
    module: str
    is_as_wanted: bool = False
    findings: dict[str, dict[str, Any]] = field(default_factory=dict)


def name_of(gathered: Gathered) -> str:
    """What the report is called where nobody says: runs that check, correct or accept drift have one in common."""
    if gathered.modules <= DRIFT and gathered.modules != {"drift_export"}:
        return _DRIFT
    name = gathered.playbook.rsplit("/", 1)[-1]
    return name.rpartition(".")[0] if name.endswith((".yml", ".yaml")) else name.rpartition(".")[2]


def build(gathered: Gathered, past: History, keep: int) -> tuple[dict[str, Any], History]:
    """The model, and the history with this run. Raises UnusableReport for what a task hands in and cannot be meant."""
    work = _Work(gathered)
    for answer in gathered.answers:
        work.take(answer)
    return work.model(past, keep)


class _Work:
    def __init__(self, gathered: Gathered) -> None:
        self._gathered = gathered
        self._deployments: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._objects: dict[tuple[str, ...], _Object] = {}
        self._handed_in: dict[tuple[str, str], Mapping[str, Any]] = {}
        self._clocks: dict[str, dict[str, Any]] = {}
        self._by_host: dict[str, dict[str, Answer]] = {}
        self._verdict: str | None = None
        self._judged: set[str] = set()
        self._sources: set[tuple[str, str]] = set()
        self._said: dict[str, tuple[str, str]] = {}
        self._places: dict[str, Place] = {}

    # -- taking answers ----------------------------------------------------------------------------------------

    def take(self, answer: Answer) -> None:
        result = answer.result
        if answer.module == VERDICT:
            if answer.outcome == "ok":
                known = [str(result.get("verdict")), *([self._verdict] if self._verdict is not None else [])]
                self._verdict = worst_of({"verdict": each} for each in known).value
        elif isinstance(result.get("report"), Mapping) and answer.outcome == "ok":
            self._handed_in[answer.module, answer.host] = _checked(result["report"], answer)
            self._judge(answer, result["report"].get("judged") or answer.speaks_for or (answer.host,))
        elif answer.module in DRIFT and isinstance(result.get("findings"), Sequence):
            self._deployment(answer)
        elif answer.module == CLOCKS and answer.outcome == "ok":
            self._take_clocks(answer)
        elif judges(answer.module) and answer.outcome == "ok" and isinstance(result.get("results"), Mapping):
            self._by_host.setdefault(answer.module, {}).update(dict.fromkeys(result["results"], answer))
            self._judge(answer, result["results"])
        elif judges(answer.module) and isinstance(result.get("drift"), Sequence) and "status" in result:
            self._object(answer)
        elif judges(answer.module):
            self._said.setdefault(answer.host, (answer.outcome, str(result.get("msg") or "")))

    def _judge(self, answer: Answer, hosts: Iterable[str]) -> None:
        self._judged.update(hosts)
        self._sources.add((answer.module, answer.host))

    def _deployment(self, answer: Answer) -> None:
        self._judge(answer, (answer.host,))
        result = answer.result
        if not result.get("failure"):
            self._sources.add((_DRIFT, answer.host))
        name = str(result.get("deployment") or answer.host)
        same = result.get("same_deployment_as")
        if same:
            self._deployments.setdefault((name, str(same)), {**result, "same_deployment_as": None})
        else:
            self._deployments[name, answer.host] = result

    def _take_clocks(self, answer: Answer) -> None:
        servers = answer.result.get("servers") or {}
        self._judge(answer, servers)
        for name, decision in (answer.result.get("deployments") or {}).items():
            own = {host: each for host, each in servers.items() if (each["deployment"] or "") == name}
            self._clocks[name] = {"decision": decision, "servers": own, "host": answer.host}
            for host, each in own.items():
                named = self._gathered.hosts.get(host) or name
                self._places[host] = self._places[str(each["computer"])] = Place(
                    named, str(each["pool"] or ""), str(each["computer"])
                )

    def _object(self, answer: Answer) -> None:
        """What a module says of one object. One that is as wanted is one row, and each difference is one."""
        result = answer.result
        status = Status(result["status"])
        noun, identity = _named(answer)
        place = self._place(answer, identity)
        key = self._key(place, answer.host, noun, identity) if identity else (answer.host, noun, answer.task)
        found = self._objects.setdefault(key, _Object(place, answer.host, answer.module))
        found.is_as_wanted = False
        entries = [each for each in result["drift"] if isinstance(each, Mapping)]
        corrected = {k: v for k, v in found.findings.items() if v["status"] == CORRECTED}
        if status is Status.UNKNOWN:
            found.findings = corrected
            unknown = Unknown.UNREACHABLE if answer.outcome == "unreachable" else Unknown.FAILED
            described = Finding(
                place.deployment,
                noun,
                identity or answer.host,
                "",
                Kind.REPORTED,
                status,
                origins=(_origin(answer),),
                unknown=unknown,
                detail=str(result.get("msg") or ""),
            )
            found.findings[""] = self._row(described.as_dict(), place, answer.host)
        elif status is Status.IN_DESIRED_STATE:
            found.findings = corrected
            found.is_as_wanted = not corrected
        else:
            found.findings.pop("", None)
            for each in entries or [_whole(noun, identity or answer.host, str(result.get("msg") or ""))]:
                finding = as_finding(place.deployment, each, status, _origin(answer))
                own = self._place(answer, finding.identity)
                lines = [str(line) for line in result.get("commands") or ()]
                finding = replace(finding, command="\n".join(lines), detail=str(result.get("msg") or ""))
                row = self._row(finding.as_dict(), own, answer.host)
                found.findings[f"{folded(finding.identity)} {folded(finding.property)}"] = row
        self._judge(answer, answer.speaks_for or (answer.host,))
        if status is Status.UNKNOWN:
            self._sources.discard((answer.module, answer.host))

    def _place(self, answer: Answer, identity: str) -> Place:
        """A computer's rows belong to the computer, all others to its deployment."""
        deployment = self._gathered.hosts.get(answer.host) or ""
        names = {folded(host): host for host in (*self._gathered.hosts, *self._places)}
        host = names.get(folded(identity)) if identity else None
        if host is None:
            return Place(
                deployment or (self._places[answer.host].deployment if answer.host in self._places else "")
            )
        return self._places.get(host, Place(self._gathered.hosts.get(host) or deployment, "", host))

    def _key(self, place: Place, host: str, *names: str) -> tuple[str, ...]:
        """What is one thing: where the deployment has no name, another host may mean another deployment."""
        return (folded(place.deployment or host), *map(folded, names))

    def _row(self, finding: Mapping[str, Any], place: Place, host: str) -> dict[str, Any]:
        found = {
            **finding,
            "deployment": place.deployment,
            "pool": place.pool,
            "server": place.server,
            "host": host,
            "runs": 1,
            "put_back": "",
            "keep": "",
        }
        if not found["deployment"]:
            parts = [
                host,
                found["noun"],
                found["identity"],
                found["property"],
                found["current"],
                found["desired"],
            ]
            found["id"] = _hash(parts)
        return {**found, "count": count_of(found)}

    # -- the model ---------------------------------------------------------------------------------------------

    def model(self, past: History, keep: int) -> tuple[dict[str, Any], History]:
        gathered = self._gathered
        rows: dict[tuple[str, ...], dict[str, Any]] = {}
        as_wanted: Counter[Place] = Counter()
        for known in self._objects.values():
            as_wanted[known.place] += known.is_as_wanted
            for row in known.findings.values():
                rows[self._row_key(row)] = row
        counting = {id(each) for each in counted_once(self._deployments.values())}
        for (name, _host), result in self._deployments.items():
            if id(result) not in counting:
                continue
            as_wanted[Place(name)] += int(result["counts"][AS_WANTED])
            for finding in result["findings"]:
                row = self._row(finding, Place(name), str(result["host"]))
                rows[self._row_key(row)] = {**row, **_lines(row, result), "module": _DRIFT}
        for (module, at), handed_in in self._handed_in.items():
            self._add_handed_in(module, at, handed_in, rows, as_wanted)
        self._add_clocks(rows, as_wanted)
        self._add_by_host(rows, as_wanted)
        hosts = self._hosts()
        self._say_where_the_run_ended(hosts, rows.values())
        for host in hosts:
            if host["outcome"] != "judged":
                row = self._unjudged(host)
                rows[self._row_key(row)] = row
        remembered = {id(row) for row in rows.values() if row["trend"]}
        gone, records = self._with_history(rows, remembered, past)
        findings = sorted(rows.values(), key=_worst_first)
        deployments = self._summed(findings, as_wanted, gone)
        all_counts = counted(findings, sum(as_wanted.values()))
        mode = self._mode()
        verdict = self._overall(deployments)
        earlier = past.runs[-1] if past.runs else {}
        version = str(earlier.get("collection_version") or gathered.collection_version)
        entry: dict[str, Any] = {
            "run": gathered.run,
            "time": gathered.started,
            "mode": mode,
            "is_dry_run": gathered.is_dry_run,
            "verdict": verdict.value,
            "counts": all_counts,
            "trends": trends(findings, sum(each["trends"]["resolved"] for each in deployments)),
            "deployments": [each["name"] for each in deployments],
            "collection_version": gathered.collection_version,
        }
        new_history = history.after(past, entry, records, [each.key for each in gone], keep)
        same = [each for each in new_history.runs if set(each["deployments"]) == set(entry["deployments"])]
        for row in findings:
            row["runs"] = max(1, sum(row["since"] <= each["time"] for each in same))
        model: dict[str, Any] = {
            "format": FORMAT,
            "name": gathered.name,
            "run": gathered.run,
            "playbook": gathered.playbook,
            "arguments": list(gathered.arguments),
            "mode": mode,
            "is_dry_run": gathered.is_dry_run,
            "started": gathered.started,
            "ended": gathered.ended or gathered.started,
            "verdict": verdict.value,
            "exit_code": EXIT_CODES[verdict.value] if gathered.exits else None,
            "counts": all_counts,
            "trends": entry["trends"],
            "has_history": all(each["has_history"] for each in deployments),
            "collection_version": gathered.collection_version,
            "previous_collection_version": version if version != gathered.collection_version else "",
            "findings": findings,
            "deployments": deployments,
            "hosts": hosts,
            "clocks": self._clock_sections(),
            "sections": [section for each in self._handed_in.values() for section in each["sections"]],
            "history": same,
            "interval_minutes": gathered.interval,
            "missed": history.missed(same, gathered.interval),
            "last_complete": new_history.last_complete,
        }
        shown = {
            "word": words.word(model),
            "sentence": words.sentence(model),
            "not_checked": words.not_checked(model),
        }
        return {**model, **shown}, new_history

    def _row_key(self, row: Mapping[str, Any]) -> tuple[str, ...]:
        place = Place(row["deployment"])
        return self._key(place, row["host"], row["noun"], row["identity"], row["property"])

    def _add_handed_in(
        self,
        module: str,
        host: str,
        handed_in: Mapping[str, Any],
        rows: dict[tuple[str, ...], dict[str, Any]],
        as_wanted: Counter[Place],
    ) -> None:
        named = str(handed_in["deployment"] or self._gathered.hosts.get(host) or "")
        for each in handed_in["as_wanted"]:
            as_wanted[Place(named, each["pool"], each["server"])] += each["number"]
        for each in handed_in["findings"]:
            place = Place(named, each["pool"], each["server"])
            finding = Finding(
                named,
                each["noun"],
                each["identity"],
                each["property"],
                Kind.REPORTED,
                Status(each["status"]),
                each["current"],
                each["desired"],
                Severity(each["severity"]),
                each["reason"],
                tuple(each["origins"]),
                Unknown(each["unknown"]) if each["unknown"] else None,
                each["detail"],
                command=each["command"],
            )
            row = self._row(finding.as_dict(), place, host)
            # What is measured differs each time; what is found is the same.
            row = {**row, "id": _stable_id(row), "put_back": each["put_back"], "module": module}
            rows[self._row_key(row)] = row

    def _add_clocks(self, rows: dict[tuple[str, ...], dict[str, Any]], as_wanted: Counter[Place]) -> None:
        """A server's clock is one row, unless tasks have said more of it: each difference is one row then."""
        of_tasks = {folded(each.place.server) for each in self._objects.values() if each.module in _OF_CLOCKS}
        of_tasks |= {folded(row["server"]) for row in rows.values() if row["noun"] == _CLOCK}
        for clocks in self._clocks.values():
            for host, server in clocks["servers"].items():
                place = self._places[host]
                if folded(place.server) in of_tasks:
                    continue
                if server["verdict"] == "right":
                    as_wanted[place] += 1
                    continue
                is_known = server["verdict"] == "wrong"
                error = server["error_ms"]
                finding = Finding(
                    place.deployment,
                    _CLOCK,
                    place.server,
                    "",
                    Kind.REPORTED,
                    Status.DRIFTED if is_known else Status.UNKNOWN,
                    severity=Severity.CRITICAL if is_known else Severity.HIGH,
                    current=span_text(error / 1000, signed=True) if is_known and error is not None else None,
                    desired="right" if is_known else None,
                    reason=_CLOCK_TROUBLES.get(
                        server["verdict"], "Certificates, Kerberos and A/V authentication go by it."
                    ),
                    unknown=None if is_known else Unknown.FAILED,
                    detail=" ".join(map(str, server["said"])),
                )
                row = self._row(finding.as_dict(), place, clocks["host"])
                row = {**row, "id": _stable_id(row), "module": CLOCKS}
                rows[self._row_key(row)] = row

    def _add_by_host(self, rows: dict[tuple[str, ...], dict[str, Any]], as_wanted: Counter[Place]) -> None:
        """What a judgement says of each host is one row, unless a task has changed the same at that host."""
        changed = {(each.module, each.host) for each in self._objects.values()}
        for module, answers in self._by_host.items():
            noun = module.removesuffix("_judgement")
            for host, answer in answers.items():
                found = answer.result["results"][host]
                status = Status(found["status"])
                place = self._place(answer, host)
                if (_CHANGED_BY.get(module), host) in changed:
                    continue
                if status is Status.IN_DESIRED_STATE:
                    as_wanted[place] += 1
                    continue
                causes = [each for each in answer.result.get("findings") or () if host in each["hosts"]]
                severities = [each["severity"] for each in causes if each["severity"] in _SEVERITIES]
                remedies = [each["remedy"] for each in causes if each.get("remedy")]
                finding = Finding(
                    place.deployment,
                    noun,
                    host,
                    "",
                    Kind.REPORTED,
                    status,
                    severity=Severity(max(severities, key=_SEVERITIES.index, default=Severity.MEDIUM.value)),
                    reason=" ".join(map(str, found.get("reasons") or ())),
                    unknown=Unknown.FAILED if status is Status.UNKNOWN else None,
                    detail=" ".join(map(str, found.get("unknown") or ())),
                    command="\n".join(dict.fromkeys(remedies)),
                )
                row = self._row(finding.as_dict(), place, answer.host)
                row = {**row, "id": _stable_id(row), "module": module}
                rows[self._row_key(row)] = row

    def _hosts(self) -> list[dict[str, Any]]:
        """Every host that was to be judged, and what became of it."""
        found = []
        for host, deployment in self._gathered.hosts.items():
            if host in self._judged:
                outcome, message = "judged", ""
            elif host in self._gathered.lost:
                outcome, message = self._gathered.lost[host]
            else:
                outcome, message = self._said.get(host, ("not_reached", ""))
                outcome = "not_reached" if outcome == "ok" else outcome
            named = deployment or next((name for name, own in self._deployments if own == host), "")
            place = self._places.get(host)
            found.append(
                {
                    "name": host,
                    "deployment": named or (place.deployment if place else ""),
                    "outcome": outcome,
                    "message": message,
                }
            )
        return found

    def _say_where_the_run_ended(
        self, hosts: Iterable[dict[str, Any]], rows: Iterable[Mapping[str, Any]]
    ) -> None:
        """A run without a verdict may fail at a host that was judged, over something that none of its rows says."""
        places = {
            str(row[key]) for row in rows if row["count"] in OPEN for key in ("host", "server", "identity")
        }
        for host in hosts if not self._gathered.exits else ():
            if host["name"] in self._gathered.lost and host["name"] not in places:
                host["outcome"], host["message"] = self._gathered.lost[host["name"]]

    def _unjudged(self, host: Mapping[str, Any]) -> dict[str, Any]:
        name, outcome = str(host["name"]), str(host["outcome"])
        message = f": {host['message']}" if host["message"] else "."
        was_judged = name in self._judged
        finding = Finding(
            str(host["deployment"]),
            _HOST,
            name,
            "",
            Kind.REPORTED,
            Status.UNKNOWN,
            severity=Severity.HIGH,
            reason="The run did not get to its end here."
            if was_judged
            else "Nothing of this host was judged.",
            unknown=_UNKNOWN_OF_HOST.get(outcome, Unknown.NOT_REACHED),
            detail=f"{_ENDED[outcome] if was_judged else _WHY_NOT[outcome]}{message}",
        )
        row = self._row(finding.as_dict(), Place(str(host["deployment"])), name)
        return {**row, "kind": _HOST, "module": _HOST}

    def _with_history(
        self, rows: Mapping[tuple[str, ...], dict[str, Any]], remembered: Collection[int], past: History
    ) -> tuple[list[Record], list[Record]]:
        """Age and trend of what no state folder remembers; what of that is gone, and what is to be remembered."""
        now = self._gathered.started
        known = {each.key: each for each in past.records}
        sources = {*self._sources, *((_HOST, host) for host in self._judged)}
        records: list[Record] = []
        for key, row in rows.items():
            module = row.pop("module", "")
            if id(row) in remembered:
                continue
            trend, since = history.trend_of(known, key, now)
            row["since"] = row["since"] or since
            if row["count"] not in OPEN:
                continue
            row["trend"] = trend
            source = (module or self._module_of(row), str(row["host"]))
            names = (str(row["noun"]), str(row["identity"]), str(row["property"]))
            records.append(Record(key, str(row["id"]), source, names, since))
        open_now = {each.key for each in records}
        return history.resolved(past.records, open_now, sources), records

    def _module_of(self, row: Mapping[str, Any]) -> str:
        return next(
            (
                each.module
                for each in self._objects.values()
                if any(own is row for own in each.findings.values())
            ),
            "",
        )

    def _mode(self) -> str:
        modes = {str(each["mode"]) for each in self._deployments.values()}
        return next((each for each in ("enforce", "accept", "check", "export") if each in modes), "run")

    def _overall(self, deployments: Sequence[Mapping[str, Any]]) -> Verdict:
        if self._gathered.exits and self._verdict is None:
            return Verdict.REFUSED
        own = [Verdict(each["verdict"]) for each in deployments] or [Verdict.CLEAN]
        return worst([*own, *([Verdict(self._verdict)] if self._verdict is not None else [])])

    # -- deployments -------------------------------------------------------------------------------------------

    def _summed(
        self, findings: Sequence[Mapping[str, Any]], as_wanted: Mapping[Place, int], gone: Sequence[Record]
    ) -> list[dict[str, Any]]:
        places = {each for each, number in as_wanted.items() if number}
        places |= {Place(each["deployment"], each["pool"], each["server"]) for each in findings}
        names = {each.deployment for each in places} | {name for name, _host in self._deployments}
        by_place: dict[Place, list[Mapping[str, Any]]] = {}
        for each in findings:
            by_place.setdefault(Place(each["deployment"], each["pool"], each["server"]), []).append(each)
        found = []
        for name in sorted(names, key=folded):
            own = [place for place in places if place.deployment == name]
            rows = [row for place in own for row in by_place.get(place, ())]
            records = [each for each in gone if each.key[0] == folded(name)]
            results = [result for (each, _host), result in self._deployments.items() if each == name]
            found.append(self._deployment_of(name, own, rows, by_place, as_wanted, results, records))
        return sorted(found, key=_worst_deployment_first)

    def _deployment_of(
        self,
        name: str,
        places: Sequence[Place],
        rows: Sequence[Mapping[str, Any]],
        by_place: Mapping[Place, Sequence[Mapping[str, Any]]],
        as_wanted: Mapping[Place, int],
        results: Sequence[Mapping[str, Any]],
        gone: Sequence[Record],
    ) -> dict[str, Any]:
        """Where several hosts stand for one deployment, the one that could judge most speaks for it."""
        main: Mapping[str, Any] = max(results, key=lambda each: each["nouns"]["judged"], default={})
        counts = counted(rows, sum(as_wanted.get(place, 0) for place in places))
        resolved = [dict(each) for result in results for each in result.get("resolved") or ()]
        for each in gone:
            noun, identity, name_of_property = each.names
            resolved.append(
                {
                    "id": each.id,
                    "noun": noun,
                    "identity": identity,
                    "property": name_of_property,
                    "since": each.since,
                }
            )
        own = [_verdict_of(counts), *(Verdict(str(each["verdict"])) for each in results)]
        waivers = main.get("waivers") or {}
        baseline = str(main.get("baseline") or "")
        return {
            "name": name,
            "verdict": worst(own).value,
            "counts": counts,
            "trends": trends(rows, len(resolved)),
            "mode": str(main.get("mode") or "run"),
            "time": str(main.get("time") or self._gathered.started),
            "host": str(main.get("host") or ""),
            "hosts": [host for host, each in self._gathered.hosts.items() if each == name]
            or [host for each, host in self._deployments if each == name],
            "account": str(main.get("account") or ""),
            "server_version": str(main.get("server_version") or ""),
            "collection_version": str(main.get("collection_version") or self._gathered.collection_version),
            "previous_collection_version": str(main.get("previous_collection_version") or ""),
            "baseline": {"path": baseline, "commit": "", "time": "", "is_changed": False}
            | dict(self._gathered.baselines.get(baseline, {}))
            if baseline
            else None,
            "state": str(main.get("state") or ""),
            "journal": str(main.get("journal") or ""),
            "has_history": bool(main.get("has_history", True)),
            "nouns": dict(main.get("nouns") or {"judged": 0, "unread": 0}),
            "coverage": dict(main.get("coverage") or _NO_COVERAGE),
            "waivers": {
                "active": _unique([dict(each["waiver"]) for each in rows if each["count"] == WAIVED]),
                **{kind: list(waivers.get(kind) or ()) for kind in ("expired", "expiring", "unmatched")},
            },
            "resolved": resolved,
            "commands": list(main.get("commands") or ()),
            "take_back": _take_back(main),
            "follow_ups": list(main.get("follow_ups") or ()),
            "notes": list(main.get("notes") or ()),
            "refusal": next((str(each["refusal"]) for each in results if each.get("refusal")), ""),
            "failure": str(main.get("failure") or ""),
            "pools": _pools(places, by_place, as_wanted),
        }

    # -- clocks ------------------------------------------------------------------------------------------------

    def _clock_sections(self) -> list[dict[str, Any]]:
        found = []
        for name, clocks in sorted(self._clocks.items()):
            decision = clocks["decision"]
            servers = [
                {
                    "server": str(each["computer"]),
                    "pool": str(each["pool"] or ""),
                    "verdict": str(each["verdict"]),
                    "offset_ms": each["error_ms"],
                    "uncertainty_ms": each["uncertainty_ms"],
                    "zone": str(each["found"]["zone"] or ""),
                    "faults": list(each["faults"]),
                    "remarks": list(each["said"]),
                }
                for each in clocks["servers"].values()
            ]
            servers.sort(
                key=lambda each: (each["verdict"] == "right", -abs(each["offset_ms"] or 0), each["server"])
            )
            deployment = next((self._places[host].deployment for host in clocks["servers"]), name)
            found.append(
                {
                    "deployment": deployment,
                    "right": str(decision["right"]),
                    "why": str(decision["why"]),
                    "voters": [
                        {key: each[key] for key in ("name", "kind", "offset_ms", "uncertainty_ms", "decides")}
                        for each in decision["voters"]
                    ],
                    "servers": servers,
                }
            )
        return found


_NO_COVERAGE: Mapping[str, Any] = {
    "not_comparable": {},
    "not_permitted": [],
    "not_in_version": [],
    "excluded": [],
    "not_managed": {},
}


def _pools(
    places: Sequence[Place],
    by_place: Mapping[Place, Sequence[Mapping[str, Any]]],
    as_wanted: Mapping[Place, int],
) -> list[dict[str, Any]]:
    found = []
    for pool in sorted({each.pool for each in places}):
        own = [each for each in places if each.pool == pool]
        rows = [row for place in own for row in by_place.get(place, ())]
        servers = [
            (each.server, counted(by_place.get(each, ()), as_wanted.get(each, 0)))
            for each in sorted(own, key=lambda place: place.server)
            if each.server
        ]
        servers.sort(key=lambda each: _badness(each[1]))
        found.append(
            {
                "name": pool,
                "counts": counted(rows, sum(as_wanted.get(each, 0) for each in own)),
                "servers": [{"name": name, "counts": counts} for name, counts in servers],
            }
        )
    return sorted(found, key=lambda each: _badness(each["counts"]))


def _badness(counts: Mapping[str, int]) -> tuple[int, ...]:
    return tuple(-counts[name] for name in (DRIFTED, UNKNOWN, CORRECTED, WAIVED))


def _worst_deployment_first(deployment: Mapping[str, Any]) -> tuple[Any, ...]:
    rank = [each.value for each in Verdict].index(deployment["verdict"])
    return -rank, _badness(deployment["counts"]), folded(deployment["name"])


def _worst_first(row: Mapping[str, Any]) -> tuple[Any, ...]:
    """As findings.worst_first has it, over deployments."""
    return (
        row["count"] == WAIVED,
        row["count"] == UNKNOWN,
        row["count"] == CORRECTED,
        -_SEVERITIES.index(row["severity"]),
        row["trend"] != "new",
        folded(row["deployment"]),
        *(folded(row[name]) for name in ("noun", "identity", "property", "host")),
    )


def _verdict_of(counts: Mapping[str, int]) -> Verdict:
    if counts[DRIFTED]:
        return Verdict.DRIFT
    return Verdict.INCOMPLETE if counts[UNKNOWN] else Verdict.CLEAN


def _lines(row: Mapping[str, Any], result: Mapping[str, Any]) -> dict[str, str]:
    """The lines that put a finding of a baseline back, and keep it: only those that the playbooks take."""
    context = [str(each) for each in result.get("context") or ()]
    if not context or row["count"] not in OPEN:
        return {}
    lines = {}
    if row["count"] == DRIFTED and row["kind"] in _CORRECTABLE and not row["held"]:
        lines["put_back"] = playbook_line("enforce_baseline", context, {"drift_only": row["id"]})
    if row["count"] == DRIFTED:
        may_be_kept = row["kind"] not in _NOT_ACCEPTABLE and not asked_for_elsewhere(
            row["origins"], result["baseline"]
        )
    else:
        may_be_kept = row["unknown"] == Unknown.SHAPE_CHANGED.value
    if may_be_kept:
        lines["keep"] = playbook_line("accept_drift", context, {"drift_accept": row["id"]})
    return lines


def _take_back(result: Mapping[str, Any]) -> str:
    if not result.get("journal") or not result.get("context"):
        return ""
    variables = {"lync_remediation_journal": str(result["journal"]), "run": str(result["run"])}
    return playbook_line("roll_back", [str(each) for each in result["context"]], variables)


def _named(answer: Answer) -> tuple[str, str]:
    """The noun and the identity of the one object that a result is of; an empty identity where it does not say."""
    resource = RESOURCES.get(answer.module)
    noun = resource.noun if resource else answer.module
    result = answer.result
    for side in ("before", "after"):
        known = result.get(side)
        if isinstance(known, Mapping) and isinstance(known.get("identity"), str):
            return str(known.get("noun") or noun), str(known["identity"])
    identities = {
        (each["resource"], each["identity"]) for each in result["drift"] if isinstance(each, Mapping)
    }
    if len(identities) == 1:
        return noun, str(next(iter(identities))[1])
    return noun, ""


def _whole(noun: str, identity: str, sentence: str) -> dict[str, Any]:
    """A change that names no property."""
    return {
        "resource": noun,
        "identity": identity,
        "property": "",
        "current": None,
        "desired": None,
        "severity": Severity.MEDIUM.value,
        "reason": sentence,
    }


def _origin(answer: Answer) -> str:
    return ", ".join(filter(None, (f"task {answer.title}", answer.path)))


def _stable_id(row: Mapping[str, Any]) -> str:
    return _hash(
        [row["deployment"] or row["host"], row["noun"], row["identity"], row["property"], row["unknown"]]
    )


def _hash(parts: Sequence[Any]) -> str:
    text = json.dumps([folded(each) if isinstance(each, str) else each for each in parts], sort_keys=True)
    return hashlib.sha256(text.encode("ascii")).hexdigest()[:8]


def _unique(waivers: Iterable[dict[str, Any]]) -> list[dict[str, Any]]:
    found: dict[str, dict[str, Any]] = {}
    for each in waivers:
        found.setdefault(json.dumps(each, sort_keys=True), each)
    return sorted(found.values(), key=lambda each: (each["expires"], each["noun"], each["identity"]))


# -- what tasks hand in -----------------------------------------------------------------------------------------------

_FINDING: Mapping[str, Any] = {
    "property": "",
    "severity": Severity.MEDIUM.value,
    "reason": "",
    "detail": "",
    "command": "",
    "put_back": "",
    "pool": "",
    "server": "",
    "origins": [],
    "current": None,
    "desired": None,
    "unknown": None,
}
_REQUIRED = ("noun", "identity", "status")


def _checked(handed_in: Mapping[str, Any], answer: Answer) -> dict[str, Any]:
    """What a task hands in, with every key. Raises UnusableReport."""

    def refuse(problem: str) -> UnusableReport:
        return UnusableReport(f"{answer.module} on {answer.host}, report: {problem}.")

    allowed = {"deployment", "judged", "as_wanted", "findings", "sections"}
    if unknown := sorted(set(handed_in) - allowed):
        raise refuse(f"there is no key {unknown[0]}. Allowed: {', '.join(sorted(allowed))}")
    findings = []
    for each in handed_in.get("findings") or ():
        if missing := [key for key in _REQUIRED if not isinstance(each.get(key), str)]:
            raise refuse(f"a finding has no {missing[0]}")
        if unknown := sorted(set(each) - {*_FINDING, *_REQUIRED}):
            raise refuse(f"a finding has no key {unknown[0]}")
        found = {**_FINDING, **each}
        for key, values in (
            ("status", (DRIFTED, UNKNOWN, CORRECTED)),
            ("severity", _SEVERITIES),
            ("unknown", (None, *(reason.value for reason in Unknown))),
        ):
            if found[key] not in values:
                raise refuse(f"{key}: {found[key]!r} is not allowed")
        findings.append({key: value if key in _RAW else _text(value) for key, value in found.items()})
    as_wanted = handed_in.get("as_wanted") or []
    listed = [{"number": as_wanted}] if isinstance(as_wanted, int) else as_wanted
    numbers = [{"pool": "", "server": "", **each} for each in listed]
    if not all(isinstance(each.get("number"), int) and each["number"] >= 0 for each in numbers):
        raise refuse("as_wanted is a number, or a list of mappings with pool, server and number")
    sections = [
        {
            "title": _text(each.get("title", "")),
            "text": [_text(line) for line in each.get("text") or ()],
            "columns": [_text(column) for column in each.get("columns") or ()],
            "rows": [[_text(cell) for cell in row] for row in each.get("rows") or ()],
        }
        for each in handed_in.get("sections") or ()
    ]
    return {
        "deployment": handed_in.get("deployment") or "",
        "as_wanted": numbers,
        "findings": findings,
        "sections": sections,
    }


_RAW = ("current", "desired", "origins", "unknown")


def _text(value: Any) -> str:
    return "" if value is None else str(value)
