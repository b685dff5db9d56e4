# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Members of errors, script blocks, the host, encodings, hashes, regular expressions (.NET's and PowerShell's
reference)."""

from __future__ import annotations

import hashlib
import re
from typing import Any

from psrpcore.types import ErrorRecord

from lab.contract import TerminatingError
from lab.objects.values import NetObject
from lab.powershell.errors import not_modelled
from lab.powershell.language.conversions import names_of, to_bool
from lab.powershell.language.files import absolute
from lab.powershell.language.instance_members import mutation
from lab.powershell.language.members import Context, method, prop
from lab.powershell.language.scope import Scope
from lab.powershell.language.text import format_string, group_names, substitution, to_text
from lab.powershell.language.values import (
    NOTHING,
    Hashtable,
    Instance,
    ScriptBlock,
    TypedList,
    byte_array,
    items_of,
    strings,
)

_OBJECT = "System.Object"

# Versions, identifiers

for _name in ("major", "minor", "build", "revision"):
    prop("System.Version", _name.capitalize())(
        lambda value, context, _name=_name: -1 if getattr(value, _name) is None else getattr(value, _name)
    )
method("System.Version", "ToString", "int")(lambda value, count: ".".join(str(value).split(".")[:count]))
method("System.Guid", "ToByteArray")(lambda value: byte_array(value.bytes_le))

# Errors

_RECORD = "System.Management.Automation.ErrorRecord"
for _name in (
    "Exception",
    "TargetObject",
    "FullyQualifiedErrorId",
    "CategoryInfo",
    "InvocationInfo",
    "ErrorDetails",
    "ScriptStackTrace",
):
    prop(_RECORD, _name)(lambda record, context, _name=_name: getattr(record, _name))
method(_RECORD, "ToString")(str)


_CATEGORY = "System.Management.Automation.ErrorCategoryInfo"
for _name in ("Category", "Activity", "Reason", "TargetName", "TargetType"):
    prop(_CATEGORY, _name)(lambda info, context, _name=_name: getattr(info, _name))
method(_CATEGORY, "GetMessage")(str)
method("System.Exception", "ToString")(lambda value: f"{names_of(value)[0]}: {value.Message}")


@prop("System.Exception", "ErrorRecord")
def _own_record(value: Any, context: Context) -> Any:
    return next((record for record in context.interpreter.errors if record.Exception is value), None)


@method("System.Exception", "GetBaseException")
def _innermost(value: Any) -> Any:
    while getattr(value, "InnerException", None) is not None:
        value = value.InnerException
    return value


# Script blocks

_BLOCK = "System.Management.Automation.ScriptBlock"


@method(_BLOCK, "Invoke", "*", context=True)
def _invoke(context: Context, block: ScriptBlock, *arguments: Any) -> Any:
    found = list(context.interpreter.invoke(block, arguments, context.frame))
    return TypedList(
        found, "System.Collections.ObjectModel.Collection`1[[System.Management.Automation.PSObject]]"
    )


@method(_BLOCK, "InvokeReturnAsIs", "*", context=True)
def _invoke_as_is(context: Context, block: ScriptBlock, *arguments: Any) -> Any:
    found = list(context.interpreter.invoke(block, arguments, context.frame))
    return found[0] if len(found) == 1 else (found or NOTHING)


@method(_BLOCK, "GetNewClosure", context=True)
def _closure(context: Context, block: ScriptBlock) -> ScriptBlock:
    scope = Scope(context.interpreter.root)
    for slot in context.frame.scope.variables.values():
        if not slot.read_only:
            scope.set(slot.name, slot.value)
    return ScriptBlock(block.script, scope, block.name)


# $ExecutionContext, the host

method(
    "System.Management.Automation.PathIntrinsics", "GetUnresolvedProviderPathFromPSPath", "str", context=True
)(lambda context, target, path: absolute(to_text(context.frame.scope.get("PWD")), path))
method("System.Management.Automation.CommandInvocationIntrinsics", "ExpandString", "str", context=True)(
    lambda context, target, text: context.interpreter.expand(text, context.frame)
)
_INTERFACE = "System.Management.Automation.Internal.Host.InternalHostUserInterface"
method(_INTERFACE, "WriteLine", "str", context=True)(
    mutation(lambda context, target, text: context.frame.streams.host_write_line(text))
)
for _name, _stream in (
    ("WriteWarningLine", "warning"),
    ("WriteVerboseLine", "verbose"),
    ("WriteDebugLine", "debug"),
):
    method(_INTERFACE, _name, "str", context=True)(
        mutation(lambda context, target, text, _stream=_stream: getattr(context.frame.streams, _stream)(text))
    )

# $PSCmdlet

_CMDLET = "System.Management.Automation.PSCmdlet"


@method(_CMDLET, "ShouldProcess", "str", context=True)
def _should_process(context: Context, cmdlet: Instance, target: str, action: str | None = None) -> bool:
    """As a cmdlet's: $WhatIfPreference tells on the host, -Confirm asks there."""
    scope, streams = context.frame.scope, context.frame.streams
    told = f'Performing the operation "{action or cmdlet.state}" on target "{target}".'
    if context.interpreter.version < "3":
        told = f'Performing operation "{action or cmdlet.state}" on Target "{target}".'
    if to_bool(scope.get("WhatIfPreference")):
        streams.host_write_line(f"What if: {told}")
        return False
    if to_text(scope.get("VerbosePreference")).lower() == "continue":
        streams.verbose(told)
    bound = scope.get("PSBoundParameters")
    if bound is not None and to_bool(bound.get("Confirm")):
        choices = ("&Yes", "Yes to &All", "&No", "No to A&ll", "&Suspend")
        message = f"Are you sure you want to perform this action?\r\n{told}"
        return streams.host_prompt_for_choice("Confirm", message, choices, 0) in (0, 1)
    return True


method(_CMDLET, "ShouldProcess", "str str", context=True)(_should_process)


@method(_CMDLET, "ShouldContinue", "str str", context=True)
def _should_continue(context: Context, cmdlet: Instance, query: str, caption: str) -> bool:
    return context.frame.streams.host_prompt_for_choice(caption, query, ("&Yes", "&No", "&Suspend"), 0) == 0


for _name, _stream in (("WriteWarning", "warning"), ("WriteVerbose", "verbose"), ("WriteDebug", "debug")):
    method(_CMDLET, _name, "str", context=True)(
        mutation(lambda context, cmdlet, text, _stream=_stream: getattr(context.frame.streams, _stream)(text))
    )


@method(_CMDLET, "ThrowTerminatingError", "any", context=True)
def _throw_terminating(context: Context, cmdlet: Instance, record: ErrorRecord) -> None:
    raise TerminatingError(record)


# Regular expressions

_REGEX = "System.Text.RegularExpressions.Regex"
_GROUP = "System.Text.RegularExpressions.Group"


def _group(text: str | None, start: int, names: tuple[str, ...] = (_GROUP, _OBJECT)) -> NetObject:
    shown = text or ""
    return NetObject(
        names,
        {"Success": text is not None, "Index": max(start, 0), "Length": len(shown), "Value": shown},
        text=shown,
    )


def regex_match(found: re.Match[str] | None) -> NetObject:
    """A Match; its Groups are found by number or name."""
    names = ("System.Text.RegularExpressions.Match", _GROUP, _OBJECT)
    made = _group(None if found is None else found.group(), 0 if found is None else found.start(), names)
    groups = Hashtable(ordered=True)
    if found is not None:
        for name, text in group_names(found).items():
            groups[name] = _group(text, found.start(name) if isinstance(name, str) else 0)
    made.properties["Groups"] = groups
    return made


method(_REGEX, "IsMatch", "str")(lambda value, text: value.state.search(text) is not None)
method(_REGEX, "Match", "str")(lambda value, text: regex_match(value.state.search(text)))
method(_REGEX, "Matches", "str")(
    lambda value, text: [regex_match(found) for found in value.state.finditer(text)]
)
method(_REGEX, "Replace", "str str")(
    lambda value, text, template: value.state.sub(lambda found: substitution(template, found), text)
)
method(_REGEX, "Split", "str")(
    lambda value, text: strings(p for p in value.state.split(text) if p is not None)
)
method(_REGEX, "ToString")(lambda value: value.state.pattern)

# Texts and bytes

_BUILDER = "System.Text.StringBuilder"


def _appended(value: Instance, text: str) -> Instance:
    value.state.append(text)
    return value


def _list_of(items: tuple[Any, ...]) -> list[Any]:
    return items_of(items[0]) if len(items) == 1 and isinstance(items[0], list) else list(items)


method(_BUILDER, "Append", "any")(lambda value, item: _appended(value, to_text(item)))
method(_BUILDER, "AppendLine")(lambda value: _appended(value, "\r\n"))
method(_BUILDER, "AppendLine", "str")(lambda value, text: _appended(value, text + "\r\n"))
method(_BUILDER, "AppendFormat", "*")(
    lambda value, pattern, *items: _appended(value, format_string(to_text(pattern), _list_of(items)))
)
method(_BUILDER, "ToString")(lambda value: "".join(value.state))
prop(_BUILDER, "Length")(lambda value, context: len("".join(value.state)))


@method(_BUILDER, "Clear")
def _clear(value: Instance) -> Instance:
    value.state.clear()
    return value


_ENCODING = "System.Text.Encoding"
_ENCODING_NAMES = {"ascii": "US-ASCII", "utf-8": "Unicode (UTF-8)", "utf-16-le": "Unicode"}
method(_ENCODING, "GetBytes", "str")(lambda value, text: byte_array(text.encode(value.state, "replace")))
method(_ENCODING, "GetString", "bytes")(lambda value, data: bytes(data).decode(value.state, "replace"))
method(_ENCODING, "GetString", "bytes int int")(
    lambda value, data, start, count: bytes(data[start : start + count]).decode(value.state, "replace")
)
method(_ENCODING, "GetByteCount", "str")(lambda value, text: len(text.encode(value.state, "replace")))
prop(_ENCODING, "EncodingName")(lambda value, context: _ENCODING_NAMES.get(value.state, value.state))

_HASH = "System.Security.Cryptography.HashAlgorithm"


@method(_HASH, "ComputeHash", "bytes")
def _compute_hash(value: Instance, data: Any) -> Any:
    return byte_array(hashlib.new(value.properties["Algorithm"], bytes(data), usedforsecurity=False).digest())


@method(_HASH, "TransformBlock", "bytes int int bytes int")
def _transform(value: Instance, data: Any, start: int, count: int, output: Any, offset: int) -> int:
    value.state.update(bytes(data[start : start + count]))
    return count


@method(_HASH, "TransformFinalBlock", "bytes int int")
def _transform_final(value: Instance, data: Any, start: int, count: int) -> Any:
    block = bytes((data or [])[start : start + count])
    value.state.update(block)
    return byte_array(block)


prop(_HASH, "Hash")(lambda value, context: byte_array(value.state.digest()))
for _name in ("Dispose", "Clear"):
    method(_HASH, _name)(mutation(lambda value: None))

# Who runs it


@method("System.Security.Principal.WindowsPrincipal", "IsInRole", "any")
def _is_in_role(value: Any, role: Any) -> bool:
    """Who may open a shell of WinRM is an administrator of the computer."""
    text = to_text(role).rpartition("\\")[2].lower()
    return text in ("administrator", "administrators", "user", "users", "544", "545", "s-1-5-32-544")


prop("System.Management.Automation.PSReference", "Value")(lambda value, context: value.value)

# Reflection, as far as clients that copy files reach with it into the host (pypsrp's copy.ps1)

for _name in ("GetProperty", "GetField"):
    method("System.RuntimeType", _name, "str any")(
        lambda value, name, flags: Instance(("System.Reflection.RuntimePropertyInfo", "System.Object"), name)
    )


def _hidden(target: Any, name: str) -> dict[str, Any]:
    """The members of an object that only reflection shows, if one has this name."""
    held: dict[str, Any] = getattr(target, "hidden", {})
    if name not in held:
        raise not_modelled(f"the member {name} of {names_of(target)[0]} by reflection")
    return held


for _types in ("any", "any any"):
    method("System.Reflection.RuntimePropertyInfo", "GetValue", _types)(
        lambda member, target, index=None: _hidden(target, member.state)[member.state]
    )
method("System.Reflection.RuntimePropertyInfo", "SetValue", "any any any")(
    mutation(lambda member, target, value, index: _hidden(target, member.state).update({member.state: value}))
)
