# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Accepting what was found: the value that is there is written into the baseline, or into a waiver that pins it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from ..powershell.shell import ManagementShell
from ..result.refusals import BadArgument, UnusableArgument
from ..settings import catalogue
from ..settings.identity import stored
from .assessing import Assessment, Task, assess, must_be_certain, remember
from .baseline import ABSENT, WAIVERS, with_object, with_order, with_property
from .documents import folded, read_text, write_atomically
from .exporting import objects_of, order_of
from .findings import Finding, Kind, Unknown
from .plan import chosen_ids
from .run import Run
from .state import Now
from .waivers import with_waiver


def accept(
    shell: ManagementShell, task: Task, now: Now, arguments: Mapping[str, Any]
) -> tuple[Run, dict[str, Any]]:
    """Read what is there now, and write it down. Raises BadArgument, with nothing written, where that cannot be."""
    ids = chosen_ids(arguments["ids"])
    assessment = assess(shell, task, now)
    must_be_certain(assessment.binding)
    findings = chosen(assessment.findings, ids)
    if arguments["into"] == "waiver":
        missing = [name for name in ("owner", "justification", "expires") if not arguments[name]]
        if missing:
            raise UnusableArgument("into", f"a waiver needs {', '.join(missing)} as well")
        accepted = into_waivers(
            task.baseline, findings, arguments["owner"], arguments["justification"], arguments["expires"]
        )
    else:
        accepted = into_baseline(assessment, task.baseline, findings)
    before = {path: read_text(path) if path.exists() else "" for path in accepted.texts}
    if task.keeps:
        _write(accepted.texts)
        task = replace(task, accepted=frozenset(map(folded, accepted.shapes)))
        assessment = assess(shell, task, now)
        remember(task, assessment, now, assessment.findings)
    changed = {path: text for path, text in accepted.texts.items() if text != before[path]}
    what = "Accepted" if task.keeps else "Would be accepted"
    run = replace(
        assessment.run(task, now, "accept"),
        notes=tuple(f"{what}: {each.id} {each.name} {each.property}".rstrip() for each in findings),
    )
    return run, {
        "changed": bool(changed or accepted.shapes),
        "files": sorted(str(path) for path in changed),
        "diff": [
            {
                "before": before[path],
                "after": text,
                "before_header": str(path),
                "after_header": str(path),
            }
            for path, text in changed.items()
        ],
    }


def _write(texts: Mapping[Path, str]) -> None:
    for path, text in texts.items():
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            write_atomically(path, text)
        except OSError as error:
            raise BadArgument(f"{path}: it cannot be written ({error.strerror or error}).") from None


@dataclass(frozen=True)
class Accepted:
    """``texts`` are the new texts of files, by path; ``shapes`` the nouns whose changed shape is accepted."""

    texts: Mapping[Path, str]
    shapes: frozenset[str] = frozenset()


NOT_ACCEPTABLE = frozenset((Kind.NOUN, Kind.REPORTED))


def chosen(findings: Iterable[Finding], ids: frozenset[str]) -> list[Finding]:
    """Raises UnusableArgument for an id that no finding has now."""
    found = [each for each in findings if each.id in ids]
    missing = sorted(ids - {each.id for each in found})
    if missing:
        raise UnusableArgument(
            "ids",
            f"{', '.join(missing)}: there is no such finding now. It was resolved, or has another value and another id",
        )
    return found


def into_baseline(assessment: Assessment, folder: Path, findings: Iterable[Finding]) -> Accepted:
    """Raises BadArgument for what is no matter of a baseline file."""
    texts: dict[Path, str] = {}
    shapes: set[str] = set()
    for finding in findings:
        if finding.kind is Kind.NOUN and finding.unknown is Unknown.SHAPE_CHANGED:
            shapes.add(finding.noun)
            continue
        if finding.kind in NOT_ACCEPTABLE:
            raise BadArgument(f"{finding.id}: {finding.name} is nothing that a baseline could accept.")
        elsewhere = asked_for_elsewhere(finding.origins, folder)
        if elsewhere:
            raise BadArgument(
                f"{finding.id}: {finding.name} {finding.property} is asked for by {elsewhere[0]}, which has "
                "to be changed there."
            )
        file = assessment.files.file_of(finding.noun)
        if file is None:
            raise BadArgument(f"{finding.id}: {finding.noun} has no file in {folder}.")
        path = Path(file.place.file)
        text = texts.get(path) or read_text(path)
        texts[path] = _edited(assessment, finding, text, str(path))
    return Accepted(texts, frozenset(shapes))


def _edited(assessment: Assessment, finding: Finding, text: str, name: str) -> str:
    reading = assessment.readings[finding.noun]
    if finding.kind is Kind.SEQUENCE:
        return with_order(text, name, order_of(reading) or ())
    if finding.kind in (Kind.VALUE, Kind.ORDER):
        return with_property(text, name, finding.identity, finding.property, finding.current)
    if finding.current == ABSENT:
        return with_object(text, name, finding.identity, None)
    identity = stored(finding.identity, catalogue.noun(finding.noun).scopes)
    spelled = next(str(each) for each in reading.objects if each == identity)
    text = with_object(text, name, finding.identity, objects_of(reading)[spelled])
    order = order_of(reading)
    return text if order is None else with_order(text, name, order)


def asked_for_elsewhere(origins: Iterable[str], folder: str | Path) -> list[str]:
    """The origins that no baseline can answer."""
    return [origin for origin in origins if not origin.startswith(f"{folder}/")]


def into_waivers(
    folder: Path, findings: Iterable[Finding], owner: str, justification: str, expires: str
) -> Accepted:
    path = folder / WAIVERS
    text = read_text(path) if path.exists() else None
    for finding in findings:
        if finding.kind in NOT_ACCEPTABLE:
            raise BadArgument(f"{finding.id}: {finding.name} is nothing that could be waived.")
        waiver: dict[str, Any] = {
            "noun": finding.noun,
            "identity": finding.identity,
            "property": finding.property,
            "value": finding.current,
            "owner": owner,
            "justification": justification,
            "expires": expires,
        }
        text = with_waiver(text, str(path), waiver)
    return Accepted({path: text} if text is not None else {})
