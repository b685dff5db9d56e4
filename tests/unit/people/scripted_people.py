# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Management Shell without a server that knows users and what they have been granted."""

from __future__ import annotations

import fnmatch
from collections.abc import Callable, Iterable
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.errors import (
    CommandError,
    classify_report,
)
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    PipelineState,
    RemoteObject,
    Results,
)
from unit.settings.scripted_shell import ENDPOINT, remote

GRANT = "Grant-CsExternalAccessPolicy"


def user(account: str, display: str = "", policy: str | None = None, **more: Any) -> RemoteObject:
    properties = {
        "Identity": f"CN={account},DC=contoso,DC=com",
        "SipAddress": f"sip:{account}@contoso.com",
        "DisplayName": display or account,
        "SamAccountName": account,
        "UserPrincipalName": f"{account}@contoso.com",
        "RegistrarPool": "pool01.contoso.com",
        "ExternalAccessPolicy": policy,
        "ConferencingPolicy": None,
    }
    return remote("User", **{**properties, **more})


class PeopleShell:
    """``refuses`` gives the error that a grant ends with, or None. ``stops``: a pipeline ends at its first error.

    ``before`` is called with each pipeline, and may raise in its place.
    """

    endpoint = ENDPOINT
    protocol_version = "2.3"
    powershell_version = "5.1"
    resumed = False

    def __init__(
        self,
        people: Iterable[RemoteObject],
        policies: Iterable[str] = ("Partners", "Live"),
        *,
        refuses: Callable[[str, str | None], ErrorReport | None] = lambda name, policy: None,
        stops: bool = False,
        withheld: Iterable[str] = (),
        before: Callable[[tuple[Command, ...]], None] = lambda commands: None,
    ) -> None:
        self.people = {str(each["SipAddress"]): dict(each.properties) for each in people}
        self.policies = list(policies)
        self.pipelines: list[tuple[Command, ...]] = []
        self._refuses, self._stops, self._withheld = refuses, stops, frozenset(withheld)
        self._before = before

    @property
    def sent(self) -> list[Command]:
        return [command for pipeline in self.pipelines for command in pipeline]

    @property
    def granted(self) -> list[tuple[Any, Any]]:
        return [(c.parameters["Identity"], c.parameters["PolicyName"]) for c in self.sent if c.name == GRANT]

    @property
    def held(self) -> dict[str, str | None]:
        return {name: properties["ExternalAccessPolicy"] for name, properties in self.people.items()}

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        self.pipelines.append(commands)
        self._before(commands)
        results = Results()
        for command in commands:
            answer = self._answer(command)
            if isinstance(answer, Results):
                results += answer
                continue
            results += Results(errors=(answer,))
            if self._stops and changes:
                return Results(results.output, results.errors, state=PipelineState.FAILED)
        return results

    def _answer(self, command: Command) -> Results | ErrorReport:
        if command.name == "Get-CsUser":
            return self._found(command.parameters.get("Identity"))
        if command.name == "Get-CsExternalAccessPolicy":
            listed = ["Global", "Site:Redmond", *(f"Tag:{name}" for name in self.policies)]
            return Results(tuple(remote("Policy", Identity=identity) for identity in listed))
        assert command.name == GRANT, command
        name, policy = command.parameters["Identity"], command.parameters["PolicyName"]
        refusal = self._refuses(name, policy)
        if refusal is None:
            self.people[name]["ExternalAccessPolicy"] = policy
        return refusal or Results()

    def _found(self, identity: str | None) -> Results | ErrorReport:
        everybody = [remote("User", **properties) for properties in self.people.values()]
        if identity is None:
            return Results(tuple(everybody))
        name = identity.lower().removeprefix("sip:").rpartition("\\")[2]
        if "*" in name:
            return Results(
                tuple(each for each in everybody if fnmatch.fnmatch(each["DisplayName"].lower(), name))
            )
        found = [
            each
            for each in everybody
            if name in [str(value).lower().removeprefix("sip:") for value in each.properties.values()]
        ]
        return Results(tuple(found)) if found else error("Get-CsUser", "ObjectNotFound")

    def take_warnings(self) -> list[str]:
        return []

    def classify(self, report: ErrorReport) -> CommandError:
        return classify_report(report, ENDPOINT)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        return ()

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        return None if cmdlet in self._withheld else frozenset({"Identity", "PolicyName", "Confirm"})

    def server_version(self) -> str | None:
        return None


def error(command: str, category: str = "InvalidArgument") -> ErrorReport:
    return ErrorReport("Abgelehnt.", category, f"Refused,{command}", command=command)
