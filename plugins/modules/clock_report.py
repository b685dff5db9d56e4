# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock_report
short_description: Say what a repair of clocks has come to
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Judges once more, with what was measured since the repair, and says for each server what has become of it, what was
    done, what is left, and how to go on.
options:
  measurements:
    description:
      - The names under which each host of the play has registered what M(lync.remediation.clock_info) returned. A later
        one goes before an earlier one where a host has it.
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
      - How far from the right time a clock may be, in milliseconds, V(1) or more.
      - From V(1) to V(3600000).
    type: float
    default: 1000
  restart_offset_ms:
    description:
      - From what error on services must be restarted after the repair, in milliseconds.
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
  steps:
    description:
      - By step, the name under which hosts have registered the task that took it. Steps are C(note removed), C(note),
        C(zone), C(source) and C(clock).
    type: dict
    default: {}
  restart_plans:
    description:
      - The RV(lync.remediation.clock_judgement#module:restart_plans) that were carried out.
    type: list
    elements: dict
    default: []
  not_planned:
    description:
      - The RV(lync.remediation.clock_judgement#module:not_planned), which say why no plan was made.
    type: list
    elements: str
    default: []
  restarts:
    description:
      - Whether restarts were asked for; unset where nobody said.
    type: bool
  replication:
    description:
      - What M(lync.remediation.replication) returned.
    type: dict
    default: {}
  av_before:
    description:
      - By pool, what M(lync.remediation.pool_info) returned of its test of A/V authentication before the repair.
    type: dict
    default: {}
  av_after:
    description:
      - The same after the repair.
    type: dict
    default: {}
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
attributes:
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
seealso:
  - module: lync.remediation.clock_judgement
"""

EXAMPLES = r"""
---
# In a play whose hosts are the Front Ends and the Edge Servers
- name: Measure all clocks
  lync.remediation.clock_info:
  register: clock

- name: Read which servers make a pool
  lync.remediation.pool_info:
    services: false
  delegate_to: "{{ groups['management'] | first }}"
  run_once: true
  register: topology

- name: Put them right
  lync.remediation.clock:
  register: repaired

- name: Measure again
  lync.remediation.clock_info:
  register: proof

- name: Say what has come of it
  lync.remediation.clock_report:
    measurements: [clock, proof]
    topologies: "{{ {groups['management'] | first: topology} }}"
    steps:
      clock: repaired
  run_once: true
  register: end
"""

RETURN = r"""
---
results:
  description:
    - By host, its C(status), V(in_desired_state), V(drifted), V(corrected) or V(unknown), whether it was C(changed),
      what is C(unknown), and the C(reasons) why the state is not the one that was asked for.
  returned: success
  type: dict
  sample:
    fe02.contoso.com:
      status: corrected
      changed: true
      unknown: []
      reasons: []
failing:
  description:
    - The hosts that are not as they should be at the end.
  returned: success
  type: list
  elements: str
  sample: []
troubles:
  description:
    - What is not well with the run as a whole.
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description:
    - All of that for people, in lines of at most 79 columns.
  returned: success
  type: list
  elements: str
  sample: [Done.]
msg:
  description:
    - What went wrong, in one sentence.
  returned: on failure
  type: str
  sample: "clock_drift_max_offset_ms: nan is not between 1 and 3600000. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes; see
      R(the guide, ansible_collections.lync.remediation.docsite.guide_results).
  returned: on failure
  type: str
  sample: bad_argument
"""
