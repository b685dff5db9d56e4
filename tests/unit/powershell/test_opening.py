# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Opening a session: how long it may take, what is asked of the server, what is left behind where it fails."""

from __future__ import annotations

import contextlib
import os
import stat
import sys
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import (
    errors,
    opening,
    pypsrp_library,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.options import ConnectionOptions
from lab.contract import Listener, Timings
from lab.journal import read
from unit.powershell.places import DEFAULTS, Place, write

VERSION_2 = {"protocol_version": "2.1", "powershell_version": "2.0"}


def test_a_server_that_opens_slowly_is_polled(place: Callable[..., Place]) -> None:
    there = place(timings=replace(Timings(), session_open_delay_s=2.5))
    session = there.session(operation_timeout=1, read_timeout=2)
    assert session.run(write("open")).output == ("open",)
    session.close()
    assert there.counters()["sessions_opened"] == 1


def test_a_server_that_opens_too_slowly_is_given_up_and_keeps_no_session(place: Callable[..., Place]) -> None:
    there = place(timings=replace(Timings(), session_open_delay_s=60))
    with pytest.raises(errors.OpeningTimedOut):
        there.session(operation_timeout=1, read_timeout=2, open_timeout=2).run(write(1))
    assert (there.counters()["sessions_opened"], there.counters()["sessions_open"]) == (1, 0)


class TaskTimeoutError(BaseException):
    """As Ansible has it: no error that anybody expects."""


@pytest.mark.parametrize("version", [{}, VERSION_2], ids=["PowerShell 5", "PowerShell 2"])
def test_who_is_interrupted_while_a_session_opens_keeps_none(
    place: Callable[..., Place], version: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place(**version)

    def interrupted(*arguments: Any, **more: Any) -> None:
        raise TaskTimeoutError

    monkeypatch.setattr("pypsrp.shell.WinRS.receive", interrupted)
    with pytest.raises(TaskTimeoutError):
        there.session().run(write(1))
    assert (there.counters()["sessions_opened"], there.counters()["sessions_open"]) == (1, 0)


def test_a_create_that_timed_out_is_not_sent_again(place: Callable[..., Place]) -> None:
    there = place()
    there.strike("delay", "Create", seconds=5)
    with pytest.raises(errors.OpeningTimedOut):
        there.session(open_timeout=1).run(write(1))
    struck = [entry for entry in read(there.running.lab.journal.path) if entry["event"] == "fault"]
    assert [entry["name"] for entry in struck] == ["Create"]


def test_a_create_may_take_longer_than_other_requests(place: Callable[..., Place]) -> None:
    there = place()
    there.strike("delay", "Create", seconds=3)
    session = there.session(operation_timeout=1, read_timeout=2)
    session.run(write(1))
    session.close()
    assert there.counters()["sessions_opened"] == 1


@pytest.mark.parametrize(
    ("kind", "request_name"),
    [
        ("drop-after", "Create"),
        ("drop-before", "Receive"),
        ("drop-after", "Receive"),
        ("drop-before", "Create"),
    ],
)
def test_a_session_that_was_lost_while_it_opened_is_not_left_behind(
    place: Callable[..., Place], kind: str, request_name: str
) -> None:
    there = place()
    there.strike(kind, request_name)
    session = there.session()
    session.run(write(1))
    assert there.counters()["sessions_open"] == 1
    session.close()


@pytest.mark.parametrize("code", [0, 1359, 1726])
def test_a_session_that_a_fault_denies_is_not_left_behind(place: Callable[..., Place], code: int) -> None:
    there = place()
    there.strike("fault-after", "Create", code=code)
    with contextlib.suppress(errors.ConnectionRefused):
        there.session().run(write(1))
    assert there.counters()["sessions_open"] <= 1
    there.session().run(write(1))
    assert there.counters()["sessions_open"] == 1


@pytest.mark.parametrize("code", [429, 502, 503, 504])
def test_a_gateway_without_an_answer_is_asked_again(place: Callable[..., Place], code: int) -> None:
    there = place()
    there.strike("status", "Create", code=code)
    session = there.session()
    session.run(write(1))
    session.close()
    there.strike("status", "Create", code=code, times=0)
    with pytest.raises(errors.CannotConnect, match=str(code)):
        there.session().run(write(1))


@pytest.mark.parametrize(
    ("code", "auth", "kind"),
    [
        (400, "negotiate", errors.AuthenticationRefused),
        (302, "basic", errors.NotAnEndpoint),
        (307, "basic", errors.NotAnEndpoint),
        (400, "basic", errors.NotAnEndpoint),
        (407, "basic", errors.ProxyRefused),
        (413, "basic", errors.MessageTooLarge),
    ],
)
def test_what_stands_before_the_server_is_named(
    place: Callable[..., Place], code: int, auth: str, kind: type[errors.ConnectionRefused]
) -> None:
    there = place()
    there.strike("status", "Create", code=code, times=0)
    with pytest.raises(errors.ConnectionRefused) as caught:
        there.session(auth=auth).run(write(1))
    assert type(caught.value) is kind


@pytest.mark.parametrize(
    ("version", "given", "seconds"),
    [({}, None, 300), (VERSION_2, None, 60), ({}, 90, 90), (VERSION_2, 90, 90)],
    ids=["3", "2", "3-given", "2-given"],
)
def test_the_idle_time_out_goes_by_the_server(
    place: Callable[..., Place], version: dict[str, Any], given: int | None, seconds: int
) -> None:
    there = place(**version)
    session = there.session(idle_timeout=given)
    session.run(write(1))
    (shell,) = next(iter(there.running.lab.services.values())).shells.values()
    assert shell.idle_timeout == seconds
    session.close()


def test_a_server_that_does_not_say_what_it_is_is_asked_for_the_long_time(
    place: Callable[..., Place],
) -> None:
    there = place()
    there.strike("status", "?", code=500)  # the lab's name for what is no WSMan action: Identify
    session = there.session(idle_timeout=None)
    session.run(write(1))
    (shell,) = next(iter(there.running.lab.services.values())).shells.values()
    assert shell.idle_timeout == 300
    session.close()


@pytest.mark.parametrize(
    "wrong",
    [
        {"read_timeout": 5, "operation_timeout": 5},
        {"read_timeout": 4, "operation_timeout": 5},
        {"operation_timeout": 0},
        {"connection_timeout": 0},
        {"open_timeout": 0},
        {"command_timeout": -1},
        {"idle_timeout": 59},
        {"idle_timeout": 1},
        {"reconnection_retries": -1},
        {"reconnection_backoff": float("nan")},
        {"reconnection_backoff": float("inf")},
        {"max_envelope_size": 1000},
        {"message_encryption": "always", "auth": "basic"},
        {"auth": "certificate", "protocol": "http"},
        {"auth": "certificate"},
        {"port": 65536},
        {"ca_cert": "/nowhere/ca.pem"},
        {"remote_password": None},
        {"remote_password": "p\u20ac"},
    ],
)
def test_options_that_cannot_work_are_refused_before_anything_is_sent(
    place: Callable[..., Place], wrong: dict[str, Any]
) -> None:
    there = place()
    with pytest.raises(errors.OptionsDoNotFit):
        there.session(**wrong).run(write(1))
    with pytest.raises(errors.OptionsDoNotFit):
        there.session(**wrong).check_options()
    assert there.counters()["requests"] == 0


@pytest.mark.parametrize(
    ("options", "library"),
    [
        ({"auth": "kerberos"}, "gssapi"),
        ({"auth": "credssp"}, "requests_credssp"),
        ({"auth": "negotiate", "remote_user": None, "remote_password": None}, "gssapi"),
        ({"auth": "negotiate", "remote_password": None}, "gssapi"),
    ],
)
def test_a_library_that_is_missing_is_found_before_anything_is_sent(
    place: Callable[..., Place], options: dict[str, Any], library: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place()
    monkeypatch.setitem(sys.modules, library, None)
    monkeypatch.delenv("NTLM_USER_FILE", raising=False)
    with pytest.raises(errors.LibraryForAuthenticationMissing):
        there.session(**options).check_options()
    with pytest.raises(errors.LibraryForAuthenticationMissing):
        there.session(**options).run(write(1))
    assert there.counters()["requests"] == 0


def test_negotiate_with_an_account_needs_no_library(
    place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "gssapi", None)
    session = place().session(auth="negotiate")
    session.check_options()
    assert session.run(write(1)).output == (1,)
    session.close()


def test_options_that_cannot_work_with_a_session_that_was_left(place: Callable[..., Place]) -> None:
    there = place()
    first = there.session()
    first.run(write(1))
    first.leave()
    with pytest.raises(errors.OptionsDoNotFit):
        there.session(message_encryption="always").run(write(1))


def test_the_smallest_envelope_that_is_taken_works(place: Callable[..., Place]) -> None:
    session = place().session(max_envelope_size=16384)
    text = "x" * 100_000
    assert session.run(write(text)).output == (text,)
    session.leave()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"ca_cert": "/nowhere/ca.pem"}, "/nowhere/ca.pem"),
        ({"remote_password": "pä€ß"}, "ISO 8859-1"),
        (
            {
                "auth": "certificate",
                "certificate_pem": "/nowhere/c.pem",
                "certificate_key_pem": "/nowhere/k.pem",
            },
            "/nowhere",
        ),
    ],
)
def test_what_is_wrong_on_this_machine_is_not_blamed_on_the_network(
    place: Callable[..., Place], wrong: dict[str, Any], words: str
) -> None:
    with pytest.raises(errors.OptionsDoNotFit) as caught:
        place().session(**wrong).run(write(1))
    assert words in str(caught.value)


@pytest.mark.parametrize("auth", ["kerberos", "credssp"])
def test_an_authentication_that_cannot_be_had_is_one_sentence(
    place: Callable[..., Place], auth: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def missing(*_arguments: Any, **_keywords: Any) -> None:
        raise ImportError(f"No module named '{auth}'")

    monkeypatch.setattr("pypsrp.wsman.HttpCredSSPAuth", missing)
    monkeypatch.setattr("spnego.client", missing)
    with pytest.raises(errors.LibraryForAuthenticationMissing):
        place().session(auth=auth, remote_user="u@CONTOSO.COM").run(write(1))


def test_credssp_against_a_server_without_it(place: Callable[..., Place]) -> None:
    there = place(listeners=(Listener("https", 15986, ("/wsman",), frozenset({"negotiate", "basic"})),))
    with pytest.raises(errors.AuthenticationRefused):
        there.session(auth="credssp").run(write(1))


def test_a_refusal_of_kerberos_names_the_clock() -> None:
    kerberos, basic = (
        errors.AuthenticationRefused(replace(options().endpoint, authentication=auth))
        for auth in ("kerberos", "basic")
    )
    assert "five minutes" in str(kerberos)
    assert "five minutes" not in str(basic)


def options(**given: Any) -> ConnectionOptions:
    return ConnectionOptions.from_plugin({**DEFAULTS, "remote_addr": "pool01.contoso.com", **given}.get)


@pytest.mark.parametrize(
    ("given", "environment", "expected"),
    [
        ({}, {}, None),
        ({"proxy": "http://me:secret@proxy:3128"}, {}, ("http://proxy:3128", "ansible_psrp_proxy")),
        (
            {},
            {"HTTPS_PROXY": "http://me:s3cret@proxy:3128"},
            ("http://proxy:3128", "the environment variable HTTPS_PROXY"),
        ),
        ({}, {"all_proxy": "proxy:3128"}, ("proxy:3128", "the environment variable all_proxy")),
        ({"protocol": "http"}, {"HTTPS_PROXY": "http://proxy:3128"}, None),
        ({"ignore_proxy": True}, {"HTTPS_PROXY": "http://proxy:3128"}, None),
    ],
)
def test_which_proxy_is_between_and_where_it_comes_from(
    given: dict[str, Any],
    environment: dict[str, str],
    expected: tuple[str, str] | None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert options(**given).endpoint.proxy == expected


def test_pypsrp_has_everything_that_is_used_of_it() -> None:
    assert pypsrp_library.lacking_attributes() == ()


def test_a_pypsrp_without_it_is_one_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(pypsrp_library.PRIVATE, "pool", ("_fragmenter", "_moved_elsewhere"))
    pypsrp_library.lacking_attributes.cache_clear()
    try:
        with pytest.raises(errors.MissingLibrary, match=r"Pool\._moved_elsewhere"):
            opening.open_session(options())
    finally:
        pypsrp_library.lacking_attributes.cache_clear()


def test_the_record_of_a_session_is_for_its_owner_alone(place: Callable[..., Place]) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    session.leave()
    for path in there.folder.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600
        assert b"Pa:ss" not in path.read_bytes()
