# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The certificate of A/V authentication: a deployment for each thing that can be wrong with it, read over the wire and
judged; and certificates that are assigned, rolled and taken back.
"""

from __future__ import annotations

import datetime
import importlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml

from .conftest import Ansible, Run, Start
from .in_process import PLUGINS, LabInProcess, Worker
from .test_documented_results import check

# Once Ansible knows the collection.
judging = importlib.import_module(f"{PLUGINS}.plugin_utils.certificate.run")

AV = "AudioVideoAuthentication"
POOL = "pool01.contoso.com"
EDGES = ("edge01.contoso.com", "edge02.contoso.com")


def deployment(edges: int = 2, **more: Any) -> dict[str, Any]:
    return {
        "version": 2019,
        "domain": "contoso.com",
        "netbios": "CONTOSO",
        "accounts": [{"name": "uc-admin", "password": "Lab-Passw0rd", "roles": ["CsAdministrator"]}],
        "inventory": {"computers": "basic"},
        "sites": {"Redmond": None},
        "pools": {POOL: {"site": "Redmond", "computers": ["fe01"]}},
        "edges": {
            "edge.contoso.com": {
                "site": "Redmond",
                "next_hop": POOL,
                "computers": [{"name": "edge01"}, {"name": "edge02"}][:edges],
                "computer_endpoints": True,
            }
        },
        **more,
    }


def only_on(number: int, facts: Mapping[str, Any], **more: Any) -> dict[str, Any]:
    """A deployment in which one of the Edge Servers has other certificates."""
    document = deployment(**more)
    document["edges"]["edge.contoso.com"]["computers"][number]["certificates"] = facts
    return document


class Place:
    """A running deployment, and its hosts' workers."""

    def __init__(self, document: Mapping[str, Any], folder: Path, engine: str) -> None:
        self._stack = ExitStack()
        network = {"network": f"127.{100 + os.getpid() % 100}.31"}
        self.lab = self._stack.enter_context(
            LabInProcess({**document, **network}, folder / "lab", engine=engine)
        )
        self._folder = folder
        self._workers: dict[str, Worker] = {}
        self.hosts = [name for name in EDGES if any(s.name == name for s in self.lab.deployment.servers)]

    def close(self) -> None:
        for worker in self._workers.values():
            worker.reset_connection()
        self._stack.close()

    def task(self, host: str, module: str, dry: bool = False, /, **arguments: Any) -> dict[str, Any]:
        if host not in self._workers:
            self._workers[host] = Worker(
                self.lab.variables(host), self._folder / host, self._folder / "journal"
            )
        result = self._workers[host].run(module, arguments, check=dry)
        check(module, result)
        return result

    def judged(self, wanted: Any = None, offset: float = 0.0, **names: str) -> Any:
        """What is said of it, where the right time is so many seconds from the controller's."""
        answers = {host: self.task(host, "certificate_info", **names) for host in self.hosts}
        edges = self.task(POOL, "av_edge_info")
        now = datetime.datetime.now(datetime.timezone.utc)
        clocks = {
            "deployments": {
                POOL: {"reference_offset": offset, "why": "The controller tells the right time."}
            },
            "servers": {host: {"computer": host, "deployment": POOL, "error_ms": 0.0} for host in self.hosts},
        }
        month = datetime.timedelta(days=30)
        return judging.judged(answers, {POOL: edges}, judging.moments(clocks, now), month, wanted)

    def thumbprints(self, host: str) -> tuple[str | None, str | None]:
        """What is assigned, and what is to follow."""
        held = self.lab.deployment.certificates(host)
        assigned, rolled = held.assigned.get(AV), held.rolled.get(AV)
        return (
            None if assigned is None else assigned.thumbprint,
            None if rolled is None else rolled.certificate.thumbprint,
        )

    @property
    def spare(self) -> str:
        """The one that is in the store and assigned to nothing."""
        held = self.lab.deployment.certificates(EDGES[0])
        (thumbprint,) = set(held.stored) - {each.thumbprint for each in held.assigned.values()}
        return thumbprint


@pytest.fixture
def place(tmp_path: Path, engine: str) -> Iterator[Callable[[Mapping[str, Any]], Place]]:
    with ExitStack() as stack:

        def start(document: Mapping[str, Any]) -> Place:
            found = Place(document, tmp_path, engine)
            stack.callback(found.close)
            return found

        yield start


def certificates(**facts: Any) -> dict[str, Any]:
    return deployment(certificates={AV: facts})


FAULTS: dict[str, tuple[dict[str, Any], set[tuple[str, str]]]] = {
    "nothing": (deployment(), set()),
    "missing": (only_on(0, {AV: {"absent": True}}), {("missing", "critical")}),
    "differing": (only_on(1, {AV: {"own": True}}), {("differing", "critical")}),
    "expired": (certificates(days_left=-0.5), {("expired", "critical")}),
    "not yet valid": (certificates(days_old=-2), {("not_yet_valid", "critical")}),
    "within the token lifetime": (
        certificates(days_left=0.2),
        {("expires_within_token_lifetime", "high")},
    ),
    "within thirty days": (certificates(days_left=20), {("expires_soon", "medium")}),
    "within thirty days, rolled": (certificates(days_left=20, rolled={"in_days": 15}), set()),
    "rolled too late": (
        certificates(days_left=20, rolled={"in_days": 19.9}),
        {("staged_too_late", "high")},
    ),
    "rolled on one": (
        only_on(0, {AV: {"rolled": {"in_days": 15}}}),
        {("staged_differs", "high")},
    ),
    "rolled without a key": (
        certificates(rolled={"in_days": 15, "private_key": False}),
        {("staged_unusable", "high")},
    ),
    "without its key": (certificates(private_key=False), {("key_missing", "high")}),
    "not exportable in a pool": (certificates(exportable=False), {("not_exportable", "high")}),
    "not exportable, alone": (
        deployment(1, certificates={AV: {"exportable": False}}),
        {("not_exportable", "medium")},
    ),
    "of the internal interface": (
        certificates(same_as="Internal"),
        {("shared_with_internal", "low"), ("name", "info"), ("differing", "critical")},
    ),
    "a short key": (certificates(key_bits=1024), {("weak_key", "medium")}),
    "signed with SHA-1": (certificates(signature="sha1"), {("weak_signature", "medium")}),
    "another name": (certificates(subject="whatever.example", own=False), set()),
    "coupled": (
        certificates(same_as="AccessEdgeExternal"),
        {("coupled", "info"), ("name", "info")},
    ),
    "without a chain": (certificates(authority="Another CA"), {("chain", "info")}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_what_is_wrong_is_found_and_nothing_else(
    fault: str, place: Callable[[Mapping[str, Any]], Place]
) -> None:
    document, expected = FAULTS[fault]
    found = place(document).judged()
    assert {(each.check.value, each.severity) for each in found.findings} == expected
    # Libraries do not check signatures with SHA-1 any more.
    assert bool(found.unknown) is (fault == "signed with SHA-1")
    severe = [severity for _check, severity in expected if severity != "info"]
    assert found.verdict in (severe or [*(["info"] if expected else ["clean"])])
    assert all(each.evidence and each.hosts for each in found.findings)
    assert all(each.remedy for each in found.findings if each.severity != "info")


def test_the_right_time_decides_and_not_a_servers_own(place: Callable[[Mapping[str, Any]], Place]) -> None:
    there = place(deployment(certificates={AV: {"days_left": 2}}, clock={"offset": -90 * 86400.0}))
    assert [each.check.value for each in there.judged().findings] == ["expires_soon"]
    assert [each.check.value for each in there.judged(offset=3 * 86400.0).findings] == ["expired"]


@pytest.mark.parametrize(
    ("facts", "unknown"),
    [({"exportable": None}, True), ({"rolled": {"in_days": 3}}, False)],
)
def test_what_no_command_shows_is_not_known(
    facts: dict[str, Any], unknown: bool, place: Callable[[Mapping[str, Any]], Place]
) -> None:
    found = place(certificates(**facts)).judged()
    assert bool(found.unknown) is unknown
    assert found.findings == ()


@pytest.mark.parametrize(
    ("shown", "asked", "known"),
    [
        ({"effective_date": "From", "previous": "Old"}, {}, False),
        (
            {"effective_date": "From", "previous": "Old"},
            {"effective_date_property": "From", "previous_property": "Old"},
            True,
        ),
        ({"effective_date": "EffectiveDate", "previous": None}, {}, True),
        ({"effective_date": None, "previous": None}, {}, False),
    ],
)
def test_how_rolling_is_shown_can_be_said(
    shown: dict[str, Any],
    asked: dict[str, str],
    known: bool,
    place: Callable[[Mapping[str, Any]], Place],
) -> None:
    there = place(deployment(1, certificates={AV: {"rolled": {"in_days": 3}}}, rolled_properties=shown))
    assert (there.judged(**asked).unknown == ()) is known


def test_a_server_that_refuses_a_command_costs_only_what_that_tells(
    place: Callable[[Mapping[str, Any]], Place],
) -> None:
    there = place(deployment(certificates={AV: {"days_left": 5}}))
    refused = {"message": "Access is denied.", "id": "AccessDenied", "category": "PermissionDenied"}
    there.lab.inject("error", command="Get-ChildItem", times=0, **refused)
    found = there.judged()
    assert [each.check.value for each in found.findings] == ["expires_soon"]
    assert any("store" in each for each in found.unknown)
    there.lab.inject("error", command="Get-CsCertificate", times=0, **refused)
    assert there.judged().verdict == "unknown"


# -- assigning --------------------------------------------------------------------------------------------------------


@contextmanager
def days_from_now(days: float) -> Iterator[str]:
    moment = datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=days)
    yield f"{moment:%Y-%m-%dT%H:%M:%SZ}"


@pytest.mark.parametrize("days", [None, 10], ids=["at once", "rolled"])
def test_assigning_is_dry_first_idempotent_and_taken_back(
    days: float | None, place: Callable[[Mapping[str, Any]], Place]
) -> None:
    there = place(deployment(certificates={"stored": {"days_left": 900}}))
    host = EDGES[0]
    before, spare = there.thumbprints(host), there.spare
    arguments: dict[str, Any] = {"thumbprint": f" {spare.lower()}"}
    if days is not None:
        with days_from_now(days) as date:
            arguments["effective_date"] = date
    foretold = there.task(host, "certificate_assignment", True, **arguments)
    assert (foretold["changed"], foretold["status"]) == (True, "drifted")
    assert there.thumbprints(host) == before
    done = there.task(host, "certificate_assignment", **arguments)
    assert (done["changed"], done["status"]) == (True, "corrected")
    assert done["diff"] == foretold["diff"]
    assert done["commands"] == foretold["commands"]
    assert there.thumbprints(host) == ((before[0], spare) if days else (spare, None))
    again = there.task(host, "certificate_assignment", **arguments)
    assert (again["changed"], again["status"]) == (False, "in_desired_state")
    back = there.task(host, "roll_back", run="latest", host=host)
    assert back["status"] == "corrected", back
    assert there.thumbprints(host) == before


def test_what_must_not_be_assigned_is_refused(place: Callable[[Mapping[str, Any]], Place]) -> None:
    there = place(deployment(certificates={"stored": {"days_left": -3}, AV: {"days_left": 5}}))
    host, spare = EDGES[0], there.spare
    with days_from_now(4.9) as late, days_from_now(-1) as past:
        own = there.thumbprints(EDGES[0])[0]
        refused = [
            {"thumbprint": "A9"},
            {"thumbprint": "00" * 20},
            {"thumbprint": spare},
            {"thumbprint": spare, "effective_date": late},
            {"thumbprint": spare, "effective_date": past},
            {"thumbprint": spare, "effective_date": "tomorrow"},
            {"thumbprint": spare, "effective_date": "2027-01-01T00:00:00"},
            {"thumbprint": spare, "state": "absent"},
            {"thumbprint": spare, "token_lifetime": 5},
            {"state": "present"},
        ]
        for arguments in refused:
            result = there.task(host, "certificate_assignment", **arguments)
            assert result["failed"], arguments
            assert result["failure"] in ("refused", "unusable_argument"), result
            assert not result["changed"]
        assert there.lab.writes == []
        put_back = there.task(host, "certificate_assignment", thumbprint=spare, only_if_usable=False)
        assert put_back["status"] == "corrected"
        assert own != there.thumbprints(host)[0]


def test_an_assignment_can_be_taken_away(place: Callable[[Mapping[str, Any]], Place]) -> None:
    there = place(deployment(1))
    host = EDGES[0]
    before = there.thumbprints(host)
    gone = there.task(host, "certificate_assignment", state="absent")
    assert gone["status"] == "corrected", gone
    assert there.thumbprints(host) == (None, None)
    assert there.task(host, "certificate_assignment", state="absent")["status"] == "in_desired_state"
    assert there.task(host, "roll_back", run="latest", host=host)["status"] == "corrected"
    assert there.thumbprints(host) == before


def test_a_certificate_goes_to_a_whole_pool_or_nowhere(place: Callable[[Mapping[str, Any]], Place]) -> None:
    there = place(only_on(0, {"stored": {"days_left": 900}}))
    found = there.judged(judging.Wanted(there.spare))
    assert list(found.obstacles) == ["edge.contoso.com"]
    assert any("edge02" in each for each in found.obstacles["edge.contoso.com"])


# -- the playbook -----------------------------------------------------------------------------------------------------

PLAYBOOK = "lync.remediation.audit_av_authentication_certificate"
ROLE = "av_authentication_certificate"


@pytest.fixture
def pool(start: Start, ansible_at: Callable[[Any], Ansible]) -> Callable[..., Ansible]:
    """A deployment of two Edge Servers whose certificate ends soon, with another one in their stores."""

    def deployed(**more: Any) -> Ansible:
        facts = {AV: {"days_left": 20}, "stored": {"days_left": 900}}
        return ansible_at(start("clock", **deployment(certificates=facts), users=[], **more))

    return deployed


def facts_of(ansible: Ansible, folder: Path, *arguments: str, **variables: Any) -> tuple[dict[str, Any], Run]:
    """By server, the fact that the role sets, as a play after the playbook reads it; and the run."""
    file = folder / "facts.json"
    copy = {
        "content": "{{ dict(groups['edges'] | zip(groups['edges'] | map('extract', hostvars, '"
        + ROLE
        + "_result'))) | to_json }}",
        "dest": str(file),
        "mode": "0600",
    }
    task = {
        "ansible.builtin.copy": copy,
        "delegate_to": "localhost",
        "check_mode": False,
        "diff": False,
        "changed_when": False,
    }
    play = {"hosts": "management", "gather_facts": False, "tasks": [task]}
    (folder / "facts.yml").write_text(yaml.safe_dump([{"import_playbook": PLAYBOOK}, play]), encoding="utf-8")
    given = {f"{ROLE}_{name}": value for name, value in variables.items()}
    ran = ansible.playbook(str(folder / "facts.yml"), *arguments, **given)
    assert file.exists(), ran.output
    return json.loads(file.read_text(encoding="utf-8")), ran


def spare_of(ansible: Ansible) -> str:
    stores = [
        {each["thumbprint"]: each["not_after"] for each in found["store"]}
        for found in ansible.modules("certificate_info", hosts="edges").values()
    ]
    common = set(stores[0]) & set(stores[1])
    return max(common, key=lambda thumbprint: stores[0][thumbprint])


def test_a_certificate_is_assigned_on_the_whole_pool(pool: Callable[..., Ansible], tmp_path: Path) -> None:
    ansible = pool()
    spare = spare_of(ansible)
    facts, dry = facts_of(ansible, tmp_path, "--check", "--diff", thumbprint=spare)
    assert {each["status"] for each in facts.values()} == {"drifted"}
    assert ansible.lab.writes() == []
    facts, ran = facts_of(ansible, tmp_path, "--diff", thumbprint=spare)
    assert {each["status"] for each in facts.values()} == {"corrected"}
    assert sorted(ran.differences) == sorted(dry.differences)  # the servers work side by side
    assert ansible.lab.writes() == ["Set-CsCertificate"] * 2
    facts, again = facts_of(ansible, tmp_path, thumbprint=spare)
    as_wanted = {"status": "in_desired_state", "changed": False, "unknown": [], "reasons": []}
    assert [facts[host] for host in EDGES] == [as_wanted] * 2
    assert again.changed == 0


def test_what_one_edge_server_refuses_the_other_gives_back(
    pool: Callable[..., Ansible], tmp_path: Path
) -> None:
    ansible = pool()
    before = ansible.modules("certificate_info", hosts="edges")
    refused = {"message": "Access is denied.", "id": "AccessDenied", "category": "PermissionDenied"}
    spare = spare_of(ansible)
    ansible.lab.inject("error", server=EDGES[1], command="Set-CsCertificate", times=1, **refused)
    facts, ran = facts_of(ansible, tmp_path, thumbprint=spare)
    assert {host: each["changed"] for host, each in facts.items()} == {EDGES[0]: True, EDGES[1]: False}
    assert {each["status"] for each in facts.values()} == {"drifted"}
    assert ran.exit_code != 0
    after = ansible.modules("certificate_info", hosts="edges")
    assert {host: each["assigned"] for host, each in after.items()} == {
        host: each["assigned"] for host, each in before.items()
    }


@pytest.mark.parametrize(
    "variables",
    [
        {"thumbprint": "A9"},
        {"thumbprint": "A9" * 20, "effective_date": "tomorrow"},
    ],
    ids=["no thumbprint", "no date"],
)
def test_what_cannot_be_right_is_refused_before_anything_is_read(
    variables: dict[str, str], pool: Callable[..., Ansible], tmp_path: Path
) -> None:
    ansible = pool()
    given = {f"{ROLE}_{name}": value for name, value in variables.items()}
    ran = ansible.playbook(PLAYBOOK, **given)
    assert ran.exit_code != 0
    assert f"{ROLE}_{list(variables)[-1]}: " in ran.text
    assert ansible.lab.commands() == []
