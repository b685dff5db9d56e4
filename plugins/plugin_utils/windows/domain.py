# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The domain controller that a domain's time comes from: the one with the PDC emulator's role."""

from __future__ import annotations

import re
from collections.abc import Sequence

from ..powershell.commands import Command
from .programs import text_lines

try:
    import dns.exception
    import dns.resolver

    HAS_DNS = True
except ImportError:  # It only helps where a server has no nltest.
    HAS_DNS = False

_WAIT = 3.0
_NAME = re.compile(r"\\\\([A-Za-z0-9][A-Za-z0-9._-]*)")
_ADDRESS = re.compile(r"\\\\([0-9A-Fa-f.:]+)\s*$")


def finding(domain: str) -> Command:
    """The statement that asks a member of the domain."""
    return Command("nltest", arguments=(f"/dsgetdc:{domain}", "/pdc"))


def read_found(output: Sequence[object]) -> str | None:
    r"""From ``nltest /dsgetdc``: the first ``\\name``, if the controller's flags, which are never translated, have PDC.

    None where it printed something else, such as an error.
    """
    lines = text_lines(output)
    names = [match[1] for line in lines if (match := _NAME.search(line)) and not _ADDRESS.search(line)]
    is_emulator = any("PDC" in line.split() for line in lines)
    return names[0] if names and is_emulator else None


def by_dns(domain: str) -> str | None:
    """Of the domain's SRV record, as the controller's name servers know it; None where there is none, or no dnspython
    to ask with.
    """
    if not HAS_DNS:
        return None
    try:
        found = dns.resolver.resolve(f"_ldap._tcp.pdc._msdcs.{domain}", "SRV", lifetime=_WAIT)
    except (dns.exception.DNSException, OSError):
        return None
    return next((str(record.target).rstrip(".") for record in found), None)
