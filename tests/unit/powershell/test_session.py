# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A session is opened once, handed from worker to worker, and tells what went wrong: against a real PSRP server."""

from __future__ import annotations

import signal
import threading
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session import identity
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session_record import RecordFile
from lab.contract import Listener, Quotas
from lab.journal import read
from lab_tests.small import ADMIN, EVENTS, GUEST, LOCKED, OTHER
from unit.powershell.places import Place, write

WAYS = [
    ("basic", "https", 15986, "auto"),
    ("ntlm", "https", 15986, "auto"),
    ("negotiate", "https", 15986, "always"),
    ("ntlm", "http", 15985, "auto"),
    ("negotiate", "http", 15985, "auto"),
]


@pytest.mark.parametrize(("auth", "protocol", "port", "encryption"), WAYS)
def test_a_session_is_opened_once_and_goes_from_worker_to_worker(
    place: Callable[..., Place], auth: str, protocol: str, port: int, encryption: str
) -> None:
    there = place()
    way = {"auth": auth, "protocol": protocol, "port": port, "message_encryption": encryption}
    for worker in range(3):
        session = there.session(**way)
        if worker == 0:
            session.run(Command("Set-Variable", {"Name": "kept", "Value": "by the runspace"}))
        assert session.run(Command("Get-Variable", {"Name": "kept"})).output == ("by the runspace",)
        assert session.resumed is (worker > 0)
        session.leave()
    assert there.counters()["sessions_opened"] == 1


def test_a_resumed_pipeline_takes_three_requests(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    before = there.counters()
    second = there.session()
    second.run(write(1), write(2), write(3))
    second.leave()
    after = there.counters()
    assert after["requests"] - before["requests"] == 3
    assert after["pipelines"] - before["pipelines"] == 1


def test_statements_keep_their_order_and_streams_are_kept_apart(place: Callable[..., Place]) -> None:
    session = place().session()
    results = session.run(write("first"), Command("Write-All"), Command("Stop-Here"), write("last"))
    session.close()
    assert results.output == ("first", "done", "last")
    assert [error.message for error in results.errors] == ["it went wrong", "it cannot go on"]
    assert results.errors[0].category == "InvalidOperation"
    assert results.errors[0].exception_type == "System.InvalidOperationException"
    assert results.warnings == ("a warning",)
    assert results.verbose == ("a verbose line",)


def test_positional_arguments_cross_in_order_and_without_names(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    results = session.run(Command("Write-Output", arguments=("/manualpeerlist:a,0x8 b,0x8", 5)))
    session.close()
    assert results.output == ("/manualpeerlist:a,0x8 b,0x8", 5)
    commands = [entry for entry in read(there.running.lab.journal.path) if entry["event"] == "command"]
    assert list(commands[-1]["parameters"]) == ["None"]


def test_what_ends_the_only_statement_is_an_error_too(place: Callable[..., Place]) -> None:
    session = place().session()
    (error,) = session.run(Command("Stop-Here")).errors
    session.close()
    assert (error.message, error.terminating) == ("it cannot go on", True)


def test_powershell_2_gets_one_pipeline_a_statement(place: Callable[..., Place]) -> None:
    there = place(protocol_version="2.1", powershell_version="2.0")
    session = there.session()
    assert session.protocol_version == "2.1"
    assert session.run(write("a"), write("b")).output == ("a", "b")
    session.close()
    assert there.counters()["pipelines"] == 2


@pytest.mark.parametrize("size", [1, 40_000, 400_000, pytest.param(1_500_000, marks=pytest.mark.sweep)])
def test_large_values_cross_in_both_directions(place: Callable[..., Place], size: int) -> None:
    session = place().session()
    text = "x\u00e9\U0001f600" * (size // 3)
    assert session.run(write(text)).output == (text,)
    session.close()


def test_a_shell_that_is_gone_is_replaced_before_anything_ran(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(Command("Set-Variable", {"Name": "n", "Value": 1}))
    first.leave()
    there.strike("shell-vanishes")
    second = there.session()
    assert second.run(Command("Set-Variable", {"Name": "n", "Value": 2}), changes=True).errors == ()
    second.leave()
    assert there.counters()["sessions_opened"] == 2


def test_two_workers_at_once_each_have_a_session_and_both_are_left(place: Callable[..., Place]) -> None:
    there = place()
    first, second = there.session(), there.session()
    first.run(write(1))
    second.run(write(2))
    first.leave()
    second.leave()
    assert (there.counters()["sessions_opened"], there.counters()["sessions_open"]) == (2, 2)
    there.session().end()
    assert there.counters()["sessions_open"] == 0


def test_a_third_worker_waits_for_a_session(place: Callable[..., Place]) -> None:
    there = place()
    first, second, third = there.session(), there.session(), there.session()
    first.run(write(1))
    second.run(write(2))
    waiting = threading.Thread(target=lambda: answers.append(third.run(write(3)).output))
    answers: list[Any] = []
    waiting.start()
    first.leave()
    waiting.join(20)
    assert answers == [(3,)]
    assert third.resumed is True
    assert there.counters()["sessions_opened"] == 2
    second.close()
    third.close()


def test_waiting_for_a_session_has_an_end(place: Callable[..., Place]) -> None:
    there = place()
    first, second = there.session(), there.session()
    first.run(write(1))
    second.run(write(2))
    with pytest.raises(errors.SessionsBusy):
        there.session(command_timeout=0, open_timeout=1).run(write(3))
    first.close()
    second.close()


def test_one_session_that_was_left_serves_the_next_worker_whichever_slot_is_free(
    place: Callable[..., Place],
) -> None:
    there = place()
    first, second = there.session(), there.session()
    first.run(write(1))
    second.run(write(2))
    first.close()
    second.leave()
    third = there.session()
    third.run(write(3))
    assert third.resumed is True
    third.close()


def test_what_a_dead_worker_left_at_work_is_ended_before_anything_is_read(
    place: Callable[..., Place],
) -> None:
    there = place()
    dying = there.session()
    dying.run(write(1))
    assert dying._record_file is not None
    dying._record_file.release()  # as the operating system does it
    assert there.counters()["sessions_open"] == 1
    session = there.session()
    session.run(write(2))
    assert (there.counters()["sessions_opened"], there.counters()["sessions_open"]) == (2, 1)
    session.close()


def test_end_closes_what_was_left_behind(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    there.session().end()
    assert there.counters()["sessions_open"] == 0


def test_a_task_that_does_not_keep_the_session_closes_the_one_it_was_left(
    place: Callable[..., Place],
) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    last = there.session(keep_session=False)
    last.run(write(2))
    assert last.resumed is True
    last.leave()
    assert (there.counters()["sessions_opened"], there.counters()["sessions_open"]) == (1, 0)


def test_end_without_a_session_asks_nobody(place: Callable[..., Place]) -> None:
    there = place()
    there.session().end()
    assert there.counters()["requests"] == 0


def test_another_account_does_not_get_the_session(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    other = there.session(remote_user=OTHER.name, remote_password=OTHER.password)
    other.run(write(1))
    assert other.resumed is False
    other.close()


def test_a_left_session_does_not_vouch_for_a_wrong_password(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    with pytest.raises(errors.AuthenticationRefused):
        there.session(remote_password="wrong").run(write(1))


@pytest.mark.parametrize(
    ("options", "kind", "words"),
    [
        ({"remote_password": "wrong"}, errors.AuthenticationRefused, ADMIN.name),
        ({"remote_password": "wrong", "auth": "ntlm"}, errors.AuthenticationRefused, "ntlm"),
        (
            {"remote_user": LOCKED.name, "remote_password": LOCKED.password},
            errors.AuthenticationRefused,
            "locked",
        ),
        (
            {"remote_user": GUEST.name, "remote_password": GUEST.password},
            errors.NoRightsToOpenShell,
            GUEST.name,
        ),
        ({"configuration_name": "Nowhere"}, errors.ServerFault, "Nowhere"),
        ({"path": "nowhere"}, errors.NotAnEndpoint, "404"),
        ({"port": 15999}, errors.CannotConnect, "refused"),
        ({"remote_addr": "no.such.host.invalid"}, errors.CannotResolve, "no.such.host.invalid"),
        ({"ca_cert": None}, errors.TlsNotTrusted, "ansible_psrp_ca_cert"),
        ({"port": 15985}, errors.NotAnEndpoint, "TLS"),
        ({"auth": "basic", "protocol": "http", "port": 15985}, errors.OptionsDoNotFit, "basic"),
        ({"remote_password": None}, errors.OptionsDoNotFit, "password"),
    ],
)
def test_refusals(
    place: Callable[..., Place], options: dict[str, Any], kind: type[errors.ConnectionRefused], words: str
) -> None:
    with pytest.raises(errors.ConnectionRefused) as caught:
        place().session(**options).run(write(1))
    assert type(caught.value) is kind, caught.value
    assert words in str(caught.value)
    assert "Pa:ss" not in str(caught.value)


def test_the_shell_quota(place: Callable[..., Place]) -> None:
    there = place(quotas=replace(Quotas(), shells_per_user=1))
    first = there.session()
    first.run(write(1))
    with pytest.raises(errors.ShellQuotaReached):
        there.session(folder=there.folder / "another").run(write(1))
    first.close()


@pytest.mark.parametrize("ending", ["leave", "close"])
def test_where_a_server_allows_one_session_workers_take_turns(
    place: Callable[..., Place], ending: str
) -> None:
    there = place(quotas=replace(Quotas(), shells_per_user=1))
    first, second = there.session(), there.session()
    first.run(write(1))
    answers: list[Any] = []
    waiting = threading.Thread(target=lambda: answers.append(second.run(write(2)).output))
    waiting.start()
    there.wait_for_refusal()
    getattr(first, ending)()
    waiting.join()
    assert answers == [(2,)]
    assert second.resumed is (ending == "leave")
    second.close()


def test_a_session_that_is_never_let_go_is_waited_for_as_long_as_for_opening_one(
    place: Callable[..., Place],
) -> None:
    there = place(quotas=replace(Quotas(), shells_per_user=1))
    first = there.session()
    first.run(write(1))
    with pytest.raises(errors.ShellQuotaReached):
        there.session(open_timeout=1).run(write(2))
    first.close()


def test_a_session_whose_worker_died_makes_room_for_one(place: Callable[..., Place]) -> None:
    there = place(quotas=replace(Quotas(), shells_per_user=1))
    dead, first = there.session(), there.session()
    other_slot = RecordFile.claim(str(there.folder), *identity(dead.options))
    assert other_slot is not None
    dead.run(write(1))
    dead._abandon_current()
    dead._let_go_of_the_record()
    other_slot.release()
    assert first.run(write(2)).output == (2,)
    first.close()


def test_sessions_do_not_use_up_the_quota_of_operations(place: Callable[..., Place]) -> None:
    there = place(quotas=replace(Quotas(), operations_per_user=2))
    session = there.session()
    for number in range(10):
        assert session.run(write(number)).output == (number,)
    session.close()


def test_a_command_that_takes_too_long_is_stopped(place: Callable[..., Place]) -> None:
    session = place().session(command_timeout=0, operation_timeout=2)
    with pytest.raises(errors.TimedOut, match="Wait-Stop"):
        session.run(Command("Wait-Stop"), changes=True)
    session.close()


def test_a_command_may_outlast_the_operation_timeout(place: Callable[..., Place]) -> None:
    EVENTS["long"] = threading.Event()
    there = place()
    session = there.session(operation_timeout=1)
    timer = threading.Timer(1.5, EVENTS["long"].set)
    timer.start()
    assert session.run(Command("Wait-Event", {"Name": "long"})).output == ("waiting", "over")
    session.close()


def test_certificate_of_another_name_is_refused(place: Callable[..., Place]) -> None:
    there = place(
        listeners=(Listener("https", 15986, ("/wsman",), frozenset({"basic"}), certificate="wrong_name"),)
    )
    with pytest.raises(errors.TlsNotTrusted):
        there.session().run(write(1))


def test_an_expired_certificate_is_named_as_such(place: Callable[..., Place]) -> None:
    there = place(
        listeners=(Listener("https", 15986, ("/wsman",), frozenset({"basic"}), certificate="expired"),)
    )
    with pytest.raises(errors.TlsNotTrusted, match="expired"):
        there.session().run(write(1))


LINE_BREAKS = [
    ("drop-before", "Command", None),
    ("drop-after", "Command", None),
    ("drop-before", "Receive", None),
    ("drop-after", "Receive", None),
    ("truncate", "Receive", None),
    ("garbage", "Receive", None),
    ("status", "Receive", None),
    ("drop-before", None, "Set-Variable"),
    ("drop-after", None, "Set-Variable"),
]


@pytest.mark.parametrize("way", [WAYS[0], WAYS[3]], ids=lambda way: f"{way[0]}-{way[1]}")
@pytest.mark.parametrize(("kind", "request_name", "command"), LINE_BREAKS)
def test_a_change_whose_line_breaks_is_never_repeated_and_the_session_goes_on(
    place: Callable[..., Place],
    way: tuple[str, str, int, str],
    kind: str,
    request_name: str | None,
    command: str | None,
) -> None:
    auth, protocol, port, encryption = way
    there = place()
    session = there.session(auth=auth, protocol=protocol, port=port, message_encryption=encryption)
    session.run(write(1))
    there.strike(kind, request_name, command)
    with pytest.raises(errors.LostInMidCommand, match="Set-Variable"):
        session.run(Command("Set-Variable", {"Name": "n", "Value": 1}), changes=True)
    assert there.run_count("Set-Variable") <= 1
    assert session.run(write("again")).output == ("again",)
    session.close()


@pytest.mark.parametrize(("kind", "request_name", "command"), LINE_BREAKS)
def test_a_read_whose_line_breaks_is_read_again_in_a_new_session(
    place: Callable[..., Place], kind: str, request_name: str | None, command: str | None
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    there.strike(kind, request_name, command and "Write-Output")
    assert session.run(write("read")).output == ("read",)
    session.close()


@pytest.mark.parametrize("request_name", ["Create", "Command"])
def test_a_server_that_is_busy_is_asked_again(place: Callable[..., Place], request_name: str) -> None:
    there = place()
    session = there.session()
    if request_name == "Command":
        session.run(write(1))
    there.strike("status", request_name, code=503)
    session.run(write(1))
    session.close()
    assert there.counters()["sessions_opened"] == 1


def test_a_server_that_stays_busy_is_given_up(place: Callable[..., Place]) -> None:
    there = place()
    there.strike("status", "Create", code=503, times=0)
    with pytest.raises(errors.CannotConnect, match="503"):
        there.session().run(write(1))


def test_a_lost_session_is_not_left_to_anybody(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    there.strike("drop-after", "Receive")
    with pytest.raises(errors.LostInMidCommand):
        first.run(Command("Set-Variable", {"Name": "n", "Value": 1}), changes=True)
    first.leave()
    second = there.session()
    second.run(write(1))
    assert second.resumed is False
    second.close()


def test_a_session_that_is_interrupted_is_not_left_to_anybody(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))

    def interrupt(signal_number: int, frame: object) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGALRM, interrupt)
    signal.setitimer(signal.ITIMER_REAL, 0.3)
    try:
        with pytest.raises(KeyboardInterrupt):
            session.run(Command("Wait-Stop"))
    finally:
        signal.signal(signal.SIGALRM, before)
    session.leave()
    again = there.session()
    again.run(write(1))
    assert again.resumed is False
    again.close()
    assert there.counters()["sessions_open"] == 0


def test_a_failed_farewell_costs_the_session_and_not_the_result(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    there.strike("drop-before", "Signal")
    assert session.run(write("result")).output == ("result",)
    session.leave()
    again = there.session()
    again.run(write(1))
    assert again.resumed is False
    again.close()
    assert there.counters()["sessions_open"] == 0


def test_tls_that_fails(place: Callable[..., Place]) -> None:
    there = place()
    there.strike("tls-failure", times=0)
    with pytest.raises(errors.ConnectionRefused):
        there.session().run(write(1))
