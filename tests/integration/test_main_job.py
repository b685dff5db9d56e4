# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Live A/V federation from one end to the other. What was written is sentences by the servers' journal."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from running import RunningLab

from .conftest import Ansible, Start

ENABLING_WRITES = ["Set-CsExternalAccessPolicy", "Set-CsMediaConfiguration"]


def settings(ansible: Ansible) -> tuple[Any, Any]:
    policy = ansible.module("external_access_policy_info", identity="Global")
    media = ansible.module("media_configuration_info", identity="Global")
    return policy["external_access_policies"][0], media["media_configurations"][0]


@pytest.mark.engine_core
@pytest.mark.smoke
def test_dry_run_real_run_second_run_and_the_way_back(demo: Ansible) -> None:
    dry = demo.enable("--check")
    assert dry.exit_code == 0, dry.output
    assert dry.changed == 2
    assert demo.lab.writes() == []

    real = demo.enable()
    assert real.exit_code == 0, real.output
    assert real.changed == 2
    assert demo.lab.writes() == ENABLING_WRITES
    assert len(real.differences) == 2
    assert real.differences == dry.differences
    policy, media = settings(demo)
    assert policy["enable_public_cloud_access"] is True
    assert policy["enable_public_cloud_audio_video_access"] is True
    assert (media["encryption_level"], media["max_video_rate_allowed"]) == ("SupportEncryption", "Hd720p15M")

    second = demo.enable()
    assert second.exit_code == 0, second.output
    assert second.changed == 0
    assert second.differences == []
    assert demo.lab.writes() == ENABLING_WRITES

    dry_back = demo.disable("--check")
    assert dry_back.changed == 2
    assert demo.lab.writes() == ENABLING_WRITES

    back = demo.disable()
    assert back.exit_code == 0, back.output
    assert back.changed == 2
    assert back.differences == dry_back.differences
    policy, media = settings(demo)
    assert policy["enable_public_cloud_access"] is False
    assert policy["enable_public_cloud_audio_video_access"] is False
    assert media["encryption_level"] == "RequireEncryption"

    assert demo.disable().changed == 0
    for run in (dry, real, second, dry_back, back):
        assert "[WARNING]" not in run.output
        assert "[DEPRECATION WARNING]" not in run.output


@pytest.mark.parametrize(
    "version", [2019, *(pytest.param(version, marks=pytest.mark.sweep) for version in (2013, 2015, "SE"))]
)
def test_the_same_playbook_on_every_version(
    version: object, start: Start, ansible_at: Callable[[RunningLab], Ansible]
) -> None:
    ansible = ansible_at(start("demo", version=version))
    dry = ansible.enable("--check")
    assert (dry.exit_code, dry.changed, ansible.lab.writes()) == (0, 2, []), dry.output
    real = ansible.enable()
    assert (real.exit_code, real.changed, ansible.lab.writes()) == (0, 2, ENABLING_WRITES), real.output
    assert real.differences == dry.differences
    back = ansible.disable()
    assert (back.exit_code, back.changed) == (0, 2), back.output
    policy, media = settings(ansible)
    assert (policy["enable_public_cloud_access"], media["encryption_level"]) == (False, "RequireEncryption")


@pytest.mark.engine_core
@pytest.mark.parametrize(("providers", "exit_code"), [([], 0), (["nobody"], 2)])
def test_a_run_opens_one_session_and_closes_it_even_if_it_fails(
    providers: list[str], exit_code: int, demo: Ansible
) -> None:
    assert demo.enable(providers=providers).exit_code == exit_code
    sessions = [
        (entry["event"], entry.get("reason"))
        for entry in demo.lab.journal()
        if entry["event"].startswith("session_")
    ]
    assert sessions == [("session_opened", None), ("session_closed", "deleted")]


def test_people_are_told_what_is_done_and_what_to_do_themselves(demo: Ansible) -> None:
    run = demo.enable(users=["sip:kenmyer@contoso.com"], sites=["Redmond", "Dublin"])
    for sentence in (
        "no call has to be encrypted any more",
        "Set-CsExternalAccessPolicy -Identity Global ` -EnablePublicCloudAccess $true ` "
        "-EnablePublicCloudAudioVideoAccess $true",
        "sign out of the client, and in again",
        "must say AV Encryption Supported",
        "Lync 2013 and later clients ignore MaxVideoRateAllowed",
        "(item=sip:kenmyer@contoso.com) => msg: Tag:ExternalPartners, public audio and video not allowed",
        "Site:Dublin, RequireEncryption, VGA600K",
        "Global, SupportEncryption, Hd720p15M",
    ):
        assert sentence in run.text, sentence
    polls = [each for each in demo.lab.commands() if each["name"] == "Get-CsManagementStoreReplicationStatus"]
    assert len(polls) > 1
    assert demo.module("replication_info")["up_to_date"] is True
    again = demo.enable()
    for sentence in ("sign out of the client", "no call has to be encrypted any more", "These were run"):
        assert sentence not in again.text, sentence
