# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Properties and methods of values: every object, strings, arrays, hash tables (.NET's reference; about_Methods)."""

from __future__ import annotations

import functools
import re
from typing import Any

from lab.objects.values import NetObject, all_properties
from lab.powershell.exceptions import EXCEPTIONS
from lab.powershell.language.comparison import equal, order_of, text_order
from lab.powershell.language.conversions import cast, names_of
from lab.powershell.language.enums import ENUMERATIONS
from lab.powershell.language.members import Context, NetError, method, prop
from lab.powershell.language.text import InvalidFormat, format_value, plain_text, to_text
from lab.powershell.language.types import VALUE_TYPES
from lab.powershell.language.values import (
    NOTHING,
    Char,
    Hashtable,
    Instance,
    TypedList,
    TypeReference,
    items_of,
    strings,
    typed_array,
)

_STRING = "System.String"
_OBJECT = "System.Object"
OUT_OF_RANGE = "System.ArgumentOutOfRangeException"

# Every object


method(_OBJECT, "ToString")(plain_text)
method(_OBJECT, "GetType")(lambda target: TypeReference(names_of(target)[0]))
method(_OBJECT, "GetHashCode")(lambda target: hash(plain_text(target)) % 2**31)


@method(_OBJECT, "Equals", "any")
def _equals(target: Any, other: Any) -> bool:
    if isinstance(target, str):
        return isinstance(other, str) and str(target) == str(other)
    return other is not None and names_of(target)[0] == names_of(other)[0] and equal(target, other, True)


@method(_OBJECT, "CompareTo", "any")
def _compare_to(target: Any, other: Any) -> int:
    order = order_of(target, other)
    return (order > 0) - (order < 0)


@prop(_OBJECT, "PSTypeNames")
def _type_names(target: Any, context: Context) -> Any:
    return TypedList(
        names_of(target), "System.Collections.ObjectModel.Collection`1[[System.String]]", _STRING
    )


@prop(_OBJECT, "PSObject")
def _psobject(target: Any, context: Context) -> Any:
    made = Instance(("System.Management.Automation.PSObject", _OBJECT), target)
    made.properties = {
        "Properties": PropertyCollection(
            [property_information(target, name, value) for name, value in _own_properties(target).items()],
            target,
        ),
        "TypeNames": _type_names(target, context),
        "BaseObject": target,
        "ImmediateBaseObject": target,
    }
    return made


def _own_properties(target: Any) -> dict[str, Any]:
    if isinstance(target, Hashtable):
        return {"Keys": list(target.keys()), "Values": list(target.values()), "Count": len(target)}
    return dict(all_properties(target))


class PropertyCollection(TypedList):
    """``$object.PSObject.Properties``: indexed by name, too."""

    def __init__(self, items: list[Any], target: Any) -> None:
        super().__init__(items, "System.Management.Automation.PSMemberInfoIntegratingCollection`1")
        self.target = target

    def named(self, name: str) -> Any:
        return next((item for item in self if item.properties["Name"].lower() == name.lower()), None)


def property_information(target: Any, name: str, value: Any) -> NetObject:
    """A PSNoteProperty or PSProperty."""
    is_note = isinstance(target, NetObject) and name in target.notes
    kind = "PSNoteProperty" if is_note else "PSProperty"
    names = (kind, "PSPropertyInfo", "PSMemberInfo")
    return NetObject(
        (*(f"System.Management.Automation.{name}" for name in names), _OBJECT),
        {
            "MemberType": "NoteProperty" if is_note else "Property",
            "Value": value,
            "Name": name,
            "IsSettable": True,
            "IsGettable": True,
            "TypeNameOfValue": names_of(value)[0] if value is not None else _OBJECT,
            "IsInstance": is_note,
        },
    )


# Types

_TYPE = "System.RuntimeType"
prop(_TYPE, "Name")(lambda value, context: value.short)
prop(_TYPE, "FullName")(lambda value, context: value.name)
prop(_TYPE, "Namespace")(lambda value, context: value.name.partition("`")[0].rpartition(".")[0])
prop(_TYPE, "IsArray")(lambda value, context: value.name.endswith("[]"))
method(_TYPE, "ToString")(lambda value: value.name)


@prop(_TYPE, "BaseType")
def _base_type(target: TypeReference, context: Context) -> TypeReference:
    if target.name in EXCEPTIONS:
        return TypeReference(EXCEPTIONS[target.name])
    if target.name.endswith("[]"):
        return TypeReference("System.Array")
    return TypeReference("System.ValueType" if target.name in VALUE_TYPES else _OBJECT)


# Strings


def _slice(text: str, start: int, length: int | None = None) -> str:
    if start < 0:
        raise NetError(OUT_OF_RANGE, "StartIndex cannot be less than zero.\r\nParameter name: startIndex")
    if start > len(text):
        raise NetError(
            OUT_OF_RANGE, "startIndex cannot be larger than length of string.\r\nParameter name: startIndex"
        )
    if length is None:
        return text[start:]
    if length < 0:
        raise NetError(OUT_OF_RANGE, "Length cannot be less than zero.\r\nParameter name: length")
    if start + length > len(text):
        raise NetError(
            OUT_OF_RANGE,
            "Index and length must refer to a location within the string.\r\nParameter name: length",
        )
    return text[start : start + length]


def _given(value: Any, name: str = "value") -> str:
    if value is None:
        raise NetError("System.ArgumentNullException", f"Value cannot be null.\r\nParameter name: {name}")
    return str(value)


def _trimmed(side: str) -> Any:
    def run(text: str, *characters: Any) -> str:
        given = "".join(to_text(item) for argument in characters for item in items_of(argument))
        return str(getattr(str(text), side)(given or None))

    return run


prop(_STRING, "Length")(lambda text, context: len(text))
method(_STRING, "Substring", "int")(_slice)
method(_STRING, "Substring", "int int")(_slice)
for _name in ("ToUpper", "ToUpperInvariant"):
    method(_STRING, _name)(lambda text: str(text).upper())
for _name in ("ToLower", "ToLowerInvariant"):
    method(_STRING, _name)(lambda text: str(text).lower())
for _name in ("ToString", "Clone"):
    method(_STRING, _name)(lambda text: str(text))
method(_STRING, "GetEnumerator")(lambda text: [Char(character) for character in text])
method(_STRING, "ToCharArray")(
    lambda text: typed_array([Char(character) for character in text], "System.Char")
)
method(_STRING, "CompareTo", "str")(lambda text, other: text_order(text, other or "", True))
for _name, _side in (("Trim", "strip"), ("TrimStart", "lstrip"), ("TrimEnd", "rstrip")):
    method(_STRING, _name, "*")(_trimmed(_side))
method(_STRING, "PadLeft", "int")(lambda text, width: text.rjust(width))
method(_STRING, "PadLeft", "int char")(lambda text, width, character: text.rjust(width, str(character)))
method(_STRING, "PadRight", "int")(lambda text, width: text.ljust(width))
method(_STRING, "PadRight", "int char")(lambda text, width, character: text.ljust(width, str(character)))
method(_STRING, "Contains", "str")(lambda text, part: _given(part) in text)
method(_STRING, "StartsWith", "str")(lambda text, part: text.startswith(_given(part)))
method(_STRING, "EndsWith", "str")(lambda text, part: text.endswith(_given(part)))
method(_STRING, "IndexOf", "str")(lambda text, part: text.find(_given(part)))
method(_STRING, "IndexOf", "str int")(lambda text, part, start: text.find(_given(part), start))
method(_STRING, "LastIndexOf", "str")(lambda text, part: text.rfind(_given(part)))


def _by_comparison(test: Any) -> Any:
    """A method whose last argument is a StringComparison."""

    def run(text: str, part: str, comparison: Any) -> Any:
        folds = comparison.name.endswith("IgnoreCase")
        return test(text.lower(), _given(part).lower()) if folds else test(str(text), _given(part))

    return run


for _name, _test in (
    ("StartsWith", str.startswith),
    ("EndsWith", str.endswith),
    ("Equals", str.__eq__),
    ("IndexOf", str.find),
):
    method(_STRING, _name, "str System.StringComparison")(_by_comparison(_test))


@method(_STRING, "IndexOfAny", "chars")
def _index_of_any(text: str, characters: Any) -> int:
    found = [place for place in (text.find(character) for character in characters) if place >= 0]
    return min(found) if found else -1


@method(_STRING, "Replace", "str str")
def _replace(text: str, old: str, new: str | None) -> str:
    if not _given(old, "oldValue"):
        raise NetError(
            "System.ArgumentException", "String cannot be of zero length.\r\nParameter name: oldValue"
        )
    return text.replace(old, new or "")


@method(_STRING, "Remove", "int")
def _remove(text: str, start: int) -> str:
    if not 0 <= start < len(text):
        raise NetError(
            OUT_OF_RANGE, "startIndex must be less than length of string.\r\nParameter name: startIndex"
        )
    return text[:start]


@method(_STRING, "Remove", "int int")
def _remove_part(text: str, start: int, count: int) -> str:
    if start + count > len(text) or start < 0:
        raise NetError(
            OUT_OF_RANGE,
            "Index and count must refer to a location within the string.\r\nParameter name: count",
        )
    return text[:start] + text[start + count :]


@method(_STRING, "Insert", "int str")
def _insert(text: str, start: int, value: str) -> str:
    if not 0 <= start <= len(text):
        raise NetError(
            OUT_OF_RANGE,
            "Specified argument was out of the range of valid values.\r\nParameter name: startIndex",
        )
    return text[:start] + value + text[start:]


@method(_STRING, "Split", "*")
def _split(text: str, *arguments: Any) -> Any:
    """By characters; by strings, where an array of strings is given with options."""
    rest = list(arguments)
    options = ENUMERATIONS["System.StringSplitOptions"]
    drop = False
    if len(rest) > 1 and (isinstance(rest[-1], options) or (isinstance(rest[-1], str) and len(rest[-1]) > 1)):
        drop = cast(rest.pop(), TypeReference("System.StringSplitOptions")).name == "RemoveEmptyEntries"
    count = None
    if len(rest) > 1 and isinstance(rest[-1], int) and not isinstance(rest[-1], bool):
        count = int(rest.pop())
    by_text = len(rest) == 1 and isinstance(rest[0], TypedList) and rest[0].element == _STRING
    given = [to_text(item) for argument in rest for item in items_of(argument)]
    separators = given if by_text else [character for item in given for character in item]
    expression = "|".join(re.escape(separator) for separator in separators if separator) or r"\s"
    pieces = [text] if count == 1 else re.split(expression, text, maxsplit=max((count or 1) - 1, 0))
    return strings(piece for piece in pieces if piece or not drop)


# Whatever has a format


def _formatted(value: Any, pattern: str) -> str:
    try:
        return format_value(value, pattern)
    except InvalidFormat as error:
        raise NetError("System.FormatException", str(error)) from None


for _kind in ("number", "System.DateTime", "System.TimeSpan", "System.Guid"):
    method(_kind, "ToString", "str")(_formatted)

# Arrays and lists

_ARRAY, _ARRAY_LIST, _LIST = (
    "System.Array",
    "System.Collections.ArrayList",
    "System.Collections.Generic.List`1",
)
_COLLECTION = "System.Collections.ObjectModel.Collection`1"
_QUEUE, _STACK = "System.Collections.Queue", "System.Collections.Stack"
_MEMBERS = "System.Management.Automation.PSMemberInfoIntegratingCollection`1"


def mutation(run: Any) -> Any:
    """A method that returns nothing."""

    def mutate(*arguments: Any) -> Any:
        run(*arguments)
        return NOTHING

    return mutate


def _position(value: Any, item: Any) -> int:
    return next((place for place, held in enumerate(items_of(value)) if equal(held, item, True)), -1)


def _as_array(value: Any) -> Any:
    if isinstance(value, TypedList) and value.element != _OBJECT:
        return typed_array(value, value.element)
    return items_of(value)


for _kind in (_ARRAY, _ARRAY_LIST, _LIST, _COLLECTION, _QUEUE, _STACK, _MEMBERS):
    prop(_kind, "Count")(lambda value, context: len(items_of(value)))
    method(_kind, "Contains", "any")(lambda value, item: _position(value, item) >= 0)
    method(_kind, "GetEnumerator")(lambda value: items_of(value))
for _kind in (_ARRAY, _ARRAY_LIST, _LIST, _COLLECTION):
    method(_kind, "IndexOf", "any")(_position)
    method(_kind, "ToArray")(_as_array)
for _name in ("Length", "LongLength"):
    prop(_ARRAY, _name)(lambda value, context: len(items_of(value)))
prop(_ARRAY, "Rank")(lambda value, context: 1)
prop(_ARRAY, "IsFixedSize")(lambda value, context: True)
method(_ARRAY, "Clone")(lambda value: value.copy() if type(value) is list else _as_array(value))
method(_ARRAY, "GetValue", "int")(lambda value, place: items_of(value)[place])
method(_ARRAY, "SetValue", "any int")(mutation(lambda value, item, place: value.__setitem__(place, item)))
method(_ARRAY, "GetUpperBound", "int")(lambda value, rank: len(items_of(value)) - 1)
method(_ARRAY, "GetLowerBound", "int")(lambda value, rank: 0)
method(_ARRAY, "GetLength", "int")(lambda value, rank: len(items_of(value)))


def _fixed(value: Any, *ignored: Any) -> Any:
    raise NetError("System.NotSupportedException", "Collection was of a fixed size.")


for _name, _types in (("Add", "any"), ("Remove", "any"), ("RemoveAt", "int"), ("Insert", "int any")):
    method(_ARRAY, _name, _types)(_fixed)


def _item(value: Any, item: Any) -> Any:
    return cast(item, TypeReference(value.element)) if isinstance(value, TypedList) else item


@method(_ARRAY_LIST, "Add", "any")
def _add_counting(value: Any, item: Any) -> int:
    value.append(item)
    return len(value) - 1


method(_LIST, "Add", "any")(mutation(lambda value, item: value.append(_item(value, item))))


def _remove_at(value: Any, place: int) -> None:
    if not 0 <= place < len(value):
        raise NetError(
            OUT_OF_RANGE,
            "Index was out of range. Must be non-negative and less than the size of the collection.\r\nParameter name: "
            "index",
        )
    del value[place]


def _remove_item(value: Any, item: Any) -> bool:
    place = _position(value, item)
    if place >= 0:
        del value[place]
    return place >= 0


for _kind in (_ARRAY_LIST, _LIST):
    method(_kind, "AddRange", "any")(
        mutation(lambda value, items: value.extend(_item(value, item) for item in items_of(items)))
    )
    method(_kind, "Clear")(mutation(lambda value: value.clear()))
    method(_kind, "Insert", "int any")(mutation(lambda value, place, item: value.insert(place, item)))
    method(_kind, "RemoveAt", "int")(mutation(_remove_at))
    method(_kind, "RemoveRange", "int int")(
        mutation(lambda value, start, count: value.__delitem__(slice(start, start + count)))
    )
    method(_kind, "Reverse")(mutation(lambda value: value.reverse()))
    method(_kind, "Sort")(
        mutation(
            lambda value: value.sort(key=functools.cmp_to_key(lambda one, two: order_of(one, two, True)))
        )
    )
method(_ARRAY_LIST, "Remove", "any")(mutation(_remove_item))
method(_LIST, "Remove", "any")(_remove_item)


def _filled(value: Any, kind: str) -> Any:
    if not value:
        raise NetError("System.InvalidOperationException", f"{kind} empty.")
    return value


method(_QUEUE, "Enqueue", "any")(mutation(lambda value, item: value.append(item)))
method(_QUEUE, "Dequeue")(lambda value: _filled(value, "Queue").pop(0))
method(_QUEUE, "Peek")(lambda value: _filled(value, "Queue")[0])
method(_STACK, "Push", "any")(mutation(lambda value, item: value.insert(0, item)))
method(_STACK, "Pop")(lambda value: _filled(value, "Stack").pop(0))
method(_STACK, "Peek")(lambda value: _filled(value, "Stack")[0])


@method(_MEMBERS, "Remove", "str")
def _remove_property(value: PropertyCollection, name: str) -> Any:
    if isinstance(value.target, NetObject):
        for held in [held for held in value.target.notes if held.lower() == name.lower()]:
            del value.target.notes[held]
    return NOTHING


method(_MEMBERS, "Match", "str")(
    lambda value, name: [item for item in [value.named(name)] if item is not None]
)

# Hash tables

_TABLE = "System.Collections.Hashtable"
prop(_TABLE, "Count")(lambda table, context: len(table))
prop(_TABLE, "Keys")(lambda table, context: TypedList(table.keys(), f"{_TABLE}+KeyCollection"))
prop(_TABLE, "Values")(lambda table, context: TypedList(table.values(), f"{_TABLE}+ValueCollection"))
prop(_TABLE, "IsReadOnly")(lambda table, context: False)
for _kind in (f"{_TABLE}+KeyCollection", f"{_TABLE}+ValueCollection"):
    prop(_kind, "Count")(lambda value, context: len(value))
for _name in ("ContainsKey", "Contains"):
    method(_TABLE, _name, "any")(lambda table, key: key in table)
method(_TABLE, "ContainsValue", "any")(lambda table, item: _position(list(table.values()), item) >= 0)
method(_TABLE, "Clear")(mutation(lambda table: table.clear()))
method(_TABLE, "Clone")(lambda table: Hashtable(table.items(), getattr(table, "ordered", False)))
method(_TABLE, "get_Item", "any")(lambda table, key: table.get(key))
method(_TABLE, "set_Item", "any any")(mutation(lambda table, key, value: table.__setitem__(key, value)))
method(_TABLE, "Remove", "any")(mutation(lambda table, key: table.__delitem__(key) if key in table else None))


@method(_TABLE, "Add", "any any")
def _add_entry(table: Any, key: Any, value: Any) -> Any:
    if key in table:
        shown = to_text(key)
        raise NetError(
            "System.ArgumentException",
            f"Item has already been added. Key in dictionary: '{shown}'  Key being added: '{shown}'",
        )
    table[key] = value
    return NOTHING


@method(_TABLE, "GetEnumerator")
def _entries(table: Any) -> list[Any]:
    return [dictionary_entry(key, value) for key, value in table.items()]


def dictionary_entry(key: Any, value: Any) -> NetObject:
    return NetObject(
        ("System.Collections.DictionaryEntry", "System.ValueType", _OBJECT),
        {"Name": key, "Key": key, "Value": value},
        text="System.Collections.DictionaryEntry",
    )
