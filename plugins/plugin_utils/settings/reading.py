# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Reading every object of a noun."""

from __future__ import annotations

from collections.abc import Sequence

from ..powershell.commands import Command
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable
from .identity import GLOBAL, Identity, Scope
from .resource import Collection, Resource


def collections(shell: ManagementShell, resource: Resource, *described: str) -> list[Collection]:
    """Every object of the noun, in the server's order, learning on the way the parameters of the ``described`` cmdlets.

    All are read rather than one: an object that does not exist is then one that is not listed, and never an
    error whose meaning would have to be guessed. Raises what the server answered if reading failed, and Unreadable for
    an answer that proves nothing.
    """
    results = shell.run(*shell.describing(*described), Command(resource.cmdlet("Get")))
    if results.errors:
        raise shell.classify(results.errors[0])
    listed = listed_in(results, resource)
    if not is_complete(listed, resource):
        raise Unreadable(
            f"{resource.cmdlet('Get')} returned no {GLOBAL} {resource.title}, although there always is one."
        )
    return listed


def is_complete(listed: Sequence[Collection], resource: Resource) -> bool:
    """Whether it can be all that there is: where there are Global objects, one always exists, but for a few nouns."""
    has_none = Scope.GLOBAL not in resource.scopes or resource.may_lack_global
    return has_none or find(listed, GLOBAL) is not None


def listed_in(results: Results, resource: Resource) -> list[Collection]:
    return [resource.collection(remote) for remote in results.objects()]


def find(listed: Sequence[Collection], identity: Identity) -> Collection | None:
    """The object of that identity; where it is listed twice, as a New- and the Get- after it list it, the
    later.
    """
    return next((collection for collection in reversed(listed) if collection.identity == identity), None)
