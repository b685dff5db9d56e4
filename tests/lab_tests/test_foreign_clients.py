# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of WinRM in other languages than Python: their own HTTP, SOAP and NTLM."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from lab.deployment import build_deployment
from lab.journal import read
from lab.runtime import Lab

from .direct import document
from .small import RunningLab
from .test_deployment_wire import NETWORK

_NODE_CLIENT = Path(sys.prefix, "clients", "node_modules", "winrm-client")


class PlainLab(RunningLab):
    """A modelled deployment whose computers take unencrypted messages, too."""

    def _make(self) -> Lab:
        plain = {
            "scheme": "http",
            "port": 15985,
            "authentication": ["basic", "negotiate"],
            "allow_unencrypted": True,
        }
        encrypted = {"scheme": "https", "port": 15986, "authentication": ["basic"]}
        listeners = {"computers": [encrypted, plain], "management": [{"scheme": "https", "port": 18443}]}
        return Lab(build_deployment(document("2013", network=NETWORK, listeners=listeners)), self.state)

    @property
    def address(self) -> str:
        return next(s.address for s in self.lab.deployment.servers if s.name == "fe01.contoso.com")

    def events(self, kind: str) -> list[dict[str, Any]]:
        return [entry for entry in read(self.lab.journal.path) if entry["event"] == kind]


@pytest.fixture
def running(tmp_path: Path) -> Iterator[PlainLab]:
    with PlainLab(tmp_path / "lab") as lab:
        yield lab


@pytest.mark.skipif(shutil.which("winrmcp") is None, reason="Debian's winrmcp is not installed")
@pytest.mark.parametrize(
    ("password", "said"), [("x", "does not understand the redirection"), ("wrong", "401")]
)
def test_masterzens_winrm_for_go(running: PlainLab, tmp_path: Path, password: str, said: str) -> None:
    """winrmcp copies files by ``echo``, into files that the lab does not have; it hears so, and says so."""
    file = tmp_path / "file.txt"
    file.write_text("content")
    done = subprocess.run(
        [
            *("winrmcp", "-user", "uc-admin", "-pass", password, "-addr", f"{running.address}:15986"),
            *("-https", "-cacert", running.ca, str(file), "C:\\file.txt"),
        ],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 1
    assert said in done.stdout + done.stderr
    assert len(running.events("session_opened")) == len(running.events("session_closed")) == (password == "x")


_SCRIPT = """
const [folder, method, line, address, user, password] = process.argv.slice(1);
function tell(outcome) {
    console.log(JSON.stringify(outcome));
    process.exit();  // it leaves the connection open on which it was refused
}
require(folder)[method](line, address, user, password, 15985)
    .then(said => tell({said}), error => tell({error: String(error)}));
"""


@pytest.mark.skipif(
    shutil.which("node") is None or not _NODE_CLIENT.is_dir(),
    reason="npm's winrm-client is not installed (make clients)",
)
@pytest.mark.parametrize(("user", "authentication"), [("uc-admin", "basic"), ("CONTOSO\\uc-admin", "ntlm")])
def test_winrm_client_of_node(running: PlainLab, user: str, authentication: str) -> None:
    def run(method: str, line: str, password: str = "x") -> dict[str, str]:
        arguments = [str(_NODE_CLIENT), method, line, running.address, user, password]
        done = subprocess.run(
            ["node", "-e", _SCRIPT, "--", *arguments], capture_output=True, text=True, check=True, timeout=60
        )
        found: dict[str, str] = json.loads(done.stdout)
        return found

    assert run("runCommand", "hostname") == {"said": "FE01"}
    assert run("runCommand", "echo %USERNAME%") == {"said": "uc-admin"}
    assert "is not recognized as an internal or external command" in str(run("runCommand", "frobnicate"))
    assert "401" in run("runCommand", "hostname", "wrong")["error"]
    opened = running.events("session_opened")
    assert {entry["authentication"] for entry in opened} == {authentication}
    assert len(opened) == len(running.events("session_closed")) == 3
