# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module external_access_policy_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import external_access_policy_info as module
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.settings import effective
from ..plugin_utils.settings.action import SettingsInfoAction
from ..plugin_utils.settings.resource import Collection
from ..plugin_utils.settings.resources.external_access_policy import EXTERNAL_ACCESS_POLICY


class ActionModule(SettingsInfoAction):
    DOCUMENTATION = module.DOCUMENTATION
    RESOURCE = EXTERNAL_ACCESS_POLICY

    def further(
        self, arguments: dict[str, Any], shell: ManagementShell, listed: list[Collection]
    ) -> dict[str, Any]:
        of_users = effective.users(shell, listed, arguments["users"])
        return {"effective": of_users + effective.sites(shell, self.RESOURCE, listed, arguments["sites"])}
