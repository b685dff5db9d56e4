# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""PowerShell's own commands, as far as the lab has them."""

from __future__ import annotations

import fnmatch
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import Any

from psrpcore.types import ErrorCategory, PSDateTime, PSNoteProperty

from lab.catalogue import SHOULD_PROCESS_PARAMETERS, Command, common_parameters
from lab.objects.types import full_name
from lab.objects.values import (
    NetCollection,
    NetObject,
    enumeration,
    get_property,
    has_property,
    text_of,
    type_names,
)
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, command_not_found, not_modelled
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
    by_name: dict[str, list[Command]] = {}
    for command in commands:
        by_name.setdefault(command.name.lower(), []).append(command)
    for name in names:
        if has_wildcard(name):
            found = [command for command in commands if matches(command.name, name)]
        elif not (found := by_name.get(name.lower(), [])):
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
    lines = syntax(command, session.powershell_version)
    properties: dict[str, Any] = {}
    if kind == "Cmdlet":
        properties |= {
            "Verb": verb,
            "Noun": noun,
            "ImplementingType": command.class_name,
            "HelpFile": f"{command.module}.dll-Help.xml",  # assumed
            "PSSnapIn": None,
            "Options": "ReadOnly",
        }
    properties |= {
        "Definition": "".join(f"\r\n{command.name} {line}\r\n" for line in lines),
        "DefaultParameterSet": command.shown_default_set,
        "Name": command.name,
        "CommandType": COMMAND_TYPES[kind],
        "Visibility": "Public",
        "Version": session.module_version(command.module),
        "ModuleName": command.module,
        "Module": command.module,
        "OutputType": NetCollection((_read_only("PSTypeName"), "System.Object"), ()),
        "ParameterSets": NetCollection((_read_only("CommandParameterSetInfo"), "System.Object"), lines),
        "Parameters": {parameter.name: parameter_metadata(parameter) for parameter in parameters.values()},
    }
    if session.powershell_version[0] >= "3":
        properties["RemotingCapability"] = "PowerShell"
    if session.powershell_version[0] >= "5":
        properties["Source"] = command.module
    return NetObject(
        (
            f"System.Management.Automation.{kind}Info",
            "System.Management.Automation.CommandInfo",
            "System.Object",
        ),
        properties,
        text=command.name,
    )


def _read_only(item: str) -> str:
    assembly = (
        "System.Management.Automation, Version=3.0.0.0, Culture=neutral, PublicKeyToken=31bf3856ad364e35"
    )
    return (
        "System.Collections.ObjectModel.ReadOnlyCollection`1"
        f"[[System.Management.Automation.{item}, {assembly}]]"
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


#: How PowerShell 3.0 and later write these types in a command's syntax.
_SHORT = {
    "String": "string",
    "Boolean": "bool",
    "Int32": "int",
    "UInt32": "uint",
    "Int64": "long",
    "Double": "double",
    "DateTime": "datetime",
    "Guid": "guid",
    "TimeSpan": "timespan",
}


def syntax(command: Command, powershell_version: str) -> tuple[str, ...]:
    """The command's parameter sets, each in one line (measured; PowerShell 2.0's type names: assumed)."""
    lines = []
    for parameter_set in command.sets:
        parts = []
        members = [p for p in command.parameters.values() if p.belongs_to(parameter_set)]
        if command.should_process:
            members += SHOULD_PROCESS_PARAMETERS.values()
        for parameter in sorted(members, key=lambda p: (p.position is None, p.position or 0)):
            name = f"-{parameter.name}" if parameter.position is None else f"[-{parameter.name}]"
            element = parameter.type.removesuffix("[]")
            if powershell_version[0] >= "3":
                element = _SHORT.get(element, element)
            kind = f"<{element}{parameter.type[len(parameter.type.removesuffix('[]')) :]}>"
            text = name if parameter.is_switch else f"{name} {kind}"
            parts.append(text if parameter.mandatory_in(parameter_set) else f"[{text}]")
        if command.kind == "Cmdlet":
            parts.append("[<CommonParameters>]")
        lines.append(" ".join(parts))
    return tuple(lines)


@implements("Measure-Object", collects=True)
def measure_object(invocation: Invocation, items: Sequence[Any]) -> Iterator[NetObject]:
    """Counts objects; what it makes of their properties is not modelled."""
    if invocation.values.keys() - {"InputObject"}:
        raise not_modelled("parameters of Measure-Object")
    yield NetObject(
        (
            "Microsoft.PowerShell.Commands.GenericMeasureInfo",
            "Microsoft.PowerShell.Commands.MeasureInfo",
            "System.Object",
        ),
        {"Count": len(items), **dict.fromkeys(("Average", "Sum", "Maximum", "Minimum", "Property"))},
    )


@implements("Select-Object")
def select_object(invocation: Invocation) -> Iterator[Any]:
    """-Property makes an object with nothing else, -ExpandProperty goes on with that member's value, to which the
    others are added. Of a member without a value nothing is left (measured).
    """
    if invocation.values.keys() - {"InputObject", "Property", "ExpandProperty", "ErrorAction"}:
        raise not_modelled("parameters of Select-Object")
    item = invocation.get("InputObject")
    notes = {name: get_property(item, name) for name in map(text_of, invocation.get("Property") or ())}
    expanded = invocation.get("ExpandProperty")
    if expanded is None:
        yield NetObject((f"Selected.{type_names(item)[0]}", *CUSTOM_OBJECT), notes=notes)
    elif not has_property(item, expanded):
        raise PowerShellError(
            f'Property "{expanded}" cannot be found.',
            category=ErrorCategory.InvalidArgument,
            error_id="ExpandPropertyNotFound",
            exception="System.Management.Automation.PSArgumentException",
            target=text_of(item),
        )
    else:
        value = get_property(item, expanded)
        if isinstance(value, NetObject):
            yield replace(value, notes={**value.notes, **notes})
        elif value is not None:
            raise not_modelled("Select-Object -ExpandProperty of plain values")


@implements("Write-Output")
def write_output(invocation: Invocation) -> Iterable[Any]:
    return invocation.get("InputObject") or ()


@implements("Get-Date")
def get_date(invocation: Invocation) -> Iterator[Any]:
    """The computer's local time with its ``DisplayHint`` note."""
    if invocation.values:
        raise not_modelled("parameters of Get-Date")
    date = PSDateTime(invocation.session.local_time())
    date.PSObject.extended_properties = [PSNoteProperty("DisplayHint", _DISPLAY_HINT.DateTime)]
    yield date


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


@implements("hostname")
def hostname(invocation: Invocation) -> Iterator[str]:
    yield invocation.session.computer_name()
