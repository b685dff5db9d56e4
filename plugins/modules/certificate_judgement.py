# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: certificate_judgement
short_description: Say what is wrong with the A/V authentication certificate of each Edge pool
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Judges what M(lync.remediation.certificate_info) found out about all hosts of a play, by the Edge pools of
    M(lync.remediation.av_edge_info) and by the right time of M(lync.remediation.clock_judgement).
  - The certificate signs nothing on the wire. Its private key makes the credentials of media relays, so that its key,
    its dates, and that all Edge Servers of a pool have it decide. Its name does not matter; the external name of the
    A/V Edge is recommended.
  - No server's own clock decides what is valid.
options:
  certificates:
    description:
      - The names under which each host of the play has registered what M(lync.remediation.certificate_info) returned. A
        later one takes precedence over an earlier one where a host has both.
    type: list
    elements: str
    required: true
  edges:
    description:
      - By the inventory's host that was asked, what M(lync.remediation.av_edge_info) returned.
    type: dict
    required: true
  clocks:
    description:
      - What M(lync.remediation.clock_judgement) returned. Where it is unclear what time it is, nothing is said of
        what is valid.
    type: dict
    required: true
  warn_days:
    description:
      - How many days before it ends a certificate is warned of.
      - From V(0) to V(3650).
    type: float
    default: 30
  thumbprint:
    description:
      - The certificate that is to be assigned. What speaks against it is returned as RV(obstacles).
    type: str
  effective_date:
    description:
      - When O(thumbprint) is to come into use, as ISO 8601 writes it with a zone. Unset, at once.
    type: str
  steps:
    description:
      - The names under which hosts have registered M(lync.remediation.certificate_assignment), with the keys C(tried)
        for its dry run, C(assigned), and C(taken_back).
    type: dict
    default: {}
  fail_from:
    description:
      - A host with a finding of this severity or a worse one is in RV(failing), and so is a host of which something is
        not known. With V(never) no host is.
    type: str
    choices: [critical, high, medium, low, info, never]
    default: high
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
  - module: lync.remediation.certificate_info
  - module: lync.remediation.av_edge_info
  - module: lync.remediation.clock_judgement
"""

EXAMPLES = r"""
---
# In a play whose hosts are the Edge Servers
- name: Measure their clocks
  lync.remediation.clock_info:
  register: clock

- name: Read the certificates
  lync.remediation.certificate_info:
  register: certificates

- name: Read which servers make a pool
  lync.remediation.pool_info:
    services: false
  delegate_to: "{{ groups['management'] | first }}"
  run_once: true
  register: topology

- name: Read the Edge pools
  lync.remediation.av_edge_info:
  delegate_to: "{{ groups['management'] | first }}"
  run_once: true
  register: edges

- name: Say what time it is
  lync.remediation.clock_judgement:
    measurements: [clock]
    topologies: "{{ {groups['management'] | first: topology} }}"
    show: false
  run_once: true
  register: clocks

- name: Say what is wrong
  lync.remediation.certificate_judgement:
    certificates: [certificates]
    edges: "{{ {groups['management'] | first: edges} }}"
    clocks: "{{ clocks }}"
  run_once: true
  register: judgement
"""

RETURN = r"""
---
verdict:
  description:
    - The worst severity of RV(findings), V(unknown) where nothing worse than a remark was found and something could
      not be judged, or V(clean).
  returned: success
  type: str
  sample: critical
findings:
  description:
    - What is wrong, worst first.
  returned: success
  type: list
  elements: dict
  contains:
    check:
      description:
        - What was looked at. One of V(missing), V(differing), V(expired), V(not_yet_valid),
          V(expires_within_token_lifetime), V(expires_soon), V(key_missing), V(not_exportable), V(staged_too_late),
          V(staged_differs), V(staged_unusable), V(weak_key), V(weak_signature), V(shared_with_internal), V(name),
          V(coupled) and V(chain).
      returned: always
      type: str
    severity:
      description:
        - V(critical), V(high), V(medium), V(low), or V(info) for what is not a fault.
      returned: always
      type: str
    pool:
      description:
        - The Edge pool. V(null) where the topology does not have the server.
      returned: always
      type: str
    hosts:
      description:
        - The hosts.
      returned: always
      type: list
      elements: str
    said:
      description:
        - What is wrong, in a sentence.
      returned: always
      type: str
    evidence:
      description:
        - What proves it.
      returned: always
      type: list
      elements: str
    remedy:
      description:
        - A command that addresses it. V(null) where there is nothing to be done.
      returned: always
      type: str
  sample:
    - check: differing
      severity: critical
      pool: edge.contoso.com
      hosts: [edge01.contoso.com, edge02.contoso.com]
      said: "The Edge Servers of the pool do not have the same certificate: what one issues the others refuse."
      evidence:
        - "edge01.contoso.com: 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72"
        - "edge02.contoso.com: A9D51A2911C74FABFF7F2A8A994B20857D399107"
      remedy: Set-CsCertificate -Type AudioVideoAuthentication -Thumbprint A9D51A2911C74FABFF7F2A8A994B20857D399107
unknown:
  description:
    - What could not be judged, and why.
  returned: success
  type: list
  elements: str
  sample: []
pools:
  description:
    - What the Edge pools have in force, and what is to follow, by host.
  returned: success
  type: list
  elements: dict
  sample:
    - pool: edge.contoso.com
      hosts: [edge01.contoso.com]
      av_edge_external_fqdn: av.contoso.com
      in_force:
        edge01.contoso.com: 7B1E0A4C55D0A9D3B1F26C0E8A1D4F90B35E6C72
      staged:
        edge01.contoso.com: null
obstacles:
  description:
    - By pool, what speaks against assigning O(thumbprint) there.
  returned: success
  type: dict
  sample: {}
to_assign:
  description:
    - The hosts of the pools where nothing speaks against it, and C(tried) of O(steps) failed nowhere.
  returned: success
  type: list
  elements: str
  sample: []
to_take_back:
  description:
    - The hosts that have, or may have, what another of their pool did not get.
  returned: success
  type: list
  elements: str
  sample: []
results:
  description:
    - By host, C(status), C(changed), C(unknown) and C(reasons), as reports and schedules use them.
  returned: success
  type: dict
  sample:
    edge01.contoso.com:
      status: in_desired_state
      changed: false
      unknown: []
      reasons: []
failing:
  description:
    - The hosts that are not as they should be; see O(fail_from).
  returned: success
  type: list
  elements: str
  sample: []
lines:
  description:
    - The judgement for people, in lines of at most 79 columns, a verdict first.
  returned: success
  type: list
  elements: str
  sample: ["OK: A/V authentication certificate of 2 Edge Servers."]
msg:
  description:
    - What went wrong, in one sentence.
  returned: on failure
  type: str
  sample: "thumbprint: 'A9' is no thumbprint. Allowed are 40 hexadecimal digits. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: bad_argument
"""
