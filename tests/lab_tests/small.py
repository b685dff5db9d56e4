# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A deployment too small to have anything to do with Lync: it puts the lab's protocol half to the test."""

from __future__ import annotations

import asyncio
import inspect
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from lab.contract import (
    Account,
    Caller,
    CommandCall,
    Listener,
    PipelineStopped,
    Quotas,
    Server,
    Statement,
    Streams,
    TerminatingError,
    Timings,
    WsmanRefusal,
)
from lab.powershell.command_lines import parse
from lab.psrp.records import error_record
from lab.runtime import Lab
from psrpcore.types import ErrorCategory, InvocationInfo, PSNoteProperty, PSObject, PSSecureString, PSType

ADMIN = Account("CONTOSO\\uc-admin", "Pa:ss word-1", "uc-admin@CONTOSO.COM")
OTHER = Account("CONTOSO\\other", "Secret-2", "other@CONTOSO.COM")
GUEST = Account("CONTOSO\\guest", "Secret-3", "guest@CONTOSO.COM")
LOCKED = Account("CONTOSO\\locked", "Secret-4", "locked@CONTOSO.COM", refusal="locked")

#: Of this process alone: several may run tests at once.
ADDRESS = f"127.{100 + os.getpid() % 100}.{os.getpid() // 100 % 250}.1"
EVERY_WAY = frozenset({"basic", "negotiate", "ntlm", "credssp", "certificate"})


@dataclass
class SmallRunspace:
    """Commands named after what they do to the streams."""

    variables: dict[str, Any] = field(default_factory=dict)
    closed: bool = False

    def run(self, statements: Sequence[Statement], streams: Streams, input: Sequence[Any]) -> None:
        for index, statement in enumerate(statements):
            for command in statement:
                if command.is_script:
                    self._script(command.name, streams)
                    continue
                with streams.command(command.name, index, command.name.endswith(".exe")) as entry:
                    entry.parameters = {str(item.name): item.value for item in command.arguments}
                    entry.writes = command.name.startswith("Set-")
                    self._run(command, streams, input)

    def _script(self, text: str, streams: Streams) -> None:
        for line in parse(text):
            if isinstance(line, CommandCall):
                self.run([(line,)], streams, ())
            else:
                streams.host_exit(line.code or 0)

    def _run(self, command: CommandCall, streams: Streams, input: Sequence[Any]) -> None:
        values = [item.value for item in command.arguments]
        if command.name == "Write-Output":
            for value in values:
                streams.output(value)
        elif command.name == "Get-Input":
            for value in input:
                streams.output(value)
        elif command.name == "Set-Variable":
            self.variables[str(values[0])] = values[1]
        elif command.name == "Get-Variable":
            streams.output(self.variables.get(str(values[0])))
        elif command.name == "Get-Length":
            streams.output(len(str(values[0])))
        elif command.name == "Get-Secret":
            assert isinstance(values[0], PSSecureString)
            streams.output(values[0].decrypt())
        elif command.name == "Write-All":
            streams.verbose("a verbose line")
            streams.debug("a debug line")
            streams.warning("a warning")
            streams.error(a_record("it went wrong"))
            streams.host_write_line("What if: nothing")
            streams.output("done")
        elif command.name == "Get-Object":
            streams.output(SmallObject(Name="one", Kind=ErrorCategory.ObjectNotFound))
        elif command.name == "Stop-Here":
            raise TerminatingError(a_record("it cannot go on"))
        elif command.name == "Wait-Stop":
            streams.output("waiting")
            streams.stopped.wait()
            raise PipelineStopped
        elif command.name in ("Wait-Event", "wait.exe"):
            streams.output("waiting")
            EVENTS[str(values[0])].wait()
            streams.output("over")
        elif command.name == "Read-Choice":
            streams.output(streams.host_prompt_for_choice("Confirm", "Are you sure?", ["&Yes", "&No"], 0))
        else:
            raise TerminatingError(a_record(f"{command.name} is unknown"))

    def close(self) -> None:
        self.closed = True


@PSType(
    type_names=["Deserialized.Small"],
    adapted_properties=[PSNoteProperty("Name"), PSNoteProperty("Kind")],
)
class SmallObject(PSObject):
    """An object with a type name and an enumeration."""


EVENTS: dict[str, threading.Event] = {}


def a_record(message: str) -> Any:
    record = error_record(
        ["System.InvalidOperationException", "System.SystemException"],
        message,
        ErrorCategory.InvalidOperation,
        "SmallError",
        "Stop-Here",
    )
    record.InvocationInfo = InvocationInfo(
        BoundParameters={}, CommandOrigin=1, ExpectingInput=False, HistoryId=1, InvocationName="Stop-Here"
    )
    return record


@dataclass
class SmallServer:
    name: str = "fe01.contoso.com"
    fqdn: str = "fe01.contoso.com"
    address: str = ADDRESS
    listeners: Sequence[Listener] = (
        Listener("https", 15986, ("/wsman", "/OcsPowershell"), EVERY_WAY),
        Listener("http", 15985, authentication=frozenset({"negotiate", "ntlm", "kerberos", "credssp"})),
    )
    protocol_version: str = "2.3"
    powershell_version: str = "5.1.14393.1884"
    clr_version: str = "4.0.30319.42000"
    build_version: str = "10.0.14393.1884"
    accounts: Sequence[Account] = (ADMIN, OTHER, GUEST, LOCKED)
    quotas: Quotas = field(default_factory=Quotas)
    timings: Timings = field(default_factory=Timings)
    groups: Sequence[str] = ("front_ends", "pool01")
    inventory_account: Account = ADMIN
    inventory_authentication: str = "negotiate"
    inventory_variables: Mapping[str, Any] = field(default_factory=dict)
    keytab: str | None = None
    clock_offset_s: float = 0.0
    down_s: float = 0.0
    runspaces: list[SmallRunspace] = field(default_factory=list)

    def open_runspace(self, caller: Caller, path: str, configuration_name: str) -> SmallRunspace:
        if caller.account == GUEST.name:
            raise WsmanRefusal(5, "Access is denied.")
        if configuration_name != "Microsoft.PowerShell":
            raise WsmanRefusal(2150858811, f"no session configuration {configuration_name}")
        self.runspaces.append(SmallRunspace())
        return self.runspaces[-1]


@dataclass
class SmallDeployment:
    servers: Sequence[Server]
    name: str = "small"
    fault_kinds: Mapping[str, str] = field(default_factory=dict)
    faults: Sequence[Mapping[str, Any]] = ()
    went_down: Callable[[], None] = lambda: None

    def inject(self, kind: str, server: Server | None, options: Mapping[str, str]) -> str:
        raise ValueError(kind)

    def status(self) -> Mapping[str, Any]:
        return {}

    def watch(self, tell: Callable[..., None]) -> None:
        """Nothing happens besides commands."""

    def reset(self) -> None:
        """There is nothing to restore."""

    def close(self) -> None:
        """There is nothing to stop."""


class RunningLab:
    """A lab on a thread of its own, for tests in the same process."""

    def __init__(self, state: Path, *servers: SmallServer) -> None:
        self.state = state
        self.servers = servers
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)

    def __enter__(self) -> RunningLab:
        self._thread.start()
        self.lab = self.call(self._make)
        try:
            asyncio.run_coroutine_threadsafe(self.lab.start(), self._loop).result(20)
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *exception: object) -> None:
        asyncio.run_coroutine_threadsafe(self.lab.stop(), self._loop).result(20)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def call(self, work: Callable[[], Any]) -> Any:
        """Run something, awaitable or not, on the lab's event loop."""

        async def run() -> Any:
            result = work()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(20)

    @property
    def ca(self) -> str:
        return str(self.state / "certificates" / "ca.pem")

    def _make(self) -> Lab:
        return Lab(SmallDeployment(self.servers), self.state)
