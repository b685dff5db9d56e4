# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: external_access_policy
short_description: Manage external access policies
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Decides who outside the organization the users of Lync Server or Skype for Business Server can
    communicate with, and whether they can sign in from outside.
  - Options that are not given are never touched.
options:
  identity:
    description:
      - The policy. V(Global), V(site:<name>) for the policy of a site, or the name of a per-user policy,
        with or without V(Tag:) before it.
      - Case does not matter.
    type: str
    default: Global
  state:
    description:
      - V(present) creates the policy where it does not exist, as a copy of what is in force there, and gives it the
        values of the other options.
      - V(absent) removes the policy. The Global policy cannot be removed; it is reset to the server's
        defaults instead. The other options are ignored.
    type: str
    choices: [present, absent]
    default: present
  description:
    description:
      - A text about the policy. An empty text removes it.
    type: str
  enable_federation_access:
    description:
      - Whether users can communicate with people in federated organizations.
    type: bool
  enable_xmpp_access:
    description:
      - Whether users can communicate with people on XMPP servers.
      - Not in Lync Server 2010.
    type: bool
  enable_public_cloud_access:
    description:
      - Whether users can communicate with people on public providers, such as Windows Live.
    type: bool
  enable_public_cloud_audio_video_access:
    description:
      - Whether that includes audio and video. The Control Panel has no such switch.
    type: bool
  enable_outside_access:
    description:
      - Whether users can sign in over the Internet without a virtual private network.
    type: bool
  copy_of:
    description:
      - What a policy that does not exist yet begins as a copy of, by identity. The other options then change
        the copy.
      - By default it is what is in force there, the Global policy. People at a site with a policy of its own have
        that one in force, so that a per-user policy for them is better made a copy of it.
      - What is not set there is not written, and has to be given where a new policy would begin with a value.
      - Ignored where the policy exists.
    type: str
  server_defaults:
    description:
      - A policy that does not exist yet begins with the server's defaults for what is not given here,
        instead of a copy. That can cut people off from what is in force for them now.
      - Cannot be combined with O(copy_of).
    type: bool
    default: false
  force:
    description:
      - Remove a per-user policy although it is granted to users. Without it such a policy is not removed,
        and the users are named.
      - Finding them takes the cmdlet Get-CsUser.
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - A per-user policy has no effect until it is granted to users; the policy of a site applies to all its
    users who have been granted none, and the Global policy to all others.
  - Creating a policy for a site that the topology does not have is refused.
seealso:
  - module: lync.remediation.external_access_policy_info
  - module: lync.remediation.media_configuration
  - module: lync.remediation.public_provider
  - module: lync.remediation.access_edge_configuration
  - name: Set-CsExternalAccessPolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/set-csexternalaccesspolicy
  - name: New-CsExternalAccessPolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/new-csexternalaccesspolicy
  - name: Remove-CsExternalAccessPolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/remove-csexternalaccesspolicy
"""

EXAMPLES = r"""
---
- name: Let all users have audio and video calls with people on public providers
  lync.remediation.external_access_policy:
    enable_public_cloud_access: true
    enable_public_cloud_audio_video_access: true
    enable_outside_access: true

- name: Have a policy that can be granted to those who need to work from outside
  lync.remediation.external_access_policy:
    identity: Tag:WorkFromOutside
    description: For people who travel
    enable_outside_access: true
    enable_federation_access: true

- name: Let the users of a site call people on public providers, and leave all else as it is in force there
  lync.remediation.external_access_policy:
    identity: site:Redmond
    enable_public_cloud_access: true
    enable_public_cloud_audio_video_access: true

- name: Have a policy for some people of a site that has a policy of its own
  lync.remediation.external_access_policy:
    identity: Tag:RedmondSales
    copy_of: site:Redmond
    enable_public_cloud_access: true

- name: Have a policy that begins with the server's defaults, whatever the Global one allows
  lync.remediation.external_access_policy:
    identity: Tag:Interns
    server_defaults: true

- name: Remove the first of them, although it may have been granted to somebody
  lync.remediation.external_access_policy:
    identity: WorkFromOutside
    state: absent
    force: true

- name: Reset the Global policy to the server's defaults
  lync.remediation.external_access_policy:
    identity: Global
    state: absent
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where nothing had to be done, V(drifted) where check mode found something to do or
      a change did not come about, V(corrected) after a change that was read back, V(unknown) where the
      state could not be read or judged.
  returned: always
  type: str
  sample: corrected
before:
  description:
    - The external access policy as it was, with the options of this module. V(null) where it does not
      exist.
  returned: always
  type: dict
  sample:
    identity: Global
    state: present
    description: ""
    enable_federation_access: false
    enable_public_cloud_access: false
    enable_public_cloud_audio_video_access: false
    enable_outside_access: true
after:
  description:
    - The external access policy as it was read back, or as it would be after the change. V(null) where it
      does not exist.
  returned: always
  type: dict
  sample:
    identity: Global
    state: present
    description: ""
    enable_federation_access: false
    enable_public_cloud_access: true
    enable_public_cloud_audio_video_access: false
    enable_outside_access: true
drift:
  description:
    - Every difference between what was found and what is wanted. Empty in the desired state.
  returned: always
  type: list
  elements: dict
  contains:
    resource:
      description:
        - The module's name.
      returned: always
      type: str
    identity:
      description:
        - The object.
      returned: always
      type: str
    property:
      description:
        - The option, or V(state).
      returned: always
      type: str
    current:
      description:
        - What was found.
      returned: always
      type: raw
    desired:
      description:
        - What is wanted.
      returned: always
      type: raw
    severity:
      description:
        - How much the difference matters, one of V(low), V(medium), V(high) and V(critical).
      returned: always
      type: str
    reason:
      description:
        - Why it matters.
      returned: always
      type: str
  sample:
    - resource: external_access_policy
      identity: Global
      property: enable_public_cloud_access
      current: false
      desired: true
      severity: high
      reason: Decides whether users may communicate with people on public providers such as Windows Live.
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The Management Shell lines that make the change, for people to read. They were run, or would have been
      in check mode.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsExternalAccessPolicy -Identity Global -EnablePublicCloudAccess $true"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsExternalAccessPolicy -Identity Global -EnablePublicCloudAccess $false"]
diff:
  description:
    - The differing properties before and after, all of them for an object that is created or removed. The same in
      check mode and in a real run.
  returned: always
  type: dict
  contains:
    before:
      description:
        - One line for each differing property as it was found.
      returned: always
      type: str
    after:
      description:
        - One line for each differing property as it is wanted.
      returned: always
      type: str
    before_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
    after_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
  sample:
    before: "enable_public_cloud_access: false\n"
    after: "enable_public_cloud_access: true\n"
    before_header: external access policy Global on pool01
    after_header: external access policy Global on pool01
copied_from:
  description:
    - The object that a new one begins as a copy of. V(null) where none is created, or not as a copy.
  returned: always
  type: str
  sample: null
reset:
  description:
    - Whether O(state=absent) meant a reset to the server's defaults instead of a removal.
  returned: always
  type: bool
  sample: false
msg:
  description:
    - Says that absent meant a reset, or what went wrong.
  returned: on a reset, and on failure
  type: str
  sample: "The Global external access policy always exists: absent resets it to the defaults of the server."
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
