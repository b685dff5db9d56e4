# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

from pathlib import Path

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.action import beside_the_inventory


@pytest.mark.parametrize("inside", ["", "eu"])
def test_a_baseline_never_lies_in_a_folder_that_is_the_inventory(inside: str, tmp_path: Path) -> None:
    folder = tmp_path / "inventory" / inside
    folder.mkdir(parents=True)
    variables = {"inventory_dir": str(folder), "ansible_inventory_sources": [str(tmp_path / "inventory")]}
    assert beside_the_inventory(variables) == tmp_path


def test_it_lies_beside_a_file_that_is_the_inventory(tmp_path: Path) -> None:
    file = tmp_path / "hosts.yml"
    file.touch()
    variables = {
        "inventory_dir": str(tmp_path),
        "ansible_inventory_sources": [str(file), "fe01.contoso.com,"],
    }
    assert beside_the_inventory(variables) == tmp_path
    assert beside_the_inventory({}) == Path()
