# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Role-based access control: which cmdlets a caller of /OcsPowershell sees.

Source: Microsoft, "Planning for role-based access control" (Lync Server 2013): the standard roles and what
each is for.  No public source lists the cmdlets of each role; the selections below are inferred from those
descriptions.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

_SERVICES = (
    "Start-CsWindowsService",
    "Stop-CsWindowsService",
    "Invoke-CsComputerFailOver",
    "Invoke-CsComputerFailBack",
    "Invoke-CsManagementStoreReplication",
    "Set-CsCertificate",
)
_USERS = ("Set-CsUser",)


@dataclass(frozen=True)
class Role:
    """An administrative role; ``allows`` decides by the cmdlet's name."""

    name: str
    template: str
    without: frozenset[str] = frozenset()

    def allows(self, command: str) -> bool:
        return command.lower() not in self.without and _allows(self.template, command)


def _allows(template: str, command: str) -> bool:
    verb, _, noun = command.partition("-")
    reads = verb in ("Get", "Test", "Show", "Search")
    if template == "CsAdministrator":
        return True
    if template == "CsServerAdministrator":
        return reads or command in _SERVICES
    if template == "CsUserAdministrator":
        return reads or verb == "Grant" or command in _USERS
    if template == "CsVoiceAdministrator":
        return reads or noun in ("CsTrunkConfiguration",)
    if template in (
        "CsViewOnlyAdministrator",
        "CsHelpDesk",
        "CsLocationAdministrator",
        "CsArchivingAdministrator",
    ):
        return reads
    return verb == "Get" and noun in ("CsUser", "CsSite", "CsPool", "CsService")


STANDARD_ROLES: Mapping[str, Role] = {
    name.lower(): Role(name, name)
    for name in (
        "CsAdministrator",
        "CsUserAdministrator",
        "CsVoiceAdministrator",
        "CsServerAdministrator",
        "CsViewOnlyAdministrator",
        "CsHelpDesk",
        "CsArchivingAdministrator",
        "CsResponseGroupAdministrator",
        "CsLocationAdministrator",
        "CsResponseGroupManager",
        "CsPersistentChatAdministrator",
    )
}


def roles_in(version: str) -> dict[str, Role]:
    """The standard roles of a version: 2010 lacks those that came with Lync Server 2013."""
    newer = {"csresponsegroupmanager", "cspersistentchatadministrator"}
    return {key: role for key, role in STANDARD_ROLES.items() if version != "2010" or key not in newer}


def allowed(command: str, roles: Iterable[Role]) -> bool:
    return any(role.allows(command) for role in roles)
