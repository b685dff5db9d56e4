# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A runspace on a simulated computer: which commands it has, and what it may reach."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from psrpcore.types import PSVersion

import lab.cmdlets.all
import lab.powershell.builtin  # noqa: F401
from lab.catalogue import Command, lync_commands, module_name, powershell_commands
from lab.cmdlets.writes import writes
from lab.contract import Caller, Statement, Streams, TerminatingError
from lab.deployment.store import Entry, State, StoreUnreachable
from lab.deployment.topology import Computer, Person
from lab.powershell.engine import Engine, Implementation
from lab.powershell.languages import LocalizedStreams, localize
from lab.powershell.registry import implementation_of
from lab.rbac import allowed
from lab.windows.machine import Machine

if TYPE_CHECKING:
    from lab.deployment.model import LyncDeployment

#: What a restricted remote session has besides its cmdlets, so that implicit remoting works.
#: Source: PowerShell/PowerShell, InitialSessionState.CreateRestricted(SessionCapabilities.RemoteServer).
IMPLICIT_REMOTING = (
    "Get-Command",
    "Get-FormatData",
    "Select-Object",
    "Measure-Object",
    "Out-Default",
    "Exit-PSSession",
)


class LyncRunspace:
    """One runspace of one caller. Implements :class:`lab.contract.Runspace`."""

    def __init__(
        self,
        deployment: LyncDeployment,
        computer: Computer,
        caller: Caller,
        person: Person,
        constrained: bool,
    ) -> None:
        self.deployment = deployment
        self.computer = computer
        self.caller = caller
        self.person = person
        self.constrained = constrained
        self.powershell_version = computer.powershell_version
        self._engine = Engine(self)
        self._imported: list[str] = []
        self._commands = self._offered()

    # lab.contract.Runspace

    def run(self, statements: Sequence[Statement], streams: Streams, input: Sequence[Any]) -> None:
        language = self.machine.language
        if language == "en":
            self._engine.run(statements, streams, input)
            return
        try:
            self._engine.run(statements, LocalizedStreams(streams, language), input)
        except TerminatingError as error:
            raise TerminatingError(localize(error.record, language)) from None

    def close(self) -> None:
        self._commands = {}

    # lab.powershell.engine.Session

    def command(self, name: str) -> Command | None:
        return self._commands.get(name.lower())

    def implementation(self, command: Command) -> Implementation:
        return implementation_of(command)

    def writes(self, command: Command, values: Mapping[str, Any]) -> bool:
        return writes(command, values)

    # what built-in commands ask

    def visible_commands(self) -> list[Command]:
        return sorted(self._commands.values(), key=lambda command: command.name.lower())

    def is_proxy(self, command: Command) -> bool:
        return self.constrained and command.name in IMPLICIT_REMOTING

    def imported_modules(self) -> list[str]:
        return ["Microsoft.PowerShell.Management", "Microsoft.PowerShell.Utility", *self._imported]

    def available_modules(self) -> list[str]:
        built_in = ["Microsoft.PowerShell.Management", "Microsoft.PowerShell.Utility"]
        return [*built_in, module_name(self.deployment.version)]

    def import_module(self, name: str) -> str | None:
        """The module's own name, or None when there is none of that name."""
        for available in self.available_modules():
            if available.lower() == name.lower():
                if available == module_name(self.deployment.version) and available not in self._imported:
                    self._imported.append(available)
                    self._commands = self._offered()
                return available
        return None

    def module_version(self, module: str) -> PSVersion | None:
        if module == module_name(self.deployment.version):
            return PSVersion(self.deployment.build)
        return PSVersion(f"{self.powershell_version[:1]}.0.0.0") if module else None

    def module_path(self, module: str) -> str:
        folder = {
            "Lync": rf"C:\Program Files\Common Files\Microsoft Lync Server {self.deployment.version}\Modules",
            "SkypeForBusiness": r"C:\Program Files\Common Files\Skype for Business Server "
            r"{self.deployment.version}\Modules",
        }.get(module, r"C:\Windows\System32\WindowsPowerShell\v1.0\Modules")
        return rf"{folder}\{module}\{module}.psd1"

    def computer_name(self) -> str:
        return self.computer.host_name.upper()

    def local_time(self) -> datetime.datetime:
        """A reading of the computer's clock, with its zone's offset."""
        return self.machine.zone.local(self.machine.clock.read())

    @property
    def machine(self) -> Machine:
        """The computer it runs on, as it is now."""
        self.deployment.settle()
        return self.deployment.machine(self.computer.fqdn)

    # what the product's cmdlets ask

    @property
    def on_edge(self) -> bool:
        pool = self.deployment.topology.pool(self.computer.pool)
        return pool is not None and pool.is_edge

    def require_store(self) -> None:
        """Raise unless this session reaches the Central Management Store (and Active Directory).

        /OcsPowershell runs under the server's identity.  A WinRM session needs a second hop to the SQL
        Server, which a network logon without delegation does not have; a Standard Edition master has its SQL
        Server on board.  Edges stand outside the domain.
        """
        texts = self.deployment.texts
        master = self.deployment.topology.pool(self.deployment.topology.central_management)
        assert master is not None
        if self.on_edge or self.deployment.store.unreachable:
            raise texts.error("cms_unreachable", sql_server=master.sql_server)
        if self.constrained:
            return
        if not self.person.roles:
            raise texts.error("cms_access_denied", account=self.person.name)
        on_board = master.kind == "standard" and self.computer.pool.lower() == master.fqdn.lower()
        if not self.caller.delegated and not on_board:
            raise texts.error("second_hop_denied")

    def state(self, local: bool = False) -> State:
        """The content of the store, or of this computer's replica (``-LocalStore``)."""
        if local:
            return self.deployment.store.local(self.computer.fqdn)
        self.require_store()
        try:
            return self.deployment.store.state
        except StoreUnreachable:
            self.require_store()
            raise

    def entries(self, noun: str, local: bool = False) -> Mapping[str, Entry]:
        return self.state(local).get(noun, {})

    def _offered(self) -> Mapping[str, Command]:
        product = lync_commands(self.deployment.version)
        own = powershell_commands(self.powershell_version)
        if not self.constrained and not self.machine.has_tzutil:
            own = {key: command for key, command in own.items() if key != "tzutil"}
        if not self.constrained:
            return {**own, **product} if self._imported else own
        roles = self.deployment.roles_of(self.person)
        seen = {key: command for key, command in product.items() if allowed(command.name, roles)}
        return {**seen, **{name.lower(): own[name.lower()] for name in IMPLICIT_REMOTING}}
