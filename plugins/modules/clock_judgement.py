# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock_judgement
short_description: Say whose clock is right, and what is to be done to each server
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Judges what M(lync.remediation.clock_info) found out about all hosts of a play, by the selection of RFC 5905.
  - These have a vote, each named time server, as the servers measured it; the domain as its PDC emulator, once,
    however many members follow it; the source of a server that has one of its own; and the controller. A server with a
    wrong zone, or an error that a zone explains, does not vote. Where voters contradict each other without a majority
    it is unclear, and nothing should be done.
  - Of each server it says one of V(right), V(wrong), V(not_known) and V(unclear), what is wrong with it, and what is to
    be done. What comes later in the run goes by this judgement, by its RV(id).
options:
  measurements:
    description:
      - The names under which each host of the play has registered what M(lync.remediation.clock_info) returned. A later
        one takes precedence over an earlier one where a host has both.
    type: list
    elements: str
    required: true
  topologies:
    description:
      - By the inventory's host that was asked, what M(lync.remediation.pool_info) returned. Hosts that know a pool in
        common are of one deployment; each deployment is judged by itself.
    type: dict
    required: true
  requests:
    description:
      - By host, the RV(lync.remediation.clock_requests#module:requests) of the inventory. A host that is missing may
        have any zone and source.
    type: dict
    default: {}
  ntp_servers:
    description:
      - The time servers among those of O(measurements) that are named to tell the time. Two or more of them at
        different addresses that agree decide alone.
    type: list
    elements: str
    default: []
  max_offset_ms:
    description:
      - How far from the right time a clock may be, in milliseconds.
      - From V(1) to V(3600000).
    type: float
    default: 1000
  restart_offset_ms:
    description:
      - The error, in milliseconds, from which services must be restarted after the repair.
      - From V(0) to V(31536000000).
    type: float
    default: 300000
  follow_pool:
    description:
      - Whether hosts for which the inventory requests no zone, or no time service, should have that of more than half
        of their pool.
    type: bool
    default: false
  time_zone_confirmed:
    description:
      - Whether the zones of the inventory are right even where more than half of at least three servers have others.
    type: bool
    default: false
  controller_synchronised:
    description:
      - Whether the controller's clock is synchronised, and so worth more than another. By default its kernel is asked.
        One that is not synchronised does not vote.
    type: bool
  take_over:
    description:
      - Servers, by FQDN, whose mark of a restart by somebody else is going to be taken over. The topology must have it.
    type: list
    elements: str
    default: []
  show:
    description:
      - Whether the lines for people are shown.
    type: bool
    default: true
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.attributes.once
  - lync.remediation.action_group
seealso:
  - module: lync.remediation.clock_info
  - module: lync.remediation.clock_restart_plan
  - module: lync.remediation.clock_report
"""

EXAMPLES = r"""
---
# In a play whose hosts are the Front Ends and the Edge Servers
- name: Measure all clocks
  lync.remediation.clock_info:
    ntp_servers: [ntp1.contoso.com, ntp2.contoso.com]
  register: clock

- name: Read which servers make a pool
  lync.remediation.pool_info:
    services: false
  delegate_to: "{{ groups['management'] | first }}"
  run_once: true
  register: topology

- name: Say who is wrong
  lync.remediation.clock_judgement:
    measurements: [clock]
    topologies: "{{ {groups['management'] | first: topology} }}"
    ntp_servers: [ntp1.contoso.com, ntp2.contoso.com]
  run_once: true
  register: judgement
"""

RETURN = r"""
---
deployments:
  description:
    - By deployment, who is right (V(time_servers), V(voters) or V(unclear)), C(why), the right time less
      the controller's (C(reference_offset), in seconds), whether a clock besides the controller's speaks for it
      (C(confirmed)), all C(voters), and why others did not vote (C(silent)).
  returned: success
  type: dict
  sample:
    pool01.contoso.com:
      right: voters
      why: The domain (PDC emulator dc01.contoso.com) tells the right time.
      reference_offset: 0.004
      confirmed: true
      voters:
        - name: dc01.contoso.com
          kind: domain
          offset_ms: 4.1
          uncertainty_ms: 9.8
          measured_by: 4
          decides: true
      silent: []
servers:
  description:
    - By host, its C(computer), C(pool) and C(deployment); its C(verdict), one of V(right), V(wrong), V(not_known) and
      V(unclear); its error with the uncertainty, in milliseconds; its C(faults), of V(zone), V(service), V(source) and
      V(clock); what is to be done (C(repair)); why its services must be restarted (C(restart)); and what is to become
      of the note of that (C(note), of V(write), V(keep) and V(remove)).
  returned: success
  type: dict
  sample:
    fe02.contoso.com:
      computer: fe02.contoso.com
      pool: pool01.contoso.com
      deployment: pool01.contoso.com
      is_edge: false
      verdict: wrong
      error_ms: -21600000.3
      uncertainty_ms: 12.1
      faults: [clock]
      repair:
        zone: null
        time_service: null
        clock:
          reference_offset: 0.004
          confirmed: true
      to_repair: true
      restart: its clock was -6 h 0 min off
      restart_pending: false
      note: write
      found:
        offset_ms: -21599996.2
        zone: Central Standard Time
      said: ["the clock is -6 h 0 min off, which has the size of a difference between two zones."]
obstacles:
  description:
    - What must be cleared up before anything may be changed.
  returned: success
  type: list
  elements: str
  sample: []
remarks:
  description:
    - What should be known besides, such as servers of the topology that are not in the run.
  returned: success
  type: list
  elements: str
  sample: []
unclear:
  description:
    - The deployments of which it is unclear who is right.
  returned: success
  type: list
  elements: str
  sample: []
affected:
  description:
    - The hosts to which something is to be done. Empty where something must be cleared up before.
  returned: success
  type: list
  elements: str
  sample: [fe02.contoso.com]
user_pools:
  description:
    - The pools whose users RV(affected) servers may have failed, which is all of a deployment where an Edge Server is
      one of them, and the host that was asked for each.
  returned: success
  type: list
  elements: dict
  sample:
    - pool: pool01.contoso.com
      asked: management.contoso.com
id:
  description:
    - What M(lync.remediation.clock_restart_plan) and M(lync.remediation.clock_report) take this judgement up by, in the
      same run.
  returned: success
  type: str
  sample: 5d0f4c6a1be2d977
lines:
  description:
    - The judgement for people, in lines of at most 79 columns.
  returned: success
  type: list
  elements: str
  sample: [All 4 servers are right.]
msg:
  description:
    - What went wrong, in one sentence.
  returned: on failure
  type: str
  sample: "clock_drift_max_offset_ms: nan is not between 1 and 3600000. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: bad_argument
"""
