# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Values that scripts work with and that structured commands have no need of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from psrpcore.types import PSByteArray, PSChar, PSDict, PSList, PSScriptBlock, PSString

from lab.objects.values import NetCollection, NetValue, to_wire

if TYPE_CHECKING:
    from lab.powershell.language.scope import Scope
    from lab.powershell.language.tree import Script


class Nothing:
    """What a statement without output evaluates to (AutomationNull): no object in a pipeline, else null."""

    def __repr__(self) -> str:
        return "NOTHING"


NOTHING = Nothing()


class Char(str, NetValue):
    """System.Char."""

    type_names = ("System.Char", "System.ValueType", "System.Object")

    def wired(self, depth: int) -> Any:
        return PSChar(str.__str__(self))


class Hashtable(dict[Any, Any], NetValue):
    """A hash table or an ordered dictionary: keys that are strings are found in any case.

    Entries come in the order they were added; the order of a .NET Hashtable depends on hash codes.
    """

    def __init__(self, pairs: Iterable[tuple[Any, Any]] = (), ordered: bool = False) -> None:
        super().__init__()
        self.ordered = ordered
        self._keys: dict[Any, Any] = {}
        for key, value in pairs:
            self[key] = value

    @property
    def type_names(self) -> tuple[str, ...]:  # type: ignore[override]  # constant in the others
        name = "Specialized.OrderedDictionary" if self.ordered else "Hashtable"
        return (f"System.Collections.{name}", "System.Object")

    def held(self, key: Any) -> Any:
        """The key as it is kept, or the one asked for."""
        return self._keys.get(_normal(key), key)

    def __setitem__(self, key: Any, value: Any) -> None:
        key = self._keys.setdefault(_normal(key), key)
        super().__setitem__(key, value)

    def __getitem__(self, key: Any) -> Any:
        return super().__getitem__(self.held(key))

    def __delitem__(self, key: Any) -> None:
        held = self.held(key)
        self._keys.pop(_normal(key), None)
        super().__delitem__(held)

    def __contains__(self, key: object) -> bool:
        return _normal(key) in self._keys

    def get(self, key: Any, default: Any = None) -> Any:
        return super().get(self.held(key), default)

    def clear(self) -> None:
        super().clear()
        self._keys.clear()

    def copy(self) -> Hashtable:
        return Hashtable(self.items(), self.ordered)

    def wired(self, depth: int) -> Any:
        wired = PSDict({to_wire(key, depth): to_wire(value, depth) for key, value in self.items()})
        if self.ordered:
            wired.PSObject.type_names = list(self.type_names)
        return wired


def _normal(key: Any) -> Any:
    if isinstance(key, str):
        return ("text", str.lower(key))
    try:
        hash(key)
    except TypeError:
        return ("object", id(key))
    return (type(key).__mro__[-2].__name__, key)


class TypedList(list[Any], NetValue):
    """An array of another element type than Object, an ArrayList, or a generic list."""

    def __init__(self, items: Iterable[Any], type_name: str, element: str = "System.Object") -> None:
        super().__init__(items)
        self.type_name = type_name
        self.element = element  # full name of the type of its items

    @property
    def type_names(self) -> tuple[str, ...]:  # type: ignore[override]  # constant in the others
        if self.is_array:
            return (self.type_name, "System.Array", "System.Object")
        return (self.type_name, "System.Object")

    @property
    def is_array(self) -> bool:
        return self.type_name.endswith("[]")

    def wired(self, depth: int) -> Any:
        if self.type_name == "System.Byte[]":
            return PSByteArray(bytes(self))
        wired = PSList([to_wire(item, depth) for item in self])
        wired.PSObject.type_names = list(self.type_names)
        return wired


def byte_array(data: bytes) -> TypedList:
    return TypedList(data, "System.Byte[]", "System.Byte")


def typed_array(items: Iterable[Any], element: str) -> TypedList:
    return TypedList(items, f"{element}[]", element)


def strings(items: Iterable[str]) -> TypedList:
    return typed_array(items, "System.String")


@dataclass(eq=False)
class ScriptBlock(NetValue):
    """A script block; ``closure`` holds the variables that GetNewClosure captured."""

    script: Script
    closure: Scope | None = None
    name: str = ""

    type_names = ("System.Management.Automation.ScriptBlock", "System.Object")

    def __str__(self) -> str:
        return self.script.source

    def wired(self, depth: int) -> Any:
        return PSScriptBlock(str(self))


@dataclass(frozen=True)
class TypeReference(NetValue):
    """A .NET type: System.RuntimeType as far as scripts look at it."""

    name: str  # full, 'System.Int32'

    type_names = ("System.RuntimeType", "System.Reflection.TypeInfo", "System.Type", "System.Object")

    def __str__(self) -> str:
        return self.name

    @property
    def short(self) -> str:
        """What stands behind the last point outside of brackets."""
        head, bracket, rest = self.name.partition("[[")
        return head.rpartition(".")[2] + bracket + rest

    def wired(self, depth: int) -> Any:
        return PSString(self.name)


@dataclass(eq=False)
class Reference(NetValue):
    """``[ref]$variable``: a place a method writes its result to."""

    scope: Scope
    name: str

    type_names = ("System.Management.Automation.PSReference", "System.Object")

    @property
    def value(self) -> Any:
        return self.scope.get(self.name)

    @value.setter
    def value(self, value: Any) -> None:
        self.scope.set(self.name, value)

    def wired(self, depth: int) -> Any:
        return PSString(self.type_names[0])


@dataclass(eq=False)
class Instance(NetValue):
    """An object of a .NET type that lives in the interpreter only, such as a stream."""

    type_names: tuple[str, ...]
    state: Any = None
    properties: dict[str, Any] = field(default_factory=dict)
    hidden: dict[str, Any] = field(default_factory=dict)  # what only reflection shows

    def __str__(self) -> str:
        return self.type_names[0]

    def wired(self, depth: int) -> Any:
        return PSString(self.type_names[0])


def is_array(value: Any) -> bool:
    """Whether it is an array or a list, whose items a pipeline takes one by one."""
    return isinstance(value, (list, tuple, NetCollection)) and not isinstance(value, dict)


def enumerate_value(value: Any) -> Iterator[Any]:
    """What a pipeline gets of a value: the items of arrays and lists, else itself; nothing of NOTHING."""
    if value is NOTHING:
        return
    if isinstance(value, NetCollection):
        yield from value.items
    elif is_array(value):
        yield from list(value)
    elif isinstance(value, Iterator):
        yield from value
    else:
        yield value


def items_of(value: Any) -> list[Any]:
    """A value as the operators with collections see it: an array's items, or itself alone; nothing for NOTHING."""
    return list(enumerate_value(value))


def collected(found: list[Any]) -> Any:
    """What a statement's output is as a value: nothing, the one object, or an array of all."""
    if not found:
        return NOTHING
    return found[0] if len(found) == 1 else found
