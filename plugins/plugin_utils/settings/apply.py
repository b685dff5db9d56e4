# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Acting on a plan: read, plan, write, read back. Everything that is decided is decided in ``plan``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from ..powershell import errors
from ..powershell.commands import Command, Switch
from ..powershell.results import Results
from ..powershell.shell import ManagementShell
from .identity import Identity
from .plan import Aim, Offer, Plan, UnknownParameters, aim, as_line, plan, shown, unkept
from .refusals import ChangeFailed, Refused
from .resource import Collection, Desired, Kind, Resource


def collections(shell: ManagementShell, resource: Resource, *described: str) -> list[Collection]:
    """Every object of the noun, in the server's order, learning on the way what the ``described`` cmdlets
    offer.

    All are read rather than one: an object that does not exist is then one that is not listed, and never an
    error whose meaning would have to be guessed. Raises what the server answered if reading failed.
    """
    results = shell.run(*shell.describing(*described), Command(resource.cmdlet("Get")))
    if results.errors:
        raise shell.classify(results.errors[0])
    return _listed(resource, results)


def find(listed: Sequence[Collection], identity: Identity) -> Collection | None:
    return next((collection for collection in listed if collection.identity == identity), None)


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
    if check_mode or not planned.changes:
        return _with_warnings(
            result, [f"{each} The change cannot be made in this session." for each in withheld]
        )
    if withheld:
        raise Refused(str(withheld[0]))
    return _carry_out(shell, planned, offer, result)


# -- before the change ---------------------------------------------------------------------------------------


def _verbs(resource: Resource, desired: Desired) -> list[str]:
    """What may be needed to fulfil the wish."""
    if not resource.creatable:
        return ["Set"]
    if not desired.present:
        return ["Remove", "New"]
    return ["Set", "New", "Remove"] if desired.recreate else ["Set", "New"]


def _listed(resource: Resource, results: Results) -> list[Collection]:
    return [resource.collection(remote) for remote in results.objects()]


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
    previewed = _listed(intended.resource, results)
    return Collection(intended.identity, previewed[0].values) if previewed else None


# -- the change ----------------------------------------------------------------------------------------------


def _carry_out(shell: ManagementShell, planned: Plan, offer: Offer, result: dict[str, Any]) -> dict[str, Any]:
    resource = planned.resource
    read = Command(resource.cmdlet("Get"))
    try:
        results = shell.run(*_unattended(planned.commands, offer), read, changes=True)
    except (errors.LostInMidCommand, errors.TimedOut) as lost:
        found = _found_after(shell, planned, lost, result)
        if unkept(resource, planned.wanted, found):
            sentence = f"{lost} Read back since: {_state(planned, found)}"
            if planned.restoration and found is None:
                sentence += f" To put it back, run: {_as_script(planned.restoration)}"
            raise _failed(sentence, planned, found, result) from lost
        return _with_warnings(
            _corrected(planned, found, result), [f"{lost} Read back since: the change is in place."]
        )
    unread = [
        report for report in results.errors if (report.command or "").casefold() == read.name.casefold()
    ]
    if unread:
        cause = shell.classify(unread[0])
        raise ChangeFailed(
            f"The {resource.title} '{planned.identity}' was written and could not be read back: {cause} Whether "
            "the change took effect is not known.",
            {**result, "status": "unknown", "after": None},
            cause,
        )
    found = find(_listed(resource, results), planned.identity)
    differences = unkept(resource, planned.wanted, found)
    if results.errors and differences:
        raise _refused(shell, planned, offer, found, shell.classify(results.errors[0]), result)
    if results.errors:
        # Another administrator, or another host of the same deployment, came first.
        complaint = f"{shell.classify(results.errors[0])} Read back since: everything is as wanted."
        return _with_warnings(_corrected(planned, found, result), [complaint])
    if differences:
        details = "; ".join(
            f"{each.option} should be {shown(each.wanted)} and is {shown(each.found)}" for each in differences
        )
        raise _failed(
            f"The {resource.title} '{planned.identity}' was written without an error, but did not keep it: "
            f"{details}.",
            planned,
            found,
            result,
        )
    return _corrected(planned, found, result)


def _unattended(commands: Sequence[Command], offer: Offer) -> list[Command]:
    """The commands with what keeps them from asking questions, which nobody could answer
    (about_CommonParameters).
    """
    silencing = {"Force": Switch.PRESENT, "Confirm": False}
    return [
        Command(c.name, {**c.parameters, **{n: v for n, v in silencing.items() if offer.takes(c.name, n)}})
        for c in commands
    ]


def _found_after(
    shell: ManagementShell, planned: Plan, lost: errors.ManagementShellError, result: dict[str, Any]
) -> Collection | None:
    try:
        return find(collections(shell, planned.resource), planned.identity)
    except errors.ManagementShellError as unread:
        raise ChangeFailed(
            f"{lost} Reading it back failed as well: {unread}", {**result, "status": "unknown", "after": None}
        ) from lost


def _refused(
    shell: ManagementShell,
    planned: Plan,
    offer: Offer,
    found: Collection | None,
    cause: errors.CommandError,
    result: dict[str, Any],
) -> ChangeFailed:
    """The error for a change that the server refused, after putting back what a removal had taken away."""
    sentence = str(cause)
    if planned.restoration and found is None:
        try:
            again = shell.run(
                *_unattended(planned.restoration, offer),
                Command(planned.resource.cmdlet("Get")),
                changes=True,
            )
            found = find(_listed(planned.resource, again), planned.identity)
            failure = None if found else "; ".join(str(shell.classify(error)) for error in again.errors)
        except errors.ManagementShellError as error:
            failure = str(error)
        if failure is not None:
            return _failed(
                f"{sentence} The {planned.resource.title} '{planned.identity}' had been removed by then, and "
                f"could not be put back: {failure} To put it back, run: {_as_script(planned.restoration)}",
                planned,
                found,
                result,
                cause,
            )
        sentence += " It had been removed by then, and has been put back."
    return _failed(f"{sentence} Read back since: {_state(planned, found)}", planned, found, result, cause)


def _as_script(commands: Sequence[Command]) -> str:
    return "; ".join(command.as_text() for command in commands)


def _state(planned: Plan, found: Collection | None) -> str:
    if found is None:
        return f"the {planned.resource.title} '{planned.identity}' does not exist."
    if planned.resource.as_options(found) == planned.before:
        return "nothing has been changed."
    wrong = unkept(planned.resource, planned.wanted, found)
    return "; ".join(as_line(each.option, each.found) for each in wrong) + "."


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


def _options(planned: Plan, found: Collection | None) -> dict[str, Any] | None:
    return planned.resource.as_options(found) if found else None


def _corrected(planned: Plan, found: Collection | None, result: dict[str, Any]) -> dict[str, Any]:
    return {**result, "status": "corrected", "after": _options(planned, found)}


def _with_warnings(result: dict[str, Any], warnings: list[str]) -> dict[str, Any]:
    return {**result, "warnings": warnings} if warnings else result


def _failed(
    sentence: str,
    planned: Plan,
    found: Collection | None,
    result: dict[str, Any],
    cause: errors.CommandError | None = None,
) -> ChangeFailed:
    after = _options(planned, found)
    return ChangeFailed(
        sentence, {**result, "changed": after != planned.before, "status": "drifted", "after": after}, cause
    )
