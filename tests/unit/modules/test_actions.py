# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins, run as Ansible runs them, on a Management Shell without a server."""

from __future__ import annotations

import datetime
import importlib
from collections import UserString
from pathlib import Path
from types import SimpleNamespace
from typing import Any
from unittest.mock import MagicMock

import pytest
import yaml
from ansible.errors import AnsibleUndefinedVariable
from ansible_collections.lync.remediation.plugins.plugin_utils.module_action import native
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from unit.settings.scripted_shell import ScriptedShell, error, remote

COLLECTION = "ansible_collections.lync.remediation.plugins"
STATES = Results(
    (
        remote(
            "ReplicaState",
            ReplicaFqdn="fe01.contoso.com",
            UpToDate=True,
            LastStatusReport=datetime.datetime(2026, 11, 21, 8, 30, tzinfo=datetime.timezone.utc),
            ProductVersion="4.0.7577.0",
        ),
        remote("Store", ActiveMasterFqdn="fe01.contoso.com"),
    )
)
REPLIES = {
    "Get-CsSite": [remote("Site", Identity="Site:Redmond")],
    "Get-CsPool": [remote("Pool", Identity="pool01.contoso.com", Site="Site:Redmond")],
    "Get-CsUser": [
        remote(
            "User",
            Identity="CN=1",
            RegistrarPool="pool01.contoso.com",
            ExternalAccessPolicy=None,
            ConferencingPolicy=None,
        )
    ],
    "Get-CsConferencingPolicy": [remote("Policy", Identity="Global", EnableP2PVideo=True)],
    "Get-CsHostingProvider": [],
    "Get-CsManagementStoreReplicationStatus": list(STATES.output[:1]),
    "Measure-Object": [],
}


def run(
    module: str, arguments: dict[str, Any], shell: ScriptedShell | None = None, check: bool = False
) -> dict[str, Any]:
    connection = MagicMock(transport="lync.remediation.management_shell", session=shell or server())
    return run_on(connection, module, arguments, check=check)


def run_on(connection: MagicMock, module: str, arguments: dict[str, Any], **task: Any) -> dict[str, Any]:
    action = importlib.import_module(f"{COLLECTION}.action.{module}").ActionModule
    described = SimpleNamespace(
        args=arguments,
        check_mode=task.get("check", False),
        diff=True,
        become=False,
        async_val=0,
        action=module,
        environment=None,
        delegate_to=task.get("delegate_to"),
        timeout=task.get("timeout", 0),
        module_defaults=task.get("module_defaults", []),
        resolved_action=f"lync.remediation.{module}",
        get_name=lambda: module,
        get_path=lambda: "site.yml:1",
    )
    plugin = action(described, connection, MagicMock(), MagicMock(), MagicMock(), MagicMock())
    plugin._templar = MagicMock(template=lambda value: value)
    plugin._connection._shell.tmpdir = "/nonexistent"
    result: dict[str, Any] = plugin.run(task_vars=task.get("variables", {"lync_remediation_journal": False}))
    assert task.get("defect") or result.get("failure") != "defect", result["exception"]
    return result


def server(**more: Any) -> ScriptedShell:
    return ScriptedShell("2010", {"CsPublicProvider": {"MSN": {"Enabled": False}}}, replies=REPLIES, **more)


CALLS: list[tuple[str, dict[str, Any]]] = [
    ("external_access_policy", {"enable_public_cloud_access": True}),
    ("external_access_policy", {"state": "absent"}),
    ("external_access_policy_info", {"users": ["sip:kenmyer@contoso.com"], "sites": ["Redmond"]}),
    ("effective_policy_info", {"users": ["sip:kenmyer@contoso.com"], "sites": ["Redmond"], "holders": True}),
    (
        "policy_assignment",
        {"kind": "external_access_policy", "users": ["sip:kenmyer@contoso.com"], "state": "absent"},
    ),
    ("media_configuration", {"identity": "site:Redmond", "encryption_level": "supportEncryption"}),
    ("media_configuration_info", {"identity": "Global", "sites": ["redmond"]}),
    ("public_provider", {"identity": "msn", "enabled": "yes"}),
    ("public_provider_info", {}),
    ("access_edge_configuration", {"allow_federated_users": True}),
    ("access_edge_configuration_info", {}),
    ("federation_info", {"outside": False}),
    ("replication", {}),
    ("replication_info", {}),
    ("connection_info", {}),
    ("setting", {"noun": "csmediaconfiguration", "properties": {"EncryptionLevel": "SupportEncryption"}}),
    ("setting", {"noun": "CsExternalAccessPolicy", "state": "reset"}),
    ("setting_info", {"nouns": "CsMediaConfiguration"}),
]


@pytest.mark.parametrize(("module", "arguments"), CALLS)
@pytest.mark.parametrize("check", [True, False])
def test_results_hold_what_is_documented(module: str, arguments: dict[str, Any], check: bool) -> None:
    documented = yaml.safe_load(importlib.import_module(f"{COLLECTION}.modules.{module}").RETURN)
    result = run(module, arguments, check=check)
    assert set(result) - {"changed", "warnings"} <= set(documented)
    always = {key for key, value in documented.items() if value["returned"] == "always"}
    assert always <= set(result)
    types = {"int": int, "str": str, "bool": bool, "dict": dict, "list": list, "float": float}
    for key in always:
        if result[key] is not None:
            assert isinstance(result[key], types[documented[key]["type"]]), key


@pytest.mark.parametrize(
    "module", ["external_access_policy", "media_configuration", "access_edge_configuration"]
)
def test_what_an_info_module_returns_is_what_its_module_takes(module: str) -> None:
    shell = server()
    info = run(f"{module}_info", {}, shell)
    key = next(key for key, value in info.items() if isinstance(value, list) and value)
    for item in info[key]:
        result = run(module, item, shell)
        assert result["status"] == "in_desired_state"
        assert {name: result["before"][name] for name in item} == item


@pytest.mark.parametrize(
    ("module", "arguments", "sentence"),
    [
        ("media_configuration", {"encryption_level": "Always"}, "encryption_level: 'Always' is not allowed"),
        (
            "media_configuration",
            {"identity": "Sales"},
            "identity: 'Sales' is not an identity that can be used here",
        ),
        (
            "media_configuration",
            {"in_call_qos_interval_seconds": 70000},
            "in_call_qos_interval_seconds: 70000 is not between 0 and 65535",
        ),
        (
            "external_access_policy",
            {"enable_everything": True},
            "'enable_everything': there is no such option",
        ),
        ("external_access_policy", {"identity": "service:X:y.z"}, "identity: 'service:X:y.z'"),
        ("public_provider", {}, "identity"),
        (
            "public_provider",
            {"identity": "X", "proxy_fqdn": "nowhere"},
            "proxy_fqdn: 'nowhere' is not a fully qualified",
        ),
        ("access_edge_configuration", {"identity": "Global"}, "'identity': there is no such option"),
        ("replication", {"timeout": 0}, "timeout: 0 is not between 1 and 604800."),
        ("replication", {"replicas": ["fe09"]}, "replicas: fe09: there is no such replica"),
        ("media_configuration_info", {"sites": ["Atlantis"]}, "sites: the topology has no site 'Atlantis'"),
    ],
)
def test_bad_input_is_one_sentence_and_no_change(
    module: str, arguments: dict[str, Any], sentence: str
) -> None:
    shell = server()
    result = run(module, arguments, shell)
    assert sentence in result["msg"]
    assert result["msg"].endswith("Nothing has been changed.")
    assert (result["failed"], result["changed"], result["status"]) == (True, False, "unknown")
    assert shell.writes == []


def test_a_failing_task_tells_its_status_and_what_the_server_said() -> None:
    shell = server(answer=lambda c: error(c.name) if c.name == "Get-CsMediaConfiguration" else None)
    result = run("media_configuration", {"enable_qos": True}, shell)
    assert (result["failed"], result["status"], result["changed"]) == (True, "unknown", False)
    assert result["error_details"]["category"] == "PermissionDenied"


def test_a_refusal_tells_whether_there_is_drift() -> None:
    result = run("public_provider", {"identity": "MSN", "proxy_fqdn": "proxy.contoso.com"})
    assert (result["status"], result["failure"]) == ("drifted", "refused")
    result = run("external_access_policy", {"enable_xmpp_access": True})
    assert (result["status"], result["failure"]) == ("unknown", "refused")


def test_a_change_that_fails_tells_all_that_a_success_would() -> None:
    shell = server(answer=lambda c: error(c.name) if c.verb == "Set" else None)
    result = run("media_configuration", {"enable_qos": True}, shell)
    assert result["status"] == "drifted"
    assert result["commands"] == ["Set-CsMediaConfiguration -Identity Global -EnableQoS $true"]
    assert result["error_details"]["command"] == "Set-CsMediaConfiguration"


def test_the_connection_is_told_with_what_it_offers() -> None:
    result = run("connection_info", {}, server(withheld=["Set-CsMediaConfiguration"]))
    assert result["account"] == "CONTOSO\\uc-admin"
    assert result["cmdlets"]["Set-CsMediaConfiguration"] is False
    assert result["cmdlets"]["Get-CsMediaConfiguration"] is True
    assert result["powershell_version"] == "5.1.14393.1884"
    assert result["session_resumed"] is False
    assert result["latency_ms"] >= 0


@pytest.mark.parametrize("delegate_to", [None, "fe02.contoso.com"])
def test_the_session_of_a_delegated_host_is_left_for_the_next_task(delegate_to: str | None) -> None:
    connection = MagicMock(transport="lync.remediation.management_shell", session=server())
    run_on(connection, "connection_info", {}, delegate_to=delegate_to)
    assert connection.close.called is (delegate_to is not None)


class UnsafeText(str):
    """As in ansible-core 2.16: whatever it is asked for is unsafe again."""

    def __str__(self) -> str:
        return self


def test_texts_that_ansible_has_marked_become_plain_ones() -> None:
    (plain,) = native([{UnsafeText("key"): UnsafeText("text")}])
    assert [type(text) for text in (*plain, *plain.values())] == [str, str]


class AnsibleVaultEncryptedUnicode(UserString):
    """As up to ansible-core 2.18: a sequence of characters that is no str, and decrypts itself."""


def test_a_vaulted_text_is_a_text() -> None:
    assert native({"description": AnsibleVaultEncryptedUnicode("secret")}) == {"description": "secret"}


DEFAULTS = [{"group/lync.remediation.lync": {"timeout": 30, "enable_qos": True}}]


def test_a_module_takes_of_the_groups_defaults_what_it_has() -> None:
    arguments = {"timeout": 30, "enable_qos": True}
    connection = MagicMock(transport="lync.remediation.management_shell", session=server())
    result = run_on(connection, "media_configuration", arguments, module_defaults=DEFAULTS, check=True)
    assert [each["property"] for each in result["drift"]] == ["enable_qos"]
    assert "failed" not in run_on(connection, "connection_info", arguments, module_defaults=DEFAULTS)


@pytest.mark.parametrize("module", ["connection_info", "media_configuration"])
def test_what_no_module_of_the_group_has_is_refused(module: str) -> None:
    defaults = [{"group/lync.remediation.lync": {"foo": 1}}]
    connection = MagicMock(transport="lync.remediation.management_shell", session=server())
    result = run_on(connection, module, {"foo": 1}, module_defaults=defaults)
    assert (result["failed"], result["failure"]) == (True, "bad_argument")
    # An option of another module is right in the group's defaults only.
    assert run_on(connection, module, {"proxy_fqdn": "a.b"})["failure"] == "bad_argument"


class TaskTimeoutError(BaseException):
    """As ansible-core raises it in the worker when a task's own timeout runs out."""


@pytest.mark.parametrize(("verb", "status", "changed"), [("Get", "unknown", False), ("Set", "unknown", True)])
def test_a_tasks_own_timeout_tells_what_may_have_been_written(verb: str, status: str, changed: bool) -> None:
    def answer(command: Any) -> None:
        if command.verb == verb:
            raise TaskTimeoutError

    connection = MagicMock(transport="lync.remediation.management_shell", session=server(answer=answer))
    result = run_on(connection, "media_configuration", {"enable_qos": True}, timeout=5)
    assert (result["status"], result["changed"], result["failure"]) == (status, changed, "task_timed_out")
    assert {"before", "after", "drift", "commands", "diff"} <= set(result)


@pytest.mark.parametrize(("verb", "status", "changed"), [("Get", "unknown", False), ("Set", "unknown", True)])
def test_an_error_of_our_own_does_not_hide_what_has_been_written(
    verb: str, status: str, changed: bool
) -> None:
    def answer(command: Any) -> None:
        if command.verb == verb:
            raise KeyError("Enabled")

    connection = MagicMock(transport="lync.remediation.management_shell", session=server(answer=answer))
    result = run_on(connection, "media_configuration", {"enable_qos": True}, defect=True)
    assert (result["status"], result["changed"], result["failure"]) == (status, changed, "defect")
    assert bool(result["commands"]) is changed
    assert "KeyError" in result["msg"]
    assert "Traceback" in result["exception"]


def test_an_error_of_our_own_is_a_verdict_of_drift_and_no_unreachable_server(tmp_path: Path) -> None:
    def answer(command: Any) -> None:
        raise KeyError("Enabled")

    text = "format: 1\nnoun: CsMediaConfiguration\nobjects:\n  Global:\n    EnableQoS: true\n"
    (tmp_path / "CsMediaConfiguration.yml").write_text(text)
    connection = MagicMock(transport="lync.remediation.management_shell", session=server(answer=answer))
    folders = {"baseline": str(tmp_path), "state": str(tmp_path / "state"), "deployment": "contoso"}
    result = run_on(connection, "drift_check", folders, defect=True)
    assert (result["failure"], result["verdict"]) == ("defect", "incomplete"), result["refusal"]
    assert [finding["unknown"] for finding in result["findings"]] == ["failed"]


def test_ansibles_own_errors_are_ansibles_to_tell() -> None:
    def answer(command: Any) -> None:
        raise AnsibleUndefinedVariable("'ports' is undefined")

    connection = MagicMock(transport="lync.remediation.management_shell", session=server(answer=answer))
    with pytest.raises(AnsibleUndefinedVariable):
        run_on(connection, "media_configuration", {"enable_qos": True})


def test_a_module_that_reads_only_needs_no_journal(tmp_path: Path) -> None:
    (tmp_path / "journal").write_text("a file")
    variables = {"lync_remediation_journal": str(tmp_path / "journal")}
    connection = MagicMock(transport="lync.remediation.management_shell", session=server())
    assert "failed" not in run_on(connection, "connection_info", {}, variables=variables)
    refused = run_on(connection, "media_configuration", {"enable_qos": True}, variables=variables)
    assert (refused["failure"], refused["changed"]) == ("journal_unusable", False)
