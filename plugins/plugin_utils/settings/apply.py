# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read, plan, change: what every settings module does. Everything that is decided is decided in ``plan``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ..change.envelope import Envelope
from ..powershell import errors
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Refused
from ..result.result import Result
from ..result.status import Status
from .correction import Correction
from .plan import Assessment, Cmdlets, Plan, UnknownParameters, assess, plan
from .reading import collections, find, listed_in
from .resource import Collection, Desired, Kind, Resource


def remediate(
    envelope: Envelope, resource: Resource, desired: Desired, listed: Sequence[Collection] | None = None
) -> Result:
    """Bring one object into the desired state, or in check mode tell what that would take.

    ``listed`` are all objects of the noun, where they have just been read. Raises Refused or Unreadable before
    anything was written, ChangeFailed afterwards, and the errors of the wire.
    """
    shell = envelope.shell
    names = [resource.cmdlet(verb) for verb in _verbs(resource, desired)]
    listed = collections(shell, resource, *names) if listed is None else _described(shell, names, listed)
    cmdlets = Cmdlets({name: shell.parameters_of(name) for name in names})
    actual = find(listed, desired.identity)
    assessed = _assess(shell, resource, actual, desired, cmdlets)
    assessed = _make_sure(shell, assessed, listed)
    planned = plan(assessed, _preview(shell, assessed))
    result = envelope.expects(_result(shell, planned))
    withheld = [errors.cmdlet_not_offered(shell.endpoint, cmdlet) for cmdlet in planned.missing]
    if not planned.changes:
        return result
    if envelope.check_mode:
        return result.warned(*(f"{each} The change cannot be made in this session." for each in withheld))
    if withheld:
        raise Refused(str(withheld[0]))
    return Correction(envelope, planned, cmdlets, actual).carry_out()


# -- before the change ---------------------------------------------------------------------------------------


def _described(shell: ManagementShell, cmdlets: list[str], listed: Sequence[Collection]) -> list[Collection]:
    """What was listed, once it is known what the cmdlets take."""
    describing = shell.describing(*cmdlets)
    results = shell.run(*describing) if describing else Results()
    if results.errors:
        raise shell.classify(results.errors[0])
    return list(listed)


def _verbs(resource: Resource, desired: Desired) -> list[str]:
    """What may be needed for the change."""
    if not resource.creatable:
        return ["Set"]
    if not desired.present:
        return ["Remove", "New"]
    return ["Set", "New", "Remove"] if desired.recreate else ["Set", "New"]


def _assess(
    shell: ManagementShell, resource: Resource, actual: Collection | None, desired: Desired, cmdlets: Cmdlets
) -> Assessment:
    try:
        return assess(resource, actual, desired, cmdlets)
    except UnknownParameters as unknown:
        options = " and ".join(
            p.option if p.option == p.parameter else f"{p.option} (-{p.parameter})"
            for p in unknown.properties
        )
        version = shell.server_version() or "this server"
        raise Refused(
            f"{options} cannot be set: {unknown.cmdlet} has no such parameter on {version}, reached at "
            f"{shell.endpoint.url}",
            status=Status.UNKNOWN,
        ) from None


def _make_sure(shell: ManagementShell, assessed: Assessment, listed: Sequence[Collection]) -> Assessment:
    """Ask for whatever else the change depends on, and take the server's spelling of what it names.

    Raises Refused with the objection, if there is one.
    """
    proposed = assessed.proposed(listed)
    for requirement in assessed.resource.requirements:
        if not requirement.needed(proposed):
            continue
        results = shell.run(requirement.read)
        failures = [shell.classify(report) for report in results.errors]
        withheld = any(isinstance(failure, errors.CmdletNotOffered) for failure in failures)
        if failures and not withheld:
            raise failures[0]
        objection = requirement.objection(proposed, None if withheld else results.objects())
        if objection:
            raise Refused(objection)
        spelled = [each for each in requirement.identities(results.objects()) if each == assessed.identity]
        assessed = replace(assessed, identity=(spelled or [assessed.identity])[0])
    return assessed


def _preview(shell: ManagementShell, assessed: Assessment) -> Collection | None:
    """The object as it will be with the server's own defaults. A server that refuses to show it refuses to
    make it.
    """
    command = assessed.preview()
    if command is None:
        if assessed.kind is Kind.RESET:
            withheld = errors.cmdlet_not_offered(shell.endpoint, assessed.resource.cmdlet("New"))
            raise Refused(f"The defaults to reset to cannot be seen: {withheld}", status=Status.UNKNOWN)
        return None
    results = shell.run(command)
    if results.errors:
        failure = shell.classify(results.errors[0])
        # Beside an existing object of the same name the preview may be refused for that alone (assumed: no
        # public source found).
        if assessed.kind is Kind.RECREATE and not isinstance(
            failure, errors.ValueNotAllowed | errors.ParameterNotKnown
        ):
            return None
        raise failure
    previewed = listed_in(results, assessed.resource)
    return Collection(assessed.identity, previewed[0].values) if previewed else None


# -- results -------------------------------------------------------------------------------------------------


def _result(shell: ManagementShell, planned: Plan) -> Result:
    details: dict[str, Any] = {}
    if planned.resource.creatable:
        details["reset"] = planned.kind is Kind.RESET
    if planned.kind is Kind.RESET:
        details["msg"] = (
            f"The {planned.identity} {planned.resource.title} always exists: absent resets it to the defaults of the "
            "server."
        )
    return Result(
        status=Status.DRIFTED if planned.changes else Status.IN_DESIRED_STATE,
        changed=planned.changes,
        before=planned.before,
        after=planned.after,
        drift=planned.drift,
        commands=planned.commands,
        restore_commands=planned.restoration,
        header=f"{planned.resource.title} {planned.identity} on {shell.endpoint.name}",
        diff=planned.diff,
        details=details,
    )
