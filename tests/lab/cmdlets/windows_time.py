# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clock, time zone and W32Time: Set-Date, the TimeZone cmdlets, tzutil, w32tm and klist.

Sources: Microsoft Learn, the pages of the programs; published outputs of klist purge; PowerShell/PowerShell,
TimeZoneCommands.cs for Get- and Set-TimeZone.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, cast

from psrpcore.types import ErrorCategory, PSDateTime

from lab.objects.values import NetObject, get_property, text_of
from lab.powershell.builtin import matches
from lab.powershell.engine import Invocation
from lab.powershell.errors import PowerShellError
from lab.powershell.registry import implements
from lab.windows.machine import Machine
from lab.windows.w32tm import ACCESS_DENIED, NO_RPC_SERVER, W32tm
from lab.windows.zones import WINDOWS_ZONES, Zone, display_name, parse_zone


def _arguments(invocation: Invocation) -> Sequence[str]:
    return invocation.get("Arguments") or ()


@implements("w32tm")
def w32tm(invocation: Invocation) -> Iterator[str]:
    session = invocation.session
    machine = session.machine

    def remote(name: str) -> Machine | int:
        """Another computer is reached by RPC: not from or to an Edge, nor without delegation."""
        if name.lower() in (machine.fqdn.lower(), machine.host_name.lower(), "localhost", "."):
            return cast(Machine, machine)
        found = machine.facts.reach(name)
        if found is None or found.down_until is not None or found.facts.in_workgroup or session.on_edge:
            return NO_RPC_SERVER
        return cast(Machine, found) if session.caller.delegated else ACCESS_DENIED

    program = W32tm(machine, _arguments(invocation), invocation.streams.stopped.wait, remote)
    yield from program.run()
    invocation.exit_code = program.exit_code - (2**32 if program.exit_code >= 2**31 else 0)


@implements("tzutil")
def tzutil(invocation: Invocation) -> Iterator[str]:
    machine = invocation.session.machine
    arguments = [argument.replace("-", "/", 1) for argument in _arguments(invocation)]
    verb = arguments[0].lower() if arguments else "/?"
    if verb == "/g":
        yield machine.zone.setting
    elif verb == "/s" and len(arguments) > 1:
        wanted = _arguments(invocation)[1].strip('"')
        zone = parse_zone(wanted)
        if zone is None:
            text = invocation.session.deployment.texts.text("time_zone_invalid", zone=wanted)
            invocation.program_error(text)
            return
        machine.set_zone(zone)
    elif verb == "/l":
        for name in _by_offset(machine.clock.now()):
            yield from (display_name(name, machine.clock.now()), name, "")
    else:
        yield "Windows Time Zone Utility"


def _by_offset(utc: datetime.datetime) -> list[str]:
    return sorted(WINDOWS_ZONES, key=lambda name: (Zone(name).standard_offset(utc), name))


@implements("klist")
def klist(invocation: Invocation) -> Iterator[str]:
    arguments = [argument.lower() for argument in _arguments(invocation)]
    digest = hashlib.sha256(invocation.session.caller.account.lower().encode()).digest()
    yield ""
    yield f"Current LogonId is 0:0x{int.from_bytes(digest[:3], 'big'):x}"
    if "-li" in arguments and arguments.index("-li") + 1 < len(arguments):
        yield f"Targeted LogonId is 0:{arguments[arguments.index('-li') + 1]}"
    if "purge" in arguments:
        yield "\tDeleting all tickets:"
        yield "\tTicket(s) purged!"
    elif not arguments or arguments[-1] in ("tickets", "-li") or arguments[0] == "-li":
        yield ""
        yield "Cached Tickets: (0)"
    else:
        texts = invocation.session.deployment.texts
        yield texts.text("klist_unknown", option=arguments[0])


@implements("Set-Date")
def set_date(invocation: Invocation) -> Iterator[Any]:
    """Moves the clock by a span, or to a moment that is local time unless it says otherwise."""
    session = invocation.session
    machine = session.machine
    adjust = invocation.get("Adjust")
    shown = machine.zone.local(machine.clock.now())
    if adjust is None:
        wanted = invocation.get("Date")
        if wanted.tzinfo is None:
            wanted = wanted.replace(tzinfo=shown.tzinfo)
        adjust = datetime.datetime.fromtimestamp(wanted.timestamp(), datetime.timezone.utc) - shown
    target = shown + datetime.timedelta(seconds=adjust.total_seconds())
    if invocation.should_process(text_of(target)):
        machine.step_clock(adjust.total_seconds())
        yield PSDateTime(machine.zone.local(machine.clock.now()))


def _zone_object(zone: Zone, utc: datetime.datetime) -> NetObject:
    return NetObject(
        ("System.TimeZoneInfo", "System.Object"),
        {
            "Id": zone.name,
            "DisplayName": display_name(zone.name, utc),
            "StandardName": zone.name,
            "DaylightName": zone.daylight_name,
            "BaseUtcOffset": zone.standard_offset(utc),
            "SupportsDaylightSavingTime": zone.transitions(utc.year) is not None,
        },
        text=display_name(zone.name, utc),
    )


def _no_zone(name: str) -> PowerShellError:
    return PowerShellError(
        f"The time zone ID '{name}' was not found on the local computer.",
        category=ErrorCategory.ObjectNotFound,
        error_id="TimeZoneNotFound",
        exception="System.TimeZoneNotFoundException",
    )


@implements("Get-TimeZone")
def get_time_zone(invocation: Invocation) -> Iterator[NetObject]:
    machine = invocation.session.machine
    utc = machine.clock.now()
    if invocation.get("ListAvailable"):
        yield from (_zone_object(Zone(name), utc) for name in _by_offset(utc))
    elif invocation.given("Id"):
        for name in invocation.get("Id"):
            zone = parse_zone(name)
            if zone is None:
                invocation.error(_no_zone(name))
            else:
                yield _zone_object(Zone(zone.name), utc)
    elif invocation.given("Name"):
        for pattern in invocation.get("Name"):
            found = [name for name in _by_offset(utc) if matches(name, pattern)]
            if not found:
                invocation.error(_no_zone(pattern))
            yield from (_zone_object(Zone(name), utc) for name in found)
    else:
        yield _zone_object(machine.zone, utc)


@implements("Set-TimeZone")
def set_time_zone(invocation: Invocation) -> Iterable[Any]:
    machine = invocation.session.machine
    name = invocation.get("Id") or invocation.get("Name")
    if name is None:
        name = text_of(get_property(invocation.get("InputObject"), "Id"))
    zone = parse_zone(name)
    if zone is None:
        raise _no_zone(name)
    if invocation.should_process(zone.name):
        machine.set_zone(Zone(zone.name))
        if invocation.get("PassThru"):
            return [_zone_object(zone, machine.clock.now())]
    return ()
