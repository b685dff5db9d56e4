# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The rooms of plugin_utils stand above each other, and imports go down only."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

PLUGIN_UTILS = Path(__file__).parents[2] / "plugins" / "plugin_utils"
# From the top floor down; rooms on one floor know nothing of each other.
FLOORS = (
    ("connection_info", "notification", "schedule"),
    ("report",),
    ("drift", "health"),
    ("roll_back",),
    ("certificate", "clock", "federation", "trace"),
    ("people", "restart"),
    ("settings",),
    ("topology",),
    ("windows",),
    ("run_action", "inventory_sessions"),
    ("module_action",),
    ("argument_types",),
    ("change",),
    ("result",),
    ("powershell",),
)
FLOOR = {room: number for number, rooms in enumerate(reversed(FLOORS)) for room in rooms}


FILES = sorted(PLUGIN_UTILS.rglob("*.py"))


@pytest.mark.parametrize("file", FILES, ids=lambda file: str(file.relative_to(PLUGIN_UTILS)))
def test_imports_go_down_only(file: Path) -> None:
    parts = file.relative_to(PLUGIN_UTILS).with_suffix("").parts
    for dots, path in re.findall(r"(?m)^\s*from (\.+)([\w.]*) import", file.read_text(encoding="utf-8")):
        if len(dots) > len(parts):
            continue  # Beside plugin_utils: documentation.
        room = (*parts[: len(parts) - len(dots)], *path.split("."))[0]
        assert room == parts[0] or FLOOR[room] < FLOOR[parts[0]], f"{parts[0]} imports {room}"
