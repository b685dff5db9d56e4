# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Random tasks of every module that says it can be taken back, on the store, its users and single computers.

All that a deployment holds is the same before and after, byte for byte.
"""

from __future__ import annotations

import json
import os
import random
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from lab.engine import EMBEDDED

from .in_process import LabInProcess, Worker
from .test_faults_around_writes import another, certificates, in_ten_days, policies, registry

pytestmark = pytest.mark.embedded_only(
    "it judges what a lab in the tests' own process holds once nothing runs there, and a PowerShell does not tell that"
)

POOL, EDGE = "pool01.contoso.com", "edge01.contoso.com"
USERS = ["sip:ken@contoso.com", "sip:pilar@contoso.com", "sip:sara@contoso.com"]
DEPLOYMENT: dict[str, Any] = {
    "domain": "contoso.com",
    "netbios": "CONTOSO",
    "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
    "sites": {"Redmond": None},
    "pools": {POOL: {"site": "Redmond", "computers": ["fe01"]}},
    "edges": {
        "edge.contoso.com": {
            "site": "Redmond",
            "computers": ["edge01"],
            "next_hop": POOL,
            "computer_endpoints": True,
        }
    },
    "clock": {"time_zone": "Central Standard Time"},
    "time_servers": {"ntp1.contoso.com": {}},
    "replication": {"seconds": 0},
    "certificates": {"stored": {"days_left": 900}},
    "users": [
        {"name": name, "pool": POOL, **held}
        for name, held in {
            "ken": {},
            "pilar": {"policies": {"ConferencingPolicy": "Audio"}},
            "sara": {"policies": {"ConferencingPolicy": "Video", "ExternalAccessPolicy": "Partners"}},
        }.items()
    ],
    "settings": {
        "ConferencingPolicy": [{"Identity": "Tag:Audio"}, {"Identity": "Tag:Video"}],
        "ExternalAccessPolicy": [{"Identity": "Tag:Partners", "EnableFederationAccess": True}],
        "PublicProvider": [{"Identity": "MSN", "ProxyFqdn": "federation.messenger.msn.com"}],
        "PstnUsage": [{"Identity": "Global", "Usage": ["Local", "Long Distance", "Internal"]}],
        "VoicePolicy": [{"Identity": "Tag:Sales", "PstnUsages": ["Local", "Internal"], "Description": "old"}],
        "VoiceRoute": [
            {"Identity": name, "NumberPattern": f"^{number}", "PstnUsages": ["Local"]}
            for number, name in enumerate(["First", "Second", "Third"])
        ],
        "DialPlan": [{"Identity": "Tag:Redmond", "City": "Redmond"}],
        "VoiceNormalizationRule": [
            {"Identity": "Tag:Redmond/Four", "Pattern": "^(\\d{4})$", "Translation": "+1425555$1"},
        ],
    },
}
VERSIONS: Mapping[str, Mapping[str, Any]] = {
    "2010": {"version": 2010, "powershell": "2.0"},
    **{str(version): {"version": version} for version in (2013, 2015, 2019, "SE")},
}

Choose = Callable[[random.Random, LabInProcess], dict[str, Any]]


def chosen(**values: list[Any]) -> Choose:
    """Some of the options, each with one of its values; at least one."""

    def choose(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
        names = chance.sample(sorted(values), chance.randint(1, len(values)))
        return {name: chance.choice(values[name]) for name in names}

    return choose


def of_noun(noun: str, identities: list[str], states: str = "present", **values: list[Any]) -> Choose:
    properties = chosen(**values)

    def choose(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
        state = chance.choice(states.split())
        task = {"noun": noun, "identity": chance.choice(identities), "state": state}
        return task if state == "absent" else {**task, "properties": properties(chance, lab)}

    return choose


def a_route(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
    """Two at least stay, so that there are a first and a second place."""
    if chance.random() < 0.3:
        return {"noun": "CsVoiceRoute", "identity": chance.choice(["second", "New"]), "state": "absent"}
    return {
        "noun": "CsVoiceRoute",
        "identity": chance.choice(["First", "second", "New"]),
        "properties": {
            "NumberPattern": chance.choice(["^\\+1", "^9"]),
            "Priority": chance.randrange(2),
            "PstnUsages": chance.choice([["Local"], ["Internal", "Local"], []]),
        },
    }


def an_assignment(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
    kind, names = chance.choice(
        [("conferencing_policy", ["Audio", "tag:video"]), ("external_access_policy", ["Partners"])]
    )
    task = {
        "kind": kind,
        "users": chance.sample(USERS, chance.randint(1, 3)),
        "retry_timeout": 0,
        "batch_size": chance.randint(1, 3),
    }
    return {
        **task,
        **chance.choice(
            [{"policy": chance.choice(names)}, {"policy": chance.choice(names)}, {"state": "absent"}]
        ),
    }


def a_certificate(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
    task = {"thumbprint": another(lab)}
    # Lync Server 2010 knows no -Roll.
    can_roll = lab.deployment.version != "2010"
    return {**task, "effective_date": in_ten_days()} if can_roll and chance.random() < 0.5 else task


def a_zone(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
    task = {"zone": chance.choice(["GMT Standard Time", "Tokyo Standard Time"])}
    return chance.choice([task, {**task, "daylight_saving": False}])


def time_servers(chance: random.Random, lab: LabInProcess) -> dict[str, Any]:
    """What makes the module replace the triggers of an Edge Server, more often than not."""
    hosts = chance.sample(["ntp1.contoso.com", "ntp2.contoso.com", "192.0.2.7"], chance.randint(1, 3))
    flags = chance.choice([["client"], ["client", "special_interval"], []])
    return {
        "type": "manual",
        "peers": [{"host": host, "flags": flags} for host in hosts],
        "start_without_domain": chance.random() < 0.8,
        "start_mode": chance.choice(["automatic", "manual"]),
    }


TASKS: list[tuple[str, str, Choose]] = [
    (
        POOL,
        "external_access_policy",
        chosen(
            enable_outside_access=[True, False],
            enable_federation_access=[True, False],
            identity=["Global", "site:Redmond", "Partners", "New"],
        ),
    ),
    (
        POOL,
        "media_configuration",
        chosen(
            enable_qos=[True, False],
            encryption_level=["SupportEncryption", "requireencryption"],
            identity=["Global", "site:redmond"],
        ),
    ),
    (POOL, "access_edge_configuration", chosen(allow_federated_users=[True, False])),
    (
        POOL,
        "setting",
        of_noun(
            "CsVoicePolicy",
            ["Global", "sales", "site:Redmond", "New"],
            EnableTeamCall=[True, False],
            Description=["", "Some text", None, "\u201cÜber\u201d"],
            PstnUsages=[["Internal", "Local"], [], {"add": ["Long Distance"]}, {"remove": ["local"]}],
        ),
    ),
    (POOL, "setting", of_noun("CsPinPolicy", ["Global", "site:Redmond"], MinPasswordLength=[6, "9", 4])),
    (
        POOL,
        "setting",
        of_noun(
            "CsAVEdgeConfiguration",
            ["Global", "site:redmond"],
            MaxTokenLifetime=["04:00:00", "1.02:03:04"],
        ),
    ),
    (
        POOL,
        "setting",
        of_noun(
            "CsVoiceNormalizationRule",
            ["Redmond/Four", "Tag:Redmond/Six"],
            "present present absent",
            Pattern=["^(\\d{6})$", "^9(.*)$"],
            Translation=["+14255$1"],
        ),
    ),
    (
        POOL,
        "setting",
        of_noun("CsPstnUsage", ["Global"], Usage=[{"add": ["Fax", "Pager"]}, {"remove": ["fax"]}]),
    ),
    (POOL, "setting", a_route),
    (POOL, "policy_assignment", an_assignment),
    (POOL, "policy_assignment", an_assignment),
    (EDGE, "certificate_assignment", a_certificate),
    (
        EDGE,
        "time_zone",
        a_zone,
    ),
    (EDGE, "time_service", time_servers),
    (EDGE, "time_service", time_servers),
    (
        EDGE,
        "time_service",
        chosen(
            max_pos_phase_correction=[1234, 4294967295],
            special_poll_interval=[900, 3600],
            ntp_client=[True, False],
            start_mode=["automatic", "manual"],
            service_state=["started", "stopped"],
        ),
    ),
]


@pytest.fixture
def lab(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[LabInProcess]:
    network = f"127.{100 + os.getpid() % 100}.{90 + list(VERSIONS).index(request.param)}"
    document = {**DEPLOYMENT, **VERSIONS[request.param], "network": network}
    with LabInProcess(document, tmp_path / "lab", engine=EMBEDDED) as running:
        yield running


def held(lab: LabInProcess) -> str:
    """All that the tasks may change."""
    lab.settle()
    w32time = lab.deployment.machine(EDGE).services["w32time"]
    return json.dumps(
        {
            "settings": lab.status()["settings"],
            "policies": {name: sorted(held.items()) for name, held in policies(lab).items()},
            "certificate": certificates(lab),
            "registry": registry("edge01")(lab),
            "W32Time": w32time.status,
        },
        indent=1,
        default=str,
    )


def journalled(folder: Path) -> list[dict[str, Any]]:
    lines = [json.loads(line) for path in folder.glob("*.jsonl") for line in path.read_text().splitlines()]
    return [line for line in lines if line["entry"] == "change"]


@pytest.mark.parametrize(
    ("lab", "seed"),
    [
        pytest.param(version, seed, marks=[] if (version, seed) == ("2019", 0) else [pytest.mark.sweep])
        for version in VERSIONS
        for seed in range(4)
    ],
    indirect=["lab"],
)
def test_whatever_can_be_taken_back_is_as_it_was(lab: LabInProcess, seed: int, tmp_path: Path) -> None:
    chance = random.Random(f"{seed} {lab.deployment.version}")
    runs = {
        host: Worker(lab.variables(host), tmp_path / f"run {host}", tmp_path / host) for host in (POOL, EDGE)
    }
    before = held(lab)
    done = []
    for host, module, choose in chance.sample(TASKS, len(TASKS)) + chance.choices(TASKS, k=8):
        arguments = choose(chance, lab)
        result = runs[host].run(module, arguments)
        assert not result.get("failed"), (module, arguments, result["msg"])
        done.append((module, arguments, result["changed"]))
    after = held(lab)
    assert after != before
    changes = [change for host in runs for change in journalled(tmp_path / host)]
    assert len(changes) >= sum(changed for *_, changed in done) > 10
    assert {change["restorable"] for change in changes} == {"yes"}, changes

    foretold = {host: run.run("roll_back", {"run": "latest"}, check=True) for host, run in runs.items()}
    assert held(lab) == after
    for host, run in runs.items():
        dry = foretold[host]
        assert not dry.get("failed"), dry["msg"]
        back = Worker(lab.variables(host), tmp_path / f"run back {host}", tmp_path / host)
        real = back.run("roll_back", {"run": "latest"})
        assert not real.get("failed"), real["msg"]
        assert real["diff"] == dry["diff"]
        back.reset_connection()
        run.reset_connection()
    assert held(lab) == before
