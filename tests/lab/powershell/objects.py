# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands about the objects of a pipeline: choosing, sorting, grouping, counting, making."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any

from psrpcore.types import ErrorCategory

from lab.objects.types import items_of
from lab.objects.values import NetObject, all_properties, get_property, has_property, text_of, type_names
from lab.powershell.builtin import CUSTOM_OBJECT, has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language import members
from lab.powershell.language.comparison import equal, match, order_of, text_order
from lab.powershell.language.conversions import is_instance, is_number, names_of, to_bool, to_number
from lab.powershell.language.text import like, to_text
from lab.powershell.language.tree import TypeName
from lab.powershell.language.types import resolve
from lab.powershell.language.values import (
    NOTHING,
    Hashtable,
    ScriptBlock,
    TypedList,
    TypeReference,
    collected,
    enumerate_value,
    is_array,
)
from lab.powershell.registry import implements

_COMPARISONS = ("eq", "ne", "gt", "ge", "lt", "le")


def evaluated(invocation: Invocation, block: ScriptBlock, item: Any) -> Any:
    """What a script block gives for that object."""
    found = collected(list(invocation.language.invoke(block, (), invocation.frame, underscore=item)))
    return None if found is NOTHING else found


def member(invocation: Invocation, item: Any, name: str) -> Any:
    """A property of an object, as an expression would get it."""
    if isinstance(item, NetObject) or not invocation.engine.has_language:
        return get_property(item, name)
    return members.get(invocation.language, item, name, invocation.frame)


def _stream(invocation: Invocation, flow: Iterable[Any] | None) -> Iterable[Any]:
    """The pipeline's objects, or what -InputObject was given."""
    if flow is not None:
        return flow
    return [invocation.get("InputObject")] if invocation.given("InputObject") else []


@implements("Where-Object", flows=True)
def where_object(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    """By a script block, or from PowerShell 3.0 on by a property, an operator and a value."""
    criterion = invocation.get("FilterScript")
    if isinstance(criterion, ScriptBlock):
        for item in _stream(invocation, flow):
            if to_bool(evaluated(invocation, criterion, item)):
                yield item
        return
    if invocation.session.powershell_version < "3":
        raise PowerShellError(
            f"Cannot bind parameter 'FilterScript'. Cannot convert the \"{text_of(criterion)}\" value of type "
            f'"{type_names(criterion)[0]}" to type "System.Management.Automation.ScriptBlock".',
            category=ErrorCategory.InvalidArgument,
            error_id="CannotConvertArgumentNoMessage",
            exception="System.Management.Automation.ParameterBindingException",
        )
    test = _property_test(invocation)
    name = to_text(criterion)
    for item in _stream(invocation, flow):
        if test(member(invocation, item, name)):
            yield item


def _property_test(invocation: Invocation) -> Callable[[Any], bool]:
    value = invocation.get("Value")
    given = [name for name in invocation.values if name.lower().lstrip("ic") and invocation.get(name) is True]
    operators = [name for name in given if name not in ("FilterScript", "Value", "InputObject")]
    if not operators:
        return to_bool if not invocation.given("Value") else lambda held: equal(held, value)
    name = operators[0].lower()
    case_sensitive = name.startswith("c") and name != "contains"
    name = name[1:] if case_sensitive else name
    language = invocation.language

    def test(held: Any) -> bool:
        if name in ("match", "notmatch"):
            return to_bool(match(held, value, case_sensitive, name == "notmatch")[0])
        if name in ("is", "isnot"):
            wanted = (
                value
                if isinstance(value, TypeReference)
                else resolve(TypeName(to_text(value)), language.version)
            )
            return is_instance(held, wanted) == (name == "is")
        return to_bool(
            language._compare(("c" if case_sensitive else "") + name, held, value, invocation.frame)
        )

    return test


@implements("ForEach-Object", flows=True)
def foreach_object(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    """Script blocks (begin, process, end), or from PowerShell 3.0 on a member's name and the method's arguments."""
    language, frame = invocation.language, invocation.frame
    given = list(invocation.get("Process") or ())
    name = invocation.get("MemberName")
    if name is None and given and not isinstance(given[0], ScriptBlock):
        if language.version < "3":
            raise PowerShellError(
                f"Cannot bind parameter 'Process'. Cannot convert the \"{text_of(given[0])}\" value of type "
                f'"{type_names(given[0])[0]}" to type "System.Management.Automation.ScriptBlock".',
                category=ErrorCategory.InvalidArgument,
                error_id="CannotConvertArgumentNoMessage",
                exception="System.Management.Automation.ParameterBindingException",
            )
        name, given = to_text(given[0]), given[1:]
    if name is not None:
        arguments = [*given, *(invocation.get("ArgumentList") or ())]
        for item in _stream(invocation, flow):
            yield from enumerate_value(_member_or_call(invocation, item, name, arguments))
        return
    blocks = [block for block in given if isinstance(block, ScriptBlock)]
    begin, end = invocation.get("Begin"), invocation.get("End")
    if begin is None and len(blocks) > 1:
        begin = blocks.pop(0)
    if end is None and len(blocks) > 1:
        end = blocks.pop()
    if begin is not None:
        yield from language.invoke(begin, (), frame, dotted=True)
    for item in _stream(invocation, flow):
        for block in blocks:
            yield from language.invoke(block, (), frame, underscore=item)
    if end is not None:
        yield from language.invoke(end, (), frame, dotted=True)


def _member_or_call(invocation: Invocation, item: Any, name: str, arguments: list[Any]) -> Any:
    found = members.find(invocation.language, item, name, invocation.frame)
    if found is not NOTHING:
        return found
    try:
        return members.call(invocation.language, item, name, arguments, invocation.frame)
    except PowerShellError as error:
        if error.error_id == "MethodNotFound" and not arguments:
            return None
        raise


# Select-Object


@implements("Select-Object", flows=True)
def select_object(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    chosen: Iterable[Any] = _chosen(invocation, _stream(invocation, flow))
    wanted = invocation.get("Property")
    expand = invocation.get("ExpandProperty")
    seen: list[Any] = []
    for item in chosen:
        value = item
        if wanted or invocation.get("ExcludeProperty"):
            value = _selected(invocation, item, wanted or ["*"])
        if invocation.get("Unique"):
            if any(_same(value, held) for held in seen):
                continue
            seen.append(value)
        if expand is None:
            yield value
        else:
            yield from _expanded(invocation, item, expand)


def _chosen(invocation: Invocation, flow: Iterable[Any]) -> Iterator[Any]:
    first, last = invocation.get("First"), invocation.get("Last")
    skip = invocation.get("Skip") or 0
    if invocation.get("Index") is not None:
        items = list(flow)
        yield from (items[int(number)] for number in invocation.get("Index") if int(number) < len(items))
        return
    if last is not None or invocation.get("SkipLast"):
        items = list(flow)
        if last is not None:
            items = items[: len(items) - skip] if first is None else items
            begin = items[:first] if first is not None else []
            yield from [*begin, *(items[max(len(items) - last, len(begin)) :] if last else [])]
        else:
            yield from items[skip : len(items) - invocation.get("SkipLast")]
        return
    if first == 0:
        return
    for number, item in enumerate(flow):
        if number < skip:
            continue
        yield item
        # From PowerShell 3.0 on what comes before is stopped; with -Wait, and in 2.0, it goes on to its end.
        if first is not None and number + 1 >= skip + first:
            if invocation.get("Wait") or invocation.session.powershell_version < "3":
                for _ in flow:
                    pass
            return


def _same(one: Any, other: Any) -> bool:
    if isinstance(one, NetObject) and isinstance(other, NetObject):
        left, right = all_properties(one), all_properties(other)
        return list(left) == list(right) and all(equal(left[name], right[name], True) for name in left)
    return equal(one, other, True)


def _selected(invocation: Invocation, item: Any, wanted: Sequence[Any]) -> NetObject:
    excluded = [text_of(name) for name in invocation.get("ExcludeProperty") or ()]
    notes: dict[str, Any] = {}
    for name in wanted:
        for own, value in resolved_property(invocation, item, name):
            if not any(matches(own, pattern) for pattern in excluded):
                notes.setdefault(own, value)
    return NetObject(
        (f"Selected.{type_names(item)[0].removeprefix('Deserialized.')}", *CUSTOM_OBJECT), notes=notes
    )


def resolved_property(invocation: Invocation, item: Any, wanted: Any) -> Iterator[tuple[str, Any]]:
    """Names and values that a property expression stands for: a name, a pattern, a script block, a hash table."""
    if isinstance(wanted, ScriptBlock):
        yield str(wanted), evaluated(invocation, wanted, item)
        return
    if isinstance(wanted, dict):
        name, expression = calculated(wanted)
        if isinstance(expression, ScriptBlock):
            shown = name if name is not None else str(expression)
            try:
                yield shown, evaluated(invocation, expression, item)
            except PowerShellError:
                yield shown, None
            return
        found = list(resolved_property(invocation, item, to_text(expression)))
        for own, value in found:
            yield (name if name is not None else own), value
        return
    text = text_of(wanted)
    if isinstance(item, Hashtable):
        held: dict[str, Any] = dict(all_properties(item)) if not has_wildcard(text) else {}
    else:
        held = dict(all_properties(item))
    found_names = [own for own in held if matches(own, text)]
    for own in found_names:
        yield own, held[own]
    if not found_names and not has_wildcard(text):
        yield text, member(invocation, item, text)


def calculated(table: Any) -> tuple[str | None, Any]:
    """Name and expression of a calculated property (about_Calculated_Properties)."""
    name: str | None = None
    expression: Any = None
    for key, value in table.items():
        text = to_text(key).lower()
        if text and ("name".startswith(text) or "label".startswith(text)):
            name = to_text(value)
        elif text and "expression".startswith(text):
            expression = value
    return name, expression


def _expanded(invocation: Invocation, item: Any, expand: str) -> Iterator[Any]:
    if not has_property(item, expand) and (
        not invocation.engine.has_language
        or members.find(invocation.language, item, expand, invocation.frame) is NOTHING
    ):
        invocation.error(
            PowerShellError(
                f'Property "{expand}" cannot be found.',
                category=ErrorCategory.InvalidArgument,
                error_id="ExpandPropertyNotFound",
                exception="System.Management.Automation.PSArgumentException",
                target=item,
            )
        )
        return
    content = member(invocation, item, expand)
    yield from items_of(content) if content is not None else ()


# Sorting and grouping


def _keys(invocation: Invocation, item: Any, wanted: Sequence[Any]) -> list[tuple[Any, bool]]:
    """The values an object is sorted or grouped by, and whether each is to be descending."""
    descending = bool(invocation.get("Descending"))
    if not wanted:
        return [(item, descending)]
    keys = []
    for one in wanted:
        direction = descending
        if isinstance(one, dict):
            table = {to_text(key).lower(): value for key, value in one.items()}
            direction = bool(
                table.get("descending", not table["ascending"] if "ascending" in table else descending)
            )
        found = list(resolved_property(invocation, item, one))
        keys.append((found[0][1] if found else None, direction))
    return keys


def _order(one: Any, other: Any, case_sensitive: bool) -> int:
    if is_number(one) and is_number(other):
        return (one > other) - (one < other)
    try:
        return order_of(one, other, case_sensitive)
    except PowerShellError:
        return text_order(text_of(one), text_of(other), case_sensitive)


@implements("Sort-Object", collects=True)
def sort_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    wanted = invocation.get("Property") or ()
    case_sensitive = bool(invocation.get("CaseSensitive"))
    keyed = [(_keys(invocation, item, wanted), item) for item in items]

    def compare(one: Any, other: Any) -> int:
        for (left, descending), (right, _) in zip(one[0], other[0], strict=True):
            order = _order(left, right, case_sensitive)
            if order:
                return -order if descending else order
        return 0

    previous: Any = None
    for pair in sorted(keyed, key=functools.cmp_to_key(compare)):
        if invocation.get("Unique") and previous is not None and compare(previous, pair) == 0:
            continue
        previous = pair
        yield pair[1]


@implements("Group-Object", collects=True)
def group_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    """GroupInfo objects in the order of their first members (Windows PowerShell sorts the groups only for
    -CaseSensitive)."""
    wanted = invocation.get("Property") or ()
    case_sensitive = bool(invocation.get("CaseSensitive"))
    groups: list[tuple[list[Any], list[Any]]] = []
    for item in items:
        values = [value for value, _ in _keys(invocation, item, wanted)]
        for held, content in groups:
            if all(equal(one, other, case_sensitive) for one, other in zip(held, values, strict=True)):
                content.append(item)
                break
        else:
            groups.append((values, [item]))
    if invocation.get("AsHashTable"):
        yield Hashtable(
            (to_text(values[0]) if invocation.get("AsString") else values[0], _collection(content))
            for values, content in groups
        )
        return
    kind = "GroupInfoNoElement" if invocation.get("NoElement") else "GroupInfo"
    bases = ("Microsoft.PowerShell.Commands.GroupInfo",) if invocation.get("NoElement") else ()
    for values, content in groups:
        properties: dict[str, Any] = {
            "Values": TypedList(values, "System.Collections.ArrayList"),
            "Count": len(content),
        }
        if not invocation.get("NoElement"):
            properties["Group"] = _collection(content)
        properties["Name"] = ", ".join(to_text(value) for value in values)
        yield NetObject((f"Microsoft.PowerShell.Commands.{kind}", *bases, "System.Object"), properties)


def _collection(items: list[Any]) -> TypedList:
    return TypedList(
        items, "System.Collections.ObjectModel.Collection`1[[System.Management.Automation.PSObject]]"
    )


@implements("Get-Unique", flows=True)
def get_unique(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    previous: Any = NOTHING
    for item in _stream(invocation, flow):
        if previous is NOTHING or not equal(previous, item, True):
            yield item
        previous = item


# Counting


@implements("Measure-Object", collects=True)
def measure_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    if any(invocation.get(name) for name in ("Line", "Word", "Character")):
        yield _text_measure(invocation, items)
        return
    for name in invocation.get("Property") or [None]:
        held = [
            member(invocation, item, name) if name else item
            for item in items
            if not name or has_property(item, name)
        ]
        held = [value for value in held if value is not None or not name]
        numbers = _numbers(invocation, held) if _wants_numbers(invocation) else []
        total = sum(numbers)
        extremes = any(invocation.get(one) for one in ("Maximum", "Minimum"))
        numeric = extremes and all(is_number(value) for value in held)
        yield NetObject(
            (
                "Microsoft.PowerShell.Commands.GenericMeasureInfo"
                if numeric or not extremes
                else "Microsoft.PowerShell.Commands.GenericObjectMeasureInfo",
                "Microsoft.PowerShell.Commands.MeasureInfo",
                "System.Object",
            ),
            {
                "Count": len(held),
                "Average": total / len(numbers) if invocation.get("Average") and numbers else None,
                "Sum": total if invocation.get("Sum") else None,
                "Maximum": _extreme(held, 1) if invocation.get("Maximum") else None,
                "Minimum": _extreme(held, -1) if invocation.get("Minimum") else None,
                "Property": name,
            },
        )


def _wants_numbers(invocation: Invocation) -> bool:
    return bool(invocation.get("Sum") or invocation.get("Average"))


def _numbers(invocation: Invocation, held: Sequence[Any]) -> list[float]:
    found = []
    for value in held:
        try:
            found.append(float(to_number(value)))
        except PowerShellError:
            invocation.error(
                PowerShellError(
                    f'Input object "{text_of(value)}" is not numeric.',
                    category=ErrorCategory.InvalidType,
                    error_id="NonNumericInputObject",
                    exception="System.Management.Automation.PSInvalidCastException",
                    target=value,
                )
            )
    return found


def _extreme(held: Sequence[Any], direction: int) -> Any:
    best: Any = None
    for value in held:
        if best is None or _order(value, best, False) * direction > 0:
            best = value
    return float(best) if is_number(best) else best


def _text_measure(invocation: Invocation, items: Sequence[Any]) -> NetObject:
    texts = [to_text(item) for item in items]
    return NetObject(
        (
            "Microsoft.PowerShell.Commands.TextMeasureInfo",
            "Microsoft.PowerShell.Commands.MeasureInfo",
            "System.Object",
        ),
        {
            "Lines": sum(text.count("\n") + 1 for text in texts) if invocation.get("Line") else None,
            "Words": sum(len(text.split()) for text in texts) if invocation.get("Word") else None,
            "Characters": sum(map(len, texts)) if invocation.get("Character") else None,
            "Property": None,
        },
    )


# Making and describing


@implements("New-Object")
def new_object(invocation: Invocation) -> Iterator[Any]:
    """Of the .NET types whose constructors the lab has; -Property sets properties."""
    name = invocation.get("TypeName")
    language = invocation.language
    if name is None:
        raise not_modelled("COM objects")
    try:
        kind = resolve(_type_name(name), language.version)
    except PowerShellError as error:
        if error.error_id != "TypeNotFound":
            raise
        raise PowerShellError(
            f"Cannot find type [{name}]: verify that the assembly containing this type is loaded.",
            category=ErrorCategory.InvalidType,
            error_id="TypeNotFound",
            exception="System.Management.Automation.PSArgumentException",
        ) from None
    table = invocation.get("Property")
    arguments = invocation.get("ArgumentList") or []
    if len(arguments) == 1 and is_array(arguments[0]):
        arguments = list(enumerate_value(arguments[0])) if kind.name.endswith("[]") is False else arguments
    try:
        made = members.construct(language, kind, list(arguments), invocation.frame)
    except PowerShellError as error:
        if error.error_id in ("MethodCountCouldNotFindBest",):
            raise PowerShellError(
                f"A constructor was not found. Cannot find an appropriate constructor for type {name}.",
                category=ErrorCategory.ObjectNotFound,
                error_id="CannotFindAppropriateCtor",
                exception="System.Management.Automation.PSArgumentException",
            ) from None
        raise
    if table is not None:
        for key, value in table.items():
            if isinstance(made, NetObject) and not made.properties:
                made.notes[to_text(key)] = value
            else:
                members.set_property(language, made, to_text(key), value, invocation.frame)
    yield made


def _type_name(text: str) -> TypeName:
    """A type's name as New-Object takes it: without the outer brackets."""
    from lab.powershell.language.parser import Parser

    found = Parser(f"{text.strip()}]").type_name()
    return found if found is not None else TypeName(text)


@implements("Add-Member", flows=True)
def add_member(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    for item in _stream(invocation, flow):
        _add(invocation, item)
        if invocation.get("PassThru"):
            yield item


def _add(invocation: Invocation, item: Any) -> None:
    table = invocation.get("NotePropertyMembers")
    kind = (invocation.get("MemberType") or "NoteProperty").lower()
    name, value = invocation.get("Name"), invocation.get("Value")
    if invocation.given("NotePropertyName"):
        name, value, kind = (
            invocation.get("NotePropertyName"),
            invocation.get("NotePropertyValue"),
            "noteproperty",
        )
    if table is None and isinstance(invocation.get("MemberType"), dict):
        table = invocation.get("MemberType")
    if (
        table is None
        and name is not None
        and invocation.get("Value") is None
        and not invocation.given("Value")
        and (kind not in _MEMBER_KINDS and invocation.session.powershell_version >= "3")
    ):
        # From 3.0 on: Add-Member <name> <value>.
        name, value, kind = invocation.get("MemberType"), invocation.get("Name"), "noteproperty"
    if invocation.get("TypeName") and isinstance(item, NetObject):
        item.type_names = (invocation.get("TypeName"), *item.type_names)
    pairs = table.items() if table is not None else ([(name, value)] if name is not None else [])
    for key, content in pairs:
        text = to_text(key)
        if has_property(item, text) and not invocation.get("Force"):
            invocation.error(
                PowerShellError(
                    f'Cannot add a member with the name "{text}" because a member with that name already exists. To '
                    "overwrite the member anyway, add the Force parameter to your command.",
                    category=ErrorCategory.InvalidOperation,
                    error_id="MemberAlreadyExists",
                    exception="System.InvalidOperationException",
                    target=item,
                )
            )
            continue
        if kind == "noteproperty":
            members.add_note(item, text, content)
        elif kind == "scriptproperty":
            members.add_note(item, text, members.ScriptProperty(content))
        elif kind == "scriptmethod" and isinstance(item, NetObject):
            item.hidden[text.lower()] = content
        else:
            raise not_modelled(f"members of type {kind}")


_MEMBER_KINDS = {
    *(
        "noteproperty",
        "scriptproperty",
        "scriptmethod",
        "aliasproperty",
        "codeproperty",
        "codemethod",
        "propertyset",
    ),
    *("memberset", "property", "method"),
}


@implements("Get-Member", collects=True)
def get_member(invocation: Invocation, items: Sequence[Any]) -> Iterator[NetObject]:
    """The members that the lab has of each type among the objects."""
    objects = items or ([invocation.get("InputObject")] if invocation.given("InputObject") else [])
    kinds = [to_text(kind).lower() for kind in invocation.get("MemberType") or ()]
    seen: set[str] = set()
    for item in objects:
        type_name = names_of(item)[0]
        if item is None or type_name in seen:
            continue
        seen.add(type_name)
        for name, kind, definition in sorted(_members_of(item), key=lambda one: (one[1], one[0].lower())):
            if invocation.get("Name") and not any(like(name, pattern) for pattern in invocation.get("Name")):
                continue
            if kinds and not any(
                kind.lower() == one or one == "all" or (one == "properties" and "Prop" in kind)
                for one in kinds
            ):
                continue
            yield NetObject(
                ("Microsoft.PowerShell.Commands.MemberDefinition", "System.Object"),
                {"TypeName": type_name, "Name": name, "MemberType": kind, "Definition": definition},
                text=definition,
            )


def _members_of(item: Any) -> Iterator[tuple[str, str, str]]:
    notes = item.notes if isinstance(item, NetObject) else {}
    for name, value in ({} if isinstance(item, (str, dict)) else all_properties(item)).items():
        shown = names_of(value)[0] if value is not None else "System.Object"
        if name in notes:
            yield name, "NoteProperty", f"{shown} {name}={to_text(value)}"
        else:
            yield name, "Property", f"{shown} {name} {{get;set;}}"
    for type_name in members._lookup_names(item):
        spelled = members.SPELLINGS.get(type_name, {})
        for key in members.METHODS.get(type_name, {}):
            yield spelled[key], "Method", f"System.Object {spelled[key]}()"
        if type_name != "System.Object":
            for key in members.PROPERTIES.get(type_name, {}):
                yield spelled[key], "Property", f"System.Object {spelled[key]} {{get;}}"


@implements("Tee-Object", flows=True)
def tee_object(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    if not invocation.given("Variable"):
        raise not_modelled("Tee-Object into files")
    kept = []
    for item in _stream(invocation, flow):
        kept.append(item)
        yield item
    value = collected(kept)
    invocation.frame.scope.set(invocation.get("Variable"), None if value is NOTHING else value)
