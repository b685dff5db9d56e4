# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What the modules need to reach a pool's endpoint, or a server itself."""

    DOCUMENTATION = r"""
options: {}
requirements:
  - pypsrp >= 0.9
notes:
  - The host must be reached with C(ansible_connection=lync.remediation.management_shell). For settings of the whole
    deployment this is the C(/OcsPowershell) address of one pool; run such a task once, with C(run_once) or on one host.
  - On C(/OcsPowershell) the account needs an RBAC role that includes the cmdlets, such as C(CsAdministrator), or
    C(CsViewOnlyAdministrator) where the task only reads. Over WinRM the groups on the server decide, such as
    C(RTCUniversalServerAdmins).
"""

    SERVER = r"""
options: {}
requirements:
  - pypsrp >= 0.9
notes:
  - The host must be the server itself, reached over WinRM with C(ansible_connection=lync.remediation.management_shell).
    The account needs to be an administrator there.
"""
