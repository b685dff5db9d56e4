# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Tasks against a lab, both in the tests' own process: hundreds of them take seconds.

The action and connection plugins are the real ones, and so are the requests; only Ansible's forks are left out. What
the lab has seen and holds is looked at directly.
"""

from __future__ import annotations

import asyncio
import datetime
import importlib
import inspect
import json
import signal
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from types import SimpleNamespace
from typing import Any, NoReturn

import lab.psrp.outbox
from ansible import constants
from ansible.parsing.dataloader import DataLoader
from ansible.playbook.play_context import PlayContext
from ansible.plugins.loader import connection_loader, init_plugin_loader
from ansible.template import Templar
from ansible.utils.collection_loader import AnsibleCollectionConfig
from lab.deployment import LyncDeployment, build_deployment
from lab.engine import engine_named
from lab.injection import Injector, Rule
from lab.inventory import host_variables
from lab.runtime import Lab
from running import CHECKOUT

if AnsibleCollectionConfig.collection_finder is None:
    init_plugin_loader([str(CHECKOUT / ".collections")])

PLUGINS = "ansible_collections.lync.remediation.plugins"
CONNECTION = "lync.remediation.management_shell"


class CountingExecutor(ThreadPoolExecutor):
    """Knows whether anything that it was given still runs."""

    def __init__(self) -> None:
        super().__init__(64, thread_name_prefix="pipeline")
        self._unfinished: set[Future[Any]] = set()

    def submit(self, *arguments: Any, **keywords: Any) -> Future[Any]:
        future = super().submit(*arguments, **keywords)
        self._unfinished.add(future)
        future.add_done_callback(self._unfinished.discard)
        return future

    @property
    def busy(self) -> bool:
        return bool(self._unfinished)


@dataclass(frozen=True)
class Fault:
    """What happens to the ``place``-th request from the first writing pipeline on (0: the one that hands it over).

    ``kind`` is one of the lab's; or ``interrupt``: the task's own time-out while its request is answered; or ``gone``:
    from then on nobody listens. ``lasting``: it happens to all requests that follow as well.
    """

    place: int
    kind: str
    options: Mapping[str, Any] = field(default_factory=dict)
    lasting: bool = False


class Striker(Injector):
    """Numbers the requests, and breaks some."""

    def __init__(self) -> None:
        super().__init__()
        self.names: list[str] = []
        self.interrupted = False
        self.on_request: Callable[[int], None] | None = None
        self.close: Callable[[], None] = lambda: None
        self._first = 0
        self._faults: Sequence[Fault] = ()

    def break_at(self, faults: Sequence[Fault], first: int) -> None:
        """``first``: how many requests come before the first writing pipeline's."""
        self.names, self.interrupted = [], False
        self._faults, self._first = faults, first

    def rules(self) -> list[Rule]:
        return super().rules() or [Rule("delay")]  # without any, requests are not asked for

    def request_fault(self, server: str, request: str) -> Rule | None:
        number = len(self.names) - self._first
        self.names.append(request)
        if self.on_request is not None:
            self.on_request(len(self.names))
        fault = next(
            (each for each in self._faults if number == each.place or (number > each.place and each.lasting)),
            None,
        )
        if fault is None:
            return super().request_fault(server, request)
        if fault.kind == "interrupt":
            self.interrupted = True
            signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGALRM)
            return Rule("delay", seconds=0.2)
        if fault.kind == "gone":
            self.close()
            return Rule("drop-before")
        return Rule(fault.kind, **fault.options)


class TaskTimeoutError(BaseException):
    """Named as Ansible's, whose module has moved between its versions."""


@contextmanager
def interruptible() -> Iterator[None]:
    """SIGALRM raises where the task is, as Ansible lets it."""

    def interrupt(number: int, frame: object) -> NoReturn:
        raise TaskTimeoutError

    earlier = signal.signal(signal.SIGALRM, interrupt)
    try:
        yield
    finally:
        signal.signal(signal.SIGALRM, earlier)


class LabInProcess:
    """A deployment on a thread of its own. ``number`` tells those of a test apart; ``engine`` is the lab's."""

    def __init__(self, document: Mapping[str, Any], state: Path, number: int = 0, *, engine: str) -> None:
        self.number = number
        self._engine = engine
        #: For whoever uses it, until it stops.
        self.references: dict[Any, Any] = {}
        # Every pipeline's answer comes in one Receive, however busy the machine is, so that requests can be numbered.
        lab.psrp.outbox.GATHER_S = 30.0
        self._leap = 0.0
        self.deployment: LyncDeployment = build_deployment(
            dict(document), monotonic=lambda: time.monotonic() + self._leap
        )
        self.state = state
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="lab", daemon=True)
        self.striker = Striker()
        self.executor = CountingExecutor()
        self.commands: list[dict[str, Any]] = []
        self.faults = 0
        self.first_write: int | None = None
        self.on_write: Callable[[str], None] | None = None

    def __enter__(self) -> LabInProcess:
        self._thread.start()
        self._lab = self._call(
            lambda: Lab(self.deployment, self.state, engine_named(self._engine, self.state / "engine"))
        )
        self._lab.injector, self._lab._executor = self.striker, self.executor
        self.striker.close = self._close
        record = self._lab.journal.record

        def watch(event: str, server: str, **details: Any) -> None:
            record(event, server, **details)
            self.faults += event == "fault"
            if event == "command":
                self._noted({"server": server, **json.loads(json.dumps(details, default=str))})

        self._lab.journal.record = watch
        self.deployment.watch(watch)
        self._call(self._lab.start, 300)  # a real PowerShell compiles the lab's cmdlets
        return self

    def __exit__(self, *exception: object) -> None:
        self._call(self._lab.stop)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def _noted(self, command: dict[str, Any]) -> None:
        self.commands.append({**command, "time": datetime.datetime.now(datetime.timezone.utc)})
        if not command["writes"]:
            return
        if self.first_write is None:
            handed_over = [number for number, name in enumerate(self.striker.names) if name == "Command"]
            self.first_write = handed_over[-1]
        if self.on_write is not None:
            self.on_write(command["name"])

    def _call(self, work: Callable[[], Any], seconds: float = 20) -> Any:
        async def run() -> Any:
            result = work()
            return await result if inspect.isawaitable(result) else result

        return asyncio.run_coroutine_threadsafe(run(), self._loop).result(seconds)

    def reset(self) -> None:
        """As the deployment's description says, without a session."""
        self.heal()
        self.settle()
        self._call(self._lab.reset)
        self.on_write, self._leap = None, 0.0
        self.forget()

    def forget(self) -> None:
        """What has been seen so far."""
        self.settle()
        self.commands, self.faults, self.first_write = [], 0, None
        self.striker.break_at([], 0)

    def inject(self, kind: str, **options: Any) -> None:
        self._lab.inject({"kind": kind, "server": "*", "options": options})

    def _listeners(self) -> list[Any]:
        return [listener for listeners in self._lab.listeners.values() for listener in listeners]

    def _close(self) -> None:
        for listener in self._listeners():
            listener.close()

    def heal(self) -> None:
        """Nothing breaks any more."""
        for listener in self._listeners():
            if not listener.listening:
                self._call(listener.listen)
        self.striker.break_at([], 0)
        self.striker.clear()
        self.striker.on_request = None

    def leap(self, seconds: float) -> None:
        """Let the deployment's time go on."""
        self._leap += seconds

    def settle(self) -> None:
        """Wait until no command runs any more, so that what the deployment holds is final."""
        deadline = time.monotonic() + 60
        while self.executor.busy:
            assert time.monotonic() < deadline
            time.sleep(0.005)

    @property
    def writes(self) -> list[dict[str, Any]]:
        """The commands that changed the deployment, or tried to."""
        return [command for command in self.commands if command["writes"]]

    @property
    def sessions(self) -> int:
        """How many are open."""
        return sum(len(service.shells) for service in self._lab.services.values())

    def status(self) -> Mapping[str, Any]:
        """What the deployment holds."""
        return self.deployment.status()

    def variables(self, host: str) -> dict[str, Any]:
        """The inventory's for a host."""
        server = next(server for server in self.deployment.servers if server.name == host)
        authority = self.state.resolve() / "certificates" / "ca.pem"
        return {"inventory_hostname": host, **host_variables(server, authority)}

    @property
    def hostvars(self) -> dict[str, dict[str, Any]]:
        """The variables of all hosts, as a task has them that asks others."""
        reached = {"ansible_connection": CONNECTION}
        return {server.name: {**reached, **self.variables(server.name)} for server in self.deployment.servers}


class Worker:
    """Runs one task after the other as Ansible's workers do: each leaves the session to the next.

    ``run_folder`` is the private folder of the run.
    """

    def __init__(self, variables: Mapping[str, Any], run_folder: Path, journal: Path) -> None:
        self._variables = {**variables, "lync_remediation_journal": str(journal)}
        self._run_folder = run_folder
        run_folder.mkdir(mode=0o700)

    def run(
        self, module: str, arguments: Mapping[str, Any], *, check: bool = False, **variables: Any
    ) -> dict[str, Any]:
        """A task's result. ``variables`` are the task's own."""
        connection = self._connection(variables)
        try:
            with interruptible():
                result: dict[str, Any] = self._action(module, arguments, connection, check).run(
                    task_vars={**self._variables, **variables}
                )
                assert result.get("failure") != "defect", result["exception"]
                return result
        finally:
            connection.close()

    def reset_connection(self, **variables: Any) -> None:
        """``variables``: those of another host, whose session the tasks have used as well."""
        self._connection(variables).reset()

    def _connection(self, variables: Mapping[str, Any]) -> Any:
        constants.DEFAULT_LOCAL_TMP = str(self._run_folder)
        connection = connection_loader.get(CONNECTION, PlayContext())
        connection.set_options(var_options={**self._variables, **variables})
        return connection

    def _action(self, module: str, arguments: Mapping[str, Any], connection: Any, check: bool) -> Any:
        task = SimpleNamespace(
            args=dict(arguments),
            action=f"lync.remediation.{module}",
            resolved_action=f"lync.remediation.{module}",
            check_mode=check,
            diff=True,
            become=False,
            async_val=0,
            environment=None,
            delegate_to=None,
            remote_user=None,
            port=None,
            connection=None,
            timeout=60,
            module_defaults=[],
            get_name=lambda: module,
            get_path=lambda: "site.yml:1",
        )
        connection._shell.tmpdir = "/nonexistent"
        action = importlib.import_module(f"{PLUGINS}.action.{module}").ActionModule
        loader = DataLoader()
        return action(task, connection, PlayContext(), loader, Templar(loader), None)
