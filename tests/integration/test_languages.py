# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers whose messages are not English: nothing that is decided hangs on a text."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from .clock_drift import CENTRAL, results, stops, writes
from .conftest import Ansible, Start


@pytest.mark.parametrize("language", ["de", "fr", "ja"])
@pytest.mark.sweep
def test_federation_is_enabled_in_any_language(
    language: str, start: Start, ansible_at: Callable[..., Ansible]
) -> None:
    """By default test_scopes.py does this in Japanese."""
    ansible = ansible_at(start(language=language))
    enabled = ansible.enable()
    assert enabled.exit_code == 0
    again = ansible.enable()
    assert (again.exit_code, again.changed) == (0, 0)


@pytest.mark.parametrize(
    "language",
    ["ja", pytest.param("de", marks=pytest.mark.sweep), pytest.param("fr", marks=pytest.mark.sweep)],
)
def test_what_fails_is_known_for_what_it_is_in_any_language(
    language: str, start: Start, ansible_at: Callable[..., Ansible]
) -> None:
    ansible = ansible_at(start(language=language))
    refused = ansible.module("external_access_policy", identity="site:Nowhere", enable_outside_access=True)
    assert (refused["reached"], refused["failure"]) == ("FAILED!", "refused")
    unknown = ansible.module("public_provider", identity="Nobody", enabled=True, state="present")
    assert unknown["reached"] == "FAILED!"


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("language", "code_pages"),
    [("de", ["cp850", "cp1252"]), ("fr", ["cp850", "cp1252"]), ("ja", ["cp932", "cp437"])],
)
def test_clocks_are_repaired_in_any_language(
    language: str, code_pages: list[str], start: Start, ansible_at: Callable[..., Ansible], tmp_path: Path
) -> None:
    printed = {"decimal_comma": language != "ja", "columns": 80, "code_pages": code_pages}
    lab = start("clock", language=language, time_service=printed)
    lab.inject("clock_offset", "edge01.contoso.com", seconds=400)
    ansible = ansible_at(lab)
    _, repaired = results(ansible, tmp_path, follow_pool=True, restart=True)
    assert {server: each["status"] for server, each in repaired.items()} == {
        "edge01": "corrected",
        "fe01": "in_desired_state",
        "fe02": "corrected",
        "fe03": "in_desired_state",
        "dublin": "in_desired_state",
    }
    assert ("fe02", f"tzutil /s {CENTRAL}") in writes(lab)
    assert stops(lab) == ["edge01", "fe02"]
