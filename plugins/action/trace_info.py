# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module trace_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ansible.utils.display import Display

from ..modules import trace_info as module
from ..plugin_utils.module_action import ControllerAction
from ..plugin_utils.result.pasting import inventory_arguments
from ..plugin_utils.trace.trace_info import trace_info


class ActionModule(ControllerAction):
    DOCUMENTATION = module.DOCUMENTATION

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._inventory = inventory_arguments(task_vars or {})
        return super().run(tmp, task_vars)

    def assess(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return trace_info(arguments, _progress, self._inventory)


def _progress(file: str, size: int) -> None:
    Display().display(f"{file}: {size >> 20} MiB read")
