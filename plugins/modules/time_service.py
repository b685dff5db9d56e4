# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: time_service
short_description: Configure W32Time, which sets a server's clock
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Configures the Windows Time service by its registry and C(w32tm /config), registers it where it is
    missing, starts and stops it.
  - Options that are not given are left as they are.
  - What a group policy sets takes precedence over the server's own values. If a policy wants something else than the
    task, the task fails and names the policy's value; nothing is changed.
options:
  type:
    description:
      - Whom the clock follows. V(domain_hierarchy) is for members of a domain (NT5DS), V(manual) for
        O(peers) (NTP), V(all) for both (AllSync), V(none) for nobody (NoSync).
    type: str
    choices: [domain_hierarchy, manual, all, none]
  peers:
    description:
      - The time servers to follow, all of them; others that the server has are removed. Their order means
        nothing. Microsoft advises three or more.
    type: list
    elements: dict
    suboptions:
      host:
        description:
          - Name or address.
        type: str
        required: true
      flags:
        description:
          - V(client) asks it as a client does (0x8). V(special_interval) asks it every
            O(special_poll_interval) seconds (0x1). V(use_as_fallback_only) asks it when the others do not
            answer (0x2). V(symmetric_active) is for peers that correct each other (0x4).
        type: list
        elements: str
        choices: [special_interval, use_as_fallback_only, symmetric_active, client]
        default: [client]
  special_poll_interval:
    description:
      - How many seconds lie between two questions to peers with V(special_interval), 1 or more.
    type: int
  min_poll_interval:
    description:
      - The shortest time between two questions, as a power of two in seconds, V(0) to V(17); V(10) is 1024 seconds.
    type: int
  max_poll_interval:
    description:
      - The longest time between two questions, like O(min_poll_interval) and not less than that; V(15) is 32768
        seconds.
    type: int
  max_pos_phase_correction:
    description:
      - How many seconds the clock is put forward at most. A larger error is only logged. V(4294967295) sets
        no limit.
      - Windows sets 54000, fifteen hours, on a server that is in no domain, as Edge Servers are.
    type: int
  max_neg_phase_correction:
    description:
      - How many seconds the clock is put back at most, like O(max_pos_phase_correction).
    type: int
  vm_provider:
    description:
      - Whether the clock follows the host of a Hyper-V virtual machine. Members of a domain should not.
      - Other computers have nothing to switch on; there V(true) is an error.
    type: bool
  ntp_client:
    description:
      - Whether W32Time asks time servers, its own or the domain's, at all. Windows has this on.
    type: bool
  ssl_time_data:
    description:
      - Whether Windows may set the clock by the times that the other ends of TLS connections give (the registry's
        C(UtilizeSslTimeData)). It is on by default before Windows Server 2025, and can set a clock far wrong.
    type: bool
  start_without_domain:
    description:
      - Whether W32Time is to run after the next start of a server that is in no domain, as Edge Servers are. Windows'
        own triggers start it when the server joins a domain, and without one stop it right after Windows has started,
        also where O(start_mode=automatic) (Microsoft's KB 2385818).
      - Then triggers that wait for a domain are replaced by those of the network, where the service follows only
        O(peers), and the task asks for O(type=manual), O(start_mode=automatic) or O(service_state=started). Members of
        a domain for which that is done start it with the network as well.
    type: bool
    default: true
  start_mode:
    description:
      - How Windows starts the service.
    type: str
    choices: [automatic, manual, disabled]
  service_state:
    description:
      - Whether the service runs now. One that is disabled cannot be V(started); ask for another O(start_mode) as
        well.
    type: str
    choices: [started, stopped]
  timeout:
    description:
      - Seconds that the service may take to start or to stop. Windows itself waits without end.
      - From V(1) to V(604800).
    type: int
    default: 120
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.changing
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - O(type=domain_hierarchy) and O(vm_provider) need a restart of W32Time, which the module does.
  - The change is journalled before it is made, and can be taken back from there. What the module's options cannot say,
    such as a value of the registry that did not exist, only RV(restore_commands) puts back.
seealso:
  - module: lync.remediation.clock
  - module: lync.remediation.clock_info
  - name: Windows Time service tools and settings
    description: Microsoft's reference of W32Time, its registry and w32tm.
    link: https://learn.microsoft.com/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings
"""

EXAMPLES = r"""
---
- name: Give an Edge Server its time servers, and let it correct any error
  lync.remediation.time_service:
    type: manual
    peers:
      - host: ntp1.contoso.com
      - host: ntp2.contoso.com
      - host: ntp3.contoso.com
        flags: [client, use_as_fallback_only]
    max_pos_phase_correction: 4294967295
    max_neg_phase_correction: 4294967295
    start_mode: automatic
    service_state: started

- name: Let a Front End follow its domain and not its virtual machine's host
  lync.remediation.time_service:
    type: domain_hierarchy
    vm_provider: false
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
    - The options that were given, as they were in force, and C(triggers) where O(start_without_domain) wants others.
      V(null) where they are not known. A value of the registry that
      has the wrong kind or makes no sense is shown as it stands, and differs from whatever is asked for.
  returned: always
  type: dict
  sample:
    type: domain_hierarchy
    service_state: started
after:
  description:
    - What RV(before) has become, or would become. V(null) where it is not known.
  returned: always
  type: dict
  sample:
    type: manual
    service_state: started
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
    - resource: time_service
      identity: fe02.contoso.com
      property: type
      current: domain_hierarchy
      desired: manual
      severity: high
      reason: Decides whom the clock follows; an Edge Server in a workgroup has no domain to follow.
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
  sample: ["w32tm /config /syncfromflags:manual /update"]
restore_commands:
  description:
    - The lines that would put back what was there before, for people to read. Empty where nothing changes.
  returned: always
  type: list
  elements: str
  sample: ["w32tm /config /syncfromflags:domhier /update", "Restart-Service -Name W32Time -Force"]
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
    before: "type: domain_hierarchy\n"
    after: "type: manual\n"
    before_header: time_service of fe02.contoso.com
    after_header: time_service of fe02.contoso.com
msg:
  description:
    - What went wrong, and what has become of the server.
  returned: on failure
  type: str
  sample: "A group policy decides: type is domain_hierarchy by
    HKLM:\\SOFTWARE\\Policies\\Microsoft\\W32Time\\Parameters\\Type, and manual was asked for. Change the
    policy, or ask for what it says. Nothing has been changed."
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
    command: New-ItemProperty
    causes: []
    native_error_code: null
"""
