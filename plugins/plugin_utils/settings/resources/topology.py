# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What has to exist in the topology before settings can be created for it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ...powershell.commands import Command
from ...powershell.results import RemoteObject
from ...result.refusals import text_of
from ..identity import Identity, Scope, stored
from ..resource import Kind, ProposedChange, Requirement

SITES = Command("Get-CsSite")
SERVICES = Command("Get-CsService")


def site_identity(site: RemoteObject) -> Identity:
    """The identity of what Get-CsSite returns, ``Site:Redmond``."""
    return stored(text_of(site["Identity"]), (Scope.SITE,))


def service_identity(service: RemoteObject) -> Identity:
    """The identity of what Get-CsService returns, ``MediationServer:pool01.contoso.com``, as that of its
    settings.
    """
    return Identity(Scope.SERVICE, text_of(service["Identity"]))


def site_of_service(services: Iterable[RemoteObject], identity: Identity) -> Identity | None:
    """The site that a service is at; None where it is not among them."""
    found = (service for service in services if service_identity(service) == identity)
    return next((stored(text_of(service["SiteId"]), (Scope.SITE,)) for service in found), None)


def unknown(word: str, wanted: Identity, known: Iterable[Identity]) -> str | None:
    """That the topology has no such site or service, and which it has instead; None if it has it."""
    known = list(known)
    if wanted in known:
        return None
    names = ", ".join(sorted(identity.name for identity in known)) or "none"
    return f"the topology has no {word} '{wanted.name}'. It has: {names}"


def _site_objection(proposed: ProposedChange, sites: Sequence[RemoteObject] | None) -> str | None:
    return None if sites is None else _objection("site", proposed.identity, map(site_identity, sites))


def _service_objection(proposed: ProposedChange, services: Sequence[RemoteObject] | None) -> str | None:
    if services is None:
        return None
    role = proposed.identity.name.partition(":")[0]
    of_role = [
        identity for identity in map(service_identity, services) if identity.name.partition(":")[0] == role
    ]
    return _objection("service", proposed.identity, of_role)


def _objection(word: str, wanted: Identity, known: Iterable[Identity]) -> str | None:
    problem = unknown(word, wanted, known)
    return f"identity: {problem}" if problem else None


def _created_at(scope: Scope) -> Requirement:
    objection = _site_objection if scope is Scope.SITE else _service_objection
    identity = site_identity if scope is Scope.SITE else service_identity
    return Requirement(
        needed=lambda proposed: proposed.kind is Kind.CREATE and proposed.identity.scope is scope,
        read=SITES if scope is Scope.SITE else SERVICES,
        objection=objection,
        identities=lambda objects: map(identity, objects),
        site=site_of_service if scope is Scope.SERVICE else lambda objects, identity: None,
    )


SITE_EXISTS = _created_at(Scope.SITE)
SERVICE_EXISTS = _created_at(Scope.SERVICE)
