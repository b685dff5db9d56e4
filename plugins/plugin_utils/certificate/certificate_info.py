# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The module certificate_info: what a server has assigned, what its store knows, and what could not be found out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from ..powershell.shell import ManagementShell
from ..windows import computer, registry
from . import store

Part = TypeVar("Part")


def query(shell: ManagementShell, names: store.RolledNames) -> dict[str, Any]:
    """What the module returns. A part that cannot be known is null, and ``trouble`` says why."""
    trouble: list[str] = []

    def part(read: Callable[[], Part]) -> Part | None:
        try:
            return read()
        except store.UNKNOWN as unknown:
            trouble.append(str(unknown))
            return None

    results = shell.run(registry.reading([computer.NAME_KEY]), store.ASSIGNED, store.STORE)
    name = part(lambda: computer.name(registry.read(shell, results, [computer.NAME_KEY])))
    assigned = part(lambda: store.read_assigned(shell, results, names))
    stored = part(lambda: store.read_store(shell, results))
    held = None
    if stored is not None:
        exportable = part(lambda: store.exportable(shell)) if stored else {}
        signers = part(lambda: store.authorities(shell)) if stored else None
        held = store.described(stored, exportable or {}, signers)
    return {
        "computer": name,
        "assigned": None if assigned is None else [each.as_dict() for each in assigned],
        "store": None if held is None else [each.as_dict() for each in held.values()],
        "trouble": trouble,
    }
