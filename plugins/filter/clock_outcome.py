# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: clock_outcome
short_description: What a repair of clocks has come to for one server
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Sums a run of the role P(lync.remediation.clock_drift#role) up in the one fact that it sets for each server. It asks
    nothing of a server.
positional: host, after
options:
  _input:
    description:
      - What P(lync.remediation.clock_verdict#filter) returned before the repair. V(null) where it did not come to that.
    type: dict
    required: true
  host:
    description: The host that the fact is for.
    type: str
    required: true
  after:
    description: What it returned after the repair; V(null) in check mode, and where it did not come to that.
    type: dict
  steps:
    description: By name, what each task that worked on this host returned; an empty dictionary where it did not run.
    type: dict
    default: {}
  checks:
    description: By name, what was checked for the whole deployment, likewise.
    type: dict
    default: {}
  check_mode:
    description: Whether nothing was going to be changed.
    type: bool
    default: false
"""

EXAMPLES = r"""
- name: Measure the clock
  lync.remediation.clock_info:
  register: measured

- name: Sum up what was found
  ansible.builtin.debug:
    msg: "{{ verdict | lync.remediation.clock_outcome(inventory_hostname, check_mode=true) }}"
  vars:
    verdict: "{{ {inventory_hostname: measured} | lync.remediation.clock_verdict }}"
"""

RETURN = r"""
_value:
  description:
    - C(status) is one of V(in_desired_state), V(drifted), V(corrected) and V(unknown), C(changed) whether anything was,
      or may have been, changed.
    - C(unknown) names what is not known, C(reasons) say why the state is not the one that was asked for.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..plugin_utils.clock.outcome import outcome


def clock_outcome(
    before: Mapping[str, Any] | None,
    host: str,
    after: Mapping[str, Any] | None = None,
    steps: Mapping[str, Mapping[str, Any]] | None = None,
    checks: Mapping[str, Mapping[str, Any]] | None = None,
    check_mode: bool = False,
) -> dict[str, Any]:
    return outcome(host, before, after, steps or {}, checks or {}, check_mode)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"clock_outcome": clock_outcome}
