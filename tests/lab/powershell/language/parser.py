# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Statements, commands and script blocks: the parser.

The grammar is that of "Windows PowerShell Language Specification Version 3.0", 8.  A parser of its own and not
tree-sitter's grammar (tree-sitter-powershell 0.26), because that one fails on command lines as common as
``Select-Object Name, Id`` and reads others as something else (``foreach ($i in 1..3)``), and because it has no notion
of PowerShell's parser errors.
"""

from __future__ import annotations

import re
from functools import lru_cache

from lab.powershell.language.expressions import NEWER_OPERATORS, Expressions
from lab.powershell.language.reader import NotModelledSyntax, ParseFailure
from lab.powershell.language.tree import (
    Assignment,
    Attribute,
    Binary,
    Block,
    Cast,
    Catch,
    Command,
    CommandElement,
    CommandExpression,
    Constant,
    Exit,
    For,
    ForEach,
    FunctionDefinition,
    If,
    Index,
    Jump,
    Loop,
    Member,
    Node,
    Parameter,
    Pipeline,
    Redirection,
    Return,
    Script,
    Switch,
    Throw,
    Trap,
    Try,
    TypeName,
    Variable,
)

_ASSIGNMENT = re.compile(r"=|\+=|-=|\*=|/=|%=")
_REDIRECTION = re.compile(r"(?P<stream>[1-6*])?(?:>&(?P<merged>[12])|(?P<file>>>?))")
_PARAMETER = re.compile(r"[-\u2013\u2014\u2015](?P<name>[A-Za-z_?][^\s{}();,|&.:\[\"'`<>]*)(?P<colon>:)?")
_FUNCTION_NAME = re.compile(r"[^\s(){};|&]+")
_LABEL = re.compile(r":(\w+)")
_VERBATIM = re.compile(r"--%(?P<rest>[^\r\n|]*)")
_BLOCKS = ("begin", "process", "end", "dynamicparam", "clean")
_NOT_MODELLED = (
    "class",
    "enum",
    "using",
    "data",
    "workflow",
    "configuration",
    "parallel",
    "sequence",
    "inlinescript",
)
_LATER = {"class": "5", "enum": "5", "using": "5", "workflow": "3", "configuration": "4"}


class Parser(Expressions):
    """Reads scripts of one version of PowerShell."""

    def __init__(self, text: str, version: str = "5.1") -> None:
        super().__init__(text)
        self.version = version

    def script(self) -> Script:
        """The whole text. Raises ParseFailure and NotModelledSyntax."""
        try:
            found = self._body("")
        except RecursionError:
            raise self.failure(
                "Processing was stopped because the script is too complex.", "ScriptTooComplicated"
            ) from None
        if not self.at_end:
            raise self.unexpected()
        return found

    # Blocks

    def statements(self, closing: str) -> Block:
        start = self.at
        found: list[Node] = []
        traps: list[Trap] = []
        while True:
            self.separators()
            if self.at_end or (closing and self.peek() == closing):
                return Block(start, self.at, tuple(found), tuple(traps))
            statement = self.statement()
            if statement is None:
                raise self.unexpected()
            if isinstance(statement, Trap):
                traps.append(statement)
            else:
                found.append(statement)
            self.blanks()
            ended = self.at_line_end or self.peek() in (";", closing)
            if not ended and not isinstance(statement, _ENDED_BY_A_BRACE):
                raise self.unexpected()

    def script_block(self) -> Script:
        opened = self.at - 1
        found = self._body("}")
        if not self.take("}"):
            raise self._open_brace(opened)
        return found

    def _open_brace(self, opened: int) -> ParseFailure:
        text = "Missing closing '}' in statement block"
        if self.version.startswith("5"):
            text += " or type definition"
        return self.failure(f"{text}.", "MissingEndCurlyBrace", opened)

    def _body(self, closing: str) -> Script:
        """param, and statements or named blocks, up to the closing bracket, which is not taken."""
        start = self.at
        self.separators()
        before = self.at
        attributes = self._attributes()
        parameters: tuple[Parameter, ...] = ()
        self.new_lines()
        has_parameters = self.word() == "param" and self._keyword_follows("param", "(")
        if has_parameters:
            self.at += len("param")
            self.new_lines()
            self.at += 1
            parameters = self._parameters()
        else:
            self.at, attributes = before, ()
        self.separators()
        if self.word() in _BLOCKS and self._keyword_follows(self.word(), "{"):
            blocks = self._named_blocks(closing)
            return Script(
                self.text,
                start,
                self.at,
                parameters,
                attributes,
                blocks.get("begin"),
                blocks.get("process"),
                blocks.get("end"),
                has_parameters,
            )
        body = self.statements(closing)
        return Script(self.text, start, self.at, parameters, attributes, None, None, body, has_parameters)

    def _keyword_follows(self, keyword: str, bracket: str) -> bool:
        """Whether that bracket comes behind the keyword that stands here."""
        before = self.at
        self.at += len(keyword)
        self.new_lines()
        found = self.peek() == bracket
        self.at = before
        return found

    def _named_blocks(self, closing: str) -> dict[str, Block]:
        blocks: dict[str, Block] = {}
        while True:
            self.separators()
            if self.at_end or self.peek() == closing:
                return blocks
            name = self.word()
            if name not in _BLOCKS:
                raise self.failure(
                    f"unexpected token '{name or self.peek()}', expected 'begin', 'process', 'end', or 'dynamicparam'.",
                    "MissingNamedBlocks",
                )
            if name in ("dynamicparam", "clean"):
                raise NotModelledSyntax(f"the block {name}")
            if name in blocks:
                raise self.failure(
                    f"Script command clause '{name}' has already been defined.",
                    "DuplicateScriptCommandClause",
                )
            self.at += len(name)
            self.new_lines()
            blocks[name] = self._block(
                "MissingNamedStatementBlock", f"Missing statement block after '{name}'."
            )

    def _block(self, error_id: str, message: str) -> Block:
        """A statement block in braces."""
        self.new_lines()
        opened = self.at
        self.expect("{", message, error_id)
        body = self.statements("}")
        if not self.take("}"):
            raise self._open_brace(opened)
        return body

    # Statements

    def statement(self) -> Node | None:
        word = self.word()
        label = ""
        found = self.match(_LABEL)
        if found:
            before = self.at
            self.at = found.end()
            self.new_lines()
            word, label = self.word(), found[1]
            if word not in ("foreach", "for", "while", "do", "switch"):
                self.at = before
                return self._simple()
        start = self.at
        handler = getattr(self, f"_parse_{word}", None) if word else None
        following = self.text[start + len(word) : start + len(word) + 1]
        if handler is None or not self._stands_alone(word, following):
            if word in _NOT_MODELLED and following.isspace() and self._declares(word):
                raise NotModelledSyntax(f"the keyword {word}")
            return self._simple()
        self.at += len(word)
        if word in ("foreach", "for", "while", "do", "switch"):
            return handler(start, label)
        return handler(start)

    def _stands_alone(self, word: str, following: str) -> bool:
        """Whether a keyword is one, and not the beginning of a command's name."""
        if word in ("in", "param"):
            return False
        return following in ("", *" \t\r\n\f\v\xa0({;}|)'\"$@[,&<>#`")

    def _declares(self, word: str) -> bool:
        since = _LATER.get(word)
        if since and self.version < since:
            return False
        pattern = r"\w+\s+\w[^={]*\{" if word != "using" else r"using\s+(namespace|module|assembly)\s"
        if word in ("data", "inlinescript", "parallel", "sequence"):
            pattern = r"\w+\s*\{" if word != "data" else r"data\s+(\w+\s*)?(-\w+[^{]*)?\{"
        return re.compile(pattern, re.IGNORECASE).match(self.text, self.at) is not None

    def _condition(self, keyword: str) -> Node:
        self.new_lines()
        missing = (
            (f"Missing '(' after '{keyword}' in if statement.", "MissingOpenParenthesisInIfStatement")
            if keyword in ("if", "elseif")
            else (f"Missing opening '(' after keyword '{keyword}'.", "MissingOpenParenthesisAfterKeyword")
        )
        self.expect("(", *missing)
        self.new_lines()
        condition = self.pipeline()
        if condition is None:
            text = (
                (f"Missing condition in if statement after '{keyword} ('.", "IfStatementMissingCondition")
                if keyword in ("if", "elseif")
                else (f"Missing expression after '{keyword}' in loop.", "MissingExpressionAfterKeyword")
            )
            raise self.failure(*text)
        self.new_lines()
        self.expect(
            ")",
            f"Missing closing ')' after expression in '{keyword}' statement.",
            "MissingEndParenthesisAfterStatement",
        )
        return condition

    def _parse_if(self, start: int) -> Node:
        clauses = [self._clause("if")]
        otherwise = None
        while True:
            before = self.at
            self.new_lines()
            word = self.word()
            self.at += len(word)
            if word == "elseif":
                clauses.append(self._clause("elseif"))
                continue
            if word == "else":
                otherwise = self._block(
                    "MissingStatementBlockAfterElse", "Missing statement block after 'else' keyword."
                )
            else:
                self.at = before
            return If(start, self.at, tuple(clauses), otherwise)

    def _clause(self, keyword: str) -> tuple[Node, Block]:
        condition = self._condition(keyword)
        message = f"Missing statement block after {keyword} ( condition )."
        return condition, self._block("MissingStatementBlock", message)

    def _loop_body(self, keyword: str) -> Block:
        return self._block("MissingLoopStatement", f"Missing statement body in {keyword} loop.")

    def _parse_while(self, start: int, label: str) -> Node:
        condition = self._condition("while")
        return Loop(start, self.at, condition, self._loop_body("while"), label)

    def _parse_do(self, start: int, label: str) -> Node:
        body = self._loop_body("do")
        self.new_lines()
        word = self.word()
        if word not in ("while", "until"):
            raise self.failure("Missing while or until keyword in do loop.", "MissingWhileOrUntilInDoWhile")
        self.at += len(word)
        condition = self._condition(word)
        return Loop(start, self.at, condition, body, label, body_first=True, until=word == "until")

    def _parse_for(self, start: int, label: str) -> Node:
        self.new_lines()
        self.expect("(", "Missing opening '(' after keyword 'for'.", "MissingOpenParenthesisAfterKeyword")
        parts: list[Node | None] = []
        for number in range(3):
            self.new_lines()
            parts.append(None if self.peek() in (";", ")") else self.statement())
            self.new_lines()
            if number < 2:
                self.take(";")
        self.expect(
            ")",
            "Missing closing ')' after expression in 'for' statement.",
            "MissingEndParenthesisAfterStatement",
        )
        return For(start, self.at, parts[0], parts[1], parts[2], self._loop_body("for"), label)

    def _parse_foreach(self, start: int, label: str) -> Node:
        form = "\r\nThe correct form is: foreach ($a in $b) {...}"
        self.new_lines()
        if self.peek() == "-":
            raise NotModelledSyntax("parameters of foreach")
        if self.peek() != "(":
            raise self.failure(
                "Missing opening '(' after keyword 'foreach'.", "MissingOpenParenthesisAfterKeyword"
            )
        self.at += 1
        self.new_lines()
        variable = self.variable()
        if variable is None:
            raise self.failure(
                f"Missing variable name after foreach.{form}", "MissingVariableNameAfterForeach"
            )
        self.new_lines()
        if self.word() != "in":
            raise self.failure(f"Missing 'in' after variable in foreach loop.{form}", "MissingInInForeach")
        self.at += len("in")
        self.new_lines()
        collection = self.pipeline()
        if collection is None:
            raise self.failure(f"Missing expression in foreach loop.{form}", "MissingForeachExpression")
        self.new_lines()
        self.expect(
            ")",
            f"Missing closing ')' after expression part of foreach loop.{form}",
            "MissingEndParenthesisAfterForeach",
        )
        body = self._block("MissingForeachStatement", f"Missing statement body in foreach loop.{form}")
        return ForEach(start, self.at, variable, collection, body, label)

    def _parse_switch(self, start: int, label: str) -> Node:
        mode, case_sensitive = "", False
        self.new_lines()
        while (found := self.match(_PARAMETER)) is not None:
            name = found["name"].lower()
            if name in ("file", "parallel"):
                raise NotModelledSyntax(f"switch -{name}")
            if name == "casesensitive":
                case_sensitive = True
            elif name in ("regex", "wildcard", "exact"):
                mode = name
            else:
                raise self.failure(
                    f"The parameter -{found['name']} is not valid for the switch statement.",
                    "InvalidSwitchFlag",
                )
            self.at = found.end()
            self.new_lines()
        self.expect(
            "(",
            "A switch statement must have one of the following:  '-file file_name' or '( expression )'.",
            "PipelineValueRequired",
        )
        self.new_lines()
        value = self.pipeline()
        if value is None:
            raise self.unexpected()
        self.new_lines()
        self.expect(
            ")", "Missing ')' after expression in switch statement.", "MissingEndParenthesisInSwitchStatement"
        )
        self.new_lines()
        self.expect("{", "Missing '{' in switch statement.", "MissingCurlyBraceInSwitchStatement")
        clauses: list[tuple[Node, Block]] = []
        default: Block | None = None
        while True:
            self.separators()
            if self.take("}"):
                break
            if self.at_end:
                raise self._open_brace(start)
            is_default = self.word() == "default"
            condition = self._switch_condition()
            body = self._block(
                "MissingSwitchStatementClause", "Missing statement block in switch statement clause."
            )
            if not is_default:
                clauses.append((condition, body))
            elif default is not None:
                raise self.failure(
                    "A switch statement can have only one default clause.", "MultipleSwitchDefaultClauses"
                )
            else:
                default = body
        return Switch(start, self.at, value, mode, case_sensitive, tuple(clauses), default, label)

    def _switch_condition(self) -> Node:
        before = self.at
        condition = self.expression() if self._begins_expression() else None
        if condition is None:
            self.at = before
            condition = self.bare_word()
        if condition is None:
            raise self.failure(
                "Missing condition in switch statement clause.", "MissingSwitchConditionExpression"
            )
        return condition

    def _parse_try(self, start: int) -> Node:
        body = self._block("MissingTryStatementBlock", "The Try statement is missing its statement block.")
        catches: list[Catch] = []
        final: Block | None = None
        while final is None:
            before = self.at
            self.new_lines()
            word = self.word()
            self.at += len(word)
            if word == "catch":
                types = self._catch_types()
                catches.append(
                    Catch(
                        types,
                        self._block(
                            "MissingCatchHandlerBlock", "The Catch block is missing its statement block."
                        ),
                    )
                )
            elif word == "finally":
                final = self._block(
                    "MissingFinallyStatementBlock", "The Finally block is missing its statement block."
                )
            else:
                self.at = before
                break
        if not catches and final is None:
            raise self.failure(
                "The Try statement is missing its Catch or Finally block.", "MissingCatchOrFinally"
            )
        return Try(start, self.at, body, tuple(catches), final)

    def _catch_types(self) -> tuple[TypeName, ...]:
        types: list[TypeName] = []
        self.new_lines()
        while self.take("["):
            name = self.type_name()
            if name is None:
                raise self.failure("Missing type literal.", "MissingTypeLiteralToken")
            self.expect("]", "Missing ] at end of type token.", "EndSquareBracketExpectedAtEndOfType")
            types.append(name)
            self.new_lines()
            if self.take(","):
                self.new_lines()
        return tuple(types)

    def _parse_trap(self, start: int) -> Node:
        types = self._catch_types()
        body = self._block(
            "MissingTrapStatement", "The 'trap' statement was incomplete. A trap statement requires a body."
        )
        return Trap(start, self.at, types[0] if types else None, body)

    def _parse_throw(self, start: int) -> Node:
        self.blanks()
        return Throw(start, self.at, self.pipeline())

    def _parse_return(self, start: int) -> Node:
        self.blanks()
        return Return(start, self.at, self.pipeline())

    def _parse_exit(self, start: int) -> Node:
        self.blanks()
        return Exit(start, self.at, self.pipeline())

    def _jump(self, start: int, kind: str) -> Node:
        self.blanks()
        label: Node | None = None
        if not self.at_line_end and self.peek() not in ";})":
            label = self.variable() or self.bare_word()
        return Jump(start, self.at, kind, label)

    def _parse_break(self, start: int) -> Node:
        return self._jump(start, "break")

    def _parse_continue(self, start: int) -> Node:
        return self._jump(start, "continue")

    def _parse_function(self, start: int) -> Node:
        return self._function(start, is_filter=False)

    def _parse_filter(self, start: int) -> Node:
        return self._function(start, is_filter=True)

    def _function(self, start: int, is_filter: bool) -> Node:
        self.new_lines()
        keyword = "filter" if is_filter else "function"
        name = self.match(_FUNCTION_NAME)
        if not name:
            raise self.failure(f"Missing name after {keyword} keyword.", "MissingNameAfterKeyword")
        self.at = name.end()
        self.new_lines()
        parameters: tuple[Parameter, ...] | None = None
        if self.take("("):
            parameters = self._parameters()
            self.new_lines()
        if not self.take("{"):
            raise self.failure("Missing function body in function declaration.", "MissingFunctionBody")
        script = self.script_block()
        if parameters is not None:
            if script.has_parameters:
                raise self.failure(
                    "The param statement cannot be used if arguments were specified in the function declaration.",
                    "OnlyOneParameterListAllowed",
                )
            script = Script(
                script.text,
                script.at,
                script.end,
                parameters,
                script.attributes,
                script.begin,
                script.process,
                script.final,
                has_parameters=True,
            )
        return FunctionDefinition(start, self.at, name.group(), script, is_filter)

    # Parameters

    def _attributes(self) -> tuple[Attribute, ...]:
        found: list[Attribute] = []
        while self.peek() == "[":
            before = self.at
            attribute = self._attribute()
            if attribute is None:
                self.at = before
                break
            found.append(attribute)
            self.new_lines()
        return tuple(found)

    def _attribute(self) -> Attribute | None:
        """``[Parameter(Mandatory=$true)]`` or a type; None if it is neither."""
        start = self.at
        self.at += 1
        name = re.compile(r"\s*([^\W\d][\w.]*)\s*\(").match(self.text, self.at)
        if not name:
            type_name = self.type_name()
            if type_name is None or not self.take("]"):
                return None
            return Attribute(start, self.at, type_name)
        self.at = name.end()
        positional: list[Node] = []
        named: list[tuple[str, Node | None]] = []
        while True:
            self.new_lines()
            if self.take(")"):
                break
            key = re.compile(r"([^\W\d]\w*)\s*(=(?!=)|(?=[,)\s]))").match(self.text, self.at)
            if key:
                self.at = key.end()
                self.new_lines()
                named.append((key[1], self.expression(commas=False) if key[2] else None))
            else:
                value = self.expression(commas=False)
                if value is None:
                    raise self.unexpected()
                positional.append(value)
            self.new_lines()
            if not self.take(",") and self.peek() != ")":
                raise self.unexpected()
        self.new_lines()
        if not self.take("]"):
            return None
        return Attribute(start, self.at, TypeName(name[1]), tuple(positional), tuple(named))

    def _parameters(self) -> tuple[Parameter, ...]:
        """Behind the opening parenthesis, up to and with the closing one."""
        found: list[Parameter] = []
        while True:
            self.new_lines()
            if self.take(")"):
                break
            start = self.at
            attributes = self._attributes()
            variable = self.variable()
            if variable is None:
                raise self.failure(
                    "Missing ')' in function parameter list.", "MissingEndParenthesisInFunctionParameterList"
                )
            if any(held.name.lower() == variable.name.lower() for held in found):
                raise self.failure(
                    f"Duplicate parameter ${variable.name} in parameter list.", "DuplicateFormalParameter"
                )
            self.new_lines()
            default = None
            if self.take("="):
                self.new_lines()
                default = self.expression(commas=False)
                if default is None:
                    raise self.failure("Missing expression after '='.", "MissingExpressionAfterToken")
                self.new_lines()
            types = [a.type for a in attributes if not a.positional and not a.named and not _is_attribute(a)]
            found.append(
                Parameter(start, self.at, variable.name, types[-1] if types else None, attributes, default)
            )
            if not self.take(",") and self.peek() != ")":
                raise self.failure(
                    "Missing ')' in function parameter list.", "MissingEndParenthesisInFunctionParameterList"
                )
        return tuple(found)

    # Pipelines

    def _simple(self) -> Node | None:
        """An assignment or a pipeline."""
        return self.pipeline()

    def pipeline(self) -> Node | None:
        start = self.at
        before = self.at
        first = self._element(first=True)
        if first is None:
            self.at = before
            return None
        if isinstance(first, CommandExpression) and not first.redirections:
            self.blanks()
            operator = self.match(_ASSIGNMENT)
            if operator and not self.starts("=="):
                return self._assignment(start, first.expression, operator)
        elements = [first]
        while True:
            before = self.at
            self.blanks()
            if not self.take("|"):
                if self.peek() == "&" and not self.starts("&&"):
                    raise self.failure(
                        "The ampersand (&) character is not allowed. The & operator is reserved for future use; "
                        "wrap an "
                        'ampersand in double quotation marks ("&") to pass it as part of a string.',
                        "AmpersandNotAllowed",
                    )
                if self.starts("&&"):
                    raise self._reserved("&&")
                self.at = before
                break
            if self.peek() == "|":
                self.at -= 1
                raise self._reserved("||")
            self.new_lines()
            element = self._element(first=False)
            if element is None:
                raise self.failure("An empty pipe element is not allowed.", "EmptyPipeElement")
            if isinstance(element, CommandExpression):
                raise self.failure(
                    "Expressions are only allowed as the first element of a pipeline.",
                    "ExpressionsMustBeFirstInPipeline",
                    element.at,
                    element.end - element.at,
                )
            elements.append(element)
        return Pipeline(start, elements[-1].end, tuple(elements))

    def _reserved(self, token: str) -> ParseFailure:
        return self.failure(
            f"The token '{token}' is not a valid statement separator in this version.",
            "InvalidEndOfLine",
            length=2,
        )

    def _assignment(self, start: int, target: Node, operator: re.Match[str]) -> Node:
        inner = target
        while isinstance(inner, Cast):
            inner = inner.operand
        items = getattr(inner, "items", (inner,))
        if not all(isinstance(_uncast(item), (Variable, Member, Index)) for item in items):
            raise self.failure(
                "The assignment expression is not valid. The input to an assignment operator must be an object that is "
                "able to accept assignments, such as a variable or a property.",
                "InvalidLeftHandSide",
                start,
                target.end - start,
            )
        self.at = operator.end()
        self.new_lines()
        value = self.statement()
        if value is None:
            raise self.failure(
                f"You must provide a value expression following the '{operator.group()}' operator.",
                "ExpectedValueExpression",
                operator.start(),
            )
        return Assignment(start, self.at, target, operator.group(), value)

    def _element(self, first: bool) -> Command | CommandExpression | None:
        start = self.at
        character = self.peek()
        if not character or character in "\r\n;|)}":
            return None
        if character == "&" or (character == "." and self._dots_source()):
            self.at += 1
            self.blanks()
            name = self._invoked()
            if name is None:
                raise self.failure(
                    f"The expression after '{character}' in a pipeline element produced an object that was not valid. "
                    "It must result in a command name, a script block, or a CommandInfo object.",
                    "MissingExpression",
                )
            return self._command(start, character, name)
        if self._begins_expression():
            expression = self.expression()
            if expression is not None:
                redirections = self._redirections()
                return CommandExpression(start, self.at, expression, redirections)
            self.at = start
        name = self.bare_word()
        if name is None:
            if character == "<":
                raise self.failure("The '<' operator is reserved for future use.", "RedirectionNotSupported")
            raise self.unexpected()
        if isinstance(name, Constant):
            name = Constant(name.at, name.end, self.text[name.at : name.end].replace("`", ""), bare=True)
        return self._command(start, "", name)

    def _dots_source(self) -> bool:
        following = self.peek(1, 1)
        return following.isspace() or (bool(following) and following in "$({'\"")

    def _invoked(self) -> Node | None:
        """What stands behind ``&`` or ``.``."""
        character = self.peek()
        if character and character in "$({'\"@[":
            found = self._primary_of_command()
            if found is not None:
                return found
        return self.bare_word()

    def _begins_expression(self) -> bool:
        character = self.peek()
        if character in ("$", "(", "[", "{", "'", '"', "!", ",", "\u2018", "\u2019", "\u201c", "\u201d"):
            return True
        if character == "@":
            following = self.peek(1, 1)
            return bool(following) and (following in "({'\"" or following.isalpha() or following == "_")
        if character in ("+", "-", "\u2013", "\u2014", "\u2015"):
            return True
        if character.isdigit() or (character == "." and self.peek(1, 1).isdigit()):
            before = self.at
            is_number = self.number() is not None
            self.at = before
            return is_number
        return False

    def _command(self, start: int, operator: str, name: Node) -> Command:
        elements: list[CommandElement] = []
        redirections: list[Redirection] = []
        while True:
            end = self.at
            self.blanks()
            if self.at_line_end or self.peek() in ";|)}":
                break
            if self.peek() == "&":
                break
            redirection = self._redirection()
            if redirection is not None:
                redirections.append(redirection)
                continue
            element = self._command_element()
            if element is None:
                break
            elements.append(element)
        self.at = end
        return Command(start, end, operator, name, tuple(elements), tuple(redirections))

    def _command_element(self) -> CommandElement | None:
        start = self.at
        verbatim = self.match(_VERBATIM)
        if verbatim:
            self.at = verbatim.end()
            rest = verbatim["rest"].strip()
            return CommandElement(start, self.at, None, Constant(start, self.at, rest, bare=True))
        parameter = self.match(_PARAMETER)
        if parameter and (self.text[parameter.end() : parameter.end() + 1] not in ("'", '"')):
            self.at = parameter.end()
            if not parameter["colon"]:
                return CommandElement(start, self.at, parameter["name"], None)
            self.blanks()
            value = self._argument_list()
            if value is None:
                raise self.failure(
                    f"Parameter -{parameter['name']} requires an argument.",
                    "ParameterRequiresArgument",
                    start,
                    parameter.end() - start,
                )
            return CommandElement(start, self.at, parameter["name"], value)
        value = self._argument_list()
        return None if value is None else CommandElement(start, self.at, None, value)

    def _argument_list(self) -> Node | None:
        """An argument, or several joined by commas."""
        start = self.at
        first = self._argument()
        if first is None:
            if self.peek() == ",":
                raise self.failure("Missing argument in parameter list.", "MissingArgument")
            return None
        items = [first]
        while True:
            before = self.at
            self.blanks()
            if not self.take(","):
                self.at = before
                break
            comma = self.at - 1
            self.new_lines()
            item = self._argument()
            if item is None:
                raise self.failure("Missing argument in parameter list.", "MissingArgument", comma)
            items.append(item)
        return first if len(items) == 1 else _array(start, self.at, items)

    def _argument(self) -> Node | None:
        character = self.peek()
        if not character:
            return None
        if character == "@":
            following = self.peek(1, 1)
            if following and following in "({'\"":
                return self._primary_of_command()
            splatted = self.splatted()
            if splatted is not None:
                return splatted
        elif character in ("(", "{", "'", '"', "\u2018", "\u2019", "\u201c", "\u201d"):
            return self._primary_of_command()
        elif character == "$":
            before = self.at
            found = self._primary_of_command()
            following = self.peek()
            if found is not None and (self.at_end or following.isspace() or following in "{}();,|&<>"):
                return found
            self.at = before
        return self.bare_word()

    def _primary_of_command(self) -> Node | None:
        found = self._atom()
        return None if found is None else self.trailers(found)

    def _redirections(self) -> tuple[Redirection, ...]:
        found: list[Redirection] = []
        while True:
            before = self.at
            self.blanks()
            redirection = self._redirection()
            if redirection is None:
                self.at = before
                return tuple(found)
            found.append(redirection)

    def _redirection(self) -> Redirection | None:
        found = self.match(_REDIRECTION)
        if not found:
            return None
        start, self.at = self.at, found.end()
        stream = 0 if found["stream"] == "*" else int(found["stream"] or 1)
        if found["merged"]:
            if found["merged"] == "2":
                raise self.failure(
                    f"The '{found.group()}' operator is reserved for future use.",
                    "RedirectionNotSupported",
                    start,
                )
            return Redirection(start, self.at, stream, None)
        self.blanks()
        target = self._argument()
        if target is None:
            raise self.failure(
                "Missing file specification after redirection operator.", "MissingFileSpecification"
            )
        return Redirection(start, self.at, stream, target, found["file"] == ">>")


_ENDED_BY_A_BRACE = (If, Loop, For, ForEach, Switch, Try, FunctionDefinition, Trap)
_ATTRIBUTES = {
    *(
        "parameter",
        "alias",
        "allownull",
        "allowemptystring",
        "allowemptycollection",
        "cmdletbinding",
        "outputtype",
    ),
    *(
        "validatenotnull",
        "validatenotnullorempty",
        "validateset",
        "validaterange",
        "validatelength",
        "validatecount",
    ),
    *("validatepattern", "validatescript", "dynamicparam", "supportswildcards", "credential"),
}


def _is_attribute(attribute: Attribute) -> bool:
    name = attribute.type.name.lower().rpartition(".")[2].removesuffix("attribute")
    return name in _ATTRIBUTES or name == "credentialattribute"


def _uncast(node: Node) -> Node:
    while isinstance(node, Cast):
        node = node.operand
    return node


def _array(start: int, end: int, items: list[Node]) -> Node:
    from lab.powershell.language.tree import ArrayLiteral

    return ArrayLiteral(start, end, tuple(items))


@lru_cache(maxsize=256)
def parse(text: str, version: str = "5.1") -> Script:
    """The tree of a script. Raises ParseFailure and NotModelledSyntax."""
    return Parser(text, version).script()


__all__ = ["NEWER_OPERATORS", "Binary", "Parser", "parse"]
