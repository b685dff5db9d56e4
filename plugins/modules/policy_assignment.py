# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: policy_assignment
short_description: Grant or withdraw a per-user policy
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Grants users a per-user policy of any kind, or withdraws it, so that the policy of their site or the Global one is
    in force again.
  - Users are named, or chosen by the filters that Get-CsUser has. All of them, and the policy, are found before
    anything is written. A name that stands for nobody, or for several users, is refused.
  - Grants are sent in batches over one session, and each is read back. Of large changes the progress is shown.
  - A user who cannot be changed does not keep the others from it. The task fails in the end, and tells who was left.
options:
  kind:
    description:
      - The kind of policy. Which of them a server has depends on its version, and on the roles of the account.
    type: str
    required: true
    choices:
      - archiving_policy
      - call_via_work_policy
      - client_policy
      - client_version_policy
      - conferencing_policy
      - dial_plan
      - external_access_policy
      - hosted_voicemail_policy
      - ip_phone_policy
      - location_policy
      - mobility_policy
      - persistent_chat_policy
      - pin_policy
      - presence_policy
      - third_party_video_system_policy
      - user_services_policy
      - voice_policy
      - voice_routing_policy
  policy:
    description:
      - The name of the per-user policy, with or without V(Tag:) before it. Case does not matter.
      - Required with O(state=present).
      - With O(state=absent) only those who hold this policy are changed. Without it whatever policy they hold is
        withdrawn.
    type: str
  state:
    description:
      - V(present) grants the policy, V(absent) withdraws it.
    type: str
    choices: [present, absent]
    default: present
  users:
    description:
      - Users by SIP address, user principal name, V(DOMAIN\\user), display name or distinguished name.
      - A name that stands for several users, such as a display name that two people have, is refused.
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
  made_in_this_run:
    description:
      - The policy is made by an earlier task of the same run. In check mode, which makes nothing, it need not exist
        then.
    type: bool
    default: false
  retry_timeout:
    description:
      - For how many seconds a grant that nobody has got is tried again.
      - A policy that was just made can be granted after some minutes, rarely more than fifteen.
      - One that somebody removes meanwhile is not waited for.
      - From V(0) to V(604800).
    type: int
    default: 180
  batch_size:
    description:
      - How many grants are sent at a time, and written down together in the journal of changes.
      - From V(1) to V(500).
    type: int
    default: 100
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - With O(state=absent) and a O(policy) nobody need be named. Everybody who holds the policy is meant then.
  - Granting needs the role CsUserAdministrator or CsAdministrator.
  - 5,000 grants take some 320 requests. PowerShell 2 hosts run no more than one command in a pipeline, and there they
    take some 30,000.
  - Users see a change when their client signs in again, or fetches its settings anew.
seealso:
  - module: lync.remediation.external_access_policy
  - module: lync.remediation.effective_policy_info
  - module: lync.remediation.roll_back
  - name: Grant-CsExternalAccessPolicy
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/grant-csexternalaccesspolicy
  - name: Get-CsUser
    description: Microsoft's reference of the cmdlet, and of its filters.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csuser
"""

EXAMPLES = r"""
---
- name: Have a policy for those who talk to Windows Live
  lync.remediation.external_access_policy:
    identity: Windows Live
    enable_public_cloud_access: true
    enable_public_cloud_audio_video_access: true

- name: Grant it to two people, as soon as the server takes a policy that was just made
  lync.remediation.policy_assignment:
    kind: external_access_policy
    policy: Windows Live
    users:
      - sip:kenmyer@contoso.com
      - Pilar Ackerman
    made_in_this_run: true
    retry_timeout: 900

- name: Give everybody of one pool the Global conferencing policy again
  lync.remediation.policy_assignment:
    kind: conferencing_policy
    state: absent
    filter: RegistrarPool -eq "pool01.contoso.com"

- name: Grant a policy to the finance department, many people at a time
  lync.remediation.policy_assignment:
    kind: external_access_policy
    policy: ExternalPartners
    ldap_filter: Department=Finance
    batch_size: 500

- name: Withdraw a policy from everybody who holds it
  lync.remediation.policy_assignment:
    kind: external_access_policy
    policy: Windows Live
    state: absent
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where there was nothing to do, V(corrected) where everybody was changed, V(drifted) where
      check mode found something to do or somebody was left, V(unknown) where that could not be found out.
  returned: always
  type: str
  sample: corrected
kind:
  description:
    - The kind of policy.
  returned: once the users were found
  type: str
  sample: external_access_policy
found:
  description:
    - How many users were found.
  returned: once the users were found
  type: int
  sample: 2
to_change:
  description:
    - How many of the users found did not hold what they should.
  returned: once the users were found
  type: int
  sample: 1
users:
  description:
    - Everybody who was found.
  returned: once the users were found
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
    before:
      description:
        - The policy that the user held; V(null) where none was granted.
      returned: always
      type: str
    after:
      description:
        - The policy that the user is to hold; V(null) for none.
      returned: always
      type: str
    status:
      description:
        - What has become of the user, in the words of RV(status). In check mode, and for whoever was left, V(drifted).
      returned: always
      type: str
  sample:
    - user: Pilar Ackerman
      sip_address: sip:pilar@contoso.com
      display_name: Pilar Ackerman
      identity: CN=Pilar Ackerman,CN=Users,DC=contoso,DC=com
      pool: pool01.contoso.com
      before: null
      after: Windows Live
      status: corrected
summary:
  description:
    - How many users there are, and who holds what now and is to hold what, in lines for people.
  returned: once the users were found
  type: list
  elements: str
  sample:
    - 2 users found, 1 of them to be changed
    - "1 from no policy of their own to Windows Live: sip:pilar@contoso.com"
before:
  description:
    - The policy that each user held, by SIP address (or distinguished name, where there is none). V(null) stands for a
      user who held none, and for everything where nothing is known.
  returned: always
  type: dict
  sample: {"sip:kenmyer@contoso.com": "Windows Live", "sip:pilar@contoso.com": null}
after:
  description:
    - The policy that each user holds, or would hold, after the change. V(null) where that is not known.
  returned: always
  type: dict
  sample: {"sip:kenmyer@contoso.com": "Windows Live", "sip:pilar@contoso.com": "Windows Live"}
drift:
  description:
    - Every user who did not hold what was wanted. Empty in the desired state.
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
        - The user.
      returned: always
      type: str
    property:
      description:
        - The kind of policy.
      returned: always
      type: str
    current:
      description:
        - The policy that was held; V(null) for none.
      returned: always
      type: str
    desired:
      description:
        - The policy that is wanted; V(null) for none.
      returned: always
      type: str
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
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The Management Shell lines that make the change, for people to read. They were run, or would have been in check
      mode.
  returned: always
  type: list
  elements: str
  sample: ["Grant-CsExternalAccessPolicy -Identity sip:pilar@contoso.com -PolicyName 'Windows Live'"]
restore_commands:
  description:
    - The lines that would put back what was there before.
  returned: always
  type: list
  elements: str
  sample: ["Grant-CsExternalAccessPolicy -Identity sip:pilar@contoso.com -PolicyName $null"]
diff:
  description:
    - The policies before and after, for the first twenty users, and how many more there are.
  returned: always
  type: dict
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
