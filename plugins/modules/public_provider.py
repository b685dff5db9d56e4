# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: public_provider
short_description: Manage public providers
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Manages the public providers of instant messaging that a deployment is federated with, such as Windows
    Live.
  - Options that are not given are never touched.
options:
  identity:
    description:
      - The provider's name, such as V(MSN) (Lync Server 2010), V(Messenger) (Lync Server 2013) or V(Skype).
      - Case does not matter.
    type: str
    required: true
  state:
    description:
      - V(present) creates the provider where it does not exist, and gives it the values of the other
        options.
      - V(absent) removes it. The other options are ignored.
    type: str
    choices: [present, absent]
    default: present
  proxy_fqdn:
    description:
      - The server that messages to the provider's users are sent to. Required to create a provider, and
        unlike that of every other public or hosting provider.
      - Can be given only when a provider is created; see O(recreate).
    type: str
  enabled:
    description:
      - Whether the provider's users can be reached. Required to create a provider.
    type: bool
  verification_level:
    description:
      - Which messages from the provider are believed to come from it. V(AlwaysVerifiable) accepts them all,
        V(AlwaysUnverifiable) only those from people on the receiver's contact list,
        V(UseSourceVerification) goes by the sender's own mark.
    type: str
    choices: [AlwaysVerifiable, AlwaysUnverifiable, UseSourceVerification]
  icon_url:
    description:
      - The address of the picture that marks the provider's contacts.
      - Not in Lync Server 2010.
      - Can be given only when a provider is created; see O(recreate).
    type: str
  name_decoration_domain:
    description:
      - The domain for decorated addresses of the provider's users.
      - Not in Lync Server 2010.
      - Can be given only when a provider is created; see O(recreate).
    type: str
  name_decoration_routing_domain:
    description:
      - The domain that decorated addresses are routed by, such as V(msn.com).
      - Not in Lync Server 2010, nor in 2013 before cumulative update 5.
      - Can be given only when a provider is created; see O(recreate).
    type: str
  name_decoration_excluded_domain_list:
    description:
      - Domains whose addresses are not decorated. Their order does not matter.
      - Not in Lync Server 2010, nor in 2013 before cumulative update 5.
      - Can be given only when a provider is created; see O(recreate).
    type: list
    elements: str
  enable_skype_id_routing:
    description:
      - Whether people can be reached by their Skype name.
      - Not in Lync Server 2010 and 2013.
      - Can be given only when a provider is created; see O(recreate).
    type: bool
  enable_skype_directory_search:
    description:
      - Whether people can be found in the Skype directory.
      - Not in Lync Server 2010 and 2013.
      - Can be given only when a provider is created; see O(recreate).
    type: bool
  recreate:
    description:
      - Remove the provider and create it again where an option differs that the server can set only in a
        new provider. Its other values are kept.
      - Everything is checked before the removal. If the creation fails all the same, the provider is put
        back as it was, and the task fails.
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Public providers cannot be used while the Access Edge routes to a default route; a provider is not
    created then.
  - Microsoft has ended the services behind these providers, AOL and Yahoo! in 2014 and Skype in 2025. What
    is left to do is often to switch them off.
seealso:
  - module: lync.remediation.public_provider_info
  - module: lync.remediation.access_edge_configuration
  - module: lync.remediation.external_access_policy
  - name: New-CsPublicProvider
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/new-cspublicprovider
  - name: Set-CsPublicProvider
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/set-cspublicprovider
  - name: Remove-CsPublicProvider
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/remove-cspublicprovider
"""

EXAMPLES = r"""
---
- name: Have a public provider, not used yet
  lync.remediation.public_provider:
    identity: Fabrikam
    proxy_fqdn: proxyserver.fabrikam.com
    enabled: false
    verification_level: AlwaysUnverifiable

- name: Use it
  lync.remediation.public_provider:
    identity: Fabrikam
    enabled: true

- name: Give it another proxy, which takes removing it and creating it again
  lync.remediation.public_provider:
    identity: Fabrikam
    proxy_fqdn: proxyserver2.fabrikam.com
    recreate: true

- name: Remove it
  lync.remediation.public_provider:
    identity: Fabrikam
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
    - The public provider as it was, with the options of this module. V(null) where it does not exist.
  returned: always
  type: dict
  sample:
    identity: MSN
    state: present
    proxy_fqdn: federation.messenger.msn.com
    enabled: false
    verification_level: UseSourceVerification
after:
  description:
    - The public provider as it was read back, or as it would be after the change. V(null) where it does not
      exist.
  returned: always
  type: dict
  sample:
    identity: MSN
    state: present
    proxy_fqdn: federation.messenger.msn.com
    enabled: true
    verification_level: UseSourceVerification
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
    - resource: public_provider
      identity: MSN
      property: enabled
      current: false
      desired: true
      severity: high
      reason: Decides whether the provider's users can be reached at all.
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
  sample: ["Set-CsPublicProvider -Identity MSN -Enabled $true"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["Set-CsPublicProvider -Identity MSN -Enabled $false"]
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
    before: "enabled: false\n"
    after: "enabled: true\n"
    before_header: public provider MSN on pool01
    after_header: public provider MSN on pool01
reset:
  description:
    - Always V(false), as a provider can be removed. It is there for the sake of those who read the results
      of several modules.
  returned: always
  type: bool
  sample: false
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "identity: 'Skype' is the name of a hosting provider already. Nothing has been changed."
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
