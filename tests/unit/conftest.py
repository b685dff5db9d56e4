# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The checkout is imported as the collection it is, through Ansible's own loader."""

from __future__ import annotations

from pathlib import Path

from ansible.plugins.loader import init_plugin_loader

# Before the first import from the collection: Python would take .collections for an ordinary namespace package, which
# Ansible's loader, once something installs it, does not go together with.
init_plugin_loader([str(Path(__file__).parents[2] / ".collections")])
