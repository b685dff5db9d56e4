# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module media_configuration; what it does is described there."""

from __future__ import annotations

from ..modules import media_configuration as module
from ..plugin_utils.settings.action import SettingsAction
from ..plugin_utils.settings.resources.media_configuration import MEDIA_CONFIGURATION


class ActionModule(SettingsAction):
    DOCUMENTATION = module.DOCUMENTATION
    RESOURCE = MEDIA_CONFIGURATION
