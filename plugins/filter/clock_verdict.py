# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: clock_verdict
short_description: What the clocks of a whole deployment, seen together, say
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Judges what M(lync.remediation.clock_info) found out about many servers, who is right, who is wrong, and
    whether an error has the size of a difference between two time zones.
  - The majority of all clocks decides, the controller's among them. A time server that servers could ask
    goes before the majority. Where it remains unclear who is right, nobody is called wrong.
positional: pools
options:
  _input:
    description: By host, what M(lync.remediation.clock_info) returned, be it a failure.
    type: dict
    required: true
  pools:
    description: The RV(lync.remediation.pool_info#module:pools) that M(lync.remediation.pool_info) returned.
    type: list
    elements: dict
    default: []
  wanted:
    description:
      - By host, the C(zone) that it should have, and the options of M(lync.remediation.time_service) as
        C(time_service). A host that is missing may have any.
    type: dict
    default: {}
  max_offset_ms:
    description: How far from the right time a clock may be, in milliseconds.
    type: float
    default: 1000
  restart_offset_ms:
    description: From what error on services must be restarted after the repair, in milliseconds.
    type: float
    default: 300000
  follow_pool:
    description:
      - Whether hosts for which O(wanted) has no zone, or no time service, should have that of more than
        half of their pool.
    type: bool
    default: false
"""

EXAMPLES = r"""
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
  ansible.builtin.debug:
    msg: >-
      {{ (dict(ansible_play_hosts | zip(ansible_play_hosts | map('extract', hostvars, 'clock')))
          | lync.remediation.clock_verdict(topology.pools)).table }}
  run_once: true
"""

RETURN = r"""
_value:
  description: The verdict.
  type: dict
  contains:
    right:
      description: Whose clocks are right, V(controller), V(servers) or V(unclear).
      type: str
    why:
      description: How that was found out.
      type: str
    reference_offset:
      description: The right time less the controller's, in seconds; V(null) where it is unclear.
      type: float
    confirmed:
      description: Whether a clock besides the controller's speaks for it.
      type: bool
    servers:
      description:
        - By host, C(computer), C(pool), C(is_edge), C(measured), C(error_ms), C(uncertainty_ms), C(zone),
          C(wanted_zone), C(wanted_time_service), C(problems) (of V(zone), V(source) and V(clock)),
          C(zone_difference_minutes), C(explained_by), C(restart_pending), C(restart_reason),
          C(repair_calls_for_restart), C(restart_interrupted), C(down), C(jumped_ms), C(trouble).
      type: dict
    wrong:
      description: The hosts with a problem.
      type: list
      elements: str
    pools:
      description:
        - By pool, also of Edge Servers, the C(hosts) that agree with each other (the most that do), where their clocks
          stand against the controller's in milliseconds (C(offset_ms)), and the C(outliers) among the others.
      type: dict
    farthest:
      description:
        - Of all pairs that must talk to each other, the two C(hosts) that are farthest apart, and by how many
          milliseconds (C(offset_ms)). V(null) with less than two. Front Ends talk to all others, Edge Servers to
          Front Ends and to their own pool.
      type: dict
    falsetickers:
      description: Time servers that contradict the clocks that are right.
      type: list
      elements: str
    rounds:
      description: In which order hosts may be restarted, at most one of a pool in each round.
      type: list
      elements: list
    table:
      description: All of that for people, in lines of at most 69 columns.
      type: list
      elements: str
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.clock.assessment import Rules, assess


def clock_verdict(
    answers: Mapping[str, Mapping[str, Any]],
    pools: Sequence[Mapping[str, Any]] = (),
    wanted: Mapping[str, Mapping[str, Any]] | None = None,
    max_offset_ms: float = 1000,
    restart_offset_ms: float = 300000,
    follow_pool: bool = False,
) -> dict[str, Any]:
    """See `assessment.assess`."""
    rules = Rules(float(max_offset_ms) / 1000, float(restart_offset_ms) / 1000, bool(follow_pool))
    return assess(answers, pools, wanted or {}, rules)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"clock_verdict": clock_verdict}
