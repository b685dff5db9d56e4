# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module replication_info; what it does is described there."""

from __future__ import annotations

from typing import Any

from ..modules import replication_info as module
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.topology import replication


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        overview = replication.overview(shell, arguments["replicas"])
        late = replication.behind(overview.replicas)
        return {
            "up_to_date": not late,
            "behind": [each.fqdn for each in late],
            "replicas": [each.as_dict() for each in overview.replicas],
            "central_management_store": overview.store,
            "active_masters": overview.masters,
            "trouble": list(overview.trouble),
        }
