# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Everything about one clock in one answer; what cannot be found out is null, with the reason beside it."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.clock import clock_info
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.computer import NAME_KEY, ZONE_KEY
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.restart_note import NOTE_KEY
from ansible_collections.lync.remediation.plugins.plugin_utils.windows.w32time import POLICY_KEY
from hypothesis import given
from hypothesis import strategies as st
from unit.scripted import ScriptedClock
from unit.scripted_windows import W32, Refuses, Service, Windows


def query(there: Windows, time_servers: tuple[str, ...] = (), enough: float | None = None) -> dict[str, Any]:
    return clock_info.query(there, time_servers, 4, enough, there.clock)


@given(st.one_of(st.floats(-0.5, 0.5), st.floats(-4e8, 4e8)), st.floats(0, 0.3))
def test_the_offset_is_within_its_uncertainty(offset: float, delay: float) -> None:
    there = Windows(ScriptedClock())
    there.offset, there.delay = offset, delay
    found = query(there)
    assert abs(found["offset_ms"] - offset * 1000) <= found["uncertainty_ms"] + 0.01
    assert found["trouble"] == []
    assert there.written == []


class BusyAtFirst(Windows):
    questions = 0

    def run(self, *commands: Command, **more: Any) -> Results:
        self.questions += 1
        self.delay = 3.0 if self.questions <= 6 else 0.02
        return super().run(*commands, **more)


@pytest.mark.parametrize(("enough", "known"), [(None, False), (0.5, True), (0.001, True)])
def test_a_server_that_answers_late_is_asked_again(enough: float | None, known: bool) -> None:
    there = BusyAtFirst(ScriptedClock())
    there.offset = 0.1
    found = query(there, enough=enough)
    assert (found["uncertainty_ms"] < 500) is known
    assert abs(found["offset_ms"] - 100) <= found["uncertainty_ms"] + 0.01
    slow = Windows(ScriptedClock())
    slow.delay = 3.0
    assert query(slow, enough=enough)["uncertainty_ms"] > 500


def test_a_whole_answer() -> None:
    there = Windows(ScriptedClock(), "Edge01.contoso.com")
    there.time_servers |= {"ntp1": 0.25, "dead": None}
    there.registry[POLICY_KEY + r"\Parameters"] = {"Type": "NTP"}
    found = query(there, ("ntp1", "dead"))
    assert found["computer"] == "edge01.contoso.com"
    assert found["time_zone"] == {
        "zone": "Central Standard Time",
        "daylight_saving": True,
        "utc_offset_minutes": -360,
        "hardware_clock_in_utc": False,
    }
    assert found["time_service"]["type"] == "manual"
    assert found["policies"] == {"type": POLICY_KEY + r"\Parameters\Type"}
    assert found["synchronisation"]["source"] == "dc01.contoso.com"
    seen = {"address": "10.0.0.1", "unknown_host": False}
    assert found["ntp_servers"] == [
        {"name": "ntp1", "offset_ms": -250.0, "errors": [], **seen},
        {"name": "dead", "offset_ms": None, "errors": ["0x800705B4"] * 3, **seen},
    ]
    assert found["trouble"] == ["The time server dead does not answer (error 0x800705B4)."]
    assert found["restart_pending"] is None


@pytest.mark.parametrize(
    ("service", "start", "reason"),
    [
        (None, 2, "W32Time is not registered."),
        (Service("Stopped"), 2, "W32Time is stopped."),
        (Service("Stopped"), 4, "W32Time is stopped and disabled."),
    ],
)
def test_a_time_service_that_does_not_run_is_trouble_and_no_failure(
    service: Service | None, start: int, reason: str
) -> None:
    there = Windows(ScriptedClock())
    there.w32time = service
    there.registry[W32]["Start"] = start
    found = query(there)
    assert found["synchronisation"] is None
    assert found["trouble"] == [reason]
    assert found["offset_ms"] is not None


def test_a_clock_that_jumped_is_measured_again_and_it_is_said() -> None:
    there = Windows(ScriptedClock())
    there.jumps = [0, 0, -7200.0, 0]
    found = query(there)
    assert abs(found["offset_ms"] + 7_200_000) <= found["uncertainty_ms"]
    assert 7_199_000 < found["jumped_ms"] <= 7_200_000
    assert found["trouble"][0].startswith(
        "The server's clock jumped by 2 h 0 min or more while it was measured, and"
    )


def test_a_clock_that_does_not_keep_still_has_no_offset() -> None:
    there = Windows(ScriptedClock())
    # Eight looks at it, of which seven in passing, and four more when it is measured again.
    there.jumps = [0, 7200.0, *[0] * 6, 0, 7200.0, 0, 0]
    found = query(there)
    assert (found["offset_ms"], found["uncertainty_ms"]) == (None, None)
    assert found["jumped_ms"] == pytest.approx(7_200_000, rel=0.01)
    assert "so its offset is not known" in found["trouble"][0]


# -- one part that cannot be read ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("key", "part"),
    [
        (NAME_KEY, "computer"),
        (ZONE_KEY, "time_zone"),
        (NOTE_KEY, "restart_pending"),
        (W32 + r"\Config", "time_service"),
        (POLICY_KEY + r"\Config", "time_service"),
    ],
)
def test_one_unreadable_key_costs_one_part(key: str, part: str) -> None:
    there = Windows(ScriptedClock())
    there.unreadable = {key}
    found = query(there)
    assert found[part] is None
    assert len(found["trouble"]) == 1
    assert "not allowed" in found["trouble"][0]
    others = {"computer", "offset_ms", "time_zone", "time_service", "synchronisation"} - {part}
    assert all(found[other] is not None for other in others)
    assert there.written == []


@pytest.mark.parametrize("command", ["Get-Service", "Get-ItemProperty", "tzutil", "w32tm", "Get-Date"])
@pytest.mark.parametrize("identifier", ["AccessDenied", "CommandNotFoundException"])
def test_one_command_that_fails_costs_what_it_would_have_told(command: str, identifier: str) -> None:
    there = Windows(ScriptedClock())
    there.refuses[command] = Refuses("It failed.", "ObjectNotFound", identifier, command)
    found = query(there)
    assert found["trouble"]
    # Of what nobody told nothing is concluded, such as that there is no such service.
    assert not any("not registered" in each for each in found["trouble"])
    assert (found["offset_ms"] is None) == (command == "Get-Date")


def test_a_value_of_the_wrong_kind_is_shown_and_named() -> None:
    there = Windows(ScriptedClock())
    there.registry[W32 + r"\Config"]["MinPollInterval"] = "ten"
    found = query(there)
    assert found["time_service"]["min_poll_interval"] == "ten"
    assert found["time_service"]["max_poll_interval"] == 15
    assert "MinPollInterval" in found["trouble"][0]


def test_junk_behind_the_zone_is_named() -> None:
    there = Windows(ScriptedClock())
    there.registry[ZONE_KEY] = {"TimeZoneKeyName": "Central Standard Time\0x"}
    found = query(there)
    assert found["time_zone"]["zone"] == "Central Standard Time"
    assert "TimeZoneKeyName" in found["trouble"][0]
