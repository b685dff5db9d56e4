# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The clock is put right by W32Time, or set at once where that is allowed and certain; and everything else
has its own sentence.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import Restorable
from ansible_collections.lync.remediation.plugins.plugin_utils.clock import clock
from ansible_collections.lync.remediation.plugins.plugin_utils.clock.offset import ClockJumped
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import ChangeFailed, Refused
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from hypothesis import given
from hypothesis import strategies as st
from unit.envelopes import MemoryJournal, envelope
from unit.scripted import ScriptedClock
from unit.scripted_windows import W32, Refuses, Service, Windows

REQUEST = clock.Request(
    limit=1.0,
    reference=0.0,
    confirmed=False,
    time_server=None,
    may_step=False,
    purge_tickets=True,
    samples=4,
    timeout=60,
    interval=5,
)
PURGE = ["klist purge", "klist -li '0x3e7' purge", "klist -li '0x3e4' purge"]


def server(offset: float, **changes: Any) -> Windows:
    there = Windows(ScriptedClock())
    there.offset = offset
    for name, value in changes.items():
        setattr(there, name, value)
    return there


def remediate(there: Windows, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    request = replace(REQUEST, **options)
    return clock.remediate(envelope(there, check_mode), request, there.clock).as_dict()


@pytest.mark.parametrize("offset", [0.0, 0.003, -0.9, 0.97])
def test_a_clock_that_is_right_is_left_alone(offset: float) -> None:
    there = server(offset)
    result = remediate(there)
    assert (result["changed"], result["status"], there.written) == (False, "in_desired_state", [])
    assert set(there.sent) == {"Get-Date"}


@given(st.one_of(st.floats(2, 4e8), st.floats(-4e8, -2)), st.floats(0, 0.3))
def test_a_clock_that_is_wrong_is_put_right_and_proven(offset: float, delay: float) -> None:
    there = server(offset, delay=delay)
    result = remediate(there)
    assert result["status"] == "corrected"
    assert there.written == ["w32tm /resync /rediscover", *PURGE]
    assert abs(result["offset_ms"]) <= result["uncertainty_ms"] + 1


def test_check_mode_writes_nothing_and_shows_the_same() -> None:
    checked, enforced = server(3600.0), server(3600.0)
    dry, wet = remediate(checked, check_mode=True), remediate(enforced)
    assert checked.written == []
    assert (dry["status"], wet["status"]) == ("drifted", "corrected")
    for key in ("changed", "diff", "drift", "commands", "before", "after"):
        assert dry[key] == wet[key]
    assert set(dry) == set(wet)


def test_a_source_with_another_time_is_named() -> None:
    there = server(100.0, source=lambda: 90.0)
    with pytest.raises(
        ChangeFailed, match=r"dc01\.contoso\.com, stratum 3: that source has another time"
    ) as caught:
        remediate(there)
    assert caught.value.result.after == {"offset": "more than 1.0 s"}


def test_no_time_data_is_told_apart() -> None:
    with pytest.raises(ChangeFailed, match="no time data was available"):
        remediate(server(100.0, source=lambda: None))


def test_it_waits_for_a_source_that_takes_its_time() -> None:
    there = server(100.0)
    there.source = lambda: 100.0 if there.clock.monotonic() < 20 else 0.0
    there._w32tm_resync()  # the service itself looks again
    original = there._get_date

    def slewed(given: dict[str, Any]) -> list[Any]:
        there.offset = there.source() or 0.0
        return original(given)

    there._get_date = slewed  # type: ignore[method-assign]
    result = remediate(there)
    assert result["status"] == "corrected"
    assert there.clock.monotonic() >= 20


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"w32time": None}, "not registered"),
        ({"w32time": Service("Stopped")}, "W32Time is stopped"),
        ({"w32time": Service("StartPending")}, "W32Time is start pending"),
    ],
)
def test_a_service_that_cannot_help_is_named_before_anything_is_done(
    changes: dict[str, Any], sentence: str
) -> None:
    there = server(100.0, **changes)
    with pytest.raises(Refused, match=sentence):
        remediate(there)
    assert there.written == []


def test_a_service_that_follows_nobody_is_named() -> None:
    there = server(100.0)
    there.registry[W32 + r"\Parameters"]["Type"] = "NoSync"
    with pytest.raises(Refused, match="NoSync"):
        remediate(there)


# -- setting it at once --------------------------------------------------------------------------------------


def edge(offset: float, **changes: Any) -> Windows:
    there = server(offset, **changes)
    there.registry[W32 + r"\Config"].update(MaxPosPhaseCorrection=54000, MaxNegPhaseCorrection=54000)
    return there


DAYS = 2 * 86400.0


def test_beyond_the_limit_nothing_is_done_unless_it_is_allowed() -> None:
    there = edge(-DAYS)
    with pytest.raises(Refused, match="no more than 15 h 0 min"):
        remediate(there)
    assert there.written == []


def test_within_the_limit_no_leave_is_needed() -> None:
    assert remediate(edge(-50000.0))["status"] == "corrected"


def test_it_is_never_set_while_only_the_controller_says_so() -> None:
    there = edge(DAYS)
    with pytest.raises(Refused, match="no other clock confirms"):
        remediate(there, may_step=True)
    assert there.written == []


@pytest.mark.parametrize(
    ("time_servers", "sentence"),
    [
        ({"ntp1": None}, "does not answer"),
        ({}, "does not answer"),
        ({"ntp1": DAYS}, "Find out whether the controller"),
    ],
)
def test_a_time_server_that_does_not_agree_forbids_it(
    time_servers: dict[str, float | None], sentence: str
) -> None:
    there = edge(DAYS, time_servers=time_servers)
    with pytest.raises(Refused, match=sentence):
        remediate(there, may_step=True, time_server="ntp1", confirmed=True)
    assert there.written == []


@pytest.mark.parametrize("offset", [DAYS, -DAYS, 13 * 365 * 86400.0])
def test_with_a_witness_it_is_set_and_then_synchronised(offset: float) -> None:
    there = edge(offset, time_servers={"ntp1": 0.01})
    result = remediate(there, may_step=True, time_server="ntp1")
    assert result["status"] == "corrected"
    assert result["stepped"] is True
    assert [text.partition(" ")[0] for text in there.written] == ["Set-Date", "w32tm", *["klist"] * 3]
    assert abs(there.offset) < 0.1


def test_a_wrong_controller_does_not_decide() -> None:
    """The servers are right by the others' word, and the controller is an hour behind."""
    there = server(3600.0, source=lambda: 3600.0)
    assert remediate(there, reference=3600.0)["status"] == "in_desired_state"
    there.offset = 0.0
    assert remediate(there, reference=3600.0)["status"] == "corrected"
    assert there.offset == 3600.0


def test_a_clock_that_something_else_sets_is_given_up() -> None:
    there = edge(DAYS)
    there._set_date = lambda given: []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="set 3 times"):
        remediate(there, may_step=True, confirmed=True)


# -- bad luck ------------------------------------------------------------------------------------------------


def test_a_clock_that_does_not_keep_still_is_not_touched() -> None:
    there = server(0.0, jumps=[0, 0, 3600.0, 0] * 2)
    with pytest.raises(ClockJumped):
        remediate(there)
    assert there.written == []


def test_a_clock_that_jumped_and_is_right_now_is_left_alone_and_it_is_said() -> None:
    there = server(-3600.0, jumps=[0, 0, 3600.0, 0])
    result = remediate(there)
    assert (result["status"], there.written) == ("in_desired_state", [])
    assert "jumped by 60 min or more" in result["warnings"][0].replace("1 h 0 min", "60 min")


def test_a_clock_that_jumped_is_not_set_at_once() -> None:
    there = edge(0.0)
    there.jumps = [0, 0, DAYS, 0]
    with pytest.raises(Refused, match="is not set at once: The server's clock jumped"):
        remediate(there, may_step=True, confirmed=True)
    assert there.written == []


def test_a_clock_that_jumps_after_it_was_set_is_unknown() -> None:
    there = edge(DAYS)
    there.jumps = [0] * 5 + [0, 60.0, 0, 0]
    with pytest.raises(ChangeFailed, match="Since it was set: The server's clock jumped") as caught:
        remediate(there, may_step=True, confirmed=True)
    assert caught.value.result.status is Status.UNKNOWN


def test_a_clock_that_does_not_keep_still_while_it_is_waited_for_is_unknown() -> None:
    there = server(100.0, source=lambda: None)
    there.jumps = [0] * 4 + [0, 60.0, -60.0, 0] * 20
    with pytest.raises(ChangeFailed, match="still does not keep still") as caught:
        remediate(there)
    assert caught.value.result.status is Status.UNKNOWN


def test_a_line_that_breaks_in_the_middle_is_no_failure_if_the_clock_is_right_then() -> None:
    there = server(100.0, breaks={"w32tm"})
    result = remediate(there)
    assert result["status"] == "corrected"
    assert "lost while w32tm ran" in result["warnings"][0]


def test_what_cannot_be_measured_well_enough_is_said() -> None:
    with pytest.raises(Refused, match="can be measured to"):
        remediate(server(0.0, delay=0.3), limit=0.01)


def test_what_w32tm_refuses_is_not_waited_for() -> None:
    there = server(100.0)
    there._w32tm_resync = lambda: ["Sending", "The following error occurred: (0x80070426)"]  # type: ignore[method-assign]
    with pytest.raises(
        ChangeFailed, match=r"is still \+1\d\d\.\d s off. w32tm answered with error 0x80070426"
    ) as caught:
        remediate(there)
    assert caught.value.result.status is Status.DRIFTED
    assert there.sent.count("w32tm /resync /rediscover") == 1
    assert there.clock.monotonic() < 10


def test_a_w32tm_that_may_not_be_run_is_not_waited_for() -> None:
    def denied() -> list[Any]:
        raise Refuses("Access is denied.", "PermissionDenied")

    there = server(100.0)
    there._w32tm_resync = denied  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match=r"off\. w32tm: Access is denied\.") as caught:
        remediate(there)
    assert (caught.value.result.changed, len(caught.value.causes)) == (False, 1)


# -- after the first write -----------------------------------------------------------------------------------


def test_a_step_goes_by_the_zone_that_is_set_now() -> None:
    """The session may have been opened in another zone; what is sent is the local time in this one."""
    there = edge(DAYS, delay=0.2)
    there.zone = "W. Europe Standard Time"
    seen: list[float] = []
    original = there._set_date

    def set_date(given: dict[str, Any]) -> list[Any]:
        found = original(given)
        seen.append(there.offset)
        return found

    there._set_date = set_date  # type: ignore[method-assign]
    result = remediate(there, may_step=True, confirmed=True)
    assert result["commands"][0].startswith("Set-Date -Date '20")
    # Sent 0.1 s before it arrived, and made for the time when it would.
    assert len(seen) == 1
    assert abs(seen[0]) < 0.02


def test_what_set_date_refuses_has_changed_nothing() -> None:
    def denied(given: dict[str, Any]) -> list[Any]:
        raise Refuses("A required privilege is not held by the client.", "PermissionDenied", "SetDate")

    there = edge(DAYS)
    there._set_date = denied  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed, match="required privilege") as caught:
        remediate(there, may_step=True, confirmed=True)
    result = caught.value.result
    assert (result.status, result.changed, result.after) == (Status.DRIFTED, False, result.before)
    assert len(there.written) == 1


def test_a_step_that_may_still_be_at_work_is_not_made_again() -> None:
    there = edge(DAYS, breaks={"Set-Date"}, ends=False)
    there._set_date = lambda given: []  # type: ignore[method-assign]
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, may_step=True, confirmed=True)
    assert (caught.value.result.status, caught.value.result.changed) == (Status.UNKNOWN, True)
    assert [text.partition(" ")[0] for text in there.written] == ["Set-Date"]


def test_a_resync_that_may_still_be_at_work_is_unknown_though_the_clock_is_right() -> None:
    there = server(100.0, breaks={"w32tm"}, ends=False)
    with pytest.raises(ChangeFailed) as caught:
        remediate(there)
    assert (caught.value.result.status, caught.value.result.changed) == (Status.UNKNOWN, True)
    assert abs(caught.value.result.details["offset_ms"]) < 1000


@pytest.mark.parametrize("program", ["w32tm", "klist", "Set-Date"])
def test_a_server_that_is_gone_in_the_middle_leaves_the_clock_unknown_or_proven(program: str) -> None:
    there = edge(DAYS)
    there.goes_after = program
    with pytest.raises(ChangeFailed) as caught:
        remediate(there, may_step=True, confirmed=True)
    result = caught.value.result.as_dict()
    assert (result["status"], result["changed"]) == ("unknown", True)
    assert {"before", "after", "drift", "commands", "restore_commands", "diff", "offset_ms"} <= set(result)


def test_a_line_on_standard_error_beside_a_right_clock_is_a_warning() -> None:
    there = server(100.0)
    original = there._w32tm_resync
    there._w32tm_resync = lambda: [  # type: ignore[method-assign]
        *original(),
        Refuses("careful", "NotSpecified", "NativeCommandError"),
    ]
    result = remediate(there)
    assert (result["status"], len(result["warnings"])) == ("corrected", 1)


def test_a_correction_is_journalled_once_as_one_that_cannot_be_taken_back() -> None:
    there, journal = edge(DAYS), MemoryJournal()
    request = replace(REQUEST, may_step=True, confirmed=True)
    result = clock.remediate(envelope(there, journal=journal), request, there.clock)
    ((change, commands),) = journal.changes.values()
    assert (change.resource, change.restorable) == ("clock", Restorable.NO)
    assert [text.partition(" ")[0] for text in commands] == ["Set-Date", "w32tm", *["klist"] * 3]
    assert journal.outcomes == {"0": {"status": "corrected", "changed": True}}
    assert result.restore_commands == ()
