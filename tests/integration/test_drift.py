# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A deployment is written down, changed by hand, checked, corrected, and taken back.

By hand means behind the product's back: the simulated deployment's store is changed directly.
"""

from __future__ import annotations

import datetime
import fcntl
import importlib
import itertools
import json
import os
import random
import shutil
import signal
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from forked_ansible import AnsibleForks
from lab.injection import Rule
from lab.objects.nouns import ENUMERATIONS, NOUNS, Property
from running import RunningLab, ansible_environment, playbook_command

from .in_process import PLUGINS, LabInProcess, Worker
from .test_killed_changes import end

HOST = "pool01.contoso.com"
DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [
        {"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]},
        {"name": "viewer", "password": "Lab-Passw0rd", "roles": ["CsViewOnlyAdministrator"]},
    ],
    "sites": {"Redmond": None, "Dublin": None},
    "pools": {HOST: {"site": "Redmond", "computers": ["fe01"]}},
    "replication": {"seconds": 0},
    "settings": {
        "PstnUsage": [{"Identity": "Global", "Usage": ["Local", "Long", "World"]}],
        "VoiceRoute": [
            {"Identity": name, "NumberPattern": rf"^\+{number}", "PstnUsages": ["Local"]}
            for number, name in enumerate(("First", "Second", "Third", "Fourth"), 1)
        ],
        "VoicePolicy": [
            {"Identity": "Tag:Sales", "PstnUsages": ["Local", "Long"], "Description": "Those who sell"},
            {"Identity": "Tag:Support", "PstnUsages": ["Local"]},
            {"Identity": "Site:Dublin", "PstnUsages": ["World"]},
        ],
        "DialPlan": [{"Identity": "Tag:Plan", "ExternalAccessPrefix": "9"}],
        "VoiceNormalizationRule": [
            {"Identity": f"Tag:Plan/{name}", "Pattern": rf"^{number}(\d+)$", "Translation": "+1$1"}
            for number, name in enumerate(("A", "B", "C"))
        ],
        "AllowedDomain": [{"Identity": "fabrikam.com"}, {"Identity": "litware.com"}],
        "MediaConfiguration": [{"Identity": "Site:Dublin", "EncryptionLevel": "SupportEncryption"}],
        "ExternalAccessPolicy": [{"Identity": "Tag:Partners", "EnableFederationAccess": True}],
    },
}
VERSIONS = {
    "2019": {"version": 2019},
    "2013": {"version": 2013, "powershell": "2.0"},
    "2010": {"version": 2010},
    "2015": {"version": 2015},
    "SE": {"version": "SE"},
}
every_version = pytest.mark.parametrize(
    "version",
    ["2019", *(pytest.param(each, marks=pytest.mark.sweep) for each in ("2013", "2010", "2015", "SE"))],
    indirect=True,
    scope="module",
)
one_version = pytest.mark.parametrize(
    "version", ["2019", pytest.param("2013", marks=pytest.mark.sweep)], indirect=True, scope="module"
)
numbers = itertools.count()


class Controller:
    """Somebody's computer: its baseline, its state folder and its journal."""

    def __init__(self, lab: LabInProcess, home: Path, **variables: Any) -> None:
        self.home = home
        self.baseline = home / "baseline" / "contoso"
        self._lab = lab
        self._variables = {
            **lab.variables(HOST),
            "inventory_dir": str(home),
            "ansible_inventory_sources": ["hosts.yml"],
            **variables,
        }

    def run(self, module: str, check_mode: bool = False, **arguments: Any) -> dict[str, Any]:
        """One task in a run of its own."""
        worker = Worker(self._variables, self.home / f"run{next(numbers)}", self.home / "journal")
        given = {
            "deployment": "contoso",
            "state": str(self.home / "state"),
            "state_persists": True,
            **arguments,
        }
        result = worker.run(module, given, check=check_mode)
        worker.reset_connection()
        json.dumps(result)
        assert not result.get("failed")
        return result

    def files(self) -> dict[str, bytes]:
        return {
            path.name: path.read_bytes() for path in self.baseline.iterdir() if path.name != "manifest.yml"
        }

    def task(self, module: str, check: bool = False, **arguments: Any) -> dict[str, Any]:
        """A task that is none of drift's."""
        worker = Worker(self._variables, self.home / f"run{next(numbers)}", self.home / "journal")
        result = worker.run(module, arguments, check=check)
        worker.reset_connection()
        return result


@pytest.fixture(scope="module")
def version(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def running(version: str, engine: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabInProcess]:
    network = f"127.{96 + os.getpid() % 80}.{next(numbers) % 250}"
    document = {**DEPLOYMENT, **VERSIONS[version], "network": network}
    with LabInProcess(document, tmp_path_factory.mktemp("lab"), engine=engine) as lab:
        yield lab


@pytest.fixture
def lab(running: LabInProcess) -> LabInProcess:
    running.reset()
    return running


@pytest.fixture
def controller(lab: LabInProcess, tmp_path: Path) -> Controller:
    return Controller(lab, tmp_path)


def by_hand(lab: LabInProcess, noun: str, identity: str, **values: Any) -> None:
    """Change or create an object."""
    known = {p.name: p for p in NOUNS[noun].properties}
    store = lab.deployment.store
    held = store.state[noun].get(identity.lower())
    before = dict(held[1]) if held else NOUNS[noun].defaults(lab.deployment.version)
    typed = {name: known[name].typed(value) for name, value in values.items()}
    store.put(noun, held[0] if held else identity, {**before, **typed})


def found(result: dict[str, Any]) -> set[tuple[str, str, str]]:
    return {(each["noun"], each["identity"], each["property"]) for each in result["findings"]}


def change_by_hand(lab: LabInProcess) -> set[tuple[str, str, str]]:
    """Thirty changes, some of which are none to the product; those that are."""
    real = {
        ("CsMediaConfiguration", "Global", "EncryptionLevel"): "DoNotSupportEncryption",
        ("CsMediaConfiguration", "Global", "EnableQoS"): True,
        ("CsMediaConfiguration", "Site:Dublin", "MaxVideoRateAllowed"): "CIF250K",
        ("CsExternalAccessPolicy", "Global", "EnableOutsideAccess"): True,
        ("CsExternalAccessPolicy", "Tag:Partners", "Description"): "Somebody was here",
        ("CsVoicePolicy", "Global", "PstnUsages"): ["World"],
        ("CsVoicePolicy", "Tag:Sales", "PstnUsages"): ["Long", "Local"],
        ("CsVoicePolicy", "Tag:Sales", "Description"): "those who sell",
        ("CsVoicePolicy", "Site:Dublin", "PstnUsages"): [],
        ("CsVoicePolicy", "Tag:Support", "AllowSimulRing"): False,
        ("CsPstnUsage", "Global", "Usage"): ["Local", "Long", "World", "Moon"],
        ("CsVoiceRoute", "First", "NumberPattern"): r"^\+1(\d{10})$",
        ("CsVoiceRoute", "Second", "PstnUsages"): ["Local", "Long"],
        ("CsVoiceNormalizationRule", "Tag:Plan/A", "Translation"): "+1 $1",
        ("CsVoiceNormalizationRule", "Tag:Plan/B", "Pattern"): r"^1(\D+)$",
        ("CsDialPlan", "Tag:Plan", "ExternalAccessPrefix"): None,
        ("CsAllowedDomain", "fabrikam.com", "Comment"): "called 0044 20",
        ("CsAccessEdgeConfiguration", "Global", "EnableArchivingDisclaimer"): True,
        ("CsPinPolicy", "Global", "MinPasswordLength"): 9,
        ("CsConferencingPolicy", "Global", "MaxMeetingSize"): 99,
        ("CsMeetingConfiguration", "Global", "HelpURL"): "https://help.contoso.com/Path",
        ("CsCpsConfiguration", "Global", "CallPickupTimeoutThreshold"): "00:02:03",
    }
    version = lab.deployment.version
    real = {
        key: value
        for key, value in real.items()
        if any(p.name == key[2] for p in NOUNS[key[0]].properties_in(version))
    }
    for (noun, identity, name), value in real.items():
        by_hand(lab, noun, identity, **{name: value})
    expected = set(real)
    store = lab.deployment.store
    # Objects that came, with the priorities of others pushed back, and that went.
    by_hand(lab, "CsVoicePolicy", "Site:Redmond")
    by_hand(lab, "CsAllowedDomain", "tailspin.com", Domain="tailspin.com")
    rule = {"Name": "Front", "Pattern": r"^0(\d+)$", "Translation": "$1"}
    by_hand(lab, "CsVoiceNormalizationRule", "Tag:Plan/Front", **rule, Priority=0)
    for place, name in enumerate("ABC", 1):
        by_hand(lab, "CsVoiceNormalizationRule", f"Tag:Plan/{name}", Priority=place)
    store.remove("CsAllowedDomain", "litware.com")
    expected |= {
        ("CsVoicePolicy", "Site:Redmond", "existence"),
        ("CsVoiceNormalizationRule", "Tag:Plan/Front", "existence"),
        ("CsAllowedDomain", "tailspin.com", "existence"),
        ("CsAllowedDomain", "litware.com", "existence"),
    }
    for place, name in enumerate(("Fourth", "First", "Second", "Third")):
        by_hand(lab, "CsVoiceRoute", name, Priority=place)
    expected.add(("CsVoiceRoute", "Fourth", "order"))
    # No changes: an empty text for none, usages of a set in another order.
    by_hand(lab, "CsVoicePolicy", "Tag:Support", Description="")
    by_hand(lab, "CsVoiceRoute", "Third", Description="")
    by_hand(lab, "CsPstnUsage", "Global", Usage=["Moon", "World", "Local", "Long"])
    return expected


def contents(settings: dict[str, Any]) -> dict[str, list[str]]:
    """What the store holds; the order of a set of usages means nothing."""
    return {
        noun: sorted(
            repr({**each, "Usage": sorted(each["Usage"])} if "Usage" in each else each) for each in objects
        )
        for noun, objects in settings.items()
    }


@every_version
def test_written_down_changed_found_corrected_and_taken_back(
    lab: LabInProcess, controller: Controller
) -> None:
    assert controller.run("drift_export")["verdict"] == "clean"
    files = controller.files()
    again = controller.run("drift_export")
    assert (again["changed"], controller.files()) == (False, files)
    checked = controller.run("drift_check")
    assert (checked["verdict"], checked["findings"]) == ("clean", [])
    assert not lab.writes

    expected = change_by_hand(lab)
    changed_state = lab.status()["settings"]
    drifted = controller.run("drift_check")
    assert found(drifted) == expected
    assert {each["label"] for each in drifted["findings"]} <= {"server_changed", "first_seen"}
    assert drifted["counts"]["drifted"] == drifted["counts"]["new"] == len(expected)
    parts = ("as_wanted", "drifted", "corrected", "waived", "unknown")
    assert drifted["counts"]["total"] == sum(drifted["counts"][name] for name in parts)
    assert not lab.writes

    refused = controller.run("drift_enforce", remove_unmanaged=True)
    assert (refused["verdict"], lab.writes) == ("refused", [])
    confirmed = {"remove_unmanaged": True, "confirm_removals": 3, "confirm_corrections": len(expected) - 3}
    foretold = controller.run("drift_enforce", check_mode=True, **confirmed)
    assert lab.writes == []
    assert foretold["changed"]
    corrected = controller.run("drift_enforce", **confirmed)
    left = [each for each in corrected["findings"] if each["status"] != "corrected"]
    assert not left, [(each["noun"], each["unknown"], each["detail"], each["held"]) for each in left]
    assert corrected["verdict"] == "clean"
    assert corrected["commands"] == foretold["commands"]
    assert controller.run("drift_check")["verdict"] == "clean"
    assert controller.run("drift_export")["changed"] is False
    assert controller.files() == files

    taken_back = controller.task("roll_back", run="latest")
    assert not taken_back.get("failed"), taken_back["msg"]
    assert contents(lab.status()["settings"]) == contents(changed_state)
    explained = controller.run("drift_check")
    assert {each["id"] for each in explained["findings"]} == {each["id"] for each in drifted["findings"]}
    assert all(each["explained"] for each in explained["findings"] if each["property"] not in ("order",))


# Which deployment it is, and what is shown only beside another's value, have tests of their own.
APART = {
    ("CsSipDomain", "IsDefault"),
    ("CsPublicProvider", "NameDecorationExcludedDomainList"),  # A list whose entries the server trims.
    *(
        ("CsAccessEdgeConfiguration", name)
        for name in ("RoutingMethod", "DefaultRouteFqdn", "IsPublicProvider", "VerificationLevel")
    ),
}


def another(known: Property, value: Any) -> Any:
    """Another value of the property's type, for a text with what nobody sees at its end; None where none is known."""
    names = known.values or ENUMERATIONS.get(known.type)
    if names:
        return next((each for each in names if known.typed(each) != value), None)
    if known.is_nested:
        return None
    if known.is_list:
        return (*(value or ()), "sip:new@contoso.com")
    if isinstance(value, bool):
        return not value
    if isinstance(value, datetime.timedelta):
        return value + datetime.timedelta(seconds=1)
    if isinstance(value, int | float):
        return value + 1
    texts = {
        "String": f"{value or ''}\u00a0",
        "Fqdn": "other.contoso.com",
        "Uri": "https://other.contoso.com/x",
    }
    return texts.get(known.type)


@pytest.mark.sweep
@every_version
def test_whatever_property_changes_is_found_and_nothing_else(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export")
    store = lab.deployment.store
    start = {
        noun: next(iter(objects.values()))
        for noun, objects in store.state.items()
        if objects and (controller.baseline / f"{noun}.yml").exists()
    }
    tried = 0
    for part in range(3):
        changed: set[tuple[str, str, str]] = set()
        for noun, (identity, values) in start.items():
            properties = [p for p in NOUNS[noun].properties_in(lab.deployment.version) if p.name in values]
            new = {
                p.name: value
                for p in properties[part::3]
                if p.name not in ("Priority", "Name", "Parent") and (noun, p.name) not in APART
                if (value := another(p, values[p.name])) is not None
            }
            store.put(noun, identity, values)
            by_hand(lab, noun, identity, **new)
            changed |= {(noun, identity, name) for name in new}
        result = controller.run("drift_check")
        hidden = result["coverage"]["not_comparable"]
        expected = {each for each in changed if each[2] not in hidden.get(each[0], {})}
        assert {tuple(map(str.lower, each)) for each in found(result)} == {
            tuple(map(str.lower, each)) for each in expected
        }
        assert result["counts"]["unknown"] == 0
        tried += len(expected)
    assert tried > 300


@one_version
def test_what_comes_back_comes_back_into_its_place(lab: LabInProcess, controller: Controller) -> None:
    nouns = ["CsVoiceRoute", "CsPstnUsage", "CsDialPlan", "CsVoiceNormalizationRule"]
    controller.run("drift_export", nouns=nouns)
    files = controller.files()
    rights = {"max_share": 1.0, "store_copy": False}
    lab.deployment.store.remove("CsVoiceRoute", "Second")
    for place, name in enumerate(("First", "Third", "Fourth")):
        by_hand(lab, "CsVoiceRoute", name, Priority=place)
    changed_state = lab.status()["settings"]
    assert found(controller.run("drift_check")) == {("CsVoiceRoute", "Second", "existence")}
    foretold = controller.run("drift_enforce", check_mode=True, **rights)
    corrected = controller.run("drift_enforce", **rights)
    assert (corrected["verdict"], corrected["commands"]) == ("clean", foretold["commands"])
    assert controller.run("drift_check")["findings"] == []
    assert (controller.run("drift_export", nouns=nouns)["changed"], controller.files()) == (False, files)
    assert not controller.task("roll_back", run="latest").get("failed")
    assert contents(lab.status()["settings"]) == contents(changed_state)

    # A dial plan is made with a rule of its own, which is told of, and goes where that is asked for.
    lab.reset()
    for noun, identity in [
        ("CsDialPlan", "Tag:Plan"),
        *(("CsVoiceNormalizationRule", f"Tag:Plan/{each}") for each in "ABC"),
    ]:
        lab.deployment.store.remove(noun, identity)
    made = controller.run("drift_enforce", **rights)
    (extra,) = [each for each in made["findings"] if each["status"] == "drifted"]
    assert (made["verdict"], extra["identity"], extra["kind"]) == ("drift", "Tag:Plan/Keep All", "extra")
    assert extra["id"] in {each["id"] for each in controller.run("drift_check")["findings"]}
    removed = controller.run("drift_enforce", only=extra["id"], confirm_removals=1, **rights)
    assert removed["verdict"] == "clean"
    assert (controller.run("drift_export", nouns=nouns)["changed"], controller.files()) == (False, files)


@one_version
def test_properties_that_go_and_come_with_the_value_of_another_are_put_back(
    lab: LabInProcess, controller: Controller
) -> None:
    nouns = ["CsAccessEdgeConfiguration"]
    controller.run("drift_export", nouns=nouns)
    files = controller.files()
    other = {"RoutingMethod": "UseDefaultRouting", "DefaultRouteFqdn": "edge.fabrikam.com"}
    by_hand(lab, "CsAccessEdgeConfiguration", "Global", **other)
    drifted = controller.run("drift_check")
    assert ("CsAccessEdgeConfiguration", "Global", "RoutingMethod") in found(drifted)
    assert drifted["counts"]["unknown"] == 0
    assert controller.run("drift_enforce", max_share=1.0, store_copy=False)["verdict"] == "clean"
    assert controller.run("drift_check")["findings"] == []
    assert (controller.run("drift_export", nouns=nouns)["changed"], controller.files()) == (False, files)


# -- what goes wrong --------------------------------------------------------------------------------------------------

FEW = ["CsVoicePolicy", "CsMediaConfiguration", "CsPstnUsage"]


@one_version
def test_one_failing_cmdlet_costs_one_noun(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=FEW)
    files = controller.files()
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    lab.striker.add(Rule("error", command="Get-CsVoicePolicy", times=0))
    result = controller.run("drift_check")
    assert result["verdict"] == "drift"
    assert [(each["noun"], each["property"], each["unknown"]) for each in result["findings"]] == [
        ("CsMediaConfiguration", "EnableQoS", None),
        ("CsVoicePolicy", "", "failed"),
    ]
    partial = controller.run("drift_export")
    assert (partial["verdict"], controller.files()) == ("refused", files)
    kept = controller.run("drift_enforce")
    assert kept["verdict"] == "refused"
    assert lab.writes == []
    lab.heal()
    assert controller.run("drift_enforce")["counts"]["corrected"] == 1


@pytest.mark.parametrize("version", ["2019"], indirect=True, scope="module")
def test_what_another_task_has_found_joins_by_the_path_of_that_task(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    policy = controller.task("external_access_policy", check=True, enable_outside_access=True)
    media = controller.task("media_configuration", check=True, encryption_level="SupportEncryption")
    result = controller.run("drift_check", results=[policy, media])
    assert {each["noun"]: each["origins"] for each in result["findings"]} == {
        "CsExternalAccessPolicy": [f"task {policy['task']}"],
        "CsMediaConfiguration": [f"task {media['task']}"],
    }
    assert f"{controller.baseline}/CsMediaConfiguration.yml" in next(
        each["detail"] for each in result["findings"] if each["noun"] == "CsMediaConfiguration"
    )
    assert lab.writes == []


@one_version
def test_which_deployment_it_is_may_be_half_known_to_look_and_not_to_write(
    lab: LabInProcess, controller: Controller
) -> None:
    nouns = [*FEW, "CsSipDomain"]
    lab.striker.add(Rule("error", command="Get-CsSipDomain", times=0))
    assert controller.run("drift_export", nouns=nouns)["verdict"] == "incomplete"
    lab.heal()
    controller.run("drift_export", nouns=nouns)
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    for cmdlet, lost in (("Get-CsSipDomain", {"CsSipDomain"}), ("Get-CsSite", set())):
        lab.striker.add(Rule("error", command=cmdlet, times=0))
        result = controller.run("drift_check")
        assert {each["noun"] for each in result["findings"] if each["unknown"] == "failed"} == lost
        assert result["counts"]["drifted"] == 1
        if lost:
            assert controller.run("drift_enforce")["verdict"] == "incomplete"
            assert lab.writes == []
        lab.heal()
    assert controller.run("drift_enforce", store_copy=False)["verdict"] == "clean"


@pytest.mark.sweep
@one_version
def test_each_failing_cmdlet_costs_its_noun(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export")
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    lab.commands.clear()
    drifted = found(controller.run("drift_check"))
    cmdlets = {command["name"] for command in lab.commands if command["name"].startswith("Get-Cs")}
    for cmdlet in sorted(cmdlets):
        lab.striker.add(Rule("error", command=cmdlet, times=0))
        result = controller.run("drift_check")
        lab.heal()
        noun = cmdlet.removeprefix("Get-")
        assert {each for each in drifted if each[0] != noun} <= found(result), cmdlet
        assert {each[0] for each in found(result) - drifted} <= {noun}, cmdlet
    assert len(cmdlets) > 100


@one_version
def test_a_new_difference_that_matters_is_read_again_before_it_counts(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    held = dict(lab.deployment.store.state["CsMediaConfiguration"]["global"][1])
    drifted = {"EncryptionLevel": "DoNotSupportEncryption"}

    def pass_by(_server: Any) -> str:
        by_hand(lab, "CsMediaConfiguration", "Global", **{name: held[name] for name in drifted})
        return ""

    for least, verdict in (("never", "drift"), ("high", "clean")):
        by_hand(lab, "CsMediaConfiguration", "Global", **drifted)
        lab.striker.add(Rule("change", command="Get-CsMediaConfiguration", skip=1, action=pass_by))
        found_now = Controller(lab, controller.home / least)
        shutil.copytree(controller.home / "baseline", found_now.home / "baseline")
        assert found_now.run("drift_check", read_again=least)["verdict"] == verdict
        lab.striker.clear()


@one_version
def test_a_schedule_corrects_in_its_window_and_what_matters(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    by_hand(lab, "CsMediaConfiguration", "Global", EncryptionLevel="DoNotSupportEncryption", EnableQoS=True)
    now = datetime.datetime.now()
    closed = "-".join(f"{now + datetime.timedelta(hours=each):%H:%M}" for each in (2, 3))
    outside = controller.run("drift_enforce", window=closed, severities=["critical"])
    assert (outside["verdict"], outside["counts"]["drifted"], lab.writes) == ("drift", 2, [])
    opened = "-".join(f"{now + datetime.timedelta(hours=each):%H:%M}" for each in (-1, 1))
    inside = controller.run("drift_enforce", window=opened, severities=["critical"])
    statuses = {each["property"]: each["status"] for each in inside["findings"]}
    assert statuses == {"EncryptionLevel": "corrected", "EnableQoS": "drifted"}
    assert controller.run("drift_enforce", window="25:00-3")["verdict"] == "refused"


@one_version
def test_a_server_that_is_not_there_is_unknown_and_no_reason_to_fail(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    away = Controller(lab, controller.home, ansible_port=1)
    result = away.run("drift_check")
    assert (result["verdict"], result["failure"]) == ("incomplete", "cannot_connect")
    assert [each["unknown"] for each in result["findings"]] == ["unreachable"]


@one_version
def test_what_differs_is_accepted_into_the_baseline_and_waived(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    path = controller.baseline / "CsVoicePolicy.yml"
    path.write_text(path.read_text().replace("  Tag:Sales:", "  # The people who sell.\n  Tag:Sales:"))
    by_hand(lab, "CsVoicePolicy", "Tag:Sales", PstnUsages=["World", "Local"])
    by_hand(lab, "CsVoicePolicy", "Site:Redmond", PstnUsages=["World"])
    by_hand(lab, "CsMediaConfiguration", "Global", EncryptionLevel="SupportEncryption")
    result = controller.run("drift_check")
    ids = {each["noun"]: each["id"] for each in result["findings"]}
    policies = ",".join(each["id"] for each in result["findings"] if each["noun"] == "CsVoicePolicy")
    accepted = controller.run("drift_accept", ids=policies)
    assert found(accepted) == {("CsMediaConfiguration", "Global", "EncryptionLevel")}
    assert "  # The people who sell.\n" in path.read_text()
    wrong = controller.run("drift_accept", ids=ids["CsMediaConfiguration"], into="waiver", owner="Ann")
    assert (wrong["verdict"], wrong["failure"]) == ("refused", "unusable_argument")
    waived = controller.run(
        "drift_accept",
        ids=ids["CsMediaConfiguration"],
        into="waiver",
        owner="Ann",
        justification="Windows Live",
        expires=str(lab_day(200)),
    )
    assert (waived["verdict"], waived["counts"]["waived"]) == ("clean", 1)
    assert controller.run("drift_enforce")["counts"]["waived"] == 1
    assert lab.writes == []
    by_hand(lab, "CsMediaConfiguration", "Global", EncryptionLevel="DoNotSupportEncryption")
    third = controller.run("drift_check")
    assert (third["verdict"], third["counts"]["waived"]) == ("drift", 0)


def lab_day(later: int) -> datetime.date:
    return datetime.datetime.now(datetime.timezone.utc).date() + datetime.timedelta(days=later)


@one_version
def test_two_hosts_of_one_deployment_are_one(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=FEW)
    variables = {**lab.variables(HOST), "inventory_dir": str(controller.home), "inventory_hostname": "one"}
    worker = Worker(variables, controller.home / "one_run", controller.home / "journal")
    given = {"deployment": "contoso", "state": str(controller.home / "state"), "state_persists": True}
    one = worker.run("drift_check", given)
    two = worker.run("drift_check", given, inventory_hostname="two")
    assert (one["same_deployment_as"], two["same_deployment_as"]) == (None, "one")
    assert two["verdict"] == one["verdict"]
    worker.reset_connection()


@one_version
def test_a_name_is_bound_to_one_deployment(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=FEW)
    other = controller.run("drift_export", nouns=FEW, deployment="other")
    assert (other["verdict"], other["failure"]) == ("refused", "bad_argument")
    assert not (controller.home / "baseline" / "other").exists()


@one_version
def test_somebody_who_changes_it_meanwhile_is_left_alone(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=FEW)
    by_hand(lab, "CsVoicePolicy", "Tag:Sales", AllowSimulRing=False)
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)

    def meanwhile(_server: Any) -> str:
        by_hand(lab, "CsVoicePolicy", "Tag:Sales", AllowCallForwarding=False)
        return ""

    lab.striker.add(Rule("change", command="Get-CsVoicePolicy", skip=1, times=1, action=meanwhile))
    result = controller.run("drift_enforce", store_copy=False)
    states = {each["noun"]: (each["status"], each["unknown"]) for each in result["findings"]}
    assert states == {
        "CsVoicePolicy": ("unknown", "changed_while_reading"),
        "CsMediaConfiguration": ("corrected", None),
    }
    assert result["verdict"] == "incomplete"


@one_version
def test_who_may_only_look_checks_and_is_told_what_it_lacks(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    viewer = Controller(lab, controller.home, ansible_user="CONTOSO\\viewer")
    assert viewer.run("drift_check")["verdict"] == "drift"
    result = viewer.run("drift_enforce")
    assert (result["verdict"], lab.writes) == ("drift", [])
    assert "Set-CsMediaConfiguration" in result["findings"][0]["held"]


@one_version
def test_nothing_is_enforced_without_a_folder_that_stays_and_a_pause_holds(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    assert controller.run("drift_enforce", state_persists=False)["verdict"] == "refused"
    pause = {"until": f"{lab_day(2)}", "owner": "Ann", "reason": "Migration"}
    paused = controller.run("drift_enforce", pause=pause)
    assert (paused["verdict"], paused["counts"]["drifted"]) == ("drift", 1)
    assert lab.writes == []
    assert controller.run("drift_check", state_persists=False)["has_history"] is False


@one_version
def test_our_own_change_is_labelled_and_left_until_it_is_named(
    lab: LabInProcess, controller: Controller
) -> None:
    controller.run("drift_export", nouns=FEW)
    task = controller.task("media_configuration", identity="Global", encryption_level="SupportEncryption")
    assert task["changed"]
    (finding,) = controller.run("drift_check")["findings"]
    assert finding["explained"]["module"] == "lync.remediation.media_configuration"
    left = controller.run("drift_enforce")
    assert (left["verdict"], left["changed"]) == ("drift", False)
    named = controller.run("drift_enforce", only=finding["id"])
    assert (named["verdict"], named["changed"]) == ("clean", True)


@one_version
def test_the_same_correction_is_not_made_for_ever(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=["CsMediaConfiguration"])
    for _time in range(3):
        by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
        assert controller.run("drift_enforce", store_copy=False)["counts"]["corrected"] == 1
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    fought = controller.run("drift_enforce", store_copy=False)
    assert (fought["verdict"], fought["changed"]) == ("drift", False)


@one_version
def test_a_run_that_is_cut_off_is_finished_by_the_next_one(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=FEW)
    by_hand(lab, "CsVoicePolicy", "Tag:Sales", AllowSimulRing=False)
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    lab.on_write = lambda _name: signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
    cut_off = controller.run("drift_enforce", store_copy=False)
    lab.on_write = None
    lab.settle()
    assert (cut_off["verdict"], cut_off["changed"]) == ("incomplete", True)
    assert len(lab.writes) == 1
    left = controller.run("drift_check")
    assert 1 <= left["counts"]["drifted"] <= 2
    finished = controller.run("drift_enforce", store_copy=False)
    assert (finished["verdict"], finished["counts"]["corrected"]) == ("clean", left["counts"]["drifted"])


MOMENTS = [
    (
        ("enforce_baseline", "export_baseline", "accept_drift")[number % 3],
        random.Random(number).randrange(8, 60),
    )
    for number in range(24)
]


@pytest.mark.sweep
@pytest.mark.embedded_only(
    "what the lab still does once its client is gone is only known of a lab in this process"
)
@pytest.mark.parametrize(("playbook", "requests"), MOMENTS)
@pytest.mark.parametrize("version", ["2019"], indirect=True, scope="module")
def test_a_run_that_is_killed_leaves_nothing_that_the_next_one_cannot_finish(
    playbook: str,
    requests: int,
    lab: LabInProcess,
    controller: Controller,
    forks_of_the_session: AnsibleForks,
) -> None:
    controller.run("drift_export", nouns=FEW)
    files, wanted = controller.files(), contents(lab.status()["settings"])
    by_hand(lab, "CsVoicePolicy", "Tag:Sales", AllowSimulRing=False, Description="x")
    by_hand(lab, "CsVoicePolicy", "Tag:Support", PstnUsages=["World"])
    by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
    changed = contents(lab.status()["settings"])
    ids = ",".join(each["id"] for each in controller.run("drift_check")["findings"])
    variables = {
        "lync_remediation_deployment": "contoso",
        "lync_remediation_baseline": str(controller.baseline),
        "lync_remediation_state": str(controller.home / "state"),
        "lync_remediation_state_persists": True,
        "lync_remediation_journal": str(controller.home / "journal"),
        "drift_nouns": FEW,
        "drift_accept": ids,
    }
    process = forks_of_the_session.start(
        playbook_command(
            RunningLab(lab.state), f"lync.remediation.{playbook}", ["-e", json.dumps(variables)]
        ),
        lab.state,
        ansible_environment(controller.home),
        controller.home / "output",
    )

    def strike(number: int) -> None:
        if number == requests:
            end(process.pid, "all")

    lab.striker.names.clear()
    lab.striker.on_request = strike
    process.wait(timeout=120)
    lab.heal()
    lab.settle()
    lock = controller.home / "state" / "contoso" / "lock"
    with lock.open() as held:
        fcntl.flock(held, fcntl.LOCK_EX)  # The last of its processes has ended.
    left = controller.run("drift_check", nouns=FEW)
    assert not left["refusal"]
    if playbook == "enforce_baseline":
        assert controller.run("drift_enforce", nouns=FEW, store_copy=False)["verdict"] == "clean"
        assert (contents(lab.status()["settings"]), controller.files()) == (wanted, files)
        return
    if playbook == "export_baseline":
        assert controller.run("drift_export", nouns=FEW)["verdict"] == "clean"
    elif left["findings"]:
        controller.run("drift_accept", nouns=FEW, ids=",".join(each["id"] for each in left["findings"]))
    assert controller.run("drift_check", nouns=FEW)["findings"] == []
    assert contents(lab.status()["settings"]) == changed


@one_version
def test_no_secret_reaches_a_file_or_a_result(lab: LabInProcess, controller: Controller) -> None:
    canary = "canary-7c1e09ab"
    planted = 0
    catalogue = importlib.import_module(f"{PLUGINS}.plugin_utils.settings.catalogue")
    for noun in catalogue.manageable():
        secrets = [name for name, reason in noun.not_comparable.items() if reason == "secret"]
        known = NOUNS.get(noun.name)
        for name in secrets if known is not None and lab.deployment.store.state.get(noun.name) else ():
            if any(p.name == name for p in known.properties_in(lab.deployment.version)):
                by_hand(lab, noun.name, "Global", **{name: canary})
                planted += 1
    exported = controller.run("drift_export")
    checked = controller.run("drift_check")
    assert canary not in json.dumps([exported, checked])
    for path in controller.home.rglob("*"):
        assert not path.is_file() or canary not in path.read_text(errors="replace"), path
    assert planted


@one_version
def test_the_store_is_copied_once_a_day_for_its_owner(lab: LabInProcess, controller: Controller) -> None:
    controller.run("drift_export", nouns=["CsMediaConfiguration"])
    for _time in range(2):
        by_hand(lab, "CsMediaConfiguration", "Global", EnableQoS=True)
        controller.run("drift_enforce")
    (copy,) = (controller.home / "state" / "contoso" / "store").iterdir()
    assert copy.stat().st_mode & 0o777 == 0o600
    assert [command["name"] for command in lab.commands].count("Export-CsConfiguration") == 1
