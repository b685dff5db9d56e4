# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: replication_info
short_description: Read the state of replication
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the state of the replicas of the Central Management Store, and of the store itself.
options:
  replicas:
    description:
      - FQDNs of the servers to ask for. Without it, all.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.replication
  - name: Get-CsManagementStoreReplicationStatus
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csmanagementstorereplicationstatus
"""

EXAMPLES = r"""
---
- name: Read the state of replication
  lync.remediation.replication_info:
  register: found

- name: Show who is behind
  ansible.builtin.debug:
    var: found.behind

- name: Make sure that there is an active Central Management Server
  ansible.builtin.assert:
    that:
      - found.central_management_store.active_master_fqdn is string
      - found.active_masters | length == 1
"""

RETURN = r"""
---
up_to_date:
  description:
    - Whether all of these replicas are up to date, and have ever reported.
  returned: always
  type: bool
  sample: true
behind:
  description:
    - FQDNs of the replicas that are not up to date, or have never reported.
  returned: always
  type: list
  elements: str
  sample: []
replicas:
  description:
    - The replicas.
  returned: always
  type: list
  elements: dict
  contains:
    replica_fqdn:
      description:
        - The server.
      returned: always
      type: str
    up_to_date:
      description:
        - Whether it has the last changes.
      returned: always
      type: bool
    last_status_report:
      description:
        - When it last reported; V(null) if never.
      returned: always
      type: str
    last_update_creation:
      description:
        - When the last update for it was made; V(null) if never.
      returned: always
      type: str
    product_version:
      description:
        - The version that it reported.
      returned: always
      type: str
  sample:
    - replica_fqdn: fe01.contoso.com
      up_to_date: true
      last_status_report: "2026-11-21T08:30:12Z"
      last_update_creation: "2026-11-21T08:30:02Z"
      product_version: 4.0.7577.0
central_management_store:
  description:
    - The store itself. V(null) where its state could not be read, which RV(trouble) explains.
  returned: always
  type: dict
  contains:
    active_master_fqdn:
      description:
        - The active Central Management Server; V(null) where there is none, which means that the store is
          down.
      returned: always
      type: str
    active_file_transfer_agents:
      description:
        - The servers that carry changes to the replicas.
      returned: always
      type: list
      elements: str
    properties:
      description:
        - Everything that the server tells about the store, by its own names.
      returned: always
      type: dict
  sample:
    active_master_fqdn: fe01.contoso.com
    active_file_transfer_agents: [fe01.contoso.com]
    properties:
      ActiveMasterFqdn: fe01.contoso.com
      ActiveFileTransferAgents: [fe01.contoso.com]
active_masters:
  description:
    - The pools whose Central Management service calls itself active. With more than one, after a failover that nobody
      finished, nothing replicates, and every replica may be called up to date all the same. V(null) where that could
      not be read, which RV(trouble) explains.
  returned: always
  type: list
  elements: str
  sample: [pool01.contoso.com]
trouble:
  description:
    - What could not be read, and why.
  returned: always
  type: list
  elements: str
  sample: []
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
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
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
    command: Get-CsManagementStoreReplicationStatus
    causes: []
    native_error_code: null
"""
