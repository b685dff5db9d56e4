# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_services
short_description: Start and stop a server's Lync services without breaking its pool
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Starts and stops the Lync services of one computer, or fails it over and back where the version can. To restart
    them is for M(lync.remediation.server_restart).
  - Before anything is stopped the module reads the state of the pool. It refuses to stop a server while another
    server of the pool is down or not known to run, where the pool's quorum would be lost, and where the
    pool says that it is not ready.
  - What is stopped is drained first. What is started must be up, and after failing back its pool be ready again, before
    the task ends.
options:
  state:
    description:
      - V(running) starts what should run. V(stopped) drains and stops everything.
      - V(failed_over) moves users away, stops the services and disables them, and V(failed_back) takes that
        back. Both need Skype for Business Server 2015 or later.
    type: str
    choices: [running, stopped, failed_over, failed_back]
    default: running
  graceful:
    description:
      - Whether calls and conferences may end before a service stops.
    type: bool
    default: true
  pool_state:
    description:
      - The pool as P(lync.remediation.pool_state#filter) put it together a moment ago. Older than two
        minutes it is refused.
      - Without it the module asks the pool itself, which needs a second hop over WinRM, and is not possible on an
        Edge Server.
    type: dict
  drain_timeout:
    description:
      - Seconds that services may take to stop. Failing over does nothing after that.
      - From V(1) to V(604800).
    type: int
    default: 3600
  start_timeout:
    description:
      - Seconds that services may take to start, and with O(state=failed_back) the pool to be ready again.
      - From V(1) to V(604800).
    type: int
    default: 1800
  settle:
    description:
      - Seconds that a pool of Front Ends must have been ready without a break before O(state=failed_back) ends.
      - From V(0) to V(604800).
    type: int
    default: 0
  busy_wait:
    description:
      - Seconds to wait before a pool that is busy is asked again whether it is ready. With O(pool_state),
        which is too old then, a busy pool is refused at once.
      - From V(0) to V(604800).
    type: int
    default: 600
  busy_tries:
    description:
      - How many times in a row a pool may be busy before it counts as not well.
      - From V(1) to V(1000).
    type: int
    default: 3
  interval:
    description:
      - Seconds between two readings while waiting.
      - From V(1) to V(86400).
    type: int
    default: 10
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - Failing over and back are one long command each, which may take O(drain_timeout) or O(start_timeout) beyond
    C(ansible_management_shell_command_timeout).
  - Run it on one server of a pool at a time. Two tasks that ask at the same moment both see a healthy
    pool; M(lync.remediation.server_restart) marks the server first, and sees the other.
  - A server that M(lync.remediation.server_restart) is at work on is not stopped.
  - What it does is journalled before it is done, as something that cannot be taken back.
seealso:
  - module: lync.remediation.server_restart
  - module: lync.remediation.pool_info
  - plugin: lync.remediation.pool_state
    plugin_type: filter
  - name: Stop-CsWindowsService
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/stop-cswindowsservice
  - name: Invoke-CsComputerFailOver
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/invoke-cscomputerfailover
"""

EXAMPLES = r"""
---
- name: Drain a Front End, and stop it
  lync.remediation.server_services:
    state: stopped

- name: Start it again
  lync.remediation.server_services:
    state: running

- name: Stop it at once, without waiting for its calls to end
  lync.remediation.server_services:
    state: stopped
    graceful: false
    drain_timeout: 600
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
    - What the services did. V(null) where that is not known.
  returned: always
  type: dict
  sample:
    services: running
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    services: stopped
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
    - resource: server_services
      identity: fe02.contoso.com
      property: services
      current: running
      desired: stopped
      severity: high
      reason: Services that are not what they should be take a server out of its pool, or keep it in.
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
  sample: ["Stop-CsWindowsService -Graceful -NoWait -Confirm:$false"]
restore_commands:
  description:
    - The lines that start the services again, where stopping them did not come to its end. Empty otherwise.
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
    before: "services: running\n"
    after: "services: stopped\n"
    before_header: server_services of fe02.contoso.com
    after_header: server_services of fe02.contoso.com
computer:
  description:
    - The computer, as the topology knows it.
  returned: when the services could be read
  type: str
  sample: fe02.contoso.com
services:
  description:
    - The state of each service as it was seen last. Empty where that is not known.
  returned: when the services could be read
  type: dict
  sample: {RTCSRV: Running, RTCAVMCU: Running}
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "fe02.contoso.com is not stopped: fe03.contoso.com is down, and only one server of a pool may be
    down at a time. Nothing has been changed."
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
    command: Stop-CsWindowsService
    causes: []
    native_error_code: null
"""
