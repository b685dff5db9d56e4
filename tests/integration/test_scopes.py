# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Where a change has an effect, and where a narrower collection keeps it from having one."""

from __future__ import annotations

import pytest

from .conftest import Ansible


def encryption(ansible: Ansible) -> dict[str, str]:
    media = ansible.module("media_configuration_info")["media_configurations"]
    return {each["identity"]: each["encryption_level"] for each in media}


def audio_video(ansible: Ansible) -> dict[str, bool]:
    policies = ansible.module("external_access_policy_info")["external_access_policies"]
    return {each["identity"]: each["enable_public_cloud_audio_video_access"] for each in policies}


@pytest.mark.engine_core
def test_narrower_collections_are_named_and_left(demo: Ansible) -> None:
    run = demo.enable()
    assert "policy Tag:ExternalPartners, which does not allow it" in run.text
    assert "media settings Site:Dublin, RequireEncryption" in run.text
    assert encryption(demo) == {"Global": "SupportEncryption", "Site:Dublin": "RequireEncryption"}
    assert audio_video(demo) == {"Global": True, "Tag:ExternalPartners": False}


def test_narrower_collections_are_changed_on_request(demo: Ansible) -> None:
    run = demo.enable(include_shadowing_scopes=True)
    assert run.exit_code == 0, run.output
    assert "left as they are" not in run.text
    assert set(encryption(demo).values()) == {"SupportEncryption"}
    assert set(audio_video(demo).values()) == {True}
    assert demo.enable(include_shadowing_scopes=True).changed == 0


def test_the_way_back_names_what_still_allows_it(demo: Ansible) -> None:
    demo.enable(include_shadowing_scopes=True)
    run = demo.disable()
    assert run.exit_code == 0, run.output
    assert "policy Tag:ExternalPartners, which allows it" in run.text
    assert "media settings Site:Dublin, SupportEncryption" in run.text


def test_one_site_alone_can_be_changed_and_taken_back(demo: Ansible) -> None:
    run = demo.enable(policies=["site:redmond"], media=["site:dublin"])
    assert run.exit_code == 0, run.output
    assert encryption(demo) == {"Global": "RequireEncryption", "Site:Dublin": "SupportEncryption"}
    found = audio_video(demo)
    assert {name.lower(): value for name, value in found.items()} == {
        "global": False,
        "site:redmond": True,
        "tag:externalpartners": False,
    }
    assert demo.enable(policies=["site:redmond"], media=["site:dublin"]).changed == 0
    back = demo.disable(policies=["site:redmond"], media=["site:dublin"])
    assert back.exit_code == 0, back.output
    assert set(audio_video(demo).values()) == {False}


def test_the_way_back_creates_nothing(demo: Ansible) -> None:
    before = encryption(demo), audio_video(demo)
    run = demo.disable(policies=["site:Redmond", "Nobody"], media=["site:Redmond"])
    assert run.exit_code == 0, run.output
    assert (run.changed, demo.lab.writes()) == (0, [])
    assert (encryption(demo), audio_video(demo)) == before
