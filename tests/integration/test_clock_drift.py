# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role clock_drift from one end to the other. What was written is told by the servers' journal."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .clock_drift import CENTRAL, GREENWICH, TIMES, av_authentication, fix, last_table, results, stops, writes
from .conftest import Ansible, Start

REPAIRED = [
    ("New-Item", ""),
    *(("New-ItemProperty", name) for name in ("Since", "Offset", "Zone", "Reason")),
    ("tzutil", f"/s {CENTRAL}"),
    ("w32tm", "/resync /rediscover"),
    *(("klist", arguments) for arguments in ("purge", "-li 0x3e7 purge", "-li 0x3e4 purge")),
]


@pytest.mark.engine_core
@pytest.mark.smoke
def test_the_flipped_zone_of_one_front_end(article: Ansible, tmp_path: Path) -> None:
    assert av_authentication(article) is False

    dry = fix(article, "--check", restart=True, follow_pool=True)
    assert (dry.exit_code, dry.changed) == (0, 4), dry.output
    assert last_table(dry) == {"fe02": "wrong zone, clock"}
    assert writes(article.lab) == []

    real, facts = results(article, tmp_path, "--diff", restart=True, follow_pool=True)
    assert (real.exit_code, real.changed) == (0, 4), real.output
    assert facts["fe02"] == {"status": "corrected", "changed": True, "unknown": [], "reasons": []}
    assert real.differences == dry.differences
    done = writes(article.lab)
    assert {server for server, _ in done} == {"fe02"}
    assert [command for _, command in done][: len(REPAIRED)] == [" ".join(each).strip() for each in REPAIRED]
    assert stops(article.lab) == ["fe02"]
    assert av_authentication(article) is True
    assert max(map(len, real.output.partition("PLAY RECAP")[0].splitlines())) < 200

    again = fix(article, restart=True, follow_pool=True)
    assert (again.exit_code, again.changed, again.differences) == (0, 0, []), again.output
    assert writes(article.lab) == done


def test_each_server_has_one_fact_and_the_user_says_whether_to_restart(
    article: Ansible, tmp_path: Path
) -> None:
    _, later = results(article, tmp_path, follow_pool=True, restart=False)
    assert {server: fact["status"] for server, fact in later.items()} == {
        "edge01": "in_desired_state",
        "dublin": "in_desired_state",
        "fe01": "in_desired_state",
        "fe02": "drifted",
        "fe03": "in_desired_state",
    }
    assert (later["fe02"]["changed"], later["fe02"]["unknown"]) == (True, [])
    assert stops(article.lab) == []

    unsaid = fix(article, follow_pool=True)
    assert unsaid.exit_code == 2, unsaid.output
    assert stops(article.lab) == []


def test_an_inventory_that_contradicts_most_servers_changes_nothing(article: Ansible) -> None:
    run = fix(article, restart=True, time_zone=GREENWICH, time_zone_confirmed=False)
    assert run.exit_code == 2, run.output
    assert "clock_drift_time_zone_confirmed" in run.text
    assert writes(article.lab) == []


@pytest.mark.parametrize(
    ("variables", "named"),
    [
        ({"max_offset_ms": "nan"}, "clock_drift_max_offset_ms"),
        ({"restrat": True}, "clock_drift_restart"),
        ({"time_zone": "Central Standrad Time"}, CENTRAL),
        ({"time_service": {"peers": "ntp1"}}, "clock_drift_time_service"),
    ],
    ids=["number", "name", "zone", "source"],
)
def test_what_cannot_be_right_is_one_sentence(
    variables: dict[str, object], named: str, article: Ansible
) -> None:
    run = fix(article, restart=True, **variables)
    assert run.exit_code == 2, run.output
    assert named in run.text
    assert article.lab.commands() == []


@pytest.mark.sweep
def test_a_clock_that_w32time_does_not_correct_is_set_only_if_allowed(article: Ansible) -> None:
    article.lab.inject("clock_offset", "edge01.contoso.com", seconds=-72000)
    refused = fix(article, "--limit", "edges:dublin", restart=True)
    assert refused.exit_code == 2, refused.output
    assert writes(article.lab) == []
    allowed = fix(article, restart=True, follow_pool=True, allow_step=True)
    assert allowed.exit_code == 0, allowed.output
    assert ("edge01", "Set-Date") in writes(article.lab)
    assert stops(article.lab) == ["edge01", "fe02"]


@pytest.mark.sweep
@pytest.mark.parametrize("version", [2010, 2013, 2015, 2019, "SE"])
def test_every_version_dry_real_and_again(
    version: object, start: Start, ansible_at: Callable[..., Ansible], tmp_path: Path
) -> None:
    lab = start("clock", **TIMES, version=version)
    lab.inject("clock_offset", "edge01.contoso.com", seconds=400)
    ansible = ansible_at(lab)
    dry = fix(ansible, "--check", restart=True, follow_pool=True)
    assert dry.exit_code == 0, dry.output
    assert last_table(dry) == {"edge01": "wrong clock", "fe02": "wrong zone, clock"}
    assert writes(lab) == []
    real, facts = results(ansible, tmp_path, "--diff", restart=True, follow_pool=True)
    assert real.exit_code == 0, real.output
    assert sorted(real.differences) == sorted(dry.differences)
    statuses = {server: fact["status"] for server, fact in facts.items()}
    right = dict.fromkeys(("dublin", "fe01", "fe03"), "in_desired_state")
    assert statuses == right | dict.fromkeys(("edge01", "fe02"), "corrected")
    assert stops(lab) == ["edge01", "fe02"]
    done = writes(lab)
    again = fix(ansible, restart=True, follow_pool=True)
    assert (again.exit_code, again.changed, again.differences) == (0, 0, []), again.output
    assert writes(lab) == done
