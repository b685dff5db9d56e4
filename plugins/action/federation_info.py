# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module federation_info; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modules import federation_info as module
from ..plugin_utils.change import journal
from ..plugin_utils.federation.history import Place, changed_by_the_role
from ..plugin_utils.federation.prerequisites import State, prerequisites, product_of
from ..plugin_utils.federation.reading import OutsideOptions, deployment
from ..plugin_utils.module_action import InfoAction
from ..plugin_utils.powershell.shell import ManagementShell
from ..plugin_utils.result.pasting import inventory_arguments


class ActionModule(InfoAction):
    DOCUMENTATION = module.DOCUMENTATION

    def run(self, tmp: str | None = None, task_vars: dict[str, Any] | None = None) -> dict[str, Any]:
        self._variables: Mapping[str, Any] = task_vars or {}
        return super().run(tmp, task_vars)

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        found = deployment(
            shell, OutsideOptions(arguments["outside"], arguments["dns_servers"], arguments["dns_port"])
        )
        judged = prerequisites(found)
        inventory = inventory_arguments(self._variables)
        return {
            "version": found.version,
            "product": product_of(found.version),
            "ready": all(each.state is State.MET for each in judged),
            "prerequisites": [each.as_dict(inventory) for each in judged],
            **{
                state.value: [each.name for each in judged if each.state is state]
                for state in (State.UNMET, State.UNKNOWN)
            },
            "changes": self._changes(Place(shell.endpoint.url, found.names)),
        }

    def _changes(self, place: Place) -> list[dict[str, Any]]:
        folder = self._journal_folder(self._variables)
        entries = journal.entries(folder) if folder else []
        return [each.as_dict() for each in changed_by_the_role(entries, place)]
