# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that are taken back: what the store holds is the same before and after, byte for byte."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from forked_ansible import AnsibleForks
from lab import control
from running import RunningLab, ansible_environment, playbook_command

from .conftest import Ansible, Run, Start
from .test_clock_drift_killed import descendants, kill

AnsibleAt = Callable[[RunningLab], Ansible]
PLAYBOOK = "lync.remediation.roll_back"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The user's journal."""
    return tmp_path / "state" / "lync.remediation" / "journal"


def runs(folder: Path) -> list[str]:
    """The runs that have changed something, oldest first."""
    return [path.stem for path in sorted(folder.glob("*.jsonl"), key=lambda path: path.stat().st_mtime_ns)]


def changes(folder: Path) -> list[dict[str, Any]]:
    lines = [
        json.loads(line)
        for run in runs(folder)
        for line in (folder / f"{run}.jsonl").read_text().splitlines()
    ]
    return [line for line in lines if line["entry"] == "change"]


def back(ansible: Ansible, *arguments: str, **variables: Any) -> Run:
    return ansible.playbook(PLAYBOOK, "--diff", *arguments, **variables)


def task(ansible: Ansible, *arguments: str, hosts: str = "pool01.contoso.com", **options: Any) -> Run:
    """The module in a play of its own, with its diff."""
    last = {"ansible.builtin.meta": "reset_connection"}
    return ansible.tasks([{"lync.remediation.roll_back": options}, last], "--diff", *arguments, hosts=hosts)


@pytest.mark.parametrize(
    "version", [2010, *(pytest.param(version, marks=pytest.mark.sweep) for version in (2013, 2019))]
)
def test_the_federation_playbook_is_taken_back(
    version: int, start: Start, ansible_at: AnsibleAt, folder: Path
) -> None:
    lab = start("demo", version=version)
    ansible = ansible_at(lab)
    before = lab.dump()
    enabled = ansible.enable()
    assert enabled.exit_code == 0, enabled.output
    after = lab.dump()
    assert after != before
    (run,) = runs(folder)

    dry = back(ansible, "--check", run=run)
    assert (dry.exit_code, dry.changed) == (0, 1), dry.output
    assert lab.dump() == after
    assert runs(folder) == [run]

    real = back(ansible, run=run)
    assert (real.exit_code, real.changed) == (0, 1), real.output
    assert lab.dump() == before
    assert real.differences == dry.differences
    assert len(real.differences) == 2
    shown = real.output.partition("PLAY RECAP")[0]
    assert [line for line in shown.splitlines() if len(line) > 80] == []

    writes = lab.writes()
    again = back(ansible, run=run)
    assert (again.exit_code, again.changed) == (0, 0), again.output
    assert (lab.writes(), lab.dump()) == (writes, before)

    redone = back(ansible, run=runs(folder)[1])
    assert (redone.exit_code, redone.changed) == (0, 1), redone.output
    assert lab.dump() == after
    sessions = [entry["event"] for entry in lab.journal() if entry["event"].startswith("session_")]
    # What is known to be back already needs no server.
    assert sessions == ["session_opened", "session_closed"] * 4


SETTINGS = {
    "ExternalAccessPolicy": [
        {"Identity": "Tag:ExternalPartners", "Description": "For partners", "EnableFederationAccess": True},
        {"Identity": "Tag:Nobody", "Description": ""},
        {"Identity": "site:Dublin", "EnableOutsideAccess": True},
    ],
    "MediaConfiguration": [{"Identity": "site:Dublin", "EnableQoS": True}],
    "PublicProvider": [
        {"Identity": "MSN", "ProxyFqdn": "federation.messenger.msn.com", "Enabled": True},
        {"Identity": "AOL", "ProxyFqdn": "Sip.Oscar.aol.com"},
    ],
}
SCOPES = {
    "external_access_policy": ["Global", "site:Redmond", "site:Dublin", "Nobody", "Tag:New"],
    "media_configuration": [
        "Global",
        "site:Redmond",
        "site:dublin",
        "service:MediationServer:pool01.contoso.com",
    ],
    "public_provider": ["MSN", "aol", "Fabrikam"],
}
VALUES: dict[str, dict[str, list[Any]]] = {
    "external_access_policy": {
        "description": ["", "Some text", "Über 'uns' \u201cda\u201d"],
        "enable_federation_access": [True, False],
        "enable_public_cloud_access": [True, False],
        "enable_outside_access": [True, False],
    },
    "media_configuration": {
        "enable_qos": [True, False],
        "encryption_level": ["SupportEncryption", "requireencryption", "DoNotSupportEncryption"],
        "max_video_rate_allowed": ["VGA600K", "CIF250K", "Hd720p15M"],
        "enable_siren": [True, False],
    },
    "public_provider": {
        "enabled": [True, False],
        "verification_level": ["AlwaysVerifiable", "UseSourceVerification"],
        "icon_url": ["", "https://icons.contoso.com/a.png"],
        "name_decoration_domain": ["", "fabrikam.com"],
    },
    "access_edge_configuration": {
        "allow_federated_users": [True, False],
        "enable_partner_discovery": [True, False],
        "outgoing_tls_count_for_federated_partners": [2, 4],
        "be_clearing_house": [True, False],
    },
}


SINCE_2013 = {"icon_url", "name_decoration_domain"}


def random_task(chance: random.Random, version: object) -> dict[str, Any]:
    module = chance.choice(list(VALUES))
    options: dict[str, Any] = {
        name: chance.choice(values)
        for name, values in VALUES[module].items()
        if chance.random() < 0.6 and (version != 2010 or name not in SINCE_2013)
    }
    if module in SCOPES:
        options["identity"] = chance.choice(SCOPES[module])
        options["state"] = chance.choice(["present", "present", "absent"])
    if module == "public_provider":
        proxy = f"{options['identity'].lower()}.proxy{chance.choice('12')}.com"
        options |= {"enabled": chance.choice([True, False]), "proxy_fqdn": proxy, "recreate": True}
    return {f"lync.remediation.{module}": options}


# By default test_random_roll_back.py walks without a run of Ansible for each step.
@pytest.mark.sweep
@pytest.mark.parametrize(
    ("version", "seed"), [(2010, 1), (2010, 2), (2013, 3), (2015, 4), (2019, 5), ("SE", 6)]
)
def test_random_changes_are_taken_back(
    version: object, seed: int, start: Start, ansible_at: AnsibleAt, folder: Path
) -> None:
    ansible = ansible_at(start("demo", settings=SETTINGS, version=version))
    chance = random.Random(seed)
    tasks = [random_task(chance, version) for _ in range(14)]
    lab = ansible.lab
    before = lab.dump()
    _, found = ansible.results(tasks, hosts="pool01.contoso.com")
    results = found["pool01.contoso.com"]
    assert [result for result in results if result.get("failed")] == [], tasks
    changed = [result for result in results if result["changed"]]
    assert len(changed) > 5
    assert len(changes(folder)) == len(changed)
    after = lab.dump()
    assert after != before

    dry = task(ansible, "--check", run="latest")
    assert (dry.exit_code, dry.changed) == (0, 1), dry.output
    assert lab.dump() == after
    real = task(ansible, run="latest")
    assert (real.exit_code, real.changed) == (0, 1), real.output
    assert real.differences == dry.differences
    assert lab.dump() == before, seed

    # The way there again, and back once more.
    for expected in (after, before):
        assert taken_back(ansible, run=runs(folder)[-1])["reached"] == "CHANGED"
        assert lab.dump() == expected


QOS = {"lync.remediation.media_configuration": {"enable_qos": True}}
POLICY = {"lync.remediation.external_access_policy": {"enable_outside_access": True, "description": "Ours"}}


def change(ansible: Ansible, *tasks: dict[str, Any]) -> None:
    run = ansible.tasks([*tasks, {"ansible.builtin.meta": "reset_connection"}], hosts="pool01.contoso.com")
    assert (run.exit_code, run.changed) == (0, len(tasks)), run.output


def taken_back(ansible: Ansible, *arguments: str, **options: Any) -> dict[str, Any]:
    return ansible.module("roll_back", *arguments, hosts="pool01.contoso.com", **options)


def outcomes(result: dict[str, Any]) -> list[str]:
    return [step["outcome"] for step in result["steps"]]


def test_a_later_change_is_left_alone_and_told_by_name_and_values(demo: Ansible, folder: Path) -> None:
    before = demo.lab.dump()
    change(demo, POLICY, QOS)
    by_hand = {"lync.remediation.external_access_policy": {"description": "Mine"}}
    change(demo, by_hand)
    after = demo.lab.dump()
    run = runs(folder)[0]

    dry = taken_back(demo, "--check", run=run)
    assert (dry["reached"], outcomes(dry)) == ("FAILED!", ["taken_back", "conflict"])
    assert demo.lab.dump() == after
    refused = back(demo, run=run)
    assert refused.exit_code == 2, refused.output
    assert "- description: written Ours, now Mine" in refused.text
    again = taken_back(demo, run=run)
    assert (again["reached"], again["changed"], again["failure"]) == ("FAILED!", False, "later_changes")
    assert outcomes(again) == ["back_already", "conflict"]
    assert (
        json.loads(demo.lab.dump())["CsExternalAccessPolicy"] == json.loads(after)["CsExternalAccessPolicy"]
    )

    assert outcomes(taken_back(demo, run=run, overwrite_later_changes=True)) == ["back_already", "taken_back"]
    assert demo.lab.dump() == before


def test_two_operators_each_take_back_their_own(demo: Ansible, tmp_path: Path) -> None:
    before = demo.lab.dump()
    mine, yours = tmp_path / "mine", tmp_path / "yours"
    change_at = {
        mine: {"lync.remediation.media_configuration": {"encryption_level": "SupportEncryption"}},
        yours: {"lync.remediation.media_configuration": {"encryption_level": "DoNotSupportEncryption"}},
    }
    for place, task in change_at.items():
        change(demo, {**task, "vars": {"lync_remediation_journal": str(place)}})
    extra = {
        place: ("--extra-vars", json.dumps({"lync_remediation_journal": str(place)})) for place in change_at
    }
    assert outcomes(taken_back(demo, *extra[mine], run="latest")) == ["conflict"]
    assert outcomes(taken_back(demo, *extra[yours], run="latest")) == ["taken_back"]
    assert outcomes(taken_back(demo, *extra[mine], run="latest")) == ["taken_back"]
    assert demo.lab.dump() == before


def test_two_runs_at_once_are_two_runs(demo: Ansible, folder: Path, tmp_path: Path) -> None:
    before = demo.lab.dump()
    homes = [tmp_path / "one", tmp_path / "other"]
    for home in homes:
        home.mkdir()
    tasks = [{**task, "vars": {"lync_remediation_journal": str(folder)}} for task in (QOS, POLICY)]
    with ThreadPoolExecutor() as pool:
        list(pool.map(change, [Ansible(demo.lab, home) for home in homes], tasks))
    assert len(runs(folder)) == 2
    for run in runs(folder):
        assert outcomes(taken_back(demo, run=run)) == ["taken_back"]
    assert demo.lab.dump() == before


@pytest.mark.parametrize(
    ("hangs", "applied"),
    [
        ({"command": "Set-CsMediaConfiguration"}, False),
        # The reading that follows the change in its pipeline: the first one is the reading before.
        ({"command": "Get-CsMediaConfiguration", "skip": "1"}, True),
    ],
    ids=["before the change", "after the change"],
)
def test_a_run_that_was_killed_beside_its_change(
    hangs: dict[str, str],
    applied: bool,
    demo: Ansible,
    folder: Path,
    tmp_path: Path,
    forks_of_the_session: AnsibleForks,
) -> None:
    before = demo.lab.dump()
    demo.lab.inject("hang", **hangs)
    playbook = tmp_path / "killed.yml"
    playbook.write_text(json.dumps([{"hosts": "pool01.contoso.com", "gather_facts": False, "tasks": [QOS]}]))
    command = playbook_command(demo.lab, str(playbook), [])
    process = forks_of_the_session.start(
        command, demo.lab.state, ansible_environment(tmp_path), tmp_path / "printed"
    )
    deadline = time.monotonic() + 120
    while not any(entry["event"] == "fault" for entry in demo.lab.journal()):
        assert process.poll() is None
        assert time.monotonic() < deadline
        time.sleep(0.05)
    workers = descendants(process.pid)
    os.killpg(process.pid, signal.SIGKILL)
    kill(workers)
    process.wait(timeout=60)
    assert (demo.lab.dump() != before) is applied
    (path,) = folder.glob("*.jsonl")
    assert [json.loads(line)["entry"] for line in path.read_text().splitlines()] == ["change"]

    expected = ["taken_back" if applied else "back_already"]
    assert outcomes(taken_back(demo, "--check", run="latest")) == expected
    result = taken_back(demo, run="latest")
    assert (outcomes(result), result["changed"]) == (expected, applied)
    assert demo.lab.dump() == before


def test_check_mode_needs_no_journal_and_a_real_run_does(demo: Ansible, tmp_path: Path) -> None:
    journal = tmp_path / "a file"
    journal.touch()
    extra = ("--extra-vars", json.dumps({"lync_remediation_journal": str(journal)}))
    dry = demo.module("media_configuration", "--check", *extra, enable_qos=True)
    assert (dry["reached"], dry["changed"]) == ("CHANGED", True)
    real = demo.module("media_configuration", *extra, enable_qos=True)
    assert (real["reached"], real["changed"], real["failure"]) == ("FAILED!", False, "journal_unusable")
    assert str(journal) in real["msg"]
    assert demo.lab.writes() == []
    without = demo.module(
        "media_configuration",
        "--extra-vars",
        json.dumps({"lync_remediation_journal": False}),
        enable_qos=True,
    )
    assert without["reached"] == "CHANGED"


def test_one_object_one_host_and_one_moment(demo: Ansible, folder: Path) -> None:
    before = demo.lab.dump()
    change(demo, POLICY, QOS)
    (first, second) = changes(folder)
    elsewhere = demo.module("roll_back", hosts="dublin.contoso.com", run="latest")
    assert (elsewhere["reached"], elsewhere["status"], elsewhere["steps"]) == (
        "SUCCESS",
        "in_desired_state",
        [],
    )
    assert "dublin.contoso.com" in elsewhere["msg"]
    assert taken_back(demo, since="2099-01-01")["steps"] == []
    media = taken_back(demo, resource="media_configuration", identity="global")
    assert [step["id"] for step in media["steps"]] == [second["id"]]
    rest = taken_back(demo, host="pool01.contoso.com", run=first["run"])
    assert outcomes(rest) == ["back_already", "taken_back"]
    assert demo.lab.dump() == before


def test_changes_made_under_the_name_at_another_address(demo: Ansible, folder: Path) -> None:
    before = demo.lab.dump()
    change(demo, QOS)
    path = folder / f"{runs(folder)[0]}.jsonl"
    path.write_text(path.read_text().replace('"url": "https://', '"url": "https://former-'))
    result = taken_back(demo, run="latest")
    assert (result["changed"], outcomes(result)) == (False, ["elsewhere"])
    assert outcomes(taken_back(demo, run="latest", host="pool01.contoso.com")) == ["taken_back"]
    assert demo.lab.dump() == before


NONSENSE: list[tuple[dict[str, Any], str]] = [
    ({}, "run"),
    ({"identity": "Global", "run": "latest"}, "identity"),
    ({"resource": "media", "run": "latest"}, "media_configuration"),
    ({"run": "yesterday's"}, "yesterday's"),
    ({"entries": ["0123"]}, "0123"),
    ({"since": "last week"}, "last week"),
    ({"run": "latest", "overwrite_later_changes": "perhaps"}, "overwrite_later_changes"),
]


def test_what_cannot_be_meant_is_refused_before_anything_is_read(demo: Ansible, folder: Path) -> None:
    _, found = demo.results(
        [{"lync.remediation.roll_back": options} for options, _ in NONSENSE], hosts="pool01.contoso.com"
    )
    for (options, named), result in zip(NONSENSE, found["pool01.contoso.com"], strict=True):
        assert (result["failed"], result["changed"]) == (True, False), options
        assert named in result["msg"], options
    assert demo.lab.commands() == []


def cut_off(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-9])


def of_a_newer_format(path: Path) -> None:
    (path.parent / "format.json").write_text('{"format": 2}')


def open_to_others(path: Path) -> None:
    path.chmod(0o666)


@pytest.mark.parametrize(
    "spoil", [cut_off, of_a_newer_format, open_to_others], ids=lambda each: each.__name__
)
def test_a_journal_that_cannot_be_believed(
    spoil: Callable[[Path], None], demo: Ansible, folder: Path
) -> None:
    change(demo, QOS)
    after = demo.lab.dump()
    spoil(folder / f"{runs(folder)[0]}.jsonl")
    result = taken_back(demo, run="latest")
    assert (result["reached"], result["changed"], result["failure"]) == ("FAILED!", False, "journal_unusable")
    assert demo.lab.dump() == after


def test_no_journal_at_all_is_one_sentence(demo: Ansible, folder: Path) -> None:
    run = back(demo, run="latest")
    assert (run.exit_code, run.changed) == (0, 0), run.output
    assert run.text.count("msg:") == 1
    assert not folder.exists()
    # Nothing was ever written down there; a folder that somebody names and that is not there is a mistake.
    elsewhere = back(demo, run="latest", lync_remediation_journal=str(folder.parent / "elsewhere"))
    assert elsewhere.exit_code == 2, elsewhere.output
    assert "lync_remediation_journal: there is no folder" in elsewhere.text
    assert demo.lab.writes() == []


def test_zone_and_time_service_of_a_computer(start: Start, ansible_at: AnsibleAt) -> None:
    ansible = ansible_at(start("clock"))

    def computer() -> dict[str, Any]:
        status = control.ask(ansible.lab.state, "status")["state"]["computers"]["fe02.contoso.com"]
        return {key: status[key] for key in ("time_zone", "time_source")}

    before = computer()
    tasks = [
        {"lync.remediation.time_zone": {"zone": "Central Standard Time", "daylight_saving": False}},
        {"lync.remediation.time_service": {"type": "manual", "peers": [{"host": "ntp1.contoso.com"}]}},
        {"lync.remediation.time_zone": {"zone": "Central Standard Time", "daylight_saving": True}},
    ]
    _, found = ansible.results(tasks, hosts="fe02.contoso.com")
    assert [result["changed"] for result in found["fe02.contoso.com"]] == [True] * 3, found
    after = computer()
    assert after != before
    dry = task(ansible, "--check", hosts="fe02.contoso.com", run="latest")
    assert (dry.exit_code, computer()) == (0, after), dry.output
    real = task(ansible, hosts="fe02.contoso.com", run="latest")
    assert (real.exit_code, computer()) == (0, before), real.output
    assert real.differences == dry.differences
    assert len(real.differences) == 3
