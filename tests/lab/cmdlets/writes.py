# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which executions of a command change the deployment."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from lab.catalogue import Command
from lab.windows.w32tm import is_write

_READING_VERBS = frozenset(
    {"Get", "Test", "Show", "Search", "Export", "Measure", "Select", "Write", "Import-Module"}
)


def _program_writes(name: str, arguments: Sequence[str]) -> bool:
    given = [argument.lower().replace("-", "/", 1) for argument in arguments]
    if name == "w32tm":
        return is_write(arguments)
    return name == "sc.exe" or (name == "tzutil" and "/s" in given) or (name == "klist" and "purge" in given)


def writes(command: Command, bound_parameters: Mapping[str, Any]) -> bool:
    """True unless the command only reads, or was asked with -WhatIf or -InMemory.

    Importing a module changes the session, not the deployment.
    """
    if command.kind == "Application":
        return _program_writes(command.name, bound_parameters.get("Arguments") or ())
    if command.name in _READING_VERBS or command.name.partition("-")[0] in _READING_VERBS:
        return False
    if command.name == "Invoke-CsComputerFailOver" and bound_parameters.get("Force"):
        return True  # -Force makes -WhatIf ineffective
    return not (bound_parameters.get("WhatIf") or bound_parameters.get("InMemory"))
