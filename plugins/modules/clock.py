# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock
short_description: Put a server's clock right, and prove it
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Measures a server's clock against the controller's. Where it is off by more than O(max_offset_ms),
    W32Time is made to find its source again and to synchronise, and the clock is measured until it is
    right or time is up.
  - A clock that is set by something else while it is measured is measured once more, with a warning. One that
    does not keep still is left alone.
  - An error that is larger than W32Time's correction limit is set at once where O(allow_step) says so, and
    it is certain which clock is right; else the module fails and changes nothing.
  - It does not configure W32Time; M(lync.remediation.time_service) does.
options:
  max_offset_ms:
    description:
      - How far the clock may be off, in milliseconds. An error counts where it is larger by more than the
        uncertainty of the measurement.
      - From V(1) to V(3600000).
    type: float
    default: 1000
  reference_offset:
    description:
      - The right time less the controller's, in seconds, where the controller's clock is known to be wrong.
      - From V(-3153600000) to V(3153600000).
    type: float
    default: 0
  reference_confirmed:
    description:
      - Whether another clock than the controller's has been found to agree with it, as
        M(lync.remediation.clock_judgement) tells.
    type: bool
    default: false
  ntp_server:
    description:
      - A time server that the server can ask. Before the clock is set at once it must agree that the clock
        is wrong, and by how much.
    type: str
  allow_step:
    description:
      - Whether an error larger than the correction limit may be corrected at once with C(Set-Date).
      - This needs O(ntp_server), or O(reference_confirmed=true).
    type: bool
    default: false
  purge_tickets:
    description:
      - Whether Kerberos tickets of the session and of the computer, which bear the wrong time, are thrown
        away after a correction.
    type: bool
    default: true
  samples:
    description:
      - How often the server is asked for its time in each measurement. What all answers together allow is the
        result, so more make it narrower.
      - From V(1) to V(1000).
    type: int
    default: 8
  timeout:
    description:
      - Seconds to wait for the clock to come nearer to the right time after W32Time was made to synchronise. A small
        error, which W32Time corrects little by little instead of at once, is waited for as long as it takes.
      - From V(0) to V(604800).
    type: int
    default: 300
  interval:
    description:
      - Seconds between two measurements while waiting.
      - From V(1) to V(86400).
    type: int
    default: 5
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - The correction is journalled before it is made, as one that cannot be taken back.
seealso:
  - module: lync.remediation.clock_info
  - module: lync.remediation.time_service
  - name: Windows Time service tools and settings
    description: Microsoft's reference of W32Time, its registry and w32tm.
    link: https://learn.microsoft.com/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings
"""

EXAMPLES = r"""
---
- name: Put the clock right
  lync.remediation.clock:

- name: Put the clock of an Edge Server right that is days off, if a time server agrees that it is
  lync.remediation.clock:
    allow_step: true
    ntp_server: ntp1.contoso.com
    purge_tickets: false
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
    - Whether the clock was off by more than O(max_offset_ms). V(null) where it could not be measured.
  returned: always
  type: dict
  sample:
    offset: more than 1.0 s
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    offset: at most 1.0 s
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
    - resource: clock
      identity: fe02.contoso.com
      property: offset
      current: more than 1.0 s
      desired: at most 1.0 s
      severity: critical
      reason: Clocks that differ break sign-in, signed requests to the Edge Server and A/V authentication.
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
  sample: ["w32tm /resync /rediscover", "klist purge", "klist -li '0x3e7' purge", "klist -li '0x3e4' purge"]
restore_commands:
  description:
    - Always empty. A clock that was wrong is not made wrong again.
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
    before: "offset: more than 1.0 s\n"
    after: "offset: at most 1.0 s\n"
    before_header: clock of fe02.contoso.com
    after_header: clock of fe02.contoso.com
offset_ms:
  description:
    - How far the clock is off, in milliseconds, as it was measured last; positive where it is ahead.
  returned: when the clock could be measured
  type: float
  sample: 4.318
uncertainty_ms:
  description:
    - The true offset is no farther from RV(offset_ms) than this.
  returned: when the clock could be measured
  type: float
  sample: 9.871
stepped:
  description:
    - Whether the clock was set at once, or would be.
  returned: when the clock could be measured
  type: bool
  sample: false
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "The clock of edge01.contoso.com is -2 d 3 h off, and W32Time corrects no more than 15 h 0 min
    there, so that it will not put it right. With allow_step: true the clock is set at once, if it is
    certain which clock is right. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: refused
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
    command: Set-Date
    causes: []
    native_error_code: null
"""
