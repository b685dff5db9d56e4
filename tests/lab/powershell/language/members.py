# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of values: properties, methods, indexes, static members; and what is said where there is none.

Which type has which members is in ``instance_members``, ``static_members`` and their like; here is how they are found
and how errors in them are told (PowerShell/PowerShell, engine/MshMemberInfo.cs; ParserStrings.resx,
ExtendedTypeSystem.resx).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from psrpcore.types import ErrorCategory, ErrorRecord, NETException, PSNoteProperty, PSObject

from lab.objects.values import NetCollection, NetObject, all_properties
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language.arithmetic import runtime_error
from lab.powershell.language.conversions import (
    INTEGERS,
    cast,
    is_instance,
    is_number,
    is_whole,
    names_of,
    to_integer,
)
from lab.powershell.language.text import to_text
from lab.powershell.language.types import VALUE_TYPES
from lab.powershell.language.values import (
    NOTHING,
    Hashtable,
    Instance,
    Reference,
    ScriptBlock,
    TypedList,
    TypeReference,
    is_array,
    items_of,
)

if TYPE_CHECKING:
    from lab.powershell.language.frame import Frame


class NetError(Exception):
    """An exception of .NET that a method throws: its type and its message."""

    def __init__(self, type_name: str, message: str) -> None:
        super().__init__(message)
        self.type_name = type_name
        self.message = message


@dataclass(frozen=True)
class Context:
    """What a method may need beside its arguments."""

    interpreter: Any
    frame: Any

    @property
    def session(self) -> Any:
        return self.interpreter.session


@dataclass(frozen=True)
class Overload:
    types: tuple[str, ...]  # full names of the parameters' types; '*' at the end: as many as there are
    run: Callable[..., Any]
    in_context: bool


Table = dict[str, dict[str, list[Overload]]]
METHODS: Table = {}
STATIC_METHODS: Table = {}
PROPERTIES: dict[str, dict[str, Callable[[Any, Context], Any]]] = {}
STATIC_PROPERTIES: dict[str, dict[str, Callable[[Context], Any]]] = {}
CONSTRUCTORS: dict[str, list[Overload]] = {}
#: Names as .NET spells them, by type and lower case.
SPELLINGS: dict[str, dict[str, str]] = {}

_SHORT = {
    "any": "System.Object",
    "bool": "System.Boolean",
    "char": "System.Char",
    "date": "System.DateTime",
    "double": "System.Double",
    "int": "System.Int32",
    "long": "System.Int64",
    "number": "number",
    "span": "System.TimeSpan",
    "str": "System.String",
    "bytes": "System.Byte[]",
    "chars": "System.Char[]",
    "strs": "System.String[]",
    "*": "*",
}


def _types(shorthand: str) -> tuple[str, ...]:
    return tuple(_SHORT.get(word, word) for word in shorthand.split())


def _note(type_name: str, name: str) -> None:
    SPELLINGS.setdefault(type_name, {})[name.lower()] = name


def method(type_name: str, name: str, types: str = "", context: bool = False) -> Callable[[Any], Any]:
    """Register an instance method; it gets the object, then the arguments (with ``context``, that first)."""

    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        METHODS.setdefault(type_name, {}).setdefault(name.lower(), []).append(
            Overload(_types(types), run, context)
        )
        _note(type_name, name)
        return run

    return register


def static(type_name: str, name: str, types: str = "", context: bool = False) -> Callable[[Any], Any]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        STATIC_METHODS.setdefault(type_name, {}).setdefault(name.lower(), []).append(
            Overload(_types(types), run, context)
        )
        return run

    return register


def constructor(type_name: str, types: str = "", context: bool = False) -> Callable[[Any], Any]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        CONSTRUCTORS.setdefault(type_name, []).append(Overload(_types(types), run, context))
        return run

    return register


def prop(type_name: str, name: str) -> Callable[[Any], Any]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        PROPERTIES.setdefault(type_name, {})[name.lower()] = run
        _note(type_name, name)
        return run

    return register


def static_prop(type_name: str, name: str) -> Callable[[Any], Any]:
    def register(run: Callable[..., Any]) -> Callable[..., Any]:
        STATIC_PROPERTIES.setdefault(type_name, {})[name.lower()] = run
        return run

    return register


def _lookup_names(value: Any) -> tuple[str, ...]:
    """Types whose members a value has, the own one first; generic ones without their arguments."""
    names = [re.sub(r"\[\[.*", "", name) for name in names_of(value)]
    if isinstance(value, list) and (not isinstance(value, TypedList) or value.is_array):
        names.append("System.Array")
    if isinstance(value, NetCollection):
        names.append("System.Array" if value.type_names[0].endswith("[]") else "System.Collections.ArrayList")
    if isinstance(value, NETException):
        names.append("System.Exception")
    if is_number(value):
        names.append("number")
    if isinstance(value, dict):
        names.append("System.Collections.Hashtable")
    if "System.Object" not in names:
        names.append("System.Object")
    return tuple(names)


# Overloads


def _fitness(value: Any, wanted: str) -> int:
    """How well an argument fits a parameter: 0 exactly, more the worse, -1 not at all."""
    if wanted == "System.Object":
        return 6
    if wanted == "number":
        return 1 if is_number(value) else -1
    if value is None:
        return 2 if wanted not in VALUE_TYPES else -1
    if is_instance(value, TypeReference(wanted)):
        return 0
    if wanted in INTEGERS and is_whole(value):
        return 1
    if wanted in ("System.Double", "System.Single", "System.Decimal") and is_number(value):
        return 2
    if wanted == "System.Char" and isinstance(value, str) and len(value) == 1:
        return 3
    if wanted == "System.String" and not is_array(value):
        return 4
    return 5


def choose(
    overloads: Sequence[Overload], name: str, arguments: Sequence[Any], version: str
) -> tuple[Overload, list[Any]]:
    """The overload that fits best, and the arguments converted for it. Raises PowerShellError."""
    best: tuple[int, Overload] | None = None
    for overload in overloads:
        types = overload.types
        if types and types[-1] == "*":
            if len(arguments) < len(types) - 1:
                continue
            total = 50
        elif len(types) != len(arguments):
            continue
        else:
            fits = [_fitness(value, wanted) for value, wanted in zip(arguments, types, strict=True)]
            if -1 in fits:
                continue
            total = sum(fits)
        if best is None or total < best[0]:
            best = (total, overload)
    if best is None:
        raise PowerShellError(
            f'Cannot find an overload for "{name}" and the argument count: "{len(arguments)}".',
            category=ErrorCategory.NotSpecified,
            error_id="MethodCountCouldNotFindBest",
            exception="System.Management.Automation.MethodException",
            qualified=False,
        )
    overload = best[1]
    types = overload.types
    if types and types[-1] == "*":
        return overload, list(arguments)
    converted = []
    for number, (value, wanted) in enumerate(zip(arguments, types, strict=True)):
        if wanted in ("System.Object", "number"):
            converted.append(value)
            continue
        try:
            converted.append(cast(value, TypeReference(wanted), version))
        except PowerShellError as error:
            raise PowerShellError(
                f'Cannot convert argument "{number}", with value: "{to_text(value)}", for "{name}" to type "{wanted}": '
                f'"{error.message}"',
                category=ErrorCategory.NotSpecified,
                error_id="MethodArgumentConversionInvalidCastArgument",
                exception="System.Management.Automation.MethodException",
                qualified=False,
            ) from None
    return overload, converted


def _run(
    context: Context, overloads: Sequence[Overload], name: str, arguments: Sequence[Any], *target: Any
) -> Any:
    overload, converted = choose(overloads, name, arguments, context.interpreter.version)
    try:
        if overload.in_context:
            return overload.run(context, *target, *converted)
        return overload.run(*target, *converted)
    except NetError as error:
        raise invocation_error(name, len(arguments), error.type_name, error.message) from None


def invocation_error(name: str, count: int, type_name: str, message: str) -> PowerShellError:
    return PowerShellError(
        f'Exception calling "{name}" with "{count}" argument(s): "{message}"',
        category=ErrorCategory.NotSpecified,
        error_id=type_name.rpartition(".")[2],
        exception="System.Management.Automation.MethodInvocationException",
        qualified=False,
        inner=(type_name, message),
    )


# Methods


def _no_method(type_name: str, name: str, version: str) -> PowerShellError:
    verb = "doesn't contain" if version < "3" else "does not contain"
    return runtime_error(
        f"Method invocation failed because [{type_name}] {verb} a method named '{name}'.",
        "MethodNotFound",
        name,
    )


def call(interpreter: Any, target: Any, name: str, arguments: list[Any], frame: Frame) -> Any:
    """``target.name(arguments)``. Raises PowerShellError."""
    if target is None:
        raise runtime_error("You cannot call a method on a null-valued expression.", "InvokeMethodOnNull")
    key = name.lower()
    context = Context(interpreter, frame)
    if is_array(target) and key in ("where", "foreach") and interpreter.version >= "4":
        return _collection_method(interpreter, target, key, arguments, frame)
    script = _script_method(target, key)
    if script is not None:
        frame_scope = {"this": target}
        found = list(interpreter.invoke(_with_variables(script, frame, frame_scope), arguments, frame))
        return found[0] if len(found) == 1 else (found or NOTHING)
    holders = [type_name for type_name in _lookup_names(target) if key in METHODS.get(type_name, {})]
    if holders:
        overloads = [overload for type_name in holders for overload in METHODS[type_name][key]]
        return _run(context, overloads, SPELLINGS[holders[0]][key], arguments, target)
    if key.startswith("get_") and not arguments:
        return get(interpreter, target, name[4:], frame)
    if key in ("where", "foreach") and interpreter.version >= "4":
        return _collection_method(interpreter, [target], key, arguments, frame)
    if is_array(target) and interpreter.version >= "3":
        items = items_of(target)
        if items and all(_has_method(item, key) for item in items):
            results = [call(interpreter, item, name, arguments, frame) for item in items]
            return [result for result in results if result is not NOTHING] or NOTHING
        missing = next((item for item in items if not _has_method(item, key)), None)
        if missing is not None:
            target = missing
    raise _unknown_member(target, name, interpreter.version)


def _has_method(value: Any, key: str) -> bool:
    return any(key in METHODS.get(type_name, {}) for type_name in _lookup_names(value))


#: Types whose methods are all here, so that another name is one that does not exist.
_COMPLETE = {
    "System.Int32",
    "System.Boolean",
    "System.Management.Automation.PSCustomObject",
    "System.Object[]",
}
_EXISTING: dict[str, frozenset[str]] = {
    "System.String": frozenset(
        ("clone", "copyto", "getenumerator", "gettypecode", "isnormalized", "normalize", "todatetime")
    ),
    "System.DateTime": frozenset(("getdatetimeformats", "gettypecode", "tooadate", "tobinary")),
}


def _unknown_member(target: Any, name: str, version: str) -> PowerShellError:
    """The method does not exist on the type, or the lab does not have it."""
    type_name = names_of(target)[0]
    known = type_name in _COMPLETE or type_name in _EXISTING or isinstance(target, (NetObject, str))
    if isinstance(target, NetObject) and target.properties:
        known = False
    if name.lower() in _EXISTING.get(type_name, ()) or not known:
        return not_modelled(f"the method {name} of {type_name}")
    return _no_method(type_name, name, version)


def _script_method(target: Any, key: str) -> ScriptBlock | None:
    if isinstance(target, NetObject):
        found = target.hidden.get(key)
        return found if isinstance(found, ScriptBlock) else None
    return None


def _with_variables(block: ScriptBlock, frame: Frame, variables: dict[str, Any]) -> ScriptBlock:
    from lab.powershell.language.scope import Scope

    scope = Scope(block.closure or frame.scope)
    for name, value in variables.items():
        scope.set(name, value)
    return ScriptBlock(block.script, scope, block.name)


def _collection_method(interpreter: Any, target: Any, key: str, arguments: list[Any], frame: Frame) -> Any:
    """``.Where({…}, mode, count)`` and ``.ForEach({…})`` (about_Arrays, PowerShell 4.0)."""
    from lab.powershell.language.conversions import to_bool
    from lab.powershell.language.values import collected

    items = items_of(target)
    if not arguments:
        raise PowerShellError(
            f'Cannot find an overload for "{"Where" if key == "where" else "ForEach"}" and the argument count: "0".',
            category=ErrorCategory.NotSpecified,
            error_id="MethodCountCouldNotFindBest",
            exception="System.Management.Automation.MethodException",
            qualified=False,
        )
    block = arguments[0]
    collection = "System.Collections.ObjectModel.Collection`1[[System.Management.Automation.PSObject]]"
    if key == "foreach":
        found: list[Any] = []
        for item in items:
            if isinstance(block, ScriptBlock):
                found.extend(interpreter.invoke(block, arguments[1:], frame, underscore=item))
            elif isinstance(block, TypeReference):
                found.append(cast(item, block, interpreter.version))
            else:
                found.append(get(interpreter, item, to_text(block), frame))
        return TypedList(found, collection)
    mode = to_text(arguments[1]).lower() if len(arguments) > 1 else "default"
    count = to_integer(arguments[2]) if len(arguments) > 2 else 0

    def test(item: Any) -> bool:
        return to_bool(collected(list(interpreter.invoke(block, (), frame, underscore=item))))

    return TypedList(_selected(items, test, mode, count), collection)


def _selected(items: list[Any], test: Callable[[Any], bool], mode: str, count: int) -> list[Any]:
    if mode in ("default", "0"):
        chosen = [item for item in items if test(item)]
        return chosen[:count] if count else chosen
    if mode == "first":
        return [item for item in items if test(item)][: count or 1]
    if mode == "last":
        return [item for item in items if test(item)][-(count or 1) :]
    if mode == "split":
        flags = [test(item) for item in items]
        return [
            [item for item, flag in zip(items, flags, strict=True) if flag],
            [item for item, flag in zip(items, flags, strict=True) if not flag],
        ]
    first = next((number for number, item in enumerate(items) if test(item)), len(items))
    chosen = items[:first] if mode == "until" else items[first:]
    return chosen[:count] if count else chosen


# Properties


def get(interpreter: Any, target: Any, name: str, frame: Frame) -> Any:
    """``target.name``: null where there is none, unless strict mode asks for an error."""
    found = find(interpreter, target, name, frame)
    if found is not NOTHING:
        return found
    if is_array(target) and interpreter.version >= "3":
        values: list[Any] = []
        for item in items_of(target):
            held = find(interpreter, item, name, frame)
            if held is not NOTHING:
                values.extend(items_of(held)) if is_array(held) else values.append(held)
        if values:
            return values[0] if len(values) == 1 else values
    if isinstance(target, Instance):
        raise not_modelled(f"the property {name} of {target.type_names[0]}")
    if interpreter.strict:
        if target is None and interpreter.version < "3":
            return None
        raise runtime_error(
            f"The property '{name}' cannot be found on this object. Verify that the property exists.",
            "PropertyNotFoundStrict",
            name,
            category=ErrorCategory.NotSpecified,
        )
    return None


def find(interpreter: Any, target: Any, name: str, frame: Frame) -> Any:
    """A property of one value; NOTHING if it has none of that name."""
    key = name.lower()
    if target is None:
        return NOTHING if key not in ("count", "length") or interpreter.version < "3" else 0
    if isinstance(target, Hashtable) and name in target:
        return target[name]
    if isinstance(target, (NetObject, PSObject)) or (
        isinstance(target, dict) and not isinstance(target, Hashtable)
    ):
        for held, content in all_properties(target).items():
            if held.lower() == key:
                return _content(interpreter, target, content, frame)
    if isinstance(target, Instance):
        for held, content in target.properties.items():
            if held.lower() == key:
                return content
    context = Context(interpreter, frame)
    for type_name in _lookup_names(target):
        getter = PROPERTIES.get(type_name, {}).get(key)
        if getter is not None:
            return getter(target, context)
    if key in ("count", "length") and not is_array(target) and interpreter.version >= "3":
        return 1
    return NOTHING


def _content(interpreter: Any, target: Any, content: Any, frame: Frame) -> Any:
    if isinstance(content, ScriptProperty):
        found = list(interpreter.invoke(_with_variables(content.getter, frame, {"this": target}), (), frame))
        return found[0] if len(found) == 1 else (found or None)
    return content


@dataclass(eq=False)
class ScriptProperty:
    """A property that Add-Member made of a script block."""

    getter: ScriptBlock

    def __str__(self) -> str:
        return str(self.getter)


def set_property(interpreter: Any, target: Any, name: str, value: Any, frame: Frame) -> None:
    """``target.name = value``. Raises PowerShellError."""
    if target is None and interpreter.version < "3":
        raise _no_property(name, interpreter.version)
    if isinstance(target, dict):
        target[name] = value
        return
    if isinstance(target, Reference) and name.lower() == "value":
        target.value = value
        return
    if isinstance(target, NetObject):
        for table in (target.notes, target.properties):
            for held in table:
                if held.lower() == name.lower():
                    table[held] = value
                    return
    if isinstance(target, Instance):
        for held in target.properties:
            if held.lower() == name.lower():
                target.properties[held] = value
                return
    if isinstance(target, PSObject) and not isinstance(target, (ErrorRecord, NETException)):
        for member in target.PSObject.extended_properties:
            if member.name.lower() == name.lower():
                member.set_value(value, target)
                return
    if is_array(target) and interpreter.version >= "3":
        holders = items_of(target)
        if holders and all(isinstance(item, NetObject) for item in holders):
            for item in holders:
                set_property(interpreter, item, name, value, frame)
            return
    if find(interpreter, target, name, frame) is not NOTHING and target is not None:
        raise runtime_error(f"'{name}' is a ReadOnly property.", "PropertyIsReadOnly", name)
    raise _no_property(name, interpreter.version)


def _no_property(name: str, version: str) -> PowerShellError:
    text = (
        f"Property '{name}' cannot be found on this object; make sure it exists and is settable."
        if version < "3"
        else f"The property '{name}' cannot be found on this object. Verify that the property exists and can be set."
    )
    return runtime_error(text, "PropertyNotFound" if version >= "3" else "PropertyAssignmentException", name)


def add_note(target: Any, name: str, value: Any) -> None:
    """Add a note property (Add-Member)."""
    if isinstance(target, NetObject):
        target.notes[name] = value
    elif isinstance(target, dict):
        target[name] = value
    elif isinstance(target, PSObject):
        target.PSObject.extended_properties.append(PSNoteProperty(name, value))
    else:
        raise not_modelled(f"members added to {names_of(target)[0]}")


# Indexes


def index(interpreter: Any, target: Any, position: Any) -> Any:
    """``target[position]``; several positions give an array."""
    if target is None:
        raise runtime_error("Cannot index into a null array.", "NullArray")
    if isinstance(target, dict):
        if is_array(position):
            return [target.get(key) for key in items_of(position)]
        if getattr(target, "ordered", False) and is_whole(position) and position not in target:
            values = list(target.values())
            return values[position] if -len(values) <= position < len(values) else None
        return target.get(position) if _hashable(position) else None
    if isinstance(position, str) and hasattr(target, "named"):
        return target.named(position)
    if position is None:
        raise runtime_error("Index operation failed; the array index evaluated to null.", "NullArrayIndex")
    if is_array(target) or isinstance(target, (str, bytes)):
        items: Any = (
            list(target) if isinstance(target, bytes) else items_of(target) if is_array(target) else target
        )
        if is_array(position):
            found = [_item(items, to_integer(one)) for one in items_of(position)]
            return [item for item in found if item is not NOTHING]
        item = _item(items, to_integer(position))
        return None if item is NOTHING else item
    if isinstance(target, NetObject) and not target.properties and isinstance(position, str):
        return None
    if interpreter.version >= "3" and is_whole(position):
        if position in (0, -1):
            return target
        return None
    raise runtime_error(
        f'Unable to index into an object of type "{names_of(target)[0]}".', "CannotIndex", to_text(position)
    )


def _hashable(value: Any) -> bool:
    try:
        hash(value)
    except TypeError:
        return False
    return True


def _item(items: Any, position: int) -> Any:
    from lab.powershell.language.values import Char

    if not -len(items) <= position < len(items):
        return NOTHING
    found = items[position]
    return Char(found) if isinstance(items, str) else found


def set_index(interpreter: Any, target: Any, position: Any, value: Any) -> None:
    """``target[position] = value``. Raises PowerShellError."""
    value = None if value is NOTHING else value
    if target is None:
        raise runtime_error("Cannot index into a null array.", "NullArray")
    if isinstance(target, dict):
        if getattr(target, "ordered", False) and is_whole(position) and position not in target:
            target[list(target)[position]] = value
            return
        target[position] = value
        return
    if isinstance(target, list):
        if is_array(position):
            raise runtime_error(
                f"Array assignment to [{','.join(map(to_text, items_of(position)))}] failed because assignment to "
                "slices "
                "is not supported.",
                "ArraySliceAssignmentFailed",
            )
        place = to_integer(position)
        if not -len(target) <= place < len(target):
            message = "Index was outside the bounds of the array."
            raise runtime_error(
                message
                if interpreter.version >= "3"
                else f"Array assignment failed because index '{place}' was out of range.",
                "System.IndexOutOfRangeException" if interpreter.version >= "3" else "IndexOutOfRange",
                category=ErrorCategory.OperationStopped,
                inner=("System.IndexOutOfRangeException", message),
            )
        if isinstance(target, TypedList):
            value = cast(value, TypeReference(target.element), interpreter.version)
        target[place] = value
        return
    raise runtime_error(
        f'Unable to index into an object of type "{names_of(target)[0]}".', "CannotIndex", to_text(position)
    )


# Static members


def _generic_base(name: str) -> str:
    return re.sub(r"\[\[?.*", "", name) if "`" in name else name


def static_property(interpreter: Any, target: TypeReference, name: str, frame: Frame) -> Any:
    """``[type]::name``; null where there is none."""
    from lab.powershell.language.enums import ENUMERATIONS

    key = name.lower()
    if target.name in ENUMERATIONS:
        for member in ENUMERATIONS[target.name]:
            if member.name.lower() == key:
                return member
        return None
    getter = STATIC_PROPERTIES.get(target.name, {}).get(key)
    if getter is not None:
        return getter(Context(interpreter, frame))
    if target.name in STATIC_PROPERTIES or target.name in STATIC_METHODS:
        if target.name in _PARTIAL:
            raise not_modelled(f"[{target.name}]::{name}")
        return None
    raise not_modelled(f"[{target.name}]::{name}")


#: Types that have more static members than are here.
_PARTIAL = frozenset(
    (
        *(
            "System.Environment",
            "System.Net.Dns",
            "System.IO.File",
            "System.IO.Directory",
            "System.TimeZoneInfo",
        ),
        *(
            "System.Text.Encoding",
            "System.Convert",
            "System.Threading.Thread",
            "System.IO.Path",
            "System.BitConverter",
        ),
    )
)


def static_call(
    interpreter: Any, target: TypeReference, name: str, arguments: list[Any], frame: Frame
) -> Any:
    """``[type]::name(arguments)``; ``new`` constructs from PowerShell 5.0 on. Raises PowerShellError."""
    key = name.lower()
    if key == "new":
        if interpreter.version < "5":
            raise _no_method(target.name, name, interpreter.version)
        return construct(interpreter, target, arguments, frame)
    overloads = STATIC_METHODS.get(_generic_base(target.name), {}).get(key)
    if not overloads:
        from lab.powershell.language.enums import ENUMERATIONS

        if target.name in ENUMERATIONS and key in ("getnames", "getvalues"):
            raise _no_method(target.name, name, interpreter.version)
        if target.name in VALUE_TYPES - {"System.DateTime"} or target.name in (
            "System.String",
            "System.Math",
        ):
            raise _no_method(target.name, name, interpreter.version)
        raise not_modelled(f"[{target.name}]::{name}()")
    spelled = next((held for held in _spellings(target.name, key)), name)
    return _run(Context(interpreter, frame), overloads, spelled, arguments)


def _spellings(type_name: str, key: str) -> Iterator[str]:
    held = SPELLINGS.get(type_name, {}).get(key)
    if held:
        yield held


def construct(interpreter: Any, target: TypeReference, arguments: list[Any], frame: Frame) -> Any:
    """A new object of the type. Raises PowerShellError."""
    base = _generic_base(target.name)
    if target.name.endswith("[]"):
        return _new_array(target, arguments)
    overloads = CONSTRUCTORS.get(base)
    from lab.powershell.exceptions import EXCEPTIONS

    if overloads is None and target.name in EXCEPTIONS:
        from lab.powershell.errors import net_exception

        text = to_text(arguments[0]) if arguments else f"Exception of type '{target.name}' was thrown."
        made = net_exception(target.name, text)
        if len(arguments) > 1 and isinstance(arguments[1], NETException):
            made.InnerException = arguments[1]
        return made
    if overloads is None:
        raise not_modelled(f"the constructor of [{target.name}]")
    short = target.name.partition("[[")[0].rpartition(".")[2]
    context = Context(interpreter, frame)
    made = _run(context, overloads, short if interpreter.version < "5" else ".ctor", arguments)
    if isinstance(made, TypedList) and "`" in target.name:
        made.type_name = target.name
        made.element = target.name.partition("[")[2].removesuffix("]").strip("[]") or "System.Object"
    return made


def _new_array(target: TypeReference, arguments: list[Any]) -> Any:
    element = target.name.removesuffix("[]")
    if len(arguments) != 1:
        raise not_modelled("arrays of this shape")
    if is_whole(arguments[0]) or isinstance(arguments[0], str):
        count = to_integer(arguments[0])
        empty: Any = 0 if element in INTEGERS else (False if element == "System.Boolean" else None)
        items = [empty] * count
        return items if element == "System.Object" else TypedList(items, target.name, element)
    return cast(arguments[0], target)


__all__ = [
    "Context",
    "NetError",
    "call",
    "construct",
    "constructor",
    "find",
    "get",
    "index",
    "method",
    "names_of",
    "prop",
    "set_index",
    "set_property",
    "static",
    "static_call",
    "static_prop",
    "static_property",
]
