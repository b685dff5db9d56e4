# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Variables and functions, and the scopes they live in (about_Scopes: dynamic scoping)."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from psrpcore.types import ErrorCategory

from lab.powershell.errors import PowerShellError
from lab.powershell.language.tree import Script


@dataclass
class Slot:
    """A variable; ``convert`` is its type constraint."""

    name: str
    value: Any = None
    convert: Callable[[Any], Any] | None = None
    read_only: bool = False
    private: bool = False


@dataclass(frozen=True)
class Function:
    name: str
    script: Script
    is_filter: bool = False


@dataclass(eq=False)
class Scope:
    """Names are kept in lower case."""

    parent: Scope | None = None
    variables: dict[str, Slot] = field(default_factory=dict)
    functions: dict[str, Function] = field(default_factory=dict)
    aliases: dict[str, str] = field(default_factory=dict)
    is_script: bool = False  # the one that ``$script:`` means

    def chain(self) -> Iterator[Scope]:
        scope: Scope | None = self
        while scope is not None:
            yield scope
            scope = scope.parent

    def slot(self, name: str) -> Slot | None:
        """The variable that this name means here."""
        key = name.lower()
        scope: Scope | None = self
        while scope is not None:
            found = scope.variables.get(key)
            if found is not None and (not found.private or scope is self):
                return found
            scope = scope.parent
        return None

    def get(self, name: str, default: Any = None) -> Any:
        found = self.slot(name)
        return default if found is None else found.value

    def set(self, name: str, value: Any, convert: Callable[[Any], Any] | None = None) -> None:
        """Assign here. A constraint, given or there already, converts the value. Raises PowerShellError."""
        key = name.lower()
        found = self.variables.get(key)
        if found is None:
            self.variables[key] = Slot(name, convert(value) if convert else value, convert)
            return
        if found.read_only:
            raise not_writable(found.name)
        convert = convert or found.convert
        found.value = convert(value) if convert else value
        found.convert = convert

    def named(self, qualifier: str) -> Scope:
        """The scope that ``global``, ``script``, ``local``, ``private`` or a number of scopes upwards means here."""
        if qualifier in ("local", "private", "0", ""):
            return self
        chain = list(self.chain())
        if qualifier == "global":
            return chain[-1]
        if qualifier.isdigit():
            if int(qualifier) >= len(chain):
                raise PowerShellError(
                    f"The scope number '{qualifier}' exceeds the number of active scopes.",
                    category=ErrorCategory.InvalidArgument,
                    error_id="ScopeIDExceedsAvailableScopes",
                    exception="System.Management.Automation.PSArgumentOutOfRangeException",
                    target=int(qualifier),
                )
            return chain[int(qualifier)]
        return next((scope for scope in chain if scope.is_script), chain[-1])

    def function(self, name: str) -> Function | None:
        key = name.lower()
        return next((scope.functions[key] for scope in self.chain() if key in scope.functions), None)

    def alias(self, name: str) -> str | None:
        key = name.lower()
        return next((scope.aliases[key] for scope in self.chain() if key in scope.aliases), None)

    def all_variables(self) -> dict[str, Slot]:
        """Everything visible here, by lower-case name."""
        found: dict[str, Slot] = {}
        for scope in self.chain():
            for key, slot in scope.variables.items():
                found.setdefault(key, slot)
        return found


def not_writable(name: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot overwrite variable {name} because it is read-only or constant.",
        category=ErrorCategory.WriteError,
        error_id="VariableNotWritable",
        exception="System.Management.Automation.SessionStateUnauthorizedAccessException",
        target=name,
        qualified=False,
    )
