# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: media_configuration_info
short_description: Read media settings, and which collection is in force
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the collections of media settings of a deployment, and on request which of them is in force for
    sites and services.
  - The collection of a service takes precedence over that of its site, and that over the Global one.
options:
  identity:
    description:
      - Return this one only. V(Global), V(site:<name>), or V(service:<role>:<pool FQDN>), where the role is
        V(ConferencingServer), V(MediationServer) or V(ApplicationServer) and V(service:) may be left out.
      - Case does not matter.
    type: str
  sites:
    description:
      - Sites to report on, with or without V(site:) before their names.
    type: list
    elements: str
    default: []
  services:
    description:
      - Services to report on, as V(<role>:<pool FQDN>), where the role is V(ConferencingServer),
        V(MediationServer) or V(ApplicationServer).
    type: list
    elements: str
    default: []
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.media_configuration
  - name: Get-CsMediaConfiguration
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csmediaconfiguration
"""

EXAMPLES = r"""
---
- name: Read all collections of media settings
  lync.remediation.media_configuration_info:
  register: media

- name: Show where encryption is not required
  ansible.builtin.debug:
    msg: >-
      {{ media.media_configurations
         | rejectattr('encryption_level', 'equalto', 'RequireEncryption') | map(attribute='identity') }}

- name: Require encryption everywhere
  lync.remediation.media_configuration:
    identity: "{{ item.identity }}"
    encryption_level: RequireEncryption
  loop: "{{ media.media_configurations }}"
  loop_control:
    label: "{{ item.identity }}"

- name: See which settings are in force at a site
  lync.remediation.media_configuration_info:
    sites:
      - Redmond
"""

RETURN = r"""
---
media_configurations:
  description:
    - Every collection of media settings, or the one asked for; none if it does not exist. Each can be given
      to the module as its arguments.
    - A property that this version of the server does not have is left out.
  returned: always
  type: list
  elements: dict
  sample:
    - identity: Global
      state: present
      enable_qos: false
      encryption_level: RequireEncryption
      enable_siren: false
      max_video_rate_allowed: VGA600K
    - identity: Site:Redmond
      state: present
      enable_qos: true
      encryption_level: SupportEncryption
      enable_siren: false
      max_video_rate_allowed: Hd720p15M
effective:
  description:
    - Which collection is in force for each of those that were named, in the order in which they were given.
  returned: always
  type: list
  elements: dict
  contains:
    service:
      description:
        - The service that was named.
      returned: for services
      type: str
    site:
      description:
        - The site that was named, or that of the service.
      returned: always
      type: str
    identity:
      description:
        - The collection in force.
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
    - site: Redmond
      identity: Site:Redmond
      scope: site
      settings:
        identity: Site:Redmond
        state: present
        enable_qos: true
        encryption_level: SupportEncryption
        enable_siren: false
        max_video_rate_allowed: Hd720p15M
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
    command: Get-CsMediaConfiguration
    causes: []
    native_error_code: null
"""
