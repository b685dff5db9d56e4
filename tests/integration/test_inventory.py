# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The inventory plugin against labs, beside the inventory that the lab itself writes."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.errors import AnsibleError, AnsibleParserError
from ansible.inventory.data import InventoryData
from ansible.parsing.dataloader import DataLoader
from ansible.parsing.vault import VaultLib, VaultSecret
from ansible.plugins.loader import inventory_loader
from lab.inventory import inventory as inventory_of_the_lab
from running import CHECKOUT, DEPLOYMENTS

from .conftest import Ansible
from .in_process import LabInProcess

PLUGIN = "lync.remediation.topology"
PASSWORD = "Lab-Passw0rd"
EXAMPLE = CHECKOUT / "inventory.example" / "hosts.yml"
VERSIONS = ("2010", "2013", "2015", "2019", "SE")
# A file's own settings may be those of its version and later ones alone.
OF_VERSIONS = [
    (file.stem, version)
    for file in sorted(DEPLOYMENTS.glob("*.yml"))
    for version in VERSIONS[VERSIONS.index("2015") if file.stem == "skype2019" else 0 :]
]
LabOf = Callable[[str], LabInProcess]


@pytest.fixture(scope="module")
def lab_of(tmp_path_factory: pytest.TempPathFactory, engine: str) -> Iterator[LabOf]:
    """A deployment by the name of its file, without a session."""
    running: dict[str, LabInProcess] = {}
    with ExitStack() as stack:

        def started_or_reset(name: str) -> LabInProcess:
            if name not in running:
                description = yaml.safe_load((DEPLOYMENTS / f"{name}.yml").read_text(encoding="utf-8"))
                network = {"network": f"127.{100 + os.getpid() % 100}.{40 + len(running)}"}
                lab = LabInProcess({**description, **network}, tmp_path_factory.mktemp("lab"), engine=engine)
                running[name] = stack.enter_context(lab)
            running[name].reset()
            return running[name]

        yield started_or_reset


def written(lab: LabInProcess, folder: Path, **options: Any) -> Path:
    """A topology.yml for the first endpoint of a lab. None takes an option out."""
    management = next(server.name for server in lab.deployment.servers if server.groups == ("management",))
    own = lab.variables(management)
    path = folder / "topology.yml"
    content = {
        "plugin": PLUGIN,
        "ansible_psrp_host": own["ansible_host"],
        "ansible_psrp_port": own["ansible_port"],
        "ansible_psrp_user": own["ansible_user"],
        "ansible_psrp_password": "{{ 'Lab-' ~ 'Passw0rd' }}",
        "ansible_psrp_auth": own["ansible_psrp_auth"],
        "ansible_psrp_ca_cert": own["ansible_psrp_ca_cert"],
        **options,
    }
    path.write_text(yaml.safe_dump({name: value for name, value in content.items() if value is not None}))
    return path


def parsed(path: Path, *, cache: bool = True) -> InventoryData:
    found = InventoryData()
    plugin = inventory_loader.get(PLUGIN)
    assert plugin.verify_file(str(path))
    plugin.parse(found, DataLoader(), str(path), cache=cache)
    if plugin.get_option("cache"):
        plugin.update_cache_if_changed()  # as Ansible does
    found.reconcile_inventory()
    return found


def members(found: InventoryData, group: str) -> set[str]:
    return {str(host) for host in found.groups[group].get_hosts()}


def members_in_the_lab(group: Mapping[str, Any]) -> set[str]:
    below = (members_in_the_lab(child) for child in group.get("children", {}).values())
    return set(group.get("hosts", {})).union(*below)


@pytest.mark.parametrize("deployment", ["lync2010", "skype_se", "demo"])
def test_groups_are_those_of_the_lab_s_own_inventory(deployment: str, lab_of: LabOf, tmp_path: Path) -> None:
    lab = lab_of(deployment)
    has_the_groups_of_the_lab(parsed(written(lab, tmp_path)), lab)
    # Nothing is left behind.
    assert lab.sessions == 0
    assert not lab.writes


def has_the_groups_of_the_lab(found: InventoryData, lab: LabInProcess) -> None:
    own = inventory_of_the_lab(lab.deployment.servers, lab.state)["all"]["children"]
    assert "management" in own
    for group in {"front_ends", "edges"} & set(own):
        assert members(found, group) == members_in_the_lab(own[group])
        for pool in own[group]["children"].values():
            (hosts,) = [
                members(found, name)
                for name in found.groups
                if name.startswith("pool_") and members(found, name) & members_in_the_lab(pool)
            ]
            assert hosts == members_in_the_lab(pool)
    names = {f"{name}_management" for name in members_in_the_lab(own["management"])}
    assert members(found, "management") == names
    assert not any(name.startswith(("sql", "files", "gateway")) for name in found.hosts)


def groups_of(found: InventoryData) -> dict[str, set[str]]:
    return {name: members(found, name) for name in found.groups}


def cached_and_not(lab: LabInProcess, folder: Path) -> InventoryData:
    """The inventory as it is read; from the cache it is the same, and nothing is asked."""
    cache = {
        "cache": True,
        "cache_plugin": "ansible.builtin.jsonfile",
        "cache_connection": str(folder / "cache"),
    }
    path = written(lab, folder, **cache)
    found = parsed(path)
    asked = len(lab.commands)
    again = parsed(path)
    assert len(lab.commands) == asked
    assert groups_of(again) == groups_of(found)
    assert {name: host.vars for name, host in again.hosts.items()} == {
        name: host.vars for name, host in found.hosts.items()
    }
    return found


@pytest.mark.sweep
@pytest.mark.parametrize(("deployment", "version"), OF_VERSIONS)
def test_every_topology_in_every_version(deployment: str, version: str, tmp_path: Path, engine: str) -> None:
    description = yaml.safe_load((DEPLOYMENTS / f"{deployment}.yml").read_text(encoding="utf-8"))
    for of_one_version in ("build", "powershell"):
        description.pop(of_one_version, None)
    changes = {"version": version, "network": f"127.{100 + os.getpid() % 100}.70"}
    with LabInProcess({**description, **changes}, tmp_path / "lab", engine=engine) as lab:
        has_the_groups_of_the_lab(cached_and_not(lab, tmp_path), lab)
        assert lab.sessions == 0
        assert not lab.writes


@pytest.mark.parametrize(
    "version",
    [
        version if version == "2013" else pytest.param(version, marks=pytest.mark.sweep)
        for version in VERSIONS
    ],
)
def test_it_has_all_that_the_static_example_has(version: str, tmp_path: Path, engine: str) -> None:
    example = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["all"]["children"]
    pools = example["front_ends"]["children"]
    description = yaml.safe_load((DEPLOYMENTS / "clock.yml").read_text(encoding="utf-8")) | {
        "version": version,
        "network": f"127.{100 + os.getpid() % 100}.71",
        "sites": {"Redmond": {}},
        "pools": {
            name.removeprefix("pool_").replace("_", "."): {
                "site": "Redmond",
                "edge": "edge.contoso.com",
                "computers": [host.partition(".")[0] for host in pool["hosts"]],
            }
            for name, pool in pools.items()
        },
        "edges": {
            "edge.contoso.com": {
                "site": "Redmond",
                "next_hop": "pool01.contoso.com",
                "computers": [host.partition(".")[0] for host in example["edges"]["hosts"]],
            }
        },
        "users": [],
    }
    with LabInProcess(description, tmp_path / "lab", engine=engine) as lab:
        found = groups_of(cached_and_not(lab, tmp_path))
    for name, group in {**example, **pools}.items():
        assert found[name] == members_in_the_lab(group), name


def test_what_is_in_the_cache_is_not_asked_for_again(lab_of: LabOf, tmp_path: Path) -> None:
    lab = lab_of("demo")
    cache = tmp_path / "cache"
    options = {"cache": True, "cache_plugin": "ansible.builtin.jsonfile", "cache_connection": str(cache)}
    path = written(lab, tmp_path, **options)
    first = parsed(path)
    asked = len(lab.commands)
    assert asked
    (file,) = cache.iterdir()
    for secret in (PASSWORD, "uc-admin"):
        assert secret not in file.read_text()

    again = parsed(path)
    assert len(lab.commands) == asked
    assert {name: members(again, name) for name in again.groups} == {
        name: members(first, name) for name in first.groups
    }
    assert again.get_host("fe01.contoso.com").vars == first.get_host("fe01.contoso.com").vars

    parsed(path, cache=False)
    assert len(lab.commands) == 2 * asked

    kept = json.loads(file.read_text())
    tagged = "__payload__" in kept  # since ansible-core 2.19
    kept = json.loads(kept["__payload__"]) if tagged else kept
    assert set(kept) == {"url", "topology"}
    for damaged in ({"url": "https://elsewhere/"}, {"topology": {}}, {"topology": None}):
        content = {**kept, **damaged}
        file.write_text(json.dumps({"__payload__": json.dumps(content)} if tagged else content))
        before = len(lab.commands)
        assert members(parsed(path), "front_ends") == members(first, "front_ends")
        assert len(lab.commands) == before + asked


def test_hosts_are_grouped_and_described_as_the_file_says(lab_of: LabOf, tmp_path: Path) -> None:
    lab = lab_of("demo")
    constructed = {
        "strict": True,
        "compose": {"place": "lync_site | upper", "ansible_host": "'192.0.2.1'"},
        "groups": {"alone": "lync_pool == inventory_hostname"},
        "keyed_groups": [{"key": "place", "prefix": "place"}],
    }
    found = parsed(written(lab, tmp_path, **constructed))
    assert members(found, "alone") == {"dublin.contoso.com", "edge01.contoso.com"}
    assert "dublin.contoso.com" in members(found, "place_DUBLIN")
    assert found.get_host("fe01.contoso.com").vars["ansible_host"] == "192.0.2.1"
    with pytest.raises(AnsibleError, match="lync_nothing"):
        parsed(written(lab, tmp_path, strict=True, compose={"place": "lync_nothing | upper"}))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"ansible_psrp_hots": "pool01.contoso.com"}, "ansible_psrp_hots"),
        ({"ansible_psrp_host": None}, "ansible_psrp_host"),
        ({"ansible_psrp_auth": "telepathy"}, "ansible_psrp_auth"),
        ({"ansible_psrp_port": "many"}, "ansible_psrp_port"),
        ({"ansible_psrp_port": 0}, "ansible_port"),
        ({"ansible_psrp_read_timeout": 5}, "ansible_psrp_read_timeout"),
        ({"ansible_psrp_ca_cert": "/nowhere/ca.pem"}, "ansible_psrp_ca_cert"),
        ({"ansible_psrp_password": "{{ never_defined }}"}, "ansible_psrp_password"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_a_wrong_option_is_named_before_anything_is_sent(
    options: dict[str, Any], named: str, lab_of: LabOf, tmp_path: Path
) -> None:
    lab = lab_of("demo")
    lab.striker.names = []
    with pytest.raises(AnsibleError, match=named):
        parsed(written(lab, tmp_path, **options))
    assert not lab.striker.names


@pytest.mark.parametrize("cmdlet", ["Get-CsSite", "Get-CsPool", "Get-CsComputer", "Get-CsService"])
def test_half_a_topology_makes_no_inventory(cmdlet: str, lab_of: LabOf, tmp_path: Path) -> None:
    lab = lab_of("demo")
    lab.inject("error", command=cmdlet, times=0, message="Access is denied.", id="AccessDenied")
    with pytest.raises(AnsibleParserError, match="Access is denied"):
        parsed(written(lab, tmp_path))
    assert lab.sessions == 0


def test_a_wrong_password_is_one_sentence_without_it(lab_of: LabOf, tmp_path: Path) -> None:
    lab = lab_of("demo")
    with pytest.raises(AnsibleParserError, match="refused to authenticate") as refused:
        parsed(written(lab, tmp_path, ansible_psrp_password="not-the-password"))
    assert "not-the-password" not in str(refused.value)


def test_only_files_of_its_name_are_its_own(tmp_path: Path) -> None:
    plugin = inventory_loader.get(PLUGIN)
    for name, is_own in {"topology.yml": True, "lync.topology.yaml": True, "hosts.yml": False}.items():
        (tmp_path / name).write_text(f"plugin: {PLUGIN}\n")
        assert plugin.verify_file(str(tmp_path / name)) is is_own


def test_options_are_those_of_the_connection() -> None:
    """Under the names that they have as variables, with the same types, choices and defaults."""
    from ansible import constants
    from ansible.plugins.loader import connection_loader

    connection = connection_loader.get("lync.remediation.management_shell", class_only=True)
    theirs = constants.config.get_configuration_definitions("connection", connection._load_name)
    ours = inventory_loader.get(PLUGIN).option_definitions
    seen = {"plugin"}
    for name, its in theirs.items():
        variables = [each["name"] for each in its.get("vars", ())]
        own = [each for each in (*variables, "ansible_psrp_password") if each in ours]
        if name in ("keep_session", "inventory_hostname"):
            continue
        option = ours["ansible_psrp_password" if name == "remote_password" else own[0]]
        assert (option["type"], option.get("choices")) == (its["type"], its.get("choices"))
        if name not in ("remote_addr", "port", "path"):
            assert option.get("default") == its.get("default")
        seen.add(own[0])
    assert {name for name in ours if name.startswith("ansible_")} <= seen


def test_it_takes_the_place_of_a_static_inventory(demo: Ansible, tmp_path: Path) -> None:
    """A folder with topology.yml, a vaulted password in it, and group_vars as beside hosts.yml."""
    static = yaml.safe_load(demo.lab.inventory.read_text())["all"]["children"]
    (own,) = static["management"]["hosts"].values()
    folder = tmp_path / "inventory"
    (folder / "group_vars").mkdir(parents=True)
    (tmp_path / "vault").write_text("demonstration")
    vaulted = VaultLib([("default", VaultSecret(b"demonstration"))]).encrypt(PASSWORD).decode()
    (folder / "topology.yml").write_text(
        yaml.safe_dump(
            {
                "plugin": PLUGIN,
                "ansible_host": own["ansible_host"],
                "ansible_port": own["ansible_port"],
                "ansible_user": own["ansible_user"],
                "ansible_psrp_ca_cert": own["ansible_psrp_ca_cert"],
            }
        )
        + "ansible_password: !vault |\n"
        + "".join(f"  {line}\n" for line in vaulted.splitlines())
    )
    credentials = ("ansible_user", "ansible_password", "ansible_psrp_ca_cert")
    (folder / "group_vars" / "management.yml").write_text(
        yaml.safe_dump({name: own[name] for name in credentials})
    )
    vault = ("--vault-password-file", str(tmp_path / "vault"))
    shown = demo.run(["ansible-inventory", "-i", str(folder), "--list", *vault])
    assert shown.exit_code == 0, shown.output
    listed = json.loads(shown.output[shown.output.index("{") :])
    assert listed["management"]["hosts"] == ["pool01.contoso.com_management"]
    run = demo.run(
        ["ansible", "-i", str(folder), "management", "-m", "lync.remediation.topology_info", *vault],
        ANSIBLE_CALLBACK_RESULT_FORMAT="json",
    )
    assert run.exit_code == 0, run.output
    result = json.loads(run.output[run.output.index("=> ") + 3 :])
    assert set(result["hosts"]) == set(listed["_meta"]["hostvars"])
    assert {each["reason"] for each in result["left_out"]} == {"not_a_lync_server"}
