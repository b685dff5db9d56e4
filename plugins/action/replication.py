# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module replication; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import replication as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.bounds import WEEK, between
from ..plugin_utils.result.result import Result
from ..plugin_utils.topology import replication


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        between(arguments, timeout=(1, WEEK))
        return replication.remediate(
            envelope,
            replication.Request(
                arguments["replicas"],
                arguments["force"],
                arguments["timeout"],
                arguments["interval"],
                replication.reports(arguments["since"]),
            ),
        )
