# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting on plans: what is sent, what is not, and what is said when it does not come about."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command, Switch
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import Results
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    Unreadable,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import apply
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import GLOBAL, wanted
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.reading import find
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Desired
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from hypothesis import given
from hypothesis import strategies as st
from unit.envelopes import envelope
from unit.settings.scripted_shell import ENDPOINT, VERSIONS, Answer, ScriptedShell, error, remote

MEDIA = RESOURCES["media_configuration"]
POLICY = RESOURCES["external_access_policy"]
PROVIDER = RESOURCES["public_provider"]
EDGE = RESOURCES["access_edge_configuration"]

SITES = [remote("Site", Identity="Site:Redmond"), remote("Site", Identity="Site:Dublin")]
SERVICES = [
    remote("Service", Identity="MediationServer:pool01.contoso.com", SiteId="Site:Redmond"),
    remote("Service", Identity="Registrar:pool01.contoso.com", SiteId="Site:Redmond"),
]
SETTINGS = {
    "CsMediaConfiguration": {"Site:Dublin": {"EnableQoS": True}},
    "CsExternalAccessPolicy": {"Tag:Sales": {"EnableOutsideAccess": True}},
    "CsPublicProvider": {
        "MSN": {"ProxyFqdn": "federation.messenger.msn.com", "Enabled": True},
        "AOL": {"ProxyFqdn": "sip.oscar.aol.com", "Enabled": False},
    },
}
REPLIES: dict[str, list[Any]] = {
    "Get-CsSite": SITES,
    "Get-CsService": SERVICES,
    "Get-CsHostingProvider": [],
    "Get-CsUser": [],
}


def shell(version: str = "2010", **more: Any) -> ScriptedShell:
    more = {"settings": SETTINGS, **more, "replies": {**REPLIES, **more.get("replies", {})}}
    return ScriptedShell(version, **more)


def remediate(server: ScriptedShell, resource: Any, desired: Desired, *, check_mode: bool) -> dict[str, Any]:
    return apply.remediate(envelope(server, check_mode), resource, desired).as_dict()


def request(resource: Any, identity: str = "Global", **options: Any) -> Desired:
    more = {name: options.pop(name) for name in ("present", "recreate", "force") if name in options}
    return Desired(wanted(identity, resource.scopes, resource.roles), options, **more)


REQUESTS = {
    "set global": (
        MEDIA,
        request(MEDIA, encryption_level="SupportEncryption", max_video_rate_allowed="Hd720p15M"),
    ),
    "create at a site": (MEDIA, request(MEDIA, "site:redmond", enable_siren=True)),
    "create at a service": (MEDIA, request(MEDIA, "mediationserver:pool01.contoso.com", enable_siren=True)),
    "remove from a site": (MEDIA, request(MEDIA, "site:dublin", present=False)),
    "set per user": (
        POLICY,
        request(POLICY, "sales", enable_public_cloud_access=True, description="For sales"),
    ),
    "create per user": (POLICY, request(POLICY, "tag:New", enable_outside_access=True)),
    "remove per user": (POLICY, request(POLICY, "TAG:SALES", present=False)),
    "set provider": (PROVIDER, request(PROVIDER, "msn", enabled=False)),
    "create provider": (
        PROVIDER,
        request(PROVIDER, "Fabrikam", proxy_fqdn="proxy.fabrikam.com", enabled=True),
    ),
    "recreate provider": (PROVIDER, request(PROVIDER, "MSN", proxy_fqdn="proxy.fabrikam.com", recreate=True)),
    "remove provider": (PROVIDER, request(PROVIDER, "AOL", present=False)),
    "set edge": (EDGE, request(EDGE, allow_federated_users=True)),
    "set edge by routing": (EDGE, request(EDGE, enable_partner_discovery=True, allow_outside_users=True)),
}
every_request = pytest.mark.parametrize(("resource", "desired"), REQUESTS.values(), ids=REQUESTS)


@every_request
@pytest.mark.parametrize("version", VERSIONS)
def test_check_mode_reads_only_and_foretells_the_run(version: str, resource: Any, desired: Desired) -> None:
    checked, run = shell(version), shell(version)
    foretold = remediate(checked, resource, desired, check_mode=True)
    done = remediate(run, resource, desired, check_mode=False)
    assert checked.writes == []
    assert all(checked.repeatable)
    assert run.writes
    assert (foretold["status"], done["status"]) == ("drifted", "corrected")
    assert foretold["changed"] is done["changed"] is True
    assert {k: v for k, v in foretold.items() if k not in ("status",)} == {
        k: v for k, v in done.items() if k != "status"
    }
    assert foretold["diff"]["before"] != foretold["diff"]["after"]


@every_request
def test_the_second_run_finds_nothing_to_do(resource: Any, desired: Desired) -> None:
    server = shell()
    first = remediate(server, resource, desired, check_mode=False)
    written = list(server.writes)
    second = remediate(server, resource, desired, check_mode=False)
    assert server.writes == written
    assert second["status"] == "in_desired_state"
    assert second["changed"] is False
    assert (second["drift"], second["commands"]) == ([], [])
    assert second["before"] == second["after"] == first["after"]
    assert set(second) == set(first)


@given(
    st.fixed_dictionaries(
        {},
        optional={
            "encryption_level": st.sampled_from(
                ["SupportEncryption", "requireencryption", "DONOTSUPPORTENCRYPTION"]
            ),
            "max_video_rate_allowed": st.sampled_from(["Hd720p15M", "vga600k"]),
            "enable_qos": st.booleans(),
            "enable_siren": st.booleans(),
        },
    ),
    st.sampled_from(["Global", "site:Dublin", "site:Redmond"]),
    st.booleans(),
)
def test_foretold_is_done_whatever_is_asked(options: dict[str, Any], identity: str, present: bool) -> None:
    desired = request(MEDIA, identity, present=present, **options)
    checked, run = shell(), shell()
    foretold = remediate(checked, MEDIA, desired, check_mode=True)
    done = remediate(run, MEDIA, desired, check_mode=False)
    assert checked.writes == []
    for key in ("changed", "before", "drift", "commands", "diff", "reset"):
        assert foretold[key] == done[key]
    assert bool(run.writes) is done["changed"]


def test_nothing_to_do_is_one_pipeline() -> None:
    server = shell()
    desired = request(MEDIA, enable_qos=False)
    remediate(server, MEDIA, desired, check_mode=False)
    remediate(server, MEDIA, desired, check_mode=False)
    assert server.pipelines == [("Get-Command", "Get-CsMediaConfiguration"), ("Get-CsMediaConfiguration",)]


def test_a_change_is_written_and_read_back_in_one_pipeline_that_is_never_repeated() -> None:
    server = shell()
    remediate(server, MEDIA, request(MEDIA, enable_qos=True), check_mode=False)
    assert server.pipelines[1:] == [("Set-CsMediaConfiguration", "Get-CsMediaConfiguration")]
    assert server.repeatable == [True, False]
    assert server.writes[0].parameters == {
        "Identity": "Global",
        "EnableQoS": True,
        "Force": Switch.PRESENT,
        "Confirm": False,
    }


def test_global_absent_is_a_reset_and_says_so() -> None:
    server = shell()
    remediate(server, MEDIA, request(MEDIA, enable_qos=True), check_mode=False)
    result = remediate(server, MEDIA, request(MEDIA, present=False), check_mode=False)
    assert result["reset"] is True
    assert "absent resets it" in result["msg"]
    assert result["diff"]["after"] == "enable_qos: false\n"
    assert result["after"]["enable_qos"] is False
    again = remediate(server, MEDIA, request(MEDIA, present=False), check_mode=False)
    assert (again["changed"], again["reset"]) == (False, False)


def test_absent_and_not_there_is_the_desired_state() -> None:
    result = remediate(shell(), PROVIDER, request(PROVIDER, "Nobody", present=False), check_mode=False)
    assert (result["status"], result["before"], result["after"]) == ("in_desired_state", None, None)


# -- what is refused before anything is written -----------------------------------------------------------------------


def refused(server: ScriptedShell, resource: Any, desired: Desired) -> str:
    with pytest.raises(Refused) as checked:
        remediate(server, resource, desired, check_mode=True)
    with pytest.raises(Refused) as run:
        remediate(server, resource, desired, check_mode=False)
    assert server.writes == []
    assert str(checked.value) == str(run.value)
    assert str(run.value).endswith("Nothing has been changed.")
    return str(run.value)


def test_a_parameter_that_the_version_lacks() -> None:
    sentence = refused(shell(), POLICY, request(POLICY, enable_xmpp_access=True))
    assert sentence.startswith(
        "enable_xmpp_access (-EnableXmppAccess) cannot be set: Set-CsExternalAccessPolicy has no"
    )
    assert "Microsoft Lync Server 2010 (4.0.7577.0)" in sentence


def test_a_site_that_does_not_exist() -> None:
    sentence = refused(shell(), MEDIA, request(MEDIA, "site:Atlantis", enable_qos=True))
    assert "no site 'Atlantis'. It has: Dublin, Redmond." in sentence


def test_a_service_that_does_not_exist_is_compared_with_its_like() -> None:
    sentence = refused(shell(), MEDIA, request(MEDIA, "MediationServer:pool09.contoso.com", enable_qos=True))
    assert "It has: MediationServer:pool01.contoso.com." in sentence


def test_sites_that_cannot_be_read_do_not_stand_in_the_way() -> None:
    server = shell(answer=lambda command: missing(command.name) if command.name == "Get-CsSite" else None)
    result = remediate(server, MEDIA, request(MEDIA, "site:Atlantis", enable_qos=True), check_mode=True)
    assert result["status"] == "drifted"


def missing(cmdlet: str) -> Any:
    return error(cmdlet, "CommandNotFoundException", category="ObjectNotFound", target=cmdlet)


USERS = [
    remote("User", Identity="CN=1", SipAddress=f"sip:user{number}@contoso.com", ExternalAccessPolicy=policy)
    for number, policy in enumerate(["Sales"] * 7 + ["Other", None])
]


def test_a_policy_in_use_is_removed_by_force_only() -> None:
    replies = {"Get-CsUser": USERS}
    sentence = refused(shell(replies=replies), POLICY, request(POLICY, "Sales", present=False))
    assert "'Tag:Sales' is granted to sip:user0@contoso.com" in sentence
    assert "sip:user4@contoso.com and 2 more" in sentence
    server = shell(replies=replies)
    remediate(server, POLICY, request(POLICY, "Sales", present=False, force=True), check_mode=False)
    assert "Tag:Sales" not in server.store["CsExternalAccessPolicy"]
    assert ("Get-CsUser",) not in server.pipelines


def test_whether_a_policy_is_in_use_must_be_known() -> None:
    server = shell(answer=lambda command: missing(command.name) if command.name == "Get-CsUser" else None)
    assert "does not offer Get-CsUser" in refused(server, POLICY, request(POLICY, "Sales", present=False))


@pytest.mark.parametrize(
    ("identity", "proxy", "sentence"),
    [
        ("Fabrikam", "SIP.oscar.aol.com", "belongs to the public provider 'AOL' already"),
        ("Fabrikam", "exchange.contoso.com", "belongs to the hosting provider 'Exchange Online' already"),
        (
            "exchange online",
            "proxy.fabrikam.com",
            "'Exchange Online' is the name of a hosting provider already",
        ),
    ],
)
def test_providers_share_neither_name_nor_proxy(identity: str, proxy: str, sentence: str) -> None:
    hosting = [remote("Hosting", Identity="Exchange Online", ProxyFqdn="exchange.contoso.com")]
    server = shell(replies={"Get-CsHostingProvider": hosting})
    assert sentence in refused(server, PROVIDER, request(PROVIDER, identity, proxy_fqdn=proxy, enabled=True))


def test_no_public_provider_with_default_routing() -> None:
    server = shell()
    server.store["CsAccessEdgeConfiguration"]["Global"]["RoutingMethod"] = "UseDefaultRouting"
    desired = request(PROVIDER, "Fabrikam", proxy_fqdn="proxy.fabrikam.com", enabled=True)
    assert "cannot be used while the Access Edge routes to a default route" in refused(
        server, PROVIDER, desired
    )


def test_no_default_routing_with_providers() -> None:
    desired = request(EDGE, routing_method="UseDefaultRouting", default_route_fqdn="edge.contoso.com")
    assert "Remove the public providers first: MSN, AOL." in refused(shell(), EDGE, desired)


def test_a_value_that_the_server_would_refuse_is_found_before_a_provider_is_removed() -> None:
    def answer(command: Command) -> Answer:
        if "InMemory" in command.parameters:
            return error(command.name, "CannotConvertArgumentNoMessage", category="InvalidArgument")
        return None

    server = shell(answer=answer)
    with pytest.raises(errors.ValueNotAllowed):
        remediate(server, *REQUESTS["recreate provider"], check_mode=False)
    assert server.writes == []


def test_a_preview_refused_for_the_name_does_not_keep_from_recreating() -> None:
    server = shell(answer=lambda c: error(c.name, "Duplicate") if "InMemory" in c.parameters else None)
    result = remediate(server, *REQUESTS["recreate provider"], check_mode=False)
    assert result["status"] == "corrected"


@pytest.mark.parametrize("check_mode", [True, False])
def test_a_failed_read_is_neither_absence_nor_a_reason_to_write(check_mode: bool) -> None:
    server = shell(answer=lambda c: error(c.name) if c.name == "Get-CsMediaConfiguration" else None)
    with pytest.raises(errors.CommandError, match="Access is denied"):
        remediate(server, *REQUESTS["create at a site"], check_mode=check_mode)
    assert server.writes == []


def test_a_withheld_cmdlet_is_a_warning_when_checking_and_an_error_when_run() -> None:
    checked = remediate(
        shell(withheld=["Set-CsMediaConfiguration"]), *REQUESTS["set global"], check_mode=True
    )
    assert checked["status"] == "drifted"
    assert "does not offer Set-CsMediaConfiguration" in checked["warnings"][0]
    server = shell(withheld=["Set-CsMediaConfiguration"])
    with pytest.raises(Refused, match="does not offer Set-CsMediaConfiguration") as refusal:
        remediate(server, *REQUESTS["set global"], check_mode=False)
    assert refusal.value.status is Status.DRIFTED
    assert server.writes == []


def test_defaults_that_cannot_be_seen_cannot_be_reset_to() -> None:
    server = shell(withheld=["New-CsMediaConfiguration"])
    with pytest.raises(Refused, match=r"cannot be seen: .* does not offer New-CsMediaConfiguration"):
        remediate(server, MEDIA, request(MEDIA, present=False), check_mode=True)


# -- what goes wrong while or after writing ---------------------------------------------------------------------------


def failing(server: ScriptedShell, name: str) -> dict[str, Any]:
    """The result of a change that fails, as the module returns it."""
    around = envelope(server)
    with pytest.raises(ChangeFailed) as failure:
        apply.remediate(around, *REQUESTS[name])
    result = around.failure(failure.value)
    assert {"changed", "status", "before", "after", "drift", "commands", "diff", "failed", "failure"} <= set(
        result
    )
    return result


def test_what_does_not_stick_is_an_error() -> None:
    result = failing(shell(answer=lambda c: Results() if c.verb == "Set" else None), "set global")
    assert (result["status"], result["changed"], result["failure"]) == ("drifted", False, "change_failed")
    assert result["after"] == result["before"]
    assert all(each["property"] in result["msg"] for each in result["drift"])


def test_what_the_server_refuses_is_told_with_what_is_there() -> None:
    result = failing(shell(answer=lambda c: error(c.name) if c.verb == "Set" else None), "set global")
    assert (result["status"], result["changed"]) == ("drifted", False)
    assert result["error_details"]["fully_qualified_id"] == "AccessDenied"
    assert result["after"] == result["before"]


def test_every_error_of_a_change_is_told() -> None:
    two = Results(
        errors=(error("Set-CsMediaConfiguration"), error("Set-CsMediaConfiguration", "Second", message="x9"))
    )
    result = failing(shell(answer=lambda c: two if c.verb == "Set" else None), "set global")
    assert "Access is denied" in result["msg"]
    assert "x9" in result["msg"]


def test_what_somebody_else_did_meanwhile_is_no_failure() -> None:
    server = shell()

    def answer(command: Command) -> Answer:
        if command.verb == "New" and "InMemory" not in command.parameters:
            server._execute(command)
            return error(command.name, "ObjectAlreadyExists", category="ResourceExists")
        return None

    server.answer = answer
    result = remediate(server, *REQUESTS["create at a site"], check_mode=False)
    assert result["status"] == "corrected"
    assert len(result["warnings"]) == 1


def test_a_reset_that_fails_says_so_and_not_that_it_is_one() -> None:
    server = shell()
    remediate(server, MEDIA, request(MEDIA, enable_qos=True), check_mode=False)
    server.answer = lambda c: error(c.name) if c.verb == "Remove" else None
    with pytest.raises(ChangeFailed, match="Access is denied") as failure:
        remediate(server, MEDIA, request(MEDIA, present=False), check_mode=False)
    assert "msg" not in failure.value.result.details


def test_a_change_that_cannot_be_read_back_is_unknown() -> None:
    reads = iter([None, error("Get-CsMediaConfiguration"), error("Get-CsMediaConfiguration")])
    server = shell(answer=lambda c: next(reads) if c.name == "Get-CsMediaConfiguration" else None)
    result = failing(server, "set global")
    assert (result["status"], result["changed"], result["after"]) == ("unknown", True, None)
    assert result["restore_commands"][0] in result["msg"]


def lost(*, ended: bool) -> errors.LostInMidCommand:
    return errors.LostInMidCommand(ENDPOINT, ["Set-CsMediaConfiguration"], "connection reset", ended=ended)


def lose(server: ScriptedShell, verb: str, *, took_effect: bool, ended: bool) -> None:
    """Let the next command of a verb break the line, with or without taking effect, seen to end or not."""

    def answer(command: Command) -> Answer:
        if command.verb == verb and "InMemory" not in command.parameters:
            if took_effect:
                server._execute(command)
            return lost(ended=ended)
        return None

    server.answer = answer


def test_a_lost_line_and_a_change_that_came_about() -> None:
    server = shell()
    lose(server, "Set", took_effect=True, ended=True)
    result = remediate(server, *REQUESTS["set global"], check_mode=False)
    assert (result["status"], len(result["warnings"]), len(server.writes)) == ("corrected", 1, 1)


def test_a_lost_line_and_a_change_that_did_not() -> None:
    server = shell()
    lose(server, "Set", took_effect=False, ended=True)
    result = failing(server, "set global")
    assert (result["status"], result["changed"], result["failure"]) == (
        "drifted",
        False,
        "lost_in_mid_command",
    )
    assert len(server.writes) == 1


@pytest.mark.parametrize("took_effect", [True, False])
def test_what_was_not_seen_to_end_is_unknown_whatever_is_read_back(took_effect: bool) -> None:
    server = shell()
    lose(server, "Set", took_effect=took_effect, ended=False)
    result = failing(server, "set global")
    assert (result["status"], result["changed"]) == ("unknown", True)
    assert (result["after"] == result["before"]) is not took_effect
    assert len(server.writes) == 1


@pytest.mark.parametrize(
    "error_beforehand", [errors.CannotConnect(ENDPOINT, "refused"), errors.NoRightsToOpenShell(ENDPOINT)]
)
def test_before_the_first_write_a_lost_server_is_unreachable(
    error_beforehand: errors.ConnectionRefused,
) -> None:
    server = shell(answer=lambda c: error_beforehand if c.verb == "Set" else None)
    around = envelope(server)
    with pytest.raises(errors.ConnectionRefused) as refusal:
        apply.remediate(around, *REQUESTS["set global"])
    result = around.failure(refusal.value)
    assert (result["unreachable"], result["changed"], result["status"]) == (True, False, "unknown")
    assert result["before"]


def test_a_lost_line_that_stays_lost_is_unknown() -> None:
    server = shell()
    gone = errors.CannotConnect(ENDPOINT, "connection refused")

    def answer(command: Command) -> Answer:
        if command.verb == "Set":
            server.answer = lambda later: gone
            return lost(ended=True)
        return None

    server.answer = answer
    result = failing(server, "set global")
    assert (result["status"], result["changed"], result["after"]) == ("unknown", True, None)
    assert "unreachable" not in result


# -- a re-creation ----------------------------------------------------------------------------------------------------


def test_removal_and_creation_are_pipelines_of_their_own() -> None:
    server = shell()
    remediate(server, *REQUESTS["recreate provider"], check_mode=False)
    for pipeline in server.pipelines:
        if any(name.startswith(("New", "Remove")) for name in pipeline):
            assert len(pipeline) == 1


def test_a_provider_that_cannot_be_created_again_is_put_back() -> None:
    server = shell()

    def answer(command: Command) -> Answer:
        proxy = command.parameters.get("ProxyFqdn")
        return error(command.name) if command in server.writes and proxy == "proxy.fabrikam.com" else None

    server.answer = answer
    before = dict(server.store["CsPublicProvider"]["MSN"])
    result = failing(server, "recreate provider")
    assert server.store["CsPublicProvider"]["MSN"] == before
    assert (result["changed"], result["status"], result["after"]) == (False, "drifted", result["before"])


def test_a_provider_that_cannot_be_put_back_is_named_with_the_way_to_do_it() -> None:
    server = shell()
    server.answer = lambda c: error(c.name) if c.verb == "New" and "InMemory" not in c.parameters else None
    result = failing(server, "recreate provider")
    (line,) = result["restore_commands"]
    assert line.startswith(
        "New-CsPublicProvider -Identity MSN -ProxyFqdn federation.messenger.msn.com -Enabled $true"
    )
    assert line in result["msg"]
    assert (result["after"], result["changed"]) == (None, True)


def test_a_creation_without_effect_puts_the_provider_back_as_well() -> None:
    server = shell()
    calls = iter([True])
    server.answer = lambda c: (
        Results() if c.verb == "New" and "InMemory" not in c.parameters and next(calls, False) else None
    )
    result = failing(server, "recreate provider")
    assert server.store["CsPublicProvider"]["MSN"]["ProxyFqdn"] == "federation.messenger.msn.com"
    assert (result["changed"], result["status"]) == (False, "drifted")


@pytest.mark.parametrize("ended", [True, False])
def test_a_line_lost_after_the_removal_tells_the_way_back(ended: bool) -> None:
    server = shell()
    lose(server, "New", took_effect=False, ended=ended)
    result = failing(server, "recreate provider")
    assert result["changed"] is True
    assert result["status"] == ("drifted" if ended else "unknown")
    assert result["restore_commands"][-1] in result["msg"]
    if not ended:  # What may still be at work is not interfered with.
        assert [c.verb for c in server.writes] == ["Remove", "New"]


def test_a_removal_without_effect_creates_nothing() -> None:
    server = shell(answer=lambda c: Results() if c.verb == "Remove" else None)
    result = failing(server, "recreate provider")
    assert [c.verb for c in server.writes] == ["Remove"]
    assert (result["changed"], result["status"]) == (False, "drifted")


def test_a_provider_that_was_created_after_all_is_not_told_as_gone() -> None:
    """The answer to the first reading behind the creation was empty, and putting back is refused."""
    server = shell()

    def answer(command: Command) -> Answer:
        written = [c.verb for c in server.writes]
        if command.verb == "New" and written == ["Remove", "New", "New"]:
            return error(command.name, "AlreadyExists")
        empty = command.name == "Get-CsPublicProvider" and written == ["Remove", "New"]
        return Results() if empty else None

    server.answer = answer
    result = remediate(server, *REQUESTS["recreate provider"], check_mode=False)
    assert [c.verb for c in server.writes] == ["Remove", "New", "New"]
    assert (result["status"], result["changed"]) == ("corrected", True)
    assert result["warnings"]


# -- answers that prove nothing ---------------------------------------------------------------------------------------


def test_settings_without_a_global_object_are_not_all_that_there_is() -> None:
    server = shell(answer=lambda c: Results() if c.verb == "Get" and c.name != "Get-Command" else None)
    for name in ("set global", "create at a site", "remove per user"):
        with pytest.raises(Unreadable, match="no Global"):
            remediate(server, *REQUESTS[name], check_mode=False)
    assert server.writes == []


@pytest.mark.parametrize("name", ["set global", "set per user", "create per user", "remove per user"])
def test_an_empty_answer_after_a_write_leaves_its_effect_unknown(name: str) -> None:
    server = shell()
    resource = REQUESTS[name][0]
    server.answer = lambda c: Results() if server.writes and c.name == resource.cmdlet("Get") else None
    result = failing(server, name)
    assert (result["status"], result["changed"], result["after"]) == ("unknown", True, None)


def test_global_is_found_whatever_the_server_calls_it() -> None:
    listed = [remote("X", Identity="global")]
    assert find([MEDIA.collection(each) for each in listed], GLOBAL) is not None
