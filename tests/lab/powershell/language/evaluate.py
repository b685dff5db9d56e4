# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Evaluates expressions."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator
from typing import Any

from psrpcore.types import ErrorCategory

from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language import comparison, members
from lab.powershell.language.arithmetic import (
    arithmetic,
    bitwise,
    complement,
    negated,
    runtime_error,
    span_range,
)
from lab.powershell.language.conversions import cast, is_instance, to_bool, to_number
from lab.powershell.language.frame import Frame
from lab.powershell.language.parser import NEWER_OPERATORS
from lab.powershell.language.text import InvalidFormat, format_string, to_text
from lab.powershell.language.tree import (
    ArrayExpression,
    ArrayLiteral,
    Assignment,
    Binary,
    Block,
    Call,
    Cast,
    CommandExpression,
    Constant,
    Expandable,
    Index,
    Member,
    Node,
    Parenthesis,
    Pipeline,
    ScriptBlockExpression,
    Step,
    SubExpression,
    TypeLiteral,
    TypeName,
    Unary,
    Variable,
)
from lab.powershell.language.tree import (
    Hashtable as HashtableNode,
)
from lab.powershell.language.types import resolve
from lab.powershell.language.values import (
    NOTHING,
    Hashtable,
    Reference,
    ScriptBlock,
    TypeReference,
    collected,
    is_array,
    items_of,
)

_LOGIC = ("and", "or", "xor")


class Evaluator(ABC):
    """The part of the interpreter that evaluates expressions."""

    version: str
    strict: bool

    def __init__(self) -> None:
        self._expressions: dict[type, Callable[[Any, Frame], Any]] = {
            Constant: lambda node, frame: node.value,
            Expandable: self._expandable,
            Variable: self.variable,
            TypeLiteral: lambda node, frame: resolve(node.type, self.version),
            Cast: self._cast,
            Unary: self._unary,
            Binary: self._binary,
            Step: self._step,
            ArrayLiteral: self._array_literal,
            HashtableNode: self._hashtable,
            Member: self._member,
            Call: self._call,
            Index: self._index,
            Parenthesis: self._parenthesis,
            SubExpression: self._sub_expression,
            ArrayExpression: self._array_expression,
            ScriptBlockExpression: lambda node, frame: ScriptBlock(node.script),
        }

    # What the other parts of the interpreter give

    @abstractmethod
    def statement(self, node: Node, frame: Frame) -> Iterator[Any]:
        """Run one statement and give its output."""

    @abstractmethod
    def run_block(self, block: Block, frame: Frame) -> Iterator[Any]:
        """Run a block's statements and give their output."""

    @abstractmethod
    def variable(self, node: Variable, frame: Frame) -> Any:
        """A variable's value, by the rules of scopes."""

    @abstractmethod
    def assign_variable(self, node: Variable, value: Any, frame: Frame, convert: Any = None) -> None:
        """Assign to a variable, through the conversion that its type asks for."""

    @abstractmethod
    def invoke(
        self, block: ScriptBlock, arguments: Iterable[Any], frame: Frame, **details: Any
    ) -> Iterator[Any]:
        """Call a script block with arguments and give its output."""

    # Expressions

    def evaluate(self, node: Node, frame: Frame) -> Any:
        return self._expressions[type(node)](node, frame)

    def text(self, value: Any, frame: Frame) -> str:
        separator = frame.scope.get("ofs")
        return to_text(value, " " if separator is None else to_text(separator))

    def value_of(self, node: Node, frame: Frame) -> Any:
        """A statement as a value: of an expression itself, of commands what they put out."""
        if isinstance(node, Pipeline):
            first = node.elements[0]
            if len(node.elements) == 1 and isinstance(first, CommandExpression) and not first.redirections:
                return self.evaluate(first.expression, frame)
        if isinstance(node, Assignment):
            return self.assign(node, frame)
        return collected(list(self.statement(node, frame)))

    def condition(self, node: Node, frame: Frame) -> bool:
        return to_bool(self.value_of(node, frame))

    def _expandable(self, node: Expandable, frame: Frame) -> str:
        return "".join(
            part if isinstance(part, str) else self.text(self.evaluate(part, frame), frame)
            for part in node.parts
        )

    def _cast(self, node: Cast, frame: Frame) -> Any:
        name = node.type.name.lower()
        if name == "ordered" and not node.type.ranks:
            if self.version < "3":
                return cast(None, resolve(node.type, self.version))
            if not isinstance(node.operand, HashtableNode):
                raise runtime_error(
                    "The ordered attribute can be specified only on a hash literal node.",
                    "OrderedAttributeOnlyOnHashLiteralNode",
                    category=ErrorCategory.ParserError,
                )
            return self._hashtable(node.operand, frame, ordered=True)
        if name == "ref" and isinstance(node.operand, Variable):
            return self._reference(node.operand, frame)
        if name == "pscustomobject" and self.version >= "3" and isinstance(node.operand, HashtableNode):
            return cast(self._hashtable(node.operand, frame, ordered=True), resolve(node.type, self.version))
        target = resolve(node.type, self.version)
        value = self.evaluate(node.operand, frame)
        if target.name == "System.Management.Automation.ScriptBlock" and isinstance(value, str):
            return self.parse_block(value)
        if name == "pscustomobject" and self.version >= "3" and not isinstance(value, dict):
            return value
        if target.name == "System.String":
            return self.text(value, frame)
        return cast(value, target, self.version)

    @abstractmethod
    def parse_block(self, text: str) -> ScriptBlock:
        """A script block from its text. Raises what the parser finds wrong with it."""

    def _reference(self, node: Variable, frame: Frame) -> Reference:
        if frame.scope.slot(node.name) is None:
            raise runtime_error(
                "[ref] cannot be applied to a variable that does not exist.",
                "NonExistingVariableReference",
                node.name,
            )
        owner = next(scope for scope in frame.scope.chain() if node.name.lower() in scope.variables)
        return Reference(owner, node.name)

    def _unary(self, node: Unary, frame: Frame) -> Any:
        value = self.evaluate(node.operand, frame)
        if node.operator == "not":
            return not to_bool(value)
        if node.operator == "-":
            return negated(value)
        if node.operator == "+":
            return to_number(value)
        if node.operator == "bnot":
            return complement(value)
        if node.operator == "join":
            return comparison.join(value, "")
        return comparison.split_words(value)

    def _binary(self, node: Binary, frame: Frame) -> Any:
        operator = node.operator
        if operator in _LOGIC:
            return self._logical(node, frame)
        if operator in NEWER_OPERATORS and self.version < "3":
            raise runtime_error(
                f"Unexpected token '-{operator}' in expression or statement.",
                "UnexpectedToken",
                category=ErrorCategory.ParserError,
            )
        left = self.evaluate(node.left, frame)
        right = self.evaluate(node.right, frame)
        if operator in "+-*/%":
            return arithmetic(operator, left, right)
        if operator == "..":
            return span_range(left, right)
        if operator in ("band", "bor", "bxor", "shl", "shr"):
            return bitwise(operator, left, right)
        if operator in ("is", "isnot"):
            return is_instance(left, self._type(right, "is")) == (operator == "is")
        if operator == "as":
            return self._as(left, self._type(right, "as"))
        if operator == "f":
            return self._format(left, right)
        if operator == "join":
            return comparison.join(left, self.text(right, frame))
        return self._compare(operator, left, right, frame)

    def _format(self, left: Any, right: Any) -> str:
        try:
            return format_string(to_text(left), items_of(right) if is_array(right) else [right])
        except InvalidFormat as error:
            raise runtime_error(
                f"Error formatting a string: {error}.",
                "FormatError",
                left,
                inner=("System.FormatException", str(error)),
            ) from None

    def _compare(self, operator: str, left: Any, right: Any, frame: Frame) -> Any:
        case_sensitive = operator[0] == "c" and operator != "contains"
        name = operator[1:] if operator[0] in "ic" and operator[1:] in _CASED else operator
        if name in ("match", "notmatch"):
            result, found = comparison.match(left, right, case_sensitive, name == "notmatch")
            if found is not None:
                frame.scope.set("Matches", found)
            return result
        if name == "replace":
            return comparison.replace(left, right, case_sensitive)
        if name == "split":
            return comparison.split(
                left,
                right,
                case_sensitive,
                lambda block, character: to_bool(
                    collected(list(self.invoke(block, (), frame, underscore=character)))
                ),
            )
        if name in ("contains", "notcontains"):
            return comparison.contains(left, right, case_sensitive) == (name == "contains")
        if name in ("in", "notin"):
            return comparison.contains(right, left, case_sensitive) == (name == "in")
        return comparison.compare(name, left, right, case_sensitive)

    def _logical(self, node: Binary, frame: Frame) -> bool:
        left = to_bool(self.evaluate(node.left, frame))
        if node.operator == "and":
            return left and to_bool(self.evaluate(node.right, frame))
        if node.operator == "or":
            return left or to_bool(self.evaluate(node.right, frame))
        return left != to_bool(self.evaluate(node.right, frame))

    def _type(self, value: Any, operator: str) -> TypeReference:
        if isinstance(value, TypeReference):
            return value
        if isinstance(value, str):
            try:
                return resolve(TypeName(value.strip("[]")), self.version)
            except PowerShellError as error:
                if error.error_id != "TypeNotFound":
                    raise
        raise runtime_error(
            f"The right operand of '-{operator}' must be a type.",
            f"{operator.capitalize()}OperatorRequiresType",
            value,
        )

    def _as(self, value: Any, target: TypeReference) -> Any:
        try:
            return cast(value, target, self.version)
        except PowerShellError as error:
            if error.error_id == "NotModelled":
                raise
            return None

    def _step(self, node: Step, frame: Frame) -> Any:
        before = self.evaluate(node.target, frame)
        if before is None:
            before = 0
        after = arithmetic(node.operator[0], before, 1)
        self.assign_to(node.target, after, frame)
        return after if node.prefix else before

    def _array_literal(self, node: ArrayLiteral, frame: Frame) -> list[Any]:
        values = [self.evaluate(item, frame) for item in node.items]
        return [None if value is NOTHING else value for value in values]

    def _hashtable(self, node: HashtableNode, frame: Frame, ordered: bool = False) -> Hashtable:
        table = Hashtable(ordered=ordered)
        for key_node, value_node in node.pairs:
            key = self.evaluate(key_node, frame)
            if key is None:
                raise runtime_error("A null key is not allowed in a hash literal.", "InvalidNullKey")
            if key in table:
                raise runtime_error(
                    f"Duplicate keys '{to_text(key)}' are not allowed in hash literals.",
                    "DuplicateKeyInHashLiteral",
                )
            value = self.value_of(value_node, frame)
            table[key] = None if value is NOTHING else value
        return table

    def _parenthesis(self, node: Parenthesis, frame: Frame) -> Any:
        return self.value_of(node.statement, frame)

    def _sub_expression(self, node: SubExpression, frame: Frame) -> Any:
        return collected(list(self.run_block(node.body, frame)))

    def _array_expression(self, node: ArrayExpression, frame: Frame) -> list[Any]:
        statements = node.body.statements
        if len(statements) == 1:
            value = self.value_of(statements[0], frame)
            if type(value) is list and isinstance(statements[0], Pipeline):
                return value
            return items_of(value)
        return list(self.run_block(node.body, frame))

    # Members

    def _target(self, node: Node, frame: Frame) -> Any:
        value = self.evaluate(node, frame)
        return None if value is NOTHING else value

    def _member_name(self, node: Node, frame: Frame) -> Any:
        if isinstance(node, Constant):
            return node.value
        return self.evaluate(node, frame)

    def _member(self, node: Member, frame: Frame) -> Any:
        target = self._target(node.target, frame)
        name = self._member_name(node.name, frame)
        if isinstance(name, list):
            return [self.member(target, to_text(item), frame, node.static) for item in name]
        return self.member(target, to_text(name), frame, node.static)

    def member(self, target: Any, name: str, frame: Frame, static: bool = False) -> Any:
        if static:
            return members.static_property(self, self._static_target(target), name, frame)
        return members.get(self, target, name, frame)

    def _static_target(self, target: Any) -> TypeReference:
        if isinstance(target, TypeReference):
            return target
        if isinstance(target, str):
            return resolve(TypeName(target), self.version)
        return TypeReference(members.names_of(target)[0])

    def _call(self, node: Call, frame: Frame) -> Any:
        target = self._target(node.target, frame)
        name = self._member_name(node.name, frame)
        arguments = [self.evaluate(argument, frame) for argument in node.arguments]
        arguments = [None if argument is NOTHING else argument for argument in arguments]
        if node.static:
            return members.static_call(self, self._static_target(target), to_text(name), arguments, frame)
        return members.call(self, target, to_text(name), arguments, frame)

    def _index(self, node: Index, frame: Frame) -> Any:
        target = self._target(node.target, frame)
        index = self.evaluate(node.index, frame)
        return members.index(self, target, None if index is NOTHING else index)

    # Assignments

    def assign(self, node: Assignment, frame: Frame) -> Any:
        """Assign, and give what was assigned."""
        value = self.value_of(node.value, frame)
        if node.operator != "=":
            before = self._target(node.target, frame)
            value = arithmetic(node.operator[0], before, value)
        if value is NOTHING:
            value = None
        self.assign_to(node.target, value, frame)
        return value

    def assign_to(self, target: Node, value: Any, frame: Frame, convert: Any = None) -> None:
        if isinstance(target, Variable):
            self.assign_variable(target, value, frame, convert)
        elif isinstance(target, Cast):
            self._assign_typed(target, value, frame)
        elif isinstance(target, Member):
            owner = self._target(target.target, frame)
            name = to_text(self._member_name(target.name, frame))
            members.set_property(self, owner, name, convert(value) if convert else value, frame)
        elif isinstance(target, Index):
            owner = self._target(target.target, frame)
            index = self.evaluate(target.index, frame)
            members.set_index(self, owner, index, convert(value) if convert else value)
        elif isinstance(target, ArrayLiteral):
            self._assign_several(target, value, frame)
        elif isinstance(target, Parenthesis) and isinstance(target.statement, Pipeline):
            inner = target.statement.elements[0]
            assert isinstance(inner, CommandExpression)
            self.assign_to(inner.expression, value, frame, convert)
        else:
            raise not_modelled("assignments to this expression")

    def _assign_typed(self, target: Cast, value: Any, frame: Frame) -> None:
        wanted = resolve(target.type, self.version)
        self.assign_to(target.operand, value, frame, lambda held: cast(held, wanted, self.version))

    def _assign_several(self, target: ArrayLiteral, value: Any, frame: Frame) -> None:
        values = items_of(value)
        last = len(target.items) - 1
        for number, item in enumerate(target.items):
            if number < last:
                self.assign_to(item, values[number] if number < len(values) else None, frame)
            else:
                rest = values[last:]
                self.assign_to(item, rest[0] if len(rest) == 1 else (rest or None), frame)


_CASED = {
    *("eq", "ne", "gt", "ge", "lt", "le", "like", "notlike", "match", "notmatch", "replace", "split"),
    *("contains", "notcontains", "in", "notin"),
}
