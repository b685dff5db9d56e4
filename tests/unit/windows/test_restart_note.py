# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note that a restart is pending, however far whoever wrote it came."""

from __future__ import annotations

import datetime
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import registry
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.restart_note import (
    NOTE_KEY,
    making,
    read_note,
    removing,
    stopped,
)
from unit.scripted import ScriptedClock
from unit.scripted_windows import Windows

WHEN = datetime.datetime(2026, 11, 21, 9, tzinfo=datetime.timezone.utc)
STAMP = "2026-11-21T09:00:00Z"
WITHOUT = {"offset_ms": None, "zone": None}


def note(there: Windows) -> dict[str, Any] | None:
    return read_note(registry.read(there, there.run(registry.reading([NOTE_KEY])), [NOTE_KEY]))


@pytest.mark.parametrize(
    ("written", "found"),
    [
        (0, None),
        (1, {"since": None, "reason": None, "stopped": None, **WITHOUT}),
        (2, {"since": STAMP, "reason": None, "stopped": None, **WITHOUT}),
        (3, {"since": STAMP, "reason": "its zone was UTC", "stopped": None, **WITHOUT}),
        (4, {"since": STAMP, "reason": "its zone was UTC", "stopped": STAMP, **WITHOUT}),
    ],
)
def test_a_note_counts_however_far_its_writer_came(written: int, found: dict[str, Any] | None) -> None:
    there = Windows(ScriptedClock())
    for command in (*making(WHEN, "its zone was UTC"), stopped(WHEN))[:written]:
        there.run(command, changes=True)
    assert note(there) == found
    there.run(*making(WHEN, "its zone was UTC"), changes=True)
    assert note(there) == {"since": STAMP, "reason": "its zone was UTC", "stopped": None, **WITHOUT}
    there.run(removing(), changes=True)
    assert note(there) is None
