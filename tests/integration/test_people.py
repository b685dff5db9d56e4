# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Policies of people: granted, withdrawn, interrupted and taken back, against a lab in this process."""

from __future__ import annotations

import json
import signal
import threading
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, NoReturn

import pytest

from .in_process import LabInProcess, Worker
from .test_documented_results import check as documented

HOST = "pool01.contoso.com"
ACCESS = "ExternalAccessPolicy"


def document(version: Any = 2019, **changes: Any) -> dict[str, Any]:
    return {
        "version": version,
        "domain": "contoso.com",
        "netbios": "CONTOSO",
        "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
        "sites": {"Redmond": None, "Dublin": None},
        "pools": {
            HOST: {"site": "Redmond", "computers": ["fe01"]},
            "dublin.contoso.com": {"site": "Dublin", "computers": ["dfe01"]},
        },
        "central_management": HOST,
        "replication": {"seconds": 0},
        "users": [
            {"name": "ken", "display_name": "Ken Myer", "pool": HOST, "external_access_policy": "Partners"},
            {"name": "pilar", "display_name": "Pilar Ackerman", "pool": HOST},
            {"name": "kim", "display_name": "Kim Abercrombie", "pool": HOST},
            {"name": "kim2", "display_name": "Kim Abercrombie", "pool": HOST, "ou": "OU=Sales"},
            {
                "name": "kaya",
                "display_name": "Kaya Elias",
                "pool": "dublin.contoso.com",
                "attributes": {"Department": "Finance"},
                "policies": {"ConferencingPolicy": "Audio"},
            },
        ],
        "settings": {
            ACCESS: [
                {"Identity": "Tag:Partners"},
                {"Identity": "Tag:Windows Live"},
                {"Identity": "Site:Dublin"},
            ],
            "ConferencingPolicy": [{"Identity": "Tag:Audio"}],
        },
        **changes,
    }


class People:
    """A worker on the lab, and what the lab holds."""

    def __init__(self, lab: LabInProcess, folder: Path) -> None:
        self.lab = lab
        self.folder = folder
        self.runs = 0
        self.worker = self.another_run()

    @property
    def journal(self) -> Path:
        return self.folder / "journal"

    def another_run(self) -> Worker:
        self.runs += 1
        self.worker = Worker(self.lab.variables(HOST), self.folder / f"run{self.runs}", self.journal)
        return self.worker

    def held(self, kind: str = ACCESS) -> dict[str, str]:
        users = self.lab.status()["users"]
        return {name: user["policies"][kind] for name, user in users.items() if kind in user["policies"]}

    def assign(self, check: bool = False, **arguments: Any) -> dict[str, Any]:
        arguments = {"kind": "external_access_policy", **arguments}
        return self.worker.run("policy_assignment", arguments, check=check)

    def written_down(self) -> tuple[list[dict[str, Any]], dict[str, str]]:
        """The journal's changes, and the status of each that has come to an end."""
        lines = [
            json.loads(line)
            for path in sorted(self.journal.glob("*.jsonl"))
            for line in path.read_text().splitlines()
        ]
        changes = [line for line in lines if line["entry"] == "change"]
        return changes, {line["id"]: line["status"] for line in lines if line["entry"] == "outcome"}


@pytest.fixture
def people(tmp_path: Path, engine: str) -> Iterator[People]:
    with LabInProcess(document(), tmp_path / "lab", engine=engine) as lab:
        yield People(lab, tmp_path)


def test_granted_once_and_seen_before(people: People) -> None:
    wanted: Mapping[str, Any] = {"policy": "windows live", "users": ["sip:ken@contoso.com", "Pilar Ackerman"]}
    dry = people.assign(check=True, **wanted)
    assert dry["status"] == "drifted"
    assert people.lab.writes == []
    real = people.assign(**wanted)
    assert real["status"] == "corrected", real
    documented("policy_assignment", dry)
    documented("policy_assignment", real)
    for key in ("before", "after", "drift", "commands", "restore_commands", "diff", "summary"):
        assert dry[key] == real[key], key
    assert people.held() == {"ken": "Windows Live", "pilar": "Windows Live"}
    assert real["before"] == {"sip:ken@contoso.com": "Partners", "sip:pilar@contoso.com": None}
    again = people.assign(**wanted)
    assert (again["changed"], again["status"]) == (False, "in_desired_state")
    changes, outcomes = people.written_down()
    assert [(each["kind"], outcomes[each["id"]]) for each in changes] == [("grant", "corrected")]
    assert changes[0]["before"] == {"external_access_policy": real["before"]}


def test_everybody_gets_back_what_was_held_but_who_was_changed_since(people: People) -> None:
    before = people.held()
    people.assign(policy="Windows Live", filter='RegistrarPool -eq "pool01.contoso.com"', batch_size=3)
    assert people.held() == dict.fromkeys(("ken", "pilar", "kim", "kim2"), "Windows Live")
    people.lab.deployment.grant(f"Cs{ACCESS}", "pilar", "Partners")
    people.another_run()
    taken_back = people.worker.run("roll_back", {"run": "latest"})
    assert taken_back["failure"] == "later_changes"
    assert people.held() == {**before, "pilar": "Partners"}
    assert sorted(step["outcome"] for step in taken_back["steps"]) == ["conflict", "taken_back"]
    run = next(change["run"] for change in people.written_down()[0] if not change["takes_back"])
    forced = people.worker.run("roll_back", {"run": run, "overwrite_later_changes": True})
    assert forced["status"] == "corrected", (forced["steps"], people.written_down())
    assert people.held() == before


def test_a_new_policy_is_granted_when_it_can_be(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = document(replication={"seconds": 0, "policy_lag_seconds": 40})
    with LabInProcess(slow, tmp_path / "lab", engine=engine) as lab:
        people = People(lab, tmp_path)
        people.worker.run("external_access_policy", {"identity": "Fresh", "enable_outside_access": True})
        monkeypatch.setattr("time.sleep", lab.leap)
        result = people.assign(policy="Fresh", users=["ken", "pilar"])
        assert result["status"] == "corrected", result
        assert people.held() == {"ken": "Fresh", "pilar": "Fresh"}


def test_a_new_policy_that_somebody_removes_is_not_waited_for(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow = document(replication={"seconds": 0, "policy_lag_seconds": 400})
    with LabInProcess(slow, tmp_path / "lab", engine=engine) as lab:
        people = People(lab, tmp_path)
        before = people.held()
        people.worker.run("external_access_policy", {"identity": "Fresh", "enable_outside_access": True})
        waits: list[float] = []

        def meanwhile(seconds: float) -> None:
            waits.append(seconds)
            lab.leap(seconds)
            other = Worker(lab.variables(HOST), tmp_path / "other", tmp_path / "elsewhere")
            removed = other.run("external_access_policy", {"identity": "Fresh", "state": "absent"})
            assert removed["changed"], removed

        monkeypatch.setattr("time.sleep", meanwhile)
        result = people.assign(policy="Fresh", users=["ken", "pilar"], retry_timeout=900)
        assert (result["failure"], result["status"], len(waits)) == ("policy_gone", "drifted", 1), result
        assert not result["changed"]
        assert people.held() == before


@pytest.mark.parametrize("version", [2010, 2019])
def test_what_is_in_force_and_why(tmp_path: Path, engine: str, version: int) -> None:
    with LabInProcess(document(version), tmp_path / "lab", engine=engine) as lab:
        people = People(lab, tmp_path)
        found = people.worker.run(
            "effective_policy_info",
            {
                "users": ["K*", "sip:pilar@contoso.com"],
                "sites": ["dublin"],
                "services": ["mediationserver:pool01.contoso.com"],
                "holders": True,
            },
        )
    assert not found.get("failed"), found
    documented("effective_policy_info", found)
    source = "computed" if version == 2010 else "server"
    assert [
        (
            user["sip_address"],
            user["site"],
            user["external_access_policy"]["identity"],
            user["conferencing_policy"]["identity"],
            user["conferencing_policy"]["source"],
        )
        for user in found["users"]
    ] == [
        ("sip:ken@contoso.com", "Redmond", "Tag:Partners", "Global", source),
        ("sip:kim@contoso.com", "Redmond", "Global", "Global", source),
        ("sip:kim2@contoso.com", "Redmond", "Global", "Global", source),
        ("sip:kaya@contoso.com", "Dublin", "Site:Dublin", "Tag:Audio", source),
        ("sip:pilar@contoso.com", "Redmond", "Global", "Global", source),
    ]
    assert found["asked"] is (version != 2010)
    assert found["sites"][0]["external_access_policy"]["identity"] == "Site:Dublin"
    assert found["services"][0]["media_configuration"]["scope"] == "global"
    assert found["holders"]["external_access_policy"] == [
        {"identity": "Tag:Partners", "number": 1, "users": ["sip:ken@contoso.com"]},
        {"identity": "Tag:Windows Live", "number": 0, "users": []},
    ]


def test_who_may_not_read_conferencing_policies_is_told_the_others(tmp_path: Path, engine: str) -> None:
    roles = {"Federation": {"template": "CsAdministrator", "without": ["Get-CsConferencingPolicy"]}}
    accounts = [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["Federation"]}]
    with LabInProcess(document(2010, accounts=accounts, roles=roles), tmp_path / "lab", engine=engine) as lab:
        asked = {"users": ["kaya"], "sites": ["dublin"], "holders": True}
        found = People(lab, tmp_path).worker.run("effective_policy_info", asked)
    assert not found.get("failed"), found
    documented("effective_policy_info", found)
    for answer in (*found["users"], *found["sites"]):
        assert answer["external_access_policy"]["identity"] == "Site:Dublin"
        unknown = answer["conferencing_policy"]
        assert (unknown["identity"], unknown["settings"]) == (None, None)
        assert "does not offer Get-CsConferencingPolicy to CONTOSO\\uc-admin" in unknown["why"]
    assert found["holders"]["conferencing_policy"] is None
    assert len(found["holders"]["external_access_policy"]) == 2


def test_a_run_that_ends_half_way_is_told_finished_and_taken_back(people: People) -> None:
    before = people.held()
    wanted: Mapping[str, Any] = {
        "policy": "Windows Live",
        "users": ["ken", "pilar", "kim", "kaya"],
        "batch_size": 2,
    }

    class Killed(BaseException):
        pass

    def kill(name: str) -> None:
        if len(people.lab.writes) == 3:
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGUSR1)

    def die(number: int, frame: object) -> NoReturn:
        raise Killed

    earlier = signal.signal(signal.SIGUSR1, die)
    people.lab.on_write = kill
    try:
        with pytest.raises(Killed):
            people.assign(**wanted)
    finally:
        signal.signal(signal.SIGUSR1, earlier)
        people.lab.on_write = None
    people.lab.settle()
    changes, outcomes = people.written_down()
    assert len(changes) == 2, "both were written down before they were sent"
    assert list(outcomes.values()) == ["corrected"], "what became of the second is not known"
    people.another_run()
    assert not people.assign(**wanted).get("failed")
    assert people.held() == dict.fromkeys(("ken", "pilar", "kim", "kaya"), "Windows Live")
    people.another_run()
    back = people.worker.run("roll_back", {"resource": "policy_assignment"})
    assert back["status"] == "corrected", back
    assert people.held() == before


@pytest.mark.parametrize("powershell", ["2.0", "4.0"])
def test_requests_grow_with_the_batches(tmp_path: Path, engine: str, powershell: str) -> None:
    document_of_many = document(
        2013,
        powershell=powershell,
        generate={"pools": 1, "users": 60},
        settings={ACCESS: [{"Identity": "Tag:Windows Live"}]},
        users=[],
    )
    with LabInProcess(document_of_many, tmp_path / "lab", engine=engine) as lab:
        people = People(lab, tmp_path)
        lab.striker.break_at([], 0)
        result = people.assign(policy="Windows Live", ou="OU=Generated,DC=contoso,DC=com", batch_size=20)
        assert (result["status"], result["found"], len(people.held())) == ("corrected", 60, 60)
        pipelines = lab.striker.names.count("Command")
        assert lab.sessions == 1
    # Three batches are granted and read back; PowerShell 2 runs one command in a pipeline.
    assert pipelines <= (6 + 8 if powershell == "4.0" else 120 + 8)


@pytest.mark.parametrize("role", ["CsViewOnlyAdministrator", "CsUserAdministrator"])
def test_who_may_not_grant_is_refused_before_anything_is_written(
    tmp_path: Path, engine: str, role: str
) -> None:
    accounts = [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": [role]}]
    with LabInProcess(document(accounts=accounts), tmp_path / "lab", engine=engine) as lab:
        people = People(lab, tmp_path)
        wanted = {"policy": "Windows Live", "users": ["ken"]}
        assert people.assign(check=True, **wanted)["changed"]
        result = people.assign(**wanted)
        may_grant = role == "CsUserAdministrator"
        assert result["status"] == ("corrected" if may_grant else "drifted")
        assert bool(lab.writes) is may_grant
        assert people.journal.exists() is may_grant


REFUSALS: list[dict[str, Any]] = [
    {"policy": "Windows Live", "users": ["ken", "nobody"]},
    {"policy": "Windows Live", "users": ["Kim Abercrombie"]},
    {"policy": "Windows Live", "users": ["K*"]},
    {"policy": "Windows Life", "users": ["ken"]},
    {"policy": "Global", "users": ["ken"]},
    {"policy": "site:Dublin", "users": ["ken"]},
    {"policy": "Windows Live"},
    {"users": ["ken"]},
    {"policy": "Windows Live", "users": ["ken"], "filter": "Enabled -eq $True"},
    {"policy": "Windows Live", "filter": "this is none"},
    {"policy": "Windows Live", "ldap_filter": "(&(Department=Finance)"},
    {"policy": "Windows Live", "ou": "OU=Nowhere,DC=contoso,DC=com"},
    {"policy": "Windows Live", "users": ["ken"], "batch_size": 0},
    {"policy": "Windows Live", "users": ["ken"], "kind": "telephone_policy"},
    {"policy": "Windows Live", "users": ["ken"], "kind": "voice_routing_policy"},
]


def test_whatever_cannot_be_right_is_refused_in_one_sentence_and_nothing_is_written(people: People) -> None:
    before = people.held()
    for arguments in REFUSALS:
        result = people.assign(**arguments)
        assert result.get("failed"), arguments
        documented("policy_assignment", result)
        assert (result["changed"], people.lab.writes) == (False, []), arguments
        assert "\n" not in result["msg"], arguments
    assert people.held() == before
    assert not people.journal.exists()


def test_chosen_by_attributes_of_active_directory(people: People) -> None:
    result = people.assign(
        kind="conferencing_policy", policy="Audio", state="absent", ldap_filter="(Department=Fin*)"
    )
    assert result["status"] == "corrected", result
    assert people.held("ConferencingPolicy") == {}
    everybody = people.assign(policy="Partners", state="absent")
    assert everybody["before"] == {"sip:ken@contoso.com": "Partners"}
    assert people.held() == {}
