# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: public_provider_info
short_description: Read public providers
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the public providers of a deployment.
options:
  identity:
    description:
      - Return this one only. The provider's name.
      - Case does not matter.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.public_provider
  - name: Get-CsPublicProvider
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-cspublicprovider
"""

EXAMPLES = r"""
---
- name: Read all public providers
  lync.remediation.public_provider_info:
  register: providers

- name: Show those that are enabled
  ansible.builtin.debug:
    msg: "{{ providers.public_providers | selectattr('enabled') | map(attribute='identity') }}"

- name: Switch them all off
  lync.remediation.public_provider:
    identity: "{{ item.identity }}"
    enabled: false
  loop: "{{ providers.public_providers }}"
  loop_control:
    label: "{{ item.identity }}"
"""

RETURN = r"""
---
public_providers:
  description:
    - Every public provider, or the one asked for; none if it does not exist. Each can be given to the
      module as its arguments.
    - A property that this version of the server does not have is left out.
  returned: always
  type: list
  elements: dict
  sample:
    - identity: MSN
      state: present
      proxy_fqdn: federation.messenger.msn.com
      enabled: true
      verification_level: UseSourceVerification
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
    command: Get-CsPublicProvider
    causes: []
    native_error_code: null
"""
