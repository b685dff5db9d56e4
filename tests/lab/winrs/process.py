# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The process of one command of a command shell: it runs on a worker thread, and has standard streams."""

from __future__ import annotations

import re
import threading
import traceback
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Literal

from ..contract import PipelineStopped, Runspace, TerminatingError
from ..host_process import Execution, HostProcess
from ..psrp.outbox import Outbox
from .cmd import CommandProcessor, program_name
from .console import Console, Window
from .environment import Environment

#: STATUS_CONTROL_C_EXIT, how a program ends that Ctrl+C stops.
CONTROL_C_EXIT = 0xC000013A
_PATH = re.compile(r"[A-Za-z]:\\")


@dataclass(frozen=True)
class Chunk:
    """What a process wrote at once."""

    stream: Literal["stdout", "stderr"]
    data: bytes

    def __len__(self) -> int:
        return len(self.data)


class CommandProcess:
    """One command, from its Command to its Terminate signal."""

    def __init__(
        self,
        host: HostProcess,
        command_id: str,
        line: str,
        environment: Environment,
        directory: str,
        encoding: str,
        open_runspace: Callable[[], Runspace],
        outbox: Outbox[Chunk],
        grown: Callable[[], None],
    ) -> None:
        """``grown`` is called when a lot waits to be read."""
        self._grown = grown
        self.line = line
        self.exit_code = 0
        self.outbox = outbox
        self._encoding = encoding
        self._stopped = threading.Event()
        self._input = _Input(self._stopped)
        self._over = False
        self._life = ExitStack()
        self._host = host
        execution = Execution(host, command_id, self._stopped, lambda: outbox.close("drop"))
        console = Console(
            lambda text: self._print("stdout", text),
            lambda text: self._print("stderr", text),
            lambda: self._input.read().decode(encoding, "replace"),
        )
        self._processor = CommandProcessor(
            Window(execution, self._stopped),
            open_runspace,
            environment,
            directory,
            host.server.build_version,
            console,
        )

    @property
    def over(self) -> bool:
        return self._over

    @property
    def held(self) -> int:
        """Bytes that wait to be read, by the process or by the client."""
        return self.outbox.held + self._input.held

    def finds(self, program: str) -> bool:
        """Whether the computer has this program, named with its path."""
        return self._processor.finds(program_name(program) or "")

    def create(self, executor: ThreadPoolExecutor, directly: bool) -> None:
        """Start it; ``directly``: without cmd.exe. Raises NoMoreProcesses."""
        self._life.enter_context(self._host.child_process())
        executor.submit(self._run, directly)

    def write(self, data: bytes, end: bool) -> None:
        self._input.write(data, end)

    def stop(self) -> None:
        self._stopped.set()
        self._input.wake()

    def _run(self, directly: bool) -> None:
        try:
            run = self._processor.program if directly else self._processor.run
            self.exit_code = run(self.line)
        except PipelineStopped:
            self.exit_code = CONTROL_C_EXIT
        except TerminatingError as error:
            self._print("stderr", f"{error.record}\r\n")
            self.exit_code = 1
        except Exception:
            # A defect of the lab: it must show in the lab's log, and the client must not wait for ever.
            traceback.print_exc()
            self._print("stderr", "The simulated server failed.\r\n")
            self.exit_code = 1
        finally:
            self._processor.close()
            self._over = True
            self._life.close()
            self.outbox.finish()

    def _print(self, stream: Literal["stdout", "stderr"], text: str) -> None:
        if text:
            self.outbox.put([Chunk(stream, text.encode(self._encoding, "replace"))])
            if self.outbox.held >= 2**20:  # less is no matter until the next request
                self._grown()


class _Input:
    """The standard input of a process. Thread safe."""

    def __init__(self, stopped: threading.Event) -> None:
        self._stopped = stopped
        self._changed = threading.Condition()
        self._data = bytearray()
        self._ended = False

    @property
    def held(self) -> int:
        return len(self._data)

    def write(self, data: bytes, end: bool) -> None:
        with self._changed:
            self._data += data
            self._ended = self._ended or end
            self._changed.notify_all()

    def wake(self) -> None:
        with self._changed:
            self._changed.notify_all()

    def read(self) -> bytes:
        """All of it, once the client has said that it is. Raises PipelineStopped."""
        with self._changed:
            self._changed.wait_for(lambda: self._ended or self._stopped.is_set())
            if self._stopped.is_set():
                raise PipelineStopped
            data, self._data = bytes(self._data), bytearray()
            return data


def is_path(program: str) -> bool:
    return _PATH.match(program.strip('"')) is not None
