# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""ansible-core's own connection plugin: what ``raw`` sends is understood."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from .conftest import Client
from .small import ADMIN


@pytest.mark.parametrize(
    ("auth", "tls"), [pytest.param("basic", True, marks=pytest.mark.sweep), ("negotiate", False)]
)
def test_raw(client: Client, tmp_path: Path, auth: str, tls: bool) -> None:
    inventory = tmp_path / "inventory.yml"
    inventory.write_text(
        f"""
all:
  hosts:
    fe01:
      ansible_connection: ansible.builtin.psrp
      ansible_host: {client.server.address}
      ansible_port: {15986 if tls else 15985}
      ansible_user: {ADMIN.name}
      ansible_password: "{ADMIN.password}"
      ansible_psrp_protocol: {"https" if tls else "http"}
      ansible_psrp_auth: {auth}
      ansible_psrp_ca_cert: {client.running.ca}
"""
    )
    done = subprocess.run(
        [
            Path(sys.executable).parent / "ansible",
            "-i",
            inventory,
            "fe01",
            "-m",
            "raw",
            "-a",
            "Write-Output 'from core'",
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "ANSIBLE_NOCOLOR": "1", "ANSIBLE_LOCAL_TEMP": str(tmp_path)},
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "rc=0" in done.stdout
    assert "from core" in done.stdout
