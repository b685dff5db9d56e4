# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the session's computer: what Get-, Set- and Remove-CsCertificate do.

Behaviour: MicrosoftDocs/office-docs-powershell, the pages of the cmdlets; Microsoft, "Assign a server-to-server
authentication certificate", "Staging AV and OAuth certificates using -Roll in Set-CsCertificate".  Printed object:
Microsoft, "Check Lync Server 2013 server certificates".  Texts of errors are assumed.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.certificates import EXTERNAL, OAUTH, Certificate, HeldCertificates, Rolled
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
    held, deployment = _held(invocation), invocation.session.deployment
    zone = invocation.session.machine.zone
    wanted = _uses(invocation)
    only_shared = _is_global(invocation)
    shown = held.shared if only_shared else {**held.assigned, **held.shared}
    for use in dict.fromkeys([*shown, *(() if only_shared else held.rolled)]):
        if wanted and use not in wanted:
            continue
        rolled = None if use in held.shared else held.rolled.get(use)
        if rolled is not None:
            yield rolled.certificate.reference(
                use, zone, deployment.rolling_shown(rolled.effective, False, zone)
            )
        if use in shown:
            yield shown[use].reference(use, zone, deployment.rolling_shown(None, rolled is not None, zone))


@implements("Set-CsCertificate")
def set_certificate(invocation: Invocation) -> Iterable[Any]:
    """Assigns a certificate of the computer's store to uses, at once or from a moment on.

    That the one that was to follow is forgotten where another is assigned at once is assumed.
    """
    held = _held(invocation)
    uses = _uses(invocation)
    if not uses:
        raise failed(invocation, "certificate_type_needed")
    if invocation.given("Path"):
        raise not_modelled("certificates of files")
    effective = invocation.get("EffectiveDate")
    if bool(invocation.get("Roll")) is not (effective is not None):
        raise failed(invocation, "certificate_roll_without_date")
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
                if effective is None:
                    held.rolled.pop(use, None)
                    assignments[use] = certificate
                else:
                    held.rolled[use] = Rolled(certificate, effective)
    return ()


@implements("Remove-CsCertificate")
def remove_certificate(invocation: Invocation) -> Iterable[Any]:
    """Takes the assignment away, with -Previous that of the one before; the certificate stays in the store."""
    held = _held(invocation)
    for use in _uses(invocation):
        assignments = _assignments(invocation, held, use)
        rolled = held.rolled.get(use)
        if invocation.get("Previous"):
            if rolled is not None and invocation.should_process(invocation.session.machine.fqdn):
                with invocation.session.deployment.lock:
                    assignments[use] = held.rolled.pop(use).certificate
        elif use in assignments or rolled is not None:
            query = invocation.session.deployment.texts.text("certificate_in_use", use=use)
            if invocation.should_continue(query, "Confirm") and invocation.should_process(
                invocation.session.machine.fqdn
            ):
                with invocation.session.deployment.lock:
                    if held.rolled.pop(use, None) is None:
                        del assignments[use]
    return ()
