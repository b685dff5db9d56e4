# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module external_access_policy; what it does is described there."""

from __future__ import annotations

from ..modules import external_access_policy as module
from ..plugin_utils.settings.action import SettingsAction
from ..plugin_utils.settings.resources.external_access_policy import EXTERNAL_ACCESS_POLICY


class ActionModule(SettingsAction):
    DOCUMENTATION = module.DOCUMENTATION
    RESOURCE = EXTERNAL_ACCESS_POLICY
