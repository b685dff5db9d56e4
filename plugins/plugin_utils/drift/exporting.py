# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Writing a deployment down as a baseline."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from ..powershell.shell import ManagementShell
from ..result.display import shown
from ..result.refusals import BadArgument
from ..result.status import Status
from ..settings import catalogue
from ..settings.comparison import Comparison
from ..settings.kinds import Names, Order
from ..settings.nouns import Outcome, Reading, read_nouns, version_of
from . import baseline
from .assessing import Task, bound, load_manifest, must_be_certain, server_of
from .baseline import MANIFEST, render, updated
from .comparing import Server, seen_only
from .deployment import Binding
from .documents import folded, read_text, write_atomically
from .findings import Finding, Kind, Unknown
from .history import after_run
from .manifest import Export, Manifest, NounExport
from .manifest import render as render_manifest
from .state import Now

_SHOWN = 20
_EXPORTS = {
    Outcome.READ: Export.READ,
    Outcome.FAILED: Export.FAILED,
    Outcome.NOT_PERMITTED: Export.NOT_PERMITTED,
    Outcome.NOT_OFFERED: Export.NOT_IN_VERSION,
}


@dataclass(frozen=True)
class Exported:
    """``changed`` are the names of files that differ from what is there."""

    manifest: Manifest
    changed: tuple[str, ...]
    not_default: tuple[str, ...]


def export(shell: ManagementShell, task: Task, now: Now, excluded: Mapping[str, str]) -> Exported:
    """Read, and write the files unless the task keeps nothing. ``excluded`` are folded nouns with the reason.

    Raises BadArgument where a file is there that is no baseline, and where fewer nouns could be read than a baseline
    that is there has.
    """
    before = load_manifest(task.baseline)
    files = baseline.load(task.baseline)
    chosen = [
        each.name
        for each in catalogue.manageable()
        if task.includes(each.name) and folded(each.name) not in excluded
    ]
    binding = bound(shell, task, before)
    must_be_certain(binding)
    readings = read_nouns(shell, chosen)
    _must_not_shrink(readings, before, files)
    server = server_of(shell, task)
    texts = {
        _file_name(files, name): text_of(each, task.baseline / _file_name(files, name))
        for name, each in readings.items()
        if each.outcome is Outcome.READ
    }
    found = _manifest(task, server, binding, readings, excluded, now, before)
    changed = tuple(name for name, text in texts.items() if _differs(task.baseline / name, text))
    version = version_of(shell) or ""
    result = Exported(found, changed, tuple(not_default(readings, version)))
    if task.keeps:
        _write(task.baseline, texts, changed, found)
        last = task.state.load()
        task.state.save(after_run(last, (), seen_only(server, readings.values(), now.text), now.text))
    return result


def text_of(reading: Reading, path: Path) -> str:
    """The noun's file: whatever can be compared, every value, in an order that does not depend on the server's."""
    noun, objects, order = reading.noun.name, objects_of(reading), order_of(reading)
    return (
        updated(read_text(path), str(path), noun, objects, order)
        if path.exists()
        else render(noun, objects, order)
    )


def objects_of(reading: Reading) -> dict[str, dict[str, Any]]:
    """What means the same is written in the same way: null for an empty text, and sorted where order means nothing."""
    kinds = {p.option: p.comparison for p in reading.as_read.resource.properties}
    return {
        str(identity): {name: _written(kinds[name], value) for name, value in each.server_values.items()}
        for identity, each in reading.objects.items()
    }


def _written(kind: Comparison, value: Any) -> Any:
    if isinstance(kind, Names):
        return (
            sorted(value or (), key=lambda item: (folded(item), item))
            if kind.order is Order.MEANS_NOTHING
            else value or []
        )
    return None if value == "" else value


def order_of(reading: Reading) -> list[str] | None:
    """Scope by scope, and within each as the priorities have it."""
    if not reading.noun.has_priority:
        return None
    groups: dict[str, list[str]] = {}
    for each in reading.order:
        groups.setdefault(str(each.parent) if each.item else "", []).append(str(each))
    return [name for scope in sorted(groups, key=baseline.sort_key) for name in groups[scope]]


def _file_name(files: baseline.Baseline, name: str) -> str:
    """The file that the noun has already, however somebody spelled it."""
    known = files.file_of(name)
    return Path(known.place.file).name if known else f"{name}.yml"


def _differs(path: Path, text: str) -> bool:
    return not path.exists() or read_text(path) != text


def _must_not_shrink(
    readings: Mapping[str, Reading], before: Manifest | None, files: baseline.Baseline
) -> None:
    """A whole export is never replaced by a partial one."""
    lost = [
        name
        for name, each in readings.items()
        if each.outcome is not Outcome.READ
        and (files.file_of(name) is not None or (before and before.state_of(name) is Export.READ))
    ]
    if lost:
        first = readings[lost[0]]
        why = first.failure or f"{first.noun.cmdlet('Get')} is not offered to this account."
        raise BadArgument(
            f"{', '.join(lost[:5])}{' and others' if len(lost) > 5 else ''} could be read when the baseline was "
            f"written, and cannot be read now. {why} The baseline was left as it is. To write the "
            "others, exclude these"
        )


def _manifest(
    task: Task,
    server: Server,
    binding: Binding,
    readings: Mapping[str, Reading],
    excluded: Mapping[str, str],
    now: Now,
    before: Manifest | None,
) -> Manifest:
    """What was asked for this time, beside what an earlier export has of other nouns."""
    nouns: dict[str, NounExport] = {}
    if before is not None and task.nouns is not None:
        nouns = {catalogue.noun(name).name: each for name, each in before.nouns.items()}
    for name, each in readings.items():
        nouns[name] = NounExport(_EXPORTS[each.outcome], len(each.objects), each.failure)
    for name, reason in excluded.items():
        nouns[catalogue.noun(name).name] = NounExport(Export.EXCLUDED, note=reason)
    return Manifest(
        binding,
        task.deployment,
        now.text,
        task.host,
        server.account,
        server.version,
        task.collection_version,
        nouns,
    )


def _write(folder: Path, texts: Mapping[str, str], changed: Sequence[str], found: Manifest) -> None:
    """The manifest last: as long as it is the old one, the new files are not vouched for."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        for name in changed:
            write_atomically(folder / name, texts[name])
        write_atomically(folder / MANIFEST, render_manifest(found))
    except OSError as error:
        raise BadArgument(f"The baseline {folder} cannot be written ({error.strerror or error})") from None


def not_default(readings: Mapping[str, Reading], version: str) -> list[str]:
    """Values that are not the documented default of this version, so that none is blessed without being seen."""
    found = []
    for reading in readings.values():
        if reading.resource is None:
            continue
        for identity, each in reading.objects.items():
            for p in reading.resource.properties:
                documented = reading.noun.documented(p.option)
                default = documented.default_in(version) if documented else None
                if default is None or p.option not in each.values:
                    continue
                if not p.same(each.values[p.option], default):
                    found.append(
                        f"{reading.noun.name} {identity} {p.option}: {shown(each.values[p.option])}, and the "
                        f"documented default is {shown(default)}"
                    )
    return found


def unread(deployment: str, found: Manifest) -> tuple[Finding, ...]:
    """What could not be read, and is neither forbidden nor excluded: the export is incomplete."""
    return tuple(
        Finding(
            deployment,
            name,
            "",
            "",
            Kind.NOUN,
            Status.UNKNOWN,
            severity=catalogue.noun(name).severity,
            unknown=Unknown.FAILED,
            detail=each.note,
        )
        for name, each in found.nouns.items()
        if each.state is Export.FAILED
    )


def lines(task: Task, exported: Exported) -> list[str]:
    """What was written, and what is not as the documentation has it."""
    nouns = exported.manifest.nouns
    numbers = {state: sum(each.state is state for each in nouns.values()) for state in Export}
    objects = sum(each.objects for each in nouns.values())
    verb = "written" if task.keeps else "that would be written"
    found = [
        f"{task.deployment}: {numbers[Export.READ]} nouns, {objects} objects, {len(exported.changed)} files {verb} to",
        str(task.baseline),
        f"  {numbers[Export.FAILED]} failed, {numbers[Export.NOT_PERMITTED]} not permitted, "
        f"{numbers[Export.NOT_IN_VERSION]} not in this version, {numbers[Export.EXCLUDED]} excluded",
    ]
    found += [f"  {name}: {each.note}" for name, each in nouns.items() if each.state is Export.FAILED]
    if exported.not_default:
        found += ["", "Not the documented default. Is each of these meant?"]
        found += [f"  {line}" for line in exported.not_default[:_SHOWN]]
        more = len(exported.not_default) - _SHOWN
        found += [f"  and {more} more, in not_default of the result"] if more > 0 else []
    return found
