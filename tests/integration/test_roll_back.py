# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Changes that are taken back: what the store holds is the same before and after, byte for byte."""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from running import RunningLab

from .conftest import Ansible, Run, Start

AnsibleAt = Callable[[RunningLab], Ansible]
PLAYBOOK = "lync.remediation.roll_back"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The user's journal."""
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
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


@pytest.mark.parametrize("version", [2010, 2013, 2019])
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
    told = real.output.partition("PLAY RECAP")[0]
    assert [line for line in told.splitlines() if len(line) > 80] == []
    assert "[WARNING]" not in real.output

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

    dry = back(ansible, "--check", run="latest")
    assert dry.exit_code == 0, dry.output
    assert lab.dump() == after
    real = back(ansible, run="latest")
    assert real.exit_code == 0, real.output
    assert real.differences == dry.differences
    assert lab.dump() == before, seed
    assert back(ansible, run="latest").changed == 0

    # The way there again, and back once more.
    redone = back(ansible, run=runs(folder)[-1])
    assert redone.exit_code == 0, redone.output
    assert lab.dump() == after
    again = back(ansible, run=runs(folder)[-1])
    assert again.exit_code == 0, again.output
    assert lab.dump() == before
