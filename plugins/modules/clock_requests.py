# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock_requests
short_description: Check what an inventory requests of clocks
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Checks the variables of a role that repairs clocks before anything is read or written. Their types, ranges, names
    and zones must be right, and all hosts of the play must go in step.
options:
  prefix:
    description:
      - What the names of the variables begin with.
    type: str
    default: clock_drift_
  variables:
    description:
      - The variables of the run that begin with O(prefix), by their whole names.
    type: dict
    required: true
  known:
    description:
      - The names that there are. A variable that begins with O(prefix) and has another name is refused.
    type: list
    elements: str
    required: true
  requests:
    description:
      - The name of the fact under which each host has its C(zone), the options of M(lync.remediation.time_service) as
        C(time_service), and the C(management_host) that knows its topology.
    type: str
    required: true
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
- name: Collect what is requested
  ansible.builtin.set_fact:
    clock_request:
      zone: Central Standard Time
      time_service: null
      management_host: "{{ groups['management'] | first }}"

- name: Check it
  lync.remediation.clock_requests:
    variables:
      clock_drift_max_offset_ms: 500
    known: [clock_drift_max_offset_ms]
    requests: clock_request
  run_once: true
  register: requested
"""

RETURN = r"""
---
requests:
  description:
    - By host, the C(zone) as Windows spells it and the C(time_service) with the options that are set, each V(null)
      where nothing is requested.
  returned: success
  type: dict
  sample:
    fe02.contoso.com:
      zone: Central Standard Time
      time_service: null
time_servers:
  description:
    - All time servers that are named, or requested as sources.
  returned: success
  type: list
  elements: str
  sample: [ntp1.contoso.com]
management_hosts:
  description:
    - The hosts that know the topologies.
  returned: success
  type: list
  elements: str
  sample: [pool01.contoso.com]
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
