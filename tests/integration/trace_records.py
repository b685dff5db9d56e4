# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Records that agents of centralized logging may hold, as deployment files of the lab write them."""

from __future__ import annotations

from typing import Any

REFUSED = """\
Direction: incoming;source="external edge";destination="internal edge"
Peer: edge01.contoso.com:5061
Message-Type: response
Start-Line: SIP/2.0 488 Not Acceptable Here
From: "Ken Myer"<sip:kenmyer@contoso.com>;tag=0aa1;epid=77
To: <sip:pilar@fabrikam.net;mepid=11>;tag=0bb2
CALL-ID: 5f0e488
CSEQ: 1 INVITE
ms-client-diagnostics: 52017;reason="Encryption levels dont match"
Message-Body: -
"""
EXPIRED = """\
Severity: error
Text: Message expired in the outbound queue before it could be sent
SIP-Start-Line: SERVICE sip:{edge}:5062;grid SIP/2.0
SIP-Call-ID: 0e5062
SIP-CSeq: 1 SERVICE
Peer: {edge}:5062
"""
ORDINARY = """\
Direction: incoming;source="local";destination="local"
Start-Line: OPTIONS sip:contoso.com SIP/2.0
CALL-ID: ordinary
CSEQ: 1 OPTIONS
"""


def record(
    computer: str, text: str, *, minutes_ago: int = 10, level: str = "INFO", flag: str = "TF_PROTOCOL"
) -> dict[str, Any]:
    return {"computer": computer, "text": text, "minutes_ago": minutes_ago, "level": level, "flag": flag}


def refused_for_encryption(computer: str) -> dict[str, Any]:
    return record(computer, REFUSED)


def expired_request(computer: str, edge: str = "edge01.contoso.com") -> dict[str, Any]:
    return record(computer, EXPIRED.format(edge=edge), level="ERROR", flag="TF_DIAG")


def ordinary(computer: str) -> dict[str, Any]:
    return record(computer, ORDINARY, minutes_ago=1)
