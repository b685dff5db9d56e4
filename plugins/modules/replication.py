# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: replication
short_description: Wait until changes have reached every server
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Waits until the replicas of the Central Management Store, or the named ones, are up to date, and fails
    with the names of those behind when time is up.
  - Waiting is not a change; only O(force) makes one. In check mode the module reports, and neither forces
    nor waits.
options:
  replicas:
    description:
      - FQDNs of the servers to wait for. Without it, all.
    type: list
    elements: str
    default: []
  force:
    description:
      - Make those replicas that are behind start over before waiting. Replicas that are up to date are left
        alone.
      - This deletes the replica's status and sends it everything; it can take two to three minutes to show,
        and is nothing for every day. A replica that has just been changed is behind for a moment as a
        matter of course, so that waiting without it should be tried first.
    type: bool
    default: false
  since:
    description:
      - What was known of the replicas right before a change, as RV(lync.remediation.replication_info#module:replicas)
        has it. A replica then counts only if it is up to date and its last report is another one than that.
      - A replica may be called up to date by a report that is older than the change. Clocks are not compared.
      - Without it, a replica counts that is up to date and has ever reported.
    type: list
    elements: raw
    default: []
  timeout:
    description:
      - Seconds to wait.
      - From V(1) to V(604800).
    type: int
    default: 300
  interval:
    description:
      - Seconds between two readings.
      - From V(1) to V(86400).
    type: int
    default: 5
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection
notes:
  - Times are those of several servers' clocks. Compare them only after these are known to be right.
  - Making replicas start over is journalled before it is done, as something that cannot be taken back. Waiting is not.
seealso:
  - module: lync.remediation.replication_info
  - name: Get-CsManagementStoreReplicationStatus
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/get-csmanagementstorereplicationstatus
  - name: Invoke-CsManagementStoreReplication
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/invoke-csmanagementstorereplication
"""

EXAMPLES = r"""
---
- name: Wait until every server has the last changes
  lync.remediation.replication:

- name: See what the servers reported last
  lync.remediation.replication_info:
  register: before

- name: Change something
  lync.remediation.external_access_policy:
    enable_public_cloud_access: true
  register: policy

- name: Wait until every server has reported that change
  lync.remediation.replication:
    since: "{{ before.replicas if policy is changed else [] }}"

- name: See who is behind
  lync.remediation.replication_info:
  register: found

- name: Wait up to ten minutes for those, asking every half minute
  lync.remediation.replication:
    replicas: "{{ found.behind }}"
    timeout: 600
    interval: 30

- name: Make replicas that are stuck start over
  lync.remediation.replication:
    force: true
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where all are up to date, V(corrected) where that took O(force), V(drifted) where
      some are behind in check mode or when time was up, V(unknown) where the state could not be read, or O(force) may
      still be at work.
  returned: always
  type: str
  sample: in_desired_state
before:
  description:
    - Who was up to date and who was behind. V(null) where that is not known.
  returned: always
  type: dict
  sample:
    up_to_date: [fe01.contoso.com]
    behind: [edge01.contoso.com]
after:
  description:
    - Who is up to date and who is behind after the wait. V(null) where that is not known.
  returned: always
  type: dict
  sample:
    up_to_date: [fe01.contoso.com, edge01.contoso.com]
    behind: []
drift:
  description:
    - One entry for each replica that was behind.
  returned: always
  type: list
  elements: dict
  sample:
    - resource: replication
      identity: edge01.contoso.com
      property: up_to_date
      current: false
      desired: true
      severity: high
      reason: A server that is behind goes on with the settings as they were before the last changes.
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The Management Shell lines for O(force), for people to read. They were run, or would have been in
      check mode.
  returned: always
  type: list
  elements: str
  sample: ["Invoke-CsManagementStoreReplication -ReplicaFqdn edge01.contoso.com"]
restore_commands:
  description:
    - Always empty. There is nothing to put back.
  returned: always
  type: list
  elements: str
  sample: []
diff:
  description:
    - The differing properties before and after, the same in check mode and in a real run.
  returned: always
  type: dict
  contains:
    before:
      description:
        - One line for each differing property as it was found.
      returned: always
      type: str
    after:
      description:
        - One line for each differing property as it is wanted.
      returned: always
      type: str
    before_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
    after_header:
      description:
        - Names the object and the host.
      returned: always
      type: str
  sample:
    before: "edge01.contoso.com: behind\n"
    after: "edge01.contoso.com: up to date\n"
    before_header: replication on pool01
    after_header: replication on pool01
replicas:
  description:
    - The replicas as they were seen last.
  returned: when they could be read
  type: list
  elements: dict
  contains:
    replica_fqdn:
      description:
        - The server.
      returned: always
      type: str
    up_to_date:
      description:
        - Whether it has the last changes.
      returned: always
      type: bool
    last_status_report:
      description:
        - When it last reported; V(null) if never.
      returned: always
      type: str
    last_update_creation:
      description:
        - When the last update for it was made; V(null) if never.
      returned: always
      type: str
    product_version:
      description:
        - The version that it reported.
      returned: always
      type: str
  sample:
    - replica_fqdn: fe01.contoso.com
      up_to_date: true
      last_status_report: "2026-11-21T08:30:12Z"
      last_update_creation: "2026-11-21T08:30:02Z"
      product_version: 4.0.7577.0
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "After 300 seconds 1 of 2 replicas are still behind: edge01.contoso.com (last report: never)."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: change_failed
error_details:
  description:
    - What the server said, where it refused a command.
  returned: when a command failed on the server
  type: dict
  sample:
    message: Access is denied.
    category: PermissionDenied
    fully_qualified_id: AccessDenied
    exception_type: System.UnauthorizedAccessException
    target: null
    command: Get-CsMediaConfiguration
    causes: []
    native_error_code: null
"""
