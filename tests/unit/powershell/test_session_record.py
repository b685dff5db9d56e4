# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A record is taken by one worker at a time, once, and only if it can be trusted."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session_record import (
    AllInUse,
    RecordFile,
    SessionRecord,
)

RECORD = SessionRecord(
    "SHELL",
    "POOL",
    "WSMAN",
    7,
    "2.3",
    "5.1",
    "1.1.0.1",
    "5.1",
    None,
    None,
    {"Set-X": {"A": "bool"}, "New-X": None},
    [{"name": "LB", "value": "1", "domain": "pool", "path": "/"}],
)


def claim(folder: Path, user: str = "alice") -> RecordFile | None:
    return RecordFile.claim(str(folder), "https://pool/OcsPowershell", user)


def left(folder: Path) -> Path:
    file = claim(folder)
    assert file is not None
    file.leave(RECORD)
    file.release()
    return next(path for path in folder.iterdir() if path.stat().st_size)


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


def test_a_record_is_taken_once_so_that_nobody_goes_on_with_a_session_whose_worker_died(
    tmp_path: Path,
) -> None:
    left(tmp_path)
    taken(tmp_path)
    assert taken(tmp_path) is None
    file = claim(tmp_path)
    assert file is not None
    assert file.abandoned() == RECORD
    file.clear()
    assert file.abandoned() is None


def test_there_are_two_slots_and_the_third_worker_waits(tmp_path: Path) -> None:
    first, second = claim(tmp_path), claim(tmp_path)
    assert first is not None
    assert second is not None
    with pytest.raises(AllInUse):
        claim(tmp_path)
    first.release()
    assert claim(tmp_path) is not None


def test_a_slot_with_a_session_is_preferred(tmp_path: Path) -> None:
    first, second = claim(tmp_path), claim(tmp_path)
    assert first is not None
    assert second is not None
    second.leave(RECORD)
    first.release()
    second.release()
    assert taken(tmp_path) == RECORD


def test_all_slots_that_nobody_uses(tmp_path: Path) -> None:
    assert len(RecordFile.claim_all(str(tmp_path), "https://pool/OcsPowershell", "alice")) == 2
    assert RecordFile.claim_all(str(tmp_path / "missing"), "https://pool/OcsPowershell", "alice") == []


def test_another_account_has_its_own(tmp_path: Path) -> None:
    left(tmp_path)
    other = claim(tmp_path, "bob")
    assert other is not None
    assert other.take() is None


def test_the_file_is_private_and_holds_no_more_than_the_record(tmp_path: Path) -> None:
    path = left(tmp_path)
    assert path.stat().st_mode & 0o777 == 0o600
    assert set(json.loads(path.read_text())) == {"format", "key", "left", *vars(RECORD)}


@pytest.mark.parametrize(
    "damage",
    [
        lambda text: "",
        lambda text: text[: len(text) // 2],
        lambda text: "[]",
        lambda text: "7",
        lambda text: text.replace('"format": 3', '"format": 2'),
        lambda text: text.replace('"key": "', '"key": "0'),
        lambda text: text.replace('"fragment_counter": 7', '"fragment_counter": "7"'),
        lambda text: text.replace('"shell_id": "SHELL"', '"shell_id": ""'),
        lambda text: text.replace('"fragment_counter": 7', '"fragment_counter": true'),
        lambda text: text.replace('"fragment_counter": 7', f'"fragment_counter": {2**63}'),
        lambda text: text.replace('"ps_version"', '"other"'),
        lambda text: text.replace('"2.3"', '"abc"'),
        lambda text: text.replace('"serialization_version": "1.1.0.1"', '"serialization_version": 1'),
        lambda text: text.replace('"New-X": null', '"New-X": 7'),
        lambda text: text.replace('"Set-X": {"A": "bool"}', '"Set-X": {"A": 1}'),
        lambda text: text.replace('"value": "1"', '"value": 1'),
        lambda text: text.replace('"value"', '"worth"'),
        lambda text: "[" * 100_000,
        lambda text: "\udcff".encode("utf-8", "surrogateescape").decode("latin-1") + text,
    ],
)
def test_a_damaged_record_is_not_used(tmp_path: Path, damage: Callable[[str], str]) -> None:
    path = left(tmp_path)
    changed = damage(path.read_text())
    assert changed != path.read_text()
    path.write_text(changed)
    assert taken(tmp_path) is None


def test_a_record_that_others_could_write_is_not_used(tmp_path: Path) -> None:
    left(tmp_path).chmod(0o666)
    assert taken(tmp_path) is None


def test_a_link_is_not_followed(tmp_path: Path) -> None:
    path = left(tmp_path)
    target = tmp_path / "target"
    path.rename(target)
    path.symlink_to(target)
    assert taken(tmp_path) is None


def test_without_a_folder_there_is_no_record(tmp_path: Path) -> None:
    assert claim(tmp_path / "missing") is None
