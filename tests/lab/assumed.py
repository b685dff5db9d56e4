# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Error texts no public source documents, and how a deployment replaces them."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any

from psrpcore.types import ErrorCategory

from lab.powershell.errors import PowerShellError
from lab.tables import table


@cache
def shipped_texts() -> Mapping[str, Mapping[str, str]]:
    found: Mapping[str, Mapping[str, str]] = table(Path(__file__).parent / "assumed_texts.yml")
    return found


class Texts:
    """The table ``assumed_texts.yml`` with the replacements of one deployment."""

    def __init__(self, replaced: Mapping[str, Mapping[str, str]] | None = None) -> None:
        shipped = shipped_texts()
        for key in replaced or {}:
            if key not in shipped:
                raise ValueError(
                    f"texts: there is no text named {key!r}; the names are {', '.join(shipped)}."
                )
        self._table = {key: {**entry, **(replaced or {}).get(key, {})} for key, entry in shipped.items()}

    def text(self, key: str, **values: Any) -> str:
        """A text that is no error."""
        return self._table[key]["message"].format(**values)

    def error(self, key: str, target: Any = None, **values: Any) -> PowerShellError:
        entry = self._table[key]
        return PowerShellError(
            entry["message"].format(**values),
            category=ErrorCategory[entry["category"]],
            error_id=entry["error_id"],
            exception=entry["exception"],
            target=target,
        )
