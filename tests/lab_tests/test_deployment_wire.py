# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The modelled deployment over the wire, read by pypsrp."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from lab.deployment import build_deployment
from lab.journal import read
from lab.runtime import Lab
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from .direct import document
from .small import RunningLab


class DeployedLab(RunningLab):
    """A running lab with a modelled deployment."""

    def _make(self) -> Lab:
        ports = {
            "management": [{"scheme": "https", "port": 18443, "authentication": ["basic", "negotiate"]}],
            "computers": [{"scheme": "https", "port": 15986}],
        }
        made = document("2013", network="127.0.201", listeners=ports, replication={"seconds": 0})
        return Lab(build_deployment(made), self.state)


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DeployedLab]:
    with DeployedLab(tmp_path_factory.mktemp("lab")) as lab:
        yield lab


@pytest.fixture
def pool(running: DeployedLab) -> Iterator[RunspacePool]:
    wsman = WSMan(
        "127.0.201.1",
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
    (bag,) = (
        PowerShell(pool)
        .add_cmdlet("Get-CsMediaConfiguration")
        .add_cmdlet("Select-Object")
        .add_parameter("Property", ["EncryptionLevel"])
        .invoke()
    )
    assert bag.extended_properties["EncryptionLevel"].to_string == "RequireEncryption"
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
