# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: connection_info
short_description: Tell who is connected to what, how fast, and what for
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns everything about a connection that helps to find out why a task does not do what it should. The
    password is not part of it.
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
"""

EXAMPLES = r"""
---
- name: Look at the connection
  lync.remediation.connection_info:
  register: who

- name: Show the version of the server
  ansible.builtin.debug:
    var: who.product_version

- name: Show the cmdlets that this account cannot use
  ansible.builtin.debug:
    msg: "{{ who.cmdlets | dict2items | rejectattr('value') | map(attribute='key') }}"
"""

RETURN = r"""
---
account:
  description:
    - The account that the session belongs to.
  returned: always
  type: str
  sample: CONTOSO\uc-admin
url:
  description:
    - The address of the endpoint.
  returned: always
  type: str
  sample: https://pool01.contoso.com:443/OcsPowershell
host:
  description:
    - The host part of it.
  returned: always
  type: str
  sample: pool01.contoso.com
authentication:
  description:
    - How the account was authenticated.
  returned: always
  type: str
  sample: negotiate
configuration_name:
  description:
    - The session configuration.
  returned: always
  type: str
  sample: Microsoft.PowerShell
protocol_version:
  description:
    - The version of the PowerShell Remoting Protocol.
  returned: always
  type: str
  sample: "2.1"
powershell_version:
  description:
    - The version of PowerShell there, as the server gave it when the session was opened; V(null) if it did not.
  returned: always
  type: str
  sample: "2.0"
product_version:
  description:
    - Product and build as Get-CsServerVersion prints them; V(null) where the session does not offer it.
  returned: always
  type: str
  sample: Microsoft Lync Server 2010 (4.0.7577.0)
latency_ms:
  description:
    - Milliseconds for a command that does nothing, the best of three.
  returned: always
  type: float
  sample: 41.3
session_resumed:
  description:
    - Whether the session was taken over from an earlier task of the run.
  returned: always
  type: bool
  sample: false
cmdlets:
  description:
    - The cmdlets that the modules of this collection use, and whether the session offers them. One that is
      missing is not part of the account's RBAC roles, or not of this version of the server.
  returned: always
  type: dict
  sample:
    Get-CsMediaConfiguration: true
    Set-CsMediaConfiguration: false
status:
  description:
    - V(unknown), as the state could not be read.
  returned: when reading failed
  type: str
  sample: unknown
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "The name 'pool01.contoso.com' cannot be resolved. Check ansible_host in the inventory, and this
    machine's DNS."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes; see
      R(the guide, ansible_collections.lync.remediation.docsite.guide_results).
  returned: on failure
  type: str
  sample: value_not_allowed
error_details:
  description:
    - What the server said, where it refused a command.
  returned: when a command failed on the server
  type: dict
  sample:
    message: Access is denied.
    category: PermissionDenied
    fully_qualified_id: AccessDenied
    exception_type: System.UnauthorizedAccessException
    target: null
    command: Get-Command
    causes: []
    native_error_code: null
"""
