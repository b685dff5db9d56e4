# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: drift_notification
short_description: Write to people when a scheduled run has found something else than the run before
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Reads the report that the callback P(lync.remediation.drift_report#callback) has written, and sends mail or calls
    webhooks when there are other findings than before, when something could not be judged, when the run was refused
    or has failed, when something was corrected, when a run that was due did not take place, and when what was wrong
    is over. It is quiet otherwise, but for a reminder.
  - Each channel is decided for by itself. One that did not get through is tried again after the next run.
  - Every channel is tried, and where one did not get through the task fails. What the run found is returned all the
    same.
  - Run it as a process of its own after the run, as the role P(lync.remediation.drift_schedule#role) does, so that a
    run that was killed is written about as well.
options:
  name:
    description:
      - What the schedule is called in messages.
    type: str
    required: true
  report:
    description:
      - The report of the run, in JSON.
      - A report that is not there, that cannot be read, or that has been looked at before where O(exit_status) says
        that a run has ended, is a run that failed.
    type: path
    required: true
  memory:
    description:
      - The file that holds what each channel was last written.
    type: path
    required: true
  exit_status:
    description:
      - How the run ended, a number, or a word such as the name of a signal. Empty where no run has ended.
    type: str
    default: ""
  remind_after_days:
    description:
      - How many days without a message may pass before those who were written to are reminded, unless everything is
        as wanted.
      - From V(0), which sends no reminders, to V(3650).
    type: int
    default: 7
  link:
    description:
      - Where people can open the report, put into each message.
    type: str
    default: ""
  log:
    description:
      - Where people can read what a run said that failed, put into the messages on that.
    type: str
    default: ""
  mail:
    description:
      - Send mail.
    type: dict
    suboptions:
      host:
        description:
          - The mail server.
        type: str
        required: true
      port:
        description:
          - The mail server's port. By default 465 with V(tls), 587 with V(starttls), 25 with V(none).
        type: int
      security:
        description:
          - Whether the connection is encrypted from its first byte on, from the command STARTTLS on, or not at all.
          - A server that does not offer what is asked for here is not used.
        type: str
        choices: [tls, starttls, none]
        default: starttls
      ca_file:
        description:
          - The certificates that the server's is checked against. By default those of the system.
        type: path
      username:
        description:
          - Who logs in. By default nobody does.
        type: str
      password:
        description:
          - The password.
        type: str
      password_file:
        description:
          - A file with the password. A relative path is below C($CREDENTIALS_DIRECTORY), where systemd puts
            credentials.
        type: path
      sender:
        description:
          - The sender's address.
        type: str
        required: true
      recipients:
        description:
          - The addresses of the recipients.
        type: list
        elements: str
        required: true
      timeout:
        description:
          - The mail is given up after this many seconds.
        type: float
        default: 60
  webhooks:
    description:
      - Call webhooks.
    type: list
    elements: dict
    default: []
    suboptions:
      name:
        description:
          - What it is called here. What it was last written is kept under this name.
        type: str
        required: true
      template:
        description:
          - What is posted. V(teams) is an Adaptive Card as the workflow of Microsoft Teams takes it that posts to a
            channel when a webhook request is received, V(slack) is what incoming webhooks of Slack take, V(json) has
            the counts and the findings without their values.
        type: str
        choices: [json, slack, teams]
        default: json
      url:
        description:
          - Its address, which is a secret as a rule and is never shown.
        type: str
      url_file:
        description:
          - A file with the address. A relative path is below C($CREDENTIALS_DIRECTORY), where systemd puts
            credentials.
        type: path
      allow_http:
        description:
          - Whether the address may begin with C(http://), which anybody on the way can read.
        type: bool
        default: false
      headers:
        description:
          - More headers of the request.
        type: dict
        default: {}
      ca_file:
        description:
          - The certificates that the server's is checked against. By default those of the system.
        type: path
      timeout:
        description:
          - The request is given up after this many seconds.
        type: float
        default: 30
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
  check_mode:
    description: Can run in check mode and report what it would do without changing anything.
    support: full
    details: Nothing is sent and nothing is remembered.
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
    support: none
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
    details: Of one report each channel is written once.
  platform:
    description: What the module manages.
    support: N/A
    details: It works on the controller, whatever system that has.
    platforms: posix
extends_documentation_fragment:
  - lync.remediation.action_group
seealso:
  - name: The guide to drift on a schedule
    description: A check on a schedule, step by step.
    link: https://github.com/lync-remediation/lync.remediation/blob/main/docs/docsite/rst/guide_schedule.rst
"""

EXAMPLES = r"""
---
- name: Write to people where that is due
  lync.remediation.drift_notification:
    name: nightly
    report: /var/lib/lync-drift/reports/nightly.json
    memory: /var/lib/lync-drift/notified/nightly.json
    mail:
      host: mail.contoso.com
      sender: drift@contoso.com
      recipients:
        - uc-team@contoso.com
    webhooks:
      - name: team
        template: teams
        url_file: /etc/lync-drift/teams.url
"""

RETURN = r"""
---
outcome:
  description:
    - What the run came to, V(clean), V(incomplete), V(drift) or V(refused) as its report says, or V(failed) where it
      left no report.
  returned: when the options could be used
  type: str
  sample: drift
problem:
  description:
    - Why the report, or what was written last, could not be used; empty otherwise.
  returned: when the options could be used
  type: str
channels:
  description:
    - What became of each channel.
  returned: when the options could be used
  type: list
  elements: dict
  contains:
    name:
      description:
        - V(mail), or the webhook's name.
      returned: always
      type: str
    reasons:
      description:
        - Why it was written to, of V(failed), V(refused), V(incomplete), V(corrected), V(changed), V(missed),
          V(recovered) and V(reminder). Empty where it was not.
      returned: always
      type: list
      elements: str
    delivered:
      description:
        - Whether the message got through. In check mode none is sent.
      returned: always
      type: bool
    problem:
      description:
        - Why it did not; empty otherwise.
      returned: always
      type: str
    subject:
      description:
        - The subject of the message; empty where there is none.
      returned: always
      type: str
    text:
      description:
        - The message; empty where there is none.
      returned: always
      type: str
msg:
  description:
    - What was done, in one sentence.
  returned: always
  type: str
"""
