# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: health_judgement
short_description: Say what most likely is behind trouble with calls
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Brings together what the tasks of a run have found out and registered on all hosts of a play, and ranks what may
    be behind the trouble. The likely cause comes first, with its evidence and the command to run next.
  - What servers say when they are asked and what their traces say support each other. A cause that both agree on
    goes before one that only one of them knows; of two alike the one that explains the other goes first, a wrong
    clock before all.
  - A task that failed, or a host that could not be reached, is listed in RV(not_examined), and is never taken for
    being well. Every option may be left out.
options:
  clock_readings:
    description:
      - The name under which hosts have registered M(lync.remediation.clock_info).
    type: str
  clocks:
    description:
      - What M(lync.remediation.clock_judgement) returned.
    type: dict
    default: {}
  services:
    description:
      - The name under which Front Ends and Edge Servers have registered M(lync.remediation.pool_info) with its
        option C(own).
    type: str
  certificate_readings:
    description:
      - The name under which Edge Servers have registered M(lync.remediation.certificate_info).
    type: str
  certificates:
    description:
      - What M(lync.remediation.certificate_judgement) returned.
    type: dict
    default: {}
  replication:
    description:
      - The name under which management endpoints have registered M(lync.remediation.replication_info).
    type: str
  federation:
    description:
      - The name under which management endpoints have registered M(lync.remediation.federation_info).
    type: str
  traces:
    description:
      - The name under which management endpoints have registered M(lync.remediation.central_logging_info).
    type: str
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
  - module: lync.remediation.central_logging_info
  - module: lync.remediation.certificate_judgement
  - module: lync.remediation.clock_judgement
  - module: lync.remediation.federation_info
notes:
  - The playbook C(lync.remediation.health) runs everything that this takes.
"""

EXAMPLES = r"""
---
- name: Look at replication
  lync.remediation.replication_info:
  register: replication

- name: Look at the traces of the last hour
  lync.remediation.central_logging_info:
  register: traces

- name: Say what is wrong
  lync.remediation.health_judgement:
    replication: replication
    traces: traces
  run_once: true
"""

RETURN = r"""
---
verdict:
  description:
    - V(trouble) where a cause is likely; V(incomplete) where none is, and something was not looked at; V(clean)
      where everything was looked at and is well.
  returned: success
  type: str
  sample: trouble
causes:
  description:
    - Everything that may be behind the trouble, the likely cause first.
  returned: success
  type: list
  elements: dict
  contains:
    kind:
      description:
        - One of V(clock), V(certificate), V(service), V(replication), V(encryption), V(federation),
          V(av_authentication), V(ice), V(server) and V(other).
      returned: always
      type: str
    name:
      description:
        - What it is, in one word that stays the same when the sentence changes, such as V(clock_wrong); for what
          only traces tell, the id of the finding.
      returned: always
      type: str
    severity:
      description:
        - V(low), V(medium), V(high) or V(critical).
      returned: always
      type: str
    is_likely:
      description:
        - Whether it may be what people complain of.
      returned: always
      type: bool
    said:
      description:
        - What it is, in one sentence.
      returned: always
      type: str
    evidence:
      description:
        - What proves it, or speaks for it.
      returned: always
      type: list
      elements: str
    remedy:
      description:
        - The command to run next, a dry run or one that reads; V(null) where this collection has none.
      returned: always
      type: str
    servers:
      description:
        - The servers concerned.
      returned: always
      type: list
      elements: str
    pool:
      description:
        - The pool of these servers, where it is known.
      returned: always
      type: str
    supported_by:
      description:
        - The ids of findings in traces that agree.
      returned: always
      type: list
      elements: str
examined:
  description:
    - What was looked at, in a few words each.
  returned: success
  type: list
  elements: str
not_examined:
  description:
    - What was not looked at, and why.
  returned: success
  type: list
  elements: str
lines:
  description:
    - The judgement for people, in lines of at most 79 columns; commands are not broken.
  returned: success
  type: list
  elements: str
report:
  description:
    - The judgement in the form that the report of a run takes.
  returned: success
  type: dict
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: bad_argument
"""
