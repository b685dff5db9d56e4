# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A zone is set if it differs, read back, and never guessed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Unreadable,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.windows import time_zone
from unit.envelopes import envelope
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
