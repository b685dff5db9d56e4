# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""The journal: one JSON object a line, in the order things happened, flushed with each entry."""

from __future__ import annotations

import json
import threading
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

KINDS = """\
kinds of entries:
  session_opened, session_closed, session_refused
      a shell and the account it belongs to; why it was closed or refused
  authentication_refused
      the account as the client spelled it, and why
  command
      one executed command: `statement` (its index in the pipeline), `name`,
      `parameters` as bound, `result` ('completed' or the fully qualified
      error id), and `writes`: whether it changed or tried to change the
      deployment; `answer`: what Get-CsWindowsService said of all services, or
      a pool of its readiness
  computer
      one of a `pool` began or ceased to serve users (`serves`), which its
      Front-End or Access Edge service decides
  fault
      an injected fault that struck
  went_down, came_up
      a computer that reboots: nobody listens in between
  started, reset
      the deployment is as its file says
"""


class Journal:
    """An append-only JSON lines file. Thread safe."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self._lock = threading.Lock()
        if path.is_file():
            _drop_unfinished_line(path)
        self._file = path.open("a", encoding="utf-8")

    def record(self, event: str, server: str, **details: Any) -> None:
        """Append an entry. What JSON cannot express is written as its text."""
        time = datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        line = json.dumps({"time": time, "event": event, "server": server, **details}, default=str)
        with self._lock:
            self._file.write(line + "\n")
            self._file.flush()

    def close(self) -> None:
        with self._lock:
            self._file.close()


def _drop_unfinished_line(path: Path) -> None:
    """A lab that was killed may have left one."""
    with path.open("rb+") as file:
        content = file.read()
        file.truncate(content.rfind(b"\n") + 1)


def read(path: Path) -> list[dict[str, Any]]:
    """The entries since the lab was started or last reset, oldest first.

    A last line that is being written, or was when the lab was killed, is left out.
    """
    entries: list[dict[str, Any]] = []
    with path.open(encoding="utf-8") as lines:
        for line in lines:
            if not line.endswith("\n"):
                break
            entry = json.loads(line)
            if entry["event"] in ("started", "reset"):
                entries.clear()
            else:
                entries.append(entry)
    return entries
