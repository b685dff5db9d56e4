# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The report that the callback makes of whole runs."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from report_formats import assert_all_say_the_same

from .conftest import Ansible, Run

NOUNS = "CsMediaConfiguration,CsExternalAccessPolicy"
FORMATS = "html,csv,junit,prometheus,text"


def environment(folder: Path) -> dict[str, str]:
    return {
        "ANSIBLE_CALLBACKS_ENABLED": "lync.remediation.drift_report",
        "ANSIBLE_SHOW_CUSTOM_STATS": "true",
        "LYNC_REMEDIATION_REPORT_FOLDER": str(folder),
        "LYNC_REMEDIATION_REPORT_FORMATS": FORMATS,
    }


def model_of(folder: Path, name: str) -> dict[str, Any]:
    model: dict[str, Any] = json.loads((folder / f"{name}.json").read_text(encoding="ascii"))
    return model


@pytest.fixture
def run(contoso: Ansible, tmp_path: Path) -> Callable[..., tuple[Run, dict[str, Any]]]:
    def run(playbook: str, *arguments: str, **more: str) -> tuple[Run, dict[str, Any]]:
        command = ["ansible-playbook", "-i", contoso.lab.inventory.name, f"lync.remediation.{playbook}"]
        done = contoso.run([*command, *arguments], **{**environment(tmp_path), **more})
        return done, model_of(tmp_path, "drift" if playbook == "check_drift" else playbook)

    return run


def as_typed(line: str) -> list[str]:
    return shlex.split(line)


def test_what_was_found_is_put_back_and_kept_by_the_lines_of_the_report(
    contoso: Ansible, run: Callable[..., tuple[Run, dict[str, Any]]], tmp_path: Path
) -> None:
    lab = contoso.lab
    assert run("export_baseline", "-e", f"drift_nouns={NOUNS}")[0].exit_code == 0
    lab.inject("other_administrator", noun="CsMediaConfiguration", EnableQoS="true")
    lab.inject("other_administrator", noun="CsExternalAccessPolicy", EnableOutsideAccess="true")
    drifted, found = run("check_drift", "-e", "secret_of_mine=hunter2")
    assert drifted.exit_code == found["exit_code"] == 10, drifted.output
    assert_all_say_the_same(found)
    assert "hunter2" not in (tmp_path / "drift.json").read_text(encoding="ascii")
    stats = drifted.output[drifted.output.index("lync_remediation_drift") :]
    shown = {name: int(re.search(rf"\b{name}\W+(\d+)", stats)[1]) for name in found["counts"]}
    assert shown == found["counts"]
    end = drifted.output[drifted.output.index("DIFFERS. 2 things differ") :].splitlines()
    assert all(len(line) < 80 for line in end[:-1]), end
    assert end[-1] == f"Report: {tmp_path / 'drift.html'}"

    first, second = found["findings"]
    kept = contoso.run(as_typed(first["keep"]), **environment(tmp_path))
    assert kept.exit_code == 10, kept.output
    put_back = contoso.run(as_typed(second["put_back"]), **environment(tmp_path))
    assert put_back.exit_code == 0, put_back.output
    corrected = model_of(tmp_path, "drift")
    assert (corrected["word"], corrected["counts"]["corrected"]) == ("corrected", 1)
    assert [each["mode"] for each in corrected["history"]] == ["check", "accept", "enforce"]
    back = contoso.run(as_typed(corrected["deployments"][0]["take_back"]), **environment(tmp_path))
    assert back.changed == 1, back.output
    # What was taken back contradicts the baseline again, which the same run says.
    assert model_of(tmp_path, "roll_back")["counts"]["drifted"] == 1


def test_hosts_that_nobody_could_ask_are_unknown_and_the_earlier_report_survives(
    contoso: Ansible, run: Callable[..., tuple[Run, dict[str, Any]]], tmp_path: Path
) -> None:
    assert run("export_baseline", "-e", f"drift_nouns={NOUNS}")[0].exit_code == 0
    away, found = run("check_drift", "-e", "ansible_port=1")
    assert away.exit_code == found["exit_code"] == 11, away.output
    assert found["word"] == "cannot say"
    assert found["counts"]["unknown"] == 1
    stopped, found = run("enable_windows_live_av_federation", "--check", "-e", "ansible_port=1")
    assert stopped.exit_code == 4, stopped.output
    assert [each["outcome"] for each in found["hosts"]] == ["unreachable"]
    assert (found["counts"]["unknown"], found["exit_code"]) == (1, None)

    before = (tmp_path / "drift.html").read_bytes()
    (tmp_path / "drift.history.json").write_text('{"format": 7}', encoding="ascii")
    contoso.expected_warnings = [f"{tmp_path}/drift.history.json cannot be used", "The folder "]
    older = run("check_drift")[0]
    assert older.exit_code == 12, older.output
    assert "it has the format 7" in older.text
    assert (tmp_path / "drift.html").read_bytes() != before
    assert (tmp_path / "drift.history.json").read_text(encoding="ascii") == '{"format": 7}'
    (tmp_path / "a_file").write_text("", encoding="ascii")
    nowhere = run("check_drift", LYNC_REMEDIATION_REPORT_FOLDER=str(tmp_path / "a_file"))[0]
    assert nowhere.exit_code == 12
    assert "AS WANTED" in nowhere.text
