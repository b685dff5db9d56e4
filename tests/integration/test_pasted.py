# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""Every play and every command of the README, the roles' pages and the guides, as it stands there.

A page is walked through from top to bottom by somebody who has the lab's inventory under the name that the pages use.
A block that begins with ``# file.yml`` is written to that file. What cannot be run is marked on the page itself, with
the reason: ``<!-- not run: reason -->`` or ``.. not run: reason``, right before the block.
"""

from __future__ import annotations

import configparser
import json
import re
import shlex
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
import yaml
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from documents import PAGES, Block, blocks
from running import CHECKOUT
from unit.trace import samples

from .clock_drift import TIMES
from .conftest import Ansible, Run, Start
from .test_documentation import constant

#: How long the clock side waits: the lab's pool is ready sooner than a real one.
QUICK = {
    "clock_drift_settle": 0,
    "clock_drift_busy_wait": 1,
    "clock_drift_interval": 1,
    "clock_drift_follow_pool": True,
}
#: The first page that people see; the others change less often than they are read.
AT_ONCE = {CHECKOUT / "README.md"}
#: Whose commands depend on each other, and are typed in one shell by test_first_ten_minutes.py.
IN_ONE_SHELL = {"guide_first_ten_minutes.rst"}
#: What the commands are named after that are about the servers themselves.
OF_COMPUTERS = ("clock",)
#: A run that fails where it finds something, which it does in the lab: its Edge Server has no certificate.
FAILING = ("lync.remediation.audit_av_authentication_certificate",)
#: What has been done by whoever reads a page.
BEFORE = {
    "guide_taking_back.rst": [
        "ansible-playbook -i inventory lync.remediation.enable_windows_live_av_federation"
    ],
}
#: What lies in the folder of whoever reads a page.
FILES = {"guide_traces.rst": {"traces/fe01.txt": samples.SERVER_TRACE}}
#: What the registries, version control and the operating system are asked for: `make test-ecosystem` runs these.
OF_A_NEWCOMER = (
    "sudo",
    "python3",
    "pip",
    "git",
    "ansible-galaxy",
    "ansible-vault",
    "openssl",
    "mkdir",
    ".",
    "cp",
    "export",
)


class Walk:
    """Somebody at a prompt, with a deployment whose federation is asked about and one whose clocks are."""

    def __init__(self, federation: Ansible, clocks: Ansible, home: Path) -> None:
        self._sides = {"federation": federation, "clocks": clocks}
        self._home = home
        for side, ansible in self._sides.items():
            folder = home / side
            folder.mkdir()
            shutil.copy(ansible.lab.inventory, folder / "inventory")
            shutil.copytree(ansible.lab.state / "group_vars", folder / "group_vars")
        with (home / "clocks" / "group_vars" / "all.yml").open("a", encoding="utf-8") as variables:
            yaml.safe_dump(QUICK, variables)

    def run(self, command: list[str]) -> Run:
        """In the folder of the side that it is about; the lab's own commands in theirs."""
        is_of_computers = any(part in word for word in command for part in OF_COMPUTERS)
        side = "clocks" if is_of_computers else "federation"
        return self._sides[side].run(
            command,
            folder=CHECKOUT / "tests" if "python -m lab" in command[-1] else self._home / side,
            HOME=str(self._home),
            XDG_STATE_HOME=str(self._home / ".local" / "state"),
        )

    def write(self, name: str, text: str) -> Path:
        for side in self._sides:
            path = self._home / side / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
        return path


@pytest.fixture
def walk(start: Start, ansible_at: Callable[..., Ansible], tmp_path: Path) -> Walk:
    federation = ansible_at(start("demo"))
    # What the first use case enables is not enabled for Redmond either.
    federation.module("media_configuration", identity="site:Redmond", encryption_level="RequireEncryption")
    return Walk(federation, ansible_at(start("clock", **TIMES)), tmp_path / "walk")


@pytest.mark.parametrize(
    "page",
    [
        pytest.param(
            page, id=str(page.relative_to(CHECKOUT)), marks=() if page in AT_ONCE else pytest.mark.sweep
        )
        for page in PAGES
        if page.name not in IN_ONE_SHELL and any(block.reason is None for block in blocks(page))
    ],
)
def test_a_page_does_what_it_says(page: Path, tmp_path: Path, request: pytest.FixtureRequest) -> None:
    (tmp_path / "walk").mkdir()
    walk: Walk = request.getfixturevalue("walk")
    for command in BEFORE.get(page.name, ()):
        assert walk.run(shlex.split(command)).exit_code == 0, command
    for name, content in FILES.get(page.name, {}).items():
        walk.write(name, content.decode())
    for block in blocks(page):
        if block.reason is None:
            CHECKS[block.language](block, walk)


def commands(block: Block, walk: Walk) -> None:
    for command in block.commands:
        words = shlex.split(command, comments=True)
        if words[0] == "make":
            assert re.search(
                rf"^{re.escape(words[1])}:.*##", (CHECKOUT / "Makefile").read_text(), re.MULTILINE
            ), block
        elif words[0] not in OF_A_NEWCOMER:
            run = walk.run(words if words[0].startswith("ansible") else ["bash", "-c", command])
            assert run.exit_code in ((0, 2) if words[-1] in FAILING else (0,)), (
                f"{block}: {command}\n{run.output}"
            )


# What tells an inventory, or ansible-builder's file, from variables.
OF_OTHER_FILES = {"hosts", "plugin", "format", "ansible_host", "base_image"}


def variables_and_plays(block: Block, walk: Walk) -> None:
    content = yaml.load(block.text, Loader=_Loader)
    named = re.match(r"# ([\w./]+\.ya?ml)$", block.text.splitlines()[0])
    if isinstance(content, list) and "hosts" in content[0]:
        is_of_computers = any(part in block.text for part in OF_COMPUTERS)
        path = walk.write("clocks.yml" if is_of_computers else "play.yml", block.text)
        run = walk.run(["ansible-playbook", "-i", "inventory", path.name])
        fails = any(name.rpartition("audit_")[2] in block.text for name in FAILING)
        assert run.exit_code in ((0, 2) if fails else (0,)), f"{block}\n{run.output}"
    elif isinstance(content, list):
        for role in content:
            known(block, role["role"], {name: value for name, value in role.items() if name != "role"})
    elif named and named[1].startswith("group_vars/"):
        known(block, None, content)
        walk.write(named[1], block.text)
    elif "vars" not in content and not OF_OTHER_FILES & flattened(content):
        known(block, None, content)


def flattened(content: Any) -> set[str]:
    if isinstance(content, dict):
        return {*content, *(name for value in content.values() for name in flattened(value))}
    return {name for value in content for name in flattened(value)} if isinstance(content, list) else set()


class _Loader(yaml.SafeLoader):
    """Ansible's own tags are texts here."""


_Loader.add_constructor("!vault", lambda loader, node: loader.construct_scalar(node))


def role_options(role: str) -> Mapping[str, Any]:
    path = CHECKOUT / "roles" / role.rpartition(".")[2] / "meta" / "argument_specs.yml"
    return yaml.safe_load(path.read_text(encoding="utf-8"))["argument_specs"]["main"]["options"]


def known(block: Block, role: str | None, variables: Mapping[str, Any]) -> None:
    """Each variable is one of the collection's, and a value that a role takes is of the right type."""
    roles = [role] if role else [path.name for path in (CHECKOUT / "roles").iterdir()]
    options = {name: option for each in roles for name, option in role_options(each).items()}
    of_roles = {name: value for name, value in variables.items() if name in options}
    spec = {
        name: {key: options[name][key] for key in ("type", "choices", "elements") if key in options[name]}
        for name in of_roles
    }
    assert not ArgumentSpecValidator(spec).validate(of_roles).error_messages, block
    places = [*CHECKOUT.glob("playbooks/**/*.yml"), *CHECKOUT.glob("plugins/**/*.py")]
    text = "".join(path.read_text(encoding="utf-8") for path in places)
    for name in variables.keys() - of_roles.keys():
        assert re.search(rf"\b{name}\b", text) or name.startswith("vault_"), f"{block}: nobody reads {name}"


def settings(block: Block, walk: Walk) -> None:
    parser = configparser.ConfigParser()
    parser.read_string(block.text)
    shown = json.loads(walk.run(["ansible-config", "list", "--format", "json"]).output)
    entries = {
        (entry["section"], entry["key"]) for option in shown.values() for entry in option.get("ini") or ()
    }
    for path in (CHECKOUT / "plugins" / "callback").glob("*.py"):
        documentation = yaml.safe_load(constant(path, "DOCUMENTATION"))
        options = documentation.get("options", {}).values()
        entries |= {
            (entry["section"], entry["key"]) for option in options for entry in option.get("ini") or ()
        }
    for section in parser.sections():
        assert {(section, key) for key in parser[section]} <= entries, block


#: Cmdlets of Microsoft's reference that nothing here sends, with the parameters that a page uses.
REFERENCE = {"Import-CsCertificate": {"Path", "Password", "PrivateKeyExportable"}}


def management_shell(block: Block, walk: Walk) -> None:
    """Every cmdlet of the product exists, and has these parameters."""
    catalogues = (CHECKOUT / "tests/lab/catalogue" / name for name in ("lync.json", "nouns.json"))
    cmdlets = {
        name: {*cmdlet["parameters"]}
        for path in catalogues
        for name, cmdlet in json.loads(path.read_text(encoding="utf-8"))["cmdlets"].items()
    } | REFERENCE
    path = CHECKOUT / "plugins/plugin_utils/settings/catalogue.json"
    for name, noun in json.loads(path.read_text(encoding="utf-8"))["nouns"].items():
        for verb in noun["verbs"]:
            cmdlets.setdefault(f"{verb}-{name}", set()).update(noun["properties"])
    for line in block.commands:
        for used, rest in re.findall(r"\b([A-Z]\w+-Cs\w+)([^|]*)", line):
            given = set(re.findall(r"(?<= -)[A-Z]\w+", re.sub(r"\(.*?\)", "", rest))) - {"Identity"}
            assert given <= cmdlets[used], f"{block}: {line}"


CHECKS: Mapping[str, Callable[[Block, Walk], None]] = {
    "shell": commands,
    "console": commands,
    "yaml": variables_and_plays,
    "ini": settings,
    "powershell": management_shell,
    # What a run prints, and files of other programs.
    "text": lambda block, walk: None,
}


def test_every_block_has_a_language_that_is_checked() -> None:
    assert [str(block) for page in PAGES for block in blocks(page) if block.language not in CHECKS] == []


def test_no_command_is_hidden_behind_a_prompt_that_nobody_runs() -> None:
    shells = [block for page in PAGES for block in blocks(page) if block.language in ("shell", "console")]
    assert [str(block) for block in shells if block.reason is None and not block.commands] == []
