# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Any noun by its name, over the wire: each kind of noun on two versions; the sweep has every noun and version."""

from __future__ import annotations

import importlib
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from .in_process import PLUGINS, LabInProcess, Worker


def _product(module: str) -> Any:
    """Imported once Ansible's loader is in place."""
    return importlib.import_module(f"{PLUGINS}.plugin_utils.{module}")


Envelope = _product("change.envelope").Envelope
NoJournal = _product("change.journal").NoJournal
any_noun = _product("settings.any_noun")
catalogue = _product("settings.catalogue")
differences = _product("settings.differences")
Scope, stored = _product("settings.identity").Scope, _product("settings.identity").stored
Names = _product("settings.kinds").Names
reorder = _product("settings.reorder").reorder

DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "sites": {"Redmond": None},
    "pools": {"pool01.contoso.com": {"site": "Redmond", "computers": ["fe01"]}},
    "replication": {"seconds": 0},
    "users": [{"name": "kenmyer", "pool": "pool01.contoso.com"}],
    "settings": {
        "PstnUsage": [{"Identity": "Global", "Usage": ["Local", "Long Distance", "Internal"]}],
        "VoicePolicy": [{"Identity": "Tag:Sales", "PstnUsages": ["Local", "Internal"], "Description": "old"}],
        "VoiceRoute": [
            {"Identity": name, "NumberPattern": f"^{number}", "PstnUsages": ["Local"]}
            for number, name in enumerate(["First", "Second", "Third"])
        ],
        "DialPlan": [{"Identity": "Tag:Redmond", "City": "Redmond"}],
        "VoiceNormalizationRule": [
            {"Identity": "Tag:Redmond/Four", "Pattern": "^(\\d{4})$", "Translation": "+1425555$1"},
            {"Identity": "Tag:Redmond/Five", "Pattern": "^(\\d{5})$", "Translation": "+142555$1"},
        ],
        "NetworkRegion": [{"Identity": "EMEA", "CentralSite": "Redmond"}],
    },
}
# The first of them has Windows PowerShell 2, where a pipeline has one statement.
VERSIONS: tuple[Mapping[str, Any], ...] = ({"version": 2010, "powershell": "2.0"}, {"version": 2019})
ALL_VERSIONS: tuple[Mapping[str, Any], ...] = tuple({"version": v} for v in (2010, 2013, 2015, 2019, "SE"))


@dataclass
class Place:
    """A deployment, and what works on it."""

    lab: LabInProcess
    folder: Path
    runs: int = 0

    def worker(self) -> Worker:
        """One of a new run."""
        self.runs += 1
        host = next(iter(self.lab.deployment.servers)).name
        return Worker(self.lab.variables(host), self.folder / f"run{self.runs}", self.folder / "journal")

    @property
    def store(self) -> Any:
        state = self.lab.deployment.store.state
        return json.loads(json.dumps({k: dict(v) for k, v in state.items()}, default=_plain, sort_keys=True))


def _plain(value: Any) -> Any:
    return dict(value) if isinstance(value, Mapping) else str(value)


class Places(dict[str, Place]):
    """By version. ``engine`` is their labs'."""

    engine: str


@pytest.fixture(scope="module")
def places(engine: str) -> Iterator[Places]:
    made = Places()
    made.engine = engine
    yield made
    for place in made.values():
        place.lab.__exit__(None, None, None)


def place_of(places: Places, version: Mapping[str, Any], tmp_path: Path) -> Place:
    key = str(version["version"])
    if key not in places:
        network = f"127.{100 + os.getpid() % 100}.{120 + len(places)}"
        document = {**DEPLOYMENT, **version, "network": network}
        lab = LabInProcess(document, tmp_path / "lab", engine=places.engine)
        places[key] = Place(lab.__enter__(), tmp_path)
    places[key].lab.reset()
    places[key].folder = tmp_path
    return places[key]


@dataclass(frozen=True)
class Kind:
    """A task on a noun of one kind. ``restorable`` is the journal's word for taking it back."""

    noun: str
    identity: str | None
    properties: Mapping[str, Any]
    command: str
    state: str = "present"
    restorable: str = "yes"

    @property
    def arguments(self) -> dict[str, Any]:
        given = {
            "noun": self.noun,
            "identity": self.identity,
            "properties": self.properties,
            "state": self.state,
        }
        return {name: value for name, value in given.items() if value}


KINDS = {
    "settings of a site": Kind(
        "CsAVEdgeConfiguration",
        "site:redmond",
        {"MaxTokenLifetime": "1.02:03:04"},
        "New-CsAVEdgeConfiguration",
    ),
    "a time span": Kind(
        "CsAVEdgeConfiguration", None, {"maxtokenlifetime": "04:00:00"}, "Set-CsAVEdgeConfiguration"
    ),
    "a number and a truth": Kind(
        "CsPinPolicy", "Global", {"MinPasswordLength": "6", "AllowCommonPatterns": "yes"}, "Set-"
    ),
    "an ordered list": Kind(
        "CsVoicePolicy",
        "sales",
        {"PstnUsages": ["Internal", "Local"]},
        "@{'Replace' = @('Internal', 'Local')}",
    ),
    "a list that is emptied": Kind(
        "CsVoicePolicy", "Sales", {"PstnUsages": None, "Description": ""}, "@{'Remove' = @("
    ),
    "entries of a list": Kind(
        "CsPstnUsage",
        None,
        {"Usage": {"add": ["Fax"], "remove": ["internal"]}},
        "@{'Remove' = @('Internal'); 'Add' = @('Fax')}",
    ),
    "a new policy": Kind(
        "CsVoicePolicy",
        "Partners",
        {"PstnUsages": ["Local"], "EnableTeamCall": False},
        "New-CsVoicePolicy -Identity Tag:Partners",
    ),
    "a policy that goes": Kind("CsVoicePolicy", "Sales", {}, "Remove-CsVoicePolicy", "absent", "values_only"),
    "a route in the middle": Kind(
        "CsVoiceRoute", "New", {"NumberPattern": "^\\+", "Priority": 1}, "New-CsVoiceRoute"
    ),
    "a route that goes": Kind("CsVoiceRoute", "Second", {}, "Remove-CsVoiceRoute", "absent"),
    "a rule of a dial plan": Kind(
        "CsVoiceNormalizationRule",
        "Redmond/Six",
        {"Pattern": "^(\\d{6})$", "Translation": "+14255$1"},
        "New-",
    ),
    "a rule that goes": Kind(
        "CsVoiceNormalizationRule", "Tag:Redmond/four", {}, "Remove-CsVoiceNormalizationRule", "absent"
    ),
    "a dial plan with rules": Kind("CsDialPlan", "Redmond", {}, "Remove-CsDialPlan", "absent", "values_only"),
    "a named object": Kind("CsNetworkSite", "Dublin", {"NetworkRegionID": "EMEA"}, "New-CsNetworkSite"),
    "a singleton": Kind("CsConferenceDisclaimer", None, {"Header": "Hello"}, "Set-CsConferenceDisclaimer"),
    "a reset": Kind("CsPinPolicy", "Global", {}, "Remove-CsPinPolicy -Identity Global", "reset"),
    "a noun with a module": Kind(
        "CsMediaConfiguration",
        "Global",
        {"encryptionlevel": "supportencryption"},
        "-EncryptionLevel SupportEncryption",
    ),
}


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: str(version["version"]))
@pytest.mark.parametrize("kind", KINDS.values(), ids=KINDS)
def test_each_kind_of_noun_is_foretold_made_found_and_taken_back(
    kind: Kind, version: Mapping[str, Any], places: Places, tmp_path: Path
) -> None:
    place = place_of(places, version, tmp_path)
    worker = place.worker()
    if kind.state == "reset":
        worker.run("setting", {"noun": kind.noun, "properties": {"MinPasswordLength": 9}})
    before = place.store
    foretold = worker.run("setting", kind.arguments, check=True)
    assert place.store == before
    made = worker.run("setting", kind.arguments)
    assert (made.get("failed"), made["status"], made["changed"]) == (None, "corrected", True), made.get("msg")
    for key in ("before", "after", "drift", "commands", "restore_commands", "diff", "changed", "restorable"):
        assert foretold[key] == made[key], key
    assert kind.command in " ".join(made["commands"])
    assert made["restorable"] == kind.restorable
    after = place.store
    assert after != before
    again = worker.run("setting", kind.arguments)
    assert (again["status"], again["changed"], again["commands"]) == ("in_desired_state", False, [])
    assert place.store == after
    back = place.worker().run("roll_back", {"run": "latest"})
    assert back.get("failed") is None, back.get("msg")
    step = back["steps"][0]
    assert (step["outcome"], step["restorable"]) == ("taken_back", kind.restorable)
    if kind.restorable == "yes" and kind.state != "reset":
        assert place.store == before


def test_what_cannot_be_done_is_told_before_anything_is_written(places: Places, tmp_path: Path) -> None:
    place = place_of(places, VERSIONS[1], tmp_path)
    worker = place.worker()
    for arguments, failure in (
        ({"noun": "CsUser", "identity": "kenmyer"}, "refused"),
        ({"noun": "CsVoicePolicy", "state": "absent"}, "unusable_argument"),
        ({"noun": "CsVoicePolicy", "properties": {"Nonsense": 1}}, "unusable_argument"),
        ({"noun": "CsVoicePolicy", "properties": {"EnableTeamCall": "perhaps"}}, "unusable_argument"),
        (
            {"noun": "CsVoiceRoute", "identity": "First", "properties": {"NumberPattern": 911}},
            "unusable_argument",
        ),
        ({"noun": "CsNetworkSite", "identity": "Dublin"}, "refused"),
        (
            {"noun": "CsPinPolicy", "identity": "site:Nowhere", "properties": {"MinPasswordLength": 6}},
            "refused",
        ),
    ):
        result = worker.run("setting", arguments)
        assert (result["failed"], result["changed"], result["failure"]) == (True, False, failure), arguments
    assert not place.lab.writes


def test_follow_ups_come_with_the_change_that_needs_them(places: Places, tmp_path: Path) -> None:
    place = place_of(places, VERSIONS[1], tmp_path)
    task = {"noun": "CsAuthConfig", "properties": {"Scenario": "Custom"}}
    worker = place.worker()
    first = worker.run(
        "setting", {"noun": "CsAuthConfig", "properties": {"Scenario": "BlockModernAuthInternally"}}
    )
    assert [each["command"] for each in first["follow_up"]] == ["Enable-CsComputer"]
    assert "-Identity" not in first["commands"][0]
    made = worker.run("setting", task)
    assert made["status"] == "corrected"
    assert worker.run("setting", task)["follow_up"] == []


@pytest.mark.parametrize("version", VERSIONS, ids=lambda version: str(version["version"]))
def test_routes_are_brought_into_order_by_the_fewest_moves(
    version: Mapping[str, Any], places: Places, tmp_path: Path
) -> None:
    place = place_of(places, version, tmp_path)
    worker = place.worker()
    connection = worker._connection({})
    noun = catalogue.noun("CsVoiceRoute")
    wanted = [stored(name, noun.scopes) for name in ("third", "First", "Second")]
    foretold = reorder(Envelope(connection.session, NoJournal(), check_mode=True), noun, wanted)
    assert not place.lab.writes
    done = reorder(Envelope(connection.session, NoJournal(), check_mode=False), noun, wanted)
    again = reorder(Envelope(connection.session, NoJournal(), check_mode=False), noun, wanted)
    connection.close()
    assert [command.as_text() for command in done.commands] == [
        "Set-CsVoiceRoute -Identity Third -Priority 0"
    ]
    for part in ("before", "after", "drift", "commands", "diff", "changed"):
        assert getattr(foretold, part) == getattr(done, part), part
    assert (done.after or {})["order"] == ["Third", "First", "Second"]
    assert (again.status.value, again.changed) == ("in_desired_state", False)
    assert len(place.lab.writes) == 1


# -- reading many -----------------------------------------------------------------------------------------------------


def test_everything_is_read_in_one_session_and_one_failing_cmdlet_costs_one_noun(
    places: Places, tmp_path: Path
) -> None:
    place = place_of(places, VERSIONS[1], tmp_path)
    worker = place.worker()
    whole = worker.run("setting_info", {"nouns": ["all"]})
    assert whole["coverage"] == {
        "read": len(catalogue.manageable()),
        "failed": 0,
        "not_permitted": 0,
        "not_offered": 0,
    }
    assert place.lab.sessions == 1
    assert len({command["pipeline"] for command in place.lab.commands if "pipeline" in command}) <= 15
    for victim in ("CsVoiceRoute", "CsSipDomain", "CsPinPolicy"):
        place.lab.inject("error", command=f"Get-{victim}", times=0)
        part = worker.run("setting_info", {"nouns": ["all"]})
        place.lab.heal()
        failed = [name for name, noun in part["nouns"].items() if noun["outcome"] != "read"]
        assert failed == [victim]
        assert part["nouns"][victim]["failure"] == "command_error"
        assert {**part["nouns"], victim: None} == {**whole["nouns"], victim: None}


@pytest.mark.sweep
@pytest.mark.parametrize("version", ALL_VERSIONS, ids=lambda version: str(version["version"]))
def test_every_noun_of_every_version_is_written_and_taken_back(
    version: Mapping[str, Any], places: Places, tmp_path: Path
) -> None:
    place = place_of(places, version, tmp_path)
    worker = place.worker()
    known = "2019" if version["version"] == "SE" else str(version["version"])
    tried = 0
    for noun in catalogue.manageable():
        if noun.read_only or known not in noun.versions or not noun.always_global:
            continue
        connection = worker._connection({})
        table = any_noun.read(connection.session, noun, verbs=("Set", "New"))
        connection.close()
        (current,) = (each for each in table.listed if each.identity.scope is Scope.GLOBAL)
        for p in table.resource.properties:
            value = _another(p, current.values.get(p.option))
            if value is None or p.option not in current.values or p.only_with:
                continue
            task = {"noun": noun.name, "properties": {p.option: value}}
            made = worker.run("setting", task)
            if made.get("failure") in ("value_not_allowed", "refused", "command_error"):
                continue  # Ranges, and parameters of other versions.
            assert made["status"] == "corrected", (noun.name, p.option, made)
            assert worker.run("setting", task)["changed"] is False, (noun.name, p.option)
            back = worker.run("roll_back", {"resource": noun.name, "since": "2000-01-01T00:00"})
            assert back.get("failed") is None, (noun.name, p.option, back.get("msg"))
            tried += 1
            break
    assert tried > 40


def _another(p: Any, current: Any) -> Any:
    """Another value of the property's kind."""
    if isinstance(current, bool):
        return not current
    if isinstance(p.comparison, Names):
        return ["sip:somebody@contoso.com"] if not current else []
    if p.comparison.option_type == "str" and type(p.comparison).__name__ == "Text":
        return "another"
    return None


@pytest.mark.sweep
@pytest.mark.parametrize("version", ALL_VERSIONS, ids=lambda version: str(version["version"]))
def test_null_and_empty_are_never_drift_whatever_the_server_shows(
    version: Mapping[str, Any], places: Places, tmp_path: Path
) -> None:
    place = place_of(places, version, tmp_path)
    store = place.lab.deployment.store
    worker = place.worker()
    read = worker.run("setting_info", {"nouns": ["all"]})["nouns"]
    checked = 0
    for name, noun in read.items():
        if not noun.get("objects") or not store.state.get(name):
            continue  # Not offered, or not of the store: sites are of the topology.
        identity, values = next(iter(store.state[name].values()))
        shown = noun["objects"].get(identity, {})
        empty = {p: value for p, value in shown.items() if value in ("", []) and p in values}
        for text, entries in ((None, None), ("", ())):
            held = {p: entries if value == [] else text for p, value in empty.items()}
            store.put(name, identity, {**values, **held})
            connection = worker._connection({})
            table = any_noun.read(connection.session, catalogue.noun(name))
            connection.close()
            actual = next(each for each in table.listed if str(each.identity) == identity)
            for p, value in empty.items():
                for asked in (None, value):
                    wanted = differences.wanted_values(table, {p: asked})
                    assert not differences.differences(table.resource, actual, wanted), (
                        name,
                        p,
                        held[p],
                        asked,
                    )
                    checked += 1
    assert checked > 100
