# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's own commands, as far as the lab has them."""

from __future__ import annotations

import datetime
import fnmatch
import functools
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from psrpcore.types import ErrorCategory, PSDateTime, PSNoteProperty

from lab.catalogue import Command, common_parameters
from lab.contract import PipelineStopped
from lab.objects.types import full_name, is_collection, items_of
from lab.objects.values import (
    NetCollection,
    NetObject,
    all_properties,
    enumeration,
    get_property,
    has_property,
    text_of,
    type_names,
)
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, command_not_found
from lab.powershell.registry import implements

CUSTOM_OBJECT = ("System.Management.Automation.PSCustomObject", "System.Object")
COMMAND_TYPES = enumeration(
    "System.Management.Automation.CommandTypes",
    ("Alias", "Function", "Filter", "Cmdlet", "ExternalScript", "Application", "Script"),
    flags=True,
)
_DISPLAY_HINT = enumeration("Microsoft.PowerShell.Commands.DisplayHintType", ("Date", "Time", "DateTime"))


def matches(text: str, pattern: str) -> bool:
    """PowerShell's wildcards, without regard to case."""
    return fnmatch.fnmatchcase(text.lower(), pattern.lower())


def has_wildcard(text: str) -> bool:
    return any(character in text for character in "*?[")


@implements("Get-Command")
def get_command(invocation: Invocation) -> Iterator[Any]:
    """By name (wildcards, several), verb, noun or module; an unknown name is a non-terminating error."""
    session = invocation.session
    modules = invocation.get("Module")
    commands = [
        command
        for command in session.visible_commands()
        if (not modules or any(matches(command.module, pattern) for pattern in modules))
        and _part_matches(invocation.get("Verb"), command.name.partition("-")[0])
        and _part_matches(invocation.get("Noun"), command.name.partition("-")[2])
    ]
    names = invocation.get("Name")
    if names is None:
        yield from (
            command_information(command, session) for command in commands if command.kind != "Application"
        )
        return
    for name in names:
        found = [command for command in commands if matches(command.name, name)]
        if not found and not has_wildcard(name):
            error = command_not_found(name)
            error.qualified = True
            invocation.error(error)
        yield from (command_information(command, session) for command in found)


def _part_matches(patterns: Sequence[str] | None, part: str) -> bool:
    return not patterns or any(matches(part, pattern) for pattern in patterns)


def command_information(command: Command, session: Any) -> NetObject:
    """CmdletInfo, FunctionInfo (a proxy of a restricted session) or ApplicationInfo."""
    is_proxy = command.kind == "Cmdlet" and session.is_proxy(command)
    kind = "Function" if is_proxy else command.kind
    verb, _, noun = command.name.partition("-")
    parameters = {**command.parameters, **common_parameters(command, session.powershell_version)}
    properties: dict[str, Any] = {}
    if kind == "Cmdlet":
        properties |= {"Verb": verb, "Noun": noun, "ImplementingType": command.class_name}
    properties |= {
        "Definition": syntax(command),
        "DefaultParameterSet": command.default_set,
        "Name": command.name,
        "CommandType": COMMAND_TYPES[kind],
        "Version": session.module_version(command.module),
        "ModuleName": command.module,
        "Parameters": {parameter.name: parameter_metadata(parameter) for parameter in parameters.values()},
    }
    return NetObject(
        (
            f"System.Management.Automation.{kind}Info",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        ),
        properties,
        text=command.name,
    )


def parameter_metadata(parameter: Any) -> NetObject:
    aliases = (
        "System.Collections.ObjectModel.Collection`1[[System.String, mscorlib, Version=4.0.0.0, "
        "Culture=neutral, "
        "PublicKeyToken=b77a5c561934e089]]"
    )
    return NetObject(
        ("System.Management.Automation.ParameterMetadata", "System.Object"),
        {
            "Name": parameter.name,
            "ParameterType": full_name(parameter.type),
            "Aliases": NetCollection((aliases, "System.Object"), parameter.aliases),
            "IsDynamic": False,
            "SwitchParameter": parameter.is_switch,
        },
    )


def syntax(command: Command) -> str:
    """The command's syntax, one line a parameter set, as CmdletInfo.Definition has it."""
    lines = []
    for parameter_set in command.sets:
        parts = [command.name]
        members = [p for p in command.parameters.values() if p.belongs_to(parameter_set)]
        for parameter in sorted(members, key=lambda p: (p.position is None, p.position or 0)):
            name = f"-{parameter.name}" if parameter.position is None else f"[-{parameter.name}]"
            text = name if parameter.is_switch else f"{name} <{parameter.type}>"
            parts.append(text if parameter.mandatory_in(parameter_set) else f"[{text}]")
        if command.kind == "Cmdlet":
            parts.append("[<CommonParameters>]")
        lines.append(" ".join(parts))
    return "\r\n\r\n".join(lines)


@implements("Get-FormatData")
def get_format_data(invocation: Invocation) -> Iterable[Any]:
    """No formatting data: implicit remoting then formats by its defaults."""
    return ()


@implements("Select-Object", collects=True)
def select_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    expand = invocation.get("ExpandProperty")
    names = [text_of(name) for name in invocation.get("Property") or ()]
    chosen = list(items)[invocation.get("Skip") or 0 :]
    first, last = invocation.get("First"), invocation.get("Last")
    if first is not None:
        chosen = chosen[:first]
    elif last is not None:
        chosen = chosen[len(chosen) - last :] if last else []
    if invocation.get("Index") is not None:
        chosen = [items[int(number)] for number in invocation.get("Index") if int(number) < len(items)]
    seen: set[str] = set()
    for item in chosen:
        value = _selected(item, names, invocation.get("ExcludeProperty") or ()) if names else item
        if invocation.get("Unique"):
            key = repr([text_of(content) for content in all_properties(value).values()]) + text_of(value)
            if key in seen:
                continue
            seen.add(key)
        if expand is None:
            yield value
        elif not has_property(item, expand):
            invocation.error(
                PowerShellError(
                    f'Property "{expand}" cannot be found.',
                    category=ErrorCategory.InvalidArgument,
                    error_id="ExpandPropertyNotFound",
                    exception="System.Management.Automation.PSArgumentException",
                    target=item,
                )
            )
        else:
            content = get_property(item, expand)
            yield from items_of(content) if content is not None else ()


def _selected(item: Any, names: Sequence[str], excluded: Sequence[str]) -> NetObject:
    held = all_properties(item)
    notes: dict[str, Any] = {}
    for name in names:
        found = [own for own in held if matches(own, name)]
        for own in found:
            if not any(matches(own, pattern) for pattern in excluded):
                notes[own] = held[own]
        if not found and not has_wildcard(name):
            notes[name] = None
    name = type_names(item)[0].removeprefix("Deserialized.")
    return NetObject((f"Selected.{name}", *CUSTOM_OBJECT), notes=notes)


@implements("Measure-Object", collects=True)
def measure_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    for name in invocation.get("Property") or [None]:
        held = [
            get_property(item, name) if name else item
            for item in items
            if not name or has_property(item, name)
        ]
        numbers = [float(value) for value in held if isinstance(value, (int, float))]
        total = sum(numbers)
        yield NetObject(
            (
                "Microsoft.PowerShell.Commands.GenericMeasureInfo",
                "Microsoft.PowerShell.Commands.MeasureInfo",
                "System.Object",
            ),
            {
                "Count": len(held),
                "Average": total / len(numbers) if invocation.get("Average") and numbers else None,
                "Sum": total if invocation.get("Sum") else None,
                "Maximum": max(numbers) if invocation.get("Maximum") and numbers else None,
                "Minimum": min(numbers) if invocation.get("Minimum") and numbers else None,
                "Property": name,
            },
        )


@implements("Sort-Object", collects=True)
def sort_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    names = [text_of(name) for name in invocation.get("Property") or ()]

    def keys(item: Any) -> list[Any]:
        return [get_property(item, name) for name in names] if names else [item]

    def compare(one: Any, other: Any) -> int:
        for left, right in zip(keys(one), keys(other), strict=True):
            if isinstance(left, (int, float)) and isinstance(right, (int, float)):
                order = (left > right) - (left < right)
            else:
                first, second = text_of(left).lower(), text_of(right).lower()
                order = (first > second) - (first < second)
            if order:
                return order
        return 0

    ordered = sorted(items, key=functools.cmp_to_key(compare), reverse=bool(invocation.get("Descending")))
    previous: Any = None
    for item in ordered:
        if invocation.get("Unique") and previous is not None and compare(previous, item) == 0:
            continue
        previous = item
        yield item


@implements("Out-Default", collects=True)
def out_default(invocation: Invocation, items: Sequence[Any]) -> Iterable[Any]:
    """In a remote session the default output is the client's: objects pass."""
    return items


@implements("Out-Null", collects=True)
def out_null(invocation: Invocation, items: Sequence[Any]) -> Iterable[Any]:
    return ()


@implements("Exit-PSSession")
def exit_session(invocation: Invocation) -> Iterable[Any]:
    return ()


@implements("Out-String", collects=True)
def out_string(invocation: Invocation, items: Sequence[Any]) -> Iterator[str]:
    """Lists of ``Name : value``, or plain text; the layouts of Windows' format files are not modelled."""
    blocks = []
    for item in items:
        properties = all_properties(item)
        if isinstance(item, str) or not properties:
            blocks.append(f"{text_of(item)}\r\n")
            continue
        width = max(len(name) for name in properties)
        lines = [f"{name.ljust(width)} : {_listed(value)}".rstrip() for name, value in properties.items()]
        blocks.append("\r\n" + "\r\n".join(lines) + "\r\n")
    text = "".join(blocks)
    if not invocation.get("Stream"):
        yield text
        return
    yield from text.split("\r\n")[:-1]


def _listed(value: Any) -> str:
    if is_collection(value):
        shown = [text_of(item) for item in items_of(value)]
        return "{" + ", ".join(shown[:4]) + ("..." if len(shown) > 4 else "") + "}"
    return text_of(value)


def module_object(session: Any, name: str) -> NetObject:
    return NetObject(
        ("System.Management.Automation.PSModuleInfo", "System.Object"),
        {
            "Name": name,
            "Path": session.module_path(name),
            "ModuleType": enumeration(
                "System.Management.Automation.ModuleType", ("Script", "Binary", "Manifest", "Cim", "Workflow")
            ).Manifest,
            "Version": session.module_version(name),
            "Description": "",
        },
        text=name,
    )


@implements("Get-Module")
def get_module(invocation: Invocation) -> Iterator[Any]:
    session = invocation.session
    names = session.available_modules() if invocation.get("ListAvailable") else session.imported_modules()
    wanted = invocation.get("Name")
    for name in names:
        if not wanted or any(matches(name, pattern) for pattern in wanted):
            yield module_object(session, name)


@implements("Import-Module")
def import_module(invocation: Invocation) -> Iterator[Any]:
    session = invocation.session
    for name in invocation.get("Name"):
        imported = session.import_module(name)
        if imported is None:
            invocation.error(
                PowerShellError(
                    f"The specified module '{name}' was not loaded because no valid module file was found "
                    "in any module "
                    "directory.",
                    category=ErrorCategory.ResourceUnavailable,
                    error_id="Modules_ModuleNotFound",
                    exception="System.IO.FileNotFoundException",
                    target=name,
                )
            )
        elif invocation.get("PassThru"):
            yield module_object(session, imported)


@implements("Remove-Module")
def remove_module(invocation: Invocation) -> Iterable[Any]:
    for name in invocation.get("Name"):
        if not invocation.session.remove_module(name):
            invocation.error(
                PowerShellError(
                    "No modules were removed. Verify that the specification of modules to remove is "
                    "correct and those modules "
                    "exist in the runspace.",
                    category=ErrorCategory.ResourceUnavailable,
                    error_id="Modules_NoModulesRemoved",
                    exception="System.InvalidOperationException",
                )
            )
    return ()


_UNIX_EPOCH = datetime.datetime(1970, 1, 1)


@implements("Get-Date")
def get_date(invocation: Invocation) -> Iterator[Any]:
    """The computer's local time with its ``DisplayHint`` note; ``-Format`` gives a text for the formats listed here."""
    now = invocation.get("Date") or invocation.session.local_time()
    unix = invocation.get("UFormat")
    if unix is not None:
        # Windows PowerShell counts %s from the local clock, not from UTC.
        seconds = (now.replace(tzinfo=None) - _UNIX_EPOCH).total_seconds()
        yield now.strftime(unix.replace("%s", f"{seconds:.5f}"))
        return
    pattern = invocation.get("Format")
    if pattern is not None:
        yield _formatted(now, pattern)
        return
    date = PSDateTime(now)
    date.PSObject.extended_properties = [
        PSNoteProperty("DisplayHint", invocation.get("DisplayHint") or _DISPLAY_HINT.DateTime)
    ]
    yield date


def _formatted(moment: datetime.datetime, pattern: str) -> str:
    if pattern in ("o", "O"):
        return (
            moment.isoformat(timespec="microseconds").replace("+00:00", "Z")
            if moment.tzinfo
            else moment.isoformat()
        )
    if pattern == "s":
        return moment.strftime("%Y-%m-%dT%H:%M:%S")
    if pattern == "u":
        return moment.strftime("%Y-%m-%d %H:%M:%SZ")
    replaced = pattern
    for token, unix in (
        ("yyyy", "%Y"),
        ("MM", "%m"),
        ("dd", "%d"),
        ("HH", "%H"),
        ("mm", "%M"),
        ("ss", "%S"),
        ("fff", "%f"),
    ):
        replaced = replaced.replace(token, unix)
    return moment.strftime(replaced)


@implements("Write-Output")
def write_output(invocation: Invocation) -> Iterator[Any]:
    yield from invocation.get("InputObject") or ()


@implements("Write-Error")
def write_error(invocation: Invocation) -> Iterable[Any]:
    raise PowerShellError(
        invocation.get("Message"),
        error_id=invocation.get("ErrorId") or "Microsoft.PowerShell.Commands.WriteErrorException",
        exception="Microsoft.PowerShell.Commands.WriteErrorException",
    )


@implements("Write-Warning")
def write_warning(invocation: Invocation) -> Iterable[Any]:
    invocation.warning(invocation.get("Message"))
    return ()


@implements("Write-Verbose")
def write_verbose(invocation: Invocation) -> Iterable[Any]:
    invocation.verbose(invocation.get("Message"))
    return ()


@implements("Write-Host")
def write_host(invocation: Invocation) -> Iterable[Any]:
    text = text_of(invocation.get("Object"))
    if invocation.session.powershell_version.startswith("5"):
        invocation.streams.information(text, "Write-Host", ("PSHOST",))
    invocation.streams.host_write_line(text)
    return ()


@implements("Start-Sleep")
def start_sleep(invocation: Invocation) -> Iterable[Any]:
    seconds = invocation.get("Seconds") or (invocation.get("Milliseconds") or 0) / 1000
    if invocation.streams.stopped.wait(float(seconds)):
        raise PipelineStopped
    return ()


@implements("hostname")
def hostname(invocation: Invocation) -> Iterator[str]:
    yield invocation.session.computer_name()


@implements("whoami")
def whoami(invocation: Invocation) -> Iterator[str]:
    yield invocation.session.caller.account.lower()
