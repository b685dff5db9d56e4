# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: effective_policy_info
short_description: Read which policies are in force, and why
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Tells for users, sites and services which external access policy, conferencing policy and media settings are in
    force, why, and what they hold.
  - A policy granted to a user takes precedence over that of the site of the user's pool, and that over the Global one.
    Media settings have no user scope. Those of a service take precedence over those of its
    site, and these over the Global ones.
  - For users the server is asked itself where it has Get-CsEffectivePolicy, which came with Lync Server 2013.
    Elsewhere, and for sites and services, the answer is computed. Each answer says which.
options:
  users:
    description:
      - Users by SIP address, user principal name, V(DOMAIN\\user), display name or distinguished name.
      - A display name, or a name with wildcards, may stand for several users. Each is answered for.
    type: list
    elements: str
    default: []
  filter:
    description:
      - Choose users as the parameter Filter of Get-CsUser does, by properties of Lync, such as
        V(RegistrarPool -eq "pool01.contoso.com").
      - Cannot be used together with O(users) or O(ldap_filter).
    type: str
  ldap_filter:
    description:
      - Choose users as the parameter LdapFilter of Get-CsUser does, by attributes of Active Directory, such as
        V(Department=Finance).
      - Cannot be used together with O(users) or O(filter).
    type: str
  ou:
    description:
      - Choose users of this organizational unit or container, and of those below it, by its distinguished name, such as
        V(OU=Finance,DC=contoso,DC=com).
      - Cannot be used together with O(users). Together with a filter, both must hold.
    type: str
  sites:
    description:
      - Sites to report on, with or without V(site:) before their names.
    type: list
    elements: str
    default: []
  services:
    description:
      - Services to report on, as V(<role>:<pool FQDN>), with or without V(service:) before them. The roles are
        V(ConferencingServer), V(MediationServer) and V(ApplicationServer), which can have media settings of their own.
    type: list
    elements: str
    default: []
  holders:
    description:
      - Return for each per-user policy who has been granted it as well.
      - All users who hold a policy are read for that.
    type: bool
    default: false
  ask_server:
    description:
      - Ask Get-CsEffectivePolicy, where the server has it. The answers for thousands of users take it a while, and are
        computed at once with V(false).
    type: bool
    default: true
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.policy_assignment
  - module: lync.remediation.external_access_policy_info
  - module: lync.remediation.media_configuration_info
  - name: Get-CsEffectivePolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-cseffectivepolicy
"""

EXAMPLES = r"""
---
- name: See what is in force for one user, and why
  lync.remediation.effective_policy_info:
    users:
      - sip:kenmyer@contoso.com
  register: effective

- name: Show it
  ansible.builtin.debug:
    msg: "{{ effective.users[0].external_access_policy.identity }}: {{ effective.users[0].external_access_policy.why }}"

- name: See what is in force at a site, and who has been granted policies of their own
  lync.remediation.effective_policy_info:
    sites:
      - Redmond
    holders: true
"""

RETURN = r"""
---
users:
  description:
    - Every user who was found.
  returned: always
  type: list
  elements: dict
  contains:
    user:
      description:
        - The name that was asked for; V(null) for users whom a filter has found.
      returned: always
      type: str
    sip_address:
      description:
        - The SIP address; V(null) where there is none.
      returned: always
      type: str
    display_name:
      description:
        - The display name; V(null) where there is none.
      returned: always
      type: str
    identity:
      description:
        - The distinguished name.
      returned: always
      type: str
    pool:
      description:
        - The pool that the user is homed on; V(null) where there is none.
      returned: always
      type: str
    site:
      description:
        - The site of that pool; V(null) where it is not known.
      returned: always
      type: str
    audio_video_disabled:
      description:
        - Whether audio and video are switched off for the user altogether; V(null) where the server does not tell.
      returned: always
      type: bool
    external_access_policy: &in_force
      description:
        - What is in force.
      returned: always
      type: dict
      contains:
        identity:
          description:
            - The collection that is in force; V(null) where that is not known.
          returned: always
          type: str
        scope:
          description:
            - Its scope, one of V(per-user), V(service), V(site) and V(global); V(null) where that is not known.
          returned: always
          type: str
        source:
          description:
            - V(server) where Get-CsEffectivePolicy says so, V(computed) where it follows from what was read.
          returned: always
          type: str
        computed:
          description:
            - The collection that follows from what was read, whatever the server says.
          returned: always
          type: str
        why:
          description:
            - Why, in sentences. Where the account may not read conferencing policies, what the server said to that.
          returned: always
          type: str
        settings:
          description:
            - What it holds, as the options of its module; V(null) where the server does not list it. Of a conferencing
              policy only what decides about audio and video.
          returned: always
          type: dict
    conferencing_policy: *in_force
    media_configuration: *in_force
  sample:
    - user: sip:kenmyer@contoso.com
      sip_address: sip:kenmyer@contoso.com
      display_name: Ken Myer
      identity: CN=Ken Myer,CN=Users,DC=contoso,DC=com
      pool: pool01.contoso.com
      site: Redmond
      audio_video_disabled: false
      external_access_policy:
        identity: Global
        scope: global
        source: server
        computed: Global
        why: None has been granted to the user. The site Redmond has none of its own.
        settings:
          identity: Global
          state: present
          description: ""
          enable_federation_access: true
          enable_public_cloud_access: true
          enable_public_cloud_audio_video_access: false
          enable_outside_access: true
      conferencing_policy:
        identity: Global
        scope: global
        source: server
        computed: Global
        why: None has been granted to the user. The site Redmond has none of its own.
        settings:
          identity: Global
          state: present
          description: ""
          allow_ip_audio: true
          allow_ip_video: true
          enable_p2p_video: true
      media_configuration:
        identity: Site:Redmond
        scope: site
        source: computed
        computed: Site:Redmond
        why: They have no user scope. The site Redmond has one of its own.
        settings:
          identity: Site:Redmond
          state: present
          encryption_level: SupportEncryption
sites:
  description:
    - Each site that was asked for, with C(site), and C(external_access_policy), C(conferencing_policy) and
      C(media_configuration) as for users.
  returned: always
  type: list
  elements: dict
services:
  description:
    - Each service that was asked for, with C(service), its C(site), and C(media_configuration) as for users.
  returned: always
  type: list
  elements: dict
holders:
  description:
    - Under C(external_access_policy) and C(conferencing_policy) every per-user policy with its C(identity), the
      C(number) of those who have been granted it, and these C(users). V(null) for conferencing policies, where the
      account may not read them.
  returned: with O(holders=true)
  type: dict
asked:
  description:
    - Whether the server was asked with Get-CsEffectivePolicy.
  returned: always
  type: bool
  sample: true
status:
  description:
    - V(unknown), as the state could not be read.
  returned: when reading failed
  type: str
  sample: unknown
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: unusable_argument
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
error_details:
  description:
    - What the server said, where it refused a command.
  returned: when a command failed on the server
  type: dict
"""
