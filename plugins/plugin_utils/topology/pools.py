# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking about pools: the topology, the services of their computers, readiness and fabric."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Sequence
from typing import Any

from ..change.waiting import Clock
from ..powershell.commands import Command, Switch
from ..powershell.errors import CmdletNotOffered, CommandError, OutcomeUnknown
from ..powershell.ordinal import ordinal_key, same_name
from ..powershell.results import RemoteObject, Results
from ..powershell.shell import ManagementShell
from ..result.refusals import Unreadable, UnusableArgument
from ..windows import computer, registry
from . import services
from .pool_state import Member, PoolState, Readiness, UpgradeDomain, kind_of

# What tells the topology of pools.
_TOPOLOGY = (
    Command("Get-CsPool"),
    Command("Get-CsComputer"),
    Command("Get-CsService", {"Registrar": Switch.PRESENT}),
)
SERVICES = "Get-CsWindowsService"
FABRIC = "Get-CsPoolFabricState"
AV_EDGE = "Test-CsAVEdgeConnectivity"
# The one of 2013 and 2015, and its successor of 2019; both look at the pool of the computer that they run on.
READINESS = ("Get-CsPoolUpgradeReadinessState", "Get-CsUpgradeDomainInfo")
FAIL_OVER = "Invoke-CsComputerFailOver"
FAIL_BACK = "Invoke-CsComputerFailBack"
_VERSION_CMDLETS = (*READINESS, FABRIC, AV_EDGE, FAIL_OVER, FAIL_BACK)
CMDLETS = (*(command.name for command in _TOPOLOGY), SERVICES, *_VERSION_CMDLETS)


# What leaves one part unknown and the rest as it is.
UNKNOWN = (CommandError, Unreadable, OutcomeUnknown)


def has_cmdlet(shell: ManagementShell, cmdlet: str) -> bool:
    """Whether the session has this cmdlet, which says of what version it is."""
    # A statement of the Management Shell beside it makes the session load the module, which it otherwise does
    # when first used.
    described = shell.describing(*_VERSION_CMDLETS)
    if described:
        shell.run(*described, list_services())
    return shell.parameters_of(cmdlet) is not None


def list_services(name: str | None = None) -> Command:
    """The statement for the services of a computer, or of the one that the session is on."""
    where = {} if name is None else {"ComputerName": name}
    return Command(SERVICES, {**where, "ExcludeActivityLevel": Switch.PRESENT})


def own_services(shell: ManagementShell) -> services.Services:
    """The services of the session's computer, with their start modes, which a constrained endpoint does not show."""
    results = shell.run(list_services())
    _raise_errors(shell, results)
    listed = services.read(results.objects())
    keys = [services.start_key(each.name) for each in listed]
    try:
        values = registry.read(shell, shell.run(registry.reading(keys)), keys)
    except CmdletNotOffered:
        values = {}
    return services.with_start_modes(listed, values)


def own_name(shell: ManagementShell) -> str | None:
    """The FQDN of the session's computer; None where the session may not read it, as in a constrained
    endpoint.
    """
    try:
        results = shell.run(registry.reading([computer.NAME_KEY]))
        return computer.name(registry.read(shell, results, [computer.NAME_KEY]))
    except CommandError:
        return None


def topology(shell: ManagementShell, clock: Clock = time) -> list[PoolState]:
    """Every pool with its members, of which nothing is known yet. Raises the wire's errors."""
    results = shell.run(*_TOPOLOGY)
    _raise_errors(shell, results)
    listed = results.objects()
    pools = [each for each in listed if "Computers" in each]
    computers = [
        each for each in listed if "Pool" in each and "Computers" not in each and "PoolFqdn" not in each
    ]
    versions = {
        ordinal_key(_text(each["PoolFqdn"])): each.get("Version") for each in listed if "PoolFqdn" in each
    }
    return [_pool(each, computers, versions.get(ordinal_key(_fqdn(each))), clock) for each in pools]


def _pool(remote: RemoteObject, computers: Iterable[RemoteObject], version: Any, clock: Clock) -> PoolState:
    fqdn = _fqdn(remote)
    offered = [_text(each) for each in remote.get("Services") or []]
    # Get-CsComputer has the order that the quorum's "first servers" go by; Get-CsPool knows the same
    # computers.
    ordered = [
        _text(each.get("Fqdn") or each["Identity"])
        for each in computers
        if same_name(_text(each["Pool"]), fqdn)
    ]
    names = ordered or [_text(each) for each in remote.get("Computers") or []]
    number = version if isinstance(version, int) else None
    return PoolState(
        pool=fqdn,
        site=_text(remote.get("Site")) or None,
        kind=kind_of(offered, names, fqdn, number),
        is_edge=any(ordinal_key(service).startswith("EDGESERVER:") for service in offered),
        version=number,
        members=tuple(Member(name) for name in names),
        observed=_now(clock),
    )


def find(pools: Sequence[PoolState], pool: str | None, member: str | None) -> PoolState:
    """The pool of this name, or the one that the computer is in. Raises UnusableArgument, naming those that
    there are.
    """
    for each in pools:
        if pool is not None and same_name(each.pool, pool):
            return each
        if pool is None and member is not None and each.member(member):
            return each
    known = ", ".join(each.pool for each in pools) or "none"
    what = f"there is no pool '{pool}'" if pool is not None else f"no pool has the computer '{member}'"
    raise UnusableArgument("pool", f"{what}. The topology has {known}")


def with_services(
    shell: ManagementShell, state: PoolState, own: str | None, clock: Clock = time
) -> PoolState:
    """The pool with what this session can see of its members' services."""
    members = [_asked(shell, each, own) for each in state.members]
    return PoolState(**{**vars(state), "members": tuple(members), "observed": _now(clock)})


def _asked(shell: ManagementShell, member: Member, own: str | None) -> Member:
    is_own = own is not None and same_name(member.computer, own)
    try:
        if is_own:
            return own_member(member.computer, own_services(shell))
        results = shell.run(list_services(member.computer))
        _raise_errors(shell, results)
        return own_member(member.computer, services.Services(tuple(services.read(results.objects()))))
    except UNKNOWN as unknown:
        return Member(member.computer, None, trouble=str(unknown))


def own_member(name: str, found: services.Services) -> Member:
    return Member(name, found.takes_part, found.states)


def readiness(shell: ManagementShell) -> Readiness | None:
    """What the pool of the session's computer says; None where its version has no such statement. Raises the
    wire's errors.

    Property names differ between the documents; all of theirs are looked for.
    """
    for cmdlet in READINESS:
        if not has_cmdlet(shell, cmdlet):
            continue
        results = shell.run(Command(cmdlet, {"Confirm": False}))
        _raise_errors(shell, results)
        for remote in results.objects():
            if "PoolUpgradeState" in remote:
                return read_readiness(remote)
    return None


def read_readiness(remote: RemoteObject) -> Readiness:
    domains = remote.get("UpgradeDomains") or []
    listed = domains if isinstance(domains, list) else [domains]
    return Readiness(
        _text(remote["PoolUpgradeState"]),
        tuple(_domain(each) for each in listed if isinstance(each, RemoteObject)),
    )


def _domain(remote: RemoteObject) -> UpgradeDomain:
    servers = _first(remote, "Frontends", "FrontEnds", "FrontEndList", "Servers") or []
    ready = _first(remote, "ReadyforUpgrade", "IsReadyForUpgrade")
    return UpgradeDomain(
        name=_text(_first(remote, "UpgradeDomainName", "Name", "UpgradeDomain")),
        servers=tuple(_text(each) for each in (servers if isinstance(servers, list) else [servers])),
        total=_first(remote, "TotalFrontends"),
        active=_first(remote, "TotalActiveFrontends"),
        ready=ready if isinstance(ready, bool) else None,
    )


def fabric(shell: ManagementShell, pool: str) -> tuple[str, ...]:
    """What Windows Fabric says about the pool, word for word: the form of the text is documented nowhere. What is
    amiss, such as a replica that is missing, it says as a warning.
    """
    if not has_cmdlet(shell, FABRIC):
        return ()
    results = shell.run(Command(FABRIC, {"PoolFqdn": pool, "Confirm": False}))
    _raise_errors(shell, results)
    return (*results.warnings, *(line for line in results.output if isinstance(line, str)))


def av_edge(shell: ManagementShell, pool: str, user: str | None) -> dict[str, Any] | None:
    """Whether a user of the pool gets what calls through the Edge Server need; None before 2013, which cannot
    test it. ``success`` is None where the test itself did not come about.
    """
    if not has_cmdlet(shell, AV_EDGE):
        return None
    who = {} if user is None else {"UserSipAddress": user}
    results = shell.run(Command(AV_EDGE, {"TargetFqdn": pool, **who}))
    for remote in results.objects():
        if "Result" in remote:
            return {
                "success": same_name(_text(remote["Result"]), "Success"),
                "error": _text(remote.get("Error")) or None,
                "diagnosis": _text(remote.get("Diagnosis")) or None,
            }
    # Without a test user the statement does not get as far as testing anything.
    said = " ".join(report.message for report in results.errors) or f"{AV_EDGE} returned nothing."
    return {"success": None, "error": said, "diagnosis": None}


def _first(remote: RemoteObject, *names: str) -> Any:
    return next((remote[name] for name in names if name in remote), None)


def _fqdn(remote: RemoteObject) -> str:
    return _text(remote.get("Fqdn") or remote["Identity"])


def _text(value: Any) -> str:
    if isinstance(value, RemoteObject):
        return value.text or ""
    return "" if value is None else str(value)


def _raise_errors(shell: ManagementShell, results: Results) -> None:
    for report in results.errors:
        raise shell.classify(report)


def _now(clock: Clock) -> datetime.datetime:
    return datetime.datetime.fromtimestamp(clock.time(), datetime.timezone.utc).replace(microsecond=0)
