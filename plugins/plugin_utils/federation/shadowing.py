# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Which collections of settings keep a change at a wider scope from having an effect.

A policy granted to a user goes before that of the user's site, and this before the Global one; settings of a service go
before those of its site, and these before the Global ones (Microsoft Learn, Grant-CsExternalAccessPolicy; Lync Server
2013, "Enabling QoS for devices that are not based on Windows"; a service before its site: assumed, no public source
found).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from ..settings.identity import Identity, Scope, stored

SCOPES = (Scope.GLOBAL, Scope.SITE, Scope.SERVICE, Scope.USER)

Options = Mapping[str, Any]
"""A collection as an info module lists it: ``identity`` and its properties as options."""


def identity_of(collection: Options) -> Identity:
    return stored(collection["identity"], SCOPES)


def shadowing(
    collections: Sequence[Options],
    changed: Sequence[Identity],
    values: Options,
    sites: Mapping[Identity, Identity],
) -> list[Options]:
    """The collections that are narrower than one of those ``changed``, not among them, and differ from ``values``.

    ``sites`` holds the site of each service; a service that is missing there may be at any.
    """
    return [
        collection
        for collection in collections
        if (identity := identity_of(collection)) not in changed
        and any(_narrower(identity, wide, sites) for wide in changed)
        and differs(collection, values)
    ]


def differs(collection: Options, values: Options) -> bool:
    return any(collection.get(option) != value for option, value in values.items())


def _narrower(identity: Identity, wide: Identity, sites: Mapping[Identity, Identity]) -> bool:
    if identity.scope is Scope.GLOBAL:
        return False
    if wide.scope is Scope.GLOBAL:
        return True
    if wide.scope is not Scope.SITE:
        return False
    if identity.scope is Scope.SERVICE:
        return sites.get(identity, wide) == wide
    return identity.scope is Scope.USER
