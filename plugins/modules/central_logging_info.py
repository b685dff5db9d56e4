# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: central_logging_info
short_description: Search Centralized Logging, and find out what its records mean
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Searches the Centralized Logging Service of Lync Server 2013 and later with C(Search-CsClsLogging), and returns
    findings as M(lync.remediation.trace_info) does for files. What the cmdlet finds is taken from its output, so
    that no file is written to a server, and the session at C(/OcsPowershell) suffices.
  - Two searches are made, both in the component SIPStack. One takes what servers have recorded as a warning or
    worse, the other the messages that carry a diagnostic.
  - Where both bring nothing, a third one takes any record of the last two minutes, which shows that something is
    logged.
  - A search that takes longer than C(ansible_management_shell_command_timeout) is stopped. What it had found by
    then is read, and RV(problems) says so.
  - Lync Server 2010 has no Centralized Logging Service. There the module returns in RV(steps) what to do instead.
  - That nothing is found proves nothing. Logging may not be running, servers leave records out when there are many,
    and what could not be searched is listed in RV(problems).
options:
  pools:
    description:
      - The pools to search, by FQDN. With neither this nor O(computers) all servers of the topology are searched.
    type: list
    elements: str
    default: []
  computers:
    description:
      - The computers to search, by FQDN, in addition to the pools.
    type: list
    elements: str
    default: []
  minutes:
    description:
      - How many minutes to look back from now by the controller's clock. Records of a server whose clock is ahead are
        found as well; for one whose clock is behind, look back as much further.
      - From V(1) to V(1440).
    type: int
    default: 60
  clocks:
    description:
      - What M(lync.remediation.clock_judgement) returned. Where clocks are behind, the search looks back further, by as
        much as the slowest of them, up to a day.
    type: dict
    default: {}
  utc_offset:
    description:
      - How far the times in the records are ahead of UTC, as V(+01:00), V(-05:00) or V(UTC).
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
        numbers, accounts and network addresses by pseudonyms, the same by the same in the whole result.
    type: bool
    default: false
extends_documentation_fragment:
  - lync.remediation.attributes
  - lync.remediation.attributes.info
  - lync.remediation.action_group
  - lync.remediation.connection
seealso:
  - module: lync.remediation.trace_info
notes:
  - Searching takes the role CsServerAdministrator or CsAdministrator. Records are there only if a scenario of
    logging runs; C(AlwaysOn) does not before somebody starts it.
"""

EXAMPLES = r"""
---
- name: What went wrong with calls in the last half hour
  lync.remediation.central_logging_info:
    pools: [pool01.contoso.com, edge.contoso.com]
    minutes: 30
  register: traces

- name: Show it
  lync.remediation.print_lines:
    lines: "{{ traces.lines }}"
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
            - Its name, C(Centralized Logging).
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
    - What the searches brought, as if it were one file called C(Centralized Logging).
  returned: success
  type: list
  elements: dict
  contains:
    path:
      description:
        - Its name.
      returned: always
      type: str
    kind:
      description:
        - V(server_trace), V(client_log) or V(excerpt), which are records without their first lines. V(null) where
          it is none of them.
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
        - How far that may be off. V(null) where messages were seen in one direction only, so that the offset is at
          most this.
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
searched:
  description:
    - Whether the servers were searched at all.
  returned: success
  type: bool
steps:
  description:
    - What to do where the version has no such service, and last the command that reads what was exported.
  returned: success
  type: list
  elements: str
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
  sample: timed_out
"""
