# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""One difference between what is and what is wanted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from .severity import Severity


@dataclass(frozen=True)
class DriftEntry:
    """``property`` is the module's option, or ``state``; ``current`` and ``desired`` are values of it."""

    resource: str
    identity: str
    property: str
    current: Any
    desired: Any
    severity: Severity
    reason: str

    def as_dict(self) -> dict[str, Any]:
        return {**vars(self), "severity": self.severity.value}


@dataclass(frozen=True)
class Reason:
    """Why a difference in one option matters: how much, and one sentence."""

    severity: Severity
    text: str
