# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: drift_verdict
short_description: Sum up what the deployments of a run were found to be
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Shows what M(lync.remediation.drift_check), M(lync.remediation.drift_enforce) and others have found, and makes one
    verdict of it. Asks no server.
  - The verdict and the counts are custom statistics of the run as well, as M(ansible.builtin.set_stats) makes them.
  - With the callback P(lync.remediation.drift_report#callback), the verdict becomes the exit code of the run.
options:
  results:
    description:
      - What those tasks have returned, one for each host. A host without a result has judged nothing.
    type: list
    elements: dict
    required: true
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
seealso:
  - name: The guide to drift
    description: Baselines, checks, corrections and waivers.
    link: https://github.com/lync-remediation/lync.remediation/blob/main/docs/docsite/rst/guide_drift.rst
  - module: lync.remediation.drift_check
"""

EXAMPLES = r"""
---
- name: Check the deployment
  lync.remediation.drift_check:
    deployment: contoso
  register: drift_result

- name: Sum up
  lync.remediation.drift_verdict:
    results:
      - "{{ drift_result }}"
  run_once: true
"""

RETURN = r"""
---
verdict:
  description:
    - The worst verdict on any deployment, V(clean), V(incomplete), V(drift) or V(refused).
  returned: always
  type: str
  sample: clean
exit_code:
  description:
    - The exit code that the callback makes of it, V(0), V(11), V(10) or V(12).
  returned: always
  type: int
counts:
  description:
    - The sums of all deployments, as in M(lync.remediation.drift_check).
  returned: always
  type: dict
"""
