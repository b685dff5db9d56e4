# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Binding of arguments to parameters, with PowerShell's rules and texts.

Rules: names in any case, unambiguous beginnings, aliases, positional arguments, parameter sets, conversion,
mandatory parameters, pipeline input.  Source of texts and identifiers: PowerShell/PowerShell,
resources/ParameterBinderStrings.resx and engine/ParameterBinderBase.cs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from psrpcore.types import ErrorCategory

from lab.catalogue import Command, Parameter, common_parameters
from lab.contract import Argument
from lab.objects.types import (
    CollectionForScalar,
    InvalidCast,
    NotBoolean,
    NullForValue,
    NullRefused,
    convert,
    full_name,
    is_collection,
    items_of,
)
from lab.objects.values import get_property, has_property, text_of, type_names
from lab.powershell.errors import binding_error, input_not_bound, validation_error


@dataclass
class Binding:
    """The parameters of one invocation; keys are the parameters' own names."""

    command: Command
    parameter_sets: tuple[str, ...]  # still possible, in the command's order
    values: dict[str, Any] = field(default_factory=dict)

    def get(self, name: str, default: Any = None) -> Any:
        return self.values.get(name, default)

    def given(self, name: str) -> bool:
        return name in self.values

    @property
    def parameter_set(self) -> str:
        return self.parameter_sets[0]


class Binder:
    """Binds arguments for one version of PowerShell."""

    def __init__(self, powershell_version: str) -> None:
        self._version = powershell_version

    def bind(self, command: Command, arguments: Sequence[Argument], expects_input: bool = False) -> Binding:
        """The bound parameters.

        ``expects_input``: objects will come down the pipeline, so a mandatory parameter that takes pipeline
        input may still be missing.  Raises PowerShellError.
        """
        binding = Binding(command, command.sets)
        if command.kind == "Application":
            if arguments:
                binding.values["Arguments"] = list(_command_line(arguments))
            return binding
        positional = self._bind_named(binding, arguments)
        self._narrow(binding)
        self._bind_positional(binding, positional)
        if not expects_input:
            self.finish(binding)
        return binding

    def bind_input(self, binding: Binding, item: Any) -> Binding:
        """A binding of its own for one object of the pipeline.

        By value without conversion, by property name, by value with conversion: PowerShell's order, one of
        which must bind something.
        """
        bound = Binding(binding.command, binding.parameter_sets, dict(binding.values))
        free = [
            parameter
            for parameter in binding.command.parameters.values()
            if parameter.name not in bound.values
            and any(parameter.belongs_to(s) for s in bound.parameter_sets)
        ]
        found = binding.command.kind == "Application"  # which reads its standard input, or does not
        for parameter in free:
            if parameter.by_value and self._fits(parameter, item):
                bound.values[parameter.name] = self._coerce(parameter, item)
                found = True
                break
        if not found:
            for parameter in free:
                if parameter.by_property_name and has_property(item, parameter.name):
                    bound.values[parameter.name] = self._coerce(parameter, get_property(item, parameter.name))
                    found = True
        if not found:
            raise input_not_bound(item)
        self._narrow(bound)
        self.finish(bound)
        return bound

    def find(self, command: Command, name: str) -> Parameter:
        """The parameter that name means; raises PowerShellError when it is unknown or ambiguous."""
        wanted = name.lower()
        common = common_parameters(command, self._version)
        own = command.parameters
        for table in (own, common):
            if wanted in table:
                return table[wanted]
            for parameter in table.values():
                if wanted in (alias.lower() for alias in parameter.aliases):
                    return parameter
        candidates = [*_beginning(own, wanted), *_beginning(common, wanted)]
        if not candidates:
            raise binding_error(
                f"A parameter cannot be found that matches parameter name '{name}'.", "NamedParameterNotFound"
            )
        if len(candidates) > 1 and not self._version.startswith("2."):
            # From PowerShell 3.0 on a common parameter does not make another one ambiguous.
            candidates = [p for p in candidates if p.name.lower() not in common] or candidates
        if len(candidates) > 1:
            matches = "".join(f" -{parameter.name}" for parameter in candidates)
            raise binding_error(
                f"Parameter cannot be processed because the parameter name '{name}' is ambiguous. Possible "
                "matches "
                f"include:{matches}.",
                "AmbiguousParameter",
            )
        return candidates[0]

    def finish(self, binding: Binding, expects_input: bool = False) -> None:
        """Settle the parameter set and refuse missing mandatory parameters, but for those that may still get input."""
        command = binding.command
        if command.kind == "Application":
            return
        complete = [s for s in binding.parameter_sets if not _missing(binding, s, expects_input)]
        preferred = command.default_set if command.default_set in binding.parameter_sets else None
        if complete:
            chosen = preferred if preferred in complete else complete[0]
        else:
            chosen = preferred or binding.parameter_sets[0]
            missing = "".join(f" {name}" for name in _missing(binding, chosen, expects_input))
            raise binding_error(
                f"Cannot process command because of one or more missing mandatory parameters:{missing}.",
                "MissingMandatoryParameter",
            )
        binding.parameter_sets = (chosen,)

    def _bind_named(self, binding: Binding, arguments: Iterable[Argument]) -> list[Any]:
        positional = []
        waiting = list(reversed(list(arguments)))
        while waiting:
            argument = waiting.pop()
            if argument.name is None:
                positional.append(argument.value)
                continue
            parameter = self.find(binding.command, argument.name.lstrip("-"))
            if parameter.name in binding.values:
                raise binding_error(
                    f"Cannot bind parameter because parameter '{parameter.name}' is specified more than "
                    "once. To provide "
                    "multiple values to parameters that can accept multiple values, use the array syntax. "
                    "For example, "
                    '"-parameter value1,value2,value3".',
                    "ParameterAlreadyBound",
                )
            if argument.bare and not parameter.is_switch:
                if not waiting or waiting[-1].name is not None:
                    raise binding_error(
                        f"Missing an argument for parameter '{parameter.name}'. Specify a parameter of type "
                        f"'{full_name(parameter.type)}' and try again.",
                        "MissingArgument",
                    )
                argument = waiting.pop()
            binding.values[parameter.name] = self._coerce(parameter, argument.value)
        return positional

    def _bind_positional(self, binding: Binding, positional: Sequence[Any]) -> None:
        command = binding.command
        for number, value in enumerate(positional):
            free = [
                parameter
                for parameter in command.parameters.values()
                if parameter.position is not None
                and parameter.name not in binding.values
                and any(parameter.belongs_to(s) for s in binding.parameter_sets)
            ]
            if not free:
                raise binding_error(
                    f"A positional parameter cannot be found that accepts argument '{text_of(value)}'.",
                    "PositionalParameterNotFound",
                )
            default = command.default_set or binding.parameter_sets[0]
            free.sort(key=lambda p: (p.position, not p.belongs_to(default)))
            if free[0].remaining and number < len(positional) - 1:
                binding.values[free[0].name] = self._coerce(free[0], list(positional[number:]))
                self._narrow(binding)
                return
            binding.values[free[0].name] = self._coerce(free[0], value)
            self._narrow(binding)

    def _narrow(self, binding: Binding) -> None:
        """Drop the parameter sets that a bound parameter does not belong to."""
        parameters = [binding.command.parameters.get(name.lower()) for name in binding.values]
        remaining = tuple(
            s for s in binding.parameter_sets if all(p is None or p.belongs_to(s) for p in parameters)
        )
        if not remaining:
            raise binding_error(
                "Parameter set cannot be resolved using the specified named parameters.",
                "AmbiguousParameterSet",
            )
        binding.parameter_sets = remaining

    def _fits(self, parameter: Parameter, item: Any) -> bool:
        """Whether a pipeline object may be bound by value: a string to a text, any object to an object."""
        if parameter.type in ("PSObject", "Object"):
            return True
        if parameter.type in ("UserIdParameter", "String", "String[]"):
            return isinstance(item, str) or (
                parameter.type == "UserIdParameter" and not has_property(item, parameter.name)
            )
        return any(name.rpartition(".")[2] == parameter.type for name in type_names(item))

    def _coerce(self, parameter: Parameter, value: Any) -> Any:
        refused_empty = parameter.mandatory and not parameter.allow_null
        if refused_empty and is_collection(value) and not items_of(value):
            raise validation_error(
                f"Cannot bind argument to parameter '{parameter.name}' because it is an empty array.",
                "ParameterArgumentValidationErrorEmptyArrayNotAllowed",
            )
        if refused_empty and value is None and not parameter.is_switch and parameter.type != "Boolean":
            raise validation_error(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed",
            )
        if refused_empty and isinstance(value, str) and not value and parameter.type == "String":
            raise validation_error(
                f"Cannot bind argument to parameter '{parameter.name}' because it is an empty string.",
                "ParameterArgumentValidationErrorEmptyStringNotAllowed",
            )
        try:
            return convert(value, parameter.type, parameter.values, self._version)
        except NullForValue as cast:
            raise binding_error(
                f"Cannot bind parameter '{parameter.name}' to the target. Exception setting \"{parameter.name}\": "
                f'"{cast}"',
                "ParameterBindingFailed",
                category=ErrorCategory.WriteError,
            ) from None
        except InvalidCast as cast:
            raise binding_error(
                f"Cannot bind parameter '{parameter.name}'. {cast}", "CannotConvertArgumentNoMessage"
            ) from None
        except CollectionForScalar:
            raise binding_error(
                f"Cannot convert 'System.Object[]' to the type '{full_name(parameter.type)}' required by "
                "parameter "
                f"'{parameter.name}'. Specified method is not supported.",
                "CannotConvertArgument",
            ) from None
        except NotBoolean as kind:
            raise binding_error(
                f"Cannot convert '{kind}' to the type '{full_name(parameter.type)}' required by parameter "
                f"'{parameter.name}'. ",
                "CannotConvertArgument",
            ) from None
        except NullRefused:
            raise binding_error(
                f"Cannot bind argument to parameter '{parameter.name}' because it is null.",
                "ParameterArgumentValidationErrorNullNotAllowed",
            ) from None


def _command_line(arguments: Iterable[Argument]) -> Iterable[str]:
    """What a native program gets: everything as text, names with their dash."""
    for argument in arguments:
        if argument.name is not None:
            yield f"-{argument.name.lstrip('-')}"
        if argument.name is None or argument.value not in (None, True):
            yield text_of(argument.value)


def _beginning(table: Mapping[str, Parameter], wanted: str) -> list[Parameter]:
    return [
        parameter
        for name, parameter in table.items()
        if name.startswith(wanted) or any(alias.lower().startswith(wanted) for alias in parameter.aliases)
    ]


def _missing(binding: Binding, parameter_set: str, expects_input: bool = False) -> list[str]:
    return [
        parameter.name
        for parameter in binding.command.parameters.values()
        if parameter.mandatory_in(parameter_set)
        and parameter.name not in binding.values
        and not (expects_input and parameter.by_value)
    ]
