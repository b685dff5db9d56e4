# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Labs, each forked from a process that has imported the lab and read its tables, which is most of what a start costs.

What runs then is what ``python -m lab up --foreground`` runs.
"""

from __future__ import annotations

import gc
import importlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

from lab import control
from running import LabNotStarted, RunningLab

TESTS = Path(__file__).parent


class LabForks:
    """Starts labs, one after the other. They are stopped as any lab is."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[bytes] | None = None

    @contextmanager
    def running(self, deployment: Path, state: Path, engine: str) -> Iterator[RunningLab]:
        """Start a deployment on that engine; stop it whatever happens. Raises LabNotStarted."""
        if (trouble := self._up(deployment, state, engine)) is not None:
            raise LabNotStarted(trouble)
        try:
            yield RunningLab(state)
        finally:
            with suppress(control.NotRunning):
                control.ask(state, "down")

    def _up(self, deployment: Path, state: Path, engine: str) -> str | None:
        if self._process is None:
            self._process = subprocess.Popen(
                [sys.executable, __file__], cwd=TESTS, stdin=subprocess.PIPE, stdout=subprocess.PIPE
            )
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        request = {"deployment": str(deployment), "state": str(state), "engine": engine}
        self._process.stdin.write(json.dumps(request).encode() + b"\n")
        self._process.stdin.flush()
        said: str | None = json.loads(self._process.stdout.readline())
        return said

    def close(self) -> None:
        if self._process is not None:
            self._process.communicate()
            self._process = None


# -- the process that is forked from -----------------------------------------------------------------------------------


def _become_lab(request: Mapping[str, str], ready: int) -> None:
    from lab.__main__ import main

    os.setsid()
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    log = os.open(Path(request["state"]) / "lab.log", os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    for number, file in enumerate((os.open(os.devnull, os.O_RDONLY), log, log)):
        os.dup2(file, number)
    options = ["--state", request["state"], "--engine", request["engine"], "--ready-fd", str(ready)]
    sys.exit(main(["up", request["deployment"], "--foreground", *options]))


def _started(request: Mapping[str, str]) -> str | None:
    state = Path(request["state"])
    state.mkdir(parents=True, exist_ok=True)
    read_end, write_end = os.pipe()
    if not os.fork():
        os.close(read_end)
        _become_lab(request, write_end)
    os.close(write_end)
    with os.fdopen(read_end, "rb") as answer:
        is_up = answer.readline() == b"ready\n"
    return None if is_up else (state / "lab.log").read_text(errors="replace")


def _serve() -> None:
    for name in ("lab.__main__", "lab.engine", "lab.runtime"):
        importlib.import_module(name)
    from lab.deployment import load_deployment

    load_deployment(TESTS / "lab" / "deployments" / "demo.yml")
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody asks for how a lab ended
    gc.collect()
    gc.freeze()  # so that collections in forks leave these objects' memory shared
    for line in sys.stdin.buffer:
        answer = _started(json.loads(line))
        sys.stdout.buffer.write(json.dumps(answer).encode() + b"\n")
        sys.stdout.buffer.flush()


if __name__ == "__main__":
    _serve()
