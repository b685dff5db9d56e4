# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Which commands exist in which product version, with their parameters.

``lync.json`` and ``nouns.json`` hold the facts of Microsoft's reference for 2010, 2013, 2015 and 2019 (the Subscription
Edition is never tagged on its own: it has 2019's commands); ``powershell.json`` the few built-in commands the lab
has.  Both are read once per process and shared by all simulated servers.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

ALL_SETS = "__AllParameterSets"

#: Product versions, oldest first, as deployment files name them.
PRODUCT_VERSIONS = ("2010", "2013", "2015", "2019", "SE")

_FOLDER = Path(__file__).parent


@dataclass(frozen=True)
class Parameter:
    name: str
    type: str  # as the reference names it: 'Boolean', 'XdsIdentity', 'String[]'
    sets: frozenset[str] | None = None  # None: all of the command's sets
    mandatory: frozenset[str] | bool = False
    position: int | None = None
    aliases: tuple[str, ...] = ()
    values: tuple[str, ...] | None = None  # names of an enumeration
    by_value: bool = False
    by_property_name: bool = False
    allow_null: bool = False
    remaining: bool = False  # takes all positional arguments that are left

    @property
    def is_switch(self) -> bool:
        return self.type == "SwitchParameter"

    def names_set(self, parameter_set: str) -> bool:
        """Whether it is said to belong to, or to be mandatory in, just that set."""
        is_mandatory = not isinstance(self.mandatory, bool) and parameter_set in self.mandatory
        return is_mandatory or (self.sets is not None and parameter_set in self.sets)

    def belongs_to(self, parameter_set: str) -> bool:
        return self.sets is None or parameter_set in self.sets

    def mandatory_in(self, parameter_set: str) -> bool:
        if isinstance(self.mandatory, bool):
            return self.mandatory and self.belongs_to(parameter_set)
        return parameter_set in self.mandatory


@dataclass(frozen=True)
class Command:
    """A command of one version."""

    name: str
    module: str
    class_name: str  # the .NET type that implements it; part of error ids
    kind: str = "Cmdlet"  # or 'Application'
    should_process: bool = False
    sets: tuple[str, ...] = (ALL_SETS,)
    default_set: str | None = None
    parameters: Mapping[str, Parameter] = field(
        default_factory=dict
    )  # by lower-case name; without the common ones

    @property
    def shown_default_set(self) -> str | None:
        """The documented default parameter set, else (assumed) the first that demands nothing; None without sets."""
        if self.sets == (ALL_SETS,):
            return None
        free = (s for s in self.sets if not any(p.mandatory_in(s) for p in self.parameters.values()))
        return self.default_set or next(free, self.sets[0])


def _switch(name: str, *aliases: str) -> Parameter:
    return Parameter(name, "SwitchParameter", aliases=aliases)


_PREFERENCES = ("SilentlyContinue", "Stop", "Continue", "Inquire")

#: Parameters every cmdlet has; the two of ShouldProcess are added where the reference documents them.
COMMON_PARAMETERS: Mapping[str, Parameter] = {
    parameter.name.lower(): parameter
    for parameter in (
        _switch("Verbose", "vb"),
        _switch("Debug", "db"),
        Parameter("ErrorAction", "ActionPreference", aliases=("ea",), values=(*_PREFERENCES, "Ignore")),
        Parameter("WarningAction", "ActionPreference", aliases=("wa",), values=(*_PREFERENCES, "Ignore")),
        Parameter(
            "InformationAction", "ActionPreference", aliases=("infa",), values=(*_PREFERENCES, "Ignore")
        ),
        Parameter("ErrorVariable", "String", aliases=("ev",)),
        Parameter("WarningVariable", "String", aliases=("wv",)),
        Parameter("InformationVariable", "String", aliases=("iv",)),
        Parameter("OutVariable", "String", aliases=("ov",)),
        Parameter("OutBuffer", "Int32", aliases=("ob",)),
        Parameter("PipelineVariable", "String", aliases=("pv",)),
    )
}
SHOULD_PROCESS_PARAMETERS: Mapping[str, Parameter] = {
    "whatif": _switch("WhatIf", "wi"),
    "confirm": _switch("Confirm", "cf"),
}
_SINCE = {"informationaction": "5.0", "informationvariable": "5.0", "pipelinevariable": "4.0"}


def common_parameters(command: Command, powershell_version: str) -> Mapping[str, Parameter]:
    """The common parameters of a cmdlet on that version of PowerShell (none for a native program)."""
    if command.kind != "Cmdlet":
        return {}
    return _common(command.should_process, powershell_version)


@cache
def _common(should_process: bool, powershell_version: str) -> Mapping[str, Parameter]:
    version = _numbers(powershell_version)
    common = {
        name: parameter
        for name, parameter in COMMON_PARAMETERS.items()
        if version >= _numbers(_SINCE.get(name, "1.0"))
    }
    return {**common, **SHOULD_PROCESS_PARAMETERS} if should_process else common


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2])


def module_name(product_version: str) -> str:
    """The Management Shell's module: ``Lync`` on 2010 and 2013, ``SkypeForBusiness`` from 2015 on."""
    return "Lync" if product_version in ("2010", "2013") else "SkypeForBusiness"


@cache
def lync_commands(product_version: str) -> Mapping[str, Command]:
    """The product's cmdlets of that version, by lower-case name."""
    tag = "2019" if product_version == "SE" else product_version
    module = module_name(product_version)
    return {
        **_load("nouns.json", lambda versions: tag in versions, lambda entry: module),
        **_load("lync.json", lambda versions: tag in versions, lambda entry: module),
    }


@cache
def noun_facts() -> Mapping[str, Any]:
    """The nouns that the lab has no table of its own for: their types, scopes and properties."""
    return _content("nouns.json")["nouns"]


@cache
def powershell_commands(powershell_version: str) -> Mapping[str, Command]:
    """PowerShell's own commands and the native programs, by lower-case name."""
    version = _numbers(powershell_version)
    return _load(
        "powershell.json",
        lambda since: version >= _numbers(since),
        lambda entry: entry["module"],
    )


@cache
def _content(file_name: str) -> Mapping[str, Any]:
    with (_FOLDER / file_name).open(encoding="utf-8") as stream:
        return json.load(stream)


def _load(file_name: str, applies: Any, module_of: Any) -> Mapping[str, Command]:
    commands = {}
    for name, entry in _content(file_name)["cmdlets"].items():
        versions = entry.get("versions", "1.0")
        if not applies(versions):
            continue
        sets = tuple(entry.get("sets", (ALL_SETS,)))
        parameters = {
            parameter_name.lower(): _parameter(parameter_name, facts)
            for parameter_name, facts in entry["parameters"].items()
            if applies(facts.get("versions", versions))
        }
        used = [s for s in sets if s == ALL_SETS or any(p.names_set(s) for p in parameters.values())]
        commands[name.lower()] = Command(
            name=name,
            module=module_of(entry),
            class_name=entry.get("class") or assumed_class_name(name),
            kind=entry.get("kind", "Cmdlet"),
            should_process=entry.get("should_process", False),
            sets=tuple(used) or sets,
            default_set=entry.get("default_set"),
            parameters=parameters,
        )
    return commands


def _parameter(name: str, facts: Mapping[str, Any]) -> Parameter:
    mandatory = facts.get("mandatory", False)
    pipeline = facts.get("pipeline", ())
    return Parameter(
        name=name,
        type=facts["type"],
        sets=frozenset(facts["sets"]) if "sets" in facts else None,
        mandatory=mandatory if isinstance(mandatory, bool) else frozenset(mandatory),
        position=facts.get("position"),
        aliases=tuple(facts.get("aliases", ())),
        # Beside the names of some the reference has their numbers, which are no members of their own.
        values=tuple(each for each in facts["values"] if not each.isdigit()) if "values" in facts else None,
        by_value="ByValue" in pipeline,
        by_property_name="ByPropertyName" in pipeline,
        allow_null=facts.get("allow_null", False),
        remaining=facts.get("remaining", False),
    )


#: Families whose class names have another namespace (TestReplicaCmdlet; TestUcwaConferenceCmdlet).
_DEPLOYMENT_NOUNS = frozenset(
    {
        "WindowsService",
        "Certificate",
        "CertificateConfiguration",
        "Computer",
        "ComputerFailOver",
        "ComputerFailBack",
        "Replica",
    }
)
_SYNTHETIC_NOUNS = frozenset({"AVEdgeConnectivity", "FederatedPartner"})


def assumed_class_name(command_name: str) -> str:
    """The implementing class of a Lync cmdlet; assumed, no public source names most of them.

    Known ones (TestReplicaCmdlet, TestOcsInterTrunkRoutingCmdlet) end in ``Cmdlet`` and keep OCS's prefix in
    some families.
    """
    verb, _, noun = command_name.partition("-")
    bare = noun.removeprefix("Cs")
    if bare in _DEPLOYMENT_NOUNS:
        return f"Microsoft.Rtc.Management.Deployment.{verb}{bare}Cmdlet"
    if bare in _SYNTHETIC_NOUNS:
        return f"Microsoft.Rtc.Management.SyntheticTransactions.{verb}{bare}Cmdlet"
    return f"Microsoft.Rtc.Management.Xds.{verb}Ocs{noun.removeprefix('Cs')}Cmdlet"
