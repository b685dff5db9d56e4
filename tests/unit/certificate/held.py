# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Edge Servers and what they hold, as they should be unless said otherwise."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.av_edges import EdgePool
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.judgement import EdgeServer
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.store import (
    AV_AUTHENTICATION,
    INTERNAL,
    Assignment,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.certificate.x509_certificate import Certificate

NOW = datetime.datetime(2026, 11, 28, 12, tzinfo=datetime.timezone.utc)
HOUR = datetime.timedelta(hours=1)
DAY = 24 * HOUR
GOOD, OTHER, INSIDE = "A" * 40, "B" * 40, "C" * 40
POOL = EdgePool(
    "edge.contoso.com",
    ("edge01.contoso.com", "edge02.contoso.com"),
    "Redmond",
    8,
    "av.contoso.com",
    5062,
    8 * HOUR,
)


def certificate(thumbprint: str = GOOD, **facts: Any) -> Certificate:
    made = Certificate(
        thumbprint,
        "CN=av.contoso.com",
        "CN=Contoso CA",
        ("av.contoso.com",),
        NOW - 30 * DAY,
        NOW + 700 * DAY,
        "RSA",
        2048,
        "sha256",
        True,
        True,
        ("CN=Contoso CA",),
        True,
    )
    return replace(made, **facts)


def assigned(
    held: Certificate, use: str = AV_AUTHENTICATION, effective: datetime.datetime | None = None, **more: Any
) -> Assignment:
    return Assignment(
        use,
        held.thumbprint,
        not_before=held.not_before,
        not_after=held.not_after,
        effective_date=effective,
        **more,
    )


def server(
    number: int, *held: Certificate, av: Sequence[Assignment] | None = None, **more: Any
) -> EdgeServer:
    held = held or (certificate(),)
    name = f"edge{number:02}.contoso.com"
    uses = [*([assigned(held[0])] if av is None else av), assigned(certificate(INSIDE), INTERNAL)]
    return EdgeServer(name, name, tuple(uses), {each.thumbprint: each for each in held}, **more)
