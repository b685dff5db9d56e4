# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a change has an effect, whom it concerns, and that the way back leads to where it began."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
import yaml
from lab import control
from running import DEPLOYMENTS, RunningLab

from .conftest import Ansible, Start


def dump(ansible: Ansible) -> str:
    """Everything that the store holds, and who has been granted what."""
    state = control.ask(ansible.lab.state, "status")["state"]
    return json.dumps([state["settings"], state["users"]], sort_keys=True, indent=1)


def held(ansible: Ansible, noun: str) -> dict[str, dict[str, Any]]:
    """The store's objects of a noun, by identity."""
    return {each["Identity"]: each for each in json.loads(ansible.lab.dump())[noun]}


def encryption(ansible: Ansible) -> dict[str, str]:
    return {name: each["EncryptionLevel"] for name, each in held(ansible, "CsMediaConfiguration").items()}


def policies(ansible: Ansible) -> dict[str, dict[str, Any]]:
    return held(ansible, "CsExternalAccessPolicy")


def audio_video(ansible: Ansible) -> dict[str, bool]:
    return {name: each["EnablePublicCloudAudioVideoAccess"] for name, each in policies(ansible).items()}


SCOPES = {
    "sites": {"policies": ["site:redmond"], "media": ["site:Redmond", "MediationServer:dublin.contoso.com"]},
    "people": {"people": ["sip:pilar@contoso.com", "kenmyer@contoso.com"], "media": ["site:Redmond"]},
}


@pytest.mark.parametrize(
    ("scope", "version", "language"),
    [
        pytest.param("sites", 2010, "en"),
        pytest.param("people", 2019, "ja"),
        *(
            pytest.param(scope, version, "en", marks=pytest.mark.sweep)
            for scope in SCOPES
            for version in (2010, 2013, 2015, 2019, "SE")
            if (scope, version) != ("sites", 2010)
        ),
    ],
)
def test_enabling_and_disabling_ends_where_it_began(
    scope: str,
    version: object,
    language: str,
    start: Start,
    ansible_at: Callable[[RunningLab], Ansible],
) -> None:
    ansible = ansible_at(start("demo", version=version, language=language))
    before = dump(ansible)
    dry = ansible.enable("--check", **SCOPES[scope])
    assert (dry.exit_code, ansible.lab.writes()) == (0, []), dry.output
    real = ansible.enable(**SCOPES[scope])
    assert (real.exit_code, real.changed) == (0, dry.changed), real.output
    assert real.differences == dry.differences
    found = policies(ansible)
    if scope == "sites":
        changed = dict.fromkeys(("EnablePublicCloudAccess", "EnablePublicCloudAudioVideoAccess"), True)
        assert found["Site:Redmond"] == {**found["Global"], **changed, "Identity": "Site:Redmond"}
    else:
        assert found["Tag:ExternalPartners Windows Live AV"]["EnableFederationAccess"] is True
        assert found["Tag:Windows Live AV"]["EnableFederationAccess"] is False
    if scope == "sites":
        assert ansible.enable(**SCOPES[scope]).changed == 0
    else:
        # Nothing is done again for the others. Grants are in no store that replicates: there is no report to wait for.
        people = [*SCOPES[scope]["people"], "sip:kaya@contoso.com"]
        more = ansible.enable(people=people, media=SCOPES[scope]["media"], replication_timeout=20)
        assert (more.exit_code, more.changed) == (0, 1), more.output
    back = ansible.disable()
    assert back.exit_code == 0, back.output
    assert dump(ansible) == before


EVERYBODY = {"people_filter": "Enabled -eq $True", "media": ["Global", "site:Dublin"]}
ON_REQUEST = {"enable_providers": True, "manage_access_edge": True}
MESSENGER = {"ProxyFqdn": "federation.messenger.msn.com", "VerificationLevel": "AlwaysVerifiable"}
OPEN = dict.fromkeys(("EnableFederationAccess", "EnableOutsideAccess", "EnablePublicCloudAccess"), True)
PEOPLE: list[dict[str, Any]] = [
    {
        "name": "ken",
        "display_name": "Ken Myer",
        "pool": "pool01.contoso.com",
        "external_access_policy": "Kein Zugriff",
    },
    {"name": "pilar", "display_name": "Pilar Ackerman", "pool": "pool01.contoso.com"},
    {
        "name": "kaya",
        "display_name": "Kaya Elias",
        "pool": "dublin.contoso.com",
        "external_access_policy": "All",
    },
    {
        "name": "jose",
        "display_name": "José d'Ávila",
        "pool": "dublin.contoso.com",
        "external_access_policy": "Só nós",
    },
]
UNGRANTED = [
    {name: value for name, value in each.items() if name != "external_access_policy"} for each in PEOPLE
]
POLICIES: list[dict[str, Any]] = [
    {"Identity": "Global", **OPEN, "Description": "For all"},
    {"Identity": "Site:Dublin", "Description": "Nobody outside"},
    {"Identity": "Tag:Kein Zugriff", "Description": "d'accord"},
    {"Identity": "Tag:All", **OPEN, "EnablePublicCloudAudioVideoAccess": True},
    {"Identity": "Tag:Só nós", "EnableFederationAccess": True},
]
#: Deployments as others have them, and what is asked for there.
ELSEWHERE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "as it is set up": ({"PublicProvider": [{"Identity": "MSN", **MESSENGER}]}, ON_REQUEST),
    "everybody under some policy": ({"ExternalAccessPolicy": POLICIES}, EVERYBODY),
    "a site whose people are shut out": (
        {"ExternalAccessPolicy": POLICIES},
        {"policies": ["site:Dublin"], "media": ["MediationServer:pool01.contoso.com"]},
    ),
    "narrower settings go before it": (
        {
            "ExternalAccessPolicy": POLICIES,
            "MediaConfiguration": [
                {"Identity": "site:Dublin", "EnableQoS": True},
                {"Identity": "Service:MediationServer:pool01.contoso.com", "MaxVideoRateAllowed": "CIF250K"},
            ],
        },
        {"include_shadowing_scopes": True},
    ),
    "half done, and names that are taken": (
        {
            "ExternalAccessPolicy": [
                *POLICIES,
                {"Identity": "Tag:Windows Live AV", "Description": "Somebody's own"},
            ],
            "MediaConfiguration": [{"Identity": "Global", "EncryptionLevel": "SupportEncryption"}],
        },
        EVERYBODY,
    ),
}
TWICE: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "everywhere": ({}, {}),
    "filter": ({}, EVERYBODY),
    **{scope: ({}, variables) for scope, variables in SCOPES.items()},
    **ELSEWHERE,
}


def described(case: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A deployment as changes of the demo's, and what is asked for there."""
    settings, variables = TWICE[case]
    demo = yaml.safe_load((DEPLOYMENTS / "demo.yml").read_text(encoding="utf-8"))
    if "ExternalAccessPolicy" in settings:
        return {"settings": demo["settings"] | settings, "users": PEOPLE}, variables
    return ({"settings": settings, "users": UNGRANTED} if settings else {}), variables


@pytest.mark.sweep
@pytest.mark.parametrize("case", TWICE)
@pytest.mark.parametrize("version", [2010, 2013, 2015, 2019, "SE"])
def test_enabling_disabling_and_enabling_again_is_there_and_back_twice(
    case: str, version: object, start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    changes, variables = described(case)
    ansible = ansible_at(start("demo", version=version, **changes))
    before = dump(ansible)
    enabled = []
    for _ in range(2):
        there = ansible.enable(**variables)
        assert there.exit_code == 0, there.output
        enabled.append(dump(ansible))
        back = ansible.disable()
        assert (back.exit_code, back.changed) == (0, there.changed), back.output
        assert dump(ansible) == before
    assert enabled[0] == enabled[1] != before


@pytest.mark.sweep
@pytest.mark.parametrize("case", TWICE)
@pytest.mark.parametrize("version", [2010, 2019])
def test_enabling_is_rolled_back_whatever_its_scope(
    case: str, version: int, start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    changes, variables = described(case)
    ansible = ansible_at(start("demo", version=version, **changes))
    before = dump(ansible)
    assert ansible.enable(**variables).exit_code == 0
    assert dump(ansible) != before
    # A dry run cannot know whether somebody else holds a copy, too.
    ansible.expected_warnings = ["As long as the newer changes have not been taken back, "]
    dry, real = (
        ansible.playbook("lync.remediation.roll_back", "--diff", *mode, run="latest")
        for mode in (["--check"], [])
    )
    assert (dry.exit_code, real.exit_code) == (0, 0), real.output
    assert real.differences == dry.differences
    assert dump(ansible) == before
    # The role knows what has been taken back.
    assert ansible.disable().changed == 0


@pytest.mark.engine_core
def test_people_are_told_what_is_done_what_to_do_themselves_and_what_is_left(
    start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    demo = ansible_at(start("demo", replication={"seconds": 0.5}))
    run = demo.enable(users=["sip:kenmyer@contoso.com"], sites=["Redmond", "Dublin"])
    for named in (
        "policy Tag:ExternalPartners",
        "sip:kenmyer@contoso.com",
        "media settings Site:Dublin",
        "no call has to be encrypted any more",
        "Set-CsExternalAccessPolicy -Identity Global ` -EnablePublicCloudAccess $true ` "
        "-EnablePublicCloudAudioVideoAccess $true",
        "sign out of the client, and in again",
        "must say AV Encryption Supported",
        "Lync 2013 and later clients ignore MaxVideoRateAllowed",
        "In force now on pool01.contoso.com * sip:kenmyer@contoso.com: not allowed (Tag:ExternalPartners); "
        "SupportEncryption (Global) * site Redmond: allowed (Global); SupportEncryption (Global) * site Dublin: "
        "allowed (Global); RequireEncryption (Site:Dublin)",
        "media settings Site:Dublin, RequireEncryption, VGA600K",
    ):
        assert named in run.text, named
    polls = [each for each in demo.lab.commands() if each["name"] == "Get-CsManagementStoreReplicationStatus"]
    assert len(polls) > 1
    assert demo.module("replication_info")["up_to_date"] is True
    assert encryption(demo) == {"Global": "SupportEncryption", "Site:Dublin": "RequireEncryption"}
    assert audio_video(demo) == {"Global": True, "Tag:ExternalPartners": False}
    demo.lab.inject(
        "other_administrator", noun="CsMediaConfiguration", EncryptionLevel="DoNotSupportEncryption"
    )
    back = demo.disable()
    assert back.exit_code == 0, back.output
    assert "encryption_level of the media configuration Global" in back.text
    assert encryption(demo)["Global"] == "DoNotSupportEncryption"
    assert audio_video(demo)["Global"] is False


def test_without_a_journal_the_way_back_takes_the_two_settings_back_and_names_the_rest(demo: Ansible) -> None:
    on = dict.fromkeys(("EnablePublicCloudAccess", "EnablePublicCloudAudioVideoAccess"), "true")
    video = {"EncryptionLevel": "SupportEncryption", "MaxVideoRateAllowed": "Hd720p15M"}
    demo.lab.inject("other_administrator", noun="CsExternalAccessPolicy", **on)
    demo.lab.inject("other_administrator", noun="CsMediaConfiguration", **video)
    lost = ("-e", "lync_remediation_journal=false")
    back = demo.disable(*lost, policies=["Global", "site:Redmond"], media=["Global", "site:Redmond"])
    assert back.exit_code == 0, back.output
    assert policies(demo)["Global"]["EnablePublicCloudAccess"] is True
    assert audio_video(demo) == {"Global": False, "Tag:ExternalPartners": False}
    assert encryption(demo)["Global"] == "RequireEncryption"
    assert "max_video_rate_allowed of the media settings Global stays" in back.text
