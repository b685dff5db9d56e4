# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module time_service; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import time_service as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.bounds import WEEK, between
from ..plugin_utils.result.result import Result
from ..plugin_utils.windows import time_service


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        between(arguments, timeout=(1, WEEK))
        beside = ("timeout", "start_without_domain")
        options = {option: value for option, value in arguments.items() if option not in beside}
        request = time_service.Request(options, *(arguments[option] for option in beside))
        return time_service.remediate(envelope, request)
