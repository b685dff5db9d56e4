# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax tree of a script.

``at`` is the offset of a node in its script's text, ``end`` that behind it.  Names follow the grammar in "Windows
PowerShell Language Specification Version 3.0" (Microsoft).
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Node:
    at: int
    end: int


# Expressions


@dataclass(frozen=True)
class Constant(Node):
    value: Any
    bare: bool = False  # a word without quotes: the argument of a command


@dataclass(frozen=True)
class Expandable(Node):
    """A string with variables and subexpressions in it; the others are text."""

    parts: tuple[str | Node, ...]


@dataclass(frozen=True)
class Variable(Node):
    """``name`` without scope, which is ``global``, ``script``, ``local``, ``private``, ``using``, a drive, or empty."""

    name: str
    scope: str = ""
    splatted: bool = False


@dataclass(frozen=True)
class TypeName:
    """``System.Collections.Generic.List[string]``: the name, and types in brackets; ``[]`` at the end make arrays."""

    name: str
    arguments: tuple[TypeName, ...] = ()
    ranks: int = 0

    def __str__(self) -> str:
        inner = f"[{','.join(map(str, self.arguments))}]" if self.arguments else ""
        return f"{self.name}{inner}{'[]' * self.ranks}"


@dataclass(frozen=True)
class TypeLiteral(Node):
    type: TypeName


@dataclass(frozen=True)
class Cast(Node):
    type: TypeName
    operand: Node


@dataclass(frozen=True)
class Unary(Node):
    operator: str
    operand: Node


@dataclass(frozen=True)
class Binary(Node):
    operator: str  # lower case, without the dash: 'eq', 'cmatch', '+', '..', 'and'
    left: Node
    right: Node


@dataclass(frozen=True)
class Step(Node):
    """``++`` or ``--``, before or behind its variable or property."""

    operator: str
    target: Node
    prefix: bool


@dataclass(frozen=True)
class ArrayLiteral(Node):
    items: tuple[Node, ...]


@dataclass(frozen=True)
class Hashtable(Node):
    pairs: tuple[tuple[Node, Node], ...]


@dataclass(frozen=True)
class Member(Node):
    target: Node
    name: Node
    static: bool


@dataclass(frozen=True)
class Call(Node):
    target: Node
    name: Node
    arguments: tuple[Node, ...]
    static: bool


@dataclass(frozen=True)
class Index(Node):
    target: Node
    index: Node


@dataclass(frozen=True)
class Parenthesis(Node):
    statement: Node


@dataclass(frozen=True)
class SubExpression(Node):
    body: Block


@dataclass(frozen=True)
class ArrayExpression(Node):
    body: Block


@dataclass(frozen=True)
class ScriptBlockExpression(Node):
    script: Script


# Statements


@dataclass(frozen=True)
class Block(Node):
    statements: tuple[Node, ...]
    traps: tuple[Trap, ...] = ()


@dataclass(frozen=True)
class Redirection(Node):
    stream: int  # 0 for all of them
    target: Node | None  # where the stream is written; None: merged into the output
    appends: bool = False


@dataclass(frozen=True)
class CommandElement(Node):
    """An argument (name None), a parameter (value None), or both where a colon joins them."""

    name: str | None
    value: Node | None


@dataclass(frozen=True)
class Command(Node):
    operator: str  # '', '&' or '.'
    name: Node
    elements: tuple[CommandElement, ...]
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class CommandExpression(Node):
    expression: Node
    redirections: tuple[Redirection, ...] = ()


@dataclass(frozen=True)
class Pipeline(Node):
    elements: tuple[Command | CommandExpression, ...]


@dataclass(frozen=True)
class Assignment(Node):
    target: Node
    operator: str  # '=', '+=', ...
    value: Node


@dataclass(frozen=True)
class If(Node):
    clauses: tuple[tuple[Node, Block], ...]
    otherwise: Block | None


@dataclass(frozen=True)
class Loop(Node):
    """``while``, ``do … while`` and ``do … until``."""

    condition: Node
    body: Block
    label: str
    body_first: bool = False
    until: bool = False


@dataclass(frozen=True)
class For(Node):
    initializer: Node | None
    condition: Node | None
    iterator: Node | None
    body: Block
    label: str


@dataclass(frozen=True)
class ForEach(Node):
    variable: Variable
    collection: Node
    body: Block
    label: str


@dataclass(frozen=True)
class Switch(Node):
    value: Node
    mode: str  # '', 'regex', 'wildcard' or 'exact'
    case_sensitive: bool
    clauses: tuple[tuple[Node, Block], ...]
    default: Block | None
    label: str


@dataclass(frozen=True)
class Jump(Node):
    """``break`` or ``continue``."""

    kind: str
    label: Node | None


@dataclass(frozen=True)
class Return(Node):
    value: Node | None


@dataclass(frozen=True)
class Exit(Node):
    code: Node | None


@dataclass(frozen=True)
class Throw(Node):
    value: Node | None


@dataclass(frozen=True)
class Catch:
    types: tuple[TypeName, ...]
    body: Block


@dataclass(frozen=True)
class Try(Node):
    body: Block
    catches: tuple[Catch, ...]
    final: Block | None


@dataclass(frozen=True)
class Trap(Node):
    type: TypeName | None
    body: Block


@dataclass(frozen=True)
class Attribute(Node):
    type: TypeName
    positional: tuple[Node, ...] = ()
    named: tuple[tuple[str, Node | None], ...] = ()

    def named_argument(self, name: str) -> tuple[bool, Node | None]:
        """Whether it is there, and its expression (None: it stands alone, which means true)."""
        for held, value in self.named:
            if held.lower() == name.lower():
                return True, value
        return False, None


@dataclass(frozen=True)
class Parameter(Node):
    name: str
    type: TypeName | None
    attributes: tuple[Attribute, ...]
    default: Node | None


@dataclass(frozen=True)
class Script:
    """The body of a script, of a function, or of a script block."""

    text: str  # of the whole source
    at: int
    end: int
    parameters: tuple[Parameter, ...] = ()
    attributes: tuple[Attribute, ...] = ()
    begin: Block | None = None
    process: Block | None = None
    final: Block | None = None  # ``end``; all of it where there are no named blocks
    has_parameters: bool = False
    empty: Block = field(default=Block(0, 0, ()), compare=False)

    @property
    def source(self) -> str:
        """What stands between its braces."""
        return self.text[self.at : self.end]


@dataclass(frozen=True)
class FunctionDefinition(Node):
    name: str
    script: Script
    is_filter: bool
