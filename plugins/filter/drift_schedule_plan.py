# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: drift_schedule_plan
short_description: What the role drift_schedule does on a controller
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Checks the variables of the role P(lync.remediation.drift_schedule#role) together, and decides between systemd and
    cron.
  - Says why nobody can rely on the computer to be there when the schedule is due.
positional: machine
options:
  _input:
    description: The role's variables, without C(drift_schedule_) in front.
    type: dict
    required: true
  machine:
    description:
      - What is known of the controller, as C(kernel), C(runs_systemd) and C(hardware), the lines that C(grep -H)
        shows of files below C(/sys/class).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Plan
  ansible.builtin.set_fact:
    plan: "{{ variables | lync.remediation.drift_schedule_plan(machine) }}"
"""

RETURN = r"""
_value:
  description:
    - C(refusal), the sentence that refuses the variables, and then nothing else; empty where they can be used.
    - C(method), C(is_running) and C(why_not_running), C(on_calendar) of a timer, C(cron_times), C(interval_minutes),
      which is the longest time between two runs, and C(objections), sentences against this computer.
  type: dict
"""

from collections.abc import Callable, Mapping
from typing import Any

from ..plugin_utils.result.refusals import BadArgument
from ..plugin_utils.schedule import plan


def drift_schedule_plan(variables: Mapping[str, Any], machine: Mapping[str, Any]) -> dict[str, Any]:
    try:
        return {"refusal": "", **plan(variables, machine)}
    except BadArgument as error:
        # What a filter raises reaches people wrapped in what Ansible says of templates.
        return {"refusal": str(error)}


class FilterModule:
    """What Ansible looks for."""

    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"drift_schedule_plan": drift_schedule_plan}
