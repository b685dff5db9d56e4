# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Messages of PowerShell and its commands on a computer that does not speak English.

All of them are invented, on purpose: no word of them is English, and what is quoted is quoted otherwise.  Who
understands them leans on texts.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any

from psrpcore.types import ErrorRecord

from lab.contract import CommandEntry, Streams

_ENGLISH = "abcdefghijklmnopqrstuvwxyz"
_LETTERS: Mapping[str, str] = {
    "de": "öbkwüfghäjzlrnuptsåbovqxym",
    "fr": "édcfèlghûjkmpnâvqtsrobwzyx",
    "ja": "アブクドエフグハイジケルムノオパキリサトウボワザヤズ",
}
_QUOTES: Mapping[str, str] = {"de": "„{}“", "fr": "«\u00a0{}\u00a0»", "ja": "「{}」"}
_PARTS = re.compile(
    r"""(?P<quoted>(?<!\w)'[^'\r\n]*'|"[^"\r\n]*")|(?P<word>(?<![\w.\\-])[A-Za-z']+(?![\w.\\-]*\w))"""
)


def invented(text: str, language: str) -> str:
    """The message in that language: names, numbers and what is quoted stay as they are."""
    table = str.maketrans(_ENGLISH + _ENGLISH.upper(), _LETTERS[language] + _LETTERS[language].upper())

    def part(match: re.Match[str]) -> str:
        if match["quoted"]:
            return _QUOTES[language].format(match["quoted"][1:-1])
        return match["word"].translate(table)

    return _PARTS.sub(part, text)


def localize(record: ErrorRecord, language: str) -> ErrorRecord:
    """The record with its message in that language, and those of the exceptions inside."""
    exception = record.Exception
    while exception is not None:
        exception.Message = invented(exception.Message, language)
        exception.PSObject.to_string = f"{exception.PSObject.type_names[0]}: {exception.Message}"
        exception = exception.InnerException
    record.PSObject.to_string = record.Exception.Message
    return record


class LocalizedStreams(Streams):
    """Streams whose messages are in that language."""

    def __init__(self, streams: Streams, language: str) -> None:
        self.stopped = streams.stopped
        self._streams = streams
        self._language = language

    def output(self, value: Any) -> None:
        self._streams.output(value)

    def debug(self, text: str) -> None:
        self._streams.debug(invented(text, self._language))

    def host_exit(self, code: int) -> None:
        self._streams.host_exit(code)

    def error(self, record: ErrorRecord) -> None:
        self._streams.error(localize(record, self._language))

    def warning(self, text: str) -> None:
        self._streams.warning(invented(text, self._language))

    def verbose(self, text: str) -> None:
        self._streams.verbose(invented(text, self._language))

    def host_write_line(self, text: str) -> None:
        self._streams.host_write_line(invented(text, self._language))

    def finish(self, failure: ErrorRecord | None = None) -> Streams:
        return self._streams.finish(None if failure is None else localize(failure, self._language))

    def host_prompt_for_choice(self, caption: str, message: str, choices: Sequence[str], default: int) -> int:
        caption, message = (invented(text, self._language) for text in (caption, message))
        return self._streams.host_prompt_for_choice(caption, message, choices, default)

    def command(
        self, name: str, statement: int = 0, program: bool = False
    ) -> AbstractContextManager[CommandEntry]:
        return self._streams.command(name, statement, program)
