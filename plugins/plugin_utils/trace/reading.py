# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Traces on the controller's disk, read from end to end: findings, and what was not looked at."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any

from .clocks import ClockDifference, Observations
from .findings import Days, Gathering, in_utc
from .records import OURS, Block, Record, grouped, order_of
from .source import CutOff, NotReadable, blocks, size_of, sources
from .telling import WORDS, call_of, interpreted, is_harmless

PROGRESS = 1 << 28
_RECOGNISED_WITHIN = 1 << 22
_STEP_BACK = 60.0
_CALL = re.compile(rb"\ncall-id:[ \t]*([^\s;]+)")
_OTHERS = (
    (re.compile(rb'utctime="[^"\n]*" module="'), "It is a log of Cisco Expressway or VCS"),
    (re.compile(rb"(?m)^\(\d\d:\d\d:\d\d\) sipe:"), "It is a log of Pidgin with SIPE"),
    (re.compile(rb"#015#012"), "It is a log that syslog wrote"),
)
Progress = Callable[[str, int], None]


class Reading:
    """One reading of some files and folders."""

    def __init__(self, evidence: int, utc_offset: float | None, progress: Progress) -> None:
        self._gathering = Gathering(evidence)
        self._observations = Observations()
        self._utc_offset = utc_offset
        self._progress = progress
        self._orders: dict[int, str] = {}
        self.files: list[dict[str, Any]] = []

    def read(self, paths: Sequence[Path]) -> None:
        files = [file for path in paths for file in files_of(path)]
        self._observations = Observations(sum(map(size_of, files)))
        for file in files:
            try:
                found = sources(file)
            except NotReadable as error:
                self.files.append(_entry(str(file), problem=str(error)))
                continue
            if not found:
                self.files.append(_entry(str(file), problem="It is an archive with nothing in it."))
            for source in found:
                self.read_stream(source.name, source.stem, blocks(source))

    def differences(self) -> list[ClockDifference]:
        return self._observations.differences(self._orders)

    def findings(self) -> list[dict[str, Any]]:
        return self._gathering.findings(self._orders, self.differences(), self._utc_offset)

    def uncatalogued(self) -> list[dict[str, Any]]:
        return self._gathering.uncatalogued()

    @property
    def all_calls_counted(self) -> bool:
        return self._gathering.all_calls_counted

    def read_stream(self, name: str, stem: str, stream: Iterable[bytes]) -> None:
        """Read text in UTF-8; ``stem`` is the server's name where records have none. ``stream`` may raise NotReadable
        and CutOff.
        """
        number = len(self.files)
        self._orders[number] = "mdy"
        entry = _entry(name)
        self.files.append(entry)
        days = Days()
        steps = _Steps()
        try:
            for block in grouped(self._counted(name, stream, entry)):
                self._recognise(block, entry)
                first = block.first_with_header()
                if first is not None and first.stamp is not None:
                    days.add(number, first.stamp)
                for record in block.records(WORDS, is_harmless):
                    server = record.where or stem
                    if record.stamp is not None:
                        days.add(number, record.stamp)
                        steps.add(server, record)
                    self._gathering.add(interpreted(record), record, name, server, number)
                self._observe(block, stem, number)
        except NotReadable as error:
            entry.update(problem=str(error), examined=False)
        if entry["kind"] is None:
            entry["examined"] = False
            entry["problem"] = entry["problem"] or (
                "It is empty."
                if not entry["bytes"]
                else "No record of a Lync or Skype for Business trace is in it."
            )
        order, known = order_of(days.dates())
        self._orders[number] = order
        if (span := days.span(self._orders)) is not None:
            entry.update(
                first=in_utc(span[0], self._utc_offset),
                last=in_utc(span[1], self._utc_offset),
                date_order=order,
                date_order_known=known,
            )
        entry["notes"] = steps.notes()

    def _counted(self, name: str, stream: Iterable[bytes], entry: dict[str, Any]) -> Iterator[bytes]:
        next_report = PROGRESS
        try:
            for block in stream:
                entry["bytes"] += len(block)
                if entry["bytes"] >= next_report:
                    self._progress(name, entry["bytes"])
                    next_report += PROGRESS
                yield block
        except CutOff as error:
            entry["problem"] = str(error)

    def _recognise(self, block: Block, entry: dict[str, Any]) -> None:
        """Find out whose file it is. Raises NotReadable for those of others."""
        if entry["kind"] in ("server_trace", "client_log"):
            return
        first = block.first_with_header()
        if first is not None:
            entry["kind"] = "client_log" if first.client else "server_trace"
            return
        if entry["kind"] is not None:
            return
        for pattern, sentence in _OTHERS:
            if pattern.search(block.text):
                raise NotReadable(f"{sentence}, and none of Lync or Skype for Business.")
        if OURS.search(block.text):
            entry["kind"] = "excerpt"
        elif entry["bytes"] > _RECOGNISED_WITHIN:
            raise NotReadable("No record of a Lync or Skype for Business trace is in its first 4 MiB.")

    def _observe(self, block: Block, stem: str, number: int) -> None:
        wanted = self._observations.wanted(_CALL.findall(block.text))
        if not wanted:
            return
        for match in _CALL.finditer(block.text):
            if match[1] not in wanted:
                continue
            for record in block.at(match.start() + 1):
                call = call_of(record.text)
                if record.stamp is not None and call is not None:
                    self._observations.add(record, call, record.where or stem, number)


class _Steps:
    """Where the times of one server's records step back."""

    def __init__(self) -> None:
        self._last: dict[str, Any] = {}
        self._worst: dict[str, float] = {}

    def add(self, server: str, record: Record) -> None:
        if record.stamp is None:
            return
        last = self._last.get(server)
        if last is not None and last.date == record.stamp.date:
            back = last.seconds - record.stamp.seconds
            if back > max(_STEP_BACK, self._worst.get(server, 0.0)):
                self._worst[server] = back
        if server in self._last or len(self._last) < 1000:
            self._last[server] = record.stamp

    def notes(self) -> list[str]:
        return [
            f"Times in records of {server} step back by {back:.0f} s: two searches in one file, or a clock was set."
            for server, back in self._worst.items()
        ]


def files_of(path: Path) -> list[Path]:
    """A file, or all that a folder holds."""
    if not path.is_dir():
        return [path]
    return sorted(each for each in path.rglob("*") if each.is_file())


def _entry(name: str, problem: str | None = None) -> dict[str, Any]:
    return {
        "path": name,
        "kind": None,
        "examined": problem is None,
        "problem": problem,
        "bytes": 0,
        "first": None,
        "last": None,
        "date_order": None,
        "date_order_known": None,
        "notes": [],
    }
