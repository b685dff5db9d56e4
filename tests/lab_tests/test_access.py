# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Who may do what from where: RBAC, restricted runspaces, the second hop."""

from __future__ import annotations

import pytest
from lab.contract import CommandCall, TerminatingError, WsmanRefusal

from .direct import Shell, call


def visible(shell: Shell) -> set[str]:
    return {row["Name"] for row in shell.rows(call("Get-Command"))}


def test_a_role_sees_its_cmdlets_and_the_implicit_remoting_set() -> None:
    implicit = {f"{name}-Object" for name in ("Select", "Measure")}
    implicit |= {"Get-Command", "Get-FormatData", "Out-Default", "Exit-PSSession"}
    everything = visible(Shell())
    assert implicit < everything
    assert {"Set-CsMediaConfiguration", "Grant-CsExternalAccessPolicy", "Stop-CsWindowsService"} < everything
    people = visible(Shell(account="user-admin"))
    assert {"Grant-CsExternalAccessPolicy", "Get-CsUser"} < people
    assert not {"Set-CsExternalAccessPolicy", "Set-CsMediaConfiguration", "Stop-CsWindowsService"} & people
    servers = visible(Shell(account="server-admin"))
    assert {"Stop-CsWindowsService", "Invoke-CsManagementStoreReplication"} < servers
    assert not {"Set-CsMediaConfiguration", "Grant-CsExternalAccessPolicy"} & servers
    reading = visible(Shell(account="viewer")) - implicit
    assert {name.partition("-")[0] for name in reading} <= {"Get", "Test", "Show", "Search"}


def test_what_a_role_lacks_does_not_exist() -> None:
    record = Shell(account="viewer").failure(call("Set-CsMediaConfiguration", EnableQoS=True))
    assert record.FullyQualifiedErrorId == "CommandNotFoundException"
    assert record.CategoryInfo.Category.name == "ObjectNotFound"
    assert str(record).startswith(
        "The term 'Set-CsMediaConfiguration' is not recognized as the name of a cmdlet, function, script "
        "file, or operable "
        "program. "
    )
    assert record.Exception.PSTypeNames[:2] == [
        "System.Management.Automation.CommandNotFoundException",
        "System.Management.Automation.RuntimeException",
    ]


@pytest.mark.parametrize("text", ["Get-CsSite", "$x = 1"])
def test_scripts_are_refused_in_a_restricted_runspace(text: str) -> None:
    shell = Shell()
    with pytest.raises(TerminatingError) as caught:
        shell.run(CommandCall(text, is_script=True))
    assert str(caught.value) == (
        "The syntax is not supported by this runspace. This can occur if the runspace is in no-language mode."
    )


@pytest.mark.parametrize("name", ["Get-Date", "Import-Module", "hostname", "Write-Output"])
def test_other_commands_do_not_exist_in_a_restricted_runspace(name: str) -> None:
    assert Shell().failure(call(name)).FullyQualifiedErrorId == "CommandNotFoundException"


@pytest.mark.parametrize(
    ("account", "server", "path"),
    [("guest", "pool01", "/OcsPowershell"), ("nobody", "fe01", "/wsman"), ("uc-admin", "edge01", "/wsman")],
)
def test_shells_that_are_refused(account: str, server: str, path: str) -> None:
    with pytest.raises(WsmanRefusal) as caught:
        Shell(account=account, server=f"{server}.contoso.com", path=path)
    assert caught.value.code == 5


def winrm(version: str = "2019", **arguments: object) -> Shell:
    return Shell(version, path="/wsman", **{"server": "fe01.contoso.com", **arguments})


@pytest.mark.parametrize(
    ("version", "module"), [("2010", "Lync"), ("2013", "Lync"), ("2015", "SkypeForBusiness")]
)
def test_the_module_is_imported_first(version: str, module: str) -> None:
    shell = winrm(version)
    assert shell.failure(call("Get-CsSite")).FullyQualifiedErrorId == "CommandNotFoundException"
    listed = {row["Name"] for row in shell.rows(call("Get-Module", ListAvailable=None))}
    assert module in listed
    assert shell.run(call("Import-Module", module.lower())) == []
    assert shell.streams.written == []
    assert module in {row["Name"] for row in shell.rows(call("Get-Module"))}
    assert len(shell.rows(call("Get-CsSite"))) == 2


MODULE = call("Import-Module", "SkypeForBusiness")


def test_without_delegation_the_second_hop_is_denied() -> None:
    shell = winrm(delegated=False)
    shell.run(MODULE)
    for command in (
        call("Get-CsMediaConfiguration"),
        call("Set-CsMediaConfiguration", EnableQoS=True),
        call("Get-CsUser"),
    ):
        record = shell.failure(command)
        assert record.CategoryInfo.Category.name == "PermissionDenied"
        assert "ANONYMOUS LOGON" in str(record)
    assert shell.row(call("Get-CsMediaConfiguration", LocalStore=None))["Identity"] == "Global"
    assert shell.run(call("Get-CsServerVersion"))
    assert shell.deployment.store.state == shell.deployment.store.initial


def test_a_standard_edition_master_needs_no_second_hop() -> None:
    shell = winrm(delegated=False, server="dublin.contoso.com", central_management="dublin.contoso.com")
    shell.run(MODULE)
    assert shell.row(call("Get-CsMediaConfiguration"))["Identity"] == "Global"


def test_an_account_without_lync_rights_does_not_reach_the_store() -> None:
    shell = winrm(account="guest")
    shell.run(MODULE)
    record = shell.failure(call("Get-CsMediaConfiguration"))
    assert "Login failed for user 'CONTOSO\\guest'" in str(record)


def test_an_edge_stands_outside_the_domain() -> None:
    shell = winrm(server="edge01.contoso.com", account="EDGE01\\Administrator")
    assert shell.run(call("hostname")) == ["EDGE01"]
    shell.run(MODULE)
    assert shell.failure(call("Get-CsMediaConfiguration")).CategoryInfo.Category.name == "ResourceUnavailable"
    assert shell.row(call("Get-CsMediaConfiguration", LocalStore=None))["Identity"] == "Global"
