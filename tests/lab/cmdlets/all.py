# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Imports every family, which registers its cmdlets."""

from __future__ import annotations

from lab.cmdlets import (
    access_edge,
    central_logging,
    certificates,
    items,
    lync_services,
    pools,
    providers,
    replication,
    settings,
    topology,
    users,
    verification,
    windows_services,
    windows_time,
)

__all__ = [
    "access_edge",
    "central_logging",
    "certificates",
    "items",
    "lync_services",
    "pools",
    "providers",
    "replication",
    "settings",
    "topology",
    "users",
    "verification",
    "windows_services",
    "windows_time",
]
