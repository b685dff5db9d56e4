# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: access_edge_configuration_info
short_description: Read the Access Edge settings
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the Access Edge settings of a deployment.
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.access_edge_configuration
  - name: Get-CsAccessEdgeConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csaccessedgeconfiguration
"""

EXAMPLES = r"""
---
- name: Read the Access Edge settings
  lync.remediation.access_edge_configuration_info:
  register: edge

- name: Show whether there is federation, and how partners are found
  ansible.builtin.debug:
    msg: >-
      federation: {{ edge.access_edge_configurations[0].allow_federated_users }},
      by {{ edge.access_edge_configurations[0].routing_method }}
"""

RETURN = r"""
---
access_edge_configurations:
  description:
    - The one set of Access Edge settings. It can be given to the module as its arguments.
    - A property that this version of the server, or its routing method, does not have is left out.
  returned: always
  type: list
  elements: dict
  sample:
    - allow_anonymous_users: false
      allow_federated_users: true
      allow_outside_users: true
      routing_method: UseDnsSrvRouting
      enable_partner_discovery: true
      be_clearing_house: false
      enable_archiving_disclaimer: false
      keep_crls_up_to_date_for_peers: true
      mark_source_verifiable_on_outgoing_messages: true
      outgoing_tls_count_for_federated_partners: 4
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
    command: Get-CsAccessEdgeConfiguration
    causes: []
    native_error_code: null
"""
