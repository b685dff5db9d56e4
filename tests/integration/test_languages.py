# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Servers whose messages are not English: nothing that is decided hangs on a text."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from .conftest import Ansible, Start


@pytest.mark.parametrize(
    "language",
    ["ja", pytest.param("de", marks=pytest.mark.sweep), pytest.param("fr", marks=pytest.mark.sweep)],
)
def test_federation_is_enabled_and_refused_in_any_language(
    language: str, start: Start, ansible_at: Callable[..., Ansible]
) -> None:
    ansible = ansible_at(start(language=language))
    assert ansible.enable().exit_code == 0
    again = ansible.enable()
    assert (again.exit_code, again.changed) == (0, 0)
    refused = ansible.module("external_access_policy", identity="site:Nowhere", enable_outside_access=True)
    assert (refused["reached"], refused["failure"]) == ("FAILED!", "refused")
    unknown = ansible.module("public_provider", identity="Nobody", enabled=True, state="present")
    assert unknown["reached"] == "FAILED!"
