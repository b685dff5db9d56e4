# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: clock_info
short_description: Measure a server's clock, and read what sets it
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Measures the offset of a server's clock against the controller's, with its uncertainty, by NTP's method
    over the open session. However the delay is spread over the way there and back, the true offset is
    within the uncertainty.
  - Reads the time zone, the configuration of W32Time that is in force, and how it stands with its source,
    in whatever language the server speaks.
  - A part that cannot be found out is V(null), and RV(trouble) says why; the others are returned all the
    same.
options:
  ntp_servers:
    description:
      - Time servers that the server is to compare its own clock with, by name or address.
    type: list
    elements: str
    default: []
  samples:
    description:
      - How often the server is asked for its time. What all answers together allow is the result, so more make it
        narrower.
      - From V(1) to V(1000).
    type: int
    default: 8
  precise_to_ms:
    description:
      - How well the offset must be known, in milliseconds. While it is known less well, as of a server that is busy and
        answers late, it is asked again, up to four times O(samples) more.
      - From V(0.001) to V(3600000).
    type: float
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection.server
notes:
  - M(lync.remediation.clock_judgement) says what the clocks of a whole deployment mean together.
seealso:
  - module: lync.remediation.clock
  - module: lync.remediation.time_service
  - module: lync.remediation.time_zone
  - module: lync.remediation.clock_judgement
  - name: Windows Time service tools and settings
    description: Microsoft's reference of W32Time, its registry and w32tm.
    link: https://learn.microsoft.com/windows-server/networking/windows-time-service/windows-time-service-tools-and-settings
"""

EXAMPLES = r"""
---
- name: Measure, and ask a time server as well
  lync.remediation.clock_info:
    ntp_servers: [ntp1.contoso.com]
  register: clock

- name: Say how far off the server is
  ansible.builtin.debug:
    msg: "{{ clock.computer }}: {{ clock.offset_ms }} ms ± {{ clock.uncertainty_ms }} ms"
"""

RETURN = r"""
---
computer:
  description:
    - The server's name with its DNS suffix, as the topology knows it. V(null) where it could not be read.
  returned: always
  type: str
  sample: fe02.contoso.com
offset_ms:
  description:
    - The server's clock less the controller's, in milliseconds. V(null) where it could not be measured.
  returned: always
  type: float
  sample: 3600402.118
uncertainty_ms:
  description:
    - The true offset is no farther from RV(offset_ms) than this. V(null) where it could not be measured.
  returned: always
  type: float
  sample: 11.204
jumped_ms:
  description:
    - By how much, at least, a clock was set while it was measured. It is then measured once more;
      RV(offset_ms) is what it was since, or V(null) if it was set again. V(null) where nothing like that was
      noticed.
  returned: always
  type: float
  sample: null
time_zone:
  description:
    - The zone that is set. V(null) where it could not be read.
  returned: always
  type: dict
  contains:
    zone:
      description:
        - Its Windows id, as M(lync.remediation.time_zone) takes it.
      returned: always
      type: str
    daylight_saving:
      description:
        - Whether the clock follows daylight saving time.
      returned: always
      type: bool
    utc_offset_minutes:
      description:
        - What the zone adds to UTC now.
      returned: always
      type: int
    hardware_clock_in_utc:
      description:
        - Whether Windows takes the hardware's clock for UTC. Where the host of a virtual machine sees that
          otherwise, the clock is off by the zone's offset after every start.
      returned: always
      type: bool
  sample:
    zone: Mountain Standard Time
    daylight_saving: true
    utc_offset_minutes: -420
    hardware_clock_in_utc: false
time_service:
  description:
    - The configuration of W32Time in force, with the options of M(lync.remediation.time_service), each V(null)
      where the registry has no value. One that has the wrong kind or makes no sense is shown as it stands, and
      RV(trouble) says what is wrong with it. C(triggers) start and stop the service, in the words of C(sc.exe).
      V(null) as a whole where it could not be read.
  returned: always
  type: dict
  sample:
    type: domain_hierarchy
    peers: []
    special_poll_interval: 3600
    min_poll_interval: 10
    max_poll_interval: 15
    max_pos_phase_correction: 4294967295
    max_neg_phase_correction: 4294967295
    ntp_client: true
    ssl_time_data: false
    vm_provider: true
    triggers: [start/domainjoin, stop/domainleave]
    start_mode: automatic
    service_state: started
policies:
  description:
    - By option, the value of a group policy that takes precedence over the server's own.
  returned: always
  type: dict
  sample: {}
synchronisation:
  description:
    - How W32Time stands with its source. V(null) where it does not run, or does not tell.
  returned: always
  type: dict
  contains:
    synchronised:
      description:
        - Whether the clock follows anything but itself.
      returned: always
      type: bool
    source:
      description:
        - What it follows, as the server names it.
      returned: always
      type: str
    stratum:
      description:
        - How many steps it is from a reference clock.
      returned: always
      type: int
    seconds_since_last_sync:
      description:
        - How long ago the source last set the clock. V(null) if never, or if this Windows does not tell.
      returned: always
      type: float
    last_sync_error:
      description:
        - What the last attempt failed with. V(null) if it did not fail.
      returned: always
      type: str
    root_dispersion_ms:
      description:
        - How far off the clock may be by W32Time's own reckoning.
      returned: always
      type: float
  sample:
    synchronised: true
    source: dc01.contoso.com
    stratum: 3
    seconds_since_last_sync: 15.734
    last_sync_error: null
    root_dispersion_ms: 10.0
ntp_servers:
  description:
    - For each of O(ntp_servers), the server's clock less the time server's as the server sees it (C(offset_ms)), and
      the C(address) behind its name. C(offset_ms) is V(null) where it did not answer, and C(errors) has the codes;
      C(unknown_host) says whether its name could not be resolved.
  returned: always
  type: list
  elements: dict
  sample:
    - name: ntp1.contoso.com
      address: 192.0.2.101
      offset_ms: 3600401.3
      unknown_host: false
      errors: []
sources:
  description:
    - The time servers that the server follows by itself, in the form of RV(ntp_servers).
  returned: always
  type: list
  elements: dict
  sample: []
domain_controller:
  description:
    - The PDC emulator of the domain that the server follows, in the form of RV(ntp_servers). V(null) where it follows
      none, or the PDC emulator could not be found with C(nltest) on the server, nor by DNS from the controller, which
      takes dnspython.
  returned: always
  type: dict
  sample:
    name: dc01.contoso.com
    address: 192.0.2.10
    offset_ms: 3600402.0
    unknown_host: false
    errors: []
restart_pending:
  description:
    - The note of M(lync.remediation.restart_note) that a restart of the services is pending, with C(since),
      C(reason), C(stopped), and how the server stood then (C(offset_ms), C(zone)). V(null) without one, or where that
      could not be read, which RV(trouble) then says.
  returned: always
  type: dict
  sample: null
running:
  description:
    - Whether the Lync services run, of a server that has such a note. V(null) of others, and where it is not known.
  returned: always
  type: bool
  sample: null
trouble:
  description:
    - What could not be found out, and why. A clock that jumped while it was measured is mentioned here, too.
  returned: always
  type: list
  elements: str
  sample: []
status:
  description:
    - V(unknown), as the state could not be read.
  returned: when reading failed
  type: str
  sample: unknown
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "The name 'fe02.contoso.com' cannot be resolved. Check ansible_host in the inventory, and this
    machine's DNS."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: value_not_allowed
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
