# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module drift_notification; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import drift_notification as module
from ..plugin_utils.module_action import ControllerAction
from ..plugin_utils.notification.notifying import notify


class ActionModule(ControllerAction):
    DOCUMENTATION = module.DOCUMENTATION

    def assess(self, arguments: dict[str, Any]) -> dict[str, Any]:
        return notify(arguments, check_mode=bool(self._task.check_mode))
