# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a piece of a script runs, and how it is left."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from lab.contract import Streams
from lab.powershell.language.scope import Scope
from lab.powershell.language.tree import Node


class LeaveLoop(Exception):
    """``break`` or ``continue``, with its label or none."""

    def __init__(self, kind: str, label: str) -> None:
        super().__init__(kind)
        self.kind = kind
        self.label = label


class ReturnFromScript(Exception):
    """``return``; what it returns was put out before."""


class ExitScript(Exception):
    """``exit``."""

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


@dataclass(eq=False)
class Frame:
    """The surroundings of a statement.

    ``catching``: a try or trap around it, in whatever function, takes its errors; so they are not reported here.
    """

    scope: Scope
    streams: Streams
    catching: bool = False
    depth: int = 0
    statement: int = 0  # index of the client's statement, for the journal
    function: str = ""  # the advanced function it is in, which is who raises errors
    input: Iterator[Any] | None = None  # of the pipeline, where it is still to be read
    node: Node | None = None  # the command that runs, for the place of its errors
    source: str = ""  # the text of the script it is in
    label: str = "<ScriptBlock>"  # how a stack trace names that
    caller: Frame | None = None
    rethrown: Any = None  # the record that ``throw`` without a value throws again in a catch block

    def with_scope(self, scope: Scope, **changes: Any) -> Frame:
        made = Frame(
            scope,
            self.streams,
            self.catching,
            self.depth,
            self.statement,
            self.function,
            None,
            self.node,
            self.source,
            self.label,
            self.caller,
            self.rethrown,
        )
        for name, value in changes.items():
            setattr(made, name, value)
        return made

    def derive(self, **changes: Any) -> Frame:
        return self.with_scope(self.scope, **{"input": self.input, **changes})
