# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Expressions: operators with their precedence, members, indexes, casts, literals of arrays and hash tables.

Source: "Windows PowerShell Language Specification Version 3.0", 7; about_Operator_Precedence.
"""

from __future__ import annotations

import re
from abc import abstractmethod

from lab.powershell.language.literals import Literals
from lab.powershell.language.tree import (
    ArrayExpression,
    ArrayLiteral,
    Binary,
    Call,
    Cast,
    Constant,
    Hashtable,
    Index,
    Member,
    Node,
    Parenthesis,
    Script,
    ScriptBlockExpression,
    Step,
    TypeLiteral,
    Unary,
    Variable,
)

_COMPARISONS = {
    f"{case}{name}"
    for case in ("", "i", "c")
    for name in (
        *("eq", "ne", "gt", "ge", "lt", "le", "like", "notlike", "match", "notmatch"),
        *("replace", "split", "contains", "notcontains", "in", "notin"),
    )
} | {"is", "isnot", "as", "join", "shl", "shr"}
#: From the loosest to the tightest.
_LEVELS: tuple[frozenset[str], ...] = (
    frozenset({"and", "or", "xor"}),
    frozenset({"band", "bor", "bxor"}),
    frozenset(_COMPARISONS),
    frozenset({"+", "-"}),
    frozenset({"*", "/", "%"}),
    frozenset({"f"}),
    frozenset({".."}),
)
_BINARY_WORDS = frozenset().union(*_LEVELS) - {"+", "-", "*", "/", "%", ".."}
_UNARY_WORDS = {"not", "bnot", "split", "isplit", "csplit", "join"}
#: From version 3.0 on.
NEWER_OPERATORS = {"in", "notin", "iin", "inotin", "cin", "cnotin", "shl", "shr"}
_DASHED = re.compile(r"[-\u2013\u2014\u2015]([A-Za-z]+)(?![\w-])")
_DASHES = "-\u2013\u2014\u2015"
_SIGN = re.compile(r"[-+]|[\u2013\u2014\u2015]")
_MEMBER_NAME = re.compile(r"[^\W\d]\w*")
_KEY = re.compile(r"[^\W\d]\w*(?=\s*=)")
_OPERAND_START = re.compile(r"[$@({'\"\[\u2018\u2019\u201c\u201d!]|\d|\.\d")


class Expressions(Literals):
    """The part of the parser that reads expressions."""

    @abstractmethod
    def pipeline(self) -> Node | None:
        """A pipeline of commands, or None if none begins here."""

    @abstractmethod
    def statement(self) -> Node | None:
        """A statement, or None if none begins here."""

    @abstractmethod
    def script_block(self) -> Script:
        """Behind the opening brace, up to and with the closing one."""

    def expression(self, commas: bool = True) -> Node | None:
        """An expression, or None if none begins here. ``commas``: they make arrays of it."""
        return self._binary(0, commas)

    def required_expression(self, after: str, commas: bool = True) -> Node:
        found = self.expression(commas)
        if found is None:
            raise self.failure(
                f"You must provide a value expression following the '{after}' operator.",
                "ExpectedValueExpression",
            )
        return found

    # Operators

    def _operator(self) -> tuple[str, int] | None:
        """The binary operator that stands here, and where it ends."""
        character = self.peek()
        if character and character in _DASHES:
            word = self.match(_DASHED)
            if word:
                name = word[1].lower()
                return (name, word.end()) if name in _BINARY_WORDS else None
            return None if self.peek(1, 1) in (*_DASHES, "=") else ("-", self.at + 1)
        if self.starts(".."):
            return "..", self.at + 2
        if (
            character
            and character in "+*/%"
            and self.peek(1, 1) not in ("=", character if character == "+" else "=")
        ):
            return character, self.at + 1
        return None

    def _binary(self, level: int, commas: bool) -> Node | None:
        if level == len(_LEVELS):
            return self._array(commas)
        left = self._binary(level + 1, commas)
        if left is None:
            return None
        while True:
            before = self.at
            self.blanks()
            operator = self._operator()
            if operator is None or operator[0] not in _LEVELS[level]:
                self.at = before
                return left
            self.at = operator[1]
            self.new_lines()
            right = self._binary(level + 1, commas)
            if right is None:
                shown = operator[0] if not operator[0].isalpha() else f"-{operator[0]}"
                raise self.failure(
                    f"You must provide a value expression following the '{shown}' operator.",
                    "ExpectedValueExpression",
                    operator[1],
                )
            left = Binary(left.at, self.at, operator[0], left, right)

    def _array(self, commas: bool) -> Node | None:
        first = self._unary(commas)
        if first is None or not commas:
            return first
        items = [first]
        while True:
            before = self.at
            self.blanks()
            if not self.take(","):
                self.at = before
                break
            self.new_lines()
            item = self._unary(commas)
            if item is None:
                raise self.failure(
                    "Missing expression after ','.", "MissingExpressionAfterToken", self.at - 1
                )
            items.append(item)
        return first if len(items) == 1 else ArrayLiteral(first.at, self.at, tuple(items))

    def _unary(self, commas: bool = True) -> Node | None:
        start = self.at
        character = self.peek()
        if character == "!":
            self.at += 1
            return self._operand("not", start, "!", commas)
        if character == "," and commas:
            self.at += 1
            self.new_lines()
            item = self._unary(commas)
            if item is None:
                raise self.failure(
                    "Missing expression after unary operator ','.", "MissingExpressionAfterOperator", start
                )
            return ArrayLiteral(start, self.at, (item,))
        if self.starts("++") or self.starts("--"):
            operator = self.peek(2)
            self.at += 2
            self.blanks()
            target = self._unary(commas)
            if not isinstance(target, (Variable, Member, Index, Cast)):
                raise self.failure(
                    f"The '{operator}' operator works only on variables or on properties.",
                    "OperatorRequiresVariableOrProperty",
                    start,
                )
            return Step(start, self.at, operator, target, prefix=True)
        if character and character in _DASHES + "+":
            word = self.match(_DASHED)
            if word and word[1].lower() in _UNARY_WORDS:
                self.at = word.end()
                return self._operand(word[1].lower(), start, word.group(), commas)
            if word:
                return None
            following = self.peek(1, 1)
            if following and not following.isspace() and not _OPERAND_START.match(following):
                return None
            self.at += 1
            return self._operand("+" if character == "+" else "-", start, character, commas)
        return self._primary()

    def _operand(self, operator: str, start: int, shown: str, commas: bool) -> Node:
        self.new_lines()
        operand = self._unary(commas)
        if operand is None:
            raise self.failure(
                f"Missing expression after unary operator '{shown}'.",
                "MissingExpressionAfterOperator",
                start,
                len(shown),
            )
        if operator in "+-" and isinstance(operand, Constant) and not isinstance(operand.value, str):
            return Constant(start, self.at, -operand.value if operator == "-" else operand.value)
        return Unary(start, self.at, operator, operand)

    # Primaries

    def _primary(self) -> Node | None:
        found = self._atom()
        return None if found is None else self.trailers(found)

    def trailers(self, target: Node) -> Node:
        """Members, calls, indexes, ``++`` and ``--`` behind a primary expression."""
        while True:
            if self.starts("::") and isinstance(target, (TypeLiteral, Variable, Member, Parenthesis)):
                self.at += 2
                target = self._member(target, static=True)
            elif self.peek() == "." and self.peek(1, 1) != "." and not self.peek(1, 1).isdigit():
                if not self._names_member():
                    return target
                self.at += 1
                target = self._member(target, static=False)
            elif self.peek() == "[":
                self.at += 1
                self.new_lines()
                index = self.expression()
                if index is None:
                    raise self.failure(
                        "Array index expression is missing or not valid.", "MissingArrayIndexExpression"
                    )
                self.new_lines()
                self.expect("]", "Missing ']' after array index expression.", "MissingEndSquareBracket")
                target = Index(target.at, self.at, target, index)
            elif (self.starts("++") or self.starts("--")) and isinstance(target, (Variable, Member, Index)):
                operator = self.peek(2)
                self.at += 2
                return Step(target.at, self.at, operator, target, prefix=False)
            else:
                return target

    def _names_member(self) -> bool:
        """Whether something that can be a member's name follows the dot here."""
        following = self.peek(1, 1)
        return bool(following) and (following.isalpha() or following in "_'\"$({")

    def _member(self, target: Node, static: bool) -> Node:
        self.blanks()
        start = self.at
        plain = self.match(_MEMBER_NAME)
        name: Node | None
        if plain:
            self.at = plain.end()
            name = Constant(start, self.at, plain.group())
        elif self.starts("$("):
            name = self.subexpression()
        else:
            name = self.string() or self.variable() or self._parenthesis()
        if name is None:
            raise self.failure("Missing property name after reference operator.", "MissingPropertyName")
        if self.peek() == "(":
            return Call(target.at, self.at, target, name, self._arguments(), static)
        if (
            self.peek() == "{"
            and isinstance(name, Constant)
            and str(name.value).lower() in ("where", "foreach")
        ):
            opened = self.at
            self.at += 1
            block = ScriptBlockExpression(opened, self.at, self.script_block())
            return Call(target.at, self.at, target, name, (block,), static)
        return Member(target.at, self.at, target, name, static)

    def _arguments(self) -> tuple[Node, ...]:
        self.at += 1
        arguments: list[Node] = []
        self.new_lines()
        while self.peek() != ")":
            argument = self.expression(commas=False)
            if argument is None:
                if self.at_end:
                    raise self.failure("Missing ')' in method call.", "MissingEndParenthesisInMethodCall")
                if arguments:
                    raise self.failure("Missing expression after ','.", "MissingExpressionAfterToken")
                raise self.unexpected()
            arguments.append(argument)
            self.new_lines()
            if not self.take(","):
                break
            self.new_lines()
        self.expect(")", "Missing ')' in method call.", "MissingEndParenthesisInMethodCall")
        return tuple(arguments)

    def _atom(self) -> Node | None:
        character = self.peek()
        if character == "$":
            return self.subexpression() if self.starts("$(") else self.variable()
        if character == "(":
            return self._parenthesis()
        if character == "[":
            return self._type()
        if character == "{":
            start = self.at
            self.at += 1
            script = self.script_block()
            return ScriptBlockExpression(start, self.at, script)
        if character == "@":
            return self._at_sign()
        if character.isdigit() or (character == "." and self.peek(1, 1).isdigit()):
            return self.number()
        return self.string()

    def _at_sign(self) -> Node | None:
        start = self.at
        if self.starts("@("):
            self.at += 2
            body = self.statements(")")
            self.expect(")", "Missing closing ')' in subexpression.", "MissingEndParenthesisInSubexpression")
            return ArrayExpression(start, self.at, body)
        if self.starts("@{"):
            return self._hashtable()
        found = self.string()
        if found is None and (splatted := self.splatted()):
            raise self.failure(
                "The splatting operator '@' cannot be used to reference variables in an expression. "
                f"'@{splatted.name}' can be used only as an argument to a command. To reference variables in an "
                f"expression use '${splatted.name}'.",
                "SplattingNotPermitted",
                start,
            )
        return found

    def _parenthesis(self) -> Node | None:
        start = self.at
        if not self.take("("):
            return None
        self.new_lines()
        inner = self.pipeline()
        if inner is None:
            raise self.failure("An expression was expected after '('.", "ExpectedExpression", start)
        self.new_lines()
        self.expect(")", "Missing closing ')' in expression.", "MissingEndParenthesisInExpression")
        return Parenthesis(start, self.at, inner)

    def _type(self) -> Node | None:
        """A type, or a cast to it where an operand follows."""
        start = self.at
        self.at += 1
        name = self.type_name()
        if name is None:
            if self.at_end:
                raise self.failure("Missing type name after '['.", "MissingTypename", start)
            raise self.unexpected()
        self.expect("]", "Missing ] at end of type token.", "EndSquareBracketExpectedAtEndOfType")
        end = self.at
        if self.starts("::") or (self.peek() == "." and self._names_member()):
            return TypeLiteral(start, end, name)
        self.blanks()
        if self._begins_operand() and (operand := self._unary()) is not None:
            return Cast(start, self.at, name, operand)
        self.at = end
        return TypeLiteral(start, end, name)

    def _begins_operand(self) -> bool:
        character = self.peek()
        if character and character in _DASHES + "+":
            word = self.match(_DASHED)
            if word:
                return word[1].lower() in _UNARY_WORDS and word[1].lower() not in ("split", "join")
            return bool(_OPERAND_START.match(self.peek(1, 1)))
        return bool(_OPERAND_START.match(self.text, self.at))

    def _hashtable(self) -> Hashtable:
        start = self.at
        self.at += 2
        pairs: list[tuple[Node, Node]] = []
        names: set[str] = set()
        while True:
            self.separators()
            if self.take("}"):
                return Hashtable(start, self.at, tuple(pairs))
            if self.at_end:
                raise self._open_hashtable()
            key = self._key()
            self.blanks()
            self.expect("=", "Missing '=' operator after key in hash literal.", "MissingEqualsInHashLiteral")
            self.new_lines()
            value = self.statement()
            if value is None:
                raise self.failure(
                    "Missing statement after '=' in hash literal.", "MissingStatementInHashLiteral"
                )
            if isinstance(key, Constant):
                if str(key.value).lower() in names:
                    raise self.failure(
                        f"Duplicate keys '{key.value}' are not allowed in hash literals.",
                        "DuplicateKeyInHashLiteral",
                        key.at,
                        key.end - key.at,
                    )
                names.add(str(key.value).lower())
            pairs.append((key, value))
            self.blanks()
            if not self.at_line_end and self.peek() not in (";", "}"):
                raise self._open_hashtable()

    def _open_hashtable(self) -> Exception:
        return self.failure("The hash literal was incomplete.", "IncompleteHashLiteral")

    def _key(self) -> Node:
        word = self.match(_KEY)
        if word:
            start, self.at = self.at, word.end()
            return Constant(start, self.at, word.group())
        key = self._unary()
        if key is None:
            raise self.unexpected()
        return key
