# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The Kerberos tickets that a computer got while its clock was wrong."""

from __future__ import annotations

from ..powershell.commands import Command

# The session's own tickets, and those of the computer (logon session 0x3e7 is LocalSystem's).
PURGE_TICKETS = (
    Command("klist", arguments=("purge",)),
    Command("klist", arguments=("-li", "0x3e7", "purge")),
)
