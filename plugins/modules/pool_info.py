# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: pool_info
short_description: Read a pool's members, services, quorum and health
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Returns the pools of the topology with their computers, what runs there, and how many more may go down
    now.
  - The quorum is Microsoft's table for Lync Server 2013 and later. A Standard Edition server is alone, and
    Lync Server 2010 has no quorum.
options:
  pool:
    description:
      - Return this pool only, by FQDN. Case does not matter.
    type: str
  services:
    description:
      - Whether to ask each computer for its services. One that does not answer is not known to run, and
        counts as down. SQL Servers, file stores and gateways, which are pools of the topology as well, are not asked.
    type: bool
    default: true
  health:
    description:
      - Whether to read the readiness and the fabric state of Front End pools, where the version has them.
        Only a Front End of the pool itself knows its readiness.
    type: bool
    default: false
  own:
    description:
      - Return what the host says about itself instead of the topology, which an Edge Server cannot read.
    type: bool
    default: false
  test_av_edge:
    description:
      - Whether to test that a user of O(pool) gets what calls through the Edge Server need, with
        C(Test-CsAVEdgeConnectivity). Lync Server 2010 does not have it.
    type: bool
    default: false
  test_user:
    description:
      - The SIP address of the user to test with. Without it, the pool's health monitoring configuration
        names one.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Over WinRM, the topology and the services of other computers need a second hop, by CredSSP or Kerberos
    with delegation. On C(/OcsPowershell) they do not.
seealso:
  - module: lync.remediation.server_restart
  - module: lync.remediation.server_services
  - plugin: lync.remediation.pool_state
    plugin_type: filter
"""

EXAMPLES = r"""
---
- name: See how many Front Ends may go down
  lync.remediation.pool_info:
    pool: pool01.contoso.com
  register: found

- name: Say it
  ansible.builtin.debug:
    msg: "{{ found.pools[0].quorum.may_go_down }}"

- name: Read what an Edge Server says about itself
  lync.remediation.pool_info:
    own: true
"""

RETURN = r"""
---
pools:
  description:
    - The pools.
  returned: unless O(own=true)
  type: list
  elements: dict
  contains:
    pool:
      description:
        - Its FQDN.
      returned: always
      type: str
    site:
      description:
        - Its site, as the topology names it.
      returned: always
      type: str
    kind:
      description:
        - V(front_end_pool), V(front_end_pool_2010), V(standard_edition), or V(other) for pools without user
          data.
      returned: always
      type: str
    is_edge:
      description:
        - Whether it is an Edge pool.
      returned: always
      type: bool
    version:
      description:
        - The version of its Registrar service in the topology. V(null) without one.
      returned: always
      type: int
    product:
      description:
        - The product of that version. V(null) where it is not known.
      returned: always
      type: str
    roles:
      description:
        - The roles of its services in the topology.
      returned: always
      type: list
      elements: str
    backup:
      description:
        - The pool that it is paired with for disaster recovery. V(null) without one.
      returned: always
      type: str
    backup_known:
      description:
        - Whether the topology told which pool it is paired with.
      returned: always
      type: bool
    holds_store:
      description:
        - Whether it has the Central Management Store.
      returned: always
      type: bool
    members:
      description:
        - Its computers in the order that counts for the quorum, each with C(computer), C(running) (V(null)
          where it is not known), C(services) by name, and C(trouble).
      returned: always
      type: list
      elements: dict
    quorum:
      description:
        - C(counted) computers of which C(to_stay_functional) must run, and C(running) do; C(may_go_down)
          more may stop, whichever they are. C(candidates) could each stop alone. C(known) is V(false) for
          sizes that are documented nowhere.
      returned: always
      type: dict
    readiness:
      description:
        - V(Ready), V(Busy) or V(InsufficientActiveFrontEnds). V(null) where nobody was asked, or none can
          tell.
      returned: always
      type: str
    upgrade_domains:
      description:
        - The computers that may go down together, as texts, which is what PowerShell Remoting leaves of them; perhaps
          only the name of their type.
      returned: always
      type: list
      elements: str
    fabric_state:
      description:
        - What C(Get-CsPoolFabricState) printed, its warnings first.
      returned: always
      type: list
      elements: str
    trouble:
      description:
        - What could not be found out about the pool as a whole, and why.
      returned: always
      type: list
      elements: str
    observed:
      description:
        - When this was seen, by the controller's clock in UTC.
      returned: always
      type: str
  sample:
    - pool: pool01.contoso.com
      site: Site:Redmond
      kind: front_end_pool
      is_edge: false
      version: 6
      product: Lync Server 2013
      roles: [ApplicationServer, Registrar, UserServer, WebServer]
      backup: pool02.contoso.com
      backup_known: true
      holds_store: true
      members:
        - computer: fe01.contoso.com
          running: true
          services: {RTCSRV: Running}
          trouble: null
      quorum:
        known: true
        counted: [fe01.contoso.com, fe02.contoso.com, fe03.contoso.com]
        to_start_first: 3
        to_stay_functional: 2
        running: 3
        functional: true
        may_go_down: 1
        candidates: [fe01.contoso.com, fe02.contoso.com, fe03.contoso.com]
      readiness: null
      upgrade_domains: []
      fabric_state: []
      trouble: []
      observed: "2026-11-21T09:00:00Z"
own:
  description:
    - What the host says about itself, C(computer), C(running), C(up), C(failed_over), C(not_running),
      C(services), C(readiness), C(observed) and C(trouble).
  returned: with O(own=true)
  type: dict
  sample:
    computer: edge01.contoso.com
    running: true
    up: true
    failed_over: false
    not_running: []
    services: {RTCSRV: Running}
    readiness: null
    observed: "2026-11-21T09:00:00Z"
    trouble: []
av_edge:
  description:
    - The test's C(success), V(null) where it did not come about, C(error) and C(diagnosis). V(null) as a
      whole where the version cannot test it.
  returned: with O(test_av_edge=true)
  type: dict
  sample:
    success: true
    error: null
    diagnosis: null
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
  sample: "pool: there is no pool 'pool1'. The topology has pool01.contoso.com. Nothing has been changed."
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
    command: Get-CsPool
    causes: []
    native_error_code: null
"""
