# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Items: the registry, and the certificates of a computer."""

from __future__ import annotations

import pytest
from cryptography import x509

from .direct import Shell, call, front_end, properties

SERVICES = r"HKLM:\SYSTEM\CurrentControlSet\Services"
OWN = r"HKLM:\SOFTWARE\Example"


@pytest.fixture
def shell() -> Shell:
    return Shell(server="fe01.contoso.com", path="/wsman")


def test_get_item_property_gives_the_values_of_each_key_that_exists(shell: Shell) -> None:
    keys = [rf"{SERVICES}\W32Time\Config", rf"{SERVICES}\Missing", rf"{SERVICES}\Tcpip\Parameters"]
    outputs = shell.run(call("Get-ItemProperty", LiteralPath=keys))
    (record,) = shell.streams.errors
    assert record.FullyQualifiedErrorId == "PathNotFound,Microsoft.PowerShell.Commands.GetItemPropertyCommand"
    assert record.CategoryInfo.Category.name == "ObjectNotFound"
    assert str(record) == rf"Cannot find path '{SERVICES}\Missing' because it does not exist."
    config, network = (properties(output) for output in outputs)
    assert config["MaxPosPhaseCorrection"] == 2**32 - 1
    assert type(config["MaxPosPhaseCorrection"]).__name__ == "PSUInt"
    assert (str(config["PSDrive"]), str(config["PSProvider"])) == (
        "HKLM",
        r"Microsoft.PowerShell.Core\Registry",
    )
    assert (network["Hostname"], network["Domain"]) == ("fe01", "contoso.com")
    assert network["PSPath"] == (
        r"Microsoft.PowerShell.Core\Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\Tcpip\Parameters"
    )
    assert outputs[0].PSObject.type_names[0] == "System.Management.Automation.PSCustomObject"


@pytest.mark.parametrize(
    "path",
    [
        r"hklm:\system\currentcontrolset\services\w32time",
        "HKLM:/SYSTEM/CurrentControlSet/Services/W32Time/",
        r"Registry::HKEY_LOCAL_MACHINE\SYSTEM\CurrentControlSet\Services\W32Time",
    ],
)
def test_a_path_may_be_written_in_several_ways(shell: Shell, path: str) -> None:
    assert shell.run(call("Test-Path", path)) == [True]
    assert shell.row(call("Get-ItemProperty", path, "Start"))["Start"] == 2


def test_a_value_that_does_not_exist(shell: Shell) -> None:
    record = shell.failure(call("Get-ItemProperty", rf"{SERVICES}\W32Time", "Nothing"))
    assert record.FullyQualifiedErrorId == (
        "System.Management.Automation.PSArgumentException,Microsoft.PowerShell.Commands.GetItemPropertyCommand"
    )


def test_keys_and_values_are_made_read_and_removed(shell: Shell) -> None:
    shell.run(call("New-Item", Path=OWN, Name="Note", Force=None))
    assert shell.run(call("Get-ItemProperty", LiteralPath=rf"{OWN}\Note")) == []
    value = {"LiteralPath": rf"{OWN}\Note", "Name": "Since"}
    made = shell.row(call("New-ItemProperty", **value, Value="today", PropertyType="String", Force=None))
    assert made["Since"] == "today"
    assert shell.streams.written == ["New-ItemProperty"]
    shell.run(call("Set-ItemProperty", **value, Value="yesterday"))
    assert shell.row(call("Get-ItemProperty", LiteralPath=rf"{OWN}\Note"))["Since"] == "yesterday"
    record = shell.failure(call("New-ItemProperty", **value, Value="x"))
    assert record.CategoryInfo.Category.name == "ResourceExists"
    shell.run(call("Remove-ItemProperty", **value))
    shell.run(call("Remove-Item", LiteralPath=OWN, Recurse=None, Force=None))
    assert shell.run(call("Test-Path", OWN)) == [False]


def test_new_item_needs_force_for_a_key_that_exists_and_empties_it(shell: Shell) -> None:
    shell.run(call("New-Item", OWN, Force=None))
    shell.run(call("New-ItemProperty", OWN, "Count", PropertyType="DWord", Value=0xFFFFFFFF))
    assert shell.row(call("Get-ItemProperty", OWN))["Count"] == 2**32 - 1
    assert shell.failure(call("New-Item", OWN)).CategoryInfo.Category.name == "ResourceExists"
    shell.run(call("New-Item", OWN, Force=None))
    assert shell.rows(call("Get-ItemProperty", OWN)) == []


def test_what_if_writes_nothing(shell: Shell) -> None:
    shell.run(call("Remove-Item", LiteralPath=rf"{SERVICES}\W32Time", Recurse=None, WhatIf=None))
    assert not shell.streams.written
    assert shell.run(call("Test-Path", rf"{SERVICES}\W32Time")) == [True]


def test_other_drives_are_not_there(shell: Shell) -> None:
    assert shell.failure(call("Get-Item", r"X:\there")).FullyQualifiedErrorId.startswith("DriveNotFound")
    assert shell.failure(call("Get-Item", r"C:\Windows")).CategoryInfo.Category.name == "NotImplemented"


def test_the_registry_offers_the_zones(shell: Shell) -> None:
    zones = r"HKLM:\SOFTWARE\Microsoft\Windows NT\CurrentVersion\Time Zones"
    names = {row["PSChildName"] for row in shell.rows(call("Get-ChildItem", zones))}
    assert {"UTC", "Central Standard Time"} <= names


def test_policies_are_there_only_where_the_file_has_them() -> None:
    key = r"HKLM:\SOFTWARE\Policies\Microsoft\W32Time\Config"
    policy = {"Config": {"MaxNegPhaseCorrection": 3600}}
    with_policy = Shell(server="fe01.contoso.com", path="/wsman", time_service={"policy": policy})
    assert with_policy.row(call("Get-ItemProperty", LiteralPath=key))["MaxNegPhaseCorrection"] == 3600
    without = Shell(server="fe01.contoso.com", path="/wsman")
    record = without.failure(call("Get-ItemProperty", LiteralPath=key))
    assert record.CategoryInfo.Category.name == "ObjectNotFound"


# Certificates


def test_assigned_certificates_are_real_and_in_the_store() -> None:
    shell = front_end()
    rows = shell.rows(call("Get-CsCertificate"))
    uses = ["Default", "WebServicesInternal", "WebServicesExternal", "OAuthTokenIssuer"]
    assert [row["Use"] for row in rows] == uses
    assert len({row["Thumbprint"] for row in rows}) == 2
    path = rf"Cert:\LocalMachine\My\{rows[0]['Thumbprint']}"
    stored = shell.row(call("Get-Item", path))
    certificate = x509.load_der_x509_certificate(bytes(stored["RawData"]))
    assert f"CN={certificate.subject.rfc4514_string().removeprefix('CN=')}" == rows[0]["Subject"]
    assert certificate.not_valid_after_utc == rows[0]["NotAfter"]
    assert set(stored) == {"RawData", "PSPath", "PSParentPath", "PSChildName"}
    assert len(shell.rows(call("Get-ChildItem", r"Cert:\LocalMachine\My"))) == 2
    assert [row["Use"] for row in shell.rows(call("Get-CsCertificate", Type="Default"))] == ["Default"]
    assert shell.row(call("Get-CsCertificate", "global"))["Use"] == "OAuthTokenIssuer"
