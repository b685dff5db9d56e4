# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""pypsrp's high-level client, and streams merged into the output, with the modelled deployment."""

from __future__ import annotations

import os
import subprocess
import sys
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
from .small import ADDRESS, RunningLab

NETWORK = f"{ADDRESS.rpartition('.')[0].rpartition('.')[0]}.252"
LOGON = {"auth": "basic", "username": "CONTOSO\\uc-admin", "password": "x"}


class DeployedLab(RunningLab):
    """A running lab with a modelled deployment: its web service, and WinRM of its computers."""

    def _make(self) -> Lab:
        listener = {"scheme": "https", "port": 15986, "authentication": ["basic"]}
        ports = {"management": [listener], "computers": [listener]}
        made = document("2013", network=NETWORK, listeners=ports, replication={"seconds": 0})
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


#: What administrators run, and the lines that their clients print of it (PowerShell 4.0).
SCRIPTS: list[tuple[str, str]] = [
    ("$PSVersionTable.PSVersion.Major; $env:COMPUTERNAME", "4\nFE01"),
    (
        "Get-Service | Where-Object {$_.Status -eq 'Running'} | Sort-Object Name | Select-Object -First 1 | % Name",
        "FabricHostSvc",
    ),
    (
        "$s = Get-Service w32time; if ($s.Status -ne 'Running') { 'start' } else { \"$($s.Name) runs\" }",
        "W32Time runs",
    ),
    (
        "foreach ($n in 'W32Time', 'Nothing') { try { (Get-Service $n -EA Stop).Name } catch { \"no: $_\" } }",
        "W32Time\nno: Cannot find any service with service name 'Nothing'.",
    ),
    (
        r"Get-ItemProperty HKLM:\SYSTEM\CurrentControlSet\Services\W32Time\Parameters | Select Type | ConvertTo-Json",
        '{\n    "Type":  "NT5DS"\n}',
    ),
    ("(w32tm /query /status | Select-String '^Source:').Line; $LASTEXITCODE", "Source: dc01.contoso.com\n0"),
    (
        "Import-Module Lync; Get-CsUser | sort SipAddress | % { '{0} on {1}' -f $_.SipAddress, $_.RegistrarPool }",
        "sip:kaya@contoso.com on dublin.contoso.com\nsip:kenmyer@contoso.com on pool01.contoso.com",
    ),
    (
        "Import-Module Lync; $p = Get-CsPool | Group-Object Site -AsHashTable -AsString; $p['Site:Redmond'].Count",
        "2",
    ),
    (
        "function Get-Report { param([string[]]$Name) $Name | % { [pscustomobject]@{Name=$_; Size=$_.Length} } };"
        " Get-Report 'a', 'bcd' | Format-Table -AutoSize",
        "\nName Size\n---- ----\na       1\nbcd     3\n\n",
    ),
    ("[pscustomobject]@{A=1; B='x'} | Format-List", "\n\nA : 1\nB : x\n\n\n"),
    (
        "1, 2, 3 | Measure-Object -Sum | Select-Object -ExpandProperty Sum; [Environment]::MachineName",
        "6\nFE01",
    ),
    (
        "\"{0:yyyy-MM-dd}\" -f [datetime]'2024-02-29'; [math]::Round(10/3, 2); 5MB/1KB",
        "2024-02-29\n3.33\n5120",
    ),
    ("whoami; tzutil /g; (hostname).ToLower()", "contoso\\uc-admin\nPacific Standard Time\nfe01"),
    (
        "'a=1', 'b=2' | ConvertFrom-StringData | % Keys; 'x,y', '1,2' | ConvertFrom-Csv | % x",
        "a\nb\n1",
    ),
    (
        "New-Item C:\\Temp -ItemType Directory | Out-Null; 'one', 'two' | Set-Content C:\\Temp\\f.txt;"
        " (Get-Content C:\\Temp\\f.txt)[-1]; Test-Path C:\\Temp\\f.txt; Remove-Item C:\\Temp -Recurse",
        "two\nTrue",
    ),
    ('$h = [ordered]@{One=1; Two=2}; $h.GetEnumerator() | % { "$($_.Key)=$($_.Value)" }', "One=1\nTwo=2"),
    ("$i = 0; do { $i++ } until ($i -ge 3); switch ($i) { 3 { 'three' } default { 'other' } }", "three"),
    (
        "$null = 1; [void](Get-Date); $x = @(Get-Service w32time); $x.Count; ($x | Get-Member Name).Name",
        "1\nName",
    ),
]


@pytest.mark.parametrize(("script", "output"), SCRIPTS)
def test_what_administrators_run(computer: Client, script: str, output: str) -> None:
    told, streams, had_errors = computer.execute_ps(script)
    assert [str(error) for error in streams.error] == []
    assert (told, had_errors) == (output, False)


def test_environment_of_a_script(computer: Client) -> None:
    told, _, had_errors = computer.execute_ps(
        "$env:COLOUR; $env:Colour.Length", environment={"COLOUR": "blue"}
    )
    assert (told, had_errors) == ("blue\n4", False)


def test_a_script_that_stops_fails(computer: Client) -> None:
    told, streams, had_errors = computer.execute_ps("'one'; throw 'it went wrong'; 'two'")
    assert (told, had_errors) == ("one", True)
    (error,) = streams.error
    assert str(error) == "it went wrong"
    assert (error.category, error.fq_error) == (14, "it went wrong")  # OperationStopped


def test_streams_of_a_script(computer: Client) -> None:
    script = "Write-Verbose 'v' -Verbose; Write-Debug 'never'; Write-Warning 'w'; Write-Error 'e'; Write-Host 'h'; 'o'"
    told, streams, had_errors = computer.execute_ps(script)
    assert (told, had_errors) == ("o", False)
    assert [record.message for record in (*streams.verbose, *streams.warning)] == ["v", "w"]
    assert [str(record) for record in streams.error] == ["e"]
    assert streams.debug == []


def test_objects_of_a_script_cross_the_wire(computer: Client) -> None:
    with RunspacePool(computer.wsman) as pool:
        shell = PowerShell(pool).add_script(
            "[pscustomobject]@{n=1; l=@(1,'x')}; @{k='v'}; [char]'c'; 5l; 1.5d; [byte[]](1,2);"
            " (Get-Date).Year -gt 2000; [guid]::Empty; { 1 }; [timespan]'01:02:03'; [version]'1.2'; $null; [int]"
        )
        made, table, *rest = shell.invoke()
    assert made.extended_properties == {"n": 1, "l": [1, "x"]}
    assert table == {"k": "v"}
    assert [str(value) for value in rest[:3]] == ["c", "5", "1.5"]
    assert rest[3:5] == [1, 2]
    assert [str(value).strip() for value in rest[5:]] == [
        *("True", "00000000-0000-0000-0000-000000000000", "1", "PT1H2M3S", "1.2", "None", "System.Int32"),
    ]


def test_raw_of_ansible_core(running: DeployedLab, tmp_path: Path) -> None:
    script = (
        "$r = foreach ($s in Get-Service W32Time, RTCSRV) { '{0}={1}' -f $s.Name, $s.Status }; $r -join ';';"
        " try { Get-Item C:\\\\none -ErrorAction Stop } catch { 'caught' }; exit 3"
    )
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(
        f"""
all:
  hosts:
    fe01:
      ansible_connection: ansible.builtin.psrp
      ansible_host: {running.address("fe01.contoso.com")}
      ansible_port: 15986
      ansible_user: {LOGON["username"]}
      ansible_password: x
      ansible_psrp_auth: basic
      ansible_psrp_ca_cert: {running.ca}
"""
    )
    done = subprocess.run(
        [Path(sys.executable).parent / "ansible", "-i", inventory, "fe01", "-m", "raw", "-a", script],
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(tmp_path)},
    )
    assert "rc=3" in done.stdout, done.stderr
    assert "W32Time=Running;RTCSRV=Running" in done.stdout
    assert "caught" in done.stdout


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
