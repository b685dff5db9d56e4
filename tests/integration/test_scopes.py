# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a change has an effect, whom it concerns, and that the way back leads to where it began."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from lab import control
from running import RunningLab

from .conftest import Ansible, Start


def dump(ansible: Ansible) -> str:
    """Everything that the store holds, and who has been granted what."""
    state = control.ask(ansible.lab.state, "status")["state"]
    return json.dumps([state["settings"], state["users"]], sort_keys=True, indent=1)


def encryption(ansible: Ansible) -> dict[str, str]:
    media = ansible.module("media_configuration_info")["media_configurations"]
    return {each["identity"]: each["encryption_level"] for each in media}


def policies(ansible: Ansible) -> dict[str, dict[str, Any]]:
    listed = ansible.module("external_access_policy_info")["external_access_policies"]
    return {each["identity"]: each for each in listed}


def audio_video(ansible: Ansible) -> dict[str, bool]:
    return {name: each["enable_public_cloud_audio_video_access"] for name, each in policies(ansible).items()}


def test_narrower_collections_are_changed_on_request_and_taken_back(demo: Ansible) -> None:
    before = dump(demo)
    run = demo.enable(include_shadowing_scopes=True)
    assert run.exit_code == 0, run.output
    assert set(encryption(demo).values()) == {"SupportEncryption"}
    assert set(audio_video(demo).values()) == {True}
    back = demo.disable()
    assert back.exit_code == 0, back.output
    assert dump(demo) == before


SCOPES = {
    "sites": {"policies": ["site:redmond"], "media": ["site:Redmond", "MediationServer:dublin.contoso.com"]},
    "people": {"people": ["sip:pilar@contoso.com", "kenmyer@contoso.com"], "media": ["site:Redmond"]},
}


@pytest.mark.parametrize("scope", SCOPES)
@pytest.mark.parametrize(
    "version", [2010, *(pytest.param(each, marks=pytest.mark.sweep) for each in (2013, 2015, 2019, "SE"))]
)
def test_enabling_and_disabling_ends_where_it_began(
    scope: str, version: object, start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    ansible = ansible_at(start("demo", version=version))
    before = dump(ansible)
    dry = ansible.enable("--check", **SCOPES[scope])
    assert (dry.exit_code, ansible.lab.writes()) == (0, []), dry.output
    real = ansible.enable(**SCOPES[scope])
    assert (real.exit_code, real.changed) == (0, dry.changed), real.output
    assert real.differences == dry.differences
    found = policies(ansible)
    if scope == "sites":
        changed = dict.fromkeys(
            ("enable_public_cloud_access", "enable_public_cloud_audio_video_access"), True
        )
        assert found["Site:Redmond"] == {**found["Global"], **changed, "identity": "Site:Redmond"}
    else:
        assert found["Tag:ExternalPartners Windows Live AV"]["enable_federation_access"] is True
        assert found["Tag:Windows Live AV"]["enable_federation_access"] is False
    assert ansible.enable(**SCOPES[scope]).changed == 0
    back = ansible.disable()
    assert back.exit_code == 0, back.output
    assert dump(ansible) == before


@pytest.mark.engine_core
def test_what_goes_before_it_or_was_changed_since_is_named_and_left(demo: Ansible) -> None:
    run = demo.enable()
    for named in ("policy Tag:ExternalPartners", "sip:kenmyer@contoso.com", "media settings Site:Dublin"):
        assert named in run.text, named
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
    demo.enable()
    lost = ("-e", "lync_remediation_journal=false")
    back = demo.disable(*lost, policies=["Global", "site:Redmond"], media=["Global", "site:Redmond"])
    assert back.exit_code == 0, back.output
    assert policies(demo)["Global"]["enable_public_cloud_access"] is True
    assert audio_video(demo) == {"Global": False, "Tag:ExternalPartners": False}
    assert encryption(demo)["Global"] == "RequireEncryption"
    assert "max_video_rate_allowed of the media settings Global stays" in back.text
