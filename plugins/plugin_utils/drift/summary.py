# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A run in lines for a terminal of 80 columns: the verdict, the worst findings, and the lines that put back or keep.

Lines that are meant to be pasted are never broken.
"""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from ..result.pasting import extra_variable
from ..result.severity import Severity
from ..result.status import Status
from .comparing import described_value
from .findings import Finding, Kind, Label
from .run import Run

_WIDTH = 79
_SHOWN = 5
_LABELS = {
    Label.SERVER_CHANGED: "changed on the server",
    Label.BASELINE_CHANGED: "changed in the baseline",
    Label.BOTH: "changed on the server and in the baseline",
    Label.FIRST_SEEN: "seen for the first time",
}

# By what a finding stands for, and by why it is unknown.
_NOT_KNOWN: Mapping[str, Mapping[str, str]] = {
    "deployment": {
        "": "could not be read",
        "unreachable": "could not be reached",
        "timed_out": "took too long to answer",
        "not_permitted": "may not be read",
    },
    "noun": {
        "": "could not be read",
        "timed_out": "took too long to read",
        "not_permitted": "may not be read",
        "shape_changed": "changed shape",
        "changed_while_reading": "changed while being read",
    },
    "host": {"": "had no turn", "unreachable": "could not be reached", "failed": "failed"},
    "thing": {"": "could not be judged"},
}
_NAMED = {"deployment": "deployment", "noun": "noun", "host": "identity"}


def headline(run: Run) -> str:
    """The verdict in one sentence, which never says that all is well where something is not known."""
    name = run.server.deployment or run.server.host
    if run.refusal:
        return f"{name}: refused. {run.refusal}"
    counts = run.counts
    parts = []
    if counts.drifted:
        worst = max((each.severity for each in _open(run)), key=list(Severity).index)
        number = sum(each.severity is worst for each in _open(run))
        of_them = f", {number} of them {worst.value}" if counts.drifted > 1 else f" ({worst.value})"
        parts.append(f"{counts.drifted} {_plural(counts.drifted, 'thing differs', 'things differ')}{of_them}")
    if counts.corrected:
        parts.append(f"{counts.corrected} corrected")
    if counts.unknown:
        unwaived = [each for each in run.findings if each.waiver is None]
        unknown = [each.as_dict() for each in unwaived if each.status is Status.UNKNOWN]
        parts.append(not_known([{**each, "deployment": "it"} for each in unknown]))
    if not parts:
        parts.append("everything is as wanted")
    return f"{name}: {'; '.join(parts)}."


def not_known(rows: Sequence[Mapping[str, Any]]) -> str:
    """What became of that which could not be judged: how many of what, or the name of what stands alone. ``rows`` are
    findings as they are saved, in this report and in others.
    """
    groups: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for each in rows:
        kind = each["kind"] if each["kind"] in _NOT_KNOWN else "thing"
        kind = "deployment" if kind == "noun" and not each["noun"] else kind
        said = _NOT_KNOWN[kind]
        groups.setdefault((kind, said.get(each["unknown"], said[""])), []).append(each)
    parts = []
    for kind, what in sorted(groups, key=lambda key: list(_NOT_KNOWN).index(key[0])):
        found = groups[kind, what]
        name = found[0][_NAMED[kind]] if len(found) == 1 and kind in _NAMED else ""
        number = f"{len(found)} {_plural(len(found), kind, f'{kind}s')}"
        parts.append(f"{name or number} {what}")
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def _open(run: Run) -> list[Finding]:
    return [each for each in run.findings if each.counts and each.status is Status.DRIFTED]


def _plural(number: int, one: str, many: str) -> str:
    return one if number == 1 else many


def lines(run: Run, context: Sequence[str] = (), shown: int = _SHOWN) -> list[str]:
    """``context`` are the arguments that every printed playbook command needs, such as the inventory."""
    found = [*_wrapped(headline(run))]
    if run.refusal:
        return found
    counts = run.counts
    found += _wrapped(
        f"{counts.drifted} differ, {counts.corrected} corrected, {counts.waived} waived, {counts.unknown} unknown, "
        f"{counts.as_wanted} as wanted: {counts.total} in all, of {run.nouns} nouns.",
        "  ",
    )
    if run.has_history:
        found += _wrapped(
            f"Since the last run: {counts.new} new, {counts.still} still, {counts.returned} returned, "
            f"{counts.resolved} resolved.",
            "  ",
        )
    else:
        found += _wrapped("No history: what is kept here is gone when this container is.", "  ")
    listed = [each for each in run.sorted_findings() if each.counts or each.status is Status.CORRECTED]
    for each in listed[:shown]:
        found += ["", *_finding(each)]
    if len(listed) > shown:
        found += ["", f"and {len(listed) - shown} more."]
    found += _waivers(run)
    found += _coverage(run)
    found += list(_commands(run, listed[:shown], context))
    if run.previous_version:
        found += _wrapped(
            f"This collection is {run.collection_version}, and was {run.previous_version} at the run before."
        )
    for note in run.notes:
        found += ["", *_wrapped(note)]
    if run.follow_ups:
        found += ["", "Still to be run by hand:", *run.follow_ups]
    return found


def _finding(finding: Finding) -> Iterator[str]:
    trend = finding.trend.value if finding.trend else ""
    since = f"since {finding.since[:16].replace('T', ' ')}" if finding.since and trend == "still" else trend
    word = "UNKNOWN" if finding.status is Status.UNKNOWN else finding.severity.value.upper()
    if finding.status is Status.CORRECTED:
        word = "CORRECTED"
    yield f"{finding.id}  {word}  {since}".rstrip()
    yield f"  {finding.name}  {finding.property}".rstrip()
    if finding.kind is not Kind.NOUN:
        is_corrected = finding.status is Status.CORRECTED
        yield from _value("was" if is_corrected else "now", finding.current)
        yield from _value("is" if is_corrected else "wanted", finding.desired)
    for origin in finding.origins[:2]:
        yield f"  from    {origin.removeprefix(f'{Path.cwd()}/')}"
    if finding.unknown is not None:
        yield from _wrapped(f"{finding.unknown.value}: {finding.detail}", "  ")
    elif finding.detail:
        yield from _wrapped(finding.detail, "  ")
    if finding.reason:
        yield from _wrapped(finding.reason, "  ")
    if finding.label is not None and finding.status is Status.DRIFTED:
        yield f"  It was {_LABELS[finding.label]}."
    if finding.explained is not None:
        module = finding.explained.module.rpartition(".")[2]
        yield from _wrapped(f"Our own run {finding.explained.run} ({module}) made it what it is.", "  ")
    if finding.held:
        yield from _wrapped(f"Left alone: {finding.held}.", "  ")


def _value(title: str, value: Any) -> Iterator[str]:
    yield from textwrap.wrap(
        described_value(value),
        _WIDTH,
        initial_indent=f"  {title:<6}  ",
        subsequent_indent=" " * 10,
        break_on_hyphens=False,
    ) or [f"  {title}"]


def _waivers(run: Run) -> Iterator[str]:
    for title, waivers in (
        ("Expired", run.expired),
        ("Expires within two weeks", run.expiring),
        ("Matches nothing any more", run.unmatched),
    ):
        for each in waivers:
            yield from _wrapped(
                f"{title}: the waiver of {each.noun} {each.identity} {each.property}, until {each.expires}, of "
                f"{each.owner} ({each.place})."
            )


def _coverage(run: Run) -> Iterator[str]:
    coverage = run.coverage
    properties = sum(len(reasons) for reasons in coverage.not_comparable.values())
    parts = []
    if coverage.not_permitted:
        parts.append(f"{len(coverage.not_permitted)} nouns are not permitted")
    if coverage.not_in_version:
        parts.append(f"{len(coverage.not_in_version)} are not in this version")
    if properties:
        parts.append(f"{properties} properties cannot be compared")
    if parts:
        yield ""
        yield from _wrapped(f"Not looked at: {', '.join(parts)}.")


def _commands(run: Run, listed: Sequence[Finding], context: Sequence[str]) -> Iterator[str]:
    if run.commands:
        yield ""
        yield "What was sent:" if run.mode == "enforce" and run.counts.corrected else "What would be sent:"
        yield from run.commands
        if run.journal and context:
            yield ""
            yield "To take it back:"
            variables = {"lync_remediation_journal": run.journal, "run": run.id}
            yield playbook_line("roll_back", context, variables)
        return
    drifted = [each for each in listed if each.status is Status.DRIFTED]
    by_hand = [each.command for each in drifted if each.command and not each.held]
    if by_hand:
        yield ""
        yield "To put it back in the Management Shell:"
        yield from by_hand
    if drifted and context:
        ids = ",".join(each.id for each in drifted)
        yield ""
        yield "To put it back from here, or to keep it (any of the ids, with commas):"
        yield playbook_line("enforce_baseline", context, {"drift_only": ids})
        yield playbook_line("accept_drift", context, {"drift_accept": ids})


def playbook_line(playbook: str, context: Sequence[str], variables: Mapping[str, str]) -> str:
    words = ["ansible-playbook", *context, f"lync.remediation.{playbook}"]
    for name, value in variables.items():
        words += extra_variable(name, value)
    return shlex.join(words)


def _wrapped(text: str, indentation: str = "") -> list[str]:
    return textwrap.wrap(
        text,
        _WIDTH,
        initial_indent=indentation,
        subsequent_indent=indentation,
        break_on_hyphens=False,
        break_long_words=False,
    )
