# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module public_provider_info; what it does is described there."""

from __future__ import annotations

from ..modules import public_provider_info as module
from ..plugin_utils.settings.action import SettingsInfoAction
from ..plugin_utils.settings.resources.public_provider import PUBLIC_PROVIDER


class ActionModule(SettingsInfoAction):
    DOCUMENTATION = module.DOCUMENTATION
    RESOURCE = PUBLIC_PROVIDER
