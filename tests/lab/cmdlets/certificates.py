# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the session's computer: what Get- and Set-CsCertificate do.

Behaviour: MicrosoftDocs/office-docs-powershell, the pages of the cmdlets; Microsoft, "Assign a server-to-server
authentication certificate".  Printed object: Microsoft, "Check Lync Server 2013 server certificates".  Texts of
errors are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.certificates import EXTERNAL, OAUTH, Certificate, HeldCertificates
from lab.objects.values import NetObject, get_property, text_of
from lab.powershell.engine import Invocation
from lab.powershell.errors import not_modelled
from lab.powershell.registry import implements


def _held(invocation: Invocation) -> HeldCertificates:
    session = invocation.session
    held: HeldCertificates = session.deployment.certificates(session.computer.fqdn)
    return held


def _is_global(invocation: Invocation) -> bool:
    """Whether -Identity names the certificates of the whole deployment, which live in the store."""
    identity = text_of(invocation.get("Identity") or "").lower()
    if not identity:
        return False
    if identity != "global":
        raise failed(invocation, "identity_malformed", identity, identity=identity)
    invocation.session.require_store()
    return True


def _uses(invocation: Invocation) -> list[str]:
    """The uses of -Type, one by one."""
    named = [use.name for use in invocation.get("Type") or ()]
    return list(dict.fromkeys(use for name in named for use in (EXTERNAL if name == "External" else (name,))))


def _assignments(invocation: Invocation, held: HeldCertificates, use: str) -> dict[str, Certificate]:
    """Where that use is kept; raises PowerShellError for one that the computer does not have."""
    if use == OAUTH or _is_global(invocation):
        if use != OAUTH or invocation.session.deployment.version == "2010":
            raise failed(invocation, "certificate_use_refused", use, use=use)
        invocation.session.require_store()
        return held.shared
    if use not in held.uses:
        raise failed(invocation, "certificate_use_refused", use, use=use)
    return held.assigned


@implements("Get-CsCertificate")
def get_certificate(invocation: Invocation) -> Iterator[NetObject]:
    held = _held(invocation)
    wanted = _uses(invocation)
    shown = held.shared if _is_global(invocation) else {**held.assigned, **held.shared}
    for use, certificate in shown.items():
        if not wanted or use in wanted:
            yield certificate.reference(use, invocation.session.machine.zone)


@implements("Set-CsCertificate")
def set_certificate(invocation: Invocation) -> Iterable[Any]:
    """Assigns a certificate of the computer's store to uses, at once."""
    held = _held(invocation)
    uses = _uses(invocation)
    if not uses:
        raise failed(invocation, "certificate_type_needed")
    if any(invocation.given(name) for name in ("Path", "Roll", "EffectiveDate")):
        raise not_modelled("certificates of files, and staged ones")
    reference = invocation.get("Reference")
    thumbprint = text_of(
        get_property(reference, "Thumbprint") if reference is not None else invocation.get("Thumbprint")
    )
    wanted = thumbprint.replace(" ", "").upper()
    certificate = next((c for c in held.installed if c.thumbprint == wanted), None)
    if certificate is None:
        raise failed(invocation, "certificate_unknown", thumbprint, thumbprint=thumbprint)
    places = [_assignments(invocation, held, use) for use in uses]
    if not certificate.has_private_key:
        raise failed(invocation, "certificate_without_key", thumbprint=certificate.thumbprint)
    if invocation.should_process(invocation.session.machine.fqdn):
        with invocation.session.deployment.lock:
            for use, assignments in zip(uses, places, strict=True):
                assignments[use] = certificate
    return ()
