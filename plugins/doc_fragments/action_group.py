# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations


class ModuleDocFragment:
    """That the modules belong to the action group ``lync``."""

    DOCUMENTATION = r"""
options: {}
attributes:
  action_group:
    description: Use C(group/lync.remediation.lync) in C(module_defaults) to set defaults for this module.
    support: full
    membership:
      - lync.remediation.lync
"""
