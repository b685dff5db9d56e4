# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module time_zone; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import time_zone as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.result import Result
from ..plugin_utils.windows import time_zone


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        request = time_zone.Request(arguments["zone"], arguments["daylight_saving"])
        return time_zone.remediate(envelope, request)
