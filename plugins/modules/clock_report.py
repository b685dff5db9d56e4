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
  - Judges what was measured after the repair, and says for each server what has become of it, what was done, what is
    left, and how to go on.
options:
  judgement:
    description:
      - The RV(lync.remediation.clock_judgement#module:id) of the judgement that the repair went by.
    type: str
    required: true
  proof:
    description:
      - The name under which hosts have registered what M(lync.remediation.clock_info) returned after the repair. It is
        judged by the same rules. Hosts that were not measured again stand as they stood.
    type: str
  steps:
    description:
      - By step, the name under which hosts have registered the task that took it. Steps are C(note removed), C(note),
        C(zone), C(source) and C(clock).
    type: dict
    default: {}
  restart_plans:
    description:
      - The RV(lync.remediation.clock_restart_plan#module:restart_plans) that were carried out.
    type: list
    elements: dict
    default: []
  not_planned:
    description:
      - The RV(lync.remediation.clock_restart_plan#module:not_planned), which say why no plan was made.
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
      - By pool, what M(lync.remediation.pool_info) returned of its test of A/V authentication after the repair.
    type: dict
    default: {}
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.attributes.once
  - lync.remediation.action_group
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

- name: Say who is wrong
  lync.remediation.clock_judgement:
    measurements: [clock]
    topologies: "{{ {groups['management'] | first: topology} }}"
  run_once: true
  register: judgement

- name: Put them right
  lync.remediation.clock:
  register: repaired

- name: Measure again
  lync.remediation.clock_info:
  register: proof

- name: Say what has come of it
  lync.remediation.clock_report:
    judgement: "{{ judgement.id }}"
    proof: proof
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
    - The report for people, in lines of at most 79 columns.
  returned: success
  type: list
  elements: str
  sample: [Done.]
msg:
  description:
    - What went wrong, in one sentence.
  returned: on failure
  type: str
  sample: "judgement: this run has no judgement 'x'. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: bad_argument
"""
