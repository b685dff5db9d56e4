# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The action plugins of settings: from a module's arguments to `apply`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from ..change.envelope import Envelope
from ..module_action import InfoAction, ModuleAction
from ..powershell.shell import ManagementShell
from ..result.refusals import UnusableArgument
from ..result.result import Result
from . import apply
from .identity import GLOBAL, Identity, wanted
from .reading import collections
from .resource import Collection, Desired, Resource


class SettingsAction(ModuleAction):
    """Brings one object of ``RESOURCE`` into the state that the task's arguments describe."""

    RESOURCE: ClassVar[Resource]

    def remediate(self, arguments: dict[str, Any], envelope: Envelope) -> Result:
        return apply.remediate(envelope, self.RESOURCE, desired(self.RESOURCE, arguments))


class SettingsInfoAction(InfoAction):
    """Reads the objects of ``RESOURCE``, all of them or the one that is asked for, as arguments of its
    module.
    """

    RESOURCE: ClassVar[Resource]

    def query(self, arguments: dict[str, Any], shell: ManagementShell) -> dict[str, Any]:
        identity = asked_for(self.RESOURCE, arguments)
        listed = collections(shell, self.RESOURCE)
        chosen = [each for each in listed if identity is None or each.identity == identity]
        return {
            self.RESOURCE.plural: [self.RESOURCE.as_options(each) for each in chosen],
            **self.further(arguments, shell, listed),
        }

    def further(
        self, arguments: dict[str, Any], shell: ManagementShell, listed: list[Collection]
    ) -> dict[str, Any]:
        """More keys of the result, for nouns that have more to tell."""
        return {}


def desired(resource: Resource, arguments: Mapping[str, Any]) -> Desired:
    """The request that a module's arguments express; options that were not given are not part of it."""
    options = {p.option for p in resource.properties}
    values = {option: value for option, value in arguments.items() if option in options and value is not None}
    resource.checked(values)
    if arguments.get("copy_of") is not None and arguments.get("server_defaults"):
        raise UnusableArgument("copy_of", "contradicts server_defaults: true. Allowed: one of them")
    return Desired(
        identity=asked_for(resource, arguments) or GLOBAL,
        values=values,
        present=arguments.get("state", "present") == "present",
        recreate=bool(arguments.get("recreate")),
        force=bool(arguments.get("force")),
        copy_of=_identity(resource, arguments, "copy_of"),
        server_defaults=bool(arguments.get("server_defaults")),
    )


def asked_for(resource: Resource, arguments: Mapping[str, Any]) -> Identity | None:
    return _identity(resource, arguments, "identity")


def _identity(resource: Resource, arguments: Mapping[str, Any], option: str) -> Identity | None:
    text = arguments.get(option)
    return None if text is None else wanted(text, resource.scopes, resource.roles, option)
