# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: windows_live_outcome
short_description: What has become of Windows Live audio and video in a run
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Sums a run of the role P(lync.remediation.windows_live_av_federation#role) up in the one fact that it returns. It
    asks nothing of a server.
positional: after, steps
options:
  _input:
    description:
      - What P(lync.remediation.windows_live_assessment#filter) returned before the change. V(null) where it did not
        come to that.
    type: dict
    required: true
  after:
    description: What it returned once everything had been read again; V(null) where it did not come to that.
    type: dict
    required: true
  steps:
    description: The results of the tasks that ran, those of loops included.
    type: list
    elements: dict
    required: true
"""

EXAMPLES = r"""
- name: Sum up what was found
  ansible.builtin.debug:
    msg: "{{ {'pending': ['policy Global']} | lync.remediation.windows_live_outcome(none, []) }}"
"""

RETURN = r"""
_value:
  description:
    - C(status) is one of V(in_desired_state), V(drifted), V(corrected) and V(unknown), C(changed) whether anything was,
      or may have been, changed.
    - C(unknown) names what is not known, C(reasons) say why the state is not the one that was asked for.
  type: dict
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from ..plugin_utils.federation.windows_live import outcome


def windows_live_outcome(
    before: Mapping[str, Any] | None, after: Mapping[str, Any] | None, steps: Sequence[Mapping[str, Any]]
) -> dict[str, Any]:
    return outcome(before, after, steps)


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"windows_live_outcome": windows_live_outcome}
