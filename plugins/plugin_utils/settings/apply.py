# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Read, plan, change: what every settings module does. Everything that is decided is decided in ``plan``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..powershell import errors
from ..powershell.shell import ManagementShell
from ..result.refusals import Refused
from .change import Change
from .plan import Aim, Offer, Plan, UnknownParameters, aim, plan
from .reading import collections, find, listed_in
from .resource import Collection, Desired, Kind, Resource


def remediate(
    shell: ManagementShell, resource: Resource, desired: Desired, *, check_mode: bool
) -> dict[str, Any]:
    """Bring one object into the desired state, or with ``check_mode`` tell what that would take; returns the
    module's result.

    Raises Refused or Unreadable before anything was written, ChangeFailed afterwards, and the errors of the
    wire.
    """
    names = [resource.cmdlet(verb) for verb in _verbs(resource, desired)]
    listed = collections(shell, resource, *names)
    offer = Offer({name: shell.offered(name) for name in names})
    intended = _aim(shell, resource, find(listed, desired.identity), desired, offer)
    _make_sure(shell, intended, listed)
    planned = plan(intended, _preview(shell, intended))
    result = _result(shell, planned)
    withheld = [errors.cmdlet_not_offered(shell.endpoint, cmdlet) for cmdlet in planned.missing]
    if not planned.changes:
        return result
    if check_mode:
        warnings = [f"{each} The change cannot be made in this session." for each in withheld]
        return {**result, "warnings": warnings} if warnings else result
    if withheld:
        raise Refused(str(withheld[0]))
    return Change(shell, planned, offer, result).carry_out()


# -- before the change ---------------------------------------------------------------------------------------


def _verbs(resource: Resource, desired: Desired) -> list[str]:
    """What may be needed to fulfil the wish."""
    if not resource.creatable:
        return ["Set"]
    if not desired.present:
        return ["Remove", "New"]
    return ["Set", "New", "Remove"] if desired.recreate else ["Set", "New"]


def _aim(
    shell: ManagementShell, resource: Resource, actual: Collection | None, desired: Desired, offer: Offer
) -> Aim:
    try:
        return aim(resource, actual, desired, offer)
    except UnknownParameters as unknown:
        options = " and ".join(f"{p.option} (-{p.parameter})" for p in unknown.properties)
        version = shell.server_version() or "this server"
        raise Refused(
            f"{options} cannot be set: {unknown.cmdlet} has no such parameter on {version}, reached at "
            f"{shell.endpoint.url}",
            status="unknown",
        ) from None


def _make_sure(shell: ManagementShell, intended: Aim, listed: Sequence[Collection]) -> None:
    """Ask for whatever else the move depends on. Raises Refused with the objection, if there is one."""
    move = intended.move(listed)
    for requirement in intended.resource.requirements:
        if not requirement.needed(move):
            continue
        results = shell.run(requirement.read)
        failures = [shell.classify(report) for report in results.errors]
        withheld = any(isinstance(failure, errors.CmdletNotOffered) for failure in failures)
        if failures and not withheld:
            raise failures[0]
        objection = requirement.objection(move, None if withheld else results.objects())
        if objection:
            raise Refused(objection)


def _preview(shell: ManagementShell, intended: Aim) -> Collection | None:
    """The object as it will be with the server's own defaults. A server that refuses to show it refuses to
    make it.
    """
    command = intended.preview()
    if command is None:
        if intended.kind is Kind.RESET:
            withheld = errors.cmdlet_not_offered(shell.endpoint, intended.resource.cmdlet("New"))
            raise Refused(f"The defaults to reset to cannot be seen: {withheld}", status="unknown")
        return None
    results = shell.run(command)
    if results.errors:
        failure = shell.classify(results.errors[0])
        # Beside an existing object of the same name the preview may be refused for that alone (assumed: no
        # public source found).
        if intended.kind is Kind.RECREATE and not isinstance(
            failure, errors.ValueNotAllowed | errors.ParameterNotKnown
        ):
            return None
        raise failure
    previewed = listed_in(results, intended.resource)
    return Collection(intended.identity, previewed[0].values) if previewed else None


# -- results -------------------------------------------------------------------------------------------------


def _result(shell: ManagementShell, planned: Plan) -> dict[str, Any]:
    header = f"{planned.resource.title} {planned.identity} on {shell.endpoint.name}"
    result: dict[str, Any] = {
        "changed": planned.changes,
        "status": "drifted" if planned.changes else "in_desired_state",
        "before": planned.before,
        "after": planned.after,
        "drift": [difference.as_dict() for difference in planned.drift],
        "commands": [command.as_text() for command in planned.commands],
        "diff": {
            "before": planned.diff[0],
            "after": planned.diff[1],
            "before_header": header,
            "after_header": header,
        },
    }
    if planned.resource.creatable:
        result["reset"] = planned.kind is Kind.RESET
    if planned.kind is Kind.RESET:
        result["msg"] = (
            f"The {planned.identity} {planned.resource.title} always exists: absent resets it to the "
            "defaults of the server."
        )
    return result
