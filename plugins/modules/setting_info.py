# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: setting_info
short_description: Read any settings of the Management Shell by their nouns
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns all objects of one noun, of several, or of every noun that holds configuration, in one session and a few
    requests.
  - A noun that cannot be read costs no other one.
options:
  nouns:
    description:
      - The nouns, such as V(CsVoicePolicy), or V(all).
      - Case does not matter.
    type: list
    elements: str
    required: true
    aliases: [noun]
  identity:
    description:
      - Return this object only. It can be given with one noun.
      - Case does not matter.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Secrets are never read. Nouns that hold data of users, or that belong to one computer, are refused, and are not part
    of V(all).
seealso:
  - module: lync.remediation.setting
"""

EXAMPLES = r"""
---
- name: Read the voice policies and what they refer to
  lync.remediation.setting_info:
    nouns: [CsVoicePolicy, CsPstnUsage]
  register: voice

- name: Show which policies allow call transfer
  ansible.builtin.debug:
    msg: "{{ policies | dict2items | selectattr('value.EnableCallTransfer') | map(attribute='key') }}"
  vars:
    policies: "{{ voice.nouns.CsVoicePolicy.objects }}"

- name: Read everything
  lync.remediation.setting_info:
    nouns: all
  register: everything

- name: Show what could not be read
  ansible.builtin.debug:
    var: everything.coverage
"""

RETURN = r"""
---
version:
  description:
    - The version of the product, V(2019) for the Subscription Edition as well. V(null) where the session does not offer
      Get-CsServerVersion.
  returned: on success
  type: str
  sample: "2015"
nouns:
  description:
    - By noun, what was read. C(outcome) is V(read), V(failed), V(not_permitted) (this version has the noun, and the
      session does not offer it) or V(not_offered) (this version does not have it).
    - Where it is V(read), C(objects) are the objects by identity with their properties, C(order) the identities in the
      order of their priorities, C(shape) the types of the values that are present, C(not_comparable) the properties
      that cannot be managed, with the reason, and C(read_only) the reason why the noun is not written, or V(null).
    - Where it is V(failed), C(failure) is the kind of failure, in one word, and C(msg) the sentence.
  returned: on success
  type: dict
  sample:
    CsPstnUsage:
      outcome: read
      objects:
        Global:
          Usage: [Internal, Local, Long Distance]
      order: []
      shape:
        Usage: [list of text]
      not_comparable: {}
      read_only: null
    CsVoiceRoutingPolicy:
      outcome: not_offered
coverage:
  description:
    - How many nouns have each outcome.
  returned: on success
  type: dict
  sample:
    read: 1
    failed: 0
    not_permitted: 0
    not_offered: 1
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
    command: Get-CsServerVersion
    causes: []
    native_error_code: null
"""
