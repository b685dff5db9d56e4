# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
---
module: print_lines
short_description: Print lines as they stand, to be read and copied
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - M(ansible.builtin.debug) prints a list with dashes and quotes, so that a command that takes several lines cannot be
    copied. This prints the lines alone, in one piece, whatever other hosts print at the same time.
  - It works on the controller and asks no server.
options:
  lines:
    description:
      - The lines.
    type: list
    elements: str
    required: true
  title:
    description:
      - What stands above them, such as the host that they are of.
    type: str
extends_documentation_fragment:
  - lync.remediation.attributes.info
  - lync.remediation.action_group
seealso:
  - plugin: lync.remediation.management_shell_lines
    plugin_type: filter
"""

EXAMPLES = r"""
- name: See what would be run
  lync.remediation.media_configuration:
    encryption_level: SupportEncryption
  check_mode: true
  register: media

- name: Print it, to be copied
  lync.remediation.print_lines:
    title: "{{ inventory_hostname }}"
    lines: "{{ media.commands | lync.remediation.management_shell_lines }}"
"""

RETURN = r"""
---
lines:
  description:
    - What was printed, the title first.
  returned: success
  type: list
  elements: str
  sample:
    - pool01.contoso.com
    - Set-CsMediaConfiguration -Identity Global -EncryptionLevel SupportEncryption
msg:
  description:
    - What went wrong.
  returned: on failure
  type: str
  sample: "lines: this is missing. Nothing has been changed."
failure:
  description:
    - What kind of failure ended the task, in one word that stays the same when the sentence changes. The guide
      "R(What a task says, ansible_collections.lync.remediation.docsite.guide_results)" lists them.
  returned: on failure
  type: str
  sample: unusable_argument
"""
