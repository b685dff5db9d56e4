# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module print_lines; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import print_lines as module
from ..plugin_utils.module_action import ControllerAction


class ActionModule(ControllerAction):
    DOCUMENTATION = module.DOCUMENTATION

    def assess(self, arguments: dict[str, Any]) -> dict[str, Any]:
        title = [arguments["title"]] if arguments["title"] else []
        lines = [*title, *arguments["lines"]]
        # One call, since other hosts' workers print at the same time.
        self._display.display("\n".join(["", *lines]))
        return {"lines": lines}
