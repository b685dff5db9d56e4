# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: clock_summary
short_description: What a repair of clocks did, in lines for people
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Puts what tasks did to each server, and which of them failed, into lines of at most 69 columns. In check mode, what
    they would do.
positional: after
options:
  _input:
    description: What P(lync.remediation.clock_verdict#filter) returned before.
    type: dict
    required: true
  after:
    description: What it returned afterwards; V(null) in check mode.
    type: dict
  tried:
    description: By host, what the trial of a change returned; an empty dictionary where there was none.
    type: dict
    default: {}
  noted:
    description: By host, what leaving the note that a restart is pending returned, likewise.
    type: dict
    default: {}
  zone:
    description: By host, what M(lync.remediation.time_zone) returned; an empty dictionary where it did not run.
    type: dict
    default: {}
  source:
    description: By host, what M(lync.remediation.time_service) returned, likewise.
    type: dict
    default: {}
  clock:
    description: By host, what M(lync.remediation.clock) returned, likewise.
    type: dict
    default: {}
  restart:
    description: By host, what M(lync.remediation.server_services) returned, likewise.
    type: dict
    default: {}
"""

EXAMPLES = r"""
- name: Measure the clock
  lync.remediation.clock_info:
  register: first

- name: Put it right
  lync.remediation.clock:
  register: done

- name: Measure it again
  lync.remediation.clock_info:
  register: then

- name: Report what was done to this server
  ansible.builtin.debug:
    msg: "{{ before | lync.remediation.clock_summary(after, clock={inventory_hostname: done}) }}"
  vars:
    before: "{{ {inventory_hostname: first} | lync.remediation.clock_verdict }}"
    after: "{{ {inventory_hostname: then} | lync.remediation.clock_verdict }}"
"""

RETURN = r"""
_value:
  description: The lines; none where nothing was done.
  type: list
  elements: str
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..plugin_utils.clock.assessment import summary


def clock_summary(
    before: Mapping[str, Any],
    after: Mapping[str, Any] | None = None,
    **done: Mapping[str, Mapping[str, Any]],
) -> list[str]:
    """See `assessment.summary`."""
    return summary(before, after, done)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"clock_summary": clock_summary}
