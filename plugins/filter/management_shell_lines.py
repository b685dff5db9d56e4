# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

DOCUMENTATION = r"""
name: management_shell_lines
short_description: Commands as one types them into the Management Shell
version_added: 1.0.0
author:
  - The lync.remediation authors (@lync-remediation)
description:
  - Breaks long commands before parameters, with the backtick that has the Management Shell go on reading, so that what
    is printed can be copied.
options:
  _input:
    description: Commands, as the modules return them in C(commands).
    type: list
    elements: str
    required: true
  width:
    description: How many columns there are.
    type: int
    default: 72
  most:
    description:
      - How many commands of each cmdlet are shown, before a comment on how many more there are. By default all of them.
    type: int
"""

EXAMPLES = r"""
- name: See what would be run
  lync.remediation.media_configuration:
    encryption_level: SupportEncryption
  check_mode: true
  register: media

- name: Print it
  ansible.builtin.debug:
    msg: "{{ media.commands | lync.remediation.management_shell_lines }}"
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any

from ..plugin_utils.result.display import typed_lines


def management_shell_lines(commands: Sequence[str], width: int = 72, most: int | None = None) -> list[str]:
    lines = []
    cmdlets = Counter(str(command).split(" ", 1)[0] for command in commands)
    so_far: Counter[str] = Counter()
    for command in commands:
        cmdlet = str(command).split(" ", 1)[0]
        so_far[cmdlet] += 1
        if most is None or so_far[cmdlet] <= int(most):
            lines += typed_lines(str(command), int(width))
        elif so_far[cmdlet] == cmdlets[cmdlet]:
            lines.append(f"# and {cmdlets[cmdlet] - int(most)} more of {cmdlet}")
    return lines


class FilterModule:
    def filters(self) -> dict[str, Callable[..., Any]]:
        return {"management_shell_lines": management_shell_lines}
