# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock_restart_plan
short_description: Write down in which order servers with a repaired clock are restarted
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Makes an order of restarts for each deployment, by which M(lync.remediation.server_restart) goes, from the judgement
    of M(lync.remediation.clock_judgement) and from what has become of the repairs. One outage domain is worked on at a
    time, Edge Servers first and the pool with the Central Management Store last.
options:
  judgement:
    description:
      - The RV(lync.remediation.clock_judgement#module:id) of the judgement that the repair went by.
    type: str
    required: true
  repairs:
    description:
      - The names under which hosts have registered the tasks of their repair. In a deployment where one failed nothing
        is restarted.
    type: list
    elements: str
    default: []
  services:
    description:
      - The name under which hosts have registered what M(lync.remediation.pool_info) returned with
        O(lync.remediation.pool_info#module:own=true). Of a pool, those come first whose services do not run, since
        nothing else may be stopped before they are back.
    type: str
  at_once:
    description:
      - How many servers may be restarted at a time, each of another outage domain.
      - From V(1) to V(100).
    type: int
    default: 1
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.attributes.once
  - lync.remediation.action_group
seealso:
  - module: lync.remediation.clock_judgement
  - module: lync.remediation.server_restart
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

- name: Write down in which order servers are restarted
  lync.remediation.clock_restart_plan:
    judgement: "{{ judgement.id }}"
  run_once: true
  register: plan
"""

RETURN = r"""
---
restart_plans:
  description:
    - For each deployment with servers to restart the C(id) of its plan, its C(rounds) and its C(lanes), as
      M(lync.remediation.server_restart) takes them.
  returned: success
  type: list
  elements: dict
  sample:
    - deployment: pool01.contoso.com
      id: 0f4c6a1be2d97753
      rounds: [[fe02.contoso.com]]
      lanes: [[fe02.contoso.com]]
not_planned:
  description:
    - Why nothing is restarted in a deployment.
  returned: success
  type: list
  elements: str
  sample: []
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
