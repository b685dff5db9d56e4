# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What a pool looks like at one moment, and what speaks against stopping one of its servers. Pure functions."""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from .quorum import Kind, Quorum, UnknownSize, quorum

READY = "Ready"
BUSY = "Busy"

# Versions of the Registrar service in the topology; the documents show 5 and 8, and 6 is the first with
# centralized logging.
_WITHOUT_FABRIC = 5
PRODUCTS = {
    5: "Lync Server 2010",
    6: "Lync Server 2013",
    7: "Skype for Business Server 2015",
    8: "Skype for Business Server 2019",
}


@dataclass(frozen=True)
class Member:
    """A computer of the pool. ``running``: whether it serves users, None where that is not known, which
    ``trouble`` explains.
    """

    computer: str
    running: bool | None = None
    services: Mapping[str, str] = field(default_factory=dict)
    trouble: str = ""


@dataclass(frozen=True)
class Readiness:
    """Microsoft.Rtc.Management.Hadr.PoolUpgradeState: Ready, Busy or InsufficientActiveFrontEnds.

    ``domains``: the upgrade domains as texts, which is what remoting leaves of them, perhaps only their type's name:
    for people to read.
    """

    state: str
    domains: tuple[str, ...] = ()


@dataclass(frozen=True)
class PoolState:
    """``members`` in the order of Get-CsComputer. ``version``: of the Registrar service, None where there is
    none. ``trouble``: what else could not be found out.

    ``roles``: its services in the topology, such as ``UserServer``. ``backup``: the pool that it is paired with, None
    without one; it is only known where ``backup_known``. ``holds_store``: whether it has the Central Management Store.
    """

    pool: str
    site: str | None
    kind: Kind
    is_edge: bool
    version: int | None
    members: tuple[Member, ...]
    observed: datetime.datetime
    roles: tuple[str, ...] = ()
    backup: str | None = None
    backup_known: bool = True
    holds_store: bool = False
    readiness: Readiness | None = None
    fabric: tuple[str, ...] = ()
    trouble: tuple[str, ...] = ()

    def member(self, computer: str) -> Member | None:
        return next((each for each in self.members if same_name(each.computer, computer)), None)

    def quorum(self) -> Quorum:
        """Raises UnknownSize. Who is not known to run is taken to be down."""
        return quorum(
            self.kind,
            [each.computer for each in self.members],
            [e.computer for e in self.members if e.running],
            self.version,
        )

    def as_dict(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "pool": self.pool,
            "site": self.site,
            "kind": self.kind.value,
            "is_edge": self.is_edge,
            "version": self.version,
            "product": PRODUCTS.get(self.version or 0),
            "members": [
                {**vars(each), "services": dict(each.services), "trouble": each.trouble or None}
                for each in self.members
            ],
            "roles": list(self.roles),
            "backup": self.backup,
            "backup_known": self.backup_known,
            "holds_store": self.holds_store,
            "observed": self.observed.isoformat().replace("+00:00", "Z"),
            "readiness": self.readiness.state if self.readiness else None,
            "upgrade_domains": list(self.readiness.domains if self.readiness else ()),
            "fabric_state": list(self.fabric),
            "trouble": list(self.trouble),
        }
        return {**found, "quorum": _quorum_result(self)}


def _quorum_result(state: PoolState) -> dict[str, Any]:
    try:
        found = state.quorum()
    except UnknownSize as unknown:
        return {"known": False, "reason": str(unknown), "may_go_down": 0}
    return {
        "known": True,
        "counted": list(found.counted),
        "to_start_first": found.rule.to_start,
        "to_stay_functional": found.rule.to_stay,
        "running": found.running_counted,
        "functional": found.functional,
        "may_go_down": found.may_go_down,
        "candidates": [
            each.computer for each in state.members if each.running and found.survives_without(each.computer)
        ],
    }


def from_dict(values: Mapping[str, Any]) -> PoolState:
    """Back from `PoolState.as_dict`. Raises KeyError, ValueError or TypeError for anything else."""
    return PoolState(
        pool=str(values["pool"]),
        site=values["site"],
        kind=Kind(values["kind"]),
        is_edge=bool(values["is_edge"]),
        version=values["version"],
        members=tuple(
            Member(str(each["computer"]), each["running"], dict(each["services"]), each["trouble"] or "")
            for each in values["members"]
        ),
        observed=datetime.datetime.fromisoformat(str(values["observed"]).replace("Z", "+00:00")),
        roles=tuple(str(each) for each in values["roles"]),
        backup=values["backup"],
        backup_known=bool(values["backup_known"]),
        holds_store=bool(values["holds_store"]),
    )


def kind_of(services: Iterable[str], computers: Sequence[str], pool: str, version: int | None) -> Kind:
    """What a pool is, by its services such as ``UserServer:pool01.contoso.com`` in the topology.

    A Front End pool of unknown version is taken to have a quorum, which is the stricter rule.
    """
    if not any(ordinal_key(service).startswith("USERSERVER:") for service in services):
        return Kind.OTHER
    if [ordinal_key(computer) for computer in computers] == [ordinal_key(pool)]:
        return Kind.STANDARD_EDITION
    return Kind.FRONT_ENDS_2010 if version is not None and version <= _WITHOUT_FABRIC else Kind.FRONT_ENDS


def answered(state: PoolState, answers: Iterable[Member], observed: datetime.datetime) -> PoolState:
    """The state with what members said about themselves, which goes before what others say about them."""
    by_name = {ordinal_key(each.computer): each for each in answers}
    members = tuple(by_name.get(ordinal_key(each.computer), each) for each in state.members)
    return replace(state, members=members, observed=observed)


def objections(state: PoolState, computer: str, readiness: Readiness | None) -> list[str]:
    """Everything that speaks against stopping this server now; empty where it may be stopped.

    Two rules, each enough to refuse: never two servers of a pool down at once, and never fewer than its
    quorum.
    """
    if state.member(computer) is None:
        known = ", ".join(each.computer for each in state.members)
        return [f"{computer} is not a member of the pool {state.pool}, which has {known}"]
    found = []
    for each in state.members:
        if same_name(each.computer, computer) or each.running:
            continue
        if each.running is None:
            found.append(f"whether {each.computer} runs is not known ({each.trouble or 'nobody asked it'})")
        else:
            found.append(f"{each.computer} is down, and only one server of a pool may be down at a time")
    try:
        now = state.quorum()
        name = next(e.computer for e in state.members if same_name(e.computer, computer))
        if not now.survives_without(name):
            found.append(
                f"the pool {state.pool} needs {now.rule.to_stay} of its first {len(now.counted)} servers, and without "
                f"it {now.left_without(name)} would be known to run"
            )
    except UnknownSize as unknown:
        found.append(str(unknown))
    return found + _unready(state, readiness)


def _unready(state: PoolState, readiness: Readiness | None) -> list[str]:
    if state.kind is not Kind.FRONT_ENDS or len(state.members) == 1:
        return []
    if readiness is None:
        return [f"whether the pool {state.pool} is ready for it is not known"]
    if readiness.state != READY:
        return [f"the pool {state.pool} says that it is not ready for it ({readiness.state})"]
    return []
