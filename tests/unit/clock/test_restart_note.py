# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The note that a restart is pending is left once, told apart from one of an interrupted restart, and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.clock import restart_note
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import ChangeFailed
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.restart_note import NOTE_KEY
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import Refuses, Windows, deployment


@pytest.fixture
def there() -> Windows:
    return deployment(ScriptedClock(), 3).computers[0]


def remediate(
    there: Windows, *, present: bool = True, check_mode: bool = False, journal: Any = None, **values: Any
) -> dict[str, Any]:
    given = {"reason": "its time zone was UTC", "offset_ms": None, "zone": None, **values}
    request = restart_note.Request(present, **given)
    return restart_note.remediate(envelope(there, check_mode, journal), request, there.clock).as_dict()


def test_a_pending_restart_is_noted_once(there: Windows) -> None:
    dry = remediate(there, check_mode=True)
    assert there.written == []
    noted = remediate(there, offset_ms=7200000.0, zone="UTC")
    assert (dry["diff"], dry["drift"]) == (noted["diff"], noted["drift"])
    assert noted["restart_pending"] == {
        "since": "2026-11-18T11:06:40Z",
        "reason": "its time zone was UTC",
        "stopped": None,
        "offset_ms": 7200000.0,
        "zone": "UTC",
    }
    assert remediate(there, reason="another")["changed"] is False


def test_it_is_taken_back(there: Windows) -> None:
    assert remediate(there, present=False)["changed"] is False
    remediate(there)
    dry = remediate(there, present=False, check_mode=True)
    assert NOTE_KEY in there.registry
    removed = remediate(there, present=False)
    assert (removed["status"], removed["diff"]) == ("corrected", dry["diff"])
    assert NOTE_KEY not in there.registry


@pytest.mark.parametrize(
    "left", [{}, {"Since": "2026-11-18T09:00:00Z", "Reason": "its zone", "Stopped": "2026-11-18T10:00:00Z"}]
)
def test_one_that_was_never_finished_or_whose_restart_was_interrupted_is_made_anew(
    left: dict[str, str], there: Windows
) -> None:
    there.registry[NOTE_KEY] = dict(left)
    again = remediate(there)
    assert (again["changed"], again["restart_pending"]["reason"]) == (True, "its time zone was UTC")
    assert again["restart_pending"]["stopped"] is None


def test_one_that_cannot_be_made_has_changed_nothing(there: Windows) -> None:
    there.refuses["New-Item"] = Refuses("Access is denied.", "PermissionDenied", "AccessDenied")
    with pytest.raises(ChangeFailed) as caught:
        remediate(there)
    assert (caught.value.result.changed, len(there.written)) == (False, 1)


def test_it_is_journalled_as_something_that_cannot_be_taken_back(there: Windows) -> None:
    journal = MemoryJournal()
    remediate(there, journal=journal)
    assert [change.restorable for change, _ in journal.changes.values()] == [Restorable.NO]
    assert {each["status"] for each in journal.outcomes.values()} == {"corrected"}
