# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""NTLM's CHALLENGE as the simulated computer sends it; pyspnego's names the one that the lab runs on.

A member of a domain names its domain, any other computer itself (MS-NLMP 2.2.1.2 and 3.2.5.1.1).
"""

from __future__ import annotations

from contextvars import ContextVar
from typing import Any

import spnego._ntlm
from spnego._ntlm_raw.messages import AvId, Challenge, NegotiateFlags, TargetInfo, Version

from ..contract import Server

#: Whose challenges are made.
challenger: ContextVar[Server] = ContextVar("challenger")


class NamedChallenge(Challenge):
    """pyspnego makes one where it accepts, and takes one apart where it initiates."""

    def __init__(
        self,
        flags: int = 0,
        server_challenge: bytes | None = None,
        target_name: str | None = None,
        target_info: TargetInfo | None = None,
        version: Version | None = None,
        **more: Any,
    ) -> None:
        server = challenger.get(None)
        if target_info is not None and server is not None:
            computer, _, dns_domain = server.fqdn.partition(".")
            domain = server.inventory_account.name.rpartition("\\")[0].upper()
            is_member = domain not in ("", computer.upper())
            flags &= ~(NegotiateFlags.target_type_server | NegotiateFlags.target_type_domain)
            flags |= NegotiateFlags.target_type_domain if is_member else NegotiateFlags.target_type_server
            target_name = domain if is_member else computer.upper()
            target_info[AvId.nb_domain_name] = target_name
            target_info[AvId.nb_computer_name] = computer.upper()
            target_info[AvId.dns_domain_name] = dns_domain if is_member else server.fqdn
            target_info[AvId.dns_computer_name] = server.fqdn
            if version is not None:
                major, minor, build = map(int, server.build_version.split(".")[:3])
                version = Version(major=major, minor=minor, build=build)
        super().__init__(flags, server_challenge, target_name, target_info, version, **more)


spnego._ntlm.Challenge = NamedChallenge  # type: ignore[assignment,misc]  # it offers no other way
