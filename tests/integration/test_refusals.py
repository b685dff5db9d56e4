# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Wrong input: each ends in a failing task and one sentence that says what to do, and in unchanged servers."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import certifi
import pytest
import yaml
from running import RunningLab, recap

from .conftest import Ansible, Start

BAD_ARGUMENTS = {
    "an unknown option": (
        "media_configuration",
        {"encription_level": "SupportEncryption"},
        ["encription_level", "there is no such option", "encryption_level", "Nothing has been changed."],
    ),
    "a wrong type": (
        "media_configuration",
        {"enable_qos": "perhaps"},
        ["enable_qos", "perhaps", "Nothing has been changed."],
    ),
    "an unknown name of an enumeration": (
        "media_configuration",
        {"encryption_level": "MaybeEncryption"},
        [
            "encryption_level: 'MaybeEncryption'",
            "SupportEncryption",
            "DoNotSupportEncryption",
            "RequireEncryption",
        ],
    ),
    "a malformed identity": (
        "external_access_policy",
        {"identity": "site:", "enable_federation_access": True},
        ["identity: 'site:'", "site:<site name>", "Nothing has been changed."],
    ),
    "an identity over two lines": (
        "external_access_policy",
        {"identity": "Tag:A\nB", "enable_federation_access": True},
        [r"identity: 'Tag:A\nB'", "Nothing has been changed."],
    ),
    "a scope that the noun does not have": (
        "external_access_policy",
        {"identity": "service:MediationServer:pool01.contoso.com", "enable_federation_access": True},
        ["identity: 'service:MediationServer:pool01.contoso.com'", "Allowed:", "Nothing has been changed."],
    ),
    "a role that has no media settings": (
        "media_configuration",
        {"identity": "service:Registrar:pool01.contoso.com", "enable_qos": True},
        ["ConferencingServer, MediationServer, ApplicationServer", "Nothing has been changed."],
    ),
    "a site that does not exist": (
        "media_configuration",
        {"identity": "site:Atlantis", "enable_qos": True},
        ["Atlantis", "Dublin", "Redmond", "Nothing has been changed."],
    ),
    "a provider that is not there, without what it takes to create it": (
        "public_provider",
        {"identity": "Skype", "enabled": True},
        ["Skype", "proxy_fqdn"],
    ),
    "a property that this version does not have": (
        "external_access_policy",
        {"enable_xmpp_access": True},
        ["enable_xmpp_access", "-EnableXmppAccess", "Lync Server 2010", "Nothing has been changed."],
    ),
    "a user who does not exist": (
        "external_access_policy_info",
        {"users": ["sip:nobody@contoso.com"]},
        ["sip:nobody@contoso.com"],
    ),
    "a replica that does not exist": (
        "replication",
        {"replicas": ["fe09.contoso.com"]},
        ["fe09.contoso.com", "fe01.contoso.com"],
    ),
}


@pytest.mark.parametrize("mode", ["--check", "--diff"])
def test_wrong_arguments_are_named(mode: str, demo: Ansible) -> None:
    tasks = [{f"lync.remediation.{module}": options} for module, options, _ in BAD_ARGUMENTS.values()]
    _, found = demo.results(tasks, mode, hosts="management")
    (results,) = found.values()
    for (case, (_, _, sentence)), result in zip(BAD_ARGUMENTS.items(), results, strict=True):
        assert result["failed"], case
        for part in sentence:
            assert part in result["msg"], case
        assert "\n" not in result["msg"].strip(), case
    assert demo.lab.writes() == []


LISTENER = {"scheme": "https", "port": 8443}


UNUSABLE: list[tuple[dict[str, Any], list[str]]] = [
    ({"ansible_host": "nowhere.invalid"}, ["nowhere.invalid", "cannot be resolved", "ansible_host"]),
    ({"ansible_port": 9}, ["No connection to", "port is right"]),
    ({"ansible_password": "wrong"}, ["refused to authenticate", "ansible_password"]),
    ({"ansible_user": "CONTOSO\\nobody"}, ["refused to authenticate", "ansible_user"]),
    (
        {"ansible_user": "CONTOSO\\former-admin", "ansible_password": "Lab-Passw0rd"},
        ["refused to authenticate", "neither locked nor expired"],
    ),
    (
        {"ansible_user": "CONTOSO\\ken.myer", "ansible_password": "Lab-Passw0rd"},
        ["has no right to open a session", "RBAC role"],
    ),
    ({"ansible_psrp_path": "nothing"}, ["ansible_psrp_path"]),
    ({"ansible_psrp_ca_cert": certifi.where()}, ["certificate", "ansible_psrp_ca_cert"]),
]


def test_a_host_that_cannot_be_used_is_unreachable(demo: Ansible, tmp_path: Path) -> None:
    known = yaml.safe_load(demo.lab.inventory.read_text(encoding="utf-8"))
    (pool, *_) = known["all"]["children"]["management"]["hosts"].values()
    hosts = {
        f"unusable{number}": {**pool, "ansible_psrp_reconnection_retries": 0, **variables}
        for number, (variables, _) in enumerate(UNUSABLE)
    }
    inventory = tmp_path / "unusable.yml"
    inventory.write_text(yaml.safe_dump({"management": {"hosts": hosts}}), encoding="utf-8")
    run = demo.enable("--inventory", str(inventory), "--limit", "unusable*")
    assert run.exit_code == 4, run.output
    said = dict(
        re.findall(r"fatal: \[(unusable\d+)\]: UNREACHABLE! => (.*?)(?=fatal: |PLAY RECAP)", run.text)
    )
    for host, (_, sentence) in zip(hosts, UNUSABLE, strict=True):
        assert recap(run.output)[host]["unreachable"] == 1
        for part in sentence:
            assert part in said[host], host
    assert demo.lab.writes() == []


@pytest.mark.parametrize("flavour", ["expired", "wrong_name", "self_signed"])
def test_a_certificate_that_is_not_good_is_refused(
    flavour: str, start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    listeners = {"management": [{**LISTENER, "certificate": flavour}]}
    ansible = ansible_at(start("demo", listeners=listeners))
    result = ansible.module("connection_info")
    assert result["reached"] == "UNREACHABLE!"
    assert "is not trusted" in result["msg"]
    assert "ansible_psrp_ca_cert" in result["msg"]


@pytest.mark.engine_core
def test_a_cmdlet_that_the_account_does_not_have_is_named(demo: Ansible) -> None:
    variables = {"ansible_user": "CONTOSO\\help-desk", "ansible_password": "Lab-Passw0rd"}
    run = demo.playbook("lync.remediation.enable_windows_live_av_federation", **variables)
    assert run.exit_code == 2, run.output
    assert "CONTOSO help-desk may not use Set-CsExternalAccessPolicy and Set-CsMediaConfiguration" in run.text
    result = demo.module("media_configuration", "--extra-vars", json.dumps(variables), enable_qos=True)
    assert "does not offer Set-CsMediaConfiguration to CONTOSO\\help-desk" in result["msg"]
    assert demo.lab.writes() == []


OF_OTHER_HOSTS = [
    ({"ansible.builtin.setup": None}, "gathering facts"),
    ({"ansible.builtin.raw": "Get-Date"}, "runs Management Shell commands only"),
    ({"ansible.builtin.copy": {"content": "x", "dest": "C:/x"}}, "runs Management Shell commands only"),
    ({"ansible.builtin.stat": {"path": "C:/"}}, "runs Management Shell commands only"),
    (
        {"lync.remediation.connection_info": None, "become": True, "become_user": "Administrator"},
        "become: a session runs as the account that opened it",
    ),
    (
        {
            "lync.remediation.connection_info": None,
            "vars": {"ansible_connection": "ansible.builtin.local"},
        },
        "Allowed: lync.remediation.management_shell",
    ),
]


def test_what_such_a_host_cannot_do_is_refused_in_a_sentence(demo: Ansible) -> None:
    tasks = [{**task, "ignore_unreachable": True} for task, _ in OF_OTHER_HOSTS]
    _, found = demo.results(tasks, hosts="management")
    (results,) = found.values()
    for (task, sentence), result in zip(OF_OTHER_HOSTS, results, strict=True):
        assert result.get("failed") or result.get("unreachable"), task
        assert sentence in result["msg"], task


def test_wrong_variables_of_the_role_are_named(demo: Ansible) -> None:
    wrong = {
        "state": "enabled",
        "media": {"a": 1},
        "replication_timeout": "soon",
        "max_video_rate": "Hd1080",
    }
    role = {"name": "lync.remediation.windows_live_av_federation"}
    variables = {f"windows_live_av_federation_{name}": value for name, value in wrong.items()}
    run = demo.tasks([{"ansible.builtin.include_role": role, "vars": variables}])
    assert run.exit_code == 2
    for name in variables:
        assert name in run.text
    assert demo.lab.commands() == []
