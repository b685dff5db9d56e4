# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Command lines on the modelled computers (WinRS), with pypsrp and pywinrm."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import winrm
from lab.injection import Rule
from lab.journal import read
from pypsrp.client import Client
from pypsrp.exceptions import WSManFaultError
from pypsrp.shell import Process, SignalCode, WinRS
from pypsrp.wsman import WSMan
from requests.exceptions import ConnectionError
from winrm.exceptions import WinRMOperationTimeoutError

from .conftest import wait_until
from .test_deployment_wire import DeployedLab

ADMIN, PASSWORD = "CONTOSO\\uc-admin", "x"
CMD = "http://schemas.microsoft.com/wbem/wsman/1/windows/shell/cmd"


@pytest.fixture(scope="module")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedLab]:
    with DeployedLab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def running(deployed: DeployedLab) -> DeployedLab:
    deployed.call(deployed.lab.reset)
    return deployed


def address(running: DeployedLab, host: str) -> str:
    return next(s.address for s in running.lab.deployment.servers if s.name == f"{host}.contoso.com")


def wsman(running: DeployedLab, host: str = "fe01", **options: Any) -> WSMan:
    return WSMan(
        address(running, host),
        **{
            "port": 15986,
            "auth": "basic",
            "username": ADMIN,
            "password": PASSWORD,
            "cert_validation": running.ca,
            **options,
        },
    )


@pytest.fixture
def shell(running: DeployedLab) -> Iterator[WinRS]:
    with WinRS(wsman(running)) as opened:
        yield opened


def run(shell: WinRS, line: str, *arguments: str, **options: Any) -> tuple[str, str, int | None]:
    """Standard output, standard error and exit code."""
    process = Process(shell, line, list(arguments), **options)
    process.invoke()
    process.signal(SignalCode.TERMINATE)
    return process.stdout.decode(), process.stderr.decode(), process.rc


def commands(running: DeployedLab) -> list[tuple[str, bool]]:
    entries = read(running.lab.journal.path)
    return [(entry["name"], entry["writes"]) for entry in entries if entry["event"] == "command"]


# cmd.exe


@pytest.mark.parametrize(
    ("line", "stdout", "stderr", "code"),
    [
        ("echo hi", "hi\r\n", "", 0),
        ("ECHO  hi there ", " hi there\r\n", "", 0),
        ("echo.", "\r\n", "", 0),
        ("echo", "ECHO is on.\r\n", "", 0),
        ('echo "a & b" ^& c', '"a & b" & c\r\n', "", 0),
        ("echo %COMPUTERNAME% %computername% %no such%", "FE01 FE01 %no such%\r\n", "", 0),
        ("hostname", "FE01\r\n", "", 0),
        ("HOSTNAME.EXE", "FE01\r\n", "", 0),
        (r"C:\Windows\System32\hostname.exe", "FE01\r\n", "", 0),
        (r'"c:\windows\system32\hostname"', "FE01\r\n", "", 0),
        (r"C:\Temp\hostname.exe", "", "The system cannot find the path specified.\r\n", 1),
        ("whoami", "contoso\\uc-admin\r\n", "", 0),
        ("ver", "\r\nMicrosoft Windows [Version 6.3.9600]\r\n", "", 0),
        ("cd", "C:\\Users\\uc-admin\r\n", "", 0),
        (r"cd /d C:\Windows & cd", "C:\\Windows\r\n", "", 0),
        (r"cd ..\.. && cd", "C:\\\r\n", "", 0),
        (r"cd C:\nowhere", "", "The system cannot find the path specified.\r\n", 1),
        ("exit 7", "", "", 7),
        ("exit /b 3", "", "", 3),
        ("exit 5 & echo no", "", "", 5),
        ("rem nothing", "", "", 0),
        ("set username", "USERNAME=uc-admin\r\n", "", 0),
        ("set Q1=b& set Q", "Q1=b\r\n", "", 0),
        ("set Q1=b& set Q1=& set Q1", "", "Environment variable Q1 not defined\r\n", 1),
        ("echo a & echo b", "a \r\nb\r\n", "", 0),
        ("echo a && echo b", "a \r\nb\r\n", "", 0),
        ("echo a || echo b", "a \r\n", "", 0),
        ("cmd /c exit 3 && echo a || echo b", "b\r\n", "", 0),
        ("cmd /c exit 3 & echo a", "a\r\n", "", 0),
        ("cmd.exe /c echo out && echo err>&2 && exit 1", "out \r\n", "err \r\n", 1),
        ('cmd /s /c "echo a && echo b"', "a \r\nb\r\n", "", 0),
        ("echo err 1>&2", "", "err \r\n", 0),
        ("nothing-there 2>nul", "", "", 1),
        ("nothing-there 2>&1", "'nothing-there' is not recognized as an internal or external command,\r\n"
         "operable program or batch file.\r\n", "", 1),
        ("echo hi > nul", "", "", 0),
        ("echo x2>&1", "x2\r\n", "", 0),
        ("echo hi |", "", "The syntax of the command is incorrect.\r\n", 1),
        ("&& echo hi", "", "&& was unexpected at this time.\r\n", 1),
        ("echo Write-Output 5 | powershell -", "5\r\n", "", 0),
        ("exit 3 | echo on we go", "on we go\r\n", "", 0),
    ],
)  # fmt: skip
def test_what_cmd_prints(shell: WinRS, line: str, stdout: str, stderr: str, code: int) -> None:
    assert run(shell, line) == (stdout, stderr, code)


@pytest.mark.parametrize(
    "line",
    [
        "dir",
        "type C:\\boot.ini",
        "echo a > C:\\a.txt",
        "(echo a)",
        "cmd",
        "set /a 1+1",
        "powershell",
        "echo < in.txt",
    ],
)
def test_what_the_lab_does_not_know_fails(shell: WinRS, line: str) -> None:
    stdout, stderr, code = run(shell, line)
    assert stdout == ""
    assert stderr.startswith("The lab's ")
    assert code != 0


def test_an_unknown_program(running: DeployedLab, shell: WinRS) -> None:
    stdout, stderr, code = run(shell, "frobnicate", "/all")
    assert (stdout, code) == ("", 1)
    assert stderr == (
        "'frobnicate' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n"
    )
    (entry,) = [entry for entry in read(running.lab.journal.path) if entry["event"] == "command"]
    assert (entry["name"], entry["parameters"]) == ("frobnicate", {"Arguments": "/all"})
    assert (entry["result"], entry["writes"]) == ("not recognized", False)


def test_the_environment(running: DeployedLab) -> None:
    with WinRS(
        wsman(running), environment={"one": "1 & 2", "PATH": "elsewhere"}, working_directory="C:\\Windows"
    ) as shell:
        listed, _stderr, _code = run(shell, "set")
        lines = listed.splitlines()
        assert {"one=1 & 2", "Path=elsewhere", "USERDOMAIN=CONTOSO", "SystemRoot=C:\\Windows"} <= set(lines)
        assert lines == sorted(lines, key=lambda line: line.partition("=")[0].lower())
        assert run(shell, "cd")[0] == "C:\\Windows\r\n"
        assert run(shell, 'cd /d "%USERPROFILE%" && cd')[0] == "C:\\Users\\uc-admin\r\n"
        # Each command has a cmd.exe of its own.
        assert run(shell, "set one=2")[2] == 0
        assert run(shell, "echo %one%") == (
            "1 \r\n",
            "'2' is not recognized as an internal or external command,\r\noperable program or batch file.\r\n",
            1,
        )


def test_no_profile(running: DeployedLab) -> None:
    with WinRS(wsman(running), no_profile=True) as shell:
        assert "USERPROFILE=C:\\Users\\Default" in run(shell, "set")[0].splitlines()


@pytest.mark.parametrize(
    ("code_page", "encoding"), [(None, "cp437"), (437, "cp437"), (1252, "cp1252"), (65001, "utf-8")]
)
def test_code_pages(running: DeployedLab, code_page: int | None, encoding: str) -> None:
    with WinRS(wsman(running), codepage=code_page) as shell:
        process = Process(shell, "echo", ["grün ½"])
        process.invoke()
        assert process.stdout.decode(encoding) == "grün ½\r\n"
        process = Process(shell, "echo", ["日本"])
        process.invoke()
        assert process.stdout.decode(encoding) == ("日本\r\n" if encoding == "utf-8" else "??\r\n")


def test_a_code_page_that_there_is_not(running: DeployedLab) -> None:
    with pytest.raises(WSManFaultError) as caught:
        WinRS(wsman(running), codepage=4711).open()
    assert caught.value.code == 87


# Programs


def test_a_clock_is_repaired_from_the_command_line(running: DeployedLab, shell: WinRS) -> None:
    running.call(
        lambda: running.lab.inject(
            {"kind": "clock_offset", "server": "fe01.contoso.com", "options": {"seconds": "90"}}
        )
    )
    stdout, stderr, code = run(shell, "net stop w32time && net start w32time && w32tm /resync /rediscover")
    assert (stderr, code) == ("", 0)
    assert stdout.startswith(
        "The Windows Time service is stopping.\r\nThe Windows Time service was stopped successfully."
    )
    assert "The Windows Time service was started successfully.\r\n" in stdout
    (server,) = [s for s in running.lab.deployment.servers if s.name == "fe01.contoso.com"]
    assert abs(server.clock_offset_s) < 1
    assert commands(running) == [("net", True), ("net", True), ("w32tm", True)]


def test_programs_that_fail(shell: WinRS) -> None:
    assert run(shell, "net stop w32time")[2] == 0
    stdout, stderr, code = run(shell, "net stop w32time")
    assert (stdout, code) == ("", 2)
    assert (
        stderr
        == "The Windows Time service is not started.\r\n\r\nMore help is available by typing NET HELPMSG 3521.\r\n\r\n"
    )
    stdout, _stderr, code = run(shell, "w32tm /query /status")
    assert "0x80070426" in stdout
    assert code == 0x80070426
    assert run(shell, "net start w32time & net start w32time")[1].startswith(
        "The requested service has already been"
    )
    assert "NET HELPMSG 2185" in run(shell, "net stop frobnicator")[1]
    assert "   Windows Time\r\n" in run(shell, "net start")[0]
    assert run(shell, "tzutil /s Nowhere")[1:] == ('The time zone id "Nowhere" is not valid.\r\n', 1)


def test_arguments_in_quotes(running: DeployedLab, shell: WinRS) -> None:
    line = 'w32tm /config /manualpeerlist:"ntp1.contoso.com,0x8 ntp2.contoso.com,0x8" /syncfromflags:manual /update'
    assert run(shell, line)[2] == 0
    assert "ntp1.contoso.com,0x8 ntp2.contoso.com,0x8" in run(shell, "w32tm /query /configuration")[0]
    assert run(shell, "tzutil", "/s", '"W. Europe Standard Time"')[2] == 0
    assert run(shell, "tzutil /g")[0] == "W. Europe Standard Time\r\n"
    assert [writes for _name, writes in commands(running)] == [True, False, True, False]


# powershell.exe


@pytest.mark.parametrize(
    ("line", "stdout", "code"),
    [
        ("powershell Write-Output hi", "hi\r\n", 0),
        ("powershell.exe -NoProfile -NonInteractive -ExecutionPolicy Bypass -Command Write-Output 'a b'", "a b\r\n", 0),
        ('powershell /nop /c "Write-Output one; Write-Output two"', "one\r\ntwo\r\n", 0),
        (r'C:\Windows\System32\WindowsPowerShell\v1.0\powershell.exe -c "hostname"', "FE01\r\n", 0),
        # Recorded: a line of the host's ends with a line feed alone.
        ("powershell.exe Write-Host hi", "hi\n", 0),
        ('powershell -Command "exit 3"', "", 3),
        ('powershell -Command "Write-Output 1; exit 4"', "1\r\n", 4),
        ("powershell -enc VwByAGkAdABlAC0ATwB1AHQAcAB1AHQAIAA1AA==", "5\r\n", 0),
    ],
)  # fmt: skip
def test_what_powershell_prints(shell: WinRS, line: str, stdout: str, code: int) -> None:
    assert run(shell, line) == (stdout, "", code)


def test_an_error_of_powershell(shell: WinRS) -> None:
    stdout, stderr, code = run(shell, "powershell -Command Get-Frobnication")
    assert (stdout, code) == ("", 1)
    assert (
        stderr.splitlines()[0]
        == "Get-Frobnication : The term 'Get-Frobnication' is not recognized as the name of"
    )
    assert "    + FullyQualifiedErrorId : CommandNotFoundException\r\n" in stderr
    assert all(len(line) < 80 for line in stderr.splitlines())
    # It went on, and the last statement succeeded.
    stdout, stderr, code = run(shell, 'powershell -Command "Get-Frobnication; Write-Output 1"')
    assert (stdout, code) == ("1\r\n", 0)
    assert "CommandNotFoundException" in stderr


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (r"powershell -File C:\a.ps1", "The argument 'C:\\a.ps1' to the -File parameter does not exist."),
        ("powershell -EncodedCommand ???", "Cannot process the command because the value specified with"),
        ("powershell -Command", "Cannot process the command because of a missing parameter."),
    ],
)
def test_arguments_that_powershell_does_not_take(shell: WinRS, line: str, message: str) -> None:
    stdout, stderr, code = run(shell, line)
    assert (stdout, code) == ("", 0xFFFD0000)
    assert stderr.startswith(message)


def test_a_script_by_standard_input(shell: WinRS) -> None:
    process = Process(shell, "powershell.exe", ["-"])
    process.begin_invoke()
    process.send(b'Write-Host "output 1";', end=False)
    process.send(b'Write-Host "output 2";')
    process.end_invoke()
    assert (process.stdout, process.stderr, process.rc) == (b"output 1\noutput 2\n", b"", 0)


def test_what_powershell_changes_is_in_the_journal(running: DeployedLab, shell: WinRS) -> None:
    assert run(shell, "powershell -Command \"tzutil /s 'UTC'\"") == ("", "", 0)
    assert commands(running) == [("tzutil", True), ("powershell", False)]


# The shell


def test_signals(running: DeployedLab, shell: WinRS) -> None:
    running.lab.injector.add(Rule("hang", command="hostname", times=0))
    process = Process(shell, "hostname")
    process.begin_invoke()
    process.poll_invoke(timeout=1)
    assert process.rc is None
    process.signal(SignalCode.CTRL_C)
    process.end_invoke()
    assert process.rc == 0xC000013A
    process.signal(SignalCode.TERMINATE)
    with pytest.raises(WSManFaultError) as caught:
        process.poll_invoke()
    assert caught.value.code == 2150858843
    entry = read(running.lab.journal.path)[-1]
    assert (entry["name"], entry["result"]) == ("hostname", "stopped")


def test_commands_side_by_side(running: DeployedLab, shell: WinRS) -> None:
    running.lab.injector.add(Rule("hang", command="hostname"))
    hanging = Process(shell, "hostname")
    hanging.begin_invoke()
    assert run(shell, "whoami")[2] == 0
    described = shell._get_shell()
    assert described["ChildProcesses"] == "1"
    hanging.signal(SignalCode.TERMINATE)
    (held,) = running.lab.services["fe01.contoso.com"].shells.values()
    wait_until(lambda: held.plugin.host.child_processes == 0)


@pytest.mark.parametrize(("kind", "effect"), [("drop-before", []), ("drop-after", [True])])
def test_a_program_drops_the_connection(running: DeployedLab, kind: str, effect: list[bool]) -> None:
    running.lab.injector.add(Rule(kind, command="tzutil"))
    shell = WinRS(wsman(running, reconnection_retries=0))
    shell.open()
    with pytest.raises(ConnectionError):
        run(shell, "tzutil /s UTC")
    assert [writes for _name, writes in commands(running) if writes] == effect


def test_a_program_that_is_to_fail(running: DeployedLab, shell: WinRS) -> None:
    running.lab.injector.add(Rule("error", command="tzutil", message="It broke."))
    assert run(shell, "tzutil /g") == ("", "It broke.\r\n", 1)


def test_who_may_not_have_one(running: DeployedLab) -> None:
    with pytest.raises(WSManFaultError) as caught:
        WinRS(wsman(running, username="CONTOSO\\nobody")).open()
    assert caught.value.code == 5
    with pytest.raises(WSManFaultError) as caught:
        WinRS(wsman(running, "pool01", port=18443, path="OcsPowershell")).open()
    assert caught.value.code == 2150858811


# Clients


@pytest.mark.parametrize("auth", ["basic", "ntlm"])
def test_the_high_level_client(running: DeployedLab, auth: str) -> None:
    with Client(
        address(running, "fe02"),
        port=15986,
        auth=auth,
        username=ADMIN,
        password=PASSWORD,
        cert_validation=running.ca,
    ) as client:
        assert client.execute_cmd("hostname") == ("FE02\r\n", "", 0)
        assert client.execute_cmd("echo %A%", environment={"A": "b"}) == ("b\r\n", "", 0)
        assert client.execute_cmd("exit 9")[2] == 9


@pytest.fixture(params=["ssl", "ntlm"])
def session(running: DeployedLab, request: pytest.FixtureRequest) -> winrm.Session:
    """pywinrm's."""
    target = f"https://{address(running, 'fe01')}:15986/wsman"
    return winrm.Session(target, auth=(ADMIN, PASSWORD), transport=request.param, ca_trust_path=running.ca)


def test_pywinrm_runs_a_command(session: winrm.Session) -> None:
    done = session.run_cmd("echo", ["a", "b"])
    assert (done.status_code, done.std_out, done.std_err) == (0, b"a b\r\n", b"")
    done = session.run_cmd("frobnicate")
    assert done.status_code == 1
    assert done.std_err.startswith(b"'frobnicate' is not recognized")


def test_pywinrm_runs_powershell(session: winrm.Session) -> None:
    done = session.run_ps("Write-Output 'one'; hostname")
    assert (done.status_code, done.std_out, done.std_err) == (0, b"one\r\nFE01\r\n", b"")
    done = session.run_ps("Get-Frobnication")
    assert done.status_code == 1
    assert done.std_err.startswith(b"Get-Frobnication : The term 'Get-Frobnication' is not recognized")
    assert b"FullyQualifiedErrorId : CommandNotFoundException" in done.std_err


def test_pywinrms_protocol(running: DeployedLab, session: winrm.Session) -> None:
    protocol = session.protocol
    shell_id = protocol.open_shell(
        working_directory="C:\\Windows",
        env_vars={"A": "b"},
        noprofile=True,
        codepage=65001,
        idle_timeout="PT60S",
    )
    command_id = protocol.run_command(shell_id, "cd & echo %A%")
    assert protocol.get_command_output(shell_id, command_id) == (b"C:\\Windows\r\nb\r\n", b"", 0)
    protocol.cleanup_command(shell_id, command_id)
    command_id = protocol.run_command(shell_id, "powershell", ["-"])
    protocol.send_command_input(shell_id, command_id, "Write-Output 1\r\n", end=False)
    protocol.send_command_input(shell_id, command_id, "exit 2\r\n", end=True)
    assert protocol.get_command_output(shell_id, command_id) == (b"1\r\n", b"", 2)
    protocol.close_shell(shell_id)


def test_pywinrm_waits_for_a_command(running: DeployedLab, session: winrm.Session) -> None:
    session.protocol.operation_timeout_sec = 1
    running.lab.injector.add(Rule("hang", command="hostname", seconds=1.5))
    shell_id = session.protocol.open_shell()
    command_id = session.protocol.run_command(shell_id, "hostname")
    with pytest.raises(WinRMOperationTimeoutError):
        session.protocol.get_command_output_raw(shell_id, command_id)
    assert session.protocol.get_command_output(shell_id, command_id)[0] == b"FE01\r\n"
    session.protocol.close_shell(shell_id)
