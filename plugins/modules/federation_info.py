# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: federation_info
short_description: See what audio and video with Windows Live takes, and what of it is there
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Judges every prerequisite of public instant messenger connectivity with audio and video by itself. Each is V(met),
    V(unmet) or V(unknown), with the evidence and the commands that put it right or find out.
  - A prerequisite is unknown only where a reading failed, or where no source can answer, as for licences and far ports.
  - It reads, and looks at DNS and at the external certificate from the controller.
options:
  outside:
    description:
      - Whether to look up the federation records of the SIP domains, and at the certificates that the Access Edges
        present at their external names, from the controller.
      - DNS takes the Python package dnspython there. Without it the record is V(unknown).
    type: bool
    default: true
  dns_servers:
    description:
      - Name servers to ask, by address. Without it, those of the controller. Where the company's own zone hides the
        public one, name a public server.
    type: list
    elements: str
    default: []
  dns_port:
    description:
      - The port of O(dns_servers).
      - From V(1) to V(65535).
    type: int
    default: 53
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.public_provider
  - module: lync.remediation.access_edge_configuration
  - module: lync.remediation.external_access_policy
  - module: lync.remediation.media_configuration
  - module: lync.remediation.replication_info
"""

EXAMPLES = r"""
---
- name: Look at every prerequisite
  lync.remediation.federation_info:
  register: found

- name: Show what is missing, and what to do
  ansible.builtin.debug:
    msg: "{{ found.prerequisites | selectattr('state', 'equalto', 'unmet') }}"

- name: Look at the deployment alone
  lync.remediation.federation_info:
    outside: false

- name: Ask a public name server for the federation records
  lync.remediation.federation_info:
    dns_servers: [9.9.9.9]
"""

RETURN = r"""
---
version:
  description:
    - The product and its build; V(null) where neither the server nor its replicas tell.
  returned: always
  type: str
  sample: Lync Server 2010 (4.0.7577.0)
product:
  description:
    - The first number of the build. V(4) is Lync Server 2010, V(5) is 2013, V(6) is Skype for Business Server 2015,
      V(7) is 2019 and the Subscription Edition. V(null) where it is not known.
  returned: always
  type: int
  sample: 4
ready:
  description:
    - Whether every prerequisite is met.
  returned: always
  type: bool
  sample: false
unmet:
  description:
    - The names of the prerequisites that are not met.
  returned: always
  type: list
  elements: str
  sample: [public_provider]
unknown:
  description:
    - The names of the prerequisites of which it is not known.
  returned: always
  type: list
  elements: str
  sample: [license, ports]
changes:
  description:
    - The objects of this deployment that the role P(lync.remediation.windows_live_av_federation#role) has ever changed,
      as the journal of changes has it. The role takes them back by this.
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
    created:
      description:
        - Whether the role made the object, and has not removed it since.
      returned: always
      type: bool
    before:
      description:
        - For each option the value before the oldest change that is not taken back.
      returned: always
      type: dict
    written:
      description:
        - For each option the value that was written last. Empty where everything has been taken back.
      returned: always
      type: dict
  sample:
    - resource: external_access_policy
      identity: Global
      created: false
      before:
        enable_public_cloud_audio_video_access: false
      written:
        enable_public_cloud_audio_video_access: true
prerequisites:
  description:
    - Every prerequisite, in the order in which they are put right.
  returned: always
  type: list
  elements: dict
  contains:
    prerequisite:
      description:
        - One of V(version), V(license), V(dns_srv), V(external_certificate), V(ports), V(access_edge),
          V(federation_route), V(media_edge), V(public_provider), V(allowed_domains), V(blocked_domains),
          V(replication), V(outside_access), V(p2p_video), V(audio_video_users), V(policies) and V(media_encryption).
      returned: always
      type: str
    state:
      description:
        - V(met), V(unmet) or V(unknown).
      returned: always
      type: str
    evidence:
      description:
        - What was found, or why it is not known.
      returned: always
      type: str
    remedy:
      description:
        - The lines that put it right, or find out. Empty where it is met.
      returned: always
      type: list
      elements: str
  sample:
    - prerequisite: public_provider
      state: unmet
      evidence: MSN is disabled
      remedy: ["Set-CsPublicProvider -Identity MSN -Enabled $true"]
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
    command: Get-CsSite
    causes: []
    native_error_code: null
"""
