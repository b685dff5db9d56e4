# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The callback: the verdict is the exit code, other runs keep theirs, and whatever breaks is 12."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.lync.remediation.plugins.callback.drift_report import CallbackModule
from ansible_collections.lync.remediation.plugins.plugin_utils.drift.run import EXIT_CODES

VERDICT = "lync.remediation.drift_verdict"


def task(action: str) -> Any:
    return SimpleNamespace(
        action=action, resolved_action=action, get_name=lambda: action, get_path=lambda: "site.yml:1"
    )


def exit_code(*steps: tuple[str, Any]) -> int:
    """``steps`` are tasks with their results, None for one that returned nothing."""
    callback = CallbackModule()
    for action, result in steps:
        callback.v2_playbook_on_task_start(task(action), False)
        if result is not None:
            callback.v2_runner_on_ok(SimpleNamespace(_task=task(action), _result=result))
    try:
        callback.v2_playbook_on_stats(None)
    except SystemExit as end:
        return int(str(end.code))
    return 0


@pytest.mark.parametrize("code", EXIT_CODES.values())
def test_the_verdict_is_the_exit_code(code: int) -> None:
    assert exit_code(("lync.remediation.drift_check", {}), (VERDICT, {"exit_code": code})) == code


@pytest.mark.parametrize(
    ("steps", "code"),
    [
        ([("ansible.builtin.debug", {})], 0),
        ([("lync.remediation.drift_check", {})], 0),
        ([(VERDICT, None)], 12),
        ([(VERDICT, {})], 12),
        ([(VERDICT, {"exit_code": "x"}), (VERDICT, {"exit_code": 0})], 12),
        ([(VERDICT, {"exit_code": 99})], 12),
        ([(VERDICT, {"exit_code": 11}), (VERDICT, {"exit_code": 10})], 10),
        ([(VERDICT, {"exit_code": 12}), (VERDICT, {"exit_code": 0})], 12),
    ],
)
def test_what_came_to_no_verdict_is_refused(steps: list[tuple[str, Any]], code: int) -> None:
    assert exit_code(*steps) == code


def test_a_run_that_never_gets_to_its_verdict_is_refused() -> None:
    callback = CallbackModule()
    block = SimpleNamespace(block=[SimpleNamespace(block=[]), task(VERDICT)])
    play = SimpleNamespace(tasks=[block], roles=[])
    callback.v2_playbook_on_start(SimpleNamespace(get_plays=lambda: [play]))
    with pytest.raises(SystemExit) as end:
        callback.v2_playbook_on_stats(None)
    assert end.value.code == 12


def test_a_callback_that_breaks_says_so() -> None:
    callback = CallbackModule()
    callback.v2_playbook_on_start(None)
    callback.v2_playbook_on_task_start(task(VERDICT), False)
    with pytest.raises(SystemExit) as end:
        callback.v2_playbook_on_stats(None)
    assert end.value.code == 12
