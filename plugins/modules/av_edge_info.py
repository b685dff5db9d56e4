# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: av_edge_info
short_description: Read the Edge pools, their names, and how long credentials for A/V are good for
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Reads from the topology which computers make an Edge pool, and the names of its two services for audio and video.
    The A/V Edge relays media and has an external name; A/V Authentication, inside, makes the credentials for it.
  - Reads from C(Get-CsAVEdgeConfiguration) how long credentials are good for, at the narrowest scope that has it.
options: {}
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.certificate_info
  - module: lync.remediation.certificate_judgement
  - module: lync.remediation.topology_info
"""

EXAMPLES = r"""
---
- name: Read the Edge pools
  lync.remediation.av_edge_info:
  register: edges
"""

RETURN = r"""
---
edge_pools:
  description:
    - The Edge pools.
  returned: success
  type: list
  elements: dict
  contains:
    pool:
      description:
        - Its FQDN, which is the name of its internal interface, and of A/V Authentication.
      returned: always
      type: str
    site:
      description:
        - Its site.
      returned: always
      type: str
    computers:
      description:
        - Its computers.
      returned: always
      type: list
      elements: str
    version:
      description:
        - The version of its services, V(5) for 2010, V(6) for 2013, V(7) for 2015, V(8) for 2019 and Subscription
          Edition.
      returned: always
      type: int
    av_edge_external_fqdn:
      description:
        - The external name of the A/V Edge. V(null) where it has none, or it could not be read.
      returned: always
      type: str
    authentication_port:
      description:
        - The port of A/V Authentication.
      returned: always
      type: int
    max_token_lifetime_s:
      description:
        - How long credentials are good for, in seconds. V(null) where it could not be read.
      returned: always
      type: float
  sample:
    - pool: edge.contoso.com
      site: Redmond
      computers: [edge01.contoso.com, edge02.contoso.com]
      version: 8
      av_edge_external_fqdn: av.contoso.com
      authentication_port: 5062
      max_token_lifetime_s: 28800
trouble:
  description:
    - What could not be found out, and why.
  returned: success
  type: list
  elements: str
  sample: []
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
    command: Get-CsService
    causes: []
    native_error_code: null
"""
