# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is known at the end of a change whose answer is lost or late, and that nothing of it is sent twice."""

from __future__ import annotations

import threading
import xml.etree.ElementTree as ET
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import PipelineState
from lab_tests.small import EVENTS
from pypsrp.encryption import WinRMEncryption
from pypsrp.wsman import WSMan
from unit.powershell.places import Place, write

SET = Command("Set-Variable", {"Name": "n", "Value": 1})
OTHER = Command("Set-Variable", {"Name": "m", "Value": 2})
VERSION_2 = {"protocol_version": "2.1", "powershell_version": "2.0"}


def lost(there: Place, session: Any, *commands: Command) -> errors.LostInMidCommand:
    with pytest.raises(errors.LostInMidCommand) as caught:
        session.run(*commands, changes=True)
    assert there.run_count("Set-Variable") <= len(commands)
    return caught.value


@pytest.mark.parametrize("version", [{}, VERSION_2], ids=["3", "2"])
@pytest.mark.parametrize("kind", ["drop-before", "drop-after", "truncate", "garbage", "status"])
def test_a_change_whose_answer_is_lost_is_listened_to_until_its_end(
    place: Callable[..., Place], version: dict[str, Any], kind: str
) -> None:
    there = place(**version)
    session = there.session()
    session.run(write(1))
    there.strike(kind, "Receive", code=502)
    unknown = lost(there, session, SET)
    assert unknown.ended is True
    assert unknown.commands == ("Set-Variable",)
    # On a busy machine the stop may come before the command has begun.
    assert unknown.results.state in (PipelineState.COMPLETED, PipelineState.STOPPED)
    assert there.run_count("Set-Variable") == 1 or unknown.results.state is PipelineState.STOPPED
    assert there.counters()["sessions_open"] == 0


def test_what_was_answered_before_is_kept(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("drop-after", "Receive")
    with pytest.raises(errors.LostInMidCommand) as caught:
        session.run(write("known"), changes=True)
    assert caught.value.results.output == ("known",)


def test_a_command_whose_acceptance_is_lost_is_found_by_its_identity(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("drop-after", "Command")
    assert lost(there, session, SET).ended is True
    assert there.run_count("Set-Variable") == 1


def test_a_fault_that_does_not_tell_whether_it_has_begun_is_not_answered_with_a_second_attempt(
    place: Callable[..., Place],
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("fault-after", "Command", code=1359)
    assert lost(there, session, SET).ended is True
    assert there.run_count("Set-Variable") == 1


def test_an_identity_that_only_the_server_knows_proves_nothing(place: Callable[..., Place]) -> None:
    there = place(**VERSION_2)
    session = there.session()
    session.run(write(1))
    there.strike("drop-after", "Command")
    assert lost(there, session, SET).ended is False
    assert there.counters()["sessions_open"] == 0


def test_a_pipeline_that_the_server_does_not_know_proves_nothing(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("drop-before", "Command")
    assert lost(there, session, SET).ended is False
    assert there.run_count("Set-Variable") == 0
    assert there.counters()["sessions_open"] == 0


@pytest.mark.parametrize("code", [2150858793, 995, 1726])
def test_a_fault_that_may_come_after_the_beginning_is_no_refusal(
    place: Callable[..., Place], code: int
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("fault", "Command", code=code, message="The operation was aborted.")
    lost(there, session, SET)


@pytest.mark.parametrize("version", [{}, VERSION_2], ids=["3", "2"])
@pytest.mark.parametrize("code", [200, 302, 307, 400, 403, 404, 413, 429, 502, 503, 504])
@pytest.mark.parametrize("kind", ["status", "status-after"])
def test_an_http_status_does_not_tell_whether_a_change_has_begun(
    place: Callable[..., Place], kind: str, code: int, version: dict[str, Any]
) -> None:
    there = place(**version)
    session = there.session()
    session.run(write(1))
    there.strike(kind, "Command", code=code)
    unknown = lost(there, session, SET, OTHER)
    # A pipeline that there is can be listened to where its identity is known.
    assert unknown.ended is (kind == "status-after" and not version)
    assert session.run(write("again")).output == ("again",)
    session.close()
    assert there.counters()["sessions_open"] == 0


@pytest.mark.parametrize("kind", ["another-pipeline", "another-pool"])
def test_what_is_said_of_something_else_says_nothing_of_a_change(
    place: Callable[..., Place], kind: str
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike(kind, "Receive")
    assert lost(there, session, SET).ended is False
    assert session.run(write("again")).output == ("again",)


def test_an_answer_to_another_request_is_asked_for_again(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("another-request", "Receive")
    assert lost(there, session, SET).ended is True


def test_what_is_said_twice_is_heard_once(place: Callable[..., Place]) -> None:
    there = place()
    there.strike("said-twice", "Receive", times=0)
    results = there.session().run(write("once"), write("again"))
    assert (results.output, results.state) == (("once", "again"), PipelineState.COMPLETED)


@pytest.mark.parametrize("version", [{}, VERSION_2], ids=["3", "2"])
@pytest.mark.parametrize("state", [PipelineState.FAILED, PipelineState.STOPPED])
@pytest.mark.parametrize("changes", [False, True])
def test_an_end_without_a_reason_is_an_error(
    place: Callable[..., Place], state: PipelineState, version: dict[str, Any], changes: bool
) -> None:
    there = place(**version)
    session = there.session()
    session.run(write(1))
    there.strike(state.name.lower(), "Receive", times=0)
    results = session.run(SET, changes=changes)
    assert results.state is state
    (report,) = results.errors
    assert (report.command, report.terminating) == ("Set-Variable", True)
    assert "Set-Variable" in str(session.classify(report))


def test_a_fault_that_http_calls_a_success_is_no_answer(
    place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    fault = "<s:Envelope xmlns:s='http://www.w3.org/2003/05/soap-envelope'><s:Body><s:Fault/></s:Body></s:Envelope>"
    invoke, answers = WSMan.invoke, [ET.fromstring(fault)]

    def invoking(self: WSMan, *arguments: Any, **keywords: Any) -> Any:
        return answers.pop() if answers else invoke(self, *arguments, **keywords)

    monkeypatch.setattr(WSMan, "invoke", invoking)
    assert lost(there, session, SET).ended is False
    assert there.run_count("Set-Variable") == 0


def test_an_encrypted_answer_that_is_damaged_is_no_refusal(
    place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place()
    session = there.session(auth="ntlm", protocol="http", port=15985, message_encryption="auto")
    session.run(write(1))
    unwrap, damaged = WinRMEncryption.unwrap_message, []

    def unwrapping(self: Any, message: bytes, boundary: str) -> bytes:
        if not damaged:
            damaged.append(True)
            message = message[:-60] + bytes(40) + message[-20:]
        return bytes(unwrap(self, message, boundary))

    monkeypatch.setattr(WinRMEncryption, "unwrap_message", unwrapping)
    assert lost(there, session, SET).ended is True
    assert there.run_count("Set-Variable") == 1
    session.close()


def test_a_server_that_stays_away_leaves_everything_open(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike("drop-before", "Receive")
    there.strike("drop-before", "Signal", times=0)
    there.strike("drop-before", "Delete", times=0)
    assert lost(there, session, SET).ended is False
    there.running.lab.injector.clear()
    session.close()
    later = there.session()
    later.run(write(1))
    assert later.resumed is False
    assert there.counters()["sessions_open"] == 1
    later.close()


def test_what_runs_too_long_is_stopped_and_seen_to_stop(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session(command_timeout=0, operation_timeout=2)
    with pytest.raises(errors.TimedOut) as caught:
        session.run(Command("Wait-Stop"), changes=True)
    assert caught.value.ended is True
    assert caught.value.results.state is PipelineState.STOPPED
    assert caught.value.results.output == ("waiting",)
    assert there.counters()["sessions_open"] == 0


def test_what_is_told_to_wait_may_take_that_much_longer(place: Callable[..., Place]) -> None:
    session = place().session(command_timeout=0, operation_timeout=2)
    with pytest.raises(errors.TimedOut) as caught:
        session.run(Command("Wait-Stop", waits=0.25), Command("Wait-Stop", waits=0.25), changes=True)
    assert caught.value.seconds == 0.5


def test_what_takes_no_notice_of_being_stopped_has_not_ended(place: Callable[..., Place]) -> None:
    EVENTS["deaf"] = threading.Event()
    there = place()
    session = there.session(command_timeout=0, operation_timeout=1)
    try:
        with pytest.raises(errors.TimedOut) as caught:
            session.run(Command("Wait-Event", {"Name": "deaf"}), changes=True)
    finally:
        EVENTS["deaf"].set()
    assert caught.value.ended is False
    assert there.counters()["sessions_open"] == 0


def test_a_reading_that_took_too_long_says_nothing_of_effects(place: Callable[..., Place]) -> None:
    session = place().session(command_timeout=0, operation_timeout=2)
    with pytest.raises(errors.TimedOut) as reading:
        session.run(Command("Wait-Stop"))
    with pytest.raises(errors.TimedOut) as change:
        session.run(Command("Wait-Stop"), changes=True)
    assert "effect" in str(change.value)
    assert "effect" not in str(reading.value)


REFUSALS = [
    ("status", {"code": 401, "times": 0}),
    ("fault", {"code": 2150858843, "message": "gone"}),
    ("fault", {"code": 5, "message": "Access is denied."}),
    ("maintenance", {}),
    ("shell-vanishes", {}),
]


@pytest.mark.parametrize(("kind", "more"), REFUSALS)
def test_powershell_2_a_refusal_after_the_first_command_is_no_refusal_of_all(
    place: Callable[..., Place], kind: str, more: dict[str, Any]
) -> None:
    there = place(**VERSION_2)
    session = there.session()
    session.run(write(1))
    there.strike(kind, "Command", skip=1, **more)
    unknown = lost(there, session, SET, OTHER)
    assert there.run_count("Set-Variable") == 1
    assert unknown.ended is True
    assert unknown.commands == ("Set-Variable",)
    assert unknown.results.state is PipelineState.COMPLETED


@pytest.mark.parametrize(("kind", "more"), REFUSALS[1:])
def test_powershell_2_a_refusal_of_the_first_command_is_answered_by_beginning_again(
    place: Callable[..., Place], kind: str, more: dict[str, Any]
) -> None:
    there = place(**VERSION_2)
    session = there.session()
    session.run(write(1))
    there.strike(kind, "Command", **more)
    session.run(SET, OTHER, changes=True)
    assert there.run_count("Set-Variable") == 2
    session.close()


def test_powershell_2_the_results_of_all_commands_are_kept(place: Callable[..., Place]) -> None:
    there = place(**VERSION_2)
    session = there.session()
    there.strike("drop-after", "Receive", skip=3)  # two to open the session, one for the first command
    with pytest.raises(errors.LostInMidCommand) as caught:
        session.run(write("first"), write("second"), changes=True)
    assert caught.value.results.output == ("first", "second")
    assert caught.value.commands == ("Write-Output", "Write-Output")


def test_the_parts_of_a_large_command_are_sent_once_each(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    there.strike("status", "Send", code=503)
    text = "x" * 1_000_000
    assert session.run(write(text), changes=True).output == (text,)
    assert there.counters()["pipelines"] == 1
    session.close()


def test_a_part_that_comes_twice_runs_nothing_twice(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    there.strike("status-after", "Send", code=503)
    large = Command("Set-Variable", {"Name": "n", "Value": "x" * 700_000})
    lost(there, session, large)
    session.close()


def test_an_answer_that_is_late_is_asked_for_again(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session(operation_timeout=1, read_timeout=2)
    session.run(write(1))
    there.strike("delay", "Receive", seconds=3)
    assert session.run(SET, write("after"), changes=True).output == ("after",)
    assert there.run_count("Set-Variable") == 1
    session.close()


def test_a_command_that_arrives_late_finds_no_session(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session(operation_timeout=1, read_timeout=2)
    session.run(write(1))
    there.strike("delay", "Command", seconds=3)
    assert lost(there, session, SET).ended is False
    session.run(write(2))
    assert there.counters()["sessions_open"] == 1
    assert there.run_count("Set-Variable") == 0
    session.close()


def test_warnings_are_told_once(place: Callable[..., Place]) -> None:
    session = place().session()
    session.run(Command("Write-All"))
    session.run(Command("Write-All"))
    assert session.take_warnings() == ["a warning"]
    assert session.take_warnings() == []
    session.close()
