# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""The guide for newcomers, walked through in one shell, with a terminal to ask for passwords.

What stands in the guide is typed as it is. Only three things are those of the lab: its address and port, its account,
and its authority, which lies where the guide puts it.
"""

from __future__ import annotations

import os
import pty
import re
import select
import signal
import ssl
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from documents import Block, blocks
from running import CHECKOUT, ansible_environment, without_colour

from .conftest import Ansible, Start

GUIDE = CHECKOUT / "docs" / "docsite" / "rst" / "guide_first_ten_minutes.rst"
INSTALLS = re.compile(r"sudo|venv|uc-automation/bin/activate|pip install")
#: What a person types when asked; the first that matches the end of the output.
ANSWERS = (
    (re.compile(r"(New Vault password|Vault password).*: $", re.IGNORECASE), "secret of the vault\n"),
    (re.compile(r"Password of uc-automation: $"), "Lab-Passw0rd\n"),
)
SECONDS = 120


def session(script: str, environment: Mapping[str, str], folder: Path) -> tuple[int, str]:
    """Run it in a shell that has a terminal, and answer what it asks. The exit code, and what was on the screen."""
    process, terminal = pty.fork()
    if process == 0:
        os.chdir(folder)
        os.execve("/bin/bash", ["bash", "--noprofile", "--norc", "-euc", script], dict(environment))
    output, answered, deadline = "", 0, time.monotonic() + SECONDS
    try:
        while True:
            assert time.monotonic() < deadline, output
            if not select.select([terminal], [], [], 1)[0]:
                continue
            try:
                read = os.read(terminal, 65536)
            except OSError:  # the terminal's other side is closed
                read = b""
            if not read:
                break
            output += read.decode(errors="replace").replace("\r\n", "\n")
            for asked, answer in ANSWERS:
                if asked.search(output, answered):
                    os.write(terminal, answer.encode())
                    answered = len(output)
    except BaseException:
        os.kill(process, signal.SIGKILL)
        raise
    finally:
        os.close(terminal)
        status = os.waitpid(process, 0)[1]
    return os.waitstatus_to_exitcode(status), without_colour(output)


def script_of(guide: list[Block], own: Mapping[str, Any]) -> str:
    lines = []
    for block in guide:
        if block.language == "shell":
            lines.append(block.text)
        elif block.language == "yaml":
            name = re.match(r"# (\S+)\n", block.text)
            assert name, f"{block} does not say which file it is"
            text = block.text
            for theirs, lab in (
                ("ansible_host: pool01.contoso.com", f"ansible_host: {own['ansible_host']}"),
                ("ansible_port: 443", f"ansible_port: {own['ansible_port']}"),
                ("uc-automation@CONTOSO.COM", own["ansible_user"]),
            ):
                text = text.replace(theirs, str(lab))
            lines.append(f"cat >{name[1]} <<'END'\n{text}END\n")
    return "".join(lines)


@pytest.fixture
def home(start: Start, ansible_at: Callable[..., Ansible], tmp_path: Path) -> tuple[Path, dict[str, Any]]:
    """A person's home folder with the authority in it, and how the inventory of the lab reaches the pool."""
    lab = ansible_at(start("demo")).lab
    hosts = yaml.safe_load(lab.inventory.read_text(encoding="utf-8"))["all"]["children"]["management"][
        "hosts"
    ]
    own = next(iter(hosts.values()))
    home = tmp_path / "home"
    home.mkdir()
    pem = Path(own["ansible_psrp_ca_cert"]).read_text(encoding="ascii")
    (home / "contoso-root-ca.cer").write_bytes(ssl.PEM_cert_to_DER_cert(pem))
    return home, own


def walked(home: Path, script: str, **settings: str) -> str:
    environment = ansible_environment(home, HOME=str(home), TERM="dumb", **settings)
    for name in ("ANSIBLE_CONFIG", "ANSIBLE_HOME", "ANSIBLE_LOCAL_TEMP", "XDG_STATE_HOME"):
        del environment[name]
    code, output = session(script, environment, home)
    assert code == 0, output
    assert "[WARNING]" not in output, output
    assert "product_version: " in output, output
    assert "+encryption_level: SupportEncryption" in output, output
    return output


def test_the_guide_leads_to_a_dry_run(home: tuple[Path, dict[str, Any]]) -> None:
    """Where Ansible and the collection are installed already."""
    place, own = home
    collections = place / ".ansible" / "collections" / "ansible_collections" / "lync"
    collections.mkdir(parents=True)
    (collections / "remediation").symlink_to(CHECKOUT)
    installed = [block for block in blocks(GUIDE) if not INSTALLS.search(block.text)]
    walked(place, script_of(installed, own))
    assert not list((place / "uc").rglob("*.jsonl")), "a dry run has left a journal"


@pytest.mark.registry
def test_the_guide_leads_to_a_dry_run_from_nothing(home: tuple[Path, dict[str, Any]]) -> None:
    """With everything that it installs. The repository is this checkout, and there is no Debian to change."""
    place, own = home
    repository = yaml.safe_load((CHECKOUT / "galaxy.yml").read_text(encoding="utf-8"))["repository"]
    tools = place / "tools"
    tools.mkdir()
    (tools / "sudo").write_text('#!/bin/sh\necho sudo "$@"\n', encoding="utf-8")
    (tools / "sudo").chmod(0o755)
    system = [path for path in os.environ["PATH"].split(os.pathsep) if str(CHECKOUT) not in path]
    walked(
        place,
        script_of(list(blocks(GUIDE)), own),
        PATH=os.pathsep.join([str(tools), *system]),
        ANSIBLE_COLLECTIONS_PATH=str(place / ".ansible" / "collections"),
        GIT_CONFIG_COUNT="2",
        GIT_CONFIG_KEY_0=f"url.{CHECKOUT}.insteadOf",
        GIT_CONFIG_VALUE_0=f"{repository}.git",
        GIT_CONFIG_KEY_1="safe.directory",
        GIT_CONFIG_VALUE_1="*",
    )
