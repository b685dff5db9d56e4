# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
name: drift_report
type: notification
short_description: Make the verdict on drift the exit code of the run
version_added: 1.1.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - C(ansible-playbook) itself can only say that a task failed. With this callback enabled, a run that checks,
    corrects or accepts drift exits with 0 where everything is as wanted, 10 where something differs, 11 where
    something could not be judged, and 12 where the run was refused or did not come to its verdict, and where the
    callback itself breaks.
  - Other runs keep their exit codes.
  - It ends the run when the statistics have been shown. Where several callbacks are enabled, name it last, so that the
    others get to see the statistics as well.
requirements:
  - to be enabled with C(callbacks_enabled = lync.remediation.drift_report) in ansible.cfg, or in
    C(ANSIBLE_CALLBACKS_ENABLED)
"""

from typing import Any

from ansible.plugins.callback import CallbackBase

_VERDICT = "lync.remediation.drift_verdict"
_BROKEN = 12


class CallbackModule(CallbackBase):
    """Small on purpose: the verdict is made by the module drift_verdict, and rendered elsewhere."""

    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "notification"
    CALLBACK_NAME = "lync.remediation.drift_report"
    CALLBACK_NEEDS_ENABLED = True

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._concerned = False
        self._exit_code: int | None = None

    def v2_playbook_on_start(self, playbook: Any) -> None:
        self._guarded(lambda: self._foresee(playbook))

    def v2_playbook_on_task_start(self, task: Any, is_conditional: bool) -> None:
        self._guarded(lambda: self._note(task))

    def v2_runner_on_ok(self, result: Any) -> None:
        self._guarded(lambda: self._take(result))

    def v2_playbook_on_stats(self, stats: Any) -> None:
        if self._concerned:
            code = _BROKEN if self._exit_code is None else self._exit_code
            if code:
                # Ansible catches exceptions of callbacks; this is none, and leads straight to the exit code.
                raise SystemExit(code)

    def _guarded(self, work: Any) -> None:
        try:
            work()
        except Exception as error:
            self._concerned, self._exit_code = True, _BROKEN
            self._display.warning(f"drift_report broke: {error!r}")

    def _foresee(self, playbook: Any) -> None:
        """A run that is to come to a verdict is one of ours, even if it never gets there."""
        for play in playbook.get_plays():
            for block in play.tasks:
                for task in block.block:
                    self._note(task)

    def _note(self, task: Any) -> None:
        self._concerned = self._concerned or _name_of(task) == _VERDICT

    def _take(self, result: Any) -> None:
        # ansible-core 2.19 has made these attributes properties without the underscore.
        task = getattr(result, "task", None) or result._task
        found = getattr(result, "result", None) or result._result
        if _name_of(task) == _VERDICT and self._exit_code != _BROKEN:
            self._exit_code = max(self._exit_code or 0, int(found["exit_code"]), key=_worst)


def _name_of(task: Any) -> str:
    """Blocks have none."""
    return str(getattr(task, "resolved_action", None) or getattr(task, "action", ""))


def _worst(code: int) -> int:
    """From the best exit code to the worst: 0, 11, 10, 12."""
    return (0, 11, 10, _BROKEN).index(code)
