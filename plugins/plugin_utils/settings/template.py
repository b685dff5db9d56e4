# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a new, narrower collection begins with.

New- begins with the type's defaults, not with what applied there (assumed from the defaults that Microsoft Learn prints
for each parameter; `New-` with `-InMemory` shows them). A new policy of a site would so cut everybody there off from
whatever a wider one allowed. It therefore begins as a copy of what is in force there, unless something else is named.
"""

from __future__ import annotations

from collections.abc import Sequence

from ..result.refusals import Refused, UnusableArgument
from ..result.status import Status
from .identity import GLOBAL, Identity, Scope
from .plan import Assessment
from .reading import find
from .resource import Collection, Kind


def template(assessed: Assessment, listed: Sequence[Collection]) -> Collection | None:
    """The collection to copy; None where nothing is created, or the request says what a new object is made of.

    Raises UnusableArgument for one that does not exist, and Refused where it is not known which is in force.
    """
    desired = assessed.desired
    if (
        assessed.kind is not Kind.CREATE
        or not assessed.resource.layered
        or desired.exact
        or desired.server_defaults
    ):
        return None
    if desired.copy_of is not None:
        named = find(listed, desired.copy_of)
        if named is None:
            names = ", ".join(str(each.identity) for each in listed)
            raise UnusableArgument(
                "copy_of", f"there is no {assessed.resource.title} '{desired.copy_of}'. There are: {names}"
            )
        return named
    return find(listed, _wider(assessed, listed)) or find(listed, GLOBAL)


def _wider(assessed: Assessment, listed: Sequence[Collection]) -> Identity:
    """The scope around a new collection. Of a per-user policy nobody can say whose it will be: Global."""
    if assessed.identity.scope is not Scope.SERVICE or not any(
        each.identity.scope is Scope.SITE for each in listed
    ):
        return GLOBAL
    if assessed.site is None:
        raise Refused(
            f"What is in force for {assessed.identity} is not known, because its site could not be read. Name what the "
            "new object shall be a copy of in copy_of, or give server_defaults: true",
            status=Status.UNKNOWN,
        )
    return assessed.site
