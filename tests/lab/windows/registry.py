# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry of a simulated computer: keys and values, names in any case."""

from __future__ import annotations

import re
import threading
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

HIVES = {"HKLM": "HKEY_LOCAL_MACHINE", "HKCU": "HKEY_CURRENT_USER"}
#: Microsoft.Win32.RegistryValueKind, by the names New-ItemProperty takes.
KINDS = ("String", "ExpandString", "Binary", "DWord", "MultiString", "QWord", "Unknown")
_PATH = re.compile(
    r"(?:(?:microsoft\.powershell\.core\\)?registry::(?P<long>hkey_[a-z_]+)|(?P<drive>hklm|hkcu):)(?:[\\/](?P<rest>.*))?",
    re.IGNORECASE,
)


@dataclass(frozen=True)
class Value:
    """A value; a DWord is kept without sign."""

    name: str
    data: Any
    kind: str = "String"


@dataclass
class _Key:
    path: str
    values: dict[str, Value] = field(default_factory=dict)  # by lower-case name


def parse_path(text: str) -> str | None:
    """``HKEY_LOCAL_MACHINE\\SOFTWARE`` for any way PowerShell writes a path of the registry; None for other paths."""
    match = _PATH.fullmatch(text.rstrip("\\/"))
    if match is None:
        return None
    hive = match["long"].upper() if match["long"] else HIVES[match["drive"].upper()]
    rest = re.sub(r"[\\/]+", r"\\", match["rest"] or "").strip("\\")
    return f"{hive}\\{rest}" if rest else hive


class Registry:
    """All keys of one computer. Paths begin with the hive's long name. Thread safe."""

    def __init__(self) -> None:
        self._lock = threading.RLock()
        self._keys: dict[str, _Key] = {}
        for hive in HIVES.values():
            self._keys[hive.lower()] = _Key(hive)

    def exists(self, path: str) -> bool:
        return path.lower() in self._keys

    def spelled(self, path: str) -> str:
        """The path as its keys were created."""
        held = self._keys.get(path.lower())
        return held.path if held else path

    def create(self, path: str) -> str:
        """Create the key and those above it; returns its path."""
        with self._lock:
            held = self._keys.get(path.lower())
            if held is None:
                parent, _, name = path.rpartition("\\")
                held = self._keys[path.lower()] = _Key(f"{self.create(parent)}\\{name}")
            return held.path

    def remove(self, path: str) -> None:
        """Remove the key and all below it."""
        with self._lock:
            lower = path.lower()
            for key in [key for key in self._keys if key == lower or key.startswith(lower + "\\")]:
                del self._keys[key]

    def subkeys(self, path: str) -> list[str]:
        with self._lock:
            above = path.lower() + "\\"
            return [
                held.path
                for key, held in self._keys.items()
                if key.startswith(above) and "\\" not in key[len(above) :]
            ]

    def values(self, path: str) -> list[Value]:
        with self._lock:
            held = self._keys.get(path.lower())
            return list(held.values.values()) if held else []

    def get(self, path: str, name: str, default: Any = None) -> Any:
        """The data of a value, or the default."""
        held = self._keys.get(path.lower())
        value = held.values.get(name.lower()) if held else None
        return default if value is None else value.data

    def has(self, path: str, name: str) -> bool:
        held = self._keys.get(path.lower())
        return held is not None and name.lower() in held.values

    def put(self, path: str, name: str, data: Any, kind: str | None = None) -> None:
        """Create or replace a value (and its key); an integer becomes a DWord, all else text, unless told."""
        with self._lock:
            self.create(path)
            held = self._keys[path.lower()].values.get(name.lower())
            spelled = held.name if held else name
            if kind is None:
                kind = held.kind if held else "DWord" if isinstance(data, int) else "String"
            if kind in ("DWord", "QWord"):
                data = int(data) % 2 ** (32 if kind == "DWord" else 64)
            self._keys[path.lower()].values[name.lower()] = Value(spelled, data, kind)

    def put_all(self, path: str, values: Mapping[str, Any]) -> None:
        self.create(path)
        for name, data in values.items():
            self.put(path, name, data)

    def remove_value(self, path: str, name: str) -> bool:
        with self._lock:
            held = self._keys.get(path.lower())
            return held is not None and held.values.pop(name.lower(), None) is not None
