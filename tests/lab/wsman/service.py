# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The WS-Management service of one server: what each action does (MS-WSMV 3.1.4)."""

from __future__ import annotations

import asyncio
import random
import re
import uuid
from collections import Counter
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from xml.etree import ElementTree

from ..contract import Caller, Listener, Runspace, Server, WsmanRefusal
from ..counters import Counters
from ..engine import Engine
from ..host_process import HostProcess
from ..injection import Injector
from ..journal import Journal
from ..psrp.outbox import OutboxClosed
from ..psrp.pipeline import version_at_least
from ..psrp.plugin import PowerShellPlugin
from ..psrp.protocol import FRAGMENT_HEADER_SIZE, FRAGMENT_SIZE
from . import fault
from .envelope import (
    IDENTITY,
    POWERSHELL,
    SHELL,
    WSMAN,
    MalformedRequest,
    Request,
    element,
    local_name,
    parse_duration,
    parse_request,
    response,
)
from .plugin import STREAM_OVERHEAD, Plugin, decode
from .shell import Shell

SOAP_TYPE = "application/soap+xml"

_NUMBER = re.compile(r"[0-9]{1,10}")
#: Octets; a smaller MaxEnvelopeSize is refused (DSP0226 6.2).
_LEAST_ENVELOPE = 8192
#: Why pending Receives end: the process that holds the shell is gone.
HOST_PROCESS_GONE = "host process gone"
#: Room for the envelope around the data of a Receive.
_ENVELOPE_OVERHEAD = 2048


class ConnectionDropped(Exception):
    """An injected fault: the connection the request came on is to be dropped without an answer."""


@dataclass(frozen=True)
class Origin:
    """Where a request came from and by which door."""

    caller: Caller
    listener: Listener
    path: str
    host: str  # by which the client addressed the server, with the port if it said one
    client_address: str

    @property
    def url(self) -> str:
        return f"{self.listener.scheme}://{self.host}{self.path}"

    @property
    def machine(self) -> str:
        """What faults call the server: recorded ones had the name or address that the client used."""
        return self.host.rpartition(":")[0] or self.host


@dataclass(frozen=True)
class Answer:
    status: int
    body: bytes
    content_type: str = SOAP_TYPE
    challenges: tuple[str, ...] = ()


class Service:
    """The shells of one server. Lives on the event loop."""

    def __init__(
        self,
        server: Server,
        loop: asyncio.AbstractEventLoop,
        executor: ThreadPoolExecutor,
        journal: Journal,
        counters: Counters,
        injector: Injector,
        engine: Engine,
    ) -> None:
        self.server = server
        self._engine = engine
        self.quotas = server.quotas.on(server.protocol_version)
        self.counters = counters
        self.injector = injector
        self.journal = journal
        self.shells: dict[str, Shell] = {}
        self._loop = loop
        self._executor = executor
        #: The WinRM stack that comes with PowerShell 2.0 chooses all identifiers itself and cannot disconnect shells.
        self._modern = version_at_least(server.protocol_version, "2.2")
        self._actions: dict[str, Callable[[Request, Origin], Awaitable[str]]] = {
            "http://schemas.xmlsoap.org/ws/2004/09/transfer/Create": self._create,
            "http://schemas.xmlsoap.org/ws/2004/09/transfer/Delete": self._delete,
            "http://schemas.xmlsoap.org/ws/2004/09/transfer/Get": self._get,
            f"{SHELL}/Command": self._command,
            f"{SHELL}/Send": self._send,
            f"{SHELL}/Receive": self._receive,
            f"{SHELL}/Signal": self._signal,
        }

    async def handle(self, data: bytes, origin: Origin) -> Answer:
        """Answer one SOAP message. Raises ConnectionDropped."""
        try:
            request = parse_request(data)
        except MalformedRequest:
            # It has none of the headers of other requests (DSP0226 section 11).
            return Answer(200, identify(self.server)) if b"Identify" in data else Answer(400, b"")
        try:
            if request.not_understood:
                raise fault.not_understood(request.not_understood)
            if request.insists_on_language:
                raise fault.language_not_certain()
            action = self._actions.get(request.action)
            if action is None:
                raise fault.action_not_supported(request.action)
            # What the client allows is looked at before anything is done.
            limit = self._envelope_limit(request)
            self._operation_timeout(request)
            answer = response(request, await action(request, origin), self._modern)
            if len(answer) > limit:
                raise fault.envelope_exceeded(len(answer), limit)
            return Answer(200, answer)
        except fault.Fault as error:
            self.counters.add(faults=1)
            return Answer(500, response(request, error.body(origin.machine), self._modern, error.action))

    def refusal(self, data: bytes, error: fault.Fault, origin: Origin) -> Answer:
        """Answer one SOAP message with a fault, without looking at what it asks."""
        self.counters.add(faults=1)
        return Answer(
            500, response(parse_request(data), error.body(origin.machine), self._modern, error.action)
        )

    def close_shell(self, shell: Shell, reason: str, pending: str | None = None) -> None:
        """Take a shell away, for whatever reason; ``pending`` as in Shell.close."""
        if self.shells.pop(shell.id, None) is None:
            return
        shell.close(pending)
        self.counters.add(sessions_open=-1)
        self.journal.record(
            "session_closed", self.server.name, session=shell.id, caller=shell.caller.account, reason=reason
        )

    def close_shells(self, reason: str) -> None:
        for shell in list(self.shells.values()):
            self.close_shell(shell, reason)

    # Shells

    async def _create(self, request: Request, origin: Origin) -> str:
        """Create: a new shell of PowerShell."""
        opened = request.operation("Shell")
        if opened is None:
            raise fault.schema_validation("Shell")
        account = origin.caller.account
        make = self._maker(request, origin, opened)
        idle_timeout = self._idle_timeout(_part(opened, "IdleTimeOut"))
        limit = self.quotas.shells_per_user
        owners = Counter(shell.caller.account for shell in self.shells.values())
        if owners[account] >= limit:
            self._refuse(origin, f"more than {limit} shells")
            raise fault.too_many_shells(limit)
        limit = self.quotas.concurrent_users
        if account not in owners and len(owners) >= limit:
            self._refuse(origin, f"more than {limit} accounts with shells")
            raise fault.too_many_users(limit)
        shell_id = opened.get("ShellId", "").upper() if self._modern else ""
        shell_id = shell_id or str(uuid.uuid4()).upper()
        host = HostProcess(
            self.server,
            origin.caller,
            shell_id,
            random.randrange(1000, 30000, 4),
            self.quotas,
            self.injector,
            self.journal,
        )
        try:
            plugin = make(host)
        except WsmanRefusal as refusal:
            self._refuse(origin, refusal.message)
            if refusal.code == fault.ACCESS_DENIED:
                raise fault.access_denied() from refusal
            if refusal.code == fault.INVALID_RESOURCE_URI:
                raise fault.resource_not_found(request.resource_uri) from refusal
            raise fault.Fault(refusal.code, refusal.message) from refusal
        shell = Shell(
            id=shell_id,
            resource_uri=request.resource_uri,
            caller=origin.caller,
            client_address=origin.client_address,
            idle_timeout=idle_timeout,
            input_streams=_part(opened, "InputStreams") or plugin.input_streams,
            output_streams=_part(opened, "OutputStreams") or plugin.output_streams,
            plugin=plugin,
            loop=self._loop,
            expire=lambda shell: self.close_shell(shell, "idle time-out"),
        )
        self.shells[shell_id] = shell
        self.counters.add(sessions_opened=1, sessions_open=1)
        self.journal.record(
            "session_opened",
            self.server.name,
            session=shell_id,
            caller=account,
            authentication=origin.caller.authentication,
            path=origin.path,
            resource=request.resource_uri,
        )
        created = (
            f"<x:ResourceCreated>{element('a:Address', origin.url)}<a:ReferenceParameters>"
            f"{element('w:ResourceURI', request.resource_uri)}<w:SelectorSet>"
            f"{element('w:Selector', shell_id, Name='ShellId')}</w:SelectorSet></a:ReferenceParameters>"
            "</x:ResourceCreated>"
        )
        return created + shell.describe(memory=False) if self._modern else created

    def _maker(
        self, request: Request, origin: Origin, opened: ElementTree.Element
    ) -> Callable[[HostProcess], Plugin]:
        """How the shell of that resource is made. Raises Fault where there is no such resource."""

        def open_runspace(configuration_name: str) -> Runspace:
            return self.server.open_runspace(origin.caller, origin.path, configuration_name)

        if not request.resource_uri.startswith(f"{POWERSHELL}/"):
            raise fault.resource_not_found(request.resource_uri)
        creation = decode(_part(opened, "creationXml") or "")
        configuration_name = request.resource_uri.removeprefix(f"{POWERSHELL}/")
        fragment_size = self._fragment_size(request)

        def make(host: HostProcess) -> PowerShellPlugin:
            pool = self._engine.open_pool(
                host,
                lambda: open_runspace(configuration_name),
                fragment_size,
                self._loop,
                self._executor,
                lambda reason="memory quota": self._exhausted(host.shell_id, reason),
            )
            return PowerShellPlugin(pool, creation)

        return make

    def _refuse(self, origin: Origin, reason: str) -> None:
        self.journal.record(
            "session_refused", self.server.name, caller=origin.caller.account, path=origin.path, reason=reason
        )

    def _idle_timeout(self, asked: str | None) -> float:
        if asked is None:
            return self.quotas.idle_timeout_s
        seconds = parse_duration(asked)
        if seconds is None or seconds < self.quotas.idle_timeout_minimum_s:
            raise fault.invalid_parameter()
        return seconds

    def _exhausted(self, shell_id: str, reason: str = "memory quota") -> None:
        """A shell's host process died, as for want of memory (MaxMemoryPerShellMB; reports of OutOfMemoryException)."""
        shell = self.shells.get(shell_id)
        if shell is not None:
            self.close_shell(shell, reason, HOST_PROCESS_GONE)

    def _fragment_size(self, request: Request) -> int:
        room = (self._envelope_limit(request) - _ENVELOPE_OVERHEAD - STREAM_OVERHEAD) // 4 * 3
        return max(min(FRAGMENT_SIZE, room), FRAGMENT_HEADER_SIZE + 64)

    def _envelope_limit(self, request: Request) -> int:
        """What the answer may measure: what the client asked for, within what the server allows."""
        limit = self.quotas.envelope_size_kb * 1024
        asked = request.max_envelope_size
        if asked is None:
            return limit
        if not _NUMBER.fullmatch(asked):
            raise fault.invalid_envelope_size()
        if int(asked) < _LEAST_ENVELOPE:
            raise fault.envelope_too_small(int(asked), _LEAST_ENVELOPE)
        return min(int(asked), limit)

    def _shell(self, request: Request, origin: Origin) -> Shell:
        """The shell a request selects; only its owner may touch it."""
        names = [name for name, _ in request.selectors]
        if len(set(names)) < len(names):
            raise fault.duplicate_selectors()
        if "ShellId" not in names:
            raise fault.unexpected_selectors() if names else fault.insufficient_selectors()
        if len(names) > 1:
            raise fault.unexpected_selectors()
        shell_id = request.selectors[0][1]
        shell = self.shells.get(shell_id.upper())
        if shell is None:
            raise fault.shell_not_found(shell_id)
        if shell.caller.account != origin.caller.account:
            raise fault.access_denied()
        return shell

    async def _delete(self, request: Request, origin: Origin) -> str:
        self.close_shell(self._shell(request, origin), "deleted")
        return ""

    async def _get(self, request: Request, origin: Origin) -> str:
        if request.resource_uri != SHELL and not request.resource_uri.startswith(f"{POWERSHELL}/"):
            raise fault.resource_not_found(request.resource_uri)
        try:
            shell = self._shell(request, origin)
        except fault.Fault as error:
            raise fault.no_such_instance() if error.code == fault.UNEXPECTED_SELECTORS else error from None
        return shell.describe(memory=True)

    # Commands

    async def _command(self, request: Request, origin: Origin) -> str:
        """Command: a pipeline."""
        shell = self._shell(request, origin)
        line = request.operation("CommandLine")
        if line is None:
            raise fault.schema_validation("CommandLine")
        quotas = self.quotas
        if len(shell.plugin.commands) >= quotas.commands_per_shell:
            raise fault.too_many_commands()
        operations = sum(
            len(other.plugin.commands)
            for other in self.shells.values()
            if other.caller.account == origin.caller.account
        )
        if operations >= quotas.operations_per_user:
            raise fault.too_many_operations(quotas.operations_per_user)
        command_id = line.get("CommandId", "").upper() if self._modern else ""
        command_id = command_id or str(uuid.uuid4()).upper()
        with shell.used():
            shell.plugin.start(command_id, line, request)
            self.counters.add(pipelines=1)
        return f"<rsp:CommandResponse>{element('rsp:CommandId', command_id)}</rsp:CommandResponse>"

    async def _send(self, request: Request, origin: Origin) -> str:
        """Send: input for the shell or a command."""
        shell = self._shell(request, origin)
        send = request.operation("Send")
        if send is None:
            raise fault.schema_validation("Send")
        with shell.used():
            for stream in send:
                command_id = stream.get("CommandId")
                shell.plugin.send(command_id and self._command_of(shell, command_id), stream)
        return "<rsp:SendResponse/>"

    async def _signal(self, request: Request, origin: Origin) -> str:
        """Signal (MS-WSMV 3.1.4.12): stop a command, or be done with it."""
        shell = self._shell(request, origin)
        signal = request.operation("Signal")
        if signal is None:
            raise fault.schema_validation("Signal")
        code = next((part.text or "" for part in signal if local_name(part) == "Code"), "")
        with shell.used():
            command_id = self._command_of(shell, signal.get("CommandId", ""))
            if shell.plugin.signal(command_id, code):
                shell.plugin.end(command_id)
                shell.receives.pop(command_id, None)
        return "<rsp:SignalResponse/>"

    async def _receive(self, request: Request, origin: Origin) -> str:
        """Receive: wait for data up to the OperationTimeout."""
        shell = self._shell(request, origin)
        receive = request.operation("Receive")
        stream = None if receive is None else next(iter(receive), None)
        if stream is None:
            raise fault.schema_validation("Receive")
        timeout = self._operation_timeout(request)
        command_id = stream.get("CommandId") or None
        if command_id is not None:
            command_id = self._command_of(shell, command_id)
        last = shell.receives.get(command_id)
        if last is not None and last[0] == request.message_id:
            # A client that lost the answer sends the very same request again and gets the same data.
            return last[1]
        plugin = shell.plugin
        outbox = plugin.outbox(command_id)
        if command_id and outbox.exhausted:
            raise fault.command_not_found()
        with shell.used():
            try:
                delivery = await outbox.collect(
                    self._room(request), plugin.size, timeout, gather=command_id is not None
                )
            except OutboxClosed as closed:
                if closed.reason == "drop":
                    raise ConnectionDropped from closed
                if closed.reason == HOST_PROCESS_GONE:
                    raise fault.host_process_gone() from closed
                raise fault.operation_aborted() from closed
        if delivery is None:
            raise fault.operation_timed_out()
        body = f"<rsp:ReceiveResponse>{plugin.delivered(command_id, delivery)}</rsp:ReceiveResponse>"
        shell.receives[command_id] = (request.message_id, body)
        return body

    def _room(self, request: Request) -> int:
        """For data in the answer, in octets."""
        return self._envelope_limit(request) - _ENVELOPE_OVERHEAD

    def _operation_timeout(self, request: Request) -> float:
        """What the client asks for, up to MaxTimeoutms (MS-WSMV 2.2.4.10)."""
        if request.operation_timeout is None:
            return self.quotas.operation_timeout_s
        seconds = parse_duration(request.operation_timeout)
        if seconds is None:
            raise fault.invalid_timeout(request.operation_timeout)
        return min(seconds, self.quotas.operation_timeout_s)

    def _command_of(self, shell: Shell, command_id: str) -> str:
        """The identifier of a command that there is, as the shell knows it. Raises Fault."""
        if command_id.upper() not in shell.plugin.commands:
            raise fault.command_not_found()
        return command_id.upper()


def _part(parent: ElementTree.Element, name: str) -> str | None:
    """The text of the child element of that local name."""
    found = next((part for part in parent if local_name(part) == name), None)
    return None if found is None else (found.text or "").strip()


def identify(server: Server) -> bytes:
    """The answer to Identify, as Windows gives it to authenticated clients."""
    stack = "3.0" if version_at_least(server.protocol_version, "2.2") else "2.0"
    build = ".".join(server.build_version.split(".")[:3])
    return (
        '<s:Envelope xml:lang="en-US" xmlns:s="http://www.w3.org/2003/05/soap-envelope"><s:Header/><s:Body>'
        f'<wsmid:IdentifyResponse xmlns:wsmid="{IDENTITY}"><wsmid:ProtocolVersion>{WSMAN}</wsmid:ProtocolVersion>'
        "<wsmid:ProductVendor>Microsoft Corporation</wsmid:ProductVendor>"
        f"<wsmid:ProductVersion>OS: {build} SP: 0.0 Stack: {stack}</wsmid:ProductVersion>"
        "</wsmid:IdentifyResponse></s:Body></s:Envelope>"
    ).encode()
