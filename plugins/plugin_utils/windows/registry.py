# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading keys of the registry, several in one statement. A key that does not exist is absent, one without values
is empty; any other failure is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command, Switch
from ..powershell.errors import ManagementShellError
from ..powershell.ordinal import ordinal_key
from ..powershell.results import PipelineState, Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable

GET = "Get-ItemProperty"
_PROVIDER = "Microsoft.PowerShell.Core\\Registry::"
_ROOT = ("HKEY_LOCAL_MACHINE\\", "HKLM:\\")
# Of a key that does not exist, with the key as the target (Windows PowerShell 5.1, PowerShell 7.6).
_ABSENT = "PathNotFound"

Values = Mapping[str, Any]


@dataclass(frozen=True)
class Keys:
    """``values`` by key, without those that do not exist; ``unread``: by key, what kept it from being read."""

    values: Mapping[str, Values]
    unread: Mapping[str, ManagementShellError]


def reading(keys: Sequence[str]) -> Command:
    """The statement that reads the values of these keys (``HKLM:\\...``)."""
    return Command(GET, {"LiteralPath": list(keys)})


def writing(key: str, name: str, value: Any) -> Command:
    """The statement that sets a value, whatever kind of value was there; the kind is that of ``value``."""
    kind = "String" if isinstance(value, str) else "MultiString" if isinstance(value, list) else "DWord"
    parameters = {"LiteralPath": key, "Name": name, "Value": value, "PropertyType": kind}
    return Command("New-ItemProperty", {**parameters, "Force": Switch.PRESENT})


def removing(key: str, name: str) -> Command:
    return Command("Remove-ItemProperty", {"LiteralPath": key, "Name": name})


def read(shell: ManagementShell, results: Results, keys: Sequence[str]) -> Mapping[str, Values]:
    """The values by key, spelled as in ``keys``; keys that do not exist are missing. Raises what kept one from being
    read.
    """
    found = read_some(shell, results, keys)
    for error in found.unread.values():
        raise error
    return found.values


def read_some(shell: ManagementShell, results: Results, keys: Sequence[str]) -> Keys:
    """What could be read of these keys, spelled as in ``keys``. Error records of other commands are left to their
    readers.

    Windows returns nothing for a key that has no values, and an error with the path for one that does not exist. So
    silence means an empty key only where the statement went through.
    """
    spelled = {ordinal_key(key): key for key in keys}
    values = _values(results, spelled)
    absent: set[str] = set()
    unread: dict[str, ManagementShellError] = {}
    general: ManagementShellError | None = None
    for report in results.errors:
        if report.command != GET:
            continue
        key = spelled.get(ordinal_key(report.target or ""))
        if key is None:
            general = general or shell.classify(report)
        elif report.identifier == _ABSENT:
            absent.add(key)
        else:
            unread[key] = shell.classify(report)
    explained = any(report.terminating and report.command != GET for report in results.errors)
    if results.state is not PipelineState.COMPLETED and not explained:
        general = general or Unreadable(f"{GET} did not answer for all keys.")
    for key in keys:
        if key not in values and key not in absent and key not in unread:
            if general is None:
                values[key] = {}
            else:
                unread[key] = general
    return Keys(values, unread)


def _values(results: Results, spelled: Mapping[str, str]) -> dict[str, Values]:
    found: dict[str, Values] = {}
    for remote in results.objects():
        path = str(remote.get("PSPath") or "")
        if path.startswith(_PROVIDER):
            key = path.removeprefix(_PROVIDER).replace(*_ROOT, 1)
            found[spelled.get(ordinal_key(key), key)] = {
                name: remote[name]
                for name in remote
                if not name.startswith(("PSPath", "PSParent", "PSChild", "PSDrive", "PSProv"))
            }
    return found
