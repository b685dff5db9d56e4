# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Asking about pools: the topology, the services of their computers, readiness and fabric."""

from __future__ import annotations

import datetime
import time
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
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
from .pool_state import Member, PoolState, Readiness, kind_of
from .quorum import Kind

# What tells the topology of pools.
_TOPOLOGY = (
    Command("Get-CsPool"),
    Command("Get-CsComputer"),
    Command("Get-CsService"),
)
SERVICES = "Get-CsWindowsService"
FABRIC = "Get-CsPoolFabricState"
AV_EDGE = "Test-CsAVEdgeConnectivity"
# The one of 2013 and 2015, and its successor of 2019; both look at the pool of the computer that they run on.
READINESS = ("Get-CsPoolUpgradeReadinessState", "Get-CsUpgradeDomainInfo")
FAIL_OVER = "Invoke-CsComputerFailOver"
FAIL_BACK = "Invoke-CsComputerFailBack"
_VERSION_CMDLETS = (*READINESS, FABRIC, AV_EDGE, FAIL_OVER, FAIL_BACK)

# Roles whose computers run Lync services, apart from those with user data.
_LYNC_ROLES = frozenset(
    {"edgeserver", "director", "mediationserver", "registrar", "persistentchatserver", "conferencingserver"}
)
CMDLETS = (*(command.name for command in _TOPOLOGY), SERVICES, *_VERSION_CMDLETS)


# What leaves one part unknown and the rest as it is.
UNKNOWN = (CommandError, Unreadable, OutcomeUnknown)


def has_cmdlet(shell: ManagementShell, cmdlet: str) -> bool:
    """Whether the session has this cmdlet, which says of what version it is."""
    # A statement of the Management Shell beside it makes the session load the module, which it otherwise does
    # when first used.
    described = shell.describing(*_VERSION_CMDLETS)
    if described:
        results = shell.run(*described, list_services())
        unanswered = next((report for report in results.errors if report.command == "Get-Command"), None)
        if unanswered is not None:
            raise shell.classify(unanswered)
    return shell.parameters_of(cmdlet) is not None


def stricter(shell: ManagementShell, kind: Kind) -> Kind:
    """Microsoft's documents of Lync Server 2013 show service versions of 2010, too; its servers tell that they are
    of 2013 by what they offer.
    """
    has_fabric = kind is Kind.FRONT_ENDS_2010 and any(has_cmdlet(shell, cmdlet) for cmdlet in READINESS)
    return Kind.FRONT_ENDS if has_fabric else kind


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
    services = [each for each in listed if "PoolFqdn" in each and "Role" in each]
    return [_pool(each, computers, services, clock) for each in pools]


def _pool(
    remote: RemoteObject, computers: Iterable[RemoteObject], services: Iterable[RemoteObject], clock: Clock
) -> PoolState:
    fqdn = _fqdn(remote)
    own = {
        ordinal_key(_text(each["Role"])): each
        for each in services
        if same_name(_text(each["PoolFqdn"]), fqdn)
    }
    offered = [_text(each) for each in remote.get("Services") or []]
    # Get-CsComputer has the order that the quorum's "first servers" go by; Get-CsPool knows the same
    # computers.
    ordered = [
        _text(each.get("Fqdn") or each["Identity"])
        for each in computers
        if same_name(_text(each["Pool"]), fqdn)
    ]
    names = ordered or [_text(each) for each in remote.get("Computers") or []]
    registrar, store = own.get(ordinal_key("Registrar")), own.get(ordinal_key("CentralManagement"))
    version = registrar.get("Version") if registrar else None
    number = version if isinstance(version, int) else None
    backup, backup_known = _backup(remote, registrar)
    return PoolState(
        pool=fqdn,
        site=_text(remote.get("Site")) or None,
        kind=kind_of(offered, names, fqdn, number),
        is_edge=any(ordinal_key(service).startswith("EDGESERVER:") for service in offered),
        version=number,
        members=tuple(Member(name) for name in names),
        observed=_now(clock),
        roles=tuple(sorted({service.partition(":")[0] for service in offered})),
        backup=backup,
        backup_known=backup_known,
        # A pool that holds a copy says that it is not the active one.
        holds_store=store is not None and store.get("Active") is not False,
    )


def _backup(pool: RemoteObject, registrar: RemoteObject | None) -> tuple[str | None, bool]:
    """The pool that this one is paired with, and whether that is known.

    Set-CsRegistrar has it as BackupRegistrar; that pools show it as BackupPoolFqdn is not documented.
    """
    if registrar is None:
        return None, True
    named = [
        _text(value).rpartition(":")[2]
        for remote, name in ((registrar, "BackupRegistrar"), (pool, "BackupPoolFqdn"))
        if name in remote
        for value in (remote[name],)
    ]
    return next((name for name in named if name), None), bool(named)


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
    """The pool with what this session can see of its members' services.

    The topology lists SQL Servers, file stores and gateways as pools, too; nobody answers there, or only after long.
    """
    if state.kind is Kind.OTHER and not _LYNC_ROLES.intersection(map(str.casefold, state.roles)):
        return state
    members = [_asked(shell, each, own) for each in state.members]
    return replace(state, members=tuple(members), observed=_now(clock))


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
    """What the pool of the session's computer says; None where its version has no such statement. Raises Unreadable
    for an answer without it, and the wire's errors.
    """
    for cmdlet in READINESS:
        if not has_cmdlet(shell, cmdlet):
            continue
        results = shell.run(Command(cmdlet, {"Confirm": False}))
        _raise_errors(shell, results)
        for remote in results.objects():
            if "PoolUpgradeState" in remote:
                return read_readiness(remote)
        raise Unreadable(f"{cmdlet} did not say whether the pool is ready.")
    return None


def read_readiness(remote: RemoteObject) -> Readiness:
    domains = remote.get("UpgradeDomains") or []
    listed = domains if isinstance(domains, list) else [domains]
    return Readiness(_text(remote["PoolUpgradeState"]), tuple(_text(each) for each in listed))


@dataclass(frozen=True)
class FabricState:
    """What Windows Fabric says of a pool, word for word: the form of the text is documented nowhere. What is amiss,
    such as a replica that is missing, it says as a warning.
    """

    warnings: tuple[str, ...]
    lines: tuple[str, ...]


def fabric(shell: ManagementShell, pool: str) -> FabricState | None:
    """None where the version has no such statement. Raises Unreadable for no answer at all, and the wire's errors."""
    if not has_cmdlet(shell, FABRIC):
        return None
    results = shell.run(Command(FABRIC, {"PoolFqdn": pool, "Confirm": False}))
    _raise_errors(shell, results)
    lines = tuple(line for line in results.output if isinstance(line, str))
    if not lines and not results.warnings:
        raise Unreadable(f"{FABRIC} said nothing about {pool}.")
    return FabricState(tuple(results.warnings), lines)


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
