# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items of the drives other than the registry's: files, variables of the environment, variables, functions, aliases.

Texts and identifiers: PowerShell/PowerShell, SessionStateStrings.resx, FileSystemProvider.cs; about_Providers.
"""

from __future__ import annotations

import ntpath
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from psrpcore.types import ErrorCategory

from lab.objects.types import items_of
from lab.objects.values import NetObject, text_of
from lab.powershell.builtin import has_wildcard, matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError, not_modelled
from lab.powershell.formatting import Formatter
from lab.powershell.language.files import FileSystem, absolute, decoded, files_of, information, lines_of
from lab.powershell.language.members import NetError
from lab.powershell.language.text import to_text
from lab.powershell.language.values import byte_array
from lab.powershell.registry import implements, provides

_DRIVE = re.compile(
    r"(?:microsoft\.powershell\.core\\)?(env|variable|function|alias)::?\\?(?P<name>.*)", re.IGNORECASE
)
_FILE = re.compile(
    r"(?:microsoft\.powershell\.core\\)?(?:filesystem::)?(?:[c]:|~|\.{1,2}(?:[\\/]|$)|\\\\)|[^:]*$",
    re.IGNORECASE,
)


def _paths(invocation: Invocation) -> list[str]:
    given = invocation.get("LiteralPath") or invocation.get("Path") or invocation.get("FilePath") or ["."]
    paths = [text_of(path) for path in items_of(given)]
    name = invocation.get("Name") if invocation.command.name == "New-Item" else None
    return [ntpath.join(path, text_of(name)) if name is not None else path for path in paths]


def _of_drives(invocation: Invocation) -> bool:
    return all(_DRIVE.fullmatch(path) for path in _paths(invocation))


def _of_files(invocation: Invocation) -> bool:
    return all(_FILE.match(path) for path in _paths(invocation))


def _not_found(path: str) -> PowerShellError:
    return PowerShellError(
        f"Cannot find path '{path}' because it does not exist.",
        category=ErrorCategory.ObjectNotFound,
        error_id="PathNotFound",
        exception="System.Management.Automation.ItemNotFoundException",
        target=path,
    )


# env:, variable:, function:, alias:


def _table(invocation: Invocation, drive: str) -> dict[str, Any]:
    scope = invocation.frame.scope
    if drive == "env":
        return dict(invocation.language.environment.items())
    if drive == "variable":
        return {slot.name: slot.value for slot in scope.all_variables().values()}
    if drive == "function":
        return {
            f.name: f.script.source for one in reversed(list(scope.chain())) for f in one.functions.values()
        }
    return {name: target for one in reversed(list(scope.chain())) for name, target in one.aliases.items()}


def _entry(name: str, value: Any) -> NetObject:
    return NetObject(
        ("System.Collections.DictionaryEntry", "System.ValueType", "System.Object"),
        {"Name": name, "Key": name, "Value": value},
        {"PSPath": f"Microsoft.PowerShell.Core\\Environment::{name}"},
        text="System.Collections.DictionaryEntry",
    )


def _found(invocation: Invocation, path: str) -> tuple[str, dict[str, Any]]:
    """The drive, and what of it the path names."""
    match = _DRIVE.fullmatch(path)
    assert match is not None
    table = _table(invocation, match[1].lower())
    name = match["name"].strip("\\")
    if not name:
        return match[1].lower(), table
    return match[1].lower(), {key: value for key, value in table.items() if matches(key, name)}


@provides("Get-Item", "Get-ChildItem", claims=_of_drives)
def get_drive_item(invocation: Invocation) -> Iterator[NetObject]:
    for path in _paths(invocation):
        found = _found(invocation, path)[1]
        if not found and not has_wildcard(path):
            invocation.error(_not_found(path))
        yield from (
            _entry(name, value) for name, value in sorted(found.items(), key=lambda one: one[0].lower())
        )


@provides("Test-Path", claims=_of_drives)
def test_drive_path(invocation: Invocation) -> Iterator[bool]:
    for path in _paths(invocation):
        yield bool(_found(invocation, path)[1])


@provides("New-Item", "Set-Item", claims=_of_drives)
def new_drive_item(invocation: Invocation) -> Iterator[NetObject]:
    for path in _paths(invocation):
        drive, held = _found(invocation, path)
        name = _DRIVE.fullmatch(path)["name"].strip("\\")  # type: ignore[index]  # it is of a drive
        if drive not in ("env", "variable"):
            raise not_modelled(f"new items of the drive {drive}")
        if held and invocation.command.name == "New-Item" and not invocation.get("Force"):
            invocation.error(
                PowerShellError(
                    f"The item at path '{name}' already exists.",
                    category=ErrorCategory.InvalidArgument,
                    error_id="Argument",
                    exception="System.Management.Automation.PSArgumentException",
                    target=name,
                )
            )
            continue
        value = invocation.get("Value")
        if drive == "env":
            invocation.language.set_environment(name, value)
        else:
            invocation.frame.scope.set(name, value)
        if invocation.command.name == "New-Item":
            yield _entry(name, to_text(value))


@provides("Remove-Item", claims=_of_drives)
def remove_drive_item(invocation: Invocation) -> Iterable[Any]:
    for path in _paths(invocation):
        drive, held = _found(invocation, path)
        if not held and not has_wildcard(path):
            invocation.error(_not_found(path))
        for name in held:
            if drive == "env":
                del invocation.language.environment[name]
            elif drive == "variable":
                invocation.frame.scope.variables.pop(name.lower(), None)
            else:
                table = (
                    invocation.frame.scope.functions
                    if drive == "function"
                    else invocation.frame.scope.aliases
                )
                table.pop(name.lower(), None)
    return ()


# Files


def _here(invocation: Invocation) -> str:
    if invocation.engine is not None and invocation.engine.has_language:
        return to_text(invocation.frame.scope.get("PWD"))
    return "C:\\Windows\\system32"


def _files(invocation: Invocation) -> FileSystem:
    return files_of(invocation.session.machine)


def _resolved(invocation: Invocation, path: str) -> list[str]:
    """Existing files and folders of that path, which may have wildcards in its last part."""
    full = absolute(_here(invocation), path)
    files = _files(invocation)
    if has_wildcard(full) and not invocation.given("LiteralPath"):
        parent, pattern = ntpath.split(full)
        return [file.path for file in files.children(parent) if matches(ntpath.basename(file.path), pattern)]
    found = files.entry(full)
    return [found.path] if found is not None else []


def _existing(invocation: Invocation) -> Iterator[str]:
    for path in _paths(invocation):
        found = _resolved(invocation, path)
        if not found and not has_wildcard(path):
            invocation.error(_not_found(absolute(_here(invocation), path)))
        yield from found


def _failed(error: NetError, command: str) -> PowerShellError:
    category = (
        ErrorCategory.PermissionDenied if "Unauthorized" in error.type_name else ErrorCategory.WriteError
    )
    return PowerShellError(
        error.message, category=category, error_id=f"{command}Error", exception=error.type_name
    )


@provides("Test-Path", claims=_of_files)
def test_file_path(invocation: Invocation) -> Iterator[bool]:
    kind = text_of(invocation.get("PathType") or "Any").lower()
    files = _files(invocation)
    tests = {"leaf": files.is_file, "container": files.is_folder}
    for path in _paths(invocation):
        yield any(kind == "any" or tests[kind](one) for one in _resolved(invocation, path))


@provides("Get-Item", claims=_of_files)
def get_file(invocation: Invocation) -> Iterator[NetObject]:
    for path in _existing(invocation):
        yield information(_files(invocation), path)


@provides("Get-ChildItem", claims=_of_files)
def get_children(invocation: Invocation) -> Iterator[NetObject]:
    files = _files(invocation)
    waiting = list(_existing(invocation))
    while waiting:
        path = waiting.pop(0)
        if not files.is_folder(path):
            yield information(files, path)
            continue
        for child in files.children(path):
            yield information(files, child.path)
            if invocation.get("Recurse") and child.data is None:
                waiting.append(child.path)


@provides("New-Item", claims=_of_files)
def new_file(invocation: Invocation) -> Iterator[NetObject]:
    kind = text_of(invocation.get("ItemType") or "File").lower()
    files = _files(invocation)
    for path in _paths(invocation):
        full = absolute(_here(invocation), path)
        if files.entry(full) is not None and not invocation.get("Force"):
            what = (
                f"An item with the specified name {full} already exists."
                if kind.startswith("d")
                else (f"The file '{full}' already exists.")
            )
            invocation.error(
                PowerShellError(
                    what,
                    category=ErrorCategory.ResourceExists
                    if kind.startswith("d")
                    else ErrorCategory.WriteError,
                    error_id="DirectoryExist" if kind.startswith("d") else "NewItemIOError",
                    exception="System.IO.IOException",
                    target=full,
                )
            )
            continue
        if not invocation.should_process(f"Destination: {full}"):
            continue
        try:
            if kind.startswith("d"):
                files.make_folder(full)
            else:
                files.write(full, to_text(invocation.get("Value")).encode())
        except NetError as error:
            invocation.error(_failed(error, "NewItemIO"))
            continue
        yield information(files, full)


@provides("Remove-Item", claims=_of_files)
def remove_file(invocation: Invocation) -> Iterable[Any]:
    for path in list(_existing(invocation)):
        if invocation.should_process(path):
            _files(invocation).remove(path)
    return ()


# Their content


def _encoding(invocation: Invocation, default: str) -> tuple[str, bytes]:
    """Codec and byte order mark that -Encoding means."""
    name = text_of(invocation.get("Encoding") or default).lower()
    known = {
        "utf8": ("utf-8", b"\xef\xbb\xbf"),
        "unicode": ("utf-16-le", b"\xff\xfe"),
        "bigendianunicode": ("utf-16-be", b"\xfe\xff"),
        "ascii": ("ascii", b""),
        "default": ("cp1252", b""),
        "oem": ("cp437", b""),
        "string": ("utf-16-le", b"\xff\xfe"),
    }
    if name not in known:
        raise not_modelled(f"the encoding {name}")
    return known[name]


@implements("Get-Content")
def get_content(invocation: Invocation) -> Iterator[Any]:
    for path in _paths(invocation):
        match = _DRIVE.fullmatch(path)
        if match:
            found = _found(invocation, path)[1]
            if not found:
                invocation.error(_not_found(path))
            yield from (to_text(value) for value in found.values())
            continue
        files = _files(invocation)
        full = absolute(_here(invocation), path)
        if not files.is_file(full):
            invocation.error(_not_found(full))
            continue
        data = files.read(full)
        if text_of(invocation.get("Encoding") or "").lower() == "byte":
            yield from byte_array(data)
            continue
        text = decoded(data)
        if invocation.get("Raw"):
            yield text
            continue
        lines = lines_of(text)
        first, last = invocation.get("TotalCount"), invocation.get("Tail")
        lines = lines[: int(first)] if first is not None else lines
        yield from lines[len(lines) - min(int(last), len(lines)) :] if last is not None else lines


@implements("Set-Content", "Add-Content", collects=True)
def set_content(invocation: Invocation, items: Sequence[Any]) -> Iterable[Any]:
    values = list(items) if items else list(invocation.get("Value") or ())
    codec, mark = _encoding(invocation, "Default")
    ending = "" if invocation.get("NoNewline") else "\r\n"
    data = "".join(f"{to_text(value)}{ending}" for value in values).encode(codec, "replace")
    _write(invocation, data, mark, invocation.command.name == "Add-Content")
    return ()


@implements("Out-File", collects=True)
def out_file(invocation: Invocation, items: Sequence[Any]) -> Iterable[Any]:
    codec, mark = _encoding(invocation, "unicode")
    text = "".join(f"{line}\r\n" for line in Formatter(invocation).lines(items))
    _write(invocation, text.encode(codec, "replace"), mark, bool(invocation.get("Append")))
    return ()


def _write(invocation: Invocation, data: bytes, mark: bytes, appends: bool) -> None:
    files = _files(invocation)
    for path in _paths(invocation):
        full = absolute(_here(invocation), path)
        before = files.read(full) if appends and files.is_file(full) else b""
        try:
            files.write(full, before + (data if before else mark + data))
        except NetError as error:
            invocation.error(_failed(error, "GetContentWriter"))


# Paths


@implements("Join-Path")
def join_path(invocation: Invocation) -> Iterator[str]:
    child = text_of(invocation.get("ChildPath"))
    for path in invocation.get("Path"):
        yield "\\".join((path.rstrip("\\/"), child.lstrip("\\/"))) if path else child


@implements("Split-Path")
def split_path(invocation: Invocation) -> Iterator[Any]:
    for path in invocation.get("Path"):
        drive, rest = ntpath.splitdrive(path)
        if invocation.get("Leaf"):
            yield ntpath.basename(path.rstrip("\\"))
        elif invocation.get("Qualifier"):
            yield drive
        elif invocation.get("NoQualifier"):
            yield rest
        elif invocation.get("IsAbsolute"):
            yield bool(drive)
        else:
            yield ntpath.dirname(path.rstrip("\\"))


@implements("Get-Location")
def get_location(invocation: Invocation) -> Iterator[NetObject]:
    yield _location(_here(invocation))


def _location(path: str) -> NetObject:
    provider = "Microsoft.PowerShell.Core\\FileSystem"
    return NetObject(
        ("System.Management.Automation.PathInfo", "System.Object"),
        {"Drive": path[:1], "Provider": provider, "ProviderPath": path, "Path": path},
        text=path,
    )


@implements("Set-Location")
def set_location(invocation: Invocation) -> Iterator[NetObject]:
    given = text_of(invocation.get("LiteralPath") or invocation.get("Path") or "~")
    if not _FILE.match(given):
        raise not_modelled("locations outside of the file system")
    full = absolute(_here(invocation), given)
    if not _files(invocation).is_folder(full):
        raise _not_found(full)
    invocation.language.root.variables["pwd"].value = full
    if invocation.get("PassThru"):
        yield _location(full)
