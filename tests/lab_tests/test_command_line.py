# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""``python -m lab``: up, down and what is between."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import redirect_stderr, redirect_stdout
from io import StringIO
from pathlib import Path
from typing import Any

import pytest
import yaml
from forked_lab import LabForks
from lab import control
from lab.__main__ import main
from lab.deployment.faults import FAULTS
from lab.engine import EMBEDDED
from lab.injection import COMMAND_FAULTS, REQUEST_FAULTS
from pypsrp.exceptions import AuthenticationError
from pypsrp.powershell import RunspacePool
from pypsrp.wsman import WSMan

from .conftest import powershell, wait_until
from .small import ADDRESS

TESTS = Path(__file__).parents[1]
NETWORK = ADDRESS.rpartition(".")[0]
DEPLOYMENT = {
    "name": "tiny",
    "version": 2013,
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "network": NETWORK,
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "inventory_account": "uc-admin",
    "sites": {"Redmond": {}},
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01"]}},
    "central_management": "pool01.contoso.com",
    "users": [],
}


def lab(*arguments: str | Path, check: bool = True) -> subprocess.CompletedProcess[str]:
    """Run a command of the lab's: ``up`` as a process, which its lab descends from, the others in this one."""
    command = list(map(str, arguments))
    if command[0] == "up":
        return subprocess.run(
            [sys.executable, "-m", "lab", *command], cwd=TESTS, capture_output=True, text=True, check=check
        )
    with redirect_stdout(StringIO()) as printed, redirect_stderr(StringIO()) as complained:
        try:
            code = main(command)
        except SystemExit as end:  # what argparse does after a help
            code = int(end.code or 0)
    done = subprocess.CompletedProcess(command, code, printed.getvalue(), complained.getvalue())
    if check:
        done.check_returncode()
    return done


@pytest.fixture
def deployment(tmp_path: Path) -> Path:
    path = tmp_path / "tiny.yml"
    path.write_text(yaml.safe_dump(DEPLOYMENT))
    return path


@pytest.fixture(scope="module")
def forks() -> Iterator[LabForks]:
    forks = LabForks()
    yield forks
    forks.close()


@pytest.fixture
def state(deployment: Path, tmp_path: Path, forks: LabForks) -> Iterator[Path]:
    """A lab that is up."""
    with forks.running(deployment, tmp_path / "state", EMBEDDED) as running:
        yield running.state


def hosts(state: Path) -> dict[str, dict[str, Any]]:
    """The hosts of the inventory, wherever they are in it."""

    def walk(group: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
        yield from group.get("hosts", {}).items()
        for child in group.get("children", {}).values():
            yield from walk(child)

    return dict(walk(yaml.safe_load((state / "inventory").read_text())["all"]))


def connect(variables: dict[str, Any], **options: Any) -> WSMan:
    return WSMan(
        variables["ansible_host"],
        **{
            "port": variables["ansible_port"],
            "path": variables["ansible_psrp_path"],
            "auth": variables["ansible_psrp_auth"],
            "username": variables["ansible_user"],
            "password": variables["ansible_password"],
            "cert_validation": variables["ansible_psrp_ca_cert"],
            **options,
        },
    )


def test_the_inventory_is_all_a_client_needs(state: Path) -> None:
    for variables in hosts(state).values():
        with RunspacePool(connect(variables)) as pool:
            assert powershell(pool, ("Get-Command", "Get-Command")).invoke()


def test_the_inventory_is_read_by_ansible(state: Path) -> None:
    graph = subprocess.run(
        [Path(sys.executable).parent / "ansible-inventory", "-i", state / "inventory", "--graph"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert "@management" in graph
    assert "@front_ends" in graph
    assert lab("inventory", "--state", state).stdout == (state / "inventory").read_text()


def test_status_and_log(state: Path) -> None:
    variables = hosts(state)["pool01.contoso.com"]
    with RunspacePool(connect(variables)) as pool:
        powershell(pool, ("Get-CsSite",)).invoke()
    with pytest.raises(AuthenticationError):
        RunspacePool(connect(variables, password="wrong")).open()
    status = json.loads(lab("status", "--json", "--state", state).stdout)
    assert status["servers"]["pool01.contoso.com"]["counters"]["sessions_opened"] == 1
    assert status["totals"]["pipelines"] == 1
    assert "pool01.contoso.com" in lab("status", "--state", state).stdout
    assert json.loads(lab("dump", "--state", state).stdout) == status["state"]["settings"]

    log = lab("log", "--state", state).stdout
    assert "Get-CsSite" in log
    assert "authentication_refused" in log
    commands = lab("log", "--event", "command", "--json", "--state", state).stdout.splitlines()
    assert [json.loads(line)["name"] for line in commands] == ["Get-CsSite"]
    assert lab("log", "--writes", "--state", state).stdout == ""

    lab("reset", "--state", state)
    assert lab("log", "--state", state).stdout == ""
    assert json.loads(lab("status", "--json", "--state", state).stdout)["totals"]["requests"] == 0


#: One of every kind of the deployment's own, as a file says it.
FE01 = {"server": "fe01.contoso.com"}
DEPLOYMENT_FAULTS: list[dict[str, Any]] = [
    {"kind": "clock_jump", **FE01, "seconds": 60, "reading": 99},
    {"kind": "clock_offset", **FE01, "seconds": -7200},
    {"kind": "time_zone_changed", **FE01, "zone": "UTC"},
    {"kind": "registry_changed", **FE01, "path": r"HKEY_LOCAL_MACHINE\SOFTWARE\X", "name": "a", "value": 1},
    {"kind": "time_service", **FE01, "state": "stopped"},
    {"kind": "time_server", "name": "time.windows.com", "offset": 5, "reachable": False},
    {"kind": "service_hangs", **FE01, "service": "RTCASMCU"},
    {"kind": "service_works", **FE01, "service": "RTCASMCU"},
    {"kind": "service_fails", **FE01, "service": "RTCAVMCU"},
    {"kind": "services_stopped", **FE01, "service": "rtcavmcu"},
    {"kind": "activity", **FE01, "service": "RTCMEDSRV", "calls": 3},
    {"kind": "server_reboots", "computer": "fe02.contoso.com", "seconds": 3600},
    {"kind": "certificate_replaced", **FE01, "use": "Default", "days_left": -0.5},
    {"kind": "other_administrator", "noun": "CsMediaConfiguration", "EnableQoS": True},
    {"kind": "replication_seconds", "replica": "fe02.contoso.com", "seconds": 3600},
    {"kind": "replication_stuck", **FE01},
    {"kind": "replication_released", **FE01},
    {"kind": "replication_stuck", **FE01},
    {"kind": "change_does_not_stick", "count": 2},
    {"kind": "sql_backend", "name": "sql-pool01.contoso.com"},
    {"kind": "cms_reachable"},
    {"kind": "cms_unreachable"},
]


def test_every_fault_of_the_deployment_may_stand_in_its_file(
    deployment: Path, tmp_path: Path, forks: LabForks
) -> None:
    assert {fault["kind"] for fault in DEPLOYMENT_FAULTS} == set(FAULTS)
    pool = {"site": "Redmond", "computers": ["fe01", "fe02", "fe03"]}
    document = {**DEPLOYMENT, "pools": {"pool01.contoso.com": pool}, "faults": DEPLOYMENT_FAULTS}
    deployment.write_text(yaml.safe_dump(document))
    with forks.running(deployment, tmp_path / "state", EMBEDDED) as running:
        state = running.state
        for _ in range(2):
            shown = json.loads(lab("status", "--json", "--state", state).stdout)["state"]
            fe01, fe02 = shown["computers"]["fe01.contoso.com"], shown["computers"]["fe02.contoso.com"]
            assert (fe01["clock_error"], fe01["time_zone"]) == (-7200, "UTC")
            assert (fe01["services"]["W32Time"], fe01["services"]["RTCAVMCU"]) == ("Stopped", "Stopped")
            assert fe01["services"]["RTCMEDSRV"] == "Running"
            assert (fe01["down"], fe02["down"]) == (False, True)
            assert shown["replicas"]["fe01.contoso.com"]["stuck"]
            assert shown["replicas"]["fe02.contoso.com"]["seconds"] == 3600
            assert not shown["central_management_reachable"]
            assert shown["settings"]["CsMediaConfiguration"][0]["EnableQoS"]
            lab("reset", "--state", state)
        lines = lab("status", "--state", state).stdout
        assert "pool01.contoso.com does not answer" in lines
        assert "fe01.contoso.com: clock -7200.000 s, UTC" in lines


def test_somebody_else_is_faster(state: Path) -> None:
    said = lab(
        "inject",
        *("other_administrator", "--command", "Set-CsMedia*", "--skip", "1"),
        *("--set", "noun=CsMediaConfiguration", "--set", "EnableQoS=true", "--state", state),
    ).stdout
    assert said == "other_administrator before command Set-CsMedia* on *, 1 time(s)\n"
    assert "kind other_administrator, command Set-CsMedia*, skip 1" in lab("status", "--state", state).stdout
    found = []
    with RunspacePool(connect(hosts(state)["pool01.contoso.com"])) as pool:
        for _ in range(3):
            shell = powershell(pool, ("Set-CsMediaConfiguration", "Global"), ("Get-CsMediaConfiguration",))
            (media,) = shell.invoke()
            found.append(media.adapted_properties["EnableQoS"])
            change = powershell(pool, ("Set-CsMediaConfiguration", "Global"))
            change.add_parameter("EnableQoS", False)
            if found[-1]:
                change.invoke()
    assert found == [False, True, False]
    faults = lab("log", "--event", "fault", "--json", "--state", state).stdout.splitlines()
    assert [json.loads(line)["kind"] for line in faults] == ["other_administrator"]


def test_a_fault_of_the_deployment_file_that_there_is_not(deployment: Path, tmp_path: Path) -> None:
    deployment.write_text(yaml.safe_dump({**DEPLOYMENT, "faults": [{"kind": "no-such-fault"}]}))
    done = lab("up", deployment, "--state", tmp_path / "state", check=False)
    assert done.returncode == 1
    assert "there is no fault 'no-such-fault'" in done.stderr


def test_injecting_nonsense(state: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for arguments in (
        ["no-such-fault"],
        ["drop-before", "--set", "times=often"],
        ["delay", "--set", "nonsense=1"],
        ["delay", "--set", "seconds=nan"],
        ["delay", "--server", "nobody"],
        ["clock_offset", "--server", "fe0*", "--set", "seconds=inf"],
        ["clock_offset", "--server", "fe0*", "--set", "seconds=1e300"],
        ["clock_offset", "--server", "fe0*", "--set", "second=1"],
        ["server_reboots", "--server", "fe0*", "--set", "seconds=-1"],
        ["time_server", "--set", "name=time.windows.com", "--set", "reachable=perhaps"],
    ):
        assert main(["inject", *arguments, "--state", str(state)]) == 1, arguments
        said = capsys.readouterr().err
        assert said.startswith("lab: "), arguments
        assert said.count("\n") == 1, arguments


def test_a_lab_that_was_killed_can_be_started_again(deployment: Path, state: Path) -> None:
    process = json.loads((state / "control.json").read_text())["pid"]
    with control.watched(process) as ended:
        os.kill(process, signal.SIGKILL)
        select.select([ended], [], [])
    for command in ("status", "down"):
        done = lab(command, "--state", state, check=False)
        assert (done.returncode, "has died" in done.stderr) == (1, True)
    lab("up", deployment, "--state", state)
    assert lab("status", "--state", state).stdout


@pytest.mark.parametrize("number", [signal.SIGINT, pytest.param(signal.SIGTERM, marks=pytest.mark.sweep)])
def test_a_start_that_is_interrupted_leaves_nothing(
    deployment: Path, tmp_path: Path, number: signal.Signals
) -> None:
    """Whether the lab listens already by then or not, its process ends with the command."""
    state = tmp_path / "state"
    for _ in range(20):
        with subprocess.Popen(
            [sys.executable, "-m", "lab", "up", deployment, "--state", state],
            cwd=TESTS,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            # A shell's background job, which the tests may be, ignores SIGINT and hands that down.
            preexec_fn=lambda: signal.signal(number, signal.SIG_DFL),
        ) as process:
            wait_until(lambda: control.is_running(state))
            process.send_signal(number)
            _, errors = process.communicate()
        if process.returncode != 0:
            break
        lab("down", "--state", state)  # It was up before the signal came.
    assert (process.returncode, errors) == (130, "")
    assert not control.is_running(state)
    assert not (state / "control.json").exists()


def test_a_second_lab_in_the_same_place(state: Path, deployment: Path, tmp_path: Path) -> None:
    again = lab("up", deployment, "--state", state, check=False)
    assert "is running" in again.stderr
    (state / "control.json").rename(state / "elsewhere")  # even while it does not say yet where it listens
    assert "is running" in lab("up", deployment, "--state", state, check=False).stderr
    (state / "elsewhere").rename(state / "control.json")
    elsewhere = lab("up", deployment, "--state", tmp_path / "other", check=False)
    assert elsewhere.returncode == 1
    assert "address already in use" in elsewhere.stderr.lower()
    assert "same network" in elsewhere.stderr


def test_down_leaves_nothing_running(deployment: Path, tmp_path: Path) -> None:
    state = tmp_path / "state"
    lab("up", deployment, "--state", state)
    process = json.loads((state / "control.json").read_text())["pid"]
    lab("down", "--state", state)
    process_state = Path(f"/proc/{process}/stat")
    assert (
        not process_state.exists() or process_state.read_text().split()[2] == "Z"
    )  # nobody may have waited for it yet
    assert not (state / "control.json").exists()
    assert (state / "lab.log").read_text() == ""
    assert "no lab is running" in lab("down", "--state", state, check=False).stderr


@pytest.mark.parametrize("number", [pytest.param(signal.SIGINT, marks=pytest.mark.sweep), signal.SIGTERM])
def test_a_signal_stops_a_lab_in_the_foreground(
    deployment: Path, tmp_path: Path, number: signal.Signals
) -> None:
    state = tmp_path / "state"
    with subprocess.Popen(
        [sys.executable, "-m", "lab", "up", deployment, "--foreground", "--state", state],
        cwd=TESTS,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    ) as process:
        assert process.stdout is not None
        assert "The lab is up" in process.stdout.readline()
        pool = RunspacePool(connect(hosts(state)["pool01.contoso.com"]))
        pool.open()
        process.send_signal(number)
        _, errors = process.communicate(timeout=20)
        assert (process.returncode, errors) == (0, "")


@pytest.mark.parametrize(
    ("make", "text"),
    [
        (lambda path: None, "there is no deployment file"),
        (lambda path: path.write_text("name: x\n"), "lab did not start"),
    ],
    ids=["missing", "incomplete"],
)
def test_a_bad_deployment_file(tmp_path: Path, make: Callable[[Path], Any], text: str) -> None:
    path = tmp_path / "bad.yml"
    make(path)
    done = lab("up", path, "--state", tmp_path / "state", check=False)
    assert done.returncode == 1
    assert text in done.stderr


@pytest.mark.parametrize("command", ["up", "down", "status", "log", "inject", "inventory", "reset"])
def test_help_fits_a_terminal(command: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    text = lab(command, "--help").stdout
    assert "--state DIR" in text
    assert max(map(len, text.splitlines())) <= 80


def test_help_lists_every_fault() -> None:
    text = lab("inject", "--help").stdout
    for kind in (*REQUEST_FAULTS, *COMMAND_FAULTS, *FAULTS):
        assert f"\n  {kind}" in text
