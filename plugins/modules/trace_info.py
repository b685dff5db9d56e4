# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: trace_info
short_description: Find out what traces say, and which playbook addresses it
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Reads logs of clients (C(.uccapilog)), server traces as text of OCSLogger and Snooper, and the output of the
    Centralized Logging Service, and returns findings. Each has its meaning, its time, who called whom, how often, the
    lines that prove it, how sure it is, and the command that addresses it, if this collection has one.
  - It works on files on the controller and asks no server, so that it runs on V(localhost) over any connection.
  - Files are read as a stream in bounded memory. They may be in UTF-8 or UTF-16, packed with gzip or ZIP, rotated, or
    cut off anywhere.
  - Numbers that look alike are kept apart. V(488) with V(52017) is about encryption, with V(52035) it is not. What the
    catalogue does not know is listed and never interpreted.
  - That a trace has no finding proves nothing. Servers leave records out when there are many, and what could not be
    read is listed in RV(problems).
options:
  paths:
    description:
      - Files and folders on the controller. Of a folder everything in it is read, with its subfolders.
      - Give the traces of several servers at once to have their clocks compared.
    type: list
    elements: path
    required: true
  utc_offset:
    description:
      - How far the times in these files are ahead of UTC, as V(+01:00), V(-05:00) or V(UTC). Traces do not say it.
      - Without it times are taken for UTC, as Centralized Logging seems to write them, and their uncertainty says so.
    type: str
  evidence:
    description:
      - How many records are shown as proof of each finding.
      - From V(1) to V(20).
    type: int
    default: 3
  mask:
    description:
      - Whether to replace people's SIP and mail addresses, their domains, names in front of addresses, telephone
        numbers, accounts and network addresses by pseudonyms, the same by the same in the whole result. Names of
        servers stay, and so do domains that stand alone.
    type: bool
    default: false
attributes:
  action:
    description: The module runs in an action plugin on the controller.
    support: full
  async:
    description: Whether the task can run in the background with C(async).
    support: none
  become:
    description: Whether C(become) can be used. Files are read as the account that runs Ansible.
    support: none
  platform:
    description: What the module reads traces of.
    support: full
    details: Lync Server 2010 and 2013, Skype for Business Server 2015 and 2019, and Subscription Edition.
    platforms: windows
extends_documentation_fragment:
  - lync.remediation.attributes.info
  - lync.remediation.action_group
seealso:
  - module: lync.remediation.central_logging_info
  - module: lync.remediation.clock_info
  - module: lync.remediation.federation_info
"""

EXAMPLES = r"""
---
- name: Read the traces of a Front End and an Edge Server
  lync.remediation.trace_info:
    paths:
      - traces/fe01.txt
      - traces/edge01.txt.gz
    utc_offset: UTC
  delegate_to: localhost
  register: traces

- name: Show what to do
  ansible.builtin.debug:
    msg: "{{ traces.findings | map(attribute='remedy') | select | unique }}"

- name: Read a client's log, for somebody who must not see whose it is
  lync.remediation.trace_info:
    paths: [traces/Lync-UccApi-0.UccApilog]
    mask: true
  delegate_to: localhost
"""

RETURN = r"""
---
findings:
  description:
    - What was found, the likely cause first.
  returned: success
  type: list
  elements: dict
  contains:
    id:
      description:
        - The number or the result code in the trace; V(mras_expired), V(mras_timed_out), V(transaction_timed_out) and
          V(referrer_signature) for what a whole record tells; V(clock_difference) for what two servers tell.
      returned: always
      type: str
    family:
      description:
        - What it belongs to. One of V(encryption), V(clock), V(av_authentication), V(certificate), V(federation),
          V(ice) and V(other).
      returned: always
      type: str
    meaning:
      description:
        - What it says.
      returned: always
      type: str
    causes:
      description:
        - What is behind it, the most likely first.
      returned: always
      type: list
      elements: str
    confidence:
      description:
        - How sure that is, V(high), V(medium) or V(low).
      returned: always
      type: str
    supported_by:
      description:
        - The other findings that made it surer.
      returned: always
      type: list
      elements: str
    remedy:
      description:
        - The command to paste, a dry run or one that reads. V(null) where this collection has none.
      returned: always
      type: str
    count:
      description:
        - How many calls have it. Records without a Call-ID count each.
      returned: always
      type: int
    records:
      description:
        - How many records have it, the same one in overlapping searches once.
      returned: always
      type: int
    first:
      description:
        - When it was first recorded, in UTC; V(null) where no record has a time.
      returned: always
      type: str
    last:
      description:
        - When it was last recorded.
      returned: always
      type: str
    uncertainty_seconds:
      description:
        - How far these times may be off, by a zone that is not stated and by measured differences of clocks.
      returned: always
      type: float
    servers:
      description:
        - Whose records have it, by the records' own names of servers, or else the files'.
      returned: always
      type: list
      elements: str
    edge:
      description:
        - The Edge Server or pool that was asked for A/V credentials.
      returned: always
      type: str
    participants:
      description:
        - Who to whom, the ten most frequent pairs.
      returned: always
      type: list
      elements: dict
      contains:
        from:
          description:
            - The caller.
          returned: always
          type: str
        to:
          description:
            - The callee.
          returned: always
          type: str
        count:
          description:
            - How many calls.
          returned: always
          type: int
    attributes:
      description:
        - What stands behind the number in the first record, with names in lower case.
      returned: always
      type: dict
    evidence:
      description:
        - The first records that prove it.
      returned: always
      type: list
      elements: dict
      contains:
        file:
          description:
            - The file, and behind an exclamation mark the member of an archive.
          returned: always
          type: str
        line:
          description:
            - The line at which the record begins.
          returned: always
          type: int
        lines:
          description:
            - The lines of the record that matter.
          returned: always
          type: list
          elements: str
  sample:
    - id: "52017"
      family: encryption
      meaning: One side insists on encrypted media (SRTP), the other cannot or must not encrypt.
      causes:
        - a media configuration with EncryptionLevel RequireEncryption is in force for the Lync user
      confidence: high
      supported_by: []
      remedy: ansible-playbook -i inventory lync.remediation.enable_windows_live_av_federation --check --diff
      count: 1
      records: 1
      first: "2012-01-18T05:00:43.101Z"
      last: "2012-01-18T05:00:43.101Z"
      uncertainty_seconds: 50400
      servers: [fe01]
      edge: null
      participants:
        - from: kenmyer@contoso.com
          to: pilar@example.net
          count: 1
      attributes:
        reason: Encryption levels dont match
      evidence:
        - file: traces/fe01.txt
          line: 1
          lines: ['ms-client-diagnostics: 52017;reason="Encryption levels dont match"']
complete:
  description:
    - Whether everything could be read to its end.
  returned: success
  type: bool
problems:
  description:
    - What could not be read, or not to its end, and why. One sentence each.
  returned: success
  type: list
  elements: str
files:
  description:
    - Every file, and every member of an archive.
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description:
        - The file.
      returned: always
      type: str
    kind:
      description:
        - V(server_trace), V(client_log) or V(excerpt), which are records without their first lines. V(null) where it is
          none of them.
      returned: always
      type: str
    examined:
      description:
        - Whether findings were looked for in it.
      returned: always
      type: bool
    problem:
      description:
        - What is wrong with it; V(null) where nothing is.
      returned: always
      type: str
    bytes:
      description:
        - How much was read, unpacked and in UTF-8.
      returned: always
      type: int
    first:
      description:
        - The earliest time seen in it, in UTC.
      returned: always
      type: str
    last:
      description:
        - The latest time seen in it.
      returned: always
      type: str
    date_order:
      description:
        - In which order it writes year, month and day, V(mdy), V(dmy) or V(ymd).
      returned: always
      type: str
    date_order_known:
      description:
        - Whether a number that cannot be a month proves that order. Without a proof it is the order in which the file
          spans fewer days, or else the American one, which is the only one that has been seen.
      returned: always
      type: bool
    notes:
      description:
        - What else is remarkable, such as times that step back.
      returned: always
      type: list
      elements: str
clock_differences:
  description:
    - The differences of servers' clocks, by their records of the same messages.
  returned: success
  type: list
  elements: dict
  contains:
    server:
      description:
        - One of the two servers.
      returned: always
      type: str
    reference:
      description:
        - The other server, which it is compared with.
      returned: always
      type: str
    offset_seconds:
      description:
        - How far RV(clock_differences[].server) is ahead; negative where it is behind.
      returned: always
      type: float
    uncertainty_seconds:
      description:
        - How far that may be off. V(null) where messages were seen in one direction only, so that the offset is at most
          this.
      returned: always
      type: float
    messages:
      description:
        - How many messages it was taken from.
      returned: always
      type: int
    may_be_zone:
      description:
        - Whether the traces may only write their times in different zones, as the difference is close to whole
          quarters of an hour.
      returned: always
      type: bool
uncatalogued:
  description:
    - Numbers of diagnostics that are not in the catalogue.
  returned: success
  type: list
  elements: dict
  contains:
    field:
      description:
        - V(diagnostics) or V(client_diagnostics), by who wrote it.
      returned: always
      type: str
    code:
      description:
        - The number.
      returned: always
      type: int
    records:
      description:
        - How many records have it.
      returned: always
      type: int
all_calls_counted:
  description:
    - Whether every call was counted. Beyond 100 000 calls with findings RV(findings[].count) is a least count.
  returned: success
  type: bool
time_zone_known:
  description:
    - Whether O(utc_offset) says what the times are.
  returned: success
  type: bool
lines:
  description:
    - What was found, for people, in lines of at most 79 columns; commands to paste and lines of traces are not broken.
  returned: success
  type: list
  elements: str
status:
  description:
    - V(unknown), as nothing could be read.
  returned: on failure
  type: str
  sample: unknown
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: unusable_argument
"""
