# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A real PowerShell behind the lab: the lab's commands in it, its processes, and the clock of this machine."""

from __future__ import annotations

import json
import os
import select
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.deployment import build_deployment
from lab.engine.external import ExternalEngine
from lab.journal import read
from lab.runtime import Lab
from pypsrp.complex_objects import PSInvocationState
from pypsrp.exceptions import WinRMError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError as TransportError
from running import running_lab

from .conftest import wait_until
from .direct import document
from .small import ADDRESS, RunningLab

NETWORK = f"{ADDRESS.rpartition('.')[0].rpartition('.')[0]}.251"
LISTENER = {"scheme": "https", "port": 15986, "authentication": ["basic"]}
FRONT_END, POOL = "fe01.contoso.com", "pool01.contoso.com"
KEY = r"HKLM:\SOFTWARE\Policies\Microsoft\lab"


def deployment(**changes: Any) -> dict[str, Any]:
    made = document("2013", network=NETWORK, listeners={"management": [LISTENER], "computers": [LISTENER]})
    return {**made, "replication": {"seconds": 0}, **changes}


class EngineLab(RunningLab):
    """A deployment whose sessions run on that PowerShell."""

    def __init__(self, state: Path, command: str, **changes: Any) -> None:
        super().__init__(state)
        self._deployment = build_deployment(deployment(**changes))
        self._engine = ExternalEngine(command, state / "engine")
        self._engine.prepare(self._deployment.servers)  # compiles, which takes longer than a start may

    def _make(self) -> Lab:
        return Lab(self._deployment, self.state, self._engine)

    def wsman(self, name: str, account: str = "uc-admin", **options: Any) -> WSMan:
        server = next(server for server in self._deployment.servers if server.name == name)
        return WSMan(
            server.address,
            port=15986,
            auth="basic",
            username=f"CONTOSO\\{account}",
            password="x",
            cert_validation=self.ca,
            path="OcsPowershell" if name == POOL else "wsman",
            **options,
        )

    @property
    def journal(self) -> list[dict[str, Any]]:
        return read(self.lab.journal.path)

    def commands(self) -> list[tuple[str, str, bool]]:
        """Name, result and whether it wrote, of the commands so far."""
        entries = [entry for entry in self.journal if entry["event"] == "command"]
        return [(entry["name"], entry["result"].partition(",")[0], entry["writes"]) for entry in entries]


class Answers(PSHostUserInterface):
    """A client's host that gives the same answer to every question."""

    choice = 0

    def PromptForChoice(self, *arguments: Any) -> int:
        return self.choice


class Session:
    """A runspace pool, and a short way to run statements in it."""

    def __init__(self, lab: EngineLab, server: str, account: str = "uc-admin") -> None:
        self.lab = lab
        self.ui = Answers()
        host = PSHost(None, None, False, "test", None, self.ui, "1.0")
        self.pool = RunspacePool(lab.wsman(server, account), host=host)

    def pipeline(self, *statements: tuple[Any, ...]) -> PowerShell:
        shell = PowerShell(self.pool)
        for number, (name, *arguments) in enumerate(statements):
            if number:
                shell.add_statement()
            shell.add_cmdlet(name)
            for argument in arguments:
                if isinstance(argument, dict):
                    shell.add_parameters(argument)
                else:
                    shell.add_argument(argument)
        return shell

    def run(self, *statements: tuple[Any, ...]) -> PowerShell:
        shell = self.pipeline(*statements)
        shell.invoke()
        return shell

    def script(self, text: str) -> PowerShell:
        shell = PowerShell(self.pool)
        shell.add_script(text)
        shell.invoke()
        return shell

    def process(self) -> int:
        """The identifier of the PowerShell's process, which the lab started for this session."""
        service = self.lab.lab.services[FRONT_END]
        return next(int(shell.plugin._pool._process.pid) for shell in service.shells.values())  # type: ignore[attr-defined]


def errors(shell: PowerShell) -> list[str]:
    return [str(error.fq_error).partition(",")[0] for error in shell.streams.error]


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory, powershell_command: str) -> Iterator[EngineLab]:
    quotas = {"idle_timeout_minimum_s": 0.1}
    with EngineLab(tmp_path_factory.mktemp("lab"), powershell_command, quotas=quotas) as running:
        yield running  # type: ignore[misc]


def sessions(server: str) -> Callable[[EngineLab], Iterator[Session]]:
    def session(lab: EngineLab) -> Iterator[Session]:
        made = Session(lab, server)
        with made.pool:
            yield made

    return session


management = pytest.fixture(scope="module", name="management")(sessions(POOL))
computer = pytest.fixture(scope="module", name="computer")(sessions(FRONT_END))


# Commands


def test_the_objects_of_the_lab_are_serialised_by_powershell(management: Session) -> None:
    (media,) = management.run(("Get-CsMediaConfiguration",)).output
    type_name = "Microsoft.Rtc.Management.WritableConfig.Settings.Media.MediaSettings"
    assert media.types == [type_name, "System.Object"]
    assert media.to_string == type_name
    assert media.adapted_properties["EnableQoS"] is False
    assert media.adapted_properties["EncryptionLevel"] == "RequireEncryption"
    site = management.run(("Get-CsSite", {"Identity": "Redmond"})).output[0]
    deploy = "Microsoft.Rtc.Management.Deploy.Internal"
    assert site.types == [f"{deploy}.Site+CentralSite", f"{deploy}.Site", "System.Object"]
    assert site.to_string == "Site:Redmond"
    assert site.adapted_properties["Pools"] == ["pool01.contoso.com", "edge.contoso.com"]


def test_values_of_all_types_arrive_as_they_are(computer: Session) -> None:
    (service,) = computer.run(("Get-Service", {"Name": "W32Time"})).output
    assert service.types[0] == "System.ServiceProcess.ServiceController"
    assert service.adapted_properties["Status"] == "Running"  # an enumeration one level down
    shown = computer.script(
        "$date = Get-Date; $date.GetType().FullName; $date.DisplayHint.GetType().FullName; "
        "(Get-CsAVEdgeConfiguration).MaxTokenLifetime.GetType().FullName; "
        "(Get-CsAVEdgeConfiguration).MaxBandwidthPerUserKb.GetType().FullName; "
        "(Get-CsMediaConfiguration).EncryptionLevel.GetType().IsEnum"
    )
    hint = "Microsoft.PowerShell.Commands.DisplayHintType"
    assert shown.output == ["System.DateTime", hint, "System.TimeSpan", "System.UInt32", True]


@pytest.mark.parametrize(
    ("command", "parameters", "error"),
    [
        ("Set-CsMediaConfiguration", {"Nonsense": 1}, "NamedParameterNotFound"),
        ("Set-CsMediaConfiguration", {"Enable": True}, "AmbiguousParameter"),
        ("Set-CsMediaConfiguration", {"EncryptionLevel": "Nonsense"}, "CannotConvertArgumentNoMessage"),
        ("Set-CsMediaConfiguration", {"EnableQoS": "yes"}, "CannotConvertArgument"),
        ("Get-CsMediaConfiguration", {"Identity": ""}, "CannotConvertArgumentNoMessage"),
        ("Get-CsMediaConfiguration", {"Identity": "Site:Nowhere"}, "SiteNotFound"),
        ("Get-CsNonsense", {}, "CommandNotFoundException"),
    ],
)
def test_powershell_binds_and_refuses(
    command: str, parameters: dict[str, Any], error: str, management: Session
) -> None:
    before = len(management.lab.commands())
    assert errors(management.run((command, parameters))) == [error]
    wait_until(lambda: len(management.lab.commands()) > before)
    assert management.lab.commands()[before:] == [(command, error, False)]


def test_an_unambiguous_beginning_is_a_parameter(management: Session) -> None:
    shell = management.run(("Set-CsMediaConfiguration", {"EnableQ": True, "WhatIf": True}))
    assert errors(shell) == []
    assert "CsMediaConfiguration" in "".join(management.ui.stdout)


def test_what_if_and_confirm_are_powershells(management: Session) -> None:
    def is_on() -> Any:
        return management.run(("Get-CsMediaConfiguration",)).output[0].adapted_properties["EnableQoS"]

    change = {"EnableQoS": True}
    management.ui.stdout.clear()
    management.run(("Set-CsMediaConfiguration", {**change, "WhatIf": True}))
    assert len(management.ui.stdout) == 1
    assert is_on() is False
    management.ui.choice = 2  # no
    management.run(("Set-CsMediaConfiguration", {**change, "Confirm": True}))
    assert is_on() is False
    management.ui.choice = 0  # yes
    management.run(("Set-CsMediaConfiguration", {**change, "Confirm": True}))
    assert is_on() is True
    sets = [writes for name, _, writes in management.lab.commands() if name.startswith("Set-")][-3:]
    assert sets == [False, False, True]


def test_a_restricted_endpoint_has_the_commands_of_a_persons_roles(lab: EngineLab) -> None:
    session = Session(lab, POOL, "viewer")
    with session.pool:
        assert (
            errors(session.run(("Get-CsMediaConfiguration",), ("Get-Command", {"Name": "Get-CsSite"}))) == []
        )
        for command in ("Set-CsMediaConfiguration", "Get-Date", "w32tm"):
            assert errors(session.run((command,))) == ["CommandNotFoundException"]
        assert errors(session.script("1 + 1")) == ["ScriptsNotAllowed"]


def test_the_journal_has_every_command_at_its_place(computer: Session) -> None:
    before = len(computer.lab.commands())
    shell = computer.run(
        ("Get-Command", {"Name": "Get-CsSite"}),
        ("Set-CsMediaConfiguration", {"EnableSiren": True}),
        ("Get-CsMediaConfiguration", {"Identity": "Global"}),
        ("Get-CsMediaConfiguration", {"Nonsense": 1}),
    )
    assert errors(shell) == ["NamedParameterNotFound"]
    expected = [
        ("Get-Command", "completed", False),
        ("Set-CsMediaConfiguration", "completed", True),
        ("Get-CsMediaConfiguration", "completed", False),
        ("Get-CsMediaConfiguration", "NamedParameterNotFound", False),
    ]
    wait_until(lambda: len(computer.lab.commands()) >= before + len(expected))
    assert computer.lab.commands()[before:] == expected
    entries = [entry for entry in computer.lab.journal if entry["event"] == "command"][before:]
    assert [entry["statement"] for entry in entries] == [0, 1, 2, 3]
    assert len({entry["pipeline"] for entry in entries}) == 1
    assert entries[0]["parameters"] == {"Name": ["Get-CsSite"]}
    assert entries[1]["parameters"] == {"EnableSiren": True}


def test_what_runs_unheard_after_a_terminating_error_is_in_the_journal(computer: Session) -> None:
    before = len(computer.lab.commands())
    computer.run(("Get-CsNonsense",), ("Get-CsSite",), ("Set-CsMediaConfiguration", {"EnableSiren": False}))
    wait_until(lambda: len(computer.lab.commands()) >= before + 3)
    assert computer.lab.commands()[before:] == [
        ("Get-CsNonsense", "CommandNotFoundException", False),
        ("Get-CsSite", "completed", False),
        ("Set-CsMediaConfiguration", "completed", True),
    ]


def test_faults_strike_commands_in_the_process(computer: Session) -> None:
    inject = computer.lab.lab.inject
    options = {"command": "Get-CsSite", "message": "It broke.", "id": "Broken", "category": "ResourceBusy"}
    inject({"kind": "error", "server": FRONT_END, "options": options})
    assert errors(computer.run(("Get-CsSite",), ("Get-CsPool",))) == ["Broken"]
    inject({"kind": "no-effect", "server": FRONT_END, "options": {"command": "Set-CsMediaConfiguration"}})
    before = computer.run(("Get-CsMediaConfiguration",)).output[0].adapted_properties["EnableQoS"]
    computer.run(("Set-CsMediaConfiguration", {"EnableQoS": not before}))
    assert computer.run(("Get-CsMediaConfiguration",)).output[0].adapted_properties["EnableQoS"] == before


def test_a_connection_is_dropped_from_the_pipeline_whose_command_was_to_lose_it(lab: EngineLab) -> None:
    options = {"command": "Get-CsPool"}
    session = Session(lab, FRONT_END)
    session.pool.open()
    session.run(("Get-Date",))  # of another module than the next
    lab.lab.inject({"kind": "drop-after", "server": FRONT_END, "options": options})
    with pytest.raises(TransportError):
        session.run(("Get-CsPool",))
    entries = {entry["name"]: entry for entry in lab.journal if entry["event"] == "command"}
    assert entries["Get-Date"]["pipeline"] != entries["Get-CsPool"]["pipeline"]
    session.pool.close()


def test_a_command_that_hangs_can_be_stopped(computer: Session) -> None:
    hang = {"command": "Get-CsPool", "seconds": "0"}
    computer.lab.lab.inject({"kind": "hang", "server": FRONT_END, "options": hang})
    shell = computer.pipeline(("Get-CsPool",))
    shell.begin_invoke()
    wait_until(
        lambda: any(
            entry["event"] == "fault" and entry["name"] == "Get-CsPool" for entry in computer.lab.journal
        )
    )
    shell.stop()
    assert shell.state == PSInvocationState.STOPPED
    assert errors(computer.run(("Get-CsPool",))) == []


# What Windows has


def test_native_programs_are_programs(computer: Session) -> None:
    assert computer.run(("tzutil", "/g")).output == ["Pacific Standard Time"]
    assert computer.run(("hostname",)).output == ["FE01"]
    refused = computer.run(("tzutil", "/s", "Nonsense"))
    assert errors(refused) == ["NativeCommandError"]
    assert computer.script("tzutil /s Nonsense 2>$null; $LASTEXITCODE").output == [1]
    assert ("tzutil", "completed", True) in computer.lab.commands()
    (found,) = computer.run(("Get-Command", {"Name": "w32tm"})).output
    assert found.adapted_properties["CommandType"] == "Application"


def test_the_registry_is_the_simulated_computers(computer: Session) -> None:
    computer.run(("New-Item", {"Path": KEY, "Force": True}))
    value = {"LiteralPath": KEY, "Name": "Number", "PropertyType": "DWord", "Value": 7}
    computer.run(("New-ItemProperty", value))
    (held,) = computer.run(("Get-ItemProperty", {"LiteralPath": KEY})).output
    assert held.extended_properties["Number"] == 7
    computer.run(("Remove-Item", {"LiteralPath": KEY}))
    assert errors(computer.run(("Get-ItemProperty", {"LiteralPath": KEY}))) == ["PathNotFound"]


def test_services_are_the_simulated_computers(computer: Session) -> None:
    computer.run(("Stop-Service", {"Name": "W32Time"}))
    (service,) = computer.run(("Get-Service", {"Name": "W32Time"})).output
    assert service.adapted_properties["Status"] == "Stopped"
    computer.run(("Start-Service", {"Name": "W32Time"}))


# The clock of this machine


def test_set_date_moves_the_simulated_clock_and_no_other(computer: Session) -> None:
    (command,) = computer.run(("Get-Command", {"Name": "Set-Date"})).output
    assert command.adapted_properties["ModuleName"] == "Computer"
    here, elapsed = time.time(), time.monotonic()
    machine = computer.lab.lab.deployment.machine(FRONT_END)  # type: ignore[attr-defined]
    before = machine.clock.error()
    computer.run(("Set-Date", {"Adjust": "1:00:00"}))
    assert machine.clock.error() - before == pytest.approx(3600, abs=1)
    assert time.time() - here == pytest.approx(time.monotonic() - elapsed, abs=60)
    computer.run(("Set-Date", {"Adjust": "-1:00:00"}))


def test_powershells_own_set_date_may_not_set_the_clock(computer: Session) -> None:
    refused = computer.script(r"Microsoft.PowerShell.Utility\Set-Date -Adjust 0:00:00.001")
    assert errors(refused) == ["System.ComponentModel.Win32Exception"]
    status = Path(f"/proc/{computer.process()}/status").read_text(encoding="utf-8")
    held = dict(line.split(":\t", 1) for line in status.splitlines() if ":\t" in line)
    for capabilities in ("CapPrm", "CapEff", "CapBnd", "CapAmb"):
        if capabilities != "CapBnd" or os.geteuid() == 0:
            assert not int(held[capabilities], 16) >> 25 & 1, capabilities  # CAP_SYS_TIME
    assert held["NoNewPrivs"] == "1"


def test_no_program_of_this_machine_is_found(computer: Session) -> None:
    assert errors(computer.run(("uname",))) == ["CommandNotFoundException"]


# Processes


def ended(process: int) -> Callable[[], bool]:
    """To be made while the process lives: waits for its end."""
    descriptor = os.pidfd_open(process)

    def wait() -> bool:
        try:
            return bool(select.select([descriptor], [], [], 30)[0])
        finally:
            os.close(descriptor)

    return wait


def test_a_process_ends_with_its_pool(lab: EngineLab) -> None:
    session = Session(lab, FRONT_END)
    with session.pool:
        (process,) = session.script("$pid").output
        is_over = ended(process)
    assert is_over()
    assert lab.journal[-1]["reason"] == "deleted"


def test_a_process_ends_when_its_shell_was_idle_for_too_long(lab: EngineLab) -> None:
    session = Session(lab, FRONT_END)
    session.pool = RunspacePool(lab.wsman(FRONT_END), idle_timeout=2)
    session.pool.open()
    (process,) = session.script("$pid").output
    assert ended(process)()
    wait_until(lambda: lab.journal[-1].get("reason") == "idle time-out")


def test_a_shell_ends_with_its_process(lab: EngineLab) -> None:
    session = Session(lab, FRONT_END)
    session.pool.open()
    (process,) = session.script("$pid").output
    os.kill(process, signal.SIGKILL)
    wait_until(lambda: lab.journal[-1]["event"] == "session_closed")
    assert lab.journal[-1]["reason"] == "its process ended"
    with pytest.raises(WinRMError):
        session.run(("Get-CsSite",))


def test_no_process_is_left_of_a_lab_that_is_killed(tmp_path: Path, powershell_command: str) -> None:
    path = tmp_path / "deployment.yml"
    path.write_text(yaml.safe_dump(deployment(network=f"{NETWORK[:-3]}250")), encoding="utf-8")
    with running_lab(path, tmp_path / "lab", powershell_command) as running:
        control = json.loads((running.state / "control.json").read_text(encoding="utf-8"))
        address = f"{NETWORK[:-3]}250.2"
        ca = str(running.state / "certificates" / "ca.pem")
        logon = {"auth": "basic", "username": "CONTOSO\\uc-admin", "password": "x", "cert_validation": ca}
        pool = RunspacePool(WSMan(address, port=15986, **logon))
        pool.open()
        shell = PowerShell(pool)
        shell.add_script("$pid")
        (process,) = shell.invoke()
        is_over = ended(process)
        os.kill(control["pid"], signal.SIGKILL)
        assert is_over()


def test_what_is_no_program_cannot_be_the_engine(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="no-such-program"):
        ExternalEngine("no-such-program --option", tmp_path).prepare([])
