# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Load balancers, proxies and broken handshakes between us and the server."""

from __future__ import annotations

import json
import os
import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from lab.contract import Listener
from lab_tests.small import RunningLab, SmallServer
from unit.powershell import between
from unit.powershell.places import ADDRESS, Place, write

PLAIN = (Listener("http", 15985, authentication=frozenset({"basic"}), allow_unencrypted=True),)
NETWORK = ADDRESS.rpartition(".")[0]
FRONT = f"{NETWORK}.99"


@pytest.fixture
def two_servers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    servers = [
        SmallServer(name=f"fe0{number}", address=f"{NETWORK}.{number}", listeners=PLAIN) for number in (1, 2)
    ]
    with RunningLab(tmp_path_factory.mktemp("lab"), *servers) as running:
        yield Place(running, servers[0], tmp_path_factory.mktemp("run"))


def backends(there: Place) -> list[between.Address]:
    return [(server.address, 15985) for server in there.running.servers]


def opened(there: Place) -> int:
    return sum(counters.values()["sessions_opened"] for counters in there.running.lab.counters.values())


def through(address: between.Address, **more: Any) -> dict[str, Any]:
    return {
        "remote_addr": address[0],
        "port": address[1],
        "protocol": "http",
        "message_encryption": "never",
        **more,
    }


def test_a_balancers_cookie_goes_with_the_session_from_worker_to_worker(two_servers: Place) -> None:
    there = two_servers
    with between.load_balancer(FRONT, backends(there), cookie=True) as address:
        for worker in range(5):
            session = there.session(**through(address))
            assert session.run(write(worker), changes=True).output == (worker,)
            assert session.resumed is (worker > 0)
            session.leave()
        there.session(**through(address)).end()
    assert opened(there) == 1
    assert sum(c.values()["sessions_open"] for c in there.running.lab.counters.values()) == 0


def test_a_balancers_cookie_survives_a_broken_line(two_servers: Place) -> None:
    there = two_servers
    with between.load_balancer(FRONT, backends(there), cookie=True) as address:
        session = there.session(**through(address))
        session.run(write(1))
        there.strike("drop-after", "Receive")
        with pytest.raises(errors.LostInMidCommand) as caught:
            session.run(Command("Set-Variable", {"Name": "n", "Value": 1}), changes=True)
        assert caught.value.ended is True
        session.close()


def test_a_balancers_cookie_is_in_the_record_and_shown_nowhere(two_servers: Place) -> None:
    there = two_servers
    with between.load_balancer(FRONT, backends(there), cookie=True) as address:
        session = there.session(**through(address))
        session.run(write(1))
        assert "LB" not in repr(session._current and session._current.record)
        session.leave()
        records = [json.loads(path.read_text()) for path in there.folder.iterdir() if path.stat().st_size]
        assert [cookie["name"] for cookie in records[0]["cookies"]] == ["LB"]
        there.session(**through(address)).end()


def test_a_balancer_without_persistence_is_named(two_servers: Place) -> None:
    with (
        between.load_balancer(FRONT, backends(two_servers), cookie=False) as address,
        pytest.raises(errors.SessionNotKnown),
    ):
        two_servers.session(**through(address)).run(write(1))


@pytest.mark.parametrize("status", [403, 407, 503])
@pytest.mark.parametrize("by_variable", [True, False])
def test_a_proxy_that_refuses_is_named(
    place: Callable[..., Place], status: int, by_variable: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in list(os.environ):
        if name.lower().endswith("_proxy"):
            monkeypatch.delenv(name)
    with between.refusing_proxy(FRONT, status) as (host, port):
        url = f"http://me:s3cret@{host}:{port}"
        given: dict[str, Any] = {}
        if by_variable:
            monkeypatch.setenv("HTTPS_PROXY", url)
        else:
            given = {"proxy": url}
        there = place()
        with pytest.raises(errors.ProxyRefused) as caught:
            there.session(**given).run(write(1))
        text = str(caught.value)
        assert f"http://{host}:{port} " in text
        assert "s3cret" not in text
        assert str(status) in text
        assert ("HTTPS_PROXY" if by_variable else "ansible_psrp_proxy") in text
        assert "ansible_psrp_ignore_proxy" in text
        if by_variable:
            session = there.session(ignore_proxy=True)
            session.run(write(1))
            session.close()


def test_a_proxy_that_is_not_there(place: Callable[..., Place]) -> None:
    with pytest.raises(errors.ProxyRefused, match="refused"):
        place().session(proxy=f"http://{FRONT}:9").run(write(1))


def line(there: Place) -> between.Address:
    return (there.server.address, 15986)


@pytest.mark.parametrize("changes", [True, False])
def test_a_handshake_that_is_cut_off_is_made_again(place: Callable[..., Place], changes: bool) -> None:
    there = place()
    with between.cutting_line(FRONT, line(there), cut=[0, 2]) as (host, port):
        way = {"remote_addr": host, "port": port, "cert_validation": "ignore"}
        first = there.session(**way)
        first.run(write(1))
        first.leave()
        second = there.session(**way)
        assert second.run(write(2), changes=changes).output == (2,)
        assert second.resumed is True
        second.close()
    assert there.counters()["sessions_opened"] == 1


def test_a_handshake_that_is_always_cut_off_leaves_the_server_unreachable(
    place: Callable[..., Place],
) -> None:
    there = place()
    with (
        between.cutting_line(FRONT, line(there), cut=range(100)) as (host, port),
        pytest.raises(errors.CannotConnect),
    ):
        there.session(remote_addr=host, port=port, cert_validation="ignore").run(write(1))


def test_tls_that_breaks_while_an_answer_is_read_is_no_refusal(
    place: Callable[..., Place], monkeypatch: pytest.MonkeyPatch
) -> None:
    there = place()
    session = there.session()
    session.run(write(1))
    read = ssl.SSLSocket.recv_into
    broken = []

    def breaking(self: ssl.SSLSocket, *arguments: Any) -> int:
        if not broken:
            broken.append(True)
            read(self, *arguments)
            raise ssl.SSLError(1, "DECRYPTION_FAILED_OR_BAD_RECORD_MAC")
        return read(self, *arguments)

    monkeypatch.setattr(ssl.SSLSocket, "recv_into", breaking)
    with pytest.raises(errors.LostInMidCommand) as caught:
        session.run(Command("Set-Variable", {"Name": "n", "Value": 1}), changes=True)
    assert caught.value.ended is True
    assert there.run_count("Set-Variable") <= 1  # it may have been stopped before it ran


def test_nobody_else_can_read_the_cookies(two_servers: Place) -> None:
    there = two_servers
    with between.load_balancer(FRONT, backends(there), cookie=True) as address:
        session = there.session(**through(address))
        session.run(write(1))
        session.leave()
        assert {path.stat().st_mode & 0o777 for path in Path(there.folder).iterdir()} == {0o600}
        there.session(**through(address)).end()
