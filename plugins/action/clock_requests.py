# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module clock_requests; what it does is described there."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..modules import clock_requests as module
from ..modules import time_service
from ..plugin_utils.clock.requests import check_host, check_management_host, check_variables, check_zone
from ..plugin_utils.module_action import argument_spec, validated
from ..plugin_utils.result.refusals import BadArgument
from ..plugin_utils.run_action import RunAction
from ..plugin_utils.windows import w32time


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION
    _time_service = argument_spec(time_service.DOCUMENTATION)

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        prefix = arguments["prefix"]
        check_variables(prefix, arguments["variables"], arguments["known"])
        requests = self.registered(variables, arguments["requests"])
        found = {host: self._request(prefix, host, request) for host, request in requests.items()}
        for host, request in requests.items():
            name = request.get("management_host")
            check_management_host(f"{prefix}management_host", host, name, variables["hostvars"])
        time_servers = list(arguments["variables"].get(f"{prefix}ntp_servers") or ())
        peers = [
            str(peer["host"])
            for request in found.values()
            for peer in (request["time_service"] or {}).get("peers") or ()
        ]
        return {
            "requests": found,
            "time_servers": list(dict.fromkeys([*time_servers, *peers])),
            "management_hosts": list(
                dict.fromkeys(str(request["management_host"]) for request in requests.values())
            ),
        }

    def _request(self, prefix: str, host: str, request: Mapping[str, Any]) -> dict[str, Any]:
        if not request:
            raise BadArgument(
                f"{host} has not got as far as the others. All servers are compared with each other, and restarted in "
                "one order: the play must have the linear strategy, and not have serial."
            )
        return {
            "zone": check_zone(f"{prefix}time_zone", host, request.get("zone")),
            "time_service": self._service(f"{prefix}time_service", host, request.get("time_service")),
        }

    def _service(self, variable: str, host: str, wanted: Any) -> dict[str, Any] | None:
        """Only the options that are set."""
        if wanted is None:
            return None
        if not isinstance(wanted, Mapping):
            raise BadArgument(
                f"{variable}: {wanted!r} of {host} is not a dictionary of the options of time_service."
            )
        try:
            options = validated(self._time_service, wanted)
            w32time.check(options)
            for peer in options.get("peers") or ():
                check_host("peers", peer["host"])
        except BadArgument as wrong:
            raise BadArgument(f"{variable} of {host}: {wrong}") from None
        # How long the service may take is no state that could differ.
        return {name: value for name, value in options.items() if value is not None and name != "timeout"}
