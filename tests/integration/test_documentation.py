# Copyright: (c) 2026, the lync.remediation authors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

"""What the documentation says, done as it says it."""

from __future__ import annotations

import ast
import re
from pathlib import Path
from typing import Any

import pytest
import yaml
from running import CHECKOUT

from .conftest import Ansible

MODULES = sorted(path for path in (CHECKOUT / "plugins" / "modules").glob("*.py"))
FILTERS = sorted(path for path in (CHECKOUT / "plugins" / "filter").glob("*.py"))
ROLE = CHECKOUT / "roles" / "windows_live_av_federation"
# Their examples are about computers, pools and time servers of a deployment that is not the demonstration's.
# What the modules do is tested in test_clock_drift; of the examples, that they say what the modules
# understand.
OF_COMPUTERS = frozenset({"clock", "clock_info", "server_services", "time_service", "time_zone"})
OF_SEVERAL = frozenset({"clock_summary", "clock_verdict", "pool_state"})


def constant(path: Path, name: str) -> str:
    """The text that a Python file assigns to a name, without running it."""
    for node in ast.parse(path.read_text(encoding="utf-8")).body:
        if isinstance(node, ast.Assign) and any(
            isinstance(t, ast.Name) and t.id == name for t in node.targets
        ):
            return str(ast.literal_eval(node.value))
    raise AssertionError(f"{path} has no {name}")


def yaml_of(path: Path) -> Any:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    "path", [path for path in MODULES if path.stem in OF_COMPUTERS], ids=lambda path: path.stem
)
def test_examples_about_computers_use_options_that_there_are(path: Path) -> None:
    options = yaml.safe_load(constant(path, "DOCUMENTATION"))["options"]
    module = f"lync.remediation.{path.stem}"
    used = [task[module] or {} for task in yaml.safe_load(constant(path, "EXAMPLES")) if module in task]
    assert used
    assert {option for arguments in used for option in arguments} <= set(options)


@pytest.mark.parametrize(
    "path",
    [path for path in [*MODULES, *FILTERS] if path.stem not in OF_COMPUTERS | OF_SEVERAL],
    ids=lambda path: path.stem,
)
def test_examples_run_as_pasted(path: Path, demo: Ansible) -> None:
    run = demo.tasks(yaml.safe_load(constant(path, "EXAMPLES")))
    assert run.exit_code == 0, run.output
    assert "[WARNING]" not in run.output, run.output
    assert "[DEPRECATION WARNING]" not in run.output, run.output


def readme_plays() -> list[Any]:
    blocks = re.findall(r"```yaml\n(.*?)```", (CHECKOUT / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    blocks += re.findall(r"```yaml\n(.*?)```", (ROLE / "README.md").read_text(encoding="utf-8"), re.DOTALL)
    return [yaml.safe_load(block) for block in blocks]


@pytest.mark.parametrize("play", readme_plays(), ids=lambda play: play[0]["name"])
def test_plays_of_the_readmes_run(play: list[dict[str, Any]], demo: Ansible, tmp_path: Path) -> None:
    playbook = tmp_path / "readme.yml"
    playbook.write_text(
        yaml.safe_dump(play)
        .replace("role: windows_live", "role: lync.remediation.windows_live")
        .replace("- windows_live_av_federation\n", "- lync.remediation.windows_live_av_federation\n")
        .replace("eddie@", "pilar@"),
        encoding="utf-8",
    )
    demo.module("media_configuration", identity="site:Redmond", encryption_level="RequireEncryption")
    run = demo.playbook(str(playbook))
    assert run.exit_code == 0, run.output


def test_the_action_group_holds_every_module() -> None:
    group = yaml_of(CHECKOUT / "meta" / "runtime.yml")["action_groups"]["lync"]
    assert group == [path.stem for path in MODULES]


def test_the_role_s_specs_defaults_and_readme_agree() -> None:
    options = yaml_of(ROLE / "meta" / "argument_specs.yml")["argument_specs"]["main"]["options"]
    defaults = yaml_of(ROLE / "defaults" / "main.yml")
    assert {name: option["default"] for name, option in options.items()} == defaults
    documented = set(
        re.findall(r"`(\w+)`", "".join(re.findall(r"^\| (`.*?) \|", (ROLE / "README.md").read_text(), re.M)))
    )
    assert {
        f"windows_live_av_federation_{name}" for name in documented if name != "windows_live_av_federation_"
    } == set(defaults)


def test_the_example_inventory_parses_without_a_question(demo: Ansible) -> None:
    graph = demo.run(["ansible-inventory", "-i", str(CHECKOUT / "inventory.example"), "--graph"])
    assert graph.exit_code == 0, graph.output
    for group in ("@management", "@front_ends", "@pool01", "@edges"):
        assert group in graph.output
    assert "[WARNING]" not in graph.output


def test_the_example_inventory_s_vault_opens_with_the_password_it_tells(
    demo: Ansible, tmp_path: Path
) -> None:
    secret = tmp_path / "vault-password"
    secret.write_text("demonstration")
    shown = demo.run(
        [
            *("ansible", "-i", str(CHECKOUT / "inventory.example"), "lync", "-m", "ansible.builtin.debug"),
            *("-a", "var=ansible_password", "--vault-password-file", str(secret)),
        ]
    )
    assert shown.exit_code == 0, shown.output
    assert "not a real password" in shown.output
