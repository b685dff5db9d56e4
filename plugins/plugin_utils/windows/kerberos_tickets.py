# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later


"""The Kerberos tickets that a computer got while its clock was wrong."""

from __future__ import annotations

from ..powershell.commands import Command

# The session's own tickets, those of the computer (logon session 0x3e7 is LocalSystem's), and those of Network Service
# (0x3e4), as which the Lync services run; that logon session outlives their restart.
PURGE_TICKETS = (
    Command("klist", arguments=("purge",)),
    Command("klist", arguments=("-li", "0x3e7", "purge")),
    Command("klist", arguments=("-li", "0x3e4", "purge")),
)
