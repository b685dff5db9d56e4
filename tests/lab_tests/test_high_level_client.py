# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp's high-level client, and streams merged into the output, with the modelled deployment."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from lab.deployment import build_deployment
from lab.runtime import Lab
from pypsrp.client import Client
from pypsrp.complex_objects import PipelineResultTypes, PSInvocationState
from pypsrp.exceptions import WinRMError
from pypsrp.host import PSHost, PSHostUserInterface
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from .direct import document
from .small import RunningLab

LOGON = {"auth": "basic", "username": "CONTOSO\\uc-admin", "password": "x"}


class DeployedLab(RunningLab):
    """A running lab with a modelled deployment: its web service, and WinRM of its computers."""

    def _make(self) -> Lab:
        listener = {"scheme": "https", "port": 15986, "authentication": ["basic"]}
        ports = {"management": [listener], "computers": [listener]}
        made = document("2013", network="127.0.202", listeners=ports, replication={"seconds": 0})
        return Lab(build_deployment(made), self.state)

    def address(self, name: str) -> str:
        return next(server.address for server in self.lab.deployment.servers if server.name == name)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedLab]:
    with DeployedLab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def management(running: DeployedLab) -> Iterator[Client]:
    """The high-level client at the web service."""
    address = running.address("pool01.contoso.com")
    with Client(address, port=15986, path="OcsPowershell", cert_validation=running.ca, **LOGON) as client:
        yield client


@pytest.fixture
def computer(running: DeployedLab) -> Iterator[Client]:
    """The high-level client at a Front End's WinRM."""
    address = running.address("fe01.contoso.com")
    with Client(address, port=15986, cert_validation=running.ca, **LOGON) as client:
        yield client


@pytest.fixture
def pool(management: Client) -> Iterator[RunspacePool]:
    wsman: WSMan = management.wsman
    with RunspacePool(wsman) as opened:
        yield opened


def test_the_high_level_client(computer: Client) -> None:
    output, streams, had_errors = computer.execute_ps("Write-Output 'one', 2; Write-Warning 'careful'")
    assert (output, had_errors) == ("one\n2", False)
    assert [record.message for record in streams.warning] == ["careful"]
    # An error that ends a statement of a script does not fail the pipeline, which is all that pypsrp looks at.
    output, streams, had_errors = computer.execute_ps("Get-CsUser kenmyer")
    assert (output, had_errors) == ("", False)
    assert "'Get-CsUser' is not recognized" in str(streams.error[0])
    output, streams, had_errors = computer.execute_ps("Import-Module Lync; Get-CsUser kenmyer")
    assert "DisplayName" in output
    assert "Ken Myer" in output


@pytest.mark.filterwarnings("error")
def test_files_are_copied_and_fetched(computer: Client, tmp_path: Path) -> None:
    file, fetched = tmp_path / "file.txt", tmp_path / "fetched.txt"
    file.write_bytes(bytes(range(256)) * 100)
    assert computer.copy(str(file), "%TEMP%\\file.bin", expand_variables=True) == (
        "C:\\Users\\uc-admin\\AppData\\Local\\Temp\\file.bin"
    )
    computer.fetch("C:\\Users\\uc-admin\\AppData\\Local\\Temp\\file.bin", str(fetched))
    assert fetched.read_bytes() == file.read_bytes()
    with pytest.raises(WinRMError, match=r"The path at 'C:.nothing' does not exist"):
        computer.fetch("C:\\nothing", str(fetched))


def test_the_web_service_takes_no_scripts(management: Client) -> None:
    output, streams, had_errors = management.execute_ps("Get-CsUser kenmyer")
    assert (output, had_errors) == ("", True)
    assert "'Invoke-Expression' is not recognized" in str(streams.error[0])


def test_errors_merged_into_the_output(pool: RunspacePool) -> None:
    shell = PowerShell(pool).add_cmdlet("Get-CsUser").add_argument("nobody")
    shell.commands[0].merge_error = PipelineResultTypes(value=PipelineResultTypes.OUTPUT)
    shell.add_statement().add_cmdlet("Get-CsUser").add_argument("kenmyer")
    error, user = shell.invoke()
    assert str(error) == 'Management object not found for identity "nobody".'
    assert error.message.startswith("ObjectNotFound: (:) [Get-CsUser], ")
    assert user.adapted_properties["DisplayName"] == "Ken Myer"
    assert shell.streams.error == []


def test_errors_thrown_away(pool: RunspacePool) -> None:
    shell = PowerShell(pool).add_cmdlet("Get-CsUser").add_argument("nobody")
    shell.commands[0].merge_error = PipelineResultTypes(value=PipelineResultTypes.NULL)
    assert shell.invoke() == []
    assert shell.streams.error == []


def test_earlier_errors_go_where_the_last_command_wants_them(pool: RunspacePool) -> None:
    shell = PowerShell(pool).add_cmdlet("Get-CsUser").add_argument("nobody").add_cmdlet("Out-Default")
    shell.merge_previous(enabled=True)
    (error,) = shell.invoke()
    assert error.message.startswith("ObjectNotFound: (:) [Get-CsUser], ")
    assert shell.streams.error == []


def test_parameters_as_the_ruby_gem_winrm_sends_them(running: DeployedLab) -> None:
    """Names with dashes, their values as arguments of their own, and a script that exits if it failed."""
    ending = "\r\nif (!$?) { if($LASTEXITCODE) { exit $LASTEXITCODE } else { exit 1 } }"
    host = PSHost(None, None, False, "a host", None, PSHostUserInterface(), None)
    wsman = WSMan(running.address("fe01.contoso.com"), port=15986, cert_validation=running.ca, **LOGON)
    with wsman, RunspacePool(wsman, host=host) as pool:
        for script, output, code in (("Write-Output 'one'", ["one"], None), ("Get-Nonsense", [], 1)):
            shell = PowerShell(pool).add_cmdlet("Invoke-expression")
            shell.add_parameter("-Command").add_argument(script + ending)
            shell.add_cmdlet("Out-string").add_parameter("-Stream")
            assert shell.invoke() == output
            assert shell.state == PSInvocationState.COMPLETED
            assert host.rc == code


def test_a_parameter_without_its_argument(pool: RunspacePool) -> None:
    shell = PowerShell(pool).add_cmdlet("Get-CsUser").add_parameter("-Identity")
    shell.invoke()
    assert str(shell.streams.error[0]).startswith("Missing an argument for parameter 'Identity'.")


def test_a_script_compares_an_enumeration_with_its_members_name(computer: Client) -> None:
    """PowerShell converts the right side to the left side's type (about_Comparison_Operators)."""
    names, streams, failed = computer.execute_ps(
        "Get-Service | Where-Object { $_.Status -eq 'running' } | ForEach-Object { $_.Name }"
    )
    assert (failed, streams.error) == (False, [])
    assert "W32Time" in names.split()
    nothing, _, _ = computer.execute_ps("Get-Service | Where-Object { $_.Status -eq 'NoSuchState' }")
    assert nothing.split() == []
