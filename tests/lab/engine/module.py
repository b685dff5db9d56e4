# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The commands of the catalogue as compiled cmdlets: their C#, and the assemblies that a PowerShell makes of it."""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from lab.catalogue import ALL_SETS, Command, Parameter
from lab.objects.types import FULL_NAMES, full_name

_TEMPLATE = Path(__file__).with_name("model.cs")
_COMPILE_TIMEOUT_S = 300

#: Built-in commands that the model answers in place of PowerShell's own, since they ask or change the computer: its
#: clock, its zone, its services, its registry. All others are PowerShell's own.
OF_THE_COMPUTER = frozenset(
    name.lower()
    for name in (
        *("Get-Date", "Set-Date", "Get-TimeZone", "Set-TimeZone"),
        *("Get-Service", "Set-Service", "Start-Service", "Stop-Service", "Restart-Service"),
        *("Get-Item", "Get-ChildItem", "New-Item", "Remove-Item", "Test-Path"),
        *("Get-ItemProperty", "Set-ItemProperty", "New-ItemProperty", "Remove-ItemProperty"),
    )
)

#: Types of parameters that keep the whole object: what comes down a pipeline is an object of the model.
_OBJECTS = {"PSObject", "Object", "NTService", "CertificateReference", "PSListModifier"}
_IDENTITIES = {"XdsIdentity", "XdsGlobalRelativeIdentity"}


def is_answered(command: Command) -> bool:
    """Whether the model answers it, and not PowerShell."""
    is_product = not command.module.startswith("Microsoft.PowerShell.")
    return is_product or command.kind == "Application" or command.name.lower() in OF_THE_COMPUTER


def source_of(commands: Iterable[Command]) -> str:
    """The C# of these cmdlets and of the types of their parameters."""
    chosen = sorted(commands, key=lambda command: command.name)
    parts = [_TEMPLATE.read_text(encoding="utf-8")]
    parts += [_type_source(name, values) for name, values in sorted(_own_types(chosen).items())]
    parts += [_cmdlet_source(command) for command in chosen]
    return "\n".join(parts)


def _own_types(commands: Iterable[Command]) -> Mapping[str, tuple[str, ...]]:
    """Types of parameters that .NET does not have; for an enumeration, its members in all commands together."""
    found: dict[str, tuple[str, ...]] = {}
    for command in commands:
        for parameter in command.parameters.values():
            name = parameter.type.removesuffix("[]")
            if name != "String" and not _is_dot_net(name):
                found[name] = tuple(dict.fromkeys((*found.get(name, ()), *(parameter.values or ()))))
    return found


def _is_dot_net(name: str) -> bool:
    if name in _OBJECTS:
        return True
    full = FULL_NAMES.get(name, "")
    # PowerShell for Linux has no services, so .NET's enumeration of start modes is missing there.
    return full.startswith(("System.", "Microsoft.Win32.")) and not full.startswith("System.ServiceProcess.")


def _type_source(name: str, values: Sequence[str]) -> str:
    namespace, _, short = _spelled(name).rpartition(".")
    if values:
        # PowerShell takes the number of a member for it as well; that is no name.
        names = [f"@{value}" for value in values if not value[0].isdigit()]
        body = f"public enum {short} {{ {', '.join(names)} }}"
    else:
        base = "Identity" if name in _IDENTITIES else "Text"
        body = f"public class {short} : Lab.{base} {{ public {short}(object value) : base(value) {{ }} }}"
    return f"namespace {namespace} {{ {body} }}"


def _spelled(name: str) -> str:
    """A type's full name as C# has it; generic ones of the product become plain ones."""
    return full_name(name).replace("`1[System.", "Of").rstrip("]")


def _parameter_type(parameter: Parameter) -> str:
    name = parameter.type.removesuffix("[]")
    brackets = parameter.type.removeprefix(name)
    if name in _OBJECTS:
        return f"System.Management.Automation.PSObject{brackets}" if name != "Object" else f"object{brackets}"
    return f"global::{_spelled(name)}{brackets}"


def _cmdlet_source(command: Command) -> str:
    namespace, _, class_name = command.class_name.rpartition(".")
    verb, _, noun = command.name.partition("-")
    properties = " ".join(_property_source(command, parameter) for parameter in command.parameters.values())
    default = command.shown_default_set
    options = f', DefaultParameterSetName = "{default}"' if default else ""
    options += ", SupportsShouldProcess = true" if command.should_process else ""
    return (
        f"namespace {namespace} {{ using System.Management.Automation; "
        f'[Cmdlet("{verb}", "{noun}"{options})] public class {class_name} : Lab.ModelCmdlet {{ {properties} }} }}'
    )


def _property_source(command: Command, parameter: Parameter) -> str:
    attributes = [f"[Parameter({options})]" for options in _parameter_options(command, parameter)]
    if parameter.aliases:
        attributes.append("[Alias({})]".format(", ".join(f'"{alias}"' for alias in parameter.aliases)))
    if parameter.type == "String" and parameter.values:
        attributes.append("[ValidateSet({})]".format(", ".join(f'"{value}"' for value in parameter.values)))
    if parameter.allow_null:
        attributes.append("[AllowNull]")
    declared = f"{_parameter_type(parameter)} @{parameter.name} {{ get; set; }}"
    return f"{' '.join(attributes)} public new {declared}"


def _parameter_options(command: Command, parameter: Parameter) -> Iterator[str]:
    """The arguments of its ParameterAttributes: one for all parameter sets where they agree, or one for each."""
    common = [
        *([f"Position = {parameter.position}"] if parameter.position is not None else []),
        *(["ValueFromPipeline = true"] if parameter.by_value else []),
        *(["ValueFromPipelineByPropertyName = true"] if parameter.by_property_name else []),
        *(["ValueFromRemainingArguments = true"] if parameter.remaining else []),
    ]
    if command.sets == (ALL_SETS,) or (parameter.sets is None and isinstance(parameter.mandatory, bool)):
        yield ", ".join([*common, *(["Mandatory = true"] if parameter.mandatory else [])])
        return
    for name in command.sets:
        if parameter.belongs_to(name):
            mandatory = ["Mandatory = true"] if parameter.mandatory_in(name) else []
            yield ", ".join([f'ParameterSetName = "{name}"', *common, *mandatory])


# Building


def assembly(command: Sequence[str], name: str, source: str) -> Path:
    """The assembly of that source, made by the PowerShell of that command line unless it was made before.

    Raises ValueError with what the compiler has to say.
    """
    program = Path(command[0])
    made_by = f"{program.resolve()} {program.stat().st_mtime_ns} {program.stat().st_size} {command[1:]}"
    digest = hashlib.sha256(f"{made_by}\n{source}".encode()).hexdigest()[:32]
    folder = _cache() / digest
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    path = folder / f"{name}.dll"
    with (folder / "lock").open("a") as held:
        fcntl.flock(held, fcntl.LOCK_EX)
        if not path.exists():
            _compile(command, folder, path, source)
    return path


def _cache() -> Path:
    """Of this user alone: what is in it gets loaded."""
    base = os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache"
    folder = Path(base) / "lync-remediation-lab"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = folder.stat()
    if status.st_uid != os.getuid() or status.st_mode & 0o022:
        raise ValueError(f"others may write to {folder}, where the engine's cmdlets are kept")
    return folder


def _compile(command: Sequence[str], folder: Path, path: Path, source: str) -> None:
    text, script, made = folder / "source.cs", folder / "compile.ps1", folder / f"made-{path.name}"
    text.write_text(source, encoding="utf-8")
    script.write_text(
        "$ErrorActionPreference = 'Stop'; $PSStyle.OutputRendering = 'PlainText'\n"
        f"Add-Type -IgnoreWarnings -Path '{text}' -OutputAssembly '{made}'\n",
        encoding="utf-8",
    )
    finished = subprocess.run(
        [*command, "-NoLogo", "-NoProfile", "-NonInteractive", "-File", str(script)],
        check=False,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=_COMPILE_TIMEOUT_S,
    )
    if finished.returncode or not made.exists():
        made.unlink(missing_ok=True)
        raise ValueError(
            f"{command[0]} did not compile the lab's cmdlets:\n{finished.stderr or finished.stdout}"
        )
    made.rename(path)


def write_module(folder: Path, name: str, version: str, assembly: Path, commands: Iterable[Command]) -> Path:
    """A module of that name for that assembly; returns its manifest."""
    exported = ", ".join(f"'{command.name}'" for command in commands)
    manifest = folder / name / f"{name}.psd1"
    manifest.parent.mkdir(parents=True, exist_ok=True)
    # A module's assembly must lie in its folder.
    shutil.copyfile(assembly, manifest.with_name(assembly.name))
    lines = (
        f"RootModule = '{assembly.name}'",
        f"ModuleVersion = '{version}'",
        "GUID = '8c1f5a0e-6f7b-4a55-9d0e-0a2f0f5b8e11'",
        f"CmdletsToExport = @({exported})",
        *(f"{kind}ToExport = @()" for kind in ("Functions", "Aliases", "Variables")),
    )
    manifest.write_text("@{\n" + "\n".join(lines) + "\n}\n", encoding="utf-8")
    return manifest
