# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A zone is set if it differs, read back, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import time_zone
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.computer import ZONE_KEY
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import Refuses, Windows


def remediate(
    there: Windows, zone: str, daylight_saving: bool | None = None, check_mode: bool = False
) -> dict[str, Any]:
    request = time_zone.Request(zone, daylight_saving)
    return time_zone.remediate(envelope(there, check_mode), request).as_dict()


def flipped() -> Windows:
    there = Windows(ScriptedClock())
    there.zone = "Mountain Standard Time"
    return there


def test_a_flipped_zone_is_put_right() -> None:
    there = flipped()
    result = remediate(there, "central standard time")
    assert there.zone == "Central Standard Time"
    assert there.written == ["tzutil /s 'Central Standard Time'"]
    assert result["status"] == "corrected"
    assert result["after"] == {"zone": "Central Standard Time", "daylight_saving": True}
    assert result["diff"]["before"] == "zone: Mountain Standard Time\n"


def test_check_mode_writes_nothing_and_shows_the_same() -> None:
    there = flipped()
    dry = remediate(there, "UTC", check_mode=True)
    assert there.written == []
    wet = remediate(there, "UTC")
    assert dry["diff"] == wet["diff"]
    assert (dry["commands"], dry["drift"]) == (wet["commands"], wet["drift"])


def test_the_right_zone_takes_one_look() -> None:
    there = Windows(ScriptedClock())
    assert remediate(there, "Central standard Time")["changed"] is False
    assert len(there.sent) == 2


@pytest.mark.parametrize(
    ("wanted", "sentence"),
    [
        ("Europe/Berlin", "is an IANA name.*'W. Europe Standard Time'"),
        ("Central Standart Time", "no time zone.*'Central Standard Time'"),
        ("Narnia", "tzutil /l lists"),
    ],
)
@pytest.mark.parametrize("check_mode", [True, False])
def test_an_unknown_zone_is_answered_with_the_right_one(wanted: str, sentence: str, check_mode: bool) -> None:
    there = flipped()
    with pytest.raises(UnusableArgument, match=sentence):
        remediate(there, wanted, check_mode=check_mode)
    assert there.written == []


def test_what_did_not_stick_is_an_error() -> None:
    there = flipped()
    original = there._tzutil
    there._tzutil = lambda arguments: original(arguments) if arguments[0] != "/s" else []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="zone should be UTC and is Mountain Standard Time"):
        remediate(there, "UTC")


def test_what_tzutil_complains_about_is_told() -> None:
    there = flipped()
    original = there._tzutil

    def denied(arguments: list[str]) -> list[object]:
        if arguments[0] == "/s":
            raise Refuses(
                "A required privilege is not held by the client.", "NotSpecified", "NativeCommandError"
            )
        return original(arguments)

    there._tzutil = denied  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="required privilege"):
        remediate(there, "UTC")


def test_a_line_that_breaks_is_read_back() -> None:
    there = flipped()
    there.breaks = {"tzutil"}
    result = remediate(there, "UTC")
    assert result["status"] == "corrected"
    assert len(result["warnings"]) == 1


def test_a_windows_without_tzutil_is_named() -> None:
    there = flipped()

    def gone(arguments: list[str]) -> list[object]:
        raise Refuses(
            "The term 'tzutil' is not recognized", "ObjectNotFound", "CommandNotFoundException", "tzutil"
        )

    there._tzutil = gone  # type: ignore[method-assign]
    with pytest.raises(Unreadable, match="2008 R2"):
        remediate(there, "UTC")


# -- what became of it ---------------------------------------------------------------------------------------


def complaining(there: Windows, *lines: str, obeying: bool) -> None:
    """Let tzutil /s write these lines to standard error."""
    original = there._tzutil

    def tzutil(arguments: list[str]) -> list[Any]:
        if arguments[0] != "/s":
            return original(arguments)
        remote_exception = "System.Management.Automation.RemoteException"
        return [
            *(original(arguments) if obeying else []),
            *(
                Refuses(line, "NotSpecified", "NativeCommandError", exception_type=remote_exception)
                for line in lines
            ),
        ]

    there._tzutil = tzutil  # type: ignore[method-assign]


def test_a_complaint_beside_the_wanted_zone_is_a_warning() -> None:
    there = flipped()
    complaining(there, "This is deprecated.", "System.Management.Automation.RemoteException", obeying=True)
    result = remediate(there, "UTC")
    assert (result["status"], result["after"]["zone"]) == ("corrected", "UTC")
    (warning,) = result["warnings"]
    assert "deprecated" in warning
    assert "RemoteException" not in warning


def test_a_refused_tzutil_has_changed_nothing() -> None:
    there = flipped()
    complaining(there, "Invalid time zone ID.", obeying=False)
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, "UTC")
    result = caught.value.result
    assert (result.changed, result.status, result.after) == (False, Status.DRIFTED, result.before)


def test_what_setting_prints_is_not_taken_for_the_zone() -> None:
    there = flipped()
    original = there._tzutil
    there._tzutil = lambda arguments: (  # type: ignore[method-assign]
        original(arguments) if arguments[0] != "/s" else ["UTC"]
    )
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, "UTC")
    assert (caught.value.result.after or {})["zone"] == "Mountain Standard Time"
    assert "printed: UTC" in str(caught.value)


def test_a_server_that_is_gone_after_the_write_leaves_the_effect_unknown() -> None:
    there = flipped()
    there.goes_after = "tzutil"
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, "UTC")
    result = caught.value.result
    assert (result.changed, result.status, result.after) == (True, Status.UNKNOWN, None)
    assert [command.as_text() for command in result.restore_commands] == [
        "tzutil /s 'Mountain Standard Time'"
    ]


def test_a_write_that_may_still_be_at_work_is_unknown_whatever_is_read_back() -> None:
    there = flipped()
    there.breaks, there.ends = {"tzutil"}, False
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, "UTC")
    assert (caught.value.result.changed, caught.value.result.status) == (True, Status.UNKNOWN)
    assert (caught.value.result.after or {})["zone"] == "UTC"


def test_daylight_saving_is_left_as_it_is_unless_it_is_asked_for() -> None:
    there = flipped()
    there.zone = "Mountain Standard Time_dstoff"
    result = remediate(there, "UTC", check_mode=True)
    assert result["after"] == {"zone": "UTC", "daylight_saving": False}
    assert remediate(there, "UTC", True, check_mode=True)["after"]["daylight_saving"] is True


def test_junk_behind_the_zone_is_told_and_changes_nothing() -> None:
    there = flipped()
    there.registry[ZONE_KEY] = {"TimeZoneKeyName": "Mountain Standard Time\0x"}
    result = remediate(there, "Mountain Standard Time")
    assert (result["status"], len(result["warnings"])) == ("in_desired_state", 1)


def test_a_change_is_journalled_and_its_request_takes_it_back() -> None:
    there, journal = flipped(), MemoryJournal()
    time_zone.remediate(envelope(there, journal=journal), time_zone.Request("UTC", True))
    ((change, commands),) = journal.changes.values()
    assert (change.resource, change.identity, change.restorable) == ("time_zone", there.fqdn, Restorable.YES)
    assert commands == ("tzutil /s UTC",)
    assert journal.outcomes == {"0": {"status": "corrected", "changed": True}}
    request = time_zone.restoring_request(change)
    assert request == time_zone.Request("Mountain Standard Time", True)
    result = time_zone.remediate(envelope(there), request)
    assert dict(result.after or {}) == change.before
