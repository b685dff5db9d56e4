# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A record is taken by one worker at a time, once, and only if it can be trusted."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session_record import (
    RecordFile,
    SessionRecord,
)

RECORD = SessionRecord(
    "SHELL", "POOL", "WSMAN", 7, "2.3", "5.1", "1.1.0.1", "5.1", None, None, {"Set-X": ["A"], "New-X": None}
)


def claim(folder: Path, user: str = "alice") -> RecordFile | None:
    return RecordFile.claim(str(folder), "https://pool/OcsPowershell", user)


def left(folder: Path) -> Path:
    file = claim(folder)
    assert file is not None
    file.leave(RECORD)
    file.release()
    return next(folder.iterdir())


def taken(folder: Path) -> SessionRecord | None:
    file = claim(folder)
    assert file is not None
    try:
        return file.take()
    finally:
        file.release()


def test_the_next_worker_takes_what_was_left(tmp_path: Path) -> None:
    left(tmp_path)
    assert taken(tmp_path) == RECORD


def test_a_record_is_taken_once_so_that_a_worker_that_dies_leaves_nothing(tmp_path: Path) -> None:
    left(tmp_path)
    taken(tmp_path)
    assert taken(tmp_path) is None


def test_another_worker_does_not_get_a_record_in_use(tmp_path: Path) -> None:
    first = claim(tmp_path)
    assert first is not None
    assert claim(tmp_path) is None
    first.release()
    assert claim(tmp_path) is not None


def test_another_account_has_its_own(tmp_path: Path) -> None:
    left(tmp_path)
    other = claim(tmp_path, "bob")
    assert other is not None
    assert other.take() is None


def test_the_file_is_private_and_holds_no_more_than_the_record(tmp_path: Path) -> None:
    path = left(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"format", "key", *vars(RECORD)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "7",
        lambda text: text.replace('"format": 1', '"format": 2'),
        lambda text: text.replace('"key": "', '"key": "0'),
        lambda text: text.replace('"fragment_counter": 7', '"fragment_counter": "7"'),
        lambda text: text.replace('"shell_id": "SHELL"', '"shell_id": ""'),
        lambda text: text.replace('"ps_version"', '"other"'),
        lambda text: "\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + text,
    ],
)
def test_a_damaged_record_is_not_used(tmp_path: Path, damage) -> None:
    path = left(tmp_path)
    changed = damage(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    assert taken(tmp_path) is None


def test_a_record_that_others_could_write_is_not_used(tmp_path: Path) -> None:
    left(tmp_path).chmod(0o666)
    assert claim(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = left(tmp_path)
    target = tmp_path / "target"
    path.rename(target)
    path.symlink_to(target)
    assert claim(tmp_path) is None


def test_without_a_folder_there_is_no_record(tmp_path: Path) -> None:
    assert claim(tmp_path / "missing") is None
