# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Envelopes around scripted shells, for tests that need no journal."""

from __future__ import annotations

from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.change.envelope import Envelope
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import NoJournal


def envelope(shell: Any, check_mode: bool = False) -> Envelope:
    return Envelope(shell, NoJournal(), check_mode=check_mode)
