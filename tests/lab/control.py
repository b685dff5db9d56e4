# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Talking to a running lab: its state directory says where it listens."""

from __future__ import annotations

import json
import os
import select
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any


class NotRunning(Exception):
    """No lab answers for this state directory."""


class CommandRefused(Exception):
    """The lab did not do what it was asked."""


@contextmanager
def _watched(process: int) -> Iterator[int]:
    """A file descriptor that becomes readable when the process ends. Raises OSError if there is none."""
    descriptor = os.pidfd_open(process)
    try:
        yield descriptor
    finally:
        os.close(descriptor)


def ask(state: Path, command: str, **details: Any) -> Any:
    """Send a command and return its result; after ``down`` return once the lab's process has ended.

    Raises NotRunning or CommandRefused.
    """
    try:
        control = json.loads((state / "control.json").read_text())
    except FileNotFoundError:
        raise NotRunning(f"no lab is running with state directory {state}") from None
    try:
        with (
            _watched(control["pid"]) as ended,
            socket.create_connection(("127.0.0.1", control["port"]), timeout=30) as connection,
        ):
            request = {"token": control["token"], "command": command, **details}
            connection.sendall(json.dumps(request).encode() + b"\n")
            with connection.makefile("rb") as answers:
                line = answers.readline()
            if line and command == "down":
                select.select([ended], [], [], 30)
    except OSError as error:
        raise NotRunning(f"the lab of {state} does not answer: {error}") from error
    if not line:
        raise NotRunning(f"another process listens where the lab of {state} was")
    answer = json.loads(line)
    if "error" in answer:
        raise CommandRefused(answer["error"])
    return answer["result"]
