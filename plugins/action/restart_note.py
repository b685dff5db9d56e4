# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module restart_note; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import restart_note as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.clock import restart_note
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.bounds import finite
from ..plugin_utils.result.refusals import UnusableArgument
from ..plugin_utils.result.result import Result


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        finite(arguments, "offset_ms")
        present, reason = arguments["state"] == "present", arguments["reason"]
        if present and not (reason or "").strip():
            raise UnusableArgument("reason", "state: present needs the reason why a restart is pending.")
        request = restart_note.Request(present, reason or "", arguments["offset_ms"], arguments["zone"])
        return restart_note.remediate(envelope, request)
