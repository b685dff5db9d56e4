# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clock, time zone and W32Time: Set-Date, the TimeZone cmdlets, tzutil, w32tm, nltest, klist and sc.exe.

Sources: Microsoft Learn, the pages of the programs; published outputs of klist purge; PowerShell/PowerShell,
TimeZoneCommands.cs for Get- and Set-TimeZone.
"""

from __future__ import annotations

import datetime
import hashlib
from collections.abc import Iterator, Sequence
from typing import Any

from psrpcore.types import PSDateTime

from lab.objects.values import text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements
from lab.windows.time_service import TRIGGER_WORDS
from lab.windows.w32tm import W32tm
from lab.windows.zones import WINDOWS_ZONES, Zone, display_name, parse_zone


def _arguments(invocation: Invocation) -> Sequence[str]:
    return invocation.get("Arguments") or ()


@implements("w32tm")
def w32tm(invocation: Invocation) -> Iterator[str]:
    program = W32tm(invocation.session.machine, _arguments(invocation), invocation.streams.stopped.wait)
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


@implements("nltest")
def nltest(invocation: Invocation) -> Iterator[str]:
    """/dsgetdc with /pdc: the domain controller that the domain's time comes from. Nothing of it is translated.

    Source: Microsoft Learn, the page of the program, and outputs that people published.
    """
    facts = invocation.session.machine.facts
    controller = facts.domain_controller
    arguments = [argument.lower() for argument in _arguments(invocation)]
    domain = controller.name.partition(".")[2]
    asked = next((each.partition(":")[2] for each in arguments if each.startswith("/dsgetdc")), None)
    if asked is None or "/pdc" not in arguments:
        yield "The command failed: only /dsgetdc with /pdc is modelled."
    elif facts.in_workgroup or asked not in ("", domain.lower()) or not controller.reachable:
        yield "Getting DC name failed: Status = 1355 0x54b ERROR_NO_SUCH_DOMAIN"
        invocation.exit_code = 1355
    else:
        yield f"           DC: \\\\{controller.name}"
        yield f"      Address: \\\\{controller.address}"
        yield f"     Dom Name: {domain}"
        yield f"  Forest Name: {domain}"
        yield "        Flags: PDC GC DS LDAP KDC TIMESERV GTIMESERV WRITABLE DNS_DC DNS_DOMAIN DNS_FOREST"
        yield "The command completed successfully"


@implements("sc.exe")
def sc(invocation: Invocation) -> Iterator[str]:
    """``triggerinfo W32Time``, with triggers that take no parameters. What it prints is not modelled, nor looked at."""
    verb, service, *words = (argument.lower() for argument in _arguments(invocation))
    given = [TRIGGER_WORDS.get(word) for word in words if word != "delete"]
    known = [trigger for trigger in given if trigger is not None]
    machine = invocation.session.machine
    if (verb, service) != ("triggerinfo", "w32time") or len(known) < len(given):
        yield "Only triggers of W32Time are modelled."
        invocation.exit_code = 87
    elif not machine.time_service.registered:
        invocation.exit_code = 1060
    else:
        machine.time_service.set_triggers(known)


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
