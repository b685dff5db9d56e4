# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What comes back from a server: objects, and the streams beside them, kept apart."""

from __future__ import annotations

import enum
import functools
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from .ordinal import ordinal_key


class Hidden(enum.Enum):
    """A value that the server sent and that is not read, so that nothing can show it."""

    SECURE_STRING = "SecureString"


@dataclass(frozen=True)
class RemoteObject:
    """A typed .NET object, or a custom object, as the remoting protocol delivers it.

    ``type_names`` is its chain of types, most derived first, without the ``Deserialized.`` prefix of a second hop;
    ``properties`` keeps the server's order and spelling; ``text`` is its ToString(), where the server sent one.
    Properties are looked up without regard to case, as in PowerShell.
    """

    type_names: tuple[str, ...]
    properties: Mapping[str, Any]
    text: str | None = None

    @functools.cached_property
    def _by_key(self) -> Mapping[str, str]:
        return {ordinal_key(name): name for name in self.properties}

    def __contains__(self, name: object) -> bool:
        return isinstance(name, str) and ordinal_key(name) in self._by_key

    def __getitem__(self, name: str) -> Any:
        return self.properties[self._by_key[ordinal_key(name)]]

    def __iter__(self) -> Iterator[str]:
        return iter(self.properties)

    def get(self, name: str, default: Any = None) -> Any:
        spelled = self._by_key.get(ordinal_key(name))
        return default if spelled is None else self.properties[spelled]

    def is_a(self, type_name: str) -> bool:
        """Whether ``type_name`` is in the object's chain of types."""
        return type_name in self.type_names


@dataclass(frozen=True)
class Cause:
    """An exception inside another one."""

    exception_type: str
    message: str


@dataclass(frozen=True)
class ErrorReport:
    """One record of the error stream (System.Management.Automation.ErrorRecord), its texts fit for one line each.

    ``message`` is the exception's text, or what ErrorDetails put in its place; ``category`` the name of the
    ErrorCategory; ``fully_qualified_id`` such as ``NamedParameterNotFound,Microsoft...``; ``exception_type`` the full
    .NET name; ``target`` what the command was at work on; ``command`` the command that wrote the record, or that there
    is not; ``terminating`` whether it ended the pipeline. ``parameter`` is the parameter that could not be bound, where
    the record tells it: one that did not end its pipeline does not. ``causes`` are the inner exceptions, the innermost
    last; ``native_error_code`` is Windows' own number for the failure, ``sql_error_number`` SQL Server's.
    """

    message: str
    category: str = "NotSpecified"
    fully_qualified_id: str = ""
    exception_type: str = ""
    target: str | None = None
    command: str | None = None
    terminating: bool = False
    parameter: str | None = None
    causes: tuple[Cause, ...] = ()
    native_error_code: int | None = None
    sql_error_number: int | None = None

    @property
    def identifier(self) -> str:
        """The first part of the fully qualified id, which the command chose; the rest names its class."""
        return self.fully_qualified_id.partition(",")[0]

    @property
    def is_from_program(self) -> bool:
        """Whether this is a line that a native program wrote to its standard error. It says nothing of success."""
        return self.identifier in ("NativeCommandError", "NativeCommandErrorMessage")

    @property
    def is_empty_line(self) -> bool:
        """Whether that line was empty; PowerShell puts the exception's type in its place."""
        return self.is_from_program and self.message == self.exception_type

    @property
    def exception_types(self) -> tuple[str, ...]:
        return (self.exception_type, *(cause.exception_type for cause in self.causes))

    @property
    def in_full(self) -> str:
        """The message, and the innermost cause where the message does not tell it already."""
        text = self.message
        if self.causes and self.causes[-1].message not in text:
            text = f"{text.rstrip('.')}. The cause: {self.causes[-1].message}"
        if self.native_error_code is not None:
            text += f" (Windows error {self.native_error_code})"
        return text


class PipelineState(enum.Enum):
    """The final states of a pipeline (MS-PSRP section 2.2.3.4)."""

    COMPLETED = 4
    FAILED = 5
    STOPPED = 3


@dataclass(frozen=True)
class Results:
    """Everything one call of ``run`` brought back, in order. ``output`` holds native values and `RemoteObject`.

    ``state`` is the final state that was received; of several pipelines, the first that is not COMPLETED. ``whole``:
    nothing that a statement had to say can be missing.
    """

    output: tuple[Any, ...] = ()
    errors: tuple[ErrorReport, ...] = ()
    warnings: tuple[str, ...] = ()
    verbose: tuple[str, ...] = ()
    state: PipelineState = PipelineState.COMPLETED
    whole: bool = True

    def objects(self) -> list[RemoteObject]:
        """The output's objects, without its plain values."""
        return [value for value in self.output if isinstance(value, RemoteObject)]

    def __add__(self, other: Results) -> Results:
        return Results(
            self.output + other.output,
            self.errors + other.errors,
            self.warnings + other.warnings,
            self.verbose + other.verbose,
            other.state if self.state is PipelineState.COMPLETED else self.state,
            self.whole and other.whole,
        )
