# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What this account may not do, and the least role that may."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..powershell.commands import Command
from ..powershell.errors import ManagementShellError
from ..powershell.shell import ManagementShell
from ..result.refusals import text_of
from ..settings import catalogue
from ..settings.nouns import rights, version_of
from .plan import Rights

_ROLES = Command("Get-CsAdminRole")
CMDLETS = (_ROLES.name,)


def rights_for(shell: ManagementShell, nouns: Iterable[str]) -> Rights:
    """What this session may write of these nouns, and the least role that could write the rest."""
    known = [catalogue.noun(name) for name in dict.fromkeys(nouns)]
    verbs = rights(shell, known)
    missing = [
        each.cmdlet(verb)
        for each in known
        for verb in ("Set", "New", "Remove")
        if verb in each.verbs and verb not in verbs[each.name]
    ]
    return Rights(verbs, least_roles(shell, missing) if missing else {})


def withheld(shell: ManagementShell, nouns: Iterable[str]) -> list[dict[str, str]]:
    """The cmdlets of these nouns that this version has and this session does not offer, each with the least role."""
    version = version_of(shell)
    known = [catalogue.noun(name) for name in dict.fromkeys(nouns)]
    known = [each for each in known if version is None or version in each.versions]
    verbs = rights(shell, known)
    missing = [
        each.cmdlet(verb)
        for each in known
        for verb in ("Get", "Set", "New", "Remove")
        if verb in each.verbs and verb not in verbs[each.name] and (verb == "Get" or not each.read_only)
    ]
    roles = least_roles(shell, missing) if missing else {}
    return [{"cmdlet": cmdlet, "role": roles.get(cmdlet, "")} for cmdlet in missing]


def least_roles(shell: ManagementShell, cmdlets: Sequence[str]) -> dict[str, str]:
    """By cmdlet the role with the fewest cmdlets that has it; empty where the session cannot tell."""
    try:
        results = shell.run(_ROLES)
    except ManagementShellError:
        return {}
    found: dict[str, tuple[int, str]] = {}
    for role in results.objects() if not results.errors else ():
        names = {text_of(each).lower() for each in role.get("Cmdlets") or () if each is not None}
        for cmdlet in cmdlets:
            if cmdlet.lower() in names:
                here = (len(names), text_of(role["Identity"]))
                found[cmdlet] = min(found.get(cmdlet, here), here)
    return {cmdlet: name for cmdlet, (_size, name) in found.items()}
