# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: time_zone
short_description: Set a server's time zone
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Sets the time zone of a server by its Windows id, such as V(W. Europe Standard Time).
  - A zone that the server does not offer is refused before anything is changed, with the right id where the
    text is near to one, or is an IANA name such as V(Europe/Berlin).
  - The server's UTC does not change with its zone. Whether that is right is a matter of
    M(lync.remediation.clock).
options:
  zone:
    description:
      - The Windows id. Case does not matter.
    type: str
    required: true
  daylight_saving:
    description:
      - Whether the clock follows daylight saving time where the zone has it. Unset, that is left as it is.
    type: bool
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - Lync services that run keep the zone they were started with. M(lync.remediation.server_restart)
    restarts them.
  - The change is journalled before it is made, and can be taken back from there.
seealso:
  - module: lync.remediation.clock
  - module: lync.remediation.clock_info
  - module: lync.remediation.server_restart
"""

EXAMPLES = r"""
---
- name: Put the zone right that somebody flipped
  lync.remediation.time_zone:
    zone: Central Standard Time
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
    - The zone that was found, with the options of this module. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    zone: Mountain Standard Time
    daylight_saving: true
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    zone: Central Standard Time
    daylight_saving: true
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
    - resource: time_zone
      identity: fe02.contoso.com
      property: zone
      current: Mountain Standard Time
      desired: Central Standard Time
      severity: high
      reason: A wrong zone makes people and programs set the clock wrong.
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
  sample: ["tzutil /s 'Central Standard Time'"]
restore_commands:
  description:
    - The line that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["tzutil /s 'Mountain Standard Time'"]
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
    before: "zone: Mountain Standard Time\n"
    after: "zone: Central Standard Time\n"
    before_header: time_zone of fe02.contoso.com
    after_header: time_zone of fe02.contoso.com
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "zone: 'Europe/Berlin' is an IANA name, and Windows has its own. Did you mean 'W. Europe Standard
    Time'?"
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
