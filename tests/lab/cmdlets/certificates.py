# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Certificates of the session's computer: what Get-, Set-, Request-, Import- and Remove-CsCertificate do.

Behaviour: MicrosoftDocs/office-docs-powershell, the pages of the cmdlets; Microsoft, "Staging AV and OAuth
certificates using -Roll in Set-CsCertificate" and "Assign a server-to-server authentication certificate".
Printed object: Microsoft, "Check Lync Server 2013 server certificates".  That Request-CsCertificate returns
such an object, and the names of what it lists: scripts of AWS, Azure and Skype administrators.  Texts of
errors are assumed.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from lab.cmdlets.settings import failed
from lab.deployment.certificates import (
    EXTERNAL,
    OAUTH,
    Assignments,
    Certificate,
    HeldCertificates,
    Request,
    Staged,
    cert_type,
)
from lab.objects.values import NetCollection, NetObject, get_property, text_of
from lab.powershell.engine import Invocation
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


def _assignments(invocation: Invocation, held: HeldCertificates, use: str) -> Assignments:
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
    session = invocation.session
    held = _held(invocation)
    wanted = _uses(invocation)
    rows = held.shared.listed(session.deployment.lists_staged_certificates)
    if not _is_global(invocation):
        rows = held.assigned.listed(session.deployment.lists_staged_certificates) + rows
    for use, certificate in rows:
        if not wanted or use in wanted:
            yield certificate.reference(use, session.machine.zone)


@implements("Test-CsCertificateConfiguration")
def test_configuration(invocation: Invocation) -> Iterator[NetObject]:
    held = _held(invocation)
    for use, certificate in (*held.assigned.current.items(), *held.shared.current.items()):
        yield NetObject(
            ("Microsoft.Rtc.Management.Deployment.CertificateExists", "System.Object"),
            {"Thumbprint": certificate.thumbprint, "Use": cert_type()[use]},
        )


def _moment(invocation: Invocation) -> datetime.datetime | None:
    """-EffectiveDate, which is local time unless it says otherwise; raises PowerShellError for -Roll without it."""
    machine = invocation.session.machine
    moment: datetime.datetime | None = invocation.get("EffectiveDate")
    if moment is None:
        if invocation.get("Roll"):
            raise failed(invocation, "certificate_roll_needs_date")
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=machine.zone.local(machine.clock.now()).tzinfo)
    return moment.astimezone(datetime.timezone.utc)


def _put(
    invocation: Invocation, held: HeldCertificates, certificate: Certificate, uses: Sequence[str]
) -> None:
    """Assign it at once, or stage it."""
    effective = _moment(invocation)
    places = [(use, _assignments(invocation, held, use)) for use in uses]
    if not certificate.has_private_key:
        raise failed(invocation, "certificate_without_key", thumbprint=certificate.thumbprint)
    if not invocation.should_process(invocation.session.machine.fqdn):
        return
    with invocation.session.deployment.lock:
        for use, assignments in places:
            if effective is None:
                assignments.assign(use, certificate)
            else:
                assignments.staged[use] = Staged(certificate, effective, bool(invocation.get("Roll")))


@implements("Set-CsCertificate")
def set_certificate(invocation: Invocation) -> Iterable[Any]:
    """Assigns a certificate of the computer's store to uses; with -Roll the one before stays beside it."""
    held = _held(invocation)
    uses = _uses(invocation)
    if not uses:
        raise failed(invocation, "certificate_type_needed")
    if invocation.given("Path"):
        certificate = _file(invocation)
    else:
        reference = invocation.get("Reference")
        thumbprint = text_of(
            get_property(reference, "Thumbprint") if reference is not None else invocation.get("Thumbprint")
        )
        wanted = thumbprint.replace(" ", "").upper()
        found = next((c for c in held.installed if c.thumbprint == wanted), None)
        if found is None:
            raise failed(invocation, "certificate_unknown", thumbprint, thumbprint=thumbprint)
        certificate = found
    _put(invocation, held, certificate, uses)
    return ()


@implements("Remove-CsCertificate")
def remove_certificate(invocation: Invocation) -> Iterable[Any]:
    """Takes assignments away, not the certificates; asks where one is in use."""
    deployment = invocation.session.deployment
    held = _held(invocation)
    uses = _uses(invocation) or list(held.shared.current if _is_global(invocation) else held.assigned.current)
    places = [(use, _assignments(invocation, held, use)) for use in uses]
    if not invocation.should_process(invocation.session.machine.fqdn):
        return ()
    for use, assignments in places:
        if invocation.get("Previous"):
            with deployment.lock:
                removed = assignments.remove_previous(use)
            if removed is None:
                invocation.error(failed(invocation, "certificate_not_assigned", use, use=use))
            continue
        if use not in assignments.current:
            invocation.error(failed(invocation, "certificate_not_assigned", use, use=use))
            continue
        query = deployment.texts.text("confirm_remove_certificate", use=use)
        if invocation.should_continue(query, "Remove-CsCertificate"):
            with deployment.lock:
                assignments.current.pop(use, None)
    return ()


# Requests


@implements("Request-CsCertificate")
def request_certificate(invocation: Invocation) -> Iterable[NetObject]:
    """-New asks the authority (or writes a request to be sent by hand), the others deal with pending requests."""
    if invocation.get("New"):
        return _request(invocation)
    held = _held(invocation)
    number = invocation.get("RequestId")
    chosen = [request for request in held.requests if number in (None, request.number)]
    if number is not None and not chosen:
        raise failed(invocation, "certificate_request_unknown", number, request=number)
    if invocation.get("List"):
        return [_request_object(request) for request in chosen]
    if not invocation.should_process(invocation.session.machine.fqdn):
        return ()
    if invocation.get("Clear"):
        held.requests = [request for request in held.requests if request not in chosen]
        return ()
    return _retrieve(invocation, held, chosen)


def _request(invocation: Invocation) -> Iterable[NetObject]:
    session = invocation.session
    deployment = session.deployment
    held = _held(invocation)
    uses = _uses(invocation)
    for use in uses:
        if use not in held.uses and (use != OAUTH or deployment.version == "2010" or session.on_edge):
            raise failed(invocation, "certificate_use_refused", use, use=use)
    if invocation.given("ComputerFqdn"):
        session.require_store()
        wanted = text_of(invocation.get("ComputerFqdn")).lower()
        if wanted not in (session.computer.fqdn.lower(), session.computer.host_name.lower()):
            raise failed(invocation, "computer_unknown", wanted, computer=wanted)
    is_offline = invocation.given("Output")
    if not is_offline:
        _reach_authority(invocation)
    if not invocation.should_process(session.machine.fqdn):
        return ()
    certificate = _certificate_wanted(invocation, uses)
    if not is_offline and not deployment.authority.approval:
        held.install(certificate)
        return [certificate.reference(uses[0], session.machine.zone)]
    with deployment.lock:
        number = deployment.next_request_number()
        held.requests.append(Request(number, tuple(uses), certificate))
    return ()


def _reach_authority(invocation: Invocation) -> None:
    """Raise PowerShellError unless the authority takes a request from this session.

    It wants an account of the domain: that of -CaAccount and -CaPassword, the server's own at /OcsPowershell,
    or the caller's where it can be delegated.  An Edge stands in a workgroup.
    """
    session = invocation.session
    deployment = session.deployment
    authority = deployment.authority
    named = text_of(invocation.get("CA") or authority.name)
    if named.lower() != authority.name.lower():
        raise failed(invocation, "ca_unknown", named, ca=named)
    if not authority.reachable:
        raise failed(invocation, "ca_unreachable", named, ca=named)
    account = invocation.get("CaAccount")
    if account is None:
        may = session.constrained or (session.caller.delegated and not session.on_edge)
    else:
        person = deployment.person(account)
        may = person is not None and not person.refusal and person.password == invocation.get("CaPassword")
    if not may:
        raise failed(invocation, "ca_access_denied", named, ca=named, account=account or session.person.name)


def _certificate_wanted(invocation: Invocation, uses: Sequence[str]) -> Certificate:
    """With the names the topology asks for, and those of -DomainName."""
    session = invocation.session
    deployment = session.deployment
    pool = deployment.topology.pool(session.computer.pool)
    domains = deployment.topology.sip_domains
    chosen = domains if invocation.get("AllSipDomain") else domains[:1]
    names: list[str] = []
    for use in uses:
        wanted = chosen if use == OAUTH else deployment.certificate_names(use, session.computer, pool, chosen)
        names += wanted
    names += [name.strip() for name in text_of(invocation.get("DomainName") or "").split(",") if name.strip()]
    organisation = {
        name: text_of(invocation.get(name))
        for name in ("Country", "State", "City", "Organization", "OU")
        if invocation.get(name)
    }
    certificate: Certificate = deployment.issue_certificate(
        list(dict.fromkeys(names)),
        organisation,
        text_of(invocation.get("FriendlyName") or ""),
        text_of(invocation.get("KeyAlg") or "RSA").upper(),
        int(invocation.get("KeySize") or 2048),
        bool(invocation.get("ClientEKU")),
    )
    return certificate


def _request_object(request: Request) -> NetObject:
    """RequestId and CertificateUses are what scripts look at; the rest is assumed."""
    return NetObject(
        ("Microsoft.Rtc.Management.Deployment.CertificateRequest", "System.Object"),
        {
            "RequestId": request.number,
            "CertificateUses": NetCollection(
                ("Microsoft.Rtc.Management.Deployment.CertType[]", "System.Array", "System.Object"),
                tuple(request.uses),
            ),
            "Status": request.status,
        },
    )


def _retrieve(
    invocation: Invocation, held: HeldCertificates, chosen: Sequence[Request]
) -> Iterator[NetObject]:
    for request in chosen:
        if request.status == "Denied":
            invocation.error(failed(invocation, "ca_denied", request.number, request=request.number))
        elif request.status == "Issued":
            held.requests.remove(request)
            held.install(request.certificate)
            yield request.certificate.reference(request.uses[0], invocation.session.machine.zone)


# Files


def _file(invocation: Invocation) -> Certificate:
    """The certificate of -Path; raises PowerShellError."""
    deployment = invocation.session.deployment
    path = text_of(invocation.get("Path"))
    certificate: Certificate | None = deployment.certificate_file(path)
    if certificate is None:
        raise failed(invocation, "certificate_file_unknown", path, path=path)
    if deployment.certificate_file_password(path) not in (None, invocation.get("Password")):
        raise failed(invocation, "certificate_file_password", path, path=path)
    return certificate


@implements("Import-CsCertificate")
def import_certificate(invocation: Invocation) -> Iterable[Any]:
    """Puts the certificate of a file into the computer's store; with -Identity global it is assigned at once."""
    certificate = _file(invocation)
    held = _held(invocation)
    if invocation.given("Identity"):
        _is_global(invocation)
        _put(invocation, held, certificate, _uses(invocation))
        return ()
    _moment(invocation)
    if invocation.should_process(invocation.session.machine.fqdn):
        held.install(certificate)
    return ()
