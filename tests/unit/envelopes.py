# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Envelopes around the shells that tests script."""

from __future__ import annotations

from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.change.envelope import Envelope
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Change, NoJournal


class MemoryJournal(NoJournal):
    """Keeps in memory what a journal on the disk would hold."""

    def __init__(self) -> None:
        self.changes: dict[str, tuple[Change, tuple[str, ...]]] = {}
        self.outcomes: dict[str, dict[str, Any]] = {}

    def begin(self, change: Change, commands: tuple[str, ...], url: str, account: str) -> str:
        change_id = str(len(self.changes))
        self.changes[change_id] = change, commands
        return change_id

    def end(self, change_id: str, outcome: dict[str, Any]) -> None:
        self.outcomes[change_id] = outcome


def envelope(shell: Any, check_mode: bool = False, journal: NoJournal | None = None) -> Envelope:
    return Envelope(shell, journal or NoJournal(), check_mode=check_mode)
