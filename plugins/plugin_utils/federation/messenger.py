# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What is fixed about Windows Live."""

from __future__ import annotations

MESSENGER = "federation.messenger.msn.com"
"""The server of Messenger, MSN before it and Skype after it; a provider is known by it, whatever its name (Lync Server
2013, "Accessing the Lync Server 2013 public IM connectivity provisioning site").
"""
DNS_SRV_ROUTING = "UseDnsSrvRouting"
"""The only routing method that public providers can be used with (Microsoft Learn, New-CsPublicProvider)."""
