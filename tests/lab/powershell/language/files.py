# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A small file system in memory, one per simulated computer, and [IO.Path], [IO.File], [IO.Directory], FileInfo,
streams.

Texts: .NET Framework's (mscorlib resources), as people have reported them.
"""

from __future__ import annotations

import datetime
import ntpath
import secrets
import weakref
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from psrpcore.types import PSInt64

from lab.objects.values import NetObject
from lab.powershell.language.members import Context, NetError, constructor, method, prop, static, static_prop
from lab.powershell.language.text import to_text
from lab.powershell.language.values import NOTHING, Instance, byte_array, items_of, strings, typed_array

_NOT_FOUND = "System.IO.FileNotFoundException"
_NO_DIRECTORY = "System.IO.DirectoryNotFoundException"
#: Folders that every Windows has; those of a user are there for every user.
_FOLDERS = (
    "C:\\",
    r"C:\Windows",
    r"C:\Windows\System32",
    r"C:\Windows\Temp",
    r"C:\Users",
    r"C:\Program Files",
    r"C:\ProgramData",
)
_USER_FOLDERS = (
    "",
    "\\documents",
    "\\desktop",
    "\\appdata",
    "\\appdata\\local",
    "\\appdata\\local\\temp",
    "\\appdata\\roaming",
)


@dataclass
class File:
    path: str  # as it was spelled first
    data: bytes | None  # None: a folder
    written: datetime.datetime
    attributes: set[str] = field(default_factory=set)


class FileSystem:
    """Files and folders by lower-case path. What Windows itself keeps there is left out, but for a few folders."""

    def __init__(self, machine: Any) -> None:
        self._machine = machine
        self._files: dict[str, File] = {}

    def _now(self) -> datetime.datetime:
        return self._machine.zone.local(self._machine.clock.read())

    def entry(self, path: str) -> File | None:
        found = self._files.get(_key(path))
        if found is None and self._is_given(path):
            return File(_normal(path), None, self._now().replace(hour=0, minute=0, second=0, microsecond=0))
        return found

    def _is_given(self, path: str) -> bool:
        key = _key(path)
        if key in (_key(folder) for folder in _FOLDERS):
            return True
        root, _, rest = key.partition("\\users\\")
        user, separator, below = rest.partition("\\")
        return root == "c:" and bool(user) and (separator + below) in _USER_FOLDERS

    def is_file(self, path: str) -> bool:
        found = self.entry(path)
        return found is not None and found.data is not None

    def is_folder(self, path: str) -> bool:
        found = self.entry(path)
        return found is not None and found.data is None

    def read(self, path: str) -> bytes:
        found = self.entry(path)
        if found is None or found.data is None:
            self._require_parent(path)
            raise NetError(_NOT_FOUND, f"Could not find file '{_normal(path)}'.")
        return found.data

    def write(self, path: str, data: bytes) -> None:
        self._require_parent(path)
        if self.is_folder(path):
            raise NetError(
                "System.UnauthorizedAccessException", f"Access to the path '{_normal(path)}' is denied."
            )
        before = self._files.get(_key(path))
        self._files[_key(path)] = File(before.path if before else _normal(path), data, self._now())

    def _require_parent(self, path: str) -> None:
        if not self.is_folder(ntpath.dirname(_normal(path)) or path):
            raise NetError(_NO_DIRECTORY, f"Could not find a part of the path '{_normal(path)}'.")

    def make_folder(self, path: str) -> None:
        missing = []
        current = _normal(path)
        while not self.is_folder(current):
            missing.append(current)
            parent = ntpath.dirname(current)
            if parent == current:
                raise NetError(_NO_DIRECTORY, f"Could not find a part of the path '{_normal(path)}'.")
            current = parent
        for folder in reversed(missing):
            self._files[_key(folder)] = File(folder, None, self._now())

    def remove(self, path: str) -> None:
        """A file, or a folder with all in it; nothing where there is none."""
        key = _key(path)
        for held in [held for held in self._files if held == key or held.startswith(key.rstrip("\\") + "\\")]:
            del self._files[held]

    def children(self, path: str) -> list[File]:
        prefix = _key(path).rstrip("\\") + "\\"
        return sorted(
            (
                file
                for key, file in self._files.items()
                if key.startswith(prefix) and "\\" not in key[len(prefix) :]
            ),
            key=lambda file: (file.data is not None, file.path.lower()),
        )


_systems: weakref.WeakKeyDictionary[Any, FileSystem] = weakref.WeakKeyDictionary()


def files_of(machine: Any) -> FileSystem:
    """The file system of that computer, for as long as it is simulated."""
    return _systems.setdefault(machine, FileSystem(machine))


def _files(context: Context) -> FileSystem:
    return files_of(context.session.machine)


def _normal(path: str) -> str:
    return ntpath.normpath(path.replace("/", "\\"))


def _key(path: str) -> str:
    return _normal(path).lower()


def absolute(current: str, path: str) -> str:
    """The path as the file system provider knows it, without asking whether it exists."""
    found = path.replace("/", "\\").removeprefix("Microsoft.PowerShell.Core\\").removeprefix("FileSystem::")
    if found.startswith("~"):
        found = ntpath.dirname(current) + found[1:]
    return _normal(ntpath.join(current, found))


def _required(value: Any, name: str = "path") -> str:
    if value is None:
        raise NetError("System.ArgumentNullException", f"Value cannot be null.\r\nParameter name: {name}")
    if not value:
        raise NetError("System.ArgumentException", "Empty path name is not legal.")
    return str(value)


# [IO.Path]

_PATH = "System.IO.Path"
static(_PATH, "GetFileName", "str")(lambda path: ntpath.basename(path or ""))
static(_PATH, "GetDirectoryName", "str")(lambda path: ntpath.dirname(_normal(_required(path))))
static(_PATH, "GetExtension", "str")(lambda path: ntpath.splitext(path or "")[1])
static(_PATH, "GetFileNameWithoutExtension", "str")(
    lambda path: ntpath.splitext(ntpath.basename(path or ""))[0]
)
static(_PATH, "GetPathRoot", "str")(
    lambda path: "".join(ntpath.splitdrive(path)[:1]) + ("\\" if ":" in path else "")
)
static(_PATH, "IsPathRooted", "str")(
    lambda path: bool(ntpath.splitdrive(path or "")[0]) or (path or "").startswith("\\")
)
static(_PATH, "HasExtension", "str")(lambda path: bool(ntpath.splitext(path or "")[1]))
static(_PATH, "GetRandomFileName")(lambda: f"{secrets.token_hex(4)}.{secrets.token_hex(2)[:3]}")
static(_PATH, "GetFullPath", "str")(lambda path: absolute(r"C:\Windows\system32", _required(path)))
static_prop(_PATH, "DirectorySeparatorChar")(lambda context: "\\")
static_prop(_PATH, "PathSeparator")(lambda context: ";")
for _count in range(2, 5):
    static(_PATH, "Combine", " ".join(["str"] * _count))(
        lambda *parts: ntpath.join(*(_required(part) if part is None else part for part in parts))
    )


@static(_PATH, "ChangeExtension", "str str")
def _change_extension(path: str, extension: str | None) -> str:
    stem = ntpath.splitext(path)[0]
    return stem if extension is None else f"{stem}.{extension.lstrip('.')}"


@static(_PATH, "GetTempPath", context=True)
def _temporary(context: Context) -> str:
    return to_text(context.interpreter.environment.get("TEMP")) + "\\"


@static(_PATH, "GetTempFileName", context=True)
def _temporary_file(context: Context) -> str:
    path = f"{_temporary(context)}tmp{secrets.token_hex(2).upper()}.tmp"
    _files(context).write(path, b"")
    return path


# [IO.File], [IO.Directory]

_FILE, _DIRECTORY = "System.IO.File", "System.IO.Directory"


def decoded(data: bytes) -> str:
    """The text in a file, by its byte order mark, else UTF-8."""
    for mark, encoding in (
        (b"\xef\xbb\xbf", "utf-8"),
        (b"\xff\xfe", "utf-16-le"),
        (b"\xfe\xff", "utf-16-be"),
    ):
        if data.startswith(mark):
            return data[len(mark) :].decode(encoding, "replace")
    return data.decode("utf-8", "replace")


def lines_of(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").split("\n")
    return lines[:-1] if lines and not lines[-1] else lines


def _given_encoding(encoding: Any) -> str:
    return str(getattr(encoding, "state", "utf-8"))


static(_FILE, "Exists", "str", context=True)(
    lambda context, path: bool(path) and _files(context).is_file(path)
)
static(_DIRECTORY, "Exists", "str", context=True)(
    lambda context, path: bool(path) and _files(context).is_folder(path)
)
static(_FILE, "ReadAllText", "str", context=True)(
    lambda context, path: decoded(_files(context).read(_required(path)))
)
static(_FILE, "ReadAllText", "str any", context=True)(
    lambda context, path, encoding: _files(context).read(path).decode(_given_encoding(encoding), "replace")
)
static(_FILE, "ReadAllLines", "str", context=True)(
    lambda context, path: strings(lines_of(decoded(_files(context).read(_required(path)))))
)
static(_FILE, "ReadAllBytes", "str", context=True)(
    lambda context, path: byte_array(_files(context).read(_required(path)))
)


def _writes(run: Any) -> Any:
    def write(context: Context, *arguments: Any) -> Any:
        run(_files(context), *arguments)
        return NOTHING

    return write


static(_FILE, "WriteAllBytes", "str bytes", context=True)(
    _writes(lambda files, path, data: files.write(path, bytes(data)))
)
static(_FILE, "WriteAllText", "str str", context=True)(
    _writes(lambda files, path, text: files.write(path, (text or "").encode()))
)
static(_FILE, "WriteAllText", "str str any", context=True)(
    _writes(
        lambda files, path, text, encoding: files.write(
            path, (text or "").encode(_given_encoding(encoding), "replace")
        )
    )
)
static(_FILE, "WriteAllLines", "str strs", context=True)(
    _writes(lambda files, path, lines: files.write(path, "".join(f"{line}\r\n" for line in lines).encode()))
)
static(_FILE, "AppendAllText", "str str", context=True)(
    _writes(
        lambda files, path, text: files.write(
            path, (files.read(path) if files.is_file(path) else b"") + (text or "").encode()
        )
    )
)
static(_FILE, "Delete", "str", context=True)(
    _writes(lambda files, path: _delete_file(files, _required(path)))
)
static(_DIRECTORY, "Delete", "str bool", context=True)(
    _writes(lambda files, path, recurse: files.remove(path))
)


def _delete_file(files: FileSystem, path: str) -> None:
    if files.is_folder(path):
        raise NetError(
            "System.UnauthorizedAccessException", f"Access to the path '{_normal(path)}' is denied."
        )
    files.remove(path)


def copy_file(files: FileSystem, source: str, target: str, overwrite: bool = False) -> None:
    data = files.read(source)
    if files.is_file(target) and not overwrite:
        raise NetError("System.IO.IOException", f"The file '{_normal(target)}' already exists.")
    files.write(target, data)


static(_FILE, "Copy", "str str", context=True)(_writes(copy_file))
static(_FILE, "Copy", "str str bool", context=True)(_writes(copy_file))


@static(_FILE, "Move", "str str", context=True)
def _move(context: Context, source: str, target: str) -> Any:
    files = _files(context)
    if files.entry(target) is not None:
        raise NetError("System.IO.IOException", "Cannot create a file when that file already exists.\r\n")
    files.write(target, files.read(source))
    files.remove(source)
    return NOTHING


@static(_DIRECTORY, "CreateDirectory", "str", context=True)
def _create_directory(context: Context, path: str) -> NetObject:
    _files(context).make_folder(_required(path))
    return information(_files(context), path)


@static(_DIRECTORY, "GetFiles", "str", context=True)
def _get_files(context: Context, path: str) -> Any:
    return typed_array(
        [file.path for file in _files(context).children(path) if file.data is not None], "System.String"
    )


def information(files: FileSystem, path: str) -> NetObject:
    """FileInfo or DirectoryInfo, as Get-Item gives them."""
    found = files.entry(path)
    spelled = found.path if found is not None else _normal(path)
    is_folder = found is not None and found.data is None
    parent, name = ntpath.split(spelled)
    properties: dict[str, Any] = {
        "Name": name or spelled,
        **({} if is_folder else {"Length": PSInt64(len(found.data or b"")) if found is not None else None}),
        **({"Parent": parent} if is_folder else {"DirectoryName": parent, "Directory": parent}),
        "Exists": found is not None,
        "FullName": spelled,
        "Extension": ntpath.splitext(spelled)[1],
        "CreationTime": found.written if found is not None else None,
        "LastWriteTime": found.written if found is not None else None,
        "LastAccessTime": found.written if found is not None else None,
        "Attributes": "Directory" if is_folder else "Archive",
    }
    provider = "Microsoft.PowerShell.Core\\FileSystem"
    notes = {
        "PSPath": f"{provider}::{spelled}",
        "PSParentPath": f"{provider}::{parent}",
        "PSChildName": name,
        "PSDrive": spelled[:1],
        "PSProvider": provider,
        "PSIsContainer": is_folder,
        "Mode": "d-----" if is_folder else "-a----",
    }
    kind = "DirectoryInfo" if is_folder else "FileInfo"
    names = (f"System.IO.{kind}", "System.IO.FileSystemInfo", "System.MarshalByRefObject", "System.Object")
    return NetObject(names, properties, notes, text=spelled if not is_folder else name)


@constructor("System.IO.FileInfo", "str", context=True)
@constructor("System.IO.DirectoryInfo", "str", context=True)
def _file_info(context: Context, path: str) -> NetObject:
    return information(_files(context), _required(path))


# Streams

_STREAM = "System.IO.FileStream"


@dataclass
class _Stream:
    files: FileSystem
    path: str
    data: bytearray
    position: int = 0
    writes: bool = False
    open: bool = True


def _opened(context: Context, path: str, data: bytes, writes: bool) -> Instance:
    return Instance(
        (_STREAM, "System.IO.Stream", "System.MarshalByRefObject", "System.Object"),
        _Stream(_files(context), path, bytearray(data), writes=writes),
    )


@static(_FILE, "Create", "str", context=True)
def _create(context: Context, path: str) -> Instance:
    _files(context).write(_required(path), b"")
    return _opened(context, path, b"", writes=True)


@static(_FILE, "OpenRead", "str", context=True)
def _open_read(context: Context, path: str) -> Instance:
    return _opened(context, path, _files(context).read(_required(path)), writes=False)


@method("System.IO.FileInfo", "OpenRead", context=True)
def _open_info(context: Context, info: NetObject) -> Instance:
    return _open_read(context, to_text(info.properties["FullName"]))


def _usable(stream: Instance) -> _Stream:
    state: _Stream = stream.state
    if not state.open:
        raise NetError("System.ObjectDisposedException", "Cannot access a closed file.")
    return state


@method(_STREAM, "Write", "bytes int int")
def _write(stream: Instance, data: Any, start: int, count: int) -> Any:
    state = _usable(stream)
    block = bytes(data[start : start + count])
    state.data[state.position : state.position + len(block)] = block
    state.position += len(block)
    return NOTHING


@method(_STREAM, "Read", "any int int")
def _read(stream: Instance, buffer: Any, start: int, count: int) -> int:
    state = _usable(stream)
    block = bytes(state.data[state.position : state.position + count])
    buffer[start : start + len(block)] = list(block)
    state.position += len(block)
    return len(block)


def _close(stream: Instance) -> Any:
    state: _Stream = stream.state
    if state.open and state.writes:
        state.files.write(state.path, bytes(state.data))
    state.open = False
    return NOTHING


for _name in ("Close", "Dispose"):
    method(_STREAM, _name)(_close)
method(_STREAM, "Flush")(lambda stream: NOTHING)
prop(_STREAM, "Length")(lambda stream, context: PSInt64(len(_usable(stream).data)))
prop(_STREAM, "Position")(lambda stream, context: PSInt64(_usable(stream).position))
prop(_STREAM, "Name")(lambda stream, context: stream.state.path)


def each_line(values: Any) -> Iterator[str]:
    """The texts that the content cmdlets write of objects."""
    for value in items_of(values):
        yield to_text(value)
