# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: restart_note
short_description: Note on a server that a restart of its services is pending
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Leaves a note in the server's registry that its Lync services must be restarted, and takes it back.
    M(lync.remediation.server_restart) takes it away after the restart, and M(lync.remediation.clock_info) shows it.
  - It is made before a clock is repaired, so that whoever comes after an interrupted run finds it there. It says how
    the server stood then; where it still stands so and nothing is wrong, it was made by mistake.
options:
  state:
    description:
      - Whether there is a note.
    type: str
    choices: [present, absent]
    default: present
  reason:
    description:
      - Why a restart is pending, for whoever reads the note. Required with O(state=present).
    type: str
  offset_ms:
    description:
      - The server's clock less the controller's before the repair, in milliseconds.
    type: float
  zone:
    description:
      - The server's time zone before the repair.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
seealso:
  - module: lync.remediation.clock_info
  - module: lync.remediation.server_restart
"""

EXAMPLES = r"""
---
- name: Note that a restart is pending
  lync.remediation.restart_note:
    reason: its clock was +10 min off
    offset_ms: 600004.2
    zone: Central Standard Time

- name: Take the note back
  lync.remediation.restart_note:
    state: absent
"""

RETURN = r"""
---
status:
  description:
    - V(in_desired_state) where nothing had to be done, V(drifted) where check mode found something to do or
      a change did not come about, V(corrected) after a change that was read back, V(unknown) where the
      state could not be read or judged, or a change may still be at work.
  returned: always
  type: str
  sample: corrected
before:
  description:
    - Whether there was a note. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    restart_pending: false
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    restart_pending: true
drift:
  description:
    - Every difference between what was found and what is wanted. Empty in the desired state.
  returned: always
  type: list
  elements: dict
  contains:
    resource:
      description:
        - The module's name.
      returned: always
      type: str
    identity:
      description:
        - The host.
      returned: always
      type: str
    property:
      description:
        - What differs.
      returned: always
      type: str
    current:
      description:
        - What was found.
      returned: always
      type: raw
    desired:
      description:
        - What is wanted.
      returned: always
      type: raw
    severity:
      description:
        - How much the difference matters, one of V(low), V(medium), V(high) and V(critical).
      returned: always
      type: str
    reason:
      description:
        - Why it matters.
      returned: always
      type: str
  sample:
    - resource: restart_note
      identity: fe02.contoso.com
      property: restart_pending
      current: false
      desired: true
      severity: high
      reason: Services that run keep the zone and the tickets of a clock that was put right.
task:
  description:
    - The task's name, its file and its line. Findings of drift that come from this result name it as their origin.
  returned: always
  type: str
  sample: Require encryption, /home/ann/lync/site.yml:12
commands:
  description:
    - The lines that make the change, for people to read. They were run, or would be in check mode.
  returned: always
  type: list
  elements: str
  sample:
    - New-Item -Path 'HKLM:\SOFTWARE\lync.remediation' -Name RestartPending -Force
    - New-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\lync.remediation\RestartPending' -Name Since -Value
      '2026-11-21T09:00:00Z' -PropertyType String -Force
    - New-ItemProperty -LiteralPath 'HKLM:\SOFTWARE\lync.remediation\RestartPending' -Name Reason -Value 'its clock was
      +10 min off' -PropertyType String -Force
restore_commands:
  description:
    - Always empty; the module's other O(state) takes the change back.
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
    before: "restart_pending: false\n"
    after: "restart_pending: true\n"
    before_header: restart_note of fe02.contoso.com
    after_header: restart_note of fe02.contoso.com
computer:
  description:
    - The server's name with its DNS suffix.
  returned: when the registry could be read
  type: str
  sample: fe02.contoso.com
restart_pending:
  description:
    - The note as it stands, with C(since), C(reason), C(stopped), C(offset_ms) and C(zone). V(null) without one.
  returned: when the registry could be read
  type: dict
  sample: null
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "reason: state: present needs the reason why a restart is pending. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: unusable_argument
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
    command: Get-ItemProperty
    causes: []
    native_error_code: null
"""
