# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Windows Live A/V federation from one end to the other. What was written is sentences by the servers' journal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from running import RunningLab

from .conftest import Ansible, Start

ENABLING_WRITES = ["Set-CsExternalAccessPolicy", "Set-CsMediaConfiguration"]


def settings(lab: RunningLab) -> tuple[Any, ...]:
    """Two of the policy and two of the media settings that hold where nothing else does."""
    held = json.loads(lab.dump())
    policy, media = (
        next(each for each in held[noun] if each["Identity"] == "Global")
        for noun in ("CsExternalAccessPolicy", "CsMediaConfiguration")
    )
    return (
        policy["EnablePublicCloudAccess"],
        policy["EnablePublicCloudAudioVideoAccess"],
        media["EncryptionLevel"],
        media["MaxVideoRateAllowed"],
    )


def sessions(lab: RunningLab) -> list[tuple[str, str | None]]:
    return [
        (entry["event"], entry.get("reason"))
        for entry in lab.journal()
        if entry["event"].startswith("session_")
    ]


ONE_SESSION = [("session_opened", None), ("session_closed", "deleted")]


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
    assert settings(demo.lab) == (True, True, "SupportEncryption", "Hd720p15M")
    assert sessions(demo.lab) == ONE_SESSION * 2

    second = demo.enable()
    assert second.exit_code == 0, second.output
    assert second.changed == 0
    assert second.differences == []
    for sentence in ("sign out of the client", "no call has to be encrypted any more", "These were run"):
        assert sentence not in second.text, sentence
    assert demo.lab.writes() == ENABLING_WRITES

    dry_back = demo.disable("--check")
    assert dry_back.changed == 2
    assert demo.lab.writes() == ENABLING_WRITES

    back = demo.disable()
    assert back.exit_code == 0, back.output
    assert back.changed == 2
    assert back.differences == dry_back.differences
    assert settings(demo.lab)[:3] == (False, False, "RequireEncryption")

    assert demo.disable().changed == 0


@pytest.mark.sweep
@pytest.mark.parametrize("version", [2013, 2015, 2019, "SE"])
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
    assert settings(ansible.lab)[:3] == (False, False, "RequireEncryption")


def test_a_run_that_stops_half_way_tells_what_it_has_run(demo: Ansible) -> None:
    demo.lab.inject(
        "error", command="Set-CsMediaConfiguration", message="No.", id="Refused", category="InvalidData"
    )
    run = demo.enable()
    assert (run.exit_code, run.changed) == (2, 1), run.output
    _, _, told = run.text.partition("These were run on pool01.contoso.com")
    assert "Set-CsExternalAccessPolicy -Identity Global" in told
    assert "Set-CsMediaConfiguration" not in told
    assert settings(demo.lab) == (True, True, "RequireEncryption", "VGA600K")


@pytest.mark.engine_core
def test_a_run_that_fails_closes_its_session_too(demo: Ansible) -> None:
    assert demo.enable(providers=["nobody"]).exit_code == 2
    assert sessions(demo.lab) == ONE_SESSION
