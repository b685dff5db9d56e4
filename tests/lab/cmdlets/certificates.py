# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Get-CsCertificate: the certificates assigned to the services of the session's computer.

Printed object: Microsoft, "Check Lync Server 2013 server certificates".
"""

from __future__ import annotations

from collections.abc import Iterator

from lab.objects.values import NetObject, text_of
from lab.powershell.engine import Invocation
from lab.powershell.registry import implements


@implements("Get-CsCertificate")
def get_certificate(invocation: Invocation) -> Iterator[NetObject]:
    session = invocation.session
    identity = text_of(invocation.get("Identity") or "").lower()
    if identity == "global":
        session.require_store()
    held = session.deployment.certificates(session.computer.fqdn)
    wanted = {use.name for use in invocation.get("Type") or ()}
    assigned = held.shared if identity == "global" else held.assigned
    for use, certificate in assigned.items():
        if not wanted or use in wanted:
            yield certificate.reference(use, session.machine.zone)
