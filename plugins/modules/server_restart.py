# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: server_restart
short_description: Restart the Lync services of one server, and of no other of its outage domain meanwhile
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - One call is one server's whole restart. It waits for its turn, looks at the other servers of its outage domain,
    marks the server, looks again, drains and stops its services, starts them, waits until the pool is ready, and
    takes the mark away.
  - An outage domain is the servers of which no two may be down at once, the pool's own and those of the pool that it is
    paired with; all Edge Servers of the deployment; the Directors, and the stand-alone Mediation Servers, of a site.
  - The mark is a value below C(HKLM:\SOFTWARE\lync.remediation\Stopping) in the server's registry, which says since
    when, and by whom, on which controller and in which process, the server is being restarted. While a mark stands
    nothing else of the outage domain is stopped, by whichever controller. Of two who mark servers at the same time
    the one on the server whose FQDN sorts first goes on, and the other withdraws.
  - The other servers are asked themselves, by their own variables in the inventory, whether they are in the play or
    not. One that the inventory does not have, or that does not answer, is not known to run, and nothing is stopped.
  - Whatever is not known is refused, and so is a pool that is not ready, that lacks replicas, or that would lose its
    quorum.
options:
  plan:
    description:
      - The C(id) of the plan of this run's restarts, one of the
        RV(lync.remediation.clock_restart_plan#module:restart_plans). The module reads in it what comes before the
        server, and refuses if that did not come to a good end. Without it the server is restarted by itself.
      - O(plan) or O(management_host) is required.
    type: str
  management_host:
    description:
      - An inventory host whose session can read the topology. It tells the pools where there is no O(plan), and what
        the server's own session may not read for want of a second hop.
    type: str
  only_if_restart_pending:
    description:
      - Whether a server is left alone that has no note that a restart is pending
        (M(lync.remediation.restart_note) leaves it).
    type: bool
    default: false
  method:
    description:
      - How the server is taken out. V(failover) with C(Invoke-CsComputerFailOver), V(drain) with
        C(Stop-CsWindowsService). V(auto) fails over Front Ends of pools of several servers where the version has it,
        as its documentation asks for.
    type: str
    choices: [auto, drain, failover]
    default: auto
  graceful:
    description:
      - Whether calls and conferences may end before a service stops.
    type: bool
    default: true
  take_over:
    description:
      - FQDNs of servers whose marks count no more, because whoever made them is known to be gone. The mark of a process
        that died on the same controller needs no mention.
    type: list
    elements: str
    default: []
  accept_fabric_warnings:
    description:
      - Whether a server is stopped although C(Get-CsPoolFabricState) warns of its pool, such as of replicas that are
        missing.
    type: bool
    default: false
  interrupted_wait:
    description:
      - Seconds for which another server must have run without a break if its own restart was interrupted and left its
        mark there, since it may have been told to stop just before.
      - From V(0) to V(604800).
    type: int
    default: 60
  drain_timeout:
    description:
      - Seconds that services may take to stop. Failing over does nothing after that.
      - From V(1) to V(604800).
    type: int
    default: 3600
  start_timeout:
    description:
      - Seconds that services may take to start, and the pool to be ready again.
      - From V(1) to V(604800).
    type: int
    default: 1800
  settle:
    description:
      - Seconds that a pool of Front Ends must have been ready without a break before the task ends.
      - By default 1200 after draining, which is what Microsoft asks for between two upgrade domains of Lync
        Server 2013, and 0 after failing over. Lync Server 2010, and pools of other roles, have no readiness
        to wait for.
      - From V(0) to V(604800).
    type: int
  busy_wait:
    description:
      - Seconds to wait before a pool that is busy is asked again whether it is ready.
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
attributes:
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: partial
    details: It restarts each time, unless O(only_if_restart_pending=true).
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - Failing over and back are one long command each, which may take O(drain_timeout) or O(start_timeout) beyond
    C(ansible_management_shell_command_timeout).
  - What it does is journalled before it is done, as something that cannot be taken back.
seealso:
  - module: lync.remediation.restart_note
  - module: lync.remediation.server_services
  - module: lync.remediation.pool_info
  - name: Stop-CsWindowsService
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/stop-cswindowsservice
  - name: Invoke-CsComputerFailOver
    description: Microsoft's reference of the cmdlet.
    link: https://learn.microsoft.com/powershell/module/skypeforbusiness/invoke-cscomputerfailover
"""

EXAMPLES = r"""
---
- name: Restart a Front End
  lync.remediation.server_restart:
    management_host: pool01.contoso.com

- name: Restart it only if that is still pending
  lync.remediation.server_restart:
    management_host: pool01.contoso.com
    only_if_restart_pending: true

- name: Restart it although its neighbour has the mark of a controller that is gone
  lync.remediation.server_restart:
    management_host: pool01.contoso.com
    take_over: [fe02.contoso.com]

- name: Restart it at once, without waiting for its calls to end, although its pool lacks replicas
  lync.remediation.server_restart:
    management_host: pool01.contoso.com
    graceful: false
    accept_fabric_warnings: true
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
    services: running, restarted
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
    - resource: server_restart
      identity: fe02.contoso.com
      property: services
      current: running
      desired: running, restarted
      severity: high
      reason: Services that are not what they should be take a server out of its pool.
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
  sample: ["Stop-CsWindowsService -Graceful -NoWait -Confirm:$false", "Start-CsWindowsService -NoWait
    -Confirm:$false"]
restore_commands:
  description:
    - The lines that start the services again, where a restart did not come to its end. Empty otherwise; a restart
      cannot be taken back.
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
    after: "services: running, restarted\n"
    before_header: server_restart of fe02.contoso.com
    after_header: server_restart of fe02.contoso.com
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
restart_pending:
  description:
    - The note that a restart is pending, with C(since), C(reason), and C(stopped) once everything has been
      stopped. V(null) without one.
  returned: when the services could be read
  type: dict
  sample: null
peers:
  description:
    - The other servers of the outage domain as they were seen last, each with C(computer), C(running) (V(null) where
      it is not known, which C(trouble) explains), and C(marks), each with C(since), C(controller), C(user) and
      C(process). Empty where nobody had to be asked.
  returned: when the services could be read
  type: list
  elements: dict
  sample:
    - computer: fe01.contoso.com
      running: true
      marks: []
      trouble: null
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
