# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binds the arguments of functions and script blocks.

Source: about_Functions, about_Functions_Advanced_Parameters, about_Parameters; texts: ParameterBinderStrings.resx,
Metadata.resx.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from psrpcore.types import ErrorCategory

from lab.catalogue import COMMON_PARAMETERS
from lab.contract import Argument
from lab.powershell.errors import PowerShellError, binding_error, validation_error
from lab.powershell.language.conversions import cast, to_bool, to_number
from lab.powershell.language.text import regex, to_text
from lab.powershell.language.tree import Attribute, Node, Parameter, Script
from lab.powershell.language.types import resolve
from lab.powershell.language.values import Hashtable, is_array, items_of

Evaluate = Callable[[Node], Any]


@dataclass
class Declared:
    """A parameter and what its attributes say."""

    node: Parameter
    sets: dict[str, Attribute] = field(default_factory=dict)  # by set; '' stands for all
    aliases: list[str] = field(default_factory=list)
    validations: list[Attribute] = field(default_factory=list)
    allows: set[str] = field(default_factory=set)

    @property
    def name(self) -> str:
        return self.node.name

    @property
    def is_switch(self) -> bool:
        return self.node.type is not None and self.node.type.name.lower().rpartition(".")[2] in (
            "switch",
            "switchparameter",
        )


def _short(attribute: Attribute) -> str:
    return attribute.type.name.lower().rpartition(".")[2].removesuffix("attribute")


def declared(script: Script, evaluate: Evaluate) -> list[Declared]:
    """What a script block's ``param`` says."""
    found = []
    for node in script.parameters:
        one = Declared(node)
        for attribute in node.attributes:
            kind = _short(attribute)
            if kind == "parameter":
                given, expression = attribute.named_argument("ParameterSetName")
                name = to_text(evaluate(expression)) if given and expression is not None else ""
                one.sets[name.lower()] = attribute
            elif kind == "alias":
                one.aliases += [to_text(evaluate(item)).lower() for item in attribute.positional]
            elif kind.startswith("validate"):
                one.validations.append(attribute)
            elif kind.startswith("allow"):
                one.allows.add(kind)
        found.append(one)
    return found


def is_advanced(script: Script) -> bool:
    """Whether it binds like a cmdlet: [CmdletBinding()], or a [Parameter()] somewhere."""
    return any(_short(attribute) == "cmdletbinding" for attribute in script.attributes) or any(
        _short(attribute) == "parameter" for node in script.parameters for attribute in node.attributes
    )


class FunctionBinding:
    """The parameters of one call of a function."""

    def __init__(
        self,
        name: str,
        script: Script,
        arguments: Sequence[Argument],
        evaluate: Evaluate,
        version: str,
        test: Any,
    ) -> None:
        self.name = name
        self.script = script
        self.parameters = declared(script, evaluate)
        self.advanced = is_advanced(script)
        self.values: dict[str, Any] = {}  # by the parameters' own names
        self.common: dict[str, Any] = {}
        self.unbound: list[Any] = []  # $args
        self._evaluate = evaluate
        self._version = version
        self._test = test  # runs a script block of ValidateScript
        self._bind(arguments)

    # Attributes

    def _flag(self, attribute: Attribute, name: str) -> bool:
        given, expression = attribute.named_argument(name)
        return given and (expression is None or to_bool(self._evaluate(expression)))

    def _position(self, parameter: Declared) -> int | None:
        for attribute in parameter.sets.values():
            given, expression = attribute.named_argument("Position")
            if given and expression is not None:
                return int(to_number(self._evaluate(expression)))
        return None

    def _mandatory(self, parameter: Declared, parameter_set: str) -> bool:
        attribute = parameter.sets.get(parameter_set) or parameter.sets.get("")
        return attribute is not None and self._flag(attribute, "Mandatory")

    def takes_input(self) -> list[tuple[Declared, bool]]:
        """Parameters that pipeline objects may be bound to, and whether by their whole value."""
        found = []
        for parameter in self.parameters:
            for attribute in parameter.sets.values():
                if self._flag(attribute, "ValueFromPipeline"):
                    found.append((parameter, True))
                if self._flag(attribute, "ValueFromPipelineByPropertyName"):
                    found.append((parameter, False))
        return found

    # Binding

    def _bind(self, arguments: Sequence[Argument]) -> None:
        positional: list[Any] = []
        waiting = list(reversed(arguments))
        while waiting:
            argument = waiting.pop()
            if argument.name is None:
                positional.append(argument.value)
                continue
            parameter = self._find(argument.name)
            if parameter is None:
                self._common_or_loose(argument, waiting, positional)
                continue
            if isinstance(parameter, Declared):
                self._bind_named(parameter, argument, waiting)
        self._bind_positional(positional)

    def _find(self, name: str) -> Declared | None:
        wanted = name.lower()
        for parameter in self.parameters:
            if parameter.name.lower() == wanted or wanted in parameter.aliases:
                return parameter
        found = [
            p
            for p in self.parameters
            if p.name.lower().startswith(wanted) or any(alias.startswith(wanted) for alias in p.aliases)
        ]
        if len(found) > 1:
            matches = "".join(f" -{parameter.name}" for parameter in found)
            raise self._named(
                binding_error(
                    f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible matches "
                    f"include:{matches}.",
                    "AmbiguousParameter",
                )
            )
        return found[0] if found else None

    def _named(self, error: PowerShellError) -> PowerShellError:
        """Errors of a function bear its name where those of a cmdlet bear its class."""
        error.error_id = f"{error.error_id},{self.name}" if self.name else error.error_id
        error.qualified = False
        error.activity = self.name
        return error

    def _common_or_loose(self, argument: Argument, waiting: list[Argument], positional: list[Any]) -> None:
        assert argument.name is not None
        wanted = argument.name.lower()
        common = [
            parameter
            for key, parameter in COMMON_PARAMETERS.items()
            if key.startswith(wanted) or wanted in parameter.aliases
        ]
        if self.advanced and wanted in ("whatif", "wi", "confirm", "cf"):
            self.common["WhatIf" if wanted.startswith("w") else "Confirm"] = (
                True if argument.bare else to_bool(argument.value)
            )
        elif self.advanced and len(common) == 1:
            value = argument.value
            if argument.bare:
                value = True if common[0].is_switch else self._next(common[0].name, waiting)
            self.common[common[0].name] = value
        elif self.advanced:
            raise self._named(
                binding_error(
                    f"A parameter cannot be found that matches parameter name '{argument.name}'.",
                    "NamedParameterNotFound",
                )
            )
        else:
            self.unbound.append(f"-{argument.name}" + ("" if argument.bare else ":"))
            if not argument.bare:
                self.unbound.append(argument.value)

    def _next(self, name: str, waiting: list[Argument]) -> Any:
        if not waiting or waiting[-1].name is not None:
            raise self._named(
                binding_error(
                    f"Missing an argument for parameter '{name}'. Specify a parameter of type 'System.Object' and try "
                    "again.",
                    "MissingArgument",
                )
            )
        return waiting.pop().value

    def _bind_named(self, parameter: Declared, argument: Argument, waiting: list[Argument]) -> None:
        if parameter.name in self.values:
            raise self._named(
                binding_error(
                    f"Cannot bind parameter because parameter '{parameter.name}' is specified more than once. To "
                    "provide "
                    "multiple values to parameters that can accept multiple values, use the array syntax. For example, "
                    '"-parameter value1,value2,value3".',
                    "ParameterAlreadyBound",
                )
            )
        value = argument.value
        if argument.bare:
            if parameter.is_switch:
                value = True
            else:
                if not waiting or waiting[-1].name is not None:
                    kind = (
                        resolve(parameter.node.type, self._version)
                        if parameter.node.type
                        else "System.Object"
                    )
                    raise self._named(
                        binding_error(
                            f"Missing an argument for parameter '{parameter.name}'. Specify a parameter of type "
                            f"'{kind}' "
                            "and try again.",
                            "MissingArgument",
                        )
                    )
                value = waiting.pop().value
        self.values[parameter.name] = self.convert(parameter, value)

    def _bind_positional(self, positional: list[Any]) -> None:
        order = [
            (position if (position := self._position(p)) is not None else 10**6 + number, p)
            for number, p in enumerate(self.parameters)
            if not p.is_switch
        ]
        any_position = any(self._position(p) is not None for p in self.parameters)
        candidates = [
            p
            for place, p in sorted(order, key=lambda pair: pair[0])
            if not any_position or place < 10**6 or not self.advanced
        ]
        free = [p for p in candidates if p.name not in self.values]
        for value in positional:
            if free:
                parameter = free.pop(0)
                self.values[parameter.name] = self.convert(parameter, value)
            elif self.advanced:
                raise self._named(
                    binding_error(
                        f"A positional parameter cannot be found that accepts argument '{to_text(value)}'.",
                        "PositionalParameterNotFound",
                    )
                )
            else:
                self.unbound.append(value)

    def parameter_set(self) -> str:
        """The set that the bound parameters belong to."""
        names = list(dict.fromkeys(name for p in self.parameters for name in p.sets if name))
        if not names:
            return ""
        default = ""
        for attribute in self.script.attributes:
            given, expression = attribute.named_argument("DefaultParameterSetName")
            if given and expression is not None:
                default = to_text(self._evaluate(expression)).lower()
        bound = [p for p in self.parameters if p.name in self.values and p.sets and "" not in p.sets]
        possible = [name for name in names if all(name in p.sets for p in bound)]
        if not possible:
            raise self._named(
                binding_error(
                    "Parameter set cannot be resolved using the specified named parameters.",
                    "AmbiguousParameterSet",
                )
            )
        if default in possible:
            return default
        complete = [name for name in possible if not self._missing(name)]
        return (complete or possible)[0]

    def set_name(self) -> str:
        """The parameter set as the function spells it."""
        chosen = self.parameter_set()
        for parameter in self.parameters:
            attribute = parameter.sets.get(chosen) if chosen else None
            if attribute is not None:
                expression = attribute.named_argument("ParameterSetName")[1]
                return to_text(self._evaluate(expression)) if expression is not None else chosen
        return chosen or "__AllParameterSets"

    def _missing(self, parameter_set: str) -> list[str]:
        return [
            p.name
            for p in self.parameters
            if p.name not in self.values
            and self._mandatory(p, parameter_set)
            and (parameter_set in p.sets or "" in p.sets or not parameter_set)
        ]

    def finish(self) -> str:
        """Refuse missing mandatory parameters; the parameter set."""
        chosen = self.parameter_set()
        missing = self._missing(chosen)
        if missing:
            raise self._named(
                binding_error(
                    "Cannot process command because of one or more missing mandatory parameters:"
                    f"{''.join(f' {name}' for name in missing)}.",
                    "MissingMandatoryParameter",
                )
            )
        return chosen

    # Conversion and validation

    def convert(self, parameter: Declared, value: Any) -> Any:
        """The value as the parameter's type, if it passes the validations. Raises PowerShellError."""
        if parameter.sets and self._mandatory(parameter, next(iter(parameter.sets))):
            self._refuse_empty(parameter, value)
        if parameter.node.type is not None:
            kind = resolve(parameter.node.type, self._version)
            try:
                value = cast(value, kind, self._version)
            except PowerShellError as error:
                if error.error_id == "NotModelled":
                    raise
                raise self._named(
                    PowerShellError(
                        f"Cannot process argument transformation on parameter '{parameter.name}'. {error.message}",
                        category=ErrorCategory.InvalidData,
                        error_id="ParameterArgumentTransformationError",
                        exception="System.Management.Automation.ParameterBindingArgumentTransformationException",
                    )
                ) from None
        for validation in parameter.validations:
            reason = self._invalid(validation, value)
            if reason is not None:
                raise self._named(
                    validation_error(
                        f"Cannot validate argument on parameter '{parameter.name}'. {reason}",
                        "ParameterArgumentValidationError",
                    )
                )
        return value

    def _refuse_empty(self, parameter: Declared, value: Any) -> None:
        what, error_id, kind = "", "", parameter.node.type
        if value is None and "allownull" not in parameter.allows:
            what, error_id = "it is null", "Null"
        elif isinstance(value, str) and not value and "allowemptystring" not in parameter.allows:
            if kind is not None and kind.name.lower() in ("string", "system.string"):
                what, error_id = "it is an empty string", "EmptyString"
        elif (
            is_array(value) and not items_of(value) and kind is not None and kind.ranks
        ) and "allowemptycollection" not in parameter.allows:
            what, error_id = "it is an empty array", "EmptyArray"
        if what:
            raise self._named(
                validation_error(
                    f"Cannot bind argument to parameter '{parameter.name}' because {what}.", error_id
                )
            )

    def _invalid(self, attribute: Attribute, value: Any) -> str | None:
        kind = _short(attribute)
        limits = [self._evaluate(item) for item in attribute.positional]
        if kind == "validatenotnull" and value is None:
            return (
                "The argument is null. Provide a valid value for the argument, and then try running the command "
                "again."
            )
        if kind == "validatenotnullorempty" and (
            value is None or value == "" or (is_array(value) and not value)
        ):
            return (
                "The argument is null or empty. Provide an argument that is not null or empty, and then try the "
                "command "
                "again."
            )
        if kind == "validatecount":
            return self._bad_count(limits, len(items_of(value)))
        for item in items_of(value) if is_array(value) else [value]:
            reason = self._invalid_item(kind, limits, item)
            if reason is not None:
                return reason
        return None

    def _bad_count(self, limits: list[Any], count: int) -> str | None:
        least, most = int(limits[0]), int(limits[1])
        if least <= count <= most:
            return None
        if least == most:
            return f"The parameter requires exactly {least} value(s) - {count} value(s) were provided."
        return (
            f"The parameter requires at least {least} value(s) and no more than {most} value(s) - {count} "
            "value(s) were "
            "provided."
        )

    def _invalid_item(self, kind: str, limits: list[Any], item: Any) -> str | None:
        text = to_text(item)
        if kind == "validateset":
            if text.lower() not in (to_text(limit).lower() for limit in limits):
                return (
                    f'The argument "{text}" does not belong to the set "{",".join(map(to_text, limits))}" '
                    "specified by the "
                    "ValidateSet attribute. Supply an argument that is in the set and then try the command again."
                )
        elif kind == "validaterange":
            number = to_number(item)
            if number > to_number(limits[1]):
                return (
                    f"The {text} argument is greater than the maximum allowed range of {to_text(limits[1])}. Supply an "
                    f"argument that is less than or equal to {to_text(limits[1])} and then try the command again."
                )
            if number < to_number(limits[0]):
                return (
                    f"The {text} argument is less than the minimum allowed range of {to_text(limits[0])}. Supply an "
                    f"argument that is greater than or equal to {to_text(limits[0])} and then try the command again."
                )
        elif kind == "validatepattern":
            if not regex(to_text(limits[0]), re.IGNORECASE).search(text):
                return (
                    f'The argument "{text}" does not match the "{to_text(limits[0])}" pattern. Supply an argument that '
                    f'matches "{to_text(limits[0])}" and try the command again.'
                )
        elif kind == "validatelength":
            least, most = int(limits[0]), int(limits[1])
            if len(text) < least:
                return (
                    f"The character length ({len(text)}) of the argument is too short. Specify an argument with a "
                    "length "
                    f'that is greater than or equal to "{least}", and then try the command again.'
                )
            if len(text) > most:
                return (
                    f"The character length of the {len(text)} argument is too long. Shorten the character length "
                    "of the "
                    f'argument so it is fewer than or equal to "{most}" characters, and then try the command again.'
                )
        elif kind == "validatescript" and not self._test(limits[0], item):
            return (
                f'The "{limits[0]}" validation script for the argument with value "{text}" did not return a result of '
                "True. Determine why the validation script failed, and then try the command again."
            )
        return None

    def bound_parameters(self) -> Hashtable:
        return Hashtable([*self.values.items(), *self.common.items()])


def arguments_of(values: Iterable[Any]) -> list[Argument]:
    """Positional arguments."""
    return [Argument(None, value) for value in values]
