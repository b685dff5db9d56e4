# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the lab's own tests."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.journal import read
from pypsrp.powershell import PowerShell, RunspacePool
from pypsrp.wsman import WSMan

from .small import ADMIN, RunningLab, SmallServer

# Not the machine's own realm: it is none of the tests' business, and where there is none looking for it takes long.
os.environ.setdefault("KRB5_CONFIG", str(Path(__file__).parents[1] / "setup" / "krb5.conf"))


class Client:
    """A small server that runs, and pypsrp to talk to it."""

    def __init__(self, running: RunningLab, server: SmallServer) -> None:
        self.running = running
        self.server = server

    def wsman(self, auth: str = "basic", ssl: bool = True, account: Any = ADMIN, **options: Any) -> WSMan:
        return WSMan(
            self.server.address,
            **{
                "port": 15986 if ssl else 15985,
                "ssl": ssl,
                "auth": auth,
                "username": account.name,
                "password": account.password,
                "cert_validation": self.running.ca if ssl else True,
                **options,
            },
        )

    @property
    def counters(self) -> dict[str, int]:
        return self.running.lab.counters[self.server.name].values()

    @property
    def journal(self) -> list[dict[str, Any]]:
        return read(self.running.lab.journal.path)


def powershell(pool: RunspacePool, *statements: tuple[Any, ...]) -> PowerShell:
    """A pipeline of statements, each a command and its arguments."""
    shell = PowerShell(pool)
    for index, (name, *arguments) in enumerate(statements):
        if index:
            shell.add_statement()
        shell.add_cmdlet(name)
        for argument in arguments:
            shell.add_argument(argument)
    return shell


def wait_until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def start(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[[SmallServer], Client]]:
    """Start a lab with one small server, as the test wants it."""
    labs: list[RunningLab] = []

    def run(server: SmallServer) -> Client:
        running = RunningLab(tmp_path_factory.mktemp("lab"), server)
        running.__enter__()
        labs.append(running)
        return Client(running, server)

    yield run
    for running in labs:
        running.__exit__()


@pytest.fixture
def client(start: Callable[[SmallServer], Client]) -> Client:
    return start(SmallServer())
