# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What stands in the way is told in one list, before anything is written."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import DEPLOYMENTS, RunningLab, recap

from .conftest import Ansible, Start


@pytest.fixture
def unprepared(start: Start, ansible_at: Callable[[RunningLab], Ansible]) -> Ansible:
    """Lync Server 2013 as it is set up: Messenger is disabled, and federation off."""
    return ansible_at(start("lync2013"))


@pytest.mark.parametrize("arguments", [[], pytest.param(["--check"], marks=pytest.mark.sweep)])
def test_everything_in_the_way_is_told_at_once(arguments: list[str], unprepared: Ansible) -> None:
    run = unprepared.enable("--limit", "redmond.contoso.com", *arguments)
    assert run.exit_code == 2
    assert "The public provider Messenger is disabled." in run.text
    assert "windows_live_av_federation_enable_providers: true" in run.text
    assert "The Access Edge does not allow federation." in run.text
    assert "windows_live_av_federation_manage_access_edge: true" in run.text
    assert "Nothing has been changed." in run.text
    assert unprepared.lab.writes() == []


def test_what_is_in_the_way_is_put_right_on_request(unprepared: Ansible) -> None:
    on_request = {"enable_providers": True, "manage_access_edge": True}
    dry = unprepared.enable("--check", "--limit", "redmond.contoso.com", **on_request)
    assert (dry.exit_code, dry.changed, unprepared.lab.writes()) == (0, 4, []), dry.output
    # A host that is refused does not keep the other from it.
    refused = "{{ ['nobody'] if inventory_hostname == 'portland.contoso.com' else [] }}"
    real = unprepared.enable(**on_request, providers=refused)
    hosts = recap(real.output)
    assert (hosts["portland.contoso.com"]["failed"], hosts["portland.contoso.com"]["changed"]) == (1, 0)
    assert (hosts["redmond.contoso.com"]["failed"], hosts["redmond.contoso.com"]["changed"]) == (0, 4)
    assert real.differences == dry.differences
    assert unprepared.enable("--limit", "redmond.contoso.com", **on_request).changed == 0
    (edge,) = json.loads(unprepared.lab.dump())["CsAccessEdgeConfiguration"]
    assert edge["AllowFederatedUsers"] is True

    # By the other pool's endpoint as well, at the same time: what is taken back is the deployment's.
    back = unprepared.disable()
    assert (back.exit_code, back.changed) == (0, 4), back.output
    providers = json.loads(unprepared.lab.dump())["CsPublicProvider"]
    assert {each["Identity"]: each["Enabled"] for each in providers}["Messenger"] is False


def test_each_of_several_deployments_is_judged_by_itself(
    demo: Ansible, unprepared: Ansible, tmp_path: Path
) -> None:
    gone = {"ansible_host": "nowhere.invalid", "ansible_connection": "lync.remediation.management_shell"}
    third = tmp_path / "third.yml"
    third.write_text(yaml.safe_dump({"management": {"hosts": {"gone": gone}}}), encoding="utf-8")
    ready, lacking = "pool01.contoso.com", "redmond.contoso.com"
    three = ("-i", str(unprepared.lab.inventory), "-i", str(third), "--limit", f"{ready},{lacking},gone")
    before = demo.lab.dump()
    run = demo.enable(*three)
    assert run.exit_code == 4
    ended = {
        host: {key: counts[key] for key in ("changed", "failed", "unreachable")}
        for host, counts in recap(run.output).items()
    }
    assert ended == {
        ready: {"changed": 2, "failed": 0, "unreachable": 0},
        lacking: {"changed": 0, "failed": 1, "unreachable": 0},
        "gone": {"changed": 0, "failed": 0, "unreachable": 1},
    }
    assert unprepared.lab.writes() == []
    back = demo.disable(*three)
    assert (back.exit_code, back.changed, demo.lab.dump()) == (4, 2, before), back.output


@pytest.mark.sweep
def test_a_deployment_without_a_provider_is_told_how_to_get_one(demo: Ansible) -> None:
    demo.module("public_provider", identity="MSN", state="absent")
    written = demo.lab.writes()
    run = demo.enable()
    assert run.exit_code == 2
    assert "No public provider leads to federation.messenger.msn.com" in run.text
    assert demo.lab.writes() == written


def test_a_site_that_does_not_exist_stops_before_anything_is_written(demo: Ansible) -> None:
    run = demo.enable(media=["Global", "site:Atlantis"])
    assert run.exit_code == 2
    assert "Atlantis" in run.text
    assert "Redmond" in run.text
    assert demo.lab.writes() == []


@pytest.mark.engine_core
def test_an_account_that_may_only_look_and_not_everywhere_gets_a_dry_run_and_no_more(
    start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    accounts = [{"name": "viewer", "password": "Lab-Passw0rd", "roles": ["Looking"]}]
    roles = {"Looking": {"template": "CsViewOnlyAdministrator", "without": ["Get-CsConferencingPolicy"]}}
    viewer = ansible_at(start("demo", accounts=accounts, roles=roles, inventory_account="viewer"))
    viewer.expected_warnings = ["https://"]
    dry = viewer.enable("--check")
    assert (dry.exit_code, dry.changed) == (0, 2), dry.output
    assert "p2p_video" in dry.text.partition("NOT KNOWN")[2].partition("lync.remediation.federation_info")[0]
    real = viewer.enable()
    assert real.exit_code == 2
    assert "may not use Set-CsExternalAccessPolicy and Set-CsMediaConfiguration here" in real.text
    assert "CsAdministrator" in real.text
    assert viewer.lab.writes() == []


SOMEBODY = {"media": ["Global"], "people": ["sip:pilar@contoso.com"]}
#: What cannot be meant, and a part of the sentence about it.
NOT_MEANT: list[tuple[dict[str, Any], str]] = [
    ({**SOMEBODY, "people": ["sip:nobody@contoso.com"]}, "'sip:nobody@contoso.com' stands for no user"),
    (
        {**SOMEBODY, "people": ["sip:pilar@contoso.com", "K*"]},
        "'K*' in windows_live_av_federation_people stands for",
    ),
    ({**SOMEBODY, "policies": ["Global"]}, "contradict each other"),
    ({**SOMEBODY, "media": []}, "Encryption has no user scope"),
    ({**SOMEBODY, "people_ou": "OU=Staff,DC=contoso,DC=com"}, "either users, or a filter"),
    (
        {"media": ["Global"], "people_filter": "Enabled -eq $True", "people_ldap_filter": "(cn=*)"},
        "one of them",
    ),
    ({"media": ["Global"], "people_filter": "this is none"}, "Get-CsUser"),
    ({"media": ["Global"], "people_ldap_filter": "(&(cn=*)"}, "Get-CsUser"),
    ({"media": ["Global"], "people_ou": "OU=Nowhere,DC=contoso,DC=com"}, "OU=Nowhere"),
    (
        {"media": ["Global"], "people_filter": "DisplayName -eq 'Nobody'"},
        "The filter for people finds nobody",
    ),
    ({"policies": ["site:Atlantis"]}, "Atlantis"),
    ({"policies": ["Tag:Nobody"]}, "There is no policy Tag:Nobody"),
    ({"policies": ["MediationServer:pool01.contoso.com"]}, "MediationServer:pool01.contoso.com"),
    ({"policies": ["a:b:c"]}, "a:b:c"),
    ({"media": ["site:Atlantis"]}, "Atlantis"),
    ({"media": ["MediationServer:nowhere.contoso.com"]}, "nowhere.contoso.com"),
    ({"media": ["service:Registrar:pool01.contoso.com"]}, "Registrar"),
    ({"media": ["Tag:Sales"]}, "Tag:Sales"),
    ({"users": ["sip:nobody@contoso.com"]}, "'sip:nobody@contoso.com' stands for no user"),
    ({"sites": ["Atlantis"]}, "Atlantis"),
    ({"providers": ["Messenger"]}, "The one that leads to federation.messenger.msn.com is MSN"),
    ({"replicas": ["nowhere.contoso.com"]}, "nowhere.contoso.com"),
]


@pytest.mark.parametrize(
    "cases", [NOT_MEANT[::8], pytest.param(NOT_MEANT, marks=pytest.mark.sweep)], ids=["some", "all"]
)
def test_what_cannot_be_meant_is_one_sentence_and_nothing_is_written(
    cases: list[tuple[dict[str, Any], str]], demo: Ansible, tmp_path: Path
) -> None:
    said = tmp_path / "said"
    said.mkdir()
    kept = {
        # A loop's own message says only that an item has failed.
        "content": "{{ ansible_failed_result.results | default([ansible_failed_result]) | map(attribute='msg')"
        " | flatten | to_json }}",
        "mode": "0600",
    }
    blocks = [
        {
            "block": [
                {
                    "ansible.builtin.include_role": {"name": "lync.remediation.windows_live_av_federation"},
                    "vars": {
                        f"windows_live_av_federation_{name}": value for name, value in variables.items()
                    },
                }
            ],
            "rescue": [
                {
                    "ansible.builtin.copy": {**kept, "dest": f"{said}/{number}"},
                    "delegate_to": "localhost",
                }
            ],
        }
        for number, (variables, _sentence) in enumerate(cases)
    ]
    run = demo.tasks(blocks)
    assert run.exit_code == 0, run.output
    assert demo.lab.writes() == []
    wrong = {}
    for number, (_variables, sentence) in enumerate(cases):
        sentences = json.loads((said / str(number)).read_text(encoding="utf-8"))
        if not any(sentence in each for each in sentences) or any("\n" in each for each in sentences):
            wrong[sentence] = sentences
    assert wrong == {}


def test_an_account_that_may_do_some_of_the_steps_does_none(
    start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    accounts = [{"name": "helper", "password": "Lab-Passw0rd", "roles": ["CsUserAdministrator"]}]
    helper = ansible_at(start("demo", accounts=accounts, inventory_account="helper"))
    run = helper.enable(**SOMEBODY)
    assert run.exit_code == 2
    assert "may not use New-CsExternalAccessPolicy and Set-CsMediaConfiguration here" in run.text
    assert helper.lab.writes() == []


BROKEN_SETTINGS = {
    "PublicProvider": [{"Identity": "MSN", "ProxyFqdn": "federation.messenger.msn.com"}],
    "AllowedDomain": [{"Identity": "live.com", "ProxyFqdn": "federation.messenger.msn.com"}],
    "BlockedDomain": [{"Identity": "hotmail.com"}],
    "AccessEdgeConfiguration": [
        {"Identity": "Global", "AllowFederatedUsers": False, "AllowOutsideUsers": False}
    ],
    "ConferencingPolicy": [{"Identity": "Global", "EnableP2PVideo": False}],
}


def test_each_prerequisite_that_is_broken_is_seen(
    start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    pools = yaml.safe_load((DEPLOYMENTS / "demo.yml").read_text(encoding="utf-8"))["pools"]
    del pools["dublin.contoso.com"]["edge"]
    ken = {"name": "kenmyer", "pool": "pool01.contoso.com", "audio_video_disabled": True}
    broken = ansible_at(
        start(
            "demo",
            settings=BROKEN_SETTINGS,
            sites={"Redmond": {}, "Dublin": {}},
            pools=pools,
            users=[ken],
            second_master="dublin.contoso.com",
        )
    )
    found = broken.module("federation_info", outside=False)
    states = {each["prerequisite"]: each["state"] for each in found["prerequisites"]}
    unknown = ("license", "ports", "dns_srv", "external_certificate")
    expected = {**dict.fromkeys(states, "unmet"), **dict.fromkeys(unknown, "unknown"), "version": "met"}
    assert states == expected
    assert all(each["remedy"] for each in found["prerequisites"] if each["state"] != "met")
    run = broken.enable(enable_providers=True, manage_access_edge=True)
    assert run.exit_code == 2
    assert "both call themselves the active Central Management Server" in run.text
    assert "Set-CsAllowedDomain -Identity live.com -ProxyFqdn" in run.text
    assert broken.lab.writes() == []
