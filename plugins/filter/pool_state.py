# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: pool_state
short_description: A pool with what its members say about themselves
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - The topology is known to a management session, and what runs is known best to each server. This puts the two
    together, as O(lync.remediation.server_services#module:pool_state) takes it.
  - A member that did not answer keeps what the management session saw of it; one that nobody saw is not known to run.
    Where all that is known of what runs comes from the members themselves, what is known of the pool may be old.
positional: answers
options:
  _input:
    description: One of the RV(lync.remediation.pool_info#module:pools) that M(lync.remediation.pool_info) returned.
    type: dict
    required: true
  answers:
    description:
      - What M(lync.remediation.pool_info) returned on the members themselves, failures among them; the results of a
        loop.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Read the pool
  lync.remediation.pool_info:
    pool: pool01.contoso.com
  delegate_to: "{{ groups['management'] | first }}"
  register: seen

- name: Ask its members
  lync.remediation.pool_info:
    own: true
  delegate_to: "{{ item }}"
  loop: "{{ groups['pool01'] }}"
  ignore_unreachable: true
  register: asked

- name: Stop the services of this one
  lync.remediation.server_services:
    state: stopped
    pool_state: "{{ seen.pools[0] | lync.remediation.pool_state(asked.results) }}"
"""

RETURN = r"""
_value:
  description: The pool, in the form that M(lync.remediation.pool_info) returns.
  type: dict
"""

import datetime
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.powershell.ordinal import ordinal_key
from ..plugin_utils.topology.pool_state import Member, answered, from_dict


def pool_state(pool: Mapping[str, Any], answers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """The pool with the members' own answers; as old as the oldest thing that it says about what runs."""
    state = from_dict(pool)
    own = [answer["own"] for answer in answers if answer.get("own") and answer["own"]["computer"]]
    members = [Member(each["computer"], each["running"], each["services"]) for each in own]
    names = {ordinal_key(each.computer) for each in members}
    seen = any(each.running is not None and ordinal_key(each.computer) not in names for each in state.members)
    observed = [datetime.datetime.fromisoformat(each["observed"].replace("Z", "+00:00")) for each in own]
    if seen or not observed:
        observed.append(state.observed)
    return answered(state, members, min(observed)).as_dict()


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"pool_state": pool_state}
