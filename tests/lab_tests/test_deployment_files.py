# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Deployment files: the shipped ones load, wrong ones say what is wrong in one sentence."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import yaml
from lab.deployment import DeploymentError, build_deployment, load_deployment

from .direct import DEPLOYMENTS, Shell, call, document

SHIPPED = sorted(DEPLOYMENTS.glob("*.yml"))


@pytest.mark.parametrize("path", SHIPPED, ids=lambda path: path.stem)
def test_shipped_deployments_load_and_answer(path: Path) -> None:
    deployment = load_deployment(path)
    management = next(server for server in deployment.servers if "management" in server.groups)
    account = management.inventory_account.name
    shell = Shell(account=account, server=management.name, deployment=deployment)
    topology = deployment.topology
    assert len(shell.rows(call("Get-CsPool"))) == len(topology.pools) + len(topology.others)
    assert len({server.address for server in deployment.servers}) == len(deployment.servers)
    assert len({server.name for server in deployment.servers}) == len(deployment.servers)
    assert json.loads(json.dumps(deployment.status()))["version"] == deployment.version


def test_the_versions_of_the_product_are_all_shipped() -> None:
    assert {load_deployment(path).version for path in SHIPPED} == {"2010", "2013", "2015", "2019", "SE"}


def test_the_short_form_makes_pools_that_share_one_store() -> None:
    made = document(
        generate={"pools": 50, "computers_per_pool": 3, "sites": 4}, central_management="pool001.contoso.com"
    )
    for key in ("sites", "pools", "edges", "users"):
        del made[key]
    deployment = build_deployment(made)
    assert [server.groups for server in deployment.servers] == [("management",)] * 50
    first = Shell(server="pool001.contoso.com", deployment=deployment)
    last = Shell(server="pool050.contoso.com", deployment=deployment)
    first.run(call("Set-CsMediaConfiguration", EnableQoS=True))
    assert last.row(call("Get-CsMediaConfiguration"))["EnableQoS"] is True
    names = [row["Fqdn"] for row in last.rows(call("Get-CsComputer"))]
    assert len([name for name in names if name.startswith("fe")]) == 150


def test_what_a_server_tells_the_protocol_half() -> None:
    deployment = build_deployment(
        document(
            "2010",
            timings={"request_delay": 0.02},
            inventory={"management": "basic"},
            quotas={"shells_per_user": 2},
            listeners={"management": [{"scheme": "https", "port": 9443, "authentication": ["basic"]}]},
        )
    )
    servers = {server.name: server for server in deployment.servers}
    management = servers["pool01.contoso.com"]
    assert (management.protocol_version, management.powershell_version) == ("2.1", "2.0")
    assert (management.listeners[0].port, management.listeners[0].paths) == (9443, ("/OcsPowershell",))
    assert management.inventory_authentication == "basic"
    assert management.timings.request_delay_s == 0.02
    assert management.quotas.shells_per_user == 2
    assert {"front_ends", "edges", "management"} == {server.groups[0] for server in deployment.servers}
    # A Standard Edition server and its pool have one name, but are two endpoints.
    assert servers["dublin-management.contoso.com"].fqdn == servers["dublin.contoso.com"].fqdn
    assert servers["edge01.contoso.com"].inventory_account.name == "EDGE01\\Administrator"
    assert {"EDGE01\\Administrator"} == {account.name for account in servers["edge01.contoso.com"].accounts}


def test_reset_goes_back_to_the_file() -> None:
    shell = Shell(settings={"ExternalAccessPolicy": [{"Identity": "Tag:Partners"}]})
    before = shell.deployment.status()
    shell.run(call("Set-CsMediaConfiguration", EnableQoS=True))
    shell.run(call("Remove-CsPublicProvider", "Skype"))
    shell.run(call("Grant-CsExternalAccessPolicy", "kenmyer", "Partners"))
    shell.deployment.inject("replication_seconds", shell.deployment.servers[1], {"seconds": "99"})
    shell.deployment.inject("cms_unreachable", None, {})
    assert shell.deployment.status() != before
    shell.deployment.reset()
    assert shell.deployment.status() == before


def changed(**changes: Any) -> dict[str, Any]:
    return {key: value for key, value in document(**changes).items() if value is not ...}


POOL = {"site": "Redmond", "computers": ["fe01"]}


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (changed(version="2012"), "version: '2012' is not one of"),
        (changed(domain=...), "'domain' is a required property"),
        (changed(colour="red"), "'colour' was unexpected"),
        (changed(pools=...), "sites and pools are needed, or generate"),
        (
            changed(pools={"p.contoso.com": {**POOL, "site": "Nowhere"}}),
            "p.contoso.com: there is no site Nowhere.",
        ),
        (
            changed(pools={"p.contoso.com": POOL, "q.contoso.com": POOL}, edges=...),
            "fe01.contoso.com is a member of both",
        ),
        (
            changed(pools={"p.contoso.com": {**POOL, "computers": []}}),
            "pools.p.contoso.com.computers: [] should be non-empty",
        ),
        (changed(central_management="edge.contoso.com"), "there is no Front End pool edge.contoso.com"),
        (
            changed(accounts=[{"name": "x", "password": "y", "roles": ["CsKing"]}]),
            "x has the role 'CsKing', but there are only",
        ),
        (changed(inventory_account="nobody-at-all"), "inventory_account: there is no account nobody-at-all"),
        (changed(users=[{"name": "a", "pool": "edge.contoso.com"}]), "which is no Front End pool"),
        (
            changed(users=[{"name": "a", "pool": "pool01.contoso.com", "external_access_policy": "X"}]),
            "there is no ExternalAccessPolicy Tag:X",
        ),
        (
            changed(services={"depends_on": {"RTCCAA": ["RTCSRV"], "rtcsrv": ["rtccaa"]}}),
            "services.depends_on: rtc",
        ),
        (changed(settings={"Colours": []}), "settings: there is no noun Colours."),
        (
            changed(settings={"MediaConfiguration": [{"Identity": "Global", "EncryptionLevel": "None"}]}),
            "Unable to match the identifier name None",
        ),
        (
            changed(
                version="2010", settings={"MediaConfiguration": [{"Identity": "Global", "EnableDtls": True}]}
            ),
            "Global has no property EnableDtls in version 2010.",
        ),
        (
            changed(settings={"MediaConfiguration": [{"Identity": "Global", "EnableQoS": "yes"}]}),
            "EnableQoS: 'yes' is not a Boolean",
        ),
        (changed(settings={"MediaConfiguration": [{"Identity": "Site:Nowhere"}]}), "site unknown (Nowhere)."),
        (
            changed(replication={"replicas": {"sql.contoso.com": 3}}),
            "replication: there is no computer sql.contoso.com.",
        ),
        (changed(texts={"nonsense": {"message": "x"}}), "texts: there is no text named 'nonsense'"),
        (changed(quotas={"sheep": 3}), "quotas: the quotas are shells_per_user"),
        (changed(network="10.0.0"), "network: '10.0.0' does not match"),
        ([], "is not of type 'object'"),
    ],
)
def test_wrong_files_say_what_is_wrong(tmp_path: Path, wrong: Any, words: str) -> None:
    path = tmp_path / "wrong.yml"
    path.write_text(yaml.safe_dump(wrong), encoding="utf-8")
    with pytest.raises(DeploymentError) as caught:
        load_deployment(path)
    assert words in str(caught.value)
    assert str(caught.value).startswith(f"{path}: ")
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(DeploymentError, match="cannot be read: No such file"):
        load_deployment(tmp_path / "none.yml")
    path = tmp_path / "broken.yml"
    path.write_text("a: [", encoding="utf-8")
    with pytest.raises(DeploymentError, match="is not YAML"):
        load_deployment(path)


def test_assumed_texts_can_be_replaced() -> None:
    shell = Shell(texts={"does_not_exist": {"message": "No {identity} here.", "error_id": "Absent"}})
    record = shell.failure(call("Get-CsMediaConfiguration", Identity="site:Dublin"))
    assert (str(record), record.FullyQualifiedErrorId.partition(",")[0]) == ("No Site:Dublin here.", "Absent")


def test_faults_are_named_with_help() -> None:
    deployment = build_deployment(document())
    assert "replication_stuck" in deployment.fault_kinds
    with pytest.raises(ValueError, match="There is no fault 'fire'; the kinds are"):
        deployment.inject("fire", None, {})
    with pytest.raises(ValueError, match="There is no replica"):
        deployment.inject("replication_stuck", None, {})


@pytest.mark.parametrize("version", ["2010", "2013", "2015", "2019", "SE"])
def test_the_pools_of_each_size_exist_in_each_version(version: str) -> None:
    text = yaml.safe_load((DEPLOYMENTS / "pool_sizes.yml").read_text(encoding="utf-8"))
    deployment = build_deployment({**text, "version": version})
    assert [len(pool.computers) for pool in deployment.topology.pools.values()] == [1, 3, 6, 9, 12]


@pytest.mark.parametrize(
    ("clock", "said"),
    [
        (
            {"clock": {"time_zone": "Europe/Berlin"}},
            "clock.time_zone: Windows has no time zone 'Europe/Berlin'.",
        ),
        (
            {"time_service": {"language": "xx"}},
            "time_service.language: there are only en, de, fr, ja, not 'xx'.",
        ),
        ({"clock": {"ofset": 1}}, "clock: Additional properties are not allowed ('ofset' was unexpected)."),
    ],
)
def test_what_is_wrong_with_a_clock_is_said(clock: dict[str, Any], said: str) -> None:
    with pytest.raises(DeploymentError) as failure:
        build_deployment(document(**clock))
    assert str(failure.value).endswith(said)
