# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: external_access_policy_info
short_description: Read external access policies, and which one is in force
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the external access policies of a deployment, and on request which of them is in force for users
    and sites.
  - A policy granted to a user takes precedence over that of the user's site, and that over the Global one.
options:
  identity:
    description:
      - Return this one only. V(Global), V(site:<name>), or the name of a per-user policy, with or without
        V(Tag:) before it.
      - Case does not matter.
    type: str
  users:
    description:
      - Users to report on, by SIP address, user principal name, V(DOMAIN\\user) or another identity that
        Get-CsUser takes.
      - A display name, or a name with wildcards, may stand for several users. Each is answered for.
    type: list
    elements: str
    default: []
  sites:
    description:
      - Sites to report on, with or without V(site:) before their names.
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.external_access_policy
  - name: Get-CsExternalAccessPolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csexternalaccesspolicy
  - name: Get-CsEffectivePolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-cseffectivepolicy
"""

EXAMPLES = r"""
---
- name: Read all external access policies
  lync.remediation.external_access_policy_info:
  register: policies

- name: Show those that allow audio and video with public providers
  ansible.builtin.debug:
    msg: >-
      {{ policies.external_access_policies
         | selectattr('enable_public_cloud_audio_video_access') | map(attribute='identity') }}

- name: Read the Global policy
  lync.remediation.external_access_policy_info:
    identity: global
  register: global_policy

- name: Let the Global policy allow what it allows now, and nothing from outside
  lync.remediation.external_access_policy:
    description: "{{ global_policy.external_access_policies[0].description }}"
    enable_outside_access: false

- name: See which policy is in force for a user and for a site
  lync.remediation.external_access_policy_info:
    users:
      - sip:kenmyer@contoso.com
    sites:
      - Redmond
"""

RETURN = r"""
---
external_access_policies:
  description:
    - Every external access policy, or the one asked for; none if it does not exist. Each can be given to
      the module as its arguments.
    - A property that this version of the server does not have is left out.
  returned: always
  type: list
  elements: dict
  sample:
    - identity: Global
      state: present
      description: ""
      enable_federation_access: true
      enable_public_cloud_access: true
      enable_public_cloud_audio_video_access: true
      enable_outside_access: true
    - identity: Tag:WorkFromOutside
      state: present
      description: For people who travel
      enable_federation_access: true
      enable_public_cloud_access: false
      enable_public_cloud_audio_video_access: false
      enable_outside_access: true
effective:
  description:
    - Which policy is in force for each of those that were named, in the order in which they were given.
  returned: always
  type: list
  elements: dict
  contains:
    user:
      description:
        - The user, as asked for.
      returned: for users
      type: str
    sip_address:
      description:
        - Whom the name stands for.
      returned: for users
      type: str
    site:
      description:
        - The site that was named, or that of the user's pool; V(null) for a user without one.
      returned: always
      type: str
    confirmed:
      description:
        - Whether Get-CsEffectivePolicy says the same; V(null) where the server does not have it (Lync
          Server 2010) or does not tell.
      returned: for users
      type: bool
    identity:
      description:
        - The policy in force.
      returned: always
      type: str
    scope:
      description:
        - Its scope, one of V(global), V(site), V(service) and V(per-user).
      returned: always
      type: str
    settings:
      description:
        - Its values, with the options of the module.
      returned: always
      type: dict
  sample:
    - user: sip:kenmyer@contoso.com
      sip_address: sip:kenmyer@contoso.com
      site: Redmond
      identity: Global
      scope: global
      settings:
        identity: Global
        state: present
        description: ""
        enable_federation_access: true
        enable_public_cloud_access: true
        enable_public_cloud_audio_video_access: true
        enable_outside_access: true
      confirmed: null
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
    command: Get-CsExternalAccessPolicy
    causes: []
    native_error_code: null
"""
