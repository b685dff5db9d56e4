# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modelled deployment over the wire, read by pypsrp."""

from __future__ import annotations

import datetime
import os
import re
from collections.abc import Iterator

import pytest
from lab.deployment import build_deployment
from lab.journal import read
from lab.runtime import Lab
from lab.windows.zones import Zone
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from .direct import document
from .small import RunningLab

#: Of this process alone: several may run tests at once.
NETWORK = f"127.{200 + os.getpid() % 50}.{os.getpid() // 50 % 250}"


class DeployedLab(RunningLab):
    """A running lab with a modelled deployment."""

    def _make(self) -> Lab:
        ports = {
            "management": [{"scheme": "https", "port": 18443, "authentication": ["basic", "negotiate"]}],
            "computers": [{"scheme": "https", "port": 15986, "authentication": ["basic", "negotiate"]}],
        }
        made = document("2013", network=NETWORK, listeners=ports, replication={"seconds": 0})
        return Lab(build_deployment(made), self.state)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedLab]:
    with DeployedLab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def pool(running: DeployedLab) -> Iterator[RunspacePool]:
    wsman = WSMan(
        f"{NETWORK}.1",
        port=18443,
        path="OcsPowershell",
        auth="basic",
        username="CONTOSO\\uc-admin",
        password="x",
        cert_validation=running.ca,
    )
    with wsman, RunspacePool(wsman) as opened:
        yield opened


def test_values_arrive_typed(pool: RunspacePool) -> None:
    (media,) = PowerShell(pool).add_cmdlet("Get-CsMediaConfiguration").invoke()
    assert media.types == [
        "Microsoft.Rtc.Management.WritableConfig.Settings.Media.MediaSettings",
        "System.Object",
    ]
    assert media.adapted_properties["EncryptionLevel"] == "RequireEncryption"
    assert media.adapted_properties["EnableQoS"] is False
    (edge,) = PowerShell(pool).add_cmdlet("Get-CsAVEdgeConfiguration").invoke()
    assert edge.adapted_properties["MaxTokenLifetime"] == "PT8H"
    assert edge.adapted_properties["MaxBandwidthPerUserKb"] == 10000
    (site,) = PowerShell(pool).add_cmdlet("Get-CsSite").add_argument("Dublin").invoke()
    assert site.to_string == "Site:Dublin"


def test_errors_arrive_whole(pool: RunspacePool) -> None:
    shell = PowerShell(pool).add_cmdlet("Get-CsUser").add_argument("nobody")
    shell.invoke()
    (error,) = shell.streams.error
    assert str(error) == 'Management object not found for identity "nobody".'
    assert error.message.startswith("ObjectNotFound: (:) [Get-CsUser], ")
    assert error.exception.types[-1] == "System.Object"


def test_a_batch_writes_and_reads_back(running: DeployedLab, pool: RunspacePool) -> None:
    shell = PowerShell(pool)
    shell.add_cmdlet("Set-CsMediaConfiguration").add_parameters({"EncryptionLevel": "SupportEncryption"})
    shell.add_statement().add_cmdlet("Get-CsMediaConfiguration")
    (media,) = shell.invoke()
    assert media.adapted_properties["EncryptionLevel"] == "SupportEncryption"
    entries = [entry for entry in read(running.lab.journal.path) if entry["event"] == "command"][-2:]
    assert [(entry["name"], entry["writes"]) for entry in entries] == [
        ("Set-CsMediaConfiguration", True),
        ("Get-CsMediaConfiguration", False),
    ]
    assert entries[0]["parameters"] == {"EncryptionLevel": "SupportEncryption"}


@pytest.fixture
def computer(running: DeployedLab) -> Iterator[RunspacePool]:
    wsman = WSMan(
        f"{NETWORK}.2",
        port=15986,
        auth="basic",
        username="CONTOSO\\uc-admin",
        password="x",
        cert_validation=running.ca,
    )
    with wsman, RunspacePool(wsman) as opened:
        yield opened


def test_a_computers_clock_arrives_with_the_offset_of_its_zone(computer: RunspacePool) -> None:
    (date,) = PowerShell(computer).add_cmdlet("Get-Date").invoke()
    (text,) = date.property_sets  # where pypsrp leaves the value of an object that has properties besides
    shown = datetime.datetime.fromisoformat(re.sub(r"(\.\d{6})\d", r"\1", text))
    assert shown.utcoffset() == Zone("Pacific Standard Time").offset(shown)
    error = shown - datetime.datetime.now(datetime.timezone.utc)
    assert abs(error) < datetime.timedelta(minutes=1)


def test_native_programs_get_their_arguments_and_print_lines(
    computer: RunspacePool, running: DeployedLab
) -> None:
    shell = PowerShell(computer).add_cmdlet("w32tm")
    for argument in ("/query", "/status", "/verbose"):
        shell.add_argument(argument)
    lines = shell.invoke()
    assert lines[0] == "Leap Indicator: 0(no warning)"
    assert len(lines) == 17
    entry = read(running.lab.journal.path)[-1]
    assert (entry["name"], entry["parameters"], entry["writes"]) == (
        "w32tm",
        {"Arguments": ["/query", "/status", "/verbose"]},
        False,
    )


def test_the_registry_is_read_and_written_over_the_wire(computer: RunspacePool) -> None:
    key = r"HKLM:\SOFTWARE\Example\Note"
    shell = PowerShell(computer).add_cmdlet("New-Item").add_parameters({"Path": key, "Force": True})
    shell.add_statement().add_cmdlet("New-ItemProperty")
    shell.add_parameters({"LiteralPath": key, "Name": "Count", "Value": 7, "PropertyType": "DWord"})
    shell.add_statement().add_cmdlet("Get-ItemProperty").add_parameter("LiteralPath", [key, key + "missing"])
    values = shell.invoke()[-1]
    assert values.extended_properties["Count"] == 7
    (error,) = shell.streams.error
    assert error.fq_error.startswith("PathNotFound,")


def test_services_and_upgrade_domains_over_the_wire(computer: RunspacePool) -> None:
    shell = PowerShell(computer).add_cmdlet("Import-Module").add_argument("Lync")
    shell.add_statement().add_cmdlet("Get-CsWindowsService").add_argument("RTCSRV")
    shell.add_statement().add_cmdlet("Get-CsPoolUpgradeReadinessState").add_parameter("Confirm", False)
    service, state = shell.invoke()
    assert service.adapted_properties["Status"] == "Running"
    assert state.adapted_properties["UpgradeDomains"] == ["UpgradeDomain0", "UpgradeDomain1"]
