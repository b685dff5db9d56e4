# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading keys of the registry, several in one statement. A key that does not exist is absent, one without values
is empty; any other failure is neither.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..powershell.commands import Command
from ..powershell.results import Results
from ..powershell.shell import ManagementShell

GET = "Get-ItemProperty"
_PROVIDER = "Microsoft.PowerShell.Core\\Registry::"
_ROOT = ("HKEY_LOCAL_MACHINE\\", "HKLM:\\")

Values = Mapping[str, Any]


def reading(keys: Sequence[str]) -> Command:
    """The statement that reads the values of these keys (``HKLM:\\...``)."""
    return Command(GET, {"LiteralPath": list(keys)})


def read(shell: ManagementShell, results: Results, keys: Sequence[str]) -> dict[str, Values]:
    """The values by key, spelled as in ``keys``; keys that do not exist are missing. Raises what else went
    wrong.

    Of the error records, those of other commands are left to their readers. Windows returns nothing for a key that
    has no values, and an error with the path for one that does not exist.
    """
    absent = set()
    for report in results.errors:
        if report.command == GET and report.category != "ObjectNotFound":
            raise shell.classify(report)
        if report.command == GET:
            absent.add((report.target or "").casefold())
    spelled = {key.casefold(): key for key in keys}
    found: dict[str, Values] = {}
    for remote in results.objects():
        path = str(remote.get("PSPath") or "")
        if path.startswith(_PROVIDER):
            key = path.removeprefix(_PROVIDER).replace(*_ROOT, 1).casefold()
            found[spelled.get(key, key)] = {
                name: remote[name]
                for name in remote
                if not name.startswith(("PSPath", "PSParent", "PSChild", "PSDrive", "PSProv"))
            }
    if "" in absent:  # An error that does not say of which key it is.
        return found
    return {**{key: {} for folded, key in spelled.items() if folded not in absent}, **found}
