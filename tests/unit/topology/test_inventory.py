# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A topology as hosts, groups and variables."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import Endpoint
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.deployment import (
    Pool,
    Site,
    Topology,
    from_dict,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.topology.inventory import (
    Inventory,
    inventory,
    is_host_name,
)
from hypothesis import given
from hypothesis import strategies as st

EXAMPLE = Path(__file__).parents[3] / "inventory.example" / "hosts.yml"
FRONT_END = (
    "Registrar",
    "UserServer",
    "ApplicationServer",
    "ConferencingServer",
    "MediationServer",
    "WebServer",
)
GROUP_NAME = re.compile(r"[^\W\d]\w*")


def endpoint(host: str = "pool01.contoso.com", port: int = 443) -> Endpoint:
    return Endpoint(f"https://{host}:{port}/OcsPowershell", host, host, None, "negotiate", "")


def pool(
    fqdn: str,
    roles: Iterable[str] = FRONT_END,
    computers: Iterable[str] = (),
    site: str | None = "Redmond",
    version: int | None = 8,
) -> Pool:
    return Pool(fqdn, site, tuple(roles), version, tuple(computers) or (fqdn,))


def of(*pools: Pool, host: str = "pool01.contoso.com") -> Inventory:
    return inventory(Topology(None, (), pools), endpoint(host))


def members(found: Inventory, group: str) -> set[str]:
    """With those of its children, as Ansible sees it."""
    below = (members(found, child) for child in found.groups[group].children)
    return set(found.groups[group].hosts).union(*below)


def groups_of(found: Inventory, host: str) -> set[str]:
    return {name for name in found.groups if host in members(found, name)}


def test_the_example_can_be_replaced() -> None:
    static = yaml.safe_load(EXAMPLE.read_text(encoding="utf-8"))["all"]["children"]
    topology = [
        pool("pool01.contoso.com", computers=[f"fe0{n}.contoso.com" for n in (1, 2, 3)]),
        pool("pool02.contoso.com", computers=[f"fe0{n}.contoso.com" for n in (4, 5, 6)]),
        pool("edge.contoso.com", ["EdgeServer"], ["edge01.contoso.com", "edge02.contoso.com"]),
    ]
    found = of(*topology)

    def compare(group: str, content: dict[str, Any]) -> set[str]:
        hosts = set(content.get("hosts") or {})
        for child, its in (content.get("children") or {}).items():
            hosts |= compare(child, its)
        assert members(found, group) == hosts
        return hosts

    for group, content in static.items():
        compare(group, content)
    (management,) = static["management"]["hosts"]
    assert (
        found.hosts[management]["ansible_host"] == static["management"]["hosts"][management]["ansible_host"]
    )


def test_the_endpoints_are_reached_as_the_topology_was() -> None:
    found = inventory(Topology(None, (), (pool("pool01.contoso.com"),)), endpoint("[2001:db8::1]", 8443))
    assert found.groups["management_endpoints"].variables == {
        "ansible_port": 8443,
        "ansible_psrp_path": "OcsPowershell",
        "ansible_psrp_protocol": "https",
    }
    assert found.groups["lync"].variables == {"ansible_connection": "lync.remediation.management_shell"}


def test_a_standard_edition_server_is_two_hosts() -> None:
    found = of(pool("SE.contoso.com", (*FRONT_END, "FileStore", "UserDatabase")), host="se.contoso.com")
    assert list(found.hosts) == ["se.contoso.com_management", "se.contoso.com"]
    assert groups_of(found, "se.contoso.com") >= {
        "front_ends",
        "pool_se_contoso_com",
        "site_redmond",
        "version_8",
    }
    assert groups_of(found, "se.contoso.com_management") == {
        *("lync", "management", "management_endpoints", "site_redmond", "version_8")
    }
    assert not any("file_store" in name or "database" in name for name in found.groups)


@pytest.mark.parametrize(
    ("roles", "kind"),
    [
        (FRONT_END, "front_ends"),
        ((*FRONT_END, "PersistentChatServer"), "front_ends"),
        (("EdgeServer", "ManagementServer"), "edges"),
        (("Registrar", "Director", "WebServer"), "directors"),
        (("MediationServer",), "mediation"),
        (("PersistentChatServer",), "persistent_chat"),
        (("Registrar", "MediationServer"), "survivable_branches"),
        (("VideoInteropServer",), None),
        (("mediationserver",), "mediation"),
    ],
)
def test_a_pool_is_of_one_kind(roles: tuple[str, ...], kind: str | None) -> None:
    kinds = {"front_ends", "edges", "directors", "mediation", "persistent_chat", "survivable_branches"}
    found = of(pool("one.contoso.com", roles, ["s1.contoso.com"]))
    assert groups_of(found, "s1.contoso.com") & kinds == ({kind} if kind else set())
    assert {"lync", "pool_one_contoso_com"} <= groups_of(found, "s1.contoso.com")


@pytest.mark.parametrize(
    ("roles", "reason"),
    [
        (["UserDatabase", "CentralManagementDatabase"], "not_a_lync_server"),
        (["FileStore"], "not_a_lync_server"),
        (["PstnGateway"], "not_a_lync_server"),
        (["TrustedApplicationPool"], "not_a_lync_server"),
        ([], "not_a_lync_server"),
        (["FileStore", "SomethingNew"], "unknown_role"),
    ],
)
def test_what_is_no_server_of_lync_s_is_no_host(roles: list[str], reason: str) -> None:
    found = of(pool("pool01.contoso.com"), pool("other.contoso.com", roles))
    assert "other.contoso.com" not in found.hosts
    assert [(each.name, each.reason) for each in found.left_out] == [("other.contoso.com", reason)]


@pytest.mark.parametrize(
    ("host", "pools", "management"),
    [
        ("POOL02.contoso.com", ["pool01", "pool02"], "pool02"),
        ("fe.pool02.contoso.com", ["pool01", "pool02"], "pool02"),
        ("lyncadmin.contoso.com", ["pool01", "pool02"], "pool01"),
        ("192.0.2.1", ["pool02", "pool01"], "pool02"),
    ],
)
def test_one_endpoint_is_the_management_s(host: str, pools: list[str], management: str) -> None:
    topology = [
        pool(f"{name}.contoso.com", computers=[f"fe.{name}.contoso.com"], site=name) for name in pools
    ]
    found = of(*topology, host=host)
    (name,) = members(found, "management")
    assert name == f"{management}.contoso.com_management"
    assert found.hosts[name]["ansible_host"] == host
    assert members(found, "management_endpoints") == {f"{each}.contoso.com_management" for each in pools}


def test_an_address_passes_for_the_central_management_server_s() -> None:
    central = pool("two.contoso.com", (*FRONT_END, "CentralManagement"))
    assert members(of(pool("one.contoso.com"), central), "management") == {"two.contoso.com_management"}


def test_without_a_web_server_there_is_no_endpoint() -> None:
    branch = pool("branch.contoso.com", ["Registrar", "MediationServer"])
    assert set(of(pool("pool01.contoso.com"), branch).hosts) == {
        *("pool01.contoso.com_management", "pool01.contoso.com", "branch.contoso.com")
    }


def test_names_that_would_make_one_group_make_none() -> None:
    found = of(
        pool("a-b.contoso.com", computers=["one.contoso.com"], site="New York"),
        pool("a.b.contoso.com", computers=["two.contoso.com"], site="New-York"),
    )
    assert not any(name.startswith(("pool_", "site_")) for name in found.groups)
    assert {each.name for each in found.left_out} == {"pool_a_b_contoso_com", "site_new_york"}
    assert members(found, "front_ends") == {"one.contoso.com", "two.contoso.com"}


def test_the_case_of_a_site_s_name_makes_no_difference() -> None:
    found = of(pool("pool01.contoso.com", site="Redmond"), pool("pool02.contoso.com", site="REDMOND"))
    assert not found.left_out
    assert {"pool01.contoso.com", "pool02.contoso.com"} <= members(found, "site_redmond")


@pytest.mark.parametrize(
    "name",
    [
        *(
            "",
            "fe01",
            "fe_01.contoso.com",
            "fe01..contoso.com",
            "-a.contoso.com",
            "a-.contoso.com",
            "10.0.0.1",
        ),
        *("fe[01:50].contoso.com", "fe01.contoso.com\n", "{{ x }}.contoso.com", "fé.contoso.com"),
        *(f"{'a' * 64}.com", ".".join(["abcdefgh"] * 29)),
    ],
)
def test_a_computer_without_a_host_name_is_left_out(name: str) -> None:
    assert not is_host_name(name)
    found = of(pool("pool01.contoso.com", computers=[name, "fe02.contoso.com"]))
    assert members(found, "front_ends") == {"fe02.contoso.com"}
    assert [(each.name, each.what, each.reason) for each in found.left_out] == [
        (name, "computer", "not_a_host_name")
    ]


def test_a_pool_without_a_host_name_has_no_endpoint() -> None:
    found = of(pool("pool 01", computers=["fe01.contoso.com"]))
    assert set(found.hosts) == {"fe01.contoso.com"}
    assert [each.reason for each in found.left_out] == ["not_a_host_name"]


names = st.text(max_size=12) | st.sampled_from(["a-b.c.com", "a.b.c.com", "A-B.c.com", "one.com", "all.com"])
roles = st.sampled_from(
    [*FRONT_END, "EdgeServer", "Director", "FileStore", "PstnGateway", "New", "CentralManagement"]
)
pools = st.builds(
    Pool,
    names,
    st.none() | names,
    st.lists(roles, max_size=4).map(tuple),
    st.none() | st.integers(1, 9),
    st.lists(names, max_size=4).map(tuple),
)
topologies = st.builds(
    Topology, st.none() | names, st.just((Site("a", None, None),)), st.lists(pools, max_size=5).map(tuple)
)


@given(topologies, names)
def test_ansible_can_use_whatever_comes(topology: Topology, host: str) -> None:
    found = inventory(topology, endpoint(host or "x"))
    assert all(GROUP_NAME.fullmatch(name) for name in found.groups)
    assert not set(found.hosts) & set(found.groups)
    assert members(found, "lync") == set(found.hosts)
    assert len(members(found, "management")) <= 1
    for name in found.hosts:
        assert is_host_name(name.removesuffix("_management"))
    for number, (group, content) in enumerate(found.groups.items()):
        assert len(content.hosts) == len(set(content.hosts))
        assert len(content.children) == len(set(content.children))
        assert number == 0 or any(group in other.children for other in found.groups.values())


@given(topologies)
def test_no_computer_is_lost(topology: Topology) -> None:
    """Each is a host, or left out with a reason, itself or with its pool."""
    found = inventory(topology, endpoint())
    left = {each.name for each in found.left_out}
    for each in topology.pools:
        for computer in each.computers:
            assert computer.lower() in found.hosts or computer in left or each.fqdn in left


@given(topologies)
def test_pools_do_not_mix(topology: Topology) -> None:
    found = inventory(topology, endpoint())
    for group, content in found.groups.items():
        if group.startswith("pool_") and content.hosts:
            own = {
                computer.lower()
                for fqdn in {each.fqdn.upper() for each in topology.pools}
                if group == f"pool_{re.sub(r'[^0-9a-z]', '_', fqdn.lower())}"
                for each in topology.pools
                if each.fqdn.upper() == fqdn
                for computer in each.computers
            }
            assert not own or set(content.hosts) <= own


@given(topologies)
def test_a_topology_comes_back_from_a_cache(topology: Topology) -> None:
    assert from_dict(json.loads(json.dumps(topology.as_dict()))) == topology


@pytest.mark.parametrize(
    "damaged",
    [
        {},
        {"product": None, "sites": [], "pools": [{"fqdn": 1}]},
        {"product": None, "sites": ["x"], "pools": []},
        {"product": 1, "sites": [], "pools": []},
        {"product": None, "sites": None, "pools": []},
    ],
)
def test_another_form_is_refused(damaged: dict[str, Any]) -> None:
    with pytest.raises((KeyError, TypeError, ValueError)):
        from_dict(damaged)
