# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import clock as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.clock import clock
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.result import Result
from ..plugin_utils.windows.w32time import one_host


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        if arguments["ntp_server"] is not None:
            one_host("ntp_server", arguments["ntp_server"])
        request = clock.Request(
            limit=arguments["max_offset_ms"] / 1000,
            reference=arguments["reference_offset"],
            confirmed=arguments["reference_confirmed"],
            time_server=arguments["ntp_server"],
            may_step=arguments["allow_step"],
            purge_tickets=arguments["purge_tickets"],
            samples=arguments["samples"],
            timeout=arguments["timeout"],
            interval=arguments["interval"],
        )
        return clock.remediate(envelope, request)
