# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action behind the module certificate_judgement; what it does is described there."""

from __future__ import annotations

import datetime
import time
from collections.abc import Mapping
from typing import Any

from ..modules import certificate_judgement as module
from ..plugin_utils.certificate import assignment, outcome, run
from ..plugin_utils.result.bounds import between
from ..plugin_utils.run_action import RunAction, latest


class ActionModule(RunAction):
    DOCUMENTATION = module.DOCUMENTATION

    def perform(self, arguments: dict[str, Any], variables: Mapping[str, Any]) -> dict[str, Any]:
        def registered(name: str) -> dict[str, dict[str, Any]]:
            return self.registered(variables, name)

        between(arguments, warn_days=(0, 3650))
        now = datetime.datetime.fromtimestamp(time.time(), datetime.timezone.utc)
        answers = latest(arguments["certificates"], registered)
        found = run.judged(
            answers,
            arguments["edges"],
            run.moments(arguments["clocks"], now),
            datetime.timedelta(days=arguments["warn_days"]),
            self._wanted(arguments),
        )
        steps = {step: registered(name) for step, name in arguments["steps"].items()}
        ended = outcome.Outcome(found, steps, self.check_mode, arguments["fail_from"])
        lines = [*found.lines(), *ended.lines()]
        if arguments["show"]:
            self.show(lines)
        return {**found.as_dict(), **ended.as_dict(list(answers)), "lines": lines}

    def _wanted(self, arguments: Mapping[str, Any]) -> run.Wanted | None:
        if arguments["thumbprint"] is None:
            return None
        date = arguments["effective_date"]
        return run.Wanted(
            assignment.read_thumbprint("thumbprint", arguments["thumbprint"]),
            None if date is None else assignment.read_date("effective_date", date),
        )
