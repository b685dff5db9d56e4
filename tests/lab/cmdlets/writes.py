# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which executions of a command change the deployment."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from lab.catalogue import Command

_READING_VERBS = frozenset(
    {
        "Get",
        "Test",
        "Show",
        "Search",
        "Export",
        "Select",
        "Measure",
        "Sort",
        "Out",
        "Write",
        "Start-Sleep",
        "Import-Module",
        "Remove-Module",
        "Exit",
    }
)


def writes(command: Command, bound_parameters: Mapping[str, Any]) -> bool:
    """True unless the command only reads, or was asked with -WhatIf or -InMemory.

    Importing a module changes the session, not the deployment.
    """
    if command.kind == "Application":
        return False
    if command.name in _READING_VERBS or command.name.partition("-")[0] in _READING_VERBS:
        return False
    return not (bound_parameters.get("WhatIf") or bound_parameters.get("InMemory"))
