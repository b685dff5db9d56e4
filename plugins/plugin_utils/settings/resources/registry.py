# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The tables, by name of their module."""

from __future__ import annotations

from ..resource import Resource
from .access_edge_configuration import ACCESS_EDGE_CONFIGURATION
from .external_access_policy import EXTERNAL_ACCESS_POLICY
from .media_configuration import MEDIA_CONFIGURATION
from .public_provider import PUBLIC_PROVIDER

RESOURCES: dict[str, Resource] = {
    resource.name: resource
    for resource in (EXTERNAL_ACCESS_POLICY, MEDIA_CONFIGURATION, PUBLIC_PROVIDER, ACCESS_EDGE_CONFIGURATION)
}
