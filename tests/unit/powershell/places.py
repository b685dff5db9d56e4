# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""A running server for tests of sessions, and the sessions."""

from __future__ import annotations

import os
import time
from pathlib import Path
from typing import Any

from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.commands import Command
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.options import ConnectionOptions
from ansible_collections.lync.remediation.plugins.plugin_utils.powershell.session import Session
from lab.injection import Rule
from lab.journal import read
from lab_tests.small import ADMIN, RunningLab, SmallServer

# Test runs beside each other, and the workers of each, have servers of their own.
ADDRESS = f"127.{64 + os.getpid() // 250 % 64}.{os.getpid() % 250}.1"

DEFAULTS: dict[str, Any] = {
    "auth": "basic",
    "ca_cert": None,
    "cert_validation": "validate",
    "command_timeout": 30,
    "configuration_name": "Microsoft.PowerShell",
    "connection_timeout": 5,
    "idle_timeout": 120,
    "keep_session": True,
    "ignore_proxy": False,
    "management_module": "auto",
    "max_envelope_size": 153600,
    "message_encryption": "auto",
    "no_profile": False,
    "open_timeout": 20,
    "operation_timeout": 5,
    "path": "wsman",
    "port": 15986,
    "protocol": "https",
    "read_timeout": 10,
    "reconnection_backoff": 0,
    "reconnection_retries": 1,
    "remote_password": ADMIN.password,
    "remote_user": ADMIN.name,
}


class Place:
    """A running server, and sessions to it as one worker after the other would make them."""

    def __init__(self, running: RunningLab, server: SmallServer, folder: Path) -> None:
        self.running, self.server, self.folder = running, server, folder

    def session(self, folder: Path | None = None, **options: Any) -> Session:
        values = {**DEFAULTS, "ca_cert": self.running.ca, "remote_addr": self.server.address, **options}
        return Session(ConnectionOptions.from_plugin(values.get), str(folder or self.folder))

    def strike(self, kind: str, request: str | None = None, command: str | None = None, **more: Any) -> None:
        self.running.lab.injector.add(Rule(kind, request=request, command=command, **more))

    def run_count(self, name: str) -> int:
        entries = read(self.running.lab.journal.path)
        return sum(entry["event"] == "command" and entry["name"] == name for entry in entries)

    def wait_for_refusal(self) -> None:
        """Until the server has refused to open a session."""
        while not any(entry["event"] == "session_refused" for entry in read(self.running.lab.journal.path)):
            time.sleep(0.01)

    def counters(self) -> dict[str, int]:
        return dict(self.running.lab.counters[self.server.name].values())


def write(*words: Any) -> Command:
    return Command("Write-Output", {f"P{index}": word for index, word in enumerate(words)})
