# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a running lab: its state directory says where it listens."""

from __future__ import annotations

import fcntl
import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

_LOCK = "lab.lock"


class NotRunning(Exception):
    """No lab answers for this state directory."""


class CommandRefused(Exception):
    """The lab did not do what it was asked."""


@contextmanager
def watched(process: int) -> Iterator[int]:
    """A file descriptor that becomes readable when the process ends. Raises OSError if there is none."""
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


@contextmanager
def lock(state: Path) -> Iterator[None]:
    """Hold the state directory while a lab runs in it; the system lets go of it however the process ends.

    Raises ValueError if another process holds it.
    """
    state.mkdir(parents=True, exist_ok=True)
    with (state / _LOCK).open("a") as held:
        try:
            fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise ValueError(f"a lab is running with state directory {state} already") from None
        yield


def is_running(state: Path) -> bool:
    """Whether a process holds the state directory."""
    try:
        with (state / _LOCK).open() as held:
            fcntl.flock(held, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    except (FileNotFoundError, NotADirectoryError):
        return False
    return False


def ask(state: Path, command: str, **details: Any) -> Any:
    """Send a command and return its result; after ``down`` return once the lab's process has ended.

    Raises NotRunning or CommandRefused.
    """
    try:
        control = json.loads((state / "control.json").read_text())
    except (FileNotFoundError, NotADirectoryError, ValueError):
        raise NotRunning(f"no lab is running with state directory {state}") from None
    try:
        with (
            watched(control["pid"]) as ended,
            socket.create_connection(("127.0.0.1", control["port"]), timeout=30) as connection,
        ):
            request = {"token": control["token"], "command": command, **details}
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
            if line and command == "down":
                select.select([ended], [], [], 30)
    except (ProcessLookupError, ConnectionRefusedError):
        raise NotRunning(
            f"the lab of {state} (process {control['pid']}) has died; start it again with 'up'"
        ) from None
    except OSError as error:
        raise NotRunning(f"the lab of {state} does not answer: {error}") from error
    if not line:
        raise NotRunning(f"another process listens where the lab of {state} was")
    answer = json.loads(line)
    if "error" in answer:
        raise CommandRefused(answer["error"])
    return answer["result"]
