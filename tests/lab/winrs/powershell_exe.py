# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""powershell.exe, started from a command line.

Sources: Microsoft Learn, about_PowerShell_exe; PowerShell/PowerShell, CommandLineParameterParser.cs (names and how far
they may be shortened), ConsoleHost.cs (which errors are written as XML: those of an encoded command), and
ConsoleHostUserInterface.cs (prefixes); recorded exchanges of jborean93/pypsrp; what clients published of the XML
(diyan/pywinrm, issue 245; ManageIQ, pull request 10473).
"""

from __future__ import annotations

import base64
import binascii
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from psrpcore.types import ErrorRecord

from ..contract import Argument, CommandCall, CommandEntry, Runspace, TerminatingError
from .console import Console, ProgramStreams, Window

#: 0xFFFD0000, the code for a wrong argument (CommandLineParameterParser.cs).
BAD_ARGUMENT = -196608
#: The columns of the window there is for a remote shell, less one.
_WIDTH = 79
_FORMATTER = CommandCall("Out-String", (Argument("Stream", True),))

#: Names of switches, each with its shortest form, in the order in which they are tried.
_SWITCHES: Sequence[tuple[str, str]] = (
    ("help", "h"),
    ("?", "?"),
    ("nologo", "nol"),
    ("noexit", "noe"),
    ("noprofile", "nop"),
    ("noninteractive", "noni"),
    ("sta", "sta"),
    ("mta", "mta"),
)
#: The same of parameters with a value.
_PARAMETERS: Sequence[tuple[str, str]] = (
    ("version", "v"),
    ("command", "c"),
    ("windowstyle", "w"),
    ("file", "f"),
    ("outputformat", "o"),
    ("of", "of"),
    ("inputformat", "i"),
    ("if", "if"),
    ("executionpolicy", "ex"),
    ("ep", "ep"),
    ("encodedcommand", "e"),
    ("ec", "ec"),
    ("psconsolefile", "ps"),
    ("configurationname", "config"),
)


class BadArgument(Exception):
    """powershell.exe does not start, and says why."""


@dataclass(frozen=True)
class Order:
    """What powershell.exe is to run: a script, or with None what comes by its standard input."""

    script: str | None
    encoded: bool = False


def parse_arguments(arguments: Sequence[str]) -> Order:
    """Raises BadArgument."""
    rest = list(arguments)
    while rest:
        given = rest.pop(0)
        if given[:1] not in ("-", "/") or given == "-":
            return Order(None) if given == "-" else Order(" ".join([given, *rest]))
        name = _known(given[1:].lower())
        if name is None:
            # What is no parameter begins a command (Windows PowerShell; -File is the default of later versions).
            return Order(" ".join([given, *rest]))
        if name in dict(_SWITCHES):
            if name in ("help", "?"):
                raise BadArgument("The lab's powershell.exe does not have its help.")
            continue
        if not rest:
            raise BadArgument(
                f"Cannot process the command because of a missing parameter. A command must follow {given}."
            )
        if name == "command":
            return Order(None) if rest == ["-"] else Order(" ".join(rest))
        value = rest.pop(0)
        if name in ("encodedcommand", "ec"):
            return Order(_decoded(value), encoded=True)
        if name == "file":
            raise BadArgument(
                f"The argument '{value}' to the -File parameter does not exist. Provide the path to an existing '.ps1' "
                "file as an argument to the -File parameter."
            )
        if name in ("outputformat", "of") and value.lower() != "text":
            raise BadArgument(f"The lab's powershell.exe does not have the output format {value}.")
    raise BadArgument("The lab's powershell.exe does not run without a command.")


def _known(given: str) -> str | None:
    for name, shortest in (*_SWITCHES, *_PARAMETERS):
        if name.startswith(given) and given.startswith(shortest):
            return name
    return None


def _decoded(value: str) -> str:
    try:
        return base64.b64decode(value, validate=True).decode("utf-16-le")
    except (binascii.Error, ValueError):
        raise BadArgument(
            "Cannot process the command because the value specified with -EncodedCommand is not properly encoded. The "
            "value must be Base64 encoded."
        ) from None


def run_powershell(
    arguments: Sequence[str], window: Window, open_runspace: Callable[[], Runspace], console: Console
) -> int:
    """Run it; the exit code."""
    try:
        order = parse_arguments(arguments)
    except BadArgument as error:
        console.stderr(f"{error}\r\n")
        return BAD_ARGUMENT
    script = console.stdin() if order.script is None else order.script
    streams = _HostStreams(window, console, order.encoded)
    runspace = open_runspace()
    try:
        with window.execution.command("powershell") as entry:
            if entry.effective and script.strip():
                runspace.run(((CommandCall(script, is_script=True), _FORMATTER),), streams, ())
    except TerminatingError as error:
        streams.error(error.record)
        streams.failed = True
    finally:
        runspace.close()
    streams.end()
    if streams.exit_code is not None:
        return streams.exit_code
    return int(streams.failed or (streams.ended_with_program and runspace.last_exit_code != 0))


class _HostStreams(ProgramStreams):
    """PowerShell's streams as its console host prints them where that is redirected."""

    def __init__(self, window: Window, console: Console, encoded: bool) -> None:
        super().__init__(window, console)
        self.failed = False  # what $? is the opposite of: the last statement went wrong
        self.ended_with_program = False
        self._serialized: list[tuple[str, str]] | None = [] if encoded else None

    def error(self, record: ErrorRecord) -> None:
        self.failed = True
        if record.FullyQualifiedErrorId == "NativeCommandError":
            self._console.stderr(f"{record}\r\n")  # the program's own, which writes to the same place
            return
        for line in error_lines(record):
            self._tell("Error", f"{line}\r\n", self._console.stderr)

    def warning(self, text: str) -> None:
        self._tell("warning", text, lambda said: self._console.stdout(f"WARNING: {said}\r\n"))

    def verbose(self, text: str) -> None:
        self._tell("verbose", text, lambda said: self._console.stdout(f"VERBOSE: {said}\r\n"))

    def debug(self, text: str) -> None:
        self._tell("debug", text, lambda said: self._console.stdout(f"DEBUG: {said}\r\n"))

    def _tell(self, stream: str, text: str, plainly: Callable[[str], None]) -> None:
        if self._serialized is None:
            plainly(text)
        else:
            self._serialized.append((stream, text))

    def end(self) -> None:
        """Write what is written as XML."""
        if self._serialized:
            self._console.stderr("#< CLIXML\r\n")
            said = "".join(f'<S S="{stream}">{_written(text)}</S>' for stream, text in self._serialized)
            namespace = "http://schemas.microsoft.com/powershell/2004/04"
            self._console.stderr(f'<Objs Version="1.1.0.1" xmlns="{namespace}">{said}</Objs>')

    @contextmanager
    def command(self, name: str, statement: int = 0, program: bool = False) -> Iterator[CommandEntry]:
        if name == _FORMATTER.name:
            # It stands for the host's own formatting, which is no command of the script's.
            yield CommandEntry(name, statement)
            return
        self.failed, self.ended_with_program = False, program
        with super().command(name, statement, program) as entry:
            yield entry


def _written(text: str) -> str:
    """Text in CLIXML, whose control characters are escaped (MS-PSRP 2.2.5.3.2)."""
    shown = "".join(character if character >= " " else f"_x{ord(character):04X}_" for character in text)
    return escape(shown)


def _wrapped(text: str) -> Iterator[str]:
    """Broken behind blanks, which stay where they are."""
    while len(text) > _WIDTH:
        end = text.rfind(" ", 0, _WIDTH) + 1 if text[_WIDTH] != " " else _WIDTH
        yield text[: end or _WIDTH]
        text = text[end or _WIDTH :].lstrip(" ")
    yield text


def error_lines(record: ErrorRecord) -> list[str]:
    """An error record as the console host prints it, in a window of 80 columns."""
    category = record.CategoryInfo
    activity = category.Activity or ""
    invocation: Any = record.InvocationInfo
    position = str(getattr(invocation, "PositionMessage", "") or "")
    name = str(getattr(invocation, "InvocationName", "") or activity)
    head = f"{name} : {record}" if name else str(record)
    lines: list[str] = []
    for paragraph in head.splitlines():
        lines += _wrapped(paragraph)
    lines += position.splitlines()
    details: Mapping[str, str] = {
        "CategoryInfo": f"{category.Category.name}: ({category.TargetName or ''}:{category.TargetType or ''}) "
        f"[{activity}], {category.Reason or ''}",
        "FullyQualifiedErrorId": record.FullyQualifiedErrorId,
    }
    for name, value in details.items():
        text = f"    + {name:21} : {value}"
        lines.append(text[:_WIDTH])
        rest = text[_WIDTH:]
        while rest:
            lines.append(f"   {rest[: _WIDTH - 3]}")
            rest = rest[_WIDTH - 3 :]
    return [*lines, " "]
