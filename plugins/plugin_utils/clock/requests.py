# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What an inventory requests of clocks, checked before anything is read or written. Pure functions.

Everything that is wrong is one sentence that names the variable, the value and what is allowed.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Container, Iterable, Mapping
from typing import Any

from ..powershell.ordinal import ordinal_key, same_name
from ..result.bounds import not_between
from ..result.display import shown
from ..result.refusals import BadArgument, UnusableArgument
from ..windows import w32time, zones
from ..windows.windows_zones import WINDOWS_ID
from .described import listed
from .zone_faults import without_suffix

#: By variable without the role's prefix: the least and the greatest value.
BOUNDS: Mapping[str, tuple[float, float]] = {
    "max_offset_ms": (1, 3_600_000),
    "restart_offset_ms": (0, 86_400_000),
    "restart_at_once": (1, 100),
    "sync_timeout": (0, 86_400),
    "drain_timeout": (1, 86_400),
    "start_timeout": (1, 86_400),
    "interval": (1, 3600),
    "settle": (0, 86_400),
    "busy_wait": (1, 86_400),
    "busy_tries": (1, 100),
    "replication_timeout": (0, 86_400),
    "samples": (2, 100),
    "command_timeout": (10, 86_400),
}

# Zones that Windows has and Unicode's table does not, or no longer.
_MORE_ZONES = ("Mid-Atlantic Standard Time", "Kamchatka Standard Time", "Dateline Standard Time", "UTC")
ZONES = tuple(dict.fromkeys((*WINDOWS_ID.values(), *_MORE_ZONES)))

_FQDN = re.compile(r"[\w-]+(\.[\w-]+)+\.?")
_SIP_ADDRESS = re.compile(r"(sip:)?[^\s@:]+@[^\s@:]+", re.IGNORECASE)

#: What inventory.example has in the place of a real name.
_PLACEHOLDERS = ("example.invalid",)


def check_variables(prefix: str, given: Mapping[str, Any], known: Iterable[str]) -> None:
    """Raises BadArgument for the first of the role's variables that cannot be right."""
    allowed = list(known)
    for name in given:
        if name not in allowed:
            near = difflib.get_close_matches(name, allowed, n=1)
            raise BadArgument(
                f"{name}: there is no such variable.{f' Did you mean {near[0]}?' if near else ''}"
            )
    for option, (lowest, highest) in BOUNDS.items():
        name = prefix + option
        value = given.get(name)
        if value is None:
            continue
        problem = not_between(_number(name, value), lowest, highest)
        if problem is not None:
            raise UnusableArgument(name, problem)
    for option in ("ntp_servers", "take_over"):
        listed = given.get(prefix + option)
        if listed is not None and not isinstance(listed, list):
            raise UnusableArgument(f"{prefix}{option}", f"{shown(listed)} is not a list of names")
    for server in given.get(f"{prefix}ntp_servers") or ():
        check_host(f"{prefix}ntp_servers", server)
    for computer in given.get(f"{prefix}take_over") or ():
        if not isinstance(computer, str) or not _FQDN.fullmatch(computer):
            raise BadArgument(f"{prefix}take_over: {computer!r} is not the FQDN of a server.")
    user = given.get(f"{prefix}test_user")
    if user is not None and (not isinstance(user, str) or not _SIP_ADDRESS.fullmatch(user)):
        raise BadArgument(f"{prefix}test_user: {user!r} is not a SIP address, such as sip:test@contoso.com.")


def _number(name: str, value: Any) -> float:
    if isinstance(value, bool):
        raise UnusableArgument(name, f"{value} is not a number")
    try:
        return float(value)
    except (TypeError, ValueError):
        raise UnusableArgument(name, f"{shown(value)} is not a number") from None


def check_host(variable: str, name: Any) -> None:
    if not isinstance(name, str):
        raise BadArgument(f"{variable}: {name!r} is not the name or address of a time server.")
    w32time.one_host(variable, name)
    if name.rpartition(".")[0].endswith(_PLACEHOLDERS) or name.endswith(_PLACEHOLDERS):
        raise BadArgument(f"{variable}: {name} stands for a name of yours. Put yours in its place.")


def check_zone(variable: str, host: str, zone: Any) -> str | None:
    """The zone as Windows spells it, without blanks around it."""
    if zone is None:
        return None
    if not isinstance(zone, str) or not zone.strip():
        raise BadArgument(f"{variable}: {zone!r} of {host} is not the name of a time zone.")
    plain, off = without_suffix(zone.strip())
    known = next((each for each in ZONES if same_name(each, plain)), None)
    if known is None:
        nearest = [f"'{each}'" for each in _nearest(plain)]
        raise BadArgument(
            f"{variable}: Windows has no time zone '{zone}', which is what {host} should have. The nearest "
            f"{'is' if len(nearest) == 1 else 'are'} {listed(nearest)}."
        )
    return known + (zone.strip()[len(plain) :].lower() if off else "")


def check_management_host(variable: str, host: str, name: Any, inventory: Container[str]) -> None:
    if not isinstance(name, str) or name not in inventory:
        raise BadArgument(f"{variable}: {name!r} of {host} is not a host of the inventory.")


def _nearest(text: str) -> list[str]:
    """Those that an abbreviation may stand for, or the one that was meant, or else whatever is spelt likest."""
    stands_for = [each for each in ZONES if same_name("".join(word[0] for word in each.split()), text)]
    begins = sorted(
        (each for each in ZONES if ordinal_key(each).startswith(f"{ordinal_key(text)} ")), key=len
    )
    meant = [each.id for each in zones.meant(text, [zones.Zone(each, each) for each in ZONES])]
    spelt = difflib.get_close_matches(text, ZONES, n=1, cutoff=0.0) or [ZONES[0]]
    return stands_for or (begins or meant or spelt)[:1]
