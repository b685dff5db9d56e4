# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a computer has assigned, and what its certificate store knows; the statements to ask, and how answers are read.

PowerShell sends nothing of a certificate but its encoded form, so that whatever else is to be known is selected on the
server.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from ..powershell.commands import Command
from ..powershell.errors import CommandError
from ..powershell.results import PipelineState, RemoteObject, Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable, text_of
from . import x509_certificate
from .x509_certificate import Certificate, moment_text, read_moment

AV_AUTHENTICATION = "AudioVideoAuthentication"
INTERNAL = "Internal"
EXTERNAL = ("AccessEdgeExternal", "DataEdgeExternal")

_ALWAYS = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)

ASSIGNED = Command("Get-CsCertificate")
CMDLETS = (ASSIGNED.name, "Set-CsCertificate", "Remove-CsCertificate")
_PERSONAL = {"Path": "Cert:\\LocalMachine\\My"}
_ROOTS = "::LocalMachine\\Root"


def _select(properties: Sequence[str], expand: str | None = None) -> Command:
    # What cannot be expanded, as the key of a key storage provider, is not known, and no error.
    more = {"ExpandProperty": expand, "ErrorAction": "SilentlyContinue"} if expand else {}
    return Command("Select-Object", {"Property": list(properties), **more})


STORE = Command("Get-ChildItem", _PERSONAL, into=(_select(("Thumbprint", "HasPrivateKey", "RawData")),))
EXPORTABLE = Command(
    "Get-ChildItem",
    _PERSONAL,
    into=(
        _select(("Thumbprint",), "PrivateKey"),
        _select(("Thumbprint",), "CspKeyContainerInfo"),
        _select(("Thumbprint", "Exportable")),
    ),
)
"""Whether private keys may be exported, of those that .NET shows (CspKeyContainerInfo.Exportable)."""
AUTHORITIES = Command(
    "Get-ChildItem",
    {"Path": ["Cert:\\LocalMachine\\Root", "Cert:\\LocalMachine\\CA"]},
    into=(_select(("PSParentPath", "RawData")),),
)


@dataclass(frozen=True)
class RolledNames:
    """The properties in which Get-CsCertificate shows what -Roll has done. No public source has their names."""

    effective_date: str = "EffectiveDate"
    previous: str = "Previous"


@dataclass(frozen=True)
class Assignment:
    """One certificate that is assigned to a use. ``effective_date``: from when on, None for at once; ``previous``: the
    one before the one that was rolled, None where the server does not tell.
    """

    use: str
    thumbprint: str
    subject: str = ""
    issuer: str = ""
    names: tuple[str, ...] = ()
    not_before: datetime.datetime | None = None
    not_after: datetime.datetime | None = None
    effective_date: datetime.datetime | None = None
    previous: bool | None = None

    def as_dict(self) -> dict[str, Any]:
        moments = ("not_before", "not_after", "effective_date")
        return {
            **vars(self),
            "names": list(self.names),
            **{name: _optional_text(getattr(self, name)) for name in moments},
        }


def assignment_from_dict(values: Mapping[str, Any]) -> Assignment:
    """Back from `Assignment.as_dict`. Raises KeyError, ValueError or TypeError for anything else."""
    moments = {
        name: None if values[name] is None else read_moment(values[name])
        for name in ("not_before", "not_after", "effective_date")
    }
    return Assignment(**{**values, "names": tuple(values["names"]), **moments})


@dataclass(frozen=True)
class InForce:
    """What is assigned to a use: ``current``, and where one was rolled, the ``staged`` one that takes its place
    later, or the ``former`` one whose place has been taken.
    """

    current: Assignment | None = None
    staged: Assignment | None = None
    former: Assignment | None = None


def in_force(assignments: Iterable[Assignment], use: str, moment: datetime.datetime | None) -> InForce | None:
    """None where it cannot be told. ``moment``: the right time, None where that is not known."""
    found = [each for each in assignments if each.use == use]
    if len(found) < 2:
        only = found[0] if found else None
        if only is None or only.effective_date is None:
            return InForce(only)
        if moment is None:
            return None
        return InForce(only) if _has_begun(only, moment) else InForce(staged=only)
    if len(found) > 2 or moment is None:
        return None
    old, new = sorted(found, key=lambda each: each.effective_date or _ALWAYS)
    if new.effective_date in (None, old.effective_date) or new.previous or old.previous is False:
        return None
    return InForce(new, former=old) if _has_begun(new, moment) else InForce(old, staged=new)


def _has_begun(assignment: Assignment, moment: datetime.datetime) -> bool:
    return assignment.effective_date is None or assignment.effective_date <= moment


def read_assigned(shell: ManagementShell, results: Results, names: RolledNames) -> tuple[Assignment, ...]:
    """Of a pipeline with ASSIGNED. Raises Unreadable, and what kept it from answering: silence means that nothing is
    assigned only where the statement went through.
    """
    _answered(shell, results, (ASSIGNED.name,))
    return tuple(_assignment(each, names) for each in results.objects() if "Use" in each)


def read_store(shell: ManagementShell, results: Results) -> list[tuple[Any, bool | None]]:
    """Of a pipeline with STORE, and no other Get-ChildItem: each certificate, and whether its private key is there."""
    _answered(shell, results, ("Get-ChildItem", "Select-Object"))
    return [
        (x509_certificate.decode(each["RawData"]), _optional_bool(each["HasPrivateKey"]))
        for each in results.objects()
        if "HasPrivateKey" in each
    ]


def exportable(shell: ManagementShell) -> dict[str, bool]:
    """By thumbprint, as far as it is shown. Raises what kept it from answering."""
    results = shell.run(EXPORTABLE)
    _answered(shell, results, ("Get-ChildItem", "Select-Object"))
    return {
        text_of(each["Thumbprint"]).upper(): each["Exportable"]
        for each in results.objects()
        if isinstance(each.get("Exportable"), bool)
    }


def authorities(shell: ManagementShell) -> tuple[list[Any], list[Any]]:
    """The roots that the computer trusts, and those between. Raises what kept it from answering."""
    results = shell.run(AUTHORITIES)
    _answered(shell, results, ("Get-ChildItem", "Select-Object"))
    roots: list[Any] = []
    others: list[Any] = []
    for each in results.objects():
        is_root = text_of(each["PSParentPath"]).lower().endswith(_ROOTS.lower())
        (roots if is_root else others).append(x509_certificate.decode(each["RawData"]))
    return roots, others


def described(
    stored: Iterable[tuple[Any, bool | None]],
    may_be_exported: Mapping[str, bool],
    signers: tuple[list[Any], list[Any]] | None,
) -> dict[str, Certificate]:
    """By thumbprint. ``signers`` is None where they could not be read."""
    held = list(stored)
    roots, others = signers if signers is not None else (None, [])
    found = {}
    for certificate, has_private_key in held:
        thumbprint = x509_certificate.thumbprint_of(certificate)
        found[thumbprint] = x509_certificate.described(
            certificate,
            roots,
            others,
            has_private_key=has_private_key,
            exportable=may_be_exported.get(thumbprint) if has_private_key is not False else None,
        )
    return found


def _answered(shell: ManagementShell, results: Results, commands: Sequence[str]) -> None:
    for report in results.errors:
        if report.command in commands:
            raise shell.classify(report)
    if results.state is not PipelineState.COMPLETED and not results.errors:
        raise Unreadable(f"{commands[0]} did not answer to its end.")


def _assignment(remote: RemoteObject, names: RolledNames) -> Assignment:
    try:
        return Assignment(
            use=text_of(remote["Use"]),
            thumbprint=text_of(remote["Thumbprint"]).replace(" ", "").upper(),
            subject=text_of(remote.get("Subject") or ""),
            issuer=text_of(remote.get("Issuer") or ""),
            names=tuple(map(text_of, remote.get("AlternativeNames") or ())),
            not_before=_moment(remote, "NotBefore"),
            not_after=_moment(remote, "NotAfter"),
            effective_date=_moment(remote, names.effective_date),
            previous=_optional_bool(remote.get(names.previous)),
        )
    except KeyError as missing:
        raise Unreadable(f"{ASSIGNED.name} returned an object without {missing.args[0]}.") from None


def _moment(remote: RemoteObject, name: str) -> datetime.datetime | None:
    value = remote.get(name)
    if value is None or (isinstance(value, datetime.datetime) and value.year == 1):
        # .NET's DateTime has no null; its least value stands for that.
        return None
    if not isinstance(value, datetime.datetime) or value.tzinfo is None:
        raise Unreadable(
            f"{ASSIGNED.name} returned {value!r} for {name}, which is no moment with a time zone."
        )
    return value


def _optional_bool(value: Any) -> bool | None:
    return value if isinstance(value, bool) else None


def _optional_text(moment: datetime.datetime | None) -> str | None:
    return None if moment is None else moment_text(moment)


UNKNOWN = (Unreadable, CommandError)
"""What keeps one part from being known, and no other."""
