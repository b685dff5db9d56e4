# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module policy_assignment; what it does is described there."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from ansible.utils.display import Display

from ..modules import policy_assignment as module
from ..plugin_utils.change.envelope import Envelope
from ..plugin_utils.module_action import ModuleAction
from ..plugin_utils.people import granting
from ..plugin_utils.people.assignment import Request
from ..plugin_utils.people.kinds import KINDS
from ..plugin_utils.people.users import choice
from ..plugin_utils.result.refusals import BadArgument, UnusableArgument
from ..plugin_utils.result.result import Result


class ActionModule(ModuleAction):
    DOCUMENTATION = module.DOCUMENTATION

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        # Standard output may be a program's, as with the callback json.
        return granting.remediate(
            envelope, _request(arguments), lambda line: Display().display(line, stderr=True)
        )


def _request(arguments: Mapping[str, Any]) -> Request:
    present = arguments["state"] == "present"
    request = Request(
        kind=KINDS[arguments["kind"]],
        policy=_policy(arguments["policy"]),
        present=present,
        chosen=choice(arguments),
        made_in_this_run=arguments["made_in_this_run"],
        retry_timeout=arguments["retry_timeout"],
        batch_size=arguments["batch_size"],
    )
    if present and request.policy is None:
        raise BadArgument("policy: which one is to be granted? Give its name, or state: absent to withdraw.")
    if request.chosen.is_empty and (present or request.policy is None):
        raise BadArgument(
            "Whose policy? Give users, or filter, ldap_filter or ou. Only with state: absent and a policy everybody "
            "who holds it is meant."
        )
    return request


def _policy(text: str | None) -> str | None:
    """The bare name of a per-user policy. Raises UnusableArgument for what cannot be one."""
    if text is None:
        return None
    name = re.sub("^tag:", "", text, flags=re.IGNORECASE)
    if not re.fullmatch(r"[^\x00-\x1f\x7f*?:]+", name) or name != name.strip() or name.lower() == "global":
        raise UnusableArgument(
            "policy",
            f"'{text}' cannot be granted. Allowed is the name of a per-user policy, with or without Tag: before it; "
            "the Global one and those of sites are in force wherever none is granted",
        )
    return name
