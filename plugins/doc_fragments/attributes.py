# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """What Ansible can do with the modules of this collection."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action:
    description: The module runs in an action plugin on the controller; no code is sent to the server, only commands.
    support: full
  async:
    description: Whether the task can run in the background with C(async).
    support: none
  become:
    description: Whether C(become) can be used. A session runs as the account that opened it.
    support: none
  platform:
    description: What the module manages.
    support: full
    details: Lync Server 2010 and 2013, Skype for Business Server 2015 and 2019, and Subscription Edition.
    platforms: windows
"""

    CHANGING = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what it would do without changing anything.
    support: full
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
    support: full
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
"""

    INFO = r"""
options: {}
attributes:
  check_mode:
    description: Can run in check mode and report what it would do without changing anything.
    support: full
    details: The module only reads, so that check mode makes no difference.
  diff_mode:
    description: Returns what has changed, or would change in check mode, when in diff mode.
    support: N/A
    details: The module changes nothing.
  idempotent:
    description: When run twice in a row with the same arguments, the second run changes nothing.
    support: full
    details: The module changes nothing.
"""

    ONCE = r"""
options: {}
attributes:
  bypass_host_loop:
    description: Runs once for all hosts of the play.
    support: full
"""
