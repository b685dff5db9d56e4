# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: setting
short_description: Manage any setting of the Management Shell by its noun
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Manages one object of any noun that has C(Get-Cs...), C(New-Cs...), C(Set-Cs...) and C(Remove-Cs...) cmdlets, by the
    names that the Management Shell has for its properties. No other cmdlets are ever run.
  - The types of the properties are learned from the object and from the cmdlets' own parameters.
  - Properties that are not given are never touched.
options:
  noun:
    description:
      - The noun, such as V(CsVoicePolicy).
      - Case does not matter.
      - Nouns that hold data of users, that belong to one computer, or that are part of the topology are refused with
        the reason.
    type: str
    required: true
  identity:
    description:
      - The object, as the Management Shell names it, such as V(Global), V(site:Redmond), V(Tag:Sales) or, for a rule of
        a dial plan, V(Tag:Sales/Prefix). V(Tag:) may be left out.
      - Case does not matter.
      - The Global object, where none is given and the noun has one.
    type: str
  state:
    description:
      - V(present) creates the object where it does not exist, and gives it the values of O(properties).
      - V(absent) removes it. The Global object cannot be removed.
      - V(reset) gives the Global object the server's defaults.
    type: str
    choices: [present, absent, reset]
    default: present
  properties:
    description:
      - The values, by the Management Shell's names. Case does not matter in the names.
      - V(null) and V([]) ask for an empty value, where the property can have one.
      - The entries of a list are given as a list, or as a dictionary with C(add) and C(remove), which leaves other
        entries as they are, or C(replace).
      - Phone numbers, extensions, time spans and versions have to be written in quotes. YAML makes numbers of them, and
        takes their leading zeros and plus signs; such a number is refused where a text belongs.
      - Time spans are written as C([days.]hours:minutes:seconds).
    type: dict
    default: {}
  copy_of:
    description:
      - What an object of a site, a service or a user that does not exist yet begins as a copy of, by identity. The
        values of O(properties) then change the copy.
      - By default it is what is in force there, the object of the site or the Global one.
      - Ignored where the object exists, and for nouns without such scopes.
    type: str
  server_defaults:
    description:
      - An object that does not exist yet begins with the server's defaults for what is not given here, instead of a
        copy.
      - Cannot be combined with O(copy_of).
    type: bool
    default: false
  force:
    description:
      - Remove a per-user policy although it is granted to users, who then lose it.
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Secrets, objects within an object and states that change by themselves cannot be managed. Rules that have a noun of
    their own are managed by that, as V(CsVoiceNormalizationRule) for the rules of a dial plan.
  - A module of its own knows more about its noun; prefer it where there is one.
  - Taking back the removal of a per-user policy brings its values back, but not its grants.
seealso:
  - module: lync.remediation.setting_info
  - module: lync.remediation.roll_back
  - module: lync.remediation.media_configuration
  - module: lync.remediation.external_access_policy
"""

EXAMPLES = r"""
---
- name: Let the sales people call long distance as well
  lync.remediation.setting:
    noun: CsVoicePolicy
    identity: Tag:Sales
    properties:
      PstnUsages:
        add: [Long Distance]

- name: Have a normalization rule
  lync.remediation.setting:
    noun: CsVoiceNormalizationRule
    identity: Tag:Redmond/Extensions
    properties:
      Pattern: '^(\d{4})$'
      Translation: '+1425555$1'

- name: Keep the tokens of the A/V Edge for eight hours
  lync.remediation.setting:
    noun: CsAVEdgeConfiguration
    properties:
      MaxTokenLifetime: '08:00:00'

- name: Have a voice policy for interns that begins with the server's defaults
  lync.remediation.setting:
    noun: CsVoicePolicy
    identity: Tag:Interns
    server_defaults: true

- name: Remove it, although it may have been granted to somebody
  lync.remediation.setting:
    noun: CsVoicePolicy
    identity: Tag:Interns
    state: absent
    force: true

- name: Remove a route
  lync.remediation.setting:
    noun: CsVoiceRoute
    identity: OldGateway
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
    - The object as it was, by the Management Shell's names, with its identity and state where it can be created.
      V(null) where it does not exist.
  returned: always
  type: dict
  sample:
    identity: Tag:Sales
    state: present
    EnableCallTransfer: true
    PstnUsages: [Local]
after:
  description:
    - The object as it was read back, or as it would be after the change. V(null) where it does not exist.
  returned: always
  type: dict
  sample:
    identity: Tag:Sales
    state: present
    EnableCallTransfer: false
    PstnUsages: [Local, Long Distance]
drift:
  description:
    - Every difference between what was found and what is wanted. Empty in the desired state.
  returned: always
  type: list
  elements: dict
  contains:
    resource:
      description:
        - The noun.
      returned: always
      type: str
    identity:
      description:
        - The object.
      returned: always
      type: str
    property:
      description:
        - The property, or V(state).
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
    - resource: CsVoicePolicy
      identity: Tag:Sales
      property: EnableCallTransfer
      current: true
      desired: false
      severity: high
      reason: Voice settings decide which calls reach whom.
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
  sample: ["Set-CsVoicePolicy -Identity Tag:Sales -EnableCallTransfer $false"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsVoicePolicy -Identity Tag:Sales -EnableCallTransfer $true"]
diff:
  description:
    - The differing properties before and after, the same in check mode and in a real run.
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
    before: "EnableCallTransfer: true\n"
    after: "EnableCallTransfer: false\n"
    before_header: CsVoicePolicy Tag:Sales on pool01
    after_header: CsVoicePolicy Tag:Sales on pool01
reset:
  description:
    - Whether the Global object was reset to the server's defaults, or would be.
  returned: when the noun has a New- cmdlet
  type: bool
  sample: false
follow_up:
  description:
    - What an administrator has to run after this change, and why; the module does not run it. Empty where nothing
      changes.
  returned: on success
  type: list
  elements: dict
  contains:
    command:
      description:
        - The command.
      returned: always
      type: str
    reason:
      description:
        - Why it is needed.
      returned: always
      type: str
  sample: []
order_only:
  description:
    - The lists whose entries are as wanted but for their order, where nobody knows whether that order matters. They are
      not written.
  returned: on success
  type: list
  elements: str
  sample: []
copied_from:
  description:
    - The object that a new one begins as a copy of. V(null) where none is created, or not as a copy.
  returned: always
  type: str
  sample: null
restorable:
  description:
    - Whether the change can be taken back, said before it is made. V(yes), or V(values_only) where the object goes and
      something is lost with it, such as the grants of a policy, or parts that its properties do not show.
  returned: on success
  type: str
  sample: "yes"
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "LineURI: 14255551200 is not a text. Write it in quotes, so that YAML leaves it as it
    is. Nothing has been changed."
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
    command: Get-CsVoicePolicy
    causes: []
    native_error_code: null
"""
