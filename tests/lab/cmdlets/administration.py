# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Administrative roles and the management connection."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from typing import Any

from lab.catalogue import lync_commands
from lab.cmdlets.settings import failed
from lab.objects.values import NetObject, enumeration, string_list
from lab.powershell.builtin import matches
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements
from lab.rbac import Role


def _sid(name: str) -> str:
    """A made-up SID, always the same for a name."""
    digest = hashlib.sha256(name.lower().encode()).digest()
    parts = [int.from_bytes(digest[start : start + 4], "big") for start in (0, 4, 8)]
    return f"S-1-5-21-{parts[0]}-{parts[1]}-{parts[2]}-{1000 + digest[12]}"


def _role_object(role: Role, version: str) -> NetObject:
    cmdlets = [command.name for command in lync_commands(version).values() if role.allows(command.name)]
    return NetObject(
        ("Microsoft.Rtc.Management.WritableConfig.Settings.Roles.Role", "System.Object"),
        {
            "Identity": role.name,
            "SID": _sid(role.name),
            "IsStandardRole": role.is_standard,
            "Cmdlets": string_list(cmdlets),
            "ConfigScopes": string_list(role.config_scopes),
            "UserScopes": string_list(role.user_scopes),
            "Template": None if role.is_standard else role.template,
        },
        text=role.name,
    )


@implements("Get-CsAdminRole")
def get_admin_role(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    if not invocation.get("LocalStore"):
        session.require_store()
    roles = session.deployment.roles
    identity, pattern, sid = invocation.get("Identity"), invocation.get("Filter"), invocation.get("Sid")
    if identity is not None and identity.lower() not in roles:
        raise failed(invocation, "does_not_exist", identity, type="Role", identity=identity)
    for role in roles.values():
        if identity is not None and role.name.lower() != identity.lower():
            continue
        if pattern is not None and not matches(role.name, pattern):
            continue
        if sid is not None and _sid(role.name) != sid:
            continue
        yield _role_object(role, session.deployment.version)


@implements("Get-CsAdminRoleAssignment")
def get_admin_role_assignment(invocation: Invocation) -> Iterator[str]:
    """The names of the roles that a person has."""
    session = invocation.session
    if not invocation.get("LocalStore"):
        session.require_store()
    wanted = invocation.get("Identity").lower()
    for person in session.deployment.people:
        if wanted in (person.sam_account_name.lower(), person.name.lower(), person.principal.lower()):
            yield from person.roles
            return
    raise failed(invocation, "user_unknown", identity=invocation.get("Identity"))


@implements("Get-CsManagementConnection")
def get_management_connection(invocation: Invocation) -> Iterator[Any]:
    """Names of the properties are assumed."""
    topology = invocation.session.deployment.topology
    master = topology.pool(topology.central_management)
    assert master is not None
    instance = rf"{master.sql_server}\rtc"
    provider = enumeration("Microsoft.Rtc.Management.Xds.StoreProvider", ("Sql", "FileSystem"))
    yield NetObject(
        ("Microsoft.Rtc.Management.Xds.ManagementConnection", "System.Object"),
        {
            "StoreProvider": provider.Sql,
            "Connection": f"Data Source={instance};Initial Catalog=xds;Integrated Security=True",
            "ReadOnly": False,
            "SqlServer": master.sql_server,
            "SqlInstance": "rtc",
        },
    )
