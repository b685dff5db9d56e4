# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Every fault of the protocol, from deployment file and command line: whom it strikes, and what pypsrp makes of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from lab.__main__ import main
from lab.deployment import build_deployment
from lab.injection import COMMAND_FAULTS, REQUEST_FAULTS, Rule
from lab.journal import read
from lab.runtime import Lab
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import AuthenticationError, WinRMError, WinRMTransportError, WSManFaultError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan
from requests.exceptions import ChunkedEncodingError, ConnectionError, SSLError

from .conftest import powershell
from .direct import document
from .small import RunningLab
from .test_deployment_wire import NETWORK

LOST = (ConnectionError, ChunkedEncodingError)
#: The command in whose way faults are put.
SET_ZONE = ("tzutil", "/s", "UTC")


class FaultyLab(RunningLab):
    """A modelled deployment with the faults that its file says."""

    def __init__(self, state: Path, faults: list[dict[str, Any]]) -> None:
        super().__init__(state)
        self.faults = faults

    def _make(self) -> Lab:
        listener = {"scheme": "https", "port": 15986, "authentication": ["basic", "negotiate"]}
        listeners = {"computers": [listener], "management": [listener]}
        made = document("2013", network=NETWORK, listeners=listeners, faults=self.faults)
        return Lab(build_deployment(made), self.state)

    def pool(self, host: str) -> RunspacePool:
        server = next(s for s in self.lab.deployment.servers if s.name == f"{host}.contoso.com")
        wsman = WSMan(
            server.address,
            port=15986,
            auth="basic",
            username="CONTOSO\\uc-admin",
            password="x",
            cert_validation=self.ca,
            reconnection_retries=0,
        )
        pool = RunspacePool(wsman)
        pool.open()
        return pool

    def entries(self, event: str) -> list[dict[str, Any]]:
        return [entry for entry in read(self.lab.journal.path) if entry["event"] == event]


@dataclass(frozen=True)
class Case:
    """A fault, what its victim sees, and whether the command took effect."""

    kind: str
    options: dict[str, Any]
    seen: Callable[[RunspacePool], None]
    effect: bool = False
    name: str = field(default="")


def raises(*errors: type[BaseException], code: int | None = None) -> Callable[[RunspacePool], None]:
    def check(pool: RunspacePool) -> None:
        with pytest.raises(errors) as caught:
            powershell(pool, SET_ZONE).invoke()
        if code is not None:
            assert isinstance(caught.value, WSManFaultError)
            assert caught.value.code == code

    return check


def nothing(pool: RunspacePool) -> None:
    shell = powershell(pool, SET_ZONE)
    shell.invoke()
    assert shell.state == PSInvocationState.COMPLETED
    assert not shell.had_errors


def an_error(pool: RunspacePool) -> None:
    shell = powershell(pool, SET_ZONE)
    shell.invoke()
    assert shell.state == PSInvocationState.FAILED
    assert str(shell.streams.error[0]) == "It broke."


def no_end(pool: RunspacePool) -> None:
    shell = powershell(pool, SET_ZONE)
    shell.begin_invoke()
    with pytest.raises(WSManFaultError) as caught:
        pool._receive(shell.id, timeout=1)
    assert caught.value.code == 2150858793
    shell.stop()


def half_an_object(pool: RunspacePool) -> None:
    """pypsrp hands over as text what it cannot read. What is written afterwards takes effect."""
    (read,) = powershell(pool, ("Get-Date",)).invoke()
    assert read.startswith("<Obj ")
    assert not read.endswith("</Obj>")
    nothing(pool)


def no_such_message(pool: RunspacePool) -> None:
    with pytest.raises(KeyError):
        powershell(pool, ("Get-Date",)).invoke()
    nothing(pool)


def without_a_reason(state: int) -> Callable[[RunspacePool], None]:
    def check(pool: RunspacePool) -> None:
        shell = powershell(pool, SET_ZONE)
        shell.invoke()
        assert (shell.state, shell.streams.error) == (state, [])

    return check


def of_another(identity: str) -> Callable[[RunspacePool], None]:
    def check(pool: RunspacePool) -> None:
        shell, messages = powershell(pool, SET_ZONE), []
        defragment = pool._fragmenter.defragment
        pool._fragmenter.defragment = lambda data: messages.extend(defragment(data)) or messages
        shell.invoke()
        own = {"pid": shell.id, "rpid": pool.id}[identity]
        assert {str(getattr(message, identity)).upper() for message in messages}.isdisjoint({own.upper()})

    return check


def twice(pool: RunspacePool) -> None:
    assert len(powershell(pool, ("Get-Date",)).invoke()) == 2
    nothing(pool)


RECEIVE = {"request": "Receive", "skip": 2}  # two open the session
COMMAND, TZUTIL = {"request": "Command"}, {"command": "tzutil"}
CASES = [
    Case("drop-before", COMMAND, raises(*LOST)),
    Case("drop-after", COMMAND, raises(*LOST), effect=True),
    Case("drop-after", RECEIVE, raises(*LOST), effect=True),
    Case("delay", {**COMMAND, "seconds": 0.1}, nothing, effect=True),
    Case("status", {**COMMAND, "code": 401}, raises(AuthenticationError)),
    Case("status", {**COMMAND, "code": 500}, raises(WinRMTransportError)),
    Case("status", {**COMMAND, "code": 503}, raises(WinRMTransportError)),
    Case("status-after", {**COMMAND, "code": 503}, raises(WinRMTransportError), effect=True),
    Case("page", {**COMMAND, "code": 200}, raises(SyntaxError)),
    Case("garbage", COMMAND, raises(SyntaxError), effect=True),
    Case("truncate", COMMAND, raises(*LOST), effect=True),
    Case("chunks-cut-off", COMMAND, raises(*LOST), effect=True),
    Case("reset", COMMAND, raises(*LOST), effect=True),
    Case("headers-cut-off", COMMAND, raises(SyntaxError), effect=True),
    Case("trickle", {**COMMAND, "seconds": 0.1}, nothing, effect=True),
    Case("wrong-type", COMMAND, nothing, effect=True),
    Case("unreadable-output", RECEIVE, half_an_object, effect=True),
    Case("unknown-message", RECEIVE, no_such_message, effect=True),
    Case("no-final-state", RECEIVE, raises(WSManFaultError, code=2150858843), effect=True),
    Case("failed", RECEIVE, without_a_reason(PSInvocationState.FAILED), effect=True),
    Case("stopped", RECEIVE, without_a_reason(PSInvocationState.STOPPED), effect=True),
    Case("another-pipeline", RECEIVE, of_another("pid"), effect=True),
    Case("another-pool", RECEIVE, of_another("rpid"), effect=True),
    Case("said-twice", RECEIVE, twice, effect=True),
    Case("another-request", COMMAND, raises(WinRMError), effect=True),
    Case("authenticate-again", COMMAND, raises(AuthenticationError)),
    Case("fault-after", {**COMMAND, "code": 1359}, raises(WSManFaultError, code=1359), effect=True),
    Case("maintenance", COMMAND, raises(WSManFaultError, code=2150859118)),
    Case("fault", {**COMMAND, "code": 2150858815, "message": "Busy."}, raises(WSManFaultError, code=2150858815)),
    Case("shell-vanishes", COMMAND, raises(WSManFaultError, code=2150858843)),
    Case("drop-before", TZUTIL, raises(*LOST)),
    Case("drop-after", TZUTIL, raises(*LOST), effect=True),
    Case("hang", TZUTIL, no_end),
    Case("hang", {**TZUTIL, "seconds": 0.1}, nothing, effect=True),
    Case("error", {**TZUTIL, "message": "It broke."}, an_error),
    Case("no-effect", TZUTIL, nothing),
]  # fmt: skip


def test_every_fault_is_here() -> None:
    struck = {(case.kind, "command" in case.options) for case in CASES} | {("tls-failure", False)}
    known = {(kind, False) for kind in REQUEST_FAULTS} | {(kind, True) for kind in COMMAND_FAULTS}
    assert struck == known


def zone(running: FaultyLab, host: str) -> str:
    deployment: Any = running.lab.deployment
    return str(deployment.machine(f"{host}.contoso.com").zone.name)


def inject(running: FaultyLab, kind: str, server: str, options: dict[str, Any]) -> None:
    """By the command line."""
    flags = {name: options[name] for name in ("request", "command", "times", "skip") if name in options}
    arguments = ["inject", kind, "--server", server, "--state", str(running.state)]
    for name, value in flags.items():
        arguments += [f"--{name}", str(value)]
    for name, value in options.items():
        if name not in flags:
            arguments += ["--set", f"{name}={value}"]
    assert main(arguments) == 0


@pytest.fixture
def lab(tmp_path: Path) -> Iterator[Callable[..., FaultyLab]]:
    labs: list[FaultyLab] = []

    def start(*faults: dict[str, Any]) -> FaultyLab:
        labs.append(FaultyLab(tmp_path / "lab", list(faults)))
        return labs[-1].__enter__()  # type: ignore[return-value]  # it returns itself

    yield start
    for running in labs:
        running.__exit__()


@pytest.mark.parametrize("source", ["file", "command line"])
@pytest.mark.parametrize(
    "case", CASES, ids=lambda case: f"{case.kind}-{'-'.join(map(str, case.options.values()))}"
)
def test_a_fault(lab: Callable[..., FaultyLab], case: Case, source: str) -> None:
    server = "fe01.*"
    running = lab({"kind": case.kind, "server": server, **case.options}) if source == "file" else lab()
    if source != "file":
        inject(running, case.kind, server, case.options)
    other, pool = running.pool("fe02"), running.pool("fe01")
    nothing(other)
    case.seen(pool)
    (struck,) = running.entries("fault")
    assert (struck["server"], struck["kind"]) == ("fe01.contoso.com", case.kind)
    # Whoever asks again meets it no more.
    assert powershell(running.pool("fe01"), ("Get-Date",)).invoke()
    assert zone(running, "fe01") == ("UTC" if case.effect else "Pacific Standard Time")
    assert zone(running, "fe02") == "UTC"


@pytest.mark.parametrize("source", ["file", "command line"])
def test_tls_fails(lab: Callable[..., FaultyLab], source: str) -> None:
    fault = {"kind": "tls-failure", "server": "fe01.*", "times": 2}
    running = lab(fault) if source == "file" else lab()
    if source != "file":
        inject(running, "tls-failure", "fe01.*", {"times": 2})
    for _ in range(2):
        running.pool("fe02")
        with pytest.raises(SSLError):
            running.pool("fe01")
    running.pool("fe01")
    assert [entry["kind"] for entry in running.entries("fault")] == ["tls-failure"] * 2


@pytest.mark.parametrize("source", ["file", "command line"])
def test_a_server_reboots(lab: Callable[..., FaultyLab], source: str) -> None:
    fault = {"kind": "server_reboots", "server": "fe01.contoso.com", "seconds": 1000000}
    running = lab(fault) if source == "file" else lab()
    if source != "file":
        inject(running, "server_reboots", "fe01.contoso.com", {"seconds": 1000000})
    running.pool("fe02")
    with pytest.raises(ConnectionError, match="refused"):
        running.pool("fe01")


def test_a_fault_that_comes_again_after_a_reset(lab: Callable[..., FaultyLab]) -> None:
    running = lab({"kind": "status", "server": "fe01.*", "request": "Create", "code": 503})
    for _ in range(2):
        with pytest.raises(WinRMTransportError):
            running.pool("fe01")
        running.pool("fe01")
        assert main(["reset", "--state", str(running.state)]) == 0


def test_how_often_and_from_when_on(lab: Callable[..., FaultyLab]) -> None:
    running = lab()
    inject(running, "status", "fe01.*", {"request": "C*", "skip": 3, "times": 2, "code": 503})
    pool = running.pool("fe01")  # a Create, one of those that are spared
    for code in (None, None, 503, 503, None):
        if code is None:
            nothing(pool)
        else:
            with pytest.raises(WinRMTransportError, match="503"):
                powershell(pool, SET_ZONE).invoke()


@pytest.mark.parametrize(
    "options",
    [{"times": -1}, {"skip": -1}, {"seconds": float("nan")}, {"command": "Set-*", "kind": "tls-failure"}],
)
def test_a_rule_that_makes_no_sense(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"cannot be negative|is no fault of"):
        Rule(**{"kind": "delay", **options})
