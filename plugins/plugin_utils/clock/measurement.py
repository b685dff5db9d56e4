# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What one server said of its clock, as the judgement uses it. Pure functions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from ..result.failures import has_failed
from .offset import Offset

#: Options of W32Time's type that follow time servers of the computer's own.
_OWN_SOURCES = ("manual", "all")


@dataclass(frozen=True)
class Comparison:
    """A time server, as one server sees it: ``seconds`` is the server's clock less the time server's, None where it
    did not answer. ``unknown_host``: the server could not resolve its name.
    """

    name: str
    seconds: float | None
    address: str | None = None
    unknown_host: bool = False


@dataclass(frozen=True)
class Measurement:
    """One server's answer. ``offset`` is None where its clock could not be measured, which ``trouble`` explains.

    ``utc_offset``: minutes that its zone adds to UTC now. ``sources``: the time servers it follows by itself, and
    ``domain_controller`` the domain's, as it sees them.
    """

    host: str
    computer: str | None = None
    offset: Offset | None = None
    jumped: float | None = None
    zone: str | None = None
    daylight_saving: bool | None = None
    utc_offset: int | None = None
    time_service: Mapping[str, Any] | None = None
    synchronised: bool | None = None
    source: str | None = None
    time_servers: tuple[Comparison, ...] = ()
    sources: tuple[Comparison, ...] = ()
    domain: str | None = None
    domain_controller: Comparison | None = None
    note: Mapping[str, Any] | None = None
    running: bool = True
    trouble: tuple[str, ...] = field(default=())

    @property
    def measured(self) -> bool:
        return self.offset is not None

    @property
    def idle(self) -> str | None:
        """What W32Time is where it does not run; None where it does, or where that is not known."""
        if self.time_service is None:
            return None
        state = self.time_service.get("service_state")
        if state == "started":
            return None
        words = "not registered" if state is None else str(state).replace("_", " ")
        return f"{words} and disabled" if self.time_service.get("start_mode") == "disabled" else words

    @property
    def follows_itself(self) -> bool:
        """W32Time runs, and follows nobody but this computer's own clock."""
        return self.idle is None and (self.synchronised is False or self._type == "none")

    @property
    def own_source(self) -> str | None:
        """The source that this server follows for itself, not as a member of its domain; None where there is none."""
        if not self.synchronised or self.idle is not None or not self.source:
            return None
        name = self.source.partition(",")[0]
        if self.time_service is not None and self.time_service.get("vm_provider") and not self._is_peer(name):
            return self.source if self._type != "domain_hierarchy" or not _is_host(name) else None
        if self._type in _OWN_SOURCES and self._is_peer(name):
            return name
        return None

    @property
    def _type(self) -> Any:
        return (self.time_service or {}).get("type")

    def _is_peer(self, name: str) -> bool:
        peers = (self.time_service or {}).get("peers")
        hosts = (
            [peer.get("host", "") for peer in peers if isinstance(peer, Mapping)]
            if isinstance(peers, list)
            else []
        )
        return any(same_name(host, name) for host in hosts)


def _is_host(name: str) -> bool:
    return bool(name) and not any(each.isspace() for each in name)


def read(host: str, answer: Mapping[str, Any]) -> Measurement:
    """From what clock_info returned, be it a failure, or nothing at all."""
    zone = answer.get("time_zone") or {}
    standing = answer.get("synchronisation") or {}
    offset = None
    if answer.get("offset_ms") is not None:
        offset = Offset(answer["offset_ms"] / 1000, answer["uncertainty_ms"] / 1000)
    said = (
        [str(answer["msg"])]
        if has_failed(answer) and answer.get("msg")
        else list(answer.get("trouble") or ())
    )
    controller = answer.get("domain_controller")
    return Measurement(
        host=host,
        computer=answer.get("computer"),
        offset=offset,
        jumped=None if answer.get("jumped_ms") is None else answer["jumped_ms"] / 1000,
        zone=zone.get("zone"),
        daylight_saving=zone.get("daylight_saving"),
        utc_offset=zone.get("utc_offset_minutes"),
        time_service=answer.get("time_service"),
        synchronised=standing.get("synchronised"),
        source=standing.get("source"),
        time_servers=tuple(_comparisons(answer.get("ntp_servers"))),
        sources=tuple(_comparisons(answer.get("sources"))),
        domain=answer.get("domain"),
        domain_controller=next(iter(_comparisons([controller])), None) if controller else None,
        note=answer.get("restart_pending"),
        running=answer.get("running") is not False,
        trouble=tuple(said) or (() if answer else ("it was not measured",)),
    )


def _comparisons(listed: Iterable[Mapping[str, Any]] | None) -> Iterable[Comparison]:
    for each in listed or ():
        seconds = None if each.get("offset_ms") is None else each["offset_ms"] / 1000
        yield Comparison(str(each["name"]), seconds, each.get("address"), bool(each.get("unknown_host")))


def key(name: str) -> str:
    """A host's name for comparing: DNS knows no case, and a last dot says nothing."""
    return ordinal_key(name.rstrip("."))
