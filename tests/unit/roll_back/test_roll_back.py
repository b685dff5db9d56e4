# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Taking settings back on a Management Shell without a server: any walk leads back to where it began."""

from __future__ import annotations

import copy
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.change import journal
from ansible_collections.lync.remediation.plugins.plugin_utils.change.envelope import Envelope
from ansible_collections.lync.remediation.plugins.plugin_utils.change.journal import (
    Change,
    Entry,
    Journal,
    NoJournal,
    Origin,
    Restorable,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CannotConnect,
    ManagementShellError,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.drift import Reason
from ansible_collections.lync.remediation.plugins.plugin_utils.result.refusals import (
    ChangeFailed,
    Refused,
    UnusableArgument,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.result.result import Result, computer_result
from ansible_collections.lync.remediation.plugins.plugin_utils.result.severity import Severity
from ansible_collections.lync.remediation.plugins.plugin_utils.result.status import Status
from ansible_collections.lync.remediation.plugins.plugin_utils.roll_back import handlers
from ansible_collections.lync.remediation.plugins.plugin_utils.roll_back.handlers import RequestHandler
from ansible_collections.lync.remediation.plugins.plugin_utils.roll_back.roll_back import roll_back
from ansible_collections.lync.remediation.plugins.plugin_utils.roll_back.selection import (
    Selection,
    moment,
    select,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.settings import apply
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.identity import wanted
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resource import Desired
from ansible_collections.lync.remediation.plugins.plugin_utils.settings.resources.registry import RESOURCES
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.settings.scripted_shell import VERSIONS, Answer, ScriptedShell, error, remote

HOST = "pool01"
SETTINGS = {
    "CsMediaConfiguration": {"Site:Dublin": {"EnableQoS": True}},
    "CsExternalAccessPolicy": {
        "Tag:Sales": {"EnableOutsideAccess": True, "Description": ""},
        "Tag:Other": {"Description": "Other"},
    },
    "CsPublicProvider": {
        "MSN": {"ProxyFqdn": "federation.messenger.msn.com", "Enabled": True},
        "AOL": {"ProxyFqdn": "Sip.Oscar.aol.com", "Enabled": False},
    },
}
REPLIES: dict[str, list[Any]] = {
    "Get-CsSite": [remote("Site", Identity="Site:Redmond"), remote("Site", Identity="Site:Dublin")],
    "Get-CsService": [
        remote("Service", Identity="MediationServer:pool01.contoso.com", SiteId="Site:Redmond")
    ],
    "Get-CsHostingProvider": [],
    "Get-CsUser": [],
}


class Deployment:
    """A scripted shell, the journal of what is done to it, and the runs."""

    def __init__(self, folder: Path, version: str = "2019", **more: Any) -> None:
        self.shell = ScriptedShell(version, SETTINGS, replies=REPLIES, **more)
        if version != "2010":
            # Empty, which is not null.
            self.shell.store["CsPublicProvider"]["MSN"]["IconUrl"] = ""
        self.folder = folder / "journal"
        self.runs = 0

    def envelope(self, *, check_mode: bool = False) -> Envelope:
        made = Journal(self.folder, f"run-{self.runs:03}", Origin(HOST, "a module"))
        return Envelope(self.shell, NoJournal() if check_mode else made, check_mode=check_mode)

    def do(self, resource: str, identity: str = "Global", *, present: bool = True, **values: Any) -> Result:
        known = RESOURCES[resource]
        desired = Desired(wanted(identity, known.scopes, known.roles), values, present, recreate=True)
        return apply.remediate(self.envelope(), known, desired)

    def back(
        self,
        *,
        check_mode: bool = False,
        overwrite: bool = False,
        host: str = HOST,
        url: str | None = None,
        **chosen: Any,
    ) -> Result:
        entries = journal.entries(self.folder)
        selected = select(entries, Selection(host, url, **chosen))
        self.runs += not check_mode
        return roll_back(
            self.envelope(check_mode=check_mode),
            selected,
            journal.taken_back(entries),
            journal.half_taken_back(entries),
            overwrite_later_changes=overwrite,
        )

    def failed(self, **options: Any) -> ChangeFailed:
        with pytest.raises(ChangeFailed) as failed:
            self.back(**options)
        return failed.value

    @property
    def store(self) -> dict[str, Any]:
        return copy.deepcopy(self.shell.store)


@pytest.fixture
def deployment(tmp_path: Path) -> Deployment:
    return Deployment(tmp_path)


def outcomes(result: Result) -> list[str]:
    return [step["outcome"] for step in result.details["steps"]]


# -- there and back --------------------------------------------------------------------------------------------------

BOOLEANS = st.booleans()
TEXTS = st.sampled_from(["", "some text"])
VALUES: dict[str, tuple[list[str], dict[str, st.SearchStrategy[Any]]]] = {
    "media_configuration": (
        ["Global", "site:redmond", "site:Dublin", "mediationserver:pool01.contoso.com"],
        {
            "enable_qos": BOOLEANS,
            "encryption_level": st.sampled_from(["SupportEncryption", "requireencryption"]),
            "max_video_rate_allowed": st.sampled_from(["VGA600K", "hd720p15m"]),
        },
    ),
    "external_access_policy": (
        ["Global", "site:Redmond", "tag:sales", "New"],
        {"description": TEXTS, "enable_outside_access": BOOLEANS, "enable_federation_access": BOOLEANS},
    ),
    "public_provider": (
        ["msn", "AOL", "Fabrikam"],
        {
            "verification_level": st.sampled_from(["AlwaysVerifiable", "UseSourceVerification"]),
            "icon_url": TEXTS,
            "name_decoration_domain": TEXTS,
        },
    ),
    "access_edge_configuration": (
        ["Global"],
        {
            "allow_federated_users": BOOLEANS,
            "enable_partner_discovery": BOOLEANS,
            "outgoing_tls_count_for_federated_partners": st.integers(1, 3),
        },
    ),
}
SINCE_2013 = {"icon_url", "name_decoration_domain"}


@st.composite
def changes(draw: st.DrawFn, version: str) -> tuple[str, str, bool, dict[str, Any]]:
    resource = draw(st.sampled_from(sorted(VALUES)))
    identities, possible = VALUES[resource]
    optional = {name: each for name, each in possible.items() if version != "2010" or name not in SINCE_2013}
    values = draw(st.fixed_dictionaries({}, optional=optional))
    identity = draw(st.sampled_from(identities))
    present = draw(BOOLEANS) or resource == "access_edge_configuration"
    if resource == "public_provider":
        values |= {
            "enabled": draw(BOOLEANS),
            "proxy_fqdn": f"{identity.lower()}{draw(st.integers(1, 2))}.contoso.com",
        }
    return resource, identity, present, values


@settings(deadline=None)
@given(st.data(), st.sampled_from(VERSIONS))
def test_any_walk_leads_back(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject, version: str
) -> None:
    deployment = Deployment(tmp_path_factory.mktemp("walk"), version)
    before = deployment.store
    for _ in range(data.draw(st.integers(1, 8))):
        resource, identity, present, values = data.draw(changes(version))
        deployment.do(resource, identity, present=present, **values)
    after = deployment.store
    writes = len(deployment.shell.writes)

    foretold = deployment.back(check_mode=True, run="run-000") if writes else None
    assert len(deployment.shell.writes) == writes
    if foretold is None:
        return
    done = deployment.back(run="run-000")
    assert deployment.store == before
    for key in ("before", "after", "drift", "commands", "restore_commands", "diff", "steps"):
        assert foretold.as_dict()[key] == done.as_dict()[key], key

    assert not deployment.back(run="run-000").changed
    deployment.back(run="run-001")
    assert deployment.store == after
    deployment.back(run="run-003")
    assert deployment.store == before


def test_default_routing_and_back(deployment: Deployment) -> None:
    for provider in ("MSN", "AOL"):
        deployment.do("public_provider", provider, present=False)
    deployment.do("access_edge_configuration", enable_partner_discovery=True)
    before = deployment.shell.store["CsAccessEdgeConfiguration"]["Global"] | {
        "RoutingMethod": "UseDnsSrvRouting"
    }
    deployment.runs = 1
    deployment.do(
        "access_edge_configuration", routing_method="UseDefaultRouting", default_route_fqdn="a.contoso.com"
    )
    deployment.do("access_edge_configuration", default_route_fqdn="b.contoso.com")
    deployment.runs = 2
    deployment.do("access_edge_configuration", routing_method="UseDnsSrvRouting")
    deployment.runs = 3

    # Which was the default route is known from the change before.
    deployment.back(run="run-002")
    edge = deployment.shell.store["CsAccessEdgeConfiguration"]["Global"]
    assert (edge["RoutingMethod"], edge["DefaultRouteFqdn"]) == ("UseDefaultRouting", "b.contoso.com")
    deployment.back(run="run-001")
    edge = deployment.shell.store["CsAccessEdgeConfiguration"]["Global"]
    assert before.items() <= edge.items()


def test_what_depends_on_another_object_is_foretold_as_well(deployment: Deployment) -> None:
    for provider in ("MSN", "AOL"):
        deployment.do("public_provider", provider, present=False)
    deployment.do(
        "access_edge_configuration", routing_method="UseDefaultRouting", default_route_fqdn="a.contoso.com"
    )
    deployment.runs = 1
    deployment.do("access_edge_configuration", routing_method="UseDnsSrvRouting")
    deployment.do("public_provider", "Fabrikam", proxy_fqdn="fabrikam.contoso.com", enabled=True)
    deployment.runs = 2
    # As things are there is a provider, beside which no default route can be.
    foretold = deployment.back(check_mode=True, run="run-001")
    assert len(foretold.warnings) == 1
    done = deployment.back(run="run-001")
    assert outcomes(foretold) == outcomes(done) == ["taken_back", "taken_back"]
    assert foretold.commands == done.commands
    assert done.warnings == ()


def test_empty_is_not_null(deployment: Deployment) -> None:
    by_hand(deployment, "CsExternalAccessPolicy", "Global", Description="", EnableOutsideAccess=True)
    before = deployment.store
    deployment.do("external_access_policy", present=False)
    assert deployment.shell.store["CsExternalAccessPolicy"]["Global"]["Description"] is None
    assert deployment.back(run="run-000").changed
    assert deployment.store == before


# -- conflicts -------------------------------------------------------------------------------------------------------


def by_hand(deployment: Deployment, noun: str, identity: str, **values: Any) -> None:
    deployment.shell.store[noun][identity].update(values)


@pytest.mark.parametrize("check_mode", [True, False])
def test_what_somebody_has_changed_since_is_left_with_all_that_is_older(
    check_mode: bool, deployment: Deployment
) -> None:
    deployment.do("media_configuration", enable_siren=True)
    deployment.do("external_access_policy", enable_outside_access=True)
    deployment.do("media_configuration", enable_qos=True, encryption_level="SupportEncryption")
    by_hand(deployment, "CsMediaConfiguration", "Global", EncryptionLevel="DoNotSupportEncryption")
    store = deployment.store
    failed = deployment.failed(run="run-000", check_mode=check_mode)
    assert outcomes(failed.result) == ["conflict", "taken_back", "behind_conflict"]
    assert failed.result.details["steps"][0]["conflicts"] == [
        {"property": "encryption_level", "written": "SupportEncryption", "found": "DoNotSupportEncryption"}
    ]
    assert (failed.result.status, failed.result.changed) == (Status.DRIFTED, True)
    for word in ("encryption_level", "SupportEncryption", "DoNotSupportEncryption"):
        assert word in str(failed)
        assert word in " ".join(failed.result.details["summary"])
    assert deployment.shell.store["CsMediaConfiguration"] == store["CsMediaConfiguration"]
    assert (deployment.store == store) is check_mode


def test_unless_told_otherwise(deployment: Deployment) -> None:
    before = deployment.store
    deployment.do("media_configuration", enable_siren=True)
    deployment.do("media_configuration", encryption_level="SupportEncryption")
    by_hand(deployment, "CsMediaConfiguration", "Global", EncryptionLevel="DoNotSupportEncryption")
    result = deployment.back(run="run-000", overwrite=True)
    assert outcomes(result) == ["taken_back", "taken_back"]
    assert deployment.store == before


def test_what_we_did_not_write_is_nobody_s_conflict(deployment: Deployment) -> None:
    deployment.do("media_configuration", enable_qos=True)
    by_hand(deployment, "CsMediaConfiguration", "Global", EncryptionLevel="DoNotSupportEncryption")
    assert outcomes(deployment.back(run="run-000")) == ["taken_back"]
    media = deployment.shell.store["CsMediaConfiguration"]["Global"]
    assert (media["EnableQoS"], media["EncryptionLevel"]) == (False, "DoNotSupportEncryption")


def removed(deployment: Deployment) -> None:
    del deployment.shell.store["CsExternalAccessPolicy"]["Tag:Sales"]


def made_again(deployment: Deployment) -> None:
    deployment.shell._new("CsExternalAccessPolicy", {"Identity": "Tag:Sales", "Description": "by hand"})


def edited(deployment: Deployment) -> None:
    by_hand(deployment, "CsExternalAccessPolicy", "Tag:New", EnableFederationAccess=True)


@pytest.mark.parametrize(
    ("change", "later", "conflict"),
    [
        ({"identity": "Sales", "enable_outside_access": False}, removed, "state"),
        ({"identity": "Sales", "present": False}, made_again, "state"),
        ({"identity": "New", "description": "x"}, edited, "enable_federation_access"),
    ],
)
def test_objects_that_came_or_went_since(
    change: dict[str, Any], later: Callable[[Deployment], None], conflict: str, deployment: Deployment
) -> None:
    before = deployment.store
    deployment.do("external_access_policy", **change)
    later(deployment)
    failed = deployment.failed(run="run-000")
    (step,) = failed.result.details["steps"]
    assert [each["property"] for each in step["conflicts"]] == [conflict]
    assert deployment.back(run="run-000", overwrite=True).changed
    assert deployment.store == before


def test_a_policy_that_was_granted_since_is_not_removed(deployment: Deployment) -> None:
    deployment.do("external_access_policy", "New", description="x")
    user = remote("User", Identity="CN=Ken", SipAddress="sip:ken@contoso.com", ExternalAccessPolicy="Tag:New")
    deployment.shell.replies["Get-CsUser"] = [user]
    failed = deployment.failed(run="run-000")
    assert outcomes(failed.result) == ["refused"]
    assert not failed.result.changed
    assert isinstance(failed.causes[0], Refused)
    assert "sip:ken@contoso.com" in str(failed)
    assert deployment.back(run="run-000", overwrite=True).changed


# -- interrupted -----------------------------------------------------------------------------------------------------


class Killed(BaseException):
    pass


CASES: dict[str, tuple[str, dict[str, Any]]] = {
    "set": ("media_configuration", {"enable_qos": True}),
    "create": ("media_configuration", {"identity": "site:Redmond", "enable_qos": True}),
    "remove": ("media_configuration", {"identity": "site:Dublin", "present": False}),
    "reset": ("media_configuration", {"present": False}),
    "recreate": ("public_provider", {"identity": "MSN", "proxy_fqdn": "other.contoso.com"}),
}


@pytest.mark.parametrize(
    ("case", "commands"),
    [*((case, commands) for case in CASES for commands in (0, 1)), ("recreate", 2)],
)
def test_a_change_that_was_killed_is_judged_by_what_the_server_has(
    case: str, commands: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment = Deployment(tmp_path)
    by_hand(deployment, "CsMediaConfiguration", "Global", EnableSiren=True)
    before = deployment.store
    execute, left = deployment.shell._execute, commands

    def until_killed(command: Command) -> Any:
        nonlocal left
        writes = command.verb in ("Set", "New", "Remove") and "InMemory" not in command.parameters
        if writes:
            if left == 0:
                raise Killed
            left -= 1
        answer = execute(command)
        if writes and left == 0:
            raise Killed
        return answer

    resource, change = CASES[case]
    with monkeypatch.context() as patched:
        patched.setattr(deployment.shell, "_execute", until_killed)
        with pytest.raises(Killed):
            deployment.do(resource, **change)
    (interrupted,) = journal.entries(deployment.folder)
    assert interrupted.outcome is None
    assert (deployment.store == before) is (commands == 0)

    foretold = deployment.back(check_mode=True, run="run-000")
    result = deployment.back(run="run-000")
    assert outcomes(foretold) == outcomes(result) == ["taken_back" if commands else "back_already"]
    assert deployment.store == before
    assert result.changed is bool(commands)


def test_a_roll_back_that_was_killed_is_finished_by_the_next(tmp_path: Path) -> None:
    killing = False

    def answer(command: Command) -> Answer:
        if killing and command.name == "Set-CsExternalAccessPolicy":
            raise Killed
        return None

    deployment = Deployment(tmp_path, answer=answer)
    before = deployment.store
    deployment.do("external_access_policy", description="x")
    deployment.do("media_configuration", enable_qos=True)
    killing = True
    with pytest.raises(Killed):
        deployment.back(run="run-000")
    killing = False
    assert outcomes(deployment.back(run="run-000")) == ["back_already", "taken_back"]
    assert deployment.store == before


def test_a_roll_back_that_was_killed_between_a_removal_and_a_creation_is_finished_by_the_next(
    tmp_path: Path,
) -> None:
    killing = False

    def answer(command: Command) -> Answer:
        if killing and command.name == "New-CsPublicProvider" and "InMemory" not in command.parameters:
            raise Killed
        return None

    deployment = Deployment(tmp_path, answer=answer)
    before = deployment.store
    deployment.do("public_provider", "MSN", proxy_fqdn="other.contoso.com")
    killing = True
    with pytest.raises(Killed):
        deployment.back(run="run-000")
    assert "MSN" not in deployment.store["CsPublicProvider"]
    killing = False
    assert outcomes(deployment.back(run="run-000")) == ["taken_back"]
    assert deployment.store == before


def test_what_breaks_on_the_way_is_told_with_what_was_taken_back(tmp_path: Path) -> None:
    broken: ManagementShellError | None = None

    def answer(command: Command) -> Answer:
        return broken if command.name == "Get-CsExternalAccessPolicy" else None  # type: ignore[return-value]

    deployment = Deployment(tmp_path, answer=answer)
    deployment.do("media_configuration", enable_siren=True)
    deployment.do("external_access_policy", description="x")
    deployment.do("media_configuration", enable_qos=True)
    broken = CannotConnect(deployment.shell.endpoint, "Nobody is there.")
    failed = deployment.failed(run="run-000")
    assert outcomes(failed.result) == ["taken_back", "failed", "not_tried"]
    assert failed.result.changed
    assert failed.causes == (broken,)


def test_a_server_that_is_not_there_at_all_is_unreachable(tmp_path: Path) -> None:
    deployment = Deployment(tmp_path)
    deployment.do("media_configuration", enable_qos=True)
    gone = CannotConnect(deployment.shell.endpoint, "Nobody is there.")
    deployment.shell.answer = lambda command: gone
    with pytest.raises(CannotConnect):
        deployment.back(run="run-000")


def test_a_write_that_is_refused_stops_the_rest(tmp_path: Path) -> None:
    denied = False

    def answer(command: Command) -> Answer:
        return error(command.name) if denied and command.name == "Set-CsMediaConfiguration" else None

    deployment = Deployment(tmp_path, answer=answer)
    deployment.do("external_access_policy", description="x")
    deployment.do("media_configuration", enable_qos=True)
    denied = True
    failed = deployment.failed(run="run-000")
    assert outcomes(failed.result) == ["failed", "not_tried"]
    assert (failed.result.changed, failed.result.status) == (False, Status.DRIFTED)


# -- what cannot be taken back ---------------------------------------------------------------------------------------


def write_down(deployment: Deployment, resource: str, restorable: Restorable, **origin: str) -> str:
    made = Journal(deployment.folder, "run-000", Origin(HOST, resource, **origin))
    change = Change(resource, "fe01", "restart", {"a": 1}, {"a": 2}, restorable)
    change_id = made.begin(change, (), deployment.shell.endpoint.url, "admin")
    made.end(change_id, {"status": "corrected", "changed": True})
    return change_id


def test_what_nothing_takes_back_is_named_and_skipped(deployment: Deployment) -> None:
    deployment.do("media_configuration", enable_qos=True)
    write_down(deployment, "server_services", Restorable.NO)
    write_down(deployment, "of_another_version", Restorable.YES)
    result = deployment.back(run="run-000")
    assert outcomes(result) == ["impossible", "impossible", "taken_back"]
    assert result.status is Status.CORRECTED


def test_a_removed_per_user_policy_comes_back_without_its_grants(deployment: Deployment) -> None:
    before = deployment.store
    deployment.do("external_access_policy", "Sales", present=False)
    (step,) = deployment.back(run="run-000").details["steps"]
    assert (step["outcome"], step["restorable"]) == ("taken_back", "values_only")
    assert "granted" in step["reason"]
    assert deployment.store == before


# -- which -----------------------------------------------------------------------------------------------------------


def entry(identifier: str, run: str = "a", takes_back: str = "", **fields: Any) -> Entry:
    change = Change(
        fields.pop("resource", "media_configuration"),
        fields.pop("identity", "Global"),
        "set",
        {},
        {},
        Restorable.YES,
    )
    time = fields.pop("time", f"2026-01-02T00:00:0{len(identifier)}Z")
    outcome = fields.pop("outcome", {"status": "corrected", "changed": True})
    host, url = fields.pop("host", HOST), fields.pop("url", "https://a")
    return Entry(identifier, run, time, host, url, "me", change, (), {}, takes_back, outcome)


def chosen(entries: list[Entry], **options: Any) -> list[str]:
    selection = Selection(**{"host": HOST, "url": "https://a", **options})
    return [each.id for each in select(entries, selection).entries]


def test_the_newest_first_of_what_was_asked_for() -> None:
    entries = [
        entry("1", "a"),
        entry("2", "b", resource="external_access_policy", identity="Tag:Sales"),
        entry("3", "b", host="other"),
        entry("4", "b", identity="Site:Redmond", time="2026-01-03T00:00:00Z"),
        entry("5", "c", url="https://b"),
    ]
    assert chosen(entries, run="b") == ["4", "2"]
    assert chosen(entries, run="b", host="other") == ["3"]
    assert chosen(entries, resource="media_configuration", identity="site:REDMOND") == ["4"]
    assert chosen(entries, resource="external_access_policy", identity="sales") == ["2"]
    assert chosen(entries, ids=frozenset({"1", "2"})) == ["2", "1"]
    assert chosen(entries, since=moment("since", "2026-01-03T01:00+01:00")) == ["4"]
    assert chosen(entries, host=HOST, url=None) == ["5", "4", "2", "1"]
    assert [each.id for each in select(entries, Selection(HOST, "https://a", run="c")).elsewhere] == ["5"]


def test_the_latest_run_is_none_that_only_took_back() -> None:
    entries = [entry("1", "a"), entry("2", "b"), entry("3", "c", takes_back="2")]
    assert chosen(entries, run="latest") == ["2"]
    assert chosen([], run="latest") == []


@pytest.mark.parametrize("options", [{"run": "x"}, {"ids": frozenset({"1", "x"})}])
def test_what_the_journal_has_not(options: dict[str, Any]) -> None:
    with pytest.raises(UnusableArgument, match="x"):
        chosen([entry("1")], **options)


@pytest.mark.parametrize("text", ["yesterday", "", "2026-13-01", "12:00"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(UnusableArgument, match="since"):
        moment("since", text)


def test_what_was_taken_back_and_taken_back_again() -> None:
    unsure = entry("5", "e", takes_back="1", outcome={"status": "unknown", "changed": True})
    entries = [entry("1", "a"), entry("2", "b", takes_back="1")]
    assert journal.taken_back(entries) == {"1"}
    assert journal.taken_back([*entries, entry("3", "c", takes_back="2")]) == {"2"}
    assert journal.taken_back(
        [*entries, entry("3", "c", takes_back="2"), entry("4", "d", takes_back="3")]
    ) == {
        "1",
        "3",
    }
    assert journal.taken_back([entries[0], unsure]) == frozenset()
    assert journal.half_taken_back([entries[0], unsure]) == {"1"}
    assert journal.half_taken_back([*entries, unsure]) == frozenset()


# -- modules of computers --------------------------------------------------------------------------------------------


class Computer:
    """Stands for a module like time_zone, whose request is its options. Some show these alone."""

    def __init__(self) -> None:
        self.shows_all = True
        self.values: dict[str, Any] = {"zone": "GMT Standard Time", "daylight_saving": True}

    def restoring(self, change: Change) -> dict[str, Any]:
        return {option: (change.before or {})[option] for option in change.wanted or {}}

    def remediate(self, envelope: Envelope, request: dict[str, Any]) -> Result:
        before = dict(self.values)
        after = before | request
        if not envelope.check_mode:
            self.values = after
        if not self.shows_all:
            before, after = ({option: values[option] for option in request} for values in (before, after))
        changed = [option for option in after if after[option] != before[option]]
        reasons = {option: Reason(Severity.LOW, option) for option in after}
        return computer_result("fe01", "time_zone", before, after, changed, reasons, [])


def of_computer(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *written: dict[str, Any]
) -> tuple[Deployment, Computer]:
    """A deployment on one of whose computers these options were written, one after the other."""
    deployment, computer = Deployment(tmp_path), Computer()
    made = Journal(deployment.folder, "run-000", Origin(HOST, "time_zone"))
    for options in written:
        change = Change("time_zone", "fe01", "set", dict(computer.values), options, Restorable.YES)
        change_id = made.begin(change, (), deployment.shell.endpoint.url, "admin")
        computer.values.update(options)
        made.end(change_id, {"status": "corrected", "changed": True})

    def handler() -> RequestHandler:
        return RequestHandler(computer.restoring, computer.remediate)

    monkeypatch.setattr(
        "ansible_collections.lync.remediation.plugins.plugin_utils.roll_back.roll_back.HANDLERS",
        {**handlers.HANDLERS, "time_zone": handler},
    )
    return deployment, computer


@pytest.mark.parametrize("shows_all", [True, False])
def test_changes_of_a_computer_go_the_same_way(
    shows_all: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    deployment, computer = of_computer(
        tmp_path, monkeypatch, {"zone": "UTC"}, {"zone": "Central Standard Time", "daylight_saving": False}
    )
    computer.shows_all = shows_all
    foretold = deployment.back(check_mode=True, run="run-000")
    assert computer.values == {"zone": "Central Standard Time", "daylight_saving": False}
    done = deployment.back(run="run-000")
    assert outcomes(foretold) == outcomes(done) == ["taken_back", "taken_back"]
    assert computer.values == Computer().values
    for key in ("before", "after", "drift", "diff"):
        assert foretold.as_dict()[key] == done.as_dict()[key], key


@pytest.mark.parametrize("shows_all", [True, False])
def test_even_there_and_back_and_there(
    shows_all: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zones = [
        {"zone": "UTC"},
        {"daylight_saving": False},
        {"zone": "GMT Standard Time"},
        {"daylight_saving": True},
    ]
    deployment, computer = of_computer(tmp_path, monkeypatch, *zones)
    computer.shows_all = shows_all
    assert computer.values == Computer().values
    foretold = deployment.back(check_mode=True, run="run-000")
    done = deployment.back(run="run-000")
    assert outcomes(foretold) == outcomes(done) == ["taken_back"] * 4
    for key in ("before", "after", "drift", "diff"):
        assert foretold.as_dict()[key] == done.as_dict()[key], key


def test_what_the_module_has_no_options_for(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, computer = of_computer(tmp_path, monkeypatch, {"zone": "UTC"})
    monkeypatch.setattr(computer, "restoring", lambda change: {})
    result = deployment.back(run="run-000")
    assert (outcomes(result), result.changed) == (["impossible"], False)


def test_and_have_the_same_conflicts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    deployment, computer = of_computer(tmp_path, monkeypatch, {"zone": "UTC"})
    computer.values["zone"] = "Central Standard Time"
    failed = deployment.failed(run="run-000")
    assert outcomes(failed.result) == ["conflict"]
    deployment.back(run="run-000", overwrite=True)
    assert computer.values == Computer().values
