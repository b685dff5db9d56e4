# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module server_services; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import server_services as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.restart import server_services
from ..plugin_utils.restart.acting import Waits
from ..plugin_utils.result.result import Result


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        request = server_services.Request(
            state=arguments["state"],
            graceful=arguments["graceful"],
            pool_state=arguments["pool_state"],
            waits=Waits.of(arguments),
        )
        return server_services.remediate(envelope, request)
