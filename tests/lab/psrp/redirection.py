# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Streams merged into a command's output, or thrown away: ``2>&1``, ``3>$null`` (MS-PSRP 2.2.3.12)."""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Literal

from psrpcore import Command
from psrpcore.types import (
    DebugRecord,
    ErrorRecord,
    InformationalRecord,
    InformationRecord,
    PipelineResultTypes,
    PSObject,
    RemoteStreamOptions,
    VerboseRecord,
    WarningRecord,
    add_note_property,
)

from ..contract import CommandEntry, RedirectedStream, RedirectedStreams, Streams
from .records import error_as_sent, informational

Redirections = Mapping[RedirectedStream, Literal["output", "null"]]

_TARGETS: Mapping[PipelineResultTypes, Literal["output", "null"]] = {
    PipelineResultTypes.Output: "output",
    PipelineResultTypes.Null: "null",
}


def redirections_of(command: Command) -> Redirections:
    """What a command of a CREATE_PIPELINE message asks for.

    PowerShell 2.0 clients say MergeMyResult and MergeToResult, which are about errors; later ones say it stream by
    stream too.
    """
    asked: dict[RedirectedStream, PipelineResultTypes] = {
        "error": command.merge_error,
        "warning": command.merge_warning,
        "verbose": command.merge_verbose,
        "debug": command.merge_debug,
        "information": command.merge_information,
    }
    if command.merge_my == PipelineResultTypes.Error and asked["error"] == PipelineResultTypes.none:
        asked["error"] = command.merge_to
    return {stream: _TARGETS[target] for stream, target in asked.items() if target in _TARGETS}


class MergedWarningRecord(WarningRecord):
    """With the mark of the stream it comes from (recorded), as the following ones."""

    @classmethod
    def ToPSObjectForRemoting(cls, instance: InformationalRecord, **details: Any) -> PSObject:
        return marked(super().ToPSObjectForRemoting(instance, **details), "WriteWarningStream")


class MergedVerboseRecord(VerboseRecord):
    @classmethod
    def ToPSObjectForRemoting(cls, instance: InformationalRecord, **details: Any) -> PSObject:
        return marked(super().ToPSObjectForRemoting(instance, **details), "WriteVerboseStream")


class MergedDebugRecord(DebugRecord):
    @classmethod
    def ToPSObjectForRemoting(cls, instance: InformationalRecord, **details: Any) -> PSObject:
        return marked(super().ToPSObjectForRemoting(instance, **details), "WriteDebugStream")


def marked(record: PSObject, mark: str) -> PSObject:
    add_note_property(record, mark, True)
    return record


class Redirected(RedirectedStreams):
    """Streams of one command of a pipeline; what is not redirected goes where it went.

    Args:
        origin: the members of an information record that tell where it comes from.
    """

    def __init__(self, streams: Streams, redirections: Redirections, origin: Mapping[str, Any]) -> None:
        self.stopped = streams.stopped
        self.failed = False
        self._streams = streams
        self._redirections = redirections
        self._origin = origin
        self._merged: list[Any] = []
        self._lock = threading.Lock()

    def take(self) -> list[Any]:
        with self._lock:
            merged, self._merged = self._merged, []
        return merged

    def _redirects(self, stream: RedirectedStream, record: PSObject) -> bool:
        """Take the record if its stream is redirected."""
        target = self._redirections.get(stream)
        if target == "output":
            with self._lock:
                self._merged.append(record)
        return target is not None

    def error(self, record: ErrorRecord) -> None:
        self.failed = True
        if not self._redirects("error", error_as_sent(record, RemoteStreamOptions.none)):
            self._streams.error(record)

    def warning(self, text: str) -> None:
        if not self._redirects("warning", informational(MergedWarningRecord, text)):
            self._streams.warning(text)

    def verbose(self, text: str) -> None:
        if not self._redirects("verbose", informational(MergedVerboseRecord, text)):
            self._streams.verbose(text)

    def debug(self, text: str) -> None:
        if not self._redirects("debug", informational(MergedDebugRecord, text)):
            self._streams.debug(text)

    def information(self, data: Any, source: str, tags: Sequence[str] = ()) -> None:
        record = InformationRecord(MessageData=data, Source=source, Tags=list(tags), **self._origin)
        record.PSObject.to_string = str(data)
        if not self._redirects("information", marked(record, "WriteInformationStream")):
            self._streams.information(data, source, tags)

    # These cannot be redirected.

    def output(self, value: Any) -> None:
        self._streams.output(value)

    def progress(self, activity: str, status: str, percent: int = -1, completed: bool = False) -> None:
        self._streams.progress(activity, status, percent, completed)

    def host_write_line(self, text: str) -> None:
        self._streams.host_write_line(text)

    def host_exit(self, code: int) -> None:
        self._streams.host_exit(code)

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        return self._streams.host_prompt_for_choice(caption, message, choices, default)

    def redirected(self, redirections: Redirections) -> RedirectedStreams:
        return Redirected(self, redirections, self._origin)

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        return self._streams.command(name, statement, program)
