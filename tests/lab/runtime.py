# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""A running lab: all servers of a deployment on one event loop, and what the command line asks of it."""

from __future__ import annotations

import asyncio
import inspect
import json
import os
import secrets
import signal
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from .certificate_authority import CertificateAuthority
from .contract import Deployment, Server
from .counters import Counters, total
from .engine import EmbeddedEngine, Engine
from .injection import COMMAND_FAULTS, REQUEST_FAULTS, Injector, Rule, matches
from .inventory import write_inventory
from .journal import Journal
from .wsman.authentication import Accounts, check_kerberos
from .wsman.http import HttpListener
from .wsman.service import Service

#: Pipelines that run at once; hanging ones count. Threads are made as they are needed.
_THREADS = 512


class Lab:
    """The servers of a deployment.

    Args:
        deployment: what to simulate.
        state: a directory for the journal, certificates, inventory and control file; made if need be.
        engine: what runs the pipelines of its sessions; the embedded one if there is none.
    """

    def __init__(self, deployment: Deployment, state: Path, engine: Engine | None = None) -> None:
        state.mkdir(parents=True, exist_ok=True)
        self.deployment = deployment
        self._engine = engine or EmbeddedEngine()
        self.state = state.resolve()
        self.journal = Journal(state / "journal.jsonl")
        deployment.watch(self.journal.record)
        self.injector = Injector()
        self.counters: dict[str, Counters] = {}
        self.services: dict[str, Service] = {}
        self.stopping = asyncio.Event()
        self._executor = ThreadPoolExecutor(_THREADS, thread_name_prefix="pipeline")
        self.listeners: dict[str, list[HttpListener]] = {}
        self._control: asyncio.Server | None = None
        self._boots: dict[str, asyncio.TimerHandle] = {}  # when servers that are down come up, by name
        self._tasks: set[asyncio.Task[None]] = set()
        self._commands: dict[str, Callable[[dict[str, Any]], Any]] = {
            "status": lambda request: self.status(),
            "inject": self.inject,
            "reset": lambda request: self.reset(),
            "down": lambda request: self.stopping.set(),
        }

    async def start(self) -> None:
        """Open every listener and write the inventory.

        Raises OSError if an address is taken, ValueError if a server asks for what is not installed or the
        deployment for a fault that there is not.
        """
        check_kerberos(self.deployment.servers)
        self._engine.prepare(self.deployment.servers)
        loop = asyncio.get_running_loop()

        def went_down() -> None:
            loop.call_soon_threadsafe(self._take_down)

        self.deployment.went_down = went_down
        authority = CertificateAuthority(self.state / "certificates")
        for index, server in enumerate(self.deployment.servers):
            counters = self.counters[server.name] = Counters()
            service = Service(
                server, loop, self._executor, self.journal, counters, self.injector, self._engine
            )
            self.services[server.name] = service
            self.listeners[server.name] = []
            accounts = Accounts(server, self.state / "credentials" / str(index))
            for listener in server.listeners:
                tls, fingerprint = None, None
                if listener.scheme == "https":
                    tls, fingerprint = authority.server_context(
                        server.fqdn,
                        server.address,
                        listener.certificate,
                        "certificate" in listener.authentication,
                    )
                http = HttpListener(service, listener, accounts, tls, fingerprint)
                self.listeners[server.name].append(http)
                await http.listen()
        self._issue_client_certificates(authority)
        write_inventory(self.state / "inventory", self.deployment.servers, authority.path)
        await self._listen_for_control()
        self._inject_configured()
        self.journal.record("started", "*", deployment=self.deployment.name)

    async def stop(self) -> None:
        """Close everything; nothing is left behind but the files."""
        for boot in self._boots.values():
            boot.cancel()
        if self._control is not None:
            self._control.close()
        for service in self.services.values():
            service.close_shells("the lab stops")
        every = [listener for listeners in self.listeners.values() for listener in listeners]
        await asyncio.gather(*(listener.stop() for listener in every))
        self.deployment.close()
        self._executor.shutdown(wait=False, cancel_futures=True)
        self.journal.close()
        (self.state / "control.json").unlink(missing_ok=True)

    async def run(self, ready: Callable[[], None]) -> None:
        """Start, call ``ready``, and serve until SIGINT, SIGTERM or a ``down`` command."""
        loop = asyncio.get_running_loop()
        for number in (signal.SIGINT, signal.SIGTERM):
            loop.add_signal_handler(number, self.stopping.set)
        try:
            await self.start()
            ready()
            await self.stopping.wait()
        finally:
            await self.stop()

    # What the command line asks

    def status(self) -> dict[str, Any]:
        return {
            "deployment": self.deployment.name,
            "servers": {
                server.name: {
                    "address": server.address,
                    "listeners": [f"{item.scheme}:{item.port}" for item in server.listeners],
                    "counters": self.counters[server.name].values(),
                }
                for server in self.deployment.servers
            },
            "totals": total(list(self.counters.values())),
            "faults": [rule.as_dict() for rule in self.injector.rules()],
            "state": dict(self.deployment.status()),
        }

    def inject(self, request: dict[str, Any]) -> str:
        """Add a fault of the protocol, or hand one of the deployment over. Raises ValueError."""
        kind, name = request["kind"], request.get("server") or "*"
        options = dict(request.get("options") or {})
        servers = self._matching(name)
        if kind in self.deployment.fault_kinds and "command" in options:
            return self._inject_before(kind, name, options)
        if kind in self.deployment.fault_kinds:
            chosen: list[Server | None] = [*servers] if name != "*" else [None]
            done = [self.deployment.inject(kind, server, options) for server in chosen]
            self._take_down()
            return "\n".join(done)
        if kind not in REQUEST_FAULTS and kind not in COMMAND_FAULTS:
            known = dict.fromkeys((*REQUEST_FAULTS, *COMMAND_FAULTS, *self.deployment.fault_kinds))
            raise ValueError(f"there is no fault {kind!r}; the kinds are {', '.join(known)}")
        try:
            rule = Rule(kind, name, **{key: _converted(key, value) for key, value in options.items()})
        except TypeError:
            known = dict.fromkeys(name for name in vars(Rule("delay")) if name not in ("kind", "server"))
            unknown = next(option for option in options if option not in known)
            raise ValueError(
                f"{kind} has no option {unknown!r}; its options are: {', '.join(known)}"
            ) from None
        self.injector.add(rule)
        place = f"command {rule.command}" if rule.command else f"request {rule.request or '*'}"
        often = f"{rule.times} time(s)" if rule.times else "until reset"
        return f"{kind} on {name}, {place}, {often}"

    def _inject_before(self, kind: str, name: str, options: dict[str, Any]) -> str:
        """Let a fault of the deployment happen right before a command that a client sends."""
        strikes = {
            key: _converted(key, options.pop(key)) for key in ("command", "times", "skip") if key in options
        }

        def act(server: Server) -> str:
            return self.deployment.inject(kind, server, options)

        rule = Rule(kind, name, **strikes, action=act)
        self.injector.add(rule)
        often = f"{rule.times} time(s)" if rule.times else "until reset"
        return f"{kind} before command {rule.command} on {name}, {often}"

    def _inject_configured(self) -> None:
        """What the deployment file wants to go wrong. Raises ValueError."""
        for fault in self.deployment.faults:
            options = {name: str(value) for name, value in fault.items() if name not in ("kind", "server")}
            self.inject({"kind": fault["kind"], "server": fault.get("server"), "options": options})

    async def reset(self) -> str:
        """Close all sessions, zero the counters, restore the deployment and its file's faults, forget others."""
        for service in self.services.values():
            service.close_shells("reset")
        self.injector.clear()
        self.deployment.reset()
        for server in self.deployment.servers:
            if server.name in self._boots:
                await self._bring_up(server)
        self._inject_configured()
        for counters in self.counters.values():
            counters.reset()
        self.journal.record("reset", "*")
        return "The deployment is as its file says."

    def _matching(self, pattern: str) -> list[Server]:
        """The servers of that inventory name, which may be a pattern; raises ValueError if there is none."""
        found = [server for server in self.deployment.servers if matches(server.name, pattern)]
        if not found:
            names = ", ".join(server.name for server in self.deployment.servers[:12])
            more = ", ..." if len(self.deployment.servers) > 12 else ""
            raise ValueError(f"there is no server {pattern!r}; there are {names}{more}")
        return found

    # Computers that reboot

    def _take_down(self) -> None:
        """Reset the connections of servers that went down, and refuse new ones until they are up again."""
        for server in self.deployment.servers:
            if server.name not in self._boots and server.down_s > 0:
                for listener in self.listeners[server.name]:
                    listener.close()
                self.services[server.name].close_shells("the computer went down")
                self.journal.record("went_down", server.name)
                self._boot_later(server)

    def _boot_later(self, server: Server) -> None:
        def boot() -> None:
            task = loop.create_task(self._bring_up(server))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

        loop = asyncio.get_running_loop()
        self._boots[server.name] = loop.call_later(server.down_s, boot)

    async def _bring_up(self, server: Server) -> None:
        if server.down_s > 0:
            self._boot_later(server)
            return
        boot = self._boots.pop(server.name, None)
        if boot is None:
            return  # a reset was quicker
        boot.cancel()
        for listener in self.listeners[server.name]:
            await listener.listen()
        self.journal.record("came_up", server.name)

    def _issue_client_certificates(self, authority: CertificateAuthority) -> None:
        principals = {
            account.principal
            for server in self.deployment.servers
            if any("certificate" in listener.authentication for listener in server.listeners)
            for account in server.accounts
            if account.principal
        }
        for principal in sorted(principals):
            authority.client_certificate(principal)

    # The control socket

    async def _listen_for_control(self) -> None:
        token = secrets.token_hex(16)

        async def converse(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            try:
                request = json.loads(await reader.readline() or b"null")
                if isinstance(request, dict) and secrets.compare_digest(str(request.get("token")), token):
                    answer = await self._obey(request)
                    writer.write(json.dumps(answer, default=str).encode() + b"\n")
                    await writer.drain()
            except (ValueError, ConnectionError):
                pass
            writer.close()

        self._control = await asyncio.start_server(converse, "127.0.0.1", 0)
        path = self.state / "control.json"
        path.unlink(missing_ok=True)
        path.touch(mode=0o600)
        port = self._control.sockets[0].getsockname()[1]
        path.write_text(json.dumps({"port": port, "token": token, "pid": os.getpid()}))

    async def _obey(self, request: dict[str, Any]) -> dict[str, Any]:
        command = self._commands.get(str(request.get("command")))
        try:
            if command is None:
                return {"error": f"there is no command {request.get('command')!r}"}
            result = command(request)
            return {"result": await result if inspect.isawaitable(result) else result}
        except (ValueError, KeyError) as error:
            return {"error": str(error)}
        except Exception as error:  # whatever it is, the one who asked should hear of it
            return {"error": f"{type(error).__name__}: {error}"}


def _converted(name: str, value: str) -> Any:
    """An option of a rule from its text; raises ValueError."""
    kind = int if name in ("times", "skip", "code") else float if name == "seconds" else str
    try:
        return kind(value)
    except ValueError:
        raise ValueError(f"{name} must be a number, not {value!r}") from None
