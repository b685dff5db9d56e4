# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A Management Shell without a server: it keeps settings in memory, and a list of every command it was given."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell import errors
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.results import (
    ErrorReport,
    RemoteObject,
    Results,
)

PARAMETERS: dict[str, dict[str, list[str]]] = json.loads(
    Path(__file__).with_name("cmdlet_parameters.json").read_text(encoding="utf-8")
)["cmdlets"]
VERSIONS = ("2010", "2013", "2015", "2019")
ENDPOINT = errors.Endpoint(
    url="https://pool01.contoso.com:443/OcsPowershell",
    name="pool01.contoso.com",
    host="pool01.contoso.com",
    user="CONTOSO\\uc-admin",
    authentication="negotiate",
    configuration_name="Microsoft.PowerShell",
)
READING = ("Get", "Measure")
PLUMBING = frozenset({"Identity", "Instance", "Force", "Confirm", "WhatIf", "InMemory", "Tenant"})
# Documented for the cloud and, by mistake, for the older products as well.
CLOUD = frozenset({"EnableTeamsConsumerAccess", "EnableTeamsConsumerInbound"})


def parameters_of(cmdlet: str, version: str) -> frozenset[str] | None:
    """The parameters of a version's cmdlet; those without a version belong to the newest."""
    if cmdlet not in PARAMETERS:
        return None
    return frozenset(
        name
        for name, versions in PARAMETERS[cmdlet].items()
        if name not in CLOUD and (version in versions or (not versions and version == VERSIONS[-1]))
    )


DEFAULTS: dict[str, dict[str, Any]] = {
    "CsExternalAccessPolicy": {"Description": None},
    "CsMediaConfiguration": {
        "EncryptionLevel": "RequireEncryption",
        "MaxVideoRateAllowed": "VGA600K",
        "InCallQoSIntervalSeconds": 35,
    },
    "CsPublicProvider": {
        "ProxyFqdn": None,
        "VerificationLevel": "AlwaysVerifiable",
        "IconUrl": None,
        "NameDecorationDomain": None,
        "NameDecorationRoutingDomain": None,
        "NameDecorationExcludedDomainList": None,
    },
    "CsAccessEdgeConfiguration": {
        "RoutingMethod": "UseDnsSrvRouting",
        "OutgoingTlsCountForFederatedPartners": 4,
        "SkypeSearchUrl": None,
    },
}
NUMBERS = ("Count", "Rate", "Stored", "Percentage", "Minutes", "Partner")
SPELLED_DIFFERENTLY = {"EnableAdaptiveBandWidthEstimation": "EnableAdaptiveBandwidthEstimation"}


def defaults(noun: str, version: str) -> dict[str, Any]:
    """An untouched object's properties in that version, by the names the object has for them."""
    values = dict(DEFAULTS[noun])
    for verb in ("New", "Set"):
        for parameter in sorted((parameters_of(f"{verb}-{noun}", version) or frozenset()) - PLUMBING):
            if parameter.startswith("Use") or parameter in ("DefaultRouteFqdn", "IsPublicProvider"):
                continue
            if noun == "CsAccessEdgeConfiguration" and parameter == "VerificationLevel":
                continue
            is_number = parameter.endswith(NUMBERS) and not parameter.startswith(("Enable", "Be", "Allow"))
            values.setdefault(
                SPELLED_DIFFERENTLY.get(parameter, parameter),
                "UseSourceVerification" if parameter.endswith("Level") else 20 if is_number else False,
            )
    known = (parameters_of(f"Set-{noun}", version) or frozenset()) | (
        parameters_of(f"New-{noun}", version) or frozenset()
    )
    spelled = {SPELLED_DIFFERENTLY.get(name, name) for name in known} | {"RoutingMethod"}
    return {name: value for name, value in values.items() if name in spelled}


def remote(type_name: str, **properties: Any) -> RemoteObject:
    return RemoteObject((type_name, "System.Object"), properties)


def error(command: str, identifier: str = "AccessDenied", **more: Any) -> ErrorReport:
    fields: dict[str, Any] = {
        "message": "Access is denied.",
        "category": "PermissionDenied",
        "fully_qualified_id": identifier,
        "command": command,
    }
    return ErrorReport(**{**fields, **more})


Answer = Results | ErrorReport | Exception | None


class ScriptedShell:
    """``answer`` may take over for a command: with results, an error record, or an exception to raise; None is no."""

    endpoint = ENDPOINT
    protocol_version = "2.3"
    powershell_version = "5.1.14393.1884"
    resumed = False

    def __init__(
        self,
        version: str = "2010",
        settings: Mapping[str, Mapping[str, Mapping[str, Any]]] | None = None,
        *,
        replies: Mapping[str, Iterable[Any]] | None = None,
        withheld: Iterable[str] = (),
        answer: Callable[[Command], Answer] = lambda command: None,
    ) -> None:
        self.version = version
        self.withheld = frozenset(withheld)
        self.replies = {name: list(objects) for name, objects in (replies or {}).items()}
        self.answer = answer
        self.sent: list[Command] = []
        self.pipelines: list[tuple[str, ...]] = []
        self.repeatable: list[bool] = []
        self._described: set[str] = set()
        self.store = {noun: {"Global": defaults(noun, version)} for noun in DEFAULTS}
        # Every noun but that of the providers has a Global object.
        self.store["CsPublicProvider"].clear()
        for noun, objects in (settings or {}).items():
            for identity, values in objects.items():
                self.store[noun][identity] = {**defaults(noun, version), **values}

    # -- the protocol ------------------------------------------------------------------------------------------------

    def run(self, *commands: Command, changes: bool = False, limit: float | None = None) -> Results:
        self.pipelines.append(tuple(command.name for command in commands))
        self.repeatable.append(not changes)
        results = Results()
        for command in commands:
            self.sent.append(command)
            answer = self.answer(command)
            if isinstance(answer, Exception):
                raise answer
            if answer is None:
                answer = self._execute(command)
            results += Results(errors=(answer,)) if isinstance(answer, ErrorReport) else answer
        return results

    def read_once(self, *commands: Command) -> Results:
        return self.run(*commands)

    def parameter_types(self, cmdlet: str) -> Mapping[str, str]:
        """The parameters, whose types no table here has."""
        return dict.fromkeys(self.parameters_of(cmdlet) or (), "")

    def take_warnings(self) -> list[str]:
        return []

    def classify(self, report: ErrorReport) -> errors.CommandError:
        return errors.classify_report(report, self.endpoint)

    def describing(self, *cmdlets: str) -> tuple[Command, ...]:
        unknown = [cmdlet for cmdlet in cmdlets if cmdlet not in self._described]
        return (Command("Get-Command", {"Name": unknown}),) if unknown else ()

    def parameters_of(self, cmdlet: str) -> frozenset[str] | None:
        if cmdlet not in self._described:
            raise KeyError(cmdlet)
        if cmdlet in self.withheld:
            return None
        if cmdlet in self.replies or cmdlet == "Get-CsServerVersion":
            return frozenset()
        return parameters_of(cmdlet, self.version)

    def server_version(self) -> str | None:
        return f"Microsoft Lync Server {self.version} (4.0.7577.0)"

    # -- what tests look at ------------------------------------------------------------------------------------------

    @property
    def writes(self) -> list[Command]:
        """The commands that may have changed something."""
        return [c for c in self.sent if c.verb not in READING and "InMemory" not in c.parameters]

    # -- the settings ------------------------------------------------------------------------------------------------

    def _execute(self, command: Command) -> Results | ErrorReport:
        if command.name == "Get-Command":
            self._described.update(command.parameters["Name"])
            return Results()
        if command.name in self.replies:
            return Results(tuple(self.replies[command.name]))
        noun = command.name.partition("-")[2]
        if noun not in self.store or command.name in self.withheld:
            return ErrorReport(
                f"The term '{command.name}' is not recognized",
                "ObjectNotFound",
                "CommandNotFoundException",
                target=command.name,
                command=command.name,
            )
        unknown = set(command.parameters) - (parameters_of(command.name, self.version) or frozenset())
        if unknown:
            return error(command.name, "NamedParameterNotFound", message=f"No parameter '{unknown.pop()}'.")
        return getattr(self, f"_{command.verb.lower()}")(noun, dict(command.parameters))

    def _object(self, noun: str, identity: str) -> RemoteObject:
        return remote(noun, Identity=identity, **self.store[noun][identity])

    def _key(self, noun: str, identity: str) -> str:
        wanted = identity.casefold()
        for key in self.store[noun]:
            if wanted in (key.casefold(), key.casefold().partition(":")[2]):
                return key
        return f"Service:{identity}" if identity.partition(":")[0].endswith("Server") else identity

    def _get(self, noun: str, parameters: dict[str, Any]) -> Results:
        assert not parameters, "the collection reads every object"
        return Results(tuple(self._object(noun, identity) for identity in self.store[noun]))

    def _set(self, noun: str, parameters: dict[str, Any]) -> Results:
        self.store[noun][self._key(noun, parameters.get("Identity", "Global"))].update(
            self._written(parameters)
        )
        return Results()

    def _new(self, noun: str, parameters: dict[str, Any]) -> Results:
        identity = self._key(noun, parameters["Identity"])
        values = {**defaults(noun, self.version), **self._written(parameters)}
        if "InMemory" in parameters:
            return Results((remote(noun, Identity=identity, **values),))
        self.store[noun][identity] = values
        return Results((self._object(noun, identity),))

    def _remove(self, noun: str, parameters: dict[str, Any]) -> Results:
        identity = self._key(noun, parameters["Identity"])
        if identity == "Global":
            self.store[noun]["Global"] = defaults(noun, self.version)
        else:
            del self.store[noun][identity]
        return Results()

    @staticmethod
    def _written(parameters: dict[str, Any]) -> dict[str, Any]:
        written = {SPELLED_DIFFERENTLY.get(n, n): v for n, v in parameters.items() if n not in PLUMBING}
        for method in ("UseDnsSrvRouting", "UseDefaultRouting"):
            if written.pop(method, None):
                written["RoutingMethod"] = method
        return written
