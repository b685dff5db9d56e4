# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module certificate_assignment; what it does is described there."""

from __future__ import annotations

import datetime
from typing import Any

from ..modules import certificate_assignment as module
from ..plugin_utils.certificate import assignment
from ..plugin_utils.certificate.store import RolledNames
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.result.bounds import between
from ..plugin_utils.result.refusals import UnusableArgument
from ..plugin_utils.result.result import Result

# What MaxTokenLifetime may be, in seconds.
_MINUTE, _HALF_A_YEAR = 60, 180 * 86_400


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        between(arguments, token_lifetime=(_MINUTE, _HALF_A_YEAR))
        date, thumbprint = arguments["effective_date"], arguments["thumbprint"]
        if (thumbprint is None) is (arguments["state"] == "present"):
            needed = "is needed" if thumbprint is None else "means nothing"
            raise UnusableArgument("thumbprint", f"it {needed} with state: {arguments['state']}")
        request = assignment.Request(
            use=arguments["use"],
            thumbprint=None if thumbprint is None else assignment.read_thumbprint("thumbprint", thumbprint),
            effective_date=None if date is None else assignment.read_date("effective_date", date),
            token_lifetime=datetime.timedelta(seconds=arguments["token_lifetime"]),
            names=RolledNames(arguments["effective_date_property"], arguments["previous_property"]),
            only_if_usable=arguments["only_if_usable"],
        )
        return assignment.remediate(envelope, request)
