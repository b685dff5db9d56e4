# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The role clock_drift from one end to the other. What was written is told by the servers' journal."""

from __future__ import annotations

from pathlib import Path

import pytest

from .clock_drift import CENTRAL, av_authentication, fix, last_table, results, stops, writes
from .conftest import Ansible

PURGES = ["klist purge", "klist -li 0x3e7 purge"]
DRAINED = ["Stop-CsWindowsService", "New-ItemProperty Stopped", "Start-CsWindowsService", "Remove-Item"]
NOTED = ["New-Item", "New-ItemProperty Since", "New-ItemProperty Reason"]


@pytest.mark.engine_core
@pytest.mark.smoke
def test_the_flipped_zone_of_one_front_end(article: Ansible) -> None:
    assert av_authentication(article) is False

    dry = fix(article, "--check", restart=True, follow_pool=True)
    assert (dry.exit_code, dry.changed) == (0, 4), dry.output
    assert writes(article.lab) == []
    assert "just the difference between GMT Standard Time and Central Standard Time" in dry.text.replace(
        "- ", ""
    )

    real = fix(article, restart=True, follow_pool=True)
    assert (real.exit_code, real.changed) == (0, 4), real.output
    assert real.differences == dry.differences
    done = writes(article.lab)
    assert done == [
        ("fe02", command)
        for command in [
            *NOTED,
            f"tzutil /s {CENTRAL}",
            "w32tm /resync /rediscover",
            *PURGES,
            *PURGES,
            *DRAINED,
        ]
    ]
    assert av_authentication(article) is True

    again = fix(article, restart=True, follow_pool=True)
    assert (again.exit_code, again.changed, again.differences) == (0, 0, []), again.output
    assert writes(article.lab) == done


def test_each_server_has_one_fact(article: Ansible, tmp_path: Path) -> None:
    dry = results(article, tmp_path, "--check", follow_pool=True, restart=True)
    assert {server: fact["status"] for server, fact in dry.items()} == {
        "edge01": "in_desired_state",
        "dublin": "in_desired_state",
        "fe01": "in_desired_state",
        "fe02": "drifted",
        "fe03": "in_desired_state",
    }
    assert [server for server, fact in dry.items() if fact["changed"]] == ["fe02"]

    later = results(article, tmp_path, follow_pool=True, restart=False)
    assert (later["fe02"]["status"], later["fe02"]["changed"]) == ("drifted", True)
    assert len(later["fe02"]["reasons"]) == 1

    restarted = results(article, tmp_path, follow_pool=True, restart=True)
    assert restarted["fe02"] == {"status": "corrected", "changed": True, "unknown": [], "reasons": []}
    assert results(article, tmp_path, follow_pool=True, restart=True)["fe02"]["status"] == "in_desired_state"


def test_the_user_says_whether_to_restart(article: Ansible) -> None:
    unsaid = fix(article, follow_pool=True)
    assert unsaid.exit_code == 2, unsaid.output
    assert "Set clock_drift_restart to true or false." in unsaid.text
    assert "fe02.contoso.com" in unsaid.text
    assert stops(article.lab) == []

    later = fix(article, follow_pool=True, restart=False)
    assert (later.exit_code, later.changed) == (0, 0), later.output
    assert "Still to be restarted" in later.text
    assert stops(article.lab) == []

    now = fix(article, follow_pool=True, restart=True)
    assert now.exit_code == 0, now.output
    assert stops(article.lab) == ["fe02"]
    assert av_authentication(article) is True


POLICIES = r"HKEY_LOCAL_MACHINE\SOFTWARE\Policies\Microsoft\W32Time"


def policy_on_fe02(article: Ansible) -> str:
    """A group policy in charge of one server's source, and the source that is wanted."""
    article.lab.inject(
        "registry_changed", "fe02.contoso.com", path=rf"{POLICIES}\Parameters", name="Type", value="NTP"
    )
    return "{{ {'type': 'manual' if inventory_hostname in groups['edges'] else 'domain_hierarchy'} }}"


def test_the_fact_of_a_server_whose_repair_failed(article: Ansible, tmp_path: Path) -> None:
    wanted = policy_on_fe02(article)
    found = results(article, tmp_path, restart=False, follow_pool=True, time_service=wanted)
    assert (found["fe02"]["status"], found["fe02"]["changed"]) == ("drifted", False)
    assert "policy" in " ".join(found["fe02"]["reasons"])
    assert found["fe01"]["status"] == "in_desired_state"


def test_a_group_policy_in_charge_of_the_source_is_named(article: Ansible) -> None:
    wanted = policy_on_fe02(article)
    run = fix(article, restart=True, follow_pool=True, time_service=wanted)
    assert run.exit_code == 2, run.output
    assert "fe02" in run.text
    assert "policy" in run.text
    assert r"SOFTWARE Policies Microsoft W32Time Parameters" in run.text
    # Its repair failed, and it is in the table all the same.
    assert list(last_table(run)) == ["edge01", "dublin", "fe01", "fe02", "fe03"]
    assert last_table(run)["fe02"].startswith("wrong zone, source")
    assert "fe02 left as it is:" in run.text
    assert writes(article.lab) == []


def test_a_clock_that_w32time_does_not_correct_is_set_only_if_allowed(article: Ansible) -> None:
    article.lab.inject("clock_offset", "edge01.contoso.com", seconds=-72000)
    refused = fix(article, "--limit", "edges:dublin", restart=True)
    assert refused.exit_code == 2, refused.output
    assert "W32Time corrects no more than 15 h 0 min there" in refused.text
    assert "allow_step: true" in refused.text
    assert writes(article.lab) == []
    allowed = fix(article, restart=True, follow_pool=True, allow_step=True)
    assert allowed.exit_code == 0, allowed.output
    assert ("edge01", "Set-Date") in writes(article.lab)
    assert stops(article.lab) == ["edge01", "fe02"]
