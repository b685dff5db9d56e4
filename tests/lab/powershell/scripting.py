# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Commands of the language itself: variables, aliases, scripts run by commands, the streams, the session."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from psrpcore.types import ErrorCategory, ErrorRecord, NETException, PSDateTime, PSNoteProperty

from lab.objects.types import items_of
from lab.objects.values import NetObject, enumeration
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.language.automatic import host
from lab.powershell.language.conversions import enumeration_member, to_number
from lab.powershell.language.functions import arguments_of
from lab.powershell.language.scope import Scope, Slot
from lab.powershell.language.text import format_date, to_text
from lab.powershell.language.values import NOTHING, ScriptBlock, collected
from lab.powershell.registry import implements

_DISPLAY_HINT = enumeration("Microsoft.PowerShell.Commands.DisplayHintType", ("Date", "Time", "DateTime"))

# Scripts


@implements("Invoke-Expression", flows=True)
def invoke_expression(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    """A text as a script, in the scope that is there."""
    texts = (
        [invocation.get("Command")] if invocation.given("Command") else [to_text(item) for item in flow or ()]
    )
    for text in texts:
        try:
            yield from invocation.language.expression(text, invocation.frame)
        except PowerShellError as error:
            if error.category == ErrorCategory.ParserError:
                error.qualified = True
            raise


@implements("Invoke-Command", flows=True)
def invoke_command(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    """A script block, here; other computers are not reached from the lab's."""
    if any(invocation.given(name) for name in ("ComputerName", "Session", "AsJob")):
        raise not_modelled("Invoke-Command on other computers")
    block = invocation.get("ScriptBlock")
    if not isinstance(block, ScriptBlock):
        block = invocation.language.parse_block(to_text(block))
    items = list(flow) if flow is not None else None
    yield from invocation.language.call(
        block.script,
        "",
        arguments_of(invocation.get("ArgumentList") or ()),
        invocation.frame,
        items,
        dotted=bool(invocation.get("NoNewScope")),
        closure=block.closure,
    )


@implements("Measure-Command", flows=True)
def measure_command(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[datetime.timedelta]:
    begun = time.monotonic()
    for _ in invocation.language.invoke(invocation.get("Expression"), (), invocation.frame, dotted=True):
        pass
    yield datetime.timedelta(seconds=time.monotonic() - begun)


@implements("Set-StrictMode")
def set_strict_mode(invocation: Invocation) -> Iterable[Any]:
    """From version 2 on: no variables that were never set, no properties that there are not."""
    invocation.language.strict = not invocation.get("Off")
    return ()


# Variables


def _scope(invocation: Invocation) -> Scope:
    return invocation.frame.scope.named((invocation.get("Scope") or "").lower())


def _variable(slot: Slot) -> NetObject:
    return NetObject(
        ("System.Management.Automation.PSVariable", "System.Object"),
        {
            "Name": slot.name,
            "Description": "",
            "Value": slot.value,
            "Visibility": "Public",
            "Module": None,
            "ModuleName": "",
            "Options": "Constant" if slot.read_only else "None",
            "Attributes": [],
        },
    )


@implements("Get-Variable")
def get_variable(invocation: Invocation) -> Iterator[Any]:
    held = (
        _scope(invocation).variables if invocation.given("Scope") else invocation.frame.scope.all_variables()
    )
    for name in invocation.get("Name") or ["*"]:
        found = [slot for key, slot in sorted(held.items()) if matches(key, name)]
        if not found and not has_wildcard(name):
            invocation.error(
                PowerShellError(
                    f"Cannot find a variable with the name '{name}'.",
                    category=ErrorCategory.ObjectNotFound,
                    error_id="VariableNotFound",
                    exception="System.Management.Automation.ItemNotFoundException",
                    target=name,
                )
            )
        for slot in found:
            yield slot.value if invocation.get("ValueOnly") else _variable(slot)


@implements("Set-Variable", "New-Variable", collects=True)
def set_variable(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    scope = _scope(invocation)
    value = invocation.get("Value")
    if items and not invocation.given("Value"):
        value = collected(list(items))
    for name in items_of(invocation.get("Name")):
        held = scope.variables.get(name.lower())
        if invocation.command.name == "New-Variable" and held is not None and not invocation.get("Force"):
            raise PowerShellError(
                f"A variable with name '{name}' already exists.",
                category=ErrorCategory.ResourceExists,
                error_id="VariableAlreadyExists",
                exception="System.Management.Automation.SessionStateException",
                target=name,
            )
        scope.set(name, None if value is NOTHING else value)
        option = to_text(invocation.get("Option")).lower()
        scope.variables[name.lower()].read_only = option in ("constant", "readonly")
        if invocation.get("PassThru"):
            yield _variable(scope.variables[name.lower()])


@implements("Remove-Variable", "Clear-Variable")
def remove_variable(invocation: Invocation) -> Iterable[Any]:
    scope = _scope(invocation)
    for name in invocation.get("Name"):
        found = [key for key in scope.variables if matches(key, name)]
        if not found and not has_wildcard(name):
            invocation.error(
                PowerShellError(
                    f"Cannot find a variable with the name '{name}'.",
                    category=ErrorCategory.ObjectNotFound,
                    error_id="VariableNotFound",
                    exception="System.Management.Automation.ItemNotFoundException",
                    target=name,
                )
            )
        for key in found:
            slot = scope.variables[key]
            if slot.read_only and not invocation.get("Force"):
                invocation.error(_not_removable(slot.name))
            elif invocation.command.name == "Clear-Variable":
                slot.value = None
            else:
                del scope.variables[key]
    return ()


def _not_removable(name: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot remove variable {name} because it is constant or read-only. If the variable is read-only, try the "
        "operation again specifying the Force option.",
        category=ErrorCategory.WriteError,
        error_id="VariableNotRemovable",
        exception="System.Management.Automation.SessionStateUnauthorizedAccessException",
        target=name,
    )


@implements("Get-Alias")
def get_alias(invocation: Invocation) -> Iterator[NetObject]:
    held: dict[str, str] = {}
    for scope in invocation.frame.scope.chain():
        for key, target in scope.aliases.items():
            held.setdefault(key, target)
    definitions = invocation.get("Definition")
    for name in invocation.get("Name") or ["*"]:
        found = [key for key in sorted(held) if matches(key, name)]
        if not found and not has_wildcard(name):
            invocation.error(
                PowerShellError(
                    f"This command cannot find a matching alias because an alias with the name '{name}' does not "
                    "exist.",
                    category=ErrorCategory.ObjectNotFound,
                    error_id="ItemNotFoundException",
                    exception="System.Management.Automation.ItemNotFoundException",
                    target=name,
                )
            )
        for key in found:
            if definitions and not any(matches(held[key], pattern) for pattern in definitions):
                continue
            yield NetObject(
                (
                    "System.Management.Automation.AliasInfo",
                    "System.Management.Automation.CommandInfo",
                    "System.Object",
                ),
                {
                    "Name": key,
                    "CommandType": "Alias",
                    "Definition": held[key],
                    "ResolvedCommandName": held[key],
                    "DisplayName": f"{key} -> {held[key]}",
                },
                text=key,
            )


@implements("Set-Alias", "New-Alias")
def set_alias(invocation: Invocation) -> Iterable[Any]:
    _scope(invocation).aliases[invocation.get("Name").lower()] = invocation.get("Value")
    return ()


# Streams


@implements("Write-Output", flows=True)
def write_output(invocation: Invocation, flow: Iterable[Any] | None) -> Iterator[Any]:
    if flow is not None and not invocation.given("InputObject"):
        yield from flow
        return
    given = invocation.get("InputObject")
    if invocation.get("NoEnumerate"):
        yield given
        return
    yield from given if isinstance(given, list) else [given]


_WRITE_ERROR = "Microsoft.PowerShell.Commands.WriteErrorException"


@implements("Write-Error")
def write_error(invocation: Invocation) -> Iterable[Any]:
    """The error is told as the caller's: an advanced function's by its name."""
    record = invocation.get("ErrorRecord")
    if not isinstance(record, ErrorRecord):
        record = _new_error(invocation)
    action = invocation.error_action
    if invocation.engine.has_language:
        invocation._tell_language(record, action)
    if action == "Stop":
        from lab.powershell.engine import StopRequested

        raise StopRequested(record)
    if action not in ("SilentlyContinue", "Ignore"):
        invocation.streams.error(record)
    return ()


def _new_error(invocation: Invocation) -> ErrorRecord:
    thrown = invocation.get("Exception")
    message = invocation.get("Message")
    if message is None and isinstance(thrown, NETException):
        message = str(thrown.Message)
    category = invocation.get("Category")
    kind = ErrorCategory.NotSpecified
    if category is not None:
        kind = enumeration_member(category, "System.Management.Automation.ErrorCategory")
    function = invocation.surroundings.function if invocation.surroundings is not None else ""
    given_id = invocation.get("ErrorId") or (
        thrown.PSTypeNames[0] if isinstance(thrown, NETException) else _WRITE_ERROR
    )
    error = PowerShellError(
        message or "",
        category=kind,
        error_id=f"{given_id},{function}" if function else given_id,
        exception=thrown.PSTypeNames[0] if isinstance(thrown, NETException) else _WRITE_ERROR,
        target=invocation.get("TargetObject"),
        qualified=False,
    )
    error.activity = invocation.get("CategoryActivity") or function or "Write-Error"
    record = error.record()
    for name in ("Reason", "TargetName", "TargetType"):
        if invocation.given(f"Category{name}"):
            setattr(record.CategoryInfo, name, invocation.get(f"Category{name}"))
    if isinstance(thrown, NETException):
        record.Exception = thrown
    return record


@implements("Write-Warning")
def write_warning(invocation: Invocation) -> Iterable[Any]:
    invocation.warning(invocation.get("Message"))
    return ()


@implements("Write-Verbose")
def write_verbose(invocation: Invocation) -> Iterable[Any]:
    invocation.verbose(invocation.get("Message"))
    return ()


@implements("Write-Debug")
def write_debug(invocation: Invocation) -> Iterable[Any]:
    invocation.debug(invocation.get("Message"))
    return ()


@implements("Write-Information")
def write_information(invocation: Invocation) -> Iterable[Any]:
    data = invocation.get("MessageData")
    action = invocation.action("InformationAction", "InformationPreference")
    if action != "Ignore":
        shown = to_text(data) if not isinstance(data, str) else data
        invocation.streams.information(shown, "Write-Information", tuple(invocation.get("Tags") or ()))
    return ()


@implements("Write-Progress")
def write_progress(invocation: Invocation) -> Iterable[Any]:
    if invocation.action("ProgressAction", "ProgressPreference") != "SilentlyContinue":
        invocation.streams.progress(
            invocation.get("Activity"),
            invocation.get("Status") or "Processing",
            int(invocation.get("PercentComplete", -1)),
            bool(invocation.get("Completed")),
        )
    return ()


@implements("Write-Host")
def write_host(invocation: Invocation) -> Iterable[Any]:
    separator = to_text(invocation.get("Separator")) if invocation.given("Separator") else " "
    text = to_text(invocation.get("Object"), separator)
    if invocation.session.powershell_version.startswith("5"):
        invocation.streams.information(text, "Write-Host", ("PSHOST",))
    invocation.streams.host_write_line(text)
    return ()


# Time


_UNIX_EPOCH = datetime.datetime(1970, 1, 1)


@implements("Get-Date")
def get_date(invocation: Invocation) -> Iterator[Any]:
    """The computer's local time with its ``DisplayHint`` note; -Format takes .NET's format strings."""
    now = invocation.get("Date") or invocation.session.local_time()
    parts = {
        name.lower(): int(invocation.get(name))
        for name in ("Year", "Month", "Day", "Hour", "Minute", "Second")
        if invocation.given(name)
    }
    if parts:
        now = now.replace(**parts)
    unix = invocation.get("UFormat")
    if unix is not None:
        # Windows PowerShell counts %s from the local clock, not from UTC.
        seconds = (now.replace(tzinfo=None) - _UNIX_EPOCH).total_seconds()
        yield now.strftime(unix.replace("%s", f"{seconds:.5f}"))
        return
    pattern = invocation.get("Format")
    if pattern is not None:
        yield format_date(now, pattern)
        return
    date = PSDateTime(now)
    date.PSObject.extended_properties = [
        PSNoteProperty("DisplayHint", invocation.get("DisplayHint") or _DISPLAY_HINT.DateTime)
    ]
    yield date


@implements("New-TimeSpan")
def new_time_span(invocation: Invocation) -> Iterator[datetime.timedelta]:
    if invocation.given("Start") or invocation.given("End"):
        now = invocation.session.local_time().replace(tzinfo=None)
        start, end = invocation.get("Start") or now, invocation.get("End") or now
        yield end.replace(tzinfo=None) - start.replace(tzinfo=None)
        return
    yield datetime.timedelta(
        days=int(invocation.get("Days") or 0),
        hours=int(invocation.get("Hours") or 0),
        minutes=int(invocation.get("Minutes") or 0),
        seconds=int(invocation.get("Seconds") or 0),
    )


# The session


@implements("Get-Host")
def get_host(invocation: Invocation) -> Iterator[NetObject]:
    yield invocation.frame.scope.get("Host") or host()


@implements("Get-Culture")
def get_culture(invocation: Invocation) -> Iterator[NetObject]:
    yield NetObject(
        ("System.Globalization.CultureInfo", "System.Object"),
        {"LCID": 1033, "Name": "en-US", "DisplayName": "English (United States)"},
        text="en-US",
    )


@implements("Get-ExecutionPolicy")
def get_execution_policy(invocation: Invocation) -> Iterator[Any]:
    """RemoteSigned, which is what a server of 2012 R2 and later has; Restricted before (about_Execution_Policies)."""
    if invocation.get("List"):
        raise not_modelled("Get-ExecutionPolicy -List")
    kind = enumeration(
        "Microsoft.PowerShell.ExecutionPolicy",
        ("Unrestricted", "RemoteSigned", "AllSigned", "Restricted", "Bypass", "Undefined"),
    )
    yield kind.Restricted if invocation.session.powershell_version < "4" else kind.RemoteSigned


@implements("Get-Random", collects=True)
def get_random(invocation: Invocation, items: Sequence[Any]) -> Iterator[Any]:
    import random

    chosen = random.Random(invocation.get("SetSeed"))  # None: by the system's entropy
    pool = list(items) or list(invocation.get("InputObject") or ())
    if pool:
        yield from chosen.sample(pool, min(int(invocation.get("Count") or 1), len(pool)))
        return
    low, high = to_number(invocation.get("Minimum") or 0), to_number(invocation.get("Maximum", 2**31 - 1))
    if low >= high:
        raise PowerShellError(
            f"The Minimum value ({to_text(low)}) cannot be greater than or equal to the Maximum value "
            f"({to_text(high)}).",
            category=ErrorCategory.InvalidArgument,
            error_id="MinGreaterThanOrEqualMax",
            exception="System.ArgumentException",
        )
    whole = isinstance(low, int) and isinstance(high, int)
    yield chosen.randrange(int(low), int(high)) if whole else chosen.uniform(float(low), float(high))
